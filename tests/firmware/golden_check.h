/* Packs the values of every golden frame and compares the bytes; takes the bytes apart and compares
 * the values. The same for the host's test (test_wire.c) and the microcontroller's
 * (wire_target/main.c). */
#ifndef NFSAR_TESTS_FIRMWARE_GOLDEN_CHECK_H
#define NFSAR_TESTS_FIRMWARE_GOLDEN_CHECK_H

#include "golden.h"

struct golden_count {
    unsigned vectors;
    unsigned wrong;
    const char *first; /* the frame of the first wrong one, in hex */
};

static inline uint8_t golden_nibble(char c) {
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* Bytes of a string in hex. */
static inline size_t golden_bytes(uint8_t *to, const char *hex) {
    size_t n = 0;
    for (; hex[2 * n] != 0; n++) {
        to[n] = (uint8_t)(golden_nibble(hex[2 * n]) << 4 | golden_nibble(hex[2 * n + 1]));
    }
    return n;
}

/* The frame is right both ways, with its header and this payload; the tail is added to it. */
static inline bool golden_frame(const struct golden_head *head, uint8_t *payload, size_t n) {
    uint8_t frame[NFSAR_WIRE_FRAME_MAX + 1];
    uint8_t want[NFSAR_WIRE_FRAME_MAX + 1];
    const size_t bytes = golden_bytes(want, head->frame);
    n += golden_bytes(payload + n, head->tail);
    if (nfsar_wire_encode(frame, &head->header, payload, n) != bytes ||
        memcmp(frame, want, bytes) != 0) {
        return false;
    }
    struct nfsar_wire_reader reader = {0};
    struct nfsar_wire_message message = {0};
    for (size_t i = 0; i < bytes; i++) {
        if (nfsar_wire_read(&reader, want[i], &message) != (i + 1 == bytes)) {
            return false;
        }
    }
    return reader.frames == 1 && reader.bad == 0 && message.header.kind == head->header.kind &&
           message.header.channel == head->header.channel &&
           message.header.sequence == head->header.sequence &&
           message.header.time_ns == head->header.time_ns && message.bytes == n &&
           (n == 0 || memcmp(message.payload, payload, n) == 0);
}

static inline void golden_add(struct golden_count *count, bool good,
                              const struct golden_head *head) {
    count->vectors++;
    if (!good && count->wrong++ == 0) {
        count->first = head->frame;
    }
}

/* Floats are compared as bits: -0 is not 0. */
#define GOLDEN_SAME(type, name)         same &= memcmp(&got.name, &want->name, sizeof got.name) == 0;
#define GOLDEN_SAMES(type, name, count) GOLDEN_SAME(type, name)

#define GOLDEN_PAYLOAD(NAME, name)                                                                 \
    static void golden_check_##name(struct golden_count *count) {                                  \
        for (size_t i = 0; i < sizeof golden_##name / sizeof *golden_##name; i++) {                \
            const struct nfsar_wire_##name *const want = &golden_##name[i].values;                 \
            struct nfsar_wire_##name got;                                                          \
            uint8_t payload[NFSAR_WIRE_PAYLOAD_MAX];                                               \
            const size_t n = nfsar_wire_pack_##name(payload, want);                                \
            bool same = n == NFSAR_WIRE_##NAME##_BYTES &&                                          \
                        !nfsar_wire_unpack_##name(&got, payload, n - 1) &&                         \
                        nfsar_wire_unpack_##name(&got, payload, n);                                \
            if (same) {                                                                            \
                NFSAR_WIRE_FIELDS_##NAME(GOLDEN_SAME, GOLDEN_SAMES)                                \
            }                                                                                      \
            golden_add(count, same &&golden_frame(&golden_##name[i].head, payload, n),             \
                       &golden_##name[i].head);                                                    \
        }                                                                                          \
    }
NFSAR_WIRE_PAYLOADS(GOLDEN_PAYLOAD)

#define GOLDEN_CALL(NAME, name) golden_check_##name(count);

static void golden_check(struct golden_count *count) {
    NFSAR_WIRE_PAYLOADS(GOLDEN_CALL)
    for (size_t i = 0; i < sizeof golden_plain / sizeof *golden_plain; i++) {
        uint8_t payload[NFSAR_WIRE_PAYLOAD_MAX];
        golden_add(count, golden_frame(&golden_plain[i], payload, 0), &golden_plain[i]);
    }
}

#endif
