#include "algorithms/bp_plan.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/frequencies.h"

nfsar_bp_options nfsar_bp_defaults(void) {
    return (nfsar_bp_options){.precision = NFSAR_BP_SINGLE,
                              .frequency_window = NFSAR_WINDOW_RECTANGULAR,
                              .tolerance = 3e-4};
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
    plan->k_half = 0.5 * (high - low);
    plan->lines.halfturns_per_metre = plan->k_centre / NFSAR_PI;
    return NFSAR_OK;
}

/* Blocks of pulses that fit the memory allowed. */
static enum nfsar_status allocate(nfsar_bp_plan *plan, nfsar_error *error) {
    bool single = plan->options.precision == NFSAR_BP_SINGLE;
    size_t n_channel = plan->capture->array.n_channel, n = plan->capture->n_sample;
    size_t budget = plan->options.memory > 0 ? plan->options.memory : (size_t)512 << 20;
    size_t pulse = n_channel * (n + plan->gate_room) * sizeof(float complex);
    size_t block = budget / pulse;
    plan->pulse_block = block < 1                        ? 1
                        : block < plan->capture->n_pulse ? block
                                                         : plan->capture->n_pulse;
    size_t pairs = plan->pulse_block * n_channel;
    free(plan->tx);
    free(plan->rx);
    plan->tx = malloc(pairs * sizeof *plan->tx);
    plan->rx = malloc(pairs * sizeof *plan->rx);
    plan->samples = transform_alloc(pairs * n);
    bool good = plan->tx != NULL && plan->rx != NULL && plan->samples != NULL;
    if (good && single) {
        return bp_single_allocate(plan, error);
    }
    if (good) {
        plan->pair = malloc(pairs * sizeof *plan->pair);
        plan->sum = calloc(2 * nfsar_grid_voxels(&plan->grid), sizeof *plan->sum);
        good = plan->pair != NULL && plan->sum != NULL;
    }
    return good ? NFSAR_OK
                : nfsar_fail(error, NFSAR_ERROR_MEMORY,
                             "out of memory for blocks of %zu pulses on a grid of %zu voxels",
                             plan->pulse_block, nfsar_grid_voxels(&plan->grid));
}

/* What only the fast form needs to know. */
static enum nfsar_status prepare_single(nfsar_bp_plan *plan, nfsar_error *error) {
    size_t n_channel = plan->capture->array.n_channel;
    enum nfsar_status status = bp_array_find(plan, error);
    plan->tx = malloc(n_channel * sizeof *plan->tx);
    plan->rx = malloc(n_channel * sizeof *plan->rx);
    if (status == NFSAR_OK && (plan->tx == NULL || plan->rx == NULL)) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    return status == NFSAR_OK ? bp_shape_choose(plan, error) : status;
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
    if (!(chosen.tolerance >= 1e-6 && chosen.tolerance <= 0.1)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "tolerance %g: from 1e-6 to 0.1",
                          chosen.tolerance);
    }
    nfsar_bp_plan *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    made->capture = capture;
    made->grid = *grid;
    made->options = chosen;
    made->threads = chosen.threads > 0 ? chosen.threads : omp_get_num_procs();
    status = nfsar_kernel_choose(chosen.kernel, &made->kernel, error);
    if (status == NFSAR_OK) {
        status = prepare_waveform(made, error);
    }
    if (status == NFSAR_OK && chosen.precision == NFSAR_BP_SINGLE) {
        status = prepare_single(made, error);
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

/* The loaded pulses' antennas along the kernel's axes. */
static void place_antennas(nfsar_bp_plan *plan, size_t count) {
    const struct bp_lines *lines = &plan->lines;
    for (size_t i = 0; i < count * lines->n_antenna; i++) {
        size_t source = plan->source[i % lines->n_antenna];
        size_t line = i / lines->n_antenna * lines->n_link + source / 2;
        nfsar_vec3 at = source % 2 == 0 ? plan->tx[line] : plan->rx[line];
        for (int k = 0; k < 3; k++) {
            int axis = plan->shape.axis[k];
            plan->at[k][i] = axis == 0 ? at.x : axis == 1 ? at.y : at.z;
        }
    }
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
    if (status == NFSAR_OK && plan->options.precision == NFSAR_BP_SINGLE) {
        place_antennas(plan, count);
        bp_profile_compress(plan, count);
        plan->lines.n_pulse = count;
    }
    *n_pair = count * plan->capture->array.n_channel;
    for (size_t p = 0; status == NFSAR_OK && plan->pair != NULL && p < *n_pair; p++) {
        plan->pair[p] = (struct bp_pair){plan->tx[p], plan->rx[p]};
    }
    return status;
}

/* All parts of the image, each by one thread; false when the progress callback said stop. */
static bool run_block(nfsar_bp_plan *plan, size_t n_pair, double done, double share,
                      float complex *image, const nfsar_progress *progress) {
    bool single = plan->options.precision == NFSAR_BP_SINGLE;
    const size_t *blocks = plan->shape.blocks;
    size_t voxels = nfsar_grid_voxels(&plan->grid);
    size_t parts = single ? blocks[0] * blocks[1] * blocks[2] : (voxels + BP_TILE - 1) / BP_TILE;
    bool stop = false;
    size_t finished = 0;
#pragma omp parallel for schedule(dynamic) num_threads(plan->threads)
    for (size_t part = 0; part < parts; part++) {
        bool skip;
#pragma omp atomic read
        skip = stop;
        if (skip) {
            continue;
        }
        if (single) {
            bp_single_block(plan, part, image);
        } else {
            size_t left = voxels - part * BP_TILE;
            bp_double_tile(plan, n_pair, part * BP_TILE, left < BP_TILE ? left : BP_TILE);
        }
        size_t now;
#pragma omp atomic capture
        now = ++finished;
        if (omp_get_thread_num() == 0 &&
            !nfsar_progress_report(progress, done + share * (double)now / (double)parts)) {
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
    bp_single_free(plan);
    free(plan->sum);
    free(plan);
}
