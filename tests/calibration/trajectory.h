/* A hand's path, a consumer's sensors, and how honest a track is: for the tests of trajectories. */
#ifndef NFSAR_TESTS_CALIBRATION_TRAJECTORY_H
#define NFSAR_TESTS_CALIBRATION_TRAJECTORY_H

#include "tests/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/simulation.h>
#include <nfsar/trajectory.h>

enum { POSES = 5501 };
#define RATE   500.0
#define DEGREE (NFSAR_PI / 180.0)

/* A hand at rest for a second, then lines of 20 cm to and fro while it wanders and sways. */
struct path {
    double time[POSES];
    nfsar_pose pose[POSES];
};

/* From 0 to 1 within a second and a half from the first second on, with four derivatives. */
static inline double ramp(double t) {
    const double s = fmin(fmax((t - 1.0) / 1.5, 0.0), 1.0);
    return s * s * s * s * s * (126 + s * (-420 + s * (540 + s * (-315 + s * 70))));
}

static inline void make_path(struct path *path, unsigned long long seed) {
    nfsar_random random;
    double phase[6];
    nfsar_random_seed(&random, seed);
    for (int i = 0; i < 6; i++) {
        phase[i] = 2.0 * NFSAR_PI * nfsar_random_uniform(&random);
    }
    for (size_t i = 0; i < POSES; i++) {
        const double t = (double)i / RATE, on = ramp(t);
        const nfsar_vec3 turn = {on * 2 * DEGREE * sin(1.3 * t + phase[0]),
                                 on * 2 * DEGREE * sin(0.9 * t + phase[1]),
                                 on * 1 * DEGREE * sin(1.1 * t + phase[2])};
        path->time[i] = 100.0 + t;
        path->pose[i].position =
            (nfsar_vec3){-0.1 * on * cos(NFSAR_PI * (t - 1.0) / 1.25),
                         on * (0.006 * (t - 6.0) + 3e-3 * sin(1.7 * t + phase[3])),
                         on * (5e-3 * sin(1.2 * t + phase[4]) + 2e-3 * sin(3.1 * t + phase[5]))};
        path->pose[i].orientation = nfsar_quaternion_from_axis_angle(turn, nfsar_vec3_norm(turn));
    }
}

static inline nfsar_sensor_rates consumer(void) {
    return (nfsar_sensor_rates){.imu_hz = 1000.0,
                                .flow_hz = 100.0,
                                .range_hz = 50.0,
                                .flow_step_rad = 1.0 / 10.5 * DEGREE,
                                .range_step_m = 1e-3,
                                .wall_tilt_rad = {2 * DEGREE, -1.5 * DEGREE},
                                .wall_m = 0.35};
}

static inline nfsar_pod pod_of_hand(void) {
    nfsar_pod pod = nfsar_pod_defaults();
    pod.imu.mounting.at_m = (nfsar_vec3){0.03, -0.02, -0.01};
    pod.flow.mounting.at_m = (nfsar_vec3){-0.04, 0.01, 0.0};
    pod.range.mounting.at_m = (nfsar_vec3){-0.03, 0.01, 0.0};
    return pod;
}

static const nfsar_vec3 up = {0, 1, 0};

static struct path path;

static inline void find(const nfsar_pod *pod, const nfsar_sensor_records *records,
                        nfsar_trajectory *trajectory) {
    nfsar_error error;
    assert_ok(nfsar_trajectory_find(pod, records, path.time, POSES, 1.0, trajectory, &error),
              error);
}

/* y^T C^-1 y for the first n of a pose's six components, C as in a trajectory [6][6]; y is used up.
 */
static inline double normalised_square(const double *covariance, int n, double *y) {
    double l[6][6], sum = 0.0;
    for (int r = 0; r < n; r++) {
        for (int c = 0; c <= r; c++) {
            double s = covariance[6 * r + c];
            for (int k = 0; k < c; k++) {
                s -= l[r][k] * l[c][k];
            }
            assert_true(r != c || s > 0.0);
            l[r][c] = r == c ? sqrt(s) : s / l[c][c];
        }
        for (int k = 0; k < r; k++) {
            y[r] -= l[r][k] * y[k];
        }
        y[r] /= l[r][r];
        sum += y[r] * y[r];
    }
    return sum;
}

/* Mean over poses of e^T C^-1 e / 6 (NEES), with e the error of position and rotation. */
static inline double pose_nees(const nfsar_trajectory *t, const nfsar_pose *truth, size_t every) {
    double sum = 0.0;
    size_t n = 0;
    for (size_t i = 0; i < t->n; i += every, n++) {
        const nfsar_vec3 p = nfsar_vec3_subtract(truth[i].position, t->pose[i].position);
        nfsar_quaternion back = t->pose[i].orientation;
        back = nfsar_quaternion_conjugate(back);
        const nfsar_quaternion q = nfsar_quaternion_multiply(truth[i].orientation, back);
        const double sign = q.w < 0 ? -2.0 : 2.0;
        double y[6] = {p.x, p.y, p.z, sign * q.x, sign * q.y, sign * q.z};
        sum += normalised_square(&t->covariance[36 * i], 6, y);
    }
    return sum / (double)n / 6.0;
}

/* What sensors say along the path of that seed, which is left in `path`. */
static inline nfsar_sensor_records simulated(const nfsar_pod *pod, const nfsar_sensor_rates *rates,
                                             unsigned long long seed) {
    nfsar_error error;
    nfsar_sensor_records records;
    make_path(&path, seed);
    assert_ok(
        nfsar_sensors_simulate(pod, rates, path.time, path.pose, POSES, seed, &records, &error),
        error);
    return records;
}

static inline nfsar_quaternion turned(double x, double y, double z) {
    const nfsar_vec3 axis = {x, y, z};
    return nfsar_quaternion_from_axis_angle(axis, nfsar_vec3_norm(axis));
}

static inline nfsar_inertial_noise silent(void) {
    return (nfsar_inertial_noise){.density = 1e-9, .bias = 1e-9};
}

#endif
