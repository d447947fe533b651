/* The doctor names each fault that is planted, and none that is not, in four kinds of scenes. */
#include "tests/doctor.h"
#include "tests/radar.h"
#include "tests/support.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/doctor.h>
#include <nfsar/simulation.h>

/* The same capture in memory of its own. */
static void make_copy(const nfsar_capture *from, nfsar_capture *to) {
    nfsar_error error;
    nfsar_array array = {0};
    size_t n = from->n_pulse;
    assert_ok(nfsar_array_copy(&from->array, &array, &error), error);
    assert_ok(nfsar_capture_create(n, from->n_sample, &array, true, to, &error), error);
    memcpy(to->frequency_hz, from->frequency_hz, from->n_sample * sizeof *to->frequency_hz);
    memcpy(to->time_s, from->time_s, n * sizeof *to->time_s);
    memcpy(to->pose_time_s, from->pose_time_s, n * sizeof *to->pose_time_s);
    memcpy(to->pose, from->pose, n * sizeof *to->pose);
    memcpy(to->echo, from->echo, n * from->array.n_channel * from->n_sample * sizeof *to->echo);
}

/* ---- every fault in every kind of scene -------------------------------------------------------
 */

/* 144 pulses of 8 channels (a turntable: 320), 32 frequencies, 20 dB. */
enum kind { POINTS, PLATE, IRREGULAR, TURNTABLE, KINDS };
static const char *const kind_name[] = {"points", "plate", "irregular", "turntable"};
enum { COLUMNS = 24, ROWS = 6, ANGLES = 240, FREQUENCIES = 32, MOST_SCATTERERS = 4096 };

static nfsar_scatterer scatterer[MOST_SCATTERERS];

/* A plate of 90 mm with three holes, 0.2 m away; or doctor_points. */
static size_t scene_of(enum kind kind) {
    size_t n = 0;
    if (kind != PLATE) {
        const nfsar_scatterer *from = kind == TURNTABLE ? doctor_on_table : doctor_points;
        n = kind == TURNTABLE ? 3 : 5;
        memcpy(scatterer, from, n * sizeof *scatterer);
        return n;
    }
    static const double hole[][3] = {
        {0.010, 0.012, 0.008}, {-0.015, 0.005, 0.006}, {0.006, -0.016, 0.005}};
    for (double y = -0.045; y < 0.0451; y += 1.8e-3) {
        for (double x = -0.045; x < 0.0451; x += 1.8e-3) {
            bool in = true;
            for (size_t h = 0; h < 3; h++) {
                in = in && hypot(x - hole[h][0], y - hole[h][1]) > hole[h][2];
            }
            if (in) {
                scatterer[n++] = (nfsar_scatterer){{x, y, 0.2}, 0.02F};
            }
        }
    }
    return n;
}

static nfsar_pose pose_in(enum kind kind, size_t i, double wider) {
    if (kind == TURNTABLE) {
        return doctor_pose(TABLE, i, ANGLES, 0.0);
    }
    double column = (double)(i % COLUMNS) - 0.5 * (COLUMNS - 1);
    double row = (double)(i / COLUMNS) - 0.5 * (ROWS - 1);
    nfsar_pose pose = {{wider * 2.4e-3 * column, wider * 2.0 * RADAR_LAMBDA * row, 0.0},
                       NFSAR_QUATERNION_IDENTITY};
    if (kind == IRREGULAR) {
        pose.position.x += 8e-4 * sin(0.37 * (double)i);
        pose.position.y += 6e-4 * sin(0.73 * (double)i);
        pose.position.z = 2e-3 * sin(0.05 * (double)i);
    }
    return pose;
}

static void simulate_kind(enum kind kind, double wider, nfsar_capture *capture) {
    nfsar_error error;
    for (size_t i = 0; i < capture->n_pulse; i++) {
        capture->time_s[i] = capture->pose_time_s[i] = 0.01 * (double)i;
        capture->pose[i] = pose_in(kind, i, wider);
    }
    assert_ok(nfsar_simulate(capture, scatterer, scene_of(kind), NULL, 0, capture->n_pulse,
                             capture->echo, NULL, &error),
              error);
    doctor_add_noise(capture, 20.0, 11);
}

static void make_kind(enum kind kind, nfsar_capture *capture) {
    nfsar_error error;
    nfsar_array array = {0};
    assert_ok(nfsar_array_preset("xwr1443-2tx", NFSAR_ARRAY_ALONG_Y, &array, &error), error);
    assert_ok(nfsar_capture_create(kind == TURNTABLE ? ANGLES : COLUMNS * ROWS, FREQUENCIES, &array,
                                   true, capture, &error),
              error);
    for (size_t i = 0; i < FREQUENCIES; i++) {
        capture->frequency_hz[i] = 77e9 + 4e9 * (double)i / (FREQUENCIES - 1);
    }
    simulate_kind(kind, 1.0, capture);
}

/* Each plants a fault into a sound capture. */
static void plant_nan(nfsar_capture *capture, enum kind kind) {
    (void)kind;
    capture->echo[777] = CMPLXF(NAN, 0.0F);
}
static void plant_clipping(nfsar_capture *capture, enum kind kind) {
    (void)kind;
    doctor_convert(capture, 45000.0, 32768.0);
}
static void plant_hole(nfsar_capture *capture, enum kind kind) {
    (void)kind;
    memset(capture->echo + 17 * (size_t)8 * FREQUENCIES + FREQUENCIES + 8, 0,
           16 * sizeof *capture->echo);
}
static void plant_empty(nfsar_capture *capture, enum kind kind) {
    (void)kind;
    memset(capture->echo + 17 * (size_t)8 * FREQUENCIES, 0,
           8 * FREQUENCIES * sizeof *capture->echo);
}
static void plant_flag(nfsar_capture *capture, enum kind kind) {
    plant_empty(capture, kind);
    capture->flags[17] = NFSAR_PULSE_SAMPLES_MISSING;
}
static void change_channel_3(nfsar_capture *capture, double factor, double noise) {
    nfsar_random random;
    nfsar_random_seed(&random, 3);
    for (size_t i = 0; i < capture->n_pulse * FREQUENCIES; i++) {
        float complex *s =
            capture->echo + (i / FREQUENCIES * 8 + 3) * FREQUENCIES + i % FREQUENCIES;
        *s = (float)factor * *s + (float complex)(noise * nfsar_random_complex_normal(&random));
    }
}
static void plant_zero_channel(nfsar_capture *capture, enum kind kind) {
    (void)kind;
    change_channel_3(capture, 0.0, 0.0);
}
static void plant_deaf_channel(nfsar_capture *capture, enum kind kind) {
    (void)kind;
    change_channel_3(capture, 0.0, 0.02);
}
static void plant_weak_channel(nfsar_capture *capture, enum kind kind) {
    (void)kind;
    change_channel_3(capture, 0.2, 0.0);
}
static void plant_millimetres(nfsar_capture *capture, enum kind kind) {
    (void)kind;
    for (size_t i = 0; i < capture->n_pose; i++) {
        capture->pose[i].position = nfsar_vec3_scale(capture->pose[i].position, 1e3);
    }
}
static void plant_jumps(nfsar_capture *capture, enum kind kind) {
    (void)kind;
    capture->pose[60].position.y += 0.15;
    capture->pose[90].position.x -= 0.08;
}
static void plant_repeats(nfsar_capture *capture, enum kind kind) {
    (void)kind;
    for (size_t i = 0; i < 20; i++) {
        capture->pose[71 + i] = capture->pose[70];
    }
}
static void plant_outside(nfsar_capture *capture, enum kind kind) {
    (void)kind;
    capture->flags[0] = NFSAR_PULSE_POSE_EXTRAPOLATED;
}
static void plant_standstill(nfsar_capture *capture, enum kind kind) {
    (void)kind;
    for (size_t i = 0; i < capture->n_pose; i++) {
        capture->pose[i] = capture->pose[0];
    }
}
static void plant_coarse(nfsar_capture *capture, enum kind kind) {
    if (kind != TURNTABLE) {
        simulate_kind(kind, 5.0, capture);
        return;
    }
    /* Every fifth angle, so that the echoes turn by 5 steps at once. */
    size_t row = 8 * FREQUENCIES;
    for (size_t i = 0; i < ANGLES / 5; i++) {
        memmove(capture->echo + i * row, capture->echo + 5 * i * row, row * sizeof *capture->echo);
        capture->pose[i] = capture->pose[5 * i];
    }
    capture->n_pulse = capture->n_pose = ANGLES / 5;
}
static void plant_noise(nfsar_capture *capture, enum kind kind) {
    (void)kind;
    nfsar_random random;
    nfsar_random_seed(&random, 5);
    for (size_t i = 0; i < doctor_samples(capture); i++) {
        capture->echo[i] = (float complex)nfsar_random_complex_normal(&random);
    }
}
static void plant_nothing(nfsar_capture *capture, enum kind kind) {
    (void)capture;
    (void)kind;
}
static void plant_leakage(nfsar_capture *capture, enum kind kind) {
    (void)kind;
    for (size_t i = 0; i < doctor_samples(capture); i++) {
        double turns = capture->frequency_hz[i % FREQUENCIES] * 0.10 / NFSAR_SPEED_OF_LIGHT;
        capture->echo[i] += (float complex)(40.0 * cexp(2.0 * NFSAR_PI * I * turns));
    }
}
static void plant_offset_of_converter(nfsar_capture *capture, enum kind kind) {
    (void)kind;
    for (size_t i = 0; i < doctor_samples(capture); i++) {
        capture->echo[i] += CMPLXF(40.0F, 15.0F);
    }
}
static void plant_swap(nfsar_capture *capture, enum kind kind) {
    (void)kind;
    for (size_t i = 0; i < doctor_samples(capture); i++) {
        capture->echo[i] = CMPLXF(cimagf(capture->echo[i]), crealf(capture->echo[i]));
    }
}
static void plant_real(nfsar_capture *capture, enum kind kind) {
    (void)kind;
    for (size_t i = 0; i < doctor_samples(capture); i++) {
        capture->echo[i] = crealf(capture->echo[i]);
    }
}
static void plant_imaginary(nfsar_capture *capture, enum kind kind) {
    (void)kind;
    for (size_t i = 0; i < doctor_samples(capture); i++) {
        capture->echo[i] = CMPLXF(0.0F, crealf(capture->echo[i]));
    }
}
static void plant_real_channel(nfsar_capture *capture, enum kind kind) {
    (void)kind;
    for (size_t i = 0; i < doctor_samples(capture); i++) {
        if (i / FREQUENCIES % 8 == 5) {
            capture->echo[i] = crealf(capture->echo[i]);
        }
    }
}
static void plant_reverse(nfsar_capture *capture, enum kind kind) {
    (void)kind;
    for (size_t l = 0; l < doctor_samples(capture) / FREQUENCIES; l++) {
        float complex *row = capture->echo + l * FREQUENCIES;
        for (size_t i = 0; i < FREQUENCIES / 2; i++) {
            float complex keep = row[i];
            row[i] = row[FREQUENCIES - 1 - i];
            row[FREQUENCIES - 1 - i] = keep;
        }
    }
}
static void plant_both(nfsar_capture *capture, enum kind kind) {
    plant_swap(capture, kind);
    plant_reverse(capture, kind);
}
/* An image 20 dB below the echo. */
static void plant_imbalance(nfsar_capture *capture, enum kind kind) {
    (void)kind;
    for (size_t i = 0; i < doctor_samples(capture); i++) {
        capture->echo[i] += CMPLXF(0.06F, 0.08F) * conjf(capture->echo[i]);
    }
}
static void change_channels(nfsar_capture *capture, double gain_db, double phase, double delay) {
    nfsar_random random;
    nfsar_random_seed(&random, 4);
    for (size_t c = 0; c < 8; c++) {
        double gain = pow(10.0, 0.05 * gain_db * (c % 2 == 0 ? 1.0 : -1.0));
        double turn = phase * 2.0 * NFSAR_PI * nfsar_random_uniform(&random);
        double late = delay * nfsar_random_normal(&random);
        for (size_t i = 0; i < capture->n_pulse * FREQUENCIES; i++) {
            size_t f = i % FREQUENCIES, at = (i / FREQUENCIES * 8 + c) * FREQUENCIES + f;
            capture->echo[at] *= (float complex)(
                gain * cexp(I * (turn + 2.0 * NFSAR_PI * late * capture->frequency_hz[f])));
        }
    }
}
static void plant_phases(nfsar_capture *capture, enum kind kind) {
    (void)kind;
    change_channels(capture, 0.0, 1.0, 0.0);
}
static void plant_delays(nfsar_capture *capture, enum kind kind) {
    (void)kind;
    change_channels(capture, 1.0, 0.0, 40e-12);
}
static void plant_gains(nfsar_capture *capture, enum kind kind) {
    (void)kind;
    change_channels(capture, 4.0, 0.0, 0.0);
}
/* 67 mm of range. */
static void plant_late(nfsar_capture *capture, enum kind kind) {
    simulate_kind(kind, 1.8, capture);
    for (size_t i = 0; i < doctor_samples(capture); i++) {
        double turns = capture->frequency_hz[i % FREQUENCIES] * 4.5e-10;
        capture->echo[i] *= (float complex)cexp(2.0 * NFSAR_PI * I * turns);
    }
}

#define IN(kind) (1U << (kind))
#define EVERY    (IN(POINTS) | IN(PLATE) | IN(IRREGULAR) | IN(TURNTABLE))
#define THREE    (IN(POINTS) | IN(PLATE) | IN(TURNTABLE)) /* where the path makes no difference */
#define SCANNED  (IN(POINTS) | IN(PLATE) | IN(IRREGULAR))

static const struct planted {
    enum nfsar_fault fault;
    void (*plant)(nfsar_capture *capture, enum kind kind);
    unsigned in;      /* kinds of scenes */
    bool gate;        /* with a range gate where nothing is */
    const char *text; /* which the finding contains */
} planted[] = {
    {NFSAR_FAULT_NOT_FINITE, plant_nan, THREE, false, "1 samples are NaN"},
    {NFSAR_FAULT_CLIPPING, plant_clipping, THREE, false, "of 8 channels"},
    {NFSAR_FAULT_SAMPLES_MISSING, plant_hole, THREE, false,
     "1 rows have up to 16 zeros one after the other; the first in pulse 17"},
    {NFSAR_FAULT_SAMPLES_MISSING, plant_empty, IN(POINTS), false, "pulses are all zero"},
    {NFSAR_FAULT_SAMPLES_MISSING, plant_flag, THREE, false, "pulses are flagged"},
    {NFSAR_FAULT_CHANNEL_DEAD, plant_zero_channel, THREE, false, "channel 3 (tx 0, rx 3)"},
    {NFSAR_FAULT_CHANNEL_DEAD, plant_deaf_channel, IN(IRREGULAR), false, "channel 3 (tx 0, rx 3)"},
    {NFSAR_FAULT_CHANNEL_WEAK, plant_weak_channel, THREE, false, "channel 3 (tx 0, rx 3)"},
    {NFSAR_FAULT_POSE_UNITS, plant_millimetres, SCANNED, false, "millimetres"},
    {NFSAR_FAULT_POSE_JUMP, plant_jumps, EVERY, false, "the first is that of pulse 60"},
    {NFSAR_FAULT_POSE_REPEATED, plant_repeats, EVERY, false, "20 pulses have the pose of the one"},
    {NFSAR_FAULT_POSE_OUTSIDE, plant_outside, THREE, false, "1 of "},
    {NFSAR_FAULT_NO_APERTURE, plant_standstill, THREE, false, "there is no aperture"},
    {NFSAR_FAULT_STEP_COARSE, plant_coarse, EVERY, false, "clean "},
    {NFSAR_FAULT_NO_ECHO, plant_noise, THREE, false, "nothing stands out of the noise"},
    {NFSAR_FAULT_GATE_EMPTY, plant_nothing, THREE, true, "no target between 0.6 and 0.8 m"},
    {NFSAR_FAULT_LEAKAGE, plant_leakage, THREE, false, "above the strongest target"},
    {NFSAR_FAULT_LEAKAGE, plant_offset_of_converter, IN(POINTS), false,
     "above the strongest target"},
    {NFSAR_FAULT_REAL_SAMPLES, plant_real, EVERY, false, "real-valued, every Q is zero"},
    {NFSAR_FAULT_REAL_SAMPLES, plant_imaginary, IN(POINTS), false, "real-valued, every I is zero"},
    {NFSAR_FAULT_REAL_SAMPLES, plant_real_channel, IN(POINTS), false,
     "Q of 1 of 8 channels (the first: 5) is zero throughout"},
    {NFSAR_FAULT_IQ_SWAPPED, plant_swap, EVERY, false, "I and Q are swapped"},
    {NFSAR_FAULT_RANGE_BACKWARDS, plant_reverse, EVERY, false, "ranges run backwards"},
    {NFSAR_FAULT_RANGE_BACKWARDS, plant_both, SCANNED, false, "wavefronts bend the wrong way"},
    {NFSAR_FAULT_IQ_IMBALANCE, plant_imbalance, EVERY, false, "is 20 dB below the echo"},
    {NFSAR_FAULT_CHANNELS_UNCALIBRATED, plant_phases, EVERY, false, "not in phase"},
    {NFSAR_FAULT_CHANNELS_UNCALIBRATED, plant_delays, IN(IRREGULAR), false, "not in phase"},
    {NFSAR_FAULT_CHANNELS_UNCALIBRATED, plant_gains, EVERY, false, "differ by "},
    {NFSAR_FAULT_RANGE_OFFSET, plant_late, IN(POINTS), false, "mm nearer"},
};

/* Only what was planted is named; of what is planted nothing is there before. */
static int check_planted(const nfsar_capture *sound, enum kind kind, const struct planted *p) {
    nfsar_doctor_options options = {.has_gate = true, .gate = {0.6, 0.8}};
    nfsar_capture capture;
    int bad = 0;
    make_copy(sound, &capture);
    p->plant(&capture, kind);
    doctor_examine(&capture, p->gate ? &options : NULL);
    const nfsar_finding *found = doctor_finding(p->fault);
    if (found == NULL || strstr(found->text, p->text) == NULL || found->fix[0] == '\0') {
        print_message("%s: %s (%s): %s\n", kind_name[kind], nfsar_fault_name(p->fault), p->text,
                      found == NULL ? "not found" : found->text);
        for (size_t i = 0; found == NULL && i < doctor_report.n; i++) {
            print_message("    %s: %s\n", doctor_report.finding[i].check,
                          doctor_report.finding[i].text);
        }
        bad++;
    }
    for (size_t i = 0; i < doctor_report.n; i++) {
        if (doctor_report.finding[i].fault != NFSAR_FAULT_NONE &&
            doctor_report.finding[i].fault != p->fault) {
            print_message("%s: %s: also %s: %s\n", kind_name[kind], nfsar_fault_name(p->fault),
                          nfsar_fault_name(doctor_report.finding[i].fault),
                          doctor_report.finding[i].text);
            bad++;
        }
    }
    nfsar_capture_free(&capture);
    return bad;
}

static void each_fault_is_named_and_none_in_sound_captures(void **state) {
    (void)state;
    bool met[NFSAR_FAULT_COUNT] = {false};
    int bad = 0;
    for (enum kind kind = POINTS; kind < KINDS; kind++) {
        nfsar_capture sound;
        make_kind(kind, &sound);
        doctor_assert(&sound, NFSAR_FAULT_NONE, "", kind_name[kind]);
        for (size_t i = 0; i < doctor_report.n; i++) {
            if (doctor_report.finding[i].verdict == NFSAR_DOCTOR_UNKNOWN) {
                print_message("%s: unknown: %s\n", kind_name[kind], doctor_report.finding[i].text);
            }
        }
        for (size_t i = 0; i < sizeof planted / sizeof *planted; i++) {
            met[planted[i].fault] = true;
            if ((planted[i].in & IN(kind)) != 0) {
                bad += check_planted(&sound, kind, &planted[i]);
            }
        }
        nfsar_capture_free(&sound);
    }
    assert_int_equal(bad, 0);
    for (int fault = NFSAR_FAULT_NONE + 1; fault < NFSAR_FAULT_COUNT; fault++) {
        if (!met[fault]) {
            fail_msg("no test plants %s", nfsar_fault_name((enum nfsar_fault)fault));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_is_named_and_none_in_sound_captures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
