/* How the grid is cut into blocks of voxels. A block is worth its overhead when it is large; but
 * the farther it reaches in range, the higher the degree of the polynomial that follows a range
 * profile over it, and beyond the highest the profile has to be looked up voxel by voxel. */
#include "algorithms/bp_plan.h"

#include <math.h>

enum {
    /* Work of a line's preparation, and of one vector of voxels but for its polynomial, in
     * multiply-adds. */
    PREPARATION = 200,
    VECTOR = 17,
    LOOKUP = 40
};

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

void bp_shape_block(const nfsar_bp_plan *plan, size_t index, struct bp_block *block,
                    size_t first[3]) {
    const struct bp_shape *shape = &plan->shape;
    size_t at[3] = {index % shape->blocks[0], index / shape->blocks[0] % shape->blocks[1],
                    index / shape->blocks[0] / shape->blocks[1]};
    double step[3];
    for (int k = 0; k < 3; k++) {
        const nfsar_axis *axis = grid_axis(&plan->grid, shape->axis[k]);
        step[k] = axis_step(axis);
        first[k] = at[k] * shape->size[k];
        block->centre[k] =
            axis->start + step[k] * ((double)first[k] + 0.5 * (double)(shape->size[k] - 1));
        block->half[k] = (float)half_block(&plan->grid, shape, k);
    }
    for (size_t i = 0; i < BP_LANES; i++) {
        double u = step[0] * ((double)i - 0.5 * (BP_LANES - 1));
        block->u[i] = (float)u;
        block->uu[i] = (float)(u * u);
    }
    block->rows = shape->size[1] * shape->size[2];
    for (size_t r = 0; r < block->rows; r++) {
        double v = step[1] * ((double)(r % shape->size[1]) - 0.5 * (double)(shape->size[1] - 1));
        double w = step[2] * ((double)(r / shape->size[1]) - 0.5 * (double)(shape->size[2] - 1));
        block->v[r] = (float)v;
        block->w[r] = (float)w;
        block->vw[r] = (float)(v * v + w * w);
    }
}

/* Nearest and farthest distance along one axis from a point to the voxels of all blocks, which
 * stand out beyond the grid where its count is no multiple of the block's. */
static void reach(const nfsar_grid *grid, const struct bp_shape *shape, int k, nfsar_vec3 from,
                  double *near, double *far) {
    const nfsar_axis *axis = grid_axis(grid, shape->axis[k]);
    double last = (double)(shape->blocks[k] * shape->size[k] - 1) * axis_step(axis);
    double low = axis->start - component(from, shape->axis[k]), high = low + last;
    *near = low > 0.0 ? low : high < 0.0 ? -high : 0.0;
    *far = fmax(fabs(low), fabs(high));
}

static void widen(const nfsar_grid *grid, const struct bp_shape *shape, nfsar_vec3 from,
                  double *nearest, double *farthest, double slope[3]) {
    double near[3], far[3];
    for (int k = 0; k < 3; k++) {
        reach(grid, shape, k, from, &near[k], &far[k]);
    }
    *nearest += sqrt(near[0] * near[0] + near[1] * near[1] + near[2] * near[2]);
    *farthest += sqrt(far[0] * far[0] + far[1] * far[1] + far[2] * far[2]);
    for (int k = 0; k < 3; k++) {
        double others = hypot(near[(k + 1) % 3], near[(k + 2) % 3]);
        double steepest = others > 0.0 ? far[k] / hypot(far[k], others) : 1.0;
        slope[shape->axis[k]] = fmax(slope[shape->axis[k]], steepest);
    }
}

void bp_span_widen(const nfsar_bp_plan *plan, const struct bp_shape *shape, const nfsar_vec3 *tx,
                   const nfsar_vec3 *rx, size_t n, struct bp_span *span) {
    for (size_t i = 0; i < n; i++) {
        double nearest = 0.0, farthest = 0.0;
        widen(&plan->grid, shape, tx[i], &nearest, &farthest, span->slope);
        widen(&plan->grid, shape, rx[i], &nearest, &farthest, span->slope);
        span->nearest = fmin(span->nearest, nearest);
        span->farthest = fmax(span->farthest, farthest);
    }
}

static void cut(const nfsar_grid *grid, struct bp_shape *shape) {
    for (int k = 0; k < 3; k++) {
        size_t count = grid_axis(grid, shape->axis[k])->count;
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
 * reaches as far as `bound`. */
static double cost(const nfsar_bp_plan *plan, const struct bp_shape *shape, const double bound[3],
                   const double typical[3]) {
    double blocks = (double)shape->blocks[0] * (double)shape->blocks[1] * (double)shape->blocks[2];
    double vectors = (double)(shape->size[1] * shape->size[2] * BP_LANES / 8);
    if (plan->fit == NULL) {
        return blocks * (PREPARATION + vectors * LOOKUP);
    }
    const struct bandfit_level *level = plan->fit->level;
    double room = 1.0 - 1.0 / BANDFIT_PLACES;
    double most = half_reach(&plan->grid, shape, bound) / plan->lines.range_step;
    if (most > room * level[BANDFIT_LEVELS - 1].reach) {
        return INFINITY;
    }
    double usual = half_reach(&plan->grid, shape, typical) / plan->lines.range_step;
    int i = 0;
    while (i < BANDFIT_LEVELS - 1 && level[i].reach * room < usual) {
        i++;
    }
    return blocks * (PREPARATION + vectors * (VECTOR + 2 * level[i].degree));
}

/* The cheapest cut; false when no polynomial reaches over any block. */
static bool cheapest(nfsar_bp_plan *plan, const double bound[3], const double typical[3]) {
    static const size_t rows[][2] = {{4, 4},  {8, 4},  {4, 8},  {2, 8},  {8, 2},  {4, 2},
                                     {2, 4},  {2, 2},  {4, 1},  {1, 4},  {8, 1},  {1, 8},
                                     {16, 1}, {1, 16}, {32, 1}, {1, 32}, {16, 2}, {2, 16}};
    static const int axes[][3] = {{0, 1, 2}, {1, 0, 2}, {2, 0, 1}};
    double best = INFINITY;
    for (size_t a = 0; a < sizeof axes / sizeof axes[0]; a++) {
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            struct bp_shape shape = {.axis = {axes[a][0], axes[a][1], axes[a][2]},
                                     .size = {BP_LANES, rows[i][0], rows[i][1]}};
            cut(&plan->grid, &shape);
            double this = cost(plan, &shape, bound, typical);
            if (this < best) {
                best = this;
                plan->shape = shape;
            }
        }
    }
    return best < INFINITY;
}

/* Slopes over the whole capture, at their steepest, and at a few pulses toward the grid's middle;
 * and the ranges that profiles must cover. */
static enum nfsar_status survey(const nfsar_bp_plan *plan, const struct bp_shape *shape,
                                struct bp_span *span, double typical[3], nfsar_error *error) {
    enum { LOOKS = 64 };
    size_t n_channel = plan->lines.n_link, n_pulse = plan->capture->n_pulse, looks = 0;
    size_t every = n_pulse > LOOKS ? n_pulse / LOOKS : 1;
    nfsar_vec3 middle = {0.5 * (plan->grid.x.start + nfsar_axis_end(&plan->grid.x)),
                         0.5 * (plan->grid.y.start + nfsar_axis_end(&plan->grid.y)),
                         0.5 * (plan->grid.z.start + nfsar_axis_end(&plan->grid.z))};
    *span = (struct bp_span){.nearest = INFINITY};
    typical[0] = typical[1] = typical[2] = 0.0;
    for (size_t p = 0; p < n_pulse; p++) {
        enum nfsar_status status =
            nfsar_capture_antennas(plan->capture, false, p, 1, plan->tx, plan->rx, error);
        if (status != NFSAR_OK) {
            return status;
        }
        bp_span_widen(plan, shape, plan->tx, plan->rx, n_channel, span);
        for (size_t c = 0; c < n_channel && p % every == 0; c++, looks++) {
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
    return NFSAR_OK;
}

/* Range step and transform length for `density` profile samples to a range cell of the band. */
static enum nfsar_status set_density(nfsar_bp_plan *plan, double density, nfsar_error *error) {
    size_t n = plan->capture->n_sample;
    double cells = plan->k_half > 0.0 ? (double)(n - 1) / (2.0 * plan->k_half) : 0.0;
    size_t length = (size_t)ceil((double)n * density);
    if (length > (1u << 28)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "tolerance %g is too small",
                          plan->options.tolerance);
    }
    plan->length = transform_length(length);
    /* A single frequency has no range: any step will do. */
    plan->lines.range_step = cells > 0.0 ? 2.0 * NFSAR_PI * cells / (double)plan->length : 1.0;
    return NFSAR_OK;
}

/* Profiles that are looked up voxel by voxel, between two samples linearly: that errs by
 * (k_half range_step)^2 / 8. */
static double lookup_density(double tolerance) {
    return NFSAR_PI / sqrt(8.0 * tolerance);
}

static enum nfsar_status choose(nfsar_bp_plan *plan, const struct bp_span *span,
                                const double typical[3], nfsar_error *error) {
    /* What eight samples make of a band to that tolerance. */
    double density = plan->options.tolerance < 1e-4 ? 4.0 : 3.0;
    plan->lines.series_error = 0.1 * plan->options.tolerance;
    enum nfsar_status status = set_density(plan, density, error);
    if (status != NFSAR_OK) {
        return status;
    }
    plan->fit = bandfit_create(plan->k_half * plan->lines.range_step, plan->options.tolerance);
    if (plan->fit == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    if (!cheapest(plan, span->slope, typical)) {
        bandfit_destroy(plan->fit);
        plan->fit = NULL;
        plan->lines.shared = false;
        status = set_density(plan, lookup_density(plan->options.tolerance), error);
        cheapest(plan, span->slope, typical);
    }
    plan->lines.fit = plan->fit;
    return status;
}

enum nfsar_status bp_shape_choose(nfsar_bp_plan *plan, nfsar_error *error) {
    struct bp_shape whole = {.axis = {0, 1, 2}, .size = {1, 1, 1}};
    struct bp_span span;
    double typical[3];
    cut(&plan->grid, &whole);
    enum nfsar_status status = survey(plan, &whole, &span, typical, error);
    if (status == NFSAR_OK) {
        status = choose(plan, &span, typical, error);
    }
    /* The blocks may stand out beyond the grid. */
    if (status == NFSAR_OK) {
        status = survey(plan, &plan->shape, &span, typical, error);
    }
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
