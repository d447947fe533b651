/* Band-limited interpolation of complex volumes and lines near a point of interest.
 *
 * An image's magnitude has twice the bandwidth of the image, so peaks and widths are read from the
 * interpolated complex values. Images carry a phase that turns quickly along range (twice the mean
 * wavenumber) and may alias; only the width of the spectrum must fit the sampling. Each axis is
 * therefore shifted to base band by the carrier estimated around the point. */
#ifndef NFSAR_ALGORITHMS_INTERPOLATE_H
#define NFSAR_ALGORITHMS_INTERPOLATE_H

#include <complex.h>
#include <stddef.h>

#include <nfsar/image.h>

/* Samples on each side of the point. With the Kaiser window this holds 100 dB for spectra up to
 * 0.73 of the sampling rate (1.4 samples a resolution cell). */
#define INTERPOLATE_HALF 12
#define INTERPOLATE_TAPS (2 * INTERPOLATE_HALF)

/* Weights and (mirrored) sample numbers for one coordinate on one axis. */
struct interpolate_taps {
    double complex weight[INTERPOLATE_TAPS];
    size_t index[INTERPOLATE_TAPS];
    size_t n; /* 1 at a whole coordinate */
};

/* Taps for coordinate `at` (samples, 0 .. n - 1) of an axis of n samples whose phase turns by
 * `carrier` radians a sample. Beyond its ends the base-band line is taken as mirrored. The common
 * phase of the result is not kept: only magnitudes are meaningful. */
void interpolate_taps(double at, size_t n, double carrier, struct interpolate_taps *taps);

/* Phase step a sample along each axis, in the box of +-radius voxels around a voxel. */
void interpolate_carriers(const nfsar_image *image, const size_t voxel[3], size_t radius,
                          double carrier[3]);

/* Power |o|^2 at a point in voxel coordinates (x, y, z). */
double interpolate_power(const nfsar_image *image, const double at[3], const double carrier[3]);

/* The line of n voxels through a point along `axis` (0, 1, 2), interpolated across the other two:
 * line[n]. */
void interpolate_line(const nfsar_image *image, int axis, const double at[3],
                      const double carrier[3], double complex *line);

/* Power along such a line at `per_sample` points a sample: power[(n - 1) * per_sample + 1]. The
 * line is shifted to base band in place. */
void interpolate_finely(double complex *line, size_t n, double carrier, size_t per_sample,
                        double *power);

#endif
