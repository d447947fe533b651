/* Samples that are not numbers. */
#ifndef NFSAR_HOST_FILES_FINITE_H
#define NFSAR_HOST_FILES_FINITE_H

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>

/* Whether all n samples are finite. */
bool all_finite(const float complex *sample, size_t n);

/* Index of the first of n samples that is not finite, or n. */
size_t first_infinite(const float complex *sample, size_t n);

#endif
