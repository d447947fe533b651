/* Whether somebody records into a file: a lock that ends with the process, whatever ends it. Apart
 * from those that HDF5 takes, so that readers are not kept out. */
#ifndef NFSAR_HOST_FILES_RECORDING_LOCK_H
#define NFSAR_HOST_FILES_RECORDING_LOCK_H

#include <stdbool.h>

/* Take it, for as long as the descriptor (open for writing) is; false when another has it. Where a
 * file system has no locks, everybody gets it. */
bool recording_lock(int descriptor);

/* Whether somebody has it; the descriptor may be open for reading alone. */
bool recording_is_locked(int descriptor);

#endif
