/* The transformer of one group: its tokens go through all layers while they are in the cache. */
#include "algorithms/enhance/plan.h"

static struct enhance_planes planes(const struct enhance_plan *plan, float *data) {
    return (struct enhance_planes){data, plan->pitch};
}

static void run(const struct enhance_plan *plan, const struct enhance_product *product, float *in,
                float *out) {
    plan->kernels->product(product, planes(plan, in), 0, planes(plan, out), NULL, plan->rounded);
}

/* to += product of in */
static void run_onto(const struct enhance_plan *plan, const struct enhance_product *product,
                     float *in, float *to) {
    const struct enhance_planes sum = planes(plan, to);
    plan->kernels->product(product, planes(plan, in), 0, sum, &sum, plan->rounded);
}

static void normalise(const struct enhance_plan *plan, int d, const struct enhance_group *group) {
    plan->kernels->norm(planes(plan, group->tokens), d, planes(plan, group->normal), plan->rounded);
}

static void attend(const struct enhance_plan *plan, const struct enhance_layer *layer,
                   const struct enhance_group *group) {
    const struct enhance_shape *shape = &plan->model->shape;
    const size_t step = (size_t)shape->head_dim * plan->pitch;
    for (int h = 0; h < shape->heads; h++) {
        run(plan, &layer->qkv[h], group->normal, group->qkv);
        plan->kernels->attention(group->qkv, group->qkv + step, group->qkv + 2 * step, plan->pitch,
                                 shape->head_dim, plan->tokens, plan->rounded, group->scores,
                                 group->attention + (size_t)h * step);
    }
    run_onto(plan, &layer->out, group->attention, group->tokens);
}

void enhance_transform_group(const struct enhance_plan *plan, int stage,
                             const struct enhance_group *group) {
    const struct enhance_stage_shape *shape = &plan->model->shape.stage[stage];
    for (int i = 0; i < shape->depth; i++) {
        const struct enhance_layer *layer = &plan->model->stage[stage].layer[i];
        normalise(plan, shape->d, group);
        attend(plan, layer, group);
        normalise(plan, shape->d, group);
        run(plan, &layer->mlp1, group->normal, group->hidden);
        run_onto(plan, &layer->mlp2, group->hidden, group->tokens);
    }
}
