/* How angles lie on the circle. */
#ifndef NFSAR_ALGORITHMS_TURNS_H
#define NFSAR_ALGORITHMS_TURNS_H

#include <stddef.h>

struct turns {
    double first;       /* where the shortest arc with all angles begins, -pi to pi */
    double span;        /* how long it is; 2 pi where the gap left is none to speak of */
    double largest_gap; /* between neighbours within it */
    double step;        /* between places that all lie on its multiples, to a hundredth; else 0 */
    size_t places;      /* angles that differ */
};

/* What n >= 1 finite angles are, in O(n log n). Sorts them: angle[n] become offsets from the first,
 * 0 to 2 pi; work[n] is overwritten. */
void turns_find(double *angle, double *work, size_t n, struct turns *turns);

#endif
