/* A spectrum evaluated on any uniform grid (chirp-z transform, Bluestein's algorithm):
 *
 *     out[i] = sum_{m < n_in} in[m] exp(+j alpha (first + m) i),   i < n_out,
 *
 * exactly, whatever the spacing alpha: 2 m i = m^2 + i^2 - (i - m)^2 turns the sum into a
 * convolution with a chirp, done by two FFTs. */
#ifndef NFSAR_ALGORITHMS_CHIRPZ_H
#define NFSAR_ALGORITHMS_CHIRPZ_H

#include <complex.h>
#include <stddef.h>

typedef struct chirpz chirpz;

/* NULL when there is no memory. */
chirpz *chirpz_create(size_t n_in, long first, size_t n_out, double alpha);

/* Complex numbers of scratch that chirpz_execute() needs; aligned by transform_alloc(). */
size_t chirpz_scratch(const chirpz *plan);

/* Transform in[0], in[in_stride], ... into out[0], out[out_stride], ... Re-entrant with distinct
 * scratch. */
void chirpz_execute(const chirpz *plan, const float complex *in, size_t in_stride,
                    float complex *out, size_t out_stride, float complex *scratch);

/* NULL is allowed. */
void chirpz_destroy(chirpz *plan);

#endif
