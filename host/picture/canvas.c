#include "host/picture/canvas.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/files/pending.h"
#include "host/files/utf8.h"
#include "host/picture/palette.h"

static const char family[] = "sans-serif";

/* Hinted advances would make the layout depend on the machine's fontconfig settings. */
static void choose_font(cairo_t *cairo) {
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_SLIGHT);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_set_font_options(cairo, options);
    cairo_font_options_destroy(options);
    cairo_select_font_face(cairo, family, CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
}

static enum nfsar_status check_font(cairo_t *cairo, nfsar_error *error) {
    cairo_text_extents_t extents;
    cairo_set_font_size(cairo, CANVAS_TEXT);
    cairo_text_extents(cairo, "0123456789 mm", &extents);
    if (cairo_status(cairo) != CAIRO_STATUS_SUCCESS || !(extents.width > CANVAS_TEXT) ||
        !(extents.height > 0.25 * CANVAS_TEXT)) {
        return nfsar_fail(error, NFSAR_ERROR_UNSUPPORTED,
                          "no font for the picture's text was found; install one, for example the "
                          "Debian package fonts-dejavu-core");
    }
    return NFSAR_OK;
}

enum nfsar_status canvas_open(struct canvas *canvas, int width, int height, nfsar_error *error) {
    memset(canvas, 0, sizeof *canvas);
    canvas->width = width;
    canvas->height = height;
    canvas->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    canvas->cairo = cairo_create(canvas->surface);
    if (cairo_status(canvas->cairo) != CAIRO_STATUS_SUCCESS) {
        enum nfsar_status status =
            nfsar_fail(error, NFSAR_ERROR_MEMORY, "a picture of %d x %d pixels: %s", width, height,
                       cairo_status_to_string(cairo_status(canvas->cairo)));
        canvas_close(canvas);
        return status;
    }
    cairo_set_source_rgb(canvas->cairo, 1.0, 1.0, 1.0);
    cairo_paint(canvas->cairo);
    choose_font(canvas->cairo);
    enum nfsar_status status = check_font(canvas->cairo, error);
    if (status != NFSAR_OK) {
        canvas_close(canvas);
    }
    return status;
}

void canvas_close(struct canvas *canvas) {
    if (canvas->cairo != NULL) {
        cairo_destroy(canvas->cairo);
        cairo_surface_destroy(canvas->surface);
    }
    memset(canvas, 0, sizeof *canvas);
}

/* Copy what cairo can draw: bytes that are not UTF-8 would stop it and everything drawn after.
 * Long text is cut, a picture has no room for it anyway. */
static void clean_text(const char *text, char *clean, size_t room) {
    utf8_copy(clean, room, text);
    utf8_clean(clean);
}

double canvas_text_width(const struct canvas *canvas, double size, const char *text) {
    char clean[1024];
    cairo_text_extents_t extents;
    clean_text(text, clean, sizeof clean);
    cairo_set_font_size(canvas->cairo, size);
    cairo_text_extents(canvas->cairo, clean, &extents);
    return extents.x_advance;
}

/* The box is the font's, not the text's: labels with and without descenders line up. */
void canvas_text(const struct canvas *canvas, double size, double x, double y, double across,
                 double down, const char *text) {
    char clean[1024];
    cairo_font_extents_t font;
    clean_text(text, clean, sizeof clean);
    double width = canvas_text_width(canvas, size, clean);
    cairo_font_extents(canvas->cairo, &font);
    double top = y - down * (font.ascent + font.descent);
    cairo_move_to(canvas->cairo, x - across * width, top + font.ascent);
    cairo_show_text(canvas->cairo, clean);
    cairo_new_path(canvas->cairo);
}

void canvas_text_upward(const struct canvas *canvas, double size, double x, double y,
                        const char *text) {
    cairo_save(canvas->cairo);
    cairo_translate(canvas->cairo, x, y);
    cairo_rotate(canvas->cairo, -M_PI / 2.0);
    canvas_text(canvas, size, 0.0, 0.0, 0.5, 0.5, text);
    cairo_restore(canvas->cairo);
}

void canvas_fit(const struct canvas *canvas, double size, double width, char *text) {
    size_t length = strlen(text);
    if (canvas_text_width(canvas, size, text) <= width) {
        return;
    }
    while (length > 3) {
        length--;
        while (length > 3 && ((unsigned char)text[length - 3] & 0xc0) == 0x80) {
            length--;
        }
        memcpy(text + length - 3, "...", 4);
        if (canvas_text_width(canvas, size, text) <= width) {
            return;
        }
    }
}

void canvas_grey(const struct canvas *canvas, double level) {
    cairo_set_source_rgb(canvas->cairo, level, level, level);
}

void canvas_rule(const struct canvas *canvas, double x0, double y0, double x1, double y1) {
    cairo_set_line_width(canvas->cairo, 1.0);
    cairo_move_to(canvas->cairo, floor(x0) + 0.5, floor(y0) + 0.5);
    cairo_line_to(canvas->cairo, floor(x1) + 0.5, floor(y1) + 0.5);
    cairo_stroke(canvas->cairo);
}

/* Returns false, with the reason, when the file could not be written. */
static bool write_indexed(const struct indexed *indexed, const char *path, const char **reason) {
    FILE *file = fopen(path, "wb");
    bool good = file != NULL && indexed_write(indexed, file);
    *reason = strerror(errno);
    if (file != NULL && fclose(file) != 0 && good) {
        *reason = strerror(errno);
        good = false;
    }
    return good;
}

static bool write_png(const struct canvas *canvas, const char *path, const char **reason) {
    struct indexed indexed;
    cairo_surface_flush(canvas->surface);
    const void *pixels = cairo_image_surface_get_data(canvas->surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(canvas->surface) / sizeof(uint32_t);
    if (indexed_make(pixels, stride, (size_t)canvas->width, (size_t)canvas->height, &indexed)) {
        bool good = write_indexed(&indexed, path, reason);
        indexed_free(&indexed);
        return good;
    }
    cairo_status_t status = cairo_surface_write_to_png(canvas->surface, path);
    *reason = cairo_status_to_string(status);
    return status == CAIRO_STATUS_SUCCESS;
}

enum nfsar_status canvas_save(struct canvas *canvas, const char *path, nfsar_error *error) {
    cairo_status_t drawn = cairo_status(canvas->cairo);
    if (drawn != CAIRO_STATUS_SUCCESS) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: the picture could not be drawn: %s", path,
                          cairo_status_to_string(drawn));
    }
    pending_file *pending = NULL;
    const char *reason = "";
    enum nfsar_status status = pending_create(path, PENDING_PNG, &pending, error);
    if (status != NFSAR_OK) {
        return status;
    }
    if (!write_png(canvas, pending_path(pending), &reason)) {
        pending_abandon(pending);
        return nfsar_fail(error, NFSAR_ERROR_FILE, "%s: the picture could not be written: %s", path,
                          reason);
    }
    return pending_commit(pending, error);
}
