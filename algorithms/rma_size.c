/* How large everything in a plan has to be, and whether that fits. */
#include "algorithms/rma_plan.h"

#include <math.h>

#include "algorithms/frequencies.h"

/* Bytes read from a source in one piece. */
#define READ_BYTES ((size_t)64 << 20)

/* Longest transform of one axis: beyond it the grid is mistyped. */
#define LENGTH_LIMIT 1e6

/* Depth of the grid's nearest and farthest slice below the lattice's plane. */
static enum nfsar_status find_depths(nfsar_rma_plan *plan, double *nearest, double *farthest,
                                     nfsar_error *error) {
    double first = plan->grid.z.start - plan->lattice->z;
    double last = nfsar_axis_end(&plan->grid.z) - plan->lattice->z;
    if (!(first * last > 0.0)) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "the grid's z from %g to %g m reaches the plane of the antennas at z = "
                          "%g m; range migration needs it on one side",
                          plan->grid.z.start, nfsar_axis_end(&plan->grid.z), plan->lattice->z);
    }
    plan->side = first > 0.0 ? 1.0 : -1.0;
    *nearest = fmin(fabs(first), fabs(last));
    *farthest = fmax(fabs(first), fabs(last));
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

/* What the sizes of both axes depend on. */
struct span {
    double nearest, farthest; /* depths */
    double k_min, k_max;
    double margin;
};

/* All positions and the whole grid have this one coordinate: there is no spectrum along it. */
static bool is_line(const nfsar_lattice_axis *places, const nfsar_axis *grid, double low,
                    double high) {
    return places->count == 1 && high - low < 1e-6 && grid->count == 1 &&
           fabs(grid->start - places->first) < 1e-6;
}

/* Sizes of one axis. The spectrum of a target seen at angles up to asin(sine) lies within
 * 2k sine, but for its edges, whose width is that of a Fresnel zone, sqrt(lambda R^3 / 2) / z for
 * waves that come aslant over a distance R: the margin is counted in those. The padded aperture
 * must be so long that what the outermost angles reach at the farthest depth does not wrap round
 * into the grid. */
static enum nfsar_status size_axis(struct rma_axis *axis, const nfsar_lattice *lattice, bool is_y,
                                   const nfsar_axis *grid, const struct span *span,
                                   nfsar_error *error) {
    const nfsar_lattice_axis *places = is_y ? &lattice->y : &lattice->x;
    double shift_low = 0.0, shift_high = 0.0;
    rma_shift_range(lattice, is_y, &shift_low, &shift_high);
    axis->n = places->count;
    axis->line = is_line(places, grid, shift_low, shift_high);
    /* A single place has no step: any that samples the waves will do. */
    axis->place = places->count > 1 ? places->step : 0.5 * NFSAR_PI / span->k_max;
    double width = places->step * (double)(places->count - 1);
    double low = grid->start - (places->first + shift_high + width);
    double high = nfsar_axis_end(grid) - (places->first + shift_low);
    double reach = fmax(fabs(low), fabs(high));
    double oblique = pow(hypot(reach, span->nearest) / span->nearest, 1.5);
    double zone = sqrt(NFSAR_PI * span->nearest / span->k_min) * oblique;
    double outer = reach + span->margin * zone;
    axis->sine = fmin(RMA_LARGEST_SINE, reach / hypot(reach, span->nearest));
    axis->end = fmin(RMA_LARGEST_SINE, outer / hypot(outer, span->nearest));
    double support = span->farthest * axis->end / sqrt(1.0 - axis->end * axis->end);
    double period = fmax(reach + support, axis->place * (double)places->count);
    double length = axis->line ? 1.0 : ceil(period / axis->place) + 1.0;
    double bins = 2.0 * span->k_max * axis->end * length * axis->place / NFSAR_PI;
    if (!(length < LENGTH_LIMIT && bins < LENGTH_LIMIT)) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY,
                          "the grid's %c axis, from %g to %g m, asks for a spectrum of %.2g waves: "
                          "give a smaller grid (coordinates are metres)",
                          is_y ? 'y' : 'x', grid->start, nfsar_axis_end(grid), bins);
    }
    axis->length = axis->line ? 1 : transform_length((size_t)length);
    axis->pitch = rma_pitch(axis->length);
    axis->step = axis->line ? 0.0 : 2.0 * NFSAR_PI / ((double)axis->length * axis->place);
    axis->half = axis->line ? 0 : (size_t)ceil(2.0 * span->k_max * axis->end / axis->step);
    axis->bins = 2 * axis->half + 1;
    return NFSAR_OK;
}

static size_t at_least_one(size_t n) {
    return n > 0 ? n : 1;
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

size_t rma_forward_scratch(const nfsar_rma_plan *plan) {
    return plan->y.n * plan->x.pitch + RMA_TILE * plan->y.pitch;
}

/* Share the memory between depths and frequencies; refuse when one of each does not fit. */
static enum nfsar_status size_blocks(nfsar_rma_plan *plan, nfsar_error *error) {
    size_t unit = sizeof(float complex);
    size_t budget = plan->options.memory > 0 ? plan->options.memory : (size_t)2 << 30;
    size_t plane = plan->x.bins * plan->y.bins * unit;
    size_t cells = plan->lattice->n_shift * plan->x.n * plan->y.n * unit;
    size_t fixed =
        ((size_t)plan->threads * rma_forward_scratch(plan) + plan->y.bins * plan->grid.x.count) *
        unit;
    size_t least = fixed + 2 * plane + cells;
    if (least > budget) {
        return nfsar_fail(
            error, NFSAR_ERROR_MEMORY,
            "range migration to this grid needs a spectrum of %zu x %zu waves and "
            "%.3g GiB, allowed are %.3g: give a smaller grid, or one farther from the "
            "antennas",
            plan->x.bins, plan->y.bins, (double)least / 0x1p30, (double)budget / 0x1p30);
    }
    size_t half = (budget - fixed) / 2;
    plan->z_slab = smaller(plan->grid.z.count, at_least_one(half / plane));
    plan->k_block = smaller(plan->capture->n_sample, at_least_one(half / (plane + cells)));
    size_t line = plan->capture->array.n_channel * plan->k_block * unit;
    size_t read = smaller(READ_BYTES, budget / 8);
    plan->pulse_block = smaller(plan->capture->n_pulse, at_least_one(read / line));
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
    return NFSAR_OK;
}

static enum nfsar_status size_axes(nfsar_rma_plan *plan, nfsar_error *error) {
    struct span span = {.margin = plan->options.margin};
    enum nfsar_status status = find_depths(plan, &span.nearest, &span.farthest, error);
    if (status != NFSAR_OK) {
        return status;
    }
    frequencies_range(plan->wavenumber, plan->capture->n_sample, &span.k_min, &span.k_max);
    status = size_axis(&plan->x, plan->lattice, false, &plan->grid.x, &span, error);
    if (status == NFSAR_OK) {
        status = size_axis(&plan->y, plan->lattice, true, &plan->grid.y, &span, error);
    }
    return status;
}

enum nfsar_status rma_size(nfsar_rma_plan *plan, nfsar_error *error) {
    enum nfsar_status status = nfsar_grid_check(&plan->grid, error);
    if (status == NFSAR_OK) {
        status = check_options(&plan->options, error);
    }
    if (status == NFSAR_OK && !rma_has_aperture(plan->lattice)) {
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
        status = size_blocks(plan, error);
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
