#include "host/files/hdf5_pack.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "host/files/hdf5_output.h"

#define ELEMENT sizeof(float complex)

static hid_t packing_list(const struct h5_pack *pack) {
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    hsize_t size[H5_RANK_LIMIT];
    for (int i = 0; i < H5_RANK_LIMIT; i++) {
        size[i] = pack->chunk.extent[i];
    }
    if (list >= 0 && (H5Pset_chunk(list, H5_RANK_LIMIT, size) < 0 || H5Pset_shuffle(list) < 0 ||
                      H5Pset_deflate(list, (unsigned)pack->level) < 0 ||
                      H5Pset_fill_time(list, H5D_FILL_TIME_NEVER) < 0)) {
        H5Pclose(list);
        list = H5I_INVALID_HID;
    }
    return list;
}

enum nfsar_status h5_pack_create(struct h5_pack *pack, struct h5_output *output, const char *name,
                                 const struct h5_shape *shape, const struct h5_shape *chunk,
                                 nfsar_error *error) {
    pack->dataset = H5I_INVALID_HID;
    pack->shape = *shape;
    pack->chunk = *chunk;
    hid_t space = h5_space(shape), type = h5_memory_type(H5_COMPLEX), list = packing_list(pack);
    if (space >= 0 && type >= 0 && list >= 0) {
        pack->dataset = H5Dcreate2(output->file, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    }
    enum nfsar_status status = h5_output_outcome(output, pack->dataset >= 0, name, error);
    h5_drop(list);
    h5_drop(type);
    h5_drop(space);
    return status;
}

/* ---- one chunk ------------------------------------------------------------------------------ */

struct chunk {
    hsize_t at[H5_RANK_LIMIT]; /* of its first element in the dataset */
    uint8_t *packed;           /* NULL: no memory */
    size_t bytes;
};

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Out of from[], whose first entry is `first` of the dataset; zero beyond the dataset's edges. */
static void gather(const struct h5_pack *pack, const struct chunk *chunk, size_t first,
                   const float complex *from, float complex *out) {
    const size_t *shape = pack->shape.extent, *extent = pack->chunk.extent;
    const size_t entries = smaller(extent[0], shape[0] - chunk->at[0]);
    const size_t rows = smaller(extent[1], shape[1] - chunk->at[1]);
    const size_t samples = smaller(extent[2], shape[2] - chunk->at[2]);
    memset(out, 0, extent[0] * extent[1] * extent[2] * ELEMENT);
    for (size_t i = 0; i < entries; i++) {
        for (size_t j = 0; j < rows; j++) {
            memcpy(out + (i * extent[1] + j) * extent[2],
                   from + ((chunk->at[0] - first + i) * shape[1] + chunk->at[1] + j) * shape[2] +
                       chunk->at[2],
                   samples * ELEMENT);
        }
    }
}

/* The first bytes of all elements, then the second ... (HDF5's filter of that name). */
static void shuffle(const uint8_t *from, size_t n, uint8_t *out) {
    for (size_t byte = 0; byte < ELEMENT; byte++) {
        for (size_t i = 0; i < n; i++) {
            out[byte * n + i] = from[i * ELEMENT + byte];
        }
    }
}

static void pack_chunk(const struct h5_pack *pack, struct chunk *chunk, size_t first,
                       const float complex *from) {
    const size_t n = pack->chunk.extent[0] * pack->chunk.extent[1] * pack->chunk.extent[2];
    uLongf room = compressBound(n * ELEMENT);
    float complex *plain = malloc(n * ELEMENT);
    uint8_t *shuffled = malloc(n * ELEMENT);
    chunk->packed = malloc(room);
    bool good = plain != NULL && shuffled != NULL && chunk->packed != NULL;
    if (good) {
        gather(pack, chunk, first, from, plain);
        shuffle((const uint8_t *)plain, n, shuffled);
        good = compress2(chunk->packed, &room, shuffled, n * ELEMENT, pack->level) == Z_OK;
        chunk->bytes = room;
    }
    if (!good) {
        free(chunk->packed);
        chunk->packed = NULL;
    }
    free(plain);
    free(shuffled);
}

/* ---- many ----------------------------------------------------------------------------------- */

static size_t parts(size_t n, size_t size) {
    return (n - 1) / size + 1;
}

enum nfsar_status h5_pack_write(struct h5_pack *pack, struct h5_output *output, size_t first,
                                size_t n, const float complex *from, nfsar_error *error) {
    const size_t *shape = pack->shape.extent, *extent = pack->chunk.extent;
    if (first % extent[0] != 0 || (n % extent[0] != 0 && first + n != shape[0])) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "%s: compressed entries are written %zu at a time, not %zu from %zu on",
                          output->path, extent[0], n, first);
    }
    const size_t across[2] = {parts(shape[1], extent[1]), parts(shape[2], extent[2])};
    const size_t count = parts(n, extent[0]) * across[0] * across[1];
    struct chunk *chunk = calloc(count, sizeof *chunk);
    if (chunk == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", output->path);
    }
#pragma omp parallel for schedule(dynamic)
    for (size_t i = 0; i < count; i++) {
        chunk[i].at[0] = first + i / (across[0] * across[1]) * extent[0];
        chunk[i].at[1] = i / across[1] % across[0] * extent[1];
        chunk[i].at[2] = i % across[1] * extent[2];
        pack_chunk(pack, &chunk[i], first, from);
    }
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; i < count; i++) {
        if (status == NFSAR_OK && chunk[i].packed == NULL) {
            status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", output->path);
        }
        if (status == NFSAR_OK) {
            bool good = H5Dwrite_chunk(pack->dataset, H5P_DEFAULT, 0, chunk[i].at, chunk[i].bytes,
                                       chunk[i].packed) >= 0;
            status = h5_output_outcome(output, good, "the data", error);
        }
        free(chunk[i].packed);
    }
    free(chunk);
    return status;
}

void h5_pack_close(struct h5_pack *pack) {
    if (pack->level > 0) {
        h5_drop(pack->dataset);
        pack->dataset = H5I_INVALID_HID;
        pack->level = 0;
    }
}
