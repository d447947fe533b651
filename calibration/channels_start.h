/* Where to begin: place and delays from the powers of the range profiles, which no phase enters. */
#ifndef NFSAR_CALIBRATION_CHANNELS_START_H
#define NFSAR_CALIBRATION_CHANNELS_START_H

#include <nfsar/channels.h>

#include "calibration/channels_lines.h"

/* Fills place, delay_s[n_channel] (to a part of a range cell) and how far the reflector stands out
 * of the median of the profile. NFSAR_ERROR_FORMAT when nothing does. */
enum nfsar_status channel_start_find(struct channel_lines *lines,
                                     const nfsar_channels_options *options, nfsar_vec3 *place,
                                     double *delay_s, double *contrast_db, nfsar_error *error);

#endif
