/* Datasets of hdf5_input.h: the checks before memory is given to them. */
#include "host/files/hdf5_input.h"

#include <stdlib.h>
#include <string.h>

#include "host/files/finite.h"
#include "host/files/format.h"
#include "host/files/hdf5_error.h"

/* Deflate cannot shrink anything by more than a factor of 1032, and no other filter in use does
 * better on numbers. An array that claims more than this is a lie, or was never written. */
#define EXPANSION_LIMIT UINT64_C(1100)
/* Small arrays may be empty promises: filled with their fill value on reading. */
#define ALWAYS_ALLOWED (UINT64_C(1) << 24)
static enum nfsar_status fail_hdf5(const struct h5_input *input, const char *name,
                                   nfsar_error *error) {
    char reason[H5_REASON_LENGTH];
    return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s cannot be read: %s", input->path, name,
                      h5_reason(reason));
}

static enum nfsar_status fail_plainly(const struct h5_input *input, const char *name,
                                      const char *fault, nfsar_error *error) {
    return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s %s", input->path, name, fault);
}

/* What is wrong with the type, or NULL. */
static const char *type_fault(enum h5_kind kind, hid_t type) {
    switch (kind) {
    case H5_COMPLEX:
        return h5_type_is_complex(type) ? NULL
                                        : "must hold complex numbers: a compound of two floats r "
                                          "and i, as h5py stores complex64";
    case H5_REAL:
        return h5_type_is_number(type) ? NULL : "must hold numbers (float32, float64 or integers)";
    case H5_INTEGER:
    case H5_BYTE:
        return h5_type_is_integer(type) ? NULL
                                        : "must hold whole numbers (integers of 8 to 64 bits)";
    case H5_TEXT:
        return h5_type_text_fault(type);
    case H5_STORED:
        return h5_type_is_number(type) || h5_type_is_complex(type) ? NULL
                                                                   : h5_type_text_fault(type);
    }
    return "cannot be read";
}

static bool is_as_stored(enum h5_kind kind) {
    return kind == H5_TEXT || kind == H5_STORED;
}

static enum nfsar_status check_type(struct h5_data *data, nfsar_error *error) {
    hid_t type = H5Dget_type(data->dataset);
    const char *fault = type >= 0 ? type_fault(data->kind, type) : "cannot be read";
    if (fault == NULL) {
        data->element = is_as_stored(data->kind) ? H5Tget_size(type) : h5_element_size(data->kind);
    }
    h5_drop(type);
    return fault == NULL ? NFSAR_OK : fail_plainly(data->input, data->name, fault, error);
}

static enum nfsar_status fail_shape(const struct h5_input *input, const char *name,
                                    const char *found, const struct h5_shape *wanted,
                                    nfsar_error *error) {
    char text[H5_SHAPE_LENGTH];
    return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %s has the shape [%s], but should have [%s]",
                      input->path, name, found, h5_shape_text(wanted, "any", text));
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
        return fail_shape(input, name, h5_shape_text(&found, "0", text), shape, error);
    }
    *shape = found;
    return NFSAR_OK;
}

/* More than any file of that size can hold? */
static bool is_absurd(const struct h5_input *input, size_t element, const struct h5_shape *shape) {
    size_t elements = 0, bytes = 0;
    uint64_t limit = ALWAYS_ALLOWED;
    if (input->bytes < (UINT64_MAX - ALWAYS_ALLOWED) / EXPANSION_LIMIT) {
        limit += EXPANSION_LIMIT * input->bytes;
    }
    return !h5_shape_elements(shape, &elements) ||
           __builtin_mul_overflow(elements, element, &bytes) || bytes > limit;
}

/* Data that are in this file, and all of them; what is wrong, or NULL. */
static const char *check_layout(hid_t dataset, const struct h5_shape *shape) {
    hid_t list = H5Dget_create_plist(dataset), type = H5Dget_type(dataset);
    H5D_layout_t layout = list >= 0 ? H5Pget_layout(list) : H5D_LAYOUT_ERROR;
    const char *fault = NULL;
    size_t elements = 0;
    h5_shape_elements(shape, &elements);
    if (layout != H5D_COMPACT && layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED) {
        fault = "is a virtual dataset; copy the data into the file";
    } else if (H5Pget_external_count(list) != 0) {
        fault = "keeps its data in another file; copy them into this one";
    } else if (layout == H5D_CONTIGUOUS && H5Dget_offset(dataset) == HADDR_UNDEF) {
        fault = "is incomplete: it was never written";
    } else if (layout != H5D_CHUNKED &&
               (type < 0 || H5Dget_storage_size(dataset) / H5Tget_size(type) != elements)) {
        fault = "is damaged: it has not the size that its shape asks for";
    }
    h5_drop(type);
    h5_drop(list);
    return fault;
}

static enum nfsar_status check_size(const struct h5_data *data, const struct h5_shape *shape,
                                    nfsar_error *error) {
    const struct h5_input *input = data->input;
    if (is_absurd(input, data->element, shape)) {
        char text[H5_SHAPE_LENGTH];
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: %s claims [%s] entries, more than a file of %llu bytes can hold",
                          input->path, data->name, h5_shape_text(shape, "0", text),
                          (unsigned long long)input->bytes);
    }
    const char *fault = check_layout(data->dataset, shape);
    return fault == NULL ? NFSAR_OK : fail_plainly(input, data->name, fault, error);
}

/* Without a chunk cache by default: see h5_chunks::cacheable. */
static hid_t open_dataset(const struct h5_input *input, const char *name, bool cached) {
    hid_t access = H5Pcreate(H5P_DATASET_ACCESS), dataset = H5I_INVALID_HID;
    if (access >= 0 && H5Pset_elink_cb(access, h5_refuse_link, NULL) >= 0 &&
        H5Pset_chunk_cache(access, FORMAT_CACHE_SLOTS, cached ? FORMAT_CACHE_BYTES : 0, 1.0) >= 0) {
        dataset = h5_open_object(input, name, H5O_TYPE_DATASET, access);
    }
    h5_drop(access);
    return dataset;
}

static enum nfsar_status open_checked(struct h5_data *data, struct h5_shape *shape,
                                      nfsar_error *error) {
    const struct h5_input *input = data->input;
    bool found = false;
    enum nfsar_status status = h5_has(input, data->name, &found, error);
    if (status == NFSAR_OK && !found) {
        status = fail_plainly(input, data->name,
                              "is missing; docs/files.md says what has to be there", error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    data->dataset = open_dataset(input, data->name, false);
    if (data->dataset < 0) {
        return fail_plainly(input, data->name, "is not a dataset that can be read", error);
    }
    status = check_type(data, error);
    if (status == NFSAR_OK) {
        status = check_shape(input, data->name, data->dataset, shape, error);
    }
    if (status == NFSAR_OK) {
        status = check_size(data, shape, error);
    }
    if (status == NFSAR_OK) {
        const char *fault = h5_chunks_open(&data->chunks, data->dataset, shape, input->bytes);
        status = fault == NULL ? NFSAR_OK : fail_plainly(input, data->name, fault, error);
    }
    return status;
}

enum nfsar_status h5_data_open(struct h5_data *data, const struct h5_input *input, const char *name,
                               enum h5_kind kind, bool cached, struct h5_shape *shape,
                               nfsar_error *error) {
    *data = (struct h5_data){.input = input, .dataset = H5I_INVALID_HID, .kind = kind};
    snprintf(data->name, sizeof data->name, "%s", name);
    enum nfsar_status status = open_checked(data, shape, error);
    if (status == NFSAR_OK && cached && data->chunks.cacheable) {
        H5Dclose(data->dataset);
        data->dataset = open_dataset(input, name, true);
        status = data->dataset >= 0 ? NFSAR_OK : fail_hdf5(input, name, error);
    }
    if (status == NFSAR_OK) {
        data->shape = *shape;
        /* HDF5 does not say the same everywhere on where addresses begin. */
        if (kind == H5_COMPLEX && input->base == 0) {
            h5_place_find(&data->place, data->dataset, shape, input->bytes);
            h5_pairs_find(&data->pairs, data->dataset, shape, input->bytes);
        }
    } else {
        h5_data_close(data);
    }
    return status;
}

static enum nfsar_status read_directly(const struct h5_data *data, const struct h5_shape *first,
                                       const struct h5_shape *count, float complex *out,
                                       bool *finite, nfsar_error *error) {
    const int descriptor = data->input->descriptor;
    int failure = 0;
    if (data->pairs.known) {
        failure = h5_pairs_read(&data->pairs, descriptor, first, count, out);
        *finite = true;
    } else {
        failure = h5_place_read(&data->place, descriptor, first, count, out, finite);
    }
    return failure == 0 ? NFSAR_OK
                        : nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s cannot be read: %s",
                                     data->input->path, data->name,
                                     failure == H5_PLACE_ENDED ? "the file became shorter"
                                                               : strerror(failure));
}

static enum nfsar_status read_by_hdf5(struct h5_data *data, const struct h5_shape *first,
                                      const struct h5_shape *count, void *out, nfsar_error *error) {
    const char *fault = h5_chunks_check(&data->chunks, data->dataset, first, count);
    if (fault != NULL) {
        return fail_plainly(data->input, data->name, fault, error);
    }
    hid_t memory = h5_space(count), stored = H5Dget_space(data->dataset);
    hid_t type = is_as_stored(data->kind) ? H5Dget_type(data->dataset) : h5_memory_type(data->kind);
    bool good = memory >= 0 && stored >= 0 && type >= 0 && h5_select(stored, first, count) >= 0 &&
                H5Dread(data->dataset, type, memory, stored, H5P_DEFAULT, out) >= 0;
    enum nfsar_status status = good ? NFSAR_OK : fail_hdf5(data->input, data->name, error);
    h5_drop(type);
    h5_drop(stored);
    h5_drop(memory);
    return status;
}

static bool goes_directly(const struct h5_data *data, const struct h5_shape *count) {
    return data->pairs.known || (data->place.known && h5_place_suits(&data->place, count));
}

enum nfsar_status h5_data_read(struct h5_data *data, const struct h5_shape *first,
                               const struct h5_shape *count, void *out, nfsar_error *error) {
    bool finite = true;
    return goes_directly(data, count) ? read_directly(data, first, count, out, &finite, error)
                                      : read_by_hdf5(data, first, count, out, error);
}

enum nfsar_status h5_data_read_samples(struct h5_data *data, const struct h5_shape *first,
                                       const struct h5_shape *count, float complex *out,
                                       size_t *infinite, nfsar_error *error) {
    bool finite = false;
    enum nfsar_status status = goes_directly(data, count)
                                   ? read_directly(data, first, count, out, &finite, error)
                                   : read_by_hdf5(data, first, count, out, error);
    size_t n = 0;
    h5_shape_elements(count, &n);
    *infinite = status != NFSAR_OK || finite ? n : first_infinite(out, n);
    return status;
}

void h5_data_close(struct h5_data *data) {
    if (data->input != NULL) {
        h5_drop(data->dataset);
    }
    h5_chunks_close(&data->chunks);
    *data = (struct h5_data){.dataset = H5I_INVALID_HID};
}

/* The entries [0, n) of a dataset of that shape. */
static enum nfsar_status read_entries(struct h5_data *data, size_t n, void **out,
                                      nfsar_error *error) {
    const struct h5_shape first = {.rank = data->shape.rank};
    struct h5_shape count = data->shape;
    size_t elements = 0;
    count.extent[0] = n;
    h5_shape_elements(&count, &elements);
    *out = calloc(elements, data->element);
    enum nfsar_status status =
        *out != NULL ? h5_data_read(data, &first, &count, *out, error)
                     : nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory for %s",
                                  data->input->path, data->name);
    if (status != NFSAR_OK) {
        free(*out);
        *out = NULL;
    }
    return status;
}

enum nfsar_status h5_read_data(const struct h5_input *input, const char *name, enum h5_kind kind,
                               struct h5_shape *shape, void **out, nfsar_error *error) {
    struct h5_data data;
    *out = NULL;
    enum nfsar_status status = h5_data_open(&data, input, name, kind, false, shape, error);
    if (status == NFSAR_OK) {
        status = read_entries(&data, shape->extent[0], out, error);
        h5_data_close(&data);
    }
    return status;
}

enum nfsar_status h5_read_first(const struct h5_input *input, const char *name, enum h5_kind kind,
                                size_t n, struct h5_shape *shape, void **out, nfsar_error *error) {
    struct h5_data data;
    *out = NULL;
    shape->extent[0] = 0;
    enum nfsar_status status = h5_data_open(&data, input, name, kind, false, shape, error);
    if (status != NFSAR_OK) {
        return status;
    }
    if (shape->extent[0] < n) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                            "%s: %s has %zu entries, not the %zu that are "
                            "counted",
                            input->path, name, shape->extent[0], n);
    } else {
        status = read_entries(&data, n, out, error);
        shape->extent[0] = n;
    }
    h5_data_close(&data);
    return status;
}

enum nfsar_status h5_read_optional(const struct h5_input *input, const char *name,
                                   enum h5_kind kind, struct h5_shape *shape, void **out,
                                   nfsar_error *error) {
    bool found = false;
    *out = NULL;
    enum nfsar_status status = h5_has(input, name, &found, error);
    return status == NFSAR_OK && found ? h5_read_data(input, name, kind, shape, out, error)
                                       : status;
}
