/** @file
 * Calibration tables of other programs (docs/calibrate.md).
 */
#ifndef NFSAR_CALIBRATION_TABLE_H
#define NFSAR_CALIBRATION_TABLE_H

#include <stddef.h>

#include <nfsar/capture.h>
#include <nfsar/status.h>

/** Read channel gains, delays and the empty room's echo from MATLAB files.
 *
 * Variables that are known, of n_tx * n_rx numbers each, receiver fastest in MATLAB's order:
 * - calData (complex): samples are multiplied by it;
 * - delayOffset (seconds) or rangeOffset, rangeOffset_mm (millimetres, delay * c / 2): samples are
 *   multiplied by exp(-j 2 pi (f - f of the first sample) delay), as in the toolbox of Yanik and
 *   Torlak;
 * - zBias_m (one number): by exp(+j 4 pi f zBias / c), as in the programs of Smith;
 * - sarDataEmpty (complex, by the number of samples): subtracted first.
 *
 * @param path    n_path files, whose variables are put together.
 * @param capture what they are for: array, frequencies.
 * @param table   receives what the files have, NULL elsewhere; free its members with free().
 * @return NFSAR_ERROR_FILE or NFSAR_ERROR_FORMAT, which name file and variable, for what cannot be
 *         read, for sizes that do not fit, and for numbers that are zero or not finite. */
enum nfsar_status nfsar_calibration_table(const char *const *path, size_t n_path,
                                          const nfsar_capture *capture, nfsar_calibration *table,
                                          nfsar_error *error);

#endif
