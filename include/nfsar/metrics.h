/** @file
 * Numbers that describe an image, or the difference of two.
 */
#ifndef NFSAR_METRICS_H
#define NFSAR_METRICS_H

#include <nfsar/image.h>
#include <nfsar/status.h>

/** The image's strongest point and the sharpness of the whole.
 *
 * Place, widths and side lobes are read from cuts through the peak that are interpolated from the
 * complex voxels (band-limited, 16 points a voxel): 1.4 voxels or more for each resolution cell are
 * enough (docs/measure.md). */
typedef struct nfsar_image_metrics {
    double peak_amplitude;   /**< magnitude of the strongest voxel */
    double peak_m[3];        /**< sub-voxel place of the peak: x, y, z; on the voxel itself along
                                  an axis where that is the first or last one */
    double width_m[3];       /**< full width at half power (-3 dB) through the peak along x, y, z;
                                  NaN where the cut does not fall that far inside the grid */
    double pslr_db[3];       /**< peak side-lobe ratio of the cuts; NaN without side lobe */
    double islr_db[3];       /**< integrated side-lobe ratio of the cuts: energy outside the main
                                  lobe, which ends at the first minima, over that inside; NaN
                                  likewise */
    double entropy;          /**< of |o|^2 as a distribution, natural logarithm */
    double dynamic_range_db; /**< peak over median magnitude; infinite when the median is zero */
    double contrast;         /**< standard deviation over mean of |o|^2 */
} nfsar_image_metrics;

/** Measure an image; NFSAR_ERROR_FORMAT when it is zero everywhere or not finite. */
enum nfsar_status nfsar_image_measure(const nfsar_image *image, nfsar_image_metrics *metrics,
                                      nfsar_error *error);

/** Two images on one grid. Magnitudes are scaled by the factor that fits best unless said
 * otherwise. */
typedef struct nfsar_image_comparison {
    double complex_correlation;   /**< |<a,b>| / (|a||b|) */
    double magnitude_correlation; /**< <|a|,|b|> / (|a||b|) */
    double relative_error;        /**< |b g - a| / |a|, g the complex factor that fits best */
    double rmse;                  /**< of the magnitudes, each divided by its own maximum */
    double psnr_db;               /**< -20 log10(rmse), peak 1; infinite for equal magnitudes */
    double ssim; /**< mean structural similarity of those magnitudes: Gaussian window
                      of sigma 1.5 (11 wide, cut off at borders) in each slice, K1 0.01,
                      K2 0.03, L 1 */
} nfsar_image_comparison;

/** Compare @p image with @p reference; NFSAR_ERROR_GEOMETRY, naming both, unless the grids agree
 * to a thousandth of a voxel; NFSAR_ERROR_FORMAT when one is zero everywhere or not finite. */
enum nfsar_status nfsar_image_compare(const nfsar_image *reference, const nfsar_image *image,
                                      nfsar_image_comparison *comparison, nfsar_error *error);

/** Sharpness of one slice data[ny][nx]: the gradient energy of the magnitude, sum |grad |o||^2 over
 * neighbouring voxels (docs/theory/sharpness.md). Larger is sharper. It grows with the square of
 * the data, so only slices of one volume on one grid can be compared. */
double nfsar_slice_sharpness(const float complex *data, size_t nx, size_t ny);

/** Refine a maximum: the offset from the middle one, in samples (within -1/2..1/2 for a true
 * maximum), of the parabola through three equally spaced values. */
double nfsar_parabola_peak(double left, double middle, double right);

#endif
