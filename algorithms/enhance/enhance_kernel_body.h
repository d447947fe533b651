/* The loops of enhance_kernel.h in the widest vectors that the including file is compiled for. */
#include "algorithms/enhance/enhance_kernel.h"

#include <string.h>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "algorithms/lanes.h"

/* Values may lie anywhere. */
typedef float lanes_anywhere __attribute__((vector_size(4 * LANES_WIDTH), aligned(4)));
typedef uint32_t lanes_bits __attribute__((vector_size(4 * LANES_WIDTH)));

/* GCC's "unroll" wants a number: what is unrolled has at most this many rounds. */
#define UNROLL _Pragma("GCC unroll 9")

LANES_INLINE lanes load(const float *from) {
    return *(const lanes_anywhere *)from;
}

LANES_INLINE void store(float *to, lanes value) {
    *(lanes_anywhere *)to = value;
}

/* The compiler makes a comparison and a blend of the plain form, which attention feels. */
LANES_INLINE lanes larger(lanes a, lanes b) {
#if defined(__AVX512F__) && !defined(LANES_WIDE)
    return (lanes)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined(__AVX2__) && !defined(LANES_WIDE)
    return (lanes)_mm256_max_ps((__m256)a, (__m256)b);
#else
    lanes_int take = a > b;
    return (lanes)(((lanes_int)a & take) | ((lanes_int)b & ~take));
#endif
}

/* 2^x for x <= 127, 2^-126 for less than that. Adding 1.5 * 2^23 leaves the whole part in the
 * lowest bits, which go into the exponent; the rest, within 1/2, goes into a polynomial: fifth
 * degree, exact at 0, fitted for the least relative error (1e-7). */
LANES_INLINE lanes power_of_two(lanes x) {
    const lanes magic = 12582912.0f - (lanes){0};
    x = larger(x, -126.0f - (lanes){0});
    lanes shifted = x + magic, f = x - (shifted - magic);
    lanes p = 1.32647e-3f - (lanes){0};
    p = p * f + 9.67151e-3f;
    p = p * f + 5.550734e-2f;
    p = p * f + 2.4022242e-1f;
    p = p * f + 6.9314698e-1f;
    p = p * f + 1.0f;
    return (lanes)((lanes_bits)p + ((lanes_bits)shifted << 23));
}

/* x / (1 + e^-x). Beyond 80 the exponential is nothing beside 1; below, it makes the result 0. */
LANES_INLINE lanes silu(lanes x) {
    return x / (1.0f + power_of_two(-larger(x * 1.44269504f, -120.0f - (lanes){0})));
}

/* The first n of a vector. */
LANES_INLINE void store_some(float *to, lanes value, size_t n) {
    if (n >= LANES_WIDTH) {
        store(to, value);
    } else {
        memcpy(to, &value, n * sizeof(float));
    }
}

/* ENHANCE_BLOCK outputs of `group` vectors. */
LANES_INLINE void product_block(const struct enhance_product *product, int first, const float *in,
                                size_t in_pitch, size_t row, int taps, int group, lanes *sum) {
    const int n_in = product->inputs;
    const float *weight = product->weights + (size_t)first * (size_t)(n_in * taps);
    UNROLL
    for (int o = 0; o < ENHANCE_BLOCK; o++) {
        lanes bias = lanes_splat(product->bias[first + o]);
        UNROLL
        for (int g = 0; g < group; g++) {
            sum[o * LANES_GROUP + g] = bias;
        }
    }
    for (int c = 0; c < n_in; c++, in += in_pitch) {
        UNROLL
        for (int t = 0; t < taps; t++, weight += ENHANCE_BLOCK) {
            const float *from = taps == 1 ? in : in + (t / 3) * row + t % 3 - row - 1;
            lanes value[LANES_GROUP];
            UNROLL
            for (int g = 0; g < group; g++) {
                value[g] = load(from + g * LANES_WIDTH);
            }
            UNROLL
            for (int o = 0; o < ENHANCE_BLOCK; o++) {
                lanes by = lanes_splat(weight[o]);
                UNROLL
                for (int g = 0; g < group; g++) {
                    sum[o * LANES_GROUP + g] += by * value[g];
                }
            }
        }
    }
}

LANES_INLINE void product_columns(const struct enhance_product *product, struct enhance_planes in,
                                  size_t row, int taps, struct enhance_planes out,
                                  const struct enhance_planes *add, size_t i, size_t n, int group) {
    for (int first = 0; first < product->outputs; first += ENHANCE_BLOCK) {
        lanes sum[ENHANCE_BLOCK * LANES_GROUP];
        product_block(product, first, in.data + i, in.pitch, row, taps, group, sum);
        const int left = product->outputs - first;
        for (int o = 0; o < ENHANCE_BLOCK && o < left; o++) {
            UNROLL
            for (int g = 0; g < group; g++) {
                const size_t at = i + (size_t)g * LANES_WIDTH, plane = (size_t)(first + o);
                lanes value = sum[o * LANES_GROUP + g];
                value = product->silu ? silu(value) : value;
                if (add != NULL) {
                    value += load(add->data + plane * add->pitch + at);
                }
                store_some(out.data + plane * out.pitch + at, value, n - at);
            }
        }
    }
}

LANES_INLINE void product_taps(const struct enhance_product *product, struct enhance_planes in,
                               size_t row, int taps, struct enhance_planes out,
                               const struct enhance_planes *add, size_t n) {
    size_t i = 0;
    for (; i + LANES_GROUP * LANES_WIDTH <= n; i += LANES_GROUP * LANES_WIDTH) {
        product_columns(product, in, row, taps, out, add, i, n, LANES_GROUP);
    }
    for (; i < n; i += LANES_WIDTH) {
        product_columns(product, in, row, taps, out, add, i, n, 1);
    }
}

static void product(const struct enhance_product *of, struct enhance_planes in, size_t row,
                    struct enhance_planes out, const struct enhance_planes *add, size_t n) {
    if (of->taps == 1) {
        product_taps(of, in, row, 1, out, add, n);
    } else {
        product_taps(of, in, row, 9, out, add, n);
    }
}

static void depthwise(const struct enhance_product *of, struct enhance_planes in, size_t row,
                      struct enhance_planes out, size_t n) {
    for (int c = 0; c < of->outputs; c++) {
        const float *from = in.data + (size_t)c * in.pitch, *weight = of->weights + 9 * c;
        float *to = out.data + (size_t)c * out.pitch;
        for (size_t i = 0; i < n; i += LANES_WIDTH) {
            lanes sum = lanes_splat(of->bias[c]);
            UNROLL
            for (int t = 0; t < 9; t++) {
                sum += weight[t] * load(from + i + (t / 3) * row + t % 3 - row - 1);
            }
            store_some(to + i, of->silu ? silu(sum) : sum, n - i);
        }
    }
}

/* Of layer norm and batch norm alike, as PyTorch has it. */
#define EPSILON 1e-5f

static void norm(struct enhance_planes in, int channels, struct enhance_planes out, size_t n) {
    const float share = 1.0f / (float)channels;
    for (size_t i = 0; i < n; i += LANES_WIDTH) {
        lanes sum = {0}, squares = {0};
        for (int c = 0; c < channels; c++) {
            sum += load(in.data + (size_t)c * in.pitch + i);
        }
        lanes mean = sum * share;
        for (int c = 0; c < channels; c++) {
            lanes off = load(in.data + (size_t)c * in.pitch + i) - mean;
            squares += off * off;
        }
        lanes scale = 1.0f / lanes_sqrt(squares * share + EPSILON);
        for (int c = 0; c < channels; c++) {
            lanes off = load(in.data + (size_t)c * in.pitch + i) - mean;
            store(out.data + (size_t)c * out.pitch + i, off * scale);
        }
    }
}

/* Queries at once, and keys of a tile, whose scores stay in the nearest cache. */
enum { QUERIES = LANES_GROUP * LANES_WIDTH, TILE = ENHANCE_SCORES / QUERIES, KEYS = 4 };

/* Scores of `keys` keys from k on, and the largest so far. */
LANES_INLINE void score(const float *q, const float *k, size_t pitch, int size, int keys,
                        float *scores, lanes *most) {
    lanes sum[KEYS * LANES_GROUP];
    UNROLL
    for (int i = 0; i < keys * LANES_GROUP; i++) {
        sum[i] = (lanes){0};
    }
    UNROLL
    for (int d = 0; d < size; d++, q += pitch, k += pitch) {
        lanes query[LANES_GROUP];
        UNROLL
        for (int g = 0; g < LANES_GROUP; g++) {
            query[g] = load(q + g * LANES_WIDTH);
        }
        UNROLL
        for (int j = 0; j < keys; j++) {
            lanes key = lanes_splat(k[j]);
            UNROLL
            for (int g = 0; g < LANES_GROUP; g++) {
                sum[j * LANES_GROUP + g] += key * query[g];
            }
        }
    }
    UNROLL
    for (int j = 0; j < keys; j++) {
        UNROLL
        for (int g = 0; g < LANES_GROUP; g++) {
            most[g] = larger(sum[j * LANES_GROUP + g], most[g]);
            store(scores + j * QUERIES + g * LANES_WIDTH, sum[j * LANES_GROUP + g]);
        }
    }
}

LANES_INLINE void score_tile(const float *q, const float *k, size_t pitch, int size, size_t keys,
                             float *scores, lanes *most) {
    size_t j = 0;
    for (; j + KEYS <= keys; j += KEYS) {
        score(q, k + j, pitch, size, KEYS, scores + j * QUERIES, most);
    }
    for (; j < keys; j++) {
        score(q, k + j, pitch, size, 1, scores + j * QUERIES, most);
    }
}

/* Scores to weights, 2^(score - most), and their sum added to *sum. */
LANES_INLINE void weigh(float *scores, size_t keys, const lanes *most, lanes *sum) {
    for (size_t j = 0; j < keys; j++, scores += QUERIES) {
        UNROLL
        for (int g = 0; g < LANES_GROUP; g++) {
            lanes weight = power_of_two(load(scores + g * LANES_WIDTH) - most[g]);
            store(scores + g * LANES_WIDTH, weight);
            sum[g] += weight;
        }
    }
}

enum { VALUES = 4 };

/* out[d] = out[d] * keep + sum_j weight[j] v[d][j] for VALUES d. */
LANES_INLINE void gather(const float *weights, const float *v, size_t pitch, size_t keys,
                         const lanes *keep, float *out) {
    lanes sum[VALUES * LANES_GROUP];
    UNROLL
    for (int d = 0; d < VALUES; d++) {
        UNROLL
        for (int g = 0; g < LANES_GROUP; g++) {
            sum[d * LANES_GROUP + g] = load(out + d * pitch + g * LANES_WIDTH) * keep[g];
        }
    }
    for (size_t j = 0; j < keys; j++, weights += QUERIES) {
        lanes weight[LANES_GROUP];
        UNROLL
        for (int g = 0; g < LANES_GROUP; g++) {
            weight[g] = load(weights + g * LANES_WIDTH);
        }
        UNROLL
        for (int d = 0; d < VALUES; d++) {
            lanes value = lanes_splat(v[d * pitch + j]);
            UNROLL
            for (int g = 0; g < LANES_GROUP; g++) {
                sum[d * LANES_GROUP + g] += value * weight[g];
            }
        }
    }
    UNROLL
    for (int d = 0; d < VALUES; d++) {
        UNROLL
        for (int g = 0; g < LANES_GROUP; g++) {
            store(out + d * pitch + g * LANES_WIDTH, sum[d * LANES_GROUP + g]);
        }
    }
}

/* QUERIES queries, all keys. */
LANES_INLINE void attend(const float *q, const float *k, const float *v, size_t pitch, int size,
                         size_t tokens, float *scores, float *out) {
    lanes most[LANES_GROUP], sum[LANES_GROUP], keep[LANES_GROUP];
    for (int g = 0; g < LANES_GROUP; g++) {
        most[g] = -1e30f - (lanes){0};
        sum[g] = (lanes){0};
        for (int d = 0; d < size; d++) {
            store(out + (size_t)d * pitch + g * LANES_WIDTH, (lanes){0});
        }
    }
    for (size_t j = 0; j < tokens; j += TILE) {
        const size_t keys = tokens - j < TILE ? tokens - j : TILE;
        lanes before[LANES_GROUP];
        memcpy(before, most, sizeof before);
        score_tile(q, k + j, pitch, size, keys, scores, most);
        for (int g = 0; g < LANES_GROUP; g++) {
            keep[g] = power_of_two(before[g] - most[g]);
            sum[g] *= keep[g];
        }
        weigh(scores, keys, most, sum);
        for (int d = 0; d < size; d += VALUES) {
            gather(scores, v + (size_t)d * pitch + j, pitch, keys, keep, out + (size_t)d * pitch);
        }
    }
    for (int g = 0; g < LANES_GROUP; g++) {
        lanes scale = 1.0f / sum[g];
        for (int d = 0; d < size; d++) {
            float *at = out + (size_t)d * pitch + g * LANES_WIDTH;
            store(at, load(at) * scale);
        }
    }
}

LANES_INLINE void attend_all(const float *q, const float *k, const float *v, size_t pitch, int size,
                             size_t tokens, size_t n, float *scores, float *out) {
    for (size_t i = 0; i < n; i += QUERIES) {
        attend(q + i, k, v, pitch, size, tokens, scores, out + i);
    }
}

static void attention(const float *q, const float *k, const float *v, size_t pitch, int size,
                      size_t tokens, size_t n, float *scores, float *out) {
    if (size == 8) { /* the paper's: loops of a known length */
        attend_all(q, k, v, pitch, 8, tokens, n, scores, out);
    } else {
        attend_all(q, k, v, pitch, size, tokens, n, scores, out);
    }
}

const struct enhance_kernels LANES_VERSION(enhance_kernels) = {product, depthwise, norm, attention};
