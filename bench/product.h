/* OpenBLAS's matrix product as a lane of a race. */
#ifndef NFSAR_BENCH_PRODUCT_H
#define NFSAR_BENCH_PRODUCT_H

#include "bench/bench.h"
#include "bench/openblas.h"

/* n x n matrices. */
struct bench_product {
    int n;
    float *a, *b, *c;
    struct openblas blas;
};

/* 1024^3, or less for bench->quick. Free what was made, also after an error. */
enum nfsar_status bench_product_make(const struct bench *bench, struct bench_product *product,
                                     nfsar_error *error);
void bench_product_free(struct bench_product *product);

/* A product on so many threads; it must live as long as the race. */
struct bench_product_team {
    const struct bench_product *product;
    int threads;
};

/* Add the row. */
struct bench_lane bench_product_lane(struct bench *bench, const struct bench_product *product,
                                     int threads, struct bench_product_team *team);

#endif
