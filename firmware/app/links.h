/* The ways to the host: a serial line and USB, the same frames on both. Both are heard; records go
 * to the one that the host spoke on last. */
#ifndef NFSAR_APP_LINKS_H
#define NFSAR_APP_LINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/protocol/outbox.h"
#include "firmware/usb/usb_link.h"
#include "nfsar/wire.h"

enum link { LINK_SERIAL, LINK_USB, LINKS };

enum { LINK_RATE = 921600 };

/* One way, and what was last answered on it: a command that comes again is answered again. */
struct link_state {
    struct nfsar_wire_reader reader;
    bool answered;
    uint8_t kind;
    uint32_t sequence;
    size_t bytes; /* of the answer */
    uint8_t answer[NFSAR_WIRE_PAYLOAD_MAX];
};

struct links {
    struct link_state state[LINKS];
    struct usb_link usb;
    bool has_usb;
    uint32_t usb_restarts, usb_emptied, usb_lost; /* as far as they were seen to */
    enum link active;
};

/* A good frame from the host: carry it out, write the reply's payload to `answer`, return its
 * bytes. `count` is the timer's when the frame's last byte was taken. */
typedef size_t links_command(void *context, const struct nfsar_wire_message *message,
                             uint32_t count, uint8_t answer[NFSAR_WIRE_PAYLOAD_MAX]);

void links_init(struct links *links);

/* Hears both; at most 256 bytes each in one call. Replies go into the outbox. */
void links_poll(struct links *links, struct outbox *outbox, uint64_t now_ns, links_command *command,
                void *context);

/* Sends what waits in the outbox, as much as the active way takes. */
void links_send(struct links *links, struct outbox *outbox);

uint32_t links_frames(const struct links *links);
uint32_t links_bad(const struct links *links);

#endif
