#include <nfsar/reconstruct.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/range.h>

#include "algorithms/choice.h"
#include "algorithms/residue.h"
#include "algorithms/rma_plan.h"

struct nfsar_imager {
    const nfsar_capture *capture;
    enum nfsar_method wanted, method;
    bool has_lattice;
    nfsar_lattice lattice;
    nfsar_rma_options rma;
    nfsar_bp_options bp;
    bool fitted;
    nfsar_grid whole; /* what nfsar_imager_fit() was told */
    char reason[NFSAR_ERROR_LENGTH + 64];
    char warning[256];
    char options[256];
};

static const char *const names[] = {
    [NFSAR_METHOD_AUTO] = "auto",
    [NFSAR_METHOD_BP] = "bp",
    [NFSAR_METHOD_RMA] = "rma",
};

enum nfsar_status nfsar_method_parse(const char *name, enum nfsar_method *method,
                                     nfsar_error *error) {
    size_t index = 0;
    enum nfsar_status status =
        choice_parse("method", names, sizeof names / sizeof names[0], name, &index, error);
    if (status == NFSAR_OK) {
        *method = (enum nfsar_method)index;
    }
    return status;
}

const char *nfsar_method_name(enum nfsar_method method) {
    return names[method];
}

static void describe_lattice(const nfsar_lattice *lattice, char *text, size_t size) {
    char shifts[48] = "", steps[80] = "", away[48] = "exactly";
    if (lattice->n_shift > 1) {
        snprintf(shifts, sizeof shifts, ", %zu shifted copies", lattice->n_shift);
    }
    if (lattice->x.count > 1 && lattice->y.count > 1) {
        snprintf(steps, sizeof steps, "steps %.4f x %.4f mm", 1e3 * lattice->x.step,
                 1e3 * lattice->y.step);
    } else {
        snprintf(steps, sizeof steps, "steps %.4f mm",
                 1e3 * fmax(lattice->x.step, lattice->y.step));
    }
    /* Below a nanometre there is only rounding. */
    if (lattice->deviation > 1e-9) {
        snprintf(away, sizeof away, "to within %.2g mm", 1e3 * lattice->deviation);
    }
    snprintf(text, size, "the positions are a planar lattice, %s: %zu x %zu places, %s%s", away,
             lattice->x.count, lattice->y.count, steps, shifts);
}

static void describe_options(nfsar_imager *imager) {
    if (imager->method == NFSAR_METHOD_RMA) {
        snprintf(imager->options, sizeof imager->options,
                 "compensation=%s window=%s aperture-window=%s tolerance=%g margin=%g",
                 nfsar_compensation_name(imager->rma.compensation),
                 nfsar_window_name(imager->rma.frequency_window),
                 nfsar_window_name(imager->rma.aperture_window), imager->rma.tolerance,
                 imager->rma.margin);
    } else {
        snprintf(imager->options, sizeof imager->options, "precision=%s window=%s tolerance=%g",
                 imager->bp.precision == NFSAR_BP_DOUBLE ? "double" : "single",
                 nfsar_window_name(imager->bp.frequency_window), imager->bp.tolerance);
    }
}

static enum nfsar_status choose(nfsar_imager *imager, enum nfsar_method wanted,
                                nfsar_error *error) {
    nfsar_error why = {0};
    enum nfsar_status status = nfsar_lattice_detect(imager->capture, 0.0, &imager->lattice, &why);
    if (status != NFSAR_OK && status != NFSAR_ERROR_GEOMETRY) {
        return nfsar_fail(error, status, "%s", why.message);
    }
    imager->has_lattice = status == NFSAR_OK;
    if (imager->has_lattice && !rma_has_aperture(&imager->lattice)) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "the scan has no aperture: all phase centres are at x = %g, y = %g m; "
                          "check the poses and their units",
                          imager->lattice.x.first, imager->lattice.y.first);
    }
    if (wanted == NFSAR_METHOD_RMA && !imager->has_lattice) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY, "rma: %s", why.message);
    }
    if (wanted == NFSAR_METHOD_AUTO) {
        imager->method = imager->has_lattice ? NFSAR_METHOD_RMA : NFSAR_METHOD_BP;
    } else {
        imager->method = wanted;
    }
    if (wanted == NFSAR_METHOD_BP) {
        snprintf(imager->reason, sizeof imager->reason, "as asked");
    } else if (imager->has_lattice) {
        describe_lattice(&imager->lattice, imager->reason, sizeof imager->reason);
    } else {
        /* "; `--method bp` ..." would advise what is being done. */
        char *advice = strchr(why.message, ';');
        if (advice != NULL) {
            *advice = '\0';
        }
        snprintf(imager->reason, sizeof imager->reason, "%s", why.message);
    }
    return NFSAR_OK;
}

enum nfsar_status nfsar_imager_create(const nfsar_capture *capture, enum nfsar_method method,
                                      const nfsar_rma_options *rma, const nfsar_bp_options *bp,
                                      nfsar_imager **imager, nfsar_error *error) {
    *imager = NULL;
    nfsar_imager *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    made->capture = capture;
    made->wanted = method;
    made->rma = rma != NULL ? *rma : nfsar_rma_defaults();
    made->bp = bp != NULL ? *bp : nfsar_bp_defaults();
    enum nfsar_status status = choose(made, method, error);
    if (status != NFSAR_OK) {
        nfsar_imager_destroy(made);
        return status;
    }
    describe_options(made);
    *imager = made;
    return NFSAR_OK;
}

enum nfsar_method nfsar_imager_method(const nfsar_imager *imager) {
    return imager->method;
}

const char *nfsar_imager_reason(const nfsar_imager *imager) {
    return imager->reason;
}

const nfsar_lattice *nfsar_imager_lattice(const nfsar_imager *imager) {
    return imager->has_lattice ? &imager->lattice : NULL;
}

const char *nfsar_imager_options(const nfsar_imager *imager) {
    return imager->options;
}

const char *nfsar_imager_warning(const nfsar_imager *imager) {
    return imager->warning[0] != '\0' ? imager->warning : NULL;
}

static double depth_of(const nfsar_imager *imager, const nfsar_grid *grid, size_t i) {
    return fabs(nfsar_axis_at(&grid->z, i) - imager->lattice.z);
}

/* Depths are made in bands that double: one band's transforms have to suit its nearest and its
 * farthest depth, and one reference its compensation. */
static double nearest_depth(const nfsar_imager *imager) {
    const nfsar_grid *grid = &imager->whole;
    return fmin(depth_of(imager, grid, 0), depth_of(imager, grid, grid->z.count - 1));
}

static int band_of(const nfsar_imager *imager, double depth) {
    return (int)floor(log2(depth / nearest_depth(imager)) + 1e-9);
}

/* The slices of the grid from `first` on that lie in one band; *n receives how many. */
static nfsar_grid band_grid(const nfsar_imager *imager, const nfsar_grid *grid, size_t first,
                            size_t *n) {
    int band = band_of(imager, depth_of(imager, grid, first));
    *n = 1;
    while (first + *n < grid->z.count &&
           band_of(imager, depth_of(imager, grid, first + *n)) == band) {
        ++*n;
    }
    nfsar_grid part = *grid;
    part.z.start = nfsar_axis_at(&grid->z, first);
    part.z.count = *n;
    return part;
}

static double middle(const nfsar_axis *axis) {
    return 0.5 * (axis->start + nfsar_axis_end(axis));
}

/* Options for the band that the slice `first` of a part of the whole grid lies in. */
static nfsar_rma_options band_options(const nfsar_imager *imager, const nfsar_grid *part) {
    nfsar_rma_options options = imager->rma;
    const nfsar_grid *whole = &imager->whole;
    double end = fmax(depth_of(imager, whole, 0), depth_of(imager, whole, whole->z.count - 1));
    double low = ldexp(nearest_depth(imager), band_of(imager, depth_of(imager, part, 0)));
    double side = part->z.start > imager->lattice.z ? 1.0 : -1.0;
    double depth = 0.5 * (low + fmin(2.0 * low, end));
    nfsar_vec3 *at = &options.reference;
    at->x = isfinite(at->x) ? at->x : middle(&whole->x);
    at->y = isfinite(at->y) ? at->y : middle(&whole->y);
    at->z = isfinite(at->z) ? at->z : imager->lattice.z + side * depth;
    return options;
}

/* Everything that rma needs of the grid, band by band; *correlation receives the smallest that is
 * to be expected. */
static enum nfsar_status try_rma(const nfsar_imager *imager, double *correlation,
                                 nfsar_error *error) {
    const nfsar_grid *grid = &imager->whole;
    /* What crosses the plane of the antennas has no bands. */
    enum nfsar_status status =
        nfsar_rma_check(imager->capture, &imager->lattice, &(nfsar_grid){grid->x, grid->y, grid->z},
                        &imager->rma, error);
    if (status == NFSAR_ERROR_GEOMETRY || status == NFSAR_ERROR_ARGUMENT) {
        return status;
    }
    status = NFSAR_OK;
    *correlation = 1.0;
    for (size_t first = 0, n = 0; status == NFSAR_OK && first < grid->z.count; first += n) {
        nfsar_grid part = band_grid(imager, grid, first, &n);
        nfsar_rma_options options = band_options(imager, &part);
        status = nfsar_rma_check(imager->capture, &imager->lattice, &part, &options, error);
        double expected =
            residue_correlation(imager->capture, &part, options.compensation, options.reference);
        *correlation = fmin(*correlation, expected);
    }
    return status;
}

/* Largest lateral distance between aperture and grid over the smallest depth: tangent of the
 * steepest angle. */
static double steepest(const nfsar_imager *imager) {
    double most = 0.0;
    for (int axis = 0; axis < 2; axis++) {
        const nfsar_lattice_axis *places = axis != 0 ? &imager->lattice.y : &imager->lattice.x;
        const nfsar_axis *grid = axis != 0 ? &imager->whole.y : &imager->whole.x;
        double last = places->first + places->step * (double)(places->count - 1);
        most = fmax(most, fmax(nfsar_axis_end(grid) - places->first, last - grid->start));
    }
    return most / nearest_depth(imager);
}

/* A grid that lies wholly beyond what the frequency steps tell apart shows the echoes of nearer
 * places again: most often its numbers are millimetres. */
static void warn_of_distance(nfsar_imager *imager) {
    const nfsar_grid *grid = &imager->whole;
    nfsar_vec3 first = {grid->x.start, grid->y.start, grid->z.start};
    nfsar_vec3 last = {nfsar_axis_end(&grid->x), nfsar_axis_end(&grid->y),
                       nfsar_axis_end(&grid->z)};
    double away =
        nfsar_vec3_distance(imager->capture->pose[0].position, nfsar_vec3_midpoint(first, last)) -
        0.5 * nfsar_vec3_distance(first, last);
    double limit = nfsar_range_unambiguous(imager->capture);
    if (away > limit) {
        snprintf(imager->warning, sizeof imager->warning,
                 "the grid begins %.3g m from the radar, but these frequency steps tell ranges "
                 "apart only up to %.3g m; coordinates are metres",
                 away, limit);
    }
}

enum nfsar_status nfsar_imager_fit(nfsar_imager *imager, const nfsar_grid *grid,
                                   nfsar_error *error) {
    enum nfsar_status status = nfsar_grid_check(grid, error);
    imager->whole = *grid;
    imager->fitted = status == NFSAR_OK;
    imager->warning[0] = '\0';
    if (status == NFSAR_OK) {
        warn_of_distance(imager);
    }
    if (status != NFSAR_OK || imager->method != NFSAR_METHOD_RMA) {
        return status;
    }
    nfsar_error why = {0};
    double correlation = 1.0,
           limit = RMA_LARGEST_SINE / sqrt(1.0 - RMA_LARGEST_SINE * RMA_LARGEST_SINE);
    status = try_rma(imager, &correlation, &why);
    if (status != NFSAR_OK && imager->wanted == NFSAR_METHOD_RMA) {
        return nfsar_fail(error, status, "rma: %s; --method bp has no such limit", why.message);
    }
    if (status == NFSAR_OK && correlation < 0.98) {
        status = nfsar_fail(&why, NFSAR_ERROR_GEOMETRY,
                            "transmitters and receivers lie so far apart that range migration "
                            "would be only %.2f like exact imaging",
                            correlation);
    }
    if (status == NFSAR_OK && steepest(imager) > limit) {
        status = nfsar_fail(&why, NFSAR_ERROR_GEOMETRY,
                            "parts of the grid are seen more than %.0f degrees aslant, which range "
                            "migration leaves out",
                            atan(limit) * 180.0 / NFSAR_PI);
    }
    if (status != NFSAR_OK && imager->wanted == NFSAR_METHOD_RMA) {
        snprintf(imager->warning, sizeof imager->warning, "%.250s", why.message);
    } else if (status != NFSAR_OK) {
        imager->method = NFSAR_METHOD_BP;
        snprintf(imager->reason, sizeof imager->reason, "%s", why.message);
        describe_options(imager);
    }
    return NFSAR_OK;
}

static enum nfsar_status run_rma(nfsar_imager *imager, const nfsar_grid *grid,
                                 const nfsar_echo_source *source, float complex *image,
                                 const nfsar_progress *progress, nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    size_t slice = grid->x.count * grid->y.count;
    for (size_t first = 0, n = 0; status == NFSAR_OK && first < grid->z.count; first += n) {
        nfsar_grid part = band_grid(imager, grid, first, &n);
        nfsar_rma_options options = band_options(imager, &part);
        nfsar_rma_plan *plan = NULL;
        status =
            nfsar_rma_plan_create(imager->capture, &imager->lattice, &part, &options, &plan, error);
        if (status == NFSAR_OK) {
            status = nfsar_rma_execute(plan, source, image + first * slice, progress, error);
        }
        nfsar_rma_plan_destroy(plan);
    }
    return status;
}

static enum nfsar_status run_bp(nfsar_imager *imager, const nfsar_grid *grid,
                                const nfsar_echo_source *source, float complex *image,
                                const nfsar_progress *progress, nfsar_error *error) {
    nfsar_bp_plan *plan = NULL;
    enum nfsar_status status =
        nfsar_bp_plan_create(imager->capture, grid, &imager->bp, &plan, error);
    if (status == NFSAR_OK) {
        status = nfsar_bp_execute(plan, source, image, progress, error);
    }
    nfsar_bp_plan_destroy(plan);
    return status;
}

enum nfsar_status nfsar_imager_run(nfsar_imager *imager, const nfsar_grid *grid,
                                   const nfsar_echo_source *source, float complex *image,
                                   const nfsar_progress *progress, nfsar_error *error) {
    enum nfsar_status status =
        imager->fitted ? nfsar_grid_check(grid, error) : nfsar_imager_fit(imager, grid, error);
    if (status != NFSAR_OK) {
        return status;
    }
    return imager->method == NFSAR_METHOD_RMA
               ? run_rma(imager, grid, source, image, progress, error)
               : run_bp(imager, grid, source, image, progress, error);
}

void nfsar_imager_destroy(nfsar_imager *imager) {
    if (imager != NULL) {
        nfsar_lattice_free(&imager->lattice);
        free(imager);
    }
}
