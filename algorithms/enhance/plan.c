#include "algorithms/enhance/plan.h"

#include <omp.h>
#include <stdlib.h>

#include "algorithms/buffer.h"

/* Of one tile: some 40 times what the paper's network takes, a minute of one core; and bytes. */
#define MOST_PRODUCTS 1e12
#define MOST_BYTES    2147483648.0

static size_t round_up(size_t n, size_t to) {
    return (n + to - 1) / to * to;
}

static bool make_image(struct enhance_plan *plan, size_t planes, struct enhance_image *image) {
    const size_t pitch = plan->row * (plan->height + 2), n = planes * pitch + 2 * ENHANCE_SLACK;
    image->owned = buffer_zeros(n, sizeof *image->owned);
    if (image->owned == NULL) {
        return false;
    }
    image->planes.data = image->owned + ENHANCE_SLACK + plan->row;
    image->planes.pitch = pitch;
    plan->memory += n * sizeof *image->owned;
    return true;
}

/* The most that any stage needs. */
struct widths {
    size_t channels, d, hidden;
};

static struct widths find_widths(const struct enhance_shape *shape) {
    /* What goes in is in twice as many planes as a stage has, what comes out in as many. */
    const size_t square = (size_t)(shape->shuffle * shape->shuffle);
    struct widths most = {.channels = square * (shape->planes > 2 ? 2 : 1)};
    for (int s = 0; s < shape->n_stage; s++) {
        const struct enhance_stage_shape *stage = &shape->stage[s];
        const struct widths is = {(size_t)stage->channels, (size_t)stage->d, (size_t)stage->hidden};
        most.channels = is.channels > most.channels ? is.channels : most.channels;
        most.d = is.d > most.d ? is.d : most.d;
        most.hidden = is.hidden > most.hidden ? is.hidden : most.hidden;
    }
    return most;
}

/* Numbers that a thread needs. */
static size_t group_size(const struct enhance_plan *plan, struct widths most) {
    const size_t size = (size_t)plan->model->shape.head_dim;
    const size_t inner = (size_t)plan->model->shape.heads * size;
    return (2 * most.d + 3 * size + inner + most.hidden) * plan->pitch + ENHANCE_SCORES;
}

/* Weights of a few kilobytes can ask for any number of products and bytes. */
static enum nfsar_status check_cost(const struct enhance_plan *plan, struct widths most,
                                    nfsar_error *error) {
    const struct enhance_shape *shape = &plan->model->shape;
    const double products =
        enhance_model_products(plan->model, (double)plan->width * (double)plan->height);
    const double planes = (double)(4 * most.channels + most.d);
    const double bytes = 4.0 * (planes * (double)plan->row * (double)(plan->height + 2) +
                                (double)plan->threads * (double)group_size(plan, most));
    if (products <= MOST_PRODUCTS && bytes <= MOST_BYTES) {
        return NFSAR_OK;
    }
    return nfsar_fail(error, NFSAR_ERROR_UNSUPPORTED,
                      "one tile of %zu x %zu pixels, %zu tokens, takes %.2g multiplications and "
                      "%.2g GB with %d threads: at most 1e+12 and 2.1 are allowed (heads %d, "
                      "head_dim %d, patch %d, shuffle %d)",
                      plan->width * (size_t)shape->shuffle, plan->height * (size_t)shape->shuffle,
                      plan->tokens, products, 1e-9 * bytes, plan->threads, shape->heads,
                      shape->head_dim, shape->patch, shape->shuffle);
}

static bool make_group(struct enhance_plan *plan, struct widths most, struct enhance_group *group) {
    const struct enhance_shape *shape = &plan->model->shape;
    const size_t size = (size_t)shape->head_dim, inner = (size_t)shape->heads * size;
    const size_t n = group_size(plan, most);
    group->owned = buffer_zeros(n, sizeof *group->owned);
    if (group->owned == NULL) {
        return false;
    }
    group->scores = group->owned;
    group->tokens = group->scores + ENHANCE_SCORES;
    group->normal = group->tokens + most.d * plan->pitch;
    group->qkv = group->normal + most.d * plan->pitch;
    group->attention = group->qkv + 3 * size * plan->pitch;
    group->hidden = group->attention + inner * plan->pitch;
    plan->memory += n * sizeof *group->owned;
    return true;
}

static enum nfsar_status prepare(struct enhance_plan *plan, size_t nx, size_t ny,
                                 nfsar_error *error) {
    const struct enhance_shape *shape = &plan->model->shape;
    const struct widths most = find_widths(shape);
    const size_t patch = (size_t)shape->patch, shuffle = (size_t)shape->shuffle;
    plan->width = round_up(nx, patch * shuffle) / shuffle;
    plan->height = round_up(ny, patch * shuffle) / shuffle;
    plan->row = round_up(plan->width, ENHANCE_SLACK) + ENHANCE_SLACK;
    plan->tokens = plan->width / patch * (plan->height / patch);
    plan->rounded = round_up(plan->tokens, ENHANCE_QUERIES);
    /* Rows that are a power of two apart would push each other out of the cache. */
    plan->pitch = plan->rounded + ENHANCE_SLACK;
    const enum nfsar_status status = check_cost(plan, most, error);
    if (status != NFSAR_OK) {
        return status;
    }
    bool made = make_image(plan, most.channels, &plan->now) &&
                make_image(plan, most.channels, &plan->mid) &&
                make_image(plan, 2 * most.channels, &plan->pair) &&
                make_image(plan, most.d, &plan->narrow);
    plan->group = calloc((size_t)plan->threads, sizeof *plan->group);
    made = made && plan->group != NULL;
    for (int t = 0; made && t < plan->threads; t++) {
        made = make_group(plan, most, &plan->group[t]);
    }
    return made ? NFSAR_OK
                : nfsar_fail(error, NFSAR_ERROR_MEMORY,
                             "out of memory: an image of %zu x %zu pixels takes %.0f MB", nx, ny,
                             4e-6 * (double)(4 * most.channels + most.d) * (double)plan->row *
                                 (double)plan->height);
}

enum nfsar_status enhance_plan_create(const nfsar_enhance_model *model, size_t nx, size_t ny,
                                      const nfsar_enhance_options *options,
                                      struct enhance_plan **plan, nfsar_error *error) {
    const struct enhance_kernels *kernels = NULL;
    *plan = NULL;
    enum nfsar_status status = enhance_kernels_choose(options->kernel, &kernels, error);
    if (status != NFSAR_OK) {
        return status;
    }
    struct enhance_plan *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    made->model = model;
    made->kernels = kernels;
    made->threads = options->threads > 0 ? options->threads : omp_get_num_procs();
    status = prepare(made, nx, ny, error);
    if (status != NFSAR_OK) {
        enhance_plan_destroy(made);
        return status;
    }
    *plan = made;
    return NFSAR_OK;
}

void enhance_plan_destroy(struct enhance_plan *plan) {
    if (plan == NULL) {
        return;
    }
    for (int t = 0; plan->group != NULL && t < plan->threads; t++) {
        free(plan->group[t].owned);
    }
    free(plan->group);
    free(plan->now.owned);
    free(plan->mid.owned);
    free(plan->pair.owned);
    free(plan->narrow.owned);
    free(plan);
}
