/** @file
 * A capture: a list of pulses, each with a pose, and the echo of every channel.
 *
 * Echo model (design, section 3): s(k) = sum o(r) exp(+jk(|r - r_T| + |r - r_R|)).
 */
#ifndef NFSAR_CAPTURE_H
#define NFSAR_CAPTURE_H

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfsar/array.h>
#include <nfsar/geometry.h>
#include <nfsar/status.h>
#include <nfsar/waveform.h>

/** Bits of nfsar_capture::flags. */
enum {
    NFSAR_PULSE_SAMPLES_MISSING = 1,  /**< lost packets; the missing samples are zero */
    NFSAR_PULSE_POSE_EXTRAPOLATED = 2 /**< it lies outside the track of poses or in a gap of it */
};

/** What is known of the channels. A recorded sample is
 * gain * exp(+j 2 pi f delay) * (what the model predicts) + background.
 * Members are NULL where nothing is known. Owned. */
typedef struct nfsar_calibration {
    float complex *channel_gain; /**< [n_channel]; data are divided by it */
    double *channel_delay_s;     /**< [n_channel] excess delay, both ways together */
    float complex *background;   /**< [n_channel][n_sample]; subtracted first */
} nfsar_calibration;

/** What nfsar_gate_view() leaves of a capture: samples are sums over those recorded, which image
 * ranges inside the gate as those did, and obey no echo model. */
typedef struct nfsar_gated {
    double range_m[2]; /**< limits of the gate; range_m[1] is 0 where there is none */
    double band_hz[2]; /**< lowest and highest frequency that were recorded */
} nfsar_gated;

/** A capture in memory, or everything of it but the echo (echo == NULL) while the samples stay
 * in a file. All pointers are owned by the capture. */
typedef struct nfsar_capture {
    size_t n_pulse;  /**< pulses (radar triggers) */
    size_t n_sample; /**< frequencies of each channel */
    size_t n_pose;   /**< poses of the track */

    double *frequency_hz; /**< [n_sample] */
    bool has_fmcw;        /**< fmcw says how the frequencies came about */
    nfsar_fmcw fmcw;      /**< valid when has_fmcw */
    char model[64];       /**< radar's name, or empty */
    nfsar_gated gated;    /**< by nfsar_gate_view() */

    nfsar_array array; /**< antennas and channels */

    double *time_s;        /**< [n_pulse] ascending */
    uint8_t *flags;        /**< [n_pulse] NFSAR_PULSE_... */
    double *pose_time_s;   /**< [n_pose] ascending */
    nfsar_pose *pose;      /**< [n_pose] as reported */
    nfsar_pose *true_pose; /**< [n_pose] of a simulation with pose error, else NULL */

    nfsar_calibration calibration; /**< what is known of the channels */

    char **provenance;   /**< [n_provenance] one line for each step */
    size_t n_provenance; /**< lines of provenance */

    float complex *echo; /**< [n_pulse][n_channel][n_sample], or NULL */
} nfsar_capture;

/** Allocate a capture of the given sizes: zero echo (when @p with_echo), n_pose = n_pulse poses
 * at the origin, times 0, 1, 2 ... and pose times equal to the pulses'. The array is made by
 * nfsar_array_create() semantics and has to be filled, as have the frequencies.
 * Takes over @p array (zeroed on success and on failure). */
enum nfsar_status nfsar_capture_create(size_t n_pulse, size_t n_sample, nfsar_array *array,
                                       bool with_echo, nfsar_capture *capture, nfsar_error *error);

/** Release what the capture owns and zero it. */
void nfsar_capture_free(nfsar_capture *capture);

/** Append one line of provenance (copied). */
enum nfsar_status nfsar_capture_note(nfsar_capture *capture, nfsar_error *error, const char *format,
                                     ...) __attribute__((format(printf, 3, 4)));

/** Check what a file or a caller may have got wrong: sizes, channel indices, finite numbers,
 * ascending times, positive frequencies. NFSAR_ERROR_FORMAT names the first offender. */
enum nfsar_status nfsar_capture_check(const nfsar_capture *capture, nfsar_error *error);

/** World positions of the transmitter and receiver of every channel of the pulses
 * [first_pulse, first_pulse + n_pulse), at the time each channel is sampled.
 * tx_m and rx_m have room for n_pulse * n_channel. With @p truth the true poses are used,
 * where there are any. */
enum nfsar_status nfsar_capture_antennas(const nfsar_capture *capture, bool truth,
                                         size_t first_pulse, size_t n_pulse, nfsar_vec3 *tx_m,
                                         nfsar_vec3 *rx_m, nfsar_error *error);

/** Where algorithms read samples from: a file in hyperslabs, or memory. */
typedef struct nfsar_echo_source {
    /** Read samples [first_sample, first_sample + n_sample) of all channels of the pulses
     * [first_pulse, first_pulse + n_pulse) into out[n_pulse][n_channel][n_sample].
     * Called from one thread at a time. */
    enum nfsar_status (*read)(void *context, size_t first_pulse, size_t n_pulse,
                              size_t first_sample, size_t n_sample, float complex *out,
                              nfsar_error *error);
    void *context; /**< handed to read() untouched */
} nfsar_echo_source;

/** A source over a capture that holds its echo; the capture must outlive it. */
nfsar_echo_source nfsar_capture_source(const nfsar_capture *capture);

#endif
