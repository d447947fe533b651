/* The thread that writes a recording's rows and syncs them. */
#ifndef NFSAR_HOST_FILES_RECORDING_WRITER_H
#define NFSAR_HOST_FILES_RECORDING_WRITER_H

#include <pthread.h>
#include <stdatomic.h>

#include "host/files/recording_io.h"
#include "host/files/recording_layout.h"
#include "host/files/recording_queue.h"

struct recording_writer {
    const struct recording_io *io;
    int descriptor;
    const struct recording_places *places;
    struct recording_queue *queue;
    uint64_t sync_ns, reserve_bytes;

    /* Of the thread alone. */
    uint64_t *written; /* [n_tables] rows that are in the file */
    uint64_t *counted; /* [n_tables] rows that the file says are there */
    uint64_t bytes_at_look, bytes_at_hint;
    size_t log_written;
    bool sync_failed;

    /* For everyone. */
    atomic_int failure; /* errno of the first failure, 0 while all is well */
    _Atomic uint64_t bytes, longest_sync_ns, disk_free, syncs;

    pthread_mutex_t log_lock;
    char *log; /* [RECORDING_LOG_BYTES] */
    size_t log_used, log_lost;
};

/* In place of an errno: what is to stay free of the disk has been reached. */
#define RECORDING_RESERVE_REACHED (-1)

/* A line for the log. What does not fit is counted. */
void recording_writer_note(struct recording_writer *writer, const char *line);

/* The thread; its argument is the writer. It ends some time after queue_stop(), when all that was
 * put in is written, or when writing failed. */
void *recording_writer_run(void *writer);

#endif
