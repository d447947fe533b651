/* nfsar calibrate --path: a plate scanned in rows to and fro, its poses made wrong, put right. */
#include "tests/support.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <nfsar/file.h>

#define FAST 0.03
#define SLOW -0.03
#define SKEW 0.02
#define BACK 0.8e-3

static const char *const scene =
    "radar: {waveform: 77-81ghz-64}\n"
    "array: {preset: single}\n"
    "path:\n"
    "  raster: {x: {size_m: 0.2, step_m: 0.95e-3}, y: {size_m: 0.16, step_m: 1.9e-3},\n"
    "           serpentine: yes}\n"
    "targets:\n"
    "  - plate:\n"
    "      at_m: [0, 0, 0.25]\n"
    "      size_m: [0.09, 0.09]\n"
    "      holes:\n"
    "        - disc: {centre_m: [-0.025, 0.025], radius_m: 0.008}\n"
    "        - disc: {centre_m: [0.028, -0.002], radius_m: 0.0035}\n"
    "        - star: {centre_m: [0, 0], radius_m: 0.015, inner_m: 0.006, points: 5}\n"
    "        - rectangle: {centre_m: [0, -0.028], size_m: [0.05, 0.008], rotate_deg: 15}\n"
    "impairments: {snr_db: 20}\n";

/* Poses become what a controller with the wrong steps, a lean and backlash says. */
static void spoil(nfsar_capture *capture) {
    nfsar_pose *pose = capture->pose;
    nfsar_vec3 last = pose[0].position;
    double way = 1.0;
    for (size_t i = 0; i < capture->n_pose; i++) {
        nfsar_vec3 *at = &pose[i].position;
        /* Rows go to and fro: the first of a row takes the way from where the next one is. */
        if (i == 0 || at->y != last.y) {
            way = copysign(1.0, pose[i + 1].position.x - at->x);
            last = *at;
        }
        at->y /= 1.0 + SLOW;
        at->x = (at->x - SKEW * at->y - 0.5 * way * BACK) / (1.0 + FAST);
    }
}

static int set_up(void **state) {
    (void)state;
    char output[4096];
    nfsar_error error;
    nfsar_capture capture;
    test_write_file("plate.yaml", scene, strlen(scene));
    if (test_command(output, sizeof output, "simulate '%s' -o '%s'", test_path("plate.yaml"),
                     test_path("right.h5")) != 0 ||
        nfsar_capture_load(test_path("right.h5"), &capture, &error) != NFSAR_OK) {
        return 1;
    }
    spoil(&capture);
    enum nfsar_status status = nfsar_capture_save(test_path("off.h5"), &capture, &error);
    nfsar_capture_free(&capture);
    return status == NFSAR_OK ? 0 : 1;
}

static void assert_estimate(const json_t *root, const char *key, double true_value, double most) {
    const json_t *e = json_object_get(root, key);
    double value = json_number_value(json_object_get(e, "value"));
    double sigma = json_number_value(json_object_get(e, "sigma"));
    assert_true(json_is_true(json_object_get(e, "told")));
    if (!(fabs(value - true_value) < most) || !(fabs(value - true_value) < 3.0 * sigma)) {
        fail_msg("%s: %g with sigma %g, and is %g", key, value, sigma, true_value);
    }
    assert_near(json_number_value(json_object_get(e, "applied")), value, 1e-12);
}

static void path(void **state) {
    (void)state;
    char output[4096];
    json_error_t wrong;
    assert_int_equal(test_command(output, sizeof output,
                                  "calibrate '%s' -o '%s' --path --range-error 0.003 --json",
                                  test_path("off.h5"), test_path("found.h5")),
                     0);
    json_t *root = json_loads(output, 0, &wrong);
    assert_non_null(root);
    assert_estimate(root, "fast_step", FAST, 5e-3);
    assert_estimate(root, "slow_step", SLOW, 5e-3);
    assert_estimate(root, "skew", SKEW, 2e-3);
    assert_estimate(root, "backlash_m", BACK, 0.05e-3);
    assert_true(json_number_value(json_object_get(root, "sharpness_after")) >
                1.2 * json_number_value(json_object_get(root, "sharpness_before")));
    json_decref(root);

    nfsar_error error;
    nfsar_capture right, off, found;
    assert_ok(nfsar_capture_load(test_path("right.h5"), &right, &error), error);
    assert_ok(nfsar_capture_load(test_path("off.h5"), &off, &error), error);
    assert_ok(nfsar_capture_load(test_path("found.h5"), &found, &error), error);
    double before = 0.0, after = 0.0;
    for (size_t i = 0; i < right.n_pose; i++) {
        before = fmax(before, nfsar_vec3_distance(off.pose[i].position, right.pose[i].position));
        after = fmax(after, nfsar_vec3_distance(found.pose[i].position, right.pose[i].position));
    }
    /* Half a percent of both steps is what 3 mm of range leave open, half a millimetre at the ends.
     */
    assert_true(before > 3e-3);
    assert_true(after < 0.6e-3);
    assert_memory_equal(off.echo, found.echo, off.n_pulse * off.n_sample * sizeof *off.echo);
    assert_int_equal(found.n_provenance, off.n_provenance + 1);
    assert_contains(found.provenance[off.n_provenance], "--path");
    nfsar_capture_free(&right);
    nfsar_capture_free(&off);
    nfsar_capture_free(&found);
}

/* What is right already is left alone, in words. */
static void nothing_to_correct(void **state) {
    (void)state;
    char output[4096];
    assert_int_equal(test_command(output, sizeof output, "calibrate '%s' -o '%s' --path",
                                  test_path("right.h5"), test_path("same.h5")),
                     0);
    assert_contains(output, "left alone");
    assert_contains(output, "in both directions");
    assert_null(strstr(output, ": corrected"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path),
        cmocka_unit_test(nothing_to_correct),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
