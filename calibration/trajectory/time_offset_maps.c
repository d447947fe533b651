#include "calibration/trajectory/time_offset_echo.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Cells of range and rate are sampled twice. */
#define SAMPLING 2
/* What stands out for a reflector: 12 dB over the window's median. */
#define PEAK 1.4f

/* What profiles and maps may take, bytes; maps are copied once. */
#define MEMORY ((double)(1 << 30))

struct profiles {
    size_t n_range;
    double from_m, step_m;
    float complex *line; /* [n_pulse][n_range] */
};

/* Range profiles of all pulses. */
static enum nfsar_status make_profiles(const struct offset_data *data, struct profiles *profiles,
                                       nfsar_error *error) {
    const size_t n = profiles->n_range, n_sample = data->n_sample;
    float complex *turn = malloc(n * n_sample * sizeof *turn);
    profiles->line = malloc(data->n_pulse * n * sizeof *profiles->line);
    if (turn == NULL || profiles->line == NULL) {
        free(turn);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    echo_transform(data, profiles->from_m, profiles->step_m, n, turn);
#pragma omp parallel for schedule(static)
    for (size_t p = 0; p < data->n_pulse; p++) {
        const float complex *echo = data->echo + p * n_sample;
        for (size_t b = 0; b < n; b++) {
            float complex sum = 0.0f;
            for (size_t i = 0; i < n_sample; i++) {
                sum += echo[i] * turn[b * n_sample + i];
            }
            profiles->line[p * n + b] = sum;
        }
    }
    free(turn);
    return NFSAR_OK;
}

/* Amplitude over rate at one range of one window. phasor[count][n_rate]. */
static void transform_range(const float complex *line, size_t stride, size_t count,
                            const float *taper, const float complex *phasor, size_t n_rate,
                            float complex *sum, float *out) {
    float complex mean = 0.0f;
    float weight = 0.0f;
    for (size_t n = 0; n < count; n++) {
        mean += taper[n] * line[n * stride];
        weight += taper[n];
    }
    /* What stands still: leakage, and reflections that move with the radar. */
    mean /= weight;
    memset(sum, 0, n_rate * sizeof *sum);
    for (size_t n = 0; n < count; n++) {
        const float complex value = taper[n] * (line[n * stride] - mean);
        for (size_t j = 0; j < n_rate; j++) {
            sum[j] += value * phasor[n * n_rate + j];
        }
    }
    for (size_t j = 0; j < n_rate; j++) {
        out[j] = cabsf(sum[j]);
    }
}

static int compare(const void *a, const void *b) {
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static bool is_notched(const struct offset_maps *maps, size_t j) {
    return fabs(maps->rate_from + maps->rate_step * (double)j) < maps->notch;
}

/* Amplitudes to scores. */
static float score_window(const struct offset_maps *maps, float *map, float *sorted) {
    const size_t cells = maps->n_range * maps->n_rate;
    memcpy(sorted, map, cells * sizeof *sorted);
    qsort(sorted, cells, sizeof *sorted, compare);
    const float level = sorted[cells / 2];
    double sum = 0.0;
    size_t n = 0;
    for (size_t i = 0; i < cells; i++) {
        const bool none = is_notched(maps, i % maps->n_rate) || !(level > 0.0f);
        map[i] = none ? 0.0f : fmaxf(logf(fmaxf(map[i], 1e-30f) / level), 0.0f);
        sum += (double)fminf(map[i], CONTRAST);
        n += !none;
    }
    const float mean = n > 0 ? (float)(sum / (double)n) : 0.0f;
    for (size_t i = 0; n > 0 && i < cells; i++) {
        map[i] -= is_notched(maps, i % maps->n_rate) ? 0.0f : mean;
    }
    return mean;
}

static void fill_window(const struct offset_data *data, const struct profiles *profiles,
                        struct offset_maps *maps, size_t w, float *taper, float complex *phasor,
                        float complex *sum, float *sorted) {
    const size_t count = data->count[w], first = data->first[w];
    float *map = maps->score + w * maps->n_range * maps->n_rate;
    if (count < 4) {
        maps->mean[w] = 0.0f;
        memset(map, 0, maps->n_range * maps->n_rate * sizeof *map);
        return;
    }
    for (size_t n = 0; n < count; n++) {
        const double at = data->time_s[first + n] - data->middle_s[w];
        taper[n] = (float)(0.5 + 0.5 * cos(2.0 * NFSAR_PI * at / data->window_s) + 1e-6);
        for (size_t j = 0; j < maps->n_rate; j++) {
            const double rate = maps->rate_from + maps->rate_step * (double)j;
            const double phase = -4.0 * NFSAR_PI / data->wavelength_m * rate * at;
            phasor[n * maps->n_rate + j] = CMPLXF((float)cos(phase), (float)sin(phase));
        }
    }
    for (size_t b = 0; b < maps->n_range; b++) {
        transform_range(profiles->line + first * maps->n_range + b, maps->n_range, count, taper,
                        phasor, maps->n_rate, sum, map + b * maps->n_rate);
    }
    maps->mean[w] = score_window(maps, map, sorted);
}

static enum nfsar_status fill(const struct offset_data *data, const struct profiles *profiles,
                              const nfsar_progress *progress, struct offset_maps *maps,
                              nfsar_error *error) {
    size_t most = 4;
    for (size_t w = 0; w < data->n_window; w++) {
        most = data->count[w] > most ? data->count[w] : most;
    }
    bool memory = true;
    const size_t cells = maps->n_range * maps->n_rate;
#pragma omp parallel
    {
        float *taper = malloc(most * sizeof *taper);
        float complex *phasor = malloc(most * maps->n_rate * sizeof *phasor);
        float complex *sum = malloc(maps->n_rate * sizeof *sum);
        float *sorted = malloc(cells * sizeof *sorted);
        const bool has = taper != NULL && phasor != NULL && sum != NULL && sorted != NULL;
        if (!has) {
#pragma omp atomic write
            memory = false;
        }
#pragma omp for schedule(dynamic)
        for (size_t w = 0; w < data->n_window; w++) {
            if (has) {
                fill_window(data, profiles, maps, w, taper, phasor, sum, sorted);
            }
        }
        free(taper);
        free(phasor);
        free(sum);
        free(sorted);
    }
    if (!memory) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    return nfsar_progress_report(progress, 0.3)
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_CANCELLED, "align was cancelled");
}

/* Ranges, windows and rates multiply. */
static enum nfsar_status check_memory(const struct offset_data *data,
                                      const struct offset_maps *maps, nfsar_error *error) {
    const double range = (double)maps->n_range;
    const double bytes =
        range * (double)data->n_pulse * sizeof(float complex) +
        range * (double)data->n_sample * sizeof(float complex) +
        2.0 * range * (double)maps->n_window * (double)maps->n_rate * sizeof(float);
    return bytes <= MEMORY
               ? NFSAR_OK
               : nfsar_fail(
                     error, NFSAR_ERROR_UNSUPPORTED,
                     "maps of %zu windows, %zu ranges and %zu range rates need %.3g GiB, "
                     "more than the 1 GiB they may take: give a narrower gate (echoes from %.4g "
                     "to %.4g m are looked at), or align a part of the capture",
                     maps->n_window, maps->n_range, maps->n_rate, bytes / MEMORY, data->near_m,
                     data->far_m);
}

enum nfsar_status offset_maps_make(const struct offset_data *data,
                                   const nfsar_time_offset_options *options,
                                   struct offset_maps *maps, nfsar_error *error) {
    struct profiles profiles = {.from_m = data->near_m, .step_m = data->cell_m / SAMPLING};
    const double cover = fmin(data->nyquist_m_per_s, 1.15 * data->fastest_m_per_s);
    memset(maps, 0, sizeof *maps);
    profiles.n_range = (size_t)((data->far_m - data->near_m) / profiles.step_m) + 2;
    maps->n_window = data->n_window;
    maps->n_range = profiles.n_range;
    maps->range_from_m = profiles.from_m;
    maps->range_step_m = profiles.step_m;
    maps->rate_cell = 0.5 * data->wavelength_m / data->window_s;
    maps->rate_step = maps->rate_cell / SAMPLING;
    /* The mean that was taken out leaves nothing of rates below. */
    maps->notch = 0.75 * maps->rate_cell;
    const size_t half = (size_t)ceil(cover / maps->rate_step);
    maps->n_rate = 2 * half + 1;
    maps->rate_from = -maps->rate_step * (double)half;
    enum nfsar_status status = check_memory(data, maps, error);
    if (status == NFSAR_OK) {
        status = make_profiles(data, &profiles, error);
    }
    if (status == NFSAR_OK) {
        maps->score = malloc(maps->n_window * maps->n_range * maps->n_rate * sizeof *maps->score);
        maps->mean = malloc(maps->n_window * sizeof *maps->mean);
        status = maps->score != NULL && maps->mean != NULL
                     ? fill(data, &profiles, options->progress, maps, error)
                     : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    free(profiles.line);
    return status;
}

void offset_maps_free(struct offset_maps *maps) {
    free(maps->score);
    free(maps->mean);
    memset(maps, 0, sizeof *maps);
}

/* Index of a range, and of a rate; false outside the map. Both repeat. */
static bool cell_of(const struct offset_data *data, const struct offset_maps *maps, double range_m,
                    double rate, double *b, double *j) {
    const double turn = 2.0 * data->nyquist_m_per_s;
    range_m -= data->unambiguous_m * floor((range_m - maps->range_from_m) / data->unambiguous_m);
    rate -= turn * floor(rate / turn + 0.5);
    *b = (range_m - maps->range_from_m) / maps->range_step_m;
    *j = (rate - maps->rate_from) / maps->rate_step;
    return *b >= 0.0 && *b <= (double)maps->n_range - 1.0 && *j >= 0.0 &&
           *j <= (double)maps->n_rate - 1.0;
}

float offset_maps_at(const struct offset_data *data, const struct offset_maps *maps, size_t window,
                     double range_m, double rate) {
    double b, j;
    if (!cell_of(data, maps, range_m, rate, &b, &j)) {
        return 0.0f;
    }
    const size_t ib = (size_t)b, ij = (size_t)j;
    const float fb = (float)(b - (double)ib), fj = (float)(j - (double)ij);
    const float *at = maps->score + (window * maps->n_range + ib) * maps->n_rate + ij;
    const size_t up = ib + 1 < maps->n_range ? maps->n_rate : 0;
    const size_t right = ij + 1 < maps->n_rate ? 1 : 0;
    const float low = at[0] + fj * (at[right] - at[0]);
    const float high = at[up] + fj * (at[up + right] - at[up]);
    /* One bright reflector is not to outvote the others. */
    return fminf(low + fb * (high - low), CONTRAST);
}

/* Where the parabola through three values about a largest one has its top, -1/2 to 1/2. */
static double top(double before, double at, double after) {
    const double bend = before - 2.0 * at + after;
    return bend < 0.0 ? fmax(-0.5, fmin(0.5, 0.5 * (before - after) / bend)) : 0.0;
}

bool offset_maps_peak(const struct offset_data *data, const struct offset_maps *maps, size_t window,
                      double range_m, double rate, long reach, double *peak_range_m,
                      double *peak_rate) {
    double b, j;
    if (!cell_of(data, maps, range_m, rate, &b, &j)) {
        return false;
    }
    const float *map = maps->score + window * maps->n_range * maps->n_rate;
    const long cb = lround(b), cj = lround(j);
    const long nb = (long)maps->n_range, nj = (long)maps->n_rate;
    long best_b = -1, best_j = -1;
    float best = PEAK - maps->mean[window];
    for (long ib = cb - reach > 1 ? cb - reach : 1; ib <= cb + reach && ib < nb - 1; ib++) {
        for (long ij = cj - reach > 1 ? cj - reach : 1; ij <= cj + reach && ij < nj - 1; ij++) {
            if (!is_notched(maps, (size_t)ij) && map[ib * nj + ij] > best) {
                best = map[ib * nj + ij];
                best_b = ib;
                best_j = ij;
            }
        }
    }
    /* A top at the edge of the reach belongs to something else. */
    if (best_b < 0 || labs(best_b - cb) == reach || labs(best_j - cj) == reach) {
        return false;
    }
    const float *at = map + best_b * nj + best_j;
    *peak_range_m =
        range_m + maps->range_step_m *
                      ((double)best_b + top((double)at[-nj], (double)at[0], (double)at[nj]) - b);
    *peak_rate = rate + maps->rate_step * ((double)best_j +
                                           top((double)at[-1], (double)at[0], (double)at[1]) - j);
    return true;
}
