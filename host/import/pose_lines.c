#include "host/import/pose_lines.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* No table of poses has longer lines or more columns, markers included. */
#define LINE_LIMIT ((size_t)1 << 20)
#define CELL_LIMIT 20000
/* Beyond these a number is no time in seconds and no place in metres. */
#define TIME_LIMIT_S  1e11
#define PLACE_LIMIT_M 1e7

enum nfsar_status pose_lines_open(const char *path, struct pose_lines *lines, nfsar_error *error) {
    memset(lines, 0, sizeof *lines);
    lines->path = path;
    lines->file = fopen(path, "rbe");
    return lines->file != NULL
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s", path, strerror(errno));
}

void pose_lines_close(struct pose_lines *lines) {
    if (lines->file != NULL) {
        fclose(lines->file);
    }
    free(lines->line);
    free(lines->cell);
    memset(lines, 0, sizeof *lines);
}

enum nfsar_status pose_lines_fail(const struct pose_lines *lines, nfsar_error *error,
                                  const char *format, ...) {
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: line %zu: %s", lines->path, lines->number,
                      text);
}

/* getline() would take all the memory for a file without line ends. */
enum nfsar_status pose_lines_next(struct pose_lines *lines, bool *more, nfsar_error *error) {
    lines->length = 0;
    lines->n_cell = 0;
    int c = 0;
    while ((c = getc_unlocked(lines->file)) != EOF && c != '\n') {
        if (c == '\0' || lines->length >= LINE_LIMIT) {
            lines->number++;
            return pose_lines_fail(lines, error,
                                   c == '\0'
                                       ? "holds a zero byte: this is no text, or none in UTF-8"
                                       : "has more than %zu characters: this is no table",
                                   LINE_LIMIT);
        }
        if (lines->length + 2 > lines->room) {
            size_t room = lines->room > 0 ? 2 * lines->room : 1024;
            char *line = realloc(lines->line, room);
            if (line == NULL) {
                return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
            }
            lines->line = line;
            lines->room = room;
        }
        lines->line[lines->length++] = (char)c;
    }
    if (c == EOF && ferror(lines->file)) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: cannot be read: %s", lines->path,
                          strerror(errno));
    }
    *more = c != EOF || lines->length > 0;
    if (lines->line == NULL) {
        lines->line = calloc(1, lines->room = 1024);
        if (lines->line == NULL) {
            return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
        }
    }
    if (lines->length > 0 && lines->line[lines->length - 1] == '\r') {
        lines->length--;
    }
    lines->line[lines->length] = '\0';
    lines->number += *more;
    return NFSAR_OK;
}

const char *pose_lines_text(const struct pose_lines *lines) {
    const bool marked = lines->number == 1 && strncmp(lines->line, "\xef\xbb\xbf", 3) == 0;
    return lines->line + (marked ? 3 : 0);
}

/* A cell without the quotes and blanks about it. */
static char *trimmed(char *begin, char *end) {
    while (begin < end && (*begin == ' ' || *begin == '\t' || *begin == '"')) {
        begin++;
    }
    while (end > begin && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '"')) {
        end--;
    }
    *end = '\0';
    return begin;
}

/* As spreadsheets write a table where numbers have commas in them. */
static bool has_semicolons(const char *text) {
    size_t semicolons = 0, commas = 0;
    for (; *text != '\0'; text++) {
        semicolons += *text == ';';
        commas += *text == ',';
    }
    return semicolons > 2 && semicolons > commas;
}

enum nfsar_status pose_lines_split(struct pose_lines *lines, nfsar_error *error) {
    char *at = lines->line + (pose_lines_text(lines) - lines->line);
    lines->n_cell = 0;
    if (has_semicolons(at)) {
        return pose_lines_fail(lines, error,
                               "has semicolons between its columns: write commas, "
                               "and points in numbers");
    }
    for (bool last = false; !last;) {
        char *end = at;
        for (bool quoted = false; *end != '\0' && (quoted || *end != ','); end++) {
            quoted = *end == '"' ? !quoted : quoted;
        }
        last = *end == '\0';
        if (lines->n_cell == lines->cell_room) {
            if (lines->cell_room >= CELL_LIMIT) {
                return pose_lines_fail(lines, error, "has more than %d columns", CELL_LIMIT);
            }
            size_t room = lines->cell_room > 0 ? 2 * lines->cell_room : 64;
            char **cell = realloc(lines->cell, room * sizeof *cell);
            if (cell == NULL) {
                return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
            }
            lines->cell = cell;
            lines->cell_room = room;
        }
        lines->cell[lines->n_cell++] = trimmed(at, end);
        at = end + 1;
    }
    return NFSAR_OK;
}

enum pose_cell pose_lines_number(const struct pose_lines *lines, size_t cell, double *value) {
    if (cell >= lines->n_cell || lines->cell[cell][0] == '\0') {
        return POSE_CELL_EMPTY;
    }
    char *end = NULL;
    *value = strtod(lines->cell[cell], &end);
    if (end == lines->cell[cell] || *end != '\0') {
        return POSE_CELL_WRONG;
    }
    return isnan(*value) ? POSE_CELL_EMPTY : isfinite(*value) ? POSE_CELL_NUMBER : POSE_CELL_WRONG;
}

enum nfsar_status pose_lines_numbers(const struct pose_lines *lines, const size_t *at, size_t n,
                                     double *value, bool *lost, nfsar_error *error) {
    *lost = false;
    for (size_t i = 0; i < n; i++) {
        const enum pose_cell kind = pose_lines_number(lines, at[i], &value[i]);
        if (kind == POSE_CELL_WRONG) {
            return pose_lines_fail(lines, error, "column %zu: '%.40s' is not a usable number",
                                   at[i] + 1, lines->cell[at[i]]);
        }
        *lost = *lost || kind == POSE_CELL_EMPTY;
    }
    return NFSAR_OK;
}

static enum nfsar_status grow(struct pose_rows *rows, nfsar_error *error) {
    nfsar_pose_track *track = &rows->track;
    if (track->n < rows->room) {
        return NFSAR_OK;
    }
    rows->room = rows->room > 0 ? 2 * rows->room : 4096;
    double *time_s = realloc(track->time_s, rows->room * sizeof *time_s);
    track->time_s = time_s != NULL ? time_s : track->time_s;
    nfsar_pose *pose = realloc(track->pose, rows->room * sizeof *pose);
    track->pose = pose != NULL ? pose : track->pose;
    return time_s != NULL && pose != NULL ? NFSAR_OK
                                          : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
}

enum nfsar_status pose_rows_add(struct pose_rows *rows, const struct pose_lines *lines,
                                double time_s, nfsar_pose pose, const char *order,
                                nfsar_error *error) {
    const nfsar_quaternion q = pose.orientation;
    const double norm = nfsar_quaternion_norm(q);
    const nfsar_vec3 p = pose.position;
    nfsar_pose_track *track = &rows->track;
    if (!(fabs(time_s) <= TIME_LIMIT_S) ||
        !(fmax(fabs(p.x), fmax(fabs(p.y), fabs(p.z))) <= PLACE_LIMIT_M)) {
        return pose_lines_fail(lines, error,
                               "time %g s, place (%g, %g, %g) m: no such numbers; columns are %s",
                               time_s, p.x, p.y, p.z, order);
    }
    if (!(fabs(norm - 1.0) < 0.01)) {
        return pose_lines_fail(lines, error, "the quaternion's length is %g, not 1; columns are %s",
                               norm, order);
    }
    if (track->n > 0 && time_s == track->time_s[track->n - 1]) {
        track->n_lost++; /* sent twice, as a sensor's record may be (trajectory/records.c) */
        return NFSAR_OK;
    }
    if (track->n > 0 && !(time_s > track->time_s[track->n - 1])) {
        return pose_lines_fail(lines, error,
                               "time %.9g is before %.9g of line %zu: the clock went back; cut the "
                               "file there",
                               time_s, track->time_s[track->n - 1], rows->last_line);
    }
    enum nfsar_status status = grow(rows, error);
    if (status == NFSAR_OK) {
        track->time_s[track->n] = time_s;
        pose.orientation = nfsar_quaternion_normalize(q);
        track->pose[track->n++] = pose;
        rows->last_line = lines->number;
    }
    return status;
}

nfsar_pose pose_from_forward_left_up(nfsar_pose pose) {
    const nfsar_vec3 p = pose.position;
    const nfsar_quaternion q = pose.orientation;
    return (nfsar_pose){{p.y, p.z, p.x}, {q.w, q.y, q.z, q.x}};
}
