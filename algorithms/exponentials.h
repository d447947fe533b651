/* Many exponentials out of few: for |x| <= half every
 *
 *     exp(-j s_i x) = sum_m w_im exp(-j (node_m) x),   i < n,  m < n_node,
 *
 * to within the tolerance, with real weights. A sum over n such exponentials whose argument is
 * known to lie in a range needs only about (s_max - s_min) * 2 half / (2 pi) + 10 of them, however
 * many there are: frequencies for the ranges of a grid, depths for the wavenumbers of a spectrum.
 * docs/theory/planar.md derives weights and number. */
#ifndef NFSAR_ALGORITHMS_EXPONENTIALS_H
#define NFSAR_ALGORITHMS_EXPONENTIALS_H

#include <stdbool.h>
#include <stddef.h>

#include <nfsar/status.h>

enum exponentials_nodes {
    EXPONENTIALS_UNIFORM,  /* equally spaced, a little beyond the s_i */
    EXPONENTIALS_CLUSTERED /* denser at the ends and within the s_i: the fewest */
};

typedef struct exponentials {
    size_t n, n_node;
    bool exact;    /* nothing would be gained: the nodes are the s_i, and there are no weights */
    double *node;  /* [n_node] */
    float *weight; /* [n][n_node] */
} exponentials;

/* s: [n], in any order for clustered nodes, rising or falling for uniform ones. tolerance: largest
 * |error|, 1e-7 to 0.1. NULL when there is no memory. */
exponentials *exponentials_create(const double *s, size_t n, double half, double tolerance,
                                  enum exponentials_nodes nodes);

/* Nodes that there will be at least, in no time: n where nothing would be gained. */
size_t exponentials_least(const double *s, size_t n, double half, enum exponentials_nodes nodes);

/* NULL is allowed. */
void exponentials_destroy(exponentials *plan);

#endif
