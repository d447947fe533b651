#include "firmware/protocol/outbox.h"

#include <string.h>

#include "nfsar/wire.h"

enum { FOR_TRIGGERS = OUTBOX_BYTES / 8, FOR_ALL_BUT_SENSORS = OUTBOX_BYTES / 4 };

static bool is_sensor(uint8_t kind) {
    return kind >= NFSAR_WIRE_IMU && kind <= NFSAR_WIRE_GNSS;
}

/* Bytes that a record of this kind must leave free. */
static size_t left_for_others(uint8_t kind) {
    if (kind == NFSAR_WIRE_TRIGGER) {
        return 0;
    }
    return is_sensor(kind) ? FOR_ALL_BUT_SENSORS : FOR_TRIGGERS;
}

void outbox_init(struct outbox *outbox) {
    memset(outbox, 0, sizeof *outbox);
}

bool outbox_put(struct outbox *outbox, uint8_t kind, uint8_t channel, uint64_t time_ns,
                const uint8_t *payload, size_t n) {
    const struct nfsar_wire_header header = {
        .kind = kind, .channel = channel, .sequence = outbox->made++, .time_ns = time_ns};
    uint8_t frame[NFSAR_WIRE_FRAME_MAX];
    const size_t bytes = nfsar_wire_encode(frame, &header, payload, n);
    if (bytes == 0 || outbox->used + bytes + left_for_others(kind) > OUTBOX_BYTES) {
        outbox->dropped++;
        outbox->dropped_sensors += is_sensor(kind);
        outbox->dropped_triggers += kind == NFSAR_WIRE_TRIGGER;
        return false;
    }
    const size_t at = (outbox->begin + outbox->used) % OUTBOX_BYTES;
    const size_t whole = OUTBOX_BYTES - at < bytes ? OUTBOX_BYTES - at : bytes;
    memcpy(outbox->ring + at, frame, whole);
    memcpy(outbox->ring, frame + whole, bytes - whole);
    outbox->used += bytes;
    if (outbox->used > outbox->worst) {
        outbox->worst = outbox->used;
    }
    return true;
}

static void take(struct outbox *outbox, size_t n) {
    outbox->within = outbox->ring[(outbox->begin + n - 1) % OUTBOX_BYTES] != 0;
    outbox->begin = (outbox->begin + n) % OUTBOX_BYTES;
    outbox->used -= n;
}

void outbox_drain(struct outbox *outbox,
                  size_t (*write)(void *context, const uint8_t *from, size_t n), void *context) {
    if (!outbox->begun && outbox->used > 0) {
        outbox->begun = write(context, &(const uint8_t){0}, 1) == 1;
        if (!outbox->begun) {
            return;
        }
    }
    /* Twice: up to the ring's end, and from its beginning. */
    for (unsigned part = 0; part < 2 && outbox->used > 0; part++) {
        const size_t whole = OUTBOX_BYTES - outbox->begin;
        const size_t n = outbox->used < whole ? outbox->used : whole;
        const size_t taken = write(context, outbox->ring + outbox->begin, n);
        if (taken > 0) {
            take(outbox, taken < n ? taken : n);
        }
        if (taken < n) {
            return;
        }
    }
}

void outbox_restart(struct outbox *outbox) {
    outbox->begun = false;
    if (!outbox->within) {
        return;
    }
    /* A frame's only zero is its end, and a frame begun is in the ring to its end. */
    outbox->dropped++;
    while (outbox->within && outbox->used > 0) {
        take(outbox, 1);
    }
}
