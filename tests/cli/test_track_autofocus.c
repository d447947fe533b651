/* nfsar track --autofocus: a capture with better poses, or none. */
#include "tests/support.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include <nfsar/file.h>

static char output[16384];

static const char *const scene = "radar: {waveform: 77-81ghz-64}\n"
                                 "array: {preset: single}\n"
                                 "path:\n"
                                 "  raster:\n"
                                 "    x: {size_m: 0.08, count: 40}\n"
                                 "    y: {size_m: 0.05, count: 11}\n"
                                 "    serpentine: yes\n"
                                 "  pulse_interval_s: 0.01\n"
                                 "targets:\n"
                                 "  - points:\n"
                                 "      - {at_m: [0, 0, 0.3]}\n"
                                 "      - {at_m: [0.02, 0.013, 0.3]}\n"
                                 "      - {at_m: [-0.024, 0.008, 0.3]}\n"
                                 "      - {at_m: [0.009, -0.02, 0.3]}\n"
                                 "      - {at_m: [-0.011, -0.017, 0.3]}\n"
                                 "impairments:\n"
                                 "  snr_db: %g\n"
                                 "  pose_error: {kind: smooth, sigma_m: [2e-3, 2e-3, 2e-3], "
                                 "time_s: 1.0}\n";

#define REGION "--x -0.03:0.03:2 --y -0.03:0.03:2 --z 0.3 --most 0.002"

static void simulate(const char *name, double snr_db) {
    char text[2048];
    snprintf(text, sizeof text, scene, snr_db);
    test_write_file("scan.yaml", text, strlen(text));
    assert_int_equal(test_command(output, sizeof output, "simulate '%s' --seed 2 -o '%s'",
                                  test_path("scan.yaml"), test_path(name)),
                     0);
}

static double number(const json_t *object, const char *key) {
    const json_t *item = json_object_get(object, key);
    assert_true(json_is_number(item));
    return json_number_value(item);
}

static void a_scan_is_focused(void **state) {
    (void)state;
    simulate("scan.h5", 20.0);
    assert_int_equal(test_command(output, sizeof output,
                                  "track '%s' -o '%s' --autofocus " REGION
                                  " --series '%s' --json --quiet",
                                  test_path("scan.h5"), test_path("sharp.h5"), test_path("series")),
                     0);
    json_t *found = json_loads(output, 0, NULL);
    assert_non_null(found);
    assert_string_equal(json_string_value(json_object_get(found, "verdict")), "focused");
    assert_true(number(found, "unexplained_after") < 0.5 * number(found, "unexplained_before"));
    assert_true(number(found, "sharpness_after") > number(found, "sharpness_before"));
    assert_true(json_array_size(json_object_get(found, "trace")) > 2);
    json_decref(found);

    char picture[512];
    snprintf(picture, sizeof picture, "%s/step-000.png", test_path("series"));
    FILE *file = fopen(picture, "rb");
    assert_non_null(file);
    fclose(file);

    nfsar_error error;
    nfsar_capture_file *before = NULL, *after = NULL;
    assert_ok(nfsar_capture_file_open(test_path("scan.h5"), &before, &error), error);
    assert_ok(nfsar_capture_file_open(test_path("sharp.h5"), &after, &error), error);
    const nfsar_capture *a = nfsar_capture_file_header(before);
    const nfsar_capture *b = nfsar_capture_file_header(after);
    assert_int_equal(b->n_pose, a->n_pose);
    assert_int_equal(b->n_provenance, a->n_provenance + 1);
    assert_contains(b->provenance[b->n_provenance - 1], "--autofocus");
    double moved = 0.0;
    nfsar_vec3 mean = {0.0, 0.0, 0.0};
    for (size_t i = 0; i < a->n_pose; i++) {
        const nfsar_vec3 d = nfsar_vec3_subtract(b->pose[i].position, a->pose[i].position);
        moved += nfsar_vec3_norm(d) / (double)a->n_pose;
        mean = nfsar_vec3_add(mean, nfsar_vec3_scale(d, 1.0 / (double)a->n_pose));
    }
    assert_true(moved > 0.1e-3);
    assert_near(nfsar_vec3_norm(mean), 0.0, 1e-6);
    /* The truth stays beside the poses, so that they can be judged. */
    assert_non_null(b->true_pose);
    nfsar_capture_file_close(before);
    nfsar_capture_file_close(after);
}

static void noise_is_refused(void **state) {
    (void)state;
    simulate("noise.h5", -60.0);
    assert_int_equal(test_command(output, sizeof output, "track '%s' -o '%s' --autofocus " REGION,
                                  test_path("noise.h5"), test_path("bent.h5")),
                     1);
    assert_contains(output, "noise.h5: the echoes kept aside do not confirm a focus");
    assert_contains(output, "verdict      refused");
    assert_int_equal(test_count_files("bent"), 0);
}

static void bad_usage_is_named(void **state) {
    (void)state;
    simulate("scan.h5", 20.0);
    const struct {
        const char *options, *part;
        int status;
    } cases[] = {
        {"--autofocus", "-o OUT.h5 is missing", 2},
        {"-o '%s' --autofocus " REGION " --time-scale 0", "--time-scale 0", 2},
        {"-o '%s' --autofocus " REGION " --time-scale 0.001", "--time-scale", 1},
        {"-o '%s' --autofocus " REGION " --most 2", "--most 2", 2},
        {"-o '%s' --autofocus " REGION " --lines 3", "3 lines", 2},
        {"-o '%s' --autofocus --x -0.1:0.1:2 --y -0.1:0.1:2 --z 0.25:0.35:2",
         "440 lines tell too little", 2},
        {"-o '%s' --autofocus --x 0:0.01:2 --y 0:0.01:2 --z 1:4.5:2", "deeper than", 1},
        {"-o '%s' --autofocus --x 0.6:0.62:2 --y 0:0.02:2 --z 0.9", "region without the targets",
         1},
        {"-o '%s' --autofocus --x -1:1:2 --y -1:1:2 --z 1.5:3:2", "--x", 2},
        {"-o '%s' --autofocus --x -0.04:0.04:2 --y -0.04:0.04:2 --z 0:0.3:2", "region", 1},
        {"-o '%s' --autofocus " REGION " --series /dev/null/x", "--series", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char options[512];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(options, sizeof options, cases[i].options, test_path("out.h5"));
#pragma GCC diagnostic pop
        const int status =
            test_command(output, sizeof output, "track '%s' %s", test_path("scan.h5"), options);
        assert_contains(output, cases[i].part);
        assert_int_equal(status, cases[i].status);
        assert_int_equal(test_count_files("out.h5"), 0);
    }
    /* Of the file it is said, and no folder stays behind. */
    assert_int_equal(
        test_command(output, sizeof output,
                     "track '%s' -o '%s' --autofocus --x -1:1:2 --y -1:1:2 --z 1.5:3:2 "
                     "--series '%s'",
                     test_path("scan.h5"), test_path("out.h5"), test_path("steps")),
        2);
    assert_contains(output, "scan.h5: a region of 2 x 2 x 1.5 m");
    assert_int_equal(test_count_files("steps"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_usage_is_named),
        cmocka_unit_test(a_scan_is_focused),
        cmocka_unit_test(noise_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
