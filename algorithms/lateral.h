/* From plane waves to the places of a uniform grid along one axis:
 *
 *     out[i] = sum_{m < bins} in[m] exp(+j alpha (m - half) i),   i < n_out.
 *
 * Where alpha is 2 pi over an integer that transforms well, one FFT of that length does it: waves
 * that differ by a whole period are equal on the grid and are added up ("folded"). Other spacings
 * take a chirp-z transform, two FFTs that are longer. Both are exact. */
#ifndef NFSAR_ALGORITHMS_LATERAL_H
#define NFSAR_ALGORITHMS_LATERAL_H

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct lateral lateral;

/* The length of the FFT that makes n_out places of spacing alpha, 0 when there is none. */
size_t lateral_direct_length(double alpha, size_t n_out);

/* Estimated nanoseconds of one line. */
double lateral_cost(size_t bins, double alpha, size_t n_out);

/* lines: how many will be transformed, for the planning effort. NULL when there is no memory. */
lateral *lateral_create(size_t bins, size_t half, size_t n_out, double alpha, double lines);

/* The same by chirp-z, whatever the spacing: for tests. */
lateral *lateral_create_chirp(size_t bins, size_t half, size_t n_out, double alpha);

/* Complex numbers of a line that goes in, and where wave m lies in it. What no wave lies on has to
 * be zero; lines are not changed by the transform, so it stays zero. Waves that share a place (when
 * lateral_folds()) are added. */
size_t lateral_length(const lateral *plan);
size_t lateral_place(const lateral *plan, size_t m);
bool lateral_folds(const lateral *plan);

/* Complex numbers of work that lateral_execute() needs. */
size_t lateral_work(const lateral *plan);

/* Transform a line; both arrays on 64-byte boundaries. Returns where in work the n_out places are.
 * Re-entrant with distinct work. */
const float complex *lateral_execute(const lateral *plan, float complex *line, float complex *work);

/* Lengths of the FFTs of one line, forward and back; 0 for none. */
void lateral_transforms(const lateral *plan, size_t *forward, size_t *backward);

/* NULL is allowed. */
void lateral_destroy(lateral *plan);

#endif
