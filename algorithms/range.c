#include <nfsar/range.h>

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/window.h>

#include "algorithms/depthsum.h"
#include "algorithms/transform.h"

/* Pulses that a profile looks at: enough to see every part of a scan. */
enum { PROFILE_PULSES = 512 };

static void band(const nfsar_capture *capture, double *low, double *high) {
    *low = *high = capture->frequency_hz[0];
    for (size_t i = 1; i < capture->n_sample; i++) {
        *low = fmin(*low, capture->frequency_hz[i]);
        *high = fmax(*high, capture->frequency_hz[i]);
    }
}

static double cell(double low, double high) {
    return high > low ? 0.5 * NFSAR_SPEED_OF_LIGHT / (high - low) : INFINITY;
}

double nfsar_range_resolution(const nfsar_capture *capture) {
    double low = capture->gated.band_hz[0], high = capture->gated.band_hz[1];
    if (!(capture->gated.range_m[1] > 0.0)) {
        band(capture, &low, &high);
    }
    return cell(low, high);
}

double nfsar_range_unambiguous(const nfsar_capture *capture) {
    double low = 0.0, high = 0.0;
    band(capture, &low, &high);
    return cell(low, high) * (double)(capture->n_sample - 1);
}

/* Scratch for one line's profile. */
struct profiler {
    size_t n_sample, n;
    depthsum *sum;
    float complex *turn; /* window, and what moves the depth sum's origin to range 0 */
    double *t;           /* 2 k range_step */
    float complex *line, *out, *work;
};

static void profiler_free(struct profiler *p) {
    depthsum_destroy(p->sum);
    fftwf_free(p->turn);
    free(p->t);
    fftwf_free(p->line);
    fftwf_free(p->out);
    fftwf_free(p->work);
}

static enum nfsar_status profiler_make(const nfsar_capture *capture, double step, size_t n,
                                       struct profiler *p, nfsar_error *error) {
    *p = (struct profiler){.n_sample = capture->n_sample, .n = n};
    p->sum = depthsum_create(capture->n_sample, n, 1e-4, DEPTHSUM_AUTO);
    p->turn = transform_alloc(capture->n_sample);
    float *taper = malloc(capture->n_sample * sizeof *taper);
    p->t = malloc(capture->n_sample * sizeof *p->t);
    p->line = transform_alloc(capture->n_sample);
    p->out = transform_alloc(n);
    p->work = p->sum != NULL ? transform_alloc(depthsum_scratch(p->sum)) : NULL;
    if (p->sum == NULL || p->turn == NULL || taper == NULL || p->t == NULL || p->line == NULL ||
        p->out == NULL || p->work == NULL) {
        free(taper);
        profiler_free(p);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for a range profile");
    }
    nfsar_window_taper(capture->n_sample > 2 ? NFSAR_WINDOW_HANN : NFSAR_WINDOW_RECTANGULAR,
                       capture->n_sample, taper);
    nfsar_wavenumbers(capture->frequency_hz, capture->n_sample, p->t);
    for (size_t i = 0; i < capture->n_sample; i++) {
        p->t[i] *= 2.0 * step;
        double phase = fmod(p->t[i] * (double)(n / 2), 2.0 * NFSAR_PI);
        p->turn[i] = taper[i] * (float complex)cexp(-I * phase);
    }
    free(taper);
    return NFSAR_OK;
}

/* Add |sum_n w_n s_n exp(-2jk_n r)|^2 of one line. The depth sum counts from n / 2; a phase that
 * depends on the frequency alone moves its origin to 0. */
static void profiler_add(struct profiler *p, const float complex *samples, double *power) {
    for (size_t i = 0; i < p->n_sample; i++) {
        p->line[i] = samples[i] * p->turn[i];
    }
    memset(p->out, 0, p->n * sizeof *p->out);
    depthsum_execute(p->sum, p->line, p->t, p->n_sample, p->out, 1, p->work);
    double scale = 1.0 / ((double)p->n_sample * (double)p->n_sample);
    for (size_t i = 0; i < p->n; i++) {
        float re = crealf(p->out[i]), im = cimagf(p->out[i]);
        power[i] += scale * (double)(re * re + im * im);
    }
}

enum nfsar_status nfsar_range_profile(const nfsar_capture *capture, const nfsar_echo_source *source,
                                      double range_step, size_t n, double *power,
                                      nfsar_error *error) {
    struct profiler profiler;
    enum nfsar_status status = profiler_make(capture, range_step, n, &profiler, error);
    if (status != NFSAR_OK) {
        return status;
    }
    size_t n_channel = capture->array.n_channel, n_sample = capture->n_sample;
    size_t pulses = capture->n_pulse < PROFILE_PULSES ? capture->n_pulse : PROFILE_PULSES;
    float complex *echo = malloc(n_channel * n_sample * sizeof *echo);
    if (echo == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for a range profile");
    }
    for (size_t i = 0; i < n; i++) {
        power[i] = 0.0;
    }
    for (size_t p = 0; status == NFSAR_OK && p < pulses; p++) {
        size_t pulse = (size_t)((double)p * (double)capture->n_pulse / (double)pulses);
        status = source->read(source->context, pulse, 1, 0, n_sample, echo, error);
        for (size_t c = 0; status == NFSAR_OK && c < n_channel; c++) {
            profiler_add(&profiler, echo + c * n_sample, power);
        }
    }
    for (size_t i = 0; i < n; i++) {
        power[i] /= (double)(pulses * n_channel);
    }
    free(echo);
    profiler_free(&profiler);
    return status;
}
