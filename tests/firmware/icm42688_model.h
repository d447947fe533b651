/* An ICM-42688-P as its data sheet (DS-000347 rev. 1.8) describes it: registers in banks, the FIFO
 * filled at the rate of its own clock, the watermark's edge. Written from the document, not from
 * the driver.
 */
#ifndef NFSAR_TESTS_FIRMWARE_ICM42688_MODEL_H
#define NFSAR_TESTS_FIRMWARE_ICM42688_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/drivers/bus.h"

enum { MODEL_FIFO = 2048, MODEL_EDGES = 64 };

enum model_fault {
    MODEL_FINE,
    MODEL_READS_ZERO, /* MISO shorted to ground, or the device has no power */
    MODEL_READS_ONES, /* MISO open with a pull-up */
    MODEL_BUS_FAILS   /* transfer() answers false */
};

struct icm42688_model {
    uint8_t registers[5][128];
    uint8_t bank;
    uint8_t identity;
    enum model_fault fault;
    bool ignores_writes_of_bank_1;

    uint64_t now_ns;
    uint64_t reset_done_ns; /* 0: is done */
    uint64_t started_ns;    /* 0: off */
    int64_t period_ps;      /* of its clock; nominal 1e9 */
    uint64_t samples;       /* made since it started */
    bool saturates;
    uint8_t header;
    unsigned fails_in; /* the transfer that fails once, from 1 on; 0: none */
    int skip;          /* so many samples never reach the FIFO */
    int temperature_raw;
    unsigned ticks_per_1024; /* of the time stamp, for 1024 us */

    uint8_t fifo[MODEL_FIFO];
    size_t fifo_bytes;
    uint16_t lost;
    uint8_t status;

    uint64_t edges_ns[MODEL_EDGES]; /* waiting to be taken */
    size_t n_edges;
    bool no_pin;

    unsigned transfers;
    struct spi_device spi;
};

void icm42688_model_init(struct icm42688_model *model);
/* Its registers as power-on leaves them. */
void icm42688_model_power_up(struct icm42688_model *model);
void icm42688_model_advance(struct icm42688_model *model, uint64_t now_ns);
/* When sample k (from 0, since it started) was made. Its acceleration x is k % 30000 * 4, of 20
 * bits. */
uint64_t icm42688_model_time(const struct icm42688_model *model, uint64_t k);

#endif
