#include "tests/support.h"

#include <cairo.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/picture.h>

#include "host/picture/ticks.h"

static void ticks_are_round_and_inside(void **state) {
    (void)state;
    struct ticks made = ticks_between(-0.35, 100.2, 8.0);
    assert_near(made.step, 20.0, 0.0);
    assert_near(made.first, 0.0, 0.0);
    assert_int_equal(made.count, 6);
    made = ticks_between(-0.3, 0.3, 6.0);
    assert_near(made.step, 0.1, 1e-15);
    assert_int_equal(made.count, 7);
    char text[32];
    ticks_label(&made, 0, text, sizeof text);
    assert_string_equal(text, "-0.3");
    ticks_label(&made, 3, text, sizeof text);
    assert_string_equal(text, "0.0");
    /* Room for one, but one is no scale. */
    made = ticks_between(0.245, 0.265, 1.0);
    assert_near(made.step, 0.01, 1e-15);
    assert_int_equal(made.count, 2);
    made = ticks_between(77.38e9, 80.936e9, 9.0);
    ticks_label(&made, 0, text, sizeof text);
    assert_string_equal(text, "7.75e+10");
    made = ticks_between(3.0, 3.0, 9.0);
    assert_int_equal(made.count, 1);
    ticks_label(&made, 0, text, sizeof text);
    assert_string_equal(text, "3");
}

/* Whole parts of a turn. */
static void ticks_of_angles(void **state) {
    (void)state;
    const double most[] = {1.0, 2.0, 3.0, 4.0, 8.0, 14.0, 40.0, 400.0};
    const double step[] = {180.0, 180.0, 180.0, 90.0, 45.0, 30.0, 10.0, 1.0};
    for (size_t i = 1; i < sizeof most / sizeof most[0]; i++) {
        struct ticks made = ticks_of_degrees(0.0, 360.0, most[i]);
        assert_near(made.step, step[i], 0.0);
        assert_near(ticks_at(&made, 0), 0.0, 0.0);
        assert_near(ticks_at(&made, made.count - 1), 360.0, 0.0);
    }
    /* Parts of a degree are decimal. */
    struct ticks made = ticks_of_degrees(10.0, 10.5, 5.0);
    assert_near(made.step, 0.1, 1e-12);
    assert_true(ticks_of_degrees(0.0, 360.0, 1.0).count >= 2);
}

static void ticks_of_random_intervals(void **state) {
    (void)state;
    srand(3);
    for (int trial = 0; trial < 20000; trial++) {
        double low = (rand() / (double)RAND_MAX - 0.5) * pow(10.0, rand() % 13 - 6);
        double span = (0.01 + rand() / (double)RAND_MAX) * pow(10.0, rand() % 13 - 6);
        double most = 2.0 + rand() % 12;
        struct ticks made = ticks_between(low, low + span, most);
        if (made.step == 0.0) {
            assert_true(span <= 1e-11 * fabs(low));
            continue;
        }
        /* Two at least: with one the scale is unknown. A step with at most one tick is longer than
         * half the span, and the next smaller one is not below two fifths of it: six at most. */
        assert_true(made.count >= 2);
        assert_true(made.count <= (most > 5.0 ? (size_t)most + 1 : 6));
        for (size_t i = 0; i < made.count; i++) {
            assert_true(ticks_at(&made, i) >= low - 1e-5 * made.step);
            assert_true(ticks_at(&made, i) <= low + span + 1e-5 * made.step);
            char text[64], next[64];
            ticks_label(&made, i, text, sizeof text);
            assert_near(atof(text), ticks_at(&made, i), 0.01 * made.step);
            if (i > 0) {
                ticks_label(&made, i - 1, next, sizeof next);
                assert_string_not_equal(text, next);
            }
        }
        double mantissa = made.step / pow(10.0, floor(log10(made.step) + 1e-9));
        assert_true(fabs(mantissa - 1.0) < 1e-6 || fabs(mantissa - 2.0) < 1e-6 ||
                    fabs(mantissa - 5.0) < 1e-6);
    }
}

/* Pixels of one colour in the rectangle of a PNG, read back with cairo. */
static int count_colour(const char *path, int left, int top, int right, int bottom, int red,
                        int green, int blue) {
    cairo_surface_t *surface = cairo_image_surface_create_from_png(path);
    assert_int_equal(cairo_surface_status(surface), CAIRO_STATUS_SUCCESS);
    const unsigned char *bytes = cairo_image_surface_get_data(surface);
    int stride = cairo_image_surface_get_stride(surface), n = 0;
    for (int y = top; y < bottom; y++) {
        for (int x = left; x < right; x++) {
            const unsigned char *at = bytes + y * stride + 4 * x;
            n += abs(at[2] - red) < 12 && abs(at[1] - green) < 12 && abs(at[0] - blue) < 12;
        }
    }
    cairo_surface_destroy(surface);
    return n;
}

static void nan_breaks_the_line(void **state) {
    (void)state;
    double x[101], y[101];
    for (int i = 0; i <= 100; i++) {
        x[i] = i;
        y[i] = i > 30 && i < 70 ? NAN : 1.0 + (i % 2);
    }
    y[50] = -INFINITY;
    nfsar_error error;
    nfsar_curve curve = {"levels", y};
    const char *path = test_path("gap.png");
    assert_ok(nfsar_picture_curves("Gap", "place (m)", "level", x, 101, &curve, 1, path, &error),
              error);
    /* The curve is blue (0, 114, 178); the gap is the middle fifth of the plot. */
    assert_true(count_colour(path, 100, 70, 300, 440, 0, 114, 178) > 300);
    assert_int_equal(count_colour(path, 420, 70, 540, 440, 0, 114, 178), 0);
    assert_true(count_colour(path, 660, 70, 860, 440, 0, 114, 178) > 300);
    /* Text is there: the title's line is not all white. */
    assert_true(300 * 28 - count_colour(path, 300, 8, 600, 36, 255, 255, 255) > 20);
}

/* A straight line from corner to corner: 10^-3 to 10^1 over 1 to 10^4, with a gap at what has no
 * logarithm. */
static void logarithmic_axes(void **state) {
    (void)state;
    double x[9], y[9], level[9];
    for (int i = 0; i < 9; i++) {
        x[i] = pow(10.0, 0.5 * i);
        y[i] = 1e-3 * x[i];
        level[i] = NAN;
    }
    y[4] = 0.0;
    nfsar_error error;
    nfsar_curve curve = {"line", y}, none = {"none", level};
    const char *path = test_path("log.png");
    assert_ok(nfsar_picture_log_curves("Log", "size", "time (s)", x, 9, &curve, 1, path, &error),
              error);
    /* Blue along the diagonal's lower left and upper right; nothing in the middle or the corners
     * beside it. */
    assert_true(count_colour(path, 80, 300, 300, 446, 0, 114, 178) > 100);
    assert_true(count_colour(path, 660, 40, 872, 200, 0, 114, 178) > 100);
    assert_int_equal(count_colour(path, 440, 200, 510, 290, 0, 114, 178), 0);
    assert_int_equal(count_colour(path, 80, 40, 300, 200, 0, 114, 178), 0);
    assert_int_equal(count_colour(path, 660, 300, 872, 440, 0, 114, 178), 0);
    assert_int_equal(
        nfsar_picture_log_curves("Log", "size", "time (s)", x, 9, &none, 1, path, &error),
        NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "no finite positive value");
    /* One value, and less than a decade. */
    level[3] = 5.0;
    assert_ok(nfsar_picture_log_curves("Log", NULL, NULL, x, 9, &none, 1, path, &error), error);
    level[4] = 7.0;
    assert_ok(nfsar_picture_log_curves("Log", NULL, NULL, x, 9, &none, 1, path, &error), error);
    remove(path);
}

static void odd_input(void **state) {
    (void)state;
    nfsar_error error;
    double x[3] = {0.0, 1.0, 2.0}, flat[3] = {4.0, 4.0, 4.0}, none[3] = {NAN, INFINITY, -INFINITY};
    double one[3] = {NAN, 1e-300, NAN};
    nfsar_curve curve[3] = {{"flat", flat}, {"none \xff\xc0 \xe2\x82", none}, {NULL, one}};
    const char *path = test_path("odd.png");
    assert_ok(nfsar_picture_curves(NULL, NULL, NULL, x, 3, curve, 3, path, &error), error);
    remove(path);
    assert_int_equal(nfsar_picture_curves("t", "x", "y", x, 3, curve + 1, 1, path, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "no finite value");
    assert_int_equal(nfsar_picture_curves("t", "x", "y", x, 0, curve, 1, path, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_int_equal(nfsar_picture_curves("t", "x", "y", x, 3, curve, 1,
                                          test_path("no/such/folder.png"), &error),
                     NFSAR_ERROR_FILE);
    assert_int_equal(test_count_files("odd"), 0);
    assert_int_equal(test_count_files(".part-"), 0);
}

static void many_curves_and_points(void **state) {
    (void)state;
    enum { POINTS = 20000, CURVES = 16 };
    double *x = malloc(POINTS * sizeof *x), *y = malloc(CURVES * POINTS * sizeof *y);
    nfsar_curve curve[CURVES];
    char label[CURVES][64];
    for (size_t c = 0; c < CURVES; c++) {
        for (size_t i = 0; i < POINTS; i++) {
            x[i] = 1e-4 * (double)i;
            y[c * POINTS + i] = -60.0 - (double)c + 3.0 * sin(7.0 * x[i] + (double)c);
        }
        snprintf(label[c], sizeof label[c], "channel %zu (Tx 1, Rx %zu)", c + 1, c + 1);
        curve[c] = (nfsar_curve){label[c], y + c * POINTS};
    }
    nfsar_error error;
    const char *keep = getenv("NFSAR_KEEP_PICTURES");
    char path[512];
    snprintf(path, sizeof path, "%s/many.png", keep != NULL ? keep : test_folder());
    assert_ok(nfsar_picture_curves("Range profiles of the first pulse", "range (m)",
                                   "magnitude (dB)", x, POINTS, curve, CURVES, path, &error),
              error);
    free(x);
    free(y);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticks_are_round_and_inside), cmocka_unit_test(ticks_of_angles),
        cmocka_unit_test(ticks_of_random_intervals),  cmocka_unit_test(nan_breaks_the_line),
        cmocka_unit_test(logarithmic_axes),           cmocka_unit_test(odd_input),
        cmocka_unit_test(many_curves_and_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
