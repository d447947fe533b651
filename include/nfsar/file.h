/** @file
 * capture.h5 and image.h5 (docs/files.md): read and written in hyperslabs, checked on reading,
 * complete or not there at all after writing.
 */
#ifndef NFSAR_FILE_H
#define NFSAR_FILE_H

#include <stdbool.h>

#include <nfsar/capture.h>
#include <nfsar/image.h>
#include <nfsar/status.h>

/** A capture file opened for reading. */
typedef struct nfsar_capture_file nfsar_capture_file;
/** A capture file being written under a temporary name. */
typedef struct nfsar_capture_writer nfsar_capture_writer;
/** An image file opened for reading. */
typedef struct nfsar_image_file nfsar_image_file;
/** An image file being written under a temporary name. */
typedef struct nfsar_image_writer nfsar_image_writer;

/** What kind of nfsar file a path holds. */
enum nfsar_file_kind {
    NFSAR_FILE_CAPTURE, /**< format = "nfsar-capture" */
    NFSAR_FILE_IMAGE    /**< format = "nfsar-image" */
};

/** Tell a capture from an image. NFSAR_ERROR_FILE when it cannot be opened,
 * NFSAR_ERROR_FORMAT when it is neither, NFSAR_ERROR_VERSION when it is newer. */
enum nfsar_status nfsar_file_identify(const char *path, enum nfsar_file_kind *kind,
                                      nfsar_error *error);

/** Open a capture and read everything but the samples. Every dataset is checked for shape,
 * type and finiteness. Orientations are scaled to unit length; pulses outside the track of poses
 * get NFSAR_PULSE_POSE_EXTRAPOLATED. */
enum nfsar_status nfsar_capture_file_open(const char *path, nfsar_capture_file **file,
                                          nfsar_error *error);
/** The capture without its echo; owned by the file. */
const nfsar_capture *nfsar_capture_file_header(const nfsar_capture_file *file);
/** Read a hyperslab of the samples, out[n_pulse][n_channel][n_sample], and refuse samples that
 * are not finite. */
enum nfsar_status nfsar_capture_file_read(nfsar_capture_file *file, size_t first_pulse,
                                          size_t n_pulse, size_t first_sample, size_t n_sample,
                                          float complex *out, nfsar_error *error);
/** The file as a source of recorded samples; valid until the file is closed. */
nfsar_echo_source nfsar_capture_file_source(nfsar_capture_file *file);
/** Close; NULL is allowed. */
void nfsar_capture_file_close(nfsar_capture_file *file);

/** Read a whole capture, samples included. Free it with nfsar_capture_free(). */
enum nfsar_status nfsar_capture_load(const char *path, nfsar_capture *capture, nfsar_error *error);

/** Begin a capture file: everything but the samples is written now (header->echo is not
 * looked at), and the samples' disk space is reserved. Nothing appears under @p path before
 * nfsar_capture_writer_commit(). */
enum nfsar_status nfsar_capture_writer_create(const char *path, const nfsar_capture *header,
                                              nfsar_capture_writer **writer, nfsar_error *error);
/** Write the samples of n_pulse pulses from echo[n_pulse][n_channel][n_sample]. Threads may write
 * different pulses at the same time. */
enum nfsar_status nfsar_capture_writer_write(nfsar_capture_writer *writer, size_t first_pulse,
                                             size_t n_pulse, const float complex *echo,
                                             nfsar_error *error);
/** Replace the pulses' flags of the header by flags[n_pulse], for what shows only while samples are
 * written. */
enum nfsar_status nfsar_capture_writer_flags(nfsar_capture_writer *writer, const uint8_t *flags,
                                             nfsar_error *error);
/** Finish: the file appears under its name, replacing one that was there. The writer is gone
 * whether or not this succeeds; on failure no file is left. NFSAR_ERROR_ARGUMENT when a pulse was
 * never written. */
enum nfsar_status nfsar_capture_writer_commit(nfsar_capture_writer *writer, nfsar_error *error);
/** Give up: the temporary file is removed. NULL is allowed. */
void nfsar_capture_writer_abandon(nfsar_capture_writer *writer);

/** Write a capture that is in memory. */
enum nfsar_status nfsar_capture_save(const char *path, const nfsar_capture *capture,
                                     nfsar_error *error);

/** Open an image and read everything but the voxels. */
enum nfsar_status nfsar_image_file_open(const char *path, nfsar_image_file **file,
                                        nfsar_error *error);
/** The image without its voxels (data == NULL); owned by the file. */
const nfsar_image *nfsar_image_file_header(const nfsar_image_file *file);
/** Read the slices [first_z, first_z + n_z) into out[n_z][ny][nx]; refuses voxels that are not
 * finite. */
enum nfsar_status nfsar_image_file_read(nfsar_image_file *file, size_t first_z, size_t n_z,
                                        float complex *out, nfsar_error *error);
/** Close; NULL is allowed. */
void nfsar_image_file_close(nfsar_image_file *file);

/** Read a whole image. Free it with nfsar_image_free(). */
enum nfsar_status nfsar_image_load(const char *path, nfsar_image *image, nfsar_error *error);

/** Begin an image file; header->data is not looked at. */
enum nfsar_status nfsar_image_writer_create(const char *path, const nfsar_image *header,
                                            nfsar_image_writer **writer, nfsar_error *error);
/** Write the slices [first_z, first_z + n_z) from data[n_z][ny][nx]. */
enum nfsar_status nfsar_image_writer_write(nfsar_image_writer *writer, size_t first_z, size_t n_z,
                                           const float complex *data, nfsar_error *error);
/** As nfsar_capture_writer_commit(). */
enum nfsar_status nfsar_image_writer_commit(nfsar_image_writer *writer, nfsar_error *error);
/** As nfsar_capture_writer_abandon(). */
void nfsar_image_writer_abandon(nfsar_image_writer *writer);

/** Write an image that is in memory. */
enum nfsar_status nfsar_image_save(const char *path, const nfsar_image *image, nfsar_error *error);

#endif
