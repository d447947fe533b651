/**
 * @file
 * The hub's protocol: frames in a stream of bytes.
 */
#ifndef NFSAR_WIRE_FRAME_H
#define NFSAR_WIRE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "nfsar/wire/numbers.h"

/** Versions, sizes: a host refuses another major number, and knows that more minor means more
 * fields. */
enum {
    NFSAR_WIRE_MAJOR = 1,
    NFSAR_WIRE_MINOR = 0,
    NFSAR_WIRE_HEADER_BYTES = 14,
    NFSAR_WIRE_CRC_BYTES = 4,
    NFSAR_WIRE_PAYLOAD_MAX = 224,
    NFSAR_WIRE_BODY_MAX = NFSAR_WIRE_HEADER_BYTES + NFSAR_WIRE_PAYLOAD_MAX + NFSAR_WIRE_CRC_BYTES,
    NFSAR_WIRE_FRAME_MAX = NFSAR_WIRE_BODY_MAX + 2
};

/** What comes before a payload. */
struct nfsar_wire_header {
    uint8_t kind;      /**< enum nfsar_wire_kind */
    uint8_t channel;   /**< axis or sensor; 0 where there is none */
    uint32_t sequence; /**< counts what its sender made */
    uint64_t time_ns;  /**< of the hub's clock; in commands free for the host's */
};

/** CRC-32 of n bytes more; begin with 0. Half a byte at a time: a table of 64 bytes. */
static inline uint32_t nfsar_wire_crc32(uint32_t crc, const uint8_t *bytes, size_t n) {
    static const uint32_t table[16] = {0x00000000U, 0x1DB71064U, 0x3B6E20C8U, 0x26D930ACU,
                                       0x76DC4190U, 0x6B6B51F4U, 0x4DB26158U, 0x5005713CU,
                                       0xEDB88320U, 0xF00F9344U, 0xD6D6A3E8U, 0xCB61B38CU,
                                       0x9B64C2B0U, 0x86D3D2D4U, 0xA00AE278U, 0xBDBDF21CU};
    crc = ~crc;
    for (size_t i = 0; i < n; i++) {
        crc = table[(crc ^ bytes[i]) & 15U] ^ (crc >> 4);
        crc = table[(crc ^ (bytes[i] >> 4U)) & 15U] ^ (crc >> 4);
    }
    return ~crc;
}

/**
 * Makes a frame, closing zero included.
 * @param to       room for NFSAR_WIRE_FRAME_MAX bytes
 * @param payload  n bytes, at most NFSAR_WIRE_PAYLOAD_MAX; NULL for none
 * @return its bytes; 0 when n is too large
 */
static inline size_t nfsar_wire_encode(uint8_t *to, const struct nfsar_wire_header *header,
                                       const uint8_t *payload, size_t n) {
    if (n > NFSAR_WIRE_PAYLOAD_MAX) {
        return 0;
    }
    uint8_t *const body = to + 1;
    uint8_t *at = body;
    nfsar_wire_put(&at, header->kind, 1);
    nfsar_wire_put(&at, header->channel, 1);
    nfsar_wire_put(&at, header->sequence, 4);
    nfsar_wire_put(&at, header->time_ns, 8);
    if (n > 0) {
        memcpy(at, payload, n);
        at += n;
    }
    nfsar_wire_put(&at, nfsar_wire_crc32(0, body, (size_t)(at - body)), 4);
    *at = 0;
    /* Each zero, and the byte before the first, says how far it is to the next. */
    uint8_t *next = at;
    for (uint8_t *p = at; p-- > to;) {
        if (p == to || *p == 0) {
            *p = (uint8_t)(next - p);
            next = p;
        }
    }
    return (size_t)(at - to) + 1;
}

/** A frame taken apart; `payload` points into the reader. */
struct nfsar_wire_message {
    struct nfsar_wire_header header;
    const uint8_t *payload;
    size_t bytes; /**< of the payload */
};

/** Finds frames in a stream of bytes. All zero is its start. */
struct nfsar_wire_reader {
    uint32_t frames; /**< good ones */
    uint32_t bad;    /**< wrong CRC or code, too short, too long */
    uint16_t filled;
    bool overlong;
    uint8_t bytes[NFSAR_WIRE_FRAME_MAX];
};

/** Takes n coded bytes (without the closing zero) apart in place. False: not a frame. */
static inline bool nfsar_wire_decode(uint8_t *bytes, size_t n, struct nfsar_wire_message *message) {
    if (n < 1 + NFSAR_WIRE_HEADER_BYTES + NFSAR_WIRE_CRC_BYTES || n > NFSAR_WIRE_FRAME_MAX - 1) {
        return false;
    }
    for (size_t i = 0; i < n;) {
        const size_t next = i + bytes[i];
        if (next <= i || next > n) {
            return false;
        }
        bytes[i] = 0;
        i = next;
    }
    const size_t covered = n - 1 - NFSAR_WIRE_CRC_BYTES;
    const uint8_t *at = bytes + 1;
    message->header.kind = (uint8_t)nfsar_wire_get(&at, 1);
    message->header.channel = (uint8_t)nfsar_wire_get(&at, 1);
    message->header.sequence = (uint32_t)nfsar_wire_get(&at, 4);
    message->header.time_ns = nfsar_wire_get(&at, 8);
    message->payload = at;
    message->bytes = covered - NFSAR_WIRE_HEADER_BYTES;
    at = bytes + 1 + covered;
    return (uint32_t)nfsar_wire_get(&at, 4) == nfsar_wire_crc32(0, bytes + 1, covered);
}

/**
 * The next byte of the stream. True when it completes a good frame, which is then in `message`
 * until the next call. Anything else between two zeros counts as one bad frame; nothing between
 * them counts as nothing, so that a sender may send a zero first to end whatever the line carried
 * before.
 */
static inline bool nfsar_wire_read(struct nfsar_wire_reader *reader, uint8_t byte,
                                   struct nfsar_wire_message *message) {
    if (byte != 0) {
        if (reader->filled == sizeof reader->bytes) {
            reader->overlong = true;
        } else {
            reader->bytes[reader->filled++] = byte;
        }
        return false;
    }
    const bool any = reader->filled > 0;
    const bool good =
        any && !reader->overlong && nfsar_wire_decode(reader->bytes, reader->filled, message);
    reader->frames += good;
    reader->bad += any && !good;
    reader->filled = 0;
    reader->overlong = false;
    return good;
}

#endif
