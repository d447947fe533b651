/* The fast pair for positions round the target: csar's imaging as the adjoint, and the same factors
 * run backwards (algorithms/csar_echo.h) as the operator. */
#ifndef NFSAR_ALGORITHMS_SPARSE_CYLINDRICAL_H
#define NFSAR_ALGORITHMS_SPARSE_CYLINDRICAL_H

#include <nfsar/capture.h>
#include <nfsar/image.h>

#include "algorithms/sparse/operator.h"

struct cylindrical;

/* NFSAR_ERROR_GEOMETRY where positions lie on no cylinder, or so far off it that phases are wrong,
 * or the grid reaches it. capture must outlive it; its echo is not looked at. */
enum nfsar_status cylindrical_create(const nfsar_capture *capture, const nfsar_grid *grid,
                                     int threads, struct cylindrical **cylindrical,
                                     nfsar_error *error);

struct linear_operator cylindrical_operator(struct cylindrical *cylindrical);

/* Roughly how long one processor takes for the operator and its adjoint. */
double cylindrical_seconds(const struct cylindrical *cylindrical);

/* NULL is allowed. */
void cylindrical_destroy(struct cylindrical *cylindrical);

#endif
