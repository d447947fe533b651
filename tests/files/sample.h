/* A small capture and a small image with a recognisable number in every place. */
#ifndef NFSAR_TESTS_FILES_SAMPLE_H
#define NFSAR_TESTS_FILES_SAMPLE_H

#include "tests/support.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/nfsar.h>

/* What pulse p, channel c, sample s of the capture is. */
static inline float complex sample_echo(size_t p, size_t c, size_t s) {
    return (float)(p * 100 + c * 10 + s) + I * (float)(-1.0 - (double)s / 8.0);
}

/* What voxel (z, y, x) of the image is. */
static inline float complex sample_voxel(size_t z, size_t y, size_t x) {
    return (float)(x + 10 * y + 100 * z) - 0.5f * I;
}

/* 2 transmitters, 3 receivers; n_pulse pulses of n_sample samples; everything optional is there. */
static inline nfsar_capture sample_capture(size_t n_pulse, size_t n_sample) {
    nfsar_error error;
    nfsar_array array;
    nfsar_capture capture;
    assert_ok(nfsar_array_create(2, 3, &array, &error), error);
    for (size_t i = 0; i < 2; i++) {
        array.tx_m[i] = (nfsar_vec3){0.001 * (double)i, 0.01, -0.5};
    }
    for (size_t i = 0; i < 3; i++) {
        array.rx_m[i] = (nfsar_vec3){-0.002 * (double)i, -0.01, 0.25};
    }
    for (size_t i = 0; i < 6; i++) {
        array.channel_time_s[i] = 1e-4 * (double)(i / 3);
    }
    assert_ok(nfsar_capture_create(n_pulse, n_sample, &array, true, &capture, &error), error);
    capture.has_fmcw = true;
    capture.fmcw = (nfsar_fmcw){77e9, 70.295e12, 5e6, 6e-6};
    assert_ok(nfsar_fmcw_frequencies(&capture.fmcw, capture.frequency_hz, n_sample, &error), error);
    strcpy(capture.model, "xWR1443");
    capture.true_pose = calloc(n_pulse, sizeof *capture.true_pose);
    capture.calibration.channel_gain = calloc(6, sizeof(float complex));
    capture.calibration.channel_delay_s = calloc(6, sizeof(double));
    capture.calibration.background = calloc(6 * n_sample, sizeof(float complex));
    for (size_t p = 0; p < n_pulse; p++) {
        double at = (double)p;
        capture.time_s[p] = capture.pose_time_s[p] = 10.0 + 0.01 * at;
        capture.flags[p] = p == 1 ? NFSAR_PULSE_SAMPLES_MISSING : 0;
        capture.pose[p].position = (nfsar_vec3){0.001 * at, 0.5, -0.25};
        capture.pose[p].orientation =
            nfsar_quaternion_from_axis_angle((nfsar_vec3){0, 1, 0}, 0.01 * at);
        capture.true_pose[p].position = (nfsar_vec3){0.001 * at, 0.5, -0.125};
        capture.true_pose[p].orientation = NFSAR_QUATERNION_IDENTITY;
        for (size_t i = 0; i < 6 * n_sample; i++) {
            capture.echo[p * 6 * n_sample + i] = sample_echo(p, i / n_sample, i % n_sample);
        }
    }
    for (size_t c = 0; c < 6; c++) {
        capture.calibration.channel_gain[c] = 1.0f + 0.125f * (float)c * I;
        capture.calibration.channel_delay_s[c] = 1e-12 * (double)c;
    }
    for (size_t i = 0; i < 6 * n_sample; i++) {
        capture.calibration.background[i] = (float)i - 2.0f * I;
    }
    assert_ok(nfsar_capture_note(&capture, &error, "made by hand"), error);
    assert_ok(nfsar_capture_note(&capture, &error, "second line, %d µm", 7), error);
    return capture;
}

/* 4 x 3 x 2 voxels. */
static inline nfsar_image sample_image(void) {
    nfsar_error error;
    nfsar_image image;
    const nfsar_grid grid = {{-0.1, 0.1 / 3.0, 4}, {0.25, 0.125, 3}, {0.3, 0.001, 2}};
    assert_ok(nfsar_image_create(&grid, &image, &error), error);
    for (size_t i = 0; i < 24; i++) {
        image.data[i] = sample_voxel(i / 12, i / 4 % 3, i % 4);
    }
    image.method = strdup("rma");
    image.options = strdup("--pad 2");
    assert_ok(nfsar_image_note(&image, &error, "made by hand"), error);
    return image;
}

#endif
