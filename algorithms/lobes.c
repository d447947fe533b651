#include "algorithms/lobes.h"

#include <math.h>
#include <stdbool.h>

#define ROUNDING 1e-9 /* -90 dB: what the interpolation leaves (algorithms/interpolate.h) */

/* One side of the peak, walked outward: sample i of it is power[peak + direction * i]. */
struct side {
    const double *power; /* the peak */
    long direction;
    size_t n; /* samples beyond the peak */
};

static double side_at(const struct side *side, size_t i) {
    return side->power[side->direction * (long)i];
}

/* Distance of the half-power point by linear interpolation, NaN when the cut ends before it. */
static double half_power(const struct side *side) {
    const double half = 0.5 * side_at(side, 0);
    for (size_t i = 1; i <= side->n; i++) {
        double inner = side_at(side, i - 1), outer = side_at(side, i);
        if (outer <= half) {
            return (double)(i - 1) + (inner - half) / (inner - outer);
        }
    }
    return NAN;
}

/* First minimum beyond the half-power point; side->n when there is none. */
static size_t first_minimum(const struct side *side, double half) {
    if (isnan(half)) {
        return side->n;
    }
    for (size_t i = (size_t)ceil(half); i < side->n; i++) {
        if (side_at(side, i + 1) > side_at(side, i)) {
            return i;
        }
    }
    return side->n;
}

struct lobes lobes_measure(const double *power, size_t n, size_t peak) {
    const struct side side[2] = {{power + peak, -1, peak}, {power + peak, 1, n - 1 - peak}};
    double half[2], main_lobe = power[peak], rest = 0.0, strongest = 0.0;
    struct lobes lobes = {NAN, NAN, NAN};
    for (int s = 0; s < 2; s++) {
        half[s] = half_power(&side[s]);
        size_t end = first_minimum(&side[s], half[s]);
        for (size_t i = 1; i <= side[s].n; i++) {
            double here = side_at(&side[s], i);
            if (i <= end) {
                main_lobe += here;
            } else {
                rest += here;
                strongest = fmax(strongest, here);
            }
        }
    }
    lobes.width = half[0] + half[1];
    if (strongest > ROUNDING * power[peak]) {
        lobes.pslr_db = 10.0 * log10(strongest / power[peak]);
        lobes.islr_db = 10.0 * log10(rest / main_lobe);
    }
    return lobes;
}
