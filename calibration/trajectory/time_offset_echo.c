#include "calibration/trajectory/time_offset_echo.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/sort.h"

/* Samples that are held in memory, bytes. */
#define MEMORY ((size_t)1 << 30)
/* Pulses by which a channel is chosen. */
#define TRIED 64
/* Another channel is taken when it is so much better: 1 dB. */
#define BETTER 1.26
/* The taper's ends are not divided out beyond this. */
#define LEAST_TAPER 0.05

static bool in_gate(const struct offset_data *data, double range_m) {
    return range_m >= data->gate_m[0] - data->cell_m && range_m <= data->gate_m[1] + data->cell_m;
}

void echo_transform(const struct offset_data *data, double from_m, double step_m, size_t n_range,
                    float complex *turn) {
    const size_t n = data->n_sample;
    for (size_t b = 0; b < n_range; b++) {
        const double range = from_m + step_m * (double)b;
        for (size_t i = 0; i < n; i++) {
            const double cycles =
                data->capture->frequency_hz[i] * 2.0 * range / NFSAR_SPEED_OF_LIGHT;
            const double phase = -2.0 * NFSAR_PI * (cycles - floor(cycles));
            turn[b * n + i] =
                CMPLXF((float)(data->taper[i] * cos(phase)), (float)(data->taper[i] * sin(phase)));
        }
    }
}

/* To the ranges that are told apart: [n_sample][n_sample]. */
static float complex *make_transform(const struct offset_data *data) {
    const size_t n = data->n_sample;
    float complex *turn = n <= MEMORY / sizeof *turn / n ? malloc(n * n * sizeof *turn) : NULL;
    if (turn != NULL) {
        echo_transform(data, 0.0, data->unambiguous_m / (double)n, n, turn);
    }
    return turn;
}

/* ---- the channel ----------------------------------------------------------------------------- */

/* Sums over pulses of each channel's range profile, and of its power. */
struct profiles {
    size_t n_channel, n_range;
    double complex *sum; /* [n_channel][n_range] */
    double *power;
};

static void add_pulse(const struct offset_data *data, const float complex *turn,
                      const float complex *pulse, struct profiles *profiles) {
    const size_t n = data->n_sample;
#pragma omp parallel for schedule(static) collapse(2)
    for (size_t c = 0; c < profiles->n_channel; c++) {
        for (size_t b = 0; b < n; b++) {
            float complex at = 0.0f;
            for (size_t i = 0; i < n; i++) {
                at += pulse[c * n + i] * turn[b * n + i];
            }
            profiles->sum[c * n + b] += (double complex)at;
            profiles->power[c * n + b] +=
                (double)(crealf(at) * crealf(at)) + (double)(cimagf(at) * cimagf(at));
        }
    }
}

/* Power of what moves at the strongest range of the gate, over the median of all ranges. */
static double contrast(const struct offset_data *data, const struct profiles *profiles, size_t c,
                       double pulses, double *sorted) {
    const size_t n = profiles->n_range;
    double best = 0.0;
    for (size_t b = 0; b < n; b++) {
        const double complex mean = profiles->sum[c * n + b] / pulses;
        sorted[b] = profiles->power[c * n + b] / pulses - creal(mean * conj(mean));
        const double range = data->unambiguous_m * (double)b / (double)n;
        best = in_gate(data, range) ? fmax(best, sorted[b]) : best;
    }
    return best / fmax(sort_upper_median(sorted, n), 1e-300);
}

static size_t best_channel(const struct offset_data *data, const struct profiles *profiles,
                           double pulses, double *value, double *sorted) {
    double best = 0.0;
    for (size_t c = 0; c < profiles->n_channel; c++) {
        value[c] = contrast(data, profiles, c, pulses, sorted);
        best = fmax(best, value[c]);
    }
    for (size_t c = 0; c < profiles->n_channel; c++) {
        if (!(value[c] * BETTER < best)) {
            return c;
        }
    }
    return 0;
}

enum nfsar_status echo_choose_channel(const struct offset_data *data,
                                      const nfsar_echo_source *source, size_t *channel,
                                      nfsar_error *error) {
    const size_t n = data->n_sample, n_channel = data->capture->array.n_channel;
    struct profiles profiles = {.n_channel = n_channel, .n_range = n};
    *channel = 0;
    if (n_channel == 1) {
        return NFSAR_OK;
    }
    float complex *turn = make_transform(data);
    float complex *pulse = malloc(n_channel * n * sizeof *pulse);
    double *work = malloc((n_channel + n) * sizeof *work);
    profiles.sum = calloc(n_channel * n, sizeof *profiles.sum);
    profiles.power = calloc(n_channel * n, sizeof *profiles.power);
    const bool has = turn != NULL && pulse != NULL && work != NULL && profiles.sum != NULL &&
                     profiles.power != NULL;
    enum nfsar_status status =
        has ? NFSAR_OK : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    const size_t tried = data->n_pulse < TRIED ? data->n_pulse : TRIED;
    for (size_t i = 0; status == NFSAR_OK && i < tried; i++) {
        status = source->read(source->context, i * data->n_pulse / tried, 1, 0, n, pulse, error);
        if (status == NFSAR_OK) {
            add_pulse(data, turn, pulse, &profiles);
        }
    }
    if (status == NFSAR_OK) {
        *channel = best_channel(data, &profiles, (double)tried, work, work + n_channel);
    }
    free(turn);
    free(pulse);
    free(work);
    free(profiles.sum);
    free(profiles.power);
    return status;
}

/* ---- its samples ----------------------------------------------------------------------------- */

enum nfsar_status echo_read(struct offset_data *data, const nfsar_echo_source *source,
                            size_t channel, nfsar_error *error) {
    const nfsar_capture *capture = data->capture;
    const size_t line = data->n_sample, pulse = capture->array.n_channel * line;
    const size_t block = pulse < ((size_t)1 << 21) ? ((size_t)1 << 21) / pulse : 1;
    if (data->n_pulse > MEMORY / sizeof(float complex) / line) {
        return nfsar_fail(error, NFSAR_ERROR_UNSUPPORTED,
                          "%zu pulses of %zu samples are more than fit into 1 GiB: align a part "
                          "of the capture, and tell the offset for all of it",
                          data->n_pulse, line);
    }
    float complex *all = malloc(block * pulse * sizeof *all);
    data->echo = malloc(data->n_pulse * line * sizeof *data->echo);
    enum nfsar_status status = all != NULL && data->echo != NULL
                                   ? NFSAR_OK
                                   : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    for (size_t first = 0; status == NFSAR_OK && first < data->n_pulse; first += block) {
        const size_t left = data->n_pulse - first, n = left < block ? left : block;
        status = source->read(source->context, first, n, 0, line, all, error);
        for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
            memcpy(data->echo + (first + i) * line, all + i * pulse + channel * line,
                   line * sizeof *all);
        }
    }
    free(all);
    return status;
}

/* ---- the gate -------------------------------------------------------------------------------- */

enum nfsar_status echo_gate(struct offset_data *data, nfsar_error *error) {
    const size_t n = data->n_sample;
    if (data->gate_m[1] == INFINITY || data->step_hz == 0.0) {
        return NFSAR_OK;
    }
    float complex *turn = make_transform(data);
    bool memory = turn != NULL;
#pragma omp parallel
    {
        float complex *line = malloc(n * sizeof *line);
        if (line == NULL) {
#pragma omp atomic write
            memory = false;
        }
#pragma omp for schedule(static)
        for (size_t p = 0; p < data->n_pulse; p++) {
            float complex *echo = data->echo + p * n;
            if (line == NULL || turn == NULL) {
                continue;
            }
            memcpy(line, echo, n * sizeof *line);
            memset(echo, 0, n * sizeof *echo);
            for (size_t b = 0; b < n; b++) {
                float complex at = 0.0f;
                if (!in_gate(data, data->unambiguous_m * (double)b / (double)n)) {
                    continue;
                }
                for (size_t i = 0; i < n; i++) {
                    at += line[i] * turn[b * n + i];
                }
                for (size_t i = 0; i < n; i++) {
                    echo[i] += at * conjf(turn[b * n + i]);
                }
            }
            /* The taper is in there twice: once for the profile, and once for the way back. */
            for (size_t i = 0; i < n; i++) {
                const double taper = fmax(data->taper[i], LEAST_TAPER);
                echo[i] /= (float)(taper * taper * (double)n);
            }
        }
        free(line);
    }
    free(turn);
    return memory ? NFSAR_OK : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
}
