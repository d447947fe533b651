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
                                             .residual = true,
                                             .shuffle = 3};

enum { NX = 157, NY = 70, PIXELS = NX * NY, TILE = 60, OVERLAP = 18 };

/* Of the five convolutions of 3 x 3 squares: pixels that a result depends on, on either side. */
enum { REACH = 5 * 3 + 2 };

static void fill(struct reference *net, const char *end, float value) {
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
    assert_true(found > 0);
}

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
    assert_ok(nfsar_enhance_execute(plan, in, 0.0, out, &error), error);
    const size_t tiles = nfsar_enhance_plan_tiles(plan);
    nfsar_enhance_plan_destroy(plan);
    nfsar_enhance_model_free(model);
    return tiles;
}

/* A head of zeros: the input's magnitude comes out, or the same number everywhere. */
static void weights_of_tiles_sum_to_one(void **state) {
    (void)state;
    struct reference_shape plain = shape;
    plain.residual = false;
    const struct reference_shape *kinds[] = {&shape, &plain};
    for (int k = 0; k < 2; k++) {
        struct reference *net = reference_make(kinds[k], 1);
        float *in = reference_image(&shape, NX, NY, 3.0, 2), *out = malloc(PIXELS * sizeof *out);
        double peak = 0.0;
        for (int i = 0; i < PIXELS; i++) {
            peak = fmax(peak, hypot((double)in[i], (double)in[PIXELS + i]));
        }
        fill(net, "head.conv.weight", 0.0f);
        fill(net, "head.bn.running_mean", 0.0f);
        fill(net, "head.bn.bias", k == 0 ? 0.0f : 2.0f);
        assert_int_equal(run(net, TILE, in, out), 4);
        for (int i = 0; i < PIXELS; i++) {
            const double came = hypot((double)in[i], (double)in[PIXELS + i]);
            const double wanted = k == 0 ? came : peak * 2.0 / (1.0 + exp(-2.0));
            assert_near(out[i], wanted, 1e-6 * peak);
        }
        free(in);
        free(out);
        reference_free(net);
    }
}

/* 157 pixels are 162 of whole patches, of which a tile leaves 102; tiles overlap by 18 at least, so
 * that there are three more, at multiples of 6 up to 34, 68 and 102. */
static const int begins[] = {0, 30, 66, 102};

/* Without attention a result depends on pixels within reach alone: so far from the edges of tiles,
 * it is that of the whole image. */
static void tiles_of_convolutions_are_the_whole(void **state) {
    (void)state;
    struct reference *net = reference_make(&shape, 1);
    fill(net, ".out.weight", 0.0f);
    fill(net, ".out.bias", 0.0f);
    fill(net, ".mlp2.weight", 0.0f);
    fill(net, ".mlp2.bias", 0.0f);
    float *in = reference_image(&shape, NX, NY, 3.0, 2);
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
 * elsewhere: the weights are next to nothing there. */
static void tiles_leave_no_seams(void **state) {
    (void)state;
    struct reference *net = reference_make(&shape, 1);
    float *in = reference_image(&shape, NX, NY, 3.0, 2);
    float *whole = malloc(PIXELS * sizeof *whole), *tiled = malloc(PIXELS * sizeof *tiled);
    assert_int_equal(run(net, 1000, in, whole), 1);
    assert_int_equal(run(net, TILE, in, tiled), 4);
    double step[NX] = {0}, all = 0.0, seams = 0.0, largest = 0.0;
    for (int x = 1; x < NX; x++) {
        for (int y = 0; y < NY; y++) {
            const int i = y * NX + x;
            const double off = (double)tiled[i] - (double)whole[i];
            largest = fmax(largest, fabs(off));
            step[x] += fabs(off - (double)tiled[i - 1] + (double)whole[i - 1]) / NY;
        }
        all += step[x] / (NX - 1);
    }
    assert_true(largest > 0.01); /* attention sees other pixels */
    for (int k = 1; k < 4; k++) {
        seams += (step[begins[k]] + step[begins[k - 1] + TILE]) / 6.0;
    }
    print_message("differences change by %.3g at the edges of tiles, by %.3g on the average, and "
                  "are %.3g at most\n",
                  seams, all, largest);
    assert_true(seams < all);
    free(in);
    free(whole);
    free(tiled);
    reference_free(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_of_tiles_sum_to_one),
        cmocka_unit_test(tiles_of_convolutions_are_the_whole),
        cmocka_unit_test(tiles_leave_no_seams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
