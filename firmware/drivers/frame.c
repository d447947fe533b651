#include "firmware/drivers/frame.h"

#include <string.h>

void frame_reset(struct frame *frame) {
    frame->n = 0;
    frame->wanted = 0;
    frame->in_step = true;
}

void frame_push(struct frame *frame, uint8_t byte, uint32_t count) {
    if (frame->n < FRAME_MAX) {
        frame->bytes[frame->n] = byte;
        frame->counts[frame->n] = count;
        ++frame->n;
    }
}

void frame_drop(struct frame *frame, size_t n) {
    frame->n = (uint16_t)(frame->n - n);
    memmove(frame->bytes, frame->bytes + n, frame->n);
    memmove(frame->counts, frame->counts + n, frame->n * sizeof *frame->counts);
    frame->wanted = 0;
}

size_t frame_next(struct frame *frame, frame_inspect *inspect, struct sensor_counters *counters) {
    if (frame->n < frame->wanted) {
        return 0;
    }
    size_t skipped = 0;
    int length = 0;
    while (skipped < frame->n) {
        length = inspect(frame->bytes + skipped, frame->n - skipped);
        if (length > 0) {
            break;
        }
        counters->checksum_errors += length == FRAME_CORRUPT;
        ++skipped;
    }
    if (skipped > 0) {
        counters->resynchronisations += frame->in_step;
        frame->in_step = false;
        frame_drop(frame, skipped);
    }
    if (length <= 0 || (size_t)length > frame->n) {
        frame->wanted = (uint16_t)(length > 0 ? length : 0);
        return 0;
    }
    frame->in_step = true;
    return (size_t)length;
}
