#include "bench/bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

size_t bench_row_add(struct bench *bench, const struct bench_row *row) {
    struct bench_row *rows = realloc(bench->row, (bench->n_row + 1) * sizeof *rows);
    if (rows == NULL) {
        bench->out_of_memory = true;
        return 0;
    }
    bench->row = rows;
    rows[bench->n_row] = *row;
    rows[bench->n_row].subject = bench->subject;
    return bench->n_row++;
}

double bench_row_rate(const struct bench_row *row) {
    return row->work / row->seconds.median;
}

double bench_row_processor(const struct bench_row *row) {
    double sum = 0.0;
    for (size_t i = 0; i < row->seconds.n; i++) {
        sum += row->round[i];
    }
    return row->busy * (double)row->threads * sum / (double)row->seconds.n;
}

/* Quartiles over the rounds in which both rows took their turns: what disturbed the machine for
 * longer than a turn disturbed both, and cancels. */
static void find_quartiles(struct bench_ratio *ratio, const struct bench_row *of,
                           const struct bench_row *to, double factor, bool times) {
    bool together = of->race == to->race && of->round != NULL && to->round != NULL;
    double *quotient = together ? malloc(of->seconds.n * sizeof *quotient) : NULL;
    if (quotient == NULL) {
        return;
    }
    for (size_t i = 0; i < of->seconds.n; i++) {
        quotient[i] = factor * (times ? of->round[i] / to->round[i] : to->round[i] / of->round[i]);
    }
    struct bench_statistics statistics = bench_statistics_of(quotient, of->seconds.n);
    ratio->low = statistics.low;
    ratio->high = statistics.high;
    free(quotient);
}

static struct bench_ratio *add_ratio(struct bench *bench, const char *name, const char *unit,
                                     double of, double to, struct bench_goal goal) {
    struct bench_ratio *ratios = realloc(bench->ratio, (bench->n_ratio + 1) * sizeof *ratios);
    if (ratios == NULL) {
        bench->out_of_memory = true;
        return NULL;
    }
    bench->ratio = ratios;
    struct bench_ratio *ratio = &ratios[bench->n_ratio++];
    *ratio = (struct bench_ratio){.subject = bench->subject,
                                  .of = of,
                                  .to = to,
                                  .value = of / to,
                                  .low = NAN,
                                  .high = NAN,
                                  /* Small sizes say nothing of goals. */
                                  .goal = bench->quick ? (struct bench_goal){0} : goal};
    snprintf(ratio->name, sizeof ratio->name, "%s", name);
    snprintf(ratio->unit, sizeof ratio->unit, "%s", unit);
    return ratio;
}

void bench_ratio_rates(struct bench *bench, const char *name, size_t of, size_t to,
                       struct bench_goal goal) {
    const struct bench_row *a = &bench->row[of], *b = &bench->row[to];
    char unit[24];
    snprintf(unit, sizeof unit, "%s/s", a->unit);
    struct bench_ratio *ratio =
        add_ratio(bench, name, unit, bench_row_rate(a), bench_row_rate(b), goal);
    if (ratio != NULL) {
        find_quartiles(ratio, a, b, a->work / b->work, false);
    }
}

void bench_ratio_times(struct bench *bench, const char *name, size_t of, size_t to,
                       struct bench_goal goal) {
    const struct bench_row *a = &bench->row[of], *b = &bench->row[to];
    struct bench_ratio *ratio =
        add_ratio(bench, name, "s", a->seconds.median, b->seconds.median, goal);
    if (ratio != NULL) {
        find_quartiles(ratio, a, b, 1.0, true);
    }
}

void bench_ratio_values(struct bench *bench, const char *name, const char *unit, double of,
                        double to, struct bench_goal goal) {
    (void)add_ratio(bench, name, unit, of, to, goal);
}

void bench_free(struct bench *bench) {
    for (size_t i = 0; i < bench->n_row; i++) {
        free(bench->row[i].round);
    }
    free(bench->row);
    free(bench->ratio);
    bench->row = NULL;
    bench->ratio = NULL;
    bench->n_row = bench->n_ratio = 0;
}
