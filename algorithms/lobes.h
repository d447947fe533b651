/* Main lobe and side lobes of a cut through a peak. */
#ifndef NFSAR_ALGORITHMS_LOBES_H
#define NFSAR_ALGORITHMS_LOBES_H

#include <stddef.h>

struct lobes {
    double width;   /* full width at half power, samples; NaN when it is not inside the cut */
    double pslr_db; /* strongest side lobe over the peak; NaN without one */
    double islr_db; /* energy outside the first minima over that between them; NaN likewise */
};

/* Measure a finely sampled cut power[n] whose peak is at sample `peak`. The main lobe ends at the
 * first minimum below half power on each side; a side without a minimum has no side lobes. Side
 * lobes below -90 dB are rounding and count as none. */
struct lobes lobes_measure(const double *power, size_t n, size_t peak);

#endif
