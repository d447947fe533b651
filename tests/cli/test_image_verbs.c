#include "tests/support.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/file.h>

/* A point of separable sinc response, saved as an image file. */
static void save_point(const char *name, double x_offset, float amplitude) {
    const nfsar_grid grid = {{-0.03, 0.002, 31}, {-0.02, 0.002, 21}, {0.25, 0.01, 11}};
    nfsar_image image;
    nfsar_error error;
    assert_ok(nfsar_image_create(&grid, &image, &error), error);
    image.method = strdup("bp");
    for (size_t i = 0; i < nfsar_grid_voxels(&grid); i++) {
        const double at[3] = {(double)(i % 31) - 15.25 - x_offset, (double)(i / 31 % 21) - 10.0,
                              (double)(i / 651) - 5.0};
        double value = amplitude;
        for (int a = 0; a < 3; a++) {
            double cells = at[a] / 2.5;
            value *= cells == 0.0 ? 1.0 : sin(M_PI * cells) / (M_PI * cells);
        }
        image.data[i] = (float complex)(value * cexp(0.3 * I * at[0]));
    }
    assert_ok(nfsar_image_save(test_path(name), &image, &error), error);
    nfsar_image_free(&image);
}

static int set_up(void **state) {
    (void)state;
    save_point("point.h5", 0.0, 1.0f);
    save_point("moved.h5", 0.5, 2.0f);
    save_point("zero.h5", 0.0, 0.0f);
    test_write_file("text.h5", "no image", 8);
    return 0;
}

static void fails(int status, const char *part, const char *arguments) {
    char output[4096];
    int answered = test_command(output, sizeof output, "%s", arguments);
    if (answered != status) {
        fail_msg("nfsar %s answered %d, not %d: %s", arguments, answered, status, output);
    }
    assert_contains(output, part);
    /* One line. */
    assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1);
    assert_int_equal(test_count_files("out."), 0);
    assert_int_equal(test_count_files(".part-"), 0);
}

/* "verb FILE rest" with the path of a file in the test's folder. */
static const char *line(const char *verb, const char *file, const char *rest) {
    static char text[2048];
    snprintf(text, sizeof text, "%s '%s' %s '%s'", verb, test_path(file), rest,
             test_path("out.png"));
    return text;
}

static void render(void **state) {
    (void)state;
    char output[4096];
    assert_int_equal(test_command(output, sizeof output, "render '%s' -o '%s'",
                                  test_path("point.h5"), test_path("a.png")),
                     0);
    assert_string_equal(output, "");
    assert_int_equal(test_command(output, sizeof output,
                                  "render '%s' --output='%s' --view top --slice 0.001 --linear "
                                  "--dynamic-range 20 --width 500 --title 'A point' --threads 1",
                                  test_path("point.h5"), test_path("a.png")),
                     0);
    /* A slice without a view is a front view. */
    assert_int_equal(test_command(output, sizeof output, "render '%s' -o '%s' --slice 0.3",
                                  test_path("point.h5"), test_path("a.png")),
                     0);
    static const char *const more[] = {
        "--view top --slice=-0.01:0.01 --axis 0,0.3",
        "--view unrolled",
        "--view unrolled --axis=-0.01,0.3 --radius 0.001:0.015 --width 400",
        "--view 3d",
        "--view 3d --level 6 --from=-90,-10 --linear --threads 2",
    };
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        assert_int_equal(test_command(output, sizeof output, "render '%s' -o '%s' %s",
                                      test_path("point.h5"), test_path("a.png"), more[i]),
                         0);
        assert_string_equal(output, "");
    }
    fails(2, "known are front", line("render", "point.h5", "--view back -o"));
    fails(2, "--slice a: give a number", line("render", "point.h5", "--slice a -o"));
    fails(2, "FIRST < LAST", line("render", "point.h5", "--slice 0.3:0.28 -o"));
    fails(2, "FIRST < LAST", line("render", "point.h5", "--slice 0.28:0.3:0.31 -o"));
    fails(2, "z = 0.4 m lies outside", line("render", "point.h5", "--slice 0.28:0.4 -o"));
    fails(2, "give X,Z in metres", line("render", "point.h5", "--view top --axis 0 -o"));
    fails(2, "z = 0 m lies outside", line("render", "point.h5", "--view top --axis 0,0 -o"));
    fails(2, "all, top and unrolled", line("render", "point.h5", "--view 3d --axis 0,0.3 -o"));
    fails(2, "belongs to the view unrolled", line("render", "point.h5", "--radius 0:0.01 -o"));
    fails(2, "MIN:MAX", line("render", "point.h5", "--view unrolled --radius 0.01:0.01 -o"));
    fails(2, "lie outside", line("render", "point.h5", "--view unrolled --radius 1:2 -o"));
    fails(2, "AZIMUTH,ELEVATION", line("render", "point.h5", "--view 3d --from 60 -o"));
    fails(2, "-90 to 90", line("render", "point.h5", "--view 3d --from 60,100 -o"));
    fails(2, "--level belongs to --view 3d", line("render", "point.h5", "--level 6 -o"));
    fails(2, "--from belongs to --view 3d", line("render", "point.h5", "--view top --from 0,0 -o"));
    fails(2, "choose 1 to 100", line("render", "point.h5", "--view 3d --level -6 -o"));
    fails(1, "zero.h5", line("render", "zero.h5", "--view 3d -o"));
    fails(1, "zero.h5", line("render", "zero.h5", "--view unrolled -o"));
    fails(2, "dynamic range of -3 dB", line("render", "point.h5", "--dynamic-range -3 -o"));
    fails(2, "--width 100000", line("render", "point.h5", "--width 100000 -o"));
    fails(2, "outside the image", line("render", "point.h5", "--slice 9 -o"));
    fails(2, "belongs to one view", line("render", "point.h5", "--slice 0.3 --view all -o"));
    fails(2, "-o PICTURE.png is missing", "render image.h5");
    fails(2, "too few arguments", "render");
    fails(1, "zero everywhere", line("render", "zero.h5", "-o"));
    fails(1, "zero.h5", line("render", "zero.h5", "-o"));
    fails(1, "text.h5", line("render", "text.h5", "-o"));
    fails(1, "no-such.h5", line("render", "no-such.h5", "-o"));
}

static void export_formats(void **state) {
    (void)state;
    char output[4096];
    const char *const ending[] = {"vti", "npy", "mat"};
    for (int i = 0; i < 3; i++) {
        char name[16];
        snprintf(name, sizeof name, "a.%s", ending[i]);
        assert_int_equal(test_command(output, sizeof output, "export '%s' -o '%s'",
                                      test_path("point.h5"), test_path(name)),
                         0);
        assert_string_equal(output, "");
        assert_int_equal(test_count_files(name), 1);
    }
    fails(2, ".vti (ParaView), .npy (NumPy) or .mat", line("export", "point.h5", "-o"));
    fails(2, "is missing", "export image.h5");
    fails(1, "No such file", "export no-such.h5 -o out.vti");
}

static json_t *run_json(const char *arguments) {
    char output[8192];
    json_error_t error;
    assert_int_equal(test_command(output, sizeof output, "%s", arguments), 0);
    json_t *root = json_loads(output, 0, &error);
    if (root == NULL) {
        fail_msg("%s: %s", error.text, output);
    }
    return root;
}

static double item(const json_t *root, const char *key, size_t i) {
    return json_number_value(json_array_get(json_object_get(root, key), i));
}

static void measure(void **state) {
    (void)state;
    char output[4096], arguments[1024];
    snprintf(arguments, sizeof arguments, "measure '%s'", test_path("point.h5"));
    assert_int_equal(test_command(output, sizeof output, "%s", arguments), 0);
    assert_contains(output, "bp, 31 x 21 x 11 voxels");
    assert_contains(output, "peak at");
    assert_contains(output, "mm\n");
    snprintf(arguments, sizeof arguments, "measure --json '%s'", test_path("point.h5"));
    json_t *root = run_json(arguments);
    assert_near(item(root, "peak_m", 0), -0.03 + 0.002 * 15.25, 2e-6);
    assert_near(item(root, "peak_m", 1), 0.0, 2e-6);
    assert_near(item(root, "peak_m", 2), 0.3, 1e-4);
    assert_near(item(root, "width_m", 0), 0.885893 * 2.5 * 0.002, 2e-5);
    assert_near(item(root, "pslr_db", 0), -13.26, 0.1);
    assert_near(json_number_value(json_object_get(root, "peak_amplitude")),
                sin(M_PI * 0.1) / (M_PI * 0.1), 1e-6);
    assert_string_equal(json_string_value(json_object_get(root, "method")), "bp");
    json_decref(root);
    snprintf(arguments, sizeof arguments, "measure '%s'", test_path("zero.h5"));
    fails(1, "zero everywhere", arguments);
    fails(2, "unexpected argument", "measure a.h5 b.h5");
}

static void compare(void **state) {
    (void)state;
    char output[4096], arguments[1024];
    snprintf(arguments, sizeof arguments, "compare '%s' '%s'", test_path("point.h5"),
             test_path("point.h5"));
    assert_int_equal(test_command(output, sizeof output, "%s", arguments), 0);
    assert_contains(output, "complex correlation         1.000000");
    assert_contains(output, "inf  dB");
    snprintf(arguments, sizeof arguments, "compare '%s' '%s' --json", test_path("point.h5"),
             test_path("point.h5"));
    json_t *root = run_json(arguments);
    assert_true(json_is_null(json_object_get(root, "psnr_db")));
    assert_near(json_number_value(json_object_get(root, "ssim")), 1.0, 1e-9);
    json_decref(root);
    snprintf(arguments, sizeof arguments, "compare '%s' '%s' --json", test_path("point.h5"),
             test_path("moved.h5"));
    root = run_json(arguments);
    /* Half a voxel of 2.5 voxels a cell: the correlation of the sinc with itself is sinc(0.2), but
     * for the cut-off tails. */
    assert_near(json_number_value(json_object_get(root, "magnitude_correlation")),
                sin(M_PI * 0.2) / (M_PI * 0.2), 0.03);
    json_decref(root);
    snprintf(arguments, sizeof arguments, "compare '%s' '%s'", test_path("point.h5"),
             test_path("zero.h5"));
    fails(1, "the image is zero everywhere", arguments);
    fails(2, "too few arguments", "compare one.h5");
}

/* Grids that differ are not a matter of usage. */
static void compare_other_grid(void **state) {
    (void)state;
    const nfsar_grid grid = {{-0.03, 0.002, 31}, {-0.02, 0.002, 21}, {0.25, 0.011, 11}};
    nfsar_image image;
    nfsar_error error;
    char arguments[1024];
    assert_ok(nfsar_image_create(&grid, &image, &error), error);
    image.data[0] = 1.0f;
    assert_ok(nfsar_image_save(test_path("grid.h5"), &image, &error), error);
    nfsar_image_free(&image);
    snprintf(arguments, sizeof arguments, "compare '%s' '%s'", test_path("point.h5"),
             test_path("grid.h5"));
    fails(1, "z 0.25:0.35:11, the image has x -0.03:0.03:31 y -0.02:0.02:21 z 0.25:0.36:11",
          arguments);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(render),  cmocka_unit_test(export_formats),     cmocka_unit_test(measure),
        cmocka_unit_test(compare), cmocka_unit_test(compare_other_grid),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
