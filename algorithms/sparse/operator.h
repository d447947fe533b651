/* A linear map from complex volumes to samples and its adjoint: all that sparse reconstruction
 * knows of imaging. */
#ifndef NFSAR_ALGORITHMS_SPARSE_OPERATOR_H
#define NFSAR_ALGORITHMS_SPARSE_OPERATOR_H

#include <complex.h>
#include <stddef.h>

#include <nfsar/progress.h>
#include <nfsar/status.h>

struct linear_operator {
    size_t n_image, n_sample; /* complex numbers of either side */
    void *context;            /* handed to both */
    /* samples[n_sample] = A image[n_image] */
    enum nfsar_status (*forward)(void *context, const float complex *image, float complex *samples,
                                 nfsar_error *error);
    /* image = A^H samples */
    enum nfsar_status (*adjoint)(void *context, const float complex *samples, float complex *image,
                                 nfsar_error *error);
};

/* The largest eigenvalue of A^H A by power iteration from a random vector: from below, and within a
 * few percent after ten steps or so. */
enum nfsar_status operator_norm(const struct linear_operator *op, size_t steps, double *largest,
                                const nfsar_progress *progress, nfsar_error *error);

/* |<A x, y> - <x, A^H y>| / (|A x| |y|) for random x and y, drawn from the seed: 0 for an exact
 * pair. The scale is that of the product of vectors that are not orthogonal by chance. */
enum nfsar_status operator_mismatch(const struct linear_operator *op, unsigned seed,
                                    double *mismatch, nfsar_error *error);

#endif
