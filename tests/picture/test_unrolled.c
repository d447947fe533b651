#include "tests/support.h"

#include <cairo.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/picture.h>

#include "host/picture/unrolled.h"

/* A ball of magnitude, `height` in its middle, at an angle, radius and height round an axis. */
struct spot {
    double angle_deg, radius, y, width, height;
};

static nfsar_image volume(nfsar_grid grid, const double axis[2], const struct spot *spot,
                          size_t n) {
    nfsar_image image;
    nfsar_error error;
    assert_ok(nfsar_image_create(&grid, &image, &error), error);
    for (size_t i = 0; i < nfsar_grid_voxels(&grid); i++) {
        const size_t nx = grid.x.count, ny = grid.y.count;
        double value = 0.0;
        for (size_t k = 0; k < n; k++) {
            const double angle = spot[k].angle_deg * M_PI / 180.0;
            double dx = nfsar_axis_at(&grid.x, i % nx) - axis[0] - spot[k].radius * cos(angle);
            double dy = nfsar_axis_at(&grid.y, i / nx % ny) - spot[k].y;
            double dz =
                nfsar_axis_at(&grid.z, i / (nx * ny)) - axis[1] - spot[k].radius * sin(angle);
            value += spot[k].height *
                     exp(-(dx * dx + dy * dy + dz * dz) / (spot[k].width * spot[k].width));
        }
        /* The phase of a strong carrier, several radians from voxel to voxel. */
        image.data[i] = (float complex)(value * cexp(2.9 * I * (double)(i % nx + i / (nx * ny))));
    }
    return image;
}

static void unroll(const nfsar_image *image, const double *axis, const double *radius,
                   struct unrolled *unrolled) {
    struct field field;
    nfsar_error error;
    assert_ok(field_make(image, &field, &error), error);
    assert_ok(unrolled_make(&field, axis, radius, unrolled, &error), error);
    field_free(&field);
}

static size_t largest(const struct plane *plane) {
    size_t best = 0;
    for (size_t i = 0; i < plane->u.count * plane->v.count; i++) {
        best = plane->magnitude[i] > plane->magnitude[best] ? i : best;
    }
    return best;
}

/* Spots at all angles, the seam included, round an axis that is off the grid's middle. */
static void spots_are_where_they_are(void **state) {
    (void)state;
    const nfsar_grid grid = {{0.05, 0.001, 81}, {-0.02, 0.002, 21}, {-0.04, 0.0012, 71}};
    const double axis[2] = {0.088, 0.0035};
    const double angle[] = {0.0, 1.0, 45.0, 90.0, 135.0, 179.0, 225.0, 270.0, 331.0, 359.0};
    for (size_t i = 0; i < sizeof angle / sizeof angle[0]; i++) {
        const struct spot spot = {angle[i], 0.02 + 0.001 * (double)i, 0.002 * ((double)i - 4.0),
                                  0.003, 7.0};
        nfsar_image image = volume(grid, axis, &spot, 1);
        struct unrolled unrolled;
        unroll(&image, axis, NULL, &unrolled);
        const size_t n = unrolled.plane.u.count, at = largest(&unrolled.plane);
        const double off = remainder(unrolled_angle(&unrolled, at % n) - angle[i], 360.0);
        assert_near(off * M_PI / 180.0 * spot.radius, 0.0, 0.0008);
        assert_near(nfsar_axis_at(&unrolled.plane.v, at / n), spot.y, 1e-9);
        assert_near(unrolled.radius_of[at], spot.radius, 0.0008);
        /* Linear interpolation cuts the top of a ball that is three voxels in radius. */
        assert_near(unrolled.plane.magnitude[at], 7.0, 0.7);
        assert_near(unrolled.plane.maximum, unrolled.plane.magnitude[at], 0.0);
        /* The largest circle: the grid ends 0.0378 from the axis along x, 0.0405 along z. */
        assert_near(unrolled.radius[0], 0.0, 0.0);
        assert_near(unrolled.radius[1], 0.038, 1e-9);
        unrolled_free(&unrolled);
        nfsar_image_free(&image);
    }
}

/* Column 0 is the largest angle: what is left of a place has a larger angle, as seen from outside.
 */
static void angles_fall_to_the_right(void **state) {
    (void)state;
    struct unrolled unrolled = {.plane = {.u = {0.0, 1.0, 720}}};
    assert_near(unrolled_angle(&unrolled, 0), 359.75, 1e-9);
    assert_near(unrolled_angle(&unrolled, 719), 0.25, 1e-9);
}

/* A volume of one magnitude, whose phase turns by 2.9 radians a voxel, has no holes. */
static void phases_leave_no_holes(void **state) {
    (void)state;
    const nfsar_grid grid = {{-0.01, 0.001, 21}, {0.0, 0.001, 2}, {-0.01, 0.001, 21}};
    const struct spot everywhere = {0.0, 0.0, 0.0, 1e6, 3.0};
    nfsar_image image = volume(grid, (double[2]){0.0, 0.0}, &everywhere, 1);
    struct unrolled unrolled;
    unroll(&image, NULL, (double[2]){0.004, 0.005}, &unrolled);
    for (size_t i = 0; i < unrolled.plane.u.count * unrolled.plane.v.count; i++) {
        assert_near(unrolled.plane.magnitude[i], 3.0, 1e-4);
    }
    unrolled_free(&unrolled);
    nfsar_image_free(&image);
}

static double near_angle(const struct unrolled *unrolled, double angle_deg, size_t y) {
    const size_t n = unrolled->plane.u.count;
    const size_t u = (size_t)((1.0 - angle_deg / 360.0) * (double)n);
    return unrolled->radius_of[y * n + u];
}

/* Of two walls about as strong the outer one is seen, wherever the weaker is; not a weak one. */
static void the_outer_wall_is_seen(void **state) {
    (void)state;
    const nfsar_grid grid = {{-0.04, 0.001, 81}, {0.0, 0.001, 2}, {-0.04, 0.001, 81}};
    const struct spot spots[] = {
        {30.0, 0.015, 0.0, 0.003, 1.0},  {30.0, 0.030, 0.0, 0.003, 0.85},
        {120.0, 0.015, 0.0, 0.003, 0.9}, {120.0, 0.030, 0.0, 0.003, 1.0},
        {250.0, 0.015, 0.0, 0.003, 1.0}, {250.0, 0.030, 0.0, 0.003, 0.5},
    };
    nfsar_image image = volume(grid, (double[2]){0.0, 0.0}, spots, 6);
    struct unrolled unrolled;
    unroll(&image, NULL, NULL, &unrolled);
    assert_near(near_angle(&unrolled, 30.0, 0), 0.030, 0.0008);
    assert_near(near_angle(&unrolled, 120.0, 0), 0.030, 0.0008);
    assert_near(near_angle(&unrolled, 250.0, 0), 0.015, 0.0008);
    unrolled_free(&unrolled);
    /* Within 0.01 to 0.02 there are only the inner ones. */
    unroll(&image, NULL, (double[2]){0.010, 0.020}, &unrolled);
    assert_near(near_angle(&unrolled, 30.0, 0), 0.015, 0.0008);
    assert_near(near_angle(&unrolled, 120.0, 0), 0.015, 0.0008);
    unrolled_free(&unrolled);
    /* Outside of the grid nothing is: the corners alone reach beyond 0.04. */
    unroll(&image, NULL, (double[2]){0.045, 0.2}, &unrolled);
    assert_near(unrolled.radius[1], 0.04 * M_SQRT2, 1e-9);
    assert_true(isnan(near_angle(&unrolled, 1.0, 0)) && isnan(near_angle(&unrolled, 270.0, 1)));
    assert_true(!isnan(near_angle(&unrolled, 45.0, 0)));
    unrolled_free(&unrolled);
    nfsar_image_free(&image);
}

static void default_axis_is_the_origin_or_the_middle(void **state) {
    (void)state;
    const struct spot spot = {0.0, 0.0, 0.0, 0.01, 1.0};
    nfsar_grid grid = {{-0.01, 0.001, 31}, {0.0, 0.001, 3}, {-0.02, 0.001, 31}};
    struct unrolled unrolled;
    nfsar_image image = volume(grid, (double[2]){0.0, 0.0}, &spot, 1);
    unroll(&image, NULL, NULL, &unrolled);
    assert_near(hypot(unrolled.axis[0], unrolled.axis[1]), 0.0, 0.0);
    assert_near(unrolled.radius[1], 0.01, 1e-9);
    unrolled_free(&unrolled);
    image.grid.z.start = 0.25;
    unroll(&image, NULL, NULL, &unrolled);
    assert_near(unrolled.axis[0], 0.005, 1e-9);
    assert_near(unrolled.axis[1], 0.265, 1e-9);
    assert_near(unrolled.radius[1], 0.015, 1e-9);
    unrolled_free(&unrolled);
    nfsar_image_free(&image);
}

static const char *picture_path(const char *name) {
    static char path[512];
    const char *keep = getenv("NFSAR_KEEP_PICTURES");
    snprintf(path, sizeof path, "%s/%s", keep != NULL ? keep : test_folder(), name);
    return path;
}

/* The brightest pixel of the colour map within rows and columns. */
static void brightest(const char *path, double top, double bottom, double left, double right,
                      int *x, int *y) {
    cairo_surface_t *surface = cairo_image_surface_create_from_png(path);
    assert_int_equal(cairo_surface_status(surface), CAIRO_STATUS_SUCCESS);
    const unsigned char *bytes = cairo_image_surface_get_data(surface);
    const int stride = cairo_image_surface_get_stride(surface);
    const int width = cairo_image_surface_get_width(surface);
    const int height = cairo_image_surface_get_height(surface);
    int best = -1;
    for (int j = (int)(top * height); j < (int)(bottom * height); j++) {
        for (int i = (int)(left * width); i < (int)(right * width); i++) {
            const unsigned char *at = bytes + j * stride + 4 * i;
            if (at[2] > at[0] + 30 && at[1] + at[2] > best) {
                best = at[1] + at[2];
                *x = i;
                *y = j;
            }
        }
    }
    assert_true(best > 300);
    cairo_surface_destroy(surface);
}

/* Two spots 180 degrees apart are half the panel's width apart, the one at 270 degrees left. */
static void pictures_show_them_there(void **state) {
    (void)state;
    const nfsar_grid grid = {{-0.04, 0.001, 81}, {-0.03, 0.001, 61}, {-0.04, 0.001, 81}};
    const struct spot spots[2] = {{270.0, 0.03, 0.015, 0.003, 1.0},
                                  {90.0, 0.02, -0.015, 0.003, 0.9}};
    nfsar_image image = volume(grid, (double[2]){0.0, 0.0}, spots, 2);
    nfsar_picture_options options = nfsar_picture_defaults();
    nfsar_error error;
    int x[2], y[2];
    options.view = NFSAR_VIEW_UNROLLED;
    const char *path = picture_path("unrolled.png");
    assert_ok(nfsar_picture_image(&image, &options, path, &error), error);
    /* The upper panel is in the upper two fifths of the picture. */
    brightest(path, 0.05, 0.4, 0.08, 0.5, &x[0], &y[0]);
    brightest(path, 0.05, 0.4, 0.5, 0.96, &x[1], &y[1]);
    /* It is 814 pixels wide from 60 on; over its outermost circle, 2 pi 40 mm, to scale. */
    assert_near(x[0], 60 + 0.25 * 814, 12.0);
    assert_near(x[1], 60 + 0.75 * 814, 12.0);
    assert_near(y[1] - y[0], 0.03 * 814 / (2.0 * M_PI * 0.04), 5.0);
    options.width = 320;
    options.linear = true;
    options.title = "Narrow";
    assert_ok(nfsar_picture_image(&image, &options, picture_path("unrolled-narrow.png"), &error),
              error);
    nfsar_image_free(&image);
}

static void threads_change_nothing(void **state) {
    (void)state;
    const nfsar_grid grid = {{-0.01, 0.001, 21}, {-0.01, 0.001, 21}, {-0.01, 0.001, 21}};
    const struct spot spot = {200.0, 0.005, 0.002, 0.003, 1.0};
    nfsar_image image = volume(grid, (double[2]){0.0, 0.0}, &spot, 1);
    const int before = omp_get_max_threads();
    struct unrolled unrolled[2];
    for (int i = 0; i < 2; i++) {
        omp_set_num_threads(1 + 2 * i);
        unroll(&image, NULL, NULL, &unrolled[i]);
    }
    omp_set_num_threads(before);
    const size_t n = unrolled[0].plane.u.count * unrolled[0].plane.v.count;
    assert_memory_equal(unrolled[0].plane.magnitude, unrolled[1].plane.magnitude,
                        n * sizeof(double));
    unrolled_free(&unrolled[0]);
    unrolled_free(&unrolled[1]);
    nfsar_image_free(&image);
}

/* One row, one column of voxels; metres; an axis on the grid's edge with radii given. */
static void odd_shapes(void **state) {
    (void)state;
    const nfsar_grid shape[] = {
        {{-0.001, 0.002, 2}, {0.0, 0.002, 1}, {-0.001, 0.002, 2}},
        {{-0.05, 0.001, 101}, {0.0, 0.002, 1}, {-0.05, 0.001, 101}},
        {{-0.005, 0.001, 11}, {-0.2, 0.001, 401}, {-0.005, 0.001, 11}},
        {{-30.0, 2.0, 31}, {-3.0, 2.0, 4}, {5.0, 2.0, 30}},
        {{-1e-9, 1e-9, 3}, {-3.0, 2.0, 4}, {-1.0, 1.0, 3}},
    };
    for (size_t i = 0; i < sizeof shape / sizeof shape[0]; i++) {
        const struct spot spot = {0.0, 0.0, 0.0, 10.0, 1.0};
        nfsar_image image = volume(shape[i], (double[2]){0.0, 0.0}, &spot, 1);
        nfsar_picture_options options = nfsar_picture_defaults();
        nfsar_error error;
        char name[64];
        options.view = NFSAR_VIEW_UNROLLED;
        options.width = 400 + 300 * (int)(i % 2);
        snprintf(name, sizeof name, "unrolled-%zu.png", i);
        assert_ok(nfsar_picture_image(&image, &options, picture_path(name), &error), error);
        options.has_axis = true;
        options.axis_x_m = shape[i].x.start;
        options.axis_z_m = shape[i].z.start;
        options.has_radius = true;
        options.radius_m[1] = 1e9;
        assert_ok(nfsar_picture_image(&image, &options, test_path("edge.png"), &error), error);
        nfsar_image_free(&image);
    }
}

static void refused(const nfsar_image *image, nfsar_picture_options options,
                    enum nfsar_status status, const char *part) {
    nfsar_error error;
    options.view = NFSAR_VIEW_UNROLLED;
    assert_int_equal(nfsar_picture_image(image, &options, test_path("no.png"), &error), status);
    assert_contains(error.message, part);
    assert_int_equal(test_count_files("no.png"), 0);
}

static void with_radius(const nfsar_image *image, double from, double to, enum nfsar_status status,
                        const char *part) {
    nfsar_picture_options options = nfsar_picture_defaults();
    options.has_radius = true;
    options.radius_m[0] = from;
    options.radius_m[1] = to;
    refused(image, options, status, part);
}

static void bad_input(void **state) {
    (void)state;
    const nfsar_grid grid = {{-0.01, 0.001, 21}, {0.0, 0.001, 5}, {-0.01, 0.001, 21}};
    const struct spot spot = {0.0, 0.0, 0.0, 0.001, 1.0};
    nfsar_image image = volume(grid, (double[2]){0.0, 0.0}, &spot, 1);
    nfsar_picture_options options = nfsar_picture_defaults();
    options.has_axis = true;
    options.axis_x_m = 0.02;
    refused(&image, options, NFSAR_ERROR_ARGUMENT, "an axis at x = 0.02, z = 0 m lies outside");
    options.axis_x_m = NAN;
    refused(&image, options, NFSAR_ERROR_ARGUMENT, "outside the image");
    options.axis_x_m = -0.01;
    refused(&image, options, NFSAR_ERROR_ARGUMENT, "on the edge of the image");
    with_radius(&image, 0.005, 0.005, NFSAR_ERROR_ARGUMENT, "smaller one first");
    with_radius(&image, 0.005, 0.004, NFSAR_ERROR_ARGUMENT, "smaller one first");
    with_radius(&image, -0.001, 0.004, NFSAR_ERROR_ARGUMENT, "0 or more");
    with_radius(&image, NAN, 0.004, NFSAR_ERROR_ARGUMENT, "smaller one first");
    with_radius(&image, 0.001, NAN, NFSAR_ERROR_ARGUMENT, "smaller one first");
    with_radius(&image, 0.015, 0.02, NFSAR_ERROR_ARGUMENT, "farthest corner is 0.0141421 m");
    options = nfsar_picture_defaults();
    options.has_slice = true;
    refused(&image, options, NFSAR_ERROR_ARGUMENT, "a slice belongs to one view");
    image.data[7] = NAN;
    refused(&image, nfsar_picture_defaults(), NFSAR_ERROR_FORMAT, "not finite");
    memset(image.data, 0, nfsar_grid_voxels(&grid) * sizeof *image.data);
    refused(&image, nfsar_picture_defaults(), NFSAR_ERROR_FORMAT, "zero everywhere");
    image.data[220] = 1.0f;
    with_radius(&image, 0.0, 0.002, NFSAR_ERROR_FORMAT, "zero everywhere at radii from 0 to 0.002");
    nfsar_image_free(&image);
    const nfsar_grid flat = {{-0.01, 0.001, 21}, {0.0, 0.001, 5}, {0.3, 0.001, 1}};
    image = volume(flat, (double[2]){0.0, 0.3}, &spot, 1);
    refused(&image, nfsar_picture_defaults(), NFSAR_ERROR_ARGUMENT, "one voxel along z");
    nfsar_image_free(&image);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spots_are_where_they_are),
        cmocka_unit_test(angles_fall_to_the_right),
        cmocka_unit_test(phases_leave_no_holes),
        cmocka_unit_test(the_outer_wall_is_seen),
        cmocka_unit_test(default_axis_is_the_origin_or_the_middle),
        cmocka_unit_test(pictures_show_them_there),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(odd_shapes),
        cmocka_unit_test(bad_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
