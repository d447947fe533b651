/* nfsar track: a capture with better poses. Each way to them is a mode, in a file of its own
 * (track_*.c). */
#ifndef NFSAR_HOST_CLI_TRACK_H
#define NFSAR_HOST_CLI_TRACK_H

#include <nfsar/pose_file.h>
#include <nfsar/time_offset.h>

#include "host/cli/calibrate.h"

/* --poses: poses of a tracker's file. */
struct track_poses {
    struct calibrate_files files;
    const char *poses;
    nfsar_pose_file_options how;
    double time_offset_s;
    nfsar_vec3 lever;          /* radar's origin in the tracked body's axes */
    nfsar_quaternion rotation; /* radar's axes into the tracked body's */
    bool align;
    double search_s; /* about time_offset_s; 0: everywhere */
    nfsar_time_offset_options options;
};
int track_poses(const struct track_poses *job);

#endif
