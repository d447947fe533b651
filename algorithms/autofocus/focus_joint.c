/* Image and displacements that together explain the echoes: steps of Gauss and Newton in both at
 * once. Taken in turns they would crawl, since an image that fits displacements which are wrong
 * across the line of sight explains the echoes nearly as well. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/autofocus/focus_floats.h"
#include "algorithms/autofocus/focus_search.h"
#include "algorithms/buffer.h"

/* Most of the energy that a fit is taken to explain. */
#define LEAST_LEFT 1e-3

/* A residual that has fallen to this part squared: no more is wanted. */
#define SOLVED 1e-9

/* Damping below this does nothing. */
#define LEAST_DAMPED 1e-6

/* Steps toward the image before the first round. */
enum { FIRST_STEPS = 8 };

/* A step's unknowns, the image and the coefficients; vectors of the first lie in the search (g the
 * residual, d the direction), of the second here. */
struct joint {
    struct focus_search *s;
    size_t first, last, k, n; /* lines, floats of a line, coefficients */
    double lambda, rescale;   /* of |m|^2, and of the prior against |rest|^2 */
    float *turn;              /* [lines][3][k] the echoes' derivatives by the displacement */
    float *m;                 /* [2][padded] the image before a step */
    double *residual, *scaled, *direction, *product, *step; /* [n] owned at residual */
};

/* What a line's echo changes by when it is displaced: -j k G of the image m. */
static void linearise(struct joint *j) {
    struct focus_search *s = j->s;
    const size_t bins = s->lines->band.n;
#pragma omp parallel for schedule(static)
    for (size_t l = j->first; l < j->last; l++) {
        struct focus_field f;
        focus_project(s->voxels, &s->lines->band, &s->pair[l], s->m_re, s->m_im, &f);
        struct focus_pull *out = &s->pull[l];
        memset(out, 0, sizeof *out);
        float *to = j->turn + l * 3 * j->k;
        for (size_t i = 0; i < bins; i++) {
            const double wave = s->lines->k0 + (double)i * s->lines->dk;
            for (size_t a = 0; a < 3; a++) {
                to[a * j->k + 2 * i] = (float)(wave * f.pull[a][2 * i + 1]);
                to[a * j->k + 2 * i + 1] = (float)(-wave * f.pull[a][2 * i]);
            }
            focus_pull_add(out, &f, i, wave);
        }
    }
}

/* s->turned = A d + D direction */
static void change(struct joint *j) {
    struct focus_search *s = j->s;
    focus_search_echo(s, j->first, j->last, s->d_re, s->d_im, s->turned);
#pragma omp parallel for schedule(static)
    for (size_t l = j->first; l < j->last; l++) {
        double e[3];
        focus_spline_value(&s->spline, j->direction, s->lines->time_s[l], e);
        const float *by = j->turn + l * 3 * j->k;
        float *to = s->turned + l * j->k;
        for (size_t a = 0; a < 3; a++) {
            const float f = (float)e[a];
            for (size_t i = 0; i < j->k; i++) {
                to[i] += f * by[a * j->k + i];
            }
        }
    }
}

/* residual = D' rest */
static void pull_back(struct joint *j) {
    const struct focus_search *s = j->s;
    memset(j->residual, 0, j->n * sizeof *j->residual);
    for (size_t l = j->first; l < j->last; l++) {
        double w[FOCUS_ORDER];
        const size_t at = focus_spline_at(&s->spline, s->lines->time_s[l], 0, w);
        const float *by = j->turn + l * 3 * j->k, *from = s->rest + l * j->k;
        for (size_t a = 0; a < 3; a++) {
            double sum = 0.0;
            for (size_t i = 0; i < j->k; i++) {
                sum += (double)by[a * j->k + i] * (double)from[i];
            }
            for (size_t i = 0; i < FOCUS_ORDER; i++) {
                j->residual[3 * (at + i) + a] += w[i] * sum;
            }
        }
    }
}

static void prior_of(const struct joint *j, const double *c, double *out) {
    focus_spline_apply(&j->s->spline, j->s->prior, c, out);
    for (size_t i = 0; i < j->n; i++) {
        out[i] *= j->s->stiff[i % 3] * j->rescale;
    }
}

/* Residuals of the normal equations after `step`. */
static void look(struct joint *j) {
    struct focus_search *s = j->s;
    const size_t v = s->voxels->padded;
    focus_search_back(s, j->first, j->last, s->rest, s->g_re, s->g_im);
    floats_add(s->g_re, -j->lambda, s->m_re, v);
    floats_add(s->g_im, -j->lambda, s->m_im, v);
    pull_back(j);
    for (size_t i = 0; i < j->n; i++) {
        j->scaled[i] = s->c[i] + j->step[i];
    }
    prior_of(j, j->scaled, j->product);
    for (size_t i = 0; i < j->n; i++) {
        j->residual[i] -= j->product[i] + s->damped[i] * j->step[i];
    }
}

/* Conjugate gradients on the linearised problem: s->m moves and `step` is found; s->rest is what
 * is left to first order. Preconditioned by the diagonal for the image, and by the displacements'
 * own equations for them. */
static void solve(struct joint *j, int steps) {
    struct focus_search *s = j->s;
    const size_t v = s->voxels->padded, cells = (j->last - j->first) * j->k;
    float *rest = s->rest + j->first * j->k, *turned = s->turned + j->first * j->k;
    const float weight =
        (float)(1.0 / ((double)((j->last - j->first) * s->lines->band.n) + j->lambda));
    double before = 0.0, start = 0.0;
    memset(j->step, 0, j->n * sizeof *j->step);
    for (int i = 0; i < steps && !s->cancelled; i++) {
        s->cancelled = !nfsar_progress_report(s->progress, s->done);
        look(j);
        memcpy(j->scaled, j->residual, j->n * sizeof *j->scaled);
        focus_search_divide(s, j->scaled);
        const double now =
            (double)weight * (floats_square(s->g_re, v) + floats_square(s->g_im, v)) +
            doubles_dot(j->n, j->residual, j->scaled);
        if (!(now > SOLVED * start)) {
            break;
        }
        start = i == 0 ? now : start;
        const double more = i == 0 ? 0.0 : now / before;
        before = now;
        for (size_t q = 0; q < v; q++) {
            s->d_re[q] = weight * s->g_re[q] + (i == 0 ? 0.0f : (float)more * s->d_re[q]);
            s->d_im[q] = weight * s->g_im[q] + (i == 0 ? 0.0f : (float)more * s->d_im[q]);
        }
        for (size_t q = 0; q < j->n; q++) {
            j->direction[q] = j->scaled[q] + (i == 0 ? 0.0 : more * j->direction[q]);
        }
        change(j);
        prior_of(j, j->direction, j->product);
        double bend = floats_square(turned, cells) +
                      j->lambda * (floats_square(s->d_re, v) + floats_square(s->d_im, v)) +
                      doubles_dot(j->n, j->direction, j->product);
        for (size_t q = 0; q < j->n; q++) {
            bend += s->damped[q] * j->direction[q] * j->direction[q];
        }
        const double by = now / bend;
        floats_add(s->m_re, by, s->d_re, v);
        floats_add(s->m_im, by, s->d_im, v);
        floats_add(rest, -by, turned, cells);
        for (size_t q = 0; q < j->n; q++) {
            j->step[q] += by * j->direction[q];
        }
    }
}

/* What is minimised, of which `left` is the part that the echoes say. */
static double cost(const struct joint *j, double left) {
    const struct focus_search *s = j->s;
    const size_t v = s->voxels->padded;
    prior_of(j, s->c, j->product);
    return left + j->lambda * (floats_square(s->m_re, v) + floats_square(s->m_im, v)) +
           doubles_dot(j->n, s->c, j->product);
}

/* One round, or going back when it was too long a step; false when no more is worth while. */
static bool go(struct joint *j, double all, int steps, double *left) {
    struct focus_search *s = j->s;
    const size_t v = s->voxels->padded;
    linearise(j);
    double power = 0.0;
    for (size_t l = j->first; l < j->last; l++) {
        power += s->pull[l].power;
    }
    const double times = (s->lines->time_s[j->last - 1] - s->lines->time_s[j->first]) / s->tau_s;
    const double samples = (double)((j->last - j->first) * s->lines->band.n);
    const double info = fmin(power / fmax(*left, LEAST_LEFT * all) * samples, s->trust * times);
    if (!(info > 0.0)) {
        return false;
    }
    j->rescale = power / (2.0 * info);
    const double before = cost(j, *left);
    memcpy(s->kept, s->c, j->n * sizeof *s->c);
    memcpy(j->m, s->m_re, 2 * v * sizeof *j->m);
    if (!focus_search_factor(s, j->first, j->last, j->rescale)) {
        return false;
    }
    solve(j, steps);
    for (size_t i = 0; i < j->n; i++) {
        s->c[i] += j->step[i];
    }
    *left = focus_search_left(s, j->first, j->last);
    const double after = cost(j, *left);
    if (after <= before) {
        s->damping = fmax(0.3 * s->damping, LEAST_DAMPED);
        return after < (1.0 - s->enough) * before;
    }
    memcpy(s->c, s->kept, j->n * sizeof *s->c);
    memcpy(s->m_re, j->m, 2 * v * sizeof *j->m);
    s->damping = fmin(4.0 * s->damping + 0.01, 1e3);
    *left = focus_search_left(s, j->first, j->last);
    return true;
}

enum nfsar_status focus_search_fit(struct focus_search *s, size_t from, size_t to, int rounds,
                                   int steps, double *part, nfsar_error *error) {
    const size_t v = s->voxels->padded;
    struct joint j = {.s = s,
                      .first = from * s->lines->per_pulse,
                      .last = to * s->lines->per_pulse,
                      .k = 2 * s->lines->band.n,
                      .n = 3 * s->spline.n};
    j.lambda = focus_search_damping(s, j.first, j.last);
    j.turn = buffer_alloc(s->lines->n * 3 * j.k, sizeof *j.turn);
    j.residual = buffer_alloc(5 * j.n, sizeof *j.residual);
    j.m = buffer_alloc(2 * v, sizeof *j.m);
    enum nfsar_status status = NFSAR_OK;
    if (j.turn == NULL || j.residual == NULL || j.m == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu echoes", s->lines->n);
    } else {
        j.scaled = j.residual + j.n;
        j.direction = j.scaled + j.n;
        j.product = j.direction + j.n;
        j.step = j.product + j.n;
        double all = 0.0;
        for (size_t p = from; p < to; p++) {
            all += s->energy[p];
        }
        focus_search_solve(s, from, to, FIRST_STEPS);
        double left = focus_search_left(s, j.first, j.last);
        s->settled = false;
        for (int r = 0; r < rounds && !s->settled && !s->cancelled; r++) {
            s->settled = !go(&j, all, steps, &left);
        }
        *part = all > 0.0 ? left / all : 1.0;
        memcpy(s->re, s->m_re, v * sizeof(float));
        memcpy(s->im, s->m_im, v * sizeof(float));
        s->fitted = true;
        if (s->cancelled) {
            status = nfsar_fail(error, NFSAR_ERROR_CANCELLED, "cancelled");
        }
    }
    free(j.turn);
    free(j.residual);
    free(j.m);
    return status;
}
