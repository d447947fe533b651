/* nfsar seal: smaller, the same, in place or beside; what the program does not know stays. */
#include "tests/files/edit.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/files/seal.h"

/* A file of either kind is changed so often. */
#define DAMAGES 150

/* A capture as it comes from a converter of 12 bits, of several chunks in every direction. */
static nfsar_capture integers(size_t n_pulse, size_t n_sample) {
    nfsar_capture capture = sample_capture(n_pulse, n_sample);
    unsigned seed = 5;
    for (size_t i = 0; i < n_pulse * 6 * n_sample; i++) {
        float r = (float)(rand_r(&seed) % 4096 - 2048), m = (float)(rand_r(&seed) % 4096 - 2048);
        capture.echo[i] = r + m * I;
    }
    return capture;
}

static void expect_same(const char *path, const nfsar_capture *wanted) {
    nfsar_error error;
    nfsar_capture found;
    const size_t n = wanted->n_pulse;
    assert_ok(nfsar_capture_load(path, &found, &error), error);
    assert_int_equal(found.n_pulse, n);
    assert_int_equal(found.n_sample, wanted->n_sample);
    assert_memory_equal(found.echo, wanted->echo, n * 6 * found.n_sample * sizeof *found.echo);
    assert_memory_equal(found.time_s, wanted->time_s, n * sizeof *found.time_s);
    assert_memory_equal(found.flags, wanted->flags, n);
    assert_memory_equal(found.pose, wanted->pose, n * sizeof *found.pose);
    assert_memory_equal(found.calibration.background, wanted->calibration.background,
                        6 * found.n_sample * sizeof *found.echo);
    nfsar_capture_free(&found);
}

static off_t size_of(const char *path) {
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return info.st_size;
}

static void test_sizes(void **state) {
    (void)state;
    char output[2000];
    nfsar_error error;
    const size_t sizes[][2] = {{1, 1}, {700, 37}, {513, 130}, {2000, 8}};
    for (size_t i = 0; i < 4; i++) {
        nfsar_capture capture = integers(sizes[i][0], sizes[i][1]);
        const char *path = test_path("c.h5"), *sealed = test_path("s.h5");
        assert_ok(nfsar_capture_save(path, &capture, &error), error);
        assert_int_equal(test_command(output, sizeof output, "seal %s -o %s", path, sealed), 0);
        assert_contains(output, "read back and compared");
        expect_same(sealed, &capture);
        if (i > 0) {
            /* 12 of 32 bits are there; 0.60 for the one of 2000 x 8, which has as many bytes of
             * poses. */
            assert_true((double)size_of(sealed) < 0.65 * (double)size_of(path));
        }
        assert_int_equal(test_command(output, sizeof output, "seal --level 6 --json %s", path), 0);
        assert_contains(output, "\"bytes_after\":");
        expect_same(path, &capture);
        /* Once more changes nothing but the provenance. */
        assert_int_equal(test_command(output, sizeof output, "seal %s", path), 0);
        expect_same(path, &capture);
        assert_int_equal(test_command(output, sizeof output, "info %s", path), 0);
        assert_contains(output, "nfsar seal --level 6\n            nfsar seal --level 1\n");
        nfsar_capture_free(&capture);
    }
    assert_int_equal(test_count_files(".part-"), 0);
}

/* Groups, datasets and attributes of others come along. */
static void test_unknown(void **state) {
    (void)state;
    char output[2000], path[600];
    hid_t file = edit_capture();
    const double numbers[] = {1, 2, 3, 4, 5, 6};
    const hsize_t extent[] = {2, 3};
    hid_t group = H5Gcreate2(file, "mine", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t inner = H5Gcreate2(group, "inner", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    edit_replace(inner, "table", H5T_IEEE_F32BE, 2, extent, H5P_DEFAULT, H5T_NATIVE_DOUBLE,
                 numbers);
    edit_attribute(inner, "number", H5T_NATIVE_DOUBLE, numbers + 3);
    edit_attribute(file, "mark", H5T_NATIVE_DOUBLE, numbers + 1);
    hid_t echo = H5Gopen2(file, "echo", H5P_DEFAULT);
    edit_attribute(echo, "gain_db", H5T_NATIVE_DOUBLE, numbers + 2);
    H5Gclose(echo);
    H5Gclose(inner);
    H5Gclose(group);
    H5Fclose(file);
    snprintf(path, sizeof path, "%s", test_path("edit.h5"));
    assert_int_equal(test_command(output, sizeof output, "seal %s", path), 0);
    file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    double found[6] = {0};
    hid_t table = H5Dopen2(file, "/mine/inner/table", H5P_DEFAULT);
    assert_true(H5Dread(table, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, found) >= 0);
    assert_memory_equal(found, numbers, sizeof numbers);
    hid_t type = H5Dget_type(table);
    assert_true(H5Tequal(type, H5T_IEEE_F32BE) > 0);
    H5Tclose(type);
    H5Dclose(table);
    const struct {
        const char *object, *name;
        double value;
    } attributes[] = {{"/", "mark", 2}, {"/mine/inner", "number", 4}, {"/echo", "gain_db", 3}};
    for (size_t i = 0; i < 3; i++) {
        hid_t attribute = H5Aopen_by_name(file, attributes[i].object, attributes[i].name,
                                          H5P_DEFAULT, H5P_DEFAULT);
        assert_true(attribute >= 0);
        assert_true(H5Aread(attribute, H5T_NATIVE_DOUBLE, found) >= 0);
        assert_true(found[0] == attributes[i].value);
        H5Aclose(attribute);
    }

    /* What cannot be copied: nothing is replaced by less; beside it, it is said. */
    hid_t text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, H5T_VARIABLE);
    const char *word = "a word";
    edit_attribute(file, "words", text, &word);
    H5Tclose(text);
    assert_true(H5Lcreate_external("other.h5", "/x", file, "link", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    H5Fclose(file);
    assert_int_equal(test_command(output, sizeof output, "seal %s", path), 1);
    assert_contains(output, "edit.h5: 2 of its objects cannot be copied safely");
    assert_int_equal(
        test_command(output, sizeof output, "seal %s -o %s", path, test_path("less.h5")), 0);
    assert_contains(output, "2 objects could not be copied safely and are left out");
    assert_int_equal(test_command(output, sizeof output, "info %s", test_path("less.h5")), 0);
}

/* What is no capture is refused, and what is there stays. */
static void test_refused(void **state) {
    (void)state;
    char output[2000];
    nfsar_error error;
    nfsar_image image = sample_image();
    assert_ok(nfsar_image_save(test_path("image.h5"), &image, &error), error);
    nfsar_image_free(&image);
    assert_int_equal(test_command(output, sizeof output, "seal %s", test_path("image.h5")), 1);
    assert_contains(output, "is an image, but a capture is needed");
    test_write_file("text.h5", "hello", 5);
    assert_int_equal(test_command(output, sizeof output, "seal %s", test_path("text.h5")), 1);
    nfsar_capture capture = integers(3, 3);
    assert_ok(nfsar_capture_save(test_path("c.h5"), &capture, &error), error);
    assert_int_equal(test_command(output, sizeof output, "seal %s -o %s", test_path("c.h5"),
                                  test_path("text.h5")),
                     2);
    assert_contains(output, "text.h5: exists and is not an HDF5 file");
    assert_int_equal(
        test_command(output, sizeof output, "seal %s -o /nowhere/x.h5", test_path("c.h5")), 1);
    expect_same(test_path("c.h5"), &capture);
    nfsar_capture_free(&capture);
}

/* Both kinds of older files, and complex numbers of other types. */
static void test_old(void **state) {
    (void)state;
    char output[2000];
    nfsar_error error;
    nfsar_capture before, after;
    edit_make_old(test_path("old.h5"));
    assert_ok(nfsar_capture_load(test_path("old.h5"), &before, &error), error);
    assert_int_equal(test_command(output, sizeof output, "seal %s", test_path("old.h5")), 0);
    assert_ok(nfsar_capture_load(test_path("old.h5"), &after, &error), error);
    assert_memory_equal(before.echo, after.echo,
                        before.n_pulse * 6 * before.n_sample * sizeof *before.echo);
    nfsar_capture_free(&before);
    nfsar_capture_free(&after);

    /* Pairs of integers of the other byte order go through HDF5. */
    hid_t file = edit_capture(), pair = edit_complex_type("r", "i", H5T_STD_I16BE);
    hid_t native = edit_complex_type("r", "i", H5T_NATIVE_INT16);
    const hsize_t extent[] = {4, 6, 3};
    int16_t words[4 * 6 * 3 * 2];
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        words[i] = (int16_t)(i * 911 - 32768);
    }
    edit_replace(file, "/echo/data", pair, 3, extent, H5P_DEFAULT, native, words);
    H5Tclose(pair);
    H5Tclose(native);
    nfsar_capture capture = edit_load(file);
    for (size_t i = 0; i < 4 * 6 * 3; i++) {
        assert_true(crealf(capture.echo[i]) == words[2 * i]);
        assert_true(cimagf(capture.echo[i]) == words[2 * i + 1]);
    }
    nfsar_capture_free(&capture);
}

/* Seal a copy with some bytes changed: an error, or a capture that is sound. Whether it was sealed.
 */
static bool seal_changed(const uint8_t *bytes, size_t size, size_t n, unsigned *seed) {
    nfsar_error error = {0};
    nfsar_capture capture;
    nfsar_capture_file *file = NULL;
    struct seal_report report;
    uint8_t *bad = malloc(size);
    memcpy(bad, bytes, size);
    for (size_t i = 0; i < n; i++) {
        bad[(size_t)rand_r(seed) % size] ^= (uint8_t)(1 + rand_r(seed) % 255);
    }
    unlink(test_path("bad.h5"));
    test_write_file("bad.h5", bad, size);
    free(bad);
    enum nfsar_status status = nfsar_capture_file_open(test_path("bad.h5"), &file, &error);
    if (status == NFSAR_OK) {
        status = seal_capture(file, test_path("out.h5"), 1, NULL, 0, &report, NULL, &error);
        nfsar_capture_file_close(file);
    }
    if (status != NFSAR_OK) {
        assert_true(strstr(error.message, "bad.h5") != NULL ||
                    strstr(error.message, "out.h5") != NULL);
        return false;
    }
    assert_ok(nfsar_capture_load(test_path("out.h5"), &capture, &error), error);
    nfsar_capture_free(&capture);
    return true;
}

static void test_damaged(void **state) {
    (void)state;
    static const char *const names[] = {"edit.h5", "older.h5"};
    unsigned seed = 31;
    H5Fclose(edit_capture());
    edit_make_old(test_path("older.h5"));
    H5Fclose(edit_capture());
    for (size_t i = 0; i < 2; i++) {
        size_t good = 0, size = (size_t)size_of(test_path(names[i]));
        uint8_t *bytes = malloc(size);
        FILE *file = fopen(test_path(names[i]), "rb");
        assert_non_null(file);
        assert_int_equal(fread(bytes, 1, size, file), size);
        fclose(file);
        for (size_t j = 0; j < DAMAGES; j++) {
            good += seal_changed(bytes, size, 1 + j % 4, &seed);
        }
        free(bytes);
        print_message("%s: %zu of %d changed files were sealed\n", names[i], good, DAMAGES);
        assert_true(good > 0 && good < DAMAGES);
    }
    assert_int_equal(test_count_files(".part-"), 0);
    assert_int_equal(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),   cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_old),
        cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
