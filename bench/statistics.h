/* Order statistics of repeated measurements. */
#ifndef NFSAR_BENCH_STATISTICS_H
#define NFSAR_BENCH_STATISTICS_H

#include <stddef.h>

struct bench_statistics {
    size_t n;
    double median;
    double low, high; /* quartiles */
    double min, max;
};

/* Sorts value[n], n > 0. Between two values quantiles are interpolated linearly. */
struct bench_statistics bench_statistics_of(double *value, size_t n);

/* Distance of the quartiles, relative to the median; 0 when the median is. */
double bench_spread(const struct bench_statistics *statistics);

#endif
