/* The flat arrays of magnitude that a picture shows: maximum projections and slices of a volume. */
#ifndef NFSAR_HOST_PICTURE_PROJECTION_H
#define NFSAR_HOST_PICTURE_PROJECTION_H

#include <stdbool.h>

#include <nfsar/image.h>
#include <nfsar/status.h>

/* magnitude[v.count][u.count]; u goes right and v up. */
struct plane {
    nfsar_axis u, v;
    char u_name, v_name, depth_name; /* 'x', 'y' or 'z' */
    bool is_slice;
    double depth, depth_end; /* coordinates of the slice, or of the first and last of several */
    double maximum;          /* of magnitude */
    double *magnitude;
};

/* A volume seen along its three axes. */
struct projections {
    struct plane front, top, side; /* x-y, x-z, z-y */
};

/* Maximum projections, all three in one pass over the volume. NFSAR_ERROR_FORMAT when the image is
 * zero everywhere or has a voxel that is not finite. */
enum nfsar_status projections_make(const nfsar_image *image, struct projections *projections,
                                   nfsar_error *error);
void projections_free(struct projections *projections);

/* The slice across `depth_name` nearest to range[0], or the maximum of those up to the one nearest
 * to range[1]. They may lie up to half a voxel outside: farther is NFSAR_ERROR_ARGUMENT. Slices
 * without signal are NFSAR_ERROR_FORMAT. */
enum nfsar_status plane_slice(const nfsar_image *image, char depth_name, const double range[2],
                              struct plane *plane, nfsar_error *error);
void plane_free(struct plane *plane);

#endif
