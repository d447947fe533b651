/* Options that cannot be, and grids that no scatterer is found with. */
#include "algorithms/autofocus/phase_gradient.h"

#include <math.h>

#include "algorithms/frequencies.h"

enum { LEAST_FREQUENCIES = 4, LOOKS = 512 };

/* Voxels of more resolution cells than this miss what lies between them. */
#define MOST_CELLS 1.25

static bool is_beside(const nfsar_axis *axis, double at) {
    return at < axis->start - axis->step || at > nfsar_axis_end(axis) + axis->step;
}

/* How fast the phase of an echo changes with the place of its scatterer, k (t + r), runs over some
 * extent in the pulses and frequencies: 2 pi over that is the resolution along an axis. Here for
 * the middle of the grid, and antennas at the poses. */
static nfsar_vec3 resolution_of(const nfsar_capture *capture, const nfsar_grid *grid) {
    const nfsar_vec3 middle = {0.5 * (grid->x.start + nfsar_axis_end(&grid->x)),
                               0.5 * (grid->y.start + nfsar_axis_end(&grid->y)),
                               0.5 * (grid->z.start + nfsar_axis_end(&grid->z))};
    double f[2], low[3] = {INFINITY, INFINITY, INFINITY};
    double high[3] = {-INFINITY, -INFINITY, -INFINITY}, cell[3];
    frequencies_range(capture->frequency_hz, capture->n_sample, &f[0], &f[1]);
    const size_t step = capture->n_pulse / LOOKS + 1;
    for (size_t l = 0; l < capture->n_pulse; l += step) {
        const nfsar_pose pose = nfsar_track_pose(capture->pose_time_s, capture->pose,
                                                 capture->n_pose, capture->time_s[l], NULL);
        const nfsar_vec3 to = nfsar_vec3_subtract(middle, pose.position);
        const nfsar_vec3 sight = nfsar_vec3_scale(to, 1.0 / fmax(nfsar_vec3_norm(to), 1e-9));
        const double along[3] = {sight.x, sight.y, sight.z};
        for (int d = 0; d < 3; d++) {
            for (int b = 0; b < 2; b++) {
                const double turns = 2.0 * f[b] / NFSAR_SPEED_OF_LIGHT * along[d];
                low[d] = fmin(low[d], turns);
                high[d] = fmax(high[d], turns);
            }
        }
    }
    for (int d = 0; d < 3; d++) {
        cell[d] = 1.0 / fmax(high[d] - low[d], 1e-12);
    }
    return (nfsar_vec3){cell[0], cell[1], cell[2]};
}

/* As many voxels as find what is so wide. */
static size_t enough(const nfsar_axis *axis, double cell) {
    return (size_t)fmin(ceil((nfsar_axis_end(axis) - axis->start) / cell), 1e9) + 1;
}

void nfsar_phase_gradient_refine(const nfsar_capture *capture, const bool axes[3], size_t limit,
                                 nfsar_grid *grid) {
    const nfsar_vec3 resolution = resolution_of(capture, grid);
    const double cell[3] = {resolution.x, resolution.y, resolution.z};
    nfsar_grid fine = *grid;
    nfsar_axis *axis[3] = {&fine.x, &fine.y, &fine.z};
    for (int d = 0; d < 3; d++) {
        if (axes[d] && axis[d]->count > 1 && axis[d]->step > MOST_CELLS * cell[d]) {
            const size_t count = enough(axis[d], cell[d]);
            axis[d]->step *= (double)(axis[d]->count - 1) / (double)(count - 1);
            axis[d]->count = count;
        }
    }
    if ((double)fine.x.count * (double)fine.y.count * (double)fine.z.count <= (double)limit) {
        *grid = fine;
    }
}

static enum nfsar_status check_grid(const nfsar_capture *capture, const nfsar_grid *grid,
                                    nfsar_error *error) {
    enum nfsar_status status = nfsar_grid_check(grid, error);
    if (status != NFSAR_OK) {
        return status;
    }
    const nfsar_vec3 resolution = resolution_of(capture, grid);
    const nfsar_axis *axis[3] = {&grid->x, &grid->y, &grid->z};
    const double cell[3] = {resolution.x, resolution.y, resolution.z};
    for (int d = 0; d < 3; d++) {
        const nfsar_axis *a = axis[d];
        const char name = "xyz"[d];
        if (a->count > 1 && a->step > MOST_CELLS * cell[d]) {
            return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                              "voxels %.3g mm apart along %c miss scatterers that are %.3g mm wide "
                              "there: give --%c=%.4g:%.4g:%zu, or a smaller part with something "
                              "bright",
                              1e3 * a->step, name, 1e3 * cell[d], name, a->start, nfsar_axis_end(a),
                              enough(a, cell[d]));
        }
    }
    return NFSAR_OK;
}

static enum nfsar_status check_numbers(const nfsar_phase_gradient_options *o, nfsar_error *error) {
    if (o->scatterers < 1 || o->scatterers > PHASE_MOST_SCATTERERS) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "%zu scatterers: --scatterers 1 to %d",
                          o->scatterers, PHASE_MOST_SCATTERERS);
    }
    if (o->rounds < 1) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "0 rounds: 1 is the least");
    }
    if (!(o->near_m >= 0.0) || !(o->far_m >= 0.0) || !isfinite(o->far_m) ||
        (o->far_m > 0.0 && !(o->near_m < o->far_m))) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "a gate from %g to %g m: --gate MIN:MAX of ranges, in metres", o->near_m,
                          o->far_m);
    }
    if (!(o->search_m >= 0.0) || !isfinite(o->search_m)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "a search of %g m: --search M, metres of range above 0", o->search_m);
    }
    return NFSAR_OK;
}

enum nfsar_status phase_gradient_check(const nfsar_capture *capture,
                                       const nfsar_phase_gradient_options *options,
                                       nfsar_error *error) {
    if (capture->n_pulse < PHASE_LEAST_PULSES || capture->n_sample < LEAST_FREQUENCIES) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "%zu pulses of %zu frequencies: phase-gradient autofocus wants %d of %d",
                          capture->n_pulse, capture->n_sample, PHASE_LEAST_PULSES,
                          LEAST_FREQUENCIES);
    }
    enum nfsar_status status = check_numbers(options, error);
    if (status == NFSAR_OK) {
        status = check_grid(capture, &options->grid, error);
    }
    if (status != NFSAR_OK || !options->has_point) {
        return status;
    }
    const nfsar_vec3 p = options->point;
    if (!(isfinite(p.x) && isfinite(p.y) && isfinite(p.z))) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "the point is not finite");
    }
    if (is_beside(&options->grid.x, p.x) || is_beside(&options->grid.y, p.y) ||
        is_beside(&options->grid.z, p.z)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "the point (%g, %g, %g) m is outside the grid that is to become sharp: "
                          "are its coordinates metres? Or give --x, --y and --z round it",
                          p.x, p.y, p.z);
    }
    return NFSAR_OK;
}
