#include "firmware/usb/otg_fs.h"

#include <string.h>

/* Limits of waits in register reads, some 0.1 us each at 168 MHz. Forcing device mode may take 25
 * ms (RM0090, 34.16.2, FDMOD); everything later a few microseconds. */
#define POLLS_INIT    500000u
#define POLLS_RUNNING 2000u

/* Entries of the receive FIFO that one poll takes: an OUT packet is two, and each endpoint is armed
 * for one; SETUPs may come again and again. */
#define ENTRIES_A_POLL 32u

/* Turnaround time for an AHB of 32 MHz or more (RM0090, table "TRDT values"). */
#define TURNAROUND 6u

/* Packet memory in words. Receive (RM0090, 34.11.1): 13 for SETUPs, 1 for global NAK, twice a
 * packet and its status, 1 an OUT endpoint = 13 + 1 + 2 * 17 + 4; the rest is air. */
#define WORDS_RX  128u
#define WORDS_TX0 32u
#define WORDS_TX  48u
_Static_assert(WORDS_RX + WORDS_TX0 + 3 * WORDS_TX <= OTG_FS_PACKET_WORDS, "packet memory");

/* ---- registers ---- */

static struct otg_fs *otg_of(struct dcd *dcd) {
    return (struct otg_fs *)dcd;
}

static uint32_t get(struct otg_fs *otg, uint32_t offset) {
    return otg->access.read32(otg->access.bus, offset);
}

static void put(struct otg_fs *otg, uint32_t offset, uint32_t value) {
    otg->access.write32(otg->access.bus, offset, value);
}

/* Change an endpoint's control register. EPENA and EPDIS only ever act when written as 1, and the
 * core may clear EPENA between our read and write, so they are never written back. */
static void change(struct otg_fs *otg, uint32_t offset, uint32_t clear, uint32_t set) {
    put(otg, offset, (get(otg, offset) & ~(clear | EPCTL_EPENA | EPCTL_EPDIS)) | set);
}

/* Wait until the bits of @p mask read as @p value. */
static bool wait(struct otg_fs *otg, uint32_t offset, uint32_t mask, uint32_t value,
                 uint32_t polls) {
    for (uint32_t i = 0; i < polls; i++) {
        if ((get(otg, offset) & mask) == value) {
            return true;
        }
    }
    otg->dcd.faults++;
    return false;
}

static void flush_tx(struct otg_fs *otg, uint32_t fifo) {
    put(otg, OTG_GRSTCTL, GRSTCTL_TXFFLSH | fifo << GRSTCTL_TXFNUM_SHIFT);
    wait(otg, OTG_GRSTCTL, GRSTCTL_TXFFLSH, 0, POLLS_RUNNING);
}

static void flush_rx(struct otg_fs *otg) {
    put(otg, OTG_GRSTCTL, GRSTCTL_RXFFLSH);
    wait(otg, OTG_GRSTCTL, GRSTCTL_RXFFLSH, 0, POLLS_RUNNING);
}

/* ---- the receive FIFO ---- */

/* Take @p n bytes; what does not fit into @p room is thrown away. */
static void pop(struct otg_fs *otg, uint8_t *to, size_t room, size_t n) {
    for (size_t i = 0; i < n; i += 4) {
        uint32_t word = get(otg, OTG_FIFO(0));
        for (size_t k = i; k < i + 4 && k < n && k < room; k++) {
            to[k] = (uint8_t)(word >> 8 * (k - i));
        }
    }
}

/* One entry. Data only moves into memory here: popping the entry that ends a transfer or a SETUP
 * makes the core raise the endpoint's own flag, and that is where events come from. */
static void take_entry(struct otg_fs *otg) {
    uint32_t entry = get(otg, OTG_GRXSTSP);
    uint32_t endpoint = GRXSTS_EPNUM(entry);
    size_t n = GRXSTS_BCNT(entry);
    if (GRXSTS_PKTSTS(entry) == GRXSTS_SETUP_DATA) {
        pop(otg, otg->setup, sizeof otg->setup, n);
    } else if (endpoint < OTG_FS_N_ENDPOINT) {
        struct otg_fs_out *out = &otg->out[endpoint];
        pop(otg, out->packet, sizeof out->packet, n);
        if (GRXSTS_PKTSTS(entry) == GRXSTS_OUT_DATA) {
            out->n = (uint16_t)(n < sizeof out->packet ? n : sizeof out->packet);
        }
    } else {
        pop(otg, NULL, 0, n);
    }
}

/* ---- ending transfers ---- */

/* Disable an IN endpoint and drop its packet (RM0090, 34.17.6 "IN endpoint disable"), unless the
 * host has it already: then XFRC stays set and poll tells. */
static void abort_in(struct otg_fs *otg, uint32_t n) {
    if (get(otg, OTG_DIEPCTL(n)) & EPCTL_EPENA) {
        change(otg, OTG_DIEPCTL(n), 0, EPCTL_SNAK);
        wait(otg, OTG_DIEPCTL(n), EPCTL_NAKSTS, EPCTL_NAKSTS, POLLS_RUNNING);
    }
    if (get(otg, OTG_DIEPCTL(n)) & EPCTL_EPENA) {
        change(otg, OTG_DIEPCTL(n), 0, EPCTL_SNAK | EPCTL_EPDIS);
        wait(otg, OTG_DIEPINT(n), EPINT_EPDISD, EPINT_EPDISD, POLLS_RUNNING);
        put(otg, OTG_DIEPINT(n), EPINT_EPDISD | DIEPINT_INEPNE);
        flush_tx(otg, n);
    }
    otg->in_busy[n] = otg->in_busy[n] && get(otg, OTG_DIEPINT(n)) & EPINT_XFRC;
}

/* An OUT endpoint can be disabled only while all of them answer NAK, and that holds only after its
 * mark has come out of the receive FIFO (RM0090, 34.17.6 "Setting the global OUT NAK"). */
static void disable_out(struct otg_fs *otg, uint32_t n) {
    if (!(get(otg, OTG_DOEPCTL(n)) & EPCTL_EPENA)) {
        return;
    }
    put(otg, OTG_DCTL, get(otg, OTG_DCTL) | DCTL_SGONAK);
    bool quiet = false;
    for (uint32_t i = 0; i < POLLS_RUNNING && !quiet; i++) {
        uint32_t pending = get(otg, OTG_GINTSTS);
        quiet = pending & GINTSTS_GONAKEFF;
        if (pending & GINTSTS_RXFLVL) {
            take_entry(otg);
        }
    }
    otg->dcd.faults += !quiet;
    if (get(otg, OTG_DOEPCTL(n)) & EPCTL_EPENA) {
        change(otg, OTG_DOEPCTL(n), 0, EPCTL_SNAK | EPCTL_EPDIS);
        wait(otg, OTG_DOEPINT(n), EPINT_EPDISD, EPINT_EPDISD, POLLS_RUNNING);
    }
    put(otg, OTG_DCTL, get(otg, OTG_DCTL) | DCTL_CGONAK);
}

static void close_in(struct otg_fs *otg, uint32_t n) {
    abort_in(otg, n);
    put(otg, OTG_DIEPCTL(n), EPCTL_SNAK);
    put(otg, OTG_DIEPINT(n), EPINT_ALL);
    otg->in_busy[n] = false;
}

/* Bounded: once an OUT packet is taken its endpoint answers NAK. */
static void take_entries(struct otg_fs *otg) {
    for (uint32_t i = 0; i < ENTRIES_A_POLL && get(otg, OTG_GINTSTS) & GINTSTS_RXFLVL; i++) {
        take_entry(otg);
    }
}

/* What the endpoint has received but nobody taken goes too: it must not be taken for a packet of
 * the endpoint's next life. */
static void close_out(struct otg_fs *otg, uint32_t n) {
    disable_out(otg, n);
    take_entries(otg);
    put(otg, OTG_DOEPCTL(n), EPCTL_SNAK);
    put(otg, OTG_DOEPINT(n), EPINT_ALL);
    otg->out[n].armed = false;
}

/* Room for one packet, and on endpoint 0 for three SETUPs in a row, which come without being armed
 * for. */
static void size_out(struct otg_fs *otg, uint32_t n) {
    put(otg, OTG_DOEPTSIZ(n),
        DCD_PACKET_MAX | 1u << EPTSIZ_PKTCNT_SHIFT | (n == 0 ? 3u << DOEPTSIZ0_STUPCNT_SHIFT : 0));
}

/* ---- events ---- */

/* The bus begins anew: address 0 and only endpoint 0. What still waits in the receive FIFO is not
 * flushed: when the main loop is late it may be the first SETUP of the new life. */
static void handle_reset(struct otg_fs *otg) {
    put(otg, OTG_DCFG, DCFG_DSPD_FULL);
    abort_in(otg, 0);
    put(otg, OTG_DIEPINT(0), EPINT_ALL);
    put(otg, OTG_DOEPINT(0), EPINT_ALL); /* before closing, which may meet that SETUP */
    for (uint32_t n = 1; n < OTG_FS_N_ENDPOINT; n++) {
        close_in(otg, n);
        close_out(otg, n);
    }
    change(otg, OTG_DOEPCTL(0), EPCTL_STALL, EPCTL_SNAK);
    change(otg, OTG_DIEPCTL(0), EPCTL_STALL, EPCTL_SNAK);
    otg->in_busy[0] = otg->out[0].armed = false;
    size_out(otg, 0);
    put(otg, OTG_DIEPMSK, EPINT_XFRC);
    put(otg, OTG_DOEPMSK, EPINT_XFRC | DOEPINT_STUP);
    put(otg, OTG_DAINTMSK, 1u | 1u << 16);
    otg->suspended = false;
    otg->dcd.events->reset(otg->dcd.user);
}

static void handle_in(struct otg_fs *otg, uint8_t n) {
    put(otg, OTG_DIEPINT(n), EPINT_XFRC);
    if (otg->in_busy[n]) {
        otg->in_busy[n] = false;
        otg->dcd.events->in_done(otg->dcd.user, (uint8_t)(DCD_IN | n));
    }
}

/* The core has set NAK on both sides of endpoint 0 and ended its stall by itself. */
static void handle_setup(struct otg_fs *otg) {
    abort_in(otg, 0);
    put(otg, OTG_DIEPINT(0), EPINT_XFRC);
    otg->in_busy[0] = otg->out[0].armed = false;
    size_out(otg, 0);
    otg->dcd.events->setup(otg->dcd.user, otg->setup);
}

static void handle_out(struct otg_fs *otg, uint8_t n) {
    uint32_t flags = get(otg, OTG_DOEPINT(n)) & (EPINT_XFRC | DOEPINT_STUP);
    put(otg, OTG_DOEPINT(n), flags);
    if (flags & EPINT_XFRC && otg->out[n].armed) {
        otg->out[n].armed = false;
        otg->dcd.events->out_packet(otg->dcd.user, n, otg->out[n].packet, otg->out[n].n);
    }
    if (flags & DOEPINT_STUP) {
        handle_setup(otg);
    }
}

static void handle_endpoints(struct otg_fs *otg) {
    uint32_t which = get(otg, OTG_DAINT) & get(otg, OTG_DAINTMSK);
    for (uint8_t n = 0; n < OTG_FS_N_ENDPOINT; n++) {
        if (which >> n & 1 && get(otg, OTG_DIEPINT(n)) & EPINT_XFRC) {
            handle_in(otg, n);
        }
    }
    for (uint8_t n = 0; n < OTG_FS_N_ENDPOINT; n++) {
        if (which >> (16 + n) & 1) {
            handle_out(otg, n);
        }
    }
}

static void handle_sleep(struct otg_fs *otg, uint32_t pending) {
    bool asleep = get(otg, OTG_DSTS) & DSTS_SUSPSTS;
    if (pending & GINTSTS_USBSUSP && asleep && !otg->suspended) {
        otg->suspended = true;
        otg->dcd.events->suspend(otg->dcd.user);
    } else if (otg->suspended && (!asleep || pending & GINTSTS_WKUPINT)) {
        otg->suspended = false;
        otg->dcd.events->resume(otg->dcd.user);
    }
}

static bool otg_poll(struct dcd *dcd) {
    struct otg_fs *otg = otg_of(dcd);
    uint32_t pending = get(otg, OTG_GINTSTS);
    pending &= GINTSTS_OTGINT | GINTSTS_RXFLVL | GINTSTS_USBSUSP | GINTSTS_USBRST |
               GINTSTS_ENUMDNE | GINTSTS_IEPINT | GINTSTS_OEPINT | GINTSTS_WKUPINT;
    if (pending == 0 && !otg->suspended) {
        return false;
    }
    put(otg, OTG_GINTSTS,
        pending & (GINTSTS_USBSUSP | GINTSTS_USBRST | GINTSTS_ENUMDNE | GINTSTS_WKUPINT));
    if (pending & GINTSTS_OTGINT) {
        uint32_t what = get(otg, OTG_GOTGINT);
        put(otg, OTG_GOTGINT, what);
        /* Unplugged: as good as a reset, and the host begins with one when it is back. */
        pending |= what & GOTGINT_SEDET ? GINTSTS_USBRST : 0;
    }
    if (pending & GINTSTS_USBRST) {
        handle_reset(otg);
    }
    if (pending & GINTSTS_ENUMDNE) { /* full speed, what else: endpoint 0 stays at 64 bytes */
        put(otg, OTG_DCTL, get(otg, OTG_DCTL) | DCTL_CGINAK);
    }
    take_entries(otg);
    handle_endpoints(otg);
    handle_sleep(otg, pending);
    return pending != 0;
}

/* ---- operations ---- */

static bool otg_init(struct dcd *dcd) {
    struct otg_fs *otg = otg_of(dcd);
    if (!wait(otg, OTG_GRSTCTL, GRSTCTL_AHBIDL, GRSTCTL_AHBIDL, POLLS_INIT)) {
        return false; /* no clock, or no such peripheral */
    }
    put(otg, OTG_GAHBCFG, 0); /* no interrupts: polled */
    put(otg, OTG_GUSBCFG, GUSBCFG_PHYSEL);
    put(otg, OTG_GRSTCTL, GRSTCTL_CSRST);
    if (!wait(otg, OTG_GRSTCTL, GRSTCTL_CSRST, 0, POLLS_INIT) ||
        !wait(otg, OTG_GRSTCTL, GRSTCTL_AHBIDL, GRSTCTL_AHBIDL, POLLS_INIT)) {
        return false;
    }
    put(otg, OTG_DCTL, DCTL_SDIS);
    put(otg, OTG_GCCFG, GCCFG_PWRDWN | (otg->sense_vbus ? GCCFG_VBUSBSEN : GCCFG_NOVBUSSENS));
    put(otg, OTG_GUSBCFG, GUSBCFG_PHYSEL | GUSBCFG_FDMOD | TURNAROUND << GUSBCFG_TRDT_SHIFT);
    if (!wait(otg, OTG_GINTSTS, GINTSTS_CMOD, 0, POLLS_INIT)) {
        return false;
    }
    put(otg, OTG_PCGCCTL, 0);
    put(otg, OTG_DCFG, DCFG_DSPD_FULL);
    put(otg, OTG_GRXFSIZ, WORDS_RX);
    put(otg, OTG_DIEPTXF0, WORDS_TX0 << 16 | WORDS_RX);
    for (uint32_t n = 1; n < OTG_FS_N_ENDPOINT; n++) {
        put(otg, OTG_DIEPTXF(n), WORDS_TX << 16 | (WORDS_RX + WORDS_TX0 + (n - 1) * WORDS_TX));
    }
    flush_tx(otg, GRSTCTL_TXFNUM_ALL);
    flush_rx(otg);
    put(otg, OTG_GINTMSK, 0);
    put(otg, OTG_GINTSTS, 0xffffffffu);
    return true;
}

static void otg_connect(struct dcd *dcd) {
    struct otg_fs *otg = otg_of(dcd);
    put(otg, OTG_DCTL, get(otg, OTG_DCTL) & ~DCTL_SDIS);
}

static void otg_disconnect(struct dcd *dcd) {
    struct otg_fs *otg = otg_of(dcd);
    put(otg, OTG_DCTL, get(otg, OTG_DCTL) | DCTL_SDIS);
}

/* Written whole: what DCFG reads back may be wrong (ES0182, "Error in software-read OTG_FS_DCFG
 * register values"). The core itself waits for the status stage. */
static void otg_set_address(struct dcd *dcd, uint8_t address) {
    put(otg_of(dcd), OTG_DCFG, DCFG_DSPD_FULL | (uint32_t)address << DCFG_DAD_SHIFT);
}

static void otg_open(struct dcd *dcd, uint8_t endpoint, enum dcd_type type, uint16_t size) {
    struct otg_fs *otg = otg_of(dcd);
    uint32_t n = endpoint & ~DCD_IN;
    uint32_t control =
        EPCTL_USBAEP | EPCTL_SD0PID | EPCTL_SNAK | size | (uint32_t)type << EPCTL_EPTYP_SHIFT;
    if (endpoint & DCD_IN) {
        put(otg, OTG_DIEPCTL(n), control | n << EPCTL_TXFNUM_SHIFT);
    } else {
        put(otg, OTG_DOEPCTL(n), control);
    }
    put(otg, OTG_DAINTMSK, get(otg, OTG_DAINTMSK) | 1u << (endpoint & DCD_IN ? n : 16 + n));
}

static void otg_close(struct dcd *dcd, uint8_t endpoint) {
    struct otg_fs *otg = otg_of(dcd);
    uint32_t n = endpoint & ~DCD_IN;
    put(otg, OTG_DAINTMSK, get(otg, OTG_DAINTMSK) & ~(1u << (endpoint & DCD_IN ? n : 16 + n)));
    if (endpoint & DCD_IN) {
        close_in(otg, n);
    } else {
        close_out(otg, n);
    }
}

/* A stall stands above NAK and an armed transfer, so OUT need not be disabled. */
static void otg_stall(struct dcd *dcd, uint8_t endpoint) {
    struct otg_fs *otg = otg_of(dcd);
    uint32_t n = endpoint & ~DCD_IN;
    if (endpoint & DCD_IN) {
        abort_in(otg, n);
        change(otg, OTG_DIEPCTL(n), 0, EPCTL_STALL);
    } else {
        change(otg, OTG_DOEPCTL(n), 0, EPCTL_STALL);
    }
}

static void otg_clear_stall(struct dcd *dcd, uint8_t endpoint) {
    uint32_t n = endpoint & ~DCD_IN;
    change(otg_of(dcd), endpoint & DCD_IN ? OTG_DIEPCTL(n) : OTG_DOEPCTL(n), EPCTL_STALL,
           EPCTL_SD0PID);
}

static bool otg_write(struct dcd *dcd, uint8_t endpoint, const uint8_t *from, size_t n) {
    struct otg_fs *otg = otg_of(dcd);
    uint32_t number = endpoint & ~DCD_IN;
    size_t words = (n + 3) / 4;
    if (otg->in_busy[number]) {
        return false;
    }
    if ((get(otg, OTG_DTXFSTS(number)) & 0xffff) < words) {
        otg->dcd.faults++;
        return false;
    }
    otg->in_busy[number] = true;
    put(otg, OTG_DIEPTSIZ(number), (uint32_t)n | 1u << EPTSIZ_PKTCNT_SHIFT);
    change(otg, OTG_DIEPCTL(number), 0, EPCTL_EPENA | EPCTL_CNAK);
    for (size_t i = 0; i < n; i += 4) {
        uint32_t word = 0;
        for (size_t k = i; k < n && k < i + 4; k++) {
            word |= (uint32_t)from[k] << 8 * (k - i);
        }
        put(otg, OTG_FIFO(number), word);
    }
    return true;
}

static void otg_receive(struct dcd *dcd, uint8_t endpoint) {
    struct otg_fs *otg = otg_of(dcd);
    otg->out[endpoint].armed = true;
    otg->out[endpoint].n = 0;
    size_out(otg, endpoint);
    change(otg, OTG_DOEPCTL(endpoint), 0, EPCTL_EPENA | EPCTL_CNAK);
}

static const struct dcd_operations operations = {.init = otg_init,
                                                 .connect = otg_connect,
                                                 .disconnect = otg_disconnect,
                                                 .poll = otg_poll,
                                                 .set_address = otg_set_address,
                                                 .ep_open = otg_open,
                                                 .ep_close = otg_close,
                                                 .ep_stall = otg_stall,
                                                 .ep_clear_stall = otg_clear_stall,
                                                 .ep_write = otg_write,
                                                 .ep_receive = otg_receive};

void otg_fs_create(struct otg_fs *otg, const struct otg_fs_access *access, bool sense_vbus) {
    memset(otg, 0, sizeof *otg);
    otg->dcd.operations = &operations;
    otg->dcd.address_at_once = true;
    otg->access = *access;
    otg->sense_vbus = sense_vbus;
}
