/* Frequencies that stand for all: with R between `near` and `far`, for every class of pairs,
 *
 *     R exp(-j s_i R - j s_i b(R) / 2) = sum_m W_im exp(-j node_m R),
 *
 * s = 2k, b(R) the path that a pair has over an antenna at its midpoint, for waves of a middling
 * slope; and the same for the derivative by the slope. The factor R makes what
 * backprojection wants of a pair out of what solves the wave equation, exp(-j s R) / R; where views
 * are to count the same it is left out. */
#include "algorithms/csar_plan.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include "algorithms/exponentials.h"

/* As many frequencies are handed to the search for nodes: enough that thinning is always worth it.
 */
enum { DENSE = 600 };

/* Added to the diagonal: the matrix is singular to rounding. */
#define RIDGE 1e-13

/* Largest error of the weights relative to the far end. */
static double thinning(const nfsar_csar_plan *plan) {
    double error = 0.03 * plan->options.tolerance;
    return error > 5e-7 ? error : 5e-7;
}

/* Path of a pair over its midpoint, of a wave whose slope along the baseline is the root of
 * `slope`. */
static double extra_path(double range, const struct csar_class *class, double slope) {
    double across = range * range + 0.25 * class->square;
    double along = range * sqrt(class->along * fmax(slope, 0.0));
    return sqrt(across + along) + sqrt(fmax(across - along, 0.0)) - 2.0 * range;
}

/* Its derivative by the slope. */
static double extra_slope(double range, const struct csar_class *class, double slope) {
    const double step = 1e-3;
    double low = fmax(slope - step, 0.0);
    return (extra_path(range, class, slope + step) - extra_path(range, class, low)) /
           (slope + step - low);
}

/* Compensation turns s_i into local frequencies s_i (1 + b'(R) / 2), lower ones. */
static double lowest(const nfsar_csar_plan *plan, double s) {
    double r = plan->near;
    return s * (r / sqrt(r * r + 0.25 * plan->widest));
}

static enum nfsar_status find_nodes(nfsar_csar_plan *plan, double half, nfsar_error *error) {
    double low = lowest(plan, 2.0 * plan->k_min), high = 2.0 * plan->k_max, dense[DENSE];
    /* The factor R and a path that varies take a little more than the band. */
    double more = 0.5 * NFSAR_PI / half;
    for (size_t i = 0; i < DENSE; i++) {
        dense[i] = low - more + (high - low + 2.0 * more) * (double)i / (DENSE - 1);
    }
    exponentials *thin =
        exponentials_create(dense, DENSE, half, thinning(plan), EXPONENTIALS_CLUSTERED);
    if (thin == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    if (thin->exact) {
        exponentials_destroy(thin);
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "ranges from %.3g to %.3g m with a band of %.3g GHz are too much for "
                          "csar; a smaller grid may do",
                          plan->near, plan->far,
                          (high - low) * NFSAR_SPEED_OF_LIGHT / (4e9 * NFSAR_PI));
    }
    plan->n_node = thin->n_node;
    plan->node = thin->node;
    thin->node = NULL;
    exponentials_destroy(thin);
    return NFSAR_OK;
}

/* The fit: exp(+j node_m x_q) at ranges x_q from the middle, and Cholesky's factor of its normal
 * matrix. */
struct fit {
    size_t n, n_x;
    double middle;
    double *x;            /* [n_x] */
    double complex *wave; /* [n_x][n] */
    double complex *l;    /* [n][n] lower triangle */
};

static void fill(const nfsar_csar_plan *plan, double half, struct fit *fit) {
    for (size_t q = 0; q < fit->n_x; q++) {
        /* Denser at the ends. */
        fit->x[q] = -half * cos(NFSAR_PI * ((double)q + 0.5) / (double)fit->n_x);
        for (size_t m = 0; m < fit->n; m++) {
            fit->wave[q * fit->n + m] = cexp(CMPLX(0.0, plan->node[m] * fit->x[q]));
        }
    }
}

static void factorise(const struct fit *fit) {
    size_t n = fit->n;
    double complex *l = fit->l;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k <= i; k++) {
            double complex sum = i == k ? RIDGE * (double)fit->n_x : 0.0;
            for (size_t q = 0; q < fit->n_x; q++) {
                sum += fit->wave[q * n + i] * conj(fit->wave[q * n + k]);
            }
            for (size_t m = 0; m < k; m++) {
                sum -= l[i * n + m] * conj(l[k * n + m]);
            }
            l[i * n + k] = i == k ? sqrt(fmax(creal(sum), RIDGE)) : sum / l[k * n + k];
        }
    }
}

static void solve(const double complex *l, size_t n, double complex *w) {
    for (size_t i = 0; i < n; i++) {
        for (size_t m = 0; m < i; m++) {
            w[i] -= l[i * n + m] * w[m];
        }
        w[i] /= l[i * n + i];
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t m = i + 1; m < n; m++) {
            w[i] -= conj(l[m * n + i]) * w[m];
        }
        w[i] /= l[i * n + i];
    }
}

/* Waves are fewer the more they slope: this part of the largest square is the middling one. */
#define MIDDLING 0.4

/* Weights of sample i for pairs of this class, of one term, into re and im [n_node]; w[n_node] is
 * scratch. */
static void weigh(const nfsar_csar_plan *plan, const struct fit *fit, size_t i,
                  const struct csar_class *class, bool derivative, double complex *w, float *re,
                  float *im) {
    size_t n = fit->n;
    /* Each sample is developed at its own middling slope, and brought to the common one. */
    double s = 2.0 * plan->wavenumber[i], slope = plan->n_term == 2 ? plan->middling : 0.0;
    double apart = plan->slope - slope * s * s;
    for (size_t m = 0; m < n; m++) {
        w[m] = 0.0;
    }
    for (size_t q = 0; q < fit->n_x; q++) {
        double range = fit->middle + fit->x[q];
        double factor = plan->options.equal_views ? 1.0 : range;
        double turn = s * (fit->x[q] + 0.5 * extra_path(range, class, slope));
        double complex wanted = factor * cexp(CMPLX(0.0, -turn));
        if (plan->n_term == 2) {
            double by_slope = -0.5 / s * extra_slope(range, class, slope);
            wanted *= derivative ? CMPLX(0.0, by_slope) : CMPLX(1.0, apart * by_slope);
        }
        for (size_t m = 0; m < n; m++) {
            w[m] += wanted * fit->wave[q * n + m];
        }
    }
    solve(fit->l, n, w);
    for (size_t m = 0; m < n; m++) {
        double complex weight =
            (double)plan->taper[i] * w[m] * cexp(CMPLX(0.0, (plan->node[m] - s) * fit->middle));
        re[m] = (float)creal(weight);
        im[m] = (float)cimag(weight);
    }
}

/* Whether baselines are so long, and waves so aslant, that their slope matters. */
static void choose_terms(nfsar_csar_plan *plan) {
    plan->upright = plan->erect >= plan->level;
    double sine = plan->upright ? sin(plan->full) : plan->farthest / plan->cylinder.radius;
    double cosine = sqrt(fmax(1.0 - sine * sine, 0.0)), most = 0.0;
    for (size_t c = 0; c < plan->n_class; c++) {
        most = fmax(most, plan->class[c].along);
    }
    /* The path is (d^2 - (d sine)^2) / (4 R); so aslant, what is near is farther. */
    double phase = plan->k_max * most * sine * sine * cosine / (4.0 * plan->near);
    plan->n_term = phase > csar_share(plan) ? 2 : 1;
    plan->middling = MIDDLING * sine * sine;
    plan->slope = plan->n_term == 2 ? plan->middling * pow(plan->k_min + plan->k_max, 2.0) : 0.0;
    plan->slope_phase = plan->n_term == 2 ? (1.0 - MIDDLING) * phase : 0.0;
}

enum nfsar_status csar_nodes(nfsar_csar_plan *plan, nfsar_error *error) {
    choose_terms(plan);
    /* Nodes that reach down to zero would be no waves. */
    double half = fmax(0.5 * (plan->far - plan->near), 6.0 / plan->k_min);
    enum nfsar_status status = find_nodes(plan, half, error);
    if (status != NFSAR_OK) {
        return status;
    }
    size_t n = plan->n_node, n_x = 2 * n + 16, n_sample = plan->capture->n_sample;
    plan->node_pitch = (n + CSAR_NODES - 1) / CSAR_NODES * CSAR_NODES;
    struct fit fit = {.n = n,
                      .n_x = n_x,
                      .middle = 0.5 * (plan->near + plan->far),
                      .x = malloc(n_x * sizeof(double)),
                      .wave = malloc(n_x * n * sizeof(double complex)),
                      .l = calloc(n * n, sizeof(double complex))};
    double complex *scratch = malloc((size_t)plan->threads * n * sizeof *scratch);
    plan->to_nodes = calloc(plan->n_class * n_sample * plan->n_term * 2 * plan->node_pitch,
                            sizeof *plan->to_nodes);
    if (fit.x == NULL || fit.wave == NULL || fit.l == NULL || scratch == NULL ||
        plan->to_nodes == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY,
                            "out of memory for the weights of %zu samples", n_sample);
    } else {
        fill(plan, half, &fit);
        factorise(&fit);
#pragma omp parallel for schedule(static) num_threads(plan->threads)
        for (size_t i = 0; i < plan->n_class * n_sample * plan->n_term; i++) {
            float *to = plan->to_nodes + i * 2 * plan->node_pitch;
            size_t sample = i / plan->n_term;
            weigh(plan, &fit, sample % n_sample, &plan->class[sample / n_sample],
                  i % plan->n_term == 1, scratch + (size_t)omp_get_thread_num() * n, to,
                  to + plan->node_pitch);
        }
    }
    free(fit.x);
    free(fit.wave);
    free(fit.l);
    free(scratch);
    return status;
}
