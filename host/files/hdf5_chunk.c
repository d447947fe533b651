#include "host/files/hdf5_chunk.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Bytes of a file that a chunk takes at the very least, counting its entry in an index. */
#define CHUNK_ENTRY UINT64_C(8)
/* What fletcher32 appends. */
#define CHECKSUM_BYTES 4

/* Only filters that every HDF5 has and that can be undone safely. */
static const char *check_filters(struct h5_chunks *chunks, hid_t list) {
    int n = H5Pget_nfilters(list);
    for (int i = 0; i < n; i++) {
        unsigned flags = 0;
        size_t values = 0;
        H5Z_filter_t filter =
            H5Pget_filter2(list, (unsigned)i, &flags, &values, NULL, 0, NULL, NULL);
        if (filter == H5Z_FILTER_DEFLATE && !chunks->deflated) {
            chunks->deflated = true;
        } else if (filter != H5Z_FILTER_SHUFFLE && filter != H5Z_FILTER_FLETCHER32) {
            return "is compressed in a way that is not read here; use gzip, or no compression";
        } else if (filter == H5Z_FILTER_SHUFFLE && chunks->deflated) {
            return "has its filters in an order that is not read here; use shuffle, then gzip";
        }
    }
    return n >= 0 ? NULL : "cannot be read";
}

static const char *check_extents(struct h5_chunks *chunks, hid_t list, hid_t dataset,
                                 const struct h5_shape *shape, uint64_t file_bytes) {
    hsize_t extent[H5S_MAX_RANK] = {0};
    hid_t type = H5Dget_type(dataset);
    size_t bytes = type >= 0 ? H5Tget_size(type) : 0;
    uint64_t n = 1;
    h5_drop(type);
    if (bytes < 1 || H5Pget_chunk(list, H5S_MAX_RANK, extent) != shape->rank) {
        return "cannot be read";
    }
    chunks->extent.rank = chunks->count.rank = shape->rank;
    for (int i = 0; i < shape->rank; i++) {
        if (extent[i] < 1 || __builtin_mul_overflow(bytes, extent[i], &bytes)) {
            return "has chunks of an impossible size";
        }
        chunks->extent.extent[i] = extent[i];
        chunks->count.extent[i] = (shape->extent[i] - 1) / extent[i] + 1;
        n *= chunks->count.extent[i]; /* at most the number of elements, which is known to fit */
    }
    if (n > file_bytes / CHUNK_ENTRY + 1) {
        return "has more chunks than the file can hold";
    }
    chunks->bytes = bytes;
    chunks->seen = calloc(n, 1);
    return chunks->seen != NULL ? NULL : "does not fit into memory";
}

const char *h5_chunks_open(struct h5_chunks *chunks, hid_t dataset, const struct h5_shape *shape,
                           uint64_t file_bytes) {
    memset(chunks, 0, sizeof *chunks);
    hid_t list = H5Dget_create_plist(dataset);
    const char *fault = list >= 0 ? NULL : "cannot be read";
    chunks->chunked = list >= 0 && H5Pget_layout(list) == H5D_CHUNKED;
    if (chunks->chunked) {
        H5D_chunk_index_t index = H5D_CHUNK_IDX_BTREE;
        fault = check_filters(chunks, list);
        if (fault == NULL) {
            fault = check_extents(chunks, list, dataset, shape, file_bytes);
        }
        /* The old index alone says how large even an unfiltered chunk is, and HDF5 believes it
         * when it takes a chunk as a whole. */
        chunks->cacheable = H5Dget_chunk_index_type(dataset, &index) >= 0 &&
                            (index != H5D_CHUNK_IDX_BTREE || H5Pget_nfilters(list) > 0);
    }
    h5_drop(list);
    return fault;
}

/* Whether the stream at in unpacks to exactly size bytes. */
static bool inflates_to(const uint8_t *in, size_t length, uint8_t *out, size_t size) {
    z_stream stream = {.next_in = (Bytef *)in, .avail_in = (uInt)length};
    if (inflateInit(&stream) != Z_OK) {
        return false;
    }
    stream.next_out = out;
    stream.avail_out = (uInt)size;
    int result = inflate(&stream, Z_FINISH);
    bool good = result == Z_STREAM_END && stream.total_out == size;
    inflateEnd(&stream);
    return good;
}

/* A deflated chunk, read as it is in the file and unpacked for trial. */
static const char *check_packed(const struct h5_chunks *chunks, hid_t dataset,
                                const hsize_t *offset, size_t stored) {
    /* HDF5 knows no chunks of 4 GiB. A checksum may have been taken before packing. */
    size_t room = chunks->bytes + CHECKSUM_BYTES;
    if (stored > UINT32_MAX || room > UINT32_MAX) {
        return "has chunks of an impossible size";
    }
    uint8_t *packed = malloc(stored), *unpacked = malloc(room);
    uint32_t skipped = 0;
    const char *fault = NULL;
    if (packed == NULL || unpacked == NULL) {
        fault = "does not fit into memory";
    } else if (H5Dread_chunk(dataset, H5P_DEFAULT, offset, &skipped, packed) < 0 || skipped != 0) {
        fault = "is damaged: a compressed part cannot be read";
    } else if (!inflates_to(packed, stored, unpacked, chunks->bytes) &&
               !inflates_to(packed, stored, unpacked, room)) {
        fault = "is damaged: a compressed part does not unpack to its size";
    }
    free(packed);
    free(unpacked);
    return fault;
}

static const char *check_one(const struct h5_chunks *chunks, hid_t dataset, const hsize_t *offset) {
    hsize_t stored = 0;
    if (H5Dget_chunk_storage_size(dataset, offset, &stored) < 0) {
        return "is damaged: its parts cannot be found";
    }
    if (stored == 0) {
        return "is incomplete: a part was never written, or is lost";
    }
    if (chunks->deflated) {
        return check_packed(chunks, dataset, offset, stored);
    }
    return stored >= chunks->bytes ? NULL : "is damaged: a part is shorter than it should be";
}

const char *h5_chunks_check(struct h5_chunks *chunks, hid_t dataset, const struct h5_shape *first,
                            const struct h5_shape *count) {
    if (!chunks->chunked) {
        return NULL;
    }
    size_t from[H5_RANK_LIMIT] = {0}, to[H5_RANK_LIMIT] = {0}, at[H5_RANK_LIMIT] = {0};
    size_t across[H5_RANK_LIMIT] = {1, 1, 1};
    const struct h5_shape *extent = &chunks->extent;
    for (int i = 0; i < extent->rank; i++) {
        from[i] = first->extent[i] / extent->extent[i];
        to[i] = (first->extent[i] + count->extent[i] - 1) / extent->extent[i];
        across[i] = chunks->count.extent[i];
    }
    for (at[0] = from[0]; at[0] <= to[0]; at[0]++) {
        for (at[1] = from[1]; at[1] <= to[1]; at[1]++) {
            for (at[2] = from[2]; at[2] <= to[2]; at[2]++) {
                uint8_t *seen = &chunks->seen[(at[0] * across[1] + at[1]) * across[2] + at[2]];
                hsize_t offset[H5_RANK_LIMIT];
                for (int i = 0; i < extent->rank; i++) {
                    offset[i] = at[i] * extent->extent[i];
                }
                const char *fault = *seen ? NULL : check_one(chunks, dataset, offset);
                if (fault != NULL) {
                    return fault;
                }
                *seen = 1;
            }
        }
    }
    return NULL;
}

void h5_chunks_close(struct h5_chunks *chunks) {
    free(chunks->seen);
    memset(chunks, 0, sizeof *chunks);
}
