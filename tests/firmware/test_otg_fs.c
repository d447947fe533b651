/* The OTG_FS driver on a model of its registers: a whole device through enumeration and transfers.
 * The model was written from RM0090, so this shows that the driver keeps the manual's rules, not
 * that the chip does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/firmware/otg_bench.h"

/* ---- bringing it up ---- */

static void test_init(void **state) {
    (void)state;
    struct otg_bench bench;
    otg_bench_create(&bench, false);
    struct dcd *dcd = &bench.otg.dcd;
    assert_true(dcd->operations->init(dcd));
    assert_true(bench.model.gccfg & 1u << 16);            /* transceiver on */
    assert_int_equal(bench.model.gccfg >> 18 & 0xf, 8);   /* no VBUS sensing */
    assert_int_equal(bench.model.gusbcfg >> 10 & 0xf, 6); /* turnaround at 168 MHz */
    assert_int_equal(bench.model.gusbcfg >> 29, 2);       /* device, not host */
    assert_int_equal(bench.model.dcfg & 3, 3);            /* full speed */
    assert_int_equal(bench.model.gahbcfg & 1, 0);         /* no interrupts */
    assert_true(bench.model.dctl & 2);                    /* not connected */
    dcd->operations->connect(dcd);
    assert_false(bench.model.dctl & 2);
    dcd->operations->disconnect(dcd);
    assert_true(bench.model.dctl & 2);
    /* FIFOs: one behind the other, none over another, each with room for a packet. */
    uint32_t end = bench.model.grxfsiz;
    assert_true(end >= 13 + 1 + 2 * 17 + 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(bench.model.txfsiz[i] & 0xffff, end);
        assert_true(bench.model.txfsiz[i] >> 16 >= 16);
        end += bench.model.txfsiz[i] >> 16;
    }
    assert_true(end <= 320);
    assert_false(dcd->operations->poll(dcd));
    otg_bench_finish(&bench);
}

static void test_vbus(void **state) {
    (void)state;
    struct otg_bench bench;
    otg_bench_create(&bench, true);
    assert_true(usb_link_init(&bench.link, &bench.otg.dcd, "0011", 1, 2));
    assert_int_equal(bench.model.gccfg >> 18 & 0xf, 2); /* B-device sensing */
    bench.host = (struct usb_host){
        .port = otg_model_port(&bench.model), .run = otg_bench_run, .device = &bench.link};
    assert_true(usb_host_enumerate(&bench.host, 33));
    bench.model.session_end = true;
    usb_link_poll(&bench.link);
    assert_false(bench.model.session_end);
    assert_false(usb_link_ready(&bench.link));
    assert_true(usb_host_enumerate(&bench.host, 34));
    assert_true(usb_link_ready(&bench.link));
    otg_bench_finish(&bench);
}

/* ---- working ---- */

static void test_enumeration(void **state) {
    (void)state;
    struct otg_bench bench;
    uint8_t got[255];
    otg_bench_start(&bench);
    assert_int_equal(bench.model.address, 33);
    assert_int_equal(usb_host_control(&bench.host, 0x80, 6, 0x0100, 0, 18, got), 18);
    assert_int_equal(got[8] | got[9] << 8, 0x1209);
    assert_int_equal(usb_host_control(&bench.host, 0x80, 6, 0x0200, 0, 255, got), 32);
    assert_int_equal(usb_host_control(&bench.host, 0x80, 6, 0x0600, 0, 10, got), USB_STALL);
    assert_int_equal(usb_host_control(&bench.host, 0x80, 6, 0x0303, 0, 255, got), 10);
    /* Three packets. */
    assert_int_equal(usb_host_control(&bench.host, 0xc0, 0x20, 0, 7, 162, got), 162);
    assert_int_equal(got[0], 10);
    /* A fresh address: the status stage still comes from the old one. */
    assert_true(usb_host_enumerate(&bench.host, 34));
    assert_int_equal(bench.model.address, 34);
    otg_bench_finish(&bench);
}

static void test_bulk(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 2, 3, 4, 5, 63, 64, 65, 127, 128, 129, 1000};
    struct otg_bench bench;
    uint8_t got[2048];
    otg_bench_start(&bench);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t n = sizes[i];
        assert_int_equal(usb_host_out(&bench.host, 1, otg_bench_pattern + i, n, true), n);
        assert_int_equal(usb_link_read(&bench.link, got, sizeof got), n);
        assert_memory_equal(got, otg_bench_pattern + i, n);
        assert_int_equal(usb_link_write(&bench.link, otg_bench_pattern + i, n), n);
        memset(got, 0, sizeof got);
        assert_int_equal(usb_host_in(&bench.host, 0x81, got, sizeof got), n);
        assert_memory_equal(got, otg_bench_pattern + i, n);
    }
    /* Flow control to the last byte. */
    assert_int_equal(usb_host_out(&bench.host, 1, otg_bench_pattern, 5000, false),
                     USB_LINK_RX_SIZE);
    assert_int_equal(usb_link_read(&bench.link, got, sizeof got), USB_LINK_RX_SIZE);
    assert_memory_equal(got, otg_bench_pattern, USB_LINK_RX_SIZE);
    otg_bench_finish(&bench);
}

static void test_repetition_is_dropped(void **state) {
    (void)state;
    struct otg_bench bench;
    uint8_t got[64];
    otg_bench_start(&bench);
    assert_int_equal(bench.host.port.out(&bench.model, 33, 1, 0, otg_bench_pattern, 10), 0);
    usb_link_poll(&bench.link);
    /* The acknowledge was lost: the host sends the same again. */
    assert_int_equal(bench.host.port.out(&bench.model, 33, 1, 0, otg_bench_pattern, 10), 0);
    usb_link_poll(&bench.link);
    assert_int_equal(usb_link_read(&bench.link, got, sizeof got), 10);
    otg_bench_finish(&bench);
}

static void test_halts(void **state) {
    (void)state;
    struct otg_bench bench;
    uint8_t got[256];
    otg_bench_start(&bench);
    /* Both endpoints away from DATA0, a packet waiting in each direction. */
    assert_int_equal(usb_link_write(&bench.link, otg_bench_pattern, 9), 9);
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, 64), 9);
    assert_int_equal(usb_host_out(&bench.host, 1, otg_bench_pattern, 9, false), 9);
    assert_int_equal(usb_link_read(&bench.link, got, 64), 9);
    assert_int_equal(usb_link_write(&bench.link, otg_bench_pattern, 100), 100);
    assert_int_equal(usb_host_control(&bench.host, 2, 3, 0, 0x81, 0, NULL), 0);
    assert_int_equal(usb_host_control(&bench.host, 2, 3, 0, 0x01, 0, NULL), 0);
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, 64), USB_STALL);
    assert_int_equal(usb_host_out(&bench.host, 1, otg_bench_pattern, 9, false), USB_STALL);
    assert_int_equal(usb_host_control(&bench.host, 2, 1, 0, 0x81, 0, NULL), 0);
    assert_int_equal(usb_host_control(&bench.host, 2, 1, 0, 0x01, 0, NULL), 0);
    bench.host.toggle_in[1] = bench.host.toggle_out[1] = 0;
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, 256), 100);
    assert_memory_equal(got, otg_bench_pattern, 100);
    assert_int_equal(usb_host_out(&bench.host, 1, otg_bench_pattern + 7, 70, false), 70);
    assert_int_equal(usb_link_read(&bench.link, got, 256), 70);
    assert_memory_equal(got, otg_bench_pattern + 7, 70);
    otg_bench_finish(&bench);
}

/* The host takes the packet in the very moment in which the halt is made: it must not come twice.
 */
static void test_halt_too_late(void **state) {
    (void)state;
    struct otg_bench bench;
    uint8_t got[64];
    otg_bench_start(&bench);
    assert_int_equal(usb_link_write(&bench.link, otg_bench_pattern, 20), 20);
    bench.model.finish_on_snak = true;
    assert_int_equal(usb_host_control(&bench.host, 2, 3, 0, 0x81, 0, NULL), 0);
    bench.model.finish_on_snak = false;
    assert_int_equal(usb_link_counters(&bench.link).bytes_in, 20);
    assert_int_equal(usb_host_control(&bench.host, 2, 1, 0, 0x81, 0, NULL), 0);
    assert_int_equal(usb_link_write(&bench.link, otg_bench_pattern + 20, 5), 5);
    bench.host.toggle_in[1] = 0;
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, 64), 5);
    assert_memory_equal(got, otg_bench_pattern + 20, 5);
    otg_bench_finish(&bench);
}

/* SET_CONFIGURATION with packets waiting in both directions: IN is flushed, OUT needs the global
 * NAK, and what lies in the receive FIFO meanwhile belongs to nobody any more. */
static void test_configured_again(void **state) {
    (void)state;
    struct otg_bench bench;
    uint8_t got[128];
    otg_bench_start(&bench);
    assert_int_equal(usb_link_write(&bench.link, otg_bench_pattern, 100), 100);
    assert_int_equal(usb_host_control(&bench.host, 0, 9, 1, 0, 0, NULL), 0);
    bench.host.toggle_in[1] = bench.host.toggle_out[1] = 0;
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, 128), 100);
    assert_memory_equal(got, otg_bench_pattern, 100);
    assert_int_equal(usb_link_counters(&bench.link).lost_in, 0);
    const uint8_t setup[8] = {0, 9, 1, 0, 0, 0, 0, 0};
    assert_true(bench.host.port.setup(&bench.model, 33, setup));
    assert_int_equal(bench.host.port.out(&bench.model, 33, 1, 0, otg_bench_pattern, 30), 0);
    usb_link_poll(&bench.link);
    usb_link_poll(&bench.link);
    unsigned toggle;
    assert_int_equal(bench.host.port.in(&bench.model, 33, 0x80, &toggle, got), 0);
    assert_int_equal(usb_link_read(&bench.link, got, 64), 0);
    bench.host.toggle_in[1] = bench.host.toggle_out[1] = 0;
    assert_int_equal(usb_host_out(&bench.host, 1, otg_bench_pattern, 30, false), 30);
    assert_int_equal(usb_link_read(&bench.link, got, 64), 30);
    assert_int_equal(usb_host_control(&bench.host, 0, 9, 0, 0, 0, NULL), 0);
    assert_int_equal(usb_host_out(&bench.host, 1, otg_bench_pattern, 3, false), USB_NO_ANSWER);
    otg_bench_finish(&bench);
}

/* The host turns away in the middle of a control transfer. */
static void test_setup_ends_a_transfer(void **state) {
    (void)state;
    struct otg_bench bench;
    uint8_t got[255];
    otg_bench_start(&bench);
    const uint8_t setup[8] = {0xc0, 0x20, 0, 0, 7, 0, 162, 0};
    for (int i = 0; i < 3; i++) { /* with 0, 1, 2 packets taken */
        assert_true(bench.host.port.setup(&bench.model, 33, setup));
        usb_link_poll(&bench.link);
        for (int k = 0; k < i; k++) {
            unsigned toggle;
            assert_int_equal(bench.host.port.in(&bench.model, 33, 0x80, &toggle, got), 64);
            usb_link_poll(&bench.link);
        }
        assert_int_equal(usb_host_control(&bench.host, 0x80, 6, 0x0100, 0, 18, got), 18);
        assert_int_equal(got[0], 18);
    }
    /* Two SETUPs in a row: only the last counts. */
    assert_true(bench.host.port.setup(&bench.model, 33, setup));
    assert_int_equal(usb_host_control(&bench.host, 0x80, 8, 0, 0, 1, got), 1);
    assert_int_equal(got[0], 1);
    /* The host goes to the status stage early. */
    assert_true(bench.host.port.setup(&bench.model, 33, setup));
    usb_link_poll(&bench.link);
    assert_int_equal(bench.host.port.out(&bench.model, 33, 0, 1, got, 0), 0);
    usb_link_poll(&bench.link);
    assert_int_equal(usb_host_control(&bench.host, 0x80, 8, 0, 0, 1, got), 1);
    otg_bench_finish(&bench);
}

/* A main loop that is late finds a status stage and the next SETUP at once. */
static void test_late_poll(void **state) {
    (void)state;
    struct otg_bench bench;
    uint8_t got[64];
    unsigned toggle;
    otg_bench_start(&bench);
    const uint8_t get_configuration[8] = {0x80, 8, 0, 0, 0, 0, 1, 0};
    assert_true(bench.host.port.setup(&bench.model, 33, get_configuration));
    usb_link_poll(&bench.link);
    assert_int_equal(bench.host.port.in(&bench.model, 33, 0x80, &toggle, got), 1);
    assert_int_equal(bench.host.port.out(&bench.model, 33, 0, 1, got, 0), 0);
    assert_true(bench.host.port.setup(&bench.model, 33, get_configuration));
    usb_link_poll(&bench.link);
    assert_int_equal(bench.host.port.in(&bench.model, 33, 0x80, &toggle, got), 1);
    assert_int_equal(bench.host.port.out(&bench.model, 33, 0, 1, got, 0), 0);
    /* Reset, ENUMDNE and the first SETUP after it in one look. */
    bench.host.port.reset(&bench.model);
    const uint8_t get_device[8] = {0x80, 6, 0, 1, 0, 0, 8, 0};
    assert_true(bench.host.port.setup(&bench.model, 0, get_device));
    usb_link_poll(&bench.link);
    assert_int_equal(bench.host.port.in(&bench.model, 0, 0x80, &toggle, got), 8);
    assert_int_equal(got[1], 1);
    usb_link_poll(&bench.link);
    otg_bench_finish(&bench);
}

static void test_suspend(void **state) {
    (void)state;
    struct otg_bench bench;
    uint8_t got[64];
    otg_bench_start(&bench);
    for (int i = 0; i < 3; i++) {
        bench.host.port.suspend(&bench.model);
        usb_link_poll(&bench.link);
        assert_false(usb_link_ready(&bench.link));
        usb_link_poll(&bench.link);
        assert_false(usb_link_ready(&bench.link));
        if (i == 0) {
            bench.host.port.resume(&bench.model);
        } else if (i == 1) { /* awake without the wakeup flag */
            bench.model.asleep = false;
        } else { /* the wakeup flag before the status changes */
            bench.model.gintsts |= 1u << 31;
        }
        usb_link_poll(&bench.link);
        assert_true(usb_link_ready(&bench.link));
        bench.model.asleep = false;
    }
    assert_int_equal(usb_link_counters(&bench.link).suspends, 3);
    /* A suspend that is over before the main loop sees it is none. */
    bench.host.port.suspend(&bench.model);
    bench.host.port.resume(&bench.model);
    usb_link_poll(&bench.link);
    assert_true(usb_link_ready(&bench.link));
    assert_int_equal(usb_link_counters(&bench.link).suspends, 3);
    assert_int_equal(usb_link_write(&bench.link, otg_bench_pattern, 9), 9);
    assert_int_equal(usb_host_in(&bench.host, 0x81, got, 64), 9);
    otg_bench_finish(&bench);
}

static void test_reset_with_packets_waiting(void **state) {
    (void)state;
    struct otg_bench bench;
    uint8_t got[64];
    otg_bench_start(&bench);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(usb_link_write(&bench.link, otg_bench_pattern, 100), 100);
        assert_int_equal(
            bench.host.port.out(&bench.model, bench.host.address, 1, 0, otg_bench_pattern, 20), 0);
        if (i == 1) { /* also one on endpoint 0 */
            const uint8_t setup[8] = {0xc0, 0x20, 0, 0, 7, 0, 162, 0};
            assert_true(bench.host.port.setup(&bench.model, bench.host.address, setup));
            usb_link_poll(&bench.link);
        }
        assert_true(usb_host_enumerate(&bench.host, 60));
        assert_int_equal(usb_host_control(&bench.host, 1, 11, 0, 0, 0, NULL), 0);
        assert_int_equal(usb_host_in(&bench.host, 0x81, got, 64), 0);
        assert_int_equal(usb_link_read(&bench.link, got, 64), 0);
        assert_int_equal(usb_link_write(&bench.link, otg_bench_pattern, 9), 9);
        assert_int_equal(usb_host_in(&bench.host, 0x81, got, 64), 9);
        bench.host.toggle_out[1] = 0;
    }
    otg_bench_finish(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init),
        cmocka_unit_test(test_vbus),
        cmocka_unit_test(test_enumeration),
        cmocka_unit_test(test_bulk),
        cmocka_unit_test(test_repetition_is_dropped),
        cmocka_unit_test(test_halts),
        cmocka_unit_test(test_halt_too_late),
        cmocka_unit_test(test_configured_again),
        cmocka_unit_test(test_setup_ends_a_transfer),
        cmocka_unit_test(test_late_poll),
        cmocka_unit_test(test_suspend),
        cmocka_unit_test(test_reset_with_packets_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
