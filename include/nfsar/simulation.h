/** @file
 * Echoes of point scatterers, exact in the near field.
 */
#ifndef NFSAR_SIMULATION_H
#define NFSAR_SIMULATION_H

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfsar/capture.h>
#include <nfsar/progress.h>
#include <nfsar/status.h>

/** A point scatterer. */
typedef struct nfsar_scatterer {
    nfsar_vec3 position; /**< world, metres */
    float complex reflectivity;
} nfsar_scatterer;

/** The physics that is put in. Zero-initialised means: no spreading loss, isotropic. */
typedef struct nfsar_simulation_options {
    bool spreading;       /**< amplitude 1 / (R_T R_R) */
    double beamwidth_rad; /**< full -3 dB width of each antenna's power pattern, Gaussian about
                               boresight; 0 for isotropic */
    int threads;          /**< 0 for all processors */
} nfsar_simulation_options;

/** Compute the echo of the pulses [first_pulse, first_pulse + n_pulse) into
 * echo[n_pulse][n_channel][n_sample], at the capture's true poses where it has them:
 * s(k) = sum_i a_i g / (R_T R_R) exp(+jk(R_T + R_R)). Calibration members of the capture are
 * not applied. */
enum nfsar_status nfsar_simulate(const nfsar_capture *capture, const nfsar_scatterer *scatterer,
                                 size_t n_scatterer, const nfsar_simulation_options *options,
                                 size_t first_pulse, size_t n_pulse, float complex *echo,
                                 const nfsar_progress *progress, nfsar_error *error);

/** A small, seedable, documented generator (xoshiro256**, seeded by splitmix64), so that a scene
 * and a seed give the same capture everywhere. */
typedef struct nfsar_random {
    uint64_t state[4];
} nfsar_random;

/** Start the generator. */
void nfsar_random_seed(nfsar_random *random, uint64_t seed);
/** Uniform in [0, 1). */
double nfsar_random_uniform(nfsar_random *random);
/** Normal with mean 0 and variance 1. */
double nfsar_random_normal(nfsar_random *random);

/** What real hardware does to the samples; zero-initialised members do nothing. */
typedef struct nfsar_impairments {
    bool add_noise;         /**< white complex Gaussian noise at snr_db */
    double snr_db;          /**< mean echo power over noise power, each sample */
    double gain_error_db;   /**< sigma of each channel's gain */
    double phase_error_rad; /**< sigma of each channel's phase */
    double delay_error_s;   /**< sigma of each channel's delay */
    double leakage;         /**< constant background of each channel, relative to the RMS echo */
} nfsar_impairments;

/** Draw channel gains, delays and a leakage background (about 10 cm of path) into
 * capture->calibration (allocated here) from the sigmas. @p echo_rms scales the leakage. */
enum nfsar_status nfsar_impairments_draw(nfsar_capture *capture, const nfsar_impairments *what,
                                         double echo_rms, nfsar_random *random, nfsar_error *error);

/** Do to ideal samples what the hardware described by capture->calibration does: the inverse of
 * nfsar_calibration_apply(). Then add noise of power noise_power, when that is > 0. */
void nfsar_impair(const nfsar_capture *capture, size_t n_pulse, double noise_power,
                  nfsar_random *random, float complex *echo);

#endif
