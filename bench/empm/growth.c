/* How the time of each method grows with samples, frequencies and voxels, one at a time. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include <nfsar/picture.h>

#include "bench/empm/papers.h"

/* bp takes part where it has fewer updates than this: a few seconds. */
#define BP_UPDATES 3e9

enum variable { SAMPLES, FREQUENCIES, VOXELS };
enum { METHODS = PAPERS_GROWTH_METHODS };

static const enum papers_method methods[METHODS] = {PAPERS_EMPM, PAPERS_NURMA, PAPERS_BP};

/* What is imaged at one size. */
struct sizes {
    size_t pulses, frequencies, voxels;
};

/* The variable is the least times factor, the others stay. */
static struct sizes sizes_at(enum variable variable, size_t factor, bool quick) {
    struct sizes least = {quick ? 16 : 125, 8, quick ? 2000 : 80000};
    struct sizes made = {quick ? 64 : 1000, quick ? 16 : 32, quick ? 4000 : 80000};
    switch (variable) {
    case SAMPLES:
        made.pulses = least.pulses * factor;
        break;
    case FREQUENCIES:
        made.frequencies = least.frequencies * factor;
        break;
    case VOXELS:
        made.voxels = least.voxels * factor;
        break;
    }
    return made;
}

/* A box before the aperture, sampled as finely as the number of voxels asks. */
static nfsar_grid box(size_t voxels) {
    size_t n = (size_t)lround(cbrt((double)voxels));
    double last = (double)(n - 1);
    return (nfsar_grid){{-0.05, 0.1 / last, n}, {-0.05, 0.1 / last, n}, {0.268, 0.064 / last, n}};
}

static enum nfsar_status make_scan(const struct sizes *sizes, bool quick, int threads,
                                   nfsar_capture *capture, nfsar_error *error) {
    struct scatterers targets = {0};
    struct papers_scan scan = {.nx = quick ? 64 : 512,
                               .ny = 32,
                               .kept = sizes->pulses,
                               .n_sample = sizes->frequencies,
                               .offset = quick ? 0.005 : 0.025};
    enum nfsar_status status = papers_letters(0.3, &targets, error);
    if (status == NFSAR_OK) {
        status = papers_scan_make(&scan, &targets, threads, capture, error);
    }
    scatterers_free(&targets);
    return status;
}

static size_t add_row(struct bench *bench, const char *variable, enum papers_method method,
                      const nfsar_capture *capture, size_t voxels) {
    struct bench_row row = {
        .threads = 1, .work = 1e-6 * (double)voxels, .unit = "M voxels", .error_db = NAN};
    snprintf(row.name, sizeof row.name, "growth, %s: %s", variable, papers_method_name(method));
    snprintf(row.size, sizeof row.size, "%zu x %zu to %zu", papers_lines(capture),
             capture->n_sample, voxels);
    return bench_row_add(bench, &row);
}

/* Race the methods at one size; growth[METHODS] gets the rows. */
static enum nfsar_status race_methods(struct papers *papers, const nfsar_capture *capture,
                                      const nfsar_grid *grid, struct papers_growth *growth,
                                      size_t at, nfsar_error *error) {
    struct papers_imager imager[METHODS] = {0};
    struct bench_lane lane[METHODS];
    size_t n = 0, voxels = nfsar_grid_voxels(grid);
    double updates = (double)papers_lines(capture) * (double)voxels;
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < METHODS; i++) {
        growth[i].row[at] = SIZE_MAX;
        if (methods[i] == PAPERS_BP && updates > BP_UPDATES) {
            continue;
        }
        status = papers_imager_create(methods[i], capture, grid, &imager[i], error);
        if (status == NFSAR_OK) {
            growth[i].row[at] =
                add_row(papers->bench, growth[i].variable, methods[i], capture, voxels);
            lane[n++] = (struct bench_lane){growth[i].row[at], papers_imager_run, &imager[i]};
        } else if (status == NFSAR_ERROR_UNSUPPORTED) {
            status = NFSAR_OK;
        }
    }
    if (status == NFSAR_OK && n > 0) {
        status = bench_race(papers->bench, lane, n, error);
    }
    for (size_t i = 0; i < METHODS; i++) {
        papers_imager_free(&imager[i]);
    }
    return status;
}

static enum nfsar_status measure(struct papers *papers, enum variable variable, size_t at,
                                 struct papers_growth *growth, nfsar_error *error) {
    bool quick = papers->bench->quick;
    struct sizes sizes = sizes_at(variable, (size_t)1 << at, quick);
    nfsar_grid grid = box(sizes.voxels);
    nfsar_capture capture;
    enum nfsar_status status = make_scan(&sizes, quick, papers->bench->threads, &capture, error);
    if (status != NFSAR_OK) {
        return status;
    }
    const size_t size[] = {papers_lines(&capture), capture.n_sample, nfsar_grid_voxels(&grid)};
    for (size_t i = 0; i < METHODS; i++) {
        growth[i].size[at] = (double)size[variable];
    }
    status = race_methods(papers, &capture, &grid, growth, at, error);
    nfsar_capture_free(&capture);
    return status;
}

enum nfsar_status papers_growth_run(struct papers *papers, nfsar_error *error) {
    static const char *const name[] = {"samples", "frequencies", "voxels"};
    size_t factors = papers->bench->quick ? 2 : PAPERS_FACTORS;
    enum nfsar_status status = NFSAR_OK;
    for (enum variable v = SAMPLES; v <= VOXELS; v++) {
        struct papers_growth *growth = papers->growth + papers->n_growth;
        for (size_t i = 0; i < METHODS; i++) {
            growth[i] =
                (struct papers_growth){.variable = name[v], .method = methods[i], .n = factors};
        }
        papers->n_growth += METHODS;
        for (size_t at = 0; status == NFSAR_OK && at < factors; at++) {
            status = measure(papers, v, at, growth, error);
        }
    }
    return status;
}

double papers_growth_seconds(const struct papers *papers, const struct papers_growth *growth,
                             size_t i) {
    return growth->row[i] < SIZE_MAX ? bench_row_processor(&papers->bench->row[growth->row[i]])
                                     : (double)NAN;
}

double papers_growth_exponent(const struct papers *papers, const struct papers_growth *growth) {
    double n = 0.0, sx = 0.0, sy = 0.0, sxx = 0.0, sxy = 0.0;
    for (size_t i = 0; i < growth->n; i++) {
        double x = log(growth->size[i]), y = log(papers_growth_seconds(papers, growth, i));
        if (!isnan(y)) {
            n += 1.0;
            sx += x;
            sy += y;
            sxx += x * x;
            sxy += x * y;
        }
    }
    return n > 1.0 ? (n * sxy - sx * sy) / (n * sxx - sx * sx) : (double)NAN;
}

static double n_log_n(double n) {
    return n * log(n);
}

double papers_growth_worst(const struct papers *papers, const struct papers_growth *growth) {
    double worst = NAN;
    for (size_t i = 1; i < growth->n; i++) {
        double grown =
            papers_growth_seconds(papers, growth, i) / papers_growth_seconds(papers, growth, i - 1);
        worst = fmax(worst, grown / (n_log_n(growth->size[i]) / n_log_n(growth->size[i - 1])));
    }
    return worst;
}

/* N log N through the time of the first method's least size. */
static void guide(const struct papers *papers, const struct papers_growth *growth, double *y) {
    double scale = papers_growth_seconds(papers, growth, 0);
    for (size_t i = 0; i < growth->n; i++) {
        y[i] = scale * n_log_n(growth->size[i]) / n_log_n(growth->size[0]);
    }
}

enum nfsar_status papers_growth_picture(const struct papers *papers, size_t first, const char *path,
                                        nfsar_error *error) {
    double y[METHODS + 1][PAPERS_FACTORS];
    nfsar_curve curve[METHODS + 1];
    char title[64];
    const struct papers_growth *growth = &papers->growth[first];
    for (size_t c = 0; c < METHODS; c++) {
        for (size_t i = 0; i < growth->n; i++) {
            y[c][i] = papers_growth_seconds(papers, &growth[c], i);
        }
        curve[c] = (nfsar_curve){papers_method_name(growth[c].method), y[c]};
    }
    guide(papers, growth, y[METHODS]);
    curve[METHODS] = (nfsar_curve){"N log N", y[METHODS]};
    snprintf(title, sizeof title, "Time against %s", growth->variable);
    return nfsar_picture_log_curves(title, growth->variable, "processor time of one image (s)",
                                    growth->size, growth->n, curve, METHODS + 1, path, error);
}
