#include "tests/support.h"

#include <cairo.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <nfsar/picture.h>

#include "host/picture/projection.h"
#include "host/picture/resample.h"

/* A volume with points (separable sinc of the given widths) over noise. */
struct blob {
    double x, y, z, amplitude;
};

static double sinc(double x) {
    return x == 0.0 ? 1.0 : sin(M_PI * x) / (M_PI * x);
}

static nfsar_axis axis(double first, double last, size_t n) {
    nfsar_axis made;
    nfsar_error error;
    assert_ok(nfsar_axis_between(first, last, n, &made, &error), error);
    return made;
}

static nfsar_image volume(nfsar_axis x, nfsar_axis y, nfsar_axis z, const struct blob *blob,
                          size_t n_blob, double noise) {
    nfsar_image image;
    nfsar_error error;
    nfsar_grid grid = {x, y, z};
    assert_ok(nfsar_image_create(&grid, &image, &error), error);
    image.method = strdup("rma");
    srand(5);
    for (size_t k = 0; k < z.count; k++) {
        for (size_t j = 0; j < y.count; j++) {
            for (size_t i = 0; i < x.count; i++) {
                double re = noise * (rand() / (double)RAND_MAX - 0.5);
                double im = noise * (rand() / (double)RAND_MAX - 0.5);
                for (size_t b = 0; b < n_blob; b++) {
                    re += blob[b].amplitude * sinc((nfsar_axis_at(&x, i) - blob[b].x) / 0.004) *
                          sinc((nfsar_axis_at(&y, j) - blob[b].y) / 0.004) *
                          sinc((nfsar_axis_at(&z, k) - blob[b].z) / 0.03);
                }
                image.data[(k * y.count + j) * x.count + i] = (float)re + (float)im * I;
            }
        }
    }
    return image;
}

static const char *picture_path(const char *name) {
    static char path[512];
    const char *keep = getenv("NFSAR_KEEP_PICTURES");
    snprintf(path, sizeof path, "%s/%s", keep != NULL ? keep : test_folder(), name);
    return path;
}

static long size_of(const char *path) {
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return (long)info.st_size;
}

/* Three points in a room; every view and both scales. */
static void views(void **state) {
    (void)state;
    const struct blob points[] = {
        {0.0, 0.0, 0.3, 1.0}, {-0.05, 0.03, 0.35, 0.7}, {0.06, -0.04, 0.25, 0.4}};
    nfsar_image image =
        volume(axis(-0.1, 0.1, 101), axis(-0.08, 0.08, 81), axis(0.2, 0.4, 41), points, 3, 0.02);
    nfsar_picture_options options = nfsar_picture_defaults();
    nfsar_error error;
    const char *const name[] = {"view-all.png", "view-front.png", "view-top.png", "view-side.png"};
    options.title = "Three points";
    for (int view = NFSAR_VIEW_ALL; view <= NFSAR_VIEW_SIDE; view++) {
        options.view = (enum nfsar_view)view;
        assert_ok(nfsar_picture_image(&image, &options, picture_path(name[view]), &error), error);
        assert_true(size_of(picture_path(name[view])) < 200000);
    }
    options.view = NFSAR_VIEW_FRONT;
    options.linear = true;
    options.has_slice = true;
    options.slice_m = 0.3519;
    options.width = 400;
    assert_ok(nfsar_picture_image(&image, &options, picture_path("slice.png"), &error), error);
    nfsar_image_free(&image);
}

static void odd_shapes(void **state) {
    (void)state;
    const struct blob point = {0.0, 0.0, 0.3, 1.0};
    const struct {
        const char *name;
        nfsar_axis x, y, z;
    } shape[] = {
        {"flat.png", axis(-0.3, 0.3, 301), axis(-0.004, 0.004, 5), axis(0.28, 0.32, 5)},
        {"tall.png", axis(-0.004, 0.004, 5), axis(-0.3, 0.3, 301), axis(0.28, 0.32, 5)},
        {"deep.png", axis(-0.02, 0.02, 21), axis(-0.02, 0.02, 21), axis(0.1, 1.1, 101)},
        {"single-slice.png", axis(-0.1, 0.1, 201), axis(-0.1, 0.1, 201), axis(0.3, 0.3, 1)},
        {"single-row.png", axis(-0.1, 0.1, 201), axis(0.0, 0.0, 1), axis(0.2, 0.4, 21)},
        {"line.png", axis(-0.1, 0.1, 201), axis(0.0, 0.0, 1), axis(0.3, 0.3, 1)},
        {"column.png", axis(0.0, 0.0, 1), axis(-0.1, 0.1, 201), axis(0.3, 0.3, 1)},
        {"voxel.png", axis(0.0, 0.0, 1), axis(0.0, 0.0, 1), axis(0.3, 0.3, 1)},
        {"coarse.png", axis(-0.01, 0.01, 6), axis(-0.01, 0.01, 6), axis(0.25, 0.35, 4)},
        {"metres.png", axis(-60.0, 60.0, 121), axis(-2.0, 2.0, 5), axis(10.3, 100.3, 91)},
    };
    for (size_t i = 0; i < sizeof shape / sizeof shape[0]; i++) {
        nfsar_image image = volume(shape[i].x, shape[i].y, shape[i].z, &point, 1, 0.1);
        nfsar_picture_options options = nfsar_picture_defaults();
        nfsar_error error;
        options.title = shape[i].name;
        assert_ok(nfsar_picture_image(&image, &options, picture_path(shape[i].name), &error),
                  error);
        options.width = 320;
        assert_ok(nfsar_picture_image(&image, &options, test_path("small.png"), &error), error);
        nfsar_image_free(&image);
    }
}

/* Direct maxima and slices of a small volume of random values against the planes. */
static void projections_are_maxima(void **state) {
    (void)state;
    nfsar_image image = volume(axis(0, 1, 13), axis(0, 1, 7), axis(0, 1, 5), NULL, 0, 1.0);
    struct projections all;
    nfsar_error error;
    assert_ok(projections_make(&image, &all, &error), error);
    double largest = 0.0;
    for (size_t z = 0; z < 5; z++) {
        for (size_t y = 0; y < 7; y++) {
            for (size_t x = 0; x < 13; x++) {
                double front = 0.0, top = 0.0, side = 0.0;
                for (size_t i = 0; i < 13; i++) {
                    side = fmax(side, cabs(image.data[(z * 7 + y) * 13 + i]));
                    top = i < 7 ? fmax(top, cabs(image.data[(z * 7 + i) * 13 + x])) : top;
                    front = i < 5 ? fmax(front, cabs(image.data[(i * 7 + y) * 13 + x])) : front;
                }
                assert_near(all.front.magnitude[y * 13 + x], front, 1e-12);
                assert_near(all.top.magnitude[z * 13 + x], top, 1e-12);
                assert_near(all.side.magnitude[y * 5 + z], side, 1e-12);
                largest = fmax(largest, side);
            }
        }
    }
    assert_near(all.front.maximum, largest, 1e-12);
    projections_free(&all);
    struct plane plane;
    assert_ok(plane_slice(&image, 'x', (double[2]){2.9 / 12.0, 2.9 / 12.0}, &plane, &error), error);
    assert_near(plane.magnitude[4 * 5 + 2], cabs(image.data[(2 * 7 + 4) * 13 + 3]), 1e-12);
    assert_near(plane.depth, 3.0 / 12.0, 1e-12);
    plane_free(&plane);
    assert_ok(plane_slice(&image, 'y', (double[2]){6.4 / 6.0, 6.4 / 6.0}, &plane, &error), error);
    assert_near(plane.magnitude[4 * 13 + 2], cabs(image.data[(4 * 7 + 6) * 13 + 2]), 1e-12);
    plane_free(&plane);
    /* From the third to the fifth of seven. */
    assert_ok(plane_slice(&image, 'y', (double[2]){0.3, 0.7}, &plane, &error), error);
    double most = 0.0;
    for (size_t y = 2; y <= 4; y++) {
        most = fmax(most, cabs(image.data[(3 * 7 + y) * 13 + 6]));
    }
    assert_near(plane.magnitude[3 * 13 + 6], most, 1e-12);
    assert_near(plane.depth, 2.0 / 6.0, 1e-12);
    assert_near(plane.depth_end, 4.0 / 6.0, 1e-12);
    plane_free(&plane);
    assert_int_equal(plane_slice(&image, 'y', (double[2]){0.7, 0.3}, &plane, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "smaller one first");
    assert_int_equal(plane_slice(&image, 'z', (double[2]){-0.6 / 4.0, 0.5}, &plane, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "goes from 0 to 1 m");
    nfsar_image_free(&image);
}

/* Reductions keep the maximum, magnifications pass through the samples. */
static void resampling(void **state) {
    (void)state;
    double data[12 * 3] = {0};
    struct plane plane = {.u = {0, 1, 12}, .v = {0, 1, 3}, .magnitude = data};
    data[1 * 12 + 7] = 5.0;
    double *small = resample_plane(&plane, 4, 3);
    for (int i = 0; i < 12; i++) {
        assert_near(small[i], i == 1 * 4 + 2 ? 5.0 : 0.0, 0.0);
    }
    free(small);
    double *large = resample_plane(&plane, 60, 15);
    assert_near(large[7 * 60 + 37], 5.0, 1e-12);
    /* Halfway to the next sample along u, on the sample's own row. */
    assert_near(large[7 * 60 + 34] + large[7 * 60 + 35], 5.0, 1e-12);
    free(large);
    /* Rows upside down: the last row of the plane is on top. */
    data[2 * 12 + 0] = 9.0;
    double *same = resample_plane(&plane, 12, 3);
    assert_near(same[0], 9.0, 1e-12);
    free(same);
}

/* A coordinate beside the magnitude is taken from the strongest sample, and never mixed. */
static void resampling_beside(void **state) {
    (void)state;
    double data[12 * 3] = {0}, beside[12 * 3];
    struct plane plane = {.u = {0, 1, 12}, .v = {0, 1, 3}, .magnitude = data};
    for (int i = 0; i < 36; i++) {
        beside[i] = 100.0 + i;
    }
    data[1 * 12 + 7] = 5.0;
    data[1 * 12 + 8] = 6.0;
    beside[2 * 12 + 11] = (double)NAN;
    double *small = resample_beside(&plane, beside, 4, 3);
    assert_near(small[1 * 4 + 2], 100.0 + 12 + 8, 0.0);
    assert_true(isnan(small[3]) || small[3] >= 100.0 + 2 * 12 + 9);
    free(small);
    double *large = resample_beside(&plane, beside, 60, 15);
    for (int x = 0; x < 60; x++) {
        assert_near(large[7 * 60 + x], 100.0 + 12 + x / 5, 0.0);
    }
    assert_true(isnan(large[59]) && !isnan(large[5 * 60 + 59]));
    free(large);
}

/* A cross at the axis, and a circle of 40 mm that goes through what is 40 mm from it. */
static void axis_is_marked(void **state) {
    (void)state;
    const struct blob point = {0.0, 0.0, 0.3, 1.0};
    nfsar_image image =
        volume(axis(-0.1, 0.1, 101), axis(-0.1, 0.1, 3), axis(0.2, 0.4, 101), &point, 1, 0.0);
    nfsar_picture_options options = nfsar_picture_defaults();
    nfsar_error error;
    options.view = NFSAR_VIEW_TOP;
    options.has_slice = true;
    int changed[2] = {0};
    const char *const name[2] = {"no-axis.png", "axis.png"};
    for (int i = 0; i < 2; i++) {
        options.has_axis = i == 1;
        options.axis_x_m = 0.02;
        options.axis_z_m = 0.29;
        assert_ok(nfsar_picture_image(&image, &options, picture_path(name[i]), &error), error);
    }
    char path[512];
    snprintf(path, sizeof path, "%s", picture_path(name[0]));
    cairo_surface_t *plain = cairo_image_surface_create_from_png(path);
    cairo_surface_t *marked = cairo_image_surface_create_from_png(picture_path(name[1]));
    const int stride = cairo_image_surface_get_stride(plain);
    const unsigned char *before = cairo_image_surface_get_data(plain);
    const unsigned char *after = cairo_image_surface_get_data(marked);
    /* The square panel: 202 mm over about 814 pixels from (60, 32); z up. */
    const double scale = 814.0 / 0.202;
    const double middle[2] = {60.0 + (0.02 + 0.101) * scale, 32.0 + (0.401 - 0.29) * scale};
    for (int y = 40; y < 840; y++) {
        for (int x = 70; x < 870; x++) {
            const size_t at = (size_t)y * (size_t)stride + 4 * (size_t)x;
            if (memcmp(before + at, after + at, 3) == 0) {
                continue;
            }
            const double away = hypot(x - middle[0], y - middle[1]) / scale;
            changed[0] += fabs(away - 0.04) < 0.0012;
            changed[1] += away < 0.0005;
        }
    }
    /* A line one to two pixels wide round the circle; some pixels in the middle. */
    assert_true(changed[0] > 0.8 * 2.0 * M_PI * 0.04 * scale);
    assert_true(changed[1] > 3);
    cairo_surface_destroy(plain);
    cairo_surface_destroy(marked);
    nfsar_image_free(&image);
}

/* The brightest coloured (not grey) pixel above the colour bar. */
static void brightest(const char *path, int *x, int *y) {
    cairo_surface_t *surface = cairo_image_surface_create_from_png(path);
    assert_int_equal(cairo_surface_status(surface), CAIRO_STATUS_SUCCESS);
    const unsigned char *bytes = cairo_image_surface_get_data(surface);
    const int stride = cairo_image_surface_get_stride(surface);
    const int width = cairo_image_surface_get_width(surface);
    const int height = cairo_image_surface_get_height(surface) * 3 / 4;
    int best = -1;
    for (int i = 0; i < width * height; i++) {
        const unsigned char *at = bytes + i / width * stride + 4 * (i % width);
        if (at[2] > at[0] + 30 && at[1] + at[2] > best) {
            best = at[1] + at[2];
            *x = i % width;
            *y = i / width;
        }
    }
    assert_true(best > 300);
    cairo_surface_destroy(surface);
}

/* A point at +x, +y, far z appears right and up in front and top views, right and up from the side.
 */
static void directions(void **state) {
    (void)state;
    const struct blob point = {0.06, 0.06, 0.38, 1.0};
    nfsar_image image =
        volume(axis(-0.1, 0.1, 51), axis(-0.1, 0.1, 51), axis(0.2, 0.4, 41), &point, 1, 0.0);
    nfsar_picture_options options = nfsar_picture_defaults();
    nfsar_error error;
    for (int view = NFSAR_VIEW_FRONT; view <= NFSAR_VIEW_SIDE; view++) {
        int x = 0, y = 0;
        options.view = (enum nfsar_view)view;
        options.linear = true;
        const char *path = picture_path("direction.png");
        assert_ok(nfsar_picture_image(&image, &options, path, &error), error);
        brightest(path, &x, &y);
        /* The square view is about 830 pixels wide and begins near (50, 32). */
        double across = (x - 56.0) / 820.0, up = 1.0 - (y - 32.0) / 820.0;
        assert_near(across, view == NFSAR_VIEW_SIDE ? 0.9 : 0.8, 0.03);
        assert_near(up, view == NFSAR_VIEW_TOP ? 0.9 : 0.8, 0.03);
    }
    nfsar_image_free(&image);
}

static void refused(const nfsar_image *image, nfsar_picture_options options,
                    enum nfsar_status status, const char *part) {
    nfsar_error error;
    assert_int_equal(nfsar_picture_image(image, &options, test_path("no.png"), &error), status);
    assert_contains(error.message, part);
    assert_int_equal(test_count_files("no.png"), 0);
}

static void bad_input(void **state) {
    (void)state;
    const struct blob point = {0.0, 0.0, 0.3, 1.0};
    nfsar_image image =
        volume(axis(-0.1, 0.1, 11), axis(-0.1, 0.1, 11), axis(0.29, 0.31, 3), &point, 1, 0.0);
    nfsar_picture_options options = nfsar_picture_defaults();
    options.dynamic_range_db = 0.0;
    refused(&image, options, NFSAR_ERROR_ARGUMENT, "dynamic range");
    options.dynamic_range_db = NAN;
    refused(&image, options, NFSAR_ERROR_ARGUMENT, "dynamic range");
    options = nfsar_picture_defaults();
    options.width = 100;
    refused(&image, options, NFSAR_ERROR_ARGUMENT, "100 pixels");
    options.width = 100000000;
    refused(&image, options, NFSAR_ERROR_ARGUMENT, "choose 320 to 8000");
    options = nfsar_picture_defaults();
    options.has_slice = true;
    refused(&image, options, NFSAR_ERROR_ARGUMENT, "one view");
    options.view = NFSAR_VIEW_FRONT;
    options.slice_m = 0.5;
    refused(&image, options, NFSAR_ERROR_ARGUMENT, "outside the image");
    options.has_axis = true;
    refused(&image, options, NFSAR_ERROR_ARGUMENT, "all, top and unrolled");
    options.has_slice = false;
    options.view = NFSAR_VIEW_TOP;
    refused(&image, options, NFSAR_ERROR_ARGUMENT, "whose z goes from 0.29 to 0.31 m");
    options.view = (enum nfsar_view)(NFSAR_VIEW_3D + 1);
    refused(&image, options, NFSAR_ERROR_ARGUMENT, "there is no view 6");
    options = nfsar_picture_defaults();
    options.has_slice = true;
    options.view = NFSAR_VIEW_FRONT;
    options.slice_m = 0.29;
    options.has_slice_end = true;
    options.slice_end_m = 0.5;
    refused(&image, options, NFSAR_ERROR_ARGUMENT, "z = 0.5 m lies outside the image");
    image.data[5] = NAN;
    refused(&image, nfsar_picture_defaults(), NFSAR_ERROR_FORMAT, "not finite");
    memset(image.data, 0, 363 * sizeof *image.data);
    refused(&image, nfsar_picture_defaults(), NFSAR_ERROR_FORMAT, "zero everywhere");
    options.slice_end_m = 0.31;
    refused(&image, options, NFSAR_ERROR_FORMAT, "from z = 0.29 to 0.31 m are zero everywhere");
    options.has_slice_end = false;
    options.slice_m = 0.3;
    refused(&image, options, NFSAR_ERROR_FORMAT, "z = 0.3 m is zero everywhere");
    nfsar_image_free(&image);
}

/* Speckle over the whole picture compresses least. */
static void noise_stays_small(void **state) {
    (void)state;
    nfsar_image image =
        volume(axis(-0.1, 0.1, 400), axis(-0.1, 0.1, 400), axis(0.3, 0.3, 1), NULL, 0, 1.0);
    nfsar_picture_options options = nfsar_picture_defaults();
    nfsar_error error;
    assert_ok(nfsar_picture_image(&image, &options, picture_path("noise.png"), &error), error);
    assert_true(size_of(picture_path("noise.png")) < 400000);
    nfsar_image_free(&image);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views),
        cmocka_unit_test(odd_shapes),
        cmocka_unit_test(projections_are_maxima),
        cmocka_unit_test(resampling),
        cmocka_unit_test(resampling_beside),
        cmocka_unit_test(axis_is_marked),
        cmocka_unit_test(directions),
        cmocka_unit_test(bad_input),
        cmocka_unit_test(noise_stays_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
