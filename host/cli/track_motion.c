/* How the radar moved, by the poses of a tracker or of a capture: said so that somebody sees
 * whether axes, units and body are the right ones, which no single pose tells. */
#include "host/cli/track_motion.h"

#include <math.h>
#include <stdlib.h>

#include "algorithms/sort.h"
#include "host/cli/cli.h"

/* A step is a stray pose's when it is so many times as fast as 95 % of them, and longer than so
 * many wavelengths, or radians: a rest makes slow what is usual, and noise of a tracker is a few
 * times that. */
#define STRAY_SPEED 10.0
#define STRAY_WAVES 10.0
#define STRAY_RAD   0.2
#define USUAL       0.95
/* Less than this part of a wavelength, or of a radian, makes no synthetic aperture. */
#define STILL_WAVES 0.25
#define STILL_RAD   0.01

#define DEGREES (180.0 / NFSAR_PI)

double track_longest_wave(const nfsar_capture *capture) {
    double lowest = INFINITY;
    for (size_t i = 0; i < capture->n_sample; i++) {
        lowest = fmin(lowest, capture->frequency_hz[i]);
    }
    return NFSAR_SPEED_OF_LIGHT / lowest;
}

static double angle_between(nfsar_quaternion a, nfsar_quaternion b) {
    const nfsar_quaternion turn = nfsar_quaternion_multiply(nfsar_quaternion_conjugate(a), b);
    return 2.0 * atan2(nfsar_vec3_norm((nfsar_vec3){turn.x, turn.y, turn.z}), fabs(turn.w));
}

/* Sides of the box about all places. */
static nfsar_vec3 extent_of(const nfsar_pose *pose, size_t n) {
    nfsar_vec3 low = pose[0].position, high = low;
    for (size_t i = 1; i < n; i++) {
        low = nfsar_vec3_min(low, pose[i].position);
        high = nfsar_vec3_max(high, pose[i].position);
    }
    return nfsar_vec3_subtract(high, low);
}

static double longest(nfsar_vec3 extent) {
    return fmax(extent.x, fmax(extent.y, extent.z));
}

double track_longest_side(const nfsar_pose *pose, size_t n) {
    return longest(extent_of(pose, n));
}

static void sum_up(const nfsar_pose *pose, size_t n, struct track_motion *motion) {
    const nfsar_vec3 ahead = {0.0, 0.0, 1.0};
    nfsar_vec3 sum = {0};
    for (size_t i = 0; i < n; i++) {
        sum = nfsar_vec3_add(sum, nfsar_quaternion_rotate(pose[i].orientation, ahead));
        motion->turn_rad =
            fmax(motion->turn_rad, angle_between(pose[0].orientation, pose[i].orientation));
    }
    const double norm = nfsar_vec3_norm(sum);
    motion->extent_m = extent_of(pose, n);
    /* Of a full turn the mean is nothing. */
    motion->looks = norm > 0.1 * (double)n ? nfsar_vec3_scale(sum, 1.0 / norm) : (nfsar_vec3){0};
}

/* How far a row of the track is from the one before: metres, or radians. */
typedef double distance_of(const nfsar_pose *a, const nfsar_pose *b);

static double apart(const nfsar_pose *a, const nfsar_pose *b) {
    return nfsar_vec3_distance(a->position, b->position);
}

static double turned(const nfsar_pose *a, const nfsar_pose *b) {
    return angle_between(a->orientation, b->orientation);
}

static struct track_step steps(const nfsar_pose_track *track, double begin_s, double end_s,
                               distance_of *distance, double *rate) {
    struct track_step step = {0};
    size_t n = 0;
    for (size_t i = 0; i + 1 < track->n; i++) {
        const double interval_s = track->time_s[i + 1] - track->time_s[i];
        if (track->time_s[i] < begin_s || track->time_s[i + 1] > end_s) {
            continue;
        }
        const double size = distance(&track->pose[i], &track->pose[i + 1]);
        rate[n] = size / interval_s;
        if (rate[n] > step.fastest) {
            step.fastest = rate[n];
            step.size = size;
            step.time_s = track->time_s[i + 1];
        }
        n++;
    }
    sort_doubles(rate, n);
    step.usual = n > 0 ? rate[(size_t)(USUAL * (double)(n - 1))] : 0.0;
    return step;
}

enum nfsar_status track_motion_of(const nfsar_pose_track *track, const nfsar_pose *pose, size_t n,
                                  double begin_s, double end_s, struct track_motion *motion,
                                  nfsar_error *error) {
    double *rate = malloc((track->n + 1) * sizeof *rate);
    if (rate == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    *motion = (struct track_motion){.has_orientation = track->has_orientation};
    sum_up(pose, n, motion);
    motion->place = steps(track, begin_s, end_s, apart, rate);
    motion->turn = steps(track, begin_s, end_s, turned, rate);
    free(rate);
    return NFSAR_OK;
}

/* What interpolation leaves of a place that stays is none. */
static double millimetres(double metres) {
    return metres > 1e-9 ? 1e3 * metres : 0.0;
}

/* To print it without a "-0.00". */
static double hundredths(double value) {
    return round(100.0 * value) / 100.0 + 0.0;
}

static bool is_stray(const struct track_step *step, double size) {
    return step->fastest > STRAY_SPEED * step->usual && step->size > size;
}

void track_motion_warn(const struct track_motion *m, const nfsar_capture *capture,
                       const char *path) {
    const double wave = track_longest_wave(capture);
    const double most = longest(m->extent_m);
    if (most < STILL_WAVES * wave) {
        cli_say("warning: the places of %s stay within %.2g mm, which makes no aperture: is it the "
                "radar's body (--body), are its lengths in the unit that it says, and its times in "
                "seconds?",
                path, millimetres(most));
    }
    if (is_stray(&m->place, STRAY_WAVES * wave)) {
        cli_say("warning: %s: at %.3f s of its clock the place jumps by %.3g m, at %.3g m/s, where "
                "%.0f %% are below %.2g m/s: if it is a stray pose, take its row out",
                path, m->place.time_s, m->place.size, m->place.fastest, 100.0 * USUAL,
                m->place.usual);
    }
    if (is_stray(&m->turn, STRAY_RAD)) {
        cli_say(
            "warning: %s: at %.3f s of its clock the direction jumps by %.3g degrees, at %.3g "
            "degrees/s, where %.0f %% are below %.2g degrees/s: if it is a stray pose, take its "
            "row out",
            path, m->turn.time_s, DEGREES * m->turn.size, DEGREES * m->turn.fastest, 100.0 * USUAL,
            DEGREES * m->turn.usual);
    }
}

void track_motion_print(const struct track_motion *m) {
    printf("moves      %.4g x %.4g x %.4g mm in x, y and z, by %.2g m/s at most; ",
           millimetres(m->extent_m.x), millimetres(m->extent_m.y), millimetres(m->extent_m.z),
           m->place.fastest);
    const char *how = m->has_orientation ? "" : " throughout, for the file has no orientations";
    if (nfsar_vec3_norm(m->looks) > 0.0) {
        printf("looks along (%.2f, %.2f, %.2f)%s", hundredths(m->looks.x), hundredths(m->looks.y),
               hundredths(m->looks.z), how);
    }
    if (m->has_orientation) {
        printf("%sturned by up to %.2f degrees", nfsar_vec3_norm(m->looks) > 0.0 ? ", " : "",
               DEGREES * m->turn_rad);
    }
    printf("\n");
}

json_t *track_motion_json(const struct track_motion *m) {
    return json_pack("{s:[f,f,f], s:f, s:[f,f,f], s:f}", "extent_m", m->extent_m.x, m->extent_m.y,
                     m->extent_m.z, "fastest_m_per_s", m->place.fastest, "looks_along", m->looks.x,
                     m->looks.y, m->looks.z, "turned_deg", DEGREES * m->turn_rad);
}

enum nfsar_status track_motion_needed(const nfsar_capture *capture, const char *path,
                                      nfsar_error *error) {
    struct track_motion motion = {0};
    sum_up(capture->pose, capture->n_pose, &motion);
    const double most = longest(motion.extent_m);
    if (most >= STILL_WAVES * track_longest_wave(capture) || motion.turn_rad >= STILL_RAD) {
        return NFSAR_OK;
    }
    return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                      "%s: its poses stay within %.2g mm, and echoes alone do not tell a way that "
                      "nobody knows: give it poses first, of a tracker (nfsar track --poses FILE), "
                      "of its sensors (nfsar track) or of a scan (scan: of the rig file)",
                      path, 1e3 * most);
}
