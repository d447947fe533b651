/* Where the radar is in the middle of a scan, from which ranges to reflectors count. */
#include "calibration/instrument_reflectors.h"

#include <math.h>
#include <stdlib.h>

#include <nfsar/geometry.h>

/* Pulses whose antennas are in memory at once. */
#define BLOCK ((size_t)1024)
/* Positions that are as near to the middle are told apart by rounding only. */
#define SAME_M 1e-6

/* The array's mean phase centre at every pulse. */
static enum nfsar_status find_centres(const nfsar_capture *capture, nfsar_vec3 *centre,
                                      nfsar_error *error) {
    const size_t n_channel = capture->array.n_channel;
    const size_t block = capture->n_pulse < BLOCK ? capture->n_pulse : BLOCK;
    nfsar_vec3 *tx = malloc(block * n_channel * sizeof *tx);
    nfsar_vec3 *rx = malloc(block * n_channel * sizeof *rx);
    enum nfsar_status status = tx != NULL && rx != NULL
                                   ? NFSAR_OK
                                   : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    for (size_t first = 0, n; status == NFSAR_OK && first < capture->n_pulse; first += n) {
        n = capture->n_pulse - first < block ? capture->n_pulse - first : block;
        status = nfsar_capture_antennas(capture, false, first, n, tx, rx, error);
        for (size_t p = 0; status == NFSAR_OK && p < n; p++) {
            nfsar_vec3 sum = {0.0, 0.0, 0.0};
            for (size_t i = p * n_channel; i < (p + 1) * n_channel; i++) {
                sum = nfsar_vec3_add(sum, nfsar_vec3_midpoint(tx[i], rx[i]));
            }
            centre[first + p] = nfsar_vec3_scale(sum, 1.0 / (double)n_channel);
        }
    }
    free(tx);
    free(rx);
    return status;
}

enum nfsar_status reflectors_find_middle(const nfsar_capture *capture, struct reflectors *r,
                                         nfsar_error *error) {
    const size_t n = capture->n_pulse;
    nfsar_vec3 *centre = malloc(n * sizeof *centre);
    enum nfsar_status status = centre != NULL
                                   ? find_centres(capture, centre, error)
                                   : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    if (status == NFSAR_OK) {
        nfsar_vec3 mean = {0.0, 0.0, 0.0};
        double least = INFINITY;
        for (size_t p = 0; p < n; p++) {
            mean = nfsar_vec3_add(mean, nfsar_vec3_scale(centre[p], 1.0 / (double)n));
        }
        for (size_t p = 0; p < n; p++) {
            double away = nfsar_vec3_distance(centre[p], mean);
            if (away < least - SAME_M) {
                least = away;
                r->pulse = p;
            }
        }
        r->centre = centre[r->pulse];
        r->extent_m = 0.0;
        for (size_t p = 0; p < n; p++) {
            r->extent_m = fmax(r->extent_m, nfsar_vec3_distance(centre[p], r->centre));
        }
        r->orientation = nfsar_track_pose(capture->pose_time_s, capture->pose, capture->n_pose,
                                          capture->time_s[r->pulse], NULL)
                             .orientation;
    }
    free(centre);
    return status;
}
