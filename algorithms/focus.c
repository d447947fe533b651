#include <nfsar/focus.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/metrics.h>

/* Slices that are in memory at a time. */
#define SLAB_BYTES ((size_t)512 << 20)

/* Sharpness of the depths [first, first + n) into the result. */
static enum nfsar_status rate_slab(nfsar_imager *imager, const nfsar_grid *grid, size_t first,
                                   const nfsar_echo_source *source, float complex *slices,
                                   nfsar_focus *focus, const nfsar_progress *progress,
                                   nfsar_error *error) {
    enum nfsar_status status = nfsar_imager_run(imager, grid, source, slices, progress, error);
    size_t slice = grid->x.count * grid->y.count;
    for (size_t i = 0; status == NFSAR_OK && i < grid->z.count; i++) {
        focus->sharpness[first + i] =
            nfsar_slice_sharpness(slices + i * slice, grid->x.count, grid->y.count);
    }
    return status;
}

static enum nfsar_status conclude(nfsar_focus *focus, nfsar_error *error) {
    size_t n = focus->z.count, best = 0;
    for (size_t i = 1; i < n; i++) {
        best = focus->sharpness[i] > focus->sharpness[best] ? i : best;
    }
    double largest = focus->sharpness[best];
    if (!(largest > 0.0)) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "depth search: the slices are zero everywhere, nothing to focus on");
    }
    for (size_t i = 0; i < n; i++) {
        focus->sharpness[i] /= largest;
    }
    focus->sharpest = best;
    focus->at_edge = best == 0 || best + 1 == n;
    double offset = focus->at_edge
                        ? 0.0
                        : nfsar_parabola_peak(focus->sharpness[best - 1], focus->sharpness[best],
                                              focus->sharpness[best + 1]);
    focus->z_m = nfsar_axis_at(&focus->z, best) + offset * focus->z.step;
    return NFSAR_OK;
}

enum nfsar_status nfsar_focus_search(nfsar_imager *imager, const nfsar_axis *x, const nfsar_axis *y,
                                     const nfsar_axis *z, const nfsar_echo_source *source,
                                     nfsar_focus *focus, const nfsar_progress *progress,
                                     nfsar_error *error) {
    memset(focus, 0, sizeof *focus);
    nfsar_grid grid = {.x = *x, .y = *y, .z = *z};
    enum nfsar_status status = nfsar_grid_check(&grid, error);
    if (status != NFSAR_OK) {
        return status;
    }
    size_t slice = x->count * y->count * sizeof(float complex);
    size_t slab = SLAB_BYTES / slice > 0 ? SLAB_BYTES / slice : 1;
    slab = slab < z->count ? slab : z->count;
    focus->z = *z;
    focus->sharpness = calloc(z->count, sizeof *focus->sharpness);
    float complex *slices = malloc(slab * slice);
    if (focus->sharpness == NULL || slices == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu slices of %zu x %zu",
                            slab, x->count, y->count);
    }
    for (size_t first = 0; status == NFSAR_OK && first < z->count; first += slab) {
        grid.z.start = nfsar_axis_at(z, first);
        grid.z.count = z->count - first < slab ? z->count - first : slab;
        status = rate_slab(imager, &grid, first, source, slices, focus, progress, error);
    }
    free(slices);
    if (status == NFSAR_OK) {
        status = conclude(focus, error);
    }
    if (status != NFSAR_OK) {
        nfsar_focus_free(focus);
    }
    return status;
}

void nfsar_focus_free(nfsar_focus *focus) {
    free(focus->sharpness);
    memset(focus, 0, sizeof *focus);
}
