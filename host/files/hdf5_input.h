/* HDF5 files of unknown origin, read with suspicion: every array is checked for existence, shape,
 * type and size before memory is given to it. */
#ifndef NFSAR_HOST_FILES_HDF5_INPUT_H
#define NFSAR_HOST_FILES_HDF5_INPUT_H

#include <hdf5.h>
#include <stdbool.h>
#include <stdint.h>

#include <nfsar/file.h>
#include <nfsar/status.h>

#include "host/files/hdf5_chunk.h"
#include "host/files/hdf5_pairs.h"
#include "host/files/hdf5_place.h"
#include "host/files/hdf5_type.h"

struct h5_input {
    hid_t file;
    hid_t links;    /* link access list that leads to no other file */
    int descriptor; /* the same file, for what HDF5 cannot be asked */
    uint64_t base;  /* where its addresses begin */
    uint64_t bytes; /* size of the file: nothing in it can be much larger */
    char *path;     /* for messages */
};

/* Open for reading; refuses with a clear word what is no HDF5 file. */
enum nfsar_status h5_input_open(struct h5_input *input, const char *path, nfsar_error *error);
/* Close; a zeroed input that was never opened is not allowed, a failed one is. */
void h5_input_close(struct h5_input *input);

/* What the file says it is, and that its version can be read. */
enum nfsar_status h5_input_kind(const struct h5_input *input, enum nfsar_file_kind *kind,
                                nfsar_error *error);

/* To be set with H5Pset_elink_cb(): links that lead to another file lead nowhere. */
herr_t h5_refuse_link(const char *parent_file, const char *parent_group, const char *child_file,
                      const char *child_object, unsigned *flags, hid_t access, void *context);

/* Whether there is an object of that absolute name; an error when damage hides the answer. */
enum nfsar_status h5_has(const struct h5_input *input, const char *name, bool *found,
                         nfsar_error *error);

/* Open the object called name if it is of that type (H5O_TYPE_UNKNOWN: of any) and its description
 * is sound; dataset_access where datasets are asked for. H5I_INVALID_HID when not. */
hid_t h5_open_object(const struct h5_input *input, const char *name, H5O_type_t type,
                     hid_t dataset_access);

/* An open dataset that was found to be what was expected. */
struct h5_data {
    const struct h5_input *input; /* must outlive this */
    char name[64];                /* for messages */
    hid_t dataset;
    enum h5_kind kind;
    size_t element; /* bytes in memory */
    struct h5_shape shape;
    struct h5_chunks chunks;
    struct h5_place place;
    struct h5_pairs pairs;
};

/* Open a dataset after checking it. Extents of shape that are 0 may be anything but 0 in the file
 * and are filled in. With cached, chunks are kept in memory between reads. */
enum nfsar_status h5_data_open(struct h5_data *data, const struct h5_input *input, const char *name,
                               enum h5_kind kind, bool cached, struct h5_shape *shape,
                               nfsar_error *error);

/* Read extents count[], from first[] on. */
enum nfsar_status h5_data_read(struct h5_data *data, const struct h5_shape *first,
                               const struct h5_shape *count, void *out, nfsar_error *error);

/* The same of complex numbers, and the index in out[] of the first that is not finite, or how many
 * there are. */
enum nfsar_status h5_data_read_samples(struct h5_data *data, const struct h5_shape *first,
                                       const struct h5_shape *count, float complex *out,
                                       size_t *infinite, nfsar_error *error);

/* Close; a zeroed one is allowed, and is what is left. */
void h5_data_close(struct h5_data *data);

/* Open, check and read a whole dataset into *out, which is to be freed with free(). */
enum nfsar_status h5_read_data(const struct h5_input *input, const char *name, enum h5_kind kind,
                               struct h5_shape *shape, void **out, nfsar_error *error);

/* The first n entries of a dataset that may have more: a table of a recording. */
enum nfsar_status h5_read_first(const struct h5_input *input, const char *name, enum h5_kind kind,
                                size_t n, struct h5_shape *shape, void **out, nfsar_error *error);

/* As h5_read_data(); when there is no such dataset, *out is NULL. */
enum nfsar_status h5_read_optional(const struct h5_input *input, const char *name,
                                   enum h5_kind kind, struct h5_shape *shape, void **out,
                                   nfsar_error *error);

/* A list of text lines (or one), *n = 0 where there is none. Lines are valid UTF-8 without control
 * characters. To be freed with lines_free(). */
enum nfsar_status h5_read_lines(const struct h5_input *input, const char *name, char ***lines,
                                size_t *n, nfsar_error *error);

/* Attributes of the object called name. The text is to be freed with free(), NULL when there is
 * none; *found says whether there was a number. */
enum nfsar_status h5_read_text(const struct h5_input *input, const char *name,
                               const char *attribute, char **text, nfsar_error *error);
enum nfsar_status h5_read_number(const struct h5_input *input, const char *name,
                                 const char *attribute, double *value, bool *found,
                                 nfsar_error *error);

#endif
