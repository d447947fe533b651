/* Small dense systems, such as fits of polynomials have. */
#ifndef NFSAR_ALGORITHMS_ELIMINATION_H
#define NFSAR_ALGORITHMS_ELIMINATION_H

#include <stddef.h>

/* Solve a x = b in place, for `columns` right-hand sides, by Gauss-Jordan elimination with the
 * largest pivot of each column: a[n][n], its rows `pitch` numbers apart, is lost, and
 * b[n][columns], its rows as far apart, becomes x. a must not be singular. */
void eliminate(size_t n, size_t columns, size_t pitch, double *a, double *b);

#endif
