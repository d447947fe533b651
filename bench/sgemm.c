/* Yardstick: the floating-point rate of the machine as OpenBLAS reaches it. Which of its kernels
 * run is shown, for OPENBLAS_CORETYPE in the environment may have chosen them. */
#include "bench/bench.h"
#include "bench/openblas.h"
#include "bench/subjects.h"

#include <math.h>
#include <stdlib.h>

struct product {
    int n;
    float *a, *b, *c;
    int threads;
    const struct openblas *blas;
};

static enum nfsar_status run(void *context, nfsar_error *error) {
    const struct product *p = context;
    (void)error;
    p->blas->set_threads(p->threads);
    p->blas->sgemm(OPENBLAS_ROW_MAJOR, OPENBLAS_NO_TRANSPOSE, OPENBLAS_NO_TRANSPOSE, p->n, p->n,
                   p->n, 1.0f, p->a, p->n, p->b, p->n, 0.0f, p->c, p->n);
    return NFSAR_OK;
}

static enum nfsar_status race(struct bench *bench, const struct product *one, nfsar_error *error) {
    struct product context[2] = {*one, *one};
    struct bench_lane lane[2];
    int threads[2];
    size_t n = bench_thread_counts(bench, threads);
    for (size_t i = 0; i < n; i++) {
        struct bench_row row = {.threads = threads[i], .unit = "GFLOP", .error_db = NAN};
        row.work = 2e-9 * pow(one->n, 3.0);
        snprintf(row.name, sizeof row.name, "sgemm");
        snprintf(row.size, sizeof row.size, "%d^3", one->n);
        snprintf(row.kernel, sizeof row.kernel, "%s", one->blas->corename());
        context[i].threads = threads[i];
        lane[i] = (struct bench_lane){bench_row_add(bench, &row), run, &context[i]};
    }
    enum nfsar_status status = bench_race(bench, lane, n, error);
    if (status == NFSAR_OK && n > 1) {
        bench_ratio_rates(bench, "sgemm, threads / 1 thread", lane[1].row, lane[0].row,
                          (struct bench_goal){0});
    }
    return status;
}

enum nfsar_status bench_sgemm(struct bench *bench, nfsar_error *error) {
    int n = bench->quick ? 128 : 1024;
    size_t count = (size_t)n * (size_t)n;
    struct openblas blas;
    if (!openblas_open(&blas)) {
        return nfsar_fail(error, NFSAR_ERROR_FILE,
                          "libopenblas.so.0 cannot be loaded: install libopenblas0");
    }
    struct product product = {.n = n, .blas = &blas};
    product.a = aligned_alloc(64, count * sizeof(float));
    product.b = aligned_alloc(64, count * sizeof(float));
    product.c = aligned_alloc(64, count * sizeof(float));
    enum nfsar_status status = NFSAR_OK;
    if (product.a == NULL || product.b == NULL || product.c == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    } else {
        for (size_t i = 0; i < count; i++) {
            product.a[i] = (float)(i % 7) - 3.0f;
            product.b[i] = (float)(i % 5) - 2.0f;
        }
        status = race(bench, &product, error);
    }
    free(product.a);
    free(product.b);
    free(product.c);
    return status;
}
