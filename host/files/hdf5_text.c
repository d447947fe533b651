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

static enum nfsar_status fail_attribute(const struct h5_input *input, const char *name,
                                        const char *attribute, const char *fault,
                                        nfsar_error *error) {
    return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s, attribute %s %s", input->path, name,
                      attribute, fault);
}

/* size bytes, ended by a zero or not, as a string of its own. */
static char *make_line(const char *bytes, size_t size, H5T_str_t padding) {
    char *line = strndup(bytes, size);
    if (line != NULL) {
        utf8_clean(line);
        size_t length = strlen(line);
        while (padding == H5T_STR_SPACEPAD && length > 0 && line[length - 1] == ' ') {
            line[--length] = '\0';
        }
    }
    return line;
}

/* Open an attribute of the object called name; H5I_INVALID_HID where there is none. */
static enum nfsar_status open_attribute(const struct h5_input *input, const char *name,
                                        const char *attribute, hid_t *found, nfsar_error *error) {
    hid_t object = h5_open_object(input, name, H5O_TYPE_UNKNOWN, H5P_DEFAULT);
    htri_t exists = object >= 0 ? H5Aexists(object, attribute) : -1;
    *found = exists > 0 ? H5Aopen(object, attribute, H5P_DEFAULT) : H5I_INVALID_HID;
    enum nfsar_status status = NFSAR_OK;
    if (exists < 0 || (exists > 0 && *found < 0)) {
        status = fail_attribute(input, name, attribute, "cannot be read", error);
    }
    h5_drop(object);
    return status;
}

static const char *read_text(hid_t attribute, hid_t type, hid_t space, char **text) {
    const char *fault = h5_type_text_fault(type);
    if (fault != NULL) {
        return fault;
    }
    size_t size = H5Tget_size(type);
    if (space < 0 || H5Sget_simple_extent_npoints(space) != 1 || size < 1 || size > TEXT_LIMIT) {
        return "must be one line of text";
    }
    char *bytes = calloc(1, size);
    if (bytes == NULL) {
        fault = "does not fit into memory";
    } else if (H5Aread(attribute, type, bytes) < 0) {
        fault = "cannot be read";
    } else if ((*text = make_line(bytes, size, H5Tget_strpad(type))) == NULL) {
        fault = "does not fit into memory";
    }
    free(bytes);
    return fault;
}

enum nfsar_status h5_read_text(const struct h5_input *input, const char *name,
                               const char *attribute, char **text, nfsar_error *error) {
    hid_t opened = H5I_INVALID_HID;
    *text = NULL;
    enum nfsar_status status = open_attribute(input, name, attribute, &opened, error);
    if (status != NFSAR_OK || opened < 0) {
        return status;
    }
    hid_t type = H5Aget_type(opened), space = H5Aget_space(opened);
    const char *fault = read_text(opened, type, space, text);
    h5_drop(space);
    h5_drop(type);
    h5_drop(opened);
    return fault == NULL ? NFSAR_OK : fail_attribute(input, name, attribute, fault, error);
}

static const char *read_number(hid_t attribute, hid_t type, hid_t space, double *value) {
    if (type < 0 || !h5_type_is_number(type) || space < 0 ||
        H5Sget_simple_extent_npoints(space) != 1) {
        return "must be one number";
    }
    if (H5Aread(attribute, H5T_NATIVE_DOUBLE, value) < 0) {
        return "cannot be read";
    }
    return isfinite(*value) ? NULL : "is not a finite number";
}

enum nfsar_status h5_read_number(const struct h5_input *input, const char *name,
                                 const char *attribute, double *value, bool *found,
                                 nfsar_error *error) {
    hid_t opened = H5I_INVALID_HID;
    enum nfsar_status status = open_attribute(input, name, attribute, &opened, error);
    *found = status == NFSAR_OK && opened >= 0;
    if (!*found) {
        return status;
    }
    hid_t type = H5Aget_type(opened), space = H5Aget_space(opened);
    const char *fault = read_number(opened, type, space, value);
    h5_drop(space);
    h5_drop(type);
    h5_drop(opened);
    return fault == NULL ? NFSAR_OK : fail_attribute(input, name, attribute, fault, error);
}

/* The lines of an open dataset of text. */
static enum nfsar_status take_lines(struct h5_data *data, char ***lines, size_t *n,
                                    nfsar_error *error) {
    const struct h5_shape first = {.rank = 1};
    size_t count = data->shape.extent[0], size = data->element;
    hid_t type = H5Dget_type(data->dataset);
    H5T_str_t padding = type >= 0 ? H5Tget_strpad(type) : H5T_STR_ERROR;
    h5_drop(type);
    char *bytes = count <= TEXT_LIMIT / size ? calloc(count, size) : NULL;
    char **made = calloc(count, sizeof *made);
    enum nfsar_status status =
        bytes != NULL && made != NULL
            ? h5_data_read(data, &first, &data->shape, bytes, error)
            : nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: %s does not fit into memory",
                         data->input->path, data->name);
    for (size_t i = 0; status == NFSAR_OK && i < count; i++) {
        made[i] = make_line(bytes + i * size, size, padding);
        if (made[i] == NULL) {
            status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", data->input->path);
        }
    }
    free(bytes);
    if (status != NFSAR_OK) {
        lines_free(made, made != NULL ? count : 0);
        return status;
    }
    *lines = made;
    *n = count;
    return NFSAR_OK;
}

enum nfsar_status h5_read_lines(const struct h5_input *input, const char *name, char ***lines,
                                size_t *n, nfsar_error *error) {
    struct h5_shape shape = {1, {0}};
    struct h5_data data;
    bool found = false;
    *lines = NULL;
    *n = 0;
    enum nfsar_status status = h5_has(input, name, &found, error);
    if (status != NFSAR_OK || !found) {
        return status;
    }
    status = h5_data_open(&data, input, name, H5_TEXT, false, &shape, error);
    if (status == NFSAR_OK) {
        status = take_lines(&data, lines, n, error);
        h5_data_close(&data);
    }
    return status;
}
