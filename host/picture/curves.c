#include <nfsar/picture.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "host/locale.h"
#include "host/picture/canvas.h"
#include "host/picture/ticks.h"

#define WIDTH  900
#define HEIGHT 500

/* Colours that colour-blind readers tell apart (Okabe and Ito), the dark ones first. */
static const double palette[][3] = {
    {0.000, 0.447, 0.698}, {0.835, 0.369, 0.000}, {0.000, 0.620, 0.451}, {0.800, 0.475, 0.655},
    {0.337, 0.706, 0.914}, {0.902, 0.624, 0.000}, {0.000, 0.000, 0.000},
};
#define N_PALETTE (sizeof palette / sizeof palette[0])

/* The plotted rectangle: data coordinates and pixels. */
struct plot {
    const struct canvas *canvas;
    double low[2], high[2];          /* data, x and y */
    double left, top, right, bottom; /* pixels */
};

static double pixel_x(const struct plot *plot, double x) {
    return plot->left +
           (x - plot->low[0]) / (plot->high[0] - plot->low[0]) * (plot->right - plot->left);
}

static double pixel_y(const struct plot *plot, double y) {
    return plot->bottom -
           (y - plot->low[1]) / (plot->high[1] - plot->low[1]) * (plot->bottom - plot->top);
}

static void extend(double value, double *low, double *high) {
    *low = fmin(*low, value);
    *high = fmax(*high, value);
}

/* An interval that a scale can be laid on: not empty, and with a margin around the curves. */
static void give_room(double *low, double *high, double margin) {
    double span = *high - *low;
    if (!(span > 1e-9 * fmax(fabs(*low), fabs(*high)))) {
        double half = *low != 0.0 ? 0.1 * fabs(*low) : 0.5;
        *low -= half;
        *high += half;
        return;
    }
    *low -= margin * span;
    *high += margin * span;
}

static bool find_limits(struct plot *plot, const double *x, size_t n, const nfsar_curve *curve,
                        size_t n_curve) {
    for (int i = 0; i < 2; i++) {
        plot->low[i] = INFINITY;
        plot->high[i] = -INFINITY;
    }
    for (size_t c = 0; c < n_curve; c++) {
        for (size_t i = 0; i < n; i++) {
            /* Beyond 1e300 a span overflows. */
            if (fabs(x[i]) < 1e300 && fabs(curve[c].y[i]) < 1e300) {
                extend(x[i], &plot->low[0], &plot->high[0]);
                extend(curve[c].y[i], &plot->low[1], &plot->high[1]);
            }
        }
    }
    if (!(plot->low[0] <= plot->high[0])) {
        return false;
    }
    give_room(&plot->low[0], &plot->high[0], 0.0);
    give_room(&plot->low[1], &plot->high[1], 0.04);
    return true;
}

static void choose_colour(cairo_t *cairo, size_t c) {
    const double *rgb = palette[c % N_PALETTE];
    const double dashes[][2] = {{6.0, 3.0}, {2.0, 2.5}};
    cairo_set_source_rgb(cairo, rgb[0], rgb[1], rgb[2]);
    cairo_set_line_width(cairo, 1.6);
    if (c < N_PALETTE) {
        cairo_set_dash(cairo, NULL, 0, 0.0);
    } else {
        cairo_set_dash(cairo, dashes[(c / N_PALETTE) % 2], 2, 0.0);
    }
}

/* Sample lines and labels in rows under the title; returns where the rows end. */
static double draw_legend(const struct canvas *canvas, const nfsar_curve *curve, size_t n_curve,
                          double left, double right, double top, bool draw) {
    const double sample = 26.0, gap = 18.0, row = 19.0;
    double x = left, y = top;
    bool any = false;
    if (n_curve == 1) {
        return top; /* the axis says what it is */
    }
    for (size_t c = 0; c < n_curve; c++) {
        if (curve[c].label == NULL || curve[c].label[0] == '\0') {
            continue;
        }
        char label[256];
        snprintf(label, sizeof label, "%s", curve[c].label);
        canvas_fit(canvas, CANVAS_SMALL, right - left - sample - 6.0, label);
        double width = sample + 6.0 + canvas_text_width(canvas, CANVAS_SMALL, label);
        if (x > left && x + width > right) {
            x = left;
            y += row;
        }
        if (draw) {
            choose_colour(canvas->cairo, c);
            cairo_move_to(canvas->cairo, x, y + 0.5 * row);
            cairo_line_to(canvas->cairo, x + sample, y + 0.5 * row);
            cairo_stroke(canvas->cairo);
            canvas_grey(canvas, CANVAS_INK);
            canvas_text(canvas, CANVAS_SMALL, x + sample + 6.0, y + 0.5 * row, 0.0, 0.5, label);
        }
        x += width + gap;
        any = true;
    }
    cairo_set_dash(canvas->cairo, NULL, 0, 0.0);
    return any ? y + row : top;
}

static double widest_label(const struct canvas *canvas, const struct ticks *ticks) {
    double widest = 0.0;
    for (size_t i = 0; i < ticks->count; i++) {
        char text[64];
        ticks_label(ticks, i, text, sizeof text);
        widest = fmax(widest, canvas_text_width(canvas, CANVAS_SMALL, text));
    }
    return widest;
}

static void draw_axes(const struct plot *plot, const struct ticks *along, const struct ticks *up) {
    const struct canvas *canvas = plot->canvas;
    char text[64];
    for (size_t i = 0; i < along->count; i++) {
        double x = pixel_x(plot, ticks_at(along, i));
        canvas_grey(canvas, CANVAS_GRID);
        canvas_rule(canvas, x, plot->top, x, plot->bottom);
        canvas_grey(canvas, CANVAS_AXIS);
        canvas_rule(canvas, x, plot->bottom, x, plot->bottom + 5.0);
        canvas_grey(canvas, CANVAS_INK);
        ticks_label(along, i, text, sizeof text);
        canvas_text(canvas, CANVAS_SMALL, x, plot->bottom + 7.0, 0.5, 0.0, text);
    }
    for (size_t i = 0; i < up->count; i++) {
        double y = pixel_y(plot, ticks_at(up, i));
        canvas_grey(canvas, CANVAS_GRID);
        canvas_rule(canvas, plot->left, y, plot->right, y);
        canvas_grey(canvas, CANVAS_AXIS);
        canvas_rule(canvas, plot->left - 5.0, y, plot->left, y);
        canvas_grey(canvas, CANVAS_INK);
        ticks_label(up, i, text, sizeof text);
        canvas_text(canvas, CANVAS_SMALL, plot->left - 8.0, y, 1.0, 0.5, text);
    }
    canvas_grey(canvas, CANVAS_AXIS);
    canvas_rule(canvas, plot->left, plot->top, plot->left, plot->bottom);
    canvas_rule(canvas, plot->left, plot->bottom, plot->right, plot->bottom);
}

/* Few samples are marked: the line between them is a guess. */
#define MARKED 100

static void mark_samples(const struct plot *plot, const double *x, const double *y, size_t n) {
    for (size_t i = 0; n <= MARKED && i < n; i++) {
        if (fabs(x[i]) < 1e300 && fabs(y[i]) < 1e300) {
            cairo_arc(plot->canvas->cairo, pixel_x(plot, x[i]), pixel_y(plot, y[i]), 3.0, 0.0,
                      2.0 * M_PI);
            cairo_fill(plot->canvas->cairo);
        }
    }
}

/* Stroked in pieces: cairo's time for one path grows faster than its length. */
static void draw_curve(const struct plot *plot, const double *x, const double *y, size_t n,
                       size_t c) {
    cairo_t *cairo = plot->canvas->cairo;
    const size_t piece = 500;
    size_t run = 0;
    choose_colour(cairo, c);
    for (size_t i = 0; i < n; i++) {
        if (!(fabs(x[i]) < 1e300 && fabs(y[i]) < 1e300)) {
            cairo_stroke(cairo);
            run = 0;
            continue;
        }
        double px = pixel_x(plot, x[i]), py = pixel_y(plot, y[i]);
        bool alone = run == 0 && (i + 1 == n || !(fabs(y[i + 1]) < 1e300));
        if (alone) {
            cairo_arc(cairo, px, py, 1.6, 0.0, 2.0 * M_PI);
            cairo_fill(cairo);
        } else if (run == 0) {
            cairo_move_to(cairo, px, py);
        } else {
            cairo_line_to(cairo, px, py);
        }
        if (++run % piece == 0) {
            cairo_stroke(cairo);
            cairo_move_to(cairo, px, py);
        }
    }
    cairo_stroke(cairo);
}

static void draw_plot(const struct canvas *canvas, struct plot *plot, const char *title,
                      const char *x_label, const char *y_label, const double *x, size_t n,
                      const nfsar_curve *curve, size_t n_curve) {
    char line[512];
    snprintf(line, sizeof line, "%s", title != NULL ? title : "");
    canvas_fit(canvas, CANVAS_TITLE, WIDTH - 40.0, line);
    canvas_grey(canvas, CANVAS_INK);
    canvas_text(canvas, CANVAS_TITLE, WIDTH / 2.0, 12.0, 0.5, 0.0, line);

    plot->canvas = canvas;
    plot->right = WIDTH - 30.0;
    plot->bottom = HEIGHT - 56.0;
    plot->top = draw_legend(canvas, curve, n_curve, 80.0, plot->right, 38.0, false) + 8.0;
    /* Legends so many that no plot would be left are better cut than the plot. */
    plot->top = fmin(plot->top, plot->bottom - 150.0);
    struct ticks up = ticks_between(plot->low[1], plot->high[1], (plot->bottom - plot->top) / 42.0);
    plot->left = fmin(46.0 + widest_label(canvas, &up), 300.0);
    double room = 75.0;
    struct ticks along =
        ticks_between(plot->low[0], plot->high[0], (plot->right - plot->left) / room);
    room = fmax(room, 1.5 * widest_label(canvas, &along));
    along = ticks_between(plot->low[0], plot->high[0], (plot->right - plot->left) / room);

    draw_axes(plot, &along, &up);
    cairo_save(canvas->cairo);
    cairo_rectangle(canvas->cairo, plot->left, plot->top - 2.0, plot->right - plot->left + 2.0,
                    plot->bottom - plot->top + 2.0);
    cairo_clip(canvas->cairo);
    for (size_t c = 0; c < n_curve; c++) {
        draw_curve(plot, x, curve[c].y, n, c);
        mark_samples(plot, x, curve[c].y, n);
    }
    cairo_restore(canvas->cairo);
    cairo_save(canvas->cairo);
    cairo_rectangle(canvas->cairo, 0.0, 34.0, WIDTH, plot->top - 34.0);
    cairo_clip(canvas->cairo);
    draw_legend(canvas, curve, n_curve, 80.0, plot->right, 38.0, true);
    cairo_restore(canvas->cairo);
    canvas_grey(canvas, CANVAS_INK);
    canvas_text(canvas, CANVAS_TEXT, 0.5 * (plot->left + plot->right), HEIGHT - 10.0, 0.5, 1.0,
                x_label != NULL ? x_label : "");
    canvas_text_upward(canvas, CANVAS_TEXT, 18.0, 0.5 * (plot->top + plot->bottom),
                       y_label != NULL ? y_label : "");
}

enum nfsar_status nfsar_picture_curves(const char *title, const char *x_label, const char *y_label,
                                       const double *x, size_t n, const nfsar_curve *curve,
                                       size_t n_curve, const char *path, nfsar_error *error) {
    PLAIN_NUMBERS;
    struct plot plot = {0};
    if (!find_limits(&plot, x, n, curve, n_curve)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "%s: there is no finite value to draw among %zu curves of %zu points",
                          path, n_curve, n);
    }
    struct canvas canvas;
    enum nfsar_status status = canvas_open(&canvas, WIDTH, HEIGHT, error);
    if (status != NFSAR_OK) {
        return status;
    }
    draw_plot(&canvas, &plot, title, x_label, y_label, x, n, curve, n_curve);
    status = canvas_save(&canvas, path, error);
    canvas_close(&canvas);
    return status;
}
