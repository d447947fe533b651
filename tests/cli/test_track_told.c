/* nfsar track: what it says of gaps, of strays, and of records that are of no use. */
#include <math.h>

#include "tests/cli/swept.h"

/* Rows first .. first + n - 1 of [n] get that value. */
static void fill(hid_t file, const char *column, hsize_t first, hsize_t n, double value) {
    hid_t dataset = H5Dopen2(file, column, H5P_DEFAULT), space = H5Dget_space(dataset);
    hid_t memory = H5Screate_simple(1, &n, NULL);
    double *values = malloc(n * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < n; i++) {
        values[i] = value;
    }
    H5Sselect_hyperslab(space, H5S_SELECT_SET, &first, NULL, &n, NULL);
    assert_true(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, values) >= 0);
    free(values);
    H5Sclose(memory);
    H5Sclose(space);
    H5Dclose(dataset);
}

static void silence(hid_t file, const char *column) {
    fill(file, column, 5000, 500, 0.0);
}

static void make_late(hid_t file, const char *column) {
    hid_t dataset = H5Dopen2(file, column, H5P_DEFAULT), space = H5Dget_space(dataset);
    const hsize_t rows = (hsize_t)H5Sget_simple_extent_npoints(space);
    H5Sclose(space);
    H5Dclose(dataset);
    fill(file, column, rows - 1, 1, 1e9);
}

static void make_zero(hid_t file, const char *column) {
    fill(file, column, 0, 1000, 0.0);
    fill(file, column, 1000, 123, NAN);
}

static size_t flagged(const char *name) {
    nfsar_error error;
    nfsar_capture capture;
    size_t n = 0;
    assert_ok(nfsar_capture_load(test_path(name), &capture, &error), error);
    for (size_t i = 0; i < capture.n_pulse; i++) {
        n += (capture.flags[i] & NFSAR_PULSE_POSE_EXTRAPOLATED) != 0;
    }
    nfsar_capture_free(&capture);
    return n;
}

/* Half a second in which the IMU said nothing of use, at 200 pulses a second. */
static void gap(void **state) {
    (void)state;
    change("gap.h5", "/sensor/imu/valid", silence);
    json_t *root = track("gap.h5", "gapped.h5", "");
    assert_int_equal(number(root, "imu_gaps"), 1);
    assert_int_equal(number(root, "pulses_in_gaps"), 100);
    assert_int_equal(number(root, "pulses_outside"), 0);
    json_decref(root);
    assert_int_equal(flagged("gapped.h5"), 100);
    assert_int_equal(test_command(output, sizeof output, "track '%s' -o '%s'", test_path("gap.h5"),
                                  test_path("gapped.h5")),
                     0);
    assert_contains(output,
                    "warning: the imu has 1 gap, the first at 4.999 s, the longest of 0.501 "
                    "s: 100 of ");
    assert_contains(output, "gaps       1 of imu, with 100 pulses in them: flagged");
    root = track("swept.h5", "gapless.h5", "");
    assert_int_equal(number(root, "imu_gaps"), 0);
    assert_int_equal(number(root, "pulses_in_gaps"), 0);
    json_decref(root);
    assert_int_equal(flagged("gapless.h5"), 0);
}

/* A last reading of thirty years later: left out by name. */
static void late(void **state) {
    (void)state;
    change("late.h5", "/sensor/imu/time_s", make_late);
    assert_int_equal(test_command(output, sizeof output, "track '%s' -o '%s'", test_path("late.h5"),
                                  test_path("soon.h5")),
                     0);
    assert_contains(output,
                    "warning: 1 of 11236 records of imu are left out, the first of 1000000000.000"
                    " s: they are more than 10 s from all others");
    assert_null(strstr(output, "gap"));
    json_t *root = track("late.h5", "soon.h5", "");
    const json_t *imu = json_object_get(json_object_get(root, "sensors"), "imu");
    assert_int_equal(number(imu, "stray"), 1);
    json_decref(root);
}

/* Why flow is of no use: what is wrong with it, not what else would be. */
static void useless_flow(void **state) {
    (void)state;
    change("stuck.h5", "/sensor/flow/interval_s", make_zero);
    assert_int_equal(test_command(output, sizeof output, "track '%s' -o '%s'",
                                  test_path("stuck.h5"), test_path("unstuck.h5")),
                     0);
    assert_contains(output, "no record of flow could be used: interval_s of 1123 of 1123 is not "
                            "above 0");
    assert_null(strstr(output, "range finder"));
    write_text("picky.yaml", "flow: {quality: 200}\n");
    assert_int_equal(test_command(output, sizeof output, "track '%s' -o '%s' --pod '%s'",
                                  test_path("swept.h5"), test_path("unstuck.h5"),
                                  test_path("picky.yaml")),
                     0);
    assert_contains(output, "quality of 1123 of 1123 is below 200, flow.quality of the pod");
    assert_int_equal(test_command(output, sizeof output, "track '%s' -o '%s' --without range",
                                  test_path("swept.h5"), test_path("unstuck.h5")),
                     0);
    assert_contains(output, "it needs a range finder, or surface.distance_m");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gap),
        cmocka_unit_test(late),
        cmocka_unit_test(useless_flow),
    };
    return cmocka_run_group_tests(tests, swept_set_up, NULL);
}
