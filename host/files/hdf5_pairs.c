#include "host/files/hdf5_pairs.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/files/hdf5_place.h"

/* Less is not worth waking other threads for. */
#define PARALLEL_BYTES ((size_t)1 << 20)
/* Channels of a pulse that lie so far apart are read one by one. */
#define SPARSE 8

struct pair {
    int16_t r, i;
};

static bool is_pairs(hid_t dataset) {
    hid_t stored = H5Dget_type(dataset), pair = h5_pair_type();
    bool same = stored >= 0 && pair >= 0 && H5Tequal(stored, pair) > 0;
    h5_drop(stored);
    h5_drop(pair);
    return same;
}

static bool is_contiguous(hid_t dataset) {
    hid_t list = H5Dget_create_plist(dataset);
    bool good =
        list >= 0 && H5Pget_layout(list) == H5D_CONTIGUOUS && H5Pget_external_count(list) == 0;
    h5_drop(list);
    return good;
}

void h5_pairs_find(struct h5_pairs *pairs, hid_t dataset, const struct h5_shape *shape,
                   uint64_t file_bytes) {
    *pairs = (struct h5_pairs){.shape = *shape};
    size_t elements = 0, bytes = 0;
    uint64_t end = 0;
    if (shape->rank != H5_RANK_LIMIT || !is_pairs(dataset) || !is_contiguous(dataset) ||
        !h5_shape_elements(shape, &elements) ||
        __builtin_mul_overflow(elements, sizeof(struct pair), &bytes)) {
        return;
    }
    pairs->address = H5Dget_offset(dataset);
    pairs->known = pairs->address != HADDR_UNDEF &&
                   !__builtin_add_overflow(pairs->address, bytes, &end) && end <= file_bytes &&
                   end <= INT64_MAX;
}

static int read_all(int descriptor, void *out, size_t n, uint64_t offset) {
    char *at = out;
    while (n > 0) {
        ssize_t done = pread(descriptor, at, n, (off_t)offset);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return done < 0 ? errno : H5_PLACE_ENDED;
        }
        at += done;
        offset += (uint64_t)done;
        n -= (size_t)done;
    }
    return 0;
}

static void convert(const struct pair *pair, size_t n, float complex *out) {
    float *to = (float *)out;
    const int16_t *from = &pair->r;
    for (size_t i = 0; i < 2 * n; i++) {
        to[i] = (float)from[i];
    }
}

/* What is wanted of one pulse, as one stretch of the file or channel by channel. */
static int read_pulse(const struct h5_pairs *pairs, int descriptor, size_t pulse,
                      const struct h5_shape *first, const struct h5_shape *count,
                      struct pair *scratch, float complex *out) {
    const size_t n_sample = pairs->shape.extent[2], channels = count->extent[1];
    const size_t samples = count->extent[2];
    const uint64_t start =
        ((uint64_t)pulse * pairs->shape.extent[1] + first->extent[1]) * n_sample + first->extent[2];
    const bool whole = samples * SPARSE >= n_sample;
    int failure = 0;
    if (whole) {
        failure =
            read_all(descriptor, scratch, ((channels - 1) * n_sample + samples) * sizeof *scratch,
                     pairs->address + start * sizeof *scratch);
    }
    for (size_t i = 0; failure == 0 && i < channels; i++) {
        const struct pair *from = scratch + (whole ? i * n_sample : 0);
        if (!whole) {
            failure = read_all(descriptor, scratch, samples * sizeof *scratch,
                               pairs->address + (start + i * n_sample) * sizeof *scratch);
        }
        convert(from, samples, out + i * samples);
    }
    return failure;
}

int h5_pairs_read(const struct h5_pairs *pairs, int descriptor, const struct h5_shape *first,
                  const struct h5_shape *count, float complex *out) {
    const size_t entry = count->extent[1] * count->extent[2];
    const size_t room = count->extent[1] * pairs->shape.extent[2] * sizeof(struct pair);
    int failure = 0;
#pragma omp parallel if (count->extent[0] * room > PARALLEL_BYTES) reduction(max : failure)
    {
        struct pair *scratch = calloc(1, room);
        failure = scratch != NULL ? 0 : ENOMEM;
#pragma omp for schedule(static)
        for (size_t i = 0; i < count->extent[0]; i++) {
            if (failure == 0) {
                failure = read_pulse(pairs, descriptor, first->extent[0] + i, first, count, scratch,
                                     out + i * entry);
            }
        }
        free(scratch);
    }
    return failure;
}
