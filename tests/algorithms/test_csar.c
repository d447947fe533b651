/* Cylindrical imaging against double-precision backprojection. */
#include "tests/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/csar.h>
#include <nfsar/simulation.h>

#include "tests/images.h"
#include "tests/radar.h"

#define DEGREE (NFSAR_PI / 180.0)
/* A third of a usual turntable: a thirtieth of the work. */
#define R0 0.08

struct turntable {
    const char *array;
    size_t angles, heights;
    double from_deg, span_deg, jitter_deg;
    double step_y; /* between heights */
    double axis_x, axis_z;
    double missing; /* part of the pulses that are not there */
    double wobble;  /* of the radius */
    size_t n_sample;
};

static const struct turntable usual = {.array = "single",
                                       .angles = 1000,
                                       .heights = 7,
                                       .span_deg = 360.0,
                                       .step_y = 6e-3,
                                       .n_sample = 8};

/* 0 to 72 % of the radius from the axis. */
static const nfsar_vec3 points[5] = {{0.0, 0.0, 0.0},
                                     {0.2 * R0, 0.005, 0.0},
                                     {0.0, -0.006, 0.4 * R0},
                                     {-0.48 * R0, 0.002, -0.36 * R0},
                                     {0.56 * R0, 0.0, 0.4528 * R0}};

static const nfsar_grid wide_grid = {
    .x = {-0.42 * R0, 0.1046 * R0, 9}, .y = {-0.007, 0.0046, 4}, .z = {-0.42 * R0, 0.1046 * R0, 9}};

/* As far as 40 %. */
static const nfsar_grid middle_grid = {.x = {-0.284 * R0, 0.0704 * R0, 9},
                                       .y = {-0.007, 0.0046, 4},
                                       .z = {-0.284 * R0, 0.0704 * R0, 9}};

static void scan(const struct turntable *table, nfsar_capture *capture) {
    nfsar_random random;
    nfsar_error error;
    nfsar_array array;
    nfsar_random_seed(&random, 5);
    assert_ok(nfsar_array_preset(table->array, NFSAR_ARRAY_ALONG_Y, &array, &error), error);
    assert_ok(nfsar_capture_create(table->angles * table->heights, table->n_sample, &array, true,
                                   capture, &error),
              error);
    for (size_t i = 0; i < table->n_sample; i++) {
        capture->frequency_hz[i] = 77e9 + 4e9 * (double)i / (double)(table->n_sample - 1);
    }
    size_t pulse = 0;
    for (size_t h = 0; h < table->heights; h++) {
        for (size_t a = 0; a < table->angles; a++) {
            double angle =
                DEGREE * (table->from_deg + table->span_deg * (double)a / (double)table->angles +
                          table->jitter_deg * nfsar_random_normal(&random));
            double radius = R0 + table->wobble * cos(3.0 * angle);
            if (nfsar_random_uniform(&random) < table->missing) {
                continue;
            }
            capture->pose[pulse].position =
                (nfsar_vec3){table->axis_x + radius * cos(angle),
                             ((double)h - 0.5 * (double)(table->heights - 1)) * table->step_y,
                             table->axis_z + radius * sin(angle)};
            capture->pose[pulse].orientation = nfsar_quaternion_from_axis_angle(
                (nfsar_vec3){0.0, 1.0, 0.0}, atan2(-cos(angle), -sin(angle)));
            pulse++;
        }
    }
    capture->n_pulse = capture->n_pose = pulse;
    radar_add_points(capture, points, 5);
}

static nfsar_image image_csar(const nfsar_capture *capture, const nfsar_grid *grid,
                              const nfsar_csar_options *options) {
    nfsar_cylinder cylinder;
    nfsar_csar_plan *plan = NULL;
    nfsar_image image;
    nfsar_error error;
    assert_ok(nfsar_cylinder_detect(capture, 0.0, &cylinder, &error), error);
    assert_ok(nfsar_csar_plan_create(capture, &cylinder, grid, options, &plan, &error), error);
    assert_ok(nfsar_image_create(grid, &image, &error), error);
    nfsar_echo_source source = nfsar_capture_source(capture);
    assert_ok(nfsar_csar_execute(plan, &source, image.data, NULL, &error), error);
    nfsar_csar_plan_destroy(plan);
    return image;
}

/* Error and correlation of csar beside the truth. */
static double beside(const char *what, const nfsar_image *truth, const nfsar_capture *capture,
                     const nfsar_csar_options *options, double *correlation) {
    nfsar_image made = image_csar(capture, &truth->grid, options);
    double error = image_error(truth, &made);
    *correlation = image_correlation(truth, &made);
    print_message("%s: correlation %.6f, error %.1e\n", what, *correlation, error);
    nfsar_image_free(&made);
    return error;
}

static double compare(const char *what, const nfsar_capture *capture, const nfsar_grid *grid,
                      double *correlation) {
    nfsar_image truth = image_bp(capture, grid, NFSAR_BP_DOUBLE);
    double error = beside(what, &truth, capture, NULL, correlation);
    nfsar_image_free(&truth);
    return error;
}

/* ---- single antennas ---- */

static void whole_circle_to_any_tolerance(void **state) {
    (void)state;
    static const double tolerance[] = {1e-2, 1e-3, 2e-5};
    nfsar_capture capture;
    scan(&usual, &capture);
    nfsar_image truth = image_bp(&capture, &wide_grid, NFSAR_BP_DOUBLE);
    for (size_t i = 0; i < 3; i++) {
        nfsar_csar_options options = nfsar_csar_defaults();
        double correlation = 0.0;
        options.tolerance = tolerance[i];
        assert_true(beside("whole circle, to 60 % of the radius", &truth, &capture, &options,
                           &correlation) < tolerance[i]);
    }
    nfsar_image_free(&truth);
    nfsar_capture_free(&capture);
}

struct variant {
    const char *name;
    struct turntable table;
};

static void arcs_gaps_and_jitter(void **state) {
    (void)state;
    struct variant variants[] = {{"arc of 90 degrees", usual},
                                 {"arc of 180 degrees", usual},
                                 {"1 % missing", usual},
                                 {"jitter of 0.1 degrees", usual},
                                 {"axis beside the origin", usual},
                                 {"angles of no whole turn", usual}};
    variants[0].table.span_deg = 90.0;
    variants[0].table.from_deg = 100.0;
    variants[0].table.angles = 80;
    variants[1].table.span_deg = 180.0;
    variants[1].table.from_deg = -30.0;
    variants[1].table.angles = 160;
    variants[2].table.missing = 0.01;
    variants[3].table.jitter_deg = 0.1;
    variants[4].table.axis_x = 0.0055;
    variants[4].table.axis_z = -0.0035;
    variants[5].table.span_deg = 351.37;
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
        nfsar_capture capture;
        double correlation = 0.0;
        scan(&variants[i].table, &capture);
        assert_true(compare(variants[i].name, &capture, &middle_grid, &correlation) < 1e-3);
        nfsar_capture_free(&capture);
    }
}

/* One height, and the image in its plane: the two-dimensional case. */
static void one_height(void **state) {
    (void)state;
    struct turntable table = usual;
    nfsar_capture capture;
    nfsar_grid grid = {
        .x = {-0.42 * R0, 0.056 * R0, 16}, .y = {0.0, 1.0, 1}, .z = {-0.42 * R0, 0.056 * R0, 16}};
    double correlation = 0.0;
    table.heights = 1;
    table.n_sample = 16;
    scan(&table, &capture);
    assert_true(compare("one height", &capture, &grid, &correlation) < 1e-3);
    nfsar_capture_free(&capture);
}

/* The radar goes round below the grid, which is small and off the axis. */
static void grid_aside_and_above(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_grid grid = {
        .x = {0.16 * R0, 0.002, 9}, .y = {0.025, 0.004, 4}, .z = {0.36 * R0, 0.002, 1}};
    double correlation = 0.0;
    scan(&usual, &capture);
    assert_true(compare("grid aside and above", &capture, &grid, &correlation) < 2e-3);
    nfsar_capture_free(&capture);
}

/* Positions off the cylinder are compensated at boresight. */
static void wobbling_radius(void **state) {
    (void)state;
    struct turntable table = usual;
    nfsar_capture capture;
    nfsar_grid grid = {.x = {-0.2 * R0, 0.0496 * R0, 9},
                       .y = {-0.005, 0.005, 3},
                       .z = {-0.2 * R0, 0.0496 * R0, 9}};
    double correlation = 0.0;
    table.wobble = 0.5e-3;
    scan(&table, &capture);
    compare("radius +-0.5 mm, grid to 0.28 of it", &capture, &grid, &correlation);
    assert_true(correlation > 0.999);
    nfsar_capture_free(&capture);
}

/* ---- arrays ---- */

static void eight_channels(void **state) {
    (void)state;
    struct turntable table = usual;
    nfsar_capture capture;
    double correlation[4], error[4];
    static const enum nfsar_compensation models[] = {
        NFSAR_COMPENSATION_NONE, NFSAR_COMPENSATION_CLOSED_FORM, NFSAR_COMPENSATION_REFERENCE_POINT,
        NFSAR_COMPENSATION_EVERY_RANGE};
    table.array = "xwr1443-2tx";
    table.heights = 2;
    table.step_y = 2.0 * RADAR_LAMBDA;
    scan(&table, &capture);
    nfsar_image truth = image_bp(&capture, &wide_grid, NFSAR_BP_DOUBLE);
    for (int i = 0; i < 4; i++) {
        nfsar_csar_options options = nfsar_csar_defaults();
        options.compensation = models[i];
        error[i] =
            beside(nfsar_compensation_name(models[i]), &truth, &capture, &options, &correlation[i]);
    }
    nfsar_image_free(&truth);
    assert_true(correlation[1] >= 0.98 && correlation[2] >= 0.98 && correlation[3] >= 0.9999);
    assert_true(error[0] > 2.0 * error[1] && error[1] > 3.0 * error[3]);
    nfsar_capture_free(&capture);
}

/* ---- the point's picture ---- */

/* Largest magnitude along x near `at`, by a parabola; *width receives that at -3 dB. */
static double peak_along_x(const nfsar_image *image, double *width) {
    size_t n = image->grid.x.count, top = 0;
    for (size_t i = 0; i < n; i++) {
        top = cabsf(image->data[i]) > cabsf(image->data[top]) ? i : top;
    }
    assert_true(top > 0 && top + 1 < n);
    double a = cabsf(image->data[top - 1]), b = cabsf(image->data[top]),
           c = cabsf(image->data[top + 1]);
    double shift = 0.5 * (a - c) / (a - 2.0 * b + c), most = b - 0.25 * (a - c) * shift;
    double edge[2];
    for (int side = 0; side < 2; side++) {
        size_t i = top;
        while (i > 0 && i + 1 < n && cabsf(image->data[i]) > most * sqrt(0.5)) {
            i = side == 0 ? i - 1 : i + 1;
        }
        size_t in = side == 0 ? i + 1 : i - 1;
        double low = cabsf(image->data[i]), high = cabsf(image->data[in]);
        double part = (most * sqrt(0.5) - low) / (high - low);
        edge[side] = (double)i + part * ((double)in - (double)i);
    }
    *width = (edge[1] - edge[0]) * image->grid.x.step;
    return nfsar_axis_at(&image->grid.x, top) + shift * image->grid.x.step;
}

/* A full circle sees a ring of wavenumbers 2k_min to 2k_max: k_max J1(2 k_max r) / r less the same
 * of k_min. Its width at -3 dB, from this formula. */
static double ring_width(void) {
    double k_min = 2.0 * NFSAR_PI * 77e9 / NFSAR_SPEED_OF_LIGHT;
    double k_max = 2.0 * NFSAR_PI * 81e9 / NFSAR_SPEED_OF_LIGHT;
    double middle = k_max * k_max - k_min * k_min, r = 1e-6;
    while ((k_max * j1(2.0 * k_max * r) - k_min * j1(2.0 * k_min * r)) / r > middle * sqrt(0.5)) {
        r += 1e-8;
    }
    return 2.0 * r;
}

static void places_and_widths(void **state) {
    (void)state;
    struct turntable table = usual;
    table.heights = 1;
    table.n_sample = 16;
    nfsar_capture capture;
    scan(&table, &capture);
    double cell = 2.4 / (2.0 * NFSAR_PI * 158e9 / NFSAR_SPEED_OF_LIGHT);
    for (int i = 0; i < 5; i++) {
        memset(capture.echo, 0, capture.n_pulse * capture.n_sample * sizeof *capture.echo);
        nfsar_vec3 point = {points[i].x, 0.0, points[i].z};
        radar_add_points(&capture, &point, 1);
        nfsar_grid grid = {.x = {point.x - 1.5e-3 + 1.3e-5, 0.05e-3, 61},
                           .y = {0.0, 1.0, 1},
                           .z = {point.z, 1.0, 1}};
        for (int equal = 0; equal < 2; equal++) {
            nfsar_csar_options options = nfsar_csar_defaults();
            options.equal_views = equal == 1;
            nfsar_image image = image_csar(&capture, &grid, &options);
            double width = 0.0, at = peak_along_x(&image, &width);
            print_message("point at %.3f m from the axis%s: off by %.4f of a cell of %.3f mm, "
                          "width %.4f mm (ring %.4f)\n",
                          hypot(point.x, point.z), equal ? ", equal views" : "",
                          (at - point.x) / cell, 1e3 * cell, 1e3 * width, 1e3 * ring_width());
            assert_true(fabs(at - point.x) < 0.02 * cell);
            /* As in backprojection, a point off the axis is seen from more positions on the far
             * side than on the near one, and from few aside. */
            assert_true(fabs(width / ring_width() - 1.0) < (equal ? 0.01 : 0.15));
            nfsar_image_free(&image);
        }
    }
    nfsar_capture_free(&capture);
}

/* ---- plans ---- */

/* Little memory: fewer nodes at a time; and one thread or three. */
static void memory_and_threads_do_not_matter(void **state) {
    (void)state;
    struct turntable table = usual;
    table.angles = 160;
    nfsar_grid grid = {.x = {-0.16 * R0, 0.0352 * R0, 10},
                       .y = {-0.007, 0.0046, 4},
                       .z = {-0.16 * R0, 0.0352 * R0, 10}};
    nfsar_capture capture;
    scan(&table, &capture);
    nfsar_csar_options options = nfsar_csar_defaults();
    options.threads = 1;
    nfsar_image one = image_csar(&capture, &grid, &options);
    options.threads = 3;
    nfsar_image three = image_csar(&capture, &grid, &options);
    assert_memory_equal(one.data, three.data, nfsar_grid_voxels(&grid) * sizeof *one.data);
    options.threads = 1;
    options.memory = (size_t)4 << 20;
    nfsar_image little = image_csar(&capture, &grid, &options);
    assert_true(image_error(&one, &little) < 1e-6);
    nfsar_image_free(&one);
    nfsar_image_free(&three);
    nfsar_image_free(&little);
    nfsar_capture_free(&capture);
}

static void windows_weigh_frequencies(void **state) {
    (void)state;
    struct turntable table = usual;
    table.angles = 160;
    nfsar_grid grid = {.x = {-0.16 * R0, 0.0352 * R0, 10},
                       .y = {-0.007, 0.0046, 4},
                       .z = {-0.16 * R0, 0.0352 * R0, 10}};
    nfsar_capture capture;
    nfsar_error error;
    scan(&table, &capture);
    nfsar_csar_options options = nfsar_csar_defaults();
    options.frequency_window = NFSAR_WINDOW_HANN;
    nfsar_image made = image_csar(&capture, &grid, &options), truth;
    nfsar_bp_options exact = nfsar_bp_defaults();
    nfsar_bp_plan *plan = NULL;
    exact.precision = NFSAR_BP_DOUBLE;
    exact.frequency_window = NFSAR_WINDOW_HANN;
    nfsar_echo_source source = nfsar_capture_source(&capture);
    assert_ok(nfsar_image_create(&grid, &truth, &error), error);
    assert_ok(nfsar_bp_plan_create(&capture, &grid, &exact, &plan, &error), error);
    assert_ok(nfsar_bp_execute(plan, &source, truth.data, NULL, &error), error);
    assert_true(image_error(&truth, &made) < 1e-3);
    nfsar_bp_plan_destroy(plan);
    nfsar_image_free(&truth);
    nfsar_image_free(&made);
    nfsar_capture_free(&capture);
}

/* A band of three octaves, steep waves and long baselines: the development by the waves' slopes
 * must stay where it holds. */
static void wide_bands_stay_finite(void **state) {
    (void)state;
    struct turntable table = usual;
    nfsar_capture capture;
    nfsar_grid grid = {.x = {-0.008, 0.004, 5}, .y = {-0.05, 0.05, 3}, .z = {-0.008, 0.004, 5}};
    double correlation = 0.0;
    table.array = "xwr1443-2tx";
    table.heights = 2;
    table.step_y = 7.6e-3;
    table.n_sample = 24;
    scan(&table, &capture);
    memset(capture.echo, 0,
           capture.n_pulse * capture.array.n_channel * capture.n_sample * sizeof *capture.echo);
    for (size_t i = 0; i < capture.n_sample; i++) {
        capture.frequency_hz[i] = 10e9 + 70e9 * (double)i / 23.0;
    }
    radar_add_points(&capture, points, 1);
    compare("10 to 80 GHz", &capture, &grid, &correlation);
    assert_true(correlation > 0.999);
    nfsar_capture_free(&capture);
}

static bool stop(void *context, double fraction) {
    (void)context;
    (void)fraction;
    return false;
}

static void what_cannot_be_is_said(void **state) {
    (void)state;
    struct turntable table = usual;
    table.angles = 60;
    table.heights = 2;
    nfsar_capture capture;
    nfsar_cylinder cylinder;
    nfsar_csar_plan *plan = NULL;
    nfsar_error error;
    scan(&table, &capture);
    assert_ok(nfsar_cylinder_detect(&capture, 0.0, &cylinder, &error), error);
    nfsar_grid grid = {
        .x = {-0.8 * R0, 0.4 * R0, 5}, .y = {0.0, 1.0, 1}, .z = {-0.8 * R0, 0.4 * R0, 5}};
    assert_int_equal(nfsar_csar_check(&capture, &cylinder, &grid, NULL, NULL, &error),
                     NFSAR_ERROR_GEOMETRY);
    assert_contains(error.message, "reaches 0.09051 m from the axis");
    assert_contains(error.message, "goes round at 0.08 m");
    nfsar_grid good = {.x = {-0.02, 0.01, 5}, .y = {0.0, 1.0, 1}, .z = {-0.02, 0.01, 5}};
    nfsar_csar_options options = nfsar_csar_defaults();
    options.tolerance = 1e-7;
    assert_int_equal(nfsar_csar_plan_create(&capture, &cylinder, &good, &options, &plan, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_null(plan);
    nfsar_grid fine = {.x = {0.0, 1.0, 1}, .y = {0.0, 1e-30, 2}, .z = {0.0, 1.0, 1}};
    assert_int_equal(nfsar_csar_check(&capture, &cylinder, &fine, NULL, NULL, &error),
                     NFSAR_ERROR_GEOMETRY);
    assert_contains(error.message, "finer than csar makes");
    options.tolerance = 1e-3;
    options.memory = 1000;
    assert_int_equal(nfsar_csar_plan_create(&capture, &cylinder, &good, &options, &plan, &error),
                     NFSAR_ERROR_MEMORY);
    assert_contains(error.message, "csar takes");
    capture.pose[7].position.x += 0.004;
    assert_ok(nfsar_cylinder_detect(&capture, 0.01, &cylinder, &error), error);
    grid = (nfsar_grid){
        .x = {-0.4 * R0, 0.2 * R0, 5}, .y = {0.0, 1.0, 1}, .z = {-0.4 * R0, 0.2 * R0, 5}};
    assert_int_equal(nfsar_csar_check(&capture, &cylinder, &grid, NULL, NULL, &error),
                     NFSAR_ERROR_GEOMETRY);
    assert_contains(error.message, "off the cylinder");
    capture.pose[7].position.x -= 0.004;
    assert_ok(nfsar_cylinder_detect(&capture, 0.0, &cylinder, &error), error);
    assert_ok(nfsar_csar_plan_create(&capture, &cylinder, &good, NULL, &plan, &error), error);
    float complex image[25];
    nfsar_echo_source source = nfsar_capture_source(&capture);
    assert_int_equal(
        nfsar_csar_execute(plan, &source, image, &(nfsar_progress){stop, NULL}, &error),
        NFSAR_ERROR_CANCELLED);
    nfsar_csar_transform list[32];
    size_t n = nfsar_csar_plan_transforms(plan, list, 32);
    assert_true(n > 5 && n <= 32);
    assert_true(nfsar_csar_plan_memory(plan) > 0);
    nfsar_csar_plan_destroy(plan);
    nfsar_csar_plan_destroy(NULL);
    nfsar_capture_free(&capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_circle_to_any_tolerance),
        cmocka_unit_test(arcs_gaps_and_jitter),
        cmocka_unit_test(one_height),
        cmocka_unit_test(grid_aside_and_above),
        cmocka_unit_test(wobbling_radius),
        cmocka_unit_test(eight_channels),
        cmocka_unit_test(wide_bands_stay_finite),
        cmocka_unit_test(places_and_widths),
        cmocka_unit_test(memory_and_threads_do_not_matter),
        cmocka_unit_test(windows_weigh_frequencies),
        cmocka_unit_test(what_cannot_be_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
