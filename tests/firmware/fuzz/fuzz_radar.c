/* The radar's command line under any bytes. The input is a script: a byte below 128 says that so
 * many (of 6 bits) of the bytes after it are printed by the radar; then come lines that it is asked
 * to send, texts, runs, resets, and from 224 on time. Whatever it was: what it tells is in range,
 * and with time alone it comes to rest. */
#include <stdbool.h>
#include <stdlib.h>

#include "firmware/app/radar.h"

/* A text of three lines that is run, and answered once each way; a line; a reset and its prompt. */
const uint8_t fuzz_seed[] = {
    0x88, 0x61, 0x20, 0x31, 0x0A, 0x62, 0x0A, 0x63, 0x0A, 0x98, 0xE1, 0x0E, 0x61, 0x20, 0x31, 0x0D,
    0x0A, 0x44, 0x6F, 0x6E, 0x65, 0x0A, 0x0D, 0x3A, 0x2F, 0x3E, 0xE2, 0x09, 0x45, 0x72, 0x72, 0x6F,
    0x72, 0x20, 0x2D, 0x31, 0x0A, 0xA3, 0x78, 0x79, 0x7A, 0xE9, 0x20, 0x27, 0x78, 0x27, 0x20, 0x69,
    0x73, 0x20, 0x6E, 0x6F, 0x74, 0x20, 0x72, 0x65, 0x63, 0x6F, 0x67, 0x6E, 0x69, 0x7A, 0x65, 0x64,
    0x20, 0x61, 0x73, 0x20, 0x61, 0x20, 0x43, 0x4C, 0x49, 0x20, 0x0A, 0xB0, 0x01, 0x00, 0x05, 0xE4,
    0x06, 0x68, 0x69, 0x0A, 0x3A, 0x2F, 0x3E, 0xA2, 0x76, 0x0A, 0xB8, 0xEF};
const size_t fuzz_seed_size = sizeof fuzz_seed;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds) {
        abort();
    }
}

/* The other end of everything. */
struct world {
    struct radar radar;
    const uint8_t *at;
    size_t left;     /* of the script */
    size_t printing; /* bytes of it that the radar prints now */
    size_t takes;    /* bytes that the port takes in one call */
    size_t line;     /* bytes since the last end of a line went out */
    bool held;
    uint64_t now_ns;
};

static bool read_byte(void *context, uint8_t *byte, uint32_t *count) {
    struct world *world = context;
    *count = 0;
    if (world->printing == 0) {
        return false;
    }
    world->printing--;
    world->left--;
    *byte = *world->at++;
    return true;
}

static size_t write_bytes(void *context, const uint8_t *from, size_t n) {
    struct world *world = context;
    n = n < world->takes ? n : world->takes;
    require(n == 0 || !world->held);
    for (size_t i = 0; i < n; i++) {
        require(from[i] != '\n' || world->line > 0); /* no empty line, no comment */
        require(from[i] != '%' || world->line > 0);
        world->line = from[i] == '\n' ? 0 : world->line + 1;
    }
    return n;
}

static bool set_rate(void *context, uint32_t rate) {
    (void)context;
    return rate == RADAR_RATE;
}

static void tell_state(void *context, const struct nfsar_wire_radar *state, const char *text,
                       size_t n) {
    struct world *world = context;
    const char *whole = world->radar.text;
    require(state->state <= NFSAR_WIRE_RADAR_CANCELLED);
    require(state->state == world->radar.state);
    require(n == 0 || (text >= whole && text + n <= whole + RADAR_TEXT_BYTES));
}

static void tell_said(void *context, const char *text, size_t n) {
    (void)context;
    require(n > 0 && n <= RADAR_LINE_BYTES);
    for (size_t i = 0; i < n; i++) {
        require(text[i] != '\n' && text[i] != '\r');
    }
}

static void set_reset(void *context, bool held) {
    ((struct world *)context)->held = held;
}

static void set_boot(void *context, unsigned sop) {
    (void)context;
    require(sop == 1 || sop == 3 || sop == 5);
}

static void release_boot(void *context) {
    (void)context;
}

static const uint8_t *take(struct world *world, size_t n) {
    const uint8_t *const at = world->at;
    world->at += n;
    world->left -= n;
    return at;
}

static void poll(struct world *world, uint64_t ms) {
    world->now_ns += ms * 1000000;
    radar_poll(&world->radar, world->now_ns);
    require(world->radar.bytes <= RADAR_TEXT_BYTES);
    require(world->radar.heard_bytes <= RADAR_LINE_BYTES);
    require(world->radar.sent <= world->radar.line_bytes + 1);
}

static void run(struct world *world, uint16_t timeout_ms) {
    const struct radar *radar = &world->radar;
    const struct nfsar_wire_do_radar_run what = {
        (uint32_t)radar->bytes, nfsar_wire_crc32(0, (const uint8_t *)radar->text, radar->bytes),
        timeout_ms};
    radar_run(&world->radar, &what, world->now_ns);
}

static void step(struct world *world) {
    const uint8_t op = *take(world, 1);
    size_t n = op % 64 < world->left ? op % 64 : world->left;
    if (op < 128) {
        world->printing = n;
    } else if (op < 152) {
        n = op % 8 < world->left ? op % 8U : world->left;
        radar_add(&world->radar, op < 144 ? 0 : (uint32_t)world->radar.bytes, take(world, n), n);
    } else if (op < 160) {
        run(world, op % 8 * 100);
    } else if (op < 176) {
        n = op % 16 < world->left ? op % 16U : world->left;
        if (n > 0) {
            radar_say(&world->radar, take(world, n), n, world->now_ns);
        }
    } else if (op < 184 && world->left >= 3) {
        const uint8_t *bytes = take(world, 3);
        const struct nfsar_wire_do_radar_reset what = {bytes[0], bytes[1], bytes[2]};
        radar_reset(&world->radar, &what, world->now_ns);
    } else if (op < 188) {
        radar_cancel(&world->radar, world->now_ns);
    } else if (op < 192) {
        world->takes = op - 188U;
    } else if (op < 224) {
        /* As long a text as a few bytes can ask for. */
        const uint8_t again[64] = {'a', ' ', 'b', '\n', (uint8_t)op};
        radar_add(&world->radar, (uint32_t)world->radar.bytes, again, sizeof again);
    }
    poll(world, op < 224 ? 1 : UINT64_C(1) << (op - 224) / 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct world world;
    static struct serial_port port;
    world = (struct world){.at = data, .left = size, .takes = SIZE_MAX, .now_ns = 1};
    port = (struct serial_port){
        .read = read_byte, .write = write_bytes, .set_rate = set_rate, .context = &world};
    radar_init(
        &world.radar, &port,
        &(struct radar_events){tell_state, tell_said, set_reset, set_boot, release_boot, &world});
    while (world.left > 0) {
        step(&world);
    }
    /* Resets take a minute at most, lines as long to be answered. */
    for (unsigned i = 0; i < 5; i++) {
        poll(&world, 66000);
    }
    const uint8_t state = world.radar.state;
    require(state != NFSAR_WIRE_RADAR_SENDING && state != NFSAR_WIRE_RADAR_RESETTING);
    require(!world.held || world.radar.held);
    return 0;
}
