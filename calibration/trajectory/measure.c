#include "calibration/trajectory/measure.h"

#include <math.h>

/* A beam that meets the surface under a smaller sine says nothing of the distance. */
#define GRAZING 0.1

static const double steps[ERRORS] = {1e-4, 1e-4, 1e-4, 1e-4, 1e-4, 1e-4, 1e-5, 1e-5, 1e-5, 1e-4,
                                     1e-4, 1e-4, 1e-5, 1e-5, 1e-5, 1e-4, 1e-4, 1e-4, 1e-4};

void surface_axes(struct scene_of_sensors *scene, nfsar_vec3 normal) {
    const nfsar_vec3 n = nfsar_vec3_scale(normal, 1.0 / nfsar_vec3_norm(normal));
    const nfsar_vec3 aside = fabs(n.x) < 0.7 ? (nfsar_vec3){1, 0, 0} : (nfsar_vec3){0, 1, 0};
    scene->normal = n;
    scene->first = nfsar_vec3_subtract(aside, nfsar_vec3_scale(n, nfsar_vec3_dot(aside, n)));
    scene->first = nfsar_vec3_scale(scene->first, 1.0 / nfsar_vec3_norm(scene->first));
    scene->second = nfsar_vec3_cross(n, scene->first);
}

static nfsar_vec3 normal_of(const struct scene_of_sensors *scene, const struct state *state) {
    const double a = state->normal[0], b = state->normal[1];
    const double rest = sqrt(fmax(1.0 - a * a - b * b, 0.0));
    return nfsar_vec3_add(
        nfsar_vec3_scale(scene->normal, rest),
        nfsar_vec3_add(nfsar_vec3_scale(scene->first, a), nfsar_vec3_scale(scene->second, b)));
}

/* From the IMU, whose point the state is of, to the sensor, body axes. */
static nfsar_vec3 lever(const struct scene_of_sensors *scene, const nfsar_mounting *mounting) {
    return nfsar_vec3_subtract(mounting->at_m, scene->pod->imu.mounting.at_m);
}

static nfsar_vec3 place(const struct scene_of_sensors *scene, const nfsar_mounting *mounting,
                        const struct state *state) {
    return nfsar_vec3_add(state->position,
                          nfsar_quaternion_rotate(state->rotation, lever(scene, mounting)));
}

double surface_distance(const struct scene_of_sensors *scene, const nfsar_mounting *mounting,
                        const struct state *state) {
    const nfsar_quaternion turn = nfsar_quaternion_multiply(state->rotation, mounting->rotation);
    const nfsar_vec3 beam = nfsar_quaternion_rotate(turn, (nfsar_vec3){0, 0, 1});
    const nfsar_vec3 n = normal_of(scene, state);
    const double sine = nfsar_vec3_dot(n, beam);
    return sine > GRAZING
               ? (state->distance - nfsar_vec3_dot(n, place(scene, mounting, state))) / sine
               : -1.0;
}

static int measure_range(const struct scene_of_sensors *scene, const nfsar_range_record *record,
                         const struct state *state, double *residual, double *variance) {
    const double range = surface_distance(scene, &scene->pod->range.mounting, state);
    residual[0] = record->range_m - range;
    variance[0] = scene->pod->range.sigma_m * scene->pod->range.sigma_m;
    return range > 0.0 ? 1 : 0;
}

static int measure_flow(const struct scene_of_sensors *scene, const nfsar_flow_record *record,
                        const struct state *state, double *residual, double *variance) {
    const nfsar_pod *pod = scene->pod;
    const nfsar_mounting *m = &pod->flow.mounting;
    const double range = surface_distance(scene, m, state);
    const nfsar_vec3 rate = nfsar_vec3_subtract(scene->rate, state->rate_bias);
    nfsar_vec3 velocity =
        nfsar_quaternion_rotate(nfsar_quaternion_conjugate(state->rotation), state->velocity);
    velocity = nfsar_vec3_add(velocity, nfsar_vec3_cross(rate, lever(scene, m)));
    const nfsar_quaternion into = nfsar_quaternion_conjugate(m->rotation);
    const nfsar_vec3 v = nfsar_quaternion_rotate(into, velocity);
    const nfsar_vec3 w = nfsar_quaternion_rotate(into, rate);
    const double t = record->interval_s, scale = t * (1.0 + state->flow_scale);
    residual[0] = record->motion_rad[0] - scale * (v.x / range + w.y);
    residual[1] = record->motion_rad[1] - scale * (v.y / range - w.x);
    const double gyroscope = pod->imu.rate.density;
    variance[0] = variance[1] =
        pod->flow.sigma_rad * pod->flow.sigma_rad + gyroscope * gyroscope * t;
    return range > 0.0 ? 2 : 0;
}

static int measure_tracker(const struct scene_of_sensors *scene, const nfsar_tracker_record *record,
                           const struct state *state, double *residual, double *variance) {
    const nfsar_pod *pod = scene->pod;
    const nfsar_mounting *m = &pod->tracker.mounting;
    const nfsar_vec3 at = nfsar_vec3_subtract(record->pose.position, place(scene, m, state));
    residual[0] = at.x;
    residual[1] = at.y;
    residual[2] = at.z;
    variance[0] = variance[1] = variance[2] = pod->tracker.sigma_m * pod->tracker.sigma_m;
    if (pod->tracker.sigma_rad <= 0.0) {
        return 3;
    }
    const nfsar_quaternion turn = nfsar_quaternion_multiply(state->rotation, m->rotation);
    const nfsar_vec3 off = rotation_log(
        nfsar_quaternion_multiply(record->pose.orientation, nfsar_quaternion_conjugate(turn)));
    residual[3] = off.x;
    residual[4] = off.y;
    residual[5] = off.z;
    variance[3] = variance[4] = variance[5] = pod->tracker.sigma_rad * pod->tracker.sigma_rad;
    return 6;
}

static int measure_encoder(const struct scene_of_sensors *scene, const nfsar_encoder_record *record,
                           const struct state *state, double *residual, double *variance) {
    const nfsar_pod *pod = scene->pod;
    const nfsar_vec3 off =
        nfsar_vec3_subtract(record->position, place(scene, &pod->encoder.mounting, state));
    const double difference[3] = {off.x, off.y, off.z};
    const double sigma[3] = {pod->encoder.sigma_m.x, pod->encoder.sigma_m.y,
                             pod->encoder.sigma_m.z};
    int n = 0;
    for (int i = 0; i < 3; i++) {
        if (sigma[i] > 0.0) {
            residual[n] = difference[i];
            variance[n++] = sigma[i] * sigma[i];
        }
    }
    return n;
}

int measure(const struct scene_of_sensors *scene, const struct measurement *measurement,
            const struct state *state, double residual[MEASURED], double variance[MEASURED]) {
    switch (measurement->sensor) {
    case NFSAR_SENSOR_FLOW:
        return measure_flow(scene, measurement->record, state, residual, variance);
    case NFSAR_SENSOR_RANGE:
        return measure_range(scene, measurement->record, state, residual, variance);
    case NFSAR_SENSOR_TRACKER:
        return measure_tracker(scene, measurement->record, state, residual, variance);
    case NFSAR_SENSOR_ENCODER:
        return measure_encoder(scene, measurement->record, state, residual, variance);
    default:
        return 0;
    }
}

int measure_linear(const struct scene_of_sensors *scene, const struct measurement *measurement,
                   const struct state *state, double residual[MEASURED], double variance[MEASURED],
                   double *jacobian) {
    const int n = measure(scene, measurement, state, residual, variance);
    for (int column = 0; n > 0 && column < ERRORS; column++) {
        double error[ERRORS] = {0.0}, high[MEASURED], low[MEASURED], unused[MEASURED];
        struct state moved = *state;
        error[column] = steps[column];
        state_add(&moved, error);
        const int above = measure(scene, measurement, &moved, high, unused);
        moved = *state;
        error[column] = -steps[column];
        state_add(&moved, error);
        if (above != n || measure(scene, measurement, &moved, low, unused) != n) {
            return 0;
        }
        for (int row = 0; row < n; row++) {
            jacobian[row * ERRORS + column] = (low[row] - high[row]) / (2.0 * steps[column]);
        }
    }
    return n;
}
