#include "calibration/trajectory/state.h"

#include <math.h>
#include <string.h>

nfsar_quaternion rotation_exp(nfsar_vec3 vector) {
    return nfsar_quaternion_from_axis_angle(vector, nfsar_vec3_norm(vector));
}

nfsar_vec3 rotation_log(nfsar_quaternion q) {
    const double sign = q.w < 0.0 ? -1.0 : 1.0;
    const nfsar_vec3 v = {sign * q.x, sign * q.y, sign * q.z};
    const double sine = nfsar_vec3_norm(v);
    const double angle = 2.0 * atan2(sine, sign * q.w);
    return nfsar_vec3_scale(v, sine > 1e-12 ? angle / sine : 2.0);
}

static nfsar_vec3 part(const double *error, int at) {
    return (nfsar_vec3){error[at], error[at + 1], error[at + 2]};
}

static void put(double *error, int at, nfsar_vec3 v) {
    error[at] = v.x;
    error[at + 1] = v.y;
    error[at + 2] = v.z;
}

void state_add(struct state *state, const double error[ERRORS]) {
    state->position = nfsar_vec3_add(state->position, part(error, POSITION));
    state->velocity = nfsar_vec3_add(state->velocity, part(error, VELOCITY));
    state->rotation = nfsar_quaternion_normalize(
        nfsar_quaternion_multiply(rotation_exp(part(error, ROTATION)), state->rotation));
    state->acceleration_bias =
        nfsar_vec3_add(state->acceleration_bias, part(error, ACCELERATION_BIAS));
    state->rate_bias = nfsar_vec3_add(state->rate_bias, part(error, RATE_BIAS));
    state->distance += error[DISTANCE];
    state->normal[0] += error[NORMAL];
    state->normal[1] += error[NORMAL + 1];
    state->flow_scale += error[FLOW_SCALE];
}

void state_subtract(const struct state *a, const struct state *b, double error[ERRORS]) {
    put(error, POSITION, nfsar_vec3_subtract(a->position, b->position));
    put(error, VELOCITY, nfsar_vec3_subtract(a->velocity, b->velocity));
    put(error, ROTATION,
        rotation_log(
            nfsar_quaternion_multiply(a->rotation, nfsar_quaternion_conjugate(b->rotation))));
    put(error, ACCELERATION_BIAS, nfsar_vec3_subtract(a->acceleration_bias, b->acceleration_bias));
    put(error, RATE_BIAS, nfsar_vec3_subtract(a->rate_bias, b->rate_bias));
    error[DISTANCE] = a->distance - b->distance;
    error[NORMAL] = a->normal[0] - b->normal[0];
    error[NORMAL + 1] = a->normal[1] - b->normal[1];
    error[FLOW_SCALE] = a->flow_scale - b->flow_scale;
}

/* Orientation in the middle of the step, which is right to the second order. */
static nfsar_quaternion middle(const struct state *state, const struct step *step) {
    const nfsar_vec3 rate = nfsar_vec3_subtract(step->rate, state->rate_bias);
    return nfsar_quaternion_multiply(state->rotation,
                                     rotation_exp(nfsar_vec3_scale(rate, 0.5 * step->seconds)));
}

static nfsar_vec3 force(const struct state *state, const struct step *step) {
    return nfsar_quaternion_rotate(
        middle(state, step), nfsar_vec3_subtract(step->acceleration, state->acceleration_bias));
}

void state_propagate(struct state *state, const struct step *step, nfsar_vec3 gravity) {
    const double t = step->seconds;
    const nfsar_vec3 acceleration = nfsar_vec3_add(force(state, step), gravity);
    const nfsar_vec3 rate = nfsar_vec3_subtract(step->rate, state->rate_bias);
    state->position = nfsar_vec3_add(state->position,
                                     nfsar_vec3_add(nfsar_vec3_scale(state->velocity, t),
                                                    nfsar_vec3_scale(acceleration, 0.5 * t * t)));
    state->velocity = nfsar_vec3_add(state->velocity, nfsar_vec3_scale(acceleration, t));
    state->rotation = nfsar_quaternion_normalize(
        nfsar_quaternion_multiply(state->rotation, rotation_exp(nfsar_vec3_scale(rate, t))));
}

/* The columns of a rotation are the turned axes. */
static void put_rotation(double *to, int row, int column, nfsar_quaternion q, double factor) {
    const nfsar_vec3 axis[3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
    for (int j = 0; j < 3; j++) {
        const nfsar_vec3 v = nfsar_vec3_scale(nfsar_quaternion_rotate(q, axis[j]), factor);
        to[row * ERRORS + column + j] = v.x;
        to[(row + 1) * ERRORS + column + j] = v.y;
        to[(row + 2) * ERRORS + column + j] = v.z;
    }
}

static void put_cross(double *to, int row, int column, nfsar_vec3 v, double factor) {
    const double m[3][3] = {{0, -v.z, v.y}, {v.z, 0, -v.x}, {-v.y, v.x, 0}};
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            to[(row + i) * ERRORS + column + j] = factor * m[i][j];
        }
    }
}

void state_transition(const struct state *before, const struct step *step, double *transition) {
    const double t = step->seconds;
    const nfsar_quaternion q = middle(before, step);
    const nfsar_vec3 f = force(before, step);
    memset(transition, 0, ERRORS * ERRORS * sizeof *transition);
    for (int i = 0; i < ERRORS; i++) {
        transition[i * ERRORS + i] = 1.0;
    }
    for (int i = 0; i < 3; i++) {
        transition[(POSITION + i) * ERRORS + VELOCITY + i] = t;
    }
    put_cross(transition, POSITION, ROTATION, f, -0.5 * t * t);
    put_cross(transition, VELOCITY, ROTATION, f, -t);
    put_rotation(transition, POSITION, ACCELERATION_BIAS, q, -0.5 * t * t);
    put_rotation(transition, VELOCITY, ACCELERATION_BIAS, q, -t);
    put_rotation(transition, ROTATION, RATE_BIAS, q, -t);
}

/* Slow parts of the bias as the random walk that grows like them at first. */
static double walk(const nfsar_inertial_noise *noise) {
    const double slow = noise->instability_s > 0.0
                            ? 2.0 * noise->instability * noise->instability / noise->instability_s
                            : 0.0;
    return noise->random_walk * noise->random_walk + slow;
}

/* R diag(density) R^T: noise along the body's axes in the world's. */
static void turn_noise(nfsar_quaternion rotation, const double density[3], double out[3][3]) {
    const nfsar_vec3 axis[3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
    memset(out, 0, 9 * sizeof(double));
    for (int k = 0; k < 3; k++) {
        const nfsar_vec3 v = nfsar_quaternion_rotate(rotation, axis[k]);
        const double u[3] = {v.x, v.y, v.z};
        for (int i = 0; i < 3; i++) {
            for (int j = 0; j < 3; j++) {
                out[i][j] += density[k] * u[i] * u[j];
            }
        }
    }
}

void state_noise(const nfsar_pod *pod, const struct state *before, const struct step *step,
                 double *noise) {
    const double t = step->seconds;
    const double a = pod->imu.acceleration.density, w = pod->imu.rate.density;
    double pushed[3] = {a * a, a * a, a * a}, turned[3] = {w * w, w * w, w * w};
    double push[3][3], turn[3][3];
    for (int i = 0; step->unseen != NULL && i < 3; i++) {
        pushed[i] += step->unseen->acceleration[i];
        turned[i] += step->unseen->rate[i];
    }
    turn_noise(middle(before, step), pushed, push);
    turn_noise(middle(before, step), turned, turn);
    memset(noise, 0, ERRORS * ERRORS * sizeof *noise);
    for (int i = 0; i < 3; i++) {
        const int p = POSITION + i, v = VELOCITY + i, r = ROTATION + i;
        for (int j = 0; j < 3; j++) {
            noise[p * ERRORS + POSITION + j] = push[i][j] * t * t * t / 3.0;
            noise[p * ERRORS + VELOCITY + j] = 0.5 * push[i][j] * t * t;
            noise[v * ERRORS + POSITION + j] = 0.5 * push[i][j] * t * t;
            noise[v * ERRORS + VELOCITY + j] = push[i][j] * t;
            noise[r * ERRORS + ROTATION + j] = turn[i][j] * t;
        }
    }
    for (int i = 0; i < 3; i++) {
        const int b = ACCELERATION_BIAS + i, c = RATE_BIAS + i;
        noise[b * ERRORS + b] = walk(&pod->imu.acceleration) * t;
        noise[c * ERRORS + c] = walk(&pod->imu.rate) * t;
    }
}
