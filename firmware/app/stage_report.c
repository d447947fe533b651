/* What the stage has to tell: triggers, axes, scans, and the errors behind them. */
#include <string.h>

#include "firmware/app/hub.h"
#include "firmware/app/stage.h"

#define MILLISECOND UINT64_C(1000000)

enum { NO_ERROR = 255 };

/* The triggers of one point share row and column. */
static uint16_t repeat_of(const struct stage *stage, uint32_t number) {
    const uint32_t burst = stage->of_program ? stage->program.plan.burst : 1;
    return burst > 1 ? (uint16_t)(number % burst) : 0;
}

void stage_take_triggers(struct hub *hub) {
    struct stage *stage = &hub->stage;
    struct trigger_event event;
    uint32_t waited = 0;
    while (waited < TRIGGER_RING && trigger_take(&stage->motion.trigger, &event)) {
        struct nfsar_wire_trigger record = {.number = event.number,
                                            .row = event.row,
                                            .column = event.column,
                                            .repeat = repeat_of(stage, event.number),
                                            .scan = stage->scans};
        memcpy(record.position, event.position, sizeof record.position);
        HUB_RECORD(hub, TRIGGER, trigger, 0, clock_stamp_ns(&hub->clock, event.count), &record);
        waited++;
    }
    stage->triggers += waited;
    if (waited > stage->trigger_worst) {
        stage->trigger_worst = (uint16_t)waited;
    }
}

static uint8_t axis_state(enum axis_state state) {
    static const uint8_t states[] = {[AXIS_IDLE] = NFSAR_WIRE_AXIS_IDLE,
                                     [AXIS_MOVING] = NFSAR_WIRE_AXIS_MOVING,
                                     [AXIS_STOPPING] = NFSAR_WIRE_AXIS_STOPPING,
                                     [AXIS_HOMING] = NFSAR_WIRE_AXIS_HOMING,
                                     [AXIS_FAULT] = NFSAR_WIRE_AXIS_FAULT};
    return states[state];
}

enum nfsar_wire_error_code stage_error_of(enum motion_error error) {
    switch (error) {
    case TRIGGER_TOO_EARLY:
        return NFSAR_WIRE_ERROR_TRIGGER_EARLY;
    case TRIGGER_RING_FULL:
        return NFSAR_WIRE_ERROR_TRIGGER_LOST;
    case TRIGGER_MISSED:
    case TRIGGER_OVERRUN:
    case PROGRAM_ROW_LATE:
        return NFSAR_WIRE_ERROR_TRIGGER_MISSED;
    case PROGRAM_WRONG_COUNT:
        return NFSAR_WIRE_ERROR_TRIGGER_COUNT;
    case MOTION_EMERGENCY_STOP:
        return NFSAR_WIRE_ERROR_EMERGENCY_STOP;
    case MOTION_HOME_NOT_FOUND:
    case MOTION_HOME_STUCK:
    case MOTION_HOME_TIMEOUT:
        return NFSAR_WIRE_ERROR_AXIS_HOMING;
    default:
        return NFSAR_WIRE_ERROR_AXIS_LIMIT;
    }
}

static void tell_axis_error(struct hub *hub, unsigned axis, const struct axis_status *status) {
    struct stage *stage = &hub->stage;
    if (status->error != stage->told_error[axis]) {
        stage->told_error[axis] = status->error;
        if (status->error != MOTION_OK) {
            errors_raise(&hub->errors, stage_error_of(status->error), (uint16_t)axis,
                         status->error_position);
        }
    }
    /* Only what was known can be lost; homing gives it up to know it better. */
    if (stage->told[axis].placed == 1 && !status->trusted && status->state != AXIS_HOMING) {
        errors_raise(&hub->errors, NFSAR_WIRE_ERROR_AXIS_PLACE, (uint16_t)axis, status->position);
    }
}

static void tell_axes(struct hub *hub) {
    struct stage *stage = &hub->stage;
    const bool due = hub->streams.axis_ms > 0 &&
                     hub->now_ns - stage->axis_ns >= hub->streams.axis_ms * MILLISECOND;
    if (due) {
        stage->axis_ns = hub->now_ns;
    }
    for (unsigned axis = 0; axis < BOARD_AXES; axis++) {
        struct axis_status status;
        axis_status(&stage->motion.axis[axis], &status);
        tell_axis_error(hub, axis, &status);
        const struct nfsar_wire_axis record = {.state = axis_state(status.state),
                                               .placed = status.trusted,
                                               .enabled = status.enabled,
                                               .position = status.position,
                                               .target = status.target,
                                               .steps = status.steps};
        struct nfsar_wire_axis *told = &stage->told[axis];
        const bool changed = record.state != told->state || record.placed != told->placed ||
                             record.enabled != told->enabled;
        if (changed || (due && record.position != told->position)) {
            *told = record;
            HUB_RECORD(hub, AXIS, axis, (uint8_t)axis, hub->now_ns, &record);
        }
    }
}

void stage_tell_again(struct stage *stage) {
    for (unsigned axis = 0; axis < BOARD_AXES; axis++) {
        stage->told[axis].state = UINT8_MAX;
    }
}

static void tell_trigger_error(struct hub *hub) {
    struct stage *stage = &hub->stage;
    struct trigger_status status;
    trigger_status(&stage->motion.trigger, &status);
    if (status.error == stage->told_trigger) {
        return;
    }
    stage->told_trigger = status.error;
    /* An emergency stop is told of the axes. */
    if (status.error != MOTION_OK && status.error != MOTION_EMERGENCY_STOP) {
        errors_raise(&hub->errors, stage_error_of(status.error), 0, (int32_t)status.error_number);
    }
}

/* Why a scan was broken off, of the errors that the host knows. */
static uint8_t program_error(enum motion_error error) {
    return error == MOTION_OK || error == PROGRAM_ABORTED ? NO_ERROR
                                                          : (uint8_t)stage_error_of(error);
}

uint8_t stage_program_state(const struct stage *stage) {
    switch (stage->program.state) {
    case PROGRAM_IDLE:
        return stage->loaded ? NFSAR_WIRE_PROGRAM_LOADED : NFSAR_WIRE_PROGRAM_NONE;
    case PROGRAM_DONE:
        return NFSAR_WIRE_PROGRAM_FINISHED;
    case PROGRAM_FAILED:
        return NFSAR_WIRE_PROGRAM_ABORTED;
    default:
        return NFSAR_WIRE_PROGRAM_RUNNING;
    }
}

static void tell_program(struct hub *hub) {
    struct stage *stage = &hub->stage;
    struct program_status status;
    program_status(&stage->program, &status);
    const uint8_t state = stage_program_state(stage);
    if (state == stage->told_program && status.row == stage->told_row) {
        return;
    }
    const bool row = state == NFSAR_WIRE_PROGRAM_RUNNING && state == stage->told_program;
    const struct nfsar_wire_program record = {.state = row ? NFSAR_WIRE_PROGRAM_ROW : state,
                                              .error = program_error(status.error),
                                              .scan = stage->scans,
                                              .row = row ? stage->told_row : status.row,
                                              .triggers = status.made,
                                              .planned = status.triggers};
    stage->told_program = state;
    stage->told_row = status.row;
    HUB_RECORD(hub, PROGRAM, program, 0, hub->now_ns, &record);
    if (state != NFSAR_WIRE_PROGRAM_ABORTED) {
        return;
    }
    errors_raise(&hub->errors, NFSAR_WIRE_ERROR_PROGRAM_ABORTED, (uint16_t)status.error,
                 (int32_t)status.error_row);
    /* What was told of the axis or the trigger already names it. */
    if (record.error != NO_ERROR && !errors_latched(&hub->errors, record.error)) {
        errors_raise(&hub->errors, (enum nfsar_wire_error_code)record.error, 0,
                     (int32_t)status.error_row);
    }
}

void stage_poll(struct hub *hub) {
    motion_poll(&hub->stage.motion);
    program_poll(&hub->stage.program);
    stage_take_triggers(hub);
    tell_trigger_error(hub);
    tell_axes(hub);
    tell_program(hub);
}
