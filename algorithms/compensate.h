/* Density compensation by iteration. */
#ifndef NFSAR_ALGORITHMS_COMPENSATE_H
#define NFSAR_ALGORITHMS_COMPENSATE_H

#include "algorithms/delaunay.h"

/* Weights weight[n] whose convolution with the kernel (1 - r^2 / reach^2)^2, r < reach, is about 1
 * at every point, by w <- w / (K w) (Pipe and Menon 1999, equation 18): ten times or until K w is
 * within 1e-3 of 1. More would make it no flatter: what neighbours hold in common is settled first,
 * how they share it hardly ever. Points in the same square of reach / 8 weigh the same. */
enum nfsar_status compensate_density(const struct plane_point *point, size_t n, double reach,
                                     double *weight, nfsar_error *error);

#endif
