/* The description of a stage: in steps, and what it must not say. */
#include "host/devices/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support.h"

static const char good[] =
    "x:\n"
    "  steps_per_m: 80000\n"
    "  speed_m_per_s: 0.1\n"
    "  acceleration_m_per_s2: 0.75\n"
    "  jerk_m_per_s3: 15\n"
    "  low_m: -0.01\n"
    "  high_m: 0.4\n"
    "  invert: true\n"
    "  switches: [low, high]\n"
    "  home: {end: high, speed_m_per_s: 0.05, slow_m_per_s: 0.0025, back_m: 0.01, position_m: "
    "0.4}\n"
    "  enable_delay_s: 0.005\n"
    "  idle_off_s: 60\n"
    "turntable:\n"
    "  steps_per_turn: 14400\n"
    "  speed_deg_per_s: 90\n"
    "  acceleration_deg_per_s2: 700\n"
    "  jerk_deg_per_s3: 14000\n"
    "  home: {speed_deg_per_s: 45, slow_deg_per_s: 5, back_deg: 5, timeout_s: 30}\n"
    "radar: {frame_s: 0.005, pulse_s: 2.0e-6}\n";

static void write(const char *text) {
    test_write_file("stage.yaml", text, strlen(text));
}

static void lengths_become_steps(void **state) {
    (void)state;
    struct stage *stage = NULL;
    nfsar_error error;
    write(good);
    assert_ok(stage_load(test_path("stage.yaml"), &stage, &error), error);
    assert_null(stage_axis(stage, 1));
    assert_null(stage_axis(stage, 9));
    struct nfsar_wire_do_axis_set set;
    stage_wire_axis(stage, 0, &set);
    assert_near(set.speed, 8000.0, 1e-3);
    assert_near(set.acceleration, 60000.0, 1e-2);
    assert_near(set.jerk, 1.2e6, 1.0);
    assert_int_equal(set.low, -800);
    assert_int_equal(set.high, 32000);
    assert_int_equal(set.invert, 1);
    assert_int_equal(set.switches, 3);
    assert_int_equal(set.home, 1);
    assert_int_equal(set.endless, 0);
    assert_near(set.home_speed, 4000.0, 1e-3);
    assert_near(set.home_slow, 200.0, 1e-3);
    assert_int_equal(set.home_back, 800);
    assert_int_equal(set.home_position, 32000);
    /* From end to end and a tenth more. */
    assert_int_equal(set.home_travel, 36080);
    assert_int_equal(set.enable_ms, 5);
    assert_int_equal(set.idle_ms, 60000);
    assert_int_equal(set.halt, 0);
    /* 40 steps a degree. */
    assert_near(stage_steps(stage, 2), 40.0, 1e-12);
    stage_wire_axis(stage, 2, &set);
    assert_near(set.speed, 3600.0, 1e-3);
    assert_int_equal(set.endless, 1);
    assert_int_equal(set.home, -1);
    assert_int_equal(set.home_back, 200);
    assert_int_equal(set.home_travel, 15840);
    assert_int_equal(set.home_timeout_ms, 30000);
    assert_int_equal(set.low, set.high);
    struct nfsar_wire_do_trigger_set trigger;
    stage_wire_radar(stage->radar, &trigger);
    assert_int_equal(trigger.frame_ns, 5000000);
    assert_int_equal(trigger.pulse_ns, 2000);
    stage_free(stage);
    stage_free(NULL);
}

/* `good` with `what` in place of `instead_of`. */
static void assert_refused(const char *instead_of, const char *what, const char *part) {
    char text[2048];
    const char *at = strstr(good, instead_of);
    assert_non_null(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good), good, what, at + strlen(instead_of));
    write(text);
    struct stage *stage = NULL;
    nfsar_error error;
    assert_int_equal(stage_load(test_path("stage.yaml"), &stage, &error), NFSAR_ERROR_FORMAT);
    assert_null(stage);
    assert_contains(error.message, "stage.yaml: ");
    assert_contains(error.message, part);
}

static void what_cannot_be_is_named(void **state) {
    (void)state;
    assert_refused("steps_per_m: 80000", "steps_per_m: -80000", "x: -80000 steps are not possible");
    assert_refused("steps_per_m: 80000", "steps_per_m: .nan", "'.nan' is not a number");
    assert_refused("speed_m_per_s: 0.1\n", "speed_m_per_s: 0\n", "x.speed: 0 is 0 steps");
    assert_refused("jerk_m_per_s3: 15", "jerk_m_per_s3: .inf", "'.inf' is not a number");
    assert_refused("speed_m_per_s: 0.1\n", "speed_mm_per_s: 100\n", "speed_mm_per_s");
    assert_refused("  jerk_m_per_s3: 15\n", "", "jerk_m_per_s3");
    assert_refused("low_m: -0.01", "low_m: 0.5", "x: low and high go together");
    assert_refused("  high_m: 0.4\n", "", "x: low and high go together");
    assert_refused("high_m: 0.4", "high_m: 1e9", "x.high: 1e+09");
    assert_refused("end: high, ", "", "x.home.end: is missing; low or high");
    assert_refused("end: high", "end: middle", "middle");
    assert_refused("enable_delay_s: 0.005", "enable_delay_s: 100", "x.enable_delay_s: 100");
    assert_refused("timeout_s: 30", "timeout_s: -1", "turntable.home.timeout_s: -1");
    assert_refused("frame_s: 0.005", "frame_s: 5 ms", "frame_s");
    assert_refused("frame_s: 0.005", "frame_s: 5", "radar.frame_s: 5 is not from 0 to 4 s");
    assert_refused("pulse_s: 2.0e-6", "pulse_s: 2.0e-3", "radar.pulse_s: 0.002");
    struct stage *stage = NULL;
    nfsar_error error;
    write("{}\n");
    assert_int_equal(stage_load(test_path("stage.yaml"), &stage, &error), NFSAR_ERROR_FORMAT);
    assert_int_equal(stage_load(test_path("none.yaml"), &stage, &error), NFSAR_ERROR_FILE);
}

static void the_example_is_good(void **state) {
    (void)state;
    char path[1024];
    const char *source = getenv("NFSAR_SOURCE");
    struct stage *stage = NULL;
    nfsar_error error;
    if (source == NULL) {
        skip();
    }
    snprintf(path, sizeof path, "%s/docs/examples/stage-scanner.yaml", source);
    assert_ok(stage_load(path, &stage, &error), error);
    for (unsigned axis = 0; axis < 3; axis++) {
        assert_non_null(stage_axis(stage, axis));
    }
    stage_free(stage);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_become_steps),
        cmocka_unit_test(what_cannot_be_is_named),
        cmocka_unit_test(the_example_is_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
