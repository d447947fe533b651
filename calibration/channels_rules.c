#include "calibration/channels_rules.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <lapacke.h>
#include <nfsar/geometry.h>

/* Sine of the widest angle from which channels are tried to add up. */
#define WIDEST 0.8
/* Channels that add up to less than this part are out of phase: any angle is as good. */
#define IN_PHASE 0.85
/* Pulses that a beam is averaged over. */
#define BEAM_PULSES 16

/* The channels as they are, seen from where the pulses are. */
struct array {
    const struct channel_fit *fit;
    double complex *response; /* [n_channel] at the fit's place */
    double sum;               /* of their moduli */
    nfsar_vec3 centre;
    nfsar_pose pose;
};

static nfsar_vec3 mean_centre(const struct channel_lines *l) {
    nfsar_vec3 sum = {0.0, 0.0, 0.0};
    for (size_t i = 0; i < l->n_line; i++) {
        sum = nfsar_vec3_add(sum, nfsar_vec3_midpoint(l->tx[i], l->rx[i]));
    }
    return nfsar_vec3_scale(sum, 1.0 / (double)l->n_line);
}

/* By how much a channel's delay is longer at another place, mean over the scan. */
static double longer(const struct channel_fit *fit, size_t channel, nfsar_vec3 place) {
    const struct channel_lines *l = fit->lines;
    size_t n = l->n_pulse < BEAM_PULSES ? l->n_pulse : BEAM_PULSES;
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        size_t line = i * l->n_pulse / n * l->n_channel + channel;
        sum += channel_lines_delay(l, line, place) - channel_lines_delay(l, line, fit->place);
    }
    return sum / (double)n;
}

/* |sum of the channels as they are|, were the reflector at that place; IN_PHASE at least, and of
 * equals the one ahead. aside: squared sine of the angle to the array's axis. */
static double score(const struct array *a, nfsar_vec3 place, double aside) {
    double complex sum = 0.0;
    for (size_t c = 0; c < a->fit->lines->n_channel; c++) {
        double turns = fmod(a->fit->lines->centre_hz * longer(a->fit, c, place), 1.0);
        sum += a->response[c] * cexp(-2.0 * NFSAR_PI * I * turns);
    }
    return fmax(cabs(sum), IN_PHASE * a->sum) * (1.0 - 1e-3 * aside);
}

/* All directions at a range: what a radar at rest does not tell. */
static nfsar_vec3 search_directions(const struct array *a, double range) {
    double best = -1.0, u = 0.0, v = 0.0, step = 0.02;
    nfsar_vec3 found = a->fit->place;
    for (int pass = 0, n = (int)(WIDEST / step); pass < 8; pass++, n = 4, step *= 0.3) {
        double from_u = u, from_v = v;
        for (int i = -n; i <= n; i++) {
            for (int j = -n; j <= n; j++) {
                double s = from_u + i * step, t = from_v + j * step, aside = s * s + t * t;
                if (aside > WIDEST * WIDEST) {
                    continue;
                }
                nfsar_vec3 ahead = {s, t, sqrt(1.0 - aside)};
                ahead = nfsar_quaternion_rotate(a->pose.orientation, ahead);
                nfsar_vec3 place = nfsar_vec3_add(a->centre, nfsar_vec3_scale(ahead, range));
                double value = score(a, place, aside);
                if (value > best) {
                    best = value;
                    found = place;
                    u = s;
                    v = t;
                }
            }
        }
    }
    return found;
}

/* The direction along which the antennas moved: principal axis of where they were. */
static nfsar_vec3 find_axis(const struct channel_lines *l) {
    double a[9] = {0.0}, lambda[3];
    nfsar_vec3 mean = {0.0, 0.0, 0.0};
    for (size_t p = 0; p < l->n_pulse; p++) {
        mean = nfsar_vec3_add(mean,
                              nfsar_vec3_scale(l->tx[p * l->n_channel], 1.0 / (double)l->n_pulse));
    }
    for (size_t p = 0; p < l->n_pulse; p++) {
        nfsar_vec3 d = nfsar_vec3_subtract(l->tx[p * l->n_channel], mean);
        const double way[3] = {d.x, d.y, d.z};
        for (int i = 0; i < 9; i++) {
            a[i] += way[i / 3] * way[i % 3];
        }
    }
    if (LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'U', 3, a, 3, lambda) != 0) {
        return (nfsar_vec3){1.0, 0.0, 0.0};
    }
    return (nfsar_vec3){a[2], a[5], a[8]};
}

/* Round the line that the radar moved along, which leaves all its ranges as they are. */
static nfsar_vec3 search_round(const struct array *a) {
    nfsar_vec3 axis = find_axis(a->fit->lines);
    nfsar_vec3 way = nfsar_vec3_subtract(a->fit->place, a->centre), found = a->fit->place;
    nfsar_vec3 ahead = nfsar_quaternion_rotate(a->pose.orientation, (nfsar_vec3){0.0, 0.0, 1.0});
    double best = -1.0, angle = 0.0, step = 0.005;
    for (int pass = 0, n = (int)(0.5 * NFSAR_PI / step); pass < 10; pass++, n = 4, step *= 0.3) {
        double from = angle;
        for (int i = -n; i <= n; i++) {
            double turn = from + i * step;
            nfsar_vec3 turned =
                nfsar_quaternion_rotate(nfsar_quaternion_from_axis_angle(axis, turn), way);
            double cosine = nfsar_vec3_dot(turned, ahead) / nfsar_vec3_norm(way);
            if (cosine < sqrt(1.0 - WIDEST * WIDEST) && i != 0) {
                continue;
            }
            double value = score(a, nfsar_vec3_add(a->centre, turned), 1.0 - cosine * cosine);
            if (value > best) {
                best = value;
                angle = turn;
                found = nfsar_vec3_add(a->centre, turned);
            }
        }
    }
    return found;
}

/* The delays as the new place has them: what is measured is the sum of both. */
static void move(struct channel_fit *fit, nfsar_vec3 place) {
    for (size_t c = 0; c < fit->lines->n_channel; c++) {
        fit->delay_s[c] -= longer(fit, c, place);
    }
    fit->place = place;
}

/* Mean delay zero, and the range longer by it. */
static void give_delay_to_range(struct channel_fit *fit, nfsar_vec3 centre) {
    size_t n_channel = fit->lines->n_channel;
    double mean = 0.0;
    for (size_t c = 0; c < n_channel; c++) {
        mean += fit->delay_s[c] / (double)n_channel;
    }
    nfsar_vec3 way = nfsar_vec3_subtract(fit->place, centre);
    double more = 1.0 + 0.5 * mean * NFSAR_SPEED_OF_LIGHT / nfsar_vec3_norm(way);
    for (size_t c = 0; c < n_channel; c++) {
        fit->delay_s[c] -= mean;
    }
    fit->place = nfsar_vec3_add(centre, nfsar_vec3_scale(way, more));
}

enum nfsar_status channel_rules_follow(struct channel_fit *fit, bool *delay_is_range,
                                       nfsar_error *error) {
    const struct channel_lines *l = fit->lines;
    size_t n_channel = l->n_channel;
    struct array a = {.fit = fit, .centre = mean_centre(l)};
    a.response = malloc(n_channel * sizeof *a.response);
    if (a.response == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    double common = 0.0;
    for (size_t c = 0; c < n_channel; c++) {
        double turns = fmod(l->centre_hz * fit->delay_s[c], 1.0);
        a.response[c] = channel_fit_gain(fit, c) * cexp(2.0 * NFSAR_PI * I * turns);
        a.sum += cabs(a.response[c]);
        common += fit->delay_s[c] / (double)n_channel;
    }
    a.pose = nfsar_track_pose(l->capture->pose_time_s, l->capture->pose, l->capture->n_pose,
                              l->capture->time_s[l->n_pulse / 2], NULL);
    nfsar_vec3 way = nfsar_vec3_subtract(fit->place, a.centre);
    double range = nfsar_vec3_norm(way), along = 0.0;
    for (int i = 0; i < 3; i++) {
        double part = nfsar_vec3_dot(fit->direction[i], way) / range;
        along += isfinite(fit->sigma_m[i]) ? part * part : 0.0;
    }
    /* A direction that is told is near the line of sight or across. */
    bool range_told = along > 0.5;
    int told = fit->told, angles = told - (range_told ? 1 : 0);
    if (told == 0) {
        move(fit, search_directions(&a, range + 0.5 * common * NFSAR_SPEED_OF_LIGHT));
    } else if (angles < 2) {
        move(fit, search_round(&a));
    }
    free(a.response);
    *delay_is_range = !range_told;
    if (!range_told) {
        give_delay_to_range(fit, a.centre);
    }
    return told > 0 ? channel_fit_settle(fit, error) : channel_fit_sum(fit, error);
}
