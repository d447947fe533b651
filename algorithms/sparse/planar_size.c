/* How many waves a pair of planar.h needs, and whether it can be had at all. */
#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include <nfsar/compensation.h>
#include <nfsar/geometry.h>

#include "algorithms/buffer.h"
#include "algorithms/frequencies.h"
#include "algorithms/sparse/planar_plan.h"

/* Fresnel zones over which the waves fade beyond the steepest that is needed. */
#define ZONES 4.0

/* Of the non-uniform transform and of the planes; the pair is exact whatever they are. */
#define TOLERANCE 1e-4

/* Phases that offsets may be wrong by without planes of their own, rad. */
#define FLAT 1e-3

/* Phases that compensation of baselines may leave, root of the mean square, rad. */
#define LARGEST_BASELINE_ERROR 0.03

/* Tangent of the steepest view: beyond, waves all but graze the plane. */
#define STEEPEST 3.0

/* Voxels of a padded axis. */
#define LONGEST 16384.0

/* Complex numbers that a pair may hold: 4 GiB. */
#define MOST_NUMBERS (512.0 * 1024.0 * 1024.0)

/* Lines whose baselines are looked at. */
#define LINES_LOOKED_AT 200

struct extent {
    double low, high;
};

static struct extent extent_of(const nfsar_axis *axis) {
    return (struct extent){axis->start, nfsar_axis_end(axis)};
}

static struct extent extent_of_values(const double *value, size_t n) {
    struct extent extent;
    frequencies_range(value, n, &extent.low, &extent.high);
    return extent;
}

/* Antennas as they are used: phase centres place[3][n_line]. */
struct antennas {
    nfsar_vec3 *tx, *rx; /* [n_line] */
    double *place[3];
};

static void antennas_free(struct antennas *antennas) {
    free(antennas->tx);
    free(antennas->rx);
    for (int a = 0; a < 3; a++) {
        free(antennas->place[a]);
    }
}

static enum nfsar_status find_antennas(const struct planar *planar, const nfsar_capture *capture,
                                       struct antennas *antennas, nfsar_error *error) {
    size_t n = planar->n_line;
    *antennas = (struct antennas){.tx = malloc(n * sizeof(nfsar_vec3)),
                                  .rx = malloc(n * sizeof(nfsar_vec3))};
    bool good = antennas->tx != NULL && antennas->rx != NULL;
    for (int a = 0; a < 3; a++) {
        antennas->place[a] = malloc(n * sizeof(double));
        good = good && antennas->place[a] != NULL;
    }
    if (!good) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu positions", n);
    }
    enum nfsar_status status = nfsar_capture_antennas(capture, false, 0, capture->n_pulse,
                                                      antennas->tx, antennas->rx, error);
    for (size_t l = 0; status == NFSAR_OK && l < n; l++) {
        nfsar_vec3 at = nfsar_vec3_midpoint(antennas->tx[l], antennas->rx[l]);
        antennas->place[0][l] = at.x;
        antennas->place[1][l] = at.y;
        antennas->place[2][l] = at.z;
    }
    return status;
}

/* Plane, side and offsets; *near and *far receive the depths between positions and voxels. */
static enum nfsar_status find_plane(struct planar *planar, const struct antennas *antennas,
                                    double *near, double *far, nfsar_error *error) {
    struct extent at = extent_of_values(antennas->place[2], planar->n_line);
    struct extent grid = extent_of(&planar->grid.z);
    if (!(grid.low > at.high || grid.high < at.low)) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "antennas at z from %g to %g m lie among the voxels, from %g to %g m",
                          at.low, at.high, grid.low, grid.high);
    }
    planar->plane = 0.5 * (at.low + at.high);
    planar->side = grid.low > at.high ? 1.0 : -1.0;
    *near = grid.low > at.high ? grid.low - at.high : at.low - grid.high;
    *far = *near + (grid.high - grid.low) + (at.high - at.low);
    for (size_t l = 0; l < planar->n_line; l++) {
        planar->away[l] = planar->side * (antennas->place[2][l] - planar->plane);
    }
    return NFSAR_OK;
}

/* What the compensation for the grid's middle leaves at its corners. */
static enum nfsar_status compensate(struct planar *planar, const struct antennas *antennas,
                                    double k_max, nfsar_error *error) {
    struct extent x = extent_of(&planar->grid.x), y = extent_of(&planar->grid.y),
                  z = extent_of(&planar->grid.z);
    nfsar_vec3 middle = {0.5 * (x.low + x.high), 0.5 * (y.low + y.high), 0.5 * (z.low + z.high)};
    size_t every = planar->n_line / LINES_LOOKED_AT + 1, n = 0;
    double sum = 0.0;
    for (size_t l = 0; l < planar->n_line; l++) {
        nfsar_vec3 tx = antennas->tx[l], rx = antennas->rx[l], at = nfsar_vec3_midpoint(tx, rx);
        planar->path[l] =
            nfsar_compensation_path(NFSAR_COMPENSATION_REFERENCE_POINT, tx, rx, middle);
        for (int c = 0; c < 8 && l % every == 0; c++, n++) {
            nfsar_vec3 p = {c & 1 ? x.high : x.low, c & 2 ? y.high : y.low, c & 4 ? z.high : z.low};
            double path = nfsar_vec3_distance(p, tx) + nfsar_vec3_distance(p, rx) -
                          2.0 * nfsar_vec3_distance(p, at);
            sum += pow(k_max * (path - planar->path[l]), 2.0);
        }
    }
    double left = sqrt(sum / (double)n);
    return left <= LARGEST_BASELINE_ERROR
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                            "transmitters and receivers lie so far apart that phases would be "
                            "%.2g rad wrong",
                            left);
}

/* One axis: the steepest waves, the period and its waves. */
static enum nfsar_status size_axis(struct planar_axis *axis, const nfsar_axis *grid,
                                   struct extent at, double near, double far, double k_min,
                                   double k_max, nfsar_error *error) {
    struct extent voxels = extent_of(grid);
    double reach = fmax(fabs(voxels.high - at.low), fabs(at.high - voxels.low));
    double angle = atan(reach / near);
    double turn = NFSAR_PI * ZONES * ZONES * cos(angle) / (2.0 * k_min * near);
    double beyond = angle + acos(fmax(1.0 - turn, 0.0));
    axis->inner = reach / near;
    axis->outer = tan(fmin(beyond, atan(2.0 * STEEPEST)));
    if (axis->inner > STEEPEST) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "voxels are seen more than %.0f degrees aslant",
                          floor(atan(STEEPEST) * 180.0 / NFSAR_PI));
    }
    double period = reach + far * axis->outer + 2.0 * sqrt(NFSAR_PI * far / k_min);
    axis->count = grid->count;
    axis->length = 1;
    if (grid->count > 1) {
        double steps = fmax(ceil(period / grid->step), (double)grid->count);
        if (!(steps < LONGEST)) {
            return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                              "the period of %.3g m is %.3g voxels long", period, steps);
        }
        axis->length = transform_length((size_t)steps);
        period = (double)axis->length * grid->step;
    }
    axis->step = 2.0 * NFSAR_PI / period;
    double sine = axis->outer / sqrt(1.0 + axis->outer * axis->outer);
    axis->half = (size_t)floor(2.0 * k_max * sine / axis->step);
    axis->bins = 2 * axis->half + 1;
    return NFSAR_OK;
}

/* Tables and transforms of one axis. */
static bool prepare_axis(struct planar_axis *axis) {
    axis->place = malloc(axis->bins * sizeof *axis->place);
    for (size_t i = 0; axis->place != NULL && i < axis->bins; i++) {
        long place = ((long)i - (long)axis->half) % (long)axis->length;
        axis->place[i] = (size_t)(place < 0 ? place + (long)axis->length : place);
    }
    if (axis->length > 1) {
        axis->up = transform_plan(axis->length, 1, axis->length, FFTW_BACKWARD);
        axis->down = transform_plan(axis->length, 1, axis->length, FFTW_FORWARD);
    }
    return axis->place != NULL && (axis->length == 1 || (axis->up != NULL && axis->down != NULL));
}

/* Planes for positions off the one in the middle. */
static bool make_planes(struct planar *planar, double k_max) {
    double x = planar->x.outer, y = planar->y.outer, most = 0.0;
    planar->cosine = fmax(1.0 / sqrt(1.0 + x * x + y * y), 0.14);
    double half = k_max * (1.0 - planar->cosine);
    for (size_t l = 0; l < planar->n_line; l++) {
        most = fmax(most, fabs(planar->away[l]));
    }
    if (most * half < FLAT) {
        return true;
    }
    planar->planes =
        exponentials_create(planar->away, planar->n_line, half, TOLERANCE, EXPONENTIALS_CLUSTERED);
    return planar->planes != NULL;
}

static enum nfsar_status prepare_transform(struct planar *planar, const struct antennas *antennas,
                                           nfsar_error *error) {
    double *position[2] = {malloc(planar->n_line * sizeof(double)),
                           malloc(planar->n_line * sizeof(double))};
    enum nfsar_status status = NFSAR_OK;
    if (position[0] == NULL || position[1] == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t l = 0; status == NFSAR_OK && l < planar->n_line; l++) {
        position[0][l] = planar->x.step * (antennas->place[0][l] - planar->grid.x.start);
        position[1][l] = planar->y.step * (antennas->place[1][l] - planar->grid.y.start);
    }
    if (status == NFSAR_OK) {
        nfsar_nufft_options options = nfsar_nufft_defaults();
        options.tolerance = TOLERANCE;
        options.sign = 1;
        options.threads = planar->threads;
        const size_t modes[2] = {planar->x.bins, planar->y.bins};
        const double *const at[2] = {position[0], position[1]};
        status = nfsar_nufft_plan_create(2, modes, planar->n_line, at, PLANAR_BLOCK, &options,
                                         &planar->nufft, error);
    }
    free(position[0]);
    free(position[1]);
    return status;
}

static enum nfsar_status allocate(struct planar *planar, nfsar_error *error) {
    const struct planar_axis *x = &planar->x, *y = &planar->y;
    size_t nz = planar->grid.z.count, threads = (size_t)planar->threads;
    size_t longest = x->length > y->length ? x->length : y->length;
    size_t work = (nz + 1) * x->bins;
    double numbers = (double)nz * (double)x->length * (double)y->length +
                     PLANAR_BLOCK * ((double)x->bins * (double)y->bins + (double)planar->n_line) +
                     (double)threads * (double)work;
    if (!(numbers < MOST_NUMBERS)) {
        return nfsar_fail(
            error, NFSAR_ERROR_MEMORY,
            "%zu x %zu waves at %zu depths are %.3g GiB, above the 4 that they may take", x->bins,
            y->bins, nz, numbers * sizeof(float complex) / (1 << 30));
    }
    planar->work_size = ((work > longest ? work : longest) + 7) / 8 * 8;
    planar->spectrum = buffer_alloc(nz * x->length * y->length, sizeof(float complex));
    planar->modes = buffer_alloc(PLANAR_BLOCK * x->bins * y->bins, sizeof(float complex));
    planar->values = buffer_alloc(PLANAR_BLOCK * planar->n_line, sizeof(float complex));
    planar->work = buffer_alloc(threads * planar->work_size, sizeof(float complex));
    planar->kz = buffer_alloc(threads * x->bins, sizeof(double));
    bool good = planar->spectrum != NULL && planar->modes != NULL && planar->values != NULL &&
                planar->work != NULL && planar->kz != NULL;
    return good ? NFSAR_OK
                : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu x %zu waves",
                             x->bins, y->bins);
}

static enum nfsar_status size(struct planar *planar, const nfsar_capture *capture,
                              struct antennas *antennas, nfsar_error *error) {
    float *taper = NULL;
    double near = 0.0, far = 0.0, k_min = 0.0, k_max = 0.0;
    enum nfsar_status status =
        frequencies_make(capture, NFSAR_WINDOW_RECTANGULAR, &planar->wavenumber, &taper, error);
    free(taper);
    if (status == NFSAR_OK) {
        frequencies_range(planar->wavenumber, planar->n_sample, &k_min, &k_max);
        status = find_antennas(planar, capture, antennas, error);
    }
    if (status == NFSAR_OK) {
        status = find_plane(planar, antennas, &near, &far, error);
    }
    if (status == NFSAR_OK) {
        status = compensate(planar, antennas, k_max, error);
    }
    if (status == NFSAR_OK) {
        status = size_axis(&planar->x, &planar->grid.x,
                           extent_of_values(antennas->place[0], planar->n_line), near, far, k_min,
                           k_max, error);
    }
    if (status == NFSAR_OK) {
        status = size_axis(&planar->y, &planar->grid.y,
                           extent_of_values(antennas->place[1], planar->n_line), near, far, k_min,
                           k_max, error);
    }
    if (status == NFSAR_OK && !make_planes(planar, k_max)) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for planes of positions");
    }
    return status;
}

enum nfsar_status planar_create(const nfsar_capture *capture, const nfsar_grid *grid, int threads,
                                struct planar **planar, nfsar_error *error) {
    struct antennas antennas = {0};
    *planar = NULL;
    struct planar *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    made->grid = *grid;
    made->threads = threads > 0 ? threads : omp_get_max_threads();
    made->n_line = capture->n_pulse * capture->array.n_channel;
    made->n_sample = capture->n_sample;
    made->path = malloc(made->n_line * sizeof *made->path);
    made->away = malloc(made->n_line * sizeof *made->away);
    enum nfsar_status status = made->path != NULL && made->away != NULL
                                   ? size(made, capture, &antennas, error)
                                   : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    if (status == NFSAR_OK && !(prepare_axis(&made->x) && prepare_axis(&made->y))) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for transforms");
    }
    if (status == NFSAR_OK) {
        status = prepare_transform(made, &antennas, error);
    }
    if (status == NFSAR_OK) {
        status = allocate(made, error);
    }
    antennas_free(&antennas);
    if (status != NFSAR_OK) {
        planar_destroy(made);
        return status;
    }
    *planar = made;
    return NFSAR_OK;
}

double planar_seconds(const struct planar *planar) {
    double waves = (double)planar->x.bins * (double)planar->y.bins;
    double lines = (double)planar->n_line, depths = (double)planar->grid.z.count;
    double once = waves * (3.3e-9 * depths + 30e-9) + lines * 100e-9;
    return 2.0 * (double)planar->n_sample * (double)planar_planes(planar) * once;
}

static void axis_free(struct planar_axis *axis) {
    free(axis->place);
    transform_destroy(axis->up);
    transform_destroy(axis->down);
}

void planar_destroy(struct planar *planar) {
    if (planar == NULL) {
        return;
    }
    axis_free(&planar->x);
    axis_free(&planar->y);
    exponentials_destroy(planar->planes);
    nfsar_nufft_plan_destroy(planar->nufft);
    free(planar->wavenumber);
    free(planar->path);
    free(planar->away);
    free(planar->spectrum);
    free(planar->modes);
    free(planar->values);
    free(planar->work);
    free(planar->kz);
    free(planar);
}
