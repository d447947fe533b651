/* nfsar reconstruct, run as a user runs it: results, and what it says to bad input. */
#include "tests/support.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <nfsar/nfsar.h>

#include "tests/radar.h"

#define QUARTER (RADAR_LAMBDA / 4.0)

static char output[16384];

static void save(nfsar_capture *capture, const char *name) {
    nfsar_error error;
    assert_ok(nfsar_capture_save(test_path(name), capture, &error), error);
    nfsar_capture_free(capture);
}

/* A small raster with one point at (4, -6, 200) mm. */
static void make_raster(nfsar_capture *capture) {
    nfsar_vec3 point = {0.004, -0.006, 0.2};
    radar_raster("xwr1443-2tx", 40, QUARTER, 5, 2.0 * RADAR_LAMBDA, 32, capture);
    radar_add_points(capture, &point, 1);
}

static int set_up(void **state) {
    (void)state;
    nfsar_capture capture;
    make_raster(&capture);
    save(&capture, "raster.h5");
    return 0;
}

static nfsar_image_metrics measure(const char *name) {
    nfsar_error error;
    nfsar_image image;
    nfsar_image_metrics metrics;
    assert_ok(nfsar_image_load(test_path(name), &image, &error), error);
    assert_ok(nfsar_image_measure(&image, &metrics, &error), error);
    nfsar_image_free(&image);
    return metrics;
}

/* The issue: point-target positions within a tenth of a resolution cell, rma and bp. */
static void points_come_out_in_place(void **state) {
    (void)state;
    static const char *const methods[] = {"rma", "bp"};
    /* lambda z / (2 D) with D of 39 steps of lambda/4, and c / 2B. */
    double lateral = RADAR_LAMBDA * 0.2 / (2.0 * 39.0 * QUARTER);
    double range = NFSAR_SPEED_OF_LIGHT / (2.0 * 4e9);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(test_command(output, sizeof output,
                                      "reconstruct %s -o %s --method %s --x -0.02:0.02:41 --y "
                                      "-0.02:0.02:41 --z 0.15:0.25:41",
                                      test_path("raster.h5"), test_path("point.h5"), methods[i]),
                         0);
        nfsar_image_metrics metrics = measure("point.h5");
        print_message("%s: off by %.4f %.4f %.4f cells\n", methods[i],
                      (metrics.peak_m[0] - 0.004) / lateral, (metrics.peak_m[1] + 0.006) / lateral,
                      (metrics.peak_m[2] - 0.2) / range);
        assert_near(metrics.peak_m[0], 0.004, 0.1 * lateral);
        assert_near(metrics.peak_m[1], -0.006, 0.1 * lateral);
        assert_near(metrics.peak_m[2], 0.2, 0.1 * range);
    }
    assert_int_equal(test_count_files(".part"), 0);
}

static void grid_and_method_are_chosen_and_said(void **state) {
    (void)state;
    assert_int_equal(test_command(output, sizeof output, "reconstruct %s -o %s",
                                  test_path("raster.h5"), test_path("auto.h5")),
                     0);
    assert_contains(output,
                    "method rma: the positions are a planar lattice, exactly: 40 x 40 places");
    assert_contains(output, "strongest echo at 0.20");
    assert_contains(output, "--z ");
    nfsar_image_metrics metrics = measure("auto.h5");
    assert_near(metrics.peak_m[2], 0.2, 0.005);
}

static void focus_finds_the_depth(void **state) {
    (void)state;
    assert_int_equal(test_command(output, sizeof output,
                                  "reconstruct %s -o %s --x -0.02:0.02:41 --y -0.02:0.02:41 --z "
                                  "0.15:0.25:41 --focus --focus-picture %s --json -q",
                                  test_path("raster.h5"), test_path("focus.h5"),
                                  test_path("focus.png")),
                     0);
    const char *at = strstr(output, "\"z_m\":");
    assert_non_null(at);
    assert_near(atof(at + 6), 0.2, 0.004);
    assert_contains(output, "\"method\": \"rma\"");
    assert_int_equal(access(test_path("focus.png"), R_OK), 0);
}

/* Positions that form no lattice go to non-uniform range migration, and rma refuses them. */
static void irregular_positions(void **state) {
    (void)state;
    nfsar_capture capture;
    make_raster(&capture);
    for (size_t i = 0; i < capture.n_pulse; i++) {
        capture.pose[i].position.z = 1e-3 * sin((double)i);
    }
    save(&capture, "wavy.h5");
    assert_int_equal(test_command(output, sizeof output,
                                  "reconstruct %s -o %s --x 0.004 --y -0.006 --z 0.19:0.21:5",
                                  test_path("wavy.h5"), test_path("wavy-image.h5")),
                     0);
    assert_contains(output, "method bp: the positions are irregular, and so few for this grid");
    assert_int_equal(
        test_command(output, sizeof output,
                     "reconstruct %s -o %s --x -0.004:0.004:101 --y -0.004:0.004:101 --z "
                     "0.19:0.21:41",
                     test_path("wavy.h5"), test_path("wavy-image.h5")),
        0);
    assert_contains(output, "method empm: the positions are irregular and lie up to 1 mm off");
    assert_contains(output, "; expected error ");
    assert_int_equal(test_command(output, sizeof output,
                                  "reconstruct %s -o %s --x -0.1:0.1:101 --y -0.1:0.1:101 --z "
                                  "0.19:0.21:41",
                                  test_path("wavy.h5"), test_path("wavy-image.h5")),
                     0);
    assert_contains(output, "method nurma: the positions are irregular");
    assert_int_equal(test_command(output, sizeof output,
                                  "reconstruct %s -o %s -m empm --x -0.1:0.1:5 --y 0 --z 0.1",
                                  test_path("wavy.h5"), test_path("wavy-image.h5")),
                     0);
    assert_contains(output, "warning: phases at the aperture's edge are up to");
    assert_int_equal(test_command(output, sizeof output, "reconstruct %s -o %s --method rma",
                                  test_path("wavy.h5"), test_path("none.h5")),
                     1);
    assert_contains(output, "not on a plane");
    assert_contains(output, "--method bp");
    assert_int_equal(test_count_files("none"), 0);
    /* One valid object, whatever the file is called. */
    assert_int_equal(test_command(output, sizeof output,
                                  "reconstruct %s -o %s/odd\xff.h5 -q --json --x 0:0.01:3 --y 0 "
                                  "--z 0.2",
                                  test_path("raster.h5"), test_folder()),
                     0);
    json_t *json = json_loads(output, 0, NULL);
    assert_non_null(json);
    assert_non_null(strstr(json_string_value(json_object_get(json, "output")), "odd?.h5"));
    json_t *axis = json_object_get(json, "x");
    assert_near(json_real_value(json_object_get(axis, "first_m")), 0.0, 0.0);
    assert_near(json_real_value(json_object_get(axis, "step_m")), 0.005, 1e-12);
    assert_int_equal(json_integer_value(json_object_get(axis, "count")), 3);
    json_decref(json);
}

/* Every method takes the weights: a lattice whose first rows were gone over twice, for either gives
 * the image of one that was gone over once. */
static void density_for_every_method(void **state) {
    (void)state;
    enum { SIDE = 40, AGAIN = 15 * SIDE };
    nfsar_capture once, twice;
    nfsar_error error;
    nfsar_vec3 point = {0.004, -0.006, 0.2};
    radar_raster("single", SIDE, QUARTER, SIDE, QUARTER, 16, &once);
    radar_raster("single", SIDE * SIDE + AGAIN, 0.0, 1, 0.0, 16, &twice);
    for (size_t i = 0; i < twice.n_pulse; i++) {
        twice.pose[i] = once.pose[i % ((size_t)SIDE * SIDE)];
    }
    radar_add_points(&once, &point, 1);
    radar_add_points(&twice, &point, 1);
    save(&once, "once.h5");
    save(&twice, "twice.h5");
    static const char *const methods[] = {"rma", "bp"};
    for (int m = 0; m < 2; m++) {
        static const char *const runs[][2] = {
            {"once", "none"}, {"twice", "none"}, {"twice", "voronoi"}};
        nfsar_image image[3];
        for (int i = 0; i < 3; i++) {
            char capture[16];
            snprintf(capture, sizeof capture, "%s.h5", runs[i][0]);
            assert_int_equal(test_command(output, sizeof output,
                                          "reconstruct %s -o %s -q -m %s --density %s --x "
                                          "-0.03:0.03:61 --y -0.03:0.03:61 --z 0.2",
                                          test_path(capture), test_path("rows.h5"), methods[m],
                                          runs[i][1]),
                             0);
            assert_ok(nfsar_image_load(test_path("rows.h5"), &image[i], &error), error);
        }
        nfsar_image_comparison plain, weighted;
        assert_ok(nfsar_image_compare(&image[0], &image[1], &plain, &error), error);
        assert_ok(nfsar_image_compare(&image[0], &image[2], &weighted, &error), error);
        print_message("%s: rows twice err by %.3f, with weights by %.2g\n", methods[m],
                      plain.relative_error, weighted.relative_error);
        assert_true(plain.relative_error > 0.1);
        assert_true(weighted.relative_error < 1e-4);
        for (int i = 0; i < 3; i++) {
            nfsar_image_free(&image[i]);
        }
    }
}

/* Places denser the nearer they are to the middle: without weights a taper that widens the point.
 */
static void density_weights(void **state) {
    (void)state;
    nfsar_capture capture;
    radar_raster("single", 80, QUARTER, 30, QUARTER, 16, &capture);
    nfsar_vec3 point = {0.004, -0.006, 0.2};
    for (size_t i = 0; i < capture.n_pulse; i++) {
        nfsar_vec3 *at = &capture.pose[i].position;
        at->z = 1e-3 * sin((double)i);
        at->x *= fabs(at->x) / (40.0 * QUARTER);
    }
    radar_add_points(&capture, &point, 1);
    save(&capture, "uneven.h5");
    static const char *const words[] = {"none", "voronoi", "iterative"};
    double width[3], pslr[3];
    for (int i = 0; i < 3; i++) {
        assert_int_equal(test_command(output, sizeof output,
                                      "reconstruct %s -o %s --density %s --json --x "
                                      "-0.016:0.024:161 --y -0.006 --z 0.2",
                                      test_path("uneven.h5"), test_path("even.h5"), words[i]),
                         0);
        nfsar_image image;
        nfsar_error error;
        char expected[64];
        snprintf(expected, sizeof expected, " density=%s", words[i]);
        assert_contains(output, expected);
        assert_int_equal(strstr(output, "white noise") != NULL, i > 0);
        assert_ok(nfsar_image_load(test_path("even.h5"), &image, &error), error);
        assert_contains(image.options, expected);
        assert_contains(image.provenance[image.n_provenance - 1], expected);
        nfsar_image_free(&image);
        width[i] = measure("even.h5").width_m[0];
        pslr[i] = measure("even.h5").pslr_db[0];
        print_message("%s: width %.3f mm, side lobes %.2f dB\n", words[i], 1e3 * width[i], pslr[i]);
    }
    /* What an even aperture of 80 steps gives: 0.886 lambda R / (2 D cos), and sinc's side lobes.
     */
    double even = 0.886 * RADAR_LAMBDA * 0.2 / (2.0 * 80.0 * QUARTER);
    assert_true(width[0] > 1.3 * even);
    assert_near(width[1], even, 0.02 * even);
    assert_near(pslr[1], -13.26, 0.5);
    assert_near(width[2], even, 0.02 * even);
    /* No plane to share out: said, and nothing is left behind. */
    radar_raster("single", 30, 0.0, 1, 0.0, 4, &capture);
    for (size_t i = 0; i < capture.n_pulse; i++) {
        double angle = 0.1 * (double)i;
        capture.pose[i].position = (nfsar_vec3){0.3 * cos(angle), 0.0, 0.3 * sin(angle)};
    }
    save(&capture, "round.h5");
    assert_int_equal(test_command(output, sizeof output,
                                  "reconstruct %s -o %s --density voronoi --x 0 --y 0 --z 0",
                                  test_path("round.h5"), test_path("none.h5")),
                     1);
    assert_contains(output, "--density voronoi: the phase centres leave their best plane by");
    assert_contains(output, "use density none");
    assert_int_equal(test_count_files("none"), 0);
}

/* Millimetres where metres belong: made as asked, and said. */
static void grid_in_millimetres(void **state) {
    (void)state;
    assert_int_equal(test_command(output, sizeof output, "reconstruct %s -o %s --x 5 --y 5 --z 300",
                                  test_path("raster.h5"), test_path("far.h5")),
                     0);
    assert_contains(output, "warning: the grid begins 300 m from the radar");
    assert_contains(output, "coordinates are metres");
}

/* One line of error, the status expected, no output. */
static void refuse(int status, const char *message, const char *arguments) {
    assert_int_equal(test_command(output, sizeof output, "%s", arguments), status);
    if (strstr(output, message) == NULL || strchr(output, '\n') != output + strlen(output) - 1) {
        fail_msg("%s\nsaid: %sexpected one line with: %s", arguments, output, message);
    }
    assert_int_equal(test_count_files("none"), 0);
}

static const char *with(const char *format, const char *capture) {
    static char line[2048];
    snprintf(line, sizeof line, format, test_path(capture), test_path("none.h5"));
    return line;
}

static void bad_usage(void **state) {
    (void)state;
    refuse(2, "too few arguments", "reconstruct");
    refuse(2, "-o IMAGE is missing", with("reconstruct %s", "raster.h5"));
    refuse(2, "no option --grid", with("reconstruct %s -o %s --grid 3", "raster.h5"));
    refuse(2, "unexpected argument", with("reconstruct %s -o %s more", "raster.h5"));
    refuse(2, "--z nan: expected", with("reconstruct %s -o %s --z nan", "raster.h5"));
    refuse(2, "expected MIN:MAX:COUNT", with("reconstruct %s -o %s --z 1:0:4", "raster.h5"));
    refuse(2, "expected MIN:MAX:COUNT", with("reconstruct %s -o %s --z 0:1:0", "raster.h5"));
    refuse(2, "expected MIN:MAX:COUNT", with("reconstruct %s -o %s --z 0:1:-4", "raster.h5"));
    refuse(2, "method 'magic'", with("reconstruct %s -o %s --method magic", "raster.h5"));
    refuse(2, "window 'x'", with("reconstruct %s -o %s --window x", "raster.h5"));
    refuse(2, "compensation 'x'", with("reconstruct %s -o %s --compensation x", "raster.h5"));
    refuse(2, "--density even: density 'even': known are none, voronoi, iterative",
           with("reconstruct %s -o %s --density even", "raster.h5"));
    refuse(2, "precision 'half'", with("reconstruct %s -o %s --precision half", "raster.h5"));
    refuse(2, "--focus searches", with("reconstruct %s -o %s --z 0.2 --focus", "raster.h5"));
    refuse(2, "too large",
           with("reconstruct %s -o %s -q --method bp --x 0:1:4000000 --y 0:1:4000000 --z 1",
                "raster.h5"));
    refuse(2, "at most 1024", with("reconstruct %s -o %s --threads 9999", "raster.h5"));
    refuse(2, "no verb 'reconstrct'", "reconstrct");
    /* One clean line, whatever was typed. */
    refuse(2, "no verb 'a b?[1m'", "\"$(printf 'a\\nb\\033[1m')\"");
    refuse(2, "no option --a b?[1m", "info \"$(printf -- '--a\\nb\\033[1m')\"");
    /* Said before the capture is looked for. */
    refuse(2, "--window x", with("reconstruct %s -o %s --window x", "missing.h5"));
    refuse(1, "/nowhere/x.h5", "reconstruct missing.h5 -o /nowhere/x.h5");
    char name[3001];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    char line[3100];
    snprintf(line, sizeof line, "info %s", name);
    refuse(1, ": File name too long", line);
}

static void bad_files(void **state) {
    (void)state;
    refuse(1, "No such file", with("reconstruct %s -o %s", "missing.h5"));
    test_write_file("text.h5", "hello\n", 6);
    refuse(1, "text.h5", with("reconstruct %s -o %s", "text.h5"));
    test_write_file("empty.h5", "", 0);
    refuse(1, "empty.h5", with("reconstruct %s -o %s", "empty.h5"));
    char line[1024];
    snprintf(line, sizeof line, "reconstruct %s -o /nowhere/none.h5 --z 0.2 -q",
             test_path("raster.h5"));
    refuse(1, "/nowhere/none.h5", line);
    snprintf(line, sizeof line, "reconstruct %s -o %s --z 0.2 -q", test_path("raster.h5"),
             test_folder());
    refuse(2, "not a regular file", line);
}

static void bad_geometry(void **state) {
    (void)state;
    refuse(1, "plane of the antennas",
           with("reconstruct %s -o %s -q -m rma --z -0.1:0.1:3", "raster.h5"));
    nfsar_capture capture;
    nfsar_vec3 point = {0.0, 0.0, 0.2};
    radar_raster("single", 3, 0.0, 3, 0.0, 8, &capture);
    radar_add_points(&capture, &point, 1);
    save(&capture, "still.h5");
    refuse(1, "no aperture", with("reconstruct %s -o %s -q", "still.h5"));
    radar_raster("single", 9, QUARTER, 9, QUARTER, 8, &capture);
    save(&capture, "silent.h5");
    refuse(1, "samples are zero", with("reconstruct %s -o %s -q", "silent.h5"));
    refuse(1, "nothing to focus on",
           with("reconstruct %s -o %s -q --x 0:0.01:5 --y 0:0.01:5 --z 0.2:0.3:5 --focus",
                "silent.h5"));
    radar_raster("single", 9, QUARTER, 9, QUARTER, 1, &capture);
    radar_add_points(&capture, &point, 1);
    save(&capture, "tone.h5");
    refuse(1, "single frequency", with("reconstruct %s -o %s -q", "tone.h5"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_come_out_in_place),
        cmocka_unit_test(grid_and_method_are_chosen_and_said),
        cmocka_unit_test(focus_finds_the_depth),
        cmocka_unit_test(irregular_positions),
        cmocka_unit_test(density_weights),
        cmocka_unit_test(density_for_every_method),
        cmocka_unit_test(grid_in_millimetres),
        cmocka_unit_test(bad_usage),
        cmocka_unit_test(bad_files),
        cmocka_unit_test(bad_geometry),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
