/* A stream whose every byte tells where it belongs, for tests of the capture card. */
#ifndef NFSAR_TESTS_DEVICES_DCA1000_STREAM_H
#define NFSAR_TESTS_DEVICES_DCA1000_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "host/devices/dca1000/packet.h"
#include "tests/support.h"

enum { STREAM_PAYLOAD = 1456 };

/* splitmix64's last steps. */
static inline uint64_t stream_mix(uint64_t z) {
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static inline uint64_t stream_draw(uint64_t *state) {
    return stream_mix(*state += UINT64_C(0x9E3779B97F4A7C15));
}

/* The stream's byte at this place: never 0, which is what missing bytes are. */
static inline uint8_t stream_byte(uint64_t at) {
    return (uint8_t)(1 + (stream_mix(at >> 3) >> 8 * (at & 7) & 0xFF) % 255);
}

static inline void stream_fill(uint8_t *to, uint64_t at, size_t n) {
    for (size_t i = 0; i < n; i++) {
        to[i] = stream_byte(at + i);
    }
}

/* The packet that holds n bytes of the stream from this place on; returns its length. */
static inline size_t stream_packet(uint8_t *to, uint32_t sequence, uint64_t at, size_t n) {
    dca1000_write_header(to, sequence, at);
    stream_fill(to + DCA1000_HEADER_BYTES, at, n);
    return DCA1000_HEADER_BYTES + n;
}

#endif
