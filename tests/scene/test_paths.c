/* Paths: positions, orientations and times against numbers worked out by hand. */
#include <math.h>
#include <stdlib.h>

#include "tests/scene/scenes.h"

static void assert_position(const nfsar_capture *capture, size_t pose, double x, double y,
                            double z) {
    assert_near(capture->pose[pose].position.x, x, 1e-12);
    assert_near(capture->pose[pose].position.y, y, 1e-12);
    assert_near(capture->pose[pose].position.z, z, 1e-12);
}

#define AROUND(path) PLAIN_RADAR PLAIN_ARRAY "path:\n  " path "\n" PLAIN_TARGET

static void test_raster(void **state) {
    (void)state;
    nfsar_scene *scene =
        good_scene(AROUND("raster: {x: {size_m: 0.2, step_m: 0.1, centre_m: 0.5}, "
                          "y: {size_m: 0.03, count: 4}, z_m: -0.01, pulse_interval_s: 0.25}"));
    const nfsar_capture *capture = nfsar_scene_header(scene);
    assert_int_equal(capture->n_pulse, 12);
    assert_int_equal(capture->n_pose, 12);
    assert_position(capture, 0, 0.4, -0.015, -0.01);
    assert_position(capture, 2, 0.6, -0.015, -0.01);
    assert_position(capture, 3, 0.4, -0.005, -0.01);
    assert_position(capture, 11, 0.6, 0.015, -0.01);
    assert_near(capture->time_s[11], 2.75, 1e-12);
    nfsar_scene_close(scene);
    /* 0.2 / 0.001 is 200 steps although the quotient is a hair less; 0.2505 leaves half a step. */
    scene =
        good_scene(AROUND("raster: {x: {size_m: 0.2, step_m: 0.001}, y: {size_m: 0, count: 1}}"));
    assert_int_equal(nfsar_scene_header(scene)->n_pulse, 201);
    assert_position(nfsar_scene_header(scene), 0, -0.1, 0.0, 0.0);
    nfsar_scene_close(scene);
    scene =
        good_scene(AROUND("raster: {x: {size_m: 0.2505, step_m: 0.1}, y: {size_m: 0, count: 1}}"));
    assert_int_equal(nfsar_scene_header(scene)->n_pulse, 3);
    assert_position(nfsar_scene_header(scene), 0, -0.1, 0.0, 0.0);
    nfsar_scene_close(scene);
}

static void test_serpentine(void **state) {
    (void)state;
    nfsar_scene *scene = good_scene(AROUND("raster: {x: {size_m: 0.2, count: 3}, "
                                           "y: {size_m: 0.1, count: 2}, serpentine: true}"));
    const nfsar_capture *capture = nfsar_scene_header(scene);
    assert_position(capture, 0, -0.1, -0.05, 0.0);
    assert_position(capture, 2, 0.1, -0.05, 0.0);
    assert_position(capture, 3, 0.1, 0.05, 0.0);
    assert_position(capture, 5, -0.1, 0.05, 0.0);
    nfsar_scene_close(scene);
}

static const char *const moving =
    PLAIN_RADAR "array: {preset: xwr1443-2tx, chirp_interval_s: 1e-3}\n"
                "path:\n  raster: {x: {size_m: 0.2, count: 3}, y: {size_m: 0.1, count: 2}, "
                "pulse_interval_s: 0.01, motion: %s}\n" PLAIN_TARGET;

/* World x of the transmitter of a channel, less that of the body at the pulse. */
static double offset_of(const nfsar_capture *capture, size_t pulse, size_t channel, double body_x) {
    nfsar_error error;
    nfsar_vec3 tx[8], rx[8];
    assert_ok(nfsar_capture_antennas(capture, false, pulse, 1, tx, rx, &error), error);
    return tx[channel].x - body_x;
}

static void test_fly_by_moves_between_chirps(void **state) {
    (void)state;
    char text[1024];
    snprintf(text, sizeof text, moving, "fly-by");
    nfsar_scene *scene = good_scene(text);
    const nfsar_capture *capture = nfsar_scene_header(scene);
    assert_int_equal(capture->n_pulse, 6);
    assert_near(capture->array.channel_time_s[3], 0.0, 0.0);
    assert_near(capture->array.channel_time_s[4], 1e-3, 1e-15);
    /* 0.1 m in 10 ms is 10 m/s: 10 mm in the 1 ms to the second transmitter. Also at the end of
     * a line, where the radar goes straight on and not to the next line's start. */
    for (size_t pulse = 0; pulse < 6; pulse++) {
        double x = -0.1 + 0.1 * (double)(pulse % 3);
        assert_near(offset_of(capture, pulse, 0, x), 0.0, 1e-12);
        assert_near(offset_of(capture, pulse, 4, x), 0.01, 1e-12);
    }
    nfsar_scene_close(scene);
}

static void test_stop_and_go_stands_still(void **state) {
    (void)state;
    char text[1024];
    snprintf(text, sizeof text, moving, "stop-and-go");
    nfsar_scene *scene = good_scene(text);
    const nfsar_capture *capture = nfsar_scene_header(scene);
    for (size_t pulse = 0; pulse < 6; pulse++) {
        double x = -0.1 + 0.1 * (double)(pulse % 3);
        assert_near(offset_of(capture, pulse, 0, x), 0.0, 1e-12);
        assert_near(offset_of(capture, pulse, 7, x), 0.0, 1e-12);
    }
    nfsar_scene_close(scene);
}

static void test_turntable(void **state) {
    (void)state;
    nfsar_scene *scene = good_scene(AROUND(
        "turntable: {radius_m: 0.25, count: 8, y: {size_m: 0.02, count: 3, centre_m: 0.1}}"));
    const nfsar_capture *capture = nfsar_scene_header(scene);
    assert_int_equal(capture->n_pulse, 24);
    /* The full circle does not repeat its start: 45 degrees a step. */
    assert_position(capture, 0, 0.25, 0.09, 0.0);
    assert_position(capture, 1, 0.25 * sqrt(0.5), 0.09, 0.25 * sqrt(0.5));
    assert_position(capture, 2, 0.0, 0.09, 0.25);
    assert_position(capture, 8, 0.25, 0.10, 0.0);
    for (size_t i = 0; i < 24; i++) {
        nfsar_pose pose = capture->pose[i];
        /* A point 0.25 m ahead is on the axis at the radar's height; body y is the axis. */
        nfsar_vec3 ahead = nfsar_pose_transform(pose, (nfsar_vec3){0.0, 0.0, 0.25});
        assert_near(ahead.x, 0.0, 1e-12);
        assert_near(ahead.z, 0.0, 1e-12);
        nfsar_vec3 up = nfsar_pose_transform(pose, (nfsar_vec3){0.0, 1.0, 0.0});
        assert_near(up.y - pose.position.y, 1.0, 1e-12);
    }
    nfsar_scene_close(scene);
    /* An arc has both its ends. */
    scene = good_scene(AROUND("turntable: {radius_m: 1, count: 3, from_deg: -90, to_deg: 90}"));
    assert_position(nfsar_scene_header(scene), 0, 0.0, 0.0, -1.0);
    assert_position(nfsar_scene_header(scene), 1, 1.0, 0.0, 0.0);
    assert_position(nfsar_scene_header(scene), 2, 0.0, 0.0, 1.0);
    nfsar_scene_close(scene);
}

#define TURNTABLE(keys)                                                                            \
    AROUND("turntable: {radius_m: 0.25, count: 8, y: {size_m: 0.02, count: 3}, " keys "}")

static void assert_vector(nfsar_vec3 v, double x, double y, double z) {
    assert_near(v.x, x, 1e-12);
    assert_near(v.y, y, 1e-12);
    assert_near(v.z, z, 1e-12);
}

/* Where the radar is, and what it looks at 0.25 m ahead. */
static void assert_true_pose(const nfsar_capture *capture, size_t i, nfsar_vec3 at,
                             nfsar_vec3 ahead) {
    nfsar_vec3 seen = nfsar_pose_transform(capture->true_pose[i], (nfsar_vec3){0.0, 0.0, 0.25});
    assert_vector(capture->true_pose[i].position, at.x, at.y, at.z);
    assert_vector(seen, ahead.x, ahead.y, ahead.z);
}

/* Poses 0 and 2 of the first row: at 0 and 90 degrees, y -0.01. */
static void test_turntable_errors(void **state) {
    (void)state;
    nfsar_scene *plain = good_scene(TURNTABLE(""));
    const nfsar_pose *said = nfsar_scene_header(plain)->pose;
    assert_null(nfsar_scene_header(plain)->true_pose);
    /* Rigid rotation about a line at (3, -2) mm: the circle moves there. */
    nfsar_scene *scene = good_scene(TURNTABLE("errors: {axis_m: [3e-3, -2e-3]}"));
    const nfsar_capture *capture = nfsar_scene_header(scene);
    assert_memory_equal(capture->pose, said, 24 * sizeof *said);
    assert_true_pose(capture, 0, (nfsar_vec3){0.253, -0.01, -0.002},
                     (nfsar_vec3){0.003, -0.01, -0.002});
    assert_true_pose(capture, 2, (nfsar_vec3){0.003, -0.01, 0.248},
                     (nfsar_vec3){0.003, -0.01, -0.002});
    nfsar_scene_close(scene);
    /* Radius and angle zero; the radar 5 mm aside looks past the axis by that. */
    scene = good_scene(TURNTABLE("errors: {radius_m: 1e-3, angle_zero_deg: 90, aside_m: 5e-3}"));
    assert_true_pose(nfsar_scene_header(scene), 0, (nfsar_vec3){-0.005, -0.01, 0.251},
                     (nfsar_vec3){-0.005, -0.01, 0.001});
    nfsar_scene_close(scene);
    /* Angles grow 1.5 times as fast from the first one on: from 90 by 270 degrees to 360. */
    scene = good_scene(
        AROUND("turntable: {radius_m: 1, count: 4, from_deg: 90, errors: {angle_scale: 1.5}}"));
    assert_vector(nfsar_scene_header(scene)->true_pose[0].position, 0.0, 0.0, 1.0);
    assert_vector(nfsar_scene_header(scene)->true_pose[2].position, 1.0, 0.0, 0.0);
    nfsar_scene_close(scene);
    /* Two cycles a turn, largest at 0 and 180, smallest at 90 degrees. */
    scene = good_scene(TURNTABLE("errors: {wobble_m: 2e-3, wobble_turns: 2}"));
    assert_vector(nfsar_scene_header(scene)->true_pose[0].position, 0.252, -0.01, 0.0);
    assert_vector(nfsar_scene_header(scene)->true_pose[2].position, 0.0, -0.01, 0.248);
    nfsar_scene_close(scene);
    /* Once a turn, largest at 90 degrees. */
    scene = good_scene(TURNTABLE("errors: {wobble_m: 2e-3, wobble_deg: 90}"));
    assert_vector(nfsar_scene_header(scene)->true_pose[0].position, 0.25, -0.01, 0.0);
    assert_vector(nfsar_scene_header(scene)->true_pose[2].position, 0.0, -0.01, 0.252);
    nfsar_scene_close(scene);
    /* A lift that leans outward at the top by 30 degrees: 10 mm below the table's height the radar
     * is 5 mm nearer, and looks up. */
    scene = good_scene(TURNTABLE("errors: {tilt_deg: 30}"));
    double c = sqrt(0.75);
    assert_true_pose(nfsar_scene_header(scene), 0,
                     (nfsar_vec3){0.25 * c - 0.005, -0.125 - 0.01 * c, 0.0},
                     (nfsar_vec3){-0.005, -0.01 * c, 0.0});
    nfsar_scene_close(scene);
    /* Reported: the same poses, and there is no other truth. */
    scene = good_scene(TURNTABLE("errors: {axis_m: [3e-3, -2e-3], reported: yes}"));
    assert_vector(nfsar_scene_header(scene)->pose[0].position, 0.253, -0.01, -0.002);
    assert_null(nfsar_scene_header(scene)->true_pose);
    nfsar_scene_close(scene);
    nfsar_scene_close(plain);
}

static double angle_of(nfsar_pose pose) {
    return atan2(pose.position.z, pose.position.x) * 180.0 / NFSAR_PI;
}

static void test_turntable_jitter(void **state) {
    (void)state;
    nfsar_scene *scene =
        good_scene(AROUND("turntable: {radius_m: 1, count: 4000, from_deg: -90, to_deg: 90, "
                          "errors: {angle_jitter_deg: 0.2}}"));
    const nfsar_capture *capture = nfsar_scene_header(scene);
    double square = 0.0, next = 0.0, before = 0.0;
    for (size_t i = 0; i < 4000; i++) {
        double off = angle_of(capture->true_pose[i]) - angle_of(capture->pose[i]);
        square += off * off / 4000.0;
        next += off * before / 4000.0;
        before = off;
        assert_near(nfsar_vec3_norm(capture->true_pose[i].position), 1.0, 1e-12);
    }
    assert_near(sqrt(square), 0.2, 0.2 * 4.0 / sqrt(2.0 * 4000.0)); /* four sigma */
    assert_near(next / square, 0.0, 4.0 / sqrt(4000.0));
    nfsar_scene_close(scene);
    /* With a pose error both are in the capture: the report errs about what the table says. */
    scene = good_scene(AROUND(
        "turntable: {radius_m: 1, count: 400, errors: {radius_m: 0.1}}") "impairments:\n"
                                                                         "  pose_error: {kind: "
                                                                         "white, sigma_m: [0, "
                                                                         "1e-3, 0]}\n");
    capture = nfsar_scene_header(scene);
    square = 0.0;
    for (size_t i = 0; i < 400; i++) {
        nfsar_vec3 p = capture->pose[i].position, q = capture->true_pose[i].position;
        assert_near(hypot(p.x, p.z), 1.0, 1e-12);
        assert_near(nfsar_vec3_norm(q), 1.1, 1e-12);
        square += p.y * p.y / 400.0;
    }
    assert_near(sqrt(square), 1e-3, 1e-3 * 4.0 / sqrt(800.0));
    nfsar_scene_close(scene);
    scene = good_scene(AROUND(
        "turntable: {radius_m: 1, count: 4, errors: {radius_m: 0.1}}") "impairments:\n"
                                                                       "  pose_error: {kind: "
                                                                       "white, sigma_m: [0, 1e-3, "
                                                                       "0], displaces: radar}\n");
    capture = nfsar_scene_header(scene);
    assert_vector(capture->pose[0].position, 1.0, 0.0, 0.0);
    assert_near(capture->true_pose[0].position.x, 1.1, 1e-12);
    assert_true(capture->true_pose[0].position.y != 0.0);
    nfsar_scene_close(scene);
}

static void test_turntable_missing(void **state) {
    (void)state;
    nfsar_scene *all = good_scene(AROUND("turntable: {radius_m: 1, count: 4000}"));
    nfsar_scene *scene = good_scene(AROUND("turntable: {radius_m: 1, count: 4000, missing: 0.1}"));
    const nfsar_capture *capture = nfsar_scene_header(scene), *whole = nfsar_scene_header(all);
    /* 3600 with a standard deviation of 19; those that are left are where and when they were. */
    assert_true(capture->n_pulse > 3500 && capture->n_pulse < 3700);
    assert_int_equal(capture->n_pose, capture->n_pulse);
    assert_null(capture->true_pose);
    size_t at = 0;
    for (size_t i = 0; i < capture->n_pulse; i++) {
        while (at < 3999 && whole->time_s[at] != capture->time_s[i]) {
            at++;
        }
        assert_memory_equal(&capture->pose[i], &whole->pose[at], sizeof capture->pose[i]);
    }
    /* Jitter has random numbers of its own: the same with and without pulses that miss. */
    nfsar_scene *both = good_scene(AROUND(
        "turntable: {radius_m: 1, count: 4000, missing: 0.1, errors: {angle_jitter_deg: 1}}"));
    nfsar_scene *jitter =
        good_scene(AROUND("turntable: {radius_m: 1, count: 4000, errors: {angle_jitter_deg: 1}}"));
    const nfsar_capture *b = nfsar_scene_header(both);
    assert_int_equal(b->n_pulse, capture->n_pulse);
    assert_memory_equal(b->time_s, capture->time_s, b->n_pulse * sizeof *b->time_s);
    for (size_t i = 0; i < b->n_pulse; i++) {
        size_t pulse = (size_t)lround(b->time_s[i] / 5e-3);
        assert_memory_equal(&b->true_pose[i], &nfsar_scene_header(jitter)->true_pose[pulse],
                            sizeof b->true_pose[i]);
    }
    nfsar_scene_close(jitter);
    nfsar_scene_close(both);
    nfsar_scene_close(scene);
    nfsar_scene_close(all);
    /* A table that does not stop goes through the places that miss. */
    scene = good_scene(AROUND("turntable: {radius_m: 1, count: 400, missing: 0.5, motion: fly-by, "
                              "errors: {radius_m: 0.1}}"));
    capture = nfsar_scene_header(scene);
    assert_int_equal(capture->n_pose, 401);
    assert_true(capture->n_pulse > 140 && capture->n_pulse < 260);
    assert_near(nfsar_vec3_norm(capture->pose[200].position), 1.0, 1e-12);
    assert_near(nfsar_vec3_norm(capture->true_pose[200].position), 1.1, 1e-12);
    /* The one behind the last goes straight on in both. */
    assert_near(capture->true_pose[400].position.x, 1.1 * capture->pose[400].position.x, 1e-12);
    nfsar_scene_close(scene);
}

static void test_turntable_refusals(void **state) {
    (void)state;
    assert_refused(TURNTABLE("missing: 1"), "path.turntable.missing is 1: a fraction");
    assert_refused(TURNTABLE("missing: -0.1"), "path.turntable.missing is -0.1");
    assert_refused(TURNTABLE("missing: nan"), "path.turntable.missing is nan");
    assert_refused(AROUND("turntable: {radius_m: 1, count: 1, missing: 0.9999999}"),
                   "of 1 positions none is left");
    assert_refused(TURNTABLE("errors: {radius_m: -0.25}"), "leave a radius of 0 m");
    assert_refused(TURNTABLE("errors: {radius_m: -0.2, wobble_m: -0.06}"), "leave a radius of");
    assert_refused(TURNTABLE("errors: {angle_jitter_deg: -1}"),
                   "path.turntable.errors.angle_jitter_deg is -1");
    assert_refused(TURNTABLE("errors: {angle_scale: 0}"), "path.turntable.errors.angle_scale is 0");
    assert_refused(TURNTABLE("errors: {tilt_deg: 90}"), "path.turntable.errors.tilt_deg is 90");
    assert_refused(TURNTABLE("errors: {wobble_turns: -1}"),
                   "path.turntable.errors.wobble_turns is -1");
    assert_refused(TURNTABLE("errors: {axis_m: [0, nan]}"), "path.turntable.errors.axis_m is nan");
    assert_refused(TURNTABLE("errors: {axis_m: [0]}"), "axis_m");
    assert_refused(TURNTABLE("errors: {eccentricity_m: 1}"), "eccentricity_m");
}

static void test_irregular(void **state) {
    (void)state;
    enum { NX = 120, NY = 40 };
    const char *text = "seed: 5\n" AROUND(
        "irregular: {x: {size_m: 0.12, count: 120}, y: {size_m: 0.04, count: 40}, "
        "z_m: 0.01, amplitude_m: 0.03}");
    nfsar_scene *scene = good_scene(text);
    const nfsar_capture *capture = nfsar_scene_header(scene);
    double low = INFINITY, high = -INFINITY, steepest = 0.0;
    for (size_t j = 0; j < NY; j++) {
        for (size_t i = 0; i < NX; i++) {
            nfsar_vec3 p = capture->pose[j * NX + i].position;
            assert_near(p.x, -0.06 + 0.12 * (double)i / (NX - 1), 1e-12);
            low = fmin(low, p.z);
            high = fmax(high, p.z);
            if (i > 0) {
                steepest = fmax(steepest, fabs(p.z - capture->pose[j * NX + i - 1].position.z));
            }
        }
    }
    /* Scaled to its extremes: all of the amplitude, centred on z_m. */
    assert_near(low, 0.01 - 0.015, 1e-8);
    assert_near(high, 0.01 + 0.015, 1e-8);
    /* Smooth: the filter keeps some 3 periods across, about 9 of which (3 sigma) nothing is left,
     * so a step is below 2 pi 9 / 120 of half the amplitude. */
    assert_true(steepest > 0.0 && steepest < 2.0 * NFSAR_PI * 9.0 / NX * 0.015);
    /* The same seed gives the same surface; another one does not. */
    nfsar_scene *again = good_scene(text);
    assert_memory_equal(nfsar_scene_header(again)->pose, capture->pose,
                        NX * NY * sizeof *capture->pose);
    nfsar_scene_close(again);
    nfsar_error error;
    uint64_t seed = 6;
    assert_ok(nfsar_scene_open(test_path("scene.yaml"), &seed, &again, &error), error);
    assert_true(
        fabs(nfsar_scene_header(again)->pose[77].position.z - capture->pose[77].position.z) > 1e-5);
    nfsar_scene_close(again);
    nfsar_scene_close(scene);
}

static void test_cloud(void **state) {
    (void)state;
    nfsar_scene *scene =
        good_scene(AROUND("cloud: {count: 3000, size_m: [0.2, 0.1, 0.02], centre_m: [1, 2, 3]}"));
    const nfsar_capture *capture = nfsar_scene_header(scene);
    const double size[3] = {0.2, 0.1, 0.02};
    double mean[3] = {0}, square[3] = {0};
    assert_int_equal(capture->n_pulse, 3000);
    for (size_t i = 0; i < 3000; i++) {
        nfsar_vec3 p = capture->pose[i].position;
        const double off[3] = {p.x - 1.0, p.y - 2.0, p.z - 3.0};
        for (int k = 0; k < 3; k++) {
            assert_true(fabs(off[k]) <= 0.5 * size[k]);
            mean[k] += off[k] / size[k] / 3000.0;
            square[k] += off[k] * off[k] / size[k] / size[k] / 3000.0;
        }
    }
    for (int k = 0; k < 3; k++) {
        assert_near(mean[k], 0.0, 0.027);           /* 5 / sqrt(12 N) */
        assert_near(square[k], 1.0 / 12.0, 0.0068); /* 5 / sqrt(180 N) */
    }
    nfsar_scene_close(scene);
}

/* A hand at rest for half a second that then does not jerk: nothing moves at first, and no second
 * difference is as large as where a line meets its half circle. */
static void test_handheld_smooth(void **state) {
    (void)state;
    nfsar_scene *scene = good_scene(
        AROUND("handheld: {size_m: [0.2, 0.1], line_spacing_m: 0.05, speed_m_per_s: 0.5, "
               "pulse_rate_hz: 1000, wander_m: [1e-3, 1e-3, 1e-3], wander_deg: [1, 1, 1], "
               "rest_s: 0.5, smooth_s: 0.1}"));
    const nfsar_capture *capture = nfsar_scene_header(scene);
    assert_int_equal(capture->n_pulse, 1515 + 500);
    for (size_t i = 0; i < 340; i++) { /* three averages reach 50 ms each */
        assert_position(capture, i, -0.1, -0.05, 0.0);
        assert_near(capture->pose[i].orientation.w, 1.0, 1e-15);
    }
    double most = 0.0;
    for (size_t i = 1; i + 1 < capture->n_pulse - 1; i++) {
        const nfsar_vec3 a = capture->pose[i - 1].position, b = capture->pose[i].position,
                         c = capture->pose[i + 1].position;
        const nfsar_vec3 bend = nfsar_vec3_subtract(nfsar_vec3_add(a, c), nfsar_vec3_scale(b, 2.0));
        most = fmax(most, nfsar_vec3_norm(bend) * 1e6);
    }
    /* From rest to 0.5 m/s the mean of three boxes of 0.1 s has a peak of 0.75 / 0.1 s: 3.75 m/s^2;
     * in the half circle it is 0.5^2 / 0.025 = 10 m/s^2 at most, less what is averaged away. */
    assert_true(most > 3.7 && most < 10.5);
    nfsar_scene_close(scene);
    assert_refused(AROUND("handheld: {size_m: [0.2, 0.1], line_spacing_m: 0.05, "
                          "speed_m_per_s: 0.5, pulse_rate_hz: 1000, rest_s: -1}"),
                   "path.handheld.rest_s is -1");
    assert_refused(AROUND("handheld: {size_m: [0.2, 0.1], line_spacing_m: 0.05, "
                          "speed_m_per_s: 0.5, pulse_rate_hz: 1000, smooth_s: 1000}"),
                   "path.handheld.smooth_s is 1000");
}

static void test_handheld(void **state) {
    (void)state;
    /* Three lines of 0.2 m, 0.05 m apart, two half circles of pi 0.025 m: 0.7571 m at 0.5 m/s. */
    nfsar_scene *scene = good_scene(
        AROUND("handheld: {size_m: [0.2, 0.1], line_spacing_m: 0.05, speed_m_per_s: 0.5, "
               "pulse_rate_hz: 1000, centre_m: [0, 0, -0.1]}"));
    const nfsar_capture *capture = nfsar_scene_header(scene);
    assert_int_equal(capture->n_pulse, 1515);
    assert_position(capture, 0, -0.1, -0.05, -0.1);
    /* 0.4 s later at the end of the line, then round the bend: the middle of the half circle after
     * pi 0.0125 m more. */
    assert_position(capture, 400, 0.1, -0.05, -0.1);
    nfsar_pose middle = nfsar_track_pose(capture->pose_time_s, capture->pose, capture->n_pose,
                                         (0.2 + 0.0125 * NFSAR_PI) / 0.5, NULL);
    assert_near(middle.position.x, 0.125, 1e-5);
    assert_near(middle.position.y, -0.025, 1e-5);
    /* Constant speed: chords of 0.5 mm, shorter by less than 1e-4 in the bends. */
    for (size_t i = 1; i < capture->n_pulse; i++) {
        double way = nfsar_vec3_distance(capture->pose[i].position, capture->pose[i - 1].position);
        assert_near(way, 0.5e-3, 1e-7);
    }
    nfsar_scene_close(scene);
    /* Wander: the mean square over 20 s, ten correlation times and more, is about sigma. */
    scene = good_scene(
        AROUND("handheld: {size_m: [0.5, 1.0], line_spacing_m: 0.05, speed_m_per_s: 0.5, "
               "pulse_rate_hz: 100, wander_m: [0, 0, 5e-3], wander_deg: [0, 2, 0], "
               "wander_time_s: 0.2}"));
    capture = nfsar_scene_header(scene);
    double height = 0.0, angle = 0.0, jump = 0.0;
    for (size_t i = 0; i < capture->n_pulse; i++) {
        height += pow(capture->pose[i].position.z, 2.0) / (double)capture->n_pulse;
        angle += pow(2.0 * asin(capture->pose[i].orientation.y), 2.0) / (double)capture->n_pulse;
        if (i > 0) {
            jump = fmax(jump, fabs(capture->pose[i].position.z - capture->pose[i - 1].position.z));
        }
    }
    assert_near(sqrt(height), 5e-3, 1e-3);
    assert_near(sqrt(angle) * 180.0 / NFSAR_PI, 2.0, 0.4);
    /* sigma dt / tau = 0.25 mm is one standard deviation of a step. */
    assert_true(jump < 5 * 0.25e-3);
    nfsar_scene_close(scene);
}

/* A speed that wanders: the same way, and the logarithm of the step is normal about that of the
 * even one, with a mean square of 0.6^2 over some hundred correlation times. */
static void test_unsteady_hand(void **state) {
    (void)state;
    nfsar_scene *scene = good_scene(
        AROUND("handheld: {size_m: [0.5, 1.0], line_spacing_m: 0.05, speed_m_per_s: 0.5, "
               "pulse_rate_hz: 500, speed_wander: 0.6, wander_time_s: 0.05}"));
    const nfsar_capture *capture = nfsar_scene_header(scene);
    double mean = 0.0, square = 0.0;
    size_t n = capture->n_pulse - 1;
    for (size_t i = 0; i < n; i++) {
        nfsar_vec3 a = capture->pose[i].position, b = capture->pose[i + 1].position;
        double step = log(nfsar_vec3_distance(a, b) / 1e-3);
        mean += step / (double)n;
        square += step * step / (double)n;
    }
    assert_near(mean, 0.0, 0.2);
    assert_near(sqrt(square), 0.6, 0.1);
    /* It ends within a step of the end of the last line, of 21 to and fro. */
    assert_near(capture->pose[n].position.x, 0.25, 0.02);
    assert_near(capture->pose[n].position.y, 0.5, 1e-9);
    nfsar_scene_close(scene);
    assert_refused(AROUND("handheld: {size_m: [0.2, 0.1], line_spacing_m: 0.01, "
                          "speed_m_per_s: 0.5, pulse_rate_hz: 100, speed_wander: -1}"),
                   "path.handheld.speed_wander is -1: must be from 0 to 2");
    assert_refused(AROUND("handheld: {size_m: [0.2, 0.1], line_spacing_m: 0.01, "
                          "speed_m_per_s: 1e-9, pulse_rate_hz: 100, speed_wander: 1}"),
                   "pulses: must be from 1 to 5000000");
}

static void test_refusals(void **state) {
    (void)state;
    assert_refused(PLAIN_RADAR PLAIN_ARRAY "path: {pulse_interval_s: 1}\n" PLAIN_TARGET,
                   "path: give one of");
    assert_refused(AROUND("raster: {x: {size_m: 0, step_m: 0.1}, y: {size_m: 1, count: 2}}"),
                   "path.raster.x: size_m is 0");
    assert_refused(AROUND("raster: {x: {size_m: -1, step_m: 0.1}, y: {size_m: 1, count: 2}}"),
                   "path.raster.x: size_m is -1");
    assert_refused(AROUND("raster: {x: {size_m: .nan, step_m: 0.1}, y: {size_m: 1, count: 2}}"),
                   "scene.yaml");
    assert_refused(AROUND("raster: {x: {size_m: nan, step_m: 0.1}, y: {size_m: 1, count: 2}}"),
                   "path.raster.x: size_m is nan");
    assert_refused(AROUND("raster: {x: {size_m: 1, step_m: 0}, y: {size_m: 1, count: 2}}"),
                   "path.raster.x: step_m is 0");
    assert_refused(AROUND("raster: {x: {size_m: 1, step_m: 1e-12}, y: {size_m: 1, count: 2}}"),
                   "too many");
    assert_refused(AROUND("raster: {x: {size_m: 0, count: 2}, y: {size_m: 1, count: 2}}"),
                   "size_m is 0 with count 2");
    assert_refused(AROUND("raster: {x: {size_m: 1}, y: {size_m: 1, count: 2}}"),
                   "give either step_m or count");
    assert_refused(
        AROUND("raster: {x: {size_m: 1, count: 4999999}, y: {size_m: 1, count: 4999999}}"),
        "pulses: must be from 1 to");
    assert_refused(
        AROUND("raster: {x: {size_m: 1, count: 18446744073709551615}, y: {size_m: 1, count: 2}}"),
        "must be from 1 to");
    assert_refused(AROUND("turntable: {radius_m: 0, count: 8}"), "radius_m is 0");
    assert_refused(AROUND("turntable: {radius_m: 1, count: 0}"), "count is 0");
    assert_refused(AROUND("cloud: {count: 0, size_m: [1, 1, 1]}"), "0 pulses");
    assert_refused(AROUND("cloud: {count: 5, size_m: [1, 1]}"), "scene.yaml");
    assert_refused(AROUND("handheld: {size_m: [0.2, 0.1], line_spacing_m: 0.01, "
                          "speed_m_per_s: 1e-300, pulse_rate_hz: 1000}"),
                   "pulses: must be");
    assert_refused(AROUND("handheld: {size_m: [0.2, 1], line_spacing_m: 1e-9, "
                          "speed_m_per_s: 1, pulse_rate_hz: 1000}"),
                   "lines are too many");
    assert_refused(AROUND("irregular: {x: {size_m: 1, count: 2}, y: {size_m: 1, count: 2}, "
                          "amplitude_m: 0.1, roughness: 0}"),
                   "roughness is 0");
    assert_refused(PLAIN_RADAR
                   "array: {preset: xwr1443-2tx, chirp_interval_s: 1}\n" PLAIN_PATH PLAIN_TARGET,
                   "next pulse comes after");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_raster),
        cmocka_unit_test(test_serpentine),
        cmocka_unit_test(test_fly_by_moves_between_chirps),
        cmocka_unit_test(test_stop_and_go_stands_still),
        cmocka_unit_test(test_turntable),
        cmocka_unit_test(test_turntable_errors),
        cmocka_unit_test(test_turntable_jitter),
        cmocka_unit_test(test_turntable_missing),
        cmocka_unit_test(test_turntable_refusals),
        cmocka_unit_test(test_irregular),
        cmocka_unit_test(test_cloud),
        cmocka_unit_test(test_handheld),
        cmocka_unit_test(test_handheld_smooth),
        cmocka_unit_test(test_unsteady_hand),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
