/* Executing a plan: blocks of vectors, row by row and then column by column. */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "algorithms/multiversion.h"
#include "algorithms/nufft_plan.h"

/* A stretch of the work of one thread: chunks of one block. */
struct stretch {
    size_t block; /* in the group */
    size_t begin, end;
};

MULTIVERSION
static void add(const float complex *from, size_t n, float complex *to) {
    const float *in = (const float *)from;
    float *out = (float *)to;
    for (size_t i = 0; i < 2 * n; i++) {
        out[i] += in[i];
    }
}

/* out[i] = weight[i] in[i] */
MULTIVERSION
static void weigh(const float complex *from, const float *weight, size_t n, float complex *to) {
    const float *in = (const float *)from;
    float *out = (float *)to;
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = weight[i] * in[2 * i];
        out[2 * i + 1] = weight[i] * in[2 * i + 1];
    }
}

static void transform_lines(const struct nufft_axis *axis, fftwf_plan plan, size_t n,
                            const struct nufft_scratch *scratch) {
    for (size_t i = 0; i < n; i++) {
        fftwf_execute_dft(plan, scratch->lines + i * axis->pitch, scratch->bins + i * axis->pitch);
    }
}

/* The planes of a block of the group, or of a thread. */
static float complex *planes_of(const nfsar_nufft_plan *plan, size_t block) {
    return plan->planes + block * SPREAD_VECTORS * plan->plane;
}

/* ---- type 1 ---- */

/* What lies in the ghosts of a line of cells belongs to the other end. */
static void fold_cells(const struct nufft_axis *x, float complex *cells) {
    size_t n = x->ghost * SPREAD_VECTORS, fine = x->fine * SPREAD_VECTORS;
    add(cells, n, cells + fine);
    add(cells + n + fine, n, cells + n);
}

/* The modes of a transformed line, the lowest first. */
static void cut_line(const struct nufft_axis *axis, const float complex *bins, float complex *to) {
    size_t below = axis->modes / 2;
    weigh(bins + axis->fine - below, axis->correction, below, to);
    weigh(bins, axis->correction + below, axis->modes - below, to + below);
}

/* Transform up to a tile of columns, rows of the fine grid with their ghosts, to rows of modes. */
static void columns_there(const nfsar_nufft_plan *plan, const struct nufft_axis *axis,
                          const float complex *in, size_t in_stride, size_t n, float complex *out,
                          size_t out_stride, const struct nufft_scratch *scratch) {
    size_t ghost = axis->ghost, below = axis->modes / 2, pitch = axis->pitch;
    float complex *lines = scratch->lines, *bins = scratch->bins;
    plan->transpose(in + ghost * in_stride, in_stride, axis->fine, NUFFT_TILE, NULL, NULL, lines,
                    pitch);
    for (size_t i = 0; i < ghost; i++) {
        const float complex *before = in + i * in_stride;
        const float complex *after = in + (ghost + axis->fine + i) * in_stride;
        for (size_t c = 0; c < n; c++) {
            lines[c * pitch + axis->fine - ghost + i] += before[c];
            lines[c * pitch + i] += after[c];
        }
    }
    transform_lines(axis, axis->there, n, scratch);
    plan->transpose(bins + axis->fine - below, pitch, n, below, NULL, axis->correction, out,
                    out_stride);
    plan->transpose(bins, pitch, n, axis->modes - below, NULL, axis->correction + below,
                    out + below * out_stride, out_stride);
}

/* A row of cells to its row of the planes. */
static void row_there(const nfsar_nufft_plan *plan, float complex *cells, size_t row,
                      float complex *planes, const struct nufft_scratch *scratch) {
    const struct nufft_axis *x = &plan->axis[0], *z = &plan->axis[2];
    size_t layers = nufft_cells(z), line = nufft_cells(x) * SPREAD_VECTORS;
    float complex *to = z->fine > 1 ? scratch->layers : planes + row * plan->slab;
    size_t step = z->fine > 1 ? layers * plan->row_pitch : plan->plane;
    for (size_t l = 0; l < layers; l++) {
        float complex *from = cells + l * line;
        fold_cells(x, from);
        plan->transpose(from + x->ghost * SPREAD_VECTORS, SPREAD_VECTORS, x->fine, SPREAD_VECTORS,
                        NULL, NULL, scratch->lines, x->pitch);
        transform_lines(x, x->there, SPREAD_VECTORS, scratch);
        for (size_t v = 0; v < SPREAD_VECTORS; v++) {
            cut_line(x, scratch->bins + v * x->pitch, to + v * step + l * plan->row_pitch);
        }
    }
    for (size_t v = 0; z->fine > 1 && v < SPREAD_VECTORS; v++) {
        for (size_t i = 0; i < x->modes; i += NUFFT_TILE) {
            size_t left = x->modes - i, n = left < NUFFT_TILE ? left : NUFFT_TILE;
            columns_there(plan, z, to + v * step + i, plan->row_pitch, n,
                          planes + v * plan->plane + row * plan->slab + i, plan->row_pitch,
                          scratch);
        }
    }
}

/* The values of a block of vectors, and what they lie apart. */
static const float complex *values_of(const nfsar_nufft_plan *plan, const float complex *values,
                                      size_t block, size_t *pitch) {
    bool whole = (block + 1) * SPREAD_VECTORS <= plan->n_vector;
    *pitch = whole ? plan->n_vector : SPREAD_VECTORS;
    return whole ? values + block * SPREAD_VECTORS : plan->rest;
}

static void stretch_there(const nfsar_nufft_plan *plan, const struct stretch *stretch, size_t block,
                          const float complex *values, const struct nufft_scratch *scratch) {
    size_t pitch, first, n, ring = plan->ring, start;
    size_t row = nufft_cells(&plan->axis[2]) * nufft_cells(&plan->axis[0]) * SPREAD_VECTORS;
    const float complex *from = values_of(plan, values, block, &pitch);
    float complex *planes = planes_of(plan, stretch->block);
    memset(scratch->cells, 0, ring * row * sizeof *scratch->cells);
    spread_rows(plan->spread, stretch->begin, &start, &n);
    /* Chunks before that reach into the first. */
    size_t reach = (size_t)plan->axis[1].width - 1;
    size_t chunk = start > reach ? (start - reach) / plan->chunk_rows : 0;
    for (; chunk < stretch->end; chunk++) {
        spread_add_chunk(plan->spread, chunk, from, pitch, 0, start, scratch->cells, ring);
        spread_rows(plan->spread, chunk, &first, &n);
        for (size_t r = first; chunk >= stretch->begin && r < first + n; r++) {
            float complex *cells = scratch->cells + r % ring * row;
            row_there(plan, cells, r, planes, scratch);
            memset(cells, 0, row * sizeof *cells);
        }
    }
}

/* A tile of columns of the planes from `planes` on to modes; tasks are counted through the vectors
 * from first_block on. */
static void tile_there(const nfsar_nufft_plan *plan, size_t task, const float complex *planes,
                       size_t first_block, float complex *modes,
                       const struct nufft_scratch *scratch) {
    const struct nufft_axis *x = &plan->axis[0], *y = &plan->axis[1], *z = &plan->axis[2];
    size_t tiles = (x->modes + NUFFT_TILE - 1) / NUFFT_TILE;
    size_t at = task % tiles * NUFFT_TILE, l = task / tiles % z->modes;
    size_t vector = task / tiles / z->modes;
    size_t left = x->modes - at, n = left < NUFFT_TILE ? left : NUFFT_TILE;
    size_t to = first_block * SPREAD_VECTORS + vector;
    if (to < plan->n_vector) {
        columns_there(plan, y, planes + vector * plan->plane + l * plan->row_pitch + at, plan->slab,
                      n, modes + (to * z->modes + l) * y->modes * x->modes + at, x->modes, scratch);
    }
}

/* ---- type 2, the adjoint step by step ---- */

static void copy_ghosts(const struct nufft_axis *x, float complex *cells) {
    size_t n = x->ghost * SPREAD_VECTORS, fine = x->fine * SPREAD_VECTORS;
    memcpy(cells, cells + fine, n * sizeof *cells);
    memcpy(cells + n + fine, cells + n, n * sizeof *cells);
}

static void pad_line(const struct nufft_axis *axis, float complex *line) {
    size_t below = axis->modes / 2, above = axis->modes - below;
    memset(line + above, 0, (axis->fine - axis->modes) * sizeof *line);
}

static void columns_back(const nfsar_nufft_plan *plan, const struct nufft_axis *axis,
                         const float complex *in, size_t in_stride, size_t n, float complex *out,
                         size_t out_stride, const struct nufft_scratch *scratch) {
    size_t ghost = axis->ghost, below = axis->modes / 2, pitch = axis->pitch;
    float complex *lines = scratch->lines, *bins = scratch->bins;
    plan->transpose(in, in_stride, below, n, axis->correction, NULL, lines + axis->fine - below,
                    pitch);
    plan->transpose(in + below * in_stride, in_stride, axis->modes - below, n,
                    axis->correction + below, NULL, lines, pitch);
    for (size_t c = 0; c < n; c++) {
        pad_line(axis, lines + c * pitch);
    }
    transform_lines(axis, axis->back, n, scratch);
    plan->transpose(bins, pitch, n, axis->fine, NULL, NULL, out + ghost * out_stride, out_stride);
    plan->transpose(bins + axis->fine - ghost, pitch, n, ghost, NULL, NULL, out, out_stride);
    plan->transpose(bins, pitch, n, ghost, NULL, NULL, out + (ghost + axis->fine) * out_stride,
                    out_stride);
}

static void row_back(const nfsar_nufft_plan *plan, const float complex *planes, size_t row,
                     float complex *cells, const struct nufft_scratch *scratch) {
    const struct nufft_axis *x = &plan->axis[0], *z = &plan->axis[2];
    size_t layers = nufft_cells(z), line = nufft_cells(x) * SPREAD_VECTORS;
    const float complex *from = z->fine > 1 ? scratch->layers : planes + row * plan->slab;
    size_t step = z->fine > 1 ? layers * plan->row_pitch : plan->plane;
    size_t below = x->modes / 2;
    for (size_t v = 0; z->fine > 1 && v < SPREAD_VECTORS; v++) {
        for (size_t i = 0; i < x->modes; i += NUFFT_TILE) {
            size_t left = x->modes - i, n = left < NUFFT_TILE ? left : NUFFT_TILE;
            columns_back(plan, z, planes + v * plan->plane + row * plan->slab + i, plan->row_pitch,
                         n, scratch->layers + v * step + i, plan->row_pitch, scratch);
        }
    }
    for (size_t l = 0; l < layers; l++) {
        for (size_t v = 0; v < SPREAD_VECTORS; v++) {
            const float complex *modes = from + v * step + l * plan->row_pitch;
            float complex *to = scratch->lines + v * x->pitch;
            weigh(modes, x->correction, below, to + x->fine - below);
            weigh(modes + below, x->correction + below, x->modes - below, to);
            pad_line(x, to);
        }
        transform_lines(x, x->back, SPREAD_VECTORS, scratch);
        plan->transpose(scratch->bins, x->pitch, SPREAD_VECTORS, x->fine, NULL, NULL,
                        cells + l * line + x->ghost * SPREAD_VECTORS, SPREAD_VECTORS);
        copy_ghosts(x, cells + l * line);
    }
}

static void stretch_back(const nfsar_nufft_plan *plan, const struct stretch *stretch, size_t block,
                         float complex *values, const struct nufft_scratch *scratch) {
    size_t pitch, first, n, next, ring = plan->ring, rows = nufft_cells(&plan->axis[1]);
    size_t row = nufft_cells(&plan->axis[2]) * nufft_cells(&plan->axis[0]) * SPREAD_VECTORS;
    values_of(plan, values, block, &pitch);
    bool whole = pitch == plan->n_vector;
    float complex *to = whole ? values + block * SPREAD_VECTORS : plan->rest;
    const float complex *planes = planes_of(plan, stretch->block);
    spread_rows(plan->spread, stretch->begin, &next, &n);
    for (size_t chunk = stretch->begin; chunk < stretch->end; chunk++) {
        spread_rows(plan->spread, chunk, &first, &n);
        size_t end = first + n + (size_t)plan->axis[1].width - 1;
        for (; next < end && next < rows; next++) {
            row_back(plan, planes, next, scratch->cells + next % ring * row, scratch);
        }
        spread_gather_chunk(plan->spread, chunk, scratch->cells, ring, to, pitch, 0);
    }
}

static void tile_back(const nfsar_nufft_plan *plan, size_t task, float complex *planes,
                      size_t first_block, const float complex *modes,
                      const struct nufft_scratch *scratch) {
    const struct nufft_axis *x = &plan->axis[0], *y = &plan->axis[1], *z = &plan->axis[2];
    size_t tiles = (x->modes + NUFFT_TILE - 1) / NUFFT_TILE;
    size_t at = task % tiles * NUFFT_TILE, l = task / tiles % z->modes;
    size_t vector = task / tiles / z->modes;
    size_t left = x->modes - at, n = left < NUFFT_TILE ? left : NUFFT_TILE;
    size_t from = first_block * SPREAD_VECTORS + vector;
    if (from < plan->n_vector) {
        columns_back(plan, y, modes + (from * z->modes + l) * y->modes * x->modes + at, x->modes, n,
                     planes + vector * plan->plane + l * plan->row_pitch + at, plan->slab, scratch);
    }
}

/* ---- both ---- */

/* The part of thread `thread` of the chunks of n blocks, one after the other, beginning at *task:
 * its next stretch, or none. */
static bool next_stretch(const nfsar_nufft_plan *plan, size_t n, size_t thread, size_t threads,
                         size_t *task, struct stretch *stretch) {
    size_t chunks = spread_chunks(plan->spread);
    size_t end = nufft_share(plan, n, thread + 1, threads);
    if (*task >= end) {
        return false;
    }
    stretch->block = *task / chunks;
    stretch->begin = *task % chunks;
    size_t left = end - *task, in_block = chunks - stretch->begin;
    stretch->end = stretch->begin + (left < in_block ? left : in_block);
    *task += stretch->end - stretch->begin;
    return true;
}

/* Values of a last, partial block of vectors, side by side. */
static void copy_rest(const nfsar_nufft_plan *plan, const float complex *values) {
    size_t n = plan->n_vector % SPREAD_VECTORS, first = plan->n_vector - n;
    for (size_t i = 0; n > 0 && i < plan->n_point; i++) {
        memcpy(plan->rest + i * SPREAD_VECTORS, values + i * plan->n_vector + first,
               n * sizeof *values);
    }
}

static size_t group_of(const nfsar_nufft_plan *plan, size_t first) {
    size_t left = plan->n_block - first;
    return left < plan->group ? left : plan->group;
}

static size_t tile_tasks(const nfsar_nufft_plan *plan, size_t blocks) {
    size_t tiles = (plan->axis[0].modes + NUFFT_TILE - 1) / NUFFT_TILE;
    return blocks * SPREAD_VECTORS * plan->axis[2].modes * tiles;
}

/* All threads work on the same blocks. */
static void there_together(const nfsar_nufft_plan *plan, const float complex *values,
                           float complex *modes) {
#pragma omp parallel num_threads(plan->threads)
    {
        size_t thread = (size_t)omp_get_thread_num(), threads = (size_t)omp_get_num_threads();
        const struct nufft_scratch *scratch = &plan->scratch[thread];
        for (size_t first = 0; first < plan->n_block; first += plan->group) {
            size_t n = group_of(plan, first), task = nufft_share(plan, n, thread, threads);
            struct stretch stretch;
            while (next_stretch(plan, n, thread, threads, &task, &stretch)) {
                stretch_there(plan, &stretch, first + stretch.block, values, scratch);
            }
#pragma omp barrier
#pragma omp for schedule(static)
            for (size_t i = 0; i < tile_tasks(plan, n); i++) {
                tile_there(plan, i, plan->planes, first, modes, scratch);
            }
        }
    }
}

/* Each thread has a block to itself, and waits for nobody. */
static void there_apart(const nfsar_nufft_plan *plan, const float complex *values,
                        float complex *modes) {
#pragma omp parallel for schedule(dynamic, 2) num_threads(plan->threads)
    for (size_t block = 0; block < plan->n_block; block++) {
        size_t thread = (size_t)omp_get_thread_num();
        struct stretch all = {thread, 0, spread_chunks(plan->spread)};
        stretch_there(plan, &all, block, values, &plan->scratch[thread]);
        for (size_t i = 0; i < tile_tasks(plan, 1); i++) {
            tile_there(plan, i, planes_of(plan, thread), block, modes, &plan->scratch[thread]);
        }
    }
}

void nfsar_nufft_type1(nfsar_nufft_plan *plan, const float complex *values, float complex *modes) {
    copy_rest(plan, values);
    if (plan->apart) {
        there_apart(plan, values, modes);
    } else {
        there_together(plan, values, modes);
    }
}

static void back_together(const nfsar_nufft_plan *plan, const float complex *modes,
                          float complex *values) {
#pragma omp parallel num_threads(plan->threads)
    {
        size_t thread = (size_t)omp_get_thread_num(), threads = (size_t)omp_get_num_threads();
        const struct nufft_scratch *scratch = &plan->scratch[thread];
        for (size_t first = 0; first < plan->n_block; first += plan->group) {
            size_t n = group_of(plan, first), task = nufft_share(plan, n, thread, threads);
            struct stretch stretch;
#pragma omp for schedule(static)
            for (size_t i = 0; i < tile_tasks(plan, n); i++) {
                tile_back(plan, i, plan->planes, first, modes, scratch);
            }
            while (next_stretch(plan, n, thread, threads, &task, &stretch)) {
                stretch_back(plan, &stretch, first + stretch.block, values, scratch);
            }
#pragma omp barrier
        }
    }
}

static void back_apart(const nfsar_nufft_plan *plan, const float complex *modes,
                       float complex *values) {
#pragma omp parallel for schedule(dynamic, 2) num_threads(plan->threads)
    for (size_t block = 0; block < plan->n_block; block++) {
        size_t thread = (size_t)omp_get_thread_num();
        struct stretch all = {thread, 0, spread_chunks(plan->spread)};
        for (size_t i = 0; i < tile_tasks(plan, 1); i++) {
            tile_back(plan, i, planes_of(plan, thread), block, modes, &plan->scratch[thread]);
        }
        stretch_back(plan, &all, block, values, &plan->scratch[thread]);
    }
}

void nfsar_nufft_type2(nfsar_nufft_plan *plan, const float complex *modes, float complex *values) {
    if (plan->apart) {
        back_apart(plan, modes, values);
    } else {
        back_together(plan, modes, values);
    }
    size_t n = plan->n_vector % SPREAD_VECTORS, first = plan->n_vector - n;
    for (size_t i = 0; n > 0 && i < plan->n_point; i++) {
        memcpy(values + i * plan->n_vector + first, plan->rest + i * SPREAD_VECTORS,
               n * sizeof *values);
    }
}
