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
    NFSAR_VIEW_ALL = 0,  /**< the three below in one picture */
    NFSAR_VIEW_FRONT,    /**< x right, y up */
    NFSAR_VIEW_TOP,      /**< x right, z up */
    NFSAR_VIEW_SIDE,     /**< z right, y up */
    NFSAR_VIEW_UNROLLED, /**< the surface round an axis parallel to y laid flat, as seen from
                              outside: the angle (from +x toward +z) grows to the left, y up; below
                              it the radius of what is seen */
    NFSAR_VIEW_3D        /**< the surface of equal magnitude, lit, seen from a direction */
};

/** How a picture is made; nfsar_picture_defaults() fills it. */
typedef struct nfsar_picture_options {
    enum nfsar_view view; /**< all; an image of one slice is then shown from its flat side */
    bool has_slice;       /**< show the slice nearest to slice_m instead of the maximum projection;
                               front: a z, top: a y, side: an x (not with the other views) */
    double slice_m;       /**< where that slice is wanted, metres */
    bool
        has_slice_end; /**< with has_slice: the maximum of the slices from slice_m to slice_end_m */
    double slice_end_m;   /**< not below slice_m, metres */
    bool has_axis;        /**< all, top: mark this axis, with circles round it; unrolled: lay flat
                               round it. Without it unrolled takes x = z = 0 where that lies in the
                               grid, else the grid's middle */
    double axis_x_m;      /**< where the axis, parallel to y, goes through x, metres */
    double axis_z_m;      /**< likewise z */
    bool has_radius;      /**< unrolled: only radii from radius_m[0] to radius_m[1]; without it from
                               0 to the largest that lies wholly in the grid */
    double radius_m[2];   /**< metres */
    double level_db;      /**< 3d: the surface is this many dB below the maximum; 12 */
    double azimuth_deg;   /**< 3d: where the viewer is, from +x toward +z; 60. At 90 x is right and
                               y up, as in the front view */
    double elevation_deg; /**< 3d: how far above the x-z plane, -90 to 90; 25 */
    bool linear;          /**< linear magnitude instead of dB */
    double dynamic_range_db; /**< dB shown below the maximum; 30 */
    int width;               /**< pixels of the whole picture; 900 (320 to 8000) */
    const char *title;       /**< may be NULL */
} nfsar_picture_options;

/** The defaults above. */
nfsar_picture_options nfsar_picture_defaults(void);

/** Render @p image to a PNG file; it appears under its name only when complete. 0 dB is the maximum
 * of what is shown: of the image, of the slice, or of the radii that are unrolled.
 * NFSAR_ERROR_ARGUMENT for options out of range, a slice, an axis or radii outside the image and
 * images too flat for the view, NFSAR_ERROR_FORMAT when there is no signal or a voxel is not
 * finite, NFSAR_ERROR_UNSUPPORTED when the system has no font. */
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
