/* A band-limited signal near one place, as a polynomial. Samples are `oversampling` times denser
 * than the band needs; from the eight round a place, weights make the coefficients of the
 * polynomial that follows the signal up to `reach` samples to either side. The weights minimise
 * the error over the band (docs/theory/backprojection.md). */
#ifndef NFSAR_ALGORITHMS_BANDFIT_H
#define NFSAR_ALGORITHMS_BANDFIT_H

#include <stddef.h>

enum {
    BANDFIT_TAPS = 8,    /* samples used: from 3 before the place's own to 4 after */
    BANDFIT_PLACES = 16, /* places between two samples that weights are kept for */
    BANDFIT_COLUMNS = 8, /* coefficients of a row of weights, zero beyond the degree */
    BANDFIT_LEVELS = 4
};

/* Polynomials of one degree. */
struct bandfit_level {
    int degree;
    double reach; /* samples to either side of the place */
    double error; /* largest error within reach, of a unit line at the band's edge */
    /* [BANDFIT_PLACES + 1], for place p / BANDFIT_PLACES after a sample: weights by tap and power
     * of the distance in samples; and the same by power and tap, for the adjoint. */
    float (*weight)[BANDFIT_TAPS][BANDFIT_COLUMNS];
    float (*spread)[BANDFIT_COLUMNS][BANDFIT_TAPS];
};

struct bandfit {
    struct bandfit_level level[BANDFIT_LEVELS]; /* ascending */
};

/* Weights for a band that turns by up to `edge` radians from sample to sample (below pi), each
 * level reaching as far as its error stays below the tolerance. NULL when there is no memory. */
struct bandfit *bandfit_create(double edge, double tolerance);
void bandfit_destroy(struct bandfit *fit);

#endif
