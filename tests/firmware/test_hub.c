/* The whole hub: start and hello, status, streams, errors, crashes, floods, time. */
#include "tests/firmware/hub_bench.h"

static struct bench bench_;
static struct bench *const bench = &bench_;

static void it_says_hello_and_then_nothing(void **state) {
    (void)state;
    fake_board_reset();
    bench_start(bench);
    bench_ms(bench, 3000);
    assert_int_equal(bench->received, 1);
    const struct nfsar_wire_hello hello = BENCH_LAST(bench, HELLO, hello, -1);
    assert_int_equal(hello.major, NFSAR_WIRE_MAJOR);
    assert_int_equal(hello.minor, NFSAR_WIRE_MINOR);
    assert_string_equal((const char *)hello.board, "fake");
    assert_memory_equal(hello.serial, "fake board 1", 12);
    assert_int_equal(hello.count_hz, 84000000);
    assert_int_equal(hello.tick_hz, 40000);
    assert_int_equal(hello.radar_bytes, RADAR_TEXT_BYTES);
    assert_int_equal(hello.axes, 3);
    assert_int_equal(hello.sensors, 4);
    assert_int_equal(hello.reset, NFSAR_WIRE_RESET_POWER);
    assert_int_equal(hello.flags, NFSAR_WIRE_HELLO_EMULATED);
    assert_int_equal(hello.starts, 1);
    bench_settle(bench);
}

static void nothing_is_done_before_hello_but_stopping(void **state) {
    (void)state;
    fake_board_reset();
    bench_start(bench);
    unsigned refused = 1; /* and one below */
    for (unsigned kind = 0; kind < 256; kind++) {
        const uint8_t zeros[NFSAR_WIRE_PAYLOAD_MAX] = {0};
        if (kind == NFSAR_WIRE_DO_HELLO || kind == NFSAR_WIRE_DO_EMERGENCY) {
            continue;
        }
        const enum nfsar_wire_result result =
            bench_do(bench, (uint8_t)kind, 0, zeros, sizeof zeros);
        assert_true(result == NFSAR_WIRE_RESULT_VERSION || result == NFSAR_WIRE_RESULT_UNKNOWN);
        assert_true(result == NFSAR_WIRE_RESULT_UNKNOWN || bench->detail == NFSAR_WIRE_MAJOR);
        refused += result == NFSAR_WIRE_RESULT_VERSION;
    }
    assert_int_equal(BENCH_DO(bench, EMERGENCY, emergency, 0, .stop = 1), NFSAR_WIRE_RESULT_DONE);
    assert_true(bench->hub.stage.motion.emergency);
    assert_int_equal(BENCH_DO(bench, EMERGENCY, emergency, 0, .stop = 0),
                     NFSAR_WIRE_RESULT_VERSION);
    assert_true(bench->hub.stage.motion.emergency);
    assert_int_equal(BENCH_DO(bench, HELLO, hello, 0, .major = 99), NFSAR_WIRE_RESULT_VERSION);
    assert_int_equal(bench->detail, NFSAR_WIRE_MAJOR);
    assert_false(bench->hub.greeted);
    assert_int_equal(BENCH_DO(bench, HELLO, hello, 0, .major = 1, .minor = 77),
                     NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_STATUS, 0, NULL, 0), NFSAR_WIRE_RESULT_DONE);
    /* Who is refused is told by whom. */
    assert_int_equal(bench_count(bench, NFSAR_WIRE_HELLO), 2 + refused);
    bench_settle(bench);
}

static void status_comes_each_second_and_counts(void **state) {
    (void)state;
    bench_greet(bench);
    bench_ms(bench, 3500);
    assert_in_range(bench_count(bench, NFSAR_WIRE_STATUS), 3, 4);
    uint8_t bad[40];
    memset(bad, 0x55, sizeof bad);
    bad[39] = 0;
    bench_send(bad, sizeof bad);
    bench_send(bad + 36, 4);
    fake_board.port[BOARD_PORT_RADAR].lost = 12;
    fake_board.inputs = 1U << BOARD_LIMIT_X_HIGH | 1U << BOARD_LIMIT_TURN_HOME;
    const uint32_t before = bench->received;
    assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_STATUS, 0, NULL, 0), NFSAR_WIRE_RESULT_DONE);
    struct nfsar_wire_status status = BENCH_LAST(bench, STATUS, status, -1);
    assert_int_equal(status.made, before);
    assert_int_equal(status.dropped, 0);
    assert_int_equal(status.frames, 2);
    assert_int_equal(status.frames_bad, 2);
    assert_int_equal(status.bytes_lost[BOARD_PORT_RADAR], 12);
    assert_int_equal(status.bytes_lost[BOARD_PORT_LINK], 0);
    assert_int_equal(status.inputs, 1U << BOARD_LIMIT_X_HIGH | 1U << BOARD_LIMIT_TURN_HOME);
    assert_int_equal(status.queue_size, OUTBOX_BYTES);
    assert_in_range(status.queue_worst, 100, 1000);
    assert_int_equal(status.stack_free, 3072);
    assert_int_equal(status.emergency, 0);
    assert_int_equal(status.armed, 0);
    assert_int_equal(status.program, NFSAR_WIRE_PROGRAM_NONE);
    assert_int_equal(status.tick_late_worst_ns, 0);
    /* The loss is an error, of its port. */
    bench_turns(bench, 2);
    struct nfsar_wire_error lost = bench_error(bench, NFSAR_WIRE_ERROR_INPUT_LOST);
    assert_int_equal(lost.latched, 1);
    assert_int_equal(lost.source, BOARD_PORT_RADAR);
    assert_int_equal(lost.value, 12);
    assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_STATUS, 0, NULL, 0), NFSAR_WIRE_RESULT_DONE);
    status = BENCH_LAST(bench, STATUS, status, -1);
    assert_int_equal(status.errors, 1U << NFSAR_WIRE_ERROR_INPUT_LOST);
    bench_settle(bench);
}

static void streams_are_turned_off(void **state) {
    (void)state;
    bench_greet(bench);
    assert_int_equal(BENCH_DO(bench, STREAMS, streams, 0, .off = UINT32_MAX, .status_ms = 0),
                     NFSAR_WIRE_RESULT_DONE);
    bench_ms(bench, 20);
    const uint32_t before = bench->received;
    bench_ms(bench, 6000);
    assert_int_equal(bench->received, before);
    /* The next session begins with all of them again: a second's status, at least. */
    const uint32_t quiet = bench_count(bench, NFSAR_WIRE_STATUS);
    bench_greet(bench);
    bench_ms(bench, 2500);
    assert_in_range(bench_count(bench, NFSAR_WIRE_STATUS) - quiet, 2, 4);
    /* Status every 10 ms, and nothing else. */
    assert_int_equal(BENCH_DO(bench, STREAMS, streams, 0, .off = UINT32_MAX, .status_ms = 10),
                     NFSAR_WIRE_RESULT_DONE);
    const uint32_t statuses = bench_count(bench, NFSAR_WIRE_STATUS);
    bench_ms(bench, 1000);
    assert_in_range(bench_count(bench, NFSAR_WIRE_STATUS) - statuses, 98, 101);
    /* What is turned off is not made: it is no gap. */
    assert_int_equal(bench->missed, 0);
    assert_int_equal(BENCH_DO(bench, INJECT, inject, 0, .magic = NFSAR_WIRE_MAGIC,
                              .fault = NFSAR_WIRE_FAULT_FLOOD, .value = 5000),
                     NFSAR_WIRE_RESULT_DONE);
    bench_ms(bench, 100);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_IMU), 0);
    /* But for one kind. */
    assert_int_equal(
        BENCH_DO(bench, STREAMS, streams, 0, .off = ~(1U << (NFSAR_WIRE_IMU - NFSAR_WIRE_TRIGGER))),
        NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(BENCH_DO(bench, INJECT, inject, 0, .magic = NFSAR_WIRE_MAGIC,
                              .fault = NFSAR_WIRE_FAULT_FLOOD, .value = 50),
                     NFSAR_WIRE_RESULT_DONE);
    bench_ms(bench, 10);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_IMU), 50);
    assert_int_equal(bench_last(bench, NFSAR_WIRE_IMU, -1)->header.channel,
                     NFSAR_WIRE_CHANNEL_FLOOD);
    bench_settle(bench);
}

static void the_echo_and_the_time(void **state) {
    (void)state;
    uint8_t bytes[NFSAR_WIRE_PAYLOAD_MAX];
    bench_greet(bench);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 7);
    }
    const size_t most = NFSAR_WIRE_PAYLOAD_MAX - NFSAR_WIRE_REPLY_BYTES;
    for (size_t n = 0; n <= most; n += n < 4 ? 1 : 53) {
        assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_ECHO, 200, bytes, n),
                         NFSAR_WIRE_RESULT_DONE);
        assert_int_equal(bench->answer_bytes, n);
        assert_memory_equal(bench->answer, bytes, n);
    }
    assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_ECHO, 0, bytes, most + 1),
                     NFSAR_WIRE_RESULT_FULL);
    assert_int_equal(bench->answer_bytes, 0);
    assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_TIME, 0, NULL, 0), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(bench->answer_bytes, 8);
    const uint8_t *at = bench->answer;
    assert_true(nfsar_wire_get_u64(&at) == fake_board.time * 1000 / 84);
}

/* 84 MHz wrap in 51 s: the records' times go on, and so does everything by time. */
static void time_goes_on_when_the_timer_wraps(void **state) {
    (void)state;
    fake_board_reset();
    fake_board.emulated = false;
    fake_board.time = UINT64_C(0xFFFFFFFF) - 84000000;
    bench_start(bench);
    assert_int_equal(BENCH_DO(bench, HELLO, hello, 0, .major = 1), NFSAR_WIRE_RESULT_DONE);
    uint64_t before = 0;
    for (unsigned second = 0; second < 230; second++) {
        /* Long turns: as if the loop were slow, and faster to test. */
        for (unsigned i = 0; i < 4; i++) {
            fake_board_starve(20990000);
            fake_board_ticks(1);
            bench_turns(bench, 1);
        }
        const uint64_t now = bench_last(bench, NFSAR_WIRE_STATUS, -1)->header.time_ns;
        assert_true(now >= before);
        before = now;
    }
    assert_true(before > UINT64_C(4) * 51130000000);
    assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_TIME, 0, NULL, 0), NFSAR_WIRE_RESULT_DONE);
    const uint8_t *at = bench->answer;
    assert_true(nfsar_wire_get_u64(&at) ==
                fake_board.time / 84000000 * 1000000000 + fake_board.time % 84000000 * 1000 / 84);
    assert_in_range(bench_count(bench, NFSAR_WIRE_STATUS), 180, 231);
    bench_settle(bench);
}

static void errors_are_cleared_and_repeated_after_hello(void **state) {
    (void)state;
    fake_board_reset();
    fake_board.emulated = false;
    bench_start(bench);
    fake_board.port[BOARD_PORT_RADAR].lost = 3;
    bench_ms(bench, 10);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_ERROR), 0);
    assert_int_equal(BENCH_DO(bench, HELLO, hello, 0, .major = 1), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_ERROR), 1);
    struct nfsar_wire_error lost = bench_error(bench, NFSAR_WIRE_ERROR_INPUT_LOST);
    assert_int_equal(lost.latched, 1);
    assert_int_equal(lost.source, BOARD_PORT_RADAR);
    assert_int_equal(BENCH_DO(bench, CLEAR, clear, 0, .errors = 1U << NFSAR_WIRE_ERROR_CRASHED),
                     NFSAR_WIRE_RESULT_DONE);
    const uint8_t *at = bench->answer;
    assert_int_equal(bench->answer_bytes, 4);
    assert_int_equal(nfsar_wire_get_u32(&at), 1U << NFSAR_WIRE_ERROR_INPUT_LOST);
    assert_int_equal(BENCH_DO(bench, CLEAR, clear, 0, .errors = UINT32_MAX),
                     NFSAR_WIRE_RESULT_DONE);
    at = bench->answer;
    assert_int_equal(nfsar_wire_get_u32(&at), 0);
    lost = bench_error(bench, NFSAR_WIRE_ERROR_INPUT_LOST);
    assert_int_equal(lost.latched, 0);
    assert_int_equal(BENCH_DO(bench, HELLO, hello, 0, .major = 1), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_ERROR), 2);
    /* More is lost: it is told again. */
    fake_board.port[BOARD_PORT_RADAR].lost = 5;
    bench_ms(bench, 1);
    lost = bench_error(bench, NFSAR_WIRE_ERROR_INPUT_LOST);
    assert_int_equal(lost.latched, 1);
    assert_int_equal(lost.value, 5);
    bench_settle(bench);
}

/* A receiver that sends at another rate is garbled until it is found: no error, but counted. */
static void rates_are_sought_without_an_error(void **state) {
    (void)state;
    bench_greet(bench);
    fake_board.port[BOARD_PORT_GNSS].lost = 40;
    bench_ms(bench, 10);
    assert_int_equal(bench_error(bench, NFSAR_WIRE_ERROR_INPUT_LOST).latched, 0);
    assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_STATUS, 0, NULL, 0), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(BENCH_LAST(bench, STATUS, status, -1).bytes_lost[BOARD_PORT_GNSS], 40);
    bench->hub.sensors.gnss.sensor.state = SENSOR_RUNNING;
    bench->hub.sensors.gnss.sensor.last_ns = bench->hub.now_ns;
    fake_board.port[BOARD_PORT_GNSS].lost = 41;
    bench_ms(bench, 1);
    assert_int_equal(bench_error(bench, NFSAR_WIRE_ERROR_INPUT_LOST).source, BOARD_PORT_GNSS);
    assert_int_equal(bench_error(bench, NFSAR_WIRE_ERROR_INPUT_LOST).value, 41);
}

static void a_late_tick_is_an_error_but_in_an_emulator(void **state) {
    (void)state;
    bench_greet(bench);
    fake_board_starve(2100 / 2 - 1);
    fake_board_ticks(1);
    bench_turns(bench, 2);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_ERROR), 0);
    fake_board_starve(10 * 2100);
    bench_turns(bench, 1);
    struct nfsar_wire_error late = bench_error(bench, NFSAR_WIRE_ERROR_TICK_LATE);
    assert_int_equal(late.latched, 1);
    assert_int_equal(late.value, 10 * 25000);
    bench_ms(bench, 100);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_ERROR), 1);
    /* What is cleared stays cleared until it happens again. */
    assert_int_equal(BENCH_DO(bench, CLEAR, clear, 0, .errors = 1U << NFSAR_WIRE_ERROR_TICK_LATE),
                     NFSAR_WIRE_RESULT_DONE);
    bench_ms(bench, 100);
    late = bench_error(bench, NFSAR_WIRE_ERROR_TICK_LATE);
    assert_int_equal(late.latched, 0);
    assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_STATUS, 0, NULL, 0), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(BENCH_LAST(bench, STATUS, status, -1).tick_late_worst_ns, 10 * 25000);
    assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_STATUS, 0, NULL, 0), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(BENCH_LAST(bench, STATUS, status, -1).tick_late_worst_ns, 0);
    fake_board_starve(5 * 2100);
    bench_turns(bench, 2);
    assert_int_equal(bench_error(bench, NFSAR_WIRE_ERROR_TICK_LATE).latched, 1);

    fake_board_reset();
    bench_start(bench);
    assert_int_equal(BENCH_DO(bench, HELLO, hello, 0, .major = 1), NFSAR_WIRE_RESULT_DONE);
    fake_board_starve(10 * 2100);
    bench_turns(bench, 3);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_ERROR), 0);
}

static void a_stack_nearly_full_is_an_error(void **state) {
    (void)state;
    bench_greet(bench);
    fake_board.stack_free = 511;
    bench_ms(bench, 5);
    const struct nfsar_wire_error low = bench_error(bench, NFSAR_WIRE_ERROR_STACK_LOW);
    assert_int_equal(low.latched, 1);
    assert_int_equal(low.value, 511);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_ERROR), 1);
}

static void inject(enum nfsar_wire_fault fault, uint16_t value) {
    assert_int_equal(BENCH_DO(bench, INJECT, inject, 0, .magic = NFSAR_WIRE_MAGIC,
                              .fault = (uint8_t)fault, .value = value),
                     NFSAR_WIRE_RESULT_DONE);
}

/* A flood is dropped in part, to the record what came and what was dropped is what was made. */
static void a_flood_is_counted_to_the_record(void **state) {
    (void)state;
    bench_greet(bench);
    fake_board.port[BOARD_PORT_LINK].most_taken = 23; /* 921600 bits/s are 23 bytes a turn */
    inject(NFSAR_WIRE_FAULT_FLOOD, 20000);
    bench_ms(bench, 200);
    assert_int_equal(bench->hub.flood, 0);
    /* Commands are still answered. */
    assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_STATUS, 0, NULL, 0), NFSAR_WIRE_RESULT_DONE);
    const struct nfsar_wire_status status = BENCH_LAST(bench, STATUS, status, -1);
    assert_true(status.dropped > 10000);
    assert_int_equal(status.dropped, status.dropped_sensors);
    assert_int_equal(status.dropped_triggers, 0);
    assert_in_range(status.queue_worst, OUTBOX_BYTES * 3 / 4 - 100, OUTBOX_BYTES * 7 / 8);
    const struct nfsar_wire_error dropped = bench_error(bench, NFSAR_WIRE_ERROR_LINK_DROPPED);
    assert_int_equal(dropped.latched, 1);
    fake_board.port[BOARD_PORT_LINK].most_taken = 0;
    bench_settle(bench);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_IMU) + bench->hub.outbox.dropped_sensors, 20000);
    assert_int_equal(BENCH_DO(bench, CLEAR, clear, 0, .errors = UINT32_MAX),
                     NFSAR_WIRE_RESULT_DONE);
    bench_ms(bench, 2);
    assert_int_equal(bench_error(bench, NFSAR_WIRE_ERROR_LINK_DROPPED).latched, 0);
}

static void faults_come_when_asked_for_and_leave_a_record(void **state) {
    (void)state;
    bench_greet(bench);
    inject(NFSAR_WIRE_FAULT_BUS, 0);
    bench_ms(bench, HUB_RESTART_MS / 2);
    assert_int_equal(fake_board.faults, 0);
    bench_ms(bench, HUB_RESTART_MS);
    assert_int_equal(fake_board.faults, 1);
    crash_place(PLACE_INJECTED, bench->hub.now_ns);
    board_on_fault(&(struct board_fault){.exception = 5, .pc = 0x8000042});
    assert_int_equal(fake_board.resets, 1);
    bench_restart(bench, BOARD_RESET_SOFTWARE);
    bench_turns(bench, 2);
    /* It tells by itself, once it has started, and again when asked. */
    struct nfsar_wire_crash crash = BENCH_LAST(bench, CRASH, crash, -1);
    assert_int_equal(crash.exception, 5);
    assert_int_equal(crash.registers[6], 0x8000042);
    assert_int_equal(crash.place, PLACE_INJECTED);
    assert_true(crash.uptime_ns > 50000000);
    assert_int_equal(crash.crashes, 1);
    struct nfsar_wire_hello hello = BENCH_LAST(bench, HELLO, hello, -1);
    assert_int_equal(hello.flags, NFSAR_WIRE_HELLO_CRASHED);
    assert_int_equal(hello.starts, 2);
    assert_int_equal(hello.reset, NFSAR_WIRE_RESET_SOFTWARE);
    assert_int_equal(BENCH_DO(bench, HELLO, hello, 0, .major = 1), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_CRASH), 2);
    const struct nfsar_wire_error crashed = bench_error(bench, NFSAR_WIRE_ERROR_CRASHED);
    assert_int_equal(crashed.latched, 1);
    assert_int_equal(crashed.value, 0x8000042);
    assert_int_equal(BENCH_DO(bench, CRASH, crash, 0, .forget = 0), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_CRASH), 3);
    assert_int_equal(BENCH_DO(bench, CRASH, crash, 0, .forget = 2), NFSAR_WIRE_RESULT_VALUE);
    assert_int_equal(bench->detail, 0);
    assert_int_equal(BENCH_DO(bench, CRASH, crash, 0, .forget = 1), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(BENCH_DO(bench, CRASH, crash, 0, .forget = 0), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_CRASH), 3);
}

static void a_hang_starves_the_watchdog(void **state) {
    (void)state;
    bench_greet(bench);
    assert_int_equal(fake_board.watchdog_ms, HUB_WATCHDOG_MS);
    inject(NFSAR_WIRE_FAULT_HANG, 0);
    bench_ms(bench, 2 * HUB_RESTART_MS);
    assert_int_equal(fake_board.hangs, 1);
    crash_place(PLACE_INJECTED, 1);
    bench_restart(bench, BOARD_RESET_WATCHDOG);
    assert_int_equal(BENCH_DO(bench, HELLO, hello, 0, .major = 1), NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(bench_error(bench, NFSAR_WIRE_ERROR_WATCHDOG).latched, 1);
    assert_int_equal(bench_error(bench, NFSAR_WIRE_ERROR_CRASHED).latched, 0);
    const struct nfsar_wire_crash crash = BENCH_LAST(bench, CRASH, crash, -1);
    assert_int_equal(crash.exception, 0);
    assert_int_equal(crash.place, PLACE_INJECTED);
}

static void a_stall_is_seen_in_the_status(void **state) {
    (void)state;
    bench_greet(bench);
    fake_board.count_step = 840; /* each look at the timer takes 10 us: it moves while waited for */
    inject(NFSAR_WIRE_FAULT_STALL, 100);
    fake_board.count_step = 0;
    bench_turns(bench, 1);
    assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_STATUS, 0, NULL, 0), NFSAR_WIRE_RESULT_DONE);
    const struct nfsar_wire_status status = BENCH_LAST(bench, STATUS, status, -1);
    assert_in_range(status.loop_worst_ns, 100000000, 101000000);
    assert_in_range(status.tick_late_worst_ns, 100000000, 101000000);
}

/* More than the timer's 32 bits can count. */
static void a_stall_ends(void **state) {
    (void)state;
    bench_greet(bench);
    fake_board.count_step = 84000;
    inject(NFSAR_WIRE_FAULT_STALL, UINT16_MAX);
    fake_board.count_step = 0;
    bench_turns(bench, 1);
    /* 10 s, which the status' 32 bits of nanoseconds cannot say. */
    assert_int_equal(BENCH_LAST(bench, STATUS, status, -1).loop_worst_ns, UINT32_MAX);
}

static void faults_need_the_word_and_a_still_stage(void **state) {
    (void)state;
    bench_greet(bench);
    assert_int_equal(BENCH_DO(bench, INJECT, inject, 0, .magic = 1, .fault = 1),
                     NFSAR_WIRE_RESULT_VALUE);
    assert_int_equal(bench->detail, 0);
    for (unsigned fault = 0; fault < 256; fault++) {
        if (fault == 0 || fault > NFSAR_WIRE_FAULT_FLOOD) {
            assert_int_equal(BENCH_DO(bench, INJECT, inject, 0, .magic = NFSAR_WIRE_MAGIC,
                                      .fault = (uint8_t)fault),
                             NFSAR_WIRE_RESULT_VALUE);
            assert_int_equal(bench->detail, 1);
        }
    }
    assert_int_equal(
        BENCH_DO(bench, TRIGGER_SET, trigger_set, 0, .frame_ns = 1000000, .pulse_ns = 1000),
        NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(BENCH_DO(bench, TRIGGER_ARM, trigger_arm, 0, .mode = 1, .period_ns = 2000000),
                     NFSAR_WIRE_RESULT_DONE);
    assert_int_equal(BENCH_DO(bench, INJECT, inject, 0, .magic = NFSAR_WIRE_MAGIC,
                              .fault = NFSAR_WIRE_FAULT_HANG),
                     NFSAR_WIRE_RESULT_STATE);
    bench_ms(bench, 200);
    assert_int_equal(fake_board.hangs, 0);
}

static void a_restart_is_answered_first_and_stops_all(void **state) {
    (void)state;
    bench_greet(bench);
    assert_int_equal(BENCH_DO(bench, RESTART, restart, 0, .magic = 5), NFSAR_WIRE_RESULT_VALUE);
    assert_int_equal(bench->detail, 0);
    assert_int_equal(BENCH_DO(bench, RESTART, restart, 0, .magic = NFSAR_WIRE_MAGIC),
                     NFSAR_WIRE_RESULT_DONE);
    assert_true(bench->hub.stage.motion.emergency);
    assert_int_equal(fake_board.resets, 0);
    bench_ms(bench, HUB_RESTART_MS + 1);
    assert_int_equal(fake_board.resets, 1);
    bench_restart(bench, BOARD_RESET_SOFTWARE);
    bench_turns(bench, 1);
    const struct nfsar_wire_hello hello = BENCH_LAST(bench, HELLO, hello, -1);
    assert_int_equal(hello.starts, 2);
    assert_int_equal(hello.flags, 0);
}

/* Steps and triggers are made by the tick: without it the hub is as dead as without its loop. */
static void the_watchdog_is_fed_only_while_ticks_come(void **state) {
    (void)state;
    bench_greet(bench);
    bench_ms(bench, 1000);
    assert_true(bench->hungry <= 2 * 84000 * BENCH_TICKS_A_TURN / 40);
    const uint64_t fed = fake_board.fed;
    for (unsigned i = 0; i < 1000; i++) {
        fake_board_starve(84000);
        hub_poll(&bench->hub);
    }
    assert_true(fake_board.fed == fed);
    bench_turns(bench, 1);
    assert_true(fake_board.fed > fed);
}

/* Dark a tenth of a second each second; five times as often when an error is latched. */
static void the_light_blinks(void **state) {
    (void)state;
    bench_greet(bench);
    for (unsigned errors = 0; errors < 2; errors++) {
        unsigned dark = 0;
        unsigned changes = 0;
        bool before = fake_board.led;
        for (unsigned ms = 0; ms < 2000; ms++) {
            bench_ms(bench, 1);
            dark += !fake_board.led;
            changes += fake_board.led != before;
            before = fake_board.led;
        }
        assert_in_range(dark, errors ? 995 : 197, errors ? 1005 : 203);
        assert_in_range(changes, errors ? 19 : 3, errors ? 21 : 5);
        fake_board.port[BOARD_PORT_LINK].lost = 1;
        bench_ms(bench, 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_hello_and_then_nothing),
        cmocka_unit_test(nothing_is_done_before_hello_but_stopping),
        cmocka_unit_test(status_comes_each_second_and_counts),
        cmocka_unit_test(streams_are_turned_off),
        cmocka_unit_test(the_echo_and_the_time),
        cmocka_unit_test(time_goes_on_when_the_timer_wraps),
        cmocka_unit_test(errors_are_cleared_and_repeated_after_hello),
        cmocka_unit_test(rates_are_sought_without_an_error),
        cmocka_unit_test(a_late_tick_is_an_error_but_in_an_emulator),
        cmocka_unit_test(a_stack_nearly_full_is_an_error),
        cmocka_unit_test(a_flood_is_counted_to_the_record),
        cmocka_unit_test(faults_come_when_asked_for_and_leave_a_record),
        cmocka_unit_test(a_hang_starves_the_watchdog),
        cmocka_unit_test(a_stall_is_seen_in_the_status),
        cmocka_unit_test(a_stall_ends),
        cmocka_unit_test(faults_need_the_word_and_a_still_stage),
        cmocka_unit_test(a_restart_is_answered_first_and_stops_all),
        cmocka_unit_test(the_watchdog_is_fed_only_while_ticks_come),
        cmocka_unit_test(the_light_blinks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
