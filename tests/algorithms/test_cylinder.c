/* Cylinders found in positions that were laid out by hand: circles, arcs, axes aside, wobble,
 * missing places, and everything that is no cylinder. */
#include "tests/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/cylinder.h>

#include "algorithms/turns.h"
#include "tests/radar.h"

#define DEGREE (NFSAR_PI / 180.0)

static const nfsar_vec3 origin = {0.0, 0.0, 0.0};

/* Numbers that look random, the same everywhere: -1 to 1. */
static double noise(size_t i) {
    double turns = sin((double)(i + 1) * 12.9898) * 43758.5453;
    return 2.0 * (turns - floor(turns)) - 1.0;
}

/* n pulses of one antenna, to be placed. */
static void make(size_t n, nfsar_capture *capture) {
    nfsar_array array;
    nfsar_error error;
    assert_ok(nfsar_array_create(1, 1, &array, &error), error);
    assert_ok(nfsar_capture_create(n, 1, &array, false, capture, &error), error);
    capture->frequency_hz[0] = 79e9;
}

static void put(nfsar_capture *capture, size_t i, nfsar_vec3 axis, double radius, double angle,
                double y) {
    capture->pose[i].position =
        (nfsar_vec3){axis.x + radius * cos(angle), y, axis.z + radius * sin(angle)};
}

/* n angles first + i * step at each of so many heights, 1 cm apart. */
static void make_turns(nfsar_vec3 axis, double radius, double first, double step, size_t n,
                       size_t heights, nfsar_capture *capture) {
    make(n * heights, capture);
    for (size_t h = 0; h < heights; h++) {
        for (size_t i = 0; i < n; i++) {
            put(capture, h * n + i, axis, radius, first + step * (double)i, 0.01 * (double)h);
        }
    }
}

static nfsar_cylinder find(nfsar_capture *capture) {
    nfsar_cylinder cylinder;
    nfsar_error error;
    assert_ok(nfsar_cylinder_detect(capture, 0.0, &cylinder, &error), error);
    nfsar_capture_free(capture);
    return cylinder;
}

/* There is none, and why. */
static void refuse(nfsar_capture *capture, const char *reason) {
    nfsar_cylinder cylinder;
    nfsar_error error;
    assert_int_equal(nfsar_cylinder_detect(capture, 0.0, &cylinder, &error), NFSAR_ERROR_GEOMETRY);
    print_message("%s\n", error.message);
    assert_contains(error.message, reason);
    assert_null(strstr(error.message, "nan"));
    assert_true(cylinder.radius == 0.0 && cylinder.places == 0);
    nfsar_capture_free(capture);
}

static void assert_circle(const nfsar_cylinder *found, nfsar_vec3 axis, double radius,
                          double tolerance) {
    assert_near(found->axis.x, axis.x, tolerance);
    assert_near(found->axis.z, axis.z, tolerance);
    assert_near(found->radius, radius, tolerance);
    assert_true(found->axis.y == 0.0);
}

static void full_circles(void **state) {
    (void)state;
    nfsar_capture capture;
    const nfsar_vec3 aside = {0.4, 7.0, 12.3};
    make_turns(origin, 0.25, 0.0, DEGREE, 360, 1, &capture);
    nfsar_cylinder found = find(&capture);
    assert_circle(&found, origin, 0.25, 1e-12);
    assert_near(found.deviation, 0.0, 1e-12);
    assert_near(found.span_rad, 2.0 * NFSAR_PI, 0.0);
    assert_near(found.step_rad, DEGREE, 1e-15);
    assert_near(found.largest_gap_rad, DEGREE, 1e-9);
    assert_int_equal(found.places, 360);
    /* Three turns and a half, at eleven heights, the axis far aside. */
    make_turns(aside, 0.5, 1.0, 0.9 * DEGREE, 1400, 11, &capture);
    found = find(&capture);
    assert_circle(&found, aside, 0.5, 1e-11);
    assert_near(found.span_rad, 2.0 * NFSAR_PI, 0.0);
    assert_near(found.step_rad, 0.9 * DEGREE, 1e-15);
    assert_int_equal(found.places, 400);
    assert_near(found.low_y, 0.0, 1e-12);
    assert_near(found.high_y, 0.1, 1e-12);
    /* The first is a multiple of the step away from where the scan began. */
    double steps = (found.first_rad - 1.0) / (0.9 * DEGREE);
    assert_near(steps, round(steps), 1e-6);
    /* Eight places are just enough. */
    make_turns(origin, 0.25, 0.3, 45.0 * DEGREE, 8, 1, &capture);
    found = find(&capture);
    assert_near(found.span_rad, 2.0 * NFSAR_PI, 0.0);
    assert_near(found.step_rad, 45.0 * DEGREE, 1e-15);
    assert_int_equal(found.places, 8);
}

static void arcs(void **state) {
    (void)state;
    nfsar_capture capture;
    const nfsar_vec3 axis = {-0.1, 0.0, 0.3};
    static const double span[] = {21.0, 60.0, 180.0, 300.0, 350.0};
    for (size_t i = 0; i < sizeof span / sizeof span[0]; i++) {
        size_t n = (size_t)(2.0 * span[i]) + 1;
        /* Through the angle where atan2 jumps. */
        make_turns(axis, 0.3, 170.0 * DEGREE, 0.5 * DEGREE, n, 2, &capture);
        nfsar_cylinder found = find(&capture);
        assert_circle(&found, axis, 0.3, 1e-11);
        assert_near(found.span_rad, span[i] * DEGREE, 1e-9);
        assert_near(found.first_rad, 170.0 * DEGREE, 1e-9);
        assert_near(found.step_rad, 0.5 * DEGREE, 1e-10);
        assert_near(found.largest_gap_rad, 0.5 * DEGREE, 1e-9);
        assert_int_equal(found.places, n);
    }
    /* Backward is the same. */
    make_turns(axis, 0.3, 1.0, -0.5 * DEGREE, 181, 1, &capture);
    nfsar_cylinder found = find(&capture);
    assert_near(found.first_rad, 1.0 - 90.0 * DEGREE, 1e-9);
    assert_near(found.step_rad, 0.5 * DEGREE, 1e-10);
}

static void missing_places(void **state) {
    (void)state;
    nfsar_capture capture;
    size_t n = 0, total = 0;
    make(10 * 720, &capture);
    static unsigned char seen[720];
    memset(seen, 0, sizeof seen);
    for (size_t h = 0; h < 10; h++) {
        for (size_t i = 0; i < 720; i++) {
            /* Every hundredth at each height, and two neighbours everywhere. */
            if ((i * 7 + h * 13) % 100 != 0 && i != 300 && i != 301) {
                put(&capture, n++, origin, 0.25, 0.5 * DEGREE * (double)i, 0.004 * (double)h);
                seen[i] = 1;
            }
        }
    }
    for (size_t i = 0; i < 720; i++) {
        total += seen[i];
    }
    capture.n_pulse = capture.n_pose = n;
    nfsar_cylinder found = find(&capture);
    assert_near(found.step_rad, 0.5 * DEGREE, 1e-15);
    assert_near(found.span_rad, 2.0 * NFSAR_PI, 0.0);
    assert_near(found.largest_gap_rad, 1.5 * DEGREE, 1e-9);
    assert_int_equal(found.places, total);
    assert_int_equal(total, 718);
    /* Two arcs with 100 degrees between them, twice. */
    make(162, &capture);
    for (size_t i = 0; i < 162; i++) {
        put(&capture, i, origin, 0.25, DEGREE * (double)(i < 81 ? i : i + 99), 0.0);
    }
    found = find(&capture);
    assert_near(found.span_rad, 260.0 * DEGREE, 1e-9);
    assert_near(found.largest_gap_rad, 100.0 * DEGREE, 1e-9);
    assert_near(found.step_rad, DEGREE, 1e-9);
    assert_int_equal(found.places, 162);
}

/* An encoder that is off by up to `jitter` steps, anew at each of the heights. */
static nfsar_cylinder find_jittered(double jitter, size_t heights) {
    nfsar_capture capture;
    make_turns(origin, 0.25, 0.0, DEGREE, 360, heights, &capture);
    for (size_t i = 0; i < capture.n_pulse; i++) {
        double angle = DEGREE * ((double)(i % 360) + jitter * noise(i));
        put(&capture, i, origin, 0.25, angle, 0.01 * (double)(i / 360));
    }
    return find(&capture);
}

static void uneven_angles(void **state) {
    (void)state;
    nfsar_capture capture;
    for (size_t heights = 1; heights <= 20; heights += 19) {
        nfsar_cylinder found = find_jittered(0.008, heights);
        assert_near(found.step_rad, DEGREE, 1e-15);
        assert_int_equal(found.places, 360);
        assert_near(found.span_rad, 2.0 * NFSAR_PI, 0.0);
        found = find_jittered(0.1, heights);
        assert_near(found.step_rad, 0.0, 0.0);
        assert_true(found.places >= 350);
        assert_near(found.span_rad, 2.0 * NFSAR_PI, 0.0);
        assert_circle(&found, origin, 0.25, 1e-11);
    }
    /* No step at all: random over a half turn. */
    make(1000, &capture);
    for (size_t i = 0; i < 1000; i++) {
        put(&capture, i, origin, 0.25, NFSAR_PI * 0.5 * noise(i), 0.0);
    }
    nfsar_cylinder found = find(&capture);
    assert_near(found.step_rad, 0.0, 0.0);
    assert_near(found.span_rad, NFSAR_PI, 0.02);
    assert_near(found.first_rad, -0.5 * NFSAR_PI, 0.01);
    assert_true(found.places > 950);
    /* Random over the full turn, which the widest of the gaps does not open. */
    make(1000, &capture);
    for (size_t i = 0; i < 1000; i++) {
        put(&capture, i, origin, 0.25, NFSAR_PI * noise(i), 0.0);
    }
    found = find(&capture);
    assert_near(found.span_rad, 2.0 * NFSAR_PI, 0.0);
    /* Steps that do not close the circle: 514 of 0.7 degrees. */
    make_turns(origin, 0.25, 0.0, 0.7 * DEGREE, 514, 1, &capture);
    found = find(&capture);
    assert_near(found.step_rad, 0.7 * DEGREE, 1e-9);
    assert_near(found.span_rad, 2.0 * NFSAR_PI, 0.0);
    assert_near(found.largest_gap_rad, 0.9 * DEGREE, 1e-9);
}

/* Radii that wobble: the mean is what counts, and the deviation is the wobble. Half of all pulses
 * at one angle do not drag the axis away. */
static void wobble(void **state) {
    (void)state;
    nfsar_capture capture;
    const nfsar_vec3 axis = {0.01, 0.0, -0.02};
    make_turns(origin, 0.25, 0.0, DEGREE, 360, 3, &capture);
    for (size_t i = 0; i < capture.n_pulse; i++) {
        double angle = DEGREE * (double)(i % 360);
        put(&capture, i, axis, 0.25 + 1e-3 * cos(7.0 * angle), angle, 0.0);
    }
    nfsar_cylinder found = find(&capture);
    assert_circle(&found, axis, 0.25, 1e-6);
    assert_near(found.deviation, 1e-3, 2e-6);
    make_turns(axis, 0.25, 0.0, DEGREE, 360, 2, &capture);
    for (size_t i = 360; i < 720; i++) {
        put(&capture, i, axis, 0.25, 1.0, 0.0);
    }
    found = find(&capture);
    assert_circle(&found, axis, 0.25, 1e-12);
    /* Short arc with noise of 20 um, whose algebraic fit alone is 1 % off. */
    make(2000, &capture);
    for (size_t i = 0; i < 2000; i++) {
        put(&capture, i, axis, 0.25 + 2e-5 * noise(i), 30.0 * DEGREE * (double)i / 2000.0, 0.0);
    }
    found = find(&capture);
    assert_circle(&found, axis, 0.25, 3e-4);
    assert_true(found.deviation < 2.5e-5);
}

/* A horizontal array's phase centres lie aside of the boresight, so farther from the axis. */
static void horizontal_array(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_array array;
    nfsar_error error;
    assert_ok(nfsar_array_create(1, 3, &array, &error), error);
    array.rx_m[0].x = -0.03;
    array.rx_m[2].x = 0.03;
    assert_ok(nfsar_capture_create(180, 1, &array, false, &capture, &error), error);
    capture.frequency_hz[0] = 79e9;
    for (size_t i = 0; i < 180; i++) {
        double angle = 2.0 * DEGREE * (double)i;
        put(&capture, i, origin, 0.25, angle, 0.0);
        /* Boresight inward: body z to (-cos, 0, -sin). */
        nfsar_vec3 y = {0.0, 1.0, 0.0};
        capture.pose[i].orientation =
            nfsar_quaternion_from_axis_angle(y, atan2(-cos(angle), -sin(angle)));
    }
    nfsar_cylinder found = find(&capture);
    /* Midpoints 15 mm aside: a third of all at 0.25 m, two thirds at sqrt(0.25^2 + 0.015^2). */
    double far = hypot(0.25, 0.015), radius = (0.25 + 2.0 * far) / 3.0;
    assert_circle(&found, origin, radius, 1e-9);
    assert_near(found.deviation, radius - 0.25, 1e-9);
    /* Each channel has angles of its own, atan(0.015 / 0.25) = 3.43 degrees from the middle. */
    assert_int_equal(found.places, 540);
    assert_near(found.step_rad, 0.0, 0.0);
    /* Modulo 2 degrees those are 0, 1.434 and 0.566. */
    assert_near(found.largest_gap_rad, 2.0 * atan(0.06) - 6.0 * DEGREE, 1e-6);
}

static void nothing_round(void **state) {
    (void)state;
    nfsar_capture capture;
    make(100, &capture);
    refuse(&capture, "radius is zero");
    make(1, &capture);
    refuse(&capture, "radius is zero");
    make_turns((nfsar_vec3){5.0, 0.0, -3.0}, 0.0, 0.0, DEGREE, 360, 1, &capture);
    refuse(&capture, "radius is zero");
    /* A raster, upright, turned by 30 degrees, and lying. */
    for (int turn = 0; turn < 3; turn++) {
        make(10000, &capture);
        for (size_t i = 0; i < 10000; i++) {
            double u = 1e-3 * (double)(i % 100), v = 1e-3 * (double)(i / 100);
            nfsar_vec3 at[3] = {{u, v, 0.3}, {u * cos(0.5), v, u * sin(0.5)}, {u, 0.0, v}};
            capture.pose[i].position = at[turn];
        }
        refuse(&capture, turn < 2 ? "straight line" : "leave the best one");
    }
    make_turns(origin, 0.25, 0.0, 0.1 * DEGREE, 150, 1, &capture);
    refuse(&capture, "go round 14.9 degrees");
    make_turns(origin, 0.25, 0.0, 50.0 * DEGREE, 7, 3, &capture);
    refuse(&capture, "in 7 places, needed are 8");
    /* Two places, a line; three, any circle. */
    make_turns(origin, 0.25, 0.0, 1.0, 2, 5, &capture);
    refuse(&capture, "straight line");
    make_turns(origin, 0.25, 0.0, 1.0, 3, 5, &capture);
    refuse(&capture, "in 3 places");
    /* An ellipse. */
    make_turns(origin, 0.25, 0.0, DEGREE, 360, 1, &capture);
    for (size_t i = 0; i < 360; i++) {
        capture.pose[i].position.x *= 1.1;
    }
    refuse(&capture, "leave the best one");
}

/* Positions by hand over a plane: hills in z, bows, random clouds. */
static void handheld(void **state) {
    (void)state;
    nfsar_capture capture;
    for (size_t seed = 0; seed < 40; seed++) {
        make(2000, &capture);
        double hill = 0.002 + 0.002 * (double)(seed % 10), bow = 0.25 * (double)(seed / 10);
        for (size_t i = 0; i < 2000; i++) {
            double x = 0.1 * noise(3 * i + seed), y = 0.1 * noise(3 * i + 1000 * seed + 1);
            double z = hill * sin(40.0 * x + 30.0 * y + (double)seed) + bow * x * x;
            capture.pose[i].position = (nfsar_vec3){x, y, z};
        }
        refuse(&capture, "no cylinder");
    }
    make(2000, &capture);
    for (size_t i = 0; i < 2000; i++) {
        capture.pose[i].position = (nfsar_vec3){noise(3 * i), noise(3 * i + 1), noise(3 * i + 2)};
    }
    refuse(&capture, "leave the best one");
}

static void absurd_numbers(void **state) {
    (void)state;
    nfsar_capture capture;
    static const double bad[] = {NAN, INFINITY, 1e200, -1e308};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        make_turns(origin, 0.25, 0.0, DEGREE, 360, 1, &capture);
        capture.pose[77].position.z = bad[i];
        refuse(&capture, "pulse 77 is not finite");
    }
    static const double radius[] = {1e-30, 1e-9, 1e9, 1e90};
    for (size_t i = 0; i < sizeof radius / sizeof radius[0]; i++) {
        make_turns(origin, radius[i], 0.0, DEGREE, 360, 1, &capture);
        nfsar_cylinder found = find(&capture);
        assert_near(found.radius / radius[i], 1.0, 1e-12);
        assert_int_equal(found.places, 360);
        assert_near(found.step_rad, DEGREE, 1e-15);
    }
}

/* A million phase centres: 2500 angles at 400 heights with jitter, and all of them random. */
static void million(void **state) {
    (void)state;
    enum { PLACES = 2500, ALL = 1000000 };
    double *angle = malloc(ALL * sizeof *angle), *work = malloc(ALL * sizeof *work);
    assert_true(angle != NULL && work != NULL);
    struct turns turns;
    double step = 2.0 * NFSAR_PI / PLACES;
    for (size_t i = 0; i < ALL; i++) {
        angle[i] = step * ((double)(i % PLACES) + 0.008 * noise(i));
    }
    turns_find(angle, work, ALL, &turns);
    assert_int_equal(turns.places, PLACES);
    assert_near(turns.step, step, 1e-15);
    for (size_t i = 0; i < ALL; i++) {
        angle[i] = NFSAR_PI * noise(i);
    }
    turns_find(angle, work, ALL, &turns);
    assert_near(turns.step, 0.0, 0.0);
    assert_near(turns.span, 2.0 * NFSAR_PI, 0.0);
    free(angle);
    free(work);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_circles),   cmocka_unit_test(arcs),
        cmocka_unit_test(missing_places), cmocka_unit_test(uneven_angles),
        cmocka_unit_test(wobble),         cmocka_unit_test(horizontal_array),
        cmocka_unit_test(nothing_round),  cmocka_unit_test(handheld),
        cmocka_unit_test(absurd_numbers), cmocka_unit_test(million),
    };
    return cmocka_run_group_tests_name("cylinder", tests, NULL, NULL);
}
