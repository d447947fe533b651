/* A hub's motion on the fake board, for the tests of axes, triggers and programs. */
#ifndef NFSAR_TESTS_HUB_MOTION_H
#define NFSAR_TESTS_HUB_MOTION_H

#include "firmware/app/motion.h"
#include "tests/firmware/fake_board.h"

static inline void hub_tick(void *context) {
    motion_tick(context);
}

static inline void hub_input(void *context, enum board_input input, uint32_t count) {
    (void)count;
    motion_input(context, input);
}

/* 8000 steps/s, reached in 0.2 s: tj = ta = 0.1 s at 40 kHz. */
static inline struct axis_config hub_axis_config(void) {
    return (struct axis_config){
        .speed = 8000,
        .acceleration = 60000,
        .jerk = 1200000,
        .limit_low = AXIS_NO_INPUT,
        .limit_high = AXIS_NO_INPUT,
        .home_input = AXIS_NO_INPUT,
        .direction_setup_us = 20,
        .enable_delay_us = 1000,
    };
}

/* x and y with switches, the turntable with its index; positions not set yet. */
static inline void hub_start_at(struct motion *motion, uint32_t tick_hz) {
    fake_board_reset();
    fake_board.tick_hz = tick_hz;
    motion_init(motion);
    fake_board.on_tick = hub_tick;
    fake_board.on_input = hub_input;
    fake_board.context = motion;
    static const int8_t low[BOARD_AXES] = {BOARD_LIMIT_X_LOW, BOARD_LIMIT_Y_LOW, AXIS_NO_INPUT};
    static const int8_t high[BOARD_AXES] = {BOARD_LIMIT_X_HIGH, BOARD_LIMIT_Y_HIGH, AXIS_NO_INPUT};
    static const int8_t home[BOARD_AXES] = {BOARD_LIMIT_X_LOW, BOARD_LIMIT_Y_LOW,
                                            BOARD_LIMIT_TURN_HOME};
    for (unsigned k = 0; k < BOARD_AXES; k++) {
        struct axis_config config = hub_axis_config();
        config.limit_low = low[k];
        config.limit_high = high[k];
        config.home_input = home[k];
        config.home_forward = k == 2;
        config.home_fast = 4000;
        config.home_slow = 200;
        config.home_travel = 50000;
        config.home_back_off = 200;
        config.home_timeout_ms = 60000;
        if (config.speed > tick_hz * 2 / 5)
            config.speed = config.home_fast = tick_hz * 2 / 5;
        axis_configure(&motion->axis[k], &config);
    }
}

static inline void hub_start(struct motion *motion) {
    hub_start_at(motion, 40000);
}

/* Ticks and the main loop until all stands; false: not within so many ticks. */
static inline bool hub_settle(struct motion *motion, uint64_t most) {
    while (!motion_still(motion)) {
        if (most-- == 0)
            return false;
        fake_board_tick();
        motion_poll(motion);
    }
    return true;
}

#endif
