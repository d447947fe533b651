#include "host/import/npy_blocks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Small, as in some orders of the axes each sample of a line lies in a block of its own. */
#define BLOCK ((size_t)64 << 10)

/* Slots that a block may be kept in: as many blocks are wanted together as a line has samples, and
 * with one slot each some would push each other out again and again. */
#define WAYS 8

struct slot {
    size_t block;  /* SIZE_MAX: empty */
    uint64_t used; /* when it was used last */
    unsigned char *bytes;
};

struct npy_blocks {
    const char *path;
    int fd;
    size_t size, data;
    size_t n_set; /* of WAYS slots */
    struct slot *slot;
    uint64_t now; /* counts uses */
};

enum nfsar_status npy_blocks_open(const char *path, size_t memory, struct npy_blocks **blocks,
                                  nfsar_error *error) {
    *blocks = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    bool there = fd >= 0 && fstat(fd, &info) == 0;
    if (!there || !S_ISREG(info.st_mode)) {
        const char *reason = there ? "is not a regular file" : strerror(errno);
        nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s", path, reason);
        if (fd >= 0) {
            close(fd);
        }
        return NFSAR_ERROR_FILE;
    }
    struct npy_blocks *made = calloc(1, sizeof *made);
    size_t n = memory / BLOCK / WAYS, in_file = (size_t)info.st_size / BLOCK / WAYS + 1;
    n = n < 1 ? 1 : n > in_file ? in_file : n;
    struct slot *slot = calloc(n, WAYS * sizeof *slot);
    if (made == NULL || slot == NULL) {
        free(made);
        free(slot);
        close(fd);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < n * WAYS; i++) {
        slot[i].block = SIZE_MAX;
    }
    *made = (struct npy_blocks){
        .path = path, .fd = fd, .size = (size_t)info.st_size, .n_set = n, .slot = slot};
    *blocks = made;
    return NFSAR_OK;
}

void npy_blocks_close(struct npy_blocks *blocks) {
    if (blocks == NULL) {
        return;
    }
    for (size_t i = 0; i < blocks->n_set * WAYS; i++) {
        free(blocks->slot[i].bytes);
    }
    free(blocks->slot);
    close(blocks->fd);
    free(blocks);
}

size_t npy_blocks_size(const struct npy_blocks *blocks) {
    return blocks->size;
}

void npy_blocks_start(struct npy_blocks *blocks, size_t data) {
    blocks->data = data;
}

enum nfsar_status npy_blocks_read(const struct npy_blocks *blocks, size_t offset, size_t n,
                                  void *out, nfsar_error *error) {
    unsigned char *to = out;
    while (n > 0) {
        ssize_t got = pread(blocks->fd, to, n, (off_t)offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: %s", blocks->path,
                              got < 0 ? strerror(errno) : "became shorter while it was read");
        }
        to += got;
        offset += (size_t)got;
        n -= (size_t)got;
    }
    return NFSAR_OK;
}

/* Where a block is, or the slot of its set that was not used for longest. Sets are scattered, as
 * blocks a power of two apart are wanted together; where all have room, there is no need. */
static struct slot *slot_of(const struct npy_blocks *blocks, size_t block) {
    uint64_t scattered = (uint64_t)block * 0x9E3779B97F4A7C15u >> 32;
    bool all = blocks->n_set > blocks->size / BLOCK / WAYS;
    struct slot *set = blocks->slot + (all ? block / WAYS : scattered % blocks->n_set) * WAYS;
    struct slot *oldest = set;
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].block == block) {
            return &set[i];
        }
        oldest = set[i].used < oldest->used ? &set[i] : oldest;
    }
    return oldest;
}

const unsigned char *npy_blocks_at(struct npy_blocks *blocks, size_t offset, size_t *left,
                                   nfsar_error *error) {
    size_t block = offset / BLOCK;
    size_t start = blocks->data + block * BLOCK;
    size_t n = blocks->size - start < BLOCK ? blocks->size - start : BLOCK;
    struct slot *slot = slot_of(blocks, block);
    if (slot->block != block) {
        slot->block = SIZE_MAX;
        if (slot->bytes == NULL && (slot->bytes = malloc(BLOCK)) == NULL) {
            nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
            return NULL;
        }
        if (npy_blocks_read(blocks, start, n, slot->bytes, error) != NFSAR_OK) {
            return NULL;
        }
        slot->block = block;
    }
    slot->used = ++blocks->now;
    *left = n - offset % BLOCK;
    return slot->bytes + offset % BLOCK;
}
