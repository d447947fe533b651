/* nfsar reconstruct --sparse, run as a user runs it. */
#include "tests/support.h"

#include <complex.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include <nfsar/nfsar.h>

#include "tests/radar.h"

static char output[16384];

#define GRID "--x -0.02:0.02:21 --y -0.02:0.02:21 --z 0.2"

/* 60 positions at random in 80 x 80 mm, and two points on voxels of GRID. */
static int set_up(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    nfsar_random random;
    const nfsar_vec3 point[2] = {{0.004, -0.006, 0.2}, {-0.01, 0.008, 0.2}};
    nfsar_random_seed(&random, 2);
    radar_raster("single", 12, 1e-3, 5, 1e-3, 16, &capture);
    for (size_t i = 0; i < capture.n_pose; i++) {
        capture.pose[i].position.x = 0.08 * (nfsar_random_uniform(&random) - 0.5);
        capture.pose[i].position.y = 0.08 * (nfsar_random_uniform(&random) - 0.5);
    }
    radar_add_points(&capture, point, 2);
    assert_ok(nfsar_capture_save(test_path("thin.h5"), &capture, &error), error);
    nfsar_capture_free(&capture);
    return 0;
}

static double number_of(const json_t *root, const char *key) {
    return json_number_value(json_object_get(json_object_get(root, "sparse"), key));
}

static void finds_two_points(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_image image;
    assert_int_equal(test_command(output, sizeof output,
                                  "reconstruct %s -o %s --sparse l1 " GRID " --json -q",
                                  test_path("thin.h5"), test_path("l1.h5")),
                     0);
    json_t *root = json_loads(output, 0, NULL);
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "method")), "sparse-l1");
    assert_true(json_is_true(json_object_get(json_object_get(root, "sparse"), "converged")));
    double iterations = number_of(root, "iterations");
    assert_true(number_of(root, "residual") < 0.1 && number_of(root, "lambda_tv") == 0.0);
    json_decref(root);
    assert_ok(nfsar_image_load(test_path("l1.h5"), &image, &error), error);
    assert_string_equal(image.method, "sparse-l1");
    for (size_t i = 0; i < 441; i++) {
        /* Voxels (12, 7) and (5, 14): of reflectivity 1, less the penalty's bias. */
        bool there = i == 7 * 21 + 12 || i == 14 * 21 + 5;
        assert_near(cabsf(image.data[i]), there ? 0.95 : 0.0, 0.04);
    }
    nfsar_image_free(&image);
    /* Go on from there, by the other pair of operators. */
    assert_int_equal(test_command(output, sizeof output,
                                  "reconstruct %s -o %s --sparse l1 " GRID
                                  " --sparse-start %s --sparse-operators planar --json -q",
                                  test_path("thin.h5"), test_path("on.h5"), test_path("l1.h5")),
                     0);
    root = json_loads(output, 0, NULL);
    assert_non_null(root);
    assert_true(number_of(root, "iterations") <= iterations / 2.0);
    json_decref(root);
}

static void says_how_it_went(void **state) {
    (void)state;
    assert_int_equal(test_command(output, sizeof output,
                                  "reconstruct %s -o %s --sparse l1+tv " GRID
                                  " --sparse-iterations 2",
                                  test_path("thin.h5"), test_path("two.h5")),
                     0);
    assert_contains(output, "sparse l1+tv (exact operators): 2 iterations, 0 restarts, "
                            "stopped by --sparse-iterations: the objective may be ");
}

static void refuses(void **state) {
    (void)state;
    static const struct {
        const char *options;
        int exit_status;
        const char *message;
    } cases[] = {
        {"--sparse l2", 2, "--sparse l2: penalty 'l2': known are l1, tv, l1+tv"},
        {"--sparse-weight 0.1", 2, "need --sparse"},
        {"--sparse l1 --sparse-weight 0", 2, "sparse weight 0: above 0 and below 1"},
        {"--sparse l1 --sparse-iterations 0", 2, "sparse iterations 0: 1 or more"},
        {"--sparse l1 --sparse-weight nan", 2, "sparse-weight"},
        {"--sparse l1 --sparse-weight -1e300", 2, "sparse weight"},
        {"--sparse l1 --sparse-tolerance 1", 2, "sparse tolerance 1: from 0 to below 1"},
        {"--sparse l1 --sparse-iterations -3", 2, "--sparse-iterations"},
        {"--sparse l1 --sparse-memory 0", 2, "--sparse-memory 0: MiB, 1 or more"},
        {"--sparse l1 --sparse-memory 1152921504606846976", 2, "--sparse-memory"},
        {"--sparse-memory 1", 2, "need --sparse"},
        {"--sparse l1 --sparse-operators cylindrical", 1, "cylindrical operators: "},
        {"--sparse l1 --method rma", 2, "--sparse takes the place of --method"},
        {"--sparse l1 --density voronoi", 2, "leave out --density"},
        {"--sparse l1 --tolerance 1e-4", 2, "--sparse has no use for --compensation"},
        {"--sparse l1 --sparse-operators fast", 2, "operators 'fast': known are auto, exact"},
        {"--sparse l1 --sparse-start nothing.h5", 1, "nothing.h5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(test_command(output, sizeof output, "reconstruct %s -o %s " GRID " %s",
                                      test_path("thin.h5"), test_path("not.h5"), cases[i].options),
                         cases[i].exit_status);
        assert_contains(output, cases[i].message);
    }
    assert_int_equal(test_command(output, sizeof output, "reconstruct %s -o %s --method bp " GRID,
                                  test_path("thin.h5"), test_path("bp.h5")),
                     0);
    assert_int_equal(test_command(output, sizeof output,
                                  "reconstruct %s -o %s --sparse l1 --sparse-start %s " GRID,
                                  test_path("thin.h5"), test_path("not.h5"), test_path("bp.h5")),
                     2);
    assert_contains(output, "made by method bp");
    assert_int_equal(test_command(output, sizeof output,
                                  "reconstruct %s -o %s --sparse l1 --sparse-start %s --x 0:0.1:9 "
                                  "--y 0:0.1:9 --z 0.2",
                                  test_path("thin.h5"), test_path("not.h5"), test_path("l1.h5")),
                     2);
    assert_contains(output, "its grid is another");
    assert_int_equal(test_command(output, sizeof output,
                                  "reconstruct %s -o %s --sparse tv --sparse-memory 1 --x "
                                  "-0.1:0.1:201 --y -0.1:0.1:101 --z 0.2",
                                  test_path("thin.h5"), test_path("not.h5")),
                     1);
    assert_contains(output, "more than the 1 MiB allowed: give a smaller grid");
    assert_int_equal(test_count_files("not.h5"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_two_points),
        cmocka_unit_test(says_how_it_went),
        cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
