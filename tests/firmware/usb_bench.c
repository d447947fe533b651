#include "tests/firmware/usb_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

uint8_t usb_bench_pattern[512];

static void on_configured(void *user, bool chosen) {
    ((struct recorder *)user)->configured++;
    ((struct recorder *)user)->chosen += chosen;
}

static void on_unconfigured(void *user) {
    ((struct recorder *)user)->unconfigured++;
}

static void on_out_packet(void *user, const uint8_t *packet, size_t n) {
    struct recorder *recorder = user;
    recorder->out_packet++;
    memcpy(recorder->last, packet, n);
    recorder->n_last = n;
}

static void on_in_done(void *user) {
    ((struct recorder *)user)->in_done++;
}

static void on_in_restart(void *user) {
    ((struct recorder *)user)->in_restart++;
}

static bool on_control(void *user, const struct usbd_setup *setup, const uint8_t **data,
                       size_t *n) {
    struct recorder *recorder = user;
    if (recorder->refuse) {
        return false;
    }
    if (setup->type & USBD_TO_HOST) {
        *data = usb_bench_pattern;
        *n = recorder->n_answer;
    } else if (*n > 0) {
        memcpy(recorder->control_data, *data, *n);
        recorder->n_control_data = *n;
    }
    return true;
}

const struct usbd_function usb_bench_function = {on_configured, on_unconfigured, on_out_packet,
                                                 on_in_done,    on_in_restart,   on_control};

static void run(void *device) {
    usbd_poll(device);
}

void usb_bench_start(struct usb_bench *bench, bool address_at_once) {
    const struct usb_identity identity = {usb_version(3, 14), "0123ABCD"};
    memset(bench, 0, sizeof *bench);
    for (size_t i = 0; i < sizeof usb_bench_pattern; i++) {
        usb_bench_pattern[i] = (uint8_t)(i * 7 + 1);
    }
    dcd_sim_init(&bench->sim, address_at_once);
    assert_true(
        usbd_init(&bench->usbd, &bench->sim.dcd, &identity, &usb_bench_function, &bench->recorder));
    usbd_connect(&bench->usbd);
    bench->host =
        (struct usb_host){.port = dcd_sim_port(&bench->sim), .run = run, .device = &bench->usbd};
}

void usb_bench_configured(struct usb_bench *bench) {
    usb_bench_start(bench, false);
    assert_true(usb_host_enumerate(&bench->host, 5));
}

void usb_bench_finish(const struct usb_bench *bench) {
    assert_int_equal(bench->sim.misuse, 0);
    assert_int_equal(bench->host.toggle_errors, 0);
}

int usb_bench_get(struct usb_bench *bench, uint16_t value, uint16_t length, uint8_t *to) {
    return usb_host_control(&bench->host, 0x80, 6, value, 0, length, to);
}
