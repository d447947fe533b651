/* The kinds of array in nfsar's files, their types in memory and in the file, and shapes. */
#ifndef NFSAR_HOST_FILES_HDF5_TYPE_H
#define NFSAR_HOST_FILES_HDF5_TYPE_H

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>

#define H5_RANK_LIMIT 3

/* Extents of an array, slowest first. */
struct h5_shape {
    int rank;
    size_t extent[H5_RANK_LIMIT];
};

/* What an array's elements are in memory. */
enum h5_kind {
    H5_REAL,    /* double */
    H5_COMPLEX, /* float complex */
    H5_INTEGER, /* int32_t */
    H5_BYTE,    /* uint8_t */
    H5_TEXT,    /* char[], as long as in the file: the functions below know nothing of it */
    H5_STORED   /* whatever is in the file, as it is there; nor of this */
};

/* Bytes of an element in memory. */
size_t h5_element_size(enum h5_kind kind);

/* Close a type, space, list or whatever it is; an invalid identifier is allowed. */
void h5_drop(hid_t id);

/* The type in memory, or, little-endian, in files; to be dropped. */
hid_t h5_memory_type(enum h5_kind kind);
hid_t h5_file_type(enum h5_kind kind);

/* Pairs {r, i} of native 16-bit integers, which are read as complex; to be dropped. */
hid_t h5_pair_type(void);

/* Whether values of a file's type can be read as that kind. Only the types that computers have are
 * accepted: HDF5 1.10 converts others, but trusts the file on where their bits are. */
bool h5_type_is_number(hid_t type);
bool h5_type_is_integer(hid_t type);
bool h5_type_is_complex(hid_t type);
/* Why values of that type cannot be read as text, or NULL. */
const char *h5_type_text_fault(hid_t type);

/* Product of the extents, false when it does not fit. */
bool h5_shape_elements(const struct h5_shape *shape, size_t *elements);

/* A dataspace of that shape, to be dropped. */
hid_t h5_space(const struct h5_shape *shape);

/* Select extents count[] from first[] on. */
herr_t h5_select(hid_t space, const struct h5_shape *first, const struct h5_shape *count);

/* Length enough for h5_shape_text(). */
#define H5_SHAPE_LENGTH 96

/* "400 x 8 x 256", with the word any for an extent of 0. text is returned. */
const char *h5_shape_text(const struct h5_shape *shape, const char *any,
                          char text[H5_SHAPE_LENGTH]);

#endif
