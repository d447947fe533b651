#include <nfsar/picture.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "host/locale.h"
#include "host/picture/kinds.h"
#include "host/picture/polar.h"

#define WIDTH_LEAST  320
#define WIDTH_MOST   8000
#define COLUMN_GAP   36.0
#define COLUMN_LEAST 58.0 /* what the name and a number below a narrow view need */

nfsar_picture_options nfsar_picture_defaults(void) {
    return (nfsar_picture_options){.dynamic_range_db = 30.0,
                                   .width = 900,
                                   .level_db = 12.0,
                                   .azimuth_deg = 60.0,
                                   .elevation_deg = 25.0};
}

/* A picture being made. */
struct picture {
    struct page page;
    enum nfsar_view view; /* as resolved: a single slice has no three views */
    struct projections all;
    struct plane slice;
    struct shade shade;
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
    if (options->view > NFSAR_VIEW_3D) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "there is no view %d", (int)options->view);
    }
    return NFSAR_OK;
}

/* Options that only some views have. */
static enum nfsar_status check_view(const nfsar_picture_options *options, nfsar_error *error) {
    const enum nfsar_view view = options->view;
    if (options->has_slice && (view < NFSAR_VIEW_FRONT || view > NFSAR_VIEW_SIDE)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "a slice belongs to one view: choose front (a z), top (a y) or side "
                          "(an x)");
    }
    if (options->has_axis &&
        (view == NFSAR_VIEW_FRONT || view == NFSAR_VIEW_SIDE || view == NFSAR_VIEW_3D)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "an axis parallel to y belongs to the views all, top and unrolled");
    }
    if (options->has_radius && view != NFSAR_VIEW_UNROLLED) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "a radius belongs to the view unrolled");
    }
    return NFSAR_OK;
}

/* An axis beside the grid would be marked outside of the picture, or have nothing round it. */
static enum nfsar_status check_axis(const nfsar_grid *grid, const nfsar_picture_options *options,
                                    nfsar_error *error) {
    const nfsar_axis *axis[2] = {&grid->x, &grid->z};
    const double at[2] = {options->axis_x_m, options->axis_z_m};
    for (int i = 0; options->has_axis && i < 2; i++) {
        if (!(at[i] >= axis[i]->start && at[i] <= nfsar_axis_end(axis[i]))) {
            return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                              "an axis at x = %g, z = %g m lies outside the image, whose %c goes "
                              "from %g to %g m",
                              at[0], at[1], i == 0 ? 'x' : 'z', axis[i]->start,
                              nfsar_axis_end(axis[i]));
        }
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

static enum nfsar_status take_planes(struct picture *picture, nfsar_error *error) {
    const nfsar_picture_options *options = picture->page.options;
    const struct plane *chosen[3] = {&picture->slice, NULL, NULL};
    enum nfsar_status status;
    picture->n_panel = 1;
    if (options->has_slice) {
        const char depth[] = {'?', 'z', 'y', 'x'};
        const double range[2] = {options->slice_m,
                                 options->has_slice_end ? options->slice_end_m : options->slice_m};
        status =
            plane_slice(picture->page.image, depth[picture->view], range, &picture->slice, error);
        picture->shade.maximum = picture->slice.maximum;
    } else {
        status = projections_make(picture->page.image, &picture->all, error);
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
                                           .u = picture->page.extent[chosen[i]->u_name - 'x'],
                                           .v = picture->page.extent[chosen[i]->v_name - 'x'],
                                           .label_u = true,
                                           .label_v = true,
                                           .unit = picture->page.unit,
                                           .unit_per_m = picture->page.unit_per_m};
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
    const double width = picture->page.options->width;
    const struct panel *front = &picture->panel[0], *side = &picture->panel[2];
    if (picture->n_panel == 1) {
        return fmin((width - margin - PAGE_RIGHT) / span(&front->u),
                    PAGE_TALLEST * width / span(&front->v));
    }
    double room = width - margin - COLUMN_GAP - PAGE_RIGHT;
    double scale = room / (span(&front->u) + span(&side->u));
    if (scale * span(&side->u) < COLUMN_LEAST) {
        scale = (room - COLUMN_LEAST) / span(&front->u);
    }
    return fmin(scale, PAGE_TALLEST * width / (span(&front->v) + span(&side->u)));
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
    used = margin + front->width + PAGE_RIGHT;
    if (picture->n_panel == 3) {
        used += COLUMN_GAP + fmax(side->width, COLUMN_LEAST);
    }
    front->left = (int)(margin + fmax(0.5 * (picture->page.options->width - used), 0.0));
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
        picture->panel[i].header_room = picture->page.options->width - picture->panel[i].left - 6.0;
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

/* Sizes depend on the width of numbers, which depend on sizes: two rounds settle it. */
static enum nfsar_status lay_out(struct picture *picture, nfsar_error *error) {
    struct canvas trial;
    enum nfsar_status status = canvas_open(&trial, 16, 16, error);
    if (status != NFSAR_OK) {
        return status;
    }
    double margin = 70.0;
    for (int round = 0; round < 2; round++) {
        place_panels(picture, margin, page_title_height(&picture->page));
        margin = widest_margin(picture, &trial);
    }
    place_panels(picture, margin, page_title_height(&picture->page));
    picture->height = (int)(picture->panels_bottom + PAGE_FOOT);
    canvas_close(&trial);
    return NFSAR_OK;
}

static const char *what_sliced(const struct plane *slice) {
    return slice->depth_end > slice->depth ? "of the slices " : "of the slice ";
}

static void mark_axis(const struct picture *picture, const struct canvas *canvas,
                      const struct panel *panel) {
    const nfsar_picture_options *options = picture->page.options;
    if (options->has_axis && panel->plane->depth_name == 'y') {
        polar_draw(canvas, panel, options->axis_x_m * picture->page.unit_per_m,
                   options->axis_z_m * picture->page.unit_per_m);
    }
}

static enum nfsar_status draw(const struct picture *picture, const struct canvas *canvas,
                              nfsar_error *error) {
    page_title(canvas, &picture->page);
    for (int i = 0; i < picture->n_panel; i++) {
        enum nfsar_status status = panel_draw(canvas, &picture->panel[i], &picture->shade, error);
        if (status != NFSAR_OK) {
            return status;
        }
        mark_axis(picture, canvas, &picture->panel[i]);
    }
    page_foot(canvas, &picture->page, &picture->shade,
              picture->page.options->has_slice ? what_sliced(&picture->slice) : "",
              picture->panels_bottom);
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
    status = canvas_open(&canvas, picture->page.options->width, picture->height, error);
    if (status == NFSAR_OK) {
        status = draw(picture, &canvas, error);
        if (status == NFSAR_OK) {
            status = canvas_save(&canvas, path, error);
        }
        canvas_close(&canvas);
    }
    return status;
}

static enum nfsar_status orthographic(const struct page *page, const char *path,
                                      nfsar_error *error) {
    const nfsar_picture_options *options = page->options;
    struct picture picture = {
        .page = *page,
        .view = resolve_view(options->view, &page->image->grid),
        .shade = {.linear = options->linear, .range_db = options->dynamic_range_db}};
    enum nfsar_status status = make(&picture, path, error);
    projections_free(&picture.all);
    plane_free(&picture.slice);
    return status;
}

enum nfsar_status nfsar_picture_image(const nfsar_image *image,
                                      const nfsar_picture_options *options, const char *path,
                                      nfsar_error *error) {
    PLAIN_NUMBERS;
    enum nfsar_status status = check_options(options, error);
    if (status == NFSAR_OK) {
        status = check_view(options, error);
    }
    if (status == NFSAR_OK) {
        status = nfsar_grid_check(&image->grid, error);
    }
    if (status == NFSAR_OK) {
        status = check_axis(&image->grid, options, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    const struct page page = page_of(image, options);
    return options->view == NFSAR_VIEW_UNROLLED ? picture_unrolled(&page, path, error)
           : options->view == NFSAR_VIEW_3D     ? picture_solid(&page, path, error)
                                                : orthographic(&page, path, error);
}
