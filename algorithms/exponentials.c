#include "algorithms/exponentials.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/geometry.h>

/* Fewer nodes than this part of what there is are worth the weights. */
#define WORTH 0.75

/* More nodes cost more to weigh than they save. */
enum { MOST_NODES = 400 };

/* Added to the diagonal: the matrix is singular to rounding. Errors below its root are not to be
 * had. */
#define RIDGE 1e-14

/* Steps by which uniform nodes reach beyond the outermost s: where there are many, their errors
 * would else gather at the ends (tried: 1 to 8). */
static double beyond(double bend) {
    return fmin(2.0 + 2.0 * bend / NFSAR_PI / 13.0, 6.0);
}

/* How many s a trial is checked at; x are checked between as many as there are nodes, and some. */
enum { CHECKED_S = 100, MORE_X = 12 };

/* A trial number of nodes, everything scaled so that s and x run over -1 .. 1 and the phase is
 * bend * s * x. */
struct trial {
    size_t n;
    double bend;
    double *node;   /* [n] */
    double *factor; /* [n][n] lower triangle: Cholesky's of J0(bend (node_m - node_k)) */
    double *weight; /* [n] */
    double *turn;   /* [n + MORE_X][n][2] cosine and sine of bend node_m x_q */
};

/* x of a check, 0 .. 1: negative ones mirror them, as weights are real. */
static double checked_x(const struct trial *trial, size_t q) {
    return sin(0.5 * NFSAR_PI * (double)q / (double)(trial->n + MORE_X - 1));
}

/* Nodes between Chebyshev's (roundness 0) and equally spaced ones (1): arcsines of Chebyshev's
 * (Kosloff and Tal-Ezer 1993), the outermost at +-1. Many oscillations want them rounder. */
static void place_clustered(struct trial *trial) {
    double cells = 2.0 * trial->bend / NFSAR_PI;
    double roundness = cells < 16.0 ? 0.7 : cells < 48.0 ? 0.9 : cells < 80.0 ? 0.97 : 0.99;
    double first = asin(roundness * cos(0.5 * NFSAR_PI / (double)trial->n));
    for (size_t i = 0; i < trial->n; i++) {
        double chebyshev = -cos(NFSAR_PI * ((double)i + 0.5) / (double)trial->n);
        trial->node[i] = asin(roundness * chebyshev) / first;
    }
}

static void place_uniform(struct trial *trial) {
    double steps = (double)(trial->n - 1), end = steps / (steps - 2.0 * beyond(trial->bend));
    for (size_t i = 0; i < trial->n; i++) {
        trial->node[i] = end * (2.0 * (double)i / steps - 1.0);
    }
}

/* Least squares over |x| <= 1 with weight 1/sqrt(1 - x^2), under which the error is as large
 * within as at the ends: the normal matrix is pi J0. */
static bool factorise(struct trial *trial) {
    size_t n = trial->n;
    double *l = trial->factor;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k <= i; k++) {
            double sum = j0(trial->bend * (trial->node[i] - trial->node[k]));
            sum += i == k ? RIDGE : 0.0;
            for (size_t m = 0; m < k; m++) {
                sum -= l[i * n + m] * l[k * n + m];
            }
            if (i == k && !(sum > 0.0)) {
                return false;
            }
            l[i * n + k] = i == k ? sqrt(sum) : sum / l[k * n + k];
        }
    }
    return true;
}

/* Weights of the nodes for one s. */
static void solve(struct trial *trial, double s) {
    size_t n = trial->n;
    double *w = trial->weight;
    const double *l = trial->factor;
    for (size_t i = 0; i < n; i++) {
        double sum = j0(trial->bend * (trial->node[i] - s));
        for (size_t m = 0; m < i; m++) {
            sum -= l[i * n + m] * w[m];
        }
        w[i] = sum / l[i * n + i];
    }
    for (size_t i = n; i-- > 0;) {
        double sum = w[i];
        for (size_t m = i + 1; m < n; m++) {
            sum -= l[m * n + i] * w[m];
        }
        w[i] = sum / l[i * n + i];
    }
}

static void fill_turns(struct trial *trial) {
    double *turn = trial->turn;
    for (size_t q = 0; q < trial->n + MORE_X; q++) {
        double x = trial->bend * checked_x(trial, q);
        for (size_t m = 0; m < trial->n; m++, turn += 2) {
            turn[0] = cos(trial->node[m] * x);
            turn[1] = sin(trial->node[m] * x);
        }
    }
}

/* Largest error for one s whose weights are there. */
static double error_at(const struct trial *trial, double s) {
    double worst = 0.0;
    const double *turn = trial->turn;
    for (size_t q = 0; q < trial->n + MORE_X; q++) {
        double x = trial->bend * checked_x(trial, q);
        double re = -cos(s * x), im = -sin(s * x);
        for (size_t m = 0; m < trial->n; m++, turn += 2) {
            re += trial->weight[m] * turn[0];
            im += trial->weight[m] * turn[1];
        }
        worst = fmax(worst, hypot(re, im));
    }
    return worst;
}

/* s scaled to -1 .. 1. */
static double scaled(double s, double middle, double radius) {
    return radius > 0.0 ? (s - middle) / radius : 0.0;
}

static bool good_enough(struct trial *trial, const double *s, size_t n, double middle,
                        double radius, double tolerance) {
    size_t every = n > CHECKED_S ? n / CHECKED_S : 1;
    fill_turns(trial);
    for (size_t i = 0; i < n; i += every) {
        double at = scaled(s[i], middle, radius);
        solve(trial, at);
        if (!(error_at(trial, at) <= tolerance)) {
            return false;
        }
    }
    return true;
}

static bool keep(exponentials *plan, struct trial *trial, const double *s, double middle,
                 double radius) {
    plan->n_node = trial->n;
    plan->node = malloc(trial->n * sizeof *plan->node);
    plan->weight = malloc(plan->n * trial->n * sizeof *plan->weight);
    if (plan->node == NULL || plan->weight == NULL) {
        return false;
    }
    for (size_t m = 0; m < trial->n; m++) {
        plan->node[m] = middle + radius * trial->node[m];
    }
    for (size_t i = 0; i < plan->n; i++) {
        solve(trial, scaled(s[i], middle, radius));
        for (size_t m = 0; m < trial->n; m++) {
            plan->weight[i * trial->n + m] = (float)trial->weight[m];
        }
    }
    return true;
}

static void range_of(const double *s, size_t n, double *middle, double *radius) {
    double low = s[0], high = s[0];
    for (size_t i = 1; i < n; i++) {
        low = fmin(low, s[i]);
        high = fmax(high, s[i]);
    }
    *middle = 0.5 * (low + high);
    *radius = 0.5 * (high - low);
}

/* Nodes from which on it is tried, and those beyond which it is not worth it. */
static double first_tried(double bend, enum exponentials_nodes nodes) {
    return ceil(2.0 * bend / NFSAR_PI) +
           (nodes == EXPONENTIALS_UNIFORM ? 3.0 + 2.0 * beyond(bend) : 5.0);
}

static double last_tried(size_t n) {
    return fmin(WORTH * (double)n, MOST_NODES);
}

size_t exponentials_least(const double *s, size_t n, double half, enum exponentials_nodes nodes) {
    double middle, radius;
    range_of(s, n, &middle, &radius);
    double least = first_tried(radius * half, nodes);
    return least <= last_tried(n) ? (size_t)least : n;
}

/* False when there is no memory; `plan` stays without nodes when none are worth it. */
static bool search(exponentials *plan, const double *s, double half, double tolerance,
                   enum exponentials_nodes nodes) {
    double middle, radius;
    range_of(s, plan->n, &middle, &radius);
    double bend = radius * half;
    double least = first_tried(bend, nodes), most = last_tried(plan->n);
    if (!(least <= most)) {
        return true;
    }
    size_t room = (size_t)most;
    struct trial trial = {.bend = bend,
                          .node = malloc(room * sizeof(double)),
                          .factor = malloc(room * room * sizeof(double)),
                          .weight = malloc(room * sizeof(double)),
                          .turn = malloc((room + MORE_X) * room * 2 * sizeof(double))};
    bool fits =
        trial.node != NULL && trial.factor != NULL && trial.weight != NULL && trial.turn != NULL;
    bool found = false;
    for (size_t n = (size_t)least; fits && !found && n <= room; n += 1 + n / 32) {
        trial.n = n;
        if (nodes == EXPONENTIALS_UNIFORM) {
            place_uniform(&trial);
        } else {
            place_clustered(&trial);
        }
        found = factorise(&trial) && good_enough(&trial, s, plan->n, middle, radius, tolerance);
    }
    if (found) {
        fits = keep(plan, &trial, s, middle, radius);
    }
    free(trial.node);
    free(trial.factor);
    free(trial.weight);
    free(trial.turn);
    return fits;
}

exponentials *exponentials_create(const double *s, size_t n, double half, double tolerance,
                                  enum exponentials_nodes nodes) {
    exponentials *plan = calloc(1, sizeof *plan);
    if (plan == NULL) {
        return NULL;
    }
    plan->n = n;
    bool fits = search(plan, s, half, tolerance, nodes);
    if (fits && plan->n_node == 0) {
        plan->exact = true;
        plan->n_node = n;
        plan->node = malloc(n * sizeof *plan->node);
        fits = plan->node != NULL;
        if (fits) {
            memcpy(plan->node, s, n * sizeof *s);
        }
    }
    if (!fits) {
        exponentials_destroy(plan);
        return NULL;
    }
    return plan;
}

void exponentials_destroy(exponentials *plan) {
    if (plan != NULL) {
        free(plan->node);
        free(plan->weight);
        free(plan);
    }
}
