/* Finds frames in a stream of bytes without ever losing a good one to a bad one: the bytes of a
 * frame stay until its checksum is known, and when it is wrong the search goes on one byte after
 * its false start. Memory and time for a byte are bounded by FRAME_MAX. */
#ifndef NFSAR_DRIVERS_FRAME_H
#define NFSAR_DRIVERS_FRAME_H

#include "firmware/drivers/sensor.h"

enum {
    FRAME_MAX = 104, /* UBX's NAV-PVT is 100, the longest that any driver wants */
    FRAME_FALSE = 0, /* no frame begins here */
    FRAME_CORRUPT = -1
};

struct frame {
    uint8_t bytes[FRAME_MAX];
    uint32_t counts[FRAME_MAX]; /* of each byte */
    uint16_t n;
    uint16_t wanted; /* so many bytes before it is worth looking again */
    bool in_step;    /* the last thing seen was a frame */
};

/* How long the frame is that begins at bytes[0]: more than n while it is not complete, as far as is
 * known; at most FRAME_MAX. FRAME_FALSE or FRAME_CORRUPT where there is none. n >= 1. */
typedef int frame_inspect(const uint8_t *bytes, size_t n);

void frame_reset(struct frame *frame);
/* There is always room after frame_next() returned 0. */
void frame_push(struct frame *frame, uint8_t byte, uint32_t count);
/* Length of the complete frame that is now at frame->bytes, or 0. Drop it before the next call. */
size_t frame_next(struct frame *frame, frame_inspect *inspect, struct sensor_counters *counters);
void frame_drop(struct frame *frame, size_t n);

/* Little-endian numbers, as all three serial protocols have them. */
static inline uint16_t frame_u16(const uint8_t *at) {
    return (uint16_t)(at[0] | at[1] << 8);
}

static inline int16_t frame_i16(const uint8_t *at) {
    return (int16_t)frame_u16(at);
}

static inline uint32_t frame_u32(const uint8_t *at) {
    return (uint32_t)frame_u16(at) | (uint32_t)frame_u16(at + 2) << 16;
}

static inline int32_t frame_i32(const uint8_t *at) {
    return (int32_t)frame_u32(at);
}

#endif
