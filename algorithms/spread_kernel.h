/* The inner loops of spread.h, by instruction set. */
#ifndef NFSAR_ALGORITHMS_SPREAD_KERNEL_H
#define NFSAR_ALGORITHMS_SPREAD_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "algorithms/spread.h"

/* Floats of a cell. */
enum { SPREAD_FLOATS = 2 * SPREAD_VECTORS };

/* First cell that a point touches along each axis. */
struct spread_place {
    uint32_t x, y, z;
};

/* The points in sorted order. */
struct spread_points {
    const struct spread_place *place;
    const uint32_t *source; /* where the values of each lie, NULL: in the same order */
    const float *weight;    /* of each point: along x, along y, along z; one after the other */
    size_t weight_pitch;
    uint32_t width_x, width_y, width_z;
    size_t count_x, count_z;
};

/* Rows first .. first + n - 1 of cells. */
struct spread_band {
    float *cells;
    size_t first, n;
};

/* Rows of cells; row r is at r % ring. */
struct spread_ring {
    const float *cells;
    size_t ring;
};

/* Add the listed points to the rows of the band; the list goes on for SPREAD_AHEAD entries that are
 * valid but not used. */
enum { SPREAD_AHEAD = 8 };
typedef void spread_add(const struct spread_points *points, const uint32_t *list, size_t n,
                        const float *values, size_t pitch, const struct spread_band *band);

/* Points begin .. end - 1 out of a ring that holds all their rows, the first of which is not before
 * `first`. */
typedef void spread_gather(const struct spread_points *points, size_t begin, size_t end,
                           size_t first, const struct spread_ring *ring, float *values,
                           size_t pitch);

spread_add spread_add_portable, spread_add_avx2, spread_add_avx512;
spread_gather spread_gather_portable, spread_gather_avx2, spread_gather_avx512;

#endif
