/** @file
 * Byte pipe, core and OTG_FS driver on a model of its registers, with a host at the other end of
 * the cable.
 */
#ifndef TESTS_FIRMWARE_OTG_BENCH_H
#define TESTS_FIRMWARE_OTG_BENCH_H

#include "firmware/usb/otg_fs.h"
#include "firmware/usb/usb_link.h"
#include "tests/firmware/otg_model.h"

struct otg_bench {
    struct otg_model model;
    struct otg_fs otg;
    struct usb_link link;
    struct usb_host host;
};

extern uint8_t otg_bench_pattern[20000];

/** Driver and model, nothing initialised. */
void otg_bench_create(struct otg_bench *bench, bool sense_vbus);
/** Enumerated at address 33. */
void otg_bench_start(struct otg_bench *bench);
/** struct usb_host::run of a struct usb_link */
void otg_bench_run(void *device);
/** No rule of the manual was broken, no packet repeated, no wait ran out. */
void otg_bench_finish(const struct otg_bench *bench);

#endif
