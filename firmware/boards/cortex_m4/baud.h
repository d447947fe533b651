/* The divider of a serial port's clock. */
#ifndef NFSAR_BOARDS_CORTEX_M4_BAUD_H
#define NFSAR_BOARDS_CORTEX_M4_BAUD_H

#include <stdbool.h>
#include <stdint.h>

/* Ports sample a bit sixteen times, so the divider is at least 16; `most` is what its register
 * holds. Two ends may differ by some 4 % together: 2 % is ours. False: the clock cannot make the
 * rate. */
static inline bool baud_divider(uint32_t clock_hz, uint32_t bits_per_s, uint32_t most,
                                uint32_t *divider) {
    if (bits_per_s == 0 || bits_per_s > clock_hz / 16) {
        return false;
    }
    *divider = (clock_hz + bits_per_s / 2) / bits_per_s;
    uint32_t made = clock_hz / *divider;
    uint32_t error = made > bits_per_s ? made - bits_per_s : bits_per_s - made;
    return *divider <= most && error <= bits_per_s / 50;
}

#endif
