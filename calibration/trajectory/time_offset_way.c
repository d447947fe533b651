#include "calibration/trajectory/time_offset_way.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static nfsar_vec3 without(nfsar_vec3 v, nfsar_vec3 axis) {
    return nfsar_vec3_subtract(v, nfsar_vec3_scale(axis, nfsar_vec3_dot(v, axis)));
}

/* The direction of the largest moment across another, by iteration, and the rms along it. */
static double principal(const struct way *way, nfsar_vec3 across, nfsar_vec3 *axis) {
    double square = 0.0;
    *axis = without((nfsar_vec3){0.5, 0.6, 0.62}, across);
    for (int round = 0; round < 50; round++) {
        nfsar_vec3 sum = {0};
        square = 0.0;
        for (size_t i = 0; i < way->n; i++) {
            const nfsar_vec3 off = nfsar_vec3_subtract(way->at[i], way->middle);
            const double along = nfsar_vec3_dot(off, *axis);
            sum = nfsar_vec3_add(sum, nfsar_vec3_scale(off, along));
            square += along * along / (double)way->n;
        }
        sum = without(sum, across);
        const double norm = nfsar_vec3_norm(sum);
        if (!(norm > 0.0)) {
            return 0.0;
        }
        *axis = nfsar_vec3_scale(sum, 1.0 / norm);
    }
    return sqrt(square);
}

bool way_find(const struct offset_data *data, double offset_s, struct way *way) {
    *way = (struct way){0};
    way->at = malloc(data->n_window * sizeof *way->at);
    for (size_t w = 0; way->at != NULL && w < data->n_window; w++) {
        const struct sight sight = offset_sight(data, data->middle_s[w], offset_s);
        if (sight.told) {
            way->at[way->n] = nfsar_vec3_midpoint(sight.tx, sight.rx);
            way->middle = nfsar_vec3_add(way->middle, way->at[way->n++]);
        }
    }
    if (way->n > 0) {
        way->middle = nfsar_vec3_scale(way->middle, 1.0 / (double)way->n);
        way->length[0] = principal(way, (nfsar_vec3){0}, &way->axis[0]);
        way->length[1] = principal(way, way->axis[0], &way->axis[1]);
    }
    return way->at != NULL;
}

void way_free(struct way *way) {
    free(way->at);
    memset(way, 0, sizeof *way);
}
