#include "calibration/channels_start.h"

#include <math.h>
#include <stdio.h>

#include <nfsar/geometry.h>

#include "calibration/channels_profiles.h"

/* Of channels beside their common delay, in cells: what boards differ by is less. */
#define APART_CELLS 1.5
/* Sines of the largest angles that are looked at. */
#define WIDEST 0.8
/* How often what is found may be the flank of something nearer, which is then stepped over. */
#define MOST_STEPS 4

/* The same of about 64 lines, for the search of the place. */
static double power_of_some(const struct channel_profiles *p, nfsar_vec3 place) {
    size_t n_channel = p->lines->n_channel;
    size_t each = 64 / p->n_row;
    each = each < 1 ? 1 : each < n_channel ? each : n_channel;
    double sum = 0.0;
    for (size_t row = 0; row < p->n_row; row++) {
        for (size_t i = 0; i < each; i++) {
            size_t c = (row + i * n_channel / each) % n_channel;
            size_t line = row * p->stride * n_channel + c;
            sum += channel_profiles_at(p, row, c, channel_lines_delay(p->lines, line, place));
        }
    }
    return sum / (double)(p->n_row * each);
}

/* Sines of angles that are looked at are so far apart: half a cell at the ends of the scan. */
static double angle_step(const struct channel_profiles *p, nfsar_vec3 centre) {
    const struct channel_lines *l = p->lines;
    double extent = 0.0, cell = 0.5 * NFSAR_SPEED_OF_LIGHT / l->bandwidth_hz;
    for (size_t row = 0; row < p->n_row; row++) {
        extent = fmax(extent, nfsar_vec3_distance(centre, l->tx[row * p->stride * l->n_channel]));
    }
    return fmax(fmin(0.1, 0.5 * cell / fmax(extent, 1e-3)), 0.02);
}

/* The place that the powers of all lines agree upon, looked for in all directions before the radar
 * in the middle of the scan. Where directions are alike the one ahead is taken. */
static nfsar_vec3 search_place(const struct channel_profiles *p, double near_m, double far_m,
                               double *tried) {
    const struct channel_lines *l = p->lines;
    nfsar_vec3 centre;
    const nfsar_quaternion ahead = channel_lines_radar(l, l->n_pulse / 2, &centre);
    double cell = 0.5 * NFSAR_SPEED_OF_LIGHT / l->bandwidth_hz, step = angle_step(p, centre);
    int n = (int)ceil(WIDEST / step);
    size_t n_range = (size_t)ceil((far_m - near_m) / (0.5 * cell)) + 1;
    *tried = (double)n_range * (2.0 * n + 1.0) * (2.0 * n + 1.0);
    double best = -1.0, best_aside = 0.0;
    nfsar_vec3 found = centre;
#pragma omp parallel for collapse(2) schedule(dynamic)
    for (int iy = -n; iy <= n; iy++) {
        for (int ix = -n; ix <= n; ix++) {
            double u = ix * step, v = iy * step, aside = u * u + v * v;
            if (aside > WIDEST * WIDEST) {
                continue;
            }
            nfsar_vec3 way = nfsar_quaternion_rotate(ahead, (nfsar_vec3){u, v, sqrt(1.0 - aside)});
            double most = -1.0, at = near_m;
            for (size_t i = 0; i < n_range; i++) {
                double range = near_m + 0.5 * cell * (double)i;
                nfsar_vec3 place = nfsar_vec3_add(centre, nfsar_vec3_scale(way, range));
                double score = power_of_some(p, place) * (1.0 - 0.01 * aside);
                at = score > most ? range : at;
                most = fmax(most, score);
            }
#pragma omp critical(nfsar_channels_start)
            if (most > best || (most == best && aside < best_aside)) {
                best = most;
                best_aside = aside;
                found = nfsar_vec3_add(centre, nfsar_vec3_scale(way, at));
            }
        }
    }
    return found;
}

/* The strongest delay of a channel (or all) in an interval, in steps of an eighth cell. */
static double strongest(const struct channel_profiles *p, size_t channel, nfsar_vec3 place,
                        const double window[2], double *power) {
    double step = 0.5 * p->step, best = -1.0, found = window[0];
    size_t n = (size_t)ceil((window[1] - window[0]) / step);
    for (size_t i = 0; i <= n; i++) {
        double more = window[0] + (window[1] - window[0]) * (double)i / (double)n;
        double score = channel_profiles_power(p, channel, place, more);
        if (score > best) {
            best = score;
            found = more;
        }
    }
    *power = best;
    return found;
}

/* What is looked at. */
struct search {
    double near_m, far_m;
    double first, last; /* delays of the profiles */
    double window[2];   /* of the common delay, beside the place's */
    double tried;       /* places and delays */
    bool has_gate;      /* the window goes with the place, which is between near_m and far_m */
};

static enum nfsar_status plan(const struct channel_lines *l, const nfsar_channels_options *o,
                              struct search *s, nfsar_error *error) {
    double unambiguous = 0.5 * NFSAR_SPEED_OF_LIGHT / l->step_hz;
    double cell = 1.0 / l->bandwidth_hz;
    double lobe = CHANNEL_PROFILES_LOBE * 0.5 * NFSAR_SPEED_OF_LIGHT * cell;
    s->near_m = o->near_m > 0.0 ? o->near_m : channel_profiles_leakage_m(l);
    if (o->has_point) {
        double mean, margin = fmax(o->search_delay_s + 2.0 * APART_CELLS * cell, 16.0 * cell);
        channel_profiles_delays(l, o->point, &s->first, &mean, &s->last);
        if (0.5 * NFSAR_SPEED_OF_LIGHT * mean > unambiguous) {
            return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                              "the point is %.4g m away: this capture's frequency steps tell "
                              "ranges from 0 to %.4g m only; are its coordinates metres?",
                              0.5 * NFSAR_SPEED_OF_LIGHT * mean, unambiguous);
        }
        s->first -= margin;
        s->last += margin;
        /* Not down to the leakage, unless the point is so near. */
        double low = fmin(2.0 * s->near_m / NFSAR_SPEED_OF_LIGHT - mean, -0.5 * cell);
        s->window[0] = fmax(low, -o->search_delay_s);
        s->window[1] = o->search_delay_s;
        s->tried = 2.0 * (s->window[1] - s->window[0]) / cell + 1.0;
        return NFSAR_OK;
    }
    if (o->near_m < 0.0 || o->far_m > unambiguous) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "gate %g to %g m: this capture's frequency steps tell ranges from 0 to "
                          "%.4g m only",
                          o->near_m, o->far_m, unambiguous);
    }
    s->far_m = o->far_m > 0.0 ? o->far_m : unambiguous - lobe; /* leakage appears there again */
    if (!(s->far_m > s->near_m)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "nothing lies between %g and %g m; ranges are unambiguous within %g m",
                          s->near_m, s->far_m, unambiguous);
    }
    s->has_gate = true;
    s->first = 0.0;
    /* Beyond a narrow gate, so that the median is that of what else there is. */
    s->last = fmax(2.0 * s->far_m / NFSAR_SPEED_OF_LIGHT, 32.0 * cell);
    s->window[0] = -cell;
    s->window[1] = cell;
    return NFSAR_OK;
}

/* Whether what was found stands out of the noise. */
static enum nfsar_status check(const struct channel_profiles *p, const nfsar_channels_options *o,
                               const struct search *s, const struct channel_start *start,
                               nfsar_error *error) {
    double noise_db = channel_profiles_noise_db(p, s->tried);
    double half_mm = 0.5e3 * NFSAR_SPEED_OF_LIGHT;
    if (start->contrast_db < noise_db) {
        char where[96] = "";
        if (o->has_point) {
            snprintf(where, sizeof where, " near the point (%+.0f to %+.0f mm beyond it: --search)",
                     half_mm * s->window[0], half_mm * s->window[1]);
        }
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "no reflector in the data%s: the strongest echo stands %.1f dB above the "
                          "others, and %.1f are needed, which noise alone does not reach",
                          where, start->contrast_db, noise_db);
    }
    return NFSAR_OK;
}

/* An echo of its own, or stepped over: cables put leakage farther away than antennas do, and then
 * its flank is the strongest beyond the first limit. *again: whether that is allowed, and
 * whether to look again. */
static enum nfsar_status check_flank(const struct channel_profiles *p,
                                     const nfsar_channels_options *o, struct search *s,
                                     const struct channel_start *start, double common, bool *again,
                                     nfsar_error *error) {
    double from = 0.0, least, mean, most, half = 0.5 * NFSAR_SPEED_OF_LIGHT;
    const bool may = *again;
    *again = false;
    channel_profiles_delays(p->lines, start->place, &least, &mean, &most);
    const double gate[2] = {s->near_m / half - mean, s->far_m / half - mean};
    if (!channel_profiles_side_lobe(p, o->window, start->place, s->has_gate ? gate : s->window,
                                    common, &from)) {
        return NFSAR_OK;
    }
    double beyond = half * (mean + from + CHANNEL_PROFILES_LOBE / p->lines->bandwidth_hz);
    if (may && s->has_gate && !(o->near_m > 0.0) && from < common && beyond > s->near_m &&
        beyond < s->far_m) {
        s->near_m = beyond;
        *again = true;
        return NFSAR_OK;
    }
    return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                      "no reflector in the data%s: what is there is a side lobe of the echo "
                      "%+.0f mm beyond it; %s looks there, --leakage takes leakage out",
                      o->has_point ? " near the point" : "", 1e3 * half * (from - common),
                      o->has_point ? "--search" : "--gate");
}

enum nfsar_status channel_start_find(struct channel_lines *lines,
                                     const nfsar_channels_options *options,
                                     struct channel_start *start, double *delay_s,
                                     nfsar_error *error) {
    struct search s = {0};
    struct channel_profiles p = {0};
    double power = 0.0, common = 0.0, apart = APART_CELLS / lines->bandwidth_hz;
    enum nfsar_status status = plan(lines, options, &s, error);
    if (status == NFSAR_OK) {
        status = channel_profiles_open(lines, s.first, s.last, &p, error);
    }
    if (status == NFSAR_OK) {
        status = channel_profiles_median(&p, &start->floor, error);
    }
    bool again = true;
    for (int steps = 1; status == NFSAR_OK && again; steps++) {
        start->place =
            options->has_point ? options->point : search_place(&p, s.near_m, s.far_m, &s.tried);
        double window[2] = {s.window[0], s.window[1]}, least, mean, most;
        channel_profiles_delays(lines, start->place, &least, &mean, &most);
        if (s.has_gate) { /* not back before the gate */
            window[0] = fmax(window[0], fmin(2.0 * s.near_m / NFSAR_SPEED_OF_LIGHT - mean, 0.0));
        }
        common = strongest(&p, lines->n_channel, start->place, window, &power);
        start->contrast_db = 10.0 * log10(power / fmax(start->floor, 1e-30 * power));
        status = power > 0.0 ? check(&p, options, &s, start, error)
                             : nfsar_fail(error, NFSAR_ERROR_FORMAT, "all samples are zero");
        if (status == NFSAR_OK) {
            again = steps < MOST_STEPS;
            status = check_flank(&p, options, &s, start, common, &again, error);
        }
    }
    const double about[2] = {fmax(common - apart, fmin(s.window[0], common - 0.5 * apart)),
                             common + apart};
    for (size_t c = 0; status == NFSAR_OK && c < lines->n_channel; c++) {
        delay_s[c] = strongest(&p, c, start->place, about, &power);
    }
    channel_profiles_close(&p);
    return status;
}
