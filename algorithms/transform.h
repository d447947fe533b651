/* FFTW as the algorithms here use it: good lengths, aligned memory, one planner at a time. */
#ifndef NFSAR_ALGORITHMS_TRANSFORM_H
#define NFSAR_ALGORITHMS_TRANSFORM_H

#include <complex.h>
#include <stddef.h>

/* fftw3.h uses the C99 complex type when complex.h came first. */
#include <fftw3.h>

/* The smallest length >= n whose only factors are 2, 3, 5 and 7. */
size_t transform_length(size_t n);

/* n complex numbers, aligned for FFTW, uninitialised; NULL when there is no memory. Free with
 * fftwf_free(). */
float complex *transform_alloc(size_t n);

/* Plan `batch` in-place transforms of contiguous lines of `length` at `distance` from each other
 * (sign FFTW_FORWARD: exp(-j)). The planner is not re-entrant, so calls wait for each other.
 * Execute on any array of the same alignment with fftwf_execute_dft(). NULL on failure. */
fftwf_plan transform_plan(size_t length, size_t batch, size_t distance, int sign);

/* Destroy a plan under the same lock; NULL is allowed. */
void transform_destroy(fftwf_plan plan);

#endif
