/* The stage, the triggers and the scan programs as the host sees them: commands in, records out.
 * Axes, triggers and programs themselves know nothing of the wire. */
#ifndef NFSAR_APP_STAGE_H
#define NFSAR_APP_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/app/motion.h"
#include "firmware/app/program.h"
#include "nfsar/wire.h"

struct answer;
struct hub;

struct stage {
    struct motion motion;
    struct program program;
    struct program_scan scan;
    bool loaded;
    bool of_program;        /* the last arming was a program's */
    uint32_t triggers;      /* records taken since the start */
    uint16_t trigger_worst; /* records that waited, at most */
    uint16_t scans;         /* counts armings */
    uint8_t told_program;   /* enum nfsar_wire_program_state */
    uint32_t told_row;
    struct nfsar_wire_axis told[BOARD_AXES];
    uint32_t told_ticks[BOARD_AXES];
    enum motion_error told_error[BOARD_AXES];
    enum motion_error told_trigger;
    bool told_emergency;
    uint64_t axis_ns; /* of the last records of moving axes */
};

void stage_init(struct hub *hub);
void stage_poll(struct hub *hub);

/* Makes records of the triggers that wait. */
void stage_take_triggers(struct hub *hub);

/* The axes are told again, to a host that comes later. */
void stage_tell_again(struct stage *stage);

/* The commands 0x90 to 0xbf: a command of commands.h. */
enum nfsar_wire_result stage_command(struct hub *hub, const struct nfsar_wire_message *message,
                                     uint32_t count, struct answer *answer);

/* Clears what the stage has latched behind these errors. */
void stage_clear(struct hub *hub, uint32_t errors);

/* Which error a latched one is to the host. */
enum nfsar_wire_error_code stage_error_of(enum motion_error error);

/* Stops at once. */
void stage_emergency(struct hub *hub);

/* Nothing moves, nothing is armed, no program runs. */
bool stage_idle(struct stage *stage);

bool stage_emergency_latched(struct stage *stage);
bool stage_armed(struct stage *stage);
uint8_t stage_program_state(const struct stage *stage);

#endif
