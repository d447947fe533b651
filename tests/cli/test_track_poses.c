/* nfsar track --poses, with and without --align, on simulated scans: the poses of a capture are
 * written as a tracker would, by another clock. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/nfsar.h>

#include "tests/support.h"

static const char radar_and_array[] = "radar: {waveform: 77-81ghz-64}\n"
                                      "array: {preset: single}\n";

static const char hand[] = "seed: 5\n"
                           "path:\n"
                           "  handheld:\n"
                           "    size_m: [0.2, 0.1]\n"
                           "    line_spacing_m: 10e-3\n"
                           "    speed_m_per_s: 0.3\n"
                           "    pulse_rate_hz: 400\n"
                           "    wander_m: [2e-3, 2e-3, 5e-3]\n"
                           "    wander_deg: [1, 1, 1]\n"
                           "    wander_time_s: 0.8\n";

static const char points[] = "targets:\n"
                             "  - points:\n"
                             "      - {at_m: [0, 0, 0.3]}\n"
                             "      - {at_m: [0.05, 0.03, 0.33]}\n"
                             "      - {at_m: [-0.06, 0.02, 0.36]}\n"
                             "      - {at_m: [0.02, -0.05, 0.28]}\n"
                             "impairments: {snr_db: 20}\n";

static char output[20000];

static void simulate(const char *path, const char *name) {
    char scene[3000];
    snprintf(scene, sizeof scene, "%s%s%s", radar_and_array, path, points);
    test_write_file("scene.yaml", scene, strlen(scene));
    assert_int_equal(test_command(output, sizeof output, "simulate %s -o %s",
                                  test_path("scene.yaml"), test_path(name)),
                     0);
}

/* Poses every 5 ms by a clock that is `offset_s` ahead of the capture's; moved: by a body 0.1 m
 * above the radar and turned by a quarter about its y axis. */
static void write_poses(const char *capture_name, const char *name, double offset_s, bool moved) {
    nfsar_capture_file *file = NULL;
    nfsar_error error;
    assert_ok(nfsar_capture_file_open(test_path(capture_name), &file, &error), error);
    const nfsar_capture *c = nfsar_capture_file_header(file);
    FILE *out = fopen(test_path(name), "we");
    assert_non_null(out);
    fprintf(out, "# timestamp tx ty tz qx qy qz qw\n");
    for (double t = c->pose_time_s[0]; t <= c->pose_time_s[c->n_pose - 1]; t += 5e-3) {
        nfsar_pose p = nfsar_track_pose(c->pose_time_s, c->pose, c->n_pose, t, NULL);
        if (moved) {
            p.position = nfsar_pose_transform(p, (nfsar_vec3){0.0, 0.1, 0.0});
            p.orientation = nfsar_quaternion_multiply(
                p.orientation,
                nfsar_quaternion_from_axis_angle((nfsar_vec3){0, 1, 0}, 0.5 * NFSAR_PI));
        }
        fprintf(out, "%.6f %.8f %.8f %.8f %.9f %.9f %.9f %.9f\n", t + offset_s, p.position.x,
                p.position.y, p.position.z, p.orientation.x, p.orientation.y, p.orientation.z,
                p.orientation.w);
    }
    fclose(out);
    nfsar_capture_file_close(file);
}

/* Largest distance between the poses of two captures at the pulses, whose flags are as told. */
static double largest_error(const char *name, const char *true_name, size_t *n_flagged) {
    nfsar_capture_file *file = NULL, *other = NULL;
    nfsar_error error;
    double worst = 0.0;
    assert_ok(nfsar_capture_file_open(test_path(name), &file, &error), error);
    assert_ok(nfsar_capture_file_open(test_path(true_name), &other, &error), error);
    const nfsar_capture *a = nfsar_capture_file_header(file);
    const nfsar_capture *b = nfsar_capture_file_header(other);
    assert_int_equal(a->n_pulse, b->n_pulse);
    *n_flagged = 0;
    for (size_t i = 0; i < a->n_pulse; i++) {
        const nfsar_pose p =
            nfsar_track_pose(a->pose_time_s, a->pose, a->n_pose, a->time_s[i], NULL);
        const nfsar_pose q =
            nfsar_track_pose(b->pose_time_s, b->pose, b->n_pose, a->time_s[i], NULL);
        const nfsar_vec3 ahead = {0, 0, 1};
        if ((a->flags[i] & NFSAR_PULSE_POSE_EXTRAPOLATED) != 0) {
            (*n_flagged)++;
            continue;
        }
        worst = fmax(worst, nfsar_vec3_distance(p.position, q.position));
        worst = fmax(worst, nfsar_vec3_distance(nfsar_pose_transform(p, ahead),
                                                nfsar_pose_transform(q, ahead)));
    }
    nfsar_capture_file_close(file);
    nfsar_capture_file_close(other);
    return worst;
}

/* An offset that is told, with and without a lever arm and a turned mounting. */
static void told(void **state) {
    (void)state;
    size_t flagged = 0;
    write_poses("hand.h5", "late.tum", 100.25, false);
    assert_int_equal(
        test_command(output, sizeof output, "track %s -o %s --poses %s --clock-ahead 100.25",
                     test_path("hand.h5"), test_path("told.h5"), test_path("late.tum")),
        0);
    assert_contains(output, "(tum)");
    /* Poses every 5 ms bend by less than a hundredth of a millimetre in between. */
    assert_near(largest_error("told.h5", "hand.h5", &flagged), 0.0, 5e-5);
    assert_true(flagged <= 2);

    write_poses("hand.h5", "body.tum", 0.0, true);
    assert_int_equal(test_command(output, sizeof output,
                                  "track %s -o %s --poses %s --lever 0,-0.1,0 --rotate 0,-90,0",
                                  test_path("hand.h5"), test_path("told.h5"),
                                  test_path("body.tum")),
                     0);
    assert_near(largest_error("told.h5", "hand.h5", &flagged), 0.0, 5e-5);

    /* Half a second later, the last pulses lie outside and are flagged; far away, all do. */
    assert_int_equal(
        test_command(output, sizeof output, "track %s -o %s --poses %s --clock-ahead 100.75",
                     test_path("hand.h5"), test_path("told.h5"), test_path("late.tum")),
        0);
    largest_error("told.h5", "hand.h5", &flagged);
    assert_true(flagged >= 198 && flagged <= 202);
    assert_int_equal(test_command(output, sizeof output, "track %s -o %s --poses %s",
                                  test_path("hand.h5"), test_path("far.h5"), test_path("late.tum")),
                     2);
    assert_contains(output, "give --clock-ahead S, or --align");
    assert_int_equal(test_count_files("far.h5"), 0);
}

static double number_after(const char *text, const char *key) {
    const char *at = strstr(text, key);
    assert_non_null(at);
    return strtod(at + strlen(key), NULL);
}

/* Found from the echoes: to less than 0.1 ms, and to no more than a few of the standard deviations
 * that are given; the reflectors where they are. */
static void found(void **state) {
    (void)state;
    write_poses("hand.h5", "hand.tum", 2.3, false);
    assert_int_equal(test_command(output, sizeof output, "track %s -o %s --poses %s --align --json",
                                  test_path("hand.h5"), test_path("found.h5"),
                                  test_path("hand.tum")),
                     0);
    const double offset = number_after(output, "\"clock_ahead_s\": ");
    const double sigma = number_after(output, "\"sigma_s\": ");
    assert_near(offset, 2.3, 1e-4);
    assert_true(sigma < 1e-4 && fabs(offset - 2.3) < 4.0 * sigma);
    assert_contains(output, "\"bias_told\": false");
    assert_near(number_after(output, "\"bias_m\": "), 0.0, 1e-3);
    size_t flagged = 0;
    assert_near(largest_error("found.h5", "hand.h5", &flagged), 0.0, 1e-4);
}

/* A straight line at constant speed tells nothing; nor do poses at rest, nor few of them. */
static void refused(void **state) {
    (void)state;
    simulate("path: {raster: {x: {size_m: 0.4, count: 1600}, y: {size_m: 0, count: 1}}, "
             "pulse_interval_s: 2.5e-3}\n",
             "line.h5");
    write_poses("line.h5", "line.tum", 0.4, false);
    assert_int_equal(test_command(output, sizeof output, "track %s -o %s --poses %s --align",
                                  test_path("line.h5"), test_path("no.h5"), test_path("line.tum")),
                     1);
    assert_contains(output, "time offset");
    assert_contains(output, "line.h5");

    static const char rest[] = "0 0 0 0 0 0 0 1\n1 0 0 0 0 0 0 1\n2 0 0 0 0 0 0 1\n"
                               "3 0 0 0 0 0 0 1\n4 0 0 0 0 0 0 1\n5 0 0 0 0 0 0 1\n";
    test_write_file("rest.tum", rest, strlen(rest));
    assert_int_equal(test_command(output, sizeof output, "track %s -o %s --poses %s --align",
                                  test_path("hand.h5"), test_path("no.h5"), test_path("rest.tum")),
                     1);
    assert_contains(output, "does not tell the time offset");

    assert_int_equal(test_command(output, sizeof output,
                                  "track %s -o %s --poses %s --align --clock-ahead 50 --search 1",
                                  test_path("hand.h5"), test_path("no.h5"), test_path("hand.tum")),
                     1);
    assert_contains(output, "at no offset of the search");
    assert_int_equal(test_count_files("no.h5"), 0);
}

static void usage(void **state) {
    (void)state;
    static const struct {
        const char *options, *says;
    } cases[] = {
        {"--poses a --format cvs", "--format cvs"},
        {"--poses a --lever 1,2", "--lever 1,2: expected X,Y,Z"},
        {"--poses a --rotate 1", "--rotate 1: expected X,Y,Z"},
        {"--poses a --up x", "--up x: expected y or z"},
        {"--poses a --search 1", "are for --align"},
        {"--poses a --align --search -1", "--search must be positive"},
        {"--poses a --align --clock-ahead 1", "give --search S too"},
        {"--poses a --align --point 1,2", "--point 1,2: expected"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(test_command(output, sizeof output, "track %s -o %s %s",
                                      test_path("hand.h5"), test_path("no.h5"), cases[i].options),
                         2);
        assert_contains(output, cases[i].says);
    }
    assert_int_equal(test_command(output, sizeof output, "track %s -o %s --poses %s",
                                  test_path("hand.h5"), test_path("no.h5"), test_path("gone.csv")),
                     1);
    assert_contains(output, "gone.csv: No such file");
    assert_int_equal(test_count_files("no.h5"), 0);
}

static int set_up(void **state) {
    (void)state;
    simulate(hand, "hand.h5");
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(told), cmocka_unit_test(found),
                                       cmocka_unit_test(refused), cmocka_unit_test(usage)};
    return cmocka_run_group_tests(tests, set_up, NULL);
}
