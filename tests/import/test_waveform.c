/* Waveforms of pulsed radars: echoes of known range must come out with the phases of the echo
 * model, whatever the first sample's range; what cannot be is named. */
#include "tests/import/cubes.h"

#include <math.h>

enum { PULSES = 3, SAMPLES = 400 };

static const double ranges[PULSES] = {4.0, 4.3, 5.123};

static const char rig[] = "files: {list: [wave.npy], axes: [pulse, sample]}\n"
                          "layout: npy\n"
                          "radar:\n"
                          "  pulsed: {first_range_m: 3.1, step_m: 0.0091, low_hz: 3.1e9, high_hz: "
                          "4.8e9}\n"
                          "  frame_period_s: 0.01\n"
                          "array: {preset: single}\n";

/* A short pulse about 4 GHz that came back from a range. */
static double wave(double range, size_t sample) {
    const double from = 3.1 + 0.0091 * (double)sample - range;
    const double late = 2.0 * from / NFSAR_SPEED_OF_LIGHT;
    return 1000.0 * exp(-pow(from / 0.06, 2.0)) * cos(2.0 * M_PI * 4e9 * late + 0.7);
}

static void write_waves(const char *type) {
    struct tape tape = {0};
    npy_header(&tape, 1, type, false, "(3, 400)");
    for (size_t p = 0; p < PULSES; p++) {
        for (size_t i = 0; i < SAMPLES; i++) {
            npy_number(&tape, type, (float)wave(ranges[p], i));
        }
    }
    test_write_file("wave.npy", tape.bytes, tape.size);
    free(tape.bytes);
}

static enum nfsar_status open_waves(const char *text, nfsar_import **import, nfsar_error *error) {
    test_write_file("rig.yaml", text, strlen(text));
    return nfsar_import_open(test_path("rig.yaml"), NULL, import, error);
}

static void phases(void **state) {
    (void)state;
    nfsar_import *import = NULL;
    nfsar_error error;
    write_waves("<f4");
    assert_ok(open_waves(rig, &import, &error), error);
    const nfsar_capture *capture = nfsar_import_header(import);
    assert_int_equal(capture->n_pulse, PULSES);
    const size_t n = capture->n_sample;
    assert_true(capture->frequency_hz[0] >= 3.1e9 && capture->frequency_hz[n - 1] <= 4.8e9);
    /* Nothing comes round within twice the last sample's range. */
    assert_true(capture->frequency_hz[1] - capture->frequency_hz[0] <=
                NFSAR_SPEED_OF_LIGHT / (4.0 * (3.1 + 0.0091 * SAMPLES)));
    float complex *echo = malloc(PULSES * n * sizeof *echo);
    assert_ok(nfsar_import_read(import, 0, PULSES, echo, &error), error);
    /* The transform of the pulse itself is real but for its phase of 0.7, which is conjugated, and
     * even about 4 GHz: what is left is exp(+j2kR). */
    for (size_t p = 0; p < PULSES; p++) {
        for (size_t i = n / 4; i < 3 * n / 4; i++) {
            const double k = 2.0 * M_PI * capture->frequency_hz[i] / NFSAR_SPEED_OF_LIGHT;
            const double phase = 2.0 * k * ranges[p] - 0.7;
            const double complex turned =
                (double complex)echo[p * n + i] * CMPLX(cos(phase), -sin(phase));
            assert_true(creal(turned) > 0.0);
            assert_near(carg(turned), 0.0, 2e-3);
            /* As large as the analytic signal's: |sum| of twice the positive half. */
            const double off = capture->frequency_hz[i] - 4e9;
            const double width = 2.0 * 0.06 / NFSAR_SPEED_OF_LIGHT;
            const double expected =
                1000.0 * sqrt(M_PI) * 0.06 / 0.0091 * exp(-pow(M_PI * off * width, 2.0));
            assert_near(creal(turned) / expected, 1.0, 2e-3);
        }
    }
    free(echo);
    nfsar_import_close(import);
}

/* Integers and MATLAB's numbers hold the same waves. */
static float complex matlab_value(size_t i) {
    return CMPLXF((float)wave(ranges[i % PULSES], i / PULSES), 0.0f);
}

static void formats(void **state) {
    (void)state;
    nfsar_import *import = NULL;
    nfsar_error error;
    write_waves("<f4");
    assert_ok(open_waves(rig, &import, &error), error);
    const size_t n = nfsar_import_header(import)->n_sample;
    float complex *echo = malloc(PULSES * n * sizeof *echo);
    float complex *other = malloc(PULSES * n * sizeof *other);
    assert_ok(nfsar_import_read(import, 0, PULSES, echo, &error), error);
    nfsar_import_close(import);

    write_waves("<i2");
    assert_ok(open_waves(rig, &import, &error), error);
    assert_ok(nfsar_import_read(import, 0, PULSES, other, &error), error);
    nfsar_import_close(import);
    for (size_t i = 0; i < PULSES * n; i++) {
        /* Rounding to 1 in 1000, 400 samples. */
        assert_true(cabsf(echo[i] - other[i]) < 60.0f);
    }

    size_t dims[2] = {PULSES, SAMPLES};
    write_mat("wave.mat", MAT_FT_MAT5, false, "w", true, false, 2, dims, matlab_value);
    char text[1000];
    snprintf(text, sizeof text,
             "files: {list: [wave.mat], axes: [pulse, sample], variable: w}\nlayout: mat\n%s",
             strstr(rig, "radar:"));
    assert_ok(open_waves(text, &import, &error), error);
    assert_ok(nfsar_import_read(import, 0, PULSES, other, &error), error);
    nfsar_import_close(import);
    for (size_t i = 0; i < PULSES * n; i++) {
        assert_near((double)cabsf(echo[i] - other[i]), 0.0, 1e-3);
    }
    free(echo);
    free(other);
}

static void wrong(void **state) {
    (void)state;
    static const struct {
        const char *from, *to, *says;
    } cases[] = {
        {"first_range_m: 3.1, ", "", "radar.pulsed.first_range_m: is missing"},
        {"step_m: 0.0091", "step_m: 0", "radar.pulsed.step_m: 0: must be positive"},
        {"step_m: 0.0091", "step_m: 9.1",
         "radar.pulsed.high_hz: 4.8e+09 Hz, but samples every 9.1"},
        {"step_m: 0.0091", "step_m: 1e-9", "are no waveform"},
        {"low_hz: 3.1e9", "low_hz: 5e9", "is not above low_hz"},
        {"low_hz: 3.1e9", "low_hz: .nan", "line 4: low_hz"},
        {"low_hz: 3.1e9", "low_hz: 4.79999e9", "fewer than two lines"},
        {"first_range_m: 3.1", "first_range_m: -3.1", "first_range_m: -3.1: must be positive"},
        {"low_hz: 3.1e9", "bogus: 1", "bogus"},
        {"  frame_period_s: 0.01\n", "  samples: 300\n", "axis sample has 400 entries"},
        {"  frame_period_s", "  waveform: 77-81ghz-64\n  frame_period_s", "radar: say in one way"},
        {"array:", "conjugate: true\narray:", "not conjugated"},
        {"layout: npy", "layout: 4-lane", "layout 4-lane"},
    };
    write_waves("<f4");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1000];
        const char *at = strstr(rig, cases[i].from);
        assert_non_null(at);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - rig), rig, cases[i].to,
                 at + strlen(cases[i].from));
        nfsar_import *import = NULL;
        nfsar_error error = {0};
        if (open_waves(text, &import, &error) == NFSAR_OK) {
            fail_msg("case %zu is read: %s", i, cases[i].says);
        }
        if (strcmp(cases[i].says, "layout 4-lane") == 0) {
            assert_contains(error.message, "files.axes");
        } else {
            assert_contains(error.message, cases[i].says);
        }
        assert_contains(error.message, "rig.yaml");
    }
    /* Complex numbers are no waveforms. */
    struct tape tape = {0};
    npy_header(&tape, 1, "<c8", false, "(3, 400)");
    for (size_t i = 0; i < PULSES * SAMPLES; i++) {
        npy_sample(&tape, "<c8", 1.0f);
    }
    test_write_file("wave.npy", tape.bytes, tape.size);
    free(tape.bytes);
    nfsar_import *import = NULL;
    nfsar_error error = {0};
    assert_int_equal(open_waves(rig, &import, &error), NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "radar.pulsed is for real waveforms");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(phases), cmocka_unit_test(formats),
                                       cmocka_unit_test(wrong)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
