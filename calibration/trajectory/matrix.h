/* Square matrices of the filter's size, row by row. */
#ifndef NFSAR_CALIBRATION_TRAJECTORY_MATRIX_H
#define NFSAR_CALIBRATION_TRAJECTORY_MATRIX_H

#include <stdbool.h>

#include "calibration/trajectory/state.h"

enum { MATRIX = ERRORS * ERRORS, PACKED = ERRORS * (ERRORS + 1) / 2 };

/* out = a b, out = a b^T; out is none of them. */
void matrix_multiply(const double *a, const double *b, double *out);
void matrix_multiply_transposed(const double *a, const double *b, double *out);
/* out = a s a^T for symmetric s, symmetric to the last bit; out is none of them. */
void matrix_congruence(const double *a, const double *s, double *out);
/* x = a s^-1 for symmetric positive s, by Cholesky's method on the scaled matrix; false when s is
 * not positive. */
bool matrix_divide(const double *a, const double *s, double *x);
/* The lower triangle alone. */
void matrix_pack(const double *s, double *packed);
void matrix_unpack(const double *packed, double *s);

#endif
