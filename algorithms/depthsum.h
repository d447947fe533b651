/* The Stolt step without interpolating the spectrum: the sum over the frequencies of one
 * (k_x, k_y), at depths that are equally spaced,
 *
 *     out[m] = sum_n c_n exp(-j t_n (m - n_out / 2)),   m < n_out,  t_n = k_z,n dz,
 *
 * with t_n anywhere. Few depths are summed directly. Many go through a non-uniform FFT of type 1:
 * each c_n is spread with the kernel of gridding.h onto a grid twice as fine as n_out needs, one
 * FFT, and a division by the kernel's transform. docs/theory/planar.md states the error;
 * tests/algorithms/test_depthsum.c measures it. */
#ifndef NFSAR_ALGORITHMS_DEPTHSUM_H
#define NFSAR_ALGORITHMS_DEPTHSUM_H

#include <complex.h>
#include <stddef.h>

typedef struct depthsum depthsum;

/* How the sum is done. */
enum depthsum_way { DEPTHSUM_AUTO, DEPTHSUM_DIRECT, DEPTHSUM_NUFFT };

/* tolerance: error of any out[m] relative to sum |c_n|, 1e-1 .. 1e-6. NULL when there is no
 * memory. */
depthsum *depthsum_create(size_t n_in, size_t n_out, double tolerance, enum depthsum_way way);

/* Complex numbers of scratch that depthsum_execute() needs; aligned by transform_alloc(). */
size_t depthsum_scratch(const depthsum *plan);

/* Length of the FFT of one sum; 0 when it is done directly. */
size_t depthsum_length(const depthsum *plan);

/* Add the sum of n <= n_in terms to out[0], out[stride], ... Re-entrant with distinct scratch. */
void depthsum_execute(const depthsum *plan, const float complex *c, const double *t, size_t n,
                      float complex *out, size_t stride, float complex *scratch);

/* NULL is allowed. */
void depthsum_destroy(depthsum *plan);

#endif
