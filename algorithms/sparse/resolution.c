#include "algorithms/sparse/resolution.h"

#include <math.h>
#include <stdlib.h>

#include <nfsar/geometry.h>

#include "algorithms/frequencies.h"

/* Pulses whose antennas are worked out at a time. */
enum { BLOCK = 256 };

struct box {
    nfsar_vec3 low, high;
};

static void widen(struct box *box, nfsar_vec3 at) {
    box->low.x = fmin(box->low.x, at.x);
    box->low.y = fmin(box->low.y, at.y);
    box->low.z = fmin(box->low.z, at.z);
    box->high.x = fmax(box->high.x, at.x);
    box->high.y = fmax(box->high.y, at.y);
    box->high.z = fmax(box->high.z, at.z);
}

static enum nfsar_status find_box(const nfsar_capture *capture, struct box *box,
                                  nfsar_error *error) {
    size_t n_channel = capture->array.n_channel;
    nfsar_vec3 *tx = malloc(BLOCK * n_channel * sizeof *tx);
    nfsar_vec3 *rx = malloc(BLOCK * n_channel * sizeof *rx);
    enum nfsar_status status = tx != NULL && rx != NULL
                                   ? NFSAR_OK
                                   : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    *box = (struct box){{INFINITY, INFINITY, INFINITY}, {-INFINITY, -INFINITY, -INFINITY}};
    for (size_t p = 0; status == NFSAR_OK && p < capture->n_pulse; p += BLOCK) {
        size_t n = capture->n_pulse - p < BLOCK ? capture->n_pulse - p : BLOCK;
        status = nfsar_capture_antennas(capture, false, p, n, tx, rx, error);
        for (size_t i = 0; status == NFSAR_OK && i < n * n_channel; i++) {
            widen(box, nfsar_vec3_midpoint(tx[i], rx[i]));
        }
    }
    free(tx);
    free(rx);
    return status;
}

enum nfsar_status resolution_finest(const nfsar_capture *capture, const nfsar_grid *grid,
                                    double *length, double *turns, nfsar_error *error) {
    struct box box;
    double low = 0.0, high = 0.0;
    enum nfsar_status status = find_box(capture, &box, error);
    if (status != NFSAR_OK) {
        return status;
    }
    frequencies_range(capture->frequency_hz, capture->n_sample, &low, &high);
    double lambda = NFSAR_SPEED_OF_LIGHT / (0.5 * (low + high));
    nfsar_vec3 middle = {0.5 * (grid->x.start + nfsar_axis_end(&grid->x)),
                         0.5 * (grid->y.start + nfsar_axis_end(&grid->y)),
                         0.5 * (grid->z.start + nfsar_axis_end(&grid->z))};
    double range = nfsar_vec3_distance(nfsar_vec3_midpoint(box.low, box.high), middle);
    double extent =
        fmax(fmax(box.high.x - box.low.x, box.high.y - box.low.y), box.high.z - box.low.z);
    *length = extent > 0.0 ? 0.5 * lambda * range / extent : range;
    *length = fmax(*length, 0.25 * lambda);
    double first = fmin(grid->z.start, nfsar_axis_end(&grid->z));
    double last = fmax(grid->z.start, nfsar_axis_end(&grid->z));
    double side = first > box.high.z ? 1.0 : last < box.low.z ? -1.0 : 0.0;
    *turns = side * 4.0 * NFSAR_PI / lambda;
    return NFSAR_OK;
}
