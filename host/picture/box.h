/* The edges of a volume in a 3-D picture, with ticks and numbers. */
#ifndef NFSAR_HOST_PICTURE_BOX_H
#define NFSAR_HOST_PICTURE_BOX_H

#include "host/picture/page.h"
#include "host/picture/surface.h"

/* Free pixels round the box for numbers and names. */
#define BOX_SIDE 62.0
#define BOX_FOOT 50.0
#define BOX_HEAD 18.0

/* A box on the canvas. */
struct box {
    const struct page *page; /* extents and unit */
    struct camera camera;    /* in the middle of the box */
    double x, y;             /* where that middle is, pixels */
};

/* Half the width and height of the box as seen, and half its depth, metres. */
void box_reach(const struct page *page, const struct camera *camera, double reach[3]);

/* What is behind everything in the box: edges and ticks' lines on the far faces; the outline. */
void box_draw_back(const struct canvas *canvas, const struct box *box);

/* What is before everything: the near edges; and the numbers and names along the outline. */
void box_draw_front(const struct canvas *canvas, const struct box *box);

#endif
