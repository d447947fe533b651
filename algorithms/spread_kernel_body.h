/* The loops of spread_kernel.h in the widest vectors that the including file is compiled for. */
#include "algorithms/spread_kernel.h"

#include "algorithms/lanes.h"

/* Vector registers of a cell. */
enum { CELL = SPREAD_FLOATS / LANES_WIDTH };

/* Values may lie anywhere. */
typedef float lanes_anywhere __attribute__((vector_size(4 * LANES_WIDTH), aligned(4)));

LANES_INLINE void load_values(const float *from, lanes *value) {
    for (int c = 0; c < CELL; c++) {
        value[c] = *(const lanes_anywhere *)(from + c * LANES_WIDTH);
    }
}

LANES_INLINE size_t source_of(const struct spread_points *points, size_t i) {
    return points->source != NULL ? points->source[i] : i;
}

/* Weights that are held in registers, beside a cell's values. */
enum { HELD = 24 / CELL };

/* Add value * weight[k] to cell k. */
LANES_INLINE void add_cells(float *cell, const float *weight, const lanes *held, uint32_t width,
                            const lanes *value) {
#pragma GCC unroll 16
    for (uint32_t k = 0; k < width; k++) {
        lanes by = k < HELD ? held[k] : lanes_splat(weight[k]);
        for (int c = 0; c < CELL; c++) {
            float *at = cell + k * SPREAD_FLOATS + c * LANES_WIDTH;
            lanes_store(at, lanes_load(at) + value[c] * by);
        }
    }
}

/* Points whose values are asked for ahead. */
enum { AHEAD = 8 };

LANES_INLINE void ask_ahead(const struct spread_points *points, size_t i, size_t end,
                            const float *values, size_t pitch) {
    const float *ahead = values + source_of(points, i + AHEAD < end ? i + AHEAD : i) * pitch;
    __builtin_prefetch(ahead);
    /* Vectors that are not aligned lie in two lines of the cache. */
    __builtin_prefetch(ahead + SPREAD_FLOATS - 1);
}

/* A point, to `rows` rows from its row `from` on, the first of which is at slot `at` of the ring.
 */
LANES_INLINE void add_rows(const struct spread_points *points, const struct spread_place *place,
                           const float *wx, const lanes *value, const struct spread_ring *ring,
                           size_t at, size_t from, size_t rows, uint32_t width, size_t layers) {
    const float *wy = wx + width + from, *wz = wx + width + points->width_y;
    size_t line = points->count_x * SPREAD_FLOATS, slab = points->count_z * line;
    float *row = ring->cells + at * slab + place->z * line + (size_t)place->x * SPREAD_FLOATS;
    float *end = ring->cells + ring->ring * slab;
    lanes held[HELD];
#pragma GCC unroll 16
    for (uint32_t k = 0; k < HELD && k < width; k++) {
        held[k] = lanes_splat(wx[k]);
    }
    for (size_t j = 0; j < rows; j++) {
        float *layer = row;
        for (size_t l = 0; l < layers; l++, layer += line) {
            float weight = layers > 1 ? wy[j] * wz[l] : wy[j];
            lanes scaled[CELL];
            for (int c = 0; c < CELL; c++) {
                scaled[c] = value[c] * weight;
            }
            add_cells(layer, wx, held, width, scaled);
        }
        row += slab;
        row = row >= end ? row - ring->ring * slab : row;
    }
}

LANES_INLINE void add_range(const struct spread_points *points, size_t begin, size_t end,
                            const float *values, size_t pitch, const struct spread_ring *ring,
                            size_t from, size_t to, uint32_t width) {
    for (size_t i = begin; i < end; i++) {
        const struct spread_place *place = &points->place[i];
        const float *weight = points->weight + i * points->weight_pitch;
        ask_ahead(points, i, end, values, pitch);
        /* Rows of the point that are wanted. */
        size_t first = place->y < from ? from - place->y : 0;
        size_t last = place->y + points->width_y < to ? points->width_y : to - place->y;
        if (place->y >= to || first >= last) {
            continue;
        }
        size_t at = place->y + first - ring->base;
        at -= at >= ring->ring ? ring->ring : 0;
        lanes value[CELL];
        load_values(values + source_of(points, i) * pitch, value);
        if (last - first == width && points->width_y == width && points->width_z == 1) {
            /* What nearly all points of a plane are: loops of known length. */
            add_rows(points, place, weight, value, ring, at, 0, width, width, 1);
        } else {
            add_rows(points, place, weight, value, ring, at, first, last - first, width,
                     points->width_z);
        }
    }
}

/* Sum of weight[k] times cell k, times `by`, onto the sum. */
LANES_INLINE void sum_cells(const float *cell, const float *weight, uint32_t width, float by,
                            lanes *sum) {
    lanes line[CELL] = {{0}};
#pragma GCC unroll 16
    for (uint32_t k = 0; k < width; k++) {
        for (int c = 0; c < CELL; c++) {
            line[c] += lanes_load(cell + k * SPREAD_FLOATS + c * LANES_WIDTH) * weight[k];
        }
    }
    for (int c = 0; c < CELL; c++) {
        sum[c] += line[c] * by;
    }
}

LANES_INLINE void gather_range(const struct spread_points *points, size_t begin, size_t end,
                               const struct spread_ring *ring, float *values, size_t pitch,
                               uint32_t width, uint32_t rows, uint32_t layers) {
    size_t line = points->count_x * SPREAD_FLOATS, slab = points->count_z * line;
    const float *beyond = ring->cells + ring->ring * slab;
    for (size_t i = begin; i < end; i++) {
        const struct spread_place *place = &points->place[i];
        const float *wx = points->weight + i * points->weight_pitch;
        const float *wy = wx + width, *wz = wy + rows;
        size_t at = place->y - ring->base;
        at -= at >= ring->ring ? ring->ring : 0;
        const float *row =
            ring->cells + at * slab + place->z * line + (size_t)place->x * SPREAD_FLOATS;
        lanes sum[CELL] = {{0}};
        for (uint32_t j = 0; j < rows; j++) {
            const float *layer = row;
            for (uint32_t l = 0; l < layers; l++, layer += line) {
                sum_cells(layer, wx, width, layers > 1 ? wy[j] * wz[l] : wy[j], sum);
            }
            row += slab;
            row = row >= beyond ? row - ring->ring * slab : row;
        }
        float *to = values + source_of(points, i) * pitch;
        for (int c = 0; c < CELL; c++) {
            *(lanes_anywhere *)(to + c * LANES_WIDTH) = sum[c];
        }
    }
}

/* A loop of its own for each width, which is then unrolled. */
#define WIDTHS(DO)                                                                                 \
    switch (points->width_x) {                                                                     \
        DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) DO(12) default : break;      \
    }

void LANES_VERSION(spread_add)(const struct spread_points *points, size_t begin, size_t end,
                               const float *values, size_t pitch, const struct spread_ring *ring,
                               size_t from, size_t to) {
#define ADD(width)                                                                                 \
    case width:                                                                                    \
        add_range(points, begin, end, values, pitch, ring, from, to, width);                       \
        return;
    WIDTHS(ADD)
    add_range(points, begin, end, values, pitch, ring, from, to, points->width_x);
}

void LANES_VERSION(spread_gather)(const struct spread_points *points, size_t begin, size_t end,
                                  const struct spread_ring *ring, float *values, size_t pitch) {
    if (points->width_z == 1 && points->width_y == points->width_x) {
#define GATHER(width)                                                                              \
    case width:                                                                                    \
        gather_range(points, begin, end, ring, values, pitch, width, width, 1);                    \
        return;
        WIDTHS(GATHER)
    }
#define GATHER_LAYERS(width)                                                                       \
    case width:                                                                                    \
        gather_range(points, begin, end, ring, values, pitch, width, points->width_y,              \
                     points->width_z);                                                             \
        return;
    WIDTHS(GATHER_LAYERS)
    gather_range(points, begin, end, ring, values, pitch, points->width_x, points->width_y,
                 points->width_z);
}
