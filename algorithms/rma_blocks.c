/* How much of everything is in memory at a time. */
#include "algorithms/nurma_plan.h"

#include <math.h>
#include <stdlib.h>

/* Bytes read from a source in one piece, of which two are in memory. */
#define READ_BYTES ((size_t)8 << 20)

/* Cycles, about: a term of a direct sum over frequencies, for one wave and depth; putting a term on
 * the grid of a fast sum; a number of its transform. */
#define DIRECT_CYCLES    0.25
#define SPREAD_CYCLES    60.0
#define TRANSFORM_CYCLES 6.0

/* Most depths whose sums a thread makes at a time: a tile of them stays in the first-level cache,
 * and the waves, which turn from depth to depth by what is rounded to 2e-7, stay right. */
enum { MOST_CHUNK = 96, PRECISE_CHUNK = 24 };

static size_t at_least_one(size_t n) {
    return n > 0 ? n : 1;
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static double tangent_squared(double sine) {
    return sine * sine / (1.0 - sine * sine);
}

/* The fewest depths from which a slab of n can be made: k_z of the waves that are kept lies between
 * that of the most oblique at the lowest frequency and 2k of the highest. */
static enum nfsar_status thin_depths(nfsar_rma_plan *plan, size_t n, nfsar_error *error) {
    double oblique = 1.0 / (1.0 + tangent_squared(plan->x.end) + tangent_squared(plan->y.end));
    double cosine = sqrt(fmax(oblique, RMA_SMALLEST_COSINE_SQUARED));
    double low = 2.0 * plan->k_min * cosine, high = 2.0 * plan->k_max;
    double step = n > 1 ? plan->side * plan->grid.z.step : 0.0;
    double *depth = malloc(n * sizeof *depth);
    exponentials_destroy(plan->depth);
    plan->depth = NULL;
    for (size_t i = 0; depth != NULL && i < n; i++) {
        depth[i] = step * ((double)i - 0.5 * (double)(n - 1));
    }
    if (depth != NULL) {
        plan->depth = exponentials_create(depth, n, 0.5 * (high - low), rma_thinning(plan),
                                          EXPONENTIALS_UNIFORM);
    }
    free(depth);
    if (plan->depth == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu depths", n);
    }
    const exponentials *made = plan->depth;
    plan->z_slab = n;
    plan->middle_k_z = 0.5 * (low + high);
    plan->k_z = made->exact ? 0.0 : plan->middle_k_z;
    plan->first = made->node[0];
    plan->depth_step = made->n_node > 1 ? (made->node[made->n_node - 1] - made->node[0]) /
                                              (double)(made->n_node - 1)
                                        : 0.0;
    return NFSAR_OK;
}

/* As many depths as fit `room` bytes. */
static enum nfsar_status choose_slab(nfsar_rma_plan *plan, size_t room, nfsar_error *error) {
    size_t each = plan->y.bins * plan->grid_width * sizeof(float complex);
    size_t most = at_least_one(room / each);
    size_t n = nurma_line_slab(plan);
    enum nfsar_status status = thin_depths(plan, n, error);
    while (status == NFSAR_OK && plan->depth->n_node > most) {
        size_t next = n * most / plan->depth->n_node;
        n = at_least_one(next < n ? next : n - 1);
        status = thin_depths(plan, n, error);
    }
    return status;
}

static bool sum_is_direct(const nfsar_rma_plan *plan) {
    double waves = (double)plan->k_block, depths = (double)plan->depth->n_node;
    return DIRECT_CYCLES * waves * depths <=
           SPREAD_CYCLES * waves + 2.0 * TRANSFORM_CYCLES * depths;
}

/* Numbers of scratch of all threads, before the blocks are known. */
static size_t scratch_numbers(const nfsar_rma_plan *plan) {
    const struct rma_axis *x = &plan->x, *y = &plan->y;
    size_t columns = RMA_TILE * (rma_pitch(y->length) + rma_pitch(y->bins) + y->length);
    size_t rows = smaller(MOST_CHUNK, plan->grid.z.count) * rma_pitch(x->length);
    return (size_t)plan->threads * (rma_pitch(x->length) + columns + rows);
}

size_t rma_cube(const nfsar_rma_plan *plan) {
    size_t planes = plan->nurma != NULL ? SPREAD_VECTORS * plan->nurma->layer.count
                                        : plan->k_block * plan->lattice->n_shift;
    return planes * plan->cell_width * plan->y.n;
}

/* Bytes that one frequency takes, and what positions that are no lattice take whatever the
 * frequencies. */
static size_t frequency_bytes(const nfsar_rma_plan *plan, size_t *fixed) {
    size_t unit = sizeof(float complex), plane = plan->x.width * plan->y.bins * unit;
    if (plan->nurma == NULL) {
        *fixed = 0;
        return plane + plan->lattice->n_shift * plan->cell_width * plan->y.n * unit;
    }
    *fixed = rma_cube(plan) * unit + nurma_bytes(plan);
    return (plan->nurma->offsets == NFSAR_OFFSETS_EXACT ? 2 : 1) * plane +
           plan->capture->n_pulse * plan->capture->array.n_channel * unit;
}

enum nfsar_status rma_size_blocks(nfsar_rma_plan *plan, nfsar_error *error) {
    size_t unit = sizeof(float complex);
    size_t budget = plan->options.memory > 0 ? plan->options.memory : (size_t)2 << 30;
    size_t n_channel = plan->capture->array.n_channel;
    plan->cell_width =
        plan->nurma != NULL ? plan->x.width : larger(rma_pitch(plan->x.n), plan->x.width);
    /* An odd number of cache lines: columns then spread over all sets of the caches. */
    plan->grid_width = (plan->grid.x.count + 7) / 8 * 8;
    plan->grid_width += plan->grid_width / 8 % 2 == 0 ? 8 : 0;
    size_t slice = plan->y.bins * plan->grid_width * unit, positions = 0;
    size_t frequency = frequency_bytes(plan, &positions);
    size_t fixed = scratch_numbers(plan) * unit + positions;
    size_t least = fixed + frequency + slice;
    if (least > budget) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY,
                          "range migration to this grid needs a spectrum of %zu x %zu waves and "
                          "%.3g GiB, allowed are %.3g: give a smaller grid (coordinates are "
                          "metres), one farther from "
                          "the antennas%s",
                          plan->x.bins, plan->y.bins, (double)least / 0x1p30,
                          (double)budget / 0x1p30,
                          plan->nurma != NULL ? ", or a larger tolerance" : "");
    }
    /* All frequencies where they fit beside one depth; the depths take what is left, or half. */
    size_t rest = budget - fixed;
    plan->k_block = smaller(plan->n_wave, at_least_one(rest / 2 / frequency));
    if (plan->nurma != NULL) {
        plan->nurma->pitch = (plan->k_block + SPREAD_VECTORS - 1) / SPREAD_VECTORS * SPREAD_VECTORS;
    }
    size_t taken = plan->k_block * frequency;
    enum nfsar_status status = choose_slab(plan, rest > taken ? rest - taken : 0, error);
    if (status != NFSAR_OK) {
        return status;
    }
    size_t nodes = plan->depth->n_node;
    size_t most = plan->options.tolerance < 5e-5 ? PRECISE_CHUNK : MOST_CHUNK;
    size_t chunks = (nodes + most - 1) / most;
    plan->chunk = (nodes + chunks - 1) / chunks;
    if (!sum_is_direct(plan)) {
        plan->to_depth = depthsum_create(plan->k_block, plan->depth->n_node,
                                         plan->options.tolerance, DEPTHSUM_NUFFT);
        plan->chunk = plan->depth->n_node;
        if (plan->to_depth == NULL) {
            return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
        }
    }
    size_t samples = plan->thin->exact ? plan->k_block : plan->capture->n_sample;
    size_t line = n_channel * samples * unit;
    plan->pulse_block =
        smaller(plan->capture->n_pulse, at_least_one(smaller(READ_BYTES, budget / 16) / line));
    return NFSAR_OK;
}
