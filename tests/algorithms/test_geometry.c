/* Rotations, poses, tracks, arrays, waveforms and windows: against numbers worked out by hand. */
#include "tests/support.h"

#include <math.h>

#include <nfsar/array.h>
#include <nfsar/geometry.h>
#include <nfsar/waveform.h>
#include <nfsar/window.h>

static void assert_vector(nfsar_vec3 v, double x, double y, double z) {
    assert_near(v.x, x, 1e-12);
    assert_near(v.y, y, 1e-12);
    assert_near(v.z, z, 1e-12);
}

static void quaternions_turn_right_handed(void **state) {
    (void)state;
    /* A quarter turn about y takes z to x and x to -z. */
    nfsar_quaternion q =
        nfsar_quaternion_from_axis_angle((nfsar_vec3){0.0, 2.0, 0.0}, NFSAR_PI / 2.0);
    assert_vector(nfsar_quaternion_rotate(q, (nfsar_vec3){0.0, 0.0, 1.0}), 1.0, 0.0, 0.0);
    assert_vector(nfsar_quaternion_rotate(q, (nfsar_vec3){1.0, 0.0, 0.0}), 0.0, 0.0, -1.0);
    /* Twice is a half turn. */
    nfsar_quaternion half = nfsar_quaternion_multiply(q, q);
    assert_vector(nfsar_quaternion_rotate(half, (nfsar_vec3){1.0, 2.0, 3.0}), -1.0, 2.0, -3.0);
    /* b first, then a. */
    nfsar_quaternion about_z =
        nfsar_quaternion_from_axis_angle((nfsar_vec3){0.0, 0.0, 1.0}, NFSAR_PI / 2.0);
    nfsar_vec3 v =
        nfsar_quaternion_rotate(nfsar_quaternion_multiply(about_z, q), (nfsar_vec3){0.0, 0.0, 1.0});
    assert_vector(v, 0.0, 1.0, 0.0);
    /* Back again. */
    v = nfsar_quaternion_rotate(nfsar_quaternion_conjugate(q), (nfsar_vec3){1.0, 0.0, 0.0});
    assert_vector(v, 0.0, 0.0, 1.0);
    assert_near(nfsar_quaternion_norm(q), 1.0, 1e-12);
    assert_near(nfsar_quaternion_norm((nfsar_quaternion){1.0, -2.0, 2.0, 4.0}), 5.0, 1e-12);
    assert_vector(nfsar_vec3_cross((nfsar_vec3){0.0, 0.0, 2.0}, (nfsar_vec3){3.0, 0.0, 0.0}), 0.0,
                  6.0, 0.0);
    assert_vector(nfsar_vec3_cross((nfsar_vec3){1.0, 2.0, 3.0}, (nfsar_vec3){4.0, 5.0, 6.0}), -3.0,
                  6.0, -3.0);
    assert_vector(nfsar_vec3_min((nfsar_vec3){1.0, 5.0, -3.0}, (nfsar_vec3){4.0, 2.0, -6.0}), 1.0,
                  2.0, -6.0);
    assert_vector(nfsar_vec3_max((nfsar_vec3){1.0, 5.0, -3.0}, (nfsar_vec3){4.0, 2.0, -6.0}), 4.0,
                  5.0, -3.0);
}

static void slerp_goes_the_short_way(void **state) {
    (void)state;
    nfsar_quaternion a = NFSAR_QUATERNION_IDENTITY;
    nfsar_quaternion b = nfsar_quaternion_from_axis_angle((nfsar_vec3){1.0, 0.0, 0.0}, 1.0);
    nfsar_quaternion minus_b = {-b.w, -b.x, -b.y, -b.z};
    nfsar_quaternion m = nfsar_quaternion_slerp(a, minus_b, 0.25);
    assert_near(fabs(m.w), cos(0.125), 1e-12);
    assert_near(fabs(m.x), sin(0.125), 1e-12);
}

static void tracks(void **state) {
    (void)state;
    double time[3] = {0.0, 1.0, 3.0};
    nfsar_pose pose[3];
    for (int i = 0; i < 3; i++) {
        pose[i] = (nfsar_pose){{time[i] * time[i], 0.0, 1.0}, NFSAR_QUATERNION_IDENTITY};
    }
    int outside = -1;
    assert_near(nfsar_track_pose(time, pose, 3, 0.5, &outside).position.x, 0.5, 1e-12);
    assert_int_equal(outside, 0);
    assert_near(nfsar_track_pose(time, pose, 3, 2.0, &outside).position.x, 5.0, 1e-12);
    assert_near(nfsar_track_pose(time, pose, 3, 3.0, &outside).position.x, 9.0, 1e-12);
    assert_int_equal(outside, 0);
    assert_near(nfsar_track_pose(time, pose, 3, 3.5, &outside).position.x, 11.0, 1e-12);
    assert_int_equal(outside, 1);
    assert_near(nfsar_track_pose(time, pose, 3, -1.0, &outside).position.x, -1.0, 1e-12);
    assert_int_equal(outside, 1);
    assert_near(nfsar_track_pose(time, pose, 1, 7.0, NULL).position.x, 0.0, 1e-12);
}

static void board_presets(void **state) {
    (void)state;
    nfsar_array array;
    nfsar_error error;
    double lambda = NFSAR_SPEED_OF_LIGHT / 79e9;
    assert_ok(nfsar_array_preset("xwr1443-2tx", NFSAR_ARRAY_ALONG_Y, &array, &error), error);
    assert_int_equal(array.n_channel, 8);
    double sum = 0.0;
    for (size_t i = 0; i < 8; i++) {
        nfsar_vec3 centre = nfsar_array_phase_centre(&array, i);
        sum += centre.y;
        assert_near(centre.y, lambda / 4.0 * ((double)i - 3.5), 1e-12);
        assert_near(centre.x, 0.0, 1e-15);
    }
    assert_near(sum, 0.0, 1e-12);
    /* papers.md: Tx1 is 5 mm beyond the last receiver; the longest pair spans 5 mm + 3.5 lambda. */
    assert_near(array.tx_m[0].y - array.rx_m[3].y, 5e-3, 1e-12);
    assert_near(array.tx_m[1].y - array.rx_m[0].y, 5e-3 + 3.5 * lambda, 1e-12);
    nfsar_array_free(&array);

    assert_ok(nfsar_array_preset("xwr1443-3tx", NFSAR_ARRAY_ALONG_X, &array, &error), error);
    assert_int_equal(array.n_channel, 12);
    assert_near(array.tx_m[1].y, -lambda / 2.0, 1e-12);
    assert_near(array.tx_m[1].x - array.tx_m[0].x, lambda, 1e-12);
    nfsar_array_free(&array);

    assert_int_equal(nfsar_array_preset("xwr9999", NFSAR_ARRAY_ALONG_Y, &array, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "xwr1443-2tx");
    for (const char *const *name = nfsar_array_preset_names(); *name != NULL; name++) {
        assert_ok(nfsar_array_preset(*name, NFSAR_ARRAY_ALONG_Y, &array, &error), error);
        nfsar_array_free(&array);
    }
    assert_int_equal(nfsar_array_create(5000, 1, &array, &error), NFSAR_ERROR_ARGUMENT);
    assert_int_equal(nfsar_array_create(0, 1, &array, &error), NFSAR_ERROR_ARGUMENT);
}

static void chirps(void **state) {
    (void)state;
    nfsar_error error;
    double f[512], step = 0.0;
    /* safehaven_sqplate's README: the sampled band is 77.380 .. 80.936 GHz. */
    nfsar_fmcw fmcw = {77e9, 63.343e12, 9121e3, 6e-6};
    assert_ok(nfsar_fmcw_frequencies(&fmcw, f, 512, &error), error);
    assert_near(f[0], 77.380e9, 0.5e6);
    assert_near(f[511], 80.929e9, 1e6);
    assert_true(nfsar_frequencies_uniform(f, 512, 1e-6, &step));
    assert_near(step, 63.343e12 / 9121e3, 1.0);
    f[100] += 0.01 * step;
    assert_false(nfsar_frequencies_uniform(f, 512, 1e-6, NULL));
    fmcw.sample_rate_hz = 0.0;
    assert_int_equal(nfsar_fmcw_frequencies(&fmcw, f, 4, &error), NFSAR_ERROR_ARGUMENT);
    assert_int_equal(nfsar_stepped_frequencies(1e9, -6e8, f, 3, &error), NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "positive");
    assert_ok(nfsar_stepped_frequencies(1e9, 1e8, f, 3, &error), error);
    double k[3];
    nfsar_wavenumbers(f, 3, k);
    assert_near(k[2], 2.0 * NFSAR_PI * 1.2e9 / 299792458.0, 1e-9);
}

static void tapers(void **state) {
    (void)state;
    nfsar_error error;
    enum nfsar_window window;
    static const char *const names[] = {"rectangular", "hann", "hamming", "blackman-harris",
                                        "kaiser"};
    for (size_t i = 0; i < 5; i++) {
        float taper[33];
        double sum = 0.0;
        assert_ok(nfsar_window_parse(names[i], &window, &error), error);
        assert_string_equal(nfsar_window_name(window), names[i]);
        nfsar_window_taper(window, 33, taper);
        for (size_t j = 0; j < 33; j++) {
            sum += (double)taper[j];
            assert_near((double)taper[j], (double)taper[32 - j], 1e-5);
        }
        assert_near(sum, 33.0, 1e-4);
        assert_true(i == 0 || taper[16] > 1.5f * taper[4]);
        nfsar_window_taper(window, 1, taper);
        assert_near((double)taper[0], 1.0, 1e-6);
        nfsar_window_taper(window, 2, taper);
        assert_near((double)(taper[0] + taper[1]), 2.0, 1e-5);
    }
    /* Hann: sin^2, here over its mean. */
    float hann[5];
    nfsar_window_taper(NFSAR_WINDOW_HANN, 5, hann);
    assert_near((double)(hann[1] / hann[2]), 0.5, 1e-6);
    assert_int_equal(nfsar_window_parse("boxcar", &window, &error), NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "kaiser");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quaternions_turn_right_handed),
        cmocka_unit_test(slerp_goes_the_short_way),
        cmocka_unit_test(tracks),
        cmocka_unit_test(board_presets),
        cmocka_unit_test(chirps),
        cmocka_unit_test(tapers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
