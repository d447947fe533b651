/* The hub's firmware on this computer, in real time, on the fake board; as
 * tests/devices/hub_on_host.c, with the rig around it. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "firmware/app/hub.h"
#include "tests/firmware/fake_board.h"
#include "tests/rig/line.h"
#include "tests/rig/rig.h"

enum {
    TICK_HZ = 40000,
    TICKS_A_TURN = 4,   /* of the motion interrupt, in one turn of the main loop */
    TICKS_BEHIND = 4000 /* beyond these, time that the computer did not give is lost */
};

struct host {
    struct rig *rig;
    struct hub hub;
    struct rig_line line;
    uint64_t ticks; /* made */
    bool radar_held;
};

static uint64_t hub_ns(void) {
    const struct clock clock = {.count_hz = fake_board.count_hz};
    return clock_ns(&clock, fake_board.time);
}

/* ---- what the fake board calls ---- */

static void on_tick(void *context) {
    hub_on_tick(&((struct host *)context)->hub);
}

static void on_input(void *context, enum board_input input, uint32_t count) {
    (void)count;
    hub_on_input(&((struct host *)context)->hub, input);
}

static void on_stamp(void *context, enum board_stamp stamp, uint32_t count) {
    hub_on_stamp(&((struct host *)context)->hub, stamp, count);
}

static void on_edge(void *context, const struct fake_edge *edge) {
    struct host *host = context;
    if (edge->kind == FAKE_STEP && edge->level) {
        rig_step(host->rig, edge->axis, fake_board.axis[edge->axis].direction, hub_ns());
    } else if (edge->kind == FAKE_SYNC) {
        rig_sync(host->rig);
        rig_sync_was(host->rig, hub_ns());
    }
}

/* ---- what the rig calls ---- */

static void send_bytes(void *context, enum board_port port, const void *bytes, size_t n) {
    (void)context;
    fake_board_send(port, bytes, n);
}

static void set_input(void *context, enum board_input input, bool active) {
    (void)context;
    fake_board_input(input, active);
}

static void pulse(void *context) {
    (void)context;
    fake_board_stamp(BOARD_STAMP_PPS);
}

static void restart(void *context) {
    (void)context;
    fake_board.resets++;
}

/* ---- the chip ---- */

/* A reset leaves the kept memory and the world outside as they are. */
static void start_hub(struct host *host, enum board_reset_cause cause) {
    uint8_t kept[BOARD_KEPT_BYTES];
    memcpy(kept, fake_board.kept, sizeof kept);
    fake_board_reset();
    memcpy(fake_board.kept, kept, sizeof kept);
    memcpy(fake_board.serial, "nfsar-rig on", 12);
    fake_board.cause = cause;
    fake_board.on_tick = on_tick;
    fake_board.on_input = on_input;
    fake_board.on_stamp = on_stamp;
    fake_board.on_edge = on_edge;
    fake_board.context = fake_board.edge_context = host;
    rig_restart(host->rig);
    hub_init(&host->hub);
}

static void look_for_resets(struct host *host) {
    if (fake_board.faults > 0) {
        /* What a store to nowhere leaves on an STM32F405. */
        const struct board_fault fault = {.pc = 0x08001234,
                                          .lr = 0x08000567,
                                          .psr = 0x01000000,
                                          .cfsr = 0x00008200,
                                          .fault_address = 0x70000000,
                                          .exception = 3};
        board_on_fault(&fault);
    }
    if (fake_board.hangs > 0) {
        start_hub(host, BOARD_RESET_WATCHDOG);
    } else if (fake_board.resets > 0) {
        start_hub(host, BOARD_RESET_SOFTWARE);
    }
}

static void run_ports(struct host *host) {
    static const enum board_port ports[] = {BOARD_PORT_IMU, BOARD_PORT_FLOW, BOARD_PORT_GNSS,
                                            BOARD_PORT_RADAR};
    uint8_t bytes[256];
    for (unsigned i = 0; i < sizeof ports / sizeof *ports; i++) {
        size_t n;
        while ((n = fake_board_receive(ports[i], bytes, sizeof bytes)) > 0) {
            rig_heard(host->rig, ports[i], bytes, n);
        }
    }
}

static void run_line(struct host *host) {
    uint8_t bytes[4096];
    const size_t came = rig_line_read(&host->line, bytes, sizeof bytes);
    fake_board_send(BOARD_PORT_LINK, bytes, came);
    size_t n;
    while ((n = fake_board_receive(BOARD_PORT_LINK, bytes, sizeof bytes)) > 0) {
        rig_line_write(&host->line, bytes, n);
    }
}

static void turn(struct host *host) {
    for (unsigned i = 0; i < TICKS_A_TURN; i++, host->ticks++) {
        fake_board_tick();
    }
    if (fake_board.radar_reset != host->radar_held) {
        host->radar_held = fake_board.radar_reset;
        rig_radar_reset(host->rig, host->radar_held, hub_ns());
    }
    rig_run(host->rig, hub_ns());
    run_ports(host);
    hub_poll(&host->hub);
    look_for_resets(host);
}

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static void run(struct host *host, const volatile sig_atomic_t *ended) {
    const uint64_t began = now_ns();
    const double seconds = rig_options(host->rig)->seconds;
    uint64_t lost = 0; /* ticks that came too late to be made */
    while (!*ended) {
        const uint64_t passed = now_ns() - began;
        if (seconds > 0.0 && (double)passed > seconds * 1e9) {
            return;
        }
        const uint64_t due = passed / (1000000000U / TICK_HZ) - lost;
        if (due > host->ticks + TICKS_BEHIND) {
            lost += due - host->ticks - TICKS_BEHIND;
        }
        run_line(host);
        for (uint64_t i = 0; host->ticks < due && i < TICKS_BEHIND; i += TICKS_A_TURN) {
            turn(host);
        }
        poll(NULL, 0, 1);
    }
}

enum nfsar_status rig_run_on_host(struct rig *rig, const volatile sig_atomic_t *ended,
                                  nfsar_error *error) {
    static struct host host; /* as there is one fake board */
    char path[300];
    memset(&host, 0, sizeof host);
    host.rig = rig;
    rig_connect(rig, &(struct rig_board){&host, send_bytes, set_input, pulse, restart});
    snprintf(path, sizeof path, "%s/hub", rig_folder(rig));
    const enum nfsar_status status = rig_line_open(&host.line, path, error);
    if (status != NFSAR_OK) {
        return status;
    }
    rig_line_drops(&host.line, &rig_options(rig)->faults);
    start_hub(&host, BOARD_RESET_POWER);
    rig_ready(rig);
    run(&host, ended);
    rig_line_close(&host.line);
    return NFSAR_OK;
}
