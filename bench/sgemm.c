/* Yardstick: the floating-point rate of the machine as OpenBLAS reaches it. Which of its kernels
 * run is shown, for OPENBLAS_CORETYPE in the environment may have chosen them. */
#include "bench/product.h"
#include "bench/subjects.h"

static enum nfsar_status race(struct bench *bench, const struct bench_product *product,
                              nfsar_error *error) {
    struct bench_product_team team[2];
    struct bench_lane lane[2];
    int threads[2];
    size_t n = bench_thread_counts(bench, threads);
    for (size_t i = 0; i < n; i++) {
        lane[i] = bench_product_lane(bench, product, threads[i], &team[i]);
    }
    enum nfsar_status status = bench_race(bench, lane, n, error);
    if (status == NFSAR_OK && n > 1) {
        bench_ratio_rates(bench, "sgemm, threads / 1 thread", lane[1].row, lane[0].row,
                          (struct bench_goal){0});
    }
    return status;
}

enum nfsar_status bench_sgemm(struct bench *bench, nfsar_error *error) {
    struct bench_product product;
    enum nfsar_status status = bench_product_make(bench, &product, error);
    if (status == NFSAR_OK) {
        status = race(bench, &product, error);
    }
    bench_product_free(&product);
    return status;
}
