/* A plane of magnitudes at the pixels of a picture. */
#ifndef NFSAR_HOST_PICTURE_RESAMPLE_H
#define NFSAR_HOST_PICTURE_RESAMPLE_H

#include "host/picture/projection.h"

/* out[height][width], the first row on top: the plane with the outer edges of its voxels on the
 * edges of the pixel rectangle. NULL when out of memory; free() it. */
double *resample_plane(const struct plane *plane, size_t width, size_t height);

/* out[height][width] likewise: the value of beside[v][u] where, of the samples within the pixel,
 * the plane's magnitude is largest. Nothing is interpolated: between two depths there is none. */
double *resample_beside(const struct plane *plane, const double *beside, size_t width,
                        size_t height);

#endif
