/* The loops of transpose.h: squares of four by four, which registers hold. */
#include <stdbool.h>

#include "algorithms/transpose.h"

#include "algorithms/lanes.h"

/* The functions that pass vectors are all inlined: how others would pass them does not matter. */
#pragma GCC diagnostic ignored "-Wpsabi"

enum { SIDE = 4 };

/* A complex number is moved as a double is, and weighed as two floats. */
typedef double quad __attribute__((vector_size(32), may_alias));
typedef double quad_anywhere __attribute__((vector_size(32), aligned(4), may_alias));
typedef float quad_floats __attribute__((vector_size(32), may_alias));
typedef long long quad_order __attribute__((vector_size(32)));

struct square {
    quad row[SIDE];
};

LANES_INLINE struct square turn(struct square in) {
    const quad_order low = {0, 4, 2, 6}, high = {1, 5, 3, 7};
    const quad_order first = {0, 1, 4, 5}, last = {2, 3, 6, 7};
    quad a = __builtin_shuffle(in.row[0], in.row[1], low);
    quad b = __builtin_shuffle(in.row[0], in.row[1], high);
    quad c = __builtin_shuffle(in.row[2], in.row[3], low);
    quad d = __builtin_shuffle(in.row[2], in.row[3], high);
    return (struct square){{__builtin_shuffle(a, c, first), __builtin_shuffle(b, d, first),
                            __builtin_shuffle(a, c, last), __builtin_shuffle(b, d, last)}};
}

LANES_INLINE quad weigh(quad numbers, float weight) {
    return (quad)((quad_floats)numbers * weight);
}

enum weights { NONE, BY_ROW, BY_COLUMN };

LANES_INLINE void turn_square(const float complex *in, size_t in_stride, const float *weight,
                              enum weights weights, float complex *out, size_t out_stride) {
    struct square square;
    for (int i = 0; i < SIDE; i++) {
        square.row[i] = *(const quad_anywhere *)(in + (size_t)i * in_stride);
        square.row[i] = weights == BY_ROW ? weigh(square.row[i], weight[i]) : square.row[i];
    }
    square = turn(square);
    for (int i = 0; i < SIDE; i++) {
        square.row[i] = weights == BY_COLUMN ? weigh(square.row[i], weight[i]) : square.row[i];
        *(quad_anywhere *)(out + (size_t)i * out_stride) = square.row[i];
    }
}

/* Short rows far apart: the machine does not guess where the next are. */
LANES_INLINE void ask_ahead(const float complex *at, size_t stride, size_t n, bool to_write) {
    enum { AHEAD = 4 * SIDE, LINE = 8 };
    if (stride <= LINE) {
        return; /* one after the other */
    }
    for (size_t r = AHEAD; r < AHEAD + SIDE; r++) {
        for (size_t i = 0; i < n; i += LINE) {
            if (to_write) {
                __builtin_prefetch(at + r * stride + i, 1);
            } else {
                __builtin_prefetch(at + r * stride + i);
            }
        }
    }
}

static void turn_rest(const float complex *in, size_t in_stride, size_t rows, size_t columns,
                      const float *by_row, const float *by_column, float complex *out,
                      size_t out_stride) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < columns; c++) {
            float weight = by_row != NULL ? by_row[r] : by_column != NULL ? by_column[c] : 1.0f;
            out[c * out_stride + r] = weight * in[r * in_stride + c];
        }
    }
}

LANES_INLINE void turn_all(const float complex *in, size_t in_stride, size_t rows, size_t columns,
                           const float *weight, enum weights weights, float complex *out,
                           size_t out_stride) {
    /* Along the longer side first: one of them is a few cache lines only. */
    size_t r_end = rows / SIDE * SIDE, c_end = columns / SIDE * SIDE;
    if (rows > columns) {
        for (size_t r = 0; r < r_end; r += SIDE) {
            ask_ahead(in + r * in_stride, in_stride, columns, false);
            for (size_t c = 0; c < c_end; c += SIDE) {
                turn_square(in + r * in_stride + c, in_stride,
                            weights == BY_ROW ? weight + r : weight + c, weights,
                            out + c * out_stride + r, out_stride);
            }
        }
    } else {
        for (size_t c = 0; c < c_end; c += SIDE) {
            ask_ahead(out + c * out_stride, out_stride, rows, true);
            for (size_t r = 0; r < r_end; r += SIDE) {
                turn_square(in + r * in_stride + c, in_stride,
                            weights == BY_ROW ? weight + r : weight + c, weights,
                            out + c * out_stride + r, out_stride);
            }
        }
    }
}

void LANES_VERSION(transpose)(const float complex *in, size_t in_stride, size_t rows,
                              size_t columns, const float *by_row, const float *by_column,
                              float complex *out, size_t out_stride) {
    size_t r_end = rows / SIDE * SIDE, c_end = columns / SIDE * SIDE;
    if (by_row != NULL) {
        turn_all(in, in_stride, rows, columns, by_row, BY_ROW, out, out_stride);
    } else if (by_column != NULL) {
        turn_all(in, in_stride, rows, columns, by_column, BY_COLUMN, out, out_stride);
    } else {
        turn_all(in, in_stride, rows, columns, NULL, NONE, out, out_stride);
    }
    turn_rest(in + r_end * in_stride, in_stride, rows - r_end, columns,
              by_row != NULL ? by_row + r_end : NULL, by_column, out + r_end, out_stride);
    turn_rest(in + c_end, in_stride, r_end, columns - c_end, by_row,
              by_column != NULL ? by_column + c_end : NULL, out + c_end * out_stride, out_stride);
}
