/* What a capture and a recording have in common: everything that is known before the first pulse.
 */
#ifndef NFSAR_HOST_FILES_CAPTURE_DESCRIPTION_H
#define NFSAR_HOST_FILES_CAPTURE_DESCRIPTION_H

#include <nfsar/capture.h>
#include <nfsar/status.h>

#include "host/files/hdf5_output.h"

/* Write radar, array, calibration and provenance. */
enum nfsar_status capture_write_description(struct h5_output *output, const nfsar_capture *capture,
                                            nfsar_error *error);

#endif
