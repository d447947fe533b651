#include "host/files/hdf5_copy.h"

#include <stdlib.h>
#include <string.h>

#include "algorithms/lines.h"

/* What is moved at a time. */
#define BLOCK_BYTES ((size_t)4 << 20)
/* Names as h5_data has room for, and no deeper than anybody needs. */
#define NAME_LIMIT  64
#define DEPTH_LIMIT 8
/* Attributes are small, and so is what a group of them takes. */
#define ATTRIBUTE_BYTES ((size_t)64 << 10)
#define OBJECTS_LIMIT   10000

/* ---- datasets ------------------------------------------------------------------------------- */

/* Rank and whether there is nothing in it. False when that cannot be said. */
static bool find_rank(hid_t dataset, int *rank, bool *empty) {
    hid_t space = H5Dget_space(dataset);
    *rank = space >= 0 ? H5Sget_simple_extent_ndims(space) : -1;
    *empty = space >= 0 && H5Sget_simple_extent_npoints(space) == 0;
    h5_drop(space);
    return *rank >= 0 && *rank <= H5_RANK_LIMIT;
}

static enum nfsar_status open_any(struct h5_data *data, const struct h5_input *input,
                                  const char *name, nfsar_error *error) {
    hid_t dataset = h5_open_object(input, name, H5O_TYPE_DATASET, H5P_DEFAULT);
    struct h5_shape shape = {0};
    bool empty = false;
    bool good = dataset >= 0 && find_rank(dataset, &shape.rank, &empty);
    h5_drop(dataset);
    if (!good) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s cannot be read", input->path, name);
    }
    return h5_data_open(data, input, name, H5_STORED, false, &shape, error);
}

/* Entries of the first axis that are moved at a time, and the bytes of one. */
static size_t block_entries(const struct h5_data *data, size_t *entry) {
    *entry = data->element;
    for (int i = 1; i < data->shape.rank; i++) {
        *entry *= data->shape.extent[i];
    }
    return *entry < BLOCK_BYTES ? BLOCK_BYTES / *entry : 1;
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static bool write_block(hid_t dataset, hid_t type, const struct h5_shape *first,
                        const struct h5_shape *count, const void *bytes) {
    hid_t memory = h5_space(count), stored = H5Dget_space(dataset);
    bool good = memory >= 0 && stored >= 0 &&
                (count->rank == 0 || h5_select(stored, first, count) >= 0) &&
                H5Dwrite(dataset, type, memory, stored, H5P_DEFAULT, bytes) >= 0;
    h5_drop(stored);
    h5_drop(memory);
    return good;
}

static enum nfsar_status copy_blocks(struct h5_data *data, size_t n, struct h5_output *output,
                                     hid_t dataset, hid_t type, nfsar_error *error) {
    size_t entry = 0, step = block_entries(data, &entry);
    struct h5_shape first = {.rank = data->shape.rank}, count = data->shape;
    void *bytes = malloc(smaller(step, n) * entry + 1); /* there may be none */
    enum nfsar_status status =
        bytes != NULL ? NFSAR_OK
                      : nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", output->path);
    for (size_t i = 0; status == NFSAR_OK && i < n; i += step) {
        first.extent[0] = i;
        count.extent[0] = smaller(step, n - i);
        status = h5_data_read(data, &first, &count, bytes, error);
        if (status == NFSAR_OK) {
            status = h5_output_outcome(output, write_block(dataset, type, &first, &count, bytes),
                                       data->name, error);
        }
    }
    free(bytes);
    return status;
}

static enum nfsar_status copy_open(struct h5_data *data, size_t n, struct h5_output *output,
                                   const char *to, nfsar_error *error) {
    struct h5_shape shape = data->shape;
    if (shape.rank == 0) {
        n = 1;
    } else if (n == H5_ALL_ENTRIES) {
        n = shape.extent[0];
    } else if (n > shape.extent[0]) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: %s has %zu entries, not the %zu that are counted", data->input->path,
                          data->name, shape.extent[0], n);
    } else {
        shape.extent[0] = n;
    }
    hid_t type = H5Dget_type(data->dataset), space = h5_space(&shape), dataset = H5I_INVALID_HID;
    if (type >= 0 && space >= 0) {
        dataset = H5Dcreate2(output->file, to, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    }
    enum nfsar_status status = h5_output_outcome(output, dataset >= 0, to, error);
    if (status == NFSAR_OK) {
        status = copy_blocks(data, n, output, dataset, type, error);
        bool closed = H5Dclose(dataset) >= 0;
        status = status == NFSAR_OK ? h5_output_outcome(output, closed, to, error) : status;
    }
    h5_drop(space);
    h5_drop(type);
    return status;
}

/* A table without rows, of numbers: nothing to read, and still a table. */
static bool copy_empty(const struct h5_input *input, const char *name, struct h5_output *output,
                       const char *to) {
    hid_t from = h5_open_object(input, name, H5O_TYPE_DATASET, H5P_DEFAULT);
    hid_t type = from >= 0 ? H5Dget_type(from) : H5I_INVALID_HID;
    hid_t made = H5I_INVALID_HID;
    struct h5_shape shape = {0};
    hsize_t extent[H5_RANK_LIMIT] = {0};
    bool empty = false;
    if (type >= 0 && find_rank(from, &shape.rank, &empty) && empty && shape.rank > 0 &&
        (h5_type_is_number(type) || h5_type_is_complex(type))) {
        hid_t space = H5Dget_space(from);
        H5Sget_simple_extent_dims(space, extent, NULL);
        hid_t same = H5Screate_simple(shape.rank, extent, NULL);
        made = H5Dcreate2(output->file, to, type, same, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        h5_drop(same);
        h5_drop(space);
    }
    const bool copied = made >= 0;
    h5_drop(made);
    h5_drop(type);
    h5_drop(from);
    return copied;
}

enum nfsar_status h5_copy_data(const struct h5_input *input, const char *name, size_t n,
                               struct h5_output *output, const char *to, nfsar_error *error) {
    struct h5_data data;
    if (n == H5_ALL_ENTRIES && copy_empty(input, name, output, to)) {
        return NFSAR_OK;
    }
    enum nfsar_status status = open_any(&data, input, name, error);
    if (status == NFSAR_OK) {
        status = copy_open(&data, n, output, to, error);
        h5_data_close(&data);
    }
    return status;
}

static enum nfsar_status compare_open(struct h5_data *a, struct h5_data *b, size_t n,
                                      nfsar_error *error) {
    size_t entry = 0, step = block_entries(a, &entry);
    struct h5_shape first = {.rank = a->shape.rank}, count = a->shape;
    bool same = a->element == b->element && a->shape.rank == b->shape.rank && a->shape.rank > 0 &&
                n <= a->shape.extent[0] && n == b->shape.extent[0];
    for (int i = 1; same && i < a->shape.rank; i++) {
        same = a->shape.extent[i] == b->shape.extent[i];
    }
    char *here = malloc(smaller(step, n) * entry), *there = malloc(smaller(step, n) * entry);
    enum nfsar_status status =
        here != NULL && there != NULL
            ? NFSAR_OK
            : nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", a->input->path);
    for (size_t i = 0; status == NFSAR_OK && same && i < n; i += step) {
        first.extent[0] = i;
        count.extent[0] = smaller(step, n - i);
        status = h5_data_read(a, &first, &count, here, error);
        if (status == NFSAR_OK) {
            status = h5_data_read(b, &first, &count, there, error);
        }
        same = status != NFSAR_OK || memcmp(here, there, count.extent[0] * entry) == 0;
    }
    free(here);
    free(there);
    return status == NFSAR_OK && !same
               ? nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s reads back differently from the disk",
                            a->input->path, a->name)
               : status;
}

enum nfsar_status h5_compare_data(const struct h5_input *input, const char *name, size_t n,
                                  const struct h5_input *other, const char *there,
                                  nfsar_error *error) {
    struct h5_data a, b;
    enum nfsar_status status = open_any(&a, input, name, error);
    if (status != NFSAR_OK) {
        return status;
    }
    status = open_any(&b, other, there, error);
    if (status == NFSAR_OK) {
        status = compare_open(&a, &b, n, error);
        h5_data_close(&b);
    }
    h5_data_close(&a);
    return status;
}

/* ---- a walk over the file ------------------------------------------------------------------- */

struct walk {
    const struct h5_input *input;
    struct h5_output *output;
    const char *const *without;
    size_t objects, left_out;
    enum nfsar_status status;
    nfsar_error *error;
};

/* Whether the object, or the attribute of an object, is one of those that are not wanted. */
static bool is_unwanted(const struct walk *walk, const char *path, const char *attribute) {
    const size_t n = strlen(path);
    for (const char *const *name = walk->without; name != NULL && *name != NULL; name++) {
        const bool same = strncmp(*name, path, n) == 0;
        if (same &&
            (attribute == NULL ? (*name)[n] == '\0'
                               : (*name)[n] == '/' && strcmp(*name + n + 1, attribute) == 0)) {
            return true;
        }
    }
    return false;
}

static enum nfsar_status list(char ***names, size_t *n, nfsar_error *error, const char *format,
                              ...) {
    va_list arguments;
    va_start(arguments, format);
    enum nfsar_status status = lines_append(names, n, error, format, arguments);
    va_end(arguments);
    return status;
}

struct listing {
    char **names;
    size_t n, left_out;
};

/* Names of what is in a group, by links that stay in the file. */
static herr_t list_link(hid_t group, const char *name, const H5L_info_t *info, void *context) {
    struct listing *listing = context;
    (void)group;
    if (info->type != H5L_TYPE_HARD || strlen(name) >= NAME_LIMIT || listing->n >= OBJECTS_LIMIT ||
        list(&listing->names, &listing->n, NULL, "%s", name) != NFSAR_OK) {
        listing->left_out++;
    }
    return 0;
}

static bool list_group(const struct h5_input *input, const char *path, struct listing *listing) {
    *listing = (struct listing){0};
    hid_t group = h5_open_object(input, path, H5O_TYPE_GROUP, H5P_DEFAULT);
    bool good =
        group >= 0 && H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, list_link, listing) >= 0;
    h5_drop(group);
    return good;
}

enum nfsar_status h5_list_data(const struct h5_input *input, const char *group, char ***names,
                               size_t *n, nfsar_error *error) {
    struct listing listing;
    *names = NULL;
    *n = 0;
    enum nfsar_status status =
        list_group(input, group, &listing)
            ? NFSAR_OK
            : nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s cannot be read", input->path, group);
    for (size_t i = 0; status == NFSAR_OK && i < listing.n; i++) {
        char path[2 * NAME_LIMIT];
        snprintf(path, sizeof path, "%s/%s", group, listing.names[i]);
        hid_t dataset = h5_open_object(input, path, H5O_TYPE_DATASET, H5P_DEFAULT);
        if (dataset >= 0 && strlen(path) < NAME_LIMIT) {
            status = list(names, n, error, "%s", path);
        }
        h5_drop(dataset);
    }
    lines_free(listing.names, listing.n);
    if (status != NFSAR_OK) {
        lines_free(*names, *n);
        *names = NULL;
        *n = 0;
    }
    return status;
}

/* ---- attributes ----------------------------------------------------------------------------- */

struct attributes {
    struct walk *walk;
    const char *path;
    hid_t to;
};

static bool copy_attribute(hid_t from, hid_t to, const char *name) {
    hid_t attribute = H5Aopen(from, name, H5P_DEFAULT), made = H5I_INVALID_HID;
    hid_t type = attribute >= 0 ? H5Aget_type(attribute) : H5I_INVALID_HID;
    hid_t space = attribute >= 0 ? H5Aget_space(attribute) : H5I_INVALID_HID;
    hssize_t n = space >= 0 ? H5Sget_simple_extent_npoints(space) : -1;
    size_t size = type >= 0 ? H5Tget_size(type) : 0;
    bool good =
        n > 0 && size > 0 && (size_t)n <= ATTRIBUTE_BYTES / size &&
        (h5_type_is_number(type) || h5_type_is_complex(type) || h5_type_text_fault(type) == NULL);
    void *bytes = good ? calloc((size_t)n, size) : NULL;
    good = bytes != NULL && H5Aread(attribute, type, bytes) >= 0;
    if (good) {
        made = H5Acreate2(to, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
        good = made >= 0 && H5Awrite(made, type, bytes) >= 0;
    }
    free(bytes);
    h5_drop(made);
    h5_drop(space);
    h5_drop(type);
    h5_drop(attribute);
    return good;
}

static herr_t take_attribute(hid_t from, const char *name, const H5A_info_t *info, void *context) {
    struct attributes *attributes = context;
    (void)info;
    if (H5Aexists(attributes->to, name) == 0 &&
        !is_unwanted(attributes->walk, attributes->path, name) &&
        !copy_attribute(from, attributes->to, name)) {
        attributes->walk->left_out++;
    }
    return 0;
}

/* Those of an object that the one of the same name in the output has not. */
static void copy_attributes(struct walk *walk, const char *path) {
    hid_t from = h5_open_object(walk->input, path, H5O_TYPE_UNKNOWN, H5P_DEFAULT);
    struct attributes attributes = {walk, path, H5Oopen(walk->output->file, path, H5P_DEFAULT)};
    if (from >= 0 && attributes.to >= 0) {
        H5Aiterate2(from, H5_INDEX_NAME, H5_ITER_INC, NULL, take_attribute, &attributes);
    }
    h5_drop(attributes.to);
    h5_drop(from);
}

/* ---- everything ----------------------------------------------------------------------------- */

static H5O_type_t type_of(const struct h5_input *input, const char *path) {
    hid_t object = h5_open_object(input, path, H5O_TYPE_UNKNOWN, H5P_DEFAULT);
    H5O_info_t info;
    H5O_type_t type = object >= 0 && H5Oget_info2(object, &info, H5O_INFO_BASIC) >= 0
                          ? info.type
                          : H5O_TYPE_UNKNOWN;
    h5_drop(object);
    return type;
}

static void copy_group(struct walk *walk, const char *path, int depth);

/* An object, and what is in it. What cannot be read is left out; what cannot be written ends it. */
static void copy_object(struct walk *walk, const char *path, int depth) {
    const bool there = H5Lexists(walk->output->file, path, H5P_DEFAULT) > 0;
    const H5O_type_t type = type_of(walk->input, path);
    nfsar_error ignored;
    if (is_unwanted(walk, path, NULL)) {
        return;
    }
    if (++walk->objects > OBJECTS_LIMIT || strlen(path) >= NAME_LIMIT) {
        walk->left_out++;
        return;
    }
    if (type == H5O_TYPE_GROUP && depth < DEPTH_LIMIT) {
        if (!there) {
            walk->status = h5_write_group(walk->output, path, walk->error);
        }
        if (walk->status == NFSAR_OK) {
            copy_attributes(walk, path);
            copy_group(walk, path, depth + 1);
        }
    } else if (type == H5O_TYPE_DATASET) {
        bool copied = there || h5_copy_data(walk->input, path, H5_ALL_ENTRIES, walk->output, path,
                                            &ignored) == NFSAR_OK;
        if (copied) {
            copy_attributes(walk, path);
        } else {
            walk->left_out++;
            H5Ldelete(walk->output->file, path, H5P_DEFAULT);
        }
        walk->status = h5_output_outcome(walk->output, true, path, walk->error);
    } else {
        walk->left_out++;
    }
}

static void copy_group(struct walk *walk, const char *path, int depth) {
    struct listing listing;
    if (!list_group(walk->input, path, &listing)) {
        walk->left_out++;
    }
    walk->left_out += listing.left_out;
    for (size_t i = 0; walk->status == NFSAR_OK && i < listing.n; i++) {
        char inner[2 * NAME_LIMIT + 1];
        snprintf(inner, sizeof inner, "%s/%s", strcmp(path, "/") == 0 ? "" : path,
                 listing.names[i]);
        copy_object(walk, inner, depth);
    }
    lines_free(listing.names, listing.n);
}

enum nfsar_status h5_copy_rest(const struct h5_input *input, struct h5_output *output,
                               const char *const *without, size_t *left_out, nfsar_error *error) {
    struct walk walk = {.input = input, .output = output, .without = without, .error = error};
    copy_attributes(&walk, "/");
    copy_group(&walk, "/", 0);
    *left_out = walk.left_out;
    return walk.status;
}
