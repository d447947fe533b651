#include "firmware/app/sensors.h"

#include <string.h>

#include "firmware/app/hub.h"

/* Counters go to the host with every change of state, and this often besides. */
#define TELL_NS UINT64_C(5000000000)

struct place_of_sensor {
    const struct sensor_driver *driver;
    size_t offset; /* of its state in struct sensors */
    size_t size;
    int port;  /* enum board_port, or -1: SPI */
    int stamp; /* enum board_stamp whose edges are its, or -1 */
};

/* By channel: enum nfsar_wire_sensor_id. */
static const struct place_of_sensor places[SENSORS] = {
    [NFSAR_WIRE_SENSOR_IMU] = {&witmotion_driver, offsetof(struct sensors, imu),
                               sizeof(struct witmotion), BOARD_PORT_IMU, -1},
    [NFSAR_WIRE_SENSOR_FLOW] = {&msp_flow_driver, offsetof(struct sensors, flow),
                                sizeof(struct msp_flow), BOARD_PORT_FLOW, -1},
    [NFSAR_WIRE_SENSOR_GNSS] = {&ubx_driver, offsetof(struct sensors, gnss), sizeof(struct ubx),
                                BOARD_PORT_GNSS, BOARD_STAMP_PPS},
    [NFSAR_WIRE_SENSOR_SPI_IMU] = {&icm42688_driver, offsetof(struct sensors, spi_imu),
                                   sizeof(struct icm42688), -1, BOARD_STAMP_SPI_IMU},
};

static struct sensor *state_of(struct sensors *sensors, unsigned sensor) {
    return (struct sensor *)((char *)sensors + places[sensor].offset);
}

/* One for the pulse per second and for the receiver that names its seconds: what one takes the
 * other must not refuse. */
static uint32_t count_ppm(void) {
    return board_emulated() || !board_clock_exact() ? PPS_COARSE : PPS_CRYSTAL;
}

static struct sensor_bus bus_of(const struct hub *hub, unsigned sensor) {
    const int port = places[sensor].port;
    return (struct sensor_bus){.serial = port >= 0 ? board_port((enum board_port)port) : NULL,
                               .spi = port < 0 ? board_spi_imu() : NULL,
                               .count_hz = hub->clock.count_hz,
                               .count_ppm = count_ppm()};
}

static bool has_bus(const struct sensor_bus *bus) {
    return bus->serial != NULL || bus->spi != NULL;
}

static uint8_t wire_state(const struct sensors *sensors, unsigned sensor) {
    if (!sensors->on[sensor]) {
        return NFSAR_WIRE_SENSOR_IS_OFF;
    }
    const struct sensor *state =
        (const struct sensor *)((const char *)sensors + places[sensor].offset);
    switch (state->state) {
    case SENSOR_RUNNING:
        return NFSAR_WIRE_SENSOR_IS_RUNNING;
    case SENSOR_SILENT:
        return state->wrong ? NFSAR_WIRE_SENSOR_IS_FAULT : NFSAR_WIRE_SENSOR_IS_SILENT;
    default:
        return NFSAR_WIRE_SENSOR_IS_STARTING;
    }
}

static void tell_state(struct hub *hub, unsigned sensor) {
    const struct sensor_counters *c = &state_of(&hub->sensors, sensor)->counters;
    const struct nfsar_wire_sensor record = {.state = wire_state(&hub->sensors, sensor),
                                             .restarts = (uint16_t)c->restarts,
                                             .samples = c->samples,
                                             .bytes = c->bytes,
                                             .checksum = c->checksum_errors,
                                             .outside = c->range_failures,
                                             .resyncs = c->resynchronisations,
                                             .overflows = c->lost_samples + c->lost_bytes,
                                             .silences = c->silences};
    HUB_RECORD(hub, SENSOR, sensor, (uint8_t)sensor, hub->now_ns, &record);
    hub->sensors.told_ns[sensor] = hub->now_ns;
    hub->sensors.told_state[sensor] = record.state;
}

void sensors_tell_again(struct hub *hub) {
    for (unsigned sensor = 0; sensor < SENSORS; sensor++) {
        tell_state(hub, sensor);
    }
}

static void tell_clock(struct hub *hub) {
    const struct pps *pps = &hub->pps;
    const uint64_t time_ns = clock_ns(&hub->clock, pps->accepted);
    struct nfsar_wire_clock record = {
        .utc_ns = pps->utc_ns, .pulses = pps->pulses, .refused = pps->refused};
    if (pps->utc_ns != 0) {
        record.offset_ns = (int64_t)(pps->utc_ns - time_ns);
    } else {
        record.offset_ns = -(int64_t)(time_ns % UINT64_C(1000000000));
    }
    pps_drift(pps, &record.drift_ppm, &record.spread_ns);
    HUB_RECORD(hub, CLOCK, clock, 0, time_ns, &record);
}

static void take_imu(struct hub *hub, uint8_t channel, uint64_t time_ns,
                     const struct sensor_sample *sample) {
    const struct sensor_imu *imu = &sample->of.imu;
    struct nfsar_wire_imu record = {.valid = sample->valid, .temperature = imu->temperature};
    memcpy(record.acceleration, imu->acceleration, sizeof record.acceleration);
    memcpy(record.rate, imu->rate, sizeof record.rate);
    memcpy(record.orientation, imu->orientation, sizeof record.orientation);
    HUB_RECORD(hub, IMU, imu, channel, time_ns, &record);
}

static void take_gnss(struct hub *hub, uint8_t channel, uint64_t time_ns,
                      const struct sensor_sample *sample) {
    const struct sensor_gnss *gnss = &sample->of.gnss;
    struct nfsar_wire_gnss record = {
        .utc_ns = (sample->valid & SENSOR_VALID_TIME) != 0 ? (uint64_t)gnss->utc_ns : 0,
        .latitude = gnss->latitude,
        .longitude = gnss->longitude,
        .height_mm = gnss->height_mm,
        .accuracy_horizontal = (float)gnss->horizontal_accuracy_mm * 1e-3F,
        .accuracy_vertical = (float)gnss->vertical_accuracy_mm * 1e-3F,
        .accuracy_speed = gnss->speed_accuracy,
        .fix = (sample->valid & SENSOR_VALID_POSITION) != 0 ? gnss->fix : 0,
        .carrier = gnss->carrier,
        .satellites = gnss->satellites};
    memcpy(record.velocity, gnss->velocity, sizeof record.velocity);
    HUB_RECORD(hub, GNSS, gnss, channel, time_ns, &record);
}

struct taker {
    struct hub *hub;
    uint8_t channel;
};

static void take(void *context, const struct sensor_sample *sample) {
    struct hub *hub = ((const struct taker *)context)->hub;
    const uint8_t channel = ((const struct taker *)context)->channel;
    const uint64_t count = clock_extend(&hub->clock, sample->count);
    const uint64_t time_ns = clock_ns(&hub->clock, count);
    switch (sample->kind) {
    case SENSOR_IMU:
        take_imu(hub, channel, time_ns, sample);
        break;
    case SENSOR_FLOW: {
        const struct nfsar_wire_flow record = {
            .quality = (sample->valid & SENSOR_VALID_FLOW) != 0 ? sample->of.flow.quality : 0,
            .motion = {sample->of.flow.angle[0], sample->of.flow.angle[1]},
            .interval = sample->of.flow.interval};
        HUB_RECORD(hub, FLOW, flow, channel, time_ns, &record);
        break;
    }
    case SENSOR_RANGE: {
        const struct nfsar_wire_range record = {.quality = sample->of.range.quality,
                                                .valid = (sample->valid & SENSOR_VALID_RANGE) != 0,
                                                .range = sample->of.range.range};
        HUB_RECORD(hub, RANGE, range, channel, time_ns, &record);
        break;
    }
    case SENSOR_GNSS:
        take_gnss(hub, channel, time_ns, sample);
        break;
    case SENSOR_PULSE:
        if (pps_name(&hub->pps, count, (uint64_t)sample->of.pulse.utc_ns)) {
            tell_clock(hub);
        }
        break;
    default:
        break;
    }
}

static void start(struct hub *hub, unsigned sensor) {
    const struct sensor_bus bus = bus_of(hub, sensor);
    sensor_start(places[sensor].driver, state_of(&hub->sensors, sensor), places[sensor].size, &bus,
                 hub->now_ns);
    hub->sensors.told_silences[sensor] = 0;
    hub->sensors.told_refusals[sensor] = 0;
}

void sensors_init(struct hub *hub) {
    for (unsigned sensor = 0; sensor < SENSORS; sensor++) {
        const struct sensor_bus bus = bus_of(hub, sensor);
        hub->sensors.on[sensor] = has_bus(&bus);
        if (hub->sensors.on[sensor]) {
            start(hub, sensor);
        }
    }
    pps_init(&hub->pps, hub->clock.count_hz, count_ppm());
}

bool sensors_seek(const struct sensors *sensors, enum board_port port) {
    for (unsigned sensor = 0; sensor < SENSORS; sensor++) {
        if (places[sensor].port == (int)port) {
            return wire_state(sensors, sensor) != NFSAR_WIRE_SENSOR_IS_RUNNING;
        }
    }
    return false;
}

enum nfsar_wire_result sensors_set(struct hub *hub, unsigned sensor, bool on) {
    if (sensor >= SENSORS) {
        return NFSAR_WIRE_RESULT_CHANNEL;
    }
    const struct sensor_bus bus = bus_of(hub, sensor);
    if (!has_bus(&bus)) {
        return NFSAR_WIRE_RESULT_ABSENT;
    }
    if (on && !hub->sensors.on[sensor]) {
        start(hub, sensor);
    }
    hub->sensors.on[sensor] = on;
    tell_state(hub, sensor);
    return NFSAR_WIRE_RESULT_DONE;
}

void sensors_edge(struct sensors *sensors, enum board_stamp stamp, uint32_t count) {
    struct sensor_edges *edges = &sensors->edges[stamp];
    if (edges->written - edges->taken < SENSOR_EDGES) {
        edges->counts[edges->written % SENSOR_EDGES] = count;
        edges->written++;
    }
}

static void poll_edges(struct hub *hub, unsigned sensor) {
    if (places[sensor].stamp < 0) {
        return;
    }
    struct sensor_edges *edges = &hub->sensors.edges[places[sensor].stamp];
    while (edges->taken != edges->written) {
        const uint32_t count = edges->counts[edges->taken % SENSOR_EDGES];
        edges->taken++;
        if (places[sensor].stamp == BOARD_STAMP_PPS &&
            pps_pulse(&hub->pps, clock_extend(&hub->clock, count))) {
            tell_clock(hub);
        }
        if (hub->sensors.on[sensor]) {
            sensor_edge(places[sensor].driver, state_of(&hub->sensors, sensor), count);
        }
    }
}

static void poll_one(struct hub *hub, unsigned sensor) {
    struct sensors *sensors = &hub->sensors;
    struct sensor *state = state_of(sensors, sensor);
    struct taker taker = {hub, (uint8_t)sensor};
    const struct sensor_bus bus = bus_of(hub, sensor);
    sensor_poll(places[sensor].driver, state, &bus, hub->now_ns, board_count(),
                &(struct sensor_sink){take, &taker});
    const bool silent = state->counters.silences != sensors->told_silences[sensor];
    if (silent) {
        sensors->told_silences[sensor] = state->counters.silences;
    }
    /* One that was never there is no error: not every rig has them all. */
    if (silent && state->counters.samples > 0) {
        errors_raise(&hub->errors, NFSAR_WIRE_ERROR_SENSOR_SILENT, (uint16_t)sensor,
                     (int32_t)state->counters.silences);
    }
    if (state->counters.refusals != sensors->told_refusals[sensor]) {
        sensors->told_refusals[sensor] = state->counters.refusals;
        errors_raise(&hub->errors, NFSAR_WIRE_ERROR_SENSOR_FAULT, (uint16_t)sensor,
                     (int32_t)state->counters.refusals);
    }
    if (wire_state(sensors, sensor) != sensors->told_state[sensor] ||
        hub->now_ns - sensors->told_ns[sensor] > TELL_NS) {
        tell_state(hub, sensor);
    }
}

/* Nobody listens: what comes in is not to be lost with an error, nor to be old when somebody does.
 */
static void drain_port(const struct hub *hub, unsigned sensor) {
    const struct sensor_bus bus = bus_of(hub, sensor);
    uint8_t byte;
    uint32_t count;
    if (bus.serial == NULL) {
        return;
    }
    for (unsigned i = 0; i < SENSOR_BYTES_A_POLL; i++) {
        if (!bus.serial->read(bus.serial->context, &byte, &count)) {
            break;
        }
    }
}

void sensors_poll(struct hub *hub) {
    for (unsigned sensor = 0; sensor < SENSORS; sensor++) {
        poll_edges(hub, sensor);
        if (hub->sensors.on[sensor]) {
            poll_one(hub, sensor);
        } else {
            drain_port(hub, sensor);
        }
    }
    if (pps_stopped(&hub->pps, clock_extend(&hub->clock, board_count()))) {
        errors_raise(&hub->errors, NFSAR_WIRE_ERROR_CLOCK_LOST, 0, (int32_t)hub->pps.pulses);
    }
}
