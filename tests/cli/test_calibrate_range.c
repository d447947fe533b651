/* nfsar calibrate --range: from simulated captures to files whose delays and frequencies are right.
 */
#include "tests/support.h"

#include <complex.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/file.h>

#include "tests/radar.h"

/* A reflector at (30, 20, 500) mm before a scan by nfsar's own simulator. */
static void simulate(const char *name, const char *raster) {
    char output[4096], scene[1024];
    snprintf(scene, sizeof scene,
             "radar: {waveform: 77-81ghz-64}\n"
             "array: {preset: single}\n"
             "path: {raster: %s}\n"
             "targets:\n"
             "  - points:\n"
             "      - {at_m: [0.03, 0.02, 0.5]}\n"
             "impairments: {snr_db: 20}\n",
             raster);
    test_write_file("scene.yaml", scene, strlen(scene));
    assert_int_equal(test_command(output, sizeof output, "simulate '%s' -o '%s'",
                                  test_path("scene.yaml"), test_path(name)),
                     0);
}

/* The delay of all channels that was written, seconds. */
static double delay_in(const char *name) {
    nfsar_error error;
    nfsar_capture_file *file;
    assert_ok(nfsar_capture_file_open(test_path(name), &file, &error), error);
    const nfsar_capture *header = nfsar_capture_file_header(file);
    assert_non_null(header->calibration.channel_delay_s);
    double delay = header->calibration.channel_delay_s[0];
    assert_contains(header->provenance[header->n_provenance - 1], "--range");
    nfsar_capture_file_close(file);
    return delay;
}

/* From the radar in the middle of the scan it is sqrt(0.03^2 + 0.02^2 + 0.5^2) = 501.298 mm away;
 * said to be 1.298 mm nearer, the instrument is late by 2 * 1.298 mm / c = 8.661 ps. */
static void a_scan(void **state) {
    (void)state;
    static const struct {
        const char *raster, *place;
    } scans[] = {
        {"{x: {size_m: 0.1, count: 51}, y: {size_m: 0, count: 1}}",
         " mm along the scan; across it is taken to be straight ahead"},
        {"{x: {size_m: 0.2, count: 21}, y: {size_m: 0.2, count: 21}}",
         "4.1 degrees off straight ahead"}, /* atan(36.06 / 498.7) */
    };
    char output[8192];
    for (size_t i = 0; i < 2; i++) {
        simulate("scan.h5", scans[i].raster);
        assert_int_equal(test_command(output, sizeof output, "calibrate '%s' -o '%s' --range 0.5",
                                      test_path("scan.h5"), test_path("right.h5")),
                         0);
        assert_contains(output, "ranges count from 0.00, 0.00, 0.00 mm: the middle of the array");
        assert_contains(output, scans[i].place);
        assert_contains(output, "standard deviation 6.7 ps with 1 mm for the ruler");
        assert_near(delay_in("right.h5"), 8.661e-12, 0.7e-12);
    }
    assert_int_equal(test_command(output, sizeof output,
                                  "calibrate '%s' -o '%s' --range 0.501298 --json",
                                  test_path("scan.h5"), test_path("right.h5")),
                     0);
    assert_contains(output, "\"at_rest\": false");
    assert_contains(output, "\"directions_told\": 2");
    assert_contains(output, "\"middle_pulse\": 220");
    assert_near(delay_in("right.h5"), 0.0, 0.7e-12);
}

/* At rest the range is all; how far an echo may be is --search. */
static void a_radar_at_rest(void **state) {
    (void)state;
    char output[8192];
    simulate("rest.h5", "{x: {size_m: 0, count: 1}, y: {size_m: 0, count: 1}}");
    assert_int_equal(test_command(output, sizeof output, "calibrate '%s' -o '%s' --range 0.5",
                                  test_path("rest.h5"), test_path("right.h5")),
                     0);
    assert_contains(output, "at rest: ranges count from the middle of its array");
    assert_contains(output, "taken to be straight ahead");
    assert_near(delay_in("right.h5"), 8.661e-12, 6e-12);
    assert_int_equal(test_command(output, sizeof output, "calibrate '%s' -o '%s' --range 0.3",
                                  test_path("rest.h5"), test_path("none.h5")),
                     1);
    assert_contains(output, "no reflector in the data at 0.3 m");
    assert_int_equal(test_count_files("none.h5"), 0);
    assert_int_equal(test_command(output, sizeof output,
                                  "calibrate '%s' -o '%s' --range 0.3 --search 0.25",
                                  test_path("rest.h5"), test_path("right.h5")),
                     0);
    assert_null(strstr(output, "another echo"));
    /* 2 * 201.298 mm / c. */
    assert_near(delay_in("right.h5"), 1342.9e-12, 6e-12);
}

/* Two reflectors, dechirped with 300 ps of cable and an ADC that starts 0.3 us late: the file that
 * is written has it right, and is left alone the next time. */
static void ranges_put_the_chirp_right(void **state) {
    (void)state;
    char output[8192];
    nfsar_error error;
    nfsar_capture made;
    enum { SAMPLES = 128 };
    radar_raster("single", 2, 0.0, 1, 0.0, SAMPLES, &made);
    made.has_fmcw = true;
    made.fmcw = (nfsar_fmcw){77e9, 70e12, 2.2e6, 6e-6};
    assert_ok(nfsar_fmcw_frequencies(&made.fmcw, made.frequency_hz, SAMPLES, &error), error);
    for (size_t i = 0; i < (size_t)2 * SAMPLES; i++) {
        double t = 6.3e-6 + (double)(i % SAMPLES) / 2.2e6;
        double complex sum = 0.0;
        for (int r = 0; r < 2; r++) {
            double tau = 2.0 * (r == 0 ? 0.4 : 1.0) / NFSAR_SPEED_OF_LIGHT + 300e-12;
            sum += cexp(2.0 * NFSAR_PI * I *
                        (fmod(77e9 * tau, 1.0) + 70e12 * (t * tau - 0.5 * tau * tau)));
        }
        /* A little noise: a range has to stand out of something. */
        made.echo[i] = (float complex)(sum + 0.01 * cexp(I * 1.7 * (double)(i * i)));
    }
    assert_ok(nfsar_capture_save(test_path("two.h5"), &made, &error), error);
    double nominal = made.frequency_hz[0];
    nfsar_capture_free(&made);
    assert_int_equal(test_command(output, sizeof output,
                                  "calibrate '%s' -o '%s' --range 0.4,1.0 --range-error 1e-5",
                                  test_path("two.h5"), test_path("once.h5")),
                     0);
    assert_contains(output, "put right, which takes both reflectors to be of one kind");
    assert_contains(output, "taken out at 0.74");
    nfsar_capture_file *file;
    assert_ok(nfsar_capture_file_open(test_path("once.h5"), &file, &error), error);
    const nfsar_capture *once = nfsar_capture_file_header(file);
    assert_near(once->fmcw.adc_start_s, 6.3e-6, 0.1e-6);
    /* 0.3 us of 70 MHz/us, less 70 MHz/us of the 4.97 ns of 0.745 m. */
    assert_near(once->frequency_hz[0] - nominal, 21e6 - 0.35e6, 4e6);
    assert_near(once->calibration.channel_delay_s[0], 300e-12, 1e-12);
    double first = once->frequency_hz[0];
    nfsar_capture_file_close(file);
    assert_int_equal(test_command(output, sizeof output,
                                  "calibrate '%s' -o '%s' --range 0.4,1.0 --range-error 1e-5",
                                  test_path("once.h5"), test_path("twice.h5")),
                     0);
    assert_contains(output, "was taken out before at 0.74");
    assert_contains(output, "left as it is");
    assert_ok(nfsar_capture_file_open(test_path("twice.h5"), &file, &error), error);
    assert_near(nfsar_capture_file_header(file)->frequency_hz[0], first, 0.0);
    nfsar_capture_file_close(file);
    /* Its gains and delays go with its chirp. */
    assert_int_equal(test_command(output, sizeof output, "calibrate '%s' -o '%s' --table '%s'",
                                  test_path("two.h5"), test_path("taken.h5"), test_path("once.h5")),
                     0);
    assert_contains(output, "has the chirp's slope or ADC start otherwise than the capture");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scan),
        cmocka_unit_test(a_radar_at_rest),
        cmocka_unit_test(ranges_put_the_chirp_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
