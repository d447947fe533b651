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

/* Text of a dataset or attribute as HDF5 hands it out: of fixed or of variable length. */
struct text {
    hid_t type, space;
    bool variable;
    size_t size; /* of a fixed-length element */
    size_t n;
    char *fixed;     /* [n][size] */
    char **pointers; /* [n], owned by HDF5's heap */
};

/* Fill type, space and sizes; what is wrong, or NULL. */
static const char *examine(struct text *text) {
    if (text->type < 0 || text->space < 0 || H5Tget_class(text->type) != H5T_STRING) {
        return "must hold text";
    }
    hssize_t n = H5Sget_simple_extent_npoints(text->space);
    text->variable = H5Tis_variable_str(text->type) > 0;
    text->size = text->variable ? sizeof(char *) : H5Tget_size(text->type);
    if (n < 0 || H5Sget_simple_extent_ndims(text->space) > 1) {
        return "must be a list of text lines";
    }
    text->n = (size_t)n;
    size_t bytes = 0;
    if (text->size == 0 || __builtin_mul_overflow(text->n, text->size, &bytes) ||
        bytes > TEXT_LIMIT) {
        return "holds more text than is believable";
    }
    void *room = calloc(text->n > 0 ? text->n : 1, text->size);
    if (text->variable) {
        text->pointers = room;
    } else {
        text->fixed = room;
    }
    return room != NULL ? NULL : "does not fit into memory";
}

/* One element as a string of its own. */
static char *element(const struct text *text, size_t i) {
    char *copy = NULL;
    if (text->variable) {
        copy = strdup(text->pointers[i] != NULL ? text->pointers[i] : "");
    } else {
        copy = strndup(text->fixed + i * text->size, text->size);
    }
    if (copy != NULL) {
        utf8_clean(copy);
        if (!text->variable && H5Tget_strpad(text->type) == H5T_STR_SPACEPAD) {
            size_t length = strlen(copy);
            while (length > 0 && copy[length - 1] == ' ') {
                copy[--length] = '\0';
            }
        }
    }
    return copy;
}

static void release(struct text *text) {
    if (text->pointers != NULL) {
        H5Dvlen_reclaim(text->type, text->space, H5P_DEFAULT, text->pointers);
    }
    free(text->pointers);
    free(text->fixed);
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
        void *room = read.variable ? (void *)read.pointers : (void *)read.fixed;
        if (H5Aread(found, read.type, room) < 0) {
            fault = "cannot be read";
        } else if ((*text = element(&read, 0)) == NULL) {
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
        if (((*lines)[i] = element(text, i)) == NULL) {
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
        void *room = read.variable ? (void *)read.pointers : (void *)read.fixed;
        if (fault == NULL && read.n > 0 &&
            H5Dread(dataset, read.type, H5S_ALL, H5S_ALL, H5P_DEFAULT, room) < 0) {
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
    H5T_class_t class = type >= 0 ? H5Tget_class(type) : H5T_NO_CLASS;
    const char *fault = NULL;
    if ((class != H5T_FLOAT && class != H5T_INTEGER) || H5Tget_size(type) > 16 || space < 0 ||
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
