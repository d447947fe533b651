/* The doctor finds nothing in sound captures; noise, gates, stops. The faults are in
 * test_doctor_faults.c. */
#include "tests/doctor.h"
#include "tests/radar.h"
#include "tests/support.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/doctor.h>
#include <nfsar/simulation.h>

static void sound_captures_are_sound(void **state) {
    (void)state;
    static const struct {
        const char *preset;
        size_t rows;
        double snr_db;
    } kind[] = {
        {"single", 10, 5.0},
        {"xwr1443-2tx", 1, 200.0},
        {"xwr1443-3tx", 1, -10.0},
        {"single", 1, 10.0},
    };
    for (enum scan scan = PLANE; scan < SCANS; scan++) {
        for (size_t k = 0; k < sizeof kind / sizeof *kind; k++) {
            nfsar_capture capture;
            doctor_make(scan, kind[k].preset, kind[k].rows, kind[k].snr_db, &capture);
            doctor_assert(&capture, NFSAR_FAULT_NONE, "", doctor_scan_name[scan]);
            assert_non_null(strstr(doctor_report.finding[0].text, "none of"));
            nfsar_capture_free(&capture);
        }
    }
}

/* A single pulse, and few: nothing is wrong, and what cannot be told is unknown. */
static void few_pulses_are_no_fault(void **state) {
    (void)state;
    for (size_t n = 1; n <= 9; n += 4) {
        nfsar_capture capture;
        doctor_make(PLANE, "xwr1443-2tx", 1, 15.0, &capture);
        capture.n_pulse = capture.n_pose = n;
        doctor_assert(&capture, NFSAR_FAULT_NONE, "", "few");
        if (n < 8) {
            assert_true(doctor_report.verdicts[NFSAR_DOCTOR_UNKNOWN] > 0);
        }
        capture.n_pulse = capture.n_pose = 40;
        nfsar_capture_free(&capture);
    }
}

/* Whole numbers of a converter that is not overdriven. */
static void whole_numbers_are_no_clipping(void **state) {
    (void)state;
    for (double strongest = 300.0; strongest < 32768.0; strongest *= 60.0) {
        nfsar_capture capture;
        doctor_make(PLANE, "xwr1443-2tx", 2, 20.0, &capture);
        doctor_convert(&capture, strongest, 32768.0);
        doctor_assert(&capture, NFSAR_FAULT_NONE, "", "whole numbers");
        nfsar_capture_free(&capture);
    }
}

/* All samples zero; times that do not ascend. */
static void what_cannot_be_examined_is_named(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture;
    doctor_make(PLANE, "xwr1443-2tx", 1, 20.0, &capture);
    const nfsar_echo_source source = nfsar_capture_source(&capture);
    capture.gated.range_m[1] = 0.5;
    assert_int_equal(nfsar_doctor_examine(&capture, &source, NULL, &doctor_report, NULL, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "examine the capture that was gated");
    capture.gated.range_m[1] = 0.0;
    memset(capture.echo, 0, doctor_samples(&capture) * sizeof *capture.echo);
    doctor_examine(&capture, NULL);
    assert_non_null(doctor_finding(NFSAR_FAULT_SAMPLES_MISSING));
    assert_contains(doctor_finding(NFSAR_FAULT_SAMPLES_MISSING)->text, "every sample is zero");
    capture.time_s[5] = capture.time_s[4] - 1.0;
    assert_int_equal(nfsar_doctor_examine(&capture, &source, NULL, &doctor_report, NULL, &error),
                     NFSAR_ERROR_FORMAT);
    nfsar_capture_free(&capture);
}

static void noise_and_empty_gates_are_named(void **state) {
    (void)state;
    nfsar_doctor_options options = {.has_gate = true, .gate = {0.25, 0.4}};
    nfsar_error error;
    nfsar_capture capture;
    doctor_make(PLANE, "single", 5, -12.0, &capture);
    doctor_examine(&capture, &options);
    assert_int_equal(doctor_report.verdicts[NFSAR_DOCTOR_WRONG], 0);
    options.gate[0] = 0.8;
    options.gate[1] = 1.2;
    doctor_examine(&capture, &options);
    assert_int_equal(doctor_report.verdicts[NFSAR_DOCTOR_WRONG], 1);
    assert_non_null(doctor_finding(NFSAR_FAULT_GATE_EMPTY));
    options.gate[1] = 3.0;
    doctor_examine(&capture, &options);
    assert_contains(doctor_finding(NFSAR_FAULT_GATE_EMPTY)->text, "unambiguous 2.36 m");
    options.gate[1] = 0.5;
    const nfsar_echo_source source = nfsar_capture_source(&capture);
    assert_int_equal(
        nfsar_doctor_examine(&capture, &source, &options, &doctor_report, NULL, &error),
        NFSAR_ERROR_ARGUMENT);
    memset(capture.echo, 0, doctor_samples(&capture) * sizeof *capture.echo);
    capture.echo[0] = 1e-6F;
    nfsar_random random;
    for (uint64_t seed = 0; seed < 6; seed++) {
        nfsar_random_seed(&random, seed);
        for (size_t i = 0; i < doctor_samples(&capture); i++) {
            capture.echo[i] = (float complex)nfsar_random_complex_normal(&random);
        }
        doctor_assert(&capture, NFSAR_FAULT_NO_ECHO, "nothing stands out of the noise", "noise");
    }
    nfsar_capture_free(&capture);
}

/* Several pulses at each position are no tracker that stands still. */
static void stops_are_no_fault(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    doctor_make(PLANE, "xwr1443-2tx", 5, 200.0, &capture);
    for (size_t i = 0; i < capture.n_pose; i++) {
        capture.pose[i] = capture.pose[i - i % 4];
    }
    assert_ok(nfsar_simulate(&capture, doctor_points, 5, NULL, 0, capture.n_pulse, capture.echo,
                             NULL, &error),
              error);
    doctor_add_noise(&capture, -5.0, 9);
    doctor_examine(&capture, NULL);
    assert_null(doctor_finding(NFSAR_FAULT_POSE_REPEATED));
    nfsar_capture_free(&capture);
}

/* 40 x 50 antennas: each channel is looked at, and how they fit each other is left open. */
static void many_channels_are_examined(void **state) {
    (void)state;
    enum { TX = 40, RX = 50, FREQUENCIES = 32 };
    nfsar_capture capture;
    nfsar_error error;
    nfsar_array array = {0};
    assert_ok(nfsar_array_create(TX, RX, &array, &error), error);
    for (int t = 0; t < TX; t++) {
        array.tx_m[t].x = 1e-4 * t;
    }
    for (int r = 0; r < RX; r++) {
        array.rx_m[r].y = 1e-4 * r;
    }
    assert_ok(nfsar_capture_create(16, FREQUENCIES, &array, true, &capture, &error), error);
    assert_int_equal(capture.array.n_channel, TX * RX);
    for (size_t i = 0; i < FREQUENCIES; i++) {
        capture.frequency_hz[i] = 77e9 + 4e9 * (double)i / (FREQUENCIES - 1);
    }
    for (size_t i = 0; i < 16; i++) {
        capture.pose[i].position = (nfsar_vec3){2e-3 * (double)(i % 4), 3e-3 * (double)(i / 4), 0};
    }
    assert_ok(nfsar_simulate(&capture, doctor_points, 1, NULL, 0, 16, capture.echo, NULL, &error),
              error);
    doctor_add_noise(&capture, 20.0, 3);
    doctor_assert(&capture, NFSAR_FAULT_NONE, "", "2000 channels");
    const nfsar_finding *last = &doctor_report.finding[doctor_report.n - 1];
    assert_string_equal(last->check, "fit");
    assert_int_equal(last->verdict, NFSAR_DOCTOR_UNKNOWN);
    assert_contains(last->text, "2000 channels are more than are compared");
    assert_true(last->fix[0] != '\0');
    /* One that is dead is found among them. */
    for (size_t p = 0; p < 16; p++) {
        memset(capture.echo + (p * TX * RX + 1234) * FREQUENCIES, 0,
               FREQUENCIES * sizeof *capture.echo);
    }
    doctor_assert(&capture, NFSAR_FAULT_CHANNEL_DEAD, "channel 1234 (tx 24, rx 34)", "dead");
    nfsar_capture_free(&capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_captures_are_sound),
        cmocka_unit_test(few_pulses_are_no_fault),
        cmocka_unit_test(whole_numbers_are_no_clipping),
        cmocka_unit_test(what_cannot_be_examined_is_named),
        cmocka_unit_test(noise_and_empty_gates_are_named),
        cmocka_unit_test(stops_are_no_fault),
        cmocka_unit_test(many_channels_are_examined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
