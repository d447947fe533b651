/** @file
 * Sparse reconstruction: the volume that explains the echoes and has few scatterers or few edges.
 *
 * It minimises 1/2 |A o - s|^2 + lambda_1 sum |o| + lambda_TV TV(o) over complex volumes o, with
 * the echo model A of nfsar/capture.h: (A o)(k) = sum o(r) exp(+jk(|r - r_T| + |r - r_R|)). TV is
 * the sum of |grad u| times a length, u the field o without the two-way phase of its depth, so that
 * neither it nor sum |o| depends on how far voxels lie apart (docs/theory/sparse.md). Unlike
 * the other methods' images, o is in units of reflectivity. For apertures with too few positions
 * (docs/reconstruct.md).
 */
#ifndef NFSAR_SPARSE_H
#define NFSAR_SPARSE_H

#include <stdbool.h>
#include <stddef.h>

#include <nfsar/capture.h>
#include <nfsar/image.h>
#include <nfsar/progress.h>
#include <nfsar/status.h>

/** What a volume is known for. */
enum nfsar_sparse {
    NFSAR_SPARSE_L1 = 0, /**< few voxels that are not zero: sum of magnitudes */
    NFSAR_SPARSE_TV,   /**< flat but for few edges: isotropic total variation of complex numbers */
    NFSAR_SPARSE_L1_TV /**< few, and flat */
};

/** Which operators stand for A and its adjoint. */
enum nfsar_sparse_operators {
    NFSAR_SPARSE_AUTO = 0,   /**< planar or cylindrical where it fits and is faster, else exact */
    NFSAR_SPARSE_EXACT,      /**< the simulator and backprojection: any geometry */
    NFSAR_SPARSE_PLANAR,     /**< plane waves: positions in a plane in front of the grid or near it,
                                  lattice or not */
    NFSAR_SPARSE_CYLINDRICAL /**< waves round an axis: positions on a cylinder round the grid,
                                  lattice or not */
};

/** Parse "l1", "tv" or "l1+tv". */
enum nfsar_status nfsar_sparse_parse(const char *name, enum nfsar_sparse *sparse,
                                     nfsar_error *error);
/** The name that nfsar_sparse_parse() takes. */
const char *nfsar_sparse_name(enum nfsar_sparse sparse);

/** Parse "auto", "exact", "planar" or "cylindrical". */
enum nfsar_status nfsar_sparse_operators_parse(const char *name,
                                               enum nfsar_sparse_operators *operators,
                                               nfsar_error *error);
/** The name that nfsar_sparse_operators_parse() takes. */
const char *nfsar_sparse_operators_name(enum nfsar_sparse_operators operators);

/** Options; nfsar_sparse_defaults() fills them. */
typedef struct nfsar_sparse_options {
    enum nfsar_sparse penalty;             /**< l1 */
    enum nfsar_sparse_operators operators; /**< auto */
    double weight;     /**< lambda_1 as a fraction of max |A^H s|, above 0 and below 1: 0.05. What
                            is so much weaker than the strongest scatterer is taken for clutter. (At
                            1 the solution is nothing.) TV: lambda_TV is 0.15 of that, and with both
                            lambda_1 a fifth */
    double tolerance;  /**< stop when `excess`, below, is no more than this: 1e-3 */
    size_t iterations; /**< or after so many: 500 */
    bool start;        /**< image holds a start (warm), in reflectivities and on the same grid, else
                            it begins with zeros: false */
    size_t memory; /**< bytes that copies of volume and samples may take; 0 for 8 GiB. The planar
                        pair takes up to 4 GiB more, the cylindrical one 2 */
    int threads;   /**< 0 for all processors */
} nfsar_sparse_options;

/** What happened. */
typedef struct nfsar_sparse_report {
    enum nfsar_sparse_operators operators; /**< in use, never AUTO */
    double lipschitz;  /**< largest eigenvalue of A^H A; the step is one over that */
    double l1;         /**< lambda_1 */
    double tv;         /**< lambda_TV */
    double length;     /**< that TV is measured in, metres: the finest that is resolved */
    size_t iterations; /**< steps made */
    size_t restarts;   /**< times the momentum was dropped */
    bool converged;    /**< to the tolerance */
    double excess;     /**< about how far the objective may be above its least, as a part of it:
                            L |x - y| |x| / objective, |x - y| the last step without its momentum.
                            As a rule it is ten times less */
    bool capped;       /**< a step asked for a lipschitz above four times what power iteration
                            found, and did not get it: the objective may not have come down */
    double residual;   /**< |A o - s| / |s|: what is not explained */
    double objective;  /**< what was minimised */
} nfsar_sparse_report;

/** The defaults above. */
nfsar_sparse_options nfsar_sparse_defaults(void);

/** Reconstruct calibrated samples of @p source on @p grid into image[nz][ny][nx].
 * All samples and some copies of them and of the volume are held in memory.
 * @param options NULL for the defaults.
 * @param report  may be NULL.
 * @return NFSAR_ERROR_ARGUMENT for an option outside its range, NFSAR_ERROR_GEOMETRY when the
 *         operators asked for do not suit the positions, NFSAR_ERROR_MEMORY (also when
 *         options->memory does not hold it), NFSAR_ERROR_CANCELLED, NFSAR_ERROR_FORMAT for samples
 *         or a start that are not finite. */
enum nfsar_status nfsar_sparse_run(const nfsar_capture *capture, const nfsar_grid *grid,
                                   const nfsar_echo_source *source,
                                   const nfsar_sparse_options *options, float complex *image,
                                   nfsar_sparse_report *report, const nfsar_progress *progress,
                                   nfsar_error *error);

#endif
