/* Why something about motion or triggers was refused or stopped. */
#ifndef NFSAR_FIRMWARE_MOTION_ERROR_H
#define NFSAR_FIRMWARE_MOTION_ERROR_H

enum motion_error {
    MOTION_OK,

    /* Refused: nothing has moved, nothing is latched. */
    MOTION_BUSY,           /* the axis moves, homes, or a program runs */
    MOTION_NOT_CONFIGURED, /* the axis has no speed, acceleration or jerk */
    MOTION_BAD_CONFIG,     /* a value of the configuration cannot be */
    MOTION_SPEED_TOO_HIGH, /* a step takes two ticks: speed < tick_hz / 2 */
    MOTION_TOO_SLOW,       /* a ramp or a move of more ticks than the profile can count */
    MOTION_OUT_OF_RANGE,   /* beyond +-2^30 steps */
    MOTION_SOFT_LIMIT,     /* the target is outside the soft limits */
    MOTION_NOT_TRUSTED,    /* the position is not known: home the axis or set it */
    MOTION_NO_HOME_SWITCH, /* the axis has no input to home to */

    /* Latched in the axis, with the position. */
    MOTION_LIMIT_LOW,      /* the switch at the low end stopped the axis */
    MOTION_LIMIT_HIGH,     /* the switch at the high end stopped the axis */
    MOTION_EMERGENCY_STOP, /* the input or a command; until motion_clear() */
    MOTION_HOME_NOT_FOUND, /* the whole travel made, and no switch */
    MOTION_HOME_STUCK,     /* the switch is still active after backing off */
    MOTION_HOME_TIMEOUT,   /* homing took too long */

    /* Triggers: refused. */
    TRIGGER_BUSY,       /* armed already */
    TRIGGER_BAD_SETUP,  /* mode, axis, pitch, count, width or row cannot be */
    TRIGGER_NO_MINIMUM, /* the radar's shortest period was not set */
    TRIGGER_TOO_FAST,   /* the period is shorter than the radar's shortest */

    /* Triggers: latched, with the number of the trigger that was not made. */
    TRIGGER_TOO_EARLY, /* a point came before the radar could be ready */
    TRIGGER_MISSED,    /* a point was passed without a trigger */
    TRIGGER_OVERRUN,   /* a tick came later than a whole period */
    TRIGGER_RING_FULL, /* the main loop did not take the records away */

    /* Programs: refused. */
    PROGRAM_BAD_AXES,    /* fast and slow axis are the same, or none */
    PROGRAM_EMPTY,       /* no column, no row, or no trigger for a point */
    PROGRAM_TOO_LARGE,   /* more than 65535 rows or columns, 2^32 triggers, an hour's wait */
    PROGRAM_NO_PITCH,    /* several columns or rows, and pitch 0 */
    PROGRAM_BAD_TURN,    /* the columns do not fit a turn */
    PROGRAM_TOO_FAST,    /* at that speed columns come before the radar is ready */
    PROGRAM_BAD_PATTERN, /* no such pattern, or not in this mode */

    /* Programs: what ended one. */
    PROGRAM_ABORTED,     /* by command */
    PROGRAM_WRONG_COUNT, /* a row ended with more or fewer triggers than columns */
    PROGRAM_ROW_LATE,    /* the table came round before the slow axis was there */

    MOTION_ERRORS
};

/* One word for each, lower case: "trigger-too-early". */
const char *motion_error_name(enum motion_error error);

#endif
