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

/* Add value * weight[k] to cell k. */
LANES_INLINE void add_cells(float *cell, const float *weight, uint32_t width, const lanes *value) {
#pragma GCC unroll 16
    for (uint32_t k = 0; k < width; k++) {
        for (int c = 0; c < CELL; c++) {
            float *at = cell + k * SPREAD_FLOATS + c * LANES_WIDTH;
            lanes_store(at, lanes_load(at) + value[c] * weight[k]);
        }
    }
}

LANES_INLINE void add_point(const struct spread_points *points, uint32_t i, const float *values,
                            size_t pitch, const struct spread_band *band, uint32_t width) {
    const struct spread_place *place = &points->place[i];
    const float *wx = points->weight + i * points->weight_pitch;
    const float *wy = wx + width, *wz = wy + points->width_y;
    /* Rows of the point that lie in the band. */
    size_t from = place->y < band->first ? band->first - place->y : 0;
    size_t end = band->first + band->n - place->y;
    end = end < points->width_y ? end : points->width_y;
    size_t line = points->count_x * SPREAD_FLOATS;
    lanes value[CELL];
    load_values(values + source_of(points, i) * pitch, value);
    for (size_t j = from; j < end; j++) {
        float *row = band->cells + (place->y + j - band->first) * points->count_z * line +
                     place->z * line + (size_t)place->x * SPREAD_FLOATS;
        for (size_t l = 0; l < points->width_z; l++, row += line) {
            float weight = wy[j] * wz[l];
            lanes scaled[CELL];
            for (int c = 0; c < CELL; c++) {
                scaled[c] = value[c] * weight;
            }
            add_cells(row, wx, width, scaled);
        }
    }
}

LANES_INLINE void add_list(const struct spread_points *points, const uint32_t *list, size_t n,
                           const float *values, size_t pitch, const struct spread_band *band,
                           uint32_t width) {
    for (size_t i = 0; i < n; i++) {
        /* Vectors that are not aligned lie in two lines of the cache. */
        const float *ahead = values + source_of(points, list[i + SPREAD_AHEAD]) * pitch;
        __builtin_prefetch(ahead);
        __builtin_prefetch(ahead + SPREAD_FLOATS - 1);
        add_point(points, list[i], values, pitch, band, width);
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
                               size_t first, const struct spread_ring *ring, float *values,
                               size_t pitch, uint32_t width) {
    size_t line = points->count_x * SPREAD_FLOATS, start = first % ring->ring;
    for (size_t i = begin; i < end; i++) {
        const struct spread_place *place = &points->place[i];
        const float *wx = points->weight + i * points->weight_pitch;
        const float *wy = wx + width, *wz = wy + points->width_y;
        size_t at = start + place->y - first;
        lanes sum[CELL] = {{0}};
        for (size_t j = 0; j < points->width_y; j++, at++) {
            at -= at >= ring->ring ? ring->ring : 0;
            const float *row = ring->cells + at * points->count_z * line + place->z * line +
                               (size_t)place->x * SPREAD_FLOATS;
            for (size_t l = 0; l < points->width_z; l++, row += line) {
                sum_cells(row, wx, width, wy[j] * wz[l], sum);
            }
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

void LANES_VERSION(spread_add)(const struct spread_points *points, const uint32_t *list, size_t n,
                               const float *values, size_t pitch, const struct spread_band *band) {
#define ADD(width)                                                                                 \
    case width:                                                                                    \
        add_list(points, list, n, values, pitch, band, width);                                     \
        return;
    WIDTHS(ADD)
    add_list(points, list, n, values, pitch, band, points->width_x);
}

void LANES_VERSION(spread_gather)(const struct spread_points *points, size_t begin, size_t end,
                                  size_t first, const struct spread_ring *ring, float *values,
                                  size_t pitch) {
#define GATHER(width)                                                                              \
    case width:                                                                                    \
        gather_range(points, begin, end, first, ring, values, pitch, width);                       \
        return;
    WIDTHS(GATHER)
    gather_range(points, begin, end, first, ring, values, pitch, points->width_x);
}
