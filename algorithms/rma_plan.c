#include "algorithms/rma_plan.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

nfsar_rma_options nfsar_rma_defaults(void) {
    return (nfsar_rma_options){
        .compensation = NFSAR_COMPENSATION_REFERENCE_POINT,
        .reference = {NAN, NAN, NAN},
        .frequency_window = NFSAR_WINDOW_RECTANGULAR,
        .aperture_window = NFSAR_WINDOW_RECTANGULAR,
        .tolerance = 1e-4,
        .margin = 3.0,
    };
}

/* Aperture window of every place of every shifted lattice, by where it is: places at the ends lie
 * half a step inside the window. */
static void fill_taper(struct rma_axis *axis, const nfsar_lattice *lattice, bool is_y,
                       enum nfsar_window window, double *position) {
    const nfsar_lattice_axis *places = is_y ? &lattice->y : &lattice->x;
    double low = 0.0, high = 0.0;
    rma_shift_range(lattice, is_y, &low, &high);
    double span = high - low + places->step * (double)(places->count - 1) + axis->place;
    for (size_t s = 0; s < lattice->n_shift; s++) {
        double shift = is_y ? lattice->shift[s].y : lattice->shift[s].x;
        for (size_t i = 0; i < axis->n; i++) {
            double at = shift - low + places->step * (double)i + 0.5 * axis->place;
            position[s * axis->n + i] = span > 0.0 ? at / span : 0.5;
        }
    }
    nfsar_window_taper_at(window, position, lattice->n_shift * axis->n, axis->taper);
}

static enum nfsar_status fill_axis(struct rma_axis *axis, const nfsar_lattice *lattice, bool is_y,
                                   const nfsar_axis *grid, enum nfsar_window window,
                                   nfsar_error *error) {
    const nfsar_lattice_axis *places = is_y ? &lattice->y : &lattice->x;
    double *position = malloc(lattice->n_shift * axis->n * sizeof *position);
    axis->taper = malloc(lattice->n_shift * axis->n * sizeof *axis->taper);
    axis->ramp = malloc(lattice->n_shift * axis->bins * sizeof *axis->ramp);
    axis->to_grid = chirpz_create(axis->bins, -(long)axis->half, grid->count,
                                  grid->count > 1 ? axis->step * grid->step : 0.0);
    if (position == NULL || axis->taper == NULL || axis->ramp == NULL || axis->to_grid == NULL) {
        free(position);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for the spectrum's tables");
    }
    fill_taper(axis, lattice, is_y, window, position);
    free(position);
    for (size_t s = 0; s < lattice->n_shift; s++) {
        double shift = is_y ? lattice->shift[s].y : lattice->shift[s].x;
        for (size_t i = 0; i < axis->bins; i++) {
            double k = axis->step * ((double)i - (double)axis->half);
            double phase = fmod(k * (places->first + shift - grid->start), 2.0 * NFSAR_PI);
            axis->ramp[s * axis->bins + i] = (float)cos(phase) - (float)sin(phase) * I;
        }
    }
    return NFSAR_OK;
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static enum nfsar_status allocate(nfsar_rma_plan *plan, nfsar_error *error) {
    size_t plane = plan->x.bins * plan->y.bins;
    size_t n_channel = plan->capture->array.n_channel;
    size_t forward = rma_forward_scratch(plan);
    size_t focus =
        rma_pitch(plan->k_block) + RMA_TILE * plan->z_slab + depthsum_scratch(plan->to_depth);
    size_t back = larger(chirpz_scratch(plan->x.to_grid), chirpz_scratch(plan->y.to_grid)) +
                  RMA_TILE * plan->y.bins + RMA_TILE * plan->grid.y.count;
    plan->scratch_size = rma_pitch(larger(larger(forward, focus), back));
    size_t threads = (size_t)plan->threads;
    plan->tx = malloc(n_channel * sizeof *plan->tx);
    plan->rx = malloc(n_channel * sizeof *plan->rx);
    plan->line = malloc(plan->pulse_block * n_channel * sizeof *plan->line);
    plan->samples = transform_alloc(plan->pulse_block * n_channel * plan->k_block);
    plan->cube = transform_alloc(plan->k_block * plan->lattice->n_shift * plan->x.n * plan->y.n);
    plan->spectrum = transform_alloc(plan->k_block * plane);
    plan->depths = transform_alloc(plan->z_slab * plane);
    plan->rows = transform_alloc(plan->y.bins * plan->grid.x.count);
    plan->scratch = transform_alloc(threads * plan->scratch_size);
    plan->scratch_t = malloc(threads * plan->k_block * sizeof *plan->scratch_t);
    plan->row_transform = transform_plan(plan->x.length, 1, plan->x.pitch, FFTW_FORWARD);
    plan->column_transform = transform_plan(plan->y.length, RMA_TILE, plan->y.pitch, FFTW_FORWARD);
    if (plan->tx == NULL || plan->rx == NULL || plan->line == NULL || plan->samples == NULL ||
        plan->cube == NULL || plan->spectrum == NULL || plan->depths == NULL ||
        plan->rows == NULL || plan->scratch == NULL || plan->scratch_t == NULL ||
        plan->row_transform == NULL || plan->column_transform == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY,
                          "out of memory for a spectrum of %zu x %zu waves, %zu frequencies and "
                          "%zu depths",
                          plan->x.bins, plan->y.bins, plan->k_block, plan->z_slab);
    }
    return NFSAR_OK;
}

static enum nfsar_status prepare(nfsar_rma_plan *plan, nfsar_error *error) {
    enum nfsar_status status = rma_size(plan, error);
    if (status == NFSAR_OK) {
        status = fill_axis(&plan->x, plan->lattice, false, &plan->grid.x,
                           plan->options.aperture_window, error);
    }
    if (status == NFSAR_OK) {
        status = fill_axis(&plan->y, plan->lattice, true, &plan->grid.y,
                           plan->options.aperture_window, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    plan->to_depth =
        depthsum_create(plan->k_block, plan->z_slab, plan->options.tolerance, DEPTHSUM_AUTO);
    if (plan->to_depth == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    return allocate(plan, error);
}

/* A plan without sizes, tables or scratch. */
static void begin(nfsar_rma_plan *plan, const nfsar_capture *capture, const nfsar_lattice *lattice,
                  const nfsar_grid *grid, const nfsar_rma_options *options) {
    memset(plan, 0, sizeof *plan);
    plan->capture = capture;
    plan->lattice = lattice;
    plan->grid = *grid;
    plan->options = options != NULL ? *options : nfsar_rma_defaults();
    plan->threads = plan->options.threads > 0 ? plan->options.threads : omp_get_num_procs();
}

static void free_axis(struct rma_axis *axis) {
    free(axis->taper);
    free(axis->ramp);
    chirpz_destroy(axis->to_grid);
}

static void release(nfsar_rma_plan *plan) {
    free_axis(&plan->x);
    free_axis(&plan->y);
    depthsum_destroy(plan->to_depth);
    free(plan->wavenumber);
    free(plan->frequency_taper);
    free(plan->tx);
    free(plan->rx);
    free(plan->line);
    fftwf_free(plan->samples);
    fftwf_free(plan->cube);
    fftwf_free(plan->spectrum);
    fftwf_free(plan->depths);
    fftwf_free(plan->rows);
    fftwf_free(plan->scratch);
    free(plan->scratch_t);
    transform_destroy(plan->row_transform);
    transform_destroy(plan->column_transform);
}

enum nfsar_status nfsar_rma_check(const nfsar_capture *capture, const nfsar_lattice *lattice,
                                  const nfsar_grid *grid, const nfsar_rma_options *options,
                                  nfsar_error *error) {
    nfsar_rma_plan plan;
    begin(&plan, capture, lattice, grid, options);
    enum nfsar_status status = rma_size(&plan, error);
    release(&plan);
    return status;
}

enum nfsar_status nfsar_rma_plan_create(const nfsar_capture *capture, const nfsar_lattice *lattice,
                                        const nfsar_grid *grid, const nfsar_rma_options *options,
                                        nfsar_rma_plan **plan, nfsar_error *error) {
    *plan = NULL;
    nfsar_rma_plan *made = malloc(sizeof *made);
    if (made == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    begin(made, capture, lattice, grid, options);
    enum nfsar_status status = prepare(made, error);
    if (status != NFSAR_OK) {
        nfsar_rma_plan_destroy(made);
        return status;
    }
    *plan = made;
    return NFSAR_OK;
}

void nfsar_rma_plan_destroy(nfsar_rma_plan *plan) {
    if (plan != NULL) {
        release(plan);
        free(plan);
    }
}
