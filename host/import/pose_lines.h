/* What the readers of pose files share: lines and cells of a table, and the poses being gathered.
 */
#ifndef NFSAR_HOST_IMPORT_POSE_LINES_H
#define NFSAR_HOST_IMPORT_POSE_LINES_H

#include <stdbool.h>
#include <stdio.h>

#include <nfsar/pose_file.h>

/* An open file, its line in memory and, after pose_lines_split(), the cells of that. */
struct pose_lines {
    FILE *file;
    const char *path;
    char *line;
    size_t room, length;
    size_t number; /* of the line, from 1 */
    char **cell;   /* pointers into line; quotes and blanks about a cell are left out */
    size_t n_cell, cell_room;
};

/* Errors start with the path. Close with pose_lines_close(), also after an error. */
enum nfsar_status pose_lines_open(const char *path, struct pose_lines *lines, nfsar_error *error);
void pose_lines_close(struct pose_lines *lines);

/* Read the next line, its end left out; *more is false behind the last. Lines that are endless or
 * hold zero bytes are refused. */
enum nfsar_status pose_lines_next(struct pose_lines *lines, bool *more, nfsar_error *error);

/* The line without the byte-order mark that the first may begin with. */
const char *pose_lines_text(const struct pose_lines *lines);

/* Cut the line into cells at commas. */
enum nfsar_status pose_lines_split(struct pose_lines *lines, nfsar_error *error);

/* "PATH: line N: ..." */
enum nfsar_status pose_lines_fail(const struct pose_lines *lines, nfsar_error *error,
                                  const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A cell as a finite number; behind the last cell all are empty. */
enum pose_cell { POSE_CELL_NUMBER, POSE_CELL_EMPTY, POSE_CELL_WRONG };
enum pose_cell pose_lines_number(const struct pose_lines *lines, size_t cell, double *value);

/* The numbers of cells at[n] into value[n]: *lost where the row has no pose (one of them is empty
 * or "nan"); what else is no number is an error. */
enum nfsar_status pose_lines_numbers(const struct pose_lines *lines, const size_t *at, size_t n,
                                     double *value, bool *lost, nfsar_error *error);

/* Poses being gathered. */
struct pose_rows {
    nfsar_pose_track track;
    size_t room;
    size_t last_line; /* of the pose before */
};

/* Add a pose: finite, its orientation of unit length within 1 percent, later than the one before;
 * one of the same time is left out and counted. order: what the columns are, for the message. */
enum nfsar_status pose_rows_add(struct pose_rows *rows, const struct pose_lines *lines,
                                double time_s, nfsar_pose pose, const char *order,
                                nfsar_error *error);

/* Axes that are forward, left, up turned to ours: (x, y, z) = (left, up, forward). The same turn
 * holds for the world and for the body. */
nfsar_pose pose_from_forward_left_up(nfsar_pose pose);

/* The readers, from the first line on. body: wanted, or NULL; found->body is filled in. */
enum nfsar_status pose_read_text(struct pose_lines *lines, bool w_first, bool z_up,
                                 struct pose_rows *rows, nfsar_error *error);
enum nfsar_status pose_read_optitrack(struct pose_lines *lines, const char *body,
                                      struct pose_rows *rows, nfsar_pose_file_found *found,
                                      nfsar_error *error);
enum nfsar_status pose_read_vicon(struct pose_lines *lines, const char *body,
                                  struct pose_rows *rows, nfsar_pose_file_found *found,
                                  nfsar_error *error);
enum nfsar_status pose_read_mavlink(struct pose_lines *lines, struct pose_rows *rows,
                                    nfsar_error *error);

#endif
