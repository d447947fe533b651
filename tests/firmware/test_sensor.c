/* Supervision, with a driver that has nothing in it but counting: a packet is the byte 'P'. */
#include "tests/firmware/fake_serial.h"
#include "tests/support.h"

struct toy {
    struct sensor sensor;
    unsigned resets, configured, edges, fetches;
    bool gone;
};

static struct fake fake;
static struct toy toy;
static struct sensor *const sensor = &toy.sensor;

enum { RATE = 57600, PERIOD_US = 10000, SILENT_US = 100000, LISTEN_US = 200000 };

static struct toy *of(struct sensor *s) {
    return (struct toy *)(void *)s;
}

static void reset(struct sensor *s) {
    ++of(s)->resets;
}

static void receive(struct sensor *s, uint8_t byte, uint32_t count,
                    const struct sensor_sink *sink) {
    struct sensor_sample sample = {
        .count = sensor_byte_start(s, count), .kind = SENSOR_RANGE, .valid = SENSOR_VALID_RANGE};
    if (byte == 'P') {
        sensor_alive(s);
        sensor_emit(s, &sample, sink);
    } else if (byte == 'A') {
        s->answer = SENSOR_ANSWER_YES;
    }
}

/* Asks at 9600 and then at RATE, each a step of 50 ms; goes on at once when answered; listens. */
static enum sensor_step configure(struct sensor *s, const struct sensor_bus *bus,
                                  uint32_t *wait_us);

static bool fetch(struct sensor *s, const struct sensor_bus *bus, uint32_t now_count,
                  const struct sensor_sink *sink) {
    (void)bus;
    (void)now_count;
    (void)sink;
    ++of(s)->fetches;
    return !of(s)->gone;
}

static void edge(struct sensor *s, uint32_t count) {
    of(s)->edges += count;
}

static const struct sensor_driver driver = {
    .name = "toy",
    .rate = RATE,
    .period_us = PERIOD_US,
    .silent_us = SILENT_US,
    .listen_us = LISTEN_US,
    .pause_us = 100000,
    .reset = reset,
    .configure = configure,
    .receive = receive,
    .fetch = fetch,
    .edge = edge,
};

static enum sensor_step configure(struct sensor *s, const struct sensor_bus *bus,
                                  uint32_t *wait_us) {
    static const uint8_t ask = '?';
    ++of(s)->configured;
    switch (s->step++) {
    case 0:
        sensor_set_rate(&driver, s, bus, 9600);
        *wait_us = 50000;
        return sensor_send(s, bus, &ask, 1) ? SENSOR_STEP_WAIT : SENSOR_STEP_FAILED;
    case 1:
        s->answer = SENSOR_ANSWER_NONE;
        sensor_set_rate(&driver, s, bus, RATE);
        *wait_us = 200000;
        return SENSOR_STEP_LISTEN;
    default:
        return SENSOR_STEP_FAILED;
    }
}

static int start(void **state) {
    (void)state;
    fake_init(&fake);
    sensor_start(&driver, sensor, sizeof toy, &fake.bus, fake.now_ns);
    return 0;
}

/* ms of time, with a packet each `packet_ms` (0: none). */
static void go_on(unsigned ms, unsigned packet_ms) {
    for (unsigned i = 1; i <= ms; ++i) {
        fake.now_ns += 1000000;
        if (packet_ms != 0 && i % packet_ms == 0) {
            fake_feed(&fake, (const uint8_t *)"P", 1);
        }
        fake_poll(&driver, sensor, &fake);
    }
}

static void names(void **state) {
    (void)state;
    assert_string_equal(sensor_state_name(SENSOR_OFF), "off");
    assert_string_equal(sensor_state_name(SENSOR_LISTENING), "listening");
    assert_string_equal(sensor_state_name(SENSOR_CONFIGURING), "configuring");
    assert_string_equal(sensor_state_name(SENSOR_RUNNING), "running");
    assert_string_equal(sensor_state_name(SENSOR_SILENT), "silent");
    assert_string_equal(sensor_state_name((enum sensor_state)99), "unknown");
}

static void off(void **state) {
    (void)state;
    memset(&toy, 0, sizeof toy);
    go_on(100, 10);
    sensor_edge(&driver, sensor, 1);
    assert_int_equal(fake.n_samples, 0);
    assert_int_equal(toy.edges, 0);
}

static void runs_already(void **state) {
    (void)state;
    assert_int_equal(sensor->state, SENSOR_LISTENING);
    assert_int_equal(fake.rate, RATE);
    go_on(39, 10);
    assert_int_equal(sensor->state, SENSOR_LISTENING);
    assert_int_equal(toy.fetches, 0);
    go_on(1, 1); /* the fourth */
    assert_int_equal(sensor->state, SENSOR_RUNNING);
    go_on(10, 10);
    assert_int_equal(toy.fetches, 10);
    go_on(5000, 10);
    assert_int_equal(sensor->state, SENSOR_RUNNING);
    assert_int_equal(toy.configured, 0);
    assert_int_equal(sensor->counters.samples, 505);
    assert_int_equal(sensor->counters.bytes, 505);
    /* Stamps: a byte at 57600 bits/s is 14583 counts of 84 MHz. */
    assert_int_equal(fake.samples[0].count, 1010000000u / 1000 * 84 - 14583);
    sensor_edge(&driver, sensor, 7);
    assert_int_equal(toy.edges, 7);
}

/* The count wraps while nothing comes: what is after that is not before. */
static void wraps_in_silence(void **state) {
    (void)state;
    go_on(100, 10);
    go_on(30000, 0); /* 2.52e9 counts */
    size_t before = fake.n_samples;
    go_on(20, 10);
    assert_int_equal(fake.n_samples, before + 2);
    assert_int_equal(fake.samples[before].valid, SENSOR_VALID_RANGE);
    assert_int_equal(fake.samples[before + 1].valid, SENSOR_VALID_RANGE);
    /* Within seconds the same count twice is wrong. */
    fake_feed(&fake, (const uint8_t *)"P", 1);
    go_on(1, 0);
    assert_int_equal(fake.samples[before + 2].valid, 0);
    assert_int_equal(sensor->counters.range_failures, 1);
}

/* Half the rate is taken, a tenth is not. */
static void runs_too_slowly(void **state) {
    (void)state;
    go_on(199, 20);
    assert_int_equal(sensor->state, SENSOR_RUNNING);
    start(NULL);
    go_on(199, 30);
    assert_int_equal(sensor->state, SENSOR_LISTENING);
    go_on(2, 0);
    assert_int_equal(sensor->state, SENSOR_CONFIGURING);
}

static void configured(void **state) {
    (void)state;
    go_on(200, 0);
    assert_int_equal(sensor->state, SENSOR_CONFIGURING);
    go_on(1, 0);
    assert_int_equal(toy.configured, 1);
    assert_int_equal(fake.rate, 9600);
    assert_int_equal(fake.sent[0], '?');
    go_on(49, 0);
    assert_int_equal(toy.configured, 1);
    go_on(1, 0);
    assert_int_equal(toy.configured, 2);
    assert_int_equal(fake.rate, RATE);
    unsigned fetches = toy.fetches;
    go_on(100, 10);
    assert_int_equal(sensor->state, SENSOR_RUNNING);
    assert_int_equal(toy.fetches - fetches, 100);
    assert_int_equal(sensor->counters.restarts, 0);
}

/* What was said before anything was asked is no answer. */
static void answers_too_early(void **state) {
    (void)state;
    fake_feed(&fake, (const uint8_t *)"A", 1);
    go_on(201, 0);
    assert_int_equal(toy.configured, 1);
    go_on(49, 0);
    assert_int_equal(toy.configured, 1);
    assert_int_equal(toy.fetches, 0);
}

/* An answer saves the wait. */
static void answers(void **state) {
    (void)state;
    go_on(202, 0);
    assert_int_equal(toy.configured, 1);
    fake_feed(&fake, (const uint8_t *)"A", 1);
    go_on(1, 0);
    assert_int_equal(toy.configured, 2);
}

static void falls_silent(void **state) {
    (void)state;
    go_on(100, 10);
    assert_int_equal(sensor->state, SENSOR_RUNNING);
    go_on(100, 0);
    assert_int_equal(sensor->state, SENSOR_RUNNING);
    go_on(1, 0);
    assert_int_equal(sensor->state, SENSOR_SILENT);
    assert_int_equal(sensor->counters.silences, 1);
    unsigned fetches = toy.fetches;
    go_on(20, 0);
    assert_int_equal(toy.fetches, fetches);
    go_on(1, 1);
    assert_int_equal(sensor->state, SENSOR_SILENT); /* one packet is not a running device */
    /* Comes back by itself, without being told. */
    go_on(60, 10);
    assert_int_equal(sensor->state, SENSOR_RUNNING);
    assert_int_equal(sensor->counters.restarts, 0);
    /* Does not: told again after 100 ms. */
    go_on(201, 0);
    assert_int_equal(sensor->counters.silences, 2);
    assert_int_equal(sensor->state, SENSOR_CONFIGURING);
    assert_int_equal(sensor->counters.restarts, 1);
    go_on(60, 0);
    go_on(60, 10);
    assert_int_equal(sensor->state, SENSOR_RUNNING);
}

/* The pause doubles from 0.1 s to 12.8 s and starts again from 0.1 s after a success. */
static void backs_off(void **state) {
    (void)state;
    unsigned attempts[60];
    unsigned n = 0;
    unsigned before = 0;
    for (unsigned ms = 0; ms < 120000; ++ms) {
        go_on(1, 0);
        if (sensor->counters.restarts != before && n < 60) {
            before = sensor->counters.restarts;
            attempts[n++] = ms;
        }
    }
    assert_int_equal(sensor->counters.silences, 0); /* it was never there */
    for (unsigned i = 1; i < n; ++i) {
        unsigned pause = attempts[i] - attempts[i - 1];
        unsigned expected = (100u << (i < 7 ? i : 7)) + 250; /* an attempt takes 250 ms */
        assert_in_range(pause, expected, expected + 5);
    }
    assert_in_range(n, 14, 15);
    go_on(13500, 10);
    assert_int_equal(sensor->state, SENSOR_RUNNING);
    go_on(202, 0);
    assert_int_equal(sensor->state, SENSOR_CONFIGURING);
}

static enum sensor_step never_ends(struct sensor *s, const struct sensor_bus *bus,
                                   uint32_t *wait_us) {
    (void)bus;
    ++of(s)->configured;
    *wait_us = 0;
    return SENSOR_STEP_WAIT;
}

static void attempt_is_bounded(void **state) {
    (void)state;
    struct sensor_driver endless = driver;
    endless.configure = never_ends;
    endless.listen_us = 0;
    sensor_start(&endless, sensor, sizeof toy, &fake.bus, fake.now_ns);
    assert_int_equal(sensor->state, SENSOR_CONFIGURING);
    for (int i = 0; i < 97; ++i) {
        fake.now_ns += 1000;
        fake_poll(&endless, sensor, &fake);
    }
    assert_int_equal(toy.configured, 96);
    assert_int_equal(sensor->state, SENSOR_SILENT);
}

static void nothing_to_configure(void **state) {
    (void)state;
    struct sensor_driver plain = driver;
    plain.configure = NULL;
    sensor_start(&plain, sensor, sizeof toy, &fake.bus, fake.now_ns);
    for (int i = 0; i < 250; ++i) {
        fake.now_ns += 1000000;
        fake_poll(&plain, sensor, &fake);
    }
    assert_int_equal(sensor->state, SENSOR_SILENT);
    for (int i = 0; i < 30000; ++i) {
        fake.now_ns += 1000000;
        fake_poll(&plain, sensor, &fake);
    }
    assert_int_equal(sensor->state, SENSOR_SILENT);
    assert_int_equal(sensor->counters.silences, 1);
    assert_int_equal(sensor->counters.restarts, 0);
    fake_feed(&fake, (const uint8_t *)"P", 1);
    fake_poll(&plain, sensor, &fake);
    assert_int_equal(sensor->state, SENSOR_RUNNING);
}

static void device_is_gone(void **state) {
    (void)state;
    go_on(100, 10);
    toy.gone = true;
    go_on(1, 10);
    assert_int_equal(sensor->state, SENSOR_SILENT);
    assert_int_equal(sensor->counters.silences, 1);
}

static void port_troubles(void **state) {
    (void)state;
    fake.refuses_rate = true;
    start(NULL);
    fake.refuses_rate = true;
    fake.takes = 0;
    go_on(202, 0);
    assert_int_equal(sensor->state, SENSOR_SILENT); /* could not send */
    assert_in_range(sensor->counters.bus_errors, 2, 5);
    fake.lost = 5;
    go_on(1, 0);
    assert_int_equal(sensor->counters.lost_bytes, 5);
    fake.lost = 8;
    go_on(1, 0);
    assert_int_equal(sensor->counters.lost_bytes, 8);
    /* Begun again, it has not lost what was lost before. */
    sensor_start(&driver, sensor, sizeof toy, &fake.bus, fake.now_ns);
    fake.lost = 9;
    go_on(1, 0);
    assert_int_equal(sensor->counters.lost_bytes, 1);
}

/* However much waits in the port, one poll takes a bounded part of it. */
static void poll_is_bounded(void **state) {
    (void)state;
    static uint8_t flood[10000];
    fake_feed(&fake, flood, sizeof flood);
    fake_poll(&driver, sensor, &fake);
    assert_int_equal(fake.head, SENSOR_BYTES_A_POLL);
}

static void without_a_port(void **state) {
    (void)state;
    struct sensor_bus bus = {.count_hz = FAKE_HZ};
    sensor_start(&driver, sensor, sizeof toy, &bus, fake.now_ns);
    for (int i = 0; i < 1000; ++i) {
        fake.now_ns += 1000000;
        sensor_poll(&driver, sensor, &bus, fake.now_ns, 0, &fake.sink);
    }
    assert_int_not_equal(sensor->state, SENSOR_RUNNING);
    assert_in_range(sensor->counters.bus_errors, 1, 100);
    assert_int_equal(sensor_byte_start(sensor, 1234), 1234); /* no rate, nothing to subtract */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(names, start),
        cmocka_unit_test_setup(off, start),
        cmocka_unit_test_setup(runs_already, start),
        cmocka_unit_test_setup(runs_too_slowly, start),
        cmocka_unit_test_setup(configured, start),
        cmocka_unit_test_setup(answers, start),
        cmocka_unit_test_setup(answers_too_early, start),
        cmocka_unit_test_setup(wraps_in_silence, start),
        cmocka_unit_test_setup(falls_silent, start),
        cmocka_unit_test_setup(backs_off, start),
        cmocka_unit_test_setup(attempt_is_bounded, start),
        cmocka_unit_test_setup(nothing_to_configure, start),
        cmocka_unit_test_setup(device_is_gone, start),
        cmocka_unit_test_setup(port_troubles, start),
        cmocka_unit_test_setup(poll_is_bounded, start),
        cmocka_unit_test_setup(without_a_port, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
