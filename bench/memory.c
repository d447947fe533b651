/* Yardstick: how fast memory is read, and read and written. */
#include "bench/bench.h"
#include "bench/subjects.h"

#include <math.h>
#include <stdlib.h>

#include "algorithms/multiversion.h"

/* Lines are read by thousands, so that a copy of the loop for each instruction set can be called
 * from a parallel region. */
enum { PIECE = 4096 };

struct arrays {
    size_t n; /* a multiple of PIECE */
    float *a, *b, *c;
    int threads;
    float sum; /* so that reading is not left out */
};

MULTIVERSION
static float sum_piece(const float *restrict a) {
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < PIECE; i++) {
        sum += a[i];
    }
    return sum;
}

MULTIVERSION
static void triad_piece(float *restrict a, const float *restrict b, const float *restrict c,
                        float factor) {
#pragma omp simd
    for (size_t i = 0; i < PIECE; i++) {
        a[i] = b[i] + factor * c[i];
    }
}

static enum nfsar_status run_read(void *context, nfsar_error *error) {
    struct arrays *arrays = context;
    float sum = 0.0f;
    (void)error;
#pragma omp parallel for schedule(static) num_threads(arrays->threads) reduction(+ : sum)
    for (size_t i = 0; i < arrays->n; i += PIECE) {
        sum += sum_piece(arrays->a + i) + sum_piece(arrays->b + i) + sum_piece(arrays->c + i);
    }
    arrays->sum = sum;
    return NFSAR_OK;
}

static enum nfsar_status run_triad(void *context, nfsar_error *error) {
    struct arrays *arrays = context;
    (void)error;
#pragma omp parallel for schedule(static) num_threads(arrays->threads)
    for (size_t i = 0; i < arrays->n; i += PIECE) {
        triad_piece(arrays->a + i, arrays->b + i, arrays->c + i, 0.5f);
    }
    return NFSAR_OK;
}

static size_t add_row(struct bench *bench, const char *name, const struct arrays *arrays) {
    struct bench_row row = {.threads = arrays->threads, .unit = "GB", .error_db = NAN};
    row.work = 3e-9 * (double)(arrays->n * sizeof(float));
    snprintf(row.name, sizeof row.name, "%s", name);
    snprintf(row.size, sizeof row.size, "3 x %zu MiB", arrays->n * sizeof(float) >> 20);
    return bench_row_add(bench, &row);
}

static enum nfsar_status race(struct bench *bench, struct arrays *one, nfsar_error *error) {
    struct arrays context[2] = {*one, *one};
    struct bench_lane lane[4];
    int threads[2];
    size_t n = bench_thread_counts(bench, threads);
    for (size_t i = 0; i < n; i++) {
        context[i].threads = threads[i];
        lane[2 * i] =
            (struct bench_lane){add_row(bench, "read", &context[i]), run_read, &context[i]};
        lane[2 * i + 1] = (struct bench_lane){add_row(bench, "triad a = b + s c", &context[i]),
                                              run_triad, &context[i]};
    }
    enum nfsar_status status = bench_race(bench, lane, 2 * n, error);
    if (status == NFSAR_OK && n > 1) {
        const struct bench_goal none = {0};
        bench_ratio_rates(bench, "read, threads / 1 thread", lane[2].row, lane[0].row, none);
        bench_ratio_rates(bench, "triad, threads / 1 thread", lane[3].row, lane[1].row, none);
    }
    return status;
}

enum nfsar_status bench_memory(struct bench *bench, nfsar_error *error) {
    /* Far beyond the caches. */
    size_t bytes = (size_t)(bench->quick ? 1 : 128) << 20;
    struct arrays arrays = {.n = bytes / sizeof(float)};
    arrays.a = aligned_alloc(64, bytes);
    arrays.b = aligned_alloc(64, bytes);
    arrays.c = aligned_alloc(64, bytes);
    enum nfsar_status status = NFSAR_OK;
    if (arrays.a == NULL || arrays.b == NULL || arrays.c == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    } else {
        for (size_t i = 0; i < arrays.n; i++) {
            arrays.a[i] = arrays.b[i] = arrays.c[i] = 1.0f;
        }
        status = race(bench, &arrays, error);
    }
    free(arrays.a);
    free(arrays.b);
    free(arrays.c);
    return status;
}
