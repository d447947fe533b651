#include "host/files/hdf5_place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/files/finite.h"

/* What goes through a thread's scratch at a time: it stays in the second-level cache. */
#define PIECE_BYTES ((size_t)256 << 10)
/* Entries of the first axis are moved whole: larger ones are left to HDF5, where they do not lie
 * in memory as in the file. */
#define ENTRY_LIMIT ((size_t)4 << 20)
/* Less is not worth waking other threads for. */
#define PARALLEL_BYTES ((size_t)4 << 20)

/* ---- where ---------------------------------------------------------------------------------- */

static bool is_native(hid_t dataset) {
    hid_t stored = H5Dget_type(dataset), native = h5_memory_type(H5_COMPLEX);
    bool same = stored >= 0 && native >= 0 && H5Tequal(stored, native) > 0;
    h5_drop(stored);
    h5_drop(native);
    return same;
}

/* The chunks are in the order of their indices, or there is only one. */
static bool find_chunks(struct h5_place *place, hid_t dataset, hid_t list) {
    hsize_t extent[H5S_MAX_RANK] = {0}, origin[H5_RANK_LIMIT] = {0}, stored = 0;
    H5D_chunk_index_t index = H5D_CHUNK_IDX_BTREE;
    haddr_t address = HADDR_UNDEF;
    unsigned skipped = 0;
    if (H5Pget_nfilters(list) != 0 || H5Dget_chunk_index_type(dataset, &index) < 0 ||
        (index != H5D_CHUNK_IDX_NONE && index != H5D_CHUNK_IDX_SINGLE) ||
        H5Pget_chunk(list, H5S_MAX_RANK, extent) != H5_RANK_LIMIT ||
        H5Dget_chunk_info_by_coord(dataset, origin, &skipped, &address, &stored) < 0 ||
        address == HADDR_UNDEF) {
        return false;
    }
    place->address = address;
    for (int i = 0; i < H5_RANK_LIMIT; i++) {
        if (extent[i] < 1) {
            return false;
        }
        place->extent.extent[i] = extent[i];
    }
    return true;
}

static bool find_start(struct h5_place *place, hid_t dataset) {
    hid_t list = H5Dget_create_plist(dataset);
    H5D_layout_t layout = list >= 0 ? H5Pget_layout(list) : H5D_LAYOUT_ERROR;
    bool good = false;
    if (layout == H5D_CHUNKED) {
        good = find_chunks(place, dataset, list);
    } else if (layout == H5D_CONTIGUOUS && H5Pget_external_count(list) == 0) {
        place->address = H5Dget_offset(dataset);
        good = place->address != HADDR_UNDEF;
    }
    h5_drop(list);
    return good;
}

/* Whether the chunks end before the file does. */
static bool is_inside(const struct h5_place *place, uint64_t file_bytes) {
    uint64_t bytes = sizeof(float complex), end = 0;
    for (int i = 0; i < H5_RANK_LIMIT; i++) {
        if (__builtin_mul_overflow(bytes, place->extent.extent[i], &bytes) ||
            __builtin_mul_overflow(bytes, place->count.extent[i], &bytes)) {
            return false;
        }
    }
    return !__builtin_add_overflow(place->address, bytes, &end) && end <= file_bytes &&
           end <= INT64_MAX;
}

void h5_place_find(struct h5_place *place, hid_t dataset, const struct h5_shape *shape,
                   uint64_t file_bytes) {
    *place = (struct h5_place){.shape = *shape, .extent = *shape, .count = *shape};
    if (shape->rank != H5_RANK_LIMIT || !is_native(dataset) || !find_start(place, dataset)) {
        return;
    }
    for (int i = 0; i < H5_RANK_LIMIT; i++) {
        place->count.extent[i] = (shape->extent[i] - 1) / place->extent.extent[i] + 1;
    }
    place->known = is_inside(place, file_bytes);
}

/* ---- pieces --------------------------------------------------------------------------------- */

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Numbers of one entry of a chunk's first axis. */
static size_t entry_size(const struct h5_place *place) {
    return place->extent.extent[1] * place->extent.extent[2];
}

/* What is moved, and how the work is cut: strips of entries within one row of chunks. */
struct job {
    const struct h5_place *place;
    int descriptor;
    bool writes;
    float complex *memory;
    size_t first[3], count[3]; /* of the dataset */
    size_t strip;              /* entries in one */
    size_t strips_per_row;
};

/* A part of one chunk: entries [first, first + n) of the dataset, and ranges of the other axes. */
struct piece {
    size_t chunk[3];
    size_t first, n;
    size_t from[2], to[2];
};

bool h5_place_suits(const struct h5_place *place, const struct h5_shape *count) {
    size_t wanted = count->extent[1] * count->extent[2], touched = 1;
    for (int i = 1; i < H5_RANK_LIMIT; i++) {
        touched *= place->extent.extent[i] * ((count->extent[i] - 1) / place->extent.extent[i] + 1);
    }
    bool one = place->count.extent[1] == 1 && place->count.extent[2] == 1;
    bool as_in_memory = one && wanted == entry_size(place);
    return as_in_memory || (entry_size(place) <= ENTRY_LIMIT / sizeof(float complex) &&
                            (wanted >= touched / 4 || (one && place->count.extent[0] == 1)));
}

/* 0, an errno, or H5_PLACE_ENDED. */
static int transfer(const struct job *job, void *memory, size_t size, uint64_t offset) {
    char *at = memory;
    while (size > 0) {
        ssize_t n = job->writes ? pwrite(job->descriptor, at, size, (off_t)offset)
                                : pread(job->descriptor, at, size, (off_t)offset);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? errno : job->writes ? EIO : H5_PLACE_ENDED;
        }
        at += n;
        offset += (uint64_t)n;
        size -= (size_t)n;
    }
    return 0;
}

static uint64_t piece_offset(const struct h5_place *place, const struct piece *piece) {
    const size_t *count = place->count.extent, *extent = place->extent.extent;
    uint64_t chunk =
        ((uint64_t)piece->chunk[0] * count[1] + piece->chunk[1]) * count[2] + piece->chunk[2];
    uint64_t entry = chunk * extent[0] + piece->first - piece->chunk[0] * extent[0];
    return place->address + entry * entry_size(place) * sizeof(float complex);
}

/* Copy between scratch, laid out as the chunk, and memory. */
static void rearrange(const struct job *job, const struct piece *piece, float complex *scratch) {
    const size_t *extent = job->place->extent.extent;
    size_t n = piece->to[1] - piece->from[1];
    for (size_t i = 0; i < piece->n; i++) {
        for (size_t j = piece->from[0]; j < piece->to[0]; j++) {
            size_t inner = (i * extent[1] + j - piece->chunk[1] * extent[1]) * extent[2] +
                           piece->from[1] - piece->chunk[2] * extent[2];
            size_t outer =
                ((piece->first + i - job->first[0]) * job->count[1] + j - job->first[1]) *
                    job->count[2] +
                piece->from[1] - job->first[2];
            if (job->writes) {
                memcpy(scratch + inner, job->memory + outer, n * sizeof *scratch);
            } else {
                memcpy(job->memory + outer, scratch + inner, n * sizeof *scratch);
            }
        }
    }
}

static int read_piece(const struct job *job, const struct piece *piece, float complex *scratch,
                      bool *finite) {
    size_t entry = entry_size(job->place), n = piece->n * entry;
    float complex *to =
        scratch != NULL ? scratch : job->memory + (piece->first - job->first[0]) * entry;
    int failure = transfer(job, to, n * sizeof *to, piece_offset(job->place, piece));
    if (failure == 0) {
        *finite = *finite && all_finite(to, n);
        if (scratch != NULL) {
            rearrange(job, piece, scratch);
        }
    }
    return failure;
}

static int write_piece(const struct job *job, const struct piece *piece, float complex *scratch) {
    size_t entry = entry_size(job->place), n = piece->n * entry;
    float complex *from = scratch;
    if (scratch == NULL) {
        from = job->memory + (piece->first - job->first[0]) * entry;
    } else {
        if ((piece->to[0] - piece->from[0]) * (piece->to[1] - piece->from[1]) < entry) {
            /* What a chunk has beyond the dataset's edge. */
            memset(scratch, 0, n * sizeof *scratch);
        }
        rearrange(job, piece, scratch);
    }
    return transfer(job, from, n * sizeof *from, piece_offset(job->place, piece));
}

/* One strip of all chunks of a row. */
static int move_strip(const struct job *job, size_t strip, float complex *scratch, bool *finite) {
    const size_t *extent = job->place->extent.extent;
    struct piece piece = {.chunk = {strip / job->strips_per_row}};
    size_t start = piece.chunk[0] * extent[0] + strip % job->strips_per_row * job->strip;
    size_t end = smaller(start + job->strip, (piece.chunk[0] + 1) * extent[0]);
    piece.first = start > job->first[0] ? start : job->first[0];
    end = smaller(end, job->first[0] + job->count[0]);
    if (piece.first >= end) {
        return 0;
    }
    piece.n = end - piece.first;
    size_t last[2] = {job->first[1] + job->count[1], job->first[2] + job->count[2]};
    int failure = 0;
    for (size_t j = job->first[1]; failure == 0 && j < last[0]; j = piece.to[0]) {
        piece.chunk[1] = j / extent[1];
        piece.from[0] = j;
        piece.to[0] = smaller(last[0], (piece.chunk[1] + 1) * extent[1]);
        for (size_t k = job->first[2]; failure == 0 && k < last[1]; k = piece.to[1]) {
            piece.chunk[2] = k / extent[2];
            piece.from[1] = k;
            piece.to[1] = smaller(last[1], (piece.chunk[2] + 1) * extent[2]);
            failure = job->writes ? write_piece(job, &piece, scratch)
                                  : read_piece(job, &piece, scratch, finite);
        }
    }
    return failure;
}

/* Where an entry of the first axis is. */
static size_t strip_of(const struct job *job, size_t entry) {
    size_t rows = job->place->extent.extent[0];
    return entry / rows * job->strips_per_row + entry % rows / job->strip;
}

/* 0, an errno, or H5_PLACE_ENDED. */
static int run(struct job *job, bool *finite) {
    const struct h5_place *place = job->place;
    const size_t *extent = place->extent.extent;
    size_t entry = entry_size(place) * sizeof(float complex);
    /* In memory as in the file: nothing to rearrange. */
    bool plain = job->count[1] == extent[1] && job->count[2] == extent[2] &&
                 job->first[1] % extent[1] == 0 && job->first[2] % extent[2] == 0;
    job->strip =
        smaller(entry < PIECE_BYTES ? PIECE_BYTES / entry : 1, job->place->extent.extent[0]);
    job->strips_per_row = (extent[0] - 1) / job->strip + 1;
    size_t first = strip_of(job, job->first[0]);
    size_t last = strip_of(job, job->first[0] + job->count[0] - 1);
    size_t bytes = job->count[0] * job->count[1] * job->count[2] * sizeof(float complex);
    size_t room = smaller(job->strip, job->count[0]) * entry;
    int failure = 0;
    bool good = true;
#pragma omp parallel if (bytes > PARALLEL_BYTES) reduction(&& : good) reduction(max : failure)
    {
        float complex *scratch = plain ? NULL : malloc(room);
        failure = plain || scratch != NULL ? 0 : ENOMEM;
#pragma omp for schedule(dynamic)
        for (size_t i = first; i <= last; i++) {
            failure = failure == 0 ? move_strip(job, i, scratch, &good) : failure;
        }
        free(scratch);
    }
    *finite = good;
    return failure;
}

int h5_place_read(const struct h5_place *place, int descriptor, const struct h5_shape *first,
                  const struct h5_shape *count, float complex *out, bool *finite) {
    struct job job = {.place = place, .descriptor = descriptor, .memory = out};
    memcpy(job.first, first->extent, sizeof job.first);
    memcpy(job.count, count->extent, sizeof job.count);
    return run(&job, finite);
}

int h5_place_write(const struct h5_place *place, int descriptor, size_t first, size_t n,
                   const float complex *from) {
    bool finite = true;
    /* Only read from, as `writes` is set. */
    struct job job = {
        .place = place, .descriptor = descriptor, .writes = true, .memory = (float complex *)from};
    job.first[0] = first;
    job.count[0] = n;
    job.count[1] = place->shape.extent[1];
    job.count[2] = place->shape.extent[2];
    return run(&job, &finite);
}
