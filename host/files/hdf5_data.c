/* Datasets of hdf5_input.h. */
#include "host/files/hdf5_input.h"

#include <stdlib.h>
#include <string.h>

#include "host/files/format.h"
#include "host/files/hdf5_error.h"

/* Deflate cannot shrink anything by more than a factor of 1032, and no other filter in use does
 * better on numbers. An array that claims more than this is a lie, or was never written. */
#define EXPANSION_LIMIT UINT64_C(1100)
/* Small arrays may be empty promises: filled with their fill value on reading. */
#define ALWAYS_ALLOWED (UINT64_C(1) << 24)
/* Bytes that a chunk's entry in an index takes at least. */
#define CHUNK_ENTRY UINT64_C(8)

static enum nfsar_status fail_hdf5(const struct h5_input *input, const char *name,
                                   nfsar_error *error) {
    char reason[H5_REASON_LENGTH];
    return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s cannot be read: %s", input->path, name,
                      h5_reason(reason));
}

static bool member_is(hid_t type, unsigned member, const char *name) {
    char *found = H5Tget_member_name(type, member);
    bool same = found != NULL && strcmp(found, name) == 0;
    H5free_memory(found);
    return same;
}

static bool part_is_float(hid_t type, unsigned member) {
    hid_t part = H5Tget_member_type(type, member);
    size_t size = part >= 0 ? H5Tget_size(part) : 0;
    bool good = part >= 0 && H5Tget_class(part) == H5T_FLOAT && (size == 4 || size == 8);
    h5_drop(part);
    return good;
}

static bool is_complex(hid_t type) {
    return H5Tget_class(type) == H5T_COMPOUND && H5Tget_nmembers(type) == 2 &&
           member_is(type, 0, "r") && member_is(type, 1, "i") && part_is_float(type, 0) &&
           part_is_float(type, 1);
}

static enum nfsar_status check_type(const struct h5_input *input, const char *name, hid_t dataset,
                                    enum h5_kind kind, nfsar_error *error) {
    hid_t type = H5Dget_type(dataset);
    if (type < 0) {
        return fail_hdf5(input, name, error);
    }
    H5T_class_t class = H5Tget_class(type);
    const char *wanted = NULL;
    if (kind == H5_COMPLEX && !is_complex(type)) {
        wanted = "complex numbers: a compound of two floats r and i, as h5py stores complex64";
    } else if (kind == H5_REAL && class != H5T_FLOAT && class != H5T_INTEGER) {
        wanted = "numbers";
    } else if ((kind == H5_INTEGER || kind == H5_BYTE) && class != H5T_INTEGER) {
        wanted = "whole numbers";
    } else if (H5Tget_size(type) > 16) {
        wanted = "numbers of at most 16 bytes";
    }
    H5Tclose(type);
    return wanted == NULL ? NFSAR_OK
                          : nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s must hold %s",
                                       input->path, name, wanted);
}

static enum nfsar_status fail_shape(const struct h5_input *input, const char *name,
                                    const char *found, const struct h5_shape *wanted,
                                    nfsar_error *error) {
    char text[H5_SHAPE_LENGTH];
    return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s has the shape [%s], but should have [%s]",
                      input->path, name, found, h5_shape_text(wanted, text));
}

static enum nfsar_status check_shape(const struct h5_input *input, const char *name, hid_t dataset,
                                     struct h5_shape *shape, nfsar_error *error) {
    hid_t space = H5Dget_space(dataset);
    int rank = space >= 0 ? H5Sget_simple_extent_ndims(space) : -1;
    hsize_t extent[H5S_MAX_RANK] = {0};
    bool good =
        rank >= 0 && rank <= H5S_MAX_RANK && H5Sget_simple_extent_dims(space, extent, NULL) == rank;
    h5_drop(space);
    if (!good) {
        return fail_hdf5(input, name, error);
    }
    char text[H5_SHAPE_LENGTH];
    struct h5_shape found = {.rank = rank};
    if (rank > H5_RANK_LIMIT) {
        snprintf(text, sizeof text, "%d dimensions", rank);
        return fail_shape(input, name, text, shape, error);
    }
    bool fits = rank == shape->rank;
    for (int i = 0; i < rank; i++) {
        found.extent[i] = extent[i];
        fits = fits && extent[i] > 0 && (shape->extent[i] == 0 || shape->extent[i] == extent[i]);
    }
    if (!fits) {
        return fail_shape(input, name, h5_shape_text(&found, text), shape, error);
    }
    *shape = found;
    return NFSAR_OK;
}

/* Reads nothing from other files, and no more chunks than the file can hold. */
static const char *layout_fault(const struct h5_input *input, hid_t list, size_t bytes) {
    H5D_layout_t layout = H5Pget_layout(list);
    if (layout != H5D_COMPACT && layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED) {
        return "is a virtual dataset; copy the data into the file";
    }
    if (H5Pget_external_count(list) != 0) {
        return "keeps its data in another file; copy them into this one";
    }
    if (layout == H5D_CHUNKED) {
        hsize_t chunk[H5S_MAX_RANK] = {0};
        int rank = H5Pget_chunk(list, H5S_MAX_RANK, chunk);
        uint64_t elements = 1;
        for (int i = 0; i < rank; i++) {
            if (__builtin_mul_overflow(elements, chunk[i], &elements)) {
                return "has chunks that are too large";
            }
        }
        if (rank < 1 || elements < 1 || bytes / elements / CHUNK_ENTRY > input->bytes) {
            return "has more chunks than the file can hold";
        }
    }
    return NULL;
}

static enum nfsar_status check_size(const struct h5_input *input, const char *name, hid_t dataset,
                                    enum h5_kind kind, const struct h5_shape *shape,
                                    nfsar_error *error) {
    size_t elements = 0, bytes = 0;
    uint64_t limit = ALWAYS_ALLOWED;
    if (input->bytes < (UINT64_MAX - ALWAYS_ALLOWED) / EXPANSION_LIMIT) {
        limit += EXPANSION_LIMIT * input->bytes;
    }
    if (!h5_shape_elements(shape, &elements) ||
        __builtin_mul_overflow(elements, h5_element_size(kind), &bytes) || bytes > limit) {
        char text[H5_SHAPE_LENGTH];
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: %s claims [%s] numbers, more than a file of %llu bytes can hold",
                          input->path, name, h5_shape_text(shape, text),
                          (unsigned long long)input->bytes);
    }
    hid_t list = H5Dget_create_plist(dataset);
    if (list < 0) {
        return fail_hdf5(input, name, error);
    }
    const char *fault = layout_fault(input, list, elements);
    h5_drop(list);
    return fault == NULL
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s %s", input->path, name, fault);
}

enum nfsar_status h5_open_data(const struct h5_input *input, const char *name, enum h5_kind kind,
                               struct h5_shape *shape, hid_t *dataset, nfsar_error *error) {
    *dataset = H5I_INVALID_HID;
    if (!h5_has(input, name)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s is missing", input->path, name);
    }
    hid_t object = H5Oopen(input->file, name, input->links);
    if (object < 0) {
        return fail_hdf5(input, name, error);
    }
    enum nfsar_status status = NFSAR_OK;
    if (H5Iget_type(object) != H5I_DATASET) {
        status =
            nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s is not a dataset", input->path, name);
    }
    if (status == NFSAR_OK) {
        status = check_type(input, name, object, kind, error);
    }
    if (status == NFSAR_OK) {
        status = check_shape(input, name, object, shape, error);
    }
    if (status == NFSAR_OK) {
        status = check_size(input, name, object, kind, shape, error);
    }
    if (status == NFSAR_OK) {
        *dataset = object;
    } else {
        h5_drop(object);
    }
    return status;
}

enum nfsar_status h5_read_data(const struct h5_input *input, const char *name, enum h5_kind kind,
                               struct h5_shape *shape, void **data, nfsar_error *error) {
    hid_t dataset = H5I_INVALID_HID;
    *data = NULL;
    enum nfsar_status status = h5_open_data(input, name, kind, shape, &dataset, error);
    if (status != NFSAR_OK) {
        return status;
    }
    size_t elements = 0;
    h5_shape_elements(shape, &elements);
    *data = calloc(elements, h5_element_size(kind));
    hid_t type = h5_memory_type(kind);
    if (*data == NULL || type < 0) {
        status =
            nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory for %s", input->path, name);
    } else if (H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, *data) < 0) {
        status = fail_hdf5(input, name, error);
    }
    h5_drop(type);
    h5_drop(dataset);
    if (status != NFSAR_OK) {
        free(*data);
        *data = NULL;
    }
    return status;
}

enum nfsar_status h5_read_optional(const struct h5_input *input, const char *name,
                                   enum h5_kind kind, struct h5_shape *shape, void **data,
                                   nfsar_error *error) {
    *data = NULL;
    return h5_has(input, name) ? h5_read_data(input, name, kind, shape, data, error) : NFSAR_OK;
}

enum nfsar_status h5_read_part(const struct h5_input *input, const char *name, hid_t dataset,
                               const struct h5_shape *first, const struct h5_shape *count,
                               void *data, nfsar_error *error) {
    hid_t memory = h5_space(count), stored = H5Dget_space(dataset);
    hid_t type = h5_memory_type(H5_COMPLEX);
    bool good = memory >= 0 && stored >= 0 && type >= 0 && h5_select(stored, first, count) >= 0 &&
                H5Dread(dataset, type, memory, stored, H5P_DEFAULT, data) >= 0;
    enum nfsar_status status = good ? NFSAR_OK : fail_hdf5(input, name, error);
    h5_drop(type);
    h5_drop(stored);
    h5_drop(memory);
    return status;
}
