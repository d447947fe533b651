/* The sensors within the hub: bytes in at the ports, records out, states, silence, the pulse per
 * second. What the drivers make of bytes is tested with them. */
#include "tests/firmware/hub_bench.h"
#include "tests/firmware/icm42688_model.h"

static struct bench bench_;
static struct bench *const bench = &bench_;

enum { PVT = 100 };

/* Acceleration 1 g along z and 25 degrees; rates of 1000 degrees/s about x, -1000 about z; no
 * rotation. */
static const uint8_t imu_set[33] = {0x55, 0x51, 0x00, 0x00, 0x00, 0x00, 0x00, 0x08, 0xC4,
                                    0x09, 0x7B, 0x55, 0x52, 0x00, 0x40, 0x00, 0x00, 0x00,
                                    0xC0, 0x00, 0x00, 0xA7, 0x55, 0x59, 0xFF, 0x7F, 0x00,
                                    0x00, 0x00, 0x00, 0x00, 0x00, 0x2C};
static const uint8_t range_set[14] = {0x24, 0x58, 0x3C, 0x00, 0x01, 0x1F, 0x05,
                                      0x00, 0xFF, 0x6B, 0x01, 0x00, 0x00, 0xC5};
static const uint8_t flow_set[18] = {0x24, 0x58, 0x3C, 0x00, 0x02, 0x1F, 0x09, 0x00, 0x54,
                                     0x15, 0x00, 0x00, 0x00, 0xEB, 0xFF, 0xFF, 0xFF, 0x35};

static void u32(uint8_t *at, uint32_t value) {
    for (unsigned i = 0; i < 4; i++) {
        at[i] = (uint8_t)(value >> 8 * i);
    }
}

/* 2026-11-21 12:00:00 and so many seconds below an hour, a 3-D fix: UBX-NAV-PVT. */
static void make_pvt(uint8_t frame[PVT], unsigned seconds) {
    memset(frame, 0, PVT);
    memcpy(frame, "\xB5\x62\x01\x07\x5C", 5);
    uint8_t *p = frame + 6;
    p[4] = 2026 % 256;
    p[5] = 2026 / 256;
    p[6] = 11;
    p[7] = 21;
    p[8] = 12;
    p[9] = (uint8_t)(seconds / 60);
    p[10] = (uint8_t)(seconds % 60);
    p[11] = 0x07;
    u32(p + 12, 25);
    p[20] = 3;
    p[21] = 0x81;
    p[23] = 17;
    u32(p + 24, 123456789);
    u32(p + 28, 476543210);
    u32(p + 32, 412345);
    u32(p + 40, 14);
    u32(p + 44, 20);
    u32(p + 48, 1500);
    u32(p + 68, 30);
    for (unsigned i = 2; i < PVT - 2; i++) {
        frame[PVT - 2] = (uint8_t)(frame[PVT - 2] + frame[i]);
        frame[PVT - 1] = (uint8_t)(frame[PVT - 1] + frame[PVT - 2]);
    }
}

static const uint64_t noon_ns = UINT64_C(1795262400) * 1000000000;

static void the_imu(void **state) {
    (void)state;
    bench_greet(bench);
    for (unsigned i = 0; i < 200; i++) {
        fake_board_send(BOARD_PORT_IMU, imu_set, sizeof imu_set);
        bench_ms(bench, 5);
    }
    assert_int_equal(bench_count(bench, NFSAR_WIRE_IMU), 200);
    const struct bench_record *record = bench_last(bench, NFSAR_WIRE_IMU, -1);
    assert_int_equal(record->header.channel, NFSAR_WIRE_SENSOR_IMU);
    /* Its time is that of the bytes, which came 5 ms ago. */
    const uint64_t now_ns = fake_board.time * 1000 / 84;
    assert_in_range(now_ns - record->header.time_ns, 4000000, 5500000);
    const struct nfsar_wire_imu imu = bench_unpack_imu(record);
    assert_int_equal(imu.valid, 15);
    assert_close(imu.acceleration[0], 0, 0);
    assert_close(imu.acceleration[2], 9.80665, 1e-5);
    assert_close(imu.rate[0], 17.4532925, 1e-5);
    assert_close(imu.rate[2], -17.4532925, 1e-5);
    assert_close(imu.orientation[0], 0.99996948, 1e-6);
    assert_close(imu.temperature, 25, 1e-5);
    struct nfsar_wire_sensor sensor = BENCH_LAST(bench, SENSOR, sensor, NFSAR_WIRE_SENSOR_IMU);
    assert_int_equal(sensor.state, NFSAR_WIRE_SENSOR_IS_RUNNING);
    /* It falls silent: that is an error, for it was there. */
    bench_ms(bench, 3000);
    sensor = BENCH_LAST(bench, SENSOR, sensor, NFSAR_WIRE_SENSOR_IMU);
    assert_int_equal(sensor.samples, 200);
    assert_int_equal(sensor.bytes, 200 * sizeof imu_set);
    assert_true(sensor.silences > 0);
    const struct nfsar_wire_error silent = bench_error(bench, NFSAR_WIRE_ERROR_SENSOR_SILENT);
    assert_int_equal(silent.latched, 1);
    assert_int_equal(silent.source, NFSAR_WIRE_SENSOR_IMU);
    bench_settle(bench);
}

static void sensors_that_are_not_there_are_no_errors(void **state) {
    (void)state;
    bench_greet(bench);
    bench_ms(bench, 20000);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_ERROR), 0);
    /* They are told of every 5 s. */
    const struct nfsar_wire_sensor gnss = BENCH_LAST(bench, SENSOR, sensor, 2);
    assert_true(gnss.state == NFSAR_WIRE_SENSOR_IS_SILENT ||
                gnss.state == NFSAR_WIRE_SENSOR_IS_STARTING);
    assert_int_equal(gnss.samples, 0);
    assert_true(bench_count(bench, NFSAR_WIRE_SENSOR) >= 3 * 3);
    bench_settle(bench);
}

static void flow_and_range(void **state) {
    (void)state;
    bench_greet(bench);
    for (unsigned i = 0; i < 20; i++) {
        fake_board_send(BOARD_PORT_FLOW, range_set, sizeof range_set);
        fake_board_send(BOARD_PORT_FLOW, flow_set, sizeof flow_set);
        bench_ms(bench, 20);
        if (i == 0) {
            /* The first has no time before it: it says so. */
            assert_int_equal(BENCH_LAST(bench, FLOW, flow, 1).quality, 0);
        }
    }
    assert_int_equal(bench_count(bench, NFSAR_WIRE_FLOW), 20);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_RANGE), 20);
    const struct nfsar_wire_range range = BENCH_LAST(bench, RANGE, range, 1);
    assert_int_equal(range.valid, 1);
    assert_int_equal(range.quality, 255);
    assert_close(range.range, 0.363, 1e-6);
    const struct nfsar_wire_flow flow = BENCH_LAST(bench, FLOW, flow, 1);
    assert_int_equal(flow.quality, 84);
    assert_close(flow.interval, 0.02, 1e-6);
    assert_close(flow.motion[0], -flow.motion[1], 1e-7);
    assert_close(flow.motion[0], 2 * 3.14159265 / 180, 1e-6);
}

static void the_spi_imu(void **state) {
    (void)state;
    static struct icm42688_model model;
    fake_board_reset();
    fake_board.emulated = false;
    icm42688_model_init(&model);
    fake_board.spi = &model.spi;
    bench_start(bench);
    assert_int_equal(BENCH_DO(bench, HELLO, hello, 0, .major = 1), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(BENCH_LAST(bench, HELLO, hello, -1).flags, NFSAR_WIRE_HELLO_SPI_IMU);
    for (unsigned turn = 0; turn < 4000; turn++) {
        icm42688_model_advance(&model, fake_board.time * 1000 / 84);
        for (size_t i = 0; i < model.n_edges; i++) {
            hub_on_stamp(&bench->hub, BOARD_STAMP_SPI_IMU,
                         (uint32_t)(model.edges_ns[i] * 84 / 1000));
        }
        model.n_edges = 0;
        bench_turns(bench, 1);
    }
    assert_in_range(bench_count(bench, NFSAR_WIRE_IMU), 800, 1000);
    const struct bench_record *record = bench_last(bench, NFSAR_WIRE_IMU, -1);
    assert_int_equal(record->header.channel, NFSAR_WIRE_SENSOR_SPI_IMU);
    assert_int_equal(BENCH_LAST(bench, SENSOR, sensor, 3).state, NFSAR_WIRE_SENSOR_IS_RUNNING);
    assert_int_equal(BENCH_DO(bench, SENSOR_SET, sensor_set, 3, .on = 0), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(BENCH_LAST(bench, SENSOR, sensor, 3).state, NFSAR_WIRE_SENSOR_IS_OFF);
    assert_int_equal(BENCH_DO(bench, SENSOR_SET, sensor_set, 3, .on = 1), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(BENCH_LAST(bench, SENSOR, sensor, 3).state, NFSAR_WIRE_SENSOR_IS_STARTING);
    bench_settle(bench);
}

/* A device that is another one is not silent: it is named, and so is a bus with none. */
static void a_wrong_spi_imu(void **state) {
    (void)state;
    static struct icm42688_model model;
    for (unsigned identity = 0; identity < 256; identity += 0x33) {
        const bool none = identity == 0 || identity == 255;
        fake_board_reset();
        fake_board.emulated = false;
        icm42688_model_init(&model);
        model.identity = (uint8_t)identity;
        icm42688_model_power_up(&model);
        fake_board.spi = &model.spi;
        bench_start(bench);
        assert_int_equal(BENCH_DO(bench, HELLO, hello, 0, .major = 1), NFSAR_WIRE_RESULT_DONE);
        for (unsigned turn = 0; turn < 4000; turn++) {
            icm42688_model_advance(&model, fake_board.time * 1000 / 84);
            bench_turns(bench, 1);
        }
        const struct nfsar_wire_error error = bench_error(bench, NFSAR_WIRE_ERROR_SENSOR_FAULT);
        assert_int_equal(error.latched, !none);
        assert_int_equal(error.source, none ? 0 : NFSAR_WIRE_SENSOR_SPI_IMU);
        assert_int_equal(bench_error(bench, NFSAR_WIRE_ERROR_SENSOR_SILENT).latched, 0);
        assert_int_equal(BENCH_LAST(bench, SENSOR, sensor, 3).state,
                         none ? NFSAR_WIRE_SENSOR_IS_SILENT : NFSAR_WIRE_SENSOR_IS_FAULT);
    }
}

static void sensors_are_turned_off_and_on(void **state) {
    (void)state;
    bench_greet(bench);
    fake_board_send(BOARD_PORT_IMU, imu_set, sizeof imu_set);
    bench_ms(bench, 5);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_IMU), 1);
    assert_int_equal(BENCH_DO(bench, SENSOR_SET, sensor_set, 0, .on = 2), NFSAR_WIRE_RESULT_VALUE);
    assert_int_equal(bench->detail, 0);
    assert_int_equal(BENCH_DO(bench, SENSOR_SET, sensor_set, 0, .on = 0), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(BENCH_LAST(bench, SENSOR, sensor, 0).state, NFSAR_WIRE_SENSOR_IS_OFF);
    for (unsigned i = 0; i < 100; i++) {
        fake_board_send(BOARD_PORT_IMU, imu_set, sizeof imu_set);
        bench_ms(bench, 1);
    }
    assert_int_equal(bench_count(bench, NFSAR_WIRE_IMU), 1);
    /* Its port is emptied meanwhile. */
    assert_int_equal(fake_board.port[0 + BOARD_PORT_IMU].to_hub.head,
                     fake_board.port[0 + BOARD_PORT_IMU].to_hub.tail);
    assert_int_equal(BENCH_DO(bench, SENSOR_SET, sensor_set, 0, .on = 1), NFSAR_WIRE_RESULT_DONE);
    fake_board_send(BOARD_PORT_IMU, imu_set, sizeof imu_set);
    bench_ms(bench, 5);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_IMU), 2);
    /* On again changes nothing. */
    assert_int_equal(BENCH_DO(bench, SENSOR_SET, sensor_set, 0, .on = 1), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(BENCH_LAST(bench, SENSOR, sensor, 0).samples, 1);
    assert_int_equal(BENCH_DO(bench, SENSOR_SET, sensor_set, 3, .on = 1), NFSAR_WIRE_RESULT_ABSENT);
    for (unsigned channel = 4; channel < 256; channel++) {
        assert_int_equal(BENCH_DO(bench, SENSOR_SET, sensor_set, (uint8_t)channel, .on = 1),
                         NFSAR_WIRE_RESULT_CHANNEL);
    }
}

/* A receiver whose pulses are true seconds, on a hub whose clock is 25 ppm fast. */
static void the_clock_against_utc(void **state) {
    (void)state;
    const uint64_t second = 84000000 + 2100;
    uint8_t pvt[PVT];
    bench_greet(bench);
    const uint64_t first = fake_board.time + 8400000;
    for (unsigned i = 0; i < 12; i++) {
        const uint64_t pulse = first + i * second;
        while (fake_board.time < pulse) {
            bench_turns(bench, 1);
        }
        hub_on_stamp(&bench->hub, BOARD_STAMP_PPS, (uint32_t)pulse);
        bench_ms(bench, 60);
        const struct bench_record *told = bench_last(bench, NFSAR_WIRE_CLOCK, 0);
        const struct nfsar_wire_clock plain = bench_unpack_clock(told);
        const uint64_t pulse_ns = pulse / 84000000 * 1000000000 + pulse % 84000000 * 1000 / 84;
        assert_true(told->header.time_ns == pulse_ns);
        assert_int_equal(plain.utc_ns, 0);
        assert_int_equal(plain.pulses, i + 1);
        assert_true(plain.offset_ns == -(int64_t)(pulse_ns % 1000000000));
        make_pvt(pvt, i);
        fake_board_send(BOARD_PORT_GNSS, pvt, sizeof pvt);
        bench_ms(bench, 5);
        if (i == 0) {
            continue; /* a first edge may be anything */
        }
        told = bench_last(bench, NFSAR_WIRE_CLOCK, 0);
        const struct nfsar_wire_clock named = bench_unpack_clock(told);
        assert_true(told->header.time_ns == pulse_ns);
        assert_true(named.utc_ns == noon_ns + i * UINT64_C(1000000000));
        assert_true(named.offset_ns == (int64_t)(named.utc_ns - pulse_ns));
        assert_int_equal(named.refused, 0);
        if (i >= 2) {
            assert_close(named.drift_ppm, 25, 1e-4);
            assert_close(named.spread_ns, 0, 0.1);
        }
    }
    assert_int_equal(bench_count(bench, NFSAR_WIRE_CLOCK), 12 + 11);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_GNSS), 12);
    const struct bench_record *record = bench_last(bench, NFSAR_WIRE_GNSS, 2);
    const struct nfsar_wire_gnss gnss = bench_unpack_gnss(record);
    assert_true(gnss.utc_ns == noon_ns + UINT64_C(11000000000));
    assert_int_equal(gnss.latitude, 476543210);
    assert_int_equal(gnss.longitude, 123456789);
    assert_int_equal(gnss.height_mm, 412345);
    assert_close(gnss.velocity[0], 1.5, 1e-6);
    assert_close(gnss.accuracy_horizontal, 0.014, 1e-6);
    assert_close(gnss.accuracy_vertical, 0.020, 1e-6);
    assert_close(gnss.accuracy_speed, 0.030, 1e-6);
    assert_int_equal(gnss.fix, 3);
    assert_int_equal(gnss.carrier, 2);
    assert_int_equal(gnss.satellites, 17);
    /* The pulses stop. */
    assert_int_equal(bench_error(bench, NFSAR_WIRE_ERROR_CLOCK_LOST).latched, 0);
    bench_ms(bench, 3000);
    const struct nfsar_wire_error lost = bench_error(bench, NFSAR_WIRE_ERROR_CLOCK_LOST);
    assert_int_equal(lost.latched, 1);
    assert_int_equal(lost.value, 12);
    bench_settle(bench);
}

/* Without its crystal the chip counts a percent wrong: seconds are still seconds, and named. */
static void the_clock_without_a_crystal(void **state) {
    (void)state;
    uint8_t pvt[PVT];
    const uint64_t second = 84000000 + 672000;
    fake_board_reset();
    fake_board.inexact = true;
    bench_start(bench);
    assert_int_equal(BENCH_DO(bench, HELLO, hello, 0, .major = NFSAR_WIRE_MAJOR),
                     NFSAR_WIRE_RESULT_DONE);
    const uint64_t first = fake_board.time + 8400000;
    for (unsigned i = 0; i < 4; i++) {
        while (fake_board.time < first + i * second) {
            bench_turns(bench, 1);
        }
        hub_on_stamp(&bench->hub, BOARD_STAMP_PPS, (uint32_t)(first + i * second));
        bench_ms(bench, 60);
        make_pvt(pvt, i);
        fake_board_send(BOARD_PORT_GNSS, pvt, sizeof pvt);
        bench_ms(bench, 5);
    }
    const struct nfsar_wire_clock clock = BENCH_LAST(bench, CLOCK, clock, 0);
    assert_int_equal(clock.pulses, 4);
    assert_int_equal(clock.refused, 0);
    assert_true(clock.utc_ns == noon_ns + UINT64_C(3000000000));
    assert_close(clock.drift_ppm, 8000, 1e-3);
}

/* More edges than there is room for, between two turns: those beyond are left out, nothing else. */
static void edges_beyond_the_ring(void **state) {
    (void)state;
    bench_greet(bench);
    for (unsigned i = 0; i < 100; i++) {
        hub_on_stamp(&bench->hub, BOARD_STAMP_PPS, (uint32_t)fake_board.time + i);
        hub_on_stamp(&bench->hub, BOARD_STAMP_SPI_IMU, (uint32_t)fake_board.time + i);
    }
    bench_turns(bench, 2);
    const struct nfsar_wire_clock clock = BENCH_LAST(bench, CLOCK, clock, 0);
    assert_int_equal(clock.pulses, 1);
    assert_int_equal(bench->hub.pps.refused, SENSOR_EDGES - 1);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_CLOCK), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_imu),
        cmocka_unit_test(sensors_that_are_not_there_are_no_errors),
        cmocka_unit_test(flow_and_range),
        cmocka_unit_test(the_spi_imu),
        cmocka_unit_test(a_wrong_spi_imu),
        cmocka_unit_test(sensors_are_turned_off_and_on),
        cmocka_unit_test(the_clock_against_utc),
        cmocka_unit_test(the_clock_without_a_crystal),
        cmocka_unit_test(edges_beyond_the_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
