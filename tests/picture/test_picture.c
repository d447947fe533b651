#include "tests/support.h"

#include <cairo.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <nfsar/picture.h>

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

/* Speckle is what compresses least. */
static void noise_stays_small(void **state) {
    (void)state;
    nfsar_image image =
        volume(axis(-0.1, 0.1, 400), axis(-0.1, 0.1, 400), axis(0.3, 0.3, 1), NULL, 0, 1.0);
    nfsar_picture_options options = nfsar_picture_defaults();
    nfsar_error error;
    assert_ok(nfsar_picture_image(&image, &options, picture_path("noise.png"), &error), error);
    print_message("noise: %ld bytes\n", size_of(picture_path("noise.png")));
    nfsar_image_free(&image);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views),
        cmocka_unit_test(odd_shapes),
        cmocka_unit_test(noise_stays_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
