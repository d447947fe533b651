/* Captures that are not what their format promises: refused, with the name of what is wrong. */
#include "tests/files/edit.h"

#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PULSES = 4, CHANNELS = 6, SAMPLES = 3 };

static void test_no_capture(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture;
    enum nfsar_file_kind kind;
    char path[512];
    assert_int_equal(nfsar_capture_load(test_path("none.h5"), &capture, &error), NFSAR_ERROR_FILE);
    assert_contains(error.message, "none.h5: cannot be opened: No such file");
    assert_int_equal(nfsar_capture_load(test_folder(), &capture, &error), NFSAR_ERROR_FILE);
    assert_contains(error.message, "is a folder");
    test_write_file("empty.h5", "", 0);
    assert_int_equal(nfsar_capture_load(test_path("empty.h5"), &capture, &error),
                     NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "empty.h5: is empty");
    test_write_file("text.h5", "frequency: 77e9\n", 16);
    assert_int_equal(nfsar_file_identify(test_path("text.h5"), &kind, &error), NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "text.h5: is not an HDF5 file");
    assert_int_equal(nfsar_file_identify("/dev/null", &kind, &error), NFSAR_ERROR_FILE);
    assert_contains(error.message, "is a device or pipe");
    /* A pipe that nobody writes to would block whoever opens it. */
    snprintf(path, sizeof path, "%s/pipe.h5", test_folder());
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(nfsar_file_identify(path, &kind, &error), NFSAR_ERROR_FILE);
}

static void test_format(void **state) {
    (void)state;
    int32_t two = 2, zero = 0;
    double number = 1.0, infinite = INFINITY;
    hid_t text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, 8);
    hid_t file = edit_capture();
    edit_attribute(file, "format", 0, NULL);
    edit_expect(file, NFSAR_ERROR_FORMAT, "neither a capture nor an image");
    file = edit_capture();
    edit_attribute(file, "format", text, "unknown");
    edit_expect(file, NFSAR_ERROR_FORMAT, "its format is 'unknown'");
    file = edit_capture();
    edit_attribute(file, "format", H5T_NATIVE_DOUBLE, &number);
    edit_expect(file, NFSAR_ERROR_FORMAT, "attribute format must hold text");
    file = edit_capture();
    edit_attribute(file, "format_version", H5T_NATIVE_INT32, &two);
    edit_expect(file, NFSAR_ERROR_VERSION,
                "has version 2 of its format, this program reads up to version 1");
    file = edit_capture();
    edit_attribute(file, "format_version", H5T_NATIVE_INT32, &zero);
    edit_expect(file, NFSAR_ERROR_FORMAT, "not a version number");
    file = edit_capture();
    edit_attribute(file, "format_version", 0, NULL);
    edit_expect(file, NFSAR_ERROR_FORMAT, "format_version is missing");
    file = edit_capture();
    edit_attribute(file, "format_version", text, "1\0\0\0\0\0\0");
    edit_expect(file, NFSAR_ERROR_FORMAT, "attribute format_version must be one number");
    file = edit_capture();
    edit_attribute(file, "format_version", H5T_NATIVE_DOUBLE, &infinite);
    edit_expect(file, NFSAR_ERROR_FORMAT, "attribute format_version is not a finite number");
    H5Tclose(text);
}

static void test_missing(void **state) {
    (void)state;
    static const char *const required[] = {"/radar/frequency_hz", "/array/tx_m", "/array/rx_m",
                                           "/array/channel",      "/echo/data",  "/echo/time_s",
                                           "/pose/position_m"};
    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++) {
        char message[64];
        hid_t file = edit_capture();
        edit_delete(file, required[i]);
        snprintf(message, sizeof message, "edit.h5: %s is missing", required[i]);
        edit_expect(file, NFSAR_ERROR_FORMAT, message);
    }
    hid_t file = edit_capture();
    edit_delete(file, "/array");
    edit_expect(file, NFSAR_ERROR_FORMAT, "/array/tx_m is missing");
    file = edit_capture();
    edit_delete(file, "/echo/time_s");
    H5Gclose(H5Gcreate2(file, "/echo/time_s", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    edit_expect(file, NFSAR_ERROR_FORMAT, "/echo/time_s is not a dataset");
}

static void test_shapes(void **state) {
    (void)state;
    static const struct {
        const char *name;
        hsize_t n, width; /* width 0: one dimension */
        const char *message;
    } cases[] = {
        {"/echo/time_s", 5, 0, "/echo/time_s has the shape [5], but should have [4]"},
        {"/echo/time_s", 4, 1, "/echo/time_s has the shape [4 x 1], but should have [4]"},
        {"/radar/frequency_hz", 2, 0, "/echo/data has the shape [4 x 6 x 3], but should have [any"},
        {"/array/tx_m", 2, 2, "/array/tx_m has the shape [2 x 2], but should have [any x 3]"},
        {"/array/rx_m", 9, 0, "/array/rx_m has the shape [9], but should have [any x 3]"},
        {"/array/channel_time_s", 7, 0, "/array/channel_time_s has the shape [7]"},
        {"/pose/position_m", 4, 4, "/pose/position_m has the shape [4 x 4]"},
        {"/pose/orientation", 3, 4, "/pose/orientation has the shape [3 x 4]"},
        {"/pose/time_s", 3, 0, "/pose/time_s has the shape [3]"},
        {"/truth/position_m", 3, 3, "/truth/position_m has the shape [3 x 3]"},
        {"/calibration/channel_delay_s", 5, 0, "/calibration/channel_delay_s has the shape [5]"},
        {"/pose/position_m", 0, 3,
         "/pose/position_m has the shape [0 x 3], but should have [any x 3]"},
    };
    static const double ones[64] = {1.0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hid_t file = edit_capture();
        edit_numbers(file, cases[i].name, cases[i].n, cases[i].width, cases[i].n > 0 ? ones : NULL);
        edit_expect(file, NFSAR_ERROR_FORMAT, cases[i].message);
    }
    const hsize_t five[] = {1, 1, 1, 1, 1};
    hid_t file = edit_capture();
    edit_replace(file, "/echo/data", H5T_IEEE_F64LE, 5, five, H5P_DEFAULT, H5T_NATIVE_DOUBLE, ones);
    edit_expect(file, NFSAR_ERROR_FORMAT, "/echo/data must hold complex numbers");
    file = edit_capture();
    edit_replace(file, "/echo/time_s", H5T_IEEE_F64LE, 5, five, H5P_DEFAULT, H5T_NATIVE_DOUBLE,
                 ones);
    edit_expect(file, NFSAR_ERROR_FORMAT, "has the shape [5 dimensions]");
}

static void test_types(void **state) {
    (void)state;
    static const double numbers[512] = {0};
    const hsize_t four[] = {4}, two[] = {6, 2}, cube[] = {PULSES, CHANNELS, SAMPLES};
    hid_t text = H5Tcopy(H5T_C_S1);
    hid_t file = edit_capture();
    edit_replace(file, "/echo/time_s", text, 1, four, H5P_DEFAULT, text, "abcd");
    edit_expect(file, NFSAR_ERROR_FORMAT, "/echo/time_s must hold numbers");
    file = edit_capture();
    edit_replace(file, "/array/channel", H5T_IEEE_F32LE, 2, two, H5P_DEFAULT, H5T_NATIVE_DOUBLE,
                 numbers);
    edit_expect(file, NFSAR_ERROR_FORMAT, "/array/channel must hold whole numbers");
    file = edit_capture();
    edit_replace(file, "/echo/data", H5T_IEEE_F32LE, 3, cube, H5P_DEFAULT, H5T_NATIVE_DOUBLE,
                 numbers);
    edit_expect(file, NFSAR_ERROR_FORMAT,
                "/echo/data must hold complex numbers: a compound of two floats r and i");
    const hid_t wrong[] = {edit_complex_type("re", "im", H5T_IEEE_F32LE),
                           edit_complex_type("i", "r", H5T_IEEE_F32LE),
                           edit_complex_type("r", "i", H5T_STD_I32LE)};
    for (int i = 0; i < 3; i++) {
        file = edit_capture();
        edit_replace(file, "/echo/data", wrong[i], 3, cube, H5P_DEFAULT, wrong[i], numbers);
        edit_expect(file, NFSAR_ERROR_FORMAT, "/echo/data must hold complex numbers");
        H5Tclose(wrong[i]);
    }
    /* A float whose bits lie where no computer has them: HDF5 would convert it. */
    hid_t odd = H5Tcopy(H5T_IEEE_F64LE);
    H5Tset_fields(odd, 63, 40, 12, 0, 40);
    file = edit_capture();
    edit_replace(file, "/echo/time_s", odd, 1, four, H5P_DEFAULT, odd, numbers);
    edit_expect(file, NFSAR_ERROR_FORMAT, "/echo/time_s must hold numbers");
    H5Tclose(odd);
    H5Tset_size(text, H5T_VARIABLE);
    const char *lines[] = {"one", "two", "three", "four"};
    file = edit_capture();
    edit_replace(file, "/provenance", text, 1, four, H5P_DEFAULT, text, lines);
    edit_expect(file, NFSAR_ERROR_FORMAT, "/provenance is text of variable length");
    H5Tclose(text);
}

static void test_values(void **state) {
    (void)state;
    static const struct {
        const char *name;
        hsize_t n, width;
        double value[12];
        const char *message;
    } cases[] = {
        {"/pose/position_m", 4, 3, {0, 0, 0, 0, NAN}, "position of pose 1 is not a finite number"},
        {"/truth/position_m", 4, 3, {[11] = INFINITY}, "/truth: the position of pose 3"},
        {"/pose/time_s", 4, 0, {0, 1, 0.5, 2}, "/pose/time_s[2] = 0.5 is before its predecessor"},
        {"/echo/time_s", 4, 0, {0, 1, NAN, 2}, "/echo/time_s[2] is not a finite number"},
        {"/echo/time_s", 4, 0, {3, 2, 1, 0}, "/echo/time_s[1] = 2 is before its predecessor"},
        {"/radar/frequency_hz", 3, 0, {77e9, 0, 78e9}, "/radar/frequency_hz[1] = 0"},
        {"/radar/frequency_hz", 3, 0, {77e9, 77e9, NAN}, "/radar/frequency_hz[2] = nan"},
        {"/array/tx_m", 2, 3, {0, 0, 0, NAN}, "/array/tx_m: antenna 1 is not finite"},
        {"/array/channel_time_s", 6, 0, {-INFINITY}, "/array/channel_time_s[0] is not finite"},
        {"/calibration/channel_delay_s", 6, 0, {0, NAN}, "/calibration/channel_delay_s[1]"},
        {"/calibration/channel_delay_s", 6, 0, {0, 0, 1e300}, "channel_delay_s[2] is 1e+300 s"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hid_t file = edit_capture();
        edit_numbers(file, cases[i].name, cases[i].n, cases[i].width, cases[i].value);
        edit_expect(file, NFSAR_ERROR_FORMAT, cases[i].message);
    }
    double turns[16] = {1, 0, 0, 0, 1, 0, 0, 0, 0.5, 0, 0, 0, 1, 0, 0, 0};
    hid_t file = edit_capture();
    edit_numbers(file, "/pose/orientation", 4, 4, turns);
    edit_expect(file, NFSAR_ERROR_FORMAT, "/pose/orientation[2] has length 0.5");
    turns[8] = NAN;
    file = edit_capture();
    edit_numbers(file, "/pose/orientation", 4, 4, turns);
    edit_expect(file, NFSAR_ERROR_FORMAT, "/pose/orientation[2] has length nan");
    const int64_t channel[12] = {0, 0, 0, 1, 0, 2, 1, 0, 1, 1, 1, INT64_C(1) << 40};
    const hsize_t pairs[] = {6, 2};
    file = edit_capture();
    edit_replace(file, "/array/channel", H5T_STD_I64LE, 2, pairs, H5P_DEFAULT, H5T_NATIVE_INT64,
                 channel);
    edit_expect(file, NFSAR_ERROR_FORMAT, "/array/channel[5] = (1, 2147483647)");
}

/* Samples are looked at when they are read, not when the file is opened. */
static void test_samples(void **state) {
    (void)state;
    nfsar_error error;
    float complex echo[PULSES * CHANNELS * SAMPLES] = {0};
    echo[(2 * CHANNELS + 4) * SAMPLES + 1] = NAN;
    const hsize_t cube[] = {PULSES, CHANNELS, SAMPLES};
    hid_t type = edit_complex_type("r", "i", H5T_NATIVE_FLOAT);
    hid_t file = edit_capture();
    edit_replace(file, "/echo/data", type, 3, cube, H5P_DEFAULT, type, echo);
    edit_expect(file, NFSAR_ERROR_FORMAT, "/echo/data[2, 4, 1] is not a finite number");
    nfsar_capture_file *opened = NULL;
    assert_ok(nfsar_capture_file_open(test_path("edit.h5"), &opened, &error), error);
    assert_ok(nfsar_capture_file_read(opened, 0, 2, 0, SAMPLES, echo, &error), error);
    assert_int_equal(nfsar_capture_file_read(opened, 1, 3, 1, 1, echo, &error), NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "/echo/data[2, 4, 1]");
    nfsar_capture_file_close(opened);
    H5Tclose(type);
    /* Too large for single precision. */
    type = edit_complex_type("r", "i", H5T_NATIVE_DOUBLE);
    double complex wide[PULSES * CHANNELS * SAMPLES] = {1e300};
    file = edit_capture();
    edit_replace(file, "/echo/data", type, 3, cube, H5P_DEFAULT, type, wide);
    edit_expect(file, NFSAR_ERROR_FORMAT, "/echo/data[0, 0, 0] is not a finite number");
    H5Tclose(type);
}

/* Sizes are judged before memory is asked for. */
static void test_absurd(void **state) {
    (void)state;
    const hsize_t line[] = {HSIZE_UNDEF / 32}, chunk[] = {1024};
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(list, 1, chunk);
    hid_t file = edit_capture();
    edit_replace(file, "/radar/frequency_hz", H5T_IEEE_F64LE, 1, line, list, 0, NULL);
    edit_expect(file, NFSAR_ERROR_FORMAT, "more than a file of");
    const hsize_t cube[] = {1 << 20, CHANNELS, SAMPLES}, grain[] = {1, 1, 1};
    hid_t type = edit_complex_type("r", "i", H5T_NATIVE_FLOAT);
    file = edit_capture();
    edit_replace(file, "/echo/data", type, 3, cube, H5P_DEFAULT, 0, NULL);
    edit_expect(file, NFSAR_ERROR_FORMAT, "/echo/data claims [1048576 x 6 x 3] entries, more than");
    const hsize_t many[] = {1 << 16, CHANNELS, SAMPLES};
    H5Pset_chunk(list, 3, grain);
    file = edit_capture();
    edit_replace(file, "/echo/data", type, 3, many, list, 0, NULL);
    edit_expect(file, NFSAR_ERROR_FORMAT, "/echo/data has more chunks than the file can hold");
    H5Pclose(list);
    H5Tclose(type);
}

static void test_unwritten(void **state) {
    (void)state;
    const hsize_t cube[] = {PULSES, CHANNELS, SAMPLES}, part[] = {2, CHANNELS, SAMPLES};
    hid_t list = H5Pcreate(H5P_DATASET_CREATE),
          type = edit_complex_type("r", "i", H5T_NATIVE_FLOAT);
    hid_t file = edit_capture();
    edit_replace(file, "/echo/data", type, 3, cube, list, 0, NULL);
    edit_expect(file, NFSAR_ERROR_FORMAT, "/echo/data is incomplete");
    H5Pset_chunk(list, 3, part);
    file = edit_capture();
    edit_replace(file, "/echo/data", type, 3, cube, list, 0, NULL);
    edit_expect(file, NFSAR_ERROR_FORMAT, "/echo/data is incomplete");
    H5Pclose(list);
    H5Tclose(type);
}

/* A capture leads to no other file. */
static void test_elsewhere(void **state) {
    (void)state;
    const hsize_t four[] = {4};
    hid_t file = edit_capture();
    edit_delete(file, "/echo/time_s");
    H5Lcreate_external("other.h5", "/echo/time_s", file, "/echo/time_s", H5P_DEFAULT, H5P_DEFAULT);
    edit_expect(file, NFSAR_ERROR_FORMAT, "/echo/time_s is not a dataset that can be read");
    file = edit_capture();
    edit_delete(file, "/echo");
    H5Lcreate_external("other.h5", "/echo", file, "/echo", H5P_DEFAULT, H5P_DEFAULT);
    edit_expect(file, NFSAR_ERROR_FORMAT, "edit.h5: /echo/data");
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(list, "/etc/hostname", 0, 32);
    file = edit_capture();
    edit_replace(file, "/echo/time_s", H5T_IEEE_F64LE, 1, four, list, 0, NULL);
    edit_expect(file, NFSAR_ERROR_FORMAT, "/echo/time_s keeps its data in another file");
    H5Pclose(list);
    list = H5Pcreate(H5P_DATASET_CREATE);
    hid_t space = H5Screate_simple(1, four, NULL);
    H5Pset_virtual(list, space, "other.h5", "/x", space);
    file = edit_capture();
    edit_replace(file, "/echo/time_s", H5T_IEEE_F64LE, 1, four, list, 0, NULL);
    edit_expect(file, NFSAR_ERROR_FORMAT, "/echo/time_s is a virtual dataset");
    H5Sclose(space);
    H5Pclose(list);
    file = edit_capture();
    edit_delete(file, "/echo/time_s");
    H5Lcreate_soft("/echo/time_s", file, "/echo/time_s", H5P_DEFAULT, H5P_DEFAULT);
    edit_expect(file, NFSAR_ERROR_FORMAT, "/echo/time_s is not a dataset that can be read");
}

static void test_pose_count(void **state) {
    (void)state;
    static const double positions[9] = {0};
    hid_t file = edit_capture();
    edit_numbers(file, "/pose/position_m", 3, 3, positions);
    edit_delete(file, "/pose/orientation");
    edit_delete(file, "/pose/time_s");
    edit_delete(file, "/truth");
    edit_expect(file, NFSAR_ERROR_FORMAT,
                "there are 3 poses for 4 pulses, so /pose/time_s has to say");
}

int main(void) {
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_capture), cmocka_unit_test(test_format),
        cmocka_unit_test(test_missing),    cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_types),      cmocka_unit_test(test_values),
        cmocka_unit_test(test_samples),    cmocka_unit_test(test_absurd),
        cmocka_unit_test(test_unwritten),  cmocka_unit_test(test_elsewhere),
        cmocka_unit_test(test_pose_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
