/* Phase-gradient autofocus by a strong point: errors of many kinds are found; noise is not focused
 * into points. */
#include "tests/algorithms/autofocus/line_scan.h"

static const struct {
    double sigma;
    bool white;
    double left; /* of the range, at most: a sixteenth of the wavelength, but for clutter */
} errors[] = {{1e-3, false, 0.08e-3},
              {2e-3, false, 0.08e-3},
              {4e-3, false, 0.08e-3},
              {0.3e-3, true, 0.15e-3}};

static void poses_are_found(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        nfsar_capture capture;
        nfsar_phase_gradient found;
        nfsar_error error;
        nfsar_vec3 truth[PULSES];
        double each[PULSES];
        const nfsar_phase_gradient_options options = options_of();
        make_scan(10.0, 3.0, &capture);
        keep_truth(&capture, truth);
        const double best = entropy_of(&capture);
        disturb(&capture, errors[i].sigma, errors[i].white);
        const double wrong = range_error(&capture, truth, each);
        assert_ok(find(&capture, &options, &found, &error), error);
        assert_true(found.gained);
        print_message("entropy %.3f to %.3f (true poses %.3f), contrast %.2f to %.2f, held out "
                      "%.3f to %.3f\n",
                      found.before.entropy, found.after.entropy, best, found.before.contrast,
                      found.after.contrast, found.held_out_before, found.held_out_after);
        assert_true(found.after.entropy < found.before.entropy);
        assert_near(found.after.entropy, best, 0.02 * best);
        assert_true(found.held_out_after > 2.0 * found.held_out_before);
        assert_true(found.scatterer[0].after > 0.95);
        nfsar_phase_gradient_move(&found, &capture);
        const double left = align(&capture, truth);
        const double like = likeness(&capture, truth);
        print_message("%.1f mm %s: range error %.3f mm, %.3f mm left, correlation %.4f\n",
                      1e3 * errors[i].sigma, errors[i].white ? "white" : "smooth", 1e3 * wrong,
                      1e3 * left, like);
        assert_true(left < errors[i].left);
        assert_true(like >= 0.95);
        nfsar_phase_gradient_free(&found);
        nfsar_capture_free(&capture);
    }
}

/* Scatterers at angles of a radian and more tell both coordinates of the plane of the scan. */
static void displacements_are_spatial(void **state) {
    (void)state;
    enum { POINTS = 12 };
    nfsar_scatterer scatterer[POINTS];
    nfsar_capture capture;
    nfsar_phase_gradient found;
    nfsar_error error;
    nfsar_random random;
    nfsar_vec3 truth[PULSES];
    nfsar_phase_gradient_options options = nfsar_phase_gradient_defaults();
    options.grid = (nfsar_grid){{-0.3, 1.5e-3, 401}, {0.0, 1.0, 1}, {0.2, 5e-3, 101}};
    radar_raster("single", PULSES, 1e-3, 1, 1e-3, SAMPLES, &capture);
    for (int i = 0; i < POINTS; i++) {
        scatterer[i] = (nfsar_scatterer){
            {0.24 * sin(2.0 * i + 1.0), 0.0, 0.24 + 0.4 * (double)i / (POINTS - 1)}, 1.0f};
    }
    assert_ok(
        nfsar_simulate(&capture, scatterer, POINTS, NULL, 0, PULSES, capture.echo, NULL, &error),
        error);
    nfsar_random_seed(&random, 9);
    for (size_t i = 0; i < (size_t)PULSES * SAMPLES; i++) {
        capture.echo[i] += (float complex)(0.5 * nfsar_random_complex_normal(&random));
    }
    keep_truth(&capture, truth);
    disturb(&capture, 0.5e-3, false);
    for (size_t l = 0; l < PULSES; l++) {
        capture.pose[l].position.y = 0.0; /* across the plane nothing is told */
    }
    double before = plane_error(&capture, truth);
    assert_ok(find(&capture, &options, &found, &error), error);
    nfsar_phase_gradient_move(&found, &capture);
    double after = plane_error(&capture, truth);
    print_message(
        "%zu scatterers, condition %.3g, entropy %.3f to %.3f: %.3f mm before, %.3f now\n",
        found.n_scatterer, found.condition, found.before.entropy, found.after.entropy, 1e3 * before,
        1e3 * after);
    assert_true(found.gained && found.spatial);
    assert_true(found.condition >= 1.0 && found.condition < 100.0);
    assert_true(after < 0.3 * before);
    nfsar_phase_gradient_free(&found);
    nfsar_capture_free(&capture);
}

/* Phases of the pulses that no place of the radar makes. */
static void phases_are_found(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_phase_gradient found;
    nfsar_error error;
    nfsar_random random;
    nfsar_vec3 truth[PULSES];
    nfsar_phase_gradient_options options = options_of();
    options.error = NFSAR_PHASE_PER_PULSE;
    make_scan(10.0, 3.0, &capture);
    keep_truth(&capture, truth);
    nfsar_image best = image_bp(&capture, &options.grid, NFSAR_BP_SINGLE);
    nfsar_random_seed(&random, 2);
    for (size_t l = 0; l < PULSES; l++) {
        const double phase = 1.5 * nfsar_random_normal(&random);
        for (size_t n = 0; n < SAMPLES; n++) {
            capture.echo[l * SAMPLES + n] *= (float complex)(cos(phase) + I * sin(phase));
        }
    }
    assert_ok(find(&capture, &options, &found, &error), error);
    assert_true(found.gained);
    assert_near(found.displacement_m[7].x, 0.0, 0.0);
    nfsar_phase_gradient_turn(&found, &capture, 0, 100, capture.echo);
    nfsar_phase_gradient_turn(&found, &capture, 100, PULSES - 100,
                              capture.echo + (size_t)100 * SAMPLES);
    nfsar_image image = image_bp(&capture, &options.grid, NFSAR_BP_SINGLE);
    nfsar_image_comparison comparison;
    assert_ok(nfsar_image_compare(&best, &image, &comparison, &error), error);
    print_message("phases of 1.5 rad: correlation %.4f\n", comparison.complex_correlation);
    assert_true(comparison.complex_correlation > 0.97);
    nfsar_image_free(&image);
    nfsar_image_free(&best);
    nfsar_phase_gradient_free(&found);
    nfsar_capture_free(&capture);
}

/* Ranges that err by more than a cell (37 mm): envelopes first. The point is told, as there is
 * nothing to be seen in the image. */
static void envelopes_are_aligned(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_phase_gradient found;
    nfsar_error error;
    nfsar_random random;
    nfsar_phase_gradient_options options = options_of();
    options.has_point = true;
    options.point = strong;
    make_scan(10.0, 3.0, &capture);
    nfsar_random_seed(&random, 5);
    for (size_t l = 0; l < PULSES; l++) {
        move(&capture, l, 0.0, 0.0, 0.04 * nfsar_random_normal(&random));
    }
    assert_ok(find(&capture, &options, &found, &error), error);
    assert_true(found.gained && found.aligned);
    assert_true(found.scatterer[0].after > 0.9);
    print_message("40 mm white: peak %.3g before, %.3g now\n", found.before.peak, found.after.peak);
    assert_true(found.after.peak > 4.0 * found.before.peak);
    nfsar_phase_gradient_free(&found);
    nfsar_capture_free(&capture);
}

/* True poses stay: what is found is what clutter makes of the line of sight. */
static void true_poses_stay(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_phase_gradient found;
    nfsar_error error;
    nfsar_vec3 truth[PULSES];
    const nfsar_phase_gradient_options options = options_of();
    make_scan(10.0, 3.0, &capture);
    keep_truth(&capture, truth);
    assert_ok(find(&capture, &options, &found, &error), error);
    assert_true(found.rms_m < 0.1e-3);
    nfsar_phase_gradient_move(&found, &capture);
    assert_true(align(&capture, truth) < 0.1e-3);
    assert_true(likeness(&capture, truth) > 0.99);
    nfsar_phase_gradient_free(&found);
    nfsar_capture_free(&capture);
}

/* A place that somebody told is where the scatterer is. */
static void a_told_place_stays(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_phase_gradient found;
    nfsar_error error;
    nfsar_phase_gradient_options options = options_of();
    options.has_point = true;
    options.point = strong;
    make_scan(10.0, 3.0, &capture);
    disturb(&capture, 2e-3, false);
    assert_ok(find(&capture, &options, &found, &error), error);
    assert_true(found.gained);
    assert_near(nfsar_vec3_distance(found.scatterer[0].place, strong), 0.0, 1e-12);
    nfsar_phase_gradient_free(&found);
    nfsar_capture_free(&capture);
}

/* Voxels that miss what is between them are refused with the grid to give, or made fine enough. */
static void coarse_grids_are_made_fine(void **state) {
    (void)state;
    const bool all[3] = {true, true, true}, but_z[3] = {true, true, false};
    nfsar_capture capture;
    nfsar_phase_gradient found;
    nfsar_error error;
    nfsar_phase_gradient_options options = options_of();
    make_scan(10.0, 3.0, &capture);
    options.grid.z = (nfsar_axis){0.25, 0.1, 2};
    assert_int_equal(find(&capture, &options, &found, &error), NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "give --z=0.25:0.35:");
    nfsar_grid grid = options.grid;
    nfsar_phase_gradient_refine(&capture, but_z, 1000000, &grid);
    assert_int_equal(grid.z.count, 2);
    nfsar_phase_gradient_refine(&capture, all, 2 * 161, &grid);
    assert_int_equal(grid.z.count, 2);
    nfsar_phase_gradient_refine(&capture, all, 1000000, &grid);
    assert_true(grid.z.count > 4);
    assert_near(grid.z.start, 0.25, 1e-12);
    assert_near(nfsar_axis_end(&grid.z), 0.35, 1e-9);
    assert_int_equal(grid.x.count, 161);
    options.grid = grid;
    assert_ok(find(&capture, &options, &found, &error), error);
    nfsar_phase_gradient_free(&found);
    nfsar_capture_free(&capture);
}

/* Noise is refused, also where somebody says that a point is there. */
static void noise_is_refused(void **state) {
    (void)state;
    for (int told = 0; told < 2; told++) {
        for (int per_pulse = 0; per_pulse < 2; per_pulse++) {
            nfsar_capture capture;
            nfsar_phase_gradient found;
            nfsar_error error;
            nfsar_phase_gradient_options options = options_of();
            options.has_point = told == 1;
            options.point = strong;
            options.error = per_pulse ? NFSAR_PHASE_PER_PULSE : NFSAR_PHASE_OF_POSES;
            make_scan(0.0, 1.0, &capture);
            assert_int_equal(find(&capture, &options, &found, &error), NFSAR_ERROR_FORMAT);
            assert_contains(error.message, told == 1 ? "noise" : "no scatterer stands out");
            assert_null(found.displacement_m);
            nfsar_capture_free(&capture);
        }
    }
}

static void impossible_options_are_named(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_phase_gradient found;
    nfsar_error error;
    nfsar_phase_gradient_options options = options_of();
    make_scan(0.0, 1.0, &capture);
    options.scatterers = 0;
    assert_int_equal(find(&capture, &options, &found, &error), NFSAR_ERROR_ARGUMENT);
    options = options_of();
    options.has_point = true;
    options.point.x = NAN;
    assert_int_equal(find(&capture, &options, &found, &error), NFSAR_ERROR_ARGUMENT);
    options = options_of();
    options.grid.x.count = 0;
    assert_int_not_equal(find(&capture, &options, &found, &error), NFSAR_OK);
    nfsar_capture_free(&capture);
    radar_raster("single", 10, 1e-3, 1, 1e-3, SAMPLES, &capture);
    options = options_of();
    assert_int_equal(find(&capture, &options, &found, &error), NFSAR_ERROR_GEOMETRY);
    assert_contains(error.message, "10 pulses");
    nfsar_capture_free(&capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(displacements_are_spatial),
        cmocka_unit_test(poses_are_found),
        cmocka_unit_test(phases_are_found),
        cmocka_unit_test(envelopes_are_aligned),
        cmocka_unit_test(true_poses_stay),
        cmocka_unit_test(a_told_place_stays),
        cmocka_unit_test(coarse_grids_are_made_fine),
        cmocka_unit_test(noise_is_refused),
        cmocka_unit_test(impossible_options_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
