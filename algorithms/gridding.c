#include "algorithms/gridding.h"

#include <math.h>
#include <stddef.h>

#include <nfsar/geometry.h>

/* Points of the midpoint rule over half the kernel: the widest turns often under it. */
enum {
    POINTS_ALWAYS = 20,
    POINTS_EACH = 6,
    POINTS = POINTS_ALWAYS + POINTS_EACH * GRIDDING_WIDEST
};

/* The best beta, found by trying, is near this fraction of pi width (1 - 1 / (2 oversampling)), the
 * bandwidth at which the first alias begins. */
static double usual_fraction(int width) {
    return fmax(0.8, 0.99 - 1.25 / (width * width));
}

/* It is looked for at so many places about that. */
enum { TRIES = 5 };
#define TRY_STEP 0.015

/* Periods of aliases that are looked at. */
enum { ALIASES = 2 };

double gridding_value(double x, double beta) {
    return exp(beta * (sqrt(fmax(0.0, 1.0 - x * x)) - 1.0));
}

/* The integral over the angle, x = sin(angle): smooth up to the ends. */
struct rule {
    int n;
    double at[POINTS], weight[POINTS];
};

static struct rule make_rule(int width, double beta) {
    struct rule rule = {.n = POINTS_ALWAYS + POINTS_EACH * width};
    double h = 0.5 * NFSAR_PI / rule.n, half = 0.5 * width;
    for (int i = 0; i < rule.n; i++) {
        double c = cos(h * (i + 0.5));
        rule.at[i] = half * sin(h * (i + 0.5));
        rule.weight[i] = 2.0 * half * h * c * exp(beta * (c - 1.0));
    }
    return rule;
}

static double transform(const struct rule *rule, double omega) {
    double sum = 0.0;
    for (int i = 0; i < rule->n; i++) {
        sum += rule->weight[i] * cos(omega * rule->at[i]);
    }
    return sum;
}

double gridding_transform(int width, double beta, double omega) {
    struct rule rule = make_rule(width, beta);
    return transform(&rule, omega);
}

/* What the kernel lets through beside a bin, relative to the bin: the most among the outer ones. At
 * a single bin an alias may happen to be zero. */
static double leakage(int width, double beta, double oversampling) {
    static const double bins[] = {1.0, 0.99, 0.98, 0.965, 0.95, 0.92, 0.88, 0.82, 0.75, 0.65};
    struct rule rule = make_rule(width, beta);
    double worst = 0.0;
    for (size_t i = 0; i < sizeof bins / sizeof bins[0]; i++) {
        double omega = bins[i] * NFSAR_PI / oversampling, sum = 0.0;
        for (int l = 1; l <= ALIASES; l++) {
            sum += fabs(transform(&rule, 2.0 * NFSAR_PI * l - omega)) +
                   fabs(transform(&rule, 2.0 * NFSAR_PI * l + omega));
        }
        /* Of the aliases further away there is what the steps at both ends make. */
        worst = fmax(worst, (sum + 2.0 * exp(-beta)) / transform(&rule, omega));
    }
    return worst;
}

struct gridding gridding_best(int width, double oversampling) {
    double scale = NFSAR_PI * width * (1.0 - 0.5 / oversampling);
    struct gridding best = {.width = width, .error = INFINITY};
    for (int i = 0; i < TRIES; i++) {
        double fraction = usual_fraction(width) + TRY_STEP * (i - TRIES / 2);
        double error = leakage(width, fraction * scale, oversampling);
        if (error < best.error) {
            best.error = error;
            best.beta = fraction * scale;
        }
    }
    best.gain = gridding_transform(width, best.beta, 0.0) /
                gridding_transform(width, best.beta, NFSAR_PI / oversampling);
    return best;
}

struct gridding gridding_choose(double tolerance, double oversampling) {
    /* The error falls by exp(-pi sqrt(1 - 1 / oversampling)) with each grid point of width. */
    double decay = NFSAR_PI * sqrt(1.0 - 1.0 / oversampling);
    int width = (int)fmin(GRIDDING_WIDEST, floor(-log(tolerance) / decay));
    width = width < 2 ? 2 : width;
    struct gridding found = gridding_best(width, oversampling);
    while (found.error > tolerance && found.width < GRIDDING_WIDEST) {
        found = gridding_best(found.width + 1, oversampling);
    }
    return found;
}
