/* The card as its user sees it: opened, started, frames fetched, stopped. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/devices/dca1000/link.h"
#include "host/devices/dca1000/receiver.h"
#include "host/devices/transport.h"

enum {
    QUIET_DEFAULT_MS = 2500, /* the last, short packet comes 2 s after the last sample */
    STREAM_ON_LIMIT_MS = 30000,
    TAIL_MS = 100 /* without packets, after record stop */
};

enum nfsar_status nfsar_dca1000_open(const struct nfsar_dca1000_options *options,
                                     nfsar_dca1000 **card, nfsar_error *error) {
    *card = NULL;
    nfsar_dca1000 *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_MEMORY, "no memory for the capture card");
    }
    c->config_socket = -1;
    c->data_socket = -1;
    enum nfsar_status status = dca1000_settings(options, &c->settings, error);
    if (status == NFSAR_OK) {
        status = dca1000_bind(&c->settings, c->settings.config_port, &c->config_socket, error);
    }
    if (status == NFSAR_OK) {
        status = dca1000_bind(&c->settings, c->settings.data_port, &c->data_socket, error);
    }
    if (status != NFSAR_OK) {
        nfsar_dca1000_close(c);
        return status;
    }
    c->receive_bytes = dca1000_grow_buffer(c->data_socket, c->settings.receive_bytes);
    *card = c;
    return NFSAR_OK;
}

void nfsar_dca1000_close(nfsar_dca1000 *card) {
    if (card == NULL) {
        return;
    }
    if (card->recording) {
        dca1000_ask(card, DCA1000_RECORD_STOP, NULL, 0, 1, NULL, NULL);
    }
    receiver_free(card->receiver);
    if (card->config_socket >= 0) {
        close(card->config_socket);
    }
    if (card->data_socket >= 0) {
        close(card->data_socket);
    }
    free(card);
}

enum nfsar_status nfsar_dca1000_start(nfsar_dca1000 *card, size_t frame_bytes, nfsar_error *error) {
    if (card->recording) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "the capture card is recording already");
    }
    receiver_free(card->receiver);
    card->receiver = NULL;
    dca1000_empty(card->config_socket);
    dca1000_empty(card->data_socket);
    card->notices = 0;
    card->fresh_notices = 0;
    card->foreign = 0;
    card->unreadable = 0;
    enum nfsar_status status = receiver_start(card->data_socket, card->settings.card, frame_bytes,
                                              card->settings.window_bytes,
                                              card->settings.queue_bytes, &card->receiver, error);
    if (status != NFSAR_OK) {
        return status;
    }
    status = dca1000_ask(card, DCA1000_RECORD_START, NULL, 0, 1, NULL, error);
    if (status != NFSAR_OK) {
        receiver_free(card->receiver);
        card->receiver = NULL;
        return status;
    }
    card->recording = true;
    return NFSAR_OK;
}

/* ---- frames ---- */

static const struct nfsar_dca1000_frame *fetch(nfsar_dca1000 *card) {
    const struct nfsar_dca1000_frame *frame = receiver_next(card->receiver);
    if (frame == NULL) {
        return NULL;
    }
    card->frame = *frame;
    card->frame.notices = card->fresh_notices;
    card->fresh_notices = 0;
    return &card->frame;
}

static void wait_for_frame(nfsar_dca1000 *card, uint64_t ms) {
    struct pollfd wait[] = {{.fd = receiver_event(card->receiver), .events = POLLIN},
                            {.fd = card->config_socket, .events = POLLIN}};
    poll(wait, 2, ms > 60000 ? 60000 : (int)ms);
}

enum nfsar_status nfsar_dca1000_next(nfsar_dca1000 *card, unsigned timeout_ms,
                                     const struct nfsar_dca1000_frame **frame, nfsar_error *error) {
    *frame = NULL;
    if (card->receiver == NULL) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "the capture card was not started");
    }
    const uint64_t end = transport_now_ms() + timeout_ms;
    for (;;) {
        dca1000_hear(card);
        receiver_clear(card->receiver); /* before the look, so that none is missed */
        *frame = fetch(card);
        if (*frame != NULL) {
            return NFSAR_OK;
        }
        const char *failed = receiver_failed(card->receiver);
        if (failed != NULL && card->recording) {
            return nfsar_fail(error, NFSAR_ERROR_DEVICE, "capture card at %s: no more frames: %s",
                              card->settings.card_address, failed);
        }
        const uint64_t now = transport_now_ms();
        if (!card->recording || now >= end) {
            return NFSAR_OK;
        }
        wait_for_frame(card, end - now);
    }
}

/* Waits until no packet has come for so long, at most until the limit. False: they still come. */
static bool wait_quiet(nfsar_dca1000 *card, unsigned quiet_ms, unsigned limit_ms) {
    const uint64_t end = transport_now_ms() + limit_ms;
    for (;;) {
        dca1000_hear(card);
        const uint64_t now = transport_now_ms();
        const uint64_t quiet_at = receiver_last_ns(card->receiver) / 1000000U + quiet_ms + 1;
        if (now >= quiet_at || receiver_failed(card->receiver) != NULL) {
            return true;
        }
        if (now >= end) {
            return false;
        }
        const uint64_t until = quiet_at < end ? quiet_at : end;
        const struct timespec pause = {.tv_sec = (time_t)((until - now) / 1000),
                                       .tv_nsec = (long)((until - now) % 1000) * 1000000L};
        nanosleep(&pause, NULL);
    }
}

enum nfsar_status nfsar_dca1000_stop(nfsar_dca1000 *card, unsigned quiet_ms, nfsar_error *error) {
    if (!card->recording) {
        return NFSAR_OK;
    }
    const unsigned quiet = quiet_ms != 0 ? quiet_ms : QUIET_DEFAULT_MS;
    /* The card is left alone until its last, short packet is out. A radar that goes on is cut. */
    const bool was_quiet = wait_quiet(card, quiet, 2 * quiet);
    const enum nfsar_status status =
        dca1000_ask(card, DCA1000_RECORD_STOP, NULL, 0, 1, NULL, error);
    card->recording = false;
    wait_quiet(card, was_quiet ? TAIL_MS : quiet, STREAM_ON_LIMIT_MS);
    receiver_finish(card->receiver);
    return status;
}

/* ---- what it brought ---- */

void nfsar_dca1000_counters(const nfsar_dca1000 *card, struct nfsar_dca1000_counters *counters) {
    memset(counters, 0, sizeof *counters);
    if (card->receiver != NULL) {
        receiver_counters(card->receiver, counters);
    }
    counters->foreign += card->foreign;
    counters->malformed += card->unreadable;
    counters->notices = card->notices;
    counters->receive_bytes = card->receive_bytes;
}

size_t nfsar_dca1000_losses(const nfsar_dca1000 *card, size_t first,
                            struct nfsar_dca1000_loss *losses, size_t room) {
    return card->receiver != NULL ? receiver_losses(card->receiver, first, losses, room) : 0;
}

const char *nfsar_dca1000_notice_text(uint32_t notices, char *text, size_t size) {
    static const char *const words[] = {"no LVDS data",
                                        "no header",
                                        "EEPROM failed",
                                        "SD card detected",
                                        "SD card removed",
                                        "SD card full",
                                        "mode configuration failed",
                                        "DDR full",
                                        "record completed",
                                        "LVDS buffer full",
                                        "playback completed",
                                        "playback out of sequence"};
    size_t used = 0;
    if (size == 0) {
        return text;
    }
    text[0] = '\0';
    for (size_t bit = 0; bit < 32 && used + 1 < size; bit++) {
        if ((notices >> bit & 1U) == 0) {
            continue;
        }
        const char *comma = used > 0 ? "; " : "";
        const int n = bit < sizeof words / sizeof *words
                          ? snprintf(text + used, size - used, "%s%s", comma, words[bit])
                          : snprintf(text + used, size - used, "%sunknown (bit %zu)", comma, bit);
        used += n > 0 ? (size_t)n : 0;
    }
    return text;
}
