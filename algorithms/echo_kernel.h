/* The inner loops of the simulation of many scatterers: the adjoint of backprojection. What a
 * cluster of scatterers sends back to every line is gathered as moments, sum a h^d exp(j pi h),
 * which the adjoint of the polynomial fit spreads onto the line's range profile. */
#ifndef NFSAR_ALGORITHMS_ECHO_KERNEL_H
#define NFSAR_ALGORITHMS_ECHO_KERNEL_H

#include "algorithms/bp_kernel.h"
#include "algorithms/clusters.h"

enum { ECHO_MOMENTS = BANDFIT_COLUMNS, ECHO_MOMENT_FLOATS = ECHO_MOMENTS * 2 * BP_LANES };

/* A cluster as seen by some pulses. */
struct echo_cluster {
    struct bp_block block;    /* centre and half are set */
    size_t n;                 /* a multiple of CLUSTER_PAD */
    const float *offset[3];   /* [n] */
    const float *norm;        /* [n] */
    const float *re, *im;     /* [n] */
    const float *const *gain; /* [n_pulse * n_antenna] of [n], NULL for isotropic antennas */
    bool spreading;           /* amplitudes fall as 1 / (R_T R_R) */
    int32_t first_sample;     /* of the profiles, counted from range 0 */
};

/* Scatterers that go through the passes together: what lies between two passes stays in the first
 * cache. */
enum { ECHO_CHUNK = 256 };

/* Of every scatterer: half turns of the carrier, echo or phasor, and what weakens it. */
struct echo_chunk {
    _Alignas(BP_ALIGN) float halfturns[ECHO_CHUNK];
    _Alignas(BP_ALIGN) float re[ECHO_CHUNK], im[ECHO_CHUNK];
    _Alignas(BP_ALIGN) float factor[ECHO_CHUNK];
};

/* Scratch of one thread. */
struct echo_scratch {
    struct echo_chunk *antenna; /* [n_antenna] where antennas are shared */
    float *moment;              /* [n_link][ECHO_MOMENTS][2][BP_LANES] */
};

/* Add what the cluster returns to the profiles[n_pulse][n_link][2][pitch] of lines->n_pulse pulses,
 * at most as many as the terms have room for. */
typedef void echo_kernel(const struct bp_lines *lines, const struct echo_cluster *cluster,
                         struct bp_terms *terms, struct echo_scratch *scratch, float *profile);

echo_kernel echo_add_portable, echo_add_avx2, echo_add_avx512;

#endif
