/* Channel gain, delay and background are taken out as defined: recorded = gain exp(+j 2 pi f delay)
 * model + background. */
#include "tests/support.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include <nfsar/calibration.h>

#include "tests/radar.h"

static void recovers_the_model(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    nfsar_vec3 point = {0.0, 0.0, 0.2};
    radar_raster("xwr1443-2tx", 2, 1e-3, 2, 1e-3, 16, &capture);
    radar_add_points(&capture, &point, 1);
    size_t n = 4 * 8 * 16;
    float complex *model = malloc(n * sizeof *model), *read = malloc(n * sizeof *read);
    capture.calibration.channel_gain = calloc(8, sizeof(float complex));
    capture.calibration.channel_delay_s = calloc(8, sizeof(double));
    capture.calibration.background = calloc(8 * 16, sizeof(float complex));
    for (size_t i = 0; i < n; i++) {
        size_t channel = i / 16 % 8, sample = i % 16;
        float complex gain = 0.5f + 0.1f * (float)channel + 0.3f * I;
        double delay = 4.5e-10 + 1e-11 * (double)channel;
        float complex background = (float)sample - 2.0f * (float)channel * I;
        model[i] = capture.echo[i];
        capture.calibration.channel_gain[channel] = gain;
        capture.calibration.channel_delay_s[channel] = delay;
        capture.calibration.background[channel * 16 + sample] = background;
        double phase = 2.0 * NFSAR_PI * capture.frequency_hz[sample] * delay;
        capture.echo[i] =
            (float complex)((double complex)(gain * model[i]) * cexp(I * phase)) + background;
    }
    nfsar_calibrated_source calibrated = {&capture, nfsar_capture_source(&capture), NULL};
    nfsar_echo_source source = nfsar_calibrated(&calibrated);
    /* All at once, and a block of some pulses and samples. */
    assert_ok(source.read(source.context, 0, 4, 0, 16, read, &error), error);
    for (size_t i = 0; i < n; i++) {
        assert_near((double)cabsf(read[i] - model[i]), 0.0, 2e-5);
    }
    assert_ok(source.read(source.context, 1, 2, 5, 3, read, &error), error);
    for (size_t i = 0; i < 2 * 8 * 3; i++) {
        size_t line = 8 + i / 3, sample = 5 + i % 3;
        assert_near((double)cabsf(read[i] - model[line * 16 + sample]), 0.0, 2e-5);
    }
    assert_int_equal(source.read(source.context, 3, 2, 0, 16, read, &error), NFSAR_ERROR_ARGUMENT);
    free(model);
    free(read);
    nfsar_calibrated_free(&calibrated);
    nfsar_capture_free(&capture);
}

static void a_delay_moves_the_range(void **state) {
    (void)state;
    /* 4.5225e-10 s are 6.78 cm of range: a target that appears at 0.4220 is at 0.3542 m. */
    nfsar_capture capture;
    nfsar_error error;
    nfsar_vec3 apparent = {0.0, 0.0, 0.422},
               true_place = {0.0, 0.0, 0.422 - 0.5 * 4.5225e-10 * NFSAR_SPEED_OF_LIGHT};
    radar_raster("single", 1, 0.0, 1, 0.0, 8, &capture);
    radar_add_points(&capture, &true_place, 1);
    float complex expected[8], read[8];
    for (int i = 0; i < 8; i++) {
        expected[i] = capture.echo[i];
        capture.echo[i] = 0.0f;
    }
    radar_add_points(&capture, &apparent, 1);
    capture.calibration.channel_delay_s = calloc(1, sizeof(double));
    capture.calibration.channel_delay_s[0] = 4.5225e-10;
    nfsar_calibrated_source calibrated = {&capture, nfsar_capture_source(&capture), NULL};
    nfsar_echo_source source = nfsar_calibrated(&calibrated);
    assert_ok(source.read(source.context, 0, 1, 0, 8, read, &error), error);
    for (int i = 0; i < 8; i++) {
        assert_near((double)cabsf(read[i] - expected[i]), 0.0, 1e-5);
    }
    nfsar_calibrated_free(&calibrated);
    nfsar_capture_free(&capture);
}

static void nothing_known_changes_nothing(void **state) {
    (void)state;
    nfsar_capture capture;
    radar_raster("single", 1, 0.0, 1, 0.0, 3, &capture);
    float complex echo[3] = {1.0f, 2.0f * I, -3.0f};
    nfsar_error error;
    assert_ok(nfsar_calibration_apply(&capture, 1, 0, 3, echo, &error), error);
    assert_true(echo[0] == 1.0f && echo[1] == 2.0f * I && echo[2] == -3.0f);
    nfsar_capture_free(&capture);
}

/* What would leave no number of a sample. */
static void what_cannot_be_is_named(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    radar_raster("xwr1443-2tx", 1, 0.0, 1, 0.0, 4, &capture);
    capture.calibration.channel_gain = calloc(8, sizeof(float complex));
    capture.calibration.channel_delay_s = calloc(8, sizeof(double));
    for (int c = 0; c < 8; c++) {
        capture.calibration.channel_gain[c] = 1.0f;
    }
    assert_ok(nfsar_capture_check(&capture, &error), error);
    const struct {
        float complex gain;
        double delay;
        const char *message;
    } cases[] = {
        {0.0f, 0.0, "channel_gain[3] is zero or not finite"},
        {CMPLXF(1.0f, NAN), 0.0, "channel_gain[3] is zero or not finite"},
        {CMPLXF(INFINITY, 0.0f), 0.0, "channel_gain[3] is zero or not finite"},
        {1e-20f, 0.0, "channel_gain[3] is 1e-20: a gain is between"},
        {3e38f + 3e38f * I, 0.0, "channel_gain[3] is 4.2"},
        {1.0f, -INFINITY, "channel_delay_s[3] is not finite"},
        {1.0f, -1e300, "channel_delay_s[3] is -1e+300 s: no delay is beyond"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        capture.calibration.channel_gain[3] = cases[i].gain;
        capture.calibration.channel_delay_s[3] = cases[i].delay;
        assert_int_equal(nfsar_capture_check(&capture, &error), NFSAR_ERROR_FORMAT);
        assert_contains(error.message, cases[i].message);
    }
    nfsar_capture_free(&capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recovers_the_model),
        cmocka_unit_test(a_delay_moves_the_range),
        cmocka_unit_test(nothing_known_changes_nothing),
        cmocka_unit_test(what_cannot_be_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
