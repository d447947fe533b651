/* Data that lie in a file exactly as they do in memory: complex numbers of native type, in one
 * piece or in chunks that follow each other in the order of their indices (HDF5's implicit index),
 * unfiltered. They are moved between memory and file by all processors at once, without HDF5,
 * which does it with one, by way of a cache that it fills, searches and copies. */
#ifndef NFSAR_HOST_FILES_HDF5_PLACE_H
#define NFSAR_HOST_FILES_HDF5_PLACE_H

#include <complex.h>
#include <hdf5.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/files/hdf5_type.h"

/* In place of an errno: the file ends too early. Larger than any. */
#define H5_PLACE_ENDED INT_MAX

struct h5_place {
    bool known;             /* false: ask HDF5 */
    uint64_t address;       /* of the first chunk in the file */
    struct h5_shape shape;  /* of the dataset; rank 3 */
    struct h5_shape extent; /* of a chunk, the whole shape where there are none */
    struct h5_shape count;  /* chunks along each axis */
};

/* Learn where an open dataset of that shape lies in a file without user block. file_bytes: size of
 * a file being read, beyond which nothing is believed to lie; UINT64_MAX for one being written. */
void h5_place_find(struct h5_place *place, hid_t dataset, const struct h5_shape *shape,
                   uint64_t file_bytes);

/* Whether reading that part this way touches little more of the file than it needs. Else HDF5's
 * cache pays. */
bool h5_place_suits(const struct h5_place *place, const struct h5_shape *count);

/* Read extents count[], from first[] on; they lie within the shape. 0, an errno, or
 * H5_PLACE_ENDED. *finite: they are all finite numbers; where it is false one may not be. */
int h5_place_read(const struct h5_place *place, int descriptor, const struct h5_shape *first,
                  const struct h5_shape *count, float complex *out, bool *finite);

/* Write whole entries of the first axis: n of them from first on. 0 or an errno. */
int h5_place_write(const struct h5_place *place, int descriptor, size_t first, size_t n,
                   const float complex *from);

#endif
