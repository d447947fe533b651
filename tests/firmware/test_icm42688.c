#include "tests/firmware/fake_serial.h"
#include "tests/firmware/icm42688_model.h"
#include "tests/support.h"

#include <math.h>

#include "firmware/drivers/icm42688.h"

static struct fake fake; /* its sink and its time; no port */
static struct icm42688_model model;
static struct icm42688 icm;
static struct sensor *const sensor = &icm.sensor;

enum { COUNTS_A_SAMPLE = FAKE_HZ / 1000 };

static int start(void **state) {
    (void)state;
    fake_init(&fake);
    icm42688_model_init(&model);
    model.now_ns = fake.now_ns;
    fake.bus = (struct sensor_bus){.spi = &model.spi, .count_hz = FAKE_HZ};
    sensor_start(&icm42688_driver, sensor, sizeof icm, &fake.bus, fake.now_ns);
    return 0;
}

static uint32_t count_at(uint64_t ns) {
    return (uint32_t)(ns * (FAKE_HZ / 1000000) / 1000);
}

/* ms of time with a poll each step_us. */
static void go_on(unsigned ms, unsigned step_us) {
    uint64_t end = fake.now_ns + ms * 1000000ull;
    while (fake.now_ns < end) {
        fake.now_ns += step_us * 1000ull;
        icm42688_model_advance(&model, fake.now_ns);
        for (size_t i = 0; i < model.n_edges; ++i) {
            sensor_edge(&icm42688_driver, sensor, count_at(model.edges_ns[i]));
        }
        model.n_edges = 0;
        fake_poll(&icm42688_driver, sensor, &fake);
    }
}

static const struct sensor_sample *last(void) {
    return &fake.samples[fake.n_samples - 1];
}

/* The number that the model gave the sample. */
static uint64_t number(const struct sensor_sample *s) {
    return (uint64_t)lroundf(s->of.imu.acceleration[0] / (SENSOR_GRAVITY / (4 * 8192)) / 4);
}

/* Largest error of the stamps from sample `from` on, in counts; and all of them are in a row. */
static uint32_t stamp_error(size_t from) {
    uint32_t worst = 0;
    size_t n = fake.n_samples < FAKE_SAMPLES ? fake.n_samples : FAKE_SAMPLES;
    for (size_t i = from; i < n; ++i) {
        const struct sensor_sample *s = &fake.samples[i];
        int32_t error = (int32_t)(s->count - count_at(icm42688_model_time(&model, number(s))));
        uint32_t size = (uint32_t)(error < 0 ? -error : error);
        worst = size > worst ? size : worst;
        assert_true(i == from || number(s) == number(s - 1) + 1);
    }
    return worst;
}

static void golden(void **state) {
    (void)state;
    assert_int_equal(sensor->state, SENSOR_CONFIGURING);
    go_on(200, 1000);
    assert_string_equal(sensor_state_name(sensor->state), "running");
    /* 258 Hz anti-alias filters in banks 1 and 2, and bank 0 is selected again. */
    assert_int_equal(model.registers[1][0x0C], 6);
    assert_int_equal(model.registers[1][0x0D], 36);
    assert_int_equal(model.registers[1][0x0E], 0xA0);
    assert_int_equal(model.registers[2][0x03], 12);
    assert_int_equal(model.registers[2][0x04], 36);
    assert_int_equal(model.registers[2][0x05], 0xA0);
    static const uint8_t expected[][2] = {{0x14, 0x03}, {0x16, 0x40}, {0x4C, 0x33}, {0x4E, 0x0F},
                                          {0x4F, 0x06}, {0x50, 0x06}, {0x54, 0x21}, {0x5F, 0x57},
                                          {0x60, 160},  {0x61, 0},    {0x64, 0},    {0x65, 0x04}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; ++i) {
        assert_int_equal(model.registers[0][expected[i][0]], expected[i][1]);
    }
    assert_int_equal(model.bank, 0);
    assert_int_equal(sensor->counters.bytes, 20 * sensor->counters.samples);

    const struct sensor_sample *s = last();
    assert_int_equal(s->kind, SENSOR_IMU);
    assert_int_equal(s->valid,
                     SENSOR_VALID_ACCELERATION | SENSOR_VALID_RATE | SENSOR_VALID_TEMPERATURE);
    assert_near(s->of.imu.acceleration[2], 9.80665, 1e-6);
    assert_near(s->of.imu.rate[0], 1.57079633, 1e-6);
    assert_near(s->of.imu.rate[1], -3.14159265, 1e-6);
    assert_near(s->of.imu.temperature, 25, 1e-6);
    assert_int_equal(sensor->counters.range_failures, 0);
    assert_int_equal(sensor->counters.lost_samples, 0);
    assert_int_equal(sensor->counters.bus_errors, 0);
}

static void rates_of(int64_t period_ps, unsigned step_us) {
    start(NULL);
    model.period_ps = period_ps;
    go_on(2200, step_us);
    assert_int_equal(sensor->state, SENSOR_RUNNING);
    assert_in_range(fake.n_samples, 2000, 2200);
    assert_int_equal(sensor->counters.resynchronisations, 0);
    assert_int_equal(sensor->counters.range_failures, 0);
    /* At once within what the nominal period is wrong by, later to 2 us. */
    assert_in_range(stamp_error(0), 0, COUNTS_A_SAMPLE / 5);
    assert_in_range(stamp_error(500), 0, 2 * FAKE_HZ / 1000000);
}

/* The sensor's clock is right, 1 % fast, 1 % slow; polls come often, seldom, and at odd times. */
static void stamps(void **state) {
    (void)state;
    static const int64_t periods[] = {1000000000, 990000000, 1010000000};
    static const unsigned steps[] = {100, 1000, 3700, 5000, 14000};
    for (size_t p = 0; p < 3; ++p) {
        for (size_t s = 0; s < 5; ++s) {
            rates_of(periods[p], steps[s]);
        }
    }
}

/* The timer wraps every 51 s; the index and the anchor go on. */
static void long_run(void **state) {
    (void)state;
    go_on(29000, 4000);
    fake.n_samples = 0;
    go_on(1000, 4000);
    assert_in_range(fake.n_samples, 990, 1010);
    assert_in_range(stamp_error(0), 0, FAKE_HZ / 1000000);
    assert_int_equal(sensor->counters.resynchronisations, 0);
    assert_int_equal(sensor->counters.silences, 0);
}

static void without_the_pin(void **state) {
    (void)state;
    model.no_pin = true;
    go_on(3000, 1000);
    assert_int_equal(sensor->state, SENSOR_RUNNING);
    assert_in_range(fake.n_samples, 2900, 3000);
    assert_in_range(stamp_error(0), 0, 3 * COUNTS_A_SAMPLE / 2);
    assert_in_range(stamp_error(1500), 0, COUNTS_A_SAMPLE);
    /* The pin comes back: exact again. */
    model.no_pin = false;
    go_on(100, 1000);
    fake.n_samples = 0;
    go_on(500, 1000);
    assert_in_range(stamp_error(0), 0, 2 * FAKE_HZ / 1000000);
    /* And goes. */
    model.no_pin = true;
    fake.n_samples = 0;
    go_on(500, 1000);
    assert_in_range(fake.n_samples, 480, 520);
    assert_int_equal(sensor->state, SENSOR_RUNNING);
}

static void spikes_on_the_pin(void **state) {
    (void)state;
    go_on(500, 1000);
    fake.n_samples = 0;
    for (int i = 0; i < 40; ++i) {
        go_on(13, 1000);
        sensor_edge(&icm42688_driver, sensor, fake_count(&fake) - 35000);
    }
    go_on(300, 1000);
    assert_in_range(fake.n_samples, 810, 830);
    assert_int_equal(sensor->counters.range_failures, 40);
    assert_int_equal(sensor->counters.resynchronisations, 0);
    assert_in_range(stamp_error(0), 0, 2 * FAKE_HZ / 1000000);
    /* One right after the FIFO was emptied is not taken for the mark's. */
    for (unsigned after = 1; after < 12; ++after) {
        start(NULL);
        go_on(54, 1000); /* begins to listen */
        go_on(after, 1000);
        sensor_edge(&icm42688_driver, sensor, fake_count(&fake) - 1000);
        go_on(300, 1000);
        fake.n_samples = 0;
        go_on(300, 1000);
        assert_in_range(fake.n_samples, 280, 310);
        assert_in_range(stamp_error(0), 0, 2 * FAKE_HZ / 1000000);
    }
}

/* The main loop was away for 40 ms: the FIFO is read in parts over several polls, nothing is lost.
 */
static void stall(void **state) {
    (void)state;
    go_on(300, 1000);
    fake.n_samples = 0;
    go_on(40, 40000);
    assert_int_equal(fake.n_samples, 16);
    go_on(300, 1000);
    assert_in_range(fake.n_samples, 330, 350);
    assert_in_range(stamp_error(0), 0, 2 * FAKE_HZ / 1000000);
    assert_int_equal(sensor->counters.lost_samples, 0);
    assert_int_equal(sensor->counters.silences, 0);
}

static void overflow(void **state) {
    (void)state;
    go_on(300, 1000);
    size_t before = fake.n_samples;
    fake.now_ns += 150000000; /* the main loop was away for 150 ms: 102 samples fit */
    sensor->last_ns += 150000000;
    go_on(50, 1000);
    assert_int_equal(sensor->state, SENSOR_RUNNING);
    assert_in_range(sensor->counters.lost_samples, 45, 55);
    assert_true(fake.n_samples > before);
    fake.n_samples = 0;
    go_on(300, 1000);
    assert_in_range(stamp_error(0), 0, 2 * FAKE_HZ / 1000000);
}

/* Samples that vanish are noticed by the sensor's own time stamps. */
static void gap(void **state) {
    (void)state;
    go_on(300, 1000);
    model.skip = 3;
    go_on(50, 1000);
    assert_in_range(sensor->counters.lost_samples, 1, 10); /* and those after it: to be sure */
    assert_int_equal(sensor->counters.resynchronisations, 1);
    fake.n_samples = 0;
    go_on(300, 1000);
    assert_in_range(stamp_error(0), 0, 2 * FAKE_HZ / 1000000);
}

/* Without edges it is the time stamps that tell. */
static void gap_without_the_pin(void **state) {
    (void)state;
    model.no_pin = true;
    go_on(300, 1000);
    model.skip = 3;
    go_on(50, 1000);
    assert_in_range(sensor->counters.lost_samples, 1, 16);
    assert_int_equal(sensor->counters.resynchronisations, 1);
    fake.n_samples = 0;
    go_on(300, 1000);
    assert_in_range(stamp_error(0), 0, 3 * COUNTS_A_SAMPLE / 2);
}

/* Headers of section 6.2. */
static void headers(void **state) {
    (void)state;
    static const uint8_t wrong[] = {0x68, 0x58, 0x38, 0xF8, 0x80, 0xFF, 0x00, 0x70, 0x7C, 0x74};
    go_on(300, 1000);
    for (size_t i = 0; i < sizeof wrong; ++i) {
        uint32_t errors = sensor->counters.checksum_errors;
        model.header = wrong[i];
        go_on(30, 1000);
        assert_true(sensor->counters.checksum_errors > errors);
        model.header = 0x78;
        go_on(40, 1000);
        assert_int_equal(sensor->state, SENSOR_RUNNING);
    }
    uint32_t errors = sensor->counters.checksum_errors;
    model.header = 0x7B; /* a rate changed: says so after a restart, and is a sample */
    fake.n_samples = 0;
    go_on(300, 1000);
    assert_int_equal(sensor->counters.checksum_errors, errors);
    assert_in_range(fake.n_samples, 290, 310);
    assert_in_range(stamp_error(0), 0, 2 * FAKE_HZ / 1000000);
}

/* One transfer that fails is a device that is gone: of the status, of the FIFO, of the count of
 * what was lost. */
static void transfer_fails(void **state) {
    (void)state;
    for (unsigned which = 1; which <= 2; ++which) {
        for (int overflows = 0; overflows < 2; ++overflows) {
            start(NULL);
            go_on(300, 1000);
            if (overflows) {
                fake.now_ns += 150000000;
                sensor->last_ns += 150000000;
            }
            model.fails_in = which;
            for (int ms = 0; ms < 20 && model.fails_in > 0; ++ms) {
                go_on(1, 1000);
            }
            assert_int_equal(model.fails_in, 0);
            assert_int_equal(sensor->state, SENSOR_SILENT);
            assert_int_equal(sensor->counters.bus_errors, 1);
            go_on(250, 1000);
            assert_int_equal(sensor->state, SENSOR_RUNNING);
        }
    }
}

static void ranges(void **state) {
    (void)state;
    go_on(300, 1000);
    model.saturates = true;
    go_on(20, 1000);
    assert_int_equal(last()->valid, SENSOR_VALID_TEMPERATURE);
    model.saturates = false;
    model.temperature_raw = -9300; /* -45.2 degrees */
    go_on(20, 1000);
    assert_int_equal(last()->valid, SENSOR_VALID_ACCELERATION | SENSOR_VALID_RATE);
    assert_true(sensor->counters.range_failures > 20);
}

static void fault(enum model_fault what) {
    start(NULL);
    go_on(300, 1000);
    assert_int_equal(sensor->state, SENSOR_RUNNING);
    size_t before = fake.n_samples;
    model.fault = what;
    go_on(100, 1000);
    assert_int_not_equal(sensor->state, SENSOR_RUNNING);
    assert_int_equal(sensor->counters.silences, 1);
    assert_true(fake.n_samples - before < 10);
    go_on(20000, 1000);
    assert_in_range(sensor->counters.restarts, 5, 20);
    /* Back, as after power-on. */
    model.fault = MODEL_FINE;
    icm42688_model_power_up(&model);
    go_on(3500, 1000);
    assert_int_equal(sensor->state, SENSOR_RUNNING);
    fake.n_samples = 0;
    go_on(300, 1000);
    assert_in_range(stamp_error(0), 0, 2 * FAKE_HZ / 1000000);
}

static void faults(void **state) {
    (void)state;
    fault(MODEL_READS_ZERO);
    fault(MODEL_READS_ONES);
    fault(MODEL_BUS_FAILS);
}

/* A dip of its supply: registers as after power-on, no FIFO; told again within 200 ms. */
static void loses_power(void **state) {
    (void)state;
    go_on(300, 1000);
    icm42688_model_power_up(&model);
    go_on(250, 1000);
    assert_int_equal(sensor->counters.silences, 1);
    assert_int_equal(sensor->counters.restarts, 1);
    assert_int_equal(sensor->state, SENSOR_RUNNING);
}

static void is_not_there(void **state) {
    (void)state;
    model.identity = 0x3B; /* an ICM-40609 */
    icm42688_model_power_up(&model);
    go_on(2000, 1000);
    assert_int_not_equal(sensor->state, SENSOR_RUNNING);
    assert_int_equal(fake.n_samples, 0);
    assert_true(sensor->wrong);
    assert_true(sensor->counters.refusals > 0);
    start(NULL);
    fake.bus.spi = NULL; /* a board without */
    go_on(500, 1000);
    assert_int_equal(sensor->counters.refusals, 0);
    assert_int_not_equal(sensor->state, SENSOR_RUNNING);
    assert_true(sensor->counters.bus_errors > 0);
    start(NULL);
    model.ignores_writes_of_bank_1 = true; /* what was written is read back */
    go_on(500, 1000);
    assert_int_equal(sensor->counters.samples, 0);
    assert_true(sensor->counters.refusals > 0);
}

/* Any answers at all: nothing breaks, every poll has an end, and afterwards it runs. */
static uint64_t noise = 1181783497276652981u;

static bool noisy(void *context, const uint8_t *out, uint8_t *in, size_t n) {
    uint64_t r = fake_random(&noise);
    if (r % 1024 == 0) {
        return false;
    }
    if (r % 200 != 1) {
        return model.spi.transfer(&model, out, in, n);
    }
    for (size_t i = 0; in != NULL && i < n; ++i) {
        in[i] = (uint8_t)(fake_random(&noise) >> 17);
    }
    (void)context;
    return true;
}

static void hostile(void **state) {
    (void)state;
    struct spi_device device = {noisy, NULL};
    fake.bus.spi = &device;
    go_on(100000, 1000);
    for (int i = 0; i < 2000; ++i) {
        go_on(1, 1000);
        sensor_edge(&icm42688_driver, sensor, (uint32_t)fake_random(&noise));
    }
    assert_true(model.transfers > 1000);
    fake.bus.spi = &model.spi;
    go_on(6000, 1000);
    assert_int_equal(sensor->state, SENSOR_RUNNING);
    fake.n_samples = 0;
    go_on(300, 1000);
    assert_in_range(stamp_error(0), 0, 2 * FAKE_HZ / 1000000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(golden, start),
        cmocka_unit_test_setup(stamps, start),
        cmocka_unit_test_setup(long_run, start),
        cmocka_unit_test_setup(without_the_pin, start),
        cmocka_unit_test_setup(spikes_on_the_pin, start),
        cmocka_unit_test_setup(stall, start),
        cmocka_unit_test_setup(overflow, start),
        cmocka_unit_test_setup(gap, start),
        cmocka_unit_test_setup(gap_without_the_pin, start),
        cmocka_unit_test_setup(headers, start),
        cmocka_unit_test_setup(transfer_fails, start),
        cmocka_unit_test_setup(ranges, start),
        cmocka_unit_test_setup(faults, start),
        cmocka_unit_test_setup(loses_power, start),
        cmocka_unit_test_setup(is_not_there, start),
        cmocka_unit_test_setup(hostile, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
