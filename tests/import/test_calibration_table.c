/* MATLAB tables, written here by matio, mean what the programs they come from do with them. */
#include "tests/support.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <matio.h>
#include <nfsar/calibration_table.h>
#include <nfsar/geometry.h>

enum { TX = 2, RX = 4, PAIRS = TX * RX, SAMPLES = 5 };

static void make_capture(nfsar_capture *capture) {
    nfsar_error error;
    nfsar_array array;
    assert_ok(nfsar_array_create(TX, RX, &array, &error), error);
    assert_ok(nfsar_capture_create(1, SAMPLES, &array, false, capture, &error), error);
    for (size_t n = 0; n < SAMPLES; n++) {
        capture->frequency_hz[n] = 77e9 + 1e9 * (double)n;
    }
    /* An order of the channels that is not the table's. */
    nfsar_channel first = capture->array.channel[0];
    capture->array.channel[0] = capture->array.channel[6];
    capture->array.channel[6] = first;
}

static void write_version(const char *name, enum mat_ft version, enum matio_compression packing,
                          const char *variable, int rank, const size_t *dims, double *re,
                          double *im) {
    size_t shape[4];
    memcpy(shape, dims, (size_t)rank * sizeof *shape);
    mat_t *mat = Mat_CreateVer(test_path(name), NULL, version);
    assert_non_null(mat);
    mat_complex_split_t both = {re, im};
    matvar_t *v =
        Mat_VarCreate(variable, MAT_C_DOUBLE, MAT_T_DOUBLE, rank, shape,
                      im != NULL ? (void *)&both : (void *)re, im != NULL ? MAT_F_COMPLEX : 0);
    assert_non_null(v);
    assert_int_equal(Mat_VarWrite(mat, v, packing), 0);
    Mat_VarFree(v);
    Mat_Close(mat);
}

static void write_table(const char *name, const char *variable, int rank, const size_t *dims,
                        double *re, double *im) {
    write_version(name, MAT_FT_MAT5, MAT_COMPRESSION_NONE, variable, rank, dims, re, im);
}

static void release(nfsar_calibration *table) {
    free(table->channel_gain);
    free(table->channel_delay_s);
    free(table->background);
}

static enum nfsar_status read_two(const nfsar_capture *capture, const char *a, const char *b,
                                  nfsar_calibration *table, nfsar_error *error) {
    char first[4096];
    snprintf(first, sizeof first, "%s", test_path(a));
    const char *path[2] = {first, b != NULL ? test_path(b) : NULL};
    return nfsar_calibration_table(path, b != NULL ? 2 : 1, capture, table, error);
}

/* What is left of a sample by /calibration, and by calData raw exp(-j 2 pi delay n K / fS). */
static void yaniks_tables(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_calibration table;
    nfsar_error error;
    double re[PAIRS], im[PAIRS], delay[PAIRS];
    make_capture(&capture);
    for (int i = 0; i < PAIRS; i++) {
        re[i] = 1.0 + 0.3 * i;
        im[i] = -2.0 + 0.1 * i;
        delay[i] = 4.5e-10 + 1e-11 * i;
    }
    write_table("cal.mat", "calData", 2, (size_t[]){PAIRS, 1}, re, im);
    write_table("delay.mat", "delayOffset", 2, (size_t[]){PAIRS, 1}, delay, NULL);
    assert_ok(read_two(&capture, "cal.mat", "delay.mat", &table, &error), error);
    assert_null(table.background);
    for (size_t c = 0; c < PAIRS; c++) {
        size_t pair = (size_t)(capture.array.channel[c].tx * RX + capture.array.channel[c].rx);
        for (size_t n = 0; n < SAMPLES; n++) {
            double complex theirs = (re[pair] + I * im[pair]) *
                                    cexp(-2.0 * NFSAR_PI * I * delay[pair] * 1e9 * (double)n);
            double complex ours =
                cexp(-2.0 * NFSAR_PI * I * capture.frequency_hz[n] * table.channel_delay_s[c]) /
                (double complex)table.channel_gain[c];
            assert_near(cabs(ours - theirs), 0.0, 1e-5);
        }
    }
    release(&table);
    /* The same delays as ranges: 4.5e-10 s are 67.453 mm. */
    double range[PAIRS];
    for (int i = 0; i < PAIRS; i++) {
        range[i] = 67.45330306 + 1.49896229 * i;
    }
    write_table("range.mat", "rangeOffset_mm", 2, (size_t[]){1, PAIRS}, range, NULL);
    assert_ok(read_two(&capture, "range.mat", "delay.mat", &table, &error), error);
    assert_near(table.channel_delay_s[0], 4.5e-10 + 6e-11, 1e-18);
    release(&table);
    range[5] += 1.0;
    write_table("range.mat", "rangeOffset_mm", 2, (size_t[]){1, PAIRS}, range, NULL);
    assert_int_equal(read_two(&capture, "range.mat", "delay.mat", &table, &error),
                     NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "channel 5 differ by -6.67 ps");
    nfsar_capture_free(&capture);
}

/* (raw - empty) calData exp(+j 2 k zBias). */
static void smiths_tables(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_calibration table;
    nfsar_error error;
    double re[PAIRS * SAMPLES], im[PAIRS * SAMPLES], bias = -0.0831482;
    make_capture(&capture);
    for (int i = 0; i < PAIRS * SAMPLES; i++) {
        re[i] = i + 1.0;
        im[i] = -0.5 * i;
    }
    write_table("cal.mat", "calData", 2, (size_t[]){RX, TX}, re, im);
    write_table("bias.mat", "zBias_m", 2, (size_t[]){1, 1}, &bias, NULL);
    assert_ok(read_two(&capture, "cal.mat", "bias.mat", &table, &error), error);
    assert_near(table.channel_delay_s[3], 554.705e-12, 1e-15); /* 2 * 83.1482 mm / c */
    /* Channel 0 is the pair of transmitter 1 and receiver 2, the seventh number. */
    assert_near((double)crealf(1.0f / table.channel_gain[0]), 7.0, 1e-5);
    assert_near((double)cimagf(1.0f / table.channel_gain[0]), -3.0, 1e-5);
    release(&table);
    write_table("cal.mat", "calData", 2, (size_t[]){TX, RX}, re, im);
    assert_ok(read_two(&capture, "cal.mat", NULL, &table, &error), error);
    /* Transmitter fastest: 1 + 2 * 2, counted from 0. */
    assert_near((double)crealf(1.0f / table.channel_gain[0]), 6.0, 1e-5);
    assert_null(table.channel_delay_s);
    release(&table);
    write_table("empty.mat", "sarDataEmpty", 3, (size_t[]){RX, TX, SAMPLES}, re, im);
    assert_ok(read_two(&capture, "empty.mat", NULL, &table, &error), error);
    assert_null(table.channel_gain);
    /* Channel 0, sample 3: number 3 * 8 + 6 from 0. */
    assert_near((double)crealf(table.background[3]), 31.0, 0.0);
    assert_near((double)cimagf(table.background[3]), -15.0, 0.0);
    release(&table);
    nfsar_capture_free(&capture);
}

static void refused(const nfsar_capture *capture, const char *name, const char *message) {
    nfsar_calibration table;
    nfsar_error error;
    assert_int_not_equal(read_two(capture, name, NULL, &table, &error), NFSAR_OK);
    assert_contains(error.message, name);
    assert_contains(error.message, message);
    assert_null(table.channel_gain);
    assert_null(table.channel_delay_s);
    assert_null(table.background);
}

static void what_does_not_fit_is_named(void **state) {
    (void)state;
    nfsar_capture capture;
    nfsar_calibration table;
    nfsar_error error;
    double re[64] = {0.0}, im[64];
    make_capture(&capture);
    for (int i = 0; i < 64; i++) {
        re[i] = im[i] = 1.0;
    }
    write_table("a.mat", "calData", 2, (size_t[]){12, 1}, re, im);
    refused(&capture, "a.mat",
            "calData is 12 x 1; a radar of 2 transmitters and 4 receivers needs 8");
    write_table("a.mat", "sarDataEmpty", 3, (size_t[]){RX, TX, 4}, re, im);
    refused(&capture, "a.mat", "sarDataEmpty is 4 x 2 x 4");
    write_table("a.mat", "zBias_m", 2, (size_t[]){2, 1}, re, NULL);
    refused(&capture, "a.mat", "zBias_m is 2 x 1, not one number");
    write_table("a.mat", "delayOffset", 2, (size_t[]){PAIRS, 1}, re, im);
    refused(&capture, "a.mat", "delayOffset is complex");
    write_table("a.mat", "speed", 2, (size_t[]){PAIRS, 1}, re, im);
    refused(&capture, "a.mat", "has none of calData");
    re[2] = im[2] = 0.0;
    write_table("a.mat", "calData", 2, (size_t[]){PAIRS, 1}, re, im);
    refused(&capture, "a.mat", "entry 3 is 0");
    re[2] = NAN;
    write_table("a.mat", "calData", 2, (size_t[]){PAIRS, 1}, re, im);
    refused(&capture, "a.mat", "entry 3 is not a finite number");
    test_write_file("a.mat", "no table", 8);
    refused(&capture, "a.mat", "cannot be opened as a MATLAB file");
    /* Picoseconds in place of seconds. */
    write_table("a.mat", "delayOffset", 2, (size_t[]){PAIRS, 1}, im, NULL);
    im[2] = 450.0;
    assert_int_equal(read_two(&capture, "a.mat", NULL, &table, &error), NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "delayOffset is in seconds");
    nfsar_capture_free(&capture);
}

/* Other versions of MATLAB's files are told how to become version 7. */
static void other_versions_are_named(void **state) {
    (void)state;
    nfsar_capture capture;
    double re[PAIRS], im[PAIRS];
    make_capture(&capture);
    for (int i = 0; i < PAIRS; i++) {
        re[i] = im[i] = 1.0;
    }
    write_version("a.mat", MAT_FT_MAT73, MAT_COMPRESSION_NONE, "calData", 2, (size_t[]){PAIRS, 1},
                  re, im);
    refused(&capture, "a.mat", "save it again with -v7");
    write_version("a.mat", MAT_FT_MAT4, MAT_COMPRESSION_NONE, "calData", 2, (size_t[]){PAIRS, 1},
                  re, im);
    refused(&capture, "a.mat", "save it again with -v7");
    nfsar_capture_free(&capture);
}

/* What is read is numbers, and what is refused leaves nothing behind. */
static bool reads_well(const nfsar_capture *capture, const unsigned char *bytes, size_t size) {
    nfsar_calibration table;
    nfsar_error error;
    test_write_file("hurt.mat", (const char *)bytes, size);
    if (read_two(capture, "hurt.mat", NULL, &table, &error) != NFSAR_OK) {
        assert_contains(error.message, "hurt.mat");
        assert_null(table.channel_gain);
        assert_null(table.channel_delay_s);
        assert_null(table.background);
        return false;
    }
    for (size_t c = 0; table.channel_gain != NULL && c < PAIRS; c++) {
        assert_true(isfinite(crealf(table.channel_gain[c])));
        assert_true(isfinite(cimagf(table.channel_gain[c])));
        assert_true(table.channel_gain[c] != 0.0f);
    }
    for (size_t c = 0; table.channel_delay_s != NULL && c < PAIRS; c++) {
        assert_true(isfinite(table.channel_delay_s[c]));
    }
    release(&table);
    return true;
}

/* A table cut off anywhere, and with any byte changed in several ways. */
static void damaged_files(void **state) {
    (void)state;
    nfsar_capture capture;
    double re[PAIRS], im[PAIRS];
    make_capture(&capture);
    for (int i = 0; i < PAIRS; i++) {
        re[i] = 1.0 + 0.1 * i;
        im[i] = -0.3 * i;
    }
    for (int packed = 0; packed < 2; packed++) {
        write_version("good.mat", MAT_FT_MAT5, packed ? MAT_COMPRESSION_ZLIB : MAT_COMPRESSION_NONE,
                      "calData", 2, (size_t[]){PAIRS, 1}, re, im);
        unsigned char bytes[2048];
        FILE *file = fopen(test_path("good.mat"), "rb");
        assert_non_null(file);
        size_t size = fread(bytes, 1, sizeof bytes, file), good = 0, bad = 0;
        fclose(file);
        assert_in_range(size, 200, sizeof bytes - 1);
        assert_true(reads_well(&capture, bytes, size));
        for (size_t n = 0; n < size; n++) {
            assert_false(reads_well(&capture, bytes, n));
        }
        /* The first 116 bytes are text. */
        static const unsigned char flips[] = {0x01, 0x10, 0x80, 0xff};
        for (size_t n = 116; n < size; n++) {
            for (size_t k = 0; k < sizeof flips; k++) {
                bytes[n] ^= flips[k];
                bool read = reads_well(&capture, bytes, size);
                good += read ? 1 : 0;
                bad += read ? 0 : 1;
                bytes[n] ^= flips[k];
            }
        }
        print_message("%zu changed bytes: %zu read, %zu refused\n", good + bad, good, bad);
        assert_true(bad > 100);
    }
    nfsar_capture_free(&capture);
}

/* Tables of the two programs as they are, where this machine has them: 2 or 3 transmitters and 4
 * receivers. */
static void real_tables(void **state) {
    (void)state;
    const char *folder = test_data_folder();
    char place[4096];
    snprintf(place, sizeof place, "%s/utd_calibration", folder != NULL ? folder : "");
    if (folder == NULL || access(place, R_OK) != 0) {
        print_message("no real recordings (NFSAR_DATA or ../shared/data): skipped\n");
        skip();
    }
    static const struct {
        const char *name, *second;
        size_t n_tx;
        double least_delay, most_delay;
    } tables[] = {
        {"yanik_calData_2Tx_4Rx.mat", "yanik_delayOffset_2Tx_4Rx.mat", 2, 4e-10, 5e-10},
        {"yanik_calData_3Tx_4Rx.mat", "yanik_delayOffset_3Tx_4Rx.mat", 3, 4.13e-10, 4.85e-10},
        {"yanik_calData_3Tx_4Rx_bigPlatform.mat", "yanik_delayOffset_3Tx_4Rx_bigPlatform.mat", 3,
         4e-10, 5.2e-10},
        {"josiah_cal1_0385.mat", NULL, 2, 2.9e-10, 5.6e-10},
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        nfsar_array array;
        nfsar_capture capture;
        nfsar_calibration table;
        nfsar_error error;
        char first[8192], second[8192] = "";
        const char *path[2] = {first, second};
        snprintf(first, sizeof first, "%s/%s", place, tables[i].name);
        if (tables[i].second != NULL) {
            snprintf(second, sizeof second, "%s/%s", place, tables[i].second);
        }
        assert_ok(nfsar_array_create(tables[i].n_tx, 4, &array, &error), error);
        assert_ok(nfsar_capture_create(1, 64, &array, false, &capture, &error), error);
        for (size_t n = 0; n < 64; n++) {
            capture.frequency_hz[n] = 77e9 + 62.5e6 * (double)n;
        }
        assert_ok(nfsar_calibration_table(path, tables[i].second != NULL ? 2 : 1, &capture, &table,
                                          &error),
                  error);
        assert_non_null(table.channel_gain);
        assert_non_null(table.channel_delay_s);
        for (size_t c = 0; c < capture.array.n_channel; c++) {
            assert_in_range((long)(1e15 * table.channel_delay_s[c]),
                            (long)(1e15 * tables[i].least_delay),
                            (long)(1e15 * tables[i].most_delay));
        }
        release(&table);
        nfsar_capture_free(&capture);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(yaniks_tables),
        cmocka_unit_test(smiths_tables),
        cmocka_unit_test(what_does_not_fit_is_named),
        cmocka_unit_test(other_versions_are_named),
        cmocka_unit_test(damaged_files),
        cmocka_unit_test(real_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
