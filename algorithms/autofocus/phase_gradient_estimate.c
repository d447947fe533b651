/* Displacements from the echoes at the scatterers' places.
 *
 * The gradient of the phase is the maximum-likelihood estimate for many scatterers, arg sum conj
 * g(l) g(l + 1) (Eichel and Jakowatz, "Phase-gradient algorithm as an optimal estimator of the
 * phase derivative", Optics Letters 14, 1989). In place of the window that they cut around the
 * scatterers in the image, echoes are smoothed along the track, which is its Fourier transform and
 * holds for any track. How much is smoothed is decided by echoes that are held out. */
#include "algorithms/autofocus/phase_gradient.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/buffer.h"
#include "algorithms/elimination.h"

/* Passes of the comparison with the mean echo. */
enum { RESIDUAL_PASSES = 4, SPATIAL_PASSES = 12, PLACE_PASSES = 3, FOLDS = 2, LEAST_SPATIAL = 8 };

/* Boxes for the smooth part of a phase are so many pulses to either side. */
enum { UNWRAP_BY = 5 };

/* A step is taken up if held-out echoes are that much more coherent. */
#define BETTER 1.0005

/* Directions of the displacement in which the scatterers tell less than this part of what they tell
 * in the best are left to the others. */
#define RIDGE 1e-2

/* One run of a recipe over some of the echoes. */
struct run {
    const struct phase_history *h;
    bool per_pulse;
    double k;                /* of the band in use */
    size_t n;                /* scatterers in use */
    size_t *index;           /* [n] of the history */
    double complex *echo;    /* [n][n_pulse] as they are */
    double complex *turned;  /* [n][n_pulse] less what is estimated */
    double complex *smooth;  /* [n][n_pulse] */
    double complex *scratch; /* [n_pulse] */
    double complex *room;    /* [n_pulse] */
    double *trend;           /* [2][n_pulse] */
    double *along;           /* [n_pulse] phase, or metres along the line of sight */
    nfsar_vec3 *moved;       /* [n_pulse] metres besides */
    nfsar_vec3 *offset;      /* [n] metres from the place of the scatterer to where it is */
    double condition;
};

/* Radians of a scatterer for a unit of run->along. */
static double gain_of(const struct run *r, size_t i, size_t pulse) {
    if (r->per_pulse) {
        return 1.0;
    }
    const nfsar_vec3 way = r->h->way[r->index[i] * r->h->n_pulse + pulse];
    const nfsar_vec3 sight = r->h->sight[pulse];
    return r->k * (way.x * sight.x + way.y * sight.y + way.z * sight.z);
}

static double dot(nfsar_vec3 a, nfsar_vec3 b) {
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

static void turn_echoes(struct run *r) {
    const size_t n = r->h->n_pulse;
    for (size_t i = 0; i < r->n; i++) {
        for (size_t l = 0; l < n; l++) {
            double phase = gain_of(r, i, l) * r->along[l];
            if (!r->per_pulse) {
                phase += r->k * dot(r->h->way[r->index[i] * n + l],
                                    nfsar_vec3_subtract(r->moved[l], r->offset[i]));
            }
            r->turned[i * n + l] = r->echo[i * n + l] * cexp(-I * phase);
        }
    }
}

/* Means over 2 by + 1 pulses, fewer at the ends. */
static void box(const double complex *from, size_t n, size_t by, double complex *to) {
    double complex sum = 0.0;
    size_t first = 0, end = 0;
    for (size_t l = 0; l < n; l++) {
        const size_t until = l + by + 1 < n ? l + by + 1 : n, since = l > by ? l - by : 0;
        for (; end < until; end++) {
            sum += from[end];
        }
        for (; first < since; first++) {
            sum -= from[first];
        }
        to[l] = sum / (double)(end - first);
    }
}

/* Three times a box is nearly a Gaussian. */
void phase_smooth(const double complex *from, size_t n, size_t by, double complex *scratch,
                  double complex *to) {
    if (by == 0) {
        memcpy(to, from, n * sizeof *to);
        return;
    }
    box(from, n, by, to);
    box(to, n, by, scratch);
    box(scratch, n, by, to);
}

static void smooth_echoes(struct run *r, size_t by) {
    const size_t n = r->h->n_pulse;
    for (size_t i = 0; i < r->n; i++) {
        phase_smooth(r->turned + i * n, n, by, r->scratch, r->smooth + i * n);
    }
}

/* Mean of gain_of() over the scatterers: what a phase common to them is divided by. */
static double mean_gain(const struct run *r, size_t pulse) {
    double sum = 0.0;
    for (size_t i = 0; i < r->n; i++) {
        sum += gain_of(r, i, pulse);
    }
    return sum / (double)r->n;
}

static void add_gradient(struct run *r, size_t from) {
    const size_t n = r->h->n_pulse;
    for (size_t by = from;; by = by > 0 ? 2 * by : 1) {
        turn_echoes(r);
        smooth_echoes(r, by);
        double phase = 0.0;
        for (size_t l = 1; l < n; l++) {
            double complex product = 0.0;
            for (size_t i = 0; i < r->n; i++) {
                product += conj(r->smooth[i * n + l - 1]) * r->smooth[i * n + l];
            }
            phase += carg(product);
            r->along[l] += phase / mean_gain(r, l);
        }
        if (by >= n / 4) {
            return;
        }
    }
}

/* The mean echo of a scatterer and the power of what differs from it. */
static double complex mean_echo(const struct run *r, size_t i, double *noise) {
    const size_t n = r->h->n_pulse;
    double complex sum = 0.0;
    double power = 0.0;
    for (size_t l = 0; l < n; l++) {
        const double complex g = r->turned[i * n + l];
        sum += g;
        power += creal(g * conj(g));
    }
    sum /= (double)n;
    power /= (double)n;
    *noise = fmax(power - creal(sum * conj(sum)), 1e-2 * power) + 1e-300;
    return sum;
}

static void add_residual(struct run *r, size_t by) {
    const size_t n = r->h->n_pulse;
    double complex *all = r->smooth; /* [n_pulse] of it */
    for (int pass = 0; pass < RESIDUAL_PASSES; pass++) {
        turn_echoes(r);
        memset(all, 0, n * sizeof *all);
        for (size_t i = 0; i < r->n; i++) {
            double noise = 0.0;
            const double complex weight = conj(mean_echo(r, i, &noise)) / noise;
            for (size_t l = 0; l < n; l++) {
                all[l] += weight * r->turned[i * n + l];
            }
        }
        /* In place of the line: phase_smooth() wants two others. */
        double complex *smooth = by > 0 ? r->turned : all;
        if (by > 0) {
            phase_smooth(all, n, by, r->scratch, smooth);
        }
        for (size_t l = 0; l < n; l++) {
            r->along[l] += carg(smooth[l]) / mean_gain(r, l);
        }
    }
}

/* Least squares of phases over three coordinates; the ridge leaves out what they do not tell. The
 * right-hand side, the last column, becomes the solution. */
static void solve_three(double a[3][4]) {
    const double trace = a[0][0] + a[1][1] + a[2][2];
    if (!(trace > 0.0)) {
        a[0][3] = a[1][3] = a[2][3] = 0.0;
        return;
    }
    for (int d = 0; d < 3; d++) {
        a[d][d] += RIDGE * trace;
    }
    eliminate(3, 1, 4, a[0], &a[0][3]);
}

/* The largest eigenvalue of a symmetric matrix over the smallest that the ridge leaves to count;
 * by the cosines of the characteristic polynomial's roots. */
static double condition_of(double a[3][4]) {
    const double third = (a[0][0] + a[1][1] + a[2][2]) / 3.0;
    double b[3][3], squares = 0.0;
    for (int d = 0; d < 3; d++) {
        for (int e = 0; e < 3; e++) {
            b[d][e] = a[d][e] - (d == e ? third : 0.0);
            squares += b[d][e] * b[d][e];
        }
    }
    const double size = sqrt(squares / 6.0);
    if (!(size > 1e-12 * third)) {
        return 1.0;
    }
    const double det = b[0][0] * (b[1][1] * b[2][2] - b[1][2] * b[2][1]) -
                       b[0][1] * (b[1][0] * b[2][2] - b[1][2] * b[2][0]) +
                       b[0][2] * (b[1][0] * b[2][1] - b[1][1] * b[2][0]);
    const double angle = acos(fmax(-1.0, fmin(1.0, 0.5 * det / (size * size * size)))) / 3.0;
    const double most = third + 2.0 * size * cos(angle);
    const double least = third + 2.0 * size * cos(angle + 2.0 * NFSAR_PI / 3.0);
    const double middle = 3.0 * third - most - least;
    const double told = 3.0 * RIDGE * third;
    return most / (least > told ? least : middle > told ? middle : most);
}

/* A blurred image has its scatterers at wrong places, which many displacements together would make
 * good. What goes with the line of sight as a wrong place does is taken for that. */
static void fit_places(struct run *r) {
    const size_t n = r->h->n_pulse;
    turn_echoes(r);
    for (size_t i = 0; i < r->n; i++) {
        double noise = 0.0, weights = 0.0, a[3][4] = {{0.0}};
        const double complex mean = conj(mean_echo(r, i, &noise));
        nfsar_vec3 middle = {0.0, 0.0, 0.0};
        for (size_t l = 0; l < n; l++) {
            const double weight = cabs(r->turned[i * n + l]);
            middle =
                nfsar_vec3_add(middle, nfsar_vec3_scale(r->h->way[r->index[i] * n + l], weight));
            weights += weight;
        }
        middle = nfsar_vec3_scale(middle, 1.0 / fmax(weights, 1e-300));
        for (size_t l = 0; l < n; l++) {
            const double complex z = mean * r->turned[i * n + l];
            const nfsar_vec3 way = nfsar_vec3_subtract(r->h->way[r->index[i] * n + l], middle);
            const double u[4] = {-r->k * way.x, -r->k * way.y, -r->k * way.z, carg(z)};
            for (int d = 0; d < 3; d++) {
                for (int e = 0; e < 4; e++) {
                    a[d][e] += cabs(z) * u[d] * u[e];
                }
            }
        }
        solve_three(a);
        r->offset[i] = nfsar_vec3_add(r->offset[i], (nfsar_vec3){a[0][3], a[1][3], a[2][3]});
    }
}

static void add_spatial(struct run *r, size_t by) {
    const size_t n = r->h->n_pulse;
    for (int pass = 0; pass < SPATIAL_PASSES; pass++) {
        double all[3][4] = {{0.0}}; /* of all pulses together */
        turn_echoes(r);
        smooth_echoes(r, by);
        double complex *mean = r->scratch; /* n <= n_pulse: see phase_estimate_make() */
        for (size_t i = 0; i < r->n; i++) {
            double noise = 0.0;
            mean[i] = mean_echo(r, i, &noise);
            mean[i] /= noise;
        }
        for (size_t l = 0; l < n; l++) {
            double a[3][4] = {{0.0}}; /* the right-hand side is the last column */
            for (size_t i = 0; i < r->n; i++) {
                const double complex z = conj(mean[i]) * r->smooth[i * n + l];
                const nfsar_vec3 way = r->h->way[r->index[i] * n + l];
                const double u[3] = {r->k * way.x, r->k * way.y, r->k * way.z};
                const double weight = cabs(z), phase = carg(z);
                for (int d = 0; d < 3; d++) {
                    a[d][3] += weight * u[d] * phase;
                    for (int e = 0; e < 3; e++) {
                        a[d][e] += weight * u[d] * u[e];
                    }
                }
            }
            for (int d = 0; d < 3; d++) {
                for (int e = 0; e < 3; e++) {
                    all[d][e] += a[d][e];
                }
            }
            solve_three(a);
            r->moved[l] = nfsar_vec3_add(r->moved[l], (nfsar_vec3){a[0][3], a[1][3], a[2][3]});
        }
        fit_places(r);
        r->condition = condition_of(all);
    }
}

/* Where the phase of the pulses, smoothed, is on average nearest to one: |mean| of the phasors. */
static double smoothness(const double complex *phasor, size_t n) {
    double sum = 0.0;
    for (size_t l = 0; l < n; l++) {
        sum += cabs(phasor[l]) / (double)n;
    }
    return sum;
}

/* Echoes do not tell a phase from one that is a whole turn more: those are taken that make the
 * smoothed phase go on without jumps, and leave single pulses within half a turn of it. The smooth
 * part is that of the phasors themselves, or of what is left of them after their smoothed gradient
 * where they turn too fast for that. */
static void unwrap(struct run *r) {
    const size_t n = r->h->n_pulse;
    double complex *phasor = r->turned, *smooth = r->smooth, *product = r->room;
    double *trend = r->trend;
    for (int fast = 0; fast < 2; fast++) {
        for (size_t l = 0; l < n; l++) {
            product[l] = cexp(I * r->along[l] * mean_gain(r, l));
        }
        double turns = 0.0;
        if (fast) {
            for (size_t l = n - 1; l > 0; l--) {
                product[l] *= conj(product[l - 1]);
            }
            product[0] = n > 1 ? product[1] : 1.0;
            phase_smooth(product, n, UNWRAP_BY, r->scratch, phasor);
            for (size_t l = 0; l < n; l++) {
                turns += l > 0 ? carg(phasor[l]) : 0.0;
                trend[n + l] = turns;
            }
        } else {
            memset(trend + n, 0, n * sizeof *trend);
        }
        for (size_t l = 0; l < n; l++) {
            phasor[l] = cexp(I * (r->along[l] * mean_gain(r, l) - trend[n + l]));
        }
        phase_smooth(phasor, n, UNWRAP_BY, r->scratch, product);
        if (fast == 0 || smoothness(product, n) > smoothness(smooth, n)) {
            memcpy(smooth, product, n * sizeof *smooth);
            memcpy(trend, trend + n, n * sizeof *trend);
        }
    }
    double phase = carg(smooth[0]);
    for (size_t l = 0; l < n; l++) {
        phase += l > 0 ? carg(smooth[l] * conj(smooth[l - 1])) : 0.0;
        const double gain = mean_gain(r, l), on = trend[l] + phase;
        r->along[l] = (on + remainder(r->along[l] * gain - on, 2.0 * NFSAR_PI)) / gain;
    }
}

static void run_recipe(struct run *r, const struct phase_recipe *recipe) {
    memset(r->along, 0, r->h->n_pulse * sizeof *r->along);
    memset(r->moved, 0, r->h->n_pulse * sizeof *r->moved);
    memset(r->offset, 0, r->h->n_scatterer * sizeof *r->offset);
    if (recipe->gradient) {
        add_gradient(r, recipe->gradient_from);
    }
    if (recipe->residual) {
        add_residual(r, recipe->residual_by);
    }
    if (recipe->gradient || recipe->residual) {
        unwrap(r);
    }
    if (recipe->spatial) {
        add_spatial(r, recipe->spatial_by);
    }
}

/* ---- what is held out ------------------------------------------------------------------------ */

/* With four scatterers or more every other is held out: what else lies in a scatterer's cell, and
 * noise, is another in the others' cells. With fewer it is half of the band. */
enum { OTHERS = 4 };

static bool is_used(const struct phase_history *h, size_t scatterer, size_t fold) {
    return h->n_scatterer < OTHERS || scatterer % FOLDS == fold;
}

static void take_echoes(struct run *r, size_t fold, bool held_out) {
    const struct phase_history *h = r->h;
    const bool all = fold == FOLDS || h->n_scatterer >= OTHERS;
    const size_t band = all ? PHASE_ALL : held_out ? 1 - fold : fold;
    r->n = 0;
    r->k = h->k[band];
    for (size_t i = 0; i < h->n_scatterer; i++) {
        const bool takes = fold == FOLDS || is_used(h, i, held_out ? 1 - fold : fold);
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
static double rate(struct run *r) {
    const size_t n = r->h->n_pulse;
    double coherent = 0.0, all = 0.0;
    turn_echoes(r);
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
static bool is_spatial(const struct run *r) {
    return !r->per_pulse && r->h->n_scatterer >= LEAST_SPATIAL;
}

static double try_recipe(struct run *r, const struct phase_recipe *recipe) {
    double sum = 0.0;
    for (size_t fold = 0; fold < FOLDS; fold++) {
        take_echoes(r, fold, false);
        run_recipe(r, recipe);
        take_echoes(r, fold, true);
        memset(r->offset, 0, r->h->n_scatterer * sizeof *r->offset);
        for (int pass = 0; pass < PLACE_PASSES && is_spatial(r); pass++) {
            fit_places(r);
        }
        sum += rate(r) / FOLDS;
    }
    return sum;
}

static void consider(struct run *r, const struct phase_recipe *candidate, double *best,
                     struct phase_recipe *recipe) {
    const double score = try_recipe(r, candidate);
    if (score > BETTER * *best) {
        *best = score;
        *recipe = *candidate;
    }
}

/* One choice after the other: smoothing lengths in octaves, or in steps of four of long tracks. */
static void choose(struct run *r, struct phase_recipe *recipe, double score[2]) {
    const size_t n = r->h->n_pulse, factor = n > 2000 ? 4 : 2;
    *recipe = (struct phase_recipe){0};
    score[0] = score[1] = try_recipe(r, recipe);
    for (size_t by = 0; by <= n / 8; by = by > 0 ? factor * by : 1) {
        const struct phase_recipe with = {.gradient = true, .gradient_from = by};
        consider(r, &with, &score[1], recipe);
    }
    const struct phase_recipe first = *recipe;
    for (size_t by = 0; by <= n / 4; by = by > 0 ? factor * by : 1) {
        struct phase_recipe with = first;
        with.residual = true;
        with.residual_by = by;
        consider(r, &with, &score[1], recipe);
    }
    const struct phase_recipe second = *recipe;
    for (size_t by = 0; by <= n / 4 && is_spatial(r); by = by > 0 ? factor * by : 1) {
        struct phase_recipe with = second;
        with.spatial = true;
        with.spatial_by = by;
        consider(r, &with, &score[1], recipe);
    }
}

static void keep(const struct run *r, struct phase_estimate *estimate) {
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

enum nfsar_status phase_estimate_make(const struct phase_history *history,
                                      struct phase_estimate *estimate, struct phase_recipe *recipe,
                                      double score[2], double *condition, nfsar_error *error) {
    const size_t n = history->n_scatterer * history->n_pulse;
    struct run r = {
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
    r.room = buffer_alloc(history->n_pulse, sizeof *r.room);
    r.trend = buffer_alloc(2 * history->n_pulse, sizeof *r.trend);
    if (r.offset == NULL || r.room == NULL || r.trend == NULL || r.index == NULL ||
        r.echo == NULL || r.turned == NULL || r.smooth == NULL || r.scratch == NULL ||
        r.along == NULL || r.moved == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu echoes", n);
    } else {
        choose(&r, recipe, score);
        take_echoes(&r, FOLDS, false);
        run_recipe(&r, recipe);
        keep(&r, estimate);
        *condition = recipe->spatial ? r.condition : (double)NAN;
    }
    free(r.index);
    free(r.offset);
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
                h->k[band] * dot(h->way[at], estimate->displacement_m[pulse]);
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
