/* The radar's triggers: when to pulse SYNC_IN, and a numbered, stamped record of each pulse.
 *
 * A run is a row of triggers: at steps of an axis, or in a period, or one. A series of runs (a
 * scan) counts its triggers through. Nothing is silent: a trigger that cannot be made when it is
 * due ends the run with a latched error that names its number, and brings the axes to a controlled
 * stop. */
#ifndef NFSAR_FIRMWARE_TRIGGER_H
#define NFSAR_FIRMWARE_TRIGGER_H

#include "firmware/app/axis.h"

#include <stdatomic.h>

enum trigger_mode { TRIGGER_OFF, TRIGGER_PERIOD, TRIGGER_STEPS, TRIGGER_SINGLE };

/* What the radar bears. */
struct trigger_timing {
    uint32_t shortest_ns; /* frame time and margin: no two triggers closer */
    uint32_t width_ns;    /* of the pulse, 1000 to 10000 */
};

struct trigger_run {
    enum trigger_mode mode;
    uint32_t count;     /* triggers; 0 = until disarmed (period only) */
    uint32_t period_ns; /* TRIGGER_PERIOD */
    unsigned axis; /* TRIGGER_STEPS: the axis, its first position, and the steps to the next, */
    int32_t first; /* negative when it comes downward. The axis stands before the first point */
    int32_t pitch;
    uint16_t row; /* of the first trigger */
    uint32_t column;
    int16_t column_step; /* to the next: 1, 0, -1 */
};

struct trigger_event {
    uint32_t number; /* from 0 when the series was armed */
    uint32_t count;  /* of the free-running timer at the edge */
    int32_t position[BOARD_AXES];
    uint16_t row;
    uint32_t column;
};

/* Single producer (the tick), single consumer (the main loop). */
enum { TRIGGER_RING = 128 };

struct trigger {
    struct axis *axes; /* BOARD_AXES of them */

    /* The radar's, in counts. */
    struct trigger_timing timing;
    uint32_t shortest;

    /* The run. */
    enum trigger_mode mode;
    bool started;
    uint64_t due; /* PERIOD: count, in 2^-32; wraps as the count does */
    uint64_t period;
    unsigned axis;
    int32_t next;
    int32_t pitch;
    uint32_t left; /* triggers of this run to come */
    bool endless;
    uint16_t row;
    uint32_t column;
    int16_t column_step;

    uint32_t number; /* of the next trigger */
    uint32_t made;   /* in this run */
    bool held;       /* the radar is not ready yet */
    uint32_t last;   /* count of the tick of the last trigger */

    enum motion_error error;
    uint32_t error_number;
    uint32_t refused; /* triggers due but not made since the start of the hub */

    atomic_uint head, tail;
    struct trigger_event ring[TRIGGER_RING];
};

struct trigger_status {
    enum trigger_mode mode; /* TRIGGER_OFF when the run has ended */
    uint32_t number, made, left;
    enum motion_error error;
    uint32_t error_number;
    uint32_t refused;
};

void trigger_init(struct trigger *trigger, struct axis *axes);
/* TRIGGER_BUSY, TRIGGER_BAD_SETUP, TRIGGER_NO_MINIMUM. */
enum motion_error trigger_configure(struct trigger *trigger, const struct trigger_timing *timing);
/* Arms a run. again: the numbers go on from the run before. A latched error must be cleared first.
 * An axis that stands at or beyond the first point latches TRIGGER_MISSED. MOTION_NOT_TRUSTED. */
enum motion_error trigger_arm(struct trigger *trigger, const struct trigger_run *run, bool again);
void trigger_disarm(struct trigger *trigger);
void trigger_clear(struct trigger *trigger);
void trigger_status(struct trigger *trigger, struct trigger_status *status);
/* The next record, if there is one. */
bool trigger_take(struct trigger *trigger, struct trigger_event *event);

/* From the tick, after the axes. count: of the timer when the tick began. */
void trigger_tick(struct trigger *trigger, uint32_t count);
/* From interrupts: ends the run with an error. */
void trigger_fail(struct trigger *trigger, enum motion_error error);

/* ns in counts of a timer, in 2^-32. */
uint64_t trigger_counts(uint32_t ns, uint32_t hz);

#endif
