/* A capture whose maps of range and range rate would fill the memory is refused by name. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/simulation.h>
#include <nfsar/time_offset.h>

#include "tests/support.h"

enum { PULSES = 40000, SAMPLES = 512, POSES = 8001 };

/* Noise at all ranges, the same each time it is read. */
static enum nfsar_status read_noise(void *context, size_t first_pulse, size_t n_pulse,
                                    size_t first_sample, size_t n_sample, float complex *out,
                                    nfsar_error *error) {
    (void)context;
    (void)error;
    assert_int_equal(first_sample, 0);
    assert_int_equal(n_sample, SAMPLES);
    for (size_t p = 0; p < n_pulse; p++) {
        uint32_t value = (uint32_t)(first_pulse + p) * 2654435761U + 1U;
        for (size_t i = 0; i < SAMPLES; i++) {
            value = value * 1664525U + 1013904223U;
            const float re = (float)(value >> 16) / 32768.0f - 1.0f;
            value = value * 1664525U + 1013904223U;
            out[p * SAMPLES + i] = CMPLXF(re, (float)(value >> 16) / 32768.0f - 1.0f);
        }
    }
    return NFSAR_OK;
}

static void refused(void **state) {
    (void)state;
    nfsar_array array;
    nfsar_capture capture;
    nfsar_error error = {0};
    assert_ok(nfsar_array_create(1, 1, &array, &error), error);
    assert_ok(nfsar_capture_create(PULSES, SAMPLES, &array, false, &capture, &error), error);
    assert_ok(nfsar_stepped_frequencies(77e9, 4e9 / SAMPLES, capture.frequency_hz, SAMPLES, &error),
              error);
    for (size_t i = 0; i < PULSES; i++) {
        capture.time_s[i] = 1e-3 * (double)i;
    }
    /* A quick hand: windows hold few pulses, and rates reach far. */
    static double time[POSES];
    static nfsar_pose pose[POSES];
    for (size_t i = 0; i < POSES; i++) {
        time[i] = 5e-3 * (double)i;
        pose[i] = (nfsar_pose){{0.04 * sin(20.0 * time[i]), 0.04 * cos(23.0 * time[i]), 0.0},
                               NFSAR_QUATERNION_IDENTITY};
    }
    const nfsar_pose_track track = {
        .n = POSES, .time_s = time, .pose = pose, .has_orientation = true};
    const nfsar_echo_source source = {.read = read_noise};
    const nfsar_time_offset_options options = {0};
    nfsar_time_offset found;
    assert_int_equal(nfsar_time_offset_find(&capture, &source, &track, &options, &found, &error),
                     NFSAR_ERROR_UNSUPPORTED);
    assert_contains(error.message, "GiB");
    assert_contains(error.message, "gate");
    nfsar_capture_free(&capture);
    nfsar_array_free(&array);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
