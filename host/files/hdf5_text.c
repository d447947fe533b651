/* Text and attributes of hdf5_input.h. */
#include "host/files/hdf5_input.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/lines.h"
#include "host/files/hdf5_error.h"
#include "host/files/utf8.h"

/* Text beyond this is not a remark but an attack. */
#define TEXT_LIMIT ((size_t)16 << 20)

static enum nfsar_status fail_text(const struct h5_input *input, const char *name,
                                   const char *attribute, const char *fault, nfsar_error *error) {
    const char *at = attribute != NULL ? ", attribute " : "";
    return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s%s%s %s", input->path, name, at,
                      attribute != NULL ? attribute : "", fault);
}

/* Text of a dataset or attribute as HDF5 hands it out: lines of fixed length. */
struct text {
    hid_t type, space;
    size_t size; /* of a line */
    size_t n;
    char *lines; /* [n][size] */
};

/* Fill the sizes and make room; what is wrong, or NULL. */
static const char *examine(struct text *text) {
    if (text->type < 0 || text->space < 0 || H5Tget_class(text->type) != H5T_STRING) {
        return "must hold text";
    }
    if (H5Tis_variable_str(text->type) != 0) {
        /* HDF5 1.10 copies such text without looking whether it fits (H5HG_read()). */
        return "is text of variable length, which cannot be read safely; write it with a fixed "
               "length, in Python as numpy.bytes_(\"...\")";
    }
    hssize_t n = H5Sget_simple_extent_npoints(text->space);
    text->size = H5Tget_size(text->type);
    if (n < 0 || H5Sget_simple_extent_ndims(text->space) > 1) {
        return "must be a list of text lines";
    }
    text->n = (size_t)n;
    size_t bytes = 0;
    if (text->size == 0 || __builtin_mul_overflow(text->n, text->size, &bytes) ||
        bytes > TEXT_LIMIT) {
        return "holds more text than is believable";
    }
    text->lines = calloc(text->n > 0 ? text->n : 1, text->size);
    return text->lines != NULL ? NULL : "does not fit into memory";
}

/* One line as a string of its own. */
static char *line(const struct text *text, size_t i) {
    char *copy = strndup(text->lines + i * text->size, text->size);
    if (copy != NULL) {
        utf8_clean(copy);
        size_t length = strlen(copy);
        while (H5Tget_strpad(text->type) == H5T_STR_SPACEPAD && length > 0 &&
               copy[length - 1] == ' ') {
            copy[--length] = '\0';
        }
    }
    return copy;
}

static void release(struct text *text) {
    free(text->lines);
    h5_drop(text->space);
    h5_drop(text->type);
}

/* Whether an object has an attribute of that name, opened; H5I_INVALID_HID when not. */
static hid_t open_attribute(const struct h5_input *input, const char *name, const char *attribute) {
    hid_t object = H5Oopen(input->file, name, input->links);
    hid_t found = H5I_INVALID_HID;
    if (object >= 0 && H5Aexists(object, attribute) > 0) {
        found = H5Aopen(object, attribute, H5P_DEFAULT);
    }
    h5_drop(object);
    return found;
}

enum nfsar_status h5_read_text(const struct h5_input *input, const char *name,
                               const char *attribute, char **text, nfsar_error *error) {
    *text = NULL;
    hid_t found = open_attribute(input, name, attribute);
    if (found < 0) {
        return NFSAR_OK;
    }
    struct text read = {.type = H5Aget_type(found), .space = H5Aget_space(found)};
    const char *fault = examine(&read);
    if (fault == NULL && read.n != 1) {
        fault = "must be one line of text";
    }
    if (fault == NULL) {
        if (H5Aread(found, read.type, read.lines) < 0) {
            fault = "cannot be read";
        } else if ((*text = line(&read, 0)) == NULL) {
            fault = "does not fit into memory";
        }
    }
    release(&read);
    h5_drop(found);
    return fault == NULL ? NFSAR_OK : fail_text(input, name, attribute, fault, error);
}

static enum nfsar_status take_lines(const struct text *text, char ***lines, size_t *n,
                                    nfsar_error *error) {
    *lines = calloc(text->n > 0 ? text->n : 1, sizeof **lines);
    for (size_t i = 0; *lines != NULL && i < text->n; i++) {
        if (((*lines)[i] = line(text, i)) == NULL) {
            lines_free(*lines, i);
            *lines = NULL;
        }
    }
    *n = *lines != NULL ? text->n : 0;
    return *lines != NULL ? NFSAR_OK : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
}

enum nfsar_status h5_read_lines(const struct h5_input *input, const char *name, char ***lines,
                                size_t *n, nfsar_error *error) {
    *lines = NULL;
    *n = 0;
    hid_t dataset =
        h5_has(input, name) ? H5Oopen(input->file, name, input->links) : H5I_INVALID_HID;
    if (dataset < 0) {
        return NFSAR_OK;
    }
    const char *fault = "is not a dataset";
    enum nfsar_status status = NFSAR_OK;
    if (H5Iget_type(dataset) == H5I_DATASET) {
        struct text read = {.type = H5Dget_type(dataset), .space = H5Dget_space(dataset)};
        fault = examine(&read);
        if (fault == NULL && read.n > 0 &&
            H5Dread(dataset, read.type, H5S_ALL, H5S_ALL, H5P_DEFAULT, read.lines) < 0) {
            fault = "cannot be read";
        }
        if (fault == NULL) {
            status = take_lines(&read, lines, n, error);
        }
        release(&read);
    }
    h5_drop(dataset);
    return fault == NULL ? status : fail_text(input, name, NULL, fault, error);
}

enum nfsar_status h5_read_number(const struct h5_input *input, const char *name,
                                 const char *attribute, double *value, bool *found,
                                 nfsar_error *error) {
    hid_t opened = open_attribute(input, name, attribute);
    *found = opened >= 0;
    if (!*found) {
        return NFSAR_OK;
    }
    hid_t type = H5Aget_type(opened), space = H5Aget_space(opened);
    const char *fault = NULL;
    if (type < 0 || !h5_type_is_number(type) || space < 0 ||
        H5Sget_simple_extent_npoints(space) != 1) {
        fault = "must be one number";
    } else if (H5Aread(opened, H5T_NATIVE_DOUBLE, value) < 0) {
        fault = "cannot be read";
    } else if (!isfinite(*value)) {
        fault = "is not a finite number";
    }
    h5_drop(space);
    h5_drop(type);
    h5_drop(opened);
    return fault == NULL ? NFSAR_OK : fail_text(input, name, attribute, fault, error);
}
