/* The state of the filter, its error, and how both go on in time (docs/theory/trajectory.md).
 *
 * The nominal state is of the IMU's point, with the body's axes. Its error has ERRORS entries:
 * additive, but for the rotation, of which R = exp([error]x) R_nominal, in world axes. */
#ifndef NFSAR_CALIBRATION_TRAJECTORY_STATE_H
#define NFSAR_CALIBRATION_TRAJECTORY_STATE_H

#include <nfsar/trajectory.h>

enum {
    POSITION = 0,
    VELOCITY = 3,
    ROTATION = 6,
    ACCELERATION_BIAS = 9,
    RATE_BIAS = 12,
    DISTANCE = 15, /* of the surface */
    NORMAL = 16,   /* two components of its normal */
    FLOW_SCALE = 18,
    ERRORS = 19
};

struct state {
    nfsar_vec3 position, velocity;
    nfsar_quaternion rotation;
    nfsar_vec3 acceleration_bias, rate_bias;
    double distance; /* n . s = distance for points s of the surface */
    double normal[2];
    double flow_scale; /* relative */
};

/* What the straight line between the readings at both ends of a gap of the IMU leaves out, as white
 * noise along the body's axes: densities squared, (m/s^2)^2/Hz and (rad/s)^2/Hz. */
struct unseen {
    double acceleration[3], rate[3];
};

/* A reading of the IMU in body axes, taken to hold for a step. */
struct step {
    double seconds;
    nfsar_vec3 acceleration, rate;
    const struct unseen *unseen; /* in a gap; else NULL */
};

/* state (+) error. */
void state_add(struct state *state, const double error[ERRORS]);
/* error of a against b: a = b (+) error. */
void state_subtract(const struct state *a, const struct state *b, double error[ERRORS]);

/* The rotation of a small vector, and the vector of a rotation. */
nfsar_quaternion rotation_exp(nfsar_vec3 vector);
nfsar_vec3 rotation_log(nfsar_quaternion q);

/* One step on. */
void state_propagate(struct state *state, const struct step *step, nfsar_vec3 gravity);
/* What the error is multiplied by in that step, from the state before it, and what noise it gets;
 * [ERRORS][ERRORS]. */
void state_transition(const struct state *before, const struct step *step, double *transition);
void state_noise(const nfsar_pod *pod, const struct state *before, const struct step *step,
                 double *noise);

#endif
