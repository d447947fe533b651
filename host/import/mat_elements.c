/* Is a MATLAB file of version 5 complete, and do its arrays begin as they must? matio reads zeros
 * past a file's end without a word, and a changed length of a name keeps it busy for hours.
 * Source: MATLAB "MAT-File Format", level 5: a header of 128 bytes, then elements of an 8-byte tag
 * (type, bytes) and that many bytes. An array is an element of elements (flags, sizes, name, real
 * and imaginary parts), or such a one compressed. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "host/import/cube.h"

enum { HEADER_BYTES = 128, TAG_BYTES = 8, MOST_AXES = 32, MOST_NAME = 1024, MOST_FIELDS = 4096 };
enum { MI_INT8 = 1, MI_INT32 = 5, MI_UINT32 = 6, MI_MATRIX = 14, MI_COMPRESSED = 15 };
/* Classes whose data are one part or two of numbers. */
enum { MX_STRUCT = 2, MX_DOUBLE = 6, MX_UINT64 = 15, MX_COMPLEX = 0x0800 };
/* Structs in structs deeper than this are no data. */
enum { MOST_DEPTH = 16 };

/* What is unpacked at a time; and the uncompressed parts up to which reading on beats a seek. */
enum { ROOM_BYTES = 1 << 14, SEEK_BYTES = 1024 };

/* The bytes of an element, in the file or compressed there. */
struct stream {
    FILE *file;
    uint64_t left;  /* in the file */
    uint64_t taken; /* of the element, unpacked */
    bool packed, big_endian;
    z_stream z;
    unsigned char in[ROOM_BYTES];
};

static uint32_t word(const unsigned char *bytes, bool big_endian) {
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        value |= (uint32_t)bytes[i] << (big_endian ? 24 - 8 * i : 8 * i);
    }
    return value;
}

/* Unpack n bytes, or those up to the end: false where there is none, or what is there is damaged,
 * its checksum included. */
static bool unpack(struct stream *s, unsigned char *out, size_t n, bool *ended) {
    s->z.next_out = out;
    s->z.avail_out = (uInt)n;
    *ended = false;
    while (s->z.avail_out > 0 && !*ended) {
        if (s->z.avail_in == 0 && s->left > 0) {
            size_t most = s->left < sizeof s->in ? (size_t)s->left : sizeof s->in;
            s->z.next_in = s->in;
            s->z.avail_in = (uInt)fread(s->in, 1, most, s->file);
            s->left -= s->z.avail_in;
        }
        const int answer = inflate(&s->z, Z_NO_FLUSH);
        *ended = answer == Z_STREAM_END;
        if (answer != Z_OK && !*ended) {
            return false;
        }
    }
    return true;
}

static bool take(struct stream *s, unsigned char *out, size_t n) {
    s->taken += n;
    if (!s->packed) {
        bool there = n <= s->left && fread(out, 1, n, s->file) == n;
        s->left -= there ? n : 0;
        return there;
    }
    bool ended = false;
    return unpack(s, out, n, &ended) && s->z.avail_out == 0;
}

static bool pass(struct stream *s, uint64_t n) {
    unsigned char room[ROOM_BYTES];
    for (; n > 0;) {
        size_t some = n < sizeof room ? (size_t)n : sizeof room;
        if (!take(s, room, some)) {
            return false;
        }
        n -= some;
    }
    return true;
}

struct part {
    uint32_t type, bytes;
    bool in_tag; /* up to four bytes, which are in the tag itself */
    unsigned char tag[TAG_BYTES];
};

static bool take_tag(struct stream *s, struct part *part) {
    if (!take(s, part->tag, TAG_BYTES)) {
        return false;
    }
    uint32_t first = word(part->tag, s->big_endian);
    part->in_tag = first >> 16 != 0;
    part->type = first & 0xffff;
    part->bytes = part->in_tag ? first >> 16 : word(part->tag + 4, s->big_endian);
    return !part->in_tag || part->bytes <= 4;
}

/* Bytes of a number of the type; 0 where it is none. */
static uint64_t number_bytes(uint32_t type) {
    static const unsigned char bytes[] = {0, 1, 1, 2, 2, 4, 4, 4, 0, 8, 0, 0, 8, 8};
    return type < sizeof bytes ? bytes[type] : 0;
}

/* One part's tag; its numbers are as many as the sizes say. */
static bool take_numbers(struct stream *s, uint64_t count, uint64_t *padded) {
    struct part part;
    uint64_t bytes = 0;
    if (!take_tag(s, &part) || __builtin_mul_overflow(count, number_bytes(part.type), &bytes) ||
        part.bytes != bytes || number_bytes(part.type) == 0) {
        return false;
    }
    *padded = part.in_tag ? 0 : (bytes + 7) / 8 * 8;
    /* How much is left of compressed data shows when they are unpacked. */
    return s->packed || bytes <= s->left;
}

static bool array_fits(struct stream *s, int depth);

/* The fields of a struct after its name: the length of a field's name, the names, and an array for
 * each field of each element, in which nothing may go on past the field's end. */
static bool fields_fit(struct stream *s, uint64_t count, int depth) {
    struct part part;
    if (depth >= MOST_DEPTH || !take_tag(s, &part) || part.type != MI_INT32 || part.bytes != 4) {
        return false;
    }
    unsigned char length[8];
    if (part.in_tag) {
        memcpy(length, part.tag + 4, 4);
    } else if (!take(s, length, sizeof length)) {
        return false;
    }
    uint64_t name = word(length, s->big_endian), total = 0;
    if (name == 0 || name > MOST_NAME || !take_tag(s, &part) || part.type != MI_INT8 ||
        part.bytes % name != 0 || part.bytes / name > MOST_FIELDS ||
        (!part.in_tag && !pass(s, ((uint64_t)part.bytes + 7) / 8 * 8)) ||
        __builtin_mul_overflow(count, part.bytes / name, &total)) {
        return false;
    }
    for (uint64_t i = 0; i < total; i++) {
        if (!take_tag(s, &part) || part.type != MI_MATRIX || part.in_tag ||
            (!s->packed && part.bytes > s->left)) {
            return false;
        }
        uint64_t start = s->taken;
        if (part.bytes > 0 && (!array_fits(s, depth + 1) || s->taken - start > part.bytes ||
                               !pass(s, part.bytes - (s->taken - start)))) {
            return false;
        }
    }
    return true;
}

/* An array after its tag. */
static bool array_fits(struct stream *s, int depth) {
    struct part part;
    unsigned char flags[8], size[4 * MOST_AXES + 8];
    if (!take_tag(s, &part) || part.type != MI_UINT32 || part.in_tag ||
        part.bytes != sizeof flags || !take(s, flags, sizeof flags)) {
        return false;
    }
    uint32_t kind = word(flags, s->big_endian);
    if (depth > 0 && (kind & 0xff) > MX_UINT64) {
        return true; /* functions and objects in fields have a form of their own */
    }
    if (!take_tag(s, &part) || part.type != MI_INT32 || part.in_tag || part.bytes < 8 ||
        part.bytes > 4 * MOST_AXES || part.bytes % 4 != 0 ||
        !take(s, size, (part.bytes + 7) / 8 * 8)) {
        return false;
    }
    uint64_t count = 1, padded = 0;
    for (uint32_t i = 0; i < part.bytes; i += 4) {
        if (__builtin_mul_overflow(count, word(size + i, s->big_endian), &count)) {
            return false;
        }
    }
    if (!take_tag(s, &part) || part.type != MI_INT8 || part.bytes > MOST_NAME ||
        (!part.in_tag && !pass(s, (part.bytes + 7) / 8 * 8))) {
        return false;
    }
    if ((kind & 0xff) == MX_STRUCT) {
        return fields_fit(s, count, depth);
    }
    if ((kind & 0xff) < MX_DOUBLE || (kind & 0xff) > MX_UINT64 || count == 0) {
        return true; /* texts, structures and what else is not read */
    }
    if (!take_numbers(s, count, &padded)) {
        return false;
    }
    if ((kind & MX_COMPLEX) == 0) {
        return true;
    }
    if (s->packed || padded <= SEEK_BYTES) {
        return pass(s, padded) && take_numbers(s, count, &padded);
    }
    bool there = padded <= s->left && fseeko(s->file, (off_t)padded, SEEK_CUR) == 0;
    s->left -= there ? padded : 0;
    s->taken += padded;
    return there && take_numbers(s, count, &padded);
}

/* An array is as long as its tag says, and then the compressed data end, with a checksum that is
 * right: matio looks at neither, and takes what is wrong or was in memory for numbers. */
static bool packed_array_fits(struct stream *s, uint64_t bytes) {
    unsigned char more;
    bool ended = false;
    const uint64_t start = s->taken;
    if (!array_fits(s, 0) || s->taken - start > bytes || !pass(s, bytes - (s->taken - start))) {
        return false;
    }
    return unpack(s, &more, 1, &ended) && ended && s->z.avail_out == 1;
}

/* A compressed element holds an array's tag and the array. */
static bool packed_fits(struct stream *s) {
    struct part part;
    if (inflateInit(&s->z) != Z_OK) {
        return false;
    }
    bool fits = take_tag(s, &part) &&
                (part.type != MI_MATRIX || (!part.in_tag && packed_array_fits(s, part.bytes)));
    inflateEnd(&s->z);
    return fits;
}

/* Add up the elements; false when one does not end inside the file, or an array in it makes no
 * sense. */
static bool elements_fit(FILE *file, uint64_t size) {
    unsigned char header[HEADER_BYTES], tag[TAG_BYTES];
    if (fread(header, 1, sizeof header, file) != sizeof header) {
        return false;
    }
    /* "MI" as written by the machine: a little-endian one stores IM. */
    const bool big_endian = header[126] == 'M' && header[127] == 'I';
    uint64_t at = HEADER_BYTES;
    while (at < size) {
        if (fread(tag, 1, sizeof tag, file) != sizeof tag) {
            return false;
        }
        const uint32_t type = word(tag, big_endian), bytes = word(tag + 4, big_endian);
        struct stream s = {.file = file, .left = bytes, .big_endian = big_endian};
        s.packed = type == MI_COMPRESSED;
        at += TAG_BYTES + (uint64_t)bytes;
        if (at > size || (type == MI_MATRIX && bytes > 0 && !array_fits(&s, 0)) ||
            (s.packed && !packed_fits(&s)) || fseeko(file, (off_t)at, SEEK_SET) != 0) {
            return false;
        }
    }
    return true;
}

enum nfsar_status cube_mat_complete(const char *path, nfsar_error *error) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s", path, strerror(errno));
    }
    off_t size = fseeko(file, 0, SEEK_END) == 0 ? ftello(file) : -1;
    bool fit = size >= 0 && fseeko(file, 0, SEEK_SET) == 0 && elements_fit(file, (uint64_t)size);
    fclose(file);
    return fit ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_FORMAT,
                            "%s: the MATLAB file is damaged or cut off: an element goes on past "
                            "its end, or is none",
                            path);
}
