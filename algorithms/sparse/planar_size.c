/* How many waves a pair of planar.h needs, and whether it can be had at all. */
#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include "algorithms/buffer.h"
#include "algorithms/frequencies.h"
#include "algorithms/sparse/planar_plan.h"

/* Error of the operator that the end of the spectrum may make, and the Fresnel zones over which the
 * waves fade beyond the steepest that is needed. */
#define END_ERROR   1.5e-4
#define LEAST_ZONES 1.5
#define MOST_ZONES  4.0

/* Phases that offsets may be wrong by without planes of their own, rad. */
#define FLAT 1e-3

/* Tangent of the steepest view: beyond, waves all but graze the plane. */
#define STEEPEST 3.0

/* Voxels of a padded axis. */
#define LONGEST 16384.0

static struct planar_extent extent_of_values(const double *value, size_t n) {
    struct planar_extent extent;
    frequencies_range(value, n, &extent.low, &extent.high);
    return extent;
}

static void antennas_free(struct planar_antennas *antennas) {
    free(antennas->tx);
    free(antennas->rx);
    for (int a = 0; a < 3; a++) {
        free(antennas->place[a]);
    }
}

static enum nfsar_status find_antennas(const struct planar *planar, const nfsar_capture *capture,
                                       struct planar_antennas *antennas, nfsar_error *error) {
    size_t n = planar->n_line;
    *antennas = (struct planar_antennas){.tx = malloc(n * sizeof(nfsar_vec3)),
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
    for (int a = 0; status == NFSAR_OK && a < 3; a++) {
        antennas->at[a] = extent_of_values(antennas->place[a], n);
    }
    return status;
}

/* Plane, side and offsets, and the depths between positions and voxels. */
static enum nfsar_status find_plane(struct planar *planar, const struct planar_antennas *antennas,
                                    nfsar_error *error) {
    struct planar_extent at = antennas->at[2], grid = planar_extent_of(&planar->grid.z);
    if (!(grid.low > at.high || grid.high < at.low)) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "antennas at z from %g to %g m lie among the voxels, from %g to %g m",
                          at.low, at.high, grid.low, grid.high);
    }
    planar->plane = 0.5 * (at.low + at.high);
    planar->side = grid.low > at.high ? 1.0 : -1.0;
    planar->near = grid.low > at.high ? grid.low - at.high : at.low - grid.high;
    planar->far = planar->near + (grid.high - grid.low) + (at.high - at.low);
    for (size_t l = 0; l < planar->n_line; l++) {
        planar->away[l] = planar->side * (antennas->place[2][l] - planar->plane);
    }
    return NFSAR_OK;
}

/* ---- one axis ---- */

/* Where grid and scan are wide, few pairs are at the edge, where what the end of the spectrum
 * misses is 10^-(0.347 + 0.250 M + 0.151 M^2) after M zones (algorithms/nurma_size.c). */
static double zones_for(double angle, double near, double k_min, double scan, double wide) {
    double zone = 0.5 * sqrt(NFSAR_PI * near / k_min) * pow(cos(angle), -1.5);
    double share = zone / fmax(zone, scan) * zone / fmax(zone, wide);
    double power = fmax(log10(1.9 * pow(share, 0.75) / END_ERROR) - 0.347, 0.0);
    double zones = (sqrt(0.250 * 0.250 + 4.0 * 0.151 * power) - 0.250) / (2.0 * 0.151);
    return fmin(fmax(zones, LEAST_ZONES), MOST_ZONES);
}

/* The steepest waves, the period and its waves. */
static enum nfsar_status size_axis(struct planar_axis *axis, const nfsar_axis *grid,
                                   struct planar_extent at, const struct planar *planar,
                                   nfsar_error *error) {
    struct planar_extent voxels = planar_extent_of(grid);
    double near = planar->near, far = planar->far, k_min = planar->k_min;
    double reach = fmax(fabs(voxels.high - at.low), fabs(at.high - voxels.low));
    double angle = atan(reach / near);
    double zones = zones_for(angle, near, k_min, at.high - at.low, voxels.high - voxels.low);
    double turn = NFSAR_PI * zones * zones * cos(angle) / (2.0 * k_min * near);
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
    axis->half = (size_t)floor(2.0 * planar->k_max * sine / axis->step);
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
        size_t distance = (axis->length + 7) / 8 * 8;
        axis->up = transform_plan(axis->length, 1, distance, FFTW_BACKWARD);
        axis->down = transform_plan(axis->length, 1, distance, FFTW_FORWARD);
    }
    return axis->place != NULL && (axis->length == 1 || (axis->up != NULL && axis->down != NULL));
}

/* ---- a part ---- */

/* Of k_z, half its range: what offsets from the plane are multiplied by. */
static double half_band(const struct planar *planar, const struct planar_part *part) {
    return planar->k_max * (1.0 - part->cosine);
}

/* Waves of a part, and how many planes it will have at least. Takes no memory. */
static enum nfsar_status size_part(const struct planar *planar, struct planar_part *part,
                                   const struct planar_antennas *antennas, nfsar_error *error) {
    enum nfsar_status status = size_axis(&part->x, &part->grid.x, antennas->at[0], planar, error);
    if (status == NFSAR_OK) {
        status = size_axis(&part->y, &part->grid.y, antennas->at[1], planar, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    double x = part->x.outer, y = part->y.outer, most = 0.0;
    part->cosine = fmax(1.0 / sqrt(1.0 + x * x + y * y), 0.14);
    for (size_t l = 0; l < planar->n_line; l++) {
        most = fmax(most, fabs(planar->away[l]));
    }
    double half = half_band(planar, part);
    part->least_planes = most * half < FLAT ? 0
                                            : exponentials_least(planar->away, planar->n_line, half,
                                                                 EXPONENTIALS_CLUSTERED);
    return NFSAR_OK;
}

/* Planes for positions off the one in the middle. */
static bool make_planes(const struct planar *planar, struct planar_part *part) {
    if (part->least_planes == 0) {
        return true;
    }
    part->planes = exponentials_create(planar->away, planar->n_line, half_band(planar, part),
                                       PLANAR_TOLERANCE, EXPONENTIALS_CLUSTERED);
    return part->planes != NULL;
}

static enum nfsar_status prepare_transform(const struct planar *planar, struct planar_part *part,
                                           const struct planar_antennas *antennas,
                                           nfsar_error *error) {
    double *position[2] = {malloc(planar->n_line * sizeof(double)),
                           malloc(planar->n_line * sizeof(double))};
    enum nfsar_status status = NFSAR_OK;
    if (position[0] == NULL || position[1] == NULL) {
        status = nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    for (size_t l = 0; status == NFSAR_OK && l < planar->n_line; l++) {
        position[0][l] = part->x.step * (antennas->place[0][l] - part->grid.x.start);
        position[1][l] = part->y.step * (antennas->place[1][l] - part->grid.y.start);
    }
    if (status == NFSAR_OK) {
        nfsar_nufft_options options = nfsar_nufft_defaults();
        options.tolerance = PLANAR_TOLERANCE;
        options.sign = 1;
        options.threads = planar->threads;
        const size_t modes[2] = {part->x.bins, part->y.bins};
        const double *const at[2] = {position[0], position[1]};
        status = nfsar_nufft_plan_create(2, modes, planar->n_line, at, PLANAR_BLOCK, &options,
                                         &part->nufft, error);
    }
    free(position[0]);
    free(position[1]);
    return status;
}

/* Tables and transforms of a part that is sized. */
static enum nfsar_status plan_part(const struct planar *planar, struct planar_part *part,
                                   const struct planar_antennas *antennas, nfsar_error *error) {
    if (!(make_planes(planar, part) && prepare_axis(&part->x) && prepare_axis(&part->y))) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu x %zu waves",
                          part->x.bins, part->y.bins);
    }
    enum nfsar_status status = planar_compensate_part(planar, antennas, part, error);
    return status == NFSAR_OK ? prepare_transform(planar, part, antennas, error) : status;
}

static void axis_free(struct planar_axis *axis) {
    free(axis->place);
    transform_destroy(axis->up);
    transform_destroy(axis->down);
}

void planar_release_part(struct planar_part *part) {
    axis_free(&part->x);
    axis_free(&part->y);
    exponentials_destroy(part->planes);
    nfsar_nufft_plan_destroy(part->nufft);
    free(part->path);
}

/* ---- all of it ---- */

static double larger(double a, size_t b) {
    return fmax(a, (double)b);
}

static double waves_of(const struct planar_part *part) {
    return (double)part->x.bins * (double)part->y.bins;
}

/* The part with most waves: it is planned first, and tells what the others will take. */
static struct planar_part *largest_part(const struct planar *planar) {
    struct planar_part *largest = planar->part;
    for (size_t i = 1; i < planar->n_part; i++) {
        largest = waves_of(planar->part + i) > waves_of(largest) ? planar->part + i : largest;
    }
    return largest;
}

/* Bytes of a part's non-uniform transform, or about that: as the largest part's by the waves, and
 * before there is any, eight vectors of waves at least. */
static double transform_bytes(const struct planar_part *part, const struct planar_part *largest) {
    if (part->nufft != NULL) {
        return (double)nfsar_nufft_plan_memory(part->nufft);
    }
    double each = largest->nufft != NULL
                      ? (double)nfsar_nufft_plan_memory(largest->nufft) / waves_of(largest)
                      : 8.0 * sizeof(float complex);
    return each * waves_of(part);
}

/* Bytes of what one part holds, planned or not. */
static double part_bytes(const struct planar *planar, const struct planar_part *part,
                         const struct planar_part *largest) {
    double lines = (double)planar->n_line, planes = (double)planar_part_planes(part);
    bool weights = part->planes != NULL ? !part->planes->exact : planes < lines;
    double bytes = lines * sizeof(double) + transform_bytes(part, largest);
    return bytes + (part->least_planes > 0 && weights ? lines * planes * sizeof(float) : 0.0);
}

/* Complex numbers that the parts share: room for the largest of them. */
struct room {
    double spectrum, modes, values, work, lines;
};

static struct room room_for(const struct planar *planar) {
    struct room room = {.values = PLANAR_BLOCK * (double)planar->n_line,
                        .work = 2.0 * (double)planar->n_sample};
    for (size_t i = 0; i < planar->n_part; i++) {
        const struct planar_part *part = planar->part + i;
        const struct planar_axis *x = &part->x, *y = &part->y;
        room.spectrum = larger(room.spectrum, part->grid.z.count * x->length * y->length);
        room.modes = larger(room.modes, PLANAR_BLOCK * x->bins * y->bins);
        room.work = larger(room.work, planar_waves_work(part));
        room.work = larger(room.work, x->length);
        room.work = larger(room.work, 8 * ((y->length + 7) / 8 * 8));
    }
    room.work = ceil(room.work / 8.0) * 8.0;
    bool few = planar->weight != NULL;
    room.lines = few ? (double)planar->n_line * (double)planar->n_wave : 0.0;
    return room;
}

/* What is planned by now, and about what the rest will take. */
static enum nfsar_status check_memory(const struct planar *planar, nfsar_error *error) {
    const struct planar_part *largest = largest_part(planar);
    struct room room = room_for(planar);
    double numbers =
        room.spectrum + room.modes + room.values + (double)planar->threads * room.work + room.lines;
    double bytes = numbers * sizeof(float complex);
    for (size_t i = 0; i < planar->n_part; i++) {
        bytes += part_bytes(planar, planar->part + i, largest);
    }
    return bytes <= PLANAR_MOST_BYTES
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_MEMORY,
                            "%zu part%s of up to %.0f waves would take %.3g GiB, above the 4 that "
                            "they may take",
                            planar->n_part, planar->n_part == 1 ? "" : "s",
                            room.modes / PLANAR_BLOCK, bytes / (1 << 30));
}

static enum nfsar_status allocate(struct planar *planar, nfsar_error *error) {
    struct room room = room_for(planar);
    size_t unit = sizeof(float complex);
    planar->work_size = (size_t)room.work;
    planar->spectrum = buffer_alloc((size_t)room.spectrum, unit);
    planar->modes = buffer_alloc((size_t)room.modes, unit);
    planar->values = buffer_alloc((size_t)room.values, unit);
    planar->work = buffer_alloc((size_t)planar->threads * planar->work_size, unit);
    bool good = planar->spectrum != NULL && planar->modes != NULL && planar->values != NULL &&
                planar->work != NULL;
    if (room.lines > 0.0) {
        planar->lines = buffer_alloc((size_t)room.lines, unit);
        good = good && planar->lines != NULL;
    }
    return good ? NFSAR_OK
                : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %.0f waves",
                             room.modes / PLANAR_BLOCK);
}

/* All parts' sizes; refused before anything of theirs is made. */
static enum nfsar_status size_parts(struct planar *planar, const struct planar_antennas *antennas,
                                    double limit, nfsar_error *error) {
    enum nfsar_status status = planar_cut_parts(planar, antennas, error);
    for (size_t i = 0; status == NFSAR_OK && i < planar->n_part; i++) {
        status = size_part(planar, planar->part + i, antennas, error);
    }
    if (status == NFSAR_OK && planar_seconds(planar) > limit) {
        status = nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                            "%zu part%s of the grid would take %.2g s, and no more than %.2g s are "
                            "given",
                            planar->n_part, planar->n_part == 1 ? "" : "s", planar_seconds(planar),
                            limit);
    }
    return status == NFSAR_OK ? check_memory(planar, error) : status;
}

/* The largest part first: after it what all of them take is known. */
static enum nfsar_status plan_parts(struct planar *planar, const struct planar_antennas *antennas,
                                    nfsar_error *error) {
    struct planar_part *largest = largest_part(planar);
    enum nfsar_status status = plan_part(planar, largest, antennas, error);
    for (size_t i = 0; status == NFSAR_OK && i < planar->n_part; i++) {
        status = check_memory(planar, error);
        if (status == NFSAR_OK && planar->part + i != largest) {
            status = plan_part(planar, planar->part + i, antennas, error);
        }
    }
    return status == NFSAR_OK ? check_memory(planar, error) : status;
}

static enum nfsar_status make(struct planar *planar, const nfsar_capture *capture, double limit,
                              struct planar_antennas *antennas, nfsar_error *error) {
    float *taper = NULL;
    enum nfsar_status status =
        frequencies_make(capture, NFSAR_WINDOW_RECTANGULAR, &planar->wavenumber, &taper, error);
    free(taper);
    if (status == NFSAR_OK) {
        frequencies_range(planar->wavenumber, planar->n_sample, &planar->k_min, &planar->k_max);
        status = find_antennas(planar, capture, antennas, error);
    }
    if (status == NFSAR_OK) {
        status = find_plane(planar, antennas, error);
    }
    if (status == NFSAR_OK) {
        status = planar_choose_waves(planar, antennas, error);
    }
    if (status == NFSAR_OK) {
        status = size_parts(planar, antennas, limit, error);
    }
    if (status == NFSAR_OK) {
        status = plan_parts(planar, antennas, error);
    }
    return status == NFSAR_OK ? allocate(planar, error) : status;
}

enum nfsar_status planar_create(const nfsar_capture *capture, const nfsar_grid *grid, int threads,
                                double limit, struct planar **planar, nfsar_error *error) {
    struct planar_antennas antennas = {0};
    *planar = NULL;
    struct planar *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    made->grid = *grid;
    made->threads = threads > 0 ? threads : omp_get_max_threads();
    made->n_line = capture->n_pulse * capture->array.n_channel;
    made->n_sample = capture->n_sample;
    made->away = malloc(made->n_line * sizeof *made->away);
    enum nfsar_status status = made->away != NULL
                                   ? make(made, capture, limit, &antennas, error)
                                   : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    antennas_free(&antennas);
    if (status != NFSAR_OK) {
        planar_destroy(made);
        return status;
    }
    *planar = made;
    return NFSAR_OK;
}

double planar_seconds(const struct planar *planar) {
    double lines = (double)planar->n_line, sum = 0.0;
    for (size_t i = 0; i < planar->n_part; i++) {
        const struct planar_part *part = planar->part + i;
        double waves = (double)part->x.bins * (double)part->y.bins;
        double once = waves * (1.2e-9 * (double)part->grid.z.count + 20e-9) + lines * 100e-9;
        sum += (double)planar->n_wave * (double)planar_part_planes(part) * once;
    }
    return 2.0 * sum;
}

void planar_destroy(struct planar *planar) {
    if (planar == NULL) {
        return;
    }
    for (size_t i = 0; i < planar->n_part; i++) {
        planar_release_part(planar->part + i);
    }
    free(planar->part);
    free(planar->wavenumber);
    free(planar->wave);
    free(planar->weight);
    free(planar->range);
    free(planar->lines);
    free(planar->away);
    free(planar->spectrum);
    free(planar->modes);
    free(planar->values);
    free(planar->work);
    free(planar);
}
