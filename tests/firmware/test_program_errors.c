/* Scans that cannot be, and what may end one: each with its name, and the next scan is made. */
#include "tests/firmware/hub_program.h"

static void expect_refusal(struct hub *hub, const struct program_scan *scan,
                           enum motion_error expected_error) {
    enum motion_error error = program_start(&hub->program, scan);
    if (error != expected_error) {
        fail_msg("%s, not %s", motion_error_name(error), motion_error_name(expected_error));
    }
    assert_false(program_running(&hub->program));
}

static void refusals(void **unused) {
    (void)unused;
    struct hub hub;
    hub_begin(&hub);
    struct program_scan good = raster_40_400(10), scan = good;
    scan.pattern = PROGRAM_PATTERNS;
    expect_refusal(&hub, &scan, PROGRAM_BAD_PATTERN);
    scan = good;
    scan.mode = PROGRAM_MODES;
    expect_refusal(&hub, &scan, PROGRAM_BAD_PATTERN);
    scan = good;
    scan.burst = 2;
    expect_refusal(&hub, &scan, PROGRAM_BAD_PATTERN);
    scan = good;
    scan.slow = 0;
    expect_refusal(&hub, &scan, PROGRAM_BAD_AXES);
    scan.slow = BOARD_AXES;
    expect_refusal(&hub, &scan, PROGRAM_BAD_AXES);
    scan = good;
    scan.rows = 0;
    expect_refusal(&hub, &scan, PROGRAM_EMPTY);
    scan.rows = 65536;
    expect_refusal(&hub, &scan, PROGRAM_TOO_LARGE);
    scan = good;
    scan.mode = PROGRAM_STOP_AND_GO;
    scan.burst = 1u << 30;
    expect_refusal(&hub, &scan, PROGRAM_TOO_LARGE);
    scan = good;
    scan.column_pitch = 0;
    expect_refusal(&hub, &scan, PROGRAM_NO_PITCH);
    scan = good;
    scan.row_pitch = 0;
    expect_refusal(&hub, &scan, PROGRAM_NO_PITCH);
    scan = good;
    scan.slow_backlash = 1u << 30;
    expect_refusal(&hub, &scan, MOTION_OUT_OF_RANGE);

    /* 10 steps in the radar's 1 ms and a tick. */
    scan = good;
    struct program_plan plan;
    assert_int_equal(program_check(&hub.motion, &scan, &plan), MOTION_OK);
    assert_int_equal(plan.speed, 9756);
    assert_int_equal(plan.triggers, 16000);
    scan.speed = 9757;
    expect_refusal(&hub, &scan, PROGRAM_TOO_FAST);
    scan.speed = 9756;
    assert_int_equal(program_check(&hub.motion, &scan, &plan), MOTION_OK);
    scan.column_pitch = 100;
    scan.speed = 16001;
    expect_refusal(&hub, &scan, MOTION_SPEED_TOO_HIGH);
    scan = good;
    scan.mode = PROGRAM_STOP_AND_GO;
    scan.burst_period_ns = 1000001;
    expect_refusal(&hub, &scan, PROGRAM_TOO_FAST);
    scan.burst_period_ns = 0;
    scan.speed = 16001;
    expect_refusal(&hub, &scan, MOTION_SPEED_TOO_HIGH);

    scan = good;
    scan.pattern = PROGRAM_TURNTABLE;
    expect_refusal(&hub, &scan, PROGRAM_BAD_TURN);
    scan.turn = 3990;
    expect_refusal(&hub, &scan, PROGRAM_BAD_TURN);
    scan.turn = 4000;
    scan.rows = 30000;
    scan.row_pitch = 1;
    assert_int_equal(program_check(&hub.motion, &scan, &plan), MOTION_OK);
    scan.rows = 65535; /* turning for 15 hours */
    expect_refusal(&hub, &scan, MOTION_TOO_SLOW);
    scan.turn = 40000;
    expect_refusal(&hub, &scan, MOTION_OUT_OF_RANGE);
    scan.row_pitch = 1 << 28;
    scan.turn = 4000;
    scan.column_pitch = 1;
    expect_refusal(&hub, &scan, MOTION_OUT_OF_RANGE);
    /* Two rows, and a table that must turn for half an hour while y crawls. */
    scan.rows = 2;
    scan.row_pitch = 1000000000;
    scan.dwell_ms = 3600000;
    scan.turn = 100000;
    scan.column_pitch = 100;
    scan.columns = 2;
    scan.speed = 16000;
    assert_int_equal(program_check(&hub.motion, &scan, &plan), MOTION_TOO_SLOW);
    scan.row_pitch = 100000000;
    assert_int_equal(program_check(&hub.motion, &scan, &plan), MOTION_OK);
    assert_int_equal(plan.turns, 1 + (3600 + 6250) * 16000 / 100000);
    scan.turn = 4000000000u;
    assert_int_equal(program_check(&hub.motion, &scan, &plan), MOTION_OUT_OF_RANGE);
    scan = good;
    scan.settle_ms = 3600001;
    expect_refusal(&hub, &scan, PROGRAM_TOO_LARGE);
    scan = good;
    scan.dwell_ms = 3600001;
    expect_refusal(&hub, &scan, PROGRAM_TOO_LARGE);
    struct axis_config fast = hub.motion.axis[0].config, was = fast;
    fast.acceleration = fast.jerk = 1000;
    assert_int_equal(axis_configure(&hub.motion.axis[0], &fast), MOTION_OK);
    scan = good;
    scan.settle_ms = 3600000;
    scan.fast_first = AXIS_RANGE;
    expect_refusal(&hub, &scan, MOTION_OUT_OF_RANGE);
    assert_int_equal(axis_configure(&hub.motion.axis[0], &was), MOTION_OK);

    /* Run-in and run-out are inside the soft limits, or it does not begin. */
    struct axis *x = &hub.motion.axis[0], *y = &hub.motion.axis[1];
    struct axis_config limited = x->config, free_config = x->config;
    limited.soft_limits = true;
    assert_int_equal(program_check(&hub.motion, &good, &plan), MOTION_OK);
    assert_int_equal(plan.fast_low, -37 - (int32_t)plan.lead);
    assert_int_equal(plan.fast_high, -37 + 3990 + (int32_t)plan.tail);
    limited.soft_low = plan.fast_low + 1;
    limited.soft_high = plan.fast_high;
    assert_int_equal(axis_configure(x, &limited), MOTION_OK);
    expect_refusal(&hub, &good, MOTION_SOFT_LIMIT);
    limited.soft_low--;
    limited.soft_high--;
    assert_int_equal(axis_configure(x, &limited), MOTION_OK);
    expect_refusal(&hub, &good, MOTION_SOFT_LIMIT);
    limited.soft_high++;
    assert_int_equal(axis_configure(x, &limited), MOTION_OK);
    assert_int_equal(program_check(&hub.motion, &good, &plan), MOTION_OK);
    assert_int_equal(axis_configure(x, &free_config), MOTION_OK);
    limited.soft_low = 11 - 39 * 31 + 1;
    limited.soft_high = 11;
    assert_int_equal(axis_configure(y, &limited), MOTION_OK);
    expect_refusal(&hub, &good, MOTION_SOFT_LIMIT);
    limited.soft_low--;
    assert_int_equal(axis_configure(y, &limited), MOTION_OK);
    assert_int_equal(program_check(&hub.motion, &good, &plan), MOTION_OK);

    /* The state of things. */
    assert_int_equal(axis_move_by(y, -100, 0), MOTION_OK);
    expect_refusal(&hub, &good, MOTION_BUSY);
    assert_true(hub_settle(&hub.motion, 100000));
    x->trusted = false;
    expect_refusal(&hub, &good, MOTION_NOT_TRUSTED);
    x->trusted = true;
    x->configured = false;
    expect_refusal(&hub, &good, MOTION_NOT_CONFIGURED);
    x->configured = true;
    x->error = MOTION_LIMIT_LOW;
    expect_refusal(&hub, &good, MOTION_LIMIT_LOW);
    x->error = MOTION_OK;
    hub.motion.emergency = true;
    expect_refusal(&hub, &good, MOTION_EMERGENCY_STOP);
    hub.motion.emergency = false;
    hub.motion.trigger.error = TRIGGER_MISSED;
    expect_refusal(&hub, &good, TRIGGER_MISSED);
    trigger_clear(&hub.motion.trigger);
    struct trigger_run single = {.mode = TRIGGER_SINGLE};
    assert_int_equal(trigger_arm(&hub.motion.trigger, &single, false), MOTION_OK);
    expect_refusal(&hub, &good, TRIGGER_BUSY);
    trigger_disarm(&hub.motion.trigger);
    struct trigger_timing slow = {.shortest_ns = 2000000000, .width_ns = 1000};
    assert_int_equal(trigger_configure(&hub.motion.trigger, &slow), MOTION_OK);
    scan = good;
    scan.column_pitch = 1;
    expect_refusal(&hub, &scan, MOTION_TOO_SLOW);
    slow.shortest_ns = 4294960000u;
    assert_int_equal(trigger_configure(&hub.motion.trigger, &slow), MOTION_OK);
    scan.mode = PROGRAM_STOP_AND_GO;
    expect_refusal(&hub, &scan, TRIGGER_BAD_SETUP);
    hub.motion.trigger.shortest = 0;
    expect_refusal(&hub, &good, TRIGGER_NO_MINIMUM);

    /* A switch in the way shows when it starts. */
    hub_begin(&hub);
    fake_board.inputs = 1u << BOARD_LIMIT_X_LOW;
    assert_int_equal(program_start(&hub.program, &good), MOTION_LIMIT_LOW);
    struct trigger_event event;
    make(&hub, &event, 1000000);
    assert_int_equal(status_of(&hub).state, PROGRAM_FAILED);
}

/* Any 32 bits: often small, often at an end of the range. */
static uint32_t anything(void) {
    static const uint32_t ends[] = {0,          1,          2,           65535,       65536,
                                    0x3fffffff, 0x40000000, 0x7fffffff,  0x80000000u, 0x80000001u,
                                    0xc0000000, 0xc0000001, 0xffffffffu, 1000000,     3600000};
    switch (draw(4)) {
    case 0:
        return ends[draw(15)];
    case 1:
        return draw(1000);
    case 2:
        return 0u - draw(1000);
    default:
        return draw(0x80000000u) * 2 + draw(2);
    }
}

static uint32_t mostly(uint32_t good) {
    return draw(12) > 0 ? good : anything();
}

/* The sanitizers watch; what is accepted lies within the range. */
static void hostile_values(void **unused) {
    (void)unused;
    struct hub hub;
    hub_begin(&hub);
    unsigned scans = 0, moves = 0, runs = 0;
    for (unsigned k = 0; k < 8000; k++) {
        struct axis *axis = &hub.motion.axis[draw(BOARD_AXES)];
        struct axis_config config = axis->config;
        config.speed = mostly(16000);
        config.acceleration = mostly(160000);
        config.jerk = mostly(3200000);
        config.soft_limits = draw(8) == 0;
        config.soft_low = (int32_t)anything();
        config.soft_high = (int32_t)anything();
        config.home_travel = mostly(50000);
        config.home_back_off = mostly(200);
        config.home_position = (int32_t)mostly(0);
        axis_configure(axis, &config);
        axis_set_position(axis, (int32_t)anything());
        if (axis_move_to(axis, (int32_t)anything(), anything()) == MOTION_OK) {
            moves++;
        }
        axis_home(axis);
        fake_board_tick();
        motion_emergency_stop(&hub.motion);
        motion_poll(&hub.motion);
        fake_board_tick();
        motion_poll(&hub.motion);
        assert_int_equal(motion_clear(&hub.motion), MOTION_OK);
        struct trigger_timing timing = {mostly(1000000), 1000};
        trigger_configure(&hub.motion.trigger, &timing);
        for (unsigned a = 0; a < BOARD_AXES; a++) {
            hub.motion.axis[a].trusted = true;
        }

        struct trigger_run run = {.mode = (enum trigger_mode)draw(5),
                                  .count = anything(),
                                  .period_ns = anything(),
                                  .axis = draw(4),
                                  .first = (int32_t)anything(),
                                  .pitch = (int32_t)anything()};
        if (trigger_arm(&hub.motion.trigger, &run, false) == MOTION_OK) {
            runs++;
            fake_board_ticks(2);
        }
        trigger_disarm(&hub.motion.trigger);
        trigger_clear(&hub.motion.trigger);

        struct program_scan scan = {
            .pattern = (enum program_pattern)draw(4),
            .mode = (enum program_mode)draw(3),
            .fast = draw(2),
            .slow = 2 - draw(2),
            .fast_first = (int32_t)mostly(draw(100000)),
            .slow_first = (int32_t)mostly(draw(100000)),
            .columns = mostly(1 + draw(400)),
            .rows = mostly(1 + draw(400)),
            .column_pitch = (int32_t)mostly(1 + draw(1000)),
            .row_pitch = (int32_t)mostly(0u - draw(1000)),
            .speed = draw(2) ? 0 : anything(),
            .settle_ms = mostly(draw(1000)),
            .dwell_ms = mostly(draw(1000)),
            .burst = mostly(draw(2)),
            .burst_period_ns = mostly(0),
            .fast_backlash = mostly(draw(100)),
            .slow_backlash = mostly(draw(100)),
            .turn = mostly(draw(1000000)),
        };
        struct program_plan plan;
        if (program_check(&hub.motion, &scan, &plan) == MOTION_OK) {
            scans++;
            assert_true(plan.fast_low >= -AXIS_RANGE && plan.fast_high <= AXIS_RANGE);
            assert_true(plan.fast_low <= plan.fast_high && plan.slow_low <= plan.slow_high);
            program_duration_ms(&hub.motion, &scan, &plan);
            if (program_start(&hub.program, &scan) == MOTION_OK) {
                fake_board_ticks(2);
            }
            motion_emergency_stop(&hub.motion);
            for (int round = 0; round < 4; round++) {
                fake_board_tick();
                motion_poll(&hub.motion);
                program_poll(&hub.program);
            }
            assert_false(program_running(&hub.program));
            assert_int_equal(motion_clear(&hub.motion), MOTION_OK);
        }
    }
    assert_true(moves > 500 && runs > 1000 && scans > 300);
}

/* What may happen in the middle of a scan. */
enum accident {
    ABORT,
    LIMIT,
    EMERGENCY,
    TOO_EARLY,
    RING_FULL,
    STOPPED,
    DISARMED,
    JUMPED,
    ACCIDENTS
};

static void cause(struct hub *hub, enum accident accident) {
    switch (accident) {
    case ABORT:
        program_abort(&hub->program);
        break;
    case LIMIT:
        fake_board_edge(hub->motion.axis[hub->program.scan.fast].direction > 0 ? BOARD_LIMIT_X_HIGH
                                                                               : BOARD_LIMIT_X_LOW);
        break;
    case EMERGENCY:
        fake_board_edge(BOARD_EMERGENCY_STOP);
        break;
    case TOO_EARLY: /* the radar is slower than was said */
        hub->motion.trigger.shortest *= 3;
        break;
    case RING_FULL:
        fake_board_ticks(30000);
        break;
    case STOPPED:
        axis_stop(&hub->motion.axis[0]);
        break;
    case DISARMED:
        trigger_disarm(&hub->motion.trigger);
        break;
    case JUMPED:
        hub->motion.axis[0].position += 1000;
        break;
    default:
        break;
    }
}

/* Each ends the scan with its name, steps and positions agree, and after clearing (and homing,
 * where the position was lost) the whole scan is made without a reset. */
static void accidents(void **unused) {
    (void)unused;
    static const enum motion_error name[ACCIDENTS] = {
        PROGRAM_ABORTED,   MOTION_LIMIT_HIGH, MOTION_EMERGENCY_STOP, TRIGGER_TOO_EARLY,
        TRIGGER_RING_FULL, PROGRAM_ABORTED,   PROGRAM_WRONG_COUNT,   TRIGGER_MISSED};
    struct trigger_event *event = calloc(MOST_PULSES, sizeof *event);
    for (int accident = 0; accident < ACCIDENTS; accident++) {
        struct hub hub;
        hub_begin(&hub);
        struct program_scan scan = raster_40_400(10);
        scan.rows = 5;
        assert_int_equal(program_start(&hub.program, &scan), MOTION_OK);
        assert_int_equal(program_start(&hub.program, &scan), MOTION_BUSY);
        while (hub.motion.trigger.number < 1000) {
            fake_board_ticks(40);
            motion_poll(&hub.motion);
            program_poll(&hub.program);
            while (trigger_take(&hub.motion.trigger, event)) {
                ;
            }
        }
        cause(&hub, (enum accident)accident);
        int32_t lost = fake_board.axis[0].position - hub.motion.axis[0].position;
        make(&hub, event, 3000000);
        struct program_status status = status_of(&hub);
        assert_int_equal(status.state, PROGRAM_FAILED);
        if (status.error != name[accident]) {
            fail_msg("accident %d: %s", accident, motion_error_name(status.error));
        }
        assert_int_equal(status.error_row, 2);
        assert_true(status.made >= 1000 && status.made < 1400);
        assert_true(motion_still(&hub.motion));
        assert_int_equal(fake_board.axis[0].position - hub.motion.axis[0].position, lost);
        program_abort(&hub.program); /* nothing to abort any more */
        assert_int_equal(status_of(&hub).state, PROGRAM_FAILED);

        assert_int_equal(motion_clear(&hub.motion), MOTION_OK);
        assert_int_equal(hub.motion.axis[0].trusted, accident != EMERGENCY);
        if (accident == EMERGENCY) {
            assert_int_equal(program_start(&hub.program, &scan), MOTION_NOT_TRUSTED);
        }
        for (unsigned k = 0; k < BOARD_AXES; k++) {
            assert_int_equal(axis_set_position(&hub.motion.axis[k], fake_board.axis[k].position),
                             MOTION_OK);
        }
        if (accident == TOO_EARLY) {
            hub.motion.trigger.shortest /= 3;
        }
        fake_board.inputs = 0;
        assert_int_equal(program_start(&hub.program, &scan), MOTION_OK);
        assert_int_equal(status_of(&hub).made, 0);
        fake_board.ticks = 0;
        assert_int_equal(make(&hub, event, 3000000), 2000);
        assert_int_equal(event[0].number, 0);
        assert_int_equal(event[1999].number, 1999);
        assert_int_equal(status_of(&hub).state, PROGRAM_DONE);
        pins_agree(&hub);
    }
    free(event);
}

/* y is hindered while the table turns: the row would be late. */
static void late_row(void **unused) {
    (void)unused;
    struct hub hub;
    struct trigger_event event[400];
    hub_begin(&hub);
    struct program_scan scan = raster_40_400(10);
    scan.pattern = PROGRAM_TURNTABLE;
    scan.fast = 2;
    scan.turn = 8000;
    scan.rows = 3;
    scan.columns = 40;
    assert_int_equal(program_start(&hub.program, &scan), MOTION_OK);
    while (hub.program.state != PROGRAM_TURN_STEP) {
        fake_board_ticks(40);
        motion_poll(&hub.motion);
        program_poll(&hub.program);
    }
    fake_board_ticks(40000); /* the main loop does not come round */
    make(&hub, event, 3000000);
    struct program_status status = status_of(&hub);
    assert_int_equal(status.state, PROGRAM_FAILED);
    assert_int_equal(status.error, PROGRAM_ROW_LATE);
    assert_int_equal(status.error_row, 1);
    assert_int_equal(status.made, 40);
    pins_agree(&hub);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals),
        cmocka_unit_test(accidents),
        cmocka_unit_test(late_row),
        cmocka_unit_test(hostile_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
