/* Backprojection: every kernel that the machine can run, with one thread and with several, beside
 * the loop as one writes it first. An update is what one voxel gets from one transmit-receive pair.
 * What is timed is all of nfsar_bp_execute(), range compression included. */
#include "bench/bench.h"
#include "bench/bp_lane.h"
#include "bench/naive_bp.h"
#include "bench/scan.h"
#include "bench/subjects.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LANES = 2 * BENCH_KERNELS };

/* An array, and the raster of pulses that makes as many pairs as the other arrays have. */
struct array_case {
    const char *name, *array;
    size_t nx, ny;         /* pulses */
    double step_x, step_y; /* metres */
};

/* A capture with what its image should be. */
struct scan {
    nfsar_capture capture;
    struct bench_truth truth;
};

/* Everything of one race. */
struct race {
    struct scan whole;
    struct scan few; /* a quarter of the pulses over the same aperture: enough for portable loops */
    nfsar_grid grid;
    int threads[2];
    size_t n_threads;
    enum nfsar_kernel kernel[BENCH_KERNELS];
    size_t n_kernel;
    struct bp_lane bp[MOST_LANES]; /* [n_kernel][n_threads] */
    struct bench_lane lane[MOST_LANES + 2];
    size_t n_lane;
};

static enum nfsar_status make_scan(const struct bench *bench, const struct array_case *at,
                                   const nfsar_grid *grid, struct scan *scan, nfsar_error *error) {
    struct bench_scan_options options = {.array = at->array,
                                         .nx = at->nx,
                                         .ny = at->ny,
                                         .step_x = at->step_x,
                                         .step_y = at->step_y,
                                         .n_sample = bench->quick ? 64 : 256,
                                         .grid = *grid};
    enum nfsar_status status = bench_scan_make(&options, &scan->capture, error);
    return status == NFSAR_OK
               ? bench_truth_make(&scan->capture, grid, bench->quick ? 4 : 10, &scan->truth, error)
               : status;
}

static void free_scan(struct scan *scan) {
    bench_truth_free(&scan->truth);
    nfsar_capture_free(&scan->capture);
}

static const struct scan *scan_of(const struct race *race, enum nfsar_kernel kernel) {
    return kernel == NFSAR_KERNEL_PORTABLE ? &race->few : &race->whole;
}

static enum nfsar_status make_lanes(struct bench *bench, const char *name, struct race *race,
                                    nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < race->n_kernel * race->n_threads; i++) {
        int threads = race->threads[i % race->n_threads];
        enum nfsar_kernel kernel = race->kernel[i / race->n_threads];
        const nfsar_capture *capture = &scan_of(race, kernel)->capture;
        status = bp_lane_make(capture, &race->grid, kernel, threads, &race->bp[i], error);
        if (status == NFSAR_OK) {
            size_t row = bp_lane_row(bench, &race->bp[i], capture, &race->grid, threads, name);
            race->lane[race->n_lane++] = (struct bench_lane){row, bp_lane_run, &race->bp[i]};
        }
    }
    return status;
}

static enum nfsar_status begin(struct bench *bench, const struct array_case *at, struct race *race,
                               nfsar_error *error) {
    struct array_case few = *at;
    few.nx /= 2;
    few.ny /= 2;
    few.step_x *= 2.0;
    few.step_y *= 2.0;
    memset(race, 0, sizeof *race);
    race->grid = bench_bp_grid(bench);
    race->n_threads = bench_thread_counts(bench, race->threads);
    race->n_kernel = bench_kernels(bench, race->kernel);
    enum nfsar_status status = make_scan(bench, at, &race->grid, &race->whole, error);
    if (status == NFSAR_OK) {
        status = make_scan(bench, &few, &race->grid, &race->few, error);
    }
    return status == NFSAR_OK ? make_lanes(bench, at->name, race, error) : status;
}

static void end(struct race *race) {
    for (size_t i = 0; i < MOST_LANES; i++) {
        bp_lane_free(&race->bp[i]);
    }
    free_scan(&race->whole);
    free_scan(&race->few);
}

static size_t row_of(const struct race *race, size_t kernel, size_t threads) {
    return race->lane[kernel * race->n_threads + threads].row;
}

/* After the race: how exact each image is, and what several threads gained. */
static void judge(struct bench *bench, const struct race *race, const char *name) {
    char text[80];
    for (size_t i = 0; i < race->n_kernel * race->n_threads; i++) {
        const struct scan *scan = scan_of(race, race->kernel[i / race->n_threads]);
        bench->row[race->lane[i].row].error_db = bench_truth_error(&scan->truth, race->bp[i].image);
    }
    for (size_t k = 0; race->n_threads > 1 && k < race->n_kernel; k++) {
        bool best = k + 1 == race->n_kernel;
        snprintf(text, sizeof text, "%s, %s: %d threads / 1 thread", name,
                 nfsar_kernel_name(race->kernel[k]), race->threads[1]);
        bench_ratio_rates(bench, text, row_of(race, k, 1), row_of(race, k, 0),
                          (struct bench_goal){.at_least = best ? 0.95 * race->threads[1] : 0.0});
    }
    for (size_t k = 1; k < race->n_kernel; k++) {
        const char *fast = nfsar_kernel_name(race->kernel[k]);
        const char *slow = nfsar_kernel_name(race->kernel[k - 1]);
        snprintf(text, sizeof text, "%s, 1 thread: %s / %s", name, slow, fast);
        bool avx = race->kernel[k] == NFSAR_KERNEL_AVX512;
        bench_ratio_rates(bench, text, row_of(race, k - 1, 0), row_of(race, k, 0),
                          (struct bench_goal){.at_least = avx ? 0.5 : 0.0});
    }
}

/* The yardstick and its own scan: fewer pulses still. */
struct naive_case {
    struct scan scan;
    naive_bp *naive;
    size_t row;
};

static enum nfsar_status begin_naive(struct bench *bench, const struct race *race,
                                     struct naive_case *naive, nfsar_error *error) {
    size_t n = bench->quick ? 2 : 6;
    const struct array_case few = {"", "pair", n, n, 24e-3, 24e-3};
    enum nfsar_status status = make_scan(bench, &few, &race->grid, &naive->scan, error);
    if (status == NFSAR_OK) {
        status = naive_bp_create(&naive->scan.capture, &race->grid, &naive->naive, error);
    }
    size_t voxels = nfsar_grid_voxels(&race->grid), pairs = naive->scan.capture.n_pulse;
    struct bench_row row = {.threads = 1,
                            .work = 1e-9 * (double)voxels * (double)pairs,
                            .unit = "G updates",
                            .kernel = "libm",
                            .error_db = NAN};
    snprintf(row.name, sizeof row.name, "plain double-precision loop, pair");
    snprintf(row.size, sizeof row.size, "%zu^3 voxels x %zu pairs", race->grid.x.count, pairs);
    naive->row = bench_row_add(bench, &row);
    return status;
}

static enum nfsar_status judge_naive(struct bench *bench, const struct race *race,
                                     const struct naive_case *naive, nfsar_error *error) {
    char text[80];
    float complex *image = malloc(nfsar_grid_voxels(&race->grid) * sizeof *image);
    if (image == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    naive_bp_image(naive->naive, image);
    bench->row[naive->row].error_db = bench_truth_error(&naive->scan.truth, image);
    free(image);
    for (size_t k = 0; k < race->n_kernel; k++) {
        snprintf(text, sizeof text, "pair, 1 thread: %s / plain double-precision loop",
                 nfsar_kernel_name(race->kernel[k]));
        bool best = k + 1 == race->n_kernel;
        bench_ratio_rates(bench, text, row_of(race, k, 0), naive->row,
                          (struct bench_goal){.at_least = best ? 50.0 : 0.0});
    }
    return NFSAR_OK;
}

static void end_naive(struct naive_case *naive) {
    naive_bp_destroy(naive->naive);
    free_scan(&naive->scan);
}

/* How long range compression takes: imaging a single voxel is hardly anything else. */
static enum nfsar_status begin_compression(struct bench *bench, struct race *race,
                                           struct bp_lane *one_voxel, nfsar_error *error) {
    nfsar_grid grid = race->grid;
    grid.x.count = grid.y.count = grid.z.count = 1;
    enum nfsar_status status =
        bp_lane_make(&race->whole.capture, &grid, bench_best_kernel(bench), 1, one_voxel, error);
    if (status == NFSAR_OK) {
        size_t row = bp_lane_row(bench, one_voxel, &race->whole.capture, &grid, 1,
                                 "pair, one voxel: range compression");
        if (!bench->out_of_memory) {
            bench->row[row].unit = "M pairs";
            bench->row[row].work = 1e-6 * (double)race->whole.capture.n_pulse;
        }
        race->lane[race->n_lane++] = (struct bench_lane){row, bp_lane_run, one_voxel};
    }
    return status;
}

/* A transmitter and a receiver, beside the yardstick. */
static enum nfsar_status race_pair(struct bench *bench, size_t *best, nfsar_error *error) {
    const struct array_case pair = {"pair", "pair", bench->quick ? 8 : 64, bench->quick ? 8 : 64,
                                    2e-3,   2e-3};
    struct race race;
    struct naive_case naive = {0};
    struct bp_lane one_voxel = {0};
    enum nfsar_status status = begin(bench, &pair, &race, error);
    if (status == NFSAR_OK) {
        status = begin_compression(bench, &race, &one_voxel, error);
    }
    if (status == NFSAR_OK) {
        status = begin_naive(bench, &race, &naive, error);
        race.lane[race.n_lane++] = (struct bench_lane){naive.row, naive_bp_run, naive.naive};
    }
    if (status == NFSAR_OK) {
        status = bench_race(bench, race.lane, race.n_lane, error);
    }
    if (status == NFSAR_OK) {
        status = judge_naive(bench, &race, &naive, error);
        judge(bench, &race, pair.name);
        *best = row_of(&race, race.n_kernel - 1, 0);
    }
    end_naive(&naive);
    bp_lane_free(&one_voxel);
    end(&race);
    return status;
}

static enum nfsar_status race_array(struct bench *bench, const struct array_case *at, size_t pair,
                                    nfsar_error *error) {
    struct race race;
    char text[80];
    enum nfsar_status status = begin(bench, at, &race, error);
    if (status == NFSAR_OK) {
        status = bench_race(bench, race.lane, race.n_lane, error);
    }
    if (status == NFSAR_OK) {
        snprintf(text, sizeof text, "1 thread, %s: %s / pair",
                 nfsar_kernel_name(race.kernel[race.n_kernel - 1]), at->name);
        bench_ratio_rates(bench, text, row_of(&race, race.n_kernel - 1, 0), pair,
                          (struct bench_goal){0});
        judge(bench, &race, at->name);
    }
    end(&race);
    return status;
}

enum nfsar_status bench_backprojection(struct bench *bench, nfsar_error *error) {
    bool quick = bench->quick;
    const struct array_case mimo = {"MIMO 3 x 4",   "xwr1443-3tx", quick ? 3 : 31,
                                    quick ? 2 : 11, 4e-3,          8e-3};
    const struct array_case mono = {"monostatic",   "single", quick ? 8 : 64,
                                    quick ? 8 : 64, 2e-3,     2e-3};
    size_t pair = 0;
    enum nfsar_status status = race_pair(bench, &pair, error);
    if (status == NFSAR_OK) {
        status = race_array(bench, &mimo, pair, error);
    }
    if (status == NFSAR_OK) {
        status = race_array(bench, &mono, pair, error);
    }
    return status;
}
