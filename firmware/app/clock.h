/* The hub's time: the board's free-running 32-bit counter, extended to 64 bits and told in
 * nanoseconds since the start. Interrupts only read the counter; the main loop extends. */
#ifndef NFSAR_APP_CLOCK_H
#define NFSAR_APP_CLOCK_H

#include <stdint.h>

struct clock {
    uint64_t base; /* a count of the past, not older than the last turn of the main loop */
    uint32_t count_hz;
};

void clock_init(struct clock *clock, uint32_t count_hz, uint32_t count);

/* Moves the base up to this count. Call it at least every 2^31 counts (25 s at 84 MHz). */
void clock_advance(struct clock *clock, uint32_t count);

/* The 64-bit count of a stamp at most 2^31 counts before or after the base. */
uint64_t clock_extend(const struct clock *clock, uint32_t count);

/* Nanoseconds of a 64-bit count; exact to a nanosecond for centuries. */
uint64_t clock_ns(const struct clock *clock, uint64_t count);

/* Both at once, for a stamp. */
uint64_t clock_stamp_ns(const struct clock *clock, uint32_t count);

#endif
