/* Steps, switches and speeds of the emulated stage. */
#include <math.h>

#include "firmware/boards/board.h"
#include "tests/rig/stage_model.h"
#include "tests/support.h"

static const char description[] = "x:\n"
                                  "  steps_per_m: 10000\n"
                                  "  speed_m_per_s: 0.1\n"
                                  "  acceleration_m_per_s2: 1\n"
                                  "  jerk_m_per_s3: 10\n"
                                  "  low_m: 0.01\n"
                                  "  high_m: 0.1\n"
                                  "  switches: [low, high]\n"
                                  "  home: {end: low, speed_m_per_s: 0.05, slow_m_per_s: 0.01}\n"
                                  "y:\n"
                                  "  steps_per_m: 10000\n"
                                  "  speed_m_per_s: 0.1\n"
                                  "  acceleration_m_per_s2: 1\n"
                                  "  jerk_m_per_s3: 10\n"
                                  "  low_m: 0.0\n"
                                  "  high_m: 0.1\n"
                                  "  invert: true\n"
                                  "  switches: [high]\n"
                                  "  home: {end: high, speed_m_per_s: 0.05, slow_m_per_s: 0.01, "
                                  "position_m: 0.12}\n"
                                  "turntable:\n"
                                  "  steps_per_turn: 3200\n"
                                  "  speed_deg_per_s: 90\n"
                                  "  acceleration_deg_per_s2: 900\n"
                                  "  jerk_deg_per_s3: 9000\n"
                                  "  home: {speed_deg_per_s: 45, slow_deg_per_s: 5}\n";

static struct stage *load(struct rig_stage *model) {
    struct stage *stage = NULL;
    nfsar_error error;
    test_write_file("stage.yaml", description, sizeof description - 1);
    assert_ok(stage_load(test_path("stage.yaml"), &stage, &error), error);
    rig_stage_init(model, stage);
    return stage;
}

static void step(struct rig_stage *model, unsigned axis, bool direction, int n) {
    for (int i = 0; i < n; i++) {
        rig_stage_step(model, axis, direction, 0);
    }
}

static bool closed(const struct rig_stage *model, enum board_input input) {
    return (rig_stage_inputs(model) >> input & 1U) != 0;
}

static void switches_close_where_the_hub_counts_them(void **state) {
    (void)state;
    struct rig_stage model;
    struct stage *stage = load(&model);
    assert_int_equal(model.axis[0].position, 250);
    step(&model, 0, false, 249);
    assert_false(closed(&model, BOARD_LIMIT_X_LOW));
    step(&model, 0, false, 1);
    assert_true(closed(&model, BOARD_LIMIT_X_LOW));
    assert_int_equal(model.axis[0].position, 0);
    /* 5 mm behind high_m */
    step(&model, 0, true, 1049);
    assert_int_equal(rig_stage_inputs(&model) & 0xFU, 0);
    step(&model, 0, true, 1);
    assert_true(closed(&model, BOARD_LIMIT_X_HIGH));
    /* y goes the other way, homes to the high end, and has no low switch */
    assert_int_equal(model.axis[1].position, 1200 - 250);
    step(&model, 1, false, 250);
    assert_true(closed(&model, BOARD_LIMIT_Y_HIGH));
    assert_int_equal(model.axis[1].position, 1200);
    step(&model, 1, true, 2000);
    assert_int_equal(model.axis[1].position, -800);
    assert_false(closed(&model, BOARD_LIMIT_Y_LOW));
    stage_free(stage);
}

/* The edge that homing comes upon from above is position 0; once a turn. */
static void the_turntable_has_one_mark(void **state) {
    (void)state;
    struct rig_stage model;
    struct stage *stage = load(&model);
    assert_false(closed(&model, BOARD_LIMIT_TURN_HOME));
    int edges = 0;
    for (int i = 0; i < 2 * 3200; i++) {
        const bool before = closed(&model, BOARD_LIMIT_TURN_HOME);
        step(&model, 2, false, 1);
        if (!before && closed(&model, BOARD_LIMIT_TURN_HOME)) {
            assert_int_equal(model.axis[2].position % 3200, 0);
            edges++;
        }
    }
    assert_int_equal(edges, 2);
    stage_free(stage);
}

/* What a hub counts: from its start, and from the switch once that was found. */
static void positions_are_the_hubs(void **state) {
    (void)state;
    struct rig_stage model;
    struct stage *stage = load(&model);
    assert_int_equal(rig_stage_position(&model, 0), 0);
    step(&model, 0, false, 240);
    assert_int_equal(rig_stage_position(&model, 0), -240);
    step(&model, 0, false, 10);
    assert_int_equal(rig_stage_position(&model, 0), 0);
    step(&model, 0, true, 100);
    assert_int_equal(rig_stage_position(&model, 0), 100);
    step(&model, 1, false, 300); /* y is inverted, and its switch is at the high end */
    assert_int_equal(rig_stage_position(&model, 1), 1250);
    rig_stage_restart(&model);
    assert_int_equal(rig_stage_position(&model, 0), 0);
    step(&model, 0, false, 101);
    assert_int_equal(rig_stage_position(&model, 0), -1);
    assert_int_equal(rig_stage_position(&model, 2), 0);
    stage_free(stage);
}

static void speed_is_that_of_the_last_steps(void **state) {
    (void)state;
    struct rig_stage model;
    rig_stage_init(&model, NULL);
    const uint64_t ms = 1000000;
    assert_true(rig_stage_speed(&model, 0, 0) == 0.0);
    for (unsigned i = 1; i <= 20; i++) {
        rig_stage_step(&model, 0, false, i * ms / 4); /* 4000 a second, backward */
    }
    assert_near(rig_stage_speed(&model, 0, 5 * ms), -4000.0, 1e-6);
    /* No step for 2 ms: no faster than 500 a second; for a second: it stands. */
    assert_near(rig_stage_speed(&model, 0, 7 * ms), -500.0, 1e-6);
    assert_true(rig_stage_speed(&model, 0, 1005 * ms) == 0.0);
    /* Turned round: the steps before do not count. */
    rig_stage_step(&model, 0, true, 6 * ms);
    assert_true(rig_stage_speed(&model, 0, 6 * ms) == 0.0);
    rig_stage_step(&model, 0, true, 7 * ms);
    assert_near(rig_stage_speed(&model, 0, 7 * ms), 1000.0, 1e-6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(switches_close_where_the_hub_counts_them),
        cmocka_unit_test(the_turntable_has_one_mark),
        cmocka_unit_test(positions_are_the_hubs),
        cmocka_unit_test(speed_is_that_of_the_last_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
