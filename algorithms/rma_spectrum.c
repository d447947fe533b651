/* From places to S(k_x, k_y, k) = sum_l s_l(k) exp(-j(k_x x_l + k_y y_l)). */
#include "algorithms/rma_plan.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "algorithms/multiversion.h"

size_t rma_spectrum_work(const nfsar_rma_plan *plan) {
    size_t row = rma_pitch(plan->x.length), columns = RMA_TILE * rma_line_pitch(plan->y.length);
    return row > columns ? row : columns;
}

size_t rma_wrapped(const struct rma_axis *axis, size_t i) {
    long index = ((long)i - (long)axis->half) % (long)axis->length;
    return (size_t)(index < 0 ? index + (long)axis->length : index);
}

/* out[i] (+)= in[i] * ramp[i], and with in[-i]. */
MULTIVERSION
static void weigh(const float complex *from, const float complex *by, size_t n, bool add,
                  float complex *to) {
    const float *in = (const float *)from, *ramp = (const float *)by;
    float *out = (float *)to;
    for (size_t i = 0; i < n; i++) {
        float re = in[2 * i] * ramp[2 * i] - in[2 * i + 1] * ramp[2 * i + 1];
        float im = in[2 * i] * ramp[2 * i + 1] + in[2 * i + 1] * ramp[2 * i];
        out[2 * i] = (add ? out[2 * i] : 0.0f) + re;
        out[2 * i + 1] = (add ? out[2 * i + 1] : 0.0f) + im;
    }
}

MULTIVERSION
static void weigh_down(const float complex *from, const float complex *by, size_t n, bool add,
                       float complex *to) {
    const float *in = (const float *)from, *ramp = (const float *)by;
    float *out = (float *)to;
    for (size_t i = 0; i < n; i++, in -= 2) {
        float re = in[0] * ramp[2 * i] - in[1] * ramp[2 * i + 1];
        float im = in[0] * ramp[2 * i + 1] + in[1] * ramp[2 * i];
        out[2 * i] = (add ? out[2 * i] : 0.0f) + re;
        out[2 * i + 1] = (add ? out[2 * i + 1] : 0.0f) + im;
    }
}

void rma_lay_bins(const struct rma_axis *x, const float complex *bins, const float complex *ramp,
                  bool add, float complex *to) {
    size_t length = x->length, end = x->half + 1, other = x->width / 2;
    for (size_t i = 0, n; i < end; i += n) {
        size_t from = i % length;
        n = length - from < end - i ? length - from : end - i;
        weigh(bins + from, ramp + i, n, add, to + i);
    }
    for (size_t i = 1, n; i < end; i += n) {
        size_t from = (length - i % length) % length;
        n = from == 0 ? 1 : from < end - i ? from : end - i;
        weigh_down(bins + from, ramp + other + i, n, add, to + other + i);
    }
    memset(to + x->half + 1, 0, (other - x->half - 1) * sizeof *to);
    to[other] = 0.0f;
    memset(to + other + x->half + 1, 0, (other - x->half - 1) * sizeof *to);
}

/* Transform one row of places of every lattice in the group that `leader` leads, and leave the sum
 * of their bins where the leader's places were. */
static void transform_row(const nfsar_rma_plan *plan, size_t leader, float complex *plane, size_t j,
                          float complex *line, float complex *work) {
    const struct rma_axis *x = &plan->x;
    size_t lattice = plan->y.n * plan->cell_width;
    float complex *to = plane + leader * lattice + j * plan->cell_width;
    for (size_t s = leader; s < plan->lattice->n_shift; s++) {
        if (plan->leader[s] != leader) {
            continue;
        }
        memcpy(line, plane + s * lattice + j * plan->cell_width, x->n * sizeof *line);
        const float complex *bins = line;
        if (x->forward != NULL) {
            fftwf_execute_dft(x->forward, line, work);
            bins = work;
        }
        rma_lay_bins(x, bins, x->ramp + s * x->width, s != leader, to);
    }
}

float complex rma_turn_back(const nfsar_rma_plan *plan, size_t wave) {
    double phase = fmod(2.0 * plan->wavenumber_of_wave[wave] * plan->distance, 2.0 * NFSAR_PI);
    return (float)cos(phase) + (float)sin(phase) * I;
}

/* One tile of columns to rows of the spectrum. */
MULTIVERSION
static void scatter(const float complex *columns, size_t pitch, size_t from, size_t n,
                    const float complex *ramp, float complex turned, bool add,
                    float complex *spectrum, size_t width) {
    for (size_t j = 0; j < n; j++) {
        float complex by = ramp[j] * turned;
        float c = crealf(by), s = cimagf(by);
        float *to = (float *)(spectrum + j * width);
        const float *in = (const float *)(columns + from + j);
        for (size_t i = 0; i < RMA_TILE; i++) {
            float re = in[2 * i * pitch], im = in[2 * i * pitch + 1];
            to[2 * i] = (add ? to[2 * i] : 0.0f) + re * c - im * s;
            to[2 * i + 1] = (add ? to[2 * i + 1] : 0.0f) + re * s + im * c;
        }
    }
}

const float complex *rma_columns(const nfsar_rma_plan *plan, const float complex *plane,
                                 float complex *columns, float complex *work) {
    const struct rma_axis *y = &plan->y;
    size_t pitch = rma_line_pitch(y->length), count = rma_columns_used(&plan->x);
    for (size_t j = 0; j < y->n; j++) {
        const float complex *in = plane + j * plan->cell_width;
        for (size_t i = 0; i < count; i++) {
            columns[i * pitch + j] = in[i];
        }
    }
    if (y->forward == NULL) {
        return columns;
    }
    for (size_t i = 0; i < count; i++) {
        fftwf_execute_dft(y->forward, columns + i * pitch, work + i * pitch);
    }
    return work;
}

/* A tile of columns of one frequency, transformed along y, to the spectrum. */
static void transform_columns(const nfsar_rma_plan *plan, size_t wave, const float complex *plane,
                              size_t first, float complex *spectrum, float complex *columns,
                              float complex *work) {
    const struct rma_axis *x = &plan->x, *y = &plan->y;
    size_t lattice = y->n * plan->cell_width, pitch = rma_line_pitch(y->length),
           start = rma_wrapped(y, 0);
    for (size_t s = 0; s < plan->lattice->n_shift; s++) {
        if (plan->leader[s] != s) {
            continue;
        }
        const float complex *bins = rma_columns(plan, plane + s * lattice + first, columns, work);
        for (size_t j = 0, from = start; j < y->bins; from = 0) {
            size_t n = y->length - from < y->bins - j ? y->length - from : y->bins - j;
            scatter(bins, pitch, from, n, y->ramp + s * y->width + j, rma_turn_back(plan, wave),
                    s != 0, spectrum + j * x->width + first, x->width);
            j += n;
        }
    }
}

void rma_spectrum(nfsar_rma_plan *plan, size_t first, size_t n) {
    const struct rma_axis *x = &plan->x, *y = &plan->y;
    size_t cells = plan->lattice->n_shift * y->n * plan->cell_width;
    size_t groups = plan->lattice->n_shift * y->n, tiles = rma_column_tiles(x);
#pragma omp parallel num_threads(plan->threads)
    {
        size_t thread = (size_t)omp_get_thread_num();
        float complex *work = plan->work + thread * plan->work_size;
        float complex *line = plan->line_in + thread * rma_pitch(x->length);
        float complex *columns = plan->columns_in + thread * RMA_TILE * rma_line_pitch(y->length);
#pragma omp for schedule(static)
        for (size_t i = 0; i < n * groups; i++) {
            size_t m = i / groups, s = i % groups / y->n, j = i % y->n;
            if (plan->leader[s] == s) {
                transform_row(plan, s, plan->cube + m * cells, j, line, work);
            }
        }
#pragma omp for schedule(static)
        for (size_t i = 0; i < n * tiles; i++) {
            size_t m = i / tiles;
            transform_columns(plan, first + m, plan->cube + m * cells, i % tiles * RMA_TILE,
                              plan->spectrum + m * y->bins * x->width, columns, work);
        }
    }
}
