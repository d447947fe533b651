/* A serial port and a sink for the tests of the sensors: bytes with counts go in, what a driver
 * sends and the samples it gives are kept. Time is the test's. */
#ifndef NFSAR_TESTS_FIRMWARE_FAKE_SERIAL_H
#define NFSAR_TESTS_FIRMWARE_FAKE_SERIAL_H

#include <string.h>

#include "firmware/drivers/sensor.h"

enum {
    FAKE_HZ = 84000000, /* of the timer */
    FAKE_QUEUE = 1 << 15,
    FAKE_SENT = 4096,
    FAKE_SAMPLES = 4096
};

struct fake {
    /* The port. */
    uint8_t bytes[FAKE_QUEUE];
    uint32_t counts[FAKE_QUEUE];
    size_t head, tail;
    uint32_t rate;
    uint32_t lost;
    bool refuses_rate;
    size_t takes; /* bytes it takes in one write */
    uint8_t sent[FAKE_SENT];
    size_t n_sent;
    /* A device behind it: called for each byte that is sent. NULL: nobody. */
    void (*device)(struct fake *fake, uint8_t byte);
    void *device_state;

    /* The sink. */
    struct sensor_sample samples[FAKE_SAMPLES];
    size_t n_samples; /* all; the first FAKE_SAMPLES are kept */

    uint64_t now_ns;
    struct serial_port port;
    struct sensor_bus bus;
    struct sensor_sink sink;
};

static inline uint32_t fake_count(const struct fake *fake) {
    return (uint32_t)(fake->now_ns * (FAKE_HZ / 1000000) / 1000);
}

static inline void fake_feed_at(struct fake *fake, const uint8_t *bytes, size_t n, uint32_t count,
                                uint32_t step) {
    for (size_t i = 0; i < n; ++i) {
        fake->bytes[fake->tail % FAKE_QUEUE] = bytes[i];
        fake->counts[fake->tail % FAKE_QUEUE] = count + (uint32_t)i * step;
        ++fake->tail;
    }
}

/* All bytes are received now. */
static inline void fake_feed(struct fake *fake, const uint8_t *bytes, size_t n) {
    fake_feed_at(fake, bytes, n, fake_count(fake), 0);
}

static inline bool fake_read(void *context, uint8_t *byte, uint32_t *count) {
    struct fake *fake = context;
    if (fake->head == fake->tail) {
        return false;
    }
    *byte = fake->bytes[fake->head % FAKE_QUEUE];
    *count = fake->counts[fake->head % FAKE_QUEUE];
    ++fake->head;
    return true;
}

static inline size_t fake_write(void *context, const uint8_t *from, size_t n) {
    struct fake *fake = context;
    n = n < fake->takes ? n : fake->takes;
    for (size_t i = 0; i < n; ++i) {
        fake->sent[fake->n_sent++ % FAKE_SENT] = from[i];
        if (fake->device != NULL) {
            fake->device(fake, from[i]);
        }
    }
    return n;
}

static inline bool fake_set_rate(void *context, uint32_t bits_per_s) {
    struct fake *fake = context;
    fake->rate = bits_per_s;
    return !fake->refuses_rate;
}

static inline uint32_t fake_lost(void *context) {
    return ((struct fake *)context)->lost;
}

static inline void fake_take(void *context, const struct sensor_sample *sample) {
    struct fake *fake = context;
    if (fake->n_samples < FAKE_SAMPLES) {
        fake->samples[fake->n_samples] = *sample;
    }
    ++fake->n_samples;
}

static inline void fake_init(struct fake *fake) {
    memset(fake, 0, sizeof *fake);
    fake->takes = SIZE_MAX;
    fake->now_ns = 1000000000;
    fake->port = (struct serial_port){fake_read, fake_write, fake_set_rate, fake_lost, fake};
    fake->bus = (struct sensor_bus){.serial = &fake->port, .count_hz = FAKE_HZ, .count_ppm = 500};
    fake->sink = (struct sensor_sink){fake_take, fake};
}

static inline void fake_poll(const struct sensor_driver *driver, struct sensor *sensor,
                             struct fake *fake) {
    sensor_poll(driver, sensor, &fake->bus, fake->now_ns, fake_count(fake), &fake->sink);
}

/* Polls until everything fed is taken. */
static inline void fake_drain(const struct sensor_driver *driver, struct sensor *sensor,
                              struct fake *fake) {
    do {
        fake_poll(driver, sensor, fake);
    } while (fake->head != fake->tail);
}

static inline uint64_t fake_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

#endif
