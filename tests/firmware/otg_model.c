#include "tests/firmware/otg_model.h"

#include <string.h>

static void forbid(struct otg_model *model, bool bad, const char *what) {
    if (bad && model->misuse++ == 0) {
        model->first_misuse = what;
    }
}

static bool pull_up(const struct otg_model *model) {
    bool powered = model->gccfg & (1u << 16) && model->gccfg & (1u << 19 | 1u << 21);
    return powered && !(model->dctl & DCTL_SDIS) && model->reset_done;
}

/* ---- receive FIFO ---- */

static size_t words_waiting(const struct otg_model *model) {
    size_t words = 0;
    for (unsigned i = model->tail; i != model->head; i++) {
        words += 1 + (GRXSTS_BCNT(model->entries[i % OTG_MODEL_ENTRIES].status) + 3) / 4;
    }
    return words;
}

void otg_model_push(struct otg_model *model, unsigned kind, unsigned endpoint, const uint8_t *data,
                    size_t n) {
    struct otg_model_entry *entry = &model->entries[model->head++ % OTG_MODEL_ENTRIES];
    entry->status =
        endpoint | (uint32_t)n << GRXSTS_BCNT_SHIFT | (uint32_t)kind << GRXSTS_PKTSTS_SHIFT;
    if (n > 0) {
        memcpy(entry->data, data, n);
    }
}

static uint32_t take_status(struct otg_model *model) {
    forbid(model, model->at_unread < model->n_unread, "GRXSTSP before the data were read");
    forbid(model, model->head == model->tail, "GRXSTSP of an empty FIFO");
    const struct otg_model_entry *entry = &model->entries[model->tail % OTG_MODEL_ENTRIES];
    model->tail += model->head != model->tail;
    model->n_unread = GRXSTS_BCNT(entry->status);
    model->at_unread = 0;
    struct otg_model_endpoint *out = &model->out[entry->status & 3];
    switch (GRXSTS_PKTSTS(entry->status)) {
    case 1:
        model->gintsts |= GINTSTS_GONAKEFF;
        break;
    case 3:
        out->interrupt |= EPINT_XFRC;
        break;
    case 4:
        out->interrupt |= DOEPINT_STUP;
        break;
    default:
        break;
    }
    return entry->status;
}

static uint32_t take_word(struct otg_model *model) {
    const struct otg_model_entry *entry = &model->entries[(model->tail - 1) % OTG_MODEL_ENTRIES];
    forbid(model, model->at_unread >= model->n_unread, "FIFO read without data");
    uint32_t word = 0;
    for (unsigned k = 0; k < 4; k++) { /* beyond the packet: rubbish */
        size_t at = model->at_unread + k;
        word |= (uint32_t)(at < model->n_unread ? entry->data[at] : 0xa5) << 8 * k;
    }
    model->at_unread += 4;
    return word;
}

/* ---- reading ---- */

static uint32_t interrupts_of_endpoints(const struct otg_model *model) {
    uint32_t all = 0;
    for (unsigned i = 0; i < 4; i++) {
        all |= (uint32_t)((model->in[i].interrupt & model->diepmsk) != 0) << i;
        all |= (uint32_t)((model->out[i].interrupt & model->doepmsk) != 0) << (16 + i);
    }
    return all;
}

static uint32_t read_status(const struct otg_model *model) {
    uint32_t endpoints = interrupts_of_endpoints(model) & model->daintmsk;
    return model->gintsts | (model->host_mode ? GINTSTS_CMOD : 0) |
           (model->head != model->tail ? GINTSTS_RXFLVL : 0) |
           (model->session_end ? GINTSTS_OTGINT : 0) | (endpoints & 0xffff ? GINTSTS_IEPINT : 0) |
           (endpoints >> 16 ? GINTSTS_OEPINT : 0);
}

static uint32_t read_endpoint(struct otg_model *model, struct otg_model_endpoint *e, unsigned n,
                              uint32_t offset) {
    switch (offset) {
    case 0x00:
        return e->control;
    case 0x08:
        return e->interrupt;
    case 0x10:
        return e->size;
    case 0x18:
        return model->no_space ? 0 : (model->txfsiz[n] >> 16) - (e->n_fifo + 3) / 4;
    default:
        forbid(model, true, "unknown endpoint register read");
        return 0;
    }
}

static uint32_t model_read(void *bus, uint32_t offset) {
    struct otg_model *model = bus;
    forbid(model, model->writing >= 0, "access within a FIFO write sequence (ES0182)");
    if (offset >= 0x1000) {
        return take_word(model);
    }
    if (offset >= 0x900 && offset < 0xd00) {
        bool in = offset < 0xb00;
        unsigned n = (offset - (in ? 0x900 : 0xb00)) / 0x20;
        forbid(model, n > 3, "endpoint above 3");
        return read_endpoint(model, in ? &model->in[n & 3] : &model->out[n & 3], n & 3,
                             offset & 0x1f);
    }
    switch (offset) {
    case OTG_GOTGINT:
        return model->session_end ? GOTGINT_SEDET : 0;
    case OTG_GRSTCTL:
        return (model->busy_bus || (model->busy_after && model->reset_done) ? 0 : GRSTCTL_AHBIDL) |
               (model->stuck_reset ? GRSTCTL_CSRST : 0) |
               (model->stuck_flush ? GRSTCTL_TXFFLSH | GRSTCTL_RXFFLSH : 0);
    case OTG_GINTSTS:
        return read_status(model);
    case OTG_GRXSTSP:
        return take_status(model);
    case OTG_DCTL:
        return model->dctl;
    case OTG_DSTS:
        return model->asleep ? DSTS_SUSPSTS : 0;
    case OTG_DAINT:
        return interrupts_of_endpoints(model);
    case OTG_DAINTMSK:
        return model->daintmsk;
    default:
        forbid(model, true, "unknown register read");
        return 0;
    }
}

/* ---- writing ---- */

/* The host has the packet. */
static void finish_in(struct otg_model_endpoint *e) {
    e->control = (e->control & ~EPCTL_EPENA) | EPCTL_NAKSTS;
    e->interrupt |= EPINT_XFRC;
    e->n_fifo = 0;
    e->toggle ^= 1;
}

static void write_control(struct otg_model *model, struct otg_model_endpoint *e, bool in,
                          unsigned n, uint32_t value) {
    const uint32_t fixed = n == 0 ? EPCTL_USBAEP : 0; /* endpoint 0 is always active */
    const uint32_t kept = EPCTL_EPENA | EPCTL_NAKSTS;
    uint32_t plain = value & (0x7ff | EPCTL_USBAEP | 3u << EPCTL_EPTYP_SHIFT | EPCTL_STALL |
                              0xfu << EPCTL_TXFNUM_SHIFT);
    e->control = (e->control & kept) | plain | fixed;
    if (value & EPCTL_SNAK) {
        if (in && model->finish_on_snak && e->control & EPCTL_EPENA) {
            finish_in(e);
        }
        e->control |= model->stuck_nak ? 0 : EPCTL_NAKSTS;
        e->interrupt |= in ? DIEPINT_INEPNE : 0;
    }
    if (value & EPCTL_CNAK) {
        forbid(model, n == 0 && model->out[0].interrupt & DOEPINT_STUP,
               "CNAK before STUP was handled");
        e->control &= ~EPCTL_NAKSTS;
    }
    if (value & EPCTL_SD0PID) {
        forbid(model, n == 0, "SD0PID on endpoint 0");
        e->toggle = 0;
    }
    if (value & EPCTL_EPDIS) {
        forbid(model, !(e->control & EPCTL_EPENA), "EPDIS of an endpoint that is not enabled");
        forbid(model, !in && n == 0, "EPDIS of OUT 0");
        forbid(model, !(e->control & EPCTL_NAKSTS) && !model->stuck_nak, "EPDIS without NAK");
        forbid(model, !in && !(model->gintsts & GINTSTS_GONAKEFF) && !model->stuck_nak,
               "EPDIS of OUT without global NAK");
        if (!model->stuck_disable) {
            e->control &= ~EPCTL_EPENA;
            e->interrupt |= EPINT_EPDISD;
        }
    } else if (value & EPCTL_EPENA) {
        /* Software cannot know of a reset that it has not looked for. */
        forbid(model, !(e->control & EPCTL_USBAEP) && !(model->gintsts & GINTSTS_USBRST),
               "EPENA of a closed endpoint");
        forbid(model, in && e->control & EPCTL_EPENA, "EPENA of a busy IN endpoint");
        forbid(model, !(e->size >> EPTSIZ_PKTCNT_SHIFT & 0x3ff), "EPENA for no packet");
        e->control |= EPCTL_EPENA;
        if (in && (e->size & 0x7f) > 0) {
            model->writing = (int)n;
        }
    }
}

static void write_endpoint(struct otg_model *model, bool in, unsigned n, uint32_t offset,
                           uint32_t value) {
    struct otg_model_endpoint *e = in ? &model->in[n] : &model->out[n];
    switch (offset) {
    case 0x00:
        write_control(model, e, in, n, value);
        break;
    case 0x08:
        e->interrupt &= ~value;
        break;
    case 0x10:
        forbid(model, e->control & EPCTL_EPENA && (in || n > 0), "size of an enabled endpoint");
        e->size = value;
        break;
    default:
        forbid(model, true, "unknown endpoint register written");
        break;
    }
}

static void push_word(struct otg_model *model, unsigned n, uint32_t value) {
    struct otg_model_endpoint *e = &model->in[n & 3];
    forbid(model, model->writing != (int)n, "FIFO write without a transfer");
    forbid(model, e->n_fifo + 4 > sizeof e->fifo, "FIFO overflow");
    if (e->n_fifo + 4 <= sizeof e->fifo) {
        for (unsigned k = 0; k < 4; k++) {
            e->fifo[e->n_fifo++] = (uint8_t)(value >> 8 * k);
        }
    }
    if (e->n_fifo >= (e->size & 0x7f)) {
        model->writing = -1;
    }
}

static void core_reset(struct otg_model *model) {
    for (unsigned i = 0; i < 4; i++) {
        model->in[i] = model->out[i] = (struct otg_model_endpoint){0};
    }
    model->in[0].control = model->out[0].control = EPCTL_USBAEP;
    model->dctl = model->dcfg = model->diepmsk = model->doepmsk = model->daintmsk = 0;
    model->gintsts = 0x04000020; /* what a reset leaves pending */
    model->head = model->tail = 0;
    model->reset_done = true;
}

static void write_reset(struct otg_model *model, uint32_t value) {
    if (value & GRSTCTL_CSRST) {
        core_reset(model);
    }
    if (value & GRSTCTL_TXFFLSH) {
        unsigned which = value >> GRSTCTL_TXFNUM_SHIFT & 0x1f;
        for (unsigned i = 0; i < 4; i++) {
            if (which == i || which == GRSTCTL_TXFNUM_ALL) {
                forbid(model, model->in[i].control & EPCTL_EPENA && !model->stuck_disable,
                       "flush of an enabled endpoint");
                model->in[i].n_fifo = 0;
            }
        }
    }
    if (value & GRSTCTL_RXFFLSH) {
        model->head = model->tail = 0;
    }
}

static void write_dctl(struct otg_model *model, uint32_t value) {
    model->dctl = value & DCTL_SDIS;
    if (value & DCTL_SGONAK) {
        forbid(model, model->gintsts & GINTSTS_GONAKEFF, "SGONAK twice");
        model->dctl |= DCTL_GONSTS;
        if (!model->stuck_nak) {
            otg_model_push(model, 1, 0, NULL, 0);
        }
    }
    if (value & DCTL_CGONAK) {
        model->dctl &= ~DCTL_GONSTS;
        model->gintsts &= ~GINTSTS_GONAKEFF;
    }
}

static void model_write(void *bus, uint32_t offset, uint32_t value) {
    struct otg_model *model = bus;
    if (offset >= 0x1000) {
        push_word(model, offset / 0x1000 - 1, value);
        return;
    }
    forbid(model, model->writing >= 0, "access within a FIFO write sequence (ES0182)");
    if (offset >= 0x900 && offset < 0xd00) {
        bool in = offset < 0xb00;
        write_endpoint(model, in, (offset - (in ? 0x900 : 0xb00)) / 0x20 & 3, offset & 0x1f, value);
        return;
    }
    switch (offset) {
    case OTG_GOTGINT:
        model->session_end = model->session_end && !(value & GOTGINT_SEDET);
        break;
    case OTG_GAHBCFG:
        model->gahbcfg = value;
        break;
    case OTG_GUSBCFG:
        model->gusbcfg = value;
        break;
    case OTG_GRSTCTL:
        write_reset(model, value);
        break;
    case OTG_GINTSTS:
        model->gintsts &= ~value | GINTSTS_GONAKEFF;
        break;
    case OTG_GINTMSK:
        model->gintmsk = value;
        break;
    case OTG_GRXFSIZ:
        model->grxfsiz = value;
        break;
    case OTG_DIEPTXF0:
        model->txfsiz[0] = value;
        break;
    case OTG_DIEPTXF(1):
    case OTG_DIEPTXF(2):
    case OTG_DIEPTXF(3):
        model->txfsiz[(offset - 0x100) / 4] = value;
        break;
    case OTG_GCCFG:
        model->gccfg = value;
        break;
    case OTG_DCFG:
        model->dcfg = value;
        break;
    case OTG_DCTL:
        write_dctl(model, value);
        break;
    case OTG_DIEPMSK:
        model->diepmsk = value;
        break;
    case OTG_DOEPMSK:
        model->doepmsk = value;
        break;
    case OTG_DAINTMSK:
        model->daintmsk = value;
        break;
    case OTG_PCGCCTL:
        model->pcgcctl = value;
        break;
    default:
        forbid(model, true, "unknown register written");
        break;
    }
}

void otg_model_init(struct otg_model *model) {
    memset(model, 0, sizeof *model);
    model->dctl = DCTL_SDIS;
    model->writing = -1;
}

struct otg_fs_access otg_model_access(struct otg_model *model) {
    return (struct otg_fs_access){model, model_read, model_write};
}

/* ---- the cable ---- */

static void port_reset(void *controller) {
    struct otg_model *model = controller;
    model->gintsts |= GINTSTS_USBRST | GINTSTS_ENUMDNE;
    model->asleep = false;
    model->address = 0;
    for (unsigned i = 1; i < 4; i++) {
        model->in[i].control &= ~EPCTL_USBAEP;
        model->out[i].control &= ~EPCTL_USBAEP;
    }
}

static void port_suspend(void *controller) {
    struct otg_model *model = controller;
    model->asleep = true;
    model->gintsts |= GINTSTS_USBSUSP;
}

static void port_resume(void *controller) {
    struct otg_model *model = controller;
    model->asleep = false;
    model->gintsts |= GINTSTS_WKUPINT;
}

static bool heard(const struct otg_model *model, uint8_t address) {
    return pull_up(model) && address == model->address;
}

static bool fits(const struct otg_model *model, size_t n) {
    return words_waiting(model) + 2 + (n + 3) / 4 <= model->grxfsiz &&
           model->head - model->tail + 2 <= OTG_MODEL_ENTRIES;
}

static bool port_setup(void *controller, uint8_t address, const uint8_t packet[8]) {
    struct otg_model *model = controller;
    if (!heard(model, address) || !fits(model, 8)) {
        return false;
    }
    struct otg_model_endpoint *out = &model->out[0];
    uint32_t more = out->size >> DOEPTSIZ0_STUPCNT_SHIFT & 3;
    forbid(model, more == 0 && model->head == model->tail, "STUPCNT not renewed");
    out->size = (out->size & ~(3u << DOEPTSIZ0_STUPCNT_SHIFT)) | (more - (more > 0))
                                                                     << DOEPTSIZ0_STUPCNT_SHIFT;
    otg_model_push(model, GRXSTS_SETUP_DATA, 0, packet, 8);
    otg_model_push(model, GRXSTS_SETUP_DONE, 0, NULL, 0);
    for (struct otg_model_endpoint *e = &model->in[0]; e != NULL; e = e == out ? NULL : out) {
        e->control = (e->control & ~EPCTL_STALL) | EPCTL_NAKSTS;
        e->toggle = 1;
    }
    return true;
}

static int port_out(void *controller, uint8_t address, uint8_t endpoint, unsigned toggle,
                    const uint8_t *from, size_t n) {
    struct otg_model *model = controller;
    struct otg_model_endpoint *e = &model->out[endpoint & 3];
    if (!heard(model, address) || !(e->control & EPCTL_USBAEP)) {
        return USB_NO_ANSWER;
    }
    if (e->control & EPCTL_STALL) {
        return USB_STALL;
    }
    if (!(e->control & EPCTL_EPENA) || e->control & EPCTL_NAKSTS || model->dctl & DCTL_GONSTS ||
        !fits(model, n)) {
        return USB_NAK;
    }
    if (endpoint == 0 && n == 0) {
        e->toggle = 1; /* the status stage */
    }
    if (toggle != e->toggle) {
        return 0;
    }
    e->toggle ^= 1;
    e->control = (e->control & ~EPCTL_EPENA) | EPCTL_NAKSTS;
    e->size &= ~(0x3ffu << EPTSIZ_PKTCNT_SHIFT | 0x7f);
    otg_model_push(model, GRXSTS_OUT_DATA, endpoint, from, n);
    otg_model_push(model, GRXSTS_OUT_DONE, endpoint, NULL, 0);
    return 0;
}

static int port_in(void *controller, uint8_t address, uint8_t endpoint, unsigned *toggle,
                   uint8_t *to) {
    struct otg_model *model = controller;
    struct otg_model_endpoint *e = &model->in[endpoint & 3];
    if (!heard(model, address) || !(e->control & EPCTL_USBAEP)) {
        return USB_NO_ANSWER;
    }
    if (e->control & EPCTL_STALL) {
        return USB_STALL;
    }
    uint32_t n = e->size & 0x7f;
    if (!(e->control & EPCTL_EPENA) || e->control & EPCTL_NAKSTS || e->n_fifo < n) {
        return USB_NAK;
    }
    forbid(model, (e->control >> EPCTL_TXFNUM_SHIFT & 0xf) != (endpoint & 3), "wrong FIFO");
    *toggle = e->toggle;
    memcpy(to, e->fifo, n);
    finish_in(e);
    if ((endpoint & 3) == 0 && n == 0) {
        model->address = (uint8_t)(model->dcfg >> DCFG_DAD_SHIFT & 0x7f);
    }
    return (int)n;
}

struct usb_port otg_model_port(struct otg_model *model) {
    return (struct usb_port){model,      port_reset, port_suspend, port_resume,
                             port_setup, port_out,   port_in};
}
