#include <nfsar/image.h>

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/lines.h"

/* 2^36 voxels are half a tebibyte: a mistyped grid, not an image. */
#define VOXEL_LIMIT ((size_t)1 << 36)

/* Farther than this from the origin, metres, is a mistyped unit. */
#define COORDINATE_LIMIT 1e6

double nfsar_axis_at(const nfsar_axis *axis, size_t i) {
    return axis->start + axis->step * (double)i;
}

double nfsar_axis_end(const nfsar_axis *axis) {
    return nfsar_axis_at(axis, axis->count - 1);
}

enum nfsar_status nfsar_axis_between(double first, double last, size_t count, nfsar_axis *axis,
                                     nfsar_error *error) {
    if (!isfinite(first) || !isfinite(last) || count < 1 || first > last ||
        (count > 1 && first == last)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "an axis from %g to %g with %zu points cannot be made", first, last,
                          count);
    }
    axis->start = first;
    axis->step = count > 1 ? (last - first) / (double)(count - 1) : 1.0;
    axis->count = count;
    return NFSAR_OK;
}

size_t nfsar_grid_voxels(const nfsar_grid *grid) {
    return grid->x.count * grid->y.count * grid->z.count;
}

enum nfsar_status nfsar_grid_check(const nfsar_grid *grid, nfsar_error *error) {
    const nfsar_axis *axis[3] = {&grid->x, &grid->y, &grid->z};
    size_t voxels = 1;
    for (int i = 0; i < 3; i++) {
        if (axis[i]->count < 1 || !isfinite(axis[i]->start) || !isfinite(axis[i]->step) ||
            (axis[i]->count > 1 && !(axis[i]->step > 0.0))) {
            return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                              "the grid's %c axis (start %g, step %g, %zu points) cannot be used",
                              'x' + i, axis[i]->start, axis[i]->step, axis[i]->count);
        }
        if (fabs(axis[i]->start) > COORDINATE_LIMIT ||
            fabs(nfsar_axis_end(axis[i])) > COORDINATE_LIMIT) {
            return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                              "the grid's %c axis reaches from %g to %g: coordinates are metres",
                              'x' + i, axis[i]->start, nfsar_axis_end(axis[i]));
        }
        if (__builtin_mul_overflow(voxels, axis[i]->count, &voxels) || voxels > VOXEL_LIMIT) {
            return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                              "a grid of %zu x %zu x %zu voxels is too large; give fewer points "
                              "or a smaller region",
                              grid->x.count, grid->y.count, grid->z.count);
        }
    }
    return NFSAR_OK;
}

enum nfsar_status nfsar_image_create(const nfsar_grid *grid, nfsar_image *image,
                                     nfsar_error *error) {
    memset(image, 0, sizeof *image);
    enum nfsar_status status = nfsar_grid_check(grid, error);
    if (status != NFSAR_OK) {
        return status;
    }
    image->grid = *grid;
    image->data = calloc(nfsar_grid_voxels(grid), sizeof *image->data);
    if (image->data == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY,
                          "out of memory for an image of %zu x %zu x %zu voxels", grid->x.count,
                          grid->y.count, grid->z.count);
    }
    return NFSAR_OK;
}

enum nfsar_status nfsar_image_note(nfsar_image *image, nfsar_error *error, const char *format,
                                   ...) {
    va_list arguments;
    va_start(arguments, format);
    enum nfsar_status status =
        lines_append(&image->provenance, &image->n_provenance, error, format, arguments);
    va_end(arguments);
    return status;
}

void nfsar_image_free(nfsar_image *image) {
    free(image->data);
    free(image->method);
    free(image->options);
    lines_free(image->provenance, image->n_provenance);
    memset(image, 0, sizeof *image);
}
