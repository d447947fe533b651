#include "firmware/app/program.h"

void program_init(struct program *program, struct motion *motion) {
    *program = (struct program){.motion = motion};
}

bool program_running(const struct program *program) {
    return program->state != PROGRAM_IDLE && program->state != PROGRAM_DONE &&
           program->state != PROGRAM_FAILED;
}

static struct axis *fast_axis(struct program *program) {
    return &program->motion->axis[program->scan.fast];
}

static struct axis *slow_axis(struct program *program) {
    return &program->motion->axis[program->scan.slow];
}

static void enter(struct program *program, enum program_state state) {
    program->state = state;
    program->since = motion_ticks(program->motion);
}

/* The current stays on while a program needs the position, however long an axis waits. */
static void keep_awake(struct program *program, bool on) {
    fast_axis(program)->keep_awake = on;
    slow_axis(program)->keep_awake = on;
}

static void finish(struct program *program, enum program_state state) {
    keep_awake(program, false);
    enter(program, state);
}

/* The first reason is the one that is kept. */
static void fail(struct program *program, enum motion_error error) {
    if (program->state == PROGRAM_BRAKING)
        return;
    program->error = error;
    program->error_row = program->row;
    motion_stop(program->motion);
    enter(program, PROGRAM_BRAKING);
}

/* True when it began; else the program has failed. */
static bool started(struct program *program, enum motion_error error) {
    if (error != MOTION_OK)
        fail(program, error);
    return error == MOTION_OK;
}

static bool waited(struct program *program, uint32_t ms) {
    uint64_t ticks = (uint64_t)ms * board_tick_hz() / 1000;
    return motion_ticks(program->motion) - program->since >= ticks;
}

/* An axis stands where it was sent. A stop by somebody else ends the program. */
static bool arrived(struct program *program, const struct axis *axis) {
    if (!axis_still(axis))
        return false;
    if (axis->position != axis->target) {
        fail(program, PROGRAM_ABORTED);
        return false;
    }
    return true;
}

static bool both_arrived(struct program *program) {
    return arrived(program, fast_axis(program)) && arrived(program, slow_axis(program));
}

static enum motion_error fast_to(struct program *program, uint32_t row, int64_t k) {
    int64_t position = program_point(&program->scan, &program->plan, row, k);
    return axis_move_to(fast_axis(program), (int32_t)position, k < 0 ? 0 : program->plan.speed);
}

static int32_t slow_position(const struct program *program, uint32_t row) {
    return program->scan.slow_first + (int32_t)row * program->scan.row_pitch;
}

/* To the start of a row, both axes at once. */
static void to_row(struct program *program, enum program_state state, int32_t slow) {
    program->column = 0;
    if (started(program, fast_to(program, program->row, -1)) &&
        started(program, axis_move_to(slow_axis(program), slow, 0)))
        enter(program, state);
}

enum motion_error program_start(struct program *program, const struct program_scan *scan) {
    if (program_running(program))
        return MOTION_BUSY;
    struct program_plan plan;
    enum motion_error error = program_check(program->motion, scan, &plan);
    if (error != MOTION_OK)
        return error;
    *program = (struct program){.motion = program->motion, .scan = *scan, .plan = plan};
    keep_awake(program, true);
    int32_t play = (int32_t)scan->slow_backlash;
    to_row(program, PROGRAM_APPROACH, scan->slow_first - (scan->row_pitch < 0 ? -play : play));
    /* A switch in the way is known only now. */
    return program->error;
}

void program_abort(struct program *program) {
    if (program_running(program))
        fail(program, PROGRAM_ABORTED);
}

/* ---- triggers ---- */

static bool arm_row(struct program *program) {
    const struct program_scan *scan = &program->scan;
    bool forward = program_direction(scan, program->row) == program_direction(scan, 0);
    int32_t first = (int32_t)program_point(scan, &program->plan, program->row, 0);
    int32_t pitch = scan->columns > 1 ? scan->column_pitch : program_direction(scan, 0);
    struct trigger_run run = {.mode = TRIGGER_STEPS,
                              .count = scan->columns,
                              .axis = scan->fast,
                              .first = first,
                              .pitch = forward ? pitch : -pitch,
                              .row = (uint16_t)program->row,
                              .column = forward ? 0 : scan->columns - 1,
                              .column_step = forward ? 1 : -1};
    enum motion_error error = trigger_arm(&program->motion->trigger, &run, program->row > 0);
    if (error == TRIGGER_MISSED && program->state == PROGRAM_TURN_DWELL)
        error = PROGRAM_ROW_LATE;
    program->armed |= error == MOTION_OK;
    return started(program, error);
}

static void arm_point(struct program *program) {
    const struct program_scan *scan = &program->scan;
    bool forward = program_direction(scan, program->row) == program_direction(scan, 0);
    uint32_t column = forward ? program->column : scan->columns - 1 - program->column;
    struct trigger_run run = {.mode = TRIGGER_PERIOD,
                              .count = program->plan.burst,
                              .period_ns = program->plan.period_ns,
                              .row = (uint16_t)program->row,
                              .column = column};
    bool again = program->row > 0 || program->column > 0;
    if (!started(program, trigger_arm(&program->motion->trigger, &run, again)))
        return;
    program->armed = true;
    enter(program, PROGRAM_POINT);
}

/* A row that begins now has no trigger too soon after the last of the row before. */
static bool radar_ready(struct program *program) {
    uint32_t state = board_lock();
    bool ready = !program->motion->trigger.held;
    board_unlock(state);
    return ready;
}

/* The run of triggers has ended, and has made all of them. */
static bool all_made(struct program *program, uint32_t count, bool over) {
    struct trigger_status status;
    trigger_status(&program->motion->trigger, &status);
    if (!over && status.mode != TRIGGER_OFF)
        return false;
    if (status.mode != TRIGGER_OFF || status.made != count) {
        fail(program, PROGRAM_WRONG_COUNT);
        return false;
    }
    return true;
}

/* ---- what follows when a state has ended ---- */

static void next_row(struct program *program) {
    if (++program->row == program->scan.rows) {
        program->row--;
        finish(program, PROGRAM_DONE);
    } else {
        to_row(program, PROGRAM_TO_ROW, slow_position(program, program->row));
    }
}

static void to_point(struct program *program) {
    if (started(program, fast_to(program, program->row, program->column)))
        enter(program, PROGRAM_TO_POINT);
}

static void begin_row(struct program *program) {
    const struct program_scan *scan = &program->scan;
    if (scan->mode == PROGRAM_STOP_AND_GO) {
        to_point(program);
        return;
    }
    bool turns = scan->pattern == PROGRAM_TURNTABLE;
    if (arm_row(program) &&
        started(program, fast_to(program, turns ? scan->rows - 1 : program->row, scan->columns)))
        enter(program, turns ? PROGRAM_TURN_ROW : PROGRAM_ROW);
}

static void next_point(struct program *program) {
    if (++program->column < program->scan.columns)
        to_point(program);
    else
        next_row(program);
}

/* The table turns on while the slow axis goes to the next row. */
static void next_turn(struct program *program) {
    if (program->row + 1 == program->scan.rows) {
        enter(program, PROGRAM_TURN_OUT);
        return;
    }
    program->row++;
    if (started(program, axis_move_to(slow_axis(program), slow_position(program, program->row), 0)))
        enter(program, PROGRAM_TURN_STEP);
}

static void carry_on(struct program *program) {
    const struct program_scan *scan = &program->scan;
    switch (program->state) {
    case PROGRAM_APPROACH:
        if (both_arrived(program))
            to_row(program, PROGRAM_TO_ROW, scan->slow_first);
        break;
    case PROGRAM_TO_ROW:
        if (both_arrived(program))
            enter(program, PROGRAM_DWELL);
        break;
    case PROGRAM_DWELL:
        if (waited(program, scan->dwell_ms) && radar_ready(program))
            begin_row(program);
        break;
    case PROGRAM_ROW:
        if (arrived(program, fast_axis(program)) && all_made(program, scan->columns, true))
            next_row(program);
        break;
    case PROGRAM_TO_POINT:
        if (arrived(program, fast_axis(program)))
            enter(program, PROGRAM_SETTLE);
        break;
    case PROGRAM_SETTLE:
        if (waited(program, scan->settle_ms))
            arm_point(program);
        break;
    case PROGRAM_POINT:
        if (all_made(program, program->plan.burst, false))
            next_point(program);
        break;
    case PROGRAM_TURN_ROW:
        if (all_made(program, scan->columns, false))
            next_turn(program);
        break;
    case PROGRAM_TURN_STEP:
        if (arrived(program, slow_axis(program)))
            enter(program, PROGRAM_TURN_DWELL);
        break;
    case PROGRAM_TURN_DWELL:
        if (waited(program, scan->dwell_ms) && arm_row(program))
            enter(program, PROGRAM_TURN_ROW);
        break;
    case PROGRAM_TURN_OUT:
        if (arrived(program, fast_axis(program)))
            finish(program, PROGRAM_DONE);
        break;
    default:
        break;
    }
}

/* What was latched since, by the tick or by a switch. */
static enum motion_error latched(struct program *program) {
    struct motion *motion = program->motion;
    uint32_t state = board_lock();
    enum motion_error error = motion->trigger.error;
    if (motion->emergency)
        error = MOTION_EMERGENCY_STOP;
    if (error == MOTION_OK)
        error = fast_axis(program)->error;
    if (error == MOTION_OK)
        error = slow_axis(program)->error;
    board_unlock(state);
    return error;
}

void program_poll(struct program *program) {
    if (!program_running(program))
        return;
    enum motion_error error = latched(program);
    if (error != MOTION_OK)
        fail(program, error);
    if (program->state != PROGRAM_BRAKING)
        carry_on(program);
    else if (motion_still(program->motion))
        finish(program, PROGRAM_FAILED);
}

void program_status(struct program *program, struct program_status *status) {
    struct trigger_status trigger;
    trigger_status(&program->motion->trigger, &trigger);
    *status = (struct program_status){.state = program->state,
                                      .row = program->row,
                                      .rows = program->scan.rows,
                                      .made = program->armed ? trigger.number : 0,
                                      .triggers = program->plan.triggers,
                                      .error = program->error,
                                      .error_row = program->error_row};
}
