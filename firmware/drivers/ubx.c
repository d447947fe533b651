#include "firmware/drivers/ubx.h"

enum {
    HEADER = 6,
    PAYLOAD_MAX = FRAME_MAX - HEADER - 2,

    CLASS_NAV = 0x01,
    CLASS_ACK = 0x05,
    NAV_PVT = 0x07,
    NAV_PVT_SIZE = 92,
    ACK_ACK = 0x01,
    ACK_NAK = 0x00,
    ACK_SIZE = 2,
    CLASS_CFG = 0x06,

    VALID_DATE = 1,
    VALID_TIME = 2,
    VALID_RESOLVED = 4, /* the seconds too */
    FLAG_FIX_OK = 1,
    FIX_2D = 2,
    FIX_3D_AND_RECKONING = 4,
    FIX_LAST = 5
};

static const int64_t ns_per_s = 1000000000;

static struct ubx *of(struct sensor *sensor) {
    return (struct ubx *)(void *)sensor;
}

static void reset(struct sensor *sensor) {
    frame_reset(&of(sensor)->frame);
}

static int inspect(const uint8_t *bytes, size_t n) {
    if (bytes[0] != 0xB5 || (n > 1 && bytes[1] != 0x62)) {
        return FRAME_FALSE;
    }
    if (n < HEADER) {
        return HEADER + 2;
    }
    size_t payload = frame_u16(bytes + 4);
    if (payload > PAYLOAD_MAX) {
        return FRAME_FALSE; /* none that was asked for: its inside is searched */
    }
    size_t length = HEADER + payload + 2;
    if (n < length) {
        return (int)length;
    }
    uint8_t a = 0;
    uint8_t b = 0;
    for (size_t i = 2; i < length - 2; ++i) {
        a = (uint8_t)(a + bytes[i]);
        b = (uint8_t)(b + a);
    }
    return a == bytes[length - 2] && b == bytes[length - 1] ? (int)length : FRAME_CORRUPT;
}

/* Days from 1970-01-01 in the Gregorian calendar, for years from 1970 on: years begin in March, so
 * that the leap day is their last. */
static int32_t days(int32_t year, int32_t month, int32_t day) {
    if (month <= 2) {
        --year;
        month += 12;
    }
    return 365 * year + year / 4 - year / 100 + year / 400 + (153 * (month - 3) + 2) / 5 + day - 1 -
           719468;
}

/* False where date and time are none that there is. */
static bool read_time(const uint8_t *pvt, int64_t *utc_ns) {
    static const uint8_t length[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = frame_u16(pvt + 4);
    unsigned month = pvt[6];
    unsigned day = pvt[7];
    int32_t nano = frame_i32(pvt + 16);
    /* Receivers before these years do not exist, nor does a receiver's calendar after. */
    if (year < 2000 || year > 2199 || month < 1 || month > 12 || day < 1 ||
        day > length[month - 1] || pvt[8] > 23 || pvt[9] > 59 || pvt[10] > 60 || nano < -ns_per_s ||
        nano > ns_per_s) {
        return false;
    }
    int64_t seconds = (int64_t)days(year, (int32_t)month, (int32_t)day) * 86400 + pvt[8] * 3600 +
                      pvt[9] * 60 + pvt[10];
    *utc_ns = seconds * ns_per_s + nano;
    return true;
}

static void take_time(struct ubx *ubx, const uint8_t *pvt, struct sensor_sample *sample) {
    struct sensor_gnss *gnss = &sample->of.gnss;
    const unsigned all = VALID_DATE | VALID_TIME | VALID_RESOLVED;
    gnss->time_accuracy_ns = frame_u32(pvt + 12);
    bool says_valid = (pvt[11] & all) == all;
    bool readable = read_time(pvt, &gnss->utc_ns);
    if (!says_valid) {
        return;
    }
    sample->valid |= SENSOR_VALID_TIME;
    if (!readable || (ubx->has_time && gnss->utc_ns <= ubx->utc_ns)) {
        sensor_reject(&ubx->sensor, sample, SENSOR_VALID_TIME);
    }
    /* Whether backwards or not: if it goes on from here, the one before was wrong. */
    if (readable) {
        ubx->has_time = true;
        ubx->utc_ns = gnss->utc_ns;
    }
}

static void take_place(struct ubx *ubx, const uint8_t *pvt, struct sensor_sample *sample) {
    struct sensor_gnss *gnss = &sample->of.gnss;
    gnss->fix = pvt[20];
    gnss->carrier = pvt[21] >> 6;
    gnss->satellites = pvt[23];
    gnss->longitude = frame_i32(pvt + 24);
    gnss->latitude = frame_i32(pvt + 28);
    gnss->height_mm = frame_i32(pvt + 32);
    gnss->horizontal_accuracy_mm = frame_u32(pvt + 40);
    gnss->vertical_accuracy_mm = frame_u32(pvt + 44);
    gnss->speed_accuracy = (float)frame_u32(pvt + 68) * 0.001f;
    bool slow = true;
    for (int i = 0; i < 3; ++i) {
        int32_t mm_per_s = frame_i32(pvt + 48 + 4 * i);
        gnss->velocity[i] = (float)mm_per_s * 0.001f;
        slow = slow && mm_per_s > -515000 && mm_per_s < 515000; /* export limit of all receivers */
    }
    if (gnss->fix > FIX_LAST) {
        ++ubx->sensor.counters.range_failures;
        return;
    }
    if (!(pvt[21] & FLAG_FIX_OK) || gnss->fix < FIX_2D || gnss->fix > FIX_3D_AND_RECKONING) {
        return;
    }
    sample->valid |= SENSOR_VALID_POSITION | SENSOR_VALID_VELOCITY;
    if (gnss->latitude < -900000000 || gnss->latitude > 900000000 ||
        gnss->longitude < -1800000000 || gnss->longitude > 1800000000 ||
        gnss->height_mm < -1000000 || gnss->height_mm > 80000000) {
        sensor_reject(&ubx->sensor, sample, SENSOR_VALID_POSITION);
    }
    if (!slow) {
        sensor_reject(&ubx->sensor, sample, SENSOR_VALID_VELOCITY);
    }
}

/* The edge, if there is one that waits: its second is the last whole one before the measurement,
 * when the message came so soon after that no other second fits. */
static void label_edge(struct ubx *ubx, const struct sensor_sample *pvt,
                       const struct sensor_sink *sink) {
    if (!ubx->edge_is_good || !(pvt->valid & SENSOR_VALID_TIME)) {
        return;
    }
    uint32_t hz = ubx->sensor.count_hz;
    int64_t second =
        (pvt->of.gnss.utc_ns + ns_per_s / 1000) / ns_per_s; /* nano may be below zero */
    int64_t after_ns = pvt->of.gnss.utc_ns - second * ns_per_s;
    int64_t since_counts = (int32_t)(pvt->count - ubx->edge);
    int64_t delay_counts = since_counts - after_ns * hz / ns_per_s;
    bool late = ubx->sensor.now_ns - ubx->edge_ns > (uint64_t)ns_per_s;
    if (late || delay_counts < 0 || delay_counts > hz / 2) {
        return;
    }
    ubx->edge_is_good = false;
    struct sensor_sample sample = {
        .count = ubx->edge,
        .kind = SENSOR_PULSE,
        .valid = SENSOR_VALID_TIME,
        .of.pulse = {.utc_ns = second * ns_per_s, .accuracy_ns = pvt->of.gnss.time_accuracy_ns}};
    sensor_emit(&ubx->sensor, &sample, sink);
}

static void take_pvt(struct ubx *ubx, const struct sensor_sink *sink) {
    const uint8_t *pvt = ubx->frame.bytes + HEADER;
    struct sensor_sample sample = {.count = sensor_byte_start(&ubx->sensor, ubx->frame.counts[0]),
                                   .kind = SENSOR_GNSS};
    sensor_alive(&ubx->sensor);
    take_time(ubx, pvt, &sample);
    take_place(ubx, pvt, &sample);
    label_edge(ubx, &sample, sink);
    sensor_emit(&ubx->sensor, &sample, sink);
}

static void take(struct ubx *ubx, const struct sensor_sink *sink) {
    const uint8_t *bytes = ubx->frame.bytes;
    unsigned size = frame_u16(bytes + 4);
    if (bytes[2] == CLASS_NAV && bytes[3] == NAV_PVT && size == NAV_PVT_SIZE) {
        take_pvt(ubx, sink);
    } else if (bytes[2] == CLASS_ACK && size == ACK_SIZE && bytes[6] == CLASS_CFG &&
               bytes[7] == ubx->asked) {
        ubx->sensor.answer = bytes[3] == ACK_ACK   ? SENSOR_ANSWER_YES
                             : bytes[3] == ACK_NAK ? SENSOR_ANSWER_NO
                                                   : SENSOR_ANSWER_NONE;
    }
}

static void receive(struct sensor *sensor, uint8_t byte, uint32_t count,
                    const struct sensor_sink *sink) {
    struct ubx *ubx = of(sensor);
    frame_push(&ubx->frame, byte, count);
    size_t n;
    while ((n = frame_next(&ubx->frame, inspect, &sensor->counters)) > 0) {
        take(ubx, sink);
        frame_drop(&ubx->frame, n);
    }
}

/* An edge counts only where the one before is whole seconds away, as exactly as the timer counts
 * them: a spike, or an edge that was missed, can label nothing wrong. */
static void edge(struct sensor *sensor, uint32_t count) {
    struct ubx *ubx = of(sensor);
    uint32_t hz = sensor->count_hz;
    uint32_t since = count - ubx->edge;
    uint32_t nearest = (since + hz / 2) / hz * hz;
    uint32_t error = since > nearest ? since - nearest : nearest - since;
    /* Over a longer gap the count may have wrapped. */
    bool known = ubx->has_edge && sensor->now_ns - ubx->edge_ns < 10u * (uint64_t)ns_per_s;
    bool follows = known && nearest > 0 && error <= (uint64_t)nearest * sensor->count_ppm / 1000000;
    sensor->counters.range_failures += known && !follows;
    ubx->has_edge = true;
    ubx->edge_is_good = follows;
    ubx->edge = count;
    ubx->edge_ns = sensor->now_ns;
}

const struct sensor_driver ubx_driver = {
    .name = "ubx",
    .rate = UBX_RATE,
    .period_us = UBX_PERIOD_MS * 1000,
    .silent_us = 1000000,
    .listen_us = 1500000,
    .pause_us = 1000000,
    .reset = reset,
    .configure = ubx_configure,
    .receive = receive,
    .edge = edge,
};
