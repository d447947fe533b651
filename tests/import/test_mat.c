/* MATLAB arrays of version 5 and 7.3, written by matio; damaged files. */
#include "tests/import/cubes.h"

#include <hdf5.h>
#include <unistd.h>

#include "host/import/cube.h"

/* data(sample, rx, tx, x, y) of 5 x 2 x 2 x 3 x 2, MATLAB's order: sample fastest. */
enum { ROWS = 2, POSITIONS = 3, TX = 2, RX = 2, SAMPLES = 5 };

static float complex fast_samples(size_t i) {
    unsigned k = (unsigned)i;
    return sample_of(k / 20 * TX + k / 10 % TX, k / 5 % RX, k % 5);
}

/* data(x, y, channel, sample): 3 x 2 x 4 x 5. */
static float complex fast_places(size_t i) {
    unsigned k = (unsigned)i, channel = k / 6 % 4;
    unsigned pulse = k / 3 % 2 * POSITIONS + k % 3;
    return sample_of(pulse * TX + channel / RX, channel % RX, k / 24);
}

/* data(complex, sample, channel, pulse), real: 2 x 5 x 4 x 6. */
static float complex split_parts(size_t i) {
    float complex value = fast_samples(i / 2);
    return i % 2 == 0 ? crealf(value) : cimagf(value);
}

static void rig_text(char *text, size_t size, const char *files, const char *radar,
                     const char *scan) {
    snprintf(text, size,
             "files: {%s}\nlayout: mat\nradar: {%s}\n"
             "array: {tx_m: [[0, 0, 0], [0, 1, 0]], rx_m: [[0, 0, 0], [1, 0, 0]]}\n"
             "scan: {step_m: 1e-3, row_step_m: 2e-3%s}\n",
             files, radar, scan);
}

#define STEPPED "first_frequency_hz: 77e9, frequency_step_hz: 1e8"

static void assert_all(const char *files, const char *scan) {
    char text[1024];
    nfsar_import *import = NULL;
    nfsar_error error;
    float complex out[ROWS * POSITIONS * TX * RX * SAMPLES];
    rig_text(text, sizeof text, files, STEPPED, scan);
    assert_ok(open_rig(text, &import, &error), error);
    assert_int_equal(nfsar_import_header(import)->n_pulse, ROWS * POSITIONS);
    assert_ok(nfsar_import_read(import, 0, ROWS * POSITIONS, out, &error), error);
    for (size_t i = 0; i < sizeof out / sizeof out[0]; i++) {
        /* The capture's order is that of fast_samples(), but for rx and tx: channel = tx, rx. */
        assert_true(out[i] == fast_samples(i));
    }
    nfsar_import_close(import);
}

static const struct {
    enum mat_ft version;
    bool compressed;
} forms[] = {
    {MAT_FT_MAT5, false}, {MAT_FT_MAT5, true}, {MAT_FT_MAT73, false}, {MAT_FT_MAT73, true}};

static void both_versions_are_read(void **state) {
    (void)state;
    size_t dims[] = {SAMPLES, RX, TX, POSITIONS, ROWS};
    size_t places[] = {POSITIONS, ROWS, TX * RX, SAMPLES};
    size_t parts[] = {2, SAMPLES, TX * RX, ROWS * POSITIONS};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        for (int single = 0; single < 2; single++) {
            write_mat("a.mat", forms[i].version, forms[i].compressed, "data", single, true, 5, dims,
                      fast_samples);
            assert_all("list: [a.mat], axes: [sample, rx, tx, x, y]", "");
            assert_all("list: [a.mat], variable: data, axes: [sample, rx, tx, position, row]", "");
            write_mat("a.mat", forms[i].version, forms[i].compressed, "data", single, true, 4,
                      places, fast_places);
            assert_all("list: [a.mat], axes: [x, y, channel, sample]", "");
            write_mat("a.mat", forms[i].version, forms[i].compressed, "data", single, false, 4,
                      parts, split_parts);
            assert_all("list: [a.mat], axes: [complex, sample, channel, pulse]", ", rows: 2");
        }
    }
}

/* A file larger than the memory that may be used is read in windows of rows. */
static void large_arrays_are_read_in_slabs(void **state) {
    (void)state;
    enum { MANY_ROWS = 7, ONE_ROW = POSITIONS * TX * RX * SAMPLES };
    size_t dims[] = {SAMPLES, RX, TX, POSITIONS, MANY_ROWS};
    size_t pulses[] = {SAMPLES, RX, TX, POSITIONS * MANY_ROWS};
    static const char *const axes[] = {"x, y", "position, row", "pulse"};
    char text[1024], files[128];
    for (size_t form = 0; form < 3; form++) {
        write_mat("a.mat", MAT_FT_MAT73, form == 1, "data", true, true, form < 2 ? 5 : 4,
                  form < 2 ? dims : pulses, fast_samples);
        snprintf(files, sizeof files, "list: [a.mat], axes: [sample, rx, tx, %s]", axes[form]);
        rig_text(text, sizeof text, files, STEPPED, ", rows: 7");
        test_write_file("rig.yaml", text, strlen(text));
        /* Less than one index, one row, two and a half. */
        const size_t memory[] = {1, 4 * ONE_ROW, 10 * ONE_ROW};
        for (size_t m = 0; m < 3; m++) {
            struct rig *rig = NULL;
            struct cube cube;
            nfsar_error error;
            struct plan plan = {.n_tx = TX, .n_rx = RX};
            assert_ok(rig_load(test_path("rig.yaml"), &rig, &error), error);
            assert_ok(cube_open(rig, test_path("a.mat"), memory[m], &cube, &error), error);
            assert_ok(cube_plan(rig, &cube, 1, &plan, &error), error);
            assert_int_equal(plan.rows, MANY_ROWS);
            assert_int_equal(plan.positions, POSITIONS);
            for (size_t k = 0; k < 3 * MANY_ROWS * POSITIONS; k++) {
                /* Forward, and jumping about. */
                size_t pulse = k < MANY_ROWS * POSITIONS ? k : k * 11 % (MANY_ROWS * POSITIONS);
                struct plan_place place = {pulse / POSITIONS, pulse % POSITIONS, 0};
                float complex out[TX * RX * SAMPLES];
                assert_ok(cube_read(&cube, rig, &plan, place, out, &error), error);
                for (size_t i = 0; i < TX * RX * SAMPLES; i++) {
                    assert_true(out[i] == fast_samples(pulse * TX * RX * SAMPLES + i));
                }
            }
            assert_true(cube.window_count < (form < 2 ? MANY_ROWS : MANY_ROWS * POSITIONS));
            cube_close(&cube);
            rig_free(rig);
        }
    }
}

static float complex ones(size_t i) {
    return (float)(i + 1);
}

static float complex five_frequencies(size_t i) {
    return 77e9f + 1e8f * (float)i;
}

static void trailing_axes_of_size_one_may_be_named(void **state) {
    (void)state;
    /* MATLAB drops them: size(data) is 5 x 2 x 2. */
    size_t dims[] = {5, 2, 2};
    char text[1024];
    nfsar_import *import = NULL;
    nfsar_error error;
    write_mat("a.mat", MAT_FT_MAT5, false, "data", true, true, 3, dims, fast_samples);
    rig_text(text, sizeof text, "list: [a.mat], axes: [sample, rx, tx, x, y]", STEPPED, "");
    assert_ok(open_rig(text, &import, &error), error);
    assert_int_equal(nfsar_import_header(import)->n_pulse, 1);
    nfsar_import_close(import);
}

static void frequencies_may_be_a_variable(void **state) {
    (void)state;
    char text[1024];
    size_t dims[] = {SAMPLES, RX, TX, POSITIONS, ROWS}, row[] = {1, 5}, wrong[] = {1, 4};
    write_mat("a.mat", MAT_FT_MAT5, true, "data", true, true, 5, dims, fast_samples);
    mat_t *mat = Mat_Open(test_path("a.mat"), MAT_ACC_RDWR);
    double f[5];
    for (size_t i = 0; i < 5; i++) {
        f[i] = (double)crealf(five_frequencies(i));
    }
    matvar_t *good = Mat_VarCreate("f", MAT_C_DOUBLE, MAT_T_DOUBLE, 2, row, f, 0);
    matvar_t *bad = Mat_VarCreate("g", MAT_C_DOUBLE, MAT_T_DOUBLE, 2, wrong, f, 0);
    Mat_VarWrite(mat, good, MAT_COMPRESSION_NONE);
    Mat_VarWrite(mat, bad, MAT_COMPRESSION_NONE);
    Mat_VarFree(good);
    Mat_VarFree(bad);
    Mat_Close(mat);
    nfsar_import *import = NULL;
    nfsar_error error;
#define FILES "list: [a.mat], variable: data, axes: [sample, rx, tx, x, y]"
    rig_text(text, sizeof text, FILES, "frequency_variable: f", "");
    assert_ok(open_rig(text, &import, &error), error);
    assert_near(nfsar_import_header(import)->frequency_hz[4], f[4], 0);
    nfsar_import_close(import);
    rig_text(text, sizeof text, FILES, "frequency_variable: g", "");
    assert_refused(text, "radar.frequency_variable: 4 frequencies for 5 samples");
    rig_text(text, sizeof text, FILES, "frequency_variable: data", "");
    assert_refused(text, "data is not a real vector");
    rig_text(text, sizeof text, FILES, "frequency_variable: nothing", "");
    assert_refused(text, "has no variable 'nothing'; it holds data, f, g");
    rig_text(text, sizeof text, "list: [a.mat], axes: [sample, rx, tx, x, y]", STEPPED, "");
    assert_refused(text, "holds data, f, g; choose one with files.variable");
    rig_text(text, sizeof text, "list: [a.mat], variable: f, axes: [sample]", STEPPED, "");
    assert_refused(text, "but files.axes names only 1 axes");
    rig_text(text, sizeof text, "list: [a.mat], variable: f, axes: [tx, sample]", STEPPED, "");
    assert_refused(text, "f in ");
#undef FILES
}

static void what_is_not_an_array_is_refused(void **state) {
    (void)state;
    char text[1024];
    rig_text(text, sizeof text, "list: [a.mat], variable: s, axes: [sample, channel]", STEPPED, "");
    mat_t *mat = Mat_CreateVer(test_path("a.mat"), NULL, MAT_FT_MAT5);
    size_t one[] = {1, 1};
    const char *fields[] = {"fp"};
    matvar_t *made = Mat_VarCreateStruct("s", 2, one, fields, 1);
    Mat_VarWrite(mat, made, MAT_COMPRESSION_NONE);
    Mat_VarFree(made);
    Mat_Close(mat);
    assert_refused(text, "s is a struct; wanted is a numeric array");
    test_write_file("a.mat", "not a MATLAB file at all", 24);
    assert_refused(text, "cannot be opened as a MATLAB file");
    size_t none[] = {0, 4};
    write_mat("a.mat", MAT_FT_MAT5, false, "s", true, false, 2, none, ones);
    assert_refused(text, "s is empty");
}

/* Cut off and changed bytes. matio may read some damaged files without complaint; it must not take
 * the program down, and nothing wild may come out. */
static void damaged_files_do_no_harm(void **state) {
    (void)state;
    char text[1024];
    size_t dims[] = {SAMPLES, RX, TX, POSITIONS, ROWS};
    rig_text(text, sizeof text, "list: [a.mat], variable: data, axes: [sample, rx, tx, x, y]",
             STEPPED ", samples: 5", ", rows: 2, positions: 3");
    size_t refused = 0;
    for (size_t form = 0; form < 3; form++) {
        write_mat("whole.mat", forms[form].version, forms[form].compressed, "data", true, true, 5,
                  dims, fast_samples);
        FILE *file = fopen(test_path("whole.mat"), "rb");
        static unsigned char bytes[1 << 16], damaged[1 << 16];
        size_t size = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        assert_true(size > 200 && size < sizeof bytes);
        for (unsigned i = 0; i < 120; i++) {
            memcpy(damaged, bytes, size);
            size_t length = size;
            if (i < 40) {
                length = 1 + size * i / 40;
            } else {
                /* Tags and sizes are in front. */
                unsigned h = (unsigned)sample_word_of(i, (unsigned)form, 3, 0) & 65535u;
                damaged[124 + h % 140] = (unsigned char)(h >> 8);
            }
            test_write_file("a.mat", damaged, length);
            nfsar_import *import = NULL;
            nfsar_error error = {0};
            enum nfsar_status status = open_rig(text, &import, &error);
            if (status == NFSAR_OK) {
                float complex out[TX * RX * SAMPLES];
                status = nfsar_import_read(import, 5, 1, out, &error);
                nfsar_import_close(import);
            }
            refused += status != NFSAR_OK;
        }
    }
    assert_true(refused > 100);
}

static void a_cut_off_array_is_noticed(void **state) {
    (void)state;
    char text[1024];
    size_t dims[] = {SAMPLES, RX, TX, POSITIONS, ROWS};
    rig_text(text, sizeof text, "list: [a.mat], variable: data, axes: [sample, rx, tx, x, y]",
             STEPPED, "");
    for (size_t form = 0; form < 3; form++) {
        write_mat("a.mat", forms[form].version, forms[form].compressed, "data", true, true, 5, dims,
                  fast_samples);
        FILE *file = fopen(test_path("a.mat"), "rb");
        fseek(file, 0, SEEK_END);
        long size = ftell(file);
        fclose(file);
        assert_int_equal(truncate(test_path("a.mat"), size - 40), 0);
        nfsar_import *import = NULL;
        nfsar_error error = {0};
        enum nfsar_status status = open_rig(text, &import, &error);
        if (status == NFSAR_OK) {
            status = nfsar_import_run(import, test_path("out.h5"), NULL, &error);
            nfsar_import_close(import);
        }
        assert_int_equal(status, NFSAR_ERROR_FORMAT);
        assert_int_equal(test_count_files("out"), 0);
    }
}

/* matio looks at no checksum, and leaves in memory what was there where it cannot read on. */
static void broken_compression_is_noticed(void **state) {
    (void)state;
    char text[1024];
    size_t dims[] = {SAMPLES, RX, TX, POSITIONS, ROWS};
    rig_text(text, sizeof text, "list: [a.mat], variable: data, axes: [sample, rx, tx, x, y]",
             STEPPED, "");
    /* In the numbers, and in the checksum alone. */
    const long places[] = {200, 60, 1};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        write_mat("a.mat", MAT_FT_MAT5, true, "data", true, true, 5, dims, fast_samples);
        FILE *file = fopen(test_path("a.mat"), "r+b");
        fseek(file, -places[i], SEEK_END);
        const int byte = fgetc(file);
        fseek(file, -places[i], SEEK_END);
        fputc(byte ^ 0x10, file);
        fclose(file);
        assert_refused(text, "a.mat: the MATLAB file is damaged or cut off");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_versions_are_read),
        cmocka_unit_test(large_arrays_are_read_in_slabs),
        cmocka_unit_test(trailing_axes_of_size_one_may_be_named),
        cmocka_unit_test(frequencies_may_be_a_variable),
        cmocka_unit_test(what_is_not_an_array_is_refused),
        cmocka_unit_test(damaged_files_do_no_harm),
        cmocka_unit_test(a_cut_off_array_is_noticed),
        cmocka_unit_test(broken_compression_is_noticed),
    };
    /* Damaged files make HDF5 print pages. */
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
