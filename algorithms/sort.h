/* Numbers in order, and what stands in their middle. */
#ifndef NFSAR_ALGORITHMS_SORT_H
#define NFSAR_ALGORITHMS_SORT_H

#include <stddef.h>

/* Ascending, in place; none is NaN. */
void sort_doubles(double *value, size_t n);

/* Sorts them too. Of an even number the mean of the two in the middle; 0 of none. */
double sort_median(double *value, size_t n);

/* The same, but of an even number the larger of the two: one of the numbers themselves. */
double sort_upper_median(double *value, size_t n);

#endif
