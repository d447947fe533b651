/* The choice of method, and that what it makes is what exact backprojection makes: geometries at
 * the edge of what range migration can do. */
#include "tests/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/reconstruct.h>

#include "tests/images.h"
#include "tests/radar.h"

#define QUARTER (RADAR_LAMBDA / 4.0)

/* A raster whose radar has one transmitter at the origin and receivers at these places. */
static void custom_raster(const nfsar_vec3 *rx, size_t n_rx, size_t nx, double dx, size_t ny,
                          double dy, nfsar_capture *capture) {
    nfsar_capture raster;
    nfsar_array array;
    nfsar_error error;
    radar_raster("single", nx, dx, ny, dy, 32, &raster);
    assert_ok(nfsar_array_create(1, n_rx, &array, &error), error);
    memcpy(array.rx_m, rx, n_rx * sizeof *rx);
    assert_ok(nfsar_capture_create(nx * ny, 32, &array, true, capture, &error), error);
    memcpy(capture->pose, raster.pose, nx * ny * sizeof *raster.pose);
    memcpy(capture->frequency_hz, raster.frequency_hz, 32 * sizeof(double));
    nfsar_capture_free(&raster);
}

/* Image with the method that AUTO takes, and compare with the exact sum. */
static double against_truth(const nfsar_capture *capture, const nfsar_grid *grid,
                            enum nfsar_method expected, const char *reason) {
    nfsar_error error;
    nfsar_imager *imager;
    nfsar_image image;
    nfsar_echo_source source = nfsar_capture_source(capture);
    assert_ok(nfsar_imager_create(capture, NFSAR_METHOD_AUTO, NULL, &imager, &error), error);
    assert_ok(nfsar_imager_fit(imager, grid, &error), error);
    print_message("%s: %s\n", nfsar_method_name(nfsar_imager_method(imager)),
                  nfsar_imager_reason(imager));
    assert_int_equal(nfsar_imager_method(imager), expected);
    assert_contains(nfsar_imager_reason(imager), reason);
    assert_ok(nfsar_image_create(grid, &image, &error), error);
    assert_ok(nfsar_imager_run(imager, grid, &source, image.data, NULL, &error), error);
    nfsar_image truth = image_bp(capture, grid, NFSAR_BP_DOUBLE);
    double correlation = image_correlation(&truth, &image);
    print_message("  correlation with exact backprojection %.5f\n", correlation);
    nfsar_image_free(&truth);
    nfsar_image_free(&image);
    nfsar_imager_destroy(imager);
    return correlation;
}

/* One row, receivers at several heights: no line, although the lattice has one place in y. */
static void one_row_of_shifted_receivers(void **state) {
    (void)state;
    nfsar_capture capture;
    const nfsar_vec3 rx[3] = {{0.0, 0.0, 0.0}, {0.0, 0.007, 0.0}, {0.0, 0.0131, 0.0}};
    const nfsar_vec3 point[2] = {{0.01, 0.004, 0.2}, {-0.012, -0.01, 0.21}};
    custom_raster(rx, 3, 51, QUARTER, 1, 0.0, &capture);
    radar_add_points(&capture, point, 2);
    nfsar_grid plane = {.x = {-0.02, 0.002, 21}, .y = {0.0, 1.0, 1}, .z = {0.18, 0.004, 11}};
    assert_true(against_truth(&capture, &plane, NFSAR_METHOD_RMA, "3 shifted copies") > 0.995);
    nfsar_grid volume = {.x = {-0.02, 0.002, 21}, .y = {-0.02, 0.01, 5}, .z = {0.19, 0.01, 4}};
    assert_true(against_truth(&capture, &volume, NFSAR_METHOD_RMA, "3 shifted copies") > 0.995);
    nfsar_capture_free(&capture);
}

/* One row of one antenna images any place, not only its own plane. */
static void one_row_and_a_volume(void **state) {
    (void)state;
    nfsar_capture capture;
    const nfsar_vec3 point = {0.01, 0.03, 0.2};
    radar_raster("single", 51, QUARTER, 1, 0.0, 32, &capture);
    radar_add_points(&capture, &point, 1);
    nfsar_grid grid = {.x = {-0.02, 0.002, 21}, .y = {-0.04, 0.02, 5}, .z = {0.19, 0.01, 4}};
    assert_true(against_truth(&capture, &grid, NFSAR_METHOD_RMA, "lattice") > 0.999);
    nfsar_capture_free(&capture);
}

static void wide_baselines_go_to_backprojection(void **state) {
    (void)state;
    nfsar_capture capture;
    const nfsar_vec3 point[2] = {{0.02, 0.0, 0.19}, {-0.03, 0.02, 0.22}};
    const nfsar_vec3 wide = {0.0, 0.1, 0.0}, narrow = {0.0, 0.01, 0.0};
    nfsar_grid grid = {.x = {-0.04, 0.004, 21}, .y = {-0.04, 0.004, 21}, .z = {0.19, 0.03, 2}};
    custom_raster(&wide, 1, 50, QUARTER, 50, QUARTER, &capture);
    radar_add_points(&capture, point, 2);
    assert_true(against_truth(&capture, &grid, NFSAR_METHOD_BP, "so far apart") > 0.99999);
    /* Asked for all the same, rma says so. */
    nfsar_error error;
    nfsar_imager *imager;
    assert_ok(nfsar_imager_create(&capture, NFSAR_METHOD_RMA, NULL, &imager, &error), error);
    assert_ok(nfsar_imager_fit(imager, &grid, &error), error);
    assert_non_null(nfsar_imager_warning(imager));
    nfsar_imager_destroy(imager);
    nfsar_capture_free(&capture);
    custom_raster(&narrow, 1, 50, QUARTER, 50, QUARTER, &capture);
    radar_add_points(&capture, point, 2);
    assert_true(against_truth(&capture, &grid, NFSAR_METHOD_RMA, "lattice") > 0.99);
    nfsar_capture_free(&capture);
}

static void grids_that_range_migration_cannot_make(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    nfsar_imager *imager;
    const nfsar_vec3 point = {0.01, 0.0, 0.1};
    radar_raster("single", 20, QUARTER, 20, QUARTER, 16, &capture);
    radar_add_points(&capture, &point, 1);
    nfsar_grid through = {.x = {0.01, 1.0, 1}, .y = {0.0, 1.0, 1}, .z = {-0.02, 0.03, 5}};
    assert_true(against_truth(&capture, &through, NFSAR_METHOD_BP, "plane of the antennas") >
                0.9999);
    nfsar_grid aslant = {.x = {-0.4, 0.1, 9}, .y = {0.0, 1.0, 1}, .z = {0.05, 1.0, 1}};
    assert_true(against_truth(&capture, &aslant, NFSAR_METHOD_BP, "aslant") > 0.9999);
    nfsar_grid absurd = {.x = {-3e5, 1e5, 7}, .y = {0.0, 1.0, 1}, .z = {0.1, 1.0, 1}};
    assert_ok(nfsar_imager_create(&capture, NFSAR_METHOD_RMA, NULL, &imager, &error), error);
    assert_int_equal(nfsar_imager_fit(imager, &absurd, &error), NFSAR_ERROR_MEMORY);
    assert_contains(error.message, "metres");
    absurd.x.step = 1e300;
    assert_int_equal(nfsar_imager_fit(imager, &absurd, &error), NFSAR_ERROR_ARGUMENT);
    nfsar_imager_destroy(imager);
    nfsar_capture_free(&capture);
}

/* Depths from 6 cm to 2 m: bands that double keep the transforms small, and agree at their edges.
 */
static void deep_grids(void **state) {
    (void)state;
    nfsar_capture capture;
    const nfsar_vec3 point[3] = {{0.01, 0.0, 0.08}, {-0.01, 0.005, 0.5}, {0.0, 0.0, 1.5}};
    radar_raster("single", 60, QUARTER, 60, QUARTER, 32, &capture);
    radar_add_points(&capture, point, 3);
    nfsar_grid grid = {.x = {-0.015, 0.005, 7}, .y = {-0.015, 0.005, 7}, .z = {0.06, 0.02, 98}};
    assert_true(against_truth(&capture, &grid, NFSAR_METHOD_RMA, "lattice") > 0.999);
    nfsar_capture_free(&capture);
}

/* Parts of a grid, imaged one after the other, are the whole. */
static void parts_fit_each_other(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    nfsar_imager *imager;
    const nfsar_vec3 point[2] = {{0.01, 0.0, 0.16}, {-0.01, 0.005, 0.2}};
    radar_raster("xwr1443-3tx", 40, QUARTER, 5, 2.0 * RADAR_LAMBDA, 32, &capture);
    radar_add_points(&capture, point, 2);
    nfsar_grid grid = {.x = {-0.02, 0.002, 21}, .y = {-0.02, 0.004, 11}, .z = {0.14, 0.01, 9}};
    nfsar_echo_source source = nfsar_capture_source(&capture);
    nfsar_image whole, parts;
    assert_ok(nfsar_image_create(&grid, &whole, &error), error);
    assert_ok(nfsar_image_create(&grid, &parts, &error), error);
    assert_ok(nfsar_imager_create(&capture, NFSAR_METHOD_RMA, NULL, &imager, &error), error);
    assert_ok(nfsar_imager_fit(imager, &grid, &error), error);
    assert_ok(nfsar_imager_run(imager, &grid, &source, whole.data, NULL, &error), error);
    for (size_t i = 0; i < 9; i += 4) {
        nfsar_grid part = grid;
        part.z.start = nfsar_axis_at(&grid.z, i);
        part.z.count = i + 4 < 9 ? 4 : 9 - i;
        assert_ok(nfsar_imager_run(imager, &part, &source, parts.data + i * 21 * 11, NULL, &error),
                  error);
    }
    /* The padding follows the part's depths, so what wraps round differs. */
    assert_true(image_error(&whole, &parts) < 5e-3);
    nfsar_image_free(&whole);
    nfsar_image_free(&parts);
    nfsar_imager_destroy(imager);
    nfsar_capture_free(&capture);
}

/* A plane that is tilted and bent within the tolerance: what is off the lattice is taken out. */
static void deviations_within_tolerance(void **state) {
    (void)state;
    nfsar_capture capture;
    const nfsar_vec3 point[2] = {{0.01, 0.0, 0.2}, {-0.01, 0.012, 0.22}};
    radar_raster("single", 60, QUARTER, 60, QUARTER, 32, &capture);
    for (size_t i = 0; i < capture.n_pulse; i++) {
        nfsar_vec3 *p = &capture.pose[i].position;
        p->z = 0.1e-3 * (p->x + p->y) / 0.056;
    }
    radar_add_points(&capture, point, 2);
    nfsar_grid grid = {.x = {-0.02, 0.002, 21}, .y = {-0.02, 0.002, 21}, .z = {0.2, 0.02, 2}};
    assert_true(against_truth(&capture, &grid, NFSAR_METHOD_RMA, "lattice") > 0.995);
    nfsar_capture_free(&capture);
}

/* The window goes by where a phase centre is: two rows of twelve shifted channels have eight
 * different heights, and their ends are tapered. */
static void window_over_shifted_lattices(void **state) {
    (void)state;
    nfsar_capture capture;
    const nfsar_vec3 point = {0.0, 0.0, 0.2};
    const nfsar_vec3 rx[4] = {
        {0.0, -0.0111, 0.0}, {0.0, -0.0037, 0.0}, {0.0, 0.0037, 0.0}, {0.0, 0.0113, 0.0}};
    custom_raster(rx, 4, 30, QUARTER, 2, 0.0017, &capture);
    radar_add_points(&capture, &point, 1);
    nfsar_grid grid = {.x = {0.0, 1.0, 1}, .y = {-0.06, 0.002, 61}, .z = {0.2, 1.0, 1}};
    nfsar_rma_options options = nfsar_rma_defaults();
    nfsar_image plain = image_rma(&capture, &grid, &options);
    options.aperture_window = NFSAR_WINDOW_HANN;
    nfsar_image tapered = image_rma(&capture, &grid, &options);
    /* The main lobe widens: 40 mm off the peak the untapered cut is down, the tapered is not. */
    double narrow = (double)(cabsf(plain.data[20]) / cabsf(plain.data[30]));
    double wide = (double)(cabsf(tapered.data[20]) / cabsf(tapered.data[30]));
    print_message("20 mm off the peak: %.2f plain, %.2f tapered\n", narrow, wide);
    assert_true(wide > narrow + 0.1);
    nfsar_image_free(&plain);
    nfsar_image_free(&tapered);
    nfsar_capture_free(&capture);
}

/* Transmitter and receiver 6 cm apart at 0.25 m: one reference for the whole grid is not enough,
 * patches with a reference each are. */
static void patches_for_wide_baselines(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    const nfsar_vec3 rx[2] = {{0.0, 0.0, 0.0}, {0.06, 0.02, 0.0}};
    const nfsar_vec3 points[3] = {{0.02, 0.024, 0.25}, {-0.022, -0.01, 0.245}, {0.0, 0.0, 0.26}};
    custom_raster(rx, 2, 40, QUARTER, 40, QUARTER, &capture);
    radar_add_points(&capture, points, 3);
    nfsar_grid grid = {{-0.03, 0.0015, 41}, {-0.03, 0.0015, 41}, {0.24, 0.005, 5}};
    nfsar_image truth = image_bp(&capture, &grid, NFSAR_BP_DOUBLE), image;
    nfsar_echo_source source = nfsar_capture_source(&capture);
    double before = 0.0;
    assert_ok(nfsar_image_create(&grid, &image, &error), error);
    for (size_t n = 1; n <= 8; n *= 2) {
        nfsar_method_options options = nfsar_method_defaults();
        nfsar_imager *imager;
        options.patches = n;
        assert_ok(nfsar_imager_create(&capture, NFSAR_METHOD_RMA, &options, &imager, &error),
                  error);
        assert_ok(nfsar_imager_run(imager, &grid, &source, image.data, NULL, &error), error);
        double correlation = image_correlation(&truth, &image);
        print_message("%zu x %zu patches: correlation %.5f; %s\n", n, n, correlation,
                      nfsar_imager_reason(imager));
        assert_true(correlation > before);
        before = correlation;
        nfsar_imager_destroy(imager);
    }
    assert_true(before > 0.999);
    nfsar_method_options options = {.patches = 17};
    nfsar_imager *imager;
    assert_ok(nfsar_imager_create(&capture, NFSAR_METHOD_RMA, &options, &imager, &error), error);
    assert_int_equal(nfsar_imager_fit(imager, &grid, &error), NFSAR_ERROR_ARGUMENT);
    nfsar_imager_destroy(imager);
    nfsar_image_free(&truth);
    nfsar_image_free(&image);
    nfsar_capture_free(&capture);
}

/* What is said of wide baselines is said of what will be made: where patches do not make the image
 * right, none are made, and the warning is that of the image without. */
static void patches_that_do_not_help(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    nfsar_imager *imager[2];
    nfsar_method_options options[2] = {nfsar_method_defaults(), nfsar_method_defaults()};
    const nfsar_vec3 wide = {0.0, 0.1, 0.0};
    nfsar_grid grid = {.x = {-0.04, 0.0002, 401}, .y = {-0.04, 0.0002, 401}, .z = {0.1, 0.002, 60}};
    custom_raster(&wide, 1, 50, QUARTER, 50, QUARTER, &capture);
    options[1].patches = 1;
    for (int i = 0; i < 2; i++) {
        assert_ok(nfsar_imager_create(&capture, NFSAR_METHOD_RMA, &options[i], &imager[i], &error),
                  error);
        assert_ok(nfsar_imager_fit(imager[i], &grid, &error), error);
        assert_non_null(nfsar_imager_warning(imager[i]));
        print_message("%s; %s\n", nfsar_imager_warning(imager[i]), nfsar_imager_reason(imager[i]));
    }
    assert_string_equal(nfsar_imager_warning(imager[0]), nfsar_imager_warning(imager[1]));
    assert_string_equal(nfsar_imager_reason(imager[0]), nfsar_imager_reason(imager[1]));
    nfsar_imager_destroy(imager[0]);
    nfsar_imager_destroy(imager[1]);
    nfsar_capture_free(&capture);
}

/* A grid that was refused, or another grid, leaves nothing behind; an option that is wrong is not
 * passed over by taking the method that has no use for it. */
static void fitted_again(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    nfsar_imager *imager;
    nfsar_method_options options = nfsar_method_defaults();
    float complex voxel[1];
    radar_raster("single", 20, QUARTER, 20, QUARTER, 16, &capture);
    nfsar_echo_source source = nfsar_capture_source(&capture);
    nfsar_grid through = {.x = {0.01, 1.0, 1}, .y = {0.0, 1.0, 1}, .z = {-0.02, 0.03, 5}};
    nfsar_grid before = {.x = {0.01, 1.0, 1}, .y = {0.0, 1.0, 1}, .z = {0.1, 1.0, 1}};
    assert_ok(nfsar_imager_create(&capture, NFSAR_METHOD_AUTO, NULL, &imager, &error), error);
    assert_ok(nfsar_imager_fit(imager, &through, &error), error);
    assert_int_equal(nfsar_imager_method(imager), NFSAR_METHOD_BP);
    assert_ok(nfsar_imager_fit(imager, &before, &error), error);
    assert_int_equal(nfsar_imager_method(imager), NFSAR_METHOD_RMA);
    nfsar_imager_destroy(imager);
    options.patches = 17;
    assert_ok(nfsar_imager_create(&capture, NFSAR_METHOD_RMA, &options, &imager, &error), error);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(nfsar_imager_run(imager, &before, &source, voxel, NULL, &error),
                         NFSAR_ERROR_ARGUMENT);
    }
    nfsar_imager_destroy(imager);
    options = nfsar_method_defaults();
    options.nurma.tolerance = 5.0;
    capture.pose[7].position.z = 0.01;
    assert_ok(nfsar_imager_create(&capture, NFSAR_METHOD_AUTO, &options, &imager, &error), error);
    assert_int_equal(nfsar_imager_fit(imager, &before, &error), NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "tolerance 5");
    nfsar_imager_destroy(imager);
    nfsar_capture_free(&capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_row_of_shifted_receivers),
        cmocka_unit_test(one_row_and_a_volume),
        cmocka_unit_test(wide_baselines_go_to_backprojection),
        cmocka_unit_test(grids_that_range_migration_cannot_make),
        cmocka_unit_test(deep_grids),
        cmocka_unit_test(parts_fit_each_other),
        cmocka_unit_test(deviations_within_tolerance),
        cmocka_unit_test(window_over_shifted_lattices),
        cmocka_unit_test(patches_for_wide_baselines),
        cmocka_unit_test(patches_that_do_not_help),
        cmocka_unit_test(fitted_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
