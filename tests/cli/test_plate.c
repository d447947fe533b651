/* The main job on a real recording: the raw files of a metal plate with holes (IWR1443 and
 * DCA1000), imported, imaged at the depth that the program's own search finds, and drawn. The data
 * are not part of the project: without them this is skipped. */
#include "tests/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <nfsar/nfsar.h>

static char output[65536];

/* Largest and smallest magnitude within `radius` of (x, y). */
static void extremes(const nfsar_image *image, double x, double y, double radius, double *least,
                     double *most) {
    *least = INFINITY;
    *most = 0.0;
    for (size_t j = 0; j < image->grid.y.count; j++) {
        for (size_t i = 0; i < image->grid.x.count; i++) {
            double away =
                hypot(nfsar_axis_at(&image->grid.x, i) - x, nfsar_axis_at(&image->grid.y, j) - y);
            double value = (double)cabsf(image->data[j * image->grid.x.count + i]);
            if (away <= radius) {
                *least = fmin(*least, value);
                *most = fmax(*most, value);
            }
        }
    }
}

static double at(const nfsar_image *image, double x, double y) {
    double least, most;
    extremes(image, x, y, 0.0008, &least, &most);
    return most;
}

static void import_to_picture(void **state) {
    (void)state;
    const char *source = getenv("NFSAR_SOURCE");
    assert_int_equal(test_command(output, sizeof output,
                                  "import %s/docs/examples/rig-safehaven-sqplate.yaml --data "
                                  "%s/safehaven_sqplate -o %s --quiet",
                                  source != NULL ? source : ".", test_data_folder(),
                                  test_path("plate.h5")),
                     0);
    assert_int_equal(test_command(output, sizeof output,
                                  "reconstruct %s -o %s --x -0.12:0.08:201 --y -0.07:0.05:121 "
                                  "--z 0.28:0.42:71 --focus --json --quiet",
                                  test_path("plate.h5"), test_path("slice.h5")),
                     0);
    const char *depth = strstr(output, "\"z_m\":");
    assert_non_null(depth);
    print_message("sharpest depth %.4f m\n", atof(depth + 6));
    assert_true(atof(depth + 6) > 0.33 && atof(depth + 6) < 0.36);
    assert_int_equal(test_command(output, sizeof output, "render %s -o %s --linear",
                                  test_path("slice.h5"), test_path("plate.png")),
                     0);
    assert_int_equal(access(test_path("plate.png"), R_OK), 0);
}

/* What the source's own picture shows: the plate from x = -78 to 20 mm with its upper edge at
 * y = 14 mm, four dark holes, and a bright spot in the weaker lower part. */
static void edges_and_holes_are_there(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_image image;
    assert_ok(nfsar_image_load(test_path("slice.h5"), &image, &error), error);
    double plate = at(&image, -0.045, -0.02);
    assert_true(at(&image, -0.09, -0.01) < 0.25 * plate);
    assert_true(at(&image, 0.035, 0.0) < 0.25 * plate);
    assert_true(at(&image, -0.04, 0.03) < 0.25 * plate);
    assert_true(at(&image, -0.07, 0.003) > 0.6 * plate);
    assert_true(at(&image, 0.016, 0.005) > 0.6 * plate);
    static const double hole[4][2] = {
        {-0.059, -0.002}, {-0.014, -0.012}, {0.004, -0.001}, {0.011, -0.016}};
    for (size_t i = 0; i < 4; i++) {
        double least, most;
        extremes(&image, hole[i][0], hole[i][1], 0.004, &least, &most);
        print_message("hole at (%3.0f, %3.0f) mm: %.2f of the plate\n", 1e3 * hole[i][0],
                      1e3 * hole[i][1], least / plate);
        assert_true(least < 0.5 * plate);
    }
    double least, most, below, above;
    extremes(&image, -0.025, -0.052, 0.005, &least, &most);
    extremes(&image, -0.045, -0.055, 0.004, &below, &above);
    assert_true(most > 1.5 * above);
    nfsar_image_free(&image);
}

#ifdef NFSAR_SANITIZED
static const bool too_slow = true;
#else
static const bool too_slow = false;
#endif

int main(void) {
    char folder[600];
    snprintf(folder, sizeof folder, "%s/safehaven_sqplate",
             test_data_folder() != NULL ? test_data_folder() : "/nowhere");
    if (too_slow || access(folder, R_OK) != 0) {
        print_message("SKIPPED: %s\n", too_slow ? "the plate takes too long under the sanitizers"
                                                : "NFSAR_DATA has no safehaven_sqplate");
        return TEST_SKIPPED;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(import_to_picture),
        cmocka_unit_test(edges_and_holes_are_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
