/* nfsar calibrate --axis: from a scene whose table is wrong to a capture whose poses are right. */
#include "tests/support.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <nfsar/file.h>

static const char *const scene =
    "radar: {waveform: 77-81ghz-64}\n"
    "array: {preset: single}\n"
    "path:\n"
    "  turntable: {radius_m: 0.25, count: 400, missing: 0.05, y: {size_m: 0.0076, count: 2},\n"
    "              errors: {radius_m: 1.3e-3, angle_zero_deg: 0.7}}\n"
    "targets:\n"
    "  - points:\n"
    "      - {at_m: [0.07, 0, 0]}\n"
    "      - {at_m: [-0.03, 0, 0.04]}\n"
    "      - {at_m: [0.01, 0, -0.06]}\n"
    "      - {at_m: [0.02, 0, 0.02]}\n"
    "impairments: {snr_db: 20}\n";

static int set_up(void **state) {
    (void)state;
    char output[4096];
    test_write_file("table.yaml", scene, strlen(scene));
    return test_command(output, sizeof output, "simulate '%s' -o '%s'", test_path("table.yaml"),
                        test_path("table.h5"));
}

static double number(const json_t *object, const char *key) {
    const json_t *item = json_object_get(object, key);
    assert_true(json_is_number(item));
    return json_number_value(item);
}

/* Where the corrected poses are, against the truth that the simulation left in the capture. */
static void assert_poses(const char *name) {
    nfsar_error error;
    nfsar_capture_file *file = NULL;
    assert_ok(nfsar_capture_file_open(test_path(name), &file, &error), error);
    const nfsar_capture *capture = nfsar_capture_file_header(file);
    assert_non_null(capture->true_pose);
    for (size_t i = 0; i < capture->n_pose; i++) {
        nfsar_vec3 p = capture->pose[i].position, q = capture->true_pose[i].position;
        assert_near(hypot(p.x, p.z), hypot(q.x, q.z), 0.2e-3);
        assert_near(nfsar_vec3_distance(p, q), 0.0, 0.3e-3);
    }
    assert_int_equal(capture->n_provenance, 3);
    assert_contains(capture->provenance[1], "calibrate");
    assert_contains(capture->provenance[1], "--axis");
    assert_contains(capture->provenance[1], "radius 0.250000 m by +1.");
    assert_contains(capture->provenance[2], "angles by +0.");
    nfsar_capture_file_close(file);
}

/* All samples of one capture are those of the other. */
static void assert_same_echo(const char *a, const char *b) {
    nfsar_error error;
    nfsar_capture one, other;
    assert_ok(nfsar_capture_load(test_path(a), &one, &error), error);
    assert_ok(nfsar_capture_load(test_path(b), &other, &error), error);
    assert_int_equal(one.n_pulse, other.n_pulse);
    assert_memory_equal(one.echo, other.echo,
                        one.n_pulse * one.n_sample * one.array.n_channel * sizeof *one.echo);
    nfsar_capture_free(&one);
    nfsar_capture_free(&other);
}

static void axis(void **state) {
    (void)state;
    char output[4096];
    json_error_t error;
    assert_int_equal(test_command(output, sizeof output,
                                  "calibrate '%s' -o '%s' --axis --point 0.07,0,0 --json",
                                  test_path("table.h5"), test_path("good.h5")),
                     0);
    json_t *root = json_loads(output, 0, &error);
    assert_non_null(root);
    assert_near(number(root, "change_m"), 1.3e-3, 0.2e-3);
    assert_near(number(root, "radius_m"), 0.2513, 0.2e-3);
    assert_near(number(json_object_get(root, "zero"), "turn_deg"), 0.7, 0.1);
    assert_true(number(root, "uncertainty_m") < 0.3e-3);
    json_decref(root);
    assert_poses("good.h5");
    assert_same_echo("table.h5", "good.h5");
    /* There is no more to correct; in words, and no angle without a point. */
    assert_int_equal(test_command(output, sizeof output, "calibrate '%s' -o '%s' --axis",
                                  test_path("good.h5"), test_path("again.h5")),
                     0);
    assert_contains(output, "radius     251.");
    assert_contains(output, "echoes do not tell where angles count from");
}

static void fails(int status, const char *part, const char *arguments) {
    char output[4096];
    int answered = test_command(output, sizeof output, "calibrate %s", arguments);
    if (answered != status) {
        fail_msg("nfsar calibrate %s answered %d, not %d: %s", arguments, answered, status, output);
    }
    assert_contains(output, part);
    assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1);
    assert_int_equal(test_count_files("out."), 0);
    assert_int_equal(test_count_files(".part-"), 0);
}

static const char *with(const char *options) {
    static char text[2048];
    snprintf(text, sizeof text, "'%s' -o '%s' %s", test_path("table.h5"), test_path("out.h5"),
             options);
    return text;
}

static void wrong_usage(void **state) {
    (void)state;
    fails(2, "say what to find: --axis", with(""));
    fails(2, "expected X,Y,Z", with("--axis --point 1,2"));
    fails(2, "expected X,Y,Z", with("--axis --point 1,2,3,4"));
    fails(2, "is on the axis", with("--axis --point 0,1,0"));
    fails(2, "a search over 1 m", with("--axis --search 1"));
    fails(2, "within 0.5 m", with("--axis --within 0.5"));
    fails(2, "say what to find: --axis", with("--point 0,1,0"));
    fails(2, "--search is for --axis", with("--channels --search 0.1"));
    fails(1, "no reflector within 15 mm", with("--axis --point 0,0,0.09"));
    fails(1, "table.h5", with("--axis --point 0,0,0.09"));
    char text[1024];
    snprintf(text, sizeof text, "'%s' --axis", test_path("table.h5"));
    fails(2, "-o OUT.h5 is missing", text);
    snprintf(text, sizeof text, "'%s' -o '%s' --axis", test_path("table.h5"),
             test_path("table.h5"));
    fails(2, "table.h5", text);
    snprintf(text, sizeof text, "no-such.h5 -o '%s' --axis", test_path("out.h5"));
    fails(1, "no-such.h5", text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(axis),
        cmocka_unit_test(wrong_usage),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
