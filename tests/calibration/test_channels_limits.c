/* What calibration by a point does where echoes do not tell, or tell something else: a radar at
 * rest, lines, leakage, weak reflectors, pulses that are missing. Echoes are plain double-precision
 * sums of tests/radar.c and of this file. */
#include "tests/support.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/channels.h>
#include <nfsar/simulation.h>

#include "tests/radar.h"

enum { SAMPLES = 64, CHANNELS = 8 };

/* A raster (or a radar at rest, with steps of 0) of 8 channels along y. */
static void make(size_t nx, double dx, size_t ny, double dy, nfsar_capture *capture) {
    radar_raster("xwr1443-2tx", nx, dx, ny, dy, SAMPLES, capture);
    assert_int_equal(capture->array.n_channel, CHANNELS);
}

/* The same in all pulses and channels, from 3 cm of range or where a cable puts it. */
static void add_leakage(nfsar_capture *capture, double amplitude, double range_m) {
    for (size_t i = 0; i < radar_samples(capture); i++) {
        double turns = 2.0 * range_m * capture->frequency_hz[i % SAMPLES] / NFSAR_SPEED_OF_LIGHT;
        capture->echo[i] += (float complex)(amplitude * cexp(2.0 * NFSAR_PI * I * turns));
    }
}

static nfsar_channels_options options_of(const nfsar_vec3 *point) {
    nfsar_channels_options options = nfsar_channels_defaults();
    if (point != NULL) {
        options.has_point = true;
        options.point = *point;
    }
    return options;
}

static enum nfsar_status find(const nfsar_capture *capture, const nfsar_channels_options *options,
                              nfsar_channels *found, nfsar_error *error) {
    const nfsar_echo_source source = nfsar_capture_source(capture);
    return nfsar_channels_find(capture, &source, options, found, NULL, error);
}

static void finds(const nfsar_capture *capture, const nfsar_vec3 *point, nfsar_channels *found) {
    nfsar_error error;
    const nfsar_channels_options options = options_of(point);
    assert_ok(find(capture, &options, found, &error), error);
}

static double mean_delay_ps(const nfsar_channels *found) {
    double sum = 0.0;
    for (size_t c = 0; c < found->n_channel; c++) {
        sum += 1e12 * found->channel[c].delay_s / (double)found->n_channel;
    }
    return sum;
}

/* Largest phase of a channel against the first, degrees, of a radar that has none. */
static double worst_phase(const nfsar_channels *found) {
    double worst = 0.0;
    for (size_t c = 0; c < found->n_channel; c++) {
        worst = fmax(worst, 180.0 / NFSAR_PI * fabs(found->channel[c].phase_rad));
    }
    return worst;
}

/* The line does not tell the angle about itself. A radar without errors points where the reflector
 * is, and stays without errors. */
static void a_line_does_not_turn_a_perfect_radar(void **state) {
    (void)state;
    const nfsar_vec3 point = {0.0, 0.05, 0.3};
    for (size_t n = 6; n <= 60; n += 54) { /* 1 cm tells x alone, 12 cm x and range */
        nfsar_capture capture;
        nfsar_channels found;
        make(n, 2e-3, 1, 0.0, &capture);
        radar_add_points(&capture, &point, 1);
        radar_add_noise(&capture, 1e-2, 1);
        finds(&capture, NULL, &found);
        assert_true(found.told < 3);
        assert_int_equal(found.by_pulses, found.told);
        assert_true(found.angle_is_phase);
        /* 6 pulses at 36 dB tell a phase to 0.4 degrees; it was 205 over the array. */
        assert_near(worst_phase(&found), 0.0, 1.5);
        assert_near(found.place.y, 0.05, 1e-3);
        assert_near(found.place.z, 0.3, 1e-3);
        nfsar_channels_free(&found);
        nfsar_capture_free(&capture);
    }
}

/* Channels whose phases are by chance point nowhere: the reflector is taken to be ahead. */
static void a_line_before_channels_out_of_phase(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_channels found;
    const nfsar_vec3 point = {0.0, 0.01, 0.3};
    make(60, 2e-3, 1, 0.0, &capture);
    radar_add_points(&capture, &point, 1);
    for (size_t i = 0; i < radar_samples(&capture); i++) {
        size_t c = i / SAMPLES % CHANNELS;
        capture.echo[i] *= (float complex)cexp(1.9 * I * (double)(c * c * c));
    }
    radar_add_noise(&capture, 1e-2, 2);
    finds(&capture, NULL, &found);
    assert_true(found.angle_is_phase);
    assert_near(found.place.x, 0.0, 1e-3);
    assert_near(found.place.y, 0.0, 0.02);
    nfsar_channels_free(&found);
    nfsar_capture_free(&capture);
}

/* A rough wall, the same from pulse to pulse. */
static void make_wall(nfsar_capture *capture) {
    nfsar_random random;
    nfsar_random_stream(&random, 5, 1);
    make(72, 0.0, 1, 0.0, capture);
    for (size_t i = 0; i < 150; i++) {
        const nfsar_vec3 point = {0.3 * nfsar_random_uniform(&random) - 0.15,
                                  0.3 * nfsar_random_uniform(&random) - 0.15,
                                  0.4 + 0.005 * nfsar_random_uniform(&random)};
        radar_add_points(capture, &point, 1);
    }
    radar_add_noise(capture, 1e-2, 5);
}

/* At rest anything is explained by some gains. */
static void a_radar_at_rest_is_never_good(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_channels found;
    const nfsar_vec3 point = {0.0, 0.0, 0.4};
    for (int told = 0; told < 2; told++) {
        make_wall(&capture);
        finds(&capture, told ? &point : NULL, &found);
        assert_int_equal(found.by_pulses, 0);
        assert_true(found.residual_db < -20.0);
        assert_true(nfsar_channels_judge(&found) != NFSAR_CHANNELS_GOOD);
        nfsar_channels_free(&found);
        nfsar_capture_free(&capture);
        make(72, 0.0, 1, 0.0, &capture);
        radar_add_points(&capture, &point, 1);
        radar_add_noise(&capture, 1e-2, 6);
        finds(&capture, told ? &point : NULL, &found);
        assert_int_equal(found.by_pulses, 0);
        assert_int_equal(found.told, told ? 3 : 0);
        assert_int_equal(nfsar_channels_judge(&found), NFSAR_CHANNELS_FAIR);
        nfsar_channels_free(&found);
        nfsar_capture_free(&capture);
    }
    /* A single pulse likewise. */
    make(1, 0.0, 1, 0.0, &capture);
    radar_add_points(&capture, &point, 1);
    radar_add_noise(&capture, 1e-2, 7);
    finds(&capture, &point, &found);
    assert_int_equal(nfsar_channels_judge(&found), NFSAR_CHANNELS_FAIR);
    nfsar_channels_free(&found);
    nfsar_capture_free(&capture);
}

/* What is said of errors is what they are: a point wrong by 4 mm of 2, and noise. */
static void deviations_are_what_is_said(void **state) {
    (void)state;
    const nfsar_vec3 point = {0.0, 0.0, 0.4}, wrong = {0.0, 0.0, 0.404};
    double sum = 0.0, n = 0.0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        nfsar_capture capture;
        nfsar_channels found;
        nfsar_error error;
        make(8, 0.0, 1, 0.0, &capture);
        radar_add_points(&capture, &point, 1);
        radar_add_noise(&capture, 0.1, seed);
        if (seed == 1) {
            finds(&capture, &wrong, &found);
            for (size_t c = 0; c < CHANNELS; c++) {
                /* 2 * 4 mm / c is 26.7 ps; noise makes 1.5 of them. */
                assert_near(found.channel[c].delay_s, -26.7e-12, 8e-12);
                assert_near(found.channel[c].delay_sigma_s, 13.4e-12, 0.5e-12);
            }
            nfsar_channels_free(&found);
        }
        nfsar_channels_options options = options_of(&point);
        options.point_sigma_m = 1e-7;
        assert_ok(find(&capture, &options, &found, &error), error);
        for (size_t c = 1; c < CHANNELS; c++) {
            double ratio = found.channel[c].phase_rad / found.channel[c].phase_sigma_rad;
            sum += ratio * ratio;
            n += 1.0;
        }
        assert_near(found.channel[0].phase_sigma_rad, 0.0, 0.0);
        nfsar_channels_free(&found);
        nfsar_capture_free(&capture);
    }
    /* 140 ratios, of which those of one seed share the first channel's noise: 1 +- 0.1; it was 1.4
     * without that noise. */
    assert_near(sqrt(sum / n), 1.0, 0.2);
}

static void pulses_that_miss_samples_are_left_out(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_channels found;
    nfsar_error error;
    const nfsar_vec3 point = {0.01, 0.0, 0.3};
    make(9, 0.01, 8, 0.01, &capture);
    radar_add_points(&capture, &point, 1);
    radar_add_noise(&capture, 1e-2, 8);
    for (size_t p = 0; p < 72; p += 8) {
        capture.flags[p] = NFSAR_PULSE_SAMPLES_MISSING;
        memset(capture.echo + p * CHANNELS * SAMPLES, 0, CHANNELS * SAMPLES * sizeof *capture.echo);
    }
    finds(&capture, NULL, &found);
    assert_int_equal(found.n_pulse, 63);
    assert_int_equal(found.n_missing, 9);
    assert_int_equal(nfsar_channels_judge(&found), NFSAR_CHANNELS_GOOD);
    assert_near(nfsar_vec3_distance(found.place, point), 0.0, 1e-4);
    assert_near(worst_phase(&found), 0.0, 1.0);
    nfsar_channels_free(&found);
    memset(capture.flags, NFSAR_PULSE_SAMPLES_MISSING, 72);
    const nfsar_channels_options options = nfsar_channels_defaults();
    assert_int_equal(find(&capture, &options, &found, &error), NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "every pulse misses samples");
    nfsar_capture_free(&capture);
}

/* 30 dB over the reflector, which must be found with what nobody set. */
static void leakage_is_not_taken_for_the_reflector(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_channels found;
    const nfsar_vec3 near_by = {0.0, 0.0, 0.18}, point = {0.0, 0.01, 0.3};
    make(20, 0.0, 1, 0.0, &capture);
    radar_add_points(&capture, &near_by, 1);
    add_leakage(&capture, pow(10.0, 1.5), 0.03);
    finds(&capture, &near_by, &found);
    /* Half a range cell: the leakage's side lobes are there as well. It was -1001. */
    assert_near(mean_delay_ps(&found), 0.0, 125.0);
    nfsar_channels_free(&found);
    nfsar_capture_free(&capture);
    make(10, 0.01, 10, 0.01, &capture);
    radar_add_points(&capture, &point, 1);
    add_leakage(&capture, pow(10.0, 1.5), 0.03);
    finds(&capture, NULL, &found);
    assert_near(nfsar_vec3_distance(found.place, point), 0.0, 2e-3);
    nfsar_channels_free(&found);
    nfsar_capture_free(&capture);
}

/* Behind 67 mm of cable it is beyond what antennas make, its main lobe still the strongest there.
 */
static void leakage_behind_a_cable_is_stepped_over(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_channels found;
    const nfsar_vec3 point = {0.0, 0.01, 0.3};
    make(10, 0.01, 10, 0.01, &capture);
    radar_add_points(&capture, &point, 1);
    radar_delay(&capture, 450e-12, 1.0);
    add_leakage(&capture, 3.0, 0.092);
    finds(&capture, NULL, &found);
    assert_near(nfsar_vec3_distance(found.place, point), 0.0, 2e-3);
    assert_near(mean_delay_ps(&found), 450.0, 10.0);
    nfsar_channels_free(&found);
    nfsar_capture_free(&capture);
}

/* 1.5 ns of cable are 225 mm: more than what is searched unless it is said. */
static void a_long_cable_is_searched_for(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_channels found;
    nfsar_error error;
    const nfsar_vec3 point = {0.0, 0.0, 0.4};
    nfsar_channels_options options = options_of(&point);
    make(20, 0.0, 1, 0.0, &capture);
    radar_add_points(&capture, &point, 1);
    radar_delay(&capture, 1.5e-9, 1.0);
    radar_add_noise(&capture, 1e-2, 9);
    assert_int_equal(find(&capture, &options, &found, &error), NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "near the point");
    assert_contains(error.message, "side lobe of the echo");
    assert_contains(error.message, "--search");
    options.search_delay_s = 2e-9;
    assert_ok(find(&capture, &options, &found, &error), error);
    assert_near(mean_delay_ps(&found), 1500.0, 1.0);
    nfsar_channels_free(&found);
    nfsar_capture_free(&capture);
}

/* 9 dB below the noise of each sample: the mean of 64 samples under a Hann window is 7.3 dB above,
 * and 400 pulses tell phases to sqrt(1 / (2 * 5.4 * 400)), 0.9 degrees. */
static void a_weak_reflector_needs_pulses(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_channels found;
    const nfsar_vec3 point = {0.01, 0.02, 0.3};
    for (int told = 0; told < 2; told++) {
        make(20, 5e-3, 20, 5e-3, &capture);
        radar_add_points(&capture, &point, 1);
        radar_add_noise(&capture, 7.94, 10);
        finds(&capture, told ? &point : NULL, &found);
        assert_true(found.contrast_db < 11.0);
        assert_true(found.residual_db > -10.0);
        assert_near(worst_phase(&found), 0.0, 4.0);
        assert_near(found.channel[3].phase_sigma_rad * 180.0 / NFSAR_PI, 1.3, 0.3);
        assert_true(nfsar_channels_judge(&found) != NFSAR_CHANNELS_POOR);
        nfsar_channels_free(&found);
        nfsar_capture_free(&capture);
    }
}

/* A large capture, made as it is read. */
struct large {
    const nfsar_capture *capture;
    nfsar_vec3 point;
    size_t read; /* pulses */
};

static enum nfsar_status read_large(void *context, size_t first_pulse, size_t n_pulse,
                                    size_t first_sample, size_t n_sample, float complex *out,
                                    nfsar_error *error) {
    struct large *large = context;
    const nfsar_capture *capture = large->capture;
    (void)error;
    large->read += n_pulse;
    for (size_t i = 0; i < n_pulse * CHANNELS; i++) {
        const nfsar_pose *pose = &capture->pose[first_pulse + i / CHANNELS];
        nfsar_channel channel = capture->array.channel[i % CHANNELS];
        nfsar_vec3 tx = nfsar_vec3_add(pose->position, capture->array.tx_m[channel.tx]);
        nfsar_vec3 rx = nfsar_vec3_add(pose->position, capture->array.rx_m[channel.rx]);
        double t = (nfsar_vec3_distance(tx, large->point) + nfsar_vec3_distance(rx, large->point)) /
                   NFSAR_SPEED_OF_LIGHT;
        double complex z =
            cexp(2.0 * NFSAR_PI * I * fmod(capture->frequency_hz[first_sample] * t, 1.0));
        double step = capture->frequency_hz[1] - capture->frequency_hz[0];
        double complex turn = cexp(2.0 * NFSAR_PI * I * fmod(step * t, 1.0));
        for (size_t n = 0; n < n_sample; n++, z *= turn) {
            out[i * n_sample + n] = (float complex)z;
        }
    }
    return NFSAR_OK;
}

/* A part of the pulses is enough, and is read once; rows of 128 do not make it a column. */
static void large_captures_are_thinned(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_channels found;
    nfsar_error error;
    radar_raster("xwr1443-2tx", 128, 1e-3, 512, 2e-4, SAMPLES, &capture);
    free(capture.echo);
    capture.echo = NULL;
    struct large large = {&capture, {0.01, -0.01, 0.3}, 0};
    const nfsar_echo_source source = {.read = read_large, .context = &large};
    assert_ok(nfsar_channels_find(&capture, &source, NULL, &found, NULL, &error), error);
    /* 2^22 samples are 8192 pulses of 8 channels. */
    assert_int_equal(found.n_pulse, 8192);
    assert_int_equal(large.read, 8192);
    assert_int_equal(found.by_pulses, 3);
    assert_near(nfsar_vec3_distance(found.place, large.point), 0.0, 1e-4);
    assert_near(worst_phase(&found), 0.0, 0.1);
    nfsar_channels_free(&found);
    nfsar_capture_free(&capture);
}

/* --range came before: a radar at rest knows nothing better of the mean. */
static void the_instruments_delay_is_kept(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_channels found;
    nfsar_error error;
    const nfsar_vec3 point = {0.0, 0.0, 0.4};
    for (int told = 0; told < 2; told++) {
        make(10, 0.0, 1, 0.0, &capture);
        radar_add_points(&capture, &point, 1);
        radar_delay(&capture, 450e-12, 1.0);
        radar_add_noise(&capture, 1e-2, 11);
        capture.calibration.channel_delay_s = malloc(CHANNELS * sizeof(double));
        for (size_t c = 0; c < CHANNELS; c++) {
            capture.calibration.channel_delay_s[c] = 440e-12 + 1e-12 * (double)c;
        }
        finds(&capture, told ? &point : NULL, &found);
        assert_int_equal(found.delay_is_range, !told);
        assert_ok(nfsar_channels_apply(&found, &capture, &error), error);
        double mean = 0.0;
        for (size_t c = 0; c < CHANNELS; c++) {
            mean += 1e12 * capture.calibration.channel_delay_s[c] / CHANNELS;
        }
        /* 440 + 3.5, or what the point tells. */
        assert_near(mean, told ? 450.0 : 443.5, told ? 1.0 : 1e-3);
        nfsar_channels_free(&found);
        nfsar_capture_free(&capture);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_does_not_turn_a_perfect_radar),
        cmocka_unit_test(a_line_before_channels_out_of_phase),
        cmocka_unit_test(a_radar_at_rest_is_never_good),
        cmocka_unit_test(deviations_are_what_is_said),
        cmocka_unit_test(pulses_that_miss_samples_are_left_out),
        cmocka_unit_test(leakage_is_not_taken_for_the_reflector),
        cmocka_unit_test(leakage_behind_a_cable_is_stepped_over),
        cmocka_unit_test(a_long_cable_is_searched_for),
        cmocka_unit_test(a_weak_reflector_needs_pulses),
        cmocka_unit_test(large_captures_are_thinned),
        cmocka_unit_test(the_instruments_delay_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
