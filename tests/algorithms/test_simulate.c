/* The simulator against the sum written out in double precision (long double phases). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support.h"

#include <nfsar/simulation.h>

static const long double two_pi = 6.283185307179586476925286766559L;
static const long double c0 = 299792458.0L;

static void make_capture(size_t n_pulse, size_t n_tx, size_t n_rx, size_t n_sample,
                         nfsar_capture *capture) {
    nfsar_error error;
    nfsar_array array;
    assert_ok(nfsar_array_create(n_tx, n_rx, &array, &error), error);
    assert_ok(nfsar_capture_create(n_pulse, n_sample, &array, true, capture, &error), error);
    for (size_t i = 0; i < n_sample; i++) {
        capture->frequency_hz[i] =
            77e9 + (n_sample > 1 ? 4e9 * (double)i / (double)(n_sample - 1) : 0.0);
    }
}

/* The echo model as it is defined, for one channel and sample. */
static double complex direct(nfsar_vec3 tx, nfsar_vec3 rx, double frequency,
                             const nfsar_scatterer *s, size_t n) {
    double complex sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        long double path = 0.0L;
        const nfsar_vec3 ends[2] = {tx, rx};
        for (int e = 0; e < 2; e++) {
            long double dx = (long double)s[i].position.x - (long double)ends[e].x;
            long double dy = (long double)s[i].position.y - (long double)ends[e].y;
            long double dz = (long double)s[i].position.z - (long double)ends[e].z;
            path += sqrtl(dx * dx + dy * dy + dz * dz);
        }
        long double turns = (long double)frequency * path / c0;
        long double phase = two_pi * (turns - floorl(turns));
        sum += (double complex)s[i].reflectivity * CMPLX((double)cosl(phase), (double)sinl(phase));
    }
    return sum;
}

static void test_one_point_by_hand(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture;
    make_capture(1, 1, 1, 3, &capture);
    /* A 3-4-5 triangle on the way out and straight back: 0.05 m + 0.08 m. */
    capture.array.tx_m[0] = (nfsar_vec3){0.03, 0.0, 0.0};
    capture.array.rx_m[0] = (nfsar_vec3){0.0, 0.0, -0.04};
    capture.pose[0].position = (nfsar_vec3){0.0, 0.0, 0.0};
    const nfsar_scatterer point = {{0.0, 0.0, 0.04}, 2.0f};
    assert_ok(nfsar_simulate(&capture, &point, 1, NULL, 0, 1, capture.echo, NULL, &error), error);
    double path = 0.05 + 0.08;
    for (size_t i = 0; i < 3; i++) {
        double phase = 2.0 * NFSAR_PI * capture.frequency_hz[i] * path / 299792458.0;
        assert_near(crealf(capture.echo[i]), 2.0 * cos(phase), 1e-6);
        assert_near(cimagf(capture.echo[i]), 2.0 * sin(phase), 1e-6);
    }
    /* Spreading: 1 / (0.05 * 0.08) = 250. */
    nfsar_simulation_options options = {.spreading = true};
    assert_ok(nfsar_simulate(&capture, &point, 1, &options, 0, 1, capture.echo, NULL, &error),
              error);
    assert_near(cabsf(capture.echo[1]), 2.0 * 250.0, 1e-4 * 500.0);
    nfsar_capture_free(&capture);
}

static void test_both_antennas_and_orientation(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture;
    make_capture(2, 2, 3, 5, &capture);
    for (int i = 0; i < 2; i++) {
        capture.array.tx_m[i] = (nfsar_vec3){0.01 * i, 0.02, 0.001};
    }
    for (int i = 0; i < 3; i++) {
        capture.array.rx_m[i] = (nfsar_vec3){-0.003, -0.004 * i, 0.0};
    }
    capture.pose[0].position = (nfsar_vec3){0.1, -0.05, 0.01};
    /* Turned by 90 degrees about z: body (x, y) lies at world (-y, x). */
    capture.pose[1].position = (nfsar_vec3){-0.02, 0.03, -0.01};
    capture.pose[1].orientation =
        nfsar_quaternion_from_axis_angle((nfsar_vec3){0, 0, 1}, 0.5 * NFSAR_PI);
    const nfsar_scatterer s[2] = {{{0.01, 0.02, 0.3}, 1.0f}, {{-0.03, 0.0, 0.35}, 0.5f * I}};
    assert_ok(nfsar_simulate(&capture, s, 2, NULL, 0, 2, capture.echo, NULL, &error), error);
    for (size_t p = 0; p < 2; p++) {
        for (size_t c = 0; c < 6; c++) {
            nfsar_vec3 tx = capture.array.tx_m[c / 3], rx = capture.array.rx_m[c % 3];
            nfsar_vec3 at = capture.pose[p].position;
            nfsar_vec3 send = {tx.x + at.x, tx.y + at.y, tx.z + at.z};
            nfsar_vec3 receive = {rx.x + at.x, rx.y + at.y, rx.z + at.z};
            if (p == 1) {
                send = (nfsar_vec3){-tx.y + at.x, tx.x + at.y, tx.z + at.z};
                receive = (nfsar_vec3){-rx.y + at.x, rx.x + at.y, rx.z + at.z};
            }
            for (size_t k = 0; k < 5; k++) {
                double complex expected = direct(send, receive, capture.frequency_hz[k], s, 2);
                double complex got = (double complex)capture.echo[(p * 6 + c) * 5 + k];
                assert_near(cabs(got - expected), 0.0, 2e-6);
            }
        }
    }
    nfsar_capture_free(&capture);
}

static void random_cloud(nfsar_scatterer *s, size_t n, double range, uint64_t seed) {
    nfsar_random random;
    nfsar_random_seed(&random, seed);
    for (size_t i = 0; i < n; i++) {
        s[i].position = (nfsar_vec3){0.5 * (nfsar_random_uniform(&random) - 0.5),
                                     0.5 * (nfsar_random_uniform(&random) - 0.5),
                                     range + 0.2 * nfsar_random_uniform(&random)};
        s[i].reflectivity = (float complex)nfsar_random_complex_normal(&random);
    }
}

/* Relative RMS error of a capture of n_sample samples with n scatterers at `range`. */
static double recurrence_error(size_t n_sample, size_t n, double range, bool uniform) {
    nfsar_error error;
    nfsar_capture capture;
    nfsar_scatterer *s = calloc(n, sizeof *s);
    make_capture(2, 1, 2, n_sample, &capture);
    for (size_t i = 0; !uniform && i < n_sample; i++) {
        capture.frequency_hz[i] += 1e6 * sin((double)i);
    }
    capture.array.tx_m[0] = (nfsar_vec3){0.004, -0.02, 0.0};
    capture.array.rx_m[1] = (nfsar_vec3){0.0, 0.03, 0.0};
    capture.pose[1].position = (nfsar_vec3){0.1, 0.1, 0.0};
    random_cloud(s, n, range, n_sample + n);
    assert_ok(nfsar_simulate(&capture, s, n, NULL, 0, 2, capture.echo, NULL, &error), error);
    nfsar_vec3 tx[4], rx[4];
    assert_ok(nfsar_capture_antennas(&capture, true, 0, 2, tx, rx, &error), error);
    double off = 0.0, power = 0.0;
    for (size_t line = 0; line < 4; line++) {
        for (size_t k = 0; k < n_sample; k++) {
            double complex expected = direct(tx[line], rx[line], capture.frequency_hz[k], s, n);
            double complex got = (double complex)capture.echo[line * n_sample + k];
            off += pow(cabs(got - expected), 2.0);
            power += pow(cabs(expected), 2.0);
        }
    }
    nfsar_capture_free(&capture);
    free(s);
    return sqrt(off / power);
}

static void test_recurrence_accuracy(void **state) {
    (void)state;
    const struct {
        size_t n_sample, n;
        double range;
    } cases[] = {{1, 3, 0.3},     {2, 17, 0.3},    {33, 600, 0.3},  {256, 1, 0.3},
                 {256, 100, 2.0}, {512, 100, 0.3}, {512, 600, 2.0}, {512, 1, 2.0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int uniform = 0; uniform < 2; uniform++) {
            double off =
                recurrence_error(cases[i].n_sample, cases[i].n, cases[i].range, uniform != 0);
            print_message("%zu samples, %zu scatterers at %g m, %s: %.2e\n", cases[i].n_sample,
                          cases[i].n, cases[i].range, uniform != 0 ? "recurrence" : "general", off);
            assert_true(off < 1e-5);
        }
    }
}

static void test_pattern(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture;
    make_capture(2, 1, 1, 1, &capture);
    nfsar_simulation_options options = {.beamwidth_rad = 60.0 * NFSAR_PI / 180.0};
    /* At half the beamwidth each antenna's power is one half, so the echo's amplitude, a product of
     * two amplitudes sqrt(1/2), is one half too. */
    double angle = 30.0 * NFSAR_PI / 180.0;
    const nfsar_scatterer half = {{0.4 * sin(angle), 0.0, 0.4 * cos(angle)}, 1.0f};
    const nfsar_scatterer ahead = {{0.0, 0.0, 0.4}, 1.0f};
    const nfsar_scatterer behind = {{0.0, 0.0, -0.4}, 1.0f};
    /* The second pose looks back, toward -z. */
    capture.pose[1].orientation = nfsar_quaternion_from_axis_angle((nfsar_vec3){0, 1, 0}, NFSAR_PI);
    assert_ok(nfsar_simulate(&capture, &ahead, 1, &options, 0, 2, capture.echo, NULL, &error),
              error);
    assert_near(cabsf(capture.echo[0]), 1.0, 1e-6);
    assert_near(cabsf(capture.echo[1]), 0.0, 0.0);
    assert_ok(nfsar_simulate(&capture, &half, 1, &options, 0, 2, capture.echo, NULL, &error),
              error);
    assert_near(cabsf(capture.echo[0]), 0.5, 1e-6);
    assert_ok(nfsar_simulate(&capture, &behind, 1, &options, 0, 2, capture.echo, NULL, &error),
              error);
    assert_near(cabsf(capture.echo[0]), 0.0, 0.0);
    assert_near(cabsf(capture.echo[1]), 1.0, 1e-6);
    nfsar_capture_free(&capture);
}

/* The pattern over all angles, against its formula. */
static void test_pattern_formula(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture;
    make_capture(1, 1, 1, 1, &capture);
    for (double width = 0.05; width < 3.0; width *= 2.7) {
        for (int i = 0; i <= 90; i++) {
            double angle = i * NFSAR_PI / 180.0 - (i == 90 ? 1e-6 : 0.0);
            nfsar_simulation_options options = {.beamwidth_rad = width};
            const nfsar_scatterer s = {
                {0.3 * sin(angle) * 0.6, 0.3 * sin(angle) * 0.8, 0.3 * cos(angle)}, 1.0f};
            assert_ok(nfsar_simulate(&capture, &s, 1, &options, 0, 1, capture.echo, NULL, &error),
                      error);
            /* Both ways through one antenna: its power pattern. */
            double expected = exp(-4.0 * log(2.0) * pow(angle / width, 2.0));
            assert_near(cabsf(capture.echo[0]), expected, 1e-6);
        }
    }
    nfsar_capture_free(&capture);
}

static void test_channel_times_move_the_antennas(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture;
    make_capture(2, 2, 1, 1, &capture);
    capture.time_s[1] = 1e-3;
    capture.pose_time_s[1] = 1e-3;
    capture.pose[1].position.x = 2e-3; /* 2 m/s */
    capture.array.channel_time_s[1] = 60e-6;
    const nfsar_scatterer s = {{0.1, 0.0, 0.3}, 1.0f};
    assert_ok(nfsar_simulate(&capture, &s, 1, NULL, 0, 2, capture.echo, NULL, &error), error);
    /* By the second chirp the radar has gone 120 um. */
    for (size_t p = 0; p < 2; p++) {
        for (size_t c = 0; c < 2; c++) {
            nfsar_vec3 at = {2e-3 * (double)p + 120e-6 * (double)c, 0.0, 0.0};
            double complex expected = direct(at, at, 77e9, &s, 1);
            assert_near(cabs((double complex)capture.echo[2 * p + c] - expected), 0.0, 2e-6);
        }
    }
    /* With true poses these are used, and the reported ones are not looked at. */
    capture.true_pose = capture.pose;
    capture.pose = calloc(2, sizeof *capture.pose);
    float complex before = capture.echo[3];
    assert_ok(nfsar_simulate(&capture, &s, 1, NULL, 1, 1, capture.echo, NULL, &error), error);
    assert_true(capture.echo[1] == before);
    nfsar_capture_free(&capture);
}

static void test_threads_do_not_matter(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture;
    enum { PULSES = 9, SAMPLES = 40, POINTS = 1100 };
    make_capture(PULSES, 2, 2, SAMPLES, &capture);
    nfsar_scatterer *s = calloc(POINTS, sizeof *s);
    random_cloud(s, POINTS, 0.3, 4);
    for (size_t i = 0; i < PULSES; i++) {
        capture.pose[i].position.x = 1e-3 * (double)i;
    }
    size_t n = (size_t)PULSES * 4 * SAMPLES;
    float complex *other = calloc(n, sizeof *other);
    nfsar_simulation_options options = {.threads = 1, .spreading = true, .beamwidth_rad = 1.0};
    assert_ok(nfsar_simulate(&capture, s, POINTS, &options, 0, PULSES, capture.echo, NULL, &error),
              error);
    /* Other threads, and in two blocks. */
    options.threads = 5;
    assert_ok(nfsar_simulate(&capture, s, POINTS, &options, 0, 4, other, NULL, &error), error);
    assert_ok(nfsar_simulate(&capture, s, POINTS, &options, 4, PULSES - 4, other + 16 * SAMPLES,
                             NULL, &error),
              error);
    assert_memory_equal(other, capture.echo, n * sizeof *other);
    free(other);
    free(s);
    nfsar_capture_free(&capture);
}

static bool stop_at_once(void *context, double fraction) {
    (void)fraction;
    ++*(int *)context;
    return false;
}

static void test_refusals(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture;
    make_capture(2, 1, 1, 2, &capture);
    capture.array.rx_m[0] = (nfsar_vec3){0.01, 0.0, 0.0};
    capture.pose[1].position = (nfsar_vec3){0.2, 0.0, 0.0};
    const nfsar_scatterer on_antenna[2] = {{{0, 0, 0.3}, 1.0f}, {{0.21, 0, 0}, 1.0f}};
    assert_int_equal(
        nfsar_simulate(&capture, on_antenna, 2, NULL, 0, 2, capture.echo, NULL, &error),
        NFSAR_ERROR_GEOMETRY);
    assert_contains(error.message, "scatterer 1");
    assert_contains(error.message, "pulse 1");
    const nfsar_scatterer nan_place = {{NAN, 0, 0.3}, 1.0f};
    assert_int_equal(nfsar_simulate(&capture, &nan_place, 1, NULL, 0, 2, capture.echo, NULL, NULL),
                     NFSAR_ERROR_ARGUMENT);
    assert_int_equal(
        nfsar_simulate(&capture, on_antenna, 1, NULL, 1, 2, capture.echo, NULL, &error),
        NFSAR_ERROR_ARGUMENT);
    nfsar_simulation_options options = {.beamwidth_rad = -1.0};
    assert_int_equal(
        nfsar_simulate(&capture, on_antenna, 1, &options, 0, 2, capture.echo, NULL, &error),
        NFSAR_ERROR_ARGUMENT);
    int calls = 0;
    const nfsar_progress progress = {stop_at_once, &calls};
    options = (nfsar_simulation_options){.threads = 1};
    assert_int_equal(
        nfsar_simulate(&capture, on_antenna, 1, &options, 0, 2, capture.echo, &progress, &error),
        NFSAR_ERROR_CANCELLED);
    assert_int_equal(calls, 1);
    /* No scatterers: silence. */
    capture.echo[0] = 5.0f;
    assert_ok(nfsar_simulate(&capture, NULL, 0, NULL, 0, 2, capture.echo, NULL, &error), error);
    assert_true(capture.echo[0] == 0.0f);
    nfsar_capture_free(&capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_point_by_hand),
        cmocka_unit_test(test_both_antennas_and_orientation),
        cmocka_unit_test(test_recurrence_accuracy),
        cmocka_unit_test(test_pattern),
        cmocka_unit_test(test_pattern_formula),
        cmocka_unit_test(test_channel_times_move_the_antennas),
        cmocka_unit_test(test_threads_do_not_matter),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
