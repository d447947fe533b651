/* Non-uniform transforms of many vectors at the same positions beside as many plain transforms of
 * FFTW, on the same threads in the same race. */
#include "bench/bench.h"
#include "bench/subjects.h"
#include "bench/transforms.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include <fftw3.h>

#include <nfsar/geometry.h>
#include <nfsar/nufft.h>
#include <nfsar/simulation.h>

#include "algorithms/buffer.h"

#define TOLERANCE 1e-3

/* Modes and values at which the direct sum is computed. */
enum { SAMPLES = 48 };

struct problem {
    size_t n, n_vector, n_point; /* n x n modes, n^2 positions */
    double *x, *y;
    float complex *values;   /* [n_point][n_vector] */
    float complex *spectrum; /* [n_vector][n][n] */
};

/* What runs on one number of threads. */
struct team {
    const struct problem *problem;
    nfsar_nufft_plan *plan;
    float complex *modes, *values; /* results */
    bench_transforms *plain;
};

static enum nfsar_status run_type1(void *context, nfsar_error *error) {
    struct team *team = context;
    (void)error;
    nfsar_nufft_type1(team->plan, team->problem->values, team->modes);
    return NFSAR_OK;
}

static enum nfsar_status run_type2(void *context, nfsar_error *error) {
    struct team *team = context;
    (void)error;
    nfsar_nufft_type2(team->plan, team->problem->spectrum, team->values);
    return NFSAR_OK;
}

static enum nfsar_status make_problem(const struct bench *bench, struct problem *p,
                                      nfsar_error *error) {
    nfsar_random random;
    nfsar_random_seed(&random, 1);
    *p = (struct problem){.n = bench->quick ? 16 : 256, .n_vector = bench->quick ? 8 : 256};
    p->n_point = p->n * p->n;
    size_t numbers = p->n_point * p->n_vector;
    p->x = malloc(p->n_point * sizeof *p->x);
    p->y = malloc(p->n_point * sizeof *p->y);
    p->values = buffer_alloc(numbers, sizeof *p->values);
    p->spectrum = buffer_alloc(numbers, sizeof *p->spectrum);
    if (p->x == NULL || p->y == NULL || p->values == NULL || p->spectrum == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < p->n_point; i++) {
        p->x[i] = 2.0 * NFSAR_PI * nfsar_random_uniform(&random);
        p->y[i] = 2.0 * NFSAR_PI * nfsar_random_uniform(&random);
    }
    for (size_t i = 0; i < numbers; i++) {
        p->values[i] = (float)nfsar_random_uniform(&random) - 0.5f;
        p->spectrum[i] = I * ((float)nfsar_random_uniform(&random) - 0.5f);
    }
    return NFSAR_OK;
}

static void free_problem(struct problem *p) {
    free(p->x);
    free(p->y);
    free(p->values);
    free(p->spectrum);
}

static double peak_of(const float complex *numbers, size_t n) {
    float peak = 0.0f;
    for (size_t i = 0; i < n; i++) {
        peak = fmaxf(peak, cabsf(numbers[i]));
    }
    return (double)peak;
}

/* The s-th sample of n modes along an axis: the outermost, where errors are largest, first. */
static size_t sample(size_t s, size_t step, size_t n) {
    return s < 4 ? (s / step % 2) * (n - 1) : s * step * 7919 % n;
}

/* Largest error of a sample of results, in dB of the largest result. */
static double type1_error(const struct problem *p, const float complex *modes) {
    double worst = 0.0;
    for (size_t s = 0; s < SAMPLES; s++) {
        size_t ix = sample(s, 1, p->n), iy = sample(s, 2, p->n), v = s * 31 % p->n_vector;
        double kx = (double)ix - (double)(p->n / 2), ky = (double)iy - (double)(p->n / 2);
        double complex exact = 0.0;
        for (size_t i = 0; i < p->n_point; i++) {
            exact += (double complex)p->values[i * p->n_vector + v] *
                     cexp(-I * (kx * p->x[i] + ky * p->y[i]));
        }
        double complex got = (double complex)modes[(v * p->n + iy) * p->n + ix];
        worst = fmax(worst, cabs(got - exact));
    }
    return 20.0 * log10(worst / peak_of(modes, p->n_point * p->n_vector));
}

static double type2_error(const struct problem *p, const float complex *values) {
    double worst = 0.0;
    for (size_t s = 0; s < SAMPLES; s++) {
        size_t i = s * 7919 % p->n_point, v = s * 31 % p->n_vector;
        double complex exact = 0.0;
        for (size_t m = 0; m < p->n_point; m++) {
            double kx = (double)(m % p->n) - (double)(p->n / 2);
            double ky = (double)(m / p->n) - (double)(p->n / 2);
            exact += (double complex)p->spectrum[v * p->n_point + m] *
                     cexp(I * (kx * p->x[i] + ky * p->y[i]));
        }
        worst = fmax(worst, cabs((double complex)values[i * p->n_vector + v] - exact));
    }
    return 20.0 * log10(worst / peak_of(values, p->n_point * p->n_vector));
}

static enum nfsar_status make_team(const struct bench *bench, const struct problem *p, int threads,
                                   struct team *team, nfsar_error *error) {
    nfsar_nufft_options options = nfsar_nufft_defaults();
    options.tolerance = TOLERANCE;
    options.threads = threads;
    options.kernel = bench->kernel;
    size_t size[2] = {p->n, p->n}, numbers = p->n_point * p->n_vector;
    const double *const position[2] = {p->x, p->y};
    struct bench_transform plain = {p->n, p->n, p->n_vector, FFTW_FORWARD};
    team->problem = p;
    team->modes = buffer_zeros(numbers, sizeof *team->modes);
    team->values = buffer_zeros(numbers, sizeof *team->values);
    if (team->modes == NULL || team->values == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    enum nfsar_status status = nfsar_nufft_plan_create(2, size, p->n_point, position, p->n_vector,
                                                       &options, &team->plan, error);
    if (status == NFSAR_OK) {
        status = bench_transforms_create(&plain, 1, threads, &team->plain, error);
    }
    return status;
}

static void free_team(struct team *team) {
    nfsar_nufft_plan_destroy(team->plan);
    bench_transforms_destroy(team->plain);
    free(team->modes);
    free(team->values);
}

static void add_lanes(struct bench *bench, const struct problem *p, struct team *team, int threads,
                      struct bench_lane lane[3]) {
    struct bench_row row = {.threads = threads,
                            .error_db = NAN,
                            .unit = "M values",
                            .work = 1e-6 * (double)(p->n_point * p->n_vector)};
    snprintf(row.kernel, sizeof row.kernel, "%s", nfsar_kernel_name(bench_best_kernel(bench)));
    snprintf(row.size, sizeof row.size, "%zu x %zu points, %zux%zu", p->n_vector, p->n_point, p->n,
             p->n);
    snprintf(row.name, sizeof row.name, "type 1");
    lane[0] = (struct bench_lane){bench_row_add(bench, &row), run_type1, team};
    snprintf(row.name, sizeof row.name, "type 2");
    lane[1] = (struct bench_lane){bench_row_add(bench, &row), run_type2, team};
    row.kernel[0] = '\0';
    snprintf(row.size, sizeof row.size, "%zu x (%zu x %zu)", p->n_vector, p->n, p->n);
    snprintf(row.name, sizeof row.name, "FFTW: plain transforms");
    lane[2] = (struct bench_lane){bench_row_add(bench, &row), bench_transforms_run, team->plain};
}

static void add_ratios(struct bench *bench, const struct problem *p, const struct team *team,
                       const struct bench_lane lane[3], int threads) {
    bench->row[lane[0].row].error_db = type1_error(p, team->modes);
    bench->row[lane[1].row].error_db = type2_error(p, team->values);
    for (int type = 1; type <= 2; type++) {
        char text[80];
        snprintf(text, sizeof text, "time, %d thread%s: type %d / FFTW, plain", threads,
                 threads > 1 ? "s" : "", type);
        bench_ratio_times(bench, text, lane[type - 1].row, lane[2].row,
                          (struct bench_goal){.at_most = 5.0});
    }
}

static enum nfsar_status race(struct bench *bench, const struct problem *p, struct team team[2],
                              nfsar_error *error) {
    struct bench_lane lane[6];
    int threads[2];
    size_t n = bench_thread_counts(bench, threads);
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        status = make_team(bench, p, threads[i], &team[i], error);
        if (status == NFSAR_OK) {
            add_lanes(bench, p, &team[i], threads[i], lane + 3 * i);
        }
    }
    if (status == NFSAR_OK) {
        status = bench_race(bench, lane, 3 * n, error);
    }
    for (size_t i = 0; status == NFSAR_OK && i < n; i++) {
        add_ratios(bench, p, &team[i], lane + 3 * i, threads[i]);
    }
    for (size_t type = 0; status == NFSAR_OK && n > 1 && type < 2; type++) {
        bench_ratio_rates(bench,
                          type == 0 ? "type 1, threads / 1 thread" : "type 2, threads / 1 thread",
                          lane[3 + type].row, lane[type].row, (struct bench_goal){0});
    }
    return status;
}

enum nfsar_status bench_nufft(struct bench *bench, nfsar_error *error) {
    struct problem problem = {0};
    struct team team[2] = {{0}};
    enum nfsar_status status = make_problem(bench, &problem, error);
    if (status == NFSAR_OK) {
        status = race(bench, &problem, team, error);
    }
    free_team(&team[0]);
    free_team(&team[1]);
    free_problem(&problem);
    return status;
}
