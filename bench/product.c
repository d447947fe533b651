#include "bench/product.h"

#include <math.h>
#include <stdlib.h>

enum nfsar_status bench_product_make(const struct bench *bench, struct bench_product *product,
                                     nfsar_error *error) {
    *product = (struct bench_product){.n = bench->quick ? 128 : 1024};
    if (!openblas_open(&product->blas)) {
        return nfsar_fail(error, NFSAR_ERROR_FILE,
                          "libopenblas.so.0 cannot be loaded: install libopenblas0");
    }
    const size_t count = (size_t)product->n * (size_t)product->n;
    product->a = aligned_alloc(64, count * sizeof(float));
    product->b = aligned_alloc(64, count * sizeof(float));
    product->c = aligned_alloc(64, count * sizeof(float));
    if (product->a == NULL || product->b == NULL || product->c == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        product->a[i] = (float)(i % 7) - 3.0f;
        product->b[i] = (float)(i % 5) - 2.0f;
    }
    return NFSAR_OK;
}

void bench_product_free(struct bench_product *product) {
    free(product->a);
    free(product->b);
    free(product->c);
}

static enum nfsar_status run(void *context, nfsar_error *error) {
    const struct bench_product_team *team = context;
    const struct bench_product *p = team->product;
    (void)error;
    p->blas.set_threads(team->threads);
    p->blas.sgemm(OPENBLAS_ROW_MAJOR, OPENBLAS_NO_TRANSPOSE, OPENBLAS_NO_TRANSPOSE, p->n, p->n,
                  p->n, 1.0f, p->a, p->n, p->b, p->n, 0.0f, p->c, p->n);
    return NFSAR_OK;
}

struct bench_lane bench_product_lane(struct bench *bench, const struct bench_product *product,
                                     int threads, struct bench_product_team *team) {
    struct bench_row row = {.threads = threads, .unit = "GFLOP", .error_db = NAN};
    row.work = 2e-9 * pow(product->n, 3.0);
    snprintf(row.name, sizeof row.name, "sgemm");
    snprintf(row.size, sizeof row.size, "%d^3", product->n);
    snprintf(row.kernel, sizeof row.kernel, "%s", product->blas.corename());
    *team = (struct bench_product_team){product, threads};
    return (struct bench_lane){bench_row_add(bench, &row), run, team};
}
