/* A capture while it is being recorded: NAME.recording beside the capture that it becomes.
 *
 * All that HDF5 keeps about the file - groups, types, sizes, where data lie - is written, closed
 * and synced before the first sample; every dataset is contiguous, of the size that the session may
 * need at most, and sparse. From then on rows are written in place by pwrite() at known offsets,
 * and after them /recording/rows, how many rows of each dataset are there. So there is no moment at
 * which the file cannot be opened by any HDF5 tool, whatever dies; readers may follow it live; and
 * of a dead recording all is there but what was not synced, half a second. docs/recording-files.md
 * has the layout.
 *
 * Rows may be handed over by any thread, those of one table in order; a thread of the recording
 * writes and syncs them. */
#ifndef NFSAR_HOST_FILES_RECORDING_H
#define NFSAR_HOST_FILES_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfsar/capture.h>
#include <nfsar/progress.h>
#include <nfsar/status.h>

struct recording;
struct recording_io;

/* A table: one row per record. Columns are one-dimensional datasets, or two-dimensional where they
 * have more than one element: PLACE/NAME, such as /sensor/imu/acceleration. */
enum recording_type {
    RECORDING_U8,
    RECORDING_U16,
    RECORDING_U32,
    RECORDING_I32,
    RECORDING_U64,
    RECORDING_I64,
    RECORDING_F32,
    RECORDING_F64,
    RECORDING_I16_PAIR /* complex sample of the radar: compound {r, i} of int16 */
};

struct recording_column {
    const char *name;
    enum recording_type type;
    size_t elements; /* of a row */
};

struct recording_table {
    const char *place; /* "/sensor/imu"; groups on the way are made */
    const struct recording_column *columns;
    size_t n_columns;
    uint64_t rows_at_most;
};

/* Options; all zero are the defaults. */
struct recording_options {
    size_t queue_bytes;            /* of rows that wait to be written; 0: 256 MiB */
    unsigned sync_ms;              /* between syncs; 0: 500 */
    unsigned wait_ms;              /* that an append waits for room in the queue; 0: 5000 */
    uint64_t reserve_bytes;        /* of the disk to keep free; 0: 64 MiB */
    const struct recording_io *io; /* NULL: the system; tests have their own */
};

struct recording_counters {
    uint64_t bytes;           /* written */
    uint64_t waits;           /* appends that had to wait for room: the disk is too slow */
    uint64_t waited_ns;       /* in all */
    uint64_t longest_sync_ns; /* of one sync: all that was written is on the disk */
    size_t queue_worst;       /* bytes that waited, at most */
    uint64_t disk_free;       /* bytes, when last looked at */
    uint64_t syncs;           /* that made rows safe */
};

/* Makes PATH.recording for a capture PATH. `head` gives array, frequencies, waveform, model and
 * provenance (n_pulse, poses and echo are not looked at). Table 0 is /echo, 1 is /pose, both made
 * by this call with the columns of echo_row and pose_row below; the caller's own follow from 2 on.
 * `session` is kept as text (the session file as it was), NULL for none. Fails when PATH.recording
 * is there already (a recording that was not sealed: nfsar repair), or PATH cannot be made later.
 * pulses and poses: rows at most. */
enum nfsar_status recording_create(const char *path, const nfsar_capture *head, uint64_t pulses,
                                   uint64_t poses, const struct recording_table *tables,
                                   size_t n_tables, const char *session,
                                   const struct recording_options *options,
                                   struct recording **recording, nfsar_error *error);

/* Appends a row: values[i] has the elements of column i. The row is copied. Fails with
 * NFSAR_ERROR_FILE when writing failed (disk full: all rows before stay) or the queue stayed full,
 * and with NFSAR_ERROR_ARGUMENT when the table is full. Not for the tables 0 and 1. */
enum nfsar_status recording_append(struct recording *recording, size_t table,
                                   const void *const *values, nfsar_error *error);

/* The pulse: samples are [n_channel][n_sample] pairs of int16. Columns of table 0: data, time_s
 * (f64), flags (u8). Times that are not numbers or go back are refused, NFSAR_ERROR_ARGUMENT: no
 * capture could be made of them. */
enum nfsar_status recording_append_pulse(struct recording *recording, const int16_t *samples,
                                         double time_s, uint8_t flags, nfsar_error *error);
/* Columns of table 1: time_s (f64), position_m (3 f64), orientation (4 f64). Refused as pulses are.
 */
enum nfsar_status recording_append_pose(struct recording *recording, double time_s,
                                        const nfsar_pose *pose, nfsar_error *error);

/* Rows of a table so far, handed over. */
uint64_t recording_rows(struct recording *recording, size_t table);

/* A line of provenance, or of what happened; kept in the text that grows, /recording/log. At most
 * 64 KiB in all, the rest is counted. */
enum nfsar_status recording_note(struct recording *recording, nfsar_error *error,
                                 const char *format, ...) __attribute__((format(printf, 3, 4)));

void recording_counters(struct recording *recording, struct recording_counters *counters);

/* Writes what waits, syncs, closes. The file stays NAME.recording. Fails when writing failed, now
 * or before; the recording is gone whether or not it does. */
enum nfsar_status recording_close(struct recording *recording, nfsar_error *error);

/* How a recording ended. */
enum recording_end {
    RECORDING_GOES_ON, /* not at all: it goes on, or died */
    RECORDING_CLOSED,  /* nothing was lost at the end */
    RECORDING_FAILED   /* closed after writing had failed: disk full */
};

/* What a recording file holds. */
struct recording_summary {
    uint64_t pulses, poses, missing; /* pulses with samples missing */
    double seconds;                  /* from the first pulse to the last */
    enum recording_end end;
    bool live;    /* a process has it open for recording */
    size_t n_log; /* lines of /recording/log; owned, see recording_summary_free() */
    char **log;
};
enum nfsar_status recording_inspect(const char *path, struct recording_summary *summary,
                                    nfsar_error *error);
void recording_summary_free(struct recording_summary *summary);

/* Makes the capture `path` out of `recording` (its full name): samples as complex64, compressed,
 * exactly as many pulses as came, sensors' tables, log into provenance; reads it back and compares.
 * Only then is the capture given its name, and the recording removed unless `keep`. Refused while
 * it goes on. Pulses outside the poses are flagged; where there are no poses at all, there is one
 * at the origin and all are. */
struct recording_seal_options {
    bool keep;
    int deflate; /* 1 to 9; 0: 1 */
};
enum nfsar_status recording_seal(const char *recording, const char *path,
                                 const struct recording_seal_options *options,
                                 const nfsar_progress *progress, nfsar_error *error);

#endif
