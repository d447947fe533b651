#include "firmware/boards/cortex_m4/ring.h"

bool ring_received_get(struct ring_received *ring, uint8_t *byte, uint32_t *count) {
    uint32_t tail = ring->tail;
    if (tail == ring->head) {
        return false;
    }
    *byte = ring->byte[tail % RING_RECEIVED];
    *count = ring->count[tail % RING_RECEIVED];
    ring->tail = tail + 1;
    return true;
}

size_t ring_sending_put(struct ring_sending *ring, const uint8_t *from, size_t n) {
    size_t taken = 0;
    uint32_t head = ring->head;
    while (taken < n && head - ring->tail < RING_SENDING) {
        ring->byte[head++ % RING_SENDING] = from[taken++];
    }
    ring->head = head;
    return taken;
}
