/* What a recording file holds. */
#include "host/files/recording.h"

#include <stdlib.h>

#include "algorithms/lines.h"
#include "host/files/capture_file.h"
#include "host/files/capture_layout.h"
#include "host/files/hdf5_error.h"
#include "host/files/recording_layout.h"
#include "host/files/recording_lock.h"

static enum nfsar_status read_pulses(const struct h5_input *input, size_t n,
                                     struct recording_summary *summary, nfsar_error *error) {
    double *time_s = NULL;
    uint8_t *flags = NULL;
    struct h5_shape times = {1, {0}}, marks = {1, {0}};
    enum nfsar_status status =
        h5_read_first(input, CAPTURE_TIME, H5_REAL, n, &times, (void **)&time_s, error);
    if (status == NFSAR_OK) {
        status = h5_read_first(input, CAPTURE_FLAGS, H5_BYTE, n, &marks, (void **)&flags, error);
    }
    if (status == NFSAR_OK) {
        summary->seconds = time_s[n - 1] - time_s[0];
        for (size_t i = 0; i < n; i++) {
            summary->missing += (flags[i] & NFSAR_PULSE_SAMPLES_MISSING) != 0;
        }
    }
    free(time_s);
    free(flags);
    return status;
}

static enum nfsar_status inspect(const struct h5_input *input, struct recording_summary *summary,
                                 nfsar_error *error) {
    struct recording_counts counts;
    enum nfsar_file_kind kind = NFSAR_FILE_IMAGE;
    enum nfsar_status status = h5_input_kind(input, &kind, error);
    if (status == NFSAR_OK) {
        status = recording_counts_read(&counts, input, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    if (!counts.is_recording) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "%s: is no recording, but %s that is complete", input->path,
                          kind == NFSAR_FILE_CAPTURE ? "a capture" : "an image");
    }
    summary->pulses = counts.rows[ECHO_TABLE];
    summary->poses = counts.rows[POSE_TABLE];
    summary->end = counts.end;
    summary->live = recording_is_locked(input->descriptor);
    if (summary->pulses > 0) {
        status = read_pulses(input, summary->pulses, summary, error);
    }
    if (status == NFSAR_OK) {
        status = recording_log_read(input, &summary->log, &summary->n_log, error);
    }
    recording_counts_free(&counts);
    return status;
}

enum nfsar_status recording_inspect(const char *path, struct recording_summary *summary,
                                    nfsar_error *error) {
    struct h5_input input;
    *summary = (struct recording_summary){0};
    struct h5_reporting before = h5_silence();
    enum nfsar_status status = h5_input_open(&input, path, error);
    if (status == NFSAR_OK) {
        status = inspect(&input, summary, error);
        h5_input_close(&input);
    }
    h5_restore(before);
    if (status != NFSAR_OK) {
        recording_summary_free(summary);
    }
    return status;
}

void recording_summary_free(struct recording_summary *summary) {
    lines_free(summary->log, summary->n_log);
    *summary = (struct recording_summary){0};
}
