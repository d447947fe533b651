/* What sensors would say along a path: exact kinematics, and noise as the pod has it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/simulation.h>

#include "calibration/trajectory/measure.h"
#include "calibration/trajectory/motion.h"
#include "calibration/trajectory/records.h"

/* 16 g and 2000 degrees/s: the full scale of such an IMU. */
#define ACCELERATION_SCALE 157.0
#define RATE_SCALE         35.0
#define RECORDS_LIMIT      1e8

/* Each sensor draws from streams of its own, so that one more changes no other. */
enum { STREAM_SENSOR = 20 };

struct world {
    const nfsar_pod *pod;
    const nfsar_sensor_rates *rates;
    const struct motion *motion;
    struct scene_of_sensors scene;
    struct state surface; /* distance and normal of it */
    double begin, end;    /* of the path */
};

static nfsar_vec3 normal3(nfsar_random *random, double sigma) {
    const double x = nfsar_random_normal(random), y = nfsar_random_normal(random),
                 z = nfsar_random_normal(random);
    return (nfsar_vec3){sigma * x, sigma * y, sigma * z};
}

/* ---- one sensor at rest in the body: where it is, and how it moves ---- */

static nfsar_vec3 sensor_place(const struct kinematics *k, const nfsar_mounting *m) {
    return nfsar_vec3_add(k->position, nfsar_quaternion_rotate(k->orientation, m->at_m));
}

/* The specific force at a lever arm, body axes: R^T (a - g) + rate' x l + rate x (rate x l). */
static nfsar_vec3 force_at(const struct kinematics *k, nfsar_vec3 arm, nfsar_vec3 gravity) {
    const nfsar_vec3 f = nfsar_quaternion_rotate(nfsar_quaternion_conjugate(k->orientation),
                                                 nfsar_vec3_subtract(k->acceleration, gravity));
    return nfsar_vec3_add(
        f, nfsar_vec3_add(nfsar_vec3_cross(k->rate_change, arm),
                          nfsar_vec3_cross(k->rate, nfsar_vec3_cross(k->rate, arm))));
}

static double distance_at(const struct world *w, const struct kinematics *k,
                          const nfsar_mounting *m) {
    /* measure.c reckons from the IMU's point. */
    struct state state = w->surface;
    state.position = sensor_place(k, &w->pod->imu.mounting);
    state.rotation = k->orientation;
    return surface_distance(&w->scene, m, &state);
}

/* ---- slow errors of the IMU ---- */

struct bias {
    nfsar_vec3 constant, slow, walk;
};

static void bias_start(struct bias *b, const nfsar_inertial_noise *noise, nfsar_random *random) {
    b->constant = normal3(random, noise->bias);
    b->slow = normal3(random, noise->instability);
    b->walk = (nfsar_vec3){0, 0, 0};
}

static nfsar_vec3 bias_next(struct bias *b, const nfsar_inertial_noise *noise, double t,
                            nfsar_random *random) {
    const double keep = noise->instability_s > 0.0 ? exp(-t / noise->instability_s) : 1.0;
    b->slow = nfsar_vec3_add(nfsar_vec3_scale(b->slow, keep),
                             normal3(random, noise->instability * sqrt(1.0 - keep * keep)));
    b->walk = nfsar_vec3_add(b->walk, normal3(random, noise->random_walk * sqrt(t)));
    return nfsar_vec3_add(b->constant, nfsar_vec3_add(b->slow, b->walk));
}

/* (I + errors) v. */
static nfsar_vec3 scaled(const double errors[9], nfsar_vec3 v) {
    return (nfsar_vec3){
        v.x + errors[0] * v.x + errors[1] * v.y + errors[2] * v.z,
        v.y + errors[3] * v.x + errors[4] * v.y + errors[5] * v.z,
        v.z + errors[6] * v.x + errors[7] * v.y + errors[8] * v.z,
    };
}

static bool too_much(nfsar_vec3 v, double limit) {
    return !(fmax(fabs(v.x), fmax(fabs(v.y), fabs(v.z))) <= limit);
}

/* ---- sensors ---- */

static size_t count(const struct world *w, double rate_hz) {
    return rate_hz > 0.0 ? (size_t)floor((w->end - w->begin) * rate_hz + 1e-6) + 1 : 0;
}

static double time_of(const struct world *w, double rate_hz, size_t i) {
    return fmin(w->begin + (double)i / rate_hz, w->end);
}

static enum nfsar_status make_imu(const struct world *w, nfsar_random *random,
                                  nfsar_sensor_records *out, nfsar_error *error) {
    const nfsar_pod *pod = w->pod;
    const nfsar_mounting *m = &pod->imu.mounting;
    const nfsar_quaternion into = nfsar_quaternion_conjugate(m->rotation);
    const double rate = w->rates->imu_hz, root = sqrt(rate);
    struct bias acceleration, turning;
    double errors[2][9];
    bias_start(&acceleration, &pod->imu.acceleration, random);
    bias_start(&turning, &pod->imu.rate, random);
    for (int i = 0; i < 18; i++) {
        errors[i / 9][i % 9] = w->rates->imu_scale * nfsar_random_normal(random);
    }
    for (size_t i = 0; i < out->n_imu; i++) {
        const double time = time_of(w, rate, i);
        const struct kinematics k = motion_at(w->motion, time);
        const nfsar_vec3 f = nfsar_quaternion_rotate(into, force_at(&k, m->at_m, pod->gravity));
        const nfsar_vec3 turn = nfsar_quaternion_rotate(into, k.rate);
        if (too_much(f, ACCELERATION_SCALE) || too_much(turn, RATE_SCALE)) {
            return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                              "at %.3f s the path asks for %.3g m/s^2 and %.3g rad/s, more than an "
                              "IMU can say: sensors need a path that a hand or a stage can follow",
                              time, nfsar_vec3_norm(f), nfsar_vec3_norm(turn));
        }
        const nfsar_vec3 a = bias_next(&acceleration, &pod->imu.acceleration, 1.0 / rate, random);
        const nfsar_vec3 g = bias_next(&turning, &pod->imu.rate, 1.0 / rate, random);
        out->imu[i] = (nfsar_imu_record){
            time - m->time_offset_s,
            nfsar_vec3_add(nfsar_vec3_add(scaled(errors[0], f), a),
                           normal3(random, pod->imu.acceleration.density * root)),
            nfsar_vec3_add(nfsar_vec3_add(scaled(errors[1], turn), g),
                           normal3(random, pod->imu.rate.density * root)),
        };
    }
    return NFSAR_OK;
}

static enum nfsar_status no_surface(const char *sensor, double time, nfsar_error *error) {
    return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                      "at %.3f s the %s sensor does not look at the surface: where are its normal "
                      "and its distance from the world's origin?",
                      time, sensor);
}

/* The rate of flow at a time (nfsar_flow_record); false when there is nothing to see. */
static bool flow_at(const struct world *w, double time, double flow[2]) {
    const nfsar_mounting *m = &w->pod->flow.mounting;
    const nfsar_quaternion into = nfsar_quaternion_conjugate(m->rotation);
    const struct kinematics k = motion_at(w->motion, time);
    const double range = distance_at(w, &k, m);
    const nfsar_vec3 body = nfsar_vec3_add(
        nfsar_quaternion_rotate(nfsar_quaternion_conjugate(k.orientation), k.velocity),
        nfsar_vec3_cross(k.rate, m->at_m));
    const nfsar_vec3 v = nfsar_quaternion_rotate(into, body);
    const nfsar_vec3 turn = nfsar_quaternion_rotate(into, k.rate);
    flow[0] = v.x / range + turn.y;
    flow[1] = v.y / range - turn.x;
    return range > 0.0;
}

/* Three-point Gauss-Legendre over the interval. */
static bool flow_between(const struct world *w, double from, double to, double motion[2]) {
    const double node[3] = {-0.774596669241483377, 0.0, 0.774596669241483377};
    const double weight[3] = {5.0 / 18.0, 8.0 / 18.0, 5.0 / 18.0};
    motion[0] = motion[1] = 0.0;
    for (int i = 0; i < 3; i++) {
        double flow[2];
        if (!flow_at(w, 0.5 * (from + to) + 0.5 * node[i] * (to - from), flow)) {
            return false;
        }
        motion[0] += weight[i] * (to - from) * flow[0];
        motion[1] += weight[i] * (to - from) * flow[1];
    }
    return true;
}

static enum nfsar_status make_flow(const struct world *w, nfsar_random *random,
                                   nfsar_sensor_records *out, nfsar_error *error) {
    const nfsar_pod *pod = w->pod;
    const double scale = 1.0 + pod->flow.scale_sigma * nfsar_random_normal(random);
    const double step = w->rates->flow_step_rad;
    double rest[2] = {0.0, 0.0};
    for (size_t i = 0; i < out->n_flow; i++) {
        const double from = time_of(w, w->rates->flow_hz, i);
        const double to = time_of(w, w->rates->flow_hz, i + 1);
        nfsar_flow_record *r = &out->flow[i];
        *r = (nfsar_flow_record){.time_s = to - pod->flow.mounting.time_offset_s,
                                 .interval_s = to - from,
                                 .quality = 100.0};
        if (!flow_between(w, from, to, r->motion_rad)) {
            return no_surface("flow", from, error);
        }
        for (int axis = 0; axis < 2; axis++) {
            double motion = scale * r->motion_rad[axis] +
                            pod->flow.sigma_rad * nfsar_random_normal(random) + rest[axis];
            if (step > 0.0) {
                const double counted = step * round(motion / step);
                rest[axis] = motion - counted;
                motion = counted;
            }
            r->motion_rad[axis] = motion;
        }
    }
    return NFSAR_OK;
}

static double rounded(double value, double step) {
    return step > 0.0 ? step * round(value / step) : value;
}

static enum nfsar_status make_range(const struct world *w, nfsar_random *random,
                                    nfsar_sensor_records *out, nfsar_error *error) {
    const nfsar_pod *pod = w->pod;
    const double offset = pod->range.offset_m * nfsar_random_normal(random);
    for (size_t i = 0; i < out->n_range; i++) {
        const double time = time_of(w, w->rates->range_hz, i);
        const struct kinematics k = motion_at(w->motion, time);
        const double range = distance_at(w, &k, &pod->range.mounting);
        if (!(range > 0.0)) {
            return no_surface("range", time, error);
        }
        const double said = range + offset + pod->range.sigma_m * nfsar_random_normal(random);
        out->range[i] = (nfsar_range_record){time - pod->range.mounting.time_offset_s,
                                             rounded(said, w->rates->range_step_m)};
    }
    return NFSAR_OK;
}

static void make_tracker(const struct world *w, nfsar_random *random, nfsar_sensor_records *out) {
    const nfsar_pod *pod = w->pod;
    const nfsar_mounting *m = &pod->tracker.mounting;
    for (size_t i = 0; i < out->n_tracker; i++) {
        const double time = time_of(w, w->rates->tracker_hz, i);
        const struct kinematics k = motion_at(w->motion, time);
        const nfsar_vec3 off = normal3(random, pod->tracker.sigma_m);
        const nfsar_vec3 turn = normal3(random, pod->tracker.sigma_rad);
        out->tracker[i] = (nfsar_tracker_record){
            time - m->time_offset_s,
            {nfsar_vec3_add(sensor_place(&k, m), off),
             nfsar_quaternion_multiply(rotation_exp(turn),
                                       nfsar_quaternion_multiply(k.orientation, m->rotation))}};
    }
}

static void make_encoder(const struct world *w, nfsar_random *random, nfsar_sensor_records *out) {
    const nfsar_pod *pod = w->pod;
    const nfsar_vec3 sigma = pod->encoder.sigma_m;
    const double step = w->rates->encoder_step_m;
    for (size_t i = 0; i < out->n_encoder; i++) {
        const double time = time_of(w, w->rates->encoder_hz, i);
        const struct kinematics k = motion_at(w->motion, time);
        const nfsar_vec3 at = sensor_place(&k, &pod->encoder.mounting), off = normal3(random, 1.0);
        out->encoder[i] = (nfsar_encoder_record){time - pod->encoder.mounting.time_offset_s,
                                                 {rounded(at.x + sigma.x * off.x, step),
                                                  rounded(at.y + sigma.y * off.y, step),
                                                  rounded(at.z + sigma.z * off.z, step)}};
    }
}

/* ---- all of them ---- */

static enum nfsar_status check(const nfsar_sensor_rates *rates, const double *time_s, size_t n,
                               nfsar_error *error) {
    const double hz[] = {rates->imu_hz, rates->flow_hz, rates->range_hz, rates->tracker_hz,
                         rates->encoder_hz};
    if (n < 4) {
        return nfsar_fail(error, NFSAR_ERROR_GEOMETRY,
                          "a path of %zu poses has no motion that sensors could see; 4 are the "
                          "least",
                          n);
    }
    for (size_t i = 1; i < n; i++) {
        if (!(time_s[i] > time_s[i - 1])) {
            return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                              "times of poses must ascend, %zu does not", i);
        }
    }
    for (size_t i = 0; i < sizeof hz / sizeof hz[0]; i++) {
        if (!(hz[i] >= 0.0) || !(hz[i] * (time_s[n - 1] - time_s[0]) < RECORDS_LIMIT)) {
            return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "%s at %g Hz over %g s cannot be",
                              nfsar_sensor_name((enum nfsar_sensor)i), hz[i],
                              time_s[n - 1] - time_s[0]);
        }
    }
    return NFSAR_OK;
}

static enum nfsar_status allocate(const struct world *w, nfsar_sensor_records *out,
                                  nfsar_error *error) {
    out->n_imu = count(w, w->rates->imu_hz);
    out->n_flow = count(w, w->rates->flow_hz);
    out->n_flow -= out->n_flow > 0; /* a record for each interval */
    out->n_range = count(w, w->rates->range_hz);
    out->n_tracker = count(w, w->rates->tracker_hz);
    out->n_encoder = count(w, w->rates->encoder_hz);
    out->imu = calloc(out->n_imu + 1, sizeof *out->imu);
    out->flow = calloc(out->n_flow + 1, sizeof *out->flow);
    out->range = calloc(out->n_range + 1, sizeof *out->range);
    out->tracker = calloc(out->n_tracker + 1, sizeof *out->tracker);
    out->encoder = calloc(out->n_encoder + 1, sizeof *out->encoder);
    return out->imu != NULL && out->flow != NULL && out->range != NULL && out->tracker != NULL &&
                   out->encoder != NULL
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for the sensors' records");
}

static enum nfsar_status make_all(const struct world *w, uint64_t seed, nfsar_sensor_records *out,
                                  nfsar_error *error) {
    nfsar_random random[NFSAR_SENSORS];
    for (int s = 0; s < NFSAR_SENSORS; s++) {
        nfsar_random_stream(&random[s], seed, (uint64_t)(STREAM_SENSOR + s));
    }
    enum nfsar_status status = allocate(w, out, error);
    if (status == NFSAR_OK) {
        status = make_imu(w, &random[NFSAR_SENSOR_IMU], out, error);
    }
    if (status == NFSAR_OK) {
        status = make_flow(w, &random[NFSAR_SENSOR_FLOW], out, error);
    }
    if (status == NFSAR_OK) {
        status = make_range(w, &random[NFSAR_SENSOR_RANGE], out, error);
    }
    if (status == NFSAR_OK) {
        make_tracker(w, &random[NFSAR_SENSOR_TRACKER], out);
        make_encoder(w, &random[NFSAR_SENSOR_ENCODER], out);
    }
    return status;
}

enum nfsar_status nfsar_sensors_simulate(const nfsar_pod *pod, const nfsar_sensor_rates *rates,
                                         const double *time_s, const nfsar_pose *pose, size_t n,
                                         unsigned long long seed, nfsar_sensor_records *records,
                                         nfsar_error *error) {
    struct motion motion;
    memset(records, 0, sizeof *records);
    enum nfsar_status status = pod_check(pod, error);
    if (status == NFSAR_OK) {
        status = check(rates, time_s, n, error);
    }
    if (status == NFSAR_OK) {
        status = motion_make(&motion, time_s, pose, n, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    struct world w = {
        .pod = pod,
        .rates = rates,
        .motion = &motion,
        .scene.pod = pod,
        .surface.distance = rates->wall_m,
        .surface.normal = {sin(rates->wall_tilt_rad[0]), sin(rates->wall_tilt_rad[1])},
        .begin = time_s[0],
        .end = time_s[n - 1]};
    const bool given = nfsar_vec3_norm(pod->surface.normal) > 0.0;
    surface_axes(&w.scene, given ? pod->surface.normal : (nfsar_vec3){0, 0, 1});
    status = make_all(&w, seed, records, error);
    motion_free(&motion);
    if (status != NFSAR_OK) {
        nfsar_sensor_records_free(records);
    }
    return status;
}
