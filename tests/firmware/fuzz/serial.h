/* What the fuzz targets of serial sensors share. The input is a script: a byte below 224 says that
 * so many (of 5 bits) of the bytes after it are received next, from 224 on it is time going by, and
 * an edge where its lowest bit is set. At the end comes, whatever was before, a good frame: it must
 * come out. */
#ifndef NFSAR_TESTS_FIRMWARE_FUZZ_SERIAL_H
#define NFSAR_TESTS_FIRMWARE_FUZZ_SERIAL_H

#include <math.h>
#include <stdlib.h>

#include "tests/firmware/fake_serial.h"

#include "firmware/drivers/frame.h"

/* An interesting input for the mutations of standalone.c to begin with. */
extern const uint8_t fuzz_seed[];
extern const size_t fuzz_seed_size;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void fuzz_require(bool holds) {
    if (!holds) {
        abort();
    }
}

static inline bool fuzz_all_within(const float *values, int n, float limit) {
    for (int i = 0; i < n; ++i) {
        if (!(fabsf(values[i]) <= limit)) {
            return false;
        }
    }
    return true;
}

/* What is marked as valid is within what the sensors can measure. */
static inline void fuzz_check(void *context, const struct sensor_sample *s) {
    size_t *samples = context;
    ++*samples;
    fuzz_require(s->kind < SENSOR_KINDS);
    if (s->valid & SENSOR_VALID_ACCELERATION) {
        fuzz_require(fuzz_all_within(s->of.imu.acceleration, 3, 16 * SENSOR_GRAVITY));
    }
    if (s->valid & SENSOR_VALID_RATE) {
        fuzz_require(fuzz_all_within(s->of.imu.rate, 3, 2001 * SENSOR_PER_DEGREE));
    }
    if (s->valid & SENSOR_VALID_ORIENTATION) {
        const float *q = s->of.imu.orientation;
        float square = q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3];
        fuzz_require(fabsf(square - 1) <= 0.021f);
    }
    if (s->valid & SENSOR_VALID_TEMPERATURE) {
        fuzz_require(fuzz_all_within(&s->of.imu.temperature, 1, 90));
    }
    if (s->valid & SENSOR_VALID_FLOW) {
        fuzz_require(s->of.flow.interval > 0 && s->of.flow.interval <= 0.5001f);
        fuzz_require(fuzz_all_within(s->of.flow.angle, 2, 10.001f * s->of.flow.interval));
    }
    if (s->valid & SENSOR_VALID_RANGE) {
        fuzz_require(s->of.range.range >= 0.0099f && s->of.range.range <= 4.001f);
    }
    if (s->valid & SENSOR_VALID_POSITION) {
        fuzz_require(s->of.gnss.latitude <= 900000000 && s->of.gnss.latitude >= -900000000);
        fuzz_require(s->of.gnss.longitude <= 1800000000 && s->of.gnss.longitude >= -1800000000);
    }
    if (s->valid & SENSOR_VALID_VELOCITY) {
        fuzz_require(fuzz_all_within(s->of.gnss.velocity, 3, 515));
    }
    if (s->kind == SENSOR_PULSE) {
        fuzz_require(s->of.pulse.utc_ns % 1000000000 == 0);
    }
}

static inline void fuzz_serial(const struct sensor_driver *driver, struct sensor *sensor,
                               size_t state_size, const uint8_t *good, size_t good_size,
                               const uint8_t *data, size_t size) {
    static struct fake fake;
    fake.head = fake.tail = 0;
    fake.n_sent = 0;
    fake.takes = SIZE_MAX;
    fake.now_ns = 1000000000;
    fake.port = (struct serial_port){fake_read, fake_write, fake_set_rate, fake_lost, &fake};
    fake.bus = (struct sensor_bus){.serial = &fake.port, .count_hz = FAKE_HZ};
    size_t samples = 0;
    fake.sink = (struct sensor_sink){fuzz_check, &samples};

    sensor_start(driver, sensor, state_size, &fake.bus, fake.now_ns);
    for (size_t i = 0; i < size;) {
        uint8_t op = data[i++];
        size_t n = op & 31;
        if (op >= 224) {
            fake.now_ns += (1000000ull << (n >> 1)) + data[i % size] * 4099u;
            if (n & 1) {
                sensor_edge(driver, sensor, fake_count(&fake));
            }
        } else {
            n = n < size - i ? n : size - i;
            fake_feed(&fake, data + i, n);
            i += n;
            fake.now_ns += 1000000;
        }
        fake_poll(driver, sensor, &fake);
        fuzz_require(sensor->state <= SENSOR_SILENT);
    }
    /* What the input began ends within zeros. */
    static const uint8_t zeros[FRAME_MAX];
    fake_feed(&fake, zeros, sizeof zeros);
    fake.now_ns += 1000000;
    fake_poll(driver, sensor, &fake);
    samples = 0;
    fake_feed(&fake, good, good_size);
    fake_poll(driver, sensor, &fake);
    fuzz_require(samples >= 1);
}

#endif
