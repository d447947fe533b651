/* Single precision: room for it, and a block of voxels from the kernel to the image. */
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/bp_plan.h"
#include "algorithms/buffer.h"

static bp_kernel *kernel_of(enum nfsar_kernel kernel) {
    switch (kernel) {
#if defined(__x86_64__)
    case NFSAR_KERNEL_AVX512:
        return bp_add_avx512;
    case NFSAR_KERNEL_AVX2:
        return bp_add_avx2;
#endif
    default:
        return bp_add_portable;
    }
}

enum nfsar_status bp_single_allocate(nfsar_bp_plan *plan, nfsar_error *error) {
    struct bp_lines *lines = &plan->lines;
    size_t threads = (size_t)plan->threads, pairs = plan->pulse_block * lines->n_link;
    plan->profile = buffer_alloc(2 * pairs * plan->gate_room, sizeof *plan->profile);
    plan->turn = transform_alloc(plan->gate_room);
    plan->terms = calloc(threads, sizeof *plan->terms);
    plan->sums = buffer_alloc(threads, sizeof *plan->sums);
    bool good =
        plan->profile != NULL && plan->turn != NULL && plan->terms != NULL && plan->sums != NULL;
    for (int k = 0; k < 3; k++) {
        plan->at[k] = malloc(plan->pulse_block * lines->n_antenna * sizeof *plan->at[k]);
        lines->at[k] = plan->at[k];
        good = good && plan->at[k] != NULL;
    }
    for (size_t t = 0; good && t < threads; t++) {
        good = bp_terms_make(lines, &plan->terms[t]);
    }
    if (plan->uniform) {
        plan->compress = transform_plan(plan->length, 1, plan->length, FFTW_FORWARD);
        plan->scratch = transform_alloc(threads * bp_pitch(plan));
        good = good && plan->compress != NULL && plan->scratch != NULL;
    }
    lines->profile = plan->profile;
    plan->add = kernel_of(plan->kernel);
    return good ? NFSAR_OK
                : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for blocks of %zu pulses",
                             plan->pulse_block);
}

void bp_single_free(nfsar_bp_plan *plan) {
    for (int t = 0; plan->terms != NULL && t < plan->threads; t++) {
        bp_terms_free(&plan->terms[t]);
    }
    free(plan->terms);
    free(plan->sums);
    free(plan->profile);
    fftwf_free(plan->turn);
    fftwf_free(plan->scratch);
    transform_destroy(plan->compress);
    bandfit_destroy(plan->fit);
    bp_array_free(&plan->array);
    for (int k = 0; k < 3; k++) {
        free(plan->at[k]);
    }
}

static void add_to_image(const nfsar_bp_plan *plan, const size_t first[3], const size_t own[3],
                         const struct bp_sums *sums, float complex *image) {
    const struct bp_shape *shape = &plan->shape;
    size_t stride[3] = {1, plan->grid.x.count, plan->grid.x.count * plan->grid.y.count};
    size_t step = stride[shape->axis[0]];
    for (size_t r = 0; r < shape->size[1] * shape->size[2]; r++) {
        size_t b = first[1] + r % shape->size[1], c = first[2] + r / shape->size[1];
        if (b < own[1] || c < own[2]) {
            continue;
        }
        float complex *to =
            image + first[0] * step + b * stride[shape->axis[1]] + c * stride[shape->axis[2]];
        for (size_t i = own[0] - first[0]; i < shape->size[0]; i++) {
            to[i * step] += CMPLXF(sums->re[r][i], sums->im[r][i]);
        }
    }
}

void bp_single_block(const nfsar_bp_plan *plan, size_t index, float complex *image) {
    int thread = omp_get_thread_num();
    struct bp_sums *sums = &plan->sums[thread];
    struct bp_block block;
    size_t first[3], own[3];
    bp_shape_block(plan, index, &block, first, own);
    memset(sums, 0, sizeof *sums);
    plan->add(&plan->lines, &block, &plan->terms[thread], sums);
    add_to_image(plan, first, own, sums, image);
}
