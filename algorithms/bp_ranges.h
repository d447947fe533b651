/* Ranges of the points of a block or a cluster relative to its centre, in half turns of the
 * carrier, from their t: a part of the text of the kernels. */
#ifndef NFSAR_ALGORITHMS_BP_RANGES_H
#define NFSAR_ALGORITHMS_BP_RANGES_H

#include "algorithms/bp_terms.h"

/* h += R - range of one antenna in half turns, by the root itself:
 * sqrt(1 + t) - 1 = t / (1 + sqrt(1 + t)) without cancellation. */
LANES_INLINE void add_root(const struct bp_terms *terms, size_t a, const lanes *t, lanes *h) {
    lanes scale = lanes_splat(terms->halfturns[a]);
    for (int i = 0; i < LANES_GROUP; i++) {
        lanes square = 1.0f + t[i];
        square = (lanes)((lanes_int)square & (square > 0.0f));
        h[i] += scale * t[i] / (1.0f + lanes_sqrt(square));
    }
}

LANES_INLINE void series_of(const struct bp_terms *terms, size_t a, int degree, float *c) {
    for (int d = 0; d <= degree; d++) {
        c[d] = terms->series[d][a];
    }
}

/* h += R - range of one antenna (ends 1) or of two, whose t are given. */
LANES_INLINE void add_ranges(const struct bp_terms *terms, const size_t *antenna, int ends,
                             enum bp_series series, const lanes *t, const lanes *other, lanes *h) {
    if (series == BP_SERIES_ROOT) {
        add_root(terms, antenna[0], t, h);
        if (ends == 2) {
            add_root(terms, antenna[1], other, h);
        }
        return;
    }
    float c[BP_TERMS], d[BP_TERMS];
    int degree = series == BP_SERIES_SHORT ? 2 : 4;
    lanes slope[LANES_GROUP], other_slope[LANES_GROUP];
    series_of(terms, antenna[0], degree, c);
    if (ends == 2) {
        series_of(terms, antenna[1], degree, d);
        lanes_polynomials(t, c, degree, slope, other, d, degree, other_slope);
    } else {
        lanes_polynomial(t, c, degree, slope);
    }
    for (int i = 0; i < LANES_GROUP; i++) {
        h[i] += t[i] * slope[i];
    }
    for (int i = 0; i < LANES_GROUP && ends == 2; i++) {
        h[i] += other[i] * other_slope[i];
    }
}

#endif
