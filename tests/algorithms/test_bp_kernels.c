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
        {"voxels of 2 m", {2.0, 2.0, 2.0}, {9, 5, 3}, 10.0, -75.0},
        {"two by two of 2 cm", {2e-2, 2e-2, 1}, {2, 2, 1}, 0.25, -75.0},
        {"a few more of 1 cm", {1e-2, 1e-2, 1e-2}, {18, 2, 2}, 0.25, -62.0},
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

/* Bands from a single frequency to one so narrow that a range cell is many thousand wavelengths,
 * and a wide one at a low carrier. */
static void every_band(void **state) {
    (void)state;
    static const struct {
        const char *what;
        double first_hz, band_hz, step, z;
    } bands[] = {
        {"one frequency", 77e9, 0.0, 2e-3, 0.25},      {"a band of 100 kHz", 77e9, 1e5, 2e-3, 0.25},
        {"100 kHz, 30 cm", 77e9, 1e5, 0.3, 5.0},       {"a band of 20 MHz", 77e9, 2e7, 0.1, 2.0},
        {"2 to 18 GHz", 2e9, 16e9, 3e-3, 0.2},         {"10 to 410 MHz", 1e7, 4e8, 2e-2, 0.5},
        {"10 to 410 MHz round", 1e7, 4e8, 2e-2, 0.05},
    };
    for (size_t i = 0; i < sizeof bands / sizeof bands[0]; i++) {
        nfsar_capture capture;
        nfsar_vec3 point[2] = {{0.0, 0.0, bands[i].z},
                               {0.01, -0.02, bands[i].z + 3.0 * bands[i].step}};
        radar_raster("xwr1443-2tx", 5, 8.0 * QUARTER, 4, 8.0 * QUARTER, 16, &capture);
        for (size_t k = 0; k < 16; k++) {
            capture.frequency_hz[k] = bands[i].first_hz + bands[i].band_hz * (double)k / 15.0;
        }
        radar_add_points(&capture, point, 2);
        nfsar_grid grid = {about(0.0, bands[i].step, 19), about(0.0, bands[i].step, 9),
                           about(bands[i].z, bands[i].step, 5)};
        judge(bands[i].what, &capture, &grid, -75.0);
        nfsar_capture_free(&capture);
    }
}

/* Largest error of the half turns that the kernel counts over all blocks of a plan, in radians. */
static double largest_phase_error(nfsar_bp_plan *plan) {
    const struct bp_lines *lines = &plan->lines;
    struct bp_terms terms = {0};
    struct halfturns halfturns;
    double worst = 0.0;
    assert_true(bp_terms_make(lines, &terms));
    const size_t *blocks = plan->shape.blocks;
    for (size_t index = 0; index < blocks[0] * blocks[1] * blocks[2]; index++) {
        struct bp_block block;
        size_t first[3], own[3];
        bp_shape_block(plan, index, &block, first, own);
        for (size_t pulse = 0; pulse < lines->n_pulse; pulse += terms.pulses) {
            size_t left = lines->n_pulse - pulse, from = pulse * lines->n_antenna;
            size_t pulses = left < terms.pulses ? left : terms.pulses;
            size_t n = pulses * lines->n_antenna;
            bp_terms_tilts(lines, &block, from, n, &terms);
            struct bp_demand demand = bp_terms_demand(lines, &block, 0, n, &terms);
            bp_terms_series(lines, 0, n, demand.series, &terms);
            bp_terms_places(lines, pulses, &terms);
            for (size_t line = 0; line < pulses * lines->n_link; line++) {
                measure_line(&block, &terms, line, lines->monostatic ? 1 : 2, demand.series,
                             &halfturns);
                size_t end[2] = {from + (size_t)terms.tx[line], from + (size_t)terms.rx[line]};
                for (size_t i = 0; i < block.rows * BP_LANES; i++) {
                    size_t r = i / BP_LANES, l = i % BP_LANES;
                    double voxel[3] = {block.centre[0] + (double)block.u[l],
                                       block.centre[1] + (double)block.v[r],
                                       block.centre[2] + (double)block.w[r]};
                    double range = 0.0, centre = 0.0;
                    for (int e = 0; e < 2; e++) {
                        double a = lines->at[0][end[e]], b = lines->at[1][end[e]],
                               c = lines->at[2][end[e]];
                        range += hypot(hypot(voxel[0] - a, voxel[1] - b), voxel[2] - c);
                        centre += hypot(hypot(block.centre[0] - a, block.centre[1] - b),
                                        block.centre[2] - c);
                    }
                    double exact = (range - centre) * lines->halfturns_per_metre;
                    double error = (double)halfturns.of[r][l] - (double)terms.offset[line] - exact;
                    worst = fmax(worst, NFSAR_PI * fabs(error));
                }
            }
        }
    }
    bp_terms_free(&terms);
    return worst;
}

/* Half turns from a place near the block's centre: the place itself is known in double. */
static void phase_error(void **state) {
    (void)state;
    static const double ranges[] = {0.1, 0.2, 0.3, 0.5, 1.0, 3.0}, steps[] = {5e-4, 1e-3, 2e-3};
    for (size_t i = 0; i < 6 * 3 * 2; i++) {
        double range = ranges[i % 6], step = steps[i / 6 % 3];
        nfsar_capture capture;
        nfsar_bp_plan *plan;
        nfsar_error error;
        radar_raster(i / 18 ? "xwr1443-3tx" : "single", 9, 50.0 * QUARTER, 9, 50.0 * QUARTER, 64,
                     &capture);
        nfsar_echo_source source = nfsar_capture_source(&capture);
        nfsar_grid grid = {about(0.0, step, 64), about(0.0, step, 16), about(range, step, 16)};
        nfsar_image image;
        assert_ok(nfsar_image_create(&grid, &image, &error), error);
        assert_ok(nfsar_bp_plan_create(&capture, &grid, NULL, &plan, &error), error);
        assert_ok(nfsar_bp_execute(plan, &source, image.data, NULL, &error), error);
        double worst = largest_phase_error(plan);
        print_message("%zu channels, %g m, steps of %g mm: %.1e rad\n", capture.array.n_channel,
                      range, 1e3 * step, worst);
        assert_true(worst < 1e-4);
        nfsar_bp_plan_destroy(plan);
        nfsar_image_free(&image);
        nfsar_capture_free(&capture);
    }
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

static void refuses(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    nfsar_bp_plan *plan;
    nfsar_grid grid = {about(0.0, 2e-3, 3), about(0.0, 2e-3, 3), about(0.25, 2e-3, 3)};
    radar_raster("single", 6, 8.0 * QUARTER, 5, 8.0 * QUARTER, 64, &capture);
    nfsar_bp_options options = nfsar_bp_defaults();
    options.tolerance = 1e-6;
    assert_int_equal(nfsar_bp_plan_create(&capture, &grid, &options, &plan, &error),
                     NFSAR_ERROR_ARGUMENT);
    capture.pose[7].position.y = NAN;
    assert_int_equal(nfsar_bp_plan_create(&capture, &grid, NULL, &plan, &error),
                     NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "pose 7");
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
        cmocka_unit_test(every_band),          cmocka_unit_test(phase_error),
        cmocka_unit_test(ways_agree),          cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
