/* Planar range migration against double-precision backprojection, over the regime it claims. */
#include "tests/support.h"

#include <math.h>

#include "tests/images.h"
#include "tests/radar.h"

#define QUARTER (RADAR_LAMBDA / 4.0)

/* Grid of a line scan along y: a depth slice through the 21 points. */
static nfsar_grid line_grid(double depth) {
    return (nfsar_grid){
        .x = {0.0, 1.0, 1}, .y = {-0.06, 0.0012, 101}, .z = {depth - 0.05, 0.004, 26}};
}

static void points_on_line(double depth, nfsar_vec3 point[21]) {
    for (int i = 0; i < 21; i++) {
        point[i] = (nfsar_vec3){0.0, 0.015 * (i % 7 - 3), depth + 0.03 * (i / 7 - 1)};
    }
}

static void line_of_single_antenna(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_vec3 point[21];
    radar_raster("single", 1, 0.0, 264, QUARTER, 64, &capture);
    points_on_line(0.3, point);
    radar_add_points(&capture, point, 21);
    nfsar_grid grid = line_grid(0.3);
    nfsar_image truth = image_bp(&capture, &grid, NFSAR_BP_DOUBLE);
    nfsar_image fast = image_rma(&capture, &grid, NULL);
    double correlation = image_correlation(&truth, &fast);
    double difference = image_error(&truth, &fast);
    print_message("line, single antenna, 0.3 m: correlation %.6f, relative error %.4f\n",
                  correlation, difference);
    assert_true(correlation >= 0.9999);
    /* Not only the shape: amplitude and phase are backprojection's. */
    assert_true(difference < 2e-3);
    nfsar_image_free(&truth);
    nfsar_image_free(&fast);
    nfsar_capture_free(&capture);
}

static double mimo_line(const char *preset, double depth, enum nfsar_compensation model) {
    nfsar_capture capture;
    nfsar_vec3 point[21];
    radar_raster(preset, 1, 0.0, 33, 2.0 * RADAR_LAMBDA, 64, &capture);
    points_on_line(depth, point);
    radar_add_points(&capture, point, 21);
    nfsar_grid grid = line_grid(depth);
    nfsar_rma_options options = nfsar_rma_defaults();
    options.compensation = model;
    nfsar_image truth = image_bp(&capture, &grid, NFSAR_BP_DOUBLE);
    nfsar_image fast = image_rma(&capture, &grid, &options);
    double correlation = image_correlation(&truth, &fast);
    print_message("line, %s, %.2f m, compensation %s: correlation %.5f, relative error %.4f\n",
                  preset, depth, nfsar_compensation_name(model), correlation,
                  image_error(&truth, &fast));
    nfsar_image_free(&truth);
    nfsar_image_free(&fast);
    nfsar_capture_free(&capture);
    return correlation;
}

static void line_of_8_channels(void **state) {
    (void)state;
    double none = mimo_line("xwr1443-2tx", 0.3, NFSAR_COMPENSATION_NONE);
    double closed = mimo_line("xwr1443-2tx", 0.3, NFSAR_COMPENSATION_CLOSED_FORM);
    double point = mimo_line("xwr1443-2tx", 0.3, NFSAR_COMPENSATION_REFERENCE_POINT);
    assert_true(closed >= 0.99 && point >= 0.99);
    assert_true(closed > none && point > none);
}

#ifndef NFSAR_SANITIZED
/* The 21 points in space, small grid, full square aperture of 0.25 m. */
static void volume(const char *preset, double depth, double *correlation, double *difference) {
    bool mimo = preset[0] == 'x';
    nfsar_capture capture;
    nfsar_vec3 point[21];
    radar_raster(preset, 264, QUARTER, mimo ? 33 : 264, mimo ? 2.0 * RADAR_LAMBDA : QUARTER, 64,
                 &capture);
    radar_21_points(depth, point);
    radar_add_points(&capture, point, 21);
    /* Through three of the points and their surroundings, one in each row. */
    nfsar_grid grid = {
        .x = {0.012, 0.0015, 5}, .y = {-0.033, 0.0015, 25}, .z = {depth - 0.02, 0.02, 3}};
    nfsar_image truth = image_bp(&capture, &grid, NFSAR_BP_DOUBLE);
    for (int model = 0; model < 3; model++) {
        nfsar_rma_options options = nfsar_rma_defaults();
        options.compensation = (enum nfsar_compensation)model;
        options.reference = (nfsar_vec3){0.0, 0.0, depth};
        nfsar_image fast = image_rma(&capture, &grid, &options);
        correlation[model] = image_correlation(&truth, &fast);
        difference[model] = image_error(&truth, &fast);
        print_message("volume, %s, %.2f m, compensation %s: correlation %.5f, error %.4f\n", preset,
                      depth, nfsar_compensation_name(options.compensation), correlation[model],
                      difference[model]);
        nfsar_image_free(&fast);
    }
    nfsar_image_free(&truth);
    nfsar_capture_free(&capture);
}

static void volume_of_single_antenna(void **state) {
    (void)state;
    double correlation[3], difference[3];
    volume("single", 0.3, correlation, difference);
    assert_true(correlation[0] >= 0.9999);
    assert_true(difference[0] < 5e-3);
}

static void volume_of_8_channels(void **state) {
    (void)state;
    double correlation[3], difference[3];
    volume("xwr1443-2tx", 0.3, correlation, difference);
    assert_true(correlation[1] >= 0.99 && correlation[2] >= 0.99);
    assert_true(difference[2] < 0.5 * difference[0]);
}

/* Near and wide: three transmitters at 0.15 m. Without compensation most of the phase is still
 * common to all points; what differs between them is what the correlation loses. */
static void compensation_matters_near(void **state) {
    (void)state;
    double correlation[3], difference[3];
    volume("xwr1443-3tx", 0.15, correlation, difference);
    assert_true(correlation[2] >= 0.99);
    assert_true(1.0 - correlation[2] < 0.5 * (1.0 - correlation[0]));
    assert_true(difference[2] < 0.25 * difference[0]);
}
#endif

/* Blocks of frequencies and slabs of depths must give what one piece gives. */
static void memory_limit_changes_nothing(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_vec3 point[2] = {{0.01, 0.0, 0.2}, {-0.004, 0.006, 0.215}};
    radar_raster("single", 40, QUARTER, 40, QUARTER, 32, &capture);
    radar_add_points(&capture, point, 2);
    nfsar_grid grid = {.x = {-0.02, 0.001, 41}, .y = {-0.02, 0.001, 37}, .z = {0.19, 0.003, 13}};
    nfsar_rma_options options = nfsar_rma_defaults();
    nfsar_image whole = image_rma(&capture, &grid, &options);
    options.memory = 600000;
    options.threads = 3;
    nfsar_image pieces = image_rma(&capture, &grid, &options);
    assert_true(image_error(&whole, &pieces) < 1e-5);
    nfsar_image_free(&whole);
    nfsar_image_free(&pieces);
    nfsar_capture_free(&capture);
}

/* One slice, and a grid of other spacing and place: each voxel has the value that any other grid
 * gives it. */
static void grid_is_the_one_asked_for(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_vec3 point = {0.003, -0.005, 0.21};
    radar_raster("single", 48, QUARTER, 32, 1.3 * QUARTER, 32, &capture);
    radar_add_points(&capture, &point, 1);
    nfsar_grid fine = {.x = {-0.01, 0.0005, 41}, .y = {-0.01, 0.0005, 41}, .z = {0.2, 0.005, 5}};
    nfsar_grid coarse = {.x = {-0.009, 0.001, 16}, .y = {-0.008, 0.0015, 9}, .z = {0.21, 1.0, 1}};
    nfsar_image a = image_rma(&capture, &fine, NULL), b = image_rma(&capture, &coarse, NULL);
    double peak = 0.0, worst = 0.0;
    for (size_t j = 0; j < coarse.y.count; j++) {
        for (size_t i = 0; i < coarse.x.count; i++) {
            size_t at = (2 * 41 + 3 * j + 4) * 41 + 2 * i + 2;
            peak = fmax(peak, (double)cabsf(a.data[at]));
            worst = fmax(worst, (double)cabsf(a.data[at] - b.data[j * coarse.x.count + i]));
        }
    }
    /* The padding differs with the grid, so what wraps round differs. */
    print_message("two grids, same voxels: %.1e of the peak\n", worst / peak);
    assert_true(worst < 1e-3 * peak);
    nfsar_image_free(&a);
    nfsar_image_free(&b);
    nfsar_capture_free(&capture);
}

/* A target behind the radar: the same image mirrored. */
static void either_side_of_the_plane(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_vec3 point = {0.003, -0.005, -0.21};
    radar_raster("single", 32, QUARTER, 32, QUARTER, 32, &capture);
    radar_add_points(&capture, &point, 1);
    nfsar_grid grid = {.x = {-0.012, 0.001, 25}, .y = {-0.012, 0.001, 25}, .z = {-0.23, 0.01, 5}};
    nfsar_image truth = image_bp(&capture, &grid, NFSAR_BP_DOUBLE);
    nfsar_image fast = image_rma(&capture, &grid, NULL);
    print_message("behind the radar: relative error %.4f\n", image_error(&truth, &fast));
    assert_true(image_error(&truth, &fast) < 1e-3);
    nfsar_image_free(&truth);
    nfsar_image_free(&fast);
    nfsar_capture_free(&capture);
}

/* Four receivers along the scan whose spacing does not divide the step, as in the real plate scan:
 * the lattice splits into four shifted ones, and the result is still backprojection's. */
static void shifted_lattices(void **state) {
    (void)state;
    nfsar_capture capture, along;
    nfsar_array array;
    nfsar_error error;
    nfsar_vec3 point[2] = {{0.01, 0.0, 0.2}, {-0.004, 0.006, 0.215}};
    radar_raster("single", 60, 0.000725, 30, 0.0014, 32, &capture);
    assert_ok(nfsar_array_create(1, 4, &array, &error), error);
    for (size_t i = 0; i < 4; i++) {
        array.rx_m[i].x = 2.0 * QUARTER * (double)i;
    }
    assert_ok(nfsar_capture_create(1800, 32, &array, true, &along, &error), error);
    for (size_t i = 0; i < 1800; i++) {
        along.pose[i] = capture.pose[i];
    }
    for (size_t i = 0; i < 32; i++) {
        along.frequency_hz[i] = capture.frequency_hz[i];
    }
    radar_add_points(&along, point, 2);
    nfsar_lattice lattice;
    assert_ok(nfsar_lattice_detect(&along, 0.0, &lattice, &error), error);
    assert_int_equal(lattice.n_shift, 4);
    assert_near(lattice.shift[3].x, 3.0 * QUARTER, 1e-9);
    nfsar_lattice_free(&lattice);
    nfsar_grid grid = {.x = {-0.02, 0.001, 41}, .y = {-0.012, 0.001, 25}, .z = {0.2, 0.005, 4}};
    nfsar_image truth = image_bp(&along, &grid, NFSAR_BP_DOUBLE);
    nfsar_image fast = image_rma(&along, &grid, NULL);
    double correlation = image_correlation(&truth, &fast);
    print_message("four shifted lattices: correlation %.5f\n", correlation);
    assert_true(correlation >= 0.999);
    nfsar_image_free(&truth);
    nfsar_image_free(&fast);
    nfsar_capture_free(&capture);
    nfsar_capture_free(&along);
}

static void refusals(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_lattice lattice;
    nfsar_rma_plan *plan;
    nfsar_error error;
    radar_raster("single", 8, QUARTER, 8, QUARTER, 4, &capture);
    assert_ok(nfsar_lattice_detect(&capture, 0.0, &lattice, &error), error);
    nfsar_grid through = {.x = {0.0, 1.0, 1}, .y = {0.0, 1.0, 1}, .z = {-0.1, 0.1, 3}};
    assert_int_equal(nfsar_rma_plan_create(&capture, &lattice, &through, NULL, &plan, &error),
                     NFSAR_ERROR_GEOMETRY);
    assert_contains(error.message, "plane of the antennas");
    assert_null(plan);
    nfsar_lattice_free(&lattice);
    nfsar_capture_free(&capture);

    radar_raster("single", 1, 0.0, 1, 0.0, 4, &capture);
    assert_ok(nfsar_lattice_detect(&capture, 0.0, &lattice, &error), error);
    nfsar_grid ahead = {.x = {0.0, 1.0, 1}, .y = {0.0, 1.0, 1}, .z = {0.2, 1.0, 1}};
    assert_int_equal(nfsar_rma_plan_create(&capture, &lattice, &ahead, NULL, &plan, &error),
                     NFSAR_ERROR_GEOMETRY);
    assert_contains(error.message, "no aperture");
    nfsar_lattice_free(&lattice);
    nfsar_capture_free(&capture);
}

static bool stop_at_once(void *context, double fraction) {
    (void)fraction;
    ++*(int *)context;
    return false;
}

static void cancels(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_lattice lattice;
    nfsar_rma_plan *plan;
    nfsar_error error;
    int calls = 0;
    nfsar_progress progress = {stop_at_once, &calls};
    radar_raster("single", 8, QUARTER, 8, QUARTER, 4, &capture);
    assert_ok(nfsar_lattice_detect(&capture, 0.0, &lattice, &error), error);
    nfsar_grid grid = {.x = {0.0, 0.01, 2}, .y = {0.0, 0.01, 2}, .z = {0.2, 0.1, 2}};
    assert_ok(nfsar_rma_plan_create(&capture, &lattice, &grid, NULL, &plan, &error), error);
    float complex image[8];
    nfsar_echo_source source = nfsar_capture_source(&capture);
    assert_int_equal(nfsar_rma_execute(plan, &source, image, &progress, &error),
                     NFSAR_ERROR_CANCELLED);
    assert_int_equal(calls, 1);
    nfsar_rma_plan_destroy(plan);
    nfsar_lattice_free(&lattice);
    nfsar_capture_free(&capture);
}

int main(void) {
    /* The square apertures take minutes under the sanitizers, which see the same code in the other
     * tests. */
    const struct CMUnitTest tests[] = {
#ifndef NFSAR_SANITIZED
        cmocka_unit_test(volume_of_single_antenna),
        cmocka_unit_test(volume_of_8_channels),
        cmocka_unit_test(compensation_matters_near),
#endif
        cmocka_unit_test(line_of_single_antenna),
        cmocka_unit_test(line_of_8_channels),
        cmocka_unit_test(memory_limit_changes_nothing),
        cmocka_unit_test(grid_is_the_one_asked_for),
        cmocka_unit_test(either_side_of_the_plane),
        cmocka_unit_test(shifted_lattices),
        cmocka_unit_test(refusals),
        cmocka_unit_test(cancels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
