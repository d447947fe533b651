/* Captures made by others: whatever means the same is read the same, what is left out has its
 * default, and what is unknown is passed over. */
#include "tests/files/edit.h"

#include <math.h>

enum { PULSES = 4, CHANNELS = 6, SAMPLES = 3 };

static void test_defaults(void **state) {
    (void)state;
    static const char *const optional[] = {
        "/array/channel_time_s", "/echo/flags", "/pose/time_s", "/pose/orientation", "/truth",
        "/calibration",          "/provenance"};
    hid_t file = edit_capture();
    for (size_t i = 0; i < sizeof optional / sizeof optional[0]; i++) {
        edit_delete(file, optional[i]);
    }
    hid_t radar = H5Gopen2(file, "/radar", H5P_DEFAULT);
    H5Adelete(radar, "model");
    H5Adelete(radar, "slope_hz_per_s");
    H5Gclose(radar);
    nfsar_capture capture = edit_load(file);
    for (size_t c = 0; c < CHANNELS; c++) {
        assert_true(capture.array.channel_time_s[c] == 0.0);
    }
    assert_int_equal(capture.n_pose, PULSES);
    for (size_t p = 0; p < PULSES; p++) {
        assert_int_equal(capture.flags[p], 0);
        assert_true(capture.pose_time_s[p] == capture.time_s[p]);
        assert_true(capture.pose[p].position.x == 0.001 * (double)p);
        nfsar_quaternion q = capture.pose[p].orientation;
        assert_true(q.w == 1.0 && q.x == 0.0 && q.y == 0.0 && q.z == 0.0);
    }
    assert_null(capture.true_pose);
    assert_null(capture.calibration.channel_gain);
    assert_null(capture.calibration.channel_delay_s);
    assert_null(capture.calibration.background);
    assert_int_equal(capture.n_provenance, 0);
    assert_string_equal(capture.model, "");
    assert_false(capture.has_fmcw);
    nfsar_capture_free(&capture);
}

/* Sampling from the start of the ramp is the default. */
static void test_chirp_default(void **state) {
    (void)state;
    hid_t file = edit_capture();
    hid_t radar = H5Gopen2(file, "/radar", H5P_DEFAULT);
    H5Adelete(radar, "adc_start_s");
    H5Gclose(radar);
    nfsar_capture capture = edit_load(file);
    assert_true(capture.has_fmcw);
    assert_true(capture.fmcw.adc_start_s == 0.0);
    assert_true(capture.fmcw.slope_hz_per_s == 70.295e12);
    nfsar_capture_free(&capture);
}

static void test_other_number_types(void **state) {
    (void)state;
    const hsize_t four[] = {4}, three[] = {3}, pairs[] = {6, 2}, points[] = {4, 3};
    const double times[] = {0.0, 1.0, 2.0, 250.0};
    const double frequency[] = {77e9, 78e9, 79e9};
    const int channel[] = {1, 2, 1, 1, 1, 0, 0, 2, 0, 1, 0, 0};
    const double position[] = {0, 0.5, 0, 0.25, 0, 0, 0, 0, 0, -0.125, 0, 1};
    hid_t file = edit_capture();
    edit_replace(file, "/echo/time_s", H5T_STD_U8BE, 1, four, H5P_DEFAULT, H5T_NATIVE_DOUBLE,
                 times);
    edit_replace(file, "/pose/time_s", H5T_STD_I16LE, 1, four, H5P_DEFAULT, H5T_NATIVE_DOUBLE,
                 times);
    edit_replace(file, "/radar/frequency_hz", H5T_STD_U64BE, 1, three, H5P_DEFAULT,
                 H5T_NATIVE_DOUBLE, frequency);
    edit_replace(file, "/array/channel", H5T_STD_I64BE, 2, pairs, H5P_DEFAULT, H5T_NATIVE_INT,
                 channel);
    edit_replace(file, "/pose/position_m", H5T_IEEE_F32BE, 2, points, H5P_DEFAULT,
                 H5T_NATIVE_DOUBLE, position);
    nfsar_capture capture = edit_load(file);
    assert_true(capture.time_s[3] == 250.0 && capture.pose_time_s[3] == 250.0);
    assert_true(capture.frequency_hz[2] == 79e9);
    assert_int_equal(capture.array.channel[0].tx, 1);
    assert_int_equal(capture.array.channel[0].rx, 2);
    assert_int_equal(capture.array.channel[5].rx, 0);
    assert_true(capture.pose[0].position.y == 0.5);
    assert_true(capture.pose[3].position.x == -0.125 && capture.pose[3].position.z == 1.0);
    nfsar_capture_free(&capture);
}

static void make_echo(double complex echo[PULSES * CHANNELS * SAMPLES]) {
    for (size_t i = 0; i < PULSES * CHANNELS * SAMPLES; i++) {
        echo[i] = (double)i - (double)(i * i) * I;
    }
}

static void assert_echo(const nfsar_capture *capture) {
    for (size_t i = 0; i < PULSES * CHANNELS * SAMPLES; i++) {
        assert_true(crealf(capture->echo[i]) == (float)i);
        assert_true(cimagf(capture->echo[i]) == -(float)(i * i));
    }
}

/* complex128, big-endian, contiguous, chunked, compressed. */
static void test_other_layouts(void **state) {
    (void)state;
    const hsize_t cube[] = {PULSES, CHANNELS, SAMPLES}, chunk[] = {3, 4, 2};
    double complex echo[PULSES * CHANNELS * SAMPLES];
    make_echo(echo);
    hid_t memory = edit_complex_type("r", "i", H5T_NATIVE_DOUBLE);
    const hid_t stored[] = {edit_complex_type("r", "i", H5T_IEEE_F32LE),
                            edit_complex_type("r", "i", H5T_IEEE_F64LE),
                            edit_complex_type("r", "i", H5T_IEEE_F32BE)};
    for (int kind = 0; kind < 3 * 5; kind++) {
        hid_t list = H5Pcreate(H5P_DATASET_CREATE);
        if (kind % 5 > 0) {
            H5Pset_chunk(list, 3, chunk);
        }
        if (kind % 5 == 4) {
            H5Pset_fletcher32(list);
        }
        if (kind % 5 > 2) {
            H5Pset_shuffle(list);
        }
        if (kind % 5 > 1) {
            H5Pset_deflate(list, 4);
        }
        hid_t file = edit_capture();
        edit_replace(file, "/echo/data", stored[kind / 5], 3, cube, list, memory, echo);
        H5Pclose(list);
        nfsar_capture capture = edit_load(file);
        assert_echo(&capture);
        nfsar_capture_free(&capture);
    }
    for (int i = 0; i < 3; i++) {
        H5Tclose(stored[i]);
    }
    H5Tclose(memory);
}

/* HDF5's oldest structures, as h5py and MATLAB write them by default. */
static void test_old_structures(void **state) {
    (void)state;
    nfsar_error error;
    const hsize_t cube[] = {PULSES, CHANNELS, SAMPLES}, chunk[] = {2, 6, 2};
    double complex echo[PULSES * CHANNELS * SAMPLES];
    float complex part[2 * CHANNELS];
    make_echo(echo);
    for (int packed = 0; packed < 2; packed++) {
        edit_make_old(test_path("old.h5"));
        hid_t file = H5Fopen(test_path("old.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
        hid_t list = H5Pcreate(H5P_DATASET_CREATE);
        hid_t type = edit_complex_type("r", "i", H5T_IEEE_F32LE);
        hid_t memory = edit_complex_type("r", "i", H5T_NATIVE_DOUBLE);
        H5Pset_chunk(list, 3, chunk);
        if (packed) {
            H5Pset_deflate(list, 1);
        }
        edit_replace(file, "/echo/data", type, 3, cube, list, memory, echo);
        H5Pclose(list);
        H5Tclose(type);
        H5Tclose(memory);
        H5Fclose(file);
        nfsar_capture capture;
        assert_ok(nfsar_capture_load(test_path("old.h5"), &capture, &error), error);
        assert_echo(&capture);
        nfsar_capture_free(&capture);
        nfsar_capture_file *opened = NULL;
        assert_ok(nfsar_capture_file_open(test_path("old.h5"), &opened, &error), error);
        for (int again = 0; again < 2; again++) {
            assert_ok(nfsar_capture_file_read(opened, 1, 2, 2, 1, part, &error), error);
            for (size_t i = 0; i < 2 * CHANNELS; i++) {
                size_t k = (CHANNELS + i) * SAMPLES + 2;
                assert_true(crealf(part[i]) == (float)k);
            }
        }
        nfsar_capture_file_close(opened);
    }
}

static void test_unknown_things(void **state) {
    (void)state;
    static const double numbers[] = {1, 2, 3};
    int one = 1;
    hid_t file = edit_capture();
    H5Gclose(H5Gcreate2(file, "/sensor", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Gclose(H5Gcreate2(file, "/sensor/encoder", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    edit_numbers(file, "/sensor/encoder/position_m", 3, 0, numbers);
    edit_numbers(file, "/echo/temperature", 3, 0, numbers);
    edit_numbers(file, "/calibration/lever_arm_m", 3, 0, numbers);
    edit_attribute(file, "colour", H5T_NATIVE_INT, &one);
    nfsar_capture capture = edit_load(file);
    assert_int_equal(capture.n_pulse, PULSES);
    nfsar_capture_free(&capture);
}

static void test_nearly_unit(void **state) {
    (void)state;
    const double turns[] = {1.004,  0, 0, 0, 0.70711, 0,   0.70711, 0,
                            -0.999, 0, 0, 0, 0.6,     0.8, 0,       0};
    hid_t file = edit_capture();
    edit_numbers(file, "/pose/orientation", 4, 4, turns);
    nfsar_capture capture = edit_load(file);
    for (size_t i = 0; i < 4; i++) {
        nfsar_quaternion q = capture.pose[i].orientation;
        assert_near(q.w * q.w + q.x * q.x + q.y * q.y + q.z * q.z, 1.0, 1e-15);
    }
    assert_near(capture.pose[1].orientation.y, sqrt(0.5), 1e-15);
    assert_near(capture.pose[2].orientation.w, -1.0, 0.0);
    assert_near(capture.pose[3].orientation.x, 0.8, 1e-15);
    nfsar_capture_free(&capture);
}

/* Pulses at 10, 10.01, 10.02, 10.03 s. */
static void test_outside_track(void **state) {
    (void)state;
    const double times[] = {10.005, 10.02}, positions[6] = {0};
    hid_t file = edit_capture();
    edit_delete(file, "/truth");
    edit_delete(file, "/pose/orientation");
    edit_numbers(file, "/pose/time_s", 2, 0, times);
    edit_numbers(file, "/pose/position_m", 2, 3, positions);
    nfsar_capture capture = edit_load(file);
    assert_int_equal(capture.flags[0], NFSAR_PULSE_POSE_EXTRAPOLATED);
    assert_int_equal(capture.flags[1], NFSAR_PULSE_SAMPLES_MISSING);
    assert_int_equal(capture.flags[2], 0);
    assert_int_equal(capture.flags[3], NFSAR_PULSE_POSE_EXTRAPOLATED);
    nfsar_capture_free(&capture);
    /* One pose is a radar at rest: it holds at all times. */
    file = edit_capture();
    edit_delete(file, "/truth");
    edit_delete(file, "/pose/orientation");
    edit_numbers(file, "/pose/time_s", 1, 0, times);
    edit_numbers(file, "/pose/position_m", 1, 3, positions);
    capture = edit_load(file);
    assert_int_equal(capture.n_pose, 1);
    assert_int_equal(capture.flags[0], 0);
    nfsar_capture_free(&capture);
}

/* Text ends up on terminals and in JSON. */
static void test_text(void **state) {
    (void)state;
    static const char lines[3][16] = {"caf\xC3\xA9 \xE2\x82\xAC", "\x1B[31mred\a\n",
                                      "\xFF\xC0\x80 ok   "};
    const hsize_t three[] = {3};
    hid_t text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, 16);
    H5Tset_strpad(text, H5T_STR_SPACEPAD);
    hid_t file = edit_capture();
    edit_replace(file, "/provenance", text, 1, three, H5P_DEFAULT, text, lines);
    nfsar_capture capture = edit_load(file);
    assert_int_equal(capture.n_provenance, 3);
    assert_string_equal(capture.provenance[0], "caf\xC3\xA9 \xE2\x82\xAC");
    assert_string_equal(capture.provenance[1], "?[31mred??");
    assert_string_equal(capture.provenance[2], "??? ok");
    nfsar_capture_free(&capture);
    /* Cut between characters: 63 bytes have room for 31 of these. */
    char model[80] = "";
    for (int i = 0; i < 39; i++) {
        strcat(model, "\xC2\xB5");
    }
    H5Tset_size(text, strlen(model));
    file = edit_capture();
    hid_t radar = H5Gopen2(file, "/radar", H5P_DEFAULT);
    edit_attribute(radar, "model", text, model);
    H5Gclose(radar);
    capture = edit_load(file);
    assert_int_equal(strlen(capture.model), 62);
    nfsar_capture_free(&capture);
    H5Tclose(text);
}

int main(void) {
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_chirp_default),
        cmocka_unit_test(test_other_number_types),
        cmocka_unit_test(test_other_layouts),
        cmocka_unit_test(test_old_structures),
        cmocka_unit_test(test_unknown_things),
        cmocka_unit_test(test_nearly_unit),
        cmocka_unit_test(test_outside_track),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
