#include "host/picture/polar.h"

#include <math.h>

/* Light enough for the dark of the colour map, and through which the image is seen. */
static void choose_ink(const struct canvas *canvas, double opacity) {
    cairo_set_source_rgba(canvas->cairo, 1.0, 1.0, 1.0, opacity);
    cairo_set_line_width(canvas->cairo, 1.0);
}

/* The radius on a dark ground, where along eight directions it lies inside the panel. */
static void label(const struct canvas *canvas, const struct panel *panel, double x, double y,
                  double radius, const char *text) {
    const double width = canvas_text_width(canvas, CANVAS_SMALL, text) + 6.0, height = 15.0;
    /* On the slant first: there the axes' own marks and the strongest sidelobes are not. */
    static const int eighth[8] = {1, 3, 5, 7, 0, 4, 2, 6};
    for (int i = 0; i < 8; i++) {
        double angle = eighth[i] * M_PI / 4.0;
        double left = round(x + radius * cos(angle) - 0.5 * width);
        double top = round(y - radius * sin(angle) - 0.5 * height);
        if (left < panel->left || left + width > panel->left + panel->width || top < panel->top ||
            top + height > panel->top + panel->height) {
            continue;
        }
        cairo_set_source_rgba(canvas->cairo, 0.0, 0.0, 0.0, 0.55);
        cairo_rectangle(canvas->cairo, left, top, width, height);
        cairo_fill(canvas->cairo);
        choose_ink(canvas, 0.95);
        canvas_text(canvas, CANVAS_SMALL, left + 0.5 * width, top + 0.5 * height, 0.5, 0.5, text);
        return;
    }
}

/* Distance from the axis to the farthest corner of the panel, pixels. */
static double farthest(const struct panel *panel, double x, double y) {
    double across = fmax(x - panel->left, panel->left + panel->width - x);
    double up = fmax(y - panel->top, panel->top + panel->height - y);
    return hypot(across, up);
}

void polar_draw(const struct canvas *canvas, const struct panel *panel, double x, double z) {
    const double scale = panel->width / (panel->u.high - panel->u.low);
    const double middle_x = panel->left + (x - panel->u.low) * scale;
    const double middle_y =
        panel->top + (panel->v.high - z) * panel->height / (panel->v.high - panel->v.low);
    const double reach = farthest(panel, middle_x, middle_y);
    const struct ticks ticks = ticks_between(0.0, reach / scale, fmax(reach / 55.0, 2.0));
    cairo_save(canvas->cairo);
    cairo_rectangle(canvas->cairo, panel->left, panel->top, panel->width, panel->height);
    cairo_clip(canvas->cairo);
    choose_ink(canvas, 0.9);
    canvas_rule(canvas, middle_x - 7.0, middle_y, middle_x + 8.0, middle_y);
    canvas_rule(canvas, middle_x, middle_y - 7.0, middle_x, middle_y + 8.0);
    for (size_t i = 0; i < ticks.count; i++) {
        char text[64];
        const double radius = ticks_at(&ticks, i) * scale;
        if (radius < 1.0) {
            continue;
        }
        choose_ink(canvas, 0.45);
        cairo_new_path(canvas->cairo);
        cairo_arc(canvas->cairo, middle_x, middle_y, radius, 0.0, 2.0 * M_PI);
        cairo_stroke(canvas->cairo);
        ticks_label(&ticks, i, text, sizeof text);
        label(canvas, panel, middle_x, middle_y, radius, text);
    }
    cairo_restore(canvas->cairo);
}
