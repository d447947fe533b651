/* The range gate against the sums that it stands for, written out in double. */
#include "tests/support.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include <nfsar/gate.h>
#include <nfsar/simulation.h>

#include "tests/radar.h"

enum { SAMPLES = 256, LINES = 8 };

/* sum_n w_n s_n exp(-j k_n 2 r) as it is written. */
static double complex image(const double *frequency_hz, const float complex *line, size_t n,
                            bool hann, double r) {
    double complex sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        double k = 2.0 * NFSAR_PI * frequency_hz[i] / NFSAR_SPEED_OF_LIGHT;
        double phase = 2.0 * NFSAR_PI * (double)i / (double)(n - 1);
        double w = hann ? (1.0 - cos(phase)) * (double)n / (double)(n - 1) : 1.0;
        sum += w * (double complex)line[i] * cexp(-2.0 * I * k * r);
    }
    return sum;
}

/* One pulse of eight channels with noise in all samples: echoes from everywhere. */
static void noisy(nfsar_capture *capture) {
    nfsar_random random;
    nfsar_random_seed(&random, 7);
    radar_raster("xwr1443-2tx", 1, 1e-3, 1, 1e-3, SAMPLES, capture);
    for (size_t i = 0; i < LINES * SAMPLES; i++) {
        capture->echo[i] = (float complex)nfsar_random_complex_normal(&random);
    }
}

/* Largest difference within the gate, of the sum of all magnitudes. */
static double worst(const nfsar_capture *capture, const nfsar_gate_options *options,
                    size_t *samples) {
    nfsar_error error;
    nfsar_gate *gate = NULL;
    assert_ok(nfsar_gate_create(capture, options, &gate, &error), error);
    nfsar_capture view = nfsar_gate_view(gate, capture);
    *samples = nfsar_gate_samples(gate);
    float complex *out = malloc(LINES * *samples * sizeof *out);
    const nfsar_echo_source source = nfsar_capture_source(capture);
    assert_ok(nfsar_gate_read(gate, capture, &source, out, NULL, &error), error);
    double most = 0.0;
    bool hann = options->window == NFSAR_WINDOW_HANN;
    for (size_t line = 0; line < LINES; line++) {
        const float complex *in = capture->echo + line * SAMPLES;
        double all = 0.0;
        for (size_t i = 0; i < SAMPLES; i++) {
            all += (double)cabsf(in[i]);
        }
        for (int i = 0; i <= 64; i++) {
            double r = options->range_m[0] +
                       (options->range_m[1] - options->range_m[0]) * (double)i / 64.0;
            double complex wanted = image(capture->frequency_hz, in, SAMPLES, hann, r);
            double complex got =
                image(view.frequency_hz, out + line * *samples, *samples, false, r);
            most = fmax(most, cabs(got - wanted) / all);
        }
    }
    free(out);
    nfsar_gate_destroy(gate);
    return most;
}

static void keeps_the_image_of_the_gate(void **state) {
    (void)state;
    nfsar_capture capture;
    noisy(&capture);
    nfsar_gate_options options = nfsar_gate_defaults();
    const double gates[][2] = {{0.2, 0.4}, {0.0, 0.2}, {8.9, 9.1}, {0.3, 1.2}};
    size_t samples = 0;
    for (size_t i = 0; i < 4; i++) {
        options.range_m[0] = gates[i][0];
        options.range_m[1] = gates[i][1];
        assert_true(worst(&capture, &options, &samples) < 1e-5);
        /* 4 GHz tell 26.7 ranges in a metre apart; so many frequencies, and some. */
        double cells = (gates[i][1] - gates[i][0]) * 2.0 * 4e9 / NFSAR_SPEED_OF_LIGHT;
        assert_true((double)samples < 1.2 * cells + 14.0);
    }
    options.range_m[0] = 0.2, options.range_m[1] = 0.4;
    options.window = NFSAR_WINDOW_HANN;
    /* Tapers are positions rounded to 1/4096. */
    assert_true(worst(&capture, &options, &samples) < 1e-3);
    options.window = NFSAR_WINDOW_RECTANGULAR;
    options.tolerance = 1e-3;
    assert_true(worst(&capture, &options, &samples) < 1e-3);
    assert_true(samples < 16);
    /* All that there is: nothing to gain, and nothing changes. */
    options.range_m[0] = 0.0, options.range_m[1] = 9.5;
    assert_true(worst(&capture, &options, &samples) < 1e-6);
    assert_int_equal(samples, SAMPLES);
    nfsar_capture_free(&capture);
}

static void takes_out_spurs(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    noisy(&capture);
    nfsar_gate_options options = nfsar_gate_defaults();
    options.n_spur = 3;
    options.spur_m[0] = 1.0, options.spur_m[1] = 1.02, options.spur_m[2] = 1.0;
    nfsar_gate *gate = NULL;
    assert_ok(nfsar_gate_create(&capture, &options, &gate, &error), error);
    assert_int_equal(nfsar_gate_samples(gate), SAMPLES);
    /* A tone at one of the ranges, 60 dB over noise. */
    float complex out[SAMPLES], clean[SAMPLES], line[SAMPLES];
    assert_ok(nfsar_gate_lines(gate, 1, capture.echo, clean, &error), error);
    for (size_t i = 0; i < SAMPLES; i++) {
        double k = 2.0 * NFSAR_PI * capture.frequency_hz[i] / NFSAR_SPEED_OF_LIGHT;
        line[i] = capture.echo[i] + (float complex)(1000.0 * cexp(2.0 * I * k * 1.02));
    }
    assert_ok(nfsar_gate_lines(gate, 1, line, out, &error), error);
    double left = 0.0, lost = 0.0, power = 0.0;
    for (size_t i = 0; i < SAMPLES; i++) {
        left += pow((double)cabsf(out[i] - clean[i]), 2.0);
        lost += pow((double)cabsf(clean[i] - capture.echo[i]), 2.0);
        power += pow((double)cabsf(capture.echo[i]), 2.0);
    }
    assert_true(sqrt(left / SAMPLES) < 1e-2);
    /* Two of 256 dimensions are gone. */
    assert_true(lost / power < 0.04);
    assert_true(cabs(image(capture.frequency_hz, out, SAMPLES, false, 1.0)) < 1e-2 * SAMPLES);
    nfsar_gate_destroy(gate);
    nfsar_capture_free(&capture);
}

static void knows_what_a_grid_needs(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    radar_raster("single", 3, 0.1, 1, 1e-3, 16, &capture);
    const nfsar_grid grid = {{-0.05, 0.1, 2}, {0.0, 1.0, 1}, {0.3, 0.1, 2}};
    double range[2];
    assert_ok(nfsar_gate_of_grid(&capture, &grid, range, &error), error);
    /* From (0, 0, 0) straight ahead; from (-0.1, 0, 0) to (0.05, 0, 0.4). */
    assert_near(range[0], 0.3, 1e-9);
    assert_near(range[1], hypot(0.15, 0.4), 1e-9);
    nfsar_capture_free(&capture);
}

static void refuses_other_gates(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    radar_raster("single", 3, 0.1, 1, 1e-3, 16, &capture);
    /* 15 steps of 267 MHz: 0.5621 m. */
    assert_int_equal(nfsar_gate_check(&capture, (double[]){0.5, 0.6}, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "0.5621 m only");
    assert_int_equal(nfsar_gate_check(&capture, (double[]){0.3, 0.2}, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_int_equal(nfsar_gate_check(&capture, (double[]){-0.1, 0.2}, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_int_equal(nfsar_gate_check(&capture, (double[]){NAN, 0.2}, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_ok(nfsar_gate_check(&capture, (double[]){0.3, 0.5}, &error), error);
    capture.gated = (nfsar_gated){{0.3, 0.5}, {77e9, 81e9}};
    assert_int_equal(nfsar_gate_check(&capture, (double[]){0.2, 0.4}, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "gated from 0.3 to 0.5 m already");
    nfsar_gate *gate = NULL;
    nfsar_gate_options options = nfsar_gate_defaults();
    options.tolerance = NAN;
    assert_int_equal(nfsar_gate_create(&capture, &options, &gate, &error), NFSAR_ERROR_ARGUMENT);
    assert_null(gate);
    /* Nothing was recorded. */
    capture.gated = (nfsar_gated){0};
    nfsar_gate_content content;
    const nfsar_echo_source source = nfsar_capture_source(&capture);
    assert_int_equal(nfsar_gate_look(&capture, &source, (double[]){0.1, 0.2}, &content, &error),
                     NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "samples are zero");
    nfsar_capture_free(&capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_image_of_the_gate),
        cmocka_unit_test(takes_out_spurs),
        cmocka_unit_test(knows_what_a_grid_needs),
        cmocka_unit_test(refuses_other_gates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
