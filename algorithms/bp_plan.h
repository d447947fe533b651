/* What the two forms of backprojection share. bp.c runs over blocks of pulses; bp_single.c and
 * bp_double.c hold the sums. */
#ifndef NFSAR_ALGORITHMS_BP_PLAN_H
#define NFSAR_ALGORITHMS_BP_PLAN_H

#include <nfsar/backprojection.h>

#include "algorithms/transform.h"

/* Most voxels that are worked on together: their sums stay in the first-level cache. */
enum { BP_TILE = 1024 };

/* One transmit-receive pair at one pulse. */
struct bp_pair {
    nfsar_vec3 tx, rx;
};

struct nfsar_bp_plan {
    const nfsar_capture *capture;
    nfsar_grid grid;
    nfsar_bp_options options;
    int threads;
    enum nfsar_kernel kernel;

    double *wavenumber;     /* [n_sample] */
    float *frequency_taper; /* [n_sample] */
    bool uniform;           /* wavenumbers are equally spaced */
    double k_step;          /* their spacing, may be negative */
    double k_centre;        /* the middle of the band */

    size_t tile;            /* voxels worked on together, up to BP_TILE */
    size_t pulse_block;     /* pulses in memory at a time */
    struct bp_pair *pair;   /* [pulse_block * n_channel] */
    nfsar_vec3 *tx, *rx;    /* [pulse_block * n_channel] */
    float complex *samples; /* [pulse_block * n_channel][n_sample] */

    /* Single precision: range profiles of the block's lines. */
    size_t length;       /* of the transform that compresses range */
    double range_step;   /* two-way metres between profile samples */
    double range_first;  /* two-way range of the gate's first sample; per block */
    size_t gate;         /* profile samples of the gate, for one block */
    size_t gate_room;    /* the longest gate of all blocks, which the buffers hold */
    float *profile;      /* [pairs][2][gate_room]: real parts, then imaginary parts */
    float complex *turn; /* [gate_room] */
    fftwf_plan compress;
    float complex *scratch; /* [threads][bp_pitch()] */

    double *sum; /* double precision: [2][voxels] */
};

/* The transform's length rounded up, so that every thread's scratch starts aligned for FFTW. */
static inline size_t bp_pitch(const nfsar_bp_plan *plan) {
    return (plan->length + 7) / 8 * 8;
}

/* Two-way range over all pairs of the block and all voxels of the grid, smallest and largest
 * (bounds). */
void bp_range_bounds(const nfsar_bp_plan *plan, size_t n_pair, double *nearest, double *farthest);

/* Compress the block's lines into range profiles for the block's gate. */
void bp_single_profiles(nfsar_bp_plan *plan, size_t n_pair);

/* Add the block's pairs to the n voxels from `first` on (in memory order). */
void bp_single_tile(const nfsar_bp_plan *plan, size_t n_pair, size_t first, size_t n,
                    float complex *image);
void bp_double_tile(nfsar_bp_plan *plan, size_t n_pair, size_t first, size_t n);

#endif
