/** @file
 * Captures of others: raw files, MATLAB and NumPy arrays, described by a rig file (docs/import.md).
 */
#ifndef NFSAR_IMPORT_H
#define NFSAR_IMPORT_H

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <nfsar/capture.h>
#include <nfsar/progress.h>
#include <nfsar/status.h>

/** A rig file that was read and checked, with the recordings that it names found and measured. */
typedef struct nfsar_import nfsar_import;

/** Read a rig file (YAML). Paths in it are relative to the rig file's folder, or to
 * @p data_folder when that is not NULL. Sizes are checked here: a recording that does not fit
 * the description is refused with the arithmetic shown. Raw recordings will be read by as many
 * threads as OpenMP has now. */
enum nfsar_status nfsar_import_open(const char *rig_path, const char *data_folder,
                                    nfsar_import **import, nfsar_error *error);
/** The capture that would be made, without its echo; owned by the import. */
const nfsar_capture *nfsar_import_header(const nfsar_import *import);
/** Read all samples once and look at them: range profile, missing samples (the pulses' flags in
 * the header are set from this), clipping, and what else hints at a wrong description. */
enum nfsar_status nfsar_import_survey(nfsar_import *import, const nfsar_progress *progress,
                                      nfsar_error *error);
/** Print what was understood, a line each: files in their order, layout, the arithmetic of the
 * sizes, waveform, array, geometry; and after nfsar_import_survey() what the samples look like. */
void nfsar_import_explain(const nfsar_import *import, FILE *stream);
/** What looks wrong, a line each, *n of them; owned by the import. Complete only after
 * nfsar_import_survey(). */
const char *const *nfsar_import_warnings(const nfsar_import *import, size_t *n);
/** Range profile as a PNG file: mean power of all pulses and channels in dB against range, the
 * instrument's delay taken out. After nfsar_import_survey(); NFSAR_ERROR_UNSUPPORTED when the
 * frequencies are not evenly spaced or there are fewer than four. */
enum nfsar_status nfsar_import_picture(const nfsar_import *import, const char *path,
                                       nfsar_error *error);
/** Samples as imported (one contiguous block of pulses, all samples) into
 * out[n_pulse][n_channel][n_sample]. */
enum nfsar_status nfsar_import_read(nfsar_import *import, size_t first_pulse, size_t n_pulse,
                                    float complex *out, nfsar_error *error);
/** Write the capture to @p path, some pulses at a time; a survey that was not made before is made
 * on the way, so that the recording is read once. */
enum nfsar_status nfsar_import_run(nfsar_import *import, const char *path,
                                   const nfsar_progress *progress, nfsar_error *error);
/** Release; NULL is allowed. */
void nfsar_import_close(nfsar_import *import);

/** Order of the 16-bit words of a chirp in a recording (docs/import.md shows each). */
enum nfsar_raw_layout {
    NFSAR_RAW_4LANE,           /**< xWR12xx/14xx by DCA1000: per sample I0 I1 I2 I3 Q0 Q1 Q2 Q3 */
    NFSAR_RAW_2LANE,           /**< xWR16xx/18xx/68xx by DCA1000: receiver after receiver, two
                                    samples as I0 I1 Q0 Q1 */
    NFSAR_RAW_4LANE_REORDERED, /**< 4LANE after TI's "reorder": per sample I0 Q0 I1 Q1 I2 Q2 I3 Q3
                                */
    NFSAR_RAW_2LANE_REORDERED, /**< 2LANE after TI's "reorder": receiver after receiver, I Q of
                                    each sample */
    NFSAR_RAW_TSW1400 /**< TSW1400 by HSDC Pro: offset binary, per sample I0 Q0 I1 Q1 ... */
};

/** Decode one chirp of n_rx * n_sample complex samples from bytes[4 * n_rx * n_sample]
 * (little-endian words as in the file) into out[n_rx][n_sample]. @p q_first: the device sent Q
 * before I. NFSAR_ERROR_ARGUMENT when a 4-lane layout has not 4 receivers, or a 2-lane layout an
 * odd n_sample. */
enum nfsar_status nfsar_raw_decode_chirp(enum nfsar_raw_layout layout, bool q_first, size_t n_rx,
                                         size_t n_sample, const unsigned char *bytes,
                                         float complex *out, nfsar_error *error);

#endif
