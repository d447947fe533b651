/* What the hub keeps over a reset: how often it started, and where it was when it crashed. It lies
 * in memory that resets leave alone; a sum tells whether it is what was left or noise. */
#ifndef NFSAR_APP_CRASH_H
#define NFSAR_APP_CRASH_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/boards/board.h"
#include "nfsar/wire.h"

/* What the main loop was doing; kept, so that a hang has a place too. */
enum place {
    PLACE_START,
    PLACE_LINK,
    PLACE_MOTION,
    PLACE_SENSORS,
    PLACE_RADAR,
    PLACE_STATUS,
    PLACE_SEND,
    PLACE_INJECTED
};

/* At the start: reads what was kept, and makes a crash of a reset by the watchdog. */
void crash_start(enum board_reset_cause cause);

/* Starts since power came, this one included. */
uint32_t crash_starts(void);

/* The last crash. False: there is none, or it was forgotten. */
bool crash_read(struct nfsar_wire_crash *crash);
void crash_forget(void);

/* Kept for a crash to come: where the main loop is, and since when the hub runs. */
void crash_place(enum place place, uint64_t uptime_ns);

#endif
