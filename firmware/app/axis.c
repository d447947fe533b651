#include "firmware/app/axis.h"

#include <stddef.h>

void axis_init(struct axis *axis, unsigned index) {
    *axis = (struct axis){.index = index, .tick_hz = board_tick_hz(), .direction = 1};
    board_set_step(index, false);
    board_set_enable(index, false);
}

/* ---- the interrupts' ---- */

void axis_tick(struct axis *axis) {
    if (axis->step_high) {
        axis->step_high = false;
        board_set_step(axis->index, false);
    }
    if (!axis->running) {
        return;
    }
    if (axis->wait > 0) {
        axis->wait--;
        return;
    }
    bool step;
    if (!profile_tick(&axis->run, &step)) {
        axis->running = false;
        axis->stopping = false;
        axis->seeking = false;
    } else if (step) {
        board_set_step(axis->index, true);
        axis->step_high = true;
        axis->position += axis->direction;
        axis->steps++;
    }
}

void axis_brake(struct axis *axis) {
    if (!axis->running) {
        return;
    }
    axis->stopping = true;
    if (axis->wait > 0) {
        axis->running = axis->stopping = axis->seeking = false;
    } else {
        profile_stop(&axis->run);
    }
}

static void latch(struct axis *axis, enum motion_error error) {
    if (axis->error == MOTION_OK) {
        axis->error = error;
        axis->error_position = axis->position;
    }
}

void axis_halt(struct axis *axis, enum motion_error error) {
    if (error == MOTION_EMERGENCY_STOP && axis->error != error) {
        axis->error = MOTION_OK; /* it outranks what stood there */
    }
    latch(axis, error);
    axis->running = axis->stopping = axis->seeking = false;
    axis->trusted = false;
}

void axis_input(struct axis *axis, enum board_input input) {
    if (!axis->running) {
        return;
    }
    const struct axis_config *config = &axis->config;
    if (axis->seeking && (int)input == config->home_input) {
        if (!axis->found) {
            axis->found = true;
            axis->edge = axis->position;
        }
        axis_brake(axis);
        return;
    }
    bool forward = axis->direction > 0;
    if ((int)input != (forward ? config->limit_high : config->limit_low)) {
        return;
    }
    enum motion_error error = forward ? MOTION_LIMIT_HIGH : MOTION_LIMIT_LOW;
    if (config->halt_at_limits) {
        axis_halt(axis, error);
    } else {
        latch(axis, error);
        axis_brake(axis);
    }
}

void axis_levels(struct axis *axis, uint32_t active) {
    if (!axis->running) {
        return;
    }
    const struct axis_config *config = &axis->config;
    int toward = axis->direction > 0 ? config->limit_high : config->limit_low;
    int home = axis->seeking ? config->home_input : AXIS_NO_INPUT;
    if (home != AXIS_NO_INPUT && (active >> home & 1)) {
        axis_input(axis, (enum board_input)home);
    } else if (toward != AXIS_NO_INPUT && (active >> toward & 1)) {
        axis_input(axis, (enum board_input)toward);
    }
}

/* ---- the main loop's ---- */

static uint32_t ticks_of_us(const struct axis *axis, uint32_t us) {
    return (uint32_t)(((uint64_t)us * axis->tick_hz + 999999) / 1000000);
}

bool axis_still(const struct axis *axis) {
    uint32_t state = board_lock();
    bool still = !axis->running && !axis->step_high;
    board_unlock(state);
    return still && axis->home_phase == AXIS_HOME_NONE;
}

/* Longer times than these are mistakes, and ticks wrap. */
enum { LONGEST_MS = 3600000, LONGEST_US = 1000000 };

static bool times_fit(const struct axis_config *config) {
    return config->home_timeout_ms <= LONGEST_MS && config->idle_off_ms <= LONGEST_MS &&
           config->direction_setup_us <= LONGEST_US && config->enable_delay_us <= LONGEST_US;
}

static bool input_fits(int8_t input) {
    return input >= AXIS_NO_INPUT && input < (int8_t)BOARD_EMERGENCY_STOP;
}

enum motion_error axis_limits(const struct axis *axis, uint32_t speed,
                              struct profile_limits *limits) {
    const struct axis_config *config = &axis->config;
    if (!axis->configured) {
        return MOTION_NOT_CONFIGURED;
    }
    if (speed == 0) {
        speed = config->speed;
    }
    if (speed > config->speed) {
        return MOTION_SPEED_TOO_HIGH;
    }
    float hz = (float)axis->tick_hz;
    limits->speed = (float)speed / hz;
    limits->acceleration = (float)config->acceleration / hz / hz;
    limits->jerk = (float)config->jerk / hz / hz / hz;
    return MOTION_OK;
}

static enum motion_error check_speed(const struct axis *axis, uint32_t speed) {
    struct profile_limits limits;
    struct profile trial;
    enum motion_error error = axis_limits(axis, speed, &limits);
    return error == MOTION_OK ? profile_plan(&trial, 1, &limits) : error;
}

enum motion_error axis_configure(struct axis *axis, const struct axis_config *config) {
    if (!axis_still(axis)) {
        return MOTION_BUSY;
    }
    if (!input_fits(config->limit_low) || !input_fits(config->limit_high) ||
        !input_fits(config->home_input) || !times_fit(config)) {
        return MOTION_BAD_CONFIG;
    }
    if (config->soft_limits && (config->soft_low > config->soft_high ||
                                config->soft_low < -AXIS_RANGE || config->soft_high > AXIS_RANGE)) {
        return MOTION_BAD_CONFIG;
    }
    if (config->home_input != AXIS_NO_INPUT &&
        (config->home_fast == 0 || config->home_slow == 0 || config->home_back_off == 0 ||
         config->home_travel > (uint32_t)AXIS_RANGE ||
         config->home_back_off > config->home_travel || config->home_timeout_ms == 0 ||
         config->home_position > AXIS_RANGE / 2 || config->home_position < -AXIS_RANGE / 2)) {
        return MOTION_BAD_CONFIG;
    }

    struct axis trial = *axis;
    trial.config = *config;
    trial.configured = true;
    enum motion_error error = check_speed(&trial, config->speed);
    if (error == MOTION_OK && config->home_input != AXIS_NO_INPUT) {
        error = check_speed(&trial, config->home_fast);
        if (error == MOTION_OK) {
            error = check_speed(&trial, config->home_slow);
        }
    }
    if (error != MOTION_OK) {
        return error == MOTION_NOT_CONFIGURED ? MOTION_BAD_CONFIG : error;
    }
    uint32_t state = board_lock();
    /* Another sense of the direction pin is another direction of every position so far. */
    if (axis->configured && axis->config.inverted != config->inverted) {
        axis->trusted = axis->driven = false;
    }
    axis->config = *config;
    axis->configured = true;
    board_unlock(state);
    return MOTION_OK;
}

/* Sets the pins and lets the tick run the profile. The axis stands. */
static enum motion_error hand_over(struct axis *axis, const struct profile *profile, bool forward,
                                   bool seeking) {
    int32_t direction = forward ? 1 : -1;
    uint32_t wait = 0;
    if (!axis->enabled) {
        board_set_enable(axis->index, true);
        axis->enabled = true;
        wait = ticks_of_us(axis, axis->config.enable_delay_us);
    }
    if (!axis->driven || direction != axis->direction) {
        board_set_direction(axis->index, forward != axis->config.inverted);
        /* And a tick more: none steps in the first of a profile. */
        uint32_t setup = ticks_of_us(axis, axis->config.direction_setup_us);
        if (wait < setup) {
            wait = setup;
        }
    }
    uint32_t state = board_lock();
    axis->driven = true;
    axis->direction = direction;
    if (axis->error == MOTION_EMERGENCY_STOP) { /* it came since the error was looked at */
        board_unlock(state);
        return MOTION_EMERGENCY_STOP;
    }
    axis->wait = wait;
    axis->stopping = false;
    axis->seeking = seeking;
    axis->found = false;
    profile_start(&axis->run, profile);
    axis->running = true;
    board_unlock(state);
    return MOTION_OK;
}

enum motion_error axis_start(struct axis *axis, int64_t target, uint32_t speed, bool seeking) {
    int64_t distance = target - axis->position;
    if (target > AXIS_RANGE || target < -AXIS_RANGE) {
        return MOTION_OUT_OF_RANGE;
    }
    axis->target = (int32_t)target;
    if (distance == 0) {
        return MOTION_OK;
    }
    struct profile_limits limits;
    struct profile profile;
    enum motion_error error = axis_limits(axis, speed, &limits);
    if (error == MOTION_OK) {
        error = profile_plan(&profile, (uint32_t)(distance > 0 ? distance : -distance), &limits);
    }
    if (error == MOTION_OK) {
        error = hand_over(axis, &profile, distance > 0, seeking);
    }
    return error;
}

enum motion_error axis_reachable(const struct axis *axis, int64_t target) {
    if (!axis->configured) {
        return MOTION_NOT_CONFIGURED;
    }
    if (target > AXIS_RANGE || target < -AXIS_RANGE) {
        return MOTION_OUT_OF_RANGE;
    }
    const struct axis_config *config = &axis->config;
    if (config->soft_limits && axis->trusted &&
        (target < config->soft_low || target > config->soft_high)) {
        return MOTION_SOFT_LIMIT;
    }
    return MOTION_OK;
}

/* Whether a switch, or an error that is still latched, is in the way. */
static enum motion_error way_blocked(const struct axis *axis, bool forward) {
    enum motion_error at_limit = forward ? MOTION_LIMIT_HIGH : MOTION_LIMIT_LOW;
    enum motion_error other = forward ? MOTION_LIMIT_LOW : MOTION_LIMIT_HIGH;
    if (axis->error != MOTION_OK && axis->error != other) {
        return axis->error;
    }
    int input = forward ? axis->config.limit_high : axis->config.limit_low;
    if (input != AXIS_NO_INPUT && (board_inputs() >> input & 1)) {
        return at_limit;
    }
    return MOTION_OK;
}

enum motion_error axis_move_to(struct axis *axis, int32_t target, uint32_t speed) {
    if (!axis_still(axis)) {
        return MOTION_BUSY;
    }
    enum motion_error error = axis_reachable(axis, target);
    if (error == MOTION_OK && target != axis->position) {
        error = way_blocked(axis, target > axis->position);
    }
    return error == MOTION_OK ? axis_start(axis, target, speed, false) : error;
}

enum motion_error axis_move_by(struct axis *axis, int32_t steps, uint32_t speed) {
    int64_t target = (int64_t)axis->position + steps;
    if (target > AXIS_RANGE || target < -AXIS_RANGE) {
        return MOTION_OUT_OF_RANGE;
    }
    return axis_move_to(axis, (int32_t)target, speed);
}

void axis_stop(struct axis *axis) {
    uint32_t state = board_lock();
    axis->home_phase = AXIS_HOME_NONE;
    axis->seeking = false;
    axis_brake(axis);
    board_unlock(state);
}

enum motion_error axis_set_position(struct axis *axis, int32_t position) {
    if (!axis_still(axis)) {
        return MOTION_BUSY;
    }
    if (position > AXIS_RANGE || position < -AXIS_RANGE) {
        return MOTION_OUT_OF_RANGE;
    }
    if (axis->error == MOTION_EMERGENCY_STOP) {
        return axis->error;
    }
    uint32_t state = board_lock();
    axis->position = position;
    axis->target = position;
    axis->trusted = true;
    board_unlock(state);
    return MOTION_OK;
}

enum motion_error axis_enable(struct axis *axis, bool on) {
    if (!axis_still(axis)) {
        return MOTION_BUSY;
    }
    uint32_t state = board_lock();
    board_set_enable(axis->index, on);
    axis->enabled = on;
    if (!on) {
        axis->trusted = false;
    }
    board_unlock(state);
    return MOTION_OK;
}

void axis_clear(struct axis *axis) {
    uint32_t state = board_lock();
    if (axis->error != MOTION_EMERGENCY_STOP) {
        axis->error = MOTION_OK;
    }
    board_unlock(state);
}

void axis_status(struct axis *axis, struct axis_status *status) {
    uint32_t state = board_lock();
    bool running = axis->running, stopping = axis->stopping;
    uint64_t speed = running && axis->wait == 0 ? axis->run.speed : 0;
    *status = (struct axis_status){.position = axis->position,
                                   .steps = axis->steps,
                                   .target = axis->target,
                                   .error = axis->error,
                                   .error_position = axis->error_position,
                                   .trusted = axis->trusted,
                                   .enabled = axis->enabled};
    int32_t direction = axis->direction;
    board_unlock(state);
    status->speed = (float)direction * (float)(speed >> 32) * 0x1p-32f * (float)axis->tick_hz;
    if (axis->home_phase != AXIS_HOME_NONE) {
        status->state = AXIS_HOMING;
    } else if (running) {
        status->state = stopping ? AXIS_STOPPING : AXIS_MOVING;
    } else {
        status->state = status->error != MOTION_OK ? AXIS_FAULT : AXIS_IDLE;
    }
}

void axis_poll(struct axis *axis, uint32_t now) {
    axis->now = now;
    if (axis->home_phase != AXIS_HOME_NONE) {
        axis_home_poll(axis, now);
    }
    if (!axis_still(axis) || axis->keep_awake) {
        axis->active_since = now;
    } else if (axis->enabled && axis->config.idle_off_ms > 0) {
        uint64_t idle = (uint64_t)axis->config.idle_off_ms * axis->tick_hz / 1000;
        if (now - axis->active_since > idle) {
            axis_enable(axis, false);
        }
    }
}
