/* What a pair of planar.h consists of: planar_size.c makes it, planar.c runs it. */
#ifndef NFSAR_ALGORITHMS_SPARSE_PLANAR_PLAN_H
#define NFSAR_ALGORITHMS_SPARSE_PLANAR_PLAN_H

#include <nfsar/nufft.h>

#include "algorithms/exponentials.h"
#include "algorithms/sparse/planar.h"
#include "algorithms/transform.h"

/* Frequencies that go through the non-uniform transform together. */
enum { PLANAR_BLOCK = 16 };

/* The waves along one axis. */
struct planar_axis {
    size_t count;        /* voxels */
    size_t length;       /* of their transform; 1 for a single voxel */
    size_t bins, half;   /* waves: bin i has k = (i - half) step */
    double step;         /* rad/m */
    double inner, outer; /* tangents between which the waves fade */
    size_t *place;       /* [bins] in the transform */
    fftwf_plan up, down; /* NULL for length 1 */
};

struct planar {
    nfsar_grid grid;
    int threads;
    size_t n_line, n_sample;
    double *wavenumber;   /* [n_sample] */
    double plane, side;   /* z; +1 when the grid lies toward larger z */
    double cosine;        /* of the steepest wave */
    double *path;         /* [n_line] of the baselines, metres */
    double *away;         /* [n_line] from the plane toward the grid */
    exponentials *planes; /* NULL: all positions in the plane */
    struct planar_axis x, y;
    nfsar_nufft_plan *nufft;
    float complex *spectrum; /* [z][y.length][x.length] */
    float complex *modes;    /* [PLANAR_BLOCK][y.bins][x.bins] */
    float complex *values;   /* [n_line][PLANAR_BLOCK] */
    size_t work_size;
    float complex *work; /* [threads][work_size] */
    double *kz;          /* [threads][x.bins] */
};

/* Carrier that is taken out of a line for its offset, rad/m. */
static inline double planar_carrier(const struct planar *planar, double wavenumber) {
    return wavenumber * (1.0 + planar->cosine);
}

#endif
