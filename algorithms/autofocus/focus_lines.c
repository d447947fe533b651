#include "algorithms/autofocus/focus_lines.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/simulation.h>

#include "algorithms/buffer.h"

/* Frequencies for each cycle that the region's farthest ways make over the band: two are Nyquist's.
 */
#define OVERSAMPLING 3.0

/* Of a sample, against the echoes' power, when they are carried to other frequencies. */
#define NOISE 0.02

/* Samples kept aside: every second one; where there are too few, every second channel. */
static bool by_samples(const nfsar_capture *capture) {
    return capture->n_sample >= 8;
}

static enum nfsar_status check_split(const nfsar_capture *capture, nfsar_error *error) {
    if (!by_samples(capture) && capture->array.n_channel < 2) {
        return nfsar_fail(
            error, NFSAR_ERROR_GEOMETRY,
            "%zu frequencies of one channel are too few to fit with some and to check "
            "with the others: autofocus wants 8 frequencies or 2 channels",
            capture->n_sample);
    }
    return NFSAR_OK;
}

static double sinc(double x) {
    return fabs(x) < 1e-9 ? 1.0 : sin(x) / x;
}

/* The band: uniform frequencies from the lowest to the highest that are there. */
static enum nfsar_status choose_band(const nfsar_capture *capture, double reach,
                                     struct focus_lines *lines, nfsar_error *error) {
    double low = INFINITY, high = 0.0;
    for (size_t i = 0; i < capture->n_sample; i++) {
        low = fmin(low, capture->frequency_hz[i]);
        high = fmax(high, capture->frequency_hz[i]);
    }
    const double cycles = 2.0 * (high - low) * reach / NFSAR_SPEED_OF_LIGHT;
    double n = high > low ? fmax(4.0, ceil(0.5 * OVERSAMPLING * cycles) + 1.0) : 1.0;
    const double there = (double)(by_samples(capture) ? capture->n_sample / 2 : capture->n_sample);
    if (cycles > there) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "a region whose ways differ by %.3g m is deeper than %.0f frequencies "
                          "over %.4g Hz tell "
                          "apart: give a smaller region (--x, --y, --z)",
                          2.0 * reach, there, high - low);
    }
    n = fmin(n, fmax(there, 1.0));
    if (n > FOCUS_BINS) {
        return nfsar_fail(
            error, NFSAR_ERROR_ARGUMENT,
            "a region whose ways differ by %.3g m wants %g frequencies, and autofocus "
            "has %d: give a smaller region (--x, --y, --z)",
            2.0 * reach, n, (int)FOCUS_BINS);
    }
    const double step = n > 1.0 ? (high - low) / (n - 1.0) : 0.0;
    lines->band =
        (struct focus_band){(size_t)n, low / NFSAR_SPEED_OF_LIGHT, step / NFSAR_SPEED_OF_LIGHT};
    lines->k0 = 2.0 * NFSAR_PI * lines->band.turns;
    lines->dk = 2.0 * NFSAR_PI * lines->band.step;
    return NFSAR_OK;
}

/* Pulses and channels spread evenly, at most `most` lines. Channels go first: those of one pulse
 * are a fraction of a wavelength apart, and one error. */
static enum nfsar_status choose_lines(const nfsar_capture *capture, size_t most,
                                      struct focus_lines *lines, size_t **channel,
                                      nfsar_error *error) {
    const size_t n_channel = capture->array.n_channel;
    size_t usable = 0;
    for (size_t i = 0; i < capture->n_pulse; i++) {
        usable += (capture->flags[i] & NFSAR_PULSE_SAMPLES_MISSING) == 0;
    }
    if (usable < 64) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "%zu whole pulses are too few for autofocus: 64 are the least", usable);
    }
    size_t channels = n_channel, least = n_channel < 4 ? n_channel : 4;
    while (channels > least && usable * channels > most) {
        channels--;
    }
    size_t pulses = usable;
    if (usable * channels > most) {
        pulses = most / channels < 64 ? 64 : most / channels;
    }
    lines->n_pulse = pulses;
    lines->per_pulse = channels;
    lines->n = pulses * channels;
    lines->pulse = buffer_alloc(pulses, sizeof *lines->pulse);
    *channel = buffer_alloc(channels, sizeof **channel);
    if (lines->pulse == NULL || *channel == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu pulses", pulses);
    }
    size_t seen = 0, taken = 0;
    for (size_t i = 0; i < capture->n_pulse && taken < pulses; i++) {
        if ((capture->flags[i] & NFSAR_PULSE_SAMPLES_MISSING) == 0) {
            if (seen * pulses / usable >= taken) {
                lines->pulse[taken++] = i;
            }
            seen++;
        }
    }
    lines->n_pulse = taken;
    lines->n = taken * channels;
    for (size_t i = 0; i < channels; i++) {
        (*channel)[i] = i * n_channel / channels;
    }
    return NFSAR_OK;
}

/* Echoes at the band's frequencies from those at `count` others, [band.n][count]: the conditional
 * mean of a process whose ways are spread evenly up to `reach` about the centre's, so that their
 * correlation at frequencies df apart is sinc(2 pi df reach / c). What comes from farther is held
 * back. */
static enum nfsar_status make_mixer(const struct focus_lines *lines, double reach,
                                    const double *frequency_hz, size_t count, double *mixer,
                                    nfsar_error *error) {
    const size_t n = lines->band.n;
    double *matrix = buffer_alloc(count * count, sizeof *matrix);
    int info = -1;
    if (matrix != NULL) {
        const double scale = 2.0 * NFSAR_PI * reach / NFSAR_SPEED_OF_LIGHT;
        for (size_t a = 0; a < count; a++) {
            for (size_t b = 0; b < count; b++) {
                matrix[a * count + b] = sinc(scale * (frequency_hz[a] - frequency_hz[b]));
            }
            matrix[a * count + a] += NOISE;
        }
        for (size_t b = 0; b < n; b++) {
            const double at =
                NFSAR_SPEED_OF_LIGHT * (lines->band.turns + (double)b * lines->band.step);
            for (size_t a = 0; a < count; a++) {
                mixer[b * count + a] = sinc(scale * (frequency_hz[a] - at));
            }
        }
        info = (int)LAPACKE_dposv(LAPACK_COL_MAJOR, 'L', (lapack_int)count, (lapack_int)n, matrix,
                                  (lapack_int)count, mixer, (lapack_int)count);
    }
    free(matrix);
    if (info > 0) {
        return nfsar_fail(
            error, NFSAR_ERROR_GEOMETRY,
            "%zu frequencies do not tell the region's depths apart: some are the same", count);
    }
    return info == 0
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu frequencies", count);
}

static enum nfsar_status fill_pulse(const nfsar_capture *capture, const nfsar_echo_source *source,
                                    nfsar_vec3 centre, const size_t *channel, size_t p,
                                    double *const mixer[FOCUS_HALVES], float complex *echo,
                                    nfsar_vec3 *tx, nfsar_vec3 *rx, struct focus_lines *lines,
                                    nfsar_error *error) {
    const size_t pulse = lines->pulse[p], n_sample = capture->n_sample;
    enum nfsar_status status = source->read(source->context, pulse, 1, 0, n_sample, echo, error);
    if (status == NFSAR_OK) {
        status = nfsar_capture_antennas(capture, false, pulse, 1, tx, rx, error);
    }
    for (size_t i = 0; status == NFSAR_OK && i < lines->per_pulse; i++) {
        const size_t c = channel[i], line = p * lines->per_pulse + i;
        lines->tx[line] = nfsar_vec3_subtract(tx[c], centre);
        lines->rx[line] = nfsar_vec3_subtract(rx[c], centre);
        lines->base[line] = nfsar_vec3_norm(lines->tx[line]) + nfsar_vec3_norm(lines->rx[line]);
        lines->time_s[line] =
            capture->time_s[pulse] +
            (capture->array.channel_time_s != NULL ? capture->array.channel_time_s[c] : 0.0);
        for (size_t s = 0; s < n_sample; s++) {
            const float complex sample = echo[c * n_sample + s];
            if (!isfinite(crealf(sample)) || !isfinite(cimagf(sample))) {
                return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                                  "pulse %zu, channel %zu, sample %zu is not a finite number",
                                  pulse, c, s);
            }
            const double phase = -2.0 * NFSAR_PI * capture->frequency_hz[s] / NFSAR_SPEED_OF_LIGHT *
                                 lines->base[line];
            const double complex moved = (double complex)sample * CMPLX(cos(phase), sin(phase));
            const size_t half = by_samples(capture) ? s % 2 : i % 2;
            const size_t count = by_samples(capture) ? (n_sample + 1 - half) / 2 : n_sample;
            const double *by = mixer[half] + (by_samples(capture) ? s / 2 : s);
            float complex *to = lines->data[half] + line * lines->band.n;
            for (size_t b = 0; b < lines->band.n; b++) {
                to[b] += (float complex)(by[b * count] * moved);
            }
        }
    }
    return status;
}

enum nfsar_status focus_lines_read(const nfsar_capture *capture, const nfsar_echo_source *source,
                                   nfsar_vec3 centre, double reach, size_t most,
                                   struct focus_lines *lines, const nfsar_progress *progress,
                                   nfsar_error *error) {
    memset(lines, 0, sizeof *lines);
    size_t *channel = NULL;
    enum nfsar_status status = check_split(capture, error);
    if (status == NFSAR_OK) {
        status = choose_band(capture, reach, lines, error);
    }
    if (status == NFSAR_OK) {
        status = choose_lines(capture, most, lines, &channel, error);
    }
    if (status != NFSAR_OK) {
        free(channel);
        return status;
    }
    const size_t n_channel = capture->array.n_channel, n = lines->n;
    lines->time_s = buffer_alloc(n, sizeof *lines->time_s);
    lines->tx = buffer_alloc(n, sizeof *lines->tx);
    lines->rx = buffer_alloc(n, sizeof *lines->rx);
    lines->base = buffer_alloc(n, sizeof *lines->base);
    lines->data[FOCUS_FIT] = buffer_zeros(n * lines->band.n, sizeof(float complex));
    lines->data[FOCUS_HELD] = buffer_zeros(n * lines->band.n, sizeof(float complex));
    lines->both = buffer_zeros(n * lines->band.n, sizeof(float complex));
    float complex *echo = buffer_alloc(n_channel * capture->n_sample, sizeof *echo);
    nfsar_vec3 *antenna = buffer_alloc(2 * n_channel, sizeof *antenna);
    if (lines->time_s == NULL || lines->tx == NULL || lines->rx == NULL || lines->base == NULL ||
        lines->data[FOCUS_FIT] == NULL || lines->data[FOCUS_HELD] == NULL || lines->both == NULL ||
        echo == NULL || antenna == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu echoes", n);
    }
    double *mixer[FOCUS_HALVES] = {NULL, NULL},
           *kept = buffer_alloc(capture->n_sample, sizeof *kept);
    for (size_t half = 0; status == NFSAR_OK && half < FOCUS_HALVES; half++) {
        size_t count = 0;
        for (size_t i = 0; kept != NULL && i < capture->n_sample; i++) {
            if (!by_samples(capture) || i % 2 == half) {
                kept[count++] = capture->frequency_hz[i];
            }
        }
        mixer[half] = buffer_alloc(count * lines->band.n, sizeof *mixer[half]);
        status = kept != NULL && mixer[half] != NULL
                     ? make_mixer(lines, reach, kept, count, mixer[half], error)
                     : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    free(kept);
    for (size_t p = 0; status == NFSAR_OK && p < lines->n_pulse; p++) {
        status = fill_pulse(capture, source, centre, channel, p, mixer, echo, antenna,
                            antenna + n_channel, lines, error);
        if (status == NFSAR_OK && p % 256 == 0 &&
            !nfsar_progress_report(progress, 0.05 * (double)p / (double)lines->n_pulse)) {
            status = nfsar_fail(error, NFSAR_ERROR_CANCELLED, "cancelled");
        }
    }
    lines->begin_s = INFINITY;
    lines->end_s = -INFINITY;
    for (size_t l = 0; status == NFSAR_OK && l < n; l++) {
        lines->begin_s = fmin(lines->begin_s, lines->time_s[l]);
        lines->end_s = fmax(lines->end_s, lines->time_s[l]);
    }
    for (size_t i = 0; status == NFSAR_OK && i < n * lines->band.n; i++) {
        lines->both[i] = lines->data[FOCUS_FIT][i] + lines->data[FOCUS_HELD][i];
    }
    free(mixer[FOCUS_FIT]);
    free(mixer[FOCUS_HELD]);
    free(channel);
    free(echo);
    free(antenna);
    return status;
}

void focus_lines_free(struct focus_lines *lines) {
    free(lines->pulse);
    free(lines->time_s);
    free(lines->tx);
    free(lines->rx);
    free(lines->base);
    free(lines->data[FOCUS_FIT]);
    free(lines->data[FOCUS_HELD]);
    free(lines->both);
    memset(lines, 0, sizeof *lines);
}

void focus_lines_scramble(struct focus_lines *lines, unsigned long seed) {
    nfsar_random random;
    nfsar_random_seed(&random, seed);
    const size_t per_pulse = lines->per_pulse * lines->band.n;
    for (size_t p = 0; p < lines->n_pulse; p++) {
        const double phase = 2.0 * NFSAR_PI * nfsar_random_uniform(&random);
        const float complex turn = (float complex)CMPLX(cos(phase), sin(phase));
        for (size_t i = p * per_pulse; i < (p + 1) * per_pulse; i++) {
            lines->data[FOCUS_FIT][i] *= turn;
            lines->data[FOCUS_HELD][i] *= turn;
            lines->both[i] *= turn;
        }
    }
}
