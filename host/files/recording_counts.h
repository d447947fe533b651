/* How far a recording is: what changes in it while it goes on. */
#ifndef NFSAR_HOST_FILES_RECORDING_COUNTS_H
#define NFSAR_HOST_FILES_RECORDING_COUNTS_H

#include <stdbool.h>
#include <stddef.h>

#include <nfsar/status.h>

#include "host/files/hdf5_input.h"
#include "host/files/recording.h"

struct recording_counts {
    bool is_recording; /* else it is a capture, and nothing of the rest is there */
    size_t n_tables;
    char **table; /* [n_tables] "/echo", "/pose", "/sensor/imu" ... */
    size_t *rows; /* [n_tables] */
    enum recording_end end;
};

/* Read them. */
enum nfsar_status recording_counts_read(struct recording_counts *counts,
                                        const struct h5_input *input, nfsar_error *error);
void recording_counts_free(struct recording_counts *counts);

/* The lines of the log; to be freed with lines_free(). */
enum nfsar_status recording_log_read(const struct h5_input *input, char ***lines, size_t *n,
                                     nfsar_error *error);

#endif
