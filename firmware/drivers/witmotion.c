#include "firmware/drivers/witmotion.h"

#include <math.h>
#include <string.h>

enum {
    PACKET = 11,
    HEAD = 0x55,
    TYPE_ACCELERATION = 0x51,
    TYPE_RATE = 0x52,
    TYPE_QUATERNION = 0x59,
    TYPE_FIRST = 0x50, /* time */
    TYPE_LAST = 0x5F,  /* answer to the reading of a register */

    HAVE_ACCELERATION = 1,
    HAVE_RATE = 2,
    HAVE_QUATERNION = 4,
    HAVE_ALL = 7,

    PERIOD_US = 5000,
    SATURATED = 32767
};

/* Registers and values, section "Register" of the protocol. A write is FF AA register low high. */
enum {
    REGISTER_SAVE = 0x00,
    REGISTER_CONTENT = 0x02,
    REGISTER_RATE = 0x03,
    REGISTER_BAUD = 0x04,
    REGISTER_KEY = 0x69,

    SAVE = 0x0000,
    REBOOT = 0x00FF,
    CONTENT = 1 << 1 | 1 << 2 | 1 << 9, /* acceleration, rate, quaternion */
    RATE_200_HZ = 0x0B,
    BAUD_230400 = 0x07,
    KEY = 0xB588 /* unlocks writing for 10 s */
};

static struct witmotion *of(struct sensor *sensor) {
    return (struct witmotion *)(void *)sensor;
}

static void reset(struct sensor *sensor) {
    struct witmotion *wit = of(sensor);
    frame_reset(&wit->frame);
    wit->have = 0;
}

static int inspect(const uint8_t *bytes, size_t n) {
    if (bytes[0] != HEAD || (n > 1 && (bytes[1] < TYPE_FIRST || bytes[1] > TYPE_LAST))) {
        return FRAME_FALSE;
    }
    if (n < PACKET) {
        return PACKET;
    }
    uint8_t sum = 0;
    for (int i = 0; i < PACKET - 1; ++i) {
        sum = (uint8_t)(sum + bytes[i]);
    }
    return sum == bytes[PACKET - 1] ? PACKET : FRAME_CORRUPT;
}

/* Three numbers of full scale 2^15; false where one is at the end of the scale. */
static bool vector(const uint8_t *data, float scale, float to[3]) {
    bool inside = true;
    for (int i = 0; i < 3; ++i) {
        int raw = frame_i16(data + 2 * i);
        inside = inside && raw > -SATURATED && raw < SATURATED;
        to[i] = (float)raw * scale;
    }
    return inside;
}

static void begin(struct witmotion *wit, const uint8_t *data) {
    struct sensor_sample *sample = &wit->sample;
    memset(sample, 0, sizeof *sample);
    sample->kind = SENSOR_IMU;
    sample->count = sensor_byte_start(&wit->sensor, wit->frame.counts[0]);
    sample->valid = SENSOR_VALID_ACCELERATION | SENSOR_VALID_TEMPERATURE;
    wit->have = HAVE_ACCELERATION;

    bool inside = vector(data, 16 * SENSOR_GRAVITY / 32768, sample->of.imu.acceleration);
    /* Noise and gravity never make three zeros: a module whose sensor is dead sends them. */
    bool dead = frame_u16(data) == 0 && frame_u16(data + 2) == 0 && frame_u16(data + 4) == 0;
    if (!inside || dead) {
        sensor_reject(&wit->sensor, sample, SENSOR_VALID_ACCELERATION);
    }
    int hundredths = frame_i16(data + 6);
    sample->of.imu.temperature = (float)hundredths * 0.01f;
    if (hundredths < -4000 || hundredths > 8500) { /* what the modules are specified for */
        sensor_reject(&wit->sensor, sample, SENSOR_VALID_TEMPERATURE);
    }
}

static void add_rate(struct witmotion *wit, const uint8_t *data) {
    wit->have |= HAVE_RATE;
    wit->sample.valid |= SENSOR_VALID_RATE;
    if (!vector(data, 2000 * SENSOR_PER_DEGREE / 32768, wit->sample.of.imu.rate)) {
        sensor_reject(&wit->sensor, &wit->sample, SENSOR_VALID_RATE);
    }
}

static void add_quaternion(struct witmotion *wit, const uint8_t *data) {
    wit->have |= HAVE_QUATERNION;
    wit->sample.valid |= SENSOR_VALID_ORIENTATION;
    float square = 0;
    for (int i = 0; i < 4; ++i) {
        float q = (float)frame_i16(data + 2 * i) / 32768;
        wit->sample.of.imu.orientation[i] = q;
        square += q * q;
    }
    if (fabsf(square - 1) > 0.02f) { /* the norm to 1 % */
        sensor_reject(&wit->sensor, &wit->sample, SENSOR_VALID_ORIENTATION);
    }
}

static void emit(struct witmotion *wit, const struct sensor_sink *sink) {
    if ((wit->have & (HAVE_ACCELERATION | HAVE_RATE)) == (HAVE_ACCELERATION | HAVE_RATE)) {
        sensor_alive(&wit->sensor);
        sensor_emit(&wit->sensor, &wit->sample, sink);
    }
    wit->have = 0;
}

static void take(struct witmotion *wit, const struct sensor_sink *sink) {
    uint8_t type = wit->frame.bytes[1];
    const uint8_t *data = wit->frame.bytes + 2;
    if (type == TYPE_ACCELERATION) {
        emit(wit, sink); /* the one before, of a module that sends no quaternion */
        begin(wit, data);
        return;
    }
    if (!(wit->have & HAVE_ACCELERATION)) {
        return;
    }
    /* Packets of the instant come within its period; later ones are of another whose 0x51 is lost.
     */
    uint32_t age = wit->frame.counts[0] - wit->sample.count;
    if (age > sensor_counts(&wit->sensor, PERIOD_US)) {
        ++wit->sensor.counters.resynchronisations;
        wit->have = 0;
        return;
    }
    if (type == TYPE_RATE) {
        add_rate(wit, data);
    } else if (type == TYPE_QUATERNION) {
        add_quaternion(wit, data);
    }
    if (wit->have == HAVE_ALL) {
        emit(wit, sink);
    }
}

static void receive(struct sensor *sensor, uint8_t byte, uint32_t count,
                    const struct sensor_sink *sink) {
    struct witmotion *wit = of(sensor);
    frame_push(&wit->frame, byte, count);
    size_t n;
    while ((n = frame_next(&wit->frame, inspect, &sensor->counters)) > 0) {
        take(wit, sink);
        frame_drop(&wit->frame, n);
    }
}

/* Told at each rate that a module may be at: some take a new rate at once, some when they start
 * again, so the settings are saved and the module started at the old rate, and all but the rate are
 * said again at the new one. The flash of the module is written only on the way from another
 * setting. */
static const struct {
    uint8_t at, value_low, value_high, wait_ms;
} script[] = {
    {REGISTER_KEY, KEY & 255, KEY >> 8, 60},
    {REGISTER_RATE, RATE_200_HZ, 0, 60},
    {REGISTER_CONTENT, CONTENT & 255, CONTENT >> 8, 60},
    {REGISTER_BAUD, BAUD_230400, 0, 60},
    {REGISTER_SAVE, SAVE, 0, 150},
    {REGISTER_SAVE, REBOOT, 0, 150},
    /* at the new rate from here */
    {REGISTER_KEY, KEY & 255, KEY >> 8, 60},
    {REGISTER_RATE, RATE_200_HZ, 0, 60},
    {REGISTER_CONTENT, CONTENT & 255, CONTENT >> 8, 60},
    {REGISTER_SAVE, SAVE, 0, 150},
};

static const uint32_t rates[] = {230400, 9600, 115200};

enum {
    SCRIPT = sizeof script / sizeof *script,
    SCRIPT_NEW_RATE = 6,
    RATES = sizeof rates / sizeof *rates,
    LISTEN_US = 1500000 /* a module starts within a second */
};

static enum sensor_step configure(struct sensor *sensor, const struct sensor_bus *bus,
                                  uint32_t *wait_us) {
    unsigned which = sensor->step / (SCRIPT + 1);
    unsigned line = sensor->step % (SCRIPT + 1);
    ++sensor->step;
    if (which >= RATES) {
        return SENSOR_STEP_FAILED;
    }
    if (line == SCRIPT) {
        *wait_us = LISTEN_US;
        return SENSOR_STEP_LISTEN;
    }
    if (line == 0) {
        sensor_set_rate(&witmotion_driver, sensor, bus, rates[which]);
    } else if (line == SCRIPT_NEW_RATE) {
        sensor_set_rate(&witmotion_driver, sensor, bus, witmotion_driver.rate);
    }
    const uint8_t command[] = {0xFF, 0xAA, script[line].at, script[line].value_low,
                               script[line].value_high};
    *wait_us = script[line].wait_ms * 1000u;
    return sensor_send(sensor, bus, command, sizeof command) ? SENSOR_STEP_WAIT
                                                             : SENSOR_STEP_FAILED;
}

const struct sensor_driver witmotion_driver = {
    .name = "witmotion",
    .rate = 230400,
    .period_us = PERIOD_US,
    .silent_us = 250000,
    .listen_us = 300000,
    .pause_us = 1500000,
    .reset = reset,
    .configure = configure,
    .receive = receive,
};
