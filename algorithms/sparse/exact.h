/* The pair for any geometry: the simulator's sum over voxels, to 1e-5, and backprojection. */
#ifndef NFSAR_ALGORITHMS_SPARSE_EXACT_H
#define NFSAR_ALGORITHMS_SPARSE_EXACT_H

#include <nfsar/capture.h>
#include <nfsar/image.h>

#include "algorithms/sparse/operator.h"

struct exact;

/* s(k) = sum o(r) exp(+jk(|r - r_T| + |r - r_R|)) at the poses as reported, n_sample numbers of
 * every channel of every pulse. capture must outlive it; its echo is not looked at. */
enum nfsar_status exact_create(const nfsar_capture *capture, const nfsar_grid *grid, int threads,
                               struct exact **exact, nfsar_error *error);

struct linear_operator exact_operator(struct exact *exact);

/* NULL is allowed. */
void exact_destroy(struct exact *exact);

#endif
