/* Yardstick: bare transforms of FFTW, single precision, complex, contiguous, in place, planned by
 * measuring. */
#ifndef NFSAR_BENCH_TRANSFORMS_H
#define NFSAR_BENCH_TRANSFORMS_H

#include <stddef.h>

#include <nfsar/status.h>

/* `count` transforms of `length` numbers each, or of rows x length when rows > 1. */
struct bench_transform {
    size_t rows, length;
    size_t count;
    int sign; /* FFTW_FORWARD or FFTW_BACKWARD */
};

typedef struct bench_transforms bench_transforms;

/* Prepare to execute all transforms of a list, one entry after the other, each entry's transforms
 * shared among the threads. They run through fresh memory as an algorithm's would: each entry over
 * an array of all its transforms, or 256 MiB of it where it has more. */
enum nfsar_status bench_transforms_create(const struct bench_transform *list, size_t n, int threads,
                                          bench_transforms **transforms, nfsar_error *error);
/* A bench_lane's function; the context is a bench_transforms. */
enum nfsar_status bench_transforms_run(void *context, nfsar_error *error);
/* 5 N log2 N operations for each transform of N numbers, in units of 1e9. */
double bench_transforms_gflop(const struct bench_transform *list, size_t n);
void bench_transforms_destroy(bench_transforms *transforms);

#endif
