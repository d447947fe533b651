#include "host/session/tracker.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/locale.h"

enum { NUMBERS = 8, LINE = 1024 };

/* Numbers of a line; false when they are not NUMBERS finite ones and nothing else. */
static bool read_numbers(const char *line, double numbers[NUMBERS]) {
    const char *at = line;
    for (size_t i = 0; i < NUMBERS; i++) {
        char *end = NULL;
        numbers[i] = strtod(at, &end);
        if (end == at || !isfinite(numbers[i])) {
            return false;
        }
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

static enum nfsar_status grow(struct tracker *tracker, size_t *room, nfsar_error *error) {
    if (tracker->n < *room) {
        return NFSAR_OK;
    }
    *room = *room > 0 ? 2 * *room : 4096;
    double *time_s = realloc(tracker->time_s, *room * sizeof *time_s);
    tracker->time_s = time_s != NULL ? time_s : tracker->time_s;
    nfsar_pose *pose = realloc(tracker->pose, *room * sizeof *pose);
    tracker->pose = pose != NULL ? pose : tracker->pose;
    return time_s != NULL && pose != NULL ? NFSAR_OK
                                          : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
}

static enum nfsar_status take(struct tracker *tracker, const char *path, size_t line,
                              const double v[NUMBERS], nfsar_error *error) {
    const nfsar_quaternion turn = {v[4], v[5], v[6], v[7]};
    const double norm = sqrt(turn.w * turn.w + turn.x * turn.x + turn.y * turn.y + turn.z * turn.z);
    if (!(fabs(norm - 1.0) < 0.01)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: line %zu: the quaternion's length is %g, not 1; columns are time_s "
                          "x y z qw qx qy qz",
                          path, line, norm);
    }
    if (tracker->n > 0 && !(v[0] > tracker->time_s[tracker->n - 1])) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: line %zu: time %.9g is not after that of the line before", path,
                          line, v[0]);
    }
    tracker->time_s[tracker->n] = v[0];
    tracker->pose[tracker->n++] =
        (nfsar_pose){{v[1], v[2], v[3]}, nfsar_quaternion_normalize(turn)};
    return NFSAR_OK;
}

static enum nfsar_status read_lines(FILE *file, const char *path, struct tracker *tracker,
                                    nfsar_error *error) {
    char line[LINE];
    size_t room = 0;
    for (size_t number = 1; fgets(line, sizeof line, file) != NULL; number++) {
        const char *begin = line + strspn(line, " \t\r\n");
        double numbers[NUMBERS];
        if (*begin == '\0' || *begin == '#' || *begin == '%' || isalpha((unsigned char)*begin)) {
            continue;
        }
        if (strlen(line) + 1 == sizeof line || !read_numbers(begin, numbers)) {
            return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                              "%s: line %zu: expected eight numbers: time_s x y z qw qx qy qz",
                              path, number);
        }
        enum nfsar_status status = grow(tracker, &room, error);
        if (status == NFSAR_OK) {
            status = take(tracker, path, number, numbers, error);
        }
        if (status != NFSAR_OK) {
            return status;
        }
    }
    if (ferror(file)) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: cannot be read", path);
    }
    return tracker->n > 0 ? NFSAR_OK
                          : nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: holds no pose", path);
}

enum nfsar_status tracker_load(const char *path, struct tracker *tracker, nfsar_error *error) {
    PLAIN_NUMBERS;
    memset(tracker, 0, sizeof *tracker);
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s", path, strerror(errno));
    }
    const enum nfsar_status status = read_lines(file, path, tracker, error);
    fclose(file);
    if (status != NFSAR_OK) {
        tracker_free(tracker);
    }
    return status;
}

void tracker_free(struct tracker *tracker) {
    free(tracker->time_s);
    free(tracker->pose);
    memset(tracker, 0, sizeof *tracker);
}
