/* An axis parallel to y in a top view: a cross, and circles with their radii. */
#ifndef NFSAR_HOST_PICTURE_POLAR_H
#define NFSAR_HOST_PICTURE_POLAR_H

#include "host/picture/panel.h"

/* Draw them over a panel whose u is x and v is z; the axis is at (x, z), display units. */
void polar_draw(const struct canvas *canvas, const struct panel *panel, double x, double z);

#endif
