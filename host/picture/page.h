/* What all pictures of an image share: the units, the heading, the lines below. */
#ifndef NFSAR_HOST_PICTURE_PAGE_H
#define NFSAR_HOST_PICTURE_PAGE_H

#include <nfsar/picture.h>

#include "host/picture/panel.h"

/* Taller pictures than this multiple of their width are scaled down. */
#define PAGE_TALLEST 1.25

/* Free pixels right of panels: room for half a number beyond the last tick. */
#define PAGE_RIGHT 26.0

struct page {
    const nfsar_image *image;
    const nfsar_picture_options *options;
    struct extent extent[3]; /* x, y, z in display units */
    const char *unit;        /* "mm" or "m" */
    double unit_per_m;
};

/* Units and extents: the outer edges of the voxels. */
struct page page_of(const nfsar_image *image, const nfsar_picture_options *options);

/* Height that the heading uses, and to draw it. */
double page_title_height(const struct page *page);
void page_title(const struct canvas *canvas, const struct page *page);

/* Height of colour bars and the lines under them, and of what is below the lines. */
#define PAGE_FOOT 112.0

/* Two lines about the image and its scale; `what` stands before the maximum's value, such as "of
 * the slice ". */
void page_caption(const struct canvas *canvas, const struct page *page, const struct shade *shade,
                  const char *what, double top);

/* One colour bar in the middle, and the caption. */
void page_foot(const struct canvas *canvas, const struct page *page, const struct shade *shade,
               const char *what, double top);

#endif
