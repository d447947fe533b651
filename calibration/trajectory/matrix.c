#include "calibration/trajectory/matrix.h"

#include <math.h>
#include <string.h>

void matrix_multiply(const double *a, const double *b, double *out) {
    memset(out, 0, MATRIX * sizeof *out);
    for (int i = 0; i < ERRORS; i++) {
        for (int k = 0; k < ERRORS; k++) {
            const double factor = a[i * ERRORS + k];
            if (factor == 0.0) {
                continue; /* transitions are sparse */
            }
            for (int j = 0; j < ERRORS; j++) {
                out[i * ERRORS + j] += factor * b[k * ERRORS + j];
            }
        }
    }
}

void matrix_multiply_transposed(const double *a, const double *b, double *out) {
    double turned[MATRIX];
    for (int i = 0; i < ERRORS; i++) {
        for (int j = 0; j < ERRORS; j++) {
            turned[j * ERRORS + i] = b[i * ERRORS + j];
        }
    }
    matrix_multiply(a, turned, out);
}

void matrix_congruence(const double *a, const double *s, double *out) {
    double half[MATRIX], turned[MATRIX];
    matrix_multiply(a, s, half); /* (a s)^T = s a^T */
    for (int i = 0; i < ERRORS; i++) {
        for (int j = 0; j < ERRORS; j++) {
            turned[j * ERRORS + i] = half[i * ERRORS + j];
        }
    }
    matrix_multiply(a, turned, out);
    for (int i = 0; i < ERRORS; i++) {
        for (int j = 0; j < i; j++) {
            const double mean = 0.5 * (out[i * ERRORS + j] + out[j * ERRORS + i]);
            out[i * ERRORS + j] = out[j * ERRORS + i] = mean;
        }
    }
}

bool matrix_divide(const double *a, const double *s, double *x) {
    double l[MATRIX], scale[ERRORS];
    for (int i = 0; i < ERRORS; i++) {
        if (!(s[i * ERRORS + i] > 0.0)) {
            return false;
        }
        scale[i] = 1.0 / sqrt(s[i * ERRORS + i]);
    }
    for (int i = 0; i < ERRORS; i++) {
        for (int j = 0; j <= i; j++) {
            double sum = s[i * ERRORS + j] * scale[i] * scale[j];
            for (int k = 0; k < j; k++) {
                sum -= l[i * ERRORS + k] * l[j * ERRORS + k];
            }
            if (i == j && !(sum > 0.0)) {
                return false;
            }
            l[i * ERRORS + j] = i == j ? sqrt(sum) : sum / l[j * ERRORS + j];
        }
    }
    for (int row = 0; row < ERRORS; row++) {
        double y[ERRORS];
        for (int i = 0; i < ERRORS; i++) {
            double sum = a[row * ERRORS + i] * scale[i];
            for (int k = 0; k < i; k++) {
                sum -= l[i * ERRORS + k] * y[k];
            }
            y[i] = sum / l[i * ERRORS + i];
        }
        for (int i = ERRORS; i-- > 0;) {
            double sum = y[i];
            for (int k = i + 1; k < ERRORS; k++) {
                sum -= l[k * ERRORS + i] * y[k];
            }
            y[i] = sum / l[i * ERRORS + i];
            x[row * ERRORS + i] = y[i] * scale[i];
        }
    }
    return true;
}

void matrix_pack(const double *s, double *packed) {
    for (int i = 0; i < ERRORS; i++) {
        for (int j = 0; j <= i; j++) {
            *packed++ = s[i * ERRORS + j];
        }
    }
}

void matrix_unpack(const double *packed, double *s) {
    for (int i = 0; i < ERRORS; i++) {
        for (int j = 0; j <= i; j++) {
            s[i * ERRORS + j] = s[j * ERRORS + i] = *packed++;
        }
    }
}
