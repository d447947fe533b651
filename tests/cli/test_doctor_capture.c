/* `nfsar doctor CAPTURE.h5` as a user runs it. */
#include <jansson.h>
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(wrong_usage_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
