#include "host/files/recording_queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Of a block: what is worth a call to the system, and little beside the queue. */
#define BLOCK_BYTES ((size_t)1 << 20)

struct table {
    size_t *column_bytes; /* [n_columns] */
    size_t n_columns;
    size_t row_bytes;
    size_t block_rows;
    uint64_t rows, rows_at_most;
    struct queue_block *open;  /* being filled, or NULL */
    struct queue_block *spare; /* to be filled again */
};

struct recording_queue {
    pthread_mutex_t lock;
    pthread_cond_t filled; /* for who takes: a block is full, or the end */
    pthread_cond_t room;   /* for who puts */
    struct table *tables;
    size_t n_tables;
    struct queue_block *first, **last; /* full ones, oldest first */
    size_t n_full;
    size_t waiting, bytes; /* now, at most */
    bool stopped;
    struct queue_counters counters;
};

uint64_t queue_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static struct timespec as_time(uint64_t ns) {
    return (struct timespec){.tv_sec = (time_t)(ns / UINT64_C(1000000000)),
                             .tv_nsec = (long)(ns % UINT64_C(1000000000))};
}

/* ---- life ----------------------------------------------------------------------------------- */

static bool make_table(struct table *made, const struct queue_table *table, size_t block_bytes) {
    made->column_bytes = calloc(table->n_columns, sizeof *made->column_bytes);
    if (made->column_bytes == NULL) {
        return false;
    }
    made->n_columns = table->n_columns;
    made->rows_at_most = table->rows_at_most;
    for (size_t i = 0; i < table->n_columns; i++) {
        made->column_bytes[i] = table->column_bytes[i];
        made->row_bytes += table->column_bytes[i];
    }
    made->block_rows = block_bytes / made->row_bytes > 0 ? block_bytes / made->row_bytes : 1;
    return true;
}

static bool make_locks(struct recording_queue *queue) {
    pthread_condattr_t monotonic;
    bool good = pthread_condattr_init(&monotonic) == 0;
    good = good && pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0 &&
           pthread_cond_init(&queue->filled, &monotonic) == 0 &&
           pthread_cond_init(&queue->room, &monotonic) == 0 &&
           pthread_mutex_init(&queue->lock, NULL) == 0;
    pthread_condattr_destroy(&monotonic);
    return good;
}

struct recording_queue *queue_create(const struct queue_table *tables, size_t n_tables,
                                     size_t bytes) {
    struct recording_queue *made = calloc(1, sizeof *made);
    if (made == NULL || !make_locks(made)) {
        free(made);
        return NULL;
    }
    made->last = &made->first;
    made->bytes = bytes;
    made->tables = calloc(n_tables, sizeof *made->tables);
    size_t block = bytes / 8 < BLOCK_BYTES ? bytes / 8 : BLOCK_BYTES;
    while (made->tables != NULL && made->n_tables < n_tables &&
           make_table(&made->tables[made->n_tables], &tables[made->n_tables], block)) {
        made->n_tables++;
    }
    if (made->tables == NULL || made->n_tables < n_tables) {
        queue_free(made);
        return NULL;
    }
    return made;
}

static void free_blocks(struct queue_block *block) {
    while (block != NULL) {
        struct queue_block *next = block->next;
        free(block->bytes);
        free(block);
        block = next;
    }
}

void queue_free(struct recording_queue *queue) {
    if (queue == NULL) {
        return;
    }
    for (size_t i = 0; i < queue->n_tables; i++) {
        free_blocks(queue->tables[i].open);
        free_blocks(queue->tables[i].spare);
        free(queue->tables[i].column_bytes);
    }
    free_blocks(queue->first);
    free(queue->tables);
    pthread_mutex_destroy(&queue->lock);
    pthread_cond_destroy(&queue->filled);
    pthread_cond_destroy(&queue->room);
    free(queue);
}

/* ---- in ------------------------------------------------------------------------------------- */

static struct queue_block *open_block(struct table *table, size_t index) {
    struct queue_block *block = table->spare;
    if (block != NULL) {
        table->spare = block->next;
    } else {
        block = calloc(1, sizeof *block);
        if (block == NULL ||
            (block->bytes = malloc(table->block_rows * table->row_bytes)) == NULL) {
            free(block);
            return NULL;
        }
    }
    block->next = NULL;
    block->table = index;
    block->first = table->rows;
    block->n = 0;
    block->room = table->block_rows;
    return block;
}

static void close_block(struct recording_queue *queue, struct table *table) {
    *queue->last = table->open;
    queue->last = &table->open->next;
    queue->n_full++;
    table->open = NULL;
}

static void cut(struct recording_queue *queue) {
    for (size_t i = 0; i < queue->n_tables; i++) {
        if (queue->tables[i].open != NULL) {
            close_block(queue, &queue->tables[i]);
        }
    }
}

static void copy_row(struct queue_block *block, const struct table *table,
                     const void *const *values) {
    uint8_t *column = block->bytes;
    for (size_t i = 0; i < table->n_columns; i++) {
        size_t bytes = table->column_bytes[i];
        memcpy(column + block->n * bytes, values[i], bytes);
        column += block->room * bytes;
    }
    block->n++;
}

static bool has_room(const struct recording_queue *queue, size_t bytes) {
    /* A row larger than the queue goes through an empty one. */
    return queue->waiting == 0 ||
           (queue->waiting <= queue->bytes && bytes <= queue->bytes - queue->waiting);
}

/* False when it stayed full. */
static bool wait_for_room(struct recording_queue *queue, size_t bytes, unsigned wait_ms) {
    if (queue->stopped || has_room(queue, bytes)) {
        return true;
    }
    uint64_t start = queue_now_ns();
    const struct timespec end = as_time(start + wait_ms * UINT64_C(1000000));
    int result = 0;
    queue->counters.waits++;
    while (result != ETIMEDOUT && !queue->stopped && !has_room(queue, bytes)) {
        /* What waits may be in blocks that are not full. Not while there are others: many with few
         * rows each would take more memory than the rows. */
        if (queue->first == NULL) {
            cut(queue);
        }
        pthread_cond_signal(&queue->filled);
        result = pthread_cond_timedwait(&queue->room, &queue->lock, &end);
    }
    queue->counters.waited_ns += queue_now_ns() - start;
    return queue->stopped || has_room(queue, bytes);
}

static enum queue_outcome put(struct recording_queue *queue, size_t index,
                              const void *const *values, unsigned wait_ms) {
    struct table *table = &queue->tables[index];
    if (!wait_for_room(queue, table->row_bytes, wait_ms)) {
        return QUEUE_FULL;
    }
    if (queue->stopped) {
        return QUEUE_STOPPED;
    }
    if (table->rows >= table->rows_at_most) {
        return QUEUE_TABLE_FULL;
    }
    if (table->open == NULL && (table->open = open_block(table, index)) == NULL) {
        return QUEUE_NO_MEMORY;
    }
    copy_row(table->open, table, values);
    table->rows++;
    queue->waiting += table->row_bytes;
    if (queue->waiting > queue->counters.worst) {
        queue->counters.worst = queue->waiting;
    }
    if (table->open->n == table->open->room) {
        close_block(queue, table);
        pthread_cond_signal(&queue->filled);
    }
    return QUEUE_DONE;
}

enum queue_outcome queue_put(struct recording_queue *queue, size_t table, const void *const *values,
                             unsigned wait_ms) {
    pthread_mutex_lock(&queue->lock);
    enum queue_outcome outcome = put(queue, table, values, wait_ms);
    pthread_mutex_unlock(&queue->lock);
    return outcome;
}

uint64_t queue_rows(struct recording_queue *queue, size_t table) {
    pthread_mutex_lock(&queue->lock);
    uint64_t rows = queue->tables[table].rows;
    pthread_mutex_unlock(&queue->lock);
    return rows;
}

/* ---- out ------------------------------------------------------------------------------------ */

struct queue_block *queue_take(struct recording_queue *queue, uint64_t until_ns) {
    const struct timespec end = as_time(until_ns);
    int result = 0;
    pthread_mutex_lock(&queue->lock);
    while (result != ETIMEDOUT && queue->first == NULL && !queue->stopped) {
        result = pthread_cond_timedwait(&queue->filled, &queue->lock, &end);
    }
    struct queue_block *block = queue->first;
    if (block != NULL) {
        queue->first = block->next;
        queue->n_full--;
        if (queue->first == NULL) {
            queue->last = &queue->first;
        }
        block->next = NULL;
    }
    pthread_mutex_unlock(&queue->lock);
    return block;
}

size_t queue_cut(struct recording_queue *queue) {
    pthread_mutex_lock(&queue->lock);
    cut(queue);
    size_t n = queue->n_full;
    pthread_mutex_unlock(&queue->lock);
    return n;
}

void queue_give_back(struct recording_queue *queue, struct queue_block *block) {
    pthread_mutex_lock(&queue->lock);
    struct table *table = &queue->tables[block->table];
    queue->waiting -= block->n * table->row_bytes;
    block->next = table->spare;
    table->spare = block;
    pthread_cond_broadcast(&queue->room);
    pthread_mutex_unlock(&queue->lock);
}

void queue_stop(struct recording_queue *queue) {
    pthread_mutex_lock(&queue->lock);
    queue->stopped = true;
    pthread_cond_broadcast(&queue->filled);
    pthread_cond_broadcast(&queue->room);
    pthread_mutex_unlock(&queue->lock);
}

bool queue_is_stopped(struct recording_queue *queue) {
    pthread_mutex_lock(&queue->lock);
    bool stopped = queue->stopped;
    pthread_mutex_unlock(&queue->lock);
    return stopped;
}

void queue_count(struct recording_queue *queue, struct queue_counters *counters) {
    pthread_mutex_lock(&queue->lock);
    *counters = queue->counters;
    pthread_mutex_unlock(&queue->lock);
}
