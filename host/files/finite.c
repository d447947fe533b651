#include "host/files/finite.h"

#include <stdint.h>
#include <string.h>

#include "algorithms/multiversion.h"

/* Samples looked at before it is asked whether all were good. */
#define BLOCK ((size_t)1 << 14)

/* All bits of the exponent are set in what is infinite or no number. */
#define EXPONENT UINT32_C(0x7f800000)

MULTIVERSION
bool all_finite(const float complex *sample, size_t n) {
    const float *part = (const float *)sample;
    uint32_t bad = 0;
    for (size_t i = 0; i < 2 * n; i++) {
        uint32_t bits;
        memcpy(&bits, &part[i], sizeof bits);
        bad |= (bits & EXPONENT) == EXPONENT;
    }
    return bad == 0;
}

size_t first_infinite(const float complex *sample, size_t n) {
    size_t i = 0;
    while (i + BLOCK <= n && all_finite(sample + i, BLOCK)) {
        i += BLOCK;
    }
    while (i < n && all_finite(sample + i, 1)) {
        i++;
    }
    return i;
}
