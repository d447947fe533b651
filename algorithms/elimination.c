#include "algorithms/elimination.h"

#include <math.h>

static void swap_rows(double *x, double *y, size_t n) {
    for (size_t j = 0; j < n; j++) {
        double t = x[j];
        x[j] = y[j];
        y[j] = t;
    }
}

void eliminate(size_t n, size_t columns, size_t pitch, double *a, double *b) {
    for (size_t k = 0; k < n; k++) {
        size_t pivot = k;
        for (size_t i = k + 1; i < n; i++) {
            pivot = fabs(a[i * pitch + k]) > fabs(a[pivot * pitch + k]) ? i : pivot;
        }
        if (pivot != k) {
            swap_rows(a + k * pitch, a + pivot * pitch, n);
            swap_rows(b + k * pitch, b + pivot * pitch, columns);
        }
        for (size_t i = 0; i < n; i++) {
            double factor = i == k ? 0.0 : a[i * pitch + k] / a[k * pitch + k];
            for (size_t j = k; j < n; j++) {
                a[i * pitch + j] -= factor * a[k * pitch + j];
            }
            for (size_t j = 0; j < columns; j++) {
                b[i * pitch + j] -= factor * b[k * pitch + j];
            }
        }
    }
    for (size_t k = 0; k < n; k++) {
        for (size_t j = 0; j < columns; j++) {
            b[k * pitch + j] /= a[k * pitch + k];
        }
    }
}
