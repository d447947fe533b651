/* Arrays of others for tests: .npy files written byte by byte, .mat files by matio. */
#ifndef NFSAR_TESTS_IMPORT_CUBES_H
#define NFSAR_TESTS_IMPORT_CUBES_H

#include <matio.h>

#include "tests/import/recorder.h"

/* Header of format version 1 or 2 for a type, order and shape such as "(2, 3)". */
static inline void npy_header(struct tape *tape, int version, const char *type, bool fortran,
                              const char *shape) {
    char text[256];
    int length = snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }",
                          type, fortran ? "True" : "False", shape);
    size_t start = version == 1 ? 10 : 12;
    while ((start + (size_t)length + 1) % 64 != 0) {
        text[length++] = ' ';
    }
    text[length++] = '\n';
    tape->bytes = realloc(tape->bytes, start + (size_t)length);
    memcpy(tape->bytes, "\x93NUMPY", 6);
    tape->bytes[6] = (unsigned char)version;
    tape->bytes[7] = 0;
    tape->bytes[8] = (unsigned char)(length & 255);
    tape->bytes[9] = (unsigned char)(length >> 8);
    if (version > 1) {
        tape->bytes[10] = tape->bytes[11] = 0;
    }
    memcpy(tape->bytes + start, text, (size_t)length);
    tape->size = start + (size_t)length;
}

static inline void tape_bytes(struct tape *tape, const void *bytes, size_t n) {
    tape->bytes = realloc(tape->bytes, tape->size + n);
    memcpy(tape->bytes + tape->size, bytes, n);
    tape->size += n;
}

/* A real number in one of NumPy's types. */
static inline void npy_number(struct tape *tape, const char *type, float value) {
    float f4 = value;
    double f8 = (double)value;
    int16_t i2 = (int16_t)value;
    if (strcmp(type, "<f4") == 0 || strcmp(type, "<c8") == 0) {
        tape_bytes(tape, &f4, 4);
    } else if (strcmp(type, "<f8") == 0 || strcmp(type, "<c16") == 0) {
        tape_bytes(tape, &f8, 8);
    } else {
        tape_bytes(tape, &i2, 2);
    }
}

static inline void npy_sample(struct tape *tape, const char *type, float complex value) {
    npy_number(tape, type, crealf(value));
    npy_number(tape, type, cimagf(value));
}

/* Write one numeric array with matio; value(i) gives element i in MATLAB's order. */
static inline void write_mat(const char *name, enum mat_ft version, bool compressed,
                             const char *variable, bool single, bool is_complex, int rank,
                             size_t *dims, float complex (*value)(size_t)) {
    size_t n = 1;
    for (int i = 0; i < rank; i++) {
        n *= dims[i];
    }
    size_t width = single ? 4 : 8;
    unsigned char *part[2] = {malloc(n * width), malloc(n * width)};
    for (size_t i = 0; i < n; i++) {
        float re = crealf(value(i)), im = cimagf(value(i));
        double both[2] = {(double)re, (double)im};
        memcpy(part[0] + i * width, single ? (void *)&re : (void *)&both[0], width);
        memcpy(part[1] + i * width, single ? (void *)&im : (void *)&both[1], width);
    }
    mat_complex_split_t split = {.Re = part[0], .Im = part[1]};
    mat_t *mat = Mat_CreateVer(test_path(name), NULL, version);
    assert_non_null(mat);
    matvar_t *made = Mat_VarCreate(
        variable, single ? MAT_C_SINGLE : MAT_C_DOUBLE, single ? MAT_T_SINGLE : MAT_T_DOUBLE, rank,
        dims, is_complex ? (void *)&split : (void *)part[0], is_complex ? MAT_F_COMPLEX : 0);
    assert_non_null(made);
    assert_int_equal(
        Mat_VarWrite(mat, made, compressed ? MAT_COMPRESSION_ZLIB : MAT_COMPRESSION_NONE), 0);
    Mat_VarFree(made);
    Mat_Close(mat);
    free(part[0]);
    free(part[1]);
}

#endif
