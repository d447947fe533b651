#include "calibration/instrument_reflectors.h"

#include <math.h>
#include <stdlib.h>

#include <nfsar/geometry.h>

#include "calibration/channels_fit.h"
#include "calibration/channels_profiles.h"

/* Sines of the widest angles at which a reflector is looked for: whoever puts it up straight ahead
 * by eye is nearer. */
#define WIDEST 0.3
/* Standard deviation of such an angle, where pulses do not tell it. */
#define AHEAD_RAD 0.1
/* A radar that moves less is at rest. */
#define REST_M 1e-5
/* Echoes that add up to less than this do not tell the place by their phases. */
#define LEAST_COHERENCE 0.5
/* An echo so far from another, cells, and so much weaker at most, power, is one of its own and no
 * side lobe, and might be the reflector as well. */
#define OTHER_CELLS 2.0
#define OTHER       0.1
/* Positions that are as near to the middle are told apart by rounding only. */
#define SAME_M 1e-6

static double dot(nfsar_vec3 a, nfsar_vec3 b) {
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

/* ---- the radar ------------------------------------------------------------------------------ */

static void find_middle(const struct channel_lines *l, struct reflectors *r) {
    nfsar_vec3 mean = {0.0, 0.0, 0.0}, at;
    for (size_t p = 0; p < l->n_pulse; p++) {
        (void)channel_lines_radar(l, p, &at);
        mean = nfsar_vec3_add(mean, nfsar_vec3_scale(at, 1.0 / (double)l->n_pulse));
    }
    double least = INFINITY;
    for (size_t p = 0; p < l->n_pulse; p++) {
        (void)channel_lines_radar(l, p, &at);
        double away = nfsar_vec3_distance(at, mean);
        if (away < least - SAME_M) {
            least = away;
            r->pulse = p;
        }
    }
    r->orientation = channel_lines_radar(l, r->pulse, &r->centre);
    for (size_t p = 0; p < l->n_pulse; p++) {
        (void)channel_lines_radar(l, p, &at);
        r->extent_m = fmax(r->extent_m, nfsar_vec3_distance(at, r->centre));
    }
}

static nfsar_vec3 place_at(const struct reflectors *r, double range_m, double u, double v) {
    nfsar_vec3 way = {u, v, sqrt(1.0 - u * u - v * v)};
    way = nfsar_quaternion_rotate(r->orientation, way);
    return nfsar_vec3_add(r->centre, nfsar_vec3_scale(way, range_m));
}

/* ---- by powers ------------------------------------------------------------------------------ */

struct search {
    struct channel_lines *lines;
    const nfsar_instrument_options *options;
    struct channel_profiles profiles;
    double window[2]; /* of the instrument's delay */
    double step;
    size_t n;             /* delays window[0] + i step */
    int n_angle;          /* angles to each side, sin_step apart */
    double sin_step;      /* half a range cell at the ends of the scan */
    double *power[2];     /* [n] at the best angle */
    nfsar_vec3 *place[2]; /* [n] */
    double *delay_s;      /* [lines of the profiles] */
};

/* Where delays are looked for: not where leakage is, nor where it appears again beyond the
 * unambiguous range, unless the reflector is so near. */
static void plan(struct search *s, const struct reflectors *r) {
    const struct channel_lines *l = s->lines;
    const double half = 0.5 * NFSAR_SPEED_OF_LIGHT, cell = 1.0 / l->bandwidth_hz;
    const double near_m = s->options->range_m[0],
                 far_m = s->options->range_m[s->options->n_range - 1];
    double low = (channel_profiles_leakage_m(l) - near_m) / half;
    double high = 1.0 / l->step_hz - CHANNEL_PROFILES_LOBE * cell - far_m / half;
    s->window[0] = fmax(-s->options->search_delay_s, fmin(low, -0.5 * cell));
    s->window[1] = fmin(s->options->search_delay_s, fmax(high, 0.5 * cell));
    s->n = (size_t)ceil((s->window[1] - s->window[0]) * 8.0 / cell) + 1;
    s->step = (s->window[1] - s->window[0]) / (double)(s->n - 1);
    s->sin_step = fmax(0.5 * half * cell / fmax(r->extent_m, REST_M), 0.02);
    s->n_angle = (int)fmin(WIDEST / s->sin_step, WIDEST / 0.02);
}

static enum nfsar_status open_search(struct search *s, const struct reflectors *r,
                                     nfsar_error *error) {
    const struct channel_lines *l = s->lines;
    const nfsar_instrument_options *o = s->options;
    double cell = 1.0 / l->bandwidth_hz, least, mean, most;
    double aside = 2.0 * WIDEST * r->extent_m / NFSAR_SPEED_OF_LIGHT;
    double margin = fmax(o->search_delay_s + 4.0 * cell, 16.0 * cell) + aside;
    plan(s, r);
    channel_profiles_delays(l, place_at(r, o->range_m[o->n_range - 1], 0.0, 0.0), &least, &mean,
                            &most);
    double last = most + margin;
    channel_profiles_delays(l, place_at(r, o->range_m[0], 0.0, 0.0), &least, &mean, &most);
    enum nfsar_status status =
        channel_profiles_open(s->lines, least - margin, last, &s->profiles, error);
    bool memory = true;
    for (size_t i = 0; i < 2; i++) {
        s->power[i] = malloc(s->n * sizeof *s->power[i]);
        s->place[i] = malloc(s->n * sizeof *s->place[i]);
        memory = memory && s->power[i] != NULL && s->place[i] != NULL;
    }
    s->delay_s = malloc(s->profiles.n_row * l->n_channel * sizeof *s->delay_s);
    if (status == NFSAR_OK && (!memory || s->delay_s == NULL)) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    return status;
}

static void close_search(struct search *s) {
    channel_profiles_close(&s->profiles);
    for (size_t i = 0; i < 2; i++) {
        free(s->power[i]);
        free(s->place[i]);
    }
    free(s->delay_s);
}

/* Mean power at a place for all delays that are tried; where it is more than at other angles, that
 * is kept. Of angles that are alike the one ahead is taken. */
static void try_place(struct search *s, size_t which, nfsar_vec3 place, double aside) {
    const struct channel_profiles *p = &s->profiles;
    const size_t n_channel = s->lines->n_channel, n_line = p->n_row * n_channel;
    for (size_t i = 0; i < n_line; i++) {
        size_t line = i / n_channel * p->stride * n_channel + i % n_channel;
        s->delay_s[i] = channel_lines_delay(s->lines, line, place);
    }
#pragma omp parallel for schedule(static)
    for (size_t k = 0; k < s->n; k++) {
        double more = s->window[0] + (double)k * s->step, sum = 0.0;
        for (size_t i = 0; i < n_line; i++) {
            sum += channel_profiles_at(p, i / n_channel, i % n_channel, s->delay_s[i] + more);
        }
        double score = sum / (double)n_line * (1.0 - 0.01 * aside);
        if (score > s->power[which][k]) {
            s->power[which][k] = score;
            s->place[which][k] = place;
        }
    }
}

static void try_angles(struct search *s, const struct reflectors *r, size_t which) {
    for (size_t k = 0; k < s->n; k++) {
        s->power[which][k] = -1.0;
    }
    for (int i = -s->n_angle; i <= s->n_angle; i++) {
        for (int j = -s->n_angle; j <= s->n_angle; j++) {
            double u = i * s->sin_step, v = j * s->sin_step;
            if (u * u + v * v <= WIDEST * WIDEST) {
                try_place(s, which, place_at(r, s->options->range_m[which], u, v), u * u + v * v);
            }
        }
    }
}

/* Whether what was found is a reflector: more than noise, and an echo of its own. */
static enum nfsar_status check(const struct search *s, const struct reflectors *r, size_t which,
                               nfsar_error *error) {
    const struct reflector *one = &r->one[which];
    const double half_mm = 0.5e3 * NFSAR_SPEED_OF_LIGHT;
    double angles = (2.0 * s->n_angle + 1.0) * (2.0 * s->n_angle + 1.0);
    double cells = 2.0 * (s->window[1] - s->window[0]) * s->lines->bandwidth_hz + 1.0;
    double contrast_db = 10.0 * log10(one->contrast), from = 0.0;
    double noise_db = channel_profiles_noise_db(&s->profiles, angles * cells);
    if (contrast_db < noise_db) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "no reflector in the data at %g m (%+.0f to %+.0f mm beyond it: "
                          "--search): the strongest echo stands %.1f dB above the median of the "
                          "profile, and %.1f are needed, which noise alone does not reach",
                          s->options->range_m[which], half_mm * s->window[0],
                          half_mm * s->window[1], contrast_db, noise_db);
    }
    if (channel_profiles_side_lobe(&s->profiles, INSTRUMENT_TAPER, one->place, s->window,
                                   r->delay_s, &from)) {
        const double range = s->options->range_m[which], seen = range + 1e-3 * half_mm * from;
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "no reflector in the data at %g m: what is there is a side lobe of the "
                          "echo at %.3f m; %s",
                          range, seen,
                          seen < channel_profiles_leakage_m(s->lines)
                              ? "--leakage or --background take leakage out"
                              : "--search looks so far");
    }
    return NFSAR_OK;
}

/* What else there is within the search, beside the two reflectors. */
static void look_beside(const struct search *s, struct reflectors *r, size_t which) {
    struct reflector *one = &r->one[which];
    const double *range_m = s->options->range_m;
    const double apart = OTHER_CELLS / s->lines->bandwidth_hz;
    const size_t all = s->lines->n_channel;
    double second = INFINITY;
    if (s->options->n_range > 1) {
        second = 2.0 * (range_m[1 - which] - range_m[which]) / NFSAR_SPEED_OF_LIGHT;
    }
    double found = channel_profiles_power(&s->profiles, all, one->place, r->delay_s);
    for (size_t k = 0; k < s->n; k++) {
        double late = s->window[0] + (double)k * s->step - r->delay_s;
        if (fabs(late) < apart || fabs(late - second) < apart) {
            continue;
        }
        double power = channel_profiles_power(&s->profiles, all, one->place, r->delay_s + late);
        if (power > OTHER * found && power > one->other * found) {
            one->other = power / found;
            one->other_late_s = late;
        }
    }
    /* Noise is none, and may be near a weak reflector. */
    double noise = pow(10.0, 0.1 * channel_profiles_noise_db(&s->profiles, (double)s->n));
    if (one->other * one->contrast < noise) {
        one->other = 0.0;
    }
}

/* The delay that puts all reflectors at their ranges. */
static enum nfsar_status search(struct search *s, struct reflectors *r, double *floor,
                                nfsar_error *error) {
    double best = 0.0;
    size_t at = 0;
    enum nfsar_status status = channel_profiles_median(&s->profiles, floor, error);
    for (size_t i = 0; status == NFSAR_OK && i < s->options->n_range; i++) {
        try_angles(s, r, i);
    }
    for (size_t k = 0; status == NFSAR_OK && k < s->n; k++) {
        double product = s->power[0][k] * (s->options->n_range > 1 ? s->power[1][k] : 1.0);
        if (product > best) {
            best = product;
            at = k;
        }
    }
    if (status == NFSAR_OK && !(best > 0.0)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "the samples there are zero");
    }
    r->delay_s = s->window[0] + (double)at * s->step;
    for (size_t i = 0; status == NFSAR_OK && i < s->options->n_range; i++) {
        double power = s->power[i][at];
        r->one[i].place = s->place[i][at];
        r->one[i].contrast = power / fmax(*floor, 1e-30 * power);
        status = check(s, r, i, error);
        look_beside(s, r, i);
    }
    return status;
}

/* ---- by delays and phases ------------------------------------------------------------------- */

static double power(double complex z) {
    return creal(z) * creal(z) + cimag(z) * cimag(z);
}

/* How much of a reflector's echoes adds up over the pulses, noise left aside. */
static double coherence(const struct channel_fit *fit, double floor) {
    const size_t n_pulse = fit->lines->n_pulse, n_channel = fit->lines->n_channel;
    double together = 0.0, apart = 0.0;
    for (size_t c = 0; c < n_channel; c++) {
        double complex gain = channel_fit_gain(fit, c);
        together += power(gain);
        for (size_t i = c; i < fit->lines->n_line; i += n_channel) {
            apart += power(fit->s0[i] - gain) / (double)(n_pulse - 1);
        }
    }
    double rest = fmax(apart - (double)n_channel * floor, 0.0);
    return together > 0.0 ? sqrt(together / (together + rest)) : 0.0;
}

static void take_place(const struct channel_fit *fit, struct reflector *one) {
    one->place = fit->place;
    one->told = 0;
    for (int i = 0; i < 3 && one->told < 2; i++) {
        if (isfinite(fit->sigma_m[i])) {
            one->direction[one->told] = fit->direction[i];
            one->sigma_m[one->told++] = fit->sigma_m[i];
        }
    }
}

/* Aside of straight ahead, as far as pulses tell: by delays, and by phases where echoes add up. */
static enum nfsar_status fit_place(struct channel_lines *l, const struct reflectors *r,
                                   double range_m, double floor, struct reflector *one,
                                   nfsar_error *error) {
    const nfsar_channels_options options = nfsar_channels_defaults();
    struct channel_fit fit = {.lines = l,
                              .options = &options,
                              .place = one->place,
                              .centre = r->centre,
                              .range_m = range_m};
    fit.delay_s = malloc(l->n_channel * sizeof *fit.delay_s);
    if (fit.delay_s == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t c = 0; c < l->n_channel; c++) {
        fit.delay_s[c] = r->delay_s;
    }
    enum nfsar_status status = channel_fit_open(&fit, error);
    if (status == NFSAR_OK) {
        status = channel_fit_delays(&fit, error);
    }
    if (status == NFSAR_OK) {
        take_place(&fit, one);
        status = channel_fit_phases(&fit, error);
    }
    if (status == NFSAR_OK && fit.told >= one->told && coherence(&fit, floor) > LEAST_COHERENCE) {
        take_place(&fit, one);
    }
    channel_fit_close(&fit);
    free(fit.delay_s);
    return status;
}

enum nfsar_status reflectors_find(struct channel_lines *lines,
                                  const nfsar_instrument_options *options, struct reflectors *found,
                                  nfsar_error *error) {
    struct search s = {.lines = lines, .options = options};
    double floor = 0.0;
    *found = (struct reflectors){0};
    find_middle(lines, found);
    enum nfsar_status status = open_search(&s, found, error);
    if (status == NFSAR_OK) {
        status = search(&s, found, &floor, error);
    }
    close_search(&s);
    for (size_t i = 0; status == NFSAR_OK && found->extent_m > REST_M && i < options->n_range;
         i++) {
        status = fit_place(lines, found, options->range_m[i], floor, &found->one[i], error);
    }
    return status;
}

double reflectors_sigma(const struct reflectors *r, size_t which, nfsar_vec3 h) {
    const struct reflector *one = &r->one[which];
    nfsar_vec3 way = nfsar_vec3_subtract(one->place, r->centre);
    const double range = nfsar_vec3_norm(way);
    way = nfsar_vec3_scale(way, 1.0 / range);
    h = nfsar_vec3_subtract(h, nfsar_vec3_scale(way, dot(h, way)));
    double variance = 0.0;
    for (int i = 0; i < one->told; i++) {
        double along = dot(h, one->direction[i]);
        h = nfsar_vec3_subtract(h, nfsar_vec3_scale(one->direction[i], along));
        variance += along * along * one->sigma_m[i] * one->sigma_m[i];
    }
    double aside = AHEAD_RAD * range * nfsar_vec3_norm(h);
    return sqrt(variance + aside * aside);
}
