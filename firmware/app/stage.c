#include "firmware/app/stage.h"

#include <string.h>

#include "firmware/app/commands.h"
#include "firmware/app/hub.h"
#include "firmware/app/stage_config.h"

#define MILLISECOND UINT64_C(1000000)

/* The wire has the reasons' words. */
#define SAME(NAME, value, text) _Static_assert(NAME == (value), "the wire has another " #NAME);
NFSAR_WIRE_REASONS(SAME)
_Static_assert((int)NFSAR_WIRE_reason_end == (int)MOTION_ERRORS, "the wire lacks a reason");

/* What the axes, triggers and programs answer, as the wire says it. */
static enum nfsar_wire_result result_of(enum motion_error error, uint16_t *detail) {
    *detail = error == MOTION_OK ? 0 : NFSAR_WIRE_REASON + (uint16_t)error;
    switch (error) {
    case MOTION_OK:
        return NFSAR_WIRE_RESULT_DONE;
    case MOTION_BUSY:
    case TRIGGER_BUSY:
        return NFSAR_WIRE_RESULT_STATE;
    case MOTION_SPEED_TOO_HIGH:
    case TRIGGER_TOO_FAST:
    case TRIGGER_NO_MINIMUM:
    case PROGRAM_TOO_FAST:
        return NFSAR_WIRE_RESULT_SPEED;
    case MOTION_SOFT_LIMIT:
    case MOTION_OUT_OF_RANGE:
        return NFSAR_WIRE_RESULT_LIMIT;
    case MOTION_NOT_TRUSTED:
        return NFSAR_WIRE_RESULT_PLACE;
    case MOTION_NO_HOME_SWITCH:
        return NFSAR_WIRE_RESULT_ABSENT;
    case MOTION_LIMIT_LOW:
    case MOTION_LIMIT_HIGH:
    case MOTION_EMERGENCY_STOP:
    case MOTION_HOME_NOT_FOUND:
    case MOTION_HOME_STUCK:
    case MOTION_HOME_TIMEOUT:
    case TRIGGER_TOO_EARLY:
    case TRIGGER_MISSED:
    case TRIGGER_OVERRUN:
    case TRIGGER_RING_FULL:
        return NFSAR_WIRE_RESULT_LATCHED;
    default:
        return NFSAR_WIRE_RESULT_VALUE;
    }
}

void stage_init(struct hub *hub) {
    struct stage *stage = &hub->stage;
    motion_init(&stage->motion);
    program_init(&stage->program, &stage->motion);
}

bool stage_idle(struct stage *stage) {
    return motion_still(&stage->motion) && !stage_armed(stage) && !program_running(&stage->program);
}

bool stage_emergency_latched(struct stage *stage) {
    return stage->motion.emergency;
}

bool stage_armed(struct stage *stage) {
    struct trigger_status status;
    trigger_status(&stage->motion.trigger, &status);
    return status.mode != TRIGGER_OFF;
}

void stage_emergency(struct hub *hub) {
    motion_emergency_stop(&hub->stage.motion);
}

/* Whether one of these errors is the one that is latched. Not one that came after the last look and
 * was never told; an emergency stop is released instead. */
static bool clears(uint32_t errors, enum motion_error latched, enum motion_error told) {
    return latched == told && latched != MOTION_OK && latched != MOTION_EMERGENCY_STOP &&
           (errors & 1U << stage_error_of(latched)) != 0;
}

/* What is latched again before the next look at it is told again. */
void stage_clear(struct hub *hub, uint32_t errors) {
    struct stage *stage = &hub->stage;
    if (clears(errors, stage->motion.trigger.error, stage->told_trigger)) {
        trigger_clear(&stage->motion.trigger);
        stage->told_trigger = MOTION_OK;
    }
    for (unsigned axis = 0; axis < BOARD_AXES; axis++) {
        if (clears(errors, stage->motion.axis[axis].error, stage->told_error[axis])) {
            axis_clear(&stage->motion.axis[axis]);
            stage->told_error[axis] = MOTION_OK;
        }
    }
}

/* ---- commands ---- */

static enum nfsar_wire_result arm(struct hub *hub, const struct nfsar_wire_do_trigger_arm *arm,
                                  uint16_t *detail) {
    struct stage *stage = &hub->stage;
    static const enum trigger_mode modes[] = {TRIGGER_SINGLE, TRIGGER_PERIOD, TRIGGER_STEPS};
    if (program_running(&stage->program)) {
        return NFSAR_WIRE_RESULT_STATE;
    }
    if (arm->mode >= sizeof modes / sizeof *modes) {
        *detail = 0;
        return NFSAR_WIRE_RESULT_VALUE;
    }
    if (arm->axis >= BOARD_AXES) {
        *detail = 1;
        return NFSAR_WIRE_RESULT_VALUE;
    }
    if (arm->period_ns > UINT32_MAX) {
        *detail = 3;
        return NFSAR_WIRE_RESULT_VALUE;
    }
    const struct trigger_run run = {.mode = modes[arm->mode],
                                    .count = arm->mode == 0 ? 1 : arm->count,
                                    .period_ns = (uint32_t)arm->period_ns,
                                    .axis = arm->axis,
                                    .first = arm->first,
                                    .pitch = arm->pitch,
                                    .column_step = 1};
    if (stage_armed(stage)) {
        return result_of(TRIGGER_BUSY, detail);
    }
    stage_take_triggers(hub); /* those of the arming before have its number */
    const enum motion_error error = trigger_arm(&stage->motion.trigger, &run, false);
    if (error == MOTION_OK) {
        stage->scans++;
        stage->of_program = false;
    }
    return result_of(error, detail);
}

static enum nfsar_wire_result
command_trigger(struct hub *hub, const struct nfsar_wire_message *message, uint16_t *detail) {
    struct trigger *trigger = &hub->stage.motion.trigger;
    if (message->header.kind == NFSAR_WIRE_DO_TRIGGER_SET) {
        struct nfsar_wire_do_trigger_set set = {0};
        nfsar_wire_unpack_do_trigger_set(&set, message->payload, message->bytes);
        const struct trigger_timing timing = {set.frame_ns, set.pulse_ns};
        return result_of(trigger_configure(trigger, &timing), detail);
    }
    if (message->header.kind == NFSAR_WIRE_DO_TRIGGER_ARM) {
        struct nfsar_wire_do_trigger_arm what = {0};
        nfsar_wire_unpack_do_trigger_arm(&what, message->payload, message->bytes);
        return arm(hub, &what, detail);
    }
    program_abort(&hub->stage.program);
    trigger_disarm(trigger);
    return NFSAR_WIRE_RESULT_DONE;
}

static enum nfsar_wire_result set_axis(struct axis *axis, const struct nfsar_wire_message *message,
                                       uint16_t *detail) {
    struct nfsar_wire_do_axis_set set = {0};
    struct axis_config config;
    nfsar_wire_unpack_do_axis_set(&set, message->payload, message->bytes);
    if (!stage_config_axis(&config, axis->index, &set, detail)) {
        return NFSAR_WIRE_RESULT_VALUE;
    }
    return result_of(axis_configure(axis, &config), detail);
}

static enum nfsar_wire_result move_axis(struct axis *axis, const struct nfsar_wire_message *message,
                                        uint16_t *detail) {
    struct nfsar_wire_do_axis_move move = {0};
    uint32_t speed;
    nfsar_wire_unpack_do_axis_move(&move, message->payload, message->bytes);
    if (!stage_config_whole(&speed, move.speed)) {
        *detail = 1;
        return NFSAR_WIRE_RESULT_VALUE;
    }
    return result_of(axis_move_to(axis, move.target, speed), detail);
}

static enum nfsar_wire_result
place_axis(struct axis *axis, const struct nfsar_wire_message *message, uint16_t *detail) {
    struct nfsar_wire_do_axis_place place = {0};
    nfsar_wire_unpack_do_axis_place(&place, message->payload, message->bytes);
    return result_of(axis_set_position(axis, place.position), detail);
}

static enum nfsar_wire_result
enable_axis(struct axis *axis, const struct nfsar_wire_message *message, uint16_t *detail) {
    struct nfsar_wire_do_axis_enable enable = {0};
    nfsar_wire_unpack_do_axis_enable(&enable, message->payload, message->bytes);
    if (enable.on > 1) {
        *detail = 0;
        return NFSAR_WIRE_RESULT_VALUE;
    }
    return result_of(axis_enable(axis, enable.on == 1), detail);
}

/* Triggers come at positions of this axis: what these are is not to change meanwhile. */
static bool counted(const struct stage *stage, unsigned axis) {
    const struct trigger *trigger = &stage->motion.trigger;
    return trigger->mode == TRIGGER_STEPS && trigger->axis == axis;
}

static enum nfsar_wire_result
command_axis(struct hub *hub, const struct nfsar_wire_message *message, uint16_t *detail) {
    struct stage *stage = &hub->stage;
    if (message->header.channel >= BOARD_AXES) {
        *detail = BOARD_AXES;
        return NFSAR_WIRE_RESULT_CHANNEL;
    }
    struct axis *axis = &stage->motion.axis[message->header.channel];
    /* A stop is never refused: of an axis in a scan it ends the scan. */
    if (message->header.kind == NFSAR_WIRE_DO_AXIS_STOP) {
        program_abort(&stage->program);
        axis_stop(axis);
        return NFSAR_WIRE_RESULT_DONE;
    }
    if (program_running(&stage->program)) {
        return NFSAR_WIRE_RESULT_STATE;
    }
    if (message->header.kind != NFSAR_WIRE_DO_AXIS_MOVE && counted(stage, axis->index)) {
        return result_of(TRIGGER_BUSY, detail);
    }
    switch (message->header.kind) {
    case NFSAR_WIRE_DO_AXIS_SET:
        return set_axis(axis, message, detail);
    case NFSAR_WIRE_DO_AXIS_MOVE:
        return move_axis(axis, message, detail);
    case NFSAR_WIRE_DO_AXIS_HOME:
        return result_of(axis_home(axis), detail);
    case NFSAR_WIRE_DO_AXIS_PLACE:
        return place_axis(axis, message, detail);
    default:
        return enable_axis(axis, message, detail);
    }
}

static enum nfsar_wire_result
command_emergency(struct hub *hub, const struct nfsar_wire_message *message, uint16_t *detail) {
    struct nfsar_wire_do_emergency emergency = {0};
    nfsar_wire_unpack_do_emergency(&emergency, message->payload, message->bytes);
    if (emergency.stop > 1) {
        *detail = 0;
        return NFSAR_WIRE_RESULT_VALUE;
    }
    if (emergency.stop == 1) {
        stage_emergency(hub);
        return NFSAR_WIRE_RESULT_DONE;
    }
    /* Refused while the button is pressed. */
    return result_of(motion_clear(&hub->stage.motion), detail);
}

static enum nfsar_wire_result
load_program(struct stage *stage, const struct nfsar_wire_message *message, struct answer *answer) {
    struct nfsar_wire_do_program_load load = {0};
    struct program_scan scan;
    struct program_plan plan;
    nfsar_wire_unpack_do_program_load(&load, message->payload, message->bytes);
    if (!stage_config_program(&scan, &load, &answer->detail)) {
        return NFSAR_WIRE_RESULT_VALUE;
    }
    const enum motion_error error = program_check(&stage->motion, &scan, &plan);
    if (error != MOTION_OK) {
        return result_of(error, &answer->detail);
    }
    stage->scan = scan;
    stage->loaded = true;
    const struct nfsar_wire_plan told = {.speed = plan.speed,
                                         .lead = plan.lead,
                                         .tail = plan.tail,
                                         .turns = plan.turns,
                                         .triggers = plan.triggers,
                                         .period_ns = plan.period_ns,
                                         .fast_range = {plan.fast_low, plan.fast_high},
                                         .slow_range = {plan.slow_low, plan.slow_high}};
    answer->n = nfsar_wire_pack_plan(answer->bytes, &told);
    return NFSAR_WIRE_RESULT_DONE;
}

static enum nfsar_wire_result
command_program(struct hub *hub, const struct nfsar_wire_message *message, struct answer *answer) {
    struct stage *stage = &hub->stage;
    if (message->header.kind == NFSAR_WIRE_DO_PROGRAM_ABORT) {
        program_abort(&stage->program);
        return NFSAR_WIRE_RESULT_DONE;
    }
    if (program_running(&stage->program)) {
        return NFSAR_WIRE_RESULT_STATE;
    }
    if (message->header.kind == NFSAR_WIRE_DO_PROGRAM_LOAD) {
        return load_program(stage, message, answer);
    }
    if (!stage->loaded) {
        return NFSAR_WIRE_RESULT_STATE;
    }
    const enum motion_error error = program_start(&stage->program, &stage->scan);
    if (error == MOTION_OK) {
        stage_take_triggers(hub); /* nothing is armed before the way to the first row is made */
        stage->scans++;
        stage->of_program = true;
    }
    return result_of(error, &answer->detail);
}

enum nfsar_wire_result stage_command(struct hub *hub, const struct nfsar_wire_message *message,
                                     uint32_t count, struct answer *answer) {
    const uint8_t kind = message->header.kind;
    (void)count;
    if (kind == NFSAR_WIRE_DO_EMERGENCY) {
        return command_emergency(hub, message, &answer->detail);
    }
    if (kind < NFSAR_WIRE_DO_AXIS_SET) {
        return command_trigger(hub, message, &answer->detail);
    }
    return kind < NFSAR_WIRE_DO_PROGRAM_LOAD ? command_axis(hub, message, &answer->detail)
                                             : command_program(hub, message, answer);
}
