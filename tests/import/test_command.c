/* `nfsar import` as a user meets it. */
#include "tests/import/recorder.h"

#include <jansson.h>
#include <nfsar/file.h>
#include <sys/stat.h>
#include <unistd.h>

static char output[8192];

static const char rig[] = "files: {pattern: scan*.bin, holds: row}\n" RADAR_8 ARRAY_1X4
                          "scan: {positions: 4, step_m: 1e-3, row_step_m: 2e-3}\n";

static void prepare(void) {
    char command[600];
    snprintf(command, sizeof command, "rm -rf '%s'/*", test_folder());
    assert_int_equal(system(command), 0);
    assert_int_equal(chdir(test_folder()), 0);
    write_chirps("scan1.bin", 100, 4, 8);
    write_chirps("scan2.bin", 200, 4, 8);
    test_write_file("rig.yaml", rig, strlen(rig));
}

static void a_capture_is_made(void **state) {
    (void)state;
    prepare();
    assert_int_equal(test_command(output, sizeof output, "import rig.yaml -o out.h5"), 0);
    assert_contains(output, "out.h5: 8 pulses x 4 channels x 8 samples");
    nfsar_capture capture;
    nfsar_error error;
    assert_ok(nfsar_capture_load("out.h5", &capture, &error), error);
    assert_true(capture.echo[7 * 32 + 9] == sample_of(203, 1, 1));
    assert_true(capture.has_fmcw);
    nfsar_capture_free(&capture);
    assert_int_equal(test_command(output, sizeof output, "import rig.yaml -q -o out.h5"), 0);
    assert_string_equal(output, "");
}

static void explain_writes_a_picture_and_no_capture(void **state) {
    (void)state;
    prepare();
    assert_int_equal(test_command(output, sizeof output, "import rig.yaml --explain"), 0);
    assert_contains(output, "2 recordings, each a row: scan1.bin scan2.bin");
    assert_contains(output, "4 frames x 1 chirp x 4 Rx x 8 samples x 4 bytes = 512 bytes");
    assert_contains(output, "warning     no echo stands out");
    assert_contains(output, "picture     rig-profile.png");
    assert_int_equal(test_count_files("rig-profile.png"), 1);
    assert_int_equal(test_count_files(".h5"), 0);
    assert_int_equal(
        test_command(output, sizeof output, "import rig.yaml --explain --picture p.png -o a.h5"),
        0);
    assert_int_equal(test_count_files("p.png"), 1);
    assert_int_equal(test_count_files("a.h5"), 1);
}

static void a_picture_that_nobody_named_harms_no_file(void **state) {
    (void)state;
    prepare();
    assert_int_equal(test_command(output, sizeof output, "import rig.yaml --explain -o a.h5"), 0);
    assert_int_equal(test_count_files(".png"), 0);
    test_write_file("rig-profile.png", "mine", 4);
    assert_int_equal(test_command(output, sizeof output, "import rig.yaml --explain"), 0);
    assert_contains(output, "picture     none: rig-profile.png is there already; --picture PNG");
    struct stat info;
    assert_int_equal(stat("rig-profile.png", &info), 0);
    assert_int_equal(info.st_size, 4);
    /* Named, it is still no PNG that a picture may replace. */
    assert_int_equal(
        test_command(output, sizeof output, "import rig.yaml --picture rig-profile.png"), 2);
    assert_int_equal(stat("rig-profile.png", &info), 0);
    assert_int_equal(info.st_size, 4);
    assert_int_equal(unlink("rig-profile.png"), 0);
    assert_int_equal(
        test_command(output, sizeof output, "import rig.yaml --picture rig-profile.png"), 0);
    assert_int_equal(stat("rig-profile.png", &info), 0);
    assert_true(info.st_size > 1000);
}

static void json_is_one_object(void **state) {
    (void)state;
    prepare();
    assert_int_equal(test_command(output, sizeof output, "import rig.yaml --json -q -o out.h5"), 0);
    json_t *object = json_loads(output, 0, NULL);
    assert_non_null(object);
    assert_int_equal(json_integer_value(json_object_get(object, "pulses")), 8);
    assert_int_equal(json_integer_value(json_object_get(object, "channels")), 4);
    assert_int_equal(json_integer_value(json_object_get(object, "samples")), 8);
    json_t *files = json_object_get(object, "files");
    assert_int_equal(json_array_size(files), 2);
    assert_string_equal(json_string_value(json_array_get(files, 1)), "scan2.bin");
    json_t *band = json_object_get(object, "band");
    assert_near(json_real_value(json_object_get(band, "low_hz")), 77e9, 1.0);
    /* 7 steps of 70e12 / 5e6 Hz = 14 MHz. */
    assert_near(json_real_value(json_object_get(band, "high_hz")), 77.098e9, 1.0);
    assert_int_equal(json_array_size(json_object_get(object, "warnings")), 1);
    assert_string_equal(json_string_value(json_object_get(object, "output")), "out.h5");
    json_decref(object);
    assert_int_equal(test_command(output, sizeof output, "import rig.yaml --json"), 2);
}

static void data_may_lie_elsewhere(void **state) {
    (void)state;
    prepare();
    assert_int_equal(mkdir("elsewhere", 0700), 0);
    assert_int_equal(rename("rig.yaml", "elsewhere/rig.yaml"), 0);
    assert_int_equal(test_command(output, sizeof output, "import elsewhere/rig.yaml -o out.h5"), 1);
    assert_contains(output, "no file is called scan*.bin in elsewhere; --data FOLDER says where");
    assert_int_equal(
        test_command(output, sizeof output, "import elsewhere/rig.yaml --data . -o out.h5"), 0);
}

/* One line, the right exit status, nothing left. */
static void assert_fails(int status, const char *part, const char *arguments) {
    int got = test_command(output, sizeof output, "%s", arguments);
    if (got != status) {
        fail_msg("exit %d in place of %d: %s: %s", got, status, arguments, output);
    }
    assert_contains(output, part);
    assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1);
    assert_int_equal(test_count_files("out"), 0);
}

static void mistakes_are_told_in_one_line(void **state) {
    (void)state;
    prepare();
    assert_fails(2, "give -o CAPTURE.h5, or --explain", "import rig.yaml");
    assert_fails(2, "too few arguments", "import -o out.h5");
    assert_fails(2, "no option --explan", "import rig.yaml --explan");
    assert_fails(1, "none.yaml: No such file", "import none.yaml -o out.h5");
    assert_fails(1, "no_folder", "import rig.yaml -o no_folder/out.h5");
    assert_fails(1, "no_folder", "import rig.yaml --picture no_folder/a.png");
    test_write_file("typo.yaml", "files:\n  patern: x\n", 19);
    assert_fails(1, "typo.yaml: line 2: Unexpected key: patern", "import typo.yaml -o out.h5");
    assert_int_equal(truncate("scan2.bin", 511), 0);
    assert_fails(1,
                 "scan2.bin holds 511 bytes, but 4 frames x 1 chirp x 4 Rx x 8 samples x 4 bytes = "
                 "512; it holds 3 whole frames and 127 bytes of another of 128",
                 "import rig.yaml -o out.h5");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_capture_is_made),
        cmocka_unit_test(explain_writes_a_picture_and_no_capture),
        cmocka_unit_test(a_picture_that_nobody_named_harms_no_file),
        cmocka_unit_test(json_is_one_object),
        cmocka_unit_test(data_may_lie_elsewhere),
        cmocka_unit_test(mistakes_are_told_in_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
