#include <nfsar/picture.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "host/locale.h"
#include "host/picture/panel.h"

#define WIDTH_LEAST  320
#define WIDTH_MOST   8000
#define RIGHT        26.0 /* room for half a number beyond the last tick */
#define COLUMN_GAP   36.0
#define COLUMN_LEAST 58.0 /* what the name and a number below a narrow view need */
#define CAPTION_LINE 16.0

/* Taller pictures than this multiple of their width are scaled down. */
#define TALLEST 1.25

nfsar_picture_options nfsar_picture_defaults(void) {
    return (nfsar_picture_options){.dynamic_range_db = 30.0, .width = 900};
}

/* A picture being made. */
struct picture {
    const nfsar_image *image;
    const nfsar_picture_options *options;
    enum nfsar_view view; /* as resolved: a single slice has no three views */
    struct projections all;
    struct plane slice;
    struct shade shade;
    struct extent extent[3]; /* x, y, z in display units */
    const char *unit;
    double unit_per_m;
    struct panel panel[3];
    int n_panel;
    int height; /* pixels */
    double panels_bottom;
};

static enum nfsar_status check_options(const nfsar_picture_options *options, nfsar_error *error) {
    if (!(options->dynamic_range_db > 0.0 && options->dynamic_range_db <= 300.0)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "a dynamic range of %g dB cannot be shown; choose 1 to 300",
                          options->dynamic_range_db);
    }
    if (options->width < WIDTH_LEAST || options->width > WIDTH_MOST) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "a picture %d pixels wide cannot be made; choose %d to %d",
                          options->width, WIDTH_LEAST, WIDTH_MOST);
    }
    if (options->has_slice && options->view == NFSAR_VIEW_ALL) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "a slice belongs to one view: choose front (a z), top (a y) or side "
                          "(an x)");
    }
    return NFSAR_OK;
}

/* The three views of a volume one voxel deep are one view and two lines. */
static enum nfsar_view resolve_view(enum nfsar_view view, const nfsar_grid *grid) {
    if (view != NFSAR_VIEW_ALL) {
        return view;
    }
    return grid->z.count == 1   ? NFSAR_VIEW_FRONT
           : grid->y.count == 1 ? NFSAR_VIEW_TOP
           : grid->x.count == 1 ? NFSAR_VIEW_SIDE
                                : NFSAR_VIEW_ALL;
}

/* Outer edges of the voxels. An axis with one coordinate has no voxel size: it is drawn as a strip
 * wide enough to be seen. */
static void find_extents(struct picture *picture) {
    const nfsar_grid *grid = &picture->image->grid;
    const nfsar_axis *axis[3] = {&grid->x, &grid->y, &grid->z};
    double largest = 0.0;
    for (int i = 0; i < 3; i++) {
        if (axis[i]->count > 1) {
            largest = fmax(largest, axis[i]->step * (double)axis[i]->count);
        }
    }
    picture->unit = largest < 5.0 ? "mm" : "m";
    picture->unit_per_m = largest < 5.0 ? 1000.0 : 1.0;
    double strip = largest > 0.0 ? 0.05 * largest : 0.001;
    for (int i = 0; i < 3; i++) {
        double step = axis[i]->count > 1 ? axis[i]->step : strip;
        picture->extent[i] = (struct extent){
            (axis[i]->start - 0.5 * step) * picture->unit_per_m,
            (axis[i]->start + step * ((double)axis[i]->count - 0.5)) * picture->unit_per_m,
            axis[i]->count > 1 ? (double)NAN : axis[i]->start * picture->unit_per_m};
    }
}

static enum nfsar_status take_planes(struct picture *picture, nfsar_error *error) {
    const nfsar_picture_options *options = picture->options;
    const struct plane *chosen[3] = {&picture->slice, NULL, NULL};
    enum nfsar_status status;
    picture->n_panel = 1;
    if (options->has_slice) {
        const char depth[] = {'?', 'z', 'y', 'x'};
        status = plane_slice(picture->image, depth[picture->view], options->slice_m,
                             &picture->slice, error);
        picture->shade.maximum = picture->slice.maximum;
    } else {
        status = projections_make(picture->image, &picture->all, error);
        picture->shade.maximum = picture->all.front.maximum;
        const struct plane *view[3] = {&picture->all.front, &picture->all.top, &picture->all.side};
        if (picture->view == NFSAR_VIEW_ALL) {
            memcpy(chosen, view, sizeof chosen);
            picture->n_panel = 3;
        } else {
            chosen[0] = view[picture->view - NFSAR_VIEW_FRONT];
        }
    }
    for (int i = 0; status == NFSAR_OK && i < picture->n_panel; i++) {
        picture->panel[i] = (struct panel){.plane = chosen[i],
                                           .u = picture->extent[chosen[i]->u_name - 'x'],
                                           .v = picture->extent[chosen[i]->v_name - 'x'],
                                           .label_u = true,
                                           .label_v = true,
                                           .unit = picture->unit,
                                           .unit_per_m = picture->unit_per_m};
    }
    return status;
}

static double span(const struct extent *extent) {
    return extent->high - extent->low;
}

static void size_panel(struct panel *panel, double scale) {
    panel->width = (int)fmax(round(scale * span(&panel->u)), 2.0);
    panel->height = (int)fmax(round(scale * span(&panel->v)), 2.0);
}

/* Pixels for one display unit, the same along both axes and in every view. */
static double choose_scale(const struct picture *picture, double margin) {
    const double width = picture->options->width;
    const struct panel *front = &picture->panel[0], *side = &picture->panel[2];
    if (picture->n_panel == 1) {
        return fmin((width - margin - RIGHT) / span(&front->u), TALLEST * width / span(&front->v));
    }
    double room = width - margin - COLUMN_GAP - RIGHT;
    double scale = room / (span(&front->u) + span(&side->u));
    if (scale * span(&side->u) < COLUMN_LEAST) {
        scale = (room - COLUMN_LEAST) / span(&front->u);
    }
    return fmin(scale, TALLEST * width / (span(&front->v) + span(&side->u)));
}

/* An orthographic drawing: the top view above the front view, the side view right of it, with
 * common axes; the numbers of a common axis are written once. */
static void place_panels(struct picture *picture, double margin, double top) {
    struct panel *front = &picture->panel[0], *above = &picture->panel[1],
                 *side = &picture->panel[2];
    double scale = choose_scale(picture, margin), used = 0.0;
    for (int i = 0; i < picture->n_panel; i++) {
        size_panel(&picture->panel[i], scale);
    }
    used = margin + front->width + RIGHT;
    if (picture->n_panel == 3) {
        used += COLUMN_GAP + fmax(side->width, COLUMN_LEAST);
    }
    front->left = (int)(margin + fmax(0.5 * (picture->options->width - used), 0.0));
    front->top = (int)(top + PANEL_HEADER);
    if (picture->n_panel == 3) {
        above->left = front->left;
        above->top = front->top;
        above->label_u = false;
        front->top = above->top + above->height + (int)PANEL_HEADER + 12;
        side->left = front->left + front->width + (int)COLUMN_GAP;
        side->top = front->top;
        side->label_v = false;
    }
    for (int i = 0; i < picture->n_panel; i++) {
        picture->panel[i].header_room = picture->options->width - picture->panel[i].left - 6.0;
    }
    if (picture->n_panel == 3) {
        front->header_room = side->left - front->left - 10.0;
    }
    picture->panels_bottom = front->top + front->height + PANEL_FOOTER;
}

static double widest_margin(const struct picture *picture, const struct canvas *canvas) {
    double margin = panel_margin(canvas, &picture->panel[0]);
    if (picture->n_panel == 3) {
        margin = fmax(margin, panel_margin(canvas, &picture->panel[1]));
    }
    return margin + 8.0;
}

static double title_height(const struct picture *picture) {
    const char *title = picture->options->title;
    return title != NULL && title[0] != '\0' ? 40.0 : 10.0;
}

/* Sizes depend on the width of numbers, which depend on sizes: two rounds settle it. */
static enum nfsar_status lay_out(struct picture *picture, nfsar_error *error) {
    struct canvas trial;
    enum nfsar_status status = canvas_open(&trial, 16, 16, error);
    if (status != NFSAR_OK) {
        return status;
    }
    double margin = 70.0;
    for (int round = 0; round < 2; round++) {
        place_panels(picture, margin, title_height(picture));
        margin = widest_margin(picture, &trial);
    }
    place_panels(picture, margin, title_height(picture));
    picture->height =
        (int)(picture->panels_bottom + 8.0 + COLOUR_BAR_HEIGHT + 14.0 + 2.0 * CAPTION_LINE + 10.0);
    canvas_close(&trial);
    return NFSAR_OK;
}

/* "rma · 256 x 256 x 64 voxels of 1 x 1 x 2 mm" */
static void describe_image(const struct picture *picture, char *text, size_t room) {
    const nfsar_grid *grid = &picture->image->grid;
    const nfsar_axis *axis[3] = {&grid->x, &grid->y, &grid->z};
    const char *method = picture->image->method;
    int used = snprintf(text, room, "%.60s%s%zu x %zu x %zu voxels", method != NULL ? method : "",
                        method != NULL ? ", " : "", grid->x.count, grid->y.count, grid->z.count);
    bool any = false;
    for (int i = 0; i < 3; i++) {
        if (axis[i]->count > 1) {
            used += snprintf(text + used, room - (size_t)used, "%s%.4g", any ? " x " : " of ",
                             axis[i]->step * picture->unit_per_m);
            any = true;
        }
    }
    snprintf(text + used, room - (size_t)used, "%s%s", any ? " " : "", any ? picture->unit : "");
}

static void describe_scale(const struct picture *picture, char *text, size_t room) {
    const char *what = picture->options->has_slice ? "of the slice " : "";
    if (picture->shade.linear) {
        snprintf(text, room, "linear magnitude, maximum %s%.4g", what, picture->shade.maximum);
    } else {
        snprintf(text, room, "%g dB below the maximum, which %sis %.4g", picture->shade.range_db,
                 what, picture->shade.maximum);
    }
}

static void draw_caption(const struct canvas *canvas, const struct picture *picture, double top) {
    char text[256];
    const double middle = 0.5 * canvas->width;
    canvas_grey(canvas, CANVAS_AXIS);
    describe_image(picture, text, sizeof text);
    canvas_fit(canvas, CANVAS_SMALL, canvas->width - 16.0, text);
    canvas_text(canvas, CANVAS_SMALL, middle, top, 0.5, 0.0, text);
    describe_scale(picture, text, sizeof text);
    canvas_fit(canvas, CANVAS_SMALL, canvas->width - 16.0, text);
    canvas_text(canvas, CANVAS_SMALL, middle, top + CAPTION_LINE, 0.5, 0.0, text);
}

static enum nfsar_status draw(const struct picture *picture, const struct canvas *canvas,
                              nfsar_error *error) {
    if (picture->options->title != NULL) {
        char title[512];
        snprintf(title, sizeof title, "%s", picture->options->title);
        canvas_fit(canvas, CANVAS_TITLE, canvas->width - 24.0, title);
        canvas_grey(canvas, CANVAS_INK);
        canvas_text(canvas, CANVAS_TITLE, 0.5 * canvas->width, 12.0, 0.5, 0.0, title);
    }
    for (int i = 0; i < picture->n_panel; i++) {
        enum nfsar_status status = panel_draw(canvas, &picture->panel[i], &picture->shade, error);
        if (status != NFSAR_OK) {
            return status;
        }
    }
    double width = fmin(420.0, canvas->width - 80.0);
    double top = picture->panels_bottom + 8.0;
    colour_bar_draw(canvas, &picture->shade, 0.5 * (canvas->width - width), top, width);
    draw_caption(canvas, picture, top + COLOUR_BAR_HEIGHT + 12.0);
    return NFSAR_OK;
}

static enum nfsar_status make(struct picture *picture, const char *path, nfsar_error *error) {
    enum nfsar_status status = take_planes(picture, error);
    if (status == NFSAR_OK) {
        status = lay_out(picture, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    struct canvas canvas;
    status = canvas_open(&canvas, picture->options->width, picture->height, error);
    if (status == NFSAR_OK) {
        status = draw(picture, &canvas, error);
        if (status == NFSAR_OK) {
            status = canvas_save(&canvas, path, error);
        }
        canvas_close(&canvas);
    }
    return status;
}

enum nfsar_status nfsar_picture_image(const nfsar_image *image,
                                      const nfsar_picture_options *options, const char *path,
                                      nfsar_error *error) {
    PLAIN_NUMBERS;
    enum nfsar_status status = check_options(options, error);
    if (status == NFSAR_OK) {
        status = nfsar_grid_check(&image->grid, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    struct picture picture = {
        .image = image,
        .options = options,
        .view = resolve_view(options->view, &image->grid),
        .shade = {.linear = options->linear, .range_db = options->dynamic_range_db}};
    find_extents(&picture);
    status = make(&picture, path, error);
    projections_free(&picture.all);
    plane_free(&picture.slice);
    return status;
}
