/* How fine the lattice has to be that positions are spread onto, and how many its layers. */
#include <math.h>
#include <stdlib.h>

#include "algorithms/elimination.h"
#include "algorithms/frequencies.h"
#include "algorithms/gridding.h"
#include "algorithms/nurma_plan.h"

/* A transform may be this much longer than it must be, if that makes it cheaper. */
#define SLACK 1.35

/* Steps of the grid in a transform's period, at most. */
#define MOST_STEPS 1e6

/* Room between a kernel's end and the lattice's, in cells. */
#define SPARE 0.25

/* Phase centres closer together than this are in one place, metres. */
#define NO_APERTURE 1e-6

/* All phase centres. */
static enum nfsar_status find_places(nfsar_rma_plan *plan, nfsar_error *error) {
    size_t n_channel = plan->capture->array.n_channel, n_pulse = plan->capture->n_pulse;
    nfsar_vec3 *tx = malloc(n_channel * sizeof *tx), *rx = malloc(n_channel * sizeof *rx);
    double *const *place = plan->nurma->place;
    enum nfsar_status status = NFSAR_OK;
    for (int a = 0; a < 3; a++) {
        plan->nurma->place[a] = malloc(n_pulse * n_channel * sizeof **place);
    }
    if (tx == NULL || rx == NULL || place[0] == NULL || place[1] == NULL || place[2] == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu x %zu positions",
                            n_pulse, n_channel);
    }
    for (size_t p = 0; status == NFSAR_OK && p < n_pulse; p++) {
        status = nfsar_capture_antennas(plan->capture, false, p, 1, tx, rx, error);
        for (size_t c = 0; status == NFSAR_OK && c < n_channel; c++) {
            nfsar_vec3 at = nfsar_vec3_midpoint(tx[c], rx[c]);
            size_t l = p * n_channel + c;
            place[0][l] = at.x;
            place[1][l] = at.y;
            place[2][l] = at.z;
            if (!(isfinite(at.x) && isfinite(at.y) && isfinite(at.z))) {
                status = nfsar_fail(error, NFSAR_ERROR_FORMAT,
                                    "the pose of pulse %zu is not finite: give it a position, or "
                                    "leave the pulse out",
                                    p);
            }
        }
    }
    free(tx);
    free(rx);
    return status;
}

static struct nurma_range bounds(const double *at, size_t n) {
    struct nurma_range range = {INFINITY, -INFINITY};
    for (size_t i = 0; i < n; i++) {
        range.low = fmin(range.low, at[i]);
        range.high = fmax(range.high, at[i]);
    }
    return range;
}

/* The grid has to be on one side of all antennas, and of the plane. */
static enum nfsar_status check_side(const nfsar_rma_plan *plan, struct nurma_range z,
                                    nfsar_error *error) {
    double low = fmin(plan->grid.z.start, nfsar_axis_end(&plan->grid.z));
    double high = fmax(plan->grid.z.start, nfsar_axis_end(&plan->grid.z));
    double plane = plan->nurma->plane;
    if (low <= z.high && high >= z.low) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "the grid's z from %g to %g m lies among the antennas, which are at z "
                          "from %g to %g m; range migration needs it on one side of all of them",
                          plan->grid.z.start, nfsar_axis_end(&plan->grid.z), z.low, z.high);
    }
    if ((low <= plane && high >= plane) || (low > z.high) != (low > plane)) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "the plane at z = %g m is not on the antennas' side of the grid, whose z "
                          "goes from %g to %g m",
                          plane, plan->grid.z.start, nfsar_axis_end(&plan->grid.z));
    }
    return NFSAR_OK;
}

enum nfsar_status nurma_bounds(nfsar_rma_plan *plan, nfsar_error *error) {
    struct nurma *nurma = plan->nurma;
    size_t lines = plan->capture->n_pulse * plan->capture->array.n_channel;
    enum nfsar_status status = find_places(plan, error);
    if (status != NFSAR_OK) {
        return status;
    }
    struct nurma_range z = bounds(nurma->place[2], lines);
    nurma->antennas = z;
    nurma->x = bounds(nurma->place[0], lines);
    nurma->y = bounds(nurma->place[1], lines);
    if (nurma->x.high - nurma->x.low < NO_APERTURE && nurma->y.high - nurma->y.low < NO_APERTURE) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "the scan has no aperture: all phase centres are at x = %g, y = %g m; "
                          "check the poses and their units",
                          nurma->x.low, nurma->y.low);
    }
    if (!isfinite(nurma->plane)) {
        nurma->plane = 0.5 * (z.low + z.high);
    }
    status = check_side(plan, z, error);
    /* Only the exact form knows where the antennas are in depth. */
    nurma->z = nurma->offsets == NFSAR_OFFSETS_EXACT
                   ? z
                   : (struct nurma_range){nurma->plane, nurma->plane};
    bool ahead = plan->grid.z.start > nurma->plane;
    nurma->away =
        ahead ? (struct nurma_range){nurma->z.low - nurma->plane, nurma->z.high - nurma->plane}
              : (struct nurma_range){nurma->plane - nurma->z.high, nurma->plane - nurma->z.low};
    nurma->lattice.z = nurma->plane;
    return status;
}

/* Fresnel zone at the outermost angle of an axis. */
static double outer_zone(const nfsar_rma_plan *plan, const struct rma_axis *axis, double k_min) {
    double nearest = plan->nearest;
    return sqrt(NFSAR_PI * nearest / k_min) * pow(hypot(axis->reach, nearest) / nearest, 1.5);
}

/* Where the grid or the scan is narrow, many places and voxels are about as far apart as any. The
 * Fresnel integral of those, with the end of the spectrum over M zones, misses
 * 10^-(0.347 + 0.250 M + 0.151 M^2) of 1; those nearer together by half a zone miss much less. The
 * tolerance is for the root of the mean square over all pairs, and a part of it for either axis. */
static double narrow_margin(const nfsar_rma_plan *plan, bool is_y, double k_min) {
    const struct nurma *nurma = plan->nurma;
    const struct rma_axis *axis = is_y ? &plan->y : &plan->x;
    const nfsar_axis *grid = is_y ? &plan->grid.y : &plan->grid.x;
    struct nurma_range at = is_y ? nurma->y : nurma->x;
    double zone = outer_zone(plan, axis, k_min), scan = at.high - at.low;
    double wide = nfsar_axis_end(grid) - grid->start;
    double near = 0.5 * zone, share = near / fmax(near, scan) * near / fmax(near, wide);
    double power = log10(1.9 * pow(share, 0.75) / nurma->tolerance) - 0.347;
    return axis->line || power < 0.0
               ? 0.0
               : (sqrt(0.250 * 0.250 + 4.0 * 0.151 * power) - 0.250) / (2.0 * 0.151);
}

void nurma_choose_margin(nfsar_rma_plan *plan) {
    double k_min, k_max, *margin = &plan->options.margin;
    frequencies_range(plan->wavenumber, plan->capture->n_sample, &k_min, &k_max);
    *margin = fmax(*margin, narrow_margin(plan, false, k_min));
    *margin = fmax(*margin, narrow_margin(plan, true, k_min));
}

/* Tangent of the steepest angle that the axis will look at, its margin included. */
static double steepest(const nfsar_rma_plan *plan, const struct rma_axis *axis) {
    double sine = axis->line ? 0.0 : rma_end(plan, axis->reach, plan->options.margin);
    return sine / sqrt(1.0 - sine * sine);
}

void nurma_choose_fraction(nfsar_rma_plan *plan) {
    struct nurma *nurma = plan->nurma;
    double k_min, k_max;
    frequencies_range(plan->wavenumber, plan->capture->n_sample, &k_min, &k_max);
    double x = steepest(plan, &plan->x), y = steepest(plan, &plan->y);
    double cosine = fmax(sqrt(1.0 / (1.0 + x * x + y * y)), sqrt(RMA_SMALLEST_COSINE_SQUARED));
    nurma->fraction = nurma->offsets == NFSAR_OFFSETS_EXACT       ? 0.5 * (1.0 + cosine)
                      : nurma->offsets == NFSAR_OFFSETS_BORESIGHT ? 1.0
                                                                  : 0.0;
}

/* The cheapest of the padded apertures, not much longer than the least, in which the grid's step
 * goes a whole number of times: then one transform makes the grid. Any number of places may share
 * it. */
enum nfsar_status nurma_size_axis(nfsar_rma_plan *plan, struct rma_axis *axis, bool is_y,
                                  double period, nfsar_error *error) {
    struct nurma *nurma = plan->nurma;
    const nfsar_axis *grid = is_y ? &plan->grid.y : &plan->grid.x;
    struct nurma_range at = is_y ? nurma->y : nurma->x;
    nfsar_lattice_axis *places = is_y ? &nurma->lattice.y : &nurma->lattice.x;
    double coarsest = NFSAR_PI / (2.0 * nurma->sigma * plan->k_max * axis->end);
    double kernel = (double)nurma->kernel.width + 2.0 * SPARE + 2.0, best = INFINITY;
    double waves = (double)plan->n_wave, depths = (double)plan->grid.z.count;
    /* About as many layers as there will be. */
    double planes = 8.0 + (nurma->away.high - nurma->away.low) * plan->k_max *
                              (1.0 - nurma->fraction) * nurma->sigma_z;
    period = fmax(period, at.high - at.low + kernel * coarsest);
    if (!(period < MOST_STEPS * coarsest)) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY,
                          "the positions' %c from %g to %g m would take a spectrum of %.2g waves: "
                          "look for poses that are far off, and check that they are metres",
                          is_y ? 'y' : 'x', at.low, at.high, period / coarsest);
    }
    /* Steps that are all but nothing go a whole number of times into any length. */
    bool whole = grid->count > 1 && period / grid->step < MOST_STEPS;
    double least = whole ? fmax(ceil(period / grid->step), (double)grid->count) : 1.0;
    for (size_t out = transform_length((size_t)least); (double)out <= SLACK * least + 8.0;
         out = transform_length(out + 1)) {
        double long_as = whole ? (double)out * grid->step : period;
        size_t bins = 2 * rma_half(axis, plan->k_max, long_as) + 1;
        size_t length = transform_length((size_t)ceil(nurma->sigma * (double)bins));
        double alpha = grid->count > 1 ? 2.0 * NFSAR_PI * grid->step / long_as : 0.0;
        double cost = waves * planes * transform_cost(length) +
                      2.0 * depths * lateral_cost(bins, alpha, grid->count) +
                      0.06 * waves * depths * (double)bins;
        if (cost < best) {
            best = cost;
            axis->length = length;
            axis->place = long_as / (double)length;
        }
    }
    places->step = axis->place;
    places->first = at.low - axis->place * (0.5 * (double)nurma->kernel.width + SPARE);
    places->count = (size_t)ceil((at.high - places->first) / axis->place +
                                 0.5 * (double)nurma->kernel.width + SPARE) +
                    1;
    axis->n = places->count;
    return NFSAR_OK;
}

/* Polynomials for one over the transform of the layers' kernel and for its derivative: through
 * Chebyshev's points, more of them than tell. */
static void fit_inverse(struct nurma *nurma) {
    double value[NURMA_TERMS][NURMA_TERMS], power[NURMA_TERMS][NURMA_TERMS];
    double edge = nurma->band * nurma->layer.step;
    for (int i = 0; i < NURMA_TERMS; i++) {
        double u = 0.5 - 0.5 * cos(NFSAR_PI * ((double)i + 0.5) / NURMA_TERMS), p = 1.0;
        value[i][0] =
            1.0 / gridding_transform(nurma->layer.width, nurma->layer.beta, sqrt(u) * edge);
        for (int j = 0; j < NURMA_TERMS; j++, p *= u) {
            power[i][j] = p;
        }
    }
    eliminate(NURMA_TERMS, 1, NURMA_TERMS, &power[0][0], &value[0][0]);
    for (int i = 0; i < NURMA_TERMS; i++) {
        nurma->inverse[i] = (float)value[i][0];
        nurma->slope[i] =
            i + 1 < NURMA_TERMS ? (float)(2.0 * (i + 1) * value[i + 1][0] / nurma->band) : 0.0f;
    }
}

static double tangent_squared(double sine) {
    return sine * sine / (1.0 - sine * sine);
}

enum nfsar_status nurma_size_layers(nfsar_rma_plan *plan, nfsar_error *error) {
    struct nurma *nurma = plan->nurma;
    double steep = tangent_squared(plan->x.end) + tangent_squared(plan->y.end);
    double cosine = sqrt(fmax(1.0 / (1.0 + steep), RMA_SMALLEST_COSINE_SQUARED));
    double extent = nurma->away.high - nurma->away.low;
    /* A single layer lies where the positions do, which need not be the plane that was asked for.
     */
    nurma->layer = (struct spread_axis){
        .first = 0.5 * (nurma->away.low + nurma->away.high), .step = 1.0, .count = 1, .width = 1};
    nurma->inverse[0] = 1.0f;
    nurma->band = 2.0 * plan->k_max * fmax(1.0 - nurma->fraction, nurma->fraction - cosine);
    double least = 0.01 * nurma->tolerance;
    if (extent * nurma->band < least && extent < least * plan->nearest) {
        return NFSAR_OK;
    }
    struct gridding kernel = gridding_choose(0.4 * nurma->tolerance, nurma->sigma_z);
    double step = NFSAR_PI / (nurma->sigma_z * nurma->band);
    double room = 0.5 * (double)kernel.width + SPARE,
           count = ceil(extent / step + 2.0 * room) + 1.0;
    if (!(count < 1e5)) {
        return nfsar_fail(
            error, NFSAR_ERROR_MEMORY,
            "the positions' z from %g to %g m would take %.2g layers: check that they "
            "are metres; --method bp has no such limit",
            nurma->z.low, nurma->z.high, count);
    }
    nurma->layer = (struct spread_axis){.first = nurma->away.low - room * step,
                                        .step = step,
                                        .count = (size_t)count,
                                        .width = kernel.width,
                                        .beta = kernel.beta};
    fit_inverse(nurma);
    return NFSAR_OK;
}

double nurma_seconds(const nfsar_rma_plan *plan) {
    const struct nurma *nurma = plan->nurma;
    const struct rma_axis *x = &plan->x, *y = &plan->y;
    double lines = (double)plan->capture->n_pulse * (double)plan->capture->array.n_channel;
    double waves = (double)plan->n_wave, planes = waves * (double)nurma->layer.count;
    double kernel = (x->line ? 1.0 : nurma->kernel.width) * (y->line ? 1.0 : nurma->kernel.width);
    double transforms = planes * ((double)y->n * transform_cost(x->length) +
                                  (double)x->bins * transform_cost(y->length));
    double spreading = lines * waves * kernel * (double)nurma->layer.width;
    double depths = waves * (double)plan->depth->n_node * (double)x->bins * (double)y->bins;
    double slabs = ceil((double)plan->grid.z.count / (double)plan->z_slab);
    double samples = lines * (double)plan->capture->n_sample;
    /* Nanoseconds, on an AVX2 machine. */
    return 1e-9 * slabs * (3.0 * transforms + 0.5 * spreading + 1.0 * depths + 3.0 * samples);
}
