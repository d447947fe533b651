/* Chunked data of unknown origin. HDF5 1.10 trusts what a file says of the size of its chunks, and
 * reads beyond its buffers where that is a lie; here is looked before. */
#ifndef NFSAR_HOST_FILES_HDF5_CHUNK_H
#define NFSAR_HOST_FILES_HDF5_CHUNK_H

#include <hdf5.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/files/hdf5_type.h"

/* The chunks of an open dataset. */
struct h5_chunks {
    bool chunked;           /* false: nothing to check */
    bool deflated;          /* else no filter changes the size */
    bool cacheable;         /* HDF5 may keep whole chunks without harm */
    size_t bytes;           /* of a chunk as the dataset's shape has it */
    struct h5_shape extent; /* of a chunk */
    struct h5_shape count;  /* chunks along each axis */
    uint8_t *seen;          /* [chunks] looked at and found good */
};

/* Learn the layout of a dataset in a file of file_bytes. What is wrong with it, or NULL. */
const char *h5_chunks_open(struct h5_chunks *chunks, hid_t dataset, const struct h5_shape *shape,
                           uint64_t file_bytes);

/* Look at the chunks that extents count[], from first[] on, touch. What is wrong, or NULL. */
const char *h5_chunks_check(struct h5_chunks *chunks, hid_t dataset, const struct h5_shape *first,
                            const struct h5_shape *count);

void h5_chunks_close(struct h5_chunks *chunks);

#endif
