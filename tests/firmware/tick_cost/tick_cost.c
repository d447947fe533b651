/* Instructions of the hub's tick, counted in qemu: tools/tick-cost builds and runs this on
 * mps2-an386, whose emulated time is instructions executed (-icount). No test: it prints a table.
 */
#include "firmware/app/motion.h"

#include <stdio.h>

/* A board of stores to memory: what the tick costs without its pins. */
static volatile uint32_t pins;
static uint32_t now, locks, active;

uint32_t board_count(void) {
    return now;
}
uint32_t board_count_hz(void) {
    return 84000000;
}
uint32_t board_tick_hz(void) {
    return 40000;
}
uint32_t board_lock(void) {
    return locks;
}
void board_unlock(uint32_t state) {
    locks = state;
}
void board_set_step(unsigned axis, bool level) {
    pins = axis << 1 | level;
}
void board_set_direction(unsigned axis, bool forward) {
    pins = axis << 1 | forward;
}
void board_set_enable(unsigned axis, bool on) {
    pins = axis << 1 | on;
}
uint32_t board_pulse_sync(uint32_t width_ns) {
    pins = width_ns;
    return now;
}
uint32_t board_inputs(void) {
    return active;
}

/* AN386, FPGAIO: a counter of 25 MHz. tools/tick-cost makes an instruction 1024 ns. */
static uint32_t counter(void) {
    return *(volatile uint32_t *)0x40028018;
}

static uint32_t instructions(uint32_t counts) {
    return (uint32_t)((counts * UINT64_C(10) + 128) / 256);
}

struct cost {
    uint32_t most, sum, ticks;
};

static uint32_t overhead;

static uint32_t tick(struct motion *motion, struct cost *cost) {
    struct trigger_event event;
    now += 2100;
    uint32_t before = counter();
    motion_tick(motion);
    uint32_t spent = instructions(counter() - before) - overhead;
    if (spent > cost->most) {
        cost->most = spent;
    }
    cost->sum += spent;
    cost->ticks++;
    while (trigger_take(&motion->trigger, &event)) {
        ;
    }
    return spent;
}

static void show(const char *what, const struct cost *cost) {
    printf("%-52s %6lu %6lu\n", what, (unsigned long)cost->most,
           (unsigned long)(cost->sum / cost->ticks));
}

static struct motion motion;

static void begin(bool halt) {
    motion_init(&motion);
    active = 0;
    for (unsigned k = 0; k < BOARD_AXES; k++) {
        struct axis_config config = {.speed = 16000,
                                     .acceleration = 160000,
                                     .jerk = 3200000,
                                     .limit_low = (int8_t)(2 * k),
                                     .limit_high = (int8_t)(k < 2 ? 2 * k + 1 : AXIS_NO_INPUT),
                                     .home_input = AXIS_NO_INPUT,
                                     .halt_at_limits = halt};
        axis_configure(&motion.axis[k], &config);
        axis_set_position(&motion.axis[k], 0);
    }
    struct trigger_timing timing = {.shortest_ns = 1000, .width_ns = 1000};
    trigger_configure(&motion.trigger, &timing);
}

/* All axes in step: every step, every change of segment, every trigger in the same tick. */
static void move_all(int32_t steps) {
    for (unsigned k = 0; k < BOARD_AXES; k++) {
        axis_move_to(&motion.axis[k], steps, 0);
    }
}

int main(void) {
    uint32_t before = counter();
    uint32_t after = counter();
    overhead = instructions(after - before);
    printf("%-52s %6s %6s\n", "instructions of motion_tick()", "most", "mean");

    begin(false);
    struct cost cost = {0};
    for (int k = 0; k < 1000; k++) {
        tick(&motion, &cost);
    }
    show("nothing moves", &cost);

    cost = (struct cost){0};
    axis_move_to(&motion.axis[0], 4000, 0);
    while (!axis_still(&motion.axis[0])) {
        tick(&motion, &cost);
    }
    show("one axis moves", &cost);

    begin(false);
    cost = (struct cost){0};
    struct trigger_run run = {.mode = TRIGGER_STEPS, .count = 3999, .first = 1, .pitch = 1};
    trigger_arm(&motion.trigger, &run, false);
    move_all(4000);
    while (!motion_still(&motion)) {
        tick(&motion, &cost);
    }
    show("three axes in step, a trigger at every step", &cost);

    begin(false);
    cost = (struct cost){0};
    active = 1u << BOARD_LIMIT_X_LOW | 1u << BOARD_LIMIT_Y_LOW | 1u << BOARD_LIMIT_TURN_HOME;
    trigger_arm(&motion.trigger, &run, false);
    move_all(4000);
    while (!motion_still(&motion)) {
        tick(&motion, &cost);
    }
    show("the same away from three switches still active", &cost);

    cost = (struct cost){0};
    struct trigger_timing slow = {.shortest_ns = 100000, .width_ns = 1000};
    for (int32_t first = 1; first < 40; first++) {
        begin(false);
        trigger_configure(&motion.trigger, &slow);
        run =
            (struct trigger_run){.mode = TRIGGER_STEPS, .count = 3999, .first = first, .pitch = 1};
        trigger_arm(&motion.trigger, &run, false);
        move_all(4000);
        while (!motion_still(&motion)) {
            tick(&motion, &cost);
        }
    }
    show("a trigger comes too early, three axes brake", &cost);

    cost = (struct cost){0};
    run = (struct trigger_run){.mode = TRIGGER_STEPS, .count = 3999, .first = 1, .pitch = 1};
    for (uint32_t at = 100; at < 20000; at += 100) {
        begin(false);
        run.count = 100000;
        trigger_arm(&motion.trigger, &run, false);
        move_all(4000);
        struct cost unused = {0};
        for (uint32_t k = 0; k < at && !motion_still(&motion); k++) {
            tick(&motion, &unused);
        }
        active = (1u << BOARD_INPUTS) - 1;
        tick(&motion, &cost);
    }
    show("every input becomes active at once", &cost);

    cost = (struct cost){0};
    begin(false);
    run = (struct trigger_run){.mode = TRIGGER_PERIOD, .period_ns = 100000};
    trigger_arm(&motion.trigger, &run, false);
    move_all(4000);
    while (!motion_still(&motion)) {
        tick(&motion, &cost);
    }
    show("three axes in step, triggers by period", &cost);
    return 0;
}
