/* A line of positions that images the plane through it: no spectrum along the other axis. Its plane
 * waves have the amplitude sqrt(depth - d), d a position's offset, which no two spectra make for
 * all depths and offsets. With the root for one depth, the centre, taken out of every line of
 * samples, what is left at the depth z, sqrt((1 - d / z) / (1 - d / centre)) = sqrt(1 + u y) with
 * u = 1 / centre - 1 / z and y = d / (1 - d / centre), is 1 + u d / 2 but for u d y / (2 centre)
 * and (u y)^2 / 8 (docs/theory/irregular.md). So depths are imaged in slabs that are thin enough,
 * each with weights of its own. */
#include <math.h>

#include "algorithms/nurma_plan.h"

static bool is_line(const nfsar_rma_plan *plan) {
    return plan->nurma != NULL && plan->nurma->offsets == NFSAR_OFFSETS_EXACT &&
           (plan->x.line || plan->y.line);
}

static double depth_at(const nfsar_rma_plan *plan, size_t z) {
    return plan->side * (nfsar_axis_at(&plan->grid.z, z) - plan->nurma->plane);
}

/* Depth whose inverse lies half way between those of the slab's ends. */
static double middle(double first, double last) {
    return 2.0 * first * last / (first + last);
}

size_t nurma_line_slab(const nfsar_rma_plan *plan) {
    size_t n = plan->grid.z.count;
    if (!is_line(plan) || n < 2) {
        return n;
    }
    const struct nurma *nurma = plan->nurma;
    double most = fmax(-nurma->away.low, nurma->away.high);
    double nearest = plan->nearest + nurma->away.high;
    double y = most / fmax(1.0 - most / nearest, 1e-3);
    double linear = 0.5 * most * y / nearest, square = y * y / 8.0, error = 0.3 * nurma->tolerance;
    /* The root of linear u + square u^2 = error. */
    double u = 2.0 * error / (linear + sqrt(linear * linear + 4.0 * square * error) + 1e-300);
    double thickness = nearest / fmax(1.0 - 2.0 * u * nearest, 1e-3) - nearest;
    double slices = 1.0 + thickness / plan->grid.z.step;
    return slices < (double)n ? (size_t)slices : n;
}

bool nurma_line_weigh(nfsar_rma_plan *plan, size_t first_z) {
    struct nurma *nurma = plan->nurma;
    if (!is_line(plan)) {
        return false;
    }
    double centre = middle(depth_at(plan, first_z), depth_at(plan, first_z + plan->z_slab - 1));
    bool changed = centre != nurma->centre;
    size_t lines = plan->lattice->n_pulse * plan->lattice->n_channel;
    for (size_t l = 0; changed && l < lines; l++) {
        double away = plan->side * (nurma->place[2][l] - nurma->plane);
        plan->line[l].weight = nurma->amplitude[l] * (float)sqrt(1.0 - away / centre);
    }
    nurma->centre = centre;
    return changed;
}
