#include "host/files/recording_counts.h"

#include <stdlib.h>
#include <string.h>

#include "algorithms/lines.h"
#include "host/files/format.h"
#include "host/files/recording_layout.h"
#include "host/files/utf8.h"

static enum nfsar_status check_version(const struct h5_input *input, nfsar_error *error) {
    double version = 0.0;
    bool found = false;
    enum nfsar_status status =
        h5_read_number(input, RECORDING_GROUP, FORMAT_VERSION_ATTRIBUTE, &version, &found, error);
    if (status == NFSAR_OK && (!found || version < 1.0)) {
        status =
            nfsar_fail(error, NFSAR_ERROR_FORMAT,
                       "%s: " RECORDING_GROUP " has no " FORMAT_VERSION_ATTRIBUTE, input->path);
    }
    if (status == NFSAR_OK && version >= RECORDING_FORMAT_VERSION + 1.0) {
        status = nfsar_fail(error, NFSAR_ERROR_VERSION,
                            "%s: is a recording of version %.9g, this program reads up to version "
                            "%d; use the nfsar that recorded it, or a newer one",
                            input->path, version, RECORDING_FORMAT_VERSION);
    }
    return status;
}

static enum nfsar_status read_rows(struct recording_counts *counts, const struct h5_input *input,
                                   nfsar_error *error) {
    double *rows = NULL;
    struct h5_shape shape = {1, {counts->n_tables}};
    enum nfsar_status status =
        h5_read_data(input, RECORDING_ROWS, H5_REAL, &shape, (void **)&rows, error);
    if (status == NFSAR_OK) {
        counts->rows = calloc(counts->n_tables, sizeof *counts->rows);
        if (counts->rows == NULL) {
            status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", input->path);
        }
    }
    for (size_t i = 0; status == NFSAR_OK && i < counts->n_tables; i++) {
        if (!(rows[i] >= 0.0 && rows[i] < 0x1p53)) {
            status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                                "%s: " RECORDING_ROWS "[%zu] = %g is no number of rows",
                                input->path, i, rows[i]);
        } else {
            counts->rows[i] = (size_t)rows[i];
        }
    }
    free(rows);
    return status;
}

static enum nfsar_status read_end(struct recording_counts *counts, const struct h5_input *input,
                                  nfsar_error *error) {
    uint8_t *ended = NULL;
    struct h5_shape one = {1, {1}};
    enum nfsar_status status =
        h5_read_data(input, RECORDING_ENDED, H5_BYTE, &one, (void **)&ended, error);
    if (status == NFSAR_OK) {
        counts->end = *ended == RECORDING_CLOSED   ? RECORDING_CLOSED
                      : *ended == RECORDING_FAILED ? RECORDING_FAILED
                                                   : RECORDING_GOES_ON;
    }
    free(ended);
    return status;
}

enum nfsar_status recording_counts_read(struct recording_counts *counts,
                                        const struct h5_input *input, nfsar_error *error) {
    *counts = (struct recording_counts){0};
    enum nfsar_status status = h5_has(input, RECORDING_ROWS, &counts->is_recording, error);
    if (status != NFSAR_OK || !counts->is_recording) {
        return status;
    }
    status = check_version(input, error);
    if (status == NFSAR_OK) {
        status = h5_read_lines(input, RECORDING_TABLES, &counts->table, &counts->n_tables, error);
    }
    if (status == NFSAR_OK && (counts->n_tables < 2 || counts->n_tables > RECORDING_TABLES_LIMIT ||
                               strcmp(counts->table[ECHO_TABLE], "/echo") != 0 ||
                               strcmp(counts->table[POSE_TABLE], "/pose") != 0)) {
        status =
            nfsar_fail(error, NFSAR_ERROR_FORMAT,
                       "%s: " RECORDING_TABLES " must begin with /echo and /pose", input->path);
    }
    if (status == NFSAR_OK) {
        status = read_rows(counts, input, error);
    }
    if (status == NFSAR_OK) {
        status = read_end(counts, input, error);
    }
    if (status != NFSAR_OK) {
        recording_counts_free(counts);
    }
    return status;
}

void recording_counts_free(struct recording_counts *counts) {
    lines_free(counts->table, counts->n_tables);
    free(counts->rows);
    *counts = (struct recording_counts){0};
}

/* ---- log ------------------------------------------------------------------------------------ */

static enum nfsar_status add_line(char ***lines, size_t *n, nfsar_error *error, const char *format,
                                  ...) {
    va_list arguments;
    va_start(arguments, format);
    enum nfsar_status status = lines_append(lines, n, error, format, arguments);
    va_end(arguments);
    return status;
}

static enum nfsar_status split(char *text, char ***lines, size_t *n, nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    char *rest = text;
    while (status == NFSAR_OK && rest != NULL && *rest != '\0') {
        char *line = strsep(&rest, "\n");
        utf8_clean(line);
        if (*line != '\0') {
            status = add_line(lines, n, error, "%s", line);
        }
    }
    return status;
}

enum nfsar_status recording_log_read(const struct h5_input *input, char ***lines, size_t *n,
                                     nfsar_error *error) {
    struct h5_data data;
    struct h5_shape one = {1, {1}};
    const struct h5_shape first = {1, {0}};
    *lines = NULL;
    *n = 0;
    enum nfsar_status status =
        h5_data_open(&data, input, RECORDING_LOG, H5_TEXT, false, &one, error);
    if (status != NFSAR_OK) {
        return status;
    }
    char *text = data.element <= RECORDING_LOG_BYTES ? calloc(1, data.element + 1) : NULL;
    status = text != NULL ? h5_data_read(&data, &first, &one, text, error)
                          : nfsar_fail(error, NFSAR_ERROR_FORMAT,
                                       "%s: " RECORDING_LOG " is too large", input->path);
    if (status == NFSAR_OK) {
        status = split(text, lines, n, error);
    }
    if (status != NFSAR_OK) {
        lines_free(*lines, *n);
        *lines = NULL;
        *n = 0;
    }
    free(text);
    h5_data_close(&data);
    return status;
}
