/* One axis: a stepper behind step and direction pins, its switches, its position in steps.
 *
 * axis_tick() and axis_input() run in interrupts; all else in the main loop, which hands a planned
 * profile over with interrupts off. Positions are always the steps made: a stop of any kind but
 * axis_halt() leaves them exact. */
#ifndef NFSAR_FIRMWARE_AXIS_H
#define NFSAR_FIRMWARE_AXIS_H

#include "firmware/app/motion_error.h"
#include "firmware/app/profile.h"
#include "firmware/boards/board.h"

/* Positions stay within +-(2^30 - 1), so that differences never overflow. An endless turntable is
 * set back by whole turns with axis_set_position(). */
#define AXIS_RANGE ((INT32_C(1) << 30) - 1)

enum { AXIS_NO_INPUT = -1 };

struct axis_config {
    uint32_t speed;        /* steps/s, below tick_hz / 2 */
    uint32_t acceleration; /* steps/s^2 */
    uint32_t jerk;         /* steps/s^3 */
    bool inverted;         /* forward is the other level of the direction pin */

    int8_t limit_low; /* enum board_input, or AXIS_NO_INPUT */
    int8_t limit_high;
    bool halt_at_limits; /* no braking ramp at a switch: for axes with no room behind it */
    bool soft_limits;
    int32_t soft_low, soft_high;

    int8_t home_input;             /* enum board_input, or AXIS_NO_INPUT */
    bool home_forward;             /* the switch lies in the direction of growing positions */
    uint32_t home_fast, home_slow; /* steps/s */
    uint32_t home_travel;          /* the longest way to the switch, steps */
    uint32_t home_back_off;        /* beyond what the switch needs to open, steps */
    uint32_t home_timeout_ms;
    int32_t home_position; /* what the position is where the switch closes */

    uint32_t direction_setup_us; /* direction stands before the first step: one tick or more */
    uint32_t enable_delay_us;    /* the driver is awake */
    uint32_t idle_off_ms; /* 0: current stays on. Else the position is lost with the current */
};

enum axis_state { AXIS_IDLE, AXIS_MOVING, AXIS_STOPPING, AXIS_HOMING, AXIS_FAULT };

enum axis_home_phase {
    AXIS_HOME_NONE,
    AXIS_HOME_RELEASE, /* the switch was active at the start: leave it */
    AXIS_HOME_FAST,
    AXIS_HOME_BACK,
    AXIS_HOME_SLOW,
    AXIS_HOME_LEAVE
};

struct axis {
    unsigned index;
    uint32_t tick_hz;
    struct axis_config config;
    bool configured;

    /* The tick's. */
    struct profile_run run;
    uint32_t wait; /* ticks before the first step: direction, enable */
    int32_t position;
    uint32_t steps;    /* made since the start */
    int32_t direction; /* +1 or -1, as the pin stands */
    bool step_high;
    bool running;
    bool stopping;
    bool seeking; /* homing: an edge of the home switch ends the move */
    bool found;
    int32_t edge; /* position where it came */

    enum motion_error error;
    int32_t error_position;
    bool trusted; /* the position is that of the carriage */
    bool enabled;
    bool driven; /* the direction pin was set since the start */

    /* The main loop's. */
    int32_t target;
    bool keep_awake; /* the current stays on though idle */
    enum axis_home_phase home_phase;
    uint32_t now; /* tick of the last poll */
    uint32_t home_since;
    uint32_t active_since; /* when last seen moving */
};

struct axis_status {
    enum axis_state state;
    int32_t position, target;
    uint32_t steps; /* made since the start */
    enum motion_error error;
    int32_t error_position;
    bool trusted, enabled;
    float speed; /* steps/s now, with sign */
};

void axis_init(struct axis *axis, unsigned index);
/* MOTION_BUSY, MOTION_BAD_CONFIG, MOTION_SPEED_TOO_HIGH, MOTION_TOO_SLOW. */
enum motion_error axis_configure(struct axis *axis, const struct axis_config *config);
/* speed 0 is the configured one; a higher one is refused. */
enum motion_error axis_limits(const struct axis *axis, uint32_t speed,
                              struct profile_limits *limits);

/* Starts a move; speed in steps/s, 0 = as configured. Returns after handing it to the tick.
 * Moving to where it stands is no move. */
enum motion_error axis_move_to(struct axis *axis, int32_t target, uint32_t speed);
enum motion_error axis_move_by(struct axis *axis, int32_t steps, uint32_t speed);
/* Whether axis_move_to() would be refused, from any position at all (not: busy, limit switches). */
enum motion_error axis_reachable(const struct axis *axis, int64_t target);
/* Controlled stop; ends homing too. */
void axis_stop(struct axis *axis);
/* Homes: fast to the switch, back, slow to the switch, where the position becomes home_position,
 * and away from it by the back-off. axis_poll() carries it on. */
enum motion_error axis_home(struct axis *axis);
/* Declares where the axis stands; the position is trusted then. MOTION_BUSY, MOTION_OUT_OF_RANGE.
 */
enum motion_error axis_set_position(struct axis *axis, int32_t position);
/* Current on or off; off loses the position. MOTION_BUSY. */
enum motion_error axis_enable(struct axis *axis, bool on);
/* Forgets a latched error (not an emergency stop: motion_clear()). */
void axis_clear(struct axis *axis);
void axis_status(struct axis *axis, struct axis_status *status);
/* No step is due and none will be. */
bool axis_still(const struct axis *axis);

/* From the main loop, as often as it comes round. now: ticks since the start. */
void axis_poll(struct axis *axis, uint32_t now);

/* From interrupts, or with interrupts off. */
void axis_tick(struct axis *axis);
void axis_brake(struct axis *axis);
/* No step any more. The position is what was made, but the motor may not have followed. */
void axis_halt(struct axis *axis, enum motion_error error);
/* The input is active, or has just become so. */
void axis_input(struct axis *axis, enum board_input input);
/* The same for the levels of all inputs: those that concern this move. */
void axis_levels(struct axis *axis, uint32_t active);

/* For axis_home.c; the second only while it homes. */
enum motion_error axis_start(struct axis *axis, int64_t target, uint32_t speed, bool seeking);
void axis_home_poll(struct axis *axis, uint32_t now);

#endif
