/* A path that can be differentiated twice: a cubic spline through poses. */
#ifndef NFSAR_CALIBRATION_TRAJECTORY_MOTION_H
#define NFSAR_CALIBRATION_TRAJECTORY_MOTION_H

#include "calibration/trajectory/state.h"

/* Position and (unnormalised) quaternion as seven natural cubic splines. */
enum { CURVES = 7 };

struct motion {
    const double *time_s; /* [n], the caller's */
    size_t n;
    double *value; /* [n][CURVES] */
    double *bend;  /* [n][CURVES] second derivatives */
};

/* What moves how at a time, of the body's origin. */
struct kinematics {
    nfsar_vec3 position, velocity, acceleration; /* world */
    nfsar_quaternion orientation;
    nfsar_vec3 rate, rate_change; /* body axes, rad/s and rad/s^2 */
};

enum nfsar_status motion_make(struct motion *motion, const double *time_s, const nfsar_pose *pose,
                              size_t n, nfsar_error *error);
void motion_free(struct motion *motion);
/* At a time within the poses'. */
struct kinematics motion_at(const struct motion *motion, double time_s);

#endif
