/** @file
 * The registers of the STM32F405's OTG_FS and the core behind them, as RM0090 chapter 34 describes
 * what software sees, with the host's end of the cable on its other side. Written from the manual,
 * not from the driver; it counts what the manual forbids.
 */
#ifndef TESTS_FIRMWARE_OTG_MODEL_H
#define TESTS_FIRMWARE_OTG_MODEL_H

#include "firmware/usb/otg_fs.h"
#include "tests/firmware/usb_host.h"

#define OTG_MODEL_ENTRIES 32

struct otg_model_entry {
    uint32_t status;
    uint8_t data[1024];
};

struct otg_model_endpoint {
    uint32_t control, interrupt, size;
    unsigned toggle; /* of the next packet */
    uint8_t fifo[256];
    uint32_t n_fifo; /* bytes in it */
};

struct otg_model {
    /* What can be broken. */
    bool busy_bus;       /* AHB never idle */
    bool stuck_reset;    /* the core never comes out of reset */
    bool busy_after;     /* AHB never idle after it */
    bool host_mode;      /* device mode never comes */
    bool stuck_flush;    /* FIFO flushes never end */
    bool stuck_nak;      /* NAK is never in effect */
    bool stuck_disable;  /* endpoints never disable */
    bool no_space;       /* transmit FIFOs are full */
    bool finish_on_snak; /* the host takes the IN packet while software asks for NAK */

    bool asleep, session_end;
    uint32_t gahbcfg, gusbcfg, gintsts, gintmsk, grxfsiz, txfsiz[4], gccfg;
    uint32_t dcfg, dctl, diepmsk, doepmsk, daintmsk, pcgcctl;
    uint8_t address; /* in effect on the bus */
    bool reset_done;
    struct otg_model_endpoint in[4], out[4];
    struct otg_model_entry entries[OTG_MODEL_ENTRIES];
    unsigned head, tail;
    size_t n_unread, at_unread; /* of the entry taken last */
    int writing;                /* endpoint whose packet is not complete in the FIFO, or -1 */
    unsigned misuse;
    const char *first_misuse;
};

void otg_model_init(struct otg_model *model);
struct otg_fs_access otg_model_access(struct otg_model *model);
struct usb_port otg_model_port(struct otg_model *model);

/** Put an entry into the receive FIFO. */
void otg_model_push(struct otg_model *model, unsigned kind, unsigned endpoint, const uint8_t *data,
                    size_t n);

#endif
