/* Scans that the hub makes alone once they are started: rows of triggers along a fast axis, a slow
 * axis between the rows.
 *
 * Raster: every row in the direction of column_pitch, the fast axis returns. Serpentine: rows forth
 * and back, with triggers at the same positions and the same column numbers both ways. Turntable:
 * the fast axis turns on in one direction; row r is whole turns further than row 0.
 *
 * Fly-by: triggers by step count while the fast axis cruises; run-in and run-out are added outside
 * the columns. On a turntable it turns without a stop from the first row to the last, and the slow
 * axis moves meanwhile. Stop-and-go: at each point the axis stands for settle_ms, then come the
 * triggers.
 *
 * A scan is checked as a whole before anything moves. Then it is made, or ends with an error that
 * names the reason, the row and the triggers made; the axes are brought to a stand, positions stay
 * exact, and another can be started when the error is cleared. */
#ifndef NFSAR_FIRMWARE_PROGRAM_H
#define NFSAR_FIRMWARE_PROGRAM_H

#include "firmware/app/motion.h"

enum program_pattern { PROGRAM_RASTER, PROGRAM_SERPENTINE, PROGRAM_TURNTABLE, PROGRAM_PATTERNS };
enum program_mode { PROGRAM_FLY_BY, PROGRAM_STOP_AND_GO, PROGRAM_MODES };

struct program_scan {
    enum program_pattern pattern;
    enum program_mode mode;
    unsigned fast, slow; /* axes */
    int32_t fast_first;  /* position of column 0 (of row 0, on a turntable) */
    int32_t slow_first;  /* position of row 0 */
    uint32_t columns, rows;
    int32_t column_pitch, row_pitch; /* steps */
    uint32_t speed;                  /* along a row, steps/s; 0 = what axis and radar allow */
    uint32_t
        settle_ms;     /* fly-by: cruise before the first trigger; else: stand before the trigger */
    uint32_t dwell_ms; /* stand before each row; on a turning table: after the slow axis moved */
    uint32_t burst;    /* triggers at a point, stop-and-go; 0 is 1 */
    uint32_t burst_period_ns; /* 0 = as fast as the radar allows */
    /* Steps of play. Each row is approached from at least so far, and a serpentine's backward rows
     * are triggered so many steps later: there the carriage, not the motor, is at the column. The
     * slow axis comes to row 0 from the side from which it goes on. */
    uint32_t fast_backlash, slow_backlash;
    uint32_t turn; /* PROGRAM_TURNTABLE: steps of a turn of the fast axis */
};

/* What follows from a scan. */
struct program_plan {
    uint32_t speed; /* steps/s along a row; 0 = as configured (stop-and-go) */
    uint32_t lead;  /* steps before the first point of a row: run-in, play */
    uint32_t tail;  /* steps after the last */
    uint32_t turns; /* PROGRAM_TURNTABLE: turns from row to row */
    uint32_t burst;
    uint32_t period_ns;                               /* stop-and-go: of a burst */
    uint32_t triggers;                                /* of the whole scan */
    int32_t fast_low, fast_high, slow_low, slow_high; /* where the axes will be */
};

enum program_state {
    PROGRAM_IDLE,
    PROGRAM_APPROACH, /* to the start of row 0 */
    PROGRAM_TO_ROW,   /* to the start of a row */
    PROGRAM_DWELL,
    PROGRAM_ROW,      /* fly-by: along the row */
    PROGRAM_TO_POINT, /* stop-and-go */
    PROGRAM_SETTLE,
    PROGRAM_POINT,     /* the triggers of a point */
    PROGRAM_TURN_ROW,  /* the table turns: triggers of a row */
    PROGRAM_TURN_STEP, /* the slow axis goes to the next row meanwhile */
    PROGRAM_TURN_DWELL,
    PROGRAM_TURN_OUT, /* the last run-out */
    PROGRAM_BRAKING,  /* ended early: until all stands */
    PROGRAM_DONE,
    PROGRAM_FAILED
};

struct program {
    struct motion *motion;
    struct program_scan scan;
    struct program_plan plan;
    enum program_state state;
    uint32_t row, column; /* column counts points of the row made, in the order of making */
    uint32_t since;       /* tick when the state began */
    bool armed;           /* the triggers' numbers are this program's */
    enum motion_error error;
    uint32_t error_row;
};

struct program_status {
    enum program_state state;
    uint32_t row, rows;
    uint32_t made, triggers; /* so far, and of the whole */
    enum motion_error error;
    uint32_t error_row;
};

void program_init(struct program *program, struct motion *motion);

/* What a scan would be, or why it cannot be. Nothing moves. trigger_configure() comes first. */
enum motion_error program_check(const struct motion *motion, const struct program_scan *scan,
                                struct program_plan *plan);
/* About how long a checked scan takes from the start of row 0, the way there left out. */
uint32_t program_duration_ms(const struct motion *motion, const struct program_scan *scan,
                             const struct program_plan *plan);
/* Checks and starts; program_poll() carries on. MOTION_BUSY. */
enum motion_error program_start(struct program *program, const struct program_scan *scan);
/* Controlled stop; PROGRAM_ABORTED. */
void program_abort(struct program *program);
/* From the main loop, after motion_poll(). */
void program_poll(struct program *program);
/* Axes and trigger are the program's: no commands to them but stops. */
bool program_running(const struct program *program);
void program_status(struct program *program, struct program_status *status);

/* +1 or -1: which way row's points are passed. */
int32_t program_direction(const struct program_scan *scan, uint32_t row);
/* Position of the fast axis at point k of a row, in the order of making; k = -1 is where the row
 * starts, k = columns where it ends. */
int64_t program_point(const struct program_scan *scan, const struct program_plan *plan,
                      uint32_t row, int64_t k);

#endif
