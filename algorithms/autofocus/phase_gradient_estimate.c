/* Which steps are made, and how much is smoothed: decided by echoes that are held out. */
#include "algorithms/autofocus/phase_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/buffer.h"

/* Passes of the fit of places, parts of the echoes, and scatterers that displacements in space are
 * tried with. */
enum { PLACE_PASSES = 3, FOLDS = 2, LEAST_SPATIAL = 8 };

/* The part of a power that is echo at least, whatever the noise is said to be. */
#define LEAST_ECHO 0.1

/* A step is taken up if held-out echoes are that much more coherent. */
#define BETTER 1.0005

/* ---- what is held out ------------------------------------------------------------------------ */

/* With four scatterers or more those of every other stretch of range are held out: what else lies
 * in a scatterer's cell, and noise, is another there. Scatterers that share a cell have the same
 * echo, whose phases always make one of them bright. With fewer it is half of the band. */
enum { OTHERS = 4 };

/* A stretch, in range cells: the window makes them twice as wide. */
#define STRETCH 2.0

static size_t fold_of(const struct phase_history *h, size_t scatterer) {
    double sum = 0.0;
    for (size_t l = 0; l < h->n_pulse; l++) {
        sum += 0.5 * h->path[scatterer * h->n_pulse + l] / (double)h->n_pulse;
    }
    return (size_t)(sum / (STRETCH * h->cell)) % FOLDS;
}

static bool has_others(const struct phase_history *h) {
    size_t in[FOLDS] = {0};
    for (size_t i = 0; i < h->n_scatterer; i++) {
        in[fold_of(h, i)]++;
    }
    return h->n_scatterer >= OTHERS && in[0] > 0 && in[1] > 0;
}

static bool is_used(const struct phase_run *r, size_t scatterer, size_t fold) {
    return !r->others || r->fold[scatterer] == fold;
}

static void take_echoes(struct phase_run *r, size_t fold, bool held_out) {
    const struct phase_history *h = r->h;
    const bool all = fold == FOLDS || r->others;
    const size_t band = all ? PHASE_ALL : held_out ? 1 - fold : fold;
    r->n = 0;
    r->k = h->k[band];
    for (size_t i = 0; i < h->n_scatterer; i++) {
        const bool takes = fold == FOLDS || is_used(r, i, held_out ? 1 - fold : fold);
        if (!takes) {
            continue;
        }
        double complex *to = r->echo + r->n * h->n_pulse;
        for (size_t l = 0; l < h->n_pulse; l++) {
            const size_t at = i * h->n_pulse + l;
            to[l] = h->echo[band][at];
        }
        r->index[r->n++] = i;
    }
}

/* Coherent over all power of the echoes in use. Weak scatterers count more than by their power: the
 * strongest must not be all. */
static double rate(struct phase_run *r) {
    const size_t n = r->h->n_pulse;
    double coherent = 0.0, all = 0.0;
    phase_run_turn(r);
    for (size_t i = 0; i < r->n; i++) {
        double complex sum = 0.0;
        double power = 0.0;
        for (size_t l = 0; l < n; l++) {
            sum += r->turned[i * n + l];
            power += creal(r->turned[i * n + l] * conj(r->turned[i * n + l]));
        }
        if (power > 0.0) {
            coherent += creal(sum * conj(sum)) / ((double)n * sqrt(power));
            all += sqrt(power);
        }
    }
    return all > 0.0 ? coherent / all : 0.0;
}

/* Whether displacements in space are tried. */
static bool is_spatial(const struct phase_run *r) {
    return !r->per_pulse && r->h->n_scatterer >= LEAST_SPATIAL;
}

static double try_recipe(struct phase_run *r, const struct phase_recipe *recipe) {
    double sum = 0.0;
    for (size_t fold = 0; fold < FOLDS; fold++) {
        take_echoes(r, fold, false);
        phase_run_recipe(r, recipe);
        take_echoes(r, fold, true);
        memset(r->offset, 0, r->h->n_scatterer * sizeof *r->offset);
        for (int pass = 0; pass < PLACE_PASSES && is_spatial(r); pass++) {
            phase_run_places(r);
        }
        sum += rate(r) / FOLDS;
    }
    return sum;
}

static void consider(struct phase_run *r, const struct phase_recipe *candidate, double *best,
                     struct phase_recipe *recipe) {
    const double score = try_recipe(r, candidate);
    if (score > BETTER * *best) {
        *best = score;
        *recipe = *candidate;
    }
}

/* One choice after the other: smoothing lengths in octaves, or in steps of four of long tracks. */
static void choose(struct phase_run *r, struct phase_recipe *recipe, struct phase_score *score) {
    const size_t n = r->h->n_pulse, factor = n > 2000 ? 4 : 2;
    *recipe = (struct phase_recipe){0};
    score->before = score->after = try_recipe(r, recipe);
    for (size_t by = 0; by <= n / 8; by = by > 0 ? factor * by : 1) {
        const struct phase_recipe with = {.gradient = true, .gradient_from = by};
        consider(r, &with, &score->after, recipe);
    }
    const struct phase_recipe first = *recipe;
    for (size_t by = 0; by <= n / 4; by = by > 0 ? factor * by : 1) {
        struct phase_recipe with = first;
        with.residual = true;
        with.residual_by = by;
        consider(r, &with, &score->after, recipe);
    }
    const struct phase_recipe second = *recipe;
    for (size_t by = 0; by <= n / 4 && is_spatial(r); by = by > 0 ? factor * by : 1) {
        struct phase_recipe with = second;
        with.spatial = true;
        with.spatial_by = by;
        consider(r, &with, &score->after, recipe);
    }
}

/* Coherent over all power of one of the turned echoes, of whose power so much is noise. */
static double coherent_of(const struct phase_run *r, size_t i, double noise) {
    const size_t n = r->h->n_pulse;
    double complex sum = 0.0;
    double power = 0.0;
    for (size_t l = 0; l < n; l++) {
        sum += r->turned[i * n + l];
        power += creal(r->turned[i * n + l] * conj(r->turned[i * n + l]));
    }
    const double echo = fmax(power - (double)n * noise, LEAST_ECHO * power);
    return fmin(creal(sum * conj(sum)) / ((double)n * echo + 1e-300), 1.0);
}

/* The echo of one scatterer is steady once its phase is taken out; that of several in one cell goes
 * up and down, and no phase mends it. Either of two ways tells a steady one: with the phases of the
 * other half of the band, noise left out, which errors of range spoil; with its own phases, noise
 * and all. */
static void find_steady(struct phase_run *r, const struct phase_recipe *recipe, double noise,
                        double *each, struct phase_score *score) {
    score->steady = score->told = 0.0;
    memset(each, 0, r->h->n_scatterer * sizeof *each);
    for (size_t fold = 0; fold < FOLDS; fold++) {
        take_echoes(r, fold, false);
        phase_run_recipe(r, recipe);
        take_echoes(r, fold, true);
        phase_run_turn(r);
        for (size_t i = 0; i < r->n; i++) {
            each[i] += coherent_of(r, i, noise * r->h->noise[1 - fold]) / FOLDS;
        }
    }
    take_echoes(r, FOLDS, false);
    phase_run_recipe(r, recipe);
    phase_run_turn(r);
    for (size_t i = 0; i < r->n; i++) {
        const double steady = fmax(each[i], coherent_of(r, i, 0.0));
        if (steady > score->steady) {
            score->steady = steady;
            score->told = each[i];
        }
    }
}

static void keep(const struct phase_run *r, struct phase_estimate *estimate) {
    /* A phase that all pulses share is no error. */
    double mean = 0.0;
    for (size_t l = 0; l < r->h->n_pulse; l++) {
        mean += r->along[l] / (double)r->h->n_pulse;
    }
    for (size_t l = 0; l < r->h->n_pulse; l++) {
        estimate->phase_rad[l] = r->per_pulse ? r->along[l] - mean : 0.0;
        const double along = r->per_pulse ? 0.0 : r->along[l] - mean;
        estimate->displacement_m[l] =
            nfsar_vec3_add(nfsar_vec3_scale(r->h->sight[l], along), r->moved[l]);
    }
}

enum nfsar_status phase_estimate_make(const struct phase_history *history, double noise,
                                      struct phase_estimate *estimate, struct phase_recipe *recipe,
                                      struct phase_score *score, double *condition,
                                      nfsar_error *error) {
    const size_t n = history->n_scatterer * history->n_pulse;
    struct phase_run r = {
        .h = history,
        .per_pulse = estimate->per_pulse,
        .condition = NAN,
        .index = buffer_alloc(history->n_scatterer, sizeof *r.index),
        .echo = buffer_alloc(n, sizeof *r.echo),
        .turned = buffer_alloc(n, sizeof *r.turned),
        .smooth = buffer_alloc(n, sizeof *r.smooth),
        .scratch = buffer_alloc(history->n_pulse + history->n_scatterer, sizeof *r.scratch),
        .along = buffer_zeros(history->n_pulse, sizeof *r.along),
        .moved = buffer_zeros(history->n_pulse, sizeof *r.moved),
    };
    enum nfsar_status status = NFSAR_OK;
    r.offset = buffer_zeros(history->n_scatterer, sizeof *r.offset);
    r.fold = buffer_alloc(history->n_scatterer, sizeof *r.fold);
    r.room = buffer_alloc(history->n_pulse, sizeof *r.room);
    r.trend = buffer_alloc(2 * history->n_pulse, sizeof *r.trend);
    double *steady = buffer_alloc(history->n_scatterer, sizeof *steady);
    if (steady == NULL || r.fold == NULL || r.offset == NULL || r.room == NULL || r.trend == NULL ||
        r.index == NULL || r.echo == NULL || r.turned == NULL || r.smooth == NULL ||
        r.scratch == NULL || r.along == NULL || r.moved == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu echoes", n);
    } else {
        for (size_t i = 0; i < history->n_scatterer; i++) {
            r.fold[i] = fold_of(history, i);
        }
        r.others = has_others(history);
        choose(&r, recipe, score);
        score->others = r.others;
        score->steady = score->told = NAN;
        if (!r.others) {
            find_steady(&r, recipe, noise, steady, score);
        }
        take_echoes(&r, FOLDS, false);
        phase_run_recipe(&r, recipe);
        keep(&r, estimate);
        *condition = recipe->spatial ? r.condition : (double)NAN;
    }
    free(r.index);
    free(r.offset);
    free(r.fold);
    free(steady);
    free(r.room);
    free(r.trend);
    free(r.echo);
    free(r.turned);
    free(r.smooth);
    free(r.scratch);
    free(r.along);
    free(r.moved);
    return status;
}

/* A scatterer's echo in a band, with the estimate taken out. */
static double complex corrected(const struct phase_history *h,
                                const struct phase_estimate *estimate, size_t scatterer,
                                size_t pulse, size_t band) {
    const size_t at = scatterer * h->n_pulse + pulse;
    double phase = 0.0;
    if (estimate != NULL) {
        phase = estimate->phase_rad[pulse] +
                h->k[band] * nfsar_vec3_dot(h->way[at], estimate->displacement_m[pulse]);
    }
    return h->echo[band][at] * cexp(-I * phase);
}

double phase_range_offset(const struct phase_history *history,
                          const struct phase_estimate *estimate, size_t scatterer) {
    double complex product = 0.0;
    for (size_t l = 0; l < history->n_pulse; l++) {
        product += conj(corrected(history, estimate, scatterer, l, PHASE_LOWER)) *
                   corrected(history, estimate, scatterer, l, PHASE_UPPER);
    }
    return 0.5 * carg(product) / (history->k[PHASE_UPPER] - history->k[PHASE_LOWER]);
}

double phase_coherence(const struct phase_history *history, const struct phase_estimate *estimate,
                       size_t scatterer) {
    double complex sum = 0.0;
    double power = 0.0;
    for (size_t l = 0; l < history->n_pulse; l++) {
        const double complex g = corrected(history, estimate, scatterer, l, PHASE_ALL);
        sum += g;
        power += creal(g * conj(g));
    }
    return power > 0.0 ? cabs(sum) / sqrt((double)history->n_pulse * power) : 0.0;
}
