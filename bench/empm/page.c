/* The tables of docs/results.md. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "bench/empm/papers.h"
#include "bench/page.h"

static double seconds(const struct papers *papers, const struct papers_result *result) {
    return result->times * bench_row_processor(&papers->bench->row[result->row]);
}

static void print_result(FILE *page, const struct papers *papers,
                         const struct papers_result *result, bool first) {
    const nfsar_image_metrics *m = &result->metrics;
    fprintf(page, "| %s | %s |", first ? result->experiment : "",
            papers_method_name(result->method));
    if (result->refused[0] != '\0') {
        fprintf(page, " refused: %s | | | | | | | | |\n", result->refused);
        return;
    }
    bench_page_time(page, seconds(papers, result));
    bench_page_time(page, result->plan_seconds);
    bench_page_number(page, 0x1p-20 * (double)result->bytes, " MiB");
    if (result->compared && result->method != PAPERS_BP) {
        fprintf(page, " %.4f | %.4f |", result->comparison.complex_correlation,
                result->comparison.relative_error);
    } else {
        fputs(" 1 | 0 |", page);
    }
    bench_page_number(page, result->point ? 1e3 * m->width_m[1] : (double)NAN, " mm");
    bench_page_number(page, result->point ? 1e3 * m->width_m[2] : (double)NAN, " mm");
    bench_page_number(page, result->point ? m->pslr_db[1] : (double)NAN, " dB");
    /* Of some slices of a volume it is another thing. */
    if (result->times > 1.0) {
        fputs(" – |\n", page);
    } else {
        fprintf(page, " %.2f |\n", m->entropy);
    }
}

static void print_results(FILE *page, const struct papers *papers) {
    fputs("| experiment | method | time | plan | memory of the plan | correlation with `bp` | "
          "relative error | width y | width z | side lobe y | entropy |\n"
          "|---|---|---|---|---|---|---|---|---|---|---|\n",
          page);
    for (size_t i = 0; i < papers->n_result; i++) {
        const struct papers_result *result = &papers->result[i];
        bool first = i == 0 || strcmp(result->experiment, result[-1].experiment) != 0;
        print_result(page, papers, result, first);
    }
}

/* Numbers of Table 1 and section V of the paper, in seconds. */
static void print_papers_own(FILE *page, const struct papers *papers) {
    static const struct {
        const char *name, *experiment;
        double bp, rma, empm;
    } own[] = {{"21 points", "21 points", 296.3, 0.029, 0.030},
               {"cut-out, slice", "cut-out, slice", 1324.8, 1.1, 1.1},
               {"cut-out, volume", "cut-out, volume", 339159.2, 4.8, 4.8}};
    fputs("| time | paper: BPA | RMA | EMPM | here: `bp` | `rma` | `empm` | `nurma` |\n"
          "|---|---|---|---|---|---|---|---|\n",
          page);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        double here[4] = {NAN, NAN, NAN, NAN};
        for (size_t r = 0; r < papers->n_result; r++) {
            const struct papers_result *result = &papers->result[r];
            static const int column[] = {0, 1, 1, 2, 3};
            if (strcmp(result->experiment, own[i].experiment) == 0 && result->refused[0] == '\0') {
                here[column[result->method]] = seconds(papers, result);
            }
        }
        fprintf(page, "| %s | %.1f s | %.3g s | %.3g s |", own[i].name, own[i].bp, own[i].rma,
                own[i].empm);
        for (int c = 0; c < 4; c++) {
            bench_page_number(page, here[c], " s");
        }
        fputc('\n', page);
    }
}

static void print_growth(FILE *page, const struct papers *papers) {
    fputs("| varied | from | to | method | time, least | time, most | exponent | worst step over N "
          "log N |\n|---|---|---|---|---|---|---|---|\n",
          page);
    for (size_t i = 0; i < papers->n_growth; i++) {
        const struct papers_growth *growth = &papers->growth[i];
        size_t last = growth->n;
        while (last > 0 && growth->row[last - 1] == SIZE_MAX) {
            last--;
        }
        if (last == 0) {
            continue;
        }
        fprintf(page, "| %s | %.0f | %.0f | %s |", growth->variable, growth->size[0],
                growth->size[last - 1], papers_method_name(growth->method));
        bench_page_time(page, papers_growth_seconds(papers, growth, 0));
        bench_page_time(page, papers_growth_seconds(papers, growth, last - 1));
        fprintf(page, " %.2f | %.2f |\n", papers_growth_exponent(papers, growth),
                papers_growth_worst(papers, growth));
    }
}

static void print_section(FILE *page, const void *context) {
    const struct papers *papers = context;
    bench_page_machine(page, papers->bench, &papers->machine);
    print_results(page, papers);
    fputs("\n![point](pictures/papers-point.png)\n\n![21 points](pictures/papers-letters.png)\n\n"
          "![cut-out](pictures/papers-cutout.png)\n\n",
          page);
    fputs("The papers' own times, on another machine (MATLAB, Ryzen 9 3900X with 12 cores, images "
          "of unstated size), beside these:\n\n",
          page);
    print_papers_own(page, papers);
    fputs("\nTime of one image as one size grows, the others held:\n\n", page);
    print_growth(page, papers);
    fputs("\n![samples](pictures/papers-samples.png)\n\n![frequencies]"
          "(pictures/papers-frequencies.png)\n\n![voxels](pictures/papers-voxels.png)\n\n",
          page);
}

enum nfsar_status papers_page_write(const struct papers *papers, nfsar_error *error) {
    return bench_page_replace(papers->folder, "papers", print_section, papers, error);
}
