/* Is a MATLAB file of version 5 complete? matio reads zeros past its end without a word.
 * Source: MATLAB "MAT-File Format", level 5: a header of 128 bytes, then elements of an 8-byte tag
 * (type, bytes) and that many bytes. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "host/import/cube.h"

enum { HEADER_BYTES = 128, TAG_BYTES = 8 };

static uint32_t word(const unsigned char *bytes, int big_endian) {
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        value |= (uint32_t)bytes[i] << (big_endian ? 24 - 8 * i : 8 * i);
    }
    return value;
}

/* Add up the elements; false when one does not end inside the file. */
static int elements_fit(FILE *file, uint64_t size) {
    unsigned char header[HEADER_BYTES], tag[TAG_BYTES];
    if (fread(header, 1, sizeof header, file) != sizeof header) {
        return 0;
    }
    /* "MI" as written by the machine: a little-endian one stores IM. */
    int big_endian = header[126] == 'M' && header[127] == 'I';
    uint64_t at = HEADER_BYTES;
    while (at < size) {
        if (fread(tag, 1, sizeof tag, file) != sizeof tag) {
            return 0;
        }
        uint64_t bytes = word(tag + 4, big_endian);
        at += TAG_BYTES + bytes;
        if (at > size || fseeko(file, (off_t)at, SEEK_SET) != 0) {
            return 0;
        }
    }
    return 1;
}

enum nfsar_status cube_mat_complete(const char *path, nfsar_error *error) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s", path, strerror(errno));
    }
    off_t size = fseeko(file, 0, SEEK_END) == 0 ? ftello(file) : -1;
    int fit = size >= 0 && fseeko(file, 0, SEEK_SET) == 0 && elements_fit(file, (uint64_t)size);
    fclose(file);
    return fit ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_FORMAT,
                            "%s: the MATLAB file is damaged or cut off: an element goes on past "
                            "its end",
                            path);
}
