#include "algorithms/sparse/planar_plan.h"

#include <math.h>
#include <string.h>

/* Factors of a line's values at some frequencies: compensation and carrier, times the weight of the
 * plane. */
static void make_factors(const struct planar *planar, const struct planar_pass *pass, size_t line,
                         size_t plane, float complex *factor) {
    const struct planar_part *part = pass->part;
    const exponentials *planes = part->planes;
    double weight = planes == NULL  ? 1.0
                    : planes->exact ? (line == plane ? 1.0 : 0.0)
                                    : (double)planes->weight[line * planes->n_node + plane];
    double by_k = part->path[line] - planar_carrier(part, 1.0) * planar->away[line];
    for (size_t m = 0; m < pass->n; m++) {
        double phase = planar->wave[pass->first + m] * by_k;
        factor[m] = by_k == 0.0 ? (float)weight : (float complex)(weight * cexp(phase * I));
    }
}

/* Between lines[n_line][n_wave] and the values of one plane and block. */
static void exchange(const struct planar *planar, const struct planar_pass *pass, size_t plane,
                     float complex *to, const float complex *from) {
#pragma omp parallel for schedule(static) num_threads(planar->threads)
    for (size_t l = 0; l < planar->n_line; l++) {
        float complex *values = planar->values + l * PLANAR_BLOCK, factor[PLANAR_BLOCK];
        size_t at = l * planar->n_wave + pass->first;
        make_factors(planar, pass, l, plane, factor);
        for (size_t m = 0; m < pass->n; m++) {
            if (pass->back) {
                values[m] = conjf(factor[m]) * from[at + m];
            } else {
                to[at + m] += factor[m] * values[m];
            }
        }
        for (size_t m = pass->n; m < PLANAR_BLOCK; m++) {
            values[m] = 0.0f;
        }
    }
}

/* Every block of frequencies and every plane of one part. */
static void pass_part(const struct planar *planar, const struct planar_part *part, bool back,
                      float complex *to, const float complex *from) {
    size_t modes = part->x.bins * part->y.bins;
    for (size_t first = 0; first < planar->n_wave; first += PLANAR_BLOCK) {
        size_t left = planar->n_wave - first;
        struct planar_pass pass = {.part = part,
                                   .first = first,
                                   .n = left < PLANAR_BLOCK ? left : PLANAR_BLOCK,
                                   .back = back};
        memset(planar->modes + pass.n * modes, 0,
               (PLANAR_BLOCK - pass.n) * modes * sizeof *planar->modes);
        for (size_t p = 0; p < planar_part_planes(part); p++) {
            pass.offset = part->planes != NULL ? part->planes->node[p] : 0.0;
            if (back) {
                exchange(planar, &pass, p, NULL, from);
                nfsar_nufft_type1(part->nufft, planar->values, planar->modes);
                planar_pass_waves(planar, &pass);
            } else {
                planar_pass_waves(planar, &pass);
                nfsar_nufft_type2(part->nufft, planar->modes, planar->values);
                exchange(planar, &pass, p, to, NULL);
            }
        }
    }
}

static enum nfsar_status forward(void *context, const float complex *image, float complex *samples,
                                 nfsar_error *error) {
    const struct planar *planar = context;
    float complex *lines = planar->lines != NULL ? planar->lines : samples;
    (void)error;
    memset(lines, 0, planar->n_line * planar->n_wave * sizeof *lines);
    for (size_t i = 0; i < planar->n_part; i++) {
        planar_lift(planar, planar->part + i, image);
        pass_part(planar, planar->part + i, false, lines, NULL);
    }
    if (planar->lines != NULL) {
        planar_to_samples(planar, samples);
    }
    return NFSAR_OK;
}

static enum nfsar_status adjoint(void *context, const float complex *samples, float complex *image,
                                 nfsar_error *error) {
    const struct planar *planar = context;
    (void)error;
    if (planar->lines != NULL) {
        planar_from_samples(planar, samples);
    }
    for (size_t i = 0; i < planar->n_part; i++) {
        const struct planar_part *part = planar->part + i;
        memset(planar->spectrum, 0,
               part->grid.z.count * part->x.length * part->y.length * sizeof *planar->spectrum);
        pass_part(planar, part, true, NULL, planar->lines != NULL ? planar->lines : samples);
        planar_drop(planar, part, image);
    }
    return NFSAR_OK;
}

size_t planar_planes(const struct planar *planar) {
    size_t most = 1;
    for (size_t i = 0; i < planar->n_part; i++) {
        size_t n = planar_part_planes(planar->part + i);
        most = n > most ? n : most;
    }
    return most;
}

size_t planar_parts(const struct planar *planar) {
    return planar->n_part;
}

struct linear_operator planar_operator(struct planar *planar) {
    return (struct linear_operator){.n_image = nfsar_grid_voxels(&planar->grid),
                                    .n_sample = planar->n_line * planar->n_sample,
                                    .context = planar,
                                    .forward = forward,
                                    .adjoint = adjoint};
}
