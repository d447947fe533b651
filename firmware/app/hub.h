/* The hub: one structure that holds everything, a main loop that drains what interrupts have
 * stamped and put into rings, and the commands of the host. */
#ifndef NFSAR_APP_HUB_H
#define NFSAR_APP_HUB_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/app/clock.h"
#include "firmware/app/crash.h"
#include "firmware/app/errors.h"
#include "firmware/app/links.h"
#include "firmware/app/pps.h"
#include "firmware/app/radar.h"
#include "firmware/app/sensors.h"
#include "firmware/app/stage.h"
#include "firmware/protocol/outbox.h"
#include "nfsar/wire.h"

enum {
    HUB_STATUS_MS = 1000,
    HUB_AXIS_MS = 100,
    HUB_WATCHDOG_MS = 500,
    HUB_EMULATED_WATCHDOG_MS = 5000, /* an emulator may be left without a processor for long */
    HUB_RESTART_MS = 50,
    HUB_STACK_MS = 4
};

/* Of the motion interrupt; written there, the worst cleared with each status record. Counts. */
struct hub_ticks {
    uint32_t number;
    uint32_t began;
    uint32_t period;
    uint32_t worst;
    uint32_t late_worst;
};

struct hub {
    struct clock clock;
    uint64_t now_ns; /* of this turn of the loop */
    struct outbox outbox;
    struct errors errors;
    struct links links;
    struct stage stage;
    struct pps pps;
    struct radar radar;
    struct sensors sensors;

    bool greeted; /* the host said hello: streams flow */
    struct nfsar_wire_do_streams streams;
    uint64_t status_ns; /* of the last status record */

    volatile struct hub_ticks ticks;
    uint64_t stack_ns;   /* when the stack was looked at */
    uint32_t fed;        /* the tick at which the watchdog was fed */
    uint32_t loop_worst; /* counts, since the last status record */
    uint32_t lost[BOARD_PORTS];
    uint32_t told_dropped;
    uint32_t told_late; /* counts, of the ticks' worst since the last status record */
    bool lit;

    uint8_t injected;   /* enum nfsar_wire_fault, to come */
    uint64_t inject_ns; /* not before */
    uint32_t stall_ms;
    uint32_t flood;      /* records still to be made */
    uint64_t restart_ns; /* 0: no restart asked for */
};

/* Of a session that has not said otherwise. */
extern const struct nfsar_wire_do_streams hub_streams;

void hub_init(struct hub *hub);

/* What the board's interrupts call. */
void hub_on_tick(struct hub *hub);
void hub_on_input(struct hub *hub, enum board_input input);
void hub_on_stamp(struct hub *hub, enum board_stamp stamp, uint32_t count);

/* One turn of the main loop. */
void hub_poll(struct hub *hub);

/* Makes a record, unless the host did not say hello or turned its kind off. */
void hub_record(struct hub *hub, enum nfsar_wire_kind kind, uint8_t channel, uint64_t time_ns,
                const uint8_t *payload, size_t n);

/* For the records that all parts make: packs and makes. */
#define HUB_RECORD(hub, NAME, name, channel, time_ns, what)                                        \
    do {                                                                                           \
        uint8_t payload_[NFSAR_WIRE_##NAME##_BYTES];                                               \
        hub_record(hub, NFSAR_WIRE_##NAME, channel, time_ns, payload_,                             \
                   nfsar_wire_pack_##name(payload_, what));                                        \
    } while (0)

void hub_say_hello(struct hub *hub);
void hub_say_status(struct hub *hub);
void hub_say_crash(struct hub *hub);

#endif
