/* From samples to S(k_x, k_y, k) = sum_l s_l(k) exp(-j(k_x x_l + k_y y_l)). */
#include "algorithms/rma_plan.h"

#include <omp.h>
#include <string.h>

/* Frequencies that one thread places at a time: a line's piece stays in the first-level cache. */
enum { CHUNK = 64 };

/* What one pair's samples get. The path that is taken out also moves the pair from where it is to
 * its place on the lattice, exactly for a target at the reference. */
static void place_line(const nfsar_rma_plan *plan, uint32_t cell, nfsar_vec3 tx, nfsar_vec3 rx,
                       struct rma_line *line) {
    const nfsar_lattice *lattice = plan->lattice;
    size_t ix = cell % plan->x.n, iy = cell / plan->x.n % plan->y.n;
    size_t s = cell / plan->x.n / plan->y.n;
    nfsar_vec3 place = {lattice->x.first + lattice->x.step * (double)ix + lattice->shift[s].x,
                        lattice->y.first + lattice->y.step * (double)iy + lattice->shift[s].y,
                        lattice->z};
    double off = nfsar_vec3_distance(nfsar_vec3_midpoint(tx, rx), plan->reference) -
                 nfsar_vec3_distance(place, plan->reference);
    line->cell = cell;
    line->weight = plan->x.taper[s * plan->x.n + ix] * plan->y.taper[s * plan->y.n + iy];
    line->path =
        nfsar_compensation_path(plan->options.compensation, tx, rx, plan->reference) + 2.0 * off;
}

/* Extra path and taper of every line of the pulses [first, first + n). */
static enum nfsar_status find_paths(nfsar_rma_plan *plan, size_t first, size_t n,
                                    nfsar_error *error) {
    const nfsar_lattice *lattice = plan->lattice;
    for (size_t i = 0; i < n; i++) {
        enum nfsar_status status =
            nfsar_capture_antennas(plan->capture, false, first + i, 1, plan->tx, plan->rx, error);
        if (status != NFSAR_OK) {
            return status;
        }
        for (size_t c = 0; c < lattice->n_channel; c++) {
            place_line(plan, lattice->cell[(first + i) * lattice->n_channel + c], plan->tx[c],
                       plan->rx[c], &plan->line[i * lattice->n_channel + c]);
        }
    }
    return NFSAR_OK;
}

/* Put the samples [first, first + n) of the block's lines in their cells, compensated and tapered.
 * Phase centres that share a cell add up, as they would in backprojection. `k` is where these
 * samples lie in the plan's block of n_k frequencies from first_k on. */
static void place_lines(nfsar_rma_plan *plan, size_t lines, size_t first_k, size_t n_k, size_t k,
                        size_t n) {
    size_t cells = plan->lattice->n_shift * plan->x.n * plan->y.n;
    for (size_t l = 0; l < lines; l++) {
        const struct rma_line *line = &plan->line[l];
        float complex piece[CHUNK];
        memcpy(piece, plan->samples + l * n_k + k, n * sizeof *piece);
        nfsar_compensation_apply(line->path, plan->wavenumber + first_k + k, n, piece);
        float complex *to = plan->cube + k * cells + line->cell;
        for (size_t i = 0; i < n; i++) {
            to[i * cells] += line->weight * plan->frequency_taper[first_k + k + i] * piece[i];
        }
    }
}

static enum nfsar_status fill_cube(nfsar_rma_plan *plan, const nfsar_echo_source *source,
                                   size_t first, size_t n, nfsar_error *error) {
    const nfsar_lattice *lattice = plan->lattice;
    memset(plan->cube, 0, n * lattice->n_shift * plan->x.n * plan->y.n * sizeof *plan->cube);
    for (size_t p = 0; p < lattice->n_pulse; p += plan->pulse_block) {
        size_t left = lattice->n_pulse - p;
        size_t count = left < plan->pulse_block ? left : plan->pulse_block;
        enum nfsar_status status =
            source->read(source->context, p, count, first, n, plan->samples, error);
        if (status == NFSAR_OK) {
            status = find_paths(plan, p, count, error);
        }
        if (status != NFSAR_OK) {
            return status;
        }
        /* Threads take different frequencies, so none writes where another does. */
#pragma omp parallel for schedule(static) num_threads(plan->threads)
        for (size_t k = 0; k < n; k += CHUNK) {
            place_lines(plan, count * lattice->n_channel, first, n, k,
                        n - k < CHUNK ? n - k : CHUNK);
        }
    }
    return NFSAR_OK;
}

/* Where bin i - half of a spectrum lies in the period that the transform made. */
static size_t wrapped(const struct rma_axis *axis, size_t i) {
    long index = ((long)i - (long)axis->half) % (long)axis->length;
    return (size_t)(index < 0 ? index + (long)axis->length : index);
}

/* Add one tile of columns, transformed along y, to the spectrum with the ramps of its shift. */
static void add_columns(const nfsar_rma_plan *plan, size_t shift, size_t first, size_t count,
                        const float complex *columns, float complex *spectrum) {
    const struct rma_axis *x = &plan->x, *y = &plan->y;
    const float complex *ramp_x = x->ramp + shift * x->bins + first;
    for (size_t j = 0; j < y->bins; j++) {
        size_t from = wrapped(y, j);
        float complex ramp_y = y->ramp[shift * y->bins + j];
        for (size_t i = 0; i < count; i++) {
            spectrum[j * x->bins + first + i] +=
                columns[i * y->pitch + from] * (ramp_x[i] * ramp_y);
        }
    }
}

/* Two-dimensional transform of one frequency of one shifted lattice: all rows, then only those
 * columns whose bins are used. */
static void transform_plane(const nfsar_rma_plan *plan, size_t shift, const float complex *plane,
                            float complex *spectrum, float complex *scratch) {
    const struct rma_axis *x = &plan->x, *y = &plan->y;
    float complex *rows = scratch, *columns = scratch + y->n * x->pitch;
    for (size_t j = 0; j < y->n; j++) {
        float complex *row = rows + j * x->pitch;
        memcpy(row, plane + j * x->n, x->n * sizeof *row);
        memset(row + x->n, 0, (x->length - x->n) * sizeof *row);
        fftwf_execute_dft(plan->row_transform, row, row);
    }
    for (size_t first = 0; first < x->bins; first += RMA_TILE) {
        size_t count = x->bins - first < RMA_TILE ? x->bins - first : RMA_TILE;
        memset(columns, 0, RMA_TILE * y->pitch * sizeof *columns);
        for (size_t i = 0; i < count; i++) {
            size_t from = wrapped(x, first + i);
            for (size_t j = 0; j < y->n; j++) {
                columns[i * y->pitch + j] = rows[j * x->pitch + from];
            }
        }
        fftwf_execute_dft(plan->column_transform, columns, columns);
        add_columns(plan, shift, first, count, columns, spectrum);
    }
}

enum nfsar_status rma_spectrum_load(nfsar_rma_plan *plan, const nfsar_echo_source *source,
                                    size_t first, size_t n, nfsar_error *error) {
    enum nfsar_status status = fill_cube(plan, source, first, n, error);
    if (status != NFSAR_OK) {
        return status;
    }
    size_t plane = plan->x.bins * plan->y.bins, cells = plan->x.n * plan->y.n;
    size_t n_shift = plan->lattice->n_shift;
#pragma omp parallel for schedule(dynamic) num_threads(plan->threads)
    for (size_t k = 0; k < n; k++) {
        float complex *scratch = plan->scratch + (size_t)omp_get_thread_num() * plan->scratch_size;
        float complex *spectrum = plan->spectrum + k * plane;
        memset(spectrum, 0, plane * sizeof *spectrum);
        for (size_t s = 0; s < n_shift; s++) {
            transform_plane(plan, s, plan->cube + (k * n_shift + s) * cells, spectrum, scratch);
        }
    }
    return NFSAR_OK;
}
