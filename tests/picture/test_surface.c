#include "tests/support.h"

#include <cairo.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/picture.h>

#include "host/picture/lit.h"
#include "host/picture/surface.h"

/* A cone of magnitude round a point: 1 there, falling by 1 in `reach` metres. Its surface at a
 * level is a sphere of radius reach (1 - level). */
struct ball {
    double at[3], reach, height;
};

static double value_of(const struct ball *ball, size_t n, const double at[3]) {
    double most = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double *middle = ball[i].at;
        double distance = hypot(hypot(at[0] - middle[0], at[1] - middle[1]), at[2] - middle[2]);
        most = fmax(most, ball[i].height * (1.0 - distance / ball[i].reach));
    }
    return most;
}

/* Phases alternate from voxel to voxel: nothing may depend on them. */
static nfsar_image volume(nfsar_grid grid, const struct ball *ball, size_t n) {
    nfsar_image image;
    nfsar_error error;
    assert_ok(nfsar_image_create(&grid, &image, &error), error);
    for (size_t i = 0; i < nfsar_grid_voxels(&grid); i++) {
        const size_t x = i % grid.x.count, y = i / grid.x.count % grid.y.count,
                     z = i / (grid.x.count * grid.y.count);
        const double at[3] = {nfsar_axis_at(&grid.x, x), nfsar_axis_at(&grid.y, y),
                              nfsar_axis_at(&grid.z, z)};
        image.data[i] = (float)(value_of(ball, n, at) * ((x + y + z) % 2 ? -1.0 : 1.0));
    }
    return image;
}

static void make(const nfsar_image *image, double level, struct field *field,
                 struct surface *surface) {
    nfsar_error error;
    assert_ok(field_make(image, field, &error), error);
    assert_ok(surface_make(field, level, surface, &error), error);
}

static double dot(const double a[3], const double b[3]) {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static void cameras_do_not_mirror(void **state) {
    (void)state;
    for (int i = 0; i < 200; i++) {
        const struct camera camera = camera_from(37.0 * i, 90.0 - i * 0.9);
        const double *r = camera.right, *u = camera.up, *t = camera.toward;
        assert_near(r[1] * u[2] - r[2] * u[1], t[0], 1e-12);
        assert_near(r[2] * u[0] - r[0] * u[2], t[1], 1e-12);
        assert_near(r[0] * u[1] - r[1] * u[0], t[2], 1e-12);
        assert_near(dot(t, t), 1.0, 1e-12);
        assert_true(u[1] >= -1e-12);
    }
    /* At 90 degrees, on the side of +z: x right, y up. */
    const struct camera front = camera_from(90.0, 0.0);
    assert_near(front.right[0], 1.0, 1e-12);
    assert_near(front.up[1], 1.0, 1e-12);
    assert_near(front.toward[2], 1.0, 1e-12);
    /* From above and from +x. */
    assert_near(camera_from(20.0, 90.0).toward[1], 1.0, 1e-12);
    assert_near(camera_from(0.0, 0.0).toward[0], 1.0, 1e-12);
}

/* Voxels of three sizes, a sphere off the middle, seen from many sides. */
static void sphere_is_a_sphere(void **state) {
    (void)state;
    const nfsar_grid grid = {{-0.03, 0.0010, 61}, {-0.02, 0.0008, 56}, {0.25, 0.0012, 55}};
    const struct ball ball = {{0.004, 0.0024, 0.2836}, 0.02, 3.0};
    const double radius = 0.02 * (1.0 - 0.25), voxel = 0.0012;
    nfsar_image image = volume(grid, &ball, 1);
    struct field field;
    struct surface surface;
    make(&image, 0.25, &field, &surface);
    for (int i = 0; i < 12; i++) {
        struct camera camera = camera_from(31.0 * i, -80.0 + 15.0 * i);
        memcpy(camera.centre, (double[3]){0.0, 0.002, 0.28}, sizeof camera.centre);
        const double offset[3] = {0.004, 0.0004, 0.0036};
        const double right = dot(offset, camera.right), up = dot(offset, camera.up);
        for (int j = 0; j <= 20; j++) {
            const double away = radius * (j + 0.01) / 18.0, turn = 0.7 * j;
            struct hit hit;
            const bool met = surface_ray(&surface, &camera, right + away * cos(turn),
                                         up + away * sin(turn), &hit);
            assert_true(away < radius - 0.2 * voxel || !met || away < radius + 0.2 * voxel);
            if (away > radius - 0.7 * voxel) {
                assert_true(away < radius || !met);
                continue;
            }
            assert_true(met);
            const double height = sqrt(radius * radius - away * away);
            assert_near(hit.depth - dot(offset, camera.toward), height, 0.3 * voxel);
            double outward[3];
            for (int k = 0; k < 3; k++) {
                outward[k] = (away * cos(turn) * camera.right[k] + away * sin(turn) * camera.up[k] +
                              height * camera.toward[k]) /
                             radius;
            }
            assert_true(dot(hit.normal, outward) > cos(2.5 * M_PI / 180.0));
            /* Where the ray is nearest to the middle. */
            assert_near(hit.peak, 1.0 - away / 0.02, 0.05);
        }
    }
    surface_free(&surface);
    field_free(&field);
    nfsar_image_free(&image);
}

static void nearer_hides_farther(void **state) {
    (void)state;
    const nfsar_grid grid = {{-0.02, 0.001, 41}, {-0.02, 0.001, 41}, {-0.02, 0.001, 41}};
    const struct ball two[2] = {{{0.0, 0.0, 0.012}, 0.008, 0.5}, {{0.0, 0.0, -0.01}, 0.008, 1.0}};
    nfsar_image image = volume(grid, two, 2);
    struct field field;
    struct surface surface;
    struct hit hit;
    make(&image, 0.25, &field, &surface);
    struct camera camera = camera_from(90.0, 0.0);
    assert_true(surface_ray(&surface, &camera, 0.0, 0.0, &hit));
    assert_near(hit.depth, 0.012 + 0.008 * (1.0 - 0.25 / 0.5), 1e-4);
    /* The stronger one behind it does not shine through. */
    assert_near(hit.peak, 0.5, 1e-3);
    camera = camera_from(-90.0, 0.0);
    assert_true(surface_ray(&surface, &camera, 0.0, 0.0, &hit));
    assert_near(hit.depth, 0.01 + 0.008 * 0.75, 1e-4);
    assert_near(hit.peak, 1.0, 1e-3);
    camera = camera_from(0.0, 0.0);
    assert_true(!surface_ray(&surface, &camera, 0.0, 0.0, &hit));
    surface_free(&surface);
    field_free(&field);
    nfsar_image_free(&image);
}

/* A body that the grid cuts is closed by the grid's outer face. */
static void faces_close_the_surface(void **state) {
    (void)state;
    const nfsar_grid grid = {{0.0, 0.001, 11}, {0.0, 0.002, 11}, {0.0, 0.003, 2}};
    const struct ball flat = {{0.005, 0.01, 0.0}, 1000.0, 1.0};
    const double half[3] = {0.0055, 0.011, 0.003};
    nfsar_image image = volume(grid, &flat, 1);
    struct field field;
    struct surface surface;
    struct hit hit;
    make(&image, 0.5, &field, &surface);
    for (int i = 0; i < 6; i++) {
        const double azimuth[6] = {0.0, 180.0, 0.0, 0.0, 90.0, -90.0};
        struct camera camera = camera_from(azimuth[i], i == 2 ? 90.0 : i == 3 ? -90.0 : 0.0);
        memcpy(camera.centre, (double[3]){0.005, 0.01, 0.0015}, sizeof camera.centre);
        assert_true(surface_ray(&surface, &camera, 1e-4, 1e-4, &hit));
        assert_near(hit.depth, half[i / 2], 1e-9);
        assert_near(hit.normal[i / 2], i % 2 ? -1.0 : 1.0, 1e-12);
    }
    surface_free(&surface);
    field_free(&field);
    nfsar_image_free(&image);
}

/* The first place at or above the level along a ray, tried every 2 % of a voxel; `run` is how long
 * the ray then stays in it. */
static bool walk(const struct surface *surface, const struct camera *camera, double right,
                 double up, double *depth, double *run) {
    const nfsar_grid *grid = &surface->field->grid;
    const nfsar_axis *axis[3] = {&grid->x, &grid->y, &grid->z};
    const double step = 0.02 * grid->x.step;
    *run = 0.0;
    for (double t = 0.06; t > -0.06; t -= step) {
        double place[3];
        bool inside = true;
        for (int i = 0; i < 3; i++) {
            place[i] = camera->centre[i] + right * camera->right[i] + up * camera->up[i] +
                       t * camera->toward[i];
            inside = inside && place[i] > surface->low[i] && place[i] < surface->high[i];
            place[i] = (place[i] - axis[i]->start) / axis[i]->step;
        }
        if (inside && field_at(surface->field, place) >= surface->level) {
            *depth = *run > 0.0 ? *depth : t;
            *run += step;
        } else if (*run > 0.0) {
            return true;
        }
    }
    return *run > 0.0;
}

/* Blocks of empty space that are passed at once hide nothing. */
static void rays_find_what_walking_finds(void **state) {
    (void)state;
    const nfsar_grid grid = {{-0.025, 0.001, 51}, {-0.015, 0.001, 31}, {-0.02, 0.001, 41}};
    struct ball ball[12];
    srand(3);
    for (int i = 0; i < 12; i++) {
        for (int k = 0; k < 3; k++) {
            ball[i].at[k] = 0.05 * (rand() / (double)RAND_MAX - 0.5);
        }
        ball[i].reach = 0.006;
        ball[i].height = 0.5 + 0.5 * rand() / RAND_MAX;
    }
    nfsar_image image = volume(grid, ball, 12);
    struct field field;
    struct surface surface;
    make(&image, 0.3, &field, &surface);
    int met = 0, missed = 0;
    for (int i = 0; i < 1500; i++) {
        const struct camera camera =
            camera_from(360.0 * rand() / RAND_MAX, 170.0 * (rand() / (double)RAND_MAX - 0.5));
        const double right = 0.05 * (rand() / (double)RAND_MAX - 0.5);
        const double up = 0.03 * (rand() / (double)RAND_MAX - 0.5);
        double depth = 0.0, run = 0.0;
        struct hit hit;
        const bool walked = walk(&surface, &camera, right, up, &depth, &run);
        const bool found = surface_ray(&surface, &camera, right, up, &hit);
        /* A ray that only grazes may be between two steps. */
        if (walked && run < 0.001) {
            continue;
        }
        assert_int_equal(found, walked);
        if (found) {
            assert_near(hit.depth, depth, 0.00005);
        }
        met += found;
        missed += !found;
    }
    assert_true(met > 50 && missed > 50);
    surface_free(&surface);
    field_free(&field);
    nfsar_image_free(&image);
}

static double brightness(double right, double up, double toward, double depth) {
    const struct camera camera = camera_from(90.0, 0.0);
    const struct hit hit = {.depth = depth, .normal = {right, up, toward}};
    return lit_brightness(&camera, &hit, 0.1);
}

static void light_comes_from_the_viewer(void **state) {
    (void)state;
    assert_true(brightness(0, 0, 1, 0) > 0.7 * brightness(-0.33, 0.45, 0.83, 0));
    assert_true(brightness(0, 0, 1, 0) > brightness(1, 0, 0, 0));
    assert_true(brightness(0, 0, 1, 0) > brightness(0, -1, 0, 0));
    /* Up and left of the viewer. */
    assert_true(brightness(0, 0.6, 0.8, 0) > brightness(0, -0.6, 0.8, 0));
    assert_true(brightness(-0.6, 0, 0.8, 0) > brightness(0.6, 0, 0.8, 0));
    /* Nothing is lit from behind, and nothing is black. */
    assert_near(brightness(0, 0, -1, 0), brightness(0.3, -0.6, -0.74, 0), 1e-12);
    assert_true(brightness(0, 0, -1, 0) > 0.1);
    assert_true(brightness(0, 0, 1, 0.1) > 1.3 * brightness(0, 0, 1, -0.1));
}

/* The colours of a picture, 0xRRGGBB, above its colour bar. */
struct pixels {
    int width, height;
    unsigned *at;
};

static struct pixels read_picture(const char *path) {
    cairo_surface_t *surface = cairo_image_surface_create_from_png(path);
    assert_int_equal(cairo_surface_status(surface), CAIRO_STATUS_SUCCESS);
    const unsigned char *bytes = cairo_image_surface_get_data(surface);
    const int stride = cairo_image_surface_get_stride(surface);
    struct pixels pixels = {cairo_image_surface_get_width(surface),
                            cairo_image_surface_get_height(surface) - 112, NULL};
    pixels.at = calloc((size_t)pixels.width * (size_t)pixels.height, sizeof *pixels.at);
    for (int i = 0; i < pixels.width * pixels.height; i++) {
        const unsigned char *p = bytes + i / pixels.width * stride + 4 * (i % pixels.width);
        pixels.at[i] = (unsigned)p[2] << 16 | (unsigned)p[1] << 8 | p[0];
    }
    cairo_surface_destroy(surface);
    return pixels;
}

/* The surface is orange to yellow; the ground, the box and its numbers are not. */
static bool is_surface(const struct pixels *pixels, int x, int y) {
    const unsigned colour = pixels->at[y * pixels->width + x];
    const int r = (int)(colour >> 16), g = (int)(colour >> 8 & 0xff), b = (int)(colour & 0xff);
    return r > g + 6 || r > b + 25;
}

static int red(const struct pixels *pixels, int x, int y) {
    return (int)(pixels->at[y * pixels->width + x] >> 16);
}

/* Middle and size of what is surface in the columns from `from` to `to`. */
struct spot {
    double x, y, width, height;
    int n;
};

static struct spot find_spot(const struct pixels *pixels, int from, int to) {
    int low[2] = {1 << 20, 1 << 20}, high[2] = {-1, -1};
    struct spot spot = {0};
    for (int y = 0; y < pixels->height; y++) {
        for (int x = from; x < to; x++) {
            if (is_surface(pixels, x, y)) {
                low[0] = x < low[0] ? x : low[0];
                high[0] = x > high[0] ? x : high[0];
                low[1] = y < low[1] ? y : low[1];
                high[1] = y > high[1] ? y : high[1];
                spot.n++;
            }
        }
    }
    spot.x = 0.5 * (low[0] + high[0]);
    spot.y = 0.5 * (low[1] + high[1]);
    spot.width = high[0] - low[0] + 1.0;
    spot.height = high[1] - low[1] + 1.0;
    return spot;
}

static const char *picture_path(const char *name) {
    static char path[512];
    const char *keep = getenv("NFSAR_KEEP_PICTURES");
    snprintf(path, sizeof path, "%s/%s", keep != NULL ? keep : test_folder(), name);
    return path;
}

/* Two spheres 40 mm apart give the scale; each is a disc of the level's radius, lit from above. */
static void spheres_are_shaded_discs(void **state) {
    (void)state;
    const nfsar_grid grid = {{-0.035, 0.001, 71}, {-0.02, 0.001, 41}, {-0.015, 0.001, 31}};
    const struct ball two[2] = {{{-0.02, 0.0, 0.0}, 0.012, 1.0}, {{0.02, 0.006, 0.0}, 0.012, 1.0}};
    nfsar_image image = volume(grid, two, 2);
    nfsar_picture_options options = nfsar_picture_defaults();
    nfsar_error error;
    options.view = NFSAR_VIEW_3D;
    options.azimuth_deg = 90.0;
    options.elevation_deg = 0.0;
    options.level_db = 20.0 * log10(4.0);
    options.width = 500;
    const char *path = picture_path("spheres.png");
    assert_ok(nfsar_picture_image(&image, &options, path, &error), error);
    struct pixels pixels = read_picture(path);
    const struct spot left = find_spot(&pixels, 0, 250), right = find_spot(&pixels, 250, 500);
    const double scale = (right.x - left.x) / 0.04; /* pixels a metre */
    const double diameter = 2.0 * 0.012 * 0.75 * scale;
    assert_true(diameter > 60.0);
    assert_near(left.width, diameter, 3.0);
    assert_near(left.height, diameter, 3.0);
    assert_near(left.n, M_PI / 4.0 * diameter * diameter, 0.05 * diameter * diameter);
    assert_near(right.width, diameter, 3.0);
    /* x grows to the right and y up, by the same scale. */
    assert_near(left.y - right.y, 0.006 * scale, 2.0);
    const int x = (int)left.x, y = (int)left.y, off = (int)(0.3 * diameter);
    assert_true(red(&pixels, x - off, y - off) > red(&pixels, x + off, y + off) + 40);
    assert_true(red(&pixels, x, y) > red(&pixels, x + off, y + off) + 30);
    free(pixels.at);
    nfsar_image_free(&image);
}

static void threads_change_nothing(void **state) {
    (void)state;
    const nfsar_grid grid = {{-0.01, 0.001, 21}, {-0.01, 0.001, 21}, {-0.01, 0.001, 21}};
    const struct ball ball = {{0.001, 0.002, 0.003}, 0.008, 1.0};
    nfsar_image image = volume(grid, &ball, 1);
    nfsar_picture_options options = nfsar_picture_defaults();
    nfsar_error error;
    const int before = omp_get_max_threads();
    static char bytes[2][400000];
    size_t size[2];
    options.view = NFSAR_VIEW_3D;
    options.width = 400;
    for (int i = 0; i < 2; i++) {
        omp_set_num_threads(1 + 2 * i);
        assert_ok(nfsar_picture_image(&image, &options, test_path("threads.png"), &error), error);
        FILE *file = fopen(test_path("threads.png"), "rb");
        size[i] = fread(bytes[i], 1, sizeof bytes[i], file);
        fclose(file);
    }
    omp_set_num_threads(before);
    assert_true(size[0] > 1000 && size[0] == size[1]);
    assert_memory_equal(bytes[0], bytes[1], size[0]);
    nfsar_image_free(&image);
}

/* Boxes of all shapes, from all sides, at the smallest and a large width. */
static void odd_shapes(void **state) {
    (void)state;
    const nfsar_grid shape[] = {
        {{-0.001, 0.002, 2}, {-0.001, 0.002, 2}, {-0.001, 0.002, 2}},
        {{-0.1, 0.002, 101}, {-0.001, 0.002, 2}, {-0.001, 0.002, 2}},
        {{-0.001, 0.002, 2}, {-0.1, 0.002, 101}, {-0.001, 0.002, 2}},
        {{-30.0, 2.0, 31}, {-3.0, 2.0, 4}, {5.0, 2.0, 30}},
        {{-1e-9, 1e-9, 3}, {-3.0, 2.0, 4}, {-1.0, 1.0, 3}},
    };
    const double from[][2] = {{0, 0}, {90, 0}, {45, 90}, {0, -90}, {-135, -30}, {720, 35}};
    for (size_t i = 0; i < sizeof shape / sizeof shape[0]; i++) {
        const struct ball ball = {{0.0, 0.0, 0.0}, 100.0, 1.0};
        nfsar_image image = volume(shape[i], &ball, 1);
        for (size_t j = 0; j < sizeof from / sizeof from[0]; j++) {
            nfsar_picture_options options = nfsar_picture_defaults();
            nfsar_error error;
            char name[64];
            options.view = NFSAR_VIEW_3D;
            options.azimuth_deg = from[j][0];
            options.elevation_deg = from[j][1];
            options.width = 320;
            snprintf(name, sizeof name, "odd-%zu-%zu.png", i, j);
            assert_ok(nfsar_picture_image(&image, &options, picture_path(name), &error), error);
        }
        nfsar_image_free(&image);
    }
}

static void refused(const nfsar_image *image, nfsar_picture_options options,
                    enum nfsar_status status, const char *part) {
    nfsar_error error;
    options.view = NFSAR_VIEW_3D;
    assert_int_equal(nfsar_picture_image(image, &options, test_path("no.png"), &error), status);
    assert_contains(error.message, part);
    assert_int_equal(test_count_files("no.png"), 0);
}

static void bad_input(void **state) {
    (void)state;
    const struct ball ball = {{0.0, 0.0, 0.0}, 0.01, 1.0};
    const nfsar_grid flat = {{-0.01, 0.001, 21}, {0.0, 0.001, 1}, {-0.01, 0.001, 21}};
    nfsar_image image = volume(flat, &ball, 1);
    nfsar_picture_options options = nfsar_picture_defaults();
    refused(&image, options, NFSAR_ERROR_ARGUMENT, "one voxel along y has no 3-D view: choose top");
    options.level_db = 0.0;
    refused(&image, options, NFSAR_ERROR_ARGUMENT, "a surface 0 dB below");
    options.level_db = NAN;
    refused(&image, options, NFSAR_ERROR_ARGUMENT, "choose 1 to 100");
    options = nfsar_picture_defaults();
    options.elevation_deg = 91.0;
    refused(&image, options, NFSAR_ERROR_ARGUMENT, "elevation of -90 to 90");
    options.elevation_deg = NAN;
    refused(&image, options, NFSAR_ERROR_ARGUMENT, "elevation of -90 to 90");
    options = nfsar_picture_defaults();
    options.azimuth_deg = INFINITY;
    refused(&image, options, NFSAR_ERROR_ARGUMENT, "azimuth");
    options = nfsar_picture_defaults();
    options.has_slice = true;
    refused(&image, options, NFSAR_ERROR_ARGUMENT, "a slice belongs to one view");
    options.has_slice = false;
    options.has_axis = true;
    refused(&image, options, NFSAR_ERROR_ARGUMENT, "all, top and unrolled");
    options.has_axis = false;
    options.has_radius = true;
    refused(&image, options, NFSAR_ERROR_ARGUMENT, "the view unrolled");
    nfsar_image_free(&image);

    const nfsar_grid grid = {{-0.01, 0.001, 21}, {-0.01, 0.001, 21}, {-0.01, 0.001, 21}};
    image = volume(grid, &ball, 1);
    image.data[77] = NAN;
    refused(&image, nfsar_picture_defaults(), NFSAR_ERROR_FORMAT, "not finite");
    image.data[77] = (float)INFINITY;
    refused(&image, nfsar_picture_defaults(), NFSAR_ERROR_FORMAT, "not finite");
    memset(image.data, 0, nfsar_grid_voxels(&grid) * sizeof *image.data);
    refused(&image, nfsar_picture_defaults(), NFSAR_ERROR_FORMAT, "zero everywhere");
    /* The largest and the smallest floats have a surface. */
    for (int i = 0; i < 2; i++) {
        nfsar_picture_options good = nfsar_picture_defaults();
        nfsar_error error;
        good.view = NFSAR_VIEW_3D;
        good.width = 320;
        image.data[4410] = i == 0 ? 3e38f + 3e38f * I : 1e-44f;
        assert_ok(nfsar_picture_image(&image, &good, test_path("extreme.png"), &error), error);
    }
    nfsar_image_free(&image);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cameras_do_not_mirror),
        cmocka_unit_test(sphere_is_a_sphere),
        cmocka_unit_test(nearer_hides_farther),
        cmocka_unit_test(faces_close_the_surface),
        cmocka_unit_test(rays_find_what_walking_finds),
        cmocka_unit_test(light_comes_from_the_viewer),
        cmocka_unit_test(spheres_are_shaded_discs),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(odd_shapes),
        cmocka_unit_test(bad_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
