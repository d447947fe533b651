/* What the parts of backprojection share: bp.c makes plans and runs over blocks of pulses,
 * bp_array.c says which antennas a pulse has, bp_shape.c how the grid is cut into blocks of voxels,
 * bp_profile.c compresses range, bp_single.c runs the kernels (bp_kernel.h) over the blocks, and
 * bp_double.c holds the exact sum. */
#ifndef NFSAR_ALGORITHMS_BP_PLAN_H
#define NFSAR_ALGORITHMS_BP_PLAN_H

#include <nfsar/backprojection.h>

#include "algorithms/bandfit.h"
#include "algorithms/bp_kernel.h"
#include "algorithms/transform.h"

/* Voxels of the exact sum that are worked on together. */
enum { BP_TILE = 64 };

/* One transmit-receive pair at one pulse. */
struct bp_pair {
    nfsar_vec3 tx, rx;
};

/* Two-way ranges that the profiles must cover, and the steepest that a range goes along each axis
 * of the grid: the largest |component| of the direction from an antenna to a voxel. */
struct bp_span {
    double nearest, farthest;
    double slope[3];
};

/* How the grid is cut into blocks. */
struct bp_shape {
    int axis[3];      /* the grid's axis (0 x, 1 y, 2 z) along the kernel's axes */
    size_t size[3];   /* voxels of a block along the kernel's axes; size[0] is BP_LANES */
    size_t blocks[3]; /* along the kernel's axes */
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
    double k_half;          /* half the band */

    size_t pulse_block;     /* pulses in memory at a time */
    nfsar_vec3 *tx, *rx;    /* [pulse_block * n_channel] */
    float complex *samples; /* [pulse_block * n_channel][n_sample] */

    /* Double precision. */
    struct bp_pair *pair; /* [pulse_block * n_channel] */
    double *sum;          /* [2][voxels] */

    /* Single precision. */
    bp_kernel *add;
    struct bp_shape shape;
    struct bandfit *fit;   /* NULL for grids so coarse that profiles are interpolated */
    struct bp_lines lines; /* n_pulse, range_first and gate for one block of pulses */
    struct bp_link *link;  /* [n_channel] */
    size_t *channel;       /* [n_channel] of each link */
    size_t *source;        /* [n_antenna] channel whose end it is, times 2, plus 1 for receivers */
    double *at[3];         /* [pulse_block * n_antenna] */
    size_t length;         /* of the transform that compresses range */
    size_t gate_room;      /* the longest gate of all blocks of pulses */
    float *profile;        /* [pulse_block * n_channel][2][gate_room] */
    float complex *turn;   /* [gate_room] */
    fftwf_plan compress;
    float complex *scratch; /* [threads][bp_pitch()] */
    struct bp_terms *terms; /* [threads] */
    struct bp_sums *sums;   /* [threads] */
};

/* The transform's length rounded up, so that every thread's scratch starts aligned for FFTW. */
static inline size_t bp_pitch(const nfsar_bp_plan *plan) {
    return (plan->length + 7) / 8 * 8;
}

/* Find the different antennas of a pulse, and the channels as links between them. */
enum nfsar_status bp_array_find(nfsar_bp_plan *plan, nfsar_error *error);

/* Choose blocks and the profiles' range step and interpolation: plan->shape, fit, lines. */
enum nfsar_status bp_shape_choose(nfsar_bp_plan *plan, nfsar_error *error);

/* Block number `index` of the shape, and where its first voxel is in the grid. */
void bp_shape_block(const nfsar_bp_plan *plan, size_t index, struct bp_block *block,
                    size_t first[3]);

/* Widen `span` by n antennas: directions to, and ranges of, all voxels of all (padded) blocks. */
void bp_span_widen(const nfsar_bp_plan *plan, const struct bp_shape *shape, const nfsar_vec3 *tx,
                   const nfsar_vec3 *rx, size_t n, struct bp_span *span);

/* Room for single precision: profiles, transforms, scratch. */
enum nfsar_status bp_single_allocate(nfsar_bp_plan *plan, nfsar_error *error);
void bp_single_free(nfsar_bp_plan *plan);

/* Compress the block's n_pulse pulses into range profiles; plan->tx and rx are theirs. */
void bp_profile_compress(nfsar_bp_plan *plan, size_t n_pulse);

/* Add the loaded pulses to block number `index`. */
void bp_single_block(const nfsar_bp_plan *plan, size_t index, float complex *image);

/* Add n_pair pairs to the n voxels from `first` on (in memory order). */
void bp_double_tile(nfsar_bp_plan *plan, size_t n_pair, size_t first, size_t n);

#endif
