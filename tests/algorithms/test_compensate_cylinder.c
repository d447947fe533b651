/* Paths of pairs on a cylinder, beside the exact paths: the table of
 * docs/theory/cylindrical-compensation.md. */
#include "tests/support.h"

#include <math.h>

#include "algorithms/compensate_cylinder.h"
#include "algorithms/residue.h"
#include "tests/radar.h"

#define RADIUS   0.25
#define BASELINE (5e-3 + 3.5 * RADAR_LAMBDA)

static const nfsar_cylinder cylinder = {.radius = RADIUS, .span_rad = 2.0 * NFSAR_PI};

/* A pair at an angle, its baseline along y or along the tangent. */
static void pair(double angle, bool vertical, nfsar_vec3 *tx, nfsar_vec3 *rx) {
    nfsar_vec3 p = {RADIUS * cos(angle), 0.0, RADIUS * sin(angle)};
    nfsar_vec3 d =
        vertical ? (nfsar_vec3){0.0, 0.5 * BASELINE, 0.0}
                 : (nfsar_vec3){-0.5 * BASELINE * sin(angle), 0.0, 0.5 * BASELINE * cos(angle)};
    *tx = nfsar_vec3_add(p, d);
    *rx = nfsar_vec3_subtract(p, d);
}

/* Largest and root mean square error of the phase, degrees, for a target over a full turn. */
static void turn(enum nfsar_compensation model, bool vertical, double away, double height,
                 double *most, double *mean) {
    enum { ANGLES = 3600 };
    const nfsar_vec3 target = {away, height, 0.0}, axis = {0.0, 0.0, 0.0};
    *most = *mean = 0.0;
    for (int i = 0; i < ANGLES; i++) {
        nfsar_vec3 tx, rx;
        pair(2.0 * NFSAR_PI * i / ANGLES, vertical, &tx, &rx);
        double range = nfsar_vec3_distance(nfsar_vec3_midpoint(tx, rx), target);
        double exact = nfsar_vec3_distance(tx, target) + nfsar_vec3_distance(rx, target);
        double taken = model == NFSAR_COMPENSATION_EVERY_RANGE
                           ? compensate_cylinder_range(tx, rx, &cylinder, range)
                           : compensate_cylinder_path(model, tx, rx, &cylinder, axis);
        double degrees = 360.0 / RADAR_LAMBDA * (exact - 2.0 * range - taken);
        *most = fmax(*most, fabs(degrees));
        *mean += degrees * degrees / ANGLES;
    }
    *mean = sqrt(*mean);
}

/* Made by a script that knows the exact paths and the formulas of the page only. */
static void table(void **state) {
    (void)state;
    static const struct {
        bool vertical;
        double height, away, none, closed, reference, every;
    } row[] = {
        {true, 0.0, 0.0, 31.70, 0.01, 0.0, 0.01},
        {true, 0.0, 0.03, 36.02, 4.31, 4.32, 0.02},
        {true, 0.0, 0.06, 41.70, 9.99, 10.0, 0.02},
        {true, 0.0, 0.12, 60.90, 29.19, 29.20, 0.08},
        {true, 0.0, 0.18, 112.76, 81.05, 81.06, 0.48},
        {true, 0.05, 0.0, 29.89, 1.82, 1.81, 1.20},
        {true, 0.05, 0.12, 49.56, 17.85, 17.86, 7.35},
        {true, 0.05, 0.18, 61.13, 29.43, 29.44, 31.01},
        {false, 0.0, 0.0, 31.70, 0.01, 0.0, 0.01},
        {false, 0.0, 0.03, 36.02, 4.31, 4.32, 0.47},
        {false, 0.0, 0.06, 41.70, 9.99, 10.0, 1.92},
        {false, 0.0, 0.12, 60.90, 29.19, 29.20, 8.95},
        {false, 0.0, 0.18, 112.76, 81.05, 81.06, 29.73},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        const double expected[] = {row[i].none, row[i].closed, row[i].reference, row[i].every};
        for (int m = 0; m < 4; m++) {
            double most, mean;
            turn((enum nfsar_compensation)m, row[i].vertical, row[i].away, row[i].height, &most,
                 &mean);
            assert_near(most, expected[m], 0.006);
            assert_true(mean <= most + 1e-12);
        }
    }
    double most, mean;
    turn(NFSAR_COMPENSATION_EVERY_RANGE, false, 0.18, 0.0, &most, &mean);
    assert_near(mean, 14.49, 0.006);
    turn(NFSAR_COMPENSATION_CLOSED_FORM, true, 0.18, 0.05, &most, &mean);
    assert_near(mean, 14.24, 0.006);
}

/* Along boresight there is no extra path; one antenna has none; an axis aside. */
static void directions(void **state) {
    (void)state;
    nfsar_cylinder aside = cylinder;
    aside.axis = (nfsar_vec3){1.0, 0.0, 2.0};
    const nfsar_vec3 p = {1.25, 0.3, 2.0};
    const nfsar_vec3 along = {1.26, 0.3, 2.0}, across = {1.25, 0.3, 2.004}, up = {1.25, 0.303, 2.0};
    assert_near(compensate_cylinder_square(p, along, &aside), 0.0, 1e-18);
    assert_near(compensate_cylinder_square(p, up, &aside), 9e-6, 1e-15);
    /* Boresight of the midpoint, 2 mm aside at 0.25 m, is 0.46 degrees off. */
    assert_near(compensate_cylinder_square(p, across, &aside),
                16e-6 * (0.25 / hypot(0.25, 0.002)) * (0.25 / hypot(0.25, 0.002)), 1e-15);
    assert_near(compensate_cylinder_range(p, up, &aside, 0.1), 9e-6 / 0.4, 1e-15);
    assert_near(compensate_cylinder_path(NFSAR_COMPENSATION_CLOSED_FORM, p, up, &aside, p), 9e-6,
                1e-15);
    assert_near(compensate_cylinder_range(p, p, &aside, 0.0), 0.0, 0.0);
    assert_near(compensate_cylinder_path(NFSAR_COMPENSATION_EVERY_RANGE, p, up, &aside, p), 0.0,
                0.0);
    /* On the axis there is no boresight: the whole baseline counts. */
    const nfsar_vec3 left = {0.999, 0.0, 2.0}, right = {1.001, 0.0, 2.0};
    assert_near(compensate_cylinder_square(left, right, &aside), 4e-6, 1e-15);
    const nfsar_grid grid = {.x = {0.0, 1.0, 1}, .y = {0.1, 0.2, 3}, .z = {0.0, 1.0, 1}};
    nfsar_vec3 at = compensate_cylinder_reference((nfsar_vec3){NAN, NAN, NAN}, &aside, &grid);
    assert_near(at.x, 1.0, 0.0);
    assert_near(at.y, 0.3, 1e-15);
    assert_near(at.z, 2.0, 0.0);
    at = compensate_cylinder_reference((nfsar_vec3){0.5, NAN, NAN}, &aside, &grid);
    assert_near(at.x, 0.5, 0.0);
}

/* The correlation that is expected is the mean of what is left: one place, so one number. */
static void correlation(void **state) {
    (void)state;
    nfsar_array array;
    nfsar_capture capture;
    nfsar_error error;
    assert_ok(nfsar_array_create(1, 1, &array, &error), error);
    array.tx_m[0].y = 0.5 * BASELINE;
    array.rx_m[0].y = -0.5 * BASELINE;
    assert_ok(nfsar_capture_create(64, 1, &array, false, &capture, &error), error);
    capture.frequency_hz[0] = 79e9;
    double re[4] = {0}, im[4] = {0};
    const nfsar_vec3 target = {0.15, 0.06, 0.0}, axis = {0.0, 0.0, 0.0};
    for (int i = 0; i < 64; i++) {
        nfsar_vec3 tx, rx;
        double angle = 2.0 * NFSAR_PI * i / 64.0;
        pair(angle, true, &tx, &rx);
        capture.pose[i].position = nfsar_vec3_midpoint(tx, rx);
        double range = nfsar_vec3_distance(capture.pose[i].position, target);
        double beta =
            nfsar_vec3_distance(tx, target) + nfsar_vec3_distance(rx, target) - 2.0 * range;
        double square = BASELINE * BASELINE,
               on_axis = 2.0 * (hypot(RADIUS, 0.5 * BASELINE) - RADIUS);
        /* The baseline is upright: what slopes along it is known from the wave. */
        double across = square * (1.0 - pow(target.y / range, 2.0));
        const double taken[4] = {0.0, square / (4.0 * RADIUS), on_axis, across / (4.0 * range)};
        for (int m = 0; m < 4; m++) {
            double phase = 2.0 * NFSAR_PI / RADAR_LAMBDA * (beta - taken[m]);
            re[m] += cos(phase) / 64.0;
            im[m] += sin(phase) / 64.0;
        }
    }
    const nfsar_grid grid = {.x = {0.15, 1.0, 1}, .y = {0.06, 1.0, 1}, .z = {0.0, 1.0, 1}};
    for (int m = 0; m < 4; m++) {
        double found =
            residue_on_cylinder(&capture, &cylinder, &grid, (enum nfsar_compensation)m, axis);
        print_message("%s: %.6f\n", nfsar_compensation_name((enum nfsar_compensation)m), found);
        assert_near(found, hypot(re[m], im[m]), 1e-12);
    }
    nfsar_capture_free(&capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),
        cmocka_unit_test(directions),
        cmocka_unit_test(correlation),
    };
    return cmocka_run_group_tests_name("compensate_cylinder", tests, NULL, NULL);
}
