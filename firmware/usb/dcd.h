/** @file
 * The table between the USB core and a device controller.
 *
 * Downward a controller fills struct dcd_operations, upward it calls struct dcd_events. Everything
 * runs in one context, the main loop: operations are called between polls or from inside an event,
 * events only from inside poll(). Nothing here is called from an interrupt.
 *
 * The events of endpoint 0 come in the order of the bus: in_done of a status stage before the
 * SETUP that follows it.
 *
 * An endpoint address is the USB one: number, plus 0x80 for IN (device to host). Packets are at
 * most DCD_PACKET_MAX bytes, the limit of full-speed control and bulk endpoints (USB 2.0, 5.5.3
 * and 5.8.3).
 */
#ifndef FIRMWARE_USB_DCD_H
#define FIRMWARE_USB_DCD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DCD_PACKET_MAX  64
#define DCD_SETUP_SIZE  8
#define DCD_IN          0x80 /**< direction bit of an endpoint address */
#define DCD_CONTROL_IN  0x80 /**< endpoint 0 toward the host */
#define DCD_CONTROL_OUT 0x00

/** Transfer types as bmAttributes of an endpoint descriptor has them (USB 2.0, table 9-13). */
enum dcd_type { DCD_CONTROL = 0, DCD_ISOCHRONOUS = 1, DCD_BULK = 2, DCD_INTERRUPT = 3 };

/** What a controller tells; @c user is struct dcd::user. */
struct dcd_events {
    /** Bus reset: address 0, every endpoint but 0 closed, endpoint 0 open and idle. */
    void (*reset)(void *user);
    /** A SETUP packet. Whatever was pending on endpoint 0, its stall included, is gone. */
    void (*setup)(void *user, const uint8_t packet[DCD_SETUP_SIZE]);
    /** The packet that ep_receive asked for. The endpoint answers NAK until the next one. */
    void (*out_packet)(void *user, uint8_t endpoint, const uint8_t *packet, size_t n);
    /** The host acknowledged the packet of ep_write. */
    void (*in_done)(void *user, uint8_t endpoint);
    void (*suspend)(void *user);
    void (*resume)(void *user);
};

struct dcd;

/** What a controller does. */
struct dcd_operations {
    /** Set the controller up, not visible to the host yet. False when it does not answer. */
    bool (*init)(struct dcd *dcd);
    /** Pull-up on: the host sees a device. */
    void (*connect)(struct dcd *dcd);
    void (*disconnect)(struct dcd *dcd);
    /** Look at the hardware and deliver events. Bounded; false when nothing had happened. */
    bool (*poll)(struct dcd *dcd);
    /** See struct dcd::address_at_once for when. */
    void (*set_address)(struct dcd *dcd, uint8_t address);
    /** Open an endpoint other than 0: not halted, DATA0, nothing armed. */
    void (*ep_open)(struct dcd *dcd, uint8_t endpoint, enum dcd_type type, uint16_t packet_size);
    /** Close it; what was armed or pending is dropped. */
    void (*ep_close)(struct dcd *dcd, uint8_t endpoint);
    /** Answer STALL from now on. An IN packet not yet taken is dropped; an armed OUT stays armed.
     * On endpoint 0 the stall ends by itself with the next SETUP. */
    void (*ep_stall)(struct dcd *dcd, uint8_t endpoint);
    /** End the stall, and in any case start over with DATA0 (USB 2.0, 9.4.5). */
    void (*ep_clear_stall)(struct dcd *dcd, uint8_t endpoint);
    /** Hand over one IN packet, 0..64 bytes, copied. False when the last one is still pending. */
    bool (*ep_write)(struct dcd *dcd, uint8_t endpoint, const uint8_t *from, size_t n);
    /** Accept one OUT packet; before that the endpoint answers NAK. */
    void (*ep_receive)(struct dcd *dcd, uint8_t endpoint);
};

/** A controller; the first member of each driver's own state. */
struct dcd {
    const struct dcd_operations *operations;
    const struct dcd_events *events; /**< set by the core */
    void *user;                      /**< set by the core */
    /** The controller wants a new address when the request arrives and waits for the status stage
     * itself (DWC2); otherwise it is given after the status stage. */
    bool address_at_once;
    /** Waits on the hardware that ran out and packets that found no room; 0 on a healthy chip. */
    uint32_t faults;
};

#endif
