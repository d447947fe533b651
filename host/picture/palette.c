#include "host/picture/palette.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

/* Open addressing; four times the colours that fit. */
#define SLOTS 1024

struct table {
    uint32_t colour[SLOTS];
    bool used[SLOTS];
    uint8_t index[SLOTS];
    size_t n;
};

static uint32_t snap_grey(uint32_t pixel) {
    uint32_t level = pixel & 0xff;
    if ((pixel & 0xffffff) != level * 0x010101) {
        return pixel & 0xffffff;
    }
    uint32_t snapped = (level * 31 + 127) / 255 * 255 / 31;
    return snapped * 0x010101;
}

static size_t find_slot(const struct table *table, uint32_t colour) {
    size_t slot = (colour * 2654435761u) >> 22;
    while (table->used[slot] && table->colour[slot] != colour) {
        slot = (slot + 1) % SLOTS;
    }
    return slot;
}

static bool collect(const uint32_t *pixels, size_t stride, size_t width, size_t height,
                    struct table *table) {
    for (size_t y = 0; y < height; y++) {
        for (size_t x = 0; x < width; x++) {
            uint32_t colour = snap_grey(pixels[y * stride + x]);
            size_t slot = find_slot(table, colour);
            if (!table->used[slot]) {
                if (table->n == 256) {
                    return false;
                }
                table->used[slot] = true;
                table->colour[slot] = colour;
                table->n++;
            }
        }
    }
    return true;
}

static uint32_t brightness(uint32_t colour) {
    return 3 * (colour >> 16 & 0xff) + 6 * (colour >> 8 & 0xff) + (colour & 0xff);
}

/* The colour map in its order and the greys after it: neighbouring pixels then have neighbouring
 * indices, which is what PNG's filters compress well. */
static int by_rank(const void *a, const void *b) {
    uint32_t one = *(const uint32_t *)a, two = *(const uint32_t *)b;
    bool grey_one = one == (one & 0xff) * 0x010101, grey_two = two == (two & 0xff) * 0x010101;
    if (grey_one != grey_two) {
        return grey_one ? 1 : -1;
    }
    uint32_t left = brightness(one), right = brightness(two);
    return (left > right) - (left < right);
}

static void rank(struct table *table, struct indexed *indexed) {
    for (size_t slot = 0; slot < SLOTS; slot++) {
        if (table->used[slot]) {
            indexed->colour[indexed->n_colour++] = table->colour[slot];
        }
    }
    qsort(indexed->colour, indexed->n_colour, sizeof indexed->colour[0], by_rank);
    for (size_t i = 0; i < indexed->n_colour; i++) {
        table->index[find_slot(table, indexed->colour[i])] = (uint8_t)i;
    }
}

bool indexed_make(const uint32_t *pixels, size_t stride, size_t width, size_t height,
                  struct indexed *indexed) {
    struct table table = {0};
    memset(indexed, 0, sizeof *indexed);
    if (!collect(pixels, stride, width, height, &table)) {
        return false;
    }
    indexed->width = width;
    indexed->height = height;
    indexed->index = calloc(width, height);
    if (indexed->index == NULL) {
        return false;
    }
    rank(&table, indexed);
    for (size_t y = 0; y < height; y++) {
        for (size_t x = 0; x < width; x++) {
            size_t slot = find_slot(&table, snap_grey(pixels[y * stride + x]));
            indexed->index[y * width + x] = table.index[slot];
        }
    }
    return true;
}

void indexed_free(struct indexed *indexed) {
    free(indexed->index);
    memset(indexed, 0, sizeof *indexed);
}

/* What libpng would print goes nowhere: the caller reports the failure. */
static void on_error(png_structp png, png_const_charp message) {
    (void)message;
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static void set_up(png_structp png, png_infop info, const struct indexed *indexed) {
    png_color palette[256];
    for (size_t i = 0; i < indexed->n_colour; i++) {
        uint32_t colour = indexed->colour[i];
        palette[i].red = (png_byte)(colour >> 16);
        palette[i].green = (png_byte)(colour >> 8);
        palette[i].blue = (png_byte)colour;
    }
    png_set_IHDR(png, info, (png_uint_32)indexed->width, (png_uint_32)indexed->height, 8,
                 PNG_COLOR_TYPE_PALETTE, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_set_PLTE(png, info, palette, (int)indexed->n_colour);
    /* libpng takes a palette's indices for unordered and would not filter them. */
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_ALL_FILTERS);
    /* Level 9 takes five times as long for a fourteenth less. */
    png_set_compression_level(png, 6);
    png_set_compression_strategy(png, 1); /* Z_FILTERED */
}

bool indexed_write(const struct indexed *indexed, FILE *file) {
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, on_error, on_warning);
    png_infop info = png != NULL ? png_create_info_struct(png) : NULL;
    if (info == NULL || setjmp(png_jmpbuf(png)) != 0) {
        png_destroy_write_struct(&png, &info);
        return false;
    }
    png_init_io(png, file);
    set_up(png, info, indexed);
    png_write_info(png, info);
    for (size_t y = 0; y < indexed->height; y++) {
        png_write_row(png, indexed->index + y * indexed->width);
    }
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    return true;
}
