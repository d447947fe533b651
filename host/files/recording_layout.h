/* Where everything is in a recording (docs/recording-files.md), and how it is laid out. */
#ifndef NFSAR_HOST_FILES_RECORDING_LAYOUT_H
#define NFSAR_HOST_FILES_RECORDING_LAYOUT_H

#include <hdf5.h>
#include <stdint.h>

#include "host/files/recording.h"

#define RECORDING_ENDING         ".recording"
#define RECORDING_GROUP          "/recording"
#define RECORDING_FORMAT         "nfsar-recording"
#define RECORDING_FORMAT_VERSION 1
#define RECORDING_TABLES         "/recording/tables"
#define RECORDING_ROWS           "/recording/rows"
#define RECORDING_ENDED          "/recording/ended"
#define RECORDING_LOG            "/recording/log"
#define RECORDING_SESSION        "/recording/session"

#define RECORDING_LOG_BYTES 65536
/* All counts lie within 512 bytes, the least that any disk writes at once. */
#define RECORDING_TABLES_LIMIT  64
#define RECORDING_COLUMNS_LIMIT 64
/* A page: what the system writes at once. No two datasets share one. */
#define RECORDING_ALIGNMENT 4096

#define ECHO_TABLE 0
#define POSE_TABLE 1

/* Bytes of one element. */
size_t recording_type_size(enum recording_type type);

/* Where a recording's file keeps what changes. */
struct recording_places {
    uint64_t rows, ended, log; /* byte offsets */
    size_t n_tables;
    struct recording_place {
        uint64_t rows_at_most;
        size_t n_columns;
        size_t *column_bytes; /* [n_columns] of a row */
        uint64_t *offset;     /* [n_columns] */
    } * table;
};

/* Create the file NAME with all of its structure; it is complete, and on the disk, when this
 * returns. Tables as in recording_create(), echo and pose included. */
enum nfsar_status recording_layout_create(const char *name, const nfsar_capture *head,
                                          const struct recording_table *tables, size_t n_tables,
                                          const char *session, struct recording_places *places,
                                          nfsar_error *error);
void recording_places_free(struct recording_places *places);

/* Give the names in the folder of a file to the disk: a new file, a new name. Never fails: some
 * file systems cannot, and know no better. */
void recording_sync_folder(const char *path);

#endif
