#include "bench/bench.h"

#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A race ends when each lane had this long, or all repeat this well. */
#define SECONDS_A_LANE 0.5
#define GOOD_SPREAD    0.01

/* A first round of so many times that is the only one. */
#define LONG 10.0

/* The shortest time that is worth reading the clock for. */
#define SHORTEST 2e-3

enum { FEWEST_ROUNDS = 3, ROUNDS_FOR_SPREAD = 7, MOST_ROUNDS = 101 };

double bench_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double bench_processor_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

size_t bench_allocated(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

size_t bench_thread_counts(const struct bench *bench, int count[2]) {
    count[0] = 1;
    count[1] = bench->threads;
    return bench->threads > 1 ? 2 : 1;
}

size_t bench_kernels(const struct bench *bench, enum nfsar_kernel kernel[BENCH_KERNELS]) {
    const enum nfsar_kernel all[BENCH_KERNELS] = {NFSAR_KERNEL_PORTABLE, NFSAR_KERNEL_AVX2,
                                                  NFSAR_KERNEL_AVX512};
    size_t n = 0;
    for (size_t i = 0; i < BENCH_KERNELS; i++) {
        if ((bench->kernel == NFSAR_KERNEL_AUTO || bench->kernel == all[i]) &&
            nfsar_kernel_available(all[i])) {
            kernel[n++] = all[i];
        }
    }
    return n;
}

enum nfsar_kernel bench_best_kernel(const struct bench *bench) {
    enum nfsar_kernel kernel[BENCH_KERNELS];
    return kernel[bench_kernels(bench, kernel) - 1];
}

/* How often a lane runs in a round, and what its rounds took. */
struct timing {
    size_t loops;
    double seconds[MOST_ROUNDS]; /* of one run */
    double processor;            /* seconds of processor time of all rounds */
};

static enum nfsar_status time_lane(const struct bench_lane *lane, struct timing *timing,
                                   size_t round, nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    double start = bench_clock(), processor = bench_processor_clock();
    for (size_t i = 0; status == NFSAR_OK && i < timing->loops; i++) {
        status = lane->run(lane->context, error);
    }
    timing->processor += bench_processor_clock() - processor;
    timing->seconds[round] = (bench_clock() - start) / (double)timing->loops;
    return status;
}

/* All rounds of every lane are alike. */
static bool steady(const struct timing *timing, size_t n, size_t rounds) {
    double sorted[MOST_ROUNDS];
    for (size_t i = 0; i < n; i++) {
        memcpy(sorted, timing[i].seconds, rounds * sizeof *sorted);
        struct bench_statistics statistics = bench_statistics_of(sorted, rounds);
        if (bench_spread(&statistics) > GOOD_SPREAD) {
            return false;
        }
    }
    return true;
}

/* Run every lane once; the answer is how many rounds that counts for. */
static enum nfsar_status warm_up(const struct bench *bench, const struct bench_lane *lane, size_t n,
                                 struct timing *timing, double budget, size_t *rounds,
                                 nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    double start = bench_clock();
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        timing[i] = (struct timing){.loops = 1};
        status = time_lane(&lane[i], &timing[i], 0, error);
    }
    /* Runs that took that long had no cold start to speak of. */
    *rounds = !bench->quick && bench_clock() > start + budget ? 1 : 0;
    for (size_t i = 0; *rounds == 0 && i < n; i++) {
        double once = fmax(timing[i].seconds[0], 1e-6);
        timing[i].loops = bench->quick || once >= SHORTEST ? 1 : (size_t)ceil(SHORTEST / once);
        timing[i].processor = 0.0;
    }
    return status;
}

static enum nfsar_status run_rounds(const struct bench *bench, const struct bench_lane *lane,
                                    size_t n, struct timing *timing, size_t *rounds,
                                    nfsar_error *error) {
    double budget = bench->quick ? 0.0 : SECONDS_A_LANE * (double)n;
    size_t done = 0;
    double start = bench_clock();
    enum nfsar_status status = warm_up(bench, lane, n, timing, budget, &done, error);
    bool enough = done > 0 && bench_clock() > start + LONG * budget;
    size_t fewest = enough ? done : FEWEST_ROUNDS;
    budget = enough ? 0.0 : budget;
    start = bench_clock();
    while (status == NFSAR_OK && done < MOST_ROUNDS &&
           (done < fewest || bench_clock() < start + budget) &&
           (done < ROUNDS_FOR_SPREAD || !steady(timing, n, done))) {
        for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
            /* There and back: no lane always follows the same other one. */
            size_t at = done % 2 == 0 ? i : n - 1 - i;
            status = time_lane(&lane[at], &timing[at], done, error);
        }
        done++;
        (void)nfsar_progress_report(bench->progress, (bench_clock() - start) / fmax(budget, 1e-3));
    }
    *rounds = done;
    return status;
}

static enum nfsar_status keep(struct bench *bench, const struct bench_lane *lane,
                              struct timing *timing, size_t rounds, nfsar_error *error) {
    struct bench_row *row = &bench->row[lane->row];
    double sum = 0.0;
    row->round = malloc(rounds * sizeof *row->round);
    if (row->round == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < rounds; i++) {
        row->round[i] = timing->seconds[i];
        sum += timing->seconds[i] * (double)timing->loops;
    }
    row->busy = timing->processor / sum / (double)row->threads;
    row->seconds = bench_statistics_of(timing->seconds, rounds);
    row->race = bench->n_race;
    return NFSAR_OK;
}

enum nfsar_status bench_race(struct bench *bench, const struct bench_lane *lane, size_t n,
                             nfsar_error *error) {
    struct timing *timing = malloc(n * sizeof *timing);
    size_t rounds = 0;
    enum nfsar_status status = NFSAR_OK;
    if (bench->out_of_memory || timing == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    if (status == NFSAR_OK) {
        status = run_rounds(bench, lane, n, timing, &rounds, error);
    }
    bench->n_race++;
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        status = keep(bench, &lane[i], &timing[i], rounds, error);
    }
    free(timing);
    return status;
}
