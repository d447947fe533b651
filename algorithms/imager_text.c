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
    default:
        snprintf(text, size, "precision=%s window=%s tolerance=%g",
                 use->bp.precision == NFSAR_BP_DOUBLE ? "double" : "single",
                 nfsar_window_name(use->bp.frequency_window), use->bp.tolerance);
    }
}
