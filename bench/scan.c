#include "bench/scan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/backprojection.h>
#include <nfsar/simulation.h>

/* Voxels between sampled ones: the ends of an axis are sampled, and so that targets (one and two
 * thirds along it) are when `along` - 1 is a multiple of three. */
static size_t stride_for(size_t count, size_t along) {
    size_t stride = count > along ? (count - 1) / (along - 1) : 1;
    return stride > 0 ? stride : 1;
}

/* Voxel of an axis on which a target lies: near one or two thirds. */
static double target_at(const nfsar_axis *axis, size_t third) {
    return nfsar_axis_at(axis, third * ((axis->count - 1) / 3));
}

nfsar_grid bench_scan_grid(size_t nx, size_t ny, size_t nz, double step, double first_z) {
    return (nfsar_grid){{-0.5 * step * (double)(nx - 1), step, nx},
                        {-0.5 * step * (double)(ny - 1), step, ny},
                        {first_z, step, nz}};
}

static enum nfsar_status make_array(const char *name, nfsar_array *array, nfsar_error *error) {
    if (strcmp(name, "pair") != 0) {
        return nfsar_array_preset(name, NFSAR_ARRAY_ALONG_Y, array, error);
    }
    enum nfsar_status status = nfsar_array_create(1, 1, array, error);
    if (status == NFSAR_OK) {
        array->tx_m[0].x = -0.01;
        array->rx_m[0].x = 0.01;
    }
    return status;
}

enum nfsar_status bench_scan_make(const struct bench_scan_options *options, nfsar_capture *capture,
                                  nfsar_error *error) {
    nfsar_array array;
    size_t nx = options->nx, n = nx * options->ny;
    memset(capture, 0, sizeof *capture);
    enum nfsar_status status = make_array(options->array, &array, error);
    if (status == NFSAR_OK) {
        status = nfsar_capture_create(n, options->n_sample, &array, true, capture, error);
    }
    if (status == NFSAR_OK) {
        status = nfsar_stepped_frequencies(77e9, 4e9 / (double)(options->n_sample - 1),
                                           capture->frequency_hz, options->n_sample, error);
    }
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        nfsar_vec3 *at = &capture->pose[i].position;
        at->x = options->step_x * ((double)(i % nx) - 0.5 * (double)(nx - 1));
        at->y = options->step_y * ((double)(i / nx) - 0.5 * (double)(options->ny - 1));
    }
    nfsar_scatterer target[8];
    for (size_t i = 0; i < 8; i++) {
        target[i] = (nfsar_scatterer){{target_at(&options->grid.x, 1 + i % 2),
                                       target_at(&options->grid.y, 1 + i / 2 % 2),
                                       target_at(&options->grid.z, 1 + i / 4)},
                                      1.0f};
    }
    if (status == NFSAR_OK) {
        status = nfsar_simulate(capture, target, 8, NULL, 0, n, capture->echo, NULL, error);
    }
    if (status != NFSAR_OK) {
        nfsar_capture_free(capture);
    }
    return status;
}

static nfsar_axis sampled_axis(const nfsar_axis *axis, size_t stride) {
    return (nfsar_axis){axis->start, axis->step * (double)stride, (axis->count - 1) / stride + 1};
}

enum nfsar_status bench_truth_make(const nfsar_capture *capture, const nfsar_grid *grid,
                                   size_t along, struct bench_truth *truth, nfsar_error *error) {
    nfsar_bp_plan *plan = NULL;
    nfsar_bp_options options = nfsar_bp_defaults();
    options.precision = NFSAR_BP_DOUBLE;
    truth->grid = *grid;
    truth->stride[0] = stride_for(grid->x.count, along);
    truth->stride[1] = stride_for(grid->y.count, along);
    truth->stride[2] = stride_for(grid->z.count, along);
    truth->sampled = (nfsar_grid){sampled_axis(&grid->x, truth->stride[0]),
                                  sampled_axis(&grid->y, truth->stride[1]),
                                  sampled_axis(&grid->z, truth->stride[2])};
    truth->value = malloc(nfsar_grid_voxels(&truth->sampled) * sizeof *truth->value);
    if (truth->value == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    nfsar_echo_source source = nfsar_capture_source(capture);
    enum nfsar_status status =
        nfsar_bp_plan_create(capture, &truth->sampled, &options, &plan, error);
    if (status == NFSAR_OK) {
        status = nfsar_bp_execute(plan, &source, truth->value, NULL, error);
    }
    nfsar_bp_plan_destroy(plan);
    return status;
}

void bench_truth_free(struct bench_truth *truth) {
    free(truth->value);
    truth->value = NULL;
}

double bench_truth_error(const struct bench_truth *truth, const float complex *image) {
    const nfsar_grid *grid = &truth->grid, *sampled = &truth->sampled;
    double peak = 0.0, worst = 0.0;
    for (size_t i = 0; i < nfsar_grid_voxels(grid); i++) {
        peak = fmax(peak, (double)cabsf(image[i]));
    }
    for (size_t i = 0; i < nfsar_grid_voxels(sampled); i++) {
        size_t x = i % sampled->x.count * truth->stride[0];
        size_t y = i / sampled->x.count % sampled->y.count * truth->stride[1];
        size_t z = i / sampled->x.count / sampled->y.count * truth->stride[2];
        float complex made = image[(z * grid->y.count + y) * grid->x.count + x];
        worst = fmax(worst, (double)cabsf(made - truth->value[i]));
    }
    /* Equal images, in float: the smallest difference that there could be. */
    return 20.0 * log10(fmax(worst / peak, 1e-12));
}
