/* A hub that makes scans on the fake board: for the tests of programs. */
#ifndef NFSAR_TESTS_HUB_PROGRAM_H
#define NFSAR_TESTS_HUB_PROGRAM_H

#include "firmware/app/program.h"
#include "tests/firmware/hub_motion.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MOST_PULSES = 20000 };

struct hub {
    struct motion motion;
    struct program program;
};

/* Ticks between two rounds of the main loop, and whether ticks come at the worst of moments. */
static unsigned cadence = 37;
static uint32_t tick_hz = 40000;
static bool hostile;

static uint64_t state = 1;

static inline uint32_t draw(uint32_t below) {
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((state >> 33) % below);
}

static inline void hub_begin(struct hub *hub) {
    static const struct trigger_timing timing = {.shortest_ns = 1000000, .width_ns = 1000};
    hub_start_at(&hub->motion, tick_hz);
    for (unsigned k = 0; k < BOARD_AXES; k++) {
        struct axis *axis = &hub->motion.axis[k];
        struct axis_config config = axis->config;
        config.speed = tick_hz * 2 / 5;
        config.acceleration = 160000;
        config.jerk = 3200000;
        assert_int_equal(axis_configure(axis, &config), MOTION_OK);
        assert_int_equal(axis_set_position(axis, 0), MOTION_OK);
    }
    assert_int_equal(trigger_configure(&hub->motion.trigger, &timing), MOTION_OK);
    program_init(&hub->program, &hub->motion);
    fake_board.tick_on_unlock = hostile;
}

static inline struct program_status status_of(struct hub *hub) {
    struct program_status status;
    program_status(&hub->program, &status);
    return status;
}

static inline struct program_scan raster_40_400(int32_t pitch) {
    return (struct program_scan){
        .pattern = PROGRAM_RASTER,
        .mode = PROGRAM_FLY_BY,
        .fast = 0,
        .slow = 1,
        .fast_first = -37,
        .slow_first = 11,
        .columns = 400,
        .rows = 40,
        .column_pitch = pitch,
        .row_pitch = -31,
    };
}

/* Runs a scan to its end with the main loop every ms. Events go to event[]; how many came. */
static inline uint64_t make(struct hub *hub, struct trigger_event *event, uint64_t most_ticks) {
    uint64_t n = 0;
    while (program_running(&hub->program)) {
        if (fake_board.ticks > most_ticks) {
            fail_msg("still running in row %u", (unsigned)hub->program.row);
        }
        fake_board_ticks(cadence);
        motion_poll(&hub->motion);
        program_poll(&hub->program);
        while (n < MOST_PULSES && trigger_take(&hub->motion.trigger, &event[n])) {
            n++;
        }
    }
    return n;
}

static inline void pins_agree(const struct hub *hub) {
    uint64_t tick_counts = fake_board.count_hz / fake_board.tick_hz;
    for (unsigned k = 0; k < BOARD_AXES; k++) {
        const struct fake_axis *pins = &fake_board.axis[k];
        assert_int_equal(pins->position, hub->motion.axis[k].position);
        assert_int_equal(pins->asleep, 0);
        assert_true(pins->shortest_high >= tick_counts && pins->shortest_low >= tick_counts &&
                    pins->shortest_setup >= tick_counts);
    }
}

#endif
