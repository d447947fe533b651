/* Images of any size: larger ones than the network has been trained with go through it in tiles
 * that overlap, and of which each pixel takes a mean whose weights change smoothly. */
#include "algorithms/enhance/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/geometry.h>

#include "algorithms/buffer.h"

enum {
    SIDE = 65536, /* most pixels along a side of an image */
    TILE = 256,   /* pixels along a side of a tile, which is what networks are trained with */
    LARGEST_TILE = 4096, /* attention's cost grows with the fourth power of it */
    OVERLAP = 4          /* tiles overlap by this part of their side, at least */
};

/* One tile as long as the axis up to 5/4 of what tiles have otherwise. */
static bool in_one(size_t n, size_t tile) {
    return n <= tile + tile / 4;
}

/* Tiles along an axis. */
struct axis {
    size_t n;       /* pixels of the image */
    size_t count;   /* tiles */
    size_t side;    /* pixels of a tile */
    size_t unit;    /* tiles start at multiples of this */
    size_t overlap; /* over which the weights change */
};

struct nfsar_enhance_plan {
    const nfsar_enhance_model *model;
    struct enhance_plan *network; /* of a tile */
    struct axis x, y;
    float *weight_x, *weight_y; /* [x.count][x.side] */
};

nfsar_enhance_options nfsar_enhance_defaults(void) {
    return (nfsar_enhance_options){.kernel = NFSAR_KERNEL_AUTO};
}

static size_t round_up(size_t n, size_t to) {
    return (n + to - 1) / to * to;
}

static struct axis split(size_t n, size_t tile, size_t patch) {
    tile = round_up(tile < OVERLAP * patch ? OVERLAP * patch : tile, patch);
    struct axis axis = {.n = n, .count = 1, .side = n, .unit = patch};
    if (!in_one(n, tile)) {
        const size_t whole = round_up(n, patch), overlap = round_up(tile / OVERLAP, patch);
        axis.side = tile;
        axis.overlap = overlap;
        axis.count = 1 + (whole - overlap - 1) / (tile - overlap);
    }
    return axis;
}

/* First pixel of tile k; the last one ends with the image, but for what is missing to the patch. */
static size_t start(const struct axis *axis, size_t k) {
    if (axis->count == 1) {
        return 0;
    }
    const size_t room = round_up(axis->n, axis->unit) - axis->side;
    return k * room / (axis->count - 1) / axis->unit * axis->unit;
}

/* Of the pixels of tile k that the image has. */
static size_t length(const struct axis *axis, size_t k) {
    const size_t left = axis->n - start(axis, k);
    return left < axis->side ? left : axis->side;
}

/* From 0 to 1 in the middle of where tiles k - 1 and k overlap. */
static double rise(const struct axis *axis, size_t k, size_t x) {
    if (k == 0 || k == axis->count) {
        return k == 0 ? 1.0 : 0.0;
    }
    const double middle = 0.5 * (double)(start(axis, k) + start(axis, k - 1) + axis->side);
    const double at = ((double)x + 0.5 - middle) / (double)axis->overlap + 0.5;
    return at <= 0.0 ? 0.0 : at >= 1.0 ? 1.0 : pow(sin(0.5 * NFSAR_PI * at), 2.0);
}

/* Weights of all tiles, whose sum is 1 at every pixel. */
static float *make_weights(const struct axis *axis) {
    float *weight = buffer_zeros(axis->count * axis->side, sizeof *weight);
    for (size_t k = 0; weight != NULL && k < axis->count; k++) {
        for (size_t i = 0; i < axis->side; i++) {
            const size_t x = start(axis, k) + i;
            weight[k * axis->side + i] = (float)(rise(axis, k, x) - rise(axis, k + 1, x));
        }
    }
    return weight;
}

static enum nfsar_status check(size_t nx, size_t ny, const nfsar_enhance_options *options,
                               nfsar_error *error) {
    if (nx < 1 || ny < 1 || nx > SIDE || ny > SIDE) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "an image of %zu x %zu pixels: enhancing takes 1 to %d along each side",
                          nx, ny, SIDE);
    }
    if (options->threads < 0) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "threads: %d is below 0", options->threads);
    }
    if (options->tile > LARGEST_TILE) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "tile: %zu is above %d", options->tile,
                          LARGEST_TILE);
    }
    return NFSAR_OK;
}

enum nfsar_status nfsar_enhance_plan_create(const nfsar_enhance_model *model, size_t nx, size_t ny,
                                            const nfsar_enhance_options *options,
                                            nfsar_enhance_plan **plan, nfsar_error *error) {
    const nfsar_enhance_options chosen = options != NULL ? *options : nfsar_enhance_defaults();
    *plan = NULL;
    enum nfsar_status status = check(nx, ny, &chosen, error);
    if (status != NFSAR_OK) {
        return status;
    }
    nfsar_enhance_plan *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    const size_t tile = chosen.tile > 0 ? chosen.tile : TILE;
    const size_t patch = (size_t)(model->shape.patch * model->shape.shuffle);
    made->model = model;
    made->x = split(nx, tile, patch);
    made->y = split(ny, tile, patch);
    made->weight_x = make_weights(&made->x);
    made->weight_y = make_weights(&made->y);
    status =
        made->weight_x != NULL && made->weight_y != NULL
            ? enhance_plan_create(model, made->x.side, made->y.side, &chosen, &made->network, error)
            : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    if (status != NFSAR_OK) {
        nfsar_enhance_plan_destroy(made);
        return status;
    }
    *plan = made;
    return NFSAR_OK;
}

size_t nfsar_enhance_plan_memory(const nfsar_enhance_plan *plan) {
    const size_t weights = plan->x.count * plan->x.side + plan->y.count * plan->y.side;
    return plan->network->memory + weights * sizeof *plan->weight_x;
}

size_t nfsar_enhance_plan_tiles(const nfsar_enhance_plan *plan) {
    return plan->x.count * plan->y.count;
}

double nfsar_enhance_plan_products(const nfsar_enhance_plan *plan) {
    const double squares = (double)plan->network->width * (double)plan->network->height;
    return (double)nfsar_enhance_plan_tiles(plan) * enhance_model_products(plan->model, squares);
}

void nfsar_enhance_plan_destroy(nfsar_enhance_plan *plan) {
    if (plan == NULL) {
        return;
    }
    enhance_plan_destroy(plan->network);
    free(plan->weight_x);
    free(plan->weight_y);
    free(plan);
}

/* Whether the network can take the image. */
static enum nfsar_status check_image(const nfsar_enhance_plan *plan, const float *in,
                                     nfsar_error *error) {
    const size_t nx = plan->x.n, pixels = nx * plan->y.n;
    for (size_t i = 0; i < pixels; i++) {
        const double is = enhance_magnitude(&plan->model->shape, in, pixels, i);
        if (!(is >= 0.0 && is <= NFSAR_ENHANCE_LARGEST)) {
            return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                              "pixel (%zu, %zu) is %g: images are enhanced from magnitudes of 0 to "
                              "%g",
                              i % nx, i / nx, is, NFSAR_ENHANCE_LARGEST);
        }
    }
    return NFSAR_OK;
}

static enum nfsar_status run_tile(nfsar_enhance_plan *plan, size_t kx, size_t ky, const float *in,
                                  float *out, nfsar_error *error) {
    const size_t first = start(&plan->y, ky) * plan->x.n + start(&plan->x, kx);
    const struct enhance_part part = {.in = in + first,
                                      .out = out + first,
                                      .row = plan->x.n,
                                      .plane = plan->x.n * plan->y.n,
                                      .nx = length(&plan->x, kx),
                                      .ny = length(&plan->y, ky),
                                      .weight_x = plan->weight_x + kx * plan->x.side,
                                      .weight_y = plan->weight_y + ky * plan->y.side};
    return enhance_plan_execute(plan->network, &part, error);
}

enum nfsar_status nfsar_enhance_execute(nfsar_enhance_plan *plan, const float *in, float *out,
                                        nfsar_error *error) {
    enum nfsar_status status = check_image(plan, in, error);
    if (status != NFSAR_OK) {
        return status;
    }
    memset(out, 0, plan->x.n * plan->y.n * sizeof *out);
    for (size_t k = 0; status == NFSAR_OK && k < nfsar_enhance_plan_tiles(plan); k++) {
        status = run_tile(plan, k % plan->x.count, k / plan->x.count, in, out, error);
    }
    return status;
}
