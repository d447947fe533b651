/* nfsar calibrate --background, --leakage --drift and --iq: what they say of what was taken out. */
#include "tests/support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <nfsar/file.h>

/* A point behind leakage 20 dB above it, and the same radar before an empty room. */
static int set_up(void **state) {
    (void)state;
    static const char *const text[2] = {
        "radar: {waveform: 77-81ghz-64}\n"
        "array: {preset: single}\n"
        "path: {raster: {x: {size_m: 0.1, count: 40}, y: {size_m: 0, count: 1}}}\n"
        "targets: [{points: [{at_m: [0, 0, 0.3]}]}]\n"
        "impairments: {snr_db: 20, leakage_db: 20}\n",
        "radar: {waveform: 77-81ghz-64}\n"
        "array: {preset: single}\n"
        "path: {raster: {x: {size_m: 0.1, count: 40}, y: {size_m: 0, count: 1}}}\n"
        "targets: [{points: [{at_m: [0.01, 0, 0.5]}, {at_m: [0, 0, 0.2]}]}]\n",
    };
    char output[4096];
    for (int i = 0; i < 2; i++) {
        test_write_file("scene.yaml", text[i], strlen(text[i]));
        int status =
            test_command(output, sizeof output, "simulate '%s' -o '%s'", test_path("scene.yaml"),
                         test_path(i == 0 ? "all.h5" : "wrong.h5"));
        if (status != 0) {
            return status;
        }
    }
    return 0;
}

static double number_in(const char *text, const char *after) {
    double value = NAN;
    const char *at = strstr(text, after);
    assert_non_null(at);
    assert_int_equal(sscanf(at + strlen(after), " %lf", &value), 1);
    return value;
}

static void drifting_leakage_is_compared_too(void **state) {
    (void)state;
    char output[4096];
    assert_int_equal(test_command(output, sizeof output,
                                  "calibrate '%s' -o '%s' --leakage 0.07:0.2 --drift 20",
                                  test_path("all.h5"), test_path("clean.h5")),
                     0);
    double before = number_in(output, "by all pulses: "), now = number_in(output, " before, ");
    assert_true(now < before - 10.0);
    /* So it is by the file that was written: its mean is what was said to be left. */
    assert_int_equal(test_command(output, sizeof output,
                                  "calibrate '%s' -o '%s' --leakage 0.07:0.2",
                                  test_path("clean.h5"), test_path("again.h5")),
                     0);
    assert_near(number_in(output, "by all pulses: "), now, 0.11);
}

/* Nothing is left of a capture's own mean, which has no decibels; another radar's background
 * makes things worse. */
static void backgrounds_are_judged(void **state) {
    (void)state;
    char output[4096];
    assert_int_equal(test_command(output, sizeof output, "calibrate '%s' -o '%s' --background '%s'",
                                  test_path("all.h5"), test_path("own.h5"), test_path("all.h5")),
                     0);
    assert_contains(output, "before, nothing now");
    assert_null(strstr(output, "warning"));
    assert_int_equal(test_command(output, sizeof output,
                                  "calibrate '%s' -o '%s' --background '%s' --json",
                                  test_path("all.h5"), test_path("own.h5"), test_path("all.h5")),
                     0);
    assert_contains(output, "\"common_after_db\": null");
    assert_int_equal(test_command(output, sizeof output, "calibrate '%s' -o '%s' --background '%s'",
                                  test_path("wrong.h5"), test_path("worse.h5"),
                                  test_path("all.h5")),
                     0);
    assert_contains(output, "pulses share more than before");
    assert_contains(output, "is it of this radar");
}

/* DC of the second scene is none; leakage 3 cm away is DC to a part, and that is said. */
static void near_leakage_is_said_to_be_in_dc(void **state) {
    (void)state;
    char output[4096];
    assert_int_equal(test_command(output, sizeof output, "calibrate '%s' -o '%s' --iq",
                                  test_path("all.h5"), test_path("iq.h5")),
                     0);
    assert_contains(output, "leakage from nearer than about 75 mm is in it"); /* c / 4 GHz */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drifting_leakage_is_compared_too),
        cmocka_unit_test(backgrounds_are_judged),
        cmocka_unit_test(near_leakage_is_said_to_be_in_dc),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
