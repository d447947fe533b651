#include "algorithms/rma_plan.h"

#include <string.h>

static size_t blocks(size_t n, size_t block) {
    return (n + block - 1) / block;
}

enum nfsar_status nfsar_rma_execute(nfsar_rma_plan *plan, const nfsar_echo_source *source,
                                    float complex *image, const nfsar_progress *progress,
                                    nfsar_error *error) {
    size_t nk = plan->capture->n_sample, nz = plan->grid.z.count;
    size_t k_blocks = blocks(nk, plan->k_block), z_slabs = blocks(nz, plan->z_slab);
    size_t slice = plan->grid.x.count * plan->grid.y.count;
    size_t plane = plan->x.bins * plan->y.bins;
    size_t loaded = k_blocks; /* which block the spectrum holds */
    double done = 0.0, all = (double)(z_slabs * (2 * k_blocks + 1));
    for (size_t slab = 0; slab < z_slabs; slab++) {
        size_t first_z = slab * plan->z_slab;
        size_t n_z = nz - first_z < plan->z_slab ? nz - first_z : plan->z_slab;
        memset(plan->depths, 0, plan->z_slab * plane * sizeof *plan->depths);
        for (size_t block = 0; block < k_blocks; block++) {
            size_t first_k = block * plan->k_block;
            size_t n_k = nk - first_k < plan->k_block ? nk - first_k : plan->k_block;
            if (loaded != block) {
                enum nfsar_status status = rma_spectrum_load(plan, source, first_k, n_k, error);
                if (status != NFSAR_OK) {
                    return status;
                }
                loaded = block;
            }
            if (!nfsar_progress_report(progress, (done += 1.0) / all)) {
                return nfsar_fail(error, NFSAR_ERROR_CANCELLED, "cancelled");
            }
            rma_focus_add(plan, first_k, n_k, first_z);
            if (!nfsar_progress_report(progress, (done += 1.0) / all)) {
                return nfsar_fail(error, NFSAR_ERROR_CANCELLED, "cancelled");
            }
        }
        rma_focus_finish(plan, first_z, n_z, image + first_z * slice);
        nfsar_progress_report(progress, (done += 1.0) / all);
    }
    return NFSAR_OK;
}
