/** @file
 * Gain and delay of each channel from one capture of a corner reflector or another point, whose
 * place is known or found with them (docs/calibrate.md, derivation in docs/theory/channels.md).
 */
#ifndef NFSAR_CHANNELS_H
#define NFSAR_CHANNELS_H

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>

#include <nfsar/capture.h>
#include <nfsar/progress.h>
#include <nfsar/status.h>
#include <nfsar/window.h>

/** Options; nfsar_channels_defaults() fills them. */
typedef struct nfsar_channels_options {
    bool has_point;        /**< point is given */
    nfsar_vec3 point;      /**< where the reflector is, world frame, metres */
    double point_sigma_m;  /**< standard deviation of that place; 2 mm. What the echoes tell better
                           is taken from them */
    double search_delay_s; /**< with a point: the channels' common delay is looked for within
                           plus and minus this; 1 ns */
    double near_m; /**< without a point: the reflector is farther than this; 0 (default) for 5 cm,
                        where boards' leakage ends, and 2.5 range cells */
    double far_m;  /**< and nearer than this; 0 (default) for what is unambiguous */
    enum nfsar_window window; /**< taper over the frequencies; Hann keeps other ranges out,
                              none is best where noise is all that is wrong */
} nfsar_channels_options;

/** One channel. */
typedef struct nfsar_channel_error {
    double complex gain;    /**< as in nfsar_calibration */
    double delay_s;         /**< likewise */
    double phase_rad;       /**< of gain * exp(+j 2 pi f delay) at the centre of the band,
                                 relative to the first channel's */
    double phase_sigma_rad; /**< standard deviation of that */
    double delay_sigma_s;   /**< standard deviation of the delay */
    double residual_db;     /**< what the model leaves of the echo at the reflector's range, over
                                 all pulses; NaN for a single pulse */
} nfsar_channel_error;

/** What was found. */
typedef struct nfsar_channels {
    size_t n_channel;             /**< channels of the capture */
    nfsar_channel_error *channel; /**< [n_channel], owned */
    nfsar_vec3 place;             /**< of the reflector, world frame */
    nfsar_vec3 direction[3];      /**< unit vectors in which its place is told best to worst */
    double place_sigma_m[3];      /**< standard deviation along them; infinity where the echoes do
                                       not tell: the place there is the point's, or follows the
                                       rules of docs/calibrate.md */
    int told;                     /**< how many of them the echoes tell */
    bool delay_is_range;          /**< common delay and range could not be told apart: the mean
                                       delay was set to 0 */
    bool angle_is_phase;          /**< phases that grow along the array and angle could not be told
                                       apart: taken from where the channels as they are add up best */
    double centre_hz;             /**< of the band, as the taper weighs it */
    double coherence;             /**< |sum over the pulses| / sum of moduli at the reflector, all
                                       channels; 1 when all pulses fit the model */
    double residual_db;           /**< as of a channel, over all */
    double contrast_db;           /**< echo at its range over the median of all ranges */
    size_t n_pulse;               /**< that were used */
} nfsar_channels;

/** How far a calibration can be believed. */
enum nfsar_channels_verdict {
    NFSAR_CHANNELS_GOOD, /**< residual below -20 dB */
    NFSAR_CHANNELS_FAIR, /**< below -10 dB */
    NFSAR_CHANNELS_POOR  /**< more: the gains are averages over something that is no point */
};

/** The defaults above. */
nfsar_channels_options nfsar_channels_defaults(void);

/** Find gain and delay of every channel.
 *
 * Recorded samples are gain_c exp(+j 2 pi f (delay_c + (R_T + R_R) / c)), the poses taken at each
 * channel's own time. Gains have root mean square 1 and the first is real: the reflector's own
 * amplitude is not told.
 * @param capture geometry; its echo and calibration are not looked at.
 * @param source  its samples, background subtracted, without gains and delays taken out.
 * @param options NULL for the defaults.
 * @param found   free it with nfsar_channels_free().
 * @return NFSAR_ERROR_FORMAT when no reflector is in the data, when the pulses do not fit one
 *         place, or when a channel does not see it; NFSAR_ERROR_ARGUMENT for bad options. */
enum nfsar_status nfsar_channels_find(const nfsar_capture *capture, const nfsar_echo_source *source,
                                      const nfsar_channels_options *options, nfsar_channels *found,
                                      const nfsar_progress *progress, nfsar_error *error);

/** What the residual says of it. */
enum nfsar_channels_verdict nfsar_channels_judge(const nfsar_channels *found);

/** Put gains and delays into the calibration of @p capture, in place of those that are there. */
enum nfsar_status nfsar_channels_apply(const nfsar_channels *found, nfsar_capture *capture,
                                       nfsar_error *error);

/** Release what nfsar_channels_find() allocated and zero it. */
void nfsar_channels_free(nfsar_channels *found);

#endif
