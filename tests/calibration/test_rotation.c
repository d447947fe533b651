/* A turntable's radius and zeros from echoes that a plain sum makes at other poses than the capture
 * has. */
#include "tests/radar.h"
#include "tests/support.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/rotation.h>
#include <nfsar/simulation.h>

#define DEGREE (NFSAR_PI / 180.0)

/* What is true, and the poses do not have. */
struct truth {
    double radius, turn, rise, range;
    double axis_x, axis_z; /* the poses know of these */
};

/* Poses on a circle of 0.25 m and rows; noise of this power beside unit points. */
static void make_table(size_t angles, size_t rows, double row_step, nfsar_capture *capture) {
    nfsar_error error;
    nfsar_array array = {0};
    assert_ok(nfsar_array_create(1, 1, &array, &error), error);
    assert_ok(nfsar_capture_create(angles * rows, 64, &array, true, capture, &error), error);
    for (size_t i = 0; i < 64; i++) {
        capture->frequency_hz[i] = 77e9 + 4e9 * (double)i / 63.0;
    }
    for (size_t i = 0; i < angles * rows; i++) {
        double angle = 2.0 * NFSAR_PI * (double)(i % angles) / (double)angles;
        double row = (double)(i / angles) - 0.5 * (double)(rows - 1);
        capture->pose[i].position =
            (nfsar_vec3){0.25 * cos(angle), row_step * row, 0.25 * sin(angle)};
    }
}

static void move_axis(nfsar_capture *capture, double x, double z) {
    for (size_t i = 0; i < capture->n_pose; i++) {
        capture->pose[i].position.x += x;
        capture->pose[i].position.z += z;
    }
}

/* The echoes of points, as the true poses see them. */
static void add_echo(nfsar_capture *capture, const struct truth *truth, const nfsar_vec3 *point,
                     size_t n) {
    for (size_t i = 0; i < capture->n_pulse; i++) {
        nfsar_vec3 said = capture->pose[i].position;
        double angle = atan2(said.z - truth->axis_z, said.x - truth->axis_x) + truth->turn;
        double radius = hypot(said.z - truth->axis_z, said.x - truth->axis_x) + truth->radius;
        const nfsar_vec3 at = {truth->axis_x + radius * cos(angle), said.y + truth->rise,
                               truth->axis_z + radius * sin(angle)};
        for (size_t p = 0; p < n; p++) {
            double range = nfsar_vec3_distance(at, point[p]) + truth->range;
            for (size_t k = 0; k < 64; k++) {
                double turns = 2.0 * capture->frequency_hz[k] * range / NFSAR_SPEED_OF_LIGHT;
                capture->echo[i * 64 + k] += (float complex)cexp(2.0 * NFSAR_PI * I * turns);
            }
        }
    }
}

static void add_noise(nfsar_capture *capture, double power, uint64_t seed) {
    nfsar_random random;
    nfsar_random_seed(&random, seed);
    for (size_t i = 0; i < capture->n_pulse * 64; i++) {
        capture->echo[i] += (float complex)(sqrt(power) * nfsar_random_complex_normal(&random));
    }
}

/* Unit points anywhere within `within` of the axis, 20 mm apart at least; the first is the pin. */
static void draw_points(nfsar_vec3 pin, double within, double height, uint64_t seed,
                        nfsar_vec3 *point, size_t n) {
    nfsar_random random;
    nfsar_random_seed(&random, seed + 100);
    point[0] = pin;
    for (size_t i = 1; i < n;) {
        nfsar_vec3 p = {within * (2.0 * nfsar_random_uniform(&random) - 1.0),
                        height * (2.0 * nfsar_random_uniform(&random) - 1.0),
                        within * (2.0 * nfsar_random_uniform(&random) - 1.0)};
        size_t k = 0;
        while (k < i && hypot(p.x - point[k].x, p.z - point[k].z) > 0.02) {
            k++;
        }
        if (k == i && hypot(p.x, p.z) < within) {
            point[i++] = p;
        }
    }
}

static enum nfsar_status find(const nfsar_capture *capture, const nfsar_vec3 *pin,
                              nfsar_rotation *found, nfsar_error *error) {
    nfsar_rotation_options options = nfsar_rotation_defaults();
    nfsar_echo_source source = nfsar_capture_source(capture);
    options.within_m = 0.08;
    if (pin != NULL) {
        options.has_point = true;
        options.point = *pin;
    }
    return nfsar_rotation_find(capture, &source, &options, found, NULL, error);
}

/* The numbers: 1.3 mm and 0.7 degrees, 20 dB below n unit points each sample. */
static void test_one_height(void **state) {
    (void)state;
    const nfsar_vec3 pin = {0.06, 0.0, 0.02};
    const struct truth truth = {.radius = 1.3e-3, .turn = 0.7 * DEGREE};
    for (uint64_t seed = 1; seed <= 3; seed++) {
        nfsar_vec3 point[8];
        nfsar_capture capture;
        nfsar_rotation found;
        nfsar_error error;
        make_table(500, 1, 0.0, &capture);
        draw_points(pin, 0.075, 0.0, seed, point, 8);
        add_echo(&capture, &truth, point, 8);
        add_noise(&capture, 8.0 * 0.01, seed);
        assert_ok(find(&capture, &pin, &found, &error), error);
        assert_near(found.change_m, 1.3e-3, 0.2e-3);
        assert_near(found.change_m, 1.3e-3, 4.0 * fmax(found.uncertainty_m, 0.03e-3));
        assert_near(found.turn_rad, truth.turn, 0.1 * DEGREE);
        assert_near(found.range_offset_m, 0.0, 0.5e-3);
        assert_near(found.radius_m, 0.25, 1e-9);
        assert_true(found.sharpness_after > found.sharpness_before);
        assert_true(found.scatterers >= 6 && found.noise_m < 0.1e-3);
        assert_true(found.rise_m == 0.0);
        /* The poses that are corrected are the true ones. */
        nfsar_rotation_apply(&found, &capture);
        assert_near(capture.pose[0].position.x, 0.2513 * cos(truth.turn), 0.2e-3);
        assert_near(capture.pose[0].position.z, 0.2513 * sin(truth.turn), 0.4e-3);
        nfsar_capture_free(&capture);
    }
}

/* Rows of heights, an axis elsewhere, ranges 8 mm too long, a smaller radius, the table turned the
 * other way and higher. */
static void test_heights(void **state) {
    (void)state;
    const nfsar_vec3 pin = {0.06, 0.005, 0.02};
    const struct truth truth = {-2.1e-3, -0.4 * DEGREE, 1.5e-3, 8e-3, 0.012, -0.007};
    nfsar_vec3 point[6];
    nfsar_capture capture;
    nfsar_rotation found;
    nfsar_error error;
    make_table(400, 5, 7.6e-3, &capture);
    move_axis(&capture, truth.axis_x, truth.axis_z);
    draw_points(pin, 0.065, 0.01, 5, point, 6);
    add_echo(&capture, &truth, point, 6);
    add_noise(&capture, 6.0 * 0.01, 5);
    assert_ok(find(&capture, &pin, &found, &error), error);
    assert_near(found.axis_x, truth.axis_x, 1e-9);
    assert_near(found.axis_z, truth.axis_z, 1e-9);
    assert_near(found.change_m, truth.radius, 0.2e-3);
    assert_near(found.turn_rad, truth.turn, 0.1 * DEGREE);
    assert_near(found.rise_m, truth.rise, 0.5e-3);
    assert_near(found.range_offset_m, truth.range, 1e-3);
    /* Turned about y: a board that looked at the axis does so afterwards. */
    for (size_t i = 0; i < capture.n_pose; i++) {
        nfsar_vec3 p = capture.pose[i].position;
        capture.pose[i].orientation = nfsar_quaternion_from_axis_angle(
            (nfsar_vec3){0.0, 1.0, 0.0}, atan2(truth.axis_x - p.x, truth.axis_z - p.z));
    }
    nfsar_rotation_apply(&found, &capture);
    for (size_t i = 0; i < capture.n_pose; i += 37) {
        double radius = 0.25 + found.change_m;
        nfsar_vec3 seen = nfsar_pose_transform(capture.pose[i], (nfsar_vec3){0.0, 0.0, radius});
        assert_near(seen.x, truth.axis_x, 1e-9);
        assert_near(seen.z, truth.axis_z, 1e-9);
    }
    nfsar_capture_free(&capture);
}

/* One height 20 mm above the target's plane: without a point that makes the radius longer by
 * 20^2 / (2 250) = 0.8 mm and some; with one the height is known. */
static void test_height_of_point(void **state) {
    (void)state;
    const struct truth truth = {.radius = 1e-3};
    const nfsar_vec3 point[3] = {{0.06, 0.0, 0.02}, {-0.03, 0.0, -0.06}, {0.02, 0.0, -0.04}};
    nfsar_capture capture;
    nfsar_rotation found;
    nfsar_error error;
    make_table(400, 1, 0.0, &capture);
    for (size_t i = 0; i < capture.n_pose; i++) {
        capture.pose[i].position.y = 0.02;
    }
    add_echo(&capture, &truth, point, 3);
    add_noise(&capture, 3.0 * 0.01, 1);
    assert_ok(find(&capture, NULL, &found, &error), error);
    assert_near(found.change_m, 1.8e-3, 0.3e-3);
    assert_ok(find(&capture, &point[0], &found, &error), error);
    assert_near(found.change_m, 1e-3, 0.15e-3);
    nfsar_capture_free(&capture);
}

static void refuse(const nfsar_capture *capture, const nfsar_vec3 *pin, enum nfsar_status expected,
                   const char *part) {
    nfsar_rotation found;
    nfsar_error error = {0};
    assert_int_equal(find(capture, pin, &found, &error), expected);
    assert_contains(error.message, part);
}

static void test_refusals(void **state) {
    (void)state;
    const struct truth truth = {.radius = 1e-3};
    const nfsar_vec3 on_axis = {0.001, 0.0, 0.0}, aside = {0.05, 0.0, 0.0}, far = {0.0, 0.0, 0.05};
    nfsar_capture capture;
    make_table(300, 1, 0.0, &capture);
    add_noise(&capture, 1.0, 1);
    refuse(&capture, NULL, NFSAR_ERROR_FORMAT, "stands out of the noise");
    add_echo(&capture, &truth, &on_axis, 1);
    refuse(&capture, NULL, NFSAR_ERROR_FORMAT, "do not tell the radius");
    refuse(&capture, &on_axis, NFSAR_ERROR_ARGUMENT, "is on the axis");
    const nfsar_vec3 in_millimetres = {80.0, 0.0, 0.0};
    refuse(&capture, &in_millimetres, NFSAR_ERROR_ARGUMENT, "coordinates are metres");
    memset(capture.echo, 0, capture.n_pulse * 64 * sizeof *capture.echo);
    add_noise(&capture, 0.01, 2);
    add_echo(&capture, &truth, &aside, 1);
    refuse(&capture, &far, NFSAR_ERROR_FORMAT, "no reflector within 15 mm");
    /* A radius that is wrong by more than is searched. */
    const struct truth wrong = {.radius = 20e-3};
    memset(capture.echo, 0, capture.n_pulse * 64 * sizeof *capture.echo);
    const nfsar_vec3 two[2] = {{0.07, 0.0, 0.0}, {0.0, 0.0, -0.06}};
    add_echo(&capture, &wrong, two, 2);
    add_noise(&capture, 0.01, 2);
    refuse(&capture, NULL, NFSAR_ERROR_FORMAT, "end of the search");
    /* Half a circle. */
    for (size_t i = 0; i < capture.n_pose; i++) {
        double angle = NFSAR_PI * (double)i / 299.0;
        capture.pose[i].position = (nfsar_vec3){0.25 * cos(angle), 0.0, 0.25 * sin(angle)};
    }
    refuse(&capture, NULL, NFSAR_ERROR_GEOMETRY, "round the axis by 180 degrees only");
    /* A line is no circle. */
    for (size_t i = 0; i < capture.n_pose; i++) {
        capture.pose[i].position = (nfsar_vec3){1e-3 * (double)i, 0.0, 0.0};
    }
    refuse(&capture, NULL, NFSAR_ERROR_GEOMETRY, "this is for turntables");
    nfsar_capture_free(&capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_height),
        cmocka_unit_test(test_heights),
        cmocka_unit_test(test_height_of_point),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
