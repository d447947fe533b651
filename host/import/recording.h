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
    int fd; /* of open_part, or -1 */
    size_t open_part;
};

/* Find the files; relative names lie in folder. join: STEM_Raw_0, STEM_Raw_1 ... are one
 * recording. Errors start with the key or the file. Free with recordings_free(). */
enum nfsar_status recordings_find(const struct rig_files *files, const char *folder, bool join,
                                  struct recordings *recordings, nfsar_error *error);

/* Name of a recording for people: that of its first part. */
const char *recordings_name(const struct recordings *recordings, size_t index);

/* Read n bytes at offset of a recording, across the boundaries of its parts. */
enum nfsar_status recordings_read(struct recordings *recordings, size_t index, uint64_t offset,
                                  size_t n, void *out, nfsar_error *error);

/* If the numbers in the names of the recordings leave one out, its name to name[size]. */
bool recordings_gap(const struct recordings *recordings, char *name, size_t size);

/* Close and release. */
void recordings_free(struct recordings *recordings);

#endif
