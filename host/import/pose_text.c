/* Lines of eight numbers: those of TUM's benchmark (qx qy qz qw), and those of `nfsar record` (qw
 * first). */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/import/pose_lines.h"

enum { NUMBERS = 8, LINE = 1024 };

/* Numbers of a line; false when they are not NUMBERS and nothing else. *lost: one is "nan", as
 * where tracking was lost; an infinite one is no number of a tracker's. */
static bool read_numbers(const char *line, double numbers[NUMBERS], bool *lost) {
    const char *at = line;
    *lost = false;
    for (size_t i = 0; i < NUMBERS; i++) {
        char *end = NULL;
        numbers[i] = strtod(at, &end);
        if (end == at || isinf(numbers[i])) {
            return false;
        }
        *lost = *lost || isnan(numbers[i]);
        at = end;
        while (*at == ' ' || *at == '\t') {
            at++;
        }
        at += *at == ',' && i + 1 < NUMBERS;
    }
    while (isspace((unsigned char)*at)) {
        at++;
    }
    return *at == '\0';
}

static bool is_heading(const char *begin) {
    /* Of words that begin with a letter "nan" and "inf" are numbers. */
    return *begin == '\0' || *begin == '#' || *begin == '%' ||
           (isalpha((unsigned char)*begin) && strncasecmp(begin, "nan", 3) != 0 &&
            strncasecmp(begin, "inf", 3) != 0);
}

enum nfsar_status pose_read_text(struct pose_lines *lines, bool w_first, bool z_up,
                                 struct pose_rows *rows, nfsar_error *error) {
    const char *order = w_first ? "time_s x y z qw qx qy qz" : "time_s x y z qx qy qz qw";
    enum nfsar_status status = NFSAR_OK;
    rows->track.has_orientation = true;
    for (bool more = true; status == NFSAR_OK;) {
        status = pose_lines_next(lines, &more, error);
        if (status != NFSAR_OK || !more) {
            break;
        }
        const char *begin = pose_lines_text(lines);
        begin += strspn(begin, " \t\r\n");
        double v[NUMBERS];
        bool lost = false;
        if (is_heading(begin)) {
            continue;
        }
        if (lines->length >= LINE || !read_numbers(begin, v, &lost)) {
            return pose_lines_fail(
                lines, error, "expected eight numbers with %s between: %s",
                strchr(begin, ';') != NULL ? "blanks or commas, not semicolons," : "blanks", order);
        }
        if (lost) {
            rows->track.n_lost++;
            continue;
        }
        const nfsar_quaternion turn = w_first ? (nfsar_quaternion){v[4], v[5], v[6], v[7]}
                                              : (nfsar_quaternion){v[7], v[4], v[5], v[6]};
        const nfsar_pose pose = {{v[1], v[2], v[3]}, turn};
        status = pose_rows_add(rows, lines, v[0], z_up ? pose_from_forward_left_up(pose) : pose,
                               order, error);
    }
    return status;
}
