#include "tests/support.h"

#include <math.h>
#include <stdlib.h>

#include <nfsar/metrics.h>

static nfsar_image make_image(size_t nx, size_t ny, size_t nz) {
    nfsar_image image;
    nfsar_error error;
    const nfsar_grid grid = {{-0.1, 0.01, nx}, {0.0, 0.02, ny}, {0.3, 0.005, nz}};
    assert_ok(nfsar_image_create(&grid, &image, &error), error);
    return image;
}

static void fill(nfsar_image *image, unsigned seed) {
    srand(seed);
    for (size_t i = 0; i < nfsar_grid_voxels(&image->grid); i++) {
        float re = (float)rand() / (float)RAND_MAX - 0.5f;
        image->data[i] = re + I * ((float)rand() / (float)RAND_MAX - 0.5f);
    }
}

static nfsar_image_comparison compare(const nfsar_image *a, const nfsar_image *b) {
    nfsar_image_comparison comparison;
    nfsar_error error;
    assert_ok(nfsar_image_compare(a, b, &comparison, &error), error);
    return comparison;
}

static void equal_up_to_a_factor(void **state) {
    (void)state;
    nfsar_image a = make_image(33, 21, 3), b = make_image(33, 21, 3);
    fill(&a, 1);
    fill(&b, 1);
    nfsar_image_comparison same = compare(&a, &b);
    assert_near(same.complex_correlation, 1.0, 1e-12);
    assert_near(same.magnitude_correlation, 1.0, 1e-12);
    assert_near(same.relative_error, 0.0, 1e-12);
    assert_near(same.rmse, 0.0, 0.0);
    assert_true(isinf(same.psnr_db) && same.psnr_db > 0.0);
    assert_near(same.ssim, 1.0, 1e-12);
    for (size_t i = 0; i < nfsar_grid_voxels(&b.grid); i++) {
        b.data[i] *= -3e-12f + 4e-12f * I;
    }
    nfsar_image_comparison scaled = compare(&a, &b);
    assert_near(scaled.complex_correlation, 1.0, 1e-6);
    assert_near(scaled.relative_error, 0.0, 1e-6);
    assert_near(scaled.rmse, 0.0, 1e-6);
    assert_near(scaled.ssim, 1.0, 1e-6);
    nfsar_image_free(&a);
    nfsar_image_free(&b);
}

/* Two voxels, by hand: a = (3, 4i), b = (4, 4): <b,a> = 12 + 16i, |a| = 5, |b|^2 = 32. */
static void two_voxels_by_hand(void **state) {
    (void)state;
    nfsar_image a = make_image(2, 1, 1), b = make_image(2, 1, 1);
    a.data[0] = 3.0f;
    a.data[1] = 4.0f * I;
    b.data[0] = 4.0f;
    b.data[1] = 4.0f;
    nfsar_image_comparison comparison = compare(&a, &b);
    assert_near(comparison.complex_correlation, 20.0 / (5.0 * sqrt(32.0)), 1e-12);
    assert_near(comparison.magnitude_correlation, 28.0 / (5.0 * sqrt(32.0)), 1e-12);
    assert_near(comparison.relative_error, sqrt(1.0 - 400.0 / (25.0 * 32.0)), 1e-12);
    /* Magnitudes over their maxima: (0.75, 1) and (1, 1). */
    assert_near(comparison.rmse, sqrt(0.0625 / 2.0), 1e-12);
    assert_near(comparison.psnr_db, -10.0 * log10(0.03125), 1e-12);
    nfsar_image_free(&a);
    nfsar_image_free(&b);
}

/* Structural similarity as its definition reads: for each voxel a loop over its window. */
static double plain_ssim(const nfsar_image *a, const nfsar_image *b) {
    const long nx = (long)a->grid.x.count, ny = (long)a->grid.y.count, nz = (long)a->grid.z.count;
    double a_peak = 0.0, b_peak = 0.0, total = 0.0;
    for (long i = 0; i < nx * ny * nz; i++) {
        a_peak = fmax(a_peak, cabs(a->data[i]));
        b_peak = fmax(b_peak, cabs(b->data[i]));
    }
    for (long i = 0; i < nx * ny * nz; i++) {
        const long x = i % nx, y = i / nx % ny, slice = i / (nx * ny) * nx * ny;
        double w = 0.0, u = 0.0, v = 0.0, uu = 0.0, vv = 0.0, uv = 0.0;
        for (int pass = 0; pass < 2; pass++) {
            for (long dy = -5; dy <= 5; dy++) {
                for (long dx = -5; dx <= 5; dx++) {
                    if (x + dx < 0 || x + dx >= nx || y + dy < 0 || y + dy >= ny) {
                        continue;
                    }
                    long at = slice + (y + dy) * nx + x + dx;
                    double g = exp(-(double)(dx * dx + dy * dy) / (2.0 * 1.5 * 1.5));
                    double p = cabs(a->data[at]) / a_peak, q = cabs(b->data[at]) / b_peak;
                    if (pass == 0) {
                        w += g;
                        u += g * p;
                        v += g * q;
                    } else {
                        uu += g * (p - u) * (p - u) / w;
                        vv += g * (q - v) * (q - v) / w;
                        uv += g * (p - u) * (q - v) / w;
                    }
                }
            }
            if (pass == 0) {
                u /= w;
                v /= w;
            }
        }
        total +=
            (2.0 * u * v + 1e-4) * (2.0 * uv + 9e-4) / ((u * u + v * v + 1e-4) * (uu + vv + 9e-4));
    }
    return total / (double)(nx * ny * nz);
}

static void similarity_is_its_definition(void **state) {
    (void)state;
    const size_t shape[][3] = {{40, 30, 2}, {7, 300, 1}, {1, 20, 2}, {3, 4, 5}, {12, 11, 1}};
    for (size_t s = 0; s < sizeof shape / sizeof shape[0]; s++) {
        nfsar_image a = make_image(shape[s][0], shape[s][1], shape[s][2]);
        nfsar_image b = make_image(shape[s][0], shape[s][1], shape[s][2]);
        fill(&a, 2);
        fill(&b, 3);
        for (size_t i = 0; i < nfsar_grid_voxels(&a.grid); i++) {
            b.data[i] = a.data[i] + 0.4f * b.data[i];
        }
        double ssim = compare(&a, &b).ssim;
        assert_near(ssim, plain_ssim(&a, &b), 1e-9);
        assert_true(ssim < 0.99);
        nfsar_image_free(&a);
        nfsar_image_free(&b);
    }
}

static void grids_must_agree(void **state) {
    (void)state;
    nfsar_image a = make_image(9, 8, 7), b = make_image(9, 8, 7);
    nfsar_image_comparison comparison;
    nfsar_error error;
    fill(&a, 1);
    fill(&b, 2);
    b.grid.x.start += 0.9e-3 * 0.01;
    assert_ok(nfsar_image_compare(&a, &b, &comparison, &error), error);
    b.grid.x.start += 0.2e-3 * 0.01;
    assert_int_equal(nfsar_image_compare(&a, &b, &comparison, &error), NFSAR_ERROR_GEOMETRY);
    assert_contains(error.message, "the reference has x -0.1:-0.02:9 y 0:0.14:8 z 0.3:0.33:7");
    assert_contains(error.message, "the image has x -0.099989:");
    b.grid = a.grid;
    b.grid.z.step *= 1.001;
    assert_int_equal(nfsar_image_compare(&a, &b, &comparison, &error), NFSAR_ERROR_GEOMETRY);
    b.grid = a.grid;
    b.grid.y.count = 7;
    assert_int_equal(nfsar_image_compare(&a, &b, &comparison, &error), NFSAR_ERROR_GEOMETRY);
    nfsar_image_free(&a);
    nfsar_image_free(&b);
}

static void bad_images_are_refused(void **state) {
    (void)state;
    nfsar_image a = make_image(9, 8, 7), b = make_image(9, 8, 7);
    nfsar_image_comparison comparison;
    nfsar_error error;
    fill(&a, 1);
    assert_int_equal(nfsar_image_compare(&a, &b, &comparison, &error), NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "the image is zero everywhere");
    assert_int_equal(nfsar_image_compare(&b, &a, &comparison, &error), NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "the reference is zero everywhere");
    b.data[100] = NAN * I;
    assert_int_equal(nfsar_image_compare(&a, &b, &comparison, &error), NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "the image has voxels that are not finite");
    b.data[100] = INFINITY;
    assert_int_equal(nfsar_image_compare(&b, &a, &comparison, &error), NFSAR_ERROR_FORMAT);
    nfsar_image_free(&a);
    nfsar_image_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_up_to_a_factor),         cmocka_unit_test(two_voxels_by_hand),
        cmocka_unit_test(similarity_is_its_definition), cmocka_unit_test(grids_must_agree),
        cmocka_unit_test(bad_images_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
