/* The hub's motion: three axes and the trigger, carried on by one tick. What the board's interrupts
 * call, and what an emergency stop does. */
#ifndef NFSAR_FIRMWARE_MOTION_H
#define NFSAR_FIRMWARE_MOTION_H

#include "firmware/app/axis.h"
#include "firmware/app/trigger.h"

struct motion {
    struct axis axis[BOARD_AXES];
    struct trigger trigger;
    uint32_t ticks;      /* since the start; wraps */
    uint32_t late_ticks; /* that came two periods or more after the one before */
    uint32_t late;       /* so many counts */
    uint32_t last;       /* count of the last tick */
    uint32_t seen;       /* inputs active in the tick before */
    bool emergency;      /* latched */
};

void motion_init(struct motion *motion);

/* board_on_tick(). */
void motion_tick(struct motion *motion);
/* board_on_input(): an input became active. */
void motion_input(struct motion *motion, enum board_input input);
/* From the main loop, as often as it comes round. */
void motion_poll(struct motion *motion);

uint32_t motion_ticks(struct motion *motion);
/* All positions at one moment, and the count of the timer then. */
uint32_t motion_positions(struct motion *motion, int32_t position[BOARD_AXES]);
/* No further step from the next tick on; positions are not trusted until homed or set. */
void motion_emergency_stop(struct motion *motion);
/* Forgets all latched errors. MOTION_EMERGENCY_STOP while its input is active. */
enum motion_error motion_clear(struct motion *motion);
/* Controlled stop of all axes, and no trigger any more. */
void motion_stop(struct motion *motion);
bool motion_still(struct motion *motion);

#endif
