/* What makes the instrument's delay doubtful: a scan of which not all is used, a ruler that the
 * wavefronts contradict, no single point, channels that differ, other echoes. */
#include "tests/support.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include <nfsar/geometry.h>
#include <nfsar/instrument.h>
#include <nfsar/simulation.h>

#include "tests/radar.h"

#define CABLE 300e-12

static enum nfsar_status find(const nfsar_capture *capture, double a, double b, double ruler_m,
                              nfsar_instrument *found, nfsar_error *error) {
    const nfsar_echo_source source = nfsar_capture_source(capture);
    nfsar_instrument_options options = nfsar_instrument_defaults();
    options.n_range = b > 0.0 ? 2 : 1;
    options.range_m[0] = a;
    options.range_m[1] = b;
    options.range_sigma_m = ruler_m;
    return nfsar_instrument_find(capture, &source, &options, found, error);
}

/* One antenna over an area, a reflector behind 300 ps of cable, 20 dB over noise. */
static void scan(size_t n, double step_m, nfsar_vec3 place, nfsar_capture *capture) {
    radar_raster("single", n, step_m, n, step_m, 64, capture);
    radar_add_points(capture, &place, 1);
    radar_delay(capture, CABLE, 1.0);
    radar_add_noise(capture, 1e-2, 1);
}

/* Ranges count from the middle of the whole scan, whether its pulse is used or not: of 70225 pulses
 * 65536 are, and a pulse that misses samples is not. One step aside the range is another by
 * 0.24 mm and more. */
static void ranges_count_from_the_middle_of_all_poses(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_instrument found;
    const nfsar_vec3 place = {0.1, 0.03, 0.4};
    for (int thinned = 0; thinned < 2; thinned++) {
        nfsar_capture capture;
        const size_t n = thinned ? 265 : 21, middle = n * n / 2;
        scan(n, thinned ? 1e-3 : 1e-2, place, &capture);
        double range = nfsar_vec3_distance(capture.pose[middle].position, place);
        if (!thinned) {
            capture.flags[middle] |= NFSAR_PULSE_SAMPLES_MISSING;
            for (size_t i = 0; i < capture.n_sample; i++) {
                capture.echo[middle * capture.n_sample + i] = NAN;
            }
        }
        assert_ok(find(&capture, range, 0.0, 1e-8, &found, &error), error);
        assert_int_equal(found.middle_pulse, middle);
        assert_near(found.delay_s, CABLE, fmin(4.0 * found.delay_sigma_s, 1e-12));
        assert_int_equal(found.verdict, NFSAR_CHANNELS_GOOD);
        nfsar_capture_free(&capture);
    }
}

/* A slope that is 0.3 % steeper is told by two reflectors and a ruler of 0.1 mm: over 40 ruler
 * errors the delay is as wrong as is said. (Root mean square of 40 numbers of standard deviation
 * 1: 0.75 to 1.25 but for once in 40.) */
static void two_ranges_say_how_wrong_they_are(void **state) {
    (void)state;
    enum { SEEDS = 40, SAMPLES = 128 };
    const double range[2] = {0.4, 1.4}, ruler_m = 1e-4;
    double score = 0.0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        nfsar_capture capture;
        nfsar_error error;
        nfsar_instrument found;
        nfsar_random random;
        nfsar_random_stream(&random, seed, 7);
        radar_raster("single", 4, 0.0, 1, 0.0, SAMPLES, &capture);
        const double first = capture.frequency_hz[0];
        for (size_t i = 0; i < radar_samples(&capture); i++) {
            double f = first + 1.003 * (capture.frequency_hz[i % SAMPLES] - first);
            for (int r = 0; r < 2; r++) {
                double t = 2.0 * range[r] / NFSAR_SPEED_OF_LIGHT + CABLE;
                capture.echo[i] += (float complex)cexp(2.0 * NFSAR_PI * I * fmod(f * t, 1.0));
            }
        }
        radar_add_noise(&capture, 1e-4, seed);
        double told[2];
        for (int r = 0; r < 2; r++) {
            told[r] = range[r] + ruler_m * nfsar_random_normal(&random);
        }
        assert_ok(find(&capture, told[0], told[1], ruler_m, &found, &error), error);
        assert_true(found.scale_told);
        double wrong = (found.delay_s - CABLE) / found.delay_sigma_s;
        score += wrong * wrong / SEEDS;
        nfsar_capture_free(&capture);
    }
    assert_near(sqrt(score), 1.0, 0.25);
}

/* 30 x 30 cm see by the wavefronts that the reflector is at 0.400 m: a ruler that says 0.402 or
 * 0.49 is wrong, one that says 0.4005 is not. */
static void wavefronts_check_the_ruler(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    nfsar_instrument found;
    scan(31, 1e-2, (nfsar_vec3){0.0, 0.0, 0.4}, &capture);
    static const struct {
        double range_m, ruler_m;
        bool wrong;
    } tries[] = {
        {0.4005, 1e-3, false}, {0.402, 1e-4, true}, {0.49, 1e-3, true}, {0.33, 1e-3, true}};
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        assert_ok(find(&capture, tries[i].range_m, 0.0, tries[i].ruler_m, &found, &error), error);
        assert_true(found.range_told[0]);
        assert_near(found.seen_m[0], 0.4, fmin(5.0 * found.seen_sigma_m[0], 1e-4));
        assert_near(found.seen_delay_s[0], CABLE, 0.5e-12);
        assert_int_equal(found.range_wrong[0], tries[i].wrong);
        assert_true(!tries[i].wrong || found.verdict == NFSAR_CHANNELS_POOR);
    }
    nfsar_capture_free(&capture);
    /* A line tells no range, but for a circle about itself; nor does a radar at rest. */
    radar_raster("single", 31, 1e-2, 1, 0.0, 64, &capture);
    const nfsar_vec3 place = {0.0, 0.0, 0.4};
    radar_add_points(&capture, &place, 1);
    radar_add_noise(&capture, 1e-2, 1);
    assert_ok(find(&capture, 0.4, 0.0, 1e-3, &found, &error), error);
    assert_false(found.range_told[0] || found.range_wrong[0] || found.at_rest);
    nfsar_capture_free(&capture);
    radar_raster("single", 4, 0.0, 1, 0.0, 64, &capture);
    radar_add_points(&capture, &place, 1);
    radar_add_noise(&capture, 1e-2, 1);
    assert_ok(find(&capture, 0.4, 0.0, 1e-3, &found, &error), error);
    assert_true(found.at_rest && isnan(found.coherence[0]));
    assert_int_equal(found.verdict, NFSAR_CHANNELS_FAIR);
    nfsar_capture_free(&capture);
}

/* 32 degrees aside, where the search of 17 sees it smeared: no other echo is there, and none of
 * its contrast is lost. */
static void far_aside_is_one_echo(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    nfsar_instrument found;
    double straight_db = 0.0;
    for (int i = 0; i < 2; i++) {
        const nfsar_vec3 place = {i == 0 ? 0.0 : 0.25, 0.0, 0.4};
        scan(31, 5e-3, place, &capture);
        assert_ok(find(&capture, nfsar_vec3_norm(place), 0.0, 1e-3, &found, &error), error);
        assert_near(found.delay_s, CABLE, 0.5e-12);
        assert_true(found.other_db[0] == -INFINITY);
        assert_near(found.contrast_db[0], i == 0 ? found.contrast_db[0] : straight_db, 0.5);
        straight_db = found.contrast_db[0];
        nfsar_capture_free(&capture);
    }
}

/* What is at a negative range is leakage behind the delay that was found before, or an echo from
 * almost c / 2 / step. */
static void what_repeats_is_named(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    nfsar_instrument found;
    radar_raster("single", 4, 0.0, 1, 0.0, 128, &capture);
    const nfsar_vec3 place = {0.0, 0.0, 4.7};
    radar_add_points(&capture, &place, 1);
    radar_add_noise(&capture, 1e-7, 1);
    assert_int_equal(find(&capture, 0.2, 0.0, 1e-3, &found, &error), NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "at -0.06");
    assert_contains(error.message, "something at 4.69");
    assert_contains(error.message, "repeat after 4.759 m"); /* 127 c / 2 / 4 GHz */
    nfsar_capture_free(&capture);
}

/* Points here and there at one range are no reflector: what the pulses disagree is all in the
 * standard deviation. So is a part of what channels differ. */
static void what_is_no_point_is_told(void **state) {
    (void)state;
    enum { POINTS = 21 };
    nfsar_capture capture;
    nfsar_error error;
    nfsar_instrument found;
    nfsar_random random;
    nfsar_vec3 place[POINTS];
    nfsar_random_stream(&random, 1, 5);
    for (size_t i = 0; i < POINTS; i++) {
        place[i].x = 0.08 * (nfsar_random_uniform(&random) - 0.5);
        place[i].y = 0.08 * (nfsar_random_uniform(&random) - 0.5);
        place[i].z = 0.3 + 0.04 * (nfsar_random_uniform(&random) - 0.5);
    }
    radar_raster("xwr1443-2tx", 21, 5e-3, 11, 1e-2, 64, &capture);
    radar_add_points(&capture, place, POINTS);
    radar_add_noise(&capture, 1e-2, 1);
    assert_ok(find(&capture, 0.3, 0.0, 1e-5, &found, &error), error);
    assert_true(found.coherence[0] < 0.5);
    assert_int_equal(found.verdict, NFSAR_CHANNELS_POOR);
    assert_true(found.delay_sigma_s >= found.spread_s);
    nfsar_capture_free(&capture);
    /* Delays of the channels, 20 ps to and fro. */
    place[0] = (nfsar_vec3){0.0, 0.0, 0.3};
    for (int differ = 0; differ < 2; differ++) {
        radar_raster("xwr1443-2tx", 21, 5e-3, 11, 1e-2, 64, &capture);
        radar_add_points(&capture, place, 1);
        const size_t n_channel = capture.array.n_channel, n_sample = capture.n_sample;
        for (size_t i = 0; differ && i < radar_samples(&capture); i++) {
            double t = i / n_sample % n_channel % 2 == 0 ? 20e-12 : -20e-12;
            double turns = fmod(capture.frequency_hz[i % n_sample] * t, 1.0);
            capture.echo[i] *= (float complex)cexp(2.0 * NFSAR_PI * I * turns);
        }
        radar_add_noise(&capture, 1e-2, 1);
        assert_ok(find(&capture, 0.3, 0.0, 1e-5, &found, &error), error);
        assert_int_equal(found.channels_differ, differ);
        assert_int_equal(found.verdict, differ ? NFSAR_CHANNELS_FAIR : NFSAR_CHANNELS_GOOD);
        assert_near(found.channels_spread_s, differ ? 20e-12 : 0.0, 0.5e-12);
        assert_true(!differ || found.delay_sigma_s > 20e-12 / sqrt((double)n_channel));
        nfsar_capture_free(&capture);
    }
}

/* Of two ranges the delay is where both are; beside the first there may be something stronger. */
static void a_stronger_echo_is_positive(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_error error;
    nfsar_instrument found;
    const nfsar_vec3 strong = {0.0, 0.0, 0.5}, place[2] = {{0.0, 0.0, 0.4}, {0.0, 0.0, 1.0}};
    radar_raster("single", 4, 0.0, 1, 0.0, 128, &capture);
    radar_add_points(&capture, &strong, 1);
    radar_delay(&capture, 0.0, 2.0);
    radar_add_points(&capture, place, 2);
    radar_add_noise(&capture, 1e-4, 1);
    assert_ok(find(&capture, 0.4, 1.0, 1e-3, &found, &error), error);
    assert_near(found.other_db[0], 6.0, 0.5);
    assert_near(found.other_m[0], 0.1, 5e-3);
    nfsar_capture_free(&capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_count_from_the_middle_of_all_poses),
        cmocka_unit_test(two_ranges_say_how_wrong_they_are),
        cmocka_unit_test(wavefronts_check_the_ruler),
        cmocka_unit_test(far_aside_is_one_echo),
        cmocka_unit_test(what_repeats_is_named),
        cmocka_unit_test(what_is_no_point_is_told),
        cmocka_unit_test(a_stronger_echo_is_positive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
