#include "firmware/app/trigger.h"

enum { WIDTH_LEAST_NS = 1000, WIDTH_MOST_NS = 10000 };

void trigger_init(struct trigger *trigger, struct axis *axes) {
    *trigger = (struct trigger){.axes = axes};
}

/* ---- the tick's ---- */

/* The run ends and every axis brakes: a scan with a trigger missing is no scan. */
void trigger_fail(struct trigger *trigger, enum motion_error error) {
    if (trigger->mode == TRIGGER_OFF)
        return;
    trigger->mode = TRIGGER_OFF;
    if (trigger->error == MOTION_OK) {
        trigger->error = error;
        trigger->error_number = trigger->number;
    }
    trigger->refused++;
    for (unsigned k = 0; k < BOARD_AXES; k++)
        axis_brake(&trigger->axes[k]);
}

static void fire(struct trigger *trigger, uint32_t count) {
    unsigned head = atomic_load_explicit(&trigger->head, memory_order_relaxed);
    unsigned tail = atomic_load_explicit(&trigger->tail, memory_order_acquire);
    if (trigger->held) {
        trigger_fail(trigger, TRIGGER_TOO_EARLY);
        return;
    }
    if (head - tail >= TRIGGER_RING) {
        trigger_fail(trigger, TRIGGER_RING_FULL);
        return;
    }
    struct trigger_event *event = &trigger->ring[head % TRIGGER_RING];
    event->count = board_pulse_sync(trigger->timing.width_ns);
    event->number = trigger->number++;
    for (unsigned k = 0; k < BOARD_AXES; k++)
        event->position[k] = trigger->axes[k].position;
    event->row = trigger->row;
    event->column = trigger->column;
    atomic_store_explicit(&trigger->head, head + 1, memory_order_release);

    trigger->column += (uint32_t)trigger->column_step;
    trigger->made++;
    trigger->held = true;
    trigger->last = count;
    if (!trigger->endless && --trigger->left == 0)
        trigger->mode = TRIGGER_OFF;
}

static void steps_tick(struct trigger *trigger, uint32_t count) {
    int32_t togo = trigger->next - trigger->axes[trigger->axis].position;
    if (trigger->pitch < 0)
        togo = -togo;
    if (togo > 0)
        return;
    /* Exactly at the point, by the step just made: the pin is up. */
    if (togo < 0 || !trigger->axes[trigger->axis].step_high) {
        trigger_fail(trigger, TRIGGER_MISSED);
        return;
    }
    fire(trigger, count);
    trigger->next += trigger->pitch;
}

static void period_tick(struct trigger *trigger, uint32_t count) {
    if (!trigger->started) {
        if (trigger->held)
            return;
        trigger->started = true;
        trigger->due = (uint64_t)count << 32;
    }
    int32_t late = (int32_t)(count - (uint32_t)(trigger->due >> 32));
    if (late < 0 || (late == 0 && (uint32_t)trigger->due != 0))
        return;
    if ((uint32_t)late > (uint32_t)(trigger->period >> 32)) {
        trigger_fail(trigger, TRIGGER_OVERRUN);
        return;
    }
    fire(trigger, count);
    trigger->due += trigger->period;
}

void trigger_tick(struct trigger *trigger, uint32_t count) {
    if (trigger->held && count - trigger->last >= trigger->shortest)
        trigger->held = false;
    switch (trigger->mode) {
    case TRIGGER_STEPS:
        steps_tick(trigger, count);
        break;
    case TRIGGER_PERIOD:
        period_tick(trigger, count);
        break;
    case TRIGGER_SINGLE:
        if (!trigger->held)
            fire(trigger, count);
        break;
    default:
        break;
    }
}

/* ---- the main loop's ---- */

uint64_t trigger_counts(uint32_t ns, uint32_t hz) {
    uint64_t product = (uint64_t)ns * hz;
    uint64_t rest = product % 1000000000;
    return (product / 1000000000 << 32) + (rest << 32) / 1000000000;
}

enum motion_error trigger_configure(struct trigger *trigger, const struct trigger_timing *timing) {
    if (timing->shortest_ns == 0)
        return TRIGGER_NO_MINIMUM;
    uint64_t counts = (trigger_counts(timing->shortest_ns, board_count_hz()) + UINT32_MAX) >> 32;
    if (timing->width_ns < WIDTH_LEAST_NS || timing->width_ns > WIDTH_MOST_NS ||
        counts >= INT32_MAX)
        return TRIGGER_BAD_SETUP;
    uint32_t state = board_lock();
    bool busy = trigger->mode != TRIGGER_OFF;
    if (!busy) {
        trigger->timing = *timing;
        trigger->shortest = (uint32_t)counts;
    }
    board_unlock(state);
    return busy ? TRIGGER_BUSY : MOTION_OK;
}

/* The points of a run by steps, within the axes' range. */
static enum motion_error check_points(const struct trigger *trigger,
                                      const struct trigger_run *run) {
    if (run->axis >= BOARD_AXES || run->count == 0 || run->pitch == 0)
        return TRIGGER_BAD_SETUP;
    int64_t reach = (int64_t)run->pitch * (run->count - 1);
    if (run->pitch < -AXIS_RANGE / 2 || run->pitch > AXIS_RANGE / 2 ||
        run->count > (uint32_t)AXIS_RANGE || run->first < -AXIS_RANGE || run->first > AXIS_RANGE ||
        run->first + reach < -AXIS_RANGE || run->first + reach > AXIS_RANGE)
        return MOTION_OUT_OF_RANGE;
    return trigger->axes[run->axis].trusted ? MOTION_OK : MOTION_NOT_TRUSTED;
}

static enum motion_error check_run(const struct trigger *trigger, const struct trigger_run *run) {
    if (trigger->error != MOTION_OK)
        return trigger->error;
    if (trigger->shortest == 0)
        return TRIGGER_NO_MINIMUM;
    switch (run->mode) {
    case TRIGGER_PERIOD:
        if (trigger_counts(run->period_ns, board_count_hz()) >> 32 >= INT32_MAX)
            return TRIGGER_BAD_SETUP;
        /* Pulses come in whole ticks: up to one less than a period apart. */
        if ((uint64_t)run->period_ns * board_tick_hz() <
            (uint64_t)trigger->timing.shortest_ns * board_tick_hz() + 1000000000)
            return TRIGGER_TOO_FAST;
        return MOTION_OK;
    case TRIGGER_STEPS:
        return check_points(trigger, run);
    case TRIGGER_SINGLE:
        return MOTION_OK;
    default:
        return TRIGGER_BAD_SETUP;
    }
}

enum motion_error trigger_arm(struct trigger *trigger, const struct trigger_run *run, bool again) {
    enum motion_error error = check_run(trigger, run);
    if (error != MOTION_OK)
        return error;
    uint64_t period = trigger_counts(run->period_ns, board_count_hz());
    uint32_t state = board_lock();
    if (trigger->mode != TRIGGER_OFF) {
        board_unlock(state);
        return TRIGGER_BUSY;
    }
    trigger->started = false;
    trigger->period = period;
    trigger->axis = run->axis;
    trigger->next = run->first;
    trigger->pitch = run->pitch;
    trigger->left = run->mode == TRIGGER_SINGLE ? 1 : run->count;
    trigger->endless = run->mode == TRIGGER_PERIOD && run->count == 0;
    trigger->row = run->row;
    trigger->column = run->column;
    trigger->column_step = run->column_step;
    trigger->made = 0;
    if (!again)
        trigger->number = 0;
    trigger->mode = run->mode;
    if (run->mode == TRIGGER_STEPS) {
        int32_t togo = run->first - trigger->axes[run->axis].position;
        if (run->pitch > 0 ? togo <= 0 : togo >= 0)
            trigger_fail(trigger, TRIGGER_MISSED);
    }
    error = trigger->error;
    board_unlock(state);
    return error;
}

void trigger_disarm(struct trigger *trigger) {
    uint32_t state = board_lock();
    trigger->mode = TRIGGER_OFF;
    board_unlock(state);
}

void trigger_clear(struct trigger *trigger) {
    uint32_t state = board_lock();
    trigger->error = MOTION_OK;
    board_unlock(state);
}

void trigger_status(struct trigger *trigger, struct trigger_status *status) {
    uint32_t state = board_lock();
    *status = (struct trigger_status){.mode = trigger->mode,
                                      .number = trigger->number,
                                      .made = trigger->made,
                                      .left = trigger->endless ? 0 : trigger->left,
                                      .error = trigger->error,
                                      .error_number = trigger->error_number,
                                      .refused = trigger->refused};
    board_unlock(state);
}

bool trigger_take(struct trigger *trigger, struct trigger_event *event) {
    unsigned tail = atomic_load_explicit(&trigger->tail, memory_order_relaxed);
    unsigned head = atomic_load_explicit(&trigger->head, memory_order_acquire);
    if (head == tail)
        return false;
    *event = trigger->ring[tail % TRIGGER_RING];
    atomic_store_explicit(&trigger->tail, tail + 1, memory_order_release);
    return true;
}
