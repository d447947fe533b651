/* How wrong the multi-planar compensation at boresight is for a scan. */
#include <math.h>

#include "algorithms/frequencies.h"
#include "algorithms/nurma_plan.h"

double nurma_boresight_residue(double away, double aside, double depth) {
    return 2.0 * (hypot(aside, depth - away) + away - hypot(aside, depth));
}

/* Largest over the grid's corners, for one position. */
static double worst_corner(const nfsar_grid *grid, double at_x, double at_y, double plane,
                           double away) {
    const double x[2] = {grid->x.start, nfsar_axis_end(&grid->x)};
    const double y[2] = {grid->y.start, nfsar_axis_end(&grid->y)};
    const double z[2] = {grid->z.start, nfsar_axis_end(&grid->z)};
    double worst = 0.0;
    for (int i = 0; i < 8; i++) {
        double aside = hypot(x[i & 1] - at_x, y[i >> 1 & 1] - at_y);
        double depth = fabs(z[i >> 2] - plane);
        worst = fmax(worst, fabs(nurma_boresight_residue(away, aside, depth)));
    }
    return worst;
}

double nurma_boresight_error(const nfsar_rma_plan *plan) {
    const struct nurma *nurma = plan->nurma;
    size_t lines = plan->capture->n_pulse * plan->capture->array.n_channel;
    double worst = 0.0, low, high;
    frequencies_range(plan->wavenumber, plan->capture->n_sample, &low, &high);
    for (size_t l = 0; l < lines; l++) {
        double away = plan->side * (nurma->place[2][l] - nurma->plane);
        worst = fmax(worst, worst_corner(&plan->grid, nurma->place[0][l], nurma->place[1][l],
                                         nurma->plane, away));
    }
    return high * worst;
}
