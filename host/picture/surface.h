/* The surface of equal magnitude of a volume, as rays see it that all run the same way. */
#ifndef NFSAR_HOST_PICTURE_SURFACE_H
#define NFSAR_HOST_PICTURE_SURFACE_H

#include <stdbool.h>

#include "host/picture/field.h"

/* How an orthographic picture looks at the world: unit vectors (x, y, z) and the place that is in
 * the picture's middle. right x up = toward, so nothing is mirrored. */
struct camera {
    double right[3], up[3], toward[3]; /* toward the viewer */
    double centre[3];                  /* metres */
    double scale;                      /* pixels for one metre */
};

/* A viewer at the azimuth (from +x toward +z) and elevation (toward +y), degrees. */
struct camera camera_from(double azimuth_deg, double elevation_deg);

/* What a ray meets first. */
struct hit {
    double depth;     /* metres toward the viewer from the camera's centre */
    double normal[3]; /* of the surface, outward, unit vector */
    double peak;      /* largest value that the ray finds behind the surface, before it leaves it */
};

/* A field with what rays need to pass empty space quickly. */
struct surface {
    const struct field *field;
    double level;           /* the surface's value, over the maximum */
    double low[3], high[3]; /* the outer edges of the voxels, metres */
    size_t blocks[3];
    float *most; /* [blocks z][y][x]: the largest value in and on the edge of a block */
};

/* A field with at least two voxels each way. NFSAR_ERROR_MEMORY. */
enum nfsar_status surface_make(const struct field *field, double level, struct surface *surface,
                               nfsar_error *error);
void surface_free(struct surface *surface);

/* The ray at (right, up) metres from the camera's centre; false when it meets nothing. Where the
 * grid ends inside of the surface, the grid's face closes it. */
bool surface_ray(const struct surface *surface, const struct camera *camera, double right,
                 double up, struct hit *hit);

#endif
