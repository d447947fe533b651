#include "tests/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <nfsar/metrics.h>

static double sinc(double x) {
    return x == 0.0 ? 1.0 : sin(M_PI * x) / (M_PI * x);
}

/* Point responses as functions of the distance in resolution cells (1 / bandwidth). */
static double hann(double x) {
    return sinc(x) + 0.5 * (sinc(x - 1.0) + sinc(x + 1.0));
}

static double gauss(double x) {
    return exp(-0.5 * x * x);
}

/* Separable response at `at` (voxels) on an n[0] x n[1] x n[2] grid of unit steps, `per_cell`
 * voxels a cell, with a carrier in radians a voxel on each axis. */
struct point {
    size_t n[3];
    double at[3], per_cell[3], carrier[3];
    double (*response)(double);
};

static nfsar_image make_point(const struct point *point) {
    nfsar_image image;
    nfsar_error error;
    const nfsar_grid grid = {
        {0.0, 1.0, point->n[0]}, {0.0, 1.0, point->n[1]}, {0.0, 1.0, point->n[2]}};
    assert_ok(nfsar_image_create(&grid, &image, &error), error);
    for (size_t i = 0; i < nfsar_grid_voxels(&grid); i++) {
        const double at[3] = {(double)(i % point->n[0]), (double)(i / point->n[0] % point->n[1]),
                              (double)(i / point->n[0] / point->n[1])};
        double complex value = 1.0;
        for (int a = 0; a < 3; a++) {
            double distance = at[a] - point->at[a];
            if (point->n[a] > 1) {
                value *= point->response(distance / point->per_cell[a]) *
                         cexp(I * point->carrier[a] * distance);
            }
        }
        image.data[i] = (float complex)value;
    }
    return image;
}

static nfsar_image_metrics measure(const nfsar_image *image) {
    nfsar_image_metrics metrics;
    nfsar_error error;
    assert_ok(nfsar_image_measure(image, &metrics, &error), error);
    return metrics;
}

static nfsar_image_metrics measure_point(const struct point *point) {
    nfsar_image image = make_point(point);
    nfsar_image_metrics metrics = measure(&image);
    nfsar_image_free(&image);
    return metrics;
}

static void parabola_is_exact_on_parabolas(void **state) {
    (void)state;
    assert_near(nfsar_parabola_peak(-pow(-1.0 - 0.3, 2), -pow(0.0 - 0.3, 2), -pow(1.0 - 0.3, 2)),
                0.3, 1e-15);
    assert_near(nfsar_parabola_peak(1.0, 1.0, 1.0), 0.0, 0.0);
    assert_near(nfsar_parabola_peak(2.0, 1.0, 2.0), 0.0, 0.0);
}

/* The bias of three ways to place a peak between samples; docs/measure.md has this table. */
static void peak_place_of_sinc(void **state) {
    (void)state;
    for (int per_cell = 2; per_cell <= 8; per_cell++) {
        double worst_db = 0.0, worst_power = 0.0, worst = 0.0;
        for (double offset = -0.5; offset <= 0.5; offset += 0.05) {
            double power[3];
            for (int i = 0; i < 3; i++) {
                power[i] = pow(sinc((i - 1 - offset) / per_cell), 2);
            }
            worst_db = fmax(
                worst_db,
                fabs(nfsar_parabola_peak(log(power[0]), log(power[1]), log(power[2])) - offset));
            worst_power =
                fmax(worst_power, fabs(nfsar_parabola_peak(power[0], power[1], power[2]) - offset));
            struct point point = {{64, 1, 1}, {30 + offset}, {per_cell}, {2.0}, sinc};
            nfsar_image_metrics metrics = measure_point(&point);
            worst = fmax(worst, fabs(metrics.peak_m[0] - point.at[0]));
        }
        print_message("%d samples a cell: parabola on power %.4f, on dB %.4f, here %.5f voxel\n",
                      per_cell, worst_power, worst_db, worst);
        assert_true(worst < 0.001);
    }
}

/* Near the border of the grid less is known; docs/measure.md quotes these numbers. */
static void near_the_border(void **state) {
    (void)state;
    for (int room = 1; room <= 12; room++) {
        double worst = 0.0, worst_width = 0.0;
        for (int per_cell = 2; per_cell <= 8; per_cell++) {
            for (double offset = -0.45; offset <= 0.45; offset += 0.05) {
                struct point point = {{40, 1, 1}, {room + offset}, {per_cell}, {-1.0}, sinc};
                nfsar_image_metrics metrics = measure_point(&point);
                double width = metrics.width_m[0] / per_cell / 0.885893;
                worst = fmax(worst, fabs(metrics.peak_m[0] - point.at[0]));
                worst_width = isnan(width) ? worst_width : fmax(worst_width, fabs(width - 1.0));
            }
        }
        print_message("%d voxels from the border: place off by %.4f voxel, width by %.1f %%\n",
                      room, worst, 100.0 * worst_width);
        assert_true(worst < 0.021);
        assert_true(worst_width < (room < 3 ? 0.21 : room < 7 ? 0.05 : 0.01));
    }
}

/* The same numbers from the response itself, sampled 10000 times a cell over -span..span. */
struct truth {
    double width, pslr_db, islr_db;
};

static struct truth truth_of(double (*response)(double), double span) {
    const double step = 1e-4;
    double half = 0.0, minimum = 0.0, strongest = 0.0, inner = 0.0, outer = 0.0;
    for (double x = 0.0; x <= span; x += step) {
        double here = pow(response(x), 2), next = pow(response(x + step), 2);
        if (half == 0.0 && next <= 0.5) {
            half = x + step * (here - 0.5) / (here - next);
        }
        if (minimum == 0.0 && half > 0.0 && next > here) {
            minimum = x;
        }
        if (minimum > 0.0) {
            strongest = fmax(strongest, here);
            outer += here;
        } else {
            inner += here;
        }
    }
    return (struct truth){2.0 * half, 10.0 * log10(strongest), 10.0 * log10(outer / inner)};
}

/* The numbers of textbooks, so that truth_of() itself is checked. */
static void textbook_numbers(void **state) {
    (void)state;
    struct truth of_sinc = truth_of(sinc, 200.0), of_hann = truth_of(hann, 200.0);
    assert_near(of_sinc.width, 0.885893, 1e-5);
    assert_near(of_sinc.pslr_db, -13.2615, 1e-3);
    /* The main lobe holds 0.902823 of the energy of sinc^2, and 200 cells 1 - 1 / (200 pi^2). */
    double rest = 1.0 - 1.0 / (200.0 * M_PI * M_PI) - 0.9028233;
    assert_near(of_sinc.islr_db, 10.0 * log10(rest / 0.9028233), 0.01);
    assert_near(of_hann.width, 1.4406, 1e-3);
    assert_near(of_hann.pslr_db, -31.47, 0.01);
}

/* 2 to 8 samples a cell, peak at any place between samples, any carrier. */
static void lobes_of_known_responses(void **state) {
    (void)state;
    double (*const response[])(double) = {sinc, hann};
    for (int r = 0; r < 2; r++) {
        double worst_width = 0.0, worst_pslr = 0.0, worst_islr = 0.0;
        for (int per_cell = 2; per_cell <= 8; per_cell++) {
            for (double offset = 0.0; offset < 1.0; offset += 0.13) {
                size_t n = (size_t)per_cell * 24 + 2;
                double middle = per_cell * 12 + offset;
                struct point point = {{n, 1, 1}, {middle}, {per_cell}, {3.0}, response[r]};
                struct truth truth = truth_of(response[r], 12.0);
                nfsar_image_metrics metrics = measure_point(&point);
                worst_width =
                    fmax(worst_width, fabs(metrics.width_m[0] / per_cell / truth.width - 1.0));
                worst_pslr = fmax(worst_pslr, fabs(metrics.pslr_db[0] - truth.pslr_db));
                worst_islr = fmax(worst_islr, fabs(metrics.islr_db[0] - truth.islr_db));
            }
        }
        print_message("%s: width off by %.2e, PSLR by %.4f dB, ISLR by %.4f dB\n",
                      r == 0 ? "sinc" : "Hann", worst_width, worst_pslr, worst_islr);
        assert_true(worst_width < 0.005);
        assert_true(worst_pslr < 0.05);
        assert_true(worst_islr < 0.1);
    }
}

/* As few voxels a cell as docs/measure.md promises to be enough. */
static void few_voxels_a_cell(void **state) {
    (void)state;
    for (double offset = 0.0; offset < 1.0; offset += 0.1) {
        struct point point = {{80, 1, 1}, {40.0 + offset}, {1.4}, {1.1}, sinc};
        nfsar_image_metrics metrics = measure_point(&point);
        assert_near(metrics.peak_m[0], point.at[0], 0.001);
        assert_near(metrics.width_m[0] / 1.4, 0.885893, 0.002);
        assert_near(metrics.pslr_db[0], -13.2615, 0.05);
    }
}

static void three_axes_at_once(void **state) {
    (void)state;
    struct point point = {
        {60, 50, 40}, {31.4, 20.7, 18.45}, {3.0, 2.0, 5.0}, {0.4, -1.0, 2.9}, sinc};
    nfsar_image image = make_point(&point);
    image.grid.x = (nfsar_axis){-0.1, 0.002, 60};
    image.grid.y = (nfsar_axis){-0.05, 0.001, 50};
    image.grid.z = (nfsar_axis){0.2, 0.005, 40};
    nfsar_image_metrics metrics = measure(&image);
    assert_near(metrics.peak_m[0], -0.1 + 0.002 * 31.4, 0.00002);
    assert_near(metrics.peak_m[1], -0.05 + 0.001 * 20.7, 0.00001);
    assert_near(metrics.peak_m[2], 0.2 + 0.005 * 18.45, 0.00005);
    assert_near(metrics.width_m[0], 0.885893 * 3.0 * 0.002, 0.01 * 0.005);
    assert_near(metrics.width_m[1], 0.885893 * 2.0 * 0.001, 0.01 * 0.002);
    assert_near(metrics.width_m[2], 0.885893 * 5.0 * 0.005, 0.01 * 0.022);
    for (int a = 0; a < 3; a++) {
        assert_near(metrics.pslr_db[a], -13.2615, 0.05);
    }
    nfsar_image_free(&image);
}

/* A Gaussian has no side lobes. Its ridge lies oblique to the grid: an axis refined on its own
 * would be off by the offset on the other one. */
static void oblique_gaussian(void **state) {
    (void)state;
    const nfsar_grid grid = {{0.0, 1.0, 60}, {0.0, 1.0, 1}, {0.0, 1.0, 60}};
    const double at[2] = {30.3, 29.6}, tilt = 35.0 * M_PI / 180.0;
    nfsar_image image;
    nfsar_error error;
    assert_ok(nfsar_image_create(&grid, &image, &error), error);
    for (size_t i = 0; i < 3600; i++) {
        double x = (double)(i % 60) - at[0], z = (double)(i / 60) - at[1];
        double along = cos(tilt) * z + sin(tilt) * x, across = cos(tilt) * x - sin(tilt) * z;
        image.data[i] = (float complex)(exp(-0.5 * pow(along / 9.0, 2)) *
                                        exp(-0.5 * pow(across / 3.0, 2)) * cexp(I * 2.5 * z));
    }
    nfsar_image_metrics metrics = measure(&image);
    assert_near(metrics.peak_m[0], at[0], 0.01);
    assert_near(metrics.peak_m[2], at[1], 0.01);
    assert_near(metrics.peak_m[1], 0.0, 0.0);
    assert_true(isnan(metrics.width_m[1]) && isnan(metrics.pslr_db[1]));
    /* Along x through the peak the exponent is x^2 (sin^2 / 9^2 + cos^2 / 3^2) / 2. */
    double inverse = pow(sin(tilt) / 9.0, 2) + pow(cos(tilt) / 3.0, 2);
    assert_near(metrics.width_m[0], 2.0 * sqrt(log(2.0) / inverse), 0.01);
    assert_true(isnan(metrics.pslr_db[0]) && isnan(metrics.islr_db[0]));
    nfsar_image_free(&image);
}

/* A cut that does not fall by 3 dB inside the grid has no width. */
static void width_that_is_not_there(void **state) {
    (void)state;
    struct point point = {{9, 41, 2}, {4.0, 20.0, 0.0}, {20.0, 3.0, 4.0}, {0}, gauss};
    nfsar_image_metrics metrics = measure_point(&point);
    assert_true(isnan(metrics.width_m[0]));
    assert_near(metrics.width_m[1], 2.0 * 3.0 * sqrt(log(2.0)), 0.01);
    assert_true(isnan(metrics.width_m[2]));
}

static nfsar_image make_image(size_t nx, size_t ny, size_t nz) {
    nfsar_image image;
    nfsar_error error;
    const nfsar_grid grid = {{0.0, 1.0, nx}, {0.0, 1.0, ny}, {0.0, 1.0, nz}};
    assert_ok(nfsar_image_create(&grid, &image, &error), error);
    return image;
}

static void entropy_contrast_range(void **state) {
    (void)state;
    nfsar_image image = make_image(50, 40, 3);
    for (size_t i = 0; i < 6000; i++) {
        image.data[i] = (float complex)(1e-20 * cexp(I * (double)i));
    }
    nfsar_image_metrics metrics = measure(&image);
    assert_near(metrics.entropy, log(6000.0), 1e-5);
    assert_near(metrics.contrast, 0.0, 1e-3);
    assert_near(metrics.dynamic_range_db, 0.0, 1e-5);
    for (size_t i = 0; i < 6000; i++) {
        image.data[i] = 0.0f;
    }
    image.data[2345] = 2.0f * I;
    metrics = measure(&image);
    assert_near(metrics.entropy, 0.0, 1e-12);
    assert_near(metrics.contrast, sqrt(5999.0), 1e-6);
    assert_true(isinf(metrics.dynamic_range_db));
    assert_near(metrics.peak_amplitude, 2.0, 0.0);
    /* Magnitudes 1 .. 6000 in scrambled order: the 3000th is the median. */
    for (size_t i = 0; i < 6000; i++) {
        image.data[i] = (float)(i * 7919 % 6000 + 1) * (i % 2 ? 1.0f : I);
    }
    metrics = measure(&image);
    assert_near(metrics.dynamic_range_db, 20.0 * log10(6000.0 / 3000.0), 1e-9);
    double p = 0.0, log_p = 0.0, squared = 0.0;
    for (double m = 1.0; m <= 6000.0; m++) {
        p += m * m;
        squared += m * m * m * m;
    }
    for (double m = 1.0; m <= 6000.0; m++) {
        log_p -= m * m / p * log(m * m / p);
    }
    assert_near(metrics.entropy, log_p, 1e-6);
    assert_near(metrics.contrast, sqrt(squared / 6000.0 / pow(p / 6000.0, 2) - 1.0), 1e-6);
    nfsar_image_free(&image);
}

static void bad_images_are_refused(void **state) {
    (void)state;
    nfsar_image image = make_image(5, 4, 3);
    nfsar_image_metrics metrics;
    nfsar_error error;
    assert_int_equal(nfsar_image_measure(&image, &metrics, &error), NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "zero everywhere");
    image.data[17] = NAN;
    assert_int_equal(nfsar_image_measure(&image, &metrics, &error), NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "not finite");
    image.data[17] = INFINITY * I;
    assert_int_equal(nfsar_image_measure(&image, &metrics, NULL), NFSAR_ERROR_FORMAT);
    nfsar_image_free(&image);
}

/* The strongest voxel in a corner, on an edge, in images of a few voxels. */
static void small_images(void **state) {
    (void)state;
    for (size_t n = 1; n <= 4; n++) {
        for (size_t peak = 0; peak < n * n * n; peak++) {
            nfsar_image image = make_image(n, n, n);
            for (size_t i = 0; i < n * n * n; i++) {
                image.data[i] = 0.1f * (float)(i % 3);
            }
            image.data[peak] = 1.0f;
            nfsar_image_metrics metrics = measure(&image);
            const size_t voxel[3] = {peak % n, peak / n % n, peak / n / n};
            for (int a = 0; a < 3; a++) {
                assert_near(metrics.peak_m[a], (double)voxel[a], 1.0);
                assert_true(metrics.peak_m[a] >= 0.0 && metrics.peak_m[a] <= (double)n - 1.0);
            }
            nfsar_image_free(&image);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parabola_is_exact_on_parabolas),
        cmocka_unit_test(peak_place_of_sinc),
        cmocka_unit_test(near_the_border),
        cmocka_unit_test(textbook_numbers),
        cmocka_unit_test(lobes_of_known_responses),
        cmocka_unit_test(few_voxels_a_cell),
        cmocka_unit_test(three_axes_at_once),
        cmocka_unit_test(oblique_gaussian),
        cmocka_unit_test(width_that_is_not_there),
        cmocka_unit_test(entropy_contrast_range),
        cmocka_unit_test(bad_images_are_refused),
        cmocka_unit_test(small_images),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
