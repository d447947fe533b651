/* The image that explains the echoes best, the displacements being what they are. */
#include "algorithms/autofocus/focus_search.h"

#include <math.h>
#include <string.h>

#include "algorithms/autofocus/focus_floats.h"

/* Of the image, against |s|^2: a voxel alone is seen by all samples. */
#define DAMPED 0.02

double focus_search_damping(const struct focus_search *s, size_t first, size_t last) {
    return DAMPED * (double)((last - first) * s->lines->band.n);
}

void focus_search_echo(struct focus_search *s, size_t first, size_t last, const float *re,
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

void focus_search_back(struct focus_search *s, size_t first, size_t last, const float *data,
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

double focus_search_left(struct focus_search *s, size_t first, size_t last) {
    const size_t k = 2 * s->lines->band.n;
#pragma omp parallel for schedule(static)
    for (size_t l = first; l < last; l++) {
        focus_search_place(s, l);
    }
    focus_search_echo(s, first, last, s->m_re, s->m_im, s->rest);
    for (size_t i = first * k; i < last * k; i++) {
        s->rest[i] = s->coefficient[i] - s->rest[i];
    }
    return floats_square(s->rest + first * k, (last - first) * k);
}

void focus_search_solve(struct focus_search *s, size_t from, size_t to, int steps) {
    const size_t first = from * s->lines->per_pulse, last = to * s->lines->per_pulse;
    const size_t k = 2 * s->lines->band.n, n = (last - first) * k, v = s->voxels->padded;
    const double lambda = focus_search_damping(s, first, last);
    float *rest = s->rest + first * k, *turned = s->turned + first * k;
    focus_search_left(s, first, last);
    focus_search_back(s, first, last, s->rest, s->g_re, s->g_im);
    floats_add(s->g_re, -lambda, s->m_re, v);
    floats_add(s->g_im, -lambda, s->m_im, v);
    memcpy(s->d_re, s->g_re, v * sizeof *s->d_re);
    memcpy(s->d_im, s->g_im, v * sizeof *s->d_im);
    double now = floats_square(s->g_re, v) + floats_square(s->g_im, v);
    for (int i = 0; i < steps && now > 0.0; i++) {
        focus_search_echo(s, first, last, s->d_re, s->d_im, s->turned);
        const double a = now / (floats_square(turned, n) +
                                lambda * (floats_square(s->d_re, v) + floats_square(s->d_im, v)));
        floats_add(s->m_re, a, s->d_re, v);
        floats_add(s->m_im, a, s->d_im, v);
        floats_add(rest, -a, turned, n);
        if (i + 1 < steps) {
            focus_search_back(s, first, last, s->rest, s->g_re, s->g_im);
            floats_add(s->g_re, -lambda, s->m_re, v);
            floats_add(s->g_im, -lambda, s->m_im, v);
            const double then = floats_square(s->g_re, v) + floats_square(s->g_im, v);
            const float b = (float)(then / now);
            now = then;
            for (size_t j = 0; j < v; j++) {
                s->d_re[j] = s->g_re[j] + b * s->d_re[j];
                s->d_im[j] = s->g_im[j] + b * s->d_im[j];
            }
        }
    }
}

double focus_search_unexplained(struct focus_search *s, const float complex *fit,
                                const float complex *held, int steps) {
    const size_t n = s->lines->n, k = s->lines->band.n;
    memset(s->m_re, 0, 2 * s->voxels->padded * sizeof *s->m_re);
    focus_search_use(s, fit);
    focus_search_solve(s, 0, s->lines->n_pulse, steps);
    focus_search_echo(s, 0, n, s->m_re, s->m_im, s->turned);
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
