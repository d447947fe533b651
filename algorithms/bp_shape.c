/* How the grid is cut into blocks of voxels. A block is worth its overhead when it is large; but
 * the farther it reaches in range, the higher the degree of the polynomial that follows a range
 * profile over it, and beyond the highest the profile has to be looked up voxel by voxel. */
#include "algorithms/bp_plan.h"

#include <math.h>
#include <omp.h>
#include <string.h>

enum {
    /* Work of a line's preparation, and of one vector of voxels but for its polynomial, in
     * multiply-adds. */
    PREPARATION = 200,
    VECTOR = 17,
    LOOKUP = 60,
    /* A block's rows are made up to a multiple of these. */
    ROWS = 4
};

/* Most half turns of the carrier over half a block, there and back: below it floats are 6e-5 half
 * turns apart, so that rounding to them moves the phase by no more than 1e-4 radians. */
#define MOST_HALFTURNS 1024.0
/* Most half turns between two samples of a profile, for the same reason. */
#define STEP_HALFTURNS 256.0

static const nfsar_axis *grid_axis(const nfsar_grid *grid, int axis) {
    return axis == 0 ? &grid->x : axis == 1 ? &grid->y : &grid->z;
}

static double component(nfsar_vec3 v, int axis) {
    return axis == 0 ? v.x : axis == 1 ? v.y : v.z;
}

/* The step of an axis; a single coordinate has none, whatever the axis says. */
static double axis_step(const nfsar_axis *axis) {
    return axis->count > 1 ? axis->step : 0.0;
}

static double half_block(const nfsar_grid *grid, const struct bp_shape *shape, int k) {
    return 0.5 * (double)(shape->size[k] - 1) * axis_step(grid_axis(grid, shape->axis[k]));
}

static size_t rows_of(const struct bp_shape *shape) {
    return (shape->size[1] * shape->size[2] + ROWS - 1) / ROWS * ROWS;
}

static double offset(double step, size_t i, size_t size) {
    return step * ((double)(i < size ? i : size - 1) - 0.5 * (double)(size - 1));
}

void bp_shape_block(const nfsar_bp_plan *plan, size_t index, struct bp_block *block,
                    size_t first[3], size_t own[3]) {
    const struct bp_shape *shape = &plan->shape;
    const size_t *size = shape->size;
    size_t at[3] = {index % shape->blocks[0], index / shape->blocks[0] % shape->blocks[1],
                    index / shape->blocks[0] / shape->blocks[1]};
    double step[3];
    memset(block, 0, sizeof *block);
    for (int k = 0; k < 3; k++) {
        const nfsar_axis *axis = grid_axis(&plan->grid, shape->axis[k]);
        step[k] = axis_step(axis);
        own[k] = at[k] * size[k];
        first[k] = own[k] + size[k] < axis->count ? own[k] : axis->count - size[k];
        block->centre[k] = axis->start + step[k] * ((double)first[k] + 0.5 * (double)(size[k] - 1));
        block->half[k] = (float)half_block(&plan->grid, shape, k);
    }
    for (size_t i = 0; i < BP_LANES; i++) {
        double u = offset(step[0], i, size[0]);
        block->u[i] = (float)u;
        block->uu[i] = (float)(u * u);
    }
    block->rows = rows_of(shape);
    for (size_t r = 0; r < block->rows; r++) {
        double v = offset(step[1], r % size[1], size[1]);
        double w = offset(step[2], r / size[1], size[2]);
        block->v[r] = (float)v;
        block->w[r] = (float)w;
        block->vw[r] = (float)(v * v + w * w);
    }
}

/* Nearest and farthest distance along one axis from a point to the grid. */
static void reach(const nfsar_axis *axis, double from, double *near, double *far) {
    double low = axis->start - from;
    double high = low + (double)(axis->count - 1) * axis_step(axis);
    *near = low > 0.0 ? low : high < 0.0 ? -high : 0.0;
    *far = fmax(fabs(low), fabs(high));
}

/* Squares of the nearest and the farthest distance along each axis. */
static void reach_all(const nfsar_grid *grid, nfsar_vec3 from, double near[3], double far[3]) {
    for (int axis = 0; axis < 3; axis++) {
        reach(grid_axis(grid, axis), component(from, axis), &near[axis], &far[axis]);
        near[axis] *= near[axis];
        far[axis] *= far[axis];
    }
}

static double length(const double square[3]) {
    return sqrt(square[0] + square[1] + square[2]);
}

/* Ranges of one pair to the grid. The blocks lie inside it, and so do their centres. */
static void widen(const nfsar_grid *grid, nfsar_vec3 tx, nfsar_vec3 rx, struct bp_span *span) {
    double near[2][3], far[2][3];
    reach_all(grid, tx, near[0], far[0]);
    reach_all(grid, rx, near[1], far[1]);
    double nearest = length(near[0]) + length(near[1]);
    /* The kernels take the range from an antenna for a micrometre at least. */
    double farthest = length(far[0]) + length(far[1]) + 2e-6;
    span->nearest = nearest < span->nearest ? nearest : span->nearest;
    span->farthest = farthest > span->farthest ? farthest : span->farthest;
}

void bp_span_widen(const nfsar_bp_plan *plan, const nfsar_vec3 *tx, const nfsar_vec3 *rx, size_t n,
                   struct bp_span *span) {
    double nearest = span->nearest, farthest = span->farthest;
#pragma omp parallel for schedule(static) num_threads(plan->threads) reduction(min                 \
                                                                               : nearest)          \
    reduction(max                                                                                  \
              : farthest)
    for (size_t i = 0; i < n; i++) {
        struct bp_span own = {.nearest = nearest, .farthest = farthest};
        widen(&plan->grid, tx[i], rx[i], &own);
        nearest = own.nearest;
        farthest = own.farthest;
    }
    span->nearest = nearest;
    span->farthest = farthest;
}

/* A block is no larger than the grid. */
static void cut(const nfsar_grid *grid, struct bp_shape *shape) {
    for (int k = 0; k < 3; k++) {
        size_t count = grid_axis(grid, shape->axis[k])->count;
        shape->size[k] = shape->size[k] < count ? shape->size[k] : count;
        shape->blocks[k] = (count + shape->size[k] - 1) / shape->size[k];
    }
}

/* Two-way metres that the range differs by over half a block: slopes hold for one antenna. */
static double half_reach(const nfsar_grid *grid, const struct bp_shape *shape,
                         const double slope[3]) {
    double sum = 0.0;
    for (int k = 0; k < 3; k++) {
        sum += 2.0 * slope[shape->axis[k]] * half_block(grid, shape, k);
    }
    return sum;
}

/* Multiply-adds of eight lanes for one line and the whole grid; infinite where no polynomial
 * reaches as far as `bound`, or floats would not hold the carrier's phase. */
static double cost(const nfsar_bp_plan *plan, const struct bp_shape *shape, const double bound[3],
                   const double typical[3]) {
    double blocks = (double)shape->blocks[0] * (double)shape->blocks[1] * (double)shape->blocks[2];
    double vectors = (double)(rows_of(shape) * BP_LANES / 8);
    double most = half_reach(&plan->grid, shape, bound);
    if (most * plan->lines.halfturns_per_metre > MOST_HALFTURNS) {
        return INFINITY;
    }
    if (plan->fit == NULL) {
        return blocks * (PREPARATION + vectors * LOOKUP);
    }
    const struct bandfit_level *level = plan->fit->level;
    /* The polynomials' place is up to half a BANDFIT_PLACES-th of a sample from the centre. */
    double aside = 0.5 / BANDFIT_PLACES;
    if (most / plan->lines.range_step + aside > level[BANDFIT_LEVELS - 1].reach) {
        return INFINITY;
    }
    double usual = half_reach(&plan->grid, shape, typical) / plan->lines.range_step + aside;
    int i = 0;
    while (i < BANDFIT_LEVELS - 1 && level[i].reach < usual) {
        i++;
    }
    return blocks * (PREPARATION + vectors * (VECTOR + 2 * level[i].degree));
}

/* The cheapest cut into blocks of so many lanes, and what it costs; infinite when there is none. */
static double cheapest(nfsar_bp_plan *plan, size_t lanes, const double bound[3],
                       const double typical[3]) {
    static const size_t rows[][2] = {{4, 4},  {8, 4},  {4, 8},  {2, 8},  {8, 2}, {4, 2},  {2, 4},
                                     {2, 2},  {4, 1},  {1, 4},  {8, 1},  {1, 8}, {16, 1}, {1, 16},
                                     {32, 1}, {1, 32}, {16, 2}, {2, 16}, {1, 1}};
    static const int axes[][3] = {{0, 1, 2}, {1, 0, 2}, {2, 0, 1}};
    /* Blocks of fewer voxels than a vector of rows are for coarse grids alone. */
    size_t n_rows = sizeof rows / sizeof rows[0] - (plan->fit != NULL ? 1 : 0);
    double best = INFINITY;
    for (size_t a = 0; a < sizeof axes / sizeof axes[0]; a++) {
        for (size_t i = 0; i < n_rows; i++) {
            struct bp_shape shape = {.axis = {axes[a][0], axes[a][1], axes[a][2]},
                                     .size = {lanes, rows[i][0], rows[i][1]}};
            cut(&plan->grid, &shape);
            double this = cost(plan, &shape, bound, typical);
            if (this < best) {
                best = this;
                plan->shape = shape;
            }
        }
    }
    return best;
}

static double larger(double a, double b) {
    return a > b ? a : b;
}

/* The steepest that the range from an antenna goes along an axis of the grid. */
static double steepest(const double near[3], const double far[3], int axis) {
    double others = near[(axis + 1) % 3] + near[(axis + 2) % 3];
    return others > 0.0 ? sqrt(far[axis] / (far[axis] + others)) : 1.0;
}

/* Slopes and ranges over the whole capture. */
static void survey(const nfsar_bp_plan *plan, struct bp_span *span) {
    const struct bp_lines *lines = &plan->lines;
    double nearest = INFINITY, farthest = 0.0, x = 0.0, y = 0.0, z = 0.0;
#pragma omp parallel for schedule(static) num_threads(plan->threads) reduction(min                 \
                                                                               : nearest)          \
    reduction(max                                                                                  \
              : farthest, x, y, z)
    for (size_t p = 0; p < plan->capture->n_pulse; p++) {
        nfsar_vec3 *tx = plan->tx + (size_t)omp_get_thread_num() * lines->n_link;
        nfsar_vec3 *rx = plan->rx + (size_t)omp_get_thread_num() * lines->n_link;
        nfsar_error unused; /* there is such a pulse */
        nfsar_capture_antennas(plan->capture, false, p, 1, tx, rx, &unused);
        for (size_t i = 0; i < lines->n_antenna; i++) {
            double near[3], far[3];
            size_t channel = plan->array.source[i] / 2;
            reach_all(&plan->grid, plan->array.source[i] % 2 == 0 ? tx[channel] : rx[channel], near,
                      far);
            x = larger(x, steepest(near, far, 0));
            y = larger(y, steepest(near, far, 1));
            z = larger(z, steepest(near, far, 2));
        }
        struct bp_span own = {.nearest = INFINITY};
        for (size_t i = 0; i < lines->n_link; i++) {
            widen(&plan->grid, tx[i], rx[i], &own);
        }
        nearest = own.nearest < nearest ? own.nearest : nearest;
        farthest = larger(farthest, own.farthest);
    }
    *span = (struct bp_span){.nearest = nearest, .farthest = farthest, .slope = {x, y, z}};
}

/* Slopes toward the grid's middle, on average. */
static void look(const nfsar_bp_plan *plan, double typical[3]) {
    enum { LOOKS = 64 };
    size_t n_channel = plan->lines.n_link, n_pulse = plan->capture->n_pulse, looks = 0;
    size_t every = n_pulse > LOOKS ? n_pulse / LOOKS : 1;
    nfsar_vec3 middle = {0.5 * (plan->grid.x.start + nfsar_axis_end(&plan->grid.x)),
                         0.5 * (plan->grid.y.start + nfsar_axis_end(&plan->grid.y)),
                         0.5 * (plan->grid.z.start + nfsar_axis_end(&plan->grid.z))};
    typical[0] = typical[1] = typical[2] = 0.0;
    for (size_t p = 0; p < n_pulse; p += every) {
        nfsar_error unused;
        nfsar_capture_antennas(plan->capture, false, p, 1, plan->tx, plan->rx, &unused);
        for (size_t c = 0; c < n_channel; c++, looks++) {
            double range = nfsar_vec3_distance(middle, plan->tx[c]) + 1e-9;
            for (int k = 0; k < 3; k++) {
                double along = component(middle, k) - component(plan->tx[c], k);
                typical[k] += fabs(along) / range;
            }
        }
    }
    for (int k = 0; k < 3; k++) {
        typical[k] /= (double)looks;
    }
}

/* Range step and transform length for `density` profile samples to a range cell of the band. A
 * band so narrow, or a single frequency, that its profile hardly turns over many wavelengths is
 * summed as it stands: transforms know no shorter steps than the band's. */
static enum nfsar_status set_density(nfsar_bp_plan *plan, double density, nfsar_error *error) {
    size_t n = plan->capture->n_sample, length = (size_t)ceil((double)n * density);
    double longest = STEP_HALFTURNS / plan->lines.halfturns_per_metre;
    if (length > (1u << 28)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "tolerance %g is too small",
                          plan->options.tolerance);
    }
    plan->length = transform_length(length);
    double cells = plan->k_half > 0.0 ? (double)(n - 1) / (2.0 * plan->k_half) : INFINITY;
    plan->lines.range_step = 2.0 * NFSAR_PI * cells / (double)plan->length;
    if (plan->lines.range_step > longest) {
        plan->lines.range_step = longest;
        plan->uniform = false;
    }
    return NFSAR_OK;
}

/* Profiles that are looked up voxel by voxel, between two samples linearly: that errs by
 * (k_half range_step)^2 / 8. */
static double lookup_density(double tolerance) {
    return NFSAR_PI / sqrt(8.0 * tolerance);
}

/* What compressing a line costs, counted like the rest. */
static double compression(const nfsar_bp_plan *plan, const struct bp_span *span) {
    double length = (double)plan->length;
    double bins = (span->farthest - span->nearest) / plan->lines.range_step + BANDFIT_TAPS;
    return plan->uniform ? 0.5 * length * log2(length) + bins
                         : 10.0 * bins * (double)plan->capture->n_sample;
}

/* Look-ups in place of polynomials, where those cost more than `limit`; blocks are the smaller the
 * coarser the grid. */
static enum nfsar_status choose_look_up(nfsar_bp_plan *plan, const struct bp_span *span,
                                        const double typical[3], double limit, bool *better,
                                        nfsar_error *error) {
    enum nfsar_status status = set_density(plan, lookup_density(plan->options.tolerance), error);
    *better = status == NFSAR_OK;
    if (status != NFSAR_OK) {
        return limit < INFINITY ? NFSAR_OK : status;
    }
    double best = INFINITY;
    for (size_t lanes = BP_LANES; best == INFINITY && lanes > 0; lanes /= 4) {
        best = cheapest(plan, lanes, span->slope, typical);
    }
    *better = best + compression(plan, span) < limit;
    return NFSAR_OK;
}

static enum nfsar_status choose(nfsar_bp_plan *plan, const struct bp_span *span,
                                const double typical[3], nfsar_error *error) {
    /* What eight samples make of a band to that tolerance. */
    double density = plan->options.tolerance < 2e-4 ? 4.0 : 3.0;
    plan->lines.series_error = 0.1 * plan->options.tolerance;
    enum nfsar_status status = set_density(plan, density, error);
    if (status != NFSAR_OK) {
        return status;
    }
    struct bandfit *fit =
        bandfit_create(plan->k_half * plan->lines.range_step, plan->options.tolerance);
    if (fit == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    plan->fit = fit;
    double limit = cheapest(plan, BP_LANES, span->slope, typical) + compression(plan, span);
    struct bp_shape shape = plan->shape;
    bool better = false;
    plan->fit = NULL;
    status = choose_look_up(plan, span, typical, limit, &better, error);
    if (better || status != NFSAR_OK) {
        bandfit_destroy(fit);
        plan->lines.shared = false;
    } else {
        plan->fit = fit;
        plan->shape = shape;
        status = set_density(plan, density, error);
    }
    plan->lines.fit = plan->fit;
    return status;
}

enum nfsar_status bp_shape_choose(nfsar_bp_plan *plan, nfsar_error *error) {
    struct bp_span span;
    double typical[3];
    survey(plan, &span);
    look(plan, typical);
    enum nfsar_status status = choose(plan, &span, typical, error);
    if (status != NFSAR_OK) {
        return status;
    }
    double bins = (span.farthest - span.nearest) / plan->lines.range_step + BANDFIT_TAPS + 4.0;
    if (!(bins < 1e7)) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "the grid reaches ranges from %g to %g m: too far for range profiles "
                          "in steps of %g mm; check the grid's and the positions' units",
                          0.5 * span.nearest, 0.5 * span.farthest, 0.5e3 * plan->lines.range_step);
    }
    plan->gate_room = (size_t)bins;
    plan->lines.pitch = plan->gate_room;
    return NFSAR_OK;
}
