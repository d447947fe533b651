#include "tests/doctor.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/simulation.h>

#include "tests/radar.h"
#include "tests/support.h"

/* ---- captures -------------------------------------------------------------------------------- */

const char *const doctor_scan_name[] = {"plane", "uneven", "hand", "table"};

const nfsar_scatterer doctor_points[5] = {
    {{0.00, 0.00, 0.30}, 1.0F},   {{0.03, 0.02, 0.31}, 0.7F},  {{-0.02, 0.03, 0.29}, 0.8F},
    {{-0.03, -0.02, 0.30}, 0.5F}, {{0.01, -0.03, 0.32}, 0.9F},
};
const nfsar_scatterer doctor_on_table[3] = {
    {{0.00, 0.00, 0.01}, 1.0F},
    {{0.03, 0.01, 0.02}, 0.7F},
    {{-0.04, -0.01, 0.01}, 0.8F},
};

/* Where the radar is at pulse i of n: rows of 40. */
nfsar_pose doctor_pose(enum scan scan, size_t i, size_t n, double row_step) {
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

void doctor_add_noise(nfsar_capture *capture, double snr_db, uint64_t seed) {
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

void doctor_make(enum scan scan, const char *preset, size_t rows, double snr_db,
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
        capture->pose[i] = doctor_pose(scan, i, n, row_step);
    }
    const nfsar_scatterer *target = scan == TABLE ? doctor_on_table : doctor_points;
    size_t n_target = scan == TABLE ? sizeof doctor_on_table / sizeof *doctor_on_table
                                    : sizeof doctor_points / sizeof *doctor_points;
    assert_ok(nfsar_simulate(capture, target, n_target, NULL, 0, n, capture->echo, NULL, &error),
              error);
    if (snr_db < 100.0) {
        doctor_add_noise(capture, snr_db, 7);
    }
}

/* ---- what is found --------------------------------------------------------------------------- */

nfsar_doctor_report doctor_report;

void doctor_examine(const nfsar_capture *capture, const nfsar_doctor_options *options) {
    nfsar_error error;
    const nfsar_echo_source source = nfsar_capture_source(capture);
    nfsar_doctor_options one = options != NULL ? *options : (nfsar_doctor_options){0};
    one.threads = 1; /* small work: threads would wait for each other */
    assert_ok(nfsar_doctor_examine(capture, &source, &one, &doctor_report, NULL, &error), error);
    size_t verdicts[3] = {0};
    for (size_t i = 0; i < doctor_report.n; i++) {
        verdicts[doctor_report.finding[i].verdict]++;
        assert_true((doctor_report.finding[i].verdict == NFSAR_DOCTOR_WRONG) ==
                    (doctor_report.finding[i].fault != NFSAR_FAULT_NONE));
        assert_null(strstr(doctor_report.finding[i].text, "nan"));
    }
    assert_memory_equal(verdicts, doctor_report.verdicts, sizeof verdicts);
}

const nfsar_finding *doctor_finding(enum nfsar_fault fault) {
    for (size_t i = 0; i < doctor_report.n; i++) {
        if (doctor_report.finding[i].fault == fault) {
            return &doctor_report.finding[i];
        }
    }
    return NULL;
}

/* Nothing is wrong but `fault`, which says `text`; NFSAR_FAULT_NONE: nothing at all. */
void doctor_assert(const nfsar_capture *capture, enum nfsar_fault fault, const char *text,
                   const char *of) {
    doctor_examine(capture, NULL);
    for (size_t i = 0; i < doctor_report.n; i++) {
        const nfsar_finding *f = &doctor_report.finding[i];
        if (f->fault != NFSAR_FAULT_NONE && f->fault != fault) {
            fail_msg("%s: found %s: %s", of, nfsar_fault_name(f->fault), f->text);
        }
    }
    if (fault != NFSAR_FAULT_NONE) {
        const nfsar_finding *f = doctor_finding(fault);
        if (f == NULL) {
            fail_msg("%s: %s not found", of, nfsar_fault_name(fault));
        } else {
            assert_contains(f->text, text);
            assert_true(f->fix[0] != '\0');
        }
    }
}

size_t doctor_samples(const nfsar_capture *capture) {
    return capture->n_pulse * capture->array.n_channel * capture->n_sample;
}

/* To whole numbers of a converter that ends at `full`, the strongest sample being `strongest`. */
void doctor_convert(nfsar_capture *capture, double strongest, double full) {
    double most = 0.0;
    for (size_t i = 0; i < doctor_samples(capture); i++) {
        most = fmax(most, (double)cabsf(capture->echo[i]));
    }
    for (size_t i = 0; i < doctor_samples(capture); i++) {
        double re = round((double)crealf(capture->echo[i]) * strongest / most);
        double im = round((double)cimagf(capture->echo[i]) * strongest / most);
        re = fmin(fmax(re, -full), full - 1.0);
        im = fmin(fmax(im, -full), full - 1.0);
        capture->echo[i] = CMPLXF((float)re, (float)im);
    }
}
