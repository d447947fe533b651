/* Images for tests: the truth, and the methods that are compared with it. */
#ifndef NFSAR_TESTS_IMAGES_H
#define NFSAR_TESTS_IMAGES_H

#include <nfsar/backprojection.h>
#include <nfsar/nurma.h>
#include <nfsar/rma.h>

/* Backprojection of the capture's own samples. Free with nfsar_image_free(). */
nfsar_image image_bp(const nfsar_capture *capture, const nfsar_grid *grid,
                     enum nfsar_bp_precision precision);

/* Range migration with these options (NULL: defaults). */
nfsar_image image_rma(const nfsar_capture *capture, const nfsar_grid *grid,
                      const nfsar_rma_options *options);

/* Non-uniform range migration with these options (NULL: defaults). */
nfsar_image image_nurma(const nfsar_capture *capture, const nfsar_grid *grid,
                        const nfsar_nurma_options *options);

/* |<a,b>| / (|a||b|). */
double image_correlation(const nfsar_image *a, const nfsar_image *b);

/* |a - b| / |a|, no scaling: amplitude and phase count. */
double image_error(const nfsar_image *a, const nfsar_image *b);

#endif
