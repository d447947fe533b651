/* The CSV export of Motive (OptiTrack). The first line names settings in pairs of cells: Rotation
 * Type, Length Units, Coordinate Space. Then come rows that say for each column what it is of
 * (Type: Rigid Body, Marker ...; Name; ID), whether rotation or position, and which component.
 * Motive's axes are right-handed with y up, as ours. Source: OptiTrack, "Data Export: CSV". */
#include <stdlib.h>
#include <string.h>

#include "host/import/pose_lines.h"

enum { HEADER_ROWS = 12, PARTS = 8 };

/* What the header says. Of the names a copy is kept, since lines go. */
struct header {
    double metre;        /* one unit of length */
    char **type, **name; /* [n] of each column */
    size_t n_type, n_name;
    size_t first_body;    /* column */
    size_t column[PARTS]; /* time; position x y z; rotation w x y z */
    bool has[PARTS];
};

static void free_cells(char **cell, size_t n) {
    for (size_t i = 0; cell != NULL && i < n; i++) {
        free(cell[i]);
    }
    free(cell);
}

static enum nfsar_status keep(const struct pose_lines *lines, char ***kept, size_t *n,
                              nfsar_error *error) {
    free_cells(*kept, *n);
    *n = 0;
    *kept = calloc(lines->n_cell, sizeof **kept);
    for (size_t i = 0; *kept != NULL && i < lines->n_cell; i++) {
        (*kept)[i] = strdup(lines->cell[i]);
        if ((*kept)[i] == NULL) {
            break;
        }
        *n = i + 1;
    }
    return *n == lines->n_cell ? NFSAR_OK : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
}

static enum nfsar_status read_settings(const struct pose_lines *lines, struct header *header,
                                       nfsar_error *error) {
    static const struct {
        const char *name;
        double metre;
    } units[] = {{"Meters", 1.0}, {"Centimeters", 1e-2}, {"Millimeters", 1e-3}};
    for (size_t i = 0; i + 1 < lines->n_cell; i++) {
        const char *value = lines->cell[i + 1];
        if (strcmp(lines->cell[i], "Rotation Type") == 0 && strcmp(value, "Quaternion") != 0) {
            return pose_lines_fail(
                lines, error, "Rotation Type is '%.40s': export rotations as Quaternion", value);
        }
        if (strcmp(lines->cell[i], "Coordinate Space") == 0 && strcmp(value, "Global") != 0) {
            return pose_lines_fail(lines, error, "Coordinate Space is '%.40s': export it as Global",
                                   value);
        }
        for (size_t u = 0; strcmp(lines->cell[i], "Length Units") == 0 && u < 3; u++) {
            header->metre = strcmp(value, units[u].name) == 0 ? units[u].metre : header->metre;
        }
    }
    return header->metre > 0.0
               ? NFSAR_OK
               : pose_lines_fail(lines, error,
                                 "no Length Units of Meters, Centimeters or Millimeters");
}

/* Find the first column of the body that is wanted, or of the only one. */
static enum nfsar_status choose(const struct pose_lines *lines, struct header *header,
                                const char *body, nfsar_pose_file_found *found,
                                nfsar_error *error) {
    const char *last = NULL;
    char names[200] = "";
    size_t n = 0;
    bool chosen = false;
    for (size_t i = 0; i < header->n_type && i < header->n_name; i++) {
        const char *name = header->name[i];
        if (strcmp(header->type[i], "Rigid Body") != 0 ||
            (last != NULL && strcmp(name, last) == 0)) {
            continue;
        }
        const size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", n > 0 ? ", " : "", name);
        if (!chosen && (body == NULL || strcmp(body, name) == 0)) {
            chosen = true;
            header->first_body = i;
            snprintf(found->body, sizeof found->body, "%s", name);
        }
        last = name;
        n++;
    }
    if (n == 0) {
        return pose_lines_fail(lines, error,
                               "the export has no Rigid Body column: make one of the markers");
    }
    if (!chosen) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "%s: there is no body %s, but %s",
                          lines->path, body, names);
    }
    if (body == NULL && n > 1) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "%s: say which body: %s", lines->path,
                          names);
    }
    return NFSAR_OK;
}

static void take_columns(const struct pose_lines *lines, struct header *header,
                         const struct pose_lines *kinds, const char *name) {
    static const char *const letters = "XYZWXYZ";
    for (size_t i = 0; i < lines->n_cell; i++) {
        const char *letter = lines->cell[i];
        if (strcmp(letter, "Time (Seconds)") == 0 || strcmp(letter, "Time") == 0) {
            header->column[0] = i;
            header->has[0] = true;
        }
        if (i < header->first_body || i >= header->n_type || i >= header->n_name ||
            i >= kinds->n_cell || strcmp(header->type[i], "Rigid Body") != 0 ||
            strcmp(header->name[i], name) != 0 || strlen(letter) != 1) {
            continue;
        }
        const bool place = strcmp(kinds->cell[i], "Position") == 0;
        const bool turn = strcmp(kinds->cell[i], "Rotation") == 0;
        for (size_t k = 0; k < 7; k++) {
            /* Of letters[]: the first three for places, all four of the rest for turns. */
            const size_t part = k < 3 ? 1 + k : k == 3 ? 4 : 1 + k;
            if (letters[k] == *letter && (k < 3 ? place : turn) && !header->has[part]) {
                header->column[part] = i;
                header->has[part] = true;
            }
        }
    }
}

/* Rows up to that of the components, "Frame, Time (Seconds), X, Y ...". */
static enum nfsar_status read_header(struct pose_lines *lines, struct pose_lines *kinds,
                                     struct header *header, const char *body,
                                     nfsar_pose_file_found *found, nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    char *kind_text = NULL;
    for (size_t row = 0; status == NFSAR_OK && row < HEADER_ROWS; row++) {
        bool more = true;
        status = pose_lines_next(lines, &more, error);
        if (status != NFSAR_OK || !more) {
            break;
        }
        /* The row before the components, which says Rotation or Position, is wanted with them. */
        const bool may_be_kinds = strstr(lines->line, "Position") != NULL;
        if (may_be_kinds) {
            free(kind_text);
            kind_text = strdup(lines->line);
        }
        status = pose_lines_split(lines, error);
        if (status == NFSAR_OK && row == 0) {
            status = read_settings(lines, header, error);
        }
        const char *first = lines->cell[0], *second = lines->n_cell > 1 ? lines->cell[1] : "";
        if (status == NFSAR_OK && (strcmp(second, "Type") == 0 || strcmp(first, "Type") == 0)) {
            status = keep(lines, &header->type, &header->n_type, error);
        }
        if (status == NFSAR_OK && (strcmp(second, "Name") == 0 || strcmp(first, "Name") == 0)) {
            status = keep(lines, &header->name, &header->n_name, error);
        }
        if (status == NFSAR_OK && strcmp(first, "Frame") == 0) {
            status = choose(lines, header, body, found, error);
            if (status == NFSAR_OK && kind_text != NULL) {
                kinds->line = kind_text;
                kind_text = NULL;
                status = pose_lines_split(kinds, error);
            }
            if (status == NFSAR_OK) {
                take_columns(lines, header, kinds, header->name[header->first_body]);
            }
            break;
        }
    }
    free(kind_text);
    for (size_t i = 0; status == NFSAR_OK && i < PARTS; i++) {
        static const char *const parts[PARTS] = {"Time (Seconds)", "Position X", "Position Y",
                                                 "Position Z",     "Rotation W", "Rotation X",
                                                 "Rotation Y",     "Rotation Z"};
        if (!header->has[i]) {
            status = pose_lines_fail(lines, error, "the header has no column %s%s", parts[i],
                                     i > 0 ? " of a rigid body" : "");
        }
    }
    return status;
}

static enum nfsar_status read_rows(struct pose_lines *lines, const struct header *header,
                                   struct pose_rows *rows, nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    for (bool more = true; status == NFSAR_OK;) {
        double v[PARTS];
        bool lost = false;
        status = pose_lines_next(lines, &more, error);
        if (status != NFSAR_OK || !more) {
            break;
        }
        if (lines->length == 0) {
            continue;
        }
        status = pose_lines_split(lines, error);
        if (status == NFSAR_OK) {
            status = pose_lines_numbers(lines, header->column, PARTS, v, &lost, error);
        }
        if (status == NFSAR_OK && lost) {
            rows->track.n_lost++;
            continue;
        }
        if (status == NFSAR_OK) {
            const nfsar_pose pose = {
                nfsar_vec3_scale((nfsar_vec3){v[1], v[2], v[3]}, header->metre),
                {v[4], v[5], v[6], v[7]}};
            status = pose_rows_add(rows, lines, v[0], pose, "as the header says", error);
        }
    }
    return status;
}

enum nfsar_status pose_read_optitrack(struct pose_lines *lines, const char *body,
                                      struct pose_rows *rows, nfsar_pose_file_found *found,
                                      nfsar_error *error) {
    struct header header = {0};
    struct pose_lines kinds = {.path = lines->path, .number = 2};
    enum nfsar_status status = read_header(lines, &kinds, &header, body, found, error);
    if (status == NFSAR_OK) {
        rows->track.has_orientation = true;
        status = read_rows(lines, &header, rows, error);
    }
    free_cells(header.type, header.n_type);
    free_cells(header.name, header.n_name);
    pose_lines_close(&kinds);
    return status;
}
