#include "calibration/channels_lines.h"

#include <math.h>
#include <stdlib.h>

#include <nfsar/geometry.h>

/* Samples that are kept in memory, 32 MiB: thousands of pulses tell the place and the channels
 * to less than poses and hardware hold. */
#define MOST_SAMPLES ((size_t)1 << 22)
/* But for very long pulses. */
#define LEAST_PULSES ((size_t)256)

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

/* Which pulses are used: all whole ones, or of very many as many as there is room for. Those are
 * evenly spread, but not in equal steps, which might pick one column of a raster. */
static enum nfsar_status pick_pulses(struct channel_lines *l, nfsar_error *error) {
    const nfsar_capture *capture = l->capture;
    l->pulse = malloc(capture->n_pulse * sizeof *l->pulse);
    if (l->pulse == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    size_t n = 0, pulse = l->n_channel * l->n_sample;
    for (size_t p = 0; p < capture->n_pulse; p++) {
        if ((capture->flags[p] & NFSAR_PULSE_SAMPLES_MISSING) == 0) {
            l->pulse[n++] = p;
        }
    }
    l->n_missing = capture->n_pulse - n;
    if (n == 0) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "every pulse misses samples");
    }
    size_t most = MOST_SAMPLES / pulse > LEAST_PULSES ? MOST_SAMPLES / pulse : LEAST_PULSES;
    l->n_pulse = n < most ? n : most;
    for (size_t i = 0; l->n_pulse < n && i < most; i++) {
        double each = (double)n / (double)most, within = fmod(0.6180339887498949 * (double)i, 1.0);
        size_t from = (size_t)(each * (double)i), to = (size_t)(each * (double)(i + 1));
        l->pulse[i] = l->pulse[from + (size_t)(within * (double)(to - from))];
    }
    l->n_line = l->n_channel * l->n_pulse;
    return NFSAR_OK;
}

/* Samples and antennas, in runs of pulses that follow one another. */
static enum nfsar_status read_pulses(struct channel_lines *l, const nfsar_echo_source *source,
                                     nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    for (size_t first = 0, n; status == NFSAR_OK && first < l->n_pulse; first += n) {
        n = 1;
        while (first + n < l->n_pulse && l->pulse[first + n] == l->pulse[first] + n) {
            n++;
        }
        size_t line = first * l->n_channel;
        status = source->read(source->context, l->pulse[first], n, 0, l->n_sample,
                              l->sample + line * l->n_sample, error);
        if (status == NFSAR_OK) {
            status = nfsar_capture_antennas(l->capture, false, l->pulse[first], n, l->tx + line,
                                            l->rx + line, error);
        }
    }
    return status;
}

/* So that a pulse has one number, here and in the capture. */
static enum nfsar_status view_used(struct channel_lines *l, nfsar_error *error) {
    double *time_s = malloc(l->n_pulse * sizeof *time_s);
    uint8_t *flags = malloc(l->n_pulse * sizeof *flags);
    if (time_s == NULL || flags == NULL) {
        free(time_s);
        free(flags);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t p = 0; p < l->n_pulse; p++) {
        time_s[p] = l->capture->time_s[l->pulse[p]];
        flags[p] = l->capture->flags[l->pulse[p]];
    }
    l->used = *l->capture;
    l->used.n_pulse = l->n_pulse;
    l->used.time_s = time_s;
    l->used.flags = flags;
    l->used.echo = NULL;
    l->capture = &l->used;
    return NFSAR_OK;
}

enum nfsar_status channel_lines_open(const nfsar_capture *capture, const nfsar_echo_source *source,
                                     enum nfsar_window window, struct channel_lines *lines,
                                     nfsar_error *error) {
    struct channel_lines *l = lines;
    *l = (struct channel_lines){.whole = capture, .capture = capture};
    l->n_channel = capture->array.n_channel;
    l->n_sample = capture->n_sample;
    enum nfsar_status status = pick_pulses(l, error);
    if (status != NFSAR_OK) {
        channel_lines_close(l);
        return status;
    }
    l->omega = malloc(l->n_sample * sizeof *l->omega);
    l->taper = malloc(l->n_sample * sizeof *l->taper);
    l->tx = malloc(l->n_line * sizeof *l->tx);
    l->rx = malloc(l->n_line * sizeof *l->rx);
    l->sample = malloc(l->n_line * l->n_sample * sizeof *l->sample);
    double *position = malloc(l->n_sample * sizeof *position);
    float *taper = malloc(l->n_sample * sizeof *taper);
    if (l->omega == NULL || l->taper == NULL || l->tx == NULL || l->rx == NULL ||
        l->sample == NULL || position == NULL || taper == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    } else {
        weigh(l, window, position, taper);
        l->uniform = nfsar_frequencies_uniform(capture->frequency_hz, l->n_sample, 1e-6, NULL);
        status = read_pulses(l, source, error);
    }
    if (status == NFSAR_OK) {
        status = view_used(l, error);
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
    free(lines->sample);
    free(lines->pulse);
    free(lines->used.time_s);
    free(lines->used.flags);
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
    (void)error;
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < lines->n_line; i++) {
        sum_line(lines, lines->sample + i * lines->n_sample, t[i], &s0[i],
                 s1 != NULL ? &s1[i] : NULL);
    }
    return NFSAR_OK;
}

enum nfsar_status channel_lines_profiles(struct channel_lines *lines, size_t stride, double first,
                                         double step, size_t n, float *power, nfsar_error *error) {
    (void)error;
    const struct channel_lines *l = lines;
    size_t n_row = (l->n_pulse + stride - 1) / stride;
#pragma omp parallel for schedule(static)
    for (size_t k = 0; k < n_row * l->n_channel; k++) {
        size_t line = k / l->n_channel * stride * l->n_channel + k % l->n_channel;
        for (size_t i = 0; i < n; i++) {
            double complex s0 = 0.0;
            sum_line(l, l->sample + line * l->n_sample, first + (double)i * step, &s0, NULL);
            power[k * n + i] = (float)channel_power(s0);
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

nfsar_quaternion channel_lines_radar(const struct channel_lines *lines, size_t pulse,
                                     nfsar_vec3 *centre) {
    const nfsar_capture *capture = lines->capture;
    *centre = (nfsar_vec3){0.0, 0.0, 0.0};
    for (size_t c = 0; c < lines->n_channel; c++) {
        size_t i = pulse * lines->n_channel + c;
        *centre = nfsar_vec3_add(*centre, nfsar_vec3_midpoint(lines->tx[i], lines->rx[i]));
    }
    *centre = nfsar_vec3_scale(*centre, 1.0 / (double)lines->n_channel);
    return nfsar_track_pose(capture->pose_time_s, capture->pose, capture->n_pose,
                            capture->time_s[pulse], NULL)
        .orientation;
}
