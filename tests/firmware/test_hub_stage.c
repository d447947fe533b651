/* Axes, triggers and scans within the hub: commands in, records and pins out. */
#include "tests/firmware/hub_bench.h"

static struct bench bench_;
static struct bench *const bench = &bench_;

static const struct nfsar_wire_do_axis_set linear = {.speed = 8000,
                                                     .acceleration = 60000,
                                                     .jerk = 1200000,
                                                     .low = -20000,
                                                     .high = 20000,
                                                     .switches = 3,
                                                     .home = -1,
                                                     .home_speed = 4000,
                                                     .home_slow = 200,
                                                     .home_back = 100,
                                                     .home_travel = 30000,
                                                     .home_position = -19000};

static enum nfsar_wire_result set_axis(uint8_t axis, const struct nfsar_wire_do_axis_set *set) {
    uint8_t payload[NFSAR_WIRE_PAYLOAD_MAX];
    return bench_do(bench, NFSAR_WIRE_DO_AXIS_SET, axis, payload,
                    nfsar_wire_pack_do_axis_set(payload, set));
}

/* Three axes that are set and placed at 0, a radar of 1 ms frames. */
static void start(void) {
    bench_greet(bench);
    for (uint8_t axis = 0; axis < 3; axis++) {
        struct nfsar_wire_do_axis_set set = linear;
        if (axis == 2) {
            set.endless = 1;
            set.low = set.high = 0;
        }
        assert_int_equal(set_axis(axis, &set), NFSAR_WIRE_RESULT_DONE);
        assert_int_equal(BENCH_DO(bench, AXIS_PLACE, axis_place, axis, .position = 0),
                         NFSAR_WIRE_RESULT_DONE);
    }
    assert_int_equal(
        BENCH_DO(bench, TRIGGER_SET, trigger_set, 0, .frame_ns = 1000000, .pulse_ns = 2000),
        NFSAR_WIRE_RESULT_DONE);
}

static bool moving(void) {
    return !stage_idle(&bench->hub.stage);
}

static void until_still(unsigned most_ms) {
    for (unsigned ms = 0; moving(); ms++) {
        assert_true(ms < most_ms);
        bench_ms(bench, 1);
    }
    bench_ms(bench, 1);
}

static struct nfsar_wire_axis axis_of(int axis) {
    return BENCH_LAST(bench, AXIS, axis, axis);
}

static void clear_all(void) {
    assert_int_equal(BENCH_DO(bench, CLEAR, clear, 0, .errors = UINT32_MAX),
                     NFSAR_WIRE_RESULT_DONE);
}

static void a_move_is_told_and_made(void **state) {
    (void)state;
    start();
    assert_int_equal(axis_of(0).placed, 1);
    const uint32_t before = bench_count(bench, NFSAR_WIRE_AXIS);
    assert_int_equal(BENCH_DO(bench, AXIS_MOVE, axis_move, 0, .target = -5000),
                     NFSAR_WIRE_RESULT_DONE);
    bench_ms(bench, 2);
    assert_int_equal(axis_of(0).state, NFSAR_WIRE_AXIS_MOVING);
    assert_int_equal(axis_of(0).target, -5000);
    assert_int_equal(axis_of(0).enabled, 1);
    assert_int_equal(BENCH_DO(bench, AXIS_MOVE, axis_move, 0, .target = 5),
                     NFSAR_WIRE_RESULT_STATE);
    until_still(2000);
    const struct nfsar_wire_axis axis = axis_of(0);
    assert_int_equal(axis.state, NFSAR_WIRE_AXIS_IDLE);
    assert_int_equal(axis.position, -5000);
    assert_int_equal(axis.steps, 5000);
    assert_int_equal(axis.placed, 1);
    assert_int_equal(fake_board.axis[0].position, -5000);
    /* 825 ms, a record each 100 ms, and one at each end. */
    assert_in_range(bench_count(bench, NFSAR_WIRE_AXIS) - before, 8, 12);
    bench_settle(bench);
}

static void records_of_moving_axes_as_often_as_asked(void **state) {
    (void)state;
    start();
    assert_int_equal(BENCH_DO(bench, STREAMS, streams, 0, .axis_ms = 10), NFSAR_WIRE_RESULT_DONE);
    uint32_t before = bench_count(bench, NFSAR_WIRE_AXIS);
    assert_int_equal(BENCH_DO(bench, AXIS_MOVE, axis_move, 1, .target = 5000),
                     NFSAR_WIRE_RESULT_DONE);
    until_still(2000);
    assert_in_range(bench_count(bench, NFSAR_WIRE_AXIS) - before, 75, 95);
    assert_int_equal(BENCH_DO(bench, STREAMS, streams, 0, .axis_ms = 0), NFSAR_WIRE_RESULT_DONE);
    before = bench_count(bench, NFSAR_WIRE_AXIS);
    assert_int_equal(BENCH_DO(bench, AXIS_MOVE, axis_move, 1, .target = 0), NFSAR_WIRE_RESULT_DONE);
    until_still(2000);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_AXIS) - before, 2);
    assert_int_equal(axis_of(1).position, 0);
}

static void a_stop_keeps_the_position(void **state) {
    (void)state;
    start();
    assert_int_equal(BENCH_DO(bench, AXIS_MOVE, axis_move, 0, .target = 20000, .speed = 4000),
                     NFSAR_WIRE_RESULT_DONE);
    bench_ms(bench, 500);
    assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_AXIS_STOP, 0, NULL, 0), NFSAR_WIRE_RESULT_DONE);
    bench_ms(bench, 1);
    assert_int_equal(axis_of(0).state, NFSAR_WIRE_AXIS_STOPPING);
    until_still(1000);
    const struct nfsar_wire_axis axis = axis_of(0);
    assert_int_equal(axis.state, NFSAR_WIRE_AXIS_IDLE);
    assert_int_equal(axis.placed, 1);
    assert_in_range(axis.position, 1000, 3000);
    assert_int_equal(axis.position, fake_board.axis[0].position);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_ERROR), 0);
}

static void moves_that_cannot_be(void **state) {
    (void)state;
    bench_greet(bench);
    /* Not set up, not placed. */
    assert_int_equal(BENCH_DO(bench, AXIS_MOVE, axis_move, 0, .target = 5),
                     NFSAR_WIRE_RESULT_VALUE);
    assert_int_equal(bench->detail, NFSAR_WIRE_REASON + MOTION_NOT_CONFIGURED);
    start();
    assert_int_equal(BENCH_DO(bench, AXIS_MOVE, axis_move, 0, .target = 20001),
                     NFSAR_WIRE_RESULT_LIMIT);
    assert_int_equal(BENCH_DO(bench, AXIS_MOVE, axis_move, 2, .target = INT32_MAX),
                     NFSAR_WIRE_RESULT_LIMIT);
    assert_int_equal(BENCH_DO(bench, AXIS_MOVE, axis_move, 0, .target = 5, .speed = 8001),
                     NFSAR_WIRE_RESULT_SPEED);
    static const float bad[] = {-1, 4.1e9F, __builtin_nanf(""), __builtin_inff()};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(BENCH_DO(bench, AXIS_MOVE, axis_move, 0, .target = 5, .speed = bad[i]),
                         NFSAR_WIRE_RESULT_VALUE);
        assert_int_equal(bench->detail, 1);
    }
    fake_board_input(BOARD_LIMIT_X_HIGH, true);
    assert_int_equal(BENCH_DO(bench, AXIS_MOVE, axis_move, 0, .target = 5),
                     NFSAR_WIRE_RESULT_LATCHED);
    assert_int_equal(bench->detail, NFSAR_WIRE_REASON + MOTION_LIMIT_HIGH);
    assert_int_equal(BENCH_DO(bench, AXIS_MOVE, axis_move, 0, .target = -5),
                     NFSAR_WIRE_RESULT_DONE);
    for (unsigned axis = 3; axis < 256; axis++) {
        assert_int_equal(BENCH_DO(bench, AXIS_MOVE, axis_move, (uint8_t)axis, .target = 5),
                         NFSAR_WIRE_RESULT_CHANNEL);
        assert_int_equal(bench->detail, 3);
    }
    assert_int_equal(BENCH_DO(bench, AXIS_PLACE, axis_place, 1, .position = INT32_MIN),
                     NFSAR_WIRE_RESULT_LIMIT);
    assert_int_equal(BENCH_DO(bench, AXIS_ENABLE, axis_enable, 1, .on = 2),
                     NFSAR_WIRE_RESULT_VALUE);
}

static void a_switch_latches_until_cleared(void **state) {
    (void)state;
    start();
    assert_int_equal(BENCH_DO(bench, AXIS_MOVE, axis_move, 0, .target = 20000),
                     NFSAR_WIRE_RESULT_DONE);
    bench_ms(bench, 400);
    fake_board_input(BOARD_LIMIT_X_HIGH, true);
    const int32_t at = fake_board.axis[0].position;
    bench_ms(bench, 1);
    struct nfsar_wire_error limit = bench_error(bench, NFSAR_WIRE_ERROR_AXIS_LIMIT);
    assert_int_equal(limit.latched, 1);
    assert_int_equal(limit.source, 0);
    assert_int_equal(limit.value, at);
    /* Cleared while it still brakes upon the switch: it is latched again, and told again. */
    clear_all();
    bench_ms(bench, 1);
    assert_true(moving());
    limit = bench_error(bench, NFSAR_WIRE_ERROR_AXIS_LIMIT);
    assert_int_equal(limit.latched, 1);
    until_still(1000);
    assert_int_equal(axis_of(0).state, NFSAR_WIRE_AXIS_FAULT);
    assert_int_equal(axis_of(0).placed, 1);
    clear_all();
    bench_ms(bench, 2);
    assert_int_equal(bench_error(bench, NFSAR_WIRE_ERROR_AXIS_LIMIT).latched, 0);
    assert_int_equal(axis_of(0).state, NFSAR_WIRE_AXIS_IDLE);
    assert_int_equal(BENCH_DO(bench, AXIS_MOVE, axis_move, 0, .target = 0), NFSAR_WIRE_RESULT_DONE);
    until_still(2000);
    assert_int_equal(axis_of(0).position, 0);
    assert_int_equal(fake_board.axis[0].position, 0);
}

/* The carriage meets its switch at -300 steps of the motor. */
static void on_step(void *context, const struct fake_edge *edge) {
    (void)context;
    if (edge->kind == FAKE_STEP && edge->axis == 0) {
        const uint32_t bit = 1U << BOARD_LIMIT_X_LOW;
        const bool closed = fake_board.axis[0].position <= -300;
        fake_board.inputs = closed ? fake_board.inputs | bit : fake_board.inputs & ~bit;
    }
}

static void homing_finds_the_switch(void **state) {
    (void)state;
    start();
    fake_board.on_edge = on_step;
    assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_AXIS_HOME, 0, NULL, 0), NFSAR_WIRE_RESULT_DONE);
    bench_ms(bench, 1);
    assert_int_equal(axis_of(0).state, NFSAR_WIRE_AXIS_HOMING);
    assert_int_equal(axis_of(0).placed, 0);
    until_still(5000);
    const struct nfsar_wire_axis axis = axis_of(0);
    assert_int_equal(axis.state, NFSAR_WIRE_AXIS_IDLE);
    assert_int_equal(axis.placed, 1);
    assert_int_equal(axis.position - fake_board.axis[0].position, -19000 + 300);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_ERROR), 0);
    /* No switch within the travel. */
    fake_board.on_edge = NULL;
    fake_board.inputs = 0;
    assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_AXIS_HOME, 0, NULL, 0), NFSAR_WIRE_RESULT_DONE);
    until_still(12000);
    const struct nfsar_wire_error lost = bench_error(bench, NFSAR_WIRE_ERROR_AXIS_HOMING);
    assert_int_equal(lost.latched, 1);
    assert_int_equal(lost.source, 0);
    assert_int_equal(axis_of(0).state, NFSAR_WIRE_AXIS_FAULT);
    assert_int_equal(axis_of(0).placed, 0);
    assert_int_equal(BENCH_DO(bench, AXIS_MOVE, axis_move, 0, .target = 0),
                     NFSAR_WIRE_RESULT_LATCHED);
    clear_all();
    /* A stop ends homing. */
    assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_AXIS_HOME, 0, NULL, 0), NFSAR_WIRE_RESULT_DONE);
    bench_ms(bench, 100);
    assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_AXIS_STOP, 0, NULL, 0), NFSAR_WIRE_RESULT_DONE);
    until_still(1000);
    assert_int_equal(axis_of(0).state, NFSAR_WIRE_AXIS_IDLE);
    /* An axis without a home switch. */
    struct nfsar_wire_do_axis_set set = linear;
    set.home = 0;
    assert_int_equal(set_axis(1, &set), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_AXIS_HOME, 1, NULL, 0),
                     NFSAR_WIRE_RESULT_ABSENT);
}

static void an_emergency_stop_stands_until_released(void **state) {
    (void)state;
    for (unsigned by_button = 0; by_button < 2; by_button++) {
        start();
        assert_int_equal(BENCH_DO(bench, AXIS_MOVE, axis_move, 0, .target = 20000),
                         NFSAR_WIRE_RESULT_DONE);
        assert_int_equal(
            BENCH_DO(bench, TRIGGER_ARM, trigger_arm, 0, .mode = 1, .period_ns = 2000000),
            NFSAR_WIRE_RESULT_DONE);
        bench_ms(bench, 300);
        if (by_button) {
            fake_board_input(BOARD_EMERGENCY_STOP, true);
        } else {
            assert_int_equal(BENCH_DO(bench, EMERGENCY, emergency, 0, .stop = 1),
                             NFSAR_WIRE_RESULT_DONE);
        }
        const uint64_t steps = fake_board.axis[0].steps;
        const uint64_t syncs = fake_board.syncs;
        bench_ms(bench, 50);
        assert_true(fake_board.axis[0].steps <= steps + 1);
        assert_true(fake_board.syncs == syncs);
        assert_int_equal(bench_error(bench, NFSAR_WIRE_ERROR_EMERGENCY_STOP).latched, 1);
        assert_int_equal(bench_error(bench, NFSAR_WIRE_ERROR_AXIS_PLACE).latched, 1);
        assert_int_equal(axis_of(0).state, NFSAR_WIRE_AXIS_FAULT);
        assert_int_equal(axis_of(0).placed, 0);
        assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_STATUS, 0, NULL, 0), NFSAR_WIRE_RESULT_DONE);
        assert_int_equal(BENCH_LAST(bench, STATUS, status, -1).emergency, 1);
        assert_int_equal(BENCH_LAST(bench, STATUS, status, -1).armed, 0);
        assert_int_equal(BENCH_DO(bench, AXIS_MOVE, axis_move, 1, .target = 5),
                         NFSAR_WIRE_RESULT_LATCHED);
        assert_int_equal(bench->detail, NFSAR_WIRE_REASON + MOTION_EMERGENCY_STOP);
        /* Clearing errors does not release it, and does not hide it. */
        clear_all();
        const uint8_t *at = bench->answer;
        assert_int_equal(nfsar_wire_get_u32(&at), 1U << NFSAR_WIRE_ERROR_EMERGENCY_STOP);
        assert_int_equal(BENCH_DO(bench, AXIS_MOVE, axis_move, 1, .target = 5),
                         NFSAR_WIRE_RESULT_LATCHED);
        if (by_button) {
            assert_int_equal(BENCH_DO(bench, EMERGENCY, emergency, 0, .stop = 0),
                             NFSAR_WIRE_RESULT_LATCHED);
            fake_board_input(BOARD_EMERGENCY_STOP, false);
        }
        assert_int_equal(BENCH_DO(bench, EMERGENCY, emergency, 0, .stop = 2),
                         NFSAR_WIRE_RESULT_VALUE);
        assert_int_equal(BENCH_DO(bench, EMERGENCY, emergency, 0, .stop = 0),
                         NFSAR_WIRE_RESULT_DONE);
        clear_all();
        at = bench->answer;
        assert_int_equal(nfsar_wire_get_u32(&at), 0);
        bench_ms(bench, 5);
        assert_int_equal(bench_error(bench, NFSAR_WIRE_ERROR_EMERGENCY_STOP).latched, 0);
        assert_int_equal(axis_of(0).state, NFSAR_WIRE_AXIS_IDLE);
        assert_int_equal(BENCH_DO(bench, AXIS_PLACE, axis_place, 0, .position = 0),
                         NFSAR_WIRE_RESULT_DONE);
        assert_int_equal(BENCH_DO(bench, AXIS_MOVE, axis_move, 0, .target = 100),
                         NFSAR_WIRE_RESULT_DONE);
        until_still(1000);
        assert_int_equal(axis_of(0).position, 100);
        /* And it can be pressed again. */
        assert_int_equal(BENCH_DO(bench, EMERGENCY, emergency, 0, .stop = 1),
                         NFSAR_WIRE_RESULT_DONE);
        bench_ms(bench, 1);
        assert_int_equal(bench_error(bench, NFSAR_WIRE_ERROR_EMERGENCY_STOP).latched, 1);
        bench_settle(bench);
    }
}

/* A host that comes while the hub is at work is told all that stands. */
static void hello_tells_what_stands(void **state) {
    (void)state;
    start();
    assert_int_equal(BENCH_DO(bench, AXIS_MOVE, axis_move, 1, .target = 20000),
                     NFSAR_WIRE_RESULT_DONE);
    bench_ms(bench, 50);
    const uint32_t axes = bench_count(bench, NFSAR_WIRE_AXIS);
    const uint32_t sensors = bench_count(bench, NFSAR_WIRE_SENSOR);
    assert_int_equal(BENCH_DO(bench, HELLO, hello, 0, .major = 1), NFSAR_WIRE_RESULT_DONE);
    bench_turns(bench, 1);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_AXIS), axes + 3);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_SENSOR), sensors + 4);
    assert_int_equal(axis_of(1).state, NFSAR_WIRE_AXIS_MOVING);
    assert_int_equal(axis_of(0).placed, 1);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_ERROR), 0);
}

static void current_off_loses_the_place(void **state) {
    (void)state;
    start();
    assert_int_equal(BENCH_DO(bench, AXIS_ENABLE, axis_enable, 1, .on = 1), NFSAR_WIRE_RESULT_DONE);
    bench_ms(bench, 1);
    assert_int_equal(axis_of(1).enabled, 1);
    assert_true(fake_board.axis[1].enable);
    assert_int_equal(BENCH_DO(bench, AXIS_ENABLE, axis_enable, 1, .on = 0), NFSAR_WIRE_RESULT_DONE);
    bench_ms(bench, 1);
    assert_int_equal(axis_of(1).enabled, 0);
    assert_int_equal(axis_of(1).placed, 0);
    const struct nfsar_wire_error lost = bench_error(bench, NFSAR_WIRE_ERROR_AXIS_PLACE);
    assert_int_equal(lost.latched, 1);
    assert_int_equal(lost.source, 1);
}

static struct nfsar_wire_trigger trigger(void) {
    return BENCH_LAST(bench, TRIGGER, trigger, -1);
}

static void triggers_one_and_by_period(void **state) {
    (void)state;
    start();
    assert_int_equal(BENCH_DO(bench, TRIGGER_ARM, trigger_arm, 0, .mode = 0),
                     NFSAR_WIRE_RESULT_DONE);
    bench_ms(bench, 2);
    assert_int_equal(fake_board.syncs, 1);
    assert_int_equal(fake_board.sync_width_ns, 2000);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_TRIGGER), 1);
    const struct bench_record *record = bench_last(bench, NFSAR_WIRE_TRIGGER, -1);
    assert_true(record->header.time_ns == fake_board.sync_time * 1000 / 84);
    assert_int_equal(trigger().number, 0);
    assert_int_equal(trigger().scan, 1);
    /* 50 of them, 2.5 ms apart. */
    assert_int_equal(
        BENCH_DO(bench, TRIGGER_ARM, trigger_arm, 0, .mode = 1, .period_ns = 2500000, .count = 50),
        NFSAR_WIRE_RESULT_DONE);
    bench_ms(bench, 10);
    assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_STATUS, 0, NULL, 0), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(BENCH_LAST(bench, STATUS, status, -1).armed, 1);
    assert_int_equal(BENCH_DO(bench, TRIGGER_ARM, trigger_arm, 0, .mode = 0),
                     NFSAR_WIRE_RESULT_STATE);
    bench_ms(bench, 200);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_TRIGGER), 51);
    assert_int_equal(trigger().number, 49);
    assert_int_equal(trigger().column, 49);
    assert_int_equal(trigger().scan, 2);
    assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_STATUS, 0, NULL, 0), NFSAR_WIRE_RESULT_DONE);
    const struct nfsar_wire_status status = BENCH_LAST(bench, STATUS, status, -1);
    assert_int_equal(status.triggers, 51);
    assert_int_equal(status.armed, 0);
    assert_int_equal(status.trigger_worst, 1);
    /* Without end, until stopped. */
    assert_int_equal(BENCH_DO(bench, TRIGGER_ARM, trigger_arm, 0, .mode = 1, .period_ns = 2000000),
                     NFSAR_WIRE_RESULT_DONE);
    bench_ms(bench, 1000);
    assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_TRIGGER_STOP, 0, NULL, 0),
                     NFSAR_WIRE_RESULT_DONE);
    const uint64_t syncs = fake_board.syncs;
    assert_in_range(syncs, 51 + 499, 51 + 502);
    bench_ms(bench, 100);
    assert_true(fake_board.syncs == syncs);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_TRIGGER), syncs);
    bench_settle(bench);
}

/* The trigger of an arming is not taken for one of the next, however soon that comes. */
static void armings_that_follow_at_once(void **state) {
    (void)state;
    uint8_t payload[NFSAR_WIRE_PAYLOAD_MAX];
    const struct nfsar_wire_do_trigger_arm one = {.mode = 0};
    const size_t n = nfsar_wire_pack_do_trigger_arm(payload, &one);
    start();
    assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_TRIGGER_ARM, 0, payload, n),
                     NFSAR_WIRE_RESULT_DONE);
    fake_board_ticks(60);
    bench_command(bench, NFSAR_WIRE_DO_TRIGGER_ARM, 0, payload, n);
    hub_poll(&bench->hub);
    bench_receive(bench);
    assert_int_equal(fake_board.syncs, 1);
    assert_int_equal(trigger().number, 0);
    assert_int_equal(trigger().scan, 1);
    bench_ms(bench, 2);
    assert_int_equal(fake_board.syncs, 2);
    assert_int_equal(trigger().number, 0);
    assert_int_equal(trigger().scan, 2);
}

static void triggers_by_position(void **state) {
    (void)state;
    start();
    assert_int_equal(BENCH_DO(bench, TRIGGER_ARM, trigger_arm, 0, .mode = 2, .axis = 1,
                              .first = 1000, .pitch = 40, .count = 100),
                     NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(BENCH_DO(bench, AXIS_MOVE, axis_move, 1, .target = 6000),
                     NFSAR_WIRE_RESULT_DONE);
    until_still(3000);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_TRIGGER), 100);
    for (unsigned i = 0; i < bench->received; i++) {
        if (bench->records[i].header.kind == NFSAR_WIRE_TRIGGER) {
            const struct nfsar_wire_trigger at = bench_unpack_trigger(&bench->records[i]);
            assert_int_equal(at.position[1], 1000 + 40 * (int32_t)at.number);
            assert_int_equal(at.position[0], 0);
        }
    }
    /* Too fast for the radar: a latched error that names the trigger, and the axis stops. */
    assert_int_equal(BENCH_DO(bench, TRIGGER_ARM, trigger_arm, 0, .mode = 2, .axis = 1,
                              .first = 3000, .pitch = -2, .count = 100),
                     NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(BENCH_DO(bench, AXIS_MOVE, axis_move, 1, .target = 0), NFSAR_WIRE_RESULT_DONE);
    until_still(3000);
    struct nfsar_wire_error early = bench_error(bench, NFSAR_WIRE_ERROR_TRIGGER_EARLY);
    assert_int_equal(early.latched, 1);
    assert_int_equal(early.value, 1);
    assert_true(axis_of(1).position > 1000);
    assert_int_equal(BENCH_DO(bench, TRIGGER_ARM, trigger_arm, 0, .mode = 0),
                     NFSAR_WIRE_RESULT_LATCHED);
    assert_int_equal(bench->detail, NFSAR_WIRE_REASON + TRIGGER_TOO_EARLY);
    clear_all();
    assert_int_equal(BENCH_DO(bench, TRIGGER_ARM, trigger_arm, 0, .mode = 0),
                     NFSAR_WIRE_RESULT_DONE);
    /* A point that is already behind. */
    bench_ms(bench, 2);
    assert_int_equal(BENCH_DO(bench, TRIGGER_ARM, trigger_arm, 0, .mode = 2, .axis = 1, .first = 0,
                              .pitch = 40, .count = 2),
                     NFSAR_WIRE_RESULT_LATCHED);
    bench_ms(bench, 1);
    assert_int_equal(bench_error(bench, NFSAR_WIRE_ERROR_TRIGGER_MISSED).latched, 1);
}

/* The main loop hangs, the ring of triggers overflows: the run ends with an error. */
/* What a position is does not change while triggers wait for it. */
static void an_armed_axis_keeps_its_place(void **state) {
    (void)state;
    start();
    struct nfsar_wire_do_axis_set set = linear;
    set.idle_ms = 50;
    assert_int_equal(set_axis(1, &set), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(BENCH_DO(bench, AXIS_MOVE, axis_move, 1, .target = 100),
                     NFSAR_WIRE_RESULT_DONE);
    until_still(500);
    assert_int_equal(BENCH_DO(bench, TRIGGER_ARM, trigger_arm, 0, .mode = 2, .axis = 1,
                              .first = 1000, .pitch = 40, .count = 10),
                     NFSAR_WIRE_RESULT_DONE);
    bench_ms(bench, 200);
    assert_int_equal(axis_of(1).enabled, 1);
    assert_int_equal(BENCH_DO(bench, AXIS_PLACE, axis_place, 1, .position = 999),
                     NFSAR_WIRE_RESULT_STATE);
    assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_AXIS_HOME, 1, NULL, 0), NFSAR_WIRE_RESULT_STATE);
    assert_int_equal(BENCH_DO(bench, AXIS_ENABLE, axis_enable, 1, .on = 0),
                     NFSAR_WIRE_RESULT_STATE);
    assert_int_equal(set_axis(1, &set), NFSAR_WIRE_RESULT_STATE);
    assert_int_equal(BENCH_DO(bench, AXIS_PLACE, axis_place, 0, .position = 5),
                     NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(BENCH_DO(bench, AXIS_MOVE, axis_move, 1, .target = 2000),
                     NFSAR_WIRE_RESULT_DONE);
    until_still(3000);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_TRIGGER), 10);
    bench_ms(bench, 200);
    assert_int_equal(axis_of(1).enabled, 0);
}

/* Clearing takes back the error that it names, and none that was not told yet. */
static void only_what_was_told_is_cleared(void **state) {
    (void)state;
    uint8_t payload[4];
    start();
    const struct nfsar_wire_do_trigger_arm behind = {
        .mode = 2, .axis = 1, .first = -40, .pitch = 40, .count = 9};
    uint8_t arm[NFSAR_WIRE_DO_TRIGGER_ARM_BYTES];
    bench_command(bench, NFSAR_WIRE_DO_TRIGGER_ARM, 0, arm,
                  nfsar_wire_pack_do_trigger_arm(arm, &behind));
    const struct nfsar_wire_do_clear all = {UINT32_MAX};
    bench_command(bench, NFSAR_WIRE_DO_CLEAR, 0, payload, nfsar_wire_pack_do_clear(payload, &all));
    bench_turns(bench, 2);
    assert_int_equal(bench_error(bench, NFSAR_WIRE_ERROR_TRIGGER_MISSED).latched, 1);
    assert_int_equal(
        BENCH_DO(bench, CLEAR, clear, 0, .errors = 1U << NFSAR_WIRE_ERROR_TRIGGER_EARLY),
        NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(BENCH_DO(bench, TRIGGER_ARM, trigger_arm, 0, .mode = 0),
                     NFSAR_WIRE_RESULT_LATCHED);
    clear_all();
    assert_int_equal(BENCH_DO(bench, TRIGGER_ARM, trigger_arm, 0, .mode = 0),
                     NFSAR_WIRE_RESULT_DONE);
}

static void triggers_nobody_fetches(void **state) {
    (void)state;
    start();
    assert_int_equal(BENCH_DO(bench, TRIGGER_ARM, trigger_arm, 0, .mode = 1, .period_ns = 1100000),
                     NFSAR_WIRE_RESULT_DONE);
    fake_board_ticks(40000);
    bench_turns(bench, 2);
    const struct nfsar_wire_error lost = bench_error(bench, NFSAR_WIRE_ERROR_TRIGGER_LOST);
    assert_int_equal(lost.latched, 1);
    assert_int_equal(lost.value, TRIGGER_RING);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_TRIGGER), TRIGGER_RING);
    assert_int_equal(fake_board.syncs, TRIGGER_RING);
    assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_STATUS, 0, NULL, 0), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(BENCH_LAST(bench, STATUS, status, -1).trigger_worst, TRIGGER_RING);
    bench_settle(bench);
}

static void triggers_that_cannot_be(void **state) {
    (void)state;
    bench_greet(bench);
    assert_int_equal(BENCH_DO(bench, TRIGGER_ARM, trigger_arm, 0, .mode = 0),
                     NFSAR_WIRE_RESULT_SPEED);
    assert_int_equal(bench->detail, NFSAR_WIRE_REASON + TRIGGER_NO_MINIMUM);
    assert_int_equal(BENCH_DO(bench, TRIGGER_SET, trigger_set, 0, .frame_ns = 0, .pulse_ns = 1000),
                     NFSAR_WIRE_RESULT_SPEED);
    assert_int_equal(
        BENCH_DO(bench, TRIGGER_SET, trigger_set, 0, .frame_ns = 1000000, .pulse_ns = 999),
        NFSAR_WIRE_RESULT_VALUE);
    assert_int_equal(
        BENCH_DO(bench, TRIGGER_SET, trigger_set, 0, .frame_ns = 1000000, .pulse_ns = 10001),
        NFSAR_WIRE_RESULT_VALUE);
    start();
    assert_int_equal(BENCH_DO(bench, TRIGGER_ARM, trigger_arm, 0, .mode = 3),
                     NFSAR_WIRE_RESULT_VALUE);
    assert_int_equal(bench->detail, 0);
    assert_int_equal(BENCH_DO(bench, TRIGGER_ARM, trigger_arm, 0, .mode = 2, .axis = 3),
                     NFSAR_WIRE_RESULT_VALUE);
    assert_int_equal(bench->detail, 1);
    assert_int_equal(
        BENCH_DO(bench, TRIGGER_ARM, trigger_arm, 0, .mode = 1, .period_ns = UINT64_C(1) << 32),
        NFSAR_WIRE_RESULT_VALUE);
    assert_int_equal(bench->detail, 3);
    assert_int_equal(BENCH_DO(bench, TRIGGER_ARM, trigger_arm, 0, .mode = 1, .period_ns = 1000000),
                     NFSAR_WIRE_RESULT_SPEED);
    assert_int_equal(BENCH_DO(bench, TRIGGER_ARM, trigger_arm, 0, .mode = 2, .axis = 1,
                              .first = 100, .pitch = 0, .count = 5),
                     NFSAR_WIRE_RESULT_VALUE);
    assert_int_equal(BENCH_DO(bench, AXIS_ENABLE, axis_enable, 1, .on = 0), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(BENCH_DO(bench, TRIGGER_ARM, trigger_arm, 0, .mode = 2, .axis = 1,
                              .first = 100, .pitch = 5, .count = 5),
                     NFSAR_WIRE_RESULT_PLACE);
    assert_int_equal(fake_board.syncs, 0);
}

/* ---- scans ---- */

static const struct nfsar_wire_do_program_load serpentine = {.pattern = 1,
                                                             .fast = 0,
                                                             .slow = 1,
                                                             .fast_first = 0,
                                                             .slow_first = 0,
                                                             .fast_pitch = 20,
                                                             .slow_pitch = 30,
                                                             .columns = 25,
                                                             .rows = 4,
                                                             .speed = 4000};

static enum nfsar_wire_result load(const struct nfsar_wire_do_program_load *what) {
    uint8_t payload[NFSAR_WIRE_PAYLOAD_MAX];
    return bench_do(bench, NFSAR_WIRE_DO_PROGRAM_LOAD, 0, payload,
                    nfsar_wire_pack_do_program_load(payload, what));
}

static struct nfsar_wire_program program(void) {
    return BENCH_LAST(bench, PROGRAM, program, -1);
}

static enum nfsar_wire_result start_program(void) {
    return bench_do(bench, NFSAR_WIRE_DO_PROGRAM_START, 0, NULL, 0);
}

static void a_scan_from_load_to_end(void **state) {
    (void)state;
    start();
    assert_int_equal(start_program(), NFSAR_WIRE_RESULT_STATE);
    assert_int_equal(load(&serpentine), NFSAR_WIRE_RESULT_DONE);
    struct nfsar_wire_plan plan = {0};
    assert_true(nfsar_wire_unpack_plan(&plan, bench->answer, bench->answer_bytes));
    assert_int_equal(bench->answer_bytes, NFSAR_WIRE_PLAN_BYTES);
    assert_int_equal(plan.triggers, 100);
    assert_int_equal(plan.speed, 4000);
    assert_int_equal(plan.slow_range[0], 0);
    assert_int_equal(plan.slow_range[1], 90);
    assert_int_equal(plan.fast_range[0], -(int32_t)plan.lead);
    bench_ms(bench, 1);
    assert_int_equal(program().state, NFSAR_WIRE_PROGRAM_LOADED);
    assert_int_equal(start_program(), NFSAR_WIRE_RESULT_DONE);
    bench_ms(bench, 1);
    assert_int_equal(program().state, NFSAR_WIRE_PROGRAM_RUNNING);
    assert_int_equal(program().planned, 100);
    assert_int_equal(program().error, 255);
    /* Meanwhile all but stops is refused. */
    assert_int_equal(start_program(), NFSAR_WIRE_RESULT_STATE);
    assert_int_equal(load(&serpentine), NFSAR_WIRE_RESULT_STATE);
    assert_int_equal(BENCH_DO(bench, AXIS_MOVE, axis_move, 2, .target = 5),
                     NFSAR_WIRE_RESULT_STATE);
    assert_int_equal(BENCH_DO(bench, TRIGGER_ARM, trigger_arm, 0, .mode = 0),
                     NFSAR_WIRE_RESULT_STATE);
    assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_STATUS, 0, NULL, 0), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(BENCH_LAST(bench, STATUS, status, -1).program, NFSAR_WIRE_PROGRAM_RUNNING);
    until_still(20000);
    assert_int_equal(program().state, NFSAR_WIRE_PROGRAM_FINISHED);
    assert_int_equal(program().triggers, 100);
    assert_int_equal(program().error, 255);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_TRIGGER), 100);
    assert_int_equal(fake_board.syncs, 100);
    unsigned rows = 0;
    unsigned number = 0;
    for (unsigned i = 0; i < bench->received; i++) {
        const struct bench_record *record = &bench->records[i];
        if (record->header.kind == NFSAR_WIRE_TRIGGER) {
            const struct nfsar_wire_trigger at = bench_unpack_trigger(record);
            assert_int_equal(at.number, number++);
            assert_int_equal(at.scan, 1);
            assert_int_equal(at.repeat, 0);
            assert_int_equal(at.row, at.number / 25);
            assert_int_equal(at.column, at.row % 2 == 0 ? at.number % 25 : 24 - at.number % 25);
            assert_int_equal(at.position[0], 20 * (int32_t)at.column);
            assert_int_equal(at.position[1], 30 * (int32_t)at.row);
        } else if (record->header.kind == NFSAR_WIRE_PROGRAM) {
            const struct nfsar_wire_program told = bench_unpack_program(record);
            if (told.state == NFSAR_WIRE_PROGRAM_ROW) {
                assert_int_equal(told.row, rows++);
                assert_int_equal(told.triggers, 25 * rows);
            }
        }
    }
    assert_int_equal(rows, 3);
    /* And once more. */
    assert_int_equal(start_program(), NFSAR_WIRE_RESULT_DONE);
    until_still(20000);
    assert_int_equal(program().state, NFSAR_WIRE_PROGRAM_FINISHED);
    assert_int_equal(trigger().scan, 2);
    assert_int_equal(trigger().number, 99);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_ERROR), 0);
    bench_settle(bench);
}

static void a_scan_that_stops_at_each_point(void **state) {
    (void)state;
    start();
    struct nfsar_wire_do_program_load scan = serpentine;
    scan.pattern = 0;
    scan.stop = 1;
    scan.columns = 3;
    scan.rows = 2;
    scan.repeats = 4;
    scan.settle_ms = 10;
    scan.period_ns = 2000000;
    scan.speed = 0;
    assert_int_equal(load(&scan), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(start_program(), NFSAR_WIRE_RESULT_DONE);
    until_still(20000);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_TRIGGER), 24);
    for (unsigned i = 0; i < bench->received; i++) {
        if (bench->records[i].header.kind == NFSAR_WIRE_TRIGGER) {
            const struct nfsar_wire_trigger at = bench_unpack_trigger(&bench->records[i]);
            assert_int_equal(at.repeat, at.number % 4);
            assert_int_equal(at.column, at.number / 4 % 3);
            assert_int_equal(at.row, at.number / 12);
        }
    }
    /* Triggers after it, of no program, have no repeats. */
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(BENCH_DO(bench, TRIGGER_ARM, trigger_arm, 0, .mode = 1,
                                  .period_ns = 2000000, .count = 3),
                         NFSAR_WIRE_RESULT_DONE);
        bench_ms(bench, 10);
        assert_int_equal(trigger().repeat, 0);
    }
}

static void scans_are_broken_off(void **state) {
    (void)state;
    static const uint8_t stops[] = {NFSAR_WIRE_DO_PROGRAM_ABORT, NFSAR_WIRE_DO_AXIS_STOP,
                                    NFSAR_WIRE_DO_TRIGGER_STOP};
    for (size_t i = 0; i < sizeof stops; i++) {
        start();
        assert_int_equal(load(&serpentine), NFSAR_WIRE_RESULT_DONE);
        assert_int_equal(start_program(), NFSAR_WIRE_RESULT_DONE);
        bench_ms(bench, 1000);
        assert_true(moving());
        assert_int_equal(bench_do(bench, stops[i], 0, NULL, 0), NFSAR_WIRE_RESULT_DONE);
        until_still(2000);
        const uint64_t syncs = fake_board.syncs;
        assert_int_equal(program().state, NFSAR_WIRE_PROGRAM_ABORTED);
        assert_int_equal(program().error, 255);
        assert_int_equal(program().triggers, syncs);
        const struct nfsar_wire_error aborted =
            bench_error(bench, NFSAR_WIRE_ERROR_PROGRAM_ABORTED);
        assert_int_equal(aborted.latched, 1);
        assert_int_equal(aborted.source, PROGRAM_ABORTED);
        assert_int_equal(axis_of(0).placed, 1);
        clear_all();
        bench_ms(bench, 5);
        assert_int_equal(bench_error(bench, NFSAR_WIRE_ERROR_PROGRAM_ABORTED).latched, 0);
        assert_int_equal(start_program(), NFSAR_WIRE_RESULT_DONE);
        until_still(20000);
        assert_int_equal(program().state, NFSAR_WIRE_PROGRAM_FINISHED);
        assert_int_equal(fake_board.syncs, syncs + 100);
        bench_settle(bench);
    }
}

static void what_ends_a_scan_is_told(void **state) {
    (void)state;
    start();
    assert_int_equal(load(&serpentine), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(start_program(), NFSAR_WIRE_RESULT_DONE);
    bench_ms(bench, 1000);
    fake_board_input(BOARD_LIMIT_Y_HIGH, true);
    fake_board_input(BOARD_LIMIT_X_HIGH, true);
    fake_board_input(BOARD_LIMIT_X_LOW, true);
    until_still(2000);
    assert_int_equal(program().state, NFSAR_WIRE_PROGRAM_ABORTED);
    assert_int_equal(program().error, NFSAR_WIRE_ERROR_AXIS_LIMIT);
    assert_int_equal(bench_error(bench, NFSAR_WIRE_ERROR_AXIS_LIMIT).latched, 1);
    assert_int_equal(bench_error(bench, NFSAR_WIRE_ERROR_PROGRAM_ABORTED).latched, 1);
    fake_board.inputs = 0;
    clear_all();
    assert_int_equal(start_program(), NFSAR_WIRE_RESULT_DONE);
    bench_ms(bench, 1000);
    assert_int_equal(BENCH_DO(bench, EMERGENCY, emergency, 0, .stop = 1), NFSAR_WIRE_RESULT_DONE);
    bench_ms(bench, 10);
    assert_int_equal(program().state, NFSAR_WIRE_PROGRAM_ABORTED);
    assert_int_equal(program().error, NFSAR_WIRE_ERROR_EMERGENCY_STOP);
    bench_settle(bench);
}

/* The main loop hangs within a burst: its triggers overflow the ring, and the scan is at its end.
 */
static void a_hang_within_a_scan(void **state) {
    (void)state;
    start();
    struct nfsar_wire_do_program_load scan = serpentine;
    scan.stop = 1;
    scan.repeats = 500;
    scan.period_ns = 1100000;
    assert_int_equal(load(&scan), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(start_program(), NFSAR_WIRE_RESULT_DONE);
    while (bench_count(bench, NFSAR_WIRE_TRIGGER) == 0) {
        bench_ms(bench, 1);
    }
    fake_board_ticks(20000);
    bench_ms(bench, 5);
    assert_int_equal(program().state, NFSAR_WIRE_PROGRAM_ABORTED);
    assert_int_equal(program().error, NFSAR_WIRE_ERROR_TRIGGER_LOST);
    assert_int_equal(bench_error(bench, NFSAR_WIRE_ERROR_TRIGGER_LOST).latched, 1);
    assert_int_equal(bench_error(bench, NFSAR_WIRE_ERROR_PROGRAM_ABORTED).latched, 1);
    assert_int_equal(fake_board.syncs, bench_count(bench, NFSAR_WIRE_TRIGGER));
    bench_settle(bench);
}

static void scans_that_cannot_be(void **state) {
    (void)state;
    start();
    struct nfsar_wire_do_program_load scan = serpentine;
    scan.pattern = 3;
    assert_int_equal(load(&scan), NFSAR_WIRE_RESULT_VALUE);
    assert_int_equal(bench->detail, 0);
    scan = serpentine;
    scan.stop = 2;
    assert_int_equal(load(&scan), NFSAR_WIRE_RESULT_VALUE);
    assert_int_equal(bench->detail, 1);
    scan = serpentine;
    scan.speed = -1;
    assert_int_equal(load(&scan), NFSAR_WIRE_RESULT_VALUE);
    assert_int_equal(bench->detail, 10);
    scan = serpentine;
    scan.slow = 0;
    assert_int_equal(load(&scan), NFSAR_WIRE_RESULT_VALUE);
    assert_int_equal(bench->detail, NFSAR_WIRE_REASON + PROGRAM_BAD_AXES);
    scan = serpentine;
    scan.fast = 200;
    assert_int_equal(load(&scan), NFSAR_WIRE_RESULT_VALUE);
    scan = serpentine;
    scan.columns = 0;
    assert_int_equal(load(&scan), NFSAR_WIRE_RESULT_VALUE);
    assert_int_equal(bench->detail, NFSAR_WIRE_REASON + PROGRAM_EMPTY);
    scan = serpentine;
    scan.columns = UINT32_MAX;
    assert_int_equal(load(&scan), NFSAR_WIRE_RESULT_VALUE);
    scan = serpentine;
    scan.fast_pitch = 1;
    assert_int_equal(load(&scan), NFSAR_WIRE_RESULT_SPEED);
    scan = serpentine;
    scan.rows = 2000;
    assert_int_equal(load(&scan), NFSAR_WIRE_RESULT_LIMIT);
    /* None of it was loaded. */
    assert_int_equal(start_program(), NFSAR_WIRE_RESULT_STATE);
}

/* ---- settings ---- */

static void settings_that_cannot_be(void **state) {
    (void)state;
    bench_greet(bench);
    static const struct {
        struct nfsar_wire_do_axis_set set;
        uint16_t field;
    } cases[] = {
        {{.speed = -1}, 0},
        {{.acceleration = 5e9F}, 1},
        {{.jerk = __builtin_nanf("")}, 2},
        {{.low = 5, .high = 4}, 3},
        {{.home = 2}, 7},
        {{.home = -2}, 7},
        {{.home_speed = -0.1F}, 9},
        {{.home_slow = __builtin_inff()}, 10},
        {{.home_back = -1}, 11},
        {{.invert = 2}, 5},
        {{.switches = 4}, 6},
        {{.switches = 0x83}, 6},
        {{.endless = 2}, 8},
        {{.halt = 2}, 17},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(set_axis(0, &cases[i].set), NFSAR_WIRE_RESULT_VALUE);
        assert_int_equal(bench->detail, cases[i].field);
    }
    /* The turntable has one switch, at its low end. */
    struct nfsar_wire_do_axis_set set = linear;
    set.home = 1;
    assert_int_equal(set_axis(0, &set), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(set_axis(2, &set), NFSAR_WIRE_RESULT_VALUE);
    assert_int_equal(bench->detail, 6);
    set.switches = 1;
    assert_int_equal(set_axis(2, &set), NFSAR_WIRE_RESULT_VALUE);
    assert_int_equal(bench->detail, 7);
    set.endless = 1;
    set.low = set.high = 0;
    assert_int_equal(set_axis(2, &set), NFSAR_WIRE_RESULT_DONE);
    /* What the axis itself refuses: the detail is its reason. */
    set = linear;
    set.speed = 30000;
    assert_int_equal(set_axis(0, &set), NFSAR_WIRE_RESULT_SPEED);
    set = linear;
    set.acceleration = 0;
    assert_int_equal(set_axis(0, &set), NFSAR_WIRE_RESULT_VALUE);
    assert_int_equal(bench->detail, NFSAR_WIRE_REASON + MOTION_BAD_CONFIG);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_move_is_told_and_made),
        cmocka_unit_test(records_of_moving_axes_as_often_as_asked),
        cmocka_unit_test(a_stop_keeps_the_position),
        cmocka_unit_test(moves_that_cannot_be),
        cmocka_unit_test(a_switch_latches_until_cleared),
        cmocka_unit_test(homing_finds_the_switch),
        cmocka_unit_test(an_emergency_stop_stands_until_released),
        cmocka_unit_test(hello_tells_what_stands),
        cmocka_unit_test(current_off_loses_the_place),
        cmocka_unit_test(triggers_one_and_by_period),
        cmocka_unit_test(armings_that_follow_at_once),
        cmocka_unit_test(triggers_by_position),
        cmocka_unit_test(an_armed_axis_keeps_its_place),
        cmocka_unit_test(only_what_was_told_is_cleared),
        cmocka_unit_test(triggers_nobody_fetches),
        cmocka_unit_test(triggers_that_cannot_be),
        cmocka_unit_test(a_scan_from_load_to_end),
        cmocka_unit_test(a_scan_that_stops_at_each_point),
        cmocka_unit_test(scans_are_broken_off),
        cmocka_unit_test(what_ends_a_scan_is_told),
        cmocka_unit_test(a_hang_within_a_scan),
        cmocka_unit_test(scans_that_cannot_be),
        cmocka_unit_test(settings_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
