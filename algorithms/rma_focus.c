/* From the spectrum to depths:
 * o(x, y, z) = sum_k sum_{k_x, k_y} A S exp(-j k_z depth) exp(+j(k_x x + k_y y)) dk_x dk_y,
 * where A makes exp(-2jkR) out of plane waves (docs/theory/planar.md); here the sum over k, and
 * that over k_x while a row of k_y is in the cache. */
#include "algorithms/rma_plan.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "algorithms/multiversion.h"
#include "algorithms/phasor.h"

/* One frequency of a tile of k_x: A, and (k_z - plan->k_z) / (2 pi). */
struct wave {
    float weight[RMA_TILE];
    double turns[RMA_TILE]; /* a metre */
};

/* Complex numbers that are worked on per frequency: a wave; what it is multiplied by at a depth,
 * and from there to the next; its value. */
enum {
    WORK_PER_WAVE = (sizeof(struct wave) + 3 * sizeof(struct rma_tile)) / sizeof(float complex)
};

size_t rma_focus_work(const nfsar_rma_plan *plan) {
    size_t waves = WORK_PER_WAVE * (plan->k_block + RMA_WAVES), tile = 2 * RMA_TILE * plan->chunk;
    size_t fast = plan->to_depth != NULL
                      ? 2 * rma_pitch(plan->k_block) + rma_pitch(plan->depth->n_node) +
                            rma_pitch(depthsum_scratch(plan->to_depth))
                      : 0;
    return waves + tile + fast + rma_pitch(lateral_work(plan->x.to_grid));
}

/* Which part of one axis' spectrum is kept: all of it up to the sine, nothing beyond its end. */
struct view {
    float sine, cosine, per_margin;
};

static struct view view_of(const struct rma_axis *axis) {
    /* An axis without spectrum has k = 0; any limits do. */
    double sine = axis->line ? 0.5 : axis->sine, end = axis->line ? 0.6 : axis->end;
    double cosine = sqrt(1.0 - sine * sine);
    double between = 1.0 - cosine * sqrt(1.0 - end * end) - sine * end;
    return (struct view){.sine = (float)sine,
                         .cosine = (float)cosine,
                         .per_margin = (float)(1.0 / sqrt(fmax(between, 1e-12)))};
}

/* From 1 at t = 0 to 0 at t = 1, as steeply as the plan's margin lets it. */
static inline float fall(float t, const struct rma_taper *taper) {
    t = t < 0.0f ? 0.0f : t > 1.0f ? 1.0f : t;
    /* Clenshaw's sum of odd Chebyshev polynomials. */
    float y = 2.0f * t - 1.0f, twice = 4.0f * y * y - 2.0f, last = 0.0f, sum = 0.0f;
    for (int i = taper->n - 1; i >= 0; i--) {
        float next = taper->c[i] + twice * sum - last;
        last = sum;
        sum = next;
    }
    return 0.5f + y * (sum - last);
}

/* From 1 at view.sine to 0 at its end: an abrupt end would ring. It falls with the Fresnel zones
 * that a wave is beyond the outermost pair, whose square is in proportion to 1 - cos of the angle
 * between. */
static inline float view_weight(float sine, struct view view, const struct rma_taper *taper) {
    float square = 1.0f - sine * sine, cosine = sqrtf(square > 0.0f ? square : 0.0f);
    float turned = 1.0f - cosine * view.cosine - sine * view.sine;
    return fall(sine > view.sine && turned > 0.0f ? sqrtf(turned) * view.per_margin : 0.0f, taper);
}

/* What the waves of one tile of k_x >= 0, and those of its mirror, have in common. */
struct tile {
    double kx, kx_step; /* of its first wave, and between its waves */
    double ky;
    double k_z; /* taken off every k_z */
    int line;
    struct view x, y;
};

/* Leave out what is seen from beyond the views: a wave goes through places and grid that lie k_x /
 * k_z depths apart, so its angle in the plane of x and z has the sine k_x / sqrt(4k^2 - k_y^2). */
MULTIVERSION
static void look(const struct tile *tile, const struct rma_taper *taper, const float *kx,
                 float sine_x, const float *oblique, struct wave *wave) {
    const struct view view_x = tile->x, view_y = tile->y;
    float ky = (float)fabs(tile->ky), weight[RMA_TILE];
    for (int l = 0; l < RMA_TILE; l++) {
        weight[l] = view_weight(fabsf(kx[l]) * sine_x, view_x, taper) *
                    view_weight(ky * oblique[l], view_y, taper);
    }
    for (int l = 0; l < RMA_TILE; l++) {
        wave->weight[l] *= weight[l];
    }
}

/* Waves that come nearly along the plane leave in the same way. */
MULTIVERSION
static void graze(const struct rma_taper *taper, const double *kz, double two_k,
                  struct wave *wave) {
    const double first = RMA_GRAZING_COSINE_SQUARED, last = RMA_SMALLEST_COSINE_SQUARED;
    double scale = 1.0 / (two_k * two_k * (first - last)), start = first / (first - last);
    for (int l = 0; l < RMA_TILE; l++) {
        wave->weight[l] *= fall((float)(start - kz[l] * kz[l] * scale), taper);
    }
}

/* A is 2k / k_z^2, and for a line of positions 2k / k_z^(3/2): stationary phase in two dimensions
 * and in one. Factors that do not depend on k are left to rma_image(). */
MULTIVERSION
static void make_waves(const struct tile *tile, const struct rma_taper *taper,
                       const double *wavenumber, size_t n, const float *oblique, size_t width,
                       struct wave *wave) {
    float most_kx = (float)(tile->kx + tile->kx_step * (RMA_TILE - 1));
    double kx_squared[RMA_TILE];
    float kx[RMA_TILE];
    for (int l = 0; l < RMA_TILE; l++) {
        double at = tile->kx + tile->kx_step * (double)l;
        kx_squared[l] = at * at;
        kx[l] = (float)at;
    }
    for (size_t m = 0; m < n; m++) {
        double two_k = 2.0 * wavenumber[m];
        double limit = RMA_SMALLEST_COSINE_SQUARED * two_k * two_k;
        double along = two_k * two_k - tile->ky * tile->ky;
        double kz[RMA_TILE], above[RMA_TILE];
        for (size_t l = 0; l < RMA_TILE; l++) {
            double square = along - kx_squared[l];
            double clipped = square > limit ? square : limit;
            above[l] = square > limit ? two_k : 0.0;
            kz[l] = sqrt(clipped);
            wave[m].turns[l] = (kz[l] - tile->k_z) * (0.5 / NFSAR_PI);
        }
        for (size_t l = 0; l < RMA_TILE; l++) {
            float z = (float)kz[l];
            wave[m].weight[l] = (float)above[l] / (tile->line ? z * sqrtf(z) : z * z);
        }
        if (along - kx_squared[RMA_TILE - 1] < RMA_GRAZING_COSINE_SQUARED * two_k * two_k) {
            graze(taper, kz, two_k, &wave[m]);
        }
        const float *steep = oblique + m * width;
        float sine_x = (float)(1.0 / sqrt(fmax(along, limit))), sine_y = (float)fabs(tile->ky);
        if (most_kx * sine_x > tile->x.sine || sine_y * steep[RMA_TILE - 1] > tile->y.sine) {
            look(tile, taper, kx, sine_x, steep, &wave[m]);
        }
    }
}

/* What turns spectrum into values at `depth` from where turns count, and those into the next
 * depth's.
 */
MULTIVERSION
static void start(const struct wave *wave, size_t n, double depth, double offset, double step,
                  struct rma_tile *factor, struct rma_tile *turned) {
    for (size_t m = 0; m < n; m++) {
        for (size_t l = 0; l < RMA_TILE; l++) {
            double turns = -wave[m].turns[l] * depth - offset;
            double turn = -wave[m].turns[l] * step;
            float c, s;
            phasor_turns((float)(turns - rint(turns)), &c, &s);
            factor[m].re[l] = wave[m].weight[l] * c;
            factor[m].im[l] = wave[m].weight[l] * s;
            phasor_turns((float)(turn - rint(turn)), &turned[m].re[l], &turned[m].im[l]);
        }
    }
}

/* The values of one side's tile. */
MULTIVERSION
static void multiply(const struct rma_tile *factor, size_t n, const float complex *spectrum,
                     size_t plane, struct rma_tile *value) {
    for (size_t m = 0; m < n; m++) {
        const float *in = (const float *)(spectrum + m * plane);
        for (size_t l = 0; l < RMA_TILE; l++) {
            value[m].re[l] = factor[m].re[l] * in[2 * l] - factor[m].im[l] * in[2 * l + 1];
            value[m].im[l] = factor[m].re[l] * in[2 * l + 1] + factor[m].im[l] * in[2 * l];
        }
    }
}

/* The sums of the waves [from, end) of a tile to where they lie in the rows: side by side upward
 * from the first one's place, or downward. */
MULTIVERSION
static void lay_up(const struct rma_tile *sum, size_t n_z, size_t end, float complex *rows,
                   size_t pitch) {
    for (size_t z = 0; z < n_z; z++) {
        float *to = (float *)(rows + z * pitch);
        if (end == RMA_TILE) {
            for (size_t l = 0; l < RMA_TILE; l++) {
                to[2 * l] = sum[z].re[l];
                to[2 * l + 1] = sum[z].im[l];
            }
            continue;
        }
        for (size_t l = 0; l < end; l++) {
            to[2 * l] = sum[z].re[l];
            to[2 * l + 1] = sum[z].im[l];
        }
    }
}

MULTIVERSION
static void lay_down(const struct rma_tile *sum, size_t n_z, size_t from, size_t end,
                     float complex *rows, size_t pitch) {
    for (size_t z = 0; z < n_z; z++) {
        if (end - from == RMA_TILE) {
            float *to = (float *)(rows + z * pitch - (RMA_TILE - 1));
            for (size_t l = 0; l < RMA_TILE; l++) {
                to[2 * l] = sum[z].re[RMA_TILE - 1 - l];
                to[2 * l + 1] = sum[z].im[RMA_TILE - 1 - l];
            }
            continue;
        }
        float *to = (float *)(rows + z * pitch);
        for (size_t l = from; l < end; l++, to -= 2) {
            to[0] = sum[z].re[l];
            to[1] = sum[z].im[l];
        }
    }
}

/* The sums by a fast transform for each wave: all depths at once. */
static void sum_fast(const nfsar_rma_plan *plan, const struct wave *wave,
                     const struct rma_tile *value, size_t n, struct rma_tile *sum,
                     float complex *work) {
    float complex *c = work;
    double *t = (double *)(c + rma_pitch(plan->k_block));
    float complex *out = c + 2 * rma_pitch(plan->k_block);
    float complex *grid = out + rma_pitch(plan->depth->n_node);
    size_t nodes = plan->depth->n_node;
    for (size_t l = 0; l < RMA_TILE; l++) {
        for (size_t m = 0; m < n; m++) {
            c[m] = value[m].re[l] + value[m].im[l] * I;
            t[m] = 2.0 * NFSAR_PI * wave[m].turns[l] * plan->depth_step;
        }
        memset(out, 0, nodes * sizeof *out);
        depthsum_execute(plan->to_depth, c, t, n, out, 1, grid);
        for (size_t z = 0; z < nodes; z++) {
            sum[z].re[l] = crealf(out[z]);
            sum[z].im[l] = cimagf(out[z]);
        }
    }
}

/* Where a thread works. */
struct desk {
    struct wave *wave;                      /* [k_block] */
    struct rma_tile *factor, *turn, *value; /* [k_block + RMA_WAVES] */
    struct rma_tile *sum, *off;             /* [chunk]; the latter of the offsets */
    float complex *fast;
    float complex *line;
    float complex *rows;
};

static struct desk sit_down(const nfsar_rma_plan *plan) {
    size_t thread = (size_t)omp_get_thread_num(), waves = plan->k_block + RMA_WAVES;
    size_t pitch = rma_line_pitch(lateral_length(plan->x.to_grid));
    float complex *work = plan->work + thread * plan->work_size;
    struct desk desk = {.wave = (struct wave *)work};
    desk.factor = (struct rma_tile *)(desk.wave + waves);
    desk.turn = desk.factor + waves;
    desk.value = desk.turn + waves;
    desk.sum = desk.value + waves;
    desk.off = desk.sum + plan->chunk;
    desk.line = (float complex *)(desk.off + plan->chunk);
    desk.fast = desk.line + rma_pitch(lateral_work(plan->x.to_grid));
    desk.rows = plan->rows + thread * plan->chunk * pitch;
    return desk;
}

static double centre_depth(const nfsar_rma_plan *plan, size_t first_z) {
    double first = nfsar_axis_at(&plan->grid.z, first_z);
    double last = nfsar_axis_at(&plan->grid.z, first_z + plan->z_slab - 1);
    return plan->side * (0.5 * (first + last) - plan->lattice->z);
}

/* Whether all waves of a tile are beyond those that are kept, even at the highest frequency. */
static bool is_dark(const nfsar_rma_plan *plan, const struct tile *tile) {
    double kx = tile->kx, ky = tile->ky, two_k = 2.0 * plan->k_max, square = two_k * two_k;
    double end_x = plan->x.line ? 2.0 : plan->x.end, end_y = plan->y.line ? 2.0 : plan->y.end;
    return kx * kx + ky * ky >= square * (1.0 - RMA_SMALLEST_COSINE_SQUARED) ||
           kx * kx >= end_x * end_x * (square - ky * ky) ||
           ky * ky >= end_y * end_y * (square - kx * kx);
}

/* What part of the sums is made: n frequencies from `first` on in memory, depths [first_z, first_z
 * + n_z) of a slab whose middle is at `centre`. */
struct part {
    size_t first, n;
    double centre;
    size_t first_z, n_z;
    bool add;
};

/* What a tile and its mirror share: columns [column, column + RMA_TILE) of either side. */
static void prepare_tile(const nfsar_rma_plan *plan, const struct part *part,
                         const struct tile *tile, size_t column, struct desk *desk) {
    size_t from = plan->to_depth != NULL ? plan->depth->n_node / 2 : part->first_z;
    double depth = part->centre + plan->first + plan->depth_step * (double)from;
    double offset = plan->k_z * part->centre * (0.5 / NFSAR_PI);
    size_t width = plan->x.width / 2, whole = part->n + RMA_WAVES - 1;
    whole -= whole % RMA_WAVES;
    make_waves(tile, &plan->taper, plan->wavenumber_of_wave + part->first, part->n,
               plan->oblique + part->first * width + column, width, desk->wave);
    start(desk->wave, part->n, depth, offset - rint(offset), plan->depth_step, desk->factor,
          desk->turn);
    /* Waves that only fill up the last few that are added at a time. */
    memset(desk->turn + part->n, 0, (whole - part->n) * sizeof *desk->turn);
    memset(desk->value + part->n, 0, (whole - part->n) * sizeof *desk->value);
}

/* Sum the depths of one side's tile of a spectrum. */
static void sum_waves(const nfsar_rma_plan *plan, const struct part *part,
                      const float complex *spectrum, const struct desk *desk,
                      struct rma_tile *sum) {
    multiply(desk->factor, part->n, spectrum, plan->y.bins * plan->x.width, desk->value);
    memset(sum, 0, part->n_z * sizeof *sum);
    if (plan->to_depth != NULL) {
        sum_fast(plan, desk->wave, desk->value, part->n, sum, desk->fast);
    } else {
        size_t whole = part->n + RMA_WAVES - 1;
        plan->kernels->sum(desk->value, desk->turn, whole - whole % RMA_WAVES, part->n_z, sum);
    }
}

/* The spectrum's sums, less what the positions' offsets take off the depth: the depth itself is
 * left to rma_image(). */
static void sum_tile(const nfsar_rma_plan *plan, const struct part *part, size_t at,
                     const struct desk *desk) {
    sum_waves(plan, part, plan->spectrum + at, desk, desk->sum);
    if (plan->offsets == NULL) {
        return;
    }
    sum_waves(plan, part, plan->offsets + at, desk, desk->off);
    for (size_t z = 0; z < part->n_z; z++) {
        double depth = part->centre + plan->first + plan->depth_step * (double)(part->first_z + z);
        float per = (float)(1.0 / depth);
        for (size_t l = 0; l < RMA_TILE; l++) {
            desk->sum[z].re[l] -= per * desk->off[z].re[l];
            desk->sum[z].im[l] -= per * desk->off[z].im[l];
        }
    }
}

/* Put the sums of columns [column + from, column + end) where the transform along x wants them,
 * which are the bins upward from the middle one, or downward. */
static void lay_tile(const nfsar_rma_plan *plan, size_t column, size_t from, bool up, size_t n_z,
                     const struct desk *desk) {
    const lateral *to_grid = plan->x.to_grid;
    size_t pitch = rma_line_pitch(lateral_length(to_grid)), half = plan->x.half;
    size_t end = half + 1 - column < RMA_TILE ? half + 1 - column : RMA_TILE;
    if (from >= end) {
        return;
    }
    size_t bin = up ? half + column + from : half - column - from;
    size_t place = lateral_place(to_grid, bin), steps = end - from - 1;
    size_t last = lateral_place(to_grid, up ? bin + steps : bin - steps);
    if (!lateral_folds(to_grid) && up && from == 0 && last == place + steps) {
        lay_up(desk->sum, n_z, end, desk->rows + place, pitch);
        return;
    }
    if (!lateral_folds(to_grid) && !up && last + steps == place) {
        lay_down(desk->sum, n_z, from, end, desk->rows + place, pitch);
        return;
    }
    for (size_t i = from; i < end; i++) {
        place = lateral_place(to_grid, up ? half + column + i : half - column - i);
        for (size_t z = 0; z < n_z; z++) {
            float complex *to = desk->rows + z * pitch + place;
            float complex sum = desk->sum[z].re[i] + desk->sum[z].im[i] * I;
            *to = sum + (lateral_folds(to_grid) ? *to : 0.0f);
        }
    }
}

/* The rows of one chunk of depths to the grid along x. */
static void finish_rows(const nfsar_rma_plan *plan, size_t j, const struct part *part,
                        struct desk *desk) {
    const lateral *to_grid = plan->x.to_grid;
    size_t pitch = rma_line_pitch(lateral_length(to_grid)), nx = plan->grid.x.count;
    for (size_t z = 0; z < part->n_z; z++) {
        const float complex *out = lateral_execute(to_grid, desk->rows + z * pitch, desk->line);
        float complex *to =
            plan->depths + ((part->first_z + z) * plan->y.bins + j) * plan->grid_width;
        if (!part->add) {
            memcpy(to, out, nx * sizeof *to);
            continue;
        }
        for (size_t i = 0; i < nx; i++) {
            to[i] += out[i];
        }
    }
}

/* One row of k_y: all its waves at the depths of a chunk, then to the grid along x. */
static void focus_row(const nfsar_rma_plan *plan, size_t j, const struct part *part,
                      struct desk *desk) {
    const struct rma_axis *x = &plan->x, *y = &plan->y;
    size_t up = j * x->width, down = up + x->width / 2;
    struct tile tile = {.kx_step = x->step,
                        .ky = y->step * ((double)j - (double)y->half),
                        .k_z = plan->k_z,
                        .line = x->line || y->line,
                        .x = view_of(x),
                        .y = view_of(y)};
    if (lateral_folds(x->to_grid)) {
        size_t pitch = rma_line_pitch(lateral_length(x->to_grid));
        memset(desk->rows, 0, part->n_z * pitch * sizeof *desk->rows);
    }
    bool dark = false;
    for (size_t i = 0; i <= x->half; i += RMA_TILE) {
        tile.kx = x->step * (double)i;
        /* Farther out it only gets darker, but the last row's sums must go. */
        if (!dark && is_dark(plan, &tile)) {
            dark = true;
            memset(desk->sum, 0, part->n_z * sizeof *desk->sum);
        }
        if (!dark) {
            prepare_tile(plan, part, &tile, i, desk);
            sum_tile(plan, part, up + i, desk);
        }
        lay_tile(plan, i, 0, true, part->n_z, desk);
        if (!dark && !x->line) {
            sum_tile(plan, part, down + i, desk);
        }
        lay_tile(plan, i, i == 0 ? 1 : 0, false, part->n_z, desk);
    }
    finish_rows(plan, j, part, desk);
}

void rma_focus(nfsar_rma_plan *plan, size_t first, size_t n, size_t first_z, bool add) {
    size_t nodes = plan->depth->n_node;
    struct part all = {.first = first, .n = n, .centre = centre_depth(plan, first_z), .add = add};
#pragma omp parallel num_threads(plan->threads)
    {
        struct desk desk = sit_down(plan);
        struct part part = all;
#pragma omp for schedule(dynamic)
        for (size_t j = 0; j < plan->y.bins; j++) {
            for (part.first_z = 0; part.first_z < nodes; part.first_z += plan->chunk) {
                size_t left = nodes - part.first_z;
                part.n_z = left < plan->chunk ? left : plan->chunk;
                focus_row(plan, j, &part, &desk);
            }
        }
    }
}
