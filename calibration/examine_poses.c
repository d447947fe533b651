/* The poses: units, jumps, and positions that stand still while the echo moves. */
#include <math.h>
#include <stdlib.h>

#include <nfsar/range.h>

#include "algorithms/buffer.h"
#include "algorithms/sort.h"
#include "calibration/examine.h"

/* An isolated jump is so many usual steps away from both neighbours. Were positions wrong by
 * normal errors alone, their usual (median) distance would be exceeded 4.6 times once in 1e10:
 * ten times leaves room for what is not normal. */
#define JUMP_STEPS 10.0
/* Errors of less than this part of a wavelength do not blur. */
#define HARMLESS (1.0 / 8.0)
/* More jumps than this share are the way of the path, as with two columns. */
#define RARE 0.05

/* Pairs of pulses that are compared, and when they count. */
enum { MOST_PAIRS = 256, LEAST_PAIRS = 4 };

static double longest_wave(const nfsar_capture *capture) {
    double low = INFINITY;
    for (size_t i = 0; i < capture->n_sample; i++) {
        low = fmin(low, capture->frequency_hz[i]);
    }
    return NFSAR_SPEED_OF_LIGHT / low;
}

struct track {
    nfsar_pose *at; /* [n] at the pulses */
    size_t n;
    double extent; /* the box's diagonal, metres */
    double usual;  /* median step that is not zero */
};

static enum nfsar_status track_make(const nfsar_capture *capture, struct track *track,
                                    nfsar_error *error) {
    size_t n = capture->n_pulse, steps = 0;
    nfsar_vec3 low = {INFINITY, INFINITY, INFINITY}, high = {-INFINITY, -INFINITY, -INFINITY};
    *track = (struct track){.at = buffer_alloc(n, sizeof *track->at), .n = n};
    double *step = buffer_alloc(n, sizeof *step);
    if (track->at == NULL || step == NULL) {
        free(step);
        free(track->at);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu poses", n);
    }
    for (size_t i = 0; i < n; i++) {
        track->at[i] = nfsar_track_pose(capture->pose_time_s, capture->pose, capture->n_pose,
                                        capture->time_s[i], NULL);
        nfsar_vec3 p = track->at[i].position;
        low = nfsar_vec3_min(low, p);
        high = nfsar_vec3_max(high, p);
        double d = i > 0 ? nfsar_vec3_distance(p, track->at[i - 1].position) : 0.0;
        if (d > 0.0) {
            step[steps++] = d;
        }
    }
    track->extent = nfsar_vec3_distance(low, high);
    track->usual = steps > 0 ? sort_median(step, steps) : 0.0;
    free(step);
    return NFSAR_OK;
}

static void tell_outside(struct examined *e) {
    size_t n = 0, first = 0;
    for (size_t i = 0; i < e->capture->n_pulse; i++) {
        bool outside = (e->capture->flags[i] & NFSAR_PULSE_POSE_EXTRAPOLATED) != 0;
        first = outside && n == 0 ? i : first;
        n += outside;
    }
    if (n > 0) {
        examine_wrong(e, "poses", NFSAR_FAULT_POSE_OUTSIDE, NFSAR_DOCTOR_CERTAIN,
                      "start the tracker before the radar and stop it after; see that both clocks "
                      "are the same (nfsar info shows times), and that nothing hides the tracker "
                      "meanwhile",
                      "%zu of %zu pulses are flagged: they lie before the first or after the last "
                      "pose, or in a gap of what told the poses; the first is %zu",
                      n, e->capture->n_pulse, first);
    }
}

/* Steps of many wavelengths over a scan that is far longer than the ranges which the chirp tells
 * apart: no scan for the near field has both. */
static bool tell_units(struct examined *e, const struct track *track) {
    double wave = longest_wave(e->capture), far = nfsar_range_unambiguous(e->capture);
    double room = 4.0 * (far < INFINITY ? far : 1000.0 * wave);
    if (!(track->usual > 10.0 * wave && track->extent > room)) {
        return false;
    }
    e->poses_wrong = true;
    if (!(track->extent < 1e9)) {
        examine_wrong(e, "poses", NFSAR_FAULT_POSE_UNITS, NFSAR_DOCTOR_CERTAIN,
                      "import the positions again: these are no lengths in metres",
                      "positions are more than 1e9 m apart");
        return true;
    }
    bool milli = track->usual > 100.0 * wave;
    examine_wrong(e, "poses", NFSAR_FAULT_POSE_UNITS, NFSAR_DOCTOR_LIKELY,
                  milli ? "divide /pose/position_m by 1000; an importer's rig file has a key for "
                          "units (docs/import.md)"
                        : "divide /pose/position_m by 100; an importer's rig file has a key for "
                          "units (docs/import.md)",
                  "the scan is %.4g m long, in steps of %.3g m (%.0f wavelengths): that looks like "
                  "%s",
                  track->extent, track->usual, track->usual / wave,
                  milli ? "millimetres" : "centimetres");
    return true;
}

static bool is_jump(const struct track *track, size_t i, double least) {
    nfsar_vec3 a = track->at[i - 1].position, b = track->at[i].position;
    nfsar_vec3 c = track->at[i + 1].position;
    double away = fmin(nfsar_vec3_distance(a, b), nfsar_vec3_distance(b, c));
    return away > least && nfsar_vec3_distance(a, c) < 0.5 * away;
}

static bool tell_jumps(struct examined *e, const struct track *track) {
    double wave = longest_wave(e->capture), largest = 0.0;
    double least = fmax(JUMP_STEPS * track->usual, HARMLESS * wave);
    size_t n = 0, first = 0;
    for (size_t i = 1; i + 1 < track->n; i++) {
        if (is_jump(track, i, least)) {
            first = n == 0 ? i : first;
            n++;
            largest = fmax(largest,
                           nfsar_vec3_distance(track->at[i].position, track->at[i - 1].position));
        }
    }
    if (n == 0 || (double)n > RARE * (double)track->n) {
        return false;
    }
    e->poses_wrong = true;
    examine_wrong(e, "poses", NFSAR_FAULT_POSE_JUMP, NFSAR_DOCTOR_TESTED,
                  "the tracker loses sight there: leave these poses out of the track (the others "
                  "are interpolated), or record again",
                  "%zu position%s away from both neighbours by up to %.3g mm, where the usual "
                  "step is %.3g mm; the first is that of pulse %zu",
                  n, n == 1 ? " jumps" : "s jump", 1e3 * largest, 1e3 * track->usual, first);
    return true;
}

/* ---- positions that stand still -------------------------------------------------------------- */

static bool same_pose(const nfsar_pose *a, const nfsar_pose *b) {
    const nfsar_quaternion *p = &a->orientation, *q = &b->orientation;
    return a->position.x == b->position.x && a->position.y == b->position.y &&
           a->position.z == b->position.z && p->w == q->w && p->x == q->x && p->y == q->y &&
           p->z == q->z;
}

/* By how much the echo of two pulses turned, squared, in variances of what noise makes of it:
 * (1 - g^2) / (2 g^2 n) of a coherence g over n samples. -1 where there is nothing to compare; the
 * square of pi where echoes that are four times as strong as noise are not coherent at all. */
static double turned(const float complex *a, const float complex *b, size_t n, double noise) {
    double complex product = 0.0;
    double power_a = 0.0, power_b = 0.0;
    for (size_t i = 0; i < n; i++) {
        double complex x = a[i], y = b[i];
        product += conj(x) * y;
        power_a += creal(x) * creal(x) + cimag(x) * cimag(x);
        power_b += creal(y) * creal(y) + cimag(y) * cimag(y);
    }
    if (!(power_a > 0.0 && power_b > 0.0)) {
        return -1.0;
    }
    double squared = cabs(product) / sqrt(power_a) * (cabs(product) / sqrt(power_a)) / power_b;
    if (squared < 25.0 / (double)n) {
        bool strong = fmin(power_a, power_b) > 4.0 * noise * (double)n;
        return strong ? NFSAR_PI * NFSAR_PI * (double)n : -1.0;
    }
    double variance = fmax((1.0 - squared) / (2.0 * squared * (double)n), 1e-6);
    return carg(product) * carg(product) / variance;
}

static enum nfsar_status tell_repeated(struct examined *e, const struct track *track,
                                       bool *repeated, nfsar_error *error) {
    size_t n = e->capture->array.n_channel * e->capture->n_sample, all = 0, looked_at = 0;
    for (size_t i = 1; i < track->n; i++) {
        all += same_pose(&track->at[i], &track->at[i - 1]);
    }
    if (all < LEAST_PAIRS || e->not_finite) {
        return NFSAR_OK;
    }
    float complex *echo = buffer_alloc(2 * n, sizeof *echo);
    enum nfsar_status status =
        echo != NULL ? NFSAR_OK : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    size_t every = all / MOST_PAIRS + 1, met = 0, first = 0;
    double sum = 0.0;
    for (size_t i = 1; status == NFSAR_OK && i < track->n; i++) {
        if (!same_pose(&track->at[i], &track->at[i - 1]) || met++ % every != 0) {
            continue;
        }
        status = e->calibrated->read(e->calibrated->context, i - 1, 2, 0, e->capture->n_sample,
                                     echo, error);
        double turn = status == NFSAR_OK ? turned(echo, echo + n, n, e->noise) : -1.0;
        if (turn >= 0.0) {
            first = looked_at == 0 ? i : first;
            looked_at++;
            sum += turn;
        }
    }
    free(echo);
    /* Chi squared of as many degrees of freedom; its mean is a sum of 2n/2 unit exponentials. The
     * factor is for echoes that drift a little. */
    double pairs = (double)looked_at;
    if (status == NFSAR_OK && looked_at >= LEAST_PAIRS &&
        sum / pairs > 10.0 * examine_mean_power(0.5 * pairs, NFSAR_DOCTOR_FALSE_ALARM)) {
        *repeated = true;
        examine_wrong(e, "poses", NFSAR_FAULT_POSE_REPEATED, NFSAR_DOCTOR_TESTED,
                      "the tracker stood still or is slower than the radar: keep each of its poses "
                      "once, with its own time, in /pose; nfsar interpolates",
                      "%zu pulses have the pose of the one before, but another echo; the first is "
                      "%zu",
                      all, first);
    }
    return status;
}

enum nfsar_status examine_poses(struct examined *e, nfsar_error *error) {
    struct track track;
    enum nfsar_status status = track_make(e->capture, &track, error);
    if (status != NFSAR_OK) {
        return status;
    }
    size_t before = e->report->verdicts[NFSAR_DOCTOR_WRONG];
    tell_outside(e);
    if (track.n == 1) {
        examine_unknown(e, "poses", NULL, "a single pulse");
    } else if (track.extent < 0.01 * longest_wave(e->capture)) {
        e->poses_wrong = true; /* nothing moves: what wavefronts are looked at in is noise */
        examine_wrong(e, "poses", NFSAR_FAULT_NO_APERTURE, NFSAR_DOCTOR_CERTAIN,
                      "of a scan, give the positions: /pose/position_m, or scan: of the rig file "
                      "(docs/import.md); of a reflector before a radar that stands still: nfsar "
                      "calibrate --range and --channels",
                      "the radar moves by %.3g mm in all: there is no aperture",
                      1e3 * track.extent);
    } else if (!tell_units(e, &track)) {
        bool repeated = false;
        tell_jumps(e, &track);
        status = tell_repeated(e, &track, &repeated, error);
    }
    if (e->report->verdicts[NFSAR_DOCTOR_WRONG] == before && track.n > 1) {
        examine_ok(e, "poses", "%zu over %.4g m, usually %.3g mm from one to the next; none jumps",
                   track.n, track.extent, 1e3 * track.usual);
    }
    free(track.at);
    return status;
}
