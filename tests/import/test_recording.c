/* Finding recordings, their order, joining of split ones, and sizes that do not fit. */
#include "tests/import/recorder.h"

#include <sys/stat.h>
#include <unistd.h>

#include "host/import/names.h"

static void names_are_in_numeric_order(void **state) {
    (void)state;
    assert_true(names_compare("scan2_Raw_0.bin", "scan10_Raw_0.bin") < 0);
    assert_true(names_compare("scan10_Raw_0.bin", "scan2_Raw_0.bin") > 0);
    assert_true(names_compare("scan2_Raw_9.bin", "scan2_Raw_10.bin") < 0);
    assert_true(names_compare("a9b1", "a10") < 0);
    assert_true(names_compare("a007", "a7") < 0); /* equal numbers: by the characters */
    assert_true(names_compare("a007", "a8") < 0);
    assert_true(names_compare("a", "a1") < 0);
    assert_true(names_compare("x99999999999999999999999", "x100000000000000000000000") < 0);
    assert_int_equal(names_compare("same1", "same1"), 0);
}

static void parts_and_series_are_recognised(void **state) {
    (void)state;
    size_t stem = 0;
    uint64_t part = 0;
    char next[64];
    assert_true(names_is_part("scan3_Raw_12.bin", &stem, &part));
    assert_int_equal(stem, 10);
    assert_int_equal(part, 12);
    assert_false(names_is_part("scan3_Raw_x.bin", &stem, &part));
    assert_false(names_is_part("scan3_12.bin", &stem, &part));
    assert_false(names_is_part("a_Raw_0/b.bin", &stem, &part));
    assert_int_equal(names_step("scan9_Raw_0.bin", "scan12_Raw_0.bin", next, sizeof next), 3);
    assert_string_equal(next, "scan10_Raw_0.bin");
    assert_int_equal(names_step("row08.bin", "row09.bin", next, sizeof next), 1);
    assert_string_equal(next, "row09.bin");
    assert_int_equal(names_step("row1a.bin", "row2b.bin", next, sizeof next), 0);
}

#define SCAN_4 "scan: {positions: 4, step_m: 1e-3, row_step_m: 2e-3}\n"

static void check_first_samples(nfsar_import *import, const unsigned *chirp, size_t n) {
    float complex out[4 * 8];
    nfsar_error error;
    for (size_t i = 0; i < n; i++) {
        assert_ok(nfsar_import_read(import, i, 1, out, &error), error);
        for (unsigned k = 0; k < 32; k++) {
            assert_true(out[k] == sample_of(chirp[i], k / 8, k % 8));
        }
    }
}

static void clear(void) {
    char command[600];
    snprintf(command, sizeof command, "rm -rf '%s'/*", test_folder());
    assert_int_equal(system(command), 0);
}

static void rows_come_in_numeric_order(void **state) {
    (void)state;
    clear();
    write_chirps("scan2.bin", 200, 4, 8);
    write_chirps("scan10.bin", 1000, 4, 8);
    write_chirps("scan1.bin", 100, 4, 8);
    nfsar_import *import = NULL;
    nfsar_error error;
    assert_ok(open_rig("files: {pattern: scan*.bin, holds: row}\n" RADAR_8 ARRAY_1X4 SCAN_4,
                       &import, &error),
              error);
    const unsigned expected[] = {100, 101, 102, 103, 200, 201, 202, 203, 1000, 1001, 1002, 1003};
    assert_int_equal(nfsar_import_header(import)->n_pulse, 12);
    check_first_samples(import, expected, 12);
    float complex out[32];
    assert_int_equal(nfsar_import_read(import, 12, 1, out, &error), NFSAR_ERROR_ARGUMENT);
    nfsar_import_close(import);
    /* A list keeps its own order. */
    assert_ok(
        open_rig("files: {list: [scan10.bin, scan2.bin], holds: row}\n" RADAR_8 ARRAY_1X4 SCAN_4,
                 &import, &error),
        error);
    const unsigned listed[] = {1000, 1001, 1002, 1003, 200};
    check_first_samples(import, listed, 5);
    nfsar_import_close(import);
}

/* A recording of 4 frames of 128 bytes, cut at odd places: inside a chirp, inside a word. */
static void split_recordings_are_joined(void **state) {
    (void)state;
    struct tape tape = {0};
    for (unsigned i = 0; i < 4; i++) {
        put_chirp(&tape, NFSAR_RAW_4LANE, 40 + i, 4, 8, false);
    }
    const size_t cuts[][3] = {{128, 128, 256}, {1, 200, 311}, {127, 1, 384}, {300, 13, 199}};
    for (size_t i = 0; i < 4; i++) {
        clear();
        size_t at = 0;
        for (int part = 0; part < 3; part++) {
            char name[32];
            /* Numbers 9, 10, 11 need numeric order; a recording may have lost its first parts. */
            snprintf(name, sizeof name, "adc_Raw_%d.bin", part + 9);
            test_write_file(name, tape.bytes + at, cuts[i][part]);
            at += cuts[i][part];
        }
        assert_int_equal(at, tape.size);
        nfsar_import *import = NULL;
        nfsar_error error;
        assert_ok(open_rig("files: {pattern: adc_Raw_*.bin}\n" RADAR_8 ARRAY_1X4
                           "scan: {positions: 2, rows: 2, step_m: 1e-3, row_step_m: 1e-3}\n",
                           &import, &error),
                  error);
        const unsigned expected[] = {40, 41, 42, 43};
        check_first_samples(import, expected, 4);
        nfsar_import_close(import);
    }
    tape_free(&tape);
    assert_int_equal(unlink(test_path("adc_Raw_10.bin")), 0);
    assert_refused("files: {pattern: adc_Raw_*.bin}\n" RADAR_8 ARRAY_1X4 SCAN_4,
                   "adc_Raw_9.bin is followed by adc_Raw_11.bin: a part of this recording is "
                   "missing");
}

static void parts_may_also_be_rows(void **state) {
    (void)state;
    clear();
    write_chirps("adc_Raw_0.bin", 10, 4, 8);
    write_chirps("adc_Raw_1.bin", 20, 4, 8);
    nfsar_import *import = NULL;
    nfsar_error error;
    assert_ok(
        open_rig(
            "files: {pattern: adc_Raw_*.bin, holds: row, joined: false}\n" RADAR_8 ARRAY_1X4 SCAN_4,
            &import, &error),
        error);
    const unsigned expected[] = {10, 11, 12, 13, 20, 21, 22, 23};
    check_first_samples(import, expected, 8);
    nfsar_import_close(import);
}

static void headers_and_unused_frames_are_skipped(void **state) {
    (void)state;
    clear();
    /* 7 bytes, then 1 leading frame, then 2 rows of 5 frames: 2 skipped, 2 used, 1 left over. */
    struct tape tape = {0};
    tape.bytes = calloc(7, 1);
    tape.size = 7;
    for (unsigned i = 0; i < 11; i++) {
        put_chirp(&tape, NFSAR_RAW_4LANE, i, 4, 8, false);
    }
    test_write_file("all.bin", tape.bytes, tape.size);
    nfsar_import *import = NULL;
    nfsar_error error;
#define SKIPS                                                                                      \
    RADAR_8 ARRAY_1X4 "frames: {lead: 1, skip: 2, per_row: 5}\n"                                   \
                      "scan: {positions: 2, rows: 2, step_m: 1e-3, row_step_m: 1e-3}\n"
    assert_ok(open_rig("files: {list: [all.bin], header_bytes: 7}\n" SKIPS, &import, &error),
              error);
    const unsigned expected[] = {3, 4, 8, 9};
    check_first_samples(import, expected, 4);
    /* The frame clock goes on through what is left out. */
    const nfsar_capture *capture = nfsar_import_header(import);
    for (size_t i = 0; i < 4; i++) {
        assert_near(capture->time_s[i], 0.010 * expected[i], 1e-12);
    }
    nfsar_import_close(import);
    /* Something behind the end. */
    tape_word(&tape, 1);
    test_write_file("all.bin", tape.bytes, tape.size);
    assert_refused("files: {list: [all.bin], header_bytes: 7}\n" SKIPS,
                   "all.bin holds 1417 bytes, but 2 rows x 5 frames x 1 chirp x 4 Rx x 8 samples x "
                   "4 bytes + 1 leading frames x 128 bytes + 7 bytes of header = 1415");
    assert_ok(open_rig("files: {list: [all.bin], header_bytes: 7, ignore_rest: true}\n" SKIPS,
                       &import, &error),
              error);
    check_first_samples(import, expected, 4);
    nfsar_import_close(import);
    tape_free(&tape);
}

static void counts_are_found_from_the_size(void **state) {
    (void)state;
    clear();
    write_chirps("all.bin", 0, 12, 8);
    nfsar_import *import = NULL;
    nfsar_error error;
    assert_ok(open_rig("files: {list: [all.bin]}\n" RADAR_8 ARRAY_1X4
                       "scan: {rows: 3, step_m: 1e-3, row_step_m: 1e-3}\n",
                       &import, &error),
              error);
    assert_int_equal(nfsar_import_header(import)->n_pulse, 12);
    nfsar_import_close(import);
    assert_ok(open_rig("files: {list: [all.bin]}\n" RADAR_8 ARRAY_1X4
                       "scan: {positions: 4, step_m: 1e-3, row_step_m: 1e-3}\n",
                       &import, &error),
              error);
    assert_int_equal(nfsar_import_header(import)->n_pulse, 12);
    nfsar_import_close(import);
    assert_ok(open_rig("files: {list: [all.bin]}\n" RADAR_8 ARRAY_1X4, &import, &error), error);
    assert_int_equal(nfsar_import_header(import)->n_pulse, 12);
    nfsar_import_close(import);
    assert_refused("files: {list: [all.bin]}\n" RADAR_8 ARRAY_1X4 "scan: {rows: 5, step_m: 1}\n",
                   "holds 12 frames, which do not divide into 5 rows");
    assert_refused("files: {list: [all.bin]}\n" RADAR_8 ARRAY_1X4 "scan: {step_m: 1}\n",
                   "give positions or rows");
}

static void wrong_sizes_are_refused_with_the_arithmetic(void **state) {
    (void)state;
    clear();
    write_chirps("scan1.bin", 0, 4, 8);
    write_chirps("scan2.bin", 0, 3, 8);
    const char *rig = "files: {pattern: scan*.bin, holds: row}\n" RADAR_8 ARRAY_1X4 SCAN_4;
    assert_refused(rig, "scan2.bin holds 384 bytes, but 4 frames x 1 chirp x 4 Rx x 8 samples x 4 "
                        "bytes = 512; it holds 3 whole frames, 1 too few");
    write_chirps("scan2.bin", 0, 5, 8);
    assert_refused(rig, "it holds 5 whole frames, 1 more");
    /* 7 samples in place of 8. */
    struct tape tape = {0};
    for (unsigned i = 0; i < 4; i++) {
        put_chirp(&tape, NFSAR_RAW_4LANE, 0, 4, 7, false);
    }
    test_write_file("scan2.bin", tape.bytes, tape.size);
    assert_refused(rig, "it would fit radar.samples: 7");
    test_write_file("scan2.bin", tape.bytes, 511 - 120);
    assert_refused(rig, "it holds 3 whole frames and 7 bytes of another of 128");
    test_write_file("scan2.bin", tape.bytes, 0);
    assert_refused(rig, "scan2.bin: is empty");
    tape_free(&tape);
    /* 4 samples for 3 receivers of a 2-lane device, where 2 are described. */
    write_chirps("scan2.bin", 0, 3, 4);
    test_write_file("two.bin", "", 0);
    struct tape two = {0};
    put_chirp(&two, NFSAR_RAW_2LANE, 0, 3, 4, false);
    test_write_file("two.bin", two.bytes, two.size);
    tape_free(&two);
    assert_refused("files: {list: [two.bin]}\nlayout: 2-lane\n"
                   "radar: {start_frequency_hz: 77e9, slope_hz_per_s: 70e12, sample_rate_hz: 5e6, "
                   "samples: 4}\narray: {tx_m: [[0, 0, 0]], rx_m: [[0, 0, 0], [0, 1, 0]]}\n"
                   "scan: {positions: 1, rows: 1}\n",
                   "two.bin holds 48 bytes, but 1 frame x 1 chirp x 2 Rx x 4 samples x 4 bytes = "
                   "32; it would fit 3 Rx (array.rx)");
}

static void missing_rows_are_named(void **state) {
    (void)state;
    clear();
    for (unsigned i = 1; i <= 6; i++) {
        char name[32];
        snprintf(name, sizeof name, "scan%u.bin", i);
        if (i != 4) {
            write_chirps(name, i, 4, 8);
        }
    }
    assert_refused("files: {pattern: scan*.bin, holds: row}\n" RADAR_8 ARRAY_1X4
                   "scan: {positions: 4, rows: 6, step_m: 1e-3, row_step_m: 2e-3}\n",
                   "scan.rows: 6, but there are 5 recordings of one row each; there is no "
                   "scan4.bin");
    nfsar_import *import = NULL;
    nfsar_error error;
    assert_ok(open_rig("files: {pattern: scan*.bin, holds: row}\n" RADAR_8 ARRAY_1X4 SCAN_4,
                       &import, &error),
              error);
    size_t n = 0;
    const char *const *warning = nfsar_import_warnings(import, &n);
    assert_int_equal(n, 1);
    assert_contains(warning[0], "there is no scan4.bin");
    nfsar_import_close(import);
    assert_refused("files: {pattern: scan*.bin}\n" RADAR_8 ARRAY_1X4 SCAN_4,
                   "5 recordings (scan1.bin, scan2.bin ...), but files.holds is scan");
}

/* n recordings of these numbers as rows: is the hole in the numbering told? */
static void check_gap(const unsigned *number, size_t n, const char *missing) {
    clear();
    for (size_t i = 0; i < n; i++) {
        char name[32];
        snprintf(name, sizeof name, "scan%u_Raw_0.bin", number[i]);
        write_chirps(name, 10, 4, 8);
    }
    char text[1024];
    snprintf(text, sizeof text,
             "files: {pattern: scan*_Raw_*.bin, holds: row}\n" RADAR_8 ARRAY_1X4
             "scan: {positions: 4, rows: %zu, step_m: 1e-3, row_step_m: 1e-3}\n",
             n);
    nfsar_import *import = NULL;
    nfsar_error error;
    size_t warnings = 0;
    assert_ok(open_rig(text, &import, &error), error);
    const char *const *warning = nfsar_import_warnings(import, &warnings);
    assert_int_equal(warnings, missing != NULL);
    if (missing != NULL) {
        assert_contains(warning[0], missing);
    }
    nfsar_import_close(import);
}

/* 8 loops of a chirp of 128 bytes where 16 are described; and frames of which the last is cut. */
static void a_near_description_is_named(void **state) {
    (void)state;
    clear();
    write_chirps("a.bin", 0, 8, 8);
    assert_refused(
        "files: {list: [a.bin]}\n" RADAR_8 ARRAY_1X4 "frames: {loops: 16}\n",
        "1024 bytes, which is not a whole number of frames of 1 Tx x 16 loops x 4 Rx x 8 "
        "samples x 4 bytes = 2048 bytes; it would fit frames.loops: 8");
    assert_int_equal(truncate(test_path("a.bin"), 1000), 0);
    assert_refused(
        "files: {list: [a.bin]}\n" RADAR_8 ARRAY_1X4 SCAN_4,
        "not a whole number of frames of 1 Tx x 1 loop x 4 Rx x 8 samples x 4 bytes = 128 "
        "bytes; 7 frames are whole: files.ignore_rest: true leaves out the 104 bytes");
    assert_refused("files: {list: [a.bin]}\n" RADAR_8 ARRAY_1X4
                   "scan: {positions: 4, rows: 2, step_m: 1e-3, row_step_m: 1e-3}\n",
                   "it holds 7 whole frames and 104 bytes of another of 128: if it was cut short, "
                   "lower scan.positions or scan.rows to what is whole and say files.ignore_rest");
    nfsar_import *import = NULL;
    nfsar_error error;
    assert_ok(open_rig("files: {list: [a.bin], ignore_rest: true}\n" RADAR_8 ARRAY_1X4
                       "scan: {rows: 1, step_m: 1e-3}\n",
                       &import, &error),
              error);
    assert_int_equal(nfsar_import_header(import)->n_pulse, 7);
    nfsar_import_close(import);
}

static void small_gaps_are_noticed(void **state) {
    (void)state;
    check_gap((const unsigned[]){1, 2, 4}, 3, "there is no scan3_Raw_0.bin");
    check_gap((const unsigned[]){1, 3}, 2, "there is no scan2_Raw_0.bin");
    check_gap((const unsigned[]){1, 3, 4}, 3, "there is no scan2_Raw_0.bin");
    check_gap((const unsigned[]){9, 10, 12, 14}, 4, "there is no scan11_Raw_0.bin");
    check_gap((const unsigned[]){1, 2, 3}, 3, NULL);
    /* By the dozen, by the clock. */
    check_gap((const unsigned[]){10, 20, 30}, 3, NULL);
    check_gap((const unsigned[]){10, 20}, 2, NULL);
    check_gap((const unsigned[]){120105, 120233, 120518}, 3, NULL);
}

static void unreadable_recordings_are_refused(void **state) {
    (void)state;
    clear();
    assert_refused("files: {pattern: nothing*.bin}\n" RADAR_8 ARRAY_1X4 SCAN_4,
                   "no file is called nothing*.bin");
    assert_refused("files: {list: [nothing.bin]}\n" RADAR_8 ARRAY_1X4 SCAN_4,
                   "nothing.bin: No such file");
    assert_int_equal(mkdir(test_path("folder.bin"), 0700), 0);
    assert_refused("files: {list: [folder.bin]}\n" RADAR_8 ARRAY_1X4 SCAN_4, "is a folder");
    write_chirps("scan1.bin", 0, 4, 8);
    assert_refused("files: {list: [scan1.bin, scan1.bin], holds: row}\n" RADAR_8 ARRAY_1X4 SCAN_4,
                   "is there twice");
    nfsar_import *import = NULL;
    nfsar_error error = {0};
    assert_int_equal(nfsar_import_open(test_path("no.yaml"), NULL, &import, &error),
                     NFSAR_ERROR_FILE);
    assert_contains(error.message, "no.yaml: No such file");
}

static void a_recording_that_shrinks_is_noticed(void **state) {
    (void)state;
    clear();
    write_chirps("scan1.bin", 0, 4, 8);
    nfsar_import *import = NULL;
    nfsar_error error;
    assert_ok(open_rig("files: {list: [scan1.bin]}\n" RADAR_8 ARRAY_1X4
                       "scan: {positions: 4, rows: 1, step_m: 1e-3}\n",
                       &import, &error),
              error);
    assert_int_equal(truncate(test_path("scan1.bin"), 300), 0);
    assert_int_equal(nfsar_import_run(import, test_path("out.h5"), NULL, &error), NFSAR_ERROR_FILE);
    assert_contains(error.message, "became shorter");
    assert_int_equal(test_count_files("out"), 0);
    nfsar_import_close(import);
}

static void folders_may_count_too(void **state) {
    (void)state;
    clear();
    assert_int_equal(mkdir(test_path("a[1]"), 0700), 0);
    assert_int_equal(mkdir(test_path("a[1]/row2"), 0700), 0);
    assert_int_equal(mkdir(test_path("a[1]/row10"), 0700), 0);
    write_chirps("a[1]/row10/adc_Raw_0.bin", 50, 4, 8);
    write_chirps("a[1]/row2/adc_Raw_0.bin", 30, 4, 8);
    const char *rig = "files: {pattern: row*/adc_Raw_*.bin, holds: row}\n" RADAR_8 ARRAY_1X4 SCAN_4;
    test_write_file("rig.yaml", rig, strlen(rig));
    nfsar_import *import = NULL;
    nfsar_error error;
    assert_ok(nfsar_import_open(test_path("rig.yaml"), test_path("a[1]"), &import, &error), error);
    const unsigned expected[] = {30, 31, 32, 33, 50, 51, 52, 53};
    check_first_samples(import, expected, 8);
    nfsar_import_close(import);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_in_numeric_order),
        cmocka_unit_test(parts_and_series_are_recognised),
        cmocka_unit_test(rows_come_in_numeric_order),
        cmocka_unit_test(split_recordings_are_joined),
        cmocka_unit_test(parts_may_also_be_rows),
        cmocka_unit_test(headers_and_unused_frames_are_skipped),
        cmocka_unit_test(counts_are_found_from_the_size),
        cmocka_unit_test(wrong_sizes_are_refused_with_the_arithmetic),
        cmocka_unit_test(missing_rows_are_named),
        cmocka_unit_test(a_near_description_is_named),
        cmocka_unit_test(small_gaps_are_noticed),
        cmocka_unit_test(unreadable_recordings_are_refused),
        cmocka_unit_test(a_recording_that_shrinks_is_noticed),
        cmocka_unit_test(folders_may_count_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
