/* What a scan needs, and whether it can be made: before anything moves. */
#include "firmware/app/program.h"

enum { LARGEST_COUNT = 65535 };
/* Longer waits are mistakes, and ticks wrap. */
enum { LONGEST_MS = 3600000 };
/* How long the main loop may take to come round while a table turns. */
enum { MAIN_LOOP_MS = 50 };

static uint32_t size_of(int32_t steps) {
    return steps < 0 ? 0u - (uint32_t)steps : (uint32_t)steps;
}

static int32_t sign_of(int32_t steps) {
    return steps < 0 ? -1 : 1;
}

int32_t program_direction(const struct program_scan *scan, uint32_t row) {
    int32_t forward = sign_of(scan->column_pitch);
    return scan->pattern == PROGRAM_SERPENTINE && row % 2 == 1 ? -forward : forward;
}

int64_t program_point(const struct program_scan *scan, const struct program_plan *plan,
                      uint32_t row, int64_t k) {
    int64_t forward = sign_of(scan->column_pitch), direction = program_direction(scan, row);
    int64_t last = (int64_t)scan->columns - 1;
    int64_t beyond = 0;
    if (k < 0) {
        beyond = -direction * plan->lead;
        k = 0;
    } else if (k > last) {
        beyond = direction * plan->tail;
        k = last;
    }
    int64_t position = scan->fast_first + beyond;
    if (direction == forward) {
        position += k * scan->column_pitch;
    } else {
        position += (last - k) * scan->column_pitch - forward * scan->fast_backlash;
    }
    if (scan->pattern == PROGRAM_TURNTABLE) {
        position += forward * (int64_t)row * plan->turns * scan->turn;
    }
    return position;
}

static enum motion_error check_fields(const struct program_scan *scan) {
    if (scan->pattern >= PROGRAM_PATTERNS || scan->mode >= PROGRAM_MODES) {
        return PROGRAM_BAD_PATTERN;
    }
    if (scan->fast >= BOARD_AXES || scan->slow >= BOARD_AXES || scan->fast == scan->slow) {
        return PROGRAM_BAD_AXES;
    }
    if (scan->columns == 0 || scan->rows == 0) {
        return PROGRAM_EMPTY;
    }
    if (scan->columns > LARGEST_COUNT || scan->rows > LARGEST_COUNT ||
        scan->settle_ms > LONGEST_MS || scan->dwell_ms > LONGEST_MS) {
        return PROGRAM_TOO_LARGE;
    }
    if ((scan->columns > 1 && scan->column_pitch == 0) ||
        (scan->rows > 1 && scan->row_pitch == 0)) {
        return PROGRAM_NO_PITCH;
    }
    if (scan->mode == PROGRAM_FLY_BY && scan->burst > 1) {
        return PROGRAM_BAD_PATTERN;
    }
    if (scan->fast_backlash > (uint32_t)AXIS_RANGE || scan->slow_backlash > (uint32_t)AXIS_RANGE) {
        return MOTION_OUT_OF_RANGE;
    }
    return MOTION_OK;
}

static enum motion_error check_axis(const struct axis *axis) {
    if (!axis->configured) {
        return MOTION_NOT_CONFIGURED;
    }
    if (axis->error != MOTION_OK) {
        return axis->error;
    }
    if (!axis_still(axis)) {
        return MOTION_BUSY;
    }
    return axis->trusted ? MOTION_OK : MOTION_NOT_TRUSTED;
}

static enum motion_error check_motion(const struct motion *motion,
                                      const struct program_scan *scan) {
    if (motion->emergency) {
        return MOTION_EMERGENCY_STOP;
    }
    if (motion->trigger.error != MOTION_OK) {
        return motion->trigger.error;
    }
    if (motion->trigger.mode != TRIGGER_OFF) {
        return TRIGGER_BUSY;
    }
    if (motion->trigger.shortest == 0) {
        return TRIGGER_NO_MINIMUM;
    }
    enum motion_error error = check_axis(&motion->axis[scan->fast]);
    return error == MOTION_OK ? check_axis(&motion->axis[scan->slow]) : error;
}

/* The radar's shortest period and one tick: triggers fall on ticks. */
static uint64_t safe_period_ns(const struct motion *motion) {
    uint32_t hz = board_tick_hz();
    return (uint64_t)motion->trigger.timing.shortest_ns + (1000000000 + hz - 1) / hz;
}

/* The speed along a row, and the ways to reach it and to stop. */
static enum motion_error plan_speed(const struct motion *motion, const struct program_scan *scan,
                                    struct program_plan *plan) {
    const struct axis *axis = &motion->axis[scan->fast];
    uint64_t fastest = UINT32_MAX;
    if (scan->columns > 1) {
        fastest = size_of(scan->column_pitch) * UINT64_C(1000000000) / safe_period_ns(motion);
    }
    if (fastest == 0) {
        return MOTION_TOO_SLOW;
    }
    if (scan->speed > fastest) {
        return PROGRAM_TOO_FAST;
    }
    plan->speed = scan->speed;
    if (plan->speed == 0) {
        plan->speed = fastest < axis->config.speed ? (uint32_t)fastest : axis->config.speed;
    }

    struct profile_limits limits;
    uint32_t ramp;
    enum motion_error error = axis_limits(axis, plan->speed, &limits);
    if (error == MOTION_OK) {
        error = profile_run_in(&ramp, &limits);
    }
    if (error != MOTION_OK) {
        return error;
    }
    uint64_t lead = ramp + (uint64_t)plan->speed * scan->settle_ms / 1000 + 1 + scan->fast_backlash;
    if (lead > (uint64_t)AXIS_RANGE) {
        return MOTION_OUT_OF_RANGE;
    }
    plan->lead = (uint32_t)lead;
    plan->tail = ramp;
    return MOTION_OK;
}

static enum motion_error plan_burst(const struct motion *motion, const struct program_scan *scan,
                                    struct program_plan *plan) {
    uint64_t shortest = safe_period_ns(motion);
    if (scan->burst_period_ns != 0 && scan->burst_period_ns < shortest) {
        return PROGRAM_TOO_FAST;
    }
    if (shortest > UINT32_MAX) {
        return TRIGGER_BAD_SETUP;
    }
    plan->period_ns = scan->burst_period_ns != 0 ? scan->burst_period_ns : (uint32_t)shortest;
    plan->lead = scan->fast_backlash;
    plan->speed = scan->speed;
    if (scan->speed > motion->axis[scan->fast].config.speed) {
        return MOTION_SPEED_TOO_HIGH;
    }
    return MOTION_OK;
}

/* Turns from row to row: the slow axis has moved and stood before the table comes round. */
static enum motion_error plan_turns(const struct motion *motion, const struct program_scan *scan,
                                    struct program_plan *plan) {
    uint64_t span = (uint64_t)(scan->columns - 1) * size_of(scan->column_pitch);
    if (scan->turn == 0 || span >= scan->turn) {
        return PROGRAM_BAD_TURN;
    }
    plan->turns = 1;
    if (scan->mode != PROGRAM_FLY_BY || scan->rows == 1) {
        return MOTION_OK;
    }
    const struct axis *slow = &motion->axis[scan->slow];
    struct profile_limits limits;
    struct profile profile;
    enum motion_error error = axis_limits(slow, 0, &limits);
    if (error == MOTION_OK) {
        error = profile_plan(&profile, size_of(scan->row_pitch), &limits);
    }
    if (error != MOTION_OK) {
        return error;
    }
    uint64_t ticks = profile_duration(&profile) +
                     (uint64_t)slow->config.enable_delay_us * board_tick_hz() / 1000000 + 2;
    uint64_t ms = ticks * 1000 / board_tick_hz() + 1 + scan->dwell_ms + MAIN_LOOP_MS +
                  motion->trigger.timing.shortest_ns / 1000000 + 1;
    uint64_t gap = ms * plan->speed / 1000 + 1;
    uint64_t turns = (span + gap + scan->turn - 1) / scan->turn;
    if (turns * scan->turn > 2 * (uint64_t)AXIS_RANGE) {
        return MOTION_OUT_OF_RANGE;
    }
    plan->turns = (uint32_t)turns;
    return MOTION_OK;
}

struct bounds {
    int64_t low, high;
};

static void widen(struct bounds *bounds, int64_t position) {
    if (position < bounds->low) {
        bounds->low = position;
    }
    if (position > bounds->high) {
        bounds->high = position;
    }
}

static enum motion_error check_bounds(const struct axis *axis, const struct bounds *bounds,
                                      int32_t *low, int32_t *high) {
    enum motion_error error = axis_reachable(axis, bounds->low);
    if (error == MOTION_OK) {
        error = axis_reachable(axis, bounds->high);
    }
    if (error != MOTION_OK) {
        return error;
    }
    *low = (int32_t)bounds->low;
    *high = (int32_t)bounds->high;
    return MOTION_OK;
}

/* Every position of the scan, and of the ways between, lies between these. */
static enum motion_error plan_bounds(const struct motion *motion, const struct program_scan *scan,
                                     struct program_plan *plan) {
    int64_t begin = program_point(scan, plan, 0, -1);
    struct bounds fast = {begin, begin}, slow = {scan->slow_first, scan->slow_first};
    const uint32_t rows[] = {0, scan->rows > 1, scan->rows - 1};
    for (unsigned k = 0; k < 3; k++) {
        widen(&fast, program_point(scan, plan, rows[k], -1));
        widen(&fast, program_point(scan, plan, rows[k], 0));
        widen(&fast, program_point(scan, plan, rows[k], scan->columns));
    }
    widen(&slow, scan->slow_first - (int64_t)sign_of(scan->row_pitch) * scan->slow_backlash);
    widen(&slow, scan->slow_first + (int64_t)scan->row_pitch * (scan->rows - 1));
    enum motion_error error =
        check_bounds(&motion->axis[scan->fast], &fast, &plan->fast_low, &plan->fast_high);
    if (error == MOTION_OK) {
        error = check_bounds(&motion->axis[scan->slow], &slow, &plan->slow_low, &plan->slow_high);
    }
    return error;
}

/* What the profile of a fly-by row really is: all columns in its cruise. */
static enum motion_error check_cruise(const struct motion *motion, const struct program_scan *scan,
                                      const struct program_plan *plan) {
    struct profile_limits limits;
    struct profile profile;
    enum motion_error error = axis_limits(&motion->axis[scan->fast], plan->speed, &limits);
    int64_t way = program_point(scan, plan, 0, -1);
    way = program_point(scan, plan, scan->pattern == PROGRAM_TURNTABLE ? scan->rows - 1 : 0,
                        scan->columns) -
          way;
    if (error == MOTION_OK) {
        error = profile_plan(&profile, (uint32_t)(way < 0 ? -way : way), &limits);
    }
    if (error != MOTION_OK) {
        return error;
    }
    uint32_t ramp = profile_ramp_steps(&profile);
    return ramp <= plan->lead && ramp <= plan->tail ? MOTION_OK : MOTION_TOO_SLOW;
}

enum motion_error program_check(const struct motion *motion, const struct program_scan *scan,
                                struct program_plan *plan) {
    bool fly_by = scan->mode == PROGRAM_FLY_BY;
    *plan = (struct program_plan){.burst = scan->burst > 0 ? scan->burst : 1};
    enum motion_error error = check_fields(scan);
    if (error == MOTION_OK) {
        error = check_motion(motion, scan);
    }
    if (error != MOTION_OK) {
        return error;
    }
    uint64_t points = (uint64_t)scan->columns * scan->rows;
    if (plan->burst > UINT32_MAX / points) {
        return PROGRAM_TOO_LARGE;
    }
    plan->triggers = (uint32_t)points * plan->burst;
    error = fly_by ? plan_speed(motion, scan, plan) : plan_burst(motion, scan, plan);
    if (error == MOTION_OK && scan->pattern == PROGRAM_TURNTABLE) {
        error = plan_turns(motion, scan, plan);
    }
    if (error == MOTION_OK) {
        error = plan_bounds(motion, scan, plan);
    }
    if (error == MOTION_OK && fly_by) {
        error = check_cruise(motion, scan, plan);
    }
    return error;
}
