/** @file
 * Non-uniform range migration: scans whose positions are neither a lattice nor in one plane.
 *
 * The image is o(r) = sum_l sum_k s_l(k) exp(-2jkR_l(r)), the sum that backprojection computes for
 * monostatic phase centres, at the cost of Fourier transforms (docs/theory/irregular.md). Positions
 * go through a non-uniform transform in x and y; what a position's offset d from the plane does to
 * the plane wave (k_x, k_y, k_z) is exp(+j k_z d), and enters
 * - for every wave on its own (nurma): exact to the tolerance, for any offset;
 * - at boresight only, as exp(+2jkd) (empm, the multi-planar algorithm of Smith and Torlak, IEEE
 *   Access 10, 2022): cheaper, good for small offsets or small angles;
 * - not at all, to show what that does.
 */
#ifndef NFSAR_NURMA_H
#define NFSAR_NURMA_H

#include <nfsar/capture.h>
#include <nfsar/compensation.h>
#include <nfsar/image.h>
#include <nfsar/progress.h>
#include <nfsar/status.h>
#include <nfsar/window.h>

/** How offsets from the plane are treated. */
enum nfsar_offsets {
    NFSAR_OFFSETS_EXACT = 0, /**< for every wave: nurma */
    NFSAR_OFFSETS_BORESIGHT, /**< as if every wave came along z: empm */
    NFSAR_OFFSETS_IGNORED    /**< every position is taken to lie in the plane */
};

/** Options; nfsar_nurma_defaults() fills them. */
typedef struct nfsar_nurma_options {
    enum nfsar_offsets offsets;           /**< exact */
    enum nfsar_compensation compensation; /**< reference point; the paper's is the closed form */
    nfsar_vec3 reference;                 /**< target the compensation is made for, world; a
                                               coordinate that is NaN (default) means the
                                               middle of the grid */
    double plane;                         /**< z of the plane, metres; NaN (default): half way
                                               between the nearest and the farthest antenna */
    enum nfsar_window frequency_window;   /**< rectangular */
    enum nfsar_window aperture_window;    /**< rectangular; along x and y */
    double tolerance; /**< largest error of the image relative to the exact sum, both as root of
                           sums of squares; 1e-5 to 0.1; 1e-3. Kept where the grid is neither seen
                           too much aslant nor too near (docs/theory/irregular.md, last part) */
    size_t memory;    /**< bytes that the plan may take, tables aside; 0 for 2 GiB */
    int threads;      /**< 0 for all processors */
} nfsar_nurma_options;

/** An opaque plan: positions sorted, weights, transforms, scratch and tables. */
typedef struct nfsar_nurma_plan nfsar_nurma_plan;

/** The defaults above. */
nfsar_nurma_options nfsar_nurma_defaults(void);

/** Prepare to image captures of this geometry.
 * @param capture frequencies, array and poses; its echo is not looked at. Must outlive the plan.
 * @param grid    voxels wanted; all on one side of all antennas.
 * @param options NULL for the defaults.
 * @return NFSAR_ERROR_GEOMETRY when an antenna lies beyond or within the grid's depths or the scan
 *         has no aperture, NFSAR_ERROR_MEMORY when options->memory does not hold it. */
enum nfsar_status nfsar_nurma_plan_create(const nfsar_capture *capture, const nfsar_grid *grid,
                                          const nfsar_nurma_options *options,
                                          nfsar_nurma_plan **plan, nfsar_error *error);

/** What a geometry and a grid mean for the ways to treat offsets. */
typedef struct nfsar_nurma_report {
    double plane;         /**< z of the plane, metres */
    double lowest_z;      /**< of the phase centres, metres */
    double highest_z;     /**< likewise */
    double boresight_rad; /**< largest error of the phase when offsets are compensated at boresight
                               (empm), over all positions and the grid's corners, at the highest
                               frequency: at the aperture's edge */
    size_t layers;        /**< layers of depth that this plan spreads positions onto */
    double seconds;       /**< that one processor takes, about */
} nfsar_nurma_report;

/** Whether a plan could be made, without making it: the same errors as nfsar_nurma_plan_create()
 * but for the allocations. @p report may be NULL; it is filled as far as the check came. */
enum nfsar_status nfsar_nurma_check(const nfsar_capture *capture, const nfsar_grid *grid,
                                    const nfsar_nurma_options *options, nfsar_nurma_report *report,
                                    nfsar_error *error);

/** Image the samples of @p source (already calibrated) into image[nz][ny][nx]. The samples are
 * read in blocks of frequencies that fit options.memory. Allocates nothing. */
enum nfsar_status nfsar_nurma_execute(nfsar_nurma_plan *plan, const nfsar_echo_source *source,
                                      float complex *image, const nfsar_progress *progress,
                                      nfsar_error *error);

/** Bytes that @p plan holds: spectrum, scratch and tables. */
size_t nfsar_nurma_plan_memory(const nfsar_nurma_plan *plan);

/** Release a plan; NULL is allowed. */
void nfsar_nurma_plan_destroy(nfsar_nurma_plan *plan);

#endif
