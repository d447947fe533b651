/* Delaunay triangulation of points in the plane, by Qhull. */
#ifndef NFSAR_ALGORITHMS_DELAUNAY_H
#define NFSAR_ALGORITHMS_DELAUNAY_H

#include <stddef.h>
#include <stdint.h>

#include <nfsar/status.h>

struct plane_point {
    double x, y;
};

/* Triangles, corners counterclockwise. Owned. */
struct delaunay {
    size_t n;
    int32_t (*corner)[3]; /* [n] indices of points */
    int32_t (*across)[3]; /* [n] the triangle on the other side of the edge opposite that corner, or
                             -1 */
};

/* Of n >= 3 points, distinct and not on one line. Triangles without area, which rounding makes of
 * points along a straight border, are left out. */
enum nfsar_status delaunay_make(const struct plane_point *point, size_t n,
                                struct delaunay *delaunay, nfsar_error *error);
void delaunay_free(struct delaunay *delaunay);

#endif
