/* Output files that appear under their name only when complete.
 *
 * The content is written under a temporary name in the same folder; committing syncs and renames
 * it. Whatever is still pending when the process is interrupted can be removed from a signal
 * handler. */
#ifndef NFSAR_HOST_FILES_PENDING_H
#define NFSAR_HOST_FILES_PENDING_H

#include <nfsar/status.h>

typedef struct pending_file pending_file;

/* What is written, by how such files begin. */
enum pending_kind { PENDING_HDF5, PENDING_PNG, PENDING_VTI, PENDING_NPY, PENDING_MAT };

/* Remember that path is an input of this process, which no output may replace. */
void pending_protect(const char *path);

/* Choose a temporary name beside path and create that file, empty. Behind a link, what it points
 * to is written, and the link stays. Fails when the folder does not exist or cannot be written.
 * NFSAR_ERROR_ARGUMENT: path is something that must not be replaced. An existing file is replaced
 * only when it is empty or of the same kind and not an input, and keeps its permissions. */
enum nfsar_status pending_create(const char *path, enum pending_kind kind, pending_file **pending,
                                 nfsar_error *error);

/* What pending_create() would answer, for failing before the work instead of after it. */
enum nfsar_status pending_check(const char *path, enum pending_kind kind, nfsar_error *error);

/* The temporary name, to be opened for writing. */
const char *pending_path(const pending_file *pending);

/* Sync and rename to the final name; pending is freed. On failure the temporary file is removed. */
enum nfsar_status pending_commit(pending_file *pending, nfsar_error *error);

/* Remove the temporary file; pending is freed. NULL is allowed. */
void pending_abandon(pending_file *pending);

/* Unlink all pending files: only async-signal-safe calls, for signal handlers. The process must end
 * then: no pending file can be made or released any more. */
void pending_unlink_all(void);

#endif
