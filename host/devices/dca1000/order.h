/* Can this byte count be? A packet's sequence number and byte count are judged beside those of the
 * newest packet that was taken, and beside the clock. */
#ifndef NFSAR_HOST_DEVICES_DCA1000_ORDER_H
#define NFSAR_HOST_DEVICES_DCA1000_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "host/devices/dca1000/packet.h"

enum order_verdict {
    ORDER_NEWER,    /* newer than all before */
    ORDER_OLDER,    /* or the newest once more */
    ORDER_WAIT,     /* a jump ahead: to be kept until another packet agrees */
    ORDER_AGREED,   /* with the one that was kept: both are to be taken, that one first */
    ORDER_MALFORMED /* cannot be */
};

/* Where a packet says it is: by number, and by place in the stream. */
struct order_point {
    uint32_t sequence;
    uint64_t byte;
    uint64_t bytes; /* of its payload */
};

enum { ORDER_RESTARTED = 256 }; /* so many packets in a row from before the window: see below */

struct order {
    uint64_t window; /* bytes that a packet may be ahead of all others by its own word alone */
    uint64_t began_ns;
    uint64_t base; /* byte count at which the stream begins */
    bool began;    /* a packet was taken */
    bool waits;    /* one is kept */
    unsigned old;  /* packets in a row that are older than the window; a card that began anew, after
                      a power failure, sends no others */
    struct order_point newest;
    struct order_point kept; /* byte is its byte count, base not taken off */
};

/* A stream that began at this time: nothing came before. */
void order_begin(struct order *order, uint64_t window, uint64_t now_ns);

/* Judges a packet. *place is where its payload begins in the stream when it is to be taken.
 * *dropped: a packet that was kept is not to be taken. */
enum order_verdict order_judge(struct order *order, const struct dca1000_data *data,
                               uint64_t now_ns, uint64_t *place, bool *dropped);

/* At the end of the stream: is the packet that is kept to be taken after all? */
bool order_last(struct order *order, uint64_t now_ns);

/* Where the payload of the packet kept begins, after ORDER_AGREED or order_last(). */
uint64_t order_kept_place(const struct order *order);

#endif
