/* Backprojection as the sum stands, in double precision: the truth that fast forms are judged by.
 * For equally spaced wavenumbers sum_n s_n exp(-j k_n r) = exp(-j k_0 r) P(exp(-j k_step r)), a
 * polynomial, evaluated by Horner's rule: exact but for rounding, which the unit modulus of the
 * argument keeps near n_sample times 1e-16. */
#include "algorithms/bp_plan.h"

#include <math.h>
#include <string.h>

#include "algorithms/multiversion.h"

/* Ranges worked on together: three vectors of four hide most of the latency of a chain of
 * multiply-adds, and their sums and steps still fit sixteen registers. */
enum { VECTORS = 3, LANES = 4 * VECTORS };

/* GCC's vectors, so that the sums stay in registers: as arrays of double they go through memory. */
typedef double vector __attribute__((vector_size(4 * sizeof(double))));

MULTIVERSION
static void horner(const float complex *line, const float *taper, size_t n, const double *step_re,
                   const double *step_im, double *re, double *im) {
    vector c[VECTORS], s[VECTORS], a[VECTORS] = {{0}}, b[VECTORS] = {{0}};
    memcpy(c, step_re, sizeof c);
    memcpy(s, step_im, sizeof s);
    for (size_t k = n; k-- > 0;) {
        double s_re = (double)crealf(line[k]) * (double)taper[k];
        double s_im = (double)cimagf(line[k]) * (double)taper[k];
        for (int v = 0; v < VECTORS; v++) {
            vector next = a[v] * c[v] + (s_re - b[v] * s[v]);
            b[v] = a[v] * s[v] + (s_im + b[v] * c[v]);
            a[v] = next;
        }
    }
    memcpy(re, a, sizeof a);
    memcpy(im, b, sizeof b);
}

/* sum_n w_n s_n exp(-j k_n range) for LANES ranges. */
static void sum_lanes(const nfsar_bp_plan *plan, const float complex *line, const double *range,
                      double *re, double *im) {
    size_t n = plan->capture->n_sample;
    double c[LANES], s[LANES];
    if (!plan->uniform) {
        for (int i = 0; i < LANES; i++) {
            double complex sum = 0.0;
            for (size_t k = 0; k < n; k++) {
                sum += (double)plan->frequency_taper[k] * (double complex)line[k] *
                       cexp(-I * plan->wavenumber[k] * range[i]);
            }
            re[i] = creal(sum);
            im[i] = cimag(sum);
        }
        return;
    }
    for (int i = 0; i < LANES; i++) {
        c[i] = cos(plan->k_step * range[i]);
        s[i] = -sin(plan->k_step * range[i]);
    }
    horner(line, plan->frequency_taper, n, c, s, re, im);
    for (int i = 0; i < LANES; i++) {
        double phase = plan->wavenumber[0] * range[i];
        double cosine = cos(phase), sine = -sin(phase);
        double turned = re[i] * cosine - im[i] * sine;
        im[i] = re[i] * sine + im[i] * cosine;
        re[i] = turned;
    }
}

static nfsar_vec3 voxel(const nfsar_grid *grid, size_t index) {
    size_t nx = grid->x.count, ny = grid->y.count;
    return (nfsar_vec3){nfsar_axis_at(&grid->x, index % nx),
                        nfsar_axis_at(&grid->y, index / nx % ny),
                        nfsar_axis_at(&grid->z, index / nx / ny)};
}

void bp_double_tile(nfsar_bp_plan *plan, size_t n_pair, size_t first, size_t n) {
    double *sum_re = plan->sum + first;
    double *sum_im = plan->sum + nfsar_grid_voxels(&plan->grid) + first;
    for (size_t at = 0; at < n; at += LANES) {
        size_t count = n - at < LANES ? n - at : LANES;
        nfsar_vec3 place[LANES];
        for (size_t i = 0; i < LANES; i++) {
            place[i] = voxel(&plan->grid, first + at + (i < count ? i : 0));
        }
        for (size_t p = 0; p < n_pair; p++) {
            double range[LANES], re[LANES], im[LANES];
            for (size_t i = 0; i < LANES; i++) {
                range[i] = nfsar_vec3_distance(place[i], plan->pair[p].tx) +
                           nfsar_vec3_distance(place[i], plan->pair[p].rx);
            }
            sum_lanes(plan, plan->samples + p * plan->capture->n_sample, range, re, im);
            for (size_t i = 0; i < count; i++) {
                sum_re[at + i] += re[i];
                sum_im[at + i] += im[i];
            }
        }
    }
}
