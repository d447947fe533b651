/* The hub on USB. hub_usb_find.c: which device it is, and the way into it. hub_usb_thread.c: the
 * only one that moves bytes, a thread of its own, which fills a ring and looks for the hub when it
 * goes. hub_usb.c: what the caller's thread sees of that, as a transport. */
#ifndef NFSAR_HOST_DEVICES_HUB_USB_H
#define NFSAR_HOST_DEVICES_HUB_USB_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <libusb.h>

#include <nfsar/status.h>

#include "host/devices/transport.h"

enum { HUB_VENDOR = 0x1209, HUB_PRODUCT = 0x0001, HUB_SERIAL_SIZE = 64 };

/* A hub that is open. Where its bulk pair is, its descriptors say: bridges renumber endpoints. */
struct usb_hub {
    libusb_context *context;
    libusb_device_handle *handle;
    char serial[HUB_SERIAL_SIZE];
    uint8_t interface, in, out;
    unsigned packet; /* bytes at most of one from the hub */
};

/* Opens the hub of this serial number, or with NULL the only one. `begin` tells the hub to forget
 * what it still had for the program before; without it the hub goes on where it was. Looks anew
 * each time, also where no udev tells of changes. Errors begin with `port`. */
enum nfsar_status usb_hub_open(const char *port, const char *serial, bool begin,
                               struct usb_hub *hub, nfsar_error *error);

/* Nothing may be in flight. */
void usb_hub_close(struct usb_hub *hub);

/* ---- the bytes ---- */

/* Transfers are short because of one that a pulled cable cuts the system may give nothing, though
 * the hub was told that its packets arrived; and many, so that the hub need not wait. */
enum {
    TRANSFERS = 16,
    IN_BYTES = 512,
    PACKET_MAX = 2048,
    OUT_BYTES = 1024,
    RING_BYTES = 1 << 18 /* full speed fills it in a quarter of a second */
};

enum state { HERE, AWAY, GONE };

struct usb;

struct in_transfer {
    struct usb *usb;
    struct libusb_transfer *transfer;
    bool busy;
    uint8_t *bytes;
};

enum errand { NONE, WANTED, RUNNING, DONE };

struct usb {
    char port[256];
    unsigned reconnect_ms;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;

    /* ---- under the lock ---- */
    enum state state;
    bool closing;
    struct transport_counts counts;
    nfsar_error why; /* it is gone */
    uint8_t ring[RING_BYTES];
    size_t begin, used;
    bool waits_for_room; /* a transfer does */
    enum errand errand;  /* the write that is under way */
    uint8_t out_bytes[OUT_BYTES];
    int out_size;
    unsigned out_ms;
    int out_result; /* enum libusb_transfer_status, or a negative libusb_error */

    /* ---- the thread's; hub.context under the lock too ---- */
    struct usb_hub hub;
    struct in_transfer in[TRANSFERS];
    struct libusb_transfer *out;
    bool out_busy;
    bool halted_in, halted_out;
    bool lost;              /* the device */
    unsigned faults, empty; /* in a row */
    bool heard;             /* since it was opened: so it is worth opening again */
    uint64_t pause_until;
};

/* The thread: keeps transfers in flight, and looks for the hub when it goes. */
void *usb_run(void *context);

/* As long as a hub is there, tells the thread at once of one that is plugged in. */
void usb_watch_for_plugs(struct usb *usb);

/* Transfers belong to a device that is open: libusb has them hold on to it. False: no memory. */
bool usb_make_transfers(struct usb *usb);
void usb_free_transfers(struct usb *usb);

/* Ends all transfers. False when the system does not give one back: then its memory stays its own.
 */
bool usb_retire(struct usb *usb);

#endif
