/* The transforms of the textbook's range migration, which pads nothing: a fixed set, so that no
 * method looks good beside transforms that it inflated itself. */
#ifndef NFSAR_BENCH_TEXTBOOK_H
#define NFSAR_BENCH_TEXTBOOK_H

#include <stdbool.h>

#include <fftw3.h>

#include "bench/transforms.h"

enum { BENCH_TEXTBOOK = 3 };

/* Places along x and y, frequencies and depths of the case that is measured. */
static inline size_t bench_rma_places(bool quick) {
    return quick ? 32 : 256;
}
static inline size_t bench_rma_frequencies(bool quick) {
    return quick ? 8 : 64;
}
static inline size_t bench_rma_depths(bool quick) {
    return quick ? 16 : 128;
}

static inline void bench_textbook(bool quick, struct bench_transform transform[BENCH_TEXTBOOK]) {
    size_t n = bench_rma_places(quick), depths = bench_rma_depths(quick);
    transform[0] = (struct bench_transform){n, n, bench_rma_frequencies(quick), FFTW_FORWARD};
    transform[1] = (struct bench_transform){1, depths, n * n, FFTW_FORWARD};
    transform[2] = (struct bench_transform){n, n, depths, FFTW_BACKWARD};
}

#endif
