#include "calibration/channels_lines.h"

#include <math.h>
#include <stdlib.h>

#include <nfsar/geometry.h>

/* Samples that are read at a time. */
#define BLOCK_SAMPLES ((size_t)1 << 22)

static void weigh(struct channel_lines *l, enum nfsar_window window, double *position,
                  float *taper) {
    double low = INFINITY, high = -INFINITY, sum_wf = 0.0, sum_ww = 0.0, sum_wwxx = 0.0;
    for (size_t n = 0; n < l->n_sample; n++) {
        low = fmin(low, l->capture->frequency_hz[n]);
        high = fmax(high, l->capture->frequency_hz[n]);
    }
    l->bandwidth_hz = high - low;
    /* A Hann window is zero at its ends: one step farther out nothing is wasted. */
    double step = l->n_sample > 1 ? l->bandwidth_hz / (double)(l->n_sample - 1) : 1.0;
    for (size_t n = 0; n < l->n_sample; n++) {
        position[n] = (l->capture->frequency_hz[n] - low + step) / (l->bandwidth_hz + 2.0 * step);
    }
    nfsar_window_taper_at(window, position, l->n_sample, taper);
    for (size_t n = 0; n < l->n_sample; n++) {
        l->taper[n] = taper[n];
        l->sum_w += taper[n];
        sum_wf += taper[n] * l->capture->frequency_hz[n];
    }
    l->step_hz = step;
    l->centre_hz = sum_wf / l->sum_w;
    for (size_t n = 0; n < l->n_sample; n++) {
        double w = l->taper[n];
        l->omega[n] = 2.0 * NFSAR_PI * l->capture->frequency_hz[n];
        double x = l->omega[n] - 2.0 * NFSAR_PI * l->centre_hz;
        l->sum_wxx += w * x * x;
        sum_ww += w * w;
        sum_wwxx += w * w * x * x;
    }
    l->phase_weight = l->sum_w * l->sum_w / sum_ww;
    l->delay_weight = l->sum_wxx * l->sum_wxx / sum_wwxx;
}

enum nfsar_status channel_lines_open(const nfsar_capture *capture, const nfsar_echo_source *source,
                                     enum nfsar_window window, struct channel_lines *lines,
                                     nfsar_error *error) {
    struct channel_lines *l = lines;
    *l = (struct channel_lines){.capture = capture, .source = source};
    l->n_channel = capture->array.n_channel;
    l->n_pulse = capture->n_pulse;
    l->n_sample = capture->n_sample;
    l->n_line = l->n_channel * l->n_pulse;
    size_t pulse = l->n_channel * l->n_sample;
    l->block_pulses = BLOCK_SAMPLES / pulse > 0 ? BLOCK_SAMPLES / pulse : 1;
    l->block_pulses = l->block_pulses < l->n_pulse ? l->block_pulses : l->n_pulse;
    l->omega = malloc(l->n_sample * sizeof *l->omega);
    l->taper = malloc(l->n_sample * sizeof *l->taper);
    l->tx = malloc(l->n_line * sizeof *l->tx);
    l->rx = malloc(l->n_line * sizeof *l->rx);
    l->block = malloc(l->block_pulses * pulse * sizeof *l->block);
    double *position = malloc(l->n_sample * sizeof *position);
    float *taper = malloc(l->n_sample * sizeof *taper);
    enum nfsar_status status = NFSAR_OK;
    if (l->omega == NULL || l->taper == NULL || l->tx == NULL || l->rx == NULL ||
        l->block == NULL || position == NULL || taper == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    } else {
        weigh(l, window, position, taper);
        l->uniform = nfsar_frequencies_uniform(capture->frequency_hz, l->n_sample, 1e-6, NULL);
        status = nfsar_capture_antennas(capture, false, 0, l->n_pulse, l->tx, l->rx, error);
    }
    free(position);
    free(taper);
    if (status != NFSAR_OK) {
        channel_lines_close(l);
    }
    return status;
}

void channel_lines_close(struct channel_lines *lines) {
    free(lines->omega);
    free(lines->taper);
    free(lines->tx);
    free(lines->rx);
    free(lines->block);
    *lines = (struct channel_lines){0};
}

/* One line at one delay. */
static void sum_line(const struct channel_lines *l, const float complex *y, double t,
                     double complex *s0, double complex *s1) {
    double complex sum0 = 0.0, sum1 = 0.0;
    double centre = 2.0 * NFSAR_PI * l->centre_hz;
    double complex phasor = 1.0, turn = 1.0;
    if (l->uniform && l->n_sample > 1) {
        double step = (l->omega[l->n_sample - 1] - l->omega[0]) / (double)(l->n_sample - 1);
        turn = cexp(-I * remainder(step * t, 2.0 * NFSAR_PI));
        phasor = cexp(-I * remainder(l->omega[0] * t, 2.0 * NFSAR_PI));
    }
    for (size_t n = 0; n < l->n_sample; n++) {
        if (!l->uniform) {
            phasor = cexp(-I * remainder(l->omega[n] * t, 2.0 * NFSAR_PI));
        }
        double complex z = l->taper[n] * (double complex)y[n] * phasor;
        sum0 += z;
        sum1 += (l->omega[n] - centre) * z;
        phasor *= turn;
    }
    *s0 = sum0 / l->sum_w;
    if (s1 != NULL) {
        *s1 = l->sum_wxx > 0.0 ? sum1 / l->sum_wxx : 0.0;
    }
}

enum nfsar_status channel_lines_sum(struct channel_lines *lines, const double *t,
                                    double complex *s0, double complex *s1, nfsar_error *error) {
    const struct channel_lines *l = lines;
    for (size_t first = 0; first < l->n_pulse; first += l->block_pulses) {
        size_t left = l->n_pulse - first;
        size_t n = left < l->block_pulses ? left : l->block_pulses;
        enum nfsar_status status =
            l->source->read(l->source->context, first, n, 0, l->n_sample, lines->block, error);
        if (status != NFSAR_OK) {
            return status;
        }
        size_t start = first * l->n_channel;
#pragma omp parallel for schedule(static)
        for (size_t i = 0; i < n * l->n_channel; i++) {
            sum_line(l, l->block + i * l->n_sample, t[start + i], &s0[start + i],
                     s1 != NULL ? &s1[start + i] : NULL);
        }
    }
    return NFSAR_OK;
}

enum nfsar_status channel_lines_profiles(struct channel_lines *lines, size_t stride, double first,
                                         double step, size_t n, float *power, nfsar_error *error) {
    const struct channel_lines *l = lines;
    for (size_t p = 0, row = 0; p < l->n_pulse; p += stride, row++) {
        enum nfsar_status status =
            l->source->read(l->source->context, p, 1, 0, l->n_sample, lines->block, error);
        if (status != NFSAR_OK) {
            return status;
        }
        float *rows = power + row * l->n_channel * n;
#pragma omp parallel for collapse(2) schedule(static)
        for (size_t c = 0; c < l->n_channel; c++) {
            for (size_t i = 0; i < n; i++) {
                double complex s0 = 0.0;
                sum_line(l, l->block + c * l->n_sample, first + (double)i * step, &s0, NULL);
                rows[c * n + i] = (float)(creal(s0) * creal(s0) + cimag(s0) * cimag(s0));
            }
        }
    }
    return NFSAR_OK;
}

double channel_lines_delay(const struct channel_lines *lines, size_t line, nfsar_vec3 place) {
    return (nfsar_vec3_distance(place, lines->tx[line]) +
            nfsar_vec3_distance(place, lines->rx[line])) /
           NFSAR_SPEED_OF_LIGHT;
}

static nfsar_vec3 away(nfsar_vec3 from, nfsar_vec3 to) {
    double distance = nfsar_vec3_distance(from, to);
    return distance > 0.0 ? nfsar_vec3_scale(nfsar_vec3_subtract(to, from), 1.0 / distance)
                          : (nfsar_vec3){0.0, 0.0, 0.0};
}

nfsar_vec3 channel_lines_gradient(const struct channel_lines *lines, size_t line,
                                  nfsar_vec3 place) {
    return nfsar_vec3_scale(
        nfsar_vec3_add(away(lines->tx[line], place), away(lines->rx[line], place)),
        1.0 / NFSAR_SPEED_OF_LIGHT);
}
