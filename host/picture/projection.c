#include "host/picture/projection.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* Below this many voxels threads cost more than they bring. */
#define SMALL ((size_t)1 << 18)

/* In double precision the square of any float is neither infinite nor zero. */
static inline double power_of(float complex value) {
    double re = crealf(value), im = cimagf(value);
    return re * re + im * im;
}

static const nfsar_axis *axis_named(const nfsar_grid *grid, char name) {
    return name == 'x' ? &grid->x : name == 'y' ? &grid->y : &grid->z;
}

static enum nfsar_status plane_create(const nfsar_grid *grid, char u, char v, char depth,
                                      struct plane *plane, nfsar_error *error) {
    memset(plane, 0, sizeof *plane);
    plane->u = *axis_named(grid, u);
    plane->v = *axis_named(grid, v);
    plane->u_name = u;
    plane->v_name = v;
    plane->depth_name = depth;
    plane->magnitude = calloc(plane->u.count * plane->v.count, sizeof *plane->magnitude);
    if (plane->magnitude == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for a view of %zu x %zu points",
                          plane->u.count, plane->v.count);
    }
    return NFSAR_OK;
}

void plane_free(struct plane *plane) {
    free(plane->magnitude);
    memset(plane, 0, sizeof *plane);
}

void projections_free(struct projections *projections) {
    plane_free(&projections->front);
    plane_free(&projections->top);
    plane_free(&projections->side);
}

/* From power to magnitude, and the maximum. */
static void finish(struct plane *plane) {
    size_t n = plane->u.count * plane->v.count;
    for (size_t i = 0; i < n; i++) {
        plane->magnitude[i] = sqrt(plane->magnitude[i]);
        plane->maximum = fmax(plane->maximum, plane->magnitude[i]);
    }
}

static enum nfsar_status refuse(const struct plane *plane, bool finite, nfsar_error *error) {
    if (!finite) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "the image has voxels that are not finite numbers");
    }
    if (plane->maximum > 0.0) {
        return NFSAR_OK;
    }
    if (plane->is_slice && plane->depth_end > plane->depth) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "the slices from %c = %g to %g m are zero everywhere, there is nothing "
                          "to show",
                          plane->depth_name, plane->depth, plane->depth_end);
    }
    if (plane->is_slice) {
        return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                          "the slice at %c = %g m is zero everywhere, there is nothing to show",
                          plane->depth_name, plane->depth);
    }
    return nfsar_fail(error, NFSAR_ERROR_FORMAT,
                      "the image is zero everywhere, there is nothing to show");
}

/* One row of voxels into the front and top projections; returns its maximum power. `unreal`
 * becomes NaN when a value is not finite (a NaN would pass every comparison unseen). */
static double project_row(const float complex *row, size_t n, double *restrict front,
                          double *restrict top, double *unreal) {
    double maximum = 0.0, check = 0.0;
    for (size_t x = 0; x < n; x++) {
        double power = power_of(row[x]);
        front[x] = power > front[x] ? power : front[x];
        top[x] = power > top[x] ? power : top[x];
        maximum = power > maximum ? power : maximum;
        check += 0.0 * power;
    }
    *unreal += check;
    return maximum;
}

/* Rows [0, ny) of the slices that this thread is given; the front view is its own copy because
 * every slice writes to all of it. */
static double project_slices(const nfsar_image *image, struct projections *all, double *front) {
    const size_t nx = image->grid.x.count, ny = image->grid.y.count, nz = image->grid.z.count;
    double unreal = 0.0;
#pragma omp for schedule(static)
    for (size_t z = 0; z < nz; z++) {
        for (size_t y = 0; y < ny; y++) {
            const float complex *row = image->data + (z * ny + y) * nx;
            all->side.magnitude[y * nz + z] =
                project_row(row, nx, front + y * nx, all->top.magnitude + z * nx, &unreal);
        }
    }
    return unreal;
}

/* The maximum over a single coordinate is the slice there. */
static void note_flat(struct plane *plane, const nfsar_axis *depth) {
    plane->is_slice = depth->count == 1;
    plane->depth = plane->depth_end = depth->start;
}

static enum nfsar_status project(const nfsar_image *image, struct projections *all,
                                 nfsar_error *error) {
    const size_t n = image->grid.x.count * image->grid.y.count;
    bool memory = true, finite = true;
    int threads = omp_get_max_threads();
    if ((size_t)threads > image->grid.z.count) {
        threads = (int)image->grid.z.count;
    }
#pragma omp parallel num_threads(threads) if (n * image->grid.z.count > SMALL)
    {
        double *front = omp_get_thread_num() == 0 ? all->front.magnitude : calloc(n, sizeof *front);
        if (front == NULL) {
#pragma omp atomic write
            memory = false;
        }
#pragma omp barrier
        if (memory) {
            double unreal = project_slices(image, all, front);
#pragma omp critical
            {
                finite = finite && unreal == 0.0;
                for (size_t i = 0; front != all->front.magnitude && i < n; i++) {
                    all->front.magnitude[i] = fmax(all->front.magnitude[i], front[i]);
                }
            }
        }
        if (front != all->front.magnitude) {
            free(front);
        }
    }
    if (!memory) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for the views of the image");
    }
    finish(&all->front);
    finish(&all->top);
    finish(&all->side);
    enum nfsar_status status = refuse(&all->front, finite, error);
    note_flat(&all->front, &image->grid.z);
    note_flat(&all->top, &image->grid.y);
    note_flat(&all->side, &image->grid.x);
    return status;
}

enum nfsar_status projections_make(const nfsar_image *image, struct projections *projections,
                                   nfsar_error *error) {
    const nfsar_grid *grid = &image->grid;
    memset(projections, 0, sizeof *projections);
    enum nfsar_status status = nfsar_grid_check(grid, error);
    if (status == NFSAR_OK) {
        status = plane_create(grid, 'x', 'y', 'z', &projections->front, error);
    }
    if (status == NFSAR_OK) {
        status = plane_create(grid, 'x', 'z', 'y', &projections->top, error);
    }
    if (status == NFSAR_OK) {
        status = plane_create(grid, 'z', 'y', 'x', &projections->side, error);
    }
    if (status == NFSAR_OK) {
        status = project(image, projections, error);
    }
    if (status != NFSAR_OK) {
        projections_free(projections);
    }
    return status;
}

/* Index of the voxel nearest to `at`; false when that is more than half a voxel outside. */
static bool nearest(const nfsar_axis *axis, double at, size_t *index) {
    double place = axis->count > 1 ? (at - axis->start) / axis->step : 0.0;
    /* A single slice has no spacing: the coordinate must be the slice's own, to a micrometre. */
    if (axis->count == 1 && fabs(at - axis->start) > 1e-6) {
        return false;
    }
    if (!(place >= -0.5 - 1e-9 && place <= (double)axis->count - 0.5 + 1e-9)) {
        return false;
    }
    *index = (size_t)fmin(fmax(round(place), 0.0), (double)axis->count - 1.0);
    return true;
}

/* One slice into the maximum that the plane holds; false when a value is not finite. */
static bool take_slice(const nfsar_image *image, char depth_name, size_t index,
                       struct plane *plane) {
    const size_t nx = image->grid.x.count, ny = image->grid.y.count;
    /* Voxels between neighbours along x, y, z. */
    const size_t stride[3] = {1, nx, nx * ny};
    const size_t along = stride[plane->u_name - 'x'], up = stride[plane->v_name - 'x'];
    const float complex *data = image->data + index * stride[depth_name - 'x'];
    double unreal = 0.0;
    for (size_t v = 0; v < plane->v.count; v++) {
        for (size_t u = 0; u < plane->u.count; u++) {
            double power = power_of(data[v * up + u * along]);
            double *most = &plane->magnitude[v * plane->u.count + u];
            *most = power > *most ? power : *most;
            unreal += 0.0 * power;
        }
    }
    return unreal == 0.0;
}

/* Indices of the slices nearest to range[0] and range[1]. */
static enum nfsar_status find_slices(const nfsar_axis *axis, char name, const double range[2],
                                     size_t index[2], nfsar_error *error) {
    for (int i = 0; i < 2; i++) {
        if (!nearest(axis, range[i], &index[i])) {
            return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                              "a slice at %c = %g m lies outside the image, which goes from %g to "
                              "%g m",
                              name, range[i], axis->start, nfsar_axis_end(axis));
        }
    }
    if (!(range[0] <= range[1])) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "slices from %c = %g to %g m: give the smaller one first", name, range[0],
                          range[1]);
    }
    return NFSAR_OK;
}

enum nfsar_status plane_slice(const nfsar_image *image, char depth_name, const double range[2],
                              struct plane *plane, nfsar_error *error) {
    size_t index[2] = {0};
    memset(plane, 0, sizeof *plane);
    enum nfsar_status status = nfsar_grid_check(&image->grid, error);
    if (status != NFSAR_OK) {
        return status;
    }
    const nfsar_axis *axis = axis_named(&image->grid, depth_name);
    status = find_slices(axis, depth_name, range, index, error);
    if (status == NFSAR_OK) {
        status = plane_create(&image->grid, depth_name == 'x' ? 'z' : 'x',
                              depth_name == 'y' ? 'z' : 'y', depth_name, plane, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    plane->is_slice = true;
    plane->depth = nfsar_axis_at(axis, index[0]);
    plane->depth_end = nfsar_axis_at(axis, index[1]);
    bool finite = true;
    for (size_t i = index[0]; i <= index[1]; i++) {
        finite = take_slice(image, depth_name, i, plane) && finite;
    }
    finish(plane);
    status = refuse(plane, finite, error);
    if (status != NFSAR_OK) {
        plane_free(plane);
    }
    return status;
}
