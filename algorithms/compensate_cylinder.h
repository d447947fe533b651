/* Compensation of transmit-receive pairs on a cylinder, whose boresight is toward the axis
 * (docs/theory/cylindrical-compensation.md). */
#ifndef NFSAR_ALGORITHMS_COMPENSATE_CYLINDER_H
#define NFSAR_ALGORITHMS_COMPENSATE_CYLINDER_H

#include <nfsar/compensation.h>
#include <nfsar/cylinder.h>
#include <nfsar/image.h>

/* |d_perp|^2 of the pair, m^2: the square of its baseline at right angles to the direction from its
 * midpoint to the axis at the same height. */
double compensate_cylinder_square(nfsar_vec3 tx, nfsar_vec3 rx, const nfsar_cylinder *cylinder);

/* Extra two-way path of the pair over an antenna at its midpoint, metres, for a target that is
 * `range` away at boresight: |d_perp|^2 / (4 range). What `every-range` takes out of the echo of
 * each range; infinite at range 0. */
double compensate_cylinder_range(nfsar_vec3 tx, nfsar_vec3 rx, const nfsar_cylinder *cylinder,
                                 double range);

/* The same for a target anywhere, as csar makes it out of the waves' directions: less what slopes
 * along the baseline, of its longer part upright or level. */
double compensate_cylinder_voxel(nfsar_vec3 tx, nfsar_vec3 rx, const nfsar_cylinder *cylinder,
                                 nfsar_vec3 voxel);

/* The first as one path for all targets. Closed form: |d_perp|^2 / (4 R0), of a target on the axis
 * straight ahead. Reference point: exact at `reference`, which must be numbers. 0 for `none` and
 * for `every-range`, which is no one path. */
double compensate_cylinder_path(enum nfsar_compensation model, nfsar_vec3 tx, nfsar_vec3 rx,
                                const nfsar_cylinder *cylinder, nfsar_vec3 reference);

/* `wanted` with numbers for its NaN: the axis for x and z, the middle of the grid for y. */
nfsar_vec3 compensate_cylinder_reference(nfsar_vec3 wanted, const nfsar_cylinder *cylinder,
                                         const nfsar_grid *grid);

#endif
