/* Imaging a turntable's scan beside FFTW alone: the transforms that csar's plan makes, on the same
 * threads in the same race; and beside backprojection of a part of the same grid. */
#include "bench/bench.h"
#include "bench/risar/risar.h"
#include "bench/scan.h"
#include "bench/subjects.h"
#include "bench/transforms.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A quarter of the wavelength at 79 GHz, and what a turntable resolves. */
#define PLACE 0.949e-3
#define VOXEL 0.7e-3

/* Voxels along x and y, and slices, of the part that backprojection images. */
enum { PART = 64, PART_SLICES = 4 };

enum { MOST_KINDS = 32 };

struct scan {
    nfsar_capture capture;
    nfsar_cylinder cylinder;
    nfsar_grid grid, part;
    struct bench_truth truth;
};

/* What runs on one number of threads. */
struct team {
    nfsar_csar_plan *plan;
    nfsar_bp_plan *bp;
    nfsar_echo_source source;
    float complex *image, *part;
    bench_transforms *same;
};

static enum nfsar_status run_csar(void *context, nfsar_error *error) {
    struct team *team = context;
    return nfsar_csar_execute(team->plan, &team->source, team->image, NULL, error);
}

static enum nfsar_status run_bp(void *context, nfsar_error *error) {
    struct team *team = context;
    return nfsar_bp_execute(team->bp, &team->source, team->part, NULL, error);
}

/* Voxels in the middle of an axis. */
static nfsar_axis middle(const nfsar_axis *axis, size_t count) {
    size_t n = count < axis->count ? count : axis->count;
    return (nfsar_axis){nfsar_axis_at(axis, (axis->count - n) / 2), axis->step, n};
}

static enum nfsar_status add_targets(const nfsar_grid *grid, struct scatterers *targets,
                                     nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < 8; i++) {
        size_t third = (grid->x.count - 1) / 3;
        nfsar_vec3 at = {nfsar_axis_at(&grid->x, (1 + i % 2) * third),
                         nfsar_axis_at(&grid->y, (1 + i / 2 % 2) * third),
                         nfsar_axis_at(&grid->z, (1 + i / 4) * third)};
        status = scatterers_add(targets, at, 1.0f, error);
    }
    return status;
}

static enum nfsar_status make_scan(const struct bench *bench, struct scan *scan,
                                   nfsar_error *error) {
    size_t n = bench->quick ? 16 : 256;
    struct risar_scan geometry = {"single", bench->quick ? 128 : 1000, bench->quick ? 16 : 512,
                                  PLACE, bench->quick ? 16 : 64};
    struct scatterers targets = {0};
    memset(scan, 0, sizeof *scan);
    scan->grid = bench_scan_grid(n, n, n, VOXEL, -0.5 * VOXEL * (double)(n - 1));
    scan->part = (nfsar_grid){middle(&scan->grid.x, PART), middle(&scan->grid.y, PART),
                              middle(&scan->grid.z, PART_SLICES)};
    enum nfsar_status status = add_targets(&scan->grid, &targets, error);
    if (status == NFSAR_OK) {
        status = risar_scan_make(&geometry, &targets, bench->threads, &scan->capture, error);
    }
    if (status == NFSAR_OK) {
        status = nfsar_cylinder_detect(&scan->capture, 0.0, &scan->cylinder, error);
    }
    if (status == NFSAR_OK) {
        status = bench_truth_make(&scan->capture, &scan->grid, 4, &scan->truth, error);
    }
    scatterers_free(&targets);
    return status;
}

static void free_scan(struct scan *scan) {
    bench_truth_free(&scan->truth);
    nfsar_capture_free(&scan->capture);
}

/* The transforms of an execution of the plan. */
static enum nfsar_status same_transforms(const nfsar_csar_plan *plan, int threads,
                                         bench_transforms **transforms, double *gflop,
                                         nfsar_error *error) {
    nfsar_csar_transform kind[MOST_KINDS];
    struct bench_transform list[MOST_KINDS];
    size_t n = nfsar_csar_plan_transforms(plan, kind, MOST_KINDS);
    if (n > MOST_KINDS) {
        return nfsar_fail(error, NFSAR_ERROR_UNSUPPORTED, "a plan has %zu kinds of transforms", n);
    }
    size_t made = 0;
    for (size_t i = 0; i < n; i++) {
        size_t count = kind[i].batch * kind[i].count;
        if (count > 0) {
            list[made++] = (struct bench_transform){1, kind[i].length, count, kind[i].sign};
        }
    }
    *gflop = bench_transforms_gflop(list, made);
    return bench_transforms_create(list, made, threads, transforms, error);
}

static enum nfsar_status make_team(const struct scan *scan, int threads, struct team *team,
                                   double *gflop, nfsar_error *error) {
    nfsar_csar_options options = nfsar_csar_defaults();
    nfsar_bp_options exact = nfsar_bp_defaults();
    options.threads = exact.threads = threads;
    team->source = nfsar_capture_source(&scan->capture);
    team->image = malloc(nfsar_grid_voxels(&scan->grid) * sizeof *team->image);
    team->part = malloc(nfsar_grid_voxels(&scan->part) * sizeof *team->part);
    if (team->image == NULL || team->part == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    enum nfsar_status status = nfsar_csar_plan_create(&scan->capture, &scan->cylinder, &scan->grid,
                                                      &options, &team->plan, error);
    if (status == NFSAR_OK) {
        status = same_transforms(team->plan, threads, &team->same, gflop, error);
    }
    return status == NFSAR_OK
               ? nfsar_bp_plan_create(&scan->capture, &scan->part, &exact, &team->bp, error)
               : status;
}

static void free_team(struct team *team) {
    nfsar_csar_plan_destroy(team->plan);
    nfsar_bp_plan_destroy(team->bp);
    bench_transforms_destroy(team->same);
    free(team->image);
    free(team->part);
}

/* Two lanes of one race, and backprojection's, which has its own: it takes longer than both. */
static void add_lanes(struct bench *bench, const struct scan *scan, struct team *team, double gflop,
                      int threads, struct bench_lane lane[2], struct bench_lane *exact) {
    const nfsar_grid *grid = &scan->grid, *part = &scan->part;
    struct bench_row row = {.threads = threads, .error_db = NAN};
    snprintf(row.size, sizeof row.size, "%zux%zu to %zux%zux%zu", scan->capture.n_pulse,
             scan->capture.n_sample, grid->x.count, grid->y.count, grid->z.count);
    row.work = 1e-6 * (double)nfsar_grid_voxels(grid);
    row.unit = "M voxels";
    snprintf(row.name, sizeof row.name, "csar");
    lane[0] = (struct bench_lane){bench_row_add(bench, &row), run_csar, team};
    row.unit = "GFLOP";
    row.work = gflop;
    snprintf(row.name, sizeof row.name, "FFTW: the transforms in csar");
    lane[1] = (struct bench_lane){bench_row_add(bench, &row), bench_transforms_run, team->same};
    row.unit = "M voxels";
    row.work = 1e-6 * (double)nfsar_grid_voxels(part);
    snprintf(row.name, sizeof row.name, "bp of a part");
    snprintf(row.size, sizeof row.size, "part: %zux%zux%zu", part->x.count, part->y.count,
             part->z.count);
    *exact = (struct bench_lane){bench_row_add(bench, &row), run_bp, team};
}

static void add_ratios(struct bench *bench, const struct scan *scan, const struct team *team,
                       const struct bench_lane lane[2], const struct bench_lane *exact,
                       int threads) {
    char text[80];
    const char *s = threads > 1 ? "s" : "";
    struct bench_row *row = &bench->row[lane[0].row], *bp = &bench->row[exact->row];
    row->error_db = bench_truth_error(&scan->truth, team->image);
    double times = row->work / bp->work;
    snprintf(bp->size, sizeof bp->size, "%zux%zux%zu; of all: %.3g s", scan->part.x.count,
             scan->part.y.count, scan->part.z.count, times * bp->seconds.median);
    snprintf(text, sizeof text, "time, %d thread%s: csar / FFTW, the transforms in it", threads, s);
    bench_ratio_times(bench, text, lane[0].row, lane[1].row, (struct bench_goal){.at_most = 4.0});
    snprintf(text, sizeof text, "%d thread%s: csar / bp, extrapolated from a part", threads, s);
    bench_ratio_rates(bench, text, lane[0].row, exact->row, (struct bench_goal){0});
}

static enum nfsar_status race(struct bench *bench, const struct scan *scan, struct team team[2],
                              nfsar_error *error) {
    struct bench_lane lane[4], exact[2];
    int threads[2];
    size_t n = bench_thread_counts(bench, threads);
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        double gflop = 0.0;
        status = make_team(scan, threads[i], &team[i], &gflop, error);
        if (status == NFSAR_OK) {
            add_lanes(bench, scan, &team[i], gflop, threads[i], lane + 2 * i, &exact[i]);
        }
    }
    if (status == NFSAR_OK) {
        status = bench_race(bench, lane, 2 * n, error);
    }
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        status = bench_race(bench, &exact[i], 1, error);
    }
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        add_ratios(bench, scan, &team[i], lane + 2 * i, &exact[i], threads[i]);
    }
    if (status == NFSAR_OK && n > 1) {
        bench_ratio_rates(bench, "csar, threads / 1 thread", lane[2].row, lane[0].row,
                          (struct bench_goal){0});
    }
    return status;
}

enum nfsar_status bench_csar(struct bench *bench, nfsar_error *error) {
    struct scan scan;
    struct team team[2] = {{0}};
    enum nfsar_status status = make_scan(bench, &scan, error);
    if (status == NFSAR_OK) {
        status = race(bench, &scan, team, error);
    }
    free_team(&team[0]);
    free_team(&team[1]);
    free_scan(&scan);
    return status;
}
