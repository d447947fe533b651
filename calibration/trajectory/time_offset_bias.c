/* Range bias and place where phases leave them open. On a way that is nearly straight every place
 * on a circle about it looks nearly the same, and least squares stay on the side on which they
 * begin; the way's small bends tell the sides apart, and with the wrong side the bias is wrong. So
 * they are begun all round. */
#include <math.h>

#include "calibration/trajectory/time_offset_way.h"

enum { TURNS = 12 };

/* Whether the radar looks away from a place, on the whole. */
static bool is_behind(const struct offset_data *data, double offset_s, nfsar_vec3 place) {
    double sum = 0.0;
    for (size_t w = 0; w < data->n_window; w++) {
        const struct sight sight = offset_sight(data, data->middle_s[w], offset_s);
        const nfsar_vec3 at = nfsar_vec3_midpoint(sight.tx, sight.rx);
        const nfsar_vec3 ahead =
            nfsar_vec3_subtract(offset_ahead(data, data->middle_s[w], offset_s), at);
        const nfsar_vec3 to = nfsar_vec3_subtract(place, at);
        sum += sight.told ? nfsar_vec3_dot(ahead, to) : 0.0;
    }
    return sum < 0.0;
}

static nfsar_vec3 turned(nfsar_vec3 place, nfsar_vec3 middle, nfsar_vec3 axis, double angle) {
    const nfsar_quaternion q = nfsar_quaternion_from_axis_angle(axis, angle);
    return nfsar_vec3_add(middle, nfsar_quaternion_rotate(q, nfsar_vec3_subtract(place, middle)));
}

/* Each reflector begun all round the way. */
static enum nfsar_status go_round(const struct offset_data *data, const struct offset_maps *maps,
                                  const struct way *way, struct offset_state *state,
                                  nfsar_error *error) {
    struct offset_state best = *state;
    for (size_t k = 0; k < state->n; k++) {
        const struct offset_state start = best;
        const bool behind = is_behind(data, state->offset_s, start.place[k]);
        for (int i = 1; i < TURNS; i++) {
            struct offset_state trial = start;
            trial.place[k] =
                turned(start.place[k], way->middle, way->axis[0], 2.0 * NFSAR_PI * i / TURNS);
            if (!behind && is_behind(data, state->offset_s, trial.place[k])) {
                continue;
            }
            const enum nfsar_status status = offset_phases(data, maps, &trial, error);
            if (status != NFSAR_OK) {
                return status;
            }
            if (trial.phases && trial.explained > best.explained) {
                best = trial;
            }
        }
    }
    *state = best;
    return NFSAR_OK;
}

enum nfsar_status offset_bias(const struct offset_data *data, const struct offset_maps *maps,
                              struct offset_state *state, nfsar_error *error) {
    if (state->known || state->bias_sigma_m < 0.25 * data->cell_m) {
        return NFSAR_OK;
    }
    struct way way;
    enum nfsar_status status = way_find(data, state->offset_s, &way)
                                   ? NFSAR_OK
                                   : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    if (status == NFSAR_OK && way.length[0] > 0.0) {
        status = go_round(data, maps, &way, state, error);
    }
    way_free(&way);
    return status;
}
