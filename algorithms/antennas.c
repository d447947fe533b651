#include "algorithms/antennas.h"

#include <math.h>
#include <stdlib.h>

/* Pulses whose antennas are worked out at a time. */
enum { BLOCK = 256 };

enum nfsar_status antennas_each(const nfsar_capture *capture, antennas_visit *visit, void *data,
                                nfsar_error *error) {
    size_t n_channel = capture->array.n_channel;
    nfsar_vec3 *tx = malloc(BLOCK * n_channel * sizeof *tx);
    nfsar_vec3 *rx = malloc(BLOCK * n_channel * sizeof *rx);
    enum nfsar_status status = tx != NULL && rx != NULL
                                   ? NFSAR_OK
                                   : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    for (size_t p = 0; status == NFSAR_OK && p < capture->n_pulse; p += BLOCK) {
        size_t count = capture->n_pulse - p < BLOCK ? capture->n_pulse - p : BLOCK;
        status = nfsar_capture_antennas(capture, false, p, count, tx, rx, error);
        for (size_t i = 0; status == NFSAR_OK && i < count * n_channel; i++) {
            visit(data, p * n_channel + i, tx[i], rx[i]);
        }
    }
    free(tx);
    free(rx);
    return status;
}

struct box {
    nfsar_vec3 *low, *high;
};

static void widen(void *data, size_t line, nfsar_vec3 tx, nfsar_vec3 rx) {
    const struct box *box = data;
    const nfsar_vec3 at = nfsar_vec3_midpoint(tx, rx);
    (void)line;
    *box->low = nfsar_vec3_min(*box->low, at);
    *box->high = nfsar_vec3_max(*box->high, at);
}

enum nfsar_status antennas_box(const nfsar_capture *capture, nfsar_vec3 *low, nfsar_vec3 *high,
                               nfsar_error *error) {
    struct box box = {low, high};
    *low = (nfsar_vec3){INFINITY, INFINITY, INFINITY};
    *high = (nfsar_vec3){-INFINITY, -INFINITY, -INFINITY};
    return antennas_each(capture, widen, &box, error);
}
