/** @file
 * The range gate: samples summed to the few that ranges of interest need, with the image of those
 * ranges left as it is (docs/theory/gate.md).
 *
 * Of N samples s_n at wavenumbers k_n, the image at two-way range rho is sum_n s_n exp(-j k_n rho).
 * Over a gate the kernels are nearly linearly dependent: exp(-j k_n rho) = sum_m g_nm exp(-j
 * kappa_m rho) to within the tolerance, so t_m = sum_n g_nm s_n at wavenumbers kappa_m make the
 * same image there. No echo model is used: what echoes from outside do to the gate stays as well,
 * and nothing is lost at the ends of the sweep.
 */
#ifndef NFSAR_GATE_H
#define NFSAR_GATE_H

#include <nfsar/capture.h>
#include <nfsar/image.h>
#include <nfsar/progress.h>
#include <nfsar/status.h>
#include <nfsar/window.h>

/** Most spurs taken out. */
enum { NFSAR_GATE_SPURS = 8 };

/** What to keep. */
typedef struct nfsar_gate_options {
    double range_m[2]; /**< half the two-way path, 0 <= range_m[0] < range_m[1]; both 0: all */
    double tolerance;  /**< largest error of a kernel, 1e-7 to 0.1; 1e-5. An image in the gate is
                            off by at most so much of the sum of all samples' magnitudes, where
                            an echo of all samples in phase would be that sum */
    enum nfsar_window window;        /**< over frequency, put in before */
    size_t n_spur;                   /**< tones taken out of each line before */
    double spur_m[NFSAR_GATE_SPURS]; /**< range at which each tone shows */
} nfsar_gate_options;

/** No range, tolerance 1e-5, no window, no spurs. */
nfsar_gate_options nfsar_gate_defaults(void);

/** Weights for the frequencies of a capture. */
typedef struct nfsar_gate nfsar_gate;

/** Whether the range is one that the frequencies tell: within 0 and nfsar_range_unambiguous(), and
 * within the gate of a capture that has one. NFSAR_ERROR_ARGUMENT says which limit is not. */
enum nfsar_status nfsar_gate_check(const nfsar_capture *capture, const double range_m[2],
                                   nfsar_error *error);

/** Find the fewest equally spaced frequencies that keep the tolerance. Where they would be more
 * than three quarters of the capture's, those stay (nfsar_gate_samples() is then n_sample).
 * The capture's echo is not looked at. The range may go beyond what nfsar_gate_check() allows.
 * @return NFSAR_ERROR_ARGUMENT for options that make no sense, NFSAR_ERROR_MEMORY. */
enum nfsar_status nfsar_gate_create(const nfsar_capture *capture, const nfsar_gate_options *options,
                                    nfsar_gate **gate, nfsar_error *error);
/** Release; NULL is allowed. */
void nfsar_gate_destroy(nfsar_gate *gate);
/** How many samples remain of each line. */
size_t nfsar_gate_samples(const nfsar_gate *gate);

/** Lines in[n_line][n_sample] of calibrated samples to out[n_line][nfsar_gate_samples()]. */
enum nfsar_status nfsar_gate_lines(const nfsar_gate *gate, size_t n_line, const float complex *in,
                                   float complex *out, nfsar_error *error);

/** Read a whole capture through @p source (calibrated samples) and gate it:
 * out[n_pulse][n_channel][nfsar_gate_samples()]. */
enum nfsar_status nfsar_gate_read(const nfsar_gate *gate, const nfsar_capture *capture,
                                  const nfsar_echo_source *source, float complex *out,
                                  const nfsar_progress *progress, nfsar_error *error);

/** Takes the pulses [first_pulse, first_pulse + n_pulse) as gated,
 * samples[n_pulse][n_channel][nfsar_gate_samples()], which are valid until it returns. An error
 * ends nfsar_gate_stream(). */
typedef enum nfsar_status nfsar_gate_take(void *context, size_t first_pulse, size_t n_pulse,
                                          const float complex *samples, nfsar_error *error);

/** nfsar_gate_read() a block of pulses after the other, each handed to @p take: the memory that it
 * needs, some 32 MiB and what is left of them, does not grow with the number of pulses. */
enum nfsar_status nfsar_gate_stream(const nfsar_gate *gate, const nfsar_capture *capture,
                                    const nfsar_echo_source *source, nfsar_gate_take *take,
                                    void *context, const nfsar_progress *progress,
                                    nfsar_error *error);

/** The capture as gated: everything of @p capture is shared but for the frequencies, which are the
 * gate's, the chirp and the calibration, which are gone (samples are calibrated by now), and
 * nfsar_capture::gated. Valid as long as capture and gate; not to be freed. echo is NULL. */
nfsar_capture nfsar_gate_view(const nfsar_gate *gate, const nfsar_capture *capture);

/** Half the two-way paths from the antennas of all pulses to a grid, the shortest and the longest
 * (or a little more), into range_m[2]: what a gate has to hold for the image of the grid to stay.
 */
enum nfsar_status nfsar_gate_of_grid(const nfsar_capture *capture, const nfsar_grid *grid,
                                     double range_m[2], nfsar_error *error);

/** What is in a gate. */
typedef struct nfsar_gate_content {
    double part;        /**< of the energy of all ranges up to the unambiguous */
    double strongest_m; /**< range of the strongest echo in the gate */
    double power;       /**< of it: one unit echo gives 1 */
    double noise;       /**< median over all ranges */
    double elsewhere_m; /**< range of the strongest echo of all */
} nfsar_gate_content;

/** Look at the range profile. NFSAR_ERROR_FORMAT where all samples are zero. */
enum nfsar_status nfsar_gate_look(const nfsar_capture *capture, const nfsar_echo_source *source,
                                  const double range_m[2], nfsar_gate_content *content,
                                  nfsar_error *error);

#endif
