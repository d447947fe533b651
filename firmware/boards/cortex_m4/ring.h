/* The two rings of a serial port: one producer and one consumer each, of which one is an interrupt.
 */
#ifndef NFSAR_BOARDS_CORTEX_M4_RING_H
#define NFSAR_BOARDS_CORTEX_M4_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RING_RECEIVED = 256, RING_SENDING = 512 }; /* powers of two */

struct ring_received {
    volatile uint32_t head, tail; /* free-running; head is the interrupt's */
    volatile uint32_t lost;
    volatile uint32_t count[RING_RECEIVED];
    volatile uint8_t byte[RING_RECEIVED];
};

struct ring_sending {
    volatile uint32_t head, tail; /* free-running; tail is the interrupt's */
    volatile uint8_t byte[RING_SENDING];
};

/* For the interrupt. */
static inline void ring_received_put(struct ring_received *ring, uint8_t byte, uint32_t count) {
    uint32_t head = ring->head;
    if (head - ring->tail >= RING_RECEIVED) {
        ring->lost++;
        return;
    }
    ring->byte[head % RING_RECEIVED] = byte;
    ring->count[head % RING_RECEIVED] = count;
    ring->head = head + 1;
}

static inline bool ring_received_full(const struct ring_received *ring) {
    return ring->head - ring->tail >= RING_RECEIVED;
}

static inline bool ring_sending_get(struct ring_sending *ring, uint8_t *byte) {
    uint32_t tail = ring->tail;
    if (tail == ring->head) {
        return false;
    }
    *byte = ring->byte[tail % RING_SENDING];
    ring->tail = tail + 1;
    return true;
}

/* For the main loop. */
bool ring_received_get(struct ring_received *ring, uint8_t *byte, uint32_t *count);
size_t ring_sending_put(struct ring_sending *ring, const uint8_t *from, size_t n);

#endif
