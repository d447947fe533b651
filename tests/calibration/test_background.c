/* Leakage, empty rooms and receivers' imbalance, planted and found. */
#include "tests/support.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/background.h>
#include <nfsar/simulation.h>

#include "tests/radar.h"

enum { SAMPLES = 64, PULSES = 200 };

static double wavenumber(const nfsar_capture *capture, size_t i) {
    return 2.0 * NFSAR_PI * capture->frequency_hz[i] / NFSAR_SPEED_OF_LIGHT;
}

/* A wall that echoes the same in all pulses, straight ahead. */
static void add_wall(nfsar_capture *capture, double range, double amplitude) {
    for (size_t i = 0; i < PULSES * SAMPLES; i++) {
        double k = wavenumber(capture, i % SAMPLES);
        capture->echo[i] += (float complex)(amplitude * cexp(2.0 * I * k * range));
    }
}

/* Leakage ten times as strong, whose amplitude drifts by the given part over the scan. */
static void add_leakage(nfsar_capture *capture, double drift) {
    for (size_t i = 0; i < PULSES * SAMPLES; i++) {
        double k = wavenumber(capture, i % SAMPLES);
        double size = 10.0 * (1.0 + drift * (double)(i / SAMPLES) / PULSES);
        capture->echo[i] += (float complex)(size * cexp(2.0 * I * k * 0.05 + 1.0 * I));
    }
}

/* What is left besides the wall, of the wall's power: mean over all samples. */
static double left(const nfsar_capture *capture, const nfsar_leakage *leakage, double range) {
    float complex at[SAMPLES];
    double power = 0.0;
    for (size_t p = 0; p < PULSES; p++) {
        nfsar_leakage_at(leakage, p, at);
        for (size_t i = 0; i < SAMPLES; i++) {
            double complex rest = (double complex)(capture->echo[p * SAMPLES + i] - at[i]) -
                                  cexp(2.0 * I * wavenumber(capture, i) * range);
            power += creal(rest * conj(rest)) / (PULSES * SAMPLES);
        }
    }
    return power;
}

static void takes_leakage_and_leaves_the_wall(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    for (int drifts = 0; drifts < 2; drifts++) {
        radar_raster("single", PULSES, 1e-3, 1, 1e-3, SAMPLES, &capture);
        add_wall(&capture, 0.3, 1.0);
        add_leakage(&capture, drifts ? 0.5 : 0.0);
        const nfsar_echo_source source = nfsar_capture_source(&capture);
        nfsar_leakage *leakage = NULL;
        assert_ok(nfsar_leakage_create(&capture, (double[]){0.07, 0.25}, drifts ? 50 : 0, &leakage,
                                       &error),
                  error);
        assert_ok(nfsar_leakage_find(leakage, &source, &error), error);
        /* The filter by NumPy's matrices: of leakage 20 dB over the wall, 23 dB below it is left,
         * at the ends of the sweep; of one that grows by half, 21. */
        assert_near(left(&capture, leakage, 0.3), drifts ? 0.0072956 : 0.0046672, 5e-5);
        /* Mean of (1 + x / 2)^2 over 0 .. 1 is 19 / 12. */
        assert_near(nfsar_leakage_power(leakage), drifts ? 158.3 : 100.0, 3.0);
        nfsar_leakage_destroy(leakage);
        nfsar_capture_free(&capture);
    }
}

static void finds_what_drift_it_was_told_of(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    radar_raster("single", PULSES, 1e-3, 1, 1e-3, SAMPLES, &capture);
    add_wall(&capture, 0.3, 1.0);
    add_leakage(&capture, 0.5);
    capture.flags[3] = NFSAR_PULSE_SAMPLES_MISSING;
    const nfsar_echo_source source = nfsar_capture_source(&capture);
    nfsar_leakage *leakage = NULL;
    assert_ok(nfsar_leakage_create(&capture, (double[]){0.07, 0.25}, 0, &leakage, &error), error);
    assert_ok(nfsar_leakage_find(leakage, &source, &error), error);
    /* 5 / sqrt(12) of the amplitude's ramp stay where it is taken to be constant. */
    assert_near(left(&capture, leakage, 0.3), 25.0 / 12.0, 0.1);
    nfsar_leakage_destroy(leakage);
    nfsar_capture_free(&capture);
}

/* A drift as long as the scan or longer is one straight line: the ramp that was planted. */
static void a_drift_longer_than_the_scan(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    const size_t drift[] = {PULSES - 1, PULSES, PULSES + 1, SIZE_MAX / 2, SIZE_MAX - 1, SIZE_MAX};
    radar_raster("single", PULSES, 1e-3, 1, 1e-3, SAMPLES, &capture);
    add_wall(&capture, 0.3, 1.0);
    add_leakage(&capture, 0.5);
    const nfsar_echo_source source = nfsar_capture_source(&capture);
    for (size_t i = 0; i < sizeof drift / sizeof *drift; i++) {
        nfsar_leakage *leakage = NULL;
        assert_ok(
            nfsar_leakage_create(&capture, (double[]){0.07, 0.25}, drift[i], &leakage, &error),
            error);
        assert_ok(nfsar_leakage_find(leakage, &source, &error), error);
        /* NumPy's value for a ramp, as above. */
        assert_near(left(&capture, leakage, 0.3), 0.0072956, 5e-5);
        nfsar_leakage_destroy(leakage);
    }
    nfsar_capture_free(&capture);
}

static void says_why_leakage_is_not_told(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    nfsar_leakage *leakage = NULL;
    const double limits[] = {0.07, 0.25};
    radar_raster("single", PULSES, 1e-3, 1, 1e-3, SAMPLES, &capture);
    nfsar_capture large = capture;
    large.n_pulse = (size_t)1 << 24;
    assert_int_equal(nfsar_leakage_create(&large, limits, 1, &leakage, &error),
                     NFSAR_ERROR_ARGUMENT);
    /* 2^26 / 64 knots; with two less 2^24 pulses are 17 for each. */
    assert_contains(error.message, "in the course of 1 pulse takes too much memory");
    assert_contains(error.message, "17 pulses are the least");
    assert_ok(nfsar_leakage_create(&large, limits, (size_t)1 << 20, &leakage, &error), error);
    nfsar_leakage_destroy(leakage);
    capture.frequency_hz[7] = NAN;
    assert_int_equal(nfsar_leakage_create(&capture, limits, 0, &leakage, &error),
                     NFSAR_ERROR_FORMAT);
    assert_null(leakage);
    assert_contains(error.message, "the equations have no solution");
    nfsar_capture_free(&capture);
}

static void refuses_limits_that_are_none(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    nfsar_leakage *leakage = NULL;
    radar_raster("single", PULSES, 1e-3, 1, 1e-3, SAMPLES, &capture);
    const double wrong[][2] = {{0.0, 0.2}, {0.1, 0.15}, {0.1, 2.3}, {0.1, NAN}, {NAN, 0.2}};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(nfsar_leakage_create(&capture, wrong[i], 0, &leakage, &error),
                         NFSAR_ERROR_ARGUMENT);
        assert_null(leakage);
        assert_contains(error.message, "two cells of range");
    }
    nfsar_capture_free(&capture);
}

static void averages_the_empty_room(void **state) {
    (void)state;
    nfsar_capture capture, other;
    nfsar_error error;
    radar_raster("single", PULSES, 1e-3, 1, 1e-3, SAMPLES, &capture);
    for (size_t p = 0; p < PULSES; p++) {
        for (size_t i = 0; i < SAMPLES; i++) {
            capture.echo[p * SAMPLES + i] = (float)i + (p % 2 == 0 ? 1.0f : -1.0f) * I;
        }
    }
    capture.flags[0] = capture.flags[1] = NFSAR_PULSE_SAMPLES_MISSING;
    memset(capture.echo, 0, 2 * SAMPLES * sizeof *capture.echo);
    const nfsar_echo_source source = nfsar_capture_source(&capture);
    float complex mean[SAMPLES];
    assert_ok(nfsar_background_mean(&capture, &source, mean, &error), error);
    for (size_t i = 0; i < SAMPLES; i++) {
        assert_near((double)cabsf(mean[i] - (float)i), 0.0, 1e-6);
    }
    assert_ok(nfsar_background_check(&capture, &capture, &error), error);
    radar_raster("single", 2, 1e-3, 1, 1e-3, SAMPLES / 2, &other);
    assert_int_equal(nfsar_background_check(&capture, &other, &error), NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "1 channels x 32 samples, and the capture has 1 x 64");
    nfsar_capture_free(&other);
    radar_raster("single", 2, 1e-3, 1, 1e-3, SAMPLES, &other);
    other.frequency_hz[5] += 1e6;
    assert_int_equal(nfsar_background_check(&capture, &other, &error), NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "sample 5 is at 77.3184603 GHz");
    nfsar_capture_free(&other);
    memset(capture.flags, NFSAR_PULSE_SAMPLES_MISSING, PULSES);
    assert_int_equal(nfsar_background_mean(&capture, &source, mean, &error), NFSAR_ERROR_FORMAT);
    nfsar_capture_free(&capture);
}

static void finds_imbalance_and_dc(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    nfsar_random random;
    nfsar_random_seed(&random, 3);
    const float complex b = 0.15f - 0.1f * I, dc = 3.0f + 2.0f * I;
    float complex *truth = malloc(PULSES * SAMPLES * sizeof *truth);
    radar_raster("single", PULSES, 1e-3, 1, 1e-3, SAMPLES, &capture);
    for (size_t p = 0; p < PULSES; p++) {
        double phase = 2.0 * NFSAR_PI * nfsar_random_uniform(&random);
        double range = 0.3 + 0.1 * nfsar_random_uniform(&random);
        for (size_t i = 0; i < SAMPLES; i++) {
            float complex s =
                (float complex)cexp(I * (2.0 * wavenumber(&capture, i) * range + phase));
            truth[p * SAMPLES + i] = s;
            capture.echo[p * SAMPLES + i] = dc + s + b * conjf(s);
        }
    }
    const nfsar_echo_source source = nfsar_capture_source(&capture);
    nfsar_iq iq;
    assert_ok(nfsar_iq_find(&capture, &source, &iq, &error), error);
    /* E s^2 of 200 random phases is 1 / sqrt(200) or so, half of which adds to b. */
    assert_near((double)cabsf(iq.imbalance[0] - b), 0.0, 0.05);
    assert_near((double)cabsf(iq.dc[0] - dc), 0.0, 0.1);
    assert_true((double)cabsf(b) > iq.doubt);
    /* Applied with the true values it is exact but for the factor 1 - |b|^2. */
    iq.imbalance[0] = b, iq.dc[0] = dc;
    nfsar_iq_apply(&iq, 0, SAMPLES, capture.echo);
    double factor = 1.0 - 0.15 * 0.15 - 0.1 * 0.1;
    for (size_t i = 0; i < SAMPLES; i++) {
        assert_near((double)cabsf(capture.echo[i] - (float)factor * truth[i]), 0.0, 1e-5);
    }
    nfsar_iq_free(&iq);
    free(truth);
    nfsar_capture_free(&capture);
}

/* Phases that go round evenly leave nothing to chance: what is found is what was planted, and what
 * it leaves of the mirror image is at most its error. */
static void takes_out_what_it_finds(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    const float complex b = 0.15f - 0.1f * I, dc = 3.0f + 2.0f * I;
    radar_raster("single", PULSES, 1e-3, 1, 1e-3, SAMPLES, &capture);
    for (size_t p = 0; p < PULSES; p++) {
        for (size_t i = 0; i < SAMPLES; i++) {
            double turns = 7.0 * (double)p / PULSES;
            float complex s = (float complex)cexp(
                I * (2.0 * wavenumber(&capture, i) * 0.3 + 2.0 * NFSAR_PI * turns));
            capture.echo[p * SAMPLES + i] = dc + s + b * conjf(s);
        }
    }
    const nfsar_echo_source source = nfsar_capture_source(&capture);
    nfsar_iq iq;
    assert_ok(nfsar_iq_find(&capture, &source, &iq, &error), error);
    assert_near((double)cabsf(iq.imbalance[0] - b), 0.0, 1e-5);
    assert_near((double)cabsf(iq.dc[0] - dc), 0.0, 1e-5);
    /* E z^2 is 0 of what is left, and |z| the same all round. */
    double complex square = 0.0;
    for (size_t p = 0; p < PULSES; p++) {
        nfsar_iq_apply(&iq, 0, SAMPLES, capture.echo + p * SAMPLES);
        for (size_t i = 0; i < SAMPLES; i++) {
            double complex z = capture.echo[p * SAMPLES + i];
            square += z * z / (PULSES * SAMPLES);
            assert_near(cabs(z), 1.0 - 0.15 * 0.15 - 0.1 * 0.1, 2e-5);
        }
    }
    assert_near(cabs(square), 0.0, 1e-5);
    nfsar_iq_free(&iq);
    nfsar_capture_free(&capture);
}

/* Noise alone has a mean too, which is none; a tenth of its standard deviation is one over 12800
 * samples (11 of the mean's). A single pulse tells nothing. */
static void chance_is_no_dc(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    nfsar_random random;
    for (int i = 0; i < 24; i++) {
        const bool offset = i % 2 == 1;
        nfsar_random_stream(&random, 5, (uint64_t)i);
        radar_raster("single", i < 20 ? PULSES : 1, 1e-3, 1, 1e-3, SAMPLES, &capture);
        for (size_t k = 0; k < capture.n_pulse * SAMPLES; k++) {
            capture.echo[k] =
                (float complex)(nfsar_random_complex_normal(&random) + (offset ? 0.1 * I : 0.0));
        }
        const nfsar_echo_source source = nfsar_capture_source(&capture);
        nfsar_iq iq;
        assert_ok(nfsar_iq_find(&capture, &source, &iq, &error), error);
        if (offset && i < 20) {
            /* 1 / sqrt(12800) */
            assert_near((double)cabsf(iq.dc[0] - 0.1f * I), 0.0, 4.0 * 0.0088);
        } else {
            assert_true(iq.dc[0] == 0.0f);
        }
        nfsar_iq_free(&iq);
        nfsar_capture_free(&capture);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_leakage_and_leaves_the_wall),
        cmocka_unit_test(finds_what_drift_it_was_told_of),
        cmocka_unit_test(a_drift_longer_than_the_scan),
        cmocka_unit_test(says_why_leakage_is_not_told),
        cmocka_unit_test(refuses_limits_that_are_none),
        cmocka_unit_test(averages_the_empty_room),
        cmocka_unit_test(finds_imbalance_and_dc),
        cmocka_unit_test(chance_is_no_dc),
        cmocka_unit_test(takes_out_what_it_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
