/* Homing: what follows when a move of it has ended. Every move is bounded, and the whole in time.
 */
#include "firmware/app/axis.h"

static int64_t toward(const struct axis *axis, uint32_t steps) {
    return axis->config.home_forward ? (int64_t)steps : -(int64_t)steps;
}

static bool switch_active(const struct axis *axis) {
    return board_inputs() >> axis->config.home_input & 1;
}

static void fail(struct axis *axis, enum motion_error error) {
    uint32_t state = board_lock();
    axis->home_phase = AXIS_HOME_NONE;
    axis->seeking = false;
    axis_brake(axis);
    if (axis->error == MOTION_OK) {
        axis->error = error;
        axis->error_position = axis->position;
    }
    board_unlock(state);
}

/* The next move of homing; by is counted from the position at. */
static void go(struct axis *axis, enum axis_home_phase phase, int32_t at, int64_t by) {
    const struct axis_config *config = &axis->config;
    bool fast = phase == AXIS_HOME_FAST;
    bool seek = fast || phase == AXIS_HOME_SLOW;
    axis->home_phase = phase;
    enum motion_error error = axis_start(
        axis, at + by, phase == AXIS_HOME_SLOW ? config->home_slow : config->home_fast, seek);
    if (error != MOTION_OK) {
        fail(axis, error);
    }
}

enum motion_error axis_home(struct axis *axis) {
    if (!axis->configured) {
        return MOTION_NOT_CONFIGURED;
    }
    if (axis->config.home_input == AXIS_NO_INPUT) {
        return MOTION_NO_HOME_SWITCH;
    }
    if (!axis_still(axis)) {
        return MOTION_BUSY;
    }
    if (axis->error == MOTION_EMERGENCY_STOP) {
        return axis->error;
    }
    axis_clear(axis);
    uint32_t state = board_lock();
    axis->trusted = false;
    /* The old position means nothing any more; from the middle every way is open. */
    axis->position = 0;
    board_unlock(state);
    axis->home_since = axis->now;
    const struct axis_config *config = &axis->config;
    if (switch_active(axis)) {
        go(axis, AXIS_HOME_RELEASE, axis->position, -toward(axis, config->home_back_off));
    } else {
        go(axis, AXIS_HOME_FAST, axis->position, toward(axis, config->home_travel));
    }
    return axis->home_phase == AXIS_HOME_NONE ? axis->error : MOTION_OK;
}

/* The switch was found slowly: there is home_position. */
static void set_zero(struct axis *axis) {
    uint32_t state = board_lock();
    axis->position += axis->config.home_position - axis->edge;
    axis->trusted = true;
    board_unlock(state);
}

/* A move has ended where it should. */
static void advance(struct axis *axis) {
    const struct axis_config *config = &axis->config;
    int64_t back = -toward(axis, config->home_back_off);
    switch (axis->home_phase) {
    case AXIS_HOME_RELEASE:
        if (switch_active(axis)) {
            fail(axis, MOTION_HOME_STUCK);
        } else {
            go(axis, AXIS_HOME_FAST, axis->position, toward(axis, config->home_travel));
        }
        break;
    case AXIS_HOME_FAST:
        if (!axis->found) {
            fail(axis, MOTION_HOME_NOT_FOUND);
        } else {
            go(axis, AXIS_HOME_BACK, axis->edge, back);
        }
        break;
    case AXIS_HOME_BACK:
        if (switch_active(axis)) {
            fail(axis, MOTION_HOME_STUCK);
        } else {
            go(axis, AXIS_HOME_SLOW, axis->position, -2 * back);
        }
        break;
    case AXIS_HOME_SLOW:
        if (!axis->found) {
            fail(axis, MOTION_HOME_NOT_FOUND);
        } else {
            set_zero(axis);
            go(axis, AXIS_HOME_LEAVE, config->home_position, back);
        }
        break;
    default:
        axis->home_phase = AXIS_HOME_NONE;
        break;
    }
}

void axis_home_poll(struct axis *axis, uint32_t now) {
    uint32_t state = board_lock();
    bool running = axis->running || axis->step_high;
    enum motion_error error = axis->error;
    board_unlock(state);
    uint64_t longest = (uint64_t)axis->config.home_timeout_ms * axis->tick_hz / 1000;
    if (error != MOTION_OK) { /* a limit switch, or an emergency stop */
        fail(axis, error);
    } else if (now - axis->home_since > longest) {
        fail(axis, MOTION_HOME_TIMEOUT);
    } else if (!running) {
        advance(axis);
    }
}
