/** @file
 * Range profiles of a whole capture, and the grid that they suggest.
 */
#ifndef NFSAR_RANGE_H
#define NFSAR_RANGE_H

#include <nfsar/capture.h>
#include <nfsar/image.h>
#include <nfsar/status.h>

/** Range resolution c / (2B), metres; infinite for a single frequency. */
double nfsar_range_resolution(const nfsar_capture *capture);

/** Largest range that the frequency steps tell from zero, c / (2 df), metres; infinite for a
 * single frequency. Computed from the mean step. */
double nfsar_range_unambiguous(const nfsar_capture *capture);

/** Mean power over pulses (at most 512 of them, evenly picked) and channels against range:
 * power[i] at range i * range_step metres (half the two-way path), Hann-weighted and normalised so
 * that one unit echo gives 1. */
enum nfsar_status nfsar_range_profile(const nfsar_capture *capture, const nfsar_echo_source *source,
                                      double range_step, size_t n, double *power,
                                      nfsar_error *error);

/** What nfsar_grid_suggest() went by. */
typedef struct nfsar_grid_reasons {
    double range_peak;    /**< of the range profile, metres */
    double range_gate[2]; /**< round the peak to where the profile has fallen by 20 dB, metres */
    double resolution[3]; /**< expected along x, y, z, metres */
    int converging;       /**< 1 when the boresights meet in a point (turntable), 0 when they are
                               roughly parallel (plane, hand) */
} nfsar_grid_reasons;

/** A grid for people who give none: where the strongest echoes come from, as wide as the aperture
 * and half as much more, with three to six voxels to a resolution cell.
 * @param range  limits of the range gate, metres, or NULL to take them from the profile.
 * @param limit  most voxels; the spacing is widened to stay below.
 * @param reasons may be NULL. */
enum nfsar_status nfsar_grid_suggest(const nfsar_capture *capture, const nfsar_echo_source *source,
                                     const double *range, size_t limit, nfsar_grid *grid,
                                     nfsar_grid_reasons *reasons, nfsar_error *error);

#endif
