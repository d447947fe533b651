/* nfsar calibrate --table onto captures that are calibrated: gains and delays belong together, and
 * what a capture was told of itself stays. */
#include "tests/support.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <matio.h>
#include <nfsar/file.h>

enum { TX = 2, RX = 4, PAIRS = TX * RX, SAMPLES = 16 };

/* What a radar does to its channels, made of nothing but indices. */
static double complex gain_of(size_t c) {
    return (1.0 + 0.05 * (double)c) * cexp(I * (double)(c * c));
}

static double delay_of(size_t c) {
    return 450e-12 + 7e-12 * (double)((5 * c) % PAIRS);
}

static void make_capture(double first_hz, nfsar_capture *capture) {
    nfsar_error error;
    nfsar_array array;
    assert_ok(nfsar_array_create(TX, RX, &array, &error), error);
    assert_ok(nfsar_capture_create(2, SAMPLES, &array, true, capture, &error), error);
    for (size_t n = 0; n < SAMPLES; n++) {
        capture->frequency_hz[n] = first_hz + 250e6 * (double)n;
    }
    capture->time_s[1] = capture->pose_time_s[1] = 0.1;
}

enum { GAINS = 1, DELAYS = 2, COMMON = 4, BACKGROUND = 8 };

static void save(const char *name, double first_hz, int what, double background) {
    nfsar_error error;
    nfsar_capture capture;
    make_capture(first_hz, &capture);
    nfsar_calibration *c = &capture.calibration;
    if (what & GAINS) {
        c->channel_gain = malloc(PAIRS * sizeof *c->channel_gain);
    }
    if (what & (DELAYS | COMMON)) {
        c->channel_delay_s = malloc(PAIRS * sizeof *c->channel_delay_s);
    }
    if (what & BACKGROUND) {
        c->background = malloc(PAIRS * SAMPLES * sizeof *c->background);
        for (size_t i = 0; i < PAIRS * SAMPLES; i++) {
            c->background[i] = (float)background;
        }
    }
    for (size_t i = 0; i < PAIRS; i++) {
        if (what & GAINS) {
            c->channel_gain[i] = (float complex)gain_of(i);
        }
        if (what & (DELAYS | COMMON)) {
            c->channel_delay_s[i] = what & COMMON ? 33e-12 : delay_of(i);
        }
    }
    assert_ok(nfsar_capture_save(test_path(name), &capture, &error), error);
    nfsar_capture_free(&capture);
}

static void save_table(const char *name, const char *variable, size_t n, double *re, double *im) {
    size_t shape[2] = {n, 1};
    mat_t *mat = Mat_CreateVer(test_path(name), NULL, MAT_FT_MAT5);
    mat_complex_split_t both = {re, im};
    matvar_t *v =
        Mat_VarCreate(variable, MAT_C_DOUBLE, MAT_T_DOUBLE, 2, shape,
                      im != NULL ? (void *)&both : (void *)re, im != NULL ? MAT_F_COMPLEX : 0);
    assert_int_equal(Mat_VarWrite(mat, v, MAT_COMPRESSION_NONE), 0);
    Mat_VarFree(v);
    Mat_Close(mat);
}

static int set_up(void **state) {
    (void)state;
    double re[PAIRS], im[PAIRS], delay[PAIRS], bias = 0.01;
    for (size_t c = 0; c < PAIRS; c++) { /* as the array lists its channels: receiver fastest */
        double complex data = 1.0 / gain_of(c);
        re[c] = creal(data);
        im[c] = cimag(data);
        delay[c] = 3e-12 * (double)c;
    }
    save_table("cal.mat", "calData", PAIRS, re, im);
    save_table("delay.mat", "delayOffset", PAIRS, delay, NULL);
    save_table("bias.mat", "zBias_m", 1, &bias, NULL);
    save("plain.h5", 77e9, 0, 0.0);
    save("known.h5", 77e9, GAINS | DELAYS, 0.0);
    save("ranged.h5", 77e9, COMMON, 0.0);
    save("empty.h5", 77e9, BACKGROUND, 2.0);
    save("full.h5", 77e9, GAINS | DELAYS | BACKGROUND, 5.0);
    save("other.h5", 60e9, GAINS | DELAYS, 0.0);
    save("wider.h5", 76e9, GAINS | DELAYS | BACKGROUND, 5.0);
    return 0;
}

static void apply(const char *input, const char *table, const char *output, const char *says) {
    char text[8192];
    int status = test_command(text, sizeof text, "calibrate '%s' -o '%s' --table '%s'",
                              test_path(input), test_path(output), test_path(table));
    if (status != 0) {
        fail_msg("--table %s onto %s answered %d: %s", table, input, status, text);
    }
    assert_contains(text, says);
}

/* What is left of each channel after /calibration, were its hardware as given; by the definition
 * recorded = gain exp(+j 2 pi f delay) * true. */
static double complex corrected(const nfsar_capture *capture, size_t c, double f,
                                double complex gain, double delay) {
    const nfsar_calibration *had = &capture->calibration;
    double complex g = had->channel_gain != NULL ? had->channel_gain[c] : 1.0f;
    double t = had->channel_delay_s != NULL ? had->channel_delay_s[c] : 0.0;
    return gain / g * cexp(2.0 * NFSAR_PI * I * fmod(f * (delay - t), 1.0));
}

static void load(const char *name, nfsar_capture *capture) {
    nfsar_error error;
    assert_ok(nfsar_capture_load(test_path(name), capture, &error), error);
}

/* Channels that were in phase all over the band stay so: what is added is a delay of all. */
static void a_common_delay_is_added(void **state) {
    (void)state;
    const struct {
        const char *table;
        double added_s;
    } cases[] = {{"bias.mat", -2.0 * 0.01 / NFSAR_SPEED_OF_LIGHT}, {"ranged.h5", 33e-12}};
    for (size_t i = 0; i < 2; i++) {
        nfsar_capture capture;
        apply("known.h5", cases[i].table, "out.h5", "added to that of all channels");
        load("out.h5", &capture);
        for (size_t c = 0; c < PAIRS; c++) {
            for (double f = 77e9; f < 81.1e9; f += 2e9) {
                double complex rest = corrected(&capture, c, f, gain_of(c), delay_of(c));
                double complex want = cexp(-2.0 * NFSAR_PI * I * fmod(f * cases[i].added_s, 1.0));
                assert_near(cabs(rest - want), 0.0, 1e-5);
            }
        }
        nfsar_capture_free(&capture);
        /* And without any calibration it is all there is. */
        apply("plain.h5", cases[i].table, "out.h5", "added to that of all channels");
        load("out.h5", &capture);
        assert_null(capture.calibration.channel_gain);
        assert_near(capture.calibration.channel_delay_s[3], cases[i].added_s, 1e-18);
        nfsar_capture_free(&capture);
    }
}

static void half_a_pair_brings_the_other_half(void **state) {
    (void)state;
    nfsar_capture capture;
    /* calData alone was found with no delays taken out. */
    const char *const before[] = {"plain.h5", "delayed.h5", "known.h5"};
    apply("plain.h5", "delay.mat", "delayed.h5", "channel");
    for (size_t i = 0; i < 3; i++) {
        apply(before[i], "cal.mat", "out.h5", "the table has no delays: 0");
        load("out.h5", &capture);
        for (size_t c = 0; c < PAIRS; c++) {
            assert_near(cabs(corrected(&capture, c, 79e9, gain_of(c), 0.0) - 1.0), 0.0, 1e-5);
        }
        nfsar_capture_free(&capture);
    }
    /* delayOffset alone, the toolbox' way: exp(-j 2 pi (f - f0) delay) and nothing else. */
    apply("known.h5", "delay.mat", "out.h5", "gains and delays that were there are replaced, both");
    load("out.h5", &capture);
    for (size_t c = 0; c < PAIRS; c++) {
        double complex turned = cexp(-2.0 * NFSAR_PI * I * fmod(77e9 * 3e-12 * (double)c, 1.0));
        double complex rest = corrected(&capture, c, 79e9, turned, 3e-12 * (double)c);
        assert_near(cabs(rest - 1.0), 0.0, 1e-5);
    }
    nfsar_capture_free(&capture);
}

static void the_background_is_the_captures_own(void **state) {
    (void)state;
    nfsar_capture capture;
    apply("empty.h5", "full.h5", "out.h5", "background the capture's own");
    load("out.h5", &capture);
    assert_near((double)crealf(capture.calibration.background[7]), 2.0, 0.0);
    assert_near(capture.calibration.channel_delay_s[1], delay_of(1), 0.0);
    nfsar_capture_free(&capture);
    apply("plain.h5", "full.h5", "out.h5", "background from the table");
    load("out.h5", &capture);
    assert_near((double)crealf(capture.calibration.background[7]), 5.0, 0.0);
    nfsar_capture_free(&capture);
}

static void other_frequencies_are_noticed(void **state) {
    (void)state;
    char text[4096];
    assert_int_equal(test_command(text, sizeof text, "calibrate '%s' -o '%s' --table '%s'",
                                  test_path("plain.h5"), test_path("none.h5"),
                                  test_path("other.h5")),
                     1);
    assert_contains(text, "was calibrated from 60 to 63.75 GHz");
    assert_contains(text, "the capture's 77 to 80.75 GHz");
    /* A background 1 GHz aside is none, gains are: with a word. */
    assert_int_equal(test_command(text, sizeof text, "calibrate '%s' -o '%s' --table '%s'",
                                  test_path("plain.h5"), test_path("none.h5"),
                                  test_path("wider.h5")),
                     1);
    assert_contains(text, "its background does not fit, sample 0 is at 76 GHz");
    assert_int_equal(test_count_files("none.h5"), 0);
    apply("empty.h5", "wider.h5", "out.h5", "phases beyond are as the delays continue them");
}

static void captures_are_known_by_what_they_are(void **state) {
    (void)state;
    char text[4096];
    assert_int_equal(rename(test_path("ranged.h5"), test_path("ranged.hdf5")), 0);
    apply("plain.h5", "ranged.hdf5", "out.h5", "+33.00 ps, added");
    assert_int_equal(rename(test_path("ranged.hdf5"), test_path("ranged.dat")), 0);
    apply("plain.h5", "ranged.dat", "out.h5", "+33.00 ps, added");
    assert_int_equal(test_command(text, sizeof text, "calibrate '%s' -o '%s' --table '%s,%s'",
                                  test_path("plain.h5"), test_path("none.h5"), test_path("cal.mat"),
                                  test_path("ranged.dat")),
                     2);
    assert_contains(text, "ranged.dat is a capture, which is taken alone");
    assert_int_equal(rename(test_path("ranged.dat"), test_path("ranged.h5")), 0);
}

/* What carries a delay over twice is said to, by the history that the first has left. */
static void a_delay_that_is_there_is_told(void **state) {
    (void)state;
    char output[8192];
    const char *input[] = {"known.h5", "once.h5"};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(test_command(output, sizeof output, "calibrate '%s' -o '%s' --table '%s'",
                                      test_path(input[i]), test_path(i == 0 ? "once.h5" : "two.h5"),
                                      test_path("ranged.h5")),
                         0);
        assert_int_equal(strstr(output, "now it is there twice") != NULL, i == 1);
    }
    assert_int_equal(test_command(output, sizeof output, "calibrate '%s' -o '%s' --table '%s'",
                                  test_path("known.h5"), test_path("none.h5"),
                                  test_path("plain.h5")),
                     1);
    assert_contains(output, "is not calibrated: give the file that nfsar calibrate wrote");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_common_delay_is_added),
        cmocka_unit_test(half_a_pair_brings_the_other_half),
        cmocka_unit_test(the_background_is_the_captures_own),
        cmocka_unit_test(other_frequencies_are_noticed),
        cmocka_unit_test(captures_are_known_by_what_they_are),
        cmocka_unit_test(a_delay_that_is_there_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
