#include "algorithms/sharpness.h"

#include <math.h>

#include <nfsar/metrics.h>

static inline double power_of(float complex value) {
    double re = crealf(value), im = cimagf(value);
    return re * re + im * im;
}

double nfsar_slice_sharpness(const float complex *data, size_t nx, size_t ny) {
    return sharpness_norm_ratio(data, nx, ny);
}

double sharpness_norm_ratio(const float complex *data, size_t nx, size_t ny) {
    double squares = 0.0, sum = 0.0;
    for (size_t i = 0; i < nx * ny; i++) {
        double power = power_of(data[i]);
        squares += power;
        sum += sqrt(power);
    }
    return sum > 0.0 ? sqrt((double)nx * (double)ny * squares) / sum : 0.0;
}

double sharpness_kurtosis(const float complex *data, size_t nx, size_t ny) {
    double fourth = 0.0, squares = 0.0;
    for (size_t i = 0; i < nx * ny; i++) {
        double power = power_of(data[i]);
        squares += power;
        fourth += power * power;
    }
    return squares > 0.0 ? (double)nx * (double)ny * fourth / (squares * squares) : 0.0;
}

double sharpness_order(const float complex *data, size_t nx, size_t ny) {
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

static void add_pair(struct pairs *pairs, float complex a, float complex b) {
    double pa = power_of(a), pb = power_of(b), step = sqrt(pb) - sqrt(pa);
    pairs->magnitude += step * step;
    pairs->squares += pa + pb;
    pairs->lag += (double complex)b * conj((double complex)a);
}

static void add_all_pairs(const float complex *data, size_t nx, size_t ny, struct pairs along[2]) {
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
double sharpness_phase_flatness(const float complex *data, size_t nx, size_t ny) {
    struct pairs along[2] = {{0}};
    add_all_pairs(data, nx, ny, along);
    double slopes =
        along[0].squares - 2.0 * cabs(along[0].lag) + along[1].squares - 2.0 * cabs(along[1].lag);
    return slopes > 0.0 ? (along[0].magnitude + along[1].magnitude) / slopes : 0.0;
}

double sharpness_gradient(const float complex *data, size_t nx, size_t ny) {
    struct pairs along[2] = {{0}};
    double squares = 0.0;
    add_all_pairs(data, nx, ny, along);
    for (size_t i = 0; i < nx * ny; i++) {
        squares += power_of(data[i]);
    }
    return squares > 0.0 ? (along[0].magnitude + along[1].magnitude) / squares : 0.0;
}
