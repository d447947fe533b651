/* Object headers of HDF5's first kind, looked at before HDF5 does.
 *
 * They carry no checksum, and HDF5 1.10 decodes them without bounds: a wrong length has it read far
 * beyond its buffer, an extent of zero divide by it. h5py and MATLAB write this kind by default. */
#ifndef NFSAR_HOST_FILES_HDF5_HEADER_H
#define NFSAR_HOST_FILES_HDF5_HEADER_H

#include <hdf5.h>
#include <stdint.h>

/* What is wrong with the header of the object at an address (as H5Oget_info() tells it), or NULL.
 * base is where the file's addresses begin in the descriptor. Headers of the second kind, which
 * have a checksum, are left to HDF5. Source: HDF5 File Format Specification 3.0, IV.A. */
const char *h5_header_fault(int descriptor, uint64_t base, haddr_t address);

#endif
