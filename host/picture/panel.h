/* The parts of a picture: one view with its axes, and the colour bar. */
#ifndef NFSAR_HOST_PICTURE_PANEL_H
#define NFSAR_HOST_PICTURE_PANEL_H

#include "host/picture/canvas.h"
#include "host/picture/projection.h"
#include "host/picture/ticks.h"

/* How magnitudes, or coordinates, become colours. */
struct shade {
    double maximum; /* magnitude of the brightest colour */
    bool linear;
    double range_db;  /* of the dB scale */
    const char *name; /* not NULL: a coordinate of this name, from low to high */
    double low, high;
};

/* 0..1 for nfsar_colour(); NaN for a coordinate that is not there. */
double shade_value(const struct shade *shade, double magnitude);

/* Where along an axis of a plane things are, in display units (mm or m). */
struct extent {
    double low, high; /* outer edges of the first and last voxel */
    double only;      /* the coordinate, when the axis has a single one; else NaN */
    bool degrees;     /* an angle; it may run from high to low */
};

/* Height of the line of text above a panel, and of ticks, numbers and name below it. */
#define PANEL_HEADER 22.0
#define PANEL_FOOTER 46.0

/* One view on the canvas. The rectangle is whole pixels. */
struct panel {
    const struct plane *plane;
    struct extent u, v;
    int left, top, width, height;
    bool label_u, label_v; /* numbers and names along the axis; ticks are always there */
    const char *name_u;    /* NULL: from the plane and the unit */
    const double *beside;  /* [v][u], not NULL: shown instead of the magnitude, from the place of
                               the largest magnitude within a pixel; NaN where there is none */
    const char *header;    /* text above; NULL: which view it is */
    double header_room;    /* pixels from the left edge to what the header must not touch */
    const char *unit;      /* "mm" or "m" */
    double unit_per_m;
};

/* Ticks of an extent over so many pixels; spacing is the least distance of ticks. */
struct ticks panel_ticks(const struct extent *extent, double pixels, double spacing);

/* Width of the numbers and the name left of a panel. */
double panel_margin(const struct canvas *canvas, const struct panel *panel);

/* Draw the view, its frame, ticks, numbers and header. NFSAR_ERROR_MEMORY. */
enum nfsar_status panel_draw(const struct canvas *canvas, const struct panel *panel,
                             const struct shade *shade, nfsar_error *error);

/* Height that colour_bar_draw() uses. */
#define COLOUR_BAR_HEIGHT 48.0

/* A horizontal bar with its numbers and name. */
void colour_bar_draw(const struct canvas *canvas, const struct shade *shade, double left,
                     double top, double width);

#endif
