/* The whole hub under any bytes and any commands. The input is a script: a byte below 64 says that
 * so many of the bytes after it arrive as they are on the link; below 192, that a command of the
 * next byte's number, with so many (of 6 bits) bytes of payload, comes in a good frame; then come
 * bytes at the other ports, and from 240 on time, edges, stamps. Whatever it was: the hub goes on,
 * every good frame is answered, and what was made is what came out and what was dropped. */
#include <stdlib.h>

#include "tests/firmware/hub_bench.h"

/* Hello, an axis set, placed and moved, triggers by period, a scan, a .cfg that is run, an answer
 * of the radar, a packet of the IMU, an emergency stop and its release. */
const uint8_t fuzz_seed[] = {
    0x44, 0x80, 0x00, 0x01, 0x00, 0x00, 0x00, 0x48, 0x90, 0x00, 0x40, 0x42, 0x0F, 0x00, 0xE8,
    0x03, 0x00, 0x00, 0x44, 0xA4, 0x00, 0x00, 0x00, 0x00, 0x00, 0x58, 0x91, 0x00, 0x01, 0x00,
    0x00, 0x00, 0x80, 0x84, 0x1E, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x05,
    0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0xF8, 0x48, 0xA1, 0x00, 0x40, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0xF9, 0x4C, 0xD0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x61, 0x62, 0x63,
    0x0A, 0x64, 0x65, 0x0A, 0x66, 0x43, 0xD2, 0x00, 0x61, 0x62, 0x63, 0xF0, 0xC9, 0x44, 0x6F,
    0x6E, 0x65, 0x0A, 0x3A, 0x2F, 0x3E, 0x0A, 0xC0, 0x0B, 0x55, 0x51, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x08, 0xC4, 0x09, 0x7B, 0x44, 0xD4, 0x00, 0x01, 0x00, 0x05, 0x00, 0xFA, 0x41, 0xA8,
    0x00, 0x01, 0xF4, 0x41, 0xA8, 0x00, 0x00, 0x44, 0x84, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0x40,
    0xB1, 0x00, 0x40, 0x83, 0x00, 0x04, 0x01, 0x02, 0x00, 0x03, 0xFF};
const size_t fuzz_seed_size = sizeof fuzz_seed;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds) {
        abort();
    }
}

struct script {
    const uint8_t *at;
    size_t left;
};

static uint8_t next(struct script *script) {
    if (script->left == 0) {
        return 0;
    }
    script->left--;
    return *script->at++;
}

static size_t take(struct script *script, uint8_t *to, size_t n) {
    n = n < script->left ? n : script->left;
    memcpy(to, script->at, n);
    script->at += n;
    script->left -= n;
    return n;
}

static void command(struct bench *bench, struct script *script, size_t n) {
    uint8_t payload[64];
    const uint8_t kind = next(script);
    const uint8_t channel = next(script);
    n = take(script, payload, n);
    if (kind == NFSAR_WIRE_DO_INJECT && n > 4 && payload[4] == NFSAR_WIRE_FAULT_STALL) {
        payload[4] = NFSAR_WIRE_FAULT_FLOOD; /* a stall is but waiting */
    }
    bench_command(bench, kind, channel, payload, n);
}

static void event(struct script *script, unsigned what) {
    switch (what) {
    case 0:
    case 1:
        fake_board_stamp((enum board_stamp)what);
        break;
    case 2:
        fake_board_starve((uint64_t)next(script) * 8400);
        break;
    case 3:
        fake_board.port[BOARD_PORT_LINK].most_taken = next(script);
        break;
    case 4:
        fake_board.inputs = 0;
        break;
    case 5:
        fake_board_input((enum board_input)(next(script) % BOARD_INPUTS), true);
        break;
    default:
        fake_board_ticks(UINT64_C(1) << (what - 6));
        break;
    }
}

static void step(struct bench *bench, struct script *script) {
    uint8_t bytes[64];
    const uint8_t op = next(script);
    if (op < 64) {
        bench_send(bytes, take(script, bytes, op));
    } else if (op < 192) {
        command(bench, script, op % 64);
    } else if (op < 240) {
        const enum board_port port = (enum board_port)(BOARD_PORT_IMU + (op - 192) / 12);
        fake_board_send(port, bytes, take(script, bytes, (size_t)next(script) % 64));
    } else {
        event(script, op - 240U);
    }
    bench_turns(bench, 1);
    for (unsigned port = BOARD_PORT_IMU; port < BOARD_PORTS; port++) {
        while (fake_board_receive((enum board_port)port, bytes, sizeof bytes) > 0) {
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct bench bench;
    struct script script = {data, size};
    fake_board_reset();
    fake_board.emulated = size % 2 == 0;
    bench_start(&bench);
    for (unsigned steps = 0; script.left > 0 && steps < 4096; steps++) {
        step(&bench, &script);
    }
    /* The line ends what it is within, takes all, and the flood runs dry. */
    fake_board.port[BOARD_PORT_LINK].most_taken = 0;
    bench_send("", 1);
    for (unsigned turn = 0; turn < 1000 && (turn < 5 || bench.hub.flood > 0); turn++) {
        bench_turns(&bench, 1);
    }
    bench_turns(&bench, 5);
    const struct outbox *outbox = &bench.hub.outbox;
    require(outbox->used == 0);
    require(bench.reader.bad == 0);
    require(outbox->made == bench.received + outbox->dropped);
    const uint32_t answers = bench_count(&bench, NFSAR_WIRE_REPLY);
    const uint32_t frames = links_frames(&bench.hub.links);
    require(answers <= frames && frames - answers <= outbox->dropped - outbox->dropped_sensors);
    /* It still does what it is told. */
    const uint32_t hellos = bench_count(&bench, NFSAR_WIRE_HELLO);
    const uint8_t major[4] = {NFSAR_WIRE_MAJOR};
    bench_command(&bench, NFSAR_WIRE_DO_HELLO, 0, major, sizeof major);
    bench_turns(&bench, 3);
    require(bench_count(&bench, NFSAR_WIRE_HELLO) == hellos + 1);
    require(bench_count(&bench, NFSAR_WIRE_REPLY) == answers + 1);
    return 0;
}
