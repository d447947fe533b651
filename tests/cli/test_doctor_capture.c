/* `nfsar doctor CAPTURE.h5` as a user runs it. */
#include <hdf5.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/file.h>

#include "tests/radar.h"
#include "tests/support.h"

static char output[16384];

/* A scan of two points, or its conjugate, as a file. */
static void write_scan(const char *name, bool conjugated) {
    static const nfsar_vec3 point[] = {{0.0, 0.0, 0.3}, {0.02, 0.01, 0.31}};
    nfsar_error error;
    nfsar_capture capture;
    radar_raster("single", 40, 2.2e-3, 40, 2.2e-3, 32, &capture);
    radar_add_points(&capture, point, 2);
    for (size_t i = 0; conjugated && i < capture.n_pulse * 32; i++) {
        capture.echo[i] = conjf(capture.echo[i]);
    }
    assert_ok(nfsar_capture_save(test_path(name), &capture, &error), error);
    nfsar_capture_free(&capture);
}

static void says_what_is_wrong(void **state) {
    (void)state;
    write_scan("sound.h5", false);
    write_scan("wrong.h5", true);
    assert_int_equal(test_command(output, sizeof output, "doctor %s", test_path("sound.h5")), 0);
    assert_contains(output, "ok       sampling    lattice steps of 2.2 and 2.2 mm");
    assert_contains(output, "0 wrong");
    assert_int_equal(test_command(output, sizeof output, "doctor %s", test_path("wrong.h5")), 1);
    assert_contains(output, "wrong    phase       likely: I and Q are swapped");
    assert_contains(output, "-> import again");
    assert_int_equal(
        test_command(output, sizeof output, "doctor %s --json -q", test_path("wrong.h5")), 1);
    json_t *object = json_loads(output, 0, NULL), *check = NULL;
    assert_non_null(object);
    assert_int_equal(json_integer_value(json_object_get(object, "wrong")), 1);
    size_t i = 0, wrong = 0;
    json_array_foreach(json_object_get(object, "checks"), i, check) {
        if (strcmp(json_string_value(json_object_get(check, "verdict")), "wrong") == 0) {
            assert_string_equal(json_string_value(json_object_get(check, "fault")), "iq-swapped");
            assert_string_equal(json_string_value(json_object_get(check, "sure")), "likely");
            wrong++;
        } else {
            assert_true(json_is_null(json_object_get(check, "fault")));
        }
    }
    assert_int_equal(wrong, 1);
    json_decref(object);
}

static void wrong_usage_is_named(void **state) {
    (void)state;
    const char *sound = test_path("sound.h5");
    assert_int_equal(test_command(output, sizeof output, "doctor %s --range 0.8:1", sound), 1);
    assert_contains(output, "no target between 0.8 and 1 m");
    assert_int_equal(test_command(output, sizeof output, "doctor %s --range -1:1", sound), 2);
    assert_contains(output, "range gate -1 to 1 m");
    assert_int_equal(test_command(output, sizeof output, "doctor %s --lvds", sound), 2);
    assert_contains(output, "are for a rig");
    assert_int_equal(test_command(output, sizeof output, "doctor --range 0:1"), 2);
    assert_contains(output, "--range is for a capture");
    assert_int_equal(test_command(output, sizeof output, "doctor %s/none.h5", test_folder()), 1);
    assert_contains(output, "none.h5");
    test_write_file("text.h5", "no capture", 10);
    assert_int_equal(test_command(output, sizeof output, "doctor %s", test_path("text.h5")), 1);
    assert_contains(output, "text.h5");
}

/* A file that is no whole capture: one line that names it and the way out, and no finding. */
static void expect_refused(const char *name, const char *says) {
    assert_int_equal(test_command(output, sizeof output, "doctor %s", test_path(name)), 1);
    assert_contains(output, name);
    assert_contains(output, says);
    assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1);
}

static void files_that_are_no_captures_are_named(void **state) {
    (void)state;
    nfsar_error error;
    write_scan("whole.h5", false);
    hid_t file = H5Fopen(test_path("whole.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0 && H5Ldelete(file, "/pose", H5P_DEFAULT) >= 0);
    H5Fclose(file);
    expect_refused("whole.h5", "/pose/position_m is missing: where the radar was at each pulse is "
                               "told by scan: of a rig file");
    const nfsar_image image = {.grid = {{0.0, 1.0, 1}, {0.0, 1.0, 1}, {0.3, 1.0, 1}},
                               .data = (float complex[]){1.0F}};
    assert_ok(nfsar_image_save(test_path("image.h5"), &image, &error), error);
    expect_refused("image.h5", "is an image, but a capture is needed: take the one that it was "
                               "made of, which nfsar info ");
}

static char *read_file(const char *name, size_t *size) {
    FILE *stream = fopen(test_path(name), "rb");
    assert_non_null(stream);
    assert_int_equal(fseek(stream, 0, SEEK_END), 0);
    *size = (size_t)ftell(stream);
    rewind(stream);
    char *bytes = malloc(*size);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *size, stream), *size);
    fclose(stream);
    return bytes;
}

/* Cut anywhere the file is refused; nothing crashes. */
static void truncated_files_are_named(void **state) {
    (void)state;
    write_scan("sound.h5", false);
    size_t size = 0;
    char *bytes = read_file("sound.h5", &size);
    for (size_t part = 0; part < 12; part++) {
        test_write_file("cut.h5", bytes, part * size / 12 + part % 3);
        expect_refused("cut.h5", part == 0 ? "empty" : "cut.h5: ");
    }
    test_write_file("cut.h5", bytes, size - 1);
    expect_refused("cut.h5", "take a copy that is whole");
    free(bytes);
}

/* Bytes of the file's structures, and of its samples, are something else: refused in one line, or
 * examined. */
static void damaged_files_end_well(void **state) {
    (void)state;
    size_t size = 0;
    char *bytes = read_file("sound.h5", &size);
    unsigned seed = 5;
    for (int i = 0; i < 40; i++) {
        size_t at[4];
        char before[4];
        for (int k = 0; k < 4; k++) {
            seed = seed * 1103515245U + 12345U;
            at[k] = (size_t)(seed >> 8) % (i % 2 == 0 ? size : 6000);
            before[k] = bytes[at[k]];
            bytes[at[k]] = (char)(seed >> 24);
        }
        test_write_file("damaged.h5", bytes, size);
        int status = test_command(output, sizeof output, "doctor %s -q", test_path("damaged.h5"));
        assert_in_range(status, 0, 1);
        assert_null(strstr(output, "nan"));
        if (strstr(output, "nfsar: ") != NULL) {
            assert_int_equal(status, 1);
            assert_contains(output, "damaged.h5");
            assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1);
        } else {
            assert_contains(output, "ok       ");
        }
        for (int k = 3; k >= 0; k--) {
            bytes[at[k]] = before[k];
        }
    }
    free(bytes);
}

/* What no check looks at is said of scans in rows alone. */
static void what_was_not_looked_at_is_said(void **state) {
    (void)state;
    static const char *const advice = "nfsar calibrate --path does that";
    assert_int_equal(test_command(output, sizeof output, "doctor %s", test_path("sound.h5")), 0);
    assert_contains(output, advice);
    assert_int_equal(test_command(output, sizeof output, "doctor %s", test_path("wrong.h5")), 1);
    assert_null(strstr(output, advice));
    nfsar_error error;
    nfsar_capture capture;
    static const nfsar_vec3 point[] = {{0.0, 0.0, 0.3}};
    radar_raster("single", 40, 1e-3, 40, 1e-3, 32, &capture);
    for (size_t i = 0; i < capture.n_pose; i++) {
        double turns = (double)i / 100.0, out = 0.02 * sqrt((double)i / 1600.0);
        capture.pose[i].position =
            (nfsar_vec3){out * cos(2.0 * NFSAR_PI * turns), out * sin(2.0 * NFSAR_PI * turns), 0.0};
    }
    radar_add_points(&capture, point, 1);
    assert_ok(nfsar_capture_save(test_path("spiral.h5"), &capture, &error), error);
    nfsar_capture_free(&capture);
    assert_int_equal(test_command(output, sizeof output, "doctor %s", test_path("spiral.h5")), 0);
    assert_null(strstr(output, advice));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(wrong_usage_is_named),
        cmocka_unit_test(files_that_are_no_captures_are_named),
        cmocka_unit_test(truncated_files_are_named),
        cmocka_unit_test(damaged_files_end_well),
        cmocka_unit_test(what_was_not_looked_at_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
