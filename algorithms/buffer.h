/* Large arrays: aligned for any vector, on huge pages where the system has them, since page faults
 * and misses of the translation cache cost as much as the arithmetic. */
#ifndef NFSAR_ALGORITHMS_BUFFER_H
#define NFSAR_ALGORITHMS_BUFFER_H

#include <stddef.h>

/* n elements of `size` bytes, uninitialised; NULL when there is no memory. Free with free(). */
void *buffer_alloc(size_t n, size_t size);

/* The same, zero. */
void *buffer_zeros(size_t n, size_t size);

#endif
