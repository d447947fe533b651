/* A file driver for HDF5 that survives a full disk.
 *
 * HDF5 keeps a file open, with all that hangs on it, when closing fails to write; at exit it tries
 * again, and may crash. This driver remembers the first failure and from then on pretends to
 * write, so that HDF5 can always close and free what it holds. Whoever wrote the file looks at
 * `failure` before believing any of it. */
#ifndef NFSAR_HOST_FILES_HDF5_SINK_H
#define NFSAR_HOST_FILES_HDF5_SINK_H

#include <hdf5.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/files/hdf5_type.h"

struct h5_sink {
    int descriptor;         /* open for reading and writing; closed by the owner, not by HDF5 */
    hid_t driver;           /* what HDF5 knows this driver by while a file is open; 0: none is */
    atomic_int failure;     /* errno of the first failure, 0 while all is well */
    _Atomic uint64_t wrote; /* bytes that did not come from HDF5 */
};

/* Create an HDF5 file in sink->descriptor; the sink must outlive it. Negative on failure. */
hid_t h5_sink_create_file(struct h5_sink *sink, hid_t access_list);

/* Close it; negative on failure. */
herr_t h5_sink_close_file(struct h5_sink *sink, hid_t file);

/* Whether HDF5 can be asked for a dataset of such elements; where not, the sink has failed: no
 * file is as large. */
bool h5_sink_takes(struct h5_sink *sink, hid_t type, const struct h5_shape *shape);

/* Reserve the disk space of everything allocated in file so far, so that a disk that is too small
 * is noticed before the work rather than after it. Returns sink->failure. */
int h5_sink_reserve(struct h5_sink *sink, hid_t file);

/* So many bytes were written to the descriptor beside HDF5. Now and then the disk is told to begin
 * with what is there, so that it works while the rest is computed and fsync() has less to wait
 * for. */
void h5_sink_wrote(struct h5_sink *sink, size_t bytes);

/* Give up on the file: nothing more is written. */
void h5_sink_discard(struct h5_sink *sink);

#endif
