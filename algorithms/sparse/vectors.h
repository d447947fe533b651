/* Inner products of complex vectors, summed in double precision. */
#ifndef NFSAR_ALGORITHMS_SPARSE_VECTORS_H
#define NFSAR_ALGORITHMS_SPARSE_VECTORS_H

#include <complex.h>
#include <stddef.h>

/* sum conj(a_i) b_i */
static inline double complex vectors_dot(const float complex *a, const float complex *b, size_t n) {
    const float *p = (const float *)a, *q = (const float *)b;
    double re = 0.0, im = 0.0;
    for (size_t i = 0; i < 2 * n; i += 2) {
        double ar = (double)p[i], ai = (double)p[i + 1], br = (double)q[i], bi = (double)q[i + 1];
        re += ar * br + ai * bi;
        im += ar * bi - ai * br;
    }
    return re + im * I;
}

/* sum |a_i|^2 */
static inline double vectors_power(const float complex *a, size_t n) {
    const float *p = (const float *)a;
    double sum = 0.0;
    for (size_t i = 0; i < 2 * n; i++) {
        sum += (double)p[i] * (double)p[i];
    }
    return sum;
}

/* sum |a_i - b_i|^2 */
static inline double vectors_distance(const float complex *a, const float complex *b, size_t n) {
    const float *p = (const float *)a, *q = (const float *)b;
    double sum = 0.0;
    for (size_t i = 0; i < 2 * n; i++) {
        double off = (double)p[i] - (double)q[i];
        sum += off * off;
    }
    return sum;
}

/* max |a_i| */
double vectors_peak(const float complex *a, size_t n);

#endif
