#include "firmware/drivers/sensor.h"

#include <string.h>

#define LONGEST_PAUSE UINT64_C(12800000000) /* ns */

enum {
    STEPS_AT_MOST = 96, /* of one configuration: whatever a driver does, an attempt ends */
    PAUSE_DOUBLINGS = 7,
    STEADY_PACKETS = 4,   /* so many at the right rate are a running device */
    TIME_CHECK_MS = 5000, /* counts are compared over less than half a wrap of the timer only */
    BITS_A_BYTE = 10      /* start, 8 data, stop */
};

static const uint64_t ns_per_us = 1000;
static const uint64_t ns_per_ms = 1000000;

const char *sensor_state_name(enum sensor_state state) {
    static const char *const names[] = {"off", "listening", "configuring", "running", "silent"};
    return (unsigned)state < sizeof names / sizeof *names ? names[state] : "unknown";
}

/* From now on packets are counted afresh. */
static void hear_afresh(struct sensor *sensor) {
    sensor->heard = 0;
    sensor->heard_ns = sensor->now_ns;
}

/* Packets come, and no slower than half the rate they should: a device that fell back to its
 * defaults sends too, and must be told again. */
static bool steady(const struct sensor_driver *driver, const struct sensor *sensor) {
    if (driver->configure == NULL) {
        return sensor->heard > 0;
    }
    return sensor->heard >= STEADY_PACKETS &&
           (sensor->heard - 1) * (uint64_t)driver->period_us * 2 * ns_per_us >=
               sensor->last_ns - sensor->heard_ns;
}

static void begin_configuring(const struct sensor_driver *driver, struct sensor *sensor) {
    driver->reset(sensor);
    hear_afresh(sensor);
    sensor->state = SENSOR_CONFIGURING;
    sensor->step = 0;
    sensor->steps = 0;
    sensor->answer = SENSOR_ANSWER_NONE;
    sensor->listens = false;
    sensor->wrong = false;
    sensor->next_ns = sensor->now_ns;
}

static void begin_pause(const struct sensor_driver *driver, struct sensor *sensor,
                        const struct sensor_bus *bus) {
    sensor->state = SENSOR_SILENT;
    /* Somebody who plugs a sensor in again should not wait for minutes. */
    const uint64_t pause = driver->pause_us * ns_per_us << sensor->failures;
    sensor->next_ns = sensor->now_ns + (pause < LONGEST_PAUSE ? pause : LONGEST_PAUSE);
    if (sensor->failures < PAUSE_DOUBLINGS) {
        ++sensor->failures;
    }
    /* A device that comes back by itself comes back at the rate it had. */
    sensor_set_rate(driver, sensor, bus, driver->rate);
    hear_afresh(sensor);
}

static void run(struct sensor *sensor) {
    sensor->state = SENSOR_RUNNING;
    sensor->failures = 0;
    sensor->wrong = false;
    sensor->last_ns = sensor->now_ns;
}

static void silence(const struct sensor_driver *driver, struct sensor *sensor,
                    const struct sensor_bus *bus) {
    ++sensor->counters.silences;
    begin_pause(driver, sensor, bus);
}

void sensor_start(const struct sensor_driver *driver, struct sensor *sensor, size_t size,
                  const struct sensor_bus *bus, uint64_t now_ns) {
    memset(sensor, 0, size);
    sensor->now_ns = now_ns;
    sensor->count_hz = bus->count_hz;
    sensor->count_ppm = bus->count_ppm;
    sensor->lost_seen = bus->serial != NULL ? bus->serial->lost(bus->serial->context) : 0;
    sensor_set_rate(driver, sensor, bus, driver->rate);
    if (driver->listen_us == 0) {
        begin_configuring(driver, sensor);
        return;
    }
    driver->reset(sensor);
    hear_afresh(sensor);
    sensor->state = SENSOR_LISTENING;
    sensor->next_ns = now_ns + driver->listen_us * ns_per_us;
}

static void receive(const struct sensor_driver *driver, struct sensor *sensor,
                    const struct serial_port *port, const struct sensor_sink *sink) {
    uint8_t byte;
    uint32_t count;
    for (int i = 0; i < SENSOR_BYTES_A_POLL && port->read(port->context, &byte, &count); ++i) {
        ++sensor->counters.bytes;
        driver->receive(sensor, byte, count, sink);
    }
    uint32_t lost = port->lost(port->context);
    sensor->counters.lost_bytes += lost - sensor->lost_seen;
    sensor->lost_seen = lost;
}

static void configure(const struct sensor_driver *driver, struct sensor *sensor,
                      const struct sensor_bus *bus) {
    if (sensor->listens && steady(driver, sensor)) {
        run(sensor);
        return;
    }
    bool answered = !sensor->listens && sensor->answer != SENSOR_ANSWER_NONE;
    if (sensor->now_ns < sensor->next_ns && !answered) {
        return;
    }
    uint32_t wait_us = 0;
    enum sensor_step step = SENSOR_STEP_FAILED;
    if (sensor->steps < STEPS_AT_MOST) {
        step = driver->configure(sensor, bus, &wait_us);
        ++sensor->steps;
    }
    sensor->listens = step == SENSOR_STEP_LISTEN;
    sensor->next_ns = sensor->now_ns + wait_us * ns_per_us;
    if (sensor->listens) {
        hear_afresh(sensor);
    } else if (step == SENSOR_STEP_FAILED) {
        sensor->counters.refusals += sensor->wrong;
        begin_pause(driver, sensor, bus);
    }
}

static void supervise(const struct sensor_driver *driver, struct sensor *sensor,
                      const struct sensor_bus *bus) {
    switch (sensor->state) {
    case SENSOR_LISTENING:
        if (steady(driver, sensor)) {
            run(sensor);
        } else if (sensor->now_ns >= sensor->next_ns) {
            if (driver->configure != NULL) {
                begin_configuring(driver, sensor);
            } else {
                silence(driver, sensor, bus);
            }
        }
        break;
    case SENSOR_CONFIGURING:
        configure(driver, sensor, bus);
        break;
    case SENSOR_RUNNING:
        if (sensor->now_ns - sensor->last_ns > driver->silent_us * ns_per_us) {
            silence(driver, sensor, bus);
        }
        break;
    case SENSOR_SILENT:
        if (steady(driver, sensor)) {
            run(sensor);
        } else if (sensor->now_ns >= sensor->next_ns) {
            if (driver->configure != NULL) {
                ++sensor->counters.restarts;
                begin_configuring(driver, sensor);
            } else {
                begin_pause(driver, sensor, bus);
            }
        }
        break;
    default:
        break;
    }
}

void sensor_poll(const struct sensor_driver *driver, struct sensor *sensor,
                 const struct sensor_bus *bus, uint64_t now_ns, uint32_t now_count,
                 const struct sensor_sink *sink) {
    if (sensor->state == SENSOR_OFF) {
        return;
    }
    sensor->now_ns = now_ns;
    if (driver->receive != NULL && bus->serial != NULL) {
        receive(driver, sensor, bus->serial, sink);
    }
    bool fetches =
        sensor->state == SENSOR_RUNNING || (sensor->state == SENSOR_CONFIGURING && sensor->listens);
    if (fetches && driver->fetch != NULL && !driver->fetch(sensor, bus, now_count, sink)) {
        silence(driver, sensor, bus);
        return;
    }
    supervise(driver, sensor, bus);
}

void sensor_edge(const struct sensor_driver *driver, struct sensor *sensor, uint32_t count) {
    if (driver->edge != NULL && sensor->state != SENSOR_OFF) {
        driver->edge(sensor, count);
    }
}

void sensor_alive(struct sensor *sensor) {
    if (sensor->heard == 0) {
        sensor->heard_ns = sensor->now_ns;
    }
    ++sensor->heard;
    sensor->last_ns = sensor->now_ns;
}

void sensor_answers_wrongly(struct sensor *sensor) {
    sensor->wrong = true;
}

void sensor_reject(struct sensor *sensor, struct sensor_sample *sample, uint16_t bits) {
    sample->valid &= (uint16_t)~bits;
    ++sensor->counters.range_failures;
}

void sensor_emit(struct sensor *sensor, struct sensor_sample *sample,
                 const struct sensor_sink *sink) {
    unsigned kind = sample->kind;
    if (sensor->emitted[kind] &&
        sensor->now_ns - sensor->emitted_ns[kind] < TIME_CHECK_MS * ns_per_ms &&
        (int32_t)(sample->count - sensor->last_count[kind]) <= 0) {
        sensor_reject(sensor, sample, UINT16_MAX);
    }
    sensor->emitted[kind] = true;
    sensor->emitted_ns[kind] = sensor->now_ns;
    sensor->last_count[kind] = sample->count;
    ++sensor->counters.samples;
    sink->take(sink->context, sample);
}

bool sensor_send(struct sensor *sensor, const struct sensor_bus *bus, const uint8_t *bytes,
                 size_t n) {
    const struct serial_port *port = bus->serial;
    if (port != NULL && port->write(port->context, bytes, n) == n) {
        return true;
    }
    ++sensor->counters.bus_errors;
    return false;
}

void sensor_set_rate(const struct sensor_driver *driver, struct sensor *sensor,
                     const struct sensor_bus *bus, uint32_t bits_per_s) {
    driver->reset(sensor);
    if (bus->serial == NULL || bits_per_s == 0) {
        return;
    }
    if (bus->serial->set_rate(bus->serial->context, bits_per_s)) {
        sensor->rate = bits_per_s;
    } else {
        ++sensor->counters.bus_errors;
    }
}

uint32_t sensor_byte_start(const struct sensor *sensor, uint32_t count) {
    return sensor->rate == 0
               ? count
               : count - (uint32_t)((uint64_t)sensor->count_hz * BITS_A_BYTE / sensor->rate);
}

uint32_t sensor_counts(const struct sensor *sensor, uint32_t us) {
    return (uint32_t)((uint64_t)sensor->count_hz * us / 1000000u);
}
