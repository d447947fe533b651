/* exp(j pi h) for a group of vectors. Counting phase in half turns makes its reduction exact: the
 * nearest whole number of half turns only changes signs. */
#ifndef NFSAR_ALGORITHMS_HALFTURNS_H
#define NFSAR_ALGORITHMS_HALFTURNS_H

#include <stdbool.h>

#include "algorithms/lanes.h"

/* Adding it rounds a float below 2^22 to the nearest whole number, which is then in the lowest
 * bits; subtracting it again leaves that number. */
#define HALFTURNS_ROUNDER 12582912.0f
/* The rounder as an integer: what to take off for the whole number. */
#define HALFTURNS_ROUNDER_BITS 0x4B400000

/* Cosine and sine of pi h[i], |h| < 2^22. Minimax polynomials on a quarter turn to either side:
 * the cosine errs by 7e-6, the sine by 6e-7 (fine) or 7e-5. */
LANES_INLINE void halfturns_phasor(bool fine, const lanes *h, lanes *cosine, lanes *sine) {
    static const float sine_fine[] = {3.14158202f, -5.1671428f, 2.54189902f, -0.55463618f};
    static const float sine_coarse[] = {3.14064004f, -5.13690529f, 2.29954717f};
    static const float cosine_all[] = {0.9999933f, -4.93393801f, 4.04128381f, -1.22212701f};
    lanes rounder = lanes_splat(HALFTURNS_ROUNDER), rest[LANES_GROUP], square[LANES_GROUP];
    lanes_int sign[LANES_GROUP];
    for (int i = 0; i < LANES_GROUP; i++) {
        lanes whole = h[i] + rounder;
        sign[i] = (lanes_int)whole << 31;
        rest[i] = h[i] - (whole - rounder);
        square[i] = rest[i] * rest[i];
    }
    lanes_polynomials(square, cosine_all, 3, cosine, square, fine ? sine_fine : sine_coarse,
                      fine ? 3 : 2, sine);
    for (int i = 0; i < LANES_GROUP; i++) {
        sine[i] = (lanes)((lanes_int)(sine[i] * rest[i]) ^ sign[i]);
        cosine[i] = (lanes)((lanes_int)cosine[i] ^ sign[i]);
    }
}

#endif
