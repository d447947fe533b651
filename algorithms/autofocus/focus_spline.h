/* Smooth displacements: uniform cubic B-splines of time, three components, with the prior of a
 * stationary smooth process. */
#ifndef NFSAR_ALGORITHMS_AUTOFOCUS_FOCUS_SPLINE_H
#define NFSAR_ALGORITHMS_AUTOFOCUS_FOCUS_SPLINE_H

#include <stddef.h>

/* Coefficients are c[n][3]: three components beside each other, so that all matrices are banded. */
struct focus_spline {
    double start_s, step_s; /* first knot, and their spacing */
    size_t n;               /* coefficients of a component: segments + 3 */
};

enum { FOCUS_ORDER = 4, FOCUS_BAND = 3 * FOCUS_ORDER }; /* diagonals on and below the main one */

struct focus_spline focus_spline_make(double from_s, double to_s, double step_s);

/* The first of the four coefficients that matter at a time, and their weights; derivative 0 to 3.
 */
size_t focus_spline_at(const struct focus_spline *spline, double time_s, int derivative,
                       double weight[FOCUS_ORDER]);

void focus_spline_value(const struct focus_spline *spline, const double *c, double time_s,
                        double value[3]);

/* The prior's matrix for one component, lower band form [n][FOCUS_ORDER]: element (i, i - d) at
 * [i * FOCUS_ORDER + d]. c' P c is -2 ln p of a Gaussian process with correlation
 * sigma^2 exp(-t^2 / (2 tau^2)), its inverse spectrum's exponential cut after the third power. */
void focus_spline_prior(const struct focus_spline *spline, double sigma, double tau_s,
                        double *matrix);

/* product[n][3] = P c. */
void focus_spline_apply(const struct focus_spline *spline, const double *matrix, const double *c,
                        double *product);

/* Coefficients `to` of the spline nearest to that of `from` at times from the one's first to last
 * knot: for a refinement. 0 when it worked. */
int focus_spline_refine(const struct focus_spline *from, const double *c,
                        const struct focus_spline *to, double *refined);

#endif
