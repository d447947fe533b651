/* min_x 1/2 |A x - s|^2 + l1 |x|_1 + tv TV(x) by accelerated proximal gradient: FISTA (Beck and
 * Teboulle 2009), whose momentum is dropped whenever it points uphill (O'Donoghue and Candes 2015).
 * A step that the estimate of |A|^2 made too long is seen from |A(x - y)|^2 > L |x - y|^2 and done
 * again with a larger L, up to four times the estimate.
 *
 * It ends where L |x - y| |x| is a small part of the objective: the first two bound, with the
 * distance from the minimiser, what the objective can still fall by, with or without momentum
 * (docs/theory/sparse.md). */
#ifndef NFSAR_ALGORITHMS_SPARSE_FISTA_H
#define NFSAR_ALGORITHMS_SPARSE_FISTA_H

#include <stdbool.h>

#include <nfsar/progress.h>

#include "algorithms/sparse/operator.h"
#include "algorithms/sparse/proximal.h"

struct fista_problem {
    const struct linear_operator *op;
    struct proximal_shape shape; /* whose product is op->n_image */
    const float complex *samples;
    double l1, tv;        /* weights of the penalties */
    double lipschitz;     /* |A|^2, or not much less: a quarter is mended */
    int threads;          /* 0 for all processors */
    double tolerance;     /* stop when the excess, below, is no more */
    size_t iterations;    /* at most */
    size_t tv_iterations; /* dual steps of each proximal map, at most */
};

struct fista_outcome {
    size_t iterations, restarts;
    bool converged;
    double excess;    /* about how far the objective may be above its least, as a part of it */
    double residual;  /* |A x - s| / |s| */
    double objective; /* what is minimised */
    double lipschitz; /* in use at the end */
    bool capped;      /* steps were longer than they should be: that would have had to be more than
                         four times the estimate */
};

/* x[n_image]: the start, and the solution. NFSAR_ERROR_MEMORY, NFSAR_ERROR_CANCELLED, and what the
 * operator answers. */
enum nfsar_status fista_solve(const struct fista_problem *problem, float complex *x,
                              struct fista_outcome *outcome, const nfsar_progress *progress,
                              nfsar_error *error);

#endif
