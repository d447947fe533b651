/* Range bias and place where phases leave them open. On a way that is nearly straight every place
 * on a circle about it looks nearly the same, and least squares stay on the side on which they
 * begin; the way's small bends tell the sides apart, and with the wrong side the bias is wrong. So
 * they are begun all round. */
#include <math.h>

#include "calibration/trajectory/time_offset_data.h"

enum { TURNS = 12 };

/* Middle of the way, and its direction: that of the largest moment, by iteration. */
static bool find_axis(const struct offset_data *data, double offset_s, nfsar_vec3 *middle,
                      nfsar_vec3 *axis) {
    double moment[3][3] = {{0.0}};
    nfsar_vec3 sum = {0};
    size_t n = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t w = 0; w < data->n_window; w++) {
            const struct sight sight = offset_sight(data, data->middle_s[w], offset_s);
            const nfsar_vec3 at = nfsar_vec3_subtract(nfsar_vec3_midpoint(sight.tx, sight.rx),
                                                      pass == 0 ? (nfsar_vec3){0} : *middle);
            const double v[3] = {at.x, at.y, at.z};
            if (sight.told && pass == 0) {
                sum = nfsar_vec3_add(sum, at);
                n++;
            }
            for (int i = 0; sight.told && pass == 1 && i < 9; i++) {
                moment[i / 3][i % 3] += v[i / 3] * v[i % 3];
            }
        }
        *middle = nfsar_vec3_scale(sum, 1.0 / (double)(n > 0 ? n : 1));
    }
    *axis = (nfsar_vec3){0.5, 0.6, 0.62};
    for (int i = 0; i < 50; i++) {
        const nfsar_vec3 a = *axis;
        *axis = (nfsar_vec3){moment[0][0] * a.x + moment[0][1] * a.y + moment[0][2] * a.z,
                             moment[1][0] * a.x + moment[1][1] * a.y + moment[1][2] * a.z,
                             moment[2][0] * a.x + moment[2][1] * a.y + moment[2][2] * a.z};
        const double norm = nfsar_vec3_norm(*axis);
        if (!(norm > 0.0)) {
            return false;
        }
        *axis = nfsar_vec3_scale(*axis, 1.0 / norm);
    }
    return true;
}

/* Whether the radar looks away from a place, on the whole. */
static bool is_behind(const struct offset_data *data, double offset_s, nfsar_vec3 place) {
    double sum = 0.0;
    for (size_t w = 0; w < data->n_window; w++) {
        const struct sight sight = offset_sight(data, data->middle_s[w], offset_s);
        const nfsar_vec3 at = nfsar_vec3_midpoint(sight.tx, sight.rx);
        const nfsar_vec3 ahead =
            nfsar_vec3_subtract(offset_ahead(data, data->middle_s[w], offset_s), at);
        const nfsar_vec3 to = nfsar_vec3_subtract(place, at);
        sum += sight.told ? ahead.x * to.x + ahead.y * to.y + ahead.z * to.z : 0.0;
    }
    return sum < 0.0;
}

static nfsar_vec3 turned(nfsar_vec3 place, nfsar_vec3 middle, nfsar_vec3 axis, double angle) {
    const nfsar_quaternion q = nfsar_quaternion_from_axis_angle(axis, angle);
    return nfsar_vec3_add(middle, nfsar_quaternion_rotate(q, nfsar_vec3_subtract(place, middle)));
}

enum nfsar_status offset_bias(const struct offset_data *data, const struct offset_maps *maps,
                              struct offset_state *state, nfsar_error *error) {
    nfsar_vec3 middle, axis;
    if (state->known || state->bias_sigma_m < 0.25 * data->cell_m ||
        !find_axis(data, state->offset_s, &middle, &axis)) {
        return NFSAR_OK;
    }
    struct offset_state best = *state;
    for (size_t k = 0; k < state->n; k++) {
        const struct offset_state start = best;
        const bool behind = is_behind(data, state->offset_s, start.place[k]);
        for (int i = 1; i < TURNS; i++) {
            struct offset_state trial = start;
            trial.place[k] = turned(start.place[k], middle, axis, 2.0 * NFSAR_PI * i / TURNS);
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
