/* The network of algorithms/enhance in double precision, the plain way: straight from
 * algorithms/enhance/training/model.py, nothing folded, nothing packed, the matrix of attention row
 * by row. Also its random weights, and the file they are in. */
#ifndef NFSAR_TESTS_ENHANCE_REFERENCE_H
#define NFSAR_TESTS_ENHANCE_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REFERENCE_STAGES = 3, REFERENCE_TENSORS = 400 };

struct reference_shape {
    int inputs; /* 1 or 2 */
    int stem, n_stage;
    int channels[REFERENCE_STAGES], dims[REFERENCE_STAGES], depths[REFERENCE_STAGES],
        hidden[REFERENCE_STAGES];
    int heads, head_dim, patch;
    enum { REFERENCE_SILU, REFERENCE_LINEAR, REFERENCE_RESIDUAL } output;
    int shuffle;
    bool with_magnitude; /* of inputs 2: a third plane */
};

/* The paper's. */
extern const struct reference_shape reference_paper;

struct reference_tensor {
    char name[64];
    int rank, shape[4];
    size_t count;
    float *value;
};

struct reference {
    struct reference_shape shape;
    struct reference_tensor tensor[REFERENCE_TENSORS];
    int n;
    uint64_t state; /* of the generator */
};

/* Weights out of a seed. Free with reference_free(). */
struct reference *reference_make(const struct reference_shape *shape, uint64_t seed);
void reference_free(struct reference *net);

/* Trained numbers. */
size_t reference_parameters(const struct reference *net);

/* The safetensors file; free with free(). */
unsigned char *reference_file(const struct reference *net, size_t *size);

/* An image like those that come: a few bright spots on a floor, magnitudes up to about `scale`;
 * [inputs][ny][nx]. Free with free(). */
float *reference_image(const struct reference_shape *shape, int nx, int ny, double scale,
                       uint64_t seed);

/* Every number of the tensors whose names end so. */
void reference_fill(struct reference *net, const char *end, float value);

/* What the network makes of in[inputs][ny][nx] over its largest magnitude, limited to 0 to 1 and
 * times that: [ny][nx]. Free with free(). */
double *reference_run(const struct reference *net, const float *in, int nx, int ny);

#endif
