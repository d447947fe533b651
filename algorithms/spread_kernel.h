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

/* Rows of cells that go round: row `base` is the first, row base + ring is there again. */
struct spread_ring {
    float *cells;
    size_t ring, base;
};

/* Add the points begin .. end - 1 to the rows from .. to - 1, none of them before ring->base and
 * all less than two rings after it. */
typedef void spread_add(const struct spread_points *points, size_t begin, size_t end,
                        const float *values, size_t pitch, const struct spread_ring *ring,
                        size_t from, size_t to);

/* Points begin .. end - 1 out of a ring that holds all their rows. */
typedef void spread_gather(const struct spread_points *points, size_t begin, size_t end,
                           const struct spread_ring *ring, float *values, size_t pitch);

spread_add spread_add_portable, spread_add_avx2, spread_add_avx512;
spread_gather spread_gather_portable, spread_gather_avx2, spread_gather_avx512;

#endif
