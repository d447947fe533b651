/* Single-precision backprojection against the double form: every version of the kernels, every
 * range, any orientation, any shape of grid. */
#include "algorithms/bp_kernel.h"

bp_kernel bp_add_wide;

#define LANES_WIDE
#include "algorithms/bp_kernel_body.h"

#include "tests/support.h"

#include <stdlib.h>

#include "algorithms/bp_plan.h"
#include "tests/images.h"
#include "tests/radar.h"

#define QUARTER (RADAR_LAMBDA / 4.0)

/* The kernels of the library that run here, and the widest text in any instructions. */
enum { WIDE = NFSAR_KERNEL_AVX512 + 1, KERNELS };

static bool available(int kernel) {
    return kernel == WIDE || nfsar_kernel_available((enum nfsar_kernel)kernel);
}

static nfsar_image image_by(const nfsar_capture *capture, const nfsar_grid *grid, int kernel,
                            const nfsar_bp_options *with) {
    nfsar_error error;
    nfsar_image image;
    nfsar_bp_plan *plan;
    nfsar_bp_options options = with != NULL ? *with : nfsar_bp_defaults();
    options.kernel = kernel == WIDE ? NFSAR_KERNEL_PORTABLE : (enum nfsar_kernel)kernel;
    nfsar_echo_source source = nfsar_capture_source(capture);
    assert_ok(nfsar_image_create(grid, &image, &error), error);
    assert_ok(nfsar_bp_plan_create(capture, grid, &options, &plan, &error), error);
    assert_true(kernel == NFSAR_KERNEL_AUTO || nfsar_bp_plan_kernel(plan) == options.kernel);
    if (kernel == WIDE) {
        plan->add = bp_add_wide;
    }
    assert_ok(nfsar_bp_execute(plan, &source, image.data, NULL, &error), error);
    nfsar_bp_plan_destroy(plan);
    return image;
}

/* Largest difference, in dB of the peak. */
static double difference_db(const nfsar_image *truth, const nfsar_image *image) {
    double peak = 0.0, worst = 0.0;
    for (size_t i = 0; i < nfsar_grid_voxels(&truth->grid); i++) {
        peak = fmax(peak, (double)cabsf(truth->data[i]));
        worst = fmax(worst, (double)cabsf(truth->data[i] - image->data[i]));
    }
    return 20.0 * log10(worst / peak + 1e-15);
}

/* Every kernel against the double form; -60 dB is what is promised, `limit` what is expected. */
static void judge(const char *what, const nfsar_capture *capture, const nfsar_grid *grid,
                  double limit) {
    nfsar_image truth = image_bp(capture, grid, NFSAR_BP_DOUBLE);
    double worst = -INFINITY;
    for (int kernel = NFSAR_KERNEL_PORTABLE; kernel < KERNELS; kernel++) {
        if (!available(kernel)) {
            continue;
        }
        nfsar_image image = image_by(capture, grid, kernel, NULL);
        double error = difference_db(&truth, &image);
        worst = fmax(worst, error);
        if (!(error < limit)) {
            fail_msg("%s, kernel %d: %.1f dB of the peak", what, kernel, error);
        }
        nfsar_image_free(&image);
    }
    print_message("%-44s %6.1f dB\n", what, worst);
    nfsar_image_free(&truth);
}

static nfsar_axis about(double middle, double step, size_t count) {
    return (nfsar_axis){middle - 0.5 * step * (double)(count - 1), step, count};
}

/* A raster turned by `turn` about the origin, looking at points `range` away. */
static void turned(const char *preset, double range, nfsar_quaternion turn, nfsar_capture *capture,
                   nfsar_vec3 *target) {
    radar_raster(preset, 6, 20.0 * QUARTER, 5, 20.0 * QUARTER, 64, capture);
    for (size_t i = 0; i < capture->n_pulse; i++) {
        capture->pose[i].position = nfsar_quaternion_rotate(turn, capture->pose[i].position);
        capture->pose[i].orientation = turn;
    }
    *target = nfsar_quaternion_rotate(turn, (nfsar_vec3){0.0, 0.0, range});
    nfsar_vec3 point[2] = {*target, *target};
    point[1].x += 0.006;
    point[1].y -= 0.01;
    radar_add_points(capture, point, 2);
}

static void every_range_and_orientation(void **state) {
    (void)state;
    static const double ranges[] = {0.1, 0.3, 1.0, 3.0};
    const char *presets[] = {"single", "xwr1443-3tx"};
    const nfsar_quaternion turns[] = {
        nfsar_quaternion_from_axis_angle((nfsar_vec3){1, 0, 0}, 0.0),
        nfsar_quaternion_from_axis_angle((nfsar_vec3){1, 0, 0}, 0.5 * NFSAR_PI),
        nfsar_quaternion_from_axis_angle((nfsar_vec3){0, 1, 0}, 0.5 * NFSAR_PI),
        nfsar_quaternion_from_axis_angle((nfsar_vec3){0.3, 1.0, -0.2}, 2.1)};
    for (size_t i = 0; i < 4 * 2 * 4; i++) {
        nfsar_capture capture;
        nfsar_vec3 target;
        char what[80];
        turned(presets[i / 4 % 2], ranges[i / 8], turns[i % 4], &capture, &target);
        snprintf(what, sizeof what, "%s at %g m, orientation %zu", presets[i / 4 % 2],
                 ranges[i / 8], i % 4);
        nfsar_grid grid = {about(target.x, 2e-3, 19), about(target.y, 1.7e-3, 13),
                           about(target.z, 2.3e-3, 5)};
        judge(what, &capture, &grid, -70.0);
        nfsar_capture_free(&capture);
    }
}

/* Lines, planes and single voxels along every axis; coarse grids, where profiles are looked up;
 * grids round the antennas themselves, where the root is taken. */
static void every_shape_of_grid(void **state) {
    (void)state;
    static const struct {
        const char *what;
        double step[3];
        size_t count[3];
        double z, limit;
    } grids[] = {
        {"one voxel", {1, 1, 1}, {1, 1, 1}, 0.25, -70.0},
        {"a line along z", {1, 1, 1e-3}, {1, 1, 70}, 0.25, -70.0},
        {"a line along y", {1, 1e-3, 1}, {1, 33, 1}, 0.25, -70.0},
        {"a plane across x", {1, 1e-3, 2e-3}, {1, 21, 17}, 0.25, -70.0},
        {"a plane across y", {2e-3, 1, 3e-3}, {17, 1, 21}, 0.25, -70.0},
        {"voxels of 6 mm", {6e-3, 6e-3, 6e-3}, {17, 9, 5}, 0.25, -70.0},
        {"voxels of 2 cm", {2e-2, 2e-2, 2e-2}, {17, 9, 5}, 0.3, -62.0},
        {"voxels of 10 cm", {1e-1, 1e-1, 1e-1}, {9, 9, 9}, 0.6, -62.0},
        {"round the antennas", {4e-3, 4e-3, 4e-3}, {17, 9, 9}, 0.0, -62.0},
    };
    for (size_t i = 0; i < sizeof grids / sizeof grids[0]; i++) {
        for (int mimo = 0; mimo < 2; mimo++) {
            nfsar_capture capture;
            nfsar_vec3 point[2] = {{0.0, 0.0, grids[i].z}, {0.01, -0.02, grids[i].z + 0.02}};
            radar_raster(mimo ? "xwr1443-3tx" : "single", 5, 8.0 * QUARTER, 4, 8.0 * QUARTER, 48,
                         &capture);
            radar_add_points(&capture, point, 2);
            nfsar_grid grid = {about(0.0, grids[i].step[0], grids[i].count[0]),
                               about(0.0, grids[i].step[1], grids[i].count[1]),
                               about(grids[i].z, grids[i].step[2], grids[i].count[2])};
            judge(grids[i].what, &capture, &grid, grids[i].limit);
            nfsar_capture_free(&capture);
        }
    }
}

/* A bistatic pair, and channels whose antennas move from one to the next. */
static void channels_of_all_kinds(void **state) {
    (void)state;
    nfsar_grid grid = {about(0.0, 2e-3, 19), about(0.0, 2e-3, 9), about(0.25, 2e-3, 9)};
    nfsar_vec3 point[2] = {{0.0, 0.0, 0.25}, {0.01, -0.006, 0.252}};
    nfsar_capture capture;
    radar_raster("single", 6, 8.0 * QUARTER, 5, 8.0 * QUARTER, 64, &capture);
    capture.array.rx_m[0] = (nfsar_vec3){0.03, -0.01, 0.002};
    radar_add_points(&capture, point, 2);
    judge("a bistatic pair", &capture, &grid, -70.0);
    nfsar_capture_free(&capture);

    radar_raster("xwr1443-2tx", 6, 8.0 * QUARTER, 5, 8.0 * QUARTER, 64, &capture);
    for (size_t c = 0; c < capture.array.n_channel; c++) {
        capture.array.channel_time_s[c] = 1e-4 * (double)(c % 2);
    }
    radar_add_points(&capture, point, 2);
    judge("time-multiplexed transmitters", &capture, &grid, -70.0);
    nfsar_capture_free(&capture);
}

/* Threads change nothing at all; blocks of pulses, kernels and wider tolerances little. */
static void ways_agree(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_vec3 point[2] = {{0.0, 0.0, 0.25}, {0.01, -0.006, 0.252}};
    radar_raster("xwr1443-3tx", 9, 8.0 * QUARTER, 5, 8.0 * QUARTER, 64, &capture);
    radar_add_points(&capture, point, 2);
    nfsar_grid grid = {about(0.0, 2e-3, 35), about(0.0, 2e-3, 19), about(0.25, 2e-3, 9)};
    nfsar_bp_options options = nfsar_bp_defaults();
    options.threads = 1;
    nfsar_image first = image_by(&capture, &grid, NFSAR_KERNEL_PORTABLE, &options);
    for (int threads = 2; threads <= 5; threads++) {
        options.threads = threads;
        nfsar_image image = image_by(&capture, &grid, NFSAR_KERNEL_PORTABLE, &options);
        assert_memory_equal(image.data, first.data, nfsar_grid_voxels(&grid) * sizeof *image.data);
        nfsar_image_free(&image);
    }
    for (int kernel = NFSAR_KERNEL_AVX2; kernel < KERNELS; kernel++) {
        if (available(kernel)) {
            nfsar_image image = image_by(&capture, &grid, kernel, &options);
            assert_true(difference_db(&first, &image) < -100.0);
            nfsar_image_free(&image);
        }
    }
    options.memory = 1;
    nfsar_image pieces = image_by(&capture, &grid, NFSAR_KERNEL_PORTABLE, &options);
    assert_true(difference_db(&first, &pieces) < -80.0);
    nfsar_image_free(&pieces);

    /* A tolerance is kept: tighter ones come nearer to the truth. */
    nfsar_image truth = image_bp(&capture, &grid, NFSAR_BP_DOUBLE);
    static const double tolerances[] = {1e-2, 1e-3, 1e-4, 1e-5};
    for (size_t i = 0; i < 4; i++) {
        options = nfsar_bp_defaults();
        options.tolerance = tolerances[i];
        nfsar_image image = image_by(&capture, &grid, NFSAR_KERNEL_AUTO, &options);
        double error = difference_db(&truth, &image);
        print_message("tolerance %g: %.1f dB\n", tolerances[i], error);
        assert_true(error < fmax(20.0 * log10(tolerances[i]), -78.0));
        nfsar_image_free(&image);
    }
    nfsar_image_free(&truth);
    nfsar_image_free(&first);
    nfsar_capture_free(&capture);
}

static void kernels_by_name(void **state) {
    (void)state;
    nfsar_error error;
    enum nfsar_kernel kernel;
    for (int k = 0; k <= NFSAR_KERNEL_AVX512; k++) {
        assert_ok(nfsar_kernel_parse(nfsar_kernel_name((enum nfsar_kernel)k), &kernel, &error),
                  error);
        assert_int_equal(kernel, k);
        if (nfsar_kernel_available(kernel)) {
            assert_ok(nfsar_kernel_choose(kernel, &kernel, &error), error);
            assert_true(kernel != NFSAR_KERNEL_AUTO);
        } else {
            assert_int_equal(nfsar_kernel_choose(kernel, &kernel, &error), NFSAR_ERROR_ARGUMENT);
            assert_contains(error.message, nfsar_kernel_name((enum nfsar_kernel)k));
        }
    }
    assert_int_equal(nfsar_kernel_parse("sse9", &kernel, &error), NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "avx2");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_by_name),     cmocka_unit_test(every_range_and_orientation),
        cmocka_unit_test(every_shape_of_grid), cmocka_unit_test(channels_of_all_kinds),
        cmocka_unit_test(ways_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
