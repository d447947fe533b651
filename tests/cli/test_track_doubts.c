/* nfsar track: what it doubts and what it does not take. Pods that are not as their file says,
 * options of another way to poses, poses in millimetres, files that cover little. */
#include "tests/support.h"

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/nfsar.h>

static char output[8192];

#define HEAD                                                                                       \
    "radar: {start_frequency_hz: 77e9, bandwidth_hz: 4e9, samples: 8}\narray: {preset: single}\n"  \
    "targets:\n  - points:\n      - {at_m: [0, 0, 0.3]}\n"
#define HAND                                                                                       \
    "path:\n  handheld: {size_m: [0.2, 0.04], line_spacing_m: 0.01, speed_m_per_s: 0.107,\n"       \
    "    pulse_rate_hz: 200, wander_m: [2e-3, 2e-3, 5e-3], wander_deg: [1, 1, 1],\n"               \
    "    wander_time_s: 0.8, rest_s: 1.3, smooth_s: 0.15}\n"
#define FORWARD                                                                                    \
    "sensors:\n  imu: {rate_hz: 500}\n  flow: {rate_hz: 100}\n  range: {rate_hz: 50}\n"            \
    "  surface: {from_origin_m: 0.35}\n"
/* A drone's: flow and range finder look down, 2 m over ground. */
#define DRONE                                                                                      \
    "seed: 4\npath:\n  handheld: {size_m: [2, 0.1], line_spacing_m: 0.1, speed_m_per_s: 0.5,\n"    \
    "    pulse_rate_hz: 100, wander_m: [5e-3, 5e-3, 10e-3], wander_deg: [2, 2, 2],\n"              \
    "    wander_time_s: 1.5, rest_s: 1.5, smooth_s: 0.3}\n"                                        \
    "sensors:\n  imu: {rate_hz: 500}\n  flow: {rate_hz: 100, rotate_deg: [90, 0, 0]}\n"            \
    "  range: {rate_hz: 50, rotate_deg: [90, 0, 0]}\n"                                             \
    "  surface: {from_origin_m: 2, normal: [0, -1, 0]}\n"

static void write_text(const char *name, const char *text) {
    test_write_file(name, text, strlen(text));
}

static void simulate(const char *scene, const char *name) {
    write_text("scene.yaml", scene);
    assert_int_equal(test_command(output, sizeof output, "simulate '%s' -o '%s' --quiet",
                                  test_path("scene.yaml"), test_path(name)),
                     0);
}

static int set_up(void **state) {
    (void)state;
    simulate(HEAD HAND FORWARD, "swept.h5");
    simulate(HEAD DRONE, "drone.h5");
    return 0;
}

static void assert_refused(int status, const char *from, const char *options, const char *part) {
    const int is = test_command(output, sizeof output, "track '%s' -o '%s' %s", test_path(from),
                                test_path("never.h5"), options);
    assert_contains(output, part);
    assert_int_equal(is, status);
    /* One line. */
    assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1);
    assert_int_equal(test_count_files("never"), 0);
}

/* The options for a pod of that text. */
static const char *with_pod(const char *text) {
    static char options[512];
    write_text("pod.yaml", text);
    snprintf(options, sizeof options, "--pod '%s'", test_path("pod.yaml"));
    return options;
}

static void accepted(const char *from, const char *options) {
    const int status = test_command(output, sizeof output, "track '%s' -o '%s' %s", test_path(from),
                                    test_path("out.h5"), options);
    if (status != 0) {
        fail_msg("%s", output);
    }
}

/* As their file says, no warning; otherwise no output. */
static void mountings(void **state) {
    (void)state;
    const char *down = "flow: {rotate_deg: [90, 0, 0]}\nrange: {rotate_deg: [90, 0, 0]}\n";
    accepted("swept.h5", "");
    assert_null(strstr(output, "warning"));
    accepted("drone.h5", with_pod(down));
    assert_null(strstr(output, "warning"));
    assert_refused(1, "drone.h5", "", "successive records of range err alike, by ");
    assert_contains(output, "without --pod POD.yaml");
    assert_contains(output, "--without range");
    assert_refused(1, "swept.h5", with_pod("flow: {rotate_deg: [0, 0, 90]}\n"),
                   "successive records of flow err alike, by ");
    assert_contains(output, "they are not mounted as the pod file says");
    assert_refused(1, "swept.h5", with_pod("imu: {rotate_deg: [0, 180, 0]}\n"), "flow");
    assert_refused(1, "swept.h5", with_pod("flow: {rotate_deg: [0, 0, 180]}\n"), "flow");
    /* Somewhat off: a warning. */
    accepted("swept.h5", with_pod("flow: {rotate_deg: [0, 0, 30]}\n"));
    assert_contains(output, "warning: successive records of flow err alike");
}

static void pods(void **state) {
    (void)state;
    const struct {
        const char *text, *part;
    } wrong[] = {
        {"surface: {normal: [0, 0, 0]}\n", "surface.normal is [0, 0, 0], which is no direction"},
        {"imu: {at_m: [30, -20, -10]}\n", "imu.at_m is 30: must be from -10 to 10"},
        {"range: {at_m: [0, 0, -30]}\n", "range.at_m is -30: must be from -10 to 10"},
        {"imu: {acceleration: {density: 690}}\n", "imu.acceleration.density is 690: must be"},
        {"imu: {rate: {bias: 5}}\n", "imu.rate.bias is 5: must be"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_refused(1, "swept.h5", with_pod(wrong[i].text), wrong[i].part);
    }
    accepted("swept.h5", with_pod("encoder: {sigma_m: [1e-4, 1e-4, 0]}\n"));
    assert_contains(output, "has a part encoder, but the capture has no records of it in "
                            "/sensor/trigger");
    accepted("swept.h5", with_pod("tracker: {sigma_m: 1e-3}\n"));
    assert_contains(output, "has a part tracker, but the capture has no records");
}

/* Errors over a window that there is none of are not 0. */
static void windows(void **state) {
    (void)state;
    assert_refused(2, "swept.h5", "--window 100",
                   "--window 100 s is longer than the recording, 11");
    simulate(HEAD "path:\n  handheld: {size_m: [0.01, 0.01], line_spacing_m: 0.01, "
                  "speed_m_per_s: 0.2, pulse_rate_hz: 200, rest_s: 0.4, smooth_s: 0.1}\n" FORWARD,
             "short.h5");
    accepted("short.h5", "");
    assert_contains(output, "expected   nothing: the recording is shorter than 1 s");
    assert_contains(output, "true       over all ");
    accepted("short.h5", "--window 0.2");
    assert_contains(output, "expected   over 0.2 s, standard deviation");
}

/* Whose an option is, where it is another way's. */
static void options(void **state) {
    (void)state;
    static const struct {
        const char *options, *says;
    } cases[] = {
        {"--align", "--align goes with --poses FILE"},
        {"--lever=1,2,3", "--lever goes with --poses FILE"},
        {"--per-pulse", "--per-pulse goes with --phase"},
        {"--point 0,0,0.3", "--point goes with --poses FILE --align, or --phase"},
        {"--force", "--force goes with --autofocus"},
        {"--phase --pod pod.yaml", "--pod goes with poses from the sensors"},
        {"--poses x.tum --use-poses", "--use-poses goes with poses from the sensors"},
        {"--autofocus --window 1", "--window goes with poses from the sensors"},
        {"--autofocus --align", "--align goes with --poses FILE"},
        {"--nonsense", "there is no option --nonsense"},
        {"--use-poses --without tracker", "say one of both"},
        {"--poses x.tum --clock-ahead 1e300", "--clock-ahead 1e+300: expected seconds"},
        {"--poses x.tum --lever 100,0,0", "--lever 100,0,0: expected X,Y,Z in metres, each"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_refused(2, "swept.h5", cases[i].options, cases[i].says);
    }
}

/* The capture's poses as a tracker's file, lengths times a factor and times in so many to a second,
 * from one share of them to another. */
static const char *poses_timed(double factor, double second, double from, double to) {
    static char options[512];
    nfsar_capture_file *file = NULL;
    nfsar_error error;
    assert_ok(nfsar_capture_file_open(test_path("swept.h5"), &file, &error), error);
    const nfsar_capture *c = nfsar_capture_file_header(file);
    FILE *out = fopen(test_path("poses.tum"), "we");
    assert_non_null(out);
    for (size_t i = 0; i < c->n_pose; i++) {
        const double share = (double)i / (double)c->n_pose;
        const nfsar_pose p = c->pose[i];
        if (share >= from && share < to) {
            fprintf(out, "%.9f %.9f %.9f %.9f %.12f %.12f %.12f %.12f\n",
                    second * c->pose_time_s[i], factor * p.position.x, factor * p.position.y,
                    factor * p.position.z, p.orientation.x, p.orientation.y, p.orientation.z,
                    p.orientation.w);
        }
    }
    fclose(out);
    nfsar_capture_file_close(file);
    snprintf(options, sizeof options, "--poses '%s'", test_path("poses.tum"));
    return options;
}

static const char *poses_file(double factor, double from, double to) {
    return poses_timed(factor, 1.0, from, to);
}

static void trackers(void **state) {
    (void)state;
    char more[600];
    accepted("swept.h5", poses_file(1.0, 0.0, 1.0));
    assert_null(strstr(output, "warning"));
    snprintf(more, sizeof more, "%s --body radar", poses_file(1.0, 0.0, 1.0));
    assert_refused(2, "swept.h5", more, "--body radar: a file of tum has one body");
    write_text("a.csv", "time_usec,x,y,z\n1,0,0,0\n2,0,0,0\n");
    snprintf(more, sizeof more, "--poses '%s' --up z", test_path("a.csv"));
    assert_refused(2, "swept.h5", more, "--up z: is for tum and wxyz");

    assert_refused(2, "swept.h5", poses_file(1e3, 0.0, 1.0), "that looks like millimetres");
    snprintf(more, sizeof more, "%s --align", poses_file(1e3, 0.0, 1.0));
    assert_refused(2, "swept.h5", more, "that looks like millimetres");

    assert_refused(2, "swept.h5", poses_file(1.0, 0.3, 0.3005), "tells the poses of ");
    assert_refused(2, "swept.h5", poses_file(1.0, 0.6, 1.0), "tells the poses of ");
    /* Times that are not in seconds: the radar stays, or is not there. */
    accepted("swept.h5", poses_timed(1.0, 1e3, 0.0, 1.0));
    assert_contains(output, "stay within 0 mm");
    assert_contains(output, "its times in seconds?");
    snprintf(more, sizeof more, "%s --clock-ahead=-20", poses_timed(1.0, 1e3, 0.0, 1.0));
    assert_refused(2, "swept.h5", more, "1000 times as long as the capture takes: that looks like");
    snprintf(more, sizeof more, "%s --clock-ahead=-20", poses_timed(1.0, 1e6, 0.0, 1.0));
    assert_refused(2, "swept.h5", more, "that looks like microseconds");
    accepted("swept.h5", poses_file(1.0, 0.2, 1.0));
    assert_contains(output, "pulses have no pose of their own");
}

/* A file's provenance becomes one line. */
static void write_provenance(const char *name, const char *line) {
    hid_t file = H5Fopen(test_path(name), H5F_ACC_RDWR, H5P_DEFAULT);
    H5Ldelete(file, "/provenance", H5P_DEFAULT);
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, strlen(line) + 1);
    const hsize_t one = 1;
    hid_t space = H5Screate_simple(1, &one, NULL);
    hid_t set = H5Dcreate2(file, "/provenance", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, line) >= 0);
    H5Dclose(set);
    H5Sclose(space);
    H5Tclose(type);
    H5Fclose(file);
}

/* Sensors after an autofocus undo it, which is said. */
static void undone(void **state) {
    (void)state;
    accepted("swept.h5", "");
    char copy[2048];
    snprintf(copy, sizeof copy, "cp '%s' '%s'", test_path("out.h5"), test_path("focused.h5"));
    assert_int_equal(system(copy), 0);
    accepted("focused.h5", "");
    assert_null(strstr(output, "are replaced"));
    write_provenance("focused.h5", "nfsar track a.h5 -o b.h5 --autofocus (nfsar 1): moved");
    accepted("focused.h5", "");
    assert_contains(output, "that nfsar track --autofocus made are replaced by the sensors'");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mountings), cmocka_unit_test(pods),     cmocka_unit_test(windows),
        cmocka_unit_test(options),   cmocka_unit_test(trackers), cmocka_unit_test(undone),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
