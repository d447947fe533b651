/* Measures of how sharp a slice is that were tried for the depth search and not taken
 * (docs/theory/sharpness.md). Each is larger for sharper slices and unchanged by a factor on the
 * data. They are kept so that the trial can be run again. */
#ifndef NFSAR_TESTS_SHARPNESS_CANDIDATES_H
#define NFSAR_TESTS_SHARPNESS_CANDIDATES_H

#include <complex.h>
#include <math.h>
#include <stddef.h>

typedef double sharpness_measure(const float complex *data, size_t nx, size_t ny);

static inline double power_of(float complex value) {
    double re = crealf(value), im = cimagf(value);
    return re * re + im * im;
}

/* sqrt(N sum |o|^2) / sum |o|: root mean square over mean of the magnitude. Largest where the
 * energy is gathered in the smallest area, whether evenly (a plate) or in points. */
static inline double sharpness_norm_ratio(const float complex *data, size_t nx, size_t ny) {
    double squares = 0.0, sum = 0.0;
    for (size_t i = 0; i < nx * ny; i++) {
        double power = power_of(data[i]);
        squares += power;
        sum += sqrt(power);
    }
    return sum > 0.0 ? sqrt((double)nx * (double)ny * squares) / sum : 0.0;
}

/* N sum |o|^4 / (sum |o|^2)^2: prefers few bright points. */
static inline double sharpness_kurtosis(const float complex *data, size_t nx, size_t ny) {
    double fourth = 0.0, squares = 0.0;
    for (size_t i = 0; i < nx * ny; i++) {
        double power = power_of(data[i]);
        squares += power;
        fourth += power * power;
    }
    return squares > 0.0 ? (double)nx * (double)ny * fourth / (squares * squares) : 0.0;
}

/* log N - entropy of |o|^2. */
static inline double sharpness_order(const float complex *data, size_t nx, size_t ny) {
    double squares = 0.0, logs = 0.0;
    for (size_t i = 0; i < nx * ny; i++) {
        double power = power_of(data[i]);
        squares += power;
        logs += power > 0.0 ? power * log(power) : 0.0;
    }
    return squares > 0.0 ? log((double)nx * (double)ny) - log(squares) + logs / squares : 0.0;
}

/* Sums over all pairs of neighbours along one axis: the slopes of the magnitude and of the complex
 * values, and the product whose argument is the mean phase step. */
struct pairs {
    double magnitude; /* (|b| - |a|)^2 */
    double squares;   /* |a|^2 + |b|^2 */
    double complex lag;
};

static inline void add_pair(struct pairs *pairs, float complex a, float complex b) {
    double pa = power_of(a), pb = power_of(b), step = sqrt(pb) - sqrt(pa);
    pairs->magnitude += step * step;
    pairs->squares += pa + pb;
    pairs->lag += (double complex)b * conj((double complex)a);
}

static inline void add_all_pairs(const float complex *data, size_t nx, size_t ny,
                                 struct pairs along[2]) {
    for (size_t y = 0; y < ny; y++) {
        const float complex *row = data + y * nx;
        for (size_t x = 0; x + 1 < nx; x++) {
            add_pair(&along[0], row[x], row[x + 1]);
        }
        for (size_t x = 0; y + 1 < ny && x < nx; x++) {
            add_pair(&along[1], row[x], row[x + nx]);
        }
    }
}

/* With the mean phase step p taken off, sum |b e^{-jp} - a|^2 = sum |a|^2 + |b|^2 - 2 |lag|. */
/* sum |grad |o||^2 over sum |grad o|^2, the mean slope of the phase taken off first: 1 where the
 * phase is constant over the object, as it is in focus; 1/2 for noise. */
static inline double sharpness_phase_flatness(const float complex *data, size_t nx, size_t ny) {
    struct pairs along[2] = {{0}};
    add_all_pairs(data, nx, ny, along);
    double slopes =
        along[0].squares - 2.0 * cabs(along[0].lag) + along[1].squares - 2.0 * cabs(along[1].lag);
    return slopes > 0.0 ? (along[0].magnitude + along[1].magnitude) / slopes : 0.0;
}

/* sum |grad |o||^2 over sum |o|^2 (Tenengrad): prefers noise to a smooth object. */
static inline double sharpness_gradient(const float complex *data, size_t nx, size_t ny) {
    struct pairs along[2] = {{0}};
    double squares = 0.0;
    add_all_pairs(data, nx, ny, along);
    for (size_t i = 0; i < nx * ny; i++) {
        squares += power_of(data[i]);
    }
    return squares > 0.0 ? (along[0].magnitude + along[1].magnitude) / squares : 0.0;
}

#endif
