/* What the parts of range migration share: sizes, tables and scratch of a plan.
 *
 * rma_size.c chooses them, rma_plan.c fills them; rma_place.c puts the samples on the lattice,
 * rma_spectrum.c makes the plane-wave spectrum S(k_x, k_y, k), rma_focus.c sums it at the depths,
 * rma_image.c brings the depths to the grid, rma.c runs them over blocks.
 *
 * Positions that are no lattice are spread onto a fine one, in layers of depth (nurma_plan.h): the
 * places of the axes are then those of the fine lattice. */
#ifndef NFSAR_ALGORITHMS_RMA_PLAN_H
#define NFSAR_ALGORITHMS_RMA_PLAN_H

#include <nfsar/rma.h>

#include "algorithms/depthsum.h"
#include "algorithms/exponentials.h"
#include "algorithms/lateral.h"
#include "algorithms/rma_kernels.h"
#include "algorithms/transform.h"

/* Frequencies of a line that are turned before going on to the next line of a tile: so many stay in
 * the first-level cache. */
enum { RMA_CHUNK = 64 };

/* n rounded up to whole tiles. */
static inline size_t rma_pitch(size_t n) {
    return (n + RMA_TILE - 1) / RMA_TILE * RMA_TILE;
}

/* The same for lines that are transformed one by one but read and written across: an odd number of
 * cache lines, so that numbers side by side do not all want the same place in a cache. */
static inline size_t rma_line_pitch(size_t n) {
    return rma_pitch(n) + RMA_TILE / 2;
}

/* One lateral axis: n lattice places, padded to `length` for the transform, of whose (periodic)
 * spectrum the bins -half .. half are used. */
struct rma_axis {
    bool line;    /* all positions and the grid have one coordinate here: no spectrum */
    double place; /* step of the lattice; of a single place, one that samples the waves */
    double reach; /* largest distance between a place and the grid along this axis */
    size_t n, length;
    size_t half, bins; /* bins = 2 half + 1 */
    size_t width; /* numbers in a row of bins: along y the bins in whole tiles, along x those of
                     k_x >= 0 and then, outward from 0 as well, those of k_x <= 0, each in whole
                     tiles: tiles of either sign share their k_z */
    double step;  /* rad/m between bins */
    double sine;  /* largest sine of the angle between aperture and grid, in the plane of
                     this axis and z */
    double end;   /* sine at which the spectrum has fallen to zero */
    float *taper; /* [n_shift][n] aperture window */
    float complex *ramp; /* [n_shift][width] exp(-j k (lattice origin + shift - grid origin)); 0
                            where no bin is */
    fftwf_plan forward;  /* of one padded line of places; NULL when length is 1 */
    lateral *to_grid;
};

/* What is done to one line of samples. */
struct rma_line {
    size_t cell;  /* where it lies in a plane of the cube */
    double path;  /* extra path that is taken out, metres; with the plan's distance */
    float weight; /* aperture window */
};

/* Most odd Chebyshev polynomials that make up the end of the spectrum. */
enum { RMA_TAPER = 20 };

struct nurma;

struct nfsar_rma_plan {
    const nfsar_capture *capture;
    const nfsar_lattice *lattice;
    nfsar_grid grid;
    nfsar_rma_options options;
    int threads;
    const struct rma_kernels *kernels;
    double side; /* +1 when the grid lies at greater z than the lattice's plane, else -1 */
    double nearest, farthest; /* of the grid's depths from any antenna */
    struct nurma *nurma;      /* positions that are no lattice; NULL */

    double *wavenumber;     /* [n_sample] of the capture */
    float *frequency_taper; /* [n_sample] */
    struct rma_axis x, y;
    struct rma_taper {
        int n;
        float c[RMA_TAPER]; /* 1/2 + sum c_i T_2i+1(2t - 1) */
    } taper;                /* the spectrum's end over its margin, t from 0 to 1 */
    float *oblique;         /* [n_wave][x.width / 2] 1 / sqrt(4k^2 - k_x^2) */
    nfsar_vec3 reference;   /* of the compensation */

    /* As many frequencies as the ranges between places and grid need: 2k of the capture's from 2k
     * of the waves. */
    exponentials *thin;
    size_t n_wave;
    double *wavenumber_of_wave; /* [n_wave] */
    double k_min, k_max;        /* of the waves */
    double distance;            /* middle of those ranges */

    /* As many depths as the waves' k_z need: depths relative to the middle of a slab. */
    exponentials *depth;
    double middle_k_z;        /* of the waves */
    double k_z;               /* the same; 0 when `depth` is exact */
    double first, depth_step; /* of depth's nodes */
    depthsum *to_depth;       /* NULL: summed directly */

    size_t k_block;     /* waves' frequencies in memory at a time */
    size_t z_slab;      /* depths in memory at a time; depth->n_node are summed */
    size_t pulse_block; /* pulses read at a time */
    size_t chunk;       /* depths in a thread's rows at a time */
    size_t cell_width;  /* numbers in a row of the cube: places going in, bins coming out */
    size_t grid_width;  /* numbers in a row of depths */

    struct rma_line *line; /* [n_pulse][n_channel] */
    size_t *leader;        /* [n_shift] first lattice of the same shift along y */

    float complex *samples;  /* [2][pulse_block][n_channel][samples read] */
    float complex *thinned;  /* [k_block][pulse_block * n_channel, rounded up] */
    float complex *cube;     /* [k_block][n_shift][y.n][cell_width], or a few frequencies' layers */
    float complex *spectrum; /* [k_block][y.bins][x.width] */
    float complex *offsets;  /* the same of the positions' offsets from the plane; or NULL */
    float complex *depths;   /* [depth->n_node][y.bins][grid_width] */
    float complex *line_in;  /* [threads][x.length, rounded up], zero beyond the places */
    float complex *columns_in; /* [threads][RMA_TILE][y.length, rounded up], likewise */
    float complex *rows;       /* [threads][chunk][length along x of what goes to the grid] */
    float complex *columns;    /* [threads][RMA_TILE][length along y of that] */
    float complex *factor;     /* [z_slab] what a slice of the image is multiplied by */
    size_t work_size;
    float complex *work; /* [threads][work_size] */
    size_t bytes;        /* all of the arrays above */
};

/* Plane waves closer to grazing than this are left out: their weight grows without bound. */
#define RMA_LARGEST_SINE 0.98

/* Squared cosines of the angles to the plane's normal between which the last waves fade: no wave is
 * kept whose k_z is below the root of the smaller times 2k. */
#define RMA_GRAZING_COSINE_SQUARED  0.05
#define RMA_SMALLEST_COSINE_SQUARED 0.02

/* Error of making the frequencies and the depths out of fewer, each: well below what the tolerance
 * asks, so that neither shows in what is left of the accuracy. */
static inline double rma_thinning(const nfsar_rma_plan *plan) {
    double error = 0.03 * plan->options.tolerance;
    return error > 5e-7 ? error : 5e-7;
}

/* Wavenumbers, sizes, blocks and reference; refuses what cannot be imaged or does not fit. */
enum nfsar_status rma_size(nfsar_rma_plan *plan, nfsar_error *error);

/* Share the memory between depths and frequencies; the last part of rma_size(). */
enum nfsar_status rma_size_blocks(nfsar_rma_plan *plan, nfsar_error *error);

/* Range of the shifts of a lattice along one axis, 0 included. */
void rma_shift_range(const nfsar_lattice *lattice, bool is_y, double *low, double *high);

/* Complex numbers of the cube. */
size_t rma_cube(const nfsar_rma_plan *plan);

/* A plan without sizes, tables or scratch, and one that has been filled as far as that went. */
void rma_begin(nfsar_rma_plan *plan, const nfsar_capture *capture, const nfsar_lattice *lattice,
               const nfsar_grid *grid, const nfsar_rma_options *options);
void rma_release(nfsar_rma_plan *plan);

/* Sizes, tables and scratch. */
enum nfsar_status rma_prepare(nfsar_rma_plan *plan, nfsar_error *error);

/* Sine of the angle at which the spectrum of places and voxels up to `reach` apart ends. A wave
 * that comes at an angle b beyond the angle a of a place and a voxel has turned from its stationary
 * phase by 2k z (1 - cos(b - a)) / cos a: pi M^2 over M Fresnel zones. */
double rma_end(const nfsar_rma_plan *plan, double reach, double margin);

/* Bins that one axis' spectrum keeps to either side at a padded length of `period` metres. */
size_t rma_half(const struct rma_axis *axis, double k_max, double period);

/* The phase centres are not all in one place. */
bool rma_has_aperture(const nfsar_lattice *lattice);

/* Samples of every line that the waves [first, first + n) are made of. */
void rma_samples_for(const nfsar_rma_plan *plan, size_t first, size_t n, size_t *first_sample,
                     size_t *n_sample);

/* Read all pulses and put what the waves' frequencies [first, first + n) need on the lattice. */
enum nfsar_status rma_place(nfsar_rma_plan *plan, const nfsar_echo_source *source, size_t first,
                            size_t n, nfsar_error *error);

/* Complex numbers of work for a tile of lines. */
size_t rma_place_work(const nfsar_rma_plan *plan);

/* From what is on the lattice to the spectrum of n frequencies. */
void rma_spectrum(nfsar_rma_plan *plan, size_t first, size_t n);
size_t rma_spectrum_work(const nfsar_rma_plan *plan);

/* Where bin i - half of a spectrum lies in the period that the transform made. */
size_t rma_wrapped(const struct rma_axis *axis, size_t i);

/* The bins of one transformed row of places, times the ramp, to the two halves of a row of the
 * spectrum. */
void rma_lay_bins(const struct rma_axis *x, const float complex *bins, const float complex *ramp,
                  bool add, float complex *to);

/* A line along y has one column; what the rest of its tile holds is used by nobody. */
static inline size_t rma_columns_used(const struct rma_axis *x) {
    return x->line ? 1 : RMA_TILE;
}

/* Tiles of columns, of either sign of k_x. */
static inline size_t rma_column_tiles(const struct rma_axis *x) {
    return x->line ? 1 : x->width / RMA_TILE;
}

/* A tile of columns of places or cells, [y.n][cell_width], transformed along y: line i of the tile,
 * with rma_line_pitch(y.length) between lines. Returns columns or work, where they are. */
const float complex *rma_columns(const nfsar_rma_plan *plan, const float complex *plane,
                                 float complex *columns, float complex *work);

/* exp(+j 2k distance): what thinning took out of a frequency beyond the paths. */
float complex rma_turn_back(const nfsar_rma_plan *plan, size_t wave);

/* Sum the n frequencies in memory at the depths of the slab that begins with grid slice first_z,
 * and go to the grid along x. `add` to what other frequencies left there. */
void rma_focus(nfsar_rma_plan *plan, size_t first, size_t n, size_t first_z, bool add);
size_t rma_focus_work(const nfsar_rma_plan *plan);

/* To the grid along y, and from the depths that were summed to those wanted: image[z_slab][ny][nx].
 */
void rma_image(nfsar_rma_plan *plan, size_t first_z, float complex *image);
size_t rma_image_work(const nfsar_rma_plan *plan);

#endif
