/* nfsar bench: how fast this machine images, as ratios that were measured together. */
#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"
#include "host/cli/verbs.h"

#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"

enum { MOST_SUBJECTS = 16 };

/* "memory, sgemm, ..." */
static void list_subjects(char *text, size_t size) {
    size_t used = 0;
    text[0] = '\0';
    for (const struct bench_subject *s = bench_subjects; s->name != NULL && used < size; s++) {
        used += (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "", s->name);
    }
}

static bool chosen(const struct bench_subject *s, const char **subject, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (strcmp(subject[i], s->name) == 0) {
            return true;
        }
    }
    return n == 0 && !s->by_name;
}

static enum nfsar_status run_subjects(struct bench *bench, const char **subject, size_t n,
                                      bool print, nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    for (const struct bench_subject *s = bench_subjects; status == NFSAR_OK && s->name != NULL;
         s++) {
        size_t row = bench->n_row, ratio = bench->n_ratio;
        if (!chosen(s, subject, n)) {
            continue;
        }
        bench->subject = s->name;
        bench->progress = cli_progress(s->name);
        status = s->run(bench, error);
        cli_progress_end();
        if (status == NFSAR_OK && print) {
            bench_print_results(stdout, bench, row, ratio);
        } else if (status != NFSAR_OK) {
            nfsar_fail_in(error, status, "%s", s->name);
        }
    }
    return status;
}

static int run(struct bench *bench, const char **subject, size_t n, bool json) {
    nfsar_error error;
    struct bench_machine machine;
    bench_machine_begin(&machine);
    if (!json) {
        bench_print_machine(stdout, bench, &machine);
    }
    enum nfsar_status status = run_subjects(bench, subject, n, !json, &error);
    if (status != NFSAR_OK) {
        return cli_fail(&error);
    }
    bench_machine_end(&machine);
    if (json) {
        return print_object(bench_json(bench, &machine));
    }
    bench_print_end(stdout, &machine);
    return CLI_DONE;
}

int verb_bench(int argc, char **argv) {
    const char *subject[MOST_SUBJECTS], *kernel = "auto";
    struct bench bench = {0};
    bool json = false;
    size_t n = 0;
    int exit_status = CLI_DONE;
    char subjects[256], usage[320];
    const struct cli_option options[] = {
        {"quick", 0, CLI_FLAG, &bench.quick, NULL, NULL,
         "small sizes: shows that it works, not how fast"},
        {"kernel", 0, CLI_STRING, &kernel, NULL, "K",
         "only this one: portable, avx2 or avx512; each that runs here by default"},
        {"output", 'o', CLI_STRING, &bench.output, NULL, "FOLDER",
         "papers: put the tables into FOLDER/results.md, the pictures into FOLDER/pictures"},
        {"json", 0, CLI_FLAG, &json, NULL, NULL, "one JSON object, times in seconds"},
        {0},
    };
    list_subjects(subjects, sizeof subjects);
    snprintf(usage, sizeof usage, "[SUBJECT ...] [options]   subjects: %s", subjects);
    if (!cli_parse_some("bench", usage, options, MOST_SUBJECTS, subject, &n, argc, argv,
                        &exit_status)) {
        return exit_status;
    }
    for (size_t i = 0; i < n; i++) {
        if (bench_subject_find(subject[i]) == NULL) {
            return cli_usage("bench", "there is no subject '%s'; known are %s", subject[i],
                             subjects);
        }
    }
    nfsar_error error;
    enum nfsar_kernel unused;
    if (nfsar_kernel_parse(kernel, &bench.kernel, &error) != NFSAR_OK ||
        nfsar_kernel_choose(bench.kernel, &unused, &error) != NFSAR_OK) {
        return cli_fail(&error);
    }
    use_threads();
    bench.threads = cli_threads() > 0 ? cli_threads() : omp_get_num_procs();
    exit_status = run(&bench, subject, n, json);
    bench_free(&bench);
    return exit_status;
}
