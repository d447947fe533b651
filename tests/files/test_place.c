/* Samples that go between memory and file without HDF5: any part of any layout is what HDF5 itself
 * reads, and what cannot be read so still is. */
#include "tests/files/edit.h"

#include <omp.h>
#include <unistd.h>

#include "host/files/hdf5_place.h"

/* A capture of any size whose samples tell where they belong. */
static nfsar_capture make(size_t n_pulse, size_t n_tx, size_t n_rx, size_t n_sample) {
    nfsar_error error;
    nfsar_array array;
    nfsar_capture capture;
    assert_ok(nfsar_array_create(n_tx, n_rx, &array, &error), error);
    assert_ok(nfsar_capture_create(n_pulse, n_sample, &array, true, &capture, &error), error);
    size_t n_channel = n_tx * n_rx;
    for (size_t i = 0; i < n_sample; i++) {
        capture.frequency_hz[i] = 77e9 + 1e6 * (double)i;
    }
    for (size_t i = 0; i < n_pulse * n_channel * n_sample; i++) {
        capture.echo[i] = CMPLXF((float)(i % 16777213), -(float)(i / n_sample % 65521));
    }
    return capture;
}

/* All of /echo/data as HDF5 reads it, to be freed. */
static float complex *read_by_hdf5(const char *path, size_t n) {
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t data = H5Dopen2(file, "/echo/data", H5P_DEFAULT);
    hid_t type = edit_complex_type("r", "i", H5T_NATIVE_FLOAT);
    float complex *all = calloc(n, sizeof *all);
    assert_true(H5Dread(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, all) >= 0);
    H5Tclose(type);
    H5Dclose(data);
    H5Fclose(file);
    return all;
}

static void assert_part(nfsar_capture_file *file, const nfsar_capture *capture, size_t first_pulse,
                        size_t n_pulse, size_t first_sample, size_t n_sample) {
    nfsar_error error;
    size_t n_channel = capture->array.n_channel, lines = n_pulse * n_channel;
    float complex *part = malloc(lines * n_sample * sizeof *part);
    assert_ok(
        nfsar_capture_file_read(file, first_pulse, n_pulse, first_sample, n_sample, part, &error),
        error);
    for (size_t l = 0; l < lines; l++) {
        const float complex *line =
            capture->echo + (first_pulse * n_channel + l) * capture->n_sample + first_sample;
        assert_memory_equal(part + l * n_sample, line, n_sample * sizeof *line);
    }
    free(part);
}

static void assert_parts(const char *path, const nfsar_capture *capture) {
    nfsar_error error;
    nfsar_capture_file *file = NULL;
    size_t pulses = capture->n_pulse, samples = capture->n_sample;
    assert_ok(nfsar_capture_file_open(path, &file, &error), error);
    assert_part(file, capture, 0, pulses, 0, samples);
    assert_part(file, capture, pulses - 1, 1, samples - 1, 1);
    unsigned state = 1;
    for (int i = 0; i < 60; i++) {
        size_t number[4];
        for (int k = 0; k < 4; k++) {
            state = state * 1664525u + 1013904223u;
            number[k] = state >> 8;
        }
        size_t p = number[0] % pulses, s = number[2] % samples;
        assert_part(file, capture, p, 1 + number[1] % (pulses - p), s,
                    1 + number[3] % (samples - s));
    }
    nfsar_capture_file_close(file);
}

static void every_part_of_what_is_written(void **state) {
    (void)state;
    nfsar_error error;
    /* One chunk; chunks that do not divide the samples; rows of chunks; many channels. */
    const size_t sizes[][4] = {
        {3, 1, 2, 5}, {50, 2, 3, 45}, {1037, 2, 3, 45}, {40, 1, 1, 1000}, {3, 64, 64, 33}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        nfsar_capture capture = make(sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3]);
        size_t n = capture.n_pulse * capture.array.n_channel * capture.n_sample;
        assert_ok(nfsar_capture_save(test_path("place.h5"), &capture, &error), error);
        float complex *all = read_by_hdf5(test_path("place.h5"), n);
        assert_memory_equal(all, capture.echo, n * sizeof *all);
        free(all);
        assert_parts(test_path("place.h5"), &capture);
        nfsar_capture_free(&capture);
    }
}

/* As other programs write them: in one piece, in chunks under an index, big-endian, packed, after
 * a user block. */
static void every_part_of_what_others_write(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture = make(70, 2, 2, 37);
    const hsize_t extent[] = {70, 4, 37}, chunk[] = {16, 3, 8};
    hid_t memory = edit_complex_type("r", "i", H5T_NATIVE_FLOAT);
    for (int kind = 0; kind < 5; kind++) {
        assert_ok(nfsar_capture_save(test_path("place.h5"), &capture, &error), error);
        hid_t file = H5Fopen(test_path("place.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
        hid_t list = H5Pcreate(H5P_DATASET_CREATE);
        hid_t type = edit_complex_type("r", "i", kind == 3 ? H5T_IEEE_F32BE : H5T_IEEE_F32LE);
        if (kind > 0) {
            H5Pset_chunk(list, 3, chunk);
        }
        if (kind == 2) {
            H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY);
        }
        if (kind == 4) {
            H5Pset_deflate(list, 1);
        }
        edit_replace(file, "/echo/data", type, 3, extent, list, memory, capture.echo);
        H5Tclose(type);
        H5Pclose(list);
        H5Fclose(file);
        assert_parts(test_path("place.h5"), &capture);
    }
    H5Tclose(memory);
    nfsar_capture_free(&capture);
}

static void after_a_user_block(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture = make(70, 2, 2, 37);
    assert_ok(nfsar_capture_save(test_path("plain.h5"), &capture, &error), error);
    hid_t list = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_userblock(list, 512);
    hid_t from = H5Fopen(test_path("plain.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t to = H5Fcreate(test_path("behind.h5"), H5F_ACC_TRUNC, list, H5P_DEFAULT);
    const char *const names[] = {"radar", "array", "echo", "pose"};
    for (size_t i = 0; i < 4; i++) {
        assert_true(H5Ocopy(from, names[i], to, names[i], H5P_DEFAULT, H5P_DEFAULT) >= 0);
    }
    hid_t text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, strlen("nfsar-capture"));
    int version = 1;
    edit_attribute(to, "format", text, "nfsar-capture");
    edit_attribute(to, "format_version", H5T_NATIVE_INT, &version);
    H5Tclose(text);
    H5Fclose(to);
    H5Fclose(from);
    H5Pclose(list);
    assert_parts(test_path("behind.h5"), &capture);
    nfsar_capture_free(&capture);
}

static void numbers_that_are_none_are_found(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture = make(1037, 2, 3, 45);
    size_t at = (size_t)(700 * 6 + 4) * 45 + 31;
    capture.echo[at] = CMPLXF(0.0f, (float)INFINITY);
    capture.echo[at + 100] = CMPLXF((float)NAN, 0.0f);
    float complex *part = malloc((size_t)1037 * 6 * 45 * sizeof *part);
    nfsar_capture_file *file = NULL;
    assert_ok(nfsar_capture_save(test_path("place.h5"), &capture, &error), error);
    assert_ok(nfsar_capture_file_open(test_path("place.h5"), &file, &error), error);
    assert_int_equal(nfsar_capture_file_read(file, 0, 1037, 0, 45, part, &error),
                     NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "/echo/data[700, 4, 31] is not a finite number");
    /* Beside it, in the same piece. */
    assert_ok(nfsar_capture_file_read(file, 0, 1037, 0, 31, part, &error), error);
    assert_ok(nfsar_capture_file_read(file, 0, 700, 0, 45, part, &error), error);
    nfsar_capture_file_close(file);
    free(part);
    nfsar_capture_free(&capture);
}

static void a_file_that_shrinks_is_an_error(void **state) {
    (void)state;
    nfsar_error error = {0};
    nfsar_capture capture = make(1037, 2, 3, 45);
    float complex *part = malloc((size_t)1037 * 6 * 45 * sizeof *part);
    nfsar_capture_file *file = NULL;
    assert_ok(nfsar_capture_save(test_path("place.h5"), &capture, &error), error);
    assert_ok(nfsar_capture_file_open(test_path("place.h5"), &file, &error), error);
    assert_int_equal(truncate(test_path("place.h5"), 1 << 20), 0);
    assert_int_equal(nfsar_capture_file_read(file, 0, 1037, 0, 45, part, &error), NFSAR_ERROR_FILE);
    assert_contains(error.message, "/echo/data cannot be read: the file became shorter");
    nfsar_capture_file_close(file);
    free(part);
    nfsar_capture_free(&capture);
}

static void threads_write_different_pulses(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture = make(1037, 2, 3, 45);
    nfsar_capture_writer *writer = NULL;
    int failures = 0;
    uint8_t flags[1037] = {0};
    assert_ok(nfsar_capture_writer_create(test_path("place.h5"), &capture, &writer, &error), error);
#pragma omp parallel for num_threads(4) schedule(dynamic) reduction(+ : failures)
    for (size_t p = 0; p < 1037; p += 10) {
        size_t n = 1037 - p < 10 ? 1037 - p : 10;
        failures +=
            nfsar_capture_writer_write(writer, p, n, capture.echo + p * 6 * 45, NULL) != NFSAR_OK;
    }
    assert_int_equal(failures, 0);
    flags[700] = NFSAR_PULSE_SAMPLES_MISSING;
    assert_ok(nfsar_capture_writer_flags(writer, flags, &error), error);
    assert_ok(nfsar_capture_writer_commit(writer, &error), error);
    assert_parts(test_path("place.h5"), &capture);
    nfsar_capture read;
    assert_ok(nfsar_capture_load(test_path("place.h5"), &read, &error), error);
    assert_memory_equal(read.flags, flags, sizeof flags);
    nfsar_capture_free(&read);
    nfsar_capture_free(&capture);
}

/* Our own files are read without HDF5, and so are plain arrays; an index is HDF5's. */
static void known_where_it_should_be(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture = make(1037, 2, 3, 45);
    assert_ok(nfsar_capture_save(test_path("place.h5"), &capture, &error), error);
    hid_t file = H5Fopen(test_path("place.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t data = H5Dopen2(file, "/echo/data", H5P_DEFAULT);
    const struct h5_shape shape = {3, {1037, 6, 45}}, few = {3, {1037, 6, 2}};
    struct h5_place place;
    h5_place_find(&place, data, &shape, UINT64_MAX);
    assert_true(place.known);
    assert_true(h5_place_suits(&place, &shape));
    assert_false(h5_place_suits(&place, &few));
    /* In a file that is too short to hold it. */
    h5_place_find(&place, data, &shape, (uint64_t)1037 * 6 * 45 * 8);
    assert_false(place.known);
    H5Dclose(data);
    H5Fclose(file);
    nfsar_capture_free(&capture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_of_what_is_written),
        cmocka_unit_test(every_part_of_what_others_write),
        cmocka_unit_test(after_a_user_block),
        cmocka_unit_test(numbers_that_are_none_are_found),
        cmocka_unit_test(a_file_that_shrinks_is_an_error),
        cmocka_unit_test(threads_write_different_pulses),
        cmocka_unit_test(known_where_it_should_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
