#include "host/session/joined.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <hdf5.h>

#include "host/files/hdf5_error.h"
#include "host/files/recording_counts.h"
#include "host/session/join.h"

/* Triggers more than the table has room for, as the recorder bears them. */
enum { TRIGGERS_MORE = 65536 };

void joined_free(struct joined *joined) {
    free(joined->frame_s);
    free(joined->trigger_s);
    free(joined->host_s);
    free(joined->pulse_s);
    free(joined->flags);
    *joined = (struct joined){0};
}

static enum nfsar_status column(const struct h5_input *input, const char *name, size_t rows,
                                double **values, nfsar_error *error) {
    struct h5_shape shape = {1, {0}};
    return h5_read_first(input, name, H5_REAL, rows, &shape, (void **)values, error);
}

/* ---- /echo ---- */

/* Where a column lies that is to be written: in one piece, of that type. */
static enum nfsar_status find_place(const struct h5_input *input, const char *name, hid_t type,
                                    uint64_t *offset, nfsar_error *error) {
    const hid_t data = h5_open_object(input, name, H5O_TYPE_DATASET, H5P_DEFAULT);
    const hid_t stored = data >= 0 ? H5Dget_type(data) : -1;
    const hid_t list = data >= 0 ? H5Dget_create_plist(data) : -1;
    const haddr_t at = data >= 0 ? H5Dget_offset(data) : HADDR_UNDEF;
    const bool good = stored >= 0 && H5Tequal(stored, type) > 0 && list >= 0 &&
                      H5Pget_layout(list) == H5D_CONTIGUOUS && at != HADDR_UNDEF &&
                      input->base == 0;
    *offset = (uint64_t)at;
    h5_drop(list);
    h5_drop(stored);
    h5_drop(data);
    return good
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: is not as nfsar record makes it", name);
}

static enum nfsar_status read_echo(const struct h5_input *input, struct joined *joined,
                                   nfsar_error *error) {
    struct h5_shape shape = {1, {0}};
    if (joined->pulses == 0) {
        return NFSAR_OK;
    }
    enum nfsar_status status =
        column(input, "/echo/time_s", joined->pulses, &joined->pulse_s, error);
    if (status == NFSAR_OK) {
        status = h5_read_first(input, "/echo/flags", H5_BYTE, joined->pulses, &shape,
                               (void **)&joined->flags, error);
    }
    if (status == NFSAR_OK) {
        status = find_place(input, "/echo/time_s", H5T_NATIVE_DOUBLE, &joined->offset_s, error);
    }
    return status == NFSAR_OK
               ? find_place(input, "/echo/flags", H5T_NATIVE_UINT8, &joined->offset_flags, error)
               : status;
}

/* ---- /sensor/frame ---- */

/* A whole number of a table's first row. */
static enum nfsar_status first_of(const struct h5_input *input, const char *name, size_t *number,
                                  nfsar_error *error) {
    double *values = NULL;
    enum nfsar_status status = column(input, name, 1, &values, error);
    if (status == NFSAR_OK && !(values[0] >= 1.0 && values[0] < 0x1p32)) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: %g is none", name, values[0]);
    }
    *number = status == NFSAR_OK ? (size_t)values[0] : 0;
    free(values);
    return status;
}

static enum nfsar_status read_frames(const struct h5_input *input, struct joined *joined,
                                     nfsar_error *error) {
    enum nfsar_status status =
        column(input, "/sensor/frame/host_s", joined->frames, &joined->frame_s, error);
    if (status == NFSAR_OK) {
        status = first_of(input, "/sensor/frame/loops", &joined->loops, error);
    }
    if (status == NFSAR_OK) {
        status = first_of(input, "/sensor/frame/bytes", &joined->frame_bytes, error);
    }
    if (status == NFSAR_OK) {
        joined->in_echo = (joined->pulses + joined->loops - 1) / joined->loops;
    }
    return status;
}

/* ---- /sensor/trigger ---- */

struct rows {
    size_t n, numbers_most;
    double *number, *scan, *time_s, *host_s;
};

static enum nfsar_status read_rows(const struct h5_input *input, struct rows *rows,
                                   nfsar_error *error) {
    static const char *const names[] = {"/sensor/trigger/number", "/sensor/trigger/scan",
                                        "/sensor/trigger/time_s", "/sensor/trigger/host_s"};
    double **columns[] = {&rows->number, &rows->scan, &rows->time_s, &rows->host_s};
    struct h5_data data;
    struct h5_shape shape = {1, {0}};
    enum nfsar_status status = h5_data_open(&data, input, names[0], H5_REAL, false, &shape, error);
    if (status != NFSAR_OK) {
        return status;
    }
    h5_data_close(&data);
    rows->numbers_most = shape.extent[0] + TRIGGERS_MORE;
    for (size_t i = 0; i < 4 && status == NFSAR_OK; i++) {
        status = column(input, names[i], rows->n, columns[i], error);
    }
    return status;
}

static bool grow(struct joined *joined, size_t triggers) {
    double *trigger_s = realloc(joined->trigger_s, (triggers + 1) * sizeof *trigger_s);
    joined->trigger_s = trigger_s != NULL ? trigger_s : joined->trigger_s;
    double *host_s = realloc(joined->host_s, (triggers + 1) * sizeof *host_s);
    joined->host_s = host_s != NULL ? host_s : joined->host_s;
    return trigger_s != NULL && host_s != NULL;
}

/* Triggers up to the one of that time, whose record came. */
static void put_trigger(struct joined *joined, size_t number, double time_s, double host_s) {
    const size_t had = joined->triggers;
    const double before_s = had > 0 ? joined->trigger_s[had - 1] : NAN;
    for (size_t i = had; i < number; i++) {
        joined->trigger_s[i] = join_between(before_s, time_s, i - had, number - had);
        joined->host_s[i] = NAN;
    }
    joined->trigger_s[number] = time_s;
    joined->host_s[number] = host_s;
    joined->triggers = number + 1;
}

/* Those of the scan, each once: as the recorder takes them. */
static bool is_next(const struct rows *rows, size_t row, const struct joined *joined) {
    return rows->scan[row] == rows->scan[0] && rows->number[row] >= (double)joined->triggers &&
           rows->number[row] < (double)rows->numbers_most;
}

static enum nfsar_status list_triggers(const struct rows *rows, size_t at_least,
                                       struct joined *joined, nfsar_error *error) {
    size_t most = at_least;
    for (size_t i = 0; i < rows->n; i++) {
        if (is_next(rows, i, joined) && rows->number[i] >= (double)most) {
            most = (size_t)rows->number[i] + 1;
        }
    }
    if (!grow(joined, most)) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < rows->n; i++) {
        if (is_next(rows, i, joined)) {
            put_trigger(joined, (size_t)rows->number[i], rows->time_s[i], rows->host_s[i]);
        }
    }
    /* The last ones, whose records were lost. */
    const size_t had = joined->triggers;
    const double interval_s =
        had > 1 ? joined->trigger_s[had - 1] - joined->trigger_s[had - 2] : 1e-3;
    for (; had > 0 && joined->triggers < at_least; joined->triggers++) {
        joined->trigger_s[joined->triggers] = joined->trigger_s[joined->triggers - 1] + interval_s;
        joined->host_s[joined->triggers] = NAN;
    }
    return NFSAR_OK;
}

static enum nfsar_status read_triggers(const struct h5_input *input, size_t n, size_t at_least,
                                       struct joined *joined, nfsar_error *error) {
    struct rows rows = {.n = n};
    enum nfsar_status status = n > 0 ? read_rows(input, &rows, error) : NFSAR_OK;
    if (status == NFSAR_OK && n > 0) {
        at_least = at_least > joined->in_echo ? at_least : joined->in_echo;
        status = at_least <= rows.numbers_most
                     ? list_triggers(&rows, at_least, joined, error)
                     : nfsar_fail(error, NFSAR_ERROR_FORMAT,
                                  "/sensor/trigger: has not the triggers of %zu frames", at_least);
    }
    free(rows.number);
    free(rows.scan);
    free(rows.time_s);
    free(rows.host_s);
    return status;
}

/* ---- the whole ---- */

static size_t rows_of(const struct recording_counts *counts, const char *table, bool *there) {
    for (size_t i = 0; i < counts->n_tables; i++) {
        if (strcmp(counts->table[i], table) == 0) {
            return counts->rows[i];
        }
    }
    *there = false;
    return 0;
}

static enum nfsar_status read_all(const struct h5_input *input, size_t at_least,
                                  struct joined *joined, bool *there, nfsar_error *error) {
    struct recording_counts counts = {0};
    enum nfsar_status status = recording_counts_read(&counts, input, error);
    if (status != NFSAR_OK || !counts.is_recording) {
        *there = false;
        return status;
    }
    *there = true;
    joined->pulses = rows_of(&counts, "/echo", there);
    joined->frames = rows_of(&counts, "/sensor/frame", there);
    const size_t triggers = rows_of(&counts, "/sensor/trigger", there);
    recording_counts_free(&counts);
    if (!*there) {
        return NFSAR_OK;
    }
    status = read_echo(input, joined, error);
    if (status == NFSAR_OK && joined->frames > 0) {
        status = read_frames(input, joined, error);
    }
    return status == NFSAR_OK ? read_triggers(input, triggers, at_least, joined, error) : status;
}

enum nfsar_status joined_read(const char *recording, size_t triggers, struct joined *joined,
                              bool *there, nfsar_error *error) {
    struct h5_input input;
    *joined = (struct joined){0};
    *there = false;
    const struct h5_reporting before = h5_silence();
    enum nfsar_status status = h5_input_open(&input, recording, error);
    if (status == NFSAR_OK) {
        status = read_all(&input, triggers, joined, there, error);
        h5_input_close(&input);
    }
    h5_restore(before);
    return status;
}
