/** @file
 * What the instrument adds to ranges: its delay from a reflector at a known range, slope and first
 * frequency of the chirp from two, and the residual video phase (docs/calibrate.md,
 * docs/theory/range.md).
 */
#ifndef NFSAR_INSTRUMENT_H
#define NFSAR_INSTRUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include <nfsar/capture.h>
#include <nfsar/geometry.h>
#include <nfsar/status.h>

/** Options; nfsar_instrument_defaults() fills them. */
typedef struct nfsar_instrument_options {
    size_t n_range;        /**< 1 or 2 */
    double range_m[2];     /**< from the array's mean phase centre, at the pulse where that is
                                nearest the mean of all its positions, to the reflectors; ascending */
    double range_sigma_m;  /**< how well they are known; 1 mm */
    double search_delay_s; /**< the delay is looked for within plus and minus this; 1 ns; at
                                most 100 ns. Never down to where leakage is */
    bool no_video;         /**< samples have no residual video phase: a simulation's */
} nfsar_instrument_options;

/** What was found. Reflectors stand still in the poses' frame; straight ahead (the boresight) of
 * the radar at middle_pulse, but for where the pulses tell that they are aside of it. */
typedef struct nfsar_instrument {
    double delay_s;          /**< to be added to the delays of all channels */
    double delay_sigma_s;    /**< standard deviation, the ranges' included, and what is not known of
                                  the places (0.1 rad in directions that are not told) */
    size_t middle_pulse;     /**< of the capture: ranges count from where the radar is there */
    nfsar_vec3 middle;       /**< that is the array's mean phase centre there, metres */
    double extent_m;         /**< how far from there the radar gets: nearly 0 if it is at rest */
    nfsar_vec3 place[2];     /**< where the reflectors are, metres */
    double aside_rad[2];     /**< their angles off the boresight there */
    int told[2];             /**< in how many of the two directions across the line of sight the
                                  pulses tell the place; in the others it is straight ahead */
    double place_sigma_m[2]; /**< the larger standard deviation in those that are told; or 0 */
    double apparent_m[2];    /**< at which ranges they seem to be */
    double contrast_db[2];   /**< their echoes over the median of the profile */
    double other_db[2];    /**< the strongest other echo within the search, less the reflector's, if
                                it is less than 10 dB weaker and no noise; or -INFINITY */
    double other_m[2];     /**< how much farther it seems to be */
    double spread_s;       /**< root mean square of what the delays of channels and pulses differ */
    bool has_scale;        /**< the next seven are there: two ranges */
    double scale;          /**< true slope over the capture's (or sampling rate, the other way) */
    double scale_sigma;    /**< standard deviation of that */
    bool scale_told;       /**< it differs from 1 by four of them; else delay_s takes it as 1 */
    double shift_hz;       /**< true frequency in the middle of the band less the capture's, if both
                                reflectors are of one kind; known modulo ambiguity_hz */
    double shift_sigma_hz; /**< standard deviation of that */
    bool shift_told;       /**< it differs from 0 by four of them */
    double ambiguity_hz;   /**< 1 / difference of the delays */
    double centre_hz;      /**< the capture's middle of the band, to which shift_hz belongs */
    double video_rad[2];   /**< residual video phase, pi slope delay^2, at the reflectors; NaN
                                where the slope is not known */
    double video_delay_s;  /**< around this delay nfsar_instrument_apply() takes it out of the
                                frequencies; 0: nowhere */
    double video_had_s;    /**< where the capture's frequencies have that already; or 0 */
} nfsar_instrument;

/** The defaults above, without ranges. */
nfsar_instrument_options nfsar_instrument_defaults(void);

/** Find them.
 * @param capture geometry; its echo is not looked at.
 * @param source  its samples, calibrated by what is known of the channels.
 * @return NFSAR_ERROR_ARGUMENT for ranges that make no sense or are beyond the unambiguous one,
 *         NFSAR_ERROR_FORMAT when no reflector is there: nothing that noise alone does not come to
 *         once in a thousand captures, or a side lobe of something outside the search. */
enum nfsar_status nfsar_instrument_find(const nfsar_capture *capture,
                                        const nfsar_echo_source *source,
                                        const nfsar_instrument_options *options,
                                        nfsar_instrument *found, nfsar_error *error);

/** Where the frequencies of @p capture have the residual video phase taken out of them: the delay
 * by which they are earlier on the chirp than it says. 0 where they are the chirp's own, or no
 * chirp is known. */
double nfsar_instrument_video_delay(const nfsar_capture *capture);

/** Put @p capture right: the delay is added to those of all channels in its calibration, and its
 * frequencies (which must be the caller's own) become what was told of slope, start and residual
 * video phase. The chirp follows; gain and delay of the channels are restated for the new
 * frequencies, so that what they take out of the samples stays the same.
 * @return NFSAR_ERROR_FORMAT, capture unchanged, if a frequency would not be positive. */
enum nfsar_status nfsar_instrument_apply(const nfsar_instrument *found, nfsar_capture *capture,
                                         nfsar_error *error);

#endif
