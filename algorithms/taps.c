#include "algorithms/taps.h"

#include <math.h>
#include <string.h>

#include <nfsar/geometry.h>

#include "algorithms/elimination.h"

enum { TERMS = TAPS_DEGREE + 1 };

/* Polynomials through Chebyshev's points, one for each weight. */
void taps_make(const struct gridding *kernel, struct taps *taps) {
    int terms = kernel->width + 2 < TERMS ? kernel->width + 2 : TERMS;
    double a[TERMS * (TERMS + GRIDDING_WIDEST)];
    int width = kernel->width, pitch = terms + width;
    memset(taps, 0, sizeof *taps);
    taps->width = width;
    taps->row = width <= TAPS_NARROW ? TAPS_NARROW : GRIDDING_WIDEST;
    taps->degree = terms - 1;
    taps->beta = kernel->beta;
    for (int i = 0; i < terms; i++) {
        double x = cos(NFSAR_PI * (i + 0.5) / terms), power = 1.0;
        for (int d = 0; d < terms; d++, power *= x) {
            a[i * pitch + d] = power;
        }
        for (int t = 0; t < width; t++) {
            double u = 0.5 * (x + 1.0) + t - 0.5 * width;
            a[i * pitch + terms + t] = gridding_value(2.0 * u / width, kernel->beta);
        }
    }
    eliminate((size_t)terms, (size_t)width, (size_t)pitch, a, a + terms);
    for (int d = 0; d < terms; d++) {
        for (int t = 0; t < width; t++) {
            taps->c[d][t] = (float)a[d * pitch + terms + t];
        }
    }
}
