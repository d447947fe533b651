/* Attention among the few tokens of a small crop's groups, forward and backward, for training on a
 * processor: PyTorch makes one library call for each product of two matrices of 16 x 8 numbers, and
 * those calls take most of a step. Compiled and called by attention.py.
 *
 * qkv [groups][tokens][3][heads][WIDTH] -> out [groups][tokens][heads][WIDTH]; the queries are to
 * be scaled by `scale`. A group's rows are short enough for the caches, so nothing is kept between
 * forward and backward: the weights are computed again. */
#include <math.h>
#include <stddef.h>
#include <stdlib.h>

enum { WIDTH = 8, SMALL = 16 };

/* For code that is made once more with the number of tokens of a 64 x 64 crop known. */
#define INLINE static inline __attribute__((always_inline))

/* One head of one group as planes [WIDTH][tokens], so that the loops over tokens are the vectors.
 */
INLINE void gather(const float *restrict from, size_t stride, size_t tokens, float factor,
                   float *restrict to) {
    for (size_t t = 0; t < tokens; t++) {
        for (size_t d = 0; d < WIDTH; d++) {
            to[d * tokens + t] = factor * from[t * stride + d];
        }
    }
}

INLINE void scatter(const float *restrict from, size_t stride, size_t tokens, float factor,
                    float *restrict to) {
    for (size_t t = 0; t < tokens; t++) {
        for (size_t d = 0; d < WIDTH; d++) {
            to[t * stride + d] = factor * from[d * tokens + t];
        }
    }
}

/* e^x for x <= 0, relative error 2e-7 or so: 2^n times a polynomial; vectorises, unlike expf. */
INLINE float exponential(float x) {
    x = x < -87.0f ? -87.0f : x;
    float n = (float)(int)(x * 1.44269504f - 0.5f);
    float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float p =
        1.0f +
        r * (1.0f +
             r * (0.5f + r * (1.66666667e-1f +
                              r * (4.16666667e-2f + r * (8.33333333e-3f + r * 1.38888889e-3f)))));
    union {
        int i;
        float f;
    } power = {.i = ((int)n + 127) << 23};
    return p * power.f;
}

/* Softmax weights of query i over all keys, into w[tokens]. */
INLINE void weights_of(const float *restrict q, const float *restrict k, size_t tokens, size_t i,
                       float *restrict w) {
    float query[WIDTH];
    for (size_t d = 0; d < WIDTH; d++) {
        query[d] = q[d * tokens + i];
    }
    float largest = -INFINITY;
    for (size_t t = 0; t < tokens; t++) {
        float s = 0;
        for (size_t d = 0; d < WIDTH; d++) {
            s += query[d] * k[d * tokens + t];
        }
        w[t] = s;
        largest = s > largest ? s : largest;
    }
    float total = 0;
    for (size_t t = 0; t < tokens; t++) {
        w[t] = exponential(w[t] - largest);
        total += w[t];
    }
    for (size_t t = 0; t < tokens; t++) {
        w[t] /= total;
    }
}

INLINE void forward_head(const float *qkv, size_t heads, size_t tokens, float scale, float *room,
                         float *out) {
    size_t stride = 3 * heads * WIDTH, plane = WIDTH * tokens;
    float *q = room, *k = q + plane, *v = k + plane, *o = v + plane, *w = o + plane;
    gather(qkv, stride, tokens, scale, q);
    gather(qkv + heads * WIDTH, stride, tokens, 1, k);
    gather(qkv + 2 * heads * WIDTH, stride, tokens, 1, v);
    for (size_t i = 0; i < tokens; i++) {
        weights_of(q, k, tokens, i, w);
        for (size_t d = 0; d < WIDTH; d++) {
            float s = 0;
            for (size_t t = 0; t < tokens; t++) {
                s += w[t] * v[d * tokens + t];
            }
            o[d * tokens + i] = s;
        }
    }
    scatter(o, heads * WIDTH, tokens, 1, out);
}

INLINE void backward_head(const float *qkv, const float *d_out, size_t heads, size_t tokens,
                          float scale, float *room, float *d_qkv) {
    size_t stride = 3 * heads * WIDTH, plane = WIDTH * tokens;
    float *q = room, *k = q + plane, *v = k + plane, *o = v + plane;
    float *dq = o + plane, *dk = dq + plane, *dv = dk + plane, *w = dv + plane, *dw = w + tokens;
    gather(qkv, stride, tokens, scale, q);
    gather(qkv + heads * WIDTH, stride, tokens, 1, k);
    gather(qkv + 2 * heads * WIDTH, stride, tokens, 1, v);
    gather(d_out, heads * WIDTH, tokens, 1, o);
    for (size_t n = 0; n < plane; n++) {
        dk[n] = dv[n] = 0;
    }
    for (size_t i = 0; i < tokens; i++) {
        weights_of(q, k, tokens, i, w);
        float g[WIDTH], query[WIDTH], mean = 0;
        for (size_t d = 0; d < WIDTH; d++) {
            g[d] = o[d * tokens + i];
            query[d] = q[d * tokens + i];
        }
        for (size_t t = 0; t < tokens; t++) {
            float s = 0;
            for (size_t d = 0; d < WIDTH; d++) {
                s += g[d] * v[d * tokens + t];
            }
            dw[t] = s;
            mean += s * w[t];
        }
        for (size_t t = 0; t < tokens; t++) {
            dw[t] = w[t] * (dw[t] - mean); /* by the scores */
        }
        for (size_t d = 0; d < WIDTH; d++) {
            float s = 0;
            for (size_t t = 0; t < tokens; t++) {
                s += dw[t] * k[d * tokens + t];
                dk[d * tokens + t] += dw[t] * query[d];
                dv[d * tokens + t] += w[t] * g[d];
            }
            dq[d * tokens + i] = s;
        }
    }
    scatter(dq, stride, tokens, scale, d_qkv);
    scatter(dk, stride, tokens, 1, d_qkv + heads * WIDTH);
    scatter(dv, stride, tokens, 1, d_qkv + 2 * heads * WIDTH);
}

/* Both return 0, or 1 without memory. */
int attention_forward(const float *qkv, float *out, size_t groups, size_t tokens, size_t heads,
                      float scale, int threads) {
    int failed = 0;
#pragma omp parallel num_threads(threads)
    {
        float *room = malloc((4 * WIDTH + 1) * tokens * sizeof *room);
        if (!room) {
#pragma omp atomic write
            failed = 1;
        }
#pragma omp for schedule(static)
        for (size_t g = 0; g < groups; g++) {
            for (size_t h = 0; room && h < heads; h++) {
                const float *in = qkv + g * tokens * 3 * heads * WIDTH + h * WIDTH;
                float *to = out + g * tokens * heads * WIDTH + h * WIDTH;
                if (tokens == SMALL) {
                    forward_head(in, heads, SMALL, scale, room, to);
                } else {
                    forward_head(in, heads, tokens, scale, room, to);
                }
            }
        }
        free(room);
    }
    return failed;
}

int attention_backward(const float *qkv, const float *d_out, float *d_qkv, size_t groups,
                       size_t tokens, size_t heads, float scale, int threads) {
    int failed = 0;
#pragma omp parallel num_threads(threads)
    {
        float *room = malloc((7 * WIDTH + 2) * tokens * sizeof *room);
        if (!room) {
#pragma omp atomic write
            failed = 1;
        }
#pragma omp for schedule(static)
        for (size_t g = 0; g < groups; g++) {
            for (size_t h = 0; room && h < heads; h++) {
                size_t at = g * tokens * heads * WIDTH + h * WIDTH;
                size_t in = g * tokens * 3 * heads * WIDTH + h * WIDTH;
                if (tokens == SMALL) {
                    backward_head(qkv + in, d_out + at, heads, SMALL, scale, room, d_qkv + in);
                } else {
                    backward_head(qkv + in, d_out + at, heads, tokens, scale, room, d_qkv + in);
                }
            }
        }
        free(room);
    }
    return failed;
}
