#include "algorithms/nurma_plan.h"

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static enum nfsar_status load(nfsar_rma_plan *plan, const nfsar_echo_source *source, size_t first,
                              size_t n, nfsar_error *error) {
    enum nfsar_status status = rma_place(plan, source, first, n, error);
    if (status == NFSAR_OK && plan->nurma != NULL) {
        nurma_spectrum(plan, first, n);
    } else if (status == NFSAR_OK) {
        rma_spectrum(plan, first, n);
    }
    return status;
}

enum nfsar_status nfsar_rma_execute(nfsar_rma_plan *plan, const nfsar_echo_source *source,
                                    float complex *image, const nfsar_progress *progress,
                                    nfsar_error *error) {
    size_t nz = plan->grid.z.count, slice = plan->grid.x.count * plan->grid.y.count;
    size_t blocks = (plan->n_wave + plan->k_block - 1) / plan->k_block;
    size_t slabs = (nz + plan->z_slab - 1) / plan->z_slab;
    size_t loaded = blocks; /* which block the spectrum holds; none */
    double done = 0.0, all = (double)(slabs * (2 * blocks + 1));
    for (size_t slab = 0; slab < slabs; slab++) {
        /* The last slab is as thick as the others, and makes some slices again. */
        size_t first_z = smaller(slab * plan->z_slab, nz - plan->z_slab);
        if (nurma_line_weigh(plan, first_z)) {
            loaded = blocks;
        }
        for (size_t block = 0; block < blocks; block++) {
            size_t first = block * plan->k_block;
            size_t n = smaller(plan->k_block, plan->n_wave - first);
            if (loaded != block) {
                enum nfsar_status status = load(plan, source, first, n, error);
                if (status != NFSAR_OK) {
                    return status;
                }
                loaded = block;
            }
            if (!nfsar_progress_report(progress, (done += 1.0) / all)) {
                return nfsar_fail(error, NFSAR_ERROR_CANCELLED, "cancelled");
            }
            rma_focus(plan, first, n, first_z, block > 0);
            if (!nfsar_progress_report(progress, (done += 1.0) / all)) {
                return nfsar_fail(error, NFSAR_ERROR_CANCELLED, "cancelled");
            }
        }
        rma_image(plan, first_z, image + first_z * slice);
        nfsar_progress_report(progress, (done += 1.0) / all);
    }
    return NFSAR_OK;
}
