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
        cmocka_unit_test(delay_from_one_range),
        cmocka_unit_test(slope_and_start_from_two),
        cmocka_unit_test(what_is_not_there_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
