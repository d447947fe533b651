/** @file
 * The hub's byte pipe to the host: what is written here comes out of the host's bulk IN transfers
 * and the other way round, in order and without loss while the device stays configured. All of it
 * belongs to the main loop; nothing blocks.
 *
 * What is written are frames that end with a zero (nfsar/wire.h). A bus reset, a cable that is
 * pulled and plugged, or a new configuration loses none of them: the frame that the host has not
 * acknowledged to its end comes again from its beginning, a zero before it. A frame whose
 * acknowledgement was lost comes twice. Only a host that sets the interface (SET_INTERFACE: a new
 * program begins) empties the pipe, and how many frames that were is counted.
 */
#ifndef FIRMWARE_USB_USB_LINK_H
#define FIRMWARE_USB_USB_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/usb/usbd.h"

/** Rings, powers of two. Toward the host it bridges some 4 ms of a host that does not look, at full
 * speed's about 1 MB/s; toward the hub there are only commands. */
#define USB_LINK_TX_SIZE 4096
#define USB_LINK_RX_SIZE 1024
/** Behind what waits lies what was sent, so that the frame it ended in can be begun again. */
#define USB_LINK_TX_RING (2 * USB_LINK_TX_SIZE)

/** bRequest of the vendor request (bmRequestType 0xC0) that reads USB_LINK_N_COUNTER counters, u32
 * little-endian, in the order of struct usb_link_counters. */
#define USB_LINK_REQUEST_COUNTERS 0x21
#define USB_LINK_N_COUNTER        8

/** Since power-up. */
struct usb_link_counters {
    uint32_t resets;    /**< bus resets */
    uint32_t suspends;  /**< times the bus went to sleep */
    uint32_t stalls;    /**< requests refused */
    uint32_t faults;    /**< of the controller, struct dcd::faults */
    uint32_t bytes_in;  /**< the host acknowledged */
    uint32_t bytes_out; /**< the host sent */
    uint32_t lost_in;   /**< written, and dropped by SET_INTERFACE or usb_link_drop */
    uint32_t lost_out;  /**< received, and dropped by a reset or a new configuration */
};

/** A ring: head and tail count bytes and wrap with their type. */
struct usb_link_ring {
    uint32_t head, tail;
};

struct usb_link {
    struct usbd usbd;
    char serial[USB_SERIAL_SIZE];
    struct usb_link_ring tx, rx;
    uint8_t tx_bytes[USB_LINK_TX_RING], rx_bytes[USB_LINK_RX_SIZE];
    uint32_t kept;      /**< of tx: the zero before the frame that the host does not have whole */
    uint32_t fresh;     /**< of tx: here the frames begin anew, whatever lies before */
    bool writing;       /**< a packet is with the controller */
    uint32_t in_flight; /**< its bytes, still in tx until the host has them */
    bool end_due;       /**< the last packet was full: the host's read waits for a shorter one */
    bool receiving;     /**< the OUT endpoint takes a packet */
    uint32_t bytes_in, bytes_out, lost_in, lost_out;
    uint32_t restarts;    /**< how often rx was emptied: of a frame begun the end will not come */
    uint32_t emptied;     /**< how often tx was, by the host */
    uint32_t frames_lost; /**< that ended in what was dropped of tx */
    uint8_t answer[4 * USB_LINK_N_COUNTER];
};

/** Set up and show the device to the host.
 * @param serial  copied, cut to USB_SERIAL_SIZE - 1 characters; see usb_serial
 * @param major,minor  of the wire protocol, each at most 99: bcdDevice, so that a host knows before
 *                     it opens the device
 * @return false when the controller does not answer: then the link is never ready */
bool usb_link_init(struct usb_link *link, struct dcd *dcd, const char *serial, uint8_t major,
                   uint8_t minor);

/** Move packets. Call it from the main loop as often as possible: one packet each way a call. */
void usb_link_poll(struct usb_link *link);

/** The host has configured the device and the bus is awake. */
bool usb_link_ready(const struct usb_link *link);

/** Take up to @p max received bytes; returns how many. */
size_t usb_link_read(struct usb_link *link, uint8_t *to, size_t max);

/** Queue up to @p n bytes; returns how many fitted, 0 while not configured. */
size_t usb_link_write(struct usb_link *link, const uint8_t *from, size_t n);

/** Bytes that usb_link_write would take now. */
size_t usb_link_room(const struct usb_link *link);

/** Another way to the host takes over: drop what no packet holds yet. */
void usb_link_drop(struct usb_link *link);

struct usb_link_counters usb_link_counters(const struct usb_link *link);

#endif
