/* NumPy .npy files: format versions 1, 2 and 3, little-endian numbers, C and Fortran order.
 * Source: numpy.lib.format, "NPY format". */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/import/cube.h"
#include "host/import/npy_blocks.h"

/* A header is some 100 bytes; NumPy itself refuses to parse more than 10000. */
#define HEADER_LIMIT 10000

struct npy_header {
    enum cube_element element;
    bool is_complex, fortran;
    size_t n;
    size_t shape[RIG_DIMENSIONS];
    size_t data; /* offset of the first number */
};

static void close_npy(struct cube *cube) {
    npy_blocks_close(cube->owner);
}

static const unsigned char *fetch(struct cube *cube, size_t offset, size_t *left,
                                  nfsar_error *error) {
    return npy_blocks_at(cube->owner, offset, left, error);
}

/* ---- the header: a Python dictionary of three known keys --------------------------------------
 */

static void skip_space(const char **at) {
    while (**at == ' ' || **at == '\n' || **at == '\t') {
        (*at)++;
    }
}

static bool take(const char **at, const char *word) {
    skip_space(at);
    size_t n = strlen(word);
    if (strncmp(*at, word, n) != 0) {
        return false;
    }
    *at += n;
    return true;
}

/* 'text' or "text" without escapes. */
static bool take_string(const char **at, char *text, size_t size) {
    skip_space(at);
    char quote = **at;
    if (quote != '\'' && quote != '"') {
        return false;
    }
    const char *end = strchr(*at + 1, quote);
    if (end == NULL || (size_t)(end - *at - 1) >= size) {
        return false;
    }
    memcpy(text, *at + 1, (size_t)(end - *at - 1));
    text[end - *at - 1] = '\0';
    *at = end + 1;
    return true;
}

static bool take_shape(const char **at, struct npy_header *header) {
    if (!take(at, "(")) {
        return false;
    }
    header->n = 0;
    while (!take(at, ")")) {
        skip_space(at);
        if (**at < '0' || **at > '9' || header->n == RIG_DIMENSIONS) {
            return false;
        }
        char *end = NULL;
        errno = 0;
        unsigned long long value = strtoull(*at, &end, 10);
        if (errno != 0 || value > SIZE_MAX / 16) {
            return false;
        }
        header->shape[header->n++] = (size_t)value;
        *at = *end == 'L' ? end + 1 : end;
        if (!take(at, ",")) {
            return take(at, ")");
        }
    }
    return true;
}

static bool find_element(const char *type, struct npy_header *header) {
    static const struct {
        const char *name;
        enum cube_element element;
        bool is_complex;
    } known[] = {
        {"<c8", CUBE_F32, true},  {"<c16", CUBE_F64, true}, {"<f4", CUBE_F32, false},
        {"<f8", CUBE_F64, false}, {"<i2", CUBE_I16, false}, {"<i4", CUBE_I32, false},
        {"|i1", CUBE_I8, false},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(type, known[i].name) == 0) {
            header->element = known[i].element;
            header->is_complex = known[i].is_complex;
            return true;
        }
    }
    return false;
}

static enum nfsar_status parse_dictionary(const char *text, struct npy_header *header,
                                          const char *path, nfsar_error *error) {
    char key[32], type[32] = "";
    bool good = take(&text, "{"), has_order = false, has_shape = false;
    while (good && !take(&text, "}")) {
        good = take_string(&text, key, sizeof key) && take(&text, ":");
        if (good && strcmp(key, "descr") == 0) {
            good = take_string(&text, type, sizeof type);
        } else if (good && strcmp(key, "fortran_order") == 0) {
            header->fortran = take(&text, "True");
            good = has_order = header->fortran || take(&text, "False");
        } else if (good && strcmp(key, "shape") == 0) {
            good = has_shape = take_shape(&text, header);
        } else {
            good = false;
        }
        if (good && !take(&text, ",")) {
            skip_space(&text);
            good = *text == '}';
        }
    }
    if (!good || type[0] == '\0' || !has_order || !has_shape) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: the header is not that of a plain array (descr, fortran_order, "
                          "shape)",
                          path);
    }
    if (!find_element(type, header)) {
        return nfsar_fail(error, NFSAR_ERROR_UNSUPPORTED,
                          "%s: numbers of type '%s' are not read; save them as complex64 "
                          "(a.astype('<c8'))",
                          path, type);
    }
    return NFSAR_OK;
}

static enum nfsar_status parse_header(const struct npy_blocks *blocks, const char *path,
                                      struct npy_header *header, nfsar_error *error) {
    unsigned char bytes[12];
    if (npy_blocks_size(blocks) < sizeof bytes) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: too short for a .npy file", path);
    }
    enum nfsar_status status = npy_blocks_read(blocks, 0, sizeof bytes, bytes, error);
    if (status != NFSAR_OK) {
        return status;
    }
    if (memcmp(bytes, "\x93NUMPY", 6) != 0) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: is not a .npy file", path);
    }
    if (bytes[6] < 1 || bytes[6] > 3) {
        return nfsar_fail(error, NFSAR_ERROR_VERSION, "%s: .npy format version %d.%d is not known",
                          path, bytes[6], bytes[7]);
    }
    size_t start = bytes[6] == 1 ? 10 : 12;
    size_t length = (size_t)bytes[8] | (size_t)bytes[9] << 8;
    if (bytes[6] > 1) {
        length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    }
    if (length > HEADER_LIMIT || length > npy_blocks_size(blocks) - start) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: the header is cut off", path);
    }
    char text[HEADER_LIMIT + 1];
    status = npy_blocks_read(blocks, start, length, text, error);
    if (status != NFSAR_OK) {
        return status;
    }
    text[length] = '\0';
    header->data = start + length;
    return parse_dictionary(text, header, path, error);
}

/* ---- shape and size -------------------------------------------------------------------------- */

static void describe_shape(const struct npy_header *header, char *text, size_t size) {
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < header->n && used < size; i++) {
        int more =
            snprintf(text + used, size - used, "%s%zu", i > 0 ? " x " : "", header->shape[i]);
        used += more > 0 ? (size_t)more : 0;
    }
}

static enum nfsar_status check_shape(const struct npy_header *header, size_t there,
                                     const struct cube *cube, const char *path,
                                     nfsar_error *error) {
    char shape[256];
    describe_shape(header, shape, sizeof shape);
    if (header->n != cube->n_axis) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: has %zu axes (%s), but files.axes names %zu", path, header->n, shape,
                          cube->n_axis);
    }
    size_t width = cube_element_size(header->element) * (header->is_complex ? 2 : 1);
    size_t bytes = width;
    bool fits = true;
    for (size_t i = 0; i < header->n; i++) {
        fits = fits && !__builtin_mul_overflow(bytes, header->shape[i], &bytes);
    }
    if (!fits || bytes != there) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: %s numbers of %zu bytes should follow the header, but %zu bytes do",
                          path, shape, width, there);
    }
    if (bytes == 0) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: the array is empty (%s)", path, shape);
    }
    return NFSAR_OK;
}

static void set_strides(const struct npy_header *header, struct cube *cube) {
    ptrdiff_t stride = header->is_complex ? 2 : 1;
    for (size_t i = 0; i < header->n; i++) {
        size_t axis = header->fortran ? i : header->n - 1 - i;
        cube->size[axis] = header->shape[axis];
        cube->stride[axis] = stride;
        stride *= (ptrdiff_t)header->shape[axis];
    }
}

/* Where imaginary parts lie: beside the real ones, or one step along the axis `complex`. */
static enum nfsar_status set_parts(const struct npy_header *header, struct cube *cube,
                                   nfsar_error *error) {
    size_t parts = cube_size(cube, RIG_DIMENSION_COMPLEX);
    size_t width = cube_element_size(cube->element);
    if (cube->is_waveform) {
        return parts == 0 && !header->is_complex
                   ? NFSAR_OK
                   : nfsar_fail(error, NFSAR_ERROR_FORMAT,
                                "%s: holds complex numbers, but radar.pulsed is for real waveforms",
                                cube->name);
    }
    if (header->is_complex && parts > 0) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "files.axes: %s holds complex numbers, so it has no axis 'complex'",
                          cube->name);
    }
    if (header->is_complex) {
        cube->imaginary_at = width;
        return NFSAR_OK;
    }
    if (parts != 2) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: holds real numbers; one axis of size 2 must be called 'complex' "
                          "(real, imaginary)",
                          cube->name);
    }
    for (size_t i = 0; i < cube->n_axis; i++) {
        if (cube->axis[i] == RIG_DIMENSION_COMPLEX) {
            cube->imaginary_at = (size_t)cube->stride[i] * width;
        }
    }
    return NFSAR_OK;
}

enum nfsar_status cube_open_npy(const char *path, struct cube *cube, nfsar_error *error) {
    struct npy_blocks *blocks = NULL;
    enum nfsar_status status = npy_blocks_open(path, cube->memory, &blocks, error);
    if (status != NFSAR_OK) {
        return status;
    }
    cube->owner = blocks;
    cube->close = close_npy;
    struct npy_header header = {0};
    status = parse_header(blocks, path, &header, error);
    if (status == NFSAR_OK) {
        status = check_shape(&header, npy_blocks_size(blocks) - header.data, cube, path, error);
    }
    if (status == NFSAR_OK) {
        npy_blocks_start(blocks, header.data);
        cube->element = header.element;
        cube->slab = cube->n_axis;
        cube->fetch = fetch;
        set_strides(&header, cube);
        status = set_parts(&header, cube, error);
    }
    if (status != NFSAR_OK) {
        cube_close(cube);
    }
    return status;
}
