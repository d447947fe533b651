/* What a driver knows of the wires it sits on. A board gives one of these for each port; a test
 * gives a model. All times are counts of the hub's free-running timer (app/clock.h makes 64 bits of
 * them). */
#ifndef NFSAR_DRIVERS_BUS_H
#define NFSAR_DRIVERS_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A serial line: bytes with the count of the timer at which each was received. Nothing blocks. */
struct serial_port {
    /* The next byte received, if there is one. */
    bool (*read)(void *context, uint8_t *byte, uint32_t *count);
    /* Takes up to n bytes for sending, and says how many it took. */
    size_t (*write)(void *context, const uint8_t *from, size_t n);
    /* Sets bits per second, 8 data bits, no parity, one stop bit. False: the clock cannot make it.
     */
    bool (*set_rate)(void *context, uint32_t bits_per_s);
    /* Bytes lost so far: overrun in the hardware, the ring full, or garbled on the wire. */
    uint32_t (*lost)(void *context);
    void *context;
};

/* A device on an SPI bus, with its own chip select: n bytes out and n bytes in at once, select held
 * low throughout. False: the bus did not finish in time. out or in may be NULL. */
struct spi_device {
    bool (*transfer)(void *context, const uint8_t *out, uint8_t *in, size_t n);
    void *context;
};

#endif
