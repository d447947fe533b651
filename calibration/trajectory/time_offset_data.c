#include "calibration/trajectory/time_offset_data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/range.h>

#include "algorithms/sort.h"
#include "calibration/trajectory/time_offset_echo.h"

/* Windows beyond these are left out: the middle of a long capture tells enough. */
#define WINDOWS 4000
/* A window has so many pulses at least. */
#define PULSES 8
/* Echoes so far below the strongest are not looked for. */
#define FAINT 1e-3

struct sight offset_sight(const struct offset_data *data, double time_s, double offset_s) {
    nfsar_pose pose;
    struct sight sight;
    sight.told = nfsar_pose_track_at(data->track, data->gap_s, time_s + offset_s, &pose);
    sight.tx = nfsar_pose_transform(pose, data->tx_m);
    sight.rx = nfsar_pose_transform(pose, data->rx_m);
    return sight;
}

nfsar_vec3 offset_ahead(const struct offset_data *data, double time_s, double offset_s) {
    nfsar_pose pose;
    nfsar_vec3 ahead = nfsar_vec3_midpoint(data->tx_m, data->rx_m);
    ahead.z += 1.0;
    nfsar_pose_track_at(data->track, data->gap_s, time_s + offset_s, &pose);
    return nfsar_pose_transform(pose, ahead);
}

double offset_range(const struct sight *sight, nfsar_vec3 point) {
    return 0.5 * (nfsar_vec3_distance(point, sight->tx) + nfsar_vec3_distance(point, sight->rx));
}

nfsar_vec3 offset_gradient(const struct sight *sight, nfsar_vec3 point) {
    const nfsar_vec3 a = nfsar_vec3_subtract(point, sight->tx);
    const nfsar_vec3 b = nfsar_vec3_subtract(point, sight->rx);
    return nfsar_vec3_add(nfsar_vec3_scale(a, 0.5 / fmax(nfsar_vec3_norm(a), 1e-9)),
                          nfsar_vec3_scale(b, 0.5 / fmax(nfsar_vec3_norm(b), 1e-9)));
}

/* ---- the band -------------------------------------------------------------------------------- */

/* The taper, and what the band tells apart. */
static void make_taper(struct offset_data *data) {
    const double *f = data->capture->frequency_hz;
    double low = f[0], high = f[0];
    for (size_t i = 0; i < data->n_sample; i++) {
        low = fmin(low, f[i]);
        high = fmax(high, f[i]);
    }
    for (size_t i = 0; i < data->n_sample; i++) {
        const double at = ((f[i] - low) / (high - low) * ((double)data->n_sample - 1.0) + 0.5) /
                          (double)data->n_sample;
        data->taper[i] = 0.5 - 0.5 * cos(2.0 * NFSAR_PI * at);
    }
    const double width = (high - low) * (double)data->n_sample / ((double)data->n_sample - 1.0);
    data->cell_m = 0.5 * NFSAR_SPEED_OF_LIGHT / width;
    data->wavelength_m = NFSAR_SPEED_OF_LIGHT / (0.5 * (low + high));
}

/* That of the power's mean frequency. */
static void find_wavelength(struct offset_data *data) {
    const double *f = data->capture->frequency_hz;
    double sum = 0.0, moment = 0.0;
    for (size_t n = 0; n < data->n_pulse; n++) {
        for (size_t i = 0; i < data->n_sample; i++) {
            const float complex s = data->echo[n * data->n_sample + i];
            const double power = data->taper[i] * data->taper[i] *
                                 (double)(crealf(s) * crealf(s) + cimagf(s) * cimagf(s));
            sum += power;
            moment += power * f[i];
        }
    }
    if (sum > 0.0) {
        data->wavelength_m = NFSAR_SPEED_OF_LIGHT * sum / moment;
    }
}

/* ---- windows --------------------------------------------------------------------------------- */

/* A walk through the time that the poses tell, without their gaps: of a tracker that lost the body
 * for hours, or wrote one time wrong, these are nearly all of it. */
struct told {
    const nfsar_pose_track *track;
    double gap_s, skipped_s;
    size_t at; /* pose */
};

static double told_length(const nfsar_pose_track *track, double gap_s) {
    double length = 0.0;
    for (size_t i = 0; i + 1 < track->n; i++) {
        const double step = track->time_s[i + 1] - track->time_s[i];
        length += step > gap_s ? 0.0 : step;
    }
    return length;
}

/* The tracker's time when so much of it is over; not less than the last time. */
static double told_time(struct told *walk, double told_s) {
    const double *t = walk->track->time_s;
    for (; walk->at + 1 < walk->track->n; walk->at++) {
        const double now = t[0] + walk->skipped_s + told_s;
        const double step = t[walk->at + 1] - t[walk->at];
        const bool gap = step > walk->gap_s;
        if (now <= t[walk->at] || (!gap && now < t[walk->at + 1])) {
            break;
        }
        walk->skipped_s += gap ? step : 0.0;
    }
    return t[0] + walk->skipped_s + told_s;
}

/* So long that a reflector's range rate stays within its resolution: the way is straight to a
 * quarter of a wavelength, and short of sqrt(wavelength x range). Judged by the poses where they
 * move, at their own clock. */
static enum nfsar_status choose_window(struct offset_data *data, double interval_s,
                                       nfsar_error *error) {
    const nfsar_pose_track *track = data->track;
    const double length = told_length(track, data->gap_s);
    const double limit = sqrt(data->wavelength_m * fmax(data->range_m, data->cell_m));
    enum { STEPS = 400 };
    double way[STEPS], bend[STEPS];
    double window = PULSES * interval_s;
    bool moves = false;
    const double most = 0.25 * fmin(length, data->time_s[data->n_pulse - 1] - data->time_s[0]);
    for (double trial = window; trial < most; trial *= 1.2) {
        struct told walk = {.track = track, .gap_s = data->gap_s};
        size_t n = 0;
        for (size_t i = 0; i < STEPS; i++) {
            const double t = told_time(&walk, 0.5 * trial + (length - trial) * ((double)i + 0.5) /
                                                                (double)STEPS);
            nfsar_pose a, b, c;
            if (nfsar_pose_track_at(track, data->gap_s, t - 0.5 * trial, &a) &&
                nfsar_pose_track_at(track, data->gap_s, t, &b) &&
                nfsar_pose_track_at(track, data->gap_s, t + 0.5 * trial, &c)) {
                const double d = nfsar_vec3_distance(a.position, c.position);
                if (d > 0.5 * data->wavelength_m) {
                    way[n] = d;
                    bend[n++] = 2.0 * nfsar_vec3_distance(
                                          b.position, nfsar_vec3_midpoint(a.position, c.position));
                }
            }
        }
        if (n == 0) {
            window = trial;
            continue;
        }
        moves = true;
        if (sort_upper_median(way, n) > limit ||
            sort_upper_median(bend, n) > 0.25 * data->wavelength_m) {
            break;
        }
        window = trial;
    }
    data->window_s = window;
    struct told walk = {.track = track, .gap_s = data->gap_s};
    for (double told_s = 0.0; told_s + window <= length; told_s += 0.25 * window) {
        const double t = told_time(&walk, told_s);
        nfsar_pose a, b;
        if (nfsar_pose_track_at(track, data->gap_s, t, &a) &&
            nfsar_pose_track_at(track, data->gap_s, t + window, &b)) {
            data->fastest_m_per_s =
                fmax(data->fastest_m_per_s, nfsar_vec3_distance(a.position, b.position) / window);
        }
    }
    return moves
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                            "the poses move less than half a wavelength (%.3g mm) in a quarter of "
                            "their time: such a motion does not tell the time offset",
                            0.5e3 * data->wavelength_m);
}

static enum nfsar_status make_windows(struct offset_data *data, nfsar_error *error) {
    const double hop = 0.5 * data->window_s;
    const double from = data->time_s[0], to = data->time_s[data->n_pulse - 1];
    size_t n = (size_t)fmax(1.0, floor((to - from - data->window_s) / hop) + 1.0), skip = 0;
    if (n > WINDOWS) {
        skip = (n - WINDOWS) / 2;
        n = WINDOWS;
    }
    data->first = malloc(n * sizeof *data->first);
    data->count = malloc(n * sizeof *data->count);
    data->middle_s = malloc(n * sizeof *data->middle_s);
    if (data->first == NULL || data->count == NULL || data->middle_s == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    size_t first = 0;
    for (size_t w = 0; w < n; w++) {
        const double begin = from + hop * (double)(w + skip);
        while (first < data->n_pulse && data->time_s[first] < begin) {
            first++;
        }
        size_t last = first;
        while (last < data->n_pulse && data->time_s[last] < begin + data->window_s) {
            last++;
        }
        data->first[w] = first;
        data->count[w] = last - first;
        data->middle_s[w] = begin + 0.5 * data->window_s;
    }
    data->n_window = n;
    return NFSAR_OK;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static enum nfsar_status find_range(struct offset_data *data, const nfsar_echo_source *source,
                                    nfsar_error *error) {
    const double *gate = data->gate_m;
    const size_t n = 2 * data->n_sample;
    const double step = data->unambiguous_m / (double)n;
    double *power = calloc(n, sizeof *power);
    enum nfsar_status status =
        power != NULL ? nfsar_range_profile(data->capture, source, step, n, power, error)
                      : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    size_t best = n;
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        const double at = step * (double)i;
        const bool inside = at >= gate[0] && at <= gate[1];
        best = inside && (best == n || power[i] > power[best]) ? i : best;
    }
    if (status == NFSAR_OK && best == n) {
        status =
            nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                       "no range lies in the gate, from %g to %g m: they are told %.3g m apart, "
                       "up to %.4g m",
                       gate[0], gate[1], step, data->unambiguous_m);
    }
    data->range_m = step * (double)best;
    data->near_m = data->far_m = data->range_m;
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        const double at = step * (double)i;
        const bool inside = at >= gate[0] && at <= gate[1];
        if (inside && power[i] > FAINT * power[best]) {
            data->near_m = fmin(data->near_m, at);
            data->far_m = fmax(data->far_m, at);
        }
    }
    data->near_m = fmax(0.0, data->near_m - data->cell_m);
    data->far_m = fmin(data->unambiguous_m, data->far_m + data->cell_m);
    free(power);
    return status;
}

/* The times of a channel's pulses, and the interval that most of them have. */
static enum nfsar_status make_times(struct offset_data *data, size_t channel, double *interval_s,
                                    nfsar_error *error) {
    const nfsar_array *array = &data->capture->array;
    const double late = array->channel_time_s != NULL ? array->channel_time_s[channel] : 0.0;
    data->time_s = malloc(data->n_pulse * sizeof *data->time_s);
    double *interval = malloc(data->n_pulse * sizeof *interval);
    if (data->time_s == NULL || interval == NULL) {
        free(interval);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < data->n_pulse; i++) {
        data->time_s[i] = data->capture->time_s[i] + late;
        interval[i] = i > 0 ? data->time_s[i] - data->time_s[i - 1] : INFINITY;
    }
    *interval_s = sort_upper_median(interval, data->n_pulse);
    free(interval);
    data->tx_m = array->tx_m[array->channel[channel].tx];
    data->rx_m = array->rx_m[array->channel[channel].rx];
    return *interval_s > 0.0 ? NFSAR_OK
                             : nfsar_fail(error, NFSAR_ERROR_GEOMETRY, "most pulses have one time");
}

enum nfsar_status offset_data_read(const nfsar_capture *capture, const nfsar_echo_source *source,
                                   const nfsar_pose_track *track,
                                   const nfsar_time_offset_options *options,
                                   struct offset_data *data, nfsar_error *error) {
    const bool gated = options->gate_m[1] > options->gate_m[0];
    *data = (struct offset_data){
        .capture = capture,
        .track = track,
        .gap_s = nfsar_pose_track_gap(track),
        .n_pulse = capture->n_pulse,
        .n_sample = capture->n_sample,
        .gate_m = {gated ? options->gate_m[0] : 0.0, gated ? options->gate_m[1] : INFINITY},
        .unambiguous_m = nfsar_range_unambiguous(capture)};
    if (track->n < 4 || capture->n_pulse < 4 * PULSES || capture->n_sample < 4) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "%zu poses, %zu pulses of %zu samples: too few to tell a time offset",
                          track->n, capture->n_pulse, capture->n_sample);
    }
    data->taper = malloc(data->n_sample * sizeof *data->taper);
    if (data->taper == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    if (!nfsar_frequencies_uniform(capture->frequency_hz, capture->n_sample, 1e-6,
                                   &data->step_hz)) {
        data->step_hz = 0.0;
    }
    make_taper(data);
    size_t channel = 0;
    double interval_s = 0.0;
    enum nfsar_status status = echo_choose_channel(data, source, &channel, error);
    if (status == NFSAR_OK) {
        status = make_times(data, channel, &interval_s, error);
    }
    if (status == NFSAR_OK) {
        status = echo_read(data, source, channel, error);
    }
    if (status == NFSAR_OK) {
        status = echo_gate(data, error);
    }
    if (status == NFSAR_OK) {
        find_wavelength(data);
        data->nyquist_m_per_s = 0.25 * data->wavelength_m / interval_s;
        status = find_range(data, source, error);
    }
    if (status == NFSAR_OK) {
        status = choose_window(data, interval_s, error);
    }
    return status == NFSAR_OK ? make_windows(data, error) : status;
}

bool offset_in_gate(const struct offset_data *data, const struct offset_state *state,
                    nfsar_vec3 place) {
    size_t inside = 0, told = 0;
    for (size_t w = 0; w < data->n_window; w++) {
        const struct sight sight = offset_sight(data, data->middle_s[w], state->offset_s);
        const double range = offset_range(&sight, place) + state->bias_m;
        inside += sight.told && range >= data->gate_m[0] && range <= data->gate_m[1];
        told += sight.told;
    }
    return 2 * inside >= told;
}

void offset_data_free(struct offset_data *data) {
    free(data->time_s);
    free(data->echo);
    free(data->taper);
    free(data->first);
    free(data->count);
    free(data->middle_s);
    memset(data, 0, sizeof *data);
}
