/* nfsar reconstruct of a turntable, as a user runs it. */
#include "tests/support.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <nfsar/nfsar.h>

#include "tests/radar.h"

static char output[16384];

static const char *const scene =
    "radar:\n  waveform: 77-81ghz-64\n"
    "array:\n  preset: xwr1443-2tx\n  along: y\n"
    "path:\n  turntable:\n    radius_m: 0.25\n    count: 360\n    y: {size_m: 0.0076, step_m: "
    "7.5897e-3}\n"
    "targets:\n  - points:\n      - {at_m: [0.012, 0.002, -0.02]}\n      - {at_m: [-0.03, 0, "
    "0.01]}\n";

static int set_up(void **state) {
    (void)state;
    test_write_file("turntable.yaml", scene, strlen(scene));
    assert_int_equal(test_command(output, sizeof output, "simulate %s -o %s",
                                  test_path("turntable.yaml"), test_path("turntable.h5")),
                     0);
    return 0;
}

static int reconstruct(const char *image, const char *arguments) {
    return test_command(output, sizeof output, "reconstruct %s -o %s %s", test_path("turntable.h5"),
                        test_path(image), arguments);
}

/* AUTO takes csar, says what it found, and the image is that of bp. */
static void like_backprojection(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_image by_csar, by_bp;
    nfsar_image_comparison comparison;
    const char *grid = "--x -0.038:0.038:181 --y 0:0.004:3 --z -0.038:0.038:181";
    assert_int_equal(reconstruct("auto.h5", grid), 0);
    assert_contains(output, "method csar: the positions go round the axis x = 0, z = 0 m at a "
                            "radius of 0.25 m, exactly: a full circle of 360 angles, in steps of "
                            "1 degree, heights from ");
    assert_contains(output, "; expected error ");
    char line[256];
    snprintf(line, sizeof line, "-m bp %s", grid);
    assert_int_equal(reconstruct("bp.h5", line), 0);
    assert_ok(nfsar_image_load(test_path("auto.h5"), &by_csar, &error), error);
    assert_ok(nfsar_image_load(test_path("bp.h5"), &by_bp, &error), error);
    assert_ok(nfsar_image_compare(&by_bp, &by_csar, &comparison, &error), error);
    print_message("error %.5f\n", comparison.relative_error);
    assert_true(comparison.relative_error < 5e-3);
    assert_string_equal(by_csar.method, "csar");
    assert_contains(by_csar.options, "compensation=every-range");
    assert_contains(by_csar.provenance[by_csar.n_provenance - 1], "method csar, ");
    nfsar_image_free(&by_csar);
    nfsar_image_free(&by_bp);
}

/* What `info` says of the positions. */
static void geometry_is_shown(void **state) {
    (void)state;
    assert_int_equal(test_command(output, sizeof output, "info %s", test_path("turntable.h5")), 0);
    assert_contains(output, "cylinder round x = 0 m, z = 0 m, radius 0.25 m, heights from ");
    assert_contains(output, "360 angles over 360 deg in steps of 1 deg; largest gap 1 deg; ");
    assert_int_equal(
        test_command(output, sizeof output, "info --json %s", test_path("turntable.h5")), 0);
    json_t *root = json_loads(output, 0, NULL);
    json_t *cylinder = json_object_get(root, "cylinder");
    assert_near(json_number_value(json_object_get(cylinder, "radius_m")), 0.25, 1e-9);
    assert_near(json_number_value(json_object_get(cylinder, "step_rad")), NFSAR_PI / 180.0, 1e-12);
    assert_int_equal(json_integer_value(json_object_get(cylinder, "places")), 360);
    json_decref(root);
}

/* The grid that is derived lies within the cylinder, and the target in it. */
static void derived_grid(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_image image;
    nfsar_image_metrics metrics;
    assert_int_equal(reconstruct("derived.h5", "-m csar --y 0.002 --range 0.21:0.29"), 0);
    assert_contains(output, "method csar: ");
    assert_ok(nfsar_image_load(test_path("derived.h5"), &image, &error), error);
    assert_true(hypot(image.grid.x.start, image.grid.z.start) < 0.25);
    assert_ok(nfsar_image_measure(&image, &metrics, &error), error);
    bool first = hypot(metrics.peak_m[0] - 0.012, metrics.peak_m[2] + 0.02) < 5e-4;
    bool second = hypot(metrics.peak_m[0] + 0.03, metrics.peak_m[2] - 0.01) < 5e-4;
    assert_true(first || second);
    nfsar_image_free(&image);
}

static void options(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_image image;
    const char *grid = "--x -0.02:0.02:21 --y 0 --z -0.02:0.02:21";
    static const struct {
        const char *options, *expected;
    } run[] = {
        {"-m csar --compensation closed-form --window hann --tolerance 0.01",
         "compensation=closed-form window=hann tolerance=0.01 views=all axis=0,0 radius=0.25"},
        {"-m csar --compensation reference-point --target-depth 0.01",
         "compensation=reference-point"},
        {"-m csar --compensation none", "compensation=none"},
        {"-m csar --equal-views", "views=equal"},
        {"-m csar --density none", "compensation=every-range window=rectangular tolerance=0.001"},
    };
    for (size_t i = 0; i < sizeof run / sizeof run[0]; i++) {
        char line[256];
        snprintf(line, sizeof line, "%s %s", run[i].options, grid);
        assert_int_equal(reconstruct("some.h5", line), 0);
        assert_contains(output, "method csar: ");
        assert_ok(nfsar_image_load(test_path("some.h5"), &image, &error), error);
        assert_contains(image.options, run[i].expected);
        nfsar_image_free(&image);
    }
}

/* One line of error, the status expected, no output. */
static void refuse(int status, const char *message, const char *arguments) {
    assert_int_equal(reconstruct("none.h5", arguments), status);
    if (strstr(output, message) == NULL || strchr(output, '\n') != output + strlen(output) - 1) {
        fail_msg("%s\nsaid: %sexpected one line with: %s", arguments, output, message);
    }
    assert_int_equal(test_count_files("none"), 0);
}

static void refusals(void **state) {
    (void)state;
    refuse(2, "--aperture-window is for methods rma, empm and nurma", "--aperture-window hann");
    refuse(2, "--aperture-window is for methods rma, empm and nurma",
           "-m csar --aperture-window hann");
    refuse(2, "--focus searches depths in front of a plane", "--focus");
    refuse(2, "--equal-views is for method csar (add --method csar), and this is for bp: as asked",
           "-m bp --equal-views --x 0 --y 0 --z 0");
    refuse(2, "--patches is for methods", "-m csar --patches 2");
    refuse(2, "--target-depth is for csar's --compensation reference-point",
           "-m csar --target-depth 0.2");
    refuse(2, "--precision double is the reference form of bp", "--precision double");
    refuse(2, "csar: tolerance 3", "--tolerance 3 --x -0.02:0.02:21 --y 0 --z -0.02:0.02:21");
    refuse(2, "nurma: compensation every-range is for csar: take reference-point",
           "-m nurma --compensation every-range --x 0:0.1:3 --y 0 --z 0.3");
    refuse(1, "csar: the grid reaches", "-m csar --x -0.3:0.3:11 --y 0 --z 0");
    refuse(1, "rma: the positions are not on a plane", "-m rma");
    refuse(2, "compensation 'x': known are none, closed-form, reference-point, every-range",
           "--compensation x");
    refuse(2, "method 'circular': known are auto, bp, rma, empm, nurma, csar", "-m circular");
    /* A plane by csar. */
    nfsar_capture capture;
    nfsar_error error;
    radar_raster("single", 20, 1e-3, 20, 1e-3, 4, &capture);
    assert_ok(nfsar_capture_save(test_path("plane.h5"), &capture, &error), error);
    nfsar_capture_free(&capture);
    assert_int_equal(test_command(output, sizeof output, "reconstruct %s -o %s -m csar",
                                  test_path("plane.h5"), test_path("none.h5")),
                     1);
    assert_contains(output, "csar: the positions are no cylinder: seen along y they lie on a "
                            "straight line; --method bp has no such limit");
    assert_int_equal(test_command(output, sizeof output,
                                  "reconstruct %s -o %s --compensation every-range --x 0 --y 0 "
                                  "--z 0.2",
                                  test_path("plane.h5"), test_path("none.h5")),
                     2);
    assert_contains(output, "rma: compensation every-range is for csar");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(like_backprojection),
        cmocka_unit_test(geometry_is_shown),
        cmocka_unit_test(derived_grid),
        cmocka_unit_test(options),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests_name("turntable", tests, set_up, NULL);
}
