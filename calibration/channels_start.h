/* Where to begin: place and delays from the powers of the range profiles, which no phase enters. */
#ifndef NFSAR_CALIBRATION_CHANNELS_START_H
#define NFSAR_CALIBRATION_CHANNELS_START_H

#include <nfsar/channels.h>

#include "calibration/channels_lines.h"

struct channel_start {
    nfsar_vec3 place;
    double contrast_db; /* how far the reflector stands out of the median of the profile */
    double floor;       /* that median: mean power of a line's s0 where nothing is */
};

/* Fills start and delay_s[n_channel] (to a part of a range cell). NFSAR_ERROR_FORMAT when nothing
 * stands out, or when what does is at the edge of what is searched. */
enum nfsar_status channel_start_find(struct channel_lines *lines,
                                     const nfsar_channels_options *options,
                                     struct channel_start *start, double *delay_s,
                                     nfsar_error *error);

#endif
