#include "firmware/drivers/msp_flow.h"

#include <math.h>

enum {
    HEADER = 8,
    PAYLOAD_MAX = FRAME_MAX - HEADER - 1,
    FUNCTION_RANGE = 0x1F01,
    FUNCTION_FLOW = 0x1F02,
    RANGE_PAYLOAD = 5,
    FLOW_PAYLOAD = 9,

    /* VL53L0X: what a target can be at, with room for the module's own offset. */
    RANGE_MIN_MM = 10,
    RANGE_MAX_MM = 4000,
    QUALITY_MIN = 25,         /* of 255: INAV does not use flow of 10 % or less */
    INTERVAL_MAX_US = 500000, /* angles over a longer gap are of packets that were lost too */
    INTERVAL_MIN_US = 1000
};

/* PMW3901: 7.4 rad/s (data sheet, "Max speed"), and what a lens may add. */
static const float max_rate = 10.0f;

static struct msp_flow *of(struct sensor *sensor) {
    return (struct msp_flow *)(void *)sensor;
}

static void reset(struct sensor *sensor) {
    struct msp_flow *flow = of(sensor);
    frame_reset(&flow->frame);
    flow->has_before = false;
}

static uint8_t crc8_dvb_s2(const uint8_t *bytes, size_t n) {
    unsigned crc = 0;
    for (size_t i = 0; i < n; ++i) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; ++bit) {
            crc = crc & 0x80 ? crc << 1 ^ 0xD5 : crc << 1;
        }
        crc &= 0xFF;
    }
    return (uint8_t)crc;
}

static int inspect(const uint8_t *bytes, size_t n) {
    static const uint8_t head[] = {'$', 'X', '<'};
    for (size_t i = 0; i < sizeof head && i < n; ++i) {
        if (bytes[i] != head[i]) {
            return FRAME_FALSE;
        }
    }
    if (n < HEADER) {
        return HEADER + 1;
    }
    size_t payload = frame_u16(bytes + 6);
    if (payload > PAYLOAD_MAX) {
        return FRAME_FALSE;
    }
    size_t length = HEADER + payload + 1;
    if (n < length) {
        return (int)length;
    }
    return crc8_dvb_s2(bytes + 3, HEADER - 3 + payload) == bytes[length - 1] ? (int)length
                                                                             : FRAME_CORRUPT;
}

static void take_range(struct msp_flow *flow, const uint8_t *payload, struct sensor_sample *sample,
                       const struct sensor_sink *sink) {
    int32_t mm = frame_i32(payload + 1);
    sample->kind = SENSOR_RANGE;
    sample->of.range.quality = payload[0];
    sample->of.range.range = (float)mm * 0.001f;
    if (mm >= 0) { /* below: nothing in range, which is no failure */
        sample->valid = SENSOR_VALID_RANGE;
        if (mm < RANGE_MIN_MM || mm > RANGE_MAX_MM) {
            sensor_reject(&flow->sensor, sample, SENSOR_VALID_RANGE);
        } else if (payload[0] < QUALITY_MIN) {
            sample->valid = 0;
        }
    }
    sensor_emit(&flow->sensor, sample, sink);
}

static void take_flow(struct msp_flow *flow, const uint8_t *payload, struct sensor_sample *sample,
                      const struct sensor_sink *sink) {
    struct sensor_flow *to = &sample->of.flow;
    uint32_t counts = sample->count - flow->before;
    bool follows = flow->has_before && counts >= sensor_counts(&flow->sensor, INTERVAL_MIN_US) &&
                   counts <= sensor_counts(&flow->sensor, INTERVAL_MAX_US);
    flow->before = sample->count;
    flow->has_before = true;

    sample->kind = SENSOR_FLOW;
    to->quality = payload[0];
    to->interval = follows ? (float)counts / (float)flow->sensor.count_hz : 0;
    sample->valid = follows && to->quality >= QUALITY_MIN ? SENSOR_VALID_FLOW : 0;
    bool possible = true;
    for (int i = 0; i < 2; ++i) {
        to->angle[i] = (float)frame_i32(payload + 1 + 4 * i) *
                       (SENSOR_PER_DEGREE / MSP_FLOW_COUNTS_PER_DEGREE);
        possible = possible && fabsf(to->angle[i]) <= max_rate * to->interval;
    }
    if (follows && !possible) {
        sensor_reject(&flow->sensor, sample, SENSOR_VALID_FLOW);
    }
    sensor_emit(&flow->sensor, sample, sink);
}

static void take(struct msp_flow *flow, const struct sensor_sink *sink) {
    const uint8_t *bytes = flow->frame.bytes;
    unsigned function = frame_u16(bytes + 4);
    unsigned size = frame_u16(bytes + 6);
    struct sensor_sample sample = {.count =
                                       sensor_byte_start(&flow->sensor, flow->frame.counts[0])};
    if (function == FUNCTION_RANGE && size == RANGE_PAYLOAD) {
        sensor_alive(&flow->sensor);
        take_range(flow, bytes + HEADER, &sample, sink);
    } else if (function == FUNCTION_FLOW && size == FLOW_PAYLOAD) {
        sensor_alive(&flow->sensor);
        take_flow(flow, bytes + HEADER, &sample, sink);
    }
}

static void receive(struct sensor *sensor, uint8_t byte, uint32_t count,
                    const struct sensor_sink *sink) {
    struct msp_flow *flow = of(sensor);
    frame_push(&flow->frame, byte, count);
    size_t n;
    while ((n = frame_next(&flow->frame, inspect, &sensor->counters)) > 0) {
        take(flow, sink);
        frame_drop(&flow->frame, n);
    }
}

const struct sensor_driver msp_flow_driver = {
    .name = "msp_flow",
    .rate = 115200,
    .period_us = 20000,
    .silent_us = 500000,
    .listen_us = 1000000,
    .pause_us = 500000,
    .reset = reset,
    .receive = receive,
};
