/* Whole scans on the fake board: each trigger once, in order, at the exact step, in the cruise. */
#include "firmware/app/program.h"
#include "tests/firmware/hub_motion.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const uint64_t tick_counts = 84000000 / 40000;
static const uint64_t shortest_counts = 84000; /* 1 ms */

struct hub {
    struct motion motion;
    struct program program;
};

/* Ticks between two rounds of the main loop, and whether ticks come at the worst of moments. */
static unsigned cadence = 37;
static bool hostile;

static uint64_t state = 1;

static uint32_t draw(uint32_t below) {
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((state >> 33) % below);
}

/* What the pins did at each SYNC_IN. */
struct pulse {
    uint64_t time;
    int32_t position[BOARD_AXES];
    bool stepped[BOARD_AXES]; /* in the same tick */
};

struct record {
    uint64_t n;
    struct pulse *at;
};

enum { MOST_PULSES = 20000 };

static void pulse_seen(void *context, const struct fake_edge *edge) {
    struct record *record = context;
    if (edge->kind != FAKE_SYNC || record->n == MOST_PULSES)
        return;
    struct pulse *pulse = &record->at[record->n++];
    pulse->time = edge->time;
    for (unsigned k = 0; k < BOARD_AXES; k++) {
        const struct fake_axis *pins = &fake_board.axis[k];
        pulse->position[k] = pins->position;
        pulse->stepped[k] = pins->step && pins->rose == edge->time;
    }
}

static void hub_begin(struct hub *hub) {
    static const struct trigger_timing timing = {.shortest_ns = 1000000, .width_ns = 1000};
    hub_start(&hub->motion);
    for (unsigned k = 0; k < BOARD_AXES; k++) {
        struct axis *axis = &hub->motion.axis[k];
        struct axis_config config = axis->config;
        config.speed = 16000;
        config.acceleration = 160000;
        config.jerk = 3200000;
        assert_int_equal(axis_configure(axis, &config), MOTION_OK);
        assert_int_equal(axis_set_position(axis, 0), MOTION_OK);
    }
    assert_int_equal(trigger_configure(&hub->motion.trigger, &timing), MOTION_OK);
    program_init(&hub->program, &hub->motion);
    fake_board.tick_on_unlock = hostile;
}

static struct program_status status_of(struct hub *hub) {
    struct program_status status;
    program_status(&hub->program, &status);
    return status;
}

static struct program_scan raster_40_400(int32_t pitch) {
    return (struct program_scan){
        .pattern = PROGRAM_RASTER,
        .mode = PROGRAM_FLY_BY,
        .fast = 0,
        .slow = 1,
        .fast_first = -37,
        .slow_first = 11,
        .columns = 400,
        .rows = 40,
        .column_pitch = pitch,
        .row_pitch = -31,
    };
}

/* Runs a scan to its end with the main loop every ms. Events go to event[]; how many came. */
static uint64_t make(struct hub *hub, struct trigger_event *event, uint64_t most_ticks) {
    uint64_t n = 0;
    while (program_running(&hub->program)) {
        if (fake_board.ticks > most_ticks)
            fail_msg("still running in row %u", (unsigned)hub->program.row);
        fake_board_ticks(cadence);
        motion_poll(&hub->motion);
        program_poll(&hub->program);
        while (n < MOST_PULSES && trigger_take(&hub->motion.trigger, &event[n]))
            n++;
    }
    return n;
}

/* Where the motor is at column c of row r, from the description of the scan alone. */
static int32_t expected(const struct program_scan *scan, uint32_t row, uint32_t column,
                        uint32_t turns) {
    int32_t position = scan->fast_first + (int32_t)column * scan->column_pitch;
    if (scan->pattern == PROGRAM_SERPENTINE && row % 2 == 1)
        position +=
            scan->column_pitch > 0 ? -(int32_t)scan->fast_backlash : (int32_t)scan->fast_backlash;
    if (scan->pattern == PROGRAM_TURNTABLE)
        position += (scan->column_pitch > 0 ? 1 : -1) * (int32_t)(row * turns * scan->turn);
    return position;
}

static void pins_agree(const struct hub *hub) {
    for (unsigned k = 0; k < BOARD_AXES; k++) {
        const struct fake_axis *pins = &fake_board.axis[k];
        assert_int_equal(pins->position, hub->motion.axis[k].position);
        assert_int_equal(pins->asleep, 0);
        assert_true(pins->shortest_high >= tick_counts && pins->shortest_low >= tick_counts &&
                    pins->shortest_setup >= tick_counts);
    }
}

static void whole_scan(const struct program_scan *scan) {
    struct hub hub;
    struct record record = {.at = calloc(MOST_PULSES, sizeof *record.at)};
    struct trigger_event *event = calloc(MOST_PULSES, sizeof *event);
    hub_begin(&hub);
    fake_board.on_edge = pulse_seen;
    fake_board.edge_context = &record;
    struct program_plan plan;
    assert_int_equal(program_check(&hub.motion, scan, &plan), MOTION_OK);
    assert_int_equal(program_start(&hub.program, scan), MOTION_OK);
    uint64_t n = 0, began = fake_board.ticks;
    while (hub.program.state <= PROGRAM_TO_ROW) {
        fake_board_tick();
        motion_poll(&hub.motion);
        program_poll(&hub.program);
        began = fake_board.ticks;
    }
    n = make(&hub, event, 30000000);
    struct program_status status = status_of(&hub);
    if (status.state != PROGRAM_DONE)
        fail_msg("row %u: %s", status.error_row, motion_error_name(status.error));
    uint32_t burst = scan->burst > 1 ? scan->burst : 1;
    uint64_t total = (uint64_t)scan->rows * scan->columns * burst;
    assert_int_equal(n, total);
    assert_int_equal(record.n, total);
    assert_int_equal(status.made, total);
    assert_int_equal(status.triggers, total);
    assert_int_equal(status.error, MOTION_OK);

    double cruise = (double)abs(scan->column_pitch) / (plan.speed / 40000.0);
    for (uint64_t k = 0; k < total; k++) {
        uint32_t point = (uint32_t)(k / burst);
        uint32_t row = point / scan->columns, column = point % scan->columns;
        if (scan->pattern == PROGRAM_SERPENTINE && row % 2 == 1)
            column = scan->columns - 1 - column;
        int32_t at = expected(scan, row, column, plan.turns);
        const struct pulse *pulse = &record.at[k];
        assert_int_equal(event[k].number, k);
        assert_int_equal(event[k].row, row);
        assert_int_equal(event[k].column, column);
        assert_int_equal(event[k].count, (uint32_t)pulse->time);
        for (unsigned a = 0; a < BOARD_AXES; a++)
            assert_int_equal(event[k].position[a], pulse->position[a]);
        assert_int_equal(pulse->position[scan->fast], at);
        assert_int_equal(pulse->position[scan->slow],
                         scan->slow_first + (int32_t)row * scan->row_pitch);
        assert_false(pulse->stepped[scan->slow]);
        assert_int_equal(pulse->stepped[scan->fast], scan->mode == PROGRAM_FLY_BY);
        if (k == 0)
            continue;
        uint64_t apart = pulse->time - record.at[k - 1].time;
        assert_true(apart >= shortest_counts);
        if (scan->mode == PROGRAM_FLY_BY && point % scan->columns > 0)
            assert_true(fabs((double)apart / tick_counts - cruise) < 1 + cruise * 1e-3);
    }
    /* As long as was said: but for the main loop's rounds, a few for each row or point. */
    double said = program_duration_ms(&hub.motion, scan, &plan) * 40.0;
    double took = (double)(fake_board.ticks - began);
    double rounds = 6.0 * scan->rows * (scan->mode == PROGRAM_FLY_BY ? 1 : scan->columns);
    assert_true(took > said - 100 * scan->rows);
    assert_true(took < said + rounds * (cadence + 200));
    /* Nowhere but where the plan said. */
    int64_t end = program_point(scan, &plan, scan->rows - 1,
                                scan->mode == PROGRAM_FLY_BY ? scan->columns : scan->columns - 1);
    assert_int_equal(fake_board.axis[scan->fast].position, end);
    assert_true(end >= plan.fast_low && end <= plan.fast_high);
    pins_agree(&hub);
    assert_true(motion_still(&hub.motion));
    free(event);
    free(record.at);
}

static void rasters(void **unused) {
    (void)unused;
    struct program_scan scan = raster_40_400(10);
    whole_scan(&scan);
    scan = raster_40_400(-23);
    scan.dwell_ms = 5;
    scan.settle_ms = 20;
    scan.fast_backlash = 15;
    scan.slow_backlash = 9;
    whole_scan(&scan);
}

static void serpentines(void **unused) {
    (void)unused;
    struct program_scan scan = raster_40_400(50);
    scan.pattern = PROGRAM_SERPENTINE;
    whole_scan(&scan);
    scan.column_pitch = -17;
    scan.fast_backlash = 12;
    scan.fast = 1;
    scan.slow = 0;
    whole_scan(&scan);
}

/* The table turns on while y moves; a row is a turn less one column. */
static void turntables(void **unused) {
    (void)unused;
    struct program_scan scan = raster_40_400(10);
    scan.pattern = PROGRAM_TURNTABLE;
    scan.fast = 2;
    scan.turn = 4000;
    whole_scan(&scan);
    struct hub hub;
    struct program_plan plan;
    hub_begin(&hub);
    assert_int_equal(program_check(&hub.motion, &scan, &plan), MOTION_OK);
    assert_int_equal(plan.turns, 2);
    /* Most of the turn is free: y moves in the rest of the same turn. */
    scan.turn = 8000;
    scan.rows = 7;
    scan.column_pitch = -10;
    assert_int_equal(program_check(&hub.motion, &scan, &plan), MOTION_OK);
    assert_int_equal(plan.turns, 1);
    whole_scan(&scan);
    scan.rows = 1;
    scan.turn = 4000;
    whole_scan(&scan);
}

static void stop_and_go(void **unused) {
    (void)unused;
    static const enum program_pattern patterns[] = {PROGRAM_RASTER, PROGRAM_SERPENTINE,
                                                    PROGRAM_TURNTABLE};
    for (unsigned k = 0; k < 3; k++) {
        struct program_scan scan = raster_40_400(20);
        scan.mode = PROGRAM_STOP_AND_GO;
        scan.pattern = patterns[k];
        scan.columns = 20;
        scan.rows = 6;
        scan.settle_ms = 10;
        scan.fast_backlash = 5 * k;
        scan.burst = k + 1;
        scan.burst_period_ns = k == 2 ? 3000000 : 0;
        scan.turn = 400;
        whole_scan(&scan);
    }
}

static int32_t either(int32_t size) {
    return draw(2) ? size : -size;
}

static void random_scans(void **unused) {
    (void)unused;
    for (unsigned k = 0; k < 150; k++) {
        cadence = 1 + draw(400);
        hostile = draw(2);
        unsigned fast = draw(BOARD_AXES);
        struct program_scan scan = {
            .pattern = (enum program_pattern)draw(PROGRAM_PATTERNS),
            .mode = (enum program_mode)draw(PROGRAM_MODES),
            .fast = fast,
            .slow = (fast + 1 + draw(2)) % BOARD_AXES,
            .fast_first = either((int32_t)draw(3000)),
            .slow_first = either((int32_t)draw(3000)),
            .columns = 1 + draw(30),
            .rows = 1 + draw(6),
            .column_pitch = either(1 + (int32_t)draw(60)),
            .row_pitch = either(1 + (int32_t)draw(100)),
            .settle_ms = draw(2) ? draw(30) : 0,
            .dwell_ms = draw(2) ? draw(30) : 0,
            .fast_backlash = draw(2) ? draw(40) : 0,
            .slow_backlash = draw(2) ? draw(40) : 0,
        };
        uint64_t fastest = (uint64_t)abs(scan.column_pitch) * 1000000 / 1025;
        if (draw(2))
            scan.speed = 1 + draw(fastest < 16000 ? (uint32_t)fastest : 16000);
        if (scan.speed > 0 && scan.speed < 100)
            scan.speed = 100;
        if (scan.mode == PROGRAM_STOP_AND_GO) {
            scan.burst = draw(4);
            scan.burst_period_ns = draw(2) ? 1025000 + draw(3000000) : 0;
        }
        scan.turn = (scan.columns - 1) * (uint32_t)abs(scan.column_pitch) + 1 + draw(3000);
        whole_scan(&scan);
    }
    cadence = 37;
    hostile = false;
}

/* One column, one row, one trigger: pitches do not matter. */
static void smallest(void **unused) {
    (void)unused;
    struct program_scan scan = raster_40_400(0);
    scan.columns = scan.rows = 1;
    scan.row_pitch = 0;
    whole_scan(&scan);
    scan.mode = PROGRAM_STOP_AND_GO;
    whole_scan(&scan);
    /* Ramps of a few ticks: the next row would come before the radar is ready, and waits. */
    scan = raster_40_400(16);
    scan.pattern = PROGRAM_SERPENTINE;
    scan.columns = 5;
    scan.rows = 4;
    scan.row_pitch = 1;
    struct hub hub;
    struct trigger_event event[20];
    hub_begin(&hub);
    static const struct trigger_timing slow = {.shortest_ns = 1500000000, .width_ns = 1000};
    assert_int_equal(trigger_configure(&hub.motion.trigger, &slow), MOTION_OK);
    struct axis_config config = hub.motion.axis[0].config;
    config.acceleration = config.jerk = 400000000;
    assert_int_equal(axis_configure(&hub.motion.axis[0], &config), MOTION_OK);
    assert_int_equal(program_start(&hub.program, &scan), MOTION_OK);
    assert_int_equal(make(&hub, event, 3000000), 20);
    assert_int_equal(status_of(&hub).state, PROGRAM_DONE);
}

static void expect_refusal(struct hub *hub, const struct program_scan *scan,
                           enum motion_error expected_error) {
    enum motion_error error = program_start(&hub->program, scan);
    if (error != expected_error)
        fail_msg("%s, not %s", motion_error_name(error), motion_error_name(expected_error));
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
            while (trigger_take(&hub.motion.trigger, event))
                ;
        }
        cause(&hub, (enum accident)accident);
        int32_t lost = fake_board.axis[0].position - hub.motion.axis[0].position;
        make(&hub, event, 3000000);
        struct program_status status = status_of(&hub);
        assert_int_equal(status.state, PROGRAM_FAILED);
        if (status.error != name[accident])
            fail_msg("accident %d: %s", accident, motion_error_name(status.error));
        assert_int_equal(status.error_row, 2);
        assert_true(status.made >= 1000 && status.made < 1400);
        assert_true(motion_still(&hub.motion));
        assert_int_equal(fake_board.axis[0].position - hub.motion.axis[0].position, lost);
        program_abort(&hub.program); /* nothing to abort any more */
        assert_int_equal(status_of(&hub).state, PROGRAM_FAILED);

        assert_int_equal(motion_clear(&hub.motion), MOTION_OK);
        assert_int_equal(hub.motion.axis[0].trusted, accident != EMERGENCY);
        if (accident == EMERGENCY)
            assert_int_equal(program_start(&hub.program, &scan), MOTION_NOT_TRUSTED);
        for (unsigned k = 0; k < BOARD_AXES; k++)
            assert_int_equal(axis_set_position(&hub.motion.axis[k], fake_board.axis[k].position),
                             MOTION_OK);
        if (accident == TOO_EARLY)
            hub.motion.trigger.shortest /= 3;
        fake_board.inputs = 0;
        assert_int_equal(program_start(&hub.program, &scan), MOTION_OK);
        assert_int_equal(status_of(&hub).made, 0);
        fake_board.ticks = 0;
        assert_int_equal(make(&hub, event, 3000000), 2000);
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

/* The current is not taken from an axis that waits in a program. */
static void waiting_axes_stay_awake(void **unused) {
    (void)unused;
    struct hub hub;
    struct trigger_event *event = calloc(MOST_PULSES, sizeof *event);
    hub_begin(&hub);
    for (unsigned k = 0; k < BOARD_AXES; k++) {
        struct axis_config config = hub.motion.axis[k].config;
        config.idle_off_ms = 50;
        assert_int_equal(axis_configure(&hub.motion.axis[k], &config), MOTION_OK);
    }
    struct program_scan scan = raster_40_400(10);
    scan.rows = 3;
    scan.dwell_ms = 100;
    assert_int_equal(program_start(&hub.program, &scan), MOTION_OK);
    assert_int_equal(make(&hub, event, 3000000), 1200);
    assert_int_equal(status_of(&hub).state, PROGRAM_DONE);
    pins_agree(&hub);
    fake_board_ticks(4000);
    motion_poll(&hub.motion);
    assert_false(fake_board.axis[0].enable || fake_board.axis[1].enable);
    free(event);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rasters),    cmocka_unit_test(serpentines),
        cmocka_unit_test(turntables), cmocka_unit_test(stop_and_go),
        cmocka_unit_test(smallest),   cmocka_unit_test(random_scans),
        cmocka_unit_test(refusals),   cmocka_unit_test(accidents),
        cmocka_unit_test(late_row),   cmocka_unit_test(waiting_axes_stay_awake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
