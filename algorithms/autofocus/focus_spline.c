#include "algorithms/autofocus/focus_spline.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/geometry.h>

struct focus_spline focus_spline_make(double from_s, double to_s, double step_s) {
    const double segments = fmax(1.0, ceil((to_s - from_s) / step_s));
    /* The knots are spread over the time that there is. */
    const double step = to_s > from_s ? (to_s - from_s) / segments : step_s;
    return (struct focus_spline){from_s, step, (size_t)segments + 3};
}

size_t focus_spline_at(const struct focus_spline *s, double time_s, int derivative,
                       double w[FOCUS_ORDER]) {
    const double u = (time_s - s->start_s) / s->step_s, most = (double)(s->n - 4);
    const double segment = fmin(fmax(floor(u), 0.0), most);
    const double x = u - segment, y = 1.0 - x, h = s->step_s;
    switch (derivative) {
    case 0:
        w[0] = y * y * y / 6.0;
        w[1] = (4.0 - 6.0 * x * x + 3.0 * x * x * x) / 6.0;
        w[2] = (4.0 - 6.0 * y * y + 3.0 * y * y * y) / 6.0;
        w[3] = x * x * x / 6.0;
        break;
    case 1:
        w[0] = -0.5 * y * y / h;
        w[1] = (-2.0 * x + 1.5 * x * x) / h;
        w[2] = (2.0 * y - 1.5 * y * y) / h;
        w[3] = 0.5 * x * x / h;
        break;
    case 2:
        w[0] = y / (h * h);
        w[1] = (-2.0 + 3.0 * x) / (h * h);
        w[2] = (-2.0 + 3.0 * y) / (h * h);
        w[3] = x / (h * h);
        break;
    default:
        w[0] = -1.0 / (h * h * h);
        w[1] = 3.0 / (h * h * h);
        w[2] = -3.0 / (h * h * h);
        w[3] = 1.0 / (h * h * h);
        break;
    }
    return (size_t)segment;
}

void focus_spline_value(const struct focus_spline *spline, const double *c, double time_s,
                        double value[3]) {
    double w[FOCUS_ORDER];
    const size_t first = focus_spline_at(spline, time_s, 0, w);
    for (size_t a = 0; a < 3; a++) {
        value[a] = 0.0;
        for (size_t i = 0; i < FOCUS_ORDER; i++) {
            value[a] += w[i] * c[3 * (first + i) + a];
        }
    }
}

/* For correlation exp(-t^2 / 2 tau^2) the spectrum is tau sqrt(2 pi) exp(-(w tau)^2 / 2), and its
 * inverse has (w tau)^2d / (2^d d!) for the square of the d-th derivative. */
void focus_spline_prior(const struct focus_spline *spline, double sigma, double tau_s,
                        double *matrix) {
    enum { POINTS = 8 };
    memset(matrix, 0, spline->n * FOCUS_ORDER * sizeof *matrix);
    const double scale = 1.0 / (sigma * sigma * tau_s * sqrt(2.0 * NFSAR_PI));
    const double dt = spline->step_s / POINTS;
    for (size_t i = 0; i < (spline->n - 3) * POINTS; i++) {
        const double time_s = spline->start_s + ((double)i + 0.5) * dt;
        double factor = scale * dt;
        for (int d = 0; d < 4; d++) {
            double w[FOCUS_ORDER];
            const size_t first = focus_spline_at(spline, time_s, d, w);
            for (size_t a = 0; a < FOCUS_ORDER; a++) {
                for (size_t b = 0; b <= a; b++) {
                    matrix[(first + a) * FOCUS_ORDER + (a - b)] += factor * w[a] * w[b];
                }
            }
            factor *= tau_s * tau_s / (2.0 * (double)(d + 1));
        }
    }
}

void focus_spline_apply(const struct focus_spline *spline, const double *matrix, const double *c,
                        double *product) {
    memset(product, 0, 3 * spline->n * sizeof *product);
    for (size_t i = 0; i < spline->n; i++) {
        for (size_t d = 0; d < FOCUS_ORDER && d <= i; d++) {
            const double m = matrix[i * FOCUS_ORDER + d];
            for (size_t a = 0; a < 3; a++) {
                product[3 * i + a] += m * c[3 * (i - d) + a];
                if (d > 0) {
                    product[3 * (i - d) + a] += m * c[3 * i + a];
                }
            }
        }
    }
}

int focus_spline_refine(const struct focus_spline *from, const double *c,
                        const struct focus_spline *to, double *refined) {
    enum { POINTS = 8 };
    double *normal = calloc(to->n * FOCUS_ORDER, sizeof *normal);
    double *right = calloc(3 * to->n, sizeof *right); /* [3][n] */
    int info = normal == NULL || right == NULL;
    for (size_t i = 0; info == 0 && i <= (to->n - 3) * POINTS; i++) {
        const double time_s = to->start_s + (double)i * to->step_s / POINTS;
        double value[3], w[FOCUS_ORDER];
        focus_spline_value(from, c, time_s, value);
        const size_t first = focus_spline_at(to, time_s, 0, w);
        for (size_t a = 0; a < FOCUS_ORDER; a++) {
            for (size_t b = 0; b <= a; b++) {
                /* Column first + b of the lower triangle, a - b below its diagonal. */
                normal[(first + b) * FOCUS_ORDER + (a - b)] += w[a] * w[b];
            }
            for (size_t k = 0; k < 3; k++) {
                right[k * to->n + first + a] += w[a] * value[k];
            }
        }
    }
    if (info == 0) {
        info = (int)LAPACKE_dpbsv(LAPACK_COL_MAJOR, 'L', (lapack_int)to->n, FOCUS_ORDER - 1, 3,
                                  normal, FOCUS_ORDER, right, (lapack_int)to->n);
    }
    for (size_t i = 0; info == 0 && i < 3 * to->n; i++) {
        refined[i] = right[i % 3 * to->n + i / 3];
    }
    free(normal);
    free(right);
    return info;
}
