/* From a file that is read into one that is written: what the program does not know of, or only
 * carries along. */
#ifndef NFSAR_HOST_FILES_HDF5_COPY_H
#define NFSAR_HOST_FILES_HDF5_COPY_H

#include "host/files/hdf5_input.h"
#include "host/files/hdf5_output.h"

/* In place of a number of entries. */
#define H5_ALL_ENTRIES SIZE_MAX

/* Copy the first n entries of a dataset `name` of numbers or text, as dataset `to`; its group must
 * be there. */
enum nfsar_status h5_copy_data(const struct h5_input *input, const char *name, size_t n,
                               struct h5_output *output, const char *to, nfsar_error *error);

/* Whether the first n entries of one are all that the other has, bit by bit; an error says where
 * not. */
enum nfsar_status h5_compare_data(const struct h5_input *input, const char *name, size_t n,
                                  const struct h5_input *other, const char *there,
                                  nfsar_error *error);

/* The names of the datasets in a group, as `group/name`; to be freed with lines_free(). */
enum nfsar_status h5_list_data(const struct h5_input *input, const char *group, char ***names,
                               size_t *n, nfsar_error *error);

/* Copy every group, dataset and attribute of the file that the output has not yet, but for those
 * named in `without`: paths ("/calibration/background", and of an attribute "/radar/model"), ended
 * by NULL; NULL for none. *left_out counts what cannot be read safely (docs/files.md): links to
 * elsewhere, types of variable length, more than three dimensions. */
enum nfsar_status h5_copy_rest(const struct h5_input *input, struct h5_output *output,
                               const char *const *without, size_t *left_out, nfsar_error *error);

#endif
