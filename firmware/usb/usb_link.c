#include "firmware/usb/usb_link.h"

#include <string.h>

static size_t filled(const struct usb_link_ring *ring) {
    return ring->head - ring->tail;
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Copy into a ring of @p size bytes at its head, in one or two pieces. The caller has looked that
 * they fit. */
static void put(struct usb_link_ring *ring, uint8_t *bytes, size_t size, const uint8_t *from,
                size_t n) {
    size_t at = ring->head % size;
    size_t first = smaller(n, size - at);
    memcpy(bytes + at, from, first);
    memcpy(bytes, from + first, n - first);
    ring->head += (uint32_t)n;
}

/* Copy @p n bytes from the tail, which stays. */
static void peek(const struct usb_link_ring *ring, const uint8_t *bytes, size_t size, uint8_t *to,
                 size_t n) {
    size_t at = ring->tail % size;
    size_t first = smaller(n, size - at);
    memcpy(to, bytes + at, first);
    memcpy(to + first, bytes, n - first);
}

/* A packet stays in the ring until the host has it, so that a halt in between loses nothing. */
static void send(struct usb_link *link) {
    uint8_t packet[DCD_PACKET_MAX];
    size_t n = smaller(filled(&link->tx), sizeof packet);
    if (link->writing || (n == 0 && !link->end_due)) {
        return;
    }
    peek(&link->tx, link->tx_bytes, USB_LINK_TX_RING, packet, n);
    if (usbd_write(&link->usbd, packet, n)) {
        link->writing = true;
        link->in_flight = (uint32_t)n;
    }
}

/* Without room for a packet the endpoint stays at NAK and the host waits. */
static void receive(struct usb_link *link) {
    if (!link->receiving && USB_LINK_RX_SIZE - filled(&link->rx) >= DCD_PACKET_MAX &&
        link->usbd.state == USBD_CONFIGURED) {
        link->receiving = true;
        usbd_receive(&link->usbd);
    }
}

/* ---- what the core tells ---- */

/* Whatever was under way ends. What the host sent is commands, which it repeats; what it was sent
 * goes on where its last whole frame ended, unless the frames are longer than the ring remembers.
 */
static void interrupt(struct usb_link *link) {
    link->lost_out += (uint32_t)filled(&link->rx);
    link->rx.tail = link->rx.head;
    if (link->tx.tail - link->kept <= USB_LINK_TX_RING - USB_LINK_TX_SIZE) {
        link->tx.tail = link->kept;
    }
    link->writing = link->end_due = link->receiving = false;
    link->restarts++;
}

/* Drop what was written from @p at on. Frames that end there are lost; a frame that ends behind it
 * is its writer's to count. */
static void drop(struct usb_link *link, uint32_t at) {
    link->lost_in += link->tx.head - at;
    bool ended =
        at == link->fresh || at == link->kept || link->tx_bytes[(at - 1) % USB_LINK_TX_RING] == 0;
    for (; at != link->tx.head; at++) {
        const bool end = link->tx_bytes[at % USB_LINK_TX_RING] == 0;
        link->frames_lost += end && !ended && at != link->fresh;
        ended = end;
    }
}

static void configured(void *user, bool chosen) {
    struct usb_link *link = user;
    interrupt(link);
    if (chosen) {
        drop(link, link->tx.tail);
        link->tx.tail = link->kept = link->fresh = link->tx.head;
        link->emptied++;
    }
    receive(link);
}

static void unconfigured(void *user) {
    interrupt(user);
}

static void out_packet(void *user, const uint8_t *packet, size_t n) {
    struct usb_link *link = user;
    link->receiving = false;
    link->bytes_out += (uint32_t)n;
    put(&link->rx, link->rx_bytes, USB_LINK_RX_SIZE, packet, n);
    receive(link);
}

static void in_done(void *user) {
    struct usb_link *link = user;
    link->writing = false;
    for (uint32_t i = 0; i < link->in_flight; i++, link->tx.tail++) {
        if (link->tx_bytes[link->tx.tail % USB_LINK_TX_RING] == 0) {
            link->kept = link->tx.tail;
        }
    }
    link->bytes_in += link->in_flight;
    link->end_due = link->in_flight == DCD_PACKET_MAX;
    send(link);
}

static void in_restart(void *user) {
    struct usb_link *link = user;
    link->writing = false;
    send(link);
}

static bool control(void *user, const struct usbd_setup *setup, const uint8_t **data, size_t *n) {
    struct usb_link *link = user;
    if (setup->type != (USBD_TO_HOST | USBD_VENDOR | USBD_DEVICE) ||
        setup->request != USB_LINK_REQUEST_COUNTERS) {
        return false;
    }
    const struct usb_link_counters c = usb_link_counters(link);
    const uint32_t values[USB_LINK_N_COUNTER] = {c.resets,   c.suspends,  c.stalls,  c.faults,
                                                 c.bytes_in, c.bytes_out, c.lost_in, c.lost_out};
    for (size_t i = 0; i < sizeof link->answer; i++) {
        link->answer[i] = (uint8_t)(values[i / 4] >> 8 * (i % 4));
    }
    *data = link->answer;
    *n = sizeof link->answer;
    return true;
}

static const struct usbd_function function = {configured, unconfigured, out_packet,
                                              in_done,    in_restart,   control};

/* ---- what the application calls ---- */

bool usb_link_init(struct usb_link *link, struct dcd *dcd, const char *serial, uint8_t major,
                   uint8_t minor) {
    memset(link, 0, sizeof *link);
    memcpy(link->serial, serial, smaller(strlen(serial), sizeof link->serial - 1));
    const struct usb_identity identity = {.version = usb_version(major, minor),
                                          .serial = link->serial};
    bool alive = usbd_init(&link->usbd, dcd, &identity, &function, link);
    usbd_connect(&link->usbd);
    return alive;
}

void usb_link_poll(struct usb_link *link) {
    usbd_poll(&link->usbd);
    send(link);
    receive(link);
}

bool usb_link_ready(const struct usb_link *link) {
    return link->usbd.state == USBD_CONFIGURED && !link->usbd.suspended;
}

size_t usb_link_read(struct usb_link *link, uint8_t *to, size_t max) {
    size_t n = smaller(filled(&link->rx), max);
    peek(&link->rx, link->rx_bytes, USB_LINK_RX_SIZE, to, n);
    link->rx.tail += (uint32_t)n;
    receive(link);
    return n;
}

size_t usb_link_room(const struct usb_link *link) {
    const size_t waiting = filled(&link->tx);
    return link->usbd.state == USBD_CONFIGURED && waiting < USB_LINK_TX_SIZE
               ? USB_LINK_TX_SIZE - waiting
               : 0;
}

size_t usb_link_write(struct usb_link *link, const uint8_t *from, size_t n) {
    n = smaller(n, usb_link_room(link));
    put(&link->tx, link->tx_bytes, USB_LINK_TX_RING, from, n);
    send(link);
    return n;
}

void usb_link_drop(struct usb_link *link) {
    const uint32_t at = link->tx.tail + (link->writing ? link->in_flight : 0);
    drop(link, at);
    link->tx.head = link->kept = link->fresh = at;
}

struct usb_link_counters usb_link_counters(const struct usb_link *link) {
    return (struct usb_link_counters){.resets = link->usbd.counters.resets,
                                      .suspends = link->usbd.counters.suspends,
                                      .stalls = link->usbd.counters.stalls,
                                      .faults = link->usbd.dcd->faults,
                                      .bytes_in = link->bytes_in,
                                      .bytes_out = link->bytes_out,
                                      .lost_in = link->lost_in,
                                      .lost_out = link->lost_out};
}
