#include "host/files/hdf5_header.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Beyond these no header is believed. */
#define BLOCK_LIMIT  ((uint64_t)16 << 20)
#define BLOCKS_LIMIT 256

/* Kinds of message that are looked at. */
enum { MESSAGE_SPACE = 0x01, MESSAGE_LAYOUT = 0x08, MESSAGE_ATTRIBUTE = 0x0C, MESSAGE_MORE = 0x10 };
/* The message's content is elsewhere. */
#define FLAG_SHARED 0x02

static const char damaged[] = "is damaged: its description contradicts itself";

/* Bytes that are still to be read. */
struct span {
    const uint8_t *at;
    size_t left;
};

/* The next bytes as a little-endian number; false when there are too few. */
static bool take(struct span *span, int bytes, uint64_t *value) {
    if (span->left < (size_t)bytes) {
        return false;
    }
    *value = 0;
    for (int i = 0; i < bytes; i++) {
        *value |= (uint64_t)span->at[i] << (8 * i);
    }
    span->at += bytes;
    span->left -= (size_t)bytes;
    return true;
}

static bool skip(struct span *span, uint64_t bytes) {
    if (span->left < bytes) {
        return false;
    }
    span->at += bytes;
    span->left -= bytes;
    return true;
}

/* Dataspace: how many elements. */
static bool good_space(struct span span, uint64_t *elements) {
    uint64_t version = 0, rank = 0, flags = 0, extent = 0;
    *elements = 1;
    if (!take(&span, 1, &version) || !take(&span, 1, &rank) || !take(&span, 1, &flags) ||
        !skip(&span, version == 1 ? 5 : 1) || version < 1 || version > 2 || rank > H5S_MAX_RANK) {
        return false;
    }
    for (uint64_t i = 0; i < rank; i++) {
        if (!take(&span, 8, &extent) || __builtin_mul_overflow(*elements, extent, elements)) {
            return false;
        }
    }
    /* Then the largest extents and a permutation, as the flags say. */
    return skip(&span, (flags & 1 ? 8 * rank : 0) + (version == 1 && flags & 2 ? 8 * rank : 0));
}

/* Attribute: name, type, space and value fit into the message. */
static bool good_attribute(struct span span) {
    uint64_t version = 0, flags = 0, name = 0, type = 0, space = 0, head = 0, size = 0;
    uint64_t elements = 0, bytes = 0;
    if (!take(&span, 1, &version) || !take(&span, 1, &flags) || !take(&span, 2, &name) ||
        !take(&span, 2, &type) || !take(&span, 2, &space) || version < 1 || version > 3 ||
        !skip(&span, version == 3 ? 1 : 0)) {
        return false;
    }
    bool shared = version > 1 && (flags & 3) != 0;
    if (version == 1) {
        /* Parts are padded to eight bytes. */
        name = (name + 7) & ~UINT64_C(7);
        type = (type + 7) & ~UINT64_C(7);
    }
    if (name < 1 || span.left < name || memchr(span.at, 0, name) == NULL || !skip(&span, name)) {
        return false;
    }
    struct span type_span = span;
    if (!skip(&span, type)) {
        return false;
    }
    struct span space_span = {span.at, space};
    if (!skip(&span, version == 1 ? (space + 7) & ~UINT64_C(7) : space)) {
        return false;
    }
    return shared || (take(&type_span, 4, &head) && take(&type_span, 4, &size) && type >= 8 &&
                      size > 0 && good_space(space_span, &elements) &&
                      !__builtin_mul_overflow(size, elements, &bytes) && bytes <= span.left);
}

/* n extents of chunks, none of them zero. */
static bool good_extents(struct span span, uint64_t n) {
    uint64_t extent = 0;
    for (uint64_t i = 0; i < n; i++) {
        if (!take(&span, 4, &extent) || extent == 0) {
            return false;
        }
    }
    return true;
}

/* Data layout. */
static bool good_layout(struct span span) {
    enum { COMPACT, CONTIGUOUS, CHUNKED };
    uint64_t version = 0, kind = 0, rank = 0, size = 0;
    if (!take(&span, 1, &version)) {
        return false;
    }
    if (version <= 2) {
        if (!take(&span, 1, &rank) || !take(&span, 1, &kind) || !skip(&span, 5) ||
            !skip(&span, kind == COMPACT ? 0 : 8) || rank > H5S_MAX_RANK + 1) {
            return false;
        }
        if (kind == CHUNKED) {
            return rank > 1 && good_extents(span, rank);
        }
        return skip(&span, 4 * rank) &&
               (kind != COMPACT || (take(&span, 4, &size) && skip(&span, size)));
    }
    if (!take(&span, 1, &kind)) {
        return false;
    }
    if (version > 3) {
        return true; /* goes with headers that have a checksum */
    }
    if (kind == COMPACT) {
        return take(&span, 2, &size) && skip(&span, size);
    }
    if (kind == CONTIGUOUS) {
        return skip(&span, 16);
    }
    return kind == CHUNKED && take(&span, 1, &rank) && rank > 1 && rank <= H5S_MAX_RANK + 1 &&
           skip(&span, 8) && good_extents(span, rank);
}

/* Where more messages are. */
struct blocks {
    struct {
        uint64_t address, size;
    } list[BLOCKS_LIMIT];
    size_t n;
};

static bool good_message(uint64_t kind, uint64_t flags, struct span span, struct blocks *blocks) {
    uint64_t elements = 0;
    if (flags & FLAG_SHARED) {
        return true;
    }
    switch (kind) {
    case MESSAGE_SPACE:
        return good_space(span, &elements);
    case MESSAGE_LAYOUT:
        return good_layout(span);
    case MESSAGE_ATTRIBUTE:
        return good_attribute(span);
    case MESSAGE_MORE:
        if (blocks->n == BLOCKS_LIMIT || !take(&span, 8, &blocks->list[blocks->n].address) ||
            !take(&span, 8, &blocks->list[blocks->n].size)) {
            return false;
        }
        blocks->n++;
        return true;
    default:
        return true;
    }
}

static bool good_block(struct span span, struct blocks *blocks) {
    uint64_t kind = 0, size = 0, flags = 0;
    while (span.left >= 8) {
        if (!take(&span, 2, &kind) || !take(&span, 2, &size) || !take(&span, 1, &flags) ||
            !skip(&span, 3) || size > span.left ||
            !good_message(kind, flags, (struct span){span.at, size}, blocks)) {
            return false;
        }
        skip(&span, size);
    }
    return true;
}

static bool read_all(int descriptor, uint64_t offset, void *out, size_t size) {
    char *at = out;
    while (size > 0) {
        ssize_t n = pread(descriptor, at, size, (off_t)offset);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        at += n;
        offset += (uint64_t)n;
        size -= (size_t)n;
    }
    return true;
}

static bool check_block(int descriptor, uint64_t offset, uint64_t size, struct blocks *blocks) {
    if (size > BLOCK_LIMIT || offset > INT64_MAX - BLOCK_LIMIT) {
        return false;
    }
    uint8_t *bytes = malloc(size > 0 ? size : 1);
    bool good = bytes != NULL && read_all(descriptor, offset, bytes, size) &&
                good_block((struct span){bytes, size}, blocks);
    free(bytes);
    return good;
}

const char *h5_header_fault(int descriptor, uint64_t base, haddr_t address) {
    uint8_t prefix[16];
    struct blocks blocks = {.n = 0};
    uint64_t start = 0, size = 0;
    if (__builtin_add_overflow(base, address, &start) || start > INT64_MAX - BLOCK_LIMIT ||
        !read_all(descriptor, start, prefix, sizeof prefix)) {
        return damaged;
    }
    if (memcmp(prefix, "OHDR", 4) == 0) {
        return NULL;
    }
    struct span span = {prefix + 8, 4};
    take(&span, 4, &size);
    if (prefix[0] != 1 || !check_block(descriptor, start + sizeof prefix, size, &blocks)) {
        return damaged;
    }
    for (size_t i = 0; i < blocks.n; i++) {
        if (__builtin_add_overflow(base, blocks.list[i].address, &start) ||
            !check_block(descriptor, start, blocks.list[i].size, &blocks)) {
            return damaged;
        }
    }
    return NULL;
}
