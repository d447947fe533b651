#include "algorithms/autofocus/focus_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algorithms/buffer.h"

enum nfsar_status focus_search_make(const struct focus_lines *lines,
                                    const struct focus_voxels *voxels, double step_s, double sigma,
                                    double tau_s, struct focus_search *s, nfsar_error *error) {
    memset(s, 0, sizeof *s);
    s->lines = lines;
    s->voxels = voxels;
    s->damping = 0.01;
    s->stiff[0] = s->stiff[1] = s->stiff[2] = 1.0;
    s->sigma = sigma;
    s->tau_s = tau_s;
    s->spline = focus_spline_make(lines->begin_s, lines->end_s, step_s);
    const size_t n = s->spline.n;
    s->c = buffer_zeros(3 * n, sizeof *s->c);
    s->prior = buffer_zeros(n * FOCUS_ORDER, sizeof *s->prior);
    s->system = buffer_zeros(3 * n * FOCUS_BAND, sizeof *s->system);
    s->right = buffer_zeros(3 * n, sizeof *s->right);
    s->re = buffer_zeros(voxels->padded, sizeof *s->re);
    s->im = buffer_zeros(voxels->padded, sizeof *s->im);
    s->g_re = buffer_zeros(voxels->padded, sizeof *s->g_re);
    s->g_im = buffer_zeros(voxels->padded, sizeof *s->g_im);
    s->coefficient = buffer_zeros(lines->n * 2 * lines->band.n, sizeof *s->coefficient);
    s->pair = buffer_zeros(lines->n, sizeof *s->pair);
    s->pull = buffer_zeros(lines->n, sizeof *s->pull);
    s->m_re = buffer_zeros(4 * voxels->padded, sizeof *s->m_re);
    s->rest = buffer_zeros(lines->n * 2 * lines->band.n, sizeof *s->rest);
    s->turned = buffer_zeros(lines->n * 2 * lines->band.n, sizeof *s->turned);
    s->kept = buffer_zeros(3 * n, sizeof *s->kept);
    s->damped = buffer_zeros(3 * n, sizeof *s->damped);
    s->energy = buffer_zeros(lines->n_pulse, sizeof *s->energy);
    if (s->c == NULL || s->prior == NULL || s->system == NULL || s->right == NULL ||
        s->re == NULL || s->im == NULL || s->g_re == NULL || s->g_im == NULL || s->m_re == NULL ||
        s->coefficient == NULL || s->rest == NULL || s->turned == NULL || s->pair == NULL ||
        s->pull == NULL || s->kept == NULL || s->damped == NULL || s->energy == NULL) {
        focus_search_free(s);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu echoes", lines->n);
    }
    s->m_im = s->m_re + voxels->padded;
    s->d_re = s->m_im + voxels->padded;
    s->d_im = s->d_re + voxels->padded;
    focus_spline_prior(&s->spline, sigma, tau_s, s->prior);
    return NFSAR_OK;
}

void focus_search_free(struct focus_search *s) {
    free(s->c);
    free(s->prior);
    free(s->system);
    free(s->right);
    free(s->re);
    free(s->im);
    free(s->g_re);
    free(s->g_im);
    free(s->coefficient);
    free(s->pair);
    free(s->pull);
    free(s->energy);
    free(s->kept);
    free(s->damped);
    free(s->m_re);
    free(s->rest);
    free(s->turned);
    memset(s, 0, sizeof *s);
}

void focus_search_use(struct focus_search *s, const float complex *data) {
    const size_t per_pulse = s->lines->per_pulse * s->lines->band.n;
    s->data = data;
    for (size_t p = 0; p < s->lines->n_pulse; p++) {
        s->energy[p] = 0.0;
        for (size_t i = p * per_pulse; i < (p + 1) * per_pulse; i++) {
            const double re = (double)crealf(data[i]), im = (double)cimagf(data[i]);
            s->energy[p] += re * re + im * im;
        }
    }
}

enum nfsar_status focus_search_refine_knots(struct focus_search *s, double step_s,
                                            nfsar_error *error) {
    const struct focus_spline to = focus_spline_make(s->lines->begin_s, s->lines->end_s, step_s);
    double *c = buffer_zeros(3 * to.n, sizeof *c);
    double *prior = buffer_zeros(to.n * FOCUS_ORDER, sizeof *prior);
    double *system = buffer_zeros(3 * to.n * FOCUS_BAND, sizeof *system);
    double *right = buffer_zeros(3 * to.n, sizeof *right);
    double *kept = buffer_zeros(3 * to.n, sizeof *kept);
    double *damped = buffer_zeros(3 * to.n, sizeof *damped);
    if (c == NULL || prior == NULL || system == NULL || right == NULL || kept == NULL ||
        damped == NULL || focus_spline_refine(&s->spline, s->c, &to, c) != 0) {
        free(c);
        free(prior);
        free(system);
        free(right);
        free(kept);
        free(damped);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu knots", to.n);
    }
    free(s->c);
    free(s->prior);
    free(s->system);
    free(s->right);
    free(s->kept);
    free(s->damped);
    s->kept = kept;
    s->damped = damped;
    s->c = c;
    s->prior = prior;
    s->system = system;
    s->right = right;
    s->spline = to;
    focus_spline_prior(&to, s->sigma, s->tau_s, prior);
    return NFSAR_OK;
}

/* Where a line is with the present displacements, and its echo moved to the centre from there. */
void focus_search_place(struct focus_search *s, size_t line) {
    const struct focus_lines *lines = s->lines;
    double e[3];
    focus_spline_value(&s->spline, s->c, lines->time_s[line], e);
    const nfsar_vec3 by = {e[0], e[1], e[2]};
    const nfsar_vec3 tx = nfsar_vec3_add(lines->tx[line], by);
    const nfsar_vec3 rx = nfsar_vec3_add(lines->rx[line], by);
    s->pair[line] = focus_pair_make(tx, rx);
    const double longer = nfsar_vec3_norm(tx) + nfsar_vec3_norm(rx) - lines->base[line];
    double complex turn = cexp(-I * lines->k0 * longer);
    const double complex step = cexp(-I * lines->dk * longer);
    const float complex *from = s->data + line * lines->band.n;
    float *to = s->coefficient + line * 2 * lines->band.n;
    for (size_t i = 0; i < lines->band.n; i++) {
        const double complex moved = (double complex)from[i] * turn;
        to[2 * i] = (float)creal(moved);
        to[2 * i + 1] = (float)cimag(moved);
        turn *= step;
    }
}

void focus_search_image(struct focus_search *s, size_t from, size_t to, bool anew) {
    const size_t first = from * s->lines->per_pulse, last = to * s->lines->per_pulse;
    if (anew) {
        memset(s->re, 0, s->voxels->padded * sizeof *s->re);
        memset(s->im, 0, s->voxels->padded * sizeof *s->im);
    }
#pragma omp parallel
    {
#pragma omp for schedule(static)
        for (size_t l = first; l < last; l++) {
            focus_search_place(s, l);
        }
#pragma omp for schedule(dynamic, 1)
        for (size_t v = 0; v < s->voxels->padded; v += FOCUS_TILE) {
            for (size_t l = first; l < last; l++) {
                focus_add(s->voxels, v, &s->lines->band, &s->pair[l],
                          s->coefficient + l * 2 * s->lines->band.n, s->re + v, s->im + v);
            }
        }
    }
    /* Voxels that fill up the last tile are none. */
    for (size_t v = s->voxels->n; v < s->voxels->padded; v++) {
        s->re[v] = s->im[v] = 0.0f;
    }
}

static void moments(const struct focus_search *s, double *fourth, double *square) {
    *fourth = *square = 0.0;
    for (size_t v = 0; v < s->voxels->n; v++) {
        const double re = (double)s->re[v], im = (double)s->im[v], p = re * re + im * im;
        *fourth += p * p;
        *square += p;
    }
}

double focus_search_sharpness(const struct focus_search *s) {
    double fourth, square;
    moments(s, &fourth, &square);
    return square > 0.0 ? log(fourth) - 2.0 * log(square) : 0.0;
}

void focus_search_weigh(struct focus_search *s, enum focus_weight weight) {
    double fourth, square, scale = 1.0, less = 0.0;
    moments(s, &fourth, &square);
    if (weight == FOCUS_DERIVATIVE) {
        /* By conj(o): 2 |o|^2 o / sum |o|^4 - 2 o / sum |o|^2; twice that, since a real function
         * changes by 2 Re sum conj(dS/dconj(o)) do. */
        scale = fourth > 0.0 ? 4.0 / fourth : 0.0;
        less = square > 0.0 ? 4.0 / square : 0.0;
    }
    const bool plain = weight == FOCUS_MATCHED && s->fitted;
    for (size_t v = 0; v < s->voxels->padded; v++) {
        const double re = (double)s->re[v], im = (double)s->im[v];
        const double factor = plain ? 1.0 : scale * (re * re + im * im) - less;
        s->g_re[v] = (float)(factor * re);
        s->g_im[v] = (float)(factor * im);
    }
}

void focus_pull_add(struct focus_pull *out, const struct focus_field *f, size_t bin, double k) {
    static const int of[6][2] = {{0, 0}, {0, 1}, {0, 2}, {1, 1}, {1, 2}, {2, 2}};
    const size_t re = 2 * bin, im = re + 1;
    out->power += f->field[re] * f->field[re] + f->field[im] * f->field[im];
    for (int h = 0; h < 6; h++) {
        const double *a = f->pull[of[h][0]], *b = f->pull[of[h][1]];
        out->bend[h] += k * k * (a[re] * b[re] + a[im] * b[im]);
    }
}

static void pull_line(struct focus_search *s, size_t line) {
    const struct focus_band *band = &s->lines->band;
    struct focus_field f;
    struct focus_pull *out = &s->pull[line];
    const float *echo = s->coefficient + line * 2 * band->n;
    focus_project(s->voxels, band, &s->pair[line], s->g_re, s->g_im, &f);
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < band->n; i++) {
        const double k = s->lines->k0 + (double)i * s->lines->dk;
        const double er = (double)echo[2 * i], ei = (double)echo[2 * i + 1];
        const double fr = f.field[2 * i], fi = f.field[2 * i + 1];
        out->match += CMPLX(fr * er + fi * ei, fr * ei - fi * er);
        for (int a = 0; a < 3; a++) {
            /* Re conj(-j k pull) echo = -k Im conj(pull) echo */
            out->slope[a] -= k * (f.pull[a][2 * i] * ei - f.pull[a][2 * i + 1] * er);
            out->drift[a] -= k * (f.pull[a][2 * i] * fi - f.pull[a][2 * i + 1] * fr);
        }
        focus_pull_add(out, &f, i, k);
    }
}

void focus_search_project(struct focus_search *s, size_t from, size_t to) {
    const size_t first = from * s->lines->per_pulse, last = to * s->lines->per_pulse;
#pragma omp parallel for schedule(static)
    for (size_t l = first; l < last; l++) {
        focus_search_place(s, l);
        pull_line(s, l);
    }
}

void focus_search_gradient(const struct focus_search *s, size_t from, size_t to, double *gradient) {
    memset(gradient, 0, 3 * s->spline.n * sizeof *gradient);
    for (size_t l = from * s->lines->per_pulse; l < to * s->lines->per_pulse; l++) {
        double w[FOCUS_ORDER];
        const size_t at = focus_spline_at(&s->spline, s->lines->time_s[l], 0, w);
        for (size_t i = 0; i < FOCUS_ORDER; i++) {
            for (size_t a = 0; a < 3; a++) {
                gradient[3 * (at + i) + a] += w[i] * s->pull[l].slope[a];
            }
        }
    }
}
