/* How a radar moved, in one line (track_motion.c). */
#ifndef NFSAR_HOST_CLI_TRACK_MOTION_H
#define NFSAR_HOST_CLI_TRACK_MOTION_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include <nfsar/nfsar.h>

/* Metres, of the lowest frequency. */
double track_longest_wave(const nfsar_capture *capture);

/* Of the box about all places, metres. */
double track_longest_side(const nfsar_pose *pose, size_t n);

/* The fastest step from row to row of a track, in a second; how far it goes, and its end by the
 * track's clock; what 95 % of the steps are below, in a second. */
struct track_step {
    double fastest, size, time_s, usual;
};

struct track_motion {
    nfsar_vec3 extent_m;           /* of the box about the radar's places at the pulses */
    nfsar_vec3 looks;              /* mean boresight; 0 where it goes all round */
    double turn_rad;               /* largest angle to the first pose */
    struct track_step place, turn; /* metres; radians */
    bool has_orientation;
};

/* By the radar's poses pose[n], and those rows of its track that are of begin_s to end_s. */
enum nfsar_status track_motion_of(const nfsar_pose_track *track, const nfsar_pose *pose, size_t n,
                                  double begin_s, double end_s, struct track_motion *motion,
                                  nfsar_error *error);
/* Says when it is none, or has a step that no radar makes. path: of the tracker's file. */
void track_motion_warn(const struct track_motion *motion, const nfsar_capture *capture,
                       const char *path);
void track_motion_print(const struct track_motion *motion);
json_t *track_motion_json(const struct track_motion *motion);

/* An error that names the capture when its poses do not move: autofocus corrects a way, and finds
 * none. */
enum nfsar_status track_motion_needed(const nfsar_capture *capture, const char *path,
                                      nfsar_error *error);

#endif
