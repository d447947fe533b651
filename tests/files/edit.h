/* Making good files bad: a file written by the library is changed through HDF5 itself. */
#ifndef NFSAR_TESTS_FILES_EDIT_H
#define NFSAR_TESTS_FILES_EDIT_H

#include "tests/files/sample.h"

#include <hdf5.h>
#include <stdio.h>

/* Where the sample capture was written anew, open for changes. */
static inline hid_t edit_capture(void) {
    nfsar_error error;
    nfsar_capture capture = sample_capture(4, 3);
    assert_ok(nfsar_capture_save(test_path("edit.h5"), &capture, &error), error);
    nfsar_capture_free(&capture);
    hid_t file = H5Fopen(test_path("edit.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    return file;
}

static inline void edit_delete(hid_t file, const char *name) {
    if (H5Lexists(file, name, H5P_DEFAULT) > 0) {
        assert_true(H5Ldelete(file, name, H5P_DEFAULT) >= 0);
    }
}

/* Put a dataset of that file type in place of what is there. list: creation, or H5P_DEFAULT. */
static inline void edit_replace(hid_t file, const char *name, hid_t type, int rank,
                                const hsize_t *extent, hid_t list, hid_t memory, const void *data) {
    edit_delete(file, name);
    hid_t space = H5Screate_simple(rank, extent, NULL);
    hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    assert_true(dataset >= 0);
    if (data != NULL) {
        assert_true(H5Dwrite(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
    }
    assert_true(H5Dclose(dataset) >= 0);
    H5Sclose(space);
}

/* Replace by doubles. */
static inline void edit_numbers(hid_t file, const char *name, hsize_t n, hsize_t width,
                                const double *data) {
    const hsize_t extent[] = {n, width};
    edit_replace(file, name, H5T_IEEE_F64LE, width > 0 ? 2 : 1, extent, H5P_DEFAULT,
                 H5T_NATIVE_DOUBLE, data);
}

static inline hid_t edit_complex_type(const char *first, const char *second, hid_t part) {
    size_t size = H5Tget_size(part);
    hid_t type = H5Tcreate(H5T_COMPOUND, 2 * size);
    H5Tinsert(type, first, 0, part);
    H5Tinsert(type, second, size, part);
    return type;
}

/* Replace an attribute of the root by one value. */
static inline void edit_attribute(hid_t file, const char *name, hid_t type, const void *value) {
    if (H5Aexists(file, name) > 0) {
        H5Adelete(file, name);
    }
    if (value != NULL) {
        hid_t space = H5Screate(H5S_SCALAR);
        hid_t attribute = H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
        assert_true(H5Awrite(attribute, type, value) >= 0);
        H5Aclose(attribute);
        H5Sclose(space);
    }
}

/* The sample capture in HDF5's oldest structures, as h5py and MATLAB write them by default; nothing
 * but what is required is there, and the text is "old". */
static inline void edit_make_old(const char *path) {
    static const char *const groups[] = {"radar", "array", "echo", "pose"};
    hid_t from = edit_capture();
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    for (int i = 0; i < 4; i++) {
        assert_true(H5Ocopy(from, groups[i], file, groups[i], H5P_DEFAULT, H5P_DEFAULT) >= 0);
    }
    H5Fclose(from);
    int version = 1;
    const hsize_t one[] = {1};
    hid_t text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, 13);
    edit_attribute(file, "format", text, "nfsar-capture");
    edit_attribute(file, "format_version", H5T_NATIVE_INT, &version);
    edit_replace(file, "/provenance", text, 1, one, H5P_DEFAULT, text, "old\0\0\0\0\0\0\0\0\0");
    H5Tclose(text);
    H5Fclose(file);
}

/* Close, load, and expect that status and that part of the message. */
static inline void edit_expect(hid_t file, enum nfsar_status status, const char *part) {
    nfsar_error error = {0};
    nfsar_capture capture;
    assert_true(H5Fclose(file) >= 0);
    enum nfsar_status found = nfsar_capture_load(test_path("edit.h5"), &capture, &error);
    if (found != status) {
        fail_msg("status %d instead of %d (%s), expected \"%s\"", found, status, error.message,
                 part);
    }
    if (found == NFSAR_OK) {
        nfsar_capture_free(&capture);
    } else {
        assert_contains(error.message, part);
        assert_contains(error.message, "edit.h5: ");
        assert_null(capture.echo);
        assert_null(capture.time_s);
    }
}

/* Close and load, which has to succeed. */
static inline nfsar_capture edit_load(hid_t file) {
    nfsar_error error;
    nfsar_capture capture;
    assert_true(H5Fclose(file) >= 0);
    assert_ok(nfsar_capture_load(test_path("edit.h5"), &capture, &error), error);
    return capture;
}

#endif
