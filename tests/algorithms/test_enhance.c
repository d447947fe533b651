/* The network in single precision against the plain one in double (enhance_reference.h), and
 * weights that are not what they should be. */
#include "tests/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/enhance.h>

#include "tests/algorithms/enhance_reference.h"

/* Nothing a power of two, 2 x 2 patches: many tokens. */
static const struct reference_shape odd = {.inputs = 2,
                                           .stem = 1,
                                           .n_stage = 2,
                                           .channels = {5, 7},
                                           .dims = {3, 6},
                                           .depths = {1, 2},
                                           .hidden = {7, 5},
                                           .heads = 2,
                                           .head_dim = 4,
                                           .patch = 2,
                                           .output = REFERENCE_RESIDUAL,
                                           .shuffle = 1};

/* More planes go in, and come out, than any stage has channels. */
static const struct reference_shape squares = {.inputs = 2,
                                               .with_magnitude = true,
                                               .stem = 1,
                                               .n_stage = 2,
                                               .channels = {4, 6},
                                               .dims = {5, 4},
                                               .depths = {1, 1},
                                               .hidden = {4, 6},
                                               .heads = 2,
                                               .head_dim = 4,
                                               .patch = 2,
                                               .output = REFERENCE_RESIDUAL,
                                               .shuffle = 3};

/* What training/model.py calls folded. */
static const struct reference_shape folded = {.inputs = 2,
                                              .with_magnitude = true,
                                              .stem = 2,
                                              .n_stage = 3,
                                              .channels = {64, 64, 64},
                                              .dims = {32, 32, 32},
                                              .depths = {1, 1, 1},
                                              .hidden = {64, 64, 64},
                                              .heads = 4,
                                              .head_dim = 8,
                                              .patch = 4,
                                              .output = REFERENCE_LINEAR,
                                              .shuffle = 4};

static nfsar_enhance_model *parse(const struct reference *net) {
    nfsar_error error;
    nfsar_enhance_model *model = NULL;
    size_t size;
    unsigned char *file = reference_file(net, &size);
    assert_ok(nfsar_enhance_parse(file, size, &model, &error), error);
    free(file);
    return model;
}

static void run(const nfsar_enhance_model *model, enum nfsar_kernel kernel, int threads, int nx,
                int ny, const float *in, float *out) {
    nfsar_error error;
    nfsar_enhance_plan *plan = NULL;
    const nfsar_enhance_options options = {.kernel = kernel, .threads = threads};
    assert_ok(nfsar_enhance_plan_create(model, (size_t)nx, (size_t)ny, &options, &plan, &error),
              error);
    assert_ok(nfsar_enhance_execute(plan, in, out, &error), error);
    /* A plan holds nothing of what it did before. */
    float *again = malloc((size_t)(nx * ny) * sizeof *again);
    assert_ok(nfsar_enhance_execute(plan, in, again, &error), error);
    assert_memory_equal(out, again, (size_t)(nx * ny) * sizeof *again);
    free(again);
    nfsar_enhance_plan_destroy(plan);
}

static double peak_of(const struct reference_shape *shape, const float *in, int plane) {
    double peak = 0.0;
    for (int i = 0; i < plane; i++) {
        const double im = shape->inputs == 2 ? (double)in[plane + i] : 0.0;
        peak = fmax(peak, hypot((double)in[i], im));
    }
    return peak;
}

/* Of the head's batch norm: with these, which were found by trial, what comes out lies between 0
 * and the peak, where networks differ. */
struct head {
    float weight, bias;
};

/* The largest difference from the reference, over the reference's largest value, with each version
 * of the loops. */
static void compare(const struct reference_shape *shape, int nx, int ny, double scale,
                    struct head head) {
    struct reference *net = reference_make(shape, 1);
    float *in = reference_image(shape, nx, ny, scale, 2);
    reference_fill(net, "head.bn.weight", head.weight);
    reference_fill(net, "head.bn.bias", head.bias);
    nfsar_enhance_model *model = parse(net);
    float *out = malloc((size_t)(nx * ny) * sizeof *out);
    double *wanted = reference_run(net, in, nx, ny);
    const double peak = peak_of(shape, in, nx * ny);
    for (int k = NFSAR_KERNEL_PORTABLE; k <= NFSAR_KERNEL_AVX512; k++) {
        if (!nfsar_kernel_available((enum nfsar_kernel)k)) {
            continue;
        }
        run(model, (enum nfsar_kernel)k, 2, nx, ny, in, out);
        double largest = 0.0, worst = 0.0;
        int inside = 0;
        for (int i = 0; i < nx * ny; i++) {
            largest = fmax(largest, wanted[i]);
            inside += wanted[i] > 0.0 && wanted[i] < peak;
            worst = fmax(worst, fabs((double)out[i] - wanted[i]));
        }
        print_message("%d x %d, %s: %.2e of %.3g, %d between 0 and the peak\n", nx, ny,
                      nfsar_kernel_name((enum nfsar_kernel)k), worst / largest, largest, inside);
        assert_true(isfinite(largest) && largest > 0.01 * scale);
        assert_true(10 * inside >= 6 * nx * ny);
        assert_true(worst <= 1e-5 * largest);
    }
    free(wanted);
    free(out);
    free(in);
    nfsar_enhance_model_free(model);
    reference_free(net);
}

static void paper_network_agrees(void **state) {
    (void)state;
    compare(&reference_paper, 48, 32, 3e-4, (struct head){0.14f, 0.71f});
}

static void folded_network_agrees(void **state) {
    (void)state;
    compare(&folded, 40, 30, 2.0, (struct head){0.06f, 0.4f});
}

static void any_shape_and_size_agrees(void **state) {
    (void)state;
    compare(&odd, 41, 27, 1.0, (struct head){2.1f, 0.5f});
    compare(&odd, 1, 1, 1.0, (struct head){0.1f, -0.5f});
    compare(&odd, 66, 34, 5.0, (struct head){1.9f, 0.49f});
    compare(&squares, 41, 27, 1.0, (struct head){0.31f, 0.58f});
    compare(&squares, 1, 2, 1.0, (struct head){8.0f, 1.1f});
    struct reference_shape other = squares;
    other.output = REFERENCE_SILU;
    other.shuffle = 8;
    compare(&other, 33, 16, 1.0, (struct head){0.16f, 0.42f});
    other.inputs = 1;
    other.with_magnitude = false;
    other.shuffle = 2;
    compare(&other, 15, 9, 1.0, (struct head){0.62f, 0.81f});
}

/* Neither threads nor the scale of the image change what comes out; a power of two changes no bit.
 */
static void threads_and_scale_do_not_matter(void **state) {
    (void)state;
    enum { NX = 33, NY = 20 };
    struct reference *net = reference_make(&odd, 1);
    nfsar_enhance_model *model = parse(net);
    float *in = reference_image(&odd, NX, NY, 1.0, 2), one[NX * NY], three[NX * NY];
    run(model, NFSAR_KERNEL_AUTO, 1, NX, NY, in, one);
    run(model, NFSAR_KERNEL_AUTO, 3, NX, NY, in, three);
    assert_memory_equal(one, three, sizeof one);
    for (int i = 0; i < 2 * NX * NY; i++) {
        in[i] *= 1024.0f;
    }
    run(model, NFSAR_KERNEL_AUTO, 2, NX, NY, in, three);
    for (int i = 0; i < NX * NY; i++) {
        assert_true(three[i] == 1024.0f * one[i]);
    }
    memset(in, 0, 2 * NX * NY * sizeof *in);
    run(model, NFSAR_KERNEL_AUTO, 2, NX, NY, in, three);
    for (int i = 0; i < NX * NY; i++) {
        assert_true(three[i] == 0.0f);
    }
    free(in);
    nfsar_enhance_model_free(model);
    reference_free(net);
}

static void assert_refused(const unsigned char *file, size_t size, const char *says) {
    nfsar_error error = {.message = ""};
    nfsar_enhance_model *model = NULL;
    enum nfsar_status status = nfsar_enhance_parse(file, size, &model, &error);
    assert_true(status == NFSAR_ERROR_FORMAT || status == NFSAR_ERROR_VERSION);
    assert_null(model);
    assert_contains(error.message, says);
}

/* Down to the smallest floats and up to the largest that are taken. */
static void extreme_scales_are_taken(void **state) {
    (void)state;
    const float scales[] = {1e-45f, 1e-39f, 7e37f};
    struct reference *net = reference_make(&odd, 1);
    nfsar_enhance_model *model = parse(net);
    for (int s = 0; s < 3; s++) {
        float in[2 * 12] = {0.0f}, out[12];
        in[5] = scales[s];
        in[12 + 5] = scales[s];
        run(model, NFSAR_KERNEL_AUTO, 1, 4, 3, in, out);
        for (int i = 0; i < 12; i++) {
            assert_true(isfinite(out[i]) && out[i] >= 0.0f && out[i] <= 1.5f * scales[s]);
        }
    }
    nfsar_enhance_model_free(model);
    reference_free(net);
}

/* 65536 tokens of one pixel each, in 64 heads of 64: 71 kB of weights. */
static void endless_networks_are_refused(void **state) {
    (void)state;
    const struct reference_shape many = {.inputs = 1,
                                         .stem = 1,
                                         .n_stage = 1,
                                         .channels = {1},
                                         .dims = {1},
                                         .depths = {1},
                                         .hidden = {1},
                                         .heads = 64,
                                         .head_dim = 64,
                                         .patch = 1,
                                         .shuffle = 1};
    struct reference *net = reference_make(&many, 1);
    nfsar_enhance_model *model = parse(net);
    nfsar_enhance_plan *plan = NULL;
    nfsar_enhance_options options = nfsar_enhance_defaults();
    nfsar_error error;
    options.threads = 1;
    assert_int_equal(nfsar_enhance_plan_create(model, 256, 256, &options, &plan, &error),
                     NFSAR_ERROR_UNSUPPORTED);
    assert_contains(error.message, "256 x 256 pixels, 65536 tokens, takes 3.5e+13 multiplications");
    assert_contains(error.message, "heads 64, head_dim 64, patch 1, shuffle 1");
    assert_null(plan);
    assert_ok(nfsar_enhance_plan_create(model, 64, 64, &options, &plan, &error), error);
    nfsar_enhance_plan_destroy(plan);
    options.threads = 100; /* each has tokens of its own */
    assert_int_equal(nfsar_enhance_plan_create(model, 96, 96, &options, &plan, &error),
                     NFSAR_ERROR_UNSUPPORTED);
    assert_contains(error.message, "GB with 100 threads");
    nfsar_enhance_model_free(model);
    reference_free(net);
}

/* Finite in the file, and neither when it is prepared nor when it is computed with. */
static void absurd_weights_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *name, *with;
        float value;
        const char *says;
    } prepared[] = {
        {"conv1.bn.weight", "conv1.bn.running_var", 0.0f, "tensors 'conv1.*'"},
        {"stem.0.dw.bn.weight", "stem.0.dw.bn.running_var", 0.0f, "tensors 'stem.0.dw.*'"},
        {"layers.0.norm1.weight", "layers.0.qkv.weight", 2.0f, "trunk.0.vit.layers.0.qkv.*"},
        {"layers.0.norm2.bias", "layers.0.mlp1.weight", 2.0f, "trunk.0.vit.layers.0.mlp1.*"}};
    for (size_t i = 0; i < sizeof prepared / sizeof prepared[0]; i++) {
        struct reference *net = reference_make(&odd, 1);
        reference_fill(net, prepared[i].name, 3.3e38f);
        reference_fill(net, prepared[i].with, prepared[i].value);
        size_t size;
        unsigned char *file = reference_file(net, &size);
        assert_refused(file, size, prepared[i].says);
        free(file);
        reference_free(net);
    }
    struct reference *net = reference_make(&odd, 1);
    reference_fill(net, "conv1.bn.weight", 1e37f);
    reference_fill(net, "head.bn.weight", 1e38f);
    reference_fill(net, "head.conv.weight", 0.3f);
    nfsar_enhance_model *model = parse(net);
    nfsar_enhance_plan *plan = NULL;
    nfsar_error error;
    float *in = reference_image(&odd, 8, 6, 1.0, 2), out[8 * 6];
    assert_ok(nfsar_enhance_plan_create(model, 8, 6, NULL, &plan, &error), error);
    assert_int_equal(nfsar_enhance_execute(plan, in, out, &error), NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "its weights are beyond what 32-bit floats can compute");
    free(in);
    nfsar_enhance_plan_destroy(plan);
    nfsar_enhance_model_free(model);
    reference_free(net);
}

/* Counted by hand: docs/enhance.md. */
static void costs_are_those_of_the_paper(void **state) {
    (void)state;
    struct reference *net = reference_make(&reference_paper, 1);
    nfsar_enhance_model *model = parse(net);
    nfsar_enhance_plan *plan = NULL;
    nfsar_error error;
    assert_ok(nfsar_enhance_plan_create(model, 256, 256, NULL, &plan, &error), error);
    assert_int_equal(reference_parameters(net), 69122);
    assert_int_equal(nfsar_enhance_model_info(model).parameters, 69122);
    assert_int_equal(nfsar_enhance_model_info(model).inputs, 1);
    assert_int_equal(nfsar_enhance_model_info(model).patch, 16);
    assert_near(1e-9 * nfsar_enhance_plan_products(plan), 14.07, 0.005);
    assert_true(nfsar_enhance_plan_memory(plan) < 100000000);
    nfsar_enhance_plan_destroy(plan);
    nfsar_enhance_model_free(model);
    reference_free(net);
}

static void bad_images_are_refused(void **state) {
    (void)state;
    struct reference_shape shape = odd;
    shape.inputs = 1;
    struct reference *net = reference_make(&shape, 1);
    nfsar_enhance_model *model = parse(net);
    nfsar_enhance_plan *plan = NULL;
    nfsar_enhance_options options = nfsar_enhance_defaults();
    nfsar_error error;
    assert_int_equal(nfsar_enhance_plan_create(model, 0, 4, NULL, &plan, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_int_equal(nfsar_enhance_plan_create(model, 4, 65537, NULL, &plan, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "4 x 65537 pixels");
    options.threads = -1;
    assert_int_equal(nfsar_enhance_plan_create(model, 4, 4, &options, &plan, &error),
                     NFSAR_ERROR_ARGUMENT);
    options.threads = 1;
    options.tile = 4097;
    assert_int_equal(nfsar_enhance_plan_create(model, 4, 4, &options, &plan, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "tile: 4097");
    assert_null(plan);
    assert_ok(nfsar_enhance_plan_create(model, 4, 3, NULL, &plan, &error), error);
    const float bad[] = {NAN, INFINITY, -1.0f, 2e38f};
    float out[12];
    for (int i = 0; i < 4; i++) {
        float image[12] = {1.0f};
        image[6] = bad[i];
        assert_int_equal(nfsar_enhance_execute(plan, image, out, &error), NFSAR_ERROR_ARGUMENT);
        assert_contains(error.message, "pixel (2, 1)");
    }
    nfsar_enhance_plan_destroy(plan);
    nfsar_enhance_model_free(model);
    reference_free(net);
}

/* Waves of random phases that fill a part of the band, wherever that is: pixels are so much of a
 * cell apart. */
static void spacing_is_that_of_the_band(void **state) {
    (void)state;
    enum { N = 64, PLANE = N * N };
    static const int bands[][3] = {{16, 8, 0}, {32, 24, 5}, {8, 48, -20}};
    for (size_t b = 0; b < sizeof bands / sizeof bands[0]; b++) {
        const int *band = bands[b];
        float *in = calloc(2 * PLANE, sizeof *in);
        uint32_t random = 7;
        for (int v = 0; v < band[1]; v++) {
            for (int u = 0; u < band[0]; u++) {
                random = random * 1664525u + 1013904223u;
                const double turn = (double)(random >> 8) / (1 << 24);
                for (int i = 0; i < PLANE; i++) {
                    const double at = (u + band[2]) * (i % N) + (v + band[2]) * (i / N);
                    in[i] += (float)cos(2.0 * M_PI * (turn + at / N));
                    in[PLANE + i] += (float)sin(2.0 * M_PI * (turn + at / N));
                }
            }
        }
        double spacing[2];
        nfsar_enhance_spacing(in, N, N, spacing);
        assert_near(spacing[0], (double)band[0] / N, 0.02);
        assert_near(spacing[1], (double)band[1] / N, 0.02);
        free(in);
    }
    const float none[8] = {0.0f};
    double spacing[2] = {1.0, 1.0};
    nfsar_enhance_spacing(none, 4, 1, spacing);
    assert_true(spacing[0] == 0.0 || spacing[0] < 1e-6);
    assert_true(spacing[1] == 0.0);
}

/* A part of the header in place of another of the same length or not; what the message must say. */
struct change {
    const char *from, *to, *says;
};

static const struct change changes[] = {
    {"nfsar-enhance", "nfsar-enhanced", "metadata 'format'"},
    {"\"format_version\":\"1\"", "\"format_version\":\"2\"", "format_version"},
    {"mobile-srvit", "mobile-srgan", "metadata 'architecture': 'mobile-srgan'"},
    {"\"normalisation\":\"peak\"", "\"normalisation\":\"mean\"", "normalisation"},
    {"\"input\":\"complex\"", "\"input\":\"phase\"", "magnitude, complex or complex+magnitude"},
    {"\"output\":\"residual\"", "\"output\":\"yes\"", "metadata 'output': 'yes'"},
    {"\"output\":\"residual\"", "\"output\":1", "metadata 'output': is missing"},
    {"\"channels\":\"5,7\"", "\"channels\":\"5,7,\"", "metadata 'channels'"},
    {"\"channels\":\"5,7\"", "\"channels\":\"5\"", "metadata 'dims'"},
    {"\"channels\":\"5,7\"", "\"channels\":\"5,99999999999999999999\"", "metadata 'channels'"},
    {"\"channels\":\"5,7\"", "\"channels\":\"5,8\"", "tensor 'trunk.1.mv2.pw.conv.weight'"},
    {"\"depths\":\"1,2\"", "\"depths\":\"1,0\"", "metadata 'depths'"},
    {"\"depths\":\"1,2\"", "\"depths\":\"1,3\"", "'trunk.1.vit.layers.2.qkv.weight' is missing"},
    {"\"depths\":\"1,2\"", "\"depths\":\"1,1\"", "belongs to no part of the network"},
    {"\"head_dim\":\"4\"", "\"head_dim\":\"6\"", "multiple of 4"},
    {"\"heads\":\"2\"", "\"heads\":\"-2\"", "metadata 'heads'"},
    {"\"patch\":\"2\"", "\"patch\":\"0\"", "metadata 'patch'"},
    {"\"shuffle\":\"1\"", "\"shuffle\":\"0\"", "metadata 'shuffle'"},
    {"\"shuffle\":\"1\"", "\"shuffle\":\"9\"", "'9'; it must be a whole number from 1 to 8"},
    {"\"shuffle\":\"1\"", "\"shuffled\":\"1\"", "metadata 'shuffle': is missing"},
    {"\"shuffle\":\"1\"", "\"shuffle\":\"2\"", "'conv1.conv.weight' is 5 x 2 x 3 x 3"},
    {"\"input\":\"complex\"", "\"input\":\"complex+magnitude\"",
     "'conv1.conv.weight' is 5 x 2 x 3 x 3; the metadata make it 5 x 3 x 3 x 3"},
    {"\"input\":\"complex\"", "\"input\":\"complex+phase\"", "complex or complex+magnitude"},
    {"\"stem\":\"1\"", "\"stem\":\"2\"", "'stem.1.dw.conv.weight' is missing"},
    {"\"conv1.bn.bias\"", "\"conv1.bn.bios\"", "'conv1.bn.bias' is missing"},
    {"\"conv1.bn.bias\"", "\"conv1.bn.weight\"", "no JSON"},
    {"\"dtype\":\"F32\"", "\"dtype\":\"F16\"", "its dtype is F16"},
    {"\"dtype\":\"F32\"", "\"dtype\":7", "its dtype is (none)"},
    {"\"shape\":[5,2,3,3]", "\"shape\":[5,3,2,3]", "'conv1.conv.weight' is 5 x 3 x 2 x 3"},
    {"\"shape\":[5,2,3,3]", "\"shape\":[5,2,3,3,1]", "tensor 'conv1.conv.weight': its shape"},
    {"\"shape\":[5,2,3,3]", "\"shape\":[5,-2,3,3]", "tensor 'conv1.conv.weight': its shape"},
    {"\"shape\":[5,2,3,3]", "\"shape\":[5,2,3,4]", "360 bytes for 120 numbers"},
    {"\"shape\":[5,2,3,3]", "\"shape\":[4294967296,4294967296,1,1]", "its shape"},
    {"\"shape\":[5,2,3,3]", "\"shape\":[0,2,3,3]", "its shape"},
    {"\"shape\":[5,2,3,3]", "\"shape\":90", "its shape"},
    {"[0,360]", "[4,364]", "does not begin where"},
    {"[0,360]", "[360,0]", "data_offsets"},
    {"[0,360]", "[0,360,720]", "data_offsets"},
    {"[0,360]", "[0.0,360.0]", "data_offsets"},
    {"[0,360]", "[2,362]", "data_offsets"},
    {"[0,360]", "[-4,356]", "data_offsets"},
    {"[0,360]", "[0,9223372036854775807]", "data_offsets"},
    {"{\"__metadata__\"", "[\"__metadata__\"", "does not begin with"},
    {"\"__metadata__\":{", "\"__metadata__\":[{", "no JSON"},
};

/* The file with one thing changed in its header; free with free(). */
static unsigned char *change_header(const unsigned char *file, size_t size,
                                    const struct change *change, size_t *changed) {
    const size_t from = strlen(change->from), to = strlen(change->to);
    const unsigned char *at = memmem(file, size, change->from, from);
    assert_non_null(at);
    const size_t before = (size_t)(at - file), after = size - before - from;
    uint64_t length = 0;
    for (int i = 7; i >= 0; i--) {
        length = length << 8 | file[i];
    }
    length += to - from;
    *changed = size + to - from;
    unsigned char *made = malloc(*changed);
    memcpy(made, file, before);
    memcpy(made + before, change->to, to);
    memcpy(made + before + to, at + from, after);
    for (int i = 0; i < 8; i++) {
        made[i] = (unsigned char)(length >> (8 * i));
    }
    return made;
}

static void foreign_weights_are_refused_by_name(void **state) {
    (void)state;
    struct reference *net = reference_make(&odd, 1);
    size_t size;
    unsigned char *file = reference_file(net, &size);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        size_t changed;
        unsigned char *made = change_header(file, size, &changes[i], &changed);
        assert_refused(made, changed, changes[i].says);
        free(made);
    }
    const float nan = NAN, negative = -0.5f;
    unsigned char *numbers = file + size;
    for (int i = 0; i < net->n; i++) {
        numbers -= 4 * net->tensor[i].count;
    }
    memcpy(numbers + 4 * 3, &nan, 4);
    assert_refused(file, size, "tensor 'conv1.conv.weight': number 3 is not finite");
    memcpy(numbers + 4 * 3, net->tensor[0].value + 3, 4);
    memcpy(numbers + 4 * (90 + 5 + 5 + 5), &negative, 4);
    assert_refused(file, size, "running_var': number 0 is negative");
    free(file);
    reference_free(net);
}

/* Whatever is read then lies in memory of exactly that size, under the sanitizers. */
static void cut_and_damaged_weights_are_refused(void **state) {
    (void)state;
    struct reference *net = reference_make(&odd, 1);
    size_t size, refused = 0;
    unsigned char *file = reference_file(net, &size);
    for (size_t length = 0; length < size; length += length < 1200 ? 1 : 97) {
        unsigned char *cut = malloc(length + 1);
        memcpy(cut, file, length);
        assert_refused(cut, length, "");
        free(cut);
    }
    unsigned char *longer = malloc(size + 4);
    memcpy(longer, file, size);
    memset(longer + size, 0, 4);
    assert_refused(longer, size + 4, "bytes behind the header");
    free(longer);
    uint32_t random = 1;
    for (int i = 0; i < 1500; i++) {
        random = random * 1664525u + 1013904223u;
        const size_t at = (random >> 8) % (i % 2 == 0 ? 1200 : 6000);
        const unsigned char was = file[at];
        nfsar_enhance_model *model = NULL;
        file[at] ^= (unsigned char)(1u << (random >> 29));
        refused += nfsar_enhance_parse(file, size, &model, NULL) != NFSAR_OK;
        nfsar_enhance_model_free(model);
        file[at] = was;
    }
    assert_true(refused > 1300); /* the rest: blanks, and numbers that are others now */
    free(file);
    reference_free(net);
}

static void weights_come_from_files(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_enhance_model *model = NULL;
    struct reference *net = reference_make(&odd, 1);
    size_t size;
    unsigned char *file = reference_file(net, &size);
    test_write_file("odd.safetensors", file, size);
    assert_ok(nfsar_enhance_load(test_path("odd.safetensors"), &model, &error), error);
    nfsar_enhance_model_free(model);
    test_write_file("cut.safetensors", file, size - 1);
    assert_int_equal(nfsar_enhance_load(test_path("cut.safetensors"), &model, &error),
                     NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "cut.safetensors: ");
    assert_int_equal(nfsar_enhance_load(test_path("none.safetensors"), &model, &error),
                     NFSAR_ERROR_FILE);
    assert_contains(error.message, "none.safetensors: No such file");
    assert_int_equal(nfsar_enhance_load(test_folder(), &model, &error), NFSAR_ERROR_FILE);
    assert_int_equal(nfsar_enhance_load("/dev/zero", &model, &error), NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "64 MiB");
    free(file);
    reference_free(net);
}

static void networks_are_built_in(void **state) {
    (void)state;
    nfsar_error error;
    nfsar_enhance_model *model = NULL;
    static const char *const names[] = {"default", "paper"};
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(nfsar_enhance_builtin_name(i), names[i]);
        assert_ok(nfsar_enhance_builtin(names[i], &model, &error), error);
        assert_non_null(nfsar_enhance_model_text(model, "variant"));
        assert_null(nfsar_enhance_model_text(model, "no such key"));
        if (i == 1) {
            assert_int_equal(nfsar_enhance_model_info(model).parameters, 69122);
            assert_string_equal(nfsar_enhance_model_text(model, "variant"), "paper");
        }
        nfsar_enhance_model_free(model);
    }
    assert_null(nfsar_enhance_builtin_name(2));
    assert_int_equal(nfsar_enhance_builtin("Paper", &model, &error), NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "'Paper' is built in: there are default and paper");
    assert_null(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paper_network_agrees),
        cmocka_unit_test(folded_network_agrees),
        cmocka_unit_test(any_shape_and_size_agrees),
        cmocka_unit_test(threads_and_scale_do_not_matter),
        cmocka_unit_test(extreme_scales_are_taken),
        cmocka_unit_test(endless_networks_are_refused),
        cmocka_unit_test(absurd_weights_are_refused),
        cmocka_unit_test(costs_are_those_of_the_paper),
        cmocka_unit_test(bad_images_are_refused),
        cmocka_unit_test(spacing_is_that_of_the_band),
        cmocka_unit_test(foreign_weights_are_refused_by_name),
        cmocka_unit_test(cut_and_damaged_weights_are_refused),
        cmocka_unit_test(weights_come_from_files),
        cmocka_unit_test(networks_are_built_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
