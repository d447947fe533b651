#include "firmware/app/links.h"

#include <string.h>

#include "firmware/boards/board.h"

enum { BYTES_A_POLL = 256 };

void links_init(struct links *links) {
    memset(links, 0, sizeof *links);
    const struct serial_port *port = board_port(BOARD_PORT_LINK);
    port->set_rate(port->context, LINK_RATE);
    if (board_usb() != NULL) {
        uint8_t serial[12];
        char text[USB_SERIAL_SIZE];
        board_serial(serial);
        usb_serial(serial, text);
        links->has_usb =
            usb_link_init(&links->usb, board_usb(), text, NFSAR_WIRE_MAJOR, NFSAR_WIRE_MINOR);
    }
}

static bool read_byte(struct links *links, enum link link, uint8_t *byte, uint32_t *count) {
    if (link == LINK_SERIAL) {
        const struct serial_port *port = board_port(BOARD_PORT_LINK);
        return port->read(port->context, byte, count);
    }
    if (!links->has_usb || usb_link_read(&links->usb, byte, 1) == 0) {
        return false;
    }
    *count = board_count();
    return true;
}

/* Frames that were in USB's ring and went no further. */
static void count_lost(struct links *links, struct outbox *outbox) {
    outbox->dropped += links->usb.frames_lost - links->usb_lost;
    links->usb_lost = links->usb.frames_lost;
}

static void hear(struct links *links, struct outbox *outbox, enum link link,
                 const struct nfsar_wire_message *message, uint32_t count, uint64_t now_ns,
                 links_command *command, void *context) {
    struct link_state *state = &links->state[link];
    const struct nfsar_wire_header *header = &message->header;
    if (links->active != link) {
        if (links->active == LINK_USB) {
            usb_link_drop(&links->usb);
            count_lost(links, outbox);
        }
        outbox_restart(outbox);
        links->active = link;
    }
    /* Hello begins a session, whose numbers may be those of the session before. */
    const bool again = state->answered && header->kind == state->kind &&
                       header->sequence == state->sequence && header->kind != NFSAR_WIRE_DO_HELLO;
    if (!again) {
        state->bytes = command(context, message, count, state->answer);
        state->answered = true;
        state->kind = header->kind;
        state->sequence = header->sequence;
    }
    outbox_put(outbox, NFSAR_WIRE_REPLY, header->channel, now_ns, state->answer, state->bytes);
}

/* Of a command that was coming when the bus was reset the end will not come. A program that begins
 * empties USB's ring: of a frame begun there the rest is garbage to it. */
static void poll_usb(struct links *links, struct outbox *outbox) {
    usb_link_poll(&links->usb);
    if (links->usb.restarts != links->usb_restarts) {
        links->usb_restarts = links->usb.restarts;
        links->state[LINK_USB].reader.filled = 0;
        links->state[LINK_USB].reader.overlong = false;
    }
    if (links->usb.emptied != links->usb_emptied) {
        links->usb_emptied = links->usb.emptied;
        count_lost(links, outbox);
        if (links->active == LINK_USB) {
            outbox_restart(outbox);
        }
    }
}

void links_poll(struct links *links, struct outbox *outbox, uint64_t now_ns, links_command *command,
                void *context) {
    if (links->has_usb) {
        poll_usb(links, outbox);
    }
    for (unsigned link = 0; link < LINKS; link++) {
        for (unsigned i = 0; i < BYTES_A_POLL; i++) {
            struct nfsar_wire_message message;
            uint8_t byte;
            uint32_t count;
            if (!read_byte(links, link, &byte, &count)) {
                break;
            }
            if (nfsar_wire_read(&links->state[link].reader, byte, &message)) {
                hear(links, outbox, link, &message, count, now_ns, command, context);
            }
        }
    }
}

static size_t write_usb(void *context, const uint8_t *from, size_t n) {
    return usb_link_write(context, from, n);
}

void links_send(struct links *links, struct outbox *outbox) {
    if (links->active == LINK_USB) {
        outbox_drain(outbox, write_usb, &links->usb);
    } else {
        const struct serial_port *port = board_port(BOARD_PORT_LINK);
        outbox_drain(outbox, port->write, port->context);
    }
}

uint32_t links_frames(const struct links *links) {
    return links->state[LINK_SERIAL].reader.frames + links->state[LINK_USB].reader.frames;
}

uint32_t links_bad(const struct links *links) {
    return links->state[LINK_SERIAL].reader.bad + links->state[LINK_USB].reader.bad;
}
