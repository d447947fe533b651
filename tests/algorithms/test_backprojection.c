/* Backprojection: the double form against the sum written out, the single form against the double
 * one, and where a point comes out. */
#include "tests/support.h"

#include <math.h>
#include <stdlib.h>

#include "tests/images.h"
#include "tests/radar.h"

#define QUARTER (RADAR_LAMBDA / 4.0)

/* The sum over pulses, channels and samples at one place, term by term. */
static double complex written_out(const nfsar_capture *capture, nfsar_vec3 at) {
    double complex sum = 0.0;
    size_t n_channel = capture->array.n_channel;
    for (size_t line = 0; line < capture->n_pulse * n_channel; line++) {
        nfsar_channel c = capture->array.channel[line % n_channel];
        nfsar_pose pose = capture->pose[line / n_channel];
        double range =
            nfsar_vec3_distance(at, nfsar_pose_transform(pose, capture->array.tx_m[c.tx])) +
            nfsar_vec3_distance(at, nfsar_pose_transform(pose, capture->array.rx_m[c.rx]));
        for (size_t k = 0; k < capture->n_sample; k++) {
            double wave = 2.0 * NFSAR_PI * capture->frequency_hz[k] / NFSAR_SPEED_OF_LIGHT;
            sum += (double complex)capture->echo[line * capture->n_sample + k] *
                   cexp(-I * wave * range);
        }
    }
    return sum;
}

static void make(nfsar_capture *capture, size_t n_sample) {
    nfsar_vec3 point[2] = {{0.004, -0.003, 0.2}, {-0.01, 0.006, 0.23}};
    radar_raster("xwr1443-3tx", 9, 2.0 * QUARTER, 3, 2.0 * RADAR_LAMBDA, n_sample, capture);
    /* A turned and moved pose: nothing here may count on a plane. */
    capture->pose[5].position.z = 0.01;
    capture->pose[5].orientation =
        nfsar_quaternion_from_axis_angle((nfsar_vec3){0.3, 1.0, 0.1}, 0.4);
    radar_add_points(capture, point, 2);
}

static const nfsar_grid grid = {
    .x = {-0.012, 0.004, 7}, .y = {-0.009, 0.003, 6}, .z = {0.19, 0.01, 5}};

static void compare(const nfsar_capture *capture, double tolerance_double,
                    double tolerance_single) {
    nfsar_image truth = image_bp(capture, &grid, NFSAR_BP_DOUBLE);
    nfsar_image fast = image_bp(capture, &grid, NFSAR_BP_SINGLE);
    double peak = 0.0, worst = 0.0, worst_fast = 0.0;
    for (size_t i = 0; i < nfsar_grid_voxels(&grid); i++) {
        nfsar_vec3 at = {nfsar_axis_at(&grid.x, i % 7), nfsar_axis_at(&grid.y, i / 7 % 6),
                         nfsar_axis_at(&grid.z, i / 42)};
        double complex exact = written_out(capture, at);
        peak = fmax(peak, cabs(exact));
        worst = fmax(worst, cabs(exact - (double complex)truth.data[i]));
        worst_fast = fmax(worst_fast, cabs(exact - (double complex)fast.data[i]));
    }
    print_message("double %.1e, single %.1e of the peak\n", worst / peak, worst_fast / peak);
    assert_true(worst < tolerance_double * peak);
    assert_true(worst_fast < tolerance_single * peak);
    nfsar_image_free(&truth);
    nfsar_image_free(&fast);
}

static void equals_the_sum(void **state) {
    (void)state;
    nfsar_capture capture;
    make(&capture, 48);
    compare(&capture, 2e-7, 1e-3);
    nfsar_capture_free(&capture);
}

static void any_list_of_frequencies(void **state) {
    (void)state;
    nfsar_capture capture;
    make(&capture, 16);
    /* Relabelled: another echo, but the sum has to come out the same either way. */
    for (size_t i = 0; i < 16; i++) {
        capture.frequency_hz[i] += 1e7 * (double)(i * i % 7);
    }
    compare(&capture, 2e-7, 1e-3);
    nfsar_capture_free(&capture);
}

static void falling_chirp_and_single_frequency(void **state) {
    (void)state;
    nfsar_capture capture;
    make(&capture, 16);
    for (size_t i = 0; i < 16; i++) {
        capture.frequency_hz[i] = 81e9 - 2e8 * (double)i;
    }
    compare(&capture, 2e-7, 1e-3);
    nfsar_capture_free(&capture);
    make(&capture, 1);
    compare(&capture, 2e-7, 1e-3);
    nfsar_capture_free(&capture);
}

/* At 1 km a float range would be wrong by many wavelengths; the sum must not notice. */
static void far_away(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_vec3 point = {0.004, -0.003, 1000.0};
    radar_raster("single", 9, 0.5, 9, 0.5, 32, &capture);
    radar_add_points(&capture, &point, 1);
    nfsar_grid far = {.x = {0.0, 0.004, 3}, .y = {-0.003, 1.0, 1}, .z = {1000.0, 1.0, 1}};
    nfsar_image fast = image_bp(&capture, &far, NFSAR_BP_SINGLE);
    assert_near((double)cabsf(fast.data[1]), 81.0 * 32.0, 81.0 * 32.0 * 2e-3);
    nfsar_image_free(&fast);
    nfsar_capture_free(&capture);
}

static void blocks_and_threads_change_nothing(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    make(&capture, 32);
    nfsar_image whole = image_bp(&capture, &grid, NFSAR_BP_SINGLE), pieces;
    nfsar_bp_options options = nfsar_bp_defaults();
    options.memory = 1;
    options.threads = 3;
    nfsar_bp_plan *plan;
    nfsar_echo_source source = nfsar_capture_source(&capture);
    assert_ok(nfsar_image_create(&grid, &pieces, &error), error);
    assert_ok(nfsar_bp_plan_create(&capture, &grid, &options, &plan, &error), error);
    assert_ok(nfsar_bp_execute(plan, &source, pieces.data, NULL, &error), error);
    nfsar_bp_plan_destroy(plan);
    assert_true(image_error(&whole, &pieces) < 2e-4);
    nfsar_image_free(&whole);
    nfsar_image_free(&pieces);
    nfsar_capture_free(&capture);
}

static bool stop_at_once(void *context, double fraction) {
    (void)context;
    (void)fraction;
    return false;
}

static void cancels_and_refuses(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    nfsar_bp_plan *plan;
    make(&capture, 8);
    nfsar_bp_options options = nfsar_bp_defaults();
    options.threads = 1;
    assert_ok(nfsar_bp_plan_create(&capture, &grid, &options, &plan, &error), error);
    nfsar_progress progress = {stop_at_once, NULL};
    nfsar_echo_source source = nfsar_capture_source(&capture);
    float complex *image = calloc(nfsar_grid_voxels(&grid), sizeof *image);
    assert_int_equal(nfsar_bp_execute(plan, &source, image, &progress, &error),
                     NFSAR_ERROR_CANCELLED);
    nfsar_bp_plan_destroy(plan);
    free(image);
    nfsar_grid absurd = {.x = {0.0, 1.0, 1u << 30}, .y = {0.0, 1.0, 1u << 30}, .z = {0, 1.0, 9}};
    assert_int_equal(nfsar_bp_plan_create(&capture, &absurd, NULL, &plan, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "too large");
    nfsar_grid miles = {.x = {0.0, 1.0, 1}, .y = {0.0, 1.0, 1}, .z = {0.0, 1e9, 2}};
    assert_int_equal(nfsar_bp_plan_create(&capture, &miles, NULL, &plan, &error),
                     NFSAR_ERROR_GEOMETRY);
    assert_contains(error.message, "units");
    nfsar_capture_free(&capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_sum),
        cmocka_unit_test(any_list_of_frequencies),
        cmocka_unit_test(falling_chirp_and_single_frequency),
        cmocka_unit_test(far_away),
        cmocka_unit_test(blocks_and_threads_change_nothing),
        cmocka_unit_test(cancels_and_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
