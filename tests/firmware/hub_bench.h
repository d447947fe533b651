/* A whole hub on the fake board, and a host that talks to it over the serial link. */
#ifndef NFSAR_TESTS_FIRMWARE_HUB_BENCH_H
#define NFSAR_TESTS_FIRMWARE_HUB_BENCH_H

#include "firmware/app/hub.h"
#include "tests/firmware/check.h"
#include "tests/firmware/fake_board.h"

enum { BENCH_RECORDS = 4096, BENCH_TICKS_A_TURN = 10 };

/* A frame that the hub sent. */
struct bench_record {
    struct nfsar_wire_header header;
    size_t bytes;
    uint8_t payload[NFSAR_WIRE_PAYLOAD_MAX];
};

struct bench {
    struct hub hub;
    struct nfsar_wire_reader reader;
    uint32_t received; /* all of them */
    uint32_t of_kind[256];
    uint32_t missed; /* by gaps in the sequence */
    uint32_t expected;
    uint32_t sequence; /* of the last command */
    uint8_t answer[NFSAR_WIRE_PAYLOAD_MAX];
    size_t answer_bytes; /* what came behind the last reply's fields */
    uint16_t detail;     /* of the last reply */
    uint8_t scratch[NFSAR_WIRE_PAYLOAD_MAX];
    uint64_t fed;                               /* when the watchdog was fed last */
    uint64_t hungry;                            /* longest time that it was not, counts */
    struct bench_record records[BENCH_RECORDS]; /* the last ones, in a ring */
};

/* The hub as after power-on, on the fake board as it is: fake_board_reset() before, and whatever
 * the test wants otherwise. */
void bench_start(struct bench *bench);
/* The hub again, after a reset: kept memory stays. */
void bench_restart(struct bench *bench, enum board_reset_cause cause);
/* Board reset and started, and hello said. */
void bench_greet(struct bench *bench);

/* Turns of the main loop, BENCH_TICKS_A_TURN ticks before each; what the hub sends is read. */
void bench_turns(struct bench *bench, unsigned turns);
void bench_ms(struct bench *bench, unsigned ms);
/* Only reads what the hub sent. */
void bench_receive(struct bench *bench);

/* Sends a command, and turns until the reply to it. Its result; bench->detail and answer are the
 * rest of it. */
enum nfsar_wire_result bench_do(struct bench *bench, uint8_t kind, uint8_t channel,
                                const void *payload, size_t n);
/* With fields: BENCH_DO(bench, AXIS_MOVE, axis_move, 0, .target = 5). */
#define BENCH_DO(bench, NAME, name, channel, ...)                                                  \
    bench_do(bench, NFSAR_WIRE_DO_##NAME, channel, (bench)->scratch,                               \
             nfsar_wire_pack_do_##name((bench)->scratch,                                           \
                                       &(const struct nfsar_wire_do_##name){__VA_ARGS__}))

/* Sends bytes as they are. */
void bench_send(const void *bytes, size_t n);
/* Makes a frame of the next number and sends it. */
void bench_command(struct bench *bench, uint8_t kind, uint8_t channel, const void *payload,
                   size_t n);

/* The last record of this kind, of this channel or any (-1). Fails when there is none. */
const struct bench_record *bench_last(const struct bench *bench, uint8_t kind, int channel);
/* How many of this kind came. */
uint32_t bench_count(const struct bench *bench, uint8_t kind);
/* The last record of an error; all zero when there was none. */
struct nfsar_wire_error bench_error(const struct bench *bench, enum nfsar_wire_error_code error);
/* The structure that the last record of its kind holds: BENCH_LAST(bench, STATUS, status, -1). */
#define BENCH_LAST(bench, NAME, name, channel)                                                     \
    bench_unpack_##name(bench_last(bench, NFSAR_WIRE_##NAME, channel))
#define BENCH_UNPACK(NAME, name)                                                                   \
    static inline struct nfsar_wire_##name bench_unpack_##name(                                    \
        const struct bench_record *record) {                                                       \
        struct nfsar_wire_##name to = {0};                                                         \
        assert_int_equal(record->bytes, NFSAR_WIRE_##NAME##_BYTES);                                \
        nfsar_wire_unpack_##name(&to, record->payload, record->bytes);                             \
        return to;                                                                                 \
    }
BENCH_UNPACK(HELLO, hello)
BENCH_UNPACK(STATUS, status)
BENCH_UNPACK(ERROR, error)
BENCH_UNPACK(CRASH, crash)
BENCH_UNPACK(TRIGGER, trigger)
BENCH_UNPACK(AXIS, axis)
BENCH_UNPACK(PROGRAM, program)
BENCH_UNPACK(IMU, imu)
BENCH_UNPACK(FLOW, flow)
BENCH_UNPACK(RANGE, range)
BENCH_UNPACK(GNSS, gnss)
BENCH_UNPACK(CLOCK, clock)
BENCH_UNPACK(SENSOR, sensor)

/* made = received + dropped, gaps = dropped, no bad frames: once the line has taken all. */
void bench_settle(struct bench *bench);

#endif
