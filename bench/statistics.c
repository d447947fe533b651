#include "bench/statistics.h"

#include <stdlib.h>

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(const double *sorted, size_t n, double fraction) {
    double at = fraction * (double)(n - 1);
    size_t i = (size_t)at;
    return i + 1 < n ? sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

struct bench_statistics bench_statistics_of(double *value, size_t n) {
    qsort(value, n, sizeof *value, ascending);
    return (struct bench_statistics){
        .n = n,
        .median = quantile(value, n, 0.5),
        .low = quantile(value, n, 0.25),
        .high = quantile(value, n, 0.75),
        .min = value[0],
        .max = value[n - 1],
    };
}

double bench_spread(const struct bench_statistics *statistics) {
    return statistics->median != 0.0 ? (statistics->high - statistics->low) / statistics->median
                                     : 0.0;
}
