/* What a plan is made of, for those who measure it. */
#include "algorithms/rma_plan.h"

static void add(nfsar_rma_transform *list, size_t room, size_t *n, size_t length, size_t batch,
                size_t count, int sign) {
    if (length > 1 && count > 0) {
        if (*n < room) {
            list[*n] = (nfsar_rma_transform){length, batch, count, sign};
        }
        ++*n;
    }
}

/* Lines to the grid along one axis. */
static void add_lateral(nfsar_rma_transform *list, size_t room, size_t *n, const lateral *to_grid,
                        size_t batch, size_t count) {
    size_t forward, backward;
    lateral_transforms(to_grid, &forward, &backward);
    add(list, room, n, forward, batch, count, FFTW_FORWARD);
    add(list, room, n, backward, batch, count, FFTW_BACKWARD);
}

size_t nfsar_rma_plan_transforms(const nfsar_rma_plan *plan, nfsar_rma_transform *list,
                                 size_t room) {
    const struct rma_axis *x = &plan->x, *y = &plan->y;
    size_t n = 0, nz = plan->grid.z.count, depths = plan->depth->n_node, leaders = 0;
    size_t blocks = (plan->n_wave + plan->k_block - 1) / plan->k_block;
    size_t slabs = (nz + plan->z_slab - 1) / plan->z_slab;
    size_t waves = (blocks > 1 ? slabs : 1) * plan->n_wave;
    for (size_t s = 0; s < plan->lattice->n_shift; s++) {
        leaders += plan->leader[s] == s;
    }
    add(list, room, &n, x->length, y->n, waves * plan->lattice->n_shift, FFTW_FORWARD);
    add(list, room, &n, y->length, x->bins, waves * leaders, FFTW_FORWARD);
    if (plan->to_depth != NULL) {
        add(list, room, &n, depthsum_length(plan->to_depth), x->bins, slabs * blocks * y->bins,
            FFTW_FORWARD);
    }
    add_lateral(list, room, &n, x->to_grid, y->bins, slabs * blocks * depths);
    add_lateral(list, room, &n, y->to_grid, plan->grid.x.count, slabs * depths);
    return n;
}

size_t nfsar_rma_plan_memory(const nfsar_rma_plan *plan) {
    return plan->bytes;
}
