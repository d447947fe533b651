#include "algorithms/enhance/model.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* PyTorch's, of both norms. */
static const double epsilon = 1e-5;

/* What is being built. After the first failure the rest does nothing. */
struct builder {
    const struct safetensors *file;
    bool *used; /* [file->n] */
    float *numbers;
    size_t n, room;
    enum nfsar_status status;
    nfsar_error *error;
};

struct size {
    size_t n[SAFETENSORS_RANK];
};

static struct size size_of(int a, int b, int c, int d) {
    return (struct size){{(size_t)a, (size_t)b, (size_t)c, (size_t)d}};
}

/* The numbers of PREFIX.name, which must have the size; NULL after a failure. */
static const float *fetch(struct builder *b, struct size size, const char *prefix,
                          const char *name) {
    char whole[96];
    if (b->status != NFSAR_OK) {
        return NULL;
    }
    snprintf(whole, sizeof whole, "%s.%s", prefix, name);
    const struct safetensors_tensor *tensor = safetensors_find(b->file, whole);
    if (tensor == NULL) {
        b->status = nfsar_fail(b->error, NFSAR_ERROR_FORMAT, "tensor '%s' is missing", whole);
        return NULL;
    }
    if (memcmp(tensor->shape, size.n, sizeof size.n) != 0) {
        const size_t *is = tensor->shape;
        b->status = nfsar_fail(b->error, NFSAR_ERROR_FORMAT,
                               "tensor '%s' is %zu x %zu x %zu x %zu; the metadata make it "
                               "%zu x %zu x %zu x %zu",
                               whole, is[0], is[1], is[2], is[3], size.n[0], size.n[1], size.n[2],
                               size.n[3]);
        return NULL;
    }
    b->used[tensor - b->file->tensor] = true;
    return b->file->numbers + tensor->begin;
}

static float *take(struct builder *b, size_t n) {
    if (n > b->room - b->n) {
        b->status = nfsar_fail(b->error, NFSAR_ERROR_FORMAT, "more weights than the file has");
        return NULL;
    }
    b->n += n;
    return b->numbers + b->n - n;
}

/* Weights w[outputs][inputs][taps] and what their rows and columns are multiplied with (NULL: 1).
 * Rows come in blocks of so many (0: one of all), which begin `stride` rows apart. */
struct linear {
    const char *name; /* of the layer */
    int outputs, inputs, taps;
    const float *w;
    int block, stride;
    double row[4 * ENHANCE_CHANNELS], bias[4 * ENHANCE_CHANNELS];
    const float *column;
};

static const float *row_of(const struct linear *l, int o) {
    const int row = l->block > 0 ? o / l->block * l->stride + o % l->block : o;
    return l->w + (size_t)row * (size_t)(l->inputs * l->taps);
}

/* Finite numbers of a file may be beyond floats when they are multiplied. */
static float narrow(struct builder *b, const char *name, double value) {
    if (fabs(value) <= (double)FLT_MAX) {
        return (float)value;
    }
    if (b->status == NFSAR_OK) {
        b->status = nfsar_fail(b->error, NFSAR_ERROR_FORMAT,
                               "tensors '%s.*': together they make a weight of %g, which is beyond "
                               "32-bit floats",
                               name, value);
    }
    return 0.0f;
}

/* Pack for product(). */
static struct enhance_product pack(struct builder *b, const struct linear *l, bool silu) {
    struct enhance_product made = {
        .inputs = l->inputs, .outputs = l->outputs, .taps = l->taps, .silu = silu};
    const int blocks = (l->outputs + ENHANCE_BLOCK - 1) / ENHANCE_BLOCK, each = l->inputs * l->taps;
    float *weights =
        b->status == NFSAR_OK ? take(b, (size_t)(blocks * ENHANCE_BLOCK * each)) : NULL;
    float *bias = weights != NULL ? take(b, (size_t)(blocks * ENHANCE_BLOCK)) : NULL;
    if (bias == NULL) {
        return made;
    }
    made.weights = weights;
    made.bias = bias;
    for (int o = 0; o < l->outputs; o++) {
        float *to = weights + (o / ENHANCE_BLOCK) * ENHANCE_BLOCK * each + o % ENHANCE_BLOCK;
        const float *from = row_of(l, o);
        for (int i = 0; i < each; i++) {
            double column = l->column != NULL ? (double)l->column[i / l->taps] : 1.0;
            to[i * ENHANCE_BLOCK] = narrow(b, l->name, (double)from[i] * l->row[o] * column);
        }
        bias[o] = narrow(b, l->name, l->bias[o]);
    }
    return made;
}

/* Batch norm behind a convolution: y = (x - mean) weight / sqrt(var + epsilon) + bias. */
static void fold_batch_norm(struct builder *b, const char *prefix, struct linear *l) {
    char name[80];
    snprintf(name, sizeof name, "%s.bn", prefix);
    const struct size size = size_of(l->outputs, 1, 1, 1);
    const float *weight = fetch(b, size, name, "weight"), *bias = fetch(b, size, name, "bias");
    const float *mean = fetch(b, size, name, "running_mean");
    const float *var = fetch(b, size, name, "running_var");
    for (int o = 0; b->status == NFSAR_OK && o < l->outputs; o++) {
        if (var[o] < 0.0f) {
            b->status = nfsar_fail(b->error, NFSAR_ERROR_FORMAT,
                                   "tensor '%s.running_var': number %d is negative", name, o);
            return;
        }
        l->row[o] = (double)weight[o] / sqrt((double)var[o] + epsilon);
        l->bias[o] = (double)bias[o] - (double)mean[o] * l->row[o];
    }
}

/* PREFIX.conv and PREFIX.bn. */
static struct enhance_product conv_norm(struct builder *b, int inputs, int outputs, int taps,
                                        bool silu, const char *prefix) {
    const int side = taps == 9 ? 3 : 1;
    struct linear l = {.name = prefix, .outputs = outputs, .inputs = inputs, .taps = taps};
    l.w = fetch(b, size_of(outputs, inputs, side, side), prefix, "conv.weight");
    fold_batch_norm(b, prefix, &l);
    return pack(b, &l, silu);
}

/* The same of one plane each. */
static struct enhance_product depthwise_norm(struct builder *b, int channels, const char *prefix) {
    struct linear l = {.name = prefix, .outputs = channels, .inputs = 1, .taps = 9};
    struct enhance_product made = {
        .inputs = channels, .outputs = channels, .taps = 9, .silu = true};
    l.w = fetch(b, size_of(channels, 1, 3, 3), prefix, "conv.weight");
    fold_batch_norm(b, prefix, &l);
    float *weights = b->status == NFSAR_OK ? take(b, (size_t)channels * 9) : NULL;
    float *bias = weights != NULL ? take(b, (size_t)channels) : NULL;
    for (int o = 0; bias != NULL && o < channels; o++) {
        for (int t = 0; t < 9; t++) {
            weights[9 * o + t] = narrow(b, prefix, (double)l.w[9 * o + t] * l.row[o]);
        }
        bias[o] = narrow(b, prefix, l.bias[o]);
    }
    made.weights = weights;
    made.bias = bias;
    return made;
}

static struct enhance_mv2 mv2(struct builder *b, int inputs, int outputs, const char *prefix) {
    char dw[64], pw[64];
    snprintf(dw, sizeof dw, "%s.dw", prefix);
    snprintf(pw, sizeof pw, "%s.pw", prefix);
    struct enhance_mv2 made = {.sum = inputs == outputs};
    made.dw = depthwise_norm(b, inputs, dw);
    made.pw = conv_norm(b, inputs, outputs, 1, false, pw);
    return made;
}

/* PREFIX.name.weight and .bias as rows of a linear layer, with the norm before it if there is one.
 */
static struct enhance_product linear(struct builder *b, int inputs, int outputs, bool silu,
                                     const char *prefix, const char *name, const char *norm) {
    char of[64], before[64];
    snprintf(of, sizeof of, "%s.%s", prefix, name);
    snprintf(before, sizeof before, "%s.%s", prefix, norm != NULL ? norm : "");
    struct linear l = {.name = of, .outputs = outputs, .inputs = inputs, .taps = 1};
    l.w = fetch(b, size_of(outputs, inputs, 1, 1), of, "weight");
    const float *bias = fetch(b, size_of(outputs, 1, 1, 1), of, "bias"), *shift = NULL;
    if (norm != NULL) {
        l.column = fetch(b, size_of(inputs, 1, 1, 1), before, "weight");
        shift = fetch(b, size_of(inputs, 1, 1, 1), before, "bias");
    }
    for (int o = 0; b->status == NFSAR_OK && o < outputs; o++) {
        l.row[o] = 1.0;
        l.bias[o] = (double)bias[o];
        for (int i = 0; shift != NULL && i < inputs; i++) {
            l.bias[o] += (double)l.w[o * inputs + i] * (double)shift[i];
        }
    }
    return pack(b, &l, silu);
}

/* Rows q, k and v of one head, out of q, k, v of all heads. Scores become exponents of 2. */
static struct enhance_product head_qkv(struct builder *b, const struct enhance_shape *shape, int d,
                                       int head, const char *prefix) {
    char of[64], before[64];
    snprintf(of, sizeof of, "%s.qkv", prefix);
    snprintf(before, sizeof before, "%s.norm1", prefix);
    const int size = shape->head_dim, inner = shape->heads * size;
    struct linear l = {.name = of, .outputs = 3 * size, .inputs = d, .taps = 1};
    const float *w = fetch(b, size_of(3 * inner, d, 1, 1), of, "weight");
    const float *shift = fetch(b, size_of(d, 1, 1, 1), before, "bias");
    l.column = fetch(b, size_of(d, 1, 1, 1), before, "weight");
    l.block = size;
    l.stride = inner;
    l.w = b->status == NFSAR_OK ? w + (size_t)(head * size) * (size_t)d : NULL;
    for (int o = 0; b->status == NFSAR_OK && o < 3 * size; o++) {
        const float *from = row_of(&l, o);
        l.row[o] = o < size ? 1.0 / (log(2.0) * sqrt(size)) : 1.0;
        for (int i = 0; i < d; i++) {
            l.bias[o] += (double)from[i] * (double)shift[i] * l.row[o];
        }
    }
    return pack(b, &l, false);
}

static void *calloc_or_fail(struct builder *b, size_t n, size_t size) {
    void *made = b->status == NFSAR_OK ? calloc(n, size) : NULL;
    if (made == NULL && b->status == NFSAR_OK) {
        b->status = nfsar_fail(b->error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    return made;
}

static void build_layer(struct builder *b, const struct enhance_shape *shape,
                        const struct enhance_stage_shape *s, const char *prefix,
                        struct enhance_layer *layer) {
    layer->qkv = calloc_or_fail(b, (size_t)shape->heads, sizeof *layer->qkv);
    for (int h = 0; b->status == NFSAR_OK && h < shape->heads; h++) {
        layer->qkv[h] = head_qkv(b, shape, s->d, h, prefix);
    }
    layer->out = linear(b, shape->heads * shape->head_dim, s->d, false, prefix, "out", NULL);
    layer->mlp1 = linear(b, s->d, s->hidden, true, prefix, "mlp1", "norm2");
    layer->mlp2 = linear(b, s->hidden, s->d, false, prefix, "mlp2", NULL);
}

static void build_stage(struct builder *b, const struct enhance_shape *shape, int s, int inputs,
                        struct enhance_stage *stage) {
    const struct enhance_stage_shape *of = &shape->stage[s];
    const int c = of->channels;
    char prefix[48];
    snprintf(prefix, sizeof prefix, "trunk.%d.mv2", s);
    stage->mv2 = mv2(b, inputs, c, prefix);
    snprintf(prefix, sizeof prefix, "trunk.%d.vit.local", s);
    stage->local = conv_norm(b, c, c, 9, true, prefix);
    snprintf(prefix, sizeof prefix, "trunk.%d.vit.project", s);
    stage->project = conv_norm(b, c, of->d, 1, true, prefix);
    snprintf(prefix, sizeof prefix, "trunk.%d.vit.expand", s);
    stage->expand = conv_norm(b, of->d, c, 1, true, prefix);
    snprintf(prefix, sizeof prefix, "trunk.%d.vit.fuse", s);
    stage->fuse = conv_norm(b, 2 * c, c, 9, true, prefix);
    stage->layer = calloc_or_fail(b, (size_t)of->depth, sizeof *stage->layer);
    for (int i = 0; b->status == NFSAR_OK && i < of->depth; i++) {
        snprintf(prefix, sizeof prefix, "trunk.%d.vit.layers.%d", s, i);
        build_layer(b, shape, of, prefix, &stage->layer[i]);
    }
}

static void build(struct builder *b, nfsar_enhance_model *model) {
    const struct enhance_shape *shape = &model->shape;
    const int first = shape->stage[0].channels;
    int inputs = first;
    const int square = shape->shuffle * shape->shuffle;
    model->conv1 = conv_norm(b, shape->planes * square, first, 9, true, "conv1");
    model->stem = calloc_or_fail(b, (size_t)shape->stem, sizeof *model->stem);
    for (int i = 0; b->status == NFSAR_OK && i < shape->stem; i++) {
        char prefix[32];
        snprintf(prefix, sizeof prefix, "stem.%d", i);
        model->stem[i] = mv2(b, first, first, prefix);
    }
    for (int s = 0; b->status == NFSAR_OK && s < shape->n_stage; s++) {
        build_stage(b, shape, s, inputs, &model->stage[s]);
        inputs = shape->stage[s].channels;
    }
    model->head = conv_norm(b, inputs, square, 1, shape->output == ENHANCE_SILU, "head");
    for (size_t i = 0; b->status == NFSAR_OK && i < b->file->n; i++) {
        if (!b->used[i]) {
            b->status = nfsar_fail(b->error, NFSAR_ERROR_FORMAT,
                                   "tensor %zu of the file belongs to no part of the network that "
                                   "its metadata describe",
                                   i);
        }
    }
}

/* Weights that are not part of the parameters: what batch norm has measured. */
static size_t count_parameters(const struct safetensors *file) {
    size_t n = 0;
    for (size_t i = 0; i < file->n; i++) {
        n += strstr(file->tensor[i].name, ".running_") == NULL ? file->tensor[i].count : 0;
    }
    return n;
}

static enum nfsar_status build_from(nfsar_enhance_model *model, nfsar_error *error) {
    const struct safetensors *file = &model->metadata;
    enum nfsar_status status = enhance_shape_read(file, &model->shape, error);
    if (status != NFSAR_OK) {
        return status;
    }
    struct builder b = {.file = file, .error = error};
    for (size_t i = 0; i < file->n; i++) {
        /* Padding makes four outputs of one at the most; biases that the file has none of are fewer
         * than the weights beside them. */
        b.room += 5 * file->tensor[i].count;
    }
    b.used = calloc_or_fail(&b, file->n + 1, sizeof *b.used);
    model->numbers = calloc_or_fail(&b, b.room + 1, sizeof *model->numbers);
    b.numbers = model->numbers;
    if (b.status == NFSAR_OK) {
        build(&b, model);
    }
    model->parameters = count_parameters(file);
    free(b.used);
    return b.status;
}

enum nfsar_status nfsar_enhance_parse(const void *bytes, size_t size, nfsar_enhance_model **model,
                                      nfsar_error *error) {
    *model = NULL;
    nfsar_enhance_model *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    enum nfsar_status status = safetensors_parse(bytes, size, &made->metadata, error);
    if (status == NFSAR_OK) {
        status = build_from(made, error);
    }
    if (status != NFSAR_OK) {
        nfsar_enhance_model_free(made);
        return status;
    }
    safetensors_keep_metadata(&made->metadata);
    *model = made;
    return NFSAR_OK;
}

void nfsar_enhance_model_free(nfsar_enhance_model *model) {
    if (model == NULL) {
        return;
    }
    for (int s = 0; s < model->shape.n_stage; s++) {
        struct enhance_layer *layer = model->stage[s].layer;
        for (int i = 0; layer != NULL && i < model->shape.stage[s].depth; i++) {
            free(layer[i].qkv);
        }
        free(layer);
    }
    free(model->stem);
    free(model->numbers);
    safetensors_free(&model->metadata);
    free(model);
}

const char *nfsar_enhance_model_text(const nfsar_enhance_model *model, const char *key) {
    return safetensors_metadata(&model->metadata, key);
}

nfsar_enhance_info nfsar_enhance_model_info(const nfsar_enhance_model *model) {
    return (nfsar_enhance_info){.inputs = model->shape.inputs,
                                .patch = model->shape.patch * model->shape.shuffle,
                                .parameters = model->parameters};
}

static double products_of(const struct enhance_product *p) {
    return (double)p->inputs * p->outputs * p->taps;
}

static double products_of_mv2(const struct enhance_mv2 *m) {
    return 9.0 * m->dw.outputs + products_of(&m->pw);
}

double enhance_model_products(const nfsar_enhance_model *model, double squares) {
    const struct enhance_shape *shape = &model->shape;
    const double tokens = squares / shape->patch / shape->patch;
    double each = products_of(&model->conv1) + products_of(&model->head);
    for (int i = 0; i < shape->stem; i++) {
        each += products_of_mv2(&model->stem[i]);
    }
    for (int s = 0; s < shape->n_stage; s++) {
        const struct enhance_stage *stage = &model->stage[s];
        each += products_of_mv2(&stage->mv2) + products_of(&stage->local) +
                products_of(&stage->project) + products_of(&stage->expand) +
                products_of(&stage->fuse);
        for (int i = 0; i < shape->stage[s].depth; i++) {
            const struct enhance_layer *layer = &stage->layer[i];
            each += shape->heads * (products_of(&layer->qkv[0]) + 2.0 * shape->head_dim * tokens) +
                    products_of(&layer->out) + products_of(&layer->mlp1) +
                    products_of(&layer->mlp2);
        }
    }
    return each * squares;
}
