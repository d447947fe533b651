#include "host/files/hdf5_output.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/files/format.h"
#include "host/files/hdf5_error.h"

/* The disk's reason where there is one, else HDF5's. */
static enum nfsar_status fail_write(const struct h5_output *output, const char *what,
                                    nfsar_error *error) {
    char reason[H5_REASON_LENGTH];
    if (output->sink.failure != 0) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: cannot be written: %s", output->path,
                          strerror(output->sink.failure));
    }
    return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s cannot be written: %s", output->path, what,
                      h5_reason(reason));
}

/* HDF5 buffers, so a call that went well may still have hit the disk's end. */
enum nfsar_status h5_output_outcome(const struct h5_output *output, bool good, const char *what,
                                    nfsar_error *error) {
    return good && output->sink.failure == 0 ? NFSAR_OK : fail_write(output, what, error);
}

/* With an alignment, data share no block of it with anything else: none is packed with small ones.
 */
static bool set_alignment(hid_t access, uint64_t alignment) {
    return alignment <= 1 || (H5Pset_alignment(access, 1, alignment) >= 0 &&
                              H5Pset_small_data_block_size(access, 0) >= 0);
}

static hid_t create_file(struct h5_sink *sink, uint64_t alignment) {
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    hid_t file = H5I_INVALID_HID;
    /* The structures of version 1.10 carry checksums, and data of fixed size need no index that
     * could be damaged. */
    if (access >= 0 && H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110) >= 0 &&
        set_alignment(access, alignment)) {
        file = h5_sink_create_file(sink, access);
    }
    h5_drop(access);
    return file;
}

static bool attach(hid_t object, const char *name, hid_t file_type, hid_t memory_type,
                   const void *value) {
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t attribute = space >= 0
                          ? H5Acreate2(object, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT)
                          : H5I_INVALID_HID;
    bool good = attribute >= 0 && H5Awrite(attribute, memory_type, value) >= 0;
    if (attribute >= 0) {
        good = H5Aclose(attribute) >= 0 && good;
    }
    h5_drop(space);
    return good;
}

/* Fixed-length UTF-8; of length 1 at least, as HDF5 knows no empty strings. */
hid_t h5_text_type(size_t length) {
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 &&
        (H5Tset_size(type, length > 0 ? length : 1) < 0 ||
         H5Tset_strpad(type, H5T_STR_NULLPAD) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0)) {
        H5Tclose(type);
        type = H5I_INVALID_HID;
    }
    return type;
}

static bool attach_text(hid_t object, const char *name, const char *text) {
    hid_t type = h5_text_type(strlen(text));
    bool good = type >= 0 && attach(object, name, type, type, text);
    h5_drop(type);
    return good;
}

enum nfsar_status h5_output_create(struct h5_output *output, const char *path, const char *format,
                                   nfsar_error *error) {
    return h5_output_create_aligned(output, path, format, 1, error);
}

enum nfsar_status h5_output_create_aligned(struct h5_output *output, const char *path,
                                           const char *format, uint64_t alignment,
                                           nfsar_error *error) {
    *output = (struct h5_output){.sink = {.descriptor = -1}, .file = H5I_INVALID_HID};
    output->path = strdup(path);
    if (output->path == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", path);
    }
    enum nfsar_status status = pending_create(path, PENDING_HDF5, &output->pending, error);
    if (status == NFSAR_OK) {
        output->sink.descriptor = open(pending_path(output->pending), O_RDWR | O_CLOEXEC);
        if (output->sink.descriptor < 0) {
            status = nfsar_fail(error, NFSAR_ERROR_FILE, "%s: cannot be written here: %s", path,
                                strerror(errno));
        }
    }
    if (status == NFSAR_OK) {
        int32_t version = FORMAT_VERSION;
        output->file = create_file(&output->sink, alignment);
        bool good = output->file >= 0 && attach_text(output->file, FORMAT_ATTRIBUTE, format) &&
                    attach(output->file, FORMAT_VERSION_ATTRIBUTE, H5T_STD_I32LE, H5T_NATIVE_INT32,
                           &version);
        status = h5_output_outcome(output, good, "the file", error);
    }
    if (status != NFSAR_OK) {
        h5_output_abandon(output);
    }
    return status;
}

enum nfsar_status h5_write_group(struct h5_output *output, const char *name, nfsar_error *error) {
    hid_t group = H5Gcreate2(output->file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    return h5_output_outcome(output, group >= 0 && H5Gclose(group) >= 0, name, error);
}

enum nfsar_status h5_write_data(struct h5_output *output, const char *name, enum h5_kind kind,
                                const struct h5_shape *shape, const void *data,
                                nfsar_error *error) {
    hid_t space = h5_space(shape);
    hid_t memory = h5_memory_type(kind), stored = h5_file_type(kind);
    hid_t dataset = H5I_INVALID_HID;
    if (space >= 0 && memory >= 0 && stored >= 0) {
        dataset =
            H5Dcreate2(output->file, name, stored, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    }
    bool good = dataset >= 0 && H5Dwrite(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0;
    good = dataset >= 0 && H5Dclose(dataset) >= 0 && good;
    enum nfsar_status status = h5_output_outcome(output, good, name, error);
    h5_drop(stored);
    h5_drop(memory);
    h5_drop(space);
    return status;
}

/* Space is allocated at once and not filled: whoever reserves it writes all of it. */
static hid_t reserving_list(const struct h5_shape *chunk) {
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    bool good = list >= 0 && H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY) >= 0 &&
                H5Pset_fill_time(list, H5D_FILL_TIME_NEVER) >= 0;
    if (good && chunk != NULL) {
        hsize_t size[H5_RANK_LIMIT];
        for (int i = 0; i < chunk->rank; i++) {
            size[i] = chunk->extent[i];
        }
        good = H5Pset_chunk(list, chunk->rank, size) >= 0;
    }
    if (!good && list >= 0) {
        H5Pclose(list);
        list = H5I_INVALID_HID;
    }
    return list;
}

enum nfsar_status h5_reserve_complex(struct h5_output *output, const char *name,
                                     const struct h5_shape *shape, const struct h5_shape *chunk,
                                     struct h5_place *place, nfsar_error *error) {
    /* Stored as it is in memory, so that it can be written as it is. */
    hid_t space = h5_space(shape), type = h5_memory_type(H5_COMPLEX);
    hid_t creation = reserving_list(chunk), dataset = H5I_INVALID_HID;
    *place = (struct h5_place){.known = false};
    if (space >= 0 && type >= 0 && creation >= 0 && h5_sink_takes(&output->sink, type, shape)) {
        dataset = H5Dcreate2(output->file, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    }
    if (dataset >= 0) {
        h5_place_find(place, dataset, shape, UINT64_MAX);
    }
    bool good = dataset >= 0 && H5Dclose(dataset) >= 0 && place->known;
    enum nfsar_status status = h5_output_outcome(output, good, name, error);
    if (status == NFSAR_OK) {
        status = h5_output_outcome(output, h5_sink_reserve(&output->sink, output->file) == 0, name,
                                   error);
    }
    h5_drop(creation);
    h5_drop(type);
    h5_drop(space);
    return status;
}

enum nfsar_status h5_reserve_data(struct h5_output *output, const char *name, hid_t type,
                                  const struct h5_shape *shape, uint64_t *offset,
                                  nfsar_error *error) {
    hid_t space = h5_space(shape), creation = reserving_list(NULL), dataset = H5I_INVALID_HID;
    haddr_t address = HADDR_UNDEF;
    if (type >= 0 && space >= 0 && creation >= 0 && h5_sink_takes(&output->sink, type, shape)) {
        dataset = H5Dcreate2(output->file, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    }
    if (dataset >= 0) {
        address = H5Dget_offset(dataset);
    }
    bool good = dataset >= 0 && H5Dclose(dataset) >= 0 && address != HADDR_UNDEF;
    *offset = address;
    h5_drop(creation);
    h5_drop(space);
    return h5_output_outcome(output, good, name, error);
}

enum nfsar_status h5_write_at(struct h5_output *output, uint64_t offset, const void *bytes,
                              size_t n, nfsar_error *error) {
    const char *at = bytes;
    struct h5_sink *sink = &output->sink;
    while (n > 0 && sink->failure == 0) {
        ssize_t done = pwrite(sink->descriptor, at, n, (off_t)offset);
        if (done <= 0 && errno != EINTR) {
            sink->failure = done < 0 ? errno : EIO;
        } else if (done > 0) {
            at += done;
            offset += (uint64_t)done;
            n -= (size_t)done;
        }
    }
    return h5_output_outcome(output, true, "the data", error);
}

enum nfsar_status h5_write_part(struct h5_output *output, const struct h5_place *place,
                                size_t first, size_t n, const void *data, nfsar_error *error) {
    struct h5_sink *sink = &output->sink;
    int failure = sink->failure == 0 ? h5_place_write(place, sink->descriptor, first, n, data) : 0;
    if (failure != 0) {
        sink->failure = failure;
    } else {
        h5_sink_wrote(sink,
                      n * place->shape.extent[1] * place->shape.extent[2] * sizeof(float complex));
    }
    return h5_output_outcome(output, true, "the data", error);
}

enum nfsar_status h5_rewrite_data(struct h5_output *output, const char *name, enum h5_kind kind,
                                  const void *data, nfsar_error *error) {
    hid_t dataset = H5Dopen2(output->file, name, H5P_DEFAULT), memory = h5_memory_type(kind);
    bool good = dataset >= 0 && memory >= 0 &&
                H5Dwrite(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0;
    good = dataset >= 0 && H5Dclose(dataset) >= 0 && good;
    enum nfsar_status status = h5_output_outcome(output, good, name, error);
    h5_drop(memory);
    return status;
}

/* The lines one after the other, each padded with zeros to *length. */
static char *pack_lines(char *const *lines, size_t n, size_t *length) {
    *length = 1;
    for (size_t i = 0; i < n; i++) {
        size_t one = strlen(lines[i]);
        *length = one > *length ? one : *length;
    }
    char *packed = calloc(n, *length);
    for (size_t i = 0; packed != NULL && i < n; i++) {
        memcpy(packed + i * *length, lines[i], strlen(lines[i]));
    }
    return packed;
}

enum nfsar_status h5_write_lines(struct h5_output *output, const char *name, char *const *lines,
                                 size_t n, nfsar_error *error) {
    if (n == 0) {
        return NFSAR_OK;
    }
    size_t length = 1;
    char *packed = pack_lines(lines, n, &length);
    if (packed == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", output->path);
    }
    struct h5_shape shape = {1, {n}};
    hid_t type = h5_text_type(length), space = h5_space(&shape), dataset = H5I_INVALID_HID;
    if (type >= 0 && space >= 0) {
        dataset =
            H5Dcreate2(output->file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    }
    bool good = dataset >= 0 && H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, packed) >= 0;
    good = dataset >= 0 && H5Dclose(dataset) >= 0 && good;
    enum nfsar_status status = h5_output_outcome(output, good, name, error);
    h5_drop(space);
    h5_drop(type);
    free(packed);
    return status;
}

enum nfsar_status h5_write_text(struct h5_output *output, const char *name, const char *attribute,
                                const char *text, nfsar_error *error) {
    hid_t object = H5Oopen(output->file, name, H5P_DEFAULT);
    bool good = object >= 0 && attach_text(object, attribute, text);
    good = object >= 0 && H5Oclose(object) >= 0 && good;
    return h5_output_outcome(output, good, name, error);
}

enum nfsar_status h5_write_number(struct h5_output *output, const char *name, const char *attribute,
                                  double value, nfsar_error *error) {
    hid_t object = H5Oopen(output->file, name, H5P_DEFAULT);
    bool good = object >= 0 && attach(object, attribute, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value);
    good = object >= 0 && H5Oclose(object) >= 0 && good;
    return h5_output_outcome(output, good, name, error);
}

static void release(struct h5_output *output) {
    if (output->sink.descriptor >= 0) {
        close(output->sink.descriptor);
    }
    free(output->path);
    *output = (struct h5_output){.sink = {.descriptor = -1}, .file = H5I_INVALID_HID};
}

enum nfsar_status h5_output_commit(struct h5_output *output, nfsar_error *error) {
    return h5_output_commit_checked(output, NULL, NULL, error);
}

/* Read back from the disk, not from what of it is still in memory. */
static void forget_pages(int descriptor) {
    if (fsync(descriptor) == 0) {
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
    }
}

enum nfsar_status h5_output_commit_checked(struct h5_output *output, h5_output_check *check,
                                           void *context, nfsar_error *error) {
    bool good = h5_sink_close_file(&output->sink, output->file) >= 0;
    output->file = H5I_INVALID_HID;
    enum nfsar_status status = h5_output_outcome(output, good, "the end", error);
    /* Some file systems report a full disk only now. */
    int descriptor = output->sink.descriptor;
    output->sink.descriptor = -1;
    if (check != NULL && status == NFSAR_OK) {
        forget_pages(descriptor);
    }
    if (close(descriptor) != 0 && status == NFSAR_OK) {
        output->sink.failure = errno;
        status = fail_write(output, "the end", error);
    }
    if (check != NULL && status == NFSAR_OK) {
        status = check(context, pending_path(output->pending), error);
    }
    if (status == NFSAR_OK) {
        status = pending_commit(output->pending, error);
    } else {
        pending_abandon(output->pending);
    }
    release(output);
    return status;
}

void h5_output_abandon(struct h5_output *output) {
    h5_sink_discard(&output->sink);
    if (output->file >= 0) {
        h5_sink_close_file(&output->sink, output->file);
    }
    pending_abandon(output->pending);
    release(output);
}
