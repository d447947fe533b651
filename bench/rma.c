/* Range migration beside FFTW alone: the transforms that its plan makes, and those of the textbook,
 * on the same threads in the same race. */
#include "bench/bench.h"
#include "bench/scan.h"
#include "bench/subjects.h"
#include "bench/textbook.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/rma.h>

#include "algorithms/rma_plan.h"

/* A quarter of the wavelength at 79 GHz. */
#define PLACE 0.949e-3

enum { MOST_KINDS = 16 };

struct scan {
    nfsar_capture capture;
    nfsar_lattice lattice;
    nfsar_grid grid;
    struct bench_truth truth;
};

/* What runs on one number of threads. */
struct team {
    nfsar_rma_plan *plan;
    nfsar_echo_source source;
    float complex *image;
    bench_transforms *same, *textbook;
    size_t bytes; /* that making the plan took */
};

static enum nfsar_status run(void *context, nfsar_error *error) {
    struct team *team = context;
    return nfsar_rma_execute(team->plan, &team->source, team->image, NULL, error);
}

static enum nfsar_status make_scan(const struct bench *bench, struct scan *scan,
                                   nfsar_error *error) {
    size_t places = bench_rma_places(bench->quick), nz = bench_rma_depths(bench->quick);
    memset(scan, 0, sizeof *scan);
    scan->grid = bench_scan_grid(places, places, nz, PLACE, 0.25);
    struct bench_scan_options options = {.array = "single",
                                         .nx = places,
                                         .ny = places,
                                         .step_x = PLACE,
                                         .step_y = PLACE,
                                         .n_sample = bench_rma_frequencies(bench->quick),
                                         .grid = scan->grid};
    enum nfsar_status status = bench_scan_make(&options, &scan->capture, error);
    if (status == NFSAR_OK) {
        status = nfsar_lattice_detect(&scan->capture, 0.0, &scan->lattice, error);
    }
    if (status == NFSAR_OK) {
        status = bench_truth_make(&scan->capture, &scan->grid, 4, &scan->truth, error);
    }
    return status;
}

static void free_scan(struct scan *scan) {
    bench_truth_free(&scan->truth);
    nfsar_lattice_free(&scan->lattice);
    nfsar_capture_free(&scan->capture);
}

/* The transforms of an execution of the plan. */
static enum nfsar_status same_transforms(const nfsar_rma_plan *plan, int threads,
                                         bench_transforms **transforms, double *gflop,
                                         nfsar_error *error) {
    nfsar_rma_transform kind[MOST_KINDS];
    struct bench_transform list[MOST_KINDS];
    size_t n = nfsar_rma_plan_transforms(plan, kind, MOST_KINDS);
    if (n > MOST_KINDS) {
        return nfsar_fail(error, NFSAR_ERROR_UNSUPPORTED, "a plan has %zu kinds of transforms", n);
    }
    for (size_t i = 0; i < n; i++) {
        list[i] = (struct bench_transform){1, kind[i].length, kind[i].batch * kind[i].count,
                                           kind[i].sign};
    }
    *gflop = bench_transforms_gflop(list, n);
    return bench_transforms_create(list, n, threads, transforms, error);
}

static enum nfsar_status make_team(const struct bench *bench, const struct scan *scan, int threads,
                                   struct team *team, double gflop[2], nfsar_error *error) {
    struct bench_transform textbook[BENCH_TEXTBOOK];
    nfsar_rma_options options = nfsar_rma_defaults();
    options.threads = threads;
    team->source = nfsar_capture_source(&scan->capture);
    team->image = malloc(nfsar_grid_voxels(&scan->grid) * sizeof *team->image);
    if (team->image == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    size_t before = bench_allocated();
    enum nfsar_status status = nfsar_rma_plan_create(&scan->capture, &scan->lattice, &scan->grid,
                                                     &options, &team->plan, error);
    if (status == NFSAR_OK) {
        size_t after = bench_allocated();
        team->bytes = after > before ? after - before : nfsar_rma_plan_memory(team->plan);
        status = same_transforms(team->plan, threads, &team->same, &gflop[0], error);
    }
    if (status == NFSAR_OK) {
        bench_textbook(bench->quick, textbook);
        gflop[1] = bench_transforms_gflop(textbook, BENCH_TEXTBOOK);
        status = bench_transforms_create(textbook, BENCH_TEXTBOOK, threads, &team->textbook, error);
    }
    return status;
}

static void free_team(struct team *team) {
    nfsar_rma_plan_destroy(team->plan);
    bench_transforms_destroy(team->same);
    bench_transforms_destroy(team->textbook);
    free(team->image);
}

/* Three lanes: the migration, the same transforms alone, the textbook's. */
static void add_lanes(struct bench *bench, const struct scan *scan, struct team *team,
                      const double gflop[2], int threads, struct bench_lane lane[3]) {
    const nfsar_grid *grid = &scan->grid;
    struct bench_row row = {.threads = threads, .error_db = NAN};
    snprintf(row.size, sizeof row.size, "%zux%zux%zu to %zux%zux%zu", scan->lattice.x.count,
             scan->lattice.y.count, scan->capture.n_sample, grid->x.count, grid->y.count,
             grid->z.count);
    row.work = 1e-6 * (double)nfsar_grid_voxels(grid);
    row.unit = "M voxels";
    snprintf(row.name, sizeof row.name, "rma");
    lane[0] = (struct bench_lane){bench_row_add(bench, &row), run, team};
    row.unit = "GFLOP";
    row.work = gflop[0];
    snprintf(row.name, sizeof row.name, "FFTW: the transforms in rma");
    lane[1] = (struct bench_lane){bench_row_add(bench, &row), bench_transforms_run, team->same};
    row.work = gflop[1];
    snprintf(row.name, sizeof row.name, "FFTW: the textbook's transforms");
    lane[2] = (struct bench_lane){bench_row_add(bench, &row), bench_transforms_run, team->textbook};
}

static void add_ratios(struct bench *bench, const struct scan *scan, const struct team *team,
                       const struct bench_lane *lane, int threads) {
    char text[80];
    const char *s = threads > 1 ? "s" : "";
    bench->row[lane[0].row].error_db = bench_truth_error(&scan->truth, team->image);
    snprintf(text, sizeof text, "time, %d thread%s: rma / FFTW, the transforms in it", threads, s);
    bench_ratio_times(bench, text, lane[0].row, lane[1].row, (struct bench_goal){.at_most = 2.0});
    snprintf(text, sizeof text, "time, %d thread%s: rma / FFTW, the textbook's", threads, s);
    bench_ratio_times(bench, text, lane[0].row, lane[2].row, (struct bench_goal){0});
    size_t spectrum = team->plan->x.length * team->plan->y.length * scan->capture.n_sample;
    size_t limit = 2 * spectrum + nfsar_grid_voxels(&scan->grid);
    snprintf(text, sizeof text, "memory, %d thread%s: plan and image / (2 spectra + image)",
             threads, s);
    double image = (double)(nfsar_grid_voxels(&scan->grid) * sizeof(float complex));
    bench_ratio_values(bench, text, "bytes", (double)team->bytes + image,
                       (double)(limit * sizeof(float complex)),
                       (struct bench_goal){.at_most = 1.0});
}

static enum nfsar_status race(struct bench *bench, const struct scan *scan, struct team team[2],
                              nfsar_error *error) {
    struct bench_lane lane[6];
    int threads[2];
    size_t n = bench_thread_counts(bench, threads);
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        double gflop[2] = {0.0, 0.0};
        status = make_team(bench, scan, threads[i], &team[i], gflop, error);
        if (status == NFSAR_OK) {
            add_lanes(bench, scan, &team[i], gflop, threads[i], lane + 3 * i);
        }
    }
    if (status == NFSAR_OK) {
        status = bench_race(bench, lane, 3 * n, error);
    }
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        add_ratios(bench, scan, &team[i], lane + 3 * i, threads[i]);
    }
    if (status == NFSAR_OK && n > 1) {
        bench_ratio_rates(bench, "rma, threads / 1 thread", lane[3].row, lane[0].row,
                          (struct bench_goal){0});
    }
    return status;
}

enum nfsar_status bench_rma(struct bench *bench, nfsar_error *error) {
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
