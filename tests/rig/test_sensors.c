/* The emulated sensors, through the hub's own drivers: what is felt is what is read. */
#include <math.h>

#include "firmware/drivers/msp_flow.h"
#include "firmware/drivers/ubx.h"
#include "firmware/drivers/witmotion.h"
#include "tests/firmware/fake_serial.h"
#include "tests/rig/sensors.h"
#include "tests/support.h"

enum { UTC = 1774000000, STEP_NS = 1000000 };

static struct fake fake;
static struct rig_sensors sensors;
static struct rig_motion motion;
static struct ubx ubx;
static enum board_port port;

static void feels(void *context, uint64_t time_ns, struct rig_motion *to) {
    (void)context;
    (void)time_ns;
    *to = motion;
}

static void sends(void *context, enum board_port to, const void *bytes, size_t n) {
    (void)context;
    assert_int_equal(to, port);
    fake_feed(&fake, bytes, n);
}

static void pulses(void *context) {
    (void)context;
    ubx_driver.edge(&ubx.sensor, fake_count(&fake));
}

static void hears(struct fake *from, uint8_t byte) {
    (void)from;
    rig_sensors_hear(&sensors, port, &byte, 1);
}

/* A driver before a sensor as it comes from the factory, for so many seconds. */
static void run(const struct sensor_driver *driver, struct sensor *sensor, size_t bytes,
                enum board_port at, unsigned seconds) {
    const struct rig_sensor_ways ways = {NULL, feels, sends, pulses};
    port = at;
    fake_init(&fake);
    fake.now_ns = 0;
    fake.device = hears;
    rig_sensors_init(&sensors, &ways, at == BOARD_PORT_IMU, at == BOARD_PORT_FLOW,
                     at == BOARD_PORT_GNSS, 0.5, UTC);
    sensor_start(driver, sensor, bytes, &fake.bus, fake.now_ns);
    for (unsigned i = 0; i < seconds * 1000; i++, fake.now_ns += STEP_NS) {
        rig_sensors_run(&sensors, fake.now_ns);
        fake_drain(driver, sensor, &fake);
    }
    assert_int_equal(sensor->state, SENSOR_RUNNING);
    assert_int_equal(sensor->counters.checksum_errors, 0);
    assert_int_equal(sensor->counters.range_failures, 0);
}

static const struct sensor_sample *last(enum sensor_kind kind) {
    assert_true(fake.n_samples <= FAKE_SAMPLES);
    for (size_t i = fake.n_samples; i-- > 0;) {
        if (fake.samples[i].kind == kind) {
            return &fake.samples[i];
        }
    }
    fail_msg("no sample of kind %d", (int)kind);
    return NULL;
}

/* A quarter turn about x: the body's z points down, gravity pulls that way. */
static void an_imu_feels_gravity_and_motion(void **state) {
    (void)state;
    static struct witmotion wit;
    motion = (struct rig_motion){.pose.orientation = {sqrt(0.5), sqrt(0.5), 0, 0},
                                 .acceleration = {1, 0, 2},
                                 .rate = {0.5, -1.0, 2.0}};
    run(&witmotion_driver, &wit.sensor, sizeof wit, BOARD_PORT_IMU, 6);
    const struct sensor_sample *sample = last(SENSOR_IMU);
    assert_int_equal(sample->valid, SENSOR_VALID_ACCELERATION | SENSOR_VALID_RATE |
                                        SENSOR_VALID_ORIENTATION | SENSOR_VALID_TEMPERATURE);
    const float want[] = {1.0F, 2.0F, -9.80665F};
    const float rate[] = {0.5F, -1.0F, 2.0F};
    for (int i = 0; i < 3; i++) {
        assert_near(sample->of.imu.acceleration[i], want[i], 0.003); /* 16 g / 32768 */
        assert_near(sample->of.imu.rate[i], rate[i], 0.0006);
    }
    assert_near(sample->of.imu.orientation[0], sqrt(0.5), 3.1e-5);
    assert_near(sample->of.imu.orientation[1], sqrt(0.5), 3.1e-5);
    assert_near(sample->of.imu.temperature, 23.5, 1e-4);
    /* 200 times a second. */
    assert_int_equal(fake.samples[fake.n_samples - 1].count -
                         fake.samples[fake.n_samples - 2].count,
                     FAKE_HZ / 200);
}

static void flow_and_range_see_the_scene_go_by(void **state) {
    (void)state;
    static struct msp_flow flow;
    motion = (struct rig_motion){.pose = {{0, 0, 0.1}, NFSAR_QUATERNION_IDENTITY},
                                 .velocity = {0.1, 0.2, 0},
                                 .rate = {0.05, -0.02, 0}};
    run(&msp_flow_driver, &flow.sensor, sizeof flow, BOARD_PORT_FLOW, 10);
    assert_near(last(SENSOR_RANGE)->of.range.range, 0.4, 5e-4);
    double sum[2] = {0, 0};
    unsigned n = 0;
    for (size_t i = 0; i < fake.n_samples; i++) {
        if (fake.samples[i].kind == SENSOR_FLOW && fake.samples[i].valid & SENSOR_VALID_FLOW) {
            sum[0] += (double)fake.samples[i].of.flow.angle[0];
            sum[1] += (double)fake.samples[i].of.flow.angle[1];
            assert_near(fake.samples[i].of.flow.interval, 0.02, 1e-6);
            n++;
        }
    }
    assert_true(n > 400);
    const double count = NFSAR_PI / 180.0 / 10.5; /* nothing of a count is lost between samples */
    assert_near(sum[0], n * 0.02 * (0.1 / 0.4 - 0.02), count);
    assert_near(sum[1], n * 0.02 * (0.2 / 0.4 - 0.05), count);
    /* Turned round there is nothing to see. */
    motion.pose.orientation = (nfsar_quaternion){0, 0, 1, 0};
    run(&msp_flow_driver, &flow.sensor, sizeof flow, BOARD_PORT_FLOW, 2);
    assert_int_equal(last(SENSOR_RANGE)->valid, 0);
    assert_int_equal(last(SENSOR_FLOW)->valid, 0);
}

static void gnss_knows_place_and_time(void **state) {
    (void)state;
    motion = (struct rig_motion){.pose = {{1, 2, 3}, NFSAR_QUATERNION_IDENTITY},
                                 .velocity = {0.1, 0.2, -0.3}};
    run(&ubx_driver, &ubx.sensor, sizeof ubx, BOARD_PORT_GNSS, 8);
    const struct sensor_sample *sample = last(SENSOR_GNSS);
    const struct sensor_gnss *gnss = &sample->of.gnss;
    assert_int_equal(sample->valid,
                     SENSOR_VALID_TIME | SENSOR_VALID_POSITION | SENSOR_VALID_VELOCITY);
    const double degree = 6378137.0 * NFSAR_PI / 180.0;
    assert_near(gnss->latitude, 480000000 + 3.0 / degree * 1e7, 1.0);
    assert_near(gnss->longitude, 110000000 + 1.0 / degree / cos(48 * NFSAR_PI / 180) * 1e7, 1.0);
    assert_int_equal(gnss->height_mm, 522000);
    assert_near(gnss->velocity[0], -0.3, 1e-6);
    assert_near(gnss->velocity[1], 0.1, 1e-6);
    assert_near(gnss->velocity[2], -0.2, 1e-6);
    /* The measurement is 40 ms old when its message comes. */
    const double at_s = (double)sample->count / FAKE_HZ;
    assert_near((double)(gnss->utc_ns - UTC * INT64_C(1000000000)) * 1e-9, at_s - 0.04, 0.002);
    const struct sensor_sample *pulse = last(SENSOR_PULSE);
    assert_int_equal(pulse->count % FAKE_HZ, 0);
    assert_int_equal(pulse->of.pulse.utc_ns / 1000000000 - UTC, pulse->count / FAKE_HZ);
}

static void garbage_is_not_obeyed(void **state) {
    (void)state;
    const struct rig_sensor_ways ways = {NULL, feels, sends, pulses};
    uint64_t random = 88172645463325252U;
    for (port = BOARD_PORT_IMU; port <= BOARD_PORT_GNSS; port++) {
        fake_init(&fake);
        rig_sensors_init(&sensors, &ways, true, true, true, 0.5, UTC);
        const struct rig_imu imu = sensors.imu;
        const struct rig_gnss gnss = sensors.gnss;
        for (int i = 0; i < 200000; i++) {
            const uint64_t bits = fake_random(&random);
            /* Beginnings of frames come often. */
            static const uint8_t often[] = {0xFF, 0xAA, 0xB5, 0x62, 0x06, 0x8A, 0x00, 0x02};
            const uint8_t byte = bits & 0x100 ? often[bits & 7] : (uint8_t)bits;
            rig_sensors_hear(&sensors, port, &byte, 1);
        }
        assert_int_equal(sensors.imu.rate, imu.rate);
        assert_int_equal(sensors.gnss.pvt, gnss.pvt);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_imu_feels_gravity_and_motion),
        cmocka_unit_test(flow_and_range_see_the_scene_go_by),
        cmocka_unit_test(gnss_knows_place_and_time),
        cmocka_unit_test(garbage_is_not_obeyed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
