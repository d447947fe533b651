#include "host/files/recording_writer.h"

#include <stdio.h>
#include <string.h>

/* So much is written between two looks at what is left of the disk, and between two hints that it
 * might begin: else all of half a second's rows would be left to the sync. */
#define LOOK_BYTES ((uint64_t)8 << 20)
#define HINT_BYTES ((uint64_t)4 << 20)

/* Less of a column is left in memory: there the next rows begin, in the middle of a page. */
#define FORGET_BYTES ((uint64_t)256 << 10)

/* Of the log, kept for what is said at the end. */
#define LOG_END_BYTES 256

static int failure_of(const struct recording_writer *writer) {
    return atomic_load(&writer->failure);
}

/* The first failure is the one that is told. */
static void fail(struct recording_writer *writer, int failure) {
    int none = 0;
    atomic_compare_exchange_strong(&writer->failure, &none, failure);
    queue_stop(writer->queue);
}

static int write_at(struct recording_writer *writer, const void *bytes, size_t n, uint64_t offset) {
    int failure = writer->io->write(writer->io->context, writer->descriptor, bytes, n, offset);
    if (failure == 0) {
        atomic_fetch_add(&writer->bytes, n);
    }
    return failure;
}

/* Whether what is to stay free of the disk still is. 0 where nobody knows. */
static int look_at_disk(struct recording_writer *writer) {
    uint64_t bytes = 0;
    writer->bytes_at_look = atomic_load(&writer->bytes);
    if (writer->io->free_space(writer->io->context, writer->descriptor, &bytes) != 0) {
        return 0;
    }
    atomic_store(&writer->disk_free, bytes);
    return bytes < writer->reserve_bytes ? RECORDING_RESERVE_REACHED : 0;
}

/* ---- rows ----------------------------------------------------------------------------------- */

static int write_columns(struct recording_writer *writer, const struct queue_block *block) {
    const struct recording_place *place = &writer->places->table[block->table];
    const uint8_t *column = block->bytes;
    int failure = 0;
    for (size_t i = 0; failure == 0 && i < place->n_columns; i++) {
        size_t bytes = place->column_bytes[i];
        failure =
            write_at(writer, column, block->n * bytes, place->offset[i] + block->first * bytes);
        column += block->room * bytes;
    }
    return failure;
}

static void write_block(struct recording_writer *writer, struct queue_block *block) {
    int failure = failure_of(writer);
    uint64_t bytes = atomic_load(&writer->bytes);
    if (failure == 0 && bytes - writer->bytes_at_look >= LOOK_BYTES) {
        failure = look_at_disk(writer);
    }
    if (failure == 0) {
        failure = write_columns(writer, block);
    }
    if (failure == 0) {
        writer->written[block->table] = block->first + block->n;
    } else {
        fail(writer, failure);
    }
    queue_give_back(writer->queue, block);
    if (failure == 0 && bytes - writer->bytes_at_hint >= HINT_BYTES) {
        writer->bytes_at_hint = bytes;
        writer->io->begin(writer->io->context, writer->descriptor);
    }
}

/* ---- what is promised ----------------------------------------------------------------------- */

static int write_log(struct recording_writer *writer) {
    pthread_mutex_lock(&writer->log_lock);
    size_t used = writer->log_used;
    pthread_mutex_unlock(&writer->log_lock);
    size_t first = writer->log_written;
    /* What is there does not change any more. */
    int failure = used > first ? write_at(writer, writer->log + first, used - first,
                                          writer->places->log + first)
                               : 0;
    if (failure == 0) {
        writer->log_written = used;
    }
    return failure;
}

static int sync_file(struct recording_writer *writer) {
    uint64_t start = queue_now_ns();
    int failure = writer->io->sync(writer->io->context, writer->descriptor);
    uint64_t took = queue_now_ns() - start;
    writer->sync_failed = writer->sync_failed || failure != 0;
    if (took > atomic_load(&writer->longest_sync_ns)) {
        atomic_store(&writer->longest_sync_ns, took);
    }
    return failure;
}

/* Gigabytes that nobody reads would push everything else out of memory, and memory that is touched
 * for the first time is slow: without this, writing took twice the processor's time, and paused for
 * longer. */
static void forget_synced(struct recording_writer *writer) {
    const struct recording_io *io = writer->io;
    for (size_t i = 0; io->forget != NULL && i < writer->places->n_tables; i++) {
        const struct recording_place *place = &writer->places->table[i];
        for (size_t j = 0; j < place->n_columns; j++) {
            const uint64_t first = writer->counted[i] * place->column_bytes[j];
            const uint64_t n = writer->written[i] * place->column_bytes[j] - first;
            if (n >= FORGET_BYTES) {
                io->forget(io->context, writer->descriptor, place->offset[j] + first, n);
            }
        }
    }
}

/* The rows first, then how many there are: whatever of this does not reach the disk, what is
 * counted there is there. */
static int promise(struct recording_writer *writer) {
    const size_t n = writer->places->n_tables * sizeof(uint64_t);
    size_t log_before = writer->log_written;
    int failure = write_log(writer);
    bool more = memcmp(writer->written, writer->counted, n) != 0;
    if (failure != 0 || (!more && writer->log_written == log_before)) {
        return failure;
    }
    failure = sync_file(writer);
    if (failure == 0 && more) {
        failure = write_at(writer, writer->written, n, writer->places->rows);
    }
    if (failure == 0 && more) {
        failure = sync_file(writer);
    }
    if (failure == 0) {
        forget_synced(writer);
        memcpy(writer->counted, writer->written, n);
        atomic_fetch_add(&writer->syncs, 1);
    }
    return failure;
}

static void write_rest_and_sync(struct recording_writer *writer) {
    for (size_t n = queue_cut(writer->queue); n > 0; n--) {
        struct queue_block *block = queue_take(writer->queue, 0);
        if (block != NULL) {
            write_block(writer, block);
        }
    }
    int failure = failure_of(writer);
    if (failure == 0) {
        failure = promise(writer);
    }
    if (failure == 0) {
        failure = look_at_disk(writer);
    }
    if (failure != 0) {
        fail(writer, failure);
    }
}

/* What does not fit is counted. */
static void add_to_log(struct recording_writer *writer, const char *line, size_t limit) {
    size_t n = strlen(line);
    pthread_mutex_lock(&writer->log_lock);
    bool fits = writer->log_used + n + 1 <= limit;
    if (fits) {
        memcpy(writer->log + writer->log_used, line, n);
        writer->log[writer->log_used + n] = '\n';
        writer->log_used += n + 1;
    } else {
        writer->log_lost++;
    }
    pthread_mutex_unlock(&writer->log_lock);
}

void recording_writer_note(struct recording_writer *writer, const char *line) {
    add_to_log(writer, line, RECORDING_LOG_BYTES - LOG_END_BYTES);
}

/* Say how it ended. */
static int mark_end(struct recording_writer *writer, enum recording_end end) {
    const uint8_t mark = (uint8_t)end;
    int failure = write_at(writer, &mark, 1, writer->places->ended);
    return failure == 0 ? sync_file(writer) : failure;
}

/* A full disk has room for what overwrites: what was written before is counted. When a sync failed,
 * nothing is known of what was written since the one before, and what was told then holds. */
static void end(struct recording_writer *writer) {
    char text[128];
    int failure = failure_of(writer);
    if (writer->log_lost > 0) {
        snprintf(text, sizeof text, "%zu lines more did not fit", writer->log_lost);
        add_to_log(writer, text, RECORDING_LOG_BYTES);
    }
    if (failure == 0) {
        failure = promise(writer);
        failure = failure == 0 ? mark_end(writer, RECORDING_CLOSED) : failure;
        if (failure == 0) {
            return;
        }
        fail(writer, failure);
    }
    snprintf(text, sizeof text, "writing failed: %s",
             failure == RECORDING_RESERVE_REACHED ? "the disk is full" : strerror(failure));
    add_to_log(writer, text, RECORDING_LOG_BYTES);
    if (!writer->sync_failed) {
        promise(writer);
    }
    mark_end(writer, RECORDING_FAILED);
}

void *recording_writer_run(void *argument) {
    struct recording_writer *writer = argument;
    uint64_t next = queue_now_ns() + writer->sync_ns;
    bool stopped = false;
    while (!stopped) {
        struct queue_block *block = queue_take(writer->queue, next);
        if (block != NULL) {
            write_block(writer, block);
        }
        if (block == NULL || queue_now_ns() >= next) {
            /* What comes after is not put in any more, so the rest is all. */
            stopped = queue_is_stopped(writer->queue);
            write_rest_and_sync(writer);
            next = queue_now_ns() + writer->sync_ns;
        }
    }
    end(writer);
    return NULL;
}
