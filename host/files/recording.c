#include "host/files/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/files/pending.h"
#include "host/files/recording_lock.h"
#include "host/files/recording_writer.h"

/* 3 s of what the capture card sends at most: disks that others use too stand still for a second
 * now and then. It takes memory only when it is needed. */
#define QUEUE_BYTES   ((size_t)256 << 20)
#define SYNC_MS       500
#define WAIT_MS       5000
#define RESERVE_BYTES ((uint64_t)64 << 20)
/* What every file system takes, sparse or not. */
#define SMALL_FILE 1e9

struct recording {
    char *name; /* of the file */
    unsigned wait_ms;
    struct recording_places places;
    struct recording_writer writer;
    pthread_t thread;
    double last_time_s[2]; /* of pulses, of poses */
};

/* ---- create --------------------------------------------------------------------------------- */

/* What the capture will be asked when it is made: better now than after the scan. */
static enum nfsar_status check_head(const char *name, const nfsar_capture *head,
                                    nfsar_error *error) {
    double time_s = 0.0;
    nfsar_pose pose = {.orientation = NFSAR_QUATERNION_IDENTITY};
    nfsar_capture one = *head;
    one.n_pulse = one.n_pose = 1;
    one.time_s = one.pose_time_s = &time_s;
    one.pose = &pose;
    one.true_pose = NULL;
    enum nfsar_status status = nfsar_capture_check(&one, error);
    return status == NFSAR_OK ? NFSAR_OK : nfsar_fail_in(error, status, "%s", name);
}

static bool is_sound(const struct recording_table *table) {
    bool good = table->place[0] == '/' && strlen(table->place) < 64 && table->n_columns > 0 &&
                table->n_columns <= RECORDING_COLUMNS_LIMIT && table->rows_at_most > 0;
    for (size_t i = 0; good && i < table->n_columns; i++) {
        good = table->columns[i].elements > 0 && strlen(table->columns[i].name) < 64;
    }
    return good;
}

static double planned_bytes(const struct recording_table *tables, size_t n_tables) {
    double bytes = 0.0;
    for (size_t i = 0; i < n_tables; i++) {
        for (size_t j = 0; j < tables[i].n_columns; j++) {
            const struct recording_column *column = &tables[i].columns[j];
            bytes += (double)tables[i].rows_at_most * (double)column->elements *
                     (double)recording_type_size(column->type);
        }
    }
    return bytes;
}

/* Table 0 and 1, then the caller's. */
static enum nfsar_status lay_out(struct recording *recording, const nfsar_capture *head,
                                 uint64_t pulses, uint64_t poses,
                                 const struct recording_table *tables, size_t n_tables,
                                 const char *session, nfsar_error *error) {
    const struct recording_column echo[] = {
        {"data", RECORDING_I16_PAIR, head->array.n_channel * head->n_sample},
        {"time_s", RECORDING_F64, 1},
        {"flags", RECORDING_U8, 1}};
    const struct recording_column pose[] = {{"time_s", RECORDING_F64, 1},
                                            {"position_m", RECORDING_F64, 3},
                                            {"orientation", RECORDING_F64, 4}};
    struct recording_table all[RECORDING_TABLES_LIMIT] = {{"/echo", echo, 3, pulses},
                                                          {"/pose", pose, 3, poses}};
    if (n_tables > RECORDING_TABLES_LIMIT - 2) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "%s: %zu tables, at most %d can be recorded",
                          recording->name, n_tables, RECORDING_TABLES_LIMIT - 2);
    }
    for (size_t i = 0; i < n_tables; i++) {
        all[i + 2] = tables[i];
    }
    for (size_t i = 0; i < n_tables + 2; i++) {
        if (!is_sound(&all[i])) {
            return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                              "%s: the table %s cannot be recorded: without rows or columns, or "
                              "with too many",
                              recording->name, all[i].place);
        }
    }
    enum nfsar_status status = recording_layout_create(recording->name, head, all, n_tables + 2,
                                                       session, &recording->places, error);
    const double bytes = planned_bytes(all, n_tables + 2);
    return status == NFSAR_ERROR_FILE && bytes > SMALL_FILE
               ? nfsar_fail_in(error, status, "with room for %llu pulses, %.1f GB",
                               (unsigned long long)pulses, 1e-9 * bytes)
               : status;
}

static enum nfsar_status open_for_writing(struct recording *recording, nfsar_error *error) {
    struct recording_writer *writer = &recording->writer;
    writer->descriptor = open(recording->name, O_RDWR | O_CLOEXEC);
    if (writer->descriptor < 0) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: cannot be written: %s", recording->name,
                          strerror(errno));
    }
    return recording_lock(writer->descriptor)
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_FILE, "%s: another process has it already",
                            recording->name);
}

/* Better no recording than one that ends at once. */
static enum nfsar_status check_space(const struct recording *recording, nfsar_error *error) {
    const struct recording_writer *writer = &recording->writer;
    uint64_t bytes = 0;
    if (writer->io->free_space(writer->io->context, writer->descriptor, &bytes) != 0 ||
        bytes >= writer->reserve_bytes) {
        return NFSAR_OK;
    }
    return nfsar_fail(error, NFSAR_ERROR_FILE,
                      "%s: only %.1f MB of the disk are free, and %.1f MB are to stay free: make "
                      "room first",
                      recording->name, 1e-6 * (double)bytes, 1e-6 * (double)writer->reserve_bytes);
}

static enum nfsar_status start(struct recording *recording, const struct recording_options *options,
                               nfsar_error *error) {
    struct recording_writer *writer = &recording->writer;
    const struct recording_places *places = &recording->places;
    struct queue_table tables[RECORDING_TABLES_LIMIT];
    for (size_t i = 0; i < places->n_tables; i++) {
        const struct recording_place *place = &places->table[i];
        tables[i] =
            (struct queue_table){place->column_bytes, place->n_columns, place->rows_at_most};
    }
    writer->places = places;
    writer->io = options->io != NULL ? options->io : &recording_io_system;
    writer->sync_ns = UINT64_C(1000000) * (options->sync_ms > 0 ? options->sync_ms : SYNC_MS);
    writer->reserve_bytes = options->reserve_bytes > 0 ? options->reserve_bytes : RESERVE_BYTES;
    writer->written = calloc(places->n_tables, sizeof *writer->written);
    writer->counted = calloc(places->n_tables, sizeof *writer->counted);
    writer->log = calloc(1, RECORDING_LOG_BYTES);
    writer->queue = queue_create(tables, places->n_tables,
                                 options->queue_bytes > 0 ? options->queue_bytes : QUEUE_BYTES);
    if (writer->written == NULL || writer->counted == NULL || writer->log == NULL ||
        writer->queue == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", recording->name);
    }
    enum nfsar_status status = check_space(recording, error);
    if (status == NFSAR_OK &&
        pthread_create(&recording->thread, NULL, recording_writer_run, writer) != 0) {
        status =
            nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: no thread can be started", recording->name);
    }
    return status;
}

static void release(struct recording *recording) {
    struct recording_writer *writer = &recording->writer;
    if (writer->descriptor >= 0) {
        close(writer->descriptor);
    }
    queue_free(writer->queue);
    free(writer->written);
    free(writer->counted);
    free(writer->log);
    pthread_mutex_destroy(&writer->log_lock);
    recording_places_free(&recording->places);
    free(recording->name);
    free(recording);
}

static enum nfsar_status make_name(const char *path, char **name, nfsar_error *error) {
    size_t room = strlen(path) + sizeof RECORDING_ENDING;
    *name = malloc(room);
    if (*name == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", path);
    }
    snprintf(*name, room, "%s" RECORDING_ENDING, path);
    return NFSAR_OK;
}

/* Nothing is in the way of the file, nor of the capture that is made of it. */
static enum nfsar_status check_names(const char *path, const char *name, nfsar_error *error) {
    if (access(name, F_OK) == 0) {
        return nfsar_fail(
            error, NFSAR_ERROR_FILE,
            "%s: is there already, a recording that was not sealed: `nfsar repair %s` "
            "makes a capture of it",
            name, name);
    }
    return pending_check(path, PENDING_HDF5, error);
}

enum nfsar_status recording_create(const char *path, const nfsar_capture *head, uint64_t pulses,
                                   uint64_t poses, const struct recording_table *tables,
                                   size_t n_tables, const char *session,
                                   const struct recording_options *options,
                                   struct recording **recording, nfsar_error *error) {
    const struct recording_options defaults = {0};
    *recording = NULL;
    struct recording *made = calloc(1, sizeof *made);
    if (made == NULL || pthread_mutex_init(&made->writer.log_lock, NULL) != 0) {
        free(made);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", path);
    }
    made->writer.descriptor = -1;
    made->wait_ms = options != NULL && options->wait_ms > 0 ? options->wait_ms : WAIT_MS;
    made->last_time_s[ECHO_TABLE] = made->last_time_s[POSE_TABLE] = -INFINITY;
    enum nfsar_status status = make_name(path, &made->name, error);
    if (status == NFSAR_OK) {
        status = check_head(made->name, head, error);
    }
    if (status == NFSAR_OK) {
        status = check_names(path, made->name, error);
    }
    bool laid_out = false;
    if (status == NFSAR_OK) {
        status = lay_out(made, head, pulses, poses, tables, n_tables, session, error);
        laid_out = status == NFSAR_OK;
    }
    if (status == NFSAR_OK) {
        status = open_for_writing(made, error);
    }
    if (status == NFSAR_OK) {
        status = start(made, options != NULL ? options : &defaults, error);
    }
    if (status != NFSAR_OK) {
        if (laid_out) {
            unlink(made->name);
        }
        release(made);
        return status;
    }
    *recording = made;
    return NFSAR_OK;
}

/* ---- append --------------------------------------------------------------------------------- */

static enum nfsar_status fail_write(const struct recording *recording, nfsar_error *error) {
    int failure = atomic_load(&recording->writer.failure);
    const char *name = recording->name;
    if (failure == RECORDING_RESERVE_REACHED || failure == ENOSPC || failure == EDQUOT) {
        return nfsar_fail(error, NFSAR_ERROR_FILE,
                          "%s: the disk is full (%.1f MB are left); what was recorded before is "
                          "safe: make room, then `nfsar repair %s`",
                          name, 1e-6 * (double)atomic_load(&recording->writer.disk_free), name);
    }
    return nfsar_fail(error, NFSAR_ERROR_FILE,
                      "%s: cannot be written: %s; what was recorded before the last sync is safe: "
                      "`nfsar repair %s`",
                      name, failure != 0 ? strerror(failure) : "the recording was closed", name);
}

static enum nfsar_status put(struct recording *recording, size_t table, const void *const *values,
                             nfsar_error *error) {
    struct recording_writer *writer = &recording->writer;
    switch (queue_put(writer->queue, table, values, recording->wait_ms)) {
    case QUEUE_DONE:
        return NFSAR_OK;
    case QUEUE_FULL:
        return nfsar_fail(
            error, NFSAR_ERROR_FILE,
            "%s: the disk is too slow: no row could be handed over for %.3g s; record "
            "to a faster disk, or fewer samples per second",
            recording->name, 1e-3 * recording->wait_ms);
    case QUEUE_TABLE_FULL:
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "%s: has all the %llu rows of table %zu that were planned",
                          recording->name,
                          (unsigned long long)recording->places.table[table].rows_at_most, table);
    case QUEUE_STOPPED:
        return fail_write(recording, error);
    case QUEUE_NO_MEMORY:
        break;
    }
    return nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", recording->name);
}

enum nfsar_status recording_append(struct recording *recording, size_t table,
                                   const void *const *values, nfsar_error *error) {
    if (table >= recording->places.n_tables) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "%s: has no table %zu", recording->name,
                          table);
    }
    return put(recording, table, values, error);
}

/* Append to echo or pose, whose times ascend. */
static enum nfsar_status put_timed(struct recording *recording, size_t table, double time_s,
                                   const void *const *values, nfsar_error *error) {
    if (!isfinite(time_s) || time_s < recording->last_time_s[table]) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "%s: the %s at %.9g s is before the one at %.9g s, or at no time",
                          recording->name, table == ECHO_TABLE ? "pulse" : "pose", time_s,
                          recording->last_time_s[table]);
    }
    enum nfsar_status status = put(recording, table, values, error);
    if (status == NFSAR_OK) {
        recording->last_time_s[table] = time_s;
    }
    return status;
}

enum nfsar_status recording_append_pulse(struct recording *recording, const int16_t *samples,
                                         double time_s, uint8_t flags, nfsar_error *error) {
    const void *const values[] = {samples, &time_s, &flags};
    return put_timed(recording, ECHO_TABLE, time_s, values, error);
}

enum nfsar_status recording_append_pose(struct recording *recording, double time_s,
                                        const nfsar_pose *pose, nfsar_error *error) {
    const double at[] = {pose->position.x, pose->position.y, pose->position.z};
    const nfsar_quaternion q = pose->orientation;
    const double turn[] = {q.w, q.x, q.y, q.z};
    double length = nfsar_quaternion_norm(q);
    if (!isfinite(at[0]) || !isfinite(at[1]) || !isfinite(at[2]) || !(fabs(length - 1.0) <= 0.01)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "%s: the pose at %.9g s is no pose: (%g, %g, %g) m, quaternion of "
                          "length %g",
                          recording->name, time_s, at[0], at[1], at[2], length);
    }
    const void *const values[] = {&time_s, at, turn};
    return put_timed(recording, POSE_TABLE, time_s, values, error);
}

/* ---- the rest ------------------------------------------------------------------------------- */

uint64_t recording_rows(struct recording *recording, size_t table) {
    return table < recording->places.n_tables ? queue_rows(recording->writer.queue, table) : 0;
}

enum nfsar_status recording_note(struct recording *recording, nfsar_error *error,
                                 const char *format, ...) {
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (n < 0) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "%s: a note cannot be formatted",
                          recording->name);
    }
    for (char *at = line; *at != '\0'; at++) {
        if (*at == '\n') {
            *at = ' ';
        }
    }
    /* What does not fit is counted, and the count written when there is an end. */
    recording_writer_note(&recording->writer, line);
    return NFSAR_OK;
}

void recording_counters(struct recording *recording, struct recording_counters *counters) {
    struct recording_writer *writer = &recording->writer;
    struct queue_counters queue;
    queue_count(writer->queue, &queue);
    *counters = (struct recording_counters){
        .bytes = atomic_load(&writer->bytes),
        .waits = queue.waits,
        .waited_ns = queue.waited_ns,
        .longest_sync_ns = atomic_load(&writer->longest_sync_ns),
        .queue_worst = queue.worst,
        .disk_free = atomic_load(&writer->disk_free),
        .syncs = atomic_load(&writer->syncs),
    };
}

enum nfsar_status recording_close(struct recording *recording, nfsar_error *error) {
    if (recording == NULL) {
        return NFSAR_OK;
    }
    queue_stop(recording->writer.queue);
    pthread_join(recording->thread, NULL);
    enum nfsar_status status = NFSAR_OK;
    if (atomic_load(&recording->writer.failure) != 0) {
        status = fail_write(recording, error);
    } else if (recording->writer.sync_failed) {
        status = nfsar_fail(error, NFSAR_ERROR_FILE,
                            "%s: its end cannot be written; `nfsar repair %s` keeps what is there",
                            recording->name, recording->name);
    }
    release(recording);
    return status;
}
