/** @file
 * The USB device core: endpoint 0 and the standard requests (USB 2.0 chapter 9) above any
 * controller that fills the table in dcd.h. It knows one configuration with one vendor interface
 * and a bulk pair; what flows there is the function's above it (usb_link.h).
 */
#ifndef FIRMWARE_USB_USBD_H
#define FIRMWARE_USB_USBD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/usb/dcd.h"
#include "firmware/usb/usb_descriptors.h"

/** Longest data stage toward the device, one packet; longer requests are refused. */
#define USBD_CONTROL_MAX DCD_PACKET_MAX

/** A SETUP packet's fields (USB 2.0, table 9-2). */
struct usbd_setup {
    uint8_t type;    /**< bmRequestType */
    uint8_t request; /**< bRequest */
    uint16_t value, index, length;
};

/** bmRequestType: direction, kind and receiver. */
enum {
    USBD_TO_HOST = 0x80,
    USBD_KIND = 0x60,
    USBD_STANDARD = 0x00,
    USBD_VENDOR = 0x40,
    USBD_RECEIVER = 0x1f,
    USBD_DEVICE = 0,
    USBD_INTERFACE = 1,
    USBD_ENDPOINT = 2
};

/** What uses the interface. Every member must be set. */
struct usbd_function {
    /** The bulk pair came to life, toggles at DATA0, nothing pending, nothing armed. Called again,
     * without unconfigured() between, when the host sets the configuration or interface anew.
     * @param chosen  it was the interface, which no system does by itself: a program begins */
    void (*configured)(void *user, bool chosen);
    /** It is gone: reset, or the host took the configuration back. */
    void (*unconfigured)(void *user);
    void (*out_packet)(void *user, const uint8_t *packet, size_t n);
    void (*in_done)(void *user);
    /** The host ended a halt of the IN endpoint; a packet not yet taken was dropped. */
    void (*in_restart)(void *user);
    /** A class or vendor request that the core does not know.
     * @param data  toward the device: what came, setup->length bytes. Toward the host: set it to
     * the answer, which must stay valid until the next event
     * @param n     toward the host: set it to the answer's length; more than wLength is cut
     * @return false to refuse the request */
    bool (*control)(void *user, const struct usbd_setup *setup, const uint8_t **data, size_t *n);
};

/** Device states (USB 2.0, 9.1.1); suspension is kept beside them. */
enum usbd_state { USBD_DEFAULT, USBD_ADDRESSED, USBD_CONFIGURED };

/** Stages of the transfer on endpoint 0. */
enum usbd_stage {
    USBD_IDLE,
    USBD_DATA_IN,
    USBD_DATA_OUT,
    USBD_STATUS_IN,
    USBD_STATUS_OUT,
    USBD_STALLED
};

struct usbd_counters {
    uint32_t resets, suspends;
    uint32_t stalls; /**< requests refused */
};

struct usbd {
    struct dcd *dcd;
    const struct usbd_function *function;
    void *user;
    struct usb_identity identity;

    bool alive; /**< the controller answered */
    enum usbd_state state;
    bool suspended;
    bool halted_in, halted_out;
    struct usbd_counters counters;

    enum usbd_stage stage;
    struct usbd_setup setup;
    bool address_pending; /**< new_address holds after the status stage */
    uint8_t new_address;
    const uint8_t *answer;
    size_t n_answer;      /**< bytes still to send */
    bool answer_is_short; /**< less than wLength: needs a short packet to end it */
    uint8_t room[USB_DESCRIPTOR_ROOM];
};

/** Set up core and controller; the host does not see the device yet (usbd_connect).
 * @return false when the controller does not answer; the core is then harmless */
bool usbd_init(struct usbd *usbd, struct dcd *dcd, const struct usb_identity *identity,
               const struct usbd_function *function, void *user);

void usbd_connect(struct usbd *usbd);
void usbd_disconnect(struct usbd *usbd);

/** Do what the bus asks for. To be called often: until then the host is told to wait (NAK). */
void usbd_poll(struct usbd *usbd);

/** Give the IN endpoint a packet of 0..64 bytes. False when it is not configured, halted or busy.
 */
bool usbd_write(struct usbd *usbd, const uint8_t *from, size_t n);

/** Let the OUT endpoint take one packet. */
void usbd_receive(struct usbd *usbd);

#endif
