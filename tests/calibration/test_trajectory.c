/* Trajectories: what the filter and smoother say against the true path, and whether they know how
 * wrong they are. */
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
static double ramp(double t) {
    const double s = fmin(fmax((t - 1.0) / 1.5, 0.0), 1.0);
    return s * s * s * s * s * (126 + s * (-420 + s * (540 + s * (-315 + s * 70))));
}

static void make_path(struct path *path, unsigned long long seed) {
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

static nfsar_sensor_rates consumer(void) {
    return (nfsar_sensor_rates){.imu_hz = 1000.0,
                                .flow_hz = 100.0,
                                .range_hz = 50.0,
                                .flow_step_rad = 1.0 / 10.5 * DEGREE,
                                .range_step_m = 1e-3,
                                .wall_tilt_rad = {2 * DEGREE, -1.5 * DEGREE},
                                .wall_m = 0.35};
}

static nfsar_pod pod_of_hand(void) {
    nfsar_pod pod = nfsar_pod_defaults();
    pod.imu.mounting.at_m = (nfsar_vec3){0.03, -0.02, -0.01};
    pod.flow.mounting.at_m = (nfsar_vec3){-0.04, 0.01, 0.0};
    pod.range.mounting.at_m = (nfsar_vec3){-0.03, 0.01, 0.0};
    return pod;
}

static const nfsar_vec3 up = {0, 1, 0};

static struct path path;

static void find(const nfsar_pod *pod, const nfsar_sensor_records *records,
                 nfsar_trajectory *trajectory) {
    nfsar_error error;
    assert_ok(nfsar_trajectory_find(pod, records, path.time, POSES, 1.0, trajectory, &error),
              error);
}

/* Mean over poses of e^T C^-1 e / 6 (NEES), with e the error of position and rotation. */
static double pose_nees(const nfsar_trajectory *t, const nfsar_pose *truth, size_t from,
                        size_t every) {
    double sum = 0.0;
    size_t n = 0;
    for (size_t i = from; i < t->n; i += every, n++) {
        const nfsar_vec3 p = nfsar_vec3_subtract(truth[i].position, t->pose[i].position);
        nfsar_quaternion back = t->pose[i].orientation;
        back = (nfsar_quaternion){back.w, -back.x, -back.y, -back.z};
        const nfsar_quaternion q = nfsar_quaternion_multiply(truth[i].orientation, back);
        const double sign = q.w < 0 ? -2.0 : 2.0;
        double y[6] = {p.x, p.y, p.z, sign * q.x, sign * q.y, sign * q.z}, l[6][6];
        for (int r = 0; r < 6; r++) {
            for (int c = 0; c <= r; c++) {
                double s = t->covariance[36 * i + (size_t)(6 * r + c)];
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
    }
    return sum / (double)n / 6.0;
}

/* ---- what the issue asks: consumer IMU, flow and range finder, a sweep of ten seconds ---- */

enum { SWEEPS = 24 };

static void handheld(void **state) {
    (void)state;
    const nfsar_sensor_rates rates = consumer();
    double square = 0.0, expected = 0.0, nees = 0.0;
    for (unsigned long long seed = 1; seed <= SWEEPS; seed++) {
        nfsar_error error;
        nfsar_sensor_records records;
        nfsar_trajectory track;
        nfsar_pod pod = pod_of_hand();
        make_path(&path, seed);
        assert_ok(nfsar_sensors_simulate(&pod, &rates, path.time, path.pose, POSES, seed, &records,
                                         &error),
                  error);
        /* As well known at the start as if placed with a ruler. */
        nfsar_random random;
        nfsar_random_seed(&random, 1000 + seed);
        pod.start.given = true;
        pod.start.sigma_m = 1e-3;
        pod.start.yaw_rad = 2e-3;
        pod.start.pose.position =
            (nfsar_vec3){1e-3 * nfsar_random_normal(&random), 1e-3 * nfsar_random_normal(&random),
                         1e-3 * nfsar_random_normal(&random)};
        pod.start.pose.orientation =
            nfsar_quaternion_from_axis_angle(up, 2e-3 * nfsar_random_normal(&random));
        find(&pod, &records, &track);
        assert_int_equal(track.n, POSES);
        assert_true(track.still);
        const nfsar_trajectory_error e =
            nfsar_trajectory_compare(track.time_s, track.pose, path.pose, track.n, up, false, 1.0);
        square += e.along_m * e.along_m;
        expected += track.relative.along_m * track.relative.along_m;
        const double one = pose_nees(&track, path.pose, 0, 250);
        nees += one;
        printf("seed %2llu: along %.3f mm, expected %.3f; across %.2f, expected %.2f; position "
               "%.2f mm; NEES %.2f; NIS flow %.2f range %.2f\n",
               seed, 1e3 * e.along_m, 1e3 * track.relative.along_m, 1e3 * e.across_m,
               1e3 * track.relative.across_m, 1e3 * e.position_m, one,
               track.use[NFSAR_SENSOR_FLOW].nis, track.use[NFSAR_SENSOR_RANGE].nis);
        // X assert_true(e.along_m < 1.5e-3);
        if (getenv("DUMP"))
            for (size_t i = 0; i < track.n; i += 250) {
                nfsar_quaternion b = track.pose[i].orientation;
                b = (nfsar_quaternion){b.w, -b.x, -b.y, -b.z};
                nfsar_quaternion q = nfsar_quaternion_multiply(path.pose[i].orientation, b);
                const double *c = track.covariance + 36 * i;
                nfsar_vec3 d = nfsar_vec3_subtract(path.pose[i].position, track.pose[i].position);
                printf("%.1f  p %.2f %.2f %.2f (%.2f %.2f %.2f) mm  r %.2f %.2f %.2f (%.2f %.2f "
                       "%.2f) mrad\n",
                       path.time[i] - 100, 1e3 * d.x, 1e3 * d.y, 1e3 * d.z, 1e3 * sqrt(c[0]),
                       1e3 * sqrt(c[7]), 1e3 * sqrt(c[14]), 2e3 * q.x, 2e3 * q.y, 2e3 * q.z,
                       1e3 * sqrt(c[21]), 1e3 * sqrt(c[28]), 1e3 * sqrt(c[35]));
            }
        nfsar_trajectory_free(&track);
        nfsar_sensor_records_free(&records);
    }
    square = sqrt(square / SWEEPS);
    expected = sqrt(expected / SWEEPS);
    nees /= SWEEPS;
    printf("rms along %.3f mm, expected %.3f mm; NEES/6 %.2f\n", 1e3 * square, 1e3 * expected,
           nees);
    assert_true(square <= 1e-3);
    /* Honest: neither optimistic nor idle. */
    assert_true(square < 1.25 * expected && square > 0.75 * expected);
    assert_true(nees < 1.4 && nees > 0.7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handheld),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
