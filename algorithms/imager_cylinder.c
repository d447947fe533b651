/* Scans that go round their target: whether csar suits one and its grid, what to say of it, and
 * running it. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "algorithms/compensate_cylinder.h"
#include "algorithms/imager.h"
#include "algorithms/residue.h"

/* Shorter arcs are imaged as well by range migration, where the grid lies before the antennas. */
#define ROUND_ENOUGH (60.0 * NFSAR_PI / 180.0)

/* Phases that are wrong by so much at most, and evenly less, correlate by 0.98. */
#define MOST_PHASE 0.35

/* Waves that come steeper, seen from the horizontal, begin to be left out. */
#define STEEPEST (77.0 * NFSAR_PI / 180.0)

/* A gap of so many steps, the usual or the wanted ones, is a hole in the arc. */
#define HOLE 4.0

/* Wider steps may suffice for a small grid, but gaps like that are missed in any image. */
#define WIDE_STEP (2.0 * NFSAR_PI / 180.0)

static double degrees(double radians) {
    return radians * 180.0 / NFSAR_PI;
}

enum nfsar_status imager_find_cylinder(nfsar_imager *imager, nfsar_error *error) {
    nfsar_error why = {0};
    enum nfsar_status status = nfsar_cylinder_detect(imager->capture, 0.0, &imager->cylinder, &why);
    imager->has_cylinder = status == NFSAR_OK;
    if (status == NFSAR_ERROR_GEOMETRY && imager->wanted != NFSAR_METHOD_CSAR) {
        return NFSAR_OK;
    }
    if (status != NFSAR_OK) {
        return nfsar_fail(error, status, "csar: %s; --method bp has no such limit", why.message);
    }
    imager_describe_cylinder(imager);
    return NFSAR_OK;
}

bool imager_goes_round(const nfsar_imager *imager) {
    return imager->has_cylinder && imager->cylinder.span_rad > ROUND_ENOUGH - 1e-6;
}

/* Options with the reference that all parts of the grid share. */
static nfsar_csar_options options_of(const nfsar_imager *imager) {
    nfsar_csar_options options = imager->use.csar;
    options.reference =
        compensate_cylinder_reference(options.reference, &imager->cylinder, &imager->whole);
    return options;
}

/* Reasons why an image that can be made would not be right. */
static enum nfsar_status judge(const nfsar_imager *imager, double correlation, nfsar_error *why) {
    if (correlation < IMAGER_LEAST_CORRELATION) {
        return nfsar_fail(why, NFSAR_ERROR_GEOMETRY,
                          "transmitters and receivers lie so far apart that csar would be only "
                          "%.2f like exact imaging",
                          fmax(correlation, 0.0));
    }
    if (imager->turn.deviation_rad > MOST_PHASE) {
        return nfsar_fail(why, NFSAR_ERROR_GEOMETRY,
                          "phases are up to %.0f degrees wrong by positions up to %.2g mm off the "
                          "cylinder, which csar compensates at boresight",
                          degrees(imager->turn.deviation_rad), 1e3 * imager->cylinder.deviation);
    }
    if (imager->turn.steepest_rad > STEEPEST) {
        return nfsar_fail(why, NFSAR_ERROR_GEOMETRY,
                          "parts of the grid are seen up to %.0f degrees aslant from above or "
                          "below, and beyond %.0f csar leaves waves out",
                          degrees(imager->turn.steepest_rad), degrees(STEEPEST));
    }
    return NFSAR_OK;
}

static void expect_error(nfsar_imager *imager, double correlation) {
    double baselines = sqrt(2.0 * fmax(0.0, 1.0 - correlation));
    double positions = fmin(imager->turn.deviation_rad / sqrt(3.0), sqrt(2.0));
    /* phi^2 / 2 of the waves' slopes, which few pairs have to the full: a tenth of that in the
     * mean (docs/theory/cylindrical-compensation.md). */
    double slopes = 0.05 * imager->turn.slope_rad * imager->turn.slope_rad;
    double pairs = hypot(baselines, slopes);
    /* What is left out may be most of what a voxel gets. */
    double cut = imager->turn.steepest_rad > STEEPEST ? 1.0 : 0.0;
    imager->expected_error =
        fmin(hypot(hypot(pairs, positions), hypot(imager->use.csar.tolerance, cut)), 1.0);
}

__attribute__((format(printf, 2, 3))) static void warn(nfsar_imager *imager, const char *format,
                                                       ...) {
    size_t used = strlen(imager->warning), size = sizeof imager->warning;
    va_list arguments;
    if (used > 0) {
        used += (size_t)snprintf(imager->warning + used, size - used, "; ");
    }
    va_start(arguments, format);
    if (used < size) {
        vsnprintf(imager->warning + used, size - used, format, arguments);
    }
    va_end(arguments);
}

/* Between angles if they were even. */
static double mean_step(const nfsar_cylinder *cylinder) {
    bool full = cylinder->span_rad > 2.0 * NFSAR_PI - 1e-9;
    return cylinder->span_rad / (double)(full ? cylinder->places : cylinder->places - 1);
}

/* How far from the axis targets may be for this step, given what `farthest_m` wants: wanted steps
 * go as hypot(R0, r) / (R0 r). */
static double sampled_up_to(const nfsar_cylinder *cylinder, const nfsar_csar_report *turn,
                            double step) {
    double radius = cylinder->radius, r = turn->farthest_m;
    double across = radius * r / hypot(radius, r) * turn->angle_step_rad / step;
    return across < radius ? radius * across / sqrt(radius * radius - across * across) : radius;
}

void imager_warn_of_angles(nfsar_imager *imager) {
    const nfsar_cylinder *cylinder = &imager->cylinder;
    const nfsar_csar_report *turn = &imager->turn;
    if (!(turn->angle_step_rad > 0.0)) {
        return;
    }
    bool even = cylinder->step_rad > 0.0;
    double step = even ? cylinder->step_rad : mean_step(cylinder);
    if (step > turn->angle_step_rad * (1.0 + 1e-9)) {
        warn(imager,
             "the angles step by %s%.3g %s, and voxels up to %.3g m from the axis want %.3g: "
             "targets more than %.3g m from it show again in other places, and voxels farther out "
             "than that show others again",
             even ? "" : "an average of ", degrees(step), imager_degrees(degrees(step)),
             turn->farthest_m, degrees(turn->angle_step_rad), sampled_up_to(cylinder, turn, step));
    }
    /* Uneven angles have wide gaps; where they are as dense as need be, these do no harm. */
    if (cylinder->largest_gap_rad > HOLE * fmax(step, fmin(turn->angle_step_rad, WIDE_STEP))) {
        warn(imager,
             "between two angles there is a gap of %.3g degrees: side lobes, and less resolution "
             "across it",
             degrees(cylinder->largest_gap_rad));
    }
}

enum nfsar_status imager_fit_cylinder(nfsar_imager *imager, nfsar_error *why) {
    const nfsar_csar_options options = options_of(imager);
    imager->method = NFSAR_METHOD_CSAR;
    imager->patches = 1;
    imager->turn = (nfsar_csar_report){0};
    enum nfsar_status status = nfsar_csar_check(imager->capture, &imager->cylinder, &imager->whole,
                                                &options, &imager->turn, why);
    if (status != NFSAR_OK) {
        return status;
    }
    double correlation = residue_on_cylinder(imager->capture, &imager->cylinder, &imager->whole,
                                             options.compensation, options.reference);
    nfsar_error flaw = {0};
    status = judge(imager, correlation, &flaw);
    if (status != NFSAR_OK && imager->wanted == NFSAR_METHOD_AUTO) {
        return nfsar_fail(why, status, "%s", flaw.message);
    }
    if (status != NFSAR_OK) {
        warn(imager, "%s", flaw.message);
    }
    imager_warn_of_angles(imager);
    expect_error(imager, correlation);
    imager_describe_cylinder(imager);
    imager_describe_error(imager);
    return NFSAR_OK;
}

enum nfsar_status imager_run_cylinder(const nfsar_imager *imager, const nfsar_grid *part,
                                      const nfsar_echo_source *source, float complex *image,
                                      const nfsar_progress *progress, nfsar_error *error) {
    const nfsar_csar_options options = options_of(imager);
    nfsar_csar_plan *plan = NULL;
    enum nfsar_status status =
        nfsar_csar_plan_create(imager->capture, &imager->cylinder, part, &options, &plan, error);
    if (status == NFSAR_OK) {
        status = nfsar_csar_execute(plan, source, image, progress, error);
    }
    nfsar_csar_plan_destroy(plan);
    return status;
}
