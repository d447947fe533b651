/* Samples being written compressed: shuffle, then deflate, which every HDF5 reads. The chunks are
 * packed here, by all processors; HDF5 would do it with one. */
#ifndef NFSAR_HOST_FILES_HDF5_PACK_H
#define NFSAR_HOST_FILES_HDF5_PACK_H

#include <complex.h>
#include <hdf5.h>

#include <nfsar/status.h>

#include "host/files/hdf5_type.h"

struct h5_output;

struct h5_pack {
    int level; /* of deflate, 1 to 9; 0: not used */
    hid_t dataset;
    struct h5_shape shape, chunk; /* rank 3 */
};

/* Create the dataset in a file being written; pack->level is set. */
enum nfsar_status h5_pack_create(struct h5_pack *pack, struct h5_output *output, const char *name,
                                 const struct h5_shape *shape, const struct h5_shape *chunk,
                                 nfsar_error *error);

/* Write the entries [first, first + n) of the first axis: whole chunks, but for the end of the
 * axis. One thread at a time. */
enum nfsar_status h5_pack_write(struct h5_pack *pack, struct h5_output *output, size_t first,
                                size_t n, const float complex *from, nfsar_error *error);

/* Close; one that is not used is allowed. */
void h5_pack_close(struct h5_pack *pack);

#endif
