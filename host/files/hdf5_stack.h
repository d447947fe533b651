/* A file whose one large complex dataset is written in blocks along its first axis: the pulses of a
 * capture, the slices of an image. Committing makes sure that every block came. */
#ifndef NFSAR_HOST_FILES_HDF5_STACK_H
#define NFSAR_HOST_FILES_HDF5_STACK_H

#include <complex.h>

#include "host/files/hdf5_output.h"
#include "host/files/hdf5_pack.h"

struct h5_stack {
    struct h5_output output;
    struct h5_place data; /* of extents[0] x extents[1] x extents[2] */
    struct h5_pack pack;  /* in its place, where it is compressed: pack.level > 0 */
    size_t extents[3];
    const char *what;       /* one block in words: "pulse", "slice" */
    unsigned char *written; /* [extents[0]] */
};

/* Make a stack and create its file; data is not there yet. */
enum nfsar_status h5_stack_create(const char *path, const char *format, const char *what,
                                  const size_t extents[3], struct h5_stack **stack,
                                  nfsar_error *error);

/* Write the blocks [first, first + n). Compressed ones as h5_pack_write() wants them. */
enum nfsar_status h5_stack_write(struct h5_stack *stack, size_t first, size_t n,
                                 const float complex *block, nfsar_error *error);

/* Finish the file; refused, and the file removed, when a block is missing. The stack is gone. */
enum nfsar_status h5_stack_commit(struct h5_stack *stack, nfsar_error *error);

/* The same, with a look at the file before it gets its name: h5_output_commit_checked(). */
enum nfsar_status h5_stack_commit_checked(struct h5_stack *stack, h5_output_check *check,
                                          void *context, nfsar_error *error);

/* Remove the file; the stack is gone. NULL is allowed. */
void h5_stack_abandon(struct h5_stack *stack);

#endif
