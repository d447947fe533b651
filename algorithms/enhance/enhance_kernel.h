/* The inner loops of the network, by instruction set. Planes lie one after the other, `pitch`
 * floats apart; a vector of them may be read up to its end behind what is used. */
#ifndef NFSAR_ALGORITHMS_ENHANCE_KERNEL_H
#define NFSAR_ALGORITHMS_ENHANCE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

#include <nfsar/kernel.h>

/* Floats behind a row that may be read, and of which the rows of an image have so many at least. */
enum { ENHANCE_SLACK = 16 };

/* Outputs of a product that are worked out together. Weights are packed
 * [outputs / ENHANCE_BLOCK, rounded up][inputs][taps][ENHANCE_BLOCK], zero beyond the last output;
 * biases are rounded up, too. */
enum { ENHANCE_BLOCK = 4 };

/* Queries come in multiples of this: of what any version takes at once. */
enum { ENHANCE_QUERIES = 64 };

/* Floats of scratch that attention takes: scores of some queries, and a tile of keys. */
enum { ENHANCE_SCORES = 16384 / 4 };

/* A linear layer; 1 tap is a pixel's own values, 9 are those of 3 x 3 pixels, row by row. */
struct enhance_product {
    const float *weights, *bias;
    int inputs, outputs, taps;
    bool silu;
};

struct enhance_planes {
    float *data;
    size_t pitch; /* from plane to plane */
};

/* out[o][i] = f(bias[o] + sum weights[o][c][tap] in[c][i + tap's place]) (+ add[o][i]) for i < n, f
 * being SiLU or nothing. row: floats from a row of the image to the next (9 taps). add may be NULL,
 * and may be out. */
typedef void enhance_product_kernel(const struct enhance_product *product, struct enhance_planes in,
                                    size_t row, struct enhance_planes out,
                                    const struct enhance_planes *add, size_t n);

/* The same for 3 x 3 taps of one plane each: weights [channel][9], inputs == outputs. */
typedef void enhance_depthwise_kernel(const struct enhance_product *product,
                                      struct enhance_planes in, size_t row,
                                      struct enhance_planes out, size_t n);

/* out[c][i] = (in[c][i] - mean) / sqrt(variance + epsilon), both over the channels; layer norm but
 * for its weights. n is a multiple of ENHANCE_SLACK. */
typedef void enhance_norm_kernel(struct enhance_planes in, int channels, struct enhance_planes out,
                                 size_t n);

/* One head: out[d][i] = sum_j v[d][j] 2^s(i, j) / sum_j 2^s(i, j), s(i, j) = sum_d q[d][i] k[d][j],
 * over the keys j < tokens, for all queries i < n, a multiple of ENHANCE_QUERIES. Planes of q, k, v
 * and out are pitch apart; size is a multiple of 4. A tile of keys at a time, with the largest
 * score so far taken off (Milakov and Gimelshein, arXiv:1805.02867): the matrix s is nowhere whole.
 */
typedef void enhance_attention_kernel(const float *q, const float *k, const float *v, size_t pitch,
                                      int size, size_t tokens, size_t n, float *scores, float *out);

struct enhance_kernels {
    enhance_product_kernel *product;
    enhance_depthwise_kernel *depthwise;
    enhance_norm_kernel *norm;
    enhance_attention_kernel *attention;
};

extern const struct enhance_kernels enhance_kernels_portable, enhance_kernels_avx2,
    enhance_kernels_avx512;

/* Those of a version that this machine runs. */
enum nfsar_status enhance_kernels_choose(enum nfsar_kernel wanted,
                                         const struct enhance_kernels **kernels,
                                         nfsar_error *error);

#endif
