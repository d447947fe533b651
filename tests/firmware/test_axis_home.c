/* Homing: the switch's place gets its position, or the error its name. */
#include "tests/firmware/hub_motion.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct axis_status status_of(struct axis *axis) {
    struct axis_status status;
    axis_status(axis, &status);
    return status;
}

/* A carriage with a switch: the switch is closed at positions at or beyond `at` of the pins. */
struct carriage {
    struct motion *motion;
    unsigned axis;
    enum board_input input;
    int32_t at;
    bool high;   /* closed above, else below */
    bool levels; /* the board has levels */
    bool closed;
    bool stuck;
};

static void carriage_moved(void *context, const struct fake_edge *edge) {
    struct carriage *carriage = context;
    if (edge->kind != FAKE_STEP || edge->axis != carriage->axis || !edge->level) {
        return;
    }
    int32_t position = fake_board.axis[carriage->axis].position;
    bool closed =
        carriage->stuck || (carriage->high ? position >= carriage->at : position <= carriage->at);
    bool edge_now = closed && !carriage->closed;
    carriage->closed = closed;
    if (carriage->levels) {
        fake_board_input(carriage->input, closed);
    } else if (edge_now) {
        fake_board_edge(carriage->input);
    }
}

static struct carriage *with_switch(struct carriage *carriage, struct motion *motion, unsigned axis,
                                    int32_t at, bool levels) {
    static const enum board_input input[BOARD_AXES] = {BOARD_LIMIT_X_LOW, BOARD_LIMIT_Y_LOW,
                                                       BOARD_LIMIT_TURN_HOME};
    *carriage = (struct carriage){.motion = motion,
                                  .axis = axis,
                                  .input = input[axis],
                                  .at = at,
                                  .high = axis == 2,
                                  .levels = levels};
    fake_board.on_edge = carriage_moved;
    fake_board.edge_context = carriage;
    return carriage;
}

static void homes(void **unused) {
    (void)unused;
    for (unsigned k = 0; k < 12; k++) {
        struct motion motion;
        hub_start(&motion);
        unsigned a = k % 3;
        struct axis *axis = &motion.axis[a];
        struct axis_config config = axis->config;
        config.home_position = 1000 * (int32_t)k;
        assert_int_equal(axis_configure(axis, &config), MOTION_OK);
        int32_t at = (a == 2 ? 1 : -1) * (int32_t)(50 + 900 * k);
        struct carriage carriage;
        with_switch(&carriage, &motion, a, at, k % 2);
        fake_board.tick_on_unlock = k % 4 < 2;
        assert_int_equal(axis_home(axis), MOTION_OK);
        assert_int_equal(status_of(axis).state, AXIS_HOMING);
        assert_true(hub_settle(&motion, 2000000));
        assert_int_equal(axis->error, MOTION_OK);
        assert_true(axis->trusted);
        /* The switch's place has its position, and it stands off it by the back-off. */
        int32_t offset = axis->position - fake_board.axis[a].position;
        assert_int_equal(at + offset, config.home_position);
        assert_int_equal(axis->position, config.home_position + (a == 2 ? -200 : 200));
        assert_false(carriage.closed);
        assert_int_equal(fake_board.axis[a].asleep, 0);
    }
}

static void homes_from_the_switch(void **unused) {
    (void)unused;
    struct motion motion;
    hub_start(&motion);
    struct carriage carriage;
    with_switch(&carriage, &motion, 0, 20, true);
    fake_board.inputs = 1u << BOARD_LIMIT_X_LOW;
    carriage.closed = true;
    motion.axis[0].error = MOTION_LIMIT_LOW;
    assert_int_equal(axis_home(&motion.axis[0]), MOTION_OK);
    assert_true(hub_settle(&motion, 2000000));
    assert_int_equal(motion.axis[0].position, 200);
    assert_int_equal(fake_board.axis[0].position, 220);
    assert_true(motion.axis[0].trusted);
}

static void home_failures(void **unused) {
    (void)unused;
    struct motion motion;
    struct carriage carriage;
    /* No switch on the whole way. */
    hub_start(&motion);
    struct axis *axis = &motion.axis[0];
    assert_int_equal(axis_home(axis), MOTION_OK);
    assert_true(hub_settle(&motion, 2000000));
    assert_int_equal(axis->error, MOTION_HOME_NOT_FOUND);
    assert_int_equal(fake_board.axis[0].position, -50000);
    assert_int_equal(axis_move_by(axis, 1, 0), MOTION_HOME_NOT_FOUND);
    axis_clear(axis);
    assert_int_equal(axis_move_by(axis, 1, 0), MOTION_OK);
    assert_true(hub_settle(&motion, 100000));

    /* It does not open any more: found while backing off, and from the start. */
    hub_start(&motion);
    with_switch(&carriage, &motion, 0, -1000, true);
    assert_int_equal(axis_home(axis), MOTION_OK);
    while (axis->home_phase == AXIS_HOME_FAST) {
        fake_board_tick();
        motion_poll(&motion);
    }
    carriage.stuck = true;
    assert_true(hub_settle(&motion, 200000));
    assert_int_equal(axis->error, MOTION_HOME_STUCK);
    assert_int_equal(axis_home(axis), MOTION_OK);
    assert_int_equal(axis->home_phase, AXIS_HOME_RELEASE);
    assert_true(hub_settle(&motion, 200000));
    assert_int_equal(axis->error, MOTION_HOME_STUCK);

    /* Found once, and then not again: a switch that bounced far off. */
    hub_start(&motion);
    assert_int_equal(axis_home(axis), MOTION_OK);
    fake_board_ticks(10000);
    fake_board_edge(BOARD_LIMIT_X_LOW);
    assert_true(hub_settle(&motion, 2000000));
    assert_int_equal(axis->error, MOTION_HOME_NOT_FOUND);
    assert_false(axis->trusted);

    /* Time. */
    hub_start(&motion);
    struct axis_config config = axis->config;
    config.home_timeout_ms = 500;
    assert_int_equal(axis_configure(axis, &config), MOTION_OK);
    assert_int_equal(axis_home(axis), MOTION_OK);
    assert_true(hub_settle(&motion, 2000000));
    assert_int_equal(axis->error, MOTION_HOME_TIMEOUT);
    assert_in_range(fake_board.ticks, 20000, 40000);

    /* Stopped by hand: no error, and not trusted. */
    hub_start(&motion);
    assert_int_equal(axis_home(axis), MOTION_OK);
    fake_board_ticks(10000);
    axis_stop(axis);
    assert_true(hub_settle(&motion, 200000));
    assert_int_equal(axis->error, MOTION_OK);
    assert_false(axis->trusted);

    /* An emergency stop. */
    hub_start(&motion);
    assert_int_equal(axis_home(axis), MOTION_OK);
    fake_board_ticks(10000);
    fake_board_edge(BOARD_EMERGENCY_STOP);
    assert_true(hub_settle(&motion, 200000));
    assert_int_equal(status_of(axis).error, MOTION_EMERGENCY_STOP);
    assert_int_equal(status_of(axis).state, AXIS_FAULT);

    /* The home switch of an axis with limits lies elsewhere: the limit comes first. */
    hub_start(&motion);
    config = axis->config;
    config.home_input = BOARD_LIMIT_TURN_HOME;
    assert_int_equal(axis_configure(axis, &config), MOTION_OK);
    assert_int_equal(axis_home(axis), MOTION_OK);
    fake_board_ticks(10000);
    fake_board_edge(BOARD_LIMIT_X_LOW);
    assert_true(hub_settle(&motion, 200000));
    assert_int_equal(axis->error, MOTION_LIMIT_LOW);
    assert_false(axis->trusted);

    /* What cannot even begin. */
    hub_start(&motion);
    config = axis->config;
    config.home_slow = config.home_fast = config.speed = config.acceleration = config.jerk = 1;
    config.home_travel = 1 << 29;
    assert_int_equal(axis_configure(axis, &config), MOTION_OK);
    assert_int_equal(axis_home(axis), MOTION_TOO_SLOW);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(homes),
        cmocka_unit_test(homes_from_the_switch),
        cmocka_unit_test(home_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
