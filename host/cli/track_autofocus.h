/* nfsar track --autofocus: poses by the sharpest image. */
#ifndef NFSAR_HOST_CLI_TRACK_AUTOFOCUS_H
#define NFSAR_HOST_CLI_TRACK_AUTOFOCUS_H

#include <nfsar/nfsar.h>

#include "host/cli/calibrate.h"

struct track_autofocus {
    struct calibrate_files files;
    nfsar_autofocus_options options;
    nfsar_axis x, y, z;
    bool has_x, has_y, has_z;
    const char *series; /* folder for pictures of the steps, or NULL */
    bool force;         /* write what the echoes kept aside do not confirm */
};

/* Returns the exit status. */
int track_autofocus(struct track_autofocus *job);

#endif
