/* Whether a grid suits the method, and which method suits it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <nfsar/range.h>

#include "algorithms/imager.h"
#include "algorithms/residue.h"
#include "algorithms/rma_plan.h"

/* Where the phase at the aperture's edge is right to this, radians, compensation at boresight is as
 * good as exact offsets. */
#define BORESIGHT_SUFFICES (3.0 * NFSAR_PI / 180.0)

/* Wrong by more than this, images lose their resolution. */
#define BORESIGHT_WARNS (45.0 * NFSAR_PI / 180.0)

/* Backprojection's updates that one processor makes in a second, and seconds below which irregular
 * positions are never worth their transforms. */
#define UPDATES_PER_SECOND 1.2e9
#define LEAST_SECONDS      0.4

/* Most patches along an axis, and backprojection's updates that one costs. */
#define MOST_PATCHES  16
#define PATCH_UPDATES 3e8

/* Patches of one band by the method in use; those at the corners and in the middle differ most. */
static double expect_band(const nfsar_imager *imager, const nfsar_grid *band) {
    bool lattice = imager->method == NFSAR_METHOD_RMA;
    const nfsar_method_options *use = &imager->use;
    enum nfsar_compensation model = lattice ? use->rma.compensation : use->nurma.compensation;
    nfsar_vec3 wanted = lattice ? use->rma.reference : use->nurma.reference;
    size_t n = imager->patches, last = n - 1;
    const size_t some[5] = {0, last, last * n, last * n + last, n / 2 * n + n / 2};
    double least = 1.0;
    for (size_t i = 0; i < 5; i++) {
        size_t x, y;
        nfsar_grid patch = imager_patch(imager, band, some[i], &x, &y);
        if (patch.x.count > 0 && patch.y.count > 0) {
            nfsar_vec3 at = imager_reference(imager, &patch, wanted);
            least = fmin(least, residue_correlation(imager->capture, &patch, model, at));
        }
    }
    return least;
}

/* A grid or a band of it by the method in use. */
static enum nfsar_status check_grid(const nfsar_imager *imager, const nfsar_grid *grid,
                                    nfsar_nurma_report *report, nfsar_error *error) {
    if (imager->method == NFSAR_METHOD_RMA) {
        return nfsar_rma_check(imager->capture, &imager->lattice, grid, &imager->use.rma, error);
    }
    nfsar_nurma_options options = imager_nurma(imager);
    enum nfsar_status status = nfsar_nurma_check(imager->capture, grid, &options, report, error);
    report->seconds *= (double)(imager->patches * imager->patches);
    return status;
}

/* Everything that range migration needs of the grid, band by band; *correlation receives the
 * smallest that is to be expected. */
static enum nfsar_status try_migration(nfsar_imager *imager, double *correlation,
                                       nfsar_error *error) {
    const nfsar_grid *grid = &imager->whole;
    nfsar_nurma_report *all = &imager->report;
    enum nfsar_status status = check_grid(imager, grid, all, error);
    *correlation = 1.0;
    if (status != NFSAR_OK && status != NFSAR_ERROR_MEMORY) {
        return status;
    }
    size_t n = 0;
    nfsar_grid part = imager_band(imager, grid, 0, &n);
    if (n == grid->z.count) {
        *correlation = expect_band(imager, &part);
        return status;
    }
    /* Bands may fit where the whole does not. */
    all->boresight_rad = all->seconds = 0.0;
    status = NFSAR_OK;
    for (size_t first = 0; status == NFSAR_OK && first < grid->z.count; first += n) {
        nfsar_nurma_report band = {0};
        part = imager_band(imager, grid, first, &n);
        status = check_grid(imager, &part, &band, error);
        all->boresight_rad = fmax(all->boresight_rad, band.boresight_rad);
        all->seconds += band.seconds;
        *correlation = fmin(*correlation, expect_band(imager, &part));
    }
    return status;
}

/* Pairs of a voxel and a line of samples. */
static double count_updates(const nfsar_imager *imager) {
    return (double)nfsar_grid_voxels(&imager->whole) * (double)imager->capture->n_pulse *
           (double)imager->capture->array.n_channel;
}

/* Everything again with as few patches as make the image like the exact one, as long as they cost
 * less than backprojection. */
static enum nfsar_status try_patches(nfsar_imager *imager, double *correlation,
                                     nfsar_error *error) {
    double updates = count_updates(imager);
    imager->patches = imager->use.patches > 0 ? imager->use.patches : 1;
    enum nfsar_status status = try_migration(imager, correlation, error);
    while (status == NFSAR_OK && *correlation < IMAGER_LEAST_CORRELATION &&
           imager->use.patches == 0 && imager->patches < MOST_PATCHES &&
           updates > PATCH_UPDATES * 8.0 * pow((double)imager->patches, 3.0)) {
        imager->patches *= 2;
        status = try_migration(imager, correlation, error);
    }
    if (*correlation < IMAGER_LEAST_CORRELATION && imager->use.patches == 0 &&
        imager->patches > 1) {
        /* Patches that do not get there are not worth their cost. */
        imager->patches = 1;
        status = try_migration(imager, correlation, error);
    }
    return status;
}

/* Bounds of the phase centres along one axis. */
static void bounds(const nfsar_imager *imager, int axis, double *low, double *high) {
    const nfsar_capture *capture = imager->capture;
    if (imager->method == NFSAR_METHOD_RMA) {
        const nfsar_lattice_axis *places = axis != 0 ? &imager->lattice.y : &imager->lattice.x;
        *low = places->first;
        *high = places->first + places->step * (double)(places->count - 1);
        return;
    }
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t i = 0; i < capture->n_pose; i++) {
        nfsar_vec3 at = capture->pose[i].position;
        *low = fmin(*low, axis != 0 ? at.y : at.x);
        *high = fmax(*high, axis != 0 ? at.y : at.x);
    }
}

/* Largest lateral distance between aperture and grid over the smallest depth: tangent of the
 * steepest angle. */
static double steepest(const nfsar_imager *imager) {
    double most = 0.0;
    for (int axis = 0; axis < 2; axis++) {
        const nfsar_axis *grid = axis != 0 ? &imager->whole.y : &imager->whole.x;
        double low, high;
        bounds(imager, axis, &low, &high);
        most = fmax(most, fmax(nfsar_axis_end(grid) - low, high - grid->start));
    }
    return most / imager_nearest(imager);
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
    /* Behind a range gate the steps tell its own ranges apart, wherever it is. */
    bool gated = imager->capture->gated.range_m[1] > 0.0;
    if (!gated && away > limit) {
        snprintf(imager->warning, sizeof imager->warning,
                 "the grid begins %.3g m from the radar, but these frequency steps tell ranges "
                 "apart only up to %.3g m; coordinates are metres",
                 away, limit);
    }
}

static double steepest_limit(void) {
    return RMA_LARGEST_SINE / sqrt(1.0 - RMA_LARGEST_SINE * RMA_LARGEST_SINE);
}

/* AUTO with so little to do that the exact way is as fast. */
static enum nfsar_status weigh_cost(const nfsar_imager *imager, nfsar_error *why) {
    bool round = imager->method == NFSAR_METHOD_CSAR;
    double seconds = count_updates(imager) / UPDATES_PER_SECOND;
    double needed = round ? imager->turn.seconds : imager->report.seconds;
    if (imager->wanted != NFSAR_METHOD_AUTO || imager->method == NFSAR_METHOD_RMA ||
        seconds > fmax(needed, LEAST_SECONDS)) {
        return NFSAR_OK;
    }
    return nfsar_fail(why, NFSAR_ERROR_GEOMETRY,
                      "the positions are %s, and so few for this grid that exact "
                      "backprojection is the fastest: about %.1g s of one processor",
                      round ? "on a cylinder" : "irregular", seconds < 0.01 ? 0.01 : seconds);
}

/* Reasons why an image that can be made would not be right. */
static enum nfsar_status judge(const nfsar_imager *imager, double correlation, nfsar_error *why) {
    double limit = steepest_limit();
    if (steepest(imager) > limit) {
        return nfsar_fail(why, NFSAR_ERROR_GEOMETRY,
                          "parts of the grid are seen more than %.0f degrees aslant, which range "
                          "migration leaves out",
                          floor(atan(limit) * 180.0 / NFSAR_PI));
    }
    if (correlation < IMAGER_LEAST_CORRELATION) {
        return nfsar_fail(why, NFSAR_ERROR_GEOMETRY,
                          "transmitters and receivers lie so far apart that range migration "
                          "would be only %.2f like exact imaging",
                          correlation);
    }
    if (imager->method == NFSAR_METHOD_EMPM && imager->report.boresight_rad > BORESIGHT_WARNS) {
        return nfsar_fail(why, NFSAR_ERROR_GEOMETRY,
                          "phases at the aperture's edge are up to %.0f degrees wrong, by offsets "
                          "from the plane that empm compensates at boresight; nurma does at every "
                          "angle",
                          imager->report.boresight_rad * 180.0 / NFSAR_PI);
    }
    return NFSAR_OK;
}

/* Error of the image that the approximations in use make: phases that are off by phi rad, spread
 * evenly up to the largest, err by phi / sqrt(3). */
static void expect_error(nfsar_imager *imager, double correlation) {
    double baselines = sqrt(2.0 * fmax(0.0, 1.0 - correlation)), offsets = 0.0, tolerance = 0.0;
    switch (imager->method) {
    case NFSAR_METHOD_RMA:
        tolerance = fmax(imager->use.rma.tolerance, 2e-3);
        break;
    case NFSAR_METHOD_EMPM:
        offsets = fmin(imager->report.boresight_rad / sqrt(3.0), sqrt(2.0));
        tolerance = imager->use.nurma.tolerance;
        break;
    case NFSAR_METHOD_NURMA:
        tolerance = imager->use.nurma.tolerance;
        break;
    default:
        imager->expected_error = 0.0;
        return;
    }
    /* What is left out may be most of what a voxel gets. */
    double cut = steepest(imager) > steepest_limit() ? 1.0 : 0.0;
    imager->expected_error = fmin(hypot(hypot(baselines, offsets), hypot(tolerance, cut)), 1.0);
}

/* AUTO with irregular positions: empm where that is as good. */
static void choose_offsets(nfsar_imager *imager) {
    if (imager->wanted == NFSAR_METHOD_AUTO && imager->method == NFSAR_METHOD_NURMA &&
        imager->report.boresight_rad < BORESIGHT_SUFFICES) {
        imager->method = NFSAR_METHOD_EMPM;
    }
}

/* Csar, where it can make the grid and is worth it. */
static enum nfsar_status fit_cylinder(nfsar_imager *imager, nfsar_error *why) {
    size_t warned = strlen(imager->warning);
    enum nfsar_status status = imager_fit_cylinder(imager, why);
    status = status == NFSAR_OK ? weigh_cost(imager, why) : status;
    if (status != NFSAR_OK) {
        imager->warning[warned] = '\0';
    }
    return status;
}

/* AUTO has nothing else left: csar for an arc that was too short to come first, or bp. */
static void fall_back(nfsar_imager *imager, const nfsar_error *round, const nfsar_error *why) {
    nfsar_error ignored = {0};
    bool tried = round->message[0] != '\0';
    if (imager->has_cylinder && !tried && fit_cylinder(imager, &ignored) == NFSAR_OK) {
        return;
    }
    imager->method = NFSAR_METHOD_BP;
    imager->expected_error = 0.0;
    if (imager->has_cylinder) {
        imager_warn_of_angles(imager); /* which is of the scan, not of the method */
    }
    snprintf(imager->reason, sizeof imager->reason, "%s", tried ? round->message : why->message);
}

/* Range migration, or for AUTO what is left; `round` says why csar was not taken. */
static enum nfsar_status fit_migration(nfsar_imager *imager, const nfsar_error *round,
                                       nfsar_error *error) {
    nfsar_error why = {0};
    double correlation = 1.0;
    enum nfsar_status status = try_patches(imager, &correlation, &why);
    if (status == NFSAR_ERROR_ARGUMENT) {
        /* An option that is wrong: AUTO must not go another way as if it had not been given. */
        return nfsar_fail(error, status, "%s: %s", nfsar_method_name(imager->method), why.message);
    }
    if (status != NFSAR_OK && imager->wanted != NFSAR_METHOD_AUTO) {
        return nfsar_fail(error, status, "%s: %s; --method bp has no such limit",
                          nfsar_method_name(imager->wanted), why.message);
    }
    if (status == NFSAR_OK) {
        choose_offsets(imager);
        status = judge(imager, correlation, &why);
        status = status == NFSAR_OK ? weigh_cost(imager, &why) : status;
    }
    if (status != NFSAR_OK && imager->wanted == NFSAR_METHOD_AUTO) {
        fall_back(imager, round, &why);
        return NFSAR_OK;
    }
    if (status != NFSAR_OK) {
        snprintf(imager->warning, sizeof imager->warning, "%.250s", why.message);
    }
    if (imager->method == NFSAR_METHOD_RMA) {
        imager_describe_lattice(imager);
    } else {
        imager_describe_offsets(imager);
    }
    expect_error(imager, correlation);
    imager_describe_error(imager);
    if (round->message[0] != '\0') {
        size_t used = strlen(imager->reason);
        snprintf(imager->reason + used, sizeof imager->reason - used, "; not csar: %.240s",
                 round->message);
    }
    return NFSAR_OK;
}

/* What was asked for, or for AUTO what suits the grid. */
static enum nfsar_status settle(nfsar_imager *imager, nfsar_error *error) {
    nfsar_error round = {0};
    if (imager->wanted == NFSAR_METHOD_AUTO) {
        /* Another grid may have been fitted before. */
        imager->method = imager_first(imager);
    }
    if (imager->method == NFSAR_METHOD_CSAR) {
        enum nfsar_status status = fit_cylinder(imager, &round);
        if (status == NFSAR_OK) {
            return NFSAR_OK;
        }
        if (status == NFSAR_ERROR_ARGUMENT) {
            return nfsar_fail(error, status, "csar: %s", round.message);
        }
        if (imager->wanted != NFSAR_METHOD_AUTO) {
            return nfsar_fail(error, status, "csar: %s; --method bp has no such limit",
                              round.message);
        }
        imager->method = NFSAR_METHOD_NURMA;
    }
    return imager_migrates(imager->method) ? fit_migration(imager, &round, error) : NFSAR_OK;
}

enum nfsar_status nfsar_imager_fit(nfsar_imager *imager, const nfsar_grid *grid,
                                   nfsar_error *error) {
    enum nfsar_status status = nfsar_grid_check(grid, error);
    imager->fitted = false;
    if (status == NFSAR_OK && imager->use.patches > MOST_PATCHES) {
        status =
            nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "patches %zu: 16 at most", imager->use.patches);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    imager->whole = *grid;
    imager->warning[0] = '\0';
    warn_of_distance(imager);
    status = settle(imager, error);
    imager->fitted = status == NFSAR_OK;
    imager_describe_options(imager);
    return status;
}
