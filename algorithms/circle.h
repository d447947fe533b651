/* The circle nearest to points of a plane. */
#ifndef NFSAR_ALGORITHMS_CIRCLE_H
#define NFSAR_ALGORITHMS_CIRCLE_H

#include <stddef.h>

struct circle {
    double x, y, radius;
    double deviation; /* largest distance of a point from it */
};

enum circle_kind {
    CIRCLE_FOUND,
    CIRCLE_POINT, /* the points are one: at x, y */
    CIRCLE_LINE,  /* they lie on a line, or curve less than rounding tells */
};

/* Least squares of the distances from the circle, for n >= 1 finite points: Gauss-Newton from the
 * algebraic fit (Kasa 1976). Any arc, unevenly filled too. */
enum circle_kind circle_fit(const double *x, const double *y, size_t n, struct circle *circle);

#endif
