/* Small Hermitian systems, solved in many threads at once: there OpenBLAS's zpotri was seen to read
 * beyond its arrays. */
#ifndef NFSAR_CALIBRATION_TIME_OFFSET_HERMITIAN_H
#define NFSAR_CALIBRATION_TIME_OFFSET_HERMITIAN_H

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>

/* Solve a x = b in place for a Hermitian positive a[n][n] of which the upper half is given (and
 * which is lost), n at most REFLECTORS; diagonal[n] becomes that of the inverse. false where a is
 * not positive. */
bool offset_solve_hermitian(double complex *a, size_t n, double complex *b, double *diagonal);

#endif
