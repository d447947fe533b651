/* Frames by hand from UBX-13003221 (M8) and UBX-22008968 (F9); the short ones are printed all over
 * u-blox's application notes. */
#include <time.h>

#include "tests/firmware/fake_serial.h"
#include "tests/support.h"

#include "firmware/drivers/ubx.h"

static struct fake fake;
static struct ubx ubx;
static struct sensor *const sensor = &ubx.sensor;

enum { PVT = 100, BYTE_COUNTS = FAKE_HZ / 11520, P = 6 /* where the payload begins */ };

static int start(void **state) {
    (void)state;
    fake_init(&fake);
    sensor_start(&ubx_driver, sensor, sizeof ubx, &fake.bus, fake.now_ns);
    return 0;
}

static void u16(uint8_t *at, unsigned value) {
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static void u32(uint8_t *at, uint32_t value) {
    u16(at, value & 0xFFFF);
    u16(at + 2, value >> 16);
}

/* RFC 1145's sums as u-blox writes them, over class ... payload. */
static void seal(uint8_t *frame) {
    size_t n = 4u + frame[4] + 256u * frame[5];
    unsigned a = 0;
    unsigned b = 0;
    for (size_t i = 0; i < n; ++i) {
        a += frame[2 + i];
        b += a;
    }
    frame[2 + n] = (uint8_t)a;
    frame[3 + n] = (uint8_t)b;
}

/* 2026-11-21 12:34:56.2, a 3-D fix with fixed ambiguities. */
static void make(uint8_t frame[PVT]) {
    memset(frame, 0, PVT);
    frame[0] = 0xB5;
    frame[1] = 0x62;
    frame[2] = 0x01;
    frame[3] = 0x07;
    frame[4] = 92;
    uint8_t *p = frame + P;
    u32(p, 563714200);
    u16(p + 4, 2026);
    p[6] = 11;
    p[7] = 21;
    p[8] = 12;
    p[9] = 34;
    p[10] = 56;
    p[11] = 0x07;
    u32(p + 12, 25);
    u32(p + 16, 200000000);
    p[20] = 3;
    p[21] = 0x81;
    p[23] = 17;
    u32(p + 24, (uint32_t)-1234567890);
    u32(p + 28, 476543210);
    u32(p + 32, 412345);
    u32(p + 40, 14);
    u32(p + 44, 20);
    u32(p + 48, 1500);
    u32(p + 52, (uint32_t)-250);
    u32(p + 56, 10);
    u32(p + 68, 30);
    seal(frame);
}

static const int64_t golden_s = 1795264496;
static const int64_t second_10 = 1795264496 - 46;

static void drain(void) {
    fake_drain(&ubx_driver, sensor, &fake);
}

static void feed(const uint8_t *frame) {
    fake.now_ns += 100000000;
    fake_feed(&fake, frame, PVT);
    drain();
}

static const struct sensor_sample *last(void) {
    return &fake.samples[fake.n_samples - 1];
}

enum { ALL = SENSOR_VALID_TIME | SENSOR_VALID_POSITION | SENSOR_VALID_VELOCITY };

static void golden(void **state) {
    (void)state;
    uint8_t frame[PVT];
    make(frame);
    fake_feed_at(&fake, frame, PVT, 777777, BYTE_COUNTS);
    drain();
    assert_int_equal(fake.n_samples, 1);
    const struct sensor_sample *s = fake.samples;
    assert_int_equal(s->kind, SENSOR_GNSS);
    assert_int_equal(s->valid, ALL);
    assert_int_equal(s->count, 777777 - BYTE_COUNTS);
    const struct sensor_gnss *g = &s->of.gnss;
    assert_true(g->utc_ns == golden_s * 1000000000 + 200000000);
    assert_int_equal(g->time_accuracy_ns, 25);
    assert_int_equal(g->latitude, 476543210);
    assert_int_equal(g->longitude, -1234567890);
    assert_int_equal(g->height_mm, 412345);
    assert_near(g->velocity[0], 1.5, 1e-6);
    assert_near(g->velocity[1], -0.25, 1e-7);
    assert_near(g->velocity[2], 0.01, 1e-8);
    assert_int_equal(g->horizontal_accuracy_mm, 14);
    assert_int_equal(g->vertical_accuracy_mm, 20);
    assert_near(g->speed_accuracy, 0.03, 1e-8);
    assert_int_equal(g->fix, 3);
    assert_int_equal(g->carrier, 2);
    assert_int_equal(g->satellites, 17);
}

/* The first and last day of each month of two centuries, against the C library. */
static void calendar(void **state) {
    (void)state;
    static const int length[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    uint8_t frame[PVT];
    make(frame);
    for (int month = 0; month < 200 * 12; ++month) {
        int year = 2000 + month / 12;
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        for (int end = 0; end < 2; ++end) {
            int day = end == 0 ? 1 : length[month % 12] + (leap && month % 12 == 1);
            struct tm tm = {.tm_year = year - 1900,
                            .tm_mon = month % 12,
                            .tm_mday = day,
                            .tm_hour = 12,
                            .tm_min = 34,
                            .tm_sec = 56};
            u16(frame + P + 4, (unsigned)year);
            frame[P + 6] = (uint8_t)(month % 12 + 1);
            frame[P + 7] = (uint8_t)day;
            seal(frame);
            fake.n_samples = 0;
            feed(frame);
            assert_int_equal(fake.n_samples, 1);
            assert_int_equal(last()->valid, ALL);
            assert_true(last()->of.gnss.utc_ns == (int64_t)timegm(&tm) * 1000000000 + 200000000);
        }
    }
}

static void one(size_t at, uint8_t value, uint16_t valid, unsigned failures) {
    uint8_t frame[PVT];
    make(frame);
    frame[P + at] = value;
    seal(frame);
    start(NULL);
    feed(frame);
    assert_int_equal(fake.n_samples, 1);
    assert_int_equal(last()->valid, valid);
    assert_int_equal(sensor->counters.range_failures, failures);
}

static void ranges(void **state) {
    (void)state;
    const uint16_t place = SENSOR_VALID_POSITION | SENSOR_VALID_VELOCITY;
    one(11, 0x03, place, 0); /* not fully resolved: says so, no failure */
    one(11, 0x06, place, 0);
    one(6, 0, place, 1);
    one(6, 13, place, 1);
    one(7, 0, place, 1);
    one(7, 31, place, 1); /* November 31st */
    one(8, 24, place, 1);
    one(9, 60, place, 1);
    one(8, 23, ALL, 0);
    one(9, 59, ALL, 0);
    one(7, 30, ALL, 0);
    one(10, 60, ALL, 0); /* a leap second */
    one(10, 61, place, 1);
    one(5, 0xFF, place, 1);  /* year */
    one(19, 0x40, place, 1); /* 1.08 s of nanoseconds */
    one(20, 0, SENSOR_VALID_TIME, 0);
    one(20, 1, SENSOR_VALID_TIME, 0); /* dead reckoning alone */
    one(20, 2, ALL, 0);
    one(20, 5, SENSOR_VALID_TIME, 0);
    one(20, 6, SENSOR_VALID_TIME, 1);
    one(21, 0, SENSOR_VALID_TIME, 0);
    one(31, 0x36, SENSOR_VALID_TIME | SENSOR_VALID_VELOCITY, 1); /* latitude 91 */
    one(27, 0x6C, SENSOR_VALID_TIME | SENSOR_VALID_VELOCITY, 1); /* longitude 181 */
    one(35, 0x7F, SENSOR_VALID_TIME | SENSOR_VALID_VELOCITY, 1); /* 2131 km high */
    one(51, 0x01, SENSOR_VALID_TIME | SENSOR_VALID_POSITION, 1); /* 16 km/s */
}

static void time_backwards(void **state) {
    (void)state;
    uint8_t frame[PVT];
    make(frame);
    feed(frame);
    assert_int_equal(last()->valid, ALL);
    feed(frame); /* the same instant twice */
    assert_int_equal(last()->valid & SENSOR_VALID_TIME, 0);
    frame[P + 9] = 33;
    seal(frame);
    feed(frame);
    assert_int_equal(last()->valid & SENSOR_VALID_TIME, 0);
    assert_int_equal(sensor->counters.range_failures, 2);
    u32(frame + P + 16, 300000000); /* going on from there */
    seal(frame);
    feed(frame);
    assert_int_equal(last()->valid, ALL);
}

/* A PVT of `ms` after second 10 of the golden minute, arriving delay_ms after that. That second
 * began at count 0. */
static void pvt_at(int ms, int delay_ms) {
    uint8_t frame[PVT];
    make(frame);
    frame[P + 10] = (uint8_t)(10 + ms / 1000);
    u32(frame + P + 16, (uint32_t)(ms % 1000 * 1000000));
    seal(frame);
    fake_feed_at(&fake, frame, PVT, (uint32_t)(ms + delay_ms) * (FAKE_HZ / 1000) + BYTE_COUNTS,
                 BYTE_COUNTS);
    fake.now_ns = 5000000000u + (uint64_t)(ms + delay_ms + 9) * 1000000;
    drain();
}

static void edge_at(int us) {
    fake.now_ns = 5000000000u + (uint64_t)((int64_t)us * 1000);
    fake_poll(&ubx_driver, sensor, &fake);
    sensor_edge(&ubx_driver, sensor, (uint32_t)us * (FAKE_HZ / 1000000));
}

static size_t pulses(void) {
    size_t n = 0;
    for (size_t i = 0; i < fake.n_samples; ++i) {
        n += fake.samples[i].kind == SENSOR_PULSE;
    }
    return n;
}

static void pulse(void **state) {
    (void)state;
    edge_at(0);
    pvt_at(0, 60);
    assert_int_equal(pulses(), 0); /* a first edge may be anything */
    edge_at(1000000);
    pvt_at(1000, 60);
    assert_int_equal(pulses(), 1);
    const struct sensor_sample *s = last() - 1; /* before the PVT's own */
    assert_int_equal(s->kind, SENSOR_PULSE);
    assert_int_equal(s->valid, SENSOR_VALID_TIME);
    assert_int_equal(s->count, FAKE_HZ);
    assert_true(s->of.pulse.utc_ns == (second_10 + 1) * 1000000000);
    assert_int_equal(s->of.pulse.accuracy_ns, 25);
    pvt_at(1100, 60);
    assert_int_equal(pulses(), 1); /* once */

    /* The message of the whole second is lost, the next one labels as well. */
    edge_at(2000000);
    pvt_at(2100, 120);
    assert_int_equal(pulses(), 2);
    assert_true((last() - 1)->of.pulse.utc_ns == (second_10 + 2) * 1000000000);

    /* A message of before the edge that comes after it says nothing about it. */
    edge_at(3000000);
    pvt_at(2900, 110);
    assert_int_equal(pulses(), 2);
    pvt_at(3000, 80);
    assert_int_equal(pulses(), 3);

    /* A spike is not labelled, nor the pulse after it; a pulse that is missing does not matter. */
    edge_at(3400000);
    pvt_at(3400, 60);
    edge_at(4000000);
    pvt_at(4000, 60);
    assert_int_equal(pulses(), 3);
    assert_int_equal(sensor->counters.range_failures, 2);
    edge_at(6000000);
    pvt_at(6000, 60);
    assert_int_equal(pulses(), 4);
    assert_true((last() - 1)->of.pulse.utc_ns == (second_10 + 6) * 1000000000);

    /* Too late to be sure. */
    edge_at(7000000);
    pvt_at(7000, 600);
    assert_int_equal(pulses(), 4);
    pvt_at(8200, 60);
    assert_int_equal(pulses(), 4);

    /* 300 ppm off in 1 s is a poor crystal, 600 is none. */
    edge_at(8000300);
    edge_at(9000900);
    pvt_at(9010, 60);
    assert_int_equal(pulses(), 4);

    /* After half a minute anything may have happened to the count. */
    edge_at(40000000);
    pvt_at(40000, 60);
    assert_int_equal(pulses(), 4);
}

/* Edges are taken to 500 ppm of whole seconds, early or late. */
static void pulse_period(void **state) {
    (void)state;
    static const struct {
        int us;
        size_t pulses;
    } seconds[] = {{999400, 0},  {999600, 1},  {1000400, 1}, {1000600, 0},
                   {3001400, 1}, {3001600, 0}, {500000, 0},  {1000, 0}};
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; ++i) {
        start(NULL);
        edge_at(1000000);
        edge_at(1000000 + seconds[i].us);
        pvt_at((1000000 + seconds[i].us) / 100000 * 100 + 100, 60);
        assert_int_equal(pulses(), seconds[i].pulses);
        assert_int_equal(sensor->counters.range_failures, 1 - seconds[i].pulses);
    }
}

/* Times just below a second are written as that second and negative nanoseconds. */
static void pulse_negative_nano(void **state) {
    (void)state;
    uint8_t frame[PVT];
    make(frame);
    u32(frame + P + 16, (uint32_t)-400);
    seal(frame);
    edge_at(0);
    edge_at(1000000);
    fake_feed_at(&fake, frame, PVT, FAKE_HZ + FAKE_HZ / 20, BYTE_COUNTS);
    fake.now_ns += 60000000;
    drain();
    assert_int_equal(pulses(), 1);
    assert_true(fake.samples[0].of.pulse.utc_ns == golden_s * 1000000000);
}

static void other_frames(void **state) {
    (void)state;
    uint8_t frame[300] = {0xB5, 0x62, 0x01, 0x35, 0x80, 0x00};
    seal(frame); /* NAV-SAT, longer than any wanted */
    memcpy(frame + 150, "$GNGGA,123456.20,4739.2,N*00\r\n", 30);
    uint8_t pvt[PVT];
    make(pvt);
    fake_feed(&fake, frame, 180);
    fake_feed(&fake, pvt, PVT);
    drain();
    assert_int_equal(fake.n_samples, 1);
    uint8_t other[] = {0xB5, 0x62, 0x0A, 0x09, 2, 0, 1, 2, 0, 0};
    seal(other);
    fake_feed(&fake, other, sizeof other);
    drain();
    assert_int_equal(fake.n_samples, 1);
    assert_int_equal(sensor->counters.checksum_errors, 0);
    /* Of the same size, but not it: another class, another message. The longest is 96. */
    pvt[2] = 0x02;
    seal(pvt);
    fake_feed(&fake, pvt, PVT);
    pvt[2] = 0x01;
    pvt[3] = 0x08;
    seal(pvt);
    fake_feed(&fake, pvt, PVT);
    uint8_t longest[FRAME_MAX] = {0xB5, 0x62, 0x01, 0x07, FRAME_MAX - 8};
    seal(longest);
    uint32_t resynchronisations = sensor->counters.resynchronisations;
    fake_feed(&fake, longest, FRAME_MAX);
    drain();
    assert_int_equal(fake.n_samples, 1);
    assert_int_equal(sensor->counters.resynchronisations, resynchronisations);
}

static void corruption(void **state) {
    (void)state;
    uint8_t good[PVT];
    make(good);
    for (int bit = 0; bit < PVT * 8; ++bit) {
        start(NULL);
        uint8_t bad[PVT];
        memcpy(bad, good, PVT);
        bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
        fake_feed_at(&fake, bad, PVT, 0, BYTE_COUNTS);
        fake_feed_at(&fake, good, PVT, 8400000, BYTE_COUNTS);
        drain();
        assert_int_equal(fake.n_samples, 1);
        assert_int_equal(fake.samples[0].valid, ALL);
        assert_int_equal(fake.samples[0].count, 8400000 - BYTE_COUNTS);
    }
    for (size_t cut = 0; cut < PVT; ++cut) {
        start(NULL);
        fake_feed_at(&fake, good, cut, 0, BYTE_COUNTS);
        fake_feed_at(&fake, good, PVT, 8400000, BYTE_COUNTS);
        drain();
        assert_int_equal(fake.n_samples, 1);
    }
}

static void hostile(void **state) {
    (void)state;
    uint64_t random = 362436069123456789u;
    size_t frames = 0;
    size_t found = 0;
    uint8_t good[PVT];
    make(good);
    for (size_t garbage = 0; garbage < 1000000;) {
        uint8_t bytes[256];
        size_t n = fake_random(&random) % sizeof bytes;
        for (size_t i = 0; i < n; ++i) {
            bytes[i] = (uint8_t)(fake_random(&random) >> 20);
        }
        if (n > 6 && n % 2 == 0) { /* a header that claims up to 127 bytes */
            memcpy(bytes + n - 6, good, 4);
            bytes[n - 2] &= 127;
            bytes[n - 1] = 0;
        }
        fake_feed(&fake, bytes, n);
        garbage += n;
        u32(good + P + 28, (uint32_t)++frames);
        seal(good);
        fake.n_samples = 0;
        feed(good);
        uint8_t zeros[FRAME_MAX] = {0};
        fake_feed(&fake, zeros, sizeof zeros);
        drain();
        for (size_t i = 0; i < fake.n_samples; ++i) {
            found += fake.samples[i].of.gnss.latitude == (int32_t)frames;
        }
    }
    assert_int_equal(found, frames); /* a 16-bit sum lets nothing through here */
    assert_true(sensor->counters.checksum_errors > 1000);
}

/* A receiver that answers as its generation does, heard only at its own rate. */
struct receiver {
    uint32_t rate;
    bool modern;        /* knows CFG-VALSET */
    bool no_pulse_keys; /* answers no to those */
    bool never_sends;   /* answers, and that is all */
    bool mute;          /* an M8 does not answer what it does not know */
    bool pvt;
    unsigned period_ms;
    uint8_t in[256];
    size_t n;
    uint64_t next_ns;
    uint32_t keys[64], values[64]; /* all that were set */
    size_t n_keys;
};

/* Names and values in UBX-22008968, section "Configuration interface". */
static const uint32_t expected_settings[][2] = {
    {0x30210001, 100},     /* CFG-RATE-MEAS */
    {0x30210002, 1},       /* CFG-RATE-NAV */
    {0x20210003, 0},       /* CFG-RATE-TIMEREF, UTC */
    {0x10740001, 1},       /* CFG-UART1OUTPROT-UBX */
    {0x20910007, 1},       /* CFG-MSGOUT-UBX_NAV_PVT_UART1 */
    {0x10050007, 1},       /* CFG-TP-TP1_ENA */
    {0x10050009, 1},       /* CFG-TP-USE_LOCKED_TP1 */
    {0x40050002, 1000000}, /* CFG-TP-PERIOD_TP1 */
    {0x40050004, 0},       /* CFG-TP-LEN_TP1 */
    {0x40050003, 1000000}, /* CFG-TP-PERIOD_LOCK_TP1 */
    {0x40050005, 100000},  /* CFG-TP-LEN_LOCK_TP1 */
    {0x1005000B, 1},       /* CFG-TP-POL_TP1, rising */
    {0x2005000C, 0},       /* CFG-TP-TIMEGRID_TP1, UTC */
    {0x10740002, 0},       /* CFG-UART1OUTPROT-NMEA */
    {0x40520001, 115200},  /* CFG-UART1-BAUDRATE */
};

static void answer(struct fake *f, const struct receiver *r, uint8_t yes) {
    uint8_t ack[10] = {0xB5, 0x62, 0x05, yes, 2, 0, r->in[2], r->in[3]};
    seal(ack);
    if (f->rate == r->rate) {
        fake_feed(f, ack, sizeof ack);
    }
}

static uint32_t get32(const uint8_t *at) {
    return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

static void valset(struct fake *f, struct receiver *r, size_t payload) {
    static const int sizes[] = {0, 1, 1, 2, 4, 8, 0, 0};
    uint32_t new_rate = r->rate;
    assert_int_equal(r->in[P + 1], 1); /* RAM alone */
    for (size_t i = 4; i < payload;) {
        uint32_t key = get32(r->in + P + i);
        if (key >> 16 == 0x1005 && r->no_pulse_keys) {
            answer(f, r, 0);
            return;
        }
        static const uint32_t mask[] = {0, 0xFF, 0xFF, 0xFFFF, 0xFFFFFFFF, 0, 0, 0};
        uint32_t value = get32(r->in + P + i + 4) & mask[key >> 28 & 7];
        r->keys[r->n_keys % 64] = key;
        r->values[r->n_keys++ % 64] = value;
        r->period_ms = key == 0x30210001 ? value & 0xFFFF : r->period_ms;
        r->pvt = r->pvt || (key == 0x20910007 && (value & 0xFF) == 1);
        new_rate = key == 0x40520001 ? value : new_rate;
        i += 4 + (size_t)sizes[key >> 28 & 7];
    }
    answer(f, r, 1);
    r->rate = new_rate;
}

static void command(struct fake *f, struct receiver *r, size_t payload) {
    uint8_t id = r->in[3];
    assert_int_equal(r->in[2], 0x06);
    if (id == 0x8A && r->modern) {
        valset(f, r, payload);
    } else if (id == 0x8A) {
        if (!r->mute) {
            answer(f, r, 0);
        }
    } else if (id == 0x08) {
        r->period_ms = r->in[P] + 256u * r->in[P + 1];
        answer(f, r, 1);
    } else if (id == 0x01) {
        /* B5 62 06 01 03 00 01 07 01 13 51: NAV-PVT on, in many application notes */
        static const uint8_t on[] = {0xB5, 0x62, 6, 1, 3, 0, 1, 7, 1, 0x13, 0x51};
        assert_memory_equal(r->in, on, sizeof on);
        r->pvt = true;
        answer(f, r, 1);
    } else if (id == 0x00) {
        /* UART1, 8N1 (0x8D0), 115200, UBX in and out: UBX-13003221, CFG-PRT */
        static const uint8_t port[20] = {1,    0,    0, 0, 0xD0, 0x08, 0, 0, 0x00, 0xC2,
                                         0x01, 0x00, 1, 0, 1,    0,    0, 0, 0,    0};
        assert_int_equal(payload, 20);
        assert_memory_equal(r->in + P, port, 20);
        answer(f, r, 1);
        r->rate = get32(r->in + P + 8);
    }
}

static void hear(struct fake *f, uint8_t byte) {
    struct receiver *r = f->device_state;
    if (f->rate != r->rate) {
        return;
    }
    static const uint8_t head[] = {0xB5, 0x62};
    if (r->n < 2 && byte != head[r->n]) {
        r->n = 0;
        return;
    }
    r->in[r->n++] = byte;
    size_t payload = r->n >= 6 ? r->in[4] + 256u * r->in[5] : 0;
    if (r->n < 8 || r->n < payload + 8) {
        return;
    }
    uint8_t copy[256];
    memcpy(copy, r->in, r->n);
    seal(copy);
    assert_memory_equal(copy, r->in, r->n);
    r->n = 0;
    command(f, r, payload);
}

/* Time goes on by ms; the receiver sends what it is set to. */
static void go_on(struct receiver *r, unsigned ms) {
    for (unsigned i = 0; i < ms; i += 2) {
        fake.now_ns += 2000000;
        if (r->pvt && !r->never_sends && fake.now_ns >= r->next_ns) {
            uint8_t frame[PVT];
            make(frame);
            uint32_t t = (uint32_t)(fake.now_ns / 100000000);
            frame[P + 9] = (uint8_t)(t / 600 % 60);
            frame[P + 10] = (uint8_t)(t / 10 % 60);
            u32(frame + P + 16, t % 10 * 100000000);
            seal(frame);
            if (fake.rate == r->rate) {
                fake_feed(&fake, frame, PVT);
            } else {
                fake_feed(&fake, (const uint8_t *)"\xF8\x80\x00\xE6\x1E", 5);
            }
            r->next_ns = fake.now_ns + r->period_ms * 1000000ull;
        }
        fake_poll(&ubx_driver, sensor, &fake);
    }
}

static void brings_up(struct receiver receiver, unsigned within_ms) {
    start(NULL);
    fake.device = hear;
    fake.device_state = &receiver;
    go_on(&receiver, within_ms);
    assert_string_equal(sensor_state_name(sensor->state), "running");
    assert_int_equal(receiver.rate, 115200);
    assert_int_equal(receiver.period_ms, 100);
    assert_int_equal(sensor->counters.silences, 0);
    assert_int_equal(last()->valid, ALL);
    if (receiver.n_keys > 0 && !receiver.no_pulse_keys) {
        assert_int_equal(receiver.n_keys, sizeof expected_settings / sizeof *expected_settings);
        for (size_t i = 0; i < receiver.n_keys; ++i) {
            assert_int_equal(receiver.keys[i], expected_settings[i][0]);
            assert_int_equal(receiver.values[i], expected_settings[i][1]);
        }
    }
    receiver.n_keys = 0;

    /* Its power goes: it is at its defaults again, and is told again. */
    receiver.rate = 9600;
    receiver.pvt = false;
    receiver.period_ms = 1000;
    go_on(&receiver, 1100);
    assert_int_equal(sensor->counters.silences, 1);
    go_on(&receiver, 9000);
    assert_string_equal(sensor_state_name(sensor->state), "running");
    assert_int_equal(receiver.rate, 115200);
    assert_int_equal(sensor->counters.silences, 1);
    assert_int_equal(sensor->counters.restarts, 1);
    assert_int_equal(ubx.legacy, !receiver.modern);
    assert_int_equal(receiver.n_keys > 0, receiver.modern);
}

/* Says yes to all and sends nothing: tried at each rate, then the pause. */
static void answers_alone(void **state) {
    (void)state;
    struct receiver receiver = {.rate = 38400, .modern = true, .never_sends = true};
    fake.device = hear;
    fake.device_state = &receiver;
    go_on(&receiver, 30000);
    assert_int_not_equal(sensor->state, SENSOR_RUNNING);
    assert_in_range(sensor->counters.restarts, 1, 4);
    assert_true(sensor->counters.refusals > 0);
}

static void configures(void **state) {
    (void)state;
    brings_up((struct receiver){.rate = 38400, .modern = true}, 5500);
    brings_up((struct receiver){.rate = 38400, .modern = true, .no_pulse_keys = true}, 5500);
    brings_up((struct receiver){.rate = 9600, .mute = true}, 10000); /* M8 */
    brings_up((struct receiver){.rate = 9600}, 9000);
    brings_up((struct receiver){.rate = 115200, .pvt = true, .period_ms = 1000, .modern = true},
              5000); /* running, too slowly */
    brings_up((struct receiver){.rate = 115200, .pvt = true, .period_ms = 100, .modern = true},
              1500); /* was told before */
}

static void nobody(void **state) {
    (void)state;
    struct receiver receiver = {.rate = 1};
    fake.device = hear;
    fake.device_state = &receiver;
    go_on(&receiver, 60000);
    assert_int_not_equal(sensor->state, SENSOR_RUNNING);
    assert_in_range(sensor->counters.restarts, 3, 8);
    assert_int_equal(sensor->counters.refusals, 0);
    assert_int_equal(sensor->counters.samples, 0);
    /* It comes back by itself: plugged in, still configured. */
    receiver.rate = 115200;
    receiver.pvt = true;
    receiver.period_ms = 100;
    receiver.modern = true;
    go_on(&receiver, 9000);
    assert_int_equal(sensor->state, SENSOR_RUNNING);
}

static void port_is_stuck(void **state) {
    (void)state;
    fake.takes = 10;
    struct receiver receiver = {.rate = 1};
    go_on(&receiver, 5000);
    assert_int_equal(sensor->state, SENSOR_SILENT);
    assert_true(sensor->counters.bus_errors > 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(golden, start),
        cmocka_unit_test_setup(calendar, start),
        cmocka_unit_test_setup(ranges, start),
        cmocka_unit_test_setup(time_backwards, start),
        cmocka_unit_test_setup(pulse, start),
        cmocka_unit_test_setup(pulse_period, start),
        cmocka_unit_test_setup(pulse_negative_nano, start),
        cmocka_unit_test_setup(other_frames, start),
        cmocka_unit_test_setup(corruption, start),
        cmocka_unit_test_setup(hostile, start),
        cmocka_unit_test_setup(configures, start),
        cmocka_unit_test_setup(answers_alone, start),
        cmocka_unit_test_setup(nobody, start),
        cmocka_unit_test_setup(port_is_stuck, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
