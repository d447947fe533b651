/* A backprojection that takes part in a race. */
#ifndef NFSAR_BENCH_BP_LANE_H
#define NFSAR_BENCH_BP_LANE_H

#include <nfsar/backprojection.h>

#include "bench/bench.h"

struct bp_lane {
    nfsar_bp_plan *plan;
    nfsar_echo_source source;
    float complex *image; /* of the last run */
};

/* The cube that is imaged, 0.3 m from the antennas: 64 voxels of 1.5 mm along each axis. */
nfsar_grid bench_bp_grid(const struct bench *bench);

/* Prepare; the capture must outlive the lane. */
enum nfsar_status bp_lane_make(const nfsar_capture *capture, const nfsar_grid *grid,
                               enum nfsar_kernel kernel, int threads, struct bp_lane *lane,
                               nfsar_error *error);
/* A bench_lane's function; the context is a struct bp_lane. */
enum nfsar_status bp_lane_run(void *context, nfsar_error *error);
/* A row for it, named so; the grid is a cube. */
size_t bp_lane_row(struct bench *bench, const struct bp_lane *lane, const nfsar_capture *capture,
                   const nfsar_grid *grid, int threads, const char *name);
void bp_lane_free(struct bp_lane *lane);

#endif
