/* From irregular positions to S(k_x, k_y, k) = sum_l s_l(k) exp(-j(k_x x_l + k_y y_l) + j k_z d_l):
 * eight frequencies at a time, spread onto the layers, transformed along x while the rows are in
 * the cache, then along y, and summed over the layers. */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "algorithms/multiversion.h"
#include "algorithms/nurma_plan.h"
#include "algorithms/phasor.h"

void nurma_keep(nfsar_rma_plan *plan, size_t line, size_t count, const float complex *from,
                size_t pitch, size_t n) {
    const struct nurma *nurma = plan->nurma;
    for (size_t l = 0; l < count; l++) {
        float complex *to = nurma->values + nurma->rank[line + l] * nurma->pitch;
        for (size_t m = 0; m < n; m++) {
            to[m] = from[m * pitch + l];
        }
        for (size_t m = n; m % SPREAD_VECTORS != 0; m++) {
            to[m] = 0.0f;
        }
    }
}

/* One vector of a row of cells; false when there is nothing in it. */
static bool take_row(const float complex *cells, size_t n, float complex *line) {
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        line[i] = cells[i * SPREAD_VECTORS];
        any |= line[i] != 0.0f;
    }
    return any;
}

/* Rows of one chunk along x, of n frequencies, to the cube [frequency][layer][row][x.width]. */
static void transform_rows(const nfsar_rma_plan *plan, size_t chunk, size_t n,
                           const float complex *cells, float complex *line, float complex *work) {
    const struct rma_axis *x = &plan->x;
    size_t layers = plan->nurma->layer.count, width = plan->cell_width, first, rows;
    spread_rows(plan->nurma->spread, chunk, &first, &rows);
    for (size_t r = 0; r < rows * layers; r++) {
        size_t j = first + r / layers, layer = r % layers;
        const float complex *row = cells + r * x->n * SPREAD_VECTORS;
        for (size_t v = 0; v < n; v++) {
            float complex *to = plan->cube + ((v * layers + layer) * plan->y.n + j) * width;
            if (!take_row(row + v, x->n, line)) {
                memset(to, 0, width * sizeof *to);
                continue;
            }
            const float complex *bins = line;
            if (x->forward != NULL) {
                fftwf_execute_dft(x->forward, line, work);
                bins = work;
            }
            rma_lay_bins(x, bins, x->ramp, false, to);
        }
    }
}

/* Layers that are summed before the phase is made anew: rounding of what a wave turns from layer to
 * layer, 2e-7, adds up. */
enum { LAYERS = 24 };

/* What the waves of one tile of columns, of one frequency, need of the layers. [y.bins] */
struct column {
    struct rma_tile *turn;  /* t, what a wave turns from layer to layer */
    struct rma_tile *sum;   /* sum_m F_m t^m over some layers */
    struct rma_tile *slope; /* its derivative by t */
    struct rma_tile *all;   /* sum_m F_m exp(+j (k_z - 2k fraction) b_m) over all */
    struct rma_tile *away;  /* the same with weights b_m, offsets of the layers */
};

/* One layer more, Horner's way: slope = slope t + sum, sum = sum t + F. */
MULTIVERSION
static void add_layer(const float complex *columns, size_t pitch, size_t from, size_t n,
                      const struct rma_tile *turn, struct rma_tile *sum, struct rma_tile *slope) {
    for (size_t j = 0; j < n; j++) {
        const float *in = (const float *)(columns + from + j);
        const float *t_re = turn[j].re, *t_im = turn[j].im;
        float *re = sum[j].re, *im = sum[j].im, *s_re = slope[j].re, *s_im = slope[j].im;
        for (size_t l = 0; l < RMA_TILE; l++) {
            float a = re[l], b = im[l], c = s_re[l], d = s_im[l];
            s_re[l] = c * t_re[l] - d * t_im[l] + a;
            s_im[l] = c * t_im[l] + d * t_re[l] + b;
            re[l] = a * t_re[l] - b * t_im[l] + in[2 * l * pitch];
            im[l] = a * t_im[l] + b * t_re[l] + in[2 * l * pitch + 1];
        }
    }
}

/* Transform a tile of columns of one layer along y and add it. */
static void transform_layer(const nfsar_rma_plan *plan, const float complex *plane,
                            const struct column *column, float complex *columns,
                            float complex *work) {
    const struct rma_axis *y = &plan->y;
    size_t pitch = rma_line_pitch(y->length);
    const float complex *bins = rma_columns(plan, plane, columns, work);
    for (size_t j = 0, from = rma_wrapped(y, 0); j < y->bins; from = 0) {
        size_t n = y->length - from < y->bins - j ? y->length - from : y->bins - j;
        add_layer(bins, pitch, from, n, column->turn + j, column->sum + j, column->slope + j);
        j += n;
    }
}

/* One row of a tile: its waves, where their sums go, and what they are multiplied by. */
struct finish {
    float complex *spectrum, *offsets; /* [RMA_TILE] */
    float complex ramp;                /* of k_y, and what thinning turned */
    const double *kx;
    double two_k, out, ky;
    bool line;
    double centre; /* depth of the slab's middle below the plane */
};

static inline double wave_kz(const struct finish *row, int l) {
    double square = row->two_k * row->two_k - row->ky * row->ky - row->kx[l] * row->kx[l];
    double limit = RMA_SMALLEST_COSINE_SQUARED * row->two_k * row->two_k;
    return sqrt(square > limit ? square : limit);
}

/* t of one row of a tile. */
MULTIVERSION
static void make_turns(const struct finish *row, double step, struct rma_tile *turn) {
    float turns[RMA_TILE];
    for (int l = 0; l < RMA_TILE; l++) {
        double t = (wave_kz(row, l) - row->out) * step * (0.5 / NFSAR_PI);
        turns[l] = (float)(t - rint(t));
    }
    for (int l = 0; l < RMA_TILE; l++) {
        phasor_turns(turns[l], &turn->re[l], &turn->im[l]);
    }
}

/* The sums over some layers, the first of which is `first` from the plane, to those over all. */
MULTIVERSION
static void add_layers(const struct finish *row, double first, double step,
                       const struct rma_tile *turn, const struct rma_tile *sum,
                       const struct rma_tile *slope, struct rma_tile *all, struct rma_tile *away) {
    float turns[RMA_TILE], b = (float)first, h = (float)step;
    for (int l = 0; l < RMA_TILE; l++) {
        double t = (wave_kz(row, l) - row->out) * first * (0.5 / NFSAR_PI);
        turns[l] = (float)(t - rint(t));
    }
    for (int l = 0; l < RMA_TILE; l++) {
        float c, s;
        phasor_turns(turns[l], &c, &s);
        float d_re = slope->re[l] * turn->re[l] - slope->im[l] * turn->im[l];
        float d_im = slope->re[l] * turn->im[l] + slope->im[l] * turn->re[l];
        float b_re = b * sum->re[l] + h * d_re, b_im = b * sum->im[l] + h * d_im;
        all->re[l] += sum->re[l] * c - sum->im[l] * s;
        all->im[l] += sum->re[l] * s + sum->im[l] * c;
        away->re[l] += b_re * c - b_im * s;
        away->im[l] += b_re * s + b_im * c;
    }
}

/* Sums over the layers to S, and to what the offsets d and the next term of the plane waves take
 * off it: S of the weights d, plus j S / k_z; for a line of positions, whose amplitude is the root
 * of the depth, see docs/theory/irregular.md. */
MULTIVERSION
static void finish_row(const struct nurma *nurma, const struct finish *row,
                       const struct rma_tile *all, const struct rma_tile *away) {
    float ratio[RMA_TILE], per_kz[RMA_TILE];
    for (int l = 0; l < RMA_TILE; l++) {
        double kz = wave_kz(row, l), r = (kz - row->out) / nurma->band;
        ratio[l] = (float)(r > 1.0 ? 1.0 : r < -1.0 ? -1.0 : r);
        per_kz[l] = (float)(1.0 / kz);
    }
    float ramp_re = crealf(row->ramp), ramp_im = cimagf(row->ramp);
    float centre = (float)(0.5 / row->centre);
    float *to = (float *)row->spectrum, *of = (float *)row->offsets;
    for (int l = 0; l < RMA_TILE; l++) {
        float u = ratio[l] * ratio[l], inverse = 0.0f, change = 0.0f;
        for (int i = NURMA_TERMS - 1; i >= 0; i--) {
            inverse = inverse * u + nurma->inverse[i];
            change = change * u + nurma->slope[i];
        }
        change *= ratio[l];
        float g_re = all->re[l] * ramp_re - all->im[l] * ramp_im;
        float g_im = all->re[l] * ramp_im + all->im[l] * ramp_re;
        /* -j d/dk_z of the sum over the kernel's transform. */
        float q_re = inverse * (away->re[l] * ramp_re - away->im[l] * ramp_im) + change * g_im;
        float q_im = inverse * (away->re[l] * ramp_im + away->im[l] * ramp_re) - change * g_re;
        float p_re = inverse * g_re, p_im = inverse * g_im;
        if (row->line) {
            /* Over the depth below each position, (S + S_d / centre) / depth. */
            float next_re = 0.375f * per_kz[l] * (p_re + 2.0f * centre * q_re);
            float next_im = 0.375f * per_kz[l] * (p_im + 2.0f * centre * q_im);
            p_re += centre * q_re;
            p_im += centre * q_im;
            q_re = 0.5f * q_re - next_im;
            q_im = 0.5f * q_im + next_re;
        } else {
            q_re -= per_kz[l] * p_im;
            q_im += per_kz[l] * p_re;
        }
        to[2 * l] = p_re;
        to[2 * l + 1] = p_im;
        of[2 * l] = q_re;
        of[2 * l + 1] = q_im;
    }
}

/* One layer is the spectrum itself. */
MULTIVERSION
static void finish_flat(const struct finish *row, const struct rma_tile *sum) {
    float c = crealf(row->ramp), s = cimagf(row->ramp);
    float *to = (float *)row->spectrum;
    for (int l = 0; l < RMA_TILE; l++) {
        to[2 * l] = sum->re[l] * c - sum->im[l] * s;
        to[2 * l + 1] = sum->re[l] * s + sum->im[l] * c;
    }
}

/* k_x of a tile of columns: outward from zero, upward and then downward (struct rma_axis). */
static void tile_kx(const struct rma_axis *x, size_t first, double kx[RMA_TILE]) {
    size_t half = x->width / 2, away = first < half ? first : first - half;
    for (size_t l = 0; l < RMA_TILE; l++) {
        kx[l] = x->step * (double)(away + l);
    }
}

/* Rows of a tile have their own k_y, ramp and places in the spectrum. */
static void go_to_row(const nfsar_rma_plan *plan, size_t j, size_t at, float complex turned,
                      struct finish *row) {
    row->ky = plan->y.step * ((double)j - (double)plan->y.half);
    row->ramp = plan->y.ramp[j] * turned;
    row->spectrum = plan->spectrum + at + j * plan->x.width;
    row->offsets = plan->offsets != NULL ? plan->offsets + at + j * plan->x.width : NULL;
}

/* Some layers of a tile, from the last to the first. */
static void sum_layers(const nfsar_rma_plan *plan, size_t first, size_t end,
                       const float complex *cube, const struct column *column,
                       float complex *columns, float complex *work) {
    size_t plane = plan->y.n * plan->cell_width;
    memset(column->sum, 0, plan->y.bins * sizeof *column->sum);
    memset(column->slope, 0, plan->y.bins * sizeof *column->slope);
    for (size_t m = end; m-- > first;) {
        transform_layer(plan, cube + m * plane, column, columns, work);
    }
}

/* All layers of a tile of columns of one frequency to the spectrum. */
static void transform_columns(const nfsar_rma_plan *plan, size_t wave, size_t in_block,
                              const float complex *cube, size_t first, const struct column *column,
                              float complex *columns, float complex *work) {
    const struct nurma *nurma = plan->nurma;
    const struct rma_axis *x = &plan->x, *y = &plan->y;
    size_t at = in_block * y->bins * x->width + first, layers = nurma->layer.count;
    double kx[RMA_TILE], two_k = 2.0 * plan->wavenumber_of_wave[wave];
    struct finish row = {.kx = kx,
                         .two_k = two_k,
                         .out = nurma->fraction * two_k,
                         .line = x->line || y->line,
                         .centre = nurma->centre};
    float complex turned = rma_turn_back(plan, wave);
    tile_kx(x, first, kx);
    for (size_t j = 0; j < y->bins; j++) {
        go_to_row(plan, j, at, turned, &row);
        make_turns(&row, nurma->layer.step, column->turn + j);
    }
    memset(column->all, 0, y->bins * sizeof *column->all);
    memset(column->away, 0, y->bins * sizeof *column->away);
    for (size_t m = 0; m < layers; m += LAYERS) {
        double offset = nurma->layer.first + nurma->layer.step * (double)m;
        sum_layers(plan, m, m + LAYERS < layers ? m + LAYERS : layers, cube + first, column,
                   columns, work);
        for (size_t j = 0; j < (plan->offsets != NULL ? y->bins : 0); j++) {
            go_to_row(plan, j, at, turned, &row);
            add_layers(&row, offset, nurma->layer.step, column->turn + j, column->sum + j,
                       column->slope + j, column->all + j, column->away + j);
        }
    }
    for (size_t j = 0; j < y->bins; j++) {
        go_to_row(plan, j, at, turned, &row);
        if (plan->offsets != NULL) {
            finish_row(nurma, &row, column->all + j, column->away + j);
        } else {
            finish_flat(&row, column->sum + j);
        }
    }
}

void nurma_spectrum(nfsar_rma_plan *plan, size_t first, size_t n) {
    const struct nurma *nurma = plan->nurma;
    const struct rma_axis *x = &plan->x, *y = &plan->y;
    size_t tiles = rma_column_tiles(x), chunks = spread_chunks(nurma->spread);
    size_t of_wave = nurma->layer.count * y->n * plan->cell_width;
#pragma omp parallel num_threads(plan->threads)
    {
        size_t thread = (size_t)omp_get_thread_num();
        float complex *work = plan->work + thread * plan->work_size;
        float complex *line = plan->line_in + thread * rma_pitch(x->length);
        float complex *columns = plan->columns_in + thread * RMA_TILE * rma_line_pitch(y->length);
        float complex *cells = nurma->cells + thread * spread_cells(nurma->spread);
        struct rma_tile *tile = nurma->column + thread * NURMA_TILES * y->bins;
        struct column column = {tile, tile + y->bins, tile + 2 * y->bins, tile + 3 * y->bins,
                                tile + 4 * y->bins};
        for (size_t v = 0; v < n; v += SPREAD_VECTORS) {
            size_t count = n - v < SPREAD_VECTORS ? n - v : SPREAD_VECTORS;
#pragma omp for schedule(dynamic)
            for (size_t c = 0; c < chunks; c++) {
                spread_chunk(nurma->spread, c, nurma->values, nurma->pitch, v, cells);
                transform_rows(plan, c, count, cells, line, work);
            }
#pragma omp for schedule(dynamic)
            for (size_t i = 0; i < count * tiles; i++) {
                size_t m = i / tiles;
                transform_columns(plan, first + v + m, v + m, plan->cube + m * of_wave,
                                  i % tiles * RMA_TILE, &column, columns, work);
            }
        }
    }
}
