/* Delay, slope and first frequency from reflectors at known ranges. */
#include "tests/support.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include <nfsar/instrument.h>
#include <nfsar/simulation.h>

#include "tests/radar.h"

enum { SAMPLES = 128 };

/* One antenna at rest before points straight ahead, as far as ranges say, behind a cable; the true
 * frequencies are scale * (what the capture says, from the first on) + shift. */
static void make(const double *range, size_t n_range, double delay, double scale, double shift,
                 nfsar_capture *capture) {
    nfsar_random random;
    nfsar_random_stream(&random, 1, 1);
    radar_raster("single", 4, 0.0, 1, 0.0, SAMPLES, capture);
    double first = capture->frequency_hz[0];
    for (size_t i = 0; i < 4 * SAMPLES; i++) {
        double f = first + shift + scale * (capture->frequency_hz[i % SAMPLES] - first);
        double complex sum = 0.05 * nfsar_random_complex_normal(&random);
        for (size_t r = 0; r < n_range; r++) {
            double t = 2.0 * range[r] / NFSAR_SPEED_OF_LIGHT + delay;
            sum += cexp(2.0 * NFSAR_PI * I * fmod(f * t, 1.0));
        }
        capture->echo[i] = (float complex)sum;
    }
}

static enum nfsar_status find(const nfsar_capture *capture, double a, double b,
                              nfsar_instrument *found, nfsar_error *error) {
    nfsar_echo_source source = nfsar_capture_source(capture);
    nfsar_instrument_options options = nfsar_instrument_defaults();
    options.n_range = b > 0.0 ? 2 : 1;
    options.range_m[0] = a;
    options.range_m[1] = b;
    options.range_sigma_m = 1e-5;
    return nfsar_instrument_find(capture, &source, &options, found, error);
}

static void delay_from_one_range(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_instrument found;
    nfsar_error error;
    const double range[] = {0.5};
    make(range, 1, 452.25e-12, 1.0, 0.0, &capture);
    assert_ok(find(&capture, 0.5, 0.0, &found, &error), error);
    assert_near(found.delay_s, 452.25e-12, 0.5e-12);
    assert_near(found.apparent_m[0], 0.5678, 1e-4); /* 6.78 cm more */
    assert_false(found.has_scale);
    assert_true(isnan(found.video_rad[0])); /* no slope is known */
    /* Applied, nothing is left; added to what is there. */
    assert_ok(nfsar_instrument_apply(&found, &capture, &error), error);
    assert_ok(nfsar_instrument_apply(&found, &capture, &error), error);
    assert_near(capture.calibration.channel_delay_s[0], 904.5e-12, 1e-12);
    nfsar_capture_free(&capture);
}

static void slope_and_start_from_two(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_instrument found;
    nfsar_error error;
    const double range[] = {0.4, 1.4};
    make(range, 2, 300e-12, 1.0, 20e6, &capture);
    capture.has_fmcw = true;
    capture.fmcw.slope_hz_per_s = 70e12;
    assert_ok(find(&capture, 0.4, 1.4, &found, &error), error);
    assert_near(found.delay_s, 300e-12, 0.5e-12);
    assert_true(found.has_scale);
    assert_false(found.scale_told);
    assert_near(found.shift_hz, 20e6, 3e6);
    assert_near(found.ambiguity_hz, NFSAR_SPEED_OF_LIGHT / 2.0, 1.0);
    /* pi 70e12 (2.9685e-9 s)^2 */
    assert_near(found.video_rad[0], 1.938e-3, 2e-6);
    nfsar_capture_free(&capture);
    make(range, 2, 300e-12, 1.003, 0.0, &capture);
    assert_ok(find(&capture, 0.4, 1.4, &found, &error), error);
    assert_true(found.scale_told);
    assert_near(found.scale, 1.003, 2e-4);
    assert_near(found.delay_s, 300e-12, 1.5e-12);
    nfsar_capture_free(&capture);
}

/* A chirp that is steeper by 0.1 % and sampled 0.3 us later than the capture says, dechirped: at
 * the time t after the ramp's start the mixer has the phase 2 pi ((f0 + K t) tau - K tau^2 / 2). */
#define START_HZ  77e9
#define SLOPE     (70e12 * 1.001)
#define RATE      2.2e6
#define ADC_START (6e-6 + 0.3e-6)
#define CABLE     300e-12
#define OFF       0.7 /* of the channel's own phase, radians */

static double true_phase(size_t n, double tau) {
    double t = ADC_START + (double)n / RATE;
    return fmod(START_HZ * tau, 1.0) * 2.0 * NFSAR_PI +
           2.0 * NFSAR_PI * SLOPE * (t * tau - 0.5 * tau * tau);
}

static void dechirp(const double *range, size_t n_range, double cable, nfsar_capture *capture) {
    nfsar_random random;
    nfsar_error error;
    nfsar_random_stream(&random, 1, 1);
    radar_raster("single", 4, 0.0, 1, 0.0, SAMPLES, capture);
    capture->has_fmcw = true;
    capture->fmcw = (nfsar_fmcw){START_HZ, 70e12, RATE, 6e-6};
    assert_ok(nfsar_fmcw_frequencies(&capture->fmcw, capture->frequency_hz, SAMPLES, &error),
              error);
    for (size_t i = 0; i < 4 * SAMPLES; i++) {
        double complex sum = 0.001 * nfsar_random_complex_normal(&random);
        for (size_t r = 0; r < n_range; r++) {
            double tau = 2.0 * range[r] / NFSAR_SPEED_OF_LIGHT + cable;
            sum += cexp(I * (true_phase(i % SAMPLES, tau) + OFF));
        }
        capture->echo[i] = (float complex)sum;
    }
}

/* Largest phase, degrees, by which echoes from a range less those from the range `about` differ
 * from the echo model with the capture's frequencies and delay. */
static double model_error(const nfsar_capture *capture, double range, double about) {
    double most = 0.0;
    for (size_t n = 0; n < SAMPLES; n++) {
        double apart = 2.0 * (range - about) / NFSAR_SPEED_OF_LIGHT;
        double there = true_phase(n, 2.0 * range / NFSAR_SPEED_OF_LIGHT + CABLE) -
                       true_phase(n, 2.0 * about / NFSAR_SPEED_OF_LIGHT + CABLE);
        double model = 2.0 * NFSAR_PI * fmod(capture->frequency_hz[n] * apart, 1.0);
        most = fmax(most, fabs(remainder(there - model, 2.0 * NFSAR_PI)));
    }
    return most * 180.0 / NFSAR_PI;
}

/* Slope, ADC start and residual video phase are put right; then echoes from all around obey the
 * echo model. -pi K (2 x / c)^2 is what is left x away: 0.1 degrees at 0.42 m. */
static void frequencies_are_put_right(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_instrument found;
    nfsar_error error;
    const double range[] = {0.4, 1.0};
    dechirp(range, 2, CABLE, &capture);
    assert_true(model_error(&capture, 1.0, 0.4) > 30.0);
    assert_ok(find(&capture, 0.4, 1.0, &found, &error), error);
    assert_true(found.scale_told);
    assert_true(found.shift_told);
    assert_near(found.scale, 1.001, 5e-5);
    assert_ok(nfsar_instrument_apply(&found, &capture, &error), error);
    assert_near(capture.fmcw.slope_hz_per_s, SLOPE, 5e-5 * SLOPE);
    assert_near(capture.fmcw.adc_start_s, ADC_START, 1e-7);
    assert_near(capture.calibration.channel_delay_s[0], CABLE, 0.5e-12);
    /* Halfway between 0.4 + 0.045 and 1.0 + 0.045 m of cable and way. */
    double about = 0.5 * NFSAR_SPEED_OF_LIGHT * found.video_delay_s;
    assert_near(about, 0.745, 1e-3);
    assert_near(nfsar_instrument_video_delay(&capture), found.video_delay_s, 1e-15);
    /* Both reflectors agree as well as the phases were measured, and so does what is between. */
    assert_near(model_error(&capture, 1.0, 0.4), 0.0, 1.0);
    assert_near(model_error(&capture, 0.72, 0.7), 0.0, 0.1);
    /* A second run finds nothing, and does not take the video phase out twice. */
    assert_ok(find(&capture, 0.4, 1.0, &found, &error), error);
    assert_near(found.scale, 1.0, 1e-5);
    assert_false(found.scale_told);
    assert_false(found.shift_told);
    assert_near(found.video_had_s, found.video_delay_s, 0.0);
    double had = capture.frequency_hz[5];
    assert_ok(nfsar_instrument_apply(&found, &capture, &error), error);
    assert_near(capture.frequency_hz[5], had, 0.0);
    nfsar_capture_free(&capture);
}

/* With a ruler of 1 mm the start is not told, and with one range neither is the slope: only the
 * video phase, which follows from the chirp, is taken out. */
static void what_is_not_told_stays(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_instrument found;
    nfsar_error error;
    const double range[] = {0.7};
    dechirp(range, 1, CABLE, &capture);
    double first = capture.frequency_hz[0], last = capture.frequency_hz[SAMPLES - 1];
    assert_ok(find(&capture, 0.7, 0.0, &found, &error), error);
    assert_ok(nfsar_instrument_apply(&found, &capture, &error), error);
    double video = 70e12 * (2.0 * found.apparent_m[0] / NFSAR_SPEED_OF_LIGHT);
    assert_near(capture.frequency_hz[0], first - video, 1.0);
    assert_near(capture.frequency_hz[SAMPLES - 1], last - video, 1.0);
    assert_near(capture.fmcw.slope_hz_per_s, 70e12, 0.0);
    assert_near(capture.fmcw.adc_start_s, 6e-6, 0.0);
    nfsar_capture_free(&capture);
    /* A simulation has no such phase. */
    const double two[] = {0.4, 1.4};
    make(two, 2, 300e-12, 1.0, 20e6, &capture);
    capture.has_fmcw = true;
    capture.fmcw = (nfsar_fmcw){capture.frequency_hz[0], 70e12, RATE, 0.0};
    nfsar_echo_source source = nfsar_capture_source(&capture);
    nfsar_instrument_options options = nfsar_instrument_defaults();
    options.n_range = 2;
    options.range_m[0] = 0.4;
    options.range_m[1] = 1.4;
    options.no_video = true;
    first = capture.frequency_hz[0];
    assert_ok(nfsar_instrument_find(&capture, &source, &options, &found, &error), error);
    assert_false(found.shift_told); /* 112 MHz of standard deviation */
    assert_ok(nfsar_instrument_apply(&found, &capture, &error), error);
    assert_near(capture.frequency_hz[0], first, 0.0);
    nfsar_capture_free(&capture);
}

/* What gains and delays take out of the samples stays what it was when frequencies get other
 * names. */
static void channels_are_restated(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    const double range[] = {0.7}, delay = 450e-12;
    make(range, 1, 0.0, 1.0, 0.0, &capture);
    double before[SAMPLES];
    capture.calibration.channel_delay_s = malloc(sizeof delay);
    capture.calibration.channel_delay_s[0] = delay;
    for (size_t n = 0; n < SAMPLES; n++) {
        before[n] = fmod(capture.frequency_hz[n] * delay, 1.0);
    }
    nfsar_instrument found = {.has_scale = true,
                              .scale = 1.01,
                              .scale_told = true,
                              .shift_hz = 50e6,
                              .shift_told = true,
                              .centre_hz = 79e9};
    assert_ok(nfsar_instrument_apply(&found, &capture, &error), error);
    assert_near(capture.frequency_hz[0], 79.05e9 + 1.01 * (77e9 - 79e9), 1.0);
    for (size_t n = 0; n < SAMPLES; n++) {
        double now = fmod(capture.frequency_hz[n] * capture.calibration.channel_delay_s[0], 1.0) +
                     cargf(capture.calibration.channel_gain[0]) / (2.0 * NFSAR_PI);
        assert_near(remainder(now - before[n], 1.0), 0.0, 1e-6);
    }
    /* Frequencies that cannot be. */
    found.shift_hz = -90e9;
    assert_int_equal(nfsar_instrument_apply(&found, &capture, &error), NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "sample 0 would be of -");
    nfsar_capture_free(&capture);
}

static void what_is_not_there_is_refused(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_instrument found;
    nfsar_error error;
    const double range[] = {0.4};
    make(range, 1, 0.0, 1.0, 0.0, &capture);
    assert_int_equal(find(&capture, 1.2, 0.0, &found, &error), NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "no reflector in the data at 1.2 m");
    assert_int_equal(find(&capture, 0.4, 1.4, &found, &error), NFSAR_ERROR_FORMAT);
    assert_int_equal(find(&capture, 30.0, 0.0, &found, &error), NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "ranges are told from 0 to 4.759 m"); /* 127 c / 2 / 4 GHz */
    assert_int_equal(find(&capture, 0.4, 0.5, &found, &error), NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "four range cells, 0.15 m");
    nfsar_capture_free(&capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delay_from_one_range),      cmocka_unit_test(slope_and_start_from_two),
        cmocka_unit_test(frequencies_are_put_right), cmocka_unit_test(what_is_not_told_stays),
        cmocka_unit_test(channels_are_restated),     cmocka_unit_test(what_is_not_there_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
