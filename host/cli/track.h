/* What the modes of `nfsar track` share: each has a file of its own. */
#ifndef NFSAR_HOST_CLI_TRACK_H
#define NFSAR_HOST_CLI_TRACK_H

#include <stdbool.h>

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

/* What each mode makes of its options: nfsar track, --poses, --phase, --autofocus. */
int track_by_sensors(int argc, char **argv);
int track_by_poses(int argc, char **argv);
int track_by_phase(int argc, char **argv);
int track_by_autofocus(int argc, char **argv);

#endif
