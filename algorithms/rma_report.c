/* What a plan is made of, for those who measure it. */
#include "algorithms/rma_plan.h"

static void add(nfsar_rma_transform *list, size_t room, size_t *n, nfsar_rma_transform kind) {
    if (kind.length > 1 && kind.count > 0) {
        if (*n < room) {
            list[*n] = kind;
        }
        ++*n;
    }
}

size_t nfsar_rma_plan_transforms(const nfsar_rma_plan *plan, nfsar_rma_transform *list,
                                 size_t room) {
    const struct rma_axis *x = &plan->x, *y = &plan->y;
    size_t n = 0, nz = plan->grid.z.count;
    size_t slabs = (nz + plan->z_slab - 1) / plan->z_slab;
    size_t loads = plan->k_block < plan->capture->n_sample ? slabs : 1;
    size_t planes = loads * plan->capture->n_sample * plan->lattice->n_shift;
    size_t tiles = (x->bins + RMA_TILE - 1) / RMA_TILE;
    add(list, room, &n, (nfsar_rma_transform){x->length, 1, planes * y->n, FFTW_FORWARD});
    add(list, room, &n, (nfsar_rma_transform){y->length, RMA_TILE, planes * tiles, FFTW_FORWARD});
    add(list, room, &n,
        (nfsar_rma_transform){depthsum_length(plan->to_depth), 1, slabs * x->bins * y->bins,
                              FFTW_FORWARD});
    for (int sign = -1; sign <= 1; sign += 2) {
        add(list, room, &n,
            (nfsar_rma_transform){chirpz_scratch(x->to_grid), 1, nz * y->bins, sign});
        add(list, room, &n,
            (nfsar_rma_transform){chirpz_scratch(y->to_grid), 1, nz * plan->grid.x.count, sign});
    }
    return n;
}

size_t nfsar_rma_plan_memory(const nfsar_rma_plan *plan) {
    size_t plane = plan->x.bins * plan->y.bins;
    size_t cells = plan->lattice->n_shift * plan->x.n * plan->y.n;
    size_t lines = plan->pulse_block * plan->capture->array.n_channel;
    size_t threads = (size_t)plan->threads;
    size_t numbers = lines * plan->k_block + plan->k_block * (cells + plane) +
                     plan->z_slab * plane + plan->y.bins * plan->grid.x.count +
                     threads * plan->scratch_size;
    return numbers * sizeof(float complex) + lines * sizeof(struct rma_line) +
           threads * plan->k_block * sizeof(double);
}
