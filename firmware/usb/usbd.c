#include "firmware/usb/usbd.h"

/* Standard requests (USB 2.0, table 9-4). */
enum {
    GET_STATUS = 0,
    CLEAR_FEATURE = 1,
    SET_FEATURE = 3,
    SET_ADDRESS = 5,
    GET_DESCRIPTOR = 6,
    GET_CONFIGURATION = 8,
    SET_CONFIGURATION = 9,
    GET_INTERFACE = 10,
    SET_INTERFACE = 11
};
enum { ENDPOINT_HALT = 0 };

/* ---- stages of endpoint 0 ---- */

/* A request that cannot be done: both directions answer STALL until the next SETUP. */
static void refuse(struct usbd *usbd) {
    usbd->counters.stalls++;
    usbd->stage = USBD_STALLED;
    usbd->dcd->operations->ep_stall(usbd->dcd, DCD_CONTROL_IN);
    usbd->dcd->operations->ep_stall(usbd->dcd, DCD_CONTROL_OUT);
}

static void send_status(struct usbd *usbd) {
    usbd->stage = USBD_STATUS_IN;
    usbd->dcd->operations->ep_write(usbd->dcd, DCD_CONTROL_IN, NULL, 0);
}

static void send_next(struct usbd *usbd) {
    size_t n = usbd->n_answer < DCD_PACKET_MAX ? usbd->n_answer : DCD_PACKET_MAX;
    usbd->dcd->operations->ep_write(usbd->dcd, DCD_CONTROL_IN, usbd->answer, n);
    usbd->answer += n;
    usbd->n_answer -= n;
    /* A short packet, the empty one too, says that there is no more. */
    usbd->answer_is_short = usbd->answer_is_short && n == DCD_PACKET_MAX;
}

static void answer(struct usbd *usbd, const uint8_t *data, size_t n) {
    if (usbd->setup.length == 0) { /* no data stage, so the status stage is IN (8.5.3) */
        send_status(usbd);
        return;
    }
    usbd->answer = data;
    usbd->answer_is_short = n < usbd->setup.length;
    usbd->n_answer = usbd->answer_is_short ? n : usbd->setup.length;
    usbd->stage = USBD_DATA_IN;
    /* The host may go to the status stage before it has taken all. */
    usbd->dcd->operations->ep_receive(usbd->dcd, DCD_CONTROL_OUT);
    send_next(usbd);
}

static void answer_bytes(struct usbd *usbd, uint8_t first, uint8_t second, size_t n) {
    usbd->room[0] = first;
    usbd->room[1] = second;
    answer(usbd, usbd->room, n);
}

/* ---- the bulk pair ---- */

static void open_pair(struct usbd *usbd) {
    const struct dcd_operations *operations = usbd->dcd->operations;
    operations->ep_open(usbd->dcd, USB_ENDPOINT_IN, DCD_BULK, DCD_PACKET_MAX);
    operations->ep_open(usbd->dcd, USB_ENDPOINT_OUT, DCD_BULK, DCD_PACKET_MAX);
    usbd->halted_in = usbd->halted_out = false;
}

static void close_pair(struct usbd *usbd) {
    const struct dcd_operations *operations = usbd->dcd->operations;
    operations->ep_close(usbd->dcd, USB_ENDPOINT_IN);
    operations->ep_close(usbd->dcd, USB_ENDPOINT_OUT);
    usbd->halted_in = usbd->halted_out = false;
}

/* Also when the same configuration is set again: toggles start over (9.1.1.5). */
static void configure(struct usbd *usbd, bool chosen) {
    if (usbd->state == USBD_CONFIGURED) {
        close_pair(usbd);
    }
    open_pair(usbd);
    usbd->state = USBD_CONFIGURED;
    usbd->function->configured(usbd->user, chosen);
}

static void unconfigure(struct usbd *usbd) {
    if (usbd->state == USBD_CONFIGURED) {
        close_pair(usbd);
        usbd->state = USBD_ADDRESSED;
        usbd->function->unconfigured(usbd->user);
    }
}

/* ---- standard requests; false: refuse ---- */

static bool known_endpoint(const struct usbd *usbd, uint16_t index) {
    if (index == DCD_CONTROL_IN || index == DCD_CONTROL_OUT) {
        return true;
    }
    return usbd->state == USBD_CONFIGURED &&
           (index == USB_ENDPOINT_IN || index == USB_ENDPOINT_OUT);
}

static bool get_status(struct usbd *usbd, uint8_t receiver) {
    const struct usbd_setup *setup = &usbd->setup;
    if (setup->value != 0) {
        return false;
    }
    if (receiver == USBD_ENDPOINT && known_endpoint(usbd, setup->index)) {
        bool halted = (setup->index == USB_ENDPOINT_IN && usbd->halted_in) ||
                      (setup->index == USB_ENDPOINT_OUT && usbd->halted_out);
        answer_bytes(usbd, halted, 0, 2);
        return true;
    }
    bool known =
        setup->index == 0 &&
        (receiver == USBD_DEVICE || (receiver == USBD_INTERFACE && usbd->state == USBD_CONFIGURED));
    if (known) { /* not self powered, no remote wakeup */
        answer_bytes(usbd, 0, 0, 2);
    }
    return known;
}

static void halt(struct usbd *usbd, uint8_t endpoint) {
    *(endpoint == USB_ENDPOINT_IN ? &usbd->halted_in : &usbd->halted_out) = true;
    usbd->dcd->operations->ep_stall(usbd->dcd, endpoint);
}

static void clear_halt(struct usbd *usbd, uint8_t endpoint) {
    bool *halted = endpoint == USB_ENDPOINT_IN ? &usbd->halted_in : &usbd->halted_out;
    bool dropped = endpoint == USB_ENDPOINT_IN && *halted;
    *halted = false;
    usbd->dcd->operations->ep_clear_stall(usbd->dcd, endpoint);
    if (dropped) {
        usbd->function->in_restart(usbd->user);
    }
}

/* The halt of an endpoint is the only feature: no remote wakeup, and test modes are for high
 * speed. */
static bool change_feature(struct usbd *usbd, uint8_t receiver, bool set) {
    const struct usbd_setup *setup = &usbd->setup;
    if (receiver != USBD_ENDPOINT || setup->value != ENDPOINT_HALT || setup->length != 0 ||
        !known_endpoint(usbd, setup->index)) {
        return false;
    }
    bool control = setup->index == DCD_CONTROL_IN || setup->index == DCD_CONTROL_OUT;
    if (control && set) { /* a halted endpoint 0 could never be cleared (9.4.5) */
        return false;
    }
    if (!control && set) {
        halt(usbd, (uint8_t)setup->index);
    } else if (!control) {
        clear_halt(usbd, (uint8_t)setup->index);
    }
    send_status(usbd);
    return true;
}

static bool set_address(struct usbd *usbd) {
    const struct usbd_setup *setup = &usbd->setup;
    if (setup->value > 127 || setup->index != 0 || setup->length != 0 ||
        usbd->state == USBD_CONFIGURED) {
        return false;
    }
    uint8_t address = (uint8_t)setup->value;
    if (usbd->dcd->address_at_once) {
        usbd->dcd->operations->set_address(usbd->dcd, address);
    }
    usbd->new_address = address;
    usbd->address_pending = true;
    send_status(usbd);
    return true;
}

static bool set_configuration(struct usbd *usbd) {
    const struct usbd_setup *setup = &usbd->setup;
    if (usbd->state == USBD_DEFAULT || setup->index != 0 || setup->length != 0 ||
        (setup->value != 0 && setup->value != USB_CONFIGURATION)) {
        return false;
    }
    if (setup->value == 0) {
        unconfigure(usbd);
    } else {
        configure(usbd, false);
    }
    send_status(usbd);
    return true;
}

static bool get_descriptor(struct usbd *usbd) {
    const struct usbd_setup *setup = &usbd->setup;
    size_t n = 0;
    const uint8_t *descriptor = usb_descriptor(&usbd->identity, (uint8_t)(setup->value >> 8),
                                               (uint8_t)setup->value, usbd->room, &n);
    if (descriptor != NULL) {
        answer(usbd, descriptor, n);
    }
    return descriptor != NULL;
}

static bool device_request(struct usbd *usbd) {
    const struct usbd_setup *setup = &usbd->setup;
    bool to_host = setup->type & USBD_TO_HOST;
    switch (setup->request) {
    case SET_ADDRESS:
        return !to_host && set_address(usbd);
    case SET_CONFIGURATION:
        return !to_host && set_configuration(usbd);
    case GET_DESCRIPTOR:
        return to_host && get_descriptor(usbd);
    case GET_CONFIGURATION:
        if (!to_host || setup->value != 0 || setup->index != 0) {
            return false;
        }
        answer_bytes(usbd, usbd->state == USBD_CONFIGURED ? USB_CONFIGURATION : 0, 0, 1);
        return true;
    default:
        return false;
    }
}

/* The interface has one setting, so choosing it only starts the endpoints over (9.1.1.5). */
static bool interface_request(struct usbd *usbd) {
    const struct usbd_setup *setup = &usbd->setup;
    bool to_host = setup->type & USBD_TO_HOST;
    if (usbd->state != USBD_CONFIGURED || setup->index != USB_INTERFACE || setup->value != 0) {
        return false;
    }
    if (setup->request == GET_INTERFACE && to_host) {
        answer_bytes(usbd, 0, 0, 1);
        return true;
    }
    if (setup->request == SET_INTERFACE && !to_host && setup->length == 0) {
        configure(usbd, true);
        send_status(usbd);
        return true;
    }
    return false;
}

static bool standard_request(struct usbd *usbd) {
    const struct usbd_setup *setup = &usbd->setup;
    const uint8_t receiver = setup->type & USBD_RECEIVER;
    const bool to_host = setup->type & USBD_TO_HOST;
    switch (setup->request) {
    case GET_STATUS:
        return to_host && get_status(usbd, receiver);
    case CLEAR_FEATURE:
    case SET_FEATURE:
        return !to_host && change_feature(usbd, receiver, setup->request == SET_FEATURE);
    default:
        break;
    }
    if (receiver == USBD_DEVICE) {
        return device_request(usbd);
    }
    return receiver == USBD_INTERFACE && interface_request(usbd);
}

/* ---- other requests ---- */

/* A class or vendor request; @p data is what came with it. */
static bool function_request(struct usbd *usbd, const uint8_t *data, size_t n) {
    if (!usbd->function->control(usbd->user, &usbd->setup, &data, &n)) {
        return false;
    }
    if (usbd->setup.type & USBD_TO_HOST) {
        answer(usbd, data, n);
    } else {
        send_status(usbd);
    }
    return true;
}

static bool other_request(struct usbd *usbd) {
    const struct usbd_setup *setup = &usbd->setup;
    if (setup->type == (USBD_TO_HOST | USBD_VENDOR | USBD_DEVICE) &&
        setup->request == USB_REQUEST_MS_OS_20 && setup->index == USB_MS_OS_20_INDEX) {
        size_t n;
        const uint8_t *set = usb_ms_os_20(&n);
        answer(usbd, set, n);
        return true;
    }
    if (setup->type & USBD_TO_HOST || setup->length == 0) {
        return function_request(usbd, NULL, 0);
    }
    if (setup->length > USBD_CONTROL_MAX) {
        return false;
    }
    usbd->stage = USBD_DATA_OUT;
    usbd->dcd->operations->ep_receive(usbd->dcd, DCD_CONTROL_OUT);
    return true;
}

/* ---- events of the controller ---- */

static void on_reset(void *user) {
    struct usbd *usbd = user;
    bool was_configured = usbd->state == USBD_CONFIGURED;
    usbd->counters.resets++;
    usbd->state = USBD_DEFAULT;
    usbd->stage = USBD_IDLE;
    usbd->suspended = usbd->halted_in = usbd->halted_out = usbd->address_pending = false;
    if (was_configured) {
        usbd->function->unconfigured(usbd->user);
    }
}

static void on_setup(void *user, const uint8_t p[DCD_SETUP_SIZE]) {
    struct usbd *usbd = user;
    /* A new SETUP ends whatever transfer was on its way (8.5.3); the controller has dropped its
     * packets. */
    usbd->stage = USBD_IDLE;
    usbd->address_pending = false;
    usbd->setup = (struct usbd_setup){.type = p[0],
                                      .request = p[1],
                                      .value = (uint16_t)(p[2] | p[3] << 8),
                                      .index = (uint16_t)(p[4] | p[5] << 8),
                                      .length = (uint16_t)(p[6] | p[7] << 8)};
    bool done = (usbd->setup.type & USBD_KIND) == USBD_STANDARD ? standard_request(usbd)
                                                                : other_request(usbd);
    if (!done) {
        refuse(usbd);
    }
}

static void control_out(struct usbd *usbd, const uint8_t *packet, size_t n) {
    switch (usbd->stage) {
    case USBD_DATA_OUT: /* all of it in one packet: USBD_CONTROL_MAX */
        if (n != usbd->setup.length || !function_request(usbd, packet, n)) {
            refuse(usbd);
        }
        break;
    case USBD_DATA_IN: /* the host has enough */
    case USBD_STATUS_OUT:
        usbd->stage = USBD_IDLE;
        break;
    default:
        break;
    }
}

static void control_in_done(struct usbd *usbd) {
    if (usbd->stage == USBD_DATA_IN) {
        if (usbd->n_answer > 0 || usbd->answer_is_short) {
            send_next(usbd);
        } else {
            usbd->stage = USBD_STATUS_OUT;
        }
    } else if (usbd->stage == USBD_STATUS_IN) {
        usbd->stage = USBD_IDLE;
        if (usbd->address_pending) {
            usbd->address_pending = false;
            usbd->state = usbd->new_address != 0 ? USBD_ADDRESSED : USBD_DEFAULT;
            if (!usbd->dcd->address_at_once) {
                usbd->dcd->operations->set_address(usbd->dcd, usbd->new_address);
            }
        }
    }
}

static void on_out_packet(void *user, uint8_t endpoint, const uint8_t *packet, size_t n) {
    struct usbd *usbd = user;
    if (endpoint == DCD_CONTROL_OUT) {
        control_out(usbd, packet, n);
    } else if (endpoint == USB_ENDPOINT_OUT && usbd->state == USBD_CONFIGURED) {
        usbd->function->out_packet(usbd->user, packet, n);
    }
}

static void on_in_done(void *user, uint8_t endpoint) {
    struct usbd *usbd = user;
    if (endpoint == DCD_CONTROL_IN) {
        control_in_done(usbd);
    } else if (endpoint == USB_ENDPOINT_IN && usbd->state == USBD_CONFIGURED) {
        usbd->function->in_done(usbd->user);
    }
}

static void on_suspend(void *user) {
    struct usbd *usbd = user;
    usbd->suspended = true;
    usbd->counters.suspends++;
}

static void on_resume(void *user) {
    struct usbd *usbd = user;
    usbd->suspended = false;
}

static const struct dcd_events events = {on_reset,   on_setup,   on_out_packet,
                                         on_in_done, on_suspend, on_resume};

/* ---- what the function calls ---- */

bool usbd_init(struct usbd *usbd, struct dcd *dcd, const struct usb_identity *identity,
               const struct usbd_function *function, void *user) {
    *usbd = (struct usbd){.dcd = dcd, .function = function, .user = user, .identity = *identity};
    dcd->events = &events;
    dcd->user = usbd;
    usbd->alive = dcd->operations->init(dcd);
    return usbd->alive;
}

void usbd_connect(struct usbd *usbd) {
    if (usbd->alive) {
        usbd->dcd->operations->connect(usbd->dcd);
    }
}

void usbd_disconnect(struct usbd *usbd) {
    if (usbd->alive) {
        unconfigure(usbd);
        usbd->state = USBD_DEFAULT;
        usbd->stage = USBD_IDLE;
        usbd->suspended = false;
        usbd->dcd->operations->disconnect(usbd->dcd);
    }
}

void usbd_poll(struct usbd *usbd) {
    if (usbd->alive) {
        usbd->dcd->operations->poll(usbd->dcd);
    }
}

bool usbd_write(struct usbd *usbd, const uint8_t *from, size_t n) {
    return usbd->state == USBD_CONFIGURED && !usbd->halted_in &&
           usbd->dcd->operations->ep_write(usbd->dcd, USB_ENDPOINT_IN, from, n);
}

void usbd_receive(struct usbd *usbd) {
    if (usbd->state == USBD_CONFIGURED) {
        usbd->dcd->operations->ep_receive(usbd->dcd, USB_ENDPOINT_OUT);
    }
}
