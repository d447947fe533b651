#include "tests/rig/sensors.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include <nfsar/wire.h>

enum {
    BEAT_NS = RIG_BEAT_NS,
    FLOW_BEATS = 4, /* 50 Hz */
    SECOND_BEATS = 200,
    GNSS_LATE_BEATS = 8, /* from the measurement to its message */
    BEHIND_BEATS = 400   /* beyond these, beats are left out */
};

static const double gravity = 9.80665;

void rig_sensors_init(struct rig_sensors *sensors, const struct rig_sensor_ways *ways, bool imu,
                      bool flow, bool gnss, double plane_z, int64_t utc_s) {
    *sensors = (struct rig_sensors){.ways = *ways,
                                    .plane_z = plane_z,
                                    .utc_s = utc_s,
                                    .imu = {.fitted = imu, .content = 0x000E, .rate = 0x06},
                                    .flow = {.fitted = flow},
                                    .gnss = {.fitted = gnss, .period_ms = 1000, .nmea = true}};
}

void rig_sensors_restart(struct rig_sensors *sensors) {
    sensors->beats = 0;
}

static void send(struct rig_sensors *sensors, enum board_port port, const uint8_t *bytes,
                 size_t n) {
    sensors->ways.send(sensors->ways.context, port, bytes, n);
}

static nfsar_vec3 into_body(const nfsar_pose *pose, nfsar_vec3 v) {
    const nfsar_quaternion q = pose->orientation;
    return nfsar_quaternion_rotate(nfsar_quaternion_conjugate(q), v);
}

static int32_t limit(double value, double most) {
    return (int32_t)lround(fmin(fmax(value, -most), most));
}

/* ---- IMU ---- */

/* Rates by the register's value, in a 200th of a second's parts. */
static double imu_part(uint8_t rate) {
    static const double hertz[] = {0, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 0, 200};
    return rate < sizeof hertz / sizeof *hertz ? hertz[rate] / 200.0 : 0.0;
}

static void imu_packet(struct rig_sensors *sensors, uint8_t type, const int32_t values[4]) {
    uint8_t bytes[11], *at = bytes;
    nfsar_wire_put_u8(&at, 0x55);
    nfsar_wire_put_u8(&at, type);
    for (unsigned i = 0; i < 4; i++) {
        nfsar_wire_put_u16(&at, (uint16_t)values[i]);
    }
    uint8_t sum = 0;
    for (const uint8_t *byte = bytes; byte < at; byte++) {
        sum = (uint8_t)(sum + *byte);
    }
    nfsar_wire_put_u8(&at, sum);
    send(sensors, BOARD_PORT_IMU, bytes, sizeof bytes);
}

static void imu_beat(struct rig_sensors *sensors, const struct rig_motion *motion) {
    struct rig_imu *imu = &sensors->imu;
    imu->rest += imu_part(imu->rate);
    if (imu->rest < 1.0 - 1e-9) {
        return;
    }
    imu->rest -= 1.0;
    /* What an accelerometer feels: the acceleration, less gravity, which points down. */
    const nfsar_vec3 felt = into_body(
        &motion->pose, nfsar_vec3_add(motion->acceleration, (nfsar_vec3){0.0, gravity, 0.0}));
    const double a = 32768.0 / (16.0 * gravity), w = 32768.0 / (2000.0 * NFSAR_PI / 180.0);
    const nfsar_quaternion q = motion->pose.orientation;
    const int32_t packets[][4] = {
        {limit(felt.x * a, 32766), limit(felt.y * a, 32766), limit(felt.z * a, 32766), 2350},
        {limit(motion->rate.x * w, 32766), limit(motion->rate.y * w, 32766),
         limit(motion->rate.z * w, 32766), 2350},
        {limit(q.w * 32768, 32767), limit(q.x * 32768, 32767), limit(q.y * 32768, 32767),
         limit(q.z * 32768, 32767)}};
    static const uint8_t types[] = {0x51, 0x52, 0x59};
    static const unsigned bits[] = {1, 2, 9};
    for (unsigned i = 0; i < 3; i++) {
        if (imu->content >> bits[i] & 1U) {
            imu_packet(sensors, types[i], packets[i]);
        }
    }
}

/* FF AA register low high. */
static void imu_hear(struct rig_imu *imu, uint8_t byte) {
    static const uint8_t head[] = {0xFF, 0xAA};
    if (imu->bytes < 2 && byte != head[imu->bytes]) {
        imu->bytes = 0;
        return;
    }
    imu->command[imu->bytes++] = byte;
    if (imu->bytes < 5) {
        return;
    }
    imu->bytes = 0;
    const uint16_t value = (uint16_t)(imu->command[3] | imu->command[4] << 8);
    switch (imu->command[2]) {
    case 0x69:
        imu->unlocked = value == 0xB588;
        break;
    case 0x00:
        imu->unlocked = false;
        break;
    case 0x02:
        imu->content = imu->unlocked ? value : imu->content;
        break;
    case 0x03:
        imu->rate = imu->unlocked && value < 12 ? (uint8_t)value : imu->rate;
        break;
    default:
        break;
    }
}

/* ---- flow and range ---- */

static void msp_packet(struct rig_sensors *sensors, uint16_t function, const uint8_t *payload,
                       size_t n) {
    uint8_t bytes[32], *at = bytes;
    memcpy(at, "$X<", 3);
    at += 3;
    nfsar_wire_put_u8(&at, 0);
    nfsar_wire_put_u16(&at, function);
    nfsar_wire_put_u16(&at, (uint16_t)n);
    memcpy(at, payload, n);
    at += n;
    unsigned crc = 0; /* DVB-S2 */
    for (const uint8_t *byte = bytes + 3; byte < at; byte++) {
        crc ^= *byte;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 0x80U ? crc << 1 ^ 0xD5U : crc << 1) & 0xFFU;
        }
    }
    nfsar_wire_put_u8(&at, (uint8_t)crc);
    send(sensors, BOARD_PORT_FLOW, bytes, (size_t)(at - bytes));
}

/* Along the boresight to the plane of the scene; below 0: it looks away. */
static double range_m(const struct rig_sensors *sensors, const nfsar_pose *pose) {
    const nfsar_vec3 sight =
        nfsar_quaternion_rotate(pose->orientation, (nfsar_vec3){0.0, 0.0, 1.0});
    return sight.z > 0.1 ? (sensors->plane_z - pose->position.z) / sight.z : -1.0;
}

/* The angle by which what is ahead moves through the picture since the beat before, the way that
 * the sensor goes. */
static void flow_beat(struct rig_sensors *sensors, const struct rig_motion *motion) {
    static const double counts = 10.5 * 180.0 / NFSAR_PI; /* MSP_FLOW_COUNTS_PER_DEGREE */
    const double range = range_m(sensors, &motion->pose);
    const double seconds = FLOW_BEATS * BEAT_NS * 1e-9;
    const nfsar_vec3 v = into_body(&motion->pose, motion->velocity);
    const double far = range > 0.01 ? range : 1.0;
    const double angle[2] = {(v.x / far + motion->rate.y) * seconds,
                             (v.y / far - motion->rate.x) * seconds};
    uint8_t payload[9], *at = payload;
    const bool seen = range >= 0.01 && range <= 4.0;
    nfsar_wire_put_u8(&at, seen ? 255 : 0);
    nfsar_wire_put_i32(&at, seen ? limit(range * 1e3, 4e3) : -1);
    msp_packet(sensors, 0x1F01, payload, 5);
    at = payload;
    nfsar_wire_put_u8(&at, seen ? 120 : 0);
    for (unsigned i = 0; i < 2; i++) {
        const double whole = angle[i] * counts + sensors->flow.rest[i];
        const int32_t sent = limit(whole, 1e6);
        sensors->flow.rest[i] = whole - sent;
        nfsar_wire_put_i32(&at, sent);
    }
    msp_packet(sensors, 0x1F02, payload, 9);
}

/* ---- GNSS ---- */

static void ubx_packet(struct rig_sensors *sensors, uint8_t class, uint8_t id,
                       const uint8_t *payload, size_t n) {
    uint8_t bytes[128], *at = bytes;
    nfsar_wire_put_u8(&at, 0xB5);
    nfsar_wire_put_u8(&at, 0x62);
    nfsar_wire_put_u8(&at, class);
    nfsar_wire_put_u8(&at, id);
    nfsar_wire_put_u16(&at, (uint16_t)n);
    memcpy(at, payload, n);
    at += n;
    uint8_t a = 0, b = 0;
    for (const uint8_t *byte = bytes + 2; byte < at; byte++) {
        a = (uint8_t)(a + *byte);
        b = (uint8_t)(b + a);
    }
    nfsar_wire_put_u8(&at, a);
    nfsar_wire_put_u8(&at, b);
    send(sensors, BOARD_PORT_GNSS, bytes, (size_t)(at - bytes));
}

static void put_time(uint8_t **at, int64_t utc_s, uint32_t ms) {
    struct tm date;
    const time_t now = (time_t)utc_s;
    gmtime_r(&now, &date);
    const uint32_t of_week =
        (uint32_t)(((date.tm_wday * 24 + date.tm_hour) * 60 + date.tm_min) * 60 + date.tm_sec);
    nfsar_wire_put_u32(at, of_week * 1000 + ms);
    nfsar_wire_put_u16(at, (uint16_t)(date.tm_year + 1900));
    nfsar_wire_put_u8(at, (uint8_t)(date.tm_mon + 1));
    nfsar_wire_put_u8(at, (uint8_t)date.tm_mday);
    nfsar_wire_put_u8(at, (uint8_t)date.tm_hour);
    nfsar_wire_put_u8(at, (uint8_t)date.tm_min);
    nfsar_wire_put_u8(at, (uint8_t)date.tm_sec);
    nfsar_wire_put_u8(at, 0x07); /* date and time are valid, and resolved */
    nfsar_wire_put_u32(at, 25);
    nfsar_wire_put_i32(at, (int32_t)ms * 1000000);
}

/* 48 N, 11 E, 520 m: there is the world's origin; x points east, y up, z north. */
static void put_place(uint8_t **at, const struct rig_motion *motion) {
    static const double metres = 6378137.0 * NFSAR_PI / 180.0; /* of a degree */
    const nfsar_vec3 p = motion->pose.position, v = motion->velocity;
    nfsar_wire_put_u8(at, 3);
    nfsar_wire_put_u8(at, 0x01 | 2 << 6);
    nfsar_wire_put_u8(at, 0);
    nfsar_wire_put_u8(at, 17);
    nfsar_wire_put_i32(
        at, (int32_t)lround((11.0 + p.x / (metres * cos(48.0 * NFSAR_PI / 180.0))) * 1e7));
    nfsar_wire_put_i32(at, (int32_t)lround((48.0 + p.z / metres) * 1e7));
    nfsar_wire_put_i32(at, limit(520e3 + p.y * 1e3, 2e9));
    nfsar_wire_put_i32(at, limit(473e3 + p.y * 1e3, 2e9));
    nfsar_wire_put_u32(at, 14);
    nfsar_wire_put_u32(at, 21);
    nfsar_wire_put_i32(at, limit(v.z * 1e3, 1e6));
    nfsar_wire_put_i32(at, limit(v.x * 1e3, 1e6));
    nfsar_wire_put_i32(at, limit(-v.y * 1e3, 1e6));
}

static void gnss_beat(struct rig_sensors *sensors, uint64_t beat) {
    static const char nmea[] =
        "$GNGGA,120000.00,4800.0000,N,01100.0000,E,1,12,0.8,500.0,M,47.0,M,,*00\r\n";
    const struct rig_gnss *gnss = &sensors->gnss;
    if (beat > 0 && beat % SECOND_BEATS == 0) { /* the first needs a fix */
        sensors->ways.pulse(sensors->ways.context);
    }
    if (beat < GNSS_LATE_BEATS || gnss->period_ms < 5 ||
        (beat - GNSS_LATE_BEATS) % (gnss->period_ms / 5U) != 0) {
        return;
    }
    if (!gnss->pvt) {
        if (gnss->nmea) {
            send(sensors, BOARD_PORT_GNSS, (const uint8_t *)nmea, sizeof nmea - 1);
        }
        return;
    }
    const uint64_t measured = beat - GNSS_LATE_BEATS;
    struct rig_motion motion;
    sensors->ways.motion(sensors->ways.context, measured * BEAT_NS, &motion);
    uint8_t payload[92] = {0}, *at = payload;
    put_time(&at, sensors->utc_s + (int64_t)(measured / SECOND_BEATS),
             (uint32_t)(measured % SECOND_BEATS * 5));
    put_place(&at, &motion);
    at = payload + 68;
    nfsar_wire_put_u32(&at, 50);
    ubx_packet(sensors, 0x01, 0x07, payload, sizeof payload);
}

static uint32_t number(const uint8_t *bytes, size_t n) {
    uint32_t value = 0;
    for (size_t i = 0; i < n; i++) {
        value |= (uint32_t)bytes[i] << (8 * i);
    }
    return value;
}

/* CFG-VALSET: version, layers, two spare bytes, then keys with their values. */
static bool gnss_values(struct rig_gnss *gnss, const uint8_t *payload, size_t n) {
    static const size_t sizes[] = {0, 1, 1, 2, 4, 8, 0, 0};
    size_t at = 4;
    while (at + 4 < n) {
        const uint32_t key = number(payload + at, 4);
        const size_t size = sizes[key >> 28 & 7U];
        if (size == 0 || at + 4 + size > n) {
            return false;
        }
        const uint32_t value = number(payload + at + 4, size < 4 ? size : 4);
        if (key == 0x30210001) {
            gnss->period_ms = (uint16_t)value;
        } else if (key == 0x20910007) {
            gnss->pvt = value != 0;
        } else if (key == 0x10740002) {
            gnss->nmea = value != 0;
        }
        at += 4 + size;
    }
    return at == n;
}

static void gnss_frame(struct rig_sensors *sensors, const uint8_t *frame, size_t n) {
    uint8_t a = 0, b = 0;
    for (size_t i = 2; i < n - 2; i++) {
        a = (uint8_t)(a + frame[i]);
        b = (uint8_t)(b + a);
    }
    if (frame[n - 2] != a || frame[n - 1] != b || frame[2] != 0x06) {
        return;
    }
    const bool taken = frame[3] == 0x8A && gnss_values(&sensors->gnss, frame + 6, n - 8);
    const uint8_t of[2] = {0x06, frame[3]};
    ubx_packet(sensors, 0x05, taken ? 0x01 : 0x00, of, sizeof of);
}

static void gnss_hear(struct rig_sensors *sensors, uint8_t byte) {
    struct rig_gnss *gnss = &sensors->gnss;
    static const uint8_t head[] = {0xB5, 0x62};
    if (gnss->bytes < 2 && byte != head[gnss->bytes]) {
        gnss->bytes = 0;
        return;
    }
    gnss->command[gnss->bytes++] = byte;
    const size_t whole = gnss->bytes >= 6 ? 8U + number(gnss->command + 4, 2) : 8;
    if (whole > sizeof gnss->command) {
        gnss->bytes = 0;
    } else if (gnss->bytes >= 6 && gnss->bytes == whole) {
        gnss->bytes = 0;
        gnss_frame(sensors, gnss->command, whole);
    }
}

/* ---- all of them ---- */

void rig_sensors_hear(struct rig_sensors *sensors, enum board_port port, const uint8_t *bytes,
                      size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (port == BOARD_PORT_IMU && sensors->imu.fitted) {
            imu_hear(&sensors->imu, bytes[i]);
        } else if (port == BOARD_PORT_GNSS && sensors->gnss.fitted) {
            gnss_hear(sensors, bytes[i]);
        }
    }
}

static void beat(struct rig_sensors *sensors, uint64_t number_of) {
    struct rig_motion motion;
    sensors->ways.motion(sensors->ways.context, number_of * BEAT_NS, &motion);
    if (sensors->imu.fitted) {
        imu_beat(sensors, &motion);
    }
    if (sensors->flow.fitted && number_of % FLOW_BEATS == 0) {
        flow_beat(sensors, &motion);
    }
    if (sensors->gnss.fitted) {
        gnss_beat(sensors, number_of);
    }
}

void rig_sensors_run(struct rig_sensors *sensors, uint64_t now_ns) {
    const uint64_t due = now_ns / BEAT_NS + 1; /* the beat of time 0 is the first */
    if (due > sensors->beats + BEHIND_BEATS) {
        sensors->beats = due - BEHIND_BEATS;
    }
    while (sensors->beats < due) {
        beat(sensors, sensors->beats++);
    }
}
