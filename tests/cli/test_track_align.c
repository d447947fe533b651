/* nfsar track --poses --align where poses err, where something else echoes, and where the poses are
 * those of another scan. */
#include "tests/cli/tracker.h"

#include <nfsar/simulation.h>

static char output[20000];

static int align(const char *name, const char *poses, const char *more) {
    return test_command(output, sizeof output, "track %s -o %s --poses %s --align --json %s",
                        test_path(name), test_path("out.h5"), test_path(poses), more);
}

/* The places that the output lists, each at one of the points to within a distance. */
static void assert_places(const nfsar_vec3 *point, size_t n, double within_m) {
    static const char key[] = "\"position_m\": [";
    size_t seen = 0;
    for (const char *at = strstr(output, key); at != NULL; at = strstr(at + 1, key)) {
        char *end = NULL;
        nfsar_vec3 place;
        place.x = strtod(at + strlen(key), &end);
        place.y = strtod(end + 1, &end);
        place.z = strtod(end + 1, &end);
        double nearest = INFINITY;
        for (size_t i = 0; i < n; i++) {
            nearest = fmin(nearest, nfsar_vec3_distance(place, point[i]));
        }
        assert_near(nearest, 0.0, within_m);
        seen++;
    }
    assert_int_equal(seen, n);
}

static const nfsar_vec3 four[] = {
    {0, 0, 0.3}, {0.05, 0.03, 0.33}, {-0.06, 0.02, 0.36}, {0.02, -0.05, 0.28}};

/* A tracker that errs by 0.2 mm along each axis, for about a second: the offset to 0.1 ms, and as
 * far off as its standard deviation says; no reflector at a ghost of the rows. */
static void errs(void **state) {
    (void)state;
#ifdef NFSAR_SANITIZED
    enum { HANDS = 1 };
#else
    enum { HANDS = 5 };
#endif
    double ratio = 0.0;
    for (int hand = 0; hand < HANDS; hand++) {
        char path[1000], targets[1000];
        /* The third and fifth were off by milliseconds while poses were taken for exact. */
        static const int seeds[5] = {7, 6, 8, 24, 10};
        snprintf(path, sizeof path, "seed: %d\n%s", seeds[hand], strchr(tracker_hand, '\n') + 1);
        snprintf(targets, sizeof targets,
                 "%.*simpairments: {snr_db: 20, pose_error: {kind: smooth, "
                 "sigma_m: [2e-4, 2e-4, 2e-4], time_s: 1.0}}\n",
                 (int)(strstr(tracker_points, "impairments") - tracker_points), tracker_points);
        tracker_simulate(path, targets, "errs.h5");
        tracker_write("errs.h5", "errs.tum", 0.137, false);
        assert_int_equal(align("errs.h5", "errs.tum", "--clock-ahead 0.2 --search 0.2"), 0);
        const double off = number_after(output, "\"clock_ahead_s\": ") - 0.137;
        const double sigma = number_after(output, "\"sigma_s\": ");
        print_message("hand %d: off by %.1f us, standard deviation %.1f us\n", seeds[hand],
                      1e6 * off, 1e6 * sigma);
        assert_near(off, 0.0, 5e-5);
        assert_true(sigma < 5e-5 && fabs(off) < 4.0 * sigma);
        assert_places(four, 4, 5e-3);
        assert_contains(output, "\"bias_told\": false");
        ratio += off * off / (sigma * sigma) / HANDS;
    }
    assert_true(sqrt(ratio) < 1.5);
}

/* What is outside the gate, twenty decibels stronger, is not seen at all. */
static void gated(void **state) {
    (void)state;
    char targets[1000];
    snprintf(targets, sizeof targets,
             "%.*s      - {at_m: [0.1, 0, 0.9], amplitude: 10}\n"
             "impairments: {snr_db: 30}\n",
             (int)(strstr(tracker_points, "impairments") - tracker_points), tracker_points);
    tracker_simulate(tracker_hand, targets, "gate.h5");
    tracker_write("gate.h5", "gate.tum", 0.2, false);
    assert_int_equal(align("gate.h5", "gate.tum", "--clock-ahead 0.25 --search 0.2 --gate 0.2:0.5"),
                     0);
    assert_near(number_after(output, "\"clock_ahead_s\": "), 0.2, 2e-5);
    assert_true(number_after(output, "\"sigma_s\": ") < 1e-5);
    assert_places(four, 4, 2e-3);
}

/* One point of four alike: its neighbours in range pull it by millimetres, which is no bias. A bias
 * that is one is told where all are given. */
static void neighbours(void **state) {
    (void)state;
    assert_int_equal(
        align("hand.h5", "hand.tum", "--clock-ahead 2.3 --search 0.1 --point 0.05,0.03,0.33"), 0);
    assert_contains(output, "\"bias_told\": false");
    nfsar_capture capture;
    nfsar_error error;
    assert_ok(nfsar_capture_load(test_path("hand.h5"), &capture, &error), error);
    for (size_t p = 0; p < capture.n_pulse; p++) {
        for (size_t i = 0; i < capture.n_sample; i++) {
            const double turn =
                4.0 * NFSAR_PI * capture.frequency_hz[i] / NFSAR_SPEED_OF_LIGHT * 0.025;
            capture.echo[p * capture.n_sample + i] *= CMPLXF((float)cos(turn), (float)sin(turn));
        }
    }
    assert_ok(nfsar_capture_save(test_path("late.h5"), &capture, &error), error);
    nfsar_capture_free(&capture);
    assert_int_equal(align("late.h5", "hand.tum",
                           "--clock-ahead 2.3 --search 0.1 --point "
                           "\"0,0,0.3;0.05,0.03,0.33;-0.06,0.02,0.36;0.02,-0.05,0.28\""),
                     0);
    assert_contains(output, "\"bias_told\": true");
    assert_near(number_after(output, "\"bias_m\": "), 0.025, 1e-3);
}

/* Of two channels the first has nothing but noise. */
static void other_channel(void **state) {
    (void)state;
    nfsar_capture one, two;
    nfsar_error error;
    assert_ok(nfsar_capture_load(test_path("hand.h5"), &one, &error), error);
    nfsar_array array;
    assert_ok(nfsar_array_create(1, 2, &array, &error), error);
    assert_ok(nfsar_capture_create(one.n_pulse, one.n_sample, &array, true, &two, &error), error);
    memcpy(two.frequency_hz, one.frequency_hz, one.n_sample * sizeof *one.frequency_hz);
    for (size_t i = 0; i < one.n_pulse; i++) {
        two.time_s[i] = one.time_s[i];
        two.pose_time_s[i] = one.time_s[i];
        two.pose[i] = nfsar_track_pose(one.pose_time_s, one.pose, one.n_pose, one.time_s[i], NULL);
    }
    nfsar_random random;
    nfsar_random_stream(&random, 1, 1);
    for (size_t i = 0; i < one.n_pulse * one.n_sample; i++) {
        const size_t line = i / one.n_sample, at = i % one.n_sample;
        two.echo[(2 * line) * one.n_sample + at] =
            (float complex)(3.0 * nfsar_random_complex_normal(&random));
        two.echo[(2 * line + 1) * one.n_sample + at] = one.echo[i];
    }
    assert_ok(nfsar_capture_save(test_path("two.h5"), &two, &error), error);
    nfsar_capture_free(&one);
    nfsar_capture_free(&two);
    assert_int_equal(align("two.h5", "hand.tum", "--clock-ahead 2.3 --search 0.1"), 0);
    assert_near(number_after(output, "\"clock_ahead_s\": "), 2.3, 1e-4);
}

/* The same bits each time, with as many threads. */
static inline void repeats(void **state) {
    (void)state;
    static char first[sizeof output];
    setenv("OMP_NUM_THREADS", "3", 1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(align("hand.h5", "hand.tum", "--clock-ahead 2.3 --search 0.1"), 0);
        if (i == 0) {
            memcpy(first, output, sizeof output);
        }
        assert_string_equal(first, output);
    }
    unsetenv("OMP_NUM_THREADS");
}

/* Poses of another hand over the same rows, and of another way altogether. */
static inline void not_its_poses(void **state) {
    (void)state;
    char path[1000];
    snprintf(path, sizeof path, "seed: 9\n%s", strchr(tracker_hand, '\n') + 1);
    tracker_simulate(path, tracker_points, "other.h5");
    tracker_write("other.h5", "other.tum", 2.3, false);
    remove(test_path("out.h5"));
    assert_int_equal(align("hand.h5", "other.tum", "--clock-ahead 2.3 --search 1"), 1);
    assert_contains(output, "not explained");
    assert_contains(output, "wavelengths");
    assert_contains(output, "hand.h5");
    tracker_simulate("path: {handheld: {size_m: [0.1, 0.15], line_spacing_m: 12e-3, "
                     "speed_m_per_s: 0.22, pulse_rate_hz: 400, wander_m: [4e-3, 4e-3, 8e-3], "
                     "wander_time_s: 0.6}}\n",
                     tracker_points, "way.h5");
    tracker_write("way.h5", "way.tum", 2.3, false);
    assert_int_equal(align("hand.h5", "way.tum", "--clock-ahead 2.3 --search 1"), 1);
    assert_int_equal(test_count_files("out.h5"), 0);
}

/* hand.tum, and its last pose once more so much later. */
static void write_stray(const char *name, double later_s) {
    char line[400] = "", last[400] = "";
    FILE *in = fopen(test_path("hand.tum"), "re"), *out = fopen(test_path(name), "we");
    assert_non_null(in);
    assert_non_null(out);
    while (fgets(line, sizeof line, in) != NULL) {
        fputs(line, out);
        memcpy(last, line, sizeof last);
    }
    char *rest = NULL;
    const double time_s = strtod(last, &rest);
    fprintf(out, "%.6f%s", time_s + later_s, rest);
    fclose(in);
    fclose(out);
}

/* A pose hours later, or of a clock that was set in between, does not make all of the time between
 * a part of the motion, nor is it searched for years. */
static void stray(void **state) {
    (void)state;
    remove(test_path("out.h5"));
    write_stray("stray.tum", 1e9);
    assert_int_equal(align("hand.h5", "stray.tum", ""), 1);
    assert_contains(output, "hand.h5: the poses are of 2.300 to 1000000010");
    assert_contains(output, "too many to be tried");
    assert_int_equal(test_count_files("out.h5"), 0);
    write_stray("hours.tum", 36000.0);
    assert_int_equal(align("hand.h5", "hours.tum", "--clock-ahead 2.3 --search 0.05"), 0);
    assert_near(number_after(output, "\"clock_ahead_s\": "), 2.3, 2e-5);
}

static int set_up(void **state) {
    (void)state;
    tracker_simulate(tracker_hand, tracker_points, "hand.h5");
    tracker_write("hand.h5", "hand.tum", 2.3, false);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errs),
        cmocka_unit_test(gated),
        cmocka_unit_test(stray),
#ifndef NFSAR_SANITIZED
        /* Minutes each under the sanitizers, which see the same code in the others. */
        cmocka_unit_test(not_its_poses),
        cmocka_unit_test(repeats),
#endif
        cmocka_unit_test(neighbours),
        cmocka_unit_test(other_channel),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
