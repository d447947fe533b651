/* Transmitters and receivers apart: their extra path is taken out for the middle of a box, and the
 * grid is cut into as many boxes as leave little of it at their corners. */
#include "algorithms/sparse/planar_plan.h"

#include <math.h>
#include <stdlib.h>

#include <nfsar/compensation.h>

/* Phases that compensation may leave, root of the mean square over the worst box, rad. */
#define LARGEST_BASELINE_ERROR 0.03

/* Boxes along an axis, and of the grid. */
enum { MOST_ALONG = 32, MOST_PARTS = 256 };

/* Lines whose baselines are looked at. */
#define LINES_LOOKED_AT 200

/* Boxes along x, y and z. */
struct cut {
    size_t n[3];
};

static nfsar_axis piece(const nfsar_axis *axis, size_t i, size_t n, size_t *first) {
    size_t from = axis->count * i / n, end = axis->count * (i + 1) / n;
    *first = from;
    return (nfsar_axis){nfsar_axis_at(axis, from), axis->step, end - from};
}

static void box(const nfsar_grid *grid, const struct cut *cut, size_t i, struct planar_part *part) {
    part->grid.x = piece(&grid->x, i % cut->n[0], cut->n[0], &part->first_x);
    part->grid.y = piece(&grid->y, i / cut->n[0] % cut->n[1], cut->n[1], &part->first_y);
    part->grid.z = piece(&grid->z, i / cut->n[0] / cut->n[1], cut->n[2], &part->first_z);
}

static nfsar_vec3 middle_of(const nfsar_grid *grid) {
    struct planar_extent x = planar_extent_of(&grid->x), y = planar_extent_of(&grid->y),
                         z = planar_extent_of(&grid->z);
    return (nfsar_vec3){0.5 * (x.low + x.high), 0.5 * (y.low + y.high), 0.5 * (z.low + z.high)};
}

static double path_of(const struct planar_antennas *antennas, size_t line, nfsar_vec3 at) {
    return nfsar_compensation_path(NFSAR_COMPENSATION_REFERENCE_POINT, antennas->tx[line],
                                   antennas->rx[line], at);
}

/* What the compensation for a box's middle leaves at its corners, root of the mean square. */
static double left_in(const struct planar *planar, const struct planar_antennas *antennas,
                      const nfsar_grid *grid) {
    struct planar_extent x = planar_extent_of(&grid->x), y = planar_extent_of(&grid->y),
                         z = planar_extent_of(&grid->z);
    nfsar_vec3 middle = middle_of(grid);
    size_t every = planar->n_line / LINES_LOOKED_AT + 1, n = 0;
    double sum = 0.0;
    for (size_t l = 0; l < planar->n_line; l += every) {
        double path = path_of(antennas, l, middle);
        for (int c = 0; c < 8; c++, n++) {
            nfsar_vec3 p = {c & 1 ? x.high : x.low, c & 2 ? y.high : y.low, c & 4 ? z.high : z.low};
            sum += pow(planar->k_max * (path_of(antennas, l, p) - path), 2.0);
        }
    }
    return sqrt(sum / (double)n);
}

/* Of the worst box; those at the corners and in the middle differ most. */
static double left_by(const struct planar *planar, const struct planar_antennas *antennas,
                      const struct cut *cut) {
    double worst = 0.0;
    for (int i = 0; i < 27; i++) {
        const int which[3] = {i % 3, i / 3 % 3, i / 9};
        size_t at[3];
        for (int a = 0; a < 3; a++) {
            at[a] = which[a] == 0 ? 0 : which[a] == 1 ? cut->n[a] - 1 : cut->n[a] / 2;
        }
        struct planar_part part;
        box(&planar->grid, cut, (at[2] * cut->n[1] + at[1]) * cut->n[0] + at[0], &part);
        worst = fmax(worst, left_in(planar, antennas, &part.grid));
    }
    return worst;
}

/* The axis that is best cut once more goes first. */
static enum nfsar_status choose_cut(const struct planar *planar,
                                    const struct planar_antennas *antennas, struct cut *cut,
                                    nfsar_error *error) {
    const size_t count[3] = {planar->grid.x.count, planar->grid.y.count, planar->grid.z.count};
    *cut = (struct cut){{1, 1, 1}};
    double left = left_by(planar, antennas, cut);
    while (left > LARGEST_BASELINE_ERROR) {
        struct cut best = *cut;
        double least = INFINITY;
        for (int a = 0; a < 3; a++) {
            struct cut tried = *cut;
            tried.n[a]++;
            bool can = tried.n[a] <= count[a] && tried.n[a] <= MOST_ALONG &&
                       tried.n[0] * tried.n[1] * tried.n[2] <= MOST_PARTS;
            double by = can ? left_by(planar, antennas, &tried) : INFINITY;
            /* Per box: an axis of few boxes is cheap to cut. */
            double worth = by * (double)(tried.n[0] * tried.n[1] * tried.n[2]);
            if (can && worth < least) {
                least = worth;
                best = tried;
            }
        }
        if (!(least < INFINITY)) {
            return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                              "transmitters and receivers lie so far apart that phases would be "
                              "%.2g rad wrong in each of %zu parts of the grid",
                              left, cut->n[0] * cut->n[1] * cut->n[2]);
        }
        *cut = best;
        left = left_by(planar, antennas, cut);
    }
    return NFSAR_OK;
}

enum nfsar_status planar_compensate_part(const struct planar *planar,
                                         const struct planar_antennas *antennas,
                                         struct planar_part *part, nfsar_error *error) {
    nfsar_vec3 middle = middle_of(&part->grid);
    part->path = malloc(planar->n_line * sizeof *part->path);
    if (part->path == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu positions",
                          planar->n_line);
    }
    for (size_t l = 0; l < planar->n_line; l++) {
        part->path[l] = path_of(antennas, l, middle);
    }
    return NFSAR_OK;
}

enum nfsar_status planar_cut_parts(struct planar *planar, const struct planar_antennas *antennas,
                                   nfsar_error *error) {
    struct cut cut;
    enum nfsar_status status = choose_cut(planar, antennas, &cut, error);
    if (status != NFSAR_OK) {
        return status;
    }
    size_t n = cut.n[0] * cut.n[1] * cut.n[2];
    planar->part = calloc(n, sizeof *planar->part);
    if (planar->part == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    planar->n_part = n;
    for (size_t i = 0; i < n; i++) {
        box(&planar->grid, &cut, i, planar->part + i);
    }
    return NFSAR_OK;
}
