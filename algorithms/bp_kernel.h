/* The inner loops of single-precision backprojection: all lines of a block of pulses onto one
 * block of voxels. docs/theory/backprojection.md derives what is done here.
 *
 * The kernel's axes are the grid's in an order of its own: axis 0 runs along the lanes. */
#ifndef NFSAR_ALGORITHMS_BP_KERNEL_H
#define NFSAR_ALGORITHMS_BP_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfsar/kernel.h>

#include "algorithms/bandfit.h"

enum {
    BP_LANES = 16,        /* voxels of a block along its first axis: one vector of AVX-512 */
    BP_ROWS = 32,         /* most rows of lanes in a block */
    BP_TERMS = 5,         /* of the series of the distance */
    BP_GROUP_FLOATS = 64, /* floats of the vectors that are worked on together, at most */
    BP_ALIGN = 64
};

/* A block of voxels about its centre. */
struct bp_block {
    double centre[3]; /* metres */
    float half[3];    /* from the centre to the outermost voxels, metres */
    size_t rows;      /* a multiple of 4, at most BP_ROWS */
    _Alignas(BP_ALIGN) float u[BP_LANES], uu[BP_LANES]; /* offset along axis 0, its square */
    _Alignas(BP_ALIGN) float v[BP_ROWS], w[BP_ROWS], vw[BP_ROWS]; /* along axes 1, 2; v^2 + w^2 */
};

/* One channel: which of the pulse's antennas are its ends. */
struct bp_link {
    uint32_t tx, rx;
};

/* A block of pulses: where the antennas were and what was received, range by range. */
struct bp_lines {
    size_t n_pulse;
    size_t n_antenna;           /* of a pulse */
    size_t n_link;              /* channels */
    const struct bp_link *link; /* [n_link], those of one transmitter side by side */
    const double *at[3];        /* [n_pulse][n_antenna] along each axis, metres */
    const float *profile;       /* [n_pulse][n_link][2][pitch]: real parts, then imaginary parts, of
                                   the profile about the band's middle */
    size_t pitch;
    size_t gate;                    /* samples of a profile that are valid */
    double range_first, range_step; /* two-way metres */
    double halfturns_per_metre;     /* of the carrier: k_c / pi */
    double series_error;            /* largest phase error of a range's series, radians */
    const struct bandfit *fit;      /* NULL: profiles are looked up */
    bool shared;     /* antennas serve several channels: their phasors are computed once */
    bool monostatic; /* every channel's ends are one antenna */
};

/* What is known of the antennas and lines of a few pulses as seen from a block; one for each
 * thread. At a voxel `offset` from the block's centre, at the range R from an antenna,
 * t = tilt . offset + bend |offset|^2 is (R^2 - range^2) / range^2. */
struct bp_terms {
    size_t pulses;           /* there is room for */
    double *range;           /* [pulses * n_antenna] from the block's centre, metres */
    float *halfturns;        /* [pulses * n_antenna] the same in half turns */
    float *tilt[3], *bend;   /* [pulses * n_antenna] */
    float *largest;          /* [pulses * n_antenna] bound of |t| over the block */
    float *series[BP_TERMS]; /* [pulses * n_antenna] R - range in half turns: the sum of
                                series[i] t^(i + 1) */
    int32_t *tx, *rx;        /* [pulses * n_link] which of these antennas a line's ends are */
    int32_t *sample, *place; /* [pulses * n_link] where the centre is in the profile */
    float *offset;           /* [pulses * n_link] half turns from that place to the centre */
    float *cosine, *sine;    /* [pulses * n_link] of the carrier's phase at the place */
    struct bp_fit *fit;      /* [pulses * n_link] */
    float *row;              /* shared: [n_antenna][BP_ROWS] t of each row at lane offset 0 */
    float *lane;             /* shared: [n_antenna][BP_LANES] t of each lane at row offset 0 */
    float *phasor;           /* shared: [n_antenna][3][BP_GROUP_FLOATS]: half turns, cosine, sine */
};

/* The profile near a place as a polynomial in half turns, times the carrier's phasor. */
struct bp_fit {
    _Alignas(32) float re[BANDFIT_COLUMNS], im[BANDFIT_COLUMNS];
};

struct bp_sums {
    _Alignas(BP_ALIGN) float re[BP_ROWS][BP_LANES];
    _Alignas(BP_ALIGN) float im[BP_ROWS][BP_LANES];
};

/* Room for the terms of as many pulses as make good use of vectors; false when there is no memory.
 * lines->link says which antennas a line's ends are. bp_terms_free() takes what was made of it. */
bool bp_terms_make(const struct bp_lines *lines, struct bp_terms *terms);
void bp_terms_free(struct bp_terms *terms);

/* Add every line to the sums. */
typedef void bp_kernel(const struct bp_lines *lines, const struct bp_block *block,
                       struct bp_terms *terms, struct bp_sums *sums);

bp_kernel bp_add_portable, bp_add_avx2, bp_add_avx512;

#endif
