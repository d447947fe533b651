/* Sums over long vectors, of single precision most of them. */
#ifndef NFSAR_ALGORITHMS_AUTOFOCUS_FOCUS_FLOATS_H
#define NFSAR_ALGORITHMS_AUTOFOCUS_FOCUS_FLOATS_H

#include <stddef.h>

static inline double floats_square(const float *a, size_t n) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)a[i] * (double)a[i];
    }
    return sum;
}

static inline void floats_add(float *to, double f, const float *a, size_t n) {
    const float g = (float)f;
    for (size_t i = 0; i < n; i++) {
        to[i] += g * a[i];
    }
}

static inline double doubles_dot(size_t n, const double *a, const double *b) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

#endif
