#include "algorithms/bp_plan.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/frequencies.h"

nfsar_bp_options nfsar_bp_defaults(void) {
    return (nfsar_bp_options){.precision = NFSAR_BP_SINGLE,
                              .frequency_window = NFSAR_WINDOW_RECTANGULAR,
                              .oversampling = 32};
}

/* Distance from a point to the nearest and the farthest place of a box along one axis. */
static void reach(const nfsar_axis *axis, double at, double *near, double *far) {
    double low = axis->start - at, high = nfsar_axis_end(axis) - at;
    *near = low > 0.0 ? low : high < 0.0 ? -high : 0.0;
    *far = fmax(fabs(low), fabs(high));
}

static void reach_grid(const nfsar_grid *grid, nfsar_vec3 from, double *near, double *far) {
    double near_x, near_y, near_z, far_x, far_y, far_z;
    reach(&grid->x, from.x, &near_x, &far_x);
    reach(&grid->y, from.y, &near_y, &far_y);
    reach(&grid->z, from.z, &near_z, &far_z);
    *near = sqrt(near_x * near_x + near_y * near_y + near_z * near_z);
    *far = sqrt(far_x * far_x + far_y * far_y + far_z * far_z);
}

/* Widen nearest .. farthest to the pair's two-way ranges. */
static void reach_pair(const nfsar_grid *grid, const struct bp_pair *pair, double *nearest,
                       double *farthest) {
    double near_t, far_t, near_r, far_r;
    reach_grid(grid, pair->tx, &near_t, &far_t);
    reach_grid(grid, pair->rx, &near_r, &far_r);
    *nearest = fmin(*nearest, near_t + near_r);
    *farthest = fmax(*farthest, far_t + far_r);
}

/* Bound of the two-way ranges between the grid and wherever the capture's antennas were: what
 * every block's gate fits into. */
static enum nfsar_status bound_gate(nfsar_bp_plan *plan, nfsar_error *error) {
    size_t n_channel = plan->capture->array.n_channel;
    double nearest = INFINITY, farthest = 0.0;
    nfsar_vec3 *tx = malloc(n_channel * sizeof *tx), *rx = malloc(n_channel * sizeof *rx);
    enum nfsar_status status = NFSAR_OK;
    if (tx == NULL || rx == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    plan->gate_room = 0;
    for (size_t p = 0; status == NFSAR_OK && p < plan->capture->n_pulse; p++) {
        status = nfsar_capture_antennas(plan->capture, false, p, 1, tx, rx, error);
        for (size_t c = 0; status == NFSAR_OK && c < n_channel; c++) {
            struct bp_pair pair = {tx[c], rx[c]};
            reach_pair(&plan->grid, &pair, &nearest, &farthest);
        }
    }
    free(tx);
    free(rx);
    /* A block may begin one sample earlier and end two later. */
    double bins = (farthest - nearest) / plan->range_step + 6.0;
    if (status == NFSAR_OK && !(bins < 1e8)) {
        status = nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                            "the grid reaches ranges from %g to %g m: too far for range profiles "
                            "in steps of %g mm; check the grid's and the positions' units",
                            0.5 * nearest, 0.5 * farthest, 0.5e3 * plan->range_step);
    }
    plan->gate_room = status == NFSAR_OK ? (size_t)bins : 0;
    return status;
}

void bp_range_bounds(const nfsar_bp_plan *plan, size_t n_pair, double *nearest, double *farthest) {
    *nearest = INFINITY;
    *farthest = 0.0;
    for (size_t p = 0; p < n_pair; p++) {
        reach_pair(&plan->grid, &plan->pair[p], nearest, farthest);
    }
}

static enum nfsar_status prepare_waveform(nfsar_bp_plan *plan, nfsar_error *error) {
    size_t n = plan->capture->n_sample;
    enum nfsar_status status = frequencies_make(plan->capture, plan->options.frequency_window,
                                                &plan->wavenumber, &plan->frequency_taper, error);
    if (status != NFSAR_OK) {
        return status;
    }
    /* A millionth of a step over the whole list moves the phase by less than rounding does. */
    double step_hz = 0.0, low = 0.0, high = 0.0;
    plan->uniform = nfsar_frequencies_uniform(plan->capture->frequency_hz, n, 1e-6, &step_hz) &&
                    (n == 1 || step_hz != 0.0);
    plan->k_step = 2.0 * NFSAR_PI * step_hz / NFSAR_SPEED_OF_LIGHT;
    frequencies_range(plan->wavenumber, n, &low, &high);
    plan->k_centre = 0.5 * (low + high);
    /* The transform's bins for equal steps; a like density of the band's range cells else. */
    size_t length = 0;
    if (__builtin_mul_overflow(n, plan->options.oversampling, &length) || length > (1u << 28)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "oversampling %zu is too large",
                          plan->options.oversampling);
    }
    plan->length = transform_length(length);
    double cells = high > low ? (double)(n - 1) / (high - low) : 1.0 / plan->k_centre;
    plan->range_step = 2.0 * NFSAR_PI * cells / (double)plan->length;
    return NFSAR_OK;
}

static enum nfsar_status allocate(nfsar_bp_plan *plan, nfsar_error *error) {
    size_t n_channel = plan->capture->array.n_channel, n = plan->capture->n_sample;
    size_t budget = plan->options.memory > 0 ? plan->options.memory : (size_t)512 << 20;
    size_t pulse = n_channel * (n + plan->gate_room) * sizeof(float complex);
    size_t block = budget / pulse;
    plan->pulse_block = block < 1                        ? 1
                        : block < plan->capture->n_pulse ? block
                                                         : plan->capture->n_pulse;
    size_t pairs = plan->pulse_block * n_channel;
    plan->pair = malloc(pairs * sizeof *plan->pair);
    plan->tx = malloc(pairs * sizeof *plan->tx);
    plan->rx = malloc(pairs * sizeof *plan->rx);
    plan->samples = transform_alloc(pairs * n);
    bool single = plan->options.precision == NFSAR_BP_SINGLE;
    plan->profile = single ? malloc(pairs * 2 * plan->gate_room * sizeof *plan->profile) : NULL;
    plan->turn = single ? transform_alloc(plan->gate_room) : NULL;
    bool good = (plan->profile != NULL || !single) && (plan->turn != NULL || !single) &&
                plan->pair != NULL && plan->tx != NULL && plan->rx != NULL && plan->samples != NULL;
    if (!single) {
        plan->sum = calloc(2 * nfsar_grid_voxels(&plan->grid), sizeof *plan->sum);
        good = good && plan->sum != NULL;
    } else if (plan->uniform) {
        plan->compress = transform_plan(plan->length, 1, plan->length, FFTW_FORWARD);
        plan->scratch = transform_alloc((size_t)plan->threads * bp_pitch(plan));
        good = good && plan->compress != NULL && plan->scratch != NULL;
    }
    if (!good) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY,
                          "out of memory for blocks of %zu pulses on a grid of %zu voxels",
                          plan->pulse_block, nfsar_grid_voxels(&plan->grid));
    }
    return NFSAR_OK;
}

enum nfsar_status nfsar_bp_plan_create(const nfsar_capture *capture, const nfsar_grid *grid,
                                       const nfsar_bp_options *options, nfsar_bp_plan **plan,
                                       nfsar_error *error) {
    *plan = NULL;
    nfsar_bp_options chosen = options != NULL ? *options : nfsar_bp_defaults();
    enum nfsar_status status = nfsar_grid_check(grid, error);
    if (status != NFSAR_OK) {
        return status;
    }
    if (chosen.oversampling < 2) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "oversampling %zu: at least 2",
                          chosen.oversampling);
    }
    nfsar_bp_plan *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    made->capture = capture;
    made->grid = *grid;
    made->options = chosen;
    made->threads = chosen.threads > 0 ? chosen.threads : omp_get_num_procs();
    /* The exact sum takes long enough for each voxel that small tiles share the work better. */
    made->tile = chosen.precision == NFSAR_BP_DOUBLE ? 64 : BP_TILE;
    status = nfsar_kernel_choose(chosen.kernel, &made->kernel, error);
    if (status == NFSAR_OK) {
        status = prepare_waveform(made, error);
    }
    if (status == NFSAR_OK && chosen.precision == NFSAR_BP_SINGLE) {
        status = bound_gate(made, error);
    }
    if (status == NFSAR_OK) {
        status = allocate(made, error);
    }
    if (status != NFSAR_OK) {
        nfsar_bp_plan_destroy(made);
        return status;
    }
    *plan = made;
    return NFSAR_OK;
}

/* Samples and positions of a block of pulses; *n_pair receives its number of lines. */
static enum nfsar_status load_block(nfsar_bp_plan *plan, const nfsar_echo_source *source,
                                    size_t first, size_t count, size_t *n_pair,
                                    nfsar_error *error) {
    enum nfsar_status status = source->read(source->context, first, count, 0,
                                            plan->capture->n_sample, plan->samples, error);
    if (status == NFSAR_OK) {
        status =
            nfsar_capture_antennas(plan->capture, false, first, count, plan->tx, plan->rx, error);
    }
    *n_pair = count * plan->capture->array.n_channel;
    for (size_t p = 0; status == NFSAR_OK && p < *n_pair; p++) {
        plan->pair[p] = (struct bp_pair){plan->tx[p], plan->rx[p]};
    }
    if (status == NFSAR_OK && plan->options.precision == NFSAR_BP_SINGLE) {
        bp_single_profiles(plan, *n_pair);
    }
    return status;
}

/* Tiles do not cross slices: all voxels of a tile have one z. */
static void run_tile(nfsar_bp_plan *plan, size_t n_pair, size_t tile, size_t tiles_per_slice,
                     float complex *image) {
    size_t slice = plan->grid.x.count * plan->grid.y.count;
    size_t in_slice = tile % tiles_per_slice * plan->tile;
    size_t first = tile / tiles_per_slice * slice + in_slice;
    size_t n = slice - in_slice < plan->tile ? slice - in_slice : plan->tile;
    if (plan->options.precision == NFSAR_BP_DOUBLE) {
        bp_double_tile(plan, n_pair, first, n);
    } else {
        bp_single_tile(plan, n_pair, first, n, image);
    }
}

/* All tiles of one block; false when the progress callback said stop. */
static bool run_block(nfsar_bp_plan *plan, size_t n_pair, double done, double share,
                      float complex *image, const nfsar_progress *progress) {
    size_t slice = plan->grid.x.count * plan->grid.y.count;
    size_t per_slice = (slice + plan->tile - 1) / plan->tile;
    size_t tiles = per_slice * plan->grid.z.count;
    bool stop = false;
    size_t finished = 0;
#pragma omp parallel for schedule(dynamic) num_threads(plan->threads)
    for (size_t tile = 0; tile < tiles; tile++) {
        bool skip;
#pragma omp atomic read
        skip = stop;
        if (skip) {
            continue;
        }
        run_tile(plan, n_pair, tile, per_slice, image);
        size_t now;
#pragma omp atomic capture
        now = ++finished;
        if (omp_get_thread_num() == 0 &&
            !nfsar_progress_report(progress, done + share * (double)now / (double)tiles)) {
#pragma omp atomic write
            stop = true;
        }
    }
    return !stop;
}

enum nfsar_status nfsar_bp_execute(nfsar_bp_plan *plan, const nfsar_echo_source *source,
                                   float complex *image, const nfsar_progress *progress,
                                   nfsar_error *error) {
    size_t voxels = nfsar_grid_voxels(&plan->grid), n_pulse = plan->capture->n_pulse;
    memset(image, 0, voxels * sizeof *image);
    if (plan->sum != NULL) {
        memset(plan->sum, 0, 2 * voxels * sizeof *plan->sum);
    }
    for (size_t first = 0; first < n_pulse; first += plan->pulse_block) {
        size_t left = n_pulse - first, n_pair = 0;
        size_t count = left < plan->pulse_block ? left : plan->pulse_block;
        enum nfsar_status status = load_block(plan, source, first, count, &n_pair, error);
        if (status != NFSAR_OK) {
            return status;
        }
        double done = (double)first / (double)n_pulse, share = (double)count / (double)n_pulse;
        if (!run_block(plan, n_pair, done, share, image, progress)) {
            return nfsar_fail(error, NFSAR_ERROR_CANCELLED, "cancelled");
        }
    }
    for (size_t i = 0; plan->sum != NULL && i < voxels; i++) {
        image[i] = (float)plan->sum[i] + (float)plan->sum[voxels + i] * I;
    }
    return NFSAR_OK;
}

enum nfsar_kernel nfsar_bp_plan_kernel(const nfsar_bp_plan *plan) {
    return plan->kernel;
}

void nfsar_bp_plan_destroy(nfsar_bp_plan *plan) {
    if (plan == NULL) {
        return;
    }
    free(plan->wavenumber);
    free(plan->frequency_taper);
    free(plan->pair);
    free(plan->tx);
    free(plan->rx);
    fftwf_free(plan->samples);
    free(plan->profile);
    fftwf_free(plan->turn);
    fftwf_free(plan->scratch);
    transform_destroy(plan->compress);
    free(plan->sum);
    free(plan);
}
