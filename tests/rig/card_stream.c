/* The emulated card's packets of samples, and what goes wrong with them. */
#include <string.h>

#include "tests/rig/card_parts.h"

#define WIRE_S(payload) (((payload) + 76) * 8e-9) /* a packet on a wire of 1 Gb/s */

static bool chance(struct card *card, double probability) {
    return probability > 0 && (double)(card_draw(card) >> 11) * 0x1p-53 < probability;
}

void card_begin_stream(struct card *card) {
    struct card_state *state = &card->state;
    state->recording = true;
    state->starts++;
    state->accepted = 0;
    state->refused = 0;
    state->sent_packets = 0;
    state->made_bytes = 0;
    state->lost_packets = 0;
    state->lost_bytes = 0;
    state->duplicates = 0;
    state->held_packets = 0;
    state->flushed = true;
    card->stopping = false;
    card->loss_count = 0;
    card->fifo_bytes = 0;
    card->fifo_first = 0;
    card->ddr_full = false;
    card->sequence = 0;
    card->made = 0;
    card->packets = 0;
    card->last_sent = false;
    card->last_sample_ns = card_now_ns();
    card->shuffled_count = 0;
    card->held_count = 0;
    card->next_ns = card_now_ns();
}

static void note_loss(struct card *card, uint64_t offset, uint64_t bytes) {
    card->state.lost_packets++;
    card->state.lost_bytes += bytes;
    struct card_loss *last = card->loss_count > 0 ? &card->losses[card->loss_count - 1] : NULL;
    if (last != NULL && last->offset + last->bytes == offset) {
        last->bytes += bytes;
    } else if (card->loss_count < LOSSES) {
        card->losses[card->loss_count++] = (struct card_loss){offset, bytes};
    }
}

static void emit(struct card *card, const struct packet *packet) {
    card_transmit(card, card->options.data_port, packet->bytes, packet->length);
    card->state.sent_packets++;
    if (chance(card, card->options.faults.duplicate)) {
        card_transmit(card, card->options.data_port, packet->bytes, packet->length);
        card->state.sent_packets++;
        card->state.duplicates++;
    }
}

/* Sends the packets that were gathered, in random order. */
static void emit_shuffled(struct card *card) {
    for (size_t left = card->shuffled_count; left > 0; left--) {
        const size_t i = card_draw(card) % left;
        emit(card, &card->shuffled[i]);
        card->shuffled[i] = card->shuffled[left - 1];
    }
    card->shuffled_count = 0;
}

/* Sends packets that were held back and are due; all of them at the end. */
static void emit_held(struct card *card, bool all) {
    for (size_t i = 0; i < card->held_count;) {
        if (!all && card->held[i].due > card->packets) {
            i++;
            continue;
        }
        emit(card, &card->held[i]);
        card->held[i] = card->held[--card->held_count];
    }
}

/* A packet on its way, past the faults. */
static void pass(struct card *card, struct packet *packet, uint64_t offset, size_t bytes) {
    const struct card_faults *faults = &card->options.faults;
    if (chance(card, faults->loss)) {
        note_loss(card, offset, bytes);
    } else if (chance(card, faults->late) && card->held_count < PACKETS_HELD) {
        packet->due = card->packets + faults->late_packets;
        card->held[card->held_count++] = *packet;
        card->state.held_packets++;
    } else if (faults->reorder > 1) {
        card->shuffled[card->shuffled_count++] = *packet;
        if (card->shuffled_count >= faults->reorder || card->shuffled_count == PACKETS_HELD) {
            emit_shuffled(card);
        }
    } else {
        emit(card, packet);
    }
    emit_held(card, false);
}

/* Cuts n bytes from the memory into a packet. cut: of its end are not sent. The lock is held. */
static void make_packet(struct card *card, size_t n, size_t cut) {
    struct packet packet;
    const uint64_t count = card->options.faults.first_byte + card->made;
    card->sequence++;
    card_put16(packet.bytes, card->sequence & 0xFFFF);
    card_put16(packet.bytes + 2, card->sequence >> 16);
    for (unsigned i = 0; i < 6; i++) {
        packet.bytes[4 + i] = (uint8_t)(count >> 8 * i);
    }
    const size_t to_end = card->options.fifo_bytes - card->fifo_first;
    const size_t first = n < to_end ? n : to_end;
    memcpy(packet.bytes + HEADER_BYTES, card->fifo + card->fifo_first, first);
    memcpy(packet.bytes + HEADER_BYTES + first, card->fifo, n - first);
    card->fifo_first = (card->fifo_first + n) % card->options.fifo_bytes;
    card->fifo_bytes -= n;
    packet.length = HEADER_BYTES + n - cut;
    card->made += n;
    card->packets++;
    card->state.made_bytes = card->made;
    pass(card, &packet, card->made - n, n);
}

static size_t payload_of(const struct card *card) {
    return (card->state.packet_bytes - HEADER_BYTES) / 16 * 16;
}

/* The radar is silent: what does not fill a packet is sent as a short one. */
static void flush(struct card *card) {
    const struct card_faults *faults = &card->options.faults;
    if (card->fifo_bytes > 0 && !faults->no_last) {
        const size_t n = card->fifo_bytes;
        make_packet(card, n, faults->cut_last < n ? faults->cut_last : n - 1);
    }
    card->fifo_bytes = 0;
    emit_shuffled(card);
    emit_held(card, true);
    card->notices |= card->state.accepted > 0 ? RECORDED : NO_LVDS;
    card->last_sent = true;
    card->state.flushed = true;
}

/* Sends what is due. Returns the time of the next thing to do. The lock is held. */
uint64_t card_stream(struct card *card) {
    struct card_state *state = &card->state;
    if (!state->recording) {
        return UINT64_MAX;
    }
    const size_t payload = payload_of(card);
    const uint64_t now = card_now_ns();
    const uint64_t step = (uint64_t)((state->packet_delay_s + WIRE_S(payload)) * 1e9);
    if (!card->options.unpaced && card->next_ns + 50000000 < now) {
        card->next_ns = now; /* time without samples, or without a processor, is not made up for */
    }
    for (unsigned i = 0; i < BATCH && card->fifo_bytes >= payload; i++) {
        if (!card->options.unpaced && card->next_ns > now) {
            return card->next_ns;
        }
        card->next_ns += step;
        card->last_sent = false;
        make_packet(card, payload, 0);
        if (card->fifo_bytes <= card->options.fifo_bytes / 2) {
            card->ddr_full = false;
        }
    }
    if (card->fifo_bytes >= payload) {
        return now;
    }
    const uint64_t quiet_ns = (uint64_t)card->options.quiet_ms * 1000000U;
    const bool pending = card->fifo_bytes > 0 || !card->last_sent;
    if (pending && (card->stopping || now >= card->last_sample_ns + quiet_ns)) {
        flush(card);
    }
    if (card->stopping) {
        state->recording = false;
        card->stopping = false;
        return UINT64_MAX;
    }
    return card->fifo_bytes > 0 || !card->last_sent ? card->last_sample_ns + quiet_ns : UINT64_MAX;
}
