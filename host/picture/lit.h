/* A surface as pixels: lit from the viewer's side, darker the farther it is. */
#ifndef NFSAR_HOST_PICTURE_LIT_H
#define NFSAR_HOST_PICTURE_LIT_H

#include "host/picture/panel.h"
#include "host/picture/surface.h"

/* How bright a surface of this normal and depth is, 0 to 1. `reach` is half the depth of the box.
 */
double lit_brightness(const struct camera *camera, const struct hit *hit, double reach);

/* A transparent surface of width x height pixels with the field's surface, the camera's centre in
 * its middle. Colours by the peak, over the field's maximum. NULL when out of memory; the same for
 * every number of threads. */
cairo_surface_t *lit_image(const struct surface *surface, const struct camera *camera,
                           const struct shade *shade, double reach, int width, int height);

#endif
