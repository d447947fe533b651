/* The sensors beside the radar, on the hub's ports: an IMU that speaks WitMotion's protocol,
 * optical flow and range in MSP v2 as Matek's 3901-L0X, a GNSS receiver that speaks UBX, with its
 * pulse per second. They come as from the factory and do what the hub tells them. */
#ifndef NFSAR_TESTS_RIG_SENSORS_H
#define NFSAR_TESTS_RIG_SENSORS_H

#include "firmware/boards/board.h"
#include "tests/rig/world.h"

enum { RIG_COMMAND_BYTES = 600 };

/* How sensors see the world, and speak. */
struct rig_sensor_ways {
    void *context;
    void (*motion)(void *context, uint64_t time_ns, struct rig_motion *motion);
    void (*send)(void *context, enum board_port port, const void *bytes, size_t n);
    void (*pulse)(void *context);
};

struct rig_imu {
    bool fitted, unlocked;
    uint16_t content;
    uint8_t rate;
    double rest;
    uint8_t command[RIG_COMMAND_BYTES];
    size_t bytes;
};

struct rig_flow {
    bool fitted;
    double rest[2]; /* of a count, not sent yet */
};

struct rig_gnss {
    bool fitted;
    uint16_t period_ms;
    bool pvt, nmea;
    uint8_t command[RIG_COMMAND_BYTES];
    size_t bytes;
};

struct rig_sensors {
    struct rig_sensor_ways ways;
    double plane_z; /* what the range is measured to, and the flow seen on */
    int64_t utc_s;  /* when hub time was 0 */
    uint64_t beats; /* of 5 ms, made */
    struct rig_imu imu;
    struct rig_flow flow;
    struct rig_gnss gnss;
};

void rig_sensors_init(struct rig_sensors *sensors, const struct rig_sensor_ways *ways, bool imu,
                      bool flow, bool gnss, double plane_z, int64_t utc_s);

/* Bytes from the hub. */
void rig_sensors_hear(struct rig_sensors *sensors, enum board_port port, const uint8_t *bytes,
                      size_t n);

/* What is due up to this time. */
void rig_sensors_run(struct rig_sensors *sensors, uint64_t now_ns);

/* The hub's time begins anew. */
void rig_sensors_restart(struct rig_sensors *sensors);

#endif
