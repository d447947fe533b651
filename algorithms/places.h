/* Which of many points lie about the same place. */
#ifndef NFSAR_ALGORITHMS_PLACES_H
#define NFSAR_ALGORITHMS_PLACES_H

#include <stddef.h>
#include <stdint.h>

#include <nfsar/status.h>

#include "algorithms/delaunay.h"

/* Points in the same square of a grid are one place. Places are in the order of the grid: by rows,
 * and along each row. Owned. */
struct places {
    size_t n;
    uint32_t *of;               /* [n_point] the place of each point */
    float *members;             /* [n] points in it */
    struct plane_point *middle; /* [n] their mean */
    int32_t *row, *column;      /* [n] of the grid */
};

/* NFSAR_ERROR_GEOMETRY where the points are so far apart that the squares cannot be counted. */
enum nfsar_status places_make(const struct plane_point *point, size_t n, double square,
                              struct places *places, nfsar_error *error);
void places_free(struct places *places);

#endif
