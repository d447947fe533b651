/* The bytes of an open .npy file, read as they are wanted and kept in blocks. Not mapped into
 * memory: a file that is cut short meanwhile would end the program. */
#ifndef NFSAR_HOST_IMPORT_NPY_BLOCKS_H
#define NFSAR_HOST_IMPORT_NPY_BLOCKS_H

#include <stddef.h>

#include <nfsar/status.h>

struct npy_blocks;

/* Open path; at most memory bytes, but eight blocks at least, are kept. path must outlive it. */
enum nfsar_status npy_blocks_open(const char *path, size_t memory, struct npy_blocks **blocks,
                                  nfsar_error *error);
/* NULL is allowed. */
void npy_blocks_close(struct npy_blocks *blocks);

/* Bytes of the file when it was opened. */
size_t npy_blocks_size(const struct npy_blocks *blocks);

/* Read n bytes at an offset of the file. */
enum nfsar_status npy_blocks_read(const struct npy_blocks *blocks, size_t offset, size_t n,
                                  void *out, nfsar_error *error);

/* The numbers start at this offset of the file: offsets of npy_blocks_at() count from it. */
void npy_blocks_start(struct npy_blocks *blocks, size_t data);

/* The bytes of a number of 1, 2, 4, 8 or 16 bytes at an offset that is a multiple of its size, and
 * how many follow in the same block, its own included; valid until the next call. NULL when the
 * file cannot be read. */
const unsigned char *npy_blocks_at(struct npy_blocks *blocks, size_t offset, size_t *left,
                                   nfsar_error *error);

#endif
