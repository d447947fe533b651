/* Steps, skew, backlash and directions of a planar scan from echoes that a plain sum makes at other
 * positions than the poses say. */
#include "tests/radar.h"
#include "tests/support.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/path.h>
#include <nfsar/simulation.h>

enum { NX = 94, NY = 51 };
static const nfsar_vec3 points[] = {{-0.035, 0.02, 0.214},
                                    {0.03, 0.028, 0.226},
                                    {0.002, -0.004, 0.22},
                                    {0.04, -0.026, 0.217},
                                    {-0.03, -0.03, 0.223}};

/* A raster of 1.5 and 2 mm with echoes of 30 dB over noise. */
static void make_scan(bool serpentine, bool with_points, nfsar_capture *capture) {
    radar_raster("single", NX, 1.5e-3, NY, 2e-3, 24, capture);
    for (size_t r = 1; serpentine && r < NY; r += 2) {
        for (size_t i = 0; i < NX / 2; i++) {
            nfsar_pose kept = capture->pose[r * NX + i];
            capture->pose[r * NX + i] = capture->pose[r * NX + NX - 1 - i];
            capture->pose[r * NX + NX - 1 - i] = kept;
        }
    }
    if (with_points) {
        radar_add_points(capture, points, sizeof points / sizeof points[0]);
    }
    nfsar_random random;
    nfsar_random_seed(&random, 3);
    for (size_t i = 0; i < (size_t)NX * NY * 24; i++) {
        capture->echo[i] += (float complex)(0.07 * nfsar_random_complex_normal(&random));
    }
}

/* Poses of which the true ones are fast x + skew y +- offset / 2, slow y. */
static void make_wrong(double fast, double slow, double skew, double offset, bool turn_odd,
                       nfsar_capture *capture) {
    for (size_t r = 0; r < NY; r++) {
        nfsar_pose *row = capture->pose + r * NX;
        double way = row[NX - 1].position.x > row[0].position.x ? 1.0 : -1.0;
        for (size_t i = 0; i < NX; i++) {
            nfsar_vec3 *at = &row[i].position;
            at->y /= slow;
            at->x = (at->x - skew * at->y - 0.5 * way * offset) / fast;
        }
        for (size_t i = 0; turn_odd && r % 2 == 1 && i < NX / 2; i++) {
            double kept = row[i].position.x;
            row[i].position.x = row[NX - 1 - i].position.x;
            row[NX - 1 - i].position.x = kept;
        }
    }
}

static enum nfsar_status find(const nfsar_capture *capture, double range_sigma, nfsar_path *path,
                              nfsar_error *error) {
    nfsar_path_options options = nfsar_path_defaults();
    nfsar_echo_source source = nfsar_capture_source(capture);
    options.range_sigma_m = range_sigma;
    return nfsar_path_find(capture, &source, &options, path, NULL, error);
}

static void near_truth(const nfsar_path *path, enum nfsar_path_parameter parameter, double truth,
                       double tolerance) {
    const nfsar_path_estimate *e = &path->estimate[parameter];
    print_message("%d: %.5f of %.5f, sigma %.5f\n", (int)parameter, e->value, truth, e->sigma);
    assert_true(e->told);
    assert_near(e->value, truth, tolerance);
    assert_near(e->value, truth, 3.5 * e->sigma);
    assert_true(e->sigma < 2.0 * tolerance);
}

/* All that can be wrong with a serpentine, ranges known to 1 mm; and the corrected poses are the
 * true ones. */
static void test_serpentine(void **state) {
    (void)state;
    nfsar_capture capture, truth;
    nfsar_path path;
    nfsar_error error;
    make_scan(true, true, &capture);
    radar_raster("single", NX, 1.5e-3, NY, 2e-3, 1, &truth);
    make_wrong(1.03, 0.96, 0.02, 0.6e-3, false, &capture);
    assert_ok(find(&capture, 1e-3, &path, &error), error);
    near_truth(&path, NFSAR_PATH_FAST, 0.03, 6e-3);
    near_truth(&path, NFSAR_PATH_SLOW, -0.04, 0.012);
    near_truth(&path, NFSAR_PATH_SKEW, 0.02, 8e-3);
    near_truth(&path, NFSAR_PATH_OFFSET, 0.6e-3, 0.06e-3);
    assert_true(path.both_ways && path.along_x && path.rows == NY);
    assert_int_equal(path.turned, NFSAR_PATH_AS_THEY_ARE);
    assert_near(path.range_m, 0.22, 3e-3);
    assert_true(path.sharpness_after > 1.1 * path.sharpness_before);
    nfsar_path_apply(&path, &capture);
    assert_near(capture.pose[0].position.x, truth.pose[0].position.x, 1e-3);
    assert_near(capture.pose[0].position.y, truth.pose[0].position.y, 1e-3);
    assert_near(capture.pose[2 * NX - 1].position.x, truth.pose[NX].position.x, 1e-3);
    nfsar_path_free(&path);
    nfsar_capture_free(&capture);
    nfsar_capture_free(&truth);
}

/* A raster recorded to and fro: every other row comes out turned, and right steps are left alone.
 */
static void test_turned(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_path path;
    nfsar_error error;
    make_scan(true, true, &capture);
    make_wrong(1.0, 1.0, 0.0, 0.0, true, &capture);
    assert_ok(find(&capture, 0.0, &path, &error), error);
    assert_int_equal(path.turned, NFSAR_PATH_TURNED_ODD);
    assert_true(path.both_ways && path.correlation[1] > path.correlation[0] + 0.3);
    for (int i = 0; i < NFSAR_PATH_PARAMETERS; i++) {
        assert_true(path.estimate[i].applied == 0.0);
    }
    assert_near(path.ratio.value, 0.0, 0.01);
    /* 30 mm of 220 are 7 % of the steps. */
    assert_near(path.estimate[NFSAR_PATH_FAST].sigma, 0.5 * 0.03 / path.range_m, 5e-3);
    nfsar_path_apply(&path, &capture);
    assert_true(capture.pose[NX].position.x > capture.pose[2 * NX - 1].position.x);
    nfsar_path_free(&path);
    nfsar_capture_free(&capture);
}

static void refuse(nfsar_capture *capture, enum nfsar_status expected, const char *why) {
    nfsar_path path;
    nfsar_error error;
    assert_int_equal(find(capture, 0.0, &path, &error), expected);
    assert_contains(error.message, why);
    assert_true(strchr(error.message, '\n') == NULL && path.row == NULL);
    nfsar_capture_free(capture);
}

static void test_refused(void **state) {
    (void)state;
    nfsar_capture capture;
    radar_raster("single", 40, 1e-3, 3, 2e-3, 16, &capture);
    refuse(&capture, NFSAR_ERROR_GEOMETRY, "3 rows: too few");
    radar_raster("single", 40, 1e-3, 1, 2e-3, 16, &capture);
    refuse(&capture, NFSAR_ERROR_GEOMETRY, "1 row: too few");
    radar_raster("single", 5, 1e-3, 30, 2e-3, 16, &capture);
    for (size_t i = 0; i < capture.n_pose; i++) {
        capture.pose[i].position.x = 0.05 * sin(1.7 * (double)i);
    }
    refuse(&capture, NFSAR_ERROR_GEOMETRY, "do not follow each other along straight rows");
    radar_raster("single", 40, 1e-3, 10, 2e-3, 16, &capture);
    for (size_t i = 0; i < capture.n_pose; i++) {
        capture.pose[i].position.z = 0.01 * sin((double)i);
    }
    refuse(&capture, NFSAR_ERROR_GEOMETRY, "poses differ by");
    make_scan(false, false, &capture);
    refuse(&capture, NFSAR_ERROR_FORMAT, "no echo stands out");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_serpentine),
        cmocka_unit_test(test_turned),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
