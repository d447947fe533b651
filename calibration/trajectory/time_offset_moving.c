#include "calibration/trajectory/time_offset_moving.h"

#include <stdlib.h>
#include <string.h>

bool moving_make(const struct offset_data *data, const struct offset_maps *maps,
                 const struct offset_state *state, struct moving *moving) {
    moving->moves = calloc(data->n_pulse, sizeof *moving->moves);
    moving->mean = calloc(data->n_sample, sizeof *moving->mean);
    double complex *sum = calloc(data->n_sample, sizeof *sum);
    const bool has = moving->moves != NULL && moving->mean != NULL && sum != NULL;
    size_t n = 0;
    for (size_t p = 0; has && p < data->n_pulse; p++) {
        const double half = 0.25 * data->window_s;
        const struct sight before = offset_sight(data, data->time_s[p] - half, state->offset_s);
        const struct sight after = offset_sight(data, data->time_s[p] + half, state->offset_s);
        moving->moves[p] = before.told && after.told &&
                           nfsar_vec3_distance(before.tx, after.tx) > 2.0 * half * maps->notch;
        for (size_t i = 0; moving->moves[p] && i < data->n_sample; i++) {
            sum[i] += (double complex)data->echo[p * data->n_sample + i];
        }
        n += moving->moves[p];
    }
    for (size_t i = 0; has && n > 0 && i < data->n_sample; i++) {
        moving->mean[i] = (float complex)(sum[i] / (double)n);
    }
    free(sum);
    return has;
}

void moving_free(struct moving *moving) {
    free(moving->moves);
    free(moving->mean);
    memset(moving, 0, sizeof *moving);
}
