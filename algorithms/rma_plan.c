#include "algorithms/rma_plan.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/buffer.h"
#include "algorithms/nurma_plan.h"

/* Shifts along y that differ less are one, metres. */
#define SAME_SHIFT 1e-9

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

/* Transform of the kernel that positions were spread with along an axis. */
static double spreading(const nfsar_rma_plan *plan, const struct rma_axis *axis, double number) {
    const struct nurma *nurma = plan->nurma;
    return nurma == NULL || axis->line ? 1.0
                                       : gridding_transform(nurma->kernel.width, nurma->kernel.beta,
                                                            axis->step * axis->place * number);
}

static void fill_ramps(const nfsar_rma_plan *plan, struct rma_axis *axis, bool is_y,
                       const nfsar_axis *grid) {
    const nfsar_lattice *lattice = plan->lattice;
    double first = is_y ? lattice->y.first : lattice->x.first;
    for (size_t s = 0; s < lattice->n_shift; s++) {
        double shift = is_y ? lattice->shift[s].y : lattice->shift[s].x;
        for (size_t i = 0; i < axis->bins; i++) {
            double number = (double)i - (double)axis->half;
            size_t outward = (size_t)fabs(number) + (number < 0.0 ? axis->width / 2 : 0);
            double phase =
                fmod(axis->step * number * (first + shift - grid->start), 2.0 * NFSAR_PI);
            double weight = spreading(plan, axis, number);
            axis->ramp[s * axis->width + (is_y ? i : outward)] =
                (float)(cos(phase) / weight) - (float)(sin(phase) / weight) * I;
        }
    }
}

/* The end of the spectrum: half of erfc, as steep as rings least over a margin of so many Fresnel
 * zones (docs/theory/planar.md), in Chebyshev polynomials of -1 .. 1. */
static void fill_view(nfsar_rma_plan *plan) {
    enum { POINTS = 4 * RMA_TAPER };
    double steep = 0.95 * fmax(plan->options.margin, 1.0);
    for (int i = 0; i < RMA_TAPER; i++) {
        double sum = 0.0;
        for (int p = 0; p < POINTS; p++) {
            double angle = NFSAR_PI * ((double)p + 0.5) / POINTS;
            sum += erf(steep * cos(angle)) / erf(steep) * cos((2 * i + 1) * angle);
        }
        plan->taper.c[i] = (float)(-sum / POINTS);
        plan->taper.n = fabs(sum / POINTS) > 1e-7 ? i + 1 : plan->taper.n;
    }
}

static enum nfsar_status fill_oblique(nfsar_rma_plan *plan, nfsar_error *error) {
    const struct rma_axis *x = &plan->x;
    size_t width = x->width / 2;
    plan->oblique = buffer_zeros(plan->n_wave * width, sizeof *plan->oblique);
    if (plan->oblique == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for the spectrum's tables");
    }
    for (size_t m = 0; m < plan->n_wave; m++) {
        double two_k = 2.0 * plan->wavenumber_of_wave[m];
        for (size_t i = 0; i < width; i++) {
            double k = x->step * (double)i;
            double square = fmax(two_k * two_k - k * k, 1e-6 * two_k * two_k);
            plan->oblique[m * width + i] = (float)(1.0 / sqrt(square));
        }
    }
    return NFSAR_OK;
}

/* lines_in, lines_out: lines of places and to the grid that one execution transforms. */
static enum nfsar_status fill_axis(nfsar_rma_plan *plan, struct rma_axis *axis, bool is_y,
                                   double lines_in, double lines_out, nfsar_error *error) {
    const nfsar_lattice *lattice = plan->lattice;
    const nfsar_axis *grid = is_y ? &plan->grid.y : &plan->grid.x;
    size_t places = lattice->n_shift * axis->n;
    double *position = malloc(places * sizeof *position);
    axis->taper = malloc(places * sizeof *axis->taper);
    axis->ramp = buffer_zeros(lattice->n_shift * axis->width, sizeof *axis->ramp);
    axis->to_grid = lateral_create(axis->bins, axis->half, grid->count,
                                   grid->count > 1 ? axis->step * grid->step : 0.0, lines_out);
    bool fits =
        position != NULL && axis->taper != NULL && axis->ramp != NULL && axis->to_grid != NULL;
    if (fits && axis->length > 1) {
        axis->forward = transform_plan_line(axis->length, FFTW_FORWARD, lines_in);
        fits = axis->forward != NULL;
    }
    if (fits) {
        fill_taper(axis, lattice, is_y, plan->options.aperture_window, position);
        fill_ramps(plan, axis, is_y, grid);
    }
    free(position);
    return fits ? NFSAR_OK
                : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for the spectrum's tables");
}

static enum nfsar_status fill_axes(nfsar_rma_plan *plan, nfsar_error *error) {
    struct rma_axis *x = &plan->x, *y = &plan->y;
    double waves = (double)(plan->n_wave * plan->lattice->n_shift);
    double depths = (double)plan->depth->n_node;
    enum nfsar_status status =
        fill_axis(plan, x, false, waves * (double)y->n, depths * (double)y->bins, error);
    if (status == NFSAR_OK) {
        status = fill_axis(plan, y, true, waves * (double)x->bins,
                           depths * (double)plan->grid.x.count, error);
    }
    if (status == NFSAR_OK) {
        fill_view(plan);
        status = fill_oblique(plan, error);
    }
    return status;
}

/* What one pair's samples get. The path that is taken out also moves the pair from where it is to
 * its place on the lattice, exactly for a target at the reference, and moves the middle of the
 * ranges to zero, round which the frequencies are thinned. */
static void place_line(const nfsar_rma_plan *plan, size_t l, nfsar_vec3 tx, nfsar_vec3 rx,
                       struct rma_line *line) {
    if (plan->nurma != NULL) {
        nurma_line(plan, tx, rx, line);
        return;
    }
    const nfsar_lattice *lattice = plan->lattice;
    uint32_t cell = lattice->cell[l];
    size_t ix = cell % plan->x.n, iy = cell / plan->x.n % plan->y.n;
    size_t s = cell / plan->x.n / plan->y.n;
    nfsar_vec3 place = {lattice->x.first + lattice->x.step * (double)ix + lattice->shift[s].x,
                        lattice->y.first + lattice->y.step * (double)iy + lattice->shift[s].y,
                        lattice->z};
    double off = nfsar_vec3_distance(nfsar_vec3_midpoint(tx, rx), plan->reference) -
                 nfsar_vec3_distance(place, plan->reference);
    line->cell = (s * plan->y.n + iy) * plan->cell_width + ix;
    line->weight = plan->x.taper[s * plan->x.n + ix] * plan->y.taper[s * plan->y.n + iy];
    line->path = nfsar_compensation_path(plan->options.compensation, tx, rx, plan->reference) +
                 2.0 * (off + plan->distance);
}

static enum nfsar_status fill_lines(nfsar_rma_plan *plan, nfsar_error *error) {
    size_t n_channel = plan->lattice->n_channel;
    nfsar_vec3 *tx = malloc(n_channel * sizeof *tx), *rx = malloc(n_channel * sizeof *rx);
    enum nfsar_status status = NFSAR_OK;
    if (tx == NULL || rx == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t p = 0; status == NFSAR_OK && p < plan->lattice->n_pulse; p++) {
        status = nfsar_capture_antennas(plan->capture, false, p, 1, tx, rx, error);
        for (size_t c = 0; status == NFSAR_OK && c < n_channel; c++) {
            size_t l = p * n_channel + c;
            place_line(plan, l, tx[c], rx[c], &plan->line[l]);
        }
    }
    free(tx);
    free(rx);
    return status;
}

/* Lattices of one shift along y have the same transforms along it, and are added before. */
static void find_leaders(nfsar_rma_plan *plan) {
    const nfsar_lattice *lattice = plan->lattice;
    for (size_t s = 0; s < lattice->n_shift; s++) {
        size_t first = 0;
        while (first < s && (plan->leader[first] != first ||
                             fabs(lattice->shift[first].y - lattice->shift[s].y) > SAME_SHIFT)) {
            first++;
        }
        plan->leader[s] = first;
    }
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

/* An array that counts for nfsar_rma_plan_memory(). */
static void *take(nfsar_rma_plan *plan, size_t n, size_t size) {
    plan->bytes += n * size;
    return buffer_alloc(n, size);
}

/* The same, zero: what execution leaves out has to be. */
static void *take_zeros(nfsar_rma_plan *plan, size_t n, size_t size) {
    plan->bytes += n * size;
    return buffer_zeros(n, size);
}

static enum nfsar_status allocate(nfsar_rma_plan *plan, nfsar_error *error) {
    const struct rma_axis *x = &plan->x, *y = &plan->y;
    size_t threads = (size_t)plan->threads, unit = sizeof(float complex);
    size_t lines = plan->pulse_block * plan->lattice->n_channel;
    size_t samples = plan->thin->exact ? plan->k_block : plan->capture->n_sample;
    plan->work_size = larger(larger(rma_place_work(plan), rma_spectrum_work(plan)),
                             larger(rma_focus_work(plan), rma_image_work(plan)));
    plan->work_size = rma_pitch(plan->work_size);
    plan->line = take(plan, plan->lattice->n_pulse * plan->lattice->n_channel, sizeof *plan->line);
    plan->leader = take(plan, plan->lattice->n_shift, sizeof *plan->leader);
    plan->samples = take_zeros(plan, 2 * lines * samples, unit);
    plan->thinned = take(plan, plan->k_block * rma_pitch(lines), unit);
    plan->cube = take(plan, rma_cube(plan), unit);
    plan->spectrum = take(plan, plan->k_block * y->bins * x->width, unit);
    bool offsets = plan->nurma != NULL && plan->nurma->offsets == NFSAR_OFFSETS_EXACT;
    if (offsets) {
        plan->offsets = take(plan, plan->k_block * y->bins * x->width, unit);
    }
    plan->depths = take(plan, plan->depth->n_node * y->bins * plan->grid_width, unit);
    plan->line_in = take_zeros(plan, threads * rma_pitch(x->length), unit);
    plan->columns_in = take_zeros(plan, threads * RMA_TILE * rma_line_pitch(y->length), unit);
    plan->rows =
        take_zeros(plan, threads * plan->chunk * rma_line_pitch(lateral_length(x->to_grid)), unit);
    plan->columns =
        take_zeros(plan, threads * RMA_TILE * rma_line_pitch(lateral_length(y->to_grid)), unit);
    plan->factor = take(plan, plan->z_slab, unit);
    plan->work = take(plan, threads * plan->work_size, unit);
    if (plan->line == NULL || plan->leader == NULL || plan->samples == NULL ||
        plan->thinned == NULL || plan->cube == NULL || plan->spectrum == NULL ||
        plan->depths == NULL || plan->line_in == NULL || plan->columns_in == NULL ||
        plan->rows == NULL || plan->columns == NULL || plan->factor == NULL || plan->work == NULL ||
        (offsets && plan->offsets == NULL)) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY,
                          "out of memory for a spectrum of %zu x %zu waves, %zu frequencies and "
                          "%zu depths",
                          x->bins, y->bins, plan->k_block, plan->depth->n_node);
    }
    return NFSAR_OK;
}

enum nfsar_status rma_prepare(nfsar_rma_plan *plan, nfsar_error *error) {
    enum nfsar_status status = rma_size(plan, error);
    if (status == NFSAR_OK) {
        status = fill_axes(plan, error);
    }
    if (status == NFSAR_OK) {
        status = allocate(plan, error);
    }
    if (status == NFSAR_OK) {
        find_leaders(plan);
        status = fill_lines(plan, error);
    }
    if (status == NFSAR_OK && plan->nurma != NULL) {
        status = nurma_prepare(plan, error);
    }
    return status;
}

void rma_begin(nfsar_rma_plan *plan, const nfsar_capture *capture, const nfsar_lattice *lattice,
               const nfsar_grid *grid, const nfsar_rma_options *options) {
    memset(plan, 0, sizeof *plan);
    plan->capture = capture;
    plan->lattice = lattice;
    plan->grid = *grid;
    plan->options = options != NULL ? *options : nfsar_rma_defaults();
    plan->kernels = rma_kernels_for(NFSAR_KERNEL_AUTO);
    plan->threads = plan->options.threads > 0 ? plan->options.threads : omp_get_num_procs();
}

static void free_axis(struct rma_axis *axis) {
    free(axis->taper);
    free(axis->ramp);
    transform_destroy(axis->forward);
    lateral_destroy(axis->to_grid);
}

void rma_release(nfsar_rma_plan *plan) {
    free_axis(&plan->x);
    free_axis(&plan->y);
    exponentials_destroy(plan->thin);
    exponentials_destroy(plan->depth);
    depthsum_destroy(plan->to_depth);
    free(plan->wavenumber);
    free(plan->frequency_taper);
    free(plan->wavenumber_of_wave);
    free(plan->oblique);
    free(plan->line);
    free(plan->leader);
    free(plan->samples);
    free(plan->thinned);
    free(plan->cube);
    free(plan->spectrum);
    free(plan->offsets);
    free(plan->depths);
    free(plan->line_in);
    free(plan->columns_in);
    free(plan->rows);
    free(plan->columns);
    free(plan->factor);
    free(plan->work);
    if (plan->nurma != NULL) {
        nurma_release(plan->nurma);
    }
}

enum nfsar_status nfsar_rma_check(const nfsar_capture *capture, const nfsar_lattice *lattice,
                                  const nfsar_grid *grid, const nfsar_rma_options *options,
                                  nfsar_error *error) {
    nfsar_rma_plan plan;
    rma_begin(&plan, capture, lattice, grid, options);
    enum nfsar_status status = rma_size(&plan, error);
    rma_release(&plan);
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
    rma_begin(made, capture, lattice, grid, options);
    enum nfsar_status status = rma_prepare(made, error);
    if (status != NFSAR_OK) {
        nfsar_rma_plan_destroy(made);
        return status;
    }
    *plan = made;
    return NFSAR_OK;
}

void nfsar_rma_plan_destroy(nfsar_rma_plan *plan) {
    if (plan != NULL) {
        rma_release(plan);
        free(plan);
    }
}
