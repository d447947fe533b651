/* Transfers to and from the hub, and the search for it when it goes.
 *
 * All of libusb is called from this thread alone, but for opening, closing and waking it. */
#include "host/devices/hub_usb.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    PAUSE_MS = 10,   /* after a failed transfer, and after many empty ones */
    IDLE_MS = 200,   /* the thread looks up */
    SEARCH_MS = 200, /* between two looks for a hub that is gone */
    RETIRE_MS = 2000,
    EMPTY_MOST = 16, /* in a row without a pause */
    FAULTS_MOST = 50 /* pauses in a row, then the device is as good as gone */
};

/* ---- transfers toward the host ---- */

static void fault(struct usb *usb) {
    const uint64_t now = transport_now_ms();
    usb->counts.faults++;
    /* Those in flight fail together. A cable that is pulled is noise first, for a quarter of a
     * second, before the system sees it. */
    usb->faults += now >= usb->pause_until;
    usb->lost = usb->lost || usb->faults > FAULTS_MOST;
    usb->pause_until = now + PAUSE_MS;
}

static void keep(struct usb *usb, const uint8_t *bytes, size_t n) {
    const size_t at = (usb->begin + usb->used) % RING_BYTES;
    const size_t first = RING_BYTES - at < n ? RING_BYTES - at : n;
    memcpy(usb->ring + at, bytes, first);
    memcpy(usb->ring, bytes + first, n - first);
    usb->used += n;
    if (n > 0) {
        usb->heard = true;
        usb->faults = 0;
        usb->empty = 0;
        pthread_cond_broadcast(&usb->changed);
    } else if (++usb->empty > EMPTY_MOST) {
        usb->pause_until = transport_now_ms() + PAUSE_MS;
    }
}

/* What came before a transfer failed is kept: the frames' own sums tell good from bad. */
static void LIBUSB_CALL on_in(struct libusb_transfer *transfer) {
    struct in_transfer *in = transfer->user_data;
    struct usb *usb = in->usb;
    pthread_mutex_lock(&usb->lock);
    in->busy = false;
    switch (transfer->status) {
    case LIBUSB_TRANSFER_COMPLETED:
        keep(usb, in->bytes, (size_t)transfer->actual_length);
        break;
    case LIBUSB_TRANSFER_STALL:
        usb->halted_in = true;
        break;
    case LIBUSB_TRANSFER_NO_DEVICE:
        usb->lost = true;
        break;
    case LIBUSB_TRANSFER_CANCELLED:
        break;
    default: /* noise on the cable, or more bytes than the packet may have */
        fault(usb);
        break;
    }
    if (transfer->status != LIBUSB_TRANSFER_COMPLETED && transfer->actual_length > 0 &&
        transfer->actual_length <= transfer->length) {
        keep(usb, in->bytes, (size_t)transfer->actual_length);
    }
    pthread_mutex_unlock(&usb->lock);
}

static void fill_in(struct usb *usb) {
    /* Whole packets: a device that sends one more byte than is asked for babbles. */
    const size_t packet = usb->hub.packet;
    const size_t size = packet < IN_BYTES ? IN_BYTES - IN_BYTES % packet : packet;
    size_t promised = usb->used;
    for (unsigned i = 0; i < TRANSFERS; i++) {
        promised += usb->in[i].busy ? size : 0;
    }
    usb->waits_for_room = false;
    for (unsigned i = 0; i < TRANSFERS && !usb->lost; i++) {
        struct in_transfer *in = &usb->in[i];
        if (in->busy) {
            continue;
        }
        if (promised + size > RING_BYTES) {
            usb->waits_for_room = true;
            return;
        }
        libusb_fill_bulk_transfer(in->transfer, usb->hub.handle, usb->hub.in, in->bytes, (int)size,
                                  on_in, in, 0);
        const int result = libusb_submit_transfer(in->transfer);
        in->busy = result == 0;
        promised += size;
        if (result == LIBUSB_ERROR_NO_DEVICE) {
            usb->lost = true;
        } else if (result != 0) {
            fault(usb);
            return;
        }
    }
}

static unsigned cancel_in(struct usb *usb) {
    unsigned busy = 0;
    for (unsigned i = 0; i < TRANSFERS; i++) {
        if (usb->in[i].busy) {
            busy++;
            libusb_cancel_transfer(usb->in[i].transfer);
        }
    }
    return busy;
}

static void clear_halt(struct usb *usb, uint8_t endpoint, bool *halted) {
    const int result = libusb_clear_halt(usb->hub.handle, endpoint);
    fault(usb);
    *halted = false;
    usb->lost = usb->lost || result == LIBUSB_ERROR_NO_DEVICE;
}

/* ---- transfers toward the hub ---- */

static void finish_errand(struct usb *usb, int result) {
    if (usb->errand == WANTED || usb->errand == RUNNING) {
        usb->errand = DONE;
        usb->out_result = result;
        pthread_cond_broadcast(&usb->changed);
    }
}

static void LIBUSB_CALL on_out(struct libusb_transfer *transfer) {
    struct usb *usb = transfer->user_data;
    pthread_mutex_lock(&usb->lock);
    usb->out_busy = false;
    if (transfer->status == LIBUSB_TRANSFER_STALL) {
        usb->halted_out = true;
    } else if (transfer->status == LIBUSB_TRANSFER_NO_DEVICE) {
        usb->lost = true;
    } else if (transfer->status != LIBUSB_TRANSFER_COMPLETED &&
               transfer->status != LIBUSB_TRANSFER_TIMED_OUT &&
               transfer->status != LIBUSB_TRANSFER_CANCELLED) {
        fault(usb);
    }
    finish_errand(usb, (int)transfer->status);
    pthread_mutex_unlock(&usb->lock);
}

static void start_out(struct usb *usb) {
    libusb_fill_bulk_transfer(usb->out, usb->hub.handle, usb->hub.out, usb->out_bytes,
                              usb->out_size, on_out, usb, usb->out_ms);
    const int result = libusb_submit_transfer(usb->out);
    if (result == 0) {
        usb->errand = RUNNING;
        usb->out_busy = true;
        return;
    }
    usb->lost = usb->lost || result == LIBUSB_ERROR_NO_DEVICE;
    finish_errand(usb, result);
}

/* ---- the thread ---- */

/* What can be begun now. Returns for how long nothing else will be to do but what events bring. */
static unsigned begin_transfers(struct usb *usb) {
    if (usb->halted_out && !usb->out_busy) {
        clear_halt(usb, usb->hub.out, &usb->halted_out);
    }
    if (usb->errand == WANTED && !usb->lost && !usb->out_busy) {
        start_out(usb);
    }
    if (usb->halted_in) {
        if (cancel_in(usb) > 0) {
            return IDLE_MS;
        }
        clear_halt(usb, usb->hub.in, &usb->halted_in);
    }
    if (transport_now_ms() < usb->pause_until) {
        return PAUSE_MS;
    }
    fill_in(usb);
    return usb->lost ? 0 : transport_now_ms() < usb->pause_until ? PAUSE_MS : IDLE_MS;
}

static void hear_events(struct usb *usb, unsigned ms) {
    struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
    if (libusb_handle_events_timeout_completed(usb->hub.context, &wait, NULL) != 0) {
        /* Whatever is wrong, not a loop without a pause. */
        nanosleep(&(const struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
    }
}

static unsigned busy_now(struct usb *usb) {
    pthread_mutex_lock(&usb->lock);
    const unsigned busy = cancel_in(usb) + usb->out_busy;
    if (usb->out_busy) {
        libusb_cancel_transfer(usb->out);
    }
    pthread_mutex_unlock(&usb->lock);
    return busy;
}

/* Ends all transfers. False when the system does not give one back: then its memory stays its own.
 */
bool usb_retire(struct usb *usb) {
    const uint64_t end = transport_now_ms() + RETIRE_MS;
    while (busy_now(usb) > 0) {
        if (transport_now_ms() >= end) {
            return false;
        }
        hear_events(usb, PAUSE_MS);
    }
    return true;
}

bool usb_make_transfers(struct usb *usb) {
    usb->out = libusb_alloc_transfer(0);
    bool complete = usb->out != NULL;
    for (unsigned i = 0; i < TRANSFERS; i++) {
        usb->in[i].transfer = libusb_alloc_transfer(0);
        complete = complete && usb->in[i].transfer != NULL;
    }
    return complete;
}

void usb_free_transfers(struct usb *usb) {
    for (unsigned i = 0; i < TRANSFERS; i++) {
        libusb_free_transfer(usb->in[i].transfer);
        usb->in[i].transfer = NULL;
    }
    libusb_free_transfer(usb->out);
    usb->out = NULL;
}

static int LIBUSB_CALL on_plugged(libusb_context *context, libusb_device *device,
                                  libusb_hotplug_event event, void *user) {
    (void)context;
    (void)device;
    (void)event;
    (void)user;
    return 0; /* that it came ends the wait for events, which is all that is wanted */
}

/* Where it is not supported the search goes by time alone. */
void usb_watch_for_plugs(struct usb *usb) {
    if (libusb_has_capability(LIBUSB_CAP_HAS_HOTPLUG) != 0) {
        libusb_hotplug_register_callback(usb->hub.context, LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED,
                                         LIBUSB_HOTPLUG_NO_FLAGS, HUB_VENDOR, HUB_PRODUCT,
                                         LIBUSB_HOTPLUG_MATCH_ANY, on_plugged, usb, NULL);
    }
}

static bool is_closing(struct usb *usb) {
    pthread_mutex_lock(&usb->lock);
    const bool closing = usb->closing;
    pthread_mutex_unlock(&usb->lock);
    return closing;
}

static void set_state(struct usb *usb, enum state state) {
    pthread_mutex_lock(&usb->lock);
    usb->state = state;
    /* One that runs ends when its transfer does; when none of them ends, now. */
    if (state == GONE || usb->errand == WANTED) {
        finish_errand(usb, LIBUSB_ERROR_NO_DEVICE);
    }
    pthread_cond_broadcast(&usb->changed);
    pthread_mutex_unlock(&usb->lock);
}

static bool come_back(struct usb *usb, struct usb_hub *hub) {
    if (!usb_make_transfers(usb)) {
        usb_free_transfers(usb);
        usb_hub_close(hub);
        return false;
    }
    pthread_mutex_lock(&usb->lock);
    libusb_context *old = usb->hub.context;
    usb->hub = *hub;
    usb->lost = usb->halted_in = usb->halted_out = usb->heard = false;
    usb->faults = usb->empty = 0;
    usb->counts.reconnects++;
    usb->state = HERE;
    pthread_cond_broadcast(&usb->changed);
    pthread_mutex_unlock(&usb->lock);
    libusb_exit(old);
    usb_watch_for_plugs(usb);
    return true;
}

static void give_up(struct usb *usb, const char *why) {
    pthread_mutex_lock(&usb->lock);
    nfsar_fail(&usb->why, NFSAR_ERROR_DEVICE, "usb:%s: the hub is gone: %s", usb->hub.serial, why);
    pthread_mutex_unlock(&usb->lock);
    set_state(usb, GONE);
}

/* Another context for each look: without udev one never hears of changes. */
static void look_for_it(struct usb *usb) {
    const uint64_t end = transport_now_ms() + usb->reconnect_ms;
    nfsar_error last = {0};
    do {
        struct usb_hub hub;
        if (usb_hub_open("usb", usb->hub.serial, false, &hub, &last) == NFSAR_OK &&
            come_back(usb, &hub)) {
            return;
        }
        const uint64_t now = transport_now_ms();
        if (now < end) {
            hear_events(usb, end - now < SEARCH_MS ? (unsigned)(end - now) : SEARCH_MS);
        }
    } while (transport_now_ms() < end && !is_closing(usb));
    char why[NFSAR_ERROR_LENGTH];
    snprintf(why, sizeof why, "looked for it for %u ms; %.500s", usb->reconnect_ms, last.message);
    give_up(usb, why);
}

static void lose(struct usb *usb) {
    set_state(usb, AWAY);
    if (!usb_retire(usb)) {
        give_up(usb, "the system does not end its transfers; plug it in again");
        return;
    }
    usb_free_transfers(usb);
    libusb_close(usb->hub.handle);
    usb->hub.handle = NULL;
    if (!usb->heard && usb->faults > FAULTS_MOST) {
        give_up(usb, "its transfers fail; is its cable sound?");
        return;
    }
    look_for_it(usb);
}

void *usb_run(void *context) {
    struct usb *usb = context;
    while (!is_closing(usb)) {
        pthread_mutex_lock(&usb->lock);
        while (usb->state == GONE && !usb->closing) {
            pthread_cond_wait(&usb->changed, &usb->lock);
        }
        const bool closing = usb->closing;
        const unsigned wait = closing ? 0 : begin_transfers(usb);
        const bool lost = usb->lost;
        pthread_mutex_unlock(&usb->lock);
        if (!closing && lost) {
            lose(usb);
        } else if (!closing) {
            hear_events(usb, wait);
        }
    }
    return NULL;
}
