/* Rows that wait to be written, at most so many bytes of them, in blocks: the columns of a block's
 * rows lie one after the other as they will in the file, so that a column is one write.
 *
 * Threads put rows in; one thread takes blocks out. */
#ifndef NFSAR_HOST_FILES_RECORDING_QUEUE_H
#define NFSAR_HOST_FILES_RECORDING_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct recording_queue;

/* What a table's rows are made of. */
struct queue_table {
    const size_t *column_bytes; /* [n_columns]; kept, not copied */
    size_t n_columns;
    uint64_t rows_at_most;
};

/* Rows [first, first + n) of a table. */
struct queue_block {
    struct queue_block *next;
    size_t table;
    uint64_t first;
    size_t n, room; /* rows */
    uint8_t *bytes; /* column i starts where room rows of the columns before it end */
};

enum queue_outcome {
    QUEUE_DONE,
    QUEUE_FULL,       /* it stayed full all the time */
    QUEUE_TABLE_FULL, /* the table has all the rows it can have */
    QUEUE_STOPPED,    /* queue_stop() was called */
    QUEUE_NO_MEMORY
};

struct queue_counters {
    uint64_t waits, waited_ns;
    size_t worst; /* bytes that waited, at most */
};

/* NULL: no memory. The tables are copied. */
struct recording_queue *queue_create(const struct queue_table *tables, size_t n_tables,
                                     size_t bytes);
/* Nobody may use it any more. NULL is allowed. */
void queue_free(struct recording_queue *queue);

/* Append a copy of a row, waiting up to wait_ms for room. */
enum queue_outcome queue_put(struct recording_queue *queue, size_t table, const void *const *values,
                             unsigned wait_ms);

/* Rows of a table that were put in. */
uint64_t queue_rows(struct recording_queue *queue, size_t table);

/* The next block: waits for a full one until the monotonic clock says until_ns. NULL when there is
 * none then, or none and queue_stop() was called. The block is the caller's till
 * queue_give_back(). */
struct queue_block *queue_take(struct recording_queue *queue, uint64_t until_ns);
/* Blocks that are not full count as full now. How many there are to take. */
size_t queue_cut(struct recording_queue *queue);
/* Written: its bytes wait no longer. */
void queue_give_back(struct recording_queue *queue, struct queue_block *block);

/* No rows any more; those who wait are told. */
void queue_stop(struct recording_queue *queue);
bool queue_is_stopped(struct recording_queue *queue);

void queue_count(struct recording_queue *queue, struct queue_counters *counters);

/* The monotonic clock. */
uint64_t queue_now_ns(void);

#endif
