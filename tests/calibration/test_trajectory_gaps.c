/* Gaps of the IMU: poses in them are known as well as their covariance says, whoever else speaks.
 */
#include "tests/calibration/trajectory.h"

#ifdef NFSAR_SANITIZED
enum { SWEEPS = 1, TELL = 0 }; /* they are slow, and one tells nothing of a mean */
#else
enum { SWEEPS = 16, TELL = 1 };
#endif

static void assert_honest(double nees) {
    assert_true(!TELL || (nees > 0.5 && nees < 2.0));
}

/* Records of [n] that are not between two times, in place; their number. */
static size_t cut(void *array, size_t n, size_t size, double from, double to) {
    char *at = array;
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        double time = 0.0;
        memcpy(&time, at + i * size, sizeof time);
        if (time <= from || time >= to) {
            memmove(at + kept++ * size, at + i * size, size);
        }
    }
    return kept;
}

static void silence(nfsar_sensor_records *r, bool all, double from, double to) {
    r->n_imu = cut(r->imu, r->n_imu, sizeof *r->imu, from, to);
    if (all) {
        r->n_flow = cut(r->flow, r->n_flow, sizeof *r->flow, from, to);
        r->n_range = cut(r->range, r->n_range, sizeof *r->range, from, to);
        r->n_tracker = cut(r->tracker, r->n_tracker, sizeof *r->tracker, from, to);
    }
}

/* e^T C^-1 e of a position, three degrees of freedom. */
static double squared(nfsar_vec3 e, const double *covariance) {
    double y[3] = {e.x, e.y, e.z};
    return normalised_square(covariance, 3, y);
}

/* NEES of positions over its degrees of freedom within a gap of 0.3 to 1 s somewhere in the sweep,
 * mean over sweeps. */
static double nees_in_gaps(bool tracked, bool all_silent) {
    double mean = 0.0;
    for (unsigned long long seed = 1; seed <= SWEEPS; seed++) {
        nfsar_pod pod = pod_of_hand();
        nfsar_sensor_rates rates = consumer();
        rates.imu_hz = 500.0;
        if (tracked) {
            rates.tracker_hz = 100.0;
            rates.flow_hz = rates.range_hz = 0.0;
        }
        nfsar_sensor_records r = simulated(&pod, &rates, seed);
        nfsar_random random;
        nfsar_random_seed(&random, 2000 + seed);
        const double from = 103.5 + 5.0 * nfsar_random_uniform(&random);
        const double length = 0.3 + 0.7 * ((double)seed - 0.5) / SWEEPS, to = from + length;
        if (!tracked) {
            pod.start.given = true;
            pod.start.sigma_m = 1e-3;
            pod.start.yaw_rad = 2e-3;
            pod.start.pose.position = (nfsar_vec3){1e-3 * nfsar_random_normal(&random),
                                                   1e-3 * nfsar_random_normal(&random),
                                                   1e-3 * nfsar_random_normal(&random)};
            pod.start.pose.orientation =
                nfsar_quaternion_from_axis_angle(up, 2e-3 * nfsar_random_normal(&random));
        }
        silence(&r, all_silent, from, to);
        nfsar_trajectory t;
        find(&pod, &r, &t);
        assert_int_equal(t.n_gap, 1);
        assert_near(t.gap[0].from_s, from, 2.1e-3);
        assert_near(t.gap[0].to_s, to, 2.1e-3);
        double sum = 0.0;
        size_t n = 0;
        for (size_t i = 0; i < t.n; i += 5) {
            if (t.time_s[i] > from && t.time_s[i] < to) {
                const nfsar_vec3 e = nfsar_vec3_subtract(path.pose[i].position, t.pose[i].position);
                sum += squared(e, t.covariance + 36 * i);
                n++;
            }
        }
        mean += sum / (double)n / 3.0 / SWEEPS;
        nfsar_trajectory_free(&t);
        nfsar_sensor_records_free(&r);
    }
    printf("%s, %s: NEES/3 in gaps %.2f\n", tracked ? "tracker" : "flow and range finder",
           all_silent ? "silent too" : "which go on", mean);
    return mean;
}

static void others_go_on(void **state) {
    (void)state;
    const double tracker = nees_in_gaps(true, false), flow = nees_in_gaps(false, false);
    assert_honest(tracker);
    assert_honest(flow);
}

static void all_silent(void **state) {
    (void)state;
    const double tracker = nees_in_gaps(true, true), flow = nees_in_gaps(false, true);
    assert_honest(tracker);
    assert_honest(flow);
}

/* In the middle of a silence a pose is known less than at its ends, though nothing speaks there. */
static void grows_inside(void **state) {
    (void)state;
    const nfsar_pod pod = nfsar_pod_defaults();
    const nfsar_sensor_rates rates = {.imu_hz = 500.0, .tracker_hz = 100.0};
    nfsar_sensor_records r = simulated(&pod, &rates, 3);
    nfsar_trajectory t;
    silence(&r, true, 105.0, 105.8);
    find(&pod, &r, &t);
    const size_t before = 2490, middle = 2700, after = 2910; /* 104.98, 105.4, 105.82 s */
    for (size_t k = 0; k < 36; k += 7) {
        const double least =
            2.0 * fmax(t.covariance[36 * before + k], t.covariance[36 * after + k]);
        assert_true(t.covariance[36 * middle + k] > least);
    }
    nfsar_trajectory_free(&t);
    nfsar_sensor_records_free(&r);
}

/* A recording of gaps alone tells nothing of what happens in them: sound, and not sure. */
static void nothing_between(void **state) {
    (void)state;
    const nfsar_pod pod = nfsar_pod_defaults();
    const nfsar_sensor_rates rates = {.imu_hz = 500.0, .tracker_hz = 100.0};
    nfsar_sensor_records r = simulated(&pod, &rates, 3);
    nfsar_trajectory t;
    for (int k = 0; k < 24; k++) { /* readings of 0.05 s every 0.45 s */
        r.n_imu = cut(r.imu, r.n_imu, sizeof *r.imu, 100.05 + 0.45 * k, 100.45 + 0.45 * k);
    }
    find(&pod, &r, &t);
    assert_int_equal(t.n_gap, 24);
    assert_near(t.use[NFSAR_SENSOR_IMU].first_gap_s, 100.05, 2.1e-3);
    double worst = 0.0;
    for (size_t i = 0; i < t.n; i++) {
        worst = fmax(worst, squared(nfsar_vec3_subtract(path.pose[i].position, t.pose[i].position),
                                    t.covariance + 36 * i));
    }
    assert_true(worst < 25.0); /* of 5500, three degrees of freedom: once in 60000 */
    nfsar_trajectory_free(&t);
    nfsar_sensor_records_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_go_on),
        cmocka_unit_test(all_silent),
        cmocka_unit_test(grows_inside),
        cmocka_unit_test(nothing_between),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
