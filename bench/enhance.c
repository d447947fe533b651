/* The networks that are built in beside OpenBLAS's matrix product, on the same threads in the same
 * race: nearly all of a network's work is products. */
#include "bench/product.h"
#include "bench/subjects.h"

#include <math.h>
#include <stdlib.h>

#include <nfsar/enhance.h>
#include <nfsar/simulation.h>

/* What the project has set itself: the share of sgemm's rate, and the memory of a plan. */
#define GOAL_SHARE  0.35
#define GOAL_MEMORY 100e6

enum { MODELS = 2, TEAMS = 2 };

/* A network on one number of threads. */
struct network {
    const char *name;
    nfsar_enhance_model *model;
    nfsar_enhance_plan *plan;
    const float *in;
    float *out;
};

struct networks {
    size_t side;
    float *in; /* [2][side][side], of all; magnitudes are the first plane */
    struct network network[TEAMS][MODELS];
};

static enum nfsar_status run(void *context, nfsar_error *error) {
    const struct network *network = context;
    return nfsar_enhance_execute(network->plan, network->in, network->out, error);
}

/* Time does not depend on what the numbers are, as long as they are ordinary ones. */
static enum nfsar_status make_image(const struct bench *bench, struct networks *all,
                                    nfsar_error *error) {
    nfsar_random random;
    nfsar_random_seed(&random, 1);
    all->side = bench->quick ? 32 : 256;
    const size_t n = 2 * all->side * all->side;
    all->in = malloc(n * sizeof *all->in);
    if (all->in == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < n; i++) {
        all->in[i] = (float)nfsar_random_uniform(&random);
    }
    return NFSAR_OK;
}

static enum nfsar_status make_network(const struct bench *bench, const struct networks *all,
                                      int threads, const char *name, struct network *made,
                                      nfsar_error *error) {
    const nfsar_enhance_options options = {.kernel = bench_best_kernel(bench), .threads = threads};
    made->name = name;
    made->in = all->in;
    made->out = malloc(all->side * all->side * sizeof *made->out);
    if (made->out == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    enum nfsar_status status = nfsar_enhance_builtin(name, &made->model, error);
    return status == NFSAR_OK ? nfsar_enhance_plan_create(made->model, all->side, all->side,
                                                          &options, &made->plan, error)
                              : status;
}

static void free_networks(struct networks *all) {
    for (size_t t = 0; t < TEAMS; t++) {
        for (size_t m = 0; m < MODELS; m++) {
            struct network *network = &all->network[t][m];
            nfsar_enhance_plan_destroy(network->plan);
            nfsar_enhance_model_free(network->model);
            free(network->out);
        }
    }
    free(all->in);
}

static struct bench_lane add_row(struct bench *bench, const struct networks *all, int threads,
                                 struct network *network) {
    struct bench_row row = {.threads = threads, .unit = "GFLOP", .error_db = NAN};
    row.work = 2e-9 * nfsar_enhance_plan_products(network->plan);
    snprintf(row.name, sizeof row.name, "network %s", network->name);
    snprintf(row.size, sizeof row.size, "%zux%zu: %.3g GMAC", all->side, all->side, 0.5 * row.work);
    snprintf(row.kernel, sizeof row.kernel, "%s", nfsar_kernel_name(bench_best_kernel(bench)));
    return (struct bench_lane){bench_row_add(bench, &row), run, network};
}

static void add_ratios(struct bench *bench, const struct networks *all, size_t team, int threads,
                       const struct bench_lane lane[1 + MODELS]) {
    char text[80];
    const char *s = threads > 1 ? "s" : "";
    for (size_t m = 0; m < MODELS; m++) {
        const struct network *network = &all->network[team][m];
        snprintf(text, sizeof text, "%d thread%s: network %s / sgemm", threads, s, network->name);
        bench_ratio_rates(bench, text, lane[1 + m].row, lane[0].row,
                          (struct bench_goal){.at_least = GOAL_SHARE});
        snprintf(text, sizeof text, "%d thread%s: memory of %s's plan / 100 MB", threads, s,
                 network->name);
        bench_ratio_values(bench, text, "bytes", (double)nfsar_enhance_plan_memory(network->plan),
                           GOAL_MEMORY, (struct bench_goal){.at_most = 1.0});
    }
}

static enum nfsar_status race(struct bench *bench, struct networks *all,
                              const struct bench_product *product, nfsar_error *error) {
    enum { EACH = 1 + MODELS };
    struct bench_product_team team[TEAMS];
    struct bench_lane lane[TEAMS * EACH];
    int threads[TEAMS];
    const size_t n = bench_thread_counts(bench, threads);
    enum nfsar_status status = NFSAR_OK;
    for (size_t t = 0; t < n; t++) {
        lane[t * EACH] = bench_product_lane(bench, product, threads[t], &team[t]);
        for (size_t m = 0; status == NFSAR_OK && m < MODELS; m++) {
            struct network *network = &all->network[t][m];
            status =
                make_network(bench, all, threads[t], nfsar_enhance_builtin_name(m), network, error);
            if (status == NFSAR_OK) {
                lane[t * EACH + 1 + m] = add_row(bench, all, threads[t], network);
            }
        }
    }
    if (status == NFSAR_OK) {
        status = bench_race(bench, lane, n * EACH, error);
    }
    for (size_t t = 0; status == NFSAR_OK && t < n; t++) {
        add_ratios(bench, all, t, threads[t], lane + t * EACH);
    }
    return status;
}

enum nfsar_status bench_enhance(struct bench *bench, nfsar_error *error) {
    struct bench_product product;
    struct networks all = {0};
    enum nfsar_status status = bench_product_make(bench, &product, error);
    if (status == NFSAR_OK) {
        status = make_image(bench, &all, error);
    }
    if (status == NFSAR_OK) {
        status = race(bench, &all, &product, error);
    }
    free_networks(&all);
    bench_product_free(&product);
    return status;
}
