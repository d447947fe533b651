/* A capture made smaller and looked through: all that is in it written anew, the samples
 * compressed, and everything read back from the disk and compared before it gets its name. */
#ifndef NFSAR_HOST_FILES_SEAL_H
#define NFSAR_HOST_FILES_SEAL_H

#include <stdint.h>

#include <nfsar/progress.h>
#include <nfsar/status.h>

#include "host/files/capture_file.h"

/* What was done. */
struct seal_report {
    uint64_t pulses, bytes_before, bytes_after; /* on the disk */
    size_t left_out;                            /* objects that cannot be copied safely */
};

/* Write the capture or recording `from` to path, which may be its own name. level: of gzip, 1 to 9.
 * lines: added to the provenance. Of a recording, the tables of sensors have as many rows as came.
 */
enum nfsar_status seal_capture(nfsar_capture_file *from, const char *path, int level,
                               char *const *lines, size_t n_lines, struct seal_report *report,
                               const nfsar_progress *progress, nfsar_error *error);

#endif
