/* What the files of the non-uniform transform share. nufft_plan.c makes a plan, nufft_grid.c
 * chooses its grid, nufft.c executes it. docs/theory/nonuniform.md says how.
 *
 * Vectors are transformed in blocks of SPREAD_VECTORS. Of a block, rows (along y) of the fine grid
 * are spread, transformed along x (in 3-D along z too) and cut to the modes that are wanted; what
 * is left, the planes, is transformed along y. */
#ifndef NFSAR_ALGORITHMS_NUFFT_PLAN_H
#define NFSAR_ALGORITHMS_NUFFT_PLAN_H

#include <stdbool.h>

#include <nfsar/nufft.h>

#include "algorithms/spread.h"
#include "algorithms/transform.h"
#include "algorithms/transpose.h"

/* Columns that are transformed together: two cache lines of each row. */
enum { NUFFT_TILE = 16 };

/* An axis; one that is absent has one mode, one point and no ghosts. */
struct nufft_axis {
    size_t modes;
    size_t fine;  /* points of the grid, which is periodic */
    size_t ghost; /* points of it that are there again before its begin and after its end, for
                     kernels that reach over them */
    int width;
    double beta, error, gain; /* struct gridding */
    size_t pitch;             /* of a line of this axis in scratch */
    float *correction;        /* [modes] 1 / transform of the kernel */
    fftwf_plan there, back;   /* of type 1 and type 2; NULL for one point */
};

/* One thread's. */
struct nufft_scratch {
    float complex *cells;        /* [ring][z][x][SPREAD_VECTORS] */
    float complex *lines, *bins; /* [NUFFT_TILE][pitch] before and after a transform */
    float complex *layers;       /* [SPREAD_VECTORS][z][row_pitch] of a row, in 3-D */
};

struct nfsar_nufft_plan {
    nfsar_nufft_options options;
    int threads;
    struct nufft_axis axis[3];
    size_t n_point, n_vector, n_block;
    size_t group; /* blocks that are worked on at a time */
    bool apart;   /* each by one thread */
    spread *spread;
    size_t chunk_rows, ring; /* rows of a chunk; rows of cells */
    double *load;            /* [chunks + 1] what the chunks before cost */
    transpose *transpose;
    size_t row_pitch;      /* modes along x, and a little, in the planes */
    size_t slab, plane;    /* complex numbers of a row, and of a vector, of the planes */
    float complex *planes; /* [group][SPREAD_VECTORS][y.fine + 2 y.ghost][z.modes][row_pitch] */
    float complex *rest;   /* [n_point][SPREAD_VECTORS]: the values of a last, partial block */
    struct nufft_scratch *scratch; /* [threads] */
    size_t bytes;
};

/* Rows and columns with their ghosts. */
static inline size_t nufft_cells(const struct nufft_axis *axis) {
    return axis->fine + 2 * axis->ghost;
}

/* Numbers of a line in scratch, and of a row in the planes: whole cache lines, an odd number of
 * them. */
size_t nufft_pitch(size_t n);

/* Choose fine, ghost, width and beta of the axes, whose modes are given (and width 1 where one is
 * absent). False when no grid keeps the tolerance with planes that fit the memory. */
bool nufft_choose_grid(struct nufft_axis axis[3], double tolerance, size_t n_point, size_t memory);

/* Nanoseconds of a block of vectors, estimated, of so many points and rows of the fine grid: all,
 * or those of a chunk (the transforms along y, which chunks have no part in, aside). */
double nufft_cost(const struct nufft_axis axis[3], size_t n_point, double rows);

/* First of the chunks, counted through n blocks, that are the work of a thread. */
size_t nufft_share(const nfsar_nufft_plan *plan, size_t n, size_t thread, size_t threads);

/* Bytes of the planes of one block of vectors. */
size_t nufft_plane_bytes(const struct nufft_axis axis[3]);

#endif
