/* Heights to k_y, orders to plane waves round the axis, and those to the slice of each k_y. */
#include "algorithms/csar_plan.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "algorithms/hankel.h"
#include "algorithms/multiversion.h"

/* ---- heights to k_y ---- */

size_t csar_waves_work(const nfsar_csar_plan *plan) {
    return csar_pitch(plan->n_fine) + csar_pitch(plan->rise_length) * (1 + CSAR_TILE);
}

/* exp(-j r k_y_step (height of the grid point)): what moves set r to the first. */
void csar_waves_ramp(const nfsar_csar_plan *plan, size_t r, float complex *ramp) {
    double step = -(double)r * plan->k_y_step * plan->fine_step;
    for (size_t g = 0; g < plan->n_fine; g++) {
        ramp[g] = (float complex)cexp(CMPLX(0.0, step * (double)g));
    }
}

/* The transform's period is shorter than the scan: what differs by a period adds up. */
MULTIVERSION
static void fold(const float complex *from, const float complex *ramp, size_t n, size_t length,
                 float complex *to) {
    const float *a = (const float *)from, *b = (const float *)ramp;
    float *out = (float *)to;
    memset(to, 0, length * sizeof *to);
    for (size_t first = 0; first < n; first += length) {
        size_t count = n - first < length ? n - first : length;
        for (size_t i = 0; i < count; i++) {
            size_t g = 2 * (first + i);
            out[2 * i] += a[g] * b[g] - a[g + 1] * b[g + 1];
            out[2 * i + 1] += a[g] * b[g + 1] + a[g + 1] * b[g];
        }
    }
}

void csar_waves(nfsar_csar_plan *plan, size_t r, size_t n) {
    size_t orders = 2 * plan->orders + 1, count = 0, pitch = csar_pitch(plan->rise_length);
    n *= plan->n_term;
    long q0 = csar_set(plan, r, &count), length = (long)plan->rise_length;
    size_t tiles = (orders + CSAR_TILE - 1) / CSAR_TILE;
#pragma omp parallel num_threads(plan->threads)
    {
        float complex *ramp = plan->work + (size_t)omp_get_thread_num() * plan->work_size;
        float complex *in = ramp + csar_pitch(plan->n_fine), *out = in + pitch;
        csar_waves_ramp(plan, r, ramp);
#pragma omp for schedule(dynamic, 4)
        for (size_t t = 0; t < n * tiles; t++) {
            size_t m = t / tiles, i = t % tiles * CSAR_TILE;
            size_t lines = orders - i < CSAR_TILE ? orders - i : CSAR_TILE;
            for (size_t l = 0; l < lines; l++) {
                fold(plan->turned + (m * orders + i + l) * plan->n_fine, ramp, plan->n_fine,
                     plan->rise_length, in);
                fftwf_execute_dft(plan->climb, in, out + l * pitch);
            }
            for (size_t q = 0; q < count; q++) {
                float complex *to = plan->waves + (q * n + m) * orders + i;
                size_t bin = (size_t)((((q0 + (long)q) % length) + length) % length);
                for (size_t l = 0; l < lines; l++) {
                    to[l] = out[l * pitch + bin];
                }
            }
        }
    }
}

/* ---- orders to slices ---- */

static size_t longest(const nfsar_csar_plan *plan) {
    return csar_pitch(plan->length[plan->n_length - 1]);
}

size_t csar_slices_work(const nfsar_csar_plan *plan) {
    return 3 * csar_pitch(plan->orders + 1) + (1 + plan->group) * longest(plan) +
           csar_pitch(plan->group) + csar_cells(plan) + csar_flatten_work(plan);
}

/* The shortest transform that sums waves of so many orders exactly. */
static size_t length_for(const nfsar_csar_plan *plan, size_t orders) {
    size_t i = 0;
    while (i + 1 < plan->n_length && plan->length[i] < 2 * orders + 2) {
        i++;
    }
    return i;
}

size_t csar_length_at(const nfsar_csar_plan *plan, long i, size_t *n_node) {
    double k_y = csar_k_y(plan, i), highest = plan->node[plan->n_node - 1];
    *n_node = 0;
    for (size_t m = 0; m < plan->n_node; m++) {
        *n_node += csar_end(plan, k_y / plan->node[m]) > 0.0;
    }
    size_t orders = csar_orders(plan, sqrt(fmax(highest * highest - k_y * k_y, 0.0)));
    return length_for(plan, orders < plan->orders ? orders : plan->orders);
}

struct csar_slice_work csar_slice_work(const nfsar_csar_plan *plan, float complex *work) {
    size_t pitch = longest(plan);
    struct csar_slice_work at = {.pitch = pitch, .hankel = (double complex *)work};
    at.factor = work + 2 * csar_pitch(plan->orders + 1);
    at.line = at.factor + csar_pitch(plan->orders + 1);
    at.angles = at.line + pitch;
    at.k_r = (double *)(at.angles + plan->group * pitch);
    at.cells = at.angles + plan->group * pitch + csar_pitch(plan->group);
    return at;
}

float csar_slope_of(const nfsar_csar_plan *plan, double k_y, size_t n) {
    /* The slope of upright baselines is the same for all orders. */
    double along = (double)n / plan->cylinder.radius;
    double square = plan->upright ? k_y * k_y : along * along;
    return plan->n_term == 2 ? (float)(square - plan->slope) : 0.0f;
}

size_t csar_factors(const nfsar_csar_plan *plan, long step, double node, double kept, size_t length,
                    double complex *hankel, float complex *factor) {
    double k_y = csar_k_y(plan, step), height = plan->grid.y.start - plan->fine_first;
    double along = (double)plan->of_rise[step < 0 ? -step : step];
    double k_r = sqrt(node * node - k_y * k_y), r0 = plan->cylinder.radius;
    size_t orders = csar_orders(plan, k_r);
    orders = orders < plan->orders ? orders : plan->orders;
    /* Horizontal distance for range. */
    double level = plan->options.equal_views ? node / k_r : 1.0;
    double complex scale = level * kept * along * plan->k_y_step / (2.0 * (double)length) *
                           cexp(CMPLX(0.0, k_y * height - 0.5 * NFSAR_PI));
    hankel_orders(k_r * r0, orders + 1, hankel);
    for (size_t n = 0; n <= orders; n++) {
        /* A wave passes the axis at n / k_r: positions are as much denser, seen along it, as they
         * are aslant. */
        double aslant = (double)n / k_r;
        double weight =
            plan->options.equal_views ? sqrt(fmax(r0 * r0 - aslant * aslant, 0.0)) : 1.0;
        factor[n] = (float complex)(scale * hankel[n] * weight * (double)plan->of_order[n]);
    }
    return orders;
}

/* Weyl's sum for the cylinder: what one k_y and node contribute, times the orders' waves. */
static void filter(const nfsar_csar_plan *plan, const float complex *waves, double k_y,
                   size_t orders, const float complex *factor, size_t length, float complex *line) {
    const float complex *middle = waves + plan->orders;
    const float complex *slope = middle + (plan->n_term - 1) * (2 * plan->orders + 1);
    memset(line, 0, length * sizeof *line);
    for (size_t n = 0; n <= orders; n++) {
        float more = csar_slope_of(plan, k_y, n);
        line[n] += factor[n] * (middle[n] + more * slope[n]);
        if (n > 0) {
            line[length - n] += factor[n] * (middle[-(long)n] + more * slope[-(long)n]);
        }
    }
}

/* One k_y: all nodes' waves onto the slice. */
static void make_slice(const nfsar_csar_plan *plan, long step, const float complex *waves,
                       size_t first, size_t n, float complex *slice, float complex *work) {
    double k_y = csar_k_y(plan, step);
    size_t n_node = 0, i = csar_length_at(plan, step, &n_node), length = plan->length[i];
    struct csar_slice_work at = csar_slice_work(plan, work);
    size_t n_wave = 0;
    for (size_t m = 0; m < n; m++) {
        double node = plan->node[first + m], kept = csar_end(plan, k_y / node);
        if (kept == 0.0) {
            continue;
        }
        at.k_r[n_wave] = sqrt(node * node - k_y * k_y);
        size_t orders = csar_factors(plan, step, node, kept, length, at.hankel, at.factor);
        filter(plan, waves + m * plan->n_term * (2 * plan->orders + 1), k_y, orders, at.factor,
               length, at.line);
        fftwf_execute_dft(plan->to_angles[i], at.line, at.angles + n_wave * at.pitch);
        n_wave++;
    }
    memset(at.cells, 0, csar_cells(plan) * sizeof *at.cells);
    csar_spread(plan, at.k_r, n_wave, i, at.angles, at.pitch, at.cells);
    csar_flatten(plan, at.cells, slice, at.cells + csar_cells(plan));
}

void csar_slices(nfsar_csar_plan *plan, size_t r, size_t first, size_t n) {
    size_t count = 0, orders = 2 * plan->orders + 1;
    size_t slice = csar_slice_pitch(plan);
    long q0 = csar_set(plan, r, &count);
#pragma omp parallel for schedule(dynamic, 1) num_threads(plan->threads)
    for (size_t q = 0; q < count; q++) {
        long step = (q0 + (long)q) * (long)plan->n_residue + (long)r;
        make_slice(plan, step, plan->waves + q * n * plan->n_term * orders, first, n,
                   plan->slices + q * slice,
                   plan->work + (size_t)omp_get_thread_num() * plan->work_size);
    }
}
