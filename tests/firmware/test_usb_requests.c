/* The core of the USB device on a simulated controller: requests right and wrong, halts, toggles,
 * and whatever a hostile host may do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/firmware/usb_bench.h"

/* ---- other standard requests ---- */

static void test_status(void **state) {
    (void)state;
    struct usb_bench bench;
    uint8_t got[2] = {9, 9};
    usb_bench_configured(&bench);
    static const struct {
        uint8_t type;
        uint16_t index;
    } known[] = {{0x80, 0}, {0x81, 0}, {0x82, 0}, {0x82, 0x80}, {0x82, 0x81}, {0x82, 0x01}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        got[0] = got[1] = 9;
        assert_int_equal(usb_host_control(&bench.host, known[i].type, 0, 0, known[i].index, 2, got),
                         2);
        assert_int_equal(got[0] | got[1], 0);
    }
    usb_bench_finish(&bench);
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        uint8_t type, request;
        uint16_t value, index, length;
    } bad[] = {
        {0x00, 0, 0, 0, 0},       /* GET_STATUS the wrong way */
        {0x80, 0, 1, 0, 2},       /* with a value */
        {0x80, 0, 0, 1, 2},       /* of a second device */
        {0x81, 0, 0, 1, 2},       /* of interface 1 */
        {0x82, 0, 0, 0x82, 2},    /* of endpoint 2 */
        {0x82, 0, 0, 0x0181, 2},  /* high byte */
        {0x83, 0, 0, 0, 2},       /* of something else */
        {0x00, 3, 1, 0, 0},       /* remote wakeup */
        {0x00, 1, 1, 0, 0},       /* its end */
        {0x00, 3, 2, 0x0100, 0},  /* test mode */
        {0x80, 3, 0, 0x81, 0},    /* SET_FEATURE the wrong way */
        {0x02, 3, 1, 0x81, 0},    /* unknown feature of an endpoint */
        {0x02, 3, 0, 0x83, 0},    /* halt of an unknown endpoint */
        {0x02, 3, 0, 0x81, 4},    /* halt with data */
        {0x02, 3, 0, 0x00, 0},    /* halt of endpoint 0 */
        {0x02, 3, 0, 0x80, 0},    /* */
        {0x00, 5, 128, 0, 0},     /* address too large */
        {0x00, 5, 7, 0, 0},       /* address while configured */
        {0x80, 5, 7, 0, 0},       /* */
        {0x80, 6, 0x0600, 0, 10}, /* device qualifier: full speed only */
        {0x80, 6, 0x0700, 0, 10}, /* other speed */
        {0x80, 6, 0x0201, 0, 10}, /* second configuration */
        {0x80, 6, 0x0101, 0, 18}, /* second device */
        {0x80, 6, 0x0400, 0, 9},  /* interface descriptors are not asked alone */
        {0x81, 6, 0x2200, 0, 64}, /* HID report */
        {0x00, 6, 0x0100, 0, 0},  /* GET_DESCRIPTOR the wrong way */
        {0x00, 7, 0x0100, 0, 18}, /* SET_DESCRIPTOR */
        {0x00, 8, 0, 0, 0},       /* GET_CONFIGURATION the wrong way */
        {0x80, 8, 1, 0, 1},       /* */
        {0x80, 8, 0, 1, 1},       /* */
        {0x00, 9, 1, 1, 0},       /* SET_CONFIGURATION with an index */
        {0x00, 9, 0x0101, 0, 0},  /* high byte */
        {0x00, 9, 1, 0, 5},       /* with data */
        {0x80, 9, 1, 0, 0},       /* */
        {0x81, 10, 0, 1, 1},      /* GET_INTERFACE of interface 1 */
        {0x81, 10, 1, 0, 1},      /* */
        {0x01, 10, 0, 0, 0},      /* */
        {0x01, 11, 1, 0, 0},      /* alternate setting 1 */
        {0x01, 11, 0, 1, 0},      /* interface 1 */
        {0x01, 11, 0, 0, 3},      /* with data */
        {0x81, 11, 0, 0, 0},      /* */
        {0x82, 12, 0, 0x81, 2},   /* SYNCH_FRAME */
        {0x80, 0xff, 0, 0, 0},    /* nothing */
        {0x60, 1, 0, 0, 0},       /* reserved kind */
    };
    struct usb_bench bench;
    uint8_t data[64] = {0};
    usb_bench_configured(&bench);
    bench.recorder.refuse = true;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint32_t before = bench.usbd.counters.stalls;
        assert_int_equal(usb_host_control(&bench.host, bad[i].type, bad[i].request, bad[i].value,
                                          bad[i].index, bad[i].length, data),
                         USB_STALL);
        assert_int_equal(bench.usbd.counters.stalls, before + 1);
        /* A refusal harms nothing that follows. */
        assert_int_equal(usb_host_control(&bench.host, 0x80, 8, 0, 0, 1, data), 1);
        assert_int_equal(data[0], 1);
    }
    assert_int_equal(bench.recorder.configured, 1);
    usb_bench_finish(&bench);
}

/* What needs a configuration is refused without one. */
static void test_refused_unconfigured(void **state) {
    (void)state;
    struct usb_bench bench;
    uint8_t got[2];
    usb_bench_configured(&bench);
    assert_int_equal(usb_host_control(&bench.host, 0, 9, 0, 0, 0, NULL), 0);
    assert_int_equal(usb_host_control(&bench.host, 0x81, 0, 0, 0, 2, got), USB_STALL);
    assert_int_equal(usb_host_control(&bench.host, 0x82, 0, 0, 0x81, 2, got), USB_STALL);
    assert_int_equal(usb_host_control(&bench.host, 0x02, 3, 0, 0x81, 0, NULL), USB_STALL);
    assert_int_equal(usb_host_control(&bench.host, 0x02, 1, 0, 0x01, 0, NULL), USB_STALL);
    assert_int_equal(usb_host_control(&bench.host, 0x81, 10, 0, 0, 1, got), USB_STALL);
    assert_int_equal(usb_host_control(&bench.host, 0x01, 11, 0, 0, 0, NULL), USB_STALL);
    assert_int_equal(usb_host_control(&bench.host, 0x80, 0, 0, 0, 2, got), 2);
    assert_int_equal(usb_host_control(&bench.host, 0x82, 0, 0, 0, 2, got), 2);
    assert_int_equal(usb_host_control(&bench.host, 0x02, 1, 0, 0, 0, NULL), 0);
    assert_int_equal(usb_host_control(&bench.host, 0x00, 5, 128, 0, 0, NULL), USB_STALL);
    assert_int_equal(usb_host_control(&bench.host, 0x00, 5, 6, 1, 0, NULL), USB_STALL);
    usb_bench_finish(&bench);
}

/* ---- the bulk pair ---- */

static void test_bulk(void **state) {
    (void)state;
    struct usb_bench bench;
    uint8_t got[64];
    usb_bench_configured(&bench);
    assert_int_equal(usb_host_out(&bench.host, 1, usb_bench_pattern, 10, false),
                     0); /* NAK: nobody asked */
    usbd_receive(&bench.usbd);
    assert_int_equal(usb_host_out(&bench.host, 1, usb_bench_pattern, 10, false), 10);
    assert_int_equal(bench.recorder.n_last, 10);
    assert_memory_equal(bench.recorder.last, usb_bench_pattern, 10);
    assert_true(usbd_write(&bench.usbd, usb_bench_pattern, 20));
    assert_false(usbd_write(&bench.usbd, usb_bench_pattern, 20));
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, sizeof got), 20);
    assert_int_equal(bench.recorder.in_done, 1);
    assert_true(usbd_write(&bench.usbd, usb_bench_pattern, 0));
    usb_bench_finish(&bench);
}

static int halt_of(struct usb_bench *bench, uint16_t endpoint) {
    uint8_t got[2];
    assert_int_equal(usb_host_control(&bench->host, 0x82, 0, 0, endpoint, 2, got), 2);
    return got[0];
}

static void test_halt_in(void **state) {
    (void)state;
    struct usb_bench bench;
    uint8_t got[64];
    usb_bench_configured(&bench);
    assert_true(usbd_write(&bench.usbd, usb_bench_pattern, 20));
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, 64), 20); /* DATA0; DATA1 would be next */
    assert_true(usbd_write(&bench.usbd, usb_bench_pattern, 30));
    assert_int_equal(usb_host_control(&bench.host, 2, 3, 0, 0x81, 0, NULL), 0);
    assert_int_equal(halt_of(&bench, 0x81), 1);
    assert_int_equal(halt_of(&bench, 0x01), 0);
    assert_false(usbd_write(&bench.usbd, usb_bench_pattern, 1));
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, 64), USB_STALL);
    assert_int_equal(usb_host_control(&bench.host, 2, 1, 0, 0x81, 0, NULL), 0);
    assert_int_equal(bench.recorder.in_restart, 1);
    assert_int_equal(halt_of(&bench, 0x81), 0);
    bench.host.toggle_in[1] = 0;
    assert_true(usbd_write(&bench.usbd, usb_bench_pattern, 30));
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, 64), 30);
    /* Ending a halt that is not there resets the toggle too, and drops nothing. */
    assert_true(usbd_write(&bench.usbd, usb_bench_pattern, 40));
    assert_int_equal(usb_host_control(&bench.host, 2, 1, 0, 0x81, 0, NULL), 0);
    assert_int_equal(bench.recorder.in_restart, 1);
    bench.host.toggle_in[1] = 0;
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, 64), 40);
    usb_bench_finish(&bench);
}

static void test_halt_out(void **state) {
    (void)state;
    struct usb_bench bench;
    usb_bench_configured(&bench);
    usbd_receive(&bench.usbd);
    assert_int_equal(usb_host_out(&bench.host, 1, usb_bench_pattern, 5, false), 5);
    usbd_receive(&bench.usbd);
    assert_int_equal(usb_host_control(&bench.host, 2, 3, 0, 0x01, 0, NULL), 0);
    assert_int_equal(halt_of(&bench, 0x01), 1);
    assert_int_equal(usb_host_out(&bench.host, 1, usb_bench_pattern, 6, false), USB_STALL);
    assert_int_equal(usb_host_control(&bench.host, 2, 1, 0, 0x01, 0, NULL), 0);
    bench.host.toggle_out[1] = 0;
    assert_int_equal(usb_host_out(&bench.host, 1, usb_bench_pattern, 7, false),
                     7); /* still armed */
    assert_int_equal(bench.recorder.n_last, 7);
    usb_bench_finish(&bench);
}

static void test_toggles_start_over(void **state) {
    (void)state;
    struct usb_bench bench;
    uint8_t got[64];
    /* SET_CONFIGURATION and SET_INTERFACE, with a packet of the old life still waiting. */
    for (int i = 0; i < 2; i++) {
        usb_bench_configured(&bench);
        assert_true(usbd_write(&bench.usbd, usb_bench_pattern, 5));
        assert_int_equal(usb_host_in(&bench.host, 0x81, got, 64), 5);
        usbd_receive(&bench.usbd);
        assert_int_equal(usb_host_out(&bench.host, 1, usb_bench_pattern, 5, false), 5);
        assert_true(usbd_write(&bench.usbd, usb_bench_pattern, 6));
        usbd_receive(&bench.usbd);
        assert_int_equal(usb_host_control(&bench.host, 2, 3, 0, 0x81, 0, NULL), 0);
        assert_int_equal(i == 0 ? usb_host_control(&bench.host, 0, 9, 1, 0, 0, NULL)
                                : usb_host_control(&bench.host, 1, 11, 0, 0, 0, NULL),
                         0);
        assert_int_equal(bench.recorder.configured, 2);
        assert_int_equal(bench.recorder.unconfigured, 0);
        assert_int_equal(halt_of(&bench, 0x81), 0);
        bench.host.toggle_in[1] = bench.host.toggle_out[1] = 0;
        assert_true(usbd_write(&bench.usbd, usb_bench_pattern, 7));
        assert_int_equal(usb_host_in(&bench.host, 0x81, got, 64), 7);
        usbd_receive(&bench.usbd);
        assert_int_equal(usb_host_out(&bench.host, 1, usb_bench_pattern, 8, false), 8);
        assert_int_equal(bench.recorder.n_last, 8);
        usb_bench_finish(&bench);
    }
    assert_int_equal(usb_host_control(&bench.host, 0x81, 10, 0, 0, 1, got), 1);
    assert_int_equal(got[0], 0);
}

/* Requests, packets, resets at random, half of the fields drawn from small sets so that they often
 * mean something. Whatever came before, a reset brings a working device. */
static void test_hostile(void **state) {
    (void)state;
    static const uint8_t types[] = {0x00, 0x80, 0x01, 0x81, 0x02, 0x82, 0xc0, 0x40};
    static const uint16_t values[] = {0, 1, 0x0100, 0x0200, 0x0303, 0x0f00, 5, 0xffff};
    static const uint16_t indices[] = {0, 1, 0x81, 0x80, 7, 0x0409, 0x01, 0xffff};
    static const uint16_t lengths[] = {0, 1, 2, 8, 18, 64, 255, 0xffff};
    struct usb_bench bench;
    usb_bench_start(&bench, false);
    usb_host_reset(&bench.host);
    srand(1);
    for (unsigned i = 0; i < 60000; i++) {
        uint8_t packet[64], got[64];
        unsigned toggle;
        for (size_t k = 0; k < sizeof packet; k++) {
            packet[k] = (uint8_t)rand();
        }
        uint8_t address = bench.sim.address;
        bench.recorder.n_answer = (size_t)rand() % sizeof usb_bench_pattern;
        bench.recorder.refuse = rand() % 4 == 0;
        switch (rand() % 8) {
        case 0:
            bench.host.port.setup(&bench.sim, address, packet);
            break;
        case 1:
        case 2: {
            const uint16_t value = values[rand() % 8], index = indices[rand() % 8],
                           length = lengths[rand() % 8];
            const uint8_t setup[8] = {
                types[rand() % 8], (uint8_t)(rand() % 12), (uint8_t)value,  (uint8_t)(value >> 8),
                (uint8_t)index,    (uint8_t)(index >> 8),  (uint8_t)length, (uint8_t)(length >> 8)};
            bench.host.port.setup(&bench.sim, address, setup);
            break;
        }
        case 3:
            bench.host.port.out(&bench.sim, address, rand() % 2, rand() % 2, packet,
                                (size_t)rand() % 65);
            break;
        case 4:
            bench.host.port.in(&bench.sim, address, rand() % 2 ? 0x80 : 0x81, &toggle, got);
            break;
        case 5:
            usbd_write(&bench.usbd, packet, (size_t)rand() % 65);
            break;
        case 6:
            if (!bench.sim.out[1].busy) {
                usbd_receive(&bench.usbd);
            }
            break;
        default:
            if (rand() % 50 == 0) {
                bench.host.port.reset(&bench.sim);
            }
            break;
        }
        if (rand() % 3 != 0) {
            usbd_poll(&bench.usbd);
        }
        if (i % 1000 == 999) {
            assert_true(usb_host_enumerate(&bench.host, 17));
        }
    }
    assert_int_equal(bench.sim.misuse, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_refused_unconfigured),
        cmocka_unit_test(test_bulk),
        cmocka_unit_test(test_halt_in),
        cmocka_unit_test(test_halt_out),
        cmocka_unit_test(test_toggles_start_over),
        cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
