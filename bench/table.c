/* What was measured, as a table for people. */
#include "bench/bench.h"

#include <math.h>
#include <string.h>

void bench_print_machine(FILE *stream, const struct bench *bench,
                         const struct bench_machine *machine) {
    fprintf(stream, "processor   %s, %d processor%s, %.1f GiB\n", machine->processor,
            machine->processors, machine->processors > 1 ? "s" : "", machine->memory_gib);
    fprintf(stream, "            %s\n", machine->instructions);
    fprintf(stream, "software    %s\n", machine->build);
    fprintf(stream, "            %s; %s\n", machine->fftw, machine->openblas);
    if (machine->coretype[0] != '\0') {
        fprintf(stream,
                "            OPENBLAS_CORETYPE=%s in the environment chooses OpenBLAS's kernels\n",
                machine->coretype);
    }
    fprintf(stream, "run         %s, up to %d thread%s, kernel %s\n",
            bench->quick ? "quick: small sizes, whose numbers mean little" : "full sizes",
            bench->threads, bench->threads > 1 ? "s" : "",
            bench->kernel == NFSAR_KERNEL_AUTO ? "each that runs here"
                                               : nfsar_kernel_name(bench->kernel));
}

/* "12.3 ms" */
static const char *duration(double seconds, char text[16]) {
    const char *unit = seconds < 1e-3 ? "us" : seconds < 1.0 ? "ms" : "s";
    double value = seconds * (seconds < 1e-3 ? 1e6 : seconds < 1.0 ? 1e3 : 1.0);
    snprintf(text, 16, "%.*f %s", value < 10.0 ? 2 : value < 100.0 ? 1 : 0, value, unit);
    return text;
}

static void print_row(FILE *stream, const struct bench_row *row) {
    char time[16], rate[48], error_db[16] = "";
    snprintf(rate, sizeof rate, "%.3g %s/s", bench_row_rate(row), row->unit);
    if (isfinite(row->error_db)) {
        snprintf(error_db, sizeof error_db, "%.0f dB", row->error_db);
    }
    fprintf(stream, "  %-34s %-30s %-8s %3d %8s %5.1f %% %4.0f %% %18s %7s\n", row->name, row->size,
            row->kernel, row->threads, duration(row->seconds.median, time),
            100.0 * bench_spread(&row->seconds), 100.0 * row->busy, rate, error_db);
}

static const char *goal_text(const struct bench_ratio *ratio, char text[32]) {
    bool least = ratio->goal.at_least > 0.0;
    double goal = least ? ratio->goal.at_least : ratio->goal.at_most;
    bool met = least ? ratio->value >= goal : ratio->value <= goal;
    text[0] = '\0';
    if (goal > 0.0) {
        snprintf(text, 32, "at %s %.3g%s", least ? "least" : "most", goal, met ? "" : ": missed");
    }
    return text;
}

static void print_ratio(FILE *stream, const struct bench_ratio *ratio) {
    char goal[32], range[40] = "";
    if (isfinite(ratio->low)) {
        snprintf(range, sizeof range, "%.3g .. %.3g", ratio->low, ratio->high);
    }
    fprintf(stream, "  %-65s %8.3g  %-16s %s\n", ratio->name, ratio->value, range,
            goal_text(ratio, goal));
}

void bench_print_results(FILE *stream, const struct bench *bench, size_t first_row,
                         size_t first_ratio) {
    const struct bench_subject *subject = bench_subject_find(bench->row[first_row].subject);
    fprintf(stream, "\n%s: %s\n", subject->name, subject->summary);
    fprintf(stream, "  %-34s %-30s %-8s %3s %8s %7s %6s %18s %7s\n", "what", "size", "kernel",
            "thr", "median", "spread", "busy", "rate", "error");
    for (size_t i = first_row; i < bench->n_row; i++) {
        print_row(stream, &bench->row[i]);
    }
    if (first_ratio < bench->n_ratio) {
        fprintf(stream, "  %-65s %8s  %-16s %s\n", "ratio", "", "over the rounds", "goal");
    }
    for (size_t i = first_ratio; i < bench->n_ratio; i++) {
        print_ratio(stream, &bench->ratio[i]);
    }
    fflush(stream);
}

void bench_print_end(FILE *stream, const struct bench_machine *machine) {
    if (isfinite(machine->others)) {
        fprintf(stream, "\nOther processes took %.0f %% of the machine meanwhile%s.\n",
                100.0 * machine->others,
                machine->others > 0.1 ? ": ratios of several threads to one are too low" : "");
    }
}
