/* HDF5 files being written: created under a temporary name, every failure noticed, committed as a
 * whole. */
#ifndef NFSAR_HOST_FILES_HDF5_OUTPUT_H
#define NFSAR_HOST_FILES_HDF5_OUTPUT_H

#include <hdf5.h>
#include <stdbool.h>

#include <nfsar/status.h>

#include "host/files/hdf5_place.h"
#include "host/files/hdf5_sink.h"
#include "host/files/hdf5_type.h"
#include "host/files/pending.h"

struct h5_output {
    struct h5_sink sink;
    pending_file *pending;
    char *path; /* the final name, for messages */
    hid_t file;
};

/* Begin a file whose root says what it is: attributes format and format_version. Freed by
 * h5_output_commit() or h5_output_abandon(); it must not move in between. */
enum nfsar_status h5_output_create(struct h5_output *output, const char *path, const char *format,
                                   nfsar_error *error);

/* The same with everything in blocks of so many bytes, so that no dataset shares one with others.
 */
enum nfsar_status h5_output_create_aligned(struct h5_output *output, const char *path,
                                           const char *format, uint64_t alignment,
                                           nfsar_error *error);

/* A group, "/name". */
enum nfsar_status h5_write_group(struct h5_output *output, const char *name, nfsar_error *error);

/* A whole dataset; its group must be there. */
enum nfsar_status h5_write_data(struct h5_output *output, const char *name, enum h5_kind kind,
                                const struct h5_shape *shape, const void *data, nfsar_error *error);

/* A complex dataset that is filled later, its disk space reserved now. chunk == NULL: contiguous.
 * The result is where it lies. */
enum nfsar_status h5_reserve_complex(struct h5_output *output, const char *name,
                                     const struct h5_shape *shape, const struct h5_shape *chunk,
                                     struct h5_place *place, nfsar_error *error);

/* Fill part of it: n entries of the first axis, from first on. Threads may do this at the same
 * time with different entries. */
enum nfsar_status h5_write_part(struct h5_output *output, const struct h5_place *place,
                                size_t first, size_t n, const void *data, nfsar_error *error);

/* A contiguous dataset of any type that is filled later, or never: its place in the file is known,
 * but takes no room on the disk before it is written. The offset is that of its first byte. */
enum nfsar_status h5_reserve_data(struct h5_output *output, const char *name, hid_t type,
                                  const struct h5_shape *shape, uint64_t *offset,
                                  nfsar_error *error);

/* Write bytes there. */
enum nfsar_status h5_write_at(struct h5_output *output, uint64_t offset, const void *bytes,
                              size_t n, nfsar_error *error);

/* The type of text of that many bytes; to be dropped. */
hid_t h5_text_type(size_t length);

/* Write the whole of a dataset that is there once more. */
enum nfsar_status h5_rewrite_data(struct h5_output *output, const char *name, enum h5_kind kind,
                                  const void *data, nfsar_error *error);

/* A list of text lines. */
enum nfsar_status h5_write_lines(struct h5_output *output, const char *name, char *const *lines,
                                 size_t n, nfsar_error *error);

/* Attributes of the object called name. */
enum nfsar_status h5_write_text(struct h5_output *output, const char *name, const char *attribute,
                                const char *text, nfsar_error *error);
enum nfsar_status h5_write_number(struct h5_output *output, const char *name, const char *attribute,
                                  double value, nfsar_error *error);

/* For who writes with HDF5's own functions: NFSAR_OK when `good` and the disk takes what it gets;
 * else why `what` cannot be written. */
enum nfsar_status h5_output_outcome(const struct h5_output *output, bool good, const char *what,
                                    nfsar_error *error);

/* Close and give the file its name; every dataset must have been closed. The output is gone
 * whether or not this succeeds. */
enum nfsar_status h5_output_commit(struct h5_output *output, nfsar_error *error);

/* The same; between closing and naming, check() may look at the file under its temporary name,
 * which was given to the disk before. The file is removed when it does not answer NFSAR_OK. */
typedef enum nfsar_status h5_output_check(void *context, const char *path, nfsar_error *error);
enum nfsar_status h5_output_commit_checked(struct h5_output *output, h5_output_check *check,
                                           void *context, nfsar_error *error);

/* Close and remove the file. */
void h5_output_abandon(struct h5_output *output);

#endif
