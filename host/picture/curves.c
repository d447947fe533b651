#include <nfsar/picture.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
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

/* The plotted rectangle: data coordinates and pixels. On logarithmic axes the data are decimal
 * logarithms by the time they get here. */
struct plot {
    const struct canvas *canvas;
    const char *title, *x_label, *y_label; /* may be NULL */
    bool logarithmic;
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

/* Logarithms: with one power of ten or none between them the scale would be unknown. */
static void show_decade(double *low, double *high) {
    if (floor(*high + 1e-9) - ceil(*low - 1e-9) < 1.0) {
        *low = floor(*low + 1e-9);
        *high = fmax(ceil(*high - 1e-9), *low + 1.0);
    }
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
    if (plot->logarithmic) {
        for (int i = 0; i < 2; i++) {
            show_decade(&plot->low[i], &plot->high[i]);
        }
        return true;
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

/* The number at a tick; on a logarithmic axis what it is the logarithm of. */
static void write_label(const struct plot *plot, const struct ticks *ticks, size_t i, char *text,
                        size_t room) {
    double exponent = ticks_at(ticks, i);
    if (!plot->logarithmic) {
        ticks_label(ticks, i, text, room);
    } else if (fabs(exponent) < 4.5) {
        snprintf(text, room, "%g", pow(10.0, exponent));
    } else {
        snprintf(text, room, "1e%.0f", exponent);
    }
}

/* A tick for each decade, of which two at least are in sight, or for every few. */
static struct ticks decades(double low, double high, double most) {
    double first = ceil(low - 1e-9), last = floor(high + 1e-9);
    double step = fmax(ceil((last - first) / fmax(most, 1.0)), 1.0);
    return (struct ticks){first, step, (size_t)floor((last - first) / step) + 1};
}

static struct ticks choose_ticks(const struct plot *plot, int axis, double most) {
    return plot->logarithmic ? decades(plot->low[axis], plot->high[axis], most)
                             : ticks_between(plot->low[axis], plot->high[axis], most);
}

static double widest_label(const struct plot *plot, const struct ticks *ticks) {
    const struct canvas *canvas = plot->canvas;
    double widest = 0.0;
    for (size_t i = 0; i < ticks->count; i++) {
        char text[64];
        write_label(plot, ticks, i, text, sizeof text);
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
        write_label(plot, along, i, text, sizeof text);
        canvas_text(canvas, CANVAS_SMALL, x, plot->bottom + 7.0, 0.5, 0.0, text);
    }
    for (size_t i = 0; i < up->count; i++) {
        double y = pixel_y(plot, ticks_at(up, i));
        canvas_grey(canvas, CANVAS_GRID);
        canvas_rule(canvas, plot->left, y, plot->right, y);
        canvas_grey(canvas, CANVAS_AXIS);
        canvas_rule(canvas, plot->left - 5.0, y, plot->left, y);
        canvas_grey(canvas, CANVAS_INK);
        write_label(plot, up, i, text, sizeof text);
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

static void draw_plot(const struct canvas *canvas, struct plot *plot, const double *x, size_t n,
                      const nfsar_curve *curve, size_t n_curve) {
    char line[512];
    snprintf(line, sizeof line, "%s", plot->title != NULL ? plot->title : "");
    canvas_fit(canvas, CANVAS_TITLE, WIDTH - 40.0, line);
    canvas_grey(canvas, CANVAS_INK);
    canvas_text(canvas, CANVAS_TITLE, WIDTH / 2.0, 12.0, 0.5, 0.0, line);

    plot->canvas = canvas;
    plot->right = WIDTH - 30.0;
    plot->bottom = HEIGHT - 56.0;
    plot->top = draw_legend(canvas, curve, n_curve, 80.0, plot->right, 38.0, false) + 8.0;
    /* Legends so many that no plot would be left are better cut than the plot. */
    plot->top = fmin(plot->top, plot->bottom - 150.0);
    struct ticks up = choose_ticks(plot, 1, (plot->bottom - plot->top) / 42.0);
    plot->left = fmin(46.0 + widest_label(plot, &up), 300.0);
    double room = 75.0;
    struct ticks along = choose_ticks(plot, 0, (plot->right - plot->left) / room);
    room = fmax(room, 1.5 * widest_label(plot, &along));
    along = choose_ticks(plot, 0, (plot->right - plot->left) / room);

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
                plot->x_label != NULL ? plot->x_label : "");
    canvas_text_upward(canvas, CANVAS_TEXT, 18.0, 0.5 * (plot->top + plot->bottom),
                       plot->y_label != NULL ? plot->y_label : "");
}

static enum nfsar_status draw_curves(struct plot *plot, const double *x, size_t n,
                                     const nfsar_curve *curve, size_t n_curve, const char *path,
                                     nfsar_error *error) {
    PLAIN_NUMBERS;
    if (!find_limits(plot, x, n, curve, n_curve)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "%s: there is no %s value to draw among %zu curves of %zu points", path,
                          plot->logarithmic ? "finite positive" : "finite", n_curve, n);
    }
    struct canvas canvas;
    enum nfsar_status status = canvas_open(&canvas, WIDTH, HEIGHT, error);
    if (status != NFSAR_OK) {
        return status;
    }
    draw_plot(&canvas, plot, x, n, curve, n_curve);
    status = canvas_save(&canvas, path, error);
    canvas_close(&canvas);
    return status;
}

enum nfsar_status nfsar_picture_curves(const char *title, const char *x_label, const char *y_label,
                                       const double *x, size_t n, const nfsar_curve *curve,
                                       size_t n_curve, const char *path, nfsar_error *error) {
    struct plot plot = {.title = title, .x_label = x_label, .y_label = y_label};
    return draw_curves(&plot, x, n, curve, n_curve, path, error);
}

/* Decimal logarithms; NaN of what has none. */
static void take_logarithms(const double *from, size_t n, double *to) {
    for (size_t i = 0; i < n; i++) {
        to[i] = from[i] > 0.0 ? log10(from[i]) : (double)NAN;
    }
}

enum nfsar_status nfsar_picture_log_curves(const char *title, const char *x_label,
                                           const char *y_label, const double *x, size_t n,
                                           const nfsar_curve *curve, size_t n_curve,
                                           const char *path, nfsar_error *error) {
    struct plot plot = {
        .title = title, .x_label = x_label, .y_label = y_label, .logarithmic = true};
    double *value = calloc((n_curve + 1) * n + 1, sizeof *value);
    nfsar_curve *taken = calloc(n_curve + 1, sizeof *taken);
    enum nfsar_status status = NFSAR_OK;
    if (value == NULL || taken == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    } else {
        take_logarithms(x, n, value);
        for (size_t c = 0; c < n_curve; c++) {
            take_logarithms(curve[c].y, n, value + (c + 1) * n);
            taken[c] = (nfsar_curve){curve[c].label, value + (c + 1) * n};
        }
        status = draw_curves(&plot, value, n, taken, n_curve, path, error);
    }
    free(taken);
    free(value);
    return status;
}
