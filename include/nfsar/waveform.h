/** @file
 * Which frequency each sample belongs to. Everything after the importer sees only that list.
 */
#ifndef NFSAR_WAVEFORM_H
#define NFSAR_WAVEFORM_H

#include <stdbool.h>
#include <stddef.h>

#include <nfsar/status.h>

/** A linear chirp, sampled after dechirping. Sample n sees
 * f_n = start_frequency_hz + slope_hz_per_s * (adc_start_s + n / sample_rate_hz). */
typedef struct nfsar_fmcw {
    double start_frequency_hz; /**< at the start of the ramp */
    double slope_hz_per_s;     /**< of the ramp; may be negative */
    double sample_rate_hz;     /**< of the ADC, complex samples */
    double adc_start_s;        /**< first sample, counted from the start of the ramp */
} nfsar_fmcw;

/** Frequencies of @p n samples of a chirp into frequency_hz[n].
 * NFSAR_ERROR_ARGUMENT when a number is not finite, or a frequency would not be positive. */
enum nfsar_status nfsar_fmcw_frequencies(const nfsar_fmcw *fmcw, double *frequency_hz, size_t n,
                                         nfsar_error *error);

/** Stepped frequencies first_hz + i * step_hz into frequency_hz[n]; errors as above. */
enum nfsar_status nfsar_stepped_frequencies(double first_hz, double step_hz, double *frequency_hz,
                                            size_t n, nfsar_error *error);

/** A chirp by name, with its number of samples: "77-81ghz-64" (also -128, -256, -512) and
 * "60-64ghz-64" (also -256), which fill the band from the first sample to the last, and the
 * chirps of published scans "xwr1443-64", "xwr1443-256", "xwr1443-512" (docs/simulate.md).
 * NFSAR_ERROR_ARGUMENT with the list of names when @p name is unknown. */
enum nfsar_status nfsar_waveform_preset(const char *name, nfsar_fmcw *fmcw, size_t *n_sample,
                                        nfsar_error *error);

/** NULL-terminated list of preset names. */
const char *const *nfsar_waveform_preset_names(void);

/** True when the list is uniform to within @p tolerance of its mean step (n < 3: true);
 * *step_hz (may be NULL) receives the mean step. */
bool nfsar_frequencies_uniform(const double *frequency_hz, size_t n, double tolerance,
                               double *step_hz);

/** Wavenumbers k = 2 pi f / c, rad/m. */
void nfsar_wavenumbers(const double *frequency_hz, size_t n, double *wavenumber);

#endif
