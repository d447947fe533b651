/* A capture, pulse by pulse, read in blocks. */
#ifndef NFSAR_CALIBRATION_BLOCKS_H
#define NFSAR_CALIBRATION_BLOCKS_H

#include <nfsar/capture.h>

/* Called for every pulse that misses no samples, in their order: echo[n_channel][n_sample]. */
typedef void blocks_pulse(void *context, size_t pulse, const float complex *echo);

/* Read all pulses and hand them on; *n receives how many there were. */
enum nfsar_status blocks_read(const nfsar_capture *capture, const nfsar_echo_source *source,
                              blocks_pulse *use, void *context, size_t *n, nfsar_error *error);

#endif
