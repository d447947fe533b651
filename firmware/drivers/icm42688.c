#include "firmware/drivers/icm42688.h"

/* Registers, section 14 ff. of the data sheet: bank in the high byte. */
enum {
    DEVICE_CONFIG = 0x011,
    INT_CONFIG = 0x014,
    FIFO_CONFIG = 0x016,
    INT_STATUS = 0x02D, /* FIFO_COUNTH and FIFO_COUNTL follow */
    FIFO_DATA = 0x030,
    SIGNAL_PATH_RESET = 0x04B,
    INTF_CONFIG0 = 0x04C,
    PWR_MGMT0 = 0x04E,
    GYRO_CONFIG0 = 0x04F,
    ACCEL_CONFIG0 = 0x050,
    TMST_CONFIG = 0x054,
    FIFO_CONFIG1 = 0x05F,
    FIFO_CONFIG2 = 0x060,
    FIFO_CONFIG3 = 0x061,
    INT_CONFIG1 = 0x064,
    INT_SOURCE0 = 0x065,
    FIFO_LOST_PKT0 = 0x06C,
    WHO_AM_I = 0x075,
    BANK_SEL = 0x076, /* in all banks */
    GYRO_CONFIG_STATIC3 = 0x10C,
    GYRO_CONFIG_STATIC4 = 0x10D,
    GYRO_CONFIG_STATIC5 = 0x10E,
    ACCEL_CONFIG_STATIC2 = 0x203,
    ACCEL_CONFIG_STATIC3 = 0x204,
    ACCEL_CONFIG_STATIC4 = 0x205
};

enum {
    READ = 0x80,
    ICM_42688_P = 0x47,
    SOFT_RESET = 0x01,
    FIFO_FLUSH = 0x02,
    FIFO_FULL = 0x02,
    FIFO_STREAM = 0x40,
    FIFO_BYTES = 2048 + 32, /* no more can be counted */

    /* Header of the FIFO's packet 4 (section 6.2): acceleration, rate, 20 bits, ODR time stamp; the
     * last two bits say that a rate changed. */
    HEADER = 0x78,
    HEADER_MASK = 0xFC,

    PERIOD_US = 1000,
    /* A tick is 1 us, or 32/30 us where the sensor runs from its own oscillator: section 12.7. */
    TICKS_MIN = 850,
    TICKS_MAX = 1150,
    ODD_EDGES = 4, /* ... and it is not the edges that are wrong */

    /* What 20 bits can say (section 12.8): below are the marks of samples that are none, and the
     * ends themselves are saturation. */
    LOWEST = -524256,
    HIGHEST = 524284
};

/* Written in this order. Read back afterwards. */
static const struct {
    uint16_t at;
    uint8_t value;
} settings[] = {
    {INTF_CONFIG0, 0x33},  /* big-endian, FIFO counted in bytes, no I2C */
    {INT_CONFIG, 0x03},    /* INT1: pulse, push-pull, active high */
    {INT_CONFIG1, 0x00},   /* 100 us; INT_ASYNC_RESET must be cleared (section 14.50) */
    {INT_SOURCE0, 0x04},   /* INT1: watermark */
    {GYRO_CONFIG0, 0x06},  /* 2000 degrees/s, 1 kHz */
    {ACCEL_CONFIG0, 0x06}, /* 16 g, 1 kHz */
    {TMST_CONFIG, 0x21},   /* time stamps, absolute, not of FSYNC */
    /* Anti-alias filters at 258 Hz (section 5.3): delt 6, delt^2 36, shift 10. */
    {GYRO_CONFIG_STATIC3, 6},
    {GYRO_CONFIG_STATIC4, 36},
    {GYRO_CONFIG_STATIC5, 10 << 4},
    {ACCEL_CONFIG_STATIC2, 6 << 1},
    {ACCEL_CONFIG_STATIC3, 36},
    {ACCEL_CONFIG_STATIC4, 10 << 4},
    /* 20 bits, temperature, rate, acceleration; can be read in parts (section 14.45) */
    {FIFO_CONFIG1, 0x57},
    {FIFO_CONFIG2, ICM42688_WATERMARK *ICM42688_PACKET},
    {FIFO_CONFIG3, 0},
    {FIFO_CONFIG, FIFO_STREAM},
    {PWR_MGMT0, 0x0F}, /* both low-noise */
};

static struct icm42688 *of(struct sensor *sensor) {
    return (struct icm42688 *)(void *)sensor;
}

static bool transfer(struct icm42688 *icm, const struct sensor_bus *bus, const uint8_t *out,
                     uint8_t *in, size_t n) {
    if (bus->spi != NULL && bus->spi->transfer(bus->spi->context, out, in, n)) {
        return true;
    }
    ++icm->sensor.counters.bus_errors;
    return false;
}

static bool write_register(struct icm42688 *icm, const struct sensor_bus *bus, unsigned at,
                           uint8_t value) {
    const uint8_t select[] = {BANK_SEL, (uint8_t)(at >> 8)};
    const uint8_t out[] = {at & 0xFF, value};
    const uint8_t back[] = {BANK_SEL, 0};
    if (at < 0x100) { /* the bank that is always selected between calls */
        return transfer(icm, bus, out, NULL, sizeof out);
    }
    return transfer(icm, bus, select, NULL, sizeof select) &&
           transfer(icm, bus, out, NULL, sizeof out) && transfer(icm, bus, back, NULL, sizeof back);
}

/* n registers from `at` on (of bank 0), three at most, to in[1 ... n]. */
static bool read_registers(struct icm42688 *icm, const struct sensor_bus *bus, unsigned at,
                           uint8_t *in, size_t n) {
    const uint8_t out[4] = {(uint8_t)(at | READ)};
    return transfer(icm, bus, out, in, n + 1);
}

static bool read_back(struct icm42688 *icm, const struct sensor_bus *bus, unsigned at,
                      uint8_t value) {
    const uint8_t select[] = {BANK_SEL, (uint8_t)(at >> 8)};
    const uint8_t back[] = {BANK_SEL, 0};
    uint8_t in[2] = {0};
    return transfer(icm, bus, select, NULL, sizeof select) &&
           read_registers(icm, bus, at & 0xFF, in, 1) &&
           transfer(icm, bus, back, NULL, sizeof back) && in[1] == value;
}

static bool is_there(struct icm42688 *icm, const struct sensor_bus *bus) {
    uint8_t in[2] = {0};
    return read_registers(icm, bus, WHO_AM_I, in, 1) && in[1] == ICM_42688_P;
}

/* 0 and 0xFF are what a bus without a device reads. */
static bool is_another(struct icm42688 *icm, const struct sensor_bus *bus) {
    uint8_t in[2] = {0};
    return read_registers(icm, bus, WHO_AM_I, in, 1) && in[1] != ICM_42688_P && in[1] != 0 &&
           in[1] != 0xFF;
}

static void forget(struct icm42688 *icm) {
    icm->edge_waits = false;
    icm->anchored = false;
    icm->wants_empty = false;
    icm->odd_edges = 0;
    icm->has_ticks = false;
    icm->index = 0;
}

static void reset(struct sensor *sensor) {
    struct icm42688 *icm = of(sensor);
    forget(icm);
    icm->wants_empty = true;
    icm->has_edge = false;
    icm->period = sensor_counts(sensor, PERIOD_US) << 8;
}

/* Empties the FIFO: what comes next begins at the next edge. */
static bool begin_again(struct icm42688 *icm, const struct sensor_bus *bus, uint32_t now_count) {
    forget(icm);
    icm->read_count = now_count;
    return write_register(icm, bus, SIGNAL_PATH_RESET, FIFO_FLUSH);
}

static uint32_t stamp(const struct icm42688 *icm, uint32_t index) {
    int32_t samples = (int32_t)(index - icm->anchor);
    return icm->anchor_count + (uint32_t)((int64_t)samples * icm->period >> 8);
}

static void set_anchor(struct icm42688 *icm, uint32_t index, uint32_t count) {
    icm->anchored = true;
    icm->anchor = index;
    icm->anchor_count = count;
}

static void edge(struct sensor *sensor, uint32_t count) {
    struct icm42688 *icm = of(sensor);
    uint32_t nominal = sensor_counts(sensor, PERIOD_US) << 8;
    icm->edge_waits = true;
    if (!icm->anchored) {
        /* The first after the FIFO was emptied: of the sample that reached the mark. */
        icm->has_edge = true;
        set_anchor(icm, ICM42688_WATERMARK - 1, count);
        return;
    }
    if (!icm->has_edge) { /* stamps are from reading so far: too coarse to tell which sample it is
                           */
        icm->has_edge = true;
        icm->wants_empty = true;
        return;
    }
    uint32_t since = count - icm->anchor_count;
    uint32_t samples = (uint32_t)((((uint64_t)since << 8) + icm->period / 2) / icm->period);
    uint32_t index = icm->anchor + samples;
    int32_t error = (int32_t)(count - stamp(icm, index));
    uint32_t tolerance = icm->period >> 10; /* a quarter of a period, in counts */
    if (samples == 0 || (uint32_t)(error < 0 ? -error : error) > tolerance) {
        ++sensor->counters.range_failures; /* a spike on the wire */
        icm->wants_empty = ++icm->odd_edges >= ODD_EDGES;
        return;
    }
    icm->odd_edges = 0;
    uint32_t measured = (uint32_t)(((uint64_t)since << 8) / samples);
    if (measured > nominal - nominal / 50 && measured < nominal + nominal / 50) {
        icm->period += (uint32_t)(((int32_t)measured - (int32_t)icm->period) / 8);
    }
    set_anchor(icm, index, count);
}

/* `waiting` samples are in the FIFO now, the last of them on average half a period old. */
static void anchor_by_reading(struct icm42688 *icm, uint32_t waiting, uint32_t now_count) {
    uint32_t newest = icm->index + waiting - 1;
    uint32_t count = now_count - (icm->period >> 9);
    if (!icm->anchored) {
        set_anchor(icm, newest, count);
    } else {
        int32_t error = (int32_t)(count - stamp(icm, newest));
        set_anchor(icm, newest, stamp(icm, newest) + (uint32_t)(error / 16));
    }
}

static int32_t twenty_bits(const uint8_t *high, unsigned low) {
    uint32_t value = (uint32_t)high[0] << 12 | (uint32_t)high[1] << 4 | low;
    return (int32_t)(value << 12) >> 12;
}

static void decode(struct icm42688 *icm, const uint8_t *packet, struct sensor_sample *sample) {
    struct sensor_imu *imu = &sample->of.imu;
    bool acceleration_good = true;
    bool rate_good = true;
    for (int i = 0; i < 3; ++i) {
        int32_t a = twenty_bits(packet + 1 + 2 * i, packet[17 + i] >> 4);
        int32_t w = twenty_bits(packet + 7 + 2 * i, packet[17 + i] & 15);
        acceleration_good = acceleration_good && a > LOWEST && a < HIGHEST;
        rate_good = rate_good && w > LOWEST && w < HIGHEST;
        /* The lowest 2 bits of acceleration and the lowest of rate are always 0. */
        imu->acceleration[i] = (float)a * (SENSOR_GRAVITY / (4 * 8192));
        imu->rate[i] = (float)w * (SENSOR_PER_DEGREE / (2 * 131));
    }
    int16_t temperature = (int16_t)(packet[13] << 8 | packet[14]);
    imu->temperature = (float)temperature / 132.48f + 25;

    sample->kind = SENSOR_IMU;
    sample->valid = SENSOR_VALID_ACCELERATION | SENSOR_VALID_RATE | SENSOR_VALID_TEMPERATURE;
    if (!acceleration_good) {
        sensor_reject(&icm->sensor, sample, SENSOR_VALID_ACCELERATION);
    }
    if (!rate_good) {
        sensor_reject(&icm->sensor, sample, SENSOR_VALID_RATE);
    }
    if (imu->temperature < -45 || imu->temperature > 90) { /* specified: -40 ... 85 */
        sensor_reject(&icm->sensor, sample, SENSOR_VALID_TEMPERATURE);
    }
}

/* False where it is no packet or samples are missing before it. */
static bool follows(struct icm42688 *icm, const uint8_t *packet) {
    if ((packet[0] & HEADER_MASK) != HEADER) {
        ++icm->sensor.counters.checksum_errors;
        return false;
    }
    uint16_t ticks = (uint16_t)(packet[15] << 8 | packet[16]);
    uint16_t since = (uint16_t)(ticks - icm->ticks);
    bool next = !icm->has_ticks || (since >= TICKS_MIN && since <= TICKS_MAX);
    icm->has_ticks = true;
    icm->ticks = ticks;
    return next;
}

static bool read_fifo(struct icm42688 *icm, const struct sensor_bus *bus, uint32_t n,
                      uint32_t now_count, const struct sensor_sink *sink) {
    uint8_t in[1 + ICM42688_BURST * ICM42688_PACKET];
    static const uint8_t out[sizeof in] = {FIFO_DATA | READ};
    if (!transfer(icm, bus, out, in, 1 + n * ICM42688_PACKET)) {
        return false;
    }
    icm->sensor.counters.bytes += n * ICM42688_PACKET;
    for (uint32_t i = 0; i < n; ++i) {
        const uint8_t *packet = in + 1 + i * ICM42688_PACKET;
        if (!follows(icm, packet)) {
            ++icm->sensor.counters.resynchronisations;
            icm->sensor.counters.lost_samples += n - i;
            return begin_again(icm, bus, now_count);
        }
        struct sensor_sample sample = {.count = stamp(icm, icm->index)};
        ++icm->index;
        decode(icm, packet, &sample);
        sensor_alive(&icm->sensor);
        sensor_emit(&icm->sensor, &sample, sink);
    }
    return true;
}

static bool overflowed(struct icm42688 *icm, const struct sensor_bus *bus, uint32_t now_count) {
    uint8_t lost[3] = {0};
    if (!read_registers(icm, bus, FIFO_LOST_PKT0, lost, 2)) {
        return false;
    }
    uint32_t n = lost[1] | (uint32_t)lost[2] << 8;
    icm->sensor.counters.lost_samples += n > 0 ? n : 1;
    return is_there(icm, bus) && begin_again(icm, bus, now_count);
}

/* Whether the FIFO holds as many samples as must have come since the edge: not where an edge of
 * before its emptying was handed over after it, or samples vanished. */
static bool edge_fits(const struct icm42688 *icm, uint32_t waiting, uint32_t now_count) {
    uint32_t since = now_count - icm->anchor_count;
    uint32_t expected = icm->anchor + 1 + (uint32_t)(((uint64_t)since << 8) / icm->period);
    int32_t difference = (int32_t)(icm->index + waiting - expected);
    bool holds_anchor = (int32_t)(icm->index + waiting - icm->anchor) > 0;
    return holds_anchor && difference >= -1 && difference <= 2;
}

static bool fetch(struct sensor *sensor, const struct sensor_bus *bus, uint32_t now_count,
                  const struct sensor_sink *sink) {
    struct icm42688 *icm = of(sensor);
    if (icm->wants_empty) {
        return begin_again(icm, bus, now_count);
    }
    uint32_t patience = (icm->period >> 8) * 2 * ICM42688_WATERMARK;
    bool overdue = now_count - icm->read_count > patience;
    if (!icm->edge_waits && !overdue) {
        return true;
    }
    uint8_t in[4] = {0};
    if (!read_registers(icm, bus, INT_STATUS, in, 3)) {
        return false;
    }
    uint32_t bytes = (uint32_t)in[2] << 8 | in[3];
    if (bytes > FIFO_BYTES) {
        ++sensor->counters.checksum_errors;
        return is_there(icm, bus) && begin_again(icm, bus, now_count);
    }
    if (in[1] & FIFO_FULL) {
        return overflowed(icm, bus, now_count);
    }
    uint32_t waiting = bytes / ICM42688_PACKET;
    if (waiting == 0) {
        icm->edge_waits = false;
        icm->read_count = now_count;
        return is_there(icm, bus); /* nothing where something must be */
    }
    if (!icm->edge_waits) {
        icm->has_edge = false;
        anchor_by_reading(icm, waiting, now_count);
    } else if (!edge_fits(icm, waiting, now_count)) {
        ++sensor->counters.resynchronisations;
        sensor->counters.lost_samples += waiting;
        return begin_again(icm, bus, now_count);
    }
    uint32_t n = waiting < ICM42688_BURST ? waiting : ICM42688_BURST;
    if (n == waiting) { /* otherwise goes on at the next poll */
        icm->edge_waits = false;
        icm->read_count = now_count;
    }
    return read_fifo(icm, bus, n, now_count, sink);
}

static bool write_settings(struct icm42688 *icm, const struct sensor_bus *bus) {
    for (size_t i = 0; i < sizeof settings / sizeof *settings; ++i) {
        if (!write_register(icm, bus, settings[i].at, settings[i].value)) {
            return false;
        }
    }
    return true;
}

static bool settings_are_there(struct icm42688 *icm, const struct sensor_bus *bus) {
    for (size_t i = 0; i < sizeof settings / sizeof *settings; ++i) {
        if (!read_back(icm, bus, settings[i].at, settings[i].value)) {
            return false;
        }
    }
    return true;
}

static enum sensor_step configure(struct sensor *sensor, const struct sensor_bus *bus,
                                  uint32_t *wait_us) {
    struct icm42688 *icm = of(sensor);
    bool done;
    switch (sensor->step++) {
    case 0: /* the bank may be any */
        done = write_register(icm, bus, BANK_SEL, 0) &&
               write_register(icm, bus, DEVICE_CONFIG, SOFT_RESET);
        *wait_us = 2000; /* 1 ms: section 14.1 */
        break;
    case 1:
        done = is_there(icm, bus) && write_settings(icm, bus);
        if (!done && is_another(icm, bus)) {
            sensor_answers_wrongly(sensor);
        }
        *wait_us = 50000; /* the gyroscope starts within 45 ms: section 14.36 */
        break;
    case 2:
        done = settings_are_there(icm, bus);
        if (!done && is_there(icm, bus)) {
            sensor_answers_wrongly(sensor);
        }
        reset(sensor);
        *wait_us = 100000;
        return done ? SENSOR_STEP_LISTEN : SENSOR_STEP_FAILED;
    default:
        return SENSOR_STEP_FAILED;
    }
    return done ? SENSOR_STEP_WAIT : SENSOR_STEP_FAILED;
}

const struct sensor_driver icm42688_driver = {
    .name = "icm42688",
    .period_us = PERIOD_US,
    .silent_us = 50000,
    .pause_us = 20000,
    .reset = reset,
    .configure = configure,
    .fetch = fetch,
    .edge = edge,
};
