/* Planar lattices are found in the poses, with the array's part in them. */
#include "tests/support.h"

#include <math.h>
#include <stdlib.h>

#include <nfsar/lattice.h>

#include "tests/radar.h"

#define QUARTER (RADAR_LAMBDA / 4.0)

static double uniform(unsigned *state) {
    *state = *state * 1664525u + 1013904223u;
    return (double)(*state >> 8) / 16777216.0;
}

static void array_fills_the_steps(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_lattice lattice;
    nfsar_error error;
    radar_raster("xwr1443-2tx", 20, QUARTER, 5, 2.0 * RADAR_LAMBDA, 2, &capture);
    assert_ok(nfsar_lattice_detect(&capture, 0.0, &lattice, &error), error);
    assert_int_equal(lattice.n_shift, 1);
    assert_int_equal(lattice.x.count, 20);
    assert_int_equal(lattice.y.count, 40);
    assert_near(lattice.x.step, QUARTER, 1e-9);
    assert_near(lattice.y.step, QUARTER, 1e-9);
    assert_near(lattice.x.first, -9.5 * QUARTER, 1e-9);
    assert_near(lattice.y.first, -19.5 * QUARTER, 1e-9);
    assert_near(lattice.z, 0.0, 1e-12);
    assert_near(lattice.occupancy, 1.0, 1e-12);
    /* Pulse 21 is the second of the second row; its channel 7 is that step's last element. */
    assert_int_equal(lattice.cell[21 * 8 + 7], (8 + 7) * 20 + 1);
    nfsar_lattice_free(&lattice);
    nfsar_capture_free(&capture);
}

static void third_transmitter_adds_a_column(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_lattice lattice;
    nfsar_error error;
    radar_raster("xwr1443-3tx", 20, QUARTER, 5, 2.0 * RADAR_LAMBDA, 2, &capture);
    assert_ok(nfsar_lattice_detect(&capture, 0.0, &lattice, &error), error);
    assert_int_equal(lattice.n_shift, 1);
    assert_int_equal(lattice.x.count, 21);
    assert_int_equal(lattice.y.count, 40);
    /* Of the 40 places of the extra column Tx2 reaches 4 in 8. */
    assert_near(lattice.occupancy, (20.0 * 40.0 + 20.0) / (21.0 * 40.0), 1e-12);
    nfsar_lattice_free(&lattice);
    nfsar_capture_free(&capture);
}

static void measured_positions_jitter(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_lattice lattice;
    nfsar_error error;
    unsigned seed = 3;
    radar_raster("single", 60, QUARTER, 50, 1.7 * QUARTER, 2, &capture);
    for (size_t i = 0; i < capture.n_pulse; i++) {
        capture.pose[i].position.x += 40e-6 * (uniform(&seed) - 0.5);
        capture.pose[i].position.y += 40e-6 * (uniform(&seed) - 0.5);
        capture.pose[i].position.z += 40e-6 * (uniform(&seed) - 0.5);
    }
    assert_ok(nfsar_lattice_detect(&capture, 0.0, &lattice, &error), error);
    assert_int_equal(lattice.x.count, 60);
    assert_int_equal(lattice.y.count, 50);
    assert_near(lattice.x.step, QUARTER, 1e-6);
    assert_near(lattice.y.step, 1.7 * QUARTER, 1e-6);
    assert_true(lattice.deviation > 10e-6 && lattice.deviation < 40e-6);
    nfsar_lattice_free(&lattice);
    nfsar_capture_free(&capture);
}

static void lost_pulses_leave_holes(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_lattice lattice;
    nfsar_error error;
    radar_raster("single", 30, QUARTER, 20, QUARTER, 2, &capture);
    /* Drop every seventh pulse by putting it where its neighbour is. */
    for (size_t i = 7; i < capture.n_pulse; i += 7) {
        capture.pose[i] = capture.pose[i - 1];
    }
    assert_ok(nfsar_lattice_detect(&capture, 0.0, &lattice, &error), error);
    assert_int_equal(lattice.x.count, 30);
    assert_near(lattice.occupancy, (600.0 - 85.0) / 600.0, 1e-9);
    nfsar_lattice_free(&lattice);
    nfsar_capture_free(&capture);
}

static void refuse(nfsar_capture *capture, const char *why) {
    nfsar_lattice lattice;
    nfsar_error error;
    assert_int_equal(nfsar_lattice_detect(capture, 0.0, &lattice, &error), NFSAR_ERROR_GEOMETRY);
    assert_contains(error.message, why);
    assert_null(lattice.cell);
    nfsar_capture_free(capture);
}

static void curved_surfaces_are_not_planes(void **state) {
    (void)state;
    nfsar_capture capture;
    radar_raster("single", 20, QUARTER, 20, QUARTER, 2, &capture);
    capture.pose[17].position.z += 0.5e-3;
    refuse(&capture, "plane");
}

static void clouds_are_not_lattices(void **state) {
    (void)state;
    nfsar_capture capture;
    unsigned seed = 11;
    radar_raster("single", 20, QUARTER, 20, QUARTER, 2, &capture);
    for (size_t i = 0; i < capture.n_pulse; i++) {
        capture.pose[i].position.x = 0.05 * uniform(&seed);
        capture.pose[i].position.y = 0.05 * uniform(&seed);
    }
    refuse(&capture, "lattice");
}

static void one_row_shifted_is_no_lattice(void **state) {
    (void)state;
    nfsar_capture capture;
    radar_raster("single", 20, QUARTER, 20, QUARTER, 2, &capture);
    for (size_t i = 100; i < 120; i++) {
        capture.pose[i].position.x += 0.3e-3;
    }
    refuse(&capture, "lattice");
}

static void single_position(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_lattice lattice;
    nfsar_error error;
    radar_raster("single", 1, 0.0, 1, 0.0, 2, &capture);
    assert_ok(nfsar_lattice_detect(&capture, 0.0, &lattice, &error), error);
    assert_int_equal(lattice.x.count * lattice.y.count, 1);
    nfsar_lattice_free(&lattice);
    nfsar_capture_free(&capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(array_fills_the_steps),
        cmocka_unit_test(third_transmitter_adds_a_column),
        cmocka_unit_test(measured_positions_jitter),
        cmocka_unit_test(lost_pulses_leave_holes),
        cmocka_unit_test(curved_surfaces_are_not_planes),
        cmocka_unit_test(clouds_are_not_lattices),
        cmocka_unit_test(one_row_shifted_is_no_lattice),
        cmocka_unit_test(single_position),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
