/* Simulated sensors against what motion and noise are by formula. */
#include "tests/calibration/trajectory.h"

/* Round a circle: gravity and rate^2 radius, range and flow by trigonometry. */
static void circle(void **state) {
    (void)state;
    enum { N = 2001, FIRST = 500, SOME = 1001 };
    static double time[N];
    static nfsar_pose pose[N];
    nfsar_pod pod = nfsar_pod_defaults();
    const nfsar_sensor_rates rates = {
        .imu_hz = 500.0, .flow_hz = 100.0, .range_hz = 50.0, .wall_m = 2.0};
    const double rate = 2.0, radius = 0.3, arm = 0.05;
    for (size_t i = 0; i < N; i++) {
        time[i] = (double)i * 1e-3;
        /* Boresight outward; the body turns about y, toward +x. */
        pose[i].orientation = turned(0.0, rate * (time[i] - 1.0), 0.0);
        pose[i].position =
            nfsar_quaternion_rotate(pose[i].orientation, (nfsar_vec3){0.0, 0.0, radius});
    }
    pod.imu.acceleration = pod.imu.rate = silent();
    pod.imu.mounting.at_m = (nfsar_vec3){0.0, 0.0, arm};
    pod.flow.sigma_rad = pod.range.sigma_m = 1e-9;
    pod.flow.scale_sigma = pod.range.offset_m = 0.0;
    nfsar_error error;
    nfsar_sensor_records r;
    /* Where the boresight meets the wall. */
    assert_ok(nfsar_sensors_simulate(&pod, &rates, time + FIRST, pose + FIRST, SOME, 1, &r, &error),
              error);
    /* The spline's ends are straight, so not there. */
    for (size_t i = 20; i + 20 < r.n_imu; i++) {
        assert_near(r.imu[i].acceleration.x, 0.0, 1e-5);
        assert_near(r.imu[i].acceleration.y, 9.80665, 1e-6);
        assert_near(r.imu[i].acceleration.z, -rate * rate * (radius + arm), 1e-5);
        assert_near(r.imu[i].rate.y, rate, 1e-6);
    }
    for (size_t i = 2; i + 2 < r.n_range; i++) {
        const double angle = rate * (r.range[i].time_s - 1.0);
        assert_near(r.range[i].range_m, 2.0 / cos(angle) - radius, 1e-6);
    }
    for (size_t i = 2; i + 2 < r.n_flow; i++) {
        const double angle = rate * (r.flow[i].time_s - 0.005 - 1.0);
        const double range = 2.0 / cos(angle) - radius;
        /* Along the body's +x at rate * radius, while the view turns the same way. */
        assert_near(r.flow[i].motion_rad[0] / 0.01, rate * radius / range + rate, 1e-3);
        assert_near(r.flow[i].motion_rad[1], 0.0, 1e-6);
    }
    nfsar_sensor_records_free(&r);
}

/* A sensor that is turned by 90 degrees about the boresight sees +y of the body as its +x. */
static void turned_flow(void **state) {
    (void)state;
    nfsar_pod pod = pod_of_hand();
    nfsar_sensor_rates rates = consumer();
    rates.flow_step_rad = 0.0;
    pod.flow.sigma_rad = 1e-9;
    nfsar_sensor_records straight = simulated(&pod, &rates, 2);
    pod.flow.mounting.rotation = turned(0.0, 0.0, 90.0 * DEGREE);
    nfsar_sensor_records aside = simulated(&pod, &rates, 2);
    for (size_t i = 0; i < straight.n_flow; i++) {
        assert_near(aside.flow[i].motion_rad[0], straight.flow[i].motion_rad[1], 1e-7);
        assert_near(aside.flow[i].motion_rad[1], -straight.flow[i].motion_rad[0], 1e-7);
    }
    nfsar_sensor_records_free(&straight);
    nfsar_sensor_records_free(&aside);
}

/* Allan deviation at an averaging time of m readings, without overlap. */
static double allan(const nfsar_sensor_records *r, size_t m) {
    double sum = 0.0, before = 0.0;
    size_t n = 0;
    for (size_t i = 0; i + m <= r->n_imu; i += m, n++) {
        double mean = 0.0;
        for (size_t k = 0; k < m; k++) {
            mean += r->imu[i + k].rate.z / (double)m;
        }
        sum += n > 0 ? (mean - before) * (mean - before) : 0.0;
        before = mean;
    }
    return sqrt(0.5 * sum / (double)(n - 1));
}

/* A gyroscope at rest: N / sqrt(t) where white noise rules, K sqrt(t / 3) where the walk does. */
static void allan_deviation(void **state) {
    (void)state;
    const double time[4] = {0.0, 1000.0, 2000.0, 3000.0};
    nfsar_pose pose[4];
    for (int i = 0; i < 4; i++) {
        pose[i] = (nfsar_pose){.orientation = NFSAR_QUATERNION_IDENTITY};
    }
    nfsar_pod pod = nfsar_pod_defaults();
    const nfsar_sensor_rates rates = {.imu_hz = 100.0};
    pod.imu.rate = (nfsar_inertial_noise){.density = 5e-5, .random_walk = 2e-5, .bias = 1e-3};
    nfsar_error error;
    nfsar_sensor_records r;
    assert_ok(nfsar_sensors_simulate(&pod, &rates, time, pose, 4, 9, &r, &error), error);
    assert_near(allan(&r, 10) / (5e-5 / sqrt(0.1)), 1.0, 0.03);
    /* Fifty averages of a minute: a standard deviation of 10 %. */
    assert_near(allan(&r, 6000) / (2e-5 * sqrt(60.0 / 3.0)), 1.0, 0.3);
    nfsar_sensor_records_free(&r);
}

static void impossible(void **state) {
    (void)state;
    nfsar_error error = {0};
    nfsar_sensor_records none;
    nfsar_pod pod = pod_of_hand();
    nfsar_sensor_rates rates = consumer();
    make_path(&path, 1);
    rates.wall_m = -1.0;
    assert_int_equal(
        nfsar_sensors_simulate(&pod, &rates, path.time, path.pose, POSES, 1, &none, &error),
        NFSAR_ERROR_GEOMETRY);
    assert_contains(error.message, "does not look at the surface");
    path.pose[3000].position.x += 0.1;
    rates.wall_m = 0.35;
    assert_int_equal(
        nfsar_sensors_simulate(&pod, &rates, path.time, path.pose, POSES, 1, &none, &error),
        NFSAR_ERROR_GEOMETRY);
    assert_contains(error.message, "more than an IMU can say");
    assert_null(none.imu);
    assert_int_equal(
        nfsar_sensors_simulate(&pod, &rates, path.time, path.pose, 3, 1, &none, &error),
        NFSAR_ERROR_GEOMETRY);
    rates.range_hz = 1e9;
    assert_int_equal(
        nfsar_sensors_simulate(&pod, &rates, path.time, path.pose, POSES, 1, &none, &error),
        NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "range at 1e+09 Hz");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(circle),
        cmocka_unit_test(turned_flow),
        cmocka_unit_test(allan_deviation),
        cmocka_unit_test(impossible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
