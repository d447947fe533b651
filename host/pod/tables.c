#include "host/pod/tables.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/files/hdf5_error.h"
#include "host/pod/tracker_table.h"

/* Numbers of the hub's sensors (docs/wire.md). */
enum { HUB_IMU = 0, HUB_FLOW = 1, HUB_SPI_IMU = 3, HUB_SENSORS = 256 };
/* Bits of imu's valid. */
enum { VALID_ACCELERATION = 1, VALID_RATE = 2 };

/* ---- reading -------------------------------------------------------------------------------- */

enum { COLUMNS = 6 };

/* The columns of a table as doubles, [rows][width] each. */
struct table {
    size_t rows;
    double *column[COLUMNS];
};

struct column {
    const char *name;
    size_t width;  /* 1: [rows], else [rows][width] */
    bool optional; /* a column of zeros */
};

static void table_free(struct table *table) {
    for (int i = 0; i < COLUMNS; i++) {
        free(table->column[i]);
        table->column[i] = NULL;
    }
}

/* Tables without a row, as a sensor that was never there leaves them, are none. */
static bool has_rows(const struct h5_input *input, const char *name) {
    hid_t dataset = h5_open_object(input, name, H5O_TYPE_DATASET, H5P_DEFAULT);
    hid_t space = dataset >= 0 ? H5Dget_space(dataset) : H5I_INVALID_HID;
    const bool rows = space < 0 || H5Sget_simple_extent_npoints(space) != 0;
    h5_drop(space);
    h5_drop(dataset);
    return rows;
}

static enum nfsar_status read_column(const struct h5_input *input, const char *table,
                                     const struct column *column, struct table *out, double **to,
                                     nfsar_error *error) {
    char name[64];
    snprintf(name, sizeof name, "/sensor/%s/%s", table, column->name);
    struct h5_shape shape = {column->width == 1 ? 1 : 2, {out->rows, column->width}};
    if (!column->optional) {
        return h5_read_data(input, name, H5_REAL, &shape, (void **)to, error);
    }
    enum nfsar_status status = h5_read_optional(input, name, H5_REAL, &shape, (void **)to, error);
    if (status == NFSAR_OK && *to == NULL) {
        *to = calloc(out->rows, column->width * sizeof **to);
        status = *to != NULL
                     ? NFSAR_OK
                     : nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", input->path);
    }
    return status;
}

/* rows stays 0 when there is no such table. The first column is time_s. */
static enum nfsar_status table_read(const struct h5_input *input, const char *name,
                                    const struct column *columns, size_t n, struct table *table,
                                    nfsar_error *error) {
    char time[64];
    bool found = false;
    memset(table, 0, sizeof *table);
    snprintf(time, sizeof time, "/sensor/%s/time_s", name);
    enum nfsar_status status = h5_has(input, time, &found, error);
    if (status != NFSAR_OK || !found || !has_rows(input, time)) {
        return status;
    }
    struct h5_shape shape = {1, {0}};
    status = h5_read_data(input, time, H5_REAL, &shape, (void **)&table->column[0], error);
    table->rows = shape.extent[0];
    for (size_t i = 1; status == NFSAR_OK && i < n; i++) {
        status = read_column(input, name, &columns[i], table, &table->column[i], error);
    }
    if (status != NFSAR_OK) {
        table_free(table);
    }
    return status;
}

static void *room(const struct table *table, size_t size, const struct h5_input *input,
                  enum nfsar_status *status, nfsar_error *error) {
    void *made = calloc(table->rows + 1, size);
    if (made == NULL) {
        *status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", input->path);
    }
    return made;
}

static nfsar_vec3 vector(const double *column, size_t row) {
    return (nfsar_vec3){column[3 * row], column[3 * row + 1], column[3 * row + 2]};
}

/* Of two IMUs at a hub the one that samples faster, which is the one on SPI. */
static double best_imu(const struct table *table, int wanted) {
    double best = wanted;
    for (size_t i = 0; wanted < 0 && i < table->rows; i++) {
        if (table->column[1][i] == HUB_SPI_IMU || best < 0) {
            best = table->column[1][i];
        }
    }
    return best;
}

static enum nfsar_status read_imu(const struct h5_input *input, const struct pod *pod,
                                  nfsar_sensor_records *out, size_t *invalid, nfsar_error *error) {
    static const struct column columns[] = {{"time_s", 1, false},
                                            {"sensor", 1, true},
                                            {"valid", 1, false},
                                            {"acceleration", 3, false},
                                            {"rate", 3, false}};
    struct table t;
    enum nfsar_status status = table_read(input, "imu", columns, 5, &t, error);
    if (status != NFSAR_OK || t.rows == 0) {
        return status;
    }
    out->imu = room(&t, sizeof *out->imu, input, &status, error);
    const double sensor = best_imu(&t, pod->imu_sensor);
    for (size_t i = 0; status == NFSAR_OK && i < t.rows; i++) {
        if (t.column[1][i] != sensor) {
            continue;
        }
        const unsigned both = VALID_ACCELERATION | VALID_RATE;
        const double valid = t.column[2][i];
        if (!(valid >= 0.0 && valid < 65536.0) || ((unsigned)valid & both) != both) {
            (*invalid)++;
            continue;
        }
        out->imu[out->n_imu++] =
            (nfsar_imu_record){t.column[0][i], vector(t.column[3], i), vector(t.column[4], i)};
    }
    if (status == NFSAR_OK && out->n_imu == 0 && pod->imu_sensor >= 0) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                            "%s: /sensor/imu has no reading of sensor %d, which imu.sensor asks "
                            "for",
                            input->path, pod->imu_sensor);
    }
    table_free(&t);
    return status;
}

static enum nfsar_status read_flow(const struct h5_input *input, nfsar_sensor_records *out,
                                   nfsar_error *error) {
    static const struct column columns[] = {{"time_s", 1, false},
                                            {"quality", 1, false},
                                            {"motion", 2, false},
                                            {"interval_s", 1, false}};
    struct table t;
    enum nfsar_status status = table_read(input, "flow", columns, 4, &t, error);
    if (status != NFSAR_OK || t.rows == 0) {
        return status;
    }
    out->flow = room(&t, sizeof *out->flow, input, &status, error);
    for (size_t i = 0; status == NFSAR_OK && i < t.rows; i++) {
        out->flow[out->n_flow++] = (nfsar_flow_record){t.column[0][i],
                                                       t.column[3][i],
                                                       {t.column[2][2 * i], t.column[2][2 * i + 1]},
                                                       t.column[1][i]};
    }
    table_free(&t);
    return status;
}

static enum nfsar_status read_range(const struct h5_input *input, nfsar_sensor_records *out,
                                    size_t *invalid, nfsar_error *error) {
    static const struct column columns[] = {
        {"time_s", 1, false}, {"valid", 1, false}, {"range_m", 1, false}};
    struct table t;
    enum nfsar_status status = table_read(input, "range", columns, 3, &t, error);
    if (status != NFSAR_OK || t.rows == 0) {
        return status;
    }
    out->range = room(&t, sizeof *out->range, input, &status, error);
    for (size_t i = 0; status == NFSAR_OK && i < t.rows; i++) {
        if (t.column[1][i] == 0.0) {
            (*invalid)++;
        } else {
            out->range[out->n_range++] = (nfsar_range_record){t.column[0][i], t.column[2][i]};
        }
    }
    table_free(&t);
    return status;
}

static enum nfsar_status read_tracker(const struct h5_input *input, nfsar_sensor_records *out,
                                      nfsar_error *error) {
    static const struct column columns[] = {
        {"time_s", 1, false}, {"position_m", 3, false}, {"orientation", 4, true}};
    struct table t;
    enum nfsar_status status = table_read(input, "tracker", columns, 3, &t, error);
    if (status != NFSAR_OK || t.rows == 0) {
        return status;
    }
    out->tracker = room(&t, sizeof *out->tracker, input, &status, error);
    for (size_t i = 0; status == NFSAR_OK && i < t.rows; i++) {
        const double *q = t.column[2] + 4 * i;
        out->tracker[out->n_tracker++] = (nfsar_tracker_record){
            t.column[0][i], {vector(t.column[1], i), {q[0], q[1], q[2], q[3]}}};
    }
    table_free(&t);
    return status;
}

/* The stage's steps at each trigger. */
static enum nfsar_status read_encoder(const struct h5_input *input, const struct pod *pod,
                                      nfsar_sensor_records *out, nfsar_error *error) {
    static const struct column columns[] = {{"time_s", 1, false}, {"position", 3, false}};
    struct table t;
    enum nfsar_status status = table_read(input, "trigger", columns, 2, &t, error);
    if (status != NFSAR_OK || t.rows == 0) {
        return status;
    }
    out->encoder = room(&t, sizeof *out->encoder, input, &status, error);
    for (size_t i = 0; status == NFSAR_OK && i < t.rows; i++) {
        const nfsar_vec3 steps = vector(t.column[1], i), o = pod->origin_m;
        out->encoder[out->n_encoder++] = (nfsar_encoder_record){
            t.column[0][i], {o.x + pod->step_m[0] * steps.x, o.y + pod->step_m[1] * steps.y, o.z}};
    }
    table_free(&t);
    return status;
}

enum nfsar_status tables_read(const struct h5_input *input, struct pod *pod,
                              nfsar_sensor_records *records, size_t *invalid, nfsar_error *error) {
    memset(records, 0, sizeof *records);
    *invalid = 0;
    struct h5_reporting before = h5_silence();
    enum nfsar_status status = read_imu(input, pod, records, invalid, error);
    if (status == NFSAR_OK) {
        status = read_flow(input, records, error);
    }
    if (status == NFSAR_OK) {
        status = read_range(input, records, invalid, error);
    }
    if (status == NFSAR_OK) {
        status = read_tracker(input, records, error);
    }
    if (status == NFSAR_OK && records->n_tracker > 0) {
        status = tracker_table_mounting(input, pod, error);
    }
    if (status == NFSAR_OK && pod->has_encoder) {
        status = read_encoder(input, pod, records, error);
    }
    h5_restore(before);
    if (status != NFSAR_OK) {
        nfsar_sensor_records_free(records);
    }
    return status;
}

/* ---- writing -------------------------------------------------------------------------------- */

/* Filled with one entry of each row after another, then written. */
struct sheet {
    struct h5_output *output;
    const char *table;
    size_t rows;
    double *real;
    int32_t *whole;
    uint8_t *byte;
};

static enum nfsar_status sheet_open(struct sheet *sheet, struct h5_output *output,
                                    const char *table, size_t rows, nfsar_error *error) {
    char name[64];
    *sheet = (struct sheet){.output = output,
                            .table = table,
                            .rows = rows,
                            .real = calloc(rows, 4 * sizeof *sheet->real),
                            .whole = calloc(rows, 3 * sizeof *sheet->whole),
                            .byte = calloc(rows, sizeof *sheet->byte)};
    if (sheet->real == NULL || sheet->whole == NULL || sheet->byte == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: out of memory", output->path);
    }
    snprintf(name, sizeof name, "/sensor/%s", table);
    return h5_write_group(output, name, error);
}

static void sheet_close(struct sheet *sheet) {
    free(sheet->real);
    free(sheet->whole);
    free(sheet->byte);
}

static enum nfsar_status sheet_write(const struct sheet *sheet, const char *column,
                                     enum h5_kind kind, size_t width, nfsar_error *error) {
    char name[64];
    const struct h5_shape shape = {width == 1 ? 1 : 2, {sheet->rows, width}};
    const void *data = kind == H5_REAL      ? (const void *)sheet->real
                       : kind == H5_INTEGER ? (const void *)sheet->whole
                                            : (const void *)sheet->byte;
    snprintf(name, sizeof name, "/sensor/%s/%s", sheet->table, column);
    return h5_write_data(sheet->output, name, kind, &shape, data, error);
}

/* Doubles that lie in an array of records, `offset` bytes into each. */
static enum nfsar_status write_reals(struct sheet *sheet, const char *column, size_t width,
                                     const void *records, size_t size, size_t offset,
                                     nfsar_error *error) {
    for (size_t i = 0; i < sheet->rows; i++) {
        memcpy(sheet->real + i * width, (const char *)records + i * size + offset,
               width * sizeof *sheet->real);
    }
    return sheet_write(sheet, column, H5_REAL, width, error);
}

static enum nfsar_status write_same(struct sheet *sheet, const char *column, int value,
                                    nfsar_error *error) {
    for (size_t i = 0; i < sheet->rows; i++) {
        sheet->whole[i] = value;
    }
    return sheet_write(sheet, column, H5_INTEGER, 1, error);
}

static enum nfsar_status write_sensor(struct sheet *sheet, int sensor, nfsar_error *error) {
    memset(sheet->byte, sensor, sheet->rows);
    return sheet_write(sheet, "sensor", H5_BYTE, 1, error);
}

#define REALS(sheet, column, width, records, member)                                               \
    write_reals(sheet, column, width, records, sizeof *(records),                                  \
                (size_t)((const char *)&(records)->member - (const char *)(records)), error)
/* Go on while all is well. */
#define THEN(status, call) ((status) = (status) == NFSAR_OK ? (call) : (status))

static enum nfsar_status write_imu(struct h5_output *output, const nfsar_sensor_records *r,
                                   nfsar_error *error) {
    struct sheet s;
    enum nfsar_status status = sheet_open(&s, output, "imu", r->n_imu, error);
    THEN(status, REALS(&s, "time_s", 1, r->imu, time_s));
    THEN(status, write_sensor(&s, HUB_SPI_IMU, error));
    THEN(status, write_same(&s, "valid", VALID_ACCELERATION | VALID_RATE, error));
    THEN(status, REALS(&s, "acceleration", 3, r->imu, acceleration));
    THEN(status, REALS(&s, "rate", 3, r->imu, rate));
    sheet_close(&s);
    return status;
}

static enum nfsar_status write_flow(struct h5_output *output, const nfsar_sensor_records *r,
                                    nfsar_error *error) {
    struct sheet s;
    enum nfsar_status status = sheet_open(&s, output, "flow", r->n_flow, error);
    THEN(status, REALS(&s, "time_s", 1, r->flow, time_s));
    THEN(status, write_sensor(&s, HUB_FLOW, error));
    THEN(status, REALS(&s, "quality", 1, r->flow, quality));
    THEN(status, REALS(&s, "motion", 2, r->flow, motion_rad));
    THEN(status, REALS(&s, "interval_s", 1, r->flow, interval_s));
    sheet_close(&s);
    return status;
}

static enum nfsar_status write_range(struct h5_output *output, const nfsar_sensor_records *r,
                                     nfsar_error *error) {
    struct sheet s;
    enum nfsar_status status = sheet_open(&s, output, "range", r->n_range, error);
    THEN(status, REALS(&s, "time_s", 1, r->range, time_s));
    THEN(status, write_sensor(&s, HUB_FLOW, error));
    THEN(status, write_same(&s, "quality", 255, error));
    THEN(status, write_same(&s, "valid", 1, error));
    THEN(status, REALS(&s, "range_m", 1, r->range, range_m));
    sheet_close(&s);
    return status;
}

static int32_t steps(double metres, double step_m) {
    return (int32_t)lround(fmin(fmax(metres / step_m, -2e9), 2e9));
}

static enum nfsar_status write_encoder(struct h5_output *output, const struct pod *pod,
                                       const nfsar_sensor_records *r, nfsar_error *error) {
    struct sheet s;
    enum nfsar_status status = sheet_open(&s, output, "trigger", r->n_encoder, error);
    THEN(status, REALS(&s, "time_s", 1, r->encoder, time_s));
    for (size_t i = 0; status == NFSAR_OK && i < s.rows; i++) {
        s.whole[i] = (int32_t)i;
    }
    THEN(status, sheet_write(&s, "number", H5_INTEGER, 1, error));
    for (size_t i = 0; status == NFSAR_OK && i < s.rows; i++) {
        const nfsar_vec3 p = nfsar_vec3_subtract(r->encoder[i].position, pod->origin_m);
        s.whole[3 * i] = steps(p.x, pod->step_m[0]);
        s.whole[3 * i + 1] = steps(p.y, pod->step_m[1]);
        s.whole[3 * i + 2] = 0;
    }
    THEN(status, sheet_write(&s, "position", H5_INTEGER, 3, error));
    sheet_close(&s);
    return status;
}

enum nfsar_status tables_write(struct h5_output *output, const struct pod *pod,
                               const nfsar_sensor_records *records, nfsar_error *error) {
    struct h5_reporting before = h5_silence();
    enum nfsar_status status = h5_write_group(output, "/sensor", error);
    if (records->n_imu > 0) {
        THEN(status, write_imu(output, records, error));
    }
    if (records->n_flow > 0) {
        THEN(status, write_flow(output, records, error));
    }
    if (records->n_range > 0) {
        THEN(status, write_range(output, records, error));
    }
    if (records->n_tracker > 0) {
        THEN(status,
             tracker_table_write(output, records->tracker, records->n_tracker, true, NULL, error));
    }
    if (records->n_encoder > 0) {
        THEN(status, write_encoder(output, pod, records, error));
    }
    h5_restore(before);
    return status;
}
