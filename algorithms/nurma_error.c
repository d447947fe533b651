/* How wrong the multi-planar compensation at boresight is for a scan. */
#include <math.h>
#include <stdlib.h>

#include "algorithms/frequencies.h"
#include "algorithms/nurma_plan.h"

double nurma_boresight_residue(double away, double aside, double depth) {
    return 2.0 * (hypot(aside, depth - away) + away - hypot(aside, depth));
}

/* Largest over the grid's corners. */
static double worst_corner(const nfsar_grid *grid, nfsar_vec3 at, double plane, double away) {
    const double x[2] = {grid->x.start, nfsar_axis_end(&grid->x)};
    const double y[2] = {grid->y.start, nfsar_axis_end(&grid->y)};
    const double z[2] = {grid->z.start, nfsar_axis_end(&grid->z)};
    double worst = 0.0;
    for (int i = 0; i < 8; i++) {
        double aside = hypot(x[i & 1] - at.x, y[i >> 1 & 1] - at.y);
        double depth = fabs(z[i >> 2] - plane);
        worst = fmax(worst, fabs(nurma_boresight_residue(away, aside, depth)));
    }
    return worst;
}

double nurma_boresight_error(const nfsar_rma_plan *plan) {
    size_t n_channel = plan->capture->array.n_channel;
    nfsar_vec3 *tx = malloc(n_channel * sizeof *tx), *rx = malloc(n_channel * sizeof *rx);
    double worst = 0.0, low, high;
    frequencies_range(plan->wavenumber, plan->capture->n_sample, &low, &high);
    for (size_t p = 0; tx != NULL && rx != NULL && p < plan->capture->n_pulse; p++) {
        nfsar_capture_antennas(plan->capture, false, p, 1, tx, rx, NULL);
        for (size_t c = 0; c < n_channel; c++) {
            nfsar_vec3 at = nfsar_vec3_midpoint(tx[c], rx[c]);
            double away = plan->side * (at.z - plan->nurma->plane);
            worst = fmax(worst, worst_corner(&plan->grid, at, plan->nurma->plane, away));
        }
    }
    free(tx);
    free(rx);
    return high * worst;
}
