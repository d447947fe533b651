/* CSV of Vicon's Tracker and Nexus: blocks that begin with a line Objects, Segments, Trajectories
 * (or others, which are passed over), the rate, names above the first column of each, components,
 * units. Rotations are the quaternion RX RY RZ RW, or without RW a rotation vector, its length the
 * angle. Frames count from 1. Axes are right-handed with z up, bodies x forward. Source: Vicon
 * Nexus user guide, "CSV file format"; Tracker's "Export ASCII". */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/import/pose_lines.h"

enum { FRAME, SUB_FRAME, PLACE, TURN = PLACE + 3, COLUMNS = TURN + 4 };

struct block {
    bool markers; /* Trajectories */
    double rate_hz;
    double metre, radian;
    size_t n;               /* columns in use */
    size_t column[COLUMNS]; /* frame, sub frame, place, turn x y z w */
    size_t first;           /* column of the body */
    size_t n_turn;          /* 0, 3 or 4 */
};

/* The name of a column's body: what is behind the subject's name, without a space of names. */
static bool is_body(const char *cell, const char *body) {
    const char *colon = strrchr(cell, ':');
    const char *space = strstr(cell, "Global Angle ");
    return strcmp(cell, body) == 0 || (colon != NULL && strcmp(colon + 1, body) == 0) ||
           (space != NULL && strcmp(space + 13, body) == 0);
}

static enum nfsar_status choose(const struct pose_lines *lines, const char *body,
                                struct block *block, nfsar_pose_file_found *found,
                                nfsar_error *error) {
    char names[200] = "";
    size_t n = 0;
    bool chosen = false;
    for (size_t i = 2; i < lines->n_cell; i++) {
        const char *name = lines->cell[i];
        if (*name == '\0') {
            continue;
        }
        const size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", n > 0 ? ", " : "", name);
        if (!chosen && (body == NULL || is_body(name, body))) {
            chosen = true;
            block->first = i;
            snprintf(found->body, sizeof found->body, "%s", name);
        }
        n++;
    }
    if (n == 0) {
        return pose_lines_fail(lines, error, "expected names of %s above the columns",
                               block->markers ? "markers" : "bodies");
    }
    if (!chosen || (body == NULL && n > 1)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "%s: %s%s: %s", lines->path,
                          chosen ? "say which body" : "there is no body ", chosen ? "" : body,
                          names);
    }
    return NFSAR_OK;
}

/* "Frame, Sub Frame, RX, RY, RZ, TX, TY, TZ, ...": those of the body begin at its name. */
static enum nfsar_status read_components(const struct pose_lines *lines, struct block *block,
                                         nfsar_error *error) {
    static const char *const places[2][3] = {{"TX", "TY", "TZ"}, {"X", "Y", "Z"}};
    static const char *const turns[4] = {"RX", "RY", "RZ", "RW"};
    bool place[3] = {false}, turn[4] = {false};
    if (lines->n_cell < 2 || strcmp(lines->cell[0], "Frame") != 0 ||
        strcmp(lines->cell[1], "Sub Frame") != 0) {
        return pose_lines_fail(lines, error, "expected Frame,Sub Frame and components");
    }
    block->column[FRAME] = 0;
    block->column[SUB_FRAME] = 1;
    for (size_t i = block->first; i < lines->n_cell && i < block->first + 7; i++) {
        for (size_t k = 0; k < 4; k++) {
            const char *cell = lines->cell[i];
            if (k < 3 && !place[k] && strcmp(cell, places[block->markers][k]) == 0) {
                place[k] = true;
                block->column[PLACE + k] = i;
            } else if (!block->markers && !turn[k] && strcmp(cell, turns[k]) == 0) {
                turn[k] = true;
                block->column[TURN + k] = i;
            }
        }
    }
    const bool turned = turn[0] && turn[1] && turn[2];
    block->n_turn = block->markers || !turned ? 0 : turn[3] ? 4 : 3;
    block->n = TURN + block->n_turn;
    if (!place[0] || !place[1] || !place[2] || (!block->markers && !turned)) {
        return pose_lines_fail(lines, error, "the columns of the body are not %s",
                               block->markers ? "X, Y, Z" : "RX, RY, RZ, (RW,) TX, TY, TZ");
    }
    return NFSAR_OK;
}

static enum nfsar_status read_units(const struct pose_lines *lines, struct block *block,
                                    nfsar_error *error) {
    const size_t place = block->column[PLACE], turn = block->column[TURN];
    const char *length = place < lines->n_cell ? lines->cell[place] : "";
    const char *angle = block->n_turn == 3 && turn < lines->n_cell ? lines->cell[turn] : "rad";
    block->metre = strcmp(length, "mm") == 0 ? 1e-3 : strcmp(length, "m") == 0 ? 1.0 : 0.0;
    block->radian = strcmp(angle, "rad") == 0   ? 1.0
                    : strcmp(angle, "deg") == 0 ? NFSAR_PI / 180.0
                                                : 0.0;
    return block->metre > 0.0 && block->radian > 0.0
               ? NFSAR_OK
               : pose_lines_fail(lines, error,
                                 "expected units mm or m, and deg or rad; there are '%.20s' and "
                                 "'%.20s'",
                                 length, angle);
}

/* The lines behind the block's first, four of them. */
static enum nfsar_status read_header(struct pose_lines *lines, const char *body,
                                     struct block *block, nfsar_pose_file_found *found,
                                     nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    for (size_t row = 0; status == NFSAR_OK && row < 4; row++) {
        bool more = true;
        status = pose_lines_next(lines, &more, error);
        if (status == NFSAR_OK && !more) {
            status = pose_lines_fail(lines, error, "ends within its header");
        }
        if (status == NFSAR_OK) {
            status = pose_lines_split(lines, error);
        }
        if (status != NFSAR_OK) {
            break;
        }
        if (row == 0 && (pose_lines_number(lines, 0, &block->rate_hz) != POSE_CELL_NUMBER ||
                         !(block->rate_hz > 0.0 && block->rate_hz < 1e6))) {
            status = pose_lines_fail(lines, error, "expected the rate in Hz");
        }
        status = status != NFSAR_OK ? status
                 : row == 1         ? choose(lines, body, block, found, error)
                 : row == 2         ? read_components(lines, block, error)
                 : row == 3         ? read_units(lines, block, error)
                                    : status;
    }
    return status;
}

static nfsar_pose pose_of(const struct block *block, const double v[COLUMNS]) {
    nfsar_quaternion turn = NFSAR_QUATERNION_IDENTITY;
    if (block->n_turn == 4) {
        turn = (nfsar_quaternion){v[TURN + 3], v[TURN], v[TURN + 1], v[TURN + 2]};
    } else if (block->n_turn == 3) {
        const nfsar_vec3 axis =
            nfsar_vec3_scale((nfsar_vec3){v[TURN], v[TURN + 1], v[TURN + 2]}, block->radian);
        turn = nfsar_quaternion_from_axis_angle(axis, nfsar_vec3_norm(axis));
    }
    const nfsar_vec3 place = {v[PLACE], v[PLACE + 1], v[PLACE + 2]};
    return pose_from_forward_left_up((nfsar_pose){nfsar_vec3_scale(place, block->metre), turn});
}

/* Up to an empty line. */
static enum nfsar_status read_rows(struct pose_lines *lines, const struct block *block,
                                   struct pose_rows *rows, nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    for (bool more = true; status == NFSAR_OK;) {
        double v[COLUMNS] = {0.0};
        bool lost = false;
        status = pose_lines_next(lines, &more, error);
        if (status != NFSAR_OK || !more || lines->length == 0) {
            break;
        }
        status = pose_lines_split(lines, error);
        if (status == NFSAR_OK) {
            status = pose_lines_numbers(lines, block->column, block->n, v, &lost, error);
        }
        if (status == NFSAR_OK && lost) {
            rows->track.n_lost++;
            continue;
        }
        if (status == NFSAR_OK && v[SUB_FRAME] != 0.0) {
            status = pose_lines_fail(
                lines, error, "is sub frame %g: export frames without sub frames", v[SUB_FRAME]);
        }
        if (status == NFSAR_OK) {
            status = pose_rows_add(rows, lines, (v[FRAME] - 1.0) / block->rate_hz,
                                   pose_of(block, v), "as the header says", error);
        }
    }
    return status;
}

enum nfsar_status pose_read_vicon(struct pose_lines *lines, const char *body,
                                  struct pose_rows *rows, nfsar_pose_file_found *found,
                                  nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    for (bool more = true; status == NFSAR_OK;) {
        status = pose_lines_next(lines, &more, error);
        if (status != NFSAR_OK || !more) {
            break;
        }
        status = pose_lines_split(lines, error);
        if (status != NFSAR_OK) {
            break;
        }
        struct block block = {.markers = strcmp(lines->cell[0], "Trajectories") == 0};
        if (block.markers || strcmp(lines->cell[0], "Segments") == 0 ||
            strcmp(lines->cell[0], "Objects") == 0) {
            status = read_header(lines, body, &block, found, error);
            if (status == NFSAR_OK) {
                rows->track.has_orientation = block.n_turn > 0;
                status = read_rows(lines, &block, rows, error);
            }
            return status;
        }
    }
    return status == NFSAR_OK
               ? pose_lines_fail(lines, error,
                                 "there is no block Objects, Segments or Trajectories")
               : status;
}
