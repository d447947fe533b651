/* The volume to slices of each k_y, those to plane waves round the axis, those to orders, and those
 * from k_y to heights: csar_rise.c and csar_waves.c backwards. */
#include "algorithms/csar_echo.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "algorithms/multiversion.h"

/* ---- the volume to slices ---- */

/* Scratch as csar_rise.c has it: a ramp, and two tiles of columns. */
enum { TILE = 32 };

static void descend_tile(const struct csar_echo *echo, long q0, size_t bins, size_t z, size_t i,
                         const float complex *ramp, float complex *work,
                         const float complex *image) {
    const nfsar_csar_plan *plan = echo->plan;
    size_t nx = plan->x.count, ny = plan->grid.y.count, slice = csar_slice_pitch(plan);
    size_t pitch = csar_column_pitch(plan), count = nx - i < TILE ? nx - i : TILE;
    float complex *in = work, *out = in + TILE * pitch;
    long length = (long)plan->down_length;
    memset(in, 0, TILE * pitch * sizeof *in);
    for (size_t y = 0; y < ny; y++) {
        const float complex *from = image + (z * ny + y) * nx + i;
        size_t at = y % plan->down_length;
        for (size_t l = 0; l < count; l++) {
            in[l * pitch + at] += from[l] * conjf(ramp[y]);
        }
    }
    for (size_t l = 0; l < count; l++) {
        fftwf_execute_dft(echo->down, in + l * pitch, out + l * pitch);
    }
    for (size_t q = 0; q < bins; q++) {
        float complex *to = plan->slices + q * slice + z * nx + i;
        size_t bin = (size_t)((((q0 + (long)q) % length) + length) % length);
        for (size_t l = 0; l < count; l++) {
            to[l] = out[l * pitch + bin];
        }
    }
}

void csar_echo_slices(const struct csar_echo *echo, size_t r, const float complex *image) {
    const nfsar_csar_plan *plan = echo->plan;
    size_t bins = 0, tiles = (plan->x.count + TILE - 1) / TILE;
    long q0 = csar_set(plan, r, &bins);
#pragma omp parallel num_threads(plan->threads)
    {
        float complex *ramp = plan->work + (size_t)omp_get_thread_num() * plan->work_size;
        float complex *work = ramp + csar_pitch(plan->grid.y.count);
        csar_rise_ramp(plan, r, ramp);
#pragma omp for schedule(dynamic, 4)
        for (size_t t = 0; t < plan->z.count * tiles; t++) {
            descend_tile(echo, q0, bins, t / tiles, t % tiles * TILE, ramp, work, image);
        }
    }
}

/* ---- slices to orders ---- */

/* One node: angles of waves, as orders, to waves[n_term][orders]. */
static void unfilter(const nfsar_csar_plan *plan, const float complex *line, double k_y,
                     size_t orders, const float complex *factor, size_t length,
                     float complex *waves) {
    float complex *middle = waves + plan->orders;
    float complex *slope = middle + (plan->n_term - 1) * (2 * plan->orders + 1);
    for (size_t n = 0; n <= orders; n++) {
        float complex up = conjf(factor[n]) * line[n];
        float complex down = n > 0 ? conjf(factor[n]) * line[length - n] : up;
        middle[n] = up;
        middle[-(long)n] = down;
        if (plan->n_term == 2) {
            float more = csar_slope_of(plan, k_y, n);
            slope[n] = more * up;
            slope[-(long)n] = more * down;
        }
    }
}

/* One k_y: from the slice to all nodes' waves. */
static void unmake_slice(const struct csar_echo *echo, long step, const float complex *slice,
                         size_t first, size_t n, float complex *waves, float complex *work) {
    const nfsar_csar_plan *plan = echo->plan;
    double k_y = csar_k_y(plan, step);
    size_t n_node = 0, i = csar_length_at(plan, step, &n_node), length = plan->length[i];
    struct csar_slice_work at = csar_slice_work(plan, work);
    size_t n_wave = 0, turned = plan->n_term * (2 * plan->orders + 1);
    memset(waves, 0, n * turned * sizeof *waves);
    for (size_t m = 0; m < n; m++) {
        double node = plan->node[first + m];
        if (csar_end(plan, k_y / node) > 0.0) {
            at.k_r[n_wave++] = sqrt(node * node - k_y * k_y);
        }
    }
    csar_raise(echo, slice, at.cells, at.cells + csar_cells(plan));
    csar_gather(plan, at.k_r, n_wave, i, at.angles, at.pitch, at.cells);
    n_wave = 0;
    for (size_t m = 0; m < n; m++) {
        double node = plan->node[first + m], kept = csar_end(plan, k_y / node);
        if (kept == 0.0) {
            continue;
        }
        size_t orders = csar_factors(plan, step, node, kept, length, at.hankel, at.factor);
        fftwf_execute_dft(echo->to_orders[i], at.angles + n_wave * at.pitch, at.line);
        unfilter(plan, at.line, k_y, orders, at.factor, length, waves + m * turned);
        n_wave++;
    }
}

void csar_echo_waves(const struct csar_echo *echo, size_t r, size_t first, size_t n) {
    const nfsar_csar_plan *plan = echo->plan;
    size_t count = 0, orders = 2 * plan->orders + 1, slice = csar_slice_pitch(plan);
    long q0 = csar_set(plan, r, &count);
#pragma omp parallel for schedule(dynamic, 1) num_threads(plan->threads)
    for (size_t q = 0; q < count; q++) {
        long step = (q0 + (long)q) * (long)plan->n_residue + (long)r;
        unmake_slice(echo, step, plan->slices + q * slice, first, n,
                     plan->waves + q * n * plan->n_term * orders,
                     plan->work + (size_t)omp_get_thread_num() * plan->work_size);
    }
}

/* ---- k_y to heights ---- */

/* Added at every height, turned back by the ramp. */
MULTIVERSION
static void unfold(const float complex *from, const float complex *ramp, size_t n, size_t length,
                   float complex *to) {
    const float *a = (const float *)from, *b = (const float *)ramp;
    float *out = (float *)to;
    for (size_t first = 0; first < n; first += length) {
        size_t count = n - first < length ? n - first : length;
        for (size_t i = 0; i < count; i++) {
            size_t g = 2 * (first + i);
            out[g] += a[2 * i] * b[g] + a[2 * i + 1] * b[g + 1];
            out[g + 1] += a[2 * i + 1] * b[g] - a[2 * i] * b[g + 1];
        }
    }
}

void csar_echo_climb(const struct csar_echo *echo, size_t r, size_t n) {
    const nfsar_csar_plan *plan = echo->plan;
    size_t orders = 2 * plan->orders + 1, count = 0, pitch = csar_pitch(plan->rise_length);
    n *= plan->n_term;
    long q0 = csar_set(plan, r, &count), length = (long)plan->rise_length;
    size_t tiles = (orders + CSAR_TILE - 1) / CSAR_TILE;
#pragma omp parallel num_threads(plan->threads)
    {
        float complex *ramp = plan->work + (size_t)omp_get_thread_num() * plan->work_size;
        float complex *out = ramp + csar_pitch(plan->n_fine), *in = out + pitch;
        csar_waves_ramp(plan, r, ramp);
#pragma omp for schedule(dynamic, 4)
        for (size_t t = 0; t < n * tiles; t++) {
            size_t m = t / tiles, i = t % tiles * CSAR_TILE;
            size_t lines = orders - i < CSAR_TILE ? orders - i : CSAR_TILE;
            memset(in, 0, CSAR_TILE * pitch * sizeof *in);
            for (size_t q = 0; q < count; q++) {
                const float complex *from = plan->waves + (q * n + m) * orders + i;
                size_t bin = (size_t)((((q0 + (long)q) % length) + length) % length);
                for (size_t l = 0; l < lines; l++) {
                    in[l * pitch + bin] += from[l];
                }
            }
            for (size_t l = 0; l < lines; l++) {
                fftwf_execute_dft(echo->climb, in + l * pitch, out);
                unfold(out, ramp, plan->n_fine, plan->rise_length,
                       plan->turned + (m * orders + i + l) * plan->n_fine);
            }
        }
    }
}
