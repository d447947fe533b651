/* Leakage: the part of the pulses' common signal that comes from near the radar. A signal from
 * ranges of an interval has the covariance of a sinc; with one interval for leakage and one for
 * targets, some cells apart, the best estimate of the first out of their sum m is
 * C_near (C_near + C_far + eps)^-1 m (Wiener). */
#include <nfsar/background.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/range.h>

#include "calibration/blocks.h"

/* Fewest cells of range between leakage and targets: with fewer, the ends of the sweep mix them. */
#define GUARD_CELLS 2.0

/* And at the far end, where ranges come round to zero again. */
#define END_CELLS 3.0

/* Below zero, for the DC and for delays that were taken out too well. */
#define BELOW_CELLS 1.0

/* Power of what neither is, against both: -80 dB. */
#define NOISE 1e-8

/* The matrix is factorised in n^3 / 3 steps. */
enum { MOST_SAMPLES = 2048 };

/* Complex numbers that all knots may take: 1 GiB. */
#define MOST_KNOTS ((size_t)1 << 26)

struct nfsar_leakage {
    const nfsar_capture *capture;
    double beyond;
    size_t drift, n_knot;      /* knots every `drift` pulses; one for all where drift is 0 */
    double complex *near_part; /* [n][n] */
    double complex *factor;    /* [n][n] lower, Cholesky's of the sum */
    double complex *knot;      /* [n_knot][n_channel][n] sums, then leakage */
    double *weight; /* [3][n_knot] sums of the knots' hats, of their squares, and of their
                       products with the next */
    double power;
};

/* Covariance of ranges from low to high, half the path: integral of exp(+2j dk r). */
static double complex covariance(double dk, double low, double high) {
    double half = dk * (high - low);
    double size = fabs(half) < 1e-6 ? 1.0 : sin(half) / half;
    return (high - low) * size * cexp(I * fmod(dk * (low + high), 2.0 * NFSAR_PI));
}

/* Cholesky's factor in place; only the lower triangle is looked at. */
static bool factorise(double complex *a, size_t n) {
    for (size_t j = 0; j < n; j++) {
        for (size_t i = j; i < n; i++) {
            double complex sum = a[i * n + j];
            for (size_t m = 0; m < j; m++) {
                sum -= a[i * n + m] * conj(a[j * n + m]);
            }
            if (i == j && !(creal(sum) > 0.0)) {
                return false;
            }
            a[i * n + j] = i == j ? sqrt(creal(sum)) : sum / creal(a[j * n + j]);
        }
    }
    return true;
}

static void solve(const double complex *l, size_t n, double complex *x) {
    for (size_t i = 0; i < n; i++) {
        for (size_t m = 0; m < i; m++) {
            x[i] -= l[i * n + m] * x[m];
        }
        x[i] /= creal(l[i * n + i]);
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t m = i + 1; m < n; m++) {
            x[i] -= conj(l[m * n + i]) * x[m];
        }
        x[i] /= creal(l[i * n + i]);
    }
}

static enum nfsar_status no_memory(size_t n, nfsar_error *error) {
    return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for leakage in %zu samples", n);
}

static enum nfsar_status make_filter(nfsar_leakage *leakage, double near_m, double cell,
                                     double last, nfsar_error *error) {
    size_t n = leakage->capture->n_sample;
    double *k = malloc(n * sizeof *k);
    leakage->near_part = malloc(n * n * sizeof *leakage->near_part);
    leakage->factor = malloc(n * n * sizeof *leakage->factor);
    if (k == NULL || leakage->near_part == NULL || leakage->factor == NULL) {
        free(k);
        return no_memory(n, error);
    }
    nfsar_wavenumbers(leakage->capture->frequency_hz, n, k);
    for (size_t i = 0; i < n * n; i++) {
        double dk = k[i / n] - k[i % n];
        double complex here = covariance(dk, -BELOW_CELLS * cell, near_m);
        leakage->near_part[i] = here;
        leakage->factor[i] =
            here + covariance(dk, leakage->beyond, last - (BELOW_CELLS + END_CELLS) * cell) +
            (i % n == i / n ? NOISE * last : 0.0);
    }
    free(k);
    return factorise(leakage->factor, n)
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_FORMAT,
                            "these %zu frequencies do not tell leakage up to %g m from targets "
                            "beyond %g m: the equations have no solution",
                            n, near_m, leakage->beyond);
}

/* Knots every `drift` pulses, of which the last is at the last pulse or behind it: one for all
 * pulses where drift is 0. Sums at the knots, zeroed. */
static enum nfsar_status make_knots(nfsar_leakage *leakage, size_t drift, nfsar_error *error) {
    size_t n_pulse = leakage->capture->n_pulse, count = 0;
    size_t line = leakage->capture->array.n_channel * leakage->capture->n_sample;
    size_t most = MOST_KNOTS / line;
    leakage->drift = drift < n_pulse ? drift : n_pulse;
    leakage->n_knot = 1;
    if (leakage->drift > 0) {
        leakage->n_knot = (n_pulse - 1 + leakage->drift - 1) / leakage->drift + 1;
    }
    if (__builtin_mul_overflow(leakage->n_knot, line, &count) ||
        (leakage->n_knot > 1 && count > MOST_KNOTS)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "leakage that changes in the course of %zu pulse%s takes too much memory "
                          "for %zu pulses of %zu samples: %zu pulses are the least here",
                          drift, drift == 1 ? "" : "s", n_pulse, line,
                          most > 2 ? (n_pulse - 1) / (most - 2) + 1 : n_pulse);
    }
    leakage->weight = calloc(3 * leakage->n_knot, sizeof *leakage->weight);
    leakage->knot = calloc(count, sizeof *leakage->knot);
    return leakage->weight != NULL && leakage->knot != NULL
               ? NFSAR_OK
               : no_memory(leakage->capture->n_sample, error);
}

enum nfsar_status nfsar_leakage_create(const nfsar_capture *capture, const double limits_m[2],
                                       size_t drift, nfsar_leakage **leakage, nfsar_error *error) {
    *leakage = NULL;
    double cell = nfsar_range_resolution(capture), last = nfsar_range_unambiguous(capture);
    size_t n = capture->n_sample;
    if (n > MOST_SAMPLES || n < 2 || !isfinite(cell)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "leakage is told by its range, of 2 to %d frequencies; there are %zu",
                          MOST_SAMPLES, n);
    }
    double end = last - (BELOW_CELLS + END_CELLS) * cell;
    double near_m = limits_m[0], beyond = limits_m[1];
    if (!(near_m > 0.0) || !(beyond >= near_m + GUARD_CELLS * cell) || !(beyond < end)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "leakage up to %g m, targets from %g m on: expected more than 0, two "
                          "cells of range (%.3g m each) between them, and targets before %.3g m",
                          near_m, beyond, cell, end);
    }
    nfsar_leakage *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return no_memory(n, error);
    }
    *made = (nfsar_leakage){.capture = capture, .beyond = beyond};
    enum nfsar_status status = make_knots(made, drift, error);
    if (status == NFSAR_OK) {
        status = make_filter(made, near_m, cell, last, error);
    }
    if (status != NFSAR_OK) {
        nfsar_leakage_destroy(made);
        return status;
    }
    *leakage = made;
    return NFSAR_OK;
}

void nfsar_leakage_destroy(nfsar_leakage *leakage) {
    if (leakage != NULL) {
        free(leakage->near_part);
        free(leakage->factor);
        free(leakage->knot);
        free(leakage->weight);
        free(leakage);
    }
}

double nfsar_leakage_power(const nfsar_leakage *leakage) {
    return leakage->power;
}

/* The two knots about a pulse, and the second's share. */
static size_t knot_before(const nfsar_leakage *leakage, size_t pulse, double *share) {
    *share = 0.0;
    if (leakage->drift == 0) {
        return 0;
    }
    *share = (double)(pulse % leakage->drift) / (double)leakage->drift;
    return pulse / leakage->drift;
}

static void add(void *context, size_t pulse, const float complex *echo) {
    nfsar_leakage *leakage = context;
    size_t line = leakage->capture->array.n_channel * leakage->capture->n_sample;
    double share = 0.0;
    size_t first = knot_before(leakage, pulse, &share);
    leakage->weight[2 * leakage->n_knot + first] += share * (1.0 - share);
    for (size_t side = 0; side < 2 && (side == 0 || share > 0.0); side++) {
        double weight = side == 0 ? 1.0 - share : share;
        double complex *knot = leakage->knot + (first + side) * line;
        leakage->weight[first + side] += weight;
        leakage->weight[leakage->n_knot + first + side] += weight * weight;
        for (size_t i = 0; i < line; i++) {
            knot[i] += weight * (double complex)echo[i];
        }
    }
}

/* Sums at the knots to the broken line through the pulses, by least squares: means would be wrong
 * at the ends, where hats have one side. Tridiagonal, solved in place by Thomas's elimination. */
static void fit_knots(nfsar_leakage *leakage) {
    size_t n = leakage->n_knot;
    size_t line = leakage->capture->array.n_channel * leakage->capture->n_sample;
    double *diagonal = leakage->weight + n, *beside = leakage->weight + 2 * n;
    for (size_t j = 0; j < n; j++) {
        /* Knots without pulses: nothing. */
        diagonal[j] += 1e-9;
        double factor = j > 0 ? beside[j - 1] / diagonal[j - 1] : 0.0;
        diagonal[j] -= j > 0 ? factor * beside[j - 1] : 0.0;
        for (size_t i = 0; j > 0 && i < line; i++) {
            leakage->knot[j * line + i] -= factor * leakage->knot[(j - 1) * line + i];
        }
    }
    for (size_t j = n; j-- > 0;) {
        for (size_t i = 0; i < line; i++) {
            double complex after = j + 1 < n ? leakage->knot[(j + 1) * line + i] : 0.0;
            leakage->knot[j * line + i] =
                (leakage->knot[j * line + i] - beside[j] * after) / diagonal[j];
        }
    }
}

/* A knot's signal to its part from near the radar. */
static void keep_near(const nfsar_leakage *leakage, double complex *line, double complex *work) {
    size_t n = leakage->capture->n_sample;
    memcpy(work, line, n * sizeof *work);
    solve(leakage->factor, n, work);
    for (size_t i = 0; i < n; i++) {
        double complex sum = 0.0;
        for (size_t m = 0; m < n; m++) {
            sum += leakage->near_part[i * n + m] * work[m];
        }
        line[i] = sum;
    }
}

enum nfsar_status nfsar_leakage_find(nfsar_leakage *leakage, const nfsar_echo_source *source,
                                     nfsar_error *error) {
    size_t n = leakage->capture->n_sample, channels = leakage->capture->array.n_channel, used = 0;
    double complex *work = malloc(n * sizeof *work);
    if (work == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    enum nfsar_status status = blocks_read(leakage->capture, source, add, leakage, &used, error);
    double power = 0.0;
    if (status == NFSAR_OK) {
        fit_knots(leakage);
    }
    for (size_t j = 0; status == NFSAR_OK && j < leakage->n_knot; j++) {
        for (size_t c = 0; c < channels && leakage->weight[j] > 0.0; c++) {
            double complex *line = leakage->knot + (j * channels + c) * n;
            keep_near(leakage, line, work);
            for (size_t i = 0; i < n; i++) {
                power += leakage->weight[j] * creal(line[i] * conj(line[i]));
            }
        }
    }
    leakage->power = used > 0 ? power / (double)(used * channels * n) : 0.0;
    free(work);
    return status;
}

void nfsar_leakage_at(const nfsar_leakage *leakage, size_t pulse, float complex *out) {
    size_t line = leakage->capture->array.n_channel * leakage->capture->n_sample;
    double share = 0.0;
    size_t first = knot_before(leakage, pulse, &share);
    const double complex *before = leakage->knot + first * line;
    const double complex *after = share > 0.0 ? before + line : before;
    for (size_t i = 0; i < line; i++) {
        out[i] = (float complex)((1.0 - share) * before[i] + share * after[i]);
    }
}
