#include "host/files/finite.h"

#include <math.h>

size_t first_infinite(const float complex *sample, size_t n) {
    size_t i = 0;
    while (i < n && isfinite(crealf(sample[i])) && isfinite(cimagf(sample[i]))) {
        i++;
    }
    return i;
}
