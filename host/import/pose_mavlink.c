/* CSV with a name above each column, as logs of autopilots are exported: ulog2csv
 * (vehicle_odometry), mavlogdump --format csv (ODOMETRY, or LOCAL_POSITION_NED with an attitude),
 * dataflash logs. Places are north, east, down; attitudes rotate forward, right, down of the body
 * into that. Names of messages in front ("ODOMETRY.x") do not count. */
#include <math.h>
#include <string.h>

#include "host/import/pose_lines.h"

enum quantity { TIME, NORTH, EAST, DOWN, QW, QX, QY, QZ, ROLL, PITCH, YAW, QUANTITIES };

/* Names in the order of preference. A column is that of the quantity whose name comes first here.
 */
static const struct known {
    enum quantity quantity;
    const char *name;
    double scale; /* to seconds, metres, radians */
} known[] = {
    {TIME, "time_usec", 1e-6},
    {TIME, "TimeUS", 1e-6},
    {TIME, "time_boot_ms", 1e-3},
    {TIME, "timestamp_sample", 1e-6},
    {TIME, "time_s", 1.0},
    {NORTH, "x", 1.0},
    {NORTH, "position[0]", 1.0},
    {NORTH, "PN", 1.0},
    {EAST, "y", 1.0},
    {EAST, "position[1]", 1.0},
    {EAST, "PE", 1.0},
    {DOWN, "z", 1.0},
    {DOWN, "position[2]", 1.0},
    {DOWN, "PD", 1.0},
    {QW, "q[0]", 1.0},
    {QW, "qw", 1.0},
    {QX, "q[1]", 1.0},
    {QX, "qx", 1.0},
    {QY, "q[2]", 1.0},
    {QY, "qy", 1.0},
    {QZ, "q[3]", 1.0},
    {QZ, "qz", 1.0},
    {QW, "q1", 1.0},
    {QX, "q2", 1.0},
    {QY, "q3", 1.0},
    {QZ, "q4", 1.0},
    {ROLL, "roll", 1.0},
    {PITCH, "pitch", 1.0},
    {YAW, "yaw", 1.0},
    {ROLL, "Roll", NFSAR_PI / 180.0},
    {PITCH, "Pitch", NFSAR_PI / 180.0},
    {YAW, "Yaw", NFSAR_PI / 180.0},
};

/* No attitude in radians is more than a turn. */
#define TURN (2.0 * NFSAR_PI)

struct columns {
    size_t n;              /* in use */
    size_t at[QUANTITIES]; /* columns of the quantities what[] */
    enum quantity what[QUANTITIES];
    double scale[QUANTITIES];
    bool quaternion, angles;
};

static const char *last_name(const char *cell) {
    const char *dot = strrchr(cell, '.');
    return dot != NULL ? dot + 1 : cell;
}

/* Column of a quantity; n_cell where there is none. */
static size_t find(const struct pose_lines *lines, enum quantity quantity, double *scale) {
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        for (size_t i = 0; known[k].quantity == quantity && i < lines->n_cell; i++) {
            if (strcmp(last_name(lines->cell[i]), known[k].name) == 0) {
                *scale = known[k].scale;
                return i;
            }
        }
    }
    /* "timestamp" is microseconds in a ulog, seconds in what mavlogdump writes. */
    for (size_t i = 0; quantity == TIME && i < lines->n_cell; i++) {
        if (strcmp(last_name(lines->cell[i]), "timestamp") == 0) {
            *scale = 0.0;
            return i;
        }
    }
    return lines->n_cell;
}

static bool take(const struct pose_lines *lines, struct columns *columns, enum quantity first,
                 enum quantity last) {
    const size_t before = columns->n;
    for (enum quantity q = first; q <= last; q++) {
        const size_t at = find(lines, q, &columns->scale[columns->n]);
        if (at == lines->n_cell) {
            columns->n = before;
            return false;
        }
        columns->at[columns->n] = at;
        columns->what[columns->n++] = q;
    }
    return true;
}

static enum nfsar_status read_header(const struct pose_lines *lines, struct columns *columns,
                                     nfsar_error *error) {
    if (!take(lines, columns, TIME, DOWN)) {
        return pose_lines_fail(lines, error,
                               "expected columns for time (time_usec, TimeUS, time_boot_ms, "
                               "timestamp) and place (x, y, z; position[0..2]; PN, PE, PD)");
    }
    columns->quaternion = take(lines, columns, QW, QZ);
    columns->angles = !columns->quaternion && take(lines, columns, ROLL, YAW);
    for (size_t k = 0; k < columns->n; k++) {
        for (size_t i = columns->at[k] + 1; i < lines->n_cell; i++) {
            if (strcmp(lines->cell[i], lines->cell[columns->at[k]]) == 0) {
                return pose_lines_fail(lines, error,
                                       "columns %zu and %zu are both called %s: take one out",
                                       columns->at[k] + 1, i + 1, lines->cell[i]);
            }
        }
    }
    return NFSAR_OK;
}

/* Yaw, then pitch, then roll about the body's own axes. */
static nfsar_quaternion turn_of(double roll, double pitch, double yaw) {
    const nfsar_vec3 forward = {1, 0, 0}, right = {0, 1, 0}, down = {0, 0, 1};
    return nfsar_quaternion_multiply(
        nfsar_quaternion_from_axis_angle(down, yaw),
        nfsar_quaternion_multiply(nfsar_quaternion_from_axis_angle(right, pitch),
                                  nfsar_quaternion_from_axis_angle(forward, roll)));
}

/* North, east, down and forward, right, down turned to forward, left, up: y and z change sign. */
static nfsar_pose pose_of(const struct columns *columns, const double v[QUANTITIES]) {
    nfsar_quaternion q = NFSAR_QUATERNION_IDENTITY;
    if (columns->quaternion) {
        q = (nfsar_quaternion){v[QW], v[QX], v[QY], v[QZ]};
    } else if (columns->angles) {
        q = turn_of(v[ROLL], v[PITCH], v[YAW]);
    }
    return pose_from_forward_left_up(
        (nfsar_pose){{v[NORTH], -v[EAST], -v[DOWN]}, {q.w, q.x, -q.y, -q.z}});
}

static enum nfsar_status read_row(struct pose_lines *lines, struct columns *columns,
                                  struct pose_rows *rows, nfsar_error *error) {
    double cell[QUANTITIES] = {0.0}, v[QUANTITIES] = {0.0};
    bool lost = false;
    enum nfsar_status status = pose_lines_split(lines, error);
    if (status == NFSAR_OK) {
        status = pose_lines_numbers(lines, columns->at, columns->n, cell, &lost, error);
    }
    if (status != NFSAR_OK || lost) {
        rows->track.n_lost += status == NFSAR_OK;
        return status;
    }
    if (columns->scale[0] == 0.0) {
        /* Whole numbers are microseconds: mavlogdump writes seconds with a fraction. */
        columns->scale[0] = strchr(lines->cell[columns->at[0]], '.') != NULL ? 1.0 : 1e-6;
    }
    for (size_t i = 0; i < columns->n; i++) {
        v[columns->what[i]] = columns->scale[i] * cell[i];
        if (columns->what[i] >= ROLL && columns->scale[i] == 1.0 && fabs(cell[i]) > TURN) {
            return pose_lines_fail(lines, error,
                                   "column %zu: an angle of %g is more than a turn, and roll, "
                                   "pitch, yaw are radians; name the columns Roll, Pitch, Yaw "
                                   "where they are degrees",
                                   columns->at[i] + 1, cell[i]);
        }
    }
    return pose_rows_add(rows, lines, v[TIME], pose_of(columns, v), "as the header names them",
                         error);
}

enum nfsar_status pose_read_mavlink(struct pose_lines *lines, struct pose_rows *rows,
                                    nfsar_error *error) {
    struct columns columns = {0};
    enum nfsar_status status = NFSAR_OK;
    bool header = false;
    for (bool more = true; status == NFSAR_OK;) {
        status = pose_lines_next(lines, &more, error);
        if (status != NFSAR_OK || !more) {
            break;
        }
        if (lines->length == 0 || lines->line[0] == '#') {
            continue;
        }
        if (header) {
            status = read_row(lines, &columns, rows, error);
            continue;
        }
        header = true;
        status = pose_lines_split(lines, error);
        if (status == NFSAR_OK) {
            status = read_header(lines, &columns, error);
        }
        rows->track.has_orientation = columns.quaternion || columns.angles;
    }
    return status;
}
