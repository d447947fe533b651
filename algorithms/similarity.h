/* Structural similarity of two slices (Wang et al., "Image quality assessment", IEEE TIP 2004). */
#ifndef NFSAR_ALGORITHMS_SIMILARITY_H
#define NFSAR_ALGORITHMS_SIMILARITY_H

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>

/* Sum of the structural similarity over the voxels of rows [first, last) of the slices a[ny][nx]
 * and b[ny][nx], their magnitudes multiplied by the scales first. Gaussian window of sigma 1.5, 11
 * wide, cut off at the border and normalised to what is left; K1 0.01, K2 0.03, L 1. False when out
 * of memory. */
bool similarity_sum(const float complex *a, double a_scale, const float complex *b, double b_scale,
                    size_t nx, size_t ny, size_t first, size_t last, double *sum);

#endif
