/* GHz for Hz, ksps for Hz, us for s, millimetres for metres: the key that is wrong is named. */
#include "tests/import/recorder.h"

#include <sys/stat.h>
#include <unistd.h>

/* The SafeHaven radar with the keys of a mmWave Studio setup, any of which can be replaced. */
struct numbers {
    const char *start, *slope, *adc, *rate, *frame, *more;
};

static void rig_text(char *text, size_t size, struct numbers n) {
    snprintf(text, size,
             "files: {list: [a.bin]}\nlayout: 4-lane\n"
             "radar: {start_frequency_hz: %s, slope_hz_per_s: %s, adc_start_s: %s, sample_rate_hz: "
             "%s, samples: 512, frame_period_s: %s}\n" ARRAY_1X4 "%s",
             n.start != NULL ? n.start : "77e9", n.slope != NULL ? n.slope : "63.343e12",
             n.adc != NULL ? n.adc : "6e-6", n.rate != NULL ? n.rate : "9.121e6",
             n.frame != NULL ? n.frame : "18e-3", n.more != NULL ? n.more : "");
}

/* Refused in a line of ordinary length: nobody wants the 300 digits of 1e308. */
static void check(struct numbers numbers, const char *part) {
    char text[1024];
    rig_text(text, sizeof text, numbers);
    assert_refused(text, part);
    nfsar_import *import = NULL;
    nfsar_error error = {0};
    open_rig(text, &import, &error);
    assert_null(import);
    assert_true(strlen(error.message) < 300);
    assert_null(strchr(error.message, '\n'));
}

static void make_recording(void) {
    test_write_file("a.bin", "", 0);
    assert_int_equal(truncate(test_path("a.bin"), 4 * 512 * 4), 0);
}

static void the_units_of_the_chirp(void **state) {
    (void)state;
    make_recording();
#define WRONG(key, value, part) check((struct numbers){.key = value}, part)
    WRONG(start, "77",
          "radar.start_frequency_hz: 77 Hz; possible are 10 MHz to 1 THz: is it "
          "given in GHz?");
    WRONG(start, "77e15", "radar.start_frequency_hz: 7.7e+16 Hz");
    WRONG(start, "1e-300", "radar.start_frequency_hz: 1e-300 Hz");
    WRONG(start, "1e308", "radar.start_frequency_hz: 1e+308 Hz");
    WRONG(start, "77e6", "radar.start_frequency_hz: 7.7e+07 Hz with this slope gives a band from");
    /* 511 samples of 9.121 MHz last 56.02 us. */
    WRONG(slope, "63.343e6",
          "radar.slope_hz_per_s: 6.33e+07 Hz/s sweeps only 3.55e+03 Hz in 512 "
          "samples: is it given in MHz/us?");
    WRONG(slope, "63.343", "radar.slope_hz_per_s: 63.3 Hz/s");
    WRONG(slope, "63.343e18", "radar.slope_hz_per_s: 6.33e+19 Hz/s sweeps");
    WRONG(rate, "9121", "radar.sample_rate_hz: 9.12e+03 Hz lets the chirp sweep");
    WRONG(rate, "9.121",
          "radar.sample_rate_hz: 9.12 Hz; possible are 1 kHz to 10 GHz: is it "
          "given in ksps?");
    WRONG(adc, "6", "radar.adc_start_s: 6 s; possible are 0 to 10 ms: is it given in us?");
    WRONG(adc, "-6e-6", "radar.adc_start_s: -6e-06 s");
}

static void delays_and_places(void **state) {
    (void)state;
    make_recording();
    /* 0.45 s are 6.75e7 m; a step of 63.343e12 / 9.121e6 Hz = 6.945 MHz repeats after 21.6 m. */
    WRONG(
        more, "calibration: {delay_s: 0.45}\n",
        "calibration.delay_s: 0.45 s is 6.75e+07 m of range, more than the unambiguous 21.6 m: is "
        "it given in ns?");
    WRONG(more, "calibration: {delay_s: -1e308}\n", "calibration.delay_s: -1e+308 s");
    WRONG(more, "calibration: {range_bias_m: 65}\n", "calibration.range_bias_m: 65 m");
    WRONG(more, "calibration: {channel_delay_s: [0, 0, 1, 0]}\n", "calibration.channel_delay_s: 1");
    WRONG(more, "scan: {positions: 1, rows: 1, step_m: 1.5}\n",
          "scan.step_m: 1.5 m; possible are at most 1 m: is it given in metres?");
    WRONG(more, "scan: {positions: 1, rows: 1, row_step_m: -2.05}\n", "scan.row_step_m: -2.05 m");
    WRONG(more, "scan: {positions: 1, rows: 1, z_m: 2e4}\n", "scan.z_m: 2e+04 m");
    WRONG(more, "scan: {positions: 1, rows: 1, centre_m: [0, 1e300]}\n", "scan.centre_m: 1e+300 m");
    WRONG(more, "scan: {positions: 1, rows: 1, motion: fly-by, speed_m_per_s: 100}\n",
          "scan.speed_m_per_s: 100 m/s x 0.018 s is 1.8 m");
}

static void stepped_frequencies(void **state) {
    (void)state;
    make_recording();
#define STEPPED(numbers)                                                                           \
    "files: {list: [a.bin]}\nlayout: 4-lane\nradar: {" numbers ", samples: 512}\n" ARRAY_1X4
    assert_refused(STEPPED("first_frequency_hz: 75, frequency_step_hz: 0.1"),
                   "radar.first_frequency_hz: the band goes from 75 to 126 Hz");
    assert_refused(STEPPED("first_frequency_hz: 1e-300, frequency_step_hz: 1e7"),
                   "radar.first_frequency_hz: the band goes from 1e-300 to");
    assert_refused(STEPPED("first_frequency_hz: 75e9, frequency_step_hz: 10"),
                   "radar.frequency_step_hz: the band of 5.11e+03 Hz at 7.5e+10 Hz is too narrow");
    nfsar_import *import = NULL;
    nfsar_error error;
    /* Ground-penetrating radars sweep over more than their centre frequency. */
    assert_ok(open_rig(STEPPED("first_frequency_hz: 5e8, frequency_step_hz: 1e7"), &import, &error),
              error);
    nfsar_import_close(import);
}

static void assert_first_warning(const char *text, const char *part) {
    nfsar_import *import = NULL;
    nfsar_error error;
    size_t n = 0;
    assert_ok(open_rig(text, &import, &error), error);
    const char *const *warning = nfsar_import_warnings(import, &n);
    if (part == NULL) {
        assert_int_equal(n, 0);
    } else {
        assert_int_equal(n, 1);
        assert_contains(warning[0], part);
    }
    nfsar_import_close(import);
}

static void possible_but_unlikely_numbers_are_warned_of(void **state) {
    (void)state;
    char text[1024];
    make_recording();
    rig_text(text, sizeof text, (struct numbers){0});
    assert_first_warning(text, NULL);
    rig_text(text, sizeof text, (struct numbers){.frame = "18"});
    assert_first_warning(text, "radar.frame_period_s is 18 s from one frame to the next: is it "
                               "given in ms?");
    assert_first_warning("files: {list: [a.bin]}\nlayout: 4-lane\n"
                         "radar: {start_frequency_hz: 60e9, slope_hz_per_s: 60e12, "
                         "sample_rate_hz: 9e6, samples: 512}\n"
                         "array: {preset: xwr1443-2tx, tx: [1]}\n",
                         "array.preset xwr1443-2tx has the spacings of 79 GHz, but the band's "
                         "centre is 61.7 GHz");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_units_of_the_chirp),
        cmocka_unit_test(delays_and_places),
        cmocka_unit_test(stepped_frequencies),
        cmocka_unit_test(possible_but_unlikely_numbers_are_warned_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
