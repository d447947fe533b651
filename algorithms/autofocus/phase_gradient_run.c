/* Displacements from the echoes at the scatterers' places.
 *
 * The gradient of the phase is the maximum-likelihood estimate for many scatterers, arg sum conj
 * g(l) g(l + 1) (Eichel and Jakowatz, "Phase-gradient algorithm as an optimal estimator of the
 * phase derivative", Optics Letters 14, 1989). In place of the window that they cut around the
 * scatterers in the image, echoes are smoothed along the track, which is its Fourier transform and
 * holds for any track. How much is smoothed is decided by echoes that are held out. */
#include "algorithms/autofocus/phase_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/elimination.h"

/* Passes of the comparison with the mean echo. */
enum { RESIDUAL_PASSES = 4, SPATIAL_PASSES = 12 };

/* Boxes for the smooth part of a phase are so many pulses to either side. */
enum { UNWRAP_BY = 5 };

/* Directions of the displacement in which the scatterers tell less than this part of what they tell
 * in all are left to the others. */
#define RIDGE 1e-2

/* Radians of a scatterer for a unit of run->along. */
static double gain_of(const struct phase_run *r, size_t i, size_t pulse) {
    if (r->per_pulse) {
        return 1.0;
    }
    const nfsar_vec3 way = r->h->way[r->index[i] * r->h->n_pulse + pulse];
    const nfsar_vec3 sight = r->h->sight[pulse];
    return r->k * nfsar_vec3_dot(way, sight);
}

void phase_run_turn(struct phase_run *r) {
    const size_t n = r->h->n_pulse;
    for (size_t i = 0; i < r->n; i++) {
        for (size_t l = 0; l < n; l++) {
            double phase = gain_of(r, i, l) * r->along[l];
            if (!r->per_pulse) {
                phase += r->k * nfsar_vec3_dot(r->h->way[r->index[i] * n + l],
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

static void smooth_echoes(struct phase_run *r, size_t by) {
    const size_t n = r->h->n_pulse;
    for (size_t i = 0; i < r->n; i++) {
        phase_smooth(r->turned + i * n, n, by, r->scratch, r->smooth + i * n);
    }
}

/* Mean of gain_of() over the scatterers: what a phase common to them is divided by. */
static double mean_gain(const struct phase_run *r, size_t pulse) {
    double sum = 0.0;
    for (size_t i = 0; i < r->n; i++) {
        sum += gain_of(r, i, pulse);
    }
    return sum / (double)r->n;
}

static void add_gradient(struct phase_run *r, size_t from) {
    const size_t n = r->h->n_pulse;
    for (size_t by = from;; by = by > 0 ? 2 * by : 1) {
        phase_run_turn(r);
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
static double complex mean_echo(const struct phase_run *r, size_t i, double *noise) {
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

static void add_residual(struct phase_run *r, size_t by) {
    const size_t n = r->h->n_pulse;
    double complex *all = r->smooth; /* [n_pulse] of it */
    for (int pass = 0; pass < RESIDUAL_PASSES; pass++) {
        phase_run_turn(r);
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
void phase_run_places(struct phase_run *r) {
    const size_t n = r->h->n_pulse;
    phase_run_turn(r);
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

static void add_spatial(struct phase_run *r, size_t by) {
    const size_t n = r->h->n_pulse;
    for (int pass = 0; pass < SPATIAL_PASSES; pass++) {
        double all[3][4] = {{0.0}}; /* of all pulses together */
        phase_run_turn(r);
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
        phase_run_places(r);
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
static void unwrap(struct phase_run *r) {
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

void phase_run_recipe(struct phase_run *r, const struct phase_recipe *recipe) {
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
