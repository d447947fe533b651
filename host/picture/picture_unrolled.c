/* The picture of --view unrolled. */
#include "host/picture/kinds.h"

#include <math.h>
#include <stdio.h>

#include "host/picture/unrolled.h"

/* A low body is drawn higher than to scale, so that something is seen. */
#define HEIGHT_LEAST 90.0

/* Narrower pictures have their colour bars below one another. */
#define BESIDE_LEAST 620

/* A picture being made: the magnitude above, the radius below. */
struct sheet {
    const struct page *page;
    struct unrolled unrolled;
    struct shade magnitude, radius;
    struct panel panel[2];
    char header[160], radius_name[64];
    int bottom, height; /* of the panels, of the picture; pixels */
};

/* Where the magnitude is too weak to be seen its place means nothing. */
static void hide_weak(struct sheet *sheet) {
    const struct plane *plane = &sheet->unrolled.plane;
    const double weak = plane->maximum * pow(10.0, -sheet->page->options->dynamic_range_db / 20.0);
    for (size_t i = 0; i < plane->u.count * plane->v.count; i++) {
        if (plane->magnitude[i] < weak) {
            sheet->unrolled.radius_of[i] = (double)NAN;
        }
    }
}

/* Radii are shown in display units. */
static void convert(struct sheet *sheet) {
    const struct page *page = sheet->page;
    const struct unrolled *unrolled = &sheet->unrolled;
    const size_t n = unrolled->plane.u.count * unrolled->plane.v.count;
    for (size_t i = 0; i < n; i++) {
        unrolled->radius_of[i] *= page->unit_per_m;
    }
    snprintf(sheet->radius_name, sizeof sheet->radius_name, "radius (%s)", page->unit);
    snprintf(sheet->header, sizeof sheet->header,
             "unrolled round x = %.5g, z = %.5g %s, seen from outside; maximum over radii of %.5g "
             "to %.5g %s",
             unrolled->axis[0] * page->unit_per_m, unrolled->axis[1] * page->unit_per_m, page->unit,
             unrolled->radius[0] * page->unit_per_m, unrolled->radius[1] * page->unit_per_m,
             page->unit);
    sheet->magnitude = (struct shade){.maximum = unrolled->plane.maximum,
                                      .linear = page->options->linear,
                                      .range_db = page->options->dynamic_range_db};
    sheet->radius = (struct shade){.name = sheet->radius_name,
                                   .low = unrolled->radius[0] * page->unit_per_m,
                                   .high = unrolled->radius[1] * page->unit_per_m};
}

/* A millimetre up is as long as a millimetre across at the outermost radius, where there is room.
 */
static double panel_height(const struct sheet *sheet, double width) {
    const struct extent *y = &sheet->page->extent[1];
    const double round = 2.0 * M_PI * sheet->radius.high;
    const double most = 0.5 * PAGE_TALLEST * sheet->page->options->width;
    return fmin(fmax(width * (y->high - y->low) / round, HEIGHT_LEAST), most);
}

static void place(struct sheet *sheet, double margin) {
    const struct page *page = sheet->page;
    const int width = page->options->width - (int)(margin + PAGE_RIGHT);
    const int height = (int)panel_height(sheet, width);
    int top = (int)(page_title_height(page) + PANEL_HEADER);
    for (int i = 0; i < 2; i++) {
        struct panel *panel = &sheet->panel[i];
        panel->left = (int)margin;
        panel->top = top;
        panel->width = width;
        panel->height = height;
        panel->header_room = page->options->width - margin - 6.0;
        top += height + (int)PANEL_HEADER + 12;
    }
    sheet->bottom = sheet->panel[1].top + height + (int)PANEL_FOOTER;
    sheet->height = sheet->bottom + (int)PAGE_FOOT;
    if (page->options->width < BESIDE_LEAST) {
        sheet->height += (int)COLOUR_BAR_HEIGHT + 8;
    }
}

/* The margin depends on the width of numbers, which depend on the height. */
static enum nfsar_status lay_out(struct sheet *sheet, nfsar_error *error) {
    struct canvas trial;
    double margin = 70.0;
    for (int i = 0; i < 2; i++) {
        sheet->panel[i] = (struct panel){
            .plane = &sheet->unrolled.plane,
            .u = {.low = 360.0, .high = 0.0, .only = (double)NAN, .degrees = true},
            .v = sheet->page->extent[1],
            .label_u = i == 1,
            .label_v = true,
            .name_u = "angle (\u00b0), from +x toward +z",
            .beside = i == 1 ? sheet->unrolled.radius_of : NULL,
            .header =
                i == 0 ? sheet->header : "radius of the outermost peak within 3 dB of that maximum",
            .unit = sheet->page->unit,
            .unit_per_m = sheet->page->unit_per_m};
    }
    enum nfsar_status status = canvas_open(&trial, 16, 16, error);
    if (status != NFSAR_OK) {
        return status;
    }
    place(sheet, margin);
    margin = panel_margin(&trial, &sheet->panel[0]) + 8.0;
    place(sheet, margin);
    canvas_close(&trial);
    return NFSAR_OK;
}

static void draw_foot(const struct canvas *canvas, const struct sheet *sheet) {
    const bool beside = canvas->width >= BESIDE_LEAST;
    const double width = beside ? fmin(360.0, 0.5 * canvas->width - 60.0) : canvas->width - 80.0;
    const double middle = 0.5 * canvas->width;
    double top = sheet->bottom + 8.0;
    if (beside) {
        colour_bar_draw(canvas, &sheet->magnitude, 0.5 * middle - 0.5 * width + 10.0, top, width);
        colour_bar_draw(canvas, &sheet->radius, 1.5 * middle - 0.5 * width - 10.0, top, width);
    } else {
        colour_bar_draw(canvas, &sheet->magnitude, middle - 0.5 * width, top, width);
        top += COLOUR_BAR_HEIGHT + 8.0;
        colour_bar_draw(canvas, &sheet->radius, middle - 0.5 * width, top, width);
    }
    page_caption(canvas, sheet->page, &sheet->magnitude, "of these radii ",
                 top + COLOUR_BAR_HEIGHT + 12.0);
}

static enum nfsar_status draw(const struct sheet *sheet, const char *path, nfsar_error *error) {
    struct canvas canvas;
    enum nfsar_status status =
        canvas_open(&canvas, sheet->page->options->width, sheet->height, error);
    if (status != NFSAR_OK) {
        return status;
    }
    page_title(&canvas, sheet->page);
    status = panel_draw(&canvas, &sheet->panel[0], &sheet->magnitude, error);
    if (status == NFSAR_OK) {
        status = panel_draw(&canvas, &sheet->panel[1], &sheet->radius, error);
    }
    if (status == NFSAR_OK) {
        draw_foot(&canvas, sheet);
        status = canvas_save(&canvas, path, error);
    }
    canvas_close(&canvas);
    return status;
}

enum nfsar_status picture_unrolled(const struct page *page, const char *path, nfsar_error *error) {
    const nfsar_picture_options *options = page->options;
    const double axis[2] = {options->axis_x_m, options->axis_z_m};
    struct sheet sheet = {.page = page};
    struct field field = {0};
    enum nfsar_status status = field_make(page->image, &field, error);
    if (status == NFSAR_OK) {
        status =
            unrolled_make(&field, options->has_axis ? axis : NULL,
                          options->has_radius ? options->radius_m : NULL, &sheet.unrolled, error);
    }
    field_free(&field);
    if (status == NFSAR_OK) {
        hide_weak(&sheet);
        convert(&sheet);
        status = lay_out(&sheet, error);
    }
    if (status == NFSAR_OK) {
        status = draw(&sheet, path, error);
    }
    unrolled_free(&sheet.unrolled);
    return status;
}
