/* What recordings do wrong: named where it cannot be helped, counted where it can, never a number
 * that is none. */
#include "tests/calibration/trajectory.h"

static void refused(const nfsar_pod *pod, const nfsar_sensor_records *records, const char *part) {
    nfsar_error error = {0};
    nfsar_trajectory track;
    assert_int_equal(nfsar_trajectory_find(pod, records, path.time, POSES, 1.0, &track, &error),
                     NFSAR_ERROR_FORMAT);
    assert_contains(error.message, part);
    assert_null(track.pose);
}

static void assert_sound(const nfsar_trajectory *track) {
    for (size_t i = 0; i < track->n; i++) {
        const nfsar_pose p = track->pose[i];
        assert_true(isfinite(p.position.x + p.position.y + p.position.z + p.orientation.w +
                             p.orientation.x + p.orientation.y + p.orientation.z));
        for (size_t k = 0; k < 36; k++) {
            assert_true(isfinite(track->covariance[36 * i + k]));
        }
        for (size_t k = 0; k < 36; k += 7) {
            assert_true(track->covariance[36 * i + k] > 0.0);
        }
    }
}

static nfsar_sensor_records recorded(const nfsar_pod *pod) {
    nfsar_sensor_rates rates = consumer();
    rates.tracker_hz = 20.0;
    return simulated(pod, &rates, 2);
}

static void order(void **state) {
    (void)state;
    const nfsar_pod pod = pod_of_hand();
    nfsar_sensor_records r = recorded(&pod);
    const double kept = r.imu[5000].time_s;
    r.imu[5000].time_s = r.imu[4000].time_s;
    refused(&pod, &r, "imu: record 5000 is of 104.000000 s, after one of 104.999000 s");
    /* Late, it is that one all the same, not the next. */
    r.imu[5000].time_s = 9e9;
    refused(&pod, &r,
            "imu: record 5000 is of 9000000000.000000 s, but the one before it of 104.999000 s and "
            "the one after it of 105.001000 s: its time is wrong");
    r.imu[5000].time_s = kept;
    const double first = r.imu[0].time_s;
    r.imu[0].time_s = 9e9;
    refused(&pod, &r, "imu: record 0 is of 9000000000.000000 s, but the one after it of 100.0");
    r.imu[0].time_s = first;
    for (size_t i = 600; i < r.n_flow; i++) { /* the hub restarted */
        r.flow[i].time_s -= 106.0;
    }
    refused(&pod, &r, "flow: record 600 is of 0.");
    nfsar_sensor_records_free(&r);
}

static void quaternions(void **state) {
    (void)state;
    nfsar_pod pod = pod_of_hand();
    nfsar_sensor_records r = recorded(&pod);
    nfsar_trajectory track;
    r.tracker[30].pose.orientation.w *= 1.5;
    refused(&pod, &r, "tracker: the orientation of record 30 is no unit quaternion");
    r.tracker[30].pose.orientation = (nfsar_quaternion){0, 0, 0, 0};
    refused(&pod, &r, "tracker: the orientation of record 30 is no unit quaternion");
    pod.tracker.sigma_rad = 0.0; /* positions alone */
    find(&pod, &r, &track);
    assert_sound(&track);
    assert_int_equal(track.use[NFSAR_SENSOR_TRACKER].used, r.n_tracker);
    nfsar_trajectory_free(&track);
    nfsar_sensor_records_free(&r);
}

static void too_few(void **state) {
    (void)state;
    nfsar_pod pod = pod_of_hand();
    nfsar_sensor_records r = recorded(&pod), none = r;
    none.n_imu = 0;
    refused(&pod, &none, "imu: 0 of 0 records");
    none.n_imu = 5;
    refused(&pod, &none, "imu: 5 of 5 records");
    for (size_t i = 0; i < r.n_imu; i++) {
        r.imu[i].rate.x = NAN;
    }
    refused(&pod, &r, "imu: 0 of 11001 records can be used");
    nfsar_sensor_records_free(&r);
}

static void apart(void **state) {
    (void)state;
    const nfsar_pod pod = pod_of_hand();
    nfsar_sensor_records r = recorded(&pod);
    nfsar_pod late = pod;
    late.tracker.mounting.time_offset_s = 500.0;
    refused(&late, &r, "tracker: its first record is of 600.000 s");
    r.n_tracker = 0;
    late = pod;
    late.imu.mounting.time_offset_s = 500.0;
    refused(&late, &r, "do not overlap");
    for (size_t i = 0; i < r.n_imu; i++) { /* gravity taken out, as some modules do */
        r.imu[i].acceleration.y -= 9.80665;
    }
    refused(&pod, &r, "gravity is 9.81: units are m/s^2");
    nfsar_sensor_records_free(&r);
}

/* Rows that are no numbers, doubled ones, quaternions that are off by rounding: no matter. */
static void left_out(void **state) {
    (void)state;
    const nfsar_pod pod = pod_of_hand();
    nfsar_sensor_records r = recorded(&pod);
    nfsar_trajectory track;
    for (size_t i = 3000; i < 3010; i++) {
        r.imu[i].acceleration.y = NAN;
    }
    r.imu[7000].time_s = INFINITY;
    r.imu[8001] = r.imu[8000];
    r.flow[50].motion_rad[1] = NAN;
    r.flow[51].interval_s = 0.0;
    r.flow[52].quality = 0.0;
    r.range[7].range_m = -INFINITY;
    r.range[8].range_m = 0.0;
    r.tracker[9].pose.position.x = NAN;
    r.tracker[10].pose.orientation.w *= 1.005;
    find(&pod, &r, &track);
    assert_int_equal(track.use[NFSAR_SENSOR_IMU].left_out, 12);
    assert_int_equal(track.use[NFSAR_SENSOR_FLOW].left_out, 3);
    assert_int_equal(track.use[NFSAR_SENSOR_RANGE].left_out, 2);
    assert_int_equal(track.use[NFSAR_SENSOR_TRACKER].left_out, 1);
    assert_near(track.use[NFSAR_SENSOR_IMU].first_gap_s, 102.999, 1e-6);
    assert_sound(&track);
    nfsar_trajectory_free(&track);
    nfsar_sensor_records_free(&r);
}

/* A last reading of a wrong time, and first ones from before the clock was set: left out, and
 * named; what the others say is as it was. */
static void strays(void **state) {
    (void)state;
    const nfsar_pod pod = pod_of_hand();
    const nfsar_sensor_rates rates = consumer();
    nfsar_sensor_records r = simulated(&pod, &rates, 4);
    nfsar_trajectory whole, without;
    r.n_imu--;
    find(&pod, &r, &whole);
    assert_int_equal(whole.use[NFSAR_SENSOR_IMU].stray, 0);
    assert_true(isnan(whole.use[NFSAR_SENSOR_IMU].stray_s));
    r.imu[r.n_imu++].time_s = 1e9;
    find(&pod, &r, &without);
    const nfsar_sensor_use *use = &without.use[NFSAR_SENSOR_IMU];
    assert_int_equal(use->stray, 1);
    assert_int_equal(use->left_out, 1);
    assert_near(use->stray_s, 1e9, 0.0);
    assert_true(isnan(use->first_gap_s) && use->longest_s < 0.01);
    assert_int_equal(without.n_gap, 0);
    assert_int_equal(without.n, whole.n);
    assert_memory_equal(without.pose, whole.pose, whole.n * sizeof *whole.pose);
    assert_memory_equal(without.covariance, whole.covariance, whole.n * 36 * sizeof(double));
    nfsar_trajectory_free(&without);
    for (size_t i = 0; i < 3; i++) {
        r.imu[i].time_s = (double)i;
    }
    find(&pod, &r, &without);
    assert_int_equal(without.use[NFSAR_SENSOR_IMU].stray, 4);
    assert_near(without.use[NFSAR_SENSOR_IMU].stray_s, 0.0, 0.0);
    assert_near(without.time_s[0], 100.004, 1e-9); /* the first wanted time after 100.003 s */
    nfsar_trajectory_free(&without);
    nfsar_trajectory_free(&whole);
    nfsar_sensor_records_free(&r);
}

/* The IMU is silent for a fifth of a second: named, and the pose in it is known less. */
static void gap(void **state) {
    (void)state;
    const nfsar_pod pod = pod_of_hand();
    const nfsar_sensor_rates rates = consumer();
    nfsar_sensor_records r = simulated(&pod, &rates, 4);
    nfsar_trajectory whole, with;
    find(&pod, &r, &whole);
    memmove(r.imu + 6000, r.imu + 6200, (r.n_imu - 6200) * sizeof *r.imu);
    r.n_imu -= 200;
    find(&pod, &r, &with);
    assert_near(with.use[NFSAR_SENSOR_IMU].first_gap_s, 105.999, 1e-6);
    assert_near(with.use[NFSAR_SENSOR_IMU].longest_s, 0.201, 1e-6);
    assert_true(isnan(whole.use[NFSAR_SENSOR_IMU].first_gap_s));
    assert_sound(&with);
    assert_true(with.relative.worst_m > whole.relative.worst_m);
    const nfsar_trajectory_error e =
        nfsar_trajectory_compare(with.time_s, with.pose, path.pose, with.n, up, false, 1.0);
    assert_true(e.along_m < 2.0 * with.relative.along_m);
    nfsar_trajectory_free(&whole);
    nfsar_trajectory_free(&with);
    nfsar_sensor_records_free(&r);
}

/* From a time on all clocks are a quarter of an hour ahead. */
static void jump(nfsar_sensor_records *r, double from) {
    const double by = 900.0;
    for (size_t i = 0; i < r->n_imu; i++) {
        r->imu[i].time_s += r->imu[i].time_s > from ? by : 0.0;
    }
    for (size_t i = 0; i < r->n_flow; i++) {
        r->flow[i].time_s += r->flow[i].time_s > from ? by : 0.0;
    }
    for (size_t i = 0; i < r->n_range; i++) {
        r->range[i].time_s += r->range[i].time_s > from ? by : 0.0;
    }
    for (size_t i = 0; i < r->n_tracker; i++) {
        r->tracker[i].time_s += r->tracker[i].time_s > from ? by : 0.0;
    }
}

/* Nothing carries a pose over that. */
static void long_silence(void **state) {
    (void)state;
    const nfsar_pod pod = pod_of_hand();
    nfsar_sensor_records r = recorded(&pod);
    jump(&r, 106.0);
    refused(&pod, &r, "imu: is silent from 106.000 to 1006.001 s, as all others are");
    nfsar_sensor_records_free(&r);
}

/* No rest at the start: said so, and the expected error holds all the same. */
static void moving_start(void **state) {
    (void)state;
    nfsar_pod pod = pod_of_hand();
    const nfsar_sensor_rates rates = consumer();
    nfsar_sensor_records r = simulated(&pod, &rates, 6), later = r;
    nfsar_trajectory track;
    later.imu += 3000;
    later.n_imu -= 3000;
    pod.start.given = true;
    pod.start.pose = path.pose[1500];
    find(&pod, &later, &track);
    assert_false(track.still);
    assert_int_equal(track.n, POSES - 1500);
    const nfsar_trajectory_error e = nfsar_trajectory_compare(
        track.time_s, track.pose, path.pose + 1500, track.n, up, true, 1.0);
    assert_true(e.along_m < 2.0 * track.relative.along_m);
    assert_sound(&track);
    nfsar_trajectory_free(&track);
    nfsar_sensor_records_free(&r);
}

/* A steady turn from the first reading on spreads as little as rest does, and is not it. */
static void turning_start(void **state) {
    (void)state;
    const nfsar_pod pod = nfsar_pod_defaults();
    const nfsar_sensor_rates rates = {.imu_hz = 500.0, .tracker_hz = 100.0};
    nfsar_error error;
    nfsar_sensor_records r;
    nfsar_trajectory track;
    for (size_t i = 0; i < POSES; i++) {
        const double t = (double)i / RATE;
        path.time[i] = 100.0 + t;
        path.pose[i].position = (nfsar_vec3){0.0, 0.0, 0.0};
        path.pose[i].orientation = turned(0.0, 0.3 * t, 0.0);
    }
    assert_ok(nfsar_sensors_simulate(&pod, &rates, path.time, path.pose, POSES, 3, &r, &error),
              error);
    find(&pod, &r, &track);
    assert_false(track.still);
    const nfsar_trajectory_error e =
        nfsar_trajectory_compare(track.time_s, track.pose, path.pose, track.n, up, false, 1.0);
    assert_true(e.rotation_rad < 0.5 * DEGREE);
    assert_int_equal(track.use[NFSAR_SENSOR_TRACKER].rejected, 0);
    nfsar_trajectory_free(&track);
    nfsar_sensor_records_free(&r);
}

/* A tracker that was on before the inertial sensor was: its first records are of another place. */
static void tracker_first(void **state) {
    (void)state;
    const nfsar_pod pod = nfsar_pod_defaults();
    const nfsar_sensor_rates rates = {.imu_hz = 500.0, .tracker_hz = 100.0};
    nfsar_sensor_records r = simulated(&pod, &rates, 8), later = r;
    nfsar_trajectory track;
    later.imu += 2000;
    later.n_imu -= 2000;
    find(&pod, &later, &track);
    assert_true(track.use[NFSAR_SENSOR_TRACKER].rejected < 5);
    const nfsar_trajectory_error e = nfsar_trajectory_compare(
        track.time_s, track.pose, path.pose + (POSES - track.n), track.n, up, false, 1.0);
    assert_true(e.position_m < 0.6e-3);
    nfsar_trajectory_free(&track);
    nfsar_sensor_records_free(&r);
}

/* One wrong first range is one wrong record. */
static void wrong_first_range(void **state) {
    (void)state;
    const nfsar_pod pod = pod_of_hand();
    const nfsar_sensor_rates rates = consumer();
    nfsar_sensor_records r = simulated(&pod, &rates, 4);
    nfsar_trajectory track;
    r.range[0].range_m = 5.0;
    find(&pod, &r, &track);
    assert_true(track.use[NFSAR_SENSOR_RANGE].rejected < 5);
    assert_sound(&track);
    nfsar_trajectory_free(&track);
    nfsar_sensor_records_free(&r);
}

static void bad_arguments(void **state) {
    (void)state;
    nfsar_error error = {0};
    nfsar_trajectory track;
    nfsar_pod pod = pod_of_hand();
    nfsar_sensor_records r = recorded(&pod);
    const double back[2] = {105.0, 104.0};
    assert_int_equal(nfsar_trajectory_find(&pod, &r, back, 2, 1.0, &track, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "time 1 that a pose is wanted at");
    assert_int_equal(nfsar_trajectory_find(&pod, &r, back, 1, 0.0, &track, &error),
                     NFSAR_ERROR_ARGUMENT);
    pod.imu.rate.density = 0.0;
    assert_int_equal(nfsar_trajectory_find(&pod, &r, back, 1, 1.0, &track, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "noise of the imu");
    pod = pod_of_hand();
    pod.range.mounting.rotation.w = 0.5;
    assert_int_equal(nfsar_trajectory_find(&pod, &r, back, 1, 1.0, &track, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "the pod's range.mounting: ");
    pod = pod_of_hand();
    pod.start.given = true;
    pod.start.pose.position.y = NAN;
    assert_int_equal(nfsar_trajectory_find(&pod, &r, back, 1, 1.0, &track, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "the pod's start.pose: ");
    nfsar_sensor_records_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order),
        cmocka_unit_test(quaternions),
        cmocka_unit_test(too_few),
        cmocka_unit_test(apart),
        cmocka_unit_test(left_out),
        cmocka_unit_test(gap),
        cmocka_unit_test(long_silence),
        cmocka_unit_test(strays),
        cmocka_unit_test(moving_start),
        cmocka_unit_test(bad_arguments),
        cmocka_unit_test(turning_start),
        cmocka_unit_test(tracker_first),
        cmocka_unit_test(wrong_first_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
