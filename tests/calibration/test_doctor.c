/* The doctor names each planted fault, and none in sound captures. */
#include "tests/radar.h"
#include "tests/support.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/doctor.h>
#include <nfsar/simulation.h>

/* ---- captures -------------------------------------------------------------------------------- */

enum scan { PLANE, UNEVEN, HAND, TABLE, SCANS };
static const char *const scan_name[] = {"plane", "uneven", "hand", "table"};

static const nfsar_scatterer points[] = {
    {{0.00, 0.00, 0.30}, 1.0F},   {{0.03, 0.02, 0.31}, 0.7F},  {{-0.02, 0.03, 0.29}, 0.8F},
    {{-0.03, -0.02, 0.30}, 0.5F}, {{0.01, -0.03, 0.32}, 0.9F},
};
static const nfsar_scatterer on_table[] = {
    {{0.00, 0.00, 0.01}, 1.0F},
    {{0.03, 0.01, 0.02}, 0.7F},
    {{-0.04, -0.01, 0.01}, 0.8F},
};

/* Where the radar is at pulse i of n: rows of 40. */
static nfsar_pose pose_of(enum scan scan, size_t i, size_t n, double row_step) {
    double x = 1e-3 * ((double)(i % 40) - 19.5), row = (double)(i / 40);
    double y = row_step * (row - 0.5 * (double)(n / 40 - 1)), turns = (double)i / (double)n;
    nfsar_pose pose = {{x, y, 0.0}, NFSAR_QUATERNION_IDENTITY};
    if (scan == UNEVEN) {
        pose.position.z = 2e-3 * sin(40.0 * x) * cos(50.0 * y);
        pose.position.x += 1e-4 * sin(12345.0 * (double)(i % 977));
    } else if (scan == HAND) {
        pose.position.x = (i / 40) % 2 == 0 ? x : -x;
        pose.position.x += 8e-4 * sin(31.0 * turns);
        pose.position.y += 5e-4 * sin(57.0 * turns) + 2e-4 * (double)(i % 40) / 40.0;
        pose.position.z = 2e-3 * sin(17.0 * turns);
    } else if (scan == TABLE) {
        double angle = 2.0 * NFSAR_PI * turns;
        pose.position = (nfsar_vec3){0.25 * cos(angle), 0.0, 0.25 * sin(angle)};
        pose.orientation =
            nfsar_quaternion_from_axis_angle((nfsar_vec3){0.0, 1.0, 0.0}, -0.5 * NFSAR_PI - angle);
    }
    return pose;
}

static void add_noise(nfsar_capture *capture, double snr_db, uint64_t seed) {
    size_t n = capture->n_pulse * capture->array.n_channel * capture->n_sample;
    double power = 0.0;
    nfsar_random random;
    nfsar_random_seed(&random, seed);
    for (size_t i = 0; i < n; i++) {
        power += (double)(crealf(capture->echo[i]) * crealf(capture->echo[i]) +
                          cimagf(capture->echo[i]) * cimagf(capture->echo[i]));
    }
    double size = sqrt(power / (double)n * pow(10.0, -0.1 * snr_db));
    for (size_t i = 0; i < n; i++) {
        capture->echo[i] += (float complex)(size * nfsar_random_complex_normal(&random));
    }
}

static void make(enum scan scan, const char *preset, size_t rows, double snr_db,
                 nfsar_capture *capture) {
    nfsar_error error;
    nfsar_array array = {0};
    size_t n = scan == TABLE ? 400 : 40 * rows;
    double row_step = strcmp(preset, "single") == 0 ? 1e-3 : 8.0 * 0.25 * RADAR_LAMBDA;
    assert_ok(nfsar_array_preset(preset, NFSAR_ARRAY_ALONG_Y, &array, &error), error);
    assert_ok(nfsar_capture_create(n, 64, &array, true, capture, &error), error);
    for (size_t i = 0; i < 64; i++) {
        capture->frequency_hz[i] = 77e9 + 4e9 * (double)i / 63.0;
    }
    for (size_t i = 0; i < n; i++) {
        capture->time_s[i] = capture->pose_time_s[i] = 0.01 * (double)i;
        capture->pose[i] = pose_of(scan, i, n, row_step);
    }
    const nfsar_scatterer *target = scan == TABLE ? on_table : points;
    size_t n_target =
        scan == TABLE ? sizeof on_table / sizeof *on_table : sizeof points / sizeof *points;
    assert_ok(nfsar_simulate(capture, target, n_target, NULL, 0, n, capture->echo, NULL, &error),
              error);
    if (snr_db < 100.0) {
        add_noise(capture, snr_db, 7);
    }
}

/* ---- what is found --------------------------------------------------------------------------- */

static nfsar_doctor_report report;

static void examine(const nfsar_capture *capture, const nfsar_doctor_options *options) {
    nfsar_error error;
    const nfsar_echo_source source = nfsar_capture_source(capture);
    assert_ok(nfsar_doctor_examine(capture, &source, options, &report, NULL, &error), error);
    size_t verdicts[3] = {0};
    for (size_t i = 0; i < report.n; i++) {
        verdicts[report.finding[i].verdict]++;
        assert_true((report.finding[i].verdict == NFSAR_DOCTOR_WRONG) ==
                    (report.finding[i].fault != NFSAR_FAULT_NONE));
        assert_null(strstr(report.finding[i].text, "nan"));
    }
    assert_memory_equal(verdicts, report.verdicts, sizeof verdicts);
}

static const nfsar_finding *finding_of(enum nfsar_fault fault) {
    for (size_t i = 0; i < report.n; i++) {
        if (report.finding[i].fault == fault) {
            return &report.finding[i];
        }
    }
    return NULL;
}

/* Nothing is wrong but `fault`, which says `text`; NFSAR_FAULT_NONE: nothing at all. */
static void assert_finds(const nfsar_capture *capture, enum nfsar_fault fault, const char *text,
                         const char *of) {
    examine(capture, NULL);
    for (size_t i = 0; i < report.n; i++) {
        const nfsar_finding *f = &report.finding[i];
        if (f->fault != NFSAR_FAULT_NONE && f->fault != fault) {
            fail_msg("%s: found %s: %s", of, nfsar_fault_name(f->fault), f->text);
        }
    }
    if (fault != NFSAR_FAULT_NONE) {
        const nfsar_finding *f = finding_of(fault);
        if (f == NULL) {
            fail_msg("%s: %s not found", of, nfsar_fault_name(fault));
        } else {
            assert_contains(f->text, text);
            assert_true(f->fix[0] != '\0');
        }
    }
}

static void sound_captures_are_sound(void **state) {
    (void)state;
    static const struct {
        const char *preset;
        size_t rows;
        double snr_db;
    } kind[] = {
        {"single", 40, 0.0},
        {"xwr1443-2tx", 5, 200.0},
        {"xwr1443-3tx", 2, -10.0},
        {"single", 1, 10.0},
    };
    for (enum scan scan = PLANE; scan < SCANS; scan++) {
        for (size_t k = 0; k < sizeof kind / sizeof *kind; k++) {
            nfsar_capture capture;
            make(scan, kind[k].preset, kind[k].rows, kind[k].snr_db, &capture);
            assert_finds(&capture, NFSAR_FAULT_NONE, "", scan_name[scan]);
            assert_non_null(strstr(report.finding[0].text, "none of"));
            nfsar_capture_free(&capture);
        }
    }
}

/* A single pulse, and few: nothing is wrong, and what cannot be told is unknown. */
static void few_pulses_are_no_fault(void **state) {
    (void)state;
    for (size_t n = 1; n <= 9; n += 4) {
        nfsar_capture capture;
        make(PLANE, "xwr1443-2tx", 1, 15.0, &capture);
        capture.n_pulse = capture.n_pose = n;
        assert_finds(&capture, NFSAR_FAULT_NONE, "", "few");
        if (n < 8) {
            assert_true(report.verdicts[NFSAR_DOCTOR_UNKNOWN] > 0);
        }
        capture.n_pulse = capture.n_pose = 40;
        nfsar_capture_free(&capture);
    }
}

/* ---- faults ---------------------------------------------------------------------------------- */

static size_t samples_of(const nfsar_capture *capture) {
    return capture->n_pulse * capture->array.n_channel * capture->n_sample;
}

/* To whole numbers of a converter that ends at `full`, the strongest sample being `strongest`. */
static void convert(nfsar_capture *capture, double strongest, double full) {
    double most = 0.0;
    for (size_t i = 0; i < samples_of(capture); i++) {
        most = fmax(most, (double)cabsf(capture->echo[i]));
    }
    for (size_t i = 0; i < samples_of(capture); i++) {
        double re = round((double)crealf(capture->echo[i]) * strongest / most);
        double im = round((double)cimagf(capture->echo[i]) * strongest / most);
        re = fmin(fmax(re, -full), full - 1.0);
        im = fmin(fmax(im, -full), full - 1.0);
        capture->echo[i] = CMPLXF((float)re, (float)im);
    }
}

static void clipping_is_named(void **state) {
    (void)state;
    for (enum scan scan = PLANE; scan < SCANS; scan += 3) {
        nfsar_capture capture;
        for (double strongest = 300.0; strongest < 32768.0; strongest *= 60.0) {
            make(scan, "xwr1443-2tx", 2, 20.0, &capture);
            convert(&capture, strongest, 32768.0);
            assert_finds(&capture, NFSAR_FAULT_NONE, "", "whole numbers");
            nfsar_capture_free(&capture);
        }
        make(scan, "xwr1443-2tx", 2, 20.0, &capture);
        convert(&capture, 45000.0, 32768.0);
        assert_finds(&capture, NFSAR_FAULT_CLIPPING, "8 of 8 channels", "clipped");
        nfsar_capture_free(&capture);
    }
}

static void missing_samples_are_named(void **state) {
    (void)state;
    nfsar_capture capture;
    make(PLANE, "xwr1443-2tx", 5, 20.0, &capture);
    float complex *pulse = capture.echo + 17 * (size_t)8 * 64;
    for (size_t i = 24; i < 40; i++) {
        pulse[64 + i] = 0.0F;
    }
    assert_finds(&capture, NFSAR_FAULT_SAMPLES_MISSING,
                 "1 rows have up to 16 zeros one after the other; the first in pulse 17", "hole");
    memset(pulse, 0, 8 * 64 * sizeof *pulse);
    assert_finds(&capture, NFSAR_FAULT_SAMPLES_MISSING, "1 of 200 pulses are all zero", "empty");
    capture.flags[17] = NFSAR_PULSE_SAMPLES_MISSING;
    assert_finds(&capture, NFSAR_FAULT_SAMPLES_MISSING, "1 of 200 pulses are flagged", "flagged");
    capture.flags[17] = 0;
    memset(capture.echo, 0, samples_of(&capture) * sizeof *capture.echo);
    examine(&capture, NULL);
    assert_non_null(finding_of(NFSAR_FAULT_SAMPLES_MISSING));
    assert_contains(finding_of(NFSAR_FAULT_SAMPLES_MISSING)->text, "every sample is zero");
    capture.echo[777] = CMPLXF(NAN, 0.0F);
    examine(&capture, NULL);
    assert_non_null(finding_of(NFSAR_FAULT_NOT_FINITE));
    nfsar_capture_free(&capture);
}

/* Channel 3: zero, noise as the others have, 14 dB weaker. */
static void bad_channels_are_named(void **state) {
    (void)state;
    nfsar_random random;
    nfsar_random_seed(&random, 3);
    for (enum scan scan = UNEVEN; scan < SCANS; scan += 2) {
        for (int kind = 0; kind < 3; kind++) {
            nfsar_capture capture;
            make(scan, "xwr1443-2tx", 2, 10.0, &capture);
            for (size_t i = 0; i < capture.n_pulse * 64; i++) {
                float complex *s = capture.echo + (i / 64 * 8 + 3) * 64 + i % 64;
                *s = kind == 0   ? 0.0F
                     : kind == 1 ? (float complex)(0.5 * nfsar_random_complex_normal(&random))
                                 : 0.2F * *s;
            }
            assert_finds(&capture, kind < 2 ? NFSAR_FAULT_CHANNEL_DEAD : NFSAR_FAULT_CHANNEL_WEAK,
                         "channel 3 (tx 0, rx 3)", scan_name[scan]);
            nfsar_capture_free(&capture);
        }
    }
}

static void noise_and_empty_gates_are_named(void **state) {
    (void)state;
    nfsar_doctor_options options = {.has_gate = true, .gate = {0.25, 0.4}};
    nfsar_error error;
    nfsar_capture capture;
    make(PLANE, "single", 10, -15.0, &capture);
    examine(&capture, &options);
    assert_int_equal(report.verdicts[NFSAR_DOCTOR_WRONG], 0);
    options.gate[0] = 0.8;
    options.gate[1] = 1.2;
    examine(&capture, &options);
    assert_int_equal(report.verdicts[NFSAR_DOCTOR_WRONG], 1);
    assert_non_null(finding_of(NFSAR_FAULT_GATE_EMPTY));
    options.gate[1] = 3.0;
    examine(&capture, &options);
    assert_contains(finding_of(NFSAR_FAULT_GATE_EMPTY)->text, "unambiguous 2.36 m");
    options.gate[1] = 0.5;
    const nfsar_echo_source source = nfsar_capture_source(&capture);
    assert_int_equal(nfsar_doctor_examine(&capture, &source, &options, &report, NULL, &error),
                     NFSAR_ERROR_ARGUMENT);
    memset(capture.echo, 0, samples_of(&capture) * sizeof *capture.echo);
    capture.echo[0] = 1e-6F;
    nfsar_random random;
    for (uint64_t seed = 0; seed < 20; seed++) {
        nfsar_random_seed(&random, seed);
        for (size_t i = 0; i < samples_of(&capture); i++) {
            capture.echo[i] = (float complex)nfsar_random_complex_normal(&random);
        }
        assert_finds(&capture, NFSAR_FAULT_NO_ECHO, "nothing stands out of the noise", "noise");
    }
    nfsar_capture_free(&capture);
}

/* 20 dB over the echo; a constant of 5 cm, and an offset of the converter. */
static void leakage_is_named(void **state) {
    (void)state;
    for (enum scan scan = PLANE; scan < SCANS; scan += 2) {
        for (int kind = 0; kind < 2; kind++) {
            nfsar_capture capture;
            make(scan, "xwr1443-2tx", 2, 10.0, &capture);
            for (size_t i = 0; i < samples_of(&capture); i++) {
                double turns = capture.frequency_hz[i % 64] * 0.10 / NFSAR_SPEED_OF_LIGHT;
                capture.echo[i] +=
                    (float complex)(15.0 * cexp(2.0 * NFSAR_PI * I * (kind == 0 ? turns : 0.1)));
            }
            assert_finds(&capture, NFSAR_FAULT_LEAKAGE, "above the strongest target",
                         scan_name[scan]);
            nfsar_capture_free(&capture);
        }
    }
}

static void phases_that_run_backwards_are_named(void **state) {
    (void)state;
    for (enum scan scan = PLANE; scan < SCANS; scan++) {
        for (int kind = scan % 2; kind < (scan == TABLE ? 3 : 4); kind++) {
            nfsar_capture capture;
            make(scan, "single", 20, 10.0, &capture);
            for (size_t l = 0; l < capture.n_pulse; l++) {
                float complex row[64], *s = capture.echo + l * 64;
                memcpy(row, s, sizeof row);
                for (size_t i = 0; i < 64; i++) {
                    float complex t = row[kind >= 2 ? 63 - i : i];
                    s[i] = kind == 0 ? CMPLXF(cimagf(t), crealf(t)) : kind == 2 ? t : conjf(t);
                }
            }
            assert_finds(&capture, kind < 2 ? NFSAR_FAULT_IQ_SWAPPED : NFSAR_FAULT_RANGE_BACKWARDS,
                         kind < 2    ? "I and Q are swapped"
                         : kind == 2 ? "ranges run backwards"
                                     : "wavefronts bend the wrong way",
                         scan_name[scan]);
            nfsar_capture_free(&capture);
        }
    }
}

static void wrong_poses_are_named(void **state) {
    (void)state;
    for (enum scan scan = UNEVEN; scan < SCANS; scan++) {
        nfsar_capture capture;
        make(scan, "xwr1443-2tx", 3, 20.0, &capture);
        capture.pose[60].position.y += 0.15;
        capture.pose[90].position.x -= 0.08;
        assert_finds(&capture, NFSAR_FAULT_POSE_JUMP, "2 positions jump away", scan_name[scan]);
        assert_contains(finding_of(NFSAR_FAULT_POSE_JUMP)->text, "the first is that of pulse 60");
        nfsar_capture_free(&capture);
        make(scan, "xwr1443-2tx", 3, 20.0, &capture);
        for (size_t i = 0; i < 30; i++) {
            capture.pose[71 + i] = capture.pose[70];
        }
        assert_finds(&capture, NFSAR_FAULT_POSE_REPEATED, "30 pulses have the pose of the one",
                     scan_name[scan]);
        nfsar_capture_free(&capture);
        make(scan, "xwr1443-2tx", 3, 20.0, &capture);
        for (size_t i = 0; i < capture.n_pose; i++) {
            capture.pose[i].position = nfsar_vec3_scale(capture.pose[i].position, 1e3);
        }
        assert_finds(&capture, NFSAR_FAULT_POSE_UNITS, "millimetres", scan_name[scan]);
        for (size_t i = 0; i < capture.n_pose; i++) {
            capture.pose[i] = capture.pose[0];
        }
        examine(&capture, NULL);
        assert_non_null(finding_of(NFSAR_FAULT_NO_APERTURE));
        nfsar_capture_free(&capture);
        make(scan, "xwr1443-2tx", 3, 20.0, &capture);
        capture.flags[0] = NFSAR_PULSE_POSE_EXTRAPOLATED;
        assert_finds(&capture, NFSAR_FAULT_POSE_OUTSIDE, "1 of ", scan_name[scan]);
        capture.time_s[5] = capture.time_s[4] - 1.0;
        nfsar_error error;
        const nfsar_echo_source source = nfsar_capture_source(&capture);
        assert_int_equal(nfsar_doctor_examine(&capture, &source, NULL, &report, NULL, &error),
                         NFSAR_ERROR_FORMAT);
        nfsar_capture_free(&capture);
    }
}

/* Several pulses at each position are no tracker that stands still. */
static void stops_are_no_fault(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    make(PLANE, "xwr1443-2tx", 5, 200.0, &capture);
    for (size_t i = 0; i < capture.n_pose; i++) {
        capture.pose[i] = capture.pose[i - i % 4];
    }
    assert_ok(
        nfsar_simulate(&capture, points, 5, NULL, 0, capture.n_pulse, capture.echo, NULL, &error),
        error);
    add_noise(&capture, -5.0, 9);
    examine(&capture, NULL);
    assert_null(finding_of(NFSAR_FAULT_POSE_REPEATED));
    nfsar_capture_free(&capture);
}

/* 4 mm steps of a quarter wavelength that is 0.925 mm: asin(0.925 / 4) is 13.4 degrees; an edge 78
 * mm from the middle sees 0.3 m under 14.6 or so. A table of 400 angles is clean within 59 mm, one
 * of 80 within 11.8 mm. */
static void coarse_steps_are_named(void **state) {
    (void)state;
    for (enum scan scan = PLANE; scan < SCANS; scan++) {
        nfsar_capture capture;
        make(scan, "single", 40, 20.0, &capture);
        nfsar_error error;
        if (scan == TABLE) {
            capture.n_pulse = capture.n_pose = 80;
        }
        for (size_t i = 0; i < capture.n_pulse; i++) {
            capture.pose[i] = pose_of(scan, i, capture.n_pulse, 1e-3);
            if (scan != TABLE) {
                capture.pose[i].position.x *= 6.0;
                capture.pose[i].position.y *= 6.0;
            }
        }
        assert_ok(nfsar_simulate(&capture, scan == TABLE ? on_table : points, 3, NULL, 0,
                                 capture.n_pulse, capture.echo, NULL, &error),
                  error);
        assert_finds(&capture, NFSAR_FAULT_STEP_COARSE,
                     scan == PLANE   ? "steps of 6 mm along x are clean up to 9 degrees"
                     : scan == TABLE ? "80 angles in steps of 4.5 degrees are clean within 12 mm"
                                     : "uneven positions",
                     scan_name[scan]);
        nfsar_capture_free(&capture);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_captures_are_sound),
        cmocka_unit_test(few_pulses_are_no_fault),
        cmocka_unit_test(clipping_is_named),
        cmocka_unit_test(missing_samples_are_named),
        cmocka_unit_test(bad_channels_are_named),
        cmocka_unit_test(noise_and_empty_gates_are_named),
        cmocka_unit_test(leakage_is_named),
        cmocka_unit_test(phases_that_run_backwards_are_named),
        cmocka_unit_test(wrong_poses_are_named),
        cmocka_unit_test(stops_are_no_fault),
        cmocka_unit_test(coarse_steps_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
