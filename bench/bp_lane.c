#include "bench/bp_lane.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/scan.h"

nfsar_grid bench_bp_grid(const struct bench *bench) {
    size_t n = bench->quick ? 16 : 64;
    return bench_scan_grid(n, n, n, 1.5e-3, 0.3);
}

enum nfsar_status bp_lane_make(const nfsar_capture *capture, const nfsar_grid *grid,
                               enum nfsar_kernel kernel, int threads, struct bp_lane *lane,
                               nfsar_error *error) {
    nfsar_bp_options options = nfsar_bp_defaults();
    options.kernel = kernel;
    options.threads = threads;
    memset(lane, 0, sizeof *lane);
    lane->source = nfsar_capture_source(capture);
    lane->image = malloc(nfsar_grid_voxels(grid) * sizeof *lane->image);
    if (lane->image == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    return nfsar_bp_plan_create(capture, grid, &options, &lane->plan, error);
}

enum nfsar_status bp_lane_run(void *context, nfsar_error *error) {
    struct bp_lane *lane = context;
    return nfsar_bp_execute(lane->plan, &lane->source, lane->image, NULL, error);
}

size_t bp_lane_row(struct bench *bench, const struct bp_lane *lane, const nfsar_capture *capture,
                   const nfsar_grid *grid, int threads, const char *name) {
    size_t pairs = capture->n_pulse * capture->array.n_channel;
    struct bench_row row = {.threads = threads,
                            .work = 1e-9 * (double)nfsar_grid_voxels(grid) * (double)pairs,
                            .unit = "G updates",
                            .error_db = NAN};
    snprintf(row.name, sizeof row.name, "%s", name);
    snprintf(row.size, sizeof row.size, "%zu^3 voxels x %zu pairs", grid->x.count, pairs);
    snprintf(row.kernel, sizeof row.kernel, "%s",
             nfsar_kernel_name(nfsar_bp_plan_kernel(lane->plan)));
    return bench_row_add(bench, &row);
}

void bp_lane_free(struct bp_lane *lane) {
    nfsar_bp_plan_destroy(lane->plan);
    free(lane->image);
    memset(lane, 0, sizeof *lane);
}
