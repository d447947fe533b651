/** @file
 * Grids and complex volumes.
 */
#ifndef NFSAR_IMAGE_H
#define NFSAR_IMAGE_H

#include <complex.h>
#include <stddef.h>

#include <nfsar/status.h>

/** Uniform coordinates start + i * step, metres. */
typedef struct nfsar_axis {
    double start; /**< first coordinate */
    double step;  /**< spacing, > 0 (any value when count is 1) */
    size_t count; /**< number of coordinates, >= 1 */
} nfsar_axis;

/** The voxels of an image. */
typedef struct nfsar_grid {
    nfsar_axis x; /**< across the scan */
    nfsar_axis y; /**< up */
    nfsar_axis z; /**< away from the aperture */
} nfsar_grid;

/** Coordinate @p i of an axis. */
double nfsar_axis_at(const nfsar_axis *axis, size_t i);
/** Coordinate of the last voxel. */
double nfsar_axis_end(const nfsar_axis *axis);
/** Axis from @p first to @p last with @p count points; first > last or count 0 is an error, and
 * so is count > 1 with first == last. */
enum nfsar_status nfsar_axis_between(double first, double last, size_t count, nfsar_axis *axis,
                                     nfsar_error *error);
/** x.count * y.count * z.count. */
size_t nfsar_grid_voxels(const nfsar_grid *grid);
/** Finite coordinates, positive steps, a voxel count that fits memory arithmetic. */
enum nfsar_status nfsar_grid_check(const nfsar_grid *grid, nfsar_error *error);

/** A complex volume with what made it. All pointers are owned. */
typedef struct nfsar_image {
    nfsar_grid grid;     /**< where the voxels are */
    float complex *data; /**< [z.count][y.count][x.count], x fastest */
    char *method;        /**< "bp", "rma", ...; may be NULL */
    char *options;       /**< the method's options as text; may be NULL */
    char **provenance;   /**< [n_provenance] the capture's lines and this step's */
    size_t n_provenance; /**< lines of provenance */
} nfsar_image;

/** A zero image on @p grid. */
enum nfsar_status nfsar_image_create(const nfsar_grid *grid, nfsar_image *image,
                                     nfsar_error *error);
/** Append one line of provenance (copied). */
enum nfsar_status nfsar_image_note(nfsar_image *image, nfsar_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** Release what the image owns and zero it. */
void nfsar_image_free(nfsar_image *image);

#endif
