/* The hub on USB as a transport: what the caller's thread does. */
#include "host/devices/hub_usb.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STALLS_MOST = 4, LIVES_MOST = 4 }; /* of one write */

bool is_usb(const char *port) {
    return strcmp(port, "usb") == 0 || strncmp(port, "usb:", 4) == 0;
}

/* ---- what the caller's thread does ---- */

static struct timespec clock_at(uint64_t ms) {
    return (struct timespec){.tv_sec = (time_t)(ms / 1000),
                             .tv_nsec = (long)(ms % 1000) * 1000000L};
}

/* Waits for the thread; false when the time is over. */
static bool wait_until(struct usb *usb, uint64_t end) {
    const struct timespec at = clock_at(end);
    return pthread_cond_timedwait(&usb->changed, &usb->lock, &at) == 0;
}

static enum nfsar_status fail_gone(const struct usb *usb, nfsar_error *error) {
    return nfsar_fail(error, NFSAR_ERROR_DEVICE, "%s", usb->why.message);
}

static enum nfsar_status usb_read(void *context, uint8_t *to, size_t n, unsigned timeout_ms,
                                  size_t *got, nfsar_error *error) {
    struct usb *usb = context;
    const uint64_t end = transport_now_ms() + timeout_ms;
    pthread_mutex_lock(&usb->lock);
    bool patient = timeout_ms > 0;
    while (usb->used == 0 && usb->state != GONE && patient) {
        patient = wait_until(usb, end);
    }
    n = n < usb->used ? n : usb->used;
    const size_t first = RING_BYTES - usb->begin < n ? RING_BYTES - usb->begin : n;
    memcpy(to, usb->ring + usb->begin, first);
    memcpy(to + first, usb->ring, n - first);
    usb->begin = (usb->begin + n) % RING_BYTES;
    usb->used -= n;
    *got = n;
    if (n > 0 && usb->waits_for_room) {
        libusb_interrupt_event_handler(usb->hub.context);
    }
    const enum nfsar_status status =
        n == 0 && usb->state == GONE ? fail_gone(usb, error) : NFSAR_OK;
    pthread_mutex_unlock(&usb->lock);
    return status;
}

/* Gives the thread at most OUT_BYTES to send, and returns what became of them. */
static int send_piece(struct usb *usb, const uint8_t *from, size_t n, unsigned timeout_ms) {
    memcpy(usb->out_bytes, from, n);
    usb->out_size = (int)n;
    usb->out_ms = timeout_ms > 0 ? timeout_ms : 1; /* 0 would be for ever */
    usb->errand = WANTED;
    libusb_interrupt_event_handler(usb->hub.context);
    while (usb->errand != DONE) {
        pthread_cond_wait(&usb->changed, &usb->lock);
    }
    usb->errand = NONE;
    return usb->out_result;
}

/* True when it is worth trying again. */
static bool may_retry(struct usb *usb, int result, unsigned *tries) {
    if (usb->state != HERE || result == LIBUSB_TRANSFER_NO_DEVICE ||
        result == LIBUSB_ERROR_NO_DEVICE) {
        return true;
    }
    return result != LIBUSB_TRANSFER_TIMED_OUT && ++*tries <= STALLS_MOST;
}

static enum nfsar_status send_all(struct usb *usb, const uint8_t *from, size_t n,
                                  unsigned timeout_ms, nfsar_error *error) {
    size_t sent = 0;
    unsigned tries = 0, lives = 0;
    while (sent < n) {
        while (usb->state == AWAY || (usb->state == HERE && usb->lost)) {
            pthread_cond_wait(&usb->changed, &usb->lock); /* the thread's search ends */
        }
        if (usb->state == GONE) {
            return fail_gone(usb, error);
        }
        const size_t piece = n - sent < OUT_BYTES ? n - sent : OUT_BYTES;
        const int result = send_piece(usb, from + sent, piece, timeout_ms);
        if (result == LIBUSB_TRANSFER_COMPLETED) {
            sent += piece;
            continue;
        }
        if (!may_retry(usb, result, &tries) || ++lives > LIVES_MOST) {
            return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                              "%s: the hub takes no bytes (%s); is its firmware alive?", usb->port,
                              result == LIBUSB_TRANSFER_TIMED_OUT ? "no answer in time"
                              : result == LIBUSB_TRANSFER_STALL   ? "it refuses them"
                                                                  : "transfers fail");
        }
        /* The hub may have forgotten the first part; each write is whole frames. */
        sent = 0;
    }
    return NFSAR_OK;
}

static enum nfsar_status usb_write(void *context, const uint8_t *from, size_t n,
                                   unsigned timeout_ms, nfsar_error *error) {
    struct usb *usb = context;
    pthread_mutex_lock(&usb->lock);
    const enum nfsar_status status = send_all(usb, from, n, timeout_ms, error);
    pthread_mutex_unlock(&usb->lock);
    return status;
}

static struct transport_counts usb_counts(void *context) {
    struct usb *usb = context;
    pthread_mutex_lock(&usb->lock);
    const struct transport_counts counts = usb->counts;
    pthread_mutex_unlock(&usb->lock);
    return counts;
}

/* ---- beginning and end ---- */

static void free_all(struct usb *usb) {
    for (unsigned i = 0; i < TRANSFERS; i++) {
        free(usb->in[i].bytes);
    }
    pthread_cond_destroy(&usb->changed);
    pthread_mutex_destroy(&usb->lock);
    free(usb);
}

static void usb_close(void *context) {
    struct usb *usb = context;
    pthread_mutex_lock(&usb->lock);
    usb->closing = true;
    pthread_cond_broadcast(&usb->changed);
    libusb_interrupt_event_handler(usb->hub.context);
    pthread_mutex_unlock(&usb->lock);
    pthread_join(usb->thread, NULL);
    if (usb->hub.handle != NULL && !usb_retire(usb)) {
        return; /* the system may still write there: a leak is the lesser evil */
    }
    usb_free_transfers(usb);
    usb_hub_close(&usb->hub);
    free_all(usb);
}

static struct usb *create(const char *port, unsigned reconnect_ms) {
    struct usb *usb = calloc(1, sizeof *usb);
    if (usb == NULL) {
        return NULL;
    }
    snprintf(usb->port, sizeof usb->port, "%s", port);
    usb->reconnect_ms = reconnect_ms;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&usb->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&usb->lock, NULL);
    bool complete = true;
    for (unsigned i = 0; i < TRANSFERS; i++) {
        usb->in[i].usb = usb;
        usb->in[i].bytes = malloc(PACKET_MAX);
        complete = complete && usb->in[i].bytes != NULL;
    }
    if (!complete) {
        free_all(usb);
        return NULL;
    }
    return usb;
}

/* Signals are for the program's own threads. */
static int start_thread(struct usb *usb) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int result = pthread_create(&usb->thread, NULL, usb_run, usb);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}

enum nfsar_status usb_open(const char *port, unsigned reconnect_ms, struct transport *transport,
                           nfsar_error *error) {
    const char *serial = port[3] == ':' ? port + 4 : NULL;
    struct usb *usb = create(port, reconnect_ms);
    if (usb == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory");
    }
    const enum nfsar_status status = usb_hub_open(port, serial, true, &usb->hub, error);
    if (status != NFSAR_OK) {
        free_all(usb);
        return status;
    }
    usb_watch_for_plugs(usb);
    if (!usb_make_transfers(usb) || start_thread(usb) != 0) {
        usb_free_transfers(usb);
        usb_hub_close(&usb->hub);
        free_all(usb);
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "%s: no memory, or no thread", port);
    }
    *transport = (struct transport){.context = usb,
                                    .read = usb_read,
                                    .write = usb_write,
                                    .close = usb_close,
                                    .counts = usb_counts};
    return NFSAR_OK;
}
