/** @file
 * The plainest controller there can be behind dcd.h: endpoints as small state machines, an event at
 * a time. What the core's tests stand on.
 */
#ifndef TESTS_FIRMWARE_DCD_SIM_H
#define TESTS_FIRMWARE_DCD_SIM_H

#include "firmware/usb/dcd.h"
#include "tests/firmware/usb_host.h"

struct dcd_sim_endpoint {
    bool open, stalled, busy; /* busy: IN holds a packet, OUT takes one */
    bool done;                /* the packet moved; the core has not heard yet */
    unsigned toggle;
    uint8_t packet[DCD_PACKET_MAX];
    size_t n;
};

struct dcd_sim {
    struct dcd dcd; /* first */
    bool dead;      /* init fails */
    bool connected;
    uint8_t address;  /* what the core gave */
    uint8_t heard_at; /* what holds on the bus: with address_at_once after the status stage */
    bool reset_due, suspend_due, resume_due, setup_due;
    uint8_t setup[DCD_SETUP_SIZE];
    struct dcd_sim_endpoint in[4], out[4];
    unsigned misuse; /* calls that a core must not make */
};

void dcd_sim_init(struct dcd_sim *sim, bool address_at_once);
struct usb_port dcd_sim_port(struct dcd_sim *sim);

#endif
