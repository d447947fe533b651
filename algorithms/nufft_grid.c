/* Which grid, and which kernel on it: what the whole costs. A finer grid takes longer transforms,
 * but a narrower kernel. */
#include "algorithms/nufft_plan.h"

#include <math.h>

#include "algorithms/gridding.h"

/* Nanoseconds of what is not a transform, by measurement on an AVX2 machine: only their ratio to
 * transform_cost() matters. */
#define COST_CELL  0.55 /* add a vector of values to a cell */
#define COST_POINT 12.0 /* take up a point */
#define COST_MOVE  0.9  /* bring a number to its line and away */

/* Beyond, the kernel gets no narrower that is worth anything. */
#define MOST_OVERSAMPLING 2.5

/* Oversampling that is tried; the transform's good lengths are next to them. */
static const double oversamplings[] = {1.15, 1.2, 1.25, 1.3, 1.4, 1.5, 1.6, 1.75, 2.0, 2.25};

enum { CANDIDATES = sizeof oversamplings / sizeof oversamplings[0] };

/* Error of a sum of single-precision numbers relative to it, before the last step multiplies it by
 * the gains of all axes. */
#define ROUNDING 1e-7

/* Lengths up to this fraction above the one asked for may be taken, when they are cheaper. */
#define LENGTH_SLACK 0.07

size_t nufft_pitch(size_t n) {
    enum { LINE = 8 };
    size_t lines = (n + NUFFT_TILE - 1) / NUFFT_TILE * (NUFFT_TILE / LINE);
    return (lines + 1) * LINE;
}

size_t nufft_plane_bytes(const struct nufft_axis axis[3]) {
    return nufft_cells(&axis[1]) * axis[2].modes * nufft_pitch(axis[0].modes) * SPREAD_VECTORS *
           sizeof(float complex);
}

/* The cheapest length from n on. */
static size_t cheap_length(size_t n) {
    size_t best = transform_length(n), end = n + (size_t)((double)n * LENGTH_SLACK);
    for (size_t next = transform_length(best + 1); next <= end; next = transform_length(next + 1)) {
        best = transform_cost(next) < transform_cost(best) ? next : best;
    }
    return best;
}

/* An axis of an oversampling, or of a little more; false when no kernel keeps the tolerance. */
static bool set_axis(struct nufft_axis *axis, double oversampling, double tolerance) {
    if (axis->width == 1) {
        return true;
    }
    size_t least = (size_t)ceil(oversampling * (double)axis->modes);
    for (;;) {
        axis->fine = cheap_length(least);
        double is = fmin(MOST_OVERSAMPLING, (double)axis->fine / (double)axis->modes);
        struct gridding kernel = gridding_choose(tolerance, is);
        if (kernel.error > tolerance) {
            return false;
        }
        axis->width = kernel.width;
        axis->beta = kernel.beta;
        axis->error = kernel.error;
        axis->gain = kernel.gain;
        axis->ghost = (size_t)(kernel.width + 1) / 2;
        if (axis->fine >= 2 * (size_t)kernel.width) {
            return true;
        }
        least = 2 * (size_t)kernel.width;
    }
}

double nufft_cost(const struct nufft_axis axis[3], size_t n_point, double rows) {
    double fine_x = (double)axis[0].fine, fine_z = (double)axis[2].fine;
    double mx = (double)axis[0].modes, mz = (double)axis[2].modes;
    double layers = (double)nufft_cells(&axis[2]);
    double lines = layers * transform_cost(axis[0].fine);
    double moved = layers * (fine_x + mx);
    if (axis[2].fine > 1) {
        lines += mx * transform_cost(axis[2].fine);
        moved += mx * (fine_z + mz);
    }
    double cells = (double)axis[0].width * (double)axis[1].width * (double)axis[2].width;
    return (double)n_point * (COST_POINT + COST_CELL * cells) +
           SPREAD_VECTORS * rows * (lines + COST_MOVE * moved);
}

/* Nanoseconds of the transforms along y of a block. */
static double column_cost(const struct nufft_axis axis[3]) {
    double columns = (double)axis[0].modes * (double)axis[2].modes;
    double moved = (double)(axis[1].fine + axis[1].modes);
    return SPREAD_VECTORS * columns * (transform_cost(axis[1].fine) + COST_MOVE * moved);
}

/* All axes, each with its share of the error; false when that cannot be kept. */
static bool set_axes(struct nufft_axis axis[3], double oversampling, double tolerance,
                     double share) {
    double error = 0.0, rounding = ROUNDING;
    for (int k = 0; k < 3; k++) {
        if (axis[k].width == 1) {
            continue;
        }
        if (k > 0 && axis[k].modes == axis[k - 1].modes) {
            axis[k] = axis[k - 1];
        } else if (!set_axis(&axis[k], oversampling, share)) {
            return false;
        }
        error += axis[k].error;
        rounding *= axis[k].gain;
    }
    return error + rounding <= tolerance;
}

bool nufft_choose_grid(struct nufft_axis axis[3], double tolerance, size_t n_point, size_t memory) {
    double least = INFINITY, share = tolerance / (axis[2].width == 1 ? 2.0 : 3.0);
    struct nufft_axis best[3] = {axis[0], axis[1], axis[2]};
    for (int c = 0; c < CANDIDATES; c++) {
        struct nufft_axis tried[3] = {axis[0], axis[1], axis[2]};
        /* A little less for the kernel leaves room for rounding. */
        if (!set_axes(tried, oversamplings[c], tolerance, share) &&
            !set_axes(tried, oversamplings[c], tolerance, 0.7 * share)) {
            continue;
        }
        double is = nufft_cost(tried, n_point, (double)nufft_cells(&tried[1])) + column_cost(tried);
        if (is < least && nufft_plane_bytes(tried) <= memory) {
            least = is;
            best[0] = tried[0];
            best[1] = tried[1];
            best[2] = tried[2];
        }
    }
    for (int k = 0; k < 3; k++) {
        axis[k] = best[k];
    }
    return least < INFINITY;
}
