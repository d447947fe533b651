/* How large everything in a plan has to be. */
#include "algorithms/rma_plan.h"

#include <math.h>
#include <stdlib.h>

#include "algorithms/frequencies.h"
#include "algorithms/nurma_plan.h"

/* Longest transform of one axis: beyond it the grid is mistyped. */
#define LENGTH_LIMIT 1e6

/* A transform may be this much longer than it must be, if that makes it cheaper. */
#define SLACK 1.35

/* Least and greatest distance in depth between the antennas and the grid's slices. */
static enum nfsar_status find_depths(nfsar_rma_plan *plan, nfsar_error *error) {
    struct nurma_range z = plan->nurma != NULL
                               ? plan->nurma->z
                               : (struct nurma_range){plan->lattice->z, plan->lattice->z};
    double low = fmin(plan->grid.z.start, nfsar_axis_end(&plan->grid.z));
    double high = fmax(plan->grid.z.start, nfsar_axis_end(&plan->grid.z));
    if (!(low > z.high || high < z.low)) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "the grid's z from %g to %g m reaches the plane of the antennas at z = "
                          "%g m; range migration needs it on one side",
                          plan->grid.z.start, nfsar_axis_end(&plan->grid.z), plan->lattice->z);
    }
    plan->side = low > z.high ? 1.0 : -1.0;
    plan->nearest = plan->side > 0.0 ? low - z.high : z.low - high;
    plan->farthest = plan->side > 0.0 ? high - z.low : z.high - low;
    return NFSAR_OK;
}

void rma_shift_range(const nfsar_lattice *lattice, bool is_y, double *low, double *high) {
    *low = *high = 0.0;
    for (size_t s = 0; s < lattice->n_shift; s++) {
        double shift = is_y ? lattice->shift[s].y : lattice->shift[s].x;
        *low = fmin(*low, shift);
        *high = fmax(*high, shift);
    }
}

static void find_reach(const nfsar_rma_plan *plan, struct rma_axis *axis, bool is_y) {
    const nfsar_lattice *lattice = plan->lattice;
    const nfsar_lattice_axis *places = is_y ? &lattice->y : &lattice->x;
    const nfsar_axis *grid = is_y ? &plan->grid.y : &plan->grid.x;
    double shift_low = 0.0, shift_high = 0.0;
    rma_shift_range(lattice, is_y, &shift_low, &shift_high);
    double width = places->step * (double)(places->count - 1);
    struct nurma_range at = {places->first + shift_low, places->first + shift_high + width};
    if (plan->nurma != NULL) {
        at = is_y ? plan->nurma->y : plan->nurma->x;
    }
    double low = grid->start - at.high, high = nfsar_axis_end(grid) - at.low;
    axis->n = places->count;
    axis->line = at.high - at.low < 1e-6 && grid->count == 1 && fabs(grid->start - at.low) < 1e-6;
    axis->reach = axis->line ? 0.0 : fmax(fabs(low), fabs(high));
}

/* Ranges between places and grid, less what is taken out of each line for its offset from the
 * plane: R + fraction * offset, which grows with the lateral distance, and whose largest is at the
 * largest or the smallest offset. */
static struct nurma_range find_ranges(const nfsar_rma_plan *plan) {
    double aside = hypot(plan->x.reach, plan->y.reach);
    if (plan->nurma == NULL) {
        return (struct nurma_range){plan->nearest, hypot(plan->farthest, aside)};
    }
    struct nurma_range away = plan->nurma->away;
    double fraction = plan->nurma->fraction, last = plan->farthest + away.low;
    return (struct nurma_range){plan->nearest + fraction * away.high,
                                fmax(hypot(last - away.low, aside) + fraction * away.low,
                                     hypot(last - away.high, aside) + fraction * away.high)};
}

/* The fewest frequencies from which the image's kernel exp(-2jkR) can be made at the ranges R that
 * occur between places and grid. */
static enum nfsar_status thin_frequencies(nfsar_rma_plan *plan, nfsar_error *error) {
    size_t n = plan->capture->n_sample;
    struct nurma_range range = find_ranges(plan);
    plan->distance = 0.5 * (range.low + range.high);
    double *two_k = malloc(n * sizeof *two_k);
    for (size_t i = 0; two_k != NULL && i < n; i++) {
        two_k[i] = 2.0 * plan->wavenumber[i];
    }
    if (two_k != NULL) {
        plan->thin = exponentials_create(two_k, n, 0.5 * (range.high - range.low),
                                         rma_thinning(plan), EXPONENTIALS_CLUSTERED);
    }
    free(two_k);
    plan->wavenumber_of_wave =
        plan->thin != NULL ? malloc(plan->thin->n_node * sizeof(double)) : NULL;
    if (plan->wavenumber_of_wave == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu frequencies", n);
    }
    plan->n_wave = plan->thin->n_node;
    if (plan->thin->exact) {
        plan->distance = 0.0;
    }
    for (size_t m = 0; m < plan->n_wave; m++) {
        plan->wavenumber_of_wave[m] = 0.5 * plan->thin->node[m];
    }
    frequencies_range(plan->wavenumber_of_wave, plan->n_wave, &plan->k_min, &plan->k_max);
    return NFSAR_OK;
}

size_t rma_half(const struct rma_axis *axis, double k_max, double period) {
    return (size_t)ceil(2.0 * k_max * axis->end * period / (2.0 * NFSAR_PI));
}

/* The length, not much above the least, that costs least: transforms of the places, of the waves to
 * the grid, and the sums between, all for one line and all frequencies and depths. */
static size_t choose_length(const nfsar_rma_plan *plan, const struct rma_axis *axis,
                            const nfsar_axis *grid, size_t least) {
    double waves = (double)plan->n_wave, depths = (double)plan->grid.z.count, best = INFINITY;
    size_t found = transform_length(least);
    for (size_t length = found; (double)length <= SLACK * (double)least + 8.0;
         length = transform_length(length + 1)) {
        double period = (double)length * axis->place;
        size_t bins = 2 * rma_half(axis, plan->k_max, period) + 1;
        double alpha = grid->count > 1 ? 2.0 * NFSAR_PI * grid->step / period : 0.0;
        double cost = waves * transform_cost(length) +
                      2.0 * depths * lateral_cost(bins, alpha, grid->count) +
                      0.06 * waves * depths * (double)bins;
        if (cost < best) {
            best = cost;
            found = length;
        }
    }
    return found;
}

double rma_end(const nfsar_rma_plan *plan, double reach, double margin) {
    double k_min, k_max;
    frequencies_range(plan->wavenumber, plan->capture->n_sample, &k_min, &k_max);
    double cosine = plan->nearest / hypot(reach, plan->nearest);
    double off = NFSAR_PI * margin * margin * cosine / (2.0 * k_min * plan->nearest);
    double angle = acos(cosine) + acos(fmax(1.0 - off, 0.0));
    return angle < asin(RMA_LARGEST_SINE) ? sin(angle) : RMA_LARGEST_SINE;
}

/* What angles an axis keeps. */
static void find_view(const nfsar_rma_plan *plan, struct rma_axis *axis) {
    double nearest = plan->nearest;
    double oblique = pow(hypot(axis->reach, nearest) / nearest, 1.5);
    double zone = sqrt(NFSAR_PI * nearest / plan->k_min) * oblique;
    /* Where every place and voxel sees the other straight ahead, all of them lie on the edge of
     * what is kept in full. */
    bool narrow = plan->nurma == NULL && axis->reach < zone;
    if (!axis->line) {
        axis->sine = fmin(RMA_LARGEST_SINE, axis->reach / hypot(axis->reach, nearest));
        axis->end = rma_end(plan, axis->reach, plan->options.margin + (narrow ? 1.0 : 0.0));
    }
}

/* Waves that are oblique along the other axis too come from farther, and their Fresnel zones are
 * larger by (R / R_0)^(3/2): the margin with them. One margin for all waves is the smoothest. */
static void widen_view(struct rma_axis *axis, const struct rma_axis *other) {
    double tangent = other->sine * other->sine / (1.0 - other->sine * other->sine);
    double wider = pow(1.0 + tangent * (1.0 - axis->sine * axis->sine), 0.75);
    double inner = asin(axis->sine), angle = inner + (asin(axis->end) - inner) * wider;
    axis->end = angle < asin(RMA_LARGEST_SINE) ? sin(angle) : RMA_LARGEST_SINE;
}

/* Sizes of one axis. The spectrum of a target seen at angles up to asin(sine) lies within
 * 2k sine, but for its edges, whose width is that of a Fresnel zone, sqrt(lambda R^3 / 2) / z for
 * waves that come aslant over a distance R: the margin is counted in those. The padded aperture
 * must be so long that what the outermost angles reach at the farthest depth does not wrap round
 * into the grid. */
static enum nfsar_status size_axis(nfsar_rma_plan *plan, struct rma_axis *axis, bool is_y,
                                   nfsar_error *error) {
    const nfsar_lattice_axis *places = is_y ? &plan->lattice->y : &plan->lattice->x;
    const nfsar_axis *grid = is_y ? &plan->grid.y : &plan->grid.x;
    /* A single place has no step: any that samples the waves will do, the grid's best. */
    double finest = 0.5 * NFSAR_PI / plan->k_max;
    axis->place = places->count > 1 ? places->step
                  : grid->count > 1 ? grid->step / ceil(grid->step / finest)
                                    : finest;
    if (axis->line) {
        axis->length = axis->bins = 1;
        axis->width = is_y ? RMA_TILE : 2 * RMA_TILE;
        return NFSAR_OK;
    }
    double support = plan->farthest * axis->end / sqrt(1.0 - axis->end * axis->end);
    double period = fmax(axis->reach + support, axis->place * (double)places->count);
    double length = ceil(period / axis->place) + 1.0;
    double bins = 2.0 * plan->k_max * axis->end * length * axis->place / NFSAR_PI;
    if (!(length < LENGTH_LIMIT && bins < LENGTH_LIMIT)) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY,
                          "the grid's %c axis, from %g to %g m, asks for a spectrum of %.2g waves: "
                          "give a smaller grid (coordinates are metres)",
                          is_y ? 'y' : 'x', grid->start, nfsar_axis_end(grid), bins);
    }
    enum nfsar_status status = NFSAR_OK;
    if (plan->nurma != NULL) {
        status = nurma_size_axis(plan, axis, is_y, period, error);
    } else {
        axis->length = choose_length(plan, axis, grid, (size_t)length);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    axis->step = 2.0 * NFSAR_PI / ((double)axis->length * axis->place);
    axis->half = rma_half(axis, plan->k_max, (double)axis->length * axis->place);
    axis->bins = 2 * axis->half + 1;
    axis->width = is_y ? rma_pitch(axis->bins) : 2 * rma_pitch(axis->half + 1);
    return NFSAR_OK;
}

static double middle(const nfsar_axis *axis) {
    return 0.5 * (axis->start + nfsar_axis_end(axis));
}

static void place_reference(nfsar_rma_plan *plan) {
    nfsar_vec3 wanted = plan->options.reference;
    plan->reference = (nfsar_vec3){isfinite(wanted.x) ? wanted.x : middle(&plan->grid.x),
                                   isfinite(wanted.y) ? wanted.y : middle(&plan->grid.y),
                                   isfinite(wanted.z) ? wanted.z : middle(&plan->grid.z)};
}

static enum nfsar_status check_options(const nfsar_rma_options *options, nfsar_error *error) {
    if (!(options->tolerance >= 1e-6 && options->tolerance <= 0.1)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "tolerance %g: from 1e-6 to 0.1",
                          options->tolerance);
    }
    if (!(options->margin >= 0.0 && options->margin <= 10.0)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "margin %g: from 0 to 10 Fresnel zones",
                          options->margin);
    }
    if (options->compensation == NFSAR_COMPENSATION_EVERY_RANGE) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "compensation every-range is for csar: take reference-point");
    }
    return NFSAR_OK;
}

static enum nfsar_status size_axes(nfsar_rma_plan *plan, nfsar_error *error) {
    enum nfsar_status status = find_depths(plan, error);
    if (status != NFSAR_OK) {
        return status;
    }
    find_reach(plan, &plan->x, false);
    find_reach(plan, &plan->y, true);
    if (plan->nurma != NULL) {
        nurma_choose_margin(plan);
        nurma_choose_fraction(plan);
    }
    status = thin_frequencies(plan, error);
    find_view(plan, &plan->x);
    find_view(plan, &plan->y);
    widen_view(&plan->x, &plan->y);
    widen_view(&plan->y, &plan->x);
    if (status == NFSAR_OK) {
        status = size_axis(plan, &plan->x, false, error);
    }
    if (status == NFSAR_OK) {
        status = size_axis(plan, &plan->y, true, error);
    }
    return status == NFSAR_OK && plan->nurma != NULL ? nurma_size_layers(plan, error) : status;
}

enum nfsar_status rma_size(nfsar_rma_plan *plan, nfsar_error *error) {
    enum nfsar_status status = nfsar_grid_check(&plan->grid, error);
    if (status == NFSAR_OK) {
        status = check_options(&plan->options, error);
    }
    if (status == NFSAR_OK && plan->nurma == NULL && !rma_has_aperture(plan->lattice)) {
        status = nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                            "the scan has no aperture: all phase centres are at x = %g, y = %g m; "
                            "check the poses and their units",
                            plan->lattice->x.first, plan->lattice->y.first);
    }
    if (status == NFSAR_OK) {
        status = frequencies_make(plan->capture, plan->options.frequency_window, &plan->wavenumber,
                                  &plan->frequency_taper, error);
    }
    if (status == NFSAR_OK) {
        status = size_axes(plan, error);
    }
    if (status == NFSAR_OK) {
        status = rma_size_blocks(plan, error);
    }
    if (status == NFSAR_OK) {
        place_reference(plan);
    }
    return status;
}

bool rma_has_aperture(const nfsar_lattice *lattice) {
    double x_low, x_high, y_low, y_high;
    rma_shift_range(lattice, false, &x_low, &x_high);
    rma_shift_range(lattice, true, &y_low, &y_high);
    return lattice->x.count > 1 || lattice->y.count > 1 || x_high - x_low > 1e-6 ||
           y_high - y_low > 1e-6;
}
