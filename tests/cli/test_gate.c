/* nfsar gate, reconstruct --range, calibrate --leakage and their like, as people run them. */
#include "tests/support.h"

#include <complex.h>
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <nfsar/file.h>

static const char *const scene = "radar: {waveform: 77-81ghz-256}\n"
                                 "array: {preset: xwr1443-2tx, along: y}\n"
                                 "path:\n"
                                 "  raster:\n"
                                 "    x: {size_m: 0.06, step_m: 1.9e-3}\n"
                                 "    y: {size_m: 0.03, step_m: 7.5897e-3}\n"
                                 "targets:\n"
                                 "  - points:\n"
                                 "      - {at_m: [0.01, 0, 0.3]}\n"
                                 "      - {at_m: [-0.01, 0.01, 0.32]}\n"
                                 "      - {at_m: [0, 0, 1.1], amplitude: 3}\n"
                                 "impairments: {leakage_db: 10}\n";

static const char *const grid = "--x -0.03:0.03:21 --y -0.03:0.03:21 --z 0.28:0.34:4";

static char output[8192];

#define RUN(...) test_command(output, sizeof output, __VA_ARGS__)

static int set_up(void **state) {
    (void)state;
    test_write_file("scene.yaml", scene, strlen(scene));
    return RUN("simulate '%s' -o '%s'", test_path("scene.yaml"), test_path("all.h5"));
}

/* Largest difference of two images, of the first one's largest value. */
static double difference(const char *a, const char *b) {
    nfsar_error error;
    nfsar_image first, second;
    assert_ok(nfsar_image_load(test_path(a), &first, &error), error);
    assert_ok(nfsar_image_load(test_path(b), &second, &error), error);
    double most = 0.0, differs = 0.0;
    for (size_t i = 0; i < 21 * 21 * 4; i++) {
        most = fmax(most, (double)cabsf(first.data[i]));
        differs = fmax(differs, (double)cabsf(first.data[i] - second.data[i]));
    }
    nfsar_image_free(&first);
    nfsar_image_free(&second);
    return differs / most;
}

static void images_are_the_same(void **state) {
    (void)state;
    assert_int_equal(
        RUN("gate '%s' -o '%s' --range 0.27:0.37", test_path("all.h5"), test_path("gated.h5")), 0);
    assert_contains(output, "of 256\n");
    const char *const methods[] = {"bp", "nurma", "rma"};
    for (size_t i = 0; i < 3; i++) {
        for (int window = 0; window < (i == 2 ? 2 : 1); window++) {
            const char *word = window ? "hann" : "rectangular";
            assert_int_equal(RUN("reconstruct '%s' -o '%s' -m %s %s --window %s",
                                 test_path("all.h5"), test_path("full-image.h5"), methods[i], grid,
                                 word),
                             0);
            assert_int_equal(RUN("reconstruct '%s' -o '%s' -m %s %s --window %s --range 0.28:0.36",
                                 test_path("all.h5"), test_path("range-image.h5"), methods[i], grid,
                                 word),
                             0);
            assert_contains(output, "of 256 samples; error at most -100 dB of the samples' mean");
            assert_true(difference("full-image.h5", "range-image.h5") < 1e-3);
        }
        assert_int_equal(RUN("reconstruct '%s' -o '%s' -m %s %s", test_path("all.h5"),
                             test_path("full-image.h5"), methods[i], grid),
                         0);
        assert_int_equal(RUN("reconstruct '%s' -o '%s' -m %s %s", test_path("gated.h5"),
                             test_path("gated-image.h5"), methods[i], grid),
                         0);
        assert_true(difference("full-image.h5", "gated-image.h5") < 1e-3);
    }
}

static void a_gated_file_says_so(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture_file *file = NULL;
    assert_ok(nfsar_capture_file_open(test_path("gated.h5"), &file, &error), error);
    const nfsar_capture *capture = nfsar_capture_file_header(file);
    assert_true(capture->n_sample <= 20);
    assert_near(capture->gated.range_m[0], 0.27, 1e-12);
    assert_near(capture->gated.range_m[1], 0.37, 1e-12);
    assert_near(capture->gated.band_hz[0], 77e9, 1.0);
    assert_near(capture->gated.band_hz[1], 81e9, 1.0);
    assert_null(capture->calibration.background);
    nfsar_capture_file_close(file);
    assert_int_equal(RUN("info '%s'", test_path("gated.h5")), 0);
    assert_contains(output, "range resolution 37.47 mm, gated from 0.27 to 0.37 m");
    /* Without a grid the gate is where to look. */
    assert_int_equal(RUN("reconstruct '%s' -o '%s'", test_path("gated.h5"), test_path("x.h5")), 0);
    assert_contains(output, "--z 0.2");
    assert_int_equal(RUN("reconstruct '%s' -o '%s' --x 0 --y 0 --z 0.5:0.6:3 -m bp",
                         test_path("gated.h5"), test_path("x.h5")),
                     0);
    assert_contains(output, "warning: the grid's voxels are 0.500 to");
}

/* ---- what else is in the file ---------------------------------------------------------------- */

static hid_t make_group(hid_t file, const char *name) {
    hid_t group = H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(group >= 0);
    return group;
}

static void add_numbers(hid_t file, const char *name, hid_t type, int rank, const hsize_t *extent,
                        const void *data) {
    hid_t space = H5Screate_simple(rank, extent, NULL);
    hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(dataset >= 0 && H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
    H5Dclose(dataset);
    H5Sclose(space);
}

static const double rates[6] = {1.0, -2.0, 3.5, 4.0, 5.0, 6.25};

/* The scan with a sensor's record, something of others beside the calibration, and a gain of 2 of
 * every channel, which a gate applies and leaves out. */
static void write_with_sensor(void) {
    assert_int_equal(RUN("simulate '%s' -o '%s'", test_path("scene.yaml"), test_path("sensor.h5")),
                     0);
    hid_t file = H5Fopen(test_path("sensor.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    H5Gclose(make_group(file, "/sensor"));
    H5Gclose(make_group(file, "/sensor/imu"));
    add_numbers(file, "/sensor/imu/rate_rad_per_s", H5T_NATIVE_DOUBLE, 2, (hsize_t[]){2, 3}, rates);
    if (H5Lexists(file, "/calibration", H5P_DEFAULT) <= 0) {
        H5Gclose(make_group(file, "/calibration"));
    }
    hid_t complex_type = H5Tcreate(H5T_COMPOUND, sizeof(float complex));
    H5Tinsert(complex_type, "r", 0, H5T_NATIVE_FLOAT);
    H5Tinsert(complex_type, "i", sizeof(float), H5T_NATIVE_FLOAT);
    const float complex gain[8] = {2.0F, 2.0F, 2.0F, 2.0F, 2.0F, 2.0F, 2.0F, 2.0F};
    if (H5Lexists(file, "/calibration/channel_gain", H5P_DEFAULT) > 0) {
        H5Ldelete(file, "/calibration/channel_gain", H5P_DEFAULT);
    }
    add_numbers(file, "/calibration/channel_gain", complex_type, 1, (hsize_t[]){8}, gain);
    add_numbers(file, "/calibration/lever_arm_m", H5T_NATIVE_DOUBLE, 1, (hsize_t[]){3}, rates);
    H5Tclose(complex_type);
    assert_true(H5Fclose(file) >= 0);
}

static bool is_there(hid_t file, const char *name) {
    return H5Lexists(file, name, H5P_DEFAULT) > 0;
}

static void what_else_is_in_the_file_stays(void **state) {
    (void)state;
    write_with_sensor();
    assert_int_equal(RUN("gate '%s' -o '%s' --range 0.27:0.37", test_path("sensor.h5"),
                         test_path("sensor-gated.h5")),
                     0);
    hid_t file = H5Fopen(test_path("sensor-gated.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(file >= 0);
    double found[6] = {0.0};
    hid_t dataset = H5Dopen2(file, "/sensor/imu/rate_rad_per_s", H5P_DEFAULT);
    assert_true(dataset >= 0 &&
                H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, found) >= 0);
    H5Dclose(dataset);
    assert_memory_equal(found, rates, sizeof rates);
    assert_true(is_there(file, "/calibration/lever_arm_m"));
    /* Applied, or of the chirp: */
    assert_false(is_there(file, "/calibration/channel_gain"));
    assert_false(is_there(file, "/calibration/channel_delay_s"));
    assert_false(is_there(file, "/calibration/background"));
    hid_t radar = H5Gopen2(file, "/radar", H5P_DEFAULT);
    assert_true(H5Aexists(radar, "gate_last_m") > 0);
    assert_true(H5Aexists(radar, "slope_hz_per_s") == 0);
    H5Gclose(radar);
    H5Fclose(file);
    const char *const names[] = {"sensor", "sensor-gated"};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(RUN("reconstruct '%s/%s.h5' -o '%s/%s-image.h5' -m bp %s", test_folder(),
                             names[i], test_folder(), names[i], grid),
                         0);
    }
    assert_true(difference("sensor-image.h5", "sensor-gated-image.h5") < 1e-3);
}

static void wrong_gates_are_named(void **state) {
    (void)state;
    static const struct {
        const char *capture, *arguments, *says;
        int status;
    } wrong[] = {
        {"all.h5", "--range 9:10", "tell ranges from 0 to 9.556 m only", 2},
        {"all.h5", "--range 0.4:0.3", "0.4:0.3", 2},
        {"all.h5", "--range -1:0.3", "-1:0.3", 2},
        {"all.h5", "", "say what to keep", 2},
        {"all.h5", "--notch 1,x", "--notch 1,x: expected", 2},
        {"all.h5", "--notch 1,", "--notch 1,: expected", 2},
        {"all.h5", "--range 0.3:0.4 --loss 3", "--loss 3: expected", 2},
        {"all.h5", "--range 0.3:0.4 --window flat", "window 'flat'", 2},
        {"all.h5", "--notch 30", "spur at 30 m", 2},
        {"gated.h5", "--range 0.2:0.3", "gated from 0.27 to 0.37 m already", 2},
        {"gated.h5", "--range 0.3:0.35 --window hann", "come before a gate", 2},
        {"gated.h5", "--notch 0.3", "come before a gate", 2},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(RUN("gate '%s' -o '%s' %s", test_path(wrong[i].capture),
                             test_path("never.h5"), wrong[i].arguments),
                         wrong[i].status);
        assert_contains(output, wrong[i].says);
        assert_int_equal(test_count_files("never"), 0);
    }
    assert_int_equal(
        RUN("reconstruct '%s' -o '%s' --range 9:10", test_path("all.h5"), test_path("never.h5")),
        2);
    assert_contains(output, "all.h5: --range: range gate 9:10 m");
    assert_int_equal(
        RUN("reconstruct '%s' -o '%s' --window hann", test_path("gated.h5"), test_path("never.h5")),
        2);
    assert_contains(output, "windows over frequency come before the gate");
    assert_int_equal(
        RUN("reconstruct '%s' -o '%s' --sparse l1", test_path("gated.h5"), test_path("never.h5")),
        2);
    assert_contains(output, "is gated, its samples obey no echo model");
    assert_int_equal(RUN("calibrate '%s' -o '%s' --leakage 0.1:0.3", test_path("gated.h5"),
                         test_path("never.h5")),
                     2);
    assert_contains(output, "is gated, and calibration comes before a gate");
    assert_int_equal(RUN("doctor '%s'", test_path("gated.h5")), 2);
    assert_contains(output, "gated.h5: is gated, its samples obey no echo model");
    /* Nothing there, but noise is not asked of it: it warns. */
    assert_int_equal(
        RUN("gate '%s' -o '%s' --range 5:5.2", test_path("all.h5"), test_path("nothing.h5")), 0);
}

static void leakage_goes(void **state) {
    (void)state;
    assert_int_equal(RUN("calibrate '%s' -o '%s' --leakage 0.07:0.25", test_path("all.h5"),
                         test_path("clean.h5")),
                     0);
    assert_contains(output, "from up to 0.07 m, the same for all pulses");
    assert_int_equal(RUN("calibrate '%s' -o '%s' --leakage 0.07:0.25 --drift 20 --iq",
                         test_path("all.h5"), test_path("drift.h5")),
                     0);
    assert_int_equal(RUN("calibrate '%s' -o '%s' --background '%s'", test_path("all.h5"),
                         test_path("never.h5"), test_path("gated.h5")),
                     2);
    assert_contains(output, "is gated");
    test_write_file("small.yaml",
                    "radar: {waveform: 77-81ghz-64}\narray: {preset: single}\n"
                    "path: {positions_m: [[0, 0, 0]]}\n"
                    "targets: [{points: [{at_m: [0, 0, 0.3]}]}]\n",
                    strlen("radar: {waveform: 77-81ghz-64}\narray: {preset: single}\n"
                           "path: {positions_m: [[0, 0, 0]]}\n"
                           "targets: [{points: [{at_m: [0, 0, 0.3]}]}]\n"));
    assert_int_equal(RUN("simulate '%s' -o '%s'", test_path("small.yaml"), test_path("small.h5")),
                     0);
    assert_int_equal(RUN("calibrate '%s' -o '%s' --background '%s'", test_path("all.h5"),
                         test_path("never.h5"), test_path("small.h5")),
                     2);
    assert_contains(output, "1 channels x 64 samples, and the capture has 8 x 256");
    assert_int_equal(RUN("calibrate '%s' -o '%s' --leakage 0.1:0.12", test_path("all.h5"),
                         test_path("never.h5")),
                     2);
    assert_contains(output, "two cells of range");
    assert_int_equal(
        RUN("calibrate '%s' -o '%s' --drift 3 --iq", test_path("all.h5"), test_path("never.h5")),
        2);
    assert_contains(output, "--drift is for --leakage");
    assert_int_equal(test_count_files("never"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_are_the_same),
        cmocka_unit_test(a_gated_file_says_so),
        cmocka_unit_test(what_else_is_in_the_file_stays),
        cmocka_unit_test(wrong_gates_are_named),
        cmocka_unit_test(leakage_goes),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
