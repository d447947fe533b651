/* Whole scans on the fake board: each trigger once, in order, at the exact step, in the cruise. */
#include "tests/firmware/hub_program.h"

#include <math.h>

static const uint64_t shortest_counts = 84000; /* 1 ms */

/* What the pins did at each SYNC_IN. */
struct pulse {
    uint64_t time;
    int32_t position[BOARD_AXES];
    bool stepped[BOARD_AXES]; /* in the same tick */
    bool forward[BOARD_AXES];
};

struct record {
    uint64_t n;
    struct pulse *at;
};

static void pulse_seen(void *context, const struct fake_edge *edge) {
    struct record *record = context;
    if (edge->kind != FAKE_SYNC || record->n == MOST_PULSES) {
        return;
    }
    struct pulse *pulse = &record->at[record->n++];
    pulse->time = edge->time;
    for (unsigned k = 0; k < BOARD_AXES; k++) {
        const struct fake_axis *pins = &fake_board.axis[k];
        pulse->position[k] = pins->position;
        pulse->stepped[k] = pins->step && pins->rose == edge->time;
        pulse->forward[k] = pins->direction;
    }
}

/* Where the motor is at column c of row r, from the description of the scan alone. */
static int32_t expected(const struct program_scan *scan, uint32_t row, uint32_t column,
                        uint32_t turns) {
    int32_t position = scan->fast_first + (int32_t)column * scan->column_pitch;
    if (scan->pattern == PROGRAM_SERPENTINE && row % 2 == 1) {
        position +=
            scan->column_pitch > 0 ? -(int32_t)scan->fast_backlash : (int32_t)scan->fast_backlash;
    }
    if (scan->pattern == PROGRAM_TURNTABLE) {
        position += (scan->column_pitch > 0 ? 1 : -1) * (int32_t)(row * turns * scan->turn);
    }
    return position;
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
    if (status.state != PROGRAM_DONE) {
        fail_msg("row %u: %s", status.error_row, motion_error_name(status.error));
    }
    uint32_t burst = scan->burst > 1 ? scan->burst : 1;
    uint64_t total = (uint64_t)scan->rows * scan->columns * burst;
    assert_int_equal(n, total);
    assert_int_equal(record.n, total);
    assert_int_equal(status.made, total);
    assert_int_equal(status.triggers, total);
    assert_int_equal(status.error, MOTION_OK);

    uint64_t tick_counts = fake_board.count_hz / tick_hz;
    double cruise = (double)abs(scan->column_pitch) / ((double)plan.speed / tick_hz);
    for (uint64_t k = 0; k < total; k++) {
        uint32_t point = (uint32_t)(k / burst);
        uint32_t row = point / scan->columns, column = point % scan->columns;
        if (scan->pattern == PROGRAM_SERPENTINE && row % 2 == 1) {
            column = scan->columns - 1 - column;
        }
        int32_t at = expected(scan, row, column, plan.turns);
        const struct pulse *pulse = &record.at[k];
        assert_int_equal(event[k].number, k);
        assert_int_equal(event[k].row, row);
        assert_int_equal(event[k].column, column);
        assert_int_equal(event[k].count, (uint32_t)pulse->time);
        for (unsigned a = 0; a < BOARD_AXES; a++) {
            assert_int_equal(event[k].position[a], pulse->position[a]);
        }
        assert_int_equal(pulse->position[scan->fast], at);
        assert_int_equal(pulse->position[scan->slow],
                         scan->slow_first + (int32_t)row * scan->row_pitch);
        assert_false(pulse->stepped[scan->slow]);
        if (scan->slow_backlash > 0) { /* always from the same side */
            assert_int_equal(pulse->forward[scan->slow], scan->row_pitch > 0);
        }
        assert_int_equal(pulse->stepped[scan->fast], scan->mode == PROGRAM_FLY_BY);
        if (k == 0) {
            continue;
        }
        uint64_t apart = pulse->time - record.at[k - 1].time;
        assert_true(apart >= shortest_counts);
        if (scan->mode == PROGRAM_FLY_BY && point % scan->columns > 0) {
            assert_true(fabs((double)apart / tick_counts - cruise) < 1 + cruise * 1e-3);
        }
    }
    /* As long as was said: but for the main loop's rounds, a few for each row or point. */
    double said = program_duration_ms(&hub.motion, scan, &plan) * (tick_hz / 1000.0);
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
        tick_hz = k % 3 == 0 ? 10000 : 40000; /* the emulator's, or the chip's */
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
        uint64_t fastest = (uint64_t)abs(scan.column_pitch) * 1000000 / (1000 + 1000000 / tick_hz);
        if (fastest > tick_hz * 2 / 5) {
            fastest = tick_hz * 2 / 5;
        }
        if (draw(2)) {
            scan.speed = 1 + draw((uint32_t)fastest);
        }
        if (scan.speed > 0 && scan.speed < 100) {
            scan.speed = 100;
        }
        if (scan.mode == PROGRAM_STOP_AND_GO) {
            scan.burst = draw(4);
            scan.burst_period_ns = draw(2) ? 1100000 + draw(3000000) : 0;
        }
        scan.turn = (scan.columns - 1) * (uint32_t)abs(scan.column_pitch) + 1 + draw(3000);
        whole_scan(&scan);
    }
    cadence = 37;
    tick_hz = 40000;
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
        cmocka_unit_test(rasters),
        cmocka_unit_test(serpentines),
        cmocka_unit_test(turntables),
        cmocka_unit_test(stop_and_go),
        cmocka_unit_test(smallest),
        cmocka_unit_test(random_scans),
        cmocka_unit_test(waiting_axes_stay_awake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
