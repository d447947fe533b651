/* What the modes of `nfsar track` share: each has a file of its own. */
#ifndef NFSAR_HOST_CLI_TRACK_H
#define NFSAR_HOST_CLI_TRACK_H

#include <stdbool.h>

#include <nfsar/pose_file.h>
#include <nfsar/time_offset.h>

#include "host/cli/calibrate.h"

/* Fuse what the sensors of a recording said. */
struct track_sensors {
    const char *input, *output;
    const char *pod;     /* file, or NULL: the defaults */
    const char *without; /* names of sensors that are not to be used, commas between; or NULL */
    bool use_poses;      /* the capture's own poses as a tracker's */
    double window_s;
    bool json;
};
int track_sensors(const struct track_sensors *job);
/* Whether all of job->without are names of sensors that can be done without. */
bool track_sensors_known(const char *names);

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

/* The time of every pulse, and of each of its channels: ascending, each once; the caller frees
 * them. NULL when out of memory. */
double *track_times(const nfsar_capture *capture, size_t *n);

/* What each mode makes of its options: nfsar track, --poses, --phase, --autofocus. */
int track_by_sensors(int argc, char **argv);
int track_by_poses(int argc, char **argv);
int track_by_phase(int argc, char **argv);
int track_by_autofocus(int argc, char **argv);

#endif
