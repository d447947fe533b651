/** @file
 * Echoes of point scatterers, exact in the near field, and what real hardware does to them.
 */
#ifndef NFSAR_SIMULATION_H
#define NFSAR_SIMULATION_H

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfsar/capture.h>
#include <nfsar/kernel.h>
#include <nfsar/progress.h>
#include <nfsar/status.h>

/** A point scatterer. */
typedef struct nfsar_scatterer {
    nfsar_vec3 position;        /**< world, metres */
    float complex reflectivity; /**< factor on its echo */
} nfsar_scatterer;

/** The physics that is put in. Zero-initialised means: no spreading loss, isotropic. */
typedef struct nfsar_simulation_options {
    bool spreading;           /**< amplitude 1 / (R_T R_R), in m^-2 */
    double beamwidth_rad;     /**< full -3 dB width of each antenna's power pattern, Gaussian in the
                                   angle from the body's z axis and nothing backward of it; 0 for
                                   isotropic */
    int threads;              /**< 0 for all processors; the result does not depend on it */
    enum nfsar_kernel kernel; /**< version of the inner loops; auto */
} nfsar_simulation_options;

/** Compute the echo of the pulses [first_pulse, first_pulse + n_pulse) into
 * echo[n_pulse][n_channel][n_sample], at the capture's true poses where it has them:
 * s(k) = sum_i a_i g_T g_R / (R_T R_R) exp(+jk(R_T + R_R)). Calibration members of the capture
 * are not applied. The result is that of the sum in double precision to 1e-5: of its RMS, or of the
 * root of the sum of |a_i g_T g_R / (R_T R_R)|^2 where that is larger, for echoes that all but
 * cancel.
 *
 * Each pulse is computed from its time alone: a capture whose time_s lists only some of the
 * pulses of another gives the echo of those.
 * @return NFSAR_ERROR_ARGUMENT for pulses that are not there or a number that is not finite,
 *         NFSAR_ERROR_GEOMETRY when a scatterer sits on an antenna (nearer than 1 um),
 *         NFSAR_ERROR_MEMORY, NFSAR_ERROR_CANCELLED. */
enum nfsar_status nfsar_simulate(const nfsar_capture *capture, const nfsar_scatterer *scatterer,
                                 size_t n_scatterer, const nfsar_simulation_options *options,
                                 size_t first_pulse, size_t n_pulse, float complex *echo,
                                 const nfsar_progress *progress, nfsar_error *error);

/** A small, seedable, documented generator (xoshiro256**, seeded by splitmix64: Blackman and
 * Vigna 2018), so that a scene and a seed give the same capture everywhere. */
typedef struct nfsar_random {
    uint64_t state[4]; /**< never all zero */
} nfsar_random;

/** Start the generator: the state is the first four outputs of splitmix64 from @p seed. */
void nfsar_random_seed(nfsar_random *random, uint64_t seed);
/** Start the generator number @p stream of a family that belongs to @p seed, so that parts of
 * the work can draw independently of each other and of the order in which they are done. */
void nfsar_random_stream(nfsar_random *random, uint64_t seed, uint64_t stream);
/** The next 64 random bits. */
uint64_t nfsar_random_bits(nfsar_random *random);
/** Uniform in [0, 1). */
double nfsar_random_uniform(nfsar_random *random);
/** Normal with mean 0 and variance 1 (Box and Muller). */
double nfsar_random_normal(nfsar_random *random);
/** Circular complex normal with mean 0 and E|x|^2 = 1. */
double complex nfsar_random_complex_normal(nfsar_random *random);

/** How far real channels are from ideal ones; zero-initialised members do nothing. */
typedef struct nfsar_impairments {
    double gain_error_db;   /**< sigma of each channel's gain */
    double phase_error_rad; /**< sigma of each channel's phase */
    double delay_error_s;   /**< sigma of each channel's delay */
    double leakage;         /**< constant background of each channel, relative to the RMS echo */
} nfsar_impairments;

/** Draw channel gains, delays and a leakage background (transmitter to receiver by a path of
 * about 10 cm) from the sigmas into @p hardware, whose members are allocated where they are
 * needed and NULL otherwise. @p echo_rms scales the leakage. Free it with
 * nfsar_impairments_free(), or hand it to a capture as its calibration. */
enum nfsar_status nfsar_impairments_draw(const nfsar_capture *capture,
                                         const nfsar_impairments *what, double echo_rms,
                                         nfsar_random *random, nfsar_calibration *hardware,
                                         nfsar_error *error);

/** Release what nfsar_impairments_draw() allocated and zero it. */
void nfsar_impairments_free(nfsar_calibration *hardware);

/** Do to ideal samples echo[n_pulse][n_channel][n_sample] what this hardware does: gain, delay
 * and background (the inverse of nfsar_calibration_apply() with the same numbers), then add white
 * complex noise of power @p noise_power (E|n|^2 of each sample), when that is > 0. The noise of
 * a pulse depends on @p noise_seed and the pulse's number only.
 * @param hardware NULL for perfect channels. */
enum nfsar_status nfsar_impair(const nfsar_capture *capture, const nfsar_calibration *hardware,
                               size_t first_pulse, size_t n_pulse, double noise_power,
                               uint64_t noise_seed, int threads, float complex *echo,
                               nfsar_error *error);

#endif
