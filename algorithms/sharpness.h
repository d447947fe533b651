/* Measures of how sharp a slice is, for depth search (docs/theory/sharpness.md). Each is larger for
 * sharper slices, unchanged by a factor on the data, and 0 for a slice of zeros. */
#ifndef NFSAR_ALGORITHMS_SHARPNESS_H
#define NFSAR_ALGORITHMS_SHARPNESS_H

#include <complex.h>
#include <stddef.h>

typedef double sharpness_measure(const float complex *data, size_t nx, size_t ny);

/* sqrt(N sum |o|^2) / sum |o|: root mean square over mean of the magnitude. Largest where the
 * energy is gathered in the smallest area, whether evenly (a plate) or in points. */
sharpness_measure sharpness_norm_ratio;

/* sum |grad |o||^2 over sum |grad o|^2, the mean slope of the phase taken off first: 1 where the
 * phase is constant over the object, as it is in focus; 1/2 for noise. */
sharpness_measure sharpness_phase_flatness;

/* N sum |o|^4 / (sum |o|^2)^2: prefers few bright points. */
sharpness_measure sharpness_kurtosis;

/* log N - entropy of |o|^2. */
sharpness_measure sharpness_order;

/* sum |grad |o||^2 over sum |o|^2 (Tenengrad): prefers noise to a smooth object. */
sharpness_measure sharpness_gradient;

#endif
