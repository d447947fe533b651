/* Non-uniform range migration of scans as they are made: radars of several antennas, held askew,
 * moving; input that makes no sense; and the choice of it by the imager. */
#include "tests/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/reconstruct.h>
#include <nfsar/simulation.h>

#include "tests/images.h"
#include "tests/radar.h"

#define QUARTER (RADAR_LAMBDA / 4.0)

static const nfsar_vec3 points[4] = {
    {0.01, 0.02, 0.3}, {-0.02, -0.015, 0.31}, {0.004, 0.0, 0.29}, {-0.012, 0.01, 0.3}};

static const nfsar_grid small_volume = {
    .x = {-0.022, 0.002, 20}, .y = {-0.018, 0.002, 20}, .z = {0.285, 0.01, 4}};

static double between(nfsar_random *random, double half) {
    return half * (2.0 * nfsar_random_uniform(random) - 1.0);
}

/* n pulses of a radar at random places within +-0.125 m, on a smooth surface within +-offset. */
static void scan_by_hand(const char *preset, size_t n, double offset, nfsar_capture *capture) {
    nfsar_random random;
    nfsar_random_seed(&random, 7);
    radar_raster(preset, n, 0.0, 1, 0.0, 16, capture);
    for (size_t i = 0; i < n; i++) {
        double x = between(&random, 0.125), y = between(&random, 0.125);
        capture->pose[i].position =
            (nfsar_vec3){x, y, offset * sin(17.0 * x + 2.0) * cos(13.0 * y + 1.0)};
    }
}

/* Eight channels, baselines up to 18 mm: what is left is the baselines' phase away from the
 * reference. What compensation at boresight makes of the same scan stands beside. */
static void several_channels_at_any_offset(void **state) {
    (void)state;
    const double offset[2] = {0.025, 0.1};
    for (int i = 0; i < 2; i++) {
        nfsar_capture capture;
        scan_by_hand("xwr1443-2tx", 300, offset[i], &capture);
        radar_add_points(&capture, points, 4);
        nfsar_nurma_options options = nfsar_nurma_defaults();
        options.tolerance = 1e-2;
        nfsar_image truth = image_bp(&capture, &small_volume, NFSAR_BP_DOUBLE);
        nfsar_image exact = image_nurma(&capture, &small_volume, &options);
        options.offsets = NFSAR_OFFSETS_BORESIGHT;
        nfsar_image boresight = image_nurma(&capture, &small_volume, &options);
        options.offsets = NFSAR_OFFSETS_IGNORED;
        nfsar_image ignored = image_nurma(&capture, &small_volume, &options);
        double nurma = image_correlation(&truth, &exact);
        double empm = image_correlation(&truth, &boresight);
        double none = image_correlation(&truth, &ignored);
        print_message("8 channels, +-%g mm: correlation nurma %.4f, empm %.4f, none %.4f\n",
                      1e3 * offset[i], nurma, empm, none);
        assert_true(nurma >= 0.99);
        assert_true(empm < 0.9 && none < empm);
        nfsar_image_free(&truth);
        nfsar_image_free(&exact);
        nfsar_image_free(&boresight);
        nfsar_image_free(&ignored);
        nfsar_capture_free(&capture);
    }
}

/* A radar on the move that turns about all axes by up to 15 degrees, poses at other times than the
 * pulses, channels one after the other. */
static void radar_askew_and_moving(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_random random;
    nfsar_random_seed(&random, 11);
    scan_by_hand("xwr1443-2tx", 300, 0.02, &capture);
    double most = 15.0 * NFSAR_PI / 180.0;
    for (size_t i = 0; i < capture.n_pulse; i++) {
        nfsar_quaternion about_x =
            nfsar_quaternion_from_axis_angle((nfsar_vec3){1.0, 0.0, 0.0}, between(&random, most));
        nfsar_quaternion about_y =
            nfsar_quaternion_from_axis_angle((nfsar_vec3){0.0, 1.0, 0.0}, between(&random, most));
        nfsar_quaternion about_z =
            nfsar_quaternion_from_axis_angle((nfsar_vec3){0.0, 0.0, 1.0}, between(&random, most));
        capture.pose[i].orientation =
            nfsar_quaternion_multiply(about_x, nfsar_quaternion_multiply(about_y, about_z));
        capture.pose_time_s[i] = 1.0 * (double)i;
        capture.time_s[i] = 0.4 + 0.99 * (double)i;
    }
    for (size_t c = 0; c < capture.array.n_channel; c++) {
        capture.array.channel_time_s[c] = c < 4 ? 0.0 : 0.02;
    }
    nfsar_scatterer scatterer[4];
    nfsar_error error;
    for (int i = 0; i < 4; i++) {
        scatterer[i] = (nfsar_scatterer){points[i], 1.0f};
    }
    assert_ok(nfsar_simulate(&capture, scatterer, 4, &(nfsar_simulation_options){0}, 0,
                             capture.n_pulse, capture.echo, NULL, &error),
              error);
    nfsar_nurma_options options = nfsar_nurma_defaults();
    options.tolerance = 1e-2;
    nfsar_image truth = image_bp(&capture, &small_volume, NFSAR_BP_DOUBLE);
    nfsar_image exact = image_nurma(&capture, &small_volume, &options);
    for (size_t c = 0; c < capture.array.n_channel; c++) {
        capture.array.channel_time_s[c] = 0.0;
    }
    nfsar_image at_once = image_nurma(&capture, &small_volume, &options);
    for (size_t c = 0; c < capture.array.n_channel; c++) {
        capture.array.channel_time_s[c] = c < 4 ? 0.0 : 0.02;
    }
    for (size_t i = 0; i < capture.n_pulse; i++) {
        capture.pose[i].orientation = NFSAR_QUATERNION_IDENTITY;
    }
    nfsar_image straight = image_nurma(&capture, &small_volume, &options);
    double all = image_correlation(&truth, &exact);
    double no_times = image_correlation(&truth, &at_once);
    double no_tilt = image_correlation(&truth, &straight);
    print_message("askew and moving: %.4f; without channel times %.4f; without orientation %.4f\n",
                  all, no_times, no_tilt);
    assert_true(all >= 0.99);
    assert_true(no_times < 0.9 && no_tilt < 0.97);
    nfsar_image_free(&truth);
    nfsar_image_free(&exact);
    nfsar_image_free(&at_once);
    nfsar_image_free(&straight);
    nfsar_capture_free(&capture);
}

static const nfsar_grid tiny = {
    .x = {-0.01, 0.005, 5}, .y = {-0.01, 0.005, 4}, .z = {0.29, 0.01, 3}};

/* Few pulses at random places, noise for samples. */
static void few_pulses(size_t n, size_t n_sample, double offset, nfsar_capture *capture) {
    nfsar_random random;
    nfsar_random_seed(&random, 3);
    radar_raster("single", n, 0.0, 1, 0.0, n_sample, capture);
    for (size_t i = 0; i < n; i++) {
        capture->pose[i].position =
            (nfsar_vec3){between(&random, 0.03), between(&random, 0.03), between(&random, offset)};
    }
    for (size_t i = 0; i < n * n_sample; i++) {
        capture->echo[i] = (float complex)nfsar_random_complex_normal(&random);
    }
}

static double error_of(const nfsar_capture *capture, const nfsar_grid *grid,
                       const nfsar_nurma_options *options) {
    nfsar_image truth = image_bp(capture, grid, NFSAR_BP_DOUBLE);
    nfsar_image fast = image_nurma(capture, grid, options);
    double error = image_error(&truth, &fast);
    nfsar_image_free(&truth);
    nfsar_image_free(&fast);
    return error;
}

static void few_or_the_same(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    few_pulses(20, 8, 0.02, &capture);
    for (size_t i = 10; i < 20; i++) {
        capture.pose[i] = capture.pose[i - 10];
    }
    double repeated = error_of(&capture, &tiny, NULL);
    nfsar_capture_free(&capture);
    few_pulses(2, 8, 0.02, &capture);
    double two = error_of(&capture, &tiny, NULL);
    nfsar_capture_free(&capture);
    few_pulses(20, 1, 0.02, &capture);
    double one_frequency = error_of(&capture, &tiny, NULL);
    nfsar_capture_free(&capture);
    few_pulses(1, 8, 0.02, &capture);
    assert_int_equal(nfsar_nurma_check(&capture, &tiny, NULL, NULL, &error), NFSAR_ERROR_GEOMETRY);
    assert_contains(error.message, "no aperture");
    nfsar_capture_free(&capture);
    print_message("repeated poses %.1e, two pulses %.1e, one frequency %.1e\n", repeated, two,
                  one_frequency);
    assert_true(repeated < 1e-3 && two < 1e-3 && one_frequency < 1e-3);
}

/* One refusal: its status, and what its only line says. */
static void refuse(const nfsar_capture *capture, const nfsar_grid *grid,
                   const nfsar_nurma_options *options, enum nfsar_status status, const char *part) {
    nfsar_nurma_plan *plan;
    nfsar_nurma_report report;
    nfsar_error error = {0};
    assert_int_equal(nfsar_nurma_check(capture, grid, options, &report, &error), status);
    assert_contains(error.message, part);
    assert_int_equal(nfsar_nurma_plan_create(capture, grid, options, &plan, &error), status);
    assert_null(plan);
    print_message("  %s\n", error.message);
    assert_contains(error.message, part);
    assert_null(strchr(error.message, '\n'));
}

static void refusals(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_nurma_options options = nfsar_nurma_defaults();
    few_pulses(20, 8, 0.02, &capture);
    nfsar_vec3 kept = capture.pose[7].position;
    capture.pose[7].position.y = NAN;
    refuse(&capture, &tiny, NULL, NFSAR_ERROR_FORMAT, "pulse 7");
    capture.pose[7].position = (nfsar_vec3){0.0, 0.0, INFINITY};
    refuse(&capture, &tiny, NULL, NFSAR_ERROR_FORMAT, "pulse 7");
    capture.pose[7].position = (nfsar_vec3){0.0, 0.0, 0.3};
    refuse(&capture, &tiny, NULL, NFSAR_ERROR_GEOMETRY, "0.29 to 0.31 m lies among the antennas");
    capture.pose[7].position = (nfsar_vec3){0.0, 0.0, 0.5};
    refuse(&capture, &tiny, NULL, NFSAR_ERROR_GEOMETRY, "to 0.5 m");
    capture.pose[7].position = (nfsar_vec3){0.0, 0.0, -4000.0};
    refuse(&capture, &tiny, NULL, NFSAR_ERROR_MEMORY, "metres");
    capture.pose[7].position = kept;
    options.plane = 0.4;
    refuse(&capture, &tiny, &options, NFSAR_ERROR_GEOMETRY, "z = 0.4 m");
    options.plane = 0.3;
    refuse(&capture, &tiny, &options, NFSAR_ERROR_GEOMETRY, "z = 0.3 m");
    options.plane = NAN;
    const double wrong[] = {0.0, -1e-3, 1e-6, 0.2, 1e300, NAN, INFINITY};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        options.tolerance = wrong[i];
        refuse(&capture, &tiny, &options, NFSAR_ERROR_ARGUMENT, "from 1e-5 to 0.1");
    }
    options = nfsar_nurma_defaults();
    options.memory = 100000;
    refuse(&capture, &tiny, &options, NFSAR_ERROR_MEMORY, "smaller grid");
    nfsar_grid wide = {.x = {-3e5, 1e5, 7}, .y = {0.0, 1.0, 1}, .z = {0.3, 1.0, 1}};
    refuse(&capture, &wide, NULL, NFSAR_ERROR_MEMORY, "metres");
    wide.x = (nfsar_axis){-500.0, 1e-3, 1000001};
    refuse(&capture, &wide, NULL, NFSAR_ERROR_MEMORY, "metres");
    wide.x = (nfsar_axis){0.0, 1e300, 3};
    refuse(&capture, &wide, NULL, NFSAR_ERROR_ARGUMENT, "x");
    for (size_t i = 0; i < capture.n_pulse; i++) {
        capture.pose[i].position = (nfsar_vec3){0.1, 0.2, 0.001 * (double)i};
    }
    refuse(&capture, &tiny, NULL, NFSAR_ERROR_GEOMETRY, "x = 0.1, y = 0.2 m");
    nfsar_capture_free(&capture);
}

/* A scan in millimetres: thousands of wavelengths of offset, and still one line. */
static void millimetres(void **state) {
    (void)state;
    nfsar_capture capture;
    few_pulses(20, 8, 0.02, &capture);
    for (size_t i = 0; i < capture.n_pulse; i++) {
        capture.pose[i].position = nfsar_vec3_scale(capture.pose[i].position, 1e3);
    }
    refuse(&capture, &tiny, NULL, NFSAR_ERROR_GEOMETRY, "among the antennas");
    nfsar_grid grid = {.x = {-10.0, 5.0, 5}, .y = {-10.0, 5.0, 5}, .z = {290.0, 10.0, 3}};
    refuse(&capture, &grid, NULL, NFSAR_ERROR_MEMORY, "range migration");
    nfsar_capture_free(&capture);
}

/* Blocks of frequencies and slabs of depths, and any number of threads. */
static void memory_and_threads(void **state) {
    (void)state;
    nfsar_capture capture;
    few_pulses(150, 40, 0.01, &capture);
    nfsar_grid grid = {.x = {-0.02, 0.001, 41}, .y = {-0.02, 0.001, 37}, .z = {0.25, 0.002, 41}};
    nfsar_nurma_options options = nfsar_nurma_defaults();
    options.threads = 1;
    nfsar_image one = image_nurma(&capture, &grid, &options);
    for (int threads = 2; threads <= 5; threads += 3) {
        options.threads = threads;
        nfsar_image more = image_nurma(&capture, &grid, &options);
        assert_memory_equal(one.data, more.data, nfsar_grid_voxels(&grid) * sizeof *one.data);
        nfsar_image_free(&more);
    }
    nfsar_error error = {0};
    size_t least = 0;
    options.threads = 2;
    for (options.memory = 1 << 18; least == 0; options.memory += options.memory / 8) {
        least = nfsar_nurma_check(&capture, &grid, &options, NULL, &error) == NFSAR_OK
                    ? options.memory
                    : 0;
    }
    options.memory = least;
    nfsar_nurma_plan *plan;
    assert_ok(nfsar_nurma_plan_create(&capture, &grid, &options, &plan, &error), error);
    size_t taken = nfsar_nurma_plan_memory(plan);
    nfsar_nurma_plan_destroy(plan);
    nfsar_image pieces = image_nurma(&capture, &grid, &options);
    double apart = image_error(&one, &pieces);
    print_message("least memory %.1f MB, plan takes %.1f MB: %.1e from the whole\n",
                  1e-6 * (double)least, 1e-6 * (double)taken, apart);
    assert_true(apart < 1e-5);
    nfsar_image_free(&pieces);
    nfsar_image_free(&one);
    nfsar_capture_free(&capture);
}

static bool stop_late(void *context, double fraction) {
    int *calls = context;
    assert_true(fraction >= 0.0 && fraction <= 1.0);
    return --*calls > 0;
}

/* A plan gives the same again, also after it was cancelled. */
static void again_and_cancelled(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    nfsar_nurma_plan *plan;
    float complex first[60], second[60];
    few_pulses(30, 16, 0.02, &capture);
    nfsar_echo_source source = nfsar_capture_source(&capture);
    assert_ok(nfsar_nurma_plan_create(&capture, &tiny, NULL, &plan, &error), error);
    assert_ok(nfsar_nurma_execute(plan, &source, first, NULL, &error), error);
    for (int stop = 1; stop <= 2; stop++) {
        int calls = stop;
        nfsar_progress progress = {stop_late, &calls};
        assert_int_equal(nfsar_nurma_execute(plan, &source, second, &progress, &error),
                         NFSAR_ERROR_CANCELLED);
        assert_int_equal(calls, 0);
    }
    assert_ok(nfsar_nurma_execute(plan, &source, second, NULL, &error), error);
    assert_memory_equal(first, second, sizeof first);
    nfsar_nurma_plan_destroy(plan);
    nfsar_nurma_plan_destroy(NULL);
    nfsar_capture_free(&capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_channels_at_any_offset),
        cmocka_unit_test(radar_askew_and_moving),
        cmocka_unit_test(few_or_the_same),
        cmocka_unit_test(refusals),
        cmocka_unit_test(millimetres),
        cmocka_unit_test(memory_and_threads),
        cmocka_unit_test(again_and_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
