#include "host/files/hdf5_type.h"

#include <complex.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

size_t h5_element_size(enum h5_kind kind) {
    switch (kind) {
    case H5_REAL:
        return sizeof(double);
    case H5_COMPLEX:
        return sizeof(float complex);
    case H5_INTEGER:
        return sizeof(int32_t);
    case H5_BYTE:
        return 1;
    case H5_TEXT:
    case H5_STORED:
        break;
    }
    return 0;
}

void h5_drop(hid_t id) {
    if (id >= 0) {
        H5Idec_ref(id);
    }
}

/* The compound {r, i} that h5py reads as complex64. */
static hid_t complex_type(hid_t part) {
    size_t size = H5Tget_size(part);
    hid_t type = H5Tcreate(H5T_COMPOUND, 2 * size);
    if (type >= 0 && (H5Tinsert(type, "r", 0, part) < 0 || H5Tinsert(type, "i", size, part) < 0)) {
        H5Tclose(type);
        type = H5I_INVALID_HID;
    }
    return type;
}

hid_t h5_pair_type(void) {
    return complex_type(H5T_NATIVE_INT16);
}

hid_t h5_memory_type(enum h5_kind kind) {
    switch (kind) {
    case H5_REAL:
        return H5Tcopy(H5T_NATIVE_DOUBLE);
    case H5_COMPLEX:
        return complex_type(H5T_NATIVE_FLOAT);
    case H5_INTEGER:
        return H5Tcopy(H5T_NATIVE_INT32);
    case H5_BYTE:
        return H5Tcopy(H5T_NATIVE_UINT8);
    case H5_TEXT:
    case H5_STORED:
        break;
    }
    return H5I_INVALID_HID;
}

hid_t h5_file_type(enum h5_kind kind) {
    switch (kind) {
    case H5_REAL:
        return H5Tcopy(H5T_IEEE_F64LE);
    case H5_COMPLEX:
        return complex_type(H5T_IEEE_F32LE);
    case H5_INTEGER:
        return H5Tcopy(H5T_STD_I32LE);
    case H5_BYTE:
        return H5Tcopy(H5T_STD_U8LE);
    case H5_TEXT:
    case H5_STORED:
        break;
    }
    return H5I_INVALID_HID;
}

static bool is_one_of(hid_t type, const hid_t *known, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (H5Tequal(type, known[i]) > 0) {
            return true;
        }
    }
    return false;
}

static bool is_float(hid_t type) {
    const hid_t known[] = {H5T_IEEE_F32LE, H5T_IEEE_F32BE, H5T_IEEE_F64LE, H5T_IEEE_F64BE};
    return is_one_of(type, known, sizeof known / sizeof known[0]);
}

/* What converters of radars give. */
static bool is_i16(hid_t type) {
    const hid_t known[] = {H5T_STD_I16LE, H5T_STD_I16BE};
    return is_one_of(type, known, sizeof known / sizeof known[0]);
}

bool h5_type_is_integer(hid_t type) {
    const hid_t known[] = {H5T_STD_I8LE,  H5T_STD_I8BE,  H5T_STD_U8LE,  H5T_STD_U8BE,
                           H5T_STD_I16LE, H5T_STD_I16BE, H5T_STD_U16LE, H5T_STD_U16BE,
                           H5T_STD_I32LE, H5T_STD_I32BE, H5T_STD_U32LE, H5T_STD_U32BE,
                           H5T_STD_I64LE, H5T_STD_I64BE, H5T_STD_U64LE, H5T_STD_U64BE};
    return is_one_of(type, known, sizeof known / sizeof known[0]);
}

bool h5_type_is_number(hid_t type) {
    return is_float(type) || h5_type_is_integer(type);
}

/* Member of that name at that place, its size in *size. */
static bool has_part(hid_t type, unsigned member, const char *name, size_t offset, size_t *size) {
    char *found = H5Tget_member_name(type, member);
    hid_t part = H5Tget_member_type(type, member);
    bool good = found != NULL && strcmp(found, name) == 0 && part >= 0 &&
                (is_float(part) || is_i16(part)) && H5Tget_member_offset(type, member) == offset;
    *size = good ? H5Tget_size(part) : 0;
    H5free_memory(found);
    h5_drop(part);
    return good;
}

bool h5_type_is_complex(hid_t type) {
    size_t r = 0, i = 0;
    return H5Tget_class(type) == H5T_COMPOUND && H5Tget_nmembers(type) == 2 &&
           has_part(type, 0, "r", 0, &r) && has_part(type, 1, "i", r, &i) && r == i &&
           H5Tget_size(type) == r + i;
}

const char *h5_type_text_fault(hid_t type) {
    if (type < 0 || H5Tget_class(type) != H5T_STRING || H5Tget_size(type) < 1) {
        return "must hold text";
    }
    /* HDF5 1.10 copies such text without looking whether it fits (H5HG_read()). */
    return H5Tis_variable_str(type) == 0
               ? NULL
               : "is text of variable length, which cannot be read safely; write it with a fixed "
                 "length, in Python as numpy.bytes_(\"...\")";
}

bool h5_shape_elements(const struct h5_shape *shape, size_t *elements) {
    *elements = 1;
    for (int i = 0; i < shape->rank; i++) {
        if (__builtin_mul_overflow(*elements, shape->extent[i], elements)) {
            return false;
        }
    }
    return true;
}

static void extents(const struct h5_shape *shape, hsize_t out[H5_RANK_LIMIT]) {
    for (int i = 0; i < shape->rank; i++) {
        out[i] = shape->extent[i];
    }
}

hid_t h5_space(const struct h5_shape *shape) {
    hsize_t size[H5_RANK_LIMIT] = {0};
    extents(shape, size);
    return H5Screate_simple(shape->rank, size, NULL);
}

herr_t h5_select(hid_t space, const struct h5_shape *first, const struct h5_shape *count) {
    hsize_t start[H5_RANK_LIMIT] = {0}, size[H5_RANK_LIMIT] = {0};
    extents(first, start);
    extents(count, size);
    return H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, size, NULL);
}

const char *h5_shape_text(const struct h5_shape *shape, const char *any,
                          char text[H5_SHAPE_LENGTH]) {
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < shape->rank && used < H5_SHAPE_LENGTH - 32; i++) {
        char extent[24];
        snprintf(extent, sizeof extent, "%zu", shape->extent[i]);
        used += (size_t)snprintf(text + used, H5_SHAPE_LENGTH - used, "%s%s", i > 0 ? " x " : "",
                                 shape->extent[i] > 0 ? extent : any);
    }
    return text;
}
