/* What the parts of cylindrical imaging share (docs/theory/cylindrical.md).
 *
 * csar_size.c chooses sizes, csar_nodes.c the few frequencies that stand for all, csar_place.c
 * brings the samples onto angles and heights, csar_waves.c makes plane waves of them, csar_polar.c
 * brings those of one k_y to the grid's x and z, csar_rise.c goes from k_y to y, csar.c runs them.
 *
 * Orders: n counts periods of the angle, k_y radians along the axis. The k_y come in `n_residue`
 * sets, k_y = (q n_residue + r) k_y_step: each set is a coarse spectrum of its own whose transforms
 * are short, and what a set makes of the image is added up. */
#ifndef NFSAR_ALGORITHMS_CSAR_PLAN_H
#define NFSAR_ALGORITHMS_CSAR_PLAN_H

#include <nfsar/csar.h>

#include "algorithms/gridding.h"
#include "algorithms/taps.h"
#include "algorithms/transform.h"

/* Lines side by side where data change their order: 64 bytes. */
enum { CSAR_TILE = 8 };

/* Nodes that are made of a line's samples together: their sums stay in registers. */
enum { CSAR_NODES = 16 };

/* Distinct lengths of the transforms from orders to angles of waves. */
enum { CSAR_LENGTHS = 6 };

/* One line of samples: a pair of antennas at one pulse. */
struct csar_line {
    double path;     /* extra path that is taken out, metres */
    float round, up; /* place under the kernels' first weights, see taps_first() */
    uint32_t column; /* grid point of the angle */
    uint32_t row;    /* of the height */
    uint32_t class;  /* whose weights make its nodes */
};

/* Pairs that share their weights. */
struct csar_class {
    double square; /* |d_perp|^2 */
    double along;  /* of that, what lies along the baselines' common direction */
};

/* From waves to a uniform axis of voxels, by the kernel. */
struct csar_lateral {
    size_t count, length; /* voxels; the transform's */
    double middle;        /* voxel count / 2, from the axis, metres */
    double step;
    float *correction; /* [count] one over the kernel's transform */
    fftwf_plan plan;
};

struct nfsar_csar_plan {
    const nfsar_capture *capture;
    nfsar_cylinder cylinder;
    nfsar_grid grid;
    nfsar_csar_options options;
    int threads;
    double *wavenumber; /* [n_sample] k */
    float *taper;       /* [n_sample] */
    double k_min, k_max;

    double farthest;     /* voxel from the axis */
    double near, far;    /* ranges between phase centres and voxels */
    double rise;         /* largest difference of their heights */
    double off;          /* largest distance of a phase centre from the cylinder */
    double widest;       /* largest |d_perp|^2 that is compensated at every range */
    double level, erect; /* sums of the baselines' squares along the angle and along y */
    nfsar_vec3 reference;

    /* 2k of the waves, and what makes them of the samples. */
    size_t n_node, node_pitch;
    double *node;
    size_t n_class;
    struct csar_class *class; /* [n_class] */
    /* What a pair has over its midpoint depends on the wave's direction as well: on its slope
     * along the baselines, (k_y / 2k)^2 of upright ones, (n / R0 2k)^2 of level ones. The second
     * term of the weights is the derivative by the square of that k, at `slope`. */
    size_t n_term; /* 1 or 2 */
    bool upright;
    double slope;       /* (rad/m)^2 */
    double slope_phase; /* largest phase by which waves differ from those of that slope */
    double middling;    /* that slope as the square of a sine */
    float *to_nodes;    /* [n_class][n_sample][n_term][2][node_pitch] */

    /* The end of the spectrum: full up to the angle `full`, nothing from `end` on. */
    double full, end;

    /* Angles. */
    bool lattice; /* they are multiples of 2 pi / n_angle from `first_angle` */
    double first_angle;
    size_t n_angle;   /* grid points of a turn */
    size_t angle_row; /* numbers in a row of them, with room for the kernel */
    struct taps around;
    size_t orders;   /* n runs from -orders to orders */
    float *of_order; /* [orders + 1] one over the kernel's transform */
    fftwf_plan turn;

    /* Heights. */
    double fine_step; /* of the grid that they are spread on */
    double fine_first;
    size_t n_fine;
    struct taps upward;
    size_t rise_length; /* of the transform of one set */
    fftwf_plan climb;

    /* k_y. */
    double k_y_step;
    size_t n_residue;
    size_t bins;        /* of the largest set */
    long half;          /* the k_y are those from -half to half steps */
    size_t down_length; /* of the transform to the grid's heights */
    fftwf_plan down;
    float *of_rise; /* [half + 1] one over the kernel's transform along y */

    /* Waves round the axis. */
    size_t n_length;
    size_t length[CSAR_LENGTHS]; /* ascending */
    fftwf_plan to_angles[CSAR_LENGTHS];
    double *direction[CSAR_LENGTHS]; /* [2][length] cosines, sines */
    struct taps across;
    struct csar_lateral x, z;

    size_t group;       /* nodes in memory at a time */
    size_t pulse_block; /* read at a time */
    struct csar_line *line;
    float complex *samples; /* [pulse_block][n_channel][n_sample] */
    float complex *values;  /* [group][n_term][lines] */
    float complex *rows;    /* [threads][n_fine][angle_row] */
    float complex *turned;  /* [group][n_term][2 orders + 1][n_fine] */
    float complex *waves;   /* [bins][group][n_term][2 orders + 1] */
    float complex *slices;  /* [bins][slice_pitch]: z.count x.count numbers and some */
    size_t work_size;
    float complex *work; /* [threads][work_size] */
    size_t bytes;
};

/* n rounded up to whole cache lines. */
static inline size_t csar_pitch(size_t n) {
    return (n + CSAR_TILE - 1) / CSAR_TILE * CSAR_TILE;
}

/* Numbers from a slice to the next: an odd number of cache lines, so that a column of slices does
 * not lie in one set of the caches. */
static inline size_t csar_slice_pitch(const nfsar_csar_plan *plan) {
    return (csar_pitch(plan->x.count * plan->z.count) / CSAR_TILE | 1) * CSAR_TILE;
}

static inline size_t csar_lines(const nfsar_csar_plan *plan) {
    return plan->capture->n_pulse * plan->capture->array.n_channel;
}

/* k_y of step i. */
static inline double csar_k_y(const nfsar_csar_plan *plan, long i) {
    return plan->k_y_step * (double)i;
}

/* The first q of set r, and how many there are: (q n_residue + r) within -half .. half. */
long csar_set(const nfsar_csar_plan *plan, size_t r, size_t *count);

/* Highest order of waves of the horizontal wavenumber k_r that reaches the grid. */
size_t csar_orders(const nfsar_csar_plan *plan, double k_r);

/* What the wave at sine k_y / node keeps: 1, 0 or between. */
double csar_end(const nfsar_csar_plan *plan, double sine);

/* Error that each of the steps may make. */
static inline double csar_share(const nfsar_csar_plan *plan) {
    return 0.6 * plan->options.tolerance;
}

enum nfsar_status csar_size(nfsar_csar_plan *plan, nfsar_csar_report *report, nfsar_error *error);

/* Nodes and weights, once the ranges and classes are known. */
enum nfsar_status csar_nodes(nfsar_csar_plan *plan, nfsar_error *error);

/* How far phase centres are off the cylinder, their heights, the widest baseline. */
enum nfsar_status csar_measure(nfsar_csar_plan *plan, nfsar_error *error);
/* Whether the angles are a lattice, once the grid's distance is known. */
enum nfsar_status csar_find_lattice(nfsar_csar_plan *plan, nfsar_error *error);
/* The lines' classes; and, once all sizes are known, the rest of them. */
enum nfsar_status csar_classify(nfsar_csar_plan *plan, nfsar_error *error);
enum nfsar_status csar_fill_lines(nfsar_csar_plan *plan, nfsar_error *error);

/* Everything up to the sizes; then tables and scratch. */
enum nfsar_status csar_begin(nfsar_csar_plan *plan, const nfsar_capture *capture,
                             const nfsar_cylinder *cylinder, const nfsar_grid *grid,
                             const nfsar_csar_options *options, nfsar_csar_report *report,
                             nfsar_error *error);
enum nfsar_status csar_prepare(nfsar_csar_plan *plan, nfsar_error *error);
void csar_release(nfsar_csar_plan *plan);

/* Read everything and bring the nodes [first, first + n) of all lines onto orders and heights. */
enum nfsar_status csar_place(nfsar_csar_plan *plan, const nfsar_echo_source *source, size_t first,
                             size_t n, nfsar_error *error);
size_t csar_place_work(const nfsar_csar_plan *plan);

/* The waves of set r of the n nodes in memory, and from there its slices. */
void csar_waves(nfsar_csar_plan *plan, size_t r, size_t n);
size_t csar_waves_work(const nfsar_csar_plan *plan);
void csar_slices(nfsar_csar_plan *plan, size_t r, size_t first, size_t n);
size_t csar_slices_work(const nfsar_csar_plan *plan);
/* Scratch of one k_y. */
struct csar_slice_work {
    double complex *hankel;       /* [orders + 1] */
    float complex *factor, *line; /* [orders + 1]; [pitch] orders of one node */
    float complex *angles;        /* [group][pitch] */
    double *k_r;                  /* [group] */
    float complex *cells;         /* and after them what csar_flatten() wants */
    size_t pitch;
};
struct csar_slice_work csar_slice_work(const nfsar_csar_plan *plan, float complex *work);
/* Weyl's factors of the orders 0 to n, which is returned, of one node at step i of k_y, of which
 * `kept` is kept, for transforms of this length; hankel[orders + 1] is scratch. */
size_t csar_factors(const nfsar_csar_plan *plan, long i, double node, double kept, size_t length,
                    double complex *hankel, float complex *factor);
/* By what the slope of order n differs from the middling one; 0 without a second term. */
float csar_slope_of(const nfsar_csar_plan *plan, double k_y, size_t n);
/* What moves the heights of set r to the first set's: ramp[n_fine]. */
void csar_waves_ramp(const nfsar_csar_plan *plan, size_t r, float complex *ramp);
/* Which length the waves of step i of k_y take, and how many nodes have any. */
size_t csar_length_at(const nfsar_csar_plan *plan, long i, size_t *n_node);

/* Add what set r makes of the image. */
void csar_rise(nfsar_csar_plan *plan, size_t r, float complex *image);
size_t csar_rise_work(const nfsar_csar_plan *plan);
/* exp(+j r k_y_step (height of voxel i)), ramp[y.count], and numbers of a column's transform. */
void csar_rise_ramp(const nfsar_csar_plan *plan, size_t r, float complex *ramp);
size_t csar_column_pitch(const nfsar_csar_plan *plan);

/* Waves exp(+j k_r (x cos a + z sin a)) of n_wave wavenumbers, value[n_wave][pitch] of which
 * length[length] are used, added to cells[z.length + some][x.length + some]. */
void csar_spread(const nfsar_csar_plan *plan, const double *k_r, size_t n_wave, size_t length,
                 const float complex *value, size_t pitch, float complex *cells);
size_t csar_cells(const nfsar_csar_plan *plan);
/* From cells to slice[z.count][x.count]. */
void csar_flatten(const nfsar_csar_plan *plan, float complex *cells, float complex *slice,
                  float complex *work);
size_t csar_flatten_work(const nfsar_csar_plan *plan);

#endif
