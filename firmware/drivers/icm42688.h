/* TDK ICM-42688-P on SPI (mode 0 or 3, at most 24 MHz): acceleration and rate at 1 kHz through its
 * FIFO, in the 20-bit format: +-16 g at 8192 per g, +-2000 degrees/s at 131 per degree/s.
 *
 * Data sheet: DS-000347 rev. 1.8. The interrupt pin gives an edge when ICM42688_WATERMARK samples
 * wait. That edge is a sample's moment, exactly; the others of the FIFO are whole periods from it,
 * and the period is learnt from the edges, because the sensor's clock may be 1 % off. Without edges
 * (the pin is not wired) stamps come from when the FIFO is read, to about half a period. A stamp is
 * when the sample was ready: its anti-alias filters lag behind the motion by the same time always.
 */
#ifndef NFSAR_DRIVERS_ICM42688_H
#define NFSAR_DRIVERS_ICM42688_H

#include "firmware/drivers/sensor.h"

enum {
    ICM42688_WATERMARK = 8, /* samples: an edge each 8 ms */
    ICM42688_PACKET = 20,
    ICM42688_BURST = 16 /* samples read in one poll at most */
};

struct icm42688 {
    struct sensor sensor;
    bool edge_waits;   /* one came since the FIFO was read */
    bool has_edge;     /* edges come: they hold the stamps */
    bool anchored;     /* sample number anchor was at anchor_count */
    bool wants_empty;  /* the FIFO must be emptied before it is read again */
    uint8_t odd_edges; /* so many in a row that are none of the samples' */
    bool has_ticks;    /* there is a sample before */
    uint16_t ticks;    /* of the sensor's clock, at the sample before */
    uint32_t index;    /* of the next sample to be read, from the emptying of the FIFO on */
    uint32_t anchor;
    uint32_t anchor_count;
    uint32_t period;     /* counts in 24.8 fixed point */
    uint32_t read_count; /* when the FIFO was read */
};

extern const struct sensor_driver icm42688_driver;

#endif
