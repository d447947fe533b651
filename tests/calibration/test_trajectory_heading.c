/* The heading, where others say places but no directions: found by motion, and as unknown as it is
 * where there is none. */
#include "tests/calibration/trajectory.h"

#include "calibration/trajectory/filter.h"

/* Places of a tracker whose world is turned by a heading, in records and in `path`. */
static nfsar_sensor_records turned_world(nfsar_pod *pod, double heading, unsigned long long seed) {
    const nfsar_sensor_rates rates = {.imu_hz = 500.0, .tracker_hz = 100.0};
    const nfsar_quaternion q = turned(0.0, heading, 0.0);
    const nfsar_vec3 off = {5.0, -3.0, 8.0};
    pod->tracker.mounting.at_m = (nfsar_vec3){0.1, 0.05, 0.02};
    nfsar_sensor_records r = simulated(pod, &rates, seed);
    pod->tracker.sigma_rad = 0.0;
    for (size_t i = 0; i < r.n_tracker; i++) {
        nfsar_pose *p = &r.tracker[i].pose;
        p->position = nfsar_vec3_add(off, nfsar_quaternion_rotate(q, p->position));
        p->orientation = (nfsar_quaternion){0, 0, 0, 0}; /* not looked at */
    }
    for (size_t i = 0; i < POSES; i++) {
        nfsar_pose *p = &path.pose[i];
        p->position = nfsar_vec3_add(off, nfsar_quaternion_rotate(q, p->position));
        p->orientation = nfsar_quaternion_multiply(q, p->orientation);
    }
    return r;
}

static double heading_error(const nfsar_trajectory *t) {
    nfsar_quaternion back = t->pose[0].orientation;
    back = nfsar_quaternion_conjugate(back);
    const nfsar_quaternion q = nfsar_quaternion_multiply(path.pose[0].orientation, back);
    return 2.0 * atan2(q.y * (q.w < 0.0 ? -1.0 : 1.0), fabs(q.w));
}

/* A hand under a tracker without directions, in worlds of any heading. */
static void by_motion(void **state) {
    (void)state;
    double nees = 0.0, error = 0.0, expected = 0.0;
    enum { WORLDS = 6 };
    for (unsigned long long seed = 1; seed <= WORLDS; seed++) {
        nfsar_pod pod = pod_of_hand();
        nfsar_sensor_records r = turned_world(&pod, -3.0 + (double)seed, seed);
        nfsar_trajectory t;
        find(&pod, &r, &t);
        assert_true(t.heading_by_motion);
        const nfsar_trajectory_error e =
            nfsar_trajectory_compare(t.time_s, t.pose, path.pose, t.n, up, false, 1.0);
        assert_true(e.position_m < 0.5e-3);
        assert_true(fabs(heading_error(&t)) < 0.3 * DEGREE);
        error += heading_error(&t) * heading_error(&t);
        expected += t.heading_rad * t.heading_rad;
        nees += pose_nees(&t, path.pose, 50) / WORLDS;
        nfsar_trajectory_free(&t);
        nfsar_sensor_records_free(&r);
    }
    printf("heading to %.3f degrees, expected %.3f; NEES/6 %.2f\n", sqrt(error / WORLDS) / DEGREE,
           sqrt(expected / WORLDS) / DEGREE, nees);
    assert_true(nees > 0.7 && nees < 1.4);
    assert_true(error < 3.0 * expected && error > 0.1 * expected);
}

/* At rest nothing tells it: any angle, said so, and the places of the radar with it. */
static void at_rest(void **state) {
    (void)state;
    for (unsigned long long seed = 1; seed <= 4; seed++) {
        nfsar_pod pod = pod_of_hand();
        nfsar_sensor_records r = turned_world(&pod, -3.0 + 1.3 * (double)seed, seed);
        nfsar_trajectory t;
        r.n_imu = 450; /* 0.9 s */
        find(&pod, &r, &t);
        assert_true(t.heading_by_motion);
        assert_true(t.heading_rad > 1.5);
        assert_true(fabs(heading_error(&t)) < 2.5 * t.heading_rad);
        for (size_t i = 0; i < t.n; i += 10) {
            const nfsar_vec3 e = nfsar_vec3_subtract(path.pose[i].position, t.pose[i].position);
            const double *c = t.covariance + 36 * i;
            assert_true(fabs(e.x) < 3.0 * sqrt(c[0]) && fabs(e.z) < 3.0 * sqrt(c[14]));
            assert_true(fabs(e.y) < 4.0 * sqrt(c[7]) && sqrt(c[7]) < 3e-3);
        }
        nfsar_trajectory_free(&t);
        nfsar_sensor_records_free(&r);
    }
}

/* Told, it is believed: motion is not asked. */
static void told(void **state) {
    (void)state;
    nfsar_pod pod = pod_of_hand();
    nfsar_sensor_records r = turned_world(&pod, 2.0, 1);
    nfsar_trajectory t;
    pod.start.given = true;
    pod.start.pose.orientation = turned(0.0, 2.0, 0.0);
    pod.start.yaw_rad = 1.0 * DEGREE;
    find(&pod, &r, &t);
    assert_false(t.heading_by_motion);
    assert_true(t.heading_rad < 0.2 * DEGREE && fabs(heading_error(&t)) < 4.0 * t.heading_rad);
    nfsar_trajectory_free(&t);
    nfsar_sensor_records_free(&r);
}

/* Where gravity is along no axis its tilt has terms off the diagonal: none is left when a tracker
 * says the whole rotation. */
static void tracker_alone(void **state) {
    (void)state;
    nfsar_pod pod = nfsar_pod_defaults();
    const nfsar_sensor_rates rates = {.imu_hz = 500.0, .tracker_hz = 100.0};
    pod.gravity = (nfsar_vec3){-5.0, -8.0, -2.6};
    nfsar_sensor_records r = simulated(&pod, &rates, 3);
    struct track track = {.scene.pod = &pod, .records = &r};
    struct state start;
    double covariance[MATRIX];
    nfsar_trajectory t = {0};
    nfsar_error error;
    assert_ok(filter_start(&track, &start, covariance, &t, &error), error);
    const double sigma = 10.0 * pod.tracker.sigma_rad;
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            assert_near(covariance[(ROTATION + i) * ERRORS + ROTATION + j],
                        i == j ? sigma * sigma : 0.0, 1e-15);
        }
    }
    nfsar_sensor_records_free(&r);
}

/* A surface that nobody gave a normal is as far before the range finder whatever the heading is,
 * though that, mounted beside the sensor of places, goes round with it. */
static void surface_turns_along(void **state) {
    (void)state;
    nfsar_pod pod = pod_of_hand();
    nfsar_sensor_records r = turned_world(&pod, 1.0, 2);
    nfsar_range_record range = {.time_s = path.time[0], .range_m = 0.35};
    free(r.range);
    r.range = &range;
    r.n_range = 1;
    struct track track = {.scene.pod = &pod, .records = &r};
    struct state start;
    double covariance[MATRIX], residual[MEASURED], variance[MEASURED], jacobian[MEASURED * ERRORS];
    nfsar_trajectory t = {0};
    nfsar_error error;
    assert_ok(filter_start(&track, &start, covariance, &t, &error), error);
    assert_true(t.heading_by_motion);
    const struct measurement what = {NFSAR_SENSOR_RANGE, &range};
    assert_int_equal(measure_linear(&track.scene, &what, &start, residual, variance, jacobian), 1);
    double by_heading = 0.0; /* covariance of the range with the turn about y */
    for (size_t i = 0; i < ERRORS; i++) {
        by_heading += jacobian[i] * covariance[i * ERRORS + ROTATION + 1];
    }
    const double heading = covariance[(ROTATION + 1) * ERRORS + ROTATION + 1];
    assert_near(by_heading / heading, 0.0, 1e-6);
    r.range = NULL;
    nfsar_sensor_records_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_motion),
        cmocka_unit_test(at_rest),
        cmocka_unit_test(told),
        cmocka_unit_test(tracker_alone),
        cmocka_unit_test(surface_turns_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
