/* Records that cannot be meant as they stand: units of the IMU, and sensors that are mounted
 * otherwise than their pod says. */
#include "tests/calibration/trajectory.h"

static nfsar_sensor_records recorded(const nfsar_pod *pod, unsigned long long seed) {
    const nfsar_sensor_rates rates = consumer();
    return simulated(pod, &rates, seed);
}

static void refused(const nfsar_sensor_records *records, const char *part) {
    const nfsar_pod pod = pod_of_hand();
    nfsar_error error = {0};
    nfsar_trajectory track;
    assert_int_equal(nfsar_trajectory_find(&pod, records, path.time, POSES, 1.0, &track, &error),
                     NFSAR_ERROR_FORMAT);
    assert_contains(error.message, part);
    assert_null(track.pose);
}

enum what { FORCE, RATES, TIMES };

/* All of one quantity of the IMU times a factor. */
static void refused_times(const nfsar_sensor_records *right, enum what what, double factor,
                          const char *part) {
    nfsar_sensor_records r = *right;
    r.imu = malloc(r.n_imu * sizeof *r.imu);
    assert_non_null(r.imu);
    for (size_t i = 0; i < r.n_imu; i++) {
        r.imu[i] = right->imu[i];
        nfsar_imu_record *imu = &r.imu[i];
        imu->acceleration = nfsar_vec3_scale(imu->acceleration, what == FORCE ? factor : 1.0);
        imu->rate = nfsar_vec3_scale(imu->rate, what == RATES ? factor : 1.0);
        imu->time_s *= what == TIMES ? factor : 1.0;
    }
    refused(&r, part);
    free(r.imu);
}

static void units(void **state) {
    (void)state;
    const nfsar_pod pod = pod_of_hand();
    nfsar_sensor_records r = recorded(&pod, 5);
    refused_times(&r, FORCE, 1.0 / 9.80665, "m/s^2 with gravity in them, and these look like g");
    refused_times(&r, FORCE, 1e3 / 9.80665, "most say more than 500 m/s^2: units are m/s^2");
    refused_times(&r, FORCE, 1e-3, "units are m/s^2 with gravity in them");
    refused_times(&r, RATES, 1.0 / DEGREE, "units are rad/s, and these look like degrees/s");
    refused_times(&r, RATES, 1e9, "most say more than 175 rad/s: units are rad/s");
    refused_times(&r, TIMES, 1e3, "imu: its records are 1 s apart");
    refused_times(&r, TIMES, 1e6, "are its times in seconds?");
    refused_times(&r, TIMES, 1e12, "most have times beyond 1e12: are they in seconds?");
    refused_times(&r, TIMES, 1e-3, "imu: its records are 1e-06 s apart");
    refused_times(&r, TIMES, 0.0, "most have the time of the one before");
    nfsar_sensor_records_free(&r);
}

/* Round a circle of a quarter of a metre, once in one and in two seconds: the force leans by 45 and
 * 13 degrees, and that it turns is no fault of the gyroscope's. */
static void circle(void **state) {
    (void)state;
    const double speeds[] = {3.0, 6.3};
    for (size_t k = 0; k < sizeof speeds / sizeof *speeds; k++) {
        const nfsar_pod pod = pod_of_hand();
        const nfsar_sensor_rates rates = {.imu_hz = 200.0, .tracker_hz = 20.0};
        nfsar_sensor_records r;
        nfsar_trajectory track;
        nfsar_error error;
        for (size_t i = 0; i < POSES; i++) {
            const double angle = speeds[k] * (double)i / RATE;
            path.time[i] = (double)i / RATE;
            path.pose[i] = (nfsar_pose){{0.25 * sin(angle), 0.0, -0.25 * cos(angle)},
                                        turned(0.0, -angle, 0.0)};
        }
        assert_ok(nfsar_sensors_simulate(&pod, &rates, path.time, path.pose, POSES, k, &r, &error),
                  error);
        find(&pod, &r, &track);
        assert_int_equal(track.use[NFSAR_SENSOR_TRACKER].rejected, 0);
        nfsar_trajectory_free(&track);
        nfsar_sensor_records_free(&r);
    }
}

/* Innovations of a pod that is right are independent: their mean product is within five of its
 * standard deviations, 1/sqrt(n), of 0. */
static void independent(void **state) {
    (void)state;
    const nfsar_pod pod = pod_of_hand();
    for (unsigned long long seed = 1; seed <= 2; seed++) {
        nfsar_sensor_records r = recorded(&pod, seed);
        nfsar_trajectory track;
        find(&pod, &r, &track);
        for (int s = NFSAR_SENSOR_FLOW; s <= NFSAR_SENSOR_RANGE; s++) {
            const nfsar_sensor_use *use = &track.use[s];
            assert_true(use->used > 400);
            assert_true(use->alike >= 0.0 && use->alike < 5.0 / sqrt((double)use->used));
        }
        nfsar_trajectory_free(&track);
        nfsar_sensor_records_free(&r);
    }
}

/* Those of sensors that are turned otherwise are not. */
static void mounted_wrong(void **state) {
    (void)state;
    const nfsar_pod right = pod_of_hand();
    for (int k = 0; k < 3; k++) {
        nfsar_sensor_records r = recorded(&right, 7 + (unsigned long long)k);
        nfsar_pod wrong = right;
        nfsar_trajectory track;
        if (k < 2) {
            wrong.flow.mounting.rotation = turned(0.0, 0.0, k == 0 ? 90 * DEGREE : NFSAR_PI);
        } else {
            wrong.imu.mounting.rotation = turned(0.0, NFSAR_PI, 0.0);
        }
        find(&wrong, &r, &track);
        const nfsar_sensor_use *use = &track.use[NFSAR_SENSOR_FLOW];
        assert_true(use->alike > 1.0 || use->rejected > use->used / 3);
        nfsar_trajectory_free(&track);
        nfsar_sensor_records_free(&r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units),
        cmocka_unit_test(circle),
        cmocka_unit_test(independent),
        cmocka_unit_test(mounted_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
