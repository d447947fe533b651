/* exp(2 pi j t) in single precision, written so that compilers vectorise it. */
#ifndef NFSAR_ALGORITHMS_PHASOR_H
#define NFSAR_ALGORITHMS_PHASOR_H

/* Cosine and sine of 2 pi turns for |turns| <= 1/2, to about 1e-7: Taylor series of half the
 * angle, which stays within +-pi/2 where the first term left out is below 6e-8, then doubled. */
static inline void phasor_turns(float turns, float *cosine, float *sine) {
    float x = 3.14159265358979f * turns, y = x * x;
    float s =
        x * (1.0f +
             y * (-1.0f / 6.0f +
                  y * (1.0f / 120.0f + y * (-1.0f / 5040.0f +
                                            y * (1.0f / 362880.0f + y * (-1.0f / 39916800.0f))))));
    float c =
        1.0f + y * (-0.5f + y * (1.0f / 24.0f +
                                 y * (-1.0f / 720.0f +
                                      y * (1.0f / 40320.0f +
                                           y * (-1.0f / 3628800.0f + y * (1.0f / 479001600.0f))))));
    *cosine = 1.0f - 2.0f * s * s;
    *sine = 2.0f * s * c;
}

#endif
