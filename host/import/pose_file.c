/* Which format a file of poses has, and reading it. */
#include <nfsar/pose_file.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "host/import/pose_lines.h"
#include "host/locale.h"

/* Lines that are looked at to tell the format. */
enum { LOOK = 100 };

static const char *const names[] = {"auto", "wxyz", "tum", "optitrack", "vicon", "mavlink"};

const char *nfsar_pose_format_name(enum nfsar_pose_format format) {
    return names[format];
}

bool nfsar_pose_format_by_name(const char *name, enum nfsar_pose_format *format) {
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0) {
            *format = (enum nfsar_pose_format)i;
            return true;
        }
    }
    return false;
}

static bool begins(const char *line, const char *word) {
    return strncmp(line, word, strlen(word)) == 0;
}

/* What a heading or a line of numbers says; NFSAR_POSE_AUTO: nothing. *numbers: it was one of
 * numbers. */
static enum nfsar_pose_format judge(const char *line, bool *numbers) {
    static const char *const vicon[] = {"Objects", "Segments",      "Trajectories", "Joints",
                                        "Devices", "Model Outputs", "Events"};
    const char *begin = line + strspn(line, " \t\"");
    const char *w = strstr(line, "qw"), *x = strstr(line, "qx");
    const bool named_time = strstr(line, "time_usec") != NULL || strstr(line, "TimeUS") != NULL ||
                            strstr(line, "time_boot_ms") != NULL ||
                            strstr(line, "timestamp,") != NULL ||
                            strstr(line, "timestamp_sample") != NULL;
    *numbers = isdigit((unsigned char)*begin) || *begin == '-' || *begin == '.' || *begin == '+';
    if (begins(begin, "Format Version")) {
        return NFSAR_POSE_OPTITRACK;
    }
    for (size_t i = 0; i < sizeof vicon / sizeof *vicon; i++) {
        if (begins(begin, vicon[i])) {
            return NFSAR_POSE_VICON;
        }
    }
    if (named_time && strchr(line, ',') != NULL && *begin != '#') {
        return NFSAR_POSE_MAVLINK;
    }
    if (!*numbers && w != NULL && x != NULL) {
        return w < x ? NFSAR_POSE_WXYZ : NFSAR_POSE_TUM;
    }
    return NFSAR_POSE_AUTO;
}

static enum nfsar_status find_format(const char *path, enum nfsar_pose_format *format,
                                     nfsar_error *error) {
    struct pose_lines lines;
    bool more = true, numbers = false, commas = false, semicolons = false;
    enum nfsar_status status = pose_lines_open(path, &lines, error);
    for (size_t i = 0; status == NFSAR_OK && i < LOOK && !numbers; i++) {
        status = pose_lines_next(&lines, &more, error);
        if (status != NFSAR_OK || !more) {
            break;
        }
        const char *line = pose_lines_text(&lines);
        *format = judge(line, &numbers);
        commas = strchr(line, ',') != NULL;
        semicolons = strchr(line, ';') != NULL;
        if (*format != NFSAR_POSE_AUTO) {
            break;
        }
    }
    const bool empty = lines.number == 0;
    pose_lines_close(&lines);
    if (status != NFSAR_OK || *format != NFSAR_POSE_AUTO) {
        return status;
    }
    if (numbers && !commas && !semicolons) {
        *format = NFSAR_POSE_TUM; /* whose files often have no heading */
        return NFSAR_OK;
    }
    if (empty) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: is empty", path);
    }
    if (numbers && semicolons) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "%s: has semicolons between its columns: write commas, and points in "
                          "numbers",
                          path);
    }
    return nfsar_fail(error, numbers ? NFSAR_ERROR_ARGUMENT : NFSAR_ERROR_FORMAT,
                      "%s: %s: say --format tum (qx qy qz qw), wxyz (qw first), optitrack, vicon "
                      "or mavlink",
                      path,
                      numbers ? "no heading says which numbers the quaternion is"
                              : "is no table of poses that is known");
}

static enum nfsar_status read_rows(struct pose_lines *lines, enum nfsar_pose_format format,
                                   const nfsar_pose_file_options *options, struct pose_rows *rows,
                                   nfsar_pose_file_found *found, nfsar_error *error) {
    switch (format) {
    case NFSAR_POSE_OPTITRACK:
        return pose_read_optitrack(lines, options->body, rows, found, error);
    case NFSAR_POSE_VICON:
        return pose_read_vicon(lines, options->body, rows, found, error);
    case NFSAR_POSE_MAVLINK:
        return pose_read_mavlink(lines, rows, error);
    case NFSAR_POSE_AUTO:
    case NFSAR_POSE_WXYZ:
    case NFSAR_POSE_TUM:
        break;
    }
    return pose_read_text(lines, format == NFSAR_POSE_WXYZ, options->z_up, rows, error);
}

enum nfsar_status nfsar_pose_file_load(const char *path, const nfsar_pose_file_options *options,
                                       nfsar_pose_track *track, nfsar_pose_file_found *found,
                                       nfsar_error *error) {
    PLAIN_NUMBERS;
    memset(track, 0, sizeof *track);
    nfsar_pose_file_found own = {0};
    enum nfsar_pose_format format = options->format;
    enum nfsar_status status = NFSAR_OK;
    if (format == NFSAR_POSE_AUTO) {
        status = find_format(path, &format, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    struct pose_lines lines;
    struct pose_rows rows = {0};
    status = pose_lines_open(path, &lines, error);
    if (status == NFSAR_OK) {
        status = read_rows(&lines, format, options, &rows, &own, error);
    }
    pose_lines_close(&lines);
    if (status == NFSAR_OK && rows.track.n == 0) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT, "%s: holds no pose", path);
    }
    if (status != NFSAR_OK) {
        nfsar_pose_track_free(&rows.track);
        return status;
    }
    *track = rows.track;
    own.format = format;
    if (found != NULL) {
        *found = own;
    }
    return NFSAR_OK;
}
