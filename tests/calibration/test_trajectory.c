/* Trajectories: what the filter and smoother say against the true path, and whether they know how
 * wrong they are. */
#include "tests/calibration/trajectory.h"

/* ---- what the issue asks: consumer IMU, flow and range finder, a sweep of ten seconds ---- */

#ifdef NFSAR_SANITIZED
enum { SWEEPS = 8 }; /* they are slow, and numbers the same */
#else
enum { SWEEPS = 24 };
#endif

static void handheld(void **state) {
    (void)state;
    nfsar_sensor_rates rates = consumer();
    rates.imu_hz = 500.0; /* half the work for the sanitizers, the noise is the same */
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
        nees += pose_nees(&track, path.pose, 250);
        assert_true(e.along_m < 1.5e-3);
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

/* ---- without noise the track is the path ---- */

/* An IMU that is turned and off the radar, and whose clock is off, carries the pose for eleven
 * seconds: mounting, lever arm, Coriolis' and Euler's terms, integration. */
static void inertial_alone(void **state) {
    (void)state;
    nfsar_pod pod = nfsar_pod_defaults();
    const nfsar_sensor_rates rates = {.imu_hz = 1000.0};
    pod.imu.acceleration = pod.imu.rate = silent();
    pod.imu.mounting = (nfsar_mounting){{0.1, -0.2, 0.05}, turned(0.7, -1.1, 2.0), 12.5};
    nfsar_sensor_records records = simulated(&pod, &rates, 5);
    nfsar_trajectory track;
    find(&pod, &records, &track);
    const nfsar_trajectory_error e =
        nfsar_trajectory_compare(track.time_s, track.pose, path.pose, track.n, up, false, 1.0);
    assert_int_equal(track.n, POSES);
    /* 1e-9 rad of tilt and 1e-9 m/s^2 make a micrometre at most; the rest is integration. */
    assert_true(e.position_m < 20e-6);
    assert_true(e.rotation_rad < 1e-6);
    assert_true(e.windows > 4000);
    nfsar_trajectory_free(&track);
    nfsar_sensor_records_free(&records);
}

/* ---- other sensors ---- */

/* A tracker of 1 mm and 0.2 degrees, turned, off the radar and 35 ms late. */
static void tracker(void **state) {
    (void)state;
    nfsar_pod pod = nfsar_pod_defaults();
    const nfsar_sensor_rates rates = {.imu_hz = 500.0, .tracker_hz = 100.0};
    pod.imu.mounting.at_m = (nfsar_vec3){0.03, 0.0, -0.02};
    pod.tracker.mounting = (nfsar_mounting){{-0.1, 0.15, 0.02}, turned(0.5, 1.0, -0.3), -0.035};
    double nees = 0.0;
    for (unsigned long long seed = 1; seed <= 10; seed++) {
        nfsar_sensor_records records = simulated(&pod, &rates, seed);
        nfsar_trajectory track;
        find(&pod, &records, &track);
        const nfsar_trajectory_error e =
            nfsar_trajectory_compare(track.time_s, track.pose, path.pose, track.n, up, false, 1.0);
        assert_int_equal(track.n, POSES);
        assert_true(e.position_m < 0.4e-3);
        assert_true(e.along_m < 0.4e-3);
        assert_true(e.rotation_rad < 0.1 * DEGREE);
        nees += pose_nees(&track, path.pose, 100) / 10.0;
        assert_near(track.use[NFSAR_SENSOR_TRACKER].nis, 1.0, 0.1);
        nfsar_trajectory_free(&track);
        nfsar_sensor_records_free(&records);
    }
    assert_true(nees > 0.8 && nees < 1.25);
}

/* A stage that is known to 50 um, with a range finder for what it does not measure. */
static void encoder(void **state) {
    (void)state;
    nfsar_pod pod = pod_of_hand();
    const nfsar_sensor_rates rates = {.imu_hz = 500.0,
                                      .range_hz = 50.0,
                                      .encoder_hz = 100.0,
                                      .encoder_step_m = 10e-6,
                                      .wall_m = 0.4};
    pod.encoder.sigma_m.z = 0.0;
    nfsar_sensor_records records = simulated(&pod, &rates, 3);
    nfsar_trajectory track;
    /* Along one level line: nobody can say how the radar is turned. */
    nfsar_error error = {0};
    assert_int_equal(nfsar_trajectory_find(&pod, &records, path.time, POSES, 1.0, &track, &error),
                     NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "start: {yaw_deg: 0, sigma_deg: 1}");
    pod.start.given = true;
    pod.start.yaw_rad = 0.2 * DEGREE;
    find(&pod, &records, &track);
    const nfsar_trajectory_error e =
        nfsar_trajectory_compare(track.time_s, track.pose, path.pose, track.n, up, false, 1.0);
    assert_true(e.across_m < 0.1e-3);
    assert_true(e.along_m < 1e-3);
    assert_near(track.use[NFSAR_SENSOR_ENCODER].nis, 1.0, 0.15);
    nfsar_trajectory_free(&track);
    nfsar_sensor_records_free(&records);
}

/* ---- honesty ---- */

/* Flow that errs twice as much as the pod says, and a range finder that now and then sees something
 * else. */
static void wrong_noise(void **state) {
    (void)state;
    nfsar_pod pod = pod_of_hand();
    nfsar_sensor_rates rates = consumer();
    rates.flow_step_rad = 0.0;
    nfsar_sensor_records records = simulated(&pod, &rates, 7);
    size_t odd = 0;
    for (size_t i = 10; i < records.n_range; i += 25, odd++) {
        records.range[i].range_m += 0.3;
    }
    pod.flow.sigma_rad *= 0.5;
    nfsar_trajectory track;
    find(&pod, &records, &track);
    /* Of good ones the gate takes one in ten thousand for bad. */
    const size_t rejected = track.use[NFSAR_SENSOR_RANGE].rejected;
    assert_true(rejected >= odd && rejected <= odd + 2);
    assert_near(track.use[NFSAR_SENSOR_RANGE].nis, 1.0, 0.15);
    /* Four times chi-square of two degrees of freedom, which the gate cuts at 18.42: a tenth is
     * beyond, and the mean of the rest is 2.97 for each degree. */
    const nfsar_sensor_use *flow = &track.use[NFSAR_SENSOR_FLOW];
    assert_near(flow->nis, 2.97, 0.25);
    assert_near((double)flow->rejected / (double)flow->records, 0.10, 0.03);
    nfsar_trajectory_free(&track);
    nfsar_sensor_records_free(&records);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handheld), cmocka_unit_test(inertial_alone), cmocka_unit_test(tracker),
        cmocka_unit_test(encoder),  cmocka_unit_test(wrong_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
