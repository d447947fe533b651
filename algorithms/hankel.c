#include "algorithms/hankel.h"

#include <math.h>

#define LARGEST 1e30

void hankel_orders(double x, size_t count, double complex *out) {
    /* J and Y of two orders in a row. */
    double j_low = j0(x), j_high = j1(x), y_low = y0(x), y_high = y1(x);
    for (size_t n = 0; n < count; n++) {
        /* H = J - jY; a power of -j turns it by quarters. */
        double re = j_low, im = -y_low;
        switch (n % 4) {
        case 0:
            out[n] = CMPLX(re, im);
            break;
        case 1:
            out[n] = CMPLX(im, -re);
            break;
        case 2:
            out[n] = CMPLX(-re, -im);
            break;
        default:
            out[n] = CMPLX(-im, re);
            break;
        }
        if (!(fabs(y_low) < LARGEST)) {
            for (; n < count; n++) {
                out[n] = 0.0;
            }
            return;
        }
        double up = 2.0 * (double)(n + 1) / x, j_next = up * j_high - j_low,
               y_next = up * y_high - y_low;
        j_low = j_high;
        j_high = j_next;
        y_low = y_high;
        y_high = y_next;
    }
}
