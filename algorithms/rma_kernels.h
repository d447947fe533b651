/* The inner loops of range migration, by instruction set: rma_kernels.inc is compiled for each. (A
 * function with target clones is parsed once, for the plainest machine, and the compiler then keeps
 * its vectors in memory; loops over arrays do not suffer from that, hence multiversion.h beside.)
 */
#ifndef NFSAR_ALGORITHMS_RMA_KERNELS_H
#define NFSAR_ALGORITHMS_RMA_KERNELS_H

#include <stddef.h>

#include <nfsar/kernel.h>

/* Lines or waves that are worked on together: two cache lines of complex numbers. */
enum { RMA_TILE = 16 };

/* Sums that weigh() makes at a time. */
enum { RMA_ROWS = 4 };

/* Waves that sum() adds at a time: each waits for its own last step, and for nobody else's. */
enum { RMA_WAVES = 4 };

/* A tile of waves: their values at one depth, or what they turn by from one depth to the next.
 * Aligned to 64 bytes. */
struct rma_tile {
    float re[RMA_TILE], im[RMA_TILE];
};

struct rma_kernels {
    /* out[r][..] = sum_i weight[r][i * stride] in[i][..], tiles of 2 RMA_TILE numbers, i < n. All
     * tiles aligned to 64 bytes. */
    void (*weigh)(const float *in, size_t n, const float *const weight[RMA_ROWS], size_t stride,
                  float *out);

    /* sum[z] += all n values, which turn from one z to the next, z < n_z. n is a multiple of
     * RMA_WAVES. */
    void (*sum)(const struct rma_tile *value, const struct rma_tile *turn, size_t n, size_t n_z,
                struct rma_tile *sum);
};

/* The loops for the best instruction set of this machine that is not above `most`. */
const struct rma_kernels *rma_kernels_for(enum nfsar_kernel most);

#endif
