/* What the rig file says of the radar's signal: the frequency of each sample, and what is known of
 * the channels' gain and delay. */
#ifndef NFSAR_HOST_IMPORT_SIGNAL_H
#define NFSAR_HOST_IMPORT_SIGNAL_H

#include <nfsar/capture.h>

#include "host/import/rig.h"

/* Number of samples that the rig file gives, 0 when only an array tells. */
enum nfsar_status signal_samples(const struct rig *rig, size_t *n, nfsar_error *error);

/* Fill frequency_hz, fmcw and model. path is the recording, for a frequency variable. */
enum nfsar_status signal_fill(const struct rig *rig, const char *path, nfsar_capture *capture,
                              nfsar_error *error);

/* Fill calibration: gains as given, and the instrument's delay added to the channels'. */
enum nfsar_status signal_calibrate(const struct rig *rig, nfsar_capture *capture,
                                   nfsar_error *error);

/* The instrument's delay in seconds, both ways. */
double signal_delay(const struct rig *rig);

#endif
