#include "tests/firmware/otg_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

uint8_t otg_bench_pattern[20000];

void otg_bench_run(void *device) {
    usb_link_poll(device);
}

void otg_bench_create(struct otg_bench *bench, bool sense_vbus) {
    memset(bench, 0, sizeof *bench);
    for (size_t i = 0; i < sizeof otg_bench_pattern; i++) {
        otg_bench_pattern[i] = (uint8_t)(i * 13 + i / 256);
    }
    otg_model_init(&bench->model);
    const struct otg_fs_access access = otg_model_access(&bench->model);
    otg_fs_create(&bench->otg, &access, sense_vbus);
}

void otg_bench_start(struct otg_bench *bench) {
    otg_bench_create(bench, false);
    assert_true(usb_link_init(&bench->link, &bench->otg.dcd, "0011", 1, 2));
    bench->host = (struct usb_host){
        .port = otg_model_port(&bench->model), .run = otg_bench_run, .device = &bench->link};
    assert_true(usb_host_enumerate(&bench->host, 33));
    assert_true(usb_link_ready(&bench->link));
}

void otg_bench_finish(const struct otg_bench *bench) {
    if (bench->model.misuse > 0) {
        print_error("first misuse: %s\n", bench->model.first_misuse);
    }
    assert_int_equal(bench->model.misuse, 0);
    assert_int_equal(bench->host.toggle_errors, 0);
    assert_int_equal(bench->otg.dcd.faults, 0);
}
