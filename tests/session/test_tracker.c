/* A tracker's file as it should be, and each way it may not be. */
#include "host/session/tracker.h"

#include <string.h>

#include <nfsar/simulation.h>

#include "tests/support.h"

static const char good[] = "time_s,x,y,z,qw,qx,qy,qz\r\n"
                           "# of the camera\n"
                           "\n"
                           "1.5,0.1,-0.2,3e-3,1,0,0,0\n"
                           "  1.6 0.2\t-0.2 0.003 0.7071068 0 0.7071068 0 \r\n"
                           "1.7, 0.3, -0.2, 0.003, 1, 0, 0, 0";

static enum nfsar_status load(const char *text, size_t n, struct tracker *tracker,
                              nfsar_error *error) {
    test_write_file("tracker.csv", text, n);
    return tracker_load(test_path("tracker.csv"), tracker, error);
}

static void poses(void **state) {
    (void)state;
    struct tracker tracker;
    nfsar_error error;
    assert_ok(load(good, strlen(good), &tracker, &error), error);
    assert_int_equal(tracker.n, 3);
    assert_near(tracker.time_s[1], 1.6, 0);
    assert_near(tracker.pose[2].position.x, 0.3, 0);
    assert_near(tracker.pose[0].position.y, -0.2, 0);
    assert_near(tracker.pose[1].orientation.w, tracker.pose[1].orientation.y, 1e-12);
    assert_near(tracker.pose[1].orientation.w, 0.70710678118, 1e-7);
    tracker_free(&tracker);
}

static void wrong(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "holds no pose"},
        {"time_s,x\n", "holds no pose"},
        {"1,2,3\n", "line 1: expected eight numbers"},
        {"1,2,3,4,1,0,0,0,9\n", "line 1: expected eight"},
        {"1,2,3,4,1,0,0,zero\n", "line 1: expected eight"},
        {"1,2,3,nan,1,0,0,0\n", "line 1: expected eight"},
        {"1,,3,4,1,0,0,0\n", "line 1: expected eight"},
        {"1,2,3,4,0,0,0,0\n", "line 1: the quaternion's length is 0"},
        {"1,2,3,4,0.5,0.5,0,0\n", "quaternion's length"},
        {"2,2,3,4,1,0,0,0\n2,2,3,4,1,0,0,0\n", "line 2: time 2 is not after"},
        {"2,2,3,4,1,0,0,0\n1,2,3,4,1,0,0,0\n", "line 2: time 1 is not after"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tracker tracker;
        nfsar_error error;
        assert_int_equal(load(cases[i].text, strlen(cases[i].text), &tracker, &error),
                         NFSAR_ERROR_FORMAT);
        assert_contains(error.message, cases[i].says);
        assert_contains(error.message, "tracker.csv");
        assert_null(tracker.time_s);
    }
    struct tracker tracker;
    nfsar_error error;
    assert_int_equal(tracker_load(test_path("none.csv"), &tracker, &error), NFSAR_ERROR_FILE);
}

/* Cut anywhere, or with any byte changed: an answer, never a crash. */
static void damaged(void **state) {
    (void)state;
    nfsar_random random;
    nfsar_random_seed(&random, 11);
    size_t read = 0;
    for (size_t i = 0; i < 2000; i++) {
        char text[sizeof good];
        memcpy(text, good, sizeof good);
        const size_t n = i < sizeof good ? i : sizeof good - 1;
        if (i >= sizeof good) {
            text[nfsar_random_bits(&random) % n] = (char)nfsar_random_bits(&random);
        }
        struct tracker tracker;
        nfsar_error error;
        if (load(text, n, &tracker, &error) == NFSAR_OK) {
            assert_true(tracker.n >= 1 && tracker.n <= 4);
            read++;
        }
        tracker_free(&tracker);
    }
    assert_true(read > 100 && read < 2000);
}

/* A line longer than any line is refused, not cut in two. */
static void overlong(void **state) {
    (void)state;
    char text[3000];
    memset(text, ' ', sizeof text);
    memcpy(text, "1,2,3,4,1,0,0,0", 15);
    text[sizeof text - 1] = '\n';
    struct tracker tracker;
    nfsar_error error;
    assert_int_equal(load(text, sizeof text, &tracker, &error), NFSAR_ERROR_FORMAT);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(poses), cmocka_unit_test(wrong),
                                       cmocka_unit_test(damaged), cmocka_unit_test(overlong)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
