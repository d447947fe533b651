/* A recording to import, made of noise, with its rig file; in the folder for temporary files, and
 * removed even when the command is interrupted. */
#ifndef NFSAR_BENCH_RIG_FILES_H
#define NFSAR_BENCH_RIG_FILES_H

#include <stddef.h>

#include <nfsar/status.h>

#include "host/files/pending.h"

struct rig_files {
    pending_file *rig, *raw;      /* what is imported */
    pending_file *capture;        /* to be read */
    pending_file *written, *copy; /* names to write to */
    char folder[256];
    size_t chirps; /* of 4 receivers */
    size_t n_sample;
    size_t raw_bytes;
};

enum nfsar_status rig_files_make(size_t positions, size_t rows, size_t n_sample,
                                 struct rig_files *files, nfsar_error *error);
void rig_files_remove(struct rig_files *files);

#endif
