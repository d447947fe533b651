#include <nfsar/instrument.h>

#include <math.h>
#include <stdlib.h>

#include <nfsar/geometry.h>

#include "calibration/channels_lines.h"
#include "calibration/instrument_reflectors.h"

/* Reflectors nearer to one another than this disturb each other's place. */
#define APART_CELLS 4.0
/* Standard deviations that slope and start must be off to be told. */
#define TOLD 4.0
/* Slopes farther off than this are wrong ranges. */
#define MOST_SCALE 0.2

nfsar_instrument_options nfsar_instrument_defaults(void) {
    return (nfsar_instrument_options){.range_sigma_m = 1e-3, .search_delay_s = 1e-9};
}

/* Steps towards a reflector's delay: noise makes them too short, the more so the weaker it is. */
#define MOST_STEPS  60
#define LAST_STEP_S 1e-17

struct work {
    struct channel_lines lines;
    const nfsar_instrument_options *options;
    struct reflectors reflectors;
    double *expected[2]; /* [n_line] without the instrument's delay */
    double mean_s[2];    /* of those */
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
    if (o->n_range < 1 || o->n_range > 2 || !(o->range_sigma_m > 0.0)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "one range or two, and errors > 0");
    }
    if (!(o->search_delay_s > 0.0) || !(o->search_delay_s <= 1e-7)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "the delay to search, %g s: must be > 0 and at most 1e-7",
                          o->search_delay_s);
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

/* Delays of the reflectors, which stand still whatever the radar does. */
static void expect(struct work *s) {
    const struct channel_lines *l = &s->lines;
    for (size_t r = 0; r < s->options->n_range; r++) {
        s->mean_s[r] = 0.0;
        for (size_t i = 0; i < l->n_line; i++) {
            s->expected[r][i] = channel_lines_delay(l, i, s->reflectors.one[r].place);
            s->mean_s[r] += s->expected[r][i] / (double)l->n_line;
        }
    }
}

/* How late one reflector is on average, and how much channels and lines differ. */
static enum nfsar_status refine(struct work *s, size_t range, double *delay, double *sigma,
                                double *spread, nfsar_error *error) {
    struct channel_lines *l = &s->lines;
    const struct reflector *one = &s->reflectors.one[range];
    enum nfsar_status status = NFSAR_OK;
    double complex *s0 = s->s0[range];
    double mean = INFINITY;
    nfsar_vec3 h = {0.0, 0.0, 0.0};
    for (int pass = 0; status == NFSAR_OK && pass < MOST_STEPS && fabs(mean) > LAST_STEP_S;
         pass++) {
        double sum = 0.0, weight = 0.0, square = 0.0;
        h = (nfsar_vec3){0.0, 0.0, 0.0};
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
            h = nfsar_vec3_add(h,
                               nfsar_vec3_scale(channel_lines_gradient(l, i, one->place), power));
        }
        if (status == NFSAR_OK && !(weight > 0.0)) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT, "the samples there are zero");
        }
        mean = sum / weight;
        *delay += mean;
        *spread = sqrt(fmax(square / weight - mean * mean, 0.0));
        h = nfsar_vec3_scale(h, 1.0 / weight);
    }
    /* Of a line's power only what is not noise goes with the delay. */
    double signal = 1.0 - 1.0 / fmax(one->contrast, 1.1);
    *sigma = hypot(*spread / sqrt((double)l->n_line) / signal,
                   reflectors_sigma(&s->reflectors, range, h));
    return status;
}

/* Frequency in the middle of the band less the capture's, by the phase of the second reflector
 * against the first: both are summed where they appear, late[r] behind what is expected. */
static enum nfsar_status find_shift(struct work *s, const double late[2], double apart,
                                    nfsar_instrument *found, nfsar_error *error) {
    double complex sum = 0.0;
    double all = 0.0;
    const double n_line = (double)s->lines.n_line;
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
        double complex both = s->s0[1][i] * conj(s->s0[0][i]);
        sum += both;
        all += creal(both) * creal(both) + cimag(both) * cimag(both);
    }
    /* Lines that disagree make the phase of the sum uncertain. */
    double agree = cabs(sum) * cabs(sum) / (n_line * all);
    double phase = sqrt(fmax(1.0 - agree, 0.0) / (2.0 * n_line * agree));
    found->shift_sigma_hz = hypot(found->shift_sigma_hz, phase / (2.0 * NFSAR_PI * apart));
    /* true * apart - centre * (apart + late[1] - late[0]) turns */
    double turns =
        carg(sum) / (2.0 * NFSAR_PI) + fmod(s->lines.centre_hz * (late[1] - late[0]), 1.0);
    found->shift_hz = remainder(turns, 1.0) / apart;
    return NFSAR_OK;
}

/* Slope and start, from two reflectors that are late by delay[2]. */
static enum nfsar_status compare_two(struct work *s, const double delay[2], const double sigma[2],
                                     nfsar_instrument *found, nfsar_error *error) {
    const double *e = s->mean_s;
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
    return find_shift(s, delay, apart, found, error);
}

/* The residual video phase of dechirped samples, -pi slope delay^2, is told from the chirp. Two
 * reflectors see the frequencies of their phases lower by slope * mean of their delays, which is
 * not the hardware's doing. */
static void find_video(const struct work *s, const double seen[2], nfsar_instrument *found) {
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

static void tell_places(const struct work *s, nfsar_instrument *found) {
    const struct reflectors *r = &s->reflectors;
    const nfsar_vec3 ahead = nfsar_quaternion_rotate(r->orientation, (nfsar_vec3){0.0, 0.0, 1.0});
    found->middle_pulse = s->lines.pulse[r->pulse];
    found->middle = r->centre;
    found->extent_m = r->extent_m;
    for (size_t i = 0; i < s->options->n_range; i++) {
        const struct reflector *one = &r->one[i];
        nfsar_vec3 way = nfsar_vec3_subtract(one->place, r->centre);
        double along = way.x * ahead.x + way.y * ahead.y + way.z * ahead.z;
        nfsar_vec3 aside = nfsar_vec3_subtract(way, nfsar_vec3_scale(ahead, along));
        found->place[i] = one->place;
        found->aside_rad[i] = atan2(nfsar_vec3_norm(aside), along);
        found->told[i] = one->told;
        for (int k = 0; k < one->told; k++) {
            found->place_sigma_m[i] = fmax(found->place_sigma_m[i], one->sigma_m[k]);
        }
        found->contrast_db[i] = 10.0 * log10(one->contrast);
        found->other_db[i] = one->other > 0.0 ? 10.0 * log10(one->other) : -INFINITY;
        found->other_m[i] = 0.5 * NFSAR_SPEED_OF_LIGHT * one->other_late_s;
    }
}

static enum nfsar_status find(struct work *s, nfsar_instrument *found, nfsar_error *error) {
    const nfsar_instrument_options *o = s->options;
    double delay[2] = {0.0, 0.0}, sigma[2] = {0.0, 0.0}, seen[2] = {0.0, 0.0};
    double ruler = 2.0 * o->range_sigma_m / NFSAR_SPEED_OF_LIGHT;
    enum nfsar_status status = reflectors_find(&s->lines, o, &s->reflectors, error);
    if (status == NFSAR_OK) {
        expect(s);
        tell_places(s, found);
    }
    for (size_t r = 0; status == NFSAR_OK && r < o->n_range; r++) {
        delay[r] = s->reflectors.delay_s;
        status = refine(s, r, &delay[r], &sigma[r], &found->spread_s, error);
        seen[r] = 2.0 * o->range_m[r] / NFSAR_SPEED_OF_LIGHT + delay[r];
        found->apparent_m[r] = 0.5 * NFSAR_SPEED_OF_LIGHT * seen[r];
    }
    if (status != NFSAR_OK) {
        return status;
    }
    found->delay_s = delay[0];
    found->delay_sigma_s = hypot(sigma[0], ruler);
    found->scale = 1.0;
    if (o->n_range == 2) {
        status = compare_two(s, delay, sigma, found, error);
    }
    if (status == NFSAR_OK) {
        found->shift_told =
            found->has_scale && fabs(found->shift_hz) > TOLD * found->shift_sigma_hz;
        find_video(s, seen, found);
    }
    return status;
}

enum nfsar_status nfsar_instrument_find(const nfsar_capture *capture,
                                        const nfsar_echo_source *source,
                                        const nfsar_instrument_options *options,
                                        nfsar_instrument *found, nfsar_error *error) {
    struct work s = {.options = options};
    *found = (nfsar_instrument){0};
    if (capture->n_pulse == 0 || capture->array.n_channel == 0 || capture->n_sample == 0) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "the capture has no echoes");
    }
    enum nfsar_status status =
        channel_lines_open(capture, source, INSTRUMENT_TAPER, &s.lines, error);
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
        status = find(&s, found, error);
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
