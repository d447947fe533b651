/* The picture of --view 3d. */
#include "host/picture/kinds.h"

#include <math.h>
#include <stdio.h>

#include "host/picture/box.h"
#include "host/picture/lit.h"

/* White left and right of the dark ground. */
#define MARGIN 12.0

static enum nfsar_status check(const struct page *page, nfsar_error *error) {
    const nfsar_picture_options *options = page->options;
    const nfsar_grid *grid = &page->image->grid;
    if (!(options->level_db > 0.0 && options->level_db <= 100.0)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "a surface %g dB below the maximum cannot be shown; choose 1 to 100",
                          options->level_db);
    }
    if (!isfinite(options->azimuth_deg) || fabs(options->azimuth_deg) > 3600.0 ||
        !(fabs(options->elevation_deg) <= 90.0)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "a viewer at azimuth %g, elevation %g degrees: choose an azimuth in "
                          "degrees and an elevation of -90 to 90",
                          options->azimuth_deg, options->elevation_deg);
    }
    if (grid->x.count < 2 || grid->y.count < 2 || grid->z.count < 2) {
        char flat = grid->x.count < 2 ? 'x' : grid->y.count < 2 ? 'y' : 'z';
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "an image with one voxel along %c has no 3-D view: choose %s, or "
                          "reconstruct a grid with more of them",
                          flat,
                          flat == 'x'   ? "side"
                          : flat == 'y' ? "top"
                                        : "front");
    }
    return NFSAR_OK;
}

/* The camera looks at the middle of the voxels' outer edges. */
static struct camera aim(const struct page *page) {
    struct camera camera = camera_from(page->options->azimuth_deg, page->options->elevation_deg);
    for (int i = 0; i < 3; i++) {
        camera.centre[i] = 0.5 * (page->extent[i].low + page->extent[i].high) / page->unit_per_m;
    }
    return camera;
}

/* Where things are on the canvas. */
struct layout {
    int left, top, width, height; /* of the dark ground, whole pixels */
    double reach[3];
};

static struct layout lay_out(const struct page *page, struct camera *camera) {
    struct layout layout = {.left = (int)MARGIN,
                            .top = (int)(page_title_height(page) + PANEL_HEADER),
                            .width = page->options->width - 2 * (int)MARGIN};
    box_reach(page, camera, layout.reach);
    const double room = layout.width - 2.0 * BOX_SIDE;
    const double highest = PAGE_TALLEST * page->options->width - BOX_HEAD - BOX_FOOT;
    camera->scale = fmin(room / (2.0 * layout.reach[0]), highest / (2.0 * layout.reach[1]));
    layout.height = (int)ceil(2.0 * layout.reach[1] * camera->scale + BOX_HEAD + BOX_FOOT);
    return layout;
}

static void draw_ground(const struct canvas *canvas, const struct layout *layout) {
    double rgb[3];
    nfsar_colour(0.0, rgb);
    cairo_set_source_rgb(canvas->cairo, rgb[0], rgb[1], rgb[2]);
    cairo_rectangle(canvas->cairo, layout->left, layout->top, layout->width, layout->height);
    cairo_fill(canvas->cairo);
}

static void draw_header(const struct canvas *canvas, const struct page *page,
                        const struct layout *layout) {
    char text[128];
    snprintf(text, sizeof text,
             "3-D, surface at \u2212%.4g dB, azimuth %g\u00b0, elevation %g\u00b0",
             page->options->level_db, page->options->azimuth_deg, page->options->elevation_deg);
    canvas_fit(canvas, CANVAS_SMALL, layout->width, text);
    canvas_grey(canvas, CANVAS_AXIS);
    canvas_text(canvas, CANVAS_SMALL, layout->left, layout->top - 4.0, 0.0, 1.0, text);
}

static enum nfsar_status draw_surface(const struct canvas *canvas, const struct box *box,
                                      const struct layout *layout, const struct surface *surface,
                                      const struct shade *shade, nfsar_error *error) {
    const int width = (int)ceil(2.0 * layout->reach[0] * box->camera.scale) + 2;
    const int height = (int)ceil(2.0 * layout->reach[1] * box->camera.scale) + 2;
    cairo_surface_t *image =
        lit_image(surface, &box->camera, shade, layout->reach[2], width, height);
    if (image == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for a view of %d x %d pixels",
                          width, height);
    }
    cairo_set_source_surface(canvas->cairo, image, box->x - 0.5 * width, box->y - 0.5 * height);
    cairo_paint(canvas->cairo);
    cairo_surface_destroy(image);
    return NFSAR_OK;
}

static enum nfsar_status draw(const struct page *page, const struct surface *surface,
                              const char *path, nfsar_error *error) {
    const nfsar_picture_options *options = page->options;
    /* Colours reach as far below the surface's level as above it, or it would be drawn in the
     * dark. */
    const struct shade shade = {.maximum = surface->field->maximum,
                                .linear = options->linear,
                                .range_db =
                                    fmax(options->dynamic_range_db, 2.0 * options->level_db)};
    struct canvas canvas;
    struct camera camera = aim(page);
    const struct layout layout = lay_out(page, &camera);
    /* Half pixels, so that the surface's pixels are the canvas's. */
    const struct box box = {.page = page,
                            .camera = camera,
                            .x = floor(layout.left + 0.5 * layout.width),
                            .y = floor(layout.top + BOX_HEAD + layout.reach[1] * camera.scale)};
    enum nfsar_status status = canvas_open(&canvas, options->width,
                                           layout.top + layout.height + (int)PAGE_FOOT + 8, error);
    if (status != NFSAR_OK) {
        return status;
    }
    page_title(&canvas, page);
    draw_ground(&canvas, &layout);
    draw_header(&canvas, page, &layout);
    box_draw_back(&canvas, &box);
    status = draw_surface(&canvas, &box, &layout, surface, &shade, error);
    box_draw_front(&canvas, &box);
    page_foot(&canvas, page, &shade, "", layout.top + layout.height + 8.0);
    if (status == NFSAR_OK) {
        status = canvas_save(&canvas, path, error);
    }
    canvas_close(&canvas);
    return status;
}

enum nfsar_status picture_solid(const struct page *page, const char *path, nfsar_error *error) {
    struct field field = {0};
    struct surface surface = {0};
    enum nfsar_status status = check(page, error);
    if (status == NFSAR_OK) {
        status = field_make(page->image, &field, error);
    }
    if (status == NFSAR_OK) {
        status = surface_make(&field, pow(10.0, -page->options->level_db / 20.0), &surface, error);
    }
    if (status == NFSAR_OK) {
        status = draw(page, &surface, path, error);
    }
    surface_free(&surface);
    field_free(&field);
    return status;
}
