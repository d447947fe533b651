/* Records on their way to the host: a ring of finished frames. Every record made takes a number,
 * also one that finds no room and is dropped; so the gaps in what the host sees are what was
 * dropped, and the counters here say how many that were. Sensors leave room for the rest, and the
 * rest leaves room for triggers: under overload the scan's own records go last. */
#ifndef NFSAR_PROTOCOL_OUTBOX_H
#define NFSAR_PROTOCOL_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OUTBOX_BYTES = 12288 };

struct outbox {
    uint8_t ring[OUTBOX_BYTES];
    size_t begin; /* of the oldest byte */
    size_t used;
    size_t worst;
    uint32_t made; /* the number of the next record */
    uint32_t dropped;
    uint32_t dropped_sensors;
    uint32_t dropped_triggers;
    bool within; /* the last byte taken out was not the end of a frame */
    bool begun;  /* on this line: a zero has ended what it carried before */
};

void outbox_init(struct outbox *outbox);

/* Puts a record in, or drops and counts it: false. */
bool outbox_put(struct outbox *outbox, uint8_t kind, uint8_t channel, uint64_t time_ns,
                const uint8_t *payload, size_t n);

/* Gives write() what waits, until it takes no more. */
void outbox_drain(struct outbox *outbox,
                  size_t (*write)(void *context, const uint8_t *from, size_t n), void *context);

/* Another line takes over: the rest of a frame begun on the old one is dropped. The new one may
 * have been left within a frame before, hence it gets a zero first. */
void outbox_restart(struct outbox *outbox);

#endif
