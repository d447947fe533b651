/* Networks of random weights, their files, and images for them. */
#include "tests/algorithms/enhance_reference.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct reference_shape reference_paper = {.inputs = 1,
                                                .stem = 4,
                                                .n_stage = 3,
                                                .channels = {16, 16, 32},
                                                .dims = {8, 8, 16},
                                                .depths = {2, 4, 3},
                                                .hidden = {16, 32, 64},
                                                .heads = 4,
                                                .head_dim = 8,
                                                .patch = 16,
                                                .shuffle = 1};

/* Uniform from 0 to 1 (splitmix64). */
static double draw(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/* Numbers from low to high. */
static void add(struct reference *net, double low, double high, int a, int b, int c, int d,
                const char *format, ...) __attribute__((format(printf, 8, 9)));
static void add(struct reference *net, double low, double high, int a, int b, int c, int d,
                const char *format, ...) {
    assert(net->n < REFERENCE_TENSORS);
    struct reference_tensor *tensor = &net->tensor[net->n++];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(tensor->name, sizeof tensor->name, format, arguments);
    va_end(arguments);
    const int shape[4] = {a, b, c, d};
    tensor->count = 1;
    for (int i = 0; i < 4 && shape[i] > 0; i++) {
        tensor->shape[tensor->rank++] = shape[i];
        tensor->count *= (size_t)shape[i];
    }
    tensor->value = malloc(tensor->count * sizeof *tensor->value);
    for (size_t i = 0; i < tensor->count; i++) {
        tensor->value[i] = (float)(low + (high - low) * draw(&net->state));
    }
}

static void add_conv_norm(struct reference *net, const char *name, int in, int out, int side) {
    const double bound = sqrt(3.0 / (in * side * side));
    add(net, -bound, bound, out, in, side, side, "%s.conv.weight", name);
    add(net, 0.5, 1.5, out, 0, 0, 0, "%s.bn.weight", name);
    add(net, -0.3, 0.3, out, 0, 0, 0, "%s.bn.bias", name);
    add(net, -0.2, 0.2, out, 0, 0, 0, "%s.bn.running_mean", name);
    add(net, 0.3, 1.2, out, 0, 0, 0, "%s.bn.running_var", name);
}

static void add_mv2(struct reference *net, const char *name, int in, int out) {
    char part[64];
    snprintf(part, sizeof part, "%s.dw", name);
    add_conv_norm(net, part, 1, in, 3);
    snprintf(part, sizeof part, "%s.pw", name);
    add_conv_norm(net, part, in, out, 1);
}

static void add_linear(struct reference *net, const char *name, int in, int out, bool bias) {
    const double bound = sqrt(3.0 / in);
    add(net, -bound, bound, out, in, 0, 0, "%s.weight", name);
    if (bias) {
        add(net, -0.2, 0.2, out, 0, 0, 0, "%s.bias", name);
    }
}

static void add_norm(struct reference *net, const char *name, int d) {
    add(net, 0.5, 1.5, d, 0, 0, 0, "%s.weight", name);
    add(net, -0.3, 0.3, d, 0, 0, 0, "%s.bias", name);
}

static void add_layer(struct reference *net, const char *name, int d, int hidden) {
    const int inner = net->shape.heads * net->shape.head_dim;
    char part[64];
    snprintf(part, sizeof part, "%s.norm1", name);
    add_norm(net, part, d);
    snprintf(part, sizeof part, "%s.qkv", name);
    add_linear(net, part, d, 3 * inner, false);
    snprintf(part, sizeof part, "%s.out", name);
    add_linear(net, part, inner, d, true);
    snprintf(part, sizeof part, "%s.norm2", name);
    add_norm(net, part, d);
    snprintf(part, sizeof part, "%s.mlp1", name);
    add_linear(net, part, d, hidden, true);
    snprintf(part, sizeof part, "%s.mlp2", name);
    add_linear(net, part, hidden, d, true);
}

static void add_stage(struct reference *net, int s, int in) {
    const struct reference_shape *shape = &net->shape;
    const int c = shape->channels[s], d = shape->dims[s];
    char part[48];
    snprintf(part, sizeof part, "trunk.%d.mv2", s);
    add_mv2(net, part, in, c);
    snprintf(part, sizeof part, "trunk.%d.vit.local", s);
    add_conv_norm(net, part, c, c, 3);
    snprintf(part, sizeof part, "trunk.%d.vit.project", s);
    add_conv_norm(net, part, c, d, 1);
    for (int i = 0; i < shape->depths[s]; i++) {
        snprintf(part, sizeof part, "trunk.%d.vit.layers.%d", s, i);
        add_layer(net, part, d, shape->hidden[s]);
    }
    snprintf(part, sizeof part, "trunk.%d.vit.expand", s);
    add_conv_norm(net, part, d, c, 1);
    snprintf(part, sizeof part, "trunk.%d.vit.fuse", s);
    add_conv_norm(net, part, 2 * c, c, 3);
}

struct reference *reference_make(const struct reference_shape *shape, uint64_t seed) {
    struct reference *net = calloc(1, sizeof *net);
    net->shape = *shape;
    net->state = seed;
    const int square = shape->shuffle * shape->shuffle;
    int c = shape->channels[0];
    add_conv_norm(net, "conv1", (shape->inputs + shape->with_magnitude) * square, c, 3);
    for (int i = 0; i < shape->stem; i++) {
        char part[32];
        snprintf(part, sizeof part, "stem.%d", i);
        add_mv2(net, part, c, c);
    }
    for (int s = 0; s < shape->n_stage; s++) {
        add_stage(net, s, c);
        c = shape->channels[s];
    }
    add_conv_norm(net, "head", c, square, 1);
    return net;
}

void reference_fill(struct reference *net, const char *end, float value) {
    const size_t length = strlen(end);
    int found = 0;
    for (int i = 0; i < net->n; i++) {
        struct reference_tensor *tensor = &net->tensor[i];
        const size_t n = strlen(tensor->name);
        if (n >= length && strcmp(tensor->name + n - length, end) == 0) {
            found++;
            for (size_t k = 0; k < tensor->count; k++) {
                tensor->value[k] = value;
            }
        }
    }
    assert(found > 0);
    (void)found;
}

void reference_free(struct reference *net) {
    for (int i = 0; i < net->n; i++) {
        free(net->tensor[i].value);
    }
    free(net);
}

size_t reference_parameters(const struct reference *net) {
    size_t n = 0;
    for (int i = 0; i < net->n; i++) {
        n += strstr(net->tensor[i].name, "running") == NULL ? net->tensor[i].count : 0;
    }
    return n;
}

static int print_list(char *to, size_t room, const char *name, const int *value, int n) {
    int length = snprintf(to, room, "\"%s\":\"", name);
    for (int i = 0; i < n; i++) {
        length +=
            snprintf(to + length, room - (size_t)length, "%d%s", value[i], i + 1 < n ? "," : "\",");
    }
    return length;
}

static int print_metadata(const struct reference_shape *shape, char *to, size_t room) {
    static const char *const output[] = {"silu", "linear", "residual"};
    int n =
        snprintf(to, room,
                 "{\"__metadata__\":{\"format\":\"nfsar-enhance\",\"format_version\":\"1\","
                 "\"architecture\":\"mobile-srvit\",\"input\":\"%s\",\"normalisation\":\"peak\","
                 "\"output\":\"%s\",",
                 shape->with_magnitude ? "complex+magnitude"
                 : shape->inputs == 2  ? "complex"
                                       : "magnitude",
                 output[shape->output]);
    n += print_list(to + n, room - (size_t)n, "channels", shape->channels, shape->n_stage);
    n += print_list(to + n, room - (size_t)n, "dims", shape->dims, shape->n_stage);
    n += print_list(to + n, room - (size_t)n, "depths", shape->depths, shape->n_stage);
    n += print_list(to + n, room - (size_t)n, "hidden", shape->hidden, shape->n_stage);
    n += snprintf(to + n, room - (size_t)n,
                  "\"stem\":\"%d\",\"heads\":\"%d\",\"head_dim\":\"%d\",\"patch\":\"%d\","
                  "\"shuffle\":\"%d\"}",
                  shape->stem, shape->heads, shape->head_dim, shape->patch, shape->shuffle);
    return n;
}

unsigned char *reference_file(const struct reference *net, size_t *size) {
    const size_t room = 1000 + (size_t)net->n * 200;
    char *header = malloc(room);
    size_t n = (size_t)print_metadata(&net->shape, header, room), offset = 0;
    for (int i = 0; i < net->n; i++) {
        const struct reference_tensor *tensor = &net->tensor[i];
        n += (size_t)snprintf(header + n, room - n, ",\"%s\":{\"dtype\":\"F32\",\"shape\":[",
                              tensor->name);
        for (int k = 0; k < tensor->rank; k++) {
            n += (size_t)snprintf(header + n, room - n, "%s%d", k > 0 ? "," : "", tensor->shape[k]);
        }
        n += (size_t)snprintf(header + n, room - n, "],\"data_offsets\":[%zu,%zu]}", offset,
                              offset + 4 * tensor->count);
        offset += 4 * tensor->count;
    }
    n += (size_t)snprintf(header + n, room - n, "}");
    *size = 8 + n + offset;
    unsigned char *file = malloc(*size), *at = file + 8 + n;
    for (int i = 0; i < 8; i++) {
        file[i] = (unsigned char)((uint64_t)n >> (8 * i));
    }
    memcpy(file + 8, header, n);
    for (int i = 0; i < net->n; i++) {
        memcpy(at, net->tensor[i].value, 4 * net->tensor[i].count);
        at += 4 * net->tensor[i].count;
    }
    free(header);
    return file;
}

float *reference_image(const struct reference_shape *shape, int nx, int ny, double scale,
                       uint64_t seed) {
    const size_t n = (size_t)nx * (size_t)ny;
    float *image = malloc((size_t)shape->inputs * n * sizeof *image);
    for (size_t i = 0; i < n; i++) {
        const double r = scale * (draw(&seed) < 0.1 ? draw(&seed) : 0.1 * draw(&seed));
        const double phase = 6.283185307179586 * draw(&seed);
        image[i] = (float)(shape->inputs == 2 ? r * cos(phase) : r);
        if (shape->inputs == 2) {
            image[n + i] = (float)(r * sin(phase));
        }
    }
    return image;
}
