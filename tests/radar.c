#include "tests/radar.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include <nfsar/simulation.h>

#include "tests/support.h"

void radar_raster(const char *preset, size_t nx, double dx, size_t ny, double dy, size_t n_sample,
                  nfsar_capture *capture) {
    nfsar_array array;
    nfsar_error error;
    assert_ok(nfsar_array_preset(preset, NFSAR_ARRAY_ALONG_Y, &array, &error), error);
    assert_ok(nfsar_capture_create(nx * ny, n_sample, &array, true, capture, &error), error);
    double step = n_sample > 1 ? 4e9 / (double)(n_sample - 1) : 0.0;
    assert_ok(nfsar_stepped_frequencies(77e9, step, capture->frequency_hz, n_sample, &error),
              error);
    for (size_t i = 0; i < nx * ny; i++) {
        capture->pose[i].position.x = dx * ((double)(i % nx) - 0.5 * (double)(nx - 1));
        capture->pose[i].position.y = dy * ((double)(i / nx) - 0.5 * (double)(ny - 1));
    }
}

void radar_add_points(nfsar_capture *capture, const nfsar_vec3 *point, size_t n) {
    size_t n_channel = capture->array.n_channel, n_sample = capture->n_sample;
    double k0 = 2.0 * NFSAR_PI * capture->frequency_hz[0] / NFSAR_SPEED_OF_LIGHT;
    double k1 = 2.0 * NFSAR_PI * capture->frequency_hz[n_sample - 1] / NFSAR_SPEED_OF_LIGHT;
    double dk = n_sample > 1 ? (k1 - k0) / (double)(n_sample - 1) : 0.0;
    for (size_t line = 0; line < capture->n_pulse * n_channel; line++) {
        nfsar_pose pose = capture->pose[line / n_channel];
        nfsar_channel c = capture->array.channel[line % n_channel];
        nfsar_vec3 tx = nfsar_pose_transform(pose, capture->array.tx_m[c.tx]);
        nfsar_vec3 rx = nfsar_pose_transform(pose, capture->array.rx_m[c.rx]);
        for (size_t i = 0; i < n; i++) {
            double range = nfsar_vec3_distance(tx, point[i]) + nfsar_vec3_distance(rx, point[i]);
            double complex phasor = cexp(I * k0 * range), step = cexp(I * dk * range);
            double re = creal(phasor), im = cimag(phasor), c1 = creal(step), s1 = cimag(step);
            float complex *out = capture->echo + line * n_sample;
            for (size_t k = 0; k < n_sample; k++) {
                out[k] += (float)re + (float)im * I;
                double next = re * c1 - im * s1;
                im = re * s1 + im * c1;
                re = next;
            }
        }
    }
}

size_t radar_samples(const nfsar_capture *capture) {
    return capture->n_pulse * capture->array.n_channel * capture->n_sample;
}

void radar_add_noise(nfsar_capture *capture, double power, uint64_t seed) {
    nfsar_random random;
    nfsar_random_stream(&random, seed, 3);
    for (size_t i = 0; i < radar_samples(capture); i++) {
        capture->echo[i] += (float complex)(sqrt(power) * nfsar_random_complex_normal(&random));
    }
}

void radar_delay(nfsar_capture *capture, double delay_s, double amplitude) {
    for (size_t i = 0; i < radar_samples(capture); i++) {
        double turns = fmod(capture->frequency_hz[i % capture->n_sample] * delay_s, 1.0);
        capture->echo[i] *= (float complex)(amplitude * cexp(2.0 * NFSAR_PI * I * turns));
    }
}

void radar_21_points(double depth, nfsar_vec3 point[21]) {
    for (int i = 0; i < 21; i++) {
        point[i] =
            (nfsar_vec3){0.015 * (i % 7 - 3), 0.03 * (i / 7 - 1), depth + 0.02 * (i / 7 - 1)};
    }
}
