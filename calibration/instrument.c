#include <nfsar/instrument.h>

#include <math.h>
#include <stdlib.h>

#include <nfsar/geometry.h>

#include "calibration/channels_lines.h"

/* Steps of a profile in a range cell. */
#define STEPS 8.0
/* Pulses that the search looks at; delays are then taken from all. */
#define MOST_PULSES 16
/* What noise alone does not reach. */
#define CONTRAST_DB 11.0
/* Reflectors nearer to one another than this disturb each other's place. */
#define APART_CELLS 4.0
/* Standard deviations that slope and start must be off to be told. */
#define TOLD 4.0
/* Slopes farther off than this are wrong ranges. */
#define MOST_SCALE 0.2

nfsar_instrument_options nfsar_instrument_defaults(void) {
    return (nfsar_instrument_options){.range_sigma_m = 1e-3, .search_delay_s = 1e-9};
}

struct search {
    struct channel_lines lines;
    const nfsar_instrument_options *options;
    double *expected[2]; /* [n_line] without the instrument's delay */
    double *t;
    double complex *s0[2], *s1;
};

static enum nfsar_status check(const struct channel_lines *l, const nfsar_instrument_options *o,
                               nfsar_error *error) {
    double unambiguous = 0.5 * NFSAR_SPEED_OF_LIGHT / l->step_hz;
    double cell = 0.5 * NFSAR_SPEED_OF_LIGHT / l->bandwidth_hz;
    if (l->n_sample < 4 || !(l->bandwidth_hz > 0.0)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%zu frequencies do not tell a range: 4 are the least", l->n_sample);
    }
    if (o->n_range < 1 || o->n_range > 2 || !(o->range_sigma_m > 0.0) ||
        !(o->search_delay_s > 0.0)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "one range or two, and errors > 0");
    }
    for (size_t r = 0; r < o->n_range; r++) {
        if (!(o->range_m[r] > 0.0) || !(o->range_m[r] < unambiguous)) {
            return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                              "range %g m: with steps of %g MHz ranges are told from 0 to %.4g m",
                              o->range_m[r], 1e-6 * l->step_hz, unambiguous);
        }
    }
    if (o->n_range == 2 && !(o->range_m[1] - o->range_m[0] >= APART_CELLS * cell)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "ranges %g and %g m: the second must be farther by four range cells, "
                          "%.3g m",
                          o->range_m[0], o->range_m[1], APART_CELLS * cell);
    }
    return NFSAR_OK;
}

/* Delays of points ahead of the array, pulse by pulse. */
static void expect(struct search *s) {
    const struct channel_lines *l = &s->lines;
    for (size_t p = 0; p < l->n_pulse; p++) {
        nfsar_vec3 centre;
        nfsar_quaternion way = channel_lines_radar(l, p, &centre);
        for (size_t r = 0; r < s->options->n_range; r++) {
            nfsar_vec3 ahead = {0.0, 0.0, s->options->range_m[r]};
            nfsar_vec3 place = nfsar_vec3_add(centre, nfsar_quaternion_rotate(way, ahead));
            for (size_t c = 0; c < l->n_channel; c++) {
                size_t i = p * l->n_channel + c;
                s->expected[r][i] = channel_lines_delay(l, i, place);
            }
        }
    }
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Mean power of the lines at the expected delays and more. */
static double mean_power(const struct search *s, const float *power, size_t stride, size_t n_row,
                         double first, double step, size_t n, size_t range, double more) {
    size_t n_channel = s->lines.n_channel;
    double sum = 0.0;
    for (size_t row = 0; row < n_row; row++) {
        for (size_t c = 0; c < n_channel; c++) {
            double t = s->expected[range][row * stride * n_channel + c] + more;
            double place = (t - first) / step;
            if (place >= 0.0 && place < (double)(n - 1)) {
                sum += (double)power[(row * n_channel + c) * n + (size_t)(place + 0.5)];
            }
        }
    }
    return sum / (double)(n_row * n_channel);
}

/* The delay that puts all reflectors at their ranges, to a part of a cell. */
static enum nfsar_status search_delay(struct search *s, double *delay, nfsar_instrument *found,
                                      nfsar_error *error) {
    struct channel_lines *l = &s->lines;
    size_t last_range = s->options->n_range - 1;
    size_t stride = l->n_pulse > MOST_PULSES ? l->n_pulse / MOST_PULSES : 1;
    size_t n_row = (l->n_pulse + stride - 1) / stride;
    double cell = 1.0 / l->bandwidth_hz, step = cell / STEPS;
    double margin = fmax(s->options->search_delay_s, 16.0 * cell);
    double first = 2.0 * s->options->range_m[0] / NFSAR_SPEED_OF_LIGHT - margin;
    double last = 2.0 * s->options->range_m[last_range] / NFSAR_SPEED_OF_LIGHT + margin;
    size_t n = (size_t)ceil((last - first) / step) + 1, n_line = n_row * l->n_channel;
    float *power = malloc(n_line * n * sizeof *power);
    double *mean = calloc(n, sizeof *mean);
    enum nfsar_status status = power != NULL && mean != NULL
                                   ? channel_lines_profiles(l, stride, first, step, n, power, error)
                                   : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    double best = 0.0, strength[2] = {0.0, 0.0};
    int steps = (int)ceil(s->options->search_delay_s / step);
    for (int i = -steps; status == NFSAR_OK && i <= steps; i++) {
        double p[2] = {1.0, 1.0};
        for (size_t r = 0; r < s->options->n_range; r++) {
            p[r] = mean_power(s, power, stride, n_row, first, step, n, r, i * step);
        }
        if (p[0] * p[1] > best) {
            best = p[0] * p[1];
            strength[0] = p[0];
            strength[1] = p[1];
            *delay = i * step;
        }
    }
    for (size_t i = 0; status == NFSAR_OK && i < n_line * n; i++) {
        mean[i % n] += (double)power[i] / (double)n_line;
    }
    if (status == NFSAR_OK && !(best > 0.0)) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT, "the samples there are zero");
    }
    if (status == NFSAR_OK) {
        qsort(mean, n, sizeof *mean, ascending);
    }
    for (size_t r = 0; status == NFSAR_OK && r < s->options->n_range; r++) {
        found->contrast_db[r] = 10.0 * log10(strength[r] / fmax(mean[n / 2], 1e-30 * strength[r]));
        if (found->contrast_db[r] < CONTRAST_DB) {
            status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                                "no reflector in the data at %g m (%.1f dB above the median of the "
                                "profile; noise alone comes to 8)",
                                s->options->range_m[r], found->contrast_db[r]);
        }
    }
    free(power);
    free(mean);
    return status;
}

/* How late one reflector is on average, and how much channels and lines differ. */
static enum nfsar_status refine(struct search *s, size_t range, double *delay, double *sigma,
                                double *spread, nfsar_error *error) {
    struct channel_lines *l = &s->lines;
    enum nfsar_status status = NFSAR_OK;
    double complex *s0 = s->s0[range];
    for (int pass = 0; status == NFSAR_OK && pass < 4; pass++) {
        double sum = 0.0, weight = 0.0, square = 0.0;
        for (size_t i = 0; i < l->n_line; i++) {
            s->t[i] = s->expected[range][i] + *delay;
        }
        status = channel_lines_sum(l, s->t, s0, s->s1, error);
        for (size_t i = 0; status == NFSAR_OK && i < l->n_line; i++) {
            double power = creal(s0[i]) * creal(s0[i]) + cimag(s0[i]) * cimag(s0[i]);
            double late = power > 0.0 ? cimag(s->s1[i] * conj(s0[i])) / power : 0.0;
            sum += power * late;
            square += power * late * late;
            weight += power;
        }
        if (status == NFSAR_OK && weight > 0.0) {
            double mean = sum / weight;
            *delay += mean;
            *spread = sqrt(fmax(square / weight - mean * mean, 0.0));
            *sigma = *spread / sqrt((double)l->n_line);
        }
    }
    return status;
}

/* Frequency in the middle of the band less the capture's, by the phase of the second reflector
 * against the first: both are summed where they appear, late[r] behind what is expected. */
static enum nfsar_status find_shift(struct search *s, const double late[2], double apart,
                                    double *shift_hz, nfsar_error *error) {
    double complex sum = 0.0;
    for (size_t r = 0; r < 2; r++) {
        for (size_t i = 0; i < s->lines.n_line; i++) {
            s->t[i] = s->expected[r][i] + late[r];
        }
        enum nfsar_status status = channel_lines_sum(&s->lines, s->t, s->s0[r], NULL, error);
        if (status != NFSAR_OK) {
            return status;
        }
    }
    for (size_t i = 0; i < s->lines.n_line; i++) {
        sum += s->s0[1][i] * conj(s->s0[0][i]);
    }
    /* true * apart - centre * (apart + late[1] - late[0]) turns */
    double turns =
        carg(sum) / (2.0 * NFSAR_PI) + fmod(s->lines.centre_hz * (late[1] - late[0]), 1.0);
    *shift_hz = remainder(turns, 1.0) / apart;
    return NFSAR_OK;
}

/* Slope and start, from two reflectors that are late by delay[2]. */
static enum nfsar_status compare_two(struct search *s, const double e[2], const double delay[2],
                                     const double sigma[2], nfsar_instrument *found,
                                     nfsar_error *error) {
    const double ruler = 2.0 * s->options->range_sigma_m / NFSAR_SPEED_OF_LIGHT;
    const double apart = e[1] - e[0];
    found->has_scale = true;
    found->scale = 1.0 + (delay[1] - delay[0]) / apart;
    found->scale_sigma =
        sqrt(sigma[0] * sigma[0] + sigma[1] * sigma[1] + 2.0 * ruler * ruler) / apart;
    found->scale_told = fabs(found->scale - 1.0) > TOLD * found->scale_sigma;
    if (!(fabs(found->scale - 1.0) < MOST_SCALE)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "the reflectors are seen at %.4g and %.4g m, which are too far from %g "
                          "and %g m for one delay: are the ranges right?",
                          found->apparent_m[0], found->apparent_m[1], s->options->range_m[0],
                          s->options->range_m[1]);
    }
    if (found->scale_told) {
        /* measured = scale (true + delay) */
        found->delay_s = (e[0] + delay[0]) / found->scale - e[0];
        found->delay_sigma_s = hypot(found->delay_sigma_s, e[0] * found->scale_sigma);
    } else {
        found->delay_s = 0.5 * (delay[0] + delay[1]);
        found->delay_sigma_s = 0.7071 * hypot(fmax(sigma[0], sigma[1]), ruler);
    }
    found->ambiguity_hz = 1.0 / apart;
    found->centre_hz = s->lines.centre_hz;
    found->shift_sigma_hz = sqrt(2.0) * ruler * s->lines.centre_hz / apart;
    return find_shift(s, delay, apart, &found->shift_hz, error);
}

/* The residual video phase of dechirped samples, -pi slope delay^2, is told from the chirp. Two
 * reflectors see the frequencies of their phases lower by slope * mean of their delays, which is
 * not the hardware's doing. */
static void find_video(const struct search *s, const double seen[2], nfsar_instrument *found) {
    const nfsar_capture *capture = s->lines.capture;
    const size_t n_range = s->options->n_range;
    const double slope = capture->has_fmcw ? capture->fmcw.slope_hz_per_s : NAN;
    for (size_t r = 0; r < 2; r++) {
        found->video_rad[r] = r < n_range ? NFSAR_PI * slope * seen[r] * seen[r] : NAN;
    }
    found->video_had_s = nfsar_instrument_video_delay(capture);
    found->video_delay_s = found->video_had_s;
    if (!capture->has_fmcw || slope == 0.0 || s->options->no_video) {
        return;
    }
    double middle = n_range == 2 ? 0.5 * (seen[0] + seen[1]) : seen[0];
    if (found->has_scale) {
        double video = slope * (middle - found->video_had_s);
        found->shift_hz = remainder(found->shift_hz + video, found->ambiguity_hz);
        found->shift_told = fabs(found->shift_hz) > TOLD * found->shift_sigma_hz;
    }
    if (found->video_had_s == 0.0 || found->shift_told) {
        found->video_delay_s = middle;
    }
}

static enum nfsar_status work(struct search *s, nfsar_instrument *found, nfsar_error *error) {
    const nfsar_instrument_options *o = s->options;
    double coarse = 0.0, delay[2] = {0.0, 0.0}, sigma[2] = {0.0, 0.0}, e[2] = {0.0, 0.0};
    double ruler = 2.0 * o->range_sigma_m / NFSAR_SPEED_OF_LIGHT;
    enum nfsar_status status = search_delay(s, &coarse, found, error);
    for (size_t r = 0; status == NFSAR_OK && r < o->n_range; r++) {
        delay[r] = coarse;
        status = refine(s, r, &delay[r], &sigma[r], &found->spread_s, error);
        e[r] = 2.0 * o->range_m[r] / NFSAR_SPEED_OF_LIGHT;
        found->apparent_m[r] = 0.5 * NFSAR_SPEED_OF_LIGHT * (e[r] + delay[r]);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    found->delay_s = delay[0];
    found->delay_sigma_s = hypot(sigma[0], ruler);
    found->scale = 1.0;
    if (o->n_range == 2) {
        status = compare_two(s, e, delay, sigma, found, error);
    }
    if (status == NFSAR_OK) {
        found->shift_told =
            found->has_scale && fabs(found->shift_hz) > TOLD * found->shift_sigma_hz;
        find_video(s, (const double[]){e[0] + delay[0], e[1] + delay[1]}, found);
    }
    return status;
}

enum nfsar_status nfsar_instrument_find(const nfsar_capture *capture,
                                        const nfsar_echo_source *source,
                                        const nfsar_instrument_options *options,
                                        nfsar_instrument *found, nfsar_error *error) {
    struct search s = {.options = options};
    *found = (nfsar_instrument){0};
    if (capture->n_pulse == 0 || capture->array.n_channel == 0 || capture->n_sample == 0) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "the capture has no echoes");
    }
    enum nfsar_status status =
        channel_lines_open(capture, source, NFSAR_WINDOW_HANN, &s.lines, error);
    if (status != NFSAR_OK) {
        return status;
    }
    status = check(&s.lines, options, error);
    bool memory = true;
    for (size_t r = 0; r < 2; r++) {
        s.expected[r] = malloc(s.lines.n_line * sizeof *s.expected[r]);
        s.s0[r] = malloc(s.lines.n_line * sizeof *s.s0[r]);
        memory = memory && s.expected[r] != NULL && s.s0[r] != NULL;
    }
    s.t = malloc(s.lines.n_line * sizeof *s.t);
    s.s1 = malloc(s.lines.n_line * sizeof *s.s1);
    if (status == NFSAR_OK && (!memory || s.t == NULL || s.s1 == NULL)) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    if (status == NFSAR_OK) {
        expect(&s);
        status = work(&s, found, error);
    }
    for (size_t r = 0; r < 2; r++) {
        free(s.expected[r]);
        free(s.s0[r]);
    }
    free(s.t);
    free(s.s1);
    channel_lines_close(&s.lines);
    return status;
}
