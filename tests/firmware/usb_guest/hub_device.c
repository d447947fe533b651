#include "tests/firmware/usb_guest/hub_device.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "firmware/app/hub.h"
#include "tests/firmware/fake_board.h"

enum { TICKS_A_RUN = 400, TICKS_BEHIND = 4000 }; /* 10 ms; time that nobody gave is lost */

static struct hub hub;
static uint64_t began_ns, made, lost;

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static void on_tick(void *context) {
    hub_on_tick(context);
}

/* A reset leaves the kept memory as it is. */
void hub_device_start(struct dcd *dcd, bool reset) {
    uint8_t kept[BOARD_KEPT_BYTES];
    memcpy(kept, fake_board.kept, sizeof kept);
    fake_board_reset();
    if (reset) {
        memcpy(fake_board.kept, kept, sizeof kept);
        fake_board.cause = BOARD_RESET_SOFTWARE;
    }
    fake_board.usb = dcd;
    fake_board.on_tick = on_tick;
    fake_board.context = &hub;
    began_ns = now_ns();
    made = lost = 0;
    hub_init(&hub);
}

void hub_device_run(void) {
    const uint64_t due = (now_ns() - began_ns) / 25000 - lost;
    if (due > made + TICKS_BEHIND) {
        lost += due - made - TICKS_BEHIND;
    }
    for (unsigned i = 0; i < TICKS_A_RUN && made < due; i++, made++) {
        fake_board_tick();
    }
    hub_poll(&hub);
}

struct usb_link *hub_device_link(void) {
    return &hub.links.usb;
}

bool hub_device_resets(void) {
    return fake_board.resets > 0;
}

uint32_t hub_device_records(void) {
    return hub.outbox.made;
}

void hub_device_report(void) {
    printf(
        "redir_device: the hub made %u records, dropped %u, made %u triggers; %.1f s of its time "
        "were not given\n",
        hub.outbox.made, hub.outbox.dropped, hub.stage.triggers, (double)lost * 25e-6);
}
