/* The recordings that a rig file names: found, put in order, measured, and read as if the parts of
 * a split recording were one file. */
#ifndef NFSAR_HOST_IMPORT_RECORDING_H
#define NFSAR_HOST_IMPORT_RECORDING_H

#include <stddef.h>
#include <stdint.h>

#include <nfsar/status.h>

#include "host/import/rig.h"

/* One file. */
struct recording_part {
    char *path;
    const char *name; /* path without the data folder; points into path */
    uint64_t size;    /* bytes */
};

/* One recording: the parts [first_part, first_part + n_part) one after the other. */
struct recording {
    size_t first_part, n_part;
    uint64_t size; /* bytes */
};

struct recordings {
    size_t n_part;
    struct recording_part *part;
    size_t n;
    struct recording *item;
};

/* A stretch of a recording in memory, and the file it came from: one for each thread that reads.
 * Starts as RECORDING_WINDOW_CLOSED. */
struct recording_window {
    int fd; /* of part open_part, or -1 */
    size_t open_part;
    size_t recording;
    uint64_t first; /* bytes [first, first + n) of the recording */
    size_t n, room;
    unsigned char *bytes; /* [room] */
};
#define RECORDING_WINDOW_CLOSED ((struct recording_window){.fd = -1})

/* Find the files; relative names lie in folder. join: STEM_Raw_0, STEM_Raw_1 ... are one
 * recording. Errors start with the key or the file. Free with recordings_free(). */
enum nfsar_status recordings_find(const struct rig_files *files, const char *folder, bool join,
                                  struct recordings *recordings, nfsar_error *error);

/* Name of a recording for people: that of its first part. */
const char *recordings_name(const struct recordings *recordings, size_t index);

/* Make *bytes n bytes at offset of a recording, across the boundaries of its parts; they stay until
 * the next call. What follows is read with them. */
enum nfsar_status recordings_look(const struct recordings *recordings,
                                  struct recording_window *window, size_t index, uint64_t offset,
                                  size_t n, const unsigned char **bytes, nfsar_error *error);

/* Close the file and release the memory. */
void recording_window_close(struct recording_window *window);

/* If the numbers in the names of the recordings leave one out, its name to name[size]. */
bool recordings_gap(const struct recordings *recordings, char *name, size_t size);

/* Release. */
void recordings_free(struct recordings *recordings);

#endif
