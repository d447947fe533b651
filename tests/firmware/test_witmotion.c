/* Golden packets are written by hand from "WIT Standard Communication Protocol": a = raw / 32768 *
 * 16 g, w = raw / 32768 * 2000 degrees/s, q = raw / 32768, T = raw / 100. */
#include "tests/firmware/fake_serial.h"
#include "tests/support.h"

#include "firmware/drivers/witmotion.h"

static struct fake fake;
static struct witmotion wit;
static struct sensor *const sensor = &wit.sensor;

enum { PACKET = 11, SET = 33, BYTE_COUNTS = FAKE_HZ / 23040 };

static const uint8_t golden[SET] = {
    0x55, 0x51, 0x00, 0x00, 0x00, 0x00, 0x00, 0x08, 0xC4, 0x09, 0x7B, /* z 1 g, 25 degrees */
    0x55, 0x52, 0x00, 0x40, 0x00, 0x00, 0x00, 0xC0, 0x00, 0x00, 0xA7, /* x 1000, z -1000 / s */
    0x55, 0x59, 0xFF, 0x7F, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x2C, /* no rotation */
};

static int start(void **state) {
    (void)state;
    fake_init(&fake);
    sensor_start(&witmotion_driver, sensor, sizeof wit, &fake.bus, fake.now_ns);
    return 0;
}

static void sum(uint8_t *packet) {
    packet[10] = 0;
    for (int i = 0; i < 10; ++i) {
        packet[10] = (uint8_t)(packet[10] + packet[i]);
    }
}

/* A set whose x acceleration says its number. */
static void numbered(uint8_t set[SET], unsigned number) {
    memcpy(set, golden, SET);
    set[2] = (uint8_t)number;
    set[3] = (uint8_t)(number >> 8 & 0x3F);
    sum(set);
}

static void feed(const void *bytes, size_t n) {
    fake_feed(&fake, bytes, n);
    fake_drain(&witmotion_driver, sensor, &fake);
}

static void golden_set(void **state) {
    (void)state;
    fake_feed_at(&fake, golden, SET, 1000000, BYTE_COUNTS);
    fake_drain(&witmotion_driver, sensor, &fake);
    assert_int_equal(fake.n_samples, 1);
    const struct sensor_sample *s = fake.samples;
    assert_int_equal(s->kind, SENSOR_IMU);
    assert_int_equal(s->valid, SENSOR_VALID_ACCELERATION | SENSOR_VALID_RATE |
                                   SENSOR_VALID_ORIENTATION | SENSOR_VALID_TEMPERATURE);
    assert_int_equal(s->count, 1000000 - BYTE_COUNTS);
    assert_near(s->of.imu.acceleration[0], 0, 0);
    assert_near(s->of.imu.acceleration[2], 9.80665, 1e-6);
    assert_near(s->of.imu.rate[0], 17.45329252, 1e-5);
    assert_near(s->of.imu.rate[2], -17.45329252, 1e-5);
    assert_near(s->of.imu.orientation[0], 0.999969482, 1e-7);
    assert_near(s->of.imu.temperature, 25.0, 1e-5);
    assert_int_equal(sensor->counters.bytes, SET);
    assert_int_equal(sensor->counters.resynchronisations, 0);
}

static void without_quaternion(void **state) {
    (void)state;
    uint8_t set[SET];
    for (unsigned i = 0; i < 3; ++i) {
        numbered(set, 100 + i);
        fake_feed_at(&fake, set, 2 * PACKET, 1000 + i * 420000, BYTE_COUNTS);
    }
    fake_drain(&witmotion_driver, sensor, &fake);
    assert_int_equal(fake.n_samples, 2); /* the third ends with the fourth's beginning */
    assert_int_equal(fake.samples[1].valid,
                     SENSOR_VALID_ACCELERATION | SENSOR_VALID_RATE | SENSOR_VALID_TEMPERATURE);
    assert_int_equal(fake.samples[1].count, 1000 + 420000 - BYTE_COUNTS);
}

static void other_packets_between(void **state) {
    (void)state;
    uint8_t time[PACKET] = {0x55, 0x50, 26, 11, 21, 12, 0, 0, 0, 0};
    uint8_t angle[PACKET] = {0x55, 0x53, 1, 2, 3, 4, 5, 6, 7, 8};
    sum(time);
    sum(angle);
    feed(time, PACKET);
    feed(golden, 2 * PACKET);
    feed(angle, PACKET);
    feed(golden + 2 * PACKET, PACKET);
    assert_int_equal(fake.n_samples, 1);
    assert_true(fake.samples[0].valid & SENSOR_VALID_ORIENTATION);
    assert_int_equal(sensor->counters.resynchronisations, 0);
}

/* A lost packet never puts two instants into one sample. */
static void lost_packets(void **state) {
    (void)state;
    uint32_t period = FAKE_HZ / 200;
    fake_feed_at(&fake, golden, PACKET, 0, BYTE_COUNTS); /* 51, then 52 and 59 of the next */
    fake_feed_at(&fake, golden + PACKET, 2 * PACKET, period + PACKET * BYTE_COUNTS, BYTE_COUNTS);
    fake_drain(&witmotion_driver, sensor, &fake);
    assert_int_equal(fake.n_samples, 0);
    assert_int_equal(sensor->counters.resynchronisations, 1);
    fake_feed_at(&fake, golden, SET, 2 * period, BYTE_COUNTS);
    fake_drain(&witmotion_driver, sensor, &fake);
    assert_int_equal(fake.n_samples, 1);
    assert_int_equal(fake.samples[0].count, 2 * period - BYTE_COUNTS);
}

static void one_wrong(const uint8_t *set, uint16_t bit) {
    size_t before = fake.n_samples;
    uint32_t failures = sensor->counters.range_failures;
    fake.now_ns += 5000000;
    feed(set, SET);
    assert_int_equal(fake.n_samples, before + 1);
    assert_int_equal(fake.samples[before].valid & bit, 0);
    assert_int_not_equal(fake.samples[before].valid, 0);
    assert_int_equal(sensor->counters.range_failures, failures + 1);
}

static void ranges(void **state) {
    (void)state;
    static const struct {
        uint8_t at, value[2];
        uint16_t bit;
    } wrong[] = {
        {2, {0xFF, 0x7F}, SENSOR_VALID_ACCELERATION},             /* saturated */
        {4, {0x00, 0x80}, SENSOR_VALID_ACCELERATION},             /* saturated */
        {6, {0x00, 0x00}, SENSOR_VALID_ACCELERATION},             /* dead: no gravity, no noise */
        {8, {0x35, 0x21}, SENSOR_VALID_TEMPERATURE},              /* 85.01 */
        {8, {0x5F, 0xF0}, SENSOR_VALID_TEMPERATURE},              /* -40.01 */
        {PACKET + 2, {0x01, 0x80}, SENSOR_VALID_RATE},            /* saturated */
        {2 * PACKET + 2, {0x00, 0x7E}, SENSOR_VALID_ORIENTATION}, /* norm 0.984 */
        {2 * PACKET + 2, {0x00, 0x00}, SENSOR_VALID_ORIENTATION},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
        uint8_t set[SET];
        memcpy(set, golden, SET);
        memcpy(set + wrong[i].at, wrong[i].value, 2);
        for (int p = 0; p < 3; ++p) {
            sum(set + p * PACKET);
        }
        one_wrong(set, wrong[i].bit);
    }
}

static void limits(void **state) {
    (void)state;
    static const uint8_t temperatures[2][2] = {{0x34, 0x21}, {0x60, 0xF0}}; /* 85.00, -40.00 */
    for (int i = 0; i < 2; ++i) {
        uint8_t set[SET];
        memcpy(set, golden, SET);
        memcpy(set + 8, temperatures[i], 2);
        memcpy(set + 2, "\xFE\x7F\x02\x80", 4); /* the last of 16 g */
        memcpy(set + PACKET + 2, "\xFE\x7F\x02\x80", 4);
        sum(set);
        sum(set + PACKET);
        fake.now_ns += 5000000;
        feed(set, SET);
    }
    assert_int_equal(fake.n_samples, 2);
    assert_int_equal(sensor->counters.range_failures, 0);
    assert_near(fake.samples[0].of.imu.temperature, 85, 1e-5);
    assert_near(fake.samples[1].of.imu.temperature, -40, 1e-5);
    assert_near(fake.samples[1].of.imu.acceleration[0], 16 * 9.80665 * 32766 / 32768, 1e-4);
}

static void time_backwards(void **state) {
    (void)state;
    fake_feed_at(&fake, golden, SET, 5000000, BYTE_COUNTS);
    fake_feed_at(&fake, golden, SET, 4000000, BYTE_COUNTS);
    fake_feed_at(&fake, golden, SET, 4420000, BYTE_COUNTS);
    fake_drain(&witmotion_driver, sensor, &fake);
    assert_int_equal(fake.n_samples, 3);
    assert_int_equal(fake.samples[1].valid, 0);
    assert_int_not_equal(fake.samples[2].valid, 0);
    /* The timer wraps without being backwards. */
    fake_init(&fake);
    sensor_start(&witmotion_driver, sensor, sizeof wit, &fake.bus, fake.now_ns);
    fake_feed_at(&fake, golden, SET, 0xFFFFFFFFu - 100000, BYTE_COUNTS);
    fake_feed_at(&fake, golden, SET, 320000, BYTE_COUNTS);
    fake_drain(&witmotion_driver, sensor, &fake);
    assert_int_not_equal(fake.samples[1].valid, 0);
}

static void corruption(void **state) {
    (void)state;
    /* Each single bit wrong anywhere in the first set: the second comes whole. */
    for (int bit = 0; bit < SET * 8; ++bit) {
        start(NULL);
        uint8_t set[SET];
        memcpy(set, golden, SET);
        set[bit / 8] ^= (uint8_t)(1 << bit % 8);
        fake_feed_at(&fake, set, SET, 0, BYTE_COUNTS);
        fake_feed_at(&fake, golden, SET, 420000, BYTE_COUNTS);
        fake_drain(&witmotion_driver, sensor, &fake);
        assert_true(fake.n_samples >= 1);
        const struct sensor_sample *last = &fake.samples[fake.n_samples - 1];
        assert_int_equal(last->count, 420000 - BYTE_COUNTS);
        assert_near(last->of.imu.acceleration[2], 9.80665, 1e-6);
        assert_true(sensor->counters.resynchronisations > 0);
    }
    /* Cut anywhere. */
    for (int cut = 0; cut < SET; ++cut) {
        start(NULL);
        fake_feed_at(&fake, golden, (size_t)cut, 0, BYTE_COUNTS);
        fake_feed_at(&fake, golden, SET, 420000, BYTE_COUNTS);
        fake_drain(&witmotion_driver, sensor, &fake);
        assert_true(fake.n_samples >= 1);
        assert_int_equal(fake.samples[fake.n_samples - 1].count, 420000 - BYTE_COUNTS);
    }
}

/* A million random bytes with sets between: all come out. */
static void hostile(void **state) {
    (void)state;
    uint64_t random = 0x9E3779B97F4A7C15u;
    size_t garbage = 0;
    unsigned sets = 0;
    unsigned found = 0;
    uint32_t count = 0;
    while (garbage < 1000000) {
        uint8_t bytes[64];
        size_t n = fake_random(&random) % sizeof bytes;
        for (size_t i = 0; i < n; ++i) {
            bytes[i] = (uint8_t)(fake_random(&random) >> 13);
        }
        fake_feed_at(&fake, bytes, n, count, BYTE_COUNTS);
        garbage += n;
        count += 420000;
        numbered(bytes, ++sets);
        fake_feed_at(&fake, bytes, SET, count - SET * BYTE_COUNTS, BYTE_COUNTS);
        fake.n_samples = 0;
        fake.now_ns += 5000000;
        fake_drain(&witmotion_driver, sensor, &fake);
        /* What the garbage begins may hold the set back, until its end is there. */
        uint8_t end[PACKET] = {0};
        fake_feed_at(&fake, end, PACKET, count, 1);
        fake_drain(&witmotion_driver, sensor, &fake);
        for (size_t i = 0; i < fake.n_samples; ++i) {
            float expected = (float)(sets & 0x3FFF) * (16 * SENSOR_GRAVITY / 32768);
            if (fake.samples[i].of.imu.acceleration[0] == expected) {
                ++found;
                break;
            }
        }
    }
    /* An 8-bit sum lets one false packet in 256 through, and one that begins in the ten bytes
     * before a set takes its head: sets * 10 / 4096 / 256 = 0.3 are expected to go, and more than 3
     * in one run of 3000 only. */
    print_message("%u of %u sets\n", found, sets);
    assert_true(found + 3 >= sets);
    assert_true(sensor->counters.checksum_errors > 100);
}

/* A module: takes commands at its own rate when unlocked; of two kinds, which take a new rate at
 * once or when they start. */
struct module {
    uint32_t rate, saved_rate;
    bool at_once;
    unsigned content, code, saved_content, saved_code; /* registers 2 and 3 */
    uint32_t asked_rate;
    bool unlocked;
    uint8_t in[5];
    size_t n;
    uint64_t next_ns;
    unsigned saves;
};

static void power_up(struct module *m, uint64_t now_ns) {
    m->rate = m->asked_rate = m->saved_rate;
    m->content = m->saved_content;
    m->code = m->saved_code;
    m->unlocked = false;
    m->n = 0;
    m->next_ns = now_ns + 500000000;
}

static void obey(struct fake *f, struct module *m) {
    unsigned value = m->in[3] + 256u * m->in[4];
    if (m->in[2] == 0x69) {
        m->unlocked = value == 0xB588;
    } else if (!m->unlocked) {
        return;
    } else if (m->in[2] == 0x02) {
        m->content = value;
    } else if (m->in[2] == 0x03) {
        m->code = value;
    } else if (m->in[2] == 0x04) {
        m->asked_rate = value == 7 ? 230400 : value == 6 ? 115200 : 9600;
        m->rate = m->at_once ? m->asked_rate : m->rate;
    } else if (m->in[2] == 0x00 && value == 0xFF) {
        power_up(m, f->now_ns);
    } else if (m->in[2] == 0x00 && value == 0) {
        m->saved_rate = m->asked_rate;
        m->saved_content = m->content;
        m->saved_code = m->code;
        ++m->saves;
    }
}

static void hear(struct fake *f, uint8_t byte) {
    struct module *m = f->device_state;
    static const uint8_t head[] = {0xFF, 0xAA};
    if (f->rate != m->rate || (m->n < 2 && byte != head[m->n])) {
        m->n = 0;
        return;
    }
    m->in[m->n++] = byte;
    if (m->n == 5) {
        m->n = 0;
        obey(f, m);
    }
}

static void go_on(struct module *m, unsigned ms) {
    static const unsigned period_ms[16] = {[6] = 100, [8] = 20, [9] = 10, [0x0B] = 5};
    for (unsigned i = 0; i < ms; ++i) {
        fake.now_ns += 1000000;
        if (fake.now_ns >= m->next_ns && period_ms[m->code & 15] != 0) {
            m->next_ns = fake.now_ns + period_ms[m->code & 15] * 1000000ull;
            for (unsigned p = 0; p < 3; ++p) {
                static const unsigned bit[] = {1, 2, 9};
                if (fake.rate == m->rate && m->content >> bit[p] & 1) {
                    fake_feed_at(&fake, golden + p * PACKET, PACKET, fake_count(&fake) + p * PACKET,
                                 1);
                }
            }
        }
        fake_poll(&witmotion_driver, sensor, &fake);
    }
}

static void brings_up(uint32_t rate, bool at_once, unsigned within_ms) {
    start(NULL);
    struct module m = {.saved_rate = rate, .saved_content = 0x1E, .saved_code = 6};
    m.at_once = at_once;
    power_up(&m, fake.now_ns);
    fake.device = hear;
    fake.device_state = &m;
    go_on(&m, within_ms);
    assert_string_equal(sensor_state_name(sensor->state), "running");
    assert_int_equal(m.rate, 230400);
    assert_int_equal(m.saved_rate, 230400);
    assert_int_equal(m.saved_code, 0x0B);
    assert_int_equal(m.saved_content, 0x206);
    assert_int_equal(fake.samples[fake.n_samples - 1].valid,
                     SENSOR_VALID_ACCELERATION | SENSOR_VALID_RATE | SENSOR_VALID_ORIENTATION |
                         SENSOR_VALID_TEMPERATURE);

    /* Its power goes and comes: it has kept all, is heard again, and its flash is left alone. */
    unsigned saves = m.saves;
    power_up(&m, fake.now_ns);
    go_on(&m, 600);
    assert_int_equal(sensor->state, SENSOR_RUNNING);
    assert_int_equal(sensor->counters.silences, 1);
    assert_int_equal(sensor->counters.restarts, 0);
    size_t before = fake.n_samples;
    go_on(&m, 1000);
    assert_int_equal(fake.n_samples - before, 200);
    assert_int_equal(m.saves, saves);
}

static void brings_up_new_modules(void **state) {
    (void)state;
    brings_up(9600, true, 6000);
    brings_up(9600, false, 6000);
    brings_up(115200, true, 9000);
    brings_up(115200, false, 9000);
    brings_up(230400, true, 3500);
    brings_up(230400, false, 3500);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(golden_set, start),
        cmocka_unit_test_setup(without_quaternion, start),
        cmocka_unit_test_setup(other_packets_between, start),
        cmocka_unit_test_setup(lost_packets, start),
        cmocka_unit_test_setup(ranges, start),
        cmocka_unit_test_setup(limits, start),
        cmocka_unit_test_setup(time_backwards, start),
        cmocka_unit_test_setup(corruption, start),
        cmocka_unit_test_setup(hostile, start),
        cmocka_unit_test_setup(brings_up_new_modules, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
