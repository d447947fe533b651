/* Axes on the fake board: the steps are counted from the pins. */
#include "tests/firmware/hub_motion.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static uint64_t state = 1;

static uint32_t draw(uint32_t below) {
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((state >> 33) % below);
}

static const uint64_t tick_counts = 84000000 / 40000;

static void pins_agree(const struct motion *motion) {
    for (unsigned k = 0; k < BOARD_AXES; k++) {
        const struct fake_axis *pins = &fake_board.axis[k];
        assert_int_equal(pins->position, motion->axis[k].position);
        assert_int_equal(pins->asleep, 0);
        if (pins->steps > 0) {
            assert_true(pins->shortest_high >= tick_counts);
        }
        if (pins->steps > 1) {
            assert_true(pins->shortest_low >= tick_counts);
        }
        if (pins->steps > 0) {
            assert_true(pins->shortest_setup >= tick_counts);
        }
    }
}

static struct axis_status status_of(struct axis *axis) {
    struct axis_status status;
    axis_status(axis, &status);
    return status;
}

static void random_moves(void **unused) {
    (void)unused;
    struct motion motion;
    for (int late = 0; late < 2; late++) {
        hub_start(&motion);
        for (int k = 0; k < 1500; k++) {
            fake_board.tick_on_unlock = late;
            int32_t before[BOARD_AXES], target[BOARD_AXES];
            bool stop[BOARD_AXES];
            for (unsigned a = 0; a < BOARD_AXES; a++) {
                struct axis *axis = &motion.axis[a];
                before[a] = axis->position;
                target[a] = before[a] + (int32_t)draw(1201) - 600;
                stop[a] = draw(4) == 0;
                uint32_t speed = draw(2) ? 0 : 500 + draw(7000);
                assert_int_equal(axis_move_to(axis, target[a], speed), MOTION_OK);
            }
            fake_board_ticks(draw(6000));
            for (unsigned a = 0; a < BOARD_AXES; a++) {
                if (stop[a]) {
                    axis_stop(&motion.axis[a]);
                }
            }
            assert_true(hub_settle(&motion, 200000));
            for (unsigned a = 0; a < BOARD_AXES; a++) {
                int32_t at = motion.axis[a].position;
                if (!stop[a]) {
                    assert_int_equal(at, target[a]);
                }
                assert_true(target[a] >= before[a] ? at >= before[a] && at <= target[a]
                                                   : at <= before[a] && at >= target[a]);
            }
            pins_agree(&motion);
        }
    }
}

static void an_inverted_axis_goes_the_other_way(void **unused) {
    (void)unused;
    struct motion motion;
    hub_start(&motion);
    struct axis *axis = &motion.axis[1];
    assert_int_equal(axis_set_position(axis, 0), MOTION_OK);
    struct axis_config config = axis->config;
    config.inverted = true;
    assert_int_equal(axis_configure(axis, &config), MOTION_OK);
    assert_false(axis->trusted);
    assert_int_equal(axis_move_by(axis, 300, 0), MOTION_OK);
    assert_int_equal(axis_configure(axis, &config), MOTION_BUSY);
    assert_true(hub_settle(&motion, 100000));
    assert_int_equal(axis->position, 300);
    assert_int_equal(fake_board.axis[1].position, -300);
}

/* The timing of the pins from the first: enabled, awake, direction, step. */
static void wakes_and_sets_direction_first(void **unused) {
    (void)unused;
    struct motion motion;
    hub_start(&motion);
    struct axis_config config = motion.axis[0].config;
    config.enable_delay_us = 50000;
    config.acceleration = config.jerk = 4000000000u; /* the second tick steps */
    config.direction_setup_us = 0;
    assert_int_equal(axis_configure(&motion.axis[0], &config), MOTION_OK);
    fake_board_ticks(10);
    assert_int_equal(axis_move_by(&motion.axis[0], 3, 0), MOTION_OK);
    assert_true(fake_board.axis[0].enable);
    while (fake_board.axis[0].steps == 0) {
        fake_board_tick();
    }
    assert_true(fake_board.time - fake_board.axis[0].woke >= 50 * 84000);
    assert_true(fake_board.axis[0].shortest_setup >= 50 * 84000);
    assert_true(hub_settle(&motion, 100000));
    assert_false(fake_board.axis[0].step);
    /* Back again: the direction stands for a tick, or as long as it is said to. */
    assert_int_equal(axis_move_by(&motion.axis[0], -3, 0), MOTION_OK);
    assert_true(hub_settle(&motion, 100000));
    pins_agree(&motion);
    config.direction_setup_us = 5000;
    assert_int_equal(axis_configure(&motion.axis[0], &config), MOTION_OK);
    fake_board.axis[0].shortest_setup = UINT64_MAX;
    assert_int_equal(axis_move_by(&motion.axis[0], 3, 0), MOTION_OK);
    assert_true(hub_settle(&motion, 100000));
    assert_true(fake_board.axis[0].shortest_setup >= 5 * 84000);
    assert_int_equal(axis_move_by(&motion.axis[0], -3, 0), MOTION_OK);
    assert_true(hub_settle(&motion, 100000));
    /* A stop before the first step: no step. */
    assert_int_equal(axis_move_by(&motion.axis[0], 3, 0), MOTION_OK);
    axis_stop(&motion.axis[0]);
    axis_stop(&motion.axis[0]);
    assert_true(axis_still(&motion.axis[0]));
    assert_int_equal(motion.axis[0].position, 0);
    /* Where it stands is no move. */
    assert_int_equal(axis_move_by(&motion.axis[0], 0, 0), MOTION_OK);
    assert_true(axis_still(&motion.axis[0]));
}

static void states(void **unused) {
    (void)unused;
    struct motion motion;
    hub_start(&motion);
    struct axis *axis = &motion.axis[0];
    assert_int_equal(status_of(axis).state, AXIS_IDLE);
    assert_int_equal(axis_move_by(axis, -10000, 6000), MOTION_OK);
    fake_board_ticks(30000);
    struct axis_status status = status_of(axis);
    assert_int_equal(status.state, AXIS_MOVING);
    assert_int_equal(status.target, -10000);
    assert_true(fabsf(status.speed + 6000) < 10);
    int32_t position[BOARD_AXES];
    assert_int_equal(motion_positions(&motion, position), board_count());
    assert_int_equal(position[0], axis->position);
    assert_int_equal(position[1], 0);
    assert_int_equal(axis_move_by(axis, 1, 0), MOTION_BUSY);
    assert_int_equal(axis_set_position(axis, 1), MOTION_BUSY);
    assert_int_equal(axis_enable(axis, false), MOTION_BUSY);
    assert_int_equal(axis_home(axis), MOTION_BUSY);
    axis_stop(axis);
    assert_int_equal(status_of(axis).state, AXIS_STOPPING);
    assert_true(hub_settle(&motion, 100000));
    assert_int_equal(status_of(axis).state, AXIS_IDLE);
    pins_agree(&motion);
}

static void refusals(void **unused) {
    (void)unused;
    struct motion motion;
    hub_start(&motion);
    struct axis *axis = &motion.axis[0];
    assert_int_equal(axis_move_by(axis, 10, 8001), MOTION_SPEED_TOO_HIGH);
    assert_int_equal(axis_move_to(axis, AXIS_RANGE + 1, 0), MOTION_OUT_OF_RANGE);
    assert_int_equal(axis_move_by(axis, INT32_MIN, 0), MOTION_OUT_OF_RANGE);
    assert_int_equal(axis_set_position(axis, -AXIS_RANGE - 1), MOTION_OUT_OF_RANGE);
    assert_int_equal(axis_set_position(axis, 5), MOTION_OK);
    assert_true(axis->trusted);

    struct axis_config good = axis->config, config = good;
    config.soft_limits = true;
    config.soft_low = -100;
    config.soft_high = 1000;
    assert_int_equal(axis_configure(axis, &config), MOTION_OK);
    assert_int_equal(axis_move_to(axis, 1001, 0), MOTION_SOFT_LIMIT);
    assert_int_equal(axis_move_to(axis, -101, 0), MOTION_SOFT_LIMIT);
    assert_int_equal(axis_move_to(axis, 1000, 0), MOTION_OK);
    assert_true(hub_settle(&motion, 100000));
    /* The current off: the position is lost, and soft limits mean nothing. */
    assert_int_equal(axis_enable(axis, false), MOTION_OK);
    assert_false(axis->trusted);
    assert_int_equal(axis_move_to(axis, 1001, 0), MOTION_OK);
    assert_true(hub_settle(&motion, 100000));

    config.soft_low = 1001;
    assert_int_equal(axis_configure(axis, &config), MOTION_BAD_CONFIG);
    config = good;
    config.speed = 20000;
    assert_int_equal(axis_configure(axis, &config), MOTION_SPEED_TOO_HIGH);
    config.speed = 0;
    assert_int_equal(axis_configure(axis, &config), MOTION_BAD_CONFIG);
    config = good;
    config.limit_high = BOARD_EMERGENCY_STOP;
    assert_int_equal(axis_configure(axis, &config), MOTION_BAD_CONFIG);
    config = good;
    config.enable_delay_us = 1000001;
    assert_int_equal(axis_configure(axis, &config), MOTION_BAD_CONFIG);
    config = good;
    config.home_slow = 0;
    assert_int_equal(axis_configure(axis, &config), MOTION_BAD_CONFIG);
    config.home_slow = 8001;
    assert_int_equal(axis_configure(axis, &config), MOTION_SPEED_TOO_HIGH);
    config.home_slow = 200;
    config.home_fast = 8001;
    assert_int_equal(axis_configure(axis, &config), MOTION_SPEED_TOO_HIGH);
    config = good;
    config.home_input = AXIS_NO_INPUT;
    config.jerk = 1;
    config.acceleration = 1;
    config.speed = 1;
    assert_int_equal(axis_configure(axis, &config), MOTION_OK);
    assert_int_equal(axis_move_by(axis, 1 << 29, 0), MOTION_TOO_SLOW);

    struct axis bare;
    axis_init(&bare, 2);
    assert_int_equal(axis_move_by(&bare, 1, 0), MOTION_NOT_CONFIGURED);
    assert_int_equal(axis_home(&bare), MOTION_NOT_CONFIGURED);
    struct profile_limits limits;
    assert_int_equal(axis_limits(&bare, 0, &limits), MOTION_NOT_CONFIGURED);
    config = hub_axis_config();
    assert_int_equal(axis_configure(&bare, &config), MOTION_OK);
    assert_int_equal(axis_home(&bare), MOTION_NO_HOME_SWITCH);
}

/* A tick's worth of noise on a switch's wire is none; on the emergency stop's it is not argued
 * with. */
static void noise_on_a_switch_stops_nothing(void **unused) {
    (void)unused;
    struct motion motion;
    hub_start(&motion);
    struct axis *axis = &motion.axis[0];
    assert_int_equal(axis_set_position(axis, 0), MOTION_OK);
    assert_int_equal(axis_move_to(axis, 20000, 0), MOTION_OK);
    for (unsigned i = 0; i < 1000; i++) {
        fake_board.inputs = 1u << BOARD_LIMIT_X_HIGH;
        fake_board_tick();
        fake_board.inputs = 0;
        fake_board_ticks(1 + i % 3);
    }
    assert_int_equal(axis->error, MOTION_OK);
    fake_board.inputs = 1u << BOARD_LIMIT_X_HIGH;
    fake_board_ticks(2);
    fake_board.inputs = 0;
    assert_int_equal(axis->error, MOTION_LIMIT_HIGH);
    fake_board.inputs = 1u << BOARD_EMERGENCY_STOP;
    fake_board_tick();
    fake_board.inputs = 0;
    assert_true(motion.emergency);
}

/* An edge alone, as in the emulator; and a level, as on the chip. */
static void limits_stop_one_way(void **unused) {
    (void)unused;
    for (int level = 0; level < 2; level++) {
        struct motion motion;
        hub_start(&motion);
        struct axis *axis = &motion.axis[0];
        assert_int_equal(axis_set_position(axis, 0), MOTION_OK);
        assert_int_equal(axis_move_to(axis, 20000, 0), MOTION_OK);
        assert_int_equal(axis_move_to(&motion.axis[1], 20000, 0), MOTION_OK);
        fake_board_ticks(20000);
        /* The switch behind it, and another axis's, are nothing. */
        fake_board_edge(BOARD_LIMIT_X_LOW);
        fake_board_edge(BOARD_LIMIT_TURN_HOME);
        fake_board_ticks(1000);
        assert_int_equal(axis->error, MOTION_OK);
        int32_t at = axis->position;
        if (level) { /* without an edge: the next tick sees it */
            fake_board.inputs = 1u << BOARD_LIMIT_X_HIGH;
        } else {
            fake_board_edge(BOARD_LIMIT_X_HIGH);
        }
        assert_true(hub_settle(&motion, 200000));
        struct axis_status status = status_of(axis);
        assert_int_equal(status.state, AXIS_FAULT);
        assert_int_equal(status.error, MOTION_LIMIT_HIGH);
        assert_int_equal(status.error_position, at);
        assert_true(status.position > at && status.position < 20000);
        assert_true(status.trusted);
        assert_int_equal(motion.axis[1].position, 20000);
        /* Not further, but away. */
        assert_int_equal(axis_move_by(axis, 1, 0), MOTION_LIMIT_HIGH);
        assert_int_equal(axis_move_by(axis, -500, 0), MOTION_OK);
        assert_true(hub_settle(&motion, 100000));
        assert_int_equal(axis->position, status.position - 500);
        axis_clear(axis);
        assert_int_equal(axis_move_by(axis, 1, 0), level ? MOTION_LIMIT_HIGH : MOTION_OK);
        fake_board_input(BOARD_LIMIT_X_HIGH, false);
        assert_true(hub_settle(&motion, 100000));
        assert_int_equal(axis_move_by(axis, 1, 0), MOTION_OK);
        assert_true(hub_settle(&motion, 100000));
        pins_agree(&motion);
    }
}

static void limits_halt_where_there_is_no_room(void **unused) {
    (void)unused;
    struct motion motion;
    hub_start(&motion);
    struct axis *axis = &motion.axis[1];
    struct axis_config config = axis->config;
    config.halt_at_limits = true;
    assert_int_equal(axis_configure(axis, &config), MOTION_OK);
    assert_int_equal(axis_set_position(axis, 0), MOTION_OK);
    assert_int_equal(axis_move_to(axis, -20000, 0), MOTION_OK);
    fake_board_ticks(20000);
    int32_t at = axis->position;
    fake_board_edge(BOARD_LIMIT_Y_LOW);
    fake_board_ticks(1000);
    assert_int_equal(axis->position, at);
    assert_int_equal(axis->error, MOTION_LIMIT_LOW);
    assert_false(axis->trusted);
    assert_true(axis_still(axis));
    pins_agree(&motion);
}

static void emergency_stop(void **unused) {
    (void)unused;
    for (int how = 0; how < 3; how++) {
        struct motion motion;
        hub_start(&motion);
        for (unsigned a = 0; a < BOARD_AXES; a++) {
            assert_int_equal(axis_set_position(&motion.axis[a], 0), MOTION_OK);
            assert_int_equal(axis_move_to(&motion.axis[a], 9000, 0), MOTION_OK);
        }
        fake_board_ticks(15000);
        motion.axis[0].error = MOTION_LIMIT_LOW; /* outranked */
        if (how == 0) {
            motion_emergency_stop(&motion);
        } else if (how == 1) {
            fake_board_edge(BOARD_EMERGENCY_STOP);
        } else {
            fake_board.inputs = 1u << BOARD_EMERGENCY_STOP; /* no edge: the next tick sees it */
        }
        uint64_t steps = fake_board.axis[0].steps + fake_board.axis[1].steps;
        fake_board_ticks(1000);
        assert_int_equal(fake_board.axis[0].steps + fake_board.axis[1].steps, steps);
        for (unsigned a = 0; a < BOARD_AXES; a++) {
            struct axis *axis = &motion.axis[a];
            assert_int_equal(status_of(axis).error, MOTION_EMERGENCY_STOP);
            assert_false(axis->trusted);
            axis_clear(axis); /* does not help */
            assert_int_equal(axis_move_by(axis, 1, 0), MOTION_EMERGENCY_STOP);
            assert_int_equal(axis_home(axis), MOTION_EMERGENCY_STOP);
            assert_int_equal(axis_set_position(axis, 0), MOTION_EMERGENCY_STOP);
        }
        assert_true(motion.emergency);
        pins_agree(&motion);
        if (how == 2) {
            assert_int_equal(motion_clear(&motion), MOTION_EMERGENCY_STOP);
        }
        fake_board.inputs = 0;
        assert_int_equal(motion_clear(&motion), MOTION_OK);
        assert_false(motion.emergency);
        assert_int_equal(axis_move_by(&motion.axis[2], 100, 0), MOTION_OK);
        assert_true(hub_settle(&motion, 100000));
        pins_agree(&motion);
    }
}

/* The stop comes while a move is being handed over. */
static void stop_at_once(void *context, const struct fake_edge *edge) {
    (void)context;
    if (edge->kind == FAKE_ENABLE) {
        fake_board_edge(BOARD_EMERGENCY_STOP);
    }
}

static void emergency_stop_outruns_a_start(void **unused) {
    (void)unused;
    struct motion motion;
    hub_start(&motion);
    fake_board.on_edge = stop_at_once;
    assert_int_equal(axis_move_by(&motion.axis[0], 1000, 0), MOTION_EMERGENCY_STOP);
    fake_board_ticks(10000);
    assert_int_equal(fake_board.axis[0].steps, 0);
}

static void idle_axes_go_to_sleep(void **unused) {
    (void)unused;
    struct motion motion;
    hub_start(&motion);
    struct axis *axis = &motion.axis[0];
    struct axis_config config = axis->config;
    config.idle_off_ms = 100;
    assert_int_equal(axis_configure(axis, &config), MOTION_OK);
    assert_int_equal(axis_set_position(axis, 0), MOTION_OK);
    assert_int_equal(axis_move_by(axis, 100, 0), MOTION_OK);
    assert_true(hub_settle(&motion, 100000));
    motion_poll(&motion);
    fake_board_ticks(3900);
    motion_poll(&motion);
    assert_true(fake_board.axis[0].enable);
    fake_board_ticks(200);
    motion_poll(&motion);
    assert_false(fake_board.axis[0].enable);
    assert_false(axis->trusted);
    assert_int_equal(axis_move_by(axis, -100, 0), MOTION_OK);
    assert_true(hub_settle(&motion, 100000));
    pins_agree(&motion);
    assert_int_equal(axis_enable(axis, true), MOTION_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_moves),
        cmocka_unit_test(noise_on_a_switch_stops_nothing),
        cmocka_unit_test(an_inverted_axis_goes_the_other_way),
        cmocka_unit_test(wakes_and_sets_direction_first),
        cmocka_unit_test(states),
        cmocka_unit_test(refusals),
        cmocka_unit_test(limits_stop_one_way),
        cmocka_unit_test(limits_halt_where_there_is_no_room),
        cmocka_unit_test(emergency_stop),
        cmocka_unit_test(emergency_stop_outruns_a_start),
        cmocka_unit_test(idle_axes_go_to_sleep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
