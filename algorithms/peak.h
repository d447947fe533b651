/* The place of an image's peak between its voxels, and the cuts through it. */
#ifndef NFSAR_ALGORITHMS_PEAK_H
#define NFSAR_ALGORITHMS_PEAK_H

#include <nfsar/image.h>
#include <nfsar/status.h>

#include "algorithms/lobes.h"

struct peak {
    size_t voxel[3];   /* the strongest voxel: x, y, z */
    double at[3];      /* the maximum around it, in voxels */
    double carrier[3]; /* phase step a voxel around it (algorithms/interpolate.h) */
};

/* Find the maximum around a voxel: Newton's method on the logarithm of the interpolated power, all
 * axes together, because the lobes of a target seen obliquely lie oblique to the grid. Along an
 * axis where the voxel lies next to the border only the parabola through three voxels is left, and
 * on the border itself nothing: there at == voxel. */
void peak_refine(const nfsar_image *image, const size_t voxel[3], struct peak *peak);

/* Lobes of the cut through the peak along an axis (0, 1, 2), the width in voxels. All NaN for an
 * axis of one or two voxels. */
enum nfsar_status peak_cut(const nfsar_image *image, const struct peak *peak, int axis,
                           struct lobes *lobes, nfsar_error *error);

#endif
