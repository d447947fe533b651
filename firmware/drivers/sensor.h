/* What every sensor of the hub looks like to the application: a driver that turns a port's bytes or
 * a bus's registers into samples in SI units, and the supervision that finds, configures, watches
 * and restarts the device. A driver knows no board: ports come as arguments, state is a plain
 * struct whose first member is struct sensor. Everything runs in the main loop; nothing here
 * blocks. */
#ifndef NFSAR_DRIVERS_SENSOR_H
#define NFSAR_DRIVERS_SENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/drivers/bus.h"

#define SENSOR_GRAVITY    9.80665f      /* m/s^2 in one g, by definition */
#define SENSOR_PER_DEGREE 0.0174532925f /* radians */

enum sensor_kind { SENSOR_IMU, SENSOR_FLOW, SENSOR_RANGE, SENSOR_GNSS, SENSOR_PULSE, SENSOR_KINDS };

/* Bits of sensor_sample.valid. A value whose bit is clear was absent, out of the sensor's physical
 * range, or of no quality: it is there for looking at, not for use. */
enum sensor_valid {
    SENSOR_VALID_ACCELERATION = 1 << 0,
    SENSOR_VALID_RATE = 1 << 1,
    SENSOR_VALID_ORIENTATION = 1 << 2,
    SENSOR_VALID_TEMPERATURE = 1 << 3,
    SENSOR_VALID_FLOW = 1 << 4,
    SENSOR_VALID_RANGE = 1 << 5,
    SENSOR_VALID_TIME = 1 << 6,
    SENSOR_VALID_POSITION = 1 << 7,
    SENSOR_VALID_VELOCITY = 1 << 8
};

struct sensor_imu {
    float acceleration[3]; /* specific force, m/s^2: +g upwards at rest */
    float rate[3];         /* rad/s */
    float orientation[4];  /* quaternion w, x, y, z, body into world */
    float temperature;     /* degrees Celsius */
};

struct sensor_flow {
    float angle[2];  /* radians of apparent motion about the sensor's axes during interval */
    float interval;  /* s, from the packet before to this one */
    uint8_t quality; /* 0 ... 255 */
};

struct sensor_range {
    float range;     /* m */
    uint8_t quality; /* 0 ... 255 */
};

struct sensor_gnss {
    int64_t utc_ns; /* of the measurement, since 1970-01-01 00:00 UTC, leap seconds not counted */
    uint32_t time_accuracy_ns;
    int32_t latitude, longitude; /* 1e-7 degrees, WGS84 */
    int32_t height_mm;           /* above the ellipsoid */
    float velocity[3];           /* north, east, down, m/s */
    uint32_t horizontal_accuracy_mm, vertical_accuracy_mm;
    float speed_accuracy; /* m/s */
    uint8_t fix;          /* 0 none, 2 2-D, 3 3-D, 4 with dead reckoning, 5 time only */
    uint8_t carrier;      /* 0 none, 1 float, 2 fixed ambiguities (RTK) */
    uint8_t satellites;
};

/* An edge of the pulse per second and the second that it marks: what disciplines the clock. */
struct sensor_pulse {
    int64_t utc_ns; /* a whole second */
    uint32_t accuracy_ns;
};

struct sensor_sample {
    uint32_t count; /* of the timer when it was taken: see the driver for what that is */
    uint16_t valid; /* enum sensor_valid */
    uint8_t kind;   /* enum sensor_kind */
    union {
        struct sensor_imu imu;
        struct sensor_flow flow;
        struct sensor_range range;
        struct sensor_gnss gnss;
        struct sensor_pulse pulse;
    } of;
};

/* Where samples go. Called from sensor_poll(); the sample lives until it returns. */
struct sensor_sink {
    void (*take)(void *context, const struct sensor_sample *sample);
    void *context;
};

enum sensor_state {
    SENSOR_OFF,
    SENSOR_LISTENING,   /* is it sending what it should already? */
    SENSOR_CONFIGURING, /* telling it */
    SENSOR_RUNNING,
    SENSOR_SILENT /* nothing for too long; configured again after a pause that grows */
};

/* All of them wrap. */
struct sensor_counters {
    uint32_t samples;
    uint32_t bytes;
    uint32_t lost_bytes;      /* by the port: overrun, ring full */
    uint32_t lost_samples;    /* by the device: its queue overflowed */
    uint32_t checksum_errors; /* frames whole in form, wrong in sum */
    uint32_t range_failures;  /* values outside of what the sensor can measure, time backwards */
    uint32_t resynchronisations;
    uint32_t bus_errors; /* a transfer or a send did not finish */
    uint32_t silences;
    uint32_t restarts; /* configurations begun after the first */
    uint32_t refusals; /* configurations that ended with a device that answers wrongly */
};

enum sensor_answer { SENSOR_ANSWER_NONE, SENSOR_ANSWER_YES, SENSOR_ANSWER_NO };

/* What all drivers share. Zeroed by sensor_start(). Read state and counters; the rest is sensor.c's
 * and the driver's. */
struct sensor {
    uint8_t state;  /* enum sensor_state */
    uint8_t answer; /* enum sensor_answer: of the device to what configure() sent */
    bool listens;   /* configuring, and what is heard now decides */
    bool wrong; /* something answers, but not as this device should: see sensor_answers_wrongly() */
    uint8_t failures;
    uint16_t step;      /* configure()'s own, 0 at its beginning */
    uint16_t steps;     /* calls of configure() in this attempt */
    uint32_t rate;      /* bits per second of the port now */
    uint32_t count_hz;  /* of the timer */
    uint32_t count_ppm; /* of struct sensor_bus */
    uint32_t heard;     /* good packets since heard_ns */
    uint32_t lost_seen; /* of the port's counter */
    uint64_t now_ns, next_ns, heard_ns, last_ns;
    uint32_t last_count[SENSOR_KINDS];
    uint64_t emitted_ns[SENSOR_KINDS];
    bool emitted[SENSOR_KINDS];
    struct sensor_counters counters;
};

struct sensor_bus {
    const struct serial_port *serial; /* NULL: none */
    const struct spi_device *spi;     /* NULL: none */
    uint32_t count_hz;
    uint32_t count_ppm; /* by which the timer, or a stamp in a second, may be wrong */
};

enum sensor_step {
    SENSOR_STEP_WAIT,   /* call again after the wait, or when the device has answered */
    SENSOR_STEP_LISTEN, /* it should be running: listen so long, call again if it is not */
    SENSOR_STEP_FAILED  /* nothing left to try */
};

struct sensor_driver {
    const char *name;
    uint32_t rate; /* bits per second that the device runs at once configured; 0: no serial port */
    uint32_t period_us; /* between samples, as configured */
    uint32_t silent_us; /* without a packet for so long it is silent */
    uint32_t listen_us; /* at the start, before configuring; 0: configure at once */
    uint32_t pause_us;  /* before the first restart: time to come back by itself. Doubles up to
                           13 s. Not 0 */

    /* Empties the parser: called when listening begins, whenever the port's rate changes, and when
     * the device fell silent. */
    void (*reset)(struct sensor *sensor);
    /* Does the next thing to bring the device up. NULL: there is nothing to tell it. */
    enum sensor_step (*configure)(struct sensor *sensor, const struct sensor_bus *bus,
                                  uint32_t *wait_us);
    /* A byte of the serial port. NULL: not a serial sensor. */
    void (*receive)(struct sensor *sensor, uint8_t byte, uint32_t count,
                    const struct sensor_sink *sink);
    /* What must be fetched. False: the device is gone. NULL: it speaks by itself. */
    bool (*fetch)(struct sensor *sensor, const struct sensor_bus *bus, uint32_t now_count,
                  const struct sensor_sink *sink);
    /* An edge of its pin (data ready, pulse per second) that the timer captured. NULL: has none. */
    void (*edge)(struct sensor *sensor, uint32_t count);
};

/* Begins. `size` is that of the driver's whole state, which is zeroed. */
void sensor_start(const struct sensor_driver *driver, struct sensor *sensor, size_t size,
                  const struct sensor_bus *bus, uint64_t now_ns);

/* Does what is due and returns; call at least every 5 ms. now_ns never goes backwards; now_count is
 * the timer's count at the same moment. Takes at most SENSOR_BYTES_A_POLL from the port. */
enum { SENSOR_BYTES_A_POLL = 256 };
void sensor_poll(const struct sensor_driver *driver, struct sensor *sensor,
                 const struct sensor_bus *bus, uint64_t now_ns, uint32_t now_count,
                 const struct sensor_sink *sink);

/* Hands a captured edge to the driver. Main loop, not interrupt. */
void sensor_edge(const struct sensor_driver *driver, struct sensor *sensor, uint32_t count);

/* "off", "listening", "configuring", "running", "silent". */
const char *sensor_state_name(enum sensor_state state);

/* For drivers. */

/* A good packet of the kind that the device is there for. */
void sensor_alive(struct sensor *sensor);
/* Counts a sample, checks that its time moves forwards, hands it on. */
void sensor_emit(struct sensor *sensor, struct sensor_sample *sample,
                 const struct sensor_sink *sink);
/* For configure(): another device, one that refuses its settings, or that does not what it agreed
 * to. Where the attempt then fails, the sensor is not just absent. */
void sensor_answers_wrongly(struct sensor *sensor);
/* Clears bits of the sample and counts one failure. */
void sensor_reject(struct sensor *sensor, struct sensor_sample *sample, uint16_t bits);
/* Sends all of it, or counts a bus error. */
bool sensor_send(struct sensor *sensor, const struct sensor_bus *bus, const uint8_t *bytes,
                 size_t n);
/* Sets the port's rate and empties the parser. */
void sensor_set_rate(const struct sensor_driver *driver, struct sensor *sensor,
                     const struct sensor_bus *bus, uint32_t bits_per_s);
/* The count at which a byte began whose last bit was received at count. */
uint32_t sensor_byte_start(const struct sensor *sensor, uint32_t count);
/* Microseconds as counts of the timer. */
uint32_t sensor_counts(const struct sensor *sensor, uint32_t us);

#endif
