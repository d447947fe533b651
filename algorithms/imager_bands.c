/* Depths are made in bands that double: one band's transforms have to suit its nearest and its
 * farthest depth, and one reference its compensation. */
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

static int band_of(const nfsar_imager *imager, double depth) {
    return (int)floor(log2(depth / imager_nearest(imager)) + 1e-9);
}

nfsar_grid imager_band(const nfsar_imager *imager, const nfsar_grid *grid, size_t first,
                       size_t *n) {
    int band = band_of(imager, depth_of(imager, grid, first));
    *n = 1;
    while (first + *n < grid->z.count &&
           band_of(imager, depth_of(imager, grid, first + *n)) == band) {
        ++*n;
    }
    nfsar_grid part = *grid;
    part.z.start = nfsar_axis_at(&grid->z, first);
    part.z.count = *n;
    return part;
}

static double middle(const nfsar_axis *axis) {
    return 0.5 * (axis->start + nfsar_axis_end(axis));
}

nfsar_vec3 imager_reference(const nfsar_imager *imager, const nfsar_grid *part, nfsar_vec3 wanted) {
    const nfsar_grid *whole = &imager->whole;
    double end = fmax(depth_of(imager, whole, 0), depth_of(imager, whole, whole->z.count - 1));
    double low = ldexp(imager_nearest(imager), band_of(imager, depth_of(imager, part, 0)));
    double front = imager_front(imager), side = part->z.start > front ? 1.0 : -1.0;
    double depth = 0.5 * (low + fmin(2.0 * low, end));
    return (nfsar_vec3){isfinite(wanted.x) ? wanted.x : middle(&whole->x),
                        isfinite(wanted.y) ? wanted.y : middle(&whole->y),
                        isfinite(wanted.z) ? wanted.z : front + side * depth};
}
