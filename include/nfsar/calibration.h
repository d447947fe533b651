/** @file
 * Turning recorded samples into what the echo model predicts.
 */
#ifndef NFSAR_CALIBRATION_H
#define NFSAR_CALIBRATION_H

#include <nfsar/capture.h>

/** An echo source that reads from another and takes the capture's background, channel gain and
 * channel delay out of the samples. */
typedef struct nfsar_calibrated_source {
    const nfsar_capture *capture; /**< whose calibration is applied; must outlive this */
    nfsar_echo_source raw;        /**< where recorded samples come from */
    float complex *factor;        /**< NULL at first; [n_channel][n_sample] once it was read from,
                                       so that gains and delays are worked out once. Owned: release
                                       with nfsar_calibrated_free() */
} nfsar_calibrated_source;

/** A source that reads through @p calibrated, which must outlive it. Where the capture has no
 * calibration the samples pass unchanged. */
nfsar_echo_source nfsar_calibrated(nfsar_calibrated_source *calibrated);

/** Release what reading made. */
void nfsar_calibrated_free(nfsar_calibrated_source *calibrated);

/** Apply the calibration of @p capture in place to echo[n_pulse][n_channel][n_sample], whose
 * samples are [first_sample, first_sample + n_sample) of the capture's. */
enum nfsar_status nfsar_calibration_apply(const nfsar_capture *capture, size_t n_pulse,
                                          size_t first_sample, size_t n_sample, float complex *echo,
                                          nfsar_error *error);

#endif
