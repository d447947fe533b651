/* Whole scenes: radar, noise, pose errors, calibration, determinism, the command. */
#include <math.h>
#include <stdlib.h>

#include <nfsar/calibration.h>
#include <nfsar/file.h>

#include "tests/scene/scenes.h"

static void run_scene(nfsar_scene *scene, int threads, nfsar_capture *capture) {
    nfsar_error error;
    assert_ok(nfsar_scene_run(scene, test_path("capture.h5"), threads, NULL, &error), error);
    assert_ok(nfsar_capture_load(test_path("capture.h5"), capture, &error), error);
}

/* The capture that a scene's text gives. */
static void simulate(const char *text, nfsar_capture *capture) {
    nfsar_scene *scene = good_scene(text);
    run_scene(scene, 0, capture);
    nfsar_scene_close(scene);
}

static size_t samples(const nfsar_capture *capture) {
    return capture->n_pulse * capture->array.n_channel * capture->n_sample;
}

static double power(const float complex *x, const float complex *less, size_t n) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        float complex d = less != NULL ? x[i] - less[i] : x[i];
        sum += (double)(crealf(d) * crealf(d) + cimagf(d) * cimagf(d));
    }
    return sum / (double)n;
}

/* ---- radar --------------------------------------------------------------------------------- */

static void frequencies(const char *radar, size_t n, double first, double last, bool fmcw) {
    char text[1024];
    snprintf(text, sizeof text, "radar: {%s}\n" PLAIN_ARRAY PLAIN_PATH PLAIN_TARGET, radar);
    nfsar_scene *scene = good_scene(text);
    const nfsar_capture *capture = nfsar_scene_header(scene);
    assert_int_equal(capture->n_sample, n);
    assert_near(capture->frequency_hz[0], first, 1.0);
    assert_near(capture->frequency_hz[n - 1], last, 1.0);
    assert_int_equal(capture->has_fmcw, fmcw);
    nfsar_scene_close(scene);
}

static void test_waveforms(void **state) {
    (void)state;
    frequencies("waveform: 77-81ghz-64", 64, 77e9, 81e9, true);
    frequencies("waveform: 77-81ghz-512", 512, 77e9, 81e9, true);
    frequencies("waveform: 60-64ghz-256", 256, 60e9, 64e9, true);
    /* 77 GHz + 70.295 MHz/us (4.66 us + 255 / 5 MHz) */
    frequencies("waveform: xwr1443-256", 256, 77e9 + 70.295e12 * 4.66e-6,
                77e9 + 70.295e12 * 55.66e-6, true);
    frequencies("start_frequency_hz: 60e9, slope_hz_per_s: -1e13, sample_rate_hz: 1e6, "
                "adc_start_s: 1e-6, samples: 11",
                11, 60e9 - 1e7, 60e9 - 1.1e8, true);
    frequencies("start_frequency_hz: 10e9, bandwidth_hz: 1e9, samples: 5", 5, 10e9, 11e9, false);
    frequencies("start_frequency_hz: 10e9, step_hz: 1e8, samples: 5", 5, 10e9, 10.4e9, false);
    frequencies("frequency_hz: [1e9, 3e9, 2e9]", 3, 1e9, 2e9, false);
}

static void refuse_radar(const char *radar, const char *part) {
    char text[1024];
    snprintf(text, sizeof text, "radar: {%s}\n" PLAIN_ARRAY PLAIN_PATH PLAIN_TARGET, radar);
    assert_refused(text, part);
}

static void test_radar_refusals(void **state) {
    (void)state;
    refuse_radar("model: x", "none is given");
    refuse_radar("waveform: 77ghz", "there is no waveform preset '77ghz'");
    refuse_radar("waveform: 77-81ghz-64, samples: 5", "leave out samples");
    refuse_radar("waveform: 77-81ghz-64, step_hz: 5", "several are given");
    refuse_radar("start_frequency_hz: 1e9, step_hz: 1e6", "samples is missing");
    refuse_radar("samples: 4, step_hz: 1e6", "start_frequency_hz is missing");
    refuse_radar("start_frequency_hz: 1e9, slope_hz_per_s: 1e6, samples: 3",
                 "sample_rate_hz is missing");
    refuse_radar("start_frequency_hz: 1e9, step_hz: 1e6, samples: 3, adc_start_s: 1",
                 "go with slope_hz_per_s");
    refuse_radar("start_frequency_hz: 1e9, step_hz: 1e6, samples: 0", "samples is 0");
    refuse_radar("start_frequency_hz: 1e9, step_hz: 1e6, samples: 4000000000", "samples is 40000");
    refuse_radar("start_frequency_hz: 1e9, step_hz: -1e9, samples: 3", "must be positive");
    refuse_radar("start_frequency_hz: nan, step_hz: 1e6, samples: 3", "must be positive");
    refuse_radar("frequency_hz: [1e9, -1]", "frequency_hz is -1");
    refuse_radar("start_frequency_hz: 1e9, slope_hz_per_s: 1e12, sample_rate_hz: 0, samples: 3",
                 "sample rate 0");
}

static void test_own_array(void **state) {
    (void)state;
    nfsar_scene *scene =
        good_scene(PLAIN_RADAR "array: {tx_m: [[0, 0.01, 0], [0, 0.02, 0]], rx_m: [[0, 0, 0.001]], "
                               "chirp_interval_s: 1e-4}\n" PLAIN_PATH PLAIN_TARGET);
    const nfsar_array *array = &nfsar_scene_header(scene)->array;
    assert_int_equal(array->n_channel, 2);
    assert_near(array->tx_m[1].y, 0.02, 0.0);
    assert_near(array->rx_m[0].z, 0.001, 0.0);
    assert_near(array->channel_time_s[1], 1e-4, 0.0);
    nfsar_scene_close(scene);
    assert_refused(PLAIN_RADAR "array: {preset: none}\n" PLAIN_PATH PLAIN_TARGET,
                   "there is no array preset 'none'");
    assert_refused(PLAIN_RADAR "array: {along: x}\n" PLAIN_PATH PLAIN_TARGET, "give either preset");
    assert_refused(PLAIN_RADAR "array: {tx_m: [[0, 0, 0]]}\n" PLAIN_PATH PLAIN_TARGET,
                   "give either preset");
    assert_refused(PLAIN_RADAR
                   "array: {tx_m: [[0, nan, 0]], rx_m: [[0, 0, 0]]}\n" PLAIN_PATH PLAIN_TARGET,
                   "tx_m is nan");
    assert_refused(PLAIN_RADAR
                   "array: {preset: single, chirp_interval_s: -1}\n" PLAIN_PATH PLAIN_TARGET,
                   "chirp_interval_s is -1");
}

/* ---- echoes and noise ---------------------------------------------------------------------- */

static void test_echo(void **state) {
    (void)state;
    nfsar_capture capture;
    simulate("radar: {frequency_hz: [77e9, 80e9]}\narray: {preset: single}\n"
             "path: {positions_m: [[0, 0, 0], [0.03, 0, 0.26]]}\n"
             "targets: [{points: [{at_m: [0, 0, 0.3], amplitude: 3}]}]\n"
             "physics: {spreading: true}\n",
             &capture);
    /* 0.3 m away, and by Pythagoras 0.05 m; amplitude 3 / R^2. */
    const double range[2] = {0.3, 0.05};
    for (size_t p = 0; p < 2; p++) {
        for (size_t k = 0; k < 2; k++) {
            double phase = 4.0 * NFSAR_PI * capture.frequency_hz[k] * range[p] / 299792458.0;
            double amplitude = 3.0 / (range[p] * range[p]);
            assert_near(crealf(capture.echo[2 * p + k]), amplitude * cos(phase), 2e-6 * amplitude);
            assert_near(cimagf(capture.echo[2 * p + k]), amplitude * sin(phase), 2e-6 * amplitude);
        }
    }
    assert_contains(capture.provenance[0], "seed 1");
    assert_string_equal(capture.model, "simulated");
    nfsar_capture_free(&capture);
}

#define NOISY_SCENE(n, impairments)                                                                \
    PLAIN_RADAR PLAIN_ARRAY "path:\n  raster: {x: {size_m: 0.3, count: " n                         \
                            "}, y: {size_m: 0.2, count: 10}}\n"                                    \
                            "targets:\n"                                                           \
                            "  - random_points: {count: 20, size_m: [0.1, 0.1, 0.02], "            \
                            "centre_m: [0.1, 0, 0.15]}\n"                                          \
                            "physics: {spreading: true}\n" impairments

static void measure_snr(const char *clean, const char *noisy, double asked_db) {
    nfsar_capture a, b;
    simulate(clean, &a);
    simulate(noisy, &b);
    double snr = power(a.echo, NULL, samples(&a)) / power(b.echo, a.echo, samples(&a));
    print_message("asked %g dB, got %.3f dB\n", asked_db, 10.0 * log10(snr));
    assert_near(10.0 * log10(snr), asked_db, 0.2);
    nfsar_capture_free(&a);
    nfsar_capture_free(&b);
}

static void test_noise_power(void **state) {
    (void)state;
    /* 400 pulses: the mean power is known; 6000: it is estimated from some of them, although it
     * varies by 20 dB over this aperture. */
    measure_snr(NOISY_SCENE("40", ""), NOISY_SCENE("40", "impairments: {snr_db: 12}\n"), 12.0);
    measure_snr(NOISY_SCENE("40", ""), NOISY_SCENE("40", "impairments: {snr_db: -10}\n"), -10.0);
    measure_snr(NOISY_SCENE("600", ""), NOISY_SCENE("600", "impairments: {snr_db: 6}\n"), 6.0);
}

static void test_same_seed_same_capture(void **state) {
    (void)state;
    const char *text =
        "seed: 4\n" NOISY_SCENE("30", "impairments:\n  snr_db: 10\n  leakage_db: 0\n"
                                      "  channels: {gain_db: 1, phase_deg: 10, delay_s: 1e-12}\n"
                                      "  pose_error: {kind: white, sigma_m: [1e-3, 1e-3, 1e-3]}\n");
    nfsar_capture a, b, c;
    nfsar_scene *scene = good_scene(text);
    run_scene(scene, 1, &a);
    run_scene(scene, 3, &b);
    nfsar_scene_close(scene);
    assert_memory_equal(a.echo, b.echo, samples(&a) * sizeof *a.echo);
    assert_memory_equal(a.pose, b.pose, a.n_pose * sizeof *a.pose);
    /* Another seed: other noise and other errors. */
    nfsar_error error;
    uint64_t seed = 5;
    assert_ok(nfsar_scene_open(test_path("scene.yaml"), &seed, &scene, &error), error);
    run_scene(scene, 0, &c);
    nfsar_scene_close(scene);
    assert_true(power(c.echo, a.echo, samples(&a)) > 0.1 * power(a.echo, NULL, samples(&a)));
    assert_true(fabs(c.pose[7].position.x - a.pose[7].position.x) > 1e-9);
    nfsar_capture_free(&a);
    nfsar_capture_free(&b);
    nfsar_capture_free(&c);
}

/* ---- poses --------------------------------------------------------------------------------- */

#define POSE_SCENE(keys)                                                                           \
    PLAIN_RADAR PLAIN_ARRAY                                                                        \
        "path:\n  raster: {x: {size_m: 0.3, count: 200}, y: {size_m: 0.2, count: 10}, "            \
        "pulse_interval_s: 0.01}\n" PLAIN_TARGET "impairments:\n  pose_error: {" keys "}\n"

/* Mean square of reported less true position along each axis, and the mean product of neighbours
 * along x. */
static void pose_statistics(const nfsar_capture *capture, double square[3], double *neighbours) {
    double before = 0.0;
    *neighbours = 0.0;
    square[0] = square[1] = square[2] = 0.0;
    for (size_t i = 0; i < capture->n_pose; i++) {
        nfsar_vec3 d =
            nfsar_vec3_subtract(capture->pose[i].position, capture->true_pose[i].position);
        square[0] += d.x * d.x / (double)capture->n_pose;
        square[1] += d.y * d.y / (double)capture->n_pose;
        square[2] += d.z * d.z / (double)capture->n_pose;
        *neighbours += before * d.x / (double)capture->n_pose;
        before = d.x;
    }
}

static void test_white_pose_errors(void **state) {
    (void)state;
    nfsar_capture capture;
    double square[3], neighbours = 0.0;
    simulate(POSE_SCENE("kind: white, sigma_m: [1e-3, 2e-3, 0]"), &capture);
    assert_int_equal(capture.n_pose, 2000);
    assert_non_null(capture.true_pose);
    pose_statistics(&capture, square, &neighbours);
    /* Five standard errors of a sigma: 5 / sqrt(2 N) = 8 %. */
    assert_near(sqrt(square[0]), 1e-3, 0.08e-3);
    assert_near(sqrt(square[1]), 2e-3, 0.16e-3);
    assert_near(sqrt(square[2]), 0.0, 0.0);
    assert_near(neighbours, 0.0, 0.12e-6);
    /* The radar is where the scene puts it; the report errs. */
    assert_near(capture.true_pose[0].position.x, -0.15, 1e-12);
    assert_true(fabs(capture.pose[0].position.x + 0.15) > 1e-9);
    /* And the echo is that of the truth: 0.3 m straight ahead at the true pose nearest to it. */
    double phase = 4.0 * NFSAR_PI * 77e9 / 299792458.0 *
                   nfsar_vec3_norm((nfsar_vec3){capture.true_pose[0].position.x,
                                                capture.true_pose[0].position.y, 0.3});
    assert_near(crealf(capture.echo[0]), cos(phase), 1e-5);
    nfsar_capture_free(&capture);
}

static void test_radar_that_strays(void **state) {
    (void)state;
    nfsar_capture capture;
    simulate(POSE_SCENE("kind: white, sigma_m: [1e-3, 1e-3, 1e-3], displaces: radar"), &capture);
    /* The report is the lattice; the truth is not. */
    assert_near(capture.pose[0].position.x, -0.15, 1e-12);
    assert_near(capture.pose[0].position.z, 0.0, 0.0);
    assert_true(fabs(capture.true_pose[0].position.z) > 1e-9);
    nfsar_vec3 at = capture.true_pose[5].position;
    double range = nfsar_vec3_distance(at, (nfsar_vec3){0.0, 0.0, 0.3});
    double phase = 4.0 * NFSAR_PI * 77e9 / 299792458.0 * range;
    assert_near(cimagf(capture.echo[5 * 8]), sin(phase), 1e-5);
    nfsar_capture_free(&capture);
}

static void test_smooth_pose_errors(void **state) {
    (void)state;
    nfsar_capture capture;
    double square[3], neighbours = 0.0;
    /* 20 s in steps of 0.01 s, correlated over 0.1 s. */
    simulate(POSE_SCENE("kind: smooth, time_s: 0.1, sigma_m: [1e-3, 2e-3, 3e-3], "
                        "sigma_deg: [0, 0, 1]"),
             &capture);
    pose_statistics(&capture, square, &neighbours);
    assert_near(sqrt(square[0]), 1e-3, 0.15e-3);
    assert_near(sqrt(square[1]), 2e-3, 0.3e-3);
    assert_near(sqrt(square[2]), 3e-3, 0.45e-3);
    /* exp(-(0.01 / 0.1)^2 / 2) = 0.995 of the variance from one pulse to the next. */
    assert_near(neighbours / square[0], 0.995, 0.005);
    double turn = 0.0;
    for (size_t i = 0; i < capture.n_pose; i++) {
        turn += pow(2.0 * asin(capture.pose[i].orientation.z), 2.0) / (double)capture.n_pose;
    }
    assert_near(sqrt(turn) * 180.0 / NFSAR_PI, 1.0, 0.15);
    nfsar_capture_free(&capture);
    assert_refused(POSE_SCENE("kind: white, time_s: 1, sigma_m: [0, 0, 0]"), "have no time_s");
    assert_refused(POSE_SCENE("kind: white, sigma_m: [-1, 0, 0]"), "sigma_m is -1");
    assert_refused(POSE_SCENE("kind: pink, sigma_m: [1, 0, 0]"), "scene.yaml");
}

static void test_no_error_no_truth(void **state) {
    (void)state;
    nfsar_capture capture;
    simulate(PLAIN_RADAR PLAIN_ARRAY PLAIN_PATH PLAIN_TARGET, &capture);
    assert_null(capture.true_pose);
    assert_null(capture.calibration.channel_gain);
    assert_null(capture.calibration.channel_delay_s);
    assert_null(capture.calibration.background);
    nfsar_capture_free(&capture);
}

/* ---- channels ------------------------------------------------------------------------------ */

#define CHANNEL_SCENE(impairments)                                                                 \
    PLAIN_RADAR                                                                                    \
    "array: {preset: xwr1443-2tx}\n"                                                               \
    "path: {positions_m: [[0, 0, 0], [0.01, 0, 0], [0.05, 0, 0]]}\n" PLAIN_TARGET impairments

#define CHANNEL_ERRORS                                                                             \
    "impairments:\n  channels: {gain_db: 2, phase_deg: 40, delay_s: 2e-11}\n  leakage_db: -10\n"

static void test_recorded_calibration(void **state) {
    (void)state;
    nfsar_capture ideal, capture;
    simulate(CHANNEL_SCENE(""), &ideal);
    simulate(CHANNEL_SCENE(CHANNEL_ERRORS "  calibrated: true\n"), &capture);
    size_t n = samples(&ideal);
    assert_non_null(capture.calibration.channel_gain);
    assert_non_null(capture.calibration.channel_delay_s);
    /* -10 dB of leakage: a tenth of the echo's power. */
    assert_near(power(capture.calibration.background, NULL, 8 * 8),
                0.1 * power(ideal.echo, NULL, n), 1e-3 * power(ideal.echo, NULL, n));
    assert_true(power(capture.echo, ideal.echo, n) > 0.1);
    nfsar_error error;
    assert_ok(nfsar_calibration_apply(&capture, capture.n_pulse, 0, capture.n_sample, capture.echo,
                                      &error),
              error);
    assert_true(power(capture.echo, ideal.echo, n) < 1e-10);
    nfsar_capture_free(&ideal);
    nfsar_capture_free(&capture);
}

static void test_unrecorded_errors(void **state) {
    (void)state;
    nfsar_capture recorded, capture;
    simulate(CHANNEL_SCENE(CHANNEL_ERRORS "  calibrated: true\n"), &recorded);
    simulate(CHANNEL_SCENE(CHANNEL_ERRORS), &capture);
    /* The same data, but the capture does not say how to undo it. */
    assert_memory_equal(capture.echo, recorded.echo, samples(&capture) * sizeof *capture.echo);
    assert_null(capture.calibration.channel_gain);
    assert_null(capture.calibration.channel_delay_s);
    assert_null(capture.calibration.background);
    nfsar_capture_free(&recorded);
    nfsar_capture_free(&capture);
}

static void test_impairment_refusals(void **state) {
    (void)state;
    assert_refused(CHANNEL_SCENE("impairments: {snr_db: nan}\n"), "snr_db is nan");
    assert_refused(CHANNEL_SCENE("impairments: {leakage_db: inf}\n"), "leakage_db is inf");
    assert_refused(CHANNEL_SCENE("impairments:\n  channels: {gain_db: -1}\n"), "is -1");
    assert_refused(CHANNEL_SCENE("physics: {beamwidth_deg: -3}\n"), "beamwidth_deg is -3");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waveforms),
        cmocka_unit_test(test_radar_refusals),
        cmocka_unit_test(test_own_array),
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_noise_power),
        cmocka_unit_test(test_same_seed_same_capture),
        cmocka_unit_test(test_white_pose_errors),
        cmocka_unit_test(test_radar_that_strays),
        cmocka_unit_test(test_smooth_pose_errors),
        cmocka_unit_test(test_no_error_no_truth),
        cmocka_unit_test(test_recorded_calibration),
        cmocka_unit_test(test_unrecorded_errors),
        cmocka_unit_test(test_impairment_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
