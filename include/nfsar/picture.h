/** @file
 * Pictures of images and of range profiles: PNG with axes, scales and colour bar (cairo).
 */
#ifndef NFSAR_PICTURE_H
#define NFSAR_PICTURE_H

#include <stdbool.h>
#include <stddef.h>

#include <nfsar/image.h>
#include <nfsar/status.h>

/** From where a volume is looked at. */
enum nfsar_view {
    NFSAR_VIEW_ALL = 0, /**< the three below in one picture */
    NFSAR_VIEW_FRONT,   /**< x right, y up */
    NFSAR_VIEW_TOP,     /**< x right, z up */
    NFSAR_VIEW_SIDE     /**< z right, y up */
};

/** How a picture is made; nfsar_picture_defaults() fills it. */
typedef struct nfsar_picture_options {
    enum nfsar_view view; /**< all; an image of one slice is then shown from its flat side */
    bool has_slice;       /**< show the slice nearest to slice_m instead of the maximum projection;
                               front: a z, top: a y, side: an x (not with all) */
    double slice_m;       /**< where that slice is wanted, metres */
    bool linear;          /**< linear magnitude instead of dB */
    double dynamic_range_db; /**< dB shown below the maximum; 30 */
    int width;               /**< pixels of the whole picture; 900 (320 to 8000) */
    const char *title;       /**< may be NULL */
} nfsar_picture_options;

/** The defaults above. */
nfsar_picture_options nfsar_picture_defaults(void);

/** Render @p image to a PNG file; it appears under its name only when complete. 0 dB is the maximum
 * of what is shown: of the image, or of the slice. NFSAR_ERROR_ARGUMENT for options out of range or
 * a slice outside the image, NFSAR_ERROR_FORMAT when there is no signal or a voxel is not finite,
 * NFSAR_ERROR_UNSUPPORTED when the system has no font. */
enum nfsar_status nfsar_picture_image(const nfsar_image *image,
                                      const nfsar_picture_options *options, const char *path,
                                      nfsar_error *error);

/** One line of a plot. */
typedef struct nfsar_curve {
    const char *label; /**< for the legend */
    const double *y;   /**< [n] */
} nfsar_curve;

/** Line plot of n_curve curves over common x[n] to a PNG file of 900 x 500 pixels. NaN breaks a
 * line. */
enum nfsar_status nfsar_picture_curves(const char *title, const char *x_label, const char *y_label,
                                       const double *x, size_t n, const nfsar_curve *curve,
                                       size_t n_curve, const char *path, nfsar_error *error);

/** The same with both axes logarithmic; a value that is not positive breaks a line. */
enum nfsar_status nfsar_picture_log_curves(const char *title, const char *x_label,
                                           const char *y_label, const double *x, size_t n,
                                           const nfsar_curve *curve, size_t n_curve,
                                           const char *path, nfsar_error *error);

/** The colour map: @p value in 0..1 to sRGB 0..1; perceptually uniform (equal steps of Oklab
 * lightness), dark to bright. */
void nfsar_colour(double value, double rgb[3]);

#endif
