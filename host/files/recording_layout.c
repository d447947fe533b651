#include "host/files/recording_layout.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/files/capture_description.h"
#include "host/files/format.h"
#include "host/files/hdf5_error.h"
#include "host/files/hdf5_output.h"

size_t recording_type_size(enum recording_type type) {
    switch (type) {
    case RECORDING_U8:
        return 1;
    case RECORDING_U16:
        return 2;
    case RECORDING_U32:
    case RECORDING_I32:
    case RECORDING_F32:
    case RECORDING_I16_PAIR:
        return 4;
    case RECORDING_U64:
    case RECORDING_I64:
    case RECORDING_F64:
        return 8;
    }
    return 0;
}

/* As in memory, since it is written as it is. */
static hid_t stored_type(enum recording_type type) {
    switch (type) {
    case RECORDING_U8:
        return H5Tcopy(H5T_NATIVE_UINT8);
    case RECORDING_U16:
        return H5Tcopy(H5T_NATIVE_UINT16);
    case RECORDING_U32:
        return H5Tcopy(H5T_NATIVE_UINT32);
    case RECORDING_I32:
        return H5Tcopy(H5T_NATIVE_INT32);
    case RECORDING_U64:
        return H5Tcopy(H5T_NATIVE_UINT64);
    case RECORDING_I64:
        return H5Tcopy(H5T_NATIVE_INT64);
    case RECORDING_F32:
        return H5Tcopy(H5T_NATIVE_FLOAT);
    case RECORDING_F64:
        return H5Tcopy(H5T_NATIVE_DOUBLE);
    case RECORDING_I16_PAIR:
        return h5_pair_type();
    }
    return H5I_INVALID_HID;
}

/* ---- tables --------------------------------------------------------------------------------- */

static enum nfsar_status make_place(struct recording_place *place,
                                    const struct recording_table *table, nfsar_error *error) {
    *place = (struct recording_place){.rows_at_most = table->rows_at_most};
    place->column_bytes = calloc(table->n_columns, sizeof *place->column_bytes);
    place->offset = calloc(table->n_columns, sizeof *place->offset);
    if (place->column_bytes == NULL || place->offset == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for the recording");
    }
    place->n_columns = table->n_columns;
    for (size_t i = 0; i < table->n_columns; i++) {
        const struct recording_column *column = &table->columns[i];
        place->column_bytes[i] = column->elements * recording_type_size(column->type);
    }
    return NFSAR_OK;
}

/* The groups on the way to a table that are not there yet, and its own. */
static enum nfsar_status make_groups(struct h5_output *output, const char *place,
                                     nfsar_error *error) {
    char part[128];
    size_t length = strlen(place);
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 1; status == NFSAR_OK && i <= length && i < sizeof part; i++) {
        if (place[i] == '/' || place[i] == '\0') {
            memcpy(part, place, i);
            part[i] = '\0';
            if (H5Lexists(output->file, part, H5P_DEFAULT) <= 0) {
                status = h5_write_group(output, part, error);
            }
        }
    }
    return status;
}

/* The samples' columns have a shape of their own: channels and samples. */
static struct h5_shape column_shape(const struct recording_table *table, size_t column,
                                    const size_t *inner) {
    const struct recording_column *of = &table->columns[column];
    struct h5_shape shape = {1, {table->rows_at_most}};
    if (inner != NULL) {
        shape = (struct h5_shape){3, {table->rows_at_most, inner[0], inner[1]}};
    } else if (of->elements > 1) {
        shape = (struct h5_shape){2, {table->rows_at_most, of->elements}};
    }
    return shape;
}

static enum nfsar_status reserve_table(struct h5_output *output,
                                       const struct recording_table *table, const size_t *inner,
                                       struct recording_place *place, nfsar_error *error) {
    enum nfsar_status status = make_groups(output, table->place, error);
    for (size_t i = 0; status == NFSAR_OK && i < table->n_columns; i++) {
        char name[192];
        snprintf(name, sizeof name, "%s/%s", table->place, table->columns[i].name);
        const struct h5_shape shape = column_shape(table, i, i == 0 ? inner : NULL);
        hid_t type = stored_type(table->columns[i].type);
        status = h5_reserve_data(output, name, type, &shape, &place->offset[i], error);
        h5_drop(type);
    }
    return status;
}

/* ---- the group /recording ------------------------------------------------------------------- */

static enum nfsar_status reserve_text(struct h5_output *output, const char *name, size_t bytes,
                                      uint64_t *offset, nfsar_error *error) {
    const struct h5_shape one = {1, {1}};
    hid_t type = h5_text_type(bytes);
    enum nfsar_status status = h5_reserve_data(output, name, type, &one, offset, error);
    h5_drop(type);
    return status;
}

static enum nfsar_status write_names(struct h5_output *output, const struct recording_table *tables,
                                     size_t n_tables, nfsar_error *error) {
    char *names[RECORDING_TABLES_LIMIT];
    for (size_t i = 0; i < n_tables; i++) {
        names[i] = (char *)tables[i].place; /* only read */
    }
    return h5_write_lines(output, RECORDING_TABLES, names, n_tables, error);
}

static enum nfsar_status write_group(struct h5_output *output, const struct recording_table *tables,
                                     const char *session, struct recording_places *places,
                                     nfsar_error *error) {
    const struct h5_shape counts = {1, {places->n_tables}}, one = {1, {1}};
    enum nfsar_status status = h5_write_group(output, RECORDING_GROUP, error);
    if (status == NFSAR_OK) {
        status = h5_write_text(output, RECORDING_GROUP, FORMAT_ATTRIBUTE, RECORDING_FORMAT, error);
    }
    if (status == NFSAR_OK) {
        status = h5_write_number(output, RECORDING_GROUP, FORMAT_VERSION_ATTRIBUTE,
                                 RECORDING_FORMAT_VERSION, error);
    }
    if (status == NFSAR_OK) {
        status = write_names(output, tables, places->n_tables, error);
    }
    if (status == NFSAR_OK) {
        status = h5_reserve_data(output, RECORDING_ROWS, H5T_NATIVE_UINT64, &counts, &places->rows,
                                 error);
    }
    if (status == NFSAR_OK) {
        status =
            h5_reserve_data(output, RECORDING_ENDED, H5T_NATIVE_UINT8, &one, &places->ended, error);
    }
    if (status == NFSAR_OK) {
        status = reserve_text(output, RECORDING_LOG, RECORDING_LOG_BYTES, &places->log, error);
    }
    if (status == NFSAR_OK && session != NULL && session[0] != '\0') {
        char *lines[] = {(char *)session}; /* only read */
        status = h5_write_lines(output, RECORDING_SESSION, lines, 1, error);
    }
    return status;
}

/* What changes is written once now, so that it has its place on the disk even when that is full. */
static enum nfsar_status fill_marks(struct h5_output *output, const struct recording_places *places,
                                    nfsar_error *error) {
    static const char zeros[RECORDING_LOG_BYTES];
    enum nfsar_status status =
        h5_write_at(output, places->rows, zeros, places->n_tables * sizeof(uint64_t), error);
    if (status == NFSAR_OK) {
        status = h5_write_at(output, places->ended, zeros, 1, error);
    }
    return status == NFSAR_OK ? h5_write_at(output, places->log, zeros, RECORDING_LOG_BYTES, error)
                              : status;
}

/* ---- the whole ------------------------------------------------------------------------------ */

static enum nfsar_status write_structure(struct h5_output *output, const nfsar_capture *head,
                                         const struct recording_table *tables, const char *session,
                                         struct recording_places *places, nfsar_error *error) {
    const size_t inner[2] = {head->array.n_channel, head->n_sample};
    enum nfsar_status status = capture_write_description(output, head, error);
    if (status == NFSAR_OK) {
        status = write_group(output, tables, session, places, error);
    }
    for (size_t i = 0; status == NFSAR_OK && i < places->n_tables; i++) {
        status = reserve_table(output, &tables[i], i == ECHO_TABLE ? inner : NULL,
                               &places->table[i], error);
    }
    return status == NFSAR_OK ? fill_marks(output, places, error) : status;
}

static enum nfsar_status create(const char *name, const nfsar_capture *head,
                                const struct recording_table *tables, const char *session,
                                struct recording_places *places, nfsar_error *error) {
    struct h5_output output;
    enum nfsar_status status =
        h5_output_create_aligned(&output, name, FORMAT_CAPTURE, RECORDING_ALIGNMENT, error);
    if (status != NFSAR_OK) {
        return status;
    }
    status = write_structure(&output, head, tables, session, places, error);
    if (status != NFSAR_OK) {
        h5_output_abandon(&output);
        return status;
    }
    return h5_output_commit(&output, error);
}

enum nfsar_status recording_layout_create(const char *name, const nfsar_capture *head,
                                          const struct recording_table *tables, size_t n_tables,
                                          const char *session, struct recording_places *places,
                                          nfsar_error *error) {
    *places = (struct recording_places){.table = calloc(n_tables, sizeof *places->table)};
    enum nfsar_status status =
        places->table != NULL ? NFSAR_OK
                              : nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", name);
    while (status == NFSAR_OK && places->n_tables < n_tables) {
        status = make_place(&places->table[places->n_tables], &tables[places->n_tables], error);
        places->n_tables++;
    }
    if (status == NFSAR_OK) {
        struct h5_reporting before = h5_silence();
        status = create(name, head, tables, session, places, error);
        h5_restore(before);
    }
    if (status == NFSAR_OK) {
        recording_sync_folder(name);
    } else {
        recording_places_free(places);
    }
    return status;
}

void recording_places_free(struct recording_places *places) {
    for (size_t i = 0; i < places->n_tables; i++) {
        free(places->table[i].column_bytes);
        free(places->table[i].offset);
    }
    free(places->table);
    *places = (struct recording_places){0};
}

void recording_sync_folder(const char *path) {
    char *folder = strdup(path);
    char *slash = folder != NULL ? strrchr(folder, '/') : NULL;
    const char *name = slash != NULL ? folder : ".";
    if (slash != NULL) {
        slash[slash == folder ? 1 : 0] = '\0';
    }
    int descriptor = folder != NULL ? open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (descriptor >= 0) {
        fsync(descriptor);
        close(descriptor);
    }
    free(folder);
}
