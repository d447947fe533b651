/* Commands to the card, their answers, and what it says by itself. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "host/devices/dca1000/link.h"
#include "host/devices/transport.h"

/* Only questions are asked again: an order that is answered late would be carried out twice. */
enum { HEAR_LIMIT = 256, ANY_BYTES = 2048, TRIES = 4 };

/* What came to the config port. */
enum heard { HEARD_NOTHING, HEARD_NOTICE, HEARD_REPLY, HEARD_OTHER };

static enum heard hear_one(nfsar_dca1000 *card, struct dca1000_reply *reply) {
    uint8_t bytes[ANY_BYTES];
    struct sockaddr_in from = {0};
    socklen_t length = sizeof from;
    const ssize_t n = recvfrom(card->config_socket, bytes, sizeof bytes, MSG_DONTWAIT | MSG_TRUNC,
                               (struct sockaddr *)&from, &length);
    if (n < 0) {
        return errno == EAGAIN || errno == EWOULDBLOCK ? HEARD_NOTHING : HEARD_OTHER;
    }
    if (from.sin_addr.s_addr != card->settings.card.s_addr) {
        card->foreign++;
        return HEARD_OTHER;
    }
    if ((size_t)n > sizeof bytes || !dca1000_read_reply(bytes, (size_t)n, reply)) {
        card->unreadable++;
        return HEARD_OTHER;
    }
    if (reply->code == DCA1000_STATUS) {
        card->notices |= reply->status;
        card->fresh_notices |= reply->status;
        return HEARD_NOTICE;
    }
    return HEARD_REPLY;
}

void dca1000_hear(nfsar_dca1000 *card) {
    struct dca1000_reply reply;
    for (unsigned i = 0; i < HEAR_LIMIT && hear_one(card, &reply) != HEARD_NOTHING; i++) {
    }
}

static enum nfsar_status could_not_send(const nfsar_dca1000 *card, int reason, nfsar_error *error) {
    const char *why = strerror(reason);
    if (reason == ENETUNREACH || reason == EHOSTUNREACH || reason == ENETDOWN) {
        why = "no network card leads there; is the cable in, and the interface up (ip address)?";
    } else if (reason == EINVAL) {
        why = "this machine's address, which it is sent from, is not of the card's network";
    } else if (reason == EPERM || reason == EACCES) {
        why = "a firewall of this machine forbids it";
    }
    return nfsar_fail(error, NFSAR_ERROR_DEVICE, "capture card at %s: cannot be sent to: %s",
                      card->settings.card_address, why);
}

/* Waits until the answer to this code came. 1 it did, 0 not in time. */
static int wait_for(nfsar_dca1000 *card, unsigned code, uint64_t end_ms,
                    struct dca1000_reply *reply, unsigned *others) {
    for (;;) {
        const enum heard heard = hear_one(card, reply);
        if (heard == HEARD_REPLY && reply->code == code) {
            return 1;
        }
        *others += heard == HEARD_REPLY;
        const uint64_t now = transport_now_ms();
        if (now >= end_ms) {
            return 0;
        }
        if (heard == HEARD_NOTHING) {
            struct pollfd wait = {.fd = card->config_socket, .events = POLLIN};
            poll(&wait, 1, (int)(end_ms - now));
        }
    }
}

static enum nfsar_status no_answer(const nfsar_dca1000 *card, unsigned code, unsigned others,
                                   uint64_t garbage, nfsar_error *error) {
    const struct dca1000_settings *set = &card->settings;
    if (others > 0 || garbage > 0) {
        return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                          "capture card at %s: what came is no answer to '%s' (%u answers to "
                          "other commands, %llu packets that are none); is it a DCA1000EVM, and "
                          "does no other program speak with it?",
                          set->card_address, dca1000_name(code), others,
                          (unsigned long long)garbage);
    }
    return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                      "capture card at %s: no answer to '%s' within %u ms; is it powered and its "
                      "cable in (ping %s), is it set to send to %s port %u, and does a firewall "
                      "let UDP to that port in?",
                      set->card_address, dca1000_name(code), set->timeout_ms, set->card_address,
                      set->host_address, set->config_port);
}

enum nfsar_status dca1000_ask(nfsar_dca1000 *card, enum dca1000_code code, const uint8_t *data,
                              size_t n, unsigned tries, uint16_t *status, nfsar_error *error) {
    const struct dca1000_settings *set = &card->settings;
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(set->config_port), .sin_addr = set->card};
    uint8_t bytes[DCA1000_COMMAND_BYTES];
    const size_t length = dca1000_command(bytes, code, data, n);
    dca1000_hear(card); /* answers that came too late for who waited for them */
    const uint64_t garbage = card->unreadable;
    const uint64_t begin = transport_now_ms();
    unsigned others = 0;
    for (unsigned i = 1; i <= tries; i++) {
        struct dca1000_reply reply;
        const uint64_t end = begin + (uint64_t)set->timeout_ms * i / tries;
        if (sendto(card->config_socket, bytes, length, MSG_NOSIGNAL, (const struct sockaddr *)&to,
                   sizeof to) < 0 &&
            errno != EAGAIN && errno != EINTR) {
            return could_not_send(card, errno, error);
        }
        if (wait_for(card, code, end, &reply, &others) == 0) {
            continue;
        }
        if (status != NULL) {
            *status = reply.status;
        } else if (reply.status != 0) {
            return nfsar_fail(error, NFSAR_ERROR_REFUSED,
                              "capture card at %s: refused '%s' (status %u); switch it off and on "
                              "if it stays so",
                              set->card_address, dca1000_name(code), reply.status);
        }
        return NFSAR_OK;
    }
    return no_answer(card, code, others, card->unreadable - garbage, error);
}

/* ---- the commands ---- */

enum nfsar_status nfsar_dca1000_alive(nfsar_dca1000 *card, nfsar_error *error) {
    return dca1000_ask(card, DCA1000_ALIVE, NULL, 0, TRIES, NULL, error);
}

enum nfsar_status nfsar_dca1000_version(nfsar_dca1000 *card, unsigned *major, unsigned *minor,
                                        bool *playback, nfsar_error *error) {
    uint16_t value = 0;
    const enum nfsar_status status =
        dca1000_ask(card, DCA1000_VERSION, NULL, 0, TRIES, &value, error);
    if (status != NFSAR_OK) {
        return status;
    }
    if (major != NULL) {
        *major = value & 0x7F;
    }
    if (minor != NULL) {
        *minor = value >> 7 & 0x7F;
    }
    if (playback != NULL) {
        *playback = (value >> 14 & 1) != 0;
    }
    return NFSAR_OK;
}

enum nfsar_status nfsar_dca1000_reset_radar(nfsar_dca1000 *card, nfsar_error *error) {
    return dca1000_ask(card, DCA1000_RESET_RADAR, NULL, 0, 1, NULL, error);
}

static enum nfsar_status configure_fpga(nfsar_dca1000 *card, nfsar_error *error) {
    uint8_t data[DCA1000_CONFIG_BYTES];
    dca1000_fpga_data(data, card->settings.lanes, card->settings.bits);
    const enum nfsar_status status =
        dca1000_ask(card, DCA1000_CONFIG_FPGA, data, sizeof data, 1, NULL, error);
    /* The FPGA hears nothing for a short time after it; asking for aliveness until it answers is
     * how others wait for that (RadarML/xwr). */
    return status == NFSAR_OK ? nfsar_dca1000_alive(card, error) : status;
}

static enum nfsar_status configure_record(nfsar_dca1000 *card, nfsar_error *error) {
    uint8_t data[DCA1000_CONFIG_BYTES];
    dca1000_record_data(data, card->settings.packet_bytes, card->settings.delay_ticks);
    return dca1000_ask(card, DCA1000_CONFIG_RECORD, data, sizeof data, 1, NULL, error);
}

enum nfsar_status nfsar_dca1000_configure(nfsar_dca1000 *card, nfsar_error *error) {
    bool playback = false;
    enum nfsar_status status = dca1000_ask(card, DCA1000_RESET_FPGA, NULL, 0, 1, NULL, error);
    if (status == NFSAR_OK) {
        status = nfsar_dca1000_alive(card, error);
    }
    if (status == NFSAR_OK) {
        status = nfsar_dca1000_version(card, NULL, NULL, &playback, error);
    }
    if (status == NFSAR_OK && playback) {
        return nfsar_fail(error, NFSAR_ERROR_DEVICE,
                          "capture card at %s: its FPGA is one for playback, not for recording; "
                          "TI's guide SPRUIJ4 says how to load the other one",
                          card->settings.card_address);
    }
    if (status == NFSAR_OK) {
        status = configure_fpga(card, error);
    }
    return status == NFSAR_OK ? configure_record(card, error) : status;
}
