/* IMUs that speak WitMotion's standard protocol on a UART (WT901C, HWT905 ...): acceleration, rate
 * and the quaternion of its own filter at 200 Hz.
 *
 * Protocol: "WIT Standard Communication Protocol" (wit-motion.gitbook.io/witmotion-sdk). Packets of
 * 11 bytes: 0x55, type, four little-endian int16, the 8-bit sum of all before. The packets of one
 * instant follow one another in the order of their types; 0x51 is the first of those wanted here,
 * and its first byte is the sample's time. That is when the module sends, not when it measures: the
 * module does not say how much later that is, but it is the same each time. */
#ifndef NFSAR_DRIVERS_WITMOTION_H
#define NFSAR_DRIVERS_WITMOTION_H

#include "firmware/drivers/frame.h"

struct witmotion {
    struct sensor sensor;
    struct frame frame;
    struct sensor_sample sample; /* being put together */
    uint8_t have;                /* packets of it: bits of witmotion.c */
};

extern const struct sensor_driver witmotion_driver;

#endif
