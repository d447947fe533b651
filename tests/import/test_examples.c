/* Every rig example that is shipped opens, with recordings of the sizes that it describes. */
#include "tests/import/cubes.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

/* A recording of the size given, all zeros, which takes no room on the disk. */
static void make_recording(const char *name, size_t bytes) {
    test_write_file(name, "", 0);
    assert_int_equal(truncate(test_path(name), (off_t)bytes), 0);
}

static float complex one(size_t i) {
    return sample_of((unsigned)i, 0, 0);
}

static void make_numbered(const char *format, unsigned n, size_t bytes) {
    for (unsigned i = 1; i <= n; i++) {
        char name[64];
        snprintf(name, sizeof name, format, i);
        make_recording(name, bytes);
    }
}

static matvar_t *numbers(size_t rows, size_t columns) {
    size_t dims[] = {rows, columns};
    float value[24];
    for (size_t i = 0; i < 24; i++) {
        value[i] = 9e9f + 1e7f * (float)i;
    }
    return Mat_VarCreate(NULL, MAT_C_SINGLE, MAT_T_SINGLE, 2, dims, value, 0);
}

/* A struct of 8 frequencies and 3 pulses. */
static void make_struct(const char *name) {
    const char *fields[] = {"fp", "freq", "x", "y", "z", "r0"};
    size_t one[] = {1, 1}, dims[] = {8, 3};
    float part[24] = {1.0f};
    mat_complex_split_t split = {part, part};
    matvar_t *data = Mat_VarCreateStruct("data", 2, one, fields, 6);
    Mat_VarSetStructFieldByName(
        data, "fp", 0,
        Mat_VarCreate(NULL, MAT_C_SINGLE, MAT_T_SINGLE, 2, dims, &split, MAT_F_COMPLEX));
    Mat_VarSetStructFieldByName(data, "freq", 0, numbers(8, 1));
    for (int i = 2; i < 6; i++) {
        size_t row[] = {1, 3};
        double place[3] = {7e3, 7.01e3, 7.02e3};
        Mat_VarSetStructFieldByName(
            data, fields[i], 0, Mat_VarCreate(NULL, MAT_C_DOUBLE, MAT_T_DOUBLE, 2, row, place, 0));
    }
    mat_t *mat = Mat_CreateVer(test_path(name), NULL, MAT_FT_MAT5);
    assert_int_equal(Mat_VarWrite(mat, data, MAT_COMPRESSION_NONE), 0);
    Mat_VarFree(data);
    Mat_Close(mat);
}

/* Rows x positions x frames x chirps x receivers x samples x 4 bytes, worked out from the comments
 * of each example. */
static void make_recordings(void) {
    make_numbered("scan%u_Raw_0.bin", 40, 400u * 1 * 4 * 512 * 4);
    make_recording("adc_data_Raw_0.bin", 1u << 27);
    make_recording("adc_data_Raw_1.bin", 25u * 200 * 4 * 2 * 4 * 256 * 4 - (1u << 27));
    make_numbered("row%u_Raw_0.bin", 12, 220u * 2 * 4 * 256 * 4);
    make_numbered("column%u.bin", 4, 100u * 4 * 256 * 4);
    size_t dims[] = {64, 4, 2, 50, 12};
    write_mat("sarRawData.mat", MAT_FT_MAT73, true, "sarRawData", true, true, 5, dims, one);
    make_struct("data_3dsar_pass1_az001_HH.mat");
    make_struct("data_3dsar_pass1_az002_HH.mat");
    struct tape tape = {0};
    npy_header(&tape, 1, "<c8", false, "(40, 60, 101)");
    for (unsigned i = 0; i < 40 * 60 * 101; i++) {
        float pair[2] = {1.0f, 2.0f};
        if (i == 0) {
            tape.bytes = realloc(tape.bytes, tape.size + 40 * 60 * 101 * 8);
        }
        memcpy(tape.bytes + tape.size, pair, 8);
        tape.size += 8;
    }
    test_write_file("scan.npy", tape.bytes, tape.size);
    tape_free(&tape);
}

static const struct {
    const char *name;
    size_t n_pulse, n_channel, n_sample;
} examples[] = {
    {"rig-safehaven-sqplate.yaml", 16000, 4, 512},
    {"rig-xwr1443-scanner.yaml", 5000, 8, 256},
    {"rig-xwr1843-tdm.yaml", 2400, 8, 256},
    {"rig-tsw1400.yaml", 400, 4, 256},
    {"rig-matlab-cube.yaml", 600, 8, 64},
    {"rig-numpy-cube.yaml", 2400, 1, 101},
    {"rig-single-capture.yaml", 64, 12, 256},
    {"rig-ti-cfg.yaml", 3000, 8, 256},
    {"rig-gotcha.yaml", 6, 1, 8},
};

static const char *example_path(const char *name) {
    static char path[600];
    const char *source = getenv("NFSAR_SOURCE");
    snprintf(path, sizeof path, "%s/docs/examples/%s", source != NULL ? source : ".", name);
    return path;
}

static void open_example(size_t i) {
    nfsar_import *import = NULL;
    nfsar_error error;
    assert_ok(nfsar_import_open(example_path(examples[i].name), test_folder(), &import, &error),
              error);
    const nfsar_capture *capture = nfsar_import_header(import);
    assert_int_equal(capture->n_pulse, examples[i].n_pulse);
    assert_int_equal(capture->array.n_channel, examples[i].n_channel);
    assert_int_equal(capture->n_sample, examples[i].n_sample);
    assert_ok(nfsar_capture_check(capture, &error), error);
    float complex *samples =
        calloc(2 * capture->array.n_channel * capture->n_sample, sizeof *samples);
    assert_ok(nfsar_import_read(import, capture->n_pulse - 2, 2, samples, &error), error);
    free(samples);
    nfsar_import_close(import);
}

static void every_example_opens(void **state) {
    (void)state;
    make_recordings();
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        if (strcmp(examples[i].name, "rig-single-capture.yaml") == 0) {
            /* It has the name of another example's recording. */
            make_recording("adc_data_Raw_0.bin", 64u * 3 * 4 * 256 * 4);
        }
        if (strcmp(examples[i].name, "rig-ti-cfg.yaml") == 0) {
            static const char cfg[] = "adcbufCfg -1 0 1 1 1\nchannelCfg 15 5 0\n"
                                      "profileCfg 0 77 429 7 57.14 0 0 70 1 256 5209 0 0 30\n"
                                      "chirpCfg 0 0 0 0 0 0 0 1\nchirpCfg 1 1 0 0 0 0 0 4\n"
                                      "frameCfg 0 1 1 0 10 1 0\n";
            test_write_file("profile.cfg", cfg, strlen(cfg));
            make_recording("adc_data_Raw_0.bin", 30u * 100 * 2 * 4 * 256 * 4);
            assert_int_equal(unlink(test_path("adc_data_Raw_1.bin")), 0);
        }
        open_example(i);
    }
}

static void no_example_is_forgotten(void **state) {
    (void)state;
    DIR *folder = opendir(example_path(""));
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        bool known = strncmp(entry->d_name, "rig-", 4) != 0;
        for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
            known = known || strcmp(entry->d_name, examples[i].name) == 0;
        }
        if (!known) {
            fail_msg("%s is not tested", entry->d_name);
        }
    }
    closedir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_opens),
        cmocka_unit_test(no_example_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
