/* A drawing surface that becomes a PNG file: text with alignment, lines, errors as nfsar_status. */
#ifndef NFSAR_HOST_PICTURE_CANVAS_H
#define NFSAR_HOST_PICTURE_CANVAS_H

#include <cairo.h>

#include <nfsar/status.h>

struct canvas {
    cairo_surface_t *surface;
    cairo_t *cairo;
    int width, height; /* pixels */
};

/* Sizes of text in pixels, and the greys of text, axes and grid lines. */
#define CANVAS_TITLE 17.0
#define CANVAS_TEXT  13.0
#define CANVAS_SMALL 11.5
#define CANVAS_INK   0.13
#define CANVAS_AXIS  0.40
#define CANVAS_GRID  0.90

/* A white canvas. Fails when the system has no font that cairo can use: a picture whose text is
 * missing would be taken for a good one. */
enum nfsar_status canvas_open(struct canvas *canvas, int width, int height, nfsar_error *error);

/* Release it; a zeroed canvas is allowed. */
void canvas_close(struct canvas *canvas);

/* Width of text in pixels. */
double canvas_text_width(const struct canvas *canvas, double size, const char *text);

/* Text whose box is placed with the fractions (across, down) of it at (x, y): (0, 0) puts its top
 * left corner there, (1, 0.5) the middle of its right edge. Bytes that are not UTF-8 become '?'. */
void canvas_text(const struct canvas *canvas, double size, double x, double y, double across,
                 double down, const char *text);

/* The same text turned a quarter to the left, centred on (x, y). */
void canvas_text_upward(const struct canvas *canvas, double size, double x, double y,
                        const char *text);

/* Cut text (in place, whole characters, "..." at the end) until it is at most width pixels wide. */
void canvas_fit(const struct canvas *canvas, double size, double width, char *text);

/* Grey for what is drawn next. */
void canvas_grey(const struct canvas *canvas, double level);

/* A sharp one-pixel line, horizontal or vertical. */
void canvas_rule(const struct canvas *canvas, double x0, double y0, double x1, double y1);

/* Write the PNG; it appears under its name only when complete. */
enum nfsar_status canvas_save(struct canvas *canvas, const char *path, nfsar_error *error);

#endif
