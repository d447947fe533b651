/* Which operator and adjoint a reconstruction works with. */
#ifndef NFSAR_ALGORITHMS_SPARSE_PAIR_H
#define NFSAR_ALGORITHMS_SPARSE_PAIR_H

#include <nfsar/sparse.h>

#include "algorithms/sparse/operator.h"

struct cylindrical;
struct exact;
struct planar;

struct pair {
    enum nfsar_sparse_operators which; /* never AUTO */
    struct exact *exact;               /* one of these */
    struct planar *planar;
    struct cylindrical *cylindrical;
    struct linear_operator op;
};

/* The pair asked for; for AUTO the one that suits and is estimated to be the fastest.
 * pair_release() either way. */
enum nfsar_status pair_choose(const nfsar_capture *capture, const nfsar_grid *grid,
                              enum nfsar_sparse_operators wanted, int threads, struct pair *pair,
                              nfsar_error *error);
void pair_release(struct pair *pair);

#endif
