#include "algorithms/sparse/exact.h"

#include <stdlib.h>
#include <string.h>

#include <nfsar/backprojection.h>
#include <nfsar/simulation.h>

#include "algorithms/buffer.h"
#include "algorithms/sparse/memory.h"

/* Of backprojection's profiles, so that rounding is what is left. */
#define TOLERANCE 1e-5

struct exact {
    nfsar_capture reported; /* the capture without its true poses; owns nothing */
    nfsar_grid grid;
    int threads;
    nfsar_bp_plan *bp;
    nfsar_scatterer *scatterer; /* [voxels] */
};

/* Voxels that are not zero, as scatterers. */
static size_t collect(const struct exact *exact, const float complex *image) {
    const nfsar_grid *grid = &exact->grid;
    size_t n = 0;
    for (size_t z = 0, i = 0; z < grid->z.count; z++) {
        for (size_t y = 0; y < grid->y.count; y++) {
            for (size_t x = 0; x < grid->x.count; x++, i++) {
                if (image[i] != 0.0f) {
                    nfsar_vec3 at = {nfsar_axis_at(&grid->x, x), nfsar_axis_at(&grid->y, y),
                                     nfsar_axis_at(&grid->z, z)};
                    exact->scatterer[n++] =
                        (nfsar_scatterer){.position = at, .reflectivity = image[i]};
                }
            }
        }
    }
    return n;
}

static enum nfsar_status forward(void *context, const float complex *image, float complex *samples,
                                 nfsar_error *error) {
    const struct exact *exact = context;
    const nfsar_capture *capture = &exact->reported;
    nfsar_simulation_options options = {.threads = exact->threads};
    size_t n = collect(exact, image);
    if (n == 0) {
        memset(samples, 0,
               capture->n_pulse * capture->array.n_channel * capture->n_sample * sizeof *samples);
        return NFSAR_OK;
    }
    return nfsar_simulate(capture, exact->scatterer, n, &options, 0, capture->n_pulse, samples,
                          NULL, error);
}

static enum nfsar_status adjoint(void *context, const float complex *samples, float complex *image,
                                 nfsar_error *error) {
    const struct exact *exact = context;
    struct memory_source memory = memory_of(&exact->reported, samples);
    nfsar_echo_source source = memory_echoes(&memory);
    return nfsar_bp_execute(exact->bp, &source, image, NULL, error);
}

enum nfsar_status exact_create(const nfsar_capture *capture, const nfsar_grid *grid, int threads,
                               struct exact **exact, nfsar_error *error) {
    *exact = NULL;
    struct exact *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    made->reported = *capture;
    made->reported.true_pose = NULL;
    made->grid = *grid;
    made->threads = threads;
    nfsar_bp_options options = nfsar_bp_defaults();
    options.tolerance = TOLERANCE;
    options.threads = threads;
    enum nfsar_status status =
        nfsar_bp_plan_create(&made->reported, grid, &options, &made->bp, error);
    if (status == NFSAR_OK) {
        made->scatterer = buffer_alloc(nfsar_grid_voxels(grid), sizeof *made->scatterer);
        if (made->scatterer == NULL) {
            status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu voxels",
                                nfsar_grid_voxels(grid));
        }
    }
    if (status != NFSAR_OK) {
        exact_destroy(made);
        return status;
    }
    *exact = made;
    return NFSAR_OK;
}

struct linear_operator exact_operator(struct exact *exact) {
    const nfsar_capture *capture = &exact->reported;
    return (struct linear_operator){
        .n_image = nfsar_grid_voxels(&exact->grid),
        .n_sample = capture->n_pulse * capture->array.n_channel * capture->n_sample,
        .context = exact,
        .forward = forward,
        .adjoint = adjoint,
    };
}

void exact_destroy(struct exact *exact) {
    if (exact != NULL) {
        nfsar_bp_plan_destroy(exact->bp);
        free(exact->scatterer);
        free(exact);
    }
}
