/* Sparse reconstruction as a whole: a quarter of the positions against all of them imaged by
 * backprojection, and what is refused. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support.h"

#include <nfsar/simulation.h>
#include <nfsar/sparse.h>

#include "tests/images.h"
#include "tests/radar.h"

enum { STEPS = 31, SAMPLES = 6 };

static const nfsar_grid grid = {{-0.03, 0.0015, 41}, {-0.02, 0.002, 21}, {0.25, 1.0, 1}};

/* Voxels of the targets: two pairs that are 6 mm apart, and two others. */
static const size_t target[6] = {8 * 41 + 10,  8 * 41 + 14, 12 * 41 + 25,
                                 15 * 41 + 25, 5 * 41 + 33, 16 * 41 + 8};
static const double amplitude[6] = {1.0, 1.0, 1.0, 0.8, 0.5, 1.0};

static nfsar_vec3 place(size_t voxel) {
    return (nfsar_vec3){nfsar_axis_at(&grid.x, voxel % 41), nfsar_axis_at(&grid.y, voxel / 41),
                        grid.z.start};
}

/* The problems are so small that threads would mostly wait for each other. */
static nfsar_sparse_options on_one_thread(void) {
    nfsar_sparse_options options = nfsar_sparse_defaults();
    options.threads = 1;
    return options;
}

/* Every place of a lattice of 4 mm, or some of them at random; with noise 20 dB below the echoes.
 */
static void scan(double part, nfsar_capture *capture) {
    nfsar_random random;
    nfsar_random_seed(&random, 3);
    radar_raster("single", STEPS, 0.004, STEPS, 0.004, SAMPLES, capture);
    size_t n = 0;
    for (size_t i = 0; i < capture->n_pose; i++) {
        if (nfsar_random_uniform(&random) < part) {
            capture->pose[n++] = capture->pose[i];
        }
    }
    capture->n_pulse = capture->n_pose = n;
    double power = 0.0;
    for (size_t i = 0; i < n * SAMPLES; i++) {
        double wave = 2.0 * NFSAR_PI * capture->frequency_hz[i % SAMPLES] / NFSAR_SPEED_OF_LIGHT;
        double complex sum = 0.0;
        for (int t = 0; t < 6; t++) {
            double range =
                nfsar_vec3_distance(capture->pose[i / SAMPLES].position, place(target[t]));
            sum += amplitude[t] * cexp(2.0 * wave * range * I);
        }
        capture->echo[i] = (float complex)sum;
        power += pow(cabs(sum), 2.0);
    }
    double sigma = 0.1 * sqrt(power / (double)(n * SAMPLES));
    for (size_t i = 0; i < n * SAMPLES; i++) {
        capture->echo[i] += (float complex)(sigma * nfsar_random_complex_normal(&random));
    }
}

/* Of magnitudes as parts of their largest, against the targets' voxels. */
static double psnr(const float complex *image) {
    size_t n = nfsar_grid_voxels(&grid);
    float peak = 0.0f;
    for (size_t i = 0; i < n; i++) {
        peak = fmaxf(peak, cabsf(image[i]));
    }
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        double truth = 0.0;
        for (int t = 0; t < 6; t++) {
            truth = target[t] == i ? amplitude[t] : truth;
        }
        sum += pow((double)(cabsf(image[i]) / peak) - truth, 2.0);
    }
    return -10.0 * log10(sum / (double)n);
}

static void finds_few_targets(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture all, some;
    scan(1.0, &all);
    scan(0.25, &some);
    assert_true(some.n_pulse > 210 && some.n_pulse < 270);
    nfsar_image full = image_bp(&all, &grid, NFSAR_BP_SINGLE);
    float complex *image = calloc(nfsar_grid_voxels(&grid), sizeof *image);
    nfsar_echo_source source = nfsar_capture_source(&some);
    for (int o = NFSAR_SPARSE_EXACT; o <= NFSAR_SPARSE_PLANAR; o++) {
        nfsar_sparse_options options = on_one_thread();
        nfsar_sparse_report report;
        options.operators = (enum nfsar_sparse_operators)o;
        assert_ok(nfsar_sparse_run(&some, &grid, &source, &options, image, &report, NULL, &error),
                  error);
        print_message("%s: %zu iterations, residual %.3f, %.1f dB; all positions, bp: %.1f dB\n",
                      nfsar_sparse_operators_name(report.operators), report.iterations,
                      report.residual, psnr(image), psnr(full.data));
        assert_true(report.converged && report.operators == options.operators);
        assert_true(psnr(image) > psnr(full.data) + 10.0);
        /* Noise is a tenth; the penalty's bias is 0.05 of the strongest. */
        assert_true(report.residual > 0.08 && report.residual < 0.2);
        for (int t = 0; t < 6; t++) {
            /* The bias, and a little more where neighbours help to explain a target. */
            assert_near(cabsf(image[target[t]]), amplitude[t], 0.1);
        }
        /* A warm start has nothing left to do. */
        size_t cold = report.iterations;
        options.start = true;
        assert_ok(nfsar_sparse_run(&some, &grid, &source, &options, image, &report, NULL, &error),
                  error);
        assert_true(report.iterations <= cold / 4);
    }
    free(image);
    nfsar_image_free(&full);
    nfsar_capture_free(&all);
    nfsar_capture_free(&some);
}

static void takes_all_penalties(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture some;
    scan(0.1, &some);
    float complex *image = calloc(nfsar_grid_voxels(&grid), sizeof *image);
    nfsar_echo_source source = nfsar_capture_source(&some);
    for (int p = NFSAR_SPARSE_L1; p <= NFSAR_SPARSE_L1_TV; p++) {
        nfsar_sparse_options options = on_one_thread();
        nfsar_sparse_report report;
        options.penalty = (enum nfsar_sparse)p;
        options.iterations = 5;
        assert_ok(nfsar_sparse_run(&some, &grid, &source, &options, image, &report, NULL, &error),
                  error);
        assert_true((report.l1 > 0.0) == (p != NFSAR_SPARSE_TV));
        assert_true((report.tv > 0.0) == (p != NFSAR_SPARSE_L1));
        assert_false(report.converged);
        assert_int_equal(report.iterations, 5);
        /* Less than the objective of nothing. */
        double power = 0.0;
        for (size_t i = 0; i < some.n_pulse * SAMPLES; i++) {
            power += pow((double)cabsf(some.echo[i]), 2.0);
        }
        assert_true(report.objective < 0.5 * power && report.residual < 1.0);
    }
    /* No echo, no image. */
    memset(some.echo, 0, some.n_pulse * SAMPLES * sizeof *some.echo);
    nfsar_sparse_report report;
    assert_ok(nfsar_sparse_run(&some, &grid, &source, NULL, image, &report, NULL, &error), error);
    assert_true(report.converged);
    for (size_t i = 0; i < nfsar_grid_voxels(&grid); i++) {
        assert_true(image[i] == 0.0f);
    }
    free(image);
    nfsar_capture_free(&some);
}

/* Points on voxels, of a random part of the poses: they are found, and nothing else. */
static void find_points(nfsar_capture *capture, const nfsar_grid *where, const size_t voxel[2],
                        size_t n_pose, enum nfsar_sparse_operators operators) {
    nfsar_error error;
    nfsar_random random;
    nfsar_random_seed(&random, 4);
    for (size_t i = 0; i < n_pose; i++) {
        size_t other = i + (size_t)((double)(capture->n_pose - i) * nfsar_random_uniform(&random));
        nfsar_pose held = capture->pose[i];
        capture->pose[i].position = capture->pose[other].position;
        capture->pose[other].position = held.position;
    }
    capture->n_pulse = capture->n_pose = n_pose;
    nfsar_vec3 point[2];
    for (int t = 0; t < 2; t++) {
        size_t nx = where->x.count, ny = where->y.count;
        point[t] = (nfsar_vec3){nfsar_axis_at(&where->x, voxel[t] % nx),
                                nfsar_axis_at(&where->y, voxel[t] / nx % ny),
                                nfsar_axis_at(&where->z, voxel[t] / nx / ny)};
    }
    radar_add_points(capture, point, 2);
    nfsar_echo_source source = nfsar_capture_source(capture);
    nfsar_sparse_options options = on_one_thread();
    nfsar_sparse_report report;
    options.operators = operators;
    options.tolerance = 2e-2;
    float complex *image = calloc(nfsar_grid_voxels(where), sizeof *image);
    assert_ok(nfsar_sparse_run(capture, where, &source, &options, image, &report, NULL, &error),
              error);
    print_message("%s: %zu iterations, residual %.3f\n",
                  nfsar_sparse_operators_name(report.operators), report.iterations,
                  report.residual);
    assert_true(report.operators == operators && report.residual < 0.1);
    for (size_t i = 0; i < nfsar_grid_voxels(where); i++) {
        bool there = i == voxel[0] || i == voxel[1];
        assert_near(cabsf(image[i]), there ? 0.93 : 0.0, there ? 0.06 : 0.05);
    }
    free(image);
    nfsar_capture_free(capture);
}

/* Two depths and an array whose transmitters take turns, on boxes of the grid. */
static void finds_them_in_volumes(void **state) {
    (void)state;
    static const nfsar_grid volume = {{-0.02, 0.004, 11}, {-0.016, 0.004, 9}, {0.2, 0.04, 3}};
    const size_t voxel[2] = {3 * 11 + 2, (2 * 9 + 6) * 11 + 8};
    nfsar_capture capture;
    radar_raster("xwr1443-3tx", 16, 0.006, 16, 0.006, 4, &capture);
    find_points(&capture, &volume, voxel, 40, NFSAR_SPARSE_PLANAR);
}

static void finds_them_round_an_axis(void **state) {
    (void)state;
    static const nfsar_grid box = {{-0.02, 0.002, 21}, {-0.01, 0.01, 3}, {-0.016, 0.002, 17}};
    const size_t voxel[2] = {(4 * 3 + 1) * 21 + 6, (12 * 3 + 2) * 21 + 15};
    nfsar_capture capture;
    radar_raster("single", 120, 1e-3, 3, 1e-3, 6, &capture);
    for (size_t i = 0; i < capture.n_pose; i++) {
        double angle = 2.0 * NFSAR_PI * (double)(i % 120) / 120.0;
        capture.pose[i].position =
            (nfsar_vec3){0.3 * cos(angle), 0.01 * (double)(i / 120) - 0.01, 0.3 * sin(angle)};
    }
    find_points(&capture, &box, voxel, 120, NFSAR_SPARSE_CYLINDRICAL);
}

static void refuses(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture some;
    scan(0.02, &some);
    nfsar_echo_source source = nfsar_capture_source(&some);
    float complex *image = calloc(nfsar_grid_voxels(&grid), sizeof *image);
    nfsar_sparse_options options = on_one_thread();
    options.weight = 1.0;
    assert_int_equal(nfsar_sparse_run(&some, &grid, &source, &options, image, NULL, NULL, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "sparse weight 1: above 0 and below 1");
    options = on_one_thread();
    options.tolerance = NAN;
    assert_int_equal(nfsar_sparse_run(&some, &grid, &source, &options, image, NULL, NULL, &error),
                     NFSAR_ERROR_ARGUMENT);
    options = on_one_thread();
    options.iterations = 0;
    assert_int_equal(nfsar_sparse_run(&some, &grid, &source, &options, image, NULL, NULL, &error),
                     NFSAR_ERROR_ARGUMENT);
    /* A grid among the antennas is for the exact pair only. */
    nfsar_grid among = {{-0.01, 0.01, 3}, {-0.01, 0.01, 3}, {-0.05, 0.1, 2}};
    options = on_one_thread();
    options.operators = NFSAR_SPARSE_PLANAR;
    assert_int_equal(nfsar_sparse_run(&some, &among, &source, &options, image, NULL, NULL, &error),
                     NFSAR_ERROR_GEOMETRY);
    assert_contains(error.message, "planar operators: antennas at z from 0 to 0 m lie among");
    options.operators = NFSAR_SPARSE_AUTO;
    nfsar_sparse_report report;
    assert_ok(nfsar_sparse_run(&some, &among, &source, &options, image, &report, NULL, &error),
              error);
    assert_int_equal(report.operators, NFSAR_SPARSE_EXACT);
    /* No scale is too large or too small. */
    float complex *scaled = calloc(nfsar_grid_voxels(&grid), sizeof *scaled);
    options = on_one_thread();
    options.penalty = NFSAR_SPARSE_L1_TV;
    options.iterations = 3;
    assert_ok(nfsar_sparse_run(&some, &grid, &source, &options, image, NULL, NULL, &error), error);
    for (int e = -1; e <= 1; e += 2) {
        float scale = e < 0 ? 0x1p-100f : 0x1p100f;
        for (size_t i = 0; i < some.n_pulse * SAMPLES; i++) {
            some.echo[i] *= scale;
        }
        assert_ok(nfsar_sparse_run(&some, &grid, &source, &options, scaled, &report, NULL, &error),
                  error);
        for (size_t i = 0; i < nfsar_grid_voxels(&grid); i++) {
            assert_near(cabsf(scaled[i] / scale - image[i]), 0.0, 1e-5);
        }
        for (size_t i = 0; i < some.n_pulse * SAMPLES; i++) {
            some.echo[i] /= scale;
        }
    }
    free(scaled);
    /* Memory is counted before it is taken. */
    options.memory = 1000;
    assert_int_equal(nfsar_sparse_run(&some, &grid, &source, &options, image, NULL, NULL, &error),
                     NFSAR_ERROR_MEMORY);
    assert_contains(error.message, "more than the 0 MiB allowed: give a smaller grid");
    options = on_one_thread();
    options.start = true;
    image[8] = NAN;
    assert_int_equal(nfsar_sparse_run(&some, &grid, &source, &options, image, NULL, NULL, &error),
                     NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "voxel 8 of the start is not finite");
    options.threads = -1;
    assert_int_equal(nfsar_sparse_run(&some, &grid, &source, &options, image, NULL, NULL, &error),
                     NFSAR_ERROR_ARGUMENT);
    some.echo[3] = NAN;
    assert_int_equal(nfsar_sparse_run(&some, &grid, &source, NULL, image, NULL, NULL, &error),
                     NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "a sample of pulse 0 is not finite");
    enum nfsar_sparse penalty;
    assert_int_equal(nfsar_sparse_parse("l2", &penalty, &error), NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "known are l1, tv, l1+tv");
    free(image);
    nfsar_capture_free(&some);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_few_targets),
        cmocka_unit_test(takes_all_penalties),
        cmocka_unit_test(finds_them_in_volumes),
        cmocka_unit_test(finds_them_round_an_axis),
        cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
