#include "host/picture/unrolled.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Samples within a voxel, along the radius and along the outermost circle. */
#define FINER 2

/* Columns: enough for a wide picture of a few voxels, and no more than pictures have pixels. */
#define COLUMNS_LEAST 720.0
#define COLUMNS_MOST  8000.0

double unrolled_angle(const struct unrolled *unrolled, size_t u) {
    return 360.0 * (1.0 - ((double)u + 0.5) / (double)unrolled->plane.u.count);
}

/* Is a coordinate between the first and the last voxel? */
static bool holds(const nfsar_axis *axis, double at) {
    return at >= axis->start && at <= nfsar_axis_end(axis);
}

static double middle(const nfsar_axis *axis) {
    return 0.5 * (axis->start + nfsar_axis_end(axis));
}

/* Distances from the axis: to the nearest edge of the grid, and to its farthest corner. */
static void find_reach(const nfsar_grid *grid, const double axis[2], double *nearest,
                       double *farthest) {
    const nfsar_axis *side[2] = {&grid->x, &grid->z};
    double corner[2];
    *nearest = INFINITY;
    for (int i = 0; i < 2; i++) {
        double before = axis[i] - side[i]->start, after = nfsar_axis_end(side[i]) - axis[i];
        *nearest = fmin(*nearest, fmin(before, after));
        corner[i] = fmax(before, after);
    }
    *farthest = hypot(corner[0], corner[1]);
}

static enum nfsar_status choose_axis(const nfsar_grid *grid, const double *axis,
                                     struct unrolled *unrolled, nfsar_error *error) {
    if (grid->x.count < 2 || grid->z.count < 2) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "an image with one voxel along %c cannot be unrolled: reconstruct a grid "
                          "with more of them round the axis",
                          grid->x.count < 2 ? 'x' : 'z');
    }
    if (axis != NULL) {
        memcpy(unrolled->axis, axis, sizeof unrolled->axis);
    } else if (!holds(&grid->x, 0.0) || !holds(&grid->z, 0.0)) {
        unrolled->axis[0] = middle(&grid->x);
        unrolled->axis[1] = middle(&grid->z);
    }
    if (!holds(&grid->x, unrolled->axis[0]) || !holds(&grid->z, unrolled->axis[1])) {
        return nfsar_fail(
            error, NFSAR_ERROR_ARGUMENT,
            "an axis at x = %g, z = %g m lies outside the image, whose x goes from %g "
            "to %g m and z from %g to %g m",
            unrolled->axis[0], unrolled->axis[1], grid->x.start, nfsar_axis_end(&grid->x),
            grid->z.start, nfsar_axis_end(&grid->z));
    }
    return NFSAR_OK;
}

static enum nfsar_status choose_radius(const nfsar_grid *grid, const double *radius,
                                       struct unrolled *unrolled, nfsar_error *error) {
    double nearest, farthest;
    find_reach(grid, unrolled->axis, &nearest, &farthest);
    if (radius == NULL) {
        unrolled->radius[1] = nearest;
        if (!(nearest > 0.0)) {
            return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                              "the axis at x = %g, z = %g m is on the edge of the image, no circle "
                              "round it is inside: give the radii",
                              unrolled->axis[0], unrolled->axis[1]);
        }
        return NFSAR_OK;
    }
    if (!(radius[0] >= 0.0 && radius[0] < radius[1])) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "radii from %g to %g m: give the smaller one first, 0 or more", radius[0],
                          radius[1]);
    }
    if (radius[0] >= farthest) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "radii from %g to %g m lie outside the image, whose farthest corner is "
                          "%g m from the axis",
                          radius[0], radius[1], farthest);
    }
    unrolled->radius[0] = radius[0];
    unrolled->radius[1] = fmin(radius[1], farthest);
    return NFSAR_OK;
}

static enum nfsar_status create(const nfsar_grid *grid, struct unrolled *unrolled,
                                nfsar_error *error) {
    const double voxel = fmin(grid->x.step, grid->z.step);
    const double columns = ceil(2.0 * M_PI * unrolled->radius[1] * FINER / voxel);
    const size_t n = (size_t)fmin(fmax(columns, COLUMNS_LEAST), COLUMNS_MOST);
    struct plane *plane = &unrolled->plane;
    plane->u = (nfsar_axis){.start = 0.0, .step = 360.0 / (double)n, .count = n};
    plane->v = grid->y;
    plane->v_name = 'y';
    plane->magnitude = calloc(n * grid->y.count, sizeof *plane->magnitude);
    unrolled->radius_of = calloc(n * grid->y.count, sizeof *unrolled->radius_of);
    if (plane->magnitude == NULL || unrolled->radius_of == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for a view of %zu x %zu points",
                          n, grid->y.count);
    }
    return NFSAR_OK;
}

/* Radii that are looked at in one direction. */
struct radii {
    double from, step;
    size_t n; /* 0: the grid ends before the smallest radius */
};

/* Distance to where a direction leaves the grid through one of its sides. */
static double leaves(const nfsar_axis *side, double at, double direction) {
    if (direction == 0.0) {
        return INFINITY;
    }
    return ((direction > 0.0 ? nfsar_axis_end(side) : side->start) - at) / direction;
}

/* Both ends included, in steps of half a voxel along the axis that is crossed faster: however
 * unequal the voxels are, there are no more radii than twice the voxels. */
static struct radii radii_along(const nfsar_grid *grid, const struct unrolled *unrolled,
                                const double direction[2]) {
    const double end = fmin(leaves(&grid->x, unrolled->axis[0], direction[0]),
                            leaves(&grid->z, unrolled->axis[1], direction[1]));
    const double from = unrolled->radius[0], span = fmin(unrolled->radius[1], end) - from;
    const double voxels =
        span * fmax(fabs(direction[0]) / grid->x.step, fabs(direction[1]) / grid->z.step);
    if (!(span >= 0.0)) {
        return (struct radii){0};
    }
    const double steps = fmax(ceil(voxels * FINER), 1.0);
    return (struct radii){from, span / steps, (size_t)steps + 1};
}

/* The most radii that radii_along() gives. */
static size_t most_radii(const nfsar_grid *grid) {
    return (size_t)FINER * (grid->x.count > grid->z.count ? grid->x.count : grid->z.count) + 2;
}

/* The values along one direction at height y: linear between voxels in x and z. Returns the
 * largest. */
static float take_profile(const struct field *field, const struct unrolled *unrolled,
                          const struct radii *radii, size_t y, const double direction[2],
                          float *profile) {
    const nfsar_axis *x = &field->grid.x, *z = &field->grid.z;
    const size_t nx = x->count, layer = nx * field->grid.y.count;
    const double first[2] = {(unrolled->axis[0] - x->start) / x->step,
                             (unrolled->axis[1] - z->start) / z->step};
    const double along[2] = {direction[0] / x->step, direction[1] / z->step};
    float largest = 0.0f;
    for (size_t i = 0; i < radii->n; i++) {
        const double radius = radii->from + radii->step * (double)i;
        const struct between at = field_between(first[0] + radius * along[0], nx);
        const struct between across = field_between(first[1] + radius * along[1], z->count);
        const float *low = field->value + across.first * layer + y * nx + at.first;
        const float *high = low + layer;
        const float a = low[0] + at.weight * (low[1] - low[0]);
        const float b = high[0] + at.weight * (high[1] - high[0]);
        profile[i] = a + across.weight * (b - a);
        largest = profile[i] > largest ? profile[i] : largest;
    }
    return largest;
}

/* Where the outermost of the peaks that are about as strong as the strongest is: in the outermost
 * run of values above 1 / sqrt(2) of the largest, the largest. Somebody outside sees that one, and
 * two walls of equal strength do not make a chequered map. */
static size_t outermost_peak(const float *profile, size_t n, float largest) {
    const float strong = largest * (float)M_SQRT1_2;
    size_t i = n - 1;
    while (i > 0 && profile[i] < strong) {
        i--;
    }
    size_t peak = i;
    for (; i > 0 && profile[i - 1] >= strong; i--) {
        peak = profile[i - 1] > profile[peak] ? i - 1 : peak;
    }
    return peak;
}

static void fill_row(const struct field *field, struct unrolled *unrolled, size_t y,
                     float *profile) {
    const size_t n = unrolled->plane.u.count;
    for (size_t u = 0; u < n; u++) {
        const double angle = unrolled_angle(unrolled, u) * M_PI / 180.0;
        const double direction[2] = {cos(angle), sin(angle)};
        const struct radii radii = radii_along(&field->grid, unrolled, direction);
        const float largest = take_profile(field, unrolled, &radii, y, direction, profile);
        unrolled->plane.magnitude[y * n + u] = field->maximum * largest;
        unrolled->radius_of[y * n + u] =
            largest > 0.0f
                ? radii.from + radii.step * (double)outermost_peak(profile, radii.n, largest)
                : (double)NAN;
    }
}

static enum nfsar_status fill(const struct field *field, struct unrolled *unrolled,
                              nfsar_error *error) {
    struct plane *plane = &unrolled->plane;
    const size_t most = most_radii(&field->grid);
    bool memory = true;
#pragma omp parallel
    {
        float *profile = calloc(most, sizeof *profile);
        if (profile == NULL) {
#pragma omp atomic write
            memory = false;
        }
#pragma omp for schedule(dynamic, 1)
        for (size_t y = 0; y < plane->v.count; y++) {
            if (profile != NULL) {
                fill_row(field, unrolled, y, profile);
            }
        }
        free(profile);
    }
    if (!memory) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu radii", most);
    }
    for (size_t i = 0; i < plane->u.count * plane->v.count; i++) {
        plane->maximum = fmax(plane->maximum, plane->magnitude[i]);
    }
    return NFSAR_OK;
}

enum nfsar_status unrolled_make(const struct field *field, const double *axis, const double *radius,
                                struct unrolled *unrolled, nfsar_error *error) {
    memset(unrolled, 0, sizeof *unrolled);
    enum nfsar_status status = choose_axis(&field->grid, axis, unrolled, error);
    if (status == NFSAR_OK) {
        status = choose_radius(&field->grid, radius, unrolled, error);
    }
    if (status == NFSAR_OK) {
        status = create(&field->grid, unrolled, error);
    }
    if (status == NFSAR_OK) {
        status = fill(field, unrolled, error);
    }
    if (status == NFSAR_OK && !(unrolled->plane.maximum > 0.0)) {
        status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                            "the image is zero everywhere at radii from %g to %g m, there is "
                            "nothing to show",
                            unrolled->radius[0], unrolled->radius[1]);
    }
    if (status != NFSAR_OK) {
        unrolled_free(unrolled);
    }
    return status;
}

void unrolled_free(struct unrolled *unrolled) {
    plane_free(&unrolled->plane);
    free(unrolled->radius_of);
    memset(unrolled, 0, sizeof *unrolled);
}
