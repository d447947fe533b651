/* The sensors that are there: which driver sits on which port, samples into records, states and
 * counters told. docs/firmware-sensors.md says how to add one. */
#ifndef NFSAR_APP_SENSORS_H
#define NFSAR_APP_SENSORS_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/boards/board.h"
#include "firmware/drivers/icm42688.h"
#include "firmware/drivers/msp_flow.h"
#include "firmware/drivers/ubx.h"
#include "firmware/drivers/witmotion.h"
#include "nfsar/wire.h"

struct hub;

enum { SENSORS = NFSAR_WIRE_SENSOR_SPI_IMU + 1, SENSOR_EDGES = 16 };

/* Captured edges from the interrupt to the main loop: one writer, one reader. */
struct sensor_edges {
    volatile uint32_t counts[SENSOR_EDGES];
    volatile uint32_t written;
    volatile uint32_t taken;
};

struct sensors {
    struct witmotion imu;
    struct msp_flow flow;
    struct ubx gnss;
    struct icm42688 spi_imu;
    bool on[SENSORS];
    uint8_t told_state[SENSORS];
    uint32_t told_silences[SENSORS];
    uint32_t told_refusals[SENSORS];
    uint64_t told_ns[SENSORS];
    struct sensor_edges edges[BOARD_STAMPS];
};

void sensors_init(struct hub *hub);
/* All sensors are told again, to a host that comes later. */
void sensors_tell_again(struct hub *hub);
void sensors_poll(struct hub *hub);

/* From the interrupt. */
void sensors_edge(struct sensors *sensors, enum board_stamp stamp, uint32_t count);

/* Turns a sensor on or off. ABSENT: this board has no bus for it. */
enum nfsar_wire_result sensors_set(struct hub *hub, unsigned sensor, bool on);

/* The sensor on this port is being looked for, or off: what its port garbles meanwhile, at rates
 * that are not the sensor's, is nobody's loss. False for a port without a sensor. */
bool sensors_seek(const struct sensors *sensors, enum board_port port);

#endif
