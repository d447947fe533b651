/* Yardstick: the transforms that any migration of 256 x 256 places, 64 frequencies and 128 depths
 * has to make: without padding, each once. */
#include "bench/bench.h"
#include "bench/subjects.h"
#include "bench/textbook.h"

#include <math.h>

static enum nfsar_status race(struct bench *bench, const struct bench_transform *transform,
                              const char *name, nfsar_error *error) {
    bench_transforms *context[2] = {0};
    struct bench_lane lane[2];
    int threads[2];
    size_t n = bench_thread_counts(bench, threads);
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        struct bench_row row = {.threads = threads[i],
                                .work = bench_transforms_gflop(transform, 1),
                                .unit = "GFLOP",
                                .error_db = NAN};
        snprintf(row.name, sizeof row.name, "%s", name);
        if (transform->rows > 1) {
            snprintf(row.size, sizeof row.size, "%zu x (%zu x %zu)", transform->count,
                     transform->rows, transform->length);
        } else {
            snprintf(row.size, sizeof row.size, "%zu x %zu", transform->count, transform->length);
        }
        status = bench_transforms_create(transform, 1, threads[i], &context[i], error);
        lane[i] = (struct bench_lane){bench_row_add(bench, &row), bench_transforms_run, context[i]};
    }
    if (status == NFSAR_OK) {
        status = bench_race(bench, lane, n, error);
    }
    if (status == NFSAR_OK && n > 1) {
        char text[80];
        snprintf(text, sizeof text, "%s, threads / 1 thread", name);
        bench_ratio_rates(bench, text, lane[1].row, lane[0].row, (struct bench_goal){0});
    }
    bench_transforms_destroy(context[0]);
    bench_transforms_destroy(context[1]);
    return status;
}

enum nfsar_status bench_fftw(struct bench *bench, nfsar_error *error) {
    static const char *const names[BENCH_TEXTBOOK] = {
        "forward, of each frequency", "of each wave, over frequency", "backward, of each depth"};
    struct bench_transform transform[BENCH_TEXTBOOK];
    bench_textbook(bench->quick, transform);
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < BENCH_TEXTBOOK; i++) {
        status = race(bench, &transform[i], names[i], error);
    }
    return status;
}
