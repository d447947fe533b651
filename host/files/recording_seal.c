/* A capture made of a recording. */
#include "host/files/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "host/files/recording_layout.h"
#include "host/files/recording_lock.h"
#include "host/files/seal.h"

/* Nobody else records into it or seals it meanwhile. Where the file cannot be written, nobody does
 * anyway. *descriptor is -1 without. */
static enum nfsar_status take_lock(const char *recording, int *descriptor, nfsar_error *error) {
    *descriptor = open(recording, O_RDWR | O_CLOEXEC);
    if (*descriptor >= 0 && !recording_lock(*descriptor)) {
        close(*descriptor);
        *descriptor = -1;
        return nfsar_fail(error, NFSAR_ERROR_FILE,
                          "%s: is being recorded, or sealed by another process; stop that first",
                          recording);
    }
    return NFSAR_OK;
}

static enum nfsar_status seal(const char *recording, const char *path, int level,
                              const struct recording_summary *summary,
                              const nfsar_progress *progress, nfsar_error *error) {
    nfsar_capture_file *file = NULL;
    struct seal_report report;
    enum nfsar_status status = nfsar_capture_file_open(recording, &file, error);
    if (status == NFSAR_OK) {
        status =
            seal_capture(file, path, level, summary->log, summary->n_log, &report, progress, error);
        nfsar_capture_file_close(file);
    }
    return status;
}

static enum nfsar_status remove_recording(const char *recording, nfsar_error *error) {
    if (unlink(recording) != 0) {
        return nfsar_fail(error, NFSAR_ERROR_FILE,
                          "%s: is sealed, but cannot be removed: %s; delete it", recording,
                          strerror(errno));
    }
    recording_sync_folder(recording);
    return NFSAR_OK;
}

enum nfsar_status recording_seal(const char *recording, const char *path,
                                 const struct recording_seal_options *options,
                                 const nfsar_progress *progress, nfsar_error *error) {
    struct recording_summary summary;
    int lock = -1;
    int level = options != NULL && options->deflate > 0 ? options->deflate : 1;
    enum nfsar_status status = take_lock(recording, &lock, error);
    if (status != NFSAR_OK) {
        return status;
    }
    status = recording_inspect(recording, &summary, error);
    if (status == NFSAR_OK) {
        status = seal(recording, path, level < 9 ? level : 9, &summary, progress, error);
    }
    if (status == NFSAR_OK && (options == NULL || !options->keep)) {
        status = remove_recording(recording, error);
    }
    if (lock >= 0) {
        close(lock);
    }
    recording_summary_free(&summary);
    return status;
}
