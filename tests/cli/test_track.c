/* nfsar track: from simulated sensors in a file to poses in a file, and files that are wrong. */
#include <math.h>

#include "tests/cli/swept.h"

/* Two transmitters in turn: poses are wanted at the times of both. */
#define TURNS "array: {preset: xwr1443-2tx, chirp_interval_s: 1e-3}\n"

/* The table of covariances, [n][36]. */
static double *covariance_of(const char *name, size_t n) {
    hid_t file = H5Fopen(test_path(name), H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t dataset = H5Dopen2(file, "/pose/covariance", H5P_DEFAULT);
    hid_t space = H5Dget_space(dataset);
    hsize_t extent[3] = {0};
    assert_int_equal(H5Sget_simple_extent_ndims(space), 3);
    H5Sget_simple_extent_dims(space, extent, NULL);
    assert_int_equal(extent[0], n);
    assert_int_equal(extent[1], 6);
    assert_int_equal(extent[2], 6);
    double *out = malloc(n * 36 * sizeof *out);
    assert_non_null(out);
    assert_true(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0);
    H5Sclose(space);
    H5Dclose(dataset);
    H5Fclose(file);
    return out;
}

/* ---- what it is for ---- */

static void hand(void **state) {
    (void)state;
    char options[256];
    snprintf(options, sizeof options, "--pod '%s'", test_path("pod.yaml"));
    json_t *root = track("swept.h5", "tracked.h5", options);
    const json_t *is = json_object_get(root, "true"), *shall = json_object_get(root, "expected");
    assert_true(number(is, "along_m") <= 1e-3);
    assert_true(number(is, "along_m") < 1.6 * number(shall, "along_m"));
    assert_true(number(shall, "along_m") <= 1e-3);
    assert_true(json_is_true(json_object_get(root, "still")));
    assert_int_equal(number(json_object_get(json_object_get(root, "sensors"), "flow"), "used"),
                     number(json_object_get(json_object_get(root, "sensors"), "flow"), "records"));
    nfsar_error error;
    nfsar_capture before, after;
    assert_ok(nfsar_capture_load(test_path("swept.h5"), &before, &error), error);
    assert_ok(nfsar_capture_load(test_path("tracked.h5"), &after, &error), error);
    assert_int_equal(after.n_pose, before.n_pulse);
    assert_int_equal(after.n_provenance, before.n_provenance + 1);
    assert_contains(after.provenance[after.n_provenance - 1], "poses from imu, flow, range");
    assert_memory_equal(before.echo, after.echo,
                        before.n_pulse * before.n_sample * sizeof *before.echo);
    double *covariance = covariance_of("tracked.h5", after.n_pose);
    /* It starts at the origin by definition, and is known less and less. */
    const size_t last = 36 * (after.n_pose - 1);
    assert_true(covariance[0] < 1e-10 && covariance[last] > 1e-5);
    for (size_t i = 0; i < after.n_pose; i++) {
        assert_near(after.pose_time_s[i], before.time_s[i], 0.0);
        assert_true(covariance[36 * i + 14] > 0.0);
    }
    assert_non_null(after.true_pose);
    free(covariance);
    nfsar_capture_free(&before);
    nfsar_capture_free(&after);
    json_decref(root);
}

/* Poses at every channel's time; what was tracked is tracked again, in place of the old poses. */
static void channels(void **state) {
    (void)state;
    assert_int_equal(simulate(HEAD TURNS HAND SENSORS, "turns.h5"), 0);
    json_decref(track("turns.h5", "once.h5", ""));
    json_decref(track("once.h5", "twice.h5", ""));
    nfsar_error error;
    nfsar_capture capture;
    assert_ok(nfsar_capture_load(test_path("twice.h5"), &capture, &error), error);
    /* The last transmitter's turn comes after the path's end, and the sensors'. */
    assert_in_range(capture.n_pose, 2 * capture.n_pulse - 1, 2 * capture.n_pulse);
    assert_near(capture.pose_time_s[1] - capture.pose_time_s[0], 1e-3, 1e-12);
    free(covariance_of("twice.h5", capture.n_pose));
    nfsar_capture_free(&capture);
}

static bool has_covariance(const char *name) {
    hid_t file = H5Fopen(test_path(name), H5F_ACC_RDONLY, H5P_DEFAULT);
    const bool has = H5Lexists(file, "/pose/covariance", H5P_DEFAULT) > 0;
    H5Fclose(file);
    return has;
}

/* What else changes poses takes their covariance away, what does not keeps it. */
static void covariance_goes(void **state) {
    (void)state;
    assert_int_equal(simulate("radar: {waveform: 77-81ghz-64}\n" SINGLE
                              "path: {turntable: {radius_m: 0.25, count: 400, motion: fly-by, "
                              "errors: {radius_m: 1.3e-3}}}\n"
                              "targets:\n  - points:\n      - {at_m: [0.07, 0, 0]}\n"
                              "      - {at_m: [-0.03, 0, 0.04]}\n"
                              "sensors: {imu: {rate_hz: 500}}\nimpairments: {snr_db: 20}\n",
                              "table.h5"),
                     0);
    json_decref(track("table.h5", "turned.h5", "--use-poses"));
    assert_true(has_covariance("turned.h5"));
    assert_int_equal(test_command(output, sizeof output, "calibrate '%s' -o '%s' --axis --quiet",
                                  test_path("turned.h5"), test_path("right.h5")),
                     0);
    assert_false(has_covariance("right.h5"));
    assert_int_equal(test_command(output, sizeof output, "calibrate '%s' -o '%s' --iq --quiet",
                                  test_path("turned.h5"), test_path("iq.h5")),
                     0);
    assert_true(has_covariance("iq.h5"));
}

/* Poses of a tracker that errs by a millimetre, and an IMU: better than either. */
static void poses(void **state) {
    (void)state;
    assert_int_equal(
        simulate(HEAD SINGLE HAND SENSORS
                 "impairments: {pose_error: {kind: white, sigma_m: [1e-3, 1e-3, 1e-3], "
                 "sigma_deg: [0.2, 0.2, 0.2]}}\n",
                 "shaky.h5"),
        0);
    char options[256];
    snprintf(options, sizeof options, "--use-poses --pod '%s'", test_path("pod.yaml"));
    json_t *root = track("shaky.h5", "firm.h5", options);
    const json_t *is = json_object_get(root, "true");
    assert_true(json_is_false(json_object_get(is, "from_start")));
    assert_true(number(is, "position_m") < 0.4e-3);
    assert_true(number(is, "along_m") < 0.25e-3);
    assert_near(number(json_object_get(json_object_get(root, "sensors"), "tracker"), "nis"), 1.0,
                0.1);
    json_decref(root);
}

/* A tracker's own table, and a stage's steps: written by simulate, read by track. */
static void outside(void **state) {
    (void)state;
    const char *pod = "  tracker: {rate_hz: 100, sigma_m: 2e-3, time_offset_s: -0.02}\n"
                      "  encoder: {rate_hz: 200, step_m: [1e-5, -2e-5], origin_m: [0.1, 0, 0], "
                      "sigma_m: [5e-5, 5e-5, 0]}\n";
    char text[2048], options[256];
    snprintf(text, sizeof text, "%s%s", HEAD SINGLE HAND SENSORS, pod);
    assert_int_equal(simulate(text, "outside.h5"), 0);
    snprintf(text, sizeof text,
             POD "tracker: {sigma_m: 2e-3, time_offset_s: -0.02}\n"
                 "encoder: {step_m: [1e-5, -2e-5], origin_m: [0.1, 0, 0], sigma_m: [5e-5, 5e-5, "
                 "0]}\n");
    write_text("outside.yaml", text);
    snprintf(options, sizeof options, "--pod '%s'", test_path("outside.yaml"));
    json_t *root = track("outside.h5", "inside.h5", options);
    const json_t *is = json_object_get(root, "true");
    assert_true(number(is, "across_m") < 0.1e-3);
    assert_true(number(is, "along_m") < 0.5e-3);
    assert_near(number(json_object_get(json_object_get(root, "sensors"), "encoder"), "nis"), 1.0,
                0.2);
    json_decref(root);
}

/* ---- what is wrong with files ---- */

static void assert_refused(int status, const char *from, const char *options, const char *part) {
    const int is = test_command(output, sizeof output, "track '%s' -o '%s' %s", test_path(from),
                                test_path("never.h5"), options);
    assert_int_equal(is, status);
    assert_contains(output, part);
    /* One line. */
    assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1);
    assert_int_equal(test_count_files("never"), 0);
}

/* Row 5000 of [n] or [n][3] gets that value. */
static void poke(hid_t file, const char *column, double value) {
    hid_t dataset = H5Dopen2(file, column, H5P_DEFAULT), space = H5Dget_space(dataset);
    const hsize_t first[2] = {5000, 0}, one[2] = {1, 1};
    H5Sselect_hyperslab(space, H5S_SELECT_SET, first, NULL, one, NULL);
    hid_t memory = H5Screate_simple(H5Sget_simple_extent_ndims(space), one, NULL);
    assert_true(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, &value) >= 0);
    H5Sclose(memory);
    H5Sclose(space);
    H5Dclose(dataset);
}

static void poke_back(hid_t file, const char *column) {
    poke(file, column, 1.0);
}

static void poke_nan(hid_t file, const char *column) {
    poke(file, column, NAN);
}

static void take_away(hid_t file, const char *column) {
    H5Ldelete(file, column, H5P_DEFAULT);
}

static void replace(hid_t file, const char *column, hid_t type, int rank, const hsize_t *extent) {
    take_away(file, column);
    hid_t space = H5Screate_simple(rank, extent, NULL);
    hid_t dataset = H5Dcreate2(file, column, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(dataset >= 0);
    H5Dclose(dataset);
    H5Sclose(space);
}

static void make_short(hid_t file, const char *column) {
    const hsize_t extent[2] = {17, 3};
    replace(file, column, H5T_NATIVE_FLOAT, 2, extent);
}

static void make_flat(hid_t file, const char *column) {
    const hsize_t extent[1] = {17};
    replace(file, column, H5T_NATIVE_FLOAT, 1, extent);
}

static void make_empty(hid_t file, const char *column) {
    const hsize_t extent[1] = {0};
    replace(file, column, H5T_NATIVE_DOUBLE, 1, extent);
}

static void make_text(hid_t file, const char *column) {
    const hsize_t extent[1] = {11235};
    replace(file, column, H5T_C_S1, 1, extent);
}

static void bad_tables(void **state) {
    (void)state;
    change("bad.h5", "/sensor/imu/time_s", poke_back);
    assert_refused(1, "bad.h5", "", "bad.h5: imu: record 5000 is of 1.000000 s, after one of 4.99");
    change("bad.h5", "/sensor/imu", take_away);
    assert_refused(1, "bad.h5", "", "bad.h5: has no inertial records in /sensor/imu");
    change("bad.h5", "/sensor/imu/time_s", make_empty);
    assert_refused(1, "bad.h5", "", "has no inertial records in /sensor/imu");
    change("bad.h5", "/sensor/imu/rate", take_away);
    assert_refused(1, "bad.h5", "", "/sensor/imu/rate");
    change("bad.h5", "/sensor/imu/acceleration", make_short);
    assert_refused(1, "bad.h5", "", "/sensor/imu/acceleration");
    change("bad.h5", "/sensor/imu/rate", make_flat);
    assert_refused(1, "bad.h5", "", "/sensor/imu/rate");
    change("bad.h5", "/sensor/range/range_m", make_text);
    assert_refused(1, "bad.h5", "", "/sensor/range/range_m");
}

/* Without the range finder nobody says how far the wall is, and flow is of no use. */
static void without(void **state) {
    (void)state;
    json_t *root = track("swept.h5", "alone.h5", "--without range");
    const json_t *sensors = json_object_get(root, "sensors");
    assert_null(json_object_get(sensors, "range"));
    assert_int_equal(number(json_object_get(sensors, "flow"), "used"), 0);
    json_decref(root);
    write_text("far.yaml", "surface: {distance_m: 0.35}\n");
    char options[256];
    snprintf(options, sizeof options, "--without range --pod '%s'", test_path("far.yaml"));
    root = track("swept.h5", "alone.h5", options);
    assert_true(number(json_object_get(json_object_get(root, "sensors"), "flow"), "used") > 1000);
    json_decref(root);
    root = track("swept.h5", "alone.h5", "--without flow,range");
    assert_null(json_object_get(json_object_get(root, "sensors"), "flow"));
    json_decref(root);
}

/* The pod file of the hardware folder is read, and its places are those that a scene means by the
 * same numbers. */
static void hardware_pod(void **state) {
    (void)state;
    assert_int_equal(
        simulate(HEAD SINGLE HAND
                 "sensors:\n  imu: {rate_hz: 1000, at_m: [0, -0.06, -0.012]}\n"
                 "  flow: {rate_hz: 100, at_m: [0.06, -0.06, -0.01], step_rad: 1.66e-3}\n"
                 "  range: {rate_hz: 50, at_m: [0.075, -0.06, -0.01], step_m: 1e-3}\n"
                 "  surface: {from_origin_m: 0.35, lean_deg: [2, -1.5]}\n",
                 "pod.h5"),
        0);
    const char *source = getenv("NFSAR_SOURCE");
    char options[1024];
    snprintf(options, sizeof options, "--pod '%s/hardware/mechanical/pod.yaml'",
             source != NULL ? source : ".");
    json_t *root = track("pod.h5", "podded.h5", options);
    const json_t *is = json_object_get(root, "true"), *shall = json_object_get(root, "expected");
    assert_true(number(is, "along_m") <= 1e-3);
    assert_true(number(is, "along_m") < 1.6 * number(shall, "along_m"));
    json_decref(root);
}

/* One row that is no number is left out, and said. */
static void no_number(void **state) {
    (void)state;
    change("odd.h5", "/sensor/imu/acceleration", poke_nan);
    json_t *root = track("odd.h5", "even.h5", "");
    const json_t *imu = json_object_get(json_object_get(root, "sensors"), "imu");
    assert_int_equal(number(imu, "left_out"), 1);
    json_decref(root);
}

/* Cut anywhere: refused in words, or, where nothing that is read was lost, done. */
static void truncated(void **state) {
    (void)state;
    static char bytes[1 << 23];
    FILE *file = fopen(test_path("swept.h5"), "rb");
    assert_non_null(file);
    const size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_true(n > 0 && n < sizeof bytes);
    for (size_t part = 1; part < 12; part++) {
        test_write_file("cut.h5", bytes, n * part / 12);
        assert_refused(1, "cut.h5", "", "cut.h5");
    }
}

/* Bytes changed anywhere: done, or refused in one line, and never a number that is none. */
static void flipped(void **state) {
    (void)state;
    static char bytes[1 << 21];
    assert_int_equal(simulate(HEAD SINGLE
                              "path:\n  handheld: {size_m: [0.05, 0.01], line_spacing_m: 0.01, "
                              "speed_m_per_s: 0.1,\n    pulse_rate_hz: 100, smooth_s: 0.1}\n"
                              "sensors:\n  imu: {rate_hz: 200}\n  tracker: {rate_hz: 50}\n"
                              "  range: {rate_hz: 50}\n  surface: {from_origin_m: 0.3}\n",
                              "small.h5"),
                     0);
    FILE *file = fopen(test_path("small.h5"), "rb");
    assert_non_null(file);
    const size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_true(n > 0 && n < sizeof bytes);
    uint32_t random = 1;
    for (int trial = 0; trial < 60; trial++) {
        random = random * 1664525U + 1013904223U;
        const size_t at = (size_t)((double)random / 4294967296.0 * (double)n);
        const char kept = bytes[at];
        bytes[at] = (char)(bytes[at] ^ (1 << (random >> 8 & 7)));
        test_write_file("flip.h5", bytes, n);
        bytes[at] = kept;
        const int status = test_command(output, sizeof output, "track '%s' -o '%s' --json --quiet",
                                        test_path("flip.h5"), test_path("flipped.h5"));
        assert_null(strstr(output, "Sanitizer"));
        assert_true(status == 0 || status == 1);
        if (status == 1) {
            assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1);
            continue;
        }
        nfsar_error error;
        nfsar_capture capture;
        assert_ok(nfsar_capture_load(test_path("flipped.h5"), &capture, &error), error);
        nfsar_capture_free(&capture);
    }
}

static void bad_pods(void **state) {
    (void)state;
    const struct {
        const char *text, *part;
    } wrong[] = {
        {"imu: {at: [0, 0, 0]}\n", "wrong.yaml"},
        {"imu: {rate: {density: -1}}\n", "imu.rate.density is -1: must be from"},
        {"range: {sigma_m: .nan}\n", "is not a number"},
        {"flow: {at_m: [0, 0]}\n", "at_m"},
        {"tracker: {sigma_deg: 1e9}\n", "tracker.sigma_deg is 1e+09"},
        {"encoder: {step_m: [0, 1]}\n", "encoder.step_m: a step cannot be 0 m"},
        {"gravity_m_per_s2: [0, 0, 0]\n", "gravity_m_per_s2"},
        {"imu: {sensor: 7}\n", "has no reading of sensor 7, which imu.sensor asks for"},
        {"imu: {time_offset_s: 1000}\n", "do not overlap"},
        {"range: {sigma_m: 5e-4}\n",
         "records of range do not fit the others: correct its mounting"},
        {"", "wrong.yaml"},
    };
    char options[256];
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        write_text("wrong.yaml", wrong[i].text);
        snprintf(options, sizeof options, "--pod '%s'", test_path("wrong.yaml"));
        assert_refused(1, "swept.h5", options, wrong[i].part);
    }
    assert_refused(1, "swept.h5", "--pod /nowhere.yaml", "/nowhere.yaml");
    assert_refused(2, "swept.h5", "--without radar", "--without radar: names are flow, range");
    assert_refused(2, "swept.h5", "--without flow,", "--without flow,: names are");
    assert_refused(2, "swept.h5", "--window -1", "--window -1: must be 0.001 s at least");
    assert_int_equal(test_command(output, sizeof output, "track x.h5"), 2);
    assert_contains(output, "-o OUT.h5 is missing");
}

/* Scenes whose sensors cannot be. */
static void bad_scenes(void **state) {
    (void)state;
    assert_int_equal(simulate(HEAD SINGLE HAND "sensors: {range: {rate_hz: 50}}\n", "never.h5"), 1);
    assert_contains(output, "sensors: surface.from_origin_m is missing");
    assert_int_equal(simulate(HEAD SINGLE
                              "path: {positions_m: [[0,0,0],[0.1,0,0],[0,0,0],[0,0.1,0],"
                              "[0,0,0]]}\nsensors: {imu: {rate_hz: 1000}}\n",
                              "never.h5"),
                     1);
    assert_contains(output, "more than an IMU can say");
    assert_int_equal(simulate(HEAD SINGLE "path: {positions_m: [[0, 0, 0]]}\n"
                                          "sensors: {imu: {rate_hz: 1000}}\n",
                              "never.h5"),
                     1);
    assert_contains(output, "a path of 1 poses has no motion");
    assert_int_equal(test_count_files("never"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hand),         cmocka_unit_test(channels),
        cmocka_unit_test(poses),        cmocka_unit_test(covariance_goes),
        cmocka_unit_test(outside),      cmocka_unit_test(bad_tables),
        cmocka_unit_test(no_number),    cmocka_unit_test(without),
        cmocka_unit_test(truncated),    cmocka_unit_test(flipped),
        cmocka_unit_test(bad_pods),     cmocka_unit_test(bad_scenes),
        cmocka_unit_test(hardware_pod),
    };
    return cmocka_run_group_tests(tests, swept_set_up, NULL);
}
