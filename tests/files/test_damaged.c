/* Damaged files: an error or a sound result, never a crash, a leak or a hang. */
#include "tests/files/edit.h"

#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

struct bytes {
    unsigned char *at;
    size_t size;
};

static struct bytes read_file(const char *path) {
    struct bytes bytes = {0};
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    bytes.size = (size_t)ftell(file);
    rewind(file);
    bytes.at = malloc(bytes.size);
    assert_int_equal(fread(bytes.at, 1, bytes.size, file), bytes.size);
    fclose(file);
    return bytes;
}

/* Overwriting would wait for the disk on some file systems. */
static void write_anew(const char *name, struct bytes bytes, size_t size) {
    unlink(test_path(name));
    test_write_file(name, bytes.at, size);
}

static void load_capture(struct bytes bytes, size_t *good, size_t *bad) {
    nfsar_error error = {0};
    nfsar_capture capture;
    write_anew("damaged.h5", bytes, bytes.size);
    enum nfsar_status status = nfsar_capture_load(test_path("damaged.h5"), &capture, &error);
    if (status == NFSAR_OK) {
        assert_int_equal(nfsar_capture_check(&capture, &error), NFSAR_OK);
        nfsar_capture_free(&capture);
        ++*good;
    } else {
        assert_true(status == NFSAR_ERROR_FORMAT || status == NFSAR_ERROR_VERSION);
        assert_contains(error.message, "damaged.h5");
        ++*bad;
    }
}

static void load_image(struct bytes bytes, size_t *good, size_t *bad) {
    nfsar_error error = {0};
    nfsar_image image;
    write_anew("damaged.h5", bytes, bytes.size);
    enum nfsar_status status = nfsar_image_load(test_path("damaged.h5"), &image, &error);
    if (status == NFSAR_OK) {
        assert_int_equal(nfsar_grid_check(&image.grid, &error), NFSAR_OK);
        nfsar_image_free(&image);
        ++*good;
    } else {
        assert_true(status == NFSAR_ERROR_FORMAT || status == NFSAR_ERROR_VERSION);
        assert_contains(error.message, "damaged.h5");
        ++*bad;
    }
}

/* Every step-th byte, each in one of four ways. */
static void flip(struct bytes bytes, size_t step,
                 void (*load)(struct bytes bytes, size_t *good, size_t *bad)) {
    static const unsigned char masks[] = {0x01, 0xFF, 0x80};
    size_t good = 0, bad = 0;
    for (size_t i = 0, k = 0; i < bytes.size; i += step, k = (k + 1) % 4) {
        unsigned char before = bytes.at[i];
        bytes.at[i] = k < 3 ? before ^ masks[k] : 0;
        load(bytes, &good, &bad);
        bytes.at[i] = before;
    }
    print_message("%zu flips: %zu read, %zu refused\n", good + bad, good, bad);
    /* Both happen: numbers may change, structures may not. */
    assert_true(good > 100 && bad > 100);
}

static void test_flipped_capture(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture = sample_capture(4, 3);
    assert_ok(nfsar_capture_save(test_path("c.h5"), &capture, &error), error);
    struct bytes bytes = read_file(test_path("c.h5"));
    flip(bytes, 7, load_capture);
    free(bytes.at);
    nfsar_capture_free(&capture);
}

/* Nothing here is under a checksum, and HDF5 1.10 trusts all of it. */
static void test_flipped_old(void **state) {
    (void)state;
    const hsize_t extent[] = {4, 6, 3}, chunk[] = {2, 6, 3};
    static const float zeros[4 * 6 * 3 * 2];
    for (int packed = 0; packed < 2; packed++) {
        edit_make_old(test_path("o.h5"));
        hid_t file = H5Fopen(test_path("o.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
        hid_t list = H5Pcreate(H5P_DATASET_CREATE);
        hid_t type = edit_complex_type("r", "i", H5T_IEEE_F32LE);
        H5Pset_chunk(list, 3, chunk);
        if (packed) {
            H5Pset_shuffle(list);
            H5Pset_deflate(list, 1);
        }
        edit_replace(file, "/echo/data", type, 3, extent, list, type, zeros);
        H5Tclose(type);
        H5Pclose(list);
        H5Fclose(file);
        struct bytes bytes = read_file(test_path("o.h5"));
        flip(bytes, packed ? 17 : 7, load_capture);
        free(bytes.at);
    }
}

/* Lengths in an object header that reach beyond it. */
static void test_object_headers(void **state) {
    (void)state;
    edit_make_old(test_path("h.h5"));
    struct bytes bytes = read_file(test_path("h.h5"));
    size_t good = 0, bad = 0, attributes = 0;
    for (size_t i = 16; i + 32 < bytes.size; i++) {
        /* An attribute message of version 1: lengths of name, type and space before the name. */
        if (memcmp(bytes.at + i, "format", 6) != 0 || bytes.at[i - 8] != 1) {
            continue;
        }
        attributes++;
        for (size_t k = i - 6; k < i; k++) {
            unsigned char before = bytes.at[k];
            bytes.at[k] = 0xF0;
            load_capture(bytes, &good, &bad);
            bytes.at[k] = before;
        }
    }
    assert_int_equal(attributes, 2);
    assert_int_equal(bad, 12);
    load_capture(bytes, &good, &bad);
    assert_int_equal(good, 1);
    free(bytes.at);
}

/* The structures of files that the library writes are under checksums: no single change of theirs
 * goes unnoticed, so what is read differs from what was written only in numbers and text. */
static void test_flips_noticed(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture = sample_capture(4, 3), read;
    assert_ok(nfsar_capture_save(test_path("n.h5"), &capture, &error), error);
    struct bytes bytes = read_file(test_path("n.h5"));
    for (size_t i = 5; i < bytes.size; i += 29) {
        bytes.at[i] ^= 0x10;
        write_anew("damaged.h5", bytes, bytes.size);
        bytes.at[i] ^= 0x10;
        if (nfsar_capture_load(test_path("damaged.h5"), &read, &error) == NFSAR_OK) {
            assert_int_equal(read.n_pulse, 4);
            assert_int_equal(read.n_sample, 3);
            assert_int_equal(read.n_pose, 4);
            assert_int_equal(read.array.n_channel, 6);
            assert_int_equal(read.n_provenance, 2);
            assert_non_null(read.true_pose);
            assert_non_null(read.calibration.background);
            nfsar_capture_free(&read);
        }
    }
    free(bytes.at);
    nfsar_capture_free(&capture);
}

static void test_flipped_image(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_image image = sample_image();
    assert_ok(nfsar_image_save(test_path("i.h5"), &image, &error), error);
    struct bytes bytes = read_file(test_path("i.h5"));
    flip(bytes, 3, load_image);
    free(bytes.at);
    nfsar_image_free(&image);
}

static void test_truncated(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture = sample_capture(4, 3), read;
    assert_ok(nfsar_capture_save(test_path("t.h5"), &capture, &error), error);
    struct bytes bytes = read_file(test_path("t.h5"));
    for (size_t size = 0; size < bytes.size; size = size < 64 ? size + 1 : size + 67) {
        write_anew("cut.h5", bytes, size);
        assert_int_equal(nfsar_capture_load(test_path("cut.h5"), &read, &error),
                         NFSAR_ERROR_FORMAT);
        assert_contains(error.message, "cut.h5: ");
    }
    write_anew("cut.h5", bytes, bytes.size - 1);
    assert_int_equal(nfsar_capture_load(test_path("cut.h5"), &read, &error), NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "perhaps it is truncated or damaged (truncated file");
    free(bytes.at);
    nfsar_capture_free(&capture);
}

/* What another program packed: a chunk that unpacks to less than it should, or with its filters
 * said not to have been used, has HDF5 1.10 read beyond its buffer. */
static void test_short_chunks(void **state) {
    (void)state;
    nfsar_error error;
    const hsize_t extent[] = {4, 6, 3}, origin[] = {0, 0, 0};
    nfsar_capture capture = sample_capture(4, 3), read;
    static const unsigned char packed_byte[] = {0x78, 0x9C, 0x63, 0x00, 0x00,
                                                0x00, 0x01, 0x00, 0x01};
    static const unsigned char zeros[600];
    const struct {
        const void *chunk;
        size_t size;
        uint32_t skipped;
        const char *message;
    } cases[] = {
        {packed_byte, sizeof packed_byte, 0, "does not unpack to its size"},
        {zeros, 100, 1, "cannot be read"},
        {zeros, 600, 0, "does not unpack to its size"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_ok(nfsar_capture_save(test_path("p.h5"), &capture, &error), error);
        hid_t file = H5Fopen(test_path("p.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
        hid_t list = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(3, extent, NULL);
        hid_t type = H5Tcreate(H5T_COMPOUND, 8);
        H5Tinsert(type, "r", 0, H5T_IEEE_F32LE);
        H5Tinsert(type, "i", 4, H5T_IEEE_F32LE);
        H5Pset_chunk(list, 3, extent);
        H5Pset_deflate(list, 1);
        H5Ldelete(file, "/echo/data", H5P_DEFAULT);
        hid_t data = H5Dcreate2(file, "/echo/data", type, space, H5P_DEFAULT, list, H5P_DEFAULT);
        assert_true(H5Dwrite_chunk(data, H5P_DEFAULT, cases[i].skipped, origin, cases[i].size,
                                   cases[i].chunk) >= 0);
        H5Dclose(data);
        H5Tclose(type);
        H5Sclose(space);
        H5Pclose(list);
        H5Fclose(file);
        assert_int_equal(nfsar_capture_load(test_path("p.h5"), &read, &error), NFSAR_ERROR_FORMAT);
        assert_contains(error.message, "/echo/data is damaged");
        assert_contains(error.message, cases[i].message);
    }
    nfsar_capture_free(&capture);
}

/* Kinds of what can be open in HDF5, and how many there were before the tests. */
static const H5I_type_t kinds[] = {H5I_FILE,    H5I_GROUP, H5I_DATATYPE, H5I_DATASPACE,
                                   H5I_DATASET, H5I_ATTR,  H5I_VFL,      H5I_GENPROP_LST};
enum { KINDS = sizeof kinds / sizeof kinds[0] };
static hsize_t open_before[KINDS];

static void count_open(hsize_t open[KINDS]) {
    for (int i = 0; i < KINDS; i++) {
        open[i] = 0;
        H5Inmembers(kinds[i], &open[i]);
    }
}

/* HDF5 makes identifiers of its own with the first file: they are there before counting. */
static int count_first(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_capture capture = sample_capture(4, 3), read;
    assert_ok(nfsar_capture_save(test_path("first.h5"), &capture, &error), error);
    assert_ok(nfsar_capture_load(test_path("first.h5"), &read, &error), error);
    nfsar_capture_free(&read);
    nfsar_capture_free(&capture);
    count_open(open_before);
    return 0;
}

/* Whatever is opened in HDF5 is closed again, on every way out. */
static void test_nothing_left_open(void **state) {
    (void)state;
    hsize_t open[KINDS];
    count_open(open);
    for (int i = 0; i < KINDS; i++) {
        if (open[i] != open_before[i]) {
            fail_msg("HDF5 identifiers of kind %d: %llu instead of %llu", kinds[i],
                     (unsigned long long)open[i], (unsigned long long)open_before[i]);
        }
    }
}

int main(void) {
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    alarm(120); /* a hang is a failure */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flipped_capture), cmocka_unit_test(test_flips_noticed),
        cmocka_unit_test(test_flipped_image),   cmocka_unit_test(test_flipped_old),
        cmocka_unit_test(test_object_headers),  cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_short_chunks),    cmocka_unit_test(test_nothing_left_open),
    };
    return cmocka_run_group_tests(tests, count_first, NULL);
}
