#include "algorithms/sparse/resolution.h"

#include <math.h>

#include <nfsar/geometry.h>

#include "algorithms/antennas.h"
#include "algorithms/frequencies.h"

enum nfsar_status resolution_finest(const nfsar_capture *capture, const nfsar_grid *grid,
                                    double *length, double *turns, nfsar_error *error) {
    nfsar_vec3 low_corner, high_corner;
    double low = 0.0, high = 0.0;
    enum nfsar_status status = antennas_box(capture, &low_corner, &high_corner, error);
    if (status != NFSAR_OK) {
        return status;
    }
    frequencies_range(capture->frequency_hz, capture->n_sample, &low, &high);
    double lambda = NFSAR_SPEED_OF_LIGHT / (0.5 * (low + high));
    nfsar_vec3 middle = {0.5 * (grid->x.start + nfsar_axis_end(&grid->x)),
                         0.5 * (grid->y.start + nfsar_axis_end(&grid->y)),
                         0.5 * (grid->z.start + nfsar_axis_end(&grid->z))};
    double range = nfsar_vec3_distance(nfsar_vec3_midpoint(low_corner, high_corner), middle);
    double extent = fmax(fmax(high_corner.x - low_corner.x, high_corner.y - low_corner.y),
                         high_corner.z - low_corner.z);
    *length = extent > 0.0 ? 0.5 * lambda * range / extent : range;
    *length = fmax(*length, 0.25 * lambda);
    double first = fmin(grid->z.start, nfsar_axis_end(&grid->z));
    double last = fmax(grid->z.start, nfsar_axis_end(&grid->z));
    double side = first > high_corner.z ? 1.0 : last < low_corner.z ? -1.0 : 0.0;
    *turns = side * 4.0 * NFSAR_PI / lambda;
    return NFSAR_OK;
}
