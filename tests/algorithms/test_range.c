/* Range profiles and the grid that they suggest. */
#include "tests/support.h"

#include <math.h>
#include <stdlib.h>

#include <nfsar/range.h>

#include "tests/radar.h"

#define QUARTER (RADAR_LAMBDA / 4.0)

static void profile_peaks_at_the_target(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    nfsar_vec3 point = {0.0, 0.0, 0.3};
    double power[400];
    radar_raster("single", 3, 1e-4, 3, 1e-4, 64, &capture);
    radar_add_points(&capture, &point, 1);
    nfsar_echo_source source = nfsar_capture_source(&capture);
    assert_ok(nfsar_range_profile(&capture, &source, 0.002, 400, power, &error), error);
    size_t peak = 0;
    for (size_t i = 0; i < 400; i++) {
        peak = power[i] > power[peak] ? i : peak;
    }
    assert_int_equal(peak, 150);
    assert_near(power[150], 1.0, 1e-3);
    /* Hann: first zeros two cells of c / 2B away, which is 37.5 mm x 63/64 here. */
    assert_near(nfsar_range_resolution(&capture), NFSAR_SPEED_OF_LIGHT / 8e9, 1e-9);
    assert_near(nfsar_range_unambiguous(&capture), 63.0 * NFSAR_SPEED_OF_LIGHT / 8e9, 1e-9);
    assert_true(power[150 + 38] < 1e-3);
    nfsar_capture_free(&capture);
}

static void grid_holds_the_target(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    nfsar_grid grid;
    nfsar_grid_reasons why;
    nfsar_vec3 point[2] = {{0.01, 0.02, 0.3}, {-0.02, 0.0, 0.32}};
    radar_raster("xwr1443-2tx", 60, QUARTER, 8, 2.0 * RADAR_LAMBDA, 64, &capture);
    radar_add_points(&capture, point, 2);
    nfsar_echo_source source = nfsar_capture_source(&capture);
    assert_ok(nfsar_grid_suggest(&capture, &source, NULL, 1000000, &grid, &why, &error), error);
    assert_int_equal(why.converging, 0);
    assert_true(why.range_gate[0] < 0.3 && why.range_gate[1] > 0.32);
    assert_true(grid.z.start < 0.28 && grid.z.start > 0.1);
    assert_true(nfsar_axis_end(&grid.z) > 0.33 && nfsar_axis_end(&grid.z) < 0.5);
    assert_true(grid.x.start <= -0.028 && nfsar_axis_end(&grid.x) >= 0.028);
    /* lambda R / 2D of the longer side, 63 steps, three voxels to a cell. */
    assert_near(grid.x.step, RADAR_LAMBDA * why.range_peak / (6.0 * 63.0 * QUARTER), 1e-4);
    assert_true(nfsar_grid_voxels(&grid) <= 1000000);
    /* A limit widens the spacing and keeps the place. */
    nfsar_grid small;
    assert_ok(nfsar_grid_suggest(&capture, &source, NULL, 500, &small, NULL, &error), error);
    assert_true(nfsar_grid_voxels(&small) <= 500);
    assert_near(small.x.start, grid.x.start, 2.0 * small.x.step);
    /* A gate that is given is taken. */
    double range[2] = {0.5, 0.6};
    assert_ok(nfsar_grid_suggest(&capture, &source, range, 1000000, &grid, &why, &error), error);
    assert_near(why.range_peak, 0.55, 1e-9);
    assert_true(grid.z.start > 0.45);
    nfsar_capture_free(&capture);
}

static void turntable_is_looked_at_from_around(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    nfsar_grid grid;
    nfsar_grid_reasons why;
    nfsar_vec3 point = {0.02, 0.0, 0.01};
    radar_raster("single", 90, 1.0, 1, 0.0, 64, &capture);
    for (size_t i = 0; i < 90; i++) {
        double angle = 2.0 * NFSAR_PI * (double)i / 90.0;
        capture.pose[i].position = (nfsar_vec3){0.25 * cos(angle), 0.0, 0.25 * sin(angle)};
        /* +z of the body toward the axis: z turned by a about y is (sin a, 0, cos a). */
        capture.pose[i].orientation = nfsar_quaternion_from_axis_angle(
            (nfsar_vec3){0.0, 1.0, 0.0}, atan2(-cos(angle), -sin(angle)));
    }
    radar_add_points(&capture, &point, 1);
    nfsar_echo_source source = nfsar_capture_source(&capture);
    assert_ok(nfsar_grid_suggest(&capture, &source, NULL, 1000000, &grid, &why, &error), error);
    assert_int_equal(why.converging, 1);
    assert_true(grid.x.start < -0.02 && nfsar_axis_end(&grid.x) > 0.02);
    assert_near(grid.x.start + nfsar_axis_end(&grid.x), 0.0, 1e-6);
    assert_near(grid.z.start + nfsar_axis_end(&grid.z), 0.0, 1e-6);
    assert_int_equal(grid.y.count, 1);
    /* Echoes from everywhere: the box stays within the antennas, to its corners. */
    const double everything[2] = {0.01, 0.49};
    assert_ok(nfsar_grid_suggest(&capture, &source, everything, 1000000, &grid, &why, &error),
              error);
    double corner = hypot(grid.x.start, grid.z.start);
    assert_true(corner > 0.22 && corner < 0.235);
    nfsar_capture_free(&capture);
}

static void silence_is_an_error(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    nfsar_grid grid;
    radar_raster("single", 4, QUARTER, 4, QUARTER, 16, &capture);
    nfsar_echo_source source = nfsar_capture_source(&capture);
    assert_int_equal(nfsar_grid_suggest(&capture, &source, NULL, 1000, &grid, NULL, &error),
                     NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "zero");
    nfsar_capture_free(&capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profile_peaks_at_the_target),
        cmocka_unit_test(grid_holds_the_target),
        cmocka_unit_test(turntable_is_looked_at_from_around),
        cmocka_unit_test(silence_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
