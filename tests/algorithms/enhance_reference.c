/* What a network makes of an image. */
#include "tests/algorithms/enhance_reference.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct planes {
    int c, w, h;
    double *v; /* [c][h][w] */
};

static struct planes planes_of(int c, int w, int h) {
    return (struct planes){c, w, h, calloc((size_t)c * (size_t)w * (size_t)h, sizeof(double))};
}

static double *at(const struct planes *p, int c, int y, int x) {
    return &p->v[((size_t)c * (size_t)p->h + (size_t)y) * (size_t)p->w + (size_t)x];
}

static size_t size_of(const struct planes *p) {
    return (size_t)p->c * (size_t)p->w * (size_t)p->h;
}

static const float *weights(const struct reference *net, const char *prefix, const char *name) {
    char whole[80];
    snprintf(whole, sizeof whole, "%s.%s", prefix, name);
    for (int i = 0; i < net->n; i++) {
        if (strcmp(net->tensor[i].name, whole) == 0) {
            return net->tensor[i].value;
        }
    }
    assert(!"a tensor of that name");
    return NULL;
}

static double silu(double x) {
    return x / (1.0 + exp(-x));
}

static void batch_norm(const struct reference *net, const char *name, bool activate,
                       struct planes *p) {
    const float *weight = weights(net, name, "bn.weight"), *bias = weights(net, name, "bn.bias");
    const float *mean = weights(net, name, "bn.running_mean");
    const float *var = weights(net, name, "bn.running_var");
    const size_t plane = (size_t)p->w * (size_t)p->h;
    for (size_t i = 0; i < size_of(p); i++) {
        const size_t c = i / plane;
        double y = (p->v[i] - (double)mean[c]) / sqrt((double)var[c] + 1e-5);
        y = y * (double)weight[c] + (double)bias[c];
        p->v[i] = activate ? silu(y) : y;
    }
}

/* Sum over the neighbours of one pixel in one plane, zero outside. */
static double taps(const struct planes *in, int c, int y, int x, const float *k, int side) {
    double sum = 0.0;
    for (int j = 0; j < side; j++) {
        for (int i = 0; i < side; i++) {
            const int v = y + j - side / 2, u = x + i - side / 2;
            if (v >= 0 && v < in->h && u >= 0 && u < in->w) {
                sum += *at(in, c, v, u) * (double)k[j * side + i];
            }
        }
    }
    return sum;
}

/* conv, bn, SiLU; releases in unless it is kept. */
static struct planes conv_norm(const struct reference *net, const char *prefix, const char *part,
                               struct planes in, int outputs, int side, bool alone, bool activate,
                               bool keep) {
    char name[64];
    snprintf(name, sizeof name, "%s%s", prefix, part);
    const float *k = weights(net, name, "conv.weight");
    struct planes out = planes_of(outputs, in.w, in.h);
    const int each = alone ? 1 : in.c;
    for (int o = 0; o < outputs; o++) {
        for (int y = 0; y < in.h; y++) {
            for (int x = 0; x < in.w; x++) {
                double sum = 0.0;
                for (int c = 0; c < each; c++) {
                    const float *kernel = k + (size_t)((o * each + c) * side * side);
                    sum += taps(&in, alone ? o : c, y, x, kernel, side);
                }
                *at(&out, o, y, x) = sum;
            }
        }
    }
    batch_norm(net, name, activate, &out);
    if (!keep) {
        free(in.v);
    }
    return out;
}

static struct planes mv2(const struct reference *net, const char *name, struct planes in,
                         int outputs) {
    struct planes out = conv_norm(net, name, ".dw", in, in.c, 3, true, true, true);
    out = conv_norm(net, name, ".pw", out, outputs, 1, false, false, false);
    for (size_t i = 0; in.c == outputs && i < size_of(&in); i++) {
        out.v[i] += in.v[i];
    }
    free(in.v);
    return out;
}

/* out[t][outputs] = x[t][inputs] W^T + b */
static double *linear(const struct reference *net, const char *prefix, const char *part,
                      const double *x, int tokens, int inputs, int outputs, bool biased) {
    char name[64];
    snprintf(name, sizeof name, "%s.%s", prefix, part);
    const float *w = weights(net, name, "weight");
    const float *bias = biased ? weights(net, name, "bias") : NULL;
    double *out = malloc((size_t)(tokens * outputs) * sizeof *out);
    for (int t = 0; t < tokens; t++) {
        for (int o = 0; o < outputs; o++) {
            double sum = biased ? (double)bias[o] : 0.0;
            for (int i = 0; i < inputs; i++) {
                sum += x[t * inputs + i] * (double)w[o * inputs + i];
            }
            out[t * outputs + o] = sum;
        }
    }
    return out;
}

static double *layer_norm(const struct reference *net, const char *prefix, const char *part,
                          const double *x, int tokens, int d) {
    char name[64];
    snprintf(name, sizeof name, "%s.%s", prefix, part);
    const float *weight = weights(net, name, "weight"), *bias = weights(net, name, "bias");
    double *out = malloc((size_t)(tokens * d) * sizeof *out);
    for (int t = 0; t < tokens; t++) {
        double mean = 0.0, var = 0.0;
        for (int i = 0; i < d; i++) {
            mean += x[t * d + i] / d;
        }
        for (int i = 0; i < d; i++) {
            var += (x[t * d + i] - mean) * (x[t * d + i] - mean) / d;
        }
        for (int i = 0; i < d; i++) {
            out[t * d + i] =
                (x[t * d + i] - mean) / sqrt(var + 1e-5) * (double)weight[i] + (double)bias[i];
        }
    }
    return out;
}

/* qkv[t][3][heads][size] to [t][heads][size]: softmax(q k / sqrt(size)) v. */
static double *attention(const double *qkv, int tokens, int heads, int size) {
    const int inner = heads * size;
    double *out = calloc((size_t)(tokens * inner), sizeof *out);
    double *score = malloc((size_t)tokens * sizeof *score);
    for (int h = 0; h < heads; h++) {
        for (int t = 0; t < tokens; t++) {
            const double *q = qkv + (size_t)t * (size_t)(3 * inner) + h * size;
            double most = -HUGE_VAL, sum = 0.0;
            for (int j = 0; j < tokens; j++) {
                const double *k = qkv + (size_t)j * (size_t)(3 * inner) + inner + h * size;
                score[j] = 0.0;
                for (int i = 0; i < size; i++) {
                    score[j] += q[i] * k[i] / sqrt(size);
                }
                most = fmax(most, score[j]);
            }
            for (int j = 0; j < tokens; j++) {
                score[j] = exp(score[j] - most);
                sum += score[j];
            }
            for (int j = 0; j < tokens; j++) {
                const double *v = qkv + (size_t)j * (size_t)(3 * inner) + 2 * inner + h * size;
                for (int i = 0; i < size; i++) {
                    out[t * inner + h * size + i] += score[j] / sum * v[i];
                }
            }
        }
    }
    free(score);
    return out;
}

static void add_to(double *to, double *from, size_t n) {
    for (size_t i = 0; i < n; i++) {
        to[i] += from[i];
    }
    free(from);
}

/* x[tokens][d] through one layer. */
static void layer(const struct reference *net, const char *name, int s, double *x, int tokens) {
    const struct reference_shape *shape = &net->shape;
    const int d = shape->dims[s], hidden = shape->hidden[s], inner = shape->heads * shape->head_dim;
    double *y = layer_norm(net, name, "norm1", x, tokens, d);
    double *qkv = linear(net, name, "qkv", y, tokens, d, 3 * inner, false);
    double *attended = attention(qkv, tokens, shape->heads, shape->head_dim);
    add_to(x, linear(net, name, "out", attended, tokens, inner, d, true), (size_t)(tokens * d));
    free(y);
    free(qkv);
    free(attended);
    y = layer_norm(net, name, "norm2", x, tokens, d);
    double *inside = linear(net, name, "mlp1", y, tokens, d, hidden, true);
    for (int i = 0; i < tokens * hidden; i++) {
        inside[i] = silu(inside[i]);
    }
    add_to(x, linear(net, name, "mlp2", inside, tokens, hidden, d, true), (size_t)(tokens * d));
    free(y);
    free(inside);
}

/* Every group of tokens through all layers: pixels at the same place of every patch. */
static void transformer(const struct reference *net, int s, struct planes *p) {
    const int patch = net->shape.patch, d = p->c;
    const int across = p->w / patch, tokens = across * (p->h / patch);
    double *x = malloc((size_t)(tokens * d) * sizeof *x);
    for (int place = 0; place < patch * patch; place++) {
        for (int i = 0; i < tokens * d; i++) {
            const int t = i / d, c = i % d;
            x[i] =
                *at(p, c, t / across * patch + place / patch, t % across * patch + place % patch);
        }
        for (int l = 0; l < net->shape.depths[s]; l++) {
            char name[48];
            snprintf(name, sizeof name, "trunk.%d.vit.layers.%d", s, l);
            layer(net, name, s, x, tokens);
        }
        for (int i = 0; i < tokens * d; i++) {
            const int t = i / d, c = i % d;
            *at(p, c, t / across * patch + place / patch, t % across * patch + place % patch) =
                x[i];
        }
    }
    free(x);
}

static struct planes stage(const struct reference *net, int s, struct planes in) {
    const int c = net->shape.channels[s];
    char name[32];
    snprintf(name, sizeof name, "trunk.%d.mv2", s);
    in = mv2(net, name, in, c);
    snprintf(name, sizeof name, "trunk.%d.vit", s);
    struct planes y = conv_norm(net, name, ".local", in, c, 3, false, true, true);
    y = conv_norm(net, name, ".project", y, net->shape.dims[s], 1, false, true, false);
    transformer(net, s, &y);
    y = conv_norm(net, name, ".expand", y, c, 1, false, true, false);
    struct planes both = planes_of(2 * c, in.w, in.h);
    memcpy(both.v, y.v, size_of(&y) * sizeof *y.v);
    memcpy(both.v + size_of(&y), in.v, size_of(&in) * sizeof *in.v);
    free(y.v);
    free(in.v);
    return conv_norm(net, name, ".fuse", both, c, 3, false, true, false);
}

/* torch's pixel_unshuffle: every pixel of an s x s square becomes a plane. */
static struct planes unshuffle(struct planes in, int s) {
    struct planes out = planes_of(in.c * s * s, in.w / s, in.h / s);
    for (int c = 0; c < out.c; c++) {
        for (int y = 0; y < out.h; y++) {
            for (int x = 0; x < out.w; x++) {
                *at(&out, c, y, x) = *at(&in, c / (s * s), y * s + c / s % s, x * s + c % s);
            }
        }
    }
    free(in.v);
    return out;
}

/* And pixel_shuffle, back. */
static struct planes shuffle(struct planes in, int s) {
    struct planes out = planes_of(in.c / (s * s), in.w * s, in.h * s);
    for (int y = 0; y < out.h; y++) {
        for (int x = 0; x < out.w; x++) {
            *at(&out, 0, y, x) = *at(&in, y % s * s + x % s, y / s, x / s);
        }
    }
    free(in.v);
    return out;
}

double *reference_run(const struct reference *net, const float *in, int nx, int ny) {
    const struct reference_shape *shape = &net->shape;
    const int plane = nx * ny, side = shape->patch * shape->shuffle;
    double *size = calloc((size_t)plane, sizeof *size), peak = 0.0;
    for (int i = 0; i < plane; i++) {
        size[i] = shape->inputs == 2 ? hypot((double)in[i], (double)in[plane + i]) : (double)in[i];
        peak = fmax(peak, size[i]);
    }
    struct planes now = planes_of(shape->inputs + shape->with_magnitude,
                                  (nx + side - 1) / side * side, (ny + side - 1) / side * side);
    for (int i = 0; i < now.c * plane; i++) {
        *at(&now, i / plane, i % plane / nx, i % nx) =
            (i < shape->inputs * plane ? (double)in[i] : size[i % plane]) / peak;
    }
    now = unshuffle(now, shape->shuffle);
    now = conv_norm(net, "conv1", "", now, shape->channels[0], 3, false, true, false);
    for (int i = 0; i < shape->stem; i++) {
        char name[32];
        snprintf(name, sizeof name, "stem.%d", i);
        now = mv2(net, name, now, shape->channels[0]);
    }
    for (int s = 0; s < shape->n_stage; s++) {
        now = stage(net, s, now);
    }
    now = conv_norm(net, "head", "", now, shape->shuffle * shape->shuffle, 1, false,
                    shape->output == REFERENCE_SILU, false);
    now = shuffle(now, shape->shuffle);
    for (int i = 0; i < plane; i++) {
        const double y = *at(&now, 0, i / nx, i % nx) * peak;
        size[i] = y + (shape->output == REFERENCE_RESIDUAL ? size[i] : 0.0);
        size[i] = fmin(fmax(size[i], 0.0), peak);
    }
    free(now.v);
    return size;
}
