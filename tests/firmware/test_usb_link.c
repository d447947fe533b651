/* The byte pipe over the core on a simulated controller: order, flow control, empty packets, and
 * what resets and halts do to the bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/usb/usb_link.h"
#include "tests/firmware/dcd_sim.h"

struct bench {
    struct dcd_sim sim;
    struct usb_link link;
    struct usb_host host;
};

static uint8_t pattern[100000];

static void run(void *device) {
    usb_link_poll(device);
}

static void start(struct bench *bench) {
    memset(bench, 0, sizeof *bench);
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof pattern; i++) {
        x = x * 1664525 + 1013904223;
        pattern[i] = (uint8_t)(x >> 24);
    }
    dcd_sim_init(&bench->sim, true);
    assert_true(usb_link_init(&bench->link, &bench->sim.dcd, "0011", 1, 2));
    assert_true(bench->sim.connected);
    bench->host =
        (struct usb_host){.port = dcd_sim_port(&bench->sim), .run = run, .device = &bench->link};
    assert_false(usb_link_ready(&bench->link));
    assert_true(usb_host_enumerate(&bench->host, 3));
    assert_true(usb_link_ready(&bench->link));
}

static void finish(const struct bench *bench) {
    assert_int_equal(bench->sim.misuse, 0);
    assert_int_equal(bench->host.toggle_errors, 0);
}

static void test_identity(void **state) {
    (void)state;
    struct bench bench;
    uint8_t got[64];
    start(&bench);
    assert_int_equal(usb_host_control(&bench.host, 0x80, 6, 0x0100, 0, 18, got), 18);
    assert_int_equal(got[12] | got[13] << 8, 0x0102);
    assert_int_equal(usb_host_control(&bench.host, 0x80, 6, 0x0303, 0x0409, 64, got), 10);
    assert_memory_equal(got + 2, "0\0000\0001\0001\0", 8);
    /* A serial number that is too long is cut, not overrun. */
    assert_true(usb_link_init(&bench.link, &bench.sim.dcd, "0123456789ABCDEF0123456789", 1, 2));
    assert_string_equal(bench.link.serial, "0123456789ABCDEF01234567");
}

/* A read on the host ends at a packet that is not full; after a last full one an empty one. */
static void test_write_sizes(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 63, 64, 65, 127, 128, 129, 4095, 4096};
    struct bench bench;
    uint8_t got[8192];
    start(&bench);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t n = sizes[i];
        assert_int_equal(usb_link_write(&bench.link, pattern, n), n);
        assert_int_equal(usb_host_in(&bench.host, 0x81, got, sizeof got), n);
        assert_memory_equal(got, pattern, n);
        /* Nothing is left, not even an empty packet. */
        assert_false(bench.link.writing || bench.link.end_due);
    }
    assert_int_equal(usb_link_room(&bench.link), USB_LINK_TX_SIZE);
    finish(&bench);
}

/* A full packet is followed by data, not by an empty packet, when there is more. */
static void test_no_empty_packet_in_between(void **state) {
    (void)state;
    struct bench bench;
    uint8_t got[256];
    start(&bench);
    assert_int_equal(usb_link_write(&bench.link, pattern, 64), 64);
    assert_int_equal(usb_link_write(&bench.link, pattern + 64, 10), 10);
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, sizeof got), 74);
    assert_memory_equal(got, pattern, 74);
    finish(&bench);
}

static void test_write_full(void **state) {
    (void)state;
    struct bench bench;
    uint8_t got[8192];
    start(&bench);
    assert_int_equal(usb_link_write(&bench.link, pattern, 5000), USB_LINK_TX_SIZE);
    assert_int_equal(usb_link_write(&bench.link, pattern, 1), 0);
    assert_int_equal(usb_link_room(&bench.link), 0);
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, 64), 64);
    assert_int_equal(usb_link_room(&bench.link), 64);
    assert_int_equal(usb_link_write(&bench.link, pattern + USB_LINK_TX_SIZE, 100), 64);
    assert_int_equal(usb_host_in(&bench.host, 0x81, got + 64, sizeof got - 64), USB_LINK_TX_SIZE);
    assert_memory_equal(got, pattern, USB_LINK_TX_SIZE + 64);
    finish(&bench);
}

/* The host may send for ever; what the application does not read waits with the host. */
static void test_flow_control(void **state) {
    (void)state;
    struct bench bench;
    uint8_t got[4096];
    start(&bench);
    assert_int_equal(usb_host_out(&bench.host, 1, pattern, 4096, false), USB_LINK_RX_SIZE);
    /* 63 free bytes are not enough for a packet, 64 are. */
    assert_int_equal(usb_link_read(&bench.link, got, 63), 63);
    assert_int_equal(usb_host_out(&bench.host, 1, pattern + USB_LINK_RX_SIZE, 64, false), 0);
    assert_int_equal(usb_link_read(&bench.link, got + 63, 1), 1);
    assert_int_equal(usb_host_out(&bench.host, 1, pattern + USB_LINK_RX_SIZE, 64, false), 64);
    assert_int_equal(usb_link_read(&bench.link, got + 64, 4000), USB_LINK_RX_SIZE);
    assert_memory_equal(got, pattern, USB_LINK_RX_SIZE + 64);
    assert_int_equal(usb_link_read(&bench.link, got, 100), 0);
    /* Empty packets carry nothing and are taken. */
    assert_int_equal(usb_host_out(&bench.host, 1, pattern, 0, false), 0);
    assert_int_equal(usb_host_out(&bench.host, 1, pattern, 64, true), 64);
    assert_int_equal(usb_link_read(&bench.link, got, 100), 64);
    finish(&bench);
}

/* 100 kB out and back through an application that echoes in odd pieces. */
static void test_echo(void **state) {
    (void)state;
    static uint8_t got[sizeof pattern + 64];
    struct bench bench;
    start(&bench);
    size_t sent = 0, n_got = 0;
    uint8_t piece[173];
    size_t n_piece = 0, done = 0;
    for (unsigned turn = 0; turn < 10000 && n_got < sizeof pattern; turn++) {
        size_t ask = 1 + (turn * 37) % 300;
        ask = ask < sizeof pattern - sent ? ask : sizeof pattern - sent;
        if (ask > 0) {
            int n = usb_host_out(&bench.host, 1, pattern + sent, ask, false);
            assert_true(n >= 0);
            sent += (size_t)n;
        }
        for (int i = 0; i < 3; i++) {
            if (done == n_piece) {
                n_piece = usb_link_read(&bench.link, piece, sizeof piece);
                done = 0;
            }
            done += usb_link_write(&bench.link, piece + done, n_piece - done);
        }
        int n = usb_host_in(&bench.host, 0x81, got + n_got, sizeof pattern + 64 - n_got);
        assert_true(n >= 0);
        n_got += (size_t)n;
    }
    assert_int_equal(n_got, sizeof pattern);
    assert_memory_equal(got, pattern, sizeof pattern);
    struct usb_link_counters counters = usb_link_counters(&bench.link);
    assert_int_equal(counters.bytes_in, sizeof pattern);
    assert_int_equal(counters.bytes_out, sizeof pattern);
    assert_int_equal(counters.lost_in + counters.lost_out, 0);
    finish(&bench);
}

static void test_halt_loses_nothing(void **state) {
    (void)state;
    struct bench bench;
    uint8_t got[256];
    start(&bench);
    assert_int_equal(usb_link_write(&bench.link, pattern, 100), 100);
    assert_int_equal(usb_host_control(&bench.host, 2, 3, 0, 0x81, 0, NULL), 0);
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, sizeof got), USB_STALL);
    assert_int_equal(usb_link_write(&bench.link, pattern + 100, 50), 50);
    assert_int_equal(usb_host_control(&bench.host, 2, 1, 0, 0x81, 0, NULL), 0);
    bench.host.toggle_in[1] = 0;
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, sizeof got), 150);
    assert_memory_equal(got, pattern, 150);
    assert_int_equal(usb_host_out(&bench.host, 1, pattern, 30, false), 30);
    assert_int_equal(usb_host_control(&bench.host, 2, 3, 0, 1, 0, NULL), 0);
    assert_int_equal(usb_host_out(&bench.host, 1, pattern, 1, false), USB_STALL);
    assert_int_equal(usb_host_control(&bench.host, 2, 1, 0, 1, 0, NULL), 0);
    bench.host.toggle_out[1] = 0;
    assert_int_equal(usb_host_out(&bench.host, 1, pattern + 30, 30, false), 30);
    assert_int_equal(usb_link_read(&bench.link, got, sizeof got), 60);
    assert_memory_equal(got, pattern, 60);
    finish(&bench);
}

/* A halt while the empty packet at the end of a transfer waits. */
static void test_halt_and_empty_packet(void **state) {
    (void)state;
    struct bench bench;
    uint8_t got[64];
    start(&bench);
    assert_int_equal(usb_link_write(&bench.link, pattern, 64), 64);
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, 64), 64);
    assert_true(bench.link.writing);
    assert_int_equal(usb_host_control(&bench.host, 2, 3, 0, 0x81, 0, NULL), 0);
    assert_int_equal(usb_host_control(&bench.host, 2, 1, 0, 0x81, 0, NULL), 0);
    bench.host.toggle_in[1] = 0;
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, 64), 0);
    assert_false(bench.link.writing || bench.link.end_due);
    finish(&bench);
}

/* Frames of 30 bytes and a zero, numbered by their bytes. */
static size_t frames(uint8_t *to, unsigned from, unsigned n) {
    for (unsigned i = 0; i < n; i++, to += 31) {
        memset(to, (int)(1 + (from + i) % 255), 30);
        to[30] = 0;
    }
    return 31 * (size_t)n;
}

/* Whole frames by their numbers; what is no frame is skipped. Returns how many. */
static unsigned read_frames(const uint8_t *bytes, size_t n, unsigned numbers[400]) {
    unsigned found = 0;
    size_t begin = 0;
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == 0) {
            if (i - begin == 30) {
                numbers[found++] = bytes[begin] - 1U;
            }
            begin = i + 1;
        }
    }
    return found;
}

/* Ten frames, a host that takes some packets of them, a reset, and the rest: each frame comes, and
 * none twice. */
static void test_reset_keeps_frames(void **state) {
    (void)state;
    struct bench bench;
    uint8_t all[31 * 10], got[1024];
    unsigned numbers[400];
    const size_t n = frames(all, 0, 10);
    for (unsigned packets = 0; packets <= 5; packets++) {
        start(&bench);
        assert_int_equal(usb_link_write(&bench.link, (const uint8_t *)"", 1), 1);
        assert_int_equal(usb_link_write(&bench.link, all, n), n);
        size_t n_got = 0;
        for (unsigned i = 0; i < packets; i++) { /* the first has the zero alone */
            n_got += (size_t)usb_host_in(&bench.host, 0x81, got + n_got, 64);
        }
        assert_int_equal(usb_host_out(&bench.host, 1, pattern, 70, false), 70);
        usb_host_reset(&bench.host);
        assert_false(usb_link_ready(&bench.link));
        assert_int_equal(usb_link_write(&bench.link, pattern, 100), 0);
        assert_int_equal(usb_link_room(&bench.link), 0);
        assert_int_equal(usb_link_read(&bench.link, got + 900, 100), 0);
        assert_true(usb_host_enumerate(&bench.host, 4));
        /* What is written meanwhile comes behind. */
        uint8_t more[31];
        assert_int_equal(usb_link_write(&bench.link, more, frames(more, 10, 1)), 31);
        for (int k = 1; k > 0; n_got += (size_t)(k > 0 ? k : 0)) {
            k = usb_host_in(&bench.host, 0x81, got + n_got, 512);
        }
        assert_int_equal(read_frames(got, n_got, numbers), 11);
        for (unsigned i = 0; i < 11; i++) {
            assert_int_equal(numbers[i], i);
        }
        const struct usb_link_counters counters = usb_link_counters(&bench.link);
        assert_int_equal(counters.lost_in, 0);
        assert_int_equal(counters.lost_out, 70);
        assert_int_equal(counters.resets, 3);
        assert_int_equal(bench.link.frames_lost, 0);
        finish(&bench);
    }
}

/* The host took a packet, and the reset came before the hub heard of it: its frames come twice. */
static void test_lost_acknowledgement(void **state) {
    (void)state;
    struct bench bench;
    uint8_t all[31 * 10], got[1024];
    unsigned numbers[400];
    start(&bench);
    assert_int_equal(usb_link_write(&bench.link, all, frames(all, 0, 10)), 310);
    unsigned toggle;
    assert_int_equal(bench.host.port.in(&bench.sim, bench.host.address, 0x81, &toggle, got), 64);
    usb_host_reset(&bench.host);
    assert_true(usb_host_enumerate(&bench.host, 4));
    const size_t n = 64 + (size_t)usb_host_in(&bench.host, 0x81, got + 64, 512);
    /* Two twice, but the first one again stands behind a piece, with no zero between. */
    assert_int_equal(read_frames(got, n, numbers), 2 + 10 - 1);
    finish(&bench);
}

/* A new program (SET_INTERFACE) sees nothing of the old one's, and what was there is counted. */
static void test_a_new_program_begins(void **state) {
    (void)state;
    struct bench bench;
    uint8_t all[31 * 10], got[1024];
    start(&bench);
    assert_int_equal(usb_link_write(&bench.link, (const uint8_t *)"", 1), 1);
    assert_int_equal(usb_link_write(&bench.link, all, frames(all, 0, 10)), 310);
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, 64), 1);
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, 64), 64); /* two, and two bytes */
    assert_int_equal(usb_host_control(&bench.host, 1, 11, 0, 0, 0, NULL), 0);
    bench.host.toggle_in[1] = bench.host.toggle_out[1] = 0;
    assert_int_equal(bench.link.frames_lost, 8);
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, sizeof got), 0);
    /* Again, with what the program in between left: half a frame, which is its writer's. */
    assert_int_equal(usb_link_write(&bench.link, (const uint8_t *)"", 1), 1);
    assert_int_equal(usb_link_write(&bench.link, all, 31 + 15), 46);
    usb_host_reset(&bench.host);
    assert_true(usb_host_enumerate(&bench.host, 4));
    assert_int_equal(usb_host_control(&bench.host, 1, 11, 0, 0, 0, NULL), 0);
    bench.host.toggle_in[1] = bench.host.toggle_out[1] = 0;
    assert_int_equal(bench.link.frames_lost, 9);
    assert_int_equal(usb_link_write(&bench.link, all, 10), 10);
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, sizeof got), 10);
    assert_memory_equal(got, all, 10);
    /* Nor does the empty packet that was due come over a reset. */
    assert_int_equal(usb_link_write(&bench.link, all, 64), 64);
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, 64), 64);
    assert_true(bench.link.end_due);
    assert_true(usb_host_enumerate(&bench.host, 5));
    assert_false(bench.link.end_due);
    /* The configuration taken back keeps what waits. */
    assert_int_equal(usb_host_control(&bench.host, 0, 9, 0, 0, 0, NULL), 0);
    assert_false(usb_link_ready(&bench.link));
    finish(&bench);
}

/* Another way takes over: what no packet holds yet goes. */
static void test_drop(void **state) {
    (void)state;
    struct bench bench;
    uint8_t all[31 * 10], got[1024];
    start(&bench);
    assert_int_equal(usb_link_write(&bench.link, (const uint8_t *)"", 1), 1);
    assert_int_equal(usb_link_write(&bench.link, all, frames(all, 0, 10)), 310);
    assert_true(bench.link.writing);
    const uint32_t held = bench.link.in_flight; /* the first write's zero alone */
    usb_link_drop(&bench.link);
    assert_int_equal(held, 1);
    assert_int_equal(bench.link.frames_lost, 10);
    assert_int_equal(usb_link_counters(&bench.link).lost_in, 310);
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, sizeof got), held);
    usb_link_drop(&bench.link);
    assert_int_equal(bench.link.frames_lost, 10);
    finish(&bench);
}

/* Resets at every moment, the ring full and wrapping: all frames come, in order; those that come
 * twice follow a reset. */
static void test_many_resets(void **state) {
    (void)state;
    struct bench bench;
    static uint8_t got[1 << 20];
    size_t n_got = 0;
    unsigned written = 0;
    uint32_t seed = 7;
    start(&bench);
    for (unsigned turn = 0; turn < 3000; turn++) {
        seed = seed * 1664525 + 1013904223;
        uint8_t frame[31];
        while (usb_link_room(&bench.link) >= 31 && seed >> 29 != 0) {
            assert_int_equal(usb_link_write(&bench.link, frame, frames(frame, written, 1)), 31);
            written++;
        }
        if (seed >> 24 % 8 == 3 || seed % 16 == 3) {
            assert_true(usb_host_enumerate(&bench.host, 4));
        }
        const int n = usb_host_in(&bench.host, 0x81, got + n_got, 64 * (1 + (seed >> 20) % 4));
        assert_true(n >= 0);
        n_got += (size_t)n;
        assert_true(n_got + 8192 < sizeof got);
    }
    for (int n = 1; n > 0;) {
        n = usb_host_in(&bench.host, 0x81, got + n_got, 8192);
        n_got += n > 0 ? (size_t)n : 0;
    }
    unsigned expected = 0;
    size_t begin = 0;
    for (size_t i = 0; i < n_got; i++) {
        if (got[i] == 0) {
            expected += i - begin == 30 && got[begin] == 1 + expected % 255;
            begin = i + 1;
        }
    }
    assert_true(written > 1000);
    assert_int_equal(expected, written);
    assert_int_equal(usb_link_counters(&bench.link).lost_in, 0);
    finish(&bench);
}

static void test_suspend_keeps(void **state) {
    (void)state;
    struct bench bench;
    uint8_t got[256];
    start(&bench);
    bench.host.port.suspend(&bench.sim);
    usb_link_poll(&bench.link);
    assert_false(usb_link_ready(&bench.link));
    assert_int_equal(usb_link_write(&bench.link, pattern, 100), 100);
    bench.host.port.resume(&bench.sim);
    usb_link_poll(&bench.link);
    assert_true(usb_link_ready(&bench.link));
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, sizeof got), 100);
    assert_memory_equal(got, pattern, 100);
    assert_int_equal(usb_link_counters(&bench.link).suspends, 1);
    finish(&bench);
}

static uint32_t word(const uint8_t *from) {
    return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static void test_counters_request(void **state) {
    (void)state;
    struct bench bench;
    uint8_t got[64];
    start(&bench);
    assert_int_equal(usb_link_write(&bench.link, pattern, 300), 300);
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, 64), 64);
    assert_int_equal(usb_host_out(&bench.host, 1, pattern, 9, false), 9);
    bench.sim.dcd.faults = 0x01020304;
    assert_int_equal(usb_host_control(&bench.host, 0xc0, 0x22, 0, 0, 64, got), USB_STALL);
    assert_int_equal(usb_host_control(&bench.host, 0x40, 0x21, 0, 0, 0, got), USB_STALL);
    assert_int_equal(usb_host_control(&bench.host, 0xc0, USB_LINK_REQUEST_COUNTERS, 0, 0, 64, got),
                     32);
    assert_int_equal(word(got), 1);               /* resets */
    assert_int_equal(word(got + 4), 0);           /* suspends */
    assert_int_equal(word(got + 8), 2);           /* stalls */
    assert_int_equal(word(got + 12), 0x01020304); /* faults */
    assert_int_equal(word(got + 16), 64);         /* in */
    assert_int_equal(word(got + 20), 9);          /* out */
    finish(&bench);
}

/* The rings' counters wrap after 4 GiB. */
static void test_wrap(void **state) {
    (void)state;
    struct bench bench;
    uint8_t got[1024];
    start(&bench);
    bench.link.tx.head = bench.link.tx.tail = bench.link.rx.head = bench.link.rx.tail = 0xffffffce;
    assert_int_equal(usb_link_write(&bench.link, pattern, 300), 300);
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, sizeof got), 300);
    assert_memory_equal(got, pattern, 300);
    assert_int_equal(usb_host_out(&bench.host, 1, pattern, 300, false), 300);
    assert_int_equal(usb_link_read(&bench.link, got, sizeof got), 300);
    assert_memory_equal(got, pattern, 300);
    finish(&bench);
}

static void test_dead_controller(void **state) {
    (void)state;
    struct bench bench;
    memset(&bench, 0, sizeof bench);
    dcd_sim_init(&bench.sim, true);
    bench.sim.dead = true;
    assert_false(usb_link_init(&bench.link, &bench.sim.dcd, "", 1, 0));
    usb_link_poll(&bench.link);
    assert_false(usb_link_ready(&bench.link));
    assert_int_equal(usb_link_write(&bench.link, pattern, 5), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_write_sizes),
        cmocka_unit_test(test_no_empty_packet_in_between),
        cmocka_unit_test(test_write_full),
        cmocka_unit_test(test_flow_control),
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_halt_loses_nothing),
        cmocka_unit_test(test_halt_and_empty_packet),
        cmocka_unit_test(test_reset_keeps_frames),
        cmocka_unit_test(test_lost_acknowledgement),
        cmocka_unit_test(test_a_new_program_begins),
        cmocka_unit_test(test_drop),
        cmocka_unit_test(test_many_resets),
        cmocka_unit_test(test_suspend_keeps),
        cmocka_unit_test(test_counters_request),
        cmocka_unit_test(test_wrap),
        cmocka_unit_test(test_dead_controller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
