/* What was measured, as one JSON object. */
#include "bench/bench.h"

#include <math.h>

static json_t *number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *machine_json(const struct bench_machine *machine) {
    return json_pack("{s:s, s:s, s:i, s:f, s:s, s:s, s:s, s:s?, s:o}", "processor",
                     machine->processor, "instructions", machine->instructions, "processors",
                     machine->processors, "memory_gib", machine->memory_gib, "build",
                     machine->build, "fftw", machine->fftw, "openblas", machine->openblas,
                     "openblas_coretype", machine->coretype[0] != '\0' ? machine->coretype : NULL,
                     "others_share", number(machine->others));
}

static json_t *row_json(const struct bench_row *row) {
    const struct bench_statistics *s = &row->seconds;
    return json_pack("{s:s, s:s, s:s, s:s?, s:i, s:{s:f, s:f, s:f, s:f, s:f, s:f, s:I}, s:f, s:f, "
                     "s:s, s:f, s:o}",
                     "subject", row->subject, "name", row->name, "size", row->size, "kernel",
                     row->kernel[0] != '\0' ? row->kernel : NULL, "threads", row->threads,
                     "seconds", "median", s->median, "low", s->low, "high", s->high, "min", s->min,
                     "max", s->max, "spread", bench_spread(s), "rounds", (json_int_t)s->n, "busy",
                     row->busy, "work", row->work, "unit", row->unit, "rate", bench_row_rate(row),
                     "error_db", number(row->error_db));
}

static json_t *goal_json(const struct bench_goal *goal) {
    return goal->at_least > 0.0  ? json_pack("{s:f}", "at_least", goal->at_least)
           : goal->at_most > 0.0 ? json_pack("{s:f}", "at_most", goal->at_most)
                                 : json_null();
}

static json_t *ratio_json(const struct bench_ratio *ratio) {
    return json_pack("{s:s, s:s, s:s, s:f, s:f, s:f, s:o, s:o, s:o}", "subject", ratio->subject,
                     "name", ratio->name, "unit", ratio->unit, "of", ratio->of, "to", ratio->to,
                     "value", ratio->value, "low", number(ratio->low), "high", number(ratio->high),
                     "goal", goal_json(&ratio->goal));
}

json_t *bench_json(const struct bench *bench, const struct bench_machine *machine) {
    json_t *rows = json_array(), *ratios = json_array();
    for (size_t i = 0; i < bench->n_row; i++) {
        json_array_append_new(rows, row_json(&bench->row[i]));
    }
    for (size_t i = 0; i < bench->n_ratio; i++) {
        json_array_append_new(ratios, ratio_json(&bench->ratio[i]));
    }
    return json_pack("{s:o, s:b, s:i, s:s, s:o, s:o}", "machine", machine_json(machine), "quick",
                     (int)bench->quick, "threads", bench->threads, "kernel",
                     nfsar_kernel_name(bench->kernel), "rows", rows, "ratios", ratios);
}
