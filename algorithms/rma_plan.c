#include "algorithms/rma_plan.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* Plane waves closer to grazing than this are left out: their weight grows without bound. */
#define LARGEST_SINE 0.98

/* Bytes read from a source in one piece. */
#define READ_BYTES ((size_t)64 << 20)

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

/* Depth of the grid's nearest and farthest slice below the lattice's plane. */
static enum nfsar_status find_depths(nfsar_rma_plan *plan, double *nearest, double *farthest,
                                     nfsar_error *error) {
    double first = plan->grid.z.start - plan->lattice->z;
    double last = nfsar_axis_end(&plan->grid.z) - plan->lattice->z;
    if (!(first * last > 0.0)) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "the grid's z from %g to %g m reaches the plane of the antennas at z = "
                          "%g m; range migration needs it on one side",
                          plan->grid.z.start, nfsar_axis_end(&plan->grid.z), plan->lattice->z);
    }
    plan->side = first > 0.0 ? 1.0 : -1.0;
    *nearest = fmin(fabs(first), fabs(last));
    *farthest = fmax(fabs(first), fabs(last));
    return NFSAR_OK;
}

/* Sizes of one axis. The spectrum of a target seen at angles up to asin(sine) lies within
 * 2k sine, but for its edges, whose width is that of a Fresnel zone sqrt(lambda z / 2): the margin
 * is counted in those. The padded aperture must be so long that what the outermost angles reach at
 * the farthest depth does not wrap round into the grid. */
static void size_axis(struct rma_axis *axis, const nfsar_lattice_axis *lattice,
                      const nfsar_axis *grid, double shift_low, double shift_high, double nearest,
                      double farthest, double margin, double k_min, double k_max) {
    double low =
        grid->start - (lattice->first + shift_high + lattice->step * (double)(lattice->count - 1));
    double high = nfsar_axis_end(grid) - (lattice->first + shift_low);
    double reach = fmax(fabs(low), fabs(high));
    double zone = sqrt(NFSAR_PI * nearest / k_min);
    axis->n = lattice->count;
    axis->line = lattice->count == 1;
    axis->sine = fmin(LARGEST_SINE, reach / hypot(reach, nearest));
    axis->end = fmin(LARGEST_SINE, (reach + margin * zone) / hypot(reach + margin * zone, nearest));
    if (axis->line) {
        axis->length = 1;
        axis->pitch = rma_pitch(1);
        axis->half = 0;
        axis->bins = 1;
        axis->step = 0.0;
        return;
    }
    double support = farthest * axis->end / sqrt(1.0 - axis->end * axis->end);
    double period = fmax(reach + support, lattice->step * (double)lattice->count);
    axis->length = transform_length((size_t)ceil(period / lattice->step) + 1);
    axis->pitch = rma_pitch(axis->length);
    axis->step = 2.0 * NFSAR_PI / ((double)axis->length * lattice->step);
    axis->half = (size_t)ceil(2.0 * k_max * axis->end / axis->step);
    axis->bins = 2 * axis->half + 1;
}

static enum nfsar_status fill_axis(struct rma_axis *axis, const nfsar_lattice *lattice, bool is_y,
                                   const nfsar_axis *grid, enum nfsar_window window,
                                   nfsar_error *error) {
    const nfsar_lattice_axis *places = is_y ? &lattice->y : &lattice->x;
    axis->taper = malloc(axis->n * sizeof *axis->taper);
    axis->ramp = malloc(lattice->n_shift * axis->bins * sizeof *axis->ramp);
    axis->to_grid = chirpz_create(axis->bins, -(long)axis->half, grid->count,
                                  grid->count > 1 ? axis->step * grid->step : 0.0);
    if (axis->taper == NULL || axis->ramp == NULL || axis->to_grid == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for the spectrum's tables");
    }
    nfsar_window_taper(window, axis->n, axis->taper);
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

static void shift_range(const nfsar_lattice *lattice, bool is_y, double *low, double *high) {
    *low = *high = 0.0;
    for (size_t s = 0; s < lattice->n_shift; s++) {
        double shift = is_y ? lattice->shift[s].y : lattice->shift[s].x;
        *low = fmin(*low, shift);
        *high = fmax(*high, shift);
    }
}

/* A line of positions has no lateral spectrum across itself: it images the plane through it. */
static enum nfsar_status check_line(const struct rma_axis *axis, const nfsar_axis *grid,
                                    const nfsar_lattice_axis *lattice, char name,
                                    nfsar_error *error) {
    if (axis->line && (grid->count > 1 || fabs(grid->start - lattice->first) > 1e-6)) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "all positions have %c = %.6g m, so range migration images only that "
                          "plane: use --%c %.6g, or --method bp",
                          name, lattice->first, name, lattice->first);
    }
    return NFSAR_OK;
}

static enum nfsar_status size_axes(nfsar_rma_plan *plan, double nearest, double farthest,
                                   nfsar_error *error) {
    const nfsar_lattice *lattice = plan->lattice;
    double k_min = INFINITY, k_max = 0.0, low = 0.0, high = 0.0;
    for (size_t i = 0; i < plan->capture->n_sample; i++) {
        k_min = fmin(k_min, plan->wavenumber[i]);
        k_max = fmax(k_max, plan->wavenumber[i]);
    }
    shift_range(lattice, false, &low, &high);
    size_axis(&plan->x, &lattice->x, &plan->grid.x, low, high, nearest, farthest,
              plan->options.margin, k_min, k_max);
    shift_range(lattice, true, &low, &high);
    size_axis(&plan->y, &lattice->y, &plan->grid.y, low, high, nearest, farthest,
              plan->options.margin, k_min, k_max);
    if (plan->x.line && plan->y.line) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "the scan has no aperture: all phase centres are at x = %g, y = %g m",
                          lattice->x.first, lattice->y.first);
    }
    enum nfsar_status status = check_line(&plan->x, &plan->grid.x, &lattice->x, 'x', error);
    if (status == NFSAR_OK) {
        status = check_line(&plan->y, &plan->grid.y, &lattice->y, 'y', error);
    }
    if (status == NFSAR_OK) {
        status = fill_axis(&plan->x, lattice, false, &plan->grid.x, plan->options.aperture_window,
                           error);
    }
    if (status == NFSAR_OK) {
        status =
            fill_axis(&plan->y, lattice, true, &plan->grid.y, plan->options.aperture_window, error);
    }
    return status;
}

static size_t at_least_one(size_t n) {
    return n > 0 ? n : 1;
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

/* Share the memory between depths and frequencies; refuse when one of each does not fit. */
static enum nfsar_status size_blocks(nfsar_rma_plan *plan, nfsar_error *error) {
    size_t budget = plan->options.memory > 0 ? plan->options.memory : (size_t)2 << 30;
    size_t plane = plan->x.bins * plan->y.bins * sizeof(float complex);
    size_t cells = plan->lattice->n_shift * plan->x.n * plan->y.n * sizeof(float complex);
    if (2 * plane + cells > budget) {
        return nfsar_fail(
            error, NFSAR_ERROR_MEMORY,
            "this grid needs a spectrum of %zu x %zu waves, %.1f GiB, and %.1f GiB are "
            "allowed: take a smaller grid or one farther from the antennas, or bp",
            plan->x.bins, plan->y.bins, (double)(2 * plane + cells) / 0x1p30,
            (double)budget / 0x1p30);
    }
    plan->z_slab = smaller(plan->grid.z.count, at_least_one(budget / 2 / plane));
    plan->k_block = smaller(plan->capture->n_sample, at_least_one(budget / 2 / (plane + cells)));
    size_t line = plan->capture->array.n_channel * plan->k_block * sizeof(float complex);
    plan->pulse_block = smaller(plan->capture->n_pulse, at_least_one(READ_BYTES / line));
    return NFSAR_OK;
}

static enum nfsar_status allocate(nfsar_rma_plan *plan, nfsar_error *error) {
    size_t plane = plan->x.bins * plan->y.bins;
    size_t n_channel = plan->capture->array.n_channel;
    size_t forward = plan->y.n * plan->x.pitch + RMA_TILE * plan->y.pitch;
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

static double middle(const nfsar_axis *axis) {
    return 0.5 * (axis->start + nfsar_axis_end(axis));
}

static enum nfsar_status check_options(const nfsar_rma_options *options, nfsar_error *error) {
    if (!(options->tolerance >= 1e-6 && options->tolerance <= 0.1)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "tolerance %g: from 1e-6 to 0.1",
                          options->tolerance);
    }
    if (!(options->margin >= 0.0 && options->margin <= 10.0)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "margin %g: from 0 to 10 Fresnel zones",
                          options->margin);
    }
    return NFSAR_OK;
}

static enum nfsar_status prepare(nfsar_rma_plan *plan, nfsar_error *error) {
    size_t n = plan->capture->n_sample;
    double nearest = 0.0, farthest = 0.0;
    enum nfsar_status status = find_depths(plan, &nearest, &farthest, error);
    if (status != NFSAR_OK) {
        return status;
    }
    plan->wavenumber = malloc(n * sizeof *plan->wavenumber);
    plan->frequency_taper = malloc(n * sizeof *plan->frequency_taper);
    if (plan->wavenumber == NULL || plan->frequency_taper == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    nfsar_wavenumbers(plan->capture->frequency_hz, n, plan->wavenumber);
    nfsar_window_taper(plan->options.frequency_window, n, plan->frequency_taper);
    status = size_axes(plan, nearest, farthest, error);
    if (status != NFSAR_OK) {
        return status;
    }
    status = size_blocks(plan, error);
    if (status != NFSAR_OK) {
        return status;
    }
    plan->to_depth =
        depthsum_create(plan->k_block, plan->z_slab, plan->options.tolerance, DEPTHSUM_AUTO);
    if (plan->to_depth == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    nfsar_vec3 wanted = plan->options.reference;
    plan->reference = (nfsar_vec3){isfinite(wanted.x) ? wanted.x : middle(&plan->grid.x),
                                   isfinite(wanted.y) ? wanted.y : middle(&plan->grid.y),
                                   isfinite(wanted.z) ? wanted.z : middle(&plan->grid.z)};
    return allocate(plan, error);
}

enum nfsar_status nfsar_rma_plan_create(const nfsar_capture *capture, const nfsar_lattice *lattice,
                                        const nfsar_grid *grid, const nfsar_rma_options *options,
                                        nfsar_rma_plan **plan, nfsar_error *error) {
    *plan = NULL;
    nfsar_rma_options chosen = options != NULL ? *options : nfsar_rma_defaults();
    enum nfsar_status status = nfsar_grid_check(grid, error);
    if (status == NFSAR_OK) {
        status = check_options(&chosen, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    nfsar_rma_plan *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    made->capture = capture;
    made->lattice = lattice;
    made->grid = *grid;
    made->options = chosen;
    made->threads = chosen.threads > 0 ? chosen.threads : omp_get_num_procs();
    status = prepare(made, error);
    if (status != NFSAR_OK) {
        nfsar_rma_plan_destroy(made);
        return status;
    }
    *plan = made;
    return NFSAR_OK;
}

static void free_axis(struct rma_axis *axis) {
    free(axis->taper);
    free(axis->ramp);
    chirpz_destroy(axis->to_grid);
}

void nfsar_rma_plan_destroy(nfsar_rma_plan *plan) {
    if (plan == NULL) {
        return;
    }
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
    free(plan);
}
