/* What the modes of `nfsar track` share: each has a file of its own. */
#ifndef NFSAR_HOST_CLI_TRACK_H
#define NFSAR_HOST_CLI_TRACK_H

#include <stdbool.h>

#include <nfsar/pose_file.h>
#include <nfsar/time_offset.h>
#include <nfsar/trajectory.h>

#include "host/cli/calibrate.h"

/* Fuse what the sensors of a recording said. */
struct track_sensors {
    const char *input, *output;
    const char *pod;     /* file, or NULL: the defaults */
    const char *without; /* names of sensors that are not to be used, commas between; or NULL */
    bool use_poses;      /* the capture's own poses as a tracker's */
    double window_s;
    bool has_window; /* it was asked for */
    bool json;
};
int track_sensors(const struct track_sensors *job);
/* Whether all of job->without are names of sensors that can be done without. */
bool track_sensors_known(const char *names);
/* Whether a sensor is among names with commas between; none are in NULL. */
bool track_sensors_without(const char *names, enum nfsar_sensor sensor);

/* --poses: poses of a tracker's file. */
struct track_poses {
    struct calibrate_files files;
    const char *poses;
    nfsar_pose_file_options how;
    double clock_ahead_s;      /* time of the file = the radar's + this */
    nfsar_vec3 lever;          /* radar's origin in the tracked body's axes */
    nfsar_quaternion rotation; /* radar's axes into the tracked body's */
    bool align;
    double search_s; /* about clock_ahead_s; 0: everywhere */
    nfsar_time_offset_options options;
};
int track_poses(const struct track_poses *job);

/* Whether what the file says, and of what the options say, can be meant (track_poses_check.c):
 * options that a format has no use for; places that are no metres; poses of less than half of the
 * pulses. Errors name the file. */
enum nfsar_status track_poses_check_options(const struct track_poses *job,
                                            enum nfsar_pose_format format, nfsar_error *error);
enum nfsar_status track_poses_check_units(const struct track_poses *job,
                                          const nfsar_pose_track *track,
                                          const nfsar_capture *capture, nfsar_error *error);
enum nfsar_status track_poses_check_cover(const struct track_poses *job,
                                          const nfsar_pose_track *track,
                                          const nfsar_capture *capture, double clock_ahead_s,
                                          size_t n_without, nfsar_error *error);

/* The time of every pulse, and of each of its channels: ascending, each once; the caller frees
 * them. NULL when out of memory. */
double *track_times(const nfsar_capture *capture, size_t *n);

/* What each mode makes of its options: nfsar track, --poses, --phase, --autofocus. */
int track_by_sensors(int argc, char **argv);
int track_by_poses(int argc, char **argv);
int track_by_phase(int argc, char **argv);
int track_by_autofocus(int argc, char **argv);

#endif
