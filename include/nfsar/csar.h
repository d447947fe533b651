/** @file
 * Cylindrical and rotational scans (circular SAR, R-ISAR): the radar goes round the target, or the
 * target turns before it.
 *
 * The image is o(r) = sum_l sum_k s_l(k) exp(-2jkR_l(r)), the sum that backprojection computes for
 * monostatic phase centres, at the cost of Fourier transforms (docs/theory/cylindrical.md): the
 * kernel is a sum of cylindrical waves, which are plane waves from all sides at the target.
 * Amplitude and phase of the result are those of backprojection.
 */
#ifndef NFSAR_CSAR_H
#define NFSAR_CSAR_H

#include <stdbool.h>

#include <nfsar/capture.h>
#include <nfsar/compensation.h>
#include <nfsar/cylinder.h>
#include <nfsar/image.h>
#include <nfsar/progress.h>
#include <nfsar/status.h>
#include <nfsar/window.h>

/** Options; nfsar_csar_defaults() fills them. */
typedef struct nfsar_csar_options {
    enum nfsar_compensation compensation; /**< every range */
    nfsar_vec3 reference;                 /**< target that `reference-point` is made for, world; a
                                               coordinate that is NaN (default) means the axis in x
                                               and z, the grid's middle in y */
    enum nfsar_window frequency_window;   /**< rectangular */
    bool equal_views; /**< every direction that a voxel is seen from counts the same, as on the axis
                           (false: every position of the radar does, as in backprojection; voxels
                           off the axis see more positions on the far side) */
    double
        tolerance; /**< error of the image relative to the exact sum of phase centres on the
                        cylinder, both as root of sums of squares; 1e-5 to 0.1; 1e-3. Kept where
                        no voxel is seen steeper than 77 degrees, and with views as they are;
                        for what pairs of antennas add see docs/theory/cylindrical-compensation.md
                    */
    size_t memory; /**< bytes that the plan may take, tables aside; 0 for 2 GiB */
    int threads;   /**< 0 for all processors */
} nfsar_csar_options;

/** An opaque plan. */
typedef struct nfsar_csar_plan nfsar_csar_plan;

/** The defaults above. */
nfsar_csar_options nfsar_csar_defaults(void);

/** Prepare to image captures of this geometry.
 * @param capture  frequencies, array and poses; its echo is not looked at. Must outlive the plan.
 * @param cylinder from nfsar_cylinder_detect(). Copied.
 * @param grid     voxels wanted; all inside the cylinder.
 * @param options  NULL for the defaults.
 * @return NFSAR_ERROR_GEOMETRY when the grid reaches the cylinder or phase centres lie so far off
 *         it that the image would suffer, NFSAR_ERROR_MEMORY when options->memory does not hold
 *         it. */
enum nfsar_status nfsar_csar_plan_create(const nfsar_capture *capture,
                                         const nfsar_cylinder *cylinder, const nfsar_grid *grid,
                                         const nfsar_csar_options *options, nfsar_csar_plan **plan,
                                         nfsar_error *error);

/** What a geometry and a grid mean for csar. */
typedef struct nfsar_csar_report {
    double farthest_m;     /**< largest distance of a voxel from the axis */
    double deviation_rad;  /**< largest error of the phase from positions off the cylinder, which
                                are compensated at boresight */
    double steepest_rad;   /**< largest angle to the horizontal between a voxel and a phase centre;
                                waves beyond 78.5 degrees are left out */
    double slope_rad;      /**< largest phase by which pairs differ with the slope of waves, from a
                                middling slope; right to the first order */
    double angle_step_rad; /**< between neighbouring angles that a target at farthest_m wants:
                                pi sqrt(R0^2 + r^2) / (2 k_max R0 r) (Smith and Torlak 2020) */
    double seconds;        /**< that one processor takes, about */
} nfsar_csar_report;

/** Whether a plan could be made, without making it: the same errors as nfsar_csar_plan_create() but
 * for the allocations. @p report may be NULL; it is filled as far as the check came. */
enum nfsar_status nfsar_csar_check(const nfsar_capture *capture, const nfsar_cylinder *cylinder,
                                   const nfsar_grid *grid, const nfsar_csar_options *options,
                                   nfsar_csar_report *report, nfsar_error *error);

/** Image the samples of @p source (already calibrated) into image[nz][ny][nx]. Allocates nothing.
 */
enum nfsar_status nfsar_csar_execute(nfsar_csar_plan *plan, const nfsar_echo_source *source,
                                     float complex *image, const nfsar_progress *progress,
                                     nfsar_error *error);

/** One kind of Fourier transform that nfsar_csar_execute() makes. */
typedef struct nfsar_csar_transform {
    size_t length; /**< of each line */
    size_t batch;  /**< lines that are transformed together */
    size_t count;  /**< batches in one execution */
    int sign;      /**< -1: exp(-j...), +1: exp(+j...) */
} nfsar_csar_transform;

/** The transforms of one execution of @p plan, so that its time can be compared with theirs.
 * Fills list[room] as far as it goes and returns how many kinds there are. */
size_t nfsar_csar_plan_transforms(const nfsar_csar_plan *plan, nfsar_csar_transform *list,
                                  size_t room);

/** Bytes that @p plan holds. */
size_t nfsar_csar_plan_memory(const nfsar_csar_plan *plan);

/** Release a plan; NULL is allowed. */
void nfsar_csar_plan_destroy(nfsar_csar_plan *plan);

#endif
