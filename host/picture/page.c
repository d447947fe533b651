#include "host/picture/page.h"

#include <math.h>
#include <stdio.h>

#define CAPTION_LINE 16.0

/* An axis with one coordinate has no voxel size: it is drawn as a strip wide enough to be seen. */
struct page page_of(const nfsar_image *image, const nfsar_picture_options *options) {
    const nfsar_axis *axis[3] = {&image->grid.x, &image->grid.y, &image->grid.z};
    struct page page = {.image = image, .options = options};
    double largest = 0.0;
    for (int i = 0; i < 3; i++) {
        if (axis[i]->count > 1) {
            largest = fmax(largest, axis[i]->step * (double)axis[i]->count);
        }
    }
    page.unit = largest < 5.0 ? "mm" : "m";
    page.unit_per_m = largest < 5.0 ? 1000.0 : 1.0;
    double strip = largest > 0.0 ? 0.05 * largest : 0.001;
    for (int i = 0; i < 3; i++) {
        double step = axis[i]->count > 1 ? axis[i]->step : strip;
        page.extent[i] = (struct extent){
            .low = (axis[i]->start - 0.5 * step) * page.unit_per_m,
            .high = (axis[i]->start + step * ((double)axis[i]->count - 0.5)) * page.unit_per_m,
            .only = axis[i]->count > 1 ? (double)NAN : axis[i]->start * page.unit_per_m};
    }
    return page;
}

double page_title_height(const struct page *page) {
    const char *title = page->options->title;
    return title != NULL && title[0] != '\0' ? 40.0 : 10.0;
}

void page_title(const struct canvas *canvas, const struct page *page) {
    char title[512];
    if (page->options->title == NULL) {
        return;
    }
    snprintf(title, sizeof title, "%s", page->options->title);
    canvas_fit(canvas, CANVAS_TITLE, canvas->width - 24.0, title);
    canvas_grey(canvas, CANVAS_INK);
    canvas_text(canvas, CANVAS_TITLE, 0.5 * canvas->width, 12.0, 0.5, 0.0, title);
}

/* "rma · 256 x 256 x 64 voxels of 1 x 1 x 2 mm" */
static void describe_image(const struct page *page, char *text, size_t room) {
    const nfsar_grid *grid = &page->image->grid;
    const nfsar_axis *axis[3] = {&grid->x, &grid->y, &grid->z};
    const char *method = page->image->method;
    int used = snprintf(text, room, "%.60s%s%zu x %zu x %zu voxels", method != NULL ? method : "",
                        method != NULL ? ", " : "", grid->x.count, grid->y.count, grid->z.count);
    bool any = false;
    for (int i = 0; i < 3; i++) {
        if (axis[i]->count > 1) {
            used += snprintf(text + used, room - (size_t)used, "%s%.4g", any ? " x " : " of ",
                             axis[i]->step * page->unit_per_m);
            any = true;
        }
    }
    snprintf(text + used, room - (size_t)used, "%s%s", any ? " " : "", any ? page->unit : "");
}

static void describe_scale(const struct shade *shade, const char *what, char *text, size_t room) {
    if (shade->linear) {
        snprintf(text, room, "linear magnitude, maximum %s%.4g", what, shade->maximum);
    } else {
        snprintf(text, room, "%g dB below the maximum, which %sis %.4g", shade->range_db, what,
                 shade->maximum);
    }
}

void page_caption(const struct canvas *canvas, const struct page *page, const struct shade *shade,
                  const char *what, double top) {
    char text[256];
    const double middle = 0.5 * canvas->width;
    canvas_grey(canvas, CANVAS_AXIS);
    describe_image(page, text, sizeof text);
    canvas_fit(canvas, CANVAS_SMALL, canvas->width - 16.0, text);
    canvas_text(canvas, CANVAS_SMALL, middle, top, 0.5, 0.0, text);
    describe_scale(shade, what, text, sizeof text);
    canvas_fit(canvas, CANVAS_SMALL, canvas->width - 16.0, text);
    canvas_text(canvas, CANVAS_SMALL, middle, top + CAPTION_LINE, 0.5, 0.0, text);
}

void page_foot(const struct canvas *canvas, const struct page *page, const struct shade *shade,
               const char *what, double top) {
    double width = fmin(420.0, canvas->width - 80.0);
    colour_bar_draw(canvas, shade, 0.5 * (canvas->width - width), top + 8.0, width);
    page_caption(canvas, page, shade, what, top + 8.0 + COLOUR_BAR_HEIGHT + 12.0);
}
