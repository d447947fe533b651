#include "algorithms/sparse/fista.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/buffer.h"
#include "algorithms/sparse/vectors.h"

/* Rounding and the operators' own error may look like a step that is too long. */
#define SLACK 1e-3

/* Of the lengths of x and A x: a step that changes either by less says nothing about |A|^2, since
 * both are rounded to about 1e-6. Of what is left, rounding is a tenth of |A| at most. */
#define LEAST_JUDGED 1e-5

/* Times that a step is made shorter at most. */
enum { MOST_RETRIES = 12 };

/* L over the estimate that came with the problem, at most. Eight steps of power iteration from a
 * random volume of n voxels find n^(-1/15) of |A|^2 or more: 0.4 of it for a million. */
#define MOST_GROWTH 4.0

struct fista {
    const struct fista_problem *problem;
    struct proximal *proximal;
    float complex *x, *older, *y, *gradient;  /* [n_image] */
    float complex *ax, *a_older, *ay, *spare; /* [n_sample] A of the first three, and a residual */
    double lipschitz, t;
    bool capped;
};

static enum nfsar_status begin(struct fista *f, const struct fista_problem *problem,
                               nfsar_error *error) {
    size_t n = problem->op->n_image, m = problem->op->n_sample;
    float complex **const image[] = {&f->x, &f->older, &f->y, &f->gradient};
    float complex **const sample[] = {&f->ax, &f->a_older, &f->ay, &f->spare};
    *f = (struct fista){.problem = problem, .lipschitz = problem->lipschitz, .t = 1.0};
    f->proximal = proximal_create(problem->shape, problem->tv > 0.0, problem->threads);
    bool good = f->proximal != NULL;
    for (size_t i = 0; i < 4; i++) {
        *image[i] = buffer_zeros(n, sizeof **image[i]);
        *sample[i] = buffer_zeros(m, sizeof **sample[i]);
        good = good && *image[i] != NULL && *sample[i] != NULL;
    }
    return good
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_MEMORY,
                            "out of memory for four copies of %zu voxels and of %zu samples", n, m);
}

static void end(struct fista *f) {
    proximal_destroy(f->proximal);
    float complex *const all[] = {f->x,  f->older,   f->y,  f->gradient,
                                  f->ax, f->a_older, f->ay, f->spare};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        free(all[i]);
    }
}

static void swap(float complex **a, float complex **b) {
    float complex *held = *a;
    *a = *b;
    *b = held;
}

/* gradient = A^H (A y - s) */
static enum nfsar_status differentiate(struct fista *f, nfsar_error *error) {
    const struct linear_operator *op = f->problem->op;
    for (size_t i = 0; i < op->n_sample; i++) {
        f->spare[i] = f->ay[i] - f->problem->samples[i];
    }
    return op->adjoint(op->context, f->spare, f->gradient, error);
}

/* Makes L larger where the step 1 / L from y to x was too long: whether it did. */
static bool shorten(struct fista *f) {
    const struct linear_operator *op = f->problem->op;
    const double tiny = LEAST_JUDGED * LEAST_JUDGED;
    double moved = vectors_distance(f->x, f->y, op->n_image);
    double there = vectors_distance(f->ax, f->ay, op->n_sample);
    if (!(moved > tiny * vectors_power(f->x, op->n_image)) ||
        !(there > tiny * vectors_power(f->ax, op->n_sample)) ||
        !(there > f->lipschitz * moved * (1.0 + SLACK))) {
        return false;
    }
    double most = fmax(MOST_GROWTH * f->problem->lipschitz, f->lipschitz);
    double wanted = 1.02 * there / moved, before = f->lipschitz;
    f->capped = f->capped || wanted > most;
    f->lipschitz = fmin(wanted, most);
    return f->lipschitz > before;
}

/* x and A x from y and the gradient there, with a step that is short enough. x was the older one.
 */
static enum nfsar_status step(struct fista *f, nfsar_error *error) {
    const struct fista_problem *problem = f->problem;
    const struct linear_operator *op = problem->op;
    for (int tries = 0;; tries++) {
        float length = (float)(1.0 / f->lipschitz);
        for (size_t i = 0; i < op->n_image; i++) {
            f->gradient[i] *= length;
            f->gradient[i] = f->y[i] - f->gradient[i];
        }
        proximal_map(f->proximal, f->gradient, problem->l1 / f->lipschitz,
                     problem->tv / f->lipschitz, problem->tv_iterations, f->x);
        enum nfsar_status status = op->forward(op->context, f->x, f->ax, error);
        if (status != NFSAR_OK) {
            return status;
        }
        if (tries == MOST_RETRIES || !shorten(f)) {
            return NFSAR_OK;
        }
        /* The gradient again out of where it led. */
        for (size_t i = 0; i < op->n_image; i++) {
            f->gradient[i] = (f->y[i] - f->gradient[i]) / length;
        }
    }
}

/* y and A y for the next step; true when the momentum was dropped. */
static bool run_on(struct fista *f) {
    size_t n = f->problem->op->n_image, m = f->problem->op->n_sample;
    double complex uphill = vectors_dot(f->y, f->x, n) - vectors_power(f->x, n) -
                            vectors_dot(f->y, f->older, n) + vectors_dot(f->x, f->older, n);
    bool restart = creal(uphill) > 0.0;
    double next = 0.5 * (1.0 + sqrt(1.0 + 4.0 * f->t * f->t));
    float momentum = restart ? 0.0f : (float)((f->t - 1.0) / next);
    f->t = restart ? 1.0 : next;
    for (size_t i = 0; i < n; i++) {
        f->y[i] = f->x[i] + momentum * (f->x[i] - f->older[i]);
    }
    for (size_t i = 0; i < m; i++) {
        f->ay[i] = f->ax[i] + momentum * (f->ax[i] - f->a_older[i]);
    }
    return restart;
}

static void judge(const struct fista *f, struct fista_outcome *outcome) {
    const struct fista_problem *problem = f->problem;
    size_t n = problem->op->n_image, m = problem->op->n_sample;
    double all = vectors_power(problem->samples, m);
    double left = vectors_distance(f->ax, problem->samples, m);
    outcome->residual = all > 0.0 ? sqrt(left / all) : 0.0;
    outcome->objective = 0.5 * left + problem->l1 * proximal_l1(f->x, n);
    if (problem->tv > 0.0) {
        outcome->objective += problem->tv * proximal_tv(f->x, problem->shape);
    }
    outcome->lipschitz = f->lipschitz;
    outcome->capped = f->capped;
}

/* For F, which is minimised, and x = prox(y - gradient / L), convexity gives
 * F(x) - min F <= L |y - x| |y - x*|. No momentum is in it, so a short step says nothing; the way
 * to the minimiser x* is unknown, and |x| stands for it. */
static void estimate_excess(const struct fista *f, struct fista_outcome *outcome) {
    size_t n = f->problem->op->n_image;
    double step = sqrt(vectors_distance(f->x, f->y, n));
    double length = sqrt(fmax(vectors_power(f->x, n), vectors_power(f->y, n)));
    judge(f, outcome);
    double bound = f->lipschitz * step * length;
    outcome->excess = step > 0.0 ? bound / outcome->objective : 0.0;
    /* Nor does single precision know better where x no longer moves. */
    outcome->converged =
        outcome->excess <= f->problem->tolerance || step <= (double)FLT_EPSILON * length;
}

static enum nfsar_status iterate(struct fista *f, struct fista_outcome *outcome,
                                 const nfsar_progress *progress, nfsar_error *error) {
    const struct fista_problem *problem = f->problem;
    enum nfsar_status status = NFSAR_OK;
    while (!outcome->converged && outcome->iterations < problem->iterations) {
        double done = (double)outcome->iterations / (double)problem->iterations;
        if (!nfsar_progress_report(progress, done)) {
            return nfsar_fail(error, NFSAR_ERROR_CANCELLED, "cancelled");
        }
        status = differentiate(f, error);
        if (status == NFSAR_OK) {
            swap(&f->x, &f->older);
            swap(&f->ax, &f->a_older);
            status = step(f, error);
        }
        if (status != NFSAR_OK) {
            return status;
        }
        estimate_excess(f, outcome);
        outcome->iterations++;
        outcome->restarts += run_on(f) ? 1 : 0;
    }
    return NFSAR_OK;
}

enum nfsar_status fista_solve(const struct fista_problem *problem, float complex *x,
                              struct fista_outcome *outcome, const nfsar_progress *progress,
                              nfsar_error *error) {
    const struct linear_operator *op = problem->op;
    struct fista f;
    *outcome = (struct fista_outcome){0};
    enum nfsar_status status = begin(&f, problem, error);
    if (status == NFSAR_OK) {
        memcpy(f.x, x, op->n_image * sizeof *x);
        memcpy(f.y, x, op->n_image * sizeof *x);
        /* Of nothing comes nothing: no need to compute it. */
        status = vectors_peak(x, op->n_image) > 0.0 ? op->forward(op->context, x, f.ax, error)
                                                    : NFSAR_OK;
    }
    if (status == NFSAR_OK) {
        memcpy(f.ay, f.ax, op->n_sample * sizeof *x);
        status = iterate(&f, outcome, progress, error);
    }
    if (status == NFSAR_OK) {
        memcpy(x, f.x, op->n_image * sizeof *x);
    }
    end(&f);
    return status;
}
