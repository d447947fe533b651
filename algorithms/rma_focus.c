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

/* One frequency of a tile of waves (k_x of its own each): A S, and (k_z - plan->k_z) / (2 pi). */
struct wave {
    float re[RMA_TILE], im[RMA_TILE];
    double turns[RMA_TILE]; /* a metre */
};

/* Complex numbers that are worked on per frequency: a wave, two phasors' share, and a line of a
 * fast sum. */
enum { WORK_PER_WAVE = (sizeof(struct wave) + sizeof(struct rma_phasor)) / sizeof(float complex) };

size_t rma_focus_work(const nfsar_rma_plan *plan) {
    size_t waves = WORK_PER_WAVE * (plan->k_block + RMA_WAVES), tile = RMA_TILE * plan->chunk;
    size_t fast = plan->to_depth != NULL
                      ? 2 * rma_pitch(plan->k_block) + rma_pitch(plan->depth->n_node) +
                            rma_pitch(depthsum_scratch(plan->to_depth))
                      : 0;
    return waves + tile + fast + rma_pitch(lateral_work(plan->x.to_grid));
}

/* Which part of one axis' spectrum is kept: all of it up to the sine, nothing beyond its end. */
struct view {
    float sine, per_margin;
    float cosine_squared, tangent_squared; /* of that sine */
};

static struct view view_of(const struct rma_axis *axis) {
    /* An axis without spectrum has k = 0; any limits do. */
    double sine = axis->line ? 0.5 : axis->sine, end = axis->line ? 0.6 : axis->end;
    double square = sine * sine;
    return (struct view){.sine = (float)sine,
                         .per_margin = (float)(1.0 / fmax(end - sine, 1e-6)),
                         .cosine_squared = (float)(1.0 - square),
                         .tangent_squared = (float)(square / (1.0 - square))};
}

/* Squared cosine from 1 at view.sine to 0 at its end: an abrupt end would ring. The margin grows
 * with how oblique the wave is along the other axis, see widen_corner(); `across` is the squared
 * tangent of that. */
static inline float view_weight(float sine, float across, struct view view) {
    float wider = sqrtf(1.0f + across * view.cosine_squared);
    float t = (sine - view.sine) * view.per_margin / (wider * sqrtf(wider));
    t = t < 0.0f ? 0.0f : t > 1.0f ? 1.0f : t;
    float c, s;
    phasor_turns(0.25f * t, &c, &s);
    return c * c;
}

/* What one tile of waves of one row has in common. */
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
static void look(const struct tile *tile, const float *kx, float two_k, float sine_x,
                 const float *oblique, struct wave *wave) {
    const struct view view_x = tile->x, view_y = tile->y;
    float ky = (float)fabs(tile->ky), along = two_k * two_k - ky * ky;
    float limit = 0.01f * two_k * two_k, weight[RMA_TILE];
    for (int l = 0; l < RMA_TILE; l++) {
        float square = along - kx[l] * kx[l];
        float per = 1.0f / (square > limit ? square : limit);
        float x = kx[l] * kx[l] * per, y = ky * ky * per;
        x = x < view_x.tangent_squared ? x : view_x.tangent_squared;
        y = y < view_y.tangent_squared ? y : view_y.tangent_squared;
        weight[l] =
            view_weight(fabsf(kx[l]) * sine_x, y, view_x) * view_weight(ky * oblique[l], x, view_y);
    }
    for (int l = 0; l < RMA_TILE; l++) {
        wave->re[l] *= weight[l];
        wave->im[l] *= weight[l];
    }
}

/* A is 2k / k_z^2, and for a line of positions 2k / k_z^(3/2): stationary phase in two dimensions
 * and in one. Factors that do not depend on k are left to rma_image(). */
MULTIVERSION
static void make_waves(const struct tile *tile, const double *wavenumber, size_t n,
                       const float complex *spectrum, size_t plane, const float *oblique,
                       size_t width, struct wave *wave) {
    double last = tile->kx + tile->kx_step * (RMA_TILE - 1);
    float most_kx = (float)fmax(fabs(tile->kx), fabs(last));
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
        const float *in = (const float *)(spectrum + m * plane);
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
            float weight = (float)above[l] / (tile->line ? z * sqrtf(z) : z * z);
            wave[m].re[l] = weight * in[2 * l];
            wave[m].im[l] = weight * in[2 * l + 1];
        }
        const float *steep = oblique + m * width;
        float sine_x = (float)(1.0 / sqrt(fmax(along, limit))), sine_y = (float)fabs(tile->ky);
        float most = fmaxf(steep[0], steep[RMA_TILE - 1]);
        if (most_kx * sine_x > tile->x.sine || sine_y * most > tile->y.sine) {
            look(tile, kx, (float)two_k, sine_x, steep, &wave[m]);
        }
    }
}

/* The waves' values at `depth` from where turns count, and their steps. */
MULTIVERSION
static void start(const struct wave *wave, size_t n, double depth, double offset, double step,
                  struct rma_phasor *phasor) {
    for (size_t m = 0; m < n; m++) {
        for (size_t l = 0; l < RMA_TILE; l++) {
            double turns = -wave[m].turns[l] * depth - offset;
            double turn = -wave[m].turns[l] * step;
            float c, s;
            phasor_turns((float)(turns - rint(turns)), &c, &s);
            phasor[m].re[l] = wave[m].re[l] * c - wave[m].im[l] * s;
            phasor[m].im[l] = wave[m].re[l] * s + wave[m].im[l] * c;
            phasor_turns((float)(turn - rint(turn)), &phasor[m].turn_re[l], &phasor[m].turn_im[l]);
        }
    }
}

/* A tile's sums, [n_z][2][RMA_TILE], to where the first `count` of its waves lie in the rows. */
MULTIVERSION
static void lay_rows(const float *sum, size_t n_z, size_t count, float complex *rows,
                     size_t pitch) {
    for (size_t z = 0; z < n_z; z++, sum += 2 * RMA_TILE) {
        float *to = (float *)(rows + z * pitch);
        if (count == RMA_TILE) {
            for (size_t l = 0; l < RMA_TILE; l++) {
                to[2 * l] = sum[l];
                to[2 * l + 1] = sum[l + RMA_TILE];
            }
            continue;
        }
        for (size_t l = 0; l < count; l++) {
            to[2 * l] = sum[l];
            to[2 * l + 1] = sum[l + RMA_TILE];
        }
    }
}

/* The same sums by a fast transform for each wave: all depths at once. */
static void sum_fast(const nfsar_rma_plan *plan, const struct wave *wave,
                     const struct rma_phasor *phasor, size_t n, float *sum, float complex *work) {
    float complex *c = work;
    double *t = (double *)(c + rma_pitch(plan->k_block));
    float complex *out = c + 2 * rma_pitch(plan->k_block);
    float complex *grid = out + rma_pitch(plan->depth->n_node);
    for (size_t l = 0; l < RMA_TILE; l++) {
        for (size_t m = 0; m < n; m++) {
            c[m] = phasor[m].re[l] + phasor[m].im[l] * I;
            t[m] = 2.0 * NFSAR_PI * wave[m].turns[l] * plan->depth_step;
        }
        size_t nodes = plan->depth->n_node;
        memset(out, 0, nodes * sizeof *out);
        depthsum_execute(plan->to_depth, c, t, n, out, 1, grid);
        for (size_t z = 0; z < nodes; z++) {
            sum[2 * RMA_TILE * z + l] = crealf(out[z]);
            sum[2 * RMA_TILE * z + RMA_TILE + l] = cimagf(out[z]);
        }
    }
}

/* Where a thread works. */
struct desk {
    struct wave *wave;
    struct rma_phasor *phasor; /* [k_block + RMA_WAVES] */
    float *sum;                /* [chunk][2][RMA_TILE] */
    float complex *fast;
    float complex *line;
    float complex *rows;
};

static struct desk sit_down(const nfsar_rma_plan *plan) {
    size_t thread = (size_t)omp_get_thread_num();
    size_t pitch = rma_line_pitch(lateral_length(plan->x.to_grid));
    float complex *work = plan->work + thread * plan->work_size;
    struct desk desk = {.wave = (struct wave *)work};
    desk.phasor = (struct rma_phasor *)(desk.wave + plan->k_block);
    desk.sum = (float *)(desk.phasor + plan->k_block + RMA_WAVES);
    desk.line = (float complex *)desk.sum + RMA_TILE * plan->chunk;
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
    double last = tile->kx + tile->kx_step * (RMA_TILE - 1);
    double kx = tile->kx > 0.0 ? tile->kx : last < 0.0 ? last : 0.0, ky = tile->ky;
    double two_k = 2.0 * plan->k_max, square = two_k * two_k;
    double end_x = plan->x.line ? 2.0 : plan->x.corner, end_y = plan->y.line ? 2.0 : plan->y.corner;
    return kx * kx + ky * ky >= square * (1.0 - RMA_SMALLEST_COSINE_SQUARED) ||
           kx * kx >= end_x * end_x * (square - ky * ky) ||
           ky * ky >= end_y * end_y * (square - kx * kx);
}

/* Sum the depths [first_z, first_z + n_z) of the slab for one tile. */
static void sum_tile(const nfsar_rma_plan *plan, const struct tile *tile, size_t bin, size_t first,
                     size_t n, const float complex *spectrum, double centre, size_t first_z,
                     size_t n_z, struct desk *desk) {
    memset(desk->sum, 0, 2 * n_z * RMA_TILE * sizeof *desk->sum);
    if (is_dark(plan, tile)) {
        return;
    }
    size_t from = plan->to_depth != NULL ? plan->depth->n_node / 2 : first_z;
    double depth = centre + plan->first + plan->depth_step * (double)from;
    double offset = plan->k_z * centre * (0.5 / NFSAR_PI);
    make_waves(tile, plan->wavenumber_of_wave + first, n, spectrum, plan->y.bins * plan->x.width,
               plan->oblique + first * plan->x.width + bin, plan->x.width, desk->wave);
    start(desk->wave, n, depth, offset - rint(offset), plan->depth_step, desk->phasor);
    if (plan->to_depth != NULL) {
        sum_fast(plan, desk->wave, desk->phasor, n, desk->sum, desk->fast);
    } else {
        size_t whole = (n + RMA_WAVES - 1) / RMA_WAVES * RMA_WAVES;
        memset(&desk->phasor[n], 0, (whole - n) * sizeof desk->phasor[0]);
        plan->kernels->sum(desk->phasor, whole, n_z, desk->sum);
    }
}

/* Put a tile's waves where the transform along x wants them. */
static void lay_tile(const nfsar_rma_plan *plan, size_t first, size_t n_z,
                     const struct desk *desk) {
    const lateral *to_grid = plan->x.to_grid;
    size_t pitch = rma_line_pitch(lateral_length(to_grid)), bins = plan->x.bins;
    size_t count = bins - first < RMA_TILE ? bins - first : RMA_TILE;
    size_t place = lateral_place(to_grid, first);
    bool folds = lateral_folds(to_grid);
    if (!folds && lateral_place(to_grid, first + count - 1) == place + count - 1) {
        lay_rows(desk->sum, n_z, count, desk->rows + place, pitch);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        place = lateral_place(to_grid, first + i);
        for (size_t z = 0; z < n_z; z++) {
            float complex *to = desk->rows + z * pitch + place;
            const float *from = desk->sum + 2 * RMA_TILE * z + i;
            *to = from[0] + from[RMA_TILE] * I + (folds ? *to : 0.0f);
        }
    }
}

/* One row of k_y: all its waves at the depths of a chunk, then to the grid along x. */
static void focus_row(const nfsar_rma_plan *plan, size_t j, size_t first, size_t n, double centre,
                      size_t first_z, size_t n_z, bool add, struct desk *desk) {
    const struct rma_axis *x = &plan->x, *y = &plan->y;
    size_t pitch = rma_line_pitch(lateral_length(x->to_grid)), nx = plan->grid.x.count;
    struct tile tile = {.kx_step = x->step,
                        .ky = y->step * ((double)j - (double)y->half),
                        .k_z = plan->k_z,
                        .line = x->line || y->line,
                        .x = view_of(x),
                        .y = view_of(y)};
    if (lateral_folds(x->to_grid)) {
        memset(desk->rows, 0, n_z * pitch * sizeof *desk->rows);
    }
    for (size_t i = 0; i < x->bins; i += RMA_TILE) {
        tile.kx = x->step * ((double)i - (double)x->half);
        sum_tile(plan, &tile, i, first, n, plan->spectrum + j * x->width + i, centre, first_z, n_z,
                 desk);
        lay_tile(plan, i, n_z, desk);
    }
    for (size_t z = 0; z < n_z; z++) {
        const float complex *out = lateral_execute(x->to_grid, desk->rows + z * pitch, desk->line);
        float complex *to = plan->depths + ((first_z + z) * y->bins + j) * plan->grid_width;
        if (!add) {
            memcpy(to, out, nx * sizeof *to);
            continue;
        }
        for (size_t i = 0; i < nx; i++) {
            to[i] += out[i];
        }
    }
}

void rma_focus(nfsar_rma_plan *plan, size_t first, size_t n, size_t first_z, bool add) {
    size_t nodes = plan->depth->n_node;
    double centre = centre_depth(plan, first_z);
#pragma omp parallel num_threads(plan->threads)
    {
        struct desk desk = sit_down(plan);
#pragma omp for schedule(dynamic)
        for (size_t j = 0; j < plan->y.bins; j++) {
            for (size_t z = 0; z < nodes; z += plan->chunk) {
                size_t n_z = nodes - z < plan->chunk ? nodes - z : plan->chunk;
                focus_row(plan, j, first, n, centre, z, n_z, add, &desk);
            }
        }
    }
}
