#include "algorithms/compensate_cylinder.h"

#include <math.h>

double compensate_cylinder_square(nfsar_vec3 tx, nfsar_vec3 rx, const nfsar_cylinder *cylinder) {
    nfsar_vec3 d = nfsar_vec3_subtract(tx, rx), middle = nfsar_vec3_midpoint(tx, rx);
    double ux = cylinder->axis.x - middle.x, uz = cylinder->axis.z - middle.z;
    double away = hypot(ux, uz);
    if (!(away > 0.0)) {
        return d.x * d.x + d.y * d.y + d.z * d.z;
    }
    /* Across the direction rather than |d|^2 less what lies along it, which may cancel. */
    double across = (d.x * uz - d.z * ux) / away;
    return d.y * d.y + across * across;
}

double compensate_cylinder_range(nfsar_vec3 tx, nfsar_vec3 rx, const nfsar_cylinder *cylinder,
                                 double range) {
    double square = compensate_cylinder_square(tx, rx, cylinder);
    return square > 0.0 ? square / (4.0 * range) : 0.0;
}

double compensate_cylinder_voxel(nfsar_vec3 tx, nfsar_vec3 rx, const nfsar_cylinder *cylinder,
                                 nfsar_vec3 voxel) {
    nfsar_vec3 d = nfsar_vec3_subtract(tx, rx), middle = nfsar_vec3_midpoint(tx, rx);
    nfsar_vec3 u = nfsar_vec3_subtract(voxel, middle);
    double range = nfsar_vec3_norm(u), square = compensate_cylinder_square(tx, rx, cylinder);
    double erect = d.y * d.y, level = fmax(square - erect, 0.0), along;
    if (!(square > 0.0)) {
        return 0.0;
    }
    if (erect >= level) {
        along = erect * u.y * u.y;
    } else {
        /* Sideways as seen from the axis. */
        double x = middle.x - cylinder->axis.x, z = middle.z - cylinder->axis.z;
        double aside = (u.x * z - u.z * x) / hypot(x, z);
        along = level * aside * aside;
    }
    return (square - along / (range * range)) / (4.0 * range);
}

double compensate_cylinder_path(enum nfsar_compensation model, nfsar_vec3 tx, nfsar_vec3 rx,
                                const nfsar_cylinder *cylinder, nfsar_vec3 reference) {
    switch (model) {
    case NFSAR_COMPENSATION_CLOSED_FORM:
        return compensate_cylinder_range(tx, rx, cylinder, cylinder->radius);
    case NFSAR_COMPENSATION_REFERENCE_POINT:
        return nfsar_compensation_path(model, tx, rx, reference);
    case NFSAR_COMPENSATION_NONE:
    case NFSAR_COMPENSATION_EVERY_RANGE:
        break;
    }
    return 0.0;
}

static double middle(const nfsar_axis *axis) {
    return 0.5 * (axis->start + nfsar_axis_end(axis));
}

nfsar_vec3 compensate_cylinder_reference(nfsar_vec3 wanted, const nfsar_cylinder *cylinder,
                                         const nfsar_grid *grid) {
    return (nfsar_vec3){isfinite(wanted.x) ? wanted.x : cylinder->axis.x,
                        isfinite(wanted.y) ? wanted.y : middle(&grid->y),
                        isfinite(wanted.z) ? wanted.z : cylinder->axis.z};
}
