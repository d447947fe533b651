/* Steps toward a sharper image: Gauss-Newton against a fixed image, and L-BFGS on the sharpness. */
#include "algorithms/autofocus/focus_search.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/autofocus/focus_floats.h"
#include "algorithms/buffer.h"

/* Largest part of the echoes' energy that an image is trusted to explain. */
#define MOST_EXPLAINED 0.99

/* How well the lines match what was projected. */
struct match {
    double matched; /* sum over pulses of |match|, or of Re match */
    double power;   /* sum |field|^2 */
    double echo;    /* sum |echo|^2 */
    double samples;
};

void focus_search_prior(const struct focus_search *s, double *product) {
    focus_spline_apply(&s->spline, s->prior, s->c, product);
    for (size_t i = 0; i < 3 * s->spline.n; i++) {
        product[i] *= s->stiff[i % 3];
    }
}

static struct match match_of(const struct focus_search *s, size_t from, size_t to, bool phases) {
    struct match m = {0};
    for (size_t p = from; p < to; p++) {
        double complex sum = 0.0;
        for (size_t l = p * s->lines->per_pulse; l < (p + 1) * s->lines->per_pulse; l++) {
            sum += s->pull[l].match;
            m.power += s->pull[l].power;
        }
        m.matched += phases ? creal(sum) : cabs(sum);
        m.echo += s->energy[p];
    }
    m.samples = (double)((to - from) * s->lines->per_pulse * s->lines->band.n);
    return m;
}

/* Explained over unexplained energy, times the samples; at most what the sharpness is trusted. */
static double information(const struct focus_search *s, const struct match *m, size_t from,
                          size_t to) {
    if (!(m->power > 0.0) || !(m->echo > 0.0) || !(m->matched > 0.0)) {
        return 0.0;
    }
    const double part = fmin(m->matched * m->matched / (m->power * m->echo), MOST_EXPLAINED);
    const double times = (s->lines->time_s[(to - 1) * s->lines->per_pulse] -
                          s->lines->time_s[from * s->lines->per_pulse]) /
                         s->tau_s;
    return fmin(m->samples * part / (1.0 - part), s->trust * times);
}

/* The lower band of prior + scale sum bend, and with phases the right side too. */
static void add_bend(struct focus_search *s, size_t line, double scale) {
    static const int at[3][3] = {{0, 1, 2}, {1, 3, 4}, {2, 4, 5}};
    double w[FOCUS_ORDER];
    const size_t first = focus_spline_at(&s->spline, s->lines->time_s[line], 0, w);
    for (size_t i = 0; i < FOCUS_ORDER; i++) {
        for (size_t j = 0; j <= i; j++) {
            const double f = scale * w[i] * w[j];
            for (size_t a = 0; a < 3; a++) {
                const size_t row = 3 * (first + i) + a;
                for (size_t b = 0; b < 3; b++) {
                    const size_t column = 3 * (first + j) + b;
                    if (column <= row) {
                        s->system[column * FOCUS_BAND + (row - column)] +=
                            f * s->pull[line].bend[at[a][b]];
                    }
                }
            }
        }
    }
}

static void begin_system(struct focus_search *s) {
    memset(s->system, 0, 3 * s->spline.n * FOCUS_BAND * sizeof *s->system);
    for (size_t i = 0; i < s->spline.n; i++) {
        for (size_t d = 0; d < FOCUS_ORDER && d <= i; d++) {
            for (size_t a = 0; a < 3; a++) {
                s->system[(3 * (i - d) + a) * FOCUS_BAND + 3 * d] +=
                    s->stiff[a] * s->prior[i * FOCUS_ORDER + d];
            }
        }
    }
}

/* Coefficients outside [first, last) stay. */
static void fix_others(struct focus_search *s, size_t first, size_t last) {
    const size_t n = 3 * s->spline.n;
    for (size_t column = 0; column < n; column++) {
        const bool stays = column < 3 * first || column >= 3 * last;
        for (size_t d = 0; d < FOCUS_BAND && column + d < n; d++) {
            const size_t row = column + d;
            if (stays || row < 3 * first || row >= 3 * last) {
                s->system[column * FOCUS_BAND + d] = d == 0 ? 1.0 : 0.0;
            }
        }
        if (stays) {
            s->right[column] = 0.0;
        }
    }
}

/* One Gauss-Newton step of the coefficients [first, last): the phase of each pulse's match, not its
 * sine, is the residual, which reaches half a turn. */
void focus_search_match(struct focus_search *s, size_t from, size_t to, size_t first, size_t last) {
    const struct match m = match_of(s, from, to, false);
    const double info = information(s, &m, from, to);
    const double beta = m.power > 0.0 ? m.matched / m.power : 0.0;
    const double curvature = beta > 0.0 ? 2.0 * info / m.power : 0.0;
    begin_system(s);
    focus_search_prior(s, s->right);
    for (size_t i = 0; i < 3 * s->spline.n; i++) {
        s->right[i] = -s->right[i];
    }
    for (size_t p = from; p < to && curvature > 0.0; p++) {
        double complex sum = 0.0;
        for (size_t l = p * s->lines->per_pulse; l < (p + 1) * s->lines->per_pulse; l++) {
            sum += s->pull[l].match;
        }
        const double phase = carg(sum), sine = sin(phase);
        const double farther = fabs(phase) < 1e-3 ? 1.0 : fmin(phase / sine, 3.0);
        for (size_t l = p * s->lines->per_pulse; l < (p + 1) * s->lines->per_pulse; l++) {
            double w[FOCUS_ORDER];
            const size_t at = focus_spline_at(&s->spline, s->lines->time_s[l], 0, w);
            add_bend(s, l, curvature);
            for (size_t i = 0; i < FOCUS_ORDER; i++) {
                for (size_t a = 0; a < 3; a++) {
                    s->right[3 * (at + i) + a] += w[i] * curvature *
                                                  (farther * s->pull[l].slope[a] / beta -
                                                   (s->fitted ? s->pull[l].drift[a] : 0.0));
                }
            }
        }
    }
    fix_others(s, first, last);
    if (LAPACKE_dpbsv(LAPACK_COL_MAJOR, 'L', (lapack_int)(3 * s->spline.n), FOCUS_BAND - 1, 1,
                      s->system, FOCUS_BAND, s->right, (lapack_int)(3 * s->spline.n)) == 0) {
        for (size_t i = 3 * first; i < 3 * last; i++) {
            s->c[i] += s->right[i];
        }
    }
}

bool focus_search_factor(struct focus_search *s, size_t first, size_t last, double rescale) {
    begin_system(s);
    for (size_t i = 0; i < 3 * s->spline.n * FOCUS_BAND; i++) {
        s->system[i] *= rescale;
    }
    for (size_t l = first; l < last; l++) {
        add_bend(s, l, 1.0);
    }
    for (size_t i = 0; i < 3 * s->spline.n; i++) {
        s->damped[i] = s->damping * s->system[i * FOCUS_BAND];
        s->system[i * FOCUS_BAND] += s->damped[i];
    }
    return LAPACKE_dpbtrf(LAPACK_COL_MAJOR, 'L', (lapack_int)(3 * s->spline.n), FOCUS_BAND - 1,
                          s->system, FOCUS_BAND) == 0;
}

void focus_search_divide(const struct focus_search *s, double *c) {
    const lapack_int n = (lapack_int)(3 * s->spline.n);
    LAPACKE_dpbtrs(LAPACK_COL_MAJOR, 'L', n, FOCUS_BAND - 1, 1, s->system, FOCUS_BAND, c, n);
}

/* ---- L-BFGS --------------------------------------------------------------------------------- */

enum { MEMORY = 8 };

struct climb {
    struct focus_search *s;
    size_t from, to, n; /* n unknowns */
    double weight;      /* of the sharpness against the prior */
    double *gradient, *next, *direction, *start, *scratch;
    double *moved[MEMORY], *changed[MEMORY], product[MEMORY];
    int kept;
    double *all;
};

/* What is minimised, at the present coefficients; leaves the image. */
static double value(struct climb *c) {
    struct focus_search *s = c->s;
    focus_search_image(s, c->from, c->to, true);
    focus_search_prior(s, c->scratch);
    return 0.5 * doubles_dot(c->n, s->c, c->scratch) - c->weight * focus_search_sharpness(s);
}

static void slope(struct climb *c, double *gradient) {
    struct focus_search *s = c->s;
    focus_search_weigh(s, FOCUS_DERIVATIVE);
    focus_search_project(s, c->from, c->to);
    focus_search_gradient(s, c->from, c->to, gradient);
    focus_search_prior(s, c->scratch);
    for (size_t i = 0; i < c->n; i++) {
        gradient[i] = c->scratch[i] - c->weight * gradient[i];
    }
}

/* The metric, factored, from the image as it is; and the weight of the sharpness that makes its
 * curvature that of the likelihood. */
static bool make_metric(struct climb *c) {
    struct focus_search *s = c->s;
    focus_search_weigh(s, FOCUS_MATCHED);
    focus_search_project(s, c->from, c->to);
    const struct match m = match_of(s, c->from, c->to, true);
    const double info = information(s, &m, c->from, c->to);
    if (!(info > 0.0)) {
        return false;
    }
    c->weight = 0.5 * info;
    begin_system(s);
    for (size_t l = c->from * s->lines->per_pulse; l < c->to * s->lines->per_pulse; l++) {
        add_bend(s, l, 2.0 * info / m.power);
    }
    return LAPACKE_dpbtrf(LAPACK_COL_MAJOR, 'L', (lapack_int)c->n, FOCUS_BAND - 1, s->system,
                          FOCUS_BAND) == 0;
}

/* direction = -(inverse Hessian) gradient by the two loops of Nocedal. */
static void choose_direction(struct climb *c) {
    double along[MEMORY];
    memcpy(c->direction, c->gradient, c->n * sizeof *c->direction);
    for (int k = c->kept; k-- > 0;) {
        along[k] = doubles_dot(c->n, c->moved[k], c->direction) / c->product[k];
        for (size_t i = 0; i < c->n; i++) {
            c->direction[i] -= along[k] * c->changed[k][i];
        }
    }
    LAPACKE_dpbtrs(LAPACK_COL_MAJOR, 'L', (lapack_int)c->n, FOCUS_BAND - 1, 1, c->s->system,
                   FOCUS_BAND, c->direction, (lapack_int)c->n);
    for (int k = 0; k < c->kept; k++) {
        const double back = doubles_dot(c->n, c->changed[k], c->direction) / c->product[k];
        for (size_t i = 0; i < c->n; i++) {
            c->direction[i] += (along[k] - back) * c->moved[k][i];
        }
    }
    for (size_t i = 0; i < c->n; i++) {
        c->direction[i] = -c->direction[i];
    }
}

static void remember(struct climb *c) {
    if (c->kept == MEMORY) {
        double *moved = c->moved[0], *changed = c->changed[0];
        memmove(c->moved, c->moved + 1, (MEMORY - 1) * sizeof *c->moved);
        memmove(c->changed, c->changed + 1, (MEMORY - 1) * sizeof *c->changed);
        memmove(c->product, c->product + 1, (MEMORY - 1) * sizeof *c->product);
        c->moved[MEMORY - 1] = moved;
        c->changed[MEMORY - 1] = changed;
        c->kept--;
    }
    double *moved = c->moved[c->kept], *changed = c->changed[c->kept];
    for (size_t i = 0; i < c->n; i++) {
        moved[i] = c->s->c[i] - c->start[i];
        changed[i] = c->next[i] - c->gradient[i];
    }
    const double product = doubles_dot(c->n, moved, changed);
    if (product >
        1e-12 * sqrt(doubles_dot(c->n, moved, moved) * doubles_dot(c->n, changed, changed))) {
        c->product[c->kept++] = product;
    }
}

/* Along the direction as far as it goes down; the new value, or INFINITY. */
static double search_line(struct climb *c, double now) {
    const double descent = doubles_dot(c->n, c->gradient, c->direction);
    double length = 1.0;
    memcpy(c->start, c->s->c, c->n * sizeof *c->start);
    for (int tries = 0; tries < 8 && descent < 0.0; tries++) {
        for (size_t i = 0; i < c->n; i++) {
            c->s->c[i] = c->start[i] + length * c->direction[i];
        }
        const double then = value(c);
        if (then <= now + 1e-4 * length * descent) {
            return then;
        }
        /* The parabola through both values and the slope. */
        const double best = -0.5 * descent * length * length / (then - now - descent * length);
        length = fmin(fmax(best, 0.1 * length), 0.5 * length);
    }
    memcpy(c->s->c, c->start, c->n * sizeof *c->start);
    return INFINITY;
}

static enum nfsar_status make_climb(struct climb *c, nfsar_error *error) {
    c->all = buffer_zeros((5 + 2 * MEMORY) * c->n, sizeof *c->all);
    if (c->all == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu unknowns", c->n);
    }
    double *at = c->all, **slot[] = {&c->gradient, &c->next, &c->direction, &c->start, &c->scratch};
    for (size_t i = 0; i < sizeof slot / sizeof slot[0]; i++, at += c->n) {
        *slot[i] = at;
    }
    for (int k = 0; k < MEMORY; k++, at += 2 * c->n) {
        c->moved[k] = at;
        c->changed[k] = at + c->n;
    }
    return NFSAR_OK;
}

enum nfsar_status focus_search_climb(struct focus_search *s, size_t from, size_t to, int steps,
                                     double tolerance, int *taken, nfsar_error *error) {
    struct climb c = {.s = s, .from = from, .to = to, .n = 3 * s->spline.n};
    enum nfsar_status status = make_climb(&c, error);
    *taken = 0;
    if (status != NFSAR_OK) {
        return status;
    }
    s->fitted = false;
    focus_search_image(s, from, to, true);
    if (make_metric(&c)) {
        double now = value(&c);
        slope(&c, c.gradient);
        while (*taken < steps) {
            choose_direction(&c);
            const double then = search_line(&c, now);
            if (!isfinite(then)) {
                focus_search_image(s, from, to, true);
                break;
            }
            ++*taken;
            const double gained = (now - then) / c.weight;
            now = then;
            if (gained < tolerance || *taken == steps) {
                break;
            }
            slope(&c, c.next);
            remember(&c);
            memcpy(c.gradient, c.next, c.n * sizeof *c.gradient);
        }
    }
    free(c.all);
    return status;
}
