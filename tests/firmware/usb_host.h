/** @file
 * The other end of the cable for tests: a host that speaks transactions to a device behind any
 * simulated controller, and transfers made of them.
 */
#ifndef TESTS_FIRMWARE_USB_HOST_H
#define TESTS_FIRMWARE_USB_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What a device answers to one transaction besides a packet's length. */
enum { USB_NAK = -1, USB_STALL = -2, USB_NO_ANSWER = -3 };

/** One transaction each, as a simulated controller offers it. */
struct usb_port {
    void *controller;
    void (*reset)(void *controller);
    void (*suspend)(void *controller);
    void (*resume)(void *controller);
    bool (*setup)(void *controller, uint8_t address, const uint8_t packet[8]);
    /** 0 acknowledged, USB_NAK, USB_STALL or USB_NO_ANSWER */
    int (*out)(void *controller, uint8_t address, uint8_t endpoint, unsigned toggle,
               const uint8_t *from, size_t n);
    /** the length, or as above */
    int (*in)(void *controller, uint8_t address, uint8_t endpoint, unsigned *toggle, uint8_t *to);
};

struct usb_host {
    struct usb_port port;
    void (*run)(void *device); /**< lets the device work; called between transactions */
    void *device;
    uint8_t address;
    unsigned toggle_in[16], toggle_out[16];
    unsigned toggle_errors; /**< packets toward the host with the wrong toggle */
};

/** A control transfer; the direction is setup[0]'s.
 * @return bytes moved, USB_STALL, or USB_NAK when the device never answers */
int usb_host_control(struct usb_host *host, uint8_t type, uint8_t request, uint16_t value,
                     uint16_t index, uint16_t length, uint8_t *data);

/** Send @p n bytes in packets of 64; @p end adds the empty packet after a full one.
 * @return bytes acknowledged before the first NAK that persists, or USB_STALL */
int usb_host_out(struct usb_host *host, uint8_t endpoint, const uint8_t *from, size_t n, bool end);

/** Read until a short packet, @p max, or a NAK that persists; returns bytes, or USB_STALL. */
int usb_host_in(struct usb_host *host, uint8_t endpoint, uint8_t *to, size_t max);

/** Reset, SET_ADDRESS, SET_CONFIGURATION; false when one of them failed. */
bool usb_host_enumerate(struct usb_host *host, uint8_t address);
void usb_host_reset(struct usb_host *host);

#endif
