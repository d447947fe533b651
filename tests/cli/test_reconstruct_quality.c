/* nfsar reconstruct --quality, run as a user runs it. */
#include "tests/support.h"

#include <complex.h>
#include <jansson.h>
#include <string.h>

#include <nfsar/nfsar.h>

#include "tests/radar.h"

static char output[16384];

#define FINE   "--x -0.012:0.012:33 --y -0.012:0.012:25 --z 0.06:0.07:2"
#define COARSE "--x -0.012:0.012:7 --y -0.012:0.012:25 --z 0.06"

enum { VOXELS = 33 * 25 * 2 };

/* A lattice of 60 x 60 mm, and a point. */
static int set_up(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    const nfsar_vec3 point = {0.003, -0.004, 0.06};
    radar_raster("single", 64, 0.95e-3, 64, 0.95e-3, 16, &capture);
    radar_add_points(&capture, &point, 1);
    assert_ok(nfsar_capture_save(test_path("point.h5"), &capture, &error), error);
    nfsar_capture_free(&capture);
    return 0;
}

static void make(const char *name, const char *verb, const char *input, const char *arguments) {
    assert_int_equal(test_command(output, sizeof output, "%s %s -o %s %s", verb, test_path(input),
                                  test_path(name), arguments),
                     0);
}

/* What --quality best makes is what nfsar enhance makes of what --quality fast makes, which is what
 * is made without it. */
static void best_is_enhanced(void **state) {
    (void)state;
    make("plain.h5", "reconstruct", "point.h5", FINE);
    make("fast.h5", "reconstruct", "point.h5", FINE " --quality fast");
    make("sharp.h5", "enhance", "fast.h5", "");
    make("best.h5", "reconstruct", "point.h5", FINE " --quality best");
    assert_null(strstr(output, "warning: pixels"));
    static const char *const names[] = {"plain.h5", "fast.h5", "sharp.h5", "best.h5"};
    nfsar_image image[4];
    for (int i = 0; i < 4; i++) {
        nfsar_error error;
        assert_ok(nfsar_image_load(test_path(names[i]), &image[i], &error), error);
        assert_string_equal(image[i].method, i < 2 ? "rma" : "rma+enhance");
    }
    assert_memory_equal(image[0].data, image[1].data, VOXELS * sizeof *image[0].data);
    assert_memory_equal(image[2].data, image[3].data, VOXELS * sizeof *image[2].data);
    assert_memory_not_equal(image[1].data, image[2].data, VOXELS * sizeof *image[1].data);
    const size_t last = image[3].n_provenance - 1;
    assert_contains(image[3].provenance[last - 1], "method rma, ");
    assert_contains(image[3].provenance[last], "network default of ");
    for (int i = 0; i < 4; i++) {
        nfsar_image_free(&image[i]);
    }
}

static void coarse_grids_are_told(void **state) {
    (void)state;
    make("coarse.h5", "reconstruct", "point.h5", COARSE " --quality best");
    assert_contains(output, "warning: pixels of 4 mm along x are ");
    assert_null(strstr(output, "along y are"));
    make("coarse.h5", "reconstruct", "point.h5", COARSE " --quality best --json -q");
    json_t *root = json_loads(output, 0, NULL);
    const json_t *enhanced = json_object_get(root, "enhanced");
    assert_string_equal(json_string_value(json_object_get(enhanced, "network")), "default");
    assert_true(json_number_value(json_object_get(enhanced, "peak")) > 0.0);
    json_decref(root);
}

static void wrong_use_is_refused(void **state) {
    (void)state;
    assert_int_equal(test_command(output, sizeof output,
                                  "reconstruct %s -o %s " FINE " --quality better",
                                  test_path("point.h5"), test_path("no.h5")),
                     2);
    assert_contains(output, "--quality better: quality 'better': known are fast, best");
    assert_int_equal(test_command(output, sizeof output,
                                  "reconstruct %s -o %s " FINE " --quality best --sparse l1",
                                  test_path("point.h5"), test_path("no.h5")),
                     2);
    assert_contains(output, "--quality best is for images of a method");
    assert_int_equal(test_command(output, sizeof output,
                                  "reconstruct %s -o %s --quality best --x 0:1:70000 --y 0:1:1 "
                                  "--z 0.06 --method bp",
                                  test_path("point.h5"), test_path("no.h5")),
                     1);
    assert_contains(output, "70000 x 1 pixels");
    assert_int_equal(test_count_files("no.h5"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(best_is_enhanced),
        cmocka_unit_test(coarse_grids_are_told),
        cmocka_unit_test(wrong_use_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
