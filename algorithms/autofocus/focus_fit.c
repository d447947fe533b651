/* Image and displacements that together explain the echoes. */
#include "algorithms/autofocus/focus_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of the image, against |s|^2: a voxel alone is seen by all samples. */
#define DAMPED 0.05

/* Most of the energy that a fit is taken to explain. */
#define LEAST_LEFT 1e-3

static void forward(struct focus_search *s, size_t first, size_t last, const float *re,
                    const float *im, float *out) {
    const size_t k = 2 * s->lines->band.n;
#pragma omp parallel for schedule(static)
    for (size_t l = first; l < last; l++) {
        struct focus_field f;
        focus_echo(s->voxels, &s->lines->band, &s->pair[l], re, im, &f);
        for (size_t i = 0; i < k; i++) {
            out[l * k + i] = (float)f.field[i];
        }
    }
}

/* re, im = A^H data */
static void backward(struct focus_search *s, size_t first, size_t last, const float *data,
                     float *re, float *im) {
    memset(re, 0, s->voxels->padded * sizeof *re);
    memset(im, 0, s->voxels->padded * sizeof *im);
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t v = 0; v < s->voxels->padded; v += FOCUS_TILE) {
        for (size_t l = first; l < last; l++) {
            focus_add(s->voxels, v, &s->lines->band, &s->pair[l], data + l * 2 * s->lines->band.n,
                      re + v, im + v);
        }
    }
    for (size_t v = s->voxels->n; v < s->voxels->padded; v++) {
        re[v] = im[v] = 0.0f;
    }
}

static double square(const float *a, size_t n) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)a[i] * (double)a[i];
    }
    return sum;
}

static void add(float *to, double f, const float *a, size_t n) {
    const float g = (float)f;
    for (size_t i = 0; i < n; i++) {
        to[i] += g * a[i];
    }
}

/* s->m from where it is; s->rest is what it leaves. */
static double solve(struct focus_search *s, size_t from, size_t to, int steps) {
    const size_t first = from * s->lines->per_pulse, last = to * s->lines->per_pulse;
    const size_t k = 2 * s->lines->band.n, n = (last - first) * k, v = s->voxels->padded;
    const double lambda = DAMPED * (double)((last - first) * s->lines->band.n);
    float *rest = s->rest + first * k, *turned = s->turned + first * k;
#pragma omp parallel for schedule(static)
    for (size_t l = first; l < last; l++) {
        focus_search_place(s, l);
    }
    forward(s, first, last, s->m_re, s->m_im, s->rest);
    for (size_t i = 0; i < n; i++) {
        rest[i] = s->coefficient[first * k + i] - rest[i];
    }
    backward(s, first, last, s->rest, s->g_re, s->g_im);
    add(s->g_re, -lambda, s->m_re, v);
    add(s->g_im, -lambda, s->m_im, v);
    memcpy(s->d_re, s->g_re, v * sizeof *s->d_re);
    memcpy(s->d_im, s->g_im, v * sizeof *s->d_im);
    double now = square(s->g_re, v) + square(s->g_im, v);
    for (int i = 0; i < steps && now > 0.0; i++) {
        forward(s, first, last, s->d_re, s->d_im, s->turned);
        const double a =
            now / (square(turned, n) + lambda * (square(s->d_re, v) + square(s->d_im, v)));
        add(s->m_re, a, s->d_re, v);
        add(s->m_im, a, s->d_im, v);
        add(rest, -a, turned, n);
        if (i + 1 < steps) {
            backward(s, first, last, s->rest, s->g_re, s->g_im);
            add(s->g_re, -lambda, s->m_re, v);
            add(s->g_im, -lambda, s->m_im, v);
            const double then = square(s->g_re, v) + square(s->g_im, v);
            const double b = then / now;
            now = then;
            for (size_t j = 0; j < v; j++) {
                s->d_re[j] = s->g_re[j] + (float)b * s->d_re[j];
                s->d_im[j] = s->g_im[j] + (float)b * s->d_im[j];
            }
        }
    }
    return square(rest, n);
}

double focus_search_fit(struct focus_search *s, size_t from, size_t to, int rounds, int steps) {
    const size_t first = from * s->lines->per_pulse, last = to * s->lines->per_pulse;
    const size_t k = 2 * s->lines->band.n;
    double left = 0.0, all = 0.0, w[FOCUS_ORDER];
    for (size_t p = from; p < to; p++) {
        all += s->energy[p];
    }
    const size_t n = 3 * s->spline.n;
    double scale = 0.0, before = INFINITY;
    memcpy(s->kept, s->c, n * sizeof *s->c);
    for (int r = 0; r <= rounds; r++) {
        left = solve(s, from, to, steps);
        focus_search_prior(s, s->right);
        double worth = 0.0;
        for (size_t i = 0; i < n; i++) {
            worth += 0.5 * s->right[i] * s->c[i];
        }
        if (r > 0 && worth + scale * left > before) {
            /* The step was too long: go back, and take a shorter one. */
            memcpy(s->c, s->kept, n * sizeof *s->c);
            s->damping = fmin(4.0 * s->damping + 0.01, 1e3);
            left = solve(s, from, to, steps);
        } else {
            s->damping *= r > 0 ? 0.3 : 1.0;
        }
        if (r == rounds) {
            break;
        }
        memcpy(s->coefficient + first * k, s->rest + first * k, (last - first) * k * sizeof(float));
        memcpy(s->g_re, s->m_re, s->voxels->padded * sizeof(float));
        memcpy(s->g_im, s->m_im, s->voxels->padded * sizeof(float));
        focus_search_project_placed(s, from, to);
        double power = 0.0;
        for (size_t l = first; l < last; l++) {
            power += s->pull[l].power;
        }
        const double times = (s->lines->time_s[last - 1] - s->lines->time_s[first]) / s->tau_s;
        const double info =
            fmin(power / fmax(left, LEAST_LEFT * all) * (double)((last - first) * s->lines->band.n),
                 s->trust * times);
        const size_t at = focus_spline_at(&s->spline, s->lines->time_s[first], 0, w);
        const size_t end =
            focus_spline_at(&s->spline, s->lines->time_s[last - 1], 0, w) + FOCUS_ORDER;
        focus_search_prior(s, s->right);
        scale = power > 0.0 ? info / power : 0.0;
        before = scale * left;
        for (size_t i = 0; i < n; i++) {
            before += 0.5 * s->right[i] * s->c[i];
        }
        memcpy(s->kept, s->c, n * sizeof *s->c);
        focus_search_step(s, from, to, at, end, info, power, 1.0, false);
    }
    memcpy(s->re, s->m_re, s->voxels->padded * sizeof(float));
    memcpy(s->im, s->m_im, s->voxels->padded * sizeof(float));
    s->fitted = true;
    return all > 0.0 ? left / all : 1.0;
}

double focus_search_unexplained(struct focus_search *s, const float complex *fit,
                                const float complex *held, int steps) {
    const size_t n = s->lines->n, k = s->lines->band.n;
    memset(s->m_re, 0, 2 * s->voxels->padded * sizeof *s->m_re);
    focus_search_use(s, fit);
    solve(s, 0, s->lines->n_pulse, steps);
    forward(s, 0, n, s->m_re, s->m_im, s->turned);
    focus_search_use(s, held);
#pragma omp parallel for schedule(static)
    for (size_t l = 0; l < n; l++) {
        focus_search_place(s, l);
    }
    /* The halves hold other samples of the same echo, and may weigh a little differently. */
    double all = 0.0, matched = 0.0, power = 0.0;
    for (size_t i = 0; i < 2 * n * k; i++) {
        const double e = (double)s->coefficient[i], f = (double)s->turned[i];
        all += e * e;
        matched += e * f;
        power += f * f;
    }
    return power > 0.0 && all > 0.0 ? 1.0 - fmax(matched, 0.0) * matched / (power * all) : 1.0;
}
