/* PNG files with a palette: a picture of the colour map and grey text holds far fewer than 256
 * colours, and one byte a pixel instead of three makes its file two to three times smaller. */
#ifndef NFSAR_HOST_PICTURE_PALETTE_H
#define NFSAR_HOST_PICTURE_PALETTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* An image of palette entries. */
struct indexed {
    size_t width, height;
    uint8_t *index; /* [height][width]; owned */
    uint32_t colour[256];
    size_t n_colour;
};

/* Index pixels[height][stride] (0xRRGGBB, the top byte is ignored). Greys are rounded to 32 levels,
 * which only text and lines have. False when there are more than 256 colours or no memory. */
bool indexed_make(const uint32_t *pixels, size_t stride, size_t width, size_t height,
                  struct indexed *indexed);
void indexed_free(struct indexed *indexed);

/* Write the PNG; false when that failed. */
bool indexed_write(const struct indexed *indexed, FILE *file);

#endif
