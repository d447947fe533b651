/* Non-uniform range migration against the exact sum in double precision, over the regime it claims.
 */
#include "tests/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/simulation.h>

#include "algorithms/nurma_plan.h"
#include "tests/images.h"
#include "tests/radar.h"

/* How samples and places of a trial are made. */
struct trial {
    const char *name;
    double tolerance;
    double half;   /* aperture: x and y within +-half */
    double offset; /* z of the places within +-offset */
    bool line;     /* places at x = 0 */
    bool noise;    /* samples are noise, not the echo of points */
    bool behind;   /* grid at negative z */
    nfsar_grid grid;
};

static double spread_evenly(nfsar_random *random, double half) {
    return half * (2.0 * nfsar_random_uniform(random) - 1.0);
}

/* n_sample frequencies over 77-81 GHz of one antenna at random places. */
static void scatter_pulses(size_t n, size_t n_sample, const struct trial *trial, uint64_t seed,
                           nfsar_capture *capture) {
    nfsar_random random;
    nfsar_random_seed(&random, seed);
    radar_raster("single", n, 0.0, 1, 0.0, n_sample, capture);
    for (size_t i = 0; i < n; i++) {
        capture->pose[i].position = (nfsar_vec3){
            trial->line ? 0.0 : spread_evenly(&random, trial->half),
            spread_evenly(&random, trial->half), spread_evenly(&random, trial->offset)};
    }
    double side = trial->behind ? -1.0 : 1.0, wide = trial->line ? 0.0 : 1.0;
    const nfsar_vec3 point[3] = {{0.01 * wide, 0.02, 0.3 * side},
                                 {-0.02 * wide, -0.01, 0.31 * side},
                                 {0.005 * wide, 0.0, 0.29 * side}};
    if (!trial->noise) {
        radar_add_points(capture, point, 3);
        return;
    }
    for (size_t i = 0; i < n * n_sample; i++) {
        capture->echo[i] = (float complex)nfsar_random_complex_normal(&random);
    }
}

/* Error of the image: root of sums of squares, relative to the exact sum. Where that all but
 * cancels, relative to what samples of random phase would make. */
static double relative_error(const nfsar_capture *capture, const nfsar_image *truth,
                             const nfsar_image *image) {
    double energy = 0.0, whole = 0.0;
    size_t voxels = nfsar_grid_voxels(&truth->grid);
    size_t n = capture->n_pulse * capture->array.n_channel * capture->n_sample;
    for (size_t i = 0; i < n; i++) {
        energy += (double)(crealf(capture->echo[i]) * crealf(capture->echo[i]) +
                           cimagf(capture->echo[i]) * cimagf(capture->echo[i]));
    }
    for (size_t i = 0; i < voxels; i++) {
        whole += (double)(crealf(truth->data[i]) * crealf(truth->data[i]) +
                          cimagf(truth->data[i]) * cimagf(truth->data[i]));
    }
    return image_error(truth, image) * sqrt(whole / fmax(whole, energy * (double)voxels));
}

static void turn_behind(nfsar_grid *grid) {
    grid->z.start = -nfsar_axis_end(&grid->z);
}

static double try_trial(const struct trial *trial, uint64_t seed) {
    nfsar_capture capture;
    nfsar_grid grid = trial->grid;
    scatter_pulses(120, 12, trial, seed, &capture);
    if (trial->behind) {
        turn_behind(&grid);
    }
    nfsar_nurma_options options = nfsar_nurma_defaults();
    options.tolerance = trial->tolerance;
    nfsar_image truth = image_bp(&capture, &grid, NFSAR_BP_DOUBLE);
    nfsar_image fast = image_nurma(&capture, &grid, &options);
    double error = relative_error(&capture, &truth, &fast);
    nfsar_image_free(&truth);
    nfsar_image_free(&fast);
    nfsar_capture_free(&capture);
    return error;
}

static void check_trials(const struct trial *trial, size_t n) {
    for (size_t i = 0; i < n; i++) {
#ifdef NFSAR_SANITIZED
        /* Large spectra take minutes under the sanitizers, which see the same code in small ones.
         */
        if (trial[i].half > 0.1 && !trial[i].line) {
            continue;
        }
#endif
        double error = try_trial(&trial[i], 100 + i);
        print_message("%s, %s, +-%g mm over +-%g cm: asked %.0e, got %.1e\n", trial[i].name,
                      trial[i].noise ? "noise" : "points", 1e3 * trial[i].offset,
                      1e2 * trial[i].half, trial[i].tolerance, error);
        assert_true(error < trial[i].tolerance);
    }
}

#define VOLUME                                                                                     \
    (nfsar_grid) {                                                                                 \
        .x = {-0.024, 0.004, 13}, .y = {-0.026, 0.004, 14}, .z = { 0.284, 0.008, 5 }               \
    }

/* What is asked is what comes out, at any offset. Larger apertures see the grid more aslant; at
 * 1e-5 only the smaller one is held to it. */
static void tolerance_is_kept(void **state) {
    (void)state;
    const struct trial trial[] = {
        {"volume", 1e-2, 0.125, 0.025, false, false, false, VOLUME},
        {"volume", 1e-3, 0.125, 0.025, false, true, false, VOLUME},
        {"volume", 1e-4, 0.125, 0.025, false, false, true, VOLUME},
        {"volume", 1e-2, 0.05, 0.025, false, true, true, VOLUME},
        {"volume", 1e-4, 0.05, 0.025, false, true, false, VOLUME},
        {"volume", 1e-5, 0.05, 0.025, false, false, false, VOLUME},
        {"volume", 1e-2, 0.125, 0.1, false, true, false, VOLUME},
        {"volume", 1e-2, 0.05, 0.1, false, false, false, VOLUME},
        {"volume", 1e-3, 0.05, 0.1, false, true, true, VOLUME},
        {"volume", 1e-4, 0.05, 0.1, false, false, false, VOLUME},
        {"volume", 1e-5, 0.05, 0.1, false, true, false, VOLUME},
    };
    check_trials(trial, sizeof trial / sizeof trial[0]);
}

/* A line of places: a slice through it, where the waves go in two dimensions, and one beside it,
 * where they do not. */
static void lines_of_places(void **state) {
    (void)state;
    const nfsar_grid slice = {.x = {0.0, 1.0, 1}, .y = {-0.04, 0.002, 41}, .z = {0.27, 0.004, 16}};
    nfsar_grid aside = slice;
    aside.x.start = 0.007;
    const struct trial trial[] = {
        {"line", 1e-2, 0.125, 0.025, true, false, false, slice},
        {"line", 1e-3, 0.125, 0.1, true, true, false, slice},
        {"line", 1e-4, 0.125, 0.025, true, true, true, slice},
        {"line", 1e-5, 0.05, 0.025, true, false, false, slice},
        {"line, flat", 1e-3, 0.125, 0.0, true, true, false, slice},
        {"slice beside the line", 1e-2, 0.05, 0.025, true, false, true, aside},
        {"slice beside the line", 1e-3, 0.125, 0.1, true, true, false, aside},
        {"volume round the line", 1e-3, 0.125, 0.025, true, false, false, VOLUME},
    };
    check_trials(trial, sizeof trial / sizeof trial[0]);
}

static void grids_of_all_shapes(void **state) {
    (void)state;
    const nfsar_grid slice = {
        .x = {-0.03, 0.0035, 17}, .y = {-0.021, 0.003, 15}, .z = {0.303, 1.0, 1}};
    const nfsar_grid column = {.x = {0.007, 1.0, 1}, .y = {-0.004, 1.0, 1}, .z = {0.27, 0.002, 31}};
    const nfsar_grid voxel = {.x = {0.01, 1.0, 1}, .y = {0.02, 1.0, 1}, .z = {0.3, 1.0, 1}};
    const nfsar_grid row = {.x = {-0.031, 0.0017, 37}, .y = {0.01, 1.0, 1}, .z = {0.3, 1.0, 1}};
    const nfsar_grid fine = {
        .x = {0.004, 0.0003, 21}, .y = {0.015, 0.0004, 19}, .z = {0.296, 0.0005, 9}};
    const nfsar_grid coarse = {
        .x = {-0.05, 0.017, 7}, .y = {-0.06, 0.013, 9}, .z = {0.25, 0.04, 4}};
    const nfsar_grid beside = {
        .x = {0.05, 0.004, 16}, .y = {-0.15, 0.004, 14}, .z = {0.29, 0.01, 3}};
    const struct trial trial[] = {
        {"slice", 1e-3, 0.125, 0.025, false, true, true, slice},
        {"column", 1e-3, 0.125, 0.025, false, true, false, column},
        {"column", 1e-2, 0.05, 0.1, false, false, true, column},
        {"voxel", 1e-2, 0.05, 0.0, false, false, false, voxel},
        {"voxel", 1e-3, 0.125, 0.025, false, false, true, voxel},
        {"voxel", 1e-4, 0.05, 0.1, false, true, false, voxel},
        {"row", 1e-3, 0.05, 0.1, false, false, false, row},
        {"fine steps", 1e-3, 0.125, 0.025, false, true, false, fine},
        {"fine steps", 1e-4, 0.05, 0.025, false, false, true, fine},
        {"coarse steps", 1e-3, 0.05, 0.1, false, true, true, coarse},
        {"coarse steps", 1e-2, 0.125, 0.025, false, false, false, coarse},
        {"beside", 1e-3, 0.05, 0.025, false, true, false, beside},
        {"beside", 1e-3, 0.125, 0.025, false, false, false, beside},
    };
    check_trials(trial, sizeof trial / sizeof trial[0]);
}

/* The plane is a choice of reference, before or behind the places: the image is that of the exact
 * sum all the same, where all places lie in one plane, too. */
static void any_plane(void **state) {
    (void)state;
    const double plane[4] = {-0.05, 0.04, 0.07, NAN};
    const nfsar_grid slice = {.x = {0.0, 1.0, 1}, .y = {-0.04, 0.004, 21}, .z = {0.27, 0.006, 9}};
    struct trial trial = {"any plane", 1e-3, 0.05, 0.0, false, true, false, VOLUME};
    for (int i = 0; i < 16; i++) {
        nfsar_capture capture;
        nfsar_nurma_options options = nfsar_nurma_defaults();
        trial.offset = i / 4 % 2 == 0 ? 0.0 : 0.01;
        trial.line = i / 8 == 1;
        trial.grid = trial.line ? slice : VOLUME;
        options.plane = plane[i % 4];
        scatter_pulses(120, 12, &trial, 7, &capture);
        nfsar_image truth = image_bp(&capture, &trial.grid, NFSAR_BP_DOUBLE);
        nfsar_image fast = image_nurma(&capture, &trial.grid, &options);
        assert_true(relative_error(&capture, &truth, &fast) < options.tolerance);
        nfsar_image_free(&truth);
        nfsar_image_free(&fast);
        nfsar_capture_free(&capture);
    }
}

/* What compensation at boresight and the closed form of a baseline of 5 mm + 2 lambda leave at
 * 79 GHz and 0.3 m, degrees: calculated apart from this code, from the exact ranges. */
static void residue_of_boresight(void **state) {
    (void)state;
    const double away[4] = {0.001, 0.005, 0.01, 0.025}, aside[5] = {0.0, 0.025, 0.05, 0.1, 0.125};
    const double table[5][4] = {{0.0, 0.2, 0.4, 1.1},
                                {0.7, 3.5, 7.2, 18.9},
                                {2.5, 13.2, 26.9, 71.0},
                                {9.2, 49.0, 100.0, 264.0},
                                {13.7, 73.0, 150.0, 394.0}};
    double k = 2.0 * NFSAR_PI / RADAR_LAMBDA, half = 0.5 * (0.005 + 2.0 * RADAR_LAMBDA);
    const nfsar_vec3 target = {0.0, 0.0, 0.3};
    for (int i = 0; i < 5; i++) {
        for (int j = 0; j < 4; j++) {
            nfsar_vec3 tx = {aside[i], half, away[j]}, rx = {aside[i], -half, away[j]};
            double baseline =
                nfsar_compensation_path(NFSAR_COMPENSATION_REFERENCE_POINT, tx, rx, target);
            tx.z = rx.z = 0.0;
            baseline -= nfsar_compensation_path(NFSAR_COMPENSATION_CLOSED_FORM, tx, rx, target);
            double left = (nurma_boresight_residue(away[j], aside[i], 0.3) + baseline) * k;
            print_message(" %7.2f", left * 180.0 / NFSAR_PI);
            assert_near(left * 180.0 / NFSAR_PI, table[i][j], 1.0);
        }
        print_message(" degrees at %g cm\n", 1e2 * aside[i]);
    }
}

/* Places at the corners of the aperture, and a voxel before their middle: the report is the exact
 * residue. */
static void report_of_a_scan(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    nfsar_nurma_report report;
    radar_raster("single", 2, 0.25, 2, 0.25, 5, &capture);
    capture.pose[0].position.z = 0.01;
    capture.pose[3].position.z = -0.03;
    nfsar_grid voxel = {.x = {0.0, 1.0, 1}, .y = {0.0, 1.0, 1}, .z = {0.3, 1.0, 1}};
    assert_ok(nfsar_nurma_check(&capture, &voxel, NULL, &report, &error), error);
    assert_near(report.plane, -0.01, 1e-12);
    assert_near(report.lowest_z, -0.03, 1e-12);
    assert_near(report.highest_z, 0.01, 1e-12);
    assert_true(report.layers > 1);
    double aside = hypot(0.125, 0.125), k = 2.0 * NFSAR_PI * 81e9 / NFSAR_SPEED_OF_LIGHT;
    double exact = 0.0;
    for (int sign = -1; sign <= 1; sign += 2) {
        /* 2R of the place itself, and what empm takes it for. */
        double d = 0.02 * sign;
        double itself = 2.0 * hypot(aside, 0.31 - d), taken = 2.0 * hypot(aside, 0.31) - 2.0 * d;
        exact = fmax(exact, k * fabs(itself - taken));
    }
    print_message("reported %.1f degrees, exact %.1f\n", report.boresight_rad * 180.0 / NFSAR_PI,
                  exact * 180.0 / NFSAR_PI);
    assert_near(report.boresight_rad, exact, 1e-9);
    nfsar_nurma_options options = nfsar_nurma_defaults();
    options.offsets = NFSAR_OFFSETS_BORESIGHT;
    assert_ok(nfsar_nurma_check(&capture, &voxel, &options, &report, &error), error);
    assert_int_equal(report.layers, 1);
    nfsar_capture_free(&capture);
}

/* On a lattice in a plane all methods are one. */
static void flat_lattice(void **state) {
    (void)state;
    const char *preset[2] = {"single", "xwr1443-2tx"};
    const nfsar_vec3 point[2] = {{0.006, 0.003, 0.2}, {-0.008, -0.004, 0.21}};
    nfsar_grid grid = {.x = {-0.012, 0.003, 9}, .y = {-0.011, 0.003, 8}, .z = {0.195, 0.005, 5}};
    for (int i = 0; i < 2; i++) {
        nfsar_capture capture;
        nfsar_rma_options rma = nfsar_rma_defaults();
        nfsar_nurma_options nurma = nfsar_nurma_defaults();
        radar_raster(preset[i], 32, RADAR_LAMBDA / 4.0, i == 0 ? 32 : 4,
                     i == 0 ? RADAR_LAMBDA / 4.0 : 2.0 * RADAR_LAMBDA, 16, &capture);
        radar_add_points(&capture, point, 2);
        rma.margin = 6.0;
        nurma.tolerance = 1e-4;
        nfsar_image lattice = image_rma(&capture, &grid, &rma);
        for (int offsets = 0; offsets < 3; offsets++) {
            nurma.offsets = (enum nfsar_offsets)offsets;
            nfsar_image any = image_nurma(&capture, &grid, &nurma);
            double apart = 20.0 * log10(image_error(&lattice, &any));
            print_message("%s, offsets %d: %.1f dB from rma\n", preset[i], offsets, apart);
            assert_true(apart < -60.0);
            nfsar_image_free(&any);
        }
        nfsar_image_free(&lattice);
        nfsar_capture_free(&capture);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tolerance_is_kept),   cmocka_unit_test(lines_of_places),
        cmocka_unit_test(grids_of_all_shapes), cmocka_unit_test(residue_of_boresight),
        cmocka_unit_test(report_of_a_scan),    cmocka_unit_test(flat_lattice),
        cmocka_unit_test(any_plane),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
