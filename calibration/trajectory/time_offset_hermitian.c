#include "calibration/trajectory/time_offset_hermitian.h"

#include <math.h>

#include "calibration/trajectory/time_offset_data.h"

bool offset_solve_hermitian(double complex *a, size_t n, double complex *b, double *diagonal) {
    double complex inverse[REFLECTORS * REFLECTORS] = {0.0};
    /* a = l l^H, l in the lower half; inverse is that of l. */
    for (size_t j = 0; j < n; j++) {
        double pivot = creal(a[j * n + j]);
        for (size_t k = 0; k < j; k++) {
            pivot -= creal(a[j * n + k] * conj(a[j * n + k]));
        }
        if (!(pivot > 0.0)) {
            return false;
        }
        const double root = sqrt(pivot);
        for (size_t i = j + 1; i < n; i++) {
            double complex sum = conj(a[j * n + i]);
            for (size_t k = 0; k < j; k++) {
                sum -= a[i * n + k] * conj(a[j * n + k]);
            }
            a[i * n + j] = sum / root;
        }
        inverse[j * n + j] = 1.0 / root;
        for (size_t c = 0; c < j; c++) {
            double complex sum = 0.0;
            for (size_t k = c; k < j; k++) {
                sum -= a[j * n + k] * inverse[k * n + c];
            }
            inverse[j * n + c] = sum / root;
        }
    }
    double complex half[REFLECTORS] = {0.0};
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k <= i; k++) {
            half[i] += inverse[i * n + k] * b[k];
        }
    }
    for (size_t i = 0; i < n; i++) {
        b[i] = 0.0;
        diagonal[i] = 0.0;
        for (size_t k = i; k < n; k++) {
            b[i] += conj(inverse[k * n + i]) * half[k];
            diagonal[i] += creal(inverse[k * n + i] * conj(inverse[k * n + i]));
        }
    }
    return true;
}
