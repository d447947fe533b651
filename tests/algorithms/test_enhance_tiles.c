/* Images that go through a network in tiles: what comes out is as if they had not. */
#include "tests/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/enhance.h>

#include "tests/algorithms/enhance_reference.h"

/* Patches of 6 pixels: tiles of 60 are ones of 60, and overlap by 18. */
static const struct reference_shape shape = {.inputs = 2,
                                             .with_magnitude = true,
                                             .stem = 1,
                                             .n_stage = 1,
                                             .channels = {6},
                                             .dims = {4},
                                             .depths = {1},
                                             .hidden = {6},
                                             .heads = 2,
                                             .head_dim = 4,
                                             .patch = 2,
                                             .output = REFERENCE_RESIDUAL,
                                             .shuffle = 3};

enum { NX = 157, NY = 70, PIXELS = NX * NY, TILE = 60, PATCH = 6 };

/* Of the five convolutions of 3 x 3 squares: pixels that a result depends on, on either side. */
enum { REACH = 5 * 3 + 2 };

static nfsar_enhance_model *parse(const struct reference *net) {
    nfsar_error error;
    nfsar_enhance_model *model = NULL;
    size_t size;
    unsigned char *file = reference_file(net, &size);
    assert_ok(nfsar_enhance_parse(file, size, &model, &error), error);
    free(file);
    return model;
}

/* How many tiles there were. */
static size_t run(const struct reference *net, size_t tile, const float *in, float *out) {
    nfsar_error error;
    nfsar_enhance_model *model = parse(net);
    nfsar_enhance_plan *plan = NULL;
    nfsar_enhance_options options = nfsar_enhance_defaults();
    options.threads = 2;
    options.tile = tile;
    assert_ok(nfsar_enhance_plan_create(model, NX, NY, &options, &plan, &error), error);
    memset(out, 0xff, PIXELS * sizeof *out);
    assert_ok(nfsar_enhance_execute(plan, in, out, &error), error);
    const size_t tiles = nfsar_enhance_plan_tiles(plan);
    nfsar_enhance_plan_destroy(plan);
    nfsar_enhance_model_free(model);
    return tiles;
}

/* 157 pixels are 162 of whole patches, of which a tile leaves 102; tiles overlap by 18 at least, so
 * that there are three more, at multiples of 6 up to 34, 68 and 102. */
static const int begins[] = {0, 30, 66, 102};

/* An image of which every tile has the same largest magnitude, in two places of two tiles each; the
 * columns from `dim` on are 24 dB below what they were. */
static float *make_image(int dim) {
    float *in = reference_image(&shape, NX, NY, 3.0, 2);
    const int at[] = {40, 116};
    for (int k = 0; k < 2; k++) {
        in[20 * NX + at[k]] = 4.0f;
        in[PIXELS + 20 * NX + at[k]] = 3.0f;
    }
    for (int i = 0; i < 2 * PIXELS; i++) {
        in[i] *= i % PIXELS % NX < dim ? 1.0f : 0x1p-4f;
    }
    return in;
}

/* A head of zeros: the input's magnitude comes out, or the same part of the peak everywhere. */
static void weights_of_tiles_sum_to_one(void **state) {
    (void)state;
    struct reference_shape plain = shape;
    plain.output = REFERENCE_SILU;
    const struct reference_shape *kinds[] = {&shape, &plain};
    for (int k = 0; k < 2; k++) {
        struct reference *net = reference_make(kinds[k], 1);
        float *in = make_image(NX), *out = malloc(PIXELS * sizeof *out);
        reference_fill(net, "head.conv.weight", 0.0f);
        reference_fill(net, "head.bn.running_mean", 0.0f);
        reference_fill(net, "head.bn.bias", k == 0 ? 0.0f : 0.5f);
        assert_int_equal(run(net, TILE, in, out), 4);
        for (int i = 0; i < PIXELS; i++) {
            const double came = hypot((double)in[i], (double)in[PIXELS + i]);
            const double wanted = k == 0 ? came : 5.0 * 0.5 / (1.0 + exp(-0.5));
            assert_near(out[i], wanted, 1e-6 * 5.0);
        }
        free(in);
        free(out);
        reference_free(net);
    }
}

/* The last tile has nothing of the bright half, and comes out as it does when all is bright; the
 * first has nothing of the dim one. Tiles of zeros stay zero. */
static void tiles_keep_their_level(void **state) {
    (void)state;
    struct reference *net = reference_make(&shape, 1);
    float *in = make_image(NX), *dim = make_image(80);
    float *bright = malloc(PIXELS * sizeof *bright), *out = malloc(PIXELS * sizeof *out);
    assert_int_equal(run(net, TILE, in, bright), 4);
    assert_int_equal(run(net, TILE, dim, out), 4);
    int several = 0;
    for (int i = 0; i < PIXELS; i++) {
        const int x = i % NX;
        if (x < begins[1] || x >= begins[2] + TILE) {
            assert_true(out[i] == (x < 80 ? 1.0f : 0x1p-4f) * bright[i]);
            several += x >= 80 && out[i] > 0.0f && out[i] < 5.0f * 0x1p-4f;
        }
    }
    assert_true(several > 10 * NY);
    for (int i = 0; i < 2 * PIXELS; i++) {
        dim[i] = i % PIXELS % NX < 80 ? dim[i] : 0.0f;
    }
    run(net, TILE, dim, out);
    for (int i = 0; i < PIXELS; i++) {
        assert_true(i % NX < begins[2] + TILE || out[i] == 0.0f);
    }
    free(in);
    free(dim);
    free(bright);
    free(out);
    reference_free(net);
}

/* Without attention a result depends on pixels within reach alone: so far from the edges of tiles,
 * it is that of the whole image. */
static void tiles_of_convolutions_are_the_whole(void **state) {
    (void)state;
    struct reference *net = reference_make(&shape, 1);
    reference_fill(net, ".out.weight", 0.0f);
    reference_fill(net, ".out.bias", 0.0f);
    reference_fill(net, ".mlp2.weight", 0.0f);
    reference_fill(net, ".mlp2.bias", 0.0f);
    float *in = make_image(NX);
    float *whole = malloc(PIXELS * sizeof *whole), *tiled = malloc(PIXELS * sizeof *tiled);
    assert_int_equal(run(net, 1000, in, whole), 1);
    assert_int_equal(run(net, TILE, in, tiled), 4);
    int compared = 0;
    for (int i = 0; i < PIXELS; i++) {
        bool near = false;
        for (int k = 0; k < 4; k++) {
            near = near || (k > 0 && abs(i % NX - begins[k]) < REACH) ||
                   (k < 3 && abs(i % NX - begins[k] - TILE) < REACH);
        }
        if (!near) {
            compared++;
            assert_near(tiled[i], whole[i], 3e-6);
        }
    }
    assert_true(compared > 20 * NY);
    free(in);
    free(whole);
    free(tiled);
    reference_free(net);
}

/* Where a tile begins or ends, what comes out changes from pixel to pixel no more than it does
 * elsewhere at the same place of a patch: the weights are next to nothing there. */
static void seams_of(int dim) {
    struct reference *net = reference_make(&shape, 1);
    float *in = make_image(dim);
    float *whole = malloc(PIXELS * sizeof *whole), *tiled = malloc(PIXELS * sizeof *tiled);
    assert_int_equal(run(net, 1000, in, whole), 1);
    assert_int_equal(run(net, TILE, in, tiled), 4);
    double step[NX] = {0}, beside = 0.0, seams = 0.0, largest = 0.0;
    for (int x = 1; x < NX; x++) {
        for (int y = 0; y < NY; y++) {
            const int i = y * NX + x;
            const double off = (double)tiled[i] - (double)whole[i];
            largest = fmax(largest, fabs(off));
            step[x] += fabs(off - (double)tiled[i - 1] + (double)whole[i - 1]) / NY;
        }
    }
    assert_true(largest > 0.01); /* attention sees other pixels */
    for (int k = 1; k < 4; k++) {
        const int edge[2] = {begins[k], begins[k - 1] + TILE};
        for (int e = 0; e < 2; e++) {
            seams += step[edge[e]] / 6.0;
            beside += (step[edge[e] - PATCH] + step[edge[e] + PATCH]) / 12.0;
        }
    }
    print_message("differences change by %.3g at the edges of tiles, by %.3g a patch beside them, "
                  "and are %.3g at most\n",
                  seams, beside, largest);
    assert_true(seams < 1.05 * beside);
    free(in);
    free(whole);
    free(tiled);
    reference_free(net);
}

static void tiles_leave_no_seams(void **state) {
    (void)state;
    seams_of(NX);
    seams_of(80); /* tiles of peaks 24 dB apart */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_of_tiles_sum_to_one),
        cmocka_unit_test(tiles_keep_their_level),
        cmocka_unit_test(tiles_of_convolutions_are_the_whole),
        cmocka_unit_test(tiles_leave_no_seams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
