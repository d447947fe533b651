/* The core of the USB device on a simulated controller: enumeration, data stages, the bus. Expected
 * bytes are written from the specifications, not taken from the tables under test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/firmware/usb_bench.h"

/* ---- enumeration ---- */

static void test_device_descriptor(void **state) {
    (void)state;
    static const uint8_t expected[18] = {18,   1,    0x10, 0x02, 0,    0, 0, 64, 0x09,
                                         0x12, 0x01, 0x00, 0x14, 0x03, 1, 2, 3,  1};
    struct usb_bench bench;
    uint8_t got[255];
    usb_bench_start(&bench, false);
    usb_host_reset(&bench.host);
    /* Windows asks for 64 bytes at address 0, Linux for 8 or 64, both later for 18. */
    static const struct {
        uint16_t asked;
        int answered;
    } cases[] = {{8, 8}, {18, 18}, {64, 18}, {255, 18}, {1, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memset(got, 0xee, sizeof got);
        assert_int_equal(usb_bench_get(&bench, 0x0100, cases[i].asked, got), cases[i].answered);
        assert_memory_equal(got, expected, (size_t)cases[i].answered);
    }
    usb_bench_finish(&bench);
}

static void test_configuration_descriptor(void **state) {
    (void)state;
    static const uint8_t expected[32] = {9,  2, 32, 0,    1,    1,    0, 0x80, 100, 9,    4,
                                         0,  0, 2,  0xff, 0xff, 0xff, 0, 7,    5,   0x81, 2,
                                         64, 0, 0,  7,    5,    0x01, 2, 64,   0,   0};
    struct usb_bench bench;
    uint8_t got[255];
    usb_bench_configured(&bench);
    assert_int_equal(usb_bench_get(&bench, 0x0200, 9, got), 9);
    assert_int_equal(usb_bench_get(&bench, 0x0200, 255, got), 32);
    assert_memory_equal(got, expected, sizeof expected);
    usb_bench_finish(&bench);
}

static void check_string(struct usb_bench *bench, uint8_t index, const char *text) {
    uint8_t got[255];
    size_t n = strlen(text);
    assert_int_equal(usb_bench_get(bench, 0x0300 | index, 255, got), 2 + 2 * n);
    assert_int_equal(got[0], 2 + 2 * n);
    assert_int_equal(got[1], 3);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(got[2 + 2 * i], text[i]);
        assert_int_equal(got[3 + 2 * i], 0);
    }
}

static void test_strings(void **state) {
    (void)state;
    static const uint8_t english[4] = {4, 3, 0x09, 0x04};
    struct usb_bench bench;
    uint8_t got[255];
    usb_bench_start(&bench, false);
    usb_host_reset(&bench.host);
    assert_int_equal(usb_bench_get(&bench, 0x0300, 255, got), 4);
    assert_memory_equal(got, english, 4);
    check_string(&bench, 1, "nfsar");
    check_string(&bench, 2, "nfsar hub");
    check_string(&bench, 3, "0123ABCD");
    assert_int_equal(usb_bench_get(&bench, 0x0304, 255, got), USB_STALL);
    /* 31 characters make a descriptor of exactly one packet: the empty packet must end it. */
    bench.usbd.identity.serial = "0123456789012345678901234567890";
    check_string(&bench, 3, "0123456789012345678901234567890");
    bench.usbd.identity.serial = "01234567890123456789012345678901";
    check_string(&bench, 3, "0123456789012345678901234567890");
    usb_bench_finish(&bench);
}

static void test_serial_and_version(void **state) {
    (void)state;
    const uint8_t id[12] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xfe, 0xdc, 0, 0};
    char serial[USB_SERIAL_SIZE];
    usb_serial(id, serial);
    assert_string_equal(serial, "0123456789ABCDEFFEDC0000");
    assert_int_equal(usb_version(1, 0), 0x0100);
    assert_int_equal(usb_version(12, 34), 0x1234);
    assert_int_equal(usb_version(99, 99), 0x9999);
}

/* Binary object store -> vendor code -> Microsoft OS 2.0 set, as Windows walks them. */
static void test_microsoft_descriptors(void **state) {
    (void)state;
    static const uint8_t platform[20] = {28,   16,   5,    0,    0xdf, 0x60, 0xdd,
                                         0xd8, 0x89, 0x45, 0xc7, 0x4c, 0x9c, 0xd2,
                                         0x65, 0x9d, 0x9e, 0x64, 0x8a, 0x9f};
    struct usb_bench bench;
    uint8_t store[255], set[255];
    usb_bench_configured(&bench);
    assert_int_equal(usb_bench_get(&bench, 0x0f00, 5, store), 5);
    assert_int_equal(store[2], 33);
    assert_int_equal(usb_bench_get(&bench, 0x0f00, 33, store), 33);
    assert_memory_equal(store + 5, platform, sizeof platform);
    uint16_t length = (uint16_t)(store[29] | store[30] << 8);
    assert_int_equal(length, 162);
    assert_int_equal(usb_host_control(&bench.host, 0xc0, store[31], 0, 7, length, set), length);
    assert_int_equal(set[0] | set[1] << 8, 10);
    assert_int_equal(set[8] | set[9] << 8, length);
    assert_memory_equal(set + 10, "\x14\0\x03\0WINUSB\0\0\0\0\0\0\0\0\0\0", 20);
    const uint8_t *property = set + 30;
    assert_int_equal(property[0] | property[1] << 8, length - 30);
    assert_int_equal(property[2], 4); /* registry property */
    assert_int_equal(property[4], 7); /* REG_MULTI_SZ */
    static const char name[] = "DeviceInterfaceGUIDs";
    assert_int_equal(property[6], 2 * sizeof name);
    for (size_t i = 0; i < sizeof name; i++) {
        assert_int_equal(property[8 + 2 * i], name[i]);
        assert_int_equal(property[9 + 2 * i], 0);
    }
    const uint8_t *data = property + 8 + 2 * sizeof name;
    assert_int_equal(data[0], 80);
    assert_int_equal(data[2], '{');
    assert_int_equal(data[2 + 2 * 37], '}');
    assert_memory_equal(data + 2 + 2 * 38, "\0\0\0\0", 4);
    assert_int_equal((data + 82) - set, length);
    /* The same request with another index, or to the interface, is not this one. */
    bench.recorder.refuse = true;
    assert_int_equal(usb_host_control(&bench.host, 0xc0, store[31], 0, 8, 10, set), USB_STALL);
    assert_int_equal(usb_host_control(&bench.host, 0xc1, store[31], 0, 7, 10, set), USB_STALL);
    usb_bench_finish(&bench);
}

static void test_address(void **state) {
    (void)state;
    for (int at_once = 0; at_once < 2; at_once++) {
        struct usb_bench bench;
        usb_bench_start(&bench, at_once);
        usb_host_reset(&bench.host);
        const uint8_t setup[8] = {0, 5, 42, 0, 0, 0, 0, 0};
        assert_true(bench.host.port.setup(&bench.sim, 0, setup));
        usbd_poll(&bench.usbd);
        assert_int_equal(bench.sim.address, at_once ? 42 : 0);
        assert_int_equal(bench.usbd.state, USBD_DEFAULT);
        uint8_t nothing[64];
        unsigned toggle;
        assert_int_equal(bench.host.port.in(&bench.sim, 0, 0x80, &toggle, nothing), 0);
        assert_int_equal(toggle, 1);
        usbd_poll(&bench.usbd);
        assert_int_equal(bench.sim.address, 42);
        assert_int_equal(bench.usbd.state, USBD_ADDRESSED);
        bench.host.address = 42;
        assert_int_equal(usb_host_control(&bench.host, 0, 5, 0, 0, 0, NULL), 0);
        assert_int_equal(bench.usbd.state, USBD_DEFAULT);
        assert_int_equal(bench.sim.address, 0);
        usb_bench_finish(&bench);
    }
}

/* A SETUP instead of the status stage: the address was not accepted. */
static void test_address_without_status(void **state) {
    (void)state;
    struct usb_bench bench;
    usb_bench_start(&bench, false);
    usb_host_reset(&bench.host);
    const uint8_t setup[8] = {0, 5, 42, 0, 0, 0, 0, 0};
    assert_true(bench.host.port.setup(&bench.sim, 0, setup));
    usbd_poll(&bench.usbd);
    uint8_t got[18];
    assert_int_equal(usb_bench_get(&bench, 0x0100, 18, got), 18);
    assert_int_equal(usb_host_control(&bench.host, 2, 1, 0, 0, 0, NULL), 0);
    assert_int_equal(bench.sim.address, 0);
    assert_int_equal(bench.usbd.state, USBD_DEFAULT);
    usb_bench_finish(&bench);
}

static void test_configuration(void **state) {
    (void)state;
    struct usb_bench bench;
    uint8_t got[2];
    usb_bench_start(&bench, false);
    usb_host_reset(&bench.host);
    /* Not before there is an address. */
    assert_int_equal(usb_host_control(&bench.host, 0, 9, 1, 0, 0, NULL), USB_STALL);
    assert_true(usb_host_enumerate(&bench.host, 5));
    assert_int_equal(bench.recorder.configured, 1);
    assert_int_equal(usb_host_control(&bench.host, 0x80, 8, 0, 0, 1, got), 1);
    assert_int_equal(got[0], 1);
    assert_int_equal(usb_host_control(&bench.host, 0, 9, 2, 0, 0, NULL), USB_STALL);
    assert_int_equal(usb_host_control(&bench.host, 0, 9, 0, 0, 0, NULL), 0);
    assert_int_equal(bench.recorder.unconfigured, 1);
    assert_false(bench.sim.in[1].open || bench.sim.out[1].open);
    assert_int_equal(usb_host_control(&bench.host, 0, 9, 0, 0, 0, NULL), 0);
    assert_int_equal(bench.recorder.unconfigured, 1);
    assert_int_equal(usb_host_control(&bench.host, 0x80, 8, 0, 0, 1, got), 1);
    assert_int_equal(got[0], 0);
    assert_false(usbd_write(&bench.usbd, usb_bench_pattern, 1));
    usbd_receive(&bench.usbd); /* nothing to open: no misuse */
    usb_bench_finish(&bench);
}

/* ---- data stages ---- */

static void test_short_packet_rule(void **state) {
    (void)state;
    static const struct {
        size_t available;
        uint16_t asked;
        int answered;
    } cases[] = {{0, 0, 0},       {0, 64, 0},      {1, 64, 1},      {63, 64, 63},  {64, 64, 64},
                 {64, 65, 64},    {64, 128, 64},   {65, 128, 65},   {128, 64, 64}, {128, 128, 128},
                 {128, 129, 128}, {129, 128, 128}, {192, 512, 192}, {10, 0, 0},    {500, 3, 3}};
    struct usb_bench bench;
    uint8_t got[512];
    usb_bench_configured(&bench);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bench.recorder.n_answer = cases[i].available;
        memset(got, 0, sizeof got);
        assert_int_equal(usb_host_control(&bench.host, 0xc0, 1, 0, 0, cases[i].asked, got),
                         cases[i].answered);
        assert_memory_equal(got, usb_bench_pattern, (size_t)cases[i].answered);
        assert_int_equal(bench.usbd.stage, USBD_IDLE);
    }
    usb_bench_finish(&bench);
}

static void test_data_to_device(void **state) {
    (void)state;
    struct usb_bench bench;
    uint8_t sent[65] = {9, 8, 7};
    usb_bench_configured(&bench);
    static const uint16_t sizes[] = {1, 3, 63, 64};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_int_equal(usb_host_control(&bench.host, 0x40, 1, 0, 0, sizes[i], sent), sizes[i]);
        assert_int_equal(bench.recorder.n_control_data, sizes[i]);
        assert_memory_equal(bench.recorder.control_data, sent, sizes[i]);
    }
    assert_int_equal(usb_host_control(&bench.host, 0x40, 1, 0, 0, 0, NULL), 0);
    assert_int_equal(usb_host_control(&bench.host, 0x40, 1, 0, 0, 65, sent), USB_STALL);
    bench.recorder.refuse = true;
    assert_int_equal(usb_host_control(&bench.host, 0x40, 1, 0, 0, 3, sent), USB_STALL);
    bench.recorder.refuse = false;
    /* A host that promises 10 bytes and sends 4. */
    const uint8_t setup[8] = {0x40, 1, 0, 0, 0, 0, 10, 0};
    assert_true(bench.host.port.setup(&bench.sim, 5, setup));
    usbd_poll(&bench.usbd);
    assert_int_equal(bench.host.port.out(&bench.sim, 5, 0, 1, sent, 4), 0);
    usbd_poll(&bench.usbd);
    assert_int_equal(bench.host.port.out(&bench.sim, 5, 0, 0, sent, 6), USB_STALL);
    /* and the next request works */
    assert_int_equal(usb_host_control(&bench.host, 0x40, 1, 0, 0, 3, sent), 3);
    usb_bench_finish(&bench);
}

static void test_setup_ends_a_transfer(void **state) {
    (void)state;
    struct usb_bench bench;
    uint8_t got[512];
    usb_bench_configured(&bench);
    bench.recorder.n_answer = 300;
    const uint8_t setup[8] = {0xc0, 1, 0, 0, 0, 0, 0x2c, 0x01};
    assert_true(bench.host.port.setup(&bench.sim, 5, setup));
    usbd_poll(&bench.usbd);
    unsigned toggle;
    assert_int_equal(bench.host.port.in(&bench.sim, 5, 0x80, &toggle, got), 64);
    usbd_poll(&bench.usbd); /* the second packet waits now */
    assert_int_equal(usb_bench_get(&bench, 0x0100, 18, got), 18);
    assert_int_equal(got[0], 18);
    /* In the middle of a transfer toward the device. */
    const uint8_t out[8] = {0x40, 1, 0, 0, 0, 0, 10, 0};
    assert_true(bench.host.port.setup(&bench.sim, 5, out));
    usbd_poll(&bench.usbd);
    assert_int_equal(usb_bench_get(&bench, 0x0100, 18, got), 18);
    assert_int_equal(bench.recorder.n_control_data, 0);
    usb_bench_finish(&bench);
}

static void test_host_takes_less(void **state) {
    (void)state;
    struct usb_bench bench;
    uint8_t got[512];
    usb_bench_configured(&bench);
    bench.recorder.n_answer = 300;
    const uint8_t setup[8] = {0xc0, 1, 0, 0, 0, 0, 0x2c, 0x01};
    assert_true(bench.host.port.setup(&bench.sim, 5, setup));
    usbd_poll(&bench.usbd);
    unsigned toggle;
    assert_int_equal(bench.host.port.in(&bench.sim, 5, 0x80, &toggle, got), 64);
    usbd_poll(&bench.usbd);
    assert_int_equal(bench.host.port.out(&bench.sim, 5, 0, 1, got, 0), 0);
    usbd_poll(&bench.usbd);
    assert_int_equal(bench.usbd.stage, USBD_IDLE);
    assert_int_equal(usb_bench_get(&bench, 0x0100, 18, got), 18);
    assert_int_equal(got[0], 18);
    usb_bench_finish(&bench);
}

/* ---- the bus ---- */

static void test_reset_and_suspend(void **state) {
    (void)state;
    struct usb_bench bench;
    uint8_t got[18];
    usb_bench_configured(&bench);
    bench.host.port.suspend(&bench.sim);
    usbd_poll(&bench.usbd);
    assert_true(bench.usbd.suspended);
    bench.host.port.resume(&bench.sim);
    usbd_poll(&bench.usbd);
    assert_false(bench.usbd.suspended);
    assert_int_equal(bench.usbd.state, USBD_CONFIGURED);
    bench.host.port.suspend(&bench.sim);
    usbd_poll(&bench.usbd);
    usb_host_reset(&bench.host);
    assert_false(bench.usbd.suspended);
    assert_int_equal(bench.usbd.state, USBD_DEFAULT);
    assert_int_equal(bench.recorder.unconfigured, 1);
    assert_int_equal(usb_bench_get(&bench, 0x0100, 18, got), 18);
    assert_true(usb_host_enumerate(&bench.host, 9));
    assert_int_equal(bench.recorder.unconfigured, 1);
    assert_int_equal(bench.recorder.configured, 2);
    assert_int_equal(bench.usbd.counters.resets, 3);
    assert_int_equal(bench.usbd.counters.suspends, 2);
    usb_bench_finish(&bench);
}

static void test_disconnect(void **state) {
    (void)state;
    struct usb_bench bench;
    usb_bench_configured(&bench);
    usbd_disconnect(&bench.usbd);
    assert_false(bench.sim.connected);
    assert_int_equal(bench.recorder.unconfigured, 1);
    assert_int_equal(usb_host_control(&bench.host, 0x80, 8, 0, 0, 1, NULL), USB_NO_ANSWER);
    usbd_connect(&bench.usbd);
    assert_true(usb_host_enumerate(&bench.host, 9));
    usb_bench_finish(&bench);
}

static void test_dead_controller(void **state) {
    (void)state;
    struct dcd_sim sim;
    struct usbd usbd;
    struct recorder recorder = {0};
    const struct usb_identity identity = {0, ""};
    dcd_sim_init(&sim, false);
    sim.dead = true;
    assert_false(usbd_init(&usbd, &sim.dcd, &identity, &usb_bench_function, &recorder));
    sim.setup_due = true;
    usbd_connect(&usbd);
    usbd_poll(&usbd);
    usbd_disconnect(&usbd);
    assert_false(sim.connected);
    assert_true(sim.setup_due);
}

/* Events that no host causes, from a controller gone wrong. */
static void test_stray_events(void **state) {
    (void)state;
    struct usb_bench bench;
    usb_bench_start(&bench, false);
    usb_host_reset(&bench.host);
    const struct dcd_events *events = bench.sim.dcd.events;
    events->in_done(&bench.usbd, 0x80);
    events->in_done(&bench.usbd, 0x81);
    events->in_done(&bench.usbd, 0x83);
    events->out_packet(&bench.usbd, 0, usb_bench_pattern, 64);
    events->out_packet(&bench.usbd, 1, usb_bench_pattern, 64);
    events->out_packet(&bench.usbd, 3, usb_bench_pattern, 64);
    assert_int_equal(bench.recorder.in_done + bench.recorder.out_packet, 0);
    assert_true(usb_host_enumerate(&bench.host, 1));
    usb_bench_finish(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_device_descriptor),
        cmocka_unit_test(test_configuration_descriptor),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_serial_and_version),
        cmocka_unit_test(test_microsoft_descriptors),
        cmocka_unit_test(test_address),
        cmocka_unit_test(test_address_without_status),
        cmocka_unit_test(test_configuration),
        cmocka_unit_test(test_short_packet_rule),
        cmocka_unit_test(test_data_to_device),
        cmocka_unit_test(test_setup_ends_a_transfer),
        cmocka_unit_test(test_host_takes_less),
        cmocka_unit_test(test_reset_and_suspend),
        cmocka_unit_test(test_disconnect),
        cmocka_unit_test(test_dead_controller),
        cmocka_unit_test(test_stray_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
