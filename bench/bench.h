/* nfsar bench: what is timed, how it is timed, and where the results go.
 *
 * A subject (bp, rma, reading, ...) is one file with one function that is listed in subjects.c. It
 * adds rows, times them against each other in races, and adds the ratios that matter. */
#ifndef NFSAR_BENCH_BENCH_H
#define NFSAR_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

#include <nfsar/kernel.h>
#include <nfsar/progress.h>
#include <nfsar/status.h>

#include "bench/statistics.h"

/* One thing that is timed. Text is copied; empty where it does not apply. */
struct bench_row {
    const char *subject; /* set by bench_row_add() */
    char name[48];
    char size[56];
    char kernel[16];
    int threads;
    double work;      /* done by one run, in units */
    const char *unit; /* such as "G updates"; the rate is in units a second */
    double error_db;  /* largest error below the peak, against the exact sum; NAN: not measured */

    struct bench_statistics seconds; /* of one run */
    double busy;   /* processor time of the rounds over their time and threads: below 1 where the
                      machine was taken away, or the disk was waited for */
    size_t race;   /* rows of one race took turns */
    double *round; /* [seconds.n] seconds of one run in each round */
};

/* What the project has set itself for a ratio; 0 where there is nothing. */
struct bench_goal {
    double at_least, at_most;
};

/* A quotient of two numbers of this run. */
struct bench_ratio {
    const char *subject;
    char name[80];
    char unit[24]; /* of both numbers */
    double of, to; /* value = of / to */
    double value;
    double low, high; /* quartiles of the quotient over the rounds of a race; NAN without one */
    struct bench_goal goal;
};

/* A run of the benchmark. */
struct bench {
    bool quick;               /* small sizes: to see that it works, not how fast */
    int threads;              /* of the rows with several threads; 1: there are none */
    enum nfsar_kernel kernel; /* only this one; auto: every kernel that the machine can run */
    const nfsar_progress *progress;
    const char *output; /* folder for the pages and pictures of subjects that make some, or NULL */

    const char *subject; /* that runs now */
    struct bench_row *row;
    size_t n_row;
    struct bench_ratio *ratio;
    size_t n_ratio;
    size_t n_race;
    bool out_of_memory; /* a row or ratio had no room; told by the next race */
};

/* A row that takes part in a race. */
struct bench_lane {
    size_t row; /* from bench_row_add() */
    enum nfsar_status (*run)(void *context, nfsar_error *error);
    void *context;
};

/* A subject: adds rows and ratios. */
struct bench_subject {
    const char *name;
    const char *summary;
    enum nfsar_status (*run)(struct bench *bench, nfsar_error *error);
    bool by_name; /* takes minutes: runs only when it is named */
};

/* Every subject, ended by a NULL name; and one by its name, or NULL. */
extern const struct bench_subject bench_subjects[];
const struct bench_subject *bench_subject_find(const char *name);

/* Add a row or ratio; the answer is the row's index. */
size_t bench_row_add(struct bench *bench, const struct bench_row *row);
/* Work done in a second. */
double bench_row_rate(const struct bench_row *row);
/* How many times as fast row `of` does its work as row `to`. */
void bench_ratio_rates(struct bench *bench, const char *name, size_t of, size_t to,
                       struct bench_goal goal);
/* How many times as long row `of` takes as row `to`. */
void bench_ratio_times(struct bench *bench, const char *name, size_t of, size_t to,
                       struct bench_goal goal);
/* A quotient of numbers that are no times. */
void bench_ratio_values(struct bench *bench, const char *name, const char *unit, double of,
                        double to, struct bench_goal goal);
void bench_free(struct bench *bench);

/* Processor time of one run, the mean over the rounds of its race. */
double bench_row_processor(const struct bench_row *row);

/* Wall-clock seconds from some start. */
double bench_clock(void);
/* Seconds of processor time that this process has taken. */
double bench_processor_clock(void);
/* Bytes that the process has allocated; 0 where the allocator does not count. */
size_t bench_allocated(void);

/* Time the lanes in turns, so that whatever else the machine does hits them alike: each is run once
 * unmeasured, then every round runs each of them, long enough for the clock. It ends, after three
 * rounds at least, when the time is up (half a second for each lane) or all lanes repeat to 1 %.
 * Where the unmeasured runs alone use up the time, they are the first round, and the only one where
 * they take ten times that. */
enum nfsar_status bench_race(struct bench *bench, const struct bench_lane *lane, size_t n,
                             nfsar_error *error);

/* Thread counts to measure with: 1, and bench->threads where that is more. */
size_t bench_thread_counts(const struct bench *bench, int count[2]);

/* Kernels to measure: all that the machine can run, or the one asked for. */
enum { BENCH_KERNELS = 3 };
size_t bench_kernels(const struct bench *bench, enum nfsar_kernel kernel[BENCH_KERNELS]);
/* The fastest of them. */
enum nfsar_kernel bench_best_kernel(const struct bench *bench);

/* What the numbers were measured on. */
struct bench_machine {
    char processor[128];
    char instructions[128]; /* of those that the kernels care about */
    int processors;
    double memory_gib;
    char build[128];    /* nfsar's version, compiler, sanitizers */
    char fftw[64];      /* version */
    char openblas[160]; /* version and the kernels it took */
    char coretype[64];  /* OPENBLAS_CORETYPE of the environment, or empty */
    double start;       /* bench_clock() */
    double busy, own;   /* seconds of processor time so far, of all processes and of this one */
    double others;      /* share of the machine that other processes took meanwhile; NAN unknown */
};

void bench_machine_begin(struct bench_machine *machine);
/* Find out what share others took since then. */
void bench_machine_end(struct bench_machine *machine);

/* Text: the machine, what one subject (whose first row and ratio are given) found, the end. */
void bench_print_machine(FILE *stream, const struct bench *bench,
                         const struct bench_machine *machine);
void bench_print_results(FILE *stream, const struct bench *bench, size_t first_row,
                         size_t first_ratio);
void bench_print_end(FILE *stream, const struct bench_machine *machine);
/* All of it as one object; NULL when out of memory. */
json_t *bench_json(const struct bench *bench, const struct bench_machine *machine);

#endif
