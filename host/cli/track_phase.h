/* nfsar track --phase. */
#ifndef NFSAR_HOST_CLI_TRACK_PHASE_H
#define NFSAR_HOST_CLI_TRACK_PHASE_H

#include <nfsar/phase_gradient.h>

#include "host/cli/calibrate.h"

struct track_phase {
    struct calibrate_files files;
    nfsar_phase_gradient_options options; /* the grid's axes where has_... say so */
    bool has_x, has_y, has_z;
};
/* Returns the exit status. */
int track_phase(const struct track_phase *job);

#endif
