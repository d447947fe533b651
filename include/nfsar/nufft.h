/** @file
 * Non-uniform Fourier transforms of many vectors of values at the same positions
 * (docs/theory/nonuniform.md).
 *
 * Positions x_i are points in 2 or 3 dimensions, in radians for each step of the mode index; modes
 * have indices k from -n/2 to (n-1)/2 (rounded toward zero) along each axis. Type 1 is
 *
 *     modes[v][k] = sum_i values[i][v] exp(sign j k.x_i),
 *
 * type 2 its adjoint,
 *
 *     values[i][v] = sum_k modes[v][k] exp(-sign j k.x_i),
 *
 * both for every vector v. A vector is a frequency, say, and the positions those of a scan: what
 * depends on them is computed once, when the plan is made.
 */
#ifndef NFSAR_NUFFT_H
#define NFSAR_NUFFT_H

#include <complex.h>
#include <stddef.h>

#include <nfsar/kernel.h>
#include <nfsar/status.h>

/** Options; nfsar_nufft_defaults() fills them. */
typedef struct nfsar_nufft_options {
    double tolerance; /**< 1e-5 to 0.1: largest error relative to the largest magnitude, and root of
                           the sum of squares relative to the result's, for values that do not
                         cancel by design; 1e-3 */
    int sign;         /**< of the exponent of type 1, -1 or +1; -1 */
    enum nfsar_kernel kernel; /**< version of the inner loops; the best */
    size_t memory;            /**< bytes that the plan may take; 0 for 2 GiB */
    int threads;              /**< 0 for all processors */
} nfsar_nufft_options;

/** An opaque plan: weights, transforms and scratch for positions, sizes and a tolerance. It is used
 * by one caller at a time; distinct plans may be used at once. */
typedef struct nfsar_nufft_plan nfsar_nufft_plan;

/** The defaults above. */
nfsar_nufft_options nfsar_nufft_defaults(void);

/** Prepare transforms.
 * @param dimension 2 or 3.
 * @param modes     along x, y and, in 3-D, z; 1 or more each.
 * @param n_point   positions, 1 or more.
 * @param position  of each axis, [n_point]: any finite number, taken modulo 2 pi. Not kept.
 * @param n_vector  vectors that one execution transforms, 1 or more.
 * @param options   NULL for the defaults.
 * @return NFSAR_ERROR_ARGUMENT when one of these is not as said, NFSAR_ERROR_MEMORY when
 *         options->memory does not hold what eight vectors take. */
enum nfsar_status nfsar_nufft_plan_create(int dimension, const size_t modes[], size_t n_point,
                                          const double *const position[], size_t n_vector,
                                          const nfsar_nufft_options *options,
                                          nfsar_nufft_plan **plan, nfsar_error *error);

/** Type 1: values[n_point][n_vector] to modes[n_vector][nz][ny][nx] ([ny][nx] in 2-D), the lowest
 * index first. Allocates nothing. Results do not depend on the number of threads. */
void nfsar_nufft_type1(nfsar_nufft_plan *plan, const float complex *values, float complex *modes);

/** Type 2: modes to values, laid out as for type 1. Allocates nothing. Results do not depend on the
 * number of threads. */
void nfsar_nufft_type2(nfsar_nufft_plan *plan, const float complex *modes, float complex *values);

/** How a plan goes about it along one axis. */
typedef struct nfsar_nufft_axis {
    size_t modes; /**< wanted */
    size_t fine;  /**< points of the grid that is transformed */
    int width;    /**< of the kernel, in such points */
} nfsar_nufft_axis;

/** What the plan chose along axis 0 (x), 1 (y) or 2 (z; of a 2-D plan 1, 1, 1). */
nfsar_nufft_axis nfsar_nufft_plan_axis(const nfsar_nufft_plan *plan, int axis);

/** Bytes that @p plan holds: weights, order, scratch. */
size_t nfsar_nufft_plan_memory(const nfsar_nufft_plan *plan);

/** NULL is allowed. */
void nfsar_nufft_plan_destroy(nfsar_nufft_plan *plan);

#endif
