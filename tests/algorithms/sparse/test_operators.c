/* The pairs of operators: each is its own adjoint's adjoint, and does what the sum written out
 * does. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/support.h"

#include <nfsar/simulation.h>

#include "algorithms/sparse/cylindrical.h"
#include "algorithms/sparse/exact.h"
#include "algorithms/sparse/pair.h"
#include "algorithms/sparse/planar.h"
#include "algorithms/sparse/vectors.h"
#include "tests/radar.h"

/* A raster of n x n positions, of which some are taken away and the others moved. */
static void scan(const char *preset, size_t n, double step, double jitter, double rise,
                 size_t n_sample, nfsar_capture *capture) {
    nfsar_random random;
    nfsar_random_seed(&random, 5);
    radar_raster(preset, n, step, n, step, n_sample, capture);
    for (size_t i = 0; i < capture->n_pose; i++) {
        nfsar_vec3 *at = &capture->pose[i].position;
        at->x += jitter * (nfsar_random_uniform(&random) - 0.5);
        at->y += jitter * (nfsar_random_uniform(&random) - 0.5);
        at->z += rise * (nfsar_random_uniform(&random) - 0.5);
    }
}

/* |A x - the sum written out| / |that|, of a volume of random numbers; at some lines. */
static double error_of(const nfsar_capture *capture, const nfsar_grid *grid,
                       const struct linear_operator *op) {
    nfsar_error error;
    nfsar_random random;
    nfsar_random_seed(&random, 8);
    float complex *x = calloc(op->n_image, sizeof *x), *s = calloc(op->n_sample, sizeof *s);
    for (size_t i = 0; i < op->n_image; i++) {
        x[i] = (float complex)nfsar_random_complex_normal(&random);
    }
    assert_ok(op->forward(op->context, x, s, &error), error);
    size_t n_channel = capture->array.n_channel, n_sample = capture->n_sample;
    double off = 0.0, power = 0.0;
    nfsar_vec3 tx[64], rx[64];
    for (size_t p = 0; p < capture->n_pulse; p += capture->n_pulse / 9 + 1) {
        assert_ok(nfsar_capture_antennas(capture, false, p, 1, tx, rx, &error), error);
        for (size_t c = 0; c < n_channel; c++) {
            for (size_t k = 0; k < n_sample; k += 3) {
                double wave = 2.0 * NFSAR_PI * capture->frequency_hz[k] / NFSAR_SPEED_OF_LIGHT;
                double complex sum = 0.0;
                for (size_t i = 0; i < op->n_image; i++) {
                    size_t nx = grid->x.count, ny = grid->y.count;
                    nfsar_vec3 at = {nfsar_axis_at(&grid->x, i % nx),
                                     nfsar_axis_at(&grid->y, i / nx % ny),
                                     nfsar_axis_at(&grid->z, i / nx / ny)};
                    double path = nfsar_vec3_distance(at, tx[c]) + nfsar_vec3_distance(at, rx[c]);
                    sum += (double complex)x[i] * cexp(wave * path * I);
                }
                double complex got = (double complex)s[(p * n_channel + c) * n_sample + k];
                off += pow(cabs(got - sum), 2.0);
                power += pow(cabs(sum), 2.0);
            }
        }
    }
    free(x);
    free(s);
    return sqrt(off / power);
}

static const nfsar_grid volume = {{-0.02, 0.002, 21}, {-0.015, 0.0025, 14}, {0.2, 0.02, 3}};
static const nfsar_grid behind = {{-0.02, 0.002, 21}, {-0.015, 0.0025, 14}, {-0.24, 0.02, 3}};
static const nfsar_grid near = {{-0.02, 0.002, 21}, {-0.015, 0.0025, 14}, {0.11, 0.02, 2}};
static const nfsar_grid slice = {{-0.03, 0.001, 60}, {0.01, 1.0, 1}, {0.25, 1.0, 1}};

static void exact_is_adjoint(void **state) {
    (void)state;
    static const struct {
        const char *preset;
        const nfsar_grid *grid;
        double rise;
    } cases[] = {{"single", &volume, 0.0}, {"xwr1443-3tx", &volume, 0.0}, {"single", &slice, 0.05}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nfsar_error error;
        nfsar_capture capture;
        struct exact *exact = NULL;
        scan(cases[i].preset, 6, 0.012, 0.004, cases[i].rise, 32, &capture);
        assert_ok(exact_create(&capture, cases[i].grid, 0, &exact, &error), error);
        struct linear_operator op = exact_operator(exact);
        double mismatch = 1.0, off = error_of(&capture, cases[i].grid, &op);
        assert_ok(operator_mismatch(&op, 2, &mismatch, &error), error);
        print_message("exact, %-12s mismatch %.1e error %.1e\n", cases[i].preset, mismatch, off);
        assert_true(mismatch < 1e-5);
        assert_true(off < 1e-5);
        exact_destroy(exact);
        nfsar_capture_free(&capture);
    }
}

static void planar_is_adjoint(void **state) {
    (void)state;
    static const struct {
        const char *what, *preset;
        const nfsar_grid *grid;
        double jitter, rise;
        size_t n_sample;
        double error;
    } cases[] = {
        {"lattice", "single", &volume, 0.0, 0.0, 32, 2e-3},
        {"irregular", "single", &volume, 0.004, 0.0, 19, 2e-3},
        {"off the plane", "single", &volume, 0.004, 0.03, 16, 2e-3},
        {"grid behind", "single", &behind, 0.004, 0.01, 16, 2e-3},
        {"one line", "single", &slice, 0.0, 0.0, 16, 2e-3},
        /* Where one compensation for all leaves phases of more than 0.03 rad. */
        {"patches", "xwr1443-3tx", &near, 0.004, 0.0, 16, 0.03},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nfsar_error error;
        nfsar_capture capture;
        struct planar *planar = NULL;
        scan(cases[i].preset, 12, 0.006, cases[i].jitter, cases[i].rise, cases[i].n_sample,
             &capture);
        assert_ok(planar_create(&capture, cases[i].grid, 0, INFINITY, &planar, &error), error);
        struct linear_operator op = planar_operator(planar);
        double mismatch = 1.0, off = error_of(&capture, cases[i].grid, &op);
        assert_ok(operator_mismatch(&op, 2, &mismatch, &error), error);
        print_message("planar, %-14s %zu planes, %zu parts, mismatch %.1e error %.1e\n",
                      cases[i].what, planar_planes(planar), planar_parts(planar), mismatch, off);
        assert_true((planar_parts(planar) > 1) == (cases[i].grid == &near));
        assert_true(mismatch < 1e-5);
        assert_true(off < cases[i].error);
        planar_destroy(planar);
        nfsar_capture_free(&capture);
    }
}

static long peak_kib(void) {
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
}

/* Voxels so near to 172,800 lines that the grid has to be cut into 192 boxes, 4.7 GiB of them: seen
 * when one is planned. And `auto` sees from the sizes that they would take a minute, not 12 s. */
static void planar_sizes_before_it_plans(void **state) {
    (void)state;
    static const nfsar_grid wide = {{-0.05, 0.002, 51}, {-0.05, 0.002, 51}, {0.115, 0.002, 11}};
    nfsar_error error;
    nfsar_capture capture;
    struct planar *planar = NULL;
    struct pair pair;
    radar_raster("xwr1443-3tx", 120, 0.001, 120, 0.001, 8, &capture);
    long before = peak_kib();
    assert_int_equal(planar_create(&capture, &wide, 1, INFINITY, &planar, &error),
                     NFSAR_ERROR_MEMORY);
    assert_contains(error.message, "192 parts of up to");
    assert_contains(error.message, "GiB, above the 4 that they may take");
    assert_null(planar);
    assert_ok(pair_choose(&capture, &wide, NFSAR_SPARSE_AUTO, 1, &pair, &error), error);
    assert_int_equal(pair.which, NFSAR_SPARSE_EXACT);
    pair_release(&pair);
    assert_true(peak_kib() - before < 400 * 1024);
    nfsar_capture_free(&capture);
    scan("single", 12, 0.006, 0.0, 0.0, 8, &capture);
    assert_int_equal(planar_create(&capture, &volume, 1, 1e-6, &planar, &error),
                     NFSAR_ERROR_GEOMETRY);
    assert_contains(error.message, "1 part of the grid would take 0.");
    assert_contains(error.message, "s, and no more than 1e-06 s are given");
    nfsar_capture_free(&capture);
}

/* Positions on a cylinder of 0.3 m, of a turn of n_angle places by n_row heights, moved by as
 * much as half of `jitter` steps. */
static void turn(const char *preset, size_t n_angle, size_t n_row, double jitter,
                 nfsar_capture *capture) {
    nfsar_random random;
    nfsar_random_seed(&random, 6);
    radar_raster(preset, n_angle, 1e-3, n_row, 0.008, 16, capture);
    for (size_t i = 0; i < capture->n_pose; i++) {
        nfsar_pose *at = capture->pose + i;
        double moved = jitter * (nfsar_random_uniform(&random) - 0.5);
        double angle = 2.0 * NFSAR_PI * ((double)(i % n_angle) + moved) / (double)n_angle;
        at->position =
            (nfsar_vec3){0.3 * cos(angle), 0.008 * (double)(i / n_angle) - 0.01, 0.3 * sin(angle)};
    }
}

static void cylindrical_is_adjoint(void **state) {
    (void)state;
    static const nfsar_grid box = {{-0.02, 0.002, 21}, {-0.008, 0.002, 9}, {-0.016, 0.002, 17}};
    static const nfsar_grid level = {{-0.03, 0.001, 50}, {0.003, 1.0, 1}, {-0.02, 0.001, 41}};
    static const struct {
        const char *what, *preset;
        const nfsar_grid *grid;
        size_t n_angle, n_row;
        double jitter, error;
    } cases[] = {{"lattice", "single", &box, 120, 3, 0.0, 3e-4},
                 {"irregular", "single", &box, 90, 3, 0.8, 3e-4},
                 {"one height", "single", &level, 120, 1, 0.0, 3e-4},
                 {"an array", "xwr1443-3tx", &box, 60, 2, 0.5, 3e-3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nfsar_error error;
        nfsar_capture capture;
        struct cylindrical *made = NULL;
        turn(cases[i].preset, cases[i].n_angle, cases[i].n_row, cases[i].jitter, &capture);
        assert_ok(cylindrical_create(&capture, cases[i].grid, 0, &made, &error), error);
        struct linear_operator op = cylindrical_operator(made);
        double mismatch = 1.0, off = error_of(&capture, cases[i].grid, &op);
        assert_ok(operator_mismatch(&op, 2, &mismatch, &error), error);
        print_message("cylindrical, %-11s mismatch %.1e error %.1e\n", cases[i].what, mismatch,
                      off);
        assert_true(mismatch < 1e-5);
        assert_true(off < cases[i].error);
        cylindrical_destroy(made);
        nfsar_capture_free(&capture);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_is_adjoint),
        cmocka_unit_test(planar_is_adjoint),
        cmocka_unit_test(planar_sizes_before_it_plans),
        cmocka_unit_test(cylindrical_is_adjoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
