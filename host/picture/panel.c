#include "host/picture/panel.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <nfsar/picture.h>

#include "host/picture/resample.h"

/* Levels of colour. 8 bits hold more, but nobody sees them, and the file grows. */
#define LEVELS 100

double shade_value(const struct shade *shade, double magnitude) {
    if (shade->name != NULL) {
        double place = (magnitude - shade->low) / (shade->high - shade->low);
        return isnan(place) ? place : fmin(fmax(place, 0.0), 1.0);
    }
    double relative = magnitude / shade->maximum;
    if (shade->linear) {
        return fmin(fmax(relative, 0.0), 1.0);
    }
    if (!(relative > 0.0)) {
        return 0.0;
    }
    return fmin(fmax(1.0 + 20.0 * log10(relative) / shade->range_db, 0.0), 1.0);
}

static void fill_levels(uint32_t level[LEVELS]) {
    for (int i = 0; i < LEVELS; i++) {
        double rgb[3];
        nfsar_colour(i / (LEVELS - 1.0), rgb);
        level[i] = (uint32_t)lround(255.0 * rgb[0]) << 16 | (uint32_t)lround(255.0 * rgb[1]) << 8 |
                   (uint32_t)lround(255.0 * rgb[2]);
    }
}

/* Where a value is not there: a grey that is no colour of the map. */
#define NOTHING 0xcccccc

/* Values 0..1 as coloured pixels at a place of the canvas. */
static void paint(const struct canvas *canvas, const double *value, int width, int height, int left,
                  int top) {
    uint32_t level[LEVELS];
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    unsigned char *bytes = cairo_image_surface_get_data(surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    fill_levels(level);
    for (int y = 0; bytes != NULL && y < height; y++) {
        uint32_t *row = (uint32_t *)(void *)(bytes + (size_t)y * stride);
        for (int x = 0; x < width; x++) {
            double at = value[(size_t)y * (size_t)width + (size_t)x];
            row[x] = isnan(at) ? NOTHING : level[lround(at * (LEVELS - 1))];
        }
    }
    cairo_surface_mark_dirty(surface);
    /* A surface that failed puts the canvas in its error state, which canvas_save() reports. */
    cairo_set_source_surface(canvas->cairo, surface, left, top);
    cairo_rectangle(canvas->cairo, left, top, width, height);
    cairo_fill(canvas->cairo);
    cairo_surface_destroy(surface);
}

static double widest_number(const struct canvas *canvas, const struct ticks *ticks) {
    double widest = 0.0;
    for (size_t i = 0; i < ticks->count; i++) {
        char text[64];
        ticks_label(ticks, i, text, sizeof text);
        widest = fmax(widest, canvas_text_width(canvas, CANVAS_SMALL, text));
    }
    return widest;
}

struct ticks panel_ticks(const struct extent *extent, double pixels, double spacing) {
    struct ticks one = {isnan(extent->only) ? 0.5 * (extent->low + extent->high) : extent->only,
                        0.0, 1};
    if (!isnan(extent->only)) {
        return one;
    }
    struct ticks made = extent->degrees
                            ? ticks_of_degrees(fmin(extent->low, extent->high),
                                               fmax(extent->low, extent->high), pixels / spacing)
                            : ticks_between(extent->low, extent->high, pixels / spacing);
    return made.count > 0 ? made : one;
}

static struct ticks ticks_along(const struct canvas *canvas, const struct panel *panel) {
    struct ticks made = panel_ticks(&panel->u, panel->width, 60.0);
    double spacing = widest_number(canvas, &made) + 18.0;
    return panel_ticks(&panel->u, panel->width, fmax(spacing, 60.0));
}

static struct ticks ticks_up(const struct panel *panel) {
    return panel_ticks(&panel->v, panel->height, 36.0);
}

static double fraction(const struct extent *extent, double at) {
    return (at - extent->low) / (extent->high - extent->low);
}

static void draw_ticks_along(const struct canvas *canvas, const struct panel *panel) {
    const struct ticks ticks = ticks_along(canvas, panel);
    const double bottom = panel->top + panel->height;
    char text[64];
    for (size_t i = 0; i < ticks.count; i++) {
        double x = panel->left + fraction(&panel->u, ticks_at(&ticks, i)) * panel->width;
        x = fmin(x, panel->left + panel->width - 1.0);
        canvas_grey(canvas, CANVAS_AXIS);
        canvas_rule(canvas, x, bottom, x, bottom + 4.0);
        if (panel->label_u) {
            ticks_label(&ticks, i, text, sizeof text);
            canvas_grey(canvas, CANVAS_INK);
            canvas_text(canvas, CANVAS_SMALL, x, bottom + 7.0, 0.5, 0.0, text);
        }
    }
    if (panel->label_u) {
        snprintf(text, sizeof text, "%c (%s)", panel->plane->u_name, panel->unit);
        canvas_grey(canvas, CANVAS_INK);
        canvas_text(canvas, CANVAS_TEXT, panel->left + 0.5 * panel->width, bottom + 24.0, 0.5, 0.0,
                    panel->name_u != NULL ? panel->name_u : text);
    }
}

/* The name of the upward axis is turned where the panel is high enough for it, else it stands above
 * the numbers. */
static bool name_is_turned(const struct canvas *canvas, const struct panel *panel) {
    return panel->height >= canvas_text_width(canvas, CANVAS_TEXT, "y (mm)") + 8.0;
}

double panel_margin(const struct canvas *canvas, const struct panel *panel) {
    const struct ticks ticks = ticks_up(panel);
    double numbers = 10.0 + widest_number(canvas, &ticks);
    double name = canvas_text_width(canvas, CANVAS_TEXT, "y (mm)") + 8.0;
    return name_is_turned(canvas, panel) ? numbers + 24.0 : fmax(numbers, name);
}

static void draw_ticks_up(const struct canvas *canvas, const struct panel *panel) {
    const struct ticks ticks = ticks_up(panel);
    char text[64];
    for (size_t i = 0; i < ticks.count; i++) {
        double y = panel->top + (1.0 - fraction(&panel->v, ticks_at(&ticks, i))) * panel->height;
        y = fmin(y, panel->top + panel->height - 1.0);
        canvas_grey(canvas, CANVAS_AXIS);
        canvas_rule(canvas, panel->left - 5.0, y, panel->left - 1.0, y);
        if (panel->label_v) {
            ticks_label(&ticks, i, text, sizeof text);
            canvas_grey(canvas, CANVAS_INK);
            canvas_text(canvas, CANVAS_SMALL, panel->left - 8.0, y, 1.0, 0.5, text);
        }
    }
    if (!panel->label_v) {
        return;
    }
    snprintf(text, sizeof text, "%c (%s)", panel->plane->v_name, panel->unit);
    canvas_grey(canvas, CANVAS_INK);
    if (name_is_turned(canvas, panel)) {
        canvas_text_upward(canvas, CANVAS_TEXT, panel->left - panel_margin(canvas, panel) + 9.0,
                           panel->top + 0.5 * panel->height, text);
    } else {
        canvas_text(canvas, CANVAS_TEXT, panel->left - 8.0, panel->top - 4.0, 1.0, 1.0, text);
    }
}

static void draw_header(const struct canvas *canvas, const struct panel *panel) {
    const struct plane *plane = panel->plane;
    const char *view = plane->depth_name == 'z'   ? "front"
                       : plane->depth_name == 'y' ? "top"
                                                  : "side";
    char text[96];
    if (panel->header != NULL) {
        snprintf(text, sizeof text, "%s", panel->header);
        canvas_fit(canvas, CANVAS_SMALL, panel->header_room, text);
        view = text;
    } else if (plane->is_slice && plane->depth_end > plane->depth) {
        snprintf(text, sizeof text, "%s, maximum of %c = %.5g to %.5g %s", view, plane->depth_name,
                 plane->depth * panel->unit_per_m, plane->depth_end * panel->unit_per_m,
                 panel->unit);
    } else if (plane->is_slice) {
        snprintf(text, sizeof text, "%s, slice at %c = %.5g %s", view, plane->depth_name,
                 plane->depth * panel->unit_per_m, panel->unit);
    } else {
        snprintf(text, sizeof text, "%s, maximum over %c", view, plane->depth_name);
    }
    /* Where the whole does not fit, the view's name still may. */
    if (canvas_text_width(canvas, CANVAS_SMALL, text) <= panel->header_room) {
        view = text;
    }
    canvas_grey(canvas, CANVAS_AXIS);
    canvas_text(canvas, CANVAS_SMALL, panel->left, panel->top - 4.0, 0.0, 1.0, view);
}

static void draw_frame(const struct canvas *canvas, const struct panel *panel) {
    canvas_grey(canvas, CANVAS_AXIS);
    cairo_set_line_width(canvas->cairo, 1.0);
    cairo_rectangle(canvas->cairo, panel->left - 0.5, panel->top - 0.5, panel->width + 1.0,
                    panel->height + 1.0);
    cairo_stroke(canvas->cairo);
}

enum nfsar_status panel_draw(const struct canvas *canvas, const struct panel *panel,
                             const struct shade *shade, nfsar_error *error) {
    const size_t width = (size_t)panel->width, height = (size_t)panel->height;
    double *value = panel->beside == NULL
                        ? resample_plane(panel->plane, width, height)
                        : resample_beside(panel->plane, panel->beside, width, height);
    if (value == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for a view of %zu x %zu pixels",
                          width, height);
    }
    for (size_t i = 0; i < width * height; i++) {
        value[i] = shade_value(shade, value[i]);
    }
    paint(canvas, value, panel->width, panel->height, panel->left, panel->top);
    free(value);
    draw_frame(canvas, panel);
    draw_ticks_along(canvas, panel);
    draw_ticks_up(canvas, panel);
    draw_header(canvas, panel);
    return NFSAR_OK;
}

void colour_bar_draw(const struct canvas *canvas, const struct shade *shade, double left,
                     double top, double width) {
    enum { HEIGHT = 13, WIDEST = 600 };
    double value[WIDEST];
    const int n = (int)fmin(fmax(width, 2.0), WIDEST);
    for (int i = 0; i < n; i++) {
        value[i] = i / (n - 1.0);
    }
    left = floor(left);
    top = floor(top);
    for (int y = 0; y < HEIGHT; y++) {
        paint(canvas, value, n, 1, (int)left, (int)top + y);
    }
    canvas_grey(canvas, CANVAS_AXIS);
    cairo_set_line_width(canvas->cairo, 1.0);
    cairo_rectangle(canvas->cairo, left - 0.5, top - 0.5, n + 1.0, HEIGHT + 1.0);
    cairo_stroke(canvas->cairo);

    double low = shade->linear ? 0.0 : -shade->range_db, high = shade->linear ? 1.0 : 0.0;
    const char *name = shade->linear ? "magnitude / maximum" : "magnitude (dB, maximum = 0)";
    if (shade->name != NULL) {
        low = shade->low;
        high = shade->high;
        name = shade->name;
    }
    struct ticks ticks = ticks_between(low, high, n / 50.0);
    for (size_t i = 0; i < ticks.count; i++) {
        char text[64];
        double x = left + (ticks_at(&ticks, i) - low) / (high - low) * (n - 1.0);
        canvas_grey(canvas, CANVAS_AXIS);
        canvas_rule(canvas, x, top + HEIGHT, x, top + HEIGHT + 3.0);
        ticks_label(&ticks, i, text, sizeof text);
        canvas_grey(canvas, CANVAS_INK);
        canvas_text(canvas, CANVAS_SMALL, x, top + HEIGHT + 5.0, 0.5, 0.0, text);
    }
    canvas_text(canvas, CANVAS_TEXT, left + 0.5 * n, top + HEIGHT + 20.0, 0.5, 0.0, name);
}
