#include "algorithms/sort.h"

#include <stdlib.h>

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void sort_doubles(double *value, size_t n) {
    qsort(value, n, sizeof *value, ascending);
}

double sort_median(double *value, size_t n) {
    const double upper = sort_upper_median(value, n);
    return n > 0 && n % 2 == 0 ? 0.5 * (value[n / 2 - 1] + upper) : upper;
}

double sort_upper_median(double *value, size_t n) {
    sort_doubles(value, n);
    return n > 0 ? value[n / 2] : 0.0;
}
