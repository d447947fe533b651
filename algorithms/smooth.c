#include "algorithms/smooth.h"

#include <math.h>
#include <stdbool.h>

#include "algorithms/transform.h"

void smooth_function_draw(struct smooth_function *function, double tau_s, nfsar_random *random) {
    for (int i = 0; i < SMOOTH_TERMS; i++) {
        function->frequency[i] = nfsar_random_normal(random) / tau_s;
        function->phase[i] = 2.0 * NFSAR_PI * nfsar_random_uniform(random);
    }
}

double smooth_function_at(const struct smooth_function *function, double time_s) {
    double sum = 0.0;
    for (int i = 0; i < SMOOTH_TERMS; i++) {
        sum += cos(function->frequency[i] * time_s + function->phase[i]);
    }
    return sum * sqrt(2.0 / SMOOTH_TERMS);
}

/* Index of a transform's bin, negative frequencies below zero. */
static double frequency_index(size_t i, size_t n) {
    return i <= n / 2 ? (double)i : (double)i - (double)n;
}

static void fill_spectrum(size_t nx, size_t ny, double roughness, nfsar_random *random,
                          float complex *spectrum) {
    for (size_t j = 0; j < ny; j++) {
        for (size_t i = 0; i < nx; i++) {
            double u = frequency_index(i, nx), v = frequency_index(j, ny);
            double filter = exp(-(u * u + v * v) / (2.0 * roughness * roughness));
            double complex noise = nfsar_random_complex_normal(random);
            spectrum[j * nx + i] = (float complex)(filter * noise);
        }
    }
}

/* to[nx][ny] = from[ny][nx]. */
static void transpose(size_t nx, size_t ny, const float complex *from, float complex *to) {
    for (size_t j = 0; j < ny; j++) {
        for (size_t i = 0; i < nx; i++) {
            to[i * ny + j] = from[j * nx + i];
        }
    }
}

/* Inverse transform of n_lines contiguous lines in place; false when there is no memory. */
static bool inverse(size_t length, size_t n_lines, float complex *data) {
    fftwf_plan plan = transform_plan(length, n_lines, length, FFTW_BACKWARD);
    if (plan != NULL) {
        fftwf_execute_dft(plan, data, data);
    }
    transform_destroy(plan);
    return plan != NULL;
}

/* surface[ny][nx] from the real part of value[nx][ny], from 0 to 1. */
static void normalize(size_t nx, size_t ny, const float complex *value, float *surface) {
    float low = crealf(value[0]), high = low;
    for (size_t i = 1; i < nx * ny; i++) {
        low = fminf(low, crealf(value[i]));
        high = fmaxf(high, crealf(value[i]));
    }
    for (size_t j = 0; j < ny; j++) {
        for (size_t i = 0; i < nx; i++) {
            float at = crealf(value[i * ny + j]);
            surface[j * nx + i] = high > low ? (at - low) / (high - low) : 0.5f;
        }
    }
}

enum nfsar_status smooth_surface(size_t nx, size_t ny, double roughness, nfsar_random *random,
                                 float *surface, nfsar_error *error) {
    size_t n = 0;
    if (nx < 1 || ny < 1 || __builtin_mul_overflow(nx, ny, &n) || !(roughness > 0.0) ||
        !isfinite(roughness)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "a surface of %zu x %zu points with roughness %g cannot be made", nx, ny,
                          roughness);
    }
    float complex *spectrum = transform_alloc(n), *turned = transform_alloc(n);
    bool done = spectrum != NULL && turned != NULL;
    if (done) {
        fill_spectrum(nx, ny, roughness, random, spectrum);
        done = inverse(nx, ny, spectrum);
    }
    if (done) {
        transpose(nx, ny, spectrum, turned);
        done = inverse(ny, nx, turned);
    }
    if (done) {
        normalize(nx, ny, turned, surface);
    }
    fftwf_free(spectrum);
    fftwf_free(turned);
    return done ? NFSAR_OK
                : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu x %zu points", nx,
                             ny);
}
