/* What a session would do, and what is refused before anything moves. */
#include "host/session/plan.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support.h"

static struct session *load(const char *name) {
    char path[512];
    struct session *session = NULL;
    nfsar_error error;
    snprintf(path, sizeof path, "%s/docs/examples/%s", getenv("NFSAR_SOURCE"), name);
    assert_ok(session_load(path, &session, &error), error);
    return session;
}

struct told {
    size_t n;
    char text[4096];
};

static void tell(void *context, const char *text) {
    struct told *told = context;
    told->n++;
    strncat(told->text, text, sizeof told->text - strlen(told->text) - 1);
}

static size_t check(const struct session *session, const struct plan *plan, struct told *told) {
    memset(told, 0, sizeof *told);
    const size_t n = plan_check(session, plan, tell, told);
    assert_int_equal(n, told->n);
    return n;
}

static void numbers(void **state) {
    (void)state;
    struct session *session = load("session-stage.yaml");
    struct plan plan;
    struct told told;
    plan_make(session, "/tmp/x.h5", &plan);
    assert_int_equal(plan.triggers, 16000);
    assert_int_equal(plan.pulses, 16000);
    assert_near(plan.interval_s, 10e-3, 1e-12); /* 1 mm at the axis' 0.1 m/s */
    assert_near(plan.rate, 204800, 1e-6);
    /* Rows of 399 mm at 0.1 m/s alone are 159.6 s; ramps and steps between rows come to it. */
    assert_true(plan.seconds > 165 && plan.seconds < 190);
    assert_true(plan.file_bytes > 16000.0 * 2048 && plan.file_bytes < 16000.0 * 2048 * 1.3);
    assert_true(plan.disk_free > 0);
    assert_int_equal(check(session, &plan, &told), 0);
    /* The radar is the slower where points are near. */
    session->scan.pitch[0] = 0.2e-3;
    plan_make(session, NULL, &plan);
    assert_near(plan.interval_s, 5e-3, 1e-12);
    assert_near(plan.disk_free, 0, 0);
    session_free(session);
}

static void by_time(void **state) {
    (void)state;
    struct session *session = load("session-handheld-emulated.yaml");
    struct plan plan;
    struct told told;
    plan_make(session, NULL, &plan);
    assert_near(plan.seconds, 5.0, 1e-9);
    assert_int_equal(check(session, &plan, &told), 0);
    session->scan.triggers = 0;
    session->scan.limit_s = 60;
    plan_make(session, NULL, &plan);
    assert_near(plan.seconds, 0, 0);
    assert_int_equal(plan.triggers, 6001);
    session->scan.period_s = 4e-3; /* the .cfg says 5 ms */
    plan_make(session, NULL, &plan);
    assert_int_equal(check(session, &plan, &told), 1);
    assert_contains(told.text, "scan.period_s: 4 ms between triggers, but the radar needs 5 ms");
    session_free(session);
}

static void refused(void **state) {
    (void)state;
    struct session *session = load("session-stage.yaml");
    struct plan plan;
    struct told told;
    /* 2048 bytes each 5 ms through a packet of 1456 bytes each 500 us are fine; eight times that is
     * more than 80 %. */
    session->scan.pitch[0] = 0.2e-3;
    session->card.packet_delay_s = 500e-6;
    session->radar.frame.bytes *= 8;
    plan_make(session, NULL, &plan);
    assert_int_equal(check(session, &plan, &told), 1);
    assert_contains(told.text, "card.packet_delay_s: the radar sends 3.3 MB/s (16384 bytes each 5");
    session->card.packet_delay_s = 100e-6;
    plan_make(session, NULL, &plan);
    assert_int_equal(check(session, &plan, &told), 0);

    session->radar.frame.frame_s = 6e-3; /* longer than the stage's frame_s */
    assert_int_equal(check(session, &plan, &told), 1);
    assert_contains(told.text, "radar.frame_s is 5 ms, but a frame of");
    session->radar.frame.frame_s = 1e-3;

    plan.disk_free = plan.file_bytes;
    assert_int_equal(check(session, &plan, &told), 1);
    assert_contains(told.text, "the disk has");
    plan.disk_free = 0;

    session->radar.cfg.trigger = TI_CFG_SOFTWARE;
    assert_int_equal(check(session, &plan, &told), 1);
    assert_contains(told.text, "frameCfg");
    session_free(session);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers), cmocka_unit_test(by_time),
                                       cmocka_unit_test(refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
