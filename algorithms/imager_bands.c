/* Depths are made in bands that double: one band's transforms have to suit its nearest and its
 * farthest depth, and one reference its compensation. Where baselines are wide, the grid is cut
 * into more bands, and each band into patches, until one reference serves each. */
#include <math.h>

#include "algorithms/imager.h"

double imager_front(const nfsar_imager *imager) {
    if (imager->has_lattice && imager->method == NFSAR_METHOD_RMA) {
        return imager->lattice.z;
    }
    return imager->whole.z.start > imager->report.highest_z ? imager->report.highest_z
                                                            : imager->report.lowest_z;
}

static double depth_of(const nfsar_imager *imager, const nfsar_grid *grid, size_t i) {
    return fabs(nfsar_axis_at(&grid->z, i) - imager_front(imager));
}

double imager_nearest(const nfsar_imager *imager) {
    const nfsar_grid *grid = &imager->whole;
    return fmin(depth_of(imager, grid, 0), depth_of(imager, grid, grid->z.count - 1));
}

/* Which band a slice of a part of the whole grid lies in: its doubling of the nearest depth, and
 * the part of the whole grid. */
static int band_of(const nfsar_imager *imager, const nfsar_grid *part, size_t i) {
    const nfsar_axis *whole = &imager->whole.z;
    double doublings = log2(depth_of(imager, part, i) / imager_nearest(imager));
    double slice = (nfsar_axis_at(&part->z, i) - whole->start) / whole->step;
    double cut = whole->count > 1
                     ? floor((slice + 0.5) * (double)imager->patches / (double)whole->count)
                     : 0.0;
    return (int)floor(doublings + 1e-9) * (int)imager->patches + (int)cut;
}

nfsar_grid imager_band(const nfsar_imager *imager, const nfsar_grid *grid, size_t first,
                       size_t *n) {
    int band = band_of(imager, grid, first);
    *n = 1;
    while (first + *n < grid->z.count && band_of(imager, grid, first + *n) == band) {
        ++*n;
    }
    nfsar_grid part = *grid;
    part.z.start = nfsar_axis_at(&grid->z, first);
    part.z.count = *n;
    return part;
}

/* Part i of n of an axis. */
static nfsar_axis cut(const nfsar_axis *axis, size_t i, size_t n, size_t *first) {
    *first = i * axis->count / n;
    return (nfsar_axis){nfsar_axis_at(axis, *first), axis->step,
                        (i + 1) * axis->count / n - *first};
}

nfsar_grid imager_patch(const nfsar_imager *imager, const nfsar_grid *band, size_t i,
                        size_t *first_x, size_t *first_y) {
    nfsar_grid part = *band;
    part.x = cut(&band->x, i % imager->patches, imager->patches, first_x);
    part.y = cut(&band->y, i / imager->patches, imager->patches, first_y);
    return part;
}

static double middle(const nfsar_axis *axis) {
    return 0.5 * (axis->start + nfsar_axis_end(axis));
}

/* Middle of the whole grid's slices in the band of a part. */
static double band_middle(const nfsar_imager *imager, const nfsar_grid *part) {
    const nfsar_grid *whole = &imager->whole;
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < whole->z.count; i++) {
        if (band_of(imager, whole, i) == band_of(imager, part, 0)) {
            low = fmin(low, nfsar_axis_at(&whole->z, i));
            high = fmax(high, nfsar_axis_at(&whole->z, i));
        }
    }
    return low <= high ? 0.5 * (low + high) : part->z.start;
}

nfsar_vec3 imager_reference(const nfsar_imager *imager, const nfsar_grid *part, nfsar_vec3 wanted) {
    return (nfsar_vec3){isfinite(wanted.x) ? wanted.x : middle(&part->x),
                        isfinite(wanted.y) ? wanted.y : middle(&part->y),
                        isfinite(wanted.z) ? wanted.z : band_middle(imager, part)};
}
