/* What a pair of planar.h consists of: planar_size.c and planar_patches.c make it, planar_waves.c
 * goes between volumes and waves, planar_lines.c between lines of samples and frequencies,
 * planar.c runs them. */
#ifndef NFSAR_ALGORITHMS_SPARSE_PLANAR_PLAN_H
#define NFSAR_ALGORITHMS_SPARSE_PLANAR_PLAN_H

#include <nfsar/geometry.h>
#include <nfsar/nufft.h>

#include "algorithms/exponentials.h"
#include "algorithms/sparse/planar.h"
#include "algorithms/transform.h"

/* Frequencies that go through the non-uniform transform together. */
enum { PLANAR_BLOCK = 16 };

/* Of the non-uniform transforms, planes and frequencies; the pair is exact whatever they are. */
#define PLANAR_TOLERANCE 1e-4

struct planar_extent {
    double low, high;
};

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

/* A box of the grid, with a compensation of its own for transmitters and receivers apart. */
struct planar_part {
    size_t first_x, first_y, first_z; /* voxels of the whole grid */
    nfsar_grid grid;
    struct planar_axis x, y;
    double *path;         /* [n_line] of the baselines, metres */
    double cosine;        /* of the steepest wave */
    size_t least_planes;  /* 0: all positions in the plane; else there will be so many at least */
    exponentials *planes; /* NULL: all positions in the plane, or not made yet */
    nfsar_nufft_plan *nufft;
};

/* Antennas as they are used: phase centres place[3][n_line]. */
struct planar_antennas {
    nfsar_vec3 *tx, *rx; /* [n_line] */
    double *place[3];
    struct planar_extent at[3]; /* of the phase centres */
};

struct planar {
    nfsar_grid grid;
    int threads;
    size_t n_line, n_sample;
    double plane, side; /* z; +1 when the grid lies toward larger z */
    double near, far;   /* depths between positions and voxels */
    double *away;       /* [n_line] from the plane toward the grid */

    /* Few frequencies that stand for all of them, for the ranges there are. */
    double *wavenumber; /* [n_sample] */
    double k_min, k_max;
    size_t n_wave;
    double *wave;         /* [n_wave] their k */
    float *weight;        /* [n_wave][n_sample], NULL where they are the samples' own */
    float complex *range; /* [n_wave + n_sample] what the middle range turns them by */
    float complex *lines; /* [n_line][n_wave], NULL likewise */

    size_t n_part;
    struct planar_part *part;

    float complex *spectrum; /* [z][y.length][x.length] */
    float complex *modes;    /* [PLANAR_BLOCK][y.bins][x.bins] */
    float complex *values;   /* [n_line][PLANAR_BLOCK] */
    size_t work_size;
    float complex *work; /* [threads][work_size] */
};

/* Carrier that is taken out of a line for its offset, rad/m. */
static inline double planar_carrier(const struct planar_part *part, double wavenumber) {
    return wavenumber * (1.0 + part->cosine);
}

static inline size_t planar_part_planes(const struct planar_part *part) {
    return part->planes != NULL      ? part->planes->n_node
           : part->least_planes != 0 ? part->least_planes
                                     : 1;
}

/* One plane of positions, and a block of frequencies. */
struct planar_pass {
    const struct planar_part *part;
    size_t first, n; /* frequencies */
    double offset;   /* of the plane */
    bool back;       /* from samples to the volume */
};

static inline struct planar_extent planar_extent_of(const nfsar_axis *axis) {
    return (struct planar_extent){axis->start, nfsar_axis_end(axis)};
}

/* Bytes that a pair may hold. */
#define PLANAR_MOST_BYTES (4.0 * 1024.0 * 1024.0 * 1024.0)

/* Between spectrum and modes. */
void planar_pass_waves(const struct planar *planar, const struct planar_pass *pass);
/* Complex numbers of a thread for that. */
size_t planar_waves_work(const struct planar_part *part);
/* The part of a volume into spectrum, transformed, or back out of it. */
void planar_lift(const struct planar *planar, const struct planar_part *part,
                 const float complex *image);
void planar_drop(const struct planar *planar, const struct planar_part *part, float complex *image);

/* The few frequencies; lines[n_line][n_wave] to all samples, or back. */
enum nfsar_status planar_choose_waves(struct planar *planar, const struct planar_antennas *antennas,
                                      nfsar_error *error);
void planar_to_samples(const struct planar *planar, float complex *samples);
void planar_from_samples(const struct planar *planar, const float complex *samples);

/* Boxes of the grid that one compensation each will do for. */
enum nfsar_status planar_cut_parts(struct planar *planar, const struct planar_antennas *antennas,
                                   nfsar_error *error);
/* part->path, for the middle of its box. */
enum nfsar_status planar_compensate_part(const struct planar *planar,
                                         const struct planar_antennas *antennas,
                                         struct planar_part *part, nfsar_error *error);
void planar_release_part(struct planar_part *part);

#endif
