/** @file
 * Exact multistatic backprojection: any geometry, any grid. The reference of all methods.
 *
 * o(r) = sum over pulses, channels, samples of w s(k) exp(-jk(|r - r_T| + |r - r_R|)).
 */
#ifndef NFSAR_BACKPROJECTION_H
#define NFSAR_BACKPROJECTION_H

#include <stdbool.h>

#include <nfsar/capture.h>
#include <nfsar/image.h>
#include <nfsar/kernel.h>
#include <nfsar/progress.h>
#include <nfsar/status.h>
#include <nfsar/window.h>

/** How the sum is computed. */
enum nfsar_bp_precision {
    /** Range-compressed profiles, followed by polynomials over blocks of voxels; ranges to a
     * block's centre in double, differences in single precision. */
    NFSAR_BP_SINGLE = 0,
    /** The sum as it stands, every frequency, in double precision: slow, and the truth. */
    NFSAR_BP_DOUBLE
};

/** Options; nfsar_bp_defaults() fills them. */
typedef struct nfsar_bp_options {
    enum nfsar_bp_precision precision;  /**< single */
    enum nfsar_window frequency_window; /**< rectangular */
    double tolerance; /**< largest error of a unit line at the band's edges, from following its
                           range profile by polynomials (single); 3e-4 */
    size_t memory;    /**< bytes for blocks of samples and profiles; 0 for 512 MiB */
    int threads;      /**< 0 for all processors */
    enum nfsar_kernel kernel; /**< auto */
} nfsar_bp_options;

/** An opaque plan. */
typedef struct nfsar_bp_plan nfsar_bp_plan;

/** The defaults above. */
nfsar_bp_options nfsar_bp_defaults(void);

/** Prepare to image captures of this geometry on @p grid.
 * @param capture frequencies, array and poses; its echo is not looked at. Must outlive the plan.
 * @param options NULL for the defaults. */
enum nfsar_status nfsar_bp_plan_create(const nfsar_capture *capture, const nfsar_grid *grid,
                                       const nfsar_bp_options *options, nfsar_bp_plan **plan,
                                       nfsar_error *error);

/** Image the samples of @p source (already calibrated) into image[nz][ny][nx]. The samples are
 * read in blocks of pulses that fit options.memory. Allocates nothing. */
enum nfsar_status nfsar_bp_execute(nfsar_bp_plan *plan, const nfsar_echo_source *source,
                                   float complex *image, const nfsar_progress *progress,
                                   nfsar_error *error);

/** The version of the inner loops that the plan runs: never NFSAR_KERNEL_AUTO. */
enum nfsar_kernel nfsar_bp_plan_kernel(const nfsar_bp_plan *plan);

/** Release a plan; NULL is allowed. */
void nfsar_bp_plan_destroy(nfsar_bp_plan *plan);

#endif
