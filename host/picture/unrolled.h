/* The surface round an axis parallel to y laid flat: over angle and y, the largest magnitude along
 * the radius, and where the outermost peak of about that strength is. */
#ifndef NFSAR_HOST_PICTURE_UNROLLED_H
#define NFSAR_HOST_PICTURE_UNROLLED_H

#include "host/picture/field.h"
#include "host/picture/projection.h"

struct unrolled {
    double axis[2];   /* x and z, metres */
    double radius[2]; /* from, to; metres */
    struct plane
        plane;         /* v is y; u falls from 360 to 0 degrees: the surface as seen from outside */
    double *radius_of; /* [v][u], metres: of the outermost peak that is at least 1 / sqrt(2) of the
                          largest magnitude; NaN where nothing is */
};

/* Angle in degrees at the middle of column u, from +x toward +z. */
double unrolled_angle(const struct unrolled *unrolled, size_t u);

/* `axis` NULL: x = z = 0 where that lies between the voxels, else the grid's middle. `radius` NULL:
 * from 0 to the largest circle between the voxels; where no voxels are, nothing is.
 * NFSAR_ERROR_ARGUMENT for an axis or radii outside of the grid and a grid of one voxel along x or
 * z, NFSAR_ERROR_FORMAT when there is no signal between the radii. */
enum nfsar_status unrolled_make(const struct field *field, const double *axis, const double *radius,
                                struct unrolled *unrolled, nfsar_error *error);
void unrolled_free(struct unrolled *unrolled);

#endif
