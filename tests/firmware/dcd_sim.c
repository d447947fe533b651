#include "tests/firmware/dcd_sim.h"

#include <string.h>

static struct dcd_sim *sim_of(struct dcd *dcd) {
    return (struct dcd_sim *)dcd;
}

static struct dcd_sim_endpoint *find(struct dcd_sim *sim, uint8_t endpoint) {
    unsigned number = endpoint & 0x7f;
    if (number > 3) {
        sim->misuse++;
        number = 3;
    }
    return endpoint & DCD_IN ? &sim->in[number] : &sim->out[number];
}

/* ---- the core's side ---- */

static bool sim_init(struct dcd *dcd) {
    return !sim_of(dcd)->dead;
}

static void sim_connect(struct dcd *dcd) {
    sim_of(dcd)->connected = true;
}

static void sim_disconnect(struct dcd *dcd) {
    sim_of(dcd)->connected = false;
}

static void sim_set_address(struct dcd *dcd, uint8_t address) {
    struct dcd_sim *sim = sim_of(dcd);
    sim->address = address;
    if (!dcd->address_at_once) {
        sim->heard_at = address;
    }
}

static void sim_open(struct dcd *dcd, uint8_t endpoint, enum dcd_type type, uint16_t size) {
    struct dcd_sim *sim = sim_of(dcd);
    struct dcd_sim_endpoint *e = find(sim, endpoint);
    sim->misuse += e->open || type != DCD_BULK || size != 64;
    *e = (struct dcd_sim_endpoint){.open = true};
}

static void sim_close(struct dcd *dcd, uint8_t endpoint) {
    struct dcd_sim *sim = sim_of(dcd);
    sim->misuse += !find(sim, endpoint)->open;
    *find(sim, endpoint) = (struct dcd_sim_endpoint){0};
}

static void sim_stall(struct dcd *dcd, uint8_t endpoint) {
    struct dcd_sim *sim = sim_of(dcd);
    struct dcd_sim_endpoint *e = find(sim, endpoint);
    sim->misuse += !e->open;
    e->stalled = true;
    if (endpoint & DCD_IN) {
        e->busy = false;
    }
}

static void sim_clear_stall(struct dcd *dcd, uint8_t endpoint) {
    struct dcd_sim *sim = sim_of(dcd);
    struct dcd_sim_endpoint *e = find(sim, endpoint);
    sim->misuse += !e->open;
    e->stalled = false;
    e->toggle = 0;
}

static bool sim_write(struct dcd *dcd, uint8_t endpoint, const uint8_t *from, size_t n) {
    struct dcd_sim *sim = sim_of(dcd);
    struct dcd_sim_endpoint *e = find(sim, endpoint);
    sim->misuse += !e->open || n > DCD_PACKET_MAX || !(endpoint & DCD_IN);
    if (e->busy) {
        return false;
    }
    if (n > 0) {
        memcpy(e->packet, from, n);
    }
    e->n = n;
    e->busy = true;
    return true;
}

static void sim_receive(struct dcd *dcd, uint8_t endpoint) {
    struct dcd_sim *sim = sim_of(dcd);
    struct dcd_sim_endpoint *e = find(sim, endpoint);
    /* On endpoint 0 an aborted transfer may have left it armed; elsewhere it is a mistake. */
    sim->misuse += !e->open || endpoint & DCD_IN || (e->busy && endpoint != 0);
    e->busy = true;
}

static bool deliver_reset(struct dcd_sim *sim) {
    if (!sim->reset_due) {
        return false;
    }
    sim->reset_due = sim->setup_due = false;
    sim->address = sim->heard_at = 0;
    memset(sim->in, 0, sizeof sim->in);
    memset(sim->out, 0, sizeof sim->out);
    sim->in[0].open = sim->out[0].open = true;
    sim->dcd.events->reset(sim->dcd.user);
    return true;
}

static bool deliver_endpoints(struct dcd_sim *sim) {
    bool any = false;
    for (uint8_t i = 0; i < 4; i++) {
        if (sim->in[i].done) {
            sim->in[i].done = false;
            sim->dcd.events->in_done(sim->dcd.user, DCD_IN | i);
            any = true;
        }
        if (sim->out[i].done) {
            uint8_t packet[DCD_PACKET_MAX];
            memcpy(packet, sim->out[i].packet, sizeof packet);
            sim->out[i].done = false;
            sim->dcd.events->out_packet(sim->dcd.user, i, packet, sim->out[i].n);
            any = true;
        }
    }
    return any;
}

static bool deliver_setup(struct dcd_sim *sim) {
    if (!sim->setup_due) {
        return false;
    }
    sim->setup_due = false;
    sim->dcd.events->setup(sim->dcd.user, sim->setup);
    return true;
}

static bool sim_poll(struct dcd *dcd) {
    struct dcd_sim *sim = sim_of(dcd);
    bool any = deliver_reset(sim);
    any |= deliver_endpoints(sim);
    any |= deliver_setup(sim);
    if (sim->suspend_due) {
        sim->suspend_due = false;
        sim->dcd.events->suspend(sim->dcd.user);
        any = true;
    }
    if (sim->resume_due) {
        sim->resume_due = false;
        sim->dcd.events->resume(sim->dcd.user);
        any = true;
    }
    return any;
}

static const struct dcd_operations operations = {.init = sim_init,
                                                 .connect = sim_connect,
                                                 .disconnect = sim_disconnect,
                                                 .poll = sim_poll,
                                                 .set_address = sim_set_address,
                                                 .ep_open = sim_open,
                                                 .ep_close = sim_close,
                                                 .ep_stall = sim_stall,
                                                 .ep_clear_stall = sim_clear_stall,
                                                 .ep_write = sim_write,
                                                 .ep_receive = sim_receive};

void dcd_sim_init(struct dcd_sim *sim, bool address_at_once) {
    memset(sim, 0, sizeof *sim);
    sim->dcd.operations = &operations;
    sim->dcd.address_at_once = address_at_once;
    sim->in[0].open = sim->out[0].open = true;
}

/* ---- the cable's side ---- */

static void port_reset(void *controller) {
    ((struct dcd_sim *)controller)->reset_due = true;
}

static void port_suspend(void *controller) {
    ((struct dcd_sim *)controller)->suspend_due = true;
}

static void port_resume(void *controller) {
    ((struct dcd_sim *)controller)->resume_due = true;
}

static bool heard(const struct dcd_sim *sim, uint8_t address) {
    return sim->connected && !sim->reset_due && address == sim->heard_at;
}

static bool port_setup(void *controller, uint8_t address, const uint8_t packet[8]) {
    struct dcd_sim *sim = controller;
    if (!heard(sim, address)) {
        return false;
    }
    memcpy(sim->setup, packet, 8);
    sim->setup_due = true;
    sim->in[0].stalled = sim->out[0].stalled = false;
    sim->in[0].busy = sim->out[0].busy = false;
    sim->in[0].toggle = sim->out[0].toggle = 1;
    return true;
}

static int port_out(void *controller, uint8_t address, uint8_t endpoint, unsigned toggle,
                    const uint8_t *from, size_t n) {
    struct dcd_sim *sim = controller;
    struct dcd_sim_endpoint *e = find(sim, endpoint);
    if (!heard(sim, address) || !e->open) {
        return USB_NO_ANSWER;
    }
    if (e->stalled) {
        return USB_STALL;
    }
    if (endpoint == 0 && n == 0) {
        e->toggle = 1; /* the status stage */
    }
    if (!e->busy || e->done) {
        return USB_NAK;
    }
    if (toggle != e->toggle) {
        return 0; /* a repetition: acknowledged and thrown away */
    }
    e->toggle ^= 1;
    e->busy = false;
    e->done = true;
    memcpy(e->packet, from, n);
    e->n = n;
    return 0;
}

static int port_in(void *controller, uint8_t address, uint8_t endpoint, unsigned *toggle,
                   uint8_t *to) {
    struct dcd_sim *sim = controller;
    struct dcd_sim_endpoint *e = find(sim, endpoint);
    if (!heard(sim, address) || !e->open) {
        return USB_NO_ANSWER;
    }
    if (e->stalled) {
        return USB_STALL;
    }
    if (!e->busy) {
        return USB_NAK;
    }
    *toggle = e->toggle;
    e->toggle ^= 1;
    e->busy = false;
    e->done = true;
    memcpy(to, e->packet, e->n);
    if (endpoint == DCD_CONTROL_IN && e->n == 0) {
        sim->heard_at = sim->address;
    }
    return (int)e->n;
}

struct usb_port dcd_sim_port(struct dcd_sim *sim) {
    return (struct usb_port){sim,        port_reset, port_suspend, port_resume,
                             port_setup, port_out,   port_in};
}
