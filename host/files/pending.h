/* Output files that appear under their name only when complete.
 *
 * The content is written under a temporary name in the same folder; committing syncs and renames
 * it. Whatever is still pending when the process is interrupted can be removed from a signal
 * handler. */
#ifndef NFSAR_HOST_FILES_PENDING_H
#define NFSAR_HOST_FILES_PENDING_H

#include <nfsar/status.h>

typedef struct pending_file pending_file;

/* Choose a temporary name beside path and create that file, empty. Fails when the folder does not
 * exist or cannot be written, or when path is a folder. */
enum nfsar_status pending_create(const char *path, pending_file **pending, nfsar_error *error);

/* The temporary name, to be opened for writing. */
const char *pending_path(const pending_file *pending);

/* Sync and rename to the final name; pending is freed. On failure the temporary file is removed. */
enum nfsar_status pending_commit(pending_file *pending, nfsar_error *error);

/* Remove the temporary file; pending is freed. NULL is allowed. */
void pending_abandon(pending_file *pending);

/* Unlink all pending files: only async-signal-safe calls, for signal handlers. */
void pending_unlink_all(void);

#endif
