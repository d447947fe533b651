#include "algorithms/chirpz.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/geometry.h>

#include "algorithms/multiversion.h"
#include "algorithms/transform.h"

struct chirpz {
    size_t n_in, n_out, length;
    float complex *before; /* [n_in] exp(+j alpha m^2 / 2) */
    float complex *after;  /* [n_out] exp(+j alpha (first i + i^2 / 2)) / length */
    float complex *filter; /* [length] transform of exp(-j alpha i^2 / 2) */
    fftwf_plan forward, backward;
};

/* exp(j alpha i^2 / 2). The argument is reduced in turns before it is rounded: i^2 may be large. */
static double complex chirp(double alpha, double i) {
    double turns = fmod(alpha / (4.0 * NFSAR_PI) * i * i, 1.0);
    return cexp(2.0 * NFSAR_PI * turns * I);
}

static void fill(chirpz *plan, long first, double alpha) {
    for (size_t m = 0; m < plan->n_in; m++) {
        plan->before[m] = (float complex)chirp(alpha, (double)m);
    }
    for (size_t i = 0; i < plan->n_out; i++) {
        double turns = fmod(alpha / (2.0 * NFSAR_PI) * (double)first * (double)i, 1.0);
        double complex ramp = cexp(2.0 * NFSAR_PI * turns * I);
        plan->after[i] = (float complex)(ramp * chirp(alpha, (double)i) / (double)plan->length);
    }
    memset(plan->filter, 0, plan->length * sizeof *plan->filter);
    for (size_t i = 0; i < plan->n_out; i++) {
        plan->filter[i] = (float complex)conj(chirp(alpha, (double)i));
    }
    for (size_t m = 1; m < plan->n_in; m++) {
        plan->filter[plan->length - m] = (float complex)conj(chirp(alpha, (double)m));
    }
    fftwf_execute_dft(plan->forward, plan->filter, plan->filter);
}

chirpz *chirpz_create(size_t n_in, long first, size_t n_out, double alpha) {
    chirpz *plan = calloc(1, sizeof *plan);
    if (plan == NULL) {
        return NULL;
    }
    plan->n_in = n_in;
    plan->n_out = n_out;
    plan->length = transform_length(n_in + n_out - 1);
    plan->before = transform_alloc(n_in);
    plan->after = transform_alloc(n_out);
    plan->filter = transform_alloc(plan->length);
    plan->forward = transform_plan(plan->length, 1, plan->length, FFTW_FORWARD);
    plan->backward = transform_plan(plan->length, 1, plan->length, FFTW_BACKWARD);
    if (plan->before == NULL || plan->after == NULL || plan->filter == NULL ||
        plan->forward == NULL || plan->backward == NULL) {
        chirpz_destroy(plan);
        return NULL;
    }
    fill(plan, first, alpha);
    return plan;
}

size_t chirpz_scratch(const chirpz *plan) {
    return plan->length;
}

/* a *= b, written out: the compiler's own complex product guards against infinities. */
MULTIVERSION
static void multiply(float complex *a, const float complex *b, size_t n) {
    float *x = (float *)a;
    const float *y = (const float *)b;
    for (size_t i = 0; i < n; i++) {
        float re = x[2 * i] * y[2 * i] - x[2 * i + 1] * y[2 * i + 1];
        float im = x[2 * i] * y[2 * i + 1] + x[2 * i + 1] * y[2 * i];
        x[2 * i] = re;
        x[2 * i + 1] = im;
    }
}

void chirpz_execute(const chirpz *plan, const float complex *in, size_t in_stride,
                    float complex *out, size_t out_stride, float complex *scratch) {
    for (size_t m = 0; m < plan->n_in; m++) {
        scratch[m] = in[m * in_stride];
    }
    multiply(scratch, plan->before, plan->n_in);
    memset(scratch + plan->n_in, 0, (plan->length - plan->n_in) * sizeof *scratch);
    fftwf_execute_dft(plan->forward, scratch, scratch);
    multiply(scratch, plan->filter, plan->length);
    fftwf_execute_dft(plan->backward, scratch, scratch);
    multiply(scratch, plan->after, plan->n_out);
    for (size_t i = 0; i < plan->n_out; i++) {
        out[i * out_stride] = scratch[i];
    }
}

void chirpz_destroy(chirpz *plan) {
    if (plan != NULL) {
        fftwf_free(plan->before);
        fftwf_free(plan->after);
        fftwf_free(plan->filter);
        transform_destroy(plan->forward);
        transform_destroy(plan->backward);
        free(plan);
    }
}
