/* The inner loops of the simulation of many scatterers: the adjoint of backprojection. What a
 * cluster of scatterers sends back to every line is gathered as moments, sum a h^d exp(j pi h),
 * which the adjoint of the polynomial fit spreads onto the line's range profile. */
#ifndef NFSAR_ALGORITHMS_ECHO_KERNEL_H
#define NFSAR_ALGORITHMS_ECHO_KERNEL_H

#include "algorithms/bp_kernel.h"
#include "algorithms/clusters.h"

enum { ECHO_MOMENTS = BANDFIT_COLUMNS };

/* A cluster as seen by one pulse. */
struct echo_cluster {
    struct bp_block block;    /* centre and half are set */
    size_t n;                 /* a multiple of CLUSTER_PAD */
    const float *offset[3];   /* [n] */
    const float *norm;        /* [n] */
    const float *re, *im;     /* [n] */
    const float *const *gain; /* [n_antenna] of [n], NULL for isotropic antennas */
    bool spreading;           /* amplitudes fall as 1 / (R_T R_R) */
};

/* Scratch of one thread for lines that share antennas. */
struct echo_shared {
    float *phasor; /* [n_antenna][4][BP_GROUP_FLOATS]: half turns, cosine, sine, 1 / R */
    float *moment; /* [n_link][ECHO_MOMENTS][2][BP_LANES] */
};

/* Add what the cluster returns to the profiles (lines->profile is written) of one pulse. */
typedef void echo_kernel(const struct bp_lines *lines, const struct echo_cluster *cluster,
                         struct bp_terms *terms, struct echo_shared *shared, float *profile);

echo_kernel echo_add_portable, echo_add_avx2, echo_add_avx512;

#endif
