/* The range frames are what a 3901-L0X really sent: discuss.ardupilot.org/t/120493. The flow frames
 * are by hand from "MSP V2", their CRC by the bitwise definition of CRC-8/DVB-S2 in another
 * language. */
#include "tests/firmware/fake_serial.h"
#include "tests/support.h"

#include "firmware/drivers/msp_flow.h"

static struct fake fake;
static struct msp_flow flow;
static struct sensor *const sensor = &flow.sensor;

enum { RANGE = 14, FLOW = 18, BYTE_COUNTS = FAKE_HZ / 11520 };

static const uint8_t range_363[RANGE] = {0x24, 0x58, 0x3C, 0x00, 0x01, 0x1F, 0x05,
                                         0x00, 0xFF, 0x6B, 0x01, 0x00, 0x00, 0xC5};
static const uint8_t range_355[RANGE] = {0x24, 0x58, 0x3C, 0x00, 0x01, 0x1F, 0x05,
                                         0x00, 0xFF, 0x63, 0x01, 0x00, 0x00, 0x92};
/* quality 84, x 21, y -21 */
static const uint8_t golden_flow[FLOW] = {0x24, 0x58, 0x3C, 0x00, 0x02, 0x1F, 0x09, 0x00, 0x54,
                                          0x15, 0x00, 0x00, 0x00, 0xEB, 0xFF, 0xFF, 0xFF, 0x35};

static int start(void **state) {
    (void)state;
    fake_init(&fake);
    sensor_start(&msp_flow_driver, sensor, sizeof flow, &fake.bus, fake.now_ns);
    return 0;
}

/* The CRC by polynomial division, bit after bit: the slow exact form. */
static uint8_t crc(const uint8_t *bytes, size_t n) {
    unsigned rest = 0;
    for (size_t bit = 0; bit < n * 8 + 8; ++bit) {
        unsigned in = bit < n * 8 ? bytes[bit / 8] >> (7 - bit % 8) & 1u : 0;
        rest = rest << 1 | in;
        if (rest & 0x100) {
            rest ^= 0x1D5;
        }
    }
    return (uint8_t)rest;
}

static size_t make(uint8_t *to, unsigned function, const uint8_t *payload, size_t n) {
    memcpy(to, "$X<", 3);
    to[3] = 0;
    to[4] = (uint8_t)function;
    to[5] = (uint8_t)(function >> 8);
    to[6] = (uint8_t)n;
    to[7] = (uint8_t)(n >> 8);
    memcpy(to + 8, payload, n);
    to[8 + n] = crc(to + 3, 5 + n);
    return n + 9;
}

static void drain(void) {
    fake_drain(&msp_flow_driver, sensor, &fake);
}

static void feed_range(int32_t mm, uint8_t quality) {
    uint8_t payload[5] = {quality, (uint8_t)mm, (uint8_t)(mm >> 8), (uint8_t)(mm >> 16),
                          (uint8_t)(mm >> 24)};
    uint8_t frame[RANGE];
    fake.now_ns += 40000000;
    fake_feed(&fake, frame, make(frame, 0x1F01, payload, 5));
    drain();
}

static void feed_flow(int32_t x, int32_t y, uint8_t quality, uint32_t after_us) {
    uint8_t payload[9] = {quality};
    for (int i = 0; i < 4; ++i) {
        payload[1 + i] = (uint8_t)((uint32_t)x >> 8 * i);
        payload[5 + i] = (uint8_t)((uint32_t)y >> 8 * i);
    }
    uint8_t frame[FLOW];
    fake.now_ns += after_us * 1000ull;
    fake_feed(&fake, frame, make(frame, 0x1F02, payload, 9));
    drain();
}

static const struct sensor_sample *last(void) {
    return &fake.samples[fake.n_samples - 1];
}

static void golden(void **state) {
    (void)state;
    fake_feed_at(&fake, range_363, RANGE, 84000, BYTE_COUNTS);
    fake_feed_at(&fake, golden_flow, FLOW, 840000, BYTE_COUNTS);
    fake_feed_at(&fake, golden_flow, FLOW, 2520000, BYTE_COUNTS); /* 20 ms later */
    fake_feed_at(&fake, range_355, RANGE, 3000000, BYTE_COUNTS);
    drain();
    assert_int_equal(fake.n_samples, 4);
    const struct sensor_sample *s = fake.samples;
    assert_int_equal(s[0].kind, SENSOR_RANGE);
    assert_int_equal(s[0].valid, SENSOR_VALID_RANGE);
    assert_int_equal(s[0].count, 84000 - BYTE_COUNTS);
    assert_near(s[0].of.range.range, 0.363, 1e-7);
    assert_int_equal(s[0].of.range.quality, 255);
    assert_int_equal(s[1].valid, 0); /* the first: over what time? */
    assert_int_equal(s[2].kind, SENSOR_FLOW);
    assert_int_equal(s[2].valid, SENSOR_VALID_FLOW);
    assert_near(s[2].of.flow.interval, 0.02, 1e-9);
    assert_near(s[2].of.flow.angle[0], 2 * 3.14159265 / 180, 1e-8);
    assert_near(s[2].of.flow.angle[1], -2 * 3.14159265 / 180, 1e-8);
    assert_int_equal(s[2].of.flow.quality, 84);
    assert_near(s[3].of.range.range, 0.355, 1e-7);
    assert_int_equal(sensor->counters.samples, 4);
    assert_int_equal(sensor->counters.checksum_errors, 0);
    assert_int_equal(sensor->state, SENSOR_RUNNING);
}

static void ranges(void **state) {
    (void)state;
    feed_range(-1, 0); /* nothing there: not valid, no failure */
    assert_int_equal(last()->valid, 0);
    assert_int_equal(sensor->counters.range_failures, 0);
    feed_range(1500, 10); /* no quality */
    assert_int_equal(last()->valid, 0);
    assert_int_equal(sensor->counters.range_failures, 0);
    feed_range(4001, 255);
    assert_int_equal(last()->valid, 0);
    assert_int_equal(sensor->counters.range_failures, 1);
    feed_range(INT32_MAX, 255);
    feed_range(3, 255);
    assert_int_equal(last()->valid, 0);
    assert_int_equal(sensor->counters.range_failures, 3);
    feed_range(INT32_MIN, 255);
    assert_int_equal(last()->valid, 0);
    feed_range(2000, 255);
    assert_int_equal(last()->valid, SENSOR_VALID_RANGE);
    /* Both sides of each limit. */
    static const struct {
        int32_t mm;
        uint8_t quality;
        bool valid, failure;
    } limits[] = {{0, 255, false, true},    {9, 255, false, true},    {10, 255, true, false},
                  {4000, 255, true, false}, {1000, 24, false, false}, {1000, 25, true, false}};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; ++i) {
        uint32_t failures = sensor->counters.range_failures;
        feed_range(limits[i].mm, limits[i].quality);
        assert_int_equal(last()->valid, limits[i].valid ? SENSOR_VALID_RANGE : 0);
        assert_int_equal(sensor->counters.range_failures - failures, limits[i].failure);
    }
}

static void flows(void **state) {
    (void)state;
    feed_flow(10, 10, 100, 20000);
    feed_flow(10, 10, 100, 20000);
    assert_int_equal(last()->valid, SENSOR_VALID_FLOW);
    feed_flow(10, 10, 24, 20000); /* a surface without features */
    assert_int_equal(last()->valid, 0);
    assert_int_equal(sensor->counters.range_failures, 0);
    feed_flow(10, 10, 25, 20000);
    assert_int_equal(last()->valid, SENSOR_VALID_FLOW);
    assert_int_equal(sensor->state, SENSOR_RUNNING); /* flow alone is a running device */
    feed_flow(121, 0, 100, 20000);                   /* 11.5 degrees in 20 ms: 10.06 rad/s */
    assert_int_equal(last()->valid, 0);
    assert_int_equal(sensor->counters.range_failures, 1);
    feed_flow(119, 0, 100, 20000); /* 9.89 rad/s */
    assert_int_equal(last()->valid, SENSOR_VALID_FLOW);
    feed_flow(0, INT32_MIN, 100, 20000);
    assert_int_equal(last()->valid, 0);
    feed_flow(10, 0, 100, 500000);
    assert_int_equal(last()->valid, SENSOR_VALID_FLOW);
    feed_flow(10, 0, 100, 500100); /* a gap */
    assert_int_equal(last()->valid, 0);
    assert_near(last()->of.flow.interval, 0, 0);
    assert_int_equal(sensor->counters.range_failures, 2);
    feed_flow(10, 0, 100, 20000);
    assert_int_equal(last()->valid, SENSOR_VALID_FLOW);
}

static void other_functions(void **state) {
    (void)state;
    uint8_t payload[200] = {0};
    uint8_t frame[256];
    fake_feed(&fake, frame, make(frame, 0x1F03, payload, 52));
    fake_feed(&fake, frame, make(frame, 0x1F01, payload, 6)); /* wrong size */
    fake_feed(&fake, frame, make(frame, 0x1F02, payload, 0));
    drain();
    fake_feed(&fake, frame, make(frame, 0x1F04, payload, FRAME_MAX - 9)); /* the longest */
    drain();
    assert_int_equal(fake.n_samples, 0);
    assert_int_equal(sensor->counters.resynchronisations, 0);
    /* Longer than any that is wanted: not waited for, and what is inside is found. */
    memcpy(payload + 100, range_363, RANGE);
    fake_feed(&fake, frame, make(frame, 0x1F04, payload, 200));
    drain();
    assert_int_equal(fake.n_samples, 1);
    assert_int_equal(sensor->counters.resynchronisations, 2); /* before it and after it */
    uint8_t huge[] = {'$', 'X', '<', 0, 1, 0x1F, 0xFF, 0xFF};
    fake_feed(&fake, huge, sizeof huge);
    fake.now_ns += 1000000;
    fake_feed(&fake, range_355, RANGE);
    drain();
    assert_int_equal(fake.n_samples, 2);
}

/* Silent after half a second; back with its first packet, and flow begins anew. */
static void comes_back(void **state) {
    (void)state;
    assert_int_equal(fake.rate, 115200);
    feed_flow(10, 0, 100, 20000);
    feed_flow(10, 0, 100, 20000);
    fake.now_ns += 500000000;
    drain();
    assert_int_equal(sensor->state, SENSOR_RUNNING);
    fake.now_ns += 1;
    fake_feed(&fake, range_363, 7); /* ends within a frame: forgotten with the silence */
    drain();
    assert_int_equal(sensor->state, SENSOR_SILENT);
    assert_int_equal(sensor->counters.silences, 1);
    feed_flow(10, 0, 100, 20000);
    assert_int_equal(sensor->state, SENSOR_RUNNING);
    assert_int_equal(last()->valid, 0);
    assert_int_equal(sensor->counters.resynchronisations, 0);
}

static void garbage_first(void **state) {
    (void)state;
    fake_feed(&fake, (const uint8_t *)"X<$$X", 5);
    fake_feed(&fake, range_363, RANGE);
    drain();
    assert_int_equal(fake.n_samples, 1);
    assert_int_equal(sensor->counters.resynchronisations, 1);
    fake_feed(&fake, (const uint8_t *)"a", 1);
    drain();
    fake_feed(&fake, (const uint8_t *)"b", 1);
    drain();
    assert_int_equal(sensor->counters.resynchronisations, 2); /* once lost is once */
    assert_int_equal(sensor->counters.checksum_errors, 0);
}

static void corruption(void **state) {
    (void)state;
    for (int bit = 0; bit < RANGE * 8; ++bit) {
        start(NULL);
        uint8_t bad[RANGE];
        memcpy(bad, range_363, RANGE);
        bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
        fake_feed_at(&fake, bad, RANGE, 0, BYTE_COUNTS);
        for (uint32_t i = 0; i < 8; ++i) { /* a length that grew to 64 + 5 takes up to five more */
            fake_feed_at(&fake, range_355, RANGE, 840000 * (i + 1), BYTE_COUNTS);
        }
        drain();
        assert_int_equal(fake.n_samples, 8);
        for (size_t i = 0; i < 8; ++i) {
            assert_near(fake.samples[i].of.range.range, 0.355, 1e-7);
            assert_int_equal(fake.samples[i].count, 840000 * (i + 1) - BYTE_COUNTS);
        }
    }
    for (size_t cut = 0; cut < RANGE; ++cut) {
        start(NULL);
        fake_feed_at(&fake, range_363, cut, 0, BYTE_COUNTS);
        for (uint32_t i = 0; i < 8; ++i) {
            fake_feed_at(&fake, range_355, RANGE, 840000 * (i + 1), BYTE_COUNTS);
        }
        drain();
        assert_int_equal(fake.n_samples, 8);
    }
}

/* What a reader of the whole buffer finds from its beginning on: an 8-bit CRC lets one false frame
 * in 256 through, and then that is the frame. */
static size_t oracle(const uint8_t *bytes, size_t n) {
    size_t frames = 0;
    for (size_t i = 0; i + 9 <= n;) {
        size_t length = bytes[i + 6] + 256u * bytes[i + 7] + 9;
        if (memcmp(bytes + i, "$X<", 3) != 0 || length > FRAME_MAX || i + length > n ||
            crc(bytes + i + 3, length - 4) != bytes[i + length - 1]) {
            ++i;
            continue;
        }
        frames += bytes[i + 4] == 0x01 && bytes[i + 5] == 0x1F && length == RANGE;
        i += length;
    }
    return frames;
}

static void hostile(void **state) {
    (void)state;
    uint64_t random = 88172645463325252u;
    size_t frames = 0;
    size_t found = 0;
    for (size_t garbage = 0; garbage < 1000000;) {
        uint8_t bytes[128 + RANGE + FRAME_MAX] = {0};
        size_t n = fake_random(&random) % 128;
        for (size_t i = 0; i < n; ++i) {
            bytes[i] = (uint8_t)(fake_random(&random) >> 20);
        }
        if (n > 8 && n % 2 == 0) { /* a header that claims up to 63 bytes */
            memcpy(bytes + n - 8, range_363, 6);
            bytes[n - 2] &= 63;
            bytes[n - 1] = 0;
        }
        memcpy(bytes + n, range_355, RANGE);
        garbage += n;
        ++frames;
        size_t all = n + RANGE + FRAME_MAX; /* zeros end what the garbage began */
        size_t before = fake.n_samples;
        fake.now_ns += 40000000;
        fake_feed(&fake, bytes, all);
        drain();
        assert_int_equal(fake.n_samples - before, oracle(bytes, all));
        found += fake.n_samples - before;
    }
    print_message("%zu of %zu frames\n", found, frames);
    assert_true(found + frames / 256 > frames);
    assert_true(sensor->counters.checksum_errors > 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(golden, start),     cmocka_unit_test_setup(ranges, start),
        cmocka_unit_test_setup(flows, start),      cmocka_unit_test_setup(other_functions, start),
        cmocka_unit_test_setup(comes_back, start), cmocka_unit_test_setup(garbage_first, start),
        cmocka_unit_test_setup(corruption, start), cmocka_unit_test_setup(hostile, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
