/** @file
 * What the radar sees of itself: the echo of an empty room, leakage from transmitter to receiver,
 * and the receivers' DC and I/Q imbalance (docs/theory/gate.md).
 */
#ifndef NFSAR_BACKGROUND_H
#define NFSAR_BACKGROUND_H

#include <nfsar/capture.h>
#include <nfsar/status.h>

/** Whether a capture of the empty room was made with the radar of @p capture: same channels and
 * same frequencies. NFSAR_ERROR_ARGUMENT says what differs. */
enum nfsar_status nfsar_background_check(const nfsar_capture *capture, const nfsar_capture *empty,
                                         nfsar_error *error);

/** Mean of recorded samples over the pulses that miss none: mean[n_channel][n_sample], for
 * nfsar_calibration::background. NFSAR_ERROR_FORMAT where every pulse misses samples. */
enum nfsar_status nfsar_background_mean(const nfsar_capture *capture,
                                        const nfsar_echo_source *source, float complex *mean,
                                        nfsar_error *error);

/** What is common to all pulses, or to those near each other, and comes from near the radar. */
typedef struct nfsar_leakage nfsar_leakage;

/** @param limits_m  leakage comes from ranges up to limits_m[0] (half the path, above 0), what is
 * beyond limits_m[1] are targets. The farther apart, the less of one goes into the other: two cells
 * of range at least.
 * @param drift  pulses over which it stays the same; 0: all.
 * @return NFSAR_ERROR_ARGUMENT for limits that the frequencies do not tell apart. */
enum nfsar_status nfsar_leakage_create(const nfsar_capture *capture, const double limits_m[2],
                                       size_t drift, nfsar_leakage **leakage, nfsar_error *error);
/** Release; NULL is allowed. */
void nfsar_leakage_destroy(nfsar_leakage *leakage);
/** Find it in a capture, read through @p source. */
enum nfsar_status nfsar_leakage_find(nfsar_leakage *leakage, const nfsar_echo_source *source,
                                     nfsar_error *error);
/** Power of the leakage, mean over samples, channels and pulses; once found. */
double nfsar_leakage_power(const nfsar_leakage *leakage);
/** Leakage in a pulse: out[n_channel][n_sample]. */
void nfsar_leakage_at(const nfsar_leakage *leakage, size_t pulse, float complex *out);

/** A receiver's imbalance: recorded is dc + a (s + b conj s), |b| < 1. */
typedef struct nfsar_iq {
    size_t n_channel;         /**< channels */
    float complex *dc;        /**< [n_channel]; owned */
    float complex *imbalance; /**< [n_channel] b; owned */
    double doubt;             /**< |b| that chance makes: smaller ones are none */
} nfsar_iq;

/** Estimate both: DC is what all samples of all pulses share, 0 where the pulses differ so much
 * that chance makes it, or there is only one; echoes from nearer than a range cell or two, such as
 * leakage, are partly DC as well. Echoes whose phases go all round
 * in the course of a scan have E s^2 = 0, which imbalance changes. */
enum nfsar_status nfsar_iq_find(const nfsar_capture *capture, const nfsar_echo_source *source,
                                nfsar_iq *iq, nfsar_error *error);
/** Take both out of a channel's samples: s - dc - b conj(s - dc). */
void nfsar_iq_apply(const nfsar_iq *iq, size_t channel, size_t n, float complex *samples);
/** Release and zero. */
void nfsar_iq_free(nfsar_iq *iq);

#endif
