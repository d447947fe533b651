/* How long a scan takes, from the start of row 0: for progress, not for timing. */
#include "firmware/app/program.h"

static uint64_t move_ticks(const struct axis *axis, int64_t steps, uint32_t speed) {
    struct profile_limits limits;
    struct profile profile;
    uint32_t distance = (uint32_t)(steps < 0 ? -steps : steps);
    if (distance == 0 || axis_limits(axis, speed, &limits) != MOTION_OK ||
        profile_plan(&profile, distance, &limits) != MOTION_OK) {
        return 0;
    }
    return profile_duration(&profile);
}

static uint64_t ms_ticks(uint64_t ms) {
    return ms * board_tick_hz() / 1000;
}

/* Along a row, from its start to its end. */
static uint64_t row_ticks(const struct axis *fast, const struct program_scan *scan,
                          const struct program_plan *plan) {
    int64_t start = program_point(scan, plan, 0, -1);
    if (scan->mode == PROGRAM_FLY_BY) {
        return move_ticks(fast, program_point(scan, plan, 0, scan->columns) - start, plan->speed);
    }
    uint64_t burst = (uint64_t)(plan->burst - 1) * plan->period_ns / 1000000;
    uint64_t point = ms_ticks(scan->settle_ms + burst);
    return move_ticks(fast, plan->lead, plan->speed) + scan->columns * point +
           (scan->columns - 1) * move_ticks(fast, scan->column_pitch, plan->speed);
}

uint32_t program_duration_ms(const struct motion *motion, const struct program_scan *scan,
                             const struct program_plan *plan) {
    const struct axis *fast = &motion->axis[scan->fast], *slow = &motion->axis[scan->slow];
    uint64_t ticks;
    if (scan->mode == PROGRAM_FLY_BY && scan->pattern == PROGRAM_TURNTABLE) {
        int64_t way = program_point(scan, plan, scan->rows - 1, scan->columns) -
                      program_point(scan, plan, 0, -1);
        ticks = ms_ticks(scan->dwell_ms) + move_ticks(fast, way, plan->speed);
    } else {
        int64_t end = scan->mode == PROGRAM_FLY_BY ? scan->columns : scan->columns - 1;
        uint64_t back = move_ticks(
            fast, program_point(scan, plan, 1, -1) - program_point(scan, plan, 0, end), 0);
        uint64_t aside = move_ticks(slow, scan->row_pitch, 0);
        ticks = scan->rows * (row_ticks(fast, scan, plan) + ms_ticks(scan->dwell_ms)) +
                (scan->rows - 1) * (back > aside ? back : aside);
    }
    uint64_t ms = ticks * 1000 / board_tick_hz();
    return ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
}
