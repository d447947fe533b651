/* nfsar track --poses, with and without --align, on simulated scans: the poses of a capture are
 * written as a tracker would, by another clock. */
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/nfsar.h>

#include "tests/cli/tracker.h"

static char output[20000];

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
    tracker_write("hand.h5", "late.tum", 100.25, false);
    assert_int_equal(
        test_command(output, sizeof output, "track %s -o %s --poses %s --clock-ahead 100.25",
                     test_path("hand.h5"), test_path("told.h5"), test_path("late.tum")),
        0);
    assert_contains(output, "(tum)");
    /* Poses every 5 ms bend by less than a hundredth of a millimetre in between. */
    assert_near(largest_error("told.h5", "hand.h5", &flagged), 0.0, 5e-5);
    assert_true(flagged <= 2);

    tracker_write("hand.h5", "body.tum", 0.0, true);
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
    assert_contains(output, "give --clock-ahead S, --align");
    assert_int_equal(test_count_files("far.h5"), 0);
}

/* Found from the echoes: to less than 0.1 ms, and to no more than a few of the standard deviations
 * that are given; the reflectors where they are. */
static void found(void **state) {
    (void)state;
    tracker_write("hand.h5", "hand.tum", 2.3, false);
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
    tracker_simulate("path: {raster: {x: {size_m: 0.4, count: 1600}, y: {size_m: 0, count: 1}}, "
                     "pulse_interval_s: 2.5e-3}\n",
                     tracker_points, "line.h5");
    tracker_write("line.h5", "line.tum", 0.4, false);
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

/* ---- and then with an inertial sensor ---- */

/* A hand that an inertial sensor can follow, and one beside the radar that does. */
static const char smooth_hand[] =
    "seed: 7\n"
    "path:\n"
    "  handheld: {size_m: [0.2, 0.04], line_spacing_m: 0.01, speed_m_per_s: 0.107,\n"
    "    pulse_rate_hz: 200, wander_m: [2e-3, 2e-3, 5e-3], wander_deg: [1, 1, 1],\n"
    "    wander_time_s: 0.8, rest_s: 1.3, smooth_s: 0.15}\n"
    "sensors: {imu: {rate_hz: 500, at_m: [0.03, -0.02, -0.01]}}\n";

/* The body 0.1 m above the radar, turned by a quarter about its y axis, as a tracker of 1 mm and
 * 0.2 degrees sees it at 100 Hz by a clock that is 2.3 s ahead; or its marker as CSV, places alone.
 */
static void write_tracker(const char *capture_name, const char *name, bool places) {
    nfsar_capture_file *file = NULL;
    nfsar_error error;
    nfsar_random random;
    nfsar_random_seed(&random, 11);
    assert_ok(nfsar_capture_file_open(test_path(capture_name), &file, &error), error);
    const nfsar_capture *c = nfsar_capture_file_header(file);
    FILE *out = fopen(test_path(name), "we");
    assert_non_null(out);
    fprintf(out, places ? "timestamp,x,y,z\n" : "# timestamp tx ty tz qx qy qz qw\n");
    for (double t = c->pose_time_s[0]; t <= c->pose_time_s[c->n_pose - 1]; t += 1e-2) {
        nfsar_pose p = nfsar_track_pose(c->pose_time_s, c->pose, c->n_pose, t, NULL);
        const double sigma = 0.2 * NFSAR_PI / 180.0;
        nfsar_vec3 turn = {sigma * nfsar_random_normal(&random),
                           sigma * nfsar_random_normal(&random),
                           sigma * nfsar_random_normal(&random)};
        nfsar_vec3 off = {1e-3 * nfsar_random_normal(&random), 1e-3 * nfsar_random_normal(&random),
                          1e-3 * nfsar_random_normal(&random)};
        p.position = nfsar_vec3_add(nfsar_pose_transform(p, (nfsar_vec3){0.0, 0.1, 0.0}), off);
        p.orientation = nfsar_quaternion_multiply(
            p.orientation, nfsar_quaternion_from_axis_angle((nfsar_vec3){0, 1, 0}, 0.5 * NFSAR_PI));
        p.orientation = nfsar_quaternion_multiply(
            nfsar_quaternion_from_axis_angle(turn, nfsar_vec3_norm(turn)), p.orientation);
        if (places) { /* north, east, down */
            fprintf(out, "%.6f,%.8f,%.8f,%.8f\n", t + 2.3, p.position.z, -p.position.x,
                    -p.position.y);
        } else {
            fprintf(out, "%.6f %.8f %.8f %.8f %.9f %.9f %.9f %.9f\n", t + 2.3, p.position.x,
                    p.position.y, p.position.z, p.orientation.x, p.orientation.y, p.orientation.z,
                    p.orientation.w);
        }
    }
    fclose(out);
    nfsar_capture_file_close(file);
}

/* Root mean square distance of two captures' poses at the pulses of the second half. */
static double rms_error(const char *name, const char *true_name) {
    nfsar_capture_file *file = NULL, *other = NULL;
    nfsar_error error;
    double sum = 0.0;
    size_t n = 0;
    assert_ok(nfsar_capture_file_open(test_path(name), &file, &error), error);
    assert_ok(nfsar_capture_file_open(test_path(true_name), &other, &error), error);
    const nfsar_capture *a = nfsar_capture_file_header(file);
    const nfsar_capture *b = nfsar_capture_file_header(other);
    for (size_t i = a->n_pulse / 2; i + 20 < a->n_pulse; i++, n++) {
        const nfsar_pose p =
            nfsar_track_pose(a->pose_time_s, a->pose, a->n_pose, a->time_s[i], NULL);
        const nfsar_pose q =
            nfsar_track_pose(b->pose_time_s, b->pose, b->n_pose, a->time_s[i], NULL);
        const double d = nfsar_vec3_distance(p.position, q.position);
        sum += d * d;
    }
    nfsar_capture_file_close(file);
    nfsar_capture_file_close(other);
    return sqrt(sum / (double)n);
}

/* The tracker's poses go into the capture as records too, and are fused from there: clock, lever
 * arm and mounting are known by then. */
static void fused(void **state) {
    (void)state;
    tracker_simulate(smooth_hand, tracker_points, "smooth.h5");
    write_tracker("smooth.h5", "seen.tum", false);
    assert_int_equal(test_command(output, sizeof output,
                                  "track %s -o %s --poses %s --clock-ahead 2.3 --lever 0,-0.1,0 "
                                  "--rotate 0,-90,0",
                                  test_path("smooth.h5"), test_path("posed.h5"),
                                  test_path("seen.tum")),
                     0);
    static const char pod[] = "imu: {at_m: [0.03, -0.02, -0.01]}\n";
    test_write_file("pod.yaml", pod, strlen(pod));
    assert_int_equal(test_command(output, sizeof output, "track %s -o %s --pod %s --json",
                                  test_path("posed.h5"), test_path("fused.h5"),
                                  test_path("pod.yaml")),
                     0);
    const char *tracker = strstr(output, "\"tracker\"");
    assert_non_null(tracker);
    assert_true(number_after(tracker, "\"used\": ") > 900.0);
    assert_int_equal(number_after(tracker, "\"rejected\": "), 0);
    assert_near(number_after(tracker, "\"nis\": "), 1.0, 0.1);
    const double posed = rms_error("posed.h5", "smooth.h5"),
                 all = rms_error("fused.h5", "smooth.h5");
    print_message("poses as they came %.2f mm, fused %.2f mm\n", 1e3 * posed, 1e3 * all);
    assert_true(posed > 1.0e-3 && all < 0.4e-3);

    /* Not twice, and not the poses that were made of them. */
    assert_int_equal(test_command(output, sizeof output, "track %s -o %s --use-poses",
                                  test_path("posed.h5"), test_path("no.h5")),
                     2);
    assert_contains(output, "the tracker's own are in /sensor/tracker, and are taken without "
                            "--use-poses");
    assert_int_equal(test_count_files("no.h5"), 0);

    /* Another file takes the place of the first, orientations and all: its heading is by motion. */
    write_tracker("smooth.h5", "marker.csv", true);
    assert_int_equal(test_command(output, sizeof output,
                                  "track %s -o %s --poses %s --format mavlink --clock-ahead 2.3",
                                  test_path("posed.h5"), test_path("marked.h5"),
                                  test_path("marker.csv")),
                     0);
    static const char marker[] =
        "imu: {at_m: [0.03, -0.02, -0.01]}\ntracker: {at_m: [0, 0.1, 0]}\n";
    test_write_file("pod.yaml", marker, strlen(marker));
    assert_int_equal(test_command(output, sizeof output, "track %s -o %s --pod %s --json",
                                  test_path("marked.h5"), test_path("fused.h5"),
                                  test_path("pod.yaml")),
                     0);
    assert_contains(output, "\"heading_by_motion\": true");
    assert_true(number_after(output, "\"heading_rad\": ") < 0.01);
    assert_true(rms_error("fused.h5", "smooth.h5") < 0.5e-3);
}

/* A table that is not what it says. */
static void bad_table(void **state) {
    (void)state;
    static const struct {
        const char *column;
        double value[4];
        hsize_t n;
        const char *says;
    } cases[] = {
        {"/sensor/tracker/at_m", {1e300, 0, 0}, 3, "/sensor/tracker/at_m is 1e+300 m"},
        {"/sensor/tracker/at_m", {NAN, 0, 0}, 3, "/sensor/tracker/at_m is nan m"},
        {"/sensor/tracker/rotation", {0, 0, 0, 0}, 4, "/sensor/tracker/rotation is no unit"},
        {"/sensor/tracker/rotation", {1, INFINITY, 0, 0}, 4, "/sensor/tracker/rotation is no unit"},
        {"/sensor/tracker/rotation", {1, 0, 0, 0}, 3, "/sensor/tracker/rotation"},
        {"/sensor/tracker/at_m", {0}, 1, "/sensor/tracker/at_m"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char copy[2048];
        snprintf(copy, sizeof copy, "cp '%s' '%s'", test_path("posed.h5"), test_path("bad.h5"));
        assert_int_equal(system(copy), 0);
        hid_t file = H5Fopen(test_path("bad.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
        H5Ldelete(file, cases[i].column, H5P_DEFAULT);
        hid_t space = H5Screate_simple(1, &cases[i].n, NULL);
        hid_t dataset = H5Dcreate2(file, cases[i].column, H5T_NATIVE_DOUBLE, space, H5P_DEFAULT,
                                   H5P_DEFAULT, H5P_DEFAULT);
        H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, cases[i].value);
        H5Dclose(dataset);
        H5Sclose(space);
        H5Fclose(file);
        assert_int_equal(test_command(output, sizeof output, "track %s -o %s", test_path("bad.h5"),
                                      test_path("no.h5")),
                         1);
        assert_contains(output, cases[i].says);
        assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1);
        assert_int_equal(test_count_files("no.h5"), 0);
    }
}

static int set_up(void **state) {
    (void)state;
    tracker_simulate(tracker_hand, tracker_points, "hand.h5");
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(told),    cmocka_unit_test(found),
                                       cmocka_unit_test(refused), cmocka_unit_test(usage),
                                       cmocka_unit_test(fused),   cmocka_unit_test(bad_table)};
    return cmocka_run_group_tests(tests, set_up, NULL);
}
