/* The simulator beside backprojection, whose adjoint it is. The update that both are counted by is
 * what one scatterer (voxel) and one transmit-receive pair have to do with each other; the rows
 * that count each sample of the pair's echo tell of the sum as it stands. */
#include "bench/bench.h"
#include "bench/bp_lane.h"
#include "bench/scan.h"
#include "bench/subjects.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/simulation.h>

/* Pulses and samples at which the echo is compared with the exact sum. */
enum { CHECK_PULSES = 2, CHECK_SAMPLES = 8 };

struct scene {
    nfsar_capture capture; /* its echo is what was simulated last */
    nfsar_scatterer *scatterer;
    size_t n;
};

struct team {
    const struct scene *scene;
    nfsar_simulation_options options;
};

static enum nfsar_status run(void *context, nfsar_error *error) {
    const struct team *team = context;
    const nfsar_capture *capture = &team->scene->capture;
    return nfsar_simulate(capture, team->scene->scatterer, team->scene->n, &team->options, 0,
                          capture->n_pulse, capture->echo, NULL, error);
}

static enum nfsar_status make_capture(const struct bench *bench, size_t pulses, double step,
                                      nfsar_capture *capture, nfsar_error *error) {
    struct bench_scan_options options = {.array = "pair",
                                         .nx = pulses,
                                         .ny = pulses,
                                         .step_x = step,
                                         .step_y = step,
                                         .n_sample = bench->quick ? 64 : 256,
                                         .grid = bench_bp_grid(bench)};
    return bench_scan_make(&options, capture, error);
}

/* Scatterers anywhere in the volume that backprojection images. */
static enum nfsar_status make_scene(const struct bench *bench, struct scene *scene,
                                    nfsar_error *error) {
    nfsar_grid grid = bench_bp_grid(bench);
    nfsar_random random;
    memset(scene, 0, sizeof *scene);
    enum nfsar_status status =
        make_capture(bench, bench->quick ? 2 : 8, 16e-3, &scene->capture, error);
    scene->n = bench->quick ? 1024 : 65536;
    scene->scatterer = malloc(scene->n * sizeof *scene->scatterer);
    if (status == NFSAR_OK && scene->scatterer == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    nfsar_random_seed(&random, 1);
    for (size_t i = 0; status == NFSAR_OK && i < scene->n; i++) {
        const nfsar_axis *axis[3] = {&grid.x, &grid.y, &grid.z};
        double at[3];
        for (int a = 0; a < 3; a++) {
            double end = nfsar_axis_end(axis[a]);
            at[a] = axis[a]->start + (end - axis[a]->start) * nfsar_random_uniform(&random);
        }
        double complex amplitude = nfsar_random_complex_normal(&random);
        scene->scatterer[i] = (nfsar_scatterer){{at[0], at[1], at[2]}, (float complex)amplitude};
    }
    return status;
}

static void free_scene(struct scene *scene) {
    nfsar_capture_free(&scene->capture);
    free(scene->scatterer);
}

static double complex exact_sample(const struct scene *scene, nfsar_vec3 tx, nfsar_vec3 rx,
                                   double frequency_hz) {
    double k = 2.0 * NFSAR_PI * frequency_hz / NFSAR_SPEED_OF_LIGHT;
    double complex sum = 0.0;
    for (size_t i = 0; i < scene->n; i++) {
        nfsar_vec3 at = scene->scatterer[i].position;
        double phase = k * (nfsar_vec3_distance(at, tx) + nfsar_vec3_distance(at, rx));
        sum += (double complex)scene->scatterer[i].reflectivity * (cos(phase) + I * sin(phase));
    }
    return sum;
}

/* Largest difference of the echo from the exact sum, in dB of the echo's peak. */
static enum nfsar_status find_error(const struct scene *scene, double *error_db,
                                    nfsar_error *error) {
    const nfsar_capture *capture = &scene->capture;
    double peak = 0.0, worst = 0.0;
    size_t n = capture->n_sample;
    for (size_t i = 0; i < capture->n_pulse * n; i++) {
        peak = fmax(peak, (double)cabsf(capture->echo[i]));
    }
    for (size_t p = 0; p < CHECK_PULSES; p++) {
        nfsar_vec3 tx, rx;
        size_t pulse = p * (capture->n_pulse - 1) / (CHECK_PULSES - 1);
        enum nfsar_status status = nfsar_capture_antennas(capture, true, pulse, 1, &tx, &rx, error);
        if (status != NFSAR_OK) {
            return status;
        }
        for (size_t s = 0; s < CHECK_SAMPLES; s++) {
            size_t sample = s * (n - 1) / (CHECK_SAMPLES - 1);
            double complex exact = exact_sample(scene, tx, rx, capture->frequency_hz[sample]);
            worst = fmax(worst, cabs(exact - (double complex)capture->echo[pulse * n + sample]));
        }
    }
    *error_db = 20.0 * log10(fmax(worst / peak, 1e-12));
    return NFSAR_OK;
}

static size_t add_row(struct bench *bench, const struct team *team) {
    const nfsar_capture *capture = &team->scene->capture;
    struct bench_row row = {.threads = team->options.threads,
                            .work = 1e-9 * (double)team->scene->n * (double)capture->n_pulse,
                            .unit = "G updates",
                            .error_db = NAN};
    snprintf(row.name, sizeof row.name, "simulation, pair");
    snprintf(row.size, sizeof row.size, "%zu x %zu pairs x %zu samples", team->scene->n,
             capture->n_pulse, capture->n_sample);
    snprintf(row.kernel, sizeof row.kernel, "%s", nfsar_kernel_name(team->options.kernel));
    return bench_row_add(bench, &row);
}

/* The same measurement, counted by samples. */
static void add_sample_row(struct bench *bench, size_t from, size_t n_sample) {
    struct bench_row row = bench->row[from];
    row.round = NULL;
    row.work *= (double)n_sample;
    row.unit = "G samples";
    snprintf(row.name, sizeof row.name, "the same, each sample counted");
    (void)bench_row_add(bench, &row);
}

static enum nfsar_status race(struct bench *bench, const struct scene *scene,
                              const nfsar_capture *scan, struct bp_lane bp[2], nfsar_error *error) {
    struct team team[2];
    struct bench_lane lane[4];
    int threads[2];
    size_t n = bench_thread_counts(bench, threads);
    nfsar_grid grid = bench_bp_grid(bench);
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        team[i] = (struct team){scene, {.threads = threads[i], .kernel = bench_best_kernel(bench)}};
        lane[2 * i] = (struct bench_lane){add_row(bench, &team[i]), run, &team[i]};
        status = bp_lane_make(scan, &grid, bench_best_kernel(bench), threads[i], &bp[i], error);
        if (status == NFSAR_OK) {
            size_t row = bp_lane_row(bench, &bp[i], scan, &grid, threads[i], "bp, pair");
            lane[2 * i + 1] = (struct bench_lane){row, bp_lane_run, &bp[i]};
        }
    }
    if (status == NFSAR_OK) {
        status = bench_race(bench, lane, 2 * n, error);
    }
    double error_db = NAN;
    if (status == NFSAR_OK) {
        status = find_error(scene, &error_db, error);
    }
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        char text[80];
        bench->row[lane[2 * i].row].error_db = error_db;
        add_sample_row(bench, lane[2 * i].row, scene->capture.n_sample);
        snprintf(text, sizeof text, "%d thread%s: simulation / bp", threads[i], i > 0 ? "s" : "");
        bench_ratio_rates(bench, text, lane[2 * i].row, lane[2 * i + 1].row,
                          (struct bench_goal){.at_least = 0.5});
    }
    if (status == NFSAR_OK && n > 1) {
        bench_ratio_rates(bench, "simulation, threads / 1 thread", lane[2].row, lane[0].row,
                          (struct bench_goal){0});
    }
    return status;
}

enum nfsar_status bench_simulation(struct bench *bench, nfsar_error *error) {
    struct scene scene;
    nfsar_capture scan = {0};
    struct bp_lane bp[2] = {{0}};
    enum nfsar_status status = make_scene(bench, &scene, error);
    if (status == NFSAR_OK) {
        status = make_capture(bench, bench->quick ? 8 : 64, 2e-3, &scan, error);
    }
    if (status == NFSAR_OK) {
        status = race(bench, &scene, &scan, bp, error);
    }
    bp_lane_free(&bp[0]);
    bp_lane_free(&bp[1]);
    nfsar_capture_free(&scan);
    free_scene(&scene);
    return status;
}
