#include "firmware/app/motion.h"

void motion_init(struct motion *motion) {
    motion->ticks = motion->late_ticks = 0;
    motion->late = 2 * (board_count_hz() / board_tick_hz());
    motion->emergency = false;
    for (unsigned k = 0; k < BOARD_AXES; k++) {
        axis_init(&motion->axis[k], k);
    }
    trigger_init(&motion->trigger, motion->axis);
}

/* ---- the interrupts' ---- */

static void halt_all(struct motion *motion) {
    motion->emergency = true;
    trigger_fail(&motion->trigger, MOTION_EMERGENCY_STOP);
    for (unsigned k = 0; k < BOARD_AXES; k++) {
        axis_halt(&motion->axis[k], MOTION_EMERGENCY_STOP);
    }
}

static void input_active(struct motion *motion, enum board_input input) {
    if (input == BOARD_EMERGENCY_STOP) {
        halt_all(motion);
        return;
    }
    for (unsigned k = 0; k < BOARD_AXES; k++) {
        axis_input(&motion->axis[k], input);
    }
}

/* Levels too, not only edges: a wire that was open before the move began has no edge. */
static void levels(struct motion *motion, uint32_t active) {
    if (active >> BOARD_EMERGENCY_STOP & 1) {
        halt_all(motion);
    }
    for (unsigned k = 0; k < BOARD_AXES; k++) {
        axis_levels(&motion->axis[k], active);
    }
}

void motion_tick(struct motion *motion) {
    uint32_t count = board_tick_count();
    uint32_t active = board_inputs();
    if (count - motion->last >= motion->late && motion->ticks > 0) {
        motion->late_ticks++;
    }
    motion->last = count;
    motion->ticks++;
    /* What steppers couple into a switch's wire lasts microseconds: a limit counts when two ticks
     * in a row see it, the emergency stop at once. */
    const uint32_t sure = active & (motion->seen | 1U << BOARD_EMERGENCY_STOP);
    motion->seen = active;
    if (sure != 0) {
        levels(motion, sure);
    }
    for (unsigned k = 0; k < BOARD_AXES; k++) {
        axis_tick(&motion->axis[k]);
    }
    trigger_tick(&motion->trigger, count);
}

void motion_input(struct motion *motion, enum board_input input) {
    uint32_t state = board_lock();
    input_active(motion, input);
    board_unlock(state);
}

/* ---- the main loop's ---- */

uint32_t motion_ticks(struct motion *motion) {
    uint32_t state = board_lock();
    uint32_t ticks = motion->ticks;
    board_unlock(state);
    return ticks;
}

uint32_t motion_positions(struct motion *motion, int32_t position[BOARD_AXES]) {
    uint32_t state = board_lock();
    uint32_t count = board_count();
    for (unsigned k = 0; k < BOARD_AXES; k++) {
        position[k] = motion->axis[k].position;
    }
    board_unlock(state);
    return count;
}

void motion_poll(struct motion *motion) {
    uint32_t now = motion_ticks(motion);
    for (unsigned k = 0; k < BOARD_AXES; k++) {
        /* The current, and with it the position, stays while triggers wait for the axis. */
        if (motion->trigger.mode == TRIGGER_STEPS && motion->trigger.axis == k) {
            motion->axis[k].active_since = now;
        }
        axis_poll(&motion->axis[k], now);
    }
}

void motion_emergency_stop(struct motion *motion) {
    uint32_t state = board_lock();
    halt_all(motion);
    board_unlock(state);
}

enum motion_error motion_clear(struct motion *motion) {
    if (board_inputs() >> BOARD_EMERGENCY_STOP & 1) {
        return MOTION_EMERGENCY_STOP;
    }
    uint32_t state = board_lock();
    motion->emergency = false;
    for (unsigned k = 0; k < BOARD_AXES; k++) {
        motion->axis[k].error = MOTION_OK;
    }
    motion->trigger.error = MOTION_OK;
    board_unlock(state);
    return MOTION_OK;
}

void motion_stop(struct motion *motion) {
    trigger_disarm(&motion->trigger);
    for (unsigned k = 0; k < BOARD_AXES; k++) {
        axis_stop(&motion->axis[k]);
    }
}

bool motion_still(struct motion *motion) {
    for (unsigned k = 0; k < BOARD_AXES; k++) {
        if (!axis_still(&motion->axis[k])) {
            return false;
        }
    }
    return true;
}
