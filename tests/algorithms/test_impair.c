/* Channel errors, leakage and noise, against their definitions. */
#include <math.h>
#include <stdlib.h>

#include "tests/support.h"

#include <nfsar/calibration.h>
#include <nfsar/simulation.h>

static void make_capture(size_t n_pulse, size_t n_rx, size_t n_sample, nfsar_capture *capture) {
    nfsar_error error;
    nfsar_array array;
    assert_ok(nfsar_array_create(1, n_rx, &array, &error), error);
    assert_ok(nfsar_capture_create(n_pulse, n_sample, &array, true, capture, &error), error);
    for (size_t i = 0; i < n_sample; i++) {
        capture->frequency_hz[i] = 77e9 + 60e6 * (double)i;
    }
}

static void test_one_sample_by_hand(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture;
    make_capture(1, 1, 1, &capture);
    capture.echo[0] = CMPLXF(3.0f, 4.0f);
    float complex gain = CMPLXF(0.0f, 2.0f), background = CMPLXF(10.0f, 20.0f);
    /* A quarter of a period: times j. */
    double delay = 0.25 / 77e9;
    const nfsar_calibration hardware = {&gain, &delay, &background};
    assert_ok(nfsar_impair(&capture, &hardware, 0, 1, 0.0, 0, 1, capture.echo, &error), error);
    /* (3 + 4j) 2j j + 10 + 20j = -6 - 8j + 10 + 20j */
    assert_near(crealf(capture.echo[0]), 4.0, 1e-5);
    assert_near(cimagf(capture.echo[0]), 12.0, 1e-5);
    nfsar_capture_free(&capture);
}

static void test_calibration_undoes_it(void **state) {
    (void)state;
    enum { PULSES = 5, RX = 6, SAMPLES = 20, ALL = PULSES * RX * SAMPLES };
    nfsar_error error;
    nfsar_capture capture;
    nfsar_random random;
    float complex ideal[ALL];
    make_capture(PULSES, RX, SAMPLES, &capture);
    nfsar_random_seed(&random, 1);
    for (size_t i = 0; i < ALL; i++) {
        ideal[i] = capture.echo[i] = (float complex)nfsar_random_complex_normal(&random);
    }
    const nfsar_impairments what = {
        .gain_error_db = 2, .phase_error_rad = 1, .delay_error_s = 1e-10, .leakage = 3};
    assert_ok(nfsar_impairments_draw(&capture, &what, 1.0, &random, &capture.calibration, &error),
              error);
    assert_ok(
        nfsar_impair(&capture, &capture.calibration, 0, PULSES, 0.0, 0, 0, capture.echo, &error),
        error);
    double moved = 0.0;
    for (size_t i = 0; i < ALL; i++) {
        moved += cabsf(capture.echo[i] - ideal[i]) / ALL;
    }
    assert_true(moved > 1.0);
    assert_ok(nfsar_calibration_apply(&capture, PULSES, 0, SAMPLES, capture.echo, &error), error);
    for (size_t i = 0; i < ALL; i++) {
        assert_near(cabsf(capture.echo[i] - ideal[i]), 0.0, 1e-5);
    }
    nfsar_capture_free(&capture);
}

static void test_sigmas(void **state) {
    (void)state;
    enum { RX = 4000, SAMPLES = 3 };
    nfsar_error error;
    nfsar_capture capture;
    nfsar_random random;
    nfsar_calibration hardware;
    make_capture(1, RX, SAMPLES, &capture);
    nfsar_random_seed(&random, 2);
    const nfsar_impairments what = {
        .gain_error_db = 1.5, .phase_error_rad = 0.3, .delay_error_s = 2e-12, .leakage = 0.25};
    assert_ok(nfsar_impairments_draw(&capture, &what, 8.0, &random, &hardware, &error), error);
    double gain = 0.0, phase = 0.0, delay = 0.0;
    double complex mean = 0.0;
    for (size_t c = 0; c < RX; c++) {
        gain += pow(20.0 * log10(cabsf(hardware.channel_gain[c])), 2.0) / RX;
        phase += pow(cargf(hardware.channel_gain[c]), 2.0) / RX;
        delay += pow(hardware.channel_delay_s[c], 2.0) / RX;
        for (size_t k = 0; k < SAMPLES; k++) {
            assert_near(cabsf(hardware.background[c * SAMPLES + k]), 0.25 * 8.0, 1e-5);
        }
        mean += (double complex)hardware.background[c * SAMPLES] / RX;
        /* A path of 10 cm, give or take 6 cm: 60 MHz turn the phase by 2 pi 60e6 L / c. */
        double turn = carg((double complex)hardware.background[c * SAMPLES + 1] *
                           conj((double complex)hardware.background[c * SAMPLES]));
        double path = turn / (2.0 * NFSAR_PI * 60e6) * NFSAR_SPEED_OF_LIGHT;
        assert_near(path, 0.10, 0.06);
    }
    /* Five standard errors of a sigma: 5 / sqrt(2 N) = 5.6 %. */
    assert_near(sqrt(gain), 1.5, 0.056 * 1.5);
    assert_near(sqrt(phase), 0.3, 0.056 * 0.3);
    assert_near(sqrt(delay), 2e-12, 0.056 * 2e-12);
    assert_near(cabs(mean), 0.0, 0.16);
    nfsar_impairments_free(&hardware);
    assert_null(hardware.channel_gain);
    /* Nothing wanted: nothing allocated. */
    const nfsar_impairments none = {0};
    assert_ok(nfsar_impairments_draw(&capture, &none, 8.0, &random, &hardware, &error), error);
    assert_true(hardware.channel_gain == NULL && hardware.channel_delay_s == NULL &&
                hardware.background == NULL);
    const nfsar_impairments bad = {.gain_error_db = NAN};
    assert_int_equal(nfsar_impairments_draw(&capture, &bad, 1.0, &random, &hardware, &error),
                     NFSAR_ERROR_ARGUMENT);
    nfsar_capture_free(&capture);
}

static void test_noise(void **state) {
    (void)state;
    enum { PULSES = 200, RX = 2, SAMPLES = 100, ALL = PULSES * RX * SAMPLES };
    nfsar_error error;
    nfsar_capture capture;
    make_capture(PULSES, RX, SAMPLES, &capture);
    assert_ok(nfsar_impair(&capture, NULL, 0, PULSES, 4.0, 7, 1, capture.echo, &error), error);
    double power = 0.0;
    double complex sum = 0.0, square = 0.0;
    for (size_t i = 0; i < ALL; i++) {
        double complex x = (double complex)capture.echo[i];
        power += pow(cabs(x), 2.0) / ALL;
        sum += x / ALL;
        square += x * x / ALL;
    }
    assert_near(power, 4.0, 0.1); /* 5 * 4 / sqrt(N) */
    assert_near(cabs(sum), 0.0, 0.05);
    assert_near(cabs(square), 0.0, 0.14);
    /* The same whatever the blocks and threads. */
    float complex *other = calloc(ALL, sizeof *other);
    assert_ok(nfsar_impair(&capture, NULL, 0, 50, 4.0, 7, 3, other, &error), error);
    assert_ok(nfsar_impair(&capture, NULL, 50, 150, 4.0, 7, 2, other + 50 * RX * SAMPLES, &error),
              error);
    assert_memory_equal(other, capture.echo, ALL * sizeof *other);
    free(other);
    nfsar_capture_free(&capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_sample_by_hand),
        cmocka_unit_test(test_calibration_undoes_it),
        cmocka_unit_test(test_sigmas),
        cmocka_unit_test(test_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
