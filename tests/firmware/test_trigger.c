/* Triggers: every one where and when it is due, or an error that says which was not. */
#include "tests/firmware/hub_motion.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct trigger_timing timing = {.shortest_ns = 1000000, .width_ns = 2000};

static void start(struct motion *motion) {
    hub_start(motion);
    for (unsigned k = 0; k < BOARD_AXES; k++)
        assert_int_equal(axis_set_position(&motion->axis[k], 0), MOTION_OK);
    assert_int_equal(trigger_configure(&motion->trigger, &timing), MOTION_OK);
}

static struct trigger_status status_of(struct motion *motion) {
    struct trigger_status status;
    trigger_status(&motion->trigger, &status);
    return status;
}

/* What the pins did: the position when SYNC_IN rose, and whether the step came in that tick. */
struct pulses {
    uint64_t n;
    struct {
        uint64_t time;
        int32_t position;
        bool with_step;
    } at[1000];
};

static void pulse_seen(void *context, const struct fake_edge *edge) {
    struct pulses *pulses = context;
    if (edge->kind != FAKE_SYNC || pulses->n == 1000)
        return;
    pulses->at[pulses->n].time = edge->time;
    pulses->at[pulses->n].position = fake_board.axis[0].position;
    pulses->at[pulses->n].with_step =
        fake_board.axis[0].step && fake_board.axis[0].rose == edge->time;
    pulses->n++;
}

static void by_steps(void **unused) {
    (void)unused;
    for (int downward = 0; downward < 2; downward++) {
        struct motion motion;
        struct pulses pulses = {0};
        start(&motion);
        fake_board.on_edge = pulse_seen;
        fake_board.edge_context = &pulses;
        int32_t sign = downward ? -1 : 1;
        struct trigger_run run = {.mode = TRIGGER_STEPS,
                                  .count = 100,
                                  .axis = 0,
                                  .first = sign * 7,
                                  .pitch = sign * 13,
                                  .row = 3,
                                  .column = 99,
                                  .column_step = -1};
        assert_int_equal(trigger_arm(&motion.trigger, &run, false), MOTION_OK);
        assert_int_equal(trigger_arm(&motion.trigger, &run, false), TRIGGER_BUSY);
        assert_int_equal(trigger_configure(&motion.trigger, &timing), TRIGGER_BUSY);
        /* There, half back, and there again: each point once. */
        static const int32_t way[] = {600, 300, 1500};
        for (int k = 0; k < 3; k++) {
            assert_int_equal(axis_move_to(&motion.axis[0], sign * way[k], 4000), MOTION_OK);
            assert_int_equal(axis_move_to(&motion.axis[1], way[k], 4000), MOTION_OK);
            assert_true(hub_settle(&motion, 100000));
        }
        assert_int_equal(pulses.n, 100);
        struct trigger_event event;
        for (unsigned n = 0; n < 100; n++) {
            int32_t at = sign * (7 + 13 * (int32_t)n);
            assert_int_equal(pulses.at[n].position, at);
            assert_true(pulses.at[n].with_step);
            assert_true(trigger_take(&motion.trigger, &event));
            assert_int_equal(event.number, n);
            assert_int_equal(event.count, (uint32_t)pulses.at[n].time);
            assert_int_equal(event.position[0], at);
            assert_int_equal(event.position[1], sign * at);
            assert_int_equal(event.position[2], 0);
            assert_int_equal(event.row, 3);
            assert_int_equal(event.column, 99 - n);
        }
        assert_false(trigger_take(&motion.trigger, &event));
        struct trigger_status status = status_of(&motion);
        assert_int_equal(status.mode, TRIGGER_OFF);
        assert_int_equal(status.number, 100);
        assert_int_equal(status.made, 100);
        assert_int_equal(status.left, 0);
        assert_int_equal(status.error, MOTION_OK);
        assert_int_equal(fake_board.sync_width_ns, 2000);
        /* The next run goes on with the numbers. */
        run.first = sign * 1600;
        assert_int_equal(trigger_arm(&motion.trigger, &run, true), MOTION_OK);
        assert_int_equal(status_of(&motion).number, 100);
        trigger_disarm(&motion.trigger);
        assert_int_equal(trigger_arm(&motion.trigger, &run, false), MOTION_OK);
        assert_int_equal(status_of(&motion).number, 0);
    }
}

/* A run by period, unlike a scan, has as many columns as it lasts. */
static void columns_go_on_beyond_16_bits(void **unused) {
    (void)unused;
    struct motion motion;
    struct trigger_event event;
    start(&motion);
    struct trigger_run run = {.mode = TRIGGER_PERIOD,
                              .count = 2,
                              .period_ns = 2000000,
                              .column = UINT16_MAX,
                              .column_step = 1};
    assert_int_equal(trigger_arm(&motion.trigger, &run, false), MOTION_OK);
    fake_board_ticks(200);
    for (uint32_t column = UINT16_MAX; column <= UINT16_MAX + 1U; column++) {
        assert_true(trigger_take(&motion.trigger, &event));
        assert_int_equal(event.column, column);
    }
}

static void too_early_ends_the_run(void **unused) {
    (void)unused;
    struct motion motion;
    start(&motion);
    /* 8000 steps/s and a pitch of 7 are 0.875 ms: once it is fast, a trigger comes too early. */
    struct trigger_run run = {.mode = TRIGGER_STEPS, .count = 1000, .first = 1, .pitch = 7};
    assert_int_equal(trigger_arm(&motion.trigger, &run, false), MOTION_OK);
    assert_int_equal(axis_move_to(&motion.axis[0], 20000, 0), MOTION_OK);
    while (status_of(&motion).mode != TRIGGER_OFF)
        fake_board_tick();
    struct trigger_status status = status_of(&motion);
    assert_int_equal(status.error, TRIGGER_TOO_EARLY);
    assert_int_equal(status.error_number, status.number);
    assert_int_equal(status.made, status.number);
    assert_int_equal(status.refused, 1);
    assert_true(status.number > 50);
    assert_int_equal(fake_board.syncs, status.number);
    assert_int_equal(motion.axis[0].position, 1 + 7 * (int32_t)status.number);
    /* The axis brakes, and its position is still exact. */
    assert_true(motion.axis[0].stopping);
    assert_true(hub_settle(&motion, 100000));
    assert_int_equal(fake_board.axis[0].position, motion.axis[0].position);
    assert_true(motion.axis[0].position < 3000);
    assert_true(motion.axis[0].trusted);
    /* Latched until cleared. */
    run.first = 5000;
    assert_int_equal(trigger_arm(&motion.trigger, &run, false), TRIGGER_TOO_EARLY);
    trigger_clear(&motion.trigger);
    assert_int_equal(trigger_arm(&motion.trigger, &run, false), MOTION_OK);
}

static void missed(void **unused) {
    (void)unused;
    struct motion motion;
    start(&motion);
    /* Armed too late. */
    struct trigger_run run = {.mode = TRIGGER_STEPS, .count = 10, .first = 0, .pitch = 5};
    assert_int_equal(trigger_arm(&motion.trigger, &run, false), TRIGGER_MISSED);
    assert_int_equal(status_of(&motion).error_number, 0);
    assert_int_equal(status_of(&motion).mode, TRIGGER_OFF);
    trigger_clear(&motion.trigger);
    run.first = -1;
    assert_int_equal(trigger_arm(&motion.trigger, &run, false), TRIGGER_MISSED);
    trigger_clear(&motion.trigger);
    run.pitch = -5;
    assert_int_equal(trigger_arm(&motion.trigger, &run, false), MOTION_OK);
    trigger_disarm(&motion.trigger);
    /* The position jumps over the point, or onto it. */
    for (int32_t jump = 20; jump <= 21; jump++) {
        run = (struct trigger_run){.mode = TRIGGER_STEPS, .count = 10, .first = 20, .pitch = 5};
        assert_int_equal(axis_set_position(&motion.axis[0], 0), MOTION_OK);
        assert_int_equal(trigger_arm(&motion.trigger, &run, false), MOTION_OK);
        fake_board_ticks(3);
        assert_int_equal(status_of(&motion).error, MOTION_OK);
        assert_int_equal(axis_set_position(&motion.axis[0], jump), MOTION_OK);
        fake_board_ticks(3);
        assert_int_equal(status_of(&motion).error, TRIGGER_MISSED);
        assert_int_equal(fake_board.syncs, 0);
        trigger_clear(&motion.trigger);
    }
}

/* Each pulse in the first tick that begins at or after n periods, over a million ticks; no drift.
 */
static void by_period(void **unused) {
    (void)unused;
    static const uint32_t periods[] = {1100000, 1333333, 1025001, 9999999};
    for (unsigned k = 0; k < 4; k++) {
        struct motion motion;
        start(&motion);
        fake_board.time = UINT64_C(0xfff00000); /* the count wraps on the way */
        struct trigger_run run = {.mode = TRIGGER_PERIOD, .period_ns = periods[k]};
        assert_int_equal(trigger_arm(&motion.trigger, &run, false), MOTION_OK);
        fake_board_tick();
        uint64_t began = fake_board.time;
        assert_int_equal(fake_board.syncs, 1);
        uint64_t n = 1;
        struct trigger_event event;
        while (fake_board.ticks < 1000000) {
            fake_board_tick();
            while (trigger_take(&motion.trigger, &event))
                ;
            /* n periods in counts: n period 84e6 / 1e9. */
            uint64_t ideal = n * periods[k] * 84; /* 1000ths of a count */
            bool due = (fake_board.time - began) * 1000 >= ideal;
            if (due)
                n++;
            if (fake_board.syncs != n)
                fail_msg("trigger %u at tick %u", (unsigned)n, (unsigned)fake_board.ticks);
            if (due)
                assert_true((fake_board.time - began) * 1000 - ideal < 2100 * 1000);
        }
        assert_int_equal(n, 1 + (fake_board.time - began) * 1000 / (periods[k] * UINT64_C(84)));
        assert_int_equal(event.number, n - 1);
        assert_int_equal(status_of(&motion).mode, TRIGGER_PERIOD);
        assert_int_equal(status_of(&motion).left, 0);
        trigger_disarm(&motion.trigger);
        fake_board_ticks(1000);
        assert_int_equal(fake_board.syncs, n);
    }
}

static void period_counts_and_waits_for_the_radar(void **unused) {
    (void)unused;
    struct motion motion;
    struct pulses pulses = {0};
    start(&motion);
    fake_board.on_edge = pulse_seen;
    fake_board.edge_context = &pulses;
    struct trigger_run run = {
        .mode = TRIGGER_PERIOD, .period_ns = 2000000, .count = 5, .row = 2, .column = 8};
    assert_int_equal(trigger_arm(&motion.trigger, &run, false), MOTION_OK);
    fake_board_ticks(400);
    assert_int_equal(pulses.n, 5);
    assert_int_equal(status_of(&motion).mode, TRIGGER_OFF);
    struct trigger_event event;
    for (unsigned n = 0; n < 5; n++) {
        assert_true(trigger_take(&motion.trigger, &event));
        assert_int_equal(pulses.at[n].time - pulses.at[0].time, n * 168000);
        assert_int_equal(event.row, 2);
        assert_int_equal(event.column, 8);
    }
    /* One, and at once another: the second waits until the radar is ready. */
    run = (struct trigger_run){.mode = TRIGGER_SINGLE};
    assert_int_equal(trigger_arm(&motion.trigger, &run, true), MOTION_OK);
    fake_board_tick();
    assert_int_equal(pulses.n, 6);
    assert_int_equal(trigger_arm(&motion.trigger, &run, true), MOTION_OK);
    fake_board_ticks(45);
    assert_int_equal(pulses.n, 7);
    assert_int_equal(pulses.at[6].time - pulses.at[5].time, 84000);
    run = (struct trigger_run){.mode = TRIGGER_PERIOD, .period_ns = 2000000, .count = 2};
    assert_int_equal(trigger_arm(&motion.trigger, &run, true), MOTION_OK);
    fake_board_ticks(200);
    assert_int_equal(pulses.n, 9);
    assert_true(pulses.at[7].time - pulses.at[6].time >= 84000);
    assert_int_equal(status_of(&motion).number, 9);
    assert_int_equal(status_of(&motion).error, MOTION_OK);
}

static void late_ticks(void **unused) {
    (void)unused;
    struct motion motion;
    start(&motion);
    struct trigger_run run = {.mode = TRIGGER_PERIOD, .period_ns = 2000000};
    assert_int_equal(trigger_arm(&motion.trigger, &run, false), MOTION_OK);
    fake_board_ticks(10);
    /* Less than a period late, and the next is in time again: allowed while the radar is ready. */
    assert_int_equal(motion.late_ticks, 0);
    fake_board_starve(168000 + 50000);
    fake_board_ticks(200);
    assert_int_equal(motion.late_ticks, 1);
    assert_int_equal(status_of(&motion).error, MOTION_OK);
    assert_int_equal(status_of(&motion).number, 4);
    /* So late that the next would come too early. */
    fake_board_starve(110000);
    fake_board_ticks(200);
    assert_int_equal(status_of(&motion).error, TRIGGER_TOO_EARLY);
    /* More than a period. */
    trigger_clear(&motion.trigger);
    assert_int_equal(trigger_arm(&motion.trigger, &run, false), MOTION_OK);
    fake_board_ticks(100);
    fake_board_starve(2 * 168000 + 10000);
    fake_board_ticks(1);
    assert_int_equal(status_of(&motion).error, TRIGGER_OVERRUN);
    assert_int_equal(status_of(&motion).error_number, 2);
    assert_int_equal(status_of(&motion).refused, 2);
}

static void a_full_ring_ends_the_run(void **unused) {
    (void)unused;
    struct motion motion;
    start(&motion);
    struct trigger_run run = {.mode = TRIGGER_PERIOD, .period_ns = 1100000};
    assert_int_equal(trigger_arm(&motion.trigger, &run, false), MOTION_OK);
    fake_board_ticks(10000);
    assert_int_equal(fake_board.syncs, TRIGGER_RING);
    assert_int_equal(status_of(&motion).error, TRIGGER_RING_FULL);
    assert_int_equal(status_of(&motion).error_number, TRIGGER_RING);
    struct trigger_event event;
    for (unsigned n = 0; n < TRIGGER_RING; n++) {
        assert_true(trigger_take(&motion.trigger, &event));
        assert_int_equal(event.number, n);
    }
    assert_false(trigger_take(&motion.trigger, &event));
}

static void emergency_stop_disarms(void **unused) {
    (void)unused;
    struct motion motion;
    start(&motion);
    struct trigger_run run = {.mode = TRIGGER_PERIOD, .period_ns = 1100000};
    assert_int_equal(trigger_arm(&motion.trigger, &run, false), MOTION_OK);
    fake_board_ticks(100);
    uint64_t made = fake_board.syncs;
    motion_emergency_stop(&motion);
    fake_board_ticks(100);
    assert_int_equal(fake_board.syncs, made);
    assert_int_equal(status_of(&motion).error, MOTION_EMERGENCY_STOP);
    assert_int_equal(motion_clear(&motion), MOTION_OK);
    /* Points in steps of an axis that is not trusted are nowhere. */
    run = (struct trigger_run){.mode = TRIGGER_STEPS, .count = 1, .first = 100, .pitch = 1};
    assert_int_equal(trigger_arm(&motion.trigger, &run, false), MOTION_NOT_TRUSTED);
    run.mode = TRIGGER_SINGLE;
    assert_int_equal(trigger_arm(&motion.trigger, &run, false), MOTION_OK);
    motion_stop(&motion);
    fake_board_ticks(100);
    assert_int_equal(fake_board.syncs, made);
}

static void refusals(void **unused) {
    (void)unused;
    struct motion motion;
    hub_start(&motion);
    struct trigger *trigger = &motion.trigger;
    struct trigger_run run = {.mode = TRIGGER_SINGLE};
    assert_int_equal(trigger_arm(trigger, &run, false), TRIGGER_NO_MINIMUM);
    struct trigger_timing bad = {.shortest_ns = 0, .width_ns = 1000};
    assert_int_equal(trigger_configure(trigger, &bad), TRIGGER_NO_MINIMUM);
    bad = (struct trigger_timing){.shortest_ns = 1000000, .width_ns = 999};
    assert_int_equal(trigger_configure(trigger, &bad), TRIGGER_BAD_SETUP);
    bad.width_ns = 10001;
    assert_int_equal(trigger_configure(trigger, &bad), TRIGGER_BAD_SETUP);
    fake_board.count_hz = 1000000000;
    bad = (struct trigger_timing){.shortest_ns = 4000000000u, .width_ns = 1000};
    assert_int_equal(trigger_configure(trigger, &bad), TRIGGER_BAD_SETUP);
    assert_int_equal(trigger_configure(trigger, &timing), MOTION_OK);
    bad = (struct trigger_timing){.shortest_ns = 1000001, .width_ns = 10000};
    fake_board.count_hz = 84000000;
    assert_int_equal(trigger_configure(trigger, &bad), MOTION_OK);
    assert_int_equal(trigger->shortest, 84001); /* 84000.084 */
    fake_board.count_hz = 1000000000;
    assert_int_equal(trigger_configure(trigger, &timing), MOTION_OK);
    run.mode = TRIGGER_PERIOD;
    run.period_ns = 4000000000u;
    assert_int_equal(trigger_arm(trigger, &run, false), TRIGGER_BAD_SETUP);
    fake_board.count_hz = 84000000;
    assert_int_equal(trigger_configure(trigger, &timing), MOTION_OK);
    /* One tick more than the shortest. */
    run.period_ns = 1024999;
    assert_int_equal(trigger_arm(trigger, &run, false), TRIGGER_TOO_FAST);
    run.period_ns = 1025000;
    assert_int_equal(trigger_arm(trigger, &run, false), MOTION_OK);
    trigger_disarm(trigger);
    run.mode = (enum trigger_mode)9;
    assert_int_equal(trigger_arm(trigger, &run, false), TRIGGER_BAD_SETUP);

    struct trigger_run steps = {.mode = TRIGGER_STEPS, .count = 10, .first = 10, .pitch = 10};
    assert_int_equal(trigger_arm(trigger, &steps, false), MOTION_NOT_TRUSTED);
    assert_int_equal(axis_set_position(&motion.axis[0], 0), MOTION_OK);
    run = steps;
    run.axis = BOARD_AXES;
    assert_int_equal(trigger_arm(trigger, &run, false), TRIGGER_BAD_SETUP);
    run = steps;
    run.count = 0;
    assert_int_equal(trigger_arm(trigger, &run, false), TRIGGER_BAD_SETUP);
    run = steps;
    run.pitch = 0;
    assert_int_equal(trigger_arm(trigger, &run, false), TRIGGER_BAD_SETUP);
    run = steps;
    run.first = AXIS_RANGE - 80;
    assert_int_equal(trigger_arm(trigger, &run, false), MOTION_OUT_OF_RANGE);
    run.first = AXIS_RANGE - 90;
    assert_int_equal(trigger_arm(trigger, &run, false), MOTION_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_steps),
        cmocka_unit_test(columns_go_on_beyond_16_bits),
        cmocka_unit_test(too_early_ends_the_run),
        cmocka_unit_test(missed),
        cmocka_unit_test(by_period),
        cmocka_unit_test(period_counts_and_waits_for_the_radar),
        cmocka_unit_test(late_ticks),
        cmocka_unit_test(a_full_ring_ends_the_run),
        cmocka_unit_test(emergency_stop_disarms),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
