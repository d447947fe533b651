/* Weights as the safetensors format has them: 8 bytes that hold the header's length, a header in
 * JSON (name -> dtype, shape, data_offsets; and "__metadata__", text to text), then the numbers of
 * all tensors without a gap. Bytes come from outside: whatever they are, reading them fails by name
 * or gives tensors that lie within them. */
#ifndef NFSAR_ALGORITHMS_ENHANCE_SAFETENSORS_H
#define NFSAR_ALGORITHMS_ENHANCE_SAFETENSORS_H

#include <stddef.h>

#include <nfsar/status.h>

enum { SAFETENSORS_RANK = 4, SAFETENSORS_MOST = 4096 };

/* The longest header that is read, bytes. */
#define SAFETENSORS_HEADER ((size_t)1 << 20)

struct safetensors_tensor {
    const char *name;
    int rank;
    size_t shape[SAFETENSORS_RANK]; /* 1 beyond the rank */
    size_t count;                   /* product of the shape */
    size_t begin;                   /* first number, in struct safetensors.numbers */
};

struct safetensors {
    struct safetensors_tensor *tensor; /* [n] in the order of their numbers */
    size_t n;
    float *numbers; /* of all tensors, finite */
    void *header;   /* owns the names and the metadata */
};

/* Read size bytes, of which nothing is kept. Only 32-bit floats are taken, each finite; the tensors
 * must fill what follows the header exactly. NFSAR_ERROR_FORMAT says what is wrong. */
enum nfsar_status safetensors_parse(const unsigned char *bytes, size_t size,
                                    struct safetensors *file, nfsar_error *error);

/* As much of a name that came from outside as a message should hold; the terminal gets no control
 * characters from it. */
struct safetensors_shown {
    char text[81];
};
struct safetensors_shown safetensors_show(const char *name);

/* NULL when there is none of that name. */
const struct safetensors_tensor *safetensors_find(const struct safetensors *file, const char *name);

/* Text of "__metadata__"; NULL when there is none of that name. */
const char *safetensors_metadata(const struct safetensors *file, const char *key);

/* Release all but the metadata. */
void safetensors_keep_metadata(struct safetensors *file);

/* Release what was read; a zeroed file is allowed. */
void safetensors_free(struct safetensors *file);

#endif
