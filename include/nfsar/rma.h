/** @file
 * Planar range migration: plan and execute.
 *
 * The image is o(r) = sum_l sum_k s_l(k) exp(-2jkR_l(r)), the sum that backprojection computes
 * for monostatic phase centres, with exp(-2jkR) written as a spectrum of plane waves
 * (docs/theory/planar.md): amplitude and phase of the result are those of backprojection.
 */
#ifndef NFSAR_RMA_H
#define NFSAR_RMA_H

#include <nfsar/capture.h>
#include <nfsar/compensation.h>
#include <nfsar/image.h>
#include <nfsar/lattice.h>
#include <nfsar/progress.h>
#include <nfsar/status.h>
#include <nfsar/window.h>

/** Options; nfsar_rma_defaults() fills them. */
typedef struct nfsar_rma_options {
    enum nfsar_compensation compensation; /**< reference point */
    nfsar_vec3 reference;                 /**< target the compensation is made for, world; a
                                               coordinate that is NaN (default) means the
                                               middle of the grid */
    enum nfsar_window frequency_window;   /**< rectangular */
    enum nfsar_window aperture_window;    /**< rectangular; along x and y */
    double tolerance; /**< accuracy of the sum over frequencies at the depths, relative to the
                           peak; fewer frequencies and depths are made to stand for all to 0.03
                           of it; 1e-4 */
    double margin;    /**< spectrum kept beyond the largest angle between aperture and grid, in
                           Fresnel zones of lateral distance; 3 */
    size_t memory;    /**< bytes that the plan may take, tables aside; 0 for 2 GiB */
    int threads;      /**< 0 for all processors */
} nfsar_rma_options;

/** An opaque plan: transforms, scratch and tables for one geometry and one grid. */
typedef struct nfsar_rma_plan nfsar_rma_plan;

/** The defaults above. */
nfsar_rma_options nfsar_rma_defaults(void);

/** Prepare to image captures of this geometry.
 * @param capture frequencies, array and poses; its echo is not looked at. Must outlive the plan.
 * @param lattice from nfsar_lattice_detect(); must outlive the plan.
 * @param grid    voxels wanted; all on one side of the lattice's plane, not on it.
 * @param options NULL for the defaults.
 * @return NFSAR_ERROR_GEOMETRY when the grid touches the plane or the scan has no aperture,
 *         NFSAR_ERROR_MEMORY when options->memory does not hold one frequency and one depth. */
enum nfsar_status nfsar_rma_plan_create(const nfsar_capture *capture, const nfsar_lattice *lattice,
                                        const nfsar_grid *grid, const nfsar_rma_options *options,
                                        nfsar_rma_plan **plan, nfsar_error *error);

/** Whether a plan could be made, without making it: the same errors as nfsar_rma_plan_create() but
 * for the allocations. */
enum nfsar_status nfsar_rma_check(const nfsar_capture *capture, const nfsar_lattice *lattice,
                                  const nfsar_grid *grid, const nfsar_rma_options *options,
                                  nfsar_error *error);

/** Image the samples of @p source (already calibrated) into image[nz][ny][nx]. The samples are
 * read in blocks of frequencies that fit options.memory. Allocates nothing. */
enum nfsar_status nfsar_rma_execute(nfsar_rma_plan *plan, const nfsar_echo_source *source,
                                    float complex *image, const nfsar_progress *progress,
                                    nfsar_error *error);

/** One kind of Fourier transform that nfsar_rma_execute() makes. */
typedef struct nfsar_rma_transform {
    size_t length; /**< of each line */
    size_t batch;  /**< lines that are transformed together */
    size_t count;  /**< batches in one execution */
    int sign;      /**< -1: exp(-j...), +1: exp(+j...) */
} nfsar_rma_transform;

/** The transforms of one execution of @p plan, so that its time can be compared with theirs.
 * Fills list[room] as far as it goes and returns how many kinds there are. */
size_t nfsar_rma_plan_transforms(const nfsar_rma_plan *plan, nfsar_rma_transform *list,
                                 size_t room);

/** Bytes that @p plan holds: spectrum, scratch and tables. */
size_t nfsar_rma_plan_memory(const nfsar_rma_plan *plan);

/** Release a plan; NULL is allowed. */
void nfsar_rma_plan_destroy(nfsar_rma_plan *plan);

#endif
