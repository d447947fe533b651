/* What the parts of the planar range migration share: sizes, tables and scratch of a plan.
 *
 * rma_size.c chooses them, rma_plan.c fills them, rma_spectrum.c goes from samples to the
 * plane-wave spectrum S(k_x, k_y, k), rma_focus.c from there to the image, rma.c runs both over
 * blocks. */
#ifndef NFSAR_ALGORITHMS_RMA_PLAN_H
#define NFSAR_ALGORITHMS_RMA_PLAN_H

#include <nfsar/rma.h>

#include "algorithms/chirpz.h"
#include "algorithms/depthsum.h"
#include "algorithms/transform.h"

/* Columns that are transformed together: a cache line of complex numbers. */
enum { RMA_TILE = 8 };

/* n rounded up to whole cache lines of complex numbers. */
static inline size_t rma_pitch(size_t n) {
    return (n + RMA_TILE - 1) / RMA_TILE * RMA_TILE;
}

/* One lateral axis: n lattice places, padded to `length` for the transform, of whose (periodic)
 * spectrum the bins -half .. half are used. */
struct rma_axis {
    bool line;    /* all positions and the grid have one coordinate here: no spectrum */
    double place; /* step of the lattice; of a single place, one that samples the waves */
    size_t n, length;
    size_t pitch;        /* length rounded up, so that every line starts aligned for FFTW */
    size_t half, bins;   /* bins = 2 half + 1 */
    double step;         /* rad/m between bins */
    double sine;         /* largest sine of the angle between aperture and grid */
    double end;          /* sine at which the spectrum has fallen to zero */
    float *taper;        /* [n_shift][n] aperture window */
    float complex *ramp; /* [n_shift][bins] exp(-j k (lattice origin + shift - grid origin)) */
    chirpz *to_grid;
};

/* What is done to one line of samples. */
struct rma_line {
    uint32_t cell;
    float weight; /* aperture window */
    double path;  /* extra path that is taken out, metres */
};

struct nfsar_rma_plan {
    const nfsar_capture *capture;
    const nfsar_lattice *lattice;
    nfsar_grid grid;
    nfsar_rma_options options;
    int threads;
    double side; /* +1 when the grid lies at greater z than the lattice's plane, else -1 */

    double *wavenumber;     /* [n_sample] */
    float *frequency_taper; /* [n_sample] */
    struct rma_axis x, y;
    depthsum *to_depth;

    size_t k_block;       /* frequencies in memory at a time */
    size_t z_slab;        /* depths in memory at a time */
    size_t pulse_block;   /* pulses read at a time */
    nfsar_vec3 reference; /* of the compensation */
    nfsar_vec3 *tx, *rx;  /* [n_channel] */

    struct rma_line *line;   /* [pulse_block][n_channel] */
    float complex *samples;  /* [pulse_block][n_channel][k_block] */
    float complex *cube;     /* [k_block][n_shift][ny][nx] */
    float complex *spectrum; /* [k_block][y.bins][x.bins] */
    float complex *depths;   /* [z_slab][y.bins][x.bins] */
    float complex *rows;     /* [y.bins][grid x] of one slice */

    size_t scratch_size;         /* complex numbers of scratch for each thread */
    float complex *scratch;      /* [threads][scratch_size] */
    double *scratch_t;           /* [threads][k_block] */
    fftwf_plan row_transform;    /* along x, one lattice row */
    fftwf_plan column_transform; /* along y, RMA_TILE columns */
};

/* Plane waves closer to grazing than this are left out: their weight grows without bound. */
#define RMA_LARGEST_SINE 0.98

/* Wavenumbers, sizes, blocks and reference; refuses what cannot be imaged or does not fit. */
enum nfsar_status rma_size(nfsar_rma_plan *plan, nfsar_error *error);

/* Complex numbers that each thread needs for the forward transform. */
size_t rma_forward_scratch(const nfsar_rma_plan *plan);

/* Range of the shifts of a lattice along one axis, 0 included. */
void rma_shift_range(const nfsar_lattice *lattice, bool is_y, double *low, double *high);

/* The phase centres are not all in one place. */
bool rma_has_aperture(const nfsar_lattice *lattice);

/* Read the frequencies [first, first + n) of all pulses and make their spectrum. */
enum nfsar_status rma_spectrum_load(nfsar_rma_plan *plan, const nfsar_echo_source *source,
                                    size_t first, size_t n, nfsar_error *error);

/* Add the loaded frequencies to the depths [first_z, first_z + z_slab). */
void rma_focus_add(nfsar_rma_plan *plan, size_t first_k, size_t n_k, size_t first_z);

/* Bring n_z depths from the spectrum to the grid: image[n_z][ny][nx]. */
void rma_focus_finish(nfsar_rma_plan *plan, size_t first_z, size_t n_z, float complex *image);

#endif
