/* The loops of spread_kernel.h in the widest vectors that the including file is compiled for. */
#include <stdbool.h>

#include "algorithms/spread_kernel.h"

#include "algorithms/gridding.h"
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

/* Points whose values are asked for ahead. */
enum { AHEAD = 12 };

/* Values come from memory, or go there, in no order that the machine could guess. Vectors that are
 * not aligned lie in two lines of the cache. */
LANES_INLINE void ask_ahead(const struct spread_points *points, size_t i, size_t end,
                            const float *values, size_t pitch, bool to_write) {
    const float *ahead = values + source_of(points, i + AHEAD < end ? i + AHEAD : i) * pitch;
    if (to_write) {
        __builtin_prefetch(ahead, 1);
        __builtin_prefetch(ahead + SPREAD_FLOATS - 1, 1);
    } else {
        __builtin_prefetch(ahead);
        __builtin_prefetch(ahead + SPREAD_FLOATS - 1);
    }
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

/* What two points of one column add to a row: both in one go through the cells. */
LANES_INLINE void add_cells_of_two(float *cell, const float *const weight[2], uint32_t width,
                                   lanes value[2][CELL]) {
#pragma GCC unroll 16
    for (uint32_t k = 0; k < width; k++) {
        lanes by = lanes_splat(weight[0][k]), other = lanes_splat(weight[1][k]);
        for (int c = 0; c < CELL; c++) {
            float *at = cell + k * SPREAD_FLOATS + c * LANES_WIDTH;
            lanes sum = lanes_load(at) + value[0][c] * by;
            lanes_store(at, sum + value[1][c] * other);
        }
    }
}

/* Weights along y of a pair of points, the second of which begins up to a width of rows after the
 * first, with the zeros that make both as long. */
struct pair_rows {
    float first[2 * GRIDDING_WIDEST], second[2 * GRIDDING_WIDEST];
};

/* Points i and i + 1, which touch the same cells along x; the second not above the first. All their
 * rows are wanted. */
LANES_INLINE void add_pair(const struct spread_points *points, size_t i, const float *values,
                           size_t pitch, const struct spread_ring *ring, struct pair_rows *rows,
                           uint32_t width) {
    const struct spread_place *place = &points->place[i];
    size_t slab = points->count_x * SPREAD_FLOATS, apart = place[1].y - place[0].y;
    const float *weight[2] = {points->weight + i * points->weight_pitch,
                              points->weight + (i + 1) * points->weight_pitch};
    size_t at = place->y - ring->base;
    at -= at >= ring->ring ? ring->ring : 0;
    float *row = ring->cells + at * slab + (size_t)place->x * SPREAD_FLOATS;
    float *end = ring->cells + ring->ring * slab;
    lanes value[2][CELL];
    load_values(values + source_of(points, i) * pitch, value[0]);
    load_values(values + source_of(points, i + 1) * pitch, value[1]);
    for (uint32_t k = 0; k < width; k++) {
        rows->first[k] = weight[0][width + k];
        rows->second[width + k] = weight[1][width + k];
    }
    for (size_t j = 0; j < width + apart; j++) {
        lanes scaled[2][CELL];
        float by = rows->first[j], other = rows->second[width - apart + j];
        for (int c = 0; c < CELL; c++) {
            scaled[0][c] = value[0][c] * by;
            scaled[1][c] = value[1][c] * other;
        }
        add_cells_of_two(row, weight, width, scaled);
        row += slab;
        row = row >= end ? row - ring->ring * slab : row;
    }
}

/* Whether points i and i + 1 may be added together, and gain from it. */
LANES_INLINE bool is_pair(const struct spread_points *points, size_t i, size_t end, size_t from,
                          size_t to, uint32_t width) {
    const struct spread_place *place = &points->place[i];
    return i + 1 < end && place[1].x == place[0].x && place[1].y >= place[0].y &&
           place[1].y - place[0].y < width && place[0].y >= from && place[1].y + width <= to;
}

LANES_INLINE void add_range(const struct spread_points *points, size_t begin, size_t end,
                            const float *values, size_t pitch, const struct spread_ring *ring,
                            size_t from, size_t to, uint32_t width) {
    bool plane = points->width_z == 1 && points->width_y == width;
    struct pair_rows rows = {{0}, {0}};
    for (size_t i = begin; i < end; i++) {
        const struct spread_place *place = &points->place[i];
        const float *weight = points->weight + i * points->weight_pitch;
        ask_ahead(points, i, end, values, pitch, false);
        if (plane && is_pair(points, i, end, from, to, width)) {
            ask_ahead(points, i + 1, end, values, pitch, false);
            add_pair(points, i, values, pitch, ring, &rows, width);
            i++;
            continue;
        }
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
        if (plane && last - first == width) {
            /* Loops of known length. */
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
        ask_ahead(points, i, end, values, pitch, true);
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
