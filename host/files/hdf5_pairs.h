/* Samples as a recording has them: pairs of 16-bit integers in one piece, pulse after pulse. They
 * are read and converted here, by all processors: HDF5 converts compounds with one, slowly. */
#ifndef NFSAR_HOST_FILES_HDF5_PAIRS_H
#define NFSAR_HOST_FILES_HDF5_PAIRS_H

#include <complex.h>
#include <hdf5.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/files/hdf5_type.h"

struct h5_pairs {
    bool known;            /* false: ask HDF5 */
    uint64_t address;      /* in the file */
    struct h5_shape shape; /* rank 3 */
};

/* Learn where an open dataset of that shape lies in a file of file_bytes. */
void h5_pairs_find(struct h5_pairs *pairs, hid_t dataset, const struct h5_shape *shape,
                   uint64_t file_bytes);

/* Read extents count[], from first[] on; they lie within the shape. 0, an errno, or
 * H5_PLACE_ENDED. */
int h5_pairs_read(const struct h5_pairs *pairs, int descriptor, const struct h5_shape *first,
                  const struct h5_shape *count, float complex *out);

#endif
