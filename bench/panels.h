/* Pictures of images side by side. */
#ifndef NFSAR_BENCH_PANELS_H
#define NFSAR_BENCH_PANELS_H

#include <stddef.h>

#include <nfsar/image.h>
#include <nfsar/status.h>

/* Which axes of an image a panel shows, the first to the right and the second up: the maximum over
 * the third. */
enum bench_view { BENCH_VIEW_Y_Z, BENCH_VIEW_Z_Y, BENCH_VIEW_X_Y, BENCH_VIEW_X_Z };

struct bench_panels {
    const char *title;
    enum bench_view view;
    size_t rows, columns;
    const nfsar_image *image;  /* [rows][columns]; empty ones are left out */
    const char *const *row;    /* [rows] labels; NULL: none */
    const char *const *column; /* [columns] */
    double range_db;           /* 0: linear */
    int width;                 /* pixels */
    double maximum;            /* magnitude that is 0 dB; 0: each image's own maximum */
};

/* Images side by side in one PNG. */
enum nfsar_status bench_panels_draw(const struct bench_panels *panels, const char *path,
                                    nfsar_error *error);

#endif
