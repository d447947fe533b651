/* The OTG_FS driver on a model of its registers: every way the hardware can fail to answer, and a
 * hostile host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/firmware/otg_bench.h"

static void test_no_such_peripheral(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct otg_bench bench;
        otg_bench_create(&bench, false);
        bench.model.busy_bus = i == 0;
        bench.model.stuck_reset = i == 1;
        bench.model.busy_after = i == 2;
        bench.model.host_mode = i == 3;
        assert_false(usb_link_init(&bench.link, &bench.otg.dcd, "0011", 1, 2));
        assert_int_equal(bench.otg.dcd.faults, 1);
        usb_link_poll(&bench.link);
        assert_false(usb_link_ready(&bench.link));
        assert_int_equal(bench.model.misuse, 0);
    }
}

static uint32_t read_nothing(void *bus, uint32_t offset) {
    (void)bus;
    (void)offset;
    return 0;
}

static void write_nothing(void *bus, uint32_t offset, uint32_t value) {
    (void)bus;
    (void)offset;
    (void)value;
}

/* As qemu's netduinoplus2 shows it: every register reads 0. */
static void test_stub(void **state) {
    (void)state;
    const struct otg_fs_access access = {NULL, read_nothing, write_nothing};
    struct otg_bench bench;
    otg_bench_create(&bench, false);
    otg_fs_create(&bench.otg, &access, false);
    assert_false(usb_link_init(&bench.link, &bench.otg.dcd, "0011", 1, 2));
    usb_link_poll(&bench.link);
}

static void test_strange_entries(void **state) {
    (void)state;
    struct otg_bench bench;
    uint8_t got[255], big[1000];
    otg_bench_start(&bench);
    memset(big, 0x55, sizeof big);
    otg_model_push(&bench.model, GRXSTS_OUT_DATA, 9, big, 13); /* no such endpoint */
    otg_model_push(&bench.model, GRXSTS_OUT_DATA, 3, big, 64); /* one that is closed */
    otg_model_push(&bench.model, GRXSTS_OUT_DONE, 3, NULL, 0);
    otg_model_push(&bench.model, GRXSTS_SETUP_DATA, 0, big, 999); /* far too long */
    otg_model_push(&bench.model, 0xf, 2, big, 7);                 /* no such kind */
    otg_model_push(&bench.model, GRXSTS_OUT_DATA, 1, big, 1000);  /* longer than a packet */
    otg_model_push(&bench.model, GRXSTS_OUT_DONE, 1, NULL, 0);
    bench.model.out[1].control &= ~EPCTL_EPENA;
    usb_link_poll(&bench.link);
    assert_int_equal(usb_link_read(&bench.link, got, 255), 64);
    assert_int_equal(usb_host_control(&bench.host, 0x80, 8, 0, 0, 1, got), 1);
    otg_bench_finish(&bench);
}

/* A transfer that ends without data, and one that nobody has asked for: the second must not go into
 * a ring that has no room. */
static void test_strange_ends(void **state) {
    (void)state;
    struct otg_bench bench;
    static uint8_t got[2048];
    otg_bench_start(&bench);
    assert_int_equal(usb_host_out(&bench.host, 1, otg_bench_pattern, 10, false), 10);
    otg_model_push(&bench.model, GRXSTS_OUT_DONE, 1, NULL, 0);
    bench.model.out[1].control &= ~EPCTL_EPENA;
    usb_link_poll(&bench.link);
    assert_int_equal(usb_link_read(&bench.link, got, sizeof got), 10);
    assert_int_equal(usb_host_out(&bench.host, 1, otg_bench_pattern, 2000, false),
                     USB_LINK_RX_SIZE);
    otg_model_push(&bench.model, GRXSTS_OUT_DATA, 1, otg_bench_pattern, 64);
    otg_model_push(&bench.model, GRXSTS_OUT_DONE, 1, NULL, 0);
    usb_link_poll(&bench.link);
    assert_int_equal(usb_link_read(&bench.link, got, sizeof got), USB_LINK_RX_SIZE);
    assert_memory_equal(got, otg_bench_pattern, USB_LINK_RX_SIZE);
    otg_bench_finish(&bench);
}

/* More entries than one poll takes: the rest waits for the next. */
static void test_poll_is_bounded(void **state) {
    (void)state;
    struct otg_bench bench;
    otg_bench_start(&bench);
    for (int i = 0; i < OTG_MODEL_ENTRIES; i++) {
        otg_model_push(&bench.model, 0xf, 2, NULL, 0);
    }
    bench.model.tail--; /* and one more */
    assert_true(bench.otg.dcd.operations->poll(&bench.otg.dcd));
    assert_int_equal(bench.model.head - bench.model.tail, 1);
    assert_true(bench.otg.dcd.operations->poll(&bench.otg.dcd));
    assert_false(bench.otg.dcd.operations->poll(&bench.otg.dcd));
}

static void test_no_room_in_fifo(void **state) {
    (void)state;
    struct otg_bench bench;
    uint8_t got[64];
    otg_bench_start(&bench);
    bench.model.no_space = true;
    assert_int_equal(usb_link_write(&bench.link, otg_bench_pattern, 9), 9);
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, 64), 0);
    assert_true(bench.otg.dcd.faults > 0);
    bench.model.no_space = false;
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, 64), 9);
    assert_int_equal(bench.model.misuse, 0);
}

/* Flushes, NAKs and disables that never come into effect: every wait ends, is counted, and a reset
 * of a healed chip brings the device back. */
static void test_stuck(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct otg_bench bench;
        uint8_t got[64];
        otg_bench_start(&bench);
        bench.model.stuck_flush = i == 0;
        bench.model.stuck_nak = i == 1;
        bench.model.stuck_disable = i == 2;
        assert_int_equal(usb_link_write(&bench.link, otg_bench_pattern, 100), 100);
        const uint8_t setup[8] = {0, 9, 1, 0, 0, 0, 0, 0};
        assert_true(bench.host.port.setup(&bench.model, 33, setup));
        usb_link_poll(&bench.link);
        usb_link_poll(&bench.link);
        assert_true(bench.otg.dcd.faults > 0);
        bench.model.stuck_flush = bench.model.stuck_nak = bench.model.stuck_disable = false;
        assert_true(usb_host_enumerate(&bench.host, 12));
        assert_int_equal(usb_host_control(&bench.host, 1, 11, 0, 0, 0, NULL), 0);
        assert_int_equal(usb_link_write(&bench.link, otg_bench_pattern, 9), 9);
        assert_int_equal(usb_host_in(&bench.host, 0x81, got, 64), 9);
    }
}

/* Transactions at random: whatever the host does, the driver keeps the manual's rules. */
static void test_hostile(void **state) {
    (void)state;
    struct otg_bench bench;
    otg_bench_start(&bench);
    srand(2);
    for (unsigned i = 0; i < 40000; i++) {
        uint8_t packet[64], got[64];
        unsigned toggle;
        for (size_t k = 0; k < sizeof packet; k++) {
            packet[k] = (uint8_t)rand();
        }
        uint8_t address = bench.model.address;
        switch (rand() % 8) {
        case 0: {
            static const uint8_t types[] = {0x00, 0x80, 0x02, 0x82, 0xc0, 0x40};
            static const uint8_t low[] = {0, 1, 7, 0x81};
            packet[0] = rand() % 4 ? types[rand() % 6] : packet[0];
            packet[1] = rand() % 4 ? (uint8_t)(rand() % 12) : packet[1];
            packet[2] = rand() % 4 ? low[rand() % 2] : packet[2];
            packet[3] = rand() % 4 ? low[rand() % 3] : packet[3];
            packet[4] = rand() % 4 ? low[rand() % 4] : packet[4];
            packet[5] = packet[7] = rand() % 4 ? 0 : packet[5];
            bench.host.port.setup(&bench.model, address, packet);
            break;
        }
        case 1:
        case 2:
            bench.host.port.out(&bench.model, address, rand() % 2, rand() % 2, packet,
                                (size_t)rand() % 65);
            break;
        case 3:
        case 4:
            bench.host.port.in(&bench.model, address, rand() % 2 ? 0x80 : 0x81, &toggle, got);
            break;
        case 5:
            usb_link_write(&bench.link, packet, (size_t)rand() % 65);
            break;
        case 6:
            usb_link_read(&bench.link, got, (size_t)rand() % 65);
            break;
        default:
            if (rand() % 30 == 0) {
                bench.host.port.reset(&bench.model);
            } else if (rand() % 30 == 0) {
                bench.host.port.suspend(&bench.model);
            }
            break;
        }
        if (rand() % 2) {
            usb_link_poll(&bench.link);
        }
        if (i % 1000 == 999) {
            bench.model.asleep = false;
            usb_link_poll(&bench.link);
            assert_true(usb_host_enumerate(&bench.host, 77));
        }
    }
    bench.host.toggle_errors = 0;
    otg_bench_finish(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_such_peripheral),
        cmocka_unit_test(test_stub),
        cmocka_unit_test(test_strange_entries),
        cmocka_unit_test(test_strange_ends),
        cmocka_unit_test(test_poll_is_bounded),
        cmocka_unit_test(test_no_room_in_fifo),
        cmocka_unit_test(test_stuck),
        cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
