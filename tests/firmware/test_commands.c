/* All commands: too short, unknown, repeated; then any number of random ones. The hub answers every
 * valid frame, loses nothing that it does not count, and goes on. */
#include "tests/firmware/hub_bench.h"

static struct bench bench_;
static struct bench *const bench = &bench_;

/* Every command, and the bytes that it needs. */
static const struct {
    uint8_t kind;
    uint8_t bytes;
} commands[] = {
    {NFSAR_WIRE_DO_HELLO, 4},
    {NFSAR_WIRE_DO_ECHO, 0},
    {NFSAR_WIRE_DO_TIME, 0},
    {NFSAR_WIRE_DO_STATUS, 0},
    {NFSAR_WIRE_DO_CLEAR, 4},
    {NFSAR_WIRE_DO_CRASH, 1},
    {NFSAR_WIRE_DO_RESTART, 4},
    {NFSAR_WIRE_DO_STREAMS, 8},
    {NFSAR_WIRE_DO_INJECT, 8},
    {NFSAR_WIRE_DO_TRIGGER_SET, 8},
    {NFSAR_WIRE_DO_TRIGGER_ARM, 24},
    {NFSAR_WIRE_DO_TRIGGER_STOP, 0},
    {NFSAR_WIRE_DO_AXIS_SET, NFSAR_WIRE_DO_AXIS_SET_BYTES},
    {NFSAR_WIRE_DO_AXIS_MOVE, 8},
    {NFSAR_WIRE_DO_AXIS_STOP, 0},
    {NFSAR_WIRE_DO_AXIS_HOME, 0},
    {NFSAR_WIRE_DO_AXIS_PLACE, 4},
    {NFSAR_WIRE_DO_AXIS_ENABLE, 1},
    {NFSAR_WIRE_DO_EMERGENCY, 1},
    {NFSAR_WIRE_DO_PROGRAM_LOAD, NFSAR_WIRE_DO_PROGRAM_LOAD_BYTES},
    {NFSAR_WIRE_DO_PROGRAM_START, 0},
    {NFSAR_WIRE_DO_PROGRAM_ABORT, 0},
    {NFSAR_WIRE_DO_SENSOR_SET, 1},
    {NFSAR_WIRE_DO_RADAR_TEXT, 4},
    {NFSAR_WIRE_DO_RADAR_RUN, 10},
    {NFSAR_WIRE_DO_RADAR_LINE, 1},
    {NFSAR_WIRE_DO_RADAR_CANCEL, 0},
    {NFSAR_WIRE_DO_RADAR_RESET, 4},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static const uint8_t zeros[NFSAR_WIRE_PAYLOAD_MAX];

static void too_short_is_said_with_the_length(void **state) {
    (void)state;
    bench_greet(bench);
    for (unsigned i = 0; i < COMMANDS; i++) {
        for (size_t n = 0; n < commands[i].bytes; n++) {
            assert_int_equal(bench_do(bench, commands[i].kind, 0, zeros, n),
                             NFSAR_WIRE_RESULT_LENGTH);
            assert_int_equal(bench->detail, commands[i].bytes);
        }
    }
    /* Longer is a newer minor version's. */
    for (unsigned i = 0; i < COMMANDS; i++) {
        assert_true(bench_do(bench, commands[i].kind, 0, zeros, sizeof zeros) !=
                    NFSAR_WIRE_RESULT_LENGTH);
    }
    bench_settle(bench);
}

static void what_is_no_command_is_unknown(void **state) {
    (void)state;
    bench_greet(bench);
    for (unsigned kind = 0; kind < 256; kind++) {
        bool known = false;
        for (unsigned i = 0; i < COMMANDS; i++) {
            known = known || commands[i].kind == kind;
        }
        if (!known) {
            assert_int_equal(bench_do(bench, (uint8_t)kind, 0, zeros, sizeof zeros),
                             NFSAR_WIRE_RESULT_UNKNOWN);
        }
    }
    bench_settle(bench);
}

static void a_repeated_command_runs_once(void **state) {
    (void)state;
    bench_greet(bench);
    const struct nfsar_wire_header header = {.kind = NFSAR_WIRE_DO_STATUS, .sequence = 1000};
    uint8_t frame[NFSAR_WIRE_FRAME_MAX];
    const size_t n = nfsar_wire_encode(frame, &header, NULL, 0);
    for (unsigned i = 0; i < 5; i++) {
        bench_send(frame, n);
        bench_turns(bench, 2);
    }
    assert_int_equal(bench_count(bench, NFSAR_WIRE_STATUS), 1);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_REPLY), 1 + 5);
}

/* A .cfg over the wire, to a radar that answers. */
static void the_radar_is_configured_over_the_wire(void **state) {
    (void)state;
    static const char cfg[] = "% a cfg\nsensorStop\nflushCfg\nsensorStart\n";
    uint8_t piece[NFSAR_WIRE_PAYLOAD_MAX];
    bench_greet(bench);
    for (uint32_t at = 0; at < sizeof cfg - 1; at += 10) {
        const uint32_t n = sizeof cfg - 1 - at < 10 ? (uint32_t)sizeof cfg - 1 - at : 10;
        const size_t fields =
            nfsar_wire_pack_do_radar_text(piece, &(struct nfsar_wire_do_radar_text){at});
        memcpy(piece + fields, cfg + at, n);
        assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_RADAR_TEXT, 0, piece, fields + n),
                         NFSAR_WIRE_RESULT_DONE);
    }
    assert_int_equal(BENCH_DO(bench, RADAR_RUN, radar_run, 0, .bytes = sizeof cfg - 1, .crc = 1),
                     NFSAR_WIRE_RESULT_VALUE);
    const uint32_t crc = nfsar_wire_crc32(0, (const uint8_t *)cfg, sizeof cfg - 1);
    assert_int_equal(BENCH_DO(bench, RADAR_RUN, radar_run, 0, .bytes = sizeof cfg - 1, .crc = crc),
                     NFSAR_WIRE_RESULT_DONE);
    static const char *const lines[] = {"sensorStop\n", "flushCfg\n", "sensorStart\n"};
    for (unsigned i = 0; i < 3; i++) {
        char got[100] = {0};
        bench_ms(bench, 2);
        fake_board_receive(BOARD_PORT_RADAR, got, sizeof got - 1);
        assert_string_equal(got, lines[i]);
        static const char answers[3][30] = {"Done\r\nmmwDemo:/>", "Done\r\nmmwDemo:/>",
                                            "Error -7\r\nmmwDemo:/>"};
        fake_board_send(BOARD_PORT_RADAR, got, strlen(got));
        fake_board_send(BOARD_PORT_RADAR, answers[i], strlen(answers[i]));
    }
    bench_ms(bench, 2);
    const struct bench_record *told = bench_last(bench, NFSAR_WIRE_RADAR, 0);
    struct nfsar_wire_radar radar;
    assert_true(nfsar_wire_unpack_radar(&radar, told->payload, told->bytes));
    assert_int_equal(radar.state, NFSAR_WIRE_RADAR_REFUSED);
    assert_int_equal(radar.line, 4);
    assert_int_equal(radar.lines, 2);
    assert_int_equal(told->bytes, NFSAR_WIRE_RADAR_BYTES + strlen("sensorStart"));
    assert_memory_equal(told->payload + NFSAR_WIRE_RADAR_BYTES, "sensorStart",
                        strlen("sensorStart"));
    struct nfsar_wire_error error = bench_error(bench, NFSAR_WIRE_ERROR_RADAR_REFUSED);
    assert_int_equal(error.latched, 1);
    assert_int_equal(error.value, 4);
    const struct bench_record *said = bench_last(bench, NFSAR_WIRE_RADAR_TEXT, 0);
    assert_int_equal(said->bytes, 8);
    assert_memory_equal(said->payload, "Error -7", 8);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_RADAR_TEXT), 6);
    /* One line, and no answer. */
    assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_RADAR_LINE, 0, "version", 7),
                     NFSAR_WIRE_RESULT_DONE);
    bench_ms(bench, RADAR_TIMEOUT_MS + 5);
    error = bench_error(bench, NFSAR_WIRE_ERROR_RADAR_SILENT);
    assert_int_equal(error.latched, 1);
    assert_int_equal(error.value, 0);
    /* Reset, and given up. */
    assert_int_equal(BENCH_DO(bench, RADAR_RESET, radar_reset, 0, .sop = 2),
                     NFSAR_WIRE_RESULT_VALUE);
    assert_int_equal(BENCH_DO(bench, RADAR_RESET, radar_reset, 0, .sop = 5, .low_ms = 20),
                     NFSAR_WIRE_RESULT_DONE);
    assert_true(fake_board.radar_reset);
    assert_int_equal(fake_board.radar_boot, 5);
    assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_RADAR_CANCEL, 0, NULL, 0),
                     NFSAR_WIRE_RESULT_DONE);
    assert_false(fake_board.radar_reset);
    assert_true(fake_board.radar_boot_driven);
    bench_ms(bench, 10);
    assert_false(fake_board.radar_boot_driven);
    bench_settle(bench);
}

/* The longest line there is, refused: its record ends with as much of it as fits. */
static void a_long_line_is_told_in_part(void **state) {
    (void)state;
    uint8_t line[NFSAR_WIRE_PAYLOAD_MAX];
    bench_greet(bench);
    memset(line, 'q', sizeof line);
    assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_RADAR_LINE, 0, line, sizeof line),
                     NFSAR_WIRE_RESULT_DONE);
    fake_board_send(BOARD_PORT_RADAR, "Error -1\n", 9);
    bench_ms(bench, 2);
    assert_int_equal(bench_last(bench, NFSAR_WIRE_RADAR, 0)->bytes, NFSAR_WIRE_PAYLOAD_MAX);
}

/* ---- anything at all ---- */

static uint32_t seed;

static uint32_t below(uint32_t n) {
    return noise(&seed) % n;
}

/* Bytes that look like what a field may hold: zeros, small numbers, the magic, floats, noise. */
static size_t random_payload(uint8_t *payload) {
    const size_t n = below(4) == 0 ? below(NFSAR_WIRE_PAYLOAD_MAX + 1) : below(70);
    for (size_t at = 0; at < n;) {
        uint32_t word = noise(&seed);
        switch (below(8)) {
        case 0:
            word = 0;
            break;
        case 1:
            word = NFSAR_WIRE_MAGIC;
            break;
        case 2: {
            const float value = (float)below(20000);
            memcpy(&word, &value, sizeof word);
            break;
        }
        case 3:
            word &= 0x01030101;
            break;
        case 4:
            word &= 0xFFFF;
            break;
        case 5:
            word = below(4);
            break;
        default:
            break;
        }
        for (unsigned i = 0; i < 4 && at < n; i++) {
            payload[at++] = (uint8_t)(word >> 8 * i);
        }
    }
    return n;
}

/* Whatever else happens on a board. */
static void random_events(void) {
    uint8_t bytes[64];
    switch (below(12)) {
    case 0: /* noise and answers at the other ports */
        for (size_t i = 0; i < sizeof bytes; i++) {
            bytes[i] = (uint8_t)noise(&seed);
        }
        fake_board_send((enum board_port)(BOARD_PORT_IMU + below(4)), bytes, below(64));
        break;
    case 1:
        fake_board_send(BOARD_PORT_RADAR, "Done\nx:/>Error\n", below(16));
        break;
    case 2:
        fake_board_input((enum board_input)below(BOARD_INPUTS), below(2) == 0);
        break;
    case 3:
        fake_board.inputs = 0;
        break;
    case 4:
        fake_board_stamp((enum board_stamp)below(BOARD_STAMPS));
        break;
    case 5:
        fake_board_starve(below(84000));
        break;
    case 6:
        fake_board.port[BOARD_PORT_RADAR].lost += below(2);
        break;
    default:
        break;
    }
    uint8_t sink[FAKE_PORT_BYTES / 64];
    for (unsigned port = BOARD_PORT_IMU; port < BOARD_PORTS; port++) {
        while (fake_board_receive((enum board_port)port, sink, sizeof sink) > 0) {
        }
    }
}

/* The hub goes on after all of it: it answers, and its books are right. */
static void still_in_order(void) {
    bench_settle(bench);
    assert_int_equal(bench->hub.outbox.dropped, bench->hub.outbox.dropped_sensors);
    assert_int_equal(bench_count(bench, NFSAR_WIRE_REPLY), links_frames(&bench->hub.links));
    assert_int_equal(bench_do(bench, NFSAR_WIRE_DO_ECHO, 9, "alive", 5), NFSAR_WIRE_RESULT_DONE);
    assert_memory_equal(bench->answer, "alive", 5);
}

/* Axes that can move and triggers that can come, so that some of what follows is done. */
static void set_up(void) {
    bench_do(bench, NFSAR_WIRE_DO_PROGRAM_ABORT, 0, NULL, 0);
    BENCH_DO(bench, STREAMS, streams, 0, .axis_ms = 10);
    BENCH_DO(bench, TRIGGER_SET, trigger_set, 0, .frame_ns = 100000, .pulse_ns = 1000);
    for (uint8_t axis = 0; axis < BOARD_AXES; axis++) {
        bench_do(bench, NFSAR_WIRE_DO_AXIS_STOP, axis, NULL, 0);
        bench_ms(bench, 20);
        BENCH_DO(bench, AXIS_SET, axis_set, axis, .speed = 15000, .acceleration = 4e6F,
                 .jerk = 3e9F, .switches = 1, .home = -1, .home_speed = 15000, .home_slow = 1000,
                 .home_back = 5, .home_travel = 500);
        BENCH_DO(bench, AXIS_PLACE, axis_place, axis, .position = 0);
    }
    BENCH_DO(bench, PROGRAM_LOAD, program_load, 0, .pattern = 1, .slow = 1, .fast_pitch = 20,
             .slow_pitch = 5, .columns = 5, .rows = 3);
    bench_do(bench, NFSAR_WIRE_DO_PROGRAM_START, 0, NULL, 0);
    bench_ms(bench, below(100));
}

static void random_commands_are_all_answered(void **state) {
    (void)state;
    bench_greet(bench);
    seed = 2026;
    for (unsigned i = 0; i < 100000; i++) {
        uint8_t payload[NFSAR_WIRE_PAYLOAD_MAX];
        const size_t n = random_payload(payload);
        uint8_t kind = (uint8_t)noise(&seed);
        if (below(10) > 0) {
            const unsigned k = below(COMMANDS);
            kind = commands[k].kind;
        }
        /* A stall only waits, and would make this test do so. */
        if (kind == NFSAR_WIRE_DO_INJECT && n > 4 && payload[4] == NFSAR_WIRE_FAULT_STALL) {
            payload[4] = NFSAR_WIRE_FAULT_FLOOD;
        }
        bench_command(bench, kind, (uint8_t)below(below(4) == 0 ? 256 : 4), payload, n);
        random_events();
        bench_turns(bench, 1);
        if (i % 1000 == 999) {
            /* Nothing stands in the way of most commands. */
            fake_board.inputs = 0;
            BENCH_DO(bench, EMERGENCY, emergency, 0, .stop = 0);
            BENCH_DO(bench, CLEAR, clear, 0, .errors = UINT32_MAX);
            still_in_order();
            set_up();
        }
    }
    still_in_order();
    assert_true(bench_count(bench, NFSAR_WIRE_TRIGGER) > 10);
    assert_true(fake_board.axis[0].steps > 1000);
    assert_true(bench_count(bench, NFSAR_WIRE_PROGRAM) > 10);
    assert_true(fake_board.resets > 10);
    assert_true(fake_board.hangs + fake_board.faults > 10);
}

static void random_bytes_are_survived(void **state) {
    (void)state;
    bench_greet(bench);
    seed = 4711;
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t bytes[256];
        const uint32_t n = below(256);
        /* Short pieces between zeros, long ones without. */
        const uint32_t often = 1 + below(60);
        for (uint32_t k = 0; k < n; k++) {
            bytes[k] = below(often) == 0 ? 0 : (uint8_t)noise(&seed);
        }
        bench_send(bytes, n);
        random_events();
        bench_turns(bench, 1);
    }
    bench_send("", 1);
    still_in_order();
    assert_true(links_bad(&bench->hub.links) > 10000);
}

/* Good commands, damaged by the line: none is half done, each whole one is answered. */
static void damaged_commands_are_not_done(void **state) {
    (void)state;
    bench_greet(bench);
    seed = 99;
    unsigned whole = links_frames(&bench->hub.links);
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t frame[NFSAR_WIRE_FRAME_MAX];
        uint8_t payload[NFSAR_WIRE_PAYLOAD_MAX];
        const struct nfsar_wire_header header = {.kind = NFSAR_WIRE_DO_ECHO, .sequence = i};
        const size_t n = random_payload(payload);
        const size_t bytes = nfsar_wire_encode(frame, &header, payload, n);
        const bool damage = below(2) == 0;
        if (damage) {
            frame[below((uint32_t)bytes - 1)] ^= (uint8_t)(1U << below(8));
        }
        bench_send(frame, bytes);
        bench_turns(bench, 1);
        whole += !damage;
        assert_int_equal(links_frames(&bench->hub.links), whole);
    }
    still_in_order();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(too_short_is_said_with_the_length),
        cmocka_unit_test(what_is_no_command_is_unknown),
        cmocka_unit_test(a_repeated_command_runs_once),
        cmocka_unit_test(the_radar_is_configured_over_the_wire),
        cmocka_unit_test(a_long_line_is_told_in_part),
        cmocka_unit_test(random_commands_are_all_answered),
        cmocka_unit_test(random_bytes_are_survived),
        cmocka_unit_test(damaged_commands_are_not_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
