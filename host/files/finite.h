/* Samples that are not numbers. */
#ifndef NFSAR_HOST_FILES_FINITE_H
#define NFSAR_HOST_FILES_FINITE_H

#include <complex.h>
#include <stddef.h>

/* Index of the first of n samples that is not finite, or n. */
size_t first_infinite(const float complex *sample, size_t n);

#endif
