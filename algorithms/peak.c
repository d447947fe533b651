#include "algorithms/peak.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/metrics.h>

#include "algorithms/interpolate.h"

/* Radius of the box in which the carrier is estimated, and how far from the strongest voxel the
 * maximum may be, in voxels. It can be more than half a voxel away where lobes lie oblique. */
#define CARRIER_RADIUS 8
#define REACH          3.0

/* Nearer to the border than this the missing voxels disturb the interpolation by more than the
 * parabola errs (tests/algorithms/test_metrics.c prints both). */
#define ROOM 9

/* Points a voxel of a cut: at two voxels a resolution cell, 32 a cell. */
#define FINE 16

double nfsar_parabola_peak(double left, double middle, double right) {
    double bend = left - 2.0 * middle + right;
    if (!(bend < 0.0)) {
        return 0.0;
    }
    return 0.5 * (left - right) / bend;
}

/* What is known of log power around a point, and the axes that can move. */
struct newton {
    const nfsar_image *image;
    const struct peak *peak;
    double step[3]; /* of the finite differences; 0: the axis is fixed */
    double gradient[3], hessian[3][3];
};

static double log_power(const struct newton *newton, const double at[3]) {
    /* The smallest double keeps the logarithm of an exact zero finite. */
    return log(interpolate_power(newton->image, at, newton->peak->carrier) + 1e-300);
}

static double displaced(const struct newton *newton, const double at[3], int a, double by_a, int b,
                        double by_b) {
    double moved[3] = {at[0], at[1], at[2]};
    moved[a] += by_a * newton->step[a];
    moved[b] += by_b * newton->step[b];
    return log_power(newton, moved);
}

static void differentiate(struct newton *newton, const double at[3]) {
    double middle = log_power(newton, at);
    for (int a = 0; a < 3; a++) {
        double h = newton->step[a];
        newton->gradient[a] = 0.0;
        newton->hessian[a][a] = -1.0;
        if (h == 0.0) {
            continue;
        }
        double left = displaced(newton, at, a, -1.0, a, 0.0);
        double right = displaced(newton, at, a, 1.0, a, 0.0);
        newton->gradient[a] = (right - left) / (2.0 * h);
        newton->hessian[a][a] = (left - 2.0 * middle + right) / (h * h);
    }
    for (int a = 0; a < 3; a++) {
        for (int b = 0; b < a; b++) {
            double cross = 0.0;
            if (newton->step[a] > 0.0 && newton->step[b] > 0.0) {
                cross = (displaced(newton, at, a, 1.0, b, 1.0) -
                         displaced(newton, at, a, 1.0, b, -1.0) -
                         displaced(newton, at, a, -1.0, b, 1.0) +
                         displaced(newton, at, a, -1.0, b, -1.0)) /
                        (4.0 * newton->step[a] * newton->step[b]);
            }
            newton->hessian[a][b] = newton->hessian[b][a] = cross;
        }
    }
}

/* Solve -H move = g by Cholesky; false when -H is not positive definite: no maximum there. */
static bool solve(const struct newton *newton, double move[3]) {
    double l[3][3] = {{0}}, y[3];
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j <= i; j++) {
            double sum = -newton->hessian[i][j];
            for (int k = 0; k < j; k++) {
                sum -= l[i][k] * l[j][k];
            }
            if (i == j && !(sum > 1e-12)) {
                return false;
            }
            l[i][j] = i == j ? sqrt(sum) : sum / l[j][j];
        }
    }
    for (int i = 0; i < 3; i++) {
        y[i] = newton->gradient[i];
        for (int k = 0; k < i; k++) {
            y[i] -= l[i][k] * y[k];
        }
        y[i] /= l[i][i];
    }
    for (int i = 2; i >= 0; i--) {
        move[i] = y[i];
        for (int k = i + 1; k < 3; k++) {
            move[i] -= l[k][i] * move[k];
        }
        move[i] /= l[i][i];
    }
    return true;
}

/* Each axis on its own: what is left where the Hessian has no maximum. */
static void solve_apart(const struct newton *newton, double move[3]) {
    for (int a = 0; a < 3; a++) {
        double bend = newton->hessian[a][a];
        move[a] = bend < -1e-12 ? -newton->gradient[a] / bend : 0.0;
    }
}

static double limit(double value, double bound) {
    return fmin(fmax(value, -bound), bound);
}

static void choose_steps(struct newton *newton, const size_t voxel[3], double reach[3]) {
    const nfsar_grid *grid = &newton->image->grid;
    const size_t n[3] = {grid->x.count, grid->y.count, grid->z.count};
    for (int a = 0; a < 3; a++) {
        size_t room = voxel[a] < n[a] - 1 - voxel[a] ? voxel[a] : n[a] - 1 - voxel[a];
        newton->step[a] = room == 0 ? 0.0 : room < ROOM ? 1.0 : 0.25;
        reach[a] = fmin(REACH, (double)room);
    }
}

void peak_refine(const nfsar_image *image, const size_t voxel[3], struct peak *peak) {
    struct newton newton = {.image = image, .peak = peak};
    double at[3], best[3], reach[3], start;
    memcpy(peak->voxel, voxel, sizeof peak->voxel);
    interpolate_carriers(image, voxel, CARRIER_RADIUS, peak->carrier);
    choose_steps(&newton, voxel, reach);
    for (int a = 0; a < 3; a++) {
        at[a] = best[a] = peak->at[a] = (double)voxel[a];
    }
    start = log_power(&newton, at);
    for (int round = 0; round < 20; round++) {
        double move[3], largest = 0.0;
        differentiate(&newton, at);
        if (!solve(&newton, move)) {
            solve_apart(&newton, move);
        }
        for (int a = 0; a < 3; a++) {
            if (newton.step[a] == 1.0) {
                /* Values between voxels are not used there: the point stays on the voxel, and the
                 * parabola's offset is the answer. */
                best[a] = at[a] + limit(move[a], 0.5);
            } else {
                double moved = limit(at[a] + limit(move[a], 0.5) - (double)voxel[a], reach[a]);
                largest = fmax(largest, fabs((double)voxel[a] + moved - at[a]));
                best[a] = at[a] = (double)voxel[a] + moved;
            }
        }
        if (largest < 1e-5) {
            break;
        }
    }
    /* A walk that ended lower than it began found no maximum. */
    if (log_power(&newton, at) >= start - 1e-9) {
        memcpy(peak->at, best, sizeof peak->at);
    }
}

/* Whole coordinates across the cut where the peak could not be placed between voxels. */
static void cut_through(const nfsar_image *image, const struct peak *peak, double at[3]) {
    const nfsar_grid *grid = &image->grid;
    const size_t n[3] = {grid->x.count, grid->y.count, grid->z.count};
    for (int a = 0; a < 3; a++) {
        bool inside = peak->voxel[a] >= 2 && peak->voxel[a] + 2 < n[a];
        at[a] = inside ? peak->at[a] : (double)peak->voxel[a];
    }
}

/* The fine sample with the largest power near the peak. */
static size_t top_sample(const double *power, size_t n, double at) {
    size_t top = (size_t)limit(round(at * FINE), (double)n - 1.0);
    while (top + 1 < n && power[top + 1] > power[top]) {
        top++;
    }
    while (top > 0 && power[top - 1] > power[top]) {
        top--;
    }
    return top;
}

enum nfsar_status peak_cut(const nfsar_image *image, const struct peak *peak, int axis,
                           struct lobes *lobes, nfsar_error *error) {
    const nfsar_axis *const along[3] = {&image->grid.x, &image->grid.y, &image->grid.z};
    const size_t n = along[axis]->count;
    *lobes = (struct lobes){NAN, NAN, NAN};
    if (n < 3) {
        return NFSAR_OK;
    }
    const size_t n_fine = (n - 1) * FINE + 1;
    double complex *line = malloc(n * sizeof *line);
    double *power = n_fine / FINE == n - 1 ? calloc(n_fine, sizeof *power) : NULL;
    if (line == NULL || power == NULL) {
        free(line);
        free(power);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for a cut of %zu voxels", n);
    }
    double at[3];
    cut_through(image, peak, at);
    interpolate_line(image, axis, at, peak->carrier, line);
    interpolate_finely(line, n, peak->carrier[axis], FINE, power);
    *lobes = lobes_measure(power, n_fine, top_sample(power, n_fine, peak->at[axis]));
    lobes->width /= FINE;
    free(line);
    free(power);
    return NFSAR_OK;
}
