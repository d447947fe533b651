/* The kernel of gridding.h as polynomials: what a point weighs on the grid points under the kernel,
 * without exponentials. */
#ifndef NFSAR_ALGORITHMS_TAPS_H
#define NFSAR_ALGORITHMS_TAPS_H

#include "algorithms/gridding.h"

enum { TAPS_DEGREE = 18, TAPS_NARROW = 8 };

/* `width` weights in a row of `row`, 8 or 16, the rest zero. */
struct taps {
    int width, row, degree;
    double beta;
    float c[TAPS_DEGREE + 1][GRIDDING_WIDEST];
};

void taps_make(const struct gridding *kernel, struct taps *taps);

/* The grid point of the first weight, for a point at `at` (in grid steps), and in *fraction what
 * taps_weights() wants. */
static inline long taps_first(const struct taps *taps, double at, float *fraction) {
    double begin = at - 0.5 * taps->width;
    long first = (long)begin;
    first += (double)first < begin; /* up, for either sign */
    *fraction = (float)(2.0 * ((double)first - begin) - 1.0);
    return first;
}

/* weight[row]. */
static inline __attribute__((always_inline)) void
taps_weights(const struct taps *taps, float fraction, int row, float *weight) {
    float sum[GRIDDING_WIDEST];
    for (int t = 0; t < row; t++) {
        sum[t] = taps->c[taps->degree][t];
    }
    for (int d = taps->degree - 1; d >= 0; d--) {
        for (int t = 0; t < row; t++) {
            sum[t] = sum[t] * fraction + taps->c[d][t];
        }
    }
    for (int t = 0; t < row; t++) {
        weight[t] = sum[t];
    }
}

/* The weights of two fractions at once: their chains of sums fill each other's latencies. */
static inline __attribute__((always_inline)) void
taps_pair(const struct taps *taps, float x, float y, int row, float *of_x, float *of_y) {
    float sum[2][GRIDDING_WIDEST];
    for (int t = 0; t < row; t++) {
        sum[0][t] = sum[1][t] = taps->c[taps->degree][t];
    }
    for (int d = taps->degree - 1; d >= 0; d--) {
        for (int t = 0; t < row; t++) {
            sum[0][t] = sum[0][t] * x + taps->c[d][t];
            sum[1][t] = sum[1][t] * y + taps->c[d][t];
        }
    }
    for (int t = 0; t < row; t++) {
        of_x[t] = sum[0][t];
        of_y[t] = sum[1][t];
    }
}

#endif
