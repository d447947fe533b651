/* What an imager says of itself. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "algorithms/imager.h"

void imager_describe_lattice(nfsar_imager *imager) {
    const nfsar_lattice *lattice = &imager->lattice;
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
    snprintf(imager->reason, sizeof imager->reason,
             "the positions are a planar lattice, %s: %zu x %zu places, %s%s", away,
             lattice->x.count, lattice->y.count, steps, shifts);
}

void imager_describe_offsets(nfsar_imager *imager) {
    const nfsar_nurma_report *report = &imager->report;
    double most = fmax(report->highest_z - report->plane, report->plane - report->lowest_z);
    double degrees = report->boresight_rad * 180.0 / NFSAR_PI;
    char off[96] = "lie in one plane";
    if (most > 1e-9) {
        snprintf(off, sizeof off, "lie up to %.3g mm off the plane z = %.4g m", 1e3 * most,
                 report->plane);
    }
    snprintf(imager->reason, sizeof imager->reason,
             "the positions are irregular and %s, for which compensation at boresight (empm) is "
             "wrong by up to %.*f degrees at the aperture's edge",
             off, degrees < 10.0 ? 1 : 0, degrees);
}

const char *imager_degrees(double degrees) {
    return fabs(degrees - 1.0) < 1e-4 ? "degree" : "degrees";
}

/* How the angles lie: "a full circle of 360 angles, in steps of 1 degree". */
static void describe_angles(const nfsar_cylinder *cylinder, char *text, size_t size) {
    const double degree = NFSAR_PI / 180.0;
    char arc[48] = "a full circle of", apart[80];
    if (cylinder->span_rad < 2.0 * NFSAR_PI - 1e-9) {
        snprintf(arc, sizeof arc, "%.4g degrees in", cylinder->span_rad / degree);
    }
    if (cylinder->step_rad > 0.0) {
        double step = cylinder->step_rad / degree;
        snprintf(apart, sizeof apart, "in steps of %.4g %s", step, imager_degrees(step));
    } else {
        snprintf(apart, sizeof apart, "unevenly, up to %.3g degrees apart",
                 cylinder->largest_gap_rad / degree);
    }
    snprintf(text, size, "%s %zu angles, %s", arc, cylinder->places, apart);
}

/* Coordinates that are nothing but rounding are 0. */
static double tidy(double coordinate) {
    return fabs(coordinate) < 1e-9 ? 0.0 : coordinate;
}

void imager_describe_cylinder(nfsar_imager *imager) {
    const nfsar_cylinder *cylinder = &imager->cylinder;
    char angles[160], heights[80], away[48] = "exactly";
    describe_angles(cylinder, angles, sizeof angles);
    if (cylinder->high_y - cylinder->low_y > 1e-9) {
        snprintf(heights, sizeof heights, "heights from %.4g to %.4g m", tidy(cylinder->low_y),
                 tidy(cylinder->high_y));
    } else {
        snprintf(heights, sizeof heights, "height %.4g m", tidy(cylinder->low_y));
    }
    if (cylinder->deviation > 1e-9) {
        snprintf(away, sizeof away, "to within %.2g mm", 1e3 * cylinder->deviation);
    }
    snprintf(imager->reason, sizeof imager->reason,
             "the positions go round the axis x = %.4g, z = %.4g m at a radius of %.4g m, %s: %s, "
             "%s",
             tidy(cylinder->axis.x), tidy(cylinder->axis.z), cylinder->radius, away, angles,
             heights);
}

void imager_describe_error(nfsar_imager *imager) {
    size_t used = strlen(imager->reason), n = imager->patches;
    double percent = 100.0 * imager->expected_error;
    char patches[80] = "";
    if (n > 1) {
        snprintf(patches, sizeof patches, "; in %zu x %zu patches, each with a reference", n, n);
    }
    snprintf(imager->reason + used, sizeof imager->reason - used, "%s; expected error %.*f %%",
             patches,
             percent < 1.0    ? 2
             : percent < 10.0 ? 1
                              : 0,
             percent);
}

void imager_describe_options(nfsar_imager *imager) {
    const nfsar_method_options *use = &imager->use;
    char *text = imager->options;
    size_t size = sizeof imager->options;
    switch (imager->method) {
    case NFSAR_METHOD_RMA:
        snprintf(text, size, "compensation=%s window=%s aperture-window=%s tolerance=%g margin=%g",
                 nfsar_compensation_name(use->rma.compensation),
                 nfsar_window_name(use->rma.frequency_window),
                 nfsar_window_name(use->rma.aperture_window), use->rma.tolerance, use->rma.margin);
        break;
    case NFSAR_METHOD_EMPM:
    case NFSAR_METHOD_NURMA:
        snprintf(text, size, "compensation=%s window=%s aperture-window=%s tolerance=%g plane=%g",
                 nfsar_compensation_name(use->nurma.compensation),
                 nfsar_window_name(use->nurma.frequency_window),
                 nfsar_window_name(use->nurma.aperture_window), use->nurma.tolerance,
                 imager->fitted ? imager->report.plane : use->nurma.plane);
        break;
    case NFSAR_METHOD_CSAR:
        snprintf(text, size,
                 "compensation=%s window=%s tolerance=%g views=%s axis=%.9g,%.9g radius=%.9g",
                 nfsar_compensation_name(use->csar.compensation),
                 nfsar_window_name(use->csar.frequency_window), use->csar.tolerance,
                 use->csar.equal_views ? "equal" : "all", imager->cylinder.axis.x,
                 imager->cylinder.axis.z, imager->cylinder.radius);
        break;
    default:
        snprintf(text, size, "precision=%s window=%s tolerance=%g",
                 use->bp.precision == NFSAR_BP_DOUBLE ? "double" : "single",
                 nfsar_window_name(use->bp.frequency_window), use->bp.tolerance);
    }
}
