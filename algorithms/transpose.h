/* Complex numbers from rows to columns, by instruction set: lines that FFTW transforms are
 * contiguous, and everything else goes across them. */
#ifndef NFSAR_ALGORITHMS_TRANSPOSE_H
#define NFSAR_ALGORITHMS_TRANSPOSE_H

#include <complex.h>
#include <stddef.h>

#include <nfsar/kernel.h>

/* out[c * out_stride + r] = weight * in[r * in_stride + c] for r < rows, c < columns. The weight is
 * by_row[r] or by_column[c], or 1 where both are NULL; at most one of them is given. In and out do
 * not overlap and may lie anywhere. */
typedef void transpose(const float complex *in, size_t in_stride, size_t rows, size_t columns,
                       const float *by_row, const float *by_column, float complex *out,
                       size_t out_stride);

transpose transpose_portable, transpose_avx2, transpose_avx512;

/* The version for a kernel that nfsar_kernel_choose() gave. */
transpose *transpose_for(enum nfsar_kernel kernel);

#endif
