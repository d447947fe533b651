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
                           plus and minus this, but not nearer than near_m; 1 ns */
    double near_m;         /**< the reflector's echo is farther than this; 0 (default) for 5 cm,
                                where boards' leakage ends, and 2.5 range cells */
    double far_m; /**< without a point: and nearer than this; 0 (default) for what is unambiguous */
    enum nfsar_window window; /**< taper over the frequencies; Hann keeps other ranges out,
                              none is best where noise is all that is wrong */
} nfsar_channels_options;

/** One channel. */
typedef struct nfsar_channel_error {
    double complex gain;    /**< as in nfsar_calibration */
    double delay_s;         /**< likewise */
    double phase_rad;       /**< of gain * exp(+j 2 pi f delay) at the centre of the band,
                                 relative to the first channel's */
    double phase_sigma_rad; /**< standard deviation of that; 0 for the first channel */
    double delay_sigma_s;   /**< standard deviation of the delay, that of the place included */
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
    int told;                     /**< how many of them the echoes tell, and the point */
    int by_pulses;                /**< how many the echoes tell without the point: 0 for a radar at
                                       rest, whose echoes any reflector explains */
    bool delay_is_range;          /**< common delay and range could not be told apart: the mean
                                       delay was set to 0 */
    bool angle_is_phase;          /**< phases that grow along the array and angle could not be told
                                       apart: taken from where the channels as they are add up best */
    double centre_hz;             /**< of the band, as the taper weighs it */
    double range_m;               /**< at which the echo is, delays included, mean */
    double cell_s;                /**< 1 / bandwidth */
    double coherence;        /**< |sum over the pulses| of root mean square at the reflector, all
                                  channels, less noise; 1 when all pulses fit the model */
    double residual_db;      /**< as of a channel, over all */
    double mean_residual_db; /**< the same with noise (what other ranges have) as the mean over
                                  the pulses leaves it; NaN for a single pulse */
    double gain_spread_db;   /**< standard deviation over the channels */
    double delay_spread_s;   /**< likewise */
    double contrast_db;      /**< echo at its range over the median of all ranges */
    double point_sigmas; /**< how far the place is from the point that was given, in its standard
                              deviations; 0 without one */
    bool behind;         /**< the place is behind the radar, which sees what is ahead: a plane's
                              echoes do not tell these apart */
    size_t n_pulse;      /**< that were used: of captures of more than 2^22 samples as many,
                              evenly spread */
    size_t n_missing;    /**< that were not, since samples are missing in them */
} nfsar_channels;

/** Channels so much below the others' root mean square are hardly channels. */
#define NFSAR_CHANNELS_WEAK_DB (-10.0)

/** How far a calibration can be believed. */
enum nfsar_channels_verdict {
    NFSAR_CHANNELS_GOOD, /**< mean_residual_db below -20, and the radar moved */
    NFSAR_CHANNELS_FAIR, /**< below -10 dB, or at rest, or nfsar_channels_differ(), or
                              nfsar_channels_misplaced() */
    NFSAR_CHANNELS_POOR  /**< more, or two of these: the gains are averages over something that is
                              no point */
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

/** What residual, motion and spread say of it. */
enum nfsar_channels_verdict nfsar_channels_judge(const nfsar_channels *found);

/** Whether channels differ by more than those of one board do: gains by a standard deviation of
 * 3 dB, delays by 0.4 range cells. */
bool nfsar_channels_differ(const nfsar_channels *found);

/** Whether the echoes contradict the point that was given, by four of its standard deviations, or
 * the place is behind the radar: wrong point, unit or frame. */
bool nfsar_channels_misplaced(const nfsar_channels *found);

/** The mean of the delays in @p capture 's calibration where the echoes tell no mean
 * (delay_is_range), else 0: nfsar_channels_apply() adds it. */
double nfsar_channels_kept(const nfsar_channels *found, const nfsar_capture *capture);

/** Put gains and delays into the calibration of @p capture, in place of those that are there. */
enum nfsar_status nfsar_channels_apply(const nfsar_channels *found, nfsar_capture *capture,
                                       nfsar_error *error);

/** Release what nfsar_channels_find() allocated and zero it. */
void nfsar_channels_free(nfsar_channels *found);

#endif
