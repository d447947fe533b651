/* The emulated card's commands. */
#include <string.h>
#include <sys/socket.h>

#include "tests/rig/card_parts.h"

static unsigned get16(const uint8_t *from) {
    return from[0] | (unsigned)from[1] << 8;
}

void card_reply(struct card *card, unsigned code, unsigned status) {
    uint8_t bytes[8];
    card_put16(bytes, 0xA55A);
    card_put16(bytes + 2, code);
    card_put16(bytes + 4, status);
    card_put16(bytes + 6, 0xEEAA);
    card_transmit(card, card->options.config_port, bytes, sizeof bytes);
}

static void reply_wrongly(struct card *card, unsigned code) {
    uint8_t garbage[64];
    for (size_t i = 0; i < sizeof garbage; i++) {
        garbage[i] = (uint8_t)card_draw(card);
    }
    card_transmit(card, card->options.config_port, garbage, 8);
    card_transmit(card, card->options.config_port, garbage, sizeof garbage);
    card_transmit(card, card->options.config_port, garbage, 0);
    card_reply(card, code ^ 0x40, 0);
}

/* Carries a command out; returns the status of the reply. The lock is held. */
static unsigned obey(struct card *card, unsigned code, const uint8_t *data, size_t n) {
    struct card_state *state = &card->state;
    switch (code) {
    case 0x01: /* reset of the FPGA: recording ends, what is in the memory is gone */
        state->recording = false;
        card->fifo_bytes = 0;
        state->flushed = true;
        return 0;
    case 0x02:
        return 0;
    case 0x03:
        if (n != 6 || data[1] < 1 || data[1] > 2 || data[4] < 1 || data[4] > 3) {
            return 1;
        }
        state->lanes = data[1] == 1 ? 4 : 2;
        state->bits = 10 + 2 * (unsigned)data[4];
        return 0;
    case 0x04:
        return n == 18 ? 0 : 1;
    case 0x05:
        card_begin_stream(card);
        return 0;
    case 0x06:
        card->stopping = state->recording;
        return 0;
    case 0x09:
        return 0;
    case 0x0B:
        if (n != 6 || get16(data) < HEADER_BYTES + 16 || get16(data) > HEADER_BYTES + PAYLOAD_MAX) {
            return 1;
        }
        state->packet_bytes = get16(data);
        state->packet_delay_s = get16(data + 2) * 8e-9;
        return 0;
    case 0x0E:
        return VERSION;
    default:
        return 1;
    }
}

void card_hear(struct card *card) {
    uint8_t bytes[2048];
    const ssize_t got = recv(card->config, bytes, sizeof bytes, MSG_DONTWAIT);
    const size_t n = got > 0 ? (size_t)got : 0;
    if (n < 8 || get16(bytes) != 0xA55A || get16(bytes + 4) + 8U != n ||
        get16(bytes + n - 2) != 0xEEAA) {
        return; /* a real card is silent as well */
    }
    const struct card_faults *faults = &card->options.faults;
    const unsigned code = get16(bytes + 2);
    pthread_mutex_lock(&card->lock);
    card->state.commands++;
    card->state.last_code = code;
    const bool deaf = faults->silent || card->state.commands <= faults->silent_commands;
    const bool refused = faults->refuse != 0 && faults->refuse == code;
    unsigned status = 1;
    if (!deaf && !refused && !faults->wrong_replies) {
        status = obey(card, code, bytes + 6, n - 8);
    }
    pthread_cond_broadcast(&card->changed);
    pthread_mutex_unlock(&card->lock);
    if (deaf) {
        return;
    }
    if (faults->wrong_replies) {
        reply_wrongly(card, code);
        return;
    }
    card_reply(card, code, status);
    if (code == 0x02 && status == 0 && card->options.on_reset_radar != NULL) {
        card->options.on_reset_radar(card->options.context);
    }
}
