/* Whether a tracker's poses can be meant as they stand: options that its file has no use for, units
 * of length, and how much of the capture they cover. */
#include "host/cli/track.h"

#include <math.h>
#include <stdlib.h>

#include <nfsar/nfsar.h>

#include "algorithms/sort.h"
#include "host/cli/cli.h"
#include "host/cli/track_motion.h"

/* As of a capture's own poses (calibration/examine_poses.c): no scan for the near field has steps
 * of so many wavelengths over so many times the range that the chirp tells apart. */
#define STEP_WAVES  10.0
#define EXTENT_FAR  4.0
#define WAVES_MILLI 100.0
/* Shares of the pulses without a pose: beyond the first there is no image, and the second is worth
 * a word. */
#define COVER_LEAST 0.5
#define COVER_POOR  0.1
/* A tracker's file that lasts so many times as long as the capture is not in seconds. */
#define TIMES_LONGER 300.0
#define TIMES_MICRO  1e5

enum nfsar_status track_poses_check_options(const struct track_poses *job,
                                            enum nfsar_pose_format format, nfsar_error *error) {
    const bool text = format == NFSAR_POSE_TUM || format == NFSAR_POSE_WXYZ;
    const bool bodies = format == NFSAR_POSE_OPTITRACK || format == NFSAR_POSE_VICON;
    const char *name = nfsar_pose_format_name(format);
    if (job->how.body != NULL && !bodies) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "%s: --body %s: a file of %s has one body, without a name", job->poses,
                          job->how.body, name);
    }
    if (job->how.z_up && !text) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "%s: --up z: is for tum and wxyz; axes of %s are known", job->poses,
                          name);
    }
    return NFSAR_OK;
}

enum nfsar_status track_poses_check_units(const struct track_poses *job,
                                          const nfsar_pose_track *track,
                                          const nfsar_capture *capture, nfsar_error *error) {
    const size_t n = track->n > capture->n_pulse ? track->n : capture->n_pulse;
    double *value = malloc((n + 1) * sizeof *value);
    if (value == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t i = 0; i + 1 < track->n; i++) {
        value[i] = nfsar_vec3_distance(track->pose[i + 1].position, track->pose[i].position) /
                   (track->time_s[i + 1] - track->time_s[i]);
    }
    const double speed = sort_upper_median(value, track->n - 1);
    for (size_t i = 0; i + 1 < capture->n_pulse; i++) {
        value[i] = capture->time_s[i + 1] - capture->time_s[i];
    }
    const double interval = sort_upper_median(value, capture->n_pulse - 1);
    free(value);
    const double wave = track_longest_wave(capture), far = nfsar_range_unambiguous(capture);
    const double waves = speed * interval / wave,
                 extent = track_longest_side(track->pose, track->n);
    if (!(waves > STEP_WAVES && extent > EXTENT_FAR * (far < INFINITY ? far : 1000.0 * wave))) {
        return NFSAR_OK;
    }
    return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                      "%s: its places are up to %.4g m apart, at %.3g m/s, %.0f wavelengths from "
                      "pulse to pulse: that looks like %s; write metres",
                      job->poses, extent, speed, waves,
                      waves > WAVES_MILLI ? "millimetres" : "centimetres or millimetres");
}

enum nfsar_status track_poses_check_cover(const struct track_poses *job,
                                          const nfsar_pose_track *track,
                                          const nfsar_capture *capture, double clock_ahead_s,
                                          size_t n_without, nfsar_error *error) {
    const double share = (double)n_without / (double)capture->n_pulse;
    if (share <= COVER_LEAST) {
        if (share > COVER_POOR) {
            cli_say("warning: %zu of %zu pulses have no pose of their own: they lie outside the "
                    "times of %s, or in its gaps",
                    n_without, capture->n_pulse, job->poses);
        }
        return NFSAR_OK;
    }
    /* Of a recording and of its tracker, which run for about as long. */
    const double takes_s = capture->time_s[capture->n_pulse - 1] - capture->time_s[0];
    const double length = (track->time_s[track->n - 1] - track->time_s[0]) / takes_s;
    if (takes_s > 0.0 && length > TIMES_LONGER) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "%s: its times go from %.3f to %.3f s, %.0f times as long as the capture "
                          "takes: that looks like %s; write seconds",
                          job->poses, track->time_s[0], track->time_s[track->n - 1], length,
                          length > TIMES_MICRO ? "microseconds" : "milliseconds");
    }
    return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                      "%s: tells the poses of %zu of %zu pulses: its times, %.3f to %.3f s by a "
                      "clock that is %.3f s ahead, are not those of the pulses, %.3f to %.3f s, or "
                      "have gaps: give --clock-ahead S, --align, or the whole file",
                      job->poses, capture->n_pulse - n_without, capture->n_pulse, track->time_s[0],
                      track->time_s[track->n - 1], clock_ahead_s, capture->time_s[0],
                      capture->time_s[capture->n_pulse - 1]);
}
