/* What a recording asks of the system while it goes on. Tests put a disk of their own in its place:
 * slow, full, or cut off from power. */
#ifndef NFSAR_HOST_FILES_RECORDING_IO_H
#define NFSAR_HOST_FILES_RECORDING_IO_H

#include <stddef.h>
#include <stdint.h>

struct recording_io {
    void *context; /* handed to all of them */
    /* Write all of it. 0 or an errno. */
    int (*write)(void *context, int descriptor, const void *bytes, size_t n, uint64_t offset);
    /* What was written is on the disk when this returns. 0 or an errno. */
    int (*sync)(void *context, int descriptor);
    /* The disk may begin with what was written; a hint. */
    void (*begin)(void *context, int descriptor);
    /* What is on the disk there need not stay in memory; a hint, NULL for none. */
    void (*forget)(void *context, int descriptor, uint64_t offset, uint64_t n);
    /* Bytes of the disk that are free for us. 0 or an errno. */
    int (*free_space)(void *context, int descriptor, uint64_t *bytes);
};

/* The system itself. */
extern const struct recording_io recording_io_system;

#endif
