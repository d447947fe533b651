/** @file
 * The USB core on a simulated controller, with a function above it that writes down what it is told
 * and a host at the other end of the cable.
 */
#ifndef TESTS_FIRMWARE_USB_BENCH_H
#define TESTS_FIRMWARE_USB_BENCH_H

#include "firmware/usb/usbd.h"
#include "tests/firmware/dcd_sim.h"

/* A function that writes down what it is told. */
struct recorder {
    unsigned configured, chosen, unconfigured, in_done, in_restart, out_packet;
    uint8_t last[64];
    size_t n_last;
    size_t n_answer; /* what control answers toward the host */
    bool refuse;
    uint8_t control_data[64];
    size_t n_control_data;
};

struct usb_bench {
    struct dcd_sim sim;
    struct usbd usbd;
    struct recorder recorder;
    struct usb_host host;
};

/** What requests toward the host are answered with. */
extern uint8_t usb_bench_pattern[512];

/** Connected, version 3.14, serial number 0123ABCD. */
void usb_bench_start(struct usb_bench *bench, bool address_at_once);
/** Enumerated at address 5 besides. */
void usb_bench_configured(struct usb_bench *bench);
/** Neither core nor host did anything forbidden. */
void usb_bench_finish(const struct usb_bench *bench);
/** GET_DESCRIPTOR */
int usb_bench_get(struct usb_bench *bench, uint16_t value, uint16_t length, uint8_t *to);

extern const struct usbd_function usb_bench_function;

#endif
