/* USB without USB: what libusb asks of the kernel is answered by the firmware's own USB stack on a
 * simulated controller (umockdev between), with the hub's application behind it. Faults are made
 * where they happen on a real bus: in the transfers. */
#ifndef NFSAR_TESTS_USB_MOCK_H
#define NFSAR_TESTS_USB_MOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/app/hub.h"

/* What a plugged device does wrong; all zero: nothing. Change it under mock_lock(). */
struct mock_faults {
    int in_status;     /* of transfers toward the host, such as -EPIPE */
    unsigned in_times; /* how many get it */
    int out_status;    /* the same toward the hub */
    unsigned out_times;
    bool halt_in;  /* the hub's IN endpoint is halted until the host clears it */
    bool empty;    /* transfers toward the host end at once with nothing */
    bool shredded; /* at most 7 bytes a transfer */
    bool deaf;     /* nothing toward the hub is taken */
    size_t noise;  /* so many random bytes come in place of the hub's */
    size_t noise_made;
};

struct mock_device;

/* An empty bus. */
void mock_begin(void);
void mock_end(void);
void mock_lock(void);
void mock_unlock(void);

/* The hub, made as after power-on; it lives on while unplugged. Under mock_lock() it may be looked
 * at. */
struct hub *mock_hub(void);
void mock_hub_restart(void);

/* Plugs the hub in, or with another serial number a device with the same stack and no application.
 * NULL descriptors: the stack's own; `product` NULL: its own. */
struct mock_plug {
    const char *serial; /* NULL: the hub */
    const char *product;
    const uint8_t *descriptors; /* device descriptor and configuration, as the kernel shows them */
    size_t n_descriptors;
    uint16_t vendor;  /* 0: the hub's */
    uint16_t version; /* bcdDevice; 0: the hub's */
};
struct mock_device *mock_plug(const struct mock_plug *plug);
/* Nobody may open this one; NULL: all may be opened. */
void mock_deny(const struct mock_device *device);
struct mock_faults *mock_faults(struct mock_device *device);
/* Transfers in flight end as the kernel ends them. */
void mock_unplug(struct mock_device *device);

/* The stack's own device descriptor and configuration; returns their length. */
size_t mock_descriptors(uint8_t to[64]);

#endif
