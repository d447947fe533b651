/* Range migration of positions that are no lattice: what it adds to a plan of rma_plan.h.
 *
 * Every phase centre is spread onto a fine lattice in x and y, and onto layers of depth
 * (spread.h). The lattice's transform over the kernel's is S(k_x, k_y, k) of each layer, and the
 * layers make sum_l s_l exp(+j k_z d_l) for the k_z of each wave: a non-uniform transform of three
 * dimensions, whose third is wanted at one k_z for every wave and frequency
 * (docs/theory/irregular.md). nurma_size.c chooses lattice and layers, nurma_spectrum.c runs them.
 */
#ifndef NFSAR_ALGORITHMS_NURMA_PLAN_H
#define NFSAR_ALGORITHMS_NURMA_PLAN_H

#include <nfsar/nurma.h>

#include "algorithms/gridding.h"
#include "algorithms/rma_plan.h"
#include "algorithms/spread.h"

struct nurma_range {
    double low, high;
};

/* Coefficients of the polynomial for one over the kernel's transform. */
enum { NURMA_TERMS = 12 };

/* Tiles of waves that a column's sums over the layers take for each row. */
enum { NURMA_TILES = 5 };

struct nurma {
    enum nfsar_offsets offsets;
    double tolerance;            /* of the whole image */
    double plane;                /* z; offsets count from it toward the grid */
    nfsar_lattice lattice;       /* the fine one */
    double *place[3];            /* [n_line] x, y and z of the phase centres */
    struct nurma_range x, y;     /* of them */
    struct nurma_range antennas; /* z of the phase centres */
    struct nurma_range z;        /* the same, as far as the method knows it */
    struct nurma_range away;     /* their offsets from the plane */
    double fraction; /* of 2k that is taken out of a line for its offset: between boresight's k_z
                        and the most oblique wave's */
    double sigma;    /* fine lattice over the bins wanted */
    double sigma_z;  /* the same of the layers */
    struct gridding kernel;   /* along x and y */
    struct spread_axis layer; /* offsets; count 1 when no wave needs its own */
    /* One over the transform of the layers' kernel, and its derivative by k_z, metres: polynomials
     * in
     * ((k_z - 2k fraction) / band)^2, of which the second is times that ratio. */
    float inverse[NURMA_TERMS], slope[NURMA_TERMS];
    double band;
    double centre;    /* depth of the slab's middle below the plane, for a line of positions */
    float *amplitude; /* [n_line] weights of the lines of samples but for that */
    struct spread *spread;
    const uint32_t *rank;    /* where the values of a line lie */
    size_t pitch;            /* numbers between the values of two lines */
    float complex *values;   /* [n_line][pitch] */
    float complex *cells;    /* [threads][spread_cells()] */
    struct rma_tile *column; /* [threads][NURMA_TILES][y.bins] sums over the layers */
};

/* The phase centres: bounds, plane and offsets. Refuses what has no aperture. */
enum nfsar_status nurma_bounds(nfsar_rma_plan *plan, nfsar_error *error);

/* About how long one processor takes. */
double nurma_seconds(const nfsar_rma_plan *plan);

/* Largest phase error of compensation at boresight, over all positions and the grid's corners. */
double nurma_boresight_error(const nfsar_rma_plan *plan);

/* What compensation at boresight leaves of the path there and back between a position `away` before
 * its plane and a target `aside` and `depth` from the position's place in the plane: metres. */
double nurma_boresight_residue(double away, double aside, double depth);

/* Most slices of a slab for which the amplitudes of a line of positions are right (nurma_line.c);
 * all of them where positions are no line. */
size_t nurma_line_slab(const nfsar_rma_plan *plan);

/* Weigh the lines for the slab that begins with slice first_z; false when that changes nothing, so
 * that the spectrum stays what it was. */
bool nurma_line_weigh(nfsar_rma_plan *plan, size_t first_z);

/* Widen the margin where the grid or the scan is narrow, once the reaches are known. */
void nurma_choose_margin(nfsar_rma_plan *plan);

/* How much of 2k is taken out of each line, once the reaches are known. */
void nurma_choose_fraction(nfsar_rma_plan *plan);

/* Length, step and places of one axis whose padded aperture is `period` metres or more. */
enum nfsar_status nurma_size_axis(nfsar_rma_plan *plan, struct rma_axis *axis, bool is_y,
                                  double period, nfsar_error *error);

/* The layers, once the ends of the spectrum are known. */
enum nfsar_status nurma_size_layers(nfsar_rma_plan *plan, nfsar_error *error);

/* The path that is taken out of one pair's samples, metres, and their weight; see rma_line. */
void nurma_line(const nfsar_rma_plan *plan, nfsar_vec3 tx, nfsar_vec3 rx, struct rma_line *line);

/* Sort the phase centres and allocate; nurma_bytes(): what the sorted centres take. */
enum nfsar_status nurma_prepare(nfsar_rma_plan *plan, nfsar_error *error);
size_t nurma_bytes(const nfsar_rma_plan *plan);

/* Keep the n frequencies of `count` lines from `line` on: from[m * pitch + l]. */
void nurma_keep(nfsar_rma_plan *plan, size_t line, size_t count, const float complex *from,
                size_t pitch, size_t n);

/* From the values kept to the spectrum of n frequencies, as rma_spectrum(). */
void nurma_spectrum(nfsar_rma_plan *plan, size_t first, size_t n);

void nurma_release(struct nurma *nurma);

#endif
