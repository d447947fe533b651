#include "tests/support.h"

#include <math.h>

#include <nfsar/picture.h>

static double decode(double value) {
    return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4);
}

/* Oklab from sRGB by the forward matrices: not the ones that nfsar_colour() uses. */
static void oklab(const double rgb[3], double lab[3]) {
    double r = decode(rgb[0]), g = decode(rgb[1]), b = decode(rgb[2]);
    double l = cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
    double m = cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
    double s = cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
    lab[0] = 0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s;
    lab[1] = 1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s;
    lab[2] = 0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s;
}

static void stays_in_gamut(void **state) {
    (void)state;
    for (int i = 0; i <= 10000; i++) {
        double rgb[3];
        nfsar_colour(i / 10000.0, rgb);
        for (int c = 0; c < 3; c++) {
            assert_true(rgb[c] >= 0.0 && rgb[c] <= 1.0);
        }
    }
}

static void lightness_is_linear(void **state) {
    (void)state;
    for (int i = 0; i <= 1000; i++) {
        double rgb[3], lab[3];
        nfsar_colour(i / 1000.0, rgb);
        oklab(rgb, lab);
        assert_near(lab[0], 0.12 + 0.85 * i / 1000.0, 1e-5);
    }
}

/* As stored: 256 colours of 8 bits. One unit of a channel moves the lightness by up to 0.004. */
static void rounded_steps_are_equal_and_rising(void **state) {
    (void)state;
    double before = 0.0;
    for (int i = 0; i < 256; i++) {
        double rgb[3], lab[3];
        nfsar_colour(i / 255.0, rgb);
        for (int c = 0; c < 3; c++) {
            rgb[c] = round(255.0 * rgb[c]) / 255.0;
        }
        oklab(rgb, lab);
        assert_near(lab[0], 0.12 + 0.85 * i / 255.0, 0.004);
        assert_true(i == 0 || lab[0] > before);
        before = lab[0];
    }
}

/* No jump in colour: every step of 1/255 moves between 0.5 and 2 times the mean distance. */
static void steps_of_colour_are_even(void **state) {
    (void)state;
    double distance[255], mean = 0.0;
    for (int i = 0; i < 255; i++) {
        double rgb[2][3], lab[2][3];
        for (int j = 0; j < 2; j++) {
            nfsar_colour((i + j) / 255.0, rgb[j]);
            oklab(rgb[j], lab[j]);
        }
        distance[i] = sqrt(pow(lab[1][0] - lab[0][0], 2) + pow(lab[1][1] - lab[0][1], 2) +
                           pow(lab[1][2] - lab[0][2], 2));
        mean += distance[i] / 255.0;
    }
    for (int i = 0; i < 255; i++) {
        assert_true(distance[i] > 0.5 * mean && distance[i] < 2.0 * mean);
    }
}

static void values_outside_are_clamped(void **state) {
    (void)state;
    const double outside[] = {-1.0, -INFINITY, NAN, 1.5, INFINITY};
    const double inside[] = {0.0, 0.0, 0.0, 1.0, 1.0};
    for (int i = 0; i < 5; i++) {
        double a[3], b[3];
        nfsar_colour(outside[i], a);
        nfsar_colour(inside[i], b);
        for (int c = 0; c < 3; c++) {
            assert_near(a[c], b[c], 0.0);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stays_in_gamut),
        cmocka_unit_test(lightness_is_linear),
        cmocka_unit_test(rounded_steps_are_equal_and_rising),
        cmocka_unit_test(steps_of_colour_are_even),
        cmocka_unit_test(values_outside_are_clamped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
