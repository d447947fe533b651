#include "algorithms/autofocus/focus_region.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/buffer.h"

/* Voxels to a resolution cell: what is between them is seen by its flanks. */
#define TO_A_CELL 1.25

static double part(nfsar_vec3 v, int axis) {
    return axis == 0 ? v.x : axis == 1 ? v.y : v.z;
}

/* Box of the poses, and the mean direction from them to the centre. */
static void look(const nfsar_capture *capture, nfsar_vec3 centre, double low[3], double high[3],
                 double toward[3], double *range) {
    *range = 0.0;
    for (int a = 0; a < 3; a++) {
        low[a] = INFINITY;
        high[a] = -INFINITY;
        toward[a] = 0.0;
    }
    for (size_t i = 0; i < capture->n_pose; i++) {
        const nfsar_vec3 d = nfsar_vec3_subtract(centre, capture->pose[i].position);
        const double r = nfsar_vec3_norm(d);
        *range += r / (double)capture->n_pose;
        for (int a = 0; a < 3; a++) {
            const double at = part(capture->pose[i].position, a);
            low[a] = fmin(low[a], at);
            high[a] = fmax(high[a], at);
            toward[a] += part(d, a) / fmax(r, 1e-9) / (double)capture->n_pose;
        }
    }
}

static nfsar_axis divided(const nfsar_axis *limits, double step) {
    const double first = nfsar_axis_at(limits, 0), last = nfsar_axis_end(limits);
    const double n = limits->count > 1 ? ceil((last - first) / step - 1e-9) + 1.0 : 1.0;
    return (nfsar_axis){first, n > 1.0 ? (last - first) / (n - 1.0) : 1.0, (size_t)fmin(n, 1e6)};
}

static enum nfsar_status fill(struct focus_region *region, nfsar_error *error) {
    struct focus_voxels *v = &region->voxels;
    const nfsar_grid *grid = &region->grid;
    v->n = nfsar_grid_voxels(grid);
    v->padded = (v->n + FOCUS_TILE - 1) / FOCUS_TILE * FOCUS_TILE;
    v->x = buffer_zeros(4 * v->padded, sizeof *v->x);
    if (v->x == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu voxels", v->n);
    }
    v->y = v->x + v->padded;
    v->z = v->y + v->padded;
    v->square = v->z + v->padded;
    size_t i = 0;
    for (size_t c = 0; c < grid->z.count; c++) {
        for (size_t b = 0; b < grid->y.count; b++) {
            for (size_t a = 0; a < grid->x.count; a++, i++) {
                const double x = nfsar_axis_at(&grid->x, a) - region->centre.x;
                const double y = nfsar_axis_at(&grid->y, b) - region->centre.y;
                const double z = nfsar_axis_at(&grid->z, c) - region->centre.z;
                v->x[i] = (float)x;
                v->y[i] = (float)y;
                v->z[i] = (float)z;
                v->square[i] = (float)(x * x + y * y + z * z);
            }
        }
    }
    return NFSAR_OK;
}

/* The longest way, there and back, of any point of the box beyond the centre's or short of it. */
static double farthest(const nfsar_capture *capture, nfsar_vec3 centre, const double half[3]) {
    double most = 0.0;
    for (size_t i = 0; i < capture->n_pose; i++) {
        const nfsar_vec3 d = nfsar_vec3_subtract(capture->pose[i].position, centre);
        double near = 0.0, far = 0.0;
        for (int a = 0; a < 3; a++) {
            const double at = fabs(part(d, a));
            near += at > half[a] ? (at - half[a]) * (at - half[a]) : 0.0;
            far += (at + half[a]) * (at + half[a]);
        }
        const double range = nfsar_vec3_norm(d);
        most = fmax(most, 2.0 * fmax(sqrt(far) - range, range - sqrt(near)));
    }
    return most;
}

enum nfsar_status focus_region_make(const nfsar_capture *capture, const nfsar_grid *limits,
                                    size_t most, struct focus_region *region, nfsar_error *error) {
    memset(region, 0, sizeof *region);
    enum nfsar_status status = nfsar_grid_check(limits, error);
    if (status != NFSAR_OK) {
        return status;
    }
    const nfsar_axis *axis[3] = {&limits->x, &limits->y, &limits->z};
    double middle[3], half[3], low[3], high[3], toward[3], range;
    for (int a = 0; a < 3; a++) {
        middle[a] = 0.5 * (nfsar_axis_at(axis[a], 0) + nfsar_axis_end(axis[a]));
        half[a] = nfsar_axis_end(axis[a]) - middle[a];
    }
    region->centre = (nfsar_vec3){middle[0], middle[1], middle[2]};
    look(capture, region->centre, low, high, toward, &range);
    region->main = 2;
    for (int a = 1; a >= 0; a--) {
        region->main = fabs(toward[a]) > fabs(toward[region->main]) ? a : region->main;
    }
    double lowest = INFINITY, highest = 0.0;
    for (size_t i = 0; i < capture->n_sample; i++) {
        lowest = fmin(lowest, capture->frequency_hz[i]);
        highest = fmax(highest, capture->frequency_hz[i]);
    }
    const double wavelength = 2.0 * NFSAR_SPEED_OF_LIGHT / (lowest + highest);
    nfsar_axis made[3];
    double wide = 0.0;
    for (int a = 0; a < 3; a++) {
        double step = 0.25 * wavelength;
        const double seen = high[a] - low[a];
        if (a == region->main) {
            step = highest > lowest ? 0.4 * NFSAR_SPEED_OF_LIGHT / (2.0 * (highest - lowest))
                                    : 4.0 * half[a];
        } else if (seen > 0.0) {
            /* Sines of the half angle under which the centre sees the aperture. */
            const double sine = 0.5 * seen / hypot(0.5 * seen, range);
            step = fmax(0.25 * wavelength / sine / TO_A_CELL, 0.25 * wavelength);
        } else {
            step = 2.0 * half[a] + 1.0;
        }
        made[a] = divided(axis[a], step);
        wide = hypot(wide, half[a]);
    }
    region->grid = (nfsar_grid){made[0], made[1], made[2]};
    region->reach = farthest(capture, region->centre, half);
    const double voxels = (double)made[0].count * (double)made[1].count * (double)made[2].count;
    if (voxels > (double)most) {
        return nfsar_fail(
            error, NFSAR_ERROR_ARGUMENT,
            "a region of %.3g x %.3g x %.3g m has %.0f voxels, and autofocus is asked "
            "for at most %zu: give a smaller one (--x, --y, --z)",
            2.0 * half[0], 2.0 * half[1], 2.0 * half[2], voxels, most);
    }
    for (size_t i = 0; i < capture->n_pose; i++) {
        if (nfsar_vec3_distance(capture->pose[i].position, region->centre) < 1.2 * wide) {
            return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                              "pose %zu is %.3g m from the region's centre, within or beside the "
                              "region: give the targets' region (--x, --y, --z)",
                              i, nfsar_vec3_distance(capture->pose[i].position, region->centre));
        }
    }
    return fill(region, error);
}

void focus_region_free(struct focus_region *region) {
    free(region->voxels.x);
    memset(region, 0, sizeof *region);
}
