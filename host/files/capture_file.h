/* What the library's own files may do with a capture beyond <nfsar/file.h>. */
#ifndef NFSAR_HOST_FILES_CAPTURE_FILE_H
#define NFSAR_HOST_FILES_CAPTURE_FILE_H

#include <nfsar/file.h>

#include "host/files/hdf5_input.h"
#include "host/files/hdf5_output.h"
#include "host/files/recording_counts.h"

/* The open file itself, and how far it is, where it is a recording. */
const struct h5_input *capture_file_input(const nfsar_capture_file *file);
const struct recording_counts *capture_file_counts(const nfsar_capture_file *file);

/* nfsar_capture_writer_create(), the samples compressed at that level of gzip (1 to 9; 0: not).
 * They are written by one thread, in whole steps of capture_writer_step() pulses, but for the end.
 */
enum nfsar_status capture_writer_create_packed(const char *path, const nfsar_capture *header,
                                               int level, nfsar_capture_writer **writer,
                                               nfsar_error *error);
size_t capture_writer_step(nfsar_capture_writer *writer);

/* The file being written, to put more into it. */
struct h5_output *capture_writer_output(nfsar_capture_writer *writer);

/* nfsar_capture_writer_commit(), with a look at the file before it gets its name. */
enum nfsar_status capture_writer_commit_checked(nfsar_capture_writer *writer,
                                                h5_output_check *check, void *context,
                                                nfsar_error *error);

#endif
