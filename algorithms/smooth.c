#include "algorithms/smooth.h"

#include <complex.h>
#include <fftw3.h>
#include <limits.h>
#include <math.h>

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
                          fftwf_complex *spectrum) {
    for (size_t j = 0; j < ny; j++) {
        for (size_t i = 0; i < nx; i++) {
            double u = frequency_index(i, nx), v = frequency_index(j, ny);
            double filter = exp(-(u * u + v * v) / (2.0 * roughness * roughness));
            double complex noise = nfsar_random_complex_normal(random);
            spectrum[j * nx + i] = (float complex)(filter * noise);
        }
    }
}

static void normalize(const fftwf_complex *value, size_t n, float *surface) {
    float low = crealf(value[0]), high = low;
    for (size_t i = 1; i < n; i++) {
        low = fminf(low, crealf(value[i]));
        high = fmaxf(high, crealf(value[i]));
    }
    for (size_t i = 0; i < n; i++) {
        surface[i] = high > low ? (crealf(value[i]) - low) / (high - low) : 0.5f;
    }
}

enum nfsar_status smooth_surface(size_t nx, size_t ny, double roughness, nfsar_random *random,
                                 float *surface, nfsar_error *error) {
    size_t n = 0;
    if (nx < 1 || ny < 1 || nx > INT_MAX || ny > INT_MAX || __builtin_mul_overflow(nx, ny, &n) ||
        n > SIZE_MAX / sizeof(fftwf_complex) || !(roughness > 0.0) || !isfinite(roughness)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "a surface of %zu x %zu points with roughness %g cannot be made", nx, ny,
                          roughness);
    }
    fftwf_complex *spectrum = fftwf_alloc_complex(n);
    if (spectrum == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu points", n);
    }
    fftwf_plan plan = NULL;
    /* FFTW's planner is shared by the whole process. */
#pragma omp critical(nfsar_fftw_planner)
    plan = fftwf_plan_dft_2d((int)ny, (int)nx, spectrum, spectrum, FFTW_BACKWARD, FFTW_ESTIMATE);
    if (plan == NULL) {
        fftwf_free(spectrum);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "no transform of %zu x %zu points", nx, ny);
    }
    fill_spectrum(nx, ny, roughness, random, spectrum);
    fftwf_execute(plan);
    normalize(spectrum, n, surface);
#pragma omp critical(nfsar_fftw_planner)
    fftwf_destroy_plan(plan);
    fftwf_free(spectrum);
    return NFSAR_OK;
}
